//! Which resource of the target is which of the source, and which names are still free.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::catalog::{Catalog, Kind, Shape, Written};
use crate::links::Links;
use crate::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, refs};

/// The live resources under the keys of their desired partners; copies only of those that such a key changes.
pub(super) struct Partners<'live> {
    /// The resources of the target.
    pub(super) live: Vec<Cow<'live, Resource>>,
    /// For each desired resource, the place of its partner.
    pub(super) of_desired: Vec<Option<usize>>,
    /// The places of those that are partners.
    pub(super) paired: HashSet<usize>,
}

impl<'live> Partners<'live> {
    /// Pairs what is desired with what there is: by link, else by key.
    pub(super) fn of(catalog: &Catalog, desired: &[Resource], live: &'live Snapshot, links: &Links) -> Self {
        let of_desired = links.pair(catalog, desired, &live.resources);
        let wanted: HashSet<&Key> = desired.iter().map(|resource| &resource.key).collect();
        let mut names: HashMap<Key, Key> = HashMap::new();
        for (at, desired) in of_desired.iter().zip(desired).filter_map(|(at, desired)| at.map(|at| (at, desired))) {
            names.insert(live.resources[at].key.clone(), desired.key.clone());
        }
        for resource in &live.resources {
            let is_free = !wanted.contains(&resource.key) || names.contains_key(&resource.key);
            if !is_free {
                // Another desired resource has this key, and the two are not partners.
                let key = Key::new(resource.key.kind(), &format!("{} (of the target)", resource.key.name()));
                names.insert(resource.key.clone(), key);
            }
        }
        names.retain(|old, new| old != new);
        let live = live.resources.iter().map(|resource| under_names(resource, &names)).collect();
        let paired = of_desired.iter().flatten().copied().collect();
        Self { live, of_desired, paired }
    }
}

/// Returns a resource with new names in its key and in what it refers to.
fn under_names<'live>(resource: &'live Resource, names: &HashMap<Key, Key>) -> Cow<'live, Resource> {
    let key = names.get(&resource.key);
    if names.is_empty() || (key.is_none() && !refs::mentions_any(&resource.body, names)) {
        return Cow::Borrowed(resource);
    }
    let mut copy = Resource { key: key.unwrap_or(&resource.key).clone(), ..resource.clone() };
    refs::rename_in(&mut copy, names);
    Cow::Owned(copy)
}

/// The names that a tenant takes once, and that are taken.
pub(super) struct TakenNames {
    taken: HashMap<(&'static str, String), &'static str>,
}

impl TakenNames {
    /// Returns the names that the target's own resources will have.
    pub(super) fn of_target(catalog: &Catalog, desired: &[Resource], partners: &Partners<'_>) -> Self {
        let partner_of: HashMap<usize, &Resource> =
            partners.of_desired.iter().zip(desired).filter_map(|(at, desired)| at.map(|at| (at, desired))).collect();
        let name = |(at, held): (usize, &Cow<'_, Resource>)| {
            let kind = catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
            // One that an update renames gives its name free.
            let becomes = partner_of.get(&at).filter(|_| can_be_renamed(kind)).map_or(&**held, |desired| *desired);
            is_once(kind).then(|| ((kind.name, refs::portable_name_of(kind, becomes)), "the target"))
        };
        Self { taken: partners.live.iter().enumerate().filter_map(name).collect() }
    }

    /// Takes the name of a resource that is to be created, or says why it is not free.
    pub(super) fn take(&mut self, kind: &'static Kind, wanted: &Resource) -> Option<String> {
        if !is_once(kind) {
            return None;
        }
        let name = refs::portable_name_of(kind, wanted);
        if let Some(side) = self.taken.get(&(kind.name, name.clone())) {
            let what = if let [field] = kind.key { field } else { "name" };
            return Some(format!("{side} has another {} of this {what}, and no tenant takes two", kind.singular));
        }
        self.taken.insert((kind.name, name), "the source");
        None
    }
}

fn is_once(kind: &Kind) -> bool {
    kind.shape == Shape::Collection && !kind.shares_keys
}

fn can_be_renamed(kind: &Kind) -> bool {
    kind.key.iter().all(|path| kind.fields().get(path).is_some_and(|field| field.written == Written::Always))
}

/// Says of each resource of the source whose name says nothing which ones it may be; by id.
pub(super) fn ambiguous(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> HashMap<Id, String> {
    let source = &desired.snapshot;
    let ids = |side: &[&Id]| side.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let mut said = HashMap::new();
    for ((kind, name), (wanted, held)) in links.unclear(catalog, &source.resources, &live.resources) {
        let because = format!(
            "\"{name}\" stands for {} in {} ({}) and {} in {} ({}); say which is which with `migrate link {kind} <source id> <target id>`",
            wanted.len(),
            source.tenant,
            ids(&wanted),
            held.len(),
            live.tenant,
            ids(&held),
        );
        said.extend(wanted.into_iter().map(|id| (id.clone(), because.clone())));
    }
    said
}
