//! Sample plans: 200 changes of 20 kinds, eight of them dangerous.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::json::Body;
use crate::model::resource::{Id, Resource, key};
use crate::model::unmatched_rule::{MissingPart, UnmatchedRule};
use crate::plan::{Action, Change, Edit, ManualStep, Plan, PlannedMapping, PlannedTenant, Skipped, Stage};

fn change(of: &str, action: Action) -> Change {
    Change { key: key(of), source_id: Id::new("source"), action, needs: Vec::new(), secrets: Vec::new() }
}

fn body(value: Value) -> Body {
    Body::from_value(value).expect("an object")
}

fn create(of: &str, value: Value) -> Change {
    change(of, Action::Create { body: body(value), twins: Vec::new() })
}

fn update(of: &str, edits: &[(&str, Value, Value)]) -> Change {
    let some = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
    let edits: Vec<Edit> = edits.iter().map(|(path, old, new)| Edit { path: (*path).into(), old: some(old), new: some(new) }).collect();
    let sent = edits.iter().map(|edit| (edit.path.clone(), edit.new.clone().unwrap_or_default())).collect();
    change(of, Action::Update { id: Some(Id::new("t")), body: sent, edits })
}

/// Returns a text that looks like a certificate, different for each number.
fn certificate(number: u8) -> String {
    let der: Vec<u8> = [0x30, 0x82, 0x02, 0x58].into_iter().chain(std::iter::repeat_n(number, 600)).collect();
    base64::engine::Engine::encode(&base64::engine::general_purpose::STANDARD, der)
}

/// The eight dangerous changes.
fn dangers() -> Vec<Change> {
    let callbacks = |list: &[&str]| json!(list);
    let (old, new) = (
        "exports.onExecutePostLogin = async () => {\n  return;\n};\n",
        "exports.onExecutePostLogin = async (event, api) => {\n  const allowed = ['DE', 'AT'];\n  if (!allowed.includes(event.request.geoip.countryCode)) {\n    api.access.deny('not available in your country');\n  }\n};\n",
    );
    let permissions = Action::Elements {
        parent: key("roles/Auditor"),
        added: Vec::new(),
        removed: vec![json!({"resource_server_identifier": "urn:acme:billing", "permission_name": "read:invoices"})],
    };
    let client = body(json!({"name": "Old kiosk", "app_type": "spa"}));
    vec![
        update(
            "clients/Billing",
            &[(
                "callbacks",
                callbacks(&["https://billing.acme.example/cb", "https://billing.acme.example/cb2"]),
                callbacks(&["https://billing.acme.example/cb2"]),
            )],
        ),
        update("clients/Reports", &[("grant_types", json!(["authorization_code", "refresh_token"]), json!(["refresh_token"]))]),
        update("connections/globex-saml", &[("options.signingCert", json!(certificate(1)), json!(certificate(2)))]),
        update("actions/Deny by country", &[("code", json!(old), json!(new))]),
        change("role-permissions/Auditor", permissions),
        create(
            "network-acls/Block old clients",
            json!({"description": "Block old clients", "active": true, "priority": 1, "rule": {"action": {"block": true}, "scope": "tenant", "match": {"user_agents": ["old"]}}}),
        ),
        update("guardian-factors/otp", &[("enabled", json!(true), json!(false))]),
        change("clients/Old kiosk", Action::Delete { id: Id::new("t"), body: client }),
    ]
}

