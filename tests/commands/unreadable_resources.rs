//! Resources that a tenant does not return are neither deleted nor copied: they stay in the target and are reported.

use std::io;
use std::path::Path;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::diagnostic::Text;
use auth0_migrate::export::{Scope, export};
use auth0_migrate::files;
use auth0_migrate::mapping::{MappedSource, Mapping};
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::resource::Key;
use auth0_migrate::model::selection::Selection;
use auth0_migrate::plan::{Action, Plan, drift_of};
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::{Desired, Snapshot, Status, Unseen};
use serde_json::{Value, json};

use crate::support::imports::{empty_sync_state, import_with, planned, read, start};

const DEV: &str = "acme-dev.eu.auth0.com";
const PROD: &str = "acme-prod.eu.auth0.com";
const SPARED_BY: &str = "; to accept this, add a rule with `skip = true` to the mapping";

/// A tenant with two organizations that each have a connection and a domain, two roles with a permission, and texts in
/// two prompts.
fn dev() -> Value {
    let mut data = json!({
        "/tenants/settings": {"enabled_locales": ["en"]},
        "/connections": [{"id": "con_devGuest00000001", "name": "Guest", "strategy": "samlp", "options": {}}],
        "/resource-servers": [{"id": "5f0000000000000000000001", "name": "A", "identifier": "urn:a", "scopes": [{"value": "read:a"}]}],
        "/roles": [], "/organizations": [],
        "/email-templates/welcome_email": email("welcome_email"), "/email-templates/verify_email": email("verify_email"),
        "/prompts/login/custom-text/en": {"login": {"title": "Welcome"}}, "/prompts/signup/custom-text/en": {"signup": {"title": "Join"}},
    });
    for name in ["alpha", "beta"] {
        let (organization, role) = (format!("org_{name:0>16}"), format!("rol_{name:0>16}"));
        let push = |list: &mut Value, one: Value| list.as_array_mut().expect("a list").push(one);
        push(&mut data["/organizations"], json!({"id": organization, "name": name}));
        push(&mut data["/roles"], json!({"id": role, "name": name, "description": name}));
        data[format!("/organizations/{organization}/connections")] =
            json!([{"connection_id": "con_devGuest00000001", "assign_membership_on_login": true, "show_as_button": false}]);
        data[format!("/roles/{role}/permissions")] =
            json!([{"permission_name": "read:a", "resource_server_identifier": "urn:a", "resource_server_name": "A", "description": ""}]);
    }
    data
}

fn email(template: &str) -> Value {
    json!({"template": template, "body": "Hello", "from": "a@acme.example", "subject": "Hi", "syntax": "liquid", "enabled": true})
}

/// Reads dev with one request answered like this.
async fn shown(path: &str, status: u16, message: &str) -> Snapshot {
    let body = json!({"statusCode": status, "error": "Refused", "message": message});
    let refuse = json!([{"method": "GET", "path": format!("^{path}$"), "status": status, "body": body}]);
    let refuse = if path.is_empty() { json!([]) } else { refuse };
    let (_sandbox, tenant) = start(State::from_json(json!({"domain": DEV, "data": dev(), "refuse": refuse})).expect("a state")).await;
    read(&tenant).await
}

/// Returns the resources that a plan skips as a whole, each with the reason.
fn skipped(plan: &Plan) -> Vec<String> {
    plan.skipped.iter().filter(|left| left.path.is_none()).map(|left| format!("{}: {}", left.key, left.reason)).collect()
}

fn removed(plan: &Plan) -> Vec<String> {
    let removes = plan.changes().filter(|change| matches!(change.action, Action::Delete { .. } | Action::Elements { .. }));
    removes.map(|change| change.key.to_string()).collect()
}

