//! Plans the change of one resource that was edited by hand.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::decision::Unplanned;
use super::diff::difference;
use super::model::{Action, Change, Plan, PlannedTenant, Stage};
use super::normal_form::normalized;
use super::protected::{Protected, is_identity};
use super::reason::{DesiredState, Reason};
use crate::catalog::{Catalog, Kind, Reference, Shape};
use crate::json::{Body, top};
use crate::model::resource::{Key, Resource};
use crate::snapshot::{Snapshot, id_substitution};

/// Plans the change of one resource of a tenant to an edited body; both bodies are in the tenant's own form.
pub fn plan_single_resource(catalog: &Catalog, tenant: &PlannedTenant, name: &str, held: &Resource, wanted: &Resource) -> Plan {
    let kind = held.key.kind();
    let portable = |resource: &Resource| {
        let mut one = [resource.clone()];
        id_substitution::to_portable(catalog, &tenant.domain, &mut one);
        let [one] = one;
        one.body.open()
    };
    let key = Key::new(kind, if kind.shape == Shape::Singleton { "" } else { name });
    let mut plan = Plan::between(tenant.clone(), tenant.clone());
    let action = match kind.shape {
        Shape::Child { parent, .. } => {
            let elements =
                |resource: &Resource| normalized(kind, &portable(resource)).get(kind.elements()).and_then(Value::as_array).cloned();
            let (wanted, before) = (elements(wanted).unwrap_or_default(), elements(held).unwrap_or_default());
            let added: Vec<Value> = wanted.iter().filter(|element| !before.contains(element)).cloned().collect();
            let removed: Vec<Value> = before.iter().filter(|element| !wanted.contains(element)).cloned().collect();
            let parent = Key::new(Kind::named(parent).expect("catalog test: every parent is a kind"), name);
            plan.known.insert(parent.clone(), held.id.clone());
            let is_equal = added.is_empty() && removed.is_empty();
            (!is_equal).then_some(Action::Elements { parent, added, removed })
        }
        _ => update(&key, &mut plan, (&portable(wanted), &portable(held)), held),
    };
    match action {
        None => {
            plan.unchanged.insert(kind.name.to_owned(), 1);
        }
        Some(action) => {
            let before = Resource::new(key.clone(), held.id.clone(), portable(held));
            let change = Change { key, source_id: held.id.clone(), action, needs: Vec::new(), secrets: Vec::new() };
            plan.stages.push(Stage { title: kind.title.to_owned(), changes: vec![change] });
            plan.record_before(std::iter::once(&before));
        }
    }
    plan
}

/// Returns the kinds that a plan for one resource may affect: those it belongs to, those that edited fields refer to,
/// and those that these in turn belong to.
pub fn related_kinds(plan: &Plan) -> BTreeSet<String> {
    let mut beside: BTreeSet<&'static Kind> = BTreeSet::new();
    for change in plan.changes() {
        let kind = change.key.kind();
        let is_edited = |reference: &Reference| match &change.action {
            Action::Update { edits, .. } => edits.iter().any(|edit| top(&edit.path) == top(reference.path)),
            _ => true,
        };
        beside.extend(owners(kind));
        beside.extend(kind.references.iter().filter(|reference| is_edited(reference)).map(Reference::kind));
    }
    loop {
        let above: Vec<&Kind> = beside.iter().copied().flat_map(owners).collect();
        let before = beside.len();
        beside.extend(above);
        if beside.len() == before {
            return beside.into_iter().map(|kind| kind.name.to_owned()).collect();
        }
    }
}

/// Returns the kinds that resources of a kind belong to.
fn owners(kind: &Kind) -> Vec<&'static Kind> {
    let of_identity = kind.references.iter().filter(|reference| is_identity(kind, reference)).map(Reference::kind);
    of_identity.chain(kind.parent()).chain(kind.quirks.same_endpoint_as.and_then(Kind::named)).collect()
}

/// Returns a protected resource that the plan affects: one that the changed resource belongs to, or refers to before or after.
pub fn protected_touched_by(plan: &Plan, held: &Resource, live: &Snapshot) -> Option<Key> {
    let all: Vec<&Resource> = live.resources.iter().collect();
    let untouched = Protected::new(&all, &all);
    plan.changes().find_map(|change| {
        let kind = change.key.kind();
        let body = held.body.open();
        let root = untouched.root_of_one(kind, &held.id, &body).cloned();
        root.or_else(|| untouched.touched_by(change, Some(&body), &HashMap::new()))
    })
}

fn update(key: &Key, plan: &mut Plan, (wanted, before): (&Body, &Body), held: &Resource) -> Option<Action> {
    let kind = key.kind();
    let mut difference = difference(kind, wanted, before);
    let stays = |(path, why)| Unplanned::field(key, path, Reason::Stays(why)).into_skipped(DesiredState::Source);
    plan.skipped.extend(difference.fixed.drain(..).map(stays));
    plan.excluded.extend(difference.stays.drain(..).map(stays));
    if let Some(given) = kind.quirks.built_in.filter(|_| held.is_given) {
        given.keep_written(&mut difference.body, &[]);
    }
    if difference.body.is_empty() {
        return None;
    }
    Some(Action::Update { id: Some(held.id.clone()), body: difference.body, edits: difference.edits })
}
