//! A small sample plan with every section, and a run of it that partly failed.

use std::collections::BTreeMap;

use serde_json::json;

use crate::apply::{AlteredValue, ChangeResult, Summary};
use crate::json::Body;
use crate::model::event::{Operation, Outcome};
use crate::model::guard::Guard;
use crate::model::resource::{Id, key};
use crate::plan::refusal::Refusal;
use crate::plan::{Action, Change, Edit, ManualStep, Plan, PlannedTenant, SecretField, Skipped, Stage};

fn body(value: serde_json::Value) -> Body {
    Body::from_value(value).expect("an object")
}

fn change(of: &str, action: Action) -> Change {
    Change { key: key(of), source_id: Id::new("source"), action, needs: Vec::new(), secrets: Vec::new() }
}

fn edit(path: &str, old: serde_json::Value, new: serde_json::Value) -> Edit {
    let some = |value: serde_json::Value| Some(value).filter(|value| !value.is_null());
    Edit { path: path.into(), old: some(old), new: some(new) }
}

fn side(tenant: &str) -> PlannedTenant {
    PlannedTenant::new(tenant, &format!("acme-{tenant}.eu.auth0.com"), "2026-03-01T10:00:00Z")
}

/// Returns a plan without changes.
pub(super) fn empty() -> Plan {
    let unchanged = BTreeMap::from([("clients".into(), 12), ("roles".into(), 100)]);
    Plan { unchanged, ..Plan::between(side("dev"), side("prod")) }
}

fn clients() -> Stage {
    let billing = json!({
        "name": "Billing API", "app_type": "non_interactive", "callbacks": ["https://billing.acme.com/a", "https://billing.acme.com/b"],
        "custom_login_page": "<html>\n<body>\n</html>", "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
    });
    let mut create = change("clients/Billing API", Action::Create { body: body(billing), twins: Vec::new() });
    create.secrets.push(SecretField { path: "client_secret".into(), from: "env:BILLING_SECRET".into(), is_changed: false });
    let script: Vec<String> = (1..=34).map(|line| format!("line {line}")).collect();
    let (old, new) = (script.join("\n"), script.join("\n").replace("line 20", "line twenty"));
    let edits = vec![
        edit("callbacks", json!(["https://old.acme.com", "https://acme.com"]), json!(["https://acme.com", "https://new.acme.com"])),
        edit("custom_login_page", json!(old), json!(new)),
        edit("description", json!("Web of dev"), json!("Web")),
        edit("refresh_token.leeway", json!(null), json!(30)),
    ];
    let update = change("clients/Web", Action::Update { id: Some(Id::new("t1")), body: body(json!({"description": "Web"})), edits });
    Stage { title: "Applications".into(), changes: vec![create, update] }
}

fn neighbours() -> Vec<Stage> {
    let grant = json!({"client_id": "⟦clients/Billing API⟧", "audience": "https://⟨tenant⟩/api/v2/", "scope": ["read:users"]});
    let mut grant =
        change("client-grants/Billing API · https://⟨tenant⟩/api/v2/ · client", Action::Create { body: body(grant), twins: Vec::new() });
    grant.needs.push(key("clients/Billing API"));
    let elements = Action::Elements {
        parent: key("connections/google-oauth2"),
        added: vec![json!({"client_id": "⟦clients/Web⟧"})],
        removed: vec![json!({"client_id": "⟦clients/Old⟧"})],
    };
    let late = Action::Update { id: None, body: body(json!({"allowed_clients": ["⟦clients/Web⟧"]})), edits: Vec::new() };
    vec![
        Stage { title: "Application API access".into(), changes: vec![grant] },
        Stage { title: "Connection clients".into(), changes: vec![change("connection-clients/google-oauth2", elements)] },
        Stage { title: "Applications, once everything exists".into(), changes: vec![change("clients/Billing API", late)] },
    ]
}

/// Returns a plan with every section.
pub(super) fn plan() -> Plan {
    let left = |of: &str, path: Option<&str>, reason: &str| Skipped::new(key(of), path.map(str::to_owned), reason);
    let mut plan = empty();
    plan.stages = std::iter::once(clients()).chain(neighbours()).collect();
    plan.skipped = (1..=7).map(|nth| left(&format!("rules/Rule {nth}"), None, "none can be created any more")).collect();
    plan.skipped.push(left("clients/Web", Some("default_organization"), "organizations are not covered yet"));
    plan.manual_steps = vec![ManualStep {
        key: key("clients/Billing API"),
        path: "client_secret".into(),
        step: "the target generates a new client_secret; give it to the services that use this client".into(),
    }];
    plan.excluded = vec![left("clients/migrate", None, "migrate itself signs in with it")];
    plan.unmanaged = BTreeMap::from([("clients".into(), vec![key("clients/Legacy"), key("clients/Old")])]);
    plan.unknown = BTreeMap::from([("clients".into(), vec!["brand_new".into(), "refresh_token.later".into()])]);
    plan.notes = vec!["dev has several resources with the same name; one of them is shown as clients/Web#2".into()];
    plan
}

/// Returns a refusal that can be approved and one that cannot.
pub(super) fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::whole(Guard::ManyChanges, "12 of the 14 compared resources of \"prod\" would change (limit 4)".to_owned()),
        Refusal::whole(Guard::Scopes, "the token for \"prod\" may not read rules; it lacks read:rules".to_owned()),
    ]
}

/// Returns a run of the plan in which one change was applied, one failed, one was skipped, one has an unknown outcome,
/// and one was not sent.
pub(super) fn summary() -> Summary {
    let settled = |of: &str, operation, outcome| {
        let index = plan().changes().position(|change| change.key == key(of)).expect("a change of the plan");
        ChangeResult { index, key: key(of), operation, outcome, altered: Vec::new(), at: None }
    };
    let altered = AlteredValue { path: "description".into(), sent: Some("Web".into()), answered: Some("web".into()) };
    Summary {
        settled: vec![
            ChangeResult {
                altered: vec![altered],
                at: Some("2026-11-25T06:33:01Z".to_owned()),
                ..settled("clients/Web", Operation::Update, Outcome::Applied(Id::new("t1")))
            },
            settled(
                "clients/Billing API",
                Operation::Create,
                Outcome::Failed("the tenant answered 400 invalid_body: callbacks must be a list".into()),
            ),
            settled(
                "client-grants/Billing API · https://⟨tenant⟩/api/v2/ · client",
                Operation::Create,
                Outcome::Skipped("it needs client \"Billing API\"".into()),
            ),
            settled("connection-clients/google-oauth2", Operation::Update, Outcome::Unknown("the connection broke".into())),
        ],
        unsent: 1,
        is_silent: false,
        sent: Vec::new(),
        made: Vec::new(),
    }
}

/// Returns a run of the plan that applied every change.
pub(super) fn whole() -> Summary {
    let settled = |(index, change): (usize, &Change)| ChangeResult {
        index,
        key: change.key.clone(),
        operation: change.operation(),
        outcome: Outcome::Applied(Id::new("t")),
        altered: Vec::new(),
        at: None,
    };
    Summary { settled: plan().changes().enumerate().map(settled).collect(), ..Summary::default() }
}
