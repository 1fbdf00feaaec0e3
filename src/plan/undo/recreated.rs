//! What earlier undos created in the place of what went: each has an id of its own, and stands for the resource that had another.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::resource::{Id, Resource};
use crate::plan::model::{Action, Plan};
use crate::snapshot::Snapshot;

/// What undos created in the place of resources that went, whether or not they came to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recreated {
    /// The id of what stands for another, by kind, and the id which that had.
    stands_for: HashMap<(String, Id), Id>,
    /// What may have been created again, by kind and the id it had: what came of the request is not known.
    unknown: HashSet<(String, Id)>,
}

impl Recreated {
    /// Adds what an undo created: the changes of its plan that are in the target, by their place, with the id of what they made.
    pub fn record_created(&mut self, undo: &Plan, applied: &BTreeMap<usize, Id>) {
        for (at, change) in undo.changes().enumerate().filter(|(_, change)| matches!(change.action, Action::Create { .. })) {
            if let Some(id) = applied.get(&at).filter(|id| **id != change.source_id) {
                self.stands_for.insert((change.key.kind().to_owned(), id.clone()), change.source_id.clone());
            }
        }
    }

    /// Adds what an undo may have created: the places of changes of its plan of which nobody can say what came of them.
    pub fn record_unknown(&mut self, undo: &Plan, unclear: impl IntoIterator<Item = usize>) {
        for change in unclear.into_iter().filter_map(|at| undo.changes().nth(at)) {
            if matches!(change.action, Action::Create { .. }) {
                self.unknown.insert((change.key.kind().to_owned(), change.source_id.clone()));
            }
        }
    }

    /// Returns whether a resource stands for one that went.
    pub(super) fn is_replacement(&self, held: &Resource) -> bool {
        self.replaced_ids(held).next().is_some()
    }

    /// Returns whether a resource of this kind and id may have been created again.
    pub(super) fn is_unknown(&self, kind: &str, id: &Id) -> bool {
        self.unknown.contains(&(kind.to_owned(), id.clone()))
    }

    /// Returns the ids of what a resource stands for: what went, what stood for that and went too, and so on.
    fn replaced_ids<'again>(&'again self, held: &Resource) -> impl Iterator<Item = &'again Id> {
        let before = |id: &Id| self.stands_for.get(&(held.key.kind().to_owned(), id.clone()));
        // No more steps than there are entries: files that somebody edited may lead in a circle.
        std::iter::successors(before(&held.id), move |id| before(id)).take(self.stands_for.len())
    }
}

/// What the target holds, found by the id it has or by the id of what it stands for.
pub(super) struct LiveById<'live> {
    by_id: HashMap<(&'live str, &'live Id), &'live Resource>,
}

impl<'live> LiveById<'live> {
    pub(super) fn of(live: &'live Snapshot, again: &'live Recreated) -> Self {
        let mut by_id: HashMap<(&str, &Id), &Resource> = HashMap::new();
        for held in &live.resources {
            for id in again.replaced_ids(held) {
                by_id.insert((held.key.kind(), id), held);
            }
        }
        by_id.extend(live.resources.iter().map(|held| ((held.key.kind(), &held.id), held)));
        Self { by_id }
    }

    /// Returns what has an id, or stands for what had it.
    pub(super) fn get(&self, kind: &str, id: &Id) -> Option<&'live Resource> {
        self.by_id.get(&(kind, id)).copied()
    }

    /// Returns whether a resource stands for another that went.
    pub(super) fn replaces(&self, held: &Resource, id: &Id) -> bool {
        held.id != *id && self.get(held.key.kind(), id).is_some_and(|one| one.id == held.id)
    }
}
