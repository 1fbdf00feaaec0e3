//! The events of a run, and the observer that receives them.
//!
//! The engine emits events and never prints; whatever renders them implements [`Observer`].

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::limits::Limit;
use crate::model::resource::{Id, Key};

/// What a change does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Creates it.
    Create,
    /// Changes an existing one.
    Update,
    /// Deletes it.
    Delete,
}

impl Operation {
    /// Returns the name of the operation as every output spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Why requests are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The tenant's published rate limit is used up.
    RateLimit,
    /// The published limit of an endpoint group is used up.
    EndpointLimit(&'static Limit),
    /// The tenant named a time before which it accepts no requests.
    AskedByTenant,
    /// A resource that was just created is not visible everywhere in the tenant yet.
    NotYetConsistent,
}

/// How one change of a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has the change; this is the resource's id.
    Applied(Id),
    /// The target has the change except for the parts that it refused or that its subscription lacks.
    Partial(Id, Shortfall),
    /// The target refused the change with this message.
    Failed(String),
    /// The change was not sent, for this reason.
    Skipped(String),
    /// The change was sent, but no response arrived.
    Unknown(String),
}

/// The parts of a change that were not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The parts, in the form that [`Change::without`](crate::plan::Change::without) takes; empty in journals
    /// of older versions.
    pub parts: Vec<String>,
    /// The parts and the reason, as a sentence.
    pub message: String,
}

impl Outcome {
    /// Returns the id of the resource in the target, if the change was applied.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Applied(id) | Self::Partial(id, _) => Some(id),
            Self::Failed(_) | Self::Skipped(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the parts that were not applied, if the rest was.
    #[must_use]
    pub fn shortfall(&self) -> Option<&Shortfall> {
        if let Self::Partial(_, short) = self { Some(short) } else { None }
    }

    /// Returns the message that explains the outcome, if there is one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Applied(_) => None,
            Self::Partial(_, Shortfall { message, .. }) | Self::Failed(message) | Self::Skipped(message) | Self::Unknown(message) => {
                Some(message)
            }
        }
    }
}

/// An event of a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// Started to read a tenant.
    Reading {
        /// The tenant's name.
        tenant: String,
        /// How many kinds will be read.
        kinds: usize,
    },
    /// Received another page or object of a kind.
    Listing {
        /// The tenant's name.
        tenant: String,
        /// The kind.
        kind: &'static str,
        /// Number of resources read so far.
        read: usize,
        /// Total number of resources, if the tenant reports it.
        total: Option<usize>,
    },
    /// Finished reading a kind, or found that the tenant does not serve it.
    Listed {
        /// The tenant's name.
        tenant: String,
        /// The kind.
        kind: &'static str,
        /// Number of resources read.
        read: usize,
        /// Why nothing could be read, if the tenant does not serve the kind.
        absent: Option<String>,
    },
    /// The rate limiter delays requests.
    Waiting {
        /// The tenant's name.
        tenant: String,
        /// For how long.
        wait: Duration,
        /// Why.
        reason: WaitReason,
    },
    /// A failed request is sent again.
    Retrying {
        /// The tenant's name.
        tenant: String,
        /// The request, such as `GET /clients`.
        request: String,
        /// The reason of the failure.
        reason: String,
        /// The number of the next attempt, from 2.
        attempt: u32,
    },
    /// A request was answered, or its connection broke.
    Answered {
        /// The tenant's name.
        tenant: String,
        /// The HTTP status, or 0 if the connection broke.
        status: u16,
        /// Whether the request was a write.
        write: bool,
    },
    /// Started to apply a plan.
    Applying {
        /// The target's name.
        tenant: String,
        /// Number of changes in the plan.
        changes: usize,
        /// How long their requests take at the published rate, where there is one.
        expected: Option<Duration>,
    },
    /// The outcome of one change is known.
    Settled {
        /// The changed resource.
        key: Key,
        /// `create`, `update` or `remove`.
        operation: Operation,
        /// The outcome.
        outcome: Outcome,
    },
}

/// Receives the events of a run.
pub trait Observer: Send + Sync {
    /// Handles one event. Must not block.
    fn notify(&self, event: &Event);
}

/// An observer that ignores all events.
#[derive(Debug, Clone, Copy)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn notify(&self, _event: &Event) {}
}
