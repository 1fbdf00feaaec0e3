//! Everything a tenant held at one moment, portable: ids are keys, and secrets never enter.
//!
//! ```text
//! model.rs            the snapshot itself
//! desired.rs          the mapped source
//! placeholder.rs      what stands for ids and domains inside texts
//! occurrence.rs       where ids and domains stand inside texts
//! id_substitution.rs  ids -> keys on the way in, keys -> ids on the way out
//! gone.rs             ids of what is gone -> keys
//! reserved.rs         what no run touches
//! store.rs            snapshots as files: one a kind, and a manifest
//! ```

mod desired;
mod gone;
pub mod id_substitution;
mod model;
pub(crate) mod occurrence;
mod placeholder;
mod reserved;
pub mod store;

pub use desired::{Desired, SuppliedSecret};
pub use gone::Gone;
pub use model::{Snapshot, Status, Unseen};
pub(crate) use placeholder::plain;
pub use reserved::belongs_to;
