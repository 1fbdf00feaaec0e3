//! Random tenants with random references, including ids in code: nothing that belongs to the source reaches the target.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::apply::Summary;
use auth0_migrate::catalog::Catalog;
use auth0_migrate::json::Body;
use auth0_migrate::management_api::Tenant;
use auth0_migrate::model::resource::Resource;
use auth0_migrate::plan::normal_form::normalized;
use auth0_migrate::plan::{AppliedRun, Plan, Recreated, Skipped, undo};
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::{Desired, Snapshot};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::recordings::imports::undo::{in_words_as_before, unnamed};
use crate::support::imports::{Imported, apply_plan, empty_sync_state, import, import_with, read, start};

pub(super) const SOURCE: &str = "acme-dev.eu.auth0.com";
pub(super) const TARGET: &str = "acme-prod.eu.auth0.com";

/// The number of resources, and which refers to which: numbers are taken modulo the number of resources.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    clients: usize,
    apis: usize,
    connections: usize,
    roles: usize,
    actions: usize,
    organizations: usize,
    flows: usize,
    /// The targets of the references, in the order in which these are generated.
    picks: Vec<usize>,
    /// Whether the target already has the same resources under different ids.
    shared: bool,
}

pub(super) fn sketches() -> impl Strategy<Value = Sketch> {
    let counts = (1..6_usize, 1..4_usize, 1..4_usize, 0..3_usize, 0..4_usize, 0..3_usize, 0..3_usize);
    let picks = proptest::collection::vec(0..1000_usize, 64);
    (counts, picks, any::<bool>()).prop_map(|((clients, apis, connections, roles, actions, organizations, flows), picks, shared)| Sketch {
        clients,
        apis,
        connections,
        roles,
        actions,
        organizations,
        flows,
        picks,
        shared,
    })
}

/// A tenant built from the sketch, whose ids have a common prefix.
struct Draft<'sketch> {
    word: &'static str,
    picks: std::iter::Cycle<std::slice::Iter<'sketch, usize>>,
}

impl Draft<'_> {
    /// Returns an id of this tenant in the server's format.
    fn id(&self, prefix: &str, kind: &str, number: usize) -> String {
        format!("{prefix}{}{kind}{number:012}", self.word)
    }

    fn client(&self, number: usize) -> String {
        self.id("", "Client", number)
    }

    fn pick(&mut self, of: usize) -> usize {
        self.picks.next().expect("there is always one more") % of.max(1)
    }
}

