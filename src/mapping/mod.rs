//! How values change between tenants: a file of rules, parsed once and applied to a snapshot.
//!
//! ```text
//! rule.rs        what a rule matches and does
//! parse.rs       mappings/<name>.toml -> rules; every error with file, line and caret
//! table.rs       CSV tables of from,to
//! rewrite.rs     snapshot -> desired
//! change.rs      applies one rule to one resource
//! attribution.rs which rule produced which value
//! new_keys.rs    the keys of resources after the rules
//! unmatched.rs   rules that matched nothing
//! suggestion/    rules for what differs between two tenants, with their evidence
//! nearest.rs     the name or text most similar to a pattern that matches nothing
//! ```
//!
//! Apart from reading the files it is pure, and it cannot reach the network. Values that differ between any two tenants
//! (ids, the tenant's own domain) are already portable and need no rule.

use std::borrow::Cow;
use std::path::Path;

mod attribution;
mod change;
mod nearest;
mod new_keys;
mod parse;
mod rewrite;
mod rule;
mod schema;
pub mod suggestion;
mod table;
mod unmatched;

pub use attribution::Attribution;
pub use new_keys::KeyCollision;
pub use parse::{Error, Mapping};
pub use rewrite::MappedSource;
pub use rule::{Effect, MappingRule, Removed, Replacement};
pub(crate) use schema::MappingFile;
pub use table::rows;
pub use unmatched::nearest_resource;

/// Returns the name of a file, without its folder.
fn file_name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}
