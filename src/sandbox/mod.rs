//! The sandbox: a tenant on loopback that behaves as the real server does in recordings.
//!
//! Routes, pagination, keys, body validation and scopes are derived from the catalog, so that a new kind needs no code
//! here. Tests judge the rest of the crate by the sandbox, so it must not import what it tests: it shares only the
//! catalog and JSON paths.
//!
//! ```text
//! listener.rs   the running sandbox: listens on loopback, records the requests
//! server.rs     one tenant over HTTP: faults, rate limits, tokens, then the api
//! options.rs    state, port, credentials, limits, faults
//! api/          the endpoints: dispatch, reads, lists, writes, removals, children, /logs, /oauth/token, and their refusals
//!               (preconditions, validation by the OpenAPI description in schema/ or by the catalog, reports about the live API)
//! behaviour/    what the server does with single kinds beyond the catalog, its history, faults
//! store/        the state of a tenant: tables, ids, state files, a new tenant, a replica, seeds, rules, the log
//! http/         requests, responses, routing, rate limits, the request log
//! ```
//!
//! Each line may use those below it, never those above.

mod api;
mod behaviour;
mod http;
mod listener;
mod options;
mod server;
mod store;
#[cfg(test)]
mod tests;

pub use api::schema::description::{SchemaViolation, ValueRefusal, schema_violations, value_refusals};
pub use behaviour::fault::{Fault, FaultError};
pub use http::caller::Caller;
pub use http::rate_limit::RateLimit;
pub use http::request_log::RequestLog;
pub use http::request_stats::{RequestStats, SeenRequest};
pub use http::response::ApiResponse;
pub use listener::Sandbox;
pub use options::Options;
pub use store::replica::Replica;
pub use store::seed;
pub use store::state::State;
pub use store::state_file::StateError;
pub use store::tenant_log::LogLimits;
