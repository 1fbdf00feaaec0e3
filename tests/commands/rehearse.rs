//! Rehearsals: an import on a local copy of its target, which is only read.

use std::sync::Mutex;

use auth0_migrate::catalog::{Catalog, Kind};
use auth0_migrate::export::{Reading, ResponseRecorder, Scope};
use auth0_migrate::json::Body;
use auth0_migrate::management_api::Absence;
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::resource::{Id, Key};
use auth0_migrate::sandbox::{Replica, seed};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture};
use crate::support::imports::{NOW, read, start};
use crate::support::recorded_tenants::{ONE, recorded};

const REHEARSE: &str = "import --tenant prod --rehearse --allow many-changes,lockout-risk,weaker-protection --quiet";

fn acme() -> [Value; 2] {
    [seed::ACME_DEV, seed::ACME_PROD].map(|text| serde_json::from_str(text).expect("JSON"))
}

/// Rehearses; prod may receive only reads, and only a snapshot of the source may be left behind.
fn rehearsed(fixture: &Fixture, flags: &str) -> CommandOutput {
    let (held, runs) = (fixture.all_of_prod(), fixture.in_folder("runs"));
    let said = fixture.run(&format!("{REHEARSE}{flags}"));
    assert_eq!(fixture.writes().len(), 0, "{}", said.whole());
    assert_eq!(fixture.all_of_prod(), held);
    assert_eq!((fixture.in_folder("runs"), fixture.in_folder("temporary")), (runs, Vec::new()));
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
    said
}

/// The example company, with a folder for temporary files.
fn fixture(dev: Value, prod: Value) -> Fixture {
    let mut fixture = Fixture::acme_of(dev, prod, "");
    let temporary = fixture.path("temporary");
    std::fs::create_dir(&temporary).expect("made");
    fixture.set("TMPDIR", &temporary.display().to_string());
    fixture
}

/// Returns the output after the plan.
fn after_the_plan(said: &CommandOutput) -> String {
    let at = said.out.find("Rehearsed on").unwrap_or_else(|| panic!("{}", said.whole()));
    format!("exit {}\n{}{}", said.code, &said.out[at..], said.err)
}

#[test]
fn the_example_is_rehearsed_and_then_imported_as_rehearsed() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    assert_snapshot!(after_the_plan(&rehearsed(&fixture, "")), @"
    exit 0
    Rehearsed on a copy of prod: applied 41 changes (47 requests, 41 of them writes). A second plan finds nothing to do.

    Nothing was written to prod.

    migrate import --tenant prod --from dev --allow many-changes,lockout-risk,weaker-protection
    ");
    assert!(fixture.in_folder("state").is_empty());
    let told = rehearsed(&fixture, " --output json").json();
    let rehearsal = &told["rehearsal"];
    assert_eq!((&rehearsal["otherwise"], &rehearsal["again"]), (&json!([]), &json!([])), "{rehearsal:#}");
    let done = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet --output json").json();
    let outcomes = |of: &Value| -> Vec<(String, String)> {
        let changes = of["changes"].as_array().expect("a list").iter();
        changes.map(|one| (one["key"].to_string(), one["outcome"].to_string())).collect()
    };
    assert_eq!(outcomes(rehearsal), outcomes(&done));
    let nothing = fixture.run(REHEARSE);
    assert!(nothing.code == 0 && nothing.out.contains("Nothing to do."), "{}", nothing.whole());
}

#[test]
fn a_rehearsal_survives_faults_of_the_copy() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let said = rehearsed(&fixture, " --fault cut-after@w1,500-after@w7x2 --fault 503-before@w20,expired@w30");
    assert!(said.code == 0 && said.out.contains("A second plan finds nothing to do."), "{}", said.whole());
}

#[test]
fn a_rehearsal_reports_how_often_each_fault_occurred() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let faults = " --fault 503-before@w20x2,429@w900 --fault expired@w30";
    let told = after_the_plan(&rehearsed(&fixture, faults));
    let section: Vec<&str> =
        told.lines().skip_while(|line| !line.starts_with("Simulated faults")).take_while(|line| !line.is_empty()).collect();
    assert_snapshot!(section.join("\n"), @"
    Simulated faults
      503-before@w20x2: occurred 2 times
      429@w900: never occurred: it affected no request
      expired@w30: occurred once
    ");
    let told = rehearsed(&fixture, &format!("{faults} --output json")).json();
    let injected = |fault: &str, times: usize| json!({"fault": fault, "injected": times});
    let expected = json!([injected("503-before@w20x2", 2), injected("429@w900", 0), injected("expired@w30", 1)]);
    assert_eq!(told["rehearsal"]["faults"], expected);
}

#[test]
fn an_interrupted_rehearsal_is_resumed() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    // Every attempt at the first changes is cut: the first create, which is sent alone, and the following ones.
    let said = rehearsed(&fixture, " --fault cut-before@w1x15");
    let told = after_the_plan(&said);
    assert!(said.code == 0 && told.contains("It was interrupted and resumed 2 times. A second plan finds nothing to do."), "{told}");
}

#[test]
fn a_signal_ends_a_rehearsal_at_once_without_leftovers() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let begun = "until [ -n \"$(ls temporary)\" ]; do :; done";
    let said = fixture.run_in_shell(&format!("$MIGRATE {REHEARSE} --fault slow:20s@1 & {begun}; kill -TERM $!; wait $!"));
    assert!(said.code == 143 && said.err.ends_with("The rehearsal was stopped: nothing was written.\n"), "{}", said.whole());
    assert_eq!((fixture.writes().len(), fixture.in_folder("temporary")), (0, Vec::new()));
}

