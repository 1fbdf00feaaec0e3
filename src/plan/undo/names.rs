//! What the plan of a run calls resources, and what the target calls them by now.

use std::collections::{HashMap, HashSet};

use super::AppliedRun;
use super::again::Places;
use crate::catalog::{Catalog, Shape};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Snapshot, id_substitution};

/// Returns what the plan of a run calls resources, with their ids.
pub(super) fn known(done: AppliedRun<'_>) -> impl Iterator<Item = (&Key, &Id)> {
    let applied = done.plan.changes().enumerate().filter_map(move |(at, change)| Some((&change.key, done.applied.get(&at)?)));
    let before = done.plan.before.iter().map(|held| (&held.key, &held.id));
    done.plan.known.iter().chain(before).chain(applied)
}

/// Returns what the plan of a run calls resources that have another name now.
///
/// Where names may stand twice, one that stayed has the name by now of one that was removed: that gets a number in its place.
pub(super) fn names(catalog: &Catalog, done: AppliedRun<'_>, live: &Snapshot, places: &Places<'_>) -> HashMap<Key, Key> {
    let now = |key: &Key, id: &Id| places.get(key.kind(), id).map(|held| &held.key);
    let renamed = |(key, id): (&Key, &Id)| now(key, id).filter(|now| *now != key).map(|now| (key.clone(), now.clone()));
    let mut names: HashMap<Key, Key> = known(done).filter_map(renamed).collect();
    let is_shared = |key: &Key| catalog.kind(key.kind()).is_some_and(|kind| kind.identity.allows_duplicates);
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
        if let Some(key) = renamed_with_others(catalog, held, &names) {
            names.insert(held.key.clone(), key);
        }
    }
    names
}

/// Returns the key of something that is gone where what it hangs under or is identified by has another name now.
fn renamed_with_others(catalog: &Catalog, held: &Resource, names: &HashMap<Key, Key>) -> Option<Key> {
    let kind = catalog.kind(held.key.kind()).filter(|_| !names.is_empty() && !names.contains_key(&held.key))?;
    if let Shape::Child { parent, .. } = kind.shape {
        let parent = names.get(&Key::new(parent, held.key.name()))?;
        return Some(Key::new(kind.name, parent.name()));
    }
    let mut body = held.body.pick(kind.identity.key);
    let before = id_substitution::portable_name(kind, &body);
    id_substitution::rename(&mut body, names);
    let after = id_substitution::portable_name(kind, &body);
    (before != after && before == held.key.name()).then(|| Key::new(kind.name, &after))
}
