//! How many requests were sent to a tenant.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Requests so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// GETs sent, repeated ones included, tokens apart.
    pub reads: u64,
    /// Other requests sent, repeated ones included, tokens apart.
    pub writes: u64,
    /// How many of both were answered, by whatever status.
    pub answers: u64,
    /// How many of both were sent again.
    pub retries: u64,
    /// How long limits held requests back.
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
    /// Returns the requests so far; `waited` is how long limits held requests back.
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
