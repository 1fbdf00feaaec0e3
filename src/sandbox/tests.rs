//! Tests of the sandbox over HTTP, as the rest of the crate uses it.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ApiResponse, Fault, Options, RequestStats, Sandbox, State};
use crate::catalog::limits::Tier;
use crate::catalog::{Catalog, ElementChanges, Kind, Paging};

const DOMAIN: &str = "acme-dev.eu.auth0.com";
const CREDENTIALS: (&str, &str) = ("tool", "tool-secret");

/// A client that sends requests to one sandbox with a token.
struct TestClient {
    sandbox: Sandbox,
    http: reqwest::Client,
    token: String,
}

/// A response.
struct TestResponse {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl TestClient {
    async fn start(options: Options) -> Self {
        // In a second test it is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start(options.credentials(CREDENTIALS.0, CREDENTIALS.1)).await.expect("a free port");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let token = sandbox.token(&[]);
        Self { sandbox, http, token }
    }

    async fn empty() -> Self {
        Self::start(Options::new(State::empty(DOMAIN))).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Result<TestResponse, reqwest::Error> {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}/api/v2{path}", self.sandbox.url())).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        Ok(TestResponse { status, headers, body: serde_json::from_str(&text).unwrap_or_default() })
    }

    async fn get(&self, path: &str) -> TestResponse {
        self.send("GET", path, Value::Null).await.expect("an answer")
    }

    async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send("POST", path, body).await.expect("an answer")
    }

    async fn make_clients(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..count {
            let made = self.post("/clients", json!({"name": format!("Client {number}")})).await;
            ids.push(made.body["client_id"].as_str().expect("an id").to_owned());
        }
        ids
    }
}

