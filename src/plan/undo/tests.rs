//! Tests of which parts of a run an undo reverts, which it keeps, and how it reports them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{AppliedRun, Recreated, undo};
use crate::catalog::Catalog;
use crate::json::Body;
use crate::model::resource::{Id, Resource, key};
use crate::plan::model::{Action, Change, Edit, Plan, PlannedTenant, SecretField, Skipped, Stage};
use crate::snapshot::{Snapshot, Status};

fn body(value: Value) -> Body {
    Body::from_value(value).expect("an object")
}

/// A tenant with these resources, whose ids equal their keys.
fn live(resources: &[(&str, Value)]) -> Snapshot {
    let resources = resources.iter().map(|(name, held)| Resource::new(key(name), Id::new(*name), body(held.clone())));
    let kinds = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
    let (tenant, domain, taken) = ("prod".to_owned(), "prod.auth0.com".to_owned(), String::new());
    Snapshot { tenant, domain, taken, kinds, resources: resources.collect(), twice: Vec::new(), selection: None }
}

/// Undoes a run with these changes, each by its key.
fn taken_back(changes: Vec<(&str, Action, Vec<SecretField>)>, live: &Snapshot) -> Plan {
    let side = |name: &str| PlannedTenant::new(name, &format!("{name}.auth0.com"), "");
    let mut plan = Plan::between(side("dev"), side("prod"));
    let mut applied = BTreeMap::new();
    for (at, (name, action, secrets)) in changes.into_iter().enumerate() {
        let key = key(name);
        applied.insert(at, Id::new(name));
        let change = Change { key, source_id: Id::new("s"), action, needs: Vec::new(), secrets };
        plan.stages.push(Stage { title: String::new(), changes: vec![change] });
    }
    undo(
        Catalog::standard(),
        AppliedRun { name: "r1", plan: &plan, applied: &applied, unclear: &BTreeSet::new(), again: &Recreated::default() },
        live,
        &|_| true,
    )
    .0
}

fn edited(path: &str, old: Value, new: Value) -> Action {
    let id = Some(Id::new("clients/Web"));
    Action::Update { id, body: Body::new(), edits: vec![Edit { path: path.into(), old: Some(old), new: Some(new) }] }
}

fn named(plan: &Plan) -> Vec<String> {
    let path = |left: &Skipped| left.path.as_ref().map(|path| format!(", {path}")).unwrap_or_default();
    plan.skipped.iter().map(|left| format!("{}{}: {}", left.key, path(left), left.reason)).collect()
}

#[test]
fn a_sent_secret_is_kept_and_reported() {
    let secret = SecretField { path: "client_secret".into(), from: "env:S".into(), is_changed: false };
    let plan = taken_back(
        vec![("clients/Web", edited("description", json!("old"), json!("new")), vec![secret])],
        &live(&[("clients/Web", json!({"name": "Web", "description": "new"}))]),
    );
    assert_eq!(named(&plan), ["clients/Web, client_secret: the run sent a secret, and the previous secret cannot be read"]);
    let bodies: Vec<&Action> = plan.changes().map(|change| &change.action).collect();
    let back = Edit { path: "description".into(), old: Some(json!("new")), new: Some(json!("old")) };
    let update = Action::Update { id: Some(Id::new("clients/Web")), body: body(json!({"description": "old"})), edits: vec![back] };
    assert_eq!(bodies, [&update]);
}

#[test]
fn a_deleted_resource_is_reported_and_an_already_restored_one_needs_nothing() {
    let gone = taken_back(vec![("clients/Web", edited("description", json!("old"), json!("new")), Vec::new())], &live(&[]));
    assert_eq!((named(&gone), gone.is_empty()), (vec!["clients/Web: it no longer exists in the target".to_owned()], true));
    let held = live(&[("clients/Web", json!({"name": "Web", "description": "old"}))]);
    let back = taken_back(vec![("clients/Web", edited("description", json!("old"), json!("new")), Vec::new())], &held);
    assert_eq!((named(&back), back.is_empty()), (Vec::new(), true));
}

#[test]
fn a_deleted_resource_is_recreated_unless_its_name_is_taken() {
    let removed = || Action::Delete { id: Id::new("clients/Web"), body: body(json!({"name": "Web", "description": "old"})) };
    let again = taken_back(vec![("clients/Web", removed(), Vec::new())], &live(&[]));
    assert_eq!((again.counts().creates, named(&again)), (1, Vec::new()));
    assert_eq!(again.notes, ["client \"Web\" is created again, with a new id"]);
    let mut other = live(&[("clients/Web", json!({"name": "Web"}))]);
    other.resources[0].id = Id::new("other");
    let taken = taken_back(vec![("clients/Web", removed(), Vec::new())], &other);
    assert_eq!(
        (taken.is_empty(), named(&taken)),
        (true, vec!["clients/Web: the target now has another resource with this name".to_owned()])
    );
}

