//! Actions: deployed before they are bound, drafts stay drafts, and circular references are completed by a second update.

use serde_json::{Value, json};

use crate::support::imports::{Imported, NOW, empty_sync_state, import, read, start};
use auth0_migrate::catalog::Catalog;
use auth0_migrate::export::{Scope, export};
use auth0_migrate::model::event::{NoObserver, Outcome};
use auth0_migrate::plan::Plan;
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::{Desired, Snapshot};

/// The result of a copy.
struct Copied {
    plan: Plan,
    /// The writes, in order: `POST /actions/actions`.
    writes: Vec<String>,
    /// The content of the target, by path.
    held: Value,
}

fn state(domain: &str, data: &Value) -> State {
    State::from_json(json!({"domain": domain, "data": data})).expect("a state")
}

async fn snapshot(data: Value, include: &[&str]) -> Snapshot {
    let (_sandbox, tenant) = start(state("alpha.eu.auth0.com", &data)).await;
    let scope = Scope { include: include.iter().map(|word| (*word).to_owned()).collect(), ..Scope::default() };
    export(Catalog::standard(), &tenant, &scope, NOW, &NoObserver).await.expect("exported")
}

/// Copies a tenant into another; nothing may be refused, and a second copy must have nothing to do.
async fn copied(source: Value, target: Value) -> Copied {
    land(&snapshot(source, &[]).await, target).await
}

async fn land(source: &Snapshot, target: Value) -> Copied {
    let (into, tenant) = start(state("omega.eu.auth0.com", &target)).await;
    let mut memory = empty_sync_state();
    let desired = Desired::unmapped(source.clone());
    let Imported { plan, summary, .. } = import(&desired, &tenant, &mut memory).await;
    let refused: Vec<_> = summary.settled.iter().filter(|one| !matches!(one.outcome, Outcome::Applied(_))).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let seen = into.requests();
    let writes = seen.iter().filter(|seen| seen.method != "GET" && !seen.path.contains("/oauth/"));
    let writes = writes.map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    let again = import(&desired, &tenant, &mut memory).await.plan;
    assert!(again.is_empty(), "{:?}", again.changes().next());
    let held = into.state().to_json()["data"].take();
    assert_eq!(read(&tenant).await.tenant, "omega.eu.auth0.com");
    Copied { plan, writes, held }
}

fn action(id: &str, name: &str, more: &Value) -> Value {
    let triggers = json!([{"id": "post-login", "version": "v3"}]);
    let mut action =
        json!({"id": id, "name": name, "code": "draft", "runtime": "node22", "status": "built", "supported_triggers": triggers});
    for (field, value) in more.as_object().expect("an object") {
        action[field] = value.clone();
    }
    action
}

/// Returns the writes without the ids that the target assigned.
fn without_ids(writes: &[String]) -> Vec<String> {
    let cut = |part: &str| if part.len() > 20 || part.starts_with("org_") { "{id}".to_owned() } else { part.to_owned() };
    writes.iter().map(|write| write.split('/').map(cut).collect::<Vec<_>>().join("/")).collect()
}

#[tokio::test]
async fn deployed_content_is_deployed_before_the_draft_is_written() {
    let source = action(
        "a1",
        "enrich",
        &json!({"all_changes_deployed": false, "deployed_version": {"code": "runs", "runtime": "node22", "number": 4}}),
    );
    let copied = copied(json!({"/actions/actions": [source]}), json!({})).await;
    let expected = ["POST /actions/actions", "POST /actions/actions/{id}/deploy", "PATCH /actions/actions/{id}"];
    assert_eq!(without_ids(&copied.writes), expected);
    let held = &copied.held["/actions/actions"][0];
    assert_eq!(
        (&held["code"], &held["deployed_version"]["code"], &held["all_changes_deployed"]),
        (&json!("draft"), &json!("runs"), &json!(false))
    );
}

