//! Which resource of the target is which of the source, and which names are still free.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::matching::{Matching, matched, unclear};
use crate::catalog::{Catalog, Kind, Shape, Writability};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::links::Links;

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
    /// Pairs what is desired with what there is.
    pub(super) fn of(catalog: &Catalog, desired: &Snapshot, live: &'live Snapshot, links: &Links) -> Self {
        let Matching { of_desired, names } = matched(catalog, desired, live, links);
        let live = live.resources.iter().map(|resource| under_names(resource, &names)).collect();
        let paired = of_desired.iter().flatten().copied().collect();
        Self { live, of_desired, paired }
    }
}

/// Returns a resource with new names in its key and in what it refers to.
fn under_names<'live>(resource: &'live Resource, names: &HashMap<Key, Key>) -> Cow<'live, Resource> {
    let key = names.get(&resource.key);
    if names.is_empty() || (key.is_none() && !id_substitution::mentions_any(&resource.body, names)) {
        return Cow::Borrowed(resource);
    }
    let mut copy = Resource { key: key.unwrap_or(&resource.key).clone(), ..resource.clone() };
    id_substitution::rename_in(&mut copy, names);
    Cow::Owned(copy)
}

/// The names that a tenant takes once, and that are taken.
pub(super) struct TakenNames {
    taken: HashMap<(&'static str, String), &'static str>,
    /// The places in the target of what cannot be renamed, since another has the name.
    blocked: HashSet<usize>,
}

impl TakenNames {
    /// Returns the names that the target's own resources will have; what is at the places of `removed` gives its name free.
    pub(super) fn of_target(catalog: &Catalog, desired: &[Resource], partners: &Partners<'_>, removed: &[usize]) -> Self {
        let partner_of: HashMap<usize, &Resource> =
            partners.of_desired.iter().zip(desired).filter_map(|(at, desired)| at.map(|at| (at, desired))).collect();
        let kind_of = |held: &Resource| catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
        let removed: HashSet<usize> = removed.iter().copied().collect();
        let stays = |(at, held): &(usize, &Cow<'_, Resource>)| is_once(kind_of(held)) && !removed.contains(at);
        let held: Vec<(usize, &'static Kind, String, String)> = partners
            .live
            .iter()
            .enumerate()
            .filter(stays)
            .map(|(at, held)| {
                let kind = kind_of(held);
                (at, kind, id_substitution::portable_name_of(kind, held), becomes(kind, held, partner_of.get(&at).copied()))
            })
            .collect();
        let mut blocked = HashSet::new();
        loop {
            let mut names: HashMap<(&'static str, &str), Vec<usize>> = HashMap::new();
            for (at, kind, now, then) in &held {
                names.entry((kind.name, if blocked.contains(at) { now } else { then })).or_default().push(*at);
            }
            let shared: HashSet<usize> = names.into_values().filter(|places| places.len() > 1).flatten().collect();
            let moves = |(at, _, now, then): &&(usize, &Kind, String, String)| shared.contains(at) && now != then && !blocked.contains(at);
            let more: Vec<usize> = held.iter().filter(moves).map(|(at, ..)| *at).collect();
            if more.is_empty() {
                break;
            }
            blocked.extend(more);
        }
        let name = |(at, kind, now, then): (usize, &'static Kind, String, String)| {
            ((kind.name, if blocked.contains(&at) { now } else { then }), "the target")
        };
        Self { taken: held.into_iter().map(name).collect(), blocked }
    }

    /// Takes the name of a resource that is to be created or renamed, or says why it is not free; `at` is its place in the target.
    pub(super) fn take(&mut self, kind: &'static Kind, wanted: &Resource, at: Option<usize>) -> Option<String> {
        if !is_once(kind) {
            return None;
        }
        let name = id_substitution::portable_name_of(kind, wanted);
        let side = match at {
            Some(at) => self.blocked.contains(&at).then_some("the target"),
            None => self.taken.insert((kind.name, name.clone()), "the source"),
        };
        let side = side?;
        self.taken.insert((kind.name, name), side);
        let what = if let [field] = kind.identity.key { field } else { "name" };
        Some(format!("{side} has another {} of this {what}, and no tenant takes two", kind.singular))
    }
}

/// Returns whether a tenant takes one resource of a name.
pub(super) fn is_once(kind: &Kind) -> bool {
    matches!(kind.shape, Shape::Collection | Shape::Nested { .. })
        && kind.quirks.same_endpoint_as.is_none()
        && !kind.identity.allows_duplicates
}

/// Returns the name that a resource of the target will have: an update gives it what may be changed.
fn becomes(kind: &Kind, held: &Resource, partner: Option<&Resource>) -> String {
    let mut fields = held.body.pick(kind.identity.key);
    let is_written = |one: &Resource| one.excluded.is_none();
    if let Some(partner) = partner.filter(|partner| is_written(partner) && is_written(held)) {
        let wanted = partner.body.pick(kind.identity.key);
        let renamed = kind
            .identity
            .key
            .iter()
            .filter(|path| kind.fields.writable().get(path).is_some_and(|field| field.written == Writability::Always));
        renamed.for_each(|path| fields.put(path, wanted.get(path).cloned()));
    }
    id_substitution::portable_name(kind, &fields)
}

/// Says of each resource of the source whose name says nothing which ones it may be; by id.
pub(super) fn ambiguous(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> HashMap<Id, String> {
    let source = &desired.snapshot;
    let ids = |side: &[&Id]| side.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let mut said = HashMap::new();
    for ((kind, name), (wanted, held)) in unclear(catalog, source, live, links) {
        let reason = format!(
            "\"{name}\" stands for {} in {} ({}) and {} in {} ({}); say which is which with `migrate link {kind} <source id> <target id>`",
            wanted.len(),
            source.tenant,
            ids(&wanted),
            held.len(),
            live.tenant,
            ids(&held),
        );
        said.extend(wanted.into_iter().map(|id| (id.clone(), reason.clone())));
    }
    said
}
