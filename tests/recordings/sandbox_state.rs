//! The state of a sandbox as a file: saving, loading, and the content of a new tenant.

use std::collections::BTreeSet;

use auth0_migrate::sandbox::{State, seed};
use serde_json::{Value, json};

use crate::support::auth0_reference;

fn assert_loads_again(name: &str, state: &State) {
    let saved = state.to_json();
    let again = State::from_json(saved.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(again.to_json(), saved, "{name}");
}

#[test]
fn a_saved_state_loads_unchanged() {
    let state = |text: &str| State::from_json(serde_json::from_str(text).expect("JSON")).expect("a state");
    assert_loads_again("dev", &state(seed::ACME_DEV));
    assert_loads_again("prod", &state(seed::ACME_PROD));
    assert_loads_again("new", &State::empty("acme.eu.auth0.com"));
    let Some(folder) = auth0_reference::path("recorded/tenants") else { return };
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_loads_again(&path.display().to_string(), &State::load(&path).expect("a state"));
    }
}

/// The requests and responses by which a client of the API sees a new tenant.
#[test]
fn a_new_tenant_has_what_auth0_itself_creates() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    let mut get = |path: &str| tenant.ask("GET", path, Value::Null).body;
    let names = |list: Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(get("/clients?per_page=100&is_global=true")), ["All Applications"]);
    assert_eq!(names(get("/clients?per_page=100&is_global=false")), [] as [&str; 0]);
    assert_eq!(names(get("/resource-servers?per_page=100")), ["Auth0 Management API"]);
    assert_eq!(names(get("/guardian/factors")).len(), 8);
    assert_eq!(get("/actions/triggers")["triggers"].as_array().map(Vec::len), Some(13));
    assert_eq!(get("/tenants/settings")["enabled_locales"], json!(["en"]));
    assert_eq!(get("/prompts"), json!({"universal_login_experience": "new", "identifier_first": true}));
    assert_eq!(get("/attack-protection/brute-force-protection")["max_attempts"], 10);
    assert_eq!(get("/custom-domains/default"), json!({"domain": "acme.eu.auth0.com"}));
    for empty in ["/connections", "/organizations", "/roles", "/rules", "/client-grants"] {
        assert_eq!(get(empty), json!([]), "{empty}");
    }
}

#[test]
fn a_list_of_bindings_ends() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    let trigger = json!([{"id": "post-login", "version": "v3"}]);
    for name in ["a", "b", "c"] {
        let made = tenant.ask("POST", "/actions/actions", json!({"name": name, "supported_triggers": trigger, "code": "", "deploy": true}));
        assert_eq!(made.status, 201, "{:?}", made.body);
        assert_eq!((&made.body["all_changes_deployed"], &made.body["deploy"]), (&json!(true), &Value::Null));
    }
    let bound = |name: &str| json!({"ref": {"type": "action_name", "value": name}, "display_name": name});
    let sent = json!({"bindings": [bound("a"), bound("b"), bound("c")]});
    assert_eq!(tenant.ask("PATCH", "/actions/triggers/post-login/bindings", sent).status, 200);
    let mut page = |page: usize| {
        let body = tenant.ask("GET", &format!("/actions/triggers/post-login/bindings?page={page}&per_page=2"), Value::Null).body;
        (body["bindings"].as_array().map(Vec::len), body["total"].as_u64(), body["per_page"].as_u64())
    };
    assert_eq!([page(0), page(1), page(2)], [(Some(2), Some(3), Some(2)), (Some(1), Some(3), Some(2)), (Some(0), Some(3), Some(2))]);
    assert_eq!(
        tenant.ask("GET", "/actions/triggers/credentials-exchange/bindings?page=0&per_page=50", Value::Null).body,
        json!({"bindings": [], "per_page": 50})
    );
}

#[test]
fn a_list_of_forms_counts_their_flows_but_a_single_read_does_not() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    let node = |id: &str, flow: &str| json!({"id": id, "type": "FLOW", "config": {"flow_id": flow, "next_node": "$ending"}});
    let flow = |at: char| format!("af_{}", at.to_string().repeat(22));
    let sent = json!({"name": "Form", "nodes": [node("a", &flow('a')), node("b", &flow('a')), node("c", &flow('b'))]});
    let made = tenant.ask("POST", "/forms", sent);
    assert_eq!((made.status, &made.body["flow_count"]), (201, &Value::Null), "{:?}", made.body);
    let id = made.body["id"].as_str().expect("an id");
    assert_eq!(tenant.ask("GET", &format!("/forms/{id}"), Value::Null).body["flow_count"], Value::Null);
    assert_eq!(tenant.ask("GET", "/forms?page=0&per_page=100", Value::Null).body[0]["flow_count"], 2);
}

#[test]
fn texts_that_were_never_written_are_empty_and_not_missing() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    let made = tenant.ask("POST", "/self-service-profiles", json!({"name": "Profile"})).body;
    let id = made["id"].as_str().expect("an id");
    for path in [
        "/prompts/login/custom-text/en".to_owned(),
        "/prompts/login/partials".to_owned(),
        format!("/self-service-profiles/{id}/custom-text/en/get-started"),
    ] {
        let answer = tenant.ask("GET", &path, Value::Null);
        assert_eq!((answer.status, answer.body), (200, json!({})), "{path}");
    }
}

#[test]
fn clients_are_filtered_by_several_types_at_once() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    for kind in ["native", "spa", "regular_web", "non_interactive"] {
        assert_eq!(tenant.ask("POST", "/clients", json!({"name": kind, "app_type": kind})).status, 201);
    }
    let found = tenant.ask("GET", "/clients?app_type=spa,native&include_totals=true&per_page=50", Value::Null).body;
    let names: BTreeSet<&str> = found["clients"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!((names, &found["total"]), (BTreeSet::from(["native", "spa"]), &json!(2)));
}

#[test]
fn a_log_stream_keeps_the_type_of_its_sink() {
    let mut tenant = State::empty("acme.eu.auth0.com");
    let sent = json!({"name": "Web", "type": "http", "sink": {"httpEndpoint": "https://logs.acme.com"}});
    let made = tenant.ask("POST", "/log-streams", sent);
    let path = format!("/log-streams/{}", made.body["id"].as_str().expect("an id"));
    let refused = tenant.ask("PATCH", &path, json!({"sink": {"datadogApiKey": "key", "datadogRegion": "us"}}));
    let reason = "'Additional properties not allowed: datadogApiKey,datadogRegion' on property sink";
    assert_eq!((refused.status, &refused.body["message"]), (400, &json!(format!("Payload validation error: {reason}."))));
    assert_eq!(tenant.ask("PATCH", &path, json!({"sink": {"httpEndpoint": "https://other.acme.com"}})).status, 200);
}