/// Harmless changes that complete 200 changes of 20 kinds.
fn routine() -> Vec<Change> {
    let name = |nth: usize| format!("{}{nth:02}", ["Portal ", "Gateway ", "Worker ", "Reports "][nth % 4]);
    let mut changes: Vec<Change> = Vec::new();
    for nth in 0..60 {
        changes.push(update(&format!("clients/{}", name(nth)), &[("client_metadata.env", json!("dev"), json!("prod"))]));
    }
    for nth in 0..30 {
        let (id, name, app_type) =
            (format!("clients/New {}", name(nth)), format!("New {}", name(nth)), ["spa", "native", "regular_web"][nth % 3]);
        changes.push(create(&id, json!({"name": name, "app_type": app_type, "callbacks": [format!("https://app{nth}.acme.example/cb")]})));
    }
    for nth in 0..40 {
        let (old, new) = (format!("Teams of region {nth}"), format!("Teams and guests of region {nth}"));
        changes.push(update(&format!("roles/Region {nth:02}"), &[("description", json!(old), json!(new))]));
    }
    for nth in 0..12 {
        changes.push(create(
            &format!("organizations/org-{nth:02}"),
            json!({"name": format!("org-{nth:02}"), "display_name": format!("Customer {nth}")}),
        ));
    }
    let described = ["resource-servers", "flows", "forms", "log-streams", "event-streams", "rules", "hooks", "action-modules"];
    for kind in described {
        for nth in 0..4 {
            changes.push(create(&format!("{kind}/{kind} {nth}"), json!({"name": format!("{kind} {nth}")})));
        }
    }
    for (of, path, old, new) in [
        ("branding", "colors.primary", json!("#0059d6"), json!("#635dff")),
        ("branding-theme", "displayName", json!("Old"), json!("New")),
        ("prompts", "universal_login_experience", json!("classic"), json!("new")),
        ("email-templates/welcome_email", "subject", json!("Welcome"), json!("Welcome to Acme")),
        ("user-attribute-profiles/Standard", "name", json!("standard"), json!("Standard")),
        ("connection-profiles/Standard", "name", json!("standard"), json!("Standard")),
        ("self-service-profiles/Standard", "description", json!("Self"), json!("Self-service")),
        ("tenant-settings", "friendly_name", json!("Acme dev"), json!("Acme")),
        ("organization-templates/Standard", "name", json!("standard"), json!("Standard")),
    ] {
        changes.push(update(of, &[(path, old, new)]));
    }
    for nth in 0..9 {
        changes.push(create(
            &format!("email-templates/extra {nth}"),
            json!({"template": format!("extra {nth}"), "subject": "Hello", "enabled": true}),
        ));
    }
    changes
}

/// Returns a plan with eight dangerous changes among 200.
pub(super) fn with_dangers() -> Plan {
    let side = |tenant: &str, taken: &str| PlannedTenant::new(tenant, &format!("acme-{tenant}.eu.auth0.com"), taken);
    let mut plan = Plan::between(side("dev", "2026-03-01T10:00:00Z"), side("prod", "2026-03-01T10:00:30Z"));
    let mut by_kind: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in dangers().into_iter().chain(routine()) {
        by_kind.entry(change.key.kind().name.to_owned()).or_default().push(change);
    }
    let title = |kind: &str| Catalog::standard().kind(kind).map_or_else(|| kind.to_owned(), |kind| kind.title.to_owned());
    plan.stages = by_kind.into_iter().map(|(kind, changes)| Stage { title: title(&kind), changes }).collect();
    plan.unchanged = BTreeMap::from([("clients".into(), 212)]);
    let unmatched = UnmatchedRule {
        place: "mappings/dev-to-prod.toml:41".into(),
        rule: "skip clients/Analitics*".into(),
        is_protective: true,
        missing: MissingPart::default(),
        nearest: Some("Analytics".into()),
    };
    plan.mapping = Some(PlannedMapping {
        file: "mappings/dev-to-prod.toml".into(),
        rules: 23,
        unmatched: vec![unmatched],
        unmapped_hosts: Vec::new(),
    });
    let places = (0..60)
        .map(|nth| key(&format!("clients/{}", ["Portal ", "Gateway ", "Worker ", "Reports "][nth % 4].to_owned() + &format!("{nth:02}"))));
    plan.mapped = places.map(|key| (key, BTreeMap::from([("client_metadata.env".to_owned(), "dev-to-prod.toml:12".to_owned())]))).collect();
    let left = |of: &str, reason: &str| Skipped::new(key(of), None, reason);
    plan.skipped = (0..2).map(|nth| left(&format!("rules/Rule {nth}"), "rules can no longer be created in prod")).collect();
    plan.excluded = (0..9).map(|nth| left(&format!("clients/System {nth}"), "belongs to Auth0")).collect();
    let step = |nth: usize| ManualStep {
        key: key(&format!("clients/New {nth}")),
        path: "client_secret".into(),
        step: "hand the new client secret to its owner".into(),
    };
    plan.manual_steps = (0..30).map(step).collect();
    let grant = |audience: &str| {
        let named = json!({"client_id": "⟦clients/Old kiosk⟧", "audience": audience});
        Resource::new(key(&format!("client-grants/Old kiosk · {audience}")), Id::new(audience), body(named))
    };
    plan.before = ["urn:acme:billing", "urn:acme:tracking"].map(grant).into();
    plan.unmanaged = BTreeMap::from([("clients".into(), vec![key("clients/Legacy"), key("clients/Break glass")])]);
    plan
}
