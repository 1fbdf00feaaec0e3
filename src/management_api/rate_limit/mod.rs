//! When a request may leave: what a subscription publishes, what the headers of the answers say, and a wait after a 429.

mod bucket;
mod headers;
mod limiter;
mod quota;
#[cfg(test)]
mod simulation;

pub use headers::{RateLimitHeaders, requested_wait};
pub(super) use limiter::{LimiterConfig, Permit, RateLimiter};
