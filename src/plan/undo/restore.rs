//! What a run removed is made again, and with it what the tenant removed along: what hung on it, and its name in lists, fields and code.

use std::collections::HashSet;

use serde_json::Value;

use super::Undoing;
use crate::catalog::Kind;
use crate::json::{Body, is_blank, join};
use crate::model::resource::{Id, Key, Resource};
use crate::plan::Change;
use crate::plan::before::{going_with, without};
use crate::plan::diff::{Edit, normal, same};
use crate::snapshot::{belongs_to, id_substitution};

/// Why something is not made again that may be there.
const MAY_BE_THERE: &str = "an earlier undo may have created it again, but which of those in the target it is, is not known";

/// What the target held before the run of something that is still there, or is there again.
pub(super) struct Along {
    held: Resource,
    /// Whether all of it goes back, not only the names of what the run removed.
    is_whole: bool,
}

impl Undoing<'_> {
    /// Makes a resource again that the run removed, unless another has its name by now.
    pub(super) fn make_again(&mut self, kind: &Kind, key: &Key, id: &Id, body: &Body) {
        let known = self.held_before.iter().find(|held| held.key.kind() == kind.name && held.id == *id);
        let secrets = known.map(|held| held.secrets.clone()).unwrap_or_default();
        let made = Resource { secrets, ..Resource::of(key.clone(), id.clone(), body.clone()) };
        if let Some(along) = self.remake(kind, made) {
            self.restore_names_in(vec![along]);
        }
    }

    /// Makes a resource again; returns what is to go back into it where an earlier undo made it.
    fn remake(&mut self, kind: &Kind, mut made: Resource) -> Option<Along> {
        let key = made.key.clone();
        self.touched.insert(key.clone());
        let namesake = self.before.iter().position(|held| held.key == key);
        if namesake.is_some_and(|at| self.is_made_by_an_earlier_undo(kind, &made, &self.before[at])) {
            self.restored.insert(key);
            return Some(Along { held: made, is_whole: true });
        }
        // Which of several namesakes it would be, their numbers do not say.
        let is_unknown = self.again.is_unknown(kind.name, &made.id);
        if is_unknown || namesake.is_some() {
            self.leave_gone(kind, &made, if is_unknown { MAY_BE_THERE } else { "the target has another of this name by now" });
            return None;
        }
        if kind.has_own_ids() {
            self.notes.push(format!("{} \"{}\" is created again, with a new id", kind.singular, key.name()));
            if let Some(what) = kind.lifecycle.user_data {
                self.skip_resource(&key, None, &format!("{what} went with it, and nothing here brings that back"));
            }
        }
        made.body.change(|body| self.not_restored.unmark(kind, body, &|_| false));
        made.excluded = None;
        self.restored.insert(key);
        self.before.push(made);
        None
    }

    fn is_made_by_an_earlier_undo(&self, kind: &Kind, made: &Resource, held: &Resource) -> bool {
        let is_of_restored = || belongs_to(self.catalog, held).iter().any(|key| self.restored.contains(key));
        if kind.has_own_ids() { self.places.is_again(held, &made.id) } else { is_of_restored() }
    }

    fn leave_gone(&mut self, kind: &Kind, gone: &Resource, reason: &str) {
        self.skip_resource(&gone.key, None, reason);
        self.not_restored.learn(kind, &gone.key, &gone.id);
    }

    /// Makes again what the tenant removed along with what the run removed; returns what is still there and may have lost a name.
    pub(super) fn restore_what_went_along(&mut self, removed: &[(Change, &Id)]) -> Vec<Along> {
        let removed: HashSet<Key> = removed.iter().map(|(change, _)| change.key.clone()).collect();
        let going = going_with(self.catalog, self.held_before.iter(), &removed);
        let names_any = |held: &&Resource| going.contains(&held.key) || id_substitution::mentions(&held.body, &going);
        let of_removed: Vec<Resource> =
            self.held_before.iter().filter(|held| !removed.contains(&held.key)).filter(names_any).cloned().collect();
        let mut along = Vec::new();
        for held in of_removed {
            let kind = self.catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
            let is_there = |at: usize| self.before[at].id == held.id || !going.contains(&held.key);
            if self.place_of(kind, &held.id).is_some_and(is_there) {
                along.push(Along { held, is_whole: false });
            } else if !going.contains(&held.key) {
                self.skip_resource(&held.key, None, "it is gone from the target since the run");
            } else if let Some(other) = belongs_to(self.catalog, &held).into_iter().find(|key| self.not_restored.contains(key)) {
                self.leave_gone(kind, &held, &format!("it went with {other}, which is not there again"));
            } else {
                along.extend(self.remake(kind, held));
            }
        }
        along
    }

    /// Puts the names of what is there again back to where they stood.
    pub(super) fn restore_names_in(&mut self, along: Vec<Along>) {
        for Along { held, is_whole } in along {
            let kind = self.catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
            let by_key = || self.before.iter().position(|one| one.key == held.key);
            let Some(at) = self.place_of(kind, &held.id).or_else(by_key) else { continue };
            let key = self.before[at].key.clone();
            let (was, now) = (held.body.open(), self.before[at].body.open());
            let lost = Restored::of(&was, &now, false, &|key| self.not_restored.contains(key));
            for path in lost.changed {
                self.skip_resource(&key, Some(&path), "it named what is not there again");
            }
            let Restored { body, changed, moved } = Restored::of(&was, &now, is_whole, &|key| self.restored.contains(key));
            for path in moved {
                if self.skipped.iter().all(|left| left.key != key || left.path.as_ref() != Some(&path)) {
                    self.skip_resource(&key, Some(&path), "it changed again since the run");
                }
            }
            if changed.is_empty() {
                continue;
            }
            self.touched.insert(key.clone());
            match self.before[at].excluded.clone() {
                Some(reason) => changed.iter().for_each(|path| self.skip_resource(&key, Some(path), &reason)),
                None => self.before[at].body = body.into(),
            }
        }
    }

    /// Returns whether something that the target held before the run has this id now.
    fn is_now(&self, before: &Resource, id: &Id) -> bool {
        self.places.get(before.key.kind(), &before.id).is_some_and(|held| held.id == *id)
    }

    /// Returns what stood at an edit's path before the run, in its order and with its blanks.
    pub(super) fn exact(&self, kind: &Kind, at: usize, edit: &Edit) -> Option<Value> {
        let Resource { key, id, .. } = &self.before[at];
        let known = self.held_before.iter().find(|held| held.key == *key && self.is_now(held, id))?.body.open();
        let value = known.get(&edit.path)?.clone();
        same(normal(kind, &known).get(&edit.path), edit.old.as_ref()).then_some(value)
    }

    /// Returns a value as it stood before the run, where it may name what is not there again.
    pub(super) fn as_it_stood(&self, kind: &Kind, path: &str, value: Value) -> Value {
        let mut whole = Body::new();
        whole.set(path, value.clone());
        self.not_restored.unmark(kind, &mut whole, &|_| false);
        whole.get(path).cloned().unwrap_or(value)
    }

    /// Calls what stays gone what the target calls it: a text that still holds such an id is as it was.
    pub(super) fn name_what_stays_gone_as_the_target_does(&mut self) {
        let now: std::collections::HashMap<(&str, &Id), &Resource> =
            self.live.resources.iter().map(|held| ((held.key.kind(), &held.id), held)).collect();
        for held in &mut self.before {
            let kind = self.catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
            held.body.change(|body| self.lost.unmark(kind, body, &|key| self.restored.contains(key)));
            let is_other = now.get(&(held.key.kind(), &held.id)).is_some_and(|one| one.body != held.body);
            if is_other && id_substitution::mentions(&held.body, &self.restored) {
                self.touched.insert(held.key.clone());
            }
        }
    }
}

