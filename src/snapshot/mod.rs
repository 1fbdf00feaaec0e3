//! The content of a tenant at one moment, in portable form: keys instead of ids, and without secrets.
//!
//! ```text
//! model.rs            the snapshot itself
//! desired.rs          the desired state: the source after the mapping
//! placeholder.rs      placeholders for ids and domains inside texts
//! text_search.rs      finds ids and domains inside texts
//! id_substitution.rs  ids -> keys when reading, keys -> ids when writing
//! former_ids.rs       ids of deleted resources -> keys
//! protection.rs       resources that no run changes
//! store.rs            snapshots as files: one per kind or per resource, and a manifest
//! manifest.rs, file_names.rs  the manifest; file names for resources
//! replacement.rs      replaces the snapshot in a folder that people keep
//! versions.rs         which snapshots are stored
//! reference.rs        the name of a snapshot: `dev@latest`
//! ```

mod desired;
mod file_names;
mod former_ids;
pub mod id_substitution;
mod manifest;
mod model;
mod placeholder;
mod protection;
pub(crate) mod reference;
pub(crate) mod replacement;
pub mod store;
pub(crate) mod text_search;
pub mod versions;

pub use desired::{Desired, SuppliedSecret};
pub use former_ids::FormerIds;
pub(crate) use manifest::{KindFile, Manifest};
pub use model::{Snapshot, Status, Unseen};
pub(crate) use placeholder::plain;
pub(crate) use protection::belongs_to;
pub(crate) use text_search::may_be_id;
