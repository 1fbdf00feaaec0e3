//! What is remembered of a source and a target between runs, in `state/<source>/<target>/`.
//!
//! Nothing here asks a tenant: the files are read before a plan is made, and written after it was applied.

pub mod baseline;
pub mod fingerprints;
pub mod links;
pub mod pair;
pub mod source_ids;
