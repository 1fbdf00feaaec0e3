//! The mapped source: what the target should hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::Snapshot;
use crate::model::resource::{Id, Key};
use crate::model::selection::Selection;

/// The mapped source: what the target should hold.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The resources, under the keys they have in the target.
    pub snapshot: Snapshot,
    /// Fields of which the target's own value stands.
    pub kept: Vec<(Key, String)>,
    /// Secrets that are supplied from outside.
    pub supplied: Vec<SuppliedSecret>,
    /// Resources of the source that are not wanted in the target, by kind and by their id there.
    pub skipped: BTreeSet<(String, Id)>,
    /// [Unread](Snapshot::unread) or [unseen](Snapshot::unseen) parts of the source that a rule accepts as missing.
    pub spared: BTreeSet<Key>,
    /// The source's own hosts besides its domain, as it calls them.
    pub hosts: BTreeSet<String>,
    /// Which of the resources are meant, by the keys they have in the target.
    pub selection: Selection,
    /// Whether what those need and the target lacks is meant too.
    pub with_dependencies: bool,
}

/// Where a secret comes from that no snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppliedSecret {
    /// The resource it belongs to.
    pub key: Key,
    /// The field it is sent in.
    pub path: String,
    /// `env:NAME` or `file:PATH`.
    pub from: String,
}

impl Desired {
    /// Returns a source as it is, without any mapping.
    pub fn unmapped(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            kept: Vec::new(),
            supplied: Vec::new(),
            skipped: BTreeSet::new(),
            spared: BTreeSet::new(),
            hosts: BTreeSet::new(),
            selection: Selection::default(),
            with_dependencies: false,
        }
    }
}
