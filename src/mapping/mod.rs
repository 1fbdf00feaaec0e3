//! How values change on the way from one tenant to the other: a file of rules, read once, applied to a snapshot.
//!
//! ```text
//! rule.rs     what a rule matches and does
//! parse.rs    mappings/<name>.toml -> rules; every error with file, line and caret
//! table.rs    its CSV tables of from,to
//! rewrite.rs  snapshot -> desired
//! ```
//!
//! Pure but for reading the files; it cannot reach a network. What differs by nature (ids, the tenant's own domain) is portable already
//! and needs no rule.

mod parse;
mod rewrite;
mod rule;
mod table;

pub use parse::{Error, Mapping};
pub use rewrite::KeyCollision;
pub use rewrite::MappedSource;
pub use rule::{Effect, MappingRule, Removed};
pub use table::rows;