#[test]
fn refusals_of_the_target_are_reported_in_a_rehearsal() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let said = rehearsed(&fixture, " --fault echo@w1x40");
    let told = after_the_plan(&said);
    assert!(said.code == 3 && told.contains(" failed") && told.contains("Failed\n"), "{told}");
    assert!(told.contains("A second plan would still change\n"), "{told}");
}

#[test]
fn features_that_the_targets_subscription_lacks_are_reported() {
    let [mut dev, mut prod] = acme();
    dev["data"]["/organizations"] = json!([{"id": "org_devNorth000001", "name": "north", "display_name": "North"}]);
    let message = "Please upgrade your subscription to use organizations";
    let body = json!({"statusCode": 403, "error": "Forbidden", "message": message, "errorCode": "insufficient_entitlement"});
    prod["absent"]["/organizations"] = json!({"status": 403, "body": body});
    let fixture = fixture(dev, prod);
    let said = rehearsed(&fixture, "");
    let told = after_the_plan(&said);
    assert!(said.code == 3 && told.contains(message), "{told}");
    assert!(!told.contains("Different in the copy"), "{told}");
}

#[test]
fn guards_are_reported_as_in_a_dry_run() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let [rehearsal, dry_run] = ["--rehearse", "--dry-run"].map(|flag| fixture.run(&format!("import --tenant prod --quiet {flag}")));
    assert_eq!((rehearsal.code, rehearsal.out), (4, dry_run.out));
}

#[test]
fn an_invalid_fault_is_refused_before_anything_is_done() {
    let [dev, prod] = acme();
    let fixture = fixture(dev, prod);
    let wrong = fixture.run("import --tenant prod --rehearse --fault sneeze@3");
    assert_eq!((wrong.code, fixture.requests().len()), (64, 0), "{}", wrong.whole());
}

#[test]
fn a_rehearsal_uses_the_state_of_earlier_runs() {
    let [dev, prod] = acme();
    let mut fixture = fixture(dev, prod);
    let done = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(done.code, 0, "{}", done.whole());
    fixture.write("client.json", r#"{"description": "edited"}"#);
    let edited = fixture.run("update clients Tableau client.json --tenant dev --yes --quiet");
    assert_eq!(edited.code, 0, "{}", edited.whole());
    // Drift of prod is kept in the rehearsal too.
    fixture.change_prod(|data| {
        let all = data["/clients"].as_array_mut().expect("a list");
        all.iter_mut().find(|one| one["name"] == "Tableau").expect("there")["logo_uri"] = json!("https://logo.acme.example/hot.png");
    });
    let files = |fixture: &Fixture| {
        [
            fixture.read("state/dev/prod/baseline.json"),
            fixture.read("state/dev/prod/links.csv"),
            fixture.read("state/dev/prod/fingerprints.json"),
        ]
    };
    let before = files(&fixture);
    let said = fixture.run(REHEARSE);
    assert!(said.code == 0 && said.out.contains("applied 1 change (") && said.out.contains("nothing to do"), "{}", said.whole());
    assert_eq!(files(&fixture), before);
}

/// Copies the responses that it records, including secrets.
#[derive(Default)]
struct Copyist(Mutex<Replica>);

impl ResponseRecorder for Copyist {
    fn record_resource(&self, kind: &'static Kind, answer: &Body) {
        self.0.lock().expect("a copy").add(kind, answer);
    }

    fn record_elements(&self, kind: &'static Kind, parent: &Id, elements: &[Value]) {
        self.0.lock().expect("a copy").add_children(kind, parent.as_str(), elements);
    }

    fn record_absence(&self, kind: &'static Kind, status: u16, reason: &Absence) {
        self.0.lock().expect("a copy").add_unavailable(kind, status, &reason.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn a_copy_of_every_recorded_tenant_reads_like_the_tenant() {
    copies_read_as_tenants(|_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_recorded_tenant_reads_like_the_tenant() {
    copies_read_as_tenants(|name| name == ONE).await;
}

async fn copies_read_as_tenants(is_meant: fn(&str) -> bool) {
    for (name, state) in recorded().into_iter().filter(|(name, _)| is_meant(name)) {
        let domain = state.domain().to_owned();
        let (_original, tenant) = start(state).await;
        let copyist = Copyist::default();
        let scope = Scope::default();
        let reading = Reading { tenant: &tenant, scope: &scope, observer: &NoObserver, recorder: Some(&copyist) };
        let held = reading.export(Catalog::standard(), NOW).await.expect("read");
        let (_copy, tenant) = start(copyist.0.into_inner().expect("a copy").into_state(&domain).expect("a state")).await;
        let copied = read(&tenant).await;
        let is_elsewhere = |one: &&auth0_migrate::model::resource::Resource| !copied.resources.contains(one);
        let missing: Vec<&Key> = held.resources.iter().filter(is_elsewhere).map(|one| &one.key).collect();
        let is_new = |one: &&auth0_migrate::model::resource::Resource| !held.resources.contains(one);
        let added: Vec<&Key> = copied.resources.iter().filter(is_new).map(|one| &one.key).collect();
        assert_eq!((missing, added), (Vec::new(), Vec::new()), "{name}");
    }
}