pub(super) fn tenant(sketch: &Sketch, domain: &str, word: &'static str) -> State {
    let mut draft = Draft { word, picks: sketch.picks.iter().cycle() };
    let mut data: BTreeMap<String, Value> = BTreeMap::new();
    let management = format!("https://{domain}/api/v2/");
    let mut clients = Vec::new();
    for number in 0..sketch.clients {
        let (other, organization) = (draft.pick(sketch.clients), draft.pick(sketch.organizations));
        let mut client = json!({
            "client_id": draft.client(number), "name": format!("Client {number}"), "grant_types": ["authorization_code"],
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
            "allowed_clients": [draft.client(other)],
            "callbacks": [format!("https://{domain}/login/callback")],
            "client_metadata": {"peer": draft.client(draft.word.len() % sketch.clients)},
            "is_first_party": true, "oidc_conformant": true,
            "refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0, "token_lifetime": 2_592_000,
                "idle_token_lifetime": 1_296_000, "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true},
        });
        if sketch.organizations > 0 && number % 2 == 0 {
            client["default_organization"] =
                json!({"organization_id": draft.id("org_", "Org", organization), "flows": ["client_credentials"]});
        }
        clients.push(client);
    }
    let apis: Vec<Value> = (0..sketch.apis)
        .map(|number| {
            json!({"id": format!("5f{}{number:016}", if word == "Src" { "aaaaaa" } else { "bbbbbb" }), "name": format!("API {number}"),
                "identifier": format!("https://api/{number}"), "scopes": [{"value": "read:all", "description": "all"}], "signing_alg": "RS256"})
        })
        .chain([json!({"id": format!("5f{}9999", if word == "Src" { "aaaaaaaaaaaaaaaaaa" } else { "bbbbbbbbbbbbbbbbbb" }),
            "name": "Auth0 Management API", "identifier": management, "is_system": true, "scopes": [{"value": "read:clients"}]})])
        .collect();
    let mut grants = Vec::new();
    for number in 0..sketch.clients {
        let api = draft.pick(sketch.apis);
        grants.push(json!({"id": draft.id("cgr_", "Grant", number), "client_id": draft.client(number),
            "audience": format!("https://api/{api}"), "scope": ["read:all"], "subject_type": "client"}));
    }
    let mut connections = Vec::new();
    for number in 0..sketch.connections {
        let id = draft.id("con_", "Conn", number);
        let client = draft.pick(sketch.clients);
        connections.push(
            json!({"id": id, "name": format!("connection-{number}"), "strategy": "auth0", "realms": [format!("connection-{number}")],
            "options": {"brute_force_protection": true, "customScripts": {"login": format!("if (client === '{}') return '{domain}';", draft.client(client))}}}),
        );
        data.insert(format!("/connections/{id}/clients"), json!([{"client_id": draft.client(client)}]));
    }
    let roles: Vec<Value> = (0..sketch.roles)
        .map(|number| json!({"id": draft.id("rol_", "Role", number), "name": format!("Role {number}"), "description": "r"}))
        .collect();
    for number in 0..sketch.roles {
        let api = draft.pick(sketch.apis);
        let path = format!("/roles/{}/permissions", draft.id("rol_", "Role", number));
        data.insert(path, json!([{"resource_server_identifier": format!("https://api/{api}"), "permission_name": "read:all"}]));
    }
    let mut actions = Vec::new();
    for number in 0..sketch.actions {
        let (client, connection) = (draft.pick(sketch.clients), draft.pick(sketch.connections));
        actions.push(json!({"id": draft.id("", "Action", number), "name": format!("action {number}"), "status": "built",
            "all_changes_deployed": true, "runtime": "node22", "dependencies": [], "secrets": [],
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
            "code": format!("// {} and {} at {domain}", draft.client(client), draft.id("con_", "Conn", connection))}));
    }
    let mut organizations = Vec::new();
    for number in 0..sketch.organizations {
        let id = draft.id("org_", "Org", number);
        let connection = draft.pick(sketch.connections);
        organizations.push(json!({"id": id, "name": format!("org-{number}"), "metadata": {"home": draft.client(0)}}));
        data.insert(
            format!("/organizations/{id}/connections"),
            json!([{"connection_id": draft.id("con_", "Conn", connection), "assign_membership_on_login": true}]),
        );
    }
    let flows: Vec<Value> = (0..sketch.flows)
        .map(|number| {
            json!({"id": draft.id("af_", "Flow", number), "name": format!("flow {number}"),
            "actions": [{"id": "step", "type": "HTTP", "action": "SEND_REQUEST",
                "params": {"url": "https://example.com", "payload": {"client": draft.client(number % sketch.clients)}}}]})
        })
        .collect();
    let forms: Vec<Value> = (0..sketch.flows)
        .map(|number| {
            json!({"id": draft.id("ap_", "Form", number), "name": format!("form {number}"),
            "nodes": [{"id": "n1", "type": "FLOW", "config": {"flow_id": draft.id("af_", "Flow", number)}}]})
        })
        .collect();
    let lists = [
        ("/clients", clients),
        ("/resource-servers", apis),
        ("/client-grants", grants),
        ("/connections", connections),
        ("/roles", roles),
        ("/actions/actions", actions),
        ("/organizations", organizations),
        ("/flows", flows),
        ("/forms", forms),
    ];
    data.extend(lists.into_iter().map(|(path, list)| (path.to_owned(), Value::Array(list))));
    data.insert("/tenants/settings".to_owned(), settings(domain));
    State::from_json(json!({"domain": domain, "data": data})).expect("a state")
}

