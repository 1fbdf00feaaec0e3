//! A run and what the target holds since -> the plan that takes the run back.
//!
//! The target as it was before the run is what is desired: what the run wrote goes back where it still stands, what changed again since is
//! left and named. The rest is planned as ever, so an undo knows no request of its own and can be undone like any other run.
//!
//! What is left is named field by field. A resource is named as a whole where the whole is meant: nothing of it is taken back, or nothing of
//! it was there before the run.

mod again;
mod names;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use self::again::Places;
pub use self::again::Recreated;
use self::names::{known, names};
use super::builder::{PlanContext, plan_after};
use super::diff::{Edit, UNSAID, after, difference, normal, order_sets, same};
use super::eligibility::SAYS_NOTHING;
use super::merge::OnDrift;
use super::ordering::deletions;
use super::references::LACKED;
use super::{Action, Change, Plan, Protected, Skipped, Undoes, without};
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::{Body, covers, is_blank};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Gone, Snapshot, id_substitution};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::Sent;
use crate::state::links::Links;

/// A run that is over.
#[derive(Debug, Clone, Copy)]
pub struct AppliedRun<'run> {
    /// Its name.
    pub name: &'run str,
    /// What was meant.
    pub plan: &'run Plan,
    /// The changes that are in the target, by their place in the plan, with the id of what they changed.
    pub applied: &'run BTreeMap<usize, Id>,
    /// The creates of which nobody can say whether they are in the target, by their place in the plan.
    pub unclear: &'run BTreeSet<usize>,
    /// What earlier undos created in the place of what the run removed, or of what stood for that.
    pub again: &'run Recreated,
}

/// Decides what it takes to take a run back, as far as `is_meant` says; returns the plan and what it makes the target hold.
pub fn undo(catalog: &Catalog, done: AppliedRun<'_>, live: &Snapshot, is_meant: &dyn Fn(&Key) -> bool) -> (Plan, Desired) {
    let mut undoing = Undoing::new(catalog, done, live);
    let changes: Vec<(usize, &Change)> = done.plan.changes().enumerate().filter(|(_, change)| is_meant(&change.key)).collect();
    let applied = changes.into_iter().rev().filter_map(|(at, change)| Some((undoing.as_named_now(change), done.applied.get(&at)?)));
    let (removed, others): (Vec<_>, Vec<_>) = applied.partition(|(change, _)| matches!(change.action, Action::Delete { .. }));
    for (change, id) in &removed {
        undoing.take_back(change, id);
    }
    let along = undoing.restore_what_went_along(&removed);
    for (change, id) in &others {
        undoing.take_back(change, id);
    }
    undoing.restore_names_in(along);
    for (_, change) in done.plan.changes().enumerate().filter(|(at, change)| done.unclear.contains(at) && is_meant(&change.key)) {
        undoing.skip_resource(&change.key, None, "the run may have created it, but which of those in the target it is, is not known");
    }
    undoing.keep_what_is_untouched();
    undoing.keep_what_others_need();
    undoing.planned(done, live)
}

struct Undoing<'inputs> {
    catalog: &'inputs Catalog,
    /// What the target holds now.
    live: &'inputs Snapshot,
    /// What the target held before the run and its changes do not tell, in the names of now.
    held_before: Vec<Resource>,
    /// What earlier undos created in the place of what the run removed.
    again: &'inputs Recreated,
    /// What the target holds now, by the ids that the run knows.
    places: Places<'inputs>,
    /// What the run knew, created or removed, and the target has no more.
    lost: Gone,
    /// What the run removed, and the tenant along with that, and the target is to have again.
    restored: HashSet<Key>,
    /// What the run removed and the target will not have again: another has its name by now.
    not_restored: Gone,
    /// What the plan of the run calls resources, and what they are called now, where that differs.
    names: HashMap<Key, Key>,
    /// What the target should hold.
    before: Vec<Resource>,
    /// What the run created and that is to go.
    gone: HashSet<Key>,
    /// What the run wrote after it had created a resource.
    written: HashMap<Key, Body>,
    touched: HashSet<Key>,
    base: Baseline,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
}

