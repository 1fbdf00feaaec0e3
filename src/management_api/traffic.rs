//! Counts the requests sent to a tenant.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The requests to a tenant so far, without token requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// GET requests, including retries.
    pub reads: u64,
    /// Other requests, including retries.
    pub writes: u64,
    /// Responses to both, with any status.
    pub answers: u64,
    /// Retries of both.
    pub retries: u64,
    /// How long limits delayed requests.
    pub waited: Duration,
}

/// Counts the requests.
#[derive(Debug, Default)]
pub(super) struct RequestCounters {
    pub(super) reads: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) answers: AtomicU64,
    pub(super) retries: AtomicU64,
}

impl RequestCounters {
    /// Returns the counts so far; `waited` is how long limits delayed requests.
    pub(super) fn traffic(&self, waited: Duration) -> Traffic {
        Traffic {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            answers: self.answers.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            waited,
        }
    }
}
