//! Requests and responses as values, the paths they are about, and what HTTP adds to them: rate limits and a log.

pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod request_log;
pub(crate) mod request_stats;
pub(crate) mod response;
pub(crate) mod route;
