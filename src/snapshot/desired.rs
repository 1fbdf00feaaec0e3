//! The desired state: the source after the mapping.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::Snapshot;
use crate::model::resource::{Id, Key};
use crate::model::selection::Selection;

/// The desired state of the target: the source after the mapping.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The resources, under the keys they have in the target.
    pub snapshot: Snapshot,
    /// Fields that keep the target's own value.
    pub kept: Vec<(Key, String)>,
    /// Secrets that are supplied by a mapping rule.
    pub supplied: Vec<SuppliedSecret>,
    /// Resources of the source that are not copied to the target, by kind and source id.
    pub skipped: BTreeSet<(String, Id)>,
    /// [Unread](Snapshot::unread) or [unseen](Snapshot::unseen) parts of the source that a rule accepts as missing.
    pub spared: BTreeSet<Key>,
    /// The source's hosts other than its domain, as the source spells them.
    pub hosts: BTreeSet<String>,
    /// The selected resources, by their keys in the target.
    pub selection: Selection,
    /// Whether dependencies that the target lacks are selected too.
    pub with_dependencies: bool,
}

/// The origin of a secret, which is in no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppliedSecret {
    /// The resource with the secret.
    pub key: Key,
    /// The field with the secret.
    pub path: String,
    /// `env:NAME` or `file:PATH`.
    pub from: String,
}

impl Desired {
    /// Returns the desired state for a source without a mapping.
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
