//! When a request may leave: token buckets, and a wait after a 429.
//!
//! One set of buckets is published by the subscription, and corrected by the headers of the responses.

mod bucket;
mod buckets;
mod headers;
mod limiter;
#[cfg(test)]
mod simulation;
mod token_bucket;

pub use headers::{RateLimitHeaders, requested_wait};
pub(super) use limiter::{LimiterConfig, Permit, RateLimiter};
