//! State between runs of one source and one target, in `state/<source>/<target>/`.
//!
//! The files are read before a plan is made and written after it is applied. Nothing here sends requests to a tenant.

pub mod baseline;
pub mod fingerprints;
pub mod links;
pub mod pair;
pub mod source_ids;
