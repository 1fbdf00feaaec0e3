//! What every part works with: resources with their keys and ids, credentials, secrets, the events of a run, and rules that matched nothing.

pub mod approval;
pub mod credentials;
pub mod event;
pub mod guard;
pub mod limits;
pub mod resource;
pub mod secret;
pub mod selection;
pub mod unmatched_rule;
