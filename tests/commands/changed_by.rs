//! Who changed the target: drift, conflicts, stale plans and undos name the person or the client that the log names.

use std::time::Duration;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::sandbox::{Caller, LogLimits};
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";
const SHOP: &str = "/clients/prodShop00000000000000000000000a";

/// Returns a fixture whose prod was imported, and has a client that pipelines sign in with.
fn imported() -> Fixture {
    let (mut ours, mut theirs) = (dev(), prod());
    ours["data"]["/clients"][0]["description"] = json!("The shop");
    let pipeline = client("prodPipe00000000000000000000000a", "Pipeline", "https://ci.acme.example/back");
    theirs["data"]["/clients"].as_array_mut().expect("clients").push(pipeline);
    let fixture = Fixture::new(ours, theirs, "");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture
}

fn jane() -> Caller {
    Caller::administrator("google-oauth2|1", "Jane", "jane@acme.example").from_ip("203.0.113.7")
}

fn pipeline() -> Caller {
    Caller::client("prodPipe00000000000000000000000a").from_ip("198.51.100.4")
}

/// Jane changes the description of Shop, and a pipeline its callbacks.
fn change_shop(fixture: &Fixture) {
    fixture.ask_prod_as(jane(), "PATCH", SHOP, &json!({"description": "hot fix"}));
    fixture.ask_prod_as(pipeline(), "PATCH", SHOP, &json!({"callbacks": ["https://shop.acme.example/new"]}));
}

/// Returns the scopes that reading the fixture's kinds needs.
fn reading() -> Vec<&'static str> {
    Catalog::standard().kinds().flat_map(|kind| kind.scopes.read).copied().collect()
}

fn reads_of_the_log(fixture: &Fixture) -> usize {
    fixture.requests().iter().filter(|seen| seen.path.starts_with("/logs")).count()
}

fn drift(fixture: &Fixture) -> CommandOutput {
    fixture.run("drift --tenant prod --quiet")
}

