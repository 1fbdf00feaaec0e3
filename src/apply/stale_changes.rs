//! Which resources moved since they were planned. Each is refused; what did not move is applied as reviewed.

use std::collections::HashMap;

use serde_json::Value;

use crate::catalog::{Catalog, Kind};
use crate::json::{Body, covers};
use crate::model::resource::{Id, Key, Resource};
use crate::plan::normal_form::normalized;
use crate::plan::{Action, Change, Edit, Plan, Protected, without_references};
use crate::snapshot::{FormerIds, Snapshot, id_substitution};

/// The changes that must not be made any more, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaleChanges {
    reasons: HashMap<usize, String>,
}

impl StaleChanges {
    /// Compares a plan with what the target holds now, under the names that the plan knows its resources by.
    ///
    /// What the plan itself writes beforehand is no move: a resource may hold what it was found with or what an earlier change leaves.
    pub fn since(catalog: &Catalog, plan: &Plan, live: &Snapshot) -> Self {
        Self::since_started(catalog, plan, live, &HashMap::new())
    }

    /// Compares a plan with what the target holds now, where a run of it has begun; `created` are the ids of what that run created, by the
    /// place of the change in the plan.
    pub fn since_started(catalog: &Catalog, plan: &Plan, live: &Snapshot, created: &HashMap<usize, Id>) -> Self {
        let now = CurrentTarget::of(catalog, plan, live, created);
        let held = now.all_if_protected(live);
        let held: Vec<&Resource> = held.iter().collect();
        let untouched = Protected::of(catalog, &held, &held);
        let needed = untouched.needed(&held);
        let mut reasons = HashMap::new();
        let mut before: HashMap<&Key, Vec<&Edit>> = HashMap::new();
        for (at, change) in plan.changes().enumerate() {
            let earlier = before.entry(&change.key).or_default();
            let touched =
                || Some(format!("{} is left alone by now; plan again", untouched.touched_by(change, now.held(change).as_ref(), &needed)?));
            reasons.extend(now.reason(change, earlier).or_else(touched).map(|reason| (at, reason)));
            if let Action::Update { edits, .. } = &change.action {
                earlier.extend(edits);
            }
        }
        Self { reasons }
    }

    /// Adds the changes of what is protected by its name in the plan, which the target may not have yet.
    #[must_use]
    pub fn with_protected(mut self, plan: &Plan, patterns: &[glob::Pattern]) -> Self {
        for (at, change) in plan.changes().enumerate() {
            let key = change.key.to_string();
            if patterns.iter().any(|pattern| pattern.matches(&key)) {
                self.reasons.entry(at).or_insert_with(|| format!("{key} is left alone by now; plan again"));
            }
        }
        self
    }

    /// Returns why a change must not be made any more.
    pub fn reason(&self, change: usize) -> Option<&str> {
        self.reasons.get(&change).map(String::as_str)
    }

    /// Says why another change must not be made any more.
    pub(super) fn add(&mut self, change: usize, reason: String) {
        self.reasons.entry(change).or_insert(reason);
    }

    /// Returns how many changes must not be made.
    pub fn len(&self) -> usize {
        self.reasons.len()
    }

    /// Returns whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// What the target holds now, under the names of a plan.
struct CurrentTarget<'live> {
    catalog: &'live Catalog,
    by_id: HashMap<(&'live str, &'live Id), &'live Resource>,
    /// What resources are called that have another name in the plan, by their names in the target.
    names: HashMap<Key, Key>,
    /// The names in the plan of all there is.
    keys: HashMap<Key, &'live Id>,
    /// What the plan knows or removes, and the target has no more.
    gone: FormerIds,
}

/// Records anew what the target holds before a plan that was made earlier: what hangs on what goes may be other things by now.
pub fn record_before(catalog: &Catalog, plan: &mut Plan, live: &Snapshot) {
    let held = CurrentTarget::of(catalog, plan, live, &HashMap::new()).all(live);
    plan.record_before(catalog, held.iter());
}

impl<'live> CurrentTarget<'live> {
    fn of(catalog: &'live Catalog, plan: &Plan, live: &'live Snapshot, created: &HashMap<usize, Id>) -> Self {
        let by_id: HashMap<(&str, &Id), &Resource> =
            live.resources.iter().map(|resource| ((resource.key.kind(), &resource.id), resource)).collect();
        let changed = plan.changes().enumerate().filter_map(|(at, change)| match &change.action {
            Action::Update { id: Some(id), .. } | Action::Delete { id, .. } => Some((&change.key, id)),
            Action::Create { .. } => created.get(&at).map(|id| (&change.key, id)),
            Action::Update { id: None, .. } | Action::Elements { .. } => None,
        });
        let mut names = HashMap::new();
        for (key, id) in plan.known.iter().chain(changed) {
            if let Some(held) = by_id.get(&(key.kind(), id)).filter(|held| held.key != *key) {
                names.insert(held.key.clone(), key.clone());
            }
        }
        let key = |held: &Resource| names.get(&held.key).unwrap_or(&held.key).clone();
        let keys = live.resources.iter().map(|held| (key(held), &held.id)).collect();
        let removed = plan.changes().filter_map(|change| match &change.action {
            Action::Delete { id, .. } => Some((&change.key, id)),
            _ => None,
        });
        let gone = FormerIds::from(catalog, plan.known.iter().chain(removed), live, &|_| false);
        Self { catalog, by_id, names, keys, gone }
    }

