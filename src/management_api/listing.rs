//! The list of a kind in a tenant, or why the tenant does not serve the kind.

use std::fmt;

use crate::json::Body;

/// The result of listing a kind.
#[derive(Debug)]
pub enum Listing<T = Body> {
    /// All resources of the kind.
    Complete(Vec<T>),
    /// The tenant does not serve it.
    Absent {
        /// The HTTP status of the response.
        status: u16,
        /// The meaning of the response.
        reason: Absence,
    },
}

/// Why a tenant does not serve a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// The feature was never configured.
    NotConfigured,
    /// The token lacks the scope; contains the tenant's message.
    Scope(String),
    /// The subscription lacks the feature, or it is disabled; contains the tenant's message.
    Entitlement(String),
    /// The tenant does not know the path, or serves nothing there; contains the tenant's message.
    Gone(String),
    /// The tenant refuses to return it; contains the tenant's message with the status.
    Refused(String),
}

impl fmt::Display for Absence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => out.write_str("not configured"),
            Self::Scope(message) | Self::Refused(message) => out.write_str(message),
            Self::Entitlement(message) => write!(out, "not included in the tenant's subscription: {message}"),
            Self::Gone(message) => write!(out, "not supported by the tenant: {message}"),
        }
    }
}
