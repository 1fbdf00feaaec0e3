//! What a plan may cost: the class of every edit, and the reasons to refuse a plan that follow.

use std::collections::BTreeMap;

use serde_json::Value;

use super::guard::{Item, Refusal};
use super::{Action, Change, Edit, Plan};
use crate::body::{Body, covers};
use crate::catalog::risk::{Class, Rule};
use crate::catalog::{Catalog, Kind};
use crate::resource::Key;

/// The guard of what may keep people or services from signing in.
pub const LOCKOUT: &str = "lockout-risk";
/// The guard of what makes a protection weaker.
pub const WEAKER: &str = "weaker-protection";

/// One thing that a change does, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// What it may cost.
    pub class: Class,
    /// The field; absent where the whole resource is meant.
    pub path: Option<String>,
}

/// Returns what a change may cost, field by field.
///
/// What completes a resource that the plan itself creates is part of its creation.
pub fn costs(catalog: &Catalog, change: &Change) -> Vec<Cost> {
    let kind = catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
    let risks = kind.risks();
    let whole = |class| Cost { class, path: None };
    match &change.action {
        Action::Create { .. } => vec![whole(risks.raised(risks.created, change.key.name()))],
        Action::Update { id: None, .. } => Vec::new(),
        Action::Update { edits, .. } => {
            let replaced = change.secrets.iter().filter(|secret| secret.is_changed);
            let of_secrets = replaced.map(|secret| of_secret(kind, &secret.path));
            edits.iter().flat_map(|edit| of_edit(kind, &change.key, edit)).chain(of_secrets).collect()
        }
        Action::Elements { added, removed, .. } => {
            let (old, new) = (Value::Array(removed.clone()), Value::Array(added.clone()));
            of_edit(kind, &change.key, &Edit { path: kind.elements().to_owned(), old: Some(old), new: Some(new) })
        }
        Action::Remove { .. } => vec![whole(Class::DataLoss), whole(risks.removed)],
    }
}

fn of_edit(kind: &Kind, key: &Key, edit: &Edit) -> Vec<Cost> {
    let default = kind.default_within(&edit.path);
    let (old, new) = (edit.old.as_ref().or(default.as_ref()), edit.new.as_ref().or(default.as_ref()));
    let risks = kind.risks();
    // A field that nobody knows is nothing that anybody can have looked at.
    let rule = risks.rule(&edit.path).unwrap_or(Rule::Bound);
    let what = format!("{key} {}", new.map(Value::to_string).unwrap_or_default());
    let [old, new] = [old, new].map(|value| value.map(|value| named(kind, rule, &edit.path, &shorn(kind, &edit.path, value))));
    let classes = if old == new { vec![Class::Routine] } else { rule.classes(old.as_ref(), new.as_ref()) };
    classes.into_iter().map(|class| Cost { class: risks.raised(class, &what), path: Some(edit.path.clone()) }).collect()
}

/// Returns a value without what only changes looks in it: where a node of a form is drawn.
fn shorn(kind: &Kind, path: &str, value: &Value) -> Value {
    let mut body = Body::new();
    body.set(path, value.clone());
    for routine in kind.risks().routine().filter(|routine| covers(path, routine)) {
        body.take(routine);
    }
    body.get(path).cloned().unwrap_or_default()
}

/// Returns a list as what its elements are called, where access is by that: what else stands in one opens and closes nothing.
fn named(kind: &Kind, rule: Rule, path: &str, value: &Value) -> Value {
    let field = kind.told_apart_by(path).filter(|_| rule == Rule::Access);
    match (value, field) {
        (Value::Array(list), Some(field)) if list.iter().all(|one| one.get(field).is_some()) => {
            list.iter().map(|one| one[field].clone()).collect()
        }
        _ => value.clone(),
    }
}

/// A secret that takes the place of another one that was sent before.
fn of_secret(kind: &Kind, path: &str) -> Cost {
    let rule = kind.risks().rule(path).unwrap_or(Rule::Bound);
    Cost { class: rule.class_of_another(), path: Some(path.to_owned()) }
}

/// What may keep people or services from signing in is approved by name.
pub fn lockout(catalog: &Catalog, plan: &Plan) -> Option<Refusal> {
    Refusal::about(LOCKOUT, items(catalog, plan, Class::Lockout))
}

/// What makes a protection weaker is approved by name.
pub fn weaker(catalog: &Catalog, plan: &Plan) -> Option<Refusal> {
    Refusal::about(WEAKER, items(catalog, plan, Class::Weakened))
}

fn items(catalog: &Catalog, plan: &Plan, class: Class) -> Vec<Item> {
    let mut found: BTreeMap<&Key, Vec<String>> = BTreeMap::new();
    for change in plan.changes() {
        for cost in costs(catalog, change).into_iter().filter(|cost| cost.class == class) {
            let what = cost.path.unwrap_or_else(|| change.verb().to_owned());
            found.entry(&change.key).or_default().push(what);
        }
    }
    found.into_iter().map(|(key, what)| Item { key: key.clone(), what }).collect()
}
