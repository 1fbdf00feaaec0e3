//! What a tenant has of a kind, or why it does not serve it.

use std::fmt;

use crate::json::Body;

/// What a kind's list came to.
#[derive(Debug)]
pub enum Listing<T = Body> {
    /// Everything the tenant has of it.
    Complete(Vec<T>),
    /// The tenant does not serve it.
    Absent {
        /// The status it answered.
        status: u16,
        /// What the answer means.
        reason: Absence,
    },
}

/// Why a tenant does not serve a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It was never set up.
    NotConfigured,
    /// The token lacks the scope; the error's own words.
    Scope(String),
    /// The subscription lacks it, or it is switched off; the tenant's own words.
    Entitlement(String),
    /// The tenant knows no such path, or serves nothing there; its own words.
    Gone(String),
    /// The tenant refuses to show it; its own words, with the status.
    Refused(String),
}

impl fmt::Display for Absence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => out.write_str("not configured"),
            Self::Scope(message) | Self::Refused(message) => out.write_str(message),
            Self::Entitlement(message) => write!(out, "not part of the tenant's plan: {message}"),
            Self::Gone(message) => write!(out, "not served by the tenant: {message}"),
        }
    }
}
