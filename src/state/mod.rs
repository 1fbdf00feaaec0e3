//! State between runs of one source and one target, in `state/<source>/<target>/`.
//!
//! Nothing here talks to a tenant: the files are read before a plan is made, and written after it is applied.

pub mod baseline;
pub mod fingerprints;
pub mod links;
pub mod pair;
pub mod source_ids;
