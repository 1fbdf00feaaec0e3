//! What happened, in the words of the domain.
//!
//! The engine tells events and prints nothing; whoever renders them implements [`Observer`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::resource::{Id, Key};

/// What a change does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It creates it.
    Create,
    /// It changes one that exists.
    Update,
    /// It deletes it.
    Delete,
}

impl Operation {
    /// Returns its word in every output.
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
    /// The limits that the tenant publishes are used up.
    RateLimit,
    /// The tenant named a time before which it takes no requests.
    AskedByTenant,
    /// What was just created is not known everywhere in the tenant yet.
    NotYetConsistent,
}

/// How one change of a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The tenant holds it now, under this id.
    Applied(Id),
    /// The tenant holds it now, without what it refused or its subscription lacks.
    Partial(Id, Shortfall),
    /// The tenant refused it, with this message.
    Failed(String),
    /// It was not sent, for this reason.
    Skipped(String),
    /// It was sent and no answer came.
    Unknown(String),
}

/// What did not arrive of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The parts, as [`Change::without`](crate::plan::Change::without) takes them; none where an older version recorded it.
    pub parts: Vec<String>,
    /// Which parts and why, as a sentence.
    pub message: String,
}

impl Outcome {
    /// Returns the id under which the tenant holds the resource now.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Applied(id) | Self::Partial(id, _) => Some(id),
            Self::Failed(_) | Self::Skipped(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns what did not arrive of it, where the rest did.
    #[must_use]
    pub fn shortfall(&self) -> Option<&Shortfall> {
        if let Self::Partial(_, short) = self { Some(short) } else { None }
    }

    /// Returns what there is to say about it.
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

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Reading a tenant began.
    Reading {
        /// The tenant's name.
        tenant: String,
        /// How many kinds will be read.
        kinds: usize,
    },
    /// Another page or object of a kind arrived.
    Listing {
        /// The tenant's name.
        tenant: String,
        /// The kind.
        kind: &'static str,
        /// Resources read so far.
        read: usize,
        /// Resources there are, where the tenant says so.
        total: Option<usize>,
    },
    /// A kind was read to its end, or found not to be there.
    Listed {
        /// The tenant's name.
        tenant: String,
        /// The kind.
        kind: &'static str,
        /// Resources read.
        read: usize,
        /// Why there are none to read, where the tenant does not serve the kind.
        absent: Option<String>,
    },
    /// The rate limiter holds requests back.
    Waiting {
        /// The tenant's name.
        tenant: String,
        /// How long.
        wait: Duration,
        /// Why.
        reason: WaitReason,
    },
    /// A request is sent again.
    Retrying {
        /// The tenant's name.
        tenant: String,
        /// `GET /clients`
        request: String,
        /// How it failed.
        reason: String,
        /// Which attempt follows, from 2 on.
        attempt: u32,
    },
    /// A request was answered.
    Answered {
        /// The tenant's name.
        tenant: String,
        /// The status, or 0 where the connection broke.
        status: u16,
        /// Whether it was a write.
        write: bool,
    },
    /// Applying a plan began.
    Applying {
        /// The target's name.
        tenant: String,
        /// Changes to make.
        changes: usize,
    },
    /// One change was settled.
    Settled {
        /// What was changed.
        key: Key,
        /// `create`, `update` or `remove`.
        operation: Operation,
        /// How it ended.
        outcome: Outcome,
    },
}

/// Whoever is told what happens.
pub trait Observer: Send + Sync {
    /// Is told one event; must not block.
    fn notify(&self, event: &Event);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn notify(&self, _event: &Event) {}
}
