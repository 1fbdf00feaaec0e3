//! Requests and responses as values, routing of paths, rate limits and the request log.

pub(crate) mod caller;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod request_log;
pub(crate) mod request_stats;
pub(crate) mod response;
pub(crate) mod route;
