//! Rate limiting: token buckets, and a pause after a 429.
//!
//! The subscription publishes one set of buckets, which the headers of responses correct.

mod bucket;
mod buckets;
mod headers;
mod limiter;
#[cfg(test)]
mod simulation;
mod token_bucket;

pub use headers::{RateLimitHeaders, requested_wait};
pub(super) use limiter::{LimiterConfig, Permit, RateLimiter};
