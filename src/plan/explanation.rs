//! Explains what a plan does about one resource, why, and which values both tenants have.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::attribution::{Places, maker};
use super::diff::{edits, is_same_value};
use super::model::{Action, Change, Plan};
use super::pairing::Pairing;
use crate::catalog::{Catalog, Kind};
use crate::json::{Body, is_in};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot};
use crate::state::links::Links;

/// A plan and the inputs it was built from.
#[derive(Clone, Copy)]
pub struct ExplainedPlan<'plan> {
    /// The catalog.
    pub catalog: &'plan Catalog,
    /// The plan.
    pub plan: &'plan Plan,
    /// The desired state.
    pub desired: &'plan Desired,
    /// The live target.
    pub live: &'plan Snapshot,
    /// The links between source and target resources.
    pub links: &'plan Links,
    /// The mapping rules that skipped resources of the source.
    pub skipped_by: &'plan BTreeMap<Key, String>,
    /// Returns the mapping rules that produced values of a resource.
    pub places: &'plan dyn Fn(&Key) -> Places,
}

/// What a plan does about a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Creates it.
    Create,
    /// Changes it.
    Update,
    /// Deletes it.
    Delete,
    /// Does nothing: all copied fields are equal.
    Unchanged,
    /// Does nothing: it should be copied but cannot be.
    Skipped,
    /// Does nothing, on purpose.
    Excluded,
    /// Does nothing: both tenants changed it since the last run.
    Conflict,
    /// Does nothing: only the target has it.
    Unmanaged,
}

/// What a plan does about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldVerdict {
    /// Sets it to the source's value.
    Changed,
    /// Keeps the target's differing value.
    Kept,
    /// Both tenants changed it since the last run.
    Conflict,
    /// Does nothing: the values are equal.
    Unchanged,
}

/// What a plan does about one resource, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The resource, under its key in the plan.
    pub key: Key,
    /// What the plan does.
    pub verdict: Verdict,
    /// The reasons, if any are needed.
    pub reasons: Vec<String>,
    /// Its id in the source, if it exists there.
    pub source_id: Option<Id>,
    /// Its id in the target, if it exists there.
    pub target_id: Option<Id>,
    /// The mapping rule that produced or skipped the whole resource.
    pub rule: Option<String>,
    /// Its fields, differing ones first.
    pub fields: Vec<ExplainedField>,
    /// The manual steps for it.
    pub manual_steps: Vec<String>,
}

/// One field of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedField {
    /// Its path.
    pub path: String,
    /// What the plan does.
    pub verdict: FieldVerdict,
    /// The target's value, if any.
    pub target: Option<Value>,
    /// The source's value after the mapping, if any.
    pub source: Option<Value>,
    /// The mapping rule that produced the source's value.
    pub rule: Option<String>,
    /// Why the target's value is kept, or where a secret comes from.
    pub reason: Option<String>,
}

/// The two sides of a resource; at least one is present.
struct Sides<'plan> {
    wanted: Option<&'plan Resource>,
    held: Option<&'plan Resource>,
    /// Its key in the target.
    own: Option<&'plan Key>,
}

