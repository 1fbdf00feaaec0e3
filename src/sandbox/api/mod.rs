//! The endpoints of the sandbox: how they execute requests, and which they refuse.

mod children;
mod dispatch;
pub(crate) mod front_door;
mod lists;
mod live_refusals;
pub(crate) mod logs;
mod pagination;
mod preconditions;
mod reads;
mod removals;
mod representation;
pub(crate) mod schema;
mod tenant_rules;
pub(crate) mod token;
mod validate;
mod writes;
