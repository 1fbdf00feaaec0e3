//! When a request may leave: one set of token buckets, published by the subscription and corrected by the headers of the answers, and a
//! wait after a 429.

mod bucket;
mod buckets;
mod headers;
mod limiter;
#[cfg(test)]
mod simulation;
mod token_bucket;

pub use headers::{RateLimitHeaders, requested_wait};
pub(super) use limiter::{LimiterConfig, Permit, RateLimiter};