/// A body into which names of what is there again went back.
struct Restored {
    body: Body,
    /// Where one did.
    changed: Vec<String>,
    /// Where something else stands by now.
    moved: Vec<String>,
}

impl Restored {
    fn of(was: &Body, now: &Body, is_whole: bool, is_meant: &dyn Fn(&Key) -> bool) -> Self {
        let mut restored = Self { body: now.clone(), changed: Vec::new(), moved: Vec::new() };
        for (name, was) in &was.0 {
            if let Some(value) = restored.value(name, was, now.0.get(name), is_whole, is_meant) {
                restored.body.0.insert(name.clone(), value);
            }
        }
        restored
    }

    /// Returns what should stand at a path; nothing where it is what stands there.
    fn value(&mut self, path: &str, was: &Value, now: Option<&Value>, is_whole: bool, is_meant: &dyn Fn(&Key) -> bool) -> Option<Value> {
        let names_one = |value: &Value| is_whole || id_substitution::mentioned(value).iter().any(is_meant);
        if same(Some(was), now) || !names_one(was) {
            return None;
        }
        let value = match (was, now) {
            (Value::Array(was), now) => {
                let now = now.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let list = with_missing(was, now, &names_one, is_meant);
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

/// Returns a list with the elements that it lacks of those before, each where it stood: behind what precedes it there, else before what
/// follows it, else at the end. One from which a name was taken inside gets it back.
fn with_missing(was: &[Value], now: &[Value], is_back: &dyn Fn(&Value) -> bool, is_meant: &dyn Fn(&Key) -> bool) -> Vec<Value> {
    let mut list = now.to_vec();
    for (at, element) in was.iter().enumerate().filter(|(_, element)| is_back(element)) {
        if list.contains(element) {
            continue;
        }
        let rest = without(element, is_meant);
        if let Some(place) = list.iter().position(|one| !was.contains(one) && element.is_object() && without(one, is_meant) == rest) {
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