fn ids<'value>(list: &'value Value, field: &str) -> Vec<&'value str> {
    list.as_array().expect("a list").iter().map(|element| element[field].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn credentials_get_a_token_with_every_scope_by_json_and_by_form() {
    let caller = TestClient::empty().await;
    let url = format!("{}/oauth/token", caller.sandbox.url());
    let audience = format!("https://{DOMAIN}/api/v2/");
    let json = json!({"grant_type": "client_credentials", "client_id": "tool", "client_secret": "tool-secret", "audience": audience});
    let form =
        "grant_type=client_credentials&client_id=tool&client_secret=tool-secret&audience=https%3A%2F%2Facme-dev.eu.auth0.com%2Fapi%2Fv2%2F";
    for (kind, body) in [("application/json", json.to_string()), ("application/x-www-form-urlencoded", form.to_owned())] {
        let answer = caller.http.post(&url).header("content-type", kind).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{kind}");
        let token: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        assert!(token["scope"].as_str().expect("scopes").contains("create:client_grants"));
    }
}

#[tokio::test]
async fn a_token_is_required_and_missing_scopes_are_reported() {
    let mut caller = TestClient::empty().await;
    caller.token = "unknown".to_owned();
    let refused = caller.get("/clients").await;
    assert_eq!((refused.status, &refused.body["message"]), (401, &json!("Invalid token")));
    caller.token = caller.sandbox.token(&["read:clients"]);
    assert_eq!(caller.get("/clients").await.status, 200);
    let refused = caller.post("/clients", json!({"name": "A"})).await;
    assert_eq!(
        refused.body,
        json!({"statusCode": 403, "error": "Forbidden", "message": "Insufficient scope, expected any of: create:clients",
               "errorCode": "insufficient_scope"})
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_after_its_lifetime() {
    let caller = TestClient::start(Options::new(State::empty(DOMAIN)).token_lifetime(Duration::from_secs(60))).await;
    assert_eq!(caller.get("/clients").await.status, 200);
    tokio::time::advance(Duration::from_secs(61)).await;
    let refused = caller.get("/clients").await;
    assert_eq!((refused.status, &refused.body["message"]), (401, &json!("Expired token received for JSON Web Token validation")));
}

#[tokio::test]
async fn a_created_client_returns_its_private_key_once_and_its_secret_to_key_readers() {
    let mut caller = TestClient::empty().await;
    let made = caller.post("/clients", json!({"name": "A", "callbacks": ["https://a"]})).await;
    assert_eq!(made.status, 201);
    assert!(made.body["signing_keys"][0]["key"].as_str().expect("a key").contains("PRIVATE KEY"));
    let id = made.body["client_id"].as_str().expect("an id");
    let read = caller.get(&format!("/clients/{id}")).await.body;
    assert_eq!(read["client_secret"], made.body["client_secret"]);
    assert_eq!(read["signing_keys"][0].get("key"), None);
    assert_eq!(read.get("encrypted"), None);
    caller.token = caller.sandbox.token(&["read:clients"]);
    let read = caller.get(&format!("/clients/{id}")).await.body;
    assert_eq!((read.get("client_secret"), read.get("signing_keys")), (None, None));
}

#[tokio::test]
async fn offset_pages_have_totals_and_can_exclude_the_global_client() {
    let global = json!({"client_id": "g", "name": "All Applications", "global": true});
    let mut state = State::empty(DOMAIN).to_json();
    state["data"]["/clients"] = json!([global]);
    let caller = TestClient::start(Options::new(State::from_json(state).expect("a state"))).await;
    let made = caller.make_clients(5).await;
    let page = caller.get("/clients?page=1&per_page=2&include_totals=true&is_global=false").await.body;
    assert_eq!((&page["total"], &page["start"], &page["limit"]), (&json!(5), &json!(2), &json!(2)));
    assert_eq!(ids(&page["clients"], "client_id"), made[2..4]);
    let all = caller.get("/clients").await.body;
    assert_eq!(ids(&all, "client_id").last(), Some(&"g"));
    let refused = caller.get("/clients?per_page=500&include_totals=true").await;
    assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_query_string")));
}

#[tokio::test]
async fn checkpoints_lead_to_the_end_and_must_be_encoded() {
    let caller = TestClient::empty().await;
    let made = caller.make_clients(5).await;
    let (mut seen, mut from) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("/clients?take=2&is_global=false&include_totals=true{from}")).await.body;
        assert_eq!(page.get("total"), None);
        seen.extend(ids(&page["clients"], "client_id").into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        let refused = caller.get(&format!("/clients?take=2&from={next}")).await;
        assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_paging")));
        from = format!("&from={}", percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC));
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn connections_refuse_deep_pages_and_are_listed_by_name() {
    let caller = TestClient::empty().await;
    for name in ["zoo", "Ant", "bee"] {
        assert_eq!(caller.post("/connections", json!({"name": name, "strategy": "auth0"})).await.status, 201);
    }
    let list = caller.get("/connections").await.body;
    assert_eq!(ids(&list, "name"), ["Ant", "bee", "zoo"]);
    let refused = caller.get("/connections?page=10&per_page=100").await;
    assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_paging")));
    let again = caller.post("/connections", json!({"name": "zoo", "strategy": "auth0"})).await;
    assert_eq!((again.status, &again.body["message"]), (409, &json!("A connection with the same name already exists")));
}

#[tokio::test]
async fn clients_of_a_connection_are_switched_and_removed_with_the_client() {
    let caller = TestClient::empty().await;
    let made = caller.make_clients(2).await;
    let connection = caller.post("/connections", json!({"name": "users", "strategy": "auth0"})).await.body;
    let path = format!("/connections/{}/clients", connection["id"].as_str().expect("an id"));
    let switch = |id: &str, status: bool| json!([{"client_id": id, "status": status}]);
    for id in &made {
        assert_eq!(caller.send("PATCH", &path, switch(id, true)).await.expect("an answer").status, 204);
    }
    assert_eq!(ids(&caller.get(&path).await.body["clients"], "client_id"), made);
    assert_eq!(caller.send("PATCH", &path, switch("nobody", true)).await.expect("an answer").status, 404);
    caller.send("PATCH", &path, switch(&made[0], false)).await.expect("an answer");
    caller.send("DELETE", &format!("/clients/{}", made[1]), Value::Null).await.expect("an answer");
    assert_eq!(caller.get(&path).await.body, json!({"clients": []}));
    let many = Value::Array((0..51).map(|_| switch(&made[0], true)[0].clone()).collect());
    assert_eq!(caller.send("PATCH", &path, many).await.expect("an answer").status, 400);
}

#[tokio::test]
async fn permissions_are_added_and_removed_and_must_exist() {
    let caller = TestClient::empty().await;
    let api = json!({"identifier": "https://api", "name": "Api", "scopes": [{"value": "read:a", "description": "Read a"}]});
    assert_eq!(caller.post("/resource-servers", api).await.status, 201);
    let role = caller.post("/roles", json!({"name": "Reader"})).await;
    let path = format!("/roles/{}/permissions", role.body["id"].as_str().expect("an id"));
    let permission = |name: &str| json!({"permissions": [{"resource_server_identifier": "https://api", "permission_name": name}]});
    assert_eq!((role.status, caller.post(&path, permission("read:a")).await.status), (200, 201));
    assert_eq!(
        caller.get(&format!("{path}?per_page=100&include_totals=true")).await.body["permissions"],
        json!([{"resource_server_identifier": "https://api", "resource_server_name": "Api", "permission_name": "read:a",
                "description": "Read a"}])
    );
    assert_eq!(caller.post(&path, permission("read:b")).await.status, 404);
    assert_eq!(caller.send("DELETE", &path, permission("read:a")).await.expect("an answer").status, 204);
    assert_eq!(caller.get(&path).await.body, json!([]));
}

#[tokio::test]
async fn a_grant_requires_its_client_and_api_and_is_unique() {
    let caller = TestClient::empty().await;
    let client = caller.make_clients(1).await.remove(0);
    let audience = format!("https://{DOMAIN}/api/v2/");
    let grant = |client: &str, audience: &str| json!({"client_id": client, "audience": audience, "scope": ["read:clients"]});
    assert_eq!(caller.post("/client-grants", grant("nobody", &audience)).await.body["errorCode"], "inexistent_client");
    assert_eq!(caller.post("/client-grants", grant(&client, "https://no")).await.body["errorCode"], "inexistent_resource_server");
    assert_eq!(caller.post("/client-grants", grant(&client, &audience)).await.status, 201);
    assert_eq!(caller.post("/client-grants", grant(&client, &audience)).await.status, 409);
    let found = caller.get(&format!("/client-grants?client_id={client}")).await.body;
    assert_eq!(ids(&found, "client_id"), [client]);
}

#[tokio::test]
async fn a_template_is_absent_until_it_is_created_once() {
    let caller = TestClient::empty().await;
    let template = json!({"template": "verify_email", "body": "b", "from": "f", "subject": "s", "syntax": "liquid", "enabled": true});
    assert_eq!(caller.get("/email-templates/verify_email").await.body["errorCode"], "inexistent_email_template");
    assert_eq!(caller.send("PATCH", "/email-templates/verify_email", json!({"body": "c"})).await.expect("an answer").status, 404);
    assert_eq!(caller.post("/email-templates", template.clone()).await.status, 200);
    let again = caller.post("/email-templates", template.clone()).await;
    assert_eq!(again.body, json!({"statusCode": 409, "error": "Conflict", "message": "Template verify_email already exists."}));
    assert_eq!(caller.get("/email-templates/verify_email").await.body, template);
}

#[tokio::test]
async fn a_cut_before_a_request_changes_nothing_and_a_cut_after_keeps_the_change() {
    // The tenant's own client exists before.
    for (fault, left) in [("cut-before@w1", 1), ("cut-after@w1", 2)] {
        let faults = Fault::list(fault).expect("a fault");
        let caller = TestClient::start(Options::new(State::empty(DOMAIN)).faults(faults)).await;
        assert!(caller.send("POST", "/clients", json!({"name": "A"})).await.is_err(), "{fault}");
        assert_eq!(caller.sandbox.state().count("clients"), left, "{fault}");
        assert_eq!(caller.sandbox.requests()[0].status, 0);
        assert_eq!(caller.get("/clients").await.status, 200);
    }
}

#[tokio::test]
async fn errors_rate_limits_and_expired_tokens_occur_where_they_are_placed() {
    let faults = Fault::list("500-before@w1, 503-after@w2, 429@4x2, expired@6").expect("faults");
    let caller = TestClient::start(Options::new(State::empty(DOMAIN)).faults(faults)).await;
    assert_eq!(caller.post("/clients", json!({"name": "A"})).await.status, 500);
    assert_eq!(caller.post("/clients", json!({"name": "A"})).await.status, 503);
    assert_eq!(caller.sandbox.state().count("clients"), 2);
    let statuses = [caller.get("/roles").await, caller.get("/roles").await, caller.get("/roles").await];
    assert_eq!(statuses.each_ref().map(|reply| reply.status), [200, 429, 429]);
    assert!(statuses[1].headers.contains_key("retry-after"));
    assert_eq!(caller.get("/roles").await.status, 401);
    assert_eq!(caller.get("/roles").await.status, 401);
    assert_eq!(caller.sandbox.stats().refused, 2);
}

#[tokio::test(start_paused = true)]
async fn requests_and_those_in_flight_are_counted() {
    let options = Options::new(State::empty(DOMAIN)).latency(Duration::from_millis(150)).faults(Fault::list("429@4").expect("a fault"));
    let caller = TestClient::start(options).await;
    tokio::join!(caller.get("/roles"), caller.get("/clients"), caller.get("/rules"));
    caller.post("/roles", json!({"name": "A"})).await;
    assert_eq!(caller.sandbox.stats(), RequestStats { reads: 3, writes: 1, refused: 1, max_in_flight: 3 });
    let text = caller.http.get(format!("{}/seen", caller.sandbox.url())).send().await.expect("an answer").text().await.expect("a text");
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON"),
        json!({"reads": 3, "writes": 1, "refused": 1, "max_in_flight": 3,
        "faults": [{"fault": "429@4", "injected": 1}]})
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_counts_only_if_it_had_an_effect() {
    let faults = Fault::list("short@1, slow:1s@w1, cut-after@w2x*,503-before@w3, 500-after@9").expect("faults");
    let caller = TestClient::start(Options::new(State::empty(DOMAIN)).faults(faults)).await;
    caller.get("/roles").await;
    caller.post("/roles", json!({"name": "A"})).await;
    for name in ["B", "C"] {
        let sent = caller.http.post(format!("{}/api/v2/roles", caller.sandbox.url())).bearer_auth(&caller.token);
        sent.header("content-type", "application/json").body(json!({"name": name}).to_string()).send().await.expect_err("cut");
    }
    let injected = caller.sandbox.fault_counts();
    let injected: Vec<(&str, usize)> = injected.iter().map(|(fault, injected)| (fault.as_str(), *injected)).collect();
    // The empty list was complete, the third write was already cut, and the ninth request was never sent.
    assert_eq!(injected, [("short@1", 0), ("slow:1s@w1", 1), ("cut-after@w2x*", 2), ("503-before@w3", 0), ("500-after@9", 0)]);
}

#[tokio::test(start_paused = true)]
async fn every_success_has_rate_limit_headers_and_an_empty_bucket_refuses() {
    let caller = TestClient::start(Options::new(State::empty(DOMAIN)).rate_limit(2.0, 3)).await;
    for left in ["2", "1", "0"] {
        let reply = caller.get("/roles").await;
        assert_eq!((reply.status, reply.headers["x-ratelimit-remaining"].as_bytes()), (200, left.as_bytes()));
        assert_eq!(reply.headers["x-ratelimit-limit"], "3");
    }
    let refused = caller.get("/roles").await;
    assert_eq!(
        refused.body,
        json!({"statusCode": 429, "error": "Too Many Requests", "message": "Global limit has been reached", "errorCode": "too_many_requests"})
    );
    assert_eq!(refused.headers["retry-after"], "1");
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(caller.get("/roles").await.status, 200);
    assert_eq!(caller.get("/roles/none").await.status, 429);
}

#[tokio::test]
async fn a_published_tier_limits_an_endpoint_group_of_its_own() {
    let caller = TestClient::start(Options::new(State::empty(DOMAIN)).tier(Tier::named("essentials").expect("published"))).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(caller.get("/clients").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    assert_eq!(caller.get("/roles").await.status, 200);
}

#[tokio::test]
async fn requests_are_recorded_with_their_correlation_id() {
    let caller = TestClient::empty().await;
    let url = format!("{}/api/v2/clients", caller.sandbox.url());
    let request = caller.http.post(url).bearer_auth(&caller.token).header("x-correlation-id", "run-7").body(r#"{"name": "A"}"#);
    request.send().await.expect("an answer");
    caller.get("/clients?page=0").await;
    let seen = caller.sandbox.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].status, seen[0].correlation.as_deref()), ("POST", 201, Some("run-7")));
    assert_eq!((seen[1].path.as_str(), seen[1].is_write), ("/clients?page=0", false));
}

#[tokio::test]
async fn a_stopped_sandbox_refuses_connections() {
    let caller = TestClient::empty().await;
    assert_eq!(caller.get("/clients").await.status, 200);
    let url = caller.sandbox.url();
    caller.sandbox.stop().await;
    assert!(caller.http.get(format!("{url}/api/v2/clients")).send().await.is_err());
}

#[test]
fn a_state_is_saved_as_it_was_loaded_and_old_fields_become_lists() {
    let file = json!({
        "tenant": "acme-dev", "domain": DOMAIN,
        "data": {
            "/clients": [{"client_id": "c2", "name": "B"}, {"client_id": "c1", "name": "A"}],
            "/connections": [{"id": "con_1", "name": "users", "strategy": "auth0", "enabled_clients": ["c1"]}],
            "/roles": [{"id": "rol_1", "name": "R"}], "/roles/rol_1/permissions": [{"permission_name": "p"}],
            "/tenants/settings": {"friendly_name": "Acme"}, "/email-templates/welcome_email": {"template": "welcome_email"},
            "/branding": {"logo_url": "x"}, "/rules": [],
        },
        "absent": {"/emails/provider": {"status": 404, "body": {"statusCode": 404}}},
    });
    let mut expected = file.clone();
    expected["data"]["/connections"] = json!([{"id": "con_1", "name": "users", "strategy": "auth0"}]);
    expected["data"]["/connections/con_1/clients"] = json!([{"client_id": "c1"}]);
    let mut state = State::from_json(file).expect("a state");
    assert_eq!(state.to_json(), expected);
    assert_eq!(state.ask("GET", "/branding", Value::Null).body, json!({"logo_url": "x"}));
    assert_eq!(state.ask("GET", "/emails/provider", Value::Null).status, 404);
    assert_eq!(state.ask("GET", "/client-grants", Value::Null).body, json!([]));
}

/// Returns what this tenant fills in for a minimal body.
fn made(tenant: Value, path: &str, body: Value) -> Value {
    State::from_json(tenant).expect("a state").ask("POST", path, body).body
}

#[test]
fn a_tenant_of_an_earlier_day_fills_in_the_fields_of_that_day() {
    let on = |day: &str| made(json!({"data": {}, "day": day}), "/connections", json!({"name": "users", "strategy": "auth0"}));
    let (early, middle, late) = (on("2025-05-16"), on("2026-08-06"), on("2026-08-13"));
    assert_eq!((&early["authentication"], &early["options"]["passwordPolicy"]), (&Value::Null, &json!("good")));
    assert_eq!((&middle["authentication"], &middle["options"]["passwordPolicy"]), (&json!({"active": true}), &json!("good")));
    assert_eq!(middle["options"]["password_options"], Value::Null);
    assert_eq!((&late["options"]["passwordPolicy"], &late["options"]["password_options"]["history"]["size"]), (&Value::Null, &json!(3)));
}

#[test]
fn a_connection_returns_its_clients_until_that_field_was_removed() {
    let sent = json!({"name": "users", "strategy": "auth0", "enabled_clients": ["c1"]});
    let mut tenant = State::from_json(json!({"data": {}, "day": "2026-08-12"})).expect("a state");
    let connection = tenant.ask("POST", "/connections", sent.clone()).body;
    assert_eq!(connection["enabled_clients"], json!(["c1"]));
    let path = format!("/connections/{}", connection["id"].as_str().expect("an id"));
    assert_eq!(tenant.ask("GET", &format!("{path}/clients?take=5"), Value::Null).body, json!({"clients": [{"client_id": "c1"}]}));
    assert_eq!(tenant.ask("PATCH", &path, json!({"enabled_clients": ["c2"]})).body["enabled_clients"], json!(["c2"]));
    assert_eq!(tenant.ask("GET", &path, Value::Null).body["enabled_clients"], json!(["c2"]));
    assert_eq!(made(json!({"data": {}}), "/connections", sent)["errorCode"], "invalid_body");
}

#[test]
fn a_tenant_fills_in_its_own_defaults_and_keeps_sent_values() {
    let own = json!({"data": {}, "defaults": {"clients": {"async_approval_notification_channels": ["guardian-push"]}}});
    let channels = |body| made(own.clone(), "/clients", body)["async_approval_notification_channels"].clone();
    assert_eq!(channels(json!({"name": "A"})), json!(["guardian-push"]));
    assert_eq!(channels(json!({"name": "A", "async_approval_notification_channels": ["email"]})), json!(["email"]));
    assert_eq!(State::from_json(own.clone()).expect("a state").to_json()["defaults"], own["defaults"]);
}

#[test]
fn some_settings_are_only_in_the_response_of_an_update() {
    let data = json!({"/prompts": {"identifier_first": true}, "/tenants/settings": {"universal_login": {"is_custom_theme_set": true}}});
    let mut tenant = State::from_json(json!({"data": data})).expect("a state");
    let answered = tenant.ask("PATCH", "/tenants/settings", json!({"friendly_name": "Acme"})).body;
    assert_eq!(answered["universal_login"], json!({"identifier_first": true, "is_custom_theme_set": true}));
    let read = tenant.ask("GET", "/tenants/settings", Value::Null).body;
    assert_eq!((&read["universal_login"], &read["friendly_name"]), (&json!({}), &json!("Acme")));
}

/// Kinds that the sandbox has no code for.
static WIDGETS: Kind = Kind::collection("widgets", "widget", "/widgets")
    .paged(Paging::Checkpoint { field: "widgets", size: 10 })
    .writable("name+ size parts[]{name}")
    .required(&["name"])
    .defaults(&[("size", "1")])
    .scopes(&["read:widgets"], &["create:widgets"], &["update:widgets"], &["delete:widgets"]);
static WIDGET_USERS: Kind =
    Kind::child("widget-users", "users of widget", "/widgets/{id}/users", "widgets", ElementChanges::AddRemove { most: 100 })
        .paged(Paging::Whole)
        .writable("users[]{user}")
        .scopes(&["read:widgets"], &["update:widgets"], &["update:widgets"], &["update:widgets"]);

#[test]
fn a_kind_is_served_from_its_catalog_entry_alone() {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| Catalog::new(&[&WIDGETS, &WIDGET_USERS]));
    let mut state = State::empty_with(catalog, DOMAIN);
    let made = state.ask("POST", "/widgets", json!({"name": "A"}));
    let id = made.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(made, ApiResponse { status: 201, body: json!({"id": id, "name": "A", "size": 1}) });
    assert_eq!(state.ask("POST", "/widgets", json!({"name": "A"})).status, 409);
    assert_eq!(state.ask("PATCH", &format!("/widgets/{id}"), json!({"name": "B"})).status, 400);
    assert_eq!(state.ask("PATCH", &format!("/widgets/{id}"), json!({"size": 2})).body["size"], 2);
    assert_eq!(state.ask("GET", "/widgets?take=1", Value::Null).body, json!({"widgets": [{"id": id, "name": "A", "size": 2}]}));
    let users = format!("/widgets/{id}/users");
    assert_eq!(state.ask("POST", &users, json!({"users": [{"user": "u1"}, {"user": "u2"}]})).status, 201);
    assert_eq!(state.ask("DELETE", &users, json!({"users": [{"user": "u1"}]})).status, 204);
    assert_eq!(state.ask("GET", &users, Value::Null).body, json!([{"user": "u2"}]));
    assert_eq!(state.ask("DELETE", &format!("/widgets/{id}"), Value::Null).status, 204);
    assert_eq!(state.ask("GET", &users, Value::Null).body["message"], "The widget does not exist");
}

#[test]
fn an_invalid_state_is_refused_with_what_it_lacks() {
    let refused = State::from_json(json!({"data": {"/clients": [{"name": "A"}]}})).expect_err("no id");
    assert_eq!(refused.to_string(), "\"/clients\" of the state holds no client with \"client_id\"");
}

#[test]
fn a_new_tenant_has_only_its_management_api_and_settings() {
    let mut state = State::empty(DOMAIN);
    let apis = state.ask("GET", "/resource-servers", Value::Null).body;
    assert_eq!((&apis[0]["identifier"], &apis[0]["is_system"]), (&json!(format!("https://{DOMAIN}/api/v2/")), &json!(true)));
    assert_eq!(apis.as_array().map(Vec::len), Some(1));
    assert_eq!(
        state.ask("PATCH", &format!("/resource-servers/{}", apis[0]["id"].as_str().expect("an id")), json!({"name": "x"})).status,
        400
    );
}