    /// Returns everything that there is, under the names of the plan.
    fn all(&self, live: &Snapshot) -> Vec<Resource> {
        let named_as_planned = |held: &Resource| {
            let mut held = Resource { key: self.names.get(&held.key).unwrap_or(&held.key).clone(), ..held.clone() };
            id_substitution::rename_in(&mut held, &self.names);
            held
        };
        live.resources.iter().map(named_as_planned).collect()
    }

    /// Returns everything that there is, where something of it is left alone.
    fn all_if_protected(&self, live: &Snapshot) -> Vec<Resource> {
        if live.resources.iter().any(|held| held.reserved.is_some()) { self.all(live) } else { Vec::new() }
    }

    /// Returns what the target holds of the resource that a change updates.
    fn held(&self, change: &Change) -> Option<Body> {
        let Action::Update { id: Some(id), .. } = &change.action else { return None };
        let mut body = self.by_id.get(&(change.key.kind(), id))?.body.open();
        id_substitution::rename(&mut body, &self.names);
        Some(body)
    }

    /// Returns what the plan compares of a resource.
    fn body_of(&self, kind: &Kind, held: &Resource) -> Body {
        let mut body = held.body.open();
        id_substitution::rename(&mut body, &self.names);
        self.gone.mark(kind, &mut body);
        normalized(kind, &body)
    }

    /// Returns a body without the names of what the target has no more.
    fn without_gone(&self, kind: &Kind, body: Body) -> Body {
        let plain = without_references(&body.into_value(), &|key| self.gone.contains(key));
        normalized(kind, &Body::from_value(plain).expect("an object stays one"))
    }

    /// Returns why a change must not be made any more; `earlier` are the edits of the same plan that come before it.
    fn reason(&self, change: &Change, earlier: &[&Edit]) -> Option<String> {
        let kind = self.catalog.kind(change.key.kind())?;
        match &change.action {
            Action::Create { twins, .. } => {
                let of_that_key = self.keys.get(&change.key)?;
                (!twins.contains(of_that_key)).then(|| "the target has one by now; plan again".to_owned())
            }
            Action::Update { id: Some(id), body, edits } => {
                let Some(held) = self.by_id.get(&(kind.name, id)) else { return Some("it is gone from the target; plan again".to_owned()) };
                let held = self.body_of(kind, held);
                let repeated =
                    body.0.iter().filter(|_| change.is_repeated()).map(|(name, value)| (name.as_str(), Some(value), Some(value)));
                let edited = edits.iter().map(|edit| (edit.path.as_str(), edit.old.as_ref(), edit.new.as_ref()));
                let is_elsewhere = |(path, old, new): &(&str, Option<&Value>, Option<&Value>)| {
                    let now = held.get(path);
                    now != *old && now != *new && !is_intermediate_value(now, path, *old, earlier)
                };
                let moved = edited.chain(repeated).find(is_elsewhere)?;
                Some(format!("its {} changed in the target since the plan; plan again", moved.0))
            }
            Action::Delete { id, body } => {
                let held = self.body_of(kind, self.by_id.get(&(kind.name, id))?);
                let mut planned = normalized(kind, body);
                if held != planned {
                    for edit in earlier {
                        planned.put(&edit.path, edit.new.clone());
                    }
                }
                // The tenant takes the name of what the plan itself has removed by now out of what is still to go.
                let is_moved = held != planned && self.without_gone(kind, held) != self.without_gone(kind, planned);
                is_moved.then(|| "it changed in the target since the plan; plan again".to_owned())
            }
            Action::Update { id: None, .. } | Action::Elements { .. } => None,
        }
    }
}

/// Returns whether a field holds what it held before some of the edits of the same plan that lead to `old`.
fn is_intermediate_value(now: Option<&Value>, path: &str, old: Option<&Value>, earlier: &[&Edit]) -> bool {
    let mut before = Body::new();
    before.put(path, old.cloned());
    earlier.iter().rev().filter(|edit| covers(path, &edit.path) || covers(&edit.path, path)).any(|edit| {
        before.put(&edit.path, edit.old.clone());
        before.get(path) == now
    })
}
