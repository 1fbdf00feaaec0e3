//! Stale changes: those whose resources changed since the plan was made. They are refused; all others are applied as reviewed.

use std::collections::HashMap;

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::{Body, covers};
use crate::model::changed_by::ChangedBy;
use crate::model::resource::{Id, Key, Resource};
use crate::plan::normal_form::normalized;
use crate::plan::{Action, Change, ChangedPart, Edit, Plan, Protected, without_references};
use crate::snapshot::{FormerIds, Snapshot, id_substitution};

/// The changes that are refused because they are stale, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaleChanges {
    reasons: HashMap<usize, StaleReason>,
}

/// Why a change is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
enum StaleReason {
    /// The complete reason.
    Stated(String),
    /// Somebody changed the resource; `what` is the beginning of the sentence.
    Changed { what: String, part: ChangedPart, verb: &'static str, by: Option<ChangedBy> },
}

impl StaleReason {
    fn changed(what: impl Into<String>, part: ChangedPart, verb: &'static str) -> Self {
        Self::Changed { what: what.into(), part, verb, by: None }
    }

    fn text(&self) -> String {
        match self {
            Self::Stated(reason) => reason.clone(),
            Self::Changed { what, by: None, .. } => format!("{what}; plan again"),
            Self::Changed { what, verb, by: Some(by), .. } => format!("{what}, {verb} {by}; plan again"),
        }
    }
}

impl StaleChanges {
    /// Compares a plan with the live target, under the keys of the plan.
    ///
    /// A resource may have the state it was planned from or a state that an earlier change of the plan wrote; neither
    /// is stale.
    pub fn since(plan: &Plan, live: &Snapshot) -> Self {
        Self::since_started(plan, live, &HashMap::new())
    }

    /// Compares a plan with the live target after a run of it started; `created` are the ids that this run created, by the
    /// index of their change.
    pub fn since_started(plan: &Plan, live: &Snapshot, created: &HashMap<usize, Id>) -> Self {
        let now = CurrentTarget::new(plan, live, created);
        let held = now.all_if_protected(live);
        let held: Vec<&Resource> = held.iter().collect();
        let untouched = Protected::new(&held, &held);
        let needed = untouched.needed(&held);
        let mut reasons = HashMap::new();
        let mut before: HashMap<&Key, Vec<&Edit>> = HashMap::new();
        for (at, change) in plan.changes().enumerate() {
            let earlier = before.entry(&change.key).or_default();
            let touched = || {
                let root = untouched.touched_by(change, now.held(change).as_ref(), &needed)?;
                Some(StaleReason::Stated(format!("{root} is excluded now; plan again")))
            };
            reasons.extend(now.reason(change, earlier).or_else(touched).map(|reason| (at, reason)));
            if let Action::Update { edits, .. } = &change.action {
                earlier.extend(edits);
            }
        }
        Self { reasons }
    }

    /// Adds changes of resources that are protected under their key in the plan, even if the target does not have them
    /// yet.
    #[must_use]
    pub(crate) fn with_protected(mut self, plan: &Plan, patterns: &[glob::Pattern]) -> Self {
        for (at, change) in plan.changes().enumerate() {
            let key = change.key.to_string();
            if patterns.iter().any(|pattern| pattern.matches(&key)) {
                self.reasons.entry(at).or_insert_with(|| StaleReason::Stated(format!("{key} is excluded now; plan again")));
            }
        }
        self
    }

    /// Returns why a change is stale, if it is.
    pub fn reason(&self, change: usize) -> Option<String> {
        self.reasons.get(&change).map(StaleReason::text)
    }

    /// Returns the changes that are stale because somebody changed their resources, by index, with what was changed.
    pub(crate) fn changed(&self) -> Vec<(usize, ChangedPart)> {
        let part = |reason: &StaleReason| match reason {
            StaleReason::Changed { part, .. } => Some(part.clone()),
            StaleReason::Stated(_) => None,
        };
        let mut changed: Vec<_> = self.reasons.iter().filter_map(|(at, reason)| Some((*at, part(reason)?))).collect();
        changed.sort_unstable_by_key(|(at, _)| *at);
        changed
    }

    /// Records who changed the resource of a stale change.
    pub(crate) fn attribute(&mut self, change: usize, author: ChangedBy) {
        if let Some(StaleReason::Changed { by, .. }) = self.reasons.get_mut(&change) {
            *by = Some(author);
        }
    }

    /// Adds a change and the reason for refusing it.
    pub(super) fn add(&mut self, change: usize, reason: String) {
        self.reasons.entry(change).or_insert(StaleReason::Stated(reason));
    }
}

/// The live target under the keys of a plan.
struct CurrentTarget<'live> {
    by_id: HashMap<(&'live Kind, &'live Id), &'live Resource>,
    /// Keys in the target that differ from those in the plan, with the latter.
    names: HashMap<Key, Key>,
    /// The ids of all existing resources, by key in the plan.
    keys: HashMap<Key, &'live Id>,
    /// Resources that the plan knows or deletes and that the target no longer has.
    gone: FormerIds,
}