impl ExplainedPlan<'_> {
    /// Explains every resource for which `is_meant` accepts its key in the plan, its key in the target, or one of its
    /// ids.
    pub fn explain(&self, is_meant: &dyn Fn(&str) -> bool) -> Vec<Explanation> {
        let pairing = Pairing::new(self.catalog, &self.desired.snapshot, self.live, self.links);
        let meant = |key: &Key, sides: &Sides<'_>| {
            let of_id = |one: &Resource| is_meant(&format!("{}/{}", key.kind().name, one.id));
            let is_named = is_meant(&key.to_string()) || sides.own.is_some_and(|own| is_meant(&own.to_string()));
            is_named || sides.wanted.is_some_and(of_id) || sides.held.is_some_and(of_id)
        };
        let mut all: Vec<Explanation> =
            self.sides(&pairing).iter().filter(|(key, sides)| meant(key, sides)).map(|(key, sides)| self.of(key, sides)).collect();
        all.sort_by_key(|explanation| self.catalog.position(explanation.key.kind()));
        all
    }

    /// Returns the keys of all resources that can be explained.
    pub fn keys(&self) -> Vec<Key> {
        let pairing = Pairing::new(self.catalog, &self.desired.snapshot, self.live, self.links);
        self.sides(&pairing).into_keys().collect()
    }

    /// Returns every resource of both tenants, and all others that the plan names.
    fn sides<'pairing>(&'pairing self, pairing: &'pairing Pairing<'_>) -> BTreeMap<Key, Sides<'pairing>> {
        let mut all = BTreeMap::new();
        let named = self.plan.skipped.iter().chain(&self.plan.excluded).map(|one| &one.key).chain(self.skipped_by.keys());
        for key in named {
            all.insert(key.clone(), Sides { wanted: None, held: None, own: None });
        }
        for (held, own) in pairing.live.iter().zip(&self.live.resources) {
            all.insert(held.key.clone(), Sides { wanted: None, held: Some(held), own: Some(&own.key) });
        }
        for (wanted, at) in self.desired.snapshot.resources.iter().zip(&pairing.of_desired) {
            let held = at.map(|at| &*pairing.live[at]);
            let own = at.map(|at| &self.live.resources[at].key);
            all.insert(wanted.key.clone(), Sides { wanted: Some(wanted), held, own });
        }
        all
    }

    fn of(&self, key: &Key, sides: &Sides<'_>) -> Explanation {
        let changes: Vec<&Change> = self.plan.changes().filter(|change| change.key == *key).collect();
        let places = (self.places)(key);
        let (verdict, reasons) = self.verdict(key, sides, &changes);
        let fields = self.fields(key, sides, &changes, &places);
        let about_key = self.plan.manual_steps.iter().filter(|step| step.key == *key);
        let step = |(path, step): (&str, &str)| if path.is_empty() { step.to_owned() } else { format!("{path}: {step}") };
        Explanation {
            key: key.clone(),
            verdict,
            reasons,
            source_id: sides.wanted.map(|wanted| wanted.id.clone()),
            target_id: sides.held.map(|held| held.id.clone()),
            rule: self.skipped_by.get(key).or_else(|| places.get("")).cloned(),
            fields,
            manual_steps: about_key.map(|one| step((&one.path, &one.step))).collect(),
        }
    }

    fn verdict(&self, key: &Key, sides: &Sides<'_>, changes: &[&Change]) -> (Verdict, Vec<String>) {
        let (source, target) = (&self.plan.source.tenant, &self.plan.target.tenant);
        if let Some(change) = changes.first() {
            let verdict = match change.action {
                Action::Create { .. } => Verdict::Create,
                Action::Update { .. } | Action::Elements { .. } => Verdict::Update,
                Action::Delete { .. } => Verdict::Delete,
            };
            return (verdict, Vec::new());
        }
        let whole = |list: &[super::model::Skipped]| -> Vec<String> {
            let of_key = list.iter().filter(|one| one.path.is_none() && (one.key == *key || one.key == Key::new(key.kind(), "")));
            of_key.map(|one| one.reason.clone()).collect()
        };
        let excluded = || sides.wanted.and_then(|one| one.excluded.clone()).or_else(|| sides.held.and_then(|one| one.excluded.clone()));
        if self.plan.conflicts.iter().any(|conflict| conflict.key == *key) {
            (Verdict::Conflict, vec![format!("{source} and {target} both changed it since the last run")])
        } else if let Some(place) = self.skipped_by.get(key) {
            (Verdict::Excluded, vec![format!("the mapping skips it ({place})")])
        } else if let reasons @ [_, ..] = &whole(&self.plan.skipped)[..] {
            (Verdict::Skipped, reasons.to_vec())
        } else if let reasons @ [_, ..] = &whole(&self.plan.excluded)[..] {
            (Verdict::Excluded, reasons.to_vec())
        } else if let Some(reason) = excluded() {
            (Verdict::Excluded, vec![reason])
        } else {
            match (sides.wanted, sides.held) {
                (None, _) => (Verdict::Unmanaged, vec![format!("only {target} has it, and it is not deleted")]),
                (Some(_), None) => (Verdict::Excluded, vec![format!("in {source}, it contains nothing that could be written to {target}")]),
                (Some(_), Some(_)) => (Verdict::Unchanged, Vec::new()),
            }
        }
    }

    fn fields(&self, key: &Key, sides: &Sides<'_>, changes: &[&Change], places: &Places) -> Vec<ExplainedField> {
        let kind = key.kind();
        let body = |side: Option<&Resource>| side.map(|one| one.body.open()).unwrap_or_default();
        let (wanted, held) = (body(sides.wanted), body(sides.held));
        let fields = Fields { explained: self, key, kind, changes, places, wanted: &wanted, held: &held };
        let mut differing = fields.differing(sides.wanted.is_some() && sides.held.is_some());
        differing.sort();
        let equal = wanted.0.keys().chain(held.0.keys()).collect::<BTreeSet<_>>();
        let is_shown = |name: &&String| differing.iter().any(|path| is_in(name, path) || is_in(path, name));
        let equal: Vec<String> = equal.into_iter().filter(|name| !is_shown(name)).cloned().collect();
        let secrets = changes.iter().flat_map(|change| &change.secrets).map(|secret| ExplainedField {
            path: secret.path.clone(),
            verdict: FieldVerdict::Changed,
            target: None,
            source: None,
            rule: maker(places, &secret.path).cloned(),
            reason: Some(format!("the secret from {}", secret.from)),
        });
        differing.iter().map(|path| fields.field(path)).chain(secrets).chain(equal.iter().map(|path| fields.field(path))).collect()
    }
}

