//! What every part speaks of: a resource with its key and ids, and the events of a run.

pub mod approval;
pub mod credentials;
pub mod event;
pub mod guard;
pub mod limits;
pub mod resource;
