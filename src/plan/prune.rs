//! Resources that only the target has: deleted if an earlier run created or linked them and the source deleted them, otherwise unmanaged.

use std::collections::{BTreeMap, HashSet};

use super::chosen::outside_belongings;
use super::decision::{Decision, Note};
use super::inputs::Inputs;
use super::model::{Action, Stage};
use super::normal_form::normalized;
use super::ordering::deletions;
use super::reason::{GoneReason, Reason};
use crate::catalog::{Kind, Shape};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Unseen, id_substitution};
use crate::state::links::Link;

/// Returns the indexes of resources to delete, and decisions about those kept because of protected ones or because the
/// source may still have them.
pub(super) fn resources_to_delete(inputs: &Inputs<'_>) -> (Vec<usize>, Vec<Decision>) {
    if !inputs.past.prune {
        return (Vec::new(), Vec::new());
    }
    let (partners, source) = (&inputs.partners, &inputs.desired.snapshot);
    let partnered: HashSet<&Key> = partners.paired.iter().map(|at| &partners.live[*at].key).collect();
    let goes = |at: &usize| {
        let resource = &partners.live[*at];
        let is_only_there = !partners.paired.contains(at) && source.is_complete(resource.key.kind().name) && inputs.has(&resource.key);
        is_only_there && resource.excluded.is_none() && is_gone(inputs, resource, &partnered) && !lists_none(inputs, resource)
    };
    let going: Vec<usize> = (0..partners.live.len()).filter(goes).collect();
    let live: Vec<&Resource> = if going.is_empty() { Vec::new() } else { partners.live.iter().map(|held| &**held).collect() };
    let needed = inputs.untouched.needed(&live);
    let outside = {
        let keys: HashSet<&Key> = going.iter().map(|at| &partners.live[*at].key).collect();
        outside_belongings(&inputs.chosen, &live, &keys)
    };
    let (mut removed, mut unseen, mut protected) = (Vec::new(), Vec::new(), Vec::new());
    for at in going {
        let held = &partners.live[at];
        if let Some(one) = unseen_in_source(inputs, held) {
            let reason = Reason::MayBeInSource { source: source.tenant.clone(), stated: one.reason.clone() };
            let is_spared = inputs.desired.spared.contains(&Key::new(held.key.kind(), &one.name));
            unseen.push(if is_spared { Decision::exclude(&held.key, reason) } else { Decision::skip(&held.key, reason) });
        } else if let Some(root) = needed.get(&held.key) {
            let reason = Reason::Gone { source: source.tenant.clone(), why: GoneReason::Protected(root.clone()) };
            protected.push(Decision::exclude(&held.key, reason));
        } else if let Some(belonging) = outside.get(&held.key) {
            let why = GoneReason::TakesAlong((*belonging).clone());
            unseen.push(Decision::skip(&held.key, Reason::Gone { source: source.tenant.clone(), why }));
        } else {
            removed.push(at);
        }
    }
    (removed, unseen.into_iter().chain(protected).collect())
}

/// Returns the unread part of the source that the counterpart of a target resource may be in.
fn unseen_in_source<'inputs>(inputs: &Inputs<'inputs>, held: &Resource) -> Option<&'inputs Unseen> {
    let kind = held.key.kind();
    let unseen = inputs.desired.snapshot.unseen(kind.name);
    let source_of = |parent: &str, id: &str| inputs.past.links.of_target(parent, &Id::new(id)).map(|link| link.source_id.clone());
    let id = match kind.shape {
        _ if unseen.is_empty() => return None,
        Shape::Child { parent, .. } | Shape::Part { parent } => source_of(parent, held.id.as_str())?,
        Shape::Nested { parent } => source_of(parent, held.id.as_str().split_once('/')?.0)?,
        Shape::Collection | Shape::Keyed { .. } | Shape::Singleton => held.id.clone(),
    };
    unseen.iter().find(|one| one.id == id)
}

/// Returns the deletes, the unmanaged resources, and those that should be deleted but cannot be.
pub(super) fn unmanaged(inputs: &Inputs<'_>, removed: &[usize]) -> (Vec<Stage>, Vec<Decision>) {
    let (partners, source) = (&inputs.partners, &inputs.desired.snapshot);
    let removed: HashSet<usize> = removed.iter().copied().collect();
    let gone = |key: &Key, why: GoneReason| Decision::skip(key, Reason::Gone { source: source.tenant.clone(), why });
    let (mut going, mut decisions) = (Vec::new(), Vec::new());
    for (at, resource) in partners.live.iter().enumerate() {
        let key = &resource.key;
        if partners.paired.contains(&at) || !source.is_complete(key.kind().name) || !inputs.has(key) {
            continue;
        }
        let kind = key.kind();
        decisions.push(match &resource.excluded {
            Some(reason) => Decision::exclude(key, Reason::Stated(reason.clone())),
            None if removed.contains(&at) && has_target_additions(inputs, kind, resource) => gone(key, GoneReason::HoldsMore),
            None if removed.contains(&at) && kind.can_be_deleted() => {
                going.push(&**resource);
                continue;
            }
            None if removed.contains(&at) => gone(key, GoneReason::NotRemovable),
            None if inputs.past.prune && lists_none(inputs, resource) && is_gone(inputs, resource, &HashSet::new()) => {
                gone(key, GoneReason::NoneListed { kind: kind.name })
            }
            None if resource.is_given => {
                let stated = kind.quirks.built_in.map_or("", |given| given.reason);
                Decision::exclude(key, Reason::Stated(stated.to_owned()))
            }
            None => Decision::Unmanaged(key.clone()),
        });
    }
    (deletions(inputs.catalog, going.into_iter(), &format!("gone from {}", source.tenant)), decisions)
}