/// Returns the settings of a new tenant, and one choice.
fn settings(domain: &str) -> Value {
    let mut settings = State::empty(domain).to_json()["data"]["/tenants/settings"].take();
    settings["default_directory"] = "connection-0".into();
    settings
}

async fn copy(sketch: Sketch) -> Result<(), TestCaseError> {
    let (_from, from) = start(tenant(&sketch, SOURCE, "Src")).await;
    let target = if sketch.shared { tenant(&sketch, TARGET, "Tgt") } else { State::empty(TARGET) };
    let (into, tenant) = start(target).await;
    let (source, mut memory) = (read(&from).await, empty_sync_state());
    let Imported { summary, .. } = import(&Desired::unmapped(source.clone()), &tenant, &mut memory).await;
    prop_assert!(summary.is_whole(), "{:?}", summary.settled.iter().filter(|one| one.outcome.id().is_none()).collect::<Vec<_>>());
    let held = into.state().to_json().to_string();
    prop_assert!(!held.contains(SOURCE), "the source's domain is in the target");
    prop_assert!(
        !held.contains("SrcClient") && !held.contains("_Src") && !held.contains("SrcAction"),
        "an id of the source is in the target"
    );
    prop_assert!(!held.contains('⟦') && !held.contains('⟨'), "a mark is in the target");
    let writes = into.requests().iter().filter(|seen| seen.is_write).count();
    let Imported { plan: second, .. } = import(&Desired::unmapped(source), &tenant, &mut memory).await;
    prop_assert!(second.is_empty(), "a second import would {:?}", second.changes().collect::<Vec<_>>());
    prop_assert_eq!(into.requests().iter().filter(|seen| seen.is_write).count(), writes);
    Ok(())
}

/// The number of random tenants in the fast and in the slow tier.
const CASES: (u32, u32) = (3, 16);

