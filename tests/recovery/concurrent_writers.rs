//! Several writers to one tenant: nothing is created twice, and the second one reports the conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;

use auth0_migrate::apply::{ChangeResult, Summary};
use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::model::event::{Operation, Outcome};
use auth0_migrate::plan::{Action, Change, Plan};
use auth0_migrate::sandbox::{Sandbox, State, seed};
use auth0_migrate::snapshot::Desired;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev, prod};
use crate::support::imports::{apply_plan, connect_with_secret, empty_sync_state, planned, read, start, state};
use crate::support::recorded_tenants::recorded;

const DOMAIN: &str = "target.eu.auth0.com";
const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes";

/// Returns the kinds that allow duplicate names.
fn sharing() -> impl Iterator<Item = &'static Kind> {
    Catalog::standard().kinds().filter(|kind| kind.identity.allows_duplicates)
}

/// Counts the resources of a tenant by name, for kinds with duplicate names.
fn counted(sandbox: &Sandbox) -> BTreeMap<(&'static str, String), usize> {
    let held = sandbox.state().to_json()["data"].take();
    let mut counted = BTreeMap::new();
    for kind in sharing() {
        for one in held[kind.paths.list].as_array().into_iter().flatten() {
            *counted.entry((kind.name, one["name"].to_string())).or_default() += 1;
        }
    }
    counted
}

