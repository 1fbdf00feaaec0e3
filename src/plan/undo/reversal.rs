//! Builds the plan that reverts a run: each change is reversed if the target still has what the run wrote.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::applied_run::{AppliedRun, known, names};
use super::reason::UndoReason;
use super::recreated::{LiveById, Recreated};
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::{Body, covers, is_blank};
use crate::model::resource::{Id, Key, Resource};
use crate::plan::builder::plan_after;
use crate::plan::diff::{difference, is_same_value, list_after};
use crate::plan::inputs::PlanContext;
use crate::plan::merge::OnDrift;
use crate::plan::model::{Action, Change, Edit, Plan, Skipped, Undoes};
use crate::plan::normal_form::{normalized, order_sets};
use crate::plan::ordering::deletions;
use crate::plan::prior_state::without_references;
use crate::plan::protected::Protected;
use crate::plan::reason::DesiredState;
use crate::snapshot::{Desired, FormerIds, Snapshot, id_substitution};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// Plans how to revert a run for the resources that `is_meant` selects; returns the plan and the desired state.
pub fn undo(catalog: &Catalog, done: AppliedRun<'_>, live: &Snapshot, is_meant: &dyn Fn(&Key) -> bool) -> (Plan, Desired) {
    let mut reversal = Reversal::new(catalog, done, live);
    let changes: Vec<(usize, &Change)> = done.plan.changes().enumerate().filter(|(_, change)| is_meant(&change.key)).collect();
    let applied = changes.into_iter().rev().filter_map(|(at, change)| Some((reversal.with_current_names(change), done.applied.get(&at)?)));
    let (removed, others): (Vec<_>, Vec<_>) = applied.partition(|(change, _)| matches!(change.action, Action::Delete { .. }));
    for (change, id) in &removed {
        reversal.undo_change(change, id);
    }
    let along = reversal.restore_dependents(&removed);
    for (change, id) in &others {
        reversal.undo_change(change, id);
    }
    reversal.restore_references(along);
    for (_, change) in done.plan.changes().enumerate().filter(|(at, change)| done.unclear.contains(at) && is_meant(&change.key)) {
        reversal.skip_resource(&change.key, None, &UndoReason::MayBeCreated);
    }
    reversal.keep_protected();
    reversal.keep_referenced();
    reversal.into_plan(done, live)
}

pub(super) struct Reversal<'inputs> {
    pub(super) catalog: &'inputs Catalog,
    /// The live target.
    pub(super) live: &'inputs Snapshot,
    /// The target's state before the run, as far as the run's changes do not record it, under current keys.
    pub(super) held_before: Vec<Resource>,
    /// Resources that earlier undos created in place of those that the run deleted.
    pub(super) again: &'inputs Recreated,
    /// The live resources by the ids that the run knows.
    pub(super) places: LiveById<'inputs>,
    /// Resources that the run knew, created or deleted and that the target no longer has.
    pub(super) lost: FormerIds,
    /// Deleted resources to be restored.
    pub(super) restored: HashSet<Key>,
    /// Deleted resources that are not restored because their names are taken.
    pub(super) not_restored: FormerIds,
    /// Keys in the plan of the run that differ from the current ones.
    names: HashMap<Key, Key>,
    /// The desired resources.
    pub(super) before: Vec<Resource>,
    /// Resources to delete because the run created them.
    gone: HashSet<Key>,
    /// What the run wrote to resources after creating them.
    written: HashMap<Key, Body>,
    pub(super) touched: HashSet<Key>,
    base: Baseline,
    pub(super) skipped: Vec<Skipped>,
    pub(super) notes: Vec<String>,
}

