//! A tenant on loopback, that behaves as recordings say the real server does.
//!
//! Routes, paging, keys, closed bodies and scopes are derived from the catalog, so that a new kind is served without a line here. The
//! sandbox judges the rest of the house, so it shares nothing with it but the catalog and JSON paths: it must not import what it tests.
//!
//! ```text
//! state.rs        what the tenant holds: read from a state file, written back; table.rs one kind of it
//! replica.rs      a tenant made of what another one answered
//! new_tenant.rs   what Auth0 makes itself
//! server.rs       HTTP; request.rs and response.rs what goes over it, record.rs what was asked, as a file
//! token.rs        /oauth/token
//! route.rs        which kind a path belongs to
//! lists.rs        pages and filters
//! writes.rs       what a request does to the state; children.rs lists under a parent
//! schema/         what a request may hold by Auth0's OpenAPI description; validate.rs closed bodies
//! live.rs         what the live API does beyond its description, as people report it
//! behaviour.rs    what the server does with one kind beyond the catalog: clients.rs, connections.rs, settings.rs, code.rs,
//!                 organizations.rs, streams.rs, pages.rs
//! api_history.rs  since when the server answers what
//! refusals.rs     what one tenant refuses, by its state file
//! bucket.rs       rate limits
//! fault.rs        what goes wrong, and when
//! ids.rs          ids and secrets
//! options.rs      how it is set up
//! ```

mod api;
mod behaviour;
mod http;
mod listener;
mod options;
mod server;
mod store;
#[cfg(test)]
mod tests;

pub use api::schema::description::{SchemaViolation, schema_violations};
pub use behaviour::fault::{Fault, FaultError};
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