#[tokio::test]
async fn a_draft_that_was_never_deployed_is_not_deployed_in_the_target() {
    let source = action("a1", "enrich", &json!({"all_changes_deployed": false}));
    let target = action(
        "b1",
        "enrich",
        &json!({"code": "old", "all_changes_deployed": true, "deployed_version": {"code": "old", "runtime": "node22"}}),
    );
    let copied = copied(json!({"/actions/actions": [source]}), json!({"/actions/actions": [target]})).await;
    assert_eq!(copied.writes, ["PATCH /actions/actions/b1"]);
    let held = &copied.held["/actions/actions"][0];
    assert_eq!((&held["code"], &held["deployed_version"]["code"]), (&json!("draft"), &json!("old")));
}

#[tokio::test]
async fn an_action_with_different_deployed_content_is_deployed_although_the_drafts_are_equal() {
    let source = action("a1", "enrich", &json!({"all_changes_deployed": true}));
    let target = action("b1", "enrich", &json!({"all_changes_deployed": false, "deployed_version": {"code": "old", "runtime": "node22"}}));
    let copied = copied(json!({"/actions/actions": [source]}), json!({"/actions/actions": [target]})).await;
    assert_eq!(copied.writes, ["POST /actions/actions/b1/deploy"]);
}

#[tokio::test]
async fn code_that_mentions_later_resources_is_deployed_and_bound_once_complete() {
    let source = action("a1", "enrich", &json!({"code": "'con_alpha0000000001'", "all_changes_deployed": true}));
    let bound = json!({"id": "bind1", "display_name": "Enrich", "action": {"id": "a1", "name": "enrich"}});
    let data = json!({"/actions/actions": [source], "/actions/triggers/post-login/bindings": [bound],
        "/connections": [{"id": "con_alpha0000000001", "name": "users", "strategy": "auth0", "realms": ["users"], "options": {}}]});
    let copied = copied(data, json!({})).await;
    let expected = [
        "POST /actions/actions",
        "POST /connections",
        "PATCH /actions/actions/{id}",
        "POST /actions/actions/{id}/deploy",
        "PATCH /actions/triggers/post-login/bindings",
    ];
    assert_eq!(without_ids(&copied.writes), expected);
    let connection = copied.held["/connections"][0]["id"].as_str().expect("an id");
    assert_eq!(copied.held["/actions/actions"][0]["deployed_version"]["code"], json!(format!("'{connection}'")));
}

#[tokio::test]
async fn bindings_that_only_the_target_has_are_kept_after_the_others() {
    let source = action("a1", "enrich", &json!({"all_changes_deployed": true}));
    let market = action("m1", "Arengu", &json!({"all_changes_deployed": true, "integration": {"id": "x"}}));
    let bound = |id: &str, name: &str| json!({"id": "bind", "display_name": name, "action": {"id": id, "name": name}});
    let path = "/actions/triggers/post-login/bindings";
    let target = json!({"/actions/actions": [market], path: [bound("m1", "Arengu")]});
    let copied = copied(json!({"/actions/actions": [source], path: [bound("a1", "enrich")]}), target).await;
    let names: Vec<_> = copied.held[path]["bindings"].as_array().expect("a list").iter().map(|one| &one["action"]["name"]).collect();
    assert_eq!(names, ["enrich", "Arengu"]);
}