/// Returns notes about the user data that is lost with deleted resources.
pub(super) fn lost_user_data(stages: &[Stage]) -> Vec<Decision> {
    let mut lost: BTreeMap<&Kind, Vec<String>> = BTreeMap::new();
    let changes = stages.iter().flat_map(|stage| &stage.changes);
    for change in changes.filter(|change| matches!(change.action, Action::Delete { .. })) {
        lost.entry(change.key.kind()).or_default().push(change.key.name().to_owned());
    }
    let note = |(kind, names): (&Kind, Vec<String>)| {
        Some(Decision::Note(Note::LostUserData { singular: kind.singular, names, what: kind.lifecycle.user_data? }))
    };
    lost.into_iter().filter_map(note).collect()
}

/// Returns whether an extensible list has more elements than were last applied.
fn has_target_additions(inputs: &Inputs<'_>, kind: &Kind, resource: &Resource) -> bool {
    let applied = inputs.past.base.of_target(&resource.key, &resource.id).map(|applied| normalized(kind, &applied.body.open()));
    !kind.quirks.ordered_merge.is_empty() && applied != Some(normalized(kind, &resource.body.open()))
}

/// Returns whether a resource was created or linked by an earlier run and deleted from the source, whose list is complete.
fn is_gone(inputs: &Inputs<'_>, resource: &Resource, partnered: &HashSet<&Key>) -> bool {
    let kind = resource.key.kind();
    if resource.is_given {
        return false;
    }
    if !kind.has_own_ids() {
        let is_applied = inputs.past.base.of_target(&resource.key, &resource.id).is_some();
        return is_applied && !is_skipped(inputs, kind, &resource.id) && parent_of(resource).is_none_or(|key| partnered.contains(&key));
    }
    let link = inputs.past.links.of_target(kind.name, &resource.id);
    link.is_some_and(|link| !skips(inputs, &link.kind, link.source_id.clone()))
}

/// Returns whether the source lists no resources of a kind except excluded ones, perhaps because the token may not see them.
fn lists_none(inputs: &Inputs<'_>, resource: &Resource) -> bool {
    let kind = resource.key.kind();
    kind.has_own_ids() && inputs.desired.snapshot.of_kind(kind.name).all(|one| one.excluded.is_some())
}

fn skips(inputs: &Inputs<'_>, kind: &str, source_id: Id) -> bool {
    inputs.desired.skipped.contains(&(kind.to_owned(), source_id))
}

/// Returns whether the mapping skips the counterpart of a resource without an id of its own.
fn is_skipped(inputs: &Inputs<'_>, kind: &Kind, id: &Id) -> bool {
    let source_of = |kind: &str, id: &str| inputs.past.links.of_target(kind, &Id::new(id)).map(|link: &Link| link.source_id.clone());
    match kind.shape {
        Shape::Singleton => inputs.desired.skipped.iter().any(|(skipped, _)| skipped == kind.name),
        Shape::Collection | Shape::Keyed { .. } => skips(inputs, kind.name, id.clone()),
        Shape::Child { parent, .. } | Shape::Part { parent } => {
            source_of(parent, id.as_str()).is_some_and(|source| skips(inputs, kind.name, source))
        }
        Shape::Nested { parent } => {
            let named = kind.references.iter().find(|reference| reference.path == kind.identity.id).map(|reference| reference.to);
            let (Some((above, own)), Some(to)) = (id.as_str().split_once('/'), named) else { return false };
            let (Some(above), Some(own)) = (source_of(parent, above), source_of(to, own)) else { return false };
            skips(inputs, kind.name, Id::new(format!("{above}/{own}")))
        }
    }
}

/// Returns the key of a resource's parent, with which it is deleted.
pub(super) fn parent_of(resource: &Resource) -> Option<Key> {
    let kind = resource.key.kind();
    match kind.shape {
        Shape::Child { .. } => kind.parent().map(|parent| Key::new(parent, resource.key.name())),
        _ => kind.parent_field().and_then(|field| resource.body.pick(&[field]).get(field).and_then(id_substitution::as_reference)),
    }
}
