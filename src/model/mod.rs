//! The types that every part shares: resources, keys, ids, selections, credentials, secrets, guards, approvals and events.

pub mod approval;
pub mod credentials;
pub mod event;
pub mod guard;
pub mod limits;
pub mod resource;
pub mod secret;
pub mod selection;
pub mod unmatched_rule;