impl<'inputs> Undoing<'inputs> {
    fn new(catalog: &'inputs Catalog, done: AppliedRun<'inputs>, live: &'inputs Snapshot) -> Self {
        let places = Places::of(live, done.again);
        let names = names(catalog, done, live, &places);
        let now = |key: &Key| names.get(key).unwrap_or(key).clone();
        let known: Vec<(Key, &Id)> = known(done).map(|(key, id)| (now(key), id)).collect();
        let is_again = |held: &Resource| done.again.has_made(held);
        let lost = Gone::from(catalog, known.iter().map(|(key, id)| (key, *id)), live, &is_again);
        let mut before = live.resources.clone();
        for held in before.iter_mut().filter(|_| !lost.is_empty()) {
            let kind = catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
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
            not_restored: Gone::default(),
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

    /// Returns a change in the names that the target's resources have now.
    fn as_named_now(&self, change: &Change) -> Change {
        let mut change = change.clone();
        if self.names.is_empty() {
            return change;
        }
        let kind = self.catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
        let rename_at = |path: &str, value: &mut Value| {
            let mut whole = Body::new();
            whole.set(path, std::mem::take(value));
            id_substitution::rename(&mut whole, &self.names);
            // The order of a set is that of its names.
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

    fn take_back(&mut self, change: &Change, id: &Id) {
        let kind = self.catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
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
            (Action::Delete { body, .. }, at) if at.is_none() || is_again => self.make_again(kind, &change.key, id, body),
            (Action::Elements { parent, removed, .. }, None) if self.is_made_again(parent) => self.hang_again(kind, change, id, removed),
            // Somebody removed it already, or it never went.
            (Action::Create { .. }, None) | (Action::Delete { .. }, Some(_)) => {}
            (_, None) => self.skip_resource(&change.key, None, "it is gone from the target since the run"),
            (_, Some(at)) if self.before[at].excluded.is_some() => {
                let reason = self.before[at].excluded.clone().unwrap_or_default();
                self.skip_resource(&change.key, None, &reason);
            }
            (Action::Create { body, .. }, Some(at)) => self.unmake(kind, at, body),
            (Action::Update { edits, .. }, Some(at)) => {
                self.put_back(kind, at, edits);
                for secret in &change.secrets {
                    self.skip_resource(&change.key, Some(&secret.path), "a secret was sent, and what it was before nobody can read");
                }
            }
            (Action::Elements { added, removed, .. }, Some(at)) => self.put_elements_back(kind, at, added, removed),
        }
    }

    /// Returns where something stands that the target still has, or what stands for it.
    fn place_of(&self, kind: &Kind, id: &Id) -> Option<usize> {
        let now = &self.places.get(kind.name, id)?.id;
        self.before.iter().position(|held| held.key.kind() == kind.name && held.id == *now)
    }

    fn skip_resource(&mut self, key: &Key, path: Option<&str>, reason: &str) {
        self.skipped.push(Skipped { key: key.clone(), path: path.map(str::to_owned), reason: reason.to_owned() });
    }

    /// Keeps what the target holds now as what both agree on, so that a field which goes back to nothing is cleared.
    fn agree(&mut self, at: usize) {
        let Resource { key, id, .. } = &self.before[at];
        let live = self.live.of_kind(key.kind()).find(|held| held.id == *id);
        if let Some(held) = live.filter(|_| self.base.of(key).is_none()) {
            self.base.applied(key, id, held.body.clone());
        }
    }

    /// Returns whether a value is what the run wrote, but for names of what is gone: the tenant takes them out of some places.
    fn is_as_written(&self, held: Option<&Value>, written: Option<&Value>) -> bool {
        let is_lost = |key: &Key| self.lost.contains(key);
        let names_lost = |value: &Value| id_substitution::mentioned(value).iter().any(is_lost);
        match (held, written) {
            (held, written) if same(held, written) => true,
            (None, Some(written)) => names_lost(written),
            (Some(held), Some(written)) => names_lost(written) && without(held, &is_lost) == without(written, &is_lost),
            (_, None) => false,
        }
    }

    /// Lets what the run created go, unless somebody changed it since; what no request removes loses what the run wrote.
    fn unmake(&mut self, kind: &Kind, at: usize, created: &Body) {
        let key = self.before[at].key.clone();
        let mut written = created.clone();
        written.0.extend(self.written.remove(&key).unwrap_or_default().0);
        if let Some(follow_up) = kind.lifecycle.follow_up {
            written.0.remove(follow_up.field);
        }
        if kind.scopes.delete.is_empty() {
            let mut edits = difference(kind, &written, &Body::new()).edits;
            edits.retain(|edit| !kind.identity.key.contains(&edit.path.as_str()));
            self.put_back(kind, at, &edits);
            self.skip_resource(&key, None, "no request removes it; what the run wrote into it is cleared");
            return;
        }
        let (written, held) = (normal(kind, &written), normal(kind, &self.before[at].body.open()));
        match self.moved("", &written, &held) {
            Some(path) => self.skip_resource(&key, None, &format!("its {path} changed again since the run, which created it")),
            None => drop(self.gone.insert(key)),
        }
    }

    /// Returns the first field that holds something else than what was written.
    fn moved(&self, above: &str, written: &Body, held: &Body) -> Option<String> {
        written.0.iter().find_map(|(name, wanted)| {
            let path = crate::json::join(above, name);
            match (wanted, held.0.get(name)) {
                (Value::Object(wanted), Some(Value::Object(held))) => self.moved(&path, &Body(wanted.clone()), &Body(held.clone())),
                (wanted, held) => (!self.is_as_written(held, Some(wanted))).then_some(path),
            }
        })
    }

    /// Puts back each field that still holds what the run wrote.
    fn put_back(&mut self, kind: &Kind, at: usize, edits: &[Edit]) {
        self.agree(at);
        let key = self.before[at].key.clone();
        let is_first_followed = self.let_run(kind, at, edits);
        let mut body = self.before[at].body.open();
        for edit in edits {
            let held = normal(kind, &body).get(&edit.path).cloned();
            if same(held.as_ref(), edit.old.as_ref()) {
                continue;
            }
            if !self.is_as_written(held.as_ref(), edit.new.as_ref()) {
                self.skip_resource(&key, Some(&edit.path), "it changed again since the run");
                continue;
            }
            match self.exact(kind, at, edit).or_else(|| edit.old.clone()) {
                Some(old) => body.set(&edit.path, self.as_it_stood(kind, &edit.path, old)),
                None => clear(&mut body, &edit.path),
            }
            if let Some(running) = running_path(kind, &body, edit).filter(|_| !is_first_followed) {
                body.put(&running, edit.old.clone());
            }
        }
        self.before[at].body = body.into();
    }

    /// What a run made take effect for the first time stays in effect: no request takes that back. Returns whether that is so.
    fn let_run(&mut self, kind: &Kind, at: usize, edits: &[Edit]) -> bool {
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
            self.skip_resource(&key, Some(follow_up.field), "it took effect for the first time, and no request takes that back");
        }
        is_first
    }

    /// Takes away the elements that the run added and adds those it took away.
    fn put_elements_back(&mut self, kind: &Kind, at: usize, added: &[Value], removed: &[Value]) {
        self.agree(at);
        let key = self.before[at].key.clone();
        let list = normal(kind, &self.before[at].body.open()).get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default();
        let is_back = !added.iter().any(|element| list.contains(element)) && removed.iter().all(|element| list.contains(element));
        if is_back {
            return;
        }
        let is_lost = |element: &Value| id_substitution::mentioned(element).iter().any(|key| self.lost.contains(key));
        if added.iter().any(|element| !list.contains(element) && !is_lost(element)) {
            self.skip_resource(&key, Some(kind.elements()), "what the run added to it changed again since");
            return;
        }
        self.before[at].body.change(|body| body.set(kind.elements(), Value::Array(after(&list, removed, added))));
    }

    fn is_made_again(&self, key: &Key) -> bool {
        self.restored.contains(key)
    }

    fn hang_again(&mut self, kind: &Kind, change: &Change, id: &Id, elements: &[Value]) {
        let body = Body::from_iter([(kind.elements().to_owned(), Value::Array(elements.to_vec()))]);
        self.before.push(Resource::of(change.key.clone(), id.clone(), body));
    }

    /// Keeps what the run created where something that is left alone is part of it, or would lose by its going.
    fn keep_what_is_untouched(&mut self) {
        let live: Vec<&Resource> = self.live.resources.iter().collect();
        let untouched = Protected::of(self.catalog, &live, &live);
        let needed = untouched.needed(&live);
        let root_of = |key: &Key| needed.get(key).or_else(|| untouched.root_of(key));
        for (key, root) in self.gone.iter().filter_map(|key| Some((key.clone(), root_of(key)?.clone()))).collect::<Vec<_>>() {
            self.gone.remove(&key);
            self.skip_resource(&key, None, &format!("{root}, which is left alone, would lose by its going"));
        }
    }

    /// Keeps what the run created where something that stays refers to it, or hangs under it.
    fn keep_what_others_need(&mut self) {
        loop {
            let stays = |held: &&Resource| !self.gone.contains(&held.key);
            let needed = self.before.iter().filter(stays).find_map(|held| Some((self.needed_by(held)?, held.key.clone())));
            let Some((key, other)) = needed else { return };
            self.gone.remove(&key);
            self.skip_resource(&key, None, &format!("{other} refers to it, and that is not taken back"));
        }
    }

    /// Returns something that is to go and that a resource which stays needs.
    fn needed_by(&self, held: &Resource) -> Option<Key> {
        let kind = self.catalog.kind(held.key.kind())?;
        let body = held.body.open();
        let parent = match kind.shape {
            Shape::Child { parent, .. } if !body.0.values().all(is_blank) => Some(Key::new(parent, held.key.name())),
            _ => None,
        };
        // A part goes with its parent, whatever it says.
        let is_part = matches!(kind.shape, Shape::Part { .. });
        let mentioned = body.0.values().filter(|_| !is_part).flat_map(id_substitution::mentioned);
        parent.into_iter().chain(mentioned).find(|key| self.gone.contains(key))
    }

    fn planned(mut self, done: AppliedRun<'_>, live: &Snapshot) -> (Plan, Desired) {
        self.name_what_stays_gone_as_the_target_does();
        let Self { catalog, before, gone, touched, base, skipped, notes, .. } = self;
        let resources = before.into_iter().filter(|held| !gone.contains(&held.key) && !hangs_under(catalog, held, &gone)).collect();
        let snapshot = Snapshot { tenant: format!("undo of {}", done.name), resources, ..live.clone() };
        let mut desired = Desired::unmapped(snapshot);
        desired.snapshot.sort(catalog);
        let past = PlanContext {
            links: &Links::within(catalog, &live.resources),
            base: &base,
            sent: &Sent::default(),
            on_drift: OnDrift::Keep,
            prune: false,
            keeps_own: false,
        };
        let mut plan = plan_after(catalog, &desired, live, past);
        let ids: HashSet<(&str, &Id)> =
            live.resources.iter().filter(|held| touched.contains(&held.key)).map(|held| (held.key.kind(), &held.id)).collect();
        // What names something that is not there would be put in order by the way; that is nothing the run did.
        let reset: HashSet<&str> =
            touched.iter().filter_map(|key| catalog.kind(key.kind())).flat_map(|kind| kind.quirks.resets).copied().collect();
        let is_repeated = |change: &Change| reset.contains(change.key.kind()) && change.is_repeated();
        let is_touched =
            |change: &Change| touched.contains(&change.key) || ids.contains(&(change.key.kind(), &change.source_id)) || is_repeated(change);
        for stage in &mut plan.stages {
            stage.changes.retain(is_touched);
        }
        plan.stages.retain(|stage| !stage.changes.is_empty());
        plan.skipped.retain(|left| touched.contains(&left.key));
        plan.excluded.retain(|left| touched.contains(&left.key));
        plan.skipped.extend(plan.excluded.extract_if(.., |left| left.reason == SAYS_NOTHING));
        plan.skipped.iter_mut().chain(&mut plan.excluded).for_each(speak_of_the_target);
        plan.skipped.extend(skipped);
        plan.manual_steps.retain(|manual| touched.contains(&manual.key));
        plan.unmanaged.clear();
        plan.unknown.clear();
        plan.notes = notes;
        let removed = live.resources.iter().filter(|held| gone.contains(&held.key));
        plan.stages.extend(deletions(catalog, removed, "created by the run"));
        plan.record_before(catalog, live.resources.iter());
        plan.undoes = Some(Undoes { run: done.name.to_owned(), source: done.plan.source_tenant().to_owned(), only: Vec::new() });
        (plan, desired)
    }
}

/// Says of the target before the run what the plan says of its source.
fn speak_of_the_target(left: &mut Skipped) {
    for (of_source, of_target) in [
        (SAYS_NOTHING, "it said nothing before the run, and no request takes away what it says"),
        (LACKED, "which the target does not have"),
        (UNSAID, "it was not there before the run, and every tenant fills it in"),
    ] {
        left.reason = left.reason.replace(of_source, of_target);
    }
}

/// Takes a field away, and each object above it that holds nothing then; the outermost stays, since it says that it is to be emptied.
fn clear(body: &mut Body, path: &str) {
    body.take(path);
    if let Some((above, _)) = path.rsplit_once('.')
        && above.contains('.')
        && body.get(above).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
    {
        clear(body, above);
    }
}

/// Returns whether a part goes with what is gone.
fn hangs_under(catalog: &Catalog, held: &Resource, gone: &HashSet<Key>) -> bool {
    let shape = catalog.kind(held.key.kind()).map(|kind| kind.shape);
    matches!(shape, Some(Shape::Part { parent }) if gone.contains(&Key::new(parent, held.key.name())))
}

/// Returns where the content that runs holds what an edit wrote, where that is kept beside the draft.
fn running_path(kind: &Kind, body: &Body, edit: &Edit) -> Option<String> {
    let follow_up = kind.lifecycle.follow_up?;
    let is_content = follow_up.content.iter().any(|field| covers(field, &edit.path));
    let path = crate::json::join(follow_up.field, &edit.path);
    (is_content && body.get(follow_up.field)?.is_object() && same(body.get(&path), edit.new.as_ref())).then_some(path)
}
