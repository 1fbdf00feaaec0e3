//! References of pages, protection settings, connections and tenant settings are resolved to the target's own ids.

use auth0_migrate::catalog::{Catalog, KeyNames, Kind, Shape};
use auth0_migrate::management_api::{Listing, Tenant};
use auth0_migrate::model::resource::Id;
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::Desired;
use serde_json::{Value, json};

use crate::support::imports::{empty_sync_state, import, read, start};

/// A reference: the resource of the source with it, and its expected value in the target.
struct Row {
    /// The kind and the path of the reference.
    reference: (&'static str, &'static str),
    /// The path of the resource in the source.
    at: &'static str,
    /// The resource in the source.
    holds: Value,
    /// The expected value of the reference in the target.
    ends: Value,
}

const CLIENTS: (&str, &str) = ("Dev0000000000000000000000000Web1", "Prod000000000000000000000000Web9");
const ACTIONS: (&str, &str) = ("aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa", "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb");
const ORGANIZATIONS: (&str, &str) = ("org_devdevdevdevdev1", "org_prodprodprodpro9");
const DOMAINS: (&str, &str) = ("cd_devdevdevdevdev1", "cd_prodprodprodpro9");
const KEYS: (&str, &str) = ("key_devdevdevdevdev1", "key_prodprodprodpro9");
const TENANTS: (&str, &str) = ("acme-dev.eu.auth0.com", "acme-prod.eu.auth0.com");

fn rows() -> Vec<Row> {
    let row = |kind, path, at, holds: Value, ends: Value| Row { reference: (kind, path), at, holds, ends };
    let code = |client: &str| format!("if (application.clientID === '{client}') return;");
    let (was, is) = (code(CLIENTS.0), code(CLIENTS.1));
    let rendering = |filters: Value| json!([{"prompt": "login", "screen": "login", "rendering_mode": "advanced", "filters": filters}]);
    let connection =
        |options: Value| json!([{"id": "con_devdevdevdevdev1", "name": "sso", "strategy": "samlp", "realms": ["sso"], "options": options}]);
    let settings = |field: &str, value: &str| json!({"enabled_locales": ["en"], field: value});
    let page = |field: &str, html: &str| json!({"enabled_locales": ["en"], field: {"html": html}});
    let mut rows = vec![
        row(
            "prompt-rendering",
            "filters.clients[].id",
            "/prompts/rendering",
            rendering(json!({"match_type": "includes_any", "clients": [{"id": CLIENTS.0}]})),
            json!(CLIENTS.1),
        ),
        row(
            "prompt-rendering",
            "filters.organizations[].id",
            "/prompts/rendering",
            rendering(json!({"match_type": "includes_any", "organizations": [{"id": ORGANIZATIONS.0}]})),
            json!(ORGANIZATIONS.1),
        ),
        row(
            "prompt-rendering",
            "filters.domains[].id",
            "/prompts/rendering",
            rendering(json!({"match_type": "includes_any", "domains": [{"id": DOMAINS.0}]})),
            json!(DOMAINS.1),
        ),
        row(
            "rate-limit-policies",
            "consumer_selector",
            "/rate-limit-policies",
            json!([{"id": "rlp_1", "resource": "oauth_authentication_api", "consumer": "client", "configuration": {"action": "allow"},
                "consumer_selector": format!("client_id:{}", CLIENTS.0)}]),
            json!(format!("client_id:{}", CLIENTS.1)),
        ),
        row(
            "network-acls",
            "rule.match.hostnames[]",
            "/network-acls",
            json!([{"id": "acl_1", "description": "own", "active": true, "priority": 1,
                "rule": {"action": {"block": true}, "scope": "tenant", "match": {"hostnames": [TENANTS.0]}}}]),
            json!(TENANTS.1),
        ),
        row(
            "connections",
            "options.idpinitiated.client_id",
            "/connections",
            connection(json!({"idpinitiated": {"enabled": true, "client_id": CLIENTS.0}})),
            json!(CLIENTS.1),
        ),
        row(
            "connections",
            "options.custom_password_hash.action_id",
            "/connections",
            connection(json!({"custom_password_hash": {"action_id": ACTIONS.0}})),
            json!(ACTIONS.1),
        ),
        row("connections", "options.customScripts.login", "/connections", connection(json!({"customScripts": {"login": was}})), json!(is)),
        row("custom-domains-default", "domain", "/custom-domains/default", json!({"domain": "login.acme.com"}), json!("login.acme.com")),
        row("tenant-settings", "default_directory", "/tenants/settings", settings("default_directory", "users"), json!("users")),
        row(
            "tenant-settings",
            "default_audience",
            "/tenants/settings",
            settings("default_audience", "https://acme-dev.eu.auth0.com/api/v2/"),
            json!("https://acme-prod.eu.auth0.com/api/v2/"),
        ),
        row(
            "email-templates",
            "body",
            "/email-templates/welcome_email",
            json!({"template": "welcome_email", "body": was, "from": "a@acme.com", "subject": "Hi", "syntax": "liquid", "enabled": true}),
            json!(is),
        ),
        row("branding-universal-login-template", "body", "/branding/templates/universal-login", json!({"body": was}), json!(is)),
        row(
            "prompt-partials",
            "login.form-content-start",
            "/prompts/login/partials",
            json!({"login": {"form-content-start": was}}),
            json!(is),
        ),
        row("prompt-custom-text", "login.title", "/prompts/login/custom-text/en", json!({"login": {"title": was}}), json!(is)),
        row(
            "guardian-phone-templates",
            "verification_message",
            "/guardian/factors/sms/templates",
            json!({"enrollment_message": "Hi", "verification_message": was}),
            json!(is),
        ),
    ];
    rows.extend(["match", "not_match"].map(signed));
    for field in ["error_page", "change_password", "guardian_mfa_page"] {
        let path = Box::leak(format!("{field}.html").into_boxed_str());
        rows.push(row("tenant-settings", path, "/tenants/settings", page(field, &was), json!(is)));
    }
    rows
}

