//! The state of a tenant, its sources, and the file it is saved to.

pub(crate) mod api_form;
pub(crate) mod ids;
mod new_tenant;
pub(crate) mod replica;
pub mod seed;
pub(crate) mod state;
pub(crate) mod state_file;
pub(crate) mod table;
pub(crate) mod tenant_log;
pub(crate) mod tenant_rule;