/// Returns the names that occur once.
fn once(mut counted: BTreeMap<(&'static str, String), usize>) -> BTreeMap<(&'static str, String), usize> {
    counted.retain(|_, count| *count == 1);
    counted
}

/// Returns the first changes of a plan.
fn first_of(plan: &Plan, most: usize) -> Plan {
    let (mut first, mut left) = (plan.clone(), most);
    for stage in &mut first.stages {
        stage.changes.truncate(left);
        left -= stage.changes.len();
    }
    first
}

/// Returns whether a plan creates what detects a concurrent run: something that may exist twice, and something unique.
fn creates_what_tells(plan: &Plan) -> bool {
    let is_collection =
        |name: &str| Catalog::standard().kind(name).is_some_and(|kind| kind.shape == Shape::Collection && kind.has_own_ids());
    plan.changes().any(|change| matches!(change.action, Action::Create { .. }) && is_collection(change.key.kind().name))
}

fn reasons(summary: &Summary) -> Vec<&str> {
    let skipped = summary.settled.iter().filter(|settled| matches!(settled.outcome, Outcome::Skipped(_)));
    skipped.filter_map(|settled| settled.outcome.message()).collect()
}

/// Lets another writer apply the first changes of a plan between that plan and its first request, for parts of each
/// size.
async fn nothing_is_made_twice(source: State) {
    let (_from, from) = start(source).await;
    let desired = Desired::unmapped(read(&from).await);
    let mut whole = None;
    for part in 0..=4 {
        let (into, tenant) = start(State::empty(DOMAIN)).await;
        let plan = planned(&desired, &read(&tenant).await, &empty_sync_state());
        let of_another = first_of(&plan, plan.changes().count() * part / 4);
        apply_plan(&of_another, &connect_with_secret(&into, DOMAIN)).await;
        let ended = apply_plan(&plan, &tenant).await;
        let whole = whole.get_or_insert_with(|| counted(&into));
        let twice: Vec<_> = counted(&into).into_iter().filter(|(key, count)| whole.get(key).is_none_or(|wanted| count > wanted)).collect();
        assert_eq!(twice, [], "{part}");
        let is_noticed = reasons(&ended).iter().any(|reason| reason.ends_with("which this run did not create; plan again"));
        assert_eq!(is_noticed, creates_what_tells(&of_another), "{part}: {:?}", ended.tally());
        // A new plan knows what the other writer created.
        let again = planned(&desired, &read(&tenant).await, &empty_sync_state());
        apply_plan(&again, &tenant).await;
        // Which of several resources with one name the other writer created cannot be determined: they are skipped and
        // reported.
        let (wanted, held) = (once(whole.clone()), counted(&into));
        let lacks: Vec<_> = wanted.into_iter().filter(|(key, _)| held.get(key) != Some(&1)).collect();
        assert_eq!(lacks, [], "{part}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_another_writer_created_since_the_plan_are_not_created_again() {
    nothing_is_made_twice(state(seed::ACME_DEV)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn recorded_resources_another_writer_created_are_not_created_again() {
    for (name, state) in recorded() {
        if name == "union" {
            nothing_is_made_twice(state).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn detecting_another_writer_takes_one_list_per_kind_with_duplicates() {
    let (_from, from) = start(state(seed::ACME_DEV)).await;
    let desired = Desired::unmapped(read(&from).await);
    let (into, tenant) = start(State::empty(DOMAIN)).await;
    let plan = planned(&desired, &read(&tenant).await, &empty_sync_state());
    let before = into.requests().len();
    apply_plan(&plan, &tenant).await;
    let creates = |stage: &auth0_migrate::plan::Stage, kind: &Kind| {
        let is_one = |change: &Change| matches!(change.action, Action::Create { .. }) && change.key.kind() == kind;
        stage.changes.iter().any(is_one)
    };
    let paths: BTreeSet<&str> = Catalog::standard().kinds().map(|kind| kind.paths.list).collect();
    for path in paths {
        let lists = into.requests()[before..].iter().filter(|seen| !seen.is_write && seen.path.split('?').next() == Some(path)).count();
        let of_path = sharing().filter(|kind| kind.paths.list == path);
        let stages: usize = of_path.map(|kind| plan.stages.iter().filter(|stage| creates(stage, kind)).count()).sum();
        assert_eq!(lists, stages, "{path}");
    }
}

#[tokio::test]
async fn a_third_party_client_registered_meanwhile_is_not_another_writer() {
    let (_from, from) = start(State::from_json(dev()).expect("a state")).await;
    let desired = Desired::unmapped(read(&from).await);
    let (into, tenant) = start(State::empty(DOMAIN)).await;
    let plan = planned(&desired, &read(&tenant).await, &empty_sync_state());
    let other = auth0_migrate::json::Body::from_value(json!({"name": "Till", "is_first_party": false})).expect("an object");
    let clients = Catalog::standard().kind("clients").expect("a kind");
    connect_with_secret(&into, DOMAIN).create(clients, &other).await.expect("registered");
    let ended = apply_plan(&plan, &tenant).await;
    assert!(ended.is_whole(), "{:?}", reasons(&ended));
}

/// Starts two runs of one plan together, as from two machines; returns their results, and whether anything exists
/// twice.
async fn together(source: State) {
    let (_from, from) = start(source).await;
    let desired = Desired::unmapped(read(&from).await);
    let (calm, tenant) = start(State::empty(DOMAIN)).await;
    let plan = planned(&desired, &read(&tenant).await, &empty_sync_state());
    apply_plan(&plan, &tenant).await;
    for round in 0..8 {
        let (into, tenant) = start(State::empty(DOMAIN)).await;
        let other = connect_with_secret(&into, DOMAIN);
        let (one, two) = tokio::join!(apply_plan(&plan, &tenant), apply_plan(&plan, &other));
        let (went_on, gave_way) = if one.is_whole() { (one, two) } else { (two, one) };
        assert!(went_on.is_whole(), "{round}: both gave way: {:?} {:?}", went_on.tally(), gave_way.tally());
        let made = gave_way.settled.iter().filter(|settled| settled.operation == Operation::Create && settled.outcome.id().is_some());
        assert_eq!(made.collect::<Vec<_>>(), Vec::<&ChangeResult>::new(), "{round}: who gives way has made nothing");
        assert!(reasons(&gave_way).contains(&"another writer is changing the target; plan again"), "{round}");
        assert_eq!(counted(&into), counted(&calm), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_runs_started_together_one_continues_and_the_other_creates_nothing() {
    together(state(seed::ACME_DEV)).await;
}

/// Two tenants, the second of which lacks ten clients.
fn ahead() -> Fixture {
    let mut source = dev();
    let clients = source["data"]["/clients"].as_array_mut().expect("a list");
    clients.extend((0..8).map(|at| client(&format!("devApp{at:026}"), &format!("App {at}"), "https://app.acme.example/back")));
    Fixture::new(source, prod(), "")
}

fn twice(fixture: &Fixture) -> Vec<String> {
    let clients = fixture.prod("/clients");
    let mut names: Vec<String> = clients.as_array().expect("a list").iter().map(|one| one["name"].to_string()).collect();
    names.sort();
    let pairs = names.windows(2).filter(|pair| pair[0] == pair[1]);
    pairs.map(|pair| pair[0].clone()).collect()
}

#[test]
fn forty_concurrent_imports_in_four_folders_create_no_duplicates() {
    let mut fixture = ahead();
    fixture.slow_down_prod();
    for folder in 0..4 {
        fixture.write(&format!("checkout-{folder}/migrate.toml"), &fixture.read("migrate.toml"));
    }
    let is_patient = |at: usize| at.is_multiple_of(4);
    let line = |at: usize| {
        let wait = if is_patient(at) { " --lock-timeout 10m" } else { "" };
        format!("{IMPORT} --quiet --config checkout-{}/migrate.toml{wait}", at % 8 / 2)
    };
    let started: Vec<(usize, Child)> = (0..40).map(|at| (at, fixture.start(&line(at)))).collect();
    for (at, child) in started {
        let said = fixture.end(child);
        assert!(said.code == 0 || (said.code == 5 && !is_patient(at)), "{at}: {}", said.whole());
    }
    assert_eq!((twice(&fixture), fixture.prod("/clients").as_array().map(Vec::len)), (Vec::new(), Some(10)));
}

#[test]
fn exports_and_plans_of_the_same_second_do_not_collide() {
    let fixture = ahead();
    let lines = ["export --tenant dev --quiet", "plan --tenant prod --quiet"];
    let started: Vec<Child> = (0..12).map(|at| fixture.start(lines[at % 2])).collect();
    for child in started {
        let said = fixture.end(child);
        assert!([0, 4].contains(&said.code), "{}", said.whole());
    }
    assert!(!fixture.in_folder("snapshots/dev").is_empty());
}

/// Adds alternative names for the same two tenants: `dev-eu` and `eu-prod`.
fn with_two_pairs() -> Fixture {
    let mut fixture = Fixture::small();
    let text = fixture.read("migrate.toml").replace("source = \"dev\"\n", "");
    let also = text.replace("tenants.dev", "tenants.dev-eu").replace("tenants.prod", "tenants.eu-prod");
    fixture.write("migrate.toml", &format!("{text}\n{also}"));
    for (name, secret) in [("DEV_EU", "CANARY-dev"), ("EU_PROD", "CANARY-prod")] {
        fixture.set(&format!("MIGRATE_{name}_CLIENT_ID"), "tool");
        fixture.set(&format!("MIGRATE_{name}_CLIENT_SECRET"), secret);
    }
    fixture
}

/// The files that an earlier version would have left for dev and prod.
fn as_an_earlier_version_left_it(fixture: &Fixture, name: &str) {
    for (now, then) in [("links.csv", format!("links/{name}.csv")), ("baseline.json", format!("base/{name}.json"))] {
        fixture.write(&then, &fixture.read(&format!("state/dev/prod/{now}")));
    }
    std::fs::remove_dir_all(fixture.path("state")).expect("removed");
}

#[test]
fn pairs_with_ambiguous_joined_names_keep_separate_state() {
    let fixture = with_two_pairs();
    for (from, to) in [("dev", "eu-prod"), ("dev-eu", "prod")] {
        let said = fixture.run(&format!("import --from {from} --tenant {to} --allow lockout-risk,weaker-protection --yes --quiet"));
        assert_eq!(said.code, 0, "{}", said.whole());
        for name in ["pair.json", "links.csv", "baseline.json"] {
            assert!(fixture.path(&format!("state/{from}/{to}/{name}")).exists(), "{from} -> {to}: {name}");
        }
    }
    let pair: Value = serde_json::from_str(&fixture.read("state/dev-eu/prod/pair.json")).expect("JSON");
    assert_eq!((&pair["source"]["tenant"], &pair["target"]["tenant"]), (&json!("dev-eu"), &json!("prod")));
}

#[test]
fn state_of_an_earlier_version_is_moved_with_a_notice() {
    let mut fixture = Fixture::small();
    assert_eq!(fixture.run(&format!("{IMPORT} --quiet")).code, 0);
    as_an_earlier_version_left_it(&fixture, "dev-prod");
    fixture.change_prod(|held| held["/clients"][0]["callbacks"] = json!(["https://by.hand/back"]));
    let said = fixture.run("drift --tenant prod");
    assert_eq!((said.code, said.out.contains("https://by.hand/back")), (0, true), "{}", said.whole());
    let word = said.err.lines().find(|line| line.starts_with("Moved the state of "));
    assert_snapshot!(word.expect("a word"), @"Moved the state of dev (acme-dev.eu.auth0.com) -> prod (acme-prod.eu.auth0.com) to ./state/dev/prod: ./base/dev-prod.json, ./links/dev-prod.csv");
    assert!(!fixture.run("drift --tenant prod").err.contains("Moved the state of "));
}

#[test]
fn ambiguous_state_of_an_earlier_version_is_left_to_a_person() {
    let fixture = with_two_pairs();
    assert_eq!(fixture.run(&format!("{IMPORT} --from dev --quiet")).code, 0);
    as_an_earlier_version_left_it(&fixture, "dev-eu-prod");
    let writes = fixture.writes().len();
    assert_snapshot!(fixture.run("import --from dev --tenant eu-prod --allow lockout-risk,weaker-protection --yes --quiet").refused(), @r#"
    exit 64
    error: "./base/dev-eu-prod.json", written by an earlier version, may belong to dev -> eu-prod or to dev-eu -> prod
    hint:  if it belongs to that pair, move it to ./state/dev/eu-prod/baseline.json; otherwise move it to the folder of the other pair; if both have written it, remove it
    state: nothing was written
    "#);
    assert_eq!(fixture.writes().len(), writes);
}

#[test]
fn state_of_another_pair_is_refused_by_every_command() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run(&format!("{IMPORT} --quiet")).code, 0);
    fixture.edit("state/dev/prod/pair.json", "acme-prod.eu", "other.eu");
    let writes = fixture.writes().len();
    assert_snapshot!(fixture.run(IMPORT).refused(), @r#"
    exit 64
    error: "./state/dev/prod/pair.json" belongs to dev (acme-dev.eu.auth0.com) -> prod (other.eu.auth0.com), not to dev (acme-dev.eu.auth0.com) -> prod (acme-prod.eu.auth0.com)
    hint:  rename one of the two tenants, or move that folder away to start over: resources are then paired by name
    state: nothing was written
    "#);
    for line in ["sync --from dev --to prod", "plan --tenant prod", "drift --tenant prod", "unlink clients a --tenant prod"] {
        assert_eq!(fixture.run(line).code, 64, "{line}");
    }
    assert_eq!(fixture.writes().len(), writes);
}
