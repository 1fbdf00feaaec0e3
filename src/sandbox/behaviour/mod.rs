//! Behaviour of single kinds beyond the catalog, its history, and the faults that a test can inject.

mod access;
mod actions;
pub(crate) mod api_history;
mod clients;
mod connections;
pub(crate) mod fault;
pub(crate) mod logged_write;
mod organizations;
pub(crate) mod registry;
pub(crate) mod server_behaviour;
mod streams;
mod tenant_wide;
