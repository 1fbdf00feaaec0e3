//! Restores deleted resources and what the tenant deleted with them: children, and references in lists, fields and code.

use std::collections::HashSet;

use serde_json::Value;

use super::reason::UndoReason;
use super::reversal::Reversal;
use crate::catalog::Kind;
use crate::json::{Body, is_blank, join};
use crate::model::resource::{Id, Key, Resource};
use crate::plan::diff::is_same_value;
use crate::plan::model::{Change, Edit};
use crate::plan::normal_form::normalized;
use crate::plan::prior_state::{deleted_with, without_references};
use crate::snapshot::{belongs_to, id_substitution};

/// The former state of a resource that exists or was recreated.
pub(super) struct DependentResource {
    held: Resource,
    /// Whether all of it is restored, or only its references to resources that the run deleted.
    is_whole: bool,
}

impl Reversal<'_> {
    /// Recreates a resource that the run deleted, unless its name is taken.
    pub(super) fn recreate(&mut self, key: &Key, id: &Id, body: &Body) {
        let known = self.held_before.iter().find(|held| held.key.kind() == key.kind() && held.id == *id);
        let secrets = known.map(|held| held.secrets.clone()).unwrap_or_default();
        let made = Resource { secrets, ..Resource::new(key.clone(), id.clone(), body.clone()) };
        if let Some(along) = self.recreate_resource(made) {
            self.restore_references(vec![along]);
        }
    }

    /// Recreates a resource; if an earlier undo already did, returns what must be restored in it.
    fn recreate_resource(&mut self, mut made: Resource) -> Option<DependentResource> {
        let (key, kind) = (made.key.clone(), made.key.kind());
        self.touched.insert(key.clone());
        let namesake = self.before.iter().position(|held| held.key == key);
        if namesake.is_some_and(|at| self.is_recreated_by_earlier_undo(&made, &self.before[at])) {
            self.restored.insert(key);
            return Some(DependentResource { held: made, is_whole: true });
        }
        // Numbers do not show which of several resources with one name it would be.
        let is_unknown = self.again.is_unknown(kind, &made.id);
        if is_unknown || namesake.is_some() {
            self.skip_recreation(&made, if is_unknown { &UndoReason::MayBeRecreated } else { &UndoReason::NameTaken });
            return None;
        }
        if kind.has_own_ids() {
            self.notes.push(format!("{} \"{}\" is created again, with a new id", kind.singular, key.name()));
            if let Some(what) = kind.lifecycle.user_data {
                self.skip_resource(&key, None, &UndoReason::UserDataLost(what));
            }
        }
        made.body.change(|body| self.not_restored.unmark(kind, body, &|_| false));
        made.excluded = None;
        self.restored.insert(key);
        self.before.push(made);
        None
    }

    fn is_recreated_by_earlier_undo(&self, made: &Resource, held: &Resource) -> bool {
        let is_of_restored = || belongs_to(held).iter().any(|key| self.restored.contains(key));
        if made.key.kind().has_own_ids() { self.places.replaces(held, &made.id) } else { is_of_restored() }
    }

    fn skip_recreation(&mut self, gone: &Resource, reason: &UndoReason) {
        self.skip_resource(&gone.key, None, reason);
        self.not_restored.learn(&gone.key, &gone.id);
    }

    /// Recreates what the tenant deleted with other resources; returns existing resources that may have lost a
    /// reference.
    pub(super) fn restore_dependents(&mut self, removed: &[(Change, &Id)]) -> Vec<DependentResource> {
        let removed: HashSet<Key> = removed.iter().map(|(change, _)| change.key.clone()).collect();
        let going = deleted_with(self.held_before.iter(), &removed);
        let names_any = |held: &&Resource| going.contains(&held.key) || id_substitution::mentions(&held.body, &going);
        let of_removed: Vec<Resource> =
            self.held_before.iter().filter(|held| !removed.contains(&held.key)).filter(names_any).cloned().collect();
        let mut along = Vec::new();
        for held in of_removed {
            let kind = held.key.kind();
            let is_there = |at: usize| self.before[at].id == held.id || !going.contains(&held.key);
            if self.place_of(kind, &held.id).is_some_and(is_there) {
                along.push(DependentResource { held, is_whole: false });
            } else if !going.contains(&held.key) {
                self.skip_resource(&held.key, None, &UndoReason::Gone);
            } else if let Some(other) = belongs_to(&held).into_iter().find(|key| self.not_restored.contains(key)) {
                self.skip_recreation(&held, &UndoReason::WentWith(other));
            } else {
                along.extend(self.recreate_resource(held));
            }
        }
        along
    }

    /// Restores references to recreated resources.
    pub(super) fn restore_references(&mut self, along: Vec<DependentResource>) {
        for DependentResource { held, is_whole } in along {
            let kind = held.key.kind();
            let by_key = || self.before.iter().position(|one| one.key == held.key);
            let Some(at) = self.place_of(kind, &held.id).or_else(by_key) else { continue };
            let key = self.before[at].key.clone();
            let (was, now) = (held.body.open(), self.before[at].body.open());
            let lost = NameRestoration::of(&was, &now, false, &|key| self.not_restored.contains(key));
            for path in lost.changed {
                self.skip_resource(&key, Some(&path), &UndoReason::NamedLost);
            }
            let NameRestoration { body, changed, moved } = NameRestoration::of(&was, &now, is_whole, &|key| self.restored.contains(key));
            for path in moved {
                if self.skipped.iter().all(|left| left.key != key || left.path.as_ref() != Some(&path)) {
                    self.skip_resource(&key, Some(&path), &UndoReason::ChangedAgain);
                }
            }
            if changed.is_empty() {
                continue;
            }
            self.touched.insert(key.clone());
            match self.before[at].excluded.clone() {
                Some(reason) => changed.iter().for_each(|path| self.skip_resource(&key, Some(path), &UndoReason::Stated(reason.clone()))),
                None => self.before[at].body = body.into(),
            }
        }
    }

    /// Returns whether a former resource has this id now.
    fn has_current_id(&self, before: &Resource, id: &Id) -> bool {
        self.places.get(before.key.kind(), &before.id).is_some_and(|held| held.id == *id)
    }

    /// Returns the value at an edit's path before the run, with its order and blanks.
    pub(super) fn exact_value(&self, kind: &Kind, at: usize, edit: &Edit) -> Option<Value> {
        let Resource { key, id, .. } = &self.before[at];
        let known = self.held_before.iter().find(|held| held.key == *key && self.has_current_id(held, id))?.body.open();
        let value = known.get(&edit.path)?.clone();
        is_same_value(normalized(kind, &known).get(&edit.path), edit.old.as_ref()).then_some(value)
    }

    /// Returns a value as it was before the run, unless it refers to a resource that is not restored.
    pub(super) fn previous_value(&self, kind: &Kind, path: &str, value: Value) -> Value {
        let mut whole = Body::new();
        whole.set(path, value.clone());
        self.not_restored.unmark(kind, &mut whole, &|_| false);
        whole.get(path).cloned().unwrap_or(value)
    }

    /// Replaces keys of resources that stay deleted by their ids, as in the target, so that texts with such an id count
    /// as unchanged.
    pub(super) fn unmark_deleted(&mut self) {
        let now: std::collections::HashMap<(&Kind, &Id), &Resource> =
            self.live.resources.iter().map(|held| ((held.key.kind(), &held.id), held)).collect();
        for held in &mut self.before {
            let kind = held.key.kind();
            held.body.change(|body| self.lost.unmark(kind, body, &|key| self.restored.contains(key)));
            let is_other = now.get(&(held.key.kind(), &held.id)).is_some_and(|one| one.body != held.body);
            if is_other && id_substitution::mentions(&held.body, &self.restored) {
                self.touched.insert(held.key.clone());
            }
        }
    }
}

