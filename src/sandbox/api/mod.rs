//! What each endpoint does with a request, and what it refuses.

mod children;
mod lists;
mod live_refusals;
pub(crate) mod schema;
pub(crate) mod tenant_rules;
pub(crate) mod token;
mod validate;
mod writes;
