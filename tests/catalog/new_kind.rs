//! A new kind: one catalog entry suffices to export, plan, import, serve and describe it.

use std::sync::OnceLock;

use auth0_migrate::apply::{Journal, PlanExecution, StaleChanges};
use auth0_migrate::catalog::{Catalog, Condition, Exclusion, Kind, Paging, Reference};
use auth0_migrate::export::{Scope, export};
use auth0_migrate::management_api::Tenant;
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::plan::{Plan, plan};
use auth0_migrate::sandbox::{Options, Sandbox, State};
use auth0_migrate::snapshot::{Desired, Snapshot};
use auth0_migrate::state::links::Links;
use serde_json::{Value, json};

use crate::support::imports::{NOW, connect_with_secret};
use crate::support::request_recording::recorded;

/// The complete entry.
static WIDGETS: Kind = Kind::collection("widgets", "widget", "/widgets")
    .titled("Widgets")
    .paged(Paging::Checkpoint { field: "widgets", size: 10 })
    .writable("name+ size? parts[]{name} owner? next? api_key")
    .read_only(&["id", "made_at"])
    .secrets(&["api_key"])
    .refers(&[Reference::id("owner", "clients"), Reference::id("next", "widgets").deferred()])
    .unordered(&["parts"])
    .defaults(&[("size", "1")])
    .required(&["name"])
    .excluded(&[Exclusion::always("is_system", Condition::True, "it is the tenant's own")])
    .scopes(&["read:widgets"], &["create:widgets"], &["update:widgets"], &["delete:widgets"]);

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let kinds: Vec<&'static Kind> = Catalog::standard().kinds().chain([&WIDGETS]).collect();
        Catalog::new(&kinds)
    })
}

async fn start(domain: &str, data: Value) -> (Sandbox, Tenant) {
    let state = State::from_json_with(catalog(), json!({"domain": domain, "data": data})).expect("a state");
    let sandbox = Sandbox::start(recorded(Options::new(state).credentials("id", "secret"))).await.expect("a sandbox");
    let tenant = connect_with_secret(&sandbox, domain);
    (sandbox, tenant)
}

async fn read(tenant: &Tenant) -> Snapshot {
    let scope = Scope::lookup(catalog(), ["widgets".to_owned(), "clients".to_owned()].into());
    export(catalog(), tenant, &scope, NOW, &NoObserver).await.expect("exported")
}

async fn import(source: &Snapshot, tenant: &Tenant) -> Plan {
    let plan = plan(catalog(), &Desired::unmapped(source.clone()), &read(tenant).await, &Links::default());
    let folder = tempfile::tempdir().expect("a folder");
    let run = PlanExecution {
        plan: &plan,
        tenant,
        journal: Journal::begin(&folder.path().join("journal.jsonl"), "test", NOW, "import").expect("a journal"),
        observer: &NoObserver,
        secret: &|_| None,
        secret_sink: None,
        stale_changes: StaleChanges::default(),
        concurrency: 4,
        stop_reason: None,
        clock: &|| NOW.to_owned(),
        remaining_changes: &|| usize::MAX,
    };
    assert!(run.complete().await.expect("carried out").0.is_whole());
    plan
}

#[tokio::test]
async fn a_new_kind_takes_one_entry_of_at_most_fifteen_lines() {
    let source = include_str!("new_kind.rs");
    let entry = source.split("static WIDGETS").nth(1).and_then(|rest| rest.split(";\n").next()).expect("the entry");
    assert!(entry.lines().count() <= 15, "{} lines", entry.lines().count());
    let (_dev, dev) = start(
        "dev.eu.auth0.com",
        json!({
            "/clients": [{"client_id": "DevClientDevClientDevClient00001", "name": "Web", "grant_types": ["implicit"],
                "jwt_configuration": {"lifetime_in_seconds": 1}, "refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 1}}],
            "/widgets": [
                {"id": "5f0000000000000000000001", "name": "A", "size": 1, "owner": "DevClientDevClientDevClient00001",
                 "next": "5f0000000000000000000002", "api_key": "s3cret"},
                {"id": "5f0000000000000000000002", "name": "B", "size": 3, "parts": [{"name": "y"}, {"name": "x"}]},
                {"id": "5f0000000000000000000003", "name": "own", "is_system": true},
            ],
        }),
    )
    .await;
    let (prod, tenant) =
        start("prod.eu.auth0.com", json!({"/widgets": [{"id": "5f00000000000000000000aa", "name": "B", "size": 2}]})).await;
    let source = read(&dev).await;
    let first = import(&source, &tenant).await;
    assert_eq!(first.manual_steps.iter().map(|step| step.key.to_string()).collect::<Vec<_>>(), ["clients/Web", "widgets/A"]);
    let held = prod.state().to_json();
    let widget = |name: &str| {
        let mut widgets = held["data"]["/widgets"].as_array().expect("a list").iter();
        widgets.find(|widget| widget["name"] == name).cloned().unwrap_or_default()
    };
    let web = held["data"]["/clients"][0]["client_id"].clone();
    assert_eq!((&widget("A")["owner"], &widget("A")["next"]), (&web, &json!("5f00000000000000000000aa")));
    assert_eq!(widget("B")["size"], 3);
    assert_eq!(widget("own"), Value::Null);
    let second = import(&source, &tenant).await;
    assert!(second.is_empty(), "{:?}", second.stages);
}