/// A body with restored references.
struct NameRestoration {
    body: Body,
    /// The paths at which references were restored.
    changed: Vec<String>,
    /// The paths that have another value now.
    moved: Vec<String>,
}

impl NameRestoration {
    fn of(was: &Body, now: &Body, is_whole: bool, is_meant: &dyn Fn(&Key) -> bool) -> Self {
        let mut restored = Self { body: now.clone(), changed: Vec::new(), moved: Vec::new() };
        for (name, was) in &was.0 {
            if let Some(value) = restored.value(name, was, now.0.get(name), is_whole, is_meant) {
                restored.body.0.insert(name.clone(), value);
            }
        }
        restored
    }

    /// Returns the value to write at a path; `None` if it is already there.
    fn value(&mut self, path: &str, was: &Value, now: Option<&Value>, is_whole: bool, is_meant: &dyn Fn(&Key) -> bool) -> Option<Value> {
        let names_one = |value: &Value| is_whole || id_substitution::mentioned(value).iter().any(is_meant);
        if is_same_value(Some(was), now) || !names_one(was) {
            return None;
        }
        let value = match (was, now) {
            (Value::Array(was), now) => {
                let now = now.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let list = with_lost_elements(was, now, &names_one, is_meant);
                (list != now).then_some(Value::Array(list))
            }
            (Value::Object(was), Some(Value::Object(now))) => {
                let mut fields = now.clone();
                for (name, was) in was {
                    let value = self.value(&join(path, name), was, now.get(name), is_whole, is_meant);
                    fields.extend(value.map(|value| (name.clone(), value)));
                }
                return (fields != *now).then_some(Value::Object(fields));
            }
            (was, now) if now.is_none_or(is_blank) => (!is_blank(was)).then(|| was.clone()),
            _ => {
                self.moved.push(path.to_owned());
                None
            }
        };
        self.changed.extend(value.is_some().then(|| path.to_owned()));
        value
    }
}

/// Returns a list with its lost elements at their former positions: after their predecessor, otherwise before their
/// successor, otherwise at the end. References lost inside an element are restored.
fn with_lost_elements(was: &[Value], now: &[Value], is_back: &dyn Fn(&Value) -> bool, is_meant: &dyn Fn(&Key) -> bool) -> Vec<Value> {
    let mut list = now.to_vec();
    for (at, element) in was.iter().enumerate().filter(|(_, element)| is_back(element)) {
        if list.contains(element) {
            continue;
        }
        let rest = without_references(element, is_meant);
        if let Some(place) =
            list.iter().position(|one| !was.contains(one) && element.is_object() && without_references(one, is_meant) == rest)
        {
            list[place] = element.clone();
            continue;
        }
        let place = |one: &Value| list.iter().position(|held| held == one);
        let behind = was[..at].iter().rev().find_map(place).map(|place| place + 1);
        let before = || was[at + 1..].iter().find_map(place);
        list.insert(behind.or_else(before).unwrap_or(list.len()), element.clone());
    }
    list
}