/// Returns a rule for requests with a key signature, or for those without one.
fn signed(side: &'static str) -> Row {
    let path = Box::leak(format!("rule.{side}.http_message_signature.keys[].id").into_boxed_str());
    let holds = json!([{"id": "acl_1", "description": "own", "active": true, "priority": 1, "rule": {"action": {"block": true},
        "scope": "tenant", side: {"http_message_signature": {"keys": [{"id": KEYS.0}]}}}}]);
    Row { reference: ("network-acls", path), at: "/network-acls", holds, ends: json!(KEYS.1) }
}

/// Returns one of the two tenants, which have the same resources under different ids.
fn tenant(domain: &str, pick: fn((&'static str, &'static str)) -> &'static str) -> Value {
    json!({"domain": domain, "data": {
        "/tenants/settings": {"enabled_locales": ["en"]},
        "/clients": [{"client_id": pick(CLIENTS), "name": "Web"}],
        "/keys/network-acls": [{"id": pick(KEYS), "name": "edge", "alg": "ed25519"}],
        "/organizations": [{"id": pick(ORGANIZATIONS), "name": "acme"}],
        "/custom-domains": [{"custom_domain_id": pick(DOMAINS), "domain": "login.acme.com", "type": "auth0_managed_certs"}],
        "/actions/actions": [{"id": pick(ACTIONS), "name": "hash", "code": "", "status": "built", "all_changes_deployed": true,
            "supported_triggers": [{"id": "password-hash-migration", "version": "v1"}]}],
        "/connections": [{"id": format!("con_{}", &pick(ORGANIZATIONS)[4..]), "name": "users", "strategy": "auth0", "options": {}}],
        "/resource-servers": [{"id": &pick(CLIENTS)[..24], "identifier": format!("https://{domain}/api/v2/"), "is_system": true}],
    }})
}

/// Returns the values at a path in every resource of a kind, as the tenant returns them.
async fn held(tenant: &Tenant, kind: &'static Kind, path: &str) -> Vec<Value> {
    let bodies = if let Shape::Keyed { names: KeyNames::PerElement { .. } } = kind.shape {
        tenant.read(kind, &Id::new("login/en")).await.expect("read").into_iter().collect()
    } else {
        match tenant.list(kind).await.expect("read") {
            Listing::Complete(bodies) => bodies,
            Listing::Absent { reason, .. } => panic!("{} are absent: {reason}", kind.name),
        }
    };
    bodies.iter().flat_map(|body| body.find(path)).map(|(_, value)| value.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_resolve_to_the_targets_ids() {
    for Row { reference: (name, path), at, holds, ends } in rows() {
        let kind = Catalog::standard().kind(name).expect("a kind");
        let mut source = tenant(TENANTS.0, |(dev, _)| dev);
        match (&mut source["data"][at], holds) {
            (Value::Array(there), Value::Array(more)) => there.extend(more),
            (there, holds) => *there = holds,
        }
        let (_from, from) = start(State::from_json(source).expect("a state")).await;
        let (_into, into) = start(State::from_json(tenant(TENANTS.1, |(_, prod)| prod)).expect("a state")).await;
        let desired = Desired::unmapped(read(&from).await);
        let summary = import(&desired, &into, &mut empty_sync_state()).await.summary;
        assert!(summary.is_whole(), "{name} {path}: {:?}", summary.settled);
        assert_eq!(held(&into, kind, path).await, [ends], "{name} {path}");
        let again = import(&desired, &into, &mut empty_sync_state()).await.plan;
        assert!(again.is_empty(), "{name} {path}: {:?}", again.changes().next());
    }
}

#[test]
fn every_reference_of_these_kinds_has_a_row() {
    let kinds = ["prompt-", "rate-", "network-", "tenant-", "custom-", "branding", "email-", "phone-", "guardian-", "attack-"];
    let rows: Vec<_> = rows().into_iter().map(|row| row.reference).collect();
    for kind in
        Catalog::standard().kinds().filter(|kind| kind.name == "connections" || kinds.iter().any(|start| kind.name.starts_with(start)))
    {
        for reference in kind.references {
            assert!(rows.contains(&(kind.name, reference.path)), "{} {}", kind.name, reference.path);
        }
    }
}
