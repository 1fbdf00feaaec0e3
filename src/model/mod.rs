//! What every part speaks of: a resource with its key and ids, and the events of a run.

pub mod event;
pub mod resource;
