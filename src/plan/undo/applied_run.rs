//! A finished run: its applied changes, and how keys of its plan map to current keys of the target.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::recreated::{LiveById, Recreated};
use crate::catalog::Shape;
use crate::model::resource::{Id, Key, Resource};
use crate::plan::model::Plan;
use crate::snapshot::{Snapshot, id_substitution};

/// A finished run.
#[derive(Debug, Clone, Copy)]
pub struct AppliedRun<'run> {
    /// Its name.
    pub name: &'run str,
    /// Its plan.
    pub plan: &'run Plan,
    /// The applied changes by their index in the plan, with the ids of their resources.
    pub applied: &'run BTreeMap<usize, Id>,
    /// The indexes of creates whose outcome is unknown.
    pub unclear: &'run BTreeSet<usize>,
    /// Resources that earlier undos created in place of those that the run deleted.
    pub again: &'run Recreated,
}

/// Returns the keys and ids that the plan of a run knows.
pub(super) fn known(done: AppliedRun<'_>) -> impl Iterator<Item = (&Key, &Id)> {
    let applied = done.plan.changes().enumerate().filter_map(move |(at, change)| Some((&change.key, done.applied.get(&at)?)));
    let before = done.plan.before.iter().map(|held| (&held.key, &held.id));
    done.plan.known.iter().chain(before).chain(applied)
}

/// Returns the current keys of resources whose keys in the plan of a run differ.
///
/// Where duplicate names are allowed, a remaining resource may now have the key of a deleted one, which then gets a
/// number.
pub(super) fn names(done: AppliedRun<'_>, live: &Snapshot, places: &LiveById<'_>) -> HashMap<Key, Key> {
    let now = |key: &Key, id: &Id| places.get(key.kind(), id).map(|held| &held.key);
    let renamed = |(key, id): (&Key, &Id)| now(key, id).filter(|now| *now != key).map(|now| (key.clone(), now.clone()));
    let mut names: HashMap<Key, Key> = known(done).filter_map(renamed).collect();
    let is_shared = |key: &Key| key.kind().identity.allows_duplicates;
    let is_gone = |(key, id): &(&Key, &Id)| is_shared(key) && now(key, id).is_none();
    let mut taken: HashSet<Key> = live.resources.iter().map(|held| held.key.clone()).collect();
    for (key, _) in known(done).filter(is_gone) {
        if names.values().any(|name| name == key) && !names.contains_key(key) {
            let (free, _) = id_substitution::free_number(key, 2, &|key| taken.contains(key));
            taken.insert(free.clone());
            names.insert(key.clone(), free);
        }
    }
    for held in done.plan.before.iter().filter(|held| now(&held.key, &held.id).is_none()) {
        if let Some(key) = renamed_with_others(held, &names) {
            names.insert(held.key.clone(), key);
        }
    }
    names
}

/// Returns the new key of a deleted resource whose parent or identifying resource has another key now.
fn renamed_with_others(held: &Resource, names: &HashMap<Key, Key>) -> Option<Key> {
    let kind = held.key.kind();
    if names.is_empty() || names.contains_key(&held.key) {
        return None;
    }
    if let (Shape::Child { .. }, Some(parent)) = (kind.shape, kind.parent()) {
        let parent = names.get(&Key::new(parent, held.key.name()))?;
        return Some(Key::new(kind, parent.name()));
    }
    let mut body = held.body.pick(kind.identity.key);
    let before = id_substitution::portable_name(kind, &body);
    id_substitution::rename(&mut body, names);
    let after = id_substitution::portable_name(kind, &body);
    (before != after && before == held.key.name()).then(|| Key::new(kind, &after))
}
