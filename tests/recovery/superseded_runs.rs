//! An interrupted run that a later one superseded: how it is reported, and the effect of resuming it.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fixture::Fixture;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";

/// Imports dev and truncates the journal after the first of two changes; returns the run's name.
fn cut(fixture: &Fixture) -> String {
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    let run = newest(fixture);
    let journal = format!("runs/{run}/journal.jsonl");
    // The start, both intents, and the outcome of the first.
    let lines: Vec<String> = fixture.read(&journal).lines().take(4).map(|line| format!("{line}\n")).collect();
    fixture.write(&journal, &lines.concat());
    run
}

fn newest(fixture: &Fixture) -> String {
    fixture.in_folder("runs").into_iter().filter(|run| run.ends_with("prod")).max().expect("a run")
}

/// Gives dev's shop another description.
fn describe(fixture: &Fixture, text: &str) {
    fixture.write("fields.json", &json!({"description": text}).to_string());
    let said = fixture.run("update clients Shop fields.json --tenant dev --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// An interrupted run and a later one; returns the name of the first.
fn superseded() -> (Fixture, String) {
    let fixture = Fixture::small();
    describe(&fixture, "one");
    let run = cut(&fixture);
    describe(&fixture, "two");
    let later = fixture.run(IMPORT);
    assert_eq!(later.code, 0, "{}", later.whole());
    (fixture, run)
}

#[test]
fn a_superseded_run_is_listed_with_the_later_run_and_the_command_for_the_rest() {
    let (fixture, run) = superseded();
    assert_snapshot!(fixture.run("runs --tenant prod").whole(), @"
    exit 0
    run                            from  to    applied  failed  left
    TIME-prod  dev   prod        1       0     0  complete
    TIME-prod  dev   prod        1       0     1  superseded
    ");
    let shown = fixture.run(&format!("show {run}")).out;
    assert_snapshot!(&shown[shown.find("Result").expect("an end")..], @r#"
    Result

    Applied 1 of 2 changes to prod; 1 with unknown outcome.

    Outcome unknown (no response)
      create client "Till": the run was interrupted before a response arrived

    Superseded by a later run: TIME-prod.
    To see the remaining changes:  migrate plan --tenant prod --from dev

    The run's files are in ./runs/TIME-prod
    "#);
    let listed = fixture.run("runs --tenant prod --output json").json();
    let of = |at: usize| (listed["runs"][at]["superseded_by"].clone(), listed["runs"][at]["resume"].clone());
    assert_eq!((of(0), of(1)), ((json!(null), json!(null)), (listed["runs"][0]["run"].clone(), json!(null))), "{listed:#}");
    assert_eq!(fixture.run(&format!("show {run} --output json")).json()["superseded_by"], listed["runs"][0]["run"]);
}

#[test]
fn a_run_superseded_by_an_undo_is_not_resumed_either() {
    let (fixture, run) = superseded();
    let later = newest(&fixture);
    let said = fixture.run(&format!("undo {later} --allow lockout-risk,weaker-protection,deletes,many-changes --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_snapshot!(fixture.run("runs --tenant prod").whole(), @"
    exit 0
    run                            from    to    applied  failed  left
    TIME-prod  (undo)  prod        1       0     0  complete
    TIME-prod  dev     prod        1       0     0  complete
    TIME-prod  dev     prod        1       0     1  superseded
    ");
    assert!(!fixture.run(&format!("show {run}")).out.contains("--resume"));
}

#[test]
fn a_bare_resume_ignores_a_superseded_run() {
    let (fixture, _) = superseded();
    let held = fixture.all_of_prod();
    assert_snapshot!(fixture.run("import --tenant prod --resume --yes --quiet").refused(), @r#"
    exit 64
    error: run "TIME-prod" has already finished
    hint:  run `migrate import` to plan again; `migrate runs` lists all runs
    state: nothing was written
    "#);
    assert_eq!(fixture.all_of_prod(), held);
}

#[test]
fn resuming_a_superseded_run_by_name_keeps_the_state_of_the_later_run() {
    let (fixture, run) = superseded();
    let base = fixture.read("state/dev/prod/baseline.json");
    let said = fixture.run(&format!("import --tenant prod --resume {run} --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(fixture.read("state/dev/prod/baseline.json") == base, "the base went back to what the first run wrote");
    describe(&fixture, "one");
    assert_snapshot!(fixture.run("plan --tenant prod --quiet").whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 routine
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Applications (clients)   1 to update
      ~ "Shop"  description  two → one

    migrate import --tenant prod --from dev
    "#);
}

#[test]
fn the_newest_interrupted_run_is_resumed_and_listed_with_the_command() {
    let fixture = Fixture::small();
    cut(&fixture);
    assert_snapshot!(fixture.run("runs").whole(), @"
    exit 0
    run                            from  to    applied  failed  left
    TIME-prod  dev   prod        1       0     1  interrupted

    To resume TIME-prod:  migrate import --tenant prod --resume TIME-prod
    ");
    let said = fixture.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
}
