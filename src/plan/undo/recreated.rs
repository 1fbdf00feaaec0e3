//! Resources that earlier undos created in place of deleted ones; each has a new id.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::Kind;
use crate::model::resource::{Id, Resource};
use crate::plan::model::{Action, Plan};
use crate::snapshot::Snapshot;

/// The resources that undos created in place of deleted ones, whether or not the undos finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recreated {
    /// The replaced id by kind and new id.
    stands_for: HashMap<(&'static Kind, Id), Id>,
    /// Resources that may have been created again, by kind and former id: the outcome is unknown.
    unknown: HashSet<(&'static Kind, Id)>,
}

impl Recreated {
    /// Adds the resources that an undo created: its applied changes by index, with the ids of the new resources.
    pub fn record_created(&mut self, undo: &Plan, applied: &BTreeMap<usize, Id>) {
        for (at, change) in undo.changes().enumerate().filter(|(_, change)| matches!(change.action, Action::Create { .. })) {
            if let Some(id) = applied.get(&at).filter(|id| **id != change.source_id) {
                self.stands_for.insert((change.key.kind(), id.clone()), change.source_id.clone());
            }
        }
    }

    /// Adds the resources that an undo may have created: the indexes of its changes with unknown outcomes.
    pub fn record_unknown(&mut self, undo: &Plan, unclear: impl IntoIterator<Item = usize>) {
        for change in unclear.into_iter().filter_map(|at| undo.changes().nth(at)) {
            if matches!(change.action, Action::Create { .. }) {
                self.unknown.insert((change.key.kind(), change.source_id.clone()));
            }
        }
    }

    /// Returns whether a resource replaces a deleted one.
    pub(super) fn is_replacement(&self, held: &Resource) -> bool {
        self.replaced_ids(held).next().is_some()
    }

    /// Returns whether a resource of this kind and id may have been created again.
    pub(super) fn is_unknown(&self, kind: &'static Kind, id: &Id) -> bool {
        self.unknown.contains(&(kind, id.clone()))
    }

    /// Returns the ids that a resource replaces: that of the deleted one, of the one that this in turn replaced, and so
    /// on.
    fn replaced_ids<'again>(&'again self, held: &Resource) -> impl Iterator<Item = &'again Id> {
        let before = |id: &Id| self.stands_for.get(&(held.key.kind(), id.clone()));
        // At most as many steps as there are entries: an edited file may contain a cycle.
        std::iter::successors(before(&held.id), move |id| before(id)).take(self.stands_for.len())
    }
}

/// Live resources by their id and by the ids they replace.
pub(super) struct LiveById<'live> {
    by_id: HashMap<(&'live Kind, &'live Id), &'live Resource>,
}

impl<'live> LiveById<'live> {
    pub(super) fn new(live: &'live Snapshot, again: &'live Recreated) -> Self {
        let mut by_id: HashMap<(&Kind, &Id), &Resource> = HashMap::new();
        for held in &live.resources {
            for id in again.replaced_ids(held) {
                by_id.insert((held.key.kind(), id), held);
            }
        }
        by_id.extend(live.resources.iter().map(|held| ((held.key.kind(), &held.id), held)));
        Self { by_id }
    }

    /// Returns the resource that has an id or replaces it.
    pub(super) fn get(&self, kind: &Kind, id: &Id) -> Option<&'live Resource> {
        self.by_id.get(&(kind, id)).copied()
    }

    /// Returns whether a resource replaces the one that had this id.
    pub(super) fn replaces(&self, held: &Resource, id: &Id) -> bool {
        held.id != *id && self.get(held.key.kind(), id).is_some_and(|one| one.id == held.id)
    }
}