/// Refreshes the previous state recorded in a plan made earlier: resources that belong to deleted ones may have
/// changed.
pub(crate) fn record_before(plan: &mut Plan, live: &Snapshot) {
    let held = CurrentTarget::new(plan, live, &HashMap::new()).all(live);
    plan.record_before(held.iter());
}

impl<'live> CurrentTarget<'live> {
    fn new(plan: &Plan, live: &'live Snapshot, created: &HashMap<usize, Id>) -> Self {
        let by_id: HashMap<(&Kind, &Id), &Resource> =
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
        let gone = FormerIds::from(plan.known.iter().chain(removed), live, &|_| false);
        Self { by_id, names, keys, gone }
    }

    /// Returns all live resources under the keys of the plan.
    fn all(&self, live: &Snapshot) -> Vec<Resource> {
        let named_as_planned = |held: &Resource| {
            let mut held = Resource { key: self.names.get(&held.key).unwrap_or(&held.key).clone(), ..held.clone() };
            id_substitution::rename_in(&mut held, &self.names);
            held
        };
        live.resources.iter().map(named_as_planned).collect()
    }

    /// Returns all live resources, or none if nothing is protected.
    fn all_if_protected(&self, live: &Snapshot) -> Vec<Resource> {
        if live.resources.iter().any(|held| held.reserved.is_some()) { self.all(live) } else { Vec::new() }
    }

    /// Returns the live body of the resource that a change updates.
    fn held(&self, change: &Change) -> Option<Body> {
        let Action::Update { id: Some(id), .. } = &change.action else { return None };
        let mut body = self.by_id.get(&(change.key.kind(), id))?.body.open();
        id_substitution::rename(&mut body, &self.names);
        Some(body)
    }

    /// Returns the body in the form that the plan compares.
    fn body_of(&self, kind: &Kind, held: &Resource) -> Body {
        let mut body = held.body.open();
        id_substitution::rename(&mut body, &self.names);
        self.gone.mark(kind, &mut body);
        normalized(kind, &body)
    }

    /// Returns a body without references to deleted resources.
    fn without_gone(&self, kind: &Kind, body: Body) -> Body {
        let plain = without_references(&body.into_value(), &|key| self.gone.contains(key));
        normalized(kind, &Body::from_value(plain).expect("an object stays one"))
    }

    /// Returns why a change is stale; `earlier` are the preceding edits of the same plan.
    fn reason(&self, change: &Change, earlier: &[&Edit]) -> Option<StaleReason> {
        let kind = change.key.kind();
        match &change.action {
            Action::Create { twins, .. } => {
                let of_that_key = self.keys.get(&change.key)?;
                (!twins.contains(of_that_key))
                    .then(|| StaleReason::changed("the target now has this resource", ChangedPart::Any, "written by"))
            }
            Action::Update { id: Some(id), body, edits } => {
                let Some(held) = self.by_id.get(&(kind, id)) else {
                    return Some(StaleReason::changed("it no longer exists in the target", ChangedPart::Deletion, "deleted by"));
                };
                let held = self.body_of(kind, held);
                let repeated =
                    body.0.iter().filter(|_| change.is_repeated()).map(|(name, value)| (name.as_str(), Some(value), Some(value)));
                let edited = edits.iter().map(|edit| (edit.path.as_str(), edit.old.as_ref(), edit.new.as_ref()));
                let is_elsewhere = |(path, old, new): &(&str, Option<&Value>, Option<&Value>)| {
                    let now = held.get(path);
                    now != *old && now != *new && !is_intermediate_value(now, path, *old, earlier)
                };
                let changed = edited.chain(repeated).find(is_elsewhere)?;
                let what = format!("its {} changed in the target since the plan", changed.0);
                Some(StaleReason::changed(what, ChangedPart::Field(changed.0.to_owned()), "by"))
            }
            Action::Delete { id, body } => {
                let held = self.body_of(kind, self.by_id.get(&(kind, id))?);
                let mut planned = normalized(kind, body);
                if held != planned {
                    for edit in earlier {
                        planned.put(&edit.path, edit.new.clone());
                    }
                }
                // When a resource is deleted, the tenant removes the references to it from resources that are still to
                // be deleted.
                let is_moved = held != planned && self.without_gone(kind, held) != self.without_gone(kind, planned);
                is_moved.then(|| StaleReason::changed("it changed in the target since the plan", ChangedPart::Any, "by"))
            }
            Action::Update { id: None, .. } | Action::Elements { .. } => None,
        }
    }
}

/// Returns whether a field has an intermediate value, one that an edit of the plan writes on the way to `old`.
fn is_intermediate_value(now: Option<&Value>, path: &str, old: Option<&Value>, earlier: &[&Edit]) -> bool {
    let mut before = Body::new();
    before.put(path, old.cloned());
    earlier.iter().rev().filter(|edit| covers(path, &edit.path) || covers(&edit.path, path)).any(|edit| {
        before.put(&edit.path, edit.old.clone());
        before.get(path) == now
    })
}