impl<'inputs> Reversal<'inputs> {
    fn new(catalog: &'inputs Catalog, done: AppliedRun<'inputs>, live: &'inputs Snapshot) -> Self {
        let places = LiveById::new(live, done.again);
        let names = names(done, live, &places);
        let now = |key: &Key| names.get(key).unwrap_or(key).clone();
        let known: Vec<(Key, &Id)> = known(done).map(|(key, id)| (now(key), id)).collect();
        let is_again = |held: &Resource| done.again.is_replacement(held);
        let lost = FormerIds::from(known.iter().map(|(key, id)| (key, *id)), live, &is_again);
        let mut before = live.resources.clone();
        for held in before.iter_mut().filter(|_| !lost.is_empty()) {
            let kind = held.key.kind();
            held.body.change(|body| lost.mark(kind, body));
        }
        let mut held_before = done.plan.before.clone();
        for held in &mut held_before {
            held.key = now(&held.key);
            id_substitution::rename_in(held, &names);
        }
        Self {
            catalog,
            live,
            held_before,
            again: done.again,
            places,
            lost,
            restored: HashSet::new(),
            not_restored: FormerIds::default(),
            names,
            before,
            gone: HashSet::new(),
            written: HashMap::new(),
            touched: HashSet::new(),
            base: Baseline::default(),
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Returns a change under the current keys.
    fn with_current_names(&self, change: &Change) -> Change {
        let mut change = change.clone();
        if self.names.is_empty() {
            return change;
        }
        let kind = change.key.kind();
        let rename_at = |path: &str, value: &mut Value| {
            let mut whole = Body::new();
            whole.set(path, std::mem::take(value));
            id_substitution::rename(&mut whole, &self.names);
            // Sets are ordered by key.
            order_sets(kind, &mut whole);
            *value = whole.get(path).cloned().unwrap_or_default();
        };
        let now = |key: &Key| self.names.get(key).unwrap_or(key).clone();
        change.key = now(&change.key);
        match &mut change.action {
            Action::Create { body, .. } | Action::Delete { body, .. } => id_substitution::rename(body, &self.names),
            Action::Update { body, edits, .. } => {
                id_substitution::rename(body, &self.names);
                for Edit { path, old, new } in edits {
                    old.iter_mut().chain(new).for_each(|value| rename_at(path, value));
                }
            }
            Action::Elements { parent, added, removed } => {
                *parent = now(parent);
                added.iter_mut().chain(removed).for_each(|element| rename_at("", element));
            }
        }
        change
    }

    fn undo_change(&mut self, change: &Change, id: &Id) {
        let kind = change.key.kind();
        self.touched.insert(change.key.clone());
        if let Action::Update { id: None, body, .. } = &change.action {
            let written = self.written.entry(change.key.clone()).or_default();
            for (name, value) in &body.0 {
                written.0.entry(name.clone()).or_insert_with(|| value.clone());
            }
            return;
        }
        let at = self.place_of(kind, id);
        let is_again = at.is_some_and(|at| self.before[at].id != *id);
        match (&change.action, at) {
            (Action::Delete { body, .. }, at) if at.is_none() || is_again => self.recreate(&change.key, id, body),
            (Action::Elements { parent, removed, .. }, None) if self.is_recreated(parent) => {
                self.recreate_elements(kind, change, id, removed);
            }
            // It is already deleted, or was never deleted.
            (Action::Create { .. }, None) | (Action::Delete { .. }, Some(_)) => {}
            (_, None) => self.skip_resource(&change.key, None, &UndoReason::Gone),
            (_, Some(at)) if self.before[at].excluded.is_some() => {
                let reason = self.before[at].excluded.clone().unwrap_or_default();
                self.skip_resource(&change.key, None, &UndoReason::Stated(reason));
            }
            (Action::Create { body, .. }, Some(at)) => self.undo_create(kind, at, body),
            (Action::Update { edits, .. }, Some(at)) => {
                self.undo_update(kind, at, edits);
                for secret in &change.secrets {
                    self.skip_resource(&change.key, Some(&secret.path), &UndoReason::SecretSent);
                }
            }
            (Action::Elements { added, removed, .. }, Some(at)) => self.undo_elements(kind, at, added, removed),
        }
    }

    /// Returns the index of a resource or its replacement.
    pub(super) fn place_of(&self, kind: &Kind, id: &Id) -> Option<usize> {
        let now = &self.places.get(kind, id)?.id;
        self.before.iter().position(|held| held.key.kind() == kind && held.id == *now)
    }

    pub(super) fn skip_resource(&mut self, key: &Key, path: Option<&str>, reason: &UndoReason) {
        let skipped = Skipped::new(key.clone(), path.map(str::to_owned), reason.to_string());
        self.skipped.push(skipped.because_changed(reason.is_later_change()));
    }

    /// Records the live state as the baseline, so that a field that becomes empty is cleared.
    fn record_agreed(&mut self, at: usize) {
        let Resource { key, id, .. } = &self.before[at];
        let live = self.live.of_kind(key.kind().name).find(|held| held.id == *id);
        if let Some(held) = live.filter(|_| self.base.get(key).is_none()) {
            self.base.record_applied(key, id, held.body.clone());
        }
    }

    /// Returns whether a value is the one that the run wrote, ignoring references to deleted resources, which the
    /// tenant removes in some places.
    fn is_as_written(&self, held: Option<&Value>, written: Option<&Value>) -> bool {
        let is_lost = |key: &Key| self.lost.contains(key);
        let names_lost = |value: &Value| id_substitution::mentioned(value).iter().any(is_lost);
        match (held, written) {
            (held, written) if is_same_value(held, written) => true,
            (None, Some(written)) => names_lost(written),
            (Some(held), Some(written)) => {
                names_lost(written) && without_references(held, &is_lost) == without_references(written, &is_lost)
            }
            (_, None) => false,
        }
    }

    /// Plans to delete a resource that the run created, unless it changed since; if it cannot be deleted, clears the
    /// fields that the run wrote.
    fn undo_create(&mut self, kind: &Kind, at: usize, created: &Body) {
        let key = self.before[at].key.clone();
        let mut written = created.clone();
        written.0.extend(self.written.remove(&key).unwrap_or_default().0);
        if let Some(follow_up) = kind.lifecycle.follow_up {
            written.0.remove(follow_up.field);
        }
        if kind.scopes.delete.is_empty() {
            let mut edits = difference(kind, &written, &Body::new()).edits;
            edits.retain(|edit| !kind.identity.key.contains(&edit.path.as_str()));
            self.undo_update(kind, at, &edits);
            self.skip_resource(&key, None, &UndoReason::NotRemovable);
            return;
        }
        let (written, held) = (normalized(kind, &written), normalized(kind, &self.before[at].body.open()));
        match self.first_changed_field("", &written, &held) {
            Some(path) => self.skip_resource(&key, None, &UndoReason::CreatedAndChanged { path }),
            None => drop(self.gone.insert(key)),
        }
    }

    /// Returns the first field that differs from what was written.
    fn first_changed_field(&self, above: &str, written: &Body, held: &Body) -> Option<String> {
        written.0.iter().find_map(|(name, wanted)| {
            let path = crate::json::join(above, name);
            match (wanted, held.0.get(name)) {
                (Value::Object(wanted), Some(Value::Object(held))) => {
                    self.first_changed_field(&path, &Body(wanted.clone()), &Body(held.clone()))
                }
                (wanted, held) => (!self.is_as_written(held, Some(wanted))).then_some(path),
            }
        })
    }

    /// Reverts each field that still has the value that the run wrote.
    fn undo_update(&mut self, kind: &Kind, at: usize, edits: &[Edit]) {
        self.record_agreed(at);
        let key = self.before[at].key.clone();
        let is_first_followed = self.keep_first_deployment(kind, at, edits);
        let mut body = self.before[at].body.open();
        for edit in edits {
            let held = normalized(kind, &body).get(&edit.path).cloned();
            if is_same_value(held.as_ref(), edit.old.as_ref()) {
                continue;
            }
            if !self.is_as_written(held.as_ref(), edit.new.as_ref()) {
                self.skip_resource(&key, Some(&edit.path), &UndoReason::ChangedAgain);
                continue;
            }
            match self.exact_value(kind, at, edit).or_else(|| edit.old.clone()) {
                Some(old) => body.set(&edit.path, self.previous_value(kind, &edit.path, old)),
                None => clear(&mut body, &edit.path),
            }
            if let Some(running) = running_path(kind, &body, edit).filter(|_| !is_first_followed) {
                body.put(&running, edit.old.clone());
            }
        }
        self.before[at].body = body.into();
    }

    /// Keeps content that the run deployed for the first time, since no request reverts that; returns whether there is
    /// any.
    fn keep_first_deployment(&mut self, kind: &Kind, at: usize, edits: &[Edit]) -> bool {
        let Some(follow_up) = kind.lifecycle.follow_up else { return false };
        let is_first = edits.iter().any(|edit| edit.path == follow_up.field && edit.old.is_none());
        if is_first {
            let key = self.before[at].key.clone();
            self.before[at].body.change(|body| {
                let running = follow_up.content_of(body);
                if body.get(follow_up.field) == Some(&Value::Bool(true)) {
                    body.set(follow_up.field, running.into_value());
                }
            });
            self.skip_resource(&key, Some(follow_up.field), &UndoReason::FirstDeployment);
        }
        is_first
    }

    /// Removes the elements that the run added and adds those that it removed.
    fn undo_elements(&mut self, kind: &Kind, at: usize, added: &[Value], removed: &[Value]) {
        self.record_agreed(at);
        let key = self.before[at].key.clone();
        let list =
            normalized(kind, &self.before[at].body.open()).get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default();
        let is_back = !added.iter().any(|element| list.contains(element)) && removed.iter().all(|element| list.contains(element));
        if is_back {
            return;
        }
        let is_lost = |element: &Value| id_substitution::mentioned(element).iter().any(|key| self.lost.contains(key));
        if added.iter().any(|element| !list.contains(element) && !is_lost(element)) {
            self.skip_resource(&key, Some(kind.elements()), &UndoReason::AddedAndChanged);
            return;
        }
        self.before[at].body.change(|body| body.set(kind.elements(), Value::Array(list_after(&list, removed, added))));
    }

    fn is_recreated(&self, key: &Key) -> bool {
        self.restored.contains(key)
    }

    fn recreate_elements(&mut self, kind: &Kind, change: &Change, id: &Id, elements: &[Value]) {
        let body = Body::from_iter([(kind.elements().to_owned(), Value::Array(elements.to_vec()))]);
        self.before.push(Resource::new(change.key.clone(), id.clone(), body));
    }

    /// Keeps created resources if a protected resource belongs to them or would be affected by deleting them.
    fn keep_protected(&mut self) {
        let live: Vec<&Resource> = self.live.resources.iter().collect();
        let untouched = Protected::new(&live, &live);
        let needed = untouched.needed(&live);
        let root_of = |key: &Key| needed.get(key).or_else(|| untouched.root_of(key));
        for (key, root) in self.gone.iter().filter_map(|key| Some((key.clone(), root_of(key)?.clone()))).collect::<Vec<_>>() {
            self.gone.remove(&key);
            self.skip_resource(&key, None, &UndoReason::NeededByProtected(root));
        }
    }

    /// Keeps created resources that a remaining resource refers or belongs to.
    fn keep_referenced(&mut self) {
        loop {
            let stays = |held: &&Resource| !self.gone.contains(&held.key);
            let needed = self.before.iter().filter(stays).find_map(|held| Some((self.needed_by(held)?, held.key.clone())));
            let Some((key, other)) = needed else { return };
            self.gone.remove(&key);
            self.skip_resource(&key, None, &UndoReason::ReferredToBy(other));
        }
    }

    /// Returns a remaining resource that needs this one.
    fn needed_by(&self, held: &Resource) -> Option<Key> {
        let kind = held.key.kind();
        let body = held.body.open();
        let parent = match kind.shape {
            Shape::Child { .. } if !body.0.values().all(is_blank) => kind.parent().map(|parent| Key::new(parent, held.key.name())),
            _ => None,
        };
        // A part is deleted with its parent in any case.
        let is_part = matches!(kind.shape, Shape::Part { .. });
        let mentioned = body.0.values().filter(|_| !is_part).flat_map(id_substitution::mentioned);
        parent.into_iter().chain(mentioned).find(|key| self.gone.contains(key))
    }

    fn into_plan(mut self, done: AppliedRun<'_>, live: &Snapshot) -> (Plan, Desired) {
        self.unmark_deleted();
        let Self { catalog, before, gone, touched, base, skipped, notes, .. } = self;
        let resources = before.into_iter().filter(|held| !gone.contains(&held.key) && !hangs_under(held, &gone)).collect();
        let snapshot = Snapshot { tenant: format!("undo of {}", done.name), resources, ..live.clone() };
        let mut desired = Desired::unmapped(snapshot);
        desired.snapshot.sort(catalog);
        let past = PlanContext {
            links: &Links::within(&live.resources),
            base: &base,
            sent: &SentSecrets::default(),
            on_drift: OnDrift::Keep,
            prune: false,
            desired_state: DesiredState::BeforeRun,
        };
        let mut plan = plan_after(catalog, &desired, live, past);
        let ids: HashSet<(&Kind, &Id)> =
            live.resources.iter().filter(|held| touched.contains(&held.key)).map(|held| (held.key.kind(), &held.id)).collect();
        // Dangling references may be planned too, although the run did not change them.
        let reset: HashSet<&str> = touched.iter().flat_map(|key| key.kind().quirks.resets).copied().collect();
        let is_repeated = |change: &Change| reset.contains(change.key.kind().name) && change.is_repeated();
        let is_touched =
            |change: &Change| touched.contains(&change.key) || ids.contains(&(change.key.kind(), &change.source_id)) || is_repeated(change);
        for stage in &mut plan.stages {
            stage.changes.retain(is_touched);
        }
        plan.stages.retain(|stage| !stage.changes.is_empty());
        plan.skipped.retain(|left| touched.contains(&left.key));
        plan.excluded.retain(|left| touched.contains(&left.key));
        plan.skipped.extend(skipped);
        plan.manual_steps.retain(|manual| touched.contains(&manual.key));
        plan.unmanaged.clear();
        plan.unknown.clear();
        plan.notes = notes;
        let removed = live.resources.iter().filter(|held| gone.contains(&held.key));
        plan.stages.extend(deletions(catalog, removed, "created by the run"));
        plan.record_before(live.resources.iter());
        plan.undoes = Some(Undoes { run: done.name.to_owned(), source: done.plan.source_tenant().to_owned(), only: Vec::new() });
        (plan, desired)
    }
}

/// Removes a field and each object above it that becomes empty, except the outermost, so that the field is cleared.
fn clear(body: &mut Body, path: &str) {
    body.take(path);
    if let Some((above, _)) = path.rsplit_once('.')
        && above.contains('.')
        && body.get(above).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
    {
        clear(body, above);
    }
}

/// Returns whether a part is deleted with its parent.
fn hangs_under(held: &Resource, gone: &HashSet<Key>) -> bool {
    let kind = held.key.kind();
    let parent = kind.parent().filter(|_| matches!(kind.shape, Shape::Part { .. }));
    parent.is_some_and(|parent| gone.contains(&Key::new(parent, held.key.name())))
}

/// Returns the path of an edited value in the deployed content, if that is stored beside the draft.
fn running_path(kind: &Kind, body: &Body, edit: &Edit) -> Option<String> {
    let follow_up = kind.lifecycle.follow_up?;
    let is_content = follow_up.content.iter().any(|field| covers(field, &edit.path));
    let path = crate::json::join(follow_up.field, &edit.path);
    (is_content && body.get(follow_up.field)?.is_object() && is_same_value(body.get(&path), edit.new.as_ref())).then_some(path)
}
