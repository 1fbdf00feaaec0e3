//! What the server does with single kinds beyond the catalog, how that changed over time, and the faults that a test can switch on.

mod access;
mod actions;
pub(crate) mod api_history;
mod clients;
mod connections;
pub(crate) mod fault;
mod organizations;
pub(crate) mod registry;
pub(crate) mod server_behaviour;
mod streams;
mod tenant_wide;