#[test]
fn no_value_of_a_few_random_sources_reaches_their_targets_and_a_second_import_is_empty() {
    copy_random(CASES.0);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn no_value_of_random_sources_reaches_their_targets_and_a_second_import_is_empty() {
    copy_random(CASES.1);
}

/// Returns a deterministic generator for this many cases: the resulting requests are compared with a list.
pub(super) fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn copy_random(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = runner(cases);
    runner.run(&sketches(), |sketch| runtime.block_on(copy(sketch))).expect("every tenant is copied");
}

/// Returns the resources of a tenant by key, without meaningless values.
pub(super) fn meaning(held: &Snapshot) -> BTreeMap<String, Body> {
    let of_resource = |one: &Resource| normalized(one.key.kind(), &one.body.open());
    let all = held.resources.iter().map(|one| (one.key.to_string(), of_resource(one)));
    all.filter(|(_, body)| !body.is_empty()).collect()
}

/// Returns the differences between two tenants.
pub(crate) fn moved(one: &Snapshot, other: &Snapshot) -> Vec<String> {
    let (one, other) = (meaning(one), meaning(other));
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = keys.into_iter().filter(|key| one.get(*key) != other.get(*key));
    differ.map(|key| format!("{key}: {:?} -> {:?}", one.get(key), other.get(key))).collect()
}

/// Undoes a run that was applied completely; returns the plan and the summary.
pub(crate) async fn undo_run(plan: &Plan, summary: &Summary, tenant: &Tenant) -> (Plan, Summary) {
    let (plan, _) = undo_of(plan, summary, tenant, &Recreated::default()).await;
    let summary = apply_plan(&plan, tenant).await;
    (plan, summary)
}

/// Imports one sketch into another, undoes that, and undoes the undo.
async fn there_and_back(ahead: Sketch, behind: Sketch) -> Result<(), TestCaseError> {
    let (_from, from) = start(tenant(&ahead, SOURCE, "Src")).await;
    let (_into, into) = start(tenant(&behind, TARGET, "Tgt")).await;
    let source = Desired::unmapped(read(&from).await);
    let Imported { before, plan, summary } = import(&source, &into, &mut empty_sync_state()).await;
    let after = read(&into).await;
    let (back, ended) = undo_run(&plan, &summary, &into).await;
    prop_assert_eq!(beside_users(&back), Vec::<String>::new(), "after {:?}", plan.changes().collect::<Vec<_>>());
    prop_assert!(ended.is_whole(), "{:?}", ended.settled);
    prop_assert_eq!(moved(&before, &read(&into).await), Vec::<String>::new());
    let (again, ended) = undo_run(&back, &ended, &into).await;
    prop_assert!(ended.is_whole() && beside_users(&again).is_empty(), "{:?} {:?}", ended.settled, again.skipped);
    prop_assert_eq!(moved(&after, &read(&into).await), Vec::<String>::new(), "once taken back twice");
    Ok(())
}

/// Imports a sketch, then prunes to a smaller one; undoes that, and undoes the undo.
async fn pruned_and_back(ahead: Sketch, left: (usize, usize, usize)) -> Result<(), TestCaseError> {
    let (_from, from) = start(tenant(&ahead, SOURCE, "Src")).await;
    let (_into, into) = start(State::empty(TARGET)).await;
    let mut memory = empty_sync_state();
    import(&Desired::unmapped(read(&from).await), &into, &mut memory).await;
    let few = |of: usize, share: usize| if of == 0 { 0 } else { 1 + share % of };
    let less = Sketch {
        clients: few(ahead.clients, left.0),
        apis: few(ahead.apis, left.1),
        connections: few(ahead.connections, left.2),
        roles: few(ahead.roles, left.0),
        actions: few(ahead.actions, left.1),
        organizations: few(ahead.organizations, left.2),
        ..ahead.clone()
    };
    let (_less, from) = start(tenant(&less, SOURCE, "Src")).await;
    let Imported { before, plan, summary } = import_with(&Desired::unmapped(read(&from).await), &into, &mut memory, true).await;
    prop_assert!(summary.is_whole(), "{:?}", summary.settled);
    let after = read(&into).await;
    let (back, ended) = undo_run(&plan, &summary, &into).await;
    prop_assert_eq!(unreported(&before, &into, &back).await, Vec::<String>::new(), "{:?}", back.skipped);
    prop_assert!(ended.is_whole(), "{:?}", ended.settled);
    let (again, ended) = undo_run(&back, &ended, &into).await;
    prop_assert!(ended.is_whole(), "{:?}", ended.settled);
    prop_assert_eq!(unreported(&after, &into, &again).await, Vec::<String>::new(), "once taken back twice: {:?}", again.skipped);
    Ok(())
}

#[tokio::test]
async fn an_undo_interrupted_at_one_in_four_changes_is_completed_by_another() {
    stopped_at_every(4).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn an_undo_interrupted_anywhere_is_completed_by_another() {
    stopped_at_every(1).await;
}

/// Interrupts the undo of a prune before every `step`-th change, and lets another undo finish it.
async fn stopped_at_every(step: usize) {
    let picks = (0..64).map(|at| at * 7).collect();
    let ahead = Sketch { clients: 3, apis: 2, connections: 2, roles: 2, actions: 2, organizations: 2, flows: 1, picks, shared: false };
    let less = Sketch { clients: 1, apis: 1, connections: 1, roles: 1, actions: 1, organizations: 1, ..ahead.clone() };
    let (_from, from) = start(tenant(&ahead, SOURCE, "Src")).await;
    let (target, into) = start(State::empty(TARGET)).await;
    let mut memory = empty_sync_state();
    import(&Desired::unmapped(read(&from).await), &into, &mut memory).await;
    let (_less, from) = start(tenant(&less, SOURCE, "Src")).await;
    let Imported { before, plan, summary } = import_with(&Desired::unmapped(read(&from).await), &into, &mut memory, true).await;
    let pruned = target.state();
    let (back, _) = undo_of(&plan, &summary, &into, &Recreated::default()).await;
    let all = back.changes().count();
    assert!(plan.counts().deletions >= 6 && all >= 10, "{:?}, {all}", plan.counts());
    for stopped in (0..all).step_by(step) {
        let (_target, into) = start(pruned.clone()).await;
        let first = apply_plan(&first_of(&back, stopped), &into).await;
        assert!(first.is_whole(), "{stopped}: {:?}", first.settled);
        let applied = first.settled.iter().enumerate().filter_map(|(at, one)| Some((at, one.outcome.id()?.clone()))).collect();
        let mut again = Recreated::default();
        again.record_created(&back, &applied);
        let (rest, skipped) = undo_of(&plan, &summary, &into, &again).await;
        assert_eq!(skipped, [""; 0], "{stopped}");
        let ended = apply_plan(&rest, &into).await;
        assert!(ended.is_whole(), "{stopped}: {:?}", ended.settled);
        assert_eq!(moved(&before, &read(&into).await), [""; 0], "{stopped}");
    }
}

/// Returns the first changes of a plan.
fn first_of(plan: &Plan, count: usize) -> Plan {
    let (mut plan, mut left) = (plan.clone(), count);
    for stage in &mut plan.stages {
        stage.changes.truncate(left);
        left -= stage.changes.len();
    }
    plan
}

/// Plans the undo of a run whose resources earlier undos recreated; returns the plan and what it leaves out.
async fn undo_of(plan: &Plan, summary: &Summary, tenant: &Tenant, again: &Recreated) -> (Plan, Vec<String>) {
    let applied = summary.settled.iter().enumerate().filter_map(|(at, one)| one.outcome.id().map(|id| (at, id.clone()))).collect();
    let done = AppliedRun { name: "r", plan, applied: &applied, unclear: &BTreeSet::new(), again };
    let (plan, _) = undo(Catalog::standard(), done, &read(tenant).await, &|_| true);
    let skipped = beside_users(&plan);
    (plan, skipped)
}

/// Returns what an undo leaves out, except lost user data.
pub(crate) fn beside_users(back: &Plan) -> Vec<String> {
    let is_of_users = |left: &&Skipped| left.reason.ends_with("which cannot be restored");
    back.skipped.iter().filter(|left| !is_of_users(left)).map(|left| format!("{}: {}", left.key, left.reason)).collect()
}

/// Returns the differences from the state before that the undo does not report, field by field.
async fn unreported(before: &Snapshot, tenant: &Tenant, back: &Plan) -> Vec<String> {
    let after = in_words_as_before(before, read(tenant).await, back);
    unnamed(before, &after, back)
}

#[test]
fn prunes_of_a_few_random_runs_are_undone_completely_or_reported_and_so_are_the_undos() {
    prune_random(8);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn prunes_of_random_runs_are_undone_completely_or_reported_and_so_are_the_undos() {
    prune_random(64);
}

fn prune_random(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let left = (0..4_usize, 0..3_usize, 0..3_usize);
    let mut runner = runner(cases);
    runner.run(&(sketches(), left), |(ahead, left)| runtime.block_on(pruned_and_back(ahead, left))).expect("every run is taken back");
}

#[test]
fn a_few_random_runs_are_undone_completely_and_so_are_the_undos() {
    take_back_random(CASES.0);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn random_runs_are_undone_completely_and_so_are_the_undos() {
    take_back_random(CASES.1);
}

fn take_back_random(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = runner(cases);
    let sides = (sketches(), sketches());
    runner.run(&sides, |(ahead, behind)| runtime.block_on(there_and_back(ahead, behind))).expect("every run is taken back");
}
