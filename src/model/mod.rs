//! What every part speaks of: a resource with its key and ids, the events of a run, and rules that matched nothing.

pub mod approval;
pub mod credentials;
pub mod event;
pub mod guard;
pub mod limits;
pub mod resource;
pub mod selection;
pub mod unmatched_rule;
