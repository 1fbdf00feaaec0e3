//! Journals that a cut or a hand has damaged.

use insta::assert_snapshot;

use super::{RESUME, cut};
use crate::stage::Stage;

/// Everything said by a resume that must not write.
fn refused(stage: &Stage, line: &str) -> String {
    let before = stage.writes().len();
    let said = stage.run(line).whole();
    assert_eq!(stage.writes().len(), before, "{said}");
    said
}

fn names(stage: &Stage) -> Vec<String> {
    let clients = stage.prod("/clients");
    let names = clients.as_array().expect("a list").iter().map(|client| client["name"].as_str().expect("a name").to_owned());
    let mut names: Vec<String> = names.collect();
    // Both are sent at the same time.
    names.sort();
    names
}

#[test]
fn a_torn_last_line_is_dropped_and_the_run_goes_on() {
    let (stage, run) = cut();
    let journal = format!("{run}/journal.jsonl");
    let text = stage.read(&journal);
    let torn = text.trim_end().len() - 20;
    stage.write(&journal, &text[..torn]);
    assert_snapshot!(stage.run(RESUME).whole(), @r#"
    exit 0
    Applied 2 changes to prod in TIME.

    By hand
      1. client "Shop": the target made a new client_secret; hand it to whoever needs it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it
      2. client "Till": the target made a new client_secret; hand it to whoever needs it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(names(&stage), ["Shop", "Till"]);
    let lines = stage.read(&journal);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    assert!(lines.lines().last().expect("a line").contains("\"ended\""), "{lines}");
}

#[test]
fn a_broken_middle_is_refused_with_what_to_do() {
    let (stage, run) = cut();
    stage.edit(&format!("{run}/journal.jsonl"), "\"intent\"", "\"intnt\"");
    assert_snapshot!(refused(&stage, RESUME), @r#"
    exit 64
    error: nothing was written
    cause: journal "./runs/TIME-prod/journal.jsonl" is broken in line 2, column 16: unknown variant `intnt`, expected one of `begun`, `resumed`, `intent`, `applied`, `failed`, `skipped`, `in_doubt`, `ended`
    hint:  what that run did cannot be known from its journal; `migrate plan` compares with what the target holds now
    "#);
}

#[test]
fn a_middle_that_was_overwritten_is_refused_with_what_to_do() {
    let (stage, run) = cut();
    stage.edit(&format!("{run}/journal.jsonl"), "{\"entry\":\"intent\"", "\0\0\0\0");
    assert_snapshot!(refused(&stage, RESUME), @r#"
    exit 64
    error: nothing was written
    cause: journal "./runs/TIME-prod/journal.jsonl" is broken in line 2, column 1: expected value
    hint:  what that run did cannot be known from its journal; `migrate plan` compares with what the target holds now
    "#);
}

#[test]
fn a_journal_of_a_newer_format_is_refused_by_its_number() {
    let (stage, run) = cut();
    stage.edit(&format!("{run}/journal.jsonl"), "\"format\":1", "\"format\":2");
    assert_snapshot!(refused(&stage, RESUME), @r#"
    exit 64
    error: nothing was written
    cause: journal "./runs/TIME-prod/journal.jsonl" has format 2; this version of migrate reads up to 1
    hint:  update migrate, then go on with the run
    "#);
}

#[test]
fn a_run_whose_plan_was_edited_does_not_go_on() {
    let (stage, run) = cut();
    stage.edit(&format!("{run}/plan.json"), "https://till.acme.example/back", "https://evil.example/back");
    assert_snapshot!(refused(&stage, RESUME), @r#"
    exit 64
    error: nothing was written
    cause: plan "./runs/TIME-prod/plan.json" was changed after it was made
    hint:  make the plan again with `migrate plan --out FILE`
    "#);
}

#[test]
fn a_run_that_does_not_exist_is_named() {
    let (stage, _run) = cut();
    assert_snapshot!(refused(&stage, "import --tenant prod --resume yesterday --yes --quiet"), @r#"
    exit 64
    error: nothing was done: there is no run "yesterday" in "./runs"
    hint:  `migrate runs` lists them
    "#);
}

#[test]
fn where_no_run_was_cut_off_there_is_nothing_to_resume() {
    assert_snapshot!(super::refused_offline(&Stage::small(), RESUME), @r#"
    exit 64
    error: nothing was written: no run of "prod" was cut off
    hint:  `migrate import` plans anew
    "#);
}
