//! Requests to one tenant: tokens, pagination, rate limits and retries.
//!
//! This is the only place that waits. Every request takes the same path: a valid token, a permit of the rate limiter,
//! one attempt, and a decision of the retry table. Responses are JSON; this module knows kinds and paths, but neither
//! snapshots nor plans.

mod address;
mod auth;
mod config;
mod connection;
mod error;
mod front_door;
mod http;
mod listing;
mod log;
mod log_events;
mod network_route;
mod pagination;
mod rate_limit;
mod read;
mod redact;
mod response_facts;
mod retry;
pub mod safety_limits;
mod tenant;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;
mod traffic;
mod transport;
pub mod webhook;
mod write;

pub use crate::model::credentials::Credentials;
pub use auth::TokenAudience;
pub use config::ApiConfig;
pub use error::{Cause, CredentialRefusal, Error};
pub use front_door::FrontDoor;
pub(crate) use front_door::random_text;
pub use http::correlation_id;
pub use listing::{Absence, Listing};
pub use log::{DateFilter, LOG_SCOPES, LogOrder, LogReader, LogReading, LogSearch, LogUnavailable, SEARCH_PAGES};
pub use network_route::NetworkRoute;
pub use read::ReadOutcome;
pub use response_facts::{ClockDifference, ClockReading, ResponseFacts};
pub use tenant::{Reply, Tenant};
pub use traffic::Traffic;

/// Parsers of responses that need no tenant, public for the tests and fuzz targets of this package.
#[doc(hidden)]
pub mod answers {
    pub use super::address::Address;
    pub use super::auth::{Token, parse_token_response};
    pub use super::error::refusal;
    pub use super::pagination::Page;
    pub use super::rate_limit::{RateLimitHeaders, requested_wait};
    pub use super::redact::Redactor;
}
