//! Everything a tenant held at one moment, portable: ids are keys, and secrets never enter.
//!
//! ```text
//! model.rs            the snapshot itself
//! desired.rs          the mapped source: what the target should hold
//! placeholder.rs      placeholders for ids and domains inside texts
//! text_search.rs      where ids and domains occur inside texts
//! id_substitution.rs  ids -> keys on the way in, keys -> ids on the way out
//! former_ids.rs       ids of deleted resources -> keys
//! protection.rs       resources that no run touches
//! store.rs            snapshots as files: one per kind, and a manifest
//! ```

mod desired;
mod former_ids;
pub mod id_substitution;
mod model;
mod placeholder;
mod protection;
pub mod store;
pub(crate) mod text_search;

pub use desired::{Desired, SuppliedSecret};
pub use former_ids::FormerIds;
pub use model::{Snapshot, Status, Unseen};
pub(crate) use placeholder::plain;
pub(crate) use protection::belongs_to;
pub(crate) use text_search::may_be_id;
