//! Resources that only the target has: deleted if an earlier run created or adopted them and the source deleted them, else unmanaged.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::builder::PlanBuilder;
use super::model::Action;
use super::normal_form::normalized;
use super::ordering::deletions;
use super::pairing::Pairing;
use crate::catalog::{Kind, Shape};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Unseen, id_substitution};
use crate::state::links::Link;

impl PlanBuilder<'_> {
    /// Returns the indexes of resources to delete, and lists those that stay for the sake of protected ones.
    pub(super) fn resources_to_delete(&mut self, partners: &Pairing<'_>) -> Vec<usize> {
        if !self.past.prune {
            return Vec::new();
        }
        let partnered: HashSet<&Key> = partners.paired.iter().map(|at| &partners.live[*at].key).collect();
        let goes = |(at, resource): &(usize, &Cow<'_, Resource>)| {
            let is_only_there = !partners.paired.contains(at) && self.desired.snapshot.is_complete(resource.key.kind());
            is_only_there && resource.excluded.is_none() && self.is_gone(resource, &partnered) && !self.lists_none(resource)
        };
        let mut going: Vec<usize> = partners.live.iter().enumerate().filter(goes).map(|(at, _)| at).collect();
        going.retain(|at| {
            let held = &partners.live[*at];
            let Some(unseen) = self.unseen_in_source(held).cloned() else { return true };
            let source = &self.desired.snapshot.tenant;
            let reason = format!("it stays, since it is not known whether {source} still has it: {}", unseen.reason);
            if self.desired.spared.contains(&Key::new(held.key.kind(), &unseen.name)) {
                self.exclude(&held.key, &reason);
            } else {
                self.skip_resource(&held.key, reason);
            }
            false
        });
        let live: Vec<&Resource> = if going.is_empty() { Vec::new() } else { partners.live.iter().map(|held| &**held).collect() };
        let needed = self.untouched.needed(&live);
        going.retain(|at| {
            let key = &partners.live[*at].key;
            if let Some(root) = needed.get(key) {
                self.exclude(
                    key,
                    &format!("gone from {}, and {root}, which is left alone, would lose by that", self.desired.snapshot.tenant),
                );
            }
            !needed.contains_key(key)
        });
        going
    }

    /// Returns what the source did not show where a target resource would come from.
    fn unseen_in_source(&self, held: &Resource) -> Option<&Unseen> {
        let kind = self.kind_of(&held.key);
        let unseen = self.desired.snapshot.unseen(kind.name);
        let source_of = |parent: &str, id: &str| self.past.links.of_target(parent, &Id::new(id)).map(|link| link.source_id.clone());
        let id = match kind.shape {
            _ if unseen.is_empty() => return None,
            Shape::Child { parent, .. } | Shape::Part { parent } => source_of(parent, held.id.as_str())?,
            Shape::Nested { parent } => source_of(parent, held.id.as_str().split_once('/')?.0)?,
            Shape::Collection | Shape::Keyed { .. } | Shape::Singleton => held.id.clone(),
        };
        unseen.iter().find(|one| one.id == id)
    }

    /// Lists what only the target has, plans the deletes, and lists what should be deleted and cannot be.
    pub(super) fn list_unmanaged(&mut self, partners: &Pairing<'_>, removed: &[usize]) {
        let reason = format!("gone from {}", self.desired.snapshot.tenant);
        let removed: HashSet<usize> = removed.iter().copied().collect();
        let mut going: Vec<&Resource> = Vec::new();
        for (at, resource) in partners.live.iter().enumerate() {
            if partners.paired.contains(&at) || !self.desired.snapshot.is_complete(resource.key.kind()) {
                continue;
            }
            let kind = self.kind_of(&resource.key);
            match &resource.excluded {
                Some(reason) => self.exclude(&resource.key, reason),
                None if removed.contains(&at) && self.has_target_additions(kind, resource) => {
                    self.skip_resource(&resource.key, format!("{reason}, and it holds more than a run brought"));
                }
                None if removed.contains(&at) && kind.can_be_deleted() => going.push(resource),
                None if removed.contains(&at) => self.skip_resource(&resource.key, format!("{reason}, and no request removes it")),
                None if self.past.prune && self.lists_none(resource) && self.is_gone(resource, &HashSet::new()) => {
                    self.skip_resource(&resource.key, format!("{reason}, {}", lists_none_of(kind)));
                }
                None if resource.is_given => self.exclude(&resource.key, kind.quirks.built_in.map_or("", |given| given.reason)),
                None => self.plan.unmanaged.entry(kind.name.to_owned()).or_default().push(resource.key.clone()),
            }
        }
        self.plan.stages.extend(deletions(self.catalog, going.into_iter(), &reason));
    }

    /// Notes the user data that is lost with deleted resources.
    pub(super) fn note_lost_user_data(&mut self) {
        let mut lost: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for change in self.plan.changes().filter(|change| matches!(change.action, Action::Delete { .. })) {
            lost.entry(change.key.kind()).or_default().push(change.key.name());
        }
        let note = |(kind, names): (&str, Vec<&str>)| {
            let kind = self.catalog.kind(kind)?;
            let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            Some(format!("with {} {names} goes what no undo brings back: {}", kind.singular, kind.lifecycle.user_data?))
        };
        let notes: Vec<String> = lost.into_iter().filter_map(note).collect();
        self.plan.notes.extend(notes);
    }

    /// Returns whether a list that the target may add to holds more than what was last applied.
    fn has_target_additions(&self, kind: &Kind, resource: &Resource) -> bool {
        let applied = self.past.base.of_target(&resource.key, &resource.id).map(|applied| normalized(kind, &applied.body.open()));
        !kind.quirks.ordered_merge.is_empty() && applied != Some(normalized(kind, &resource.body.open()))
    }

    /// Returns whether a resource was created or adopted by an earlier run and deleted from the source, whose list is complete.
    fn is_gone(&self, resource: &Resource, partnered: &HashSet<&Key>) -> bool {
        let kind = self.kind_of(&resource.key);
        if resource.is_given {
            return false;
        }
        if !kind.has_own_ids() {
            let is_applied = self.past.base.of_target(&resource.key, &resource.id).is_some();
            return is_applied
                && !self.is_skipped(kind, &resource.id)
                && parent_of(kind, resource).is_none_or(|key| partnered.contains(&key));
        }
        let link = self.past.links.of_target(kind.name, &resource.id);
        link.is_some_and(|link| !self.skips(&link.kind, link.source_id.clone()))
    }

    /// Returns whether the source lists no resources of a kind except excluded ones, perhaps because the token may not see them.
    fn lists_none(&self, resource: &Resource) -> bool {
        let kind = self.kind_of(&resource.key);
        kind.has_own_ids() && self.desired.snapshot.of_kind(kind.name).all(|one| one.excluded.is_some())
    }

    fn skips(&self, kind: &str, source_id: Id) -> bool {
        self.desired.skipped.contains(&(kind.to_owned(), source_id))
    }

    /// Returns whether the mapping skips the counterpart of a resource without an id of its own.
    fn is_skipped(&self, kind: &Kind, id: &Id) -> bool {
        let source_of = |kind: &str, id: &str| self.past.links.of_target(kind, &Id::new(id)).map(|link: &Link| link.source_id.clone());
        match kind.shape {
            Shape::Singleton => self.desired.skipped.iter().any(|(skipped, _)| skipped == kind.name),
            Shape::Collection | Shape::Keyed { .. } => self.skips(kind.name, id.clone()),
            Shape::Child { parent, .. } | Shape::Part { parent } => {
                source_of(parent, id.as_str()).is_some_and(|source| self.skips(kind.name, source))
            }
            Shape::Nested { parent } => {
                let named = kind.references.iter().find(|reference| reference.path == kind.identity.id).map(|reference| reference.to);
                let (Some((above, own)), Some(to)) = (id.as_str().split_once('/'), named) else { return false };
                let (Some(above), Some(own)) = (source_of(parent, above), source_of(to, own)) else { return false };
                self.skips(kind.name, Id::new(format!("{above}/{own}")))
            }
        }
    }
}

fn lists_none_of(kind: &Kind) -> String {
    format!("which lists no {} at all: its token may not see them; if they were deleted there, delete this one by hand", kind.name)
}

/// Returns the key of a resource's parent, with which it is deleted.
pub(super) fn parent_of(kind: &Kind, resource: &Resource) -> Option<Key> {
    match kind.shape {
        Shape::Child { parent, .. } => Some(Key::new(parent, resource.key.name())),
        _ => kind.parent_field().and_then(|field| resource.body.pick(&[field]).get(field).and_then(id_substitution::as_reference)),
    }
}