#[test]
fn drift_names_the_person_and_the_client_who_caused_it() {
    let fixture = imported();
    change_shop(&fixture);
    insta::assert_snapshot!(drift(&fixture).whole(), @r#"
    exit 0
    Drift: changed in prod since the last run
      Applications (clients)   1 changed
        ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/new
                               changed by client "Pipeline" on MINUTE from 198.51.100.4
                  description  The shop → hot fix
                               changed by jane@acme.example (dashboard) on MINUTE from 203.0.113.7
    "#);
    assert_eq!(reads_of_the_log(&fixture), 1);
    let json = fixture.run("drift --tenant prod --quiet --output json").json();
    let by = |of: &Value| json!([of["changed_by"]["author"], of["changed_by"]["name"], of["changed_by"]["id"], of["changed_by"]["ip"]]);
    let authors: Vec<Value> = json["drift"].as_array().expect("a list").iter().map(by).collect();
    let of_jane = json!(["person", "jane@acme.example", "google-oauth2|1", "203.0.113.7"]);
    assert_eq!(authors, [json!(["client", "Pipeline", "prodPipe00000000000000000000000a", "198.51.100.4"]), of_jane]);
    insta::assert_snapshot!(fixture.run("plan --tenant prod --quiet").out, @r#"
    prod is up to date with dev: 4 resources unchanged.
    Nothing to do.

    Drift: changed in prod since the last run (2)
      Applications (clients)   1 changed
        ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/new
                               changed by client "Pipeline" on MINUTE from 198.51.100.4
                  description  The shop → hot fix
                               changed by jane@acme.example (dashboard) on MINUTE from 203.0.113.7

    (1 unmanaged in prod; `--output json` lists them)
    "#);
}

#[test]
fn a_plan_without_drift_does_not_read_the_log() {
    let fixture = imported();
    assert_eq!(fixture.run("plan --tenant prod --quiet").code, 0);
    assert_eq!(drift(&fixture).code, 0);
    assert_eq!(reads_of_the_log(&fixture), 0);
}

#[test]
fn a_deletion_and_a_change_by_another_run_are_attributed() {
    let fixture = imported();
    let till = fixture.prod("/clients").as_array().and_then(|all| all.iter().find(|one| one["name"] == "Till").cloned()).expect("Till");
    fixture.ask_prod_as(jane(), "DELETE", &format!("/clients/{}", till["client_id"].as_str().expect("an id")), &Value::Null);
    fixture.write("said.json", r#"{"description": "by hand"}"#);
    let said = fixture.run("update clients Shop said.json --tenant prod --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    insta::assert_snapshot!(drift(&fixture).whole(), @r#"
    exit 0
    Drift: changed in prod since the last run
      Applications (clients)   1 changed
        ~ "Shop"  description  The shop → by hand
                               changed by run TIME-prod on MINUTE from 127.0.0.1

    Deleted from prod since the last run
      client "Till", deleted by jane@acme.example (dashboard) on MINUTE from 203.0.113.7
    "#);
    assert_eq!(fixture.run("drift --tenant prod --quiet --output json").json()["deleted_by"]["clients/Till"]["name"], "jane@acme.example");
}

#[test]
fn a_conflict_names_who_changed_the_target() {
    let fixture = imported();
    fixture.write("said.json", r#"{"description": "theirs"}"#);
    let said = fixture.run("update clients Shop said.json --tenant dev --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture.ask_prod_as(jane(), "PATCH", SHOP, &json!({"description": "ours"}));
    let said = fixture.run("import --tenant prod --yes --quiet");
    insta::assert_snapshot!(said.whole(), @r#"
    exit 3
    prod is up to date with dev, except for what is skipped: 3 resources unchanged.
    Nothing to do.

    Conflicts (changed in both tenants since the last run)
      client "Shop": description
        dev   The shop → theirs
        prod  The shop → ours
              changed by jane@acme.example (dashboard) on MINUTE from 203.0.113.7
      `--drift overwrite` applies the values of dev, also over all other drift in prod
      to keep the values of prod, write them to dev, with {"description":"ours"} in FILE:  migrate update clients devShop000000000000000000000000a FILE --tenant dev

    Skipped (1)
      client "Shop": both tenants changed its description since the last run (changed in prod by jane@acme.example (dashboard) on MINUTE from 203.0.113.7)

    (1 unmanaged in prod; `--output json` lists them)
    "#);
    let plan = fixture.run("plan --tenant prod --quiet --output json").json();
    assert_eq!(plan["conflicts"][0]["changed_by"]["name"], "jane@acme.example");
    assert_eq!(plan["skipped"][0]["changed_by"]["name"], "jane@acme.example");
}

#[test]
fn reports_contain_who_changed_the_target() {
    let fixture = imported();
    change_shop(&fixture);
    fixture.write("said.json", r#"{"name": "Till of Europe", "description": "theirs"}"#);
    assert_eq!(fixture.run("update clients Till said.json --tenant dev --yes --quiet").code, 0);
    let said = fixture.run(IMPORT);
    assert!([0, 3].contains(&said.code), "{}", said.whole());
    let run = fixture.in_folder("runs").into_iter().filter(|run| run.ends_with("-prod")).max().expect("a run");
    for report in ["report.md", "report.html"] {
        let text = fixture.read(&format!("runs/{run}/{report}"));
        assert!(text.contains("jane@acme.example (dashboard) on "), "{report}: {text}");
    }
}

#[test]
fn a_stale_saved_plan_names_who_changed_the_target_since() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("plan --tenant prod --out plan.json --quiet").code, 0);
    fixture.ask_prod_as(jane(), "PATCH", SHOP, &json!({"callbacks": ["https://by.hand"]}));
    let said = fixture.run("import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection,many-changes --yes --quiet");
    insta::assert_snapshot!(said.whole(), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Approved: lockout-risk: 1 resource
    Applied 1 of 2 changes to prod in TIME; 1 skipped.

    Skipped during the run
      update client "Shop": its callbacks changed in the target since the plan, by jane@acme.example (dashboard) on MINUTE from 203.0.113.7; plan again

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
}

#[test]
fn an_undo_names_who_changed_what_the_run_wrote() {
    let fixture = imported();
    let run = fixture.only_in("runs").replace("runs/", "");
    fixture.ask_prod_as(pipeline(), "PATCH", SHOP, &json!({"callbacks": ["https://by.hand"]}));
    let said = fixture.run(&format!("undo {run} --dry-run --quiet"));
    insta::assert_snapshot!(said.whole(), @r#"
    exit 4
    Plan  undo of TIME-prod → prod
      source  acme-prod.eu.auth0.com  read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 delete · 1 routine
      resources: 0 to create, 1 to update, 1 to delete, 3 unchanged
      about 3 requests to apply

    Review first
      DELETE loses data
      DELETE  client "Till"  deleted  regular_web  https://till.acme.example/back

    Applications (clients)   1 to update, 1 to delete
      - "Till"  regular_web   callbacks  https://till.acme.example/back
      ~ "Shop"  description  The shop → (none)

    Skipped (1)
      client "Shop", callbacks: it has changed since the run (changed by client "Pipeline" on MINUTE from 198.51.100.4)

    Notes (1)
      dev still has what this undo takes back: change it there too, or the next import applies it again

    Refused until approved:
      deletes: 1 resource

    To approve what you have reviewed:
      migrate undo TIME-prod --allow deletes:clients/Till
    "#);
    let skipped = fixture.run(&format!("undo {run} --dry-run --quiet --output json")).json()["skipped"].clone();
    assert_eq!(skipped[0]["changed_by"]["name"], "Pipeline", "{skipped}");
}

#[test]
fn without_the_scope_the_drift_is_reported_with_the_reason() {
    let mut fixture = imported();
    change_shop(&fixture);
    fixture.sign_in_to_prod_with(&reading());
    insta::assert_snapshot!(drift(&fixture).whole(), @r#"
    exit 0
    Drift: changed in prod since the last run
      Applications (clients)   1 changed
        ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/new
                  description  The shop → hot fix

    Notes
      who changed prod since the last run is not known: the token lacks the optional scope read:logs
    "#);
    assert_eq!(reads_of_the_log(&fixture), 0, "the token lists its scopes");
}

#[test]
fn a_delayed_log_is_reported() {
    let fixture = imported();
    fixture.limit_log_of_prod(LogLimits { delay: Duration::from_secs(3_600), ..LogLimits::default() });
    change_shop(&fixture);
    insta::assert_snapshot!(drift(&fixture).whole(), @r#"
    exit 0
    Drift: changed in prod since the last run
      Applications (clients)   1 changed
        ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/new
                  description  The shop → hot fix

    Notes
      who changed prod since the last run is not known: the tenant's log has no entry about them; entries may be delayed
    "#);
    fixture.limit_log_of_prod(LogLimits::default());
    assert!(drift(&fixture).out.contains("jane@acme.example"), "it arrived");
}

#[test]
fn an_empty_log_and_one_that_begins_after_the_change_are_reported() {
    let fixture = imported();
    change_shop(&fixture);
    fixture.forget_log_of_prod();
    assert!(drift(&fixture).out.contains("the tenant's log is empty"), "{}", drift(&fixture).whole());
    let run = fixture.only_in("runs");
    let plan: Value = serde_json::from_str(&fixture.read(&format!("{run}/plan.json"))).expect("JSON");
    // As if that run had been longer ago than the log is kept.
    fixture.edit(&format!("{run}/plan.json"), plan["target"]["taken"].as_str().expect("a time"), "2026-01-01T00:00:00Z");
    fixture.ask_prod_as(pipeline(), "PATCH", SHOP, &json!({"callbacks": ["https://shop.acme.example/newer"]}));
    insta::assert_snapshot!(drift(&fixture).whole(), @r#"
    exit 0
    Drift: changed in prod since the last run
      Applications (clients)   1 changed
        ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/newer
                               changed by client "Pipeline" on MINUTE from 198.51.100.4
                  description  The shop → hot fix

    Notes
      who changed prod since the last run is not known for 1 of 2 changes: the tenant's log begins on MINUTE, and they may be older
    "#);
}

#[test]
fn a_log_that_the_tenant_does_not_serve_or_answers_with_errors_is_reported() {
    let mut fixture = imported();
    let held = fixture.stop_prod();
    let mut held = held.to_json();
    held["absent"]["/logs"] = json!({"status": 404, "body": {"statusCode": 404, "error": "Not Found", "message": "Not Found"}});
    fixture.restart_prod(auth0_migrate::sandbox::State::from_json(held).expect("a state"));
    change_shop(&fixture);
    let said = drift(&fixture);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("the tenant does not serve its log"), "{}", said.whole());
}

#[test]
fn control_characters_of_the_log_do_not_reach_a_terminal() {
    let fixture = imported();
    let hostile = Caller::administrator("auth0|2", "M", "m\u{1b}[31m@acme.example\r\nDrift: none").from_ip("1.2.3.4\u{7}");
    fixture.ask_prod_as(hostile, "PATCH", SHOP, &json!({"description": "x"}));
    for line in ["drift --tenant prod --quiet", "plan --tenant prod --quiet"] {
        let said = fixture.run(line);
        assert!(said.out.contains("@acme.example"), "{}", said.whole());
        assert!(!said.out.contains(['\u{1b}', '\u{7}', '\r']), "{:?}", said.out);
    }
}

#[test]
fn show_finds_the_writes_of_a_run_in_the_log() {
    let fixture = imported();
    let run = fixture.only_in("runs").replace("runs/", "");
    let said = fixture.run(&format!("show {run} --verify --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(said.out.ends_with("\n\nWrites in the log of prod\n  2 of 2 writes found\n"), "{}", said.out);
    let json = fixture.run(&format!("show {run} --verify --quiet --output json")).json();
    assert_eq!(json["verification"], json!({"writes": 2, "found": 2, "missing": []}));
    let plain = fixture.run(&format!("show {run} --quiet --output json")).json();
    assert_eq!(plain["verification"], Value::Null);
}

#[test]
fn show_lists_the_writes_that_the_log_lacks() {
    let mut fixture = Fixture::small();
    fixture.limit_log_of_prod(LogLimits { delay: Duration::from_secs(3_600), ..LogLimits::default() });
    assert_eq!(fixture.run(IMPORT).code, 0);
    let run = fixture.only_in("runs").replace("runs/", "");
    let verify = format!("show {run} --verify --quiet");
    let verified = |fixture: &Fixture| {
        let said = fixture.run(&verify);
        let at = said.out.find("Writes in the log").unwrap_or_else(|| panic!("{}", said.whole()));
        format!("exit {}\n{}", said.code, &said.out[at..])
    };
    insta::assert_snapshot!(verified(&fixture), @r#"
    exit 3
    Writes in the log of prod
      0 of 2 writes found
      2 not found: the tenant's log is empty
        update client "Shop" (prodShop00000000000000000000000a)
        create client "Till" (ucjKYV6gSaUfeqpaN2TYw2BO4FwYHKwF)
    "#);
    let json = fixture.run(&format!("{verify} --output json")).json();
    assert_eq!((&json["exit"], &json["verification"]["found"]), (&json!(3), &json!(0)));
    fixture.limit_log_of_prod(LogLimits::default());
    assert!(verified(&fixture).starts_with("exit 0\n"), "{}", verified(&fixture));
    fixture.sign_in_to_prod_with(&reading());
    assert!(verified(&fixture).contains("2 not found: the token lacks the optional scope read:logs"), "{}", verified(&fixture));
}

#[test]
fn the_writes_of_a_resumed_run_carry_its_name() {
    let mut fixture = Fixture::new(dev(), prod(), "cut-before@w2x*");
    let cut = fixture.run("import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet");
    assert_ne!(cut.code, 0, "{}", cut.whole());
    let first: Vec<_> = fixture.writes();
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let resumed = fixture.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    let run = fixture.only_in("runs").replace("runs/", "");
    let all = first.into_iter().chain(fixture.writes());
    let correlations: std::collections::BTreeSet<String> = all.filter_map(|seen| seen.correlation).collect();
    assert_eq!(correlations.into_iter().collect::<Vec<_>>(), [run]);
}
