//! A plan for one resource, edited by hand.

use serde_json::Value;

use super::diff::{difference, normal};
use super::{Action, Change, LeftOut, Plan, Side, Stage};
use crate::body::Body;
use crate::catalog::{Catalog, Kind, Shape};
use crate::resource::{Key, Resource};
use crate::snapshot::refs;

/// Decides what it takes to turn one resource of a tenant into what was asked for; both as that tenant writes them.
pub fn change_one(catalog: &Catalog, tenant: &Side, name: &str, held: &Resource, wanted: &Resource) -> Plan {
    let kind = catalog.kind(held.key.kind()).expect("a key names a kind of the catalog");
    let portable = |resource: &Resource| {
        let mut one = [resource.clone()];
        refs::detach(catalog, &tenant.domain, &mut one);
        let [one] = one;
        one.body.open()
    };
    let key = Key::new(kind.name, if kind.shape == Shape::Singleton { "" } else { name });
    let mut plan = Plan::between(tenant.clone(), tenant.clone());
    let action = match kind.shape {
        Shape::Child { parent, .. } => {
            let elements = |resource: &Resource| normal(kind, &portable(resource)).get(kind.elements()).and_then(Value::as_array).cloned();
            let (wanted, before) = (elements(wanted).unwrap_or_default(), elements(held).unwrap_or_default());
            let added: Vec<Value> = wanted.iter().filter(|element| !before.contains(element)).cloned().collect();
            let removed: Vec<Value> = before.iter().filter(|element| !wanted.contains(element)).cloned().collect();
            let parent = Key::new(parent, name);
            plan.known.insert(parent.clone(), held.id.clone());
            let is_equal = added.is_empty() && removed.is_empty();
            (!is_equal).then_some(Action::Elements { parent, added, removed })
        }
        _ => update(kind, &key, &mut plan, &portable(wanted), &portable(held), held),
    };
    match action {
        None => {
            plan.unchanged.insert(kind.name.to_owned(), 1);
        }
        Some(action) => {
            let before = Resource::of(key.clone(), held.id.clone(), portable(held));
            let change = Change { key, source_id: held.id.clone(), action, needs: Vec::new(), secrets: Vec::new() };
            plan.stages.push(Stage { title: kind.title.to_owned(), changes: vec![change] });
            plan.record_before(catalog, std::iter::once(&before));
        }
    }
    plan
}

fn update(kind: &Kind, key: &Key, plan: &mut Plan, wanted: &Body, before: &Body, held: &Resource) -> Option<Action> {
    let mut difference = difference(kind, wanted, before);
    for (path, because) in difference.fixed {
        plan.left_out.push(LeftOut { key: key.clone(), path: Some(path), because: because.to_owned() });
    }
    for (path, because) in difference.stays {
        plan.left_alone.push(LeftOut { key: key.clone(), path: Some(path), because: because.to_owned() });
    }
    if let Some(given) = kind.given.filter(|_| held.is_given) {
        given.keep_written(&mut difference.body, &[]);
    }
    if difference.body.is_empty() {
        return None;
    }
    Some(Action::Update { id: Some(held.id.clone()), body: difference.body, edits: difference.edits })
}
