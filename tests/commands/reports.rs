//! `--report`: reports as files, `show`, and what GitHub Actions shows.

use serde_json::Value;

use crate::support::fixture::{CommandOutput, Fixture};

const FORMATS: [&str; 5] = ["html", "md", "csv", "json", "xml"];

/// Runs a command with a report in each format; returns its output.
fn with_reports(fixture: &Fixture, line: &str, name: &str) -> CommandOutput {
    let reports = FORMATS.map(|format| format!(" --report {name}.{format}")).concat();
    fixture.run(&format!("{line} --quiet{reports}"))
}

/// Asserts that all reports of a command name a client, and that the JSON has the exit code of the command.
fn name_it(fixture: &Fixture, name: &str, (client, code): (&str, i32)) {
    for format in FORMATS {
        let text = fixture.read(&format!("{name}.{format}"));
        assert!(text.contains(client), "{name}.{format}:\n{text}");
        assert!(!text.contains("CANARY"), "{name}.{format} contains a secret");
    }
    let json: Value = serde_json::from_str(&fixture.read(&format!("{name}.json"))).expect("JSON");
    assert_eq!(json["exit"], code, "{name}");
    let xml = fixture.read(&format!("{name}.xml"));
    roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
}

#[test]
fn plan_import_show_drift_diff_undo_and_sync_write_reports_in_every_format() {
    let mut fixture = Fixture::small();
    let planned = with_reports(&fixture, "plan --tenant prod", "plan");
    name_it(&fixture, "plan", ("Till", planned.code));
    let json: Value = serde_json::from_str(&fixture.read("plan.json")).expect("JSON");
    assert_eq!(json, with_estimate_of(&fixture.run("plan --tenant prod --output json --quiet").json(), &json), "the answer of the command");
    let imported = with_reports(&fixture, "import --tenant prod --yes --allow lockout-risk", "import");
    name_it(&fixture, "import", ("Till", imported.code));
    let shown = with_reports(&fixture, "show last", "show");
    assert_eq!(shown.code, 0, "{}", shown.whole());
    name_it(&fixture, "show", ("Till", 0));
    fixture.change_prod(|held| held["/clients"][0]["callbacks"] = serde_json::json!(["https://shop.acme.example/other"]));
    let drifted = with_reports(&fixture, "drift --tenant prod --check", "drift");
    name_it(&fixture, "drift", ("Shop", drifted.code));
    let differing = with_reports(&fixture, "diff dev prod", "diff");
    name_it(&fixture, "diff", ("Shop", differing.code));
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    let undone = with_reports(&fixture, &format!("undo {run} --yes --allow deletes,lockout-risk"), "undo");
    name_it(&fixture, "undo", ("Till", undone.code));
    let synced = with_reports(&fixture, "sync --from dev --to prod", "sync");
    name_it(&fixture, "sync", ("Till", synced.code));
}

/// Returns an answer with the times of another one, which differ from run to run.
fn with_estimate_of(answer: &Value, other: &Value) -> Value {
    let mut answer = answer.clone();
    for side in ["source", "target"] {
        answer[side]["taken"] = other[side]["taken"].clone();
    }
    answer
}

#[test]
fn a_plan_that_is_refused_is_reported_too() {
    let mut fixture = Fixture::small();
    fixture.change_prod(|held| {
        held["/clients"][0]["callbacks"] = serde_json::json!(["https://shop.acme.example/a", "https://shop.acme.example/b"]);
    });
    let said = with_reports(&fixture, "import --tenant prod --yes", "refused");
    assert_eq!(said.code, 4, "{}", said.whole());
    name_it(&fixture, "refused", ("Shop", 4));
    assert!(fixture.read("refused.xml").contains("lockout-risk is not approved"), "{}", fixture.read("refused.xml"));
}

#[test]
fn a_sync_that_is_refused_reports_the_reasons() {
    let fixture = Fixture::small();
    let said = with_reports(&fixture, "sync --from dev --to prod", "night");
    assert_eq!(said.code, 4, "{}", said.whole());
    name_it(&fixture, "night", ("Shop", 4));
    assert!(fixture.read("night.xml").contains("lockout-risk is not approved"), "{}", fixture.read("night.xml"));
}

#[test]
fn the_report_of_a_plan_that_lacks_a_scope_has_the_exit_code_of_the_command() {
    let mut fixture = Fixture::small();
    fixture.sign_in_to_prod_with(&["read:clients", "read:rules", "update:rules"]);
    let said = fixture.run("import --tenant prod --kinds clients --yes --allow lockout-risk --quiet --report denied.json");
    let json: Value = serde_json::from_str(&fixture.read("denied.json")).expect("JSON");
    assert_eq!((said.code, &json["exit"]), (77, &Value::from(77)), "{}", said.whole());
}

