//! Names that must be unique in a tenant: which are taken, and which are ambiguous.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::matching::ambiguous_names;
use super::pairing::Pairing;
use super::reason::{AmbiguousName, Reason, Side};
use crate::catalog::{Kind, Shape, Writability};
use crate::model::resource::{Id, Resource};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::links::Links;

/// The names taken in a tenant, for kinds with unique names.
pub(super) struct TakenNames {
    taken: HashMap<(&'static str, String), Side>,
    /// The indexes of target resources that cannot be renamed because the new name is taken.
    blocked: HashSet<usize>,
}

impl TakenNames {
    /// Returns the names that the target's resources will have; those at the indexes in `removed` are free.
    pub(super) fn of_target(desired: &[Resource], partners: &Pairing<'_>, removed: &[usize]) -> Self {
        let partner_of: HashMap<usize, &Resource> =
            partners.of_desired.iter().zip(desired).filter_map(|(at, desired)| at.map(|at| (at, desired))).collect();
        let removed: HashSet<usize> = removed.iter().copied().collect();
        let stays = |(at, held): &(usize, &Cow<'_, Resource>)| is_once(held.key.kind()) && !removed.contains(at);
        let held: Vec<(usize, &'static Kind, String, String)> = partners
            .live
            .iter()
            .enumerate()
            .filter(stays)
            .map(|(at, held)| {
                let kind = held.key.kind();
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
            ((kind.name, if blocked.contains(&at) { now } else { then }), Side::Target)
        };
        Self { taken: held.into_iter().map(name).collect(), blocked }
    }

    /// Reserves the name of a resource to create or rename, or returns why it is taken; `at` is its index in the
    /// target.
    pub(super) fn take(&mut self, wanted: &Resource, at: Option<usize>) -> Option<Reason> {
        let kind = wanted.key.kind();
        if !is_once(kind) {
            return None;
        }
        let name = id_substitution::portable_name_of(kind, wanted);
        let side = match at {
            Some(at) => self.blocked.contains(&at).then_some(Side::Target),
            None => self.taken.insert((kind.name, name.clone()), Side::Source),
        };
        let by = side?;
        self.taken.insert((kind.name, name), by);
        let field = if let [field] = kind.identity.key { field } else { "name" };
        Some(Reason::Taken { by, singular: kind.singular, field })
    }
}

/// Returns whether names of a kind are unique.
pub(super) fn is_once(kind: &Kind) -> bool {
    matches!(kind.shape, Shape::Collection | Shape::Nested { .. })
        && kind.quirks.same_endpoint_as.is_none()
        && !kind.identity.allows_duplicates
}

/// Returns the name that a target resource will have after an update.
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

/// Returns, by id, each source resource with an ambiguous name and the resources it may correspond to.
pub(super) fn ambiguous(desired: &Desired, live: &Snapshot, links: &Links) -> HashMap<Id, AmbiguousName> {
    let source = &desired.snapshot;
    let side = |snapshot: &Snapshot, ids: &[&Id]| (snapshot.tenant.clone(), ids.iter().map(|id| (*id).clone()).collect());
    let mut found = HashMap::new();
    for ((kind, name), (wanted, held)) in ambiguous_names(source, live, links) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let ambiguous = AmbiguousName { kind, name, source: side(source, &wanted), target: side(live, &held) };
        found.extend(wanted.into_iter().map(|id| (id.clone(), ambiguous.clone())));
    }
    found
}