#[tokio::test]
async fn secrets_of_code_and_streams_are_reported_before_the_first_write() {
    let source = action("a1", "enrich", &json!({"secrets": [{"name": "API_KEY", "updated_at": "2026-01-01T00:00:00Z"}]}));
    let webhook = json!({"webhook_endpoint": "https://hooks.acme.com", "webhook_authorization": {"method": "bearer"}});
    let data = json!({
        "/actions/actions": [source],
        "/flows/vault/connections": [{"id": "ac_1", "name": "Crm", "app_id": "HTTP"}],
        "/event-streams": [{"id": "est_1", "name": "Users", "subscriptions": [], "destination": {"type": "webhook", "configuration": webhook}}],
        "/log-streams": [
            {"id": "lst_1", "name": "Datadog", "type": "datadog", "status": "active", "sink": {"datadogApiKey": "CANARY-1", "datadogRegion": "eu"}},
            {"id": "lst_2", "name": "Own", "type": "http", "status": "active", "sink": {"httpEndpoint": "https://logs.acme.com", "httpAuthorization": "CANARY-2"}}
        ],
    });
    let copied = copied(data, json!({})).await;
    let manual: Vec<String> = copied.plan.manual_steps.iter().map(|manual| format!("{} {}", manual.key, manual.path)).collect();
    for named in [
        "actions/enrich secrets[API_KEY].value",
        "flow-vault-connections/Crm setup",
        "event-streams/Users destination",
        "log-streams/Datadog sink",
        "log-streams/Own sink.httpAuthorization",
    ] {
        assert!(manual.contains(&named.to_owned()), "{named} of {manual:?}");
    }
    let skipped: Vec<String> = copied.plan.skipped.iter().map(|left| left.key.to_string()).collect();
    assert_eq!(skipped, ["log-streams/Datadog", "event-streams/Users"]);
    assert!(!copied.held.to_string().contains("CANARY"));
}

/// Returns the fields of a client that a tenant fills in.
fn defaults_of_a_client() -> Value {
    let mut tenant = state("alpha.eu.auth0.com", &json!({}));
    tenant.ask("POST", "/clients", json!({"name": "Web"})).body
}

#[tokio::test]
async fn circular_references_are_completed_by_later_updates() {
    let organization = json!({"organization_id": "org_alpha0000000001", "flows": ["client_credentials"]});
    let mut web = defaults_of_a_client();
    web["client_id"] = "AlphaClient000000000001".into();
    web["default_organization"] = organization;
    let data = json!({
        "/clients": [web],
        "/organizations": [{"id": "org_alpha0000000001", "name": "acme"}],
        "/organizations/org_alpha0000000001/connections": [{"connection_id": "con_alpha0000000001", "assign_membership_on_login": true}],
        "/connections": [{"id": "con_alpha0000000001", "name": "users", "strategy": "auth0", "realms": ["users"], "options": {}}],
        "/connections/con_alpha0000000001/clients": [{"client_id": "AlphaClient000000000001"}],
    });
    let copied = copied(data, json!({})).await;
    let last = copied.writes.last().expect("a write");
    assert!(last.starts_with("PATCH /clients/"), "{last}");
    let organization = copied.held["/organizations"][0]["id"].clone();
    assert_eq!(copied.held["/clients"][0]["default_organization"]["organization_id"], organization);
    assert!(!copied.held.to_string().contains("lpha"), "an id of the source is there");
}

#[tokio::test]
async fn a_third_party_client_is_copied_only_on_request() {
    let mut partner = defaults_of_a_client();
    partner["is_first_party"] = false.into();
    let data = json!({"/clients": [partner]});
    let left = land(&snapshot(data.clone(), &[]).await, json!({})).await;
    assert_eq!((left.writes.len(), left.plan.excluded.len()), (0, 1));
    let asked = land(&snapshot(data, &["third-party"]).await, json!({})).await;
    assert_eq!((asked.writes, asked.plan.excluded.len()), (vec!["POST /clients".to_owned()], 0));
}

#[tokio::test]
async fn the_classic_login_page_belongs_to_the_targets_own_global_client() {
    let global = |id: &str, page: &str| json!({"client_id": id, "name": "All Applications", "global": true, "custom_login_page": page});
    let (source, target) =
        (json!({"/clients": [global("AlphaGlobal0000000001", "new")]}), json!({"/clients": [global("OmegaGlobal0000000001", "old")]}));
    let copied = copied(source, target).await;
    assert_eq!(copied.writes, ["PATCH /clients/OmegaGlobal0000000001"]);
    assert_eq!(copied.held["/clients"][0]["custom_login_page"], json!("new"));
}
