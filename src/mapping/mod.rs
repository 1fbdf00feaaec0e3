//! How values change on the way from one tenant to the other: a file of rules, read once, applied to a snapshot.
//!
//! ```text
//! rule.rs       what a rule matches and does
//! parse.rs      mappings/<name>.toml -> rules; every error with file, line and caret
//! table.rs      its CSV tables of from,to
//! rewrite.rs    snapshot -> desired
//! change.rs     what one rule does to one resource
//! attribution.rs which rule made which value
//! new_keys.rs   the keys that resources have after their rules
//! unmatched.rs  rules that matched nothing
//! nearest.rs    the name or text nearest to a pattern that matches nothing
//! ```
//!
//! Pure but for reading the files; it cannot reach a network. What differs by nature (ids, the tenant's own domain) is portable already
//! and needs no rule.

use std::borrow::Cow;
use std::path::Path;

mod attribution;
mod change;
mod nearest;
mod new_keys;
mod parse;
mod rewrite;
mod rule;
mod table;
mod unmatched;

pub use attribution::Attribution;
pub use new_keys::KeyCollision;
pub use parse::{Error, Mapping};
pub use rewrite::MappedSource;
pub use rule::{Effect, MappingRule, Removed, Replacement};
pub use table::rows;
pub use unmatched::nearest_resource;

/// Returns the name of a file, without its folder.
fn file_name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}