/// An update that added a field.
fn added(id: &str, path: &str, new: Value) -> Action {
    let edits = vec![Edit { path: path.into(), old: None, new: Some(new) }];
    Action::Update { id: Some(Id::new(id)), body: Body::new(), edits }
}

#[test]
fn added_options_are_removed_although_options_are_merged() {
    let held = live(&[("connections/db", json!({"name": "db", "options": {"mfa": {"active": true}, "import_mode": true}}))]);
    let back = taken_back(vec![("connections/db", added("connections/db", "options.mfa.active", json!(true)), Vec::new())], &held);
    let edits = back.changes().filter_map(|change| match &change.action {
        Action::Update { edits, .. } => Some(edits.as_slice()),
        _ => None,
    });
    let gone = [Edit { path: "options.mfa".into(), old: Some(json!({"active": true})), new: None }];
    assert_eq!((edits.collect::<Vec<_>>(), named(&back)), (vec![&gone[..]], Vec::new()));
}

#[test]
fn options_added_to_an_empty_object_are_reported_one_by_one_if_kept() {
    let options = json!({"authentication_methods": {"password": {"enabled": true}}, "passkey_options": {"challenge_ui": "both"}, "mfa": {"active": true}});
    let held = live(&[("connections/db", json!({"name": "db", "options": options}))]);
    let paths = ["options.authentication_methods.password.enabled", "options.passkey_options.challenge_ui", "options.mfa.active"];
    let run = paths.map(|path| {
        let body = held.resources[0].body.open();
        Edit { path: path.into(), old: None, new: body.get(path).cloned() }
    });
    let run = Action::Update { id: Some(Id::new("connections/db")), body: Body::new(), edits: run.to_vec() };
    let back = taken_back(vec![("connections/db", run, Vec::new())], &held);
    let reason = "it differs in the target, and the API has no way to clear it";
    let stays = ["authentication_methods", "passkey_options"].map(|name| format!("connections/db, options.{name}: {reason}"));
    assert_eq!(named(&back), stays);
    let sent: Vec<&Action> = back.changes().map(|change| &change.action).collect();
    let gone = Edit { path: "options.mfa".into(), old: Some(json!({"active": true})), new: None };
    let update = Action::Update { id: Some(Id::new("connections/db")), body: body(json!({"options": {}})), edits: vec![gone] };
    assert_eq!(sent, [&update]);
}

#[test]
fn fields_that_an_update_can_only_add_to_are_kept_and_reported() {
    let key = "attack-protection-suspicious-ip-throttling";
    let held = json!({"enabled": true, "stage": {"pre-login": {"rate": 1}, "pre-custom-token-exchange": {"rate": 2}}});
    let run = added(key, "stage.pre-custom-token-exchange.rate", json!(2));
    let back = taken_back(vec![(key, run, Vec::new())], &live(&[(key, held)]));
    let reason = format!("{key}, stage.pre-custom-token-exchange: it differs in the target, and the API has no way to clear it");
    assert_eq!((back.is_empty(), named(&back)), (true, vec![reason]));
}

#[test]
fn settings_that_the_target_did_not_have_are_kept_and_reported() {
    let run = added("prompts", "identifier_first", json!(true));
    let back = taken_back(vec![("prompts", run, Vec::new())], &live(&[("prompts", json!({"identifier_first": true}))]));
    let reason = "prompts: it was not set before the run, and the API cannot clear it";
    assert_eq!((back.is_empty(), named(&back)), (true, vec![reason.to_owned()]));
}

#[test]
fn dangling_references_are_reported_about_the_target() {
    let held =
        json!({"name": "Web", "description": "new", "default_organization": {"organization_id": "org_1", "flows": ["client_credentials"]}});
    let run = edited("default_organization.flows", json!(["a"]), json!(["client_credentials"]));
    let back = taken_back(vec![("clients/Web", run, Vec::new())], &live(&[("clients/Web", held)]));
    let reason = "clients/Web, default_organization: it refers to organizations \"org_1\", which the target does not have";
    assert_eq!(named(&back), [reason]);
}