/// The fields of one resource.
struct Fields<'plan> {
    explained: &'plan ExplainedPlan<'plan>,
    key: &'plan Key,
    kind: &'plan Kind,
    changes: &'plan [&'plan Change],
    places: &'plan Places,
    wanted: &'plan Body,
    held: &'plan Body,
}

impl Fields<'_> {
    /// Returns the paths that differ between both sides or that the plan mentions.
    fn differing(&self, is_in_both: bool) -> Vec<String> {
        let plan = self.explained.plan;
        let mut paths: BTreeSet<String> = self.changes.iter().flat_map(|change| written(self.kind, change)).collect();
        let of_key = |key: &Key, path: &str| (key == self.key).then(|| path.to_owned());
        paths.extend(plan.conflicts.iter().filter_map(|one| of_key(&one.key, &one.path)));
        paths.extend(plan.drift.iter().filter_map(|one| of_key(&one.key, &one.path)));
        let unplanned = plan.skipped.iter().chain(&plan.excluded);
        paths.extend(unplanned.filter_map(|one| of_key(&one.key, one.path.as_deref()?)));
        if is_in_both {
            paths.extend(edits(self.kind, self.wanted, self.held).into_iter().map(|edit| edit.path));
        }
        let all: Vec<String> = paths.iter().cloned().collect();
        paths.retain(|path| !all.iter().any(|above| above != path && is_in(above, path)));
        paths.into_iter().collect()
    }

    fn field(&self, path: &str) -> ExplainedField {
        let plan = self.explained.plan;
        let (source, target) = (self.wanted.at(path).cloned(), self.held.at(path).cloned());
        let is_about = |key: &Key, other: &str| key == self.key && (is_in(path, other) || is_in(other, path));
        let unplanned = plan.skipped.iter().chain(&plan.excluded).find(|one| one.path.as_ref().is_some_and(|at| is_about(&one.key, at)));
        let is_written = self.changes.iter().flat_map(|change| written(self.kind, change)).any(|at| is_in(path, &at) || is_in(&at, path));
        let is_by_rule = self.explained.desired.kept.iter().any(|(key, at)| is_about(key, at));
        let name = &plan.target.tenant;
        let (verdict, reason) = if plan.conflicts.iter().any(|one| is_about(&one.key, &one.path)) {
            (FieldVerdict::Conflict, Some("both tenants changed it since the last run".to_owned()))
        } else if is_written {
            (FieldVerdict::Changed, None)
        } else if let Some(unplanned) = unplanned {
            (FieldVerdict::Kept, Some(unplanned.reason.clone()))
        } else if plan.drift.iter().any(|one| is_about(&one.key, &one.path)) {
            (FieldVerdict::Kept, Some(format!("it was changed in {name} since the last run, so it is kept")))
        } else if is_by_rule {
            (FieldVerdict::Kept, Some(format!("the mapping keeps the value of {name}")))
        } else if is_same_value(source.as_ref(), target.as_ref()) || self.is_equal(path) {
            (FieldVerdict::Unchanged, None)
        } else if source.is_none() {
            (FieldVerdict::Kept, Some(format!("only {name} has it")))
        } else {
            (FieldVerdict::Kept, None)
        };
        ExplainedField { path: path.to_owned(), verdict, target, source, rule: maker(self.places, path).cloned(), reason }
    }

    /// Returns whether both sides are equal at a path, or differ in a way without meaning.
    fn is_equal(&self, path: &str) -> bool {
        !edits(self.kind, self.wanted, self.held).iter().any(|edit| is_in(path, &edit.path) || is_in(&edit.path, path))
    }
}

/// Returns the paths that a change writes.
fn written(kind: &Kind, change: &Change) -> Vec<String> {
    match &change.action {
        Action::Create { body, .. } | Action::Delete { body, .. } => body.0.keys().cloned().collect(),
        Action::Update { body, edits, .. } if edits.is_empty() => body.0.keys().cloned().collect(),
        Action::Update { edits, .. } => edits.iter().map(|edit| edit.path.clone()).collect(),
        Action::Elements { .. } => vec![kind.elements().to_owned()],
    }
}
