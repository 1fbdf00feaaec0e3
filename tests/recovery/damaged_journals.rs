//! Journals damaged by a power failure or by hand.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::{IMPORT, RESUME, cut, refused_offline};

/// Returns the output of a resume that must not write.
fn refused(fixture: &Fixture, line: &str) -> String {
    let before = fixture.writes().len();
    let said = fixture.run(line).whole();
    assert_eq!(fixture.writes().len(), before, "{said}");
    said
}

fn names(fixture: &Fixture) -> Vec<String> {
    let clients = fixture.prod("/clients");
    let names = clients.as_array().expect("a list").iter().map(|client| client["name"].as_str().expect("a name").to_owned());
    let mut names: Vec<String> = names.collect();
    // Both are sent concurrently.
    names.sort();
    names
}

#[test]
fn a_torn_last_line_is_dropped_and_the_run_resumes() {
    let (fixture, run) = cut();
    let journal = format!("{run}/journal.jsonl");
    let text = fixture.read(&journal);
    let torn = text.trim_end().len() - 20;
    fixture.write(&journal, &text[..torn]);
    assert_snapshot!(fixture.run(RESUME).whole(), @r#"
    exit 0
    Applied 2 changes to prod in TIME.

    Manual steps
      1. client "Shop": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)
      2. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(names(&fixture), ["Shop", "Till"]);
    let lines = fixture.read(&journal);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    assert!(lines.lines().last().expect("a line").contains("\"ended\""), "{lines}");
}

/// Truncates a journal.
type Tail<'tail> = &'tail dyn Fn(&str) -> String;

#[test]
fn whatever_a_power_failure_left_at_the_end_the_run_resumes_without_duplicates() {
    let half = |text: &str| text[..text.len() - 20].to_owned();
    let tails: [(&str, Tail); 6] = [
        ("zeros behind the last line", &|text| format!("{text}{}", "\0".repeat(4096))),
        ("one zero behind the last line", &|text| format!("{text}\0")),
        ("half a line and zeros", &|text| format!("{}{}", half(text), "\0".repeat(500))),
        ("zeros in the place of the last line", &|text| {
            let last = text.lines().last().expect("a line").len() + 1;
            format!("{}{}", &text[..text.len() - last], "\0".repeat(last))
        }),
        ("half a letter", &|text| format!("{text}{{\"entry\":\"failed\",\"because\":\"caf\u{e9}")),
        ("a line without its end", &|text| text.trim_end().to_owned()),
    ];
    for (what, tail) in tails {
        let (fixture, run) = cut();
        let journal = format!("{run}/journal.jsonl");
        let text = tail(&fixture.read(&journal)).into_bytes();
        let torn = if what == "half a letter" { &text[..text.len() - 1] } else { &text[..] };
        std::fs::write(fixture.path(&journal), torn).expect("written");
        let listed = fixture.run("runs");
        assert!(listed.code == 0 && listed.out.contains("interrupted"), "{what}: {}", listed.whole());
        let said = fixture.run(RESUME);
        assert_eq!((said.code, names(&fixture)), (0, vec!["Shop".to_owned(), "Till".to_owned()]), "{what}: {}", said.whole());
        let lines = fixture.read(&journal);
        assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{what}: {lines}");
    }
}

/// A run whose name has a time in the future, since the clock was set back.
#[test]
fn a_run_after_the_clock_was_set_back_is_new_and_the_newest() {
    let (fixture, run) = cut();
    let ahead = "2099-01-01T00-00-00.000Z-prod";
    std::fs::rename(fixture.path(&run), fixture.path(&format!("runs/{ahead}"))).expect("renamed");
    let journal = fixture.read(&format!("runs/{ahead}/journal.jsonl"));
    let said = fixture.run(&IMPORT.replace(" --quiet", ""));
    let word = "The clock is behind the last run; this run is named TIME-prod so that it is the newest.";
    assert!(said.code == 0 && said.err.contains(word), "{}", said.whole());
    let mut runs = fixture.in_folder("runs");
    runs.sort();
    assert_eq!(runs, [ahead, "2099-01-01T00-00-00.001Z-prod"]);
    assert_eq!(fixture.read(&format!("runs/{ahead}/journal.jsonl")), journal);
    let is_ended = |place: usize| fixture.run("runs --output json").json()["runs"][place]["is_ended"].clone();
    assert_eq!((is_ended(0), is_ended(1)), (true.into(), false.into()), "the newest is listed first");
}

#[test]
fn a_broken_middle_is_refused_with_a_hint() {
    let (fixture, run) = cut();
    fixture.edit(&format!("{run}/journal.jsonl"), "\"intent\"", "\"intnt\"");
    assert_snapshot!(refused(&fixture, RESUME), @r#"
    exit 64
    error: journal "./runs/TIME-prod/journal.jsonl" is invalid in line 2, column 16: unknown variant `intnt`, expected one of `begun`, `resumed`, `intent`, `applied`, `failed`, `skipped`, `unknown`, `stopped`, `ended`
    hint:  run `migrate plan` to compare with the current state of the target
    state: nothing was written
    "#);
}

#[test]
fn an_overwritten_middle_is_refused_with_a_hint() {
    let (fixture, run) = cut();
    fixture.edit(&format!("{run}/journal.jsonl"), "{\"entry\":\"intent\"", "\0\0\0\0");
    assert_snapshot!(refused(&fixture, RESUME), @r#"
    exit 64
    error: journal "./runs/TIME-prod/journal.jsonl" is invalid in line 2, column 1: expected value
    hint:  run `migrate plan` to compare with the current state of the target
    state: nothing was written
    "#);
}

#[test]
fn a_journal_of_a_newer_format_is_refused_by_its_number() {
    let (fixture, run) = cut();
    fixture.edit(&format!("{run}/journal.jsonl"), "\"format\":1", "\"format\":2");
    assert_snapshot!(refused(&fixture, RESUME), @r#"
    exit 64
    error: journal "./runs/TIME-prod/journal.jsonl" has format 2; this version of migrate reads up to 1
    hint:  update migrate, then resume the run
    state: nothing was written
    "#);
}

#[test]
fn a_run_with_an_edited_plan_is_not_resumed() {
    let (fixture, run) = cut();
    fixture.edit(&format!("{run}/plan.json"), "https://till.acme.example/back", "https://evil.example/back");
    assert_snapshot!(refused(&fixture, RESUME), @r#"
    exit 64
    error: cannot read run "TIME-prod"
    cause: plan "./runs/TIME-prod/plan.json" was changed after it was made
    hint:  run `migrate plan` to compare with the current state of the target
    state: nothing was written
    "#);
}

#[test]
fn an_unknown_run_is_reported() {
    let (fixture, _run) = cut();
    assert_snapshot!(refused(&fixture, "import --tenant prod --resume yesterday --yes --quiet"), @r#"
    exit 64
    error: no run "yesterday" in "./runs"
    hint:  `migrate runs` lists all runs
    state: nothing was written
    "#);
}

#[test]
fn without_an_interrupted_run_there_is_nothing_to_resume() {
    assert_snapshot!(refused_offline(&Fixture::small(), RESUME), @r#"
    exit 64
    error: no interrupted run on "prod"
    hint:  run `migrate import` to plan again
    state: nothing was written
    "#);
}