/// Imports dev, then imports it again with pruning and one request answered like this; returns the second plan.
async fn pruned_after(path: &str, status: u16, message: &str) -> Plan {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let mut memory = empty_sync_state();
    import_with(&Desired::unmapped(shown("", 0, "").await), &tenant, &mut memory, false).await;
    import_with(&Desired::unmapped(shown(path, status, message).await), &tenant, &mut memory, true).await.plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_the_source_no_longer_returns_do_not_count_as_deleted_and_are_reported() {
    let told = |said: &str| format!("it is not deleted, because {DEV} may still have it: the tenant answered {said}");
    let refused = |said: &str| format!("{DEV} does not return it: the tenant answered {said}");
    let cases = [
        ("/prompts/login/custom-text/en", 400, "prompt-custom-text/login · en", told("400: No")),
        ("/roles/rol_00000000000alpha/permissions", 404, "role-permissions/alpha", told("404: No")),
        ("/roles/rol_00000000000alpha/permissions", 400, "role-permissions/alpha", refused("400: No")),
        ("/organizations/org_00000000000alpha/connections", 404, "organization-connections/alpha · Guest", told("404: No")),
        ("/email-templates/welcome_email", 409, "email-templates/welcome_email", refused("409: No")),
    ];
    for (path, status, key, reason) in cases {
        let plan = pruned_after(path, status, "No").await;
        assert_eq!((removed(&plan), skipped(&plan)), (Vec::new(), vec![format!("{key}: {reason}")]), "{path} {status}");
    }
    let plan = pruned_after("/organizations/org_00000000000alpha/connections", 400, "No").await;
    let expected = [
        format!("organization-connections/alpha: {}{SPARED_BY}", refused("400: No")),
        format!("organization-connections/alpha · Guest: {}", told("400: No")),
    ];
    assert_eq!((removed(&plan), skipped(&plan)), (Vec::new(), expected.to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_parent_affects_only_its_own_children() {
    let has = |snapshot: &Snapshot, kind: &str| {
        let seen = snapshot.of_kind(kind).filter(|one| one.excluded.is_none());
        seen.map(|one| one.key.name().to_owned()).collect::<Vec<_>>()
    };
    let seen = shown("/roles/rol_00000000000alpha/permissions", 400, "No").await;
    assert_eq!(has(&seen, "role-permissions"), ["beta"]);
    let seen = shown("/organizations/org_00000000000alpha/connections", 403, "Please upgrade your subscription").await;
    assert_eq!(has(&seen, "organization-connections"), ["beta · Guest"]);
    let all = shown("/organizations/.*/connections", 400, "No").await;
    assert!(matches!(&all.kinds["organization-connections"], Status::Refused(reason) if reason.contains("400: No")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_the_target_does_not_return_are_not_overwritten() {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let mut memory = empty_sync_state();
    let desired = Desired::unmapped(shown("", 0, "").await);
    import_with(&desired, &tenant, &mut memory, false).await;
    for (kind, name, parent) in [("organization-connections", "alpha · Guest", "organizations"), ("role-permissions", "alpha", "roles")] {
        let mut live = read(&tenant).await;
        let above = live.of_kind(parent).find(|one| one.key.name() == "alpha").expect("a parent").id.clone();
        live.resources.retain(|one| one.key.to_string() != format!("{kind}/{name}"));
        let unseen = Unseen { id: above, name: "alpha".into(), reason: "the tenant answered 400: No".into(), is_refused: true };
        live.kinds.insert(kind.to_owned(), Status::InPart(vec![unseen]));
        let plan = planned(&desired, &live, &memory);
        assert_eq!(skipped(&plan), [format!("{kind}/{name}: the target does not return it: the tenant answered 400: No")]);
        assert!(plan.is_empty(), "{:?}", plan.changes().next());
        let drifted = drift_of(Catalog::standard(), &memory.base, &live);
        assert_eq!(drifted.gone, Vec::<Key>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_unknown_to_both_is_ignored_and_one_the_subscription_lacks_is_excluded() {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let unknown = Desired::unmapped(shown("/prompts/login/custom-text/en", 400, "No such prompt").await);
    let plan = import_with(&unknown, &tenant, &mut empty_sync_state(), true).await.plan;
    assert_eq!(skipped(&plan), [""; 0]);
    let lacking = Desired::unmapped(shown("/email-templates/welcome_email", 403, "Please upgrade your subscription").await);
    let plan = import_with(&lacking, &tenant, &mut empty_sync_state(), true).await.plan;
    assert_eq!(skipped(&plan), [""; 0]);
    assert!(plan.excluded.iter().any(|left| left.key.to_string() == "email-templates/welcome_email"));
}

/// Reads the selected part of dev with one request answered like this.
async fn selected(only: &str, path: &str) -> Snapshot {
    let refuse = json!([{"method": "GET", "path": format!("^{path}$"), "status": 400, "body": {"statusCode": 400, "message": "No"}}]);
    let state = State::from_json(json!({"domain": DEV, "data": dev(), "refuse": refuse})).expect("a state");
    let (_sandbox, tenant) = start(state).await;
    let selection = Selection::read(Catalog::standard(), &[], &[only.to_owned()], &[]).expect("a selection");
    let scope = Scope { selection, ..Scope::default() };
    export(Catalog::standard(), &tenant, &scope, "2026-01-01T00:00:00Z", &NoObserver).await.expect("exported")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_resources_are_reported_in_partial_reads_too() {
    let refused = "/organizations/org_00000000000alpha/connections";
    for (only, is_named) in [
        ("organization-connections/*", true),
        ("*/alpha*", true),
        ("organization-connections/alpha · Guest", true),
        ("organization-connections/beta*", false),
        ("clients/*", false),
    ] {
        let snapshot = selected(only, refused).await;
        let unread: Vec<String> = snapshot.unread().map(|(key, _)| key.to_string()).collect();
        assert_eq!(unread, if is_named { vec!["organization-connections/alpha"] } else { Vec::new() }, "{only}");
        assert!(!snapshot.is_complete("organization-connections"), "{only}");
    }
}

/// Applies a rule that skips resources.
fn skipping(matched: &str, snapshot: Snapshot) -> MappedSource {
    let rules = format!("[[rule]]\nmatch = \"{matched}\"\nskip = true\n");
    let text = Text { path: Path::new("skips.toml"), text: &rules };
    let no_table = |table: &Path| Err(files::Error::reading(table)(io::ErrorKind::NotFound.into()));
    let mapping = Mapping::parse(Catalog::standard(), text, &no_table).expect("a mapping");
    mapping.apply(Catalog::standard(), snapshot).expect("names of their own")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_resources_are_skipped_until_a_rule_accepts_them() {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let live = read(&tenant).await;
    let (of_all, of_alpha) = ("/organizations/[^/]*/connections", "/organizations/org_00000000000alpha/connections");
    let (all, alpha) = ("organization-connections", "organization-connections/alpha");
    for (path, keys, rule) in [
        ("/branding/themes/default", &["branding-theme"][..], "branding-theme"),
        (of_all, &[all], "organization-connections/*"),
        (of_all, &[all], "organizations"),
        (of_alpha, &[alpha], alpha),
        (of_alpha, &[alpha], "organizations/alpha"),
        (of_alpha, &[alpha], "organization-connections/alpha · *"),
    ] {
        let snapshot = shown(path, 400, "No").await;
        let plan = planned(&Desired::unmapped(snapshot.clone()), &live, &empty_sync_state());
        let reason = format!("{DEV} does not return it: the tenant answered 400: No{SPARED_BY}");
        let told = skipped(&plan);
        assert!(keys.iter().all(|key| told.contains(&format!("{key}: {reason}"))), "{path}: {told:?}");
        let mapped = skipping(rule, snapshot);
        assert_eq!(mapped.unmatched, [], "{rule}");
        let plan = planned(&mapped.desired, &live, &empty_sync_state());
        assert_eq!(skipped(&plan), [""; 0], "{rule}");
        assert!(keys.iter().all(|key| plan.excluded.iter().any(|left| left.key.to_string() == **key)), "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_one_child_accepts_nothing_else_below_the_parent() {
    let refused = shown("/organizations/org_00000000000alpha/connections", 400, "No").await;
    assert!(skipping("organization-connections/alpha · Guest", refused).desired.spared.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skipped_resources_stay_in_the_target_without_further_reports() {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let mut memory = empty_sync_state();
    import_with(&Desired::unmapped(shown("", 0, "").await), &tenant, &mut memory, false).await;
    for status in [400, 404] {
        let refused = shown("/organizations/org_00000000000alpha/connections", status, "No").await;
        let desired = skipping("organization-connections/alpha", refused).desired;
        let plan = import_with(&desired, &tenant, &mut memory, true).await.plan;
        assert_eq!((removed(&plan), skipped(&plan)), (Vec::new(), Vec::new()), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_a_tenant_does_not_serve_is_ignored() {
    let (_into, tenant) = start(State::empty(PROD)).await;
    let live = read(&tenant).await;
    for status in [402, 404, 410, 501] {
        let plan = planned(&Desired::unmapped(shown("/log-streams", status, "No").await), &live, &empty_sync_state());
        assert_eq!(skipped(&plan), [""; 0], "{status}");
    }
}