#[test]
fn a_report_whose_format_or_folder_is_unknown_is_refused_before_anything_is_read() {
    let fixture = Fixture::small();
    for (file, reason) in [("plan.pdf", "one of .html, .md, .csv, .json, .xml"), ("missing/plan.html", "there is no folder \"missing\"")] {
        let said = fixture.run(&format!("plan --tenant prod --report {file}"));
        assert_eq!((said.code, said.err.contains(reason)), (64, true), "{}", said.whole());
    }
    assert!(fixture.requests().is_empty());
}

#[test]
fn a_saved_plan_is_shown_as_it_was_planned() {
    let fixture = Fixture::small();
    let planned = fixture.run("plan --tenant prod --out saved.json --quiet");
    let shown = fixture.run("show saved.json");
    assert_eq!(shown.code, 0, "{}", shown.whole());
    let line = "+ \"Till\"";
    assert!(planned.out.contains(line) && shown.out.contains(line), "{}\n{}", planned.out, shown.out);
    let said = fixture.run("show last");
    assert_eq!((said.code, said.err.contains("no run")), (64, true), "{}", said.whole());
}

#[test]
fn in_github_actions_a_refused_run_is_annotated_once() {
    let mut fixture = Fixture::small();
    fixture.set("GITHUB_ACTIONS", "true");
    let errors = |said: &CommandOutput| said.err.lines().filter(|line| line.starts_with("::error")).map(str::to_owned).collect::<Vec<_>>();
    for line in ["import --tenant prod --yes --quiet", "sync --from dev --to prod"] {
        let said = fixture.run(line);
        let found = errors(&said);
        assert!(said.code == 4 && found.len() == 1 && found[0].starts_with("::error title=Refused%3A lockout-risk::"), "{}", said.whole());
    }
    // A command without a report has nothing but its failure.
    fixture.write("said.json", r#"{"callbacks": []}"#);
    let said = fixture.run("update clients Shop said.json --tenant prod --yes --quiet");
    assert!(said.code != 0 && errors(&said).len() == 1, "{}", said.whole());
}

#[test]
fn in_junit_a_plan_and_drift_without_changes_have_one_case_that_passes() {
    let fixture = Fixture::small();
    fixture.run("import --tenant prod --yes --allow lockout-risk --quiet");
    for (line, suite, case) in [("plan --tenant prod", "Plan", "no changes"), ("drift --tenant prod", "Drift", "no drift")] {
        let said = fixture.run(&format!("{line} --quiet --report nothing.xml"));
        assert_eq!(said.code, 0, "{}", said.whole());
        let xml = fixture.read("nothing.xml");
        let document = roxmltree::Document::parse(&xml).expect("XML");
        let root = document.root_element();
        assert_eq!(["tests", "failures", "errors"].map(|count| root.attribute(count)), [Some("1"), Some("0"), Some("0")], "{xml}");
        let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let [only] = cases.as_slice() else { panic!("{xml}") };
        assert_eq!((only.attribute("name"), only.parent_element().and_then(|suite| suite.attribute("name"))), (Some(case), Some(suite)));
        assert!(!only.has_children(), "a case without a failure and not skipped passes: {xml}");
    }
}

#[test]
fn in_github_actions_a_plan_becomes_annotations_and_the_summary_of_the_step() {
    let mut fixture = Fixture::small();
    fixture.set("GITHUB_ACTIONS", "true");
    let summary = fixture.path("summary.md");
    fixture.set("GITHUB_STEP_SUMMARY", &summary.display().to_string());
    let said = fixture.run("plan --tenant prod --output json --quiet");
    assert!(said.err.contains("::error title=Refused%3A lockout-risk::"), "{}", said.err);
    assert!(said.err.contains("::warning title=LOCKOUT client \"Shop\"::may lock someone out: callbacks"), "{}", said.err);
    assert!(said.json().is_object(), "only JSON on stdout");
    let first = fixture.read("summary.md");
    assert!(first.contains("Shop"), "{first}");
    let said = fixture.run("plan --tenant nowhere --quiet");
    assert!(said.err.contains("::error title=migrate::unknown tenant \"nowhere\""), "{}", said.err);
    fixture.run("plan --tenant prod --quiet");
    assert_eq!(fixture.read("summary.md").len(), 2 * first.len(), "a step has one summary of all its commands");
}
