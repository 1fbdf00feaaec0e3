//! Snapshot tests of whole outputs for a small plan and its run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::style::plain;
use super::{Layout, PlanView, Report, ReportFormat, ReportSubject, RunCost, RunReport, files, plan_sample, sample, schemas};
use crate::apply::Summary;
use crate::model::changed_by::{Author, ChangedBy};
use crate::model::resource::key;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{Drift, DriftReport, Plan, Skipped};

fn run<'run>(plan: &'run Plan, summary: &'run Summary) -> RunReport<'run> {
    let cost = RunCost { took: Duration::from_secs(31), requests: 240, waited: Duration::from_secs(4) };
    RunReport {
        plan,
        summary,
        cost,
        folder: Path::new("runs/2026-03-01T10-05-00Z"),
        resume: "migrate import --tenant prod --resume",
        probe: None,
    }
}

fn text_of(run: RunReport<'_>) -> String {
    plain(&Report::new(ReportSubject::Run(run), 0).to_text(Layout::default()))
}

fn file(name: &str) -> String {
    let (plan, summary) = (sample::plan(), sample::summary());
    let found = files(run(&plan, &summary), 3).find(|(file, _)| *file == name);
    found.expect("a file of that name").1
}

#[test]
fn a_successful_run_is_reported_in_the_past_tense() {
    let (plan, whole) = (sample::plan(), sample::whole());
    insta::assert_snapshot!(text_of(run(&plan, &whole)), @r#"
        Applied 5 changes to prod in 31 s (240 requests, waited 4 s for the rate limit).

        Skipped
          7 rules: none can be created any more
            Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
          client "Web", default_organization: organizations are not covered yet

        Manual steps
          1. client "Billing API": the target generates a new client_secret; give it to the services that use this client

        The run's files are in runs/2026-03-01T10-05-00Z
        "#);
}

#[test]
fn a_failed_run_reports_the_state_first_and_then_the_failures() {
    let (plan, partly) = (sample::plan(), sample::summary());
    insta::assert_snapshot!(text_of(run(&plan, &partly)), @r#"
    Applied 1 of 5 changes to prod in 31 s (240 requests, waited 4 s for the rate limit); 1 failed, 1 with unknown outcome, 1 skipped and 1 not sent.

    Failed
      create client "Billing API": the tenant answered 400 invalid_body: callbacks must be a list

    Outcome unknown (no response)
      update clients of connection "google-oauth2": the connection broke

    Skipped during the run
      create grant "Billing API · https://⟨tenant⟩/api/v2/ · client": it needs client "Billing API"

    Returned differently than sent
      client "Web": description was sent as "Web" and returned as "web"

    Skipped
      7 rules: none can be created any more
        Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
      client "Web", default_organization: organizations are not covered yet

    ⟨tenant⟩ is each tenant's own domain.

    To resume this run:  migrate import --tenant prod --resume

    The run's files are in runs/2026-03-01T10-05-00Z
    "#);
}

#[test]
fn a_plan_is_json_for_programs() {
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&Report::new(ReportSubject::Plan(PlanView::new(&sample::plan(), &sample::refusals())), 4).to_json())
            .expect("JSON")
    );
}

#[test]
fn a_run_is_json_for_programs() {
    let (plan, partly) = (sample::plan(), sample::summary());
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&Report::new(ReportSubject::Run(run(&plan, &partly)), 3).to_json()).expect("JSON")
    );
}

#[test]
fn a_run_is_rows_for_spreadsheets() {
    insta::assert_snapshot!(file("report.csv"), @r#"
    kind,name,operation,outcome,field,target_id,message,at
    clients,Web,update,applied,,t1,,2026-11-25T06:33:01Z
    clients,Billing API,create,failed,,,the tenant answered 400 invalid_body: callbacks must be a list,
    client-grants,Billing API · https://⟨tenant⟩/api/v2/ · client,create,skipped,,,"it needs client ""Billing API""",
    connection-clients,google-oauth2,update,unknown,,,the connection broke,
    clients,Billing API,update,unsent,,,,
    rules,Rule 1,,skipped,,,none can be created any more,
    rules,Rule 2,,skipped,,,none can be created any more,
    rules,Rule 3,,skipped,,,none can be created any more,
    rules,Rule 4,,skipped,,,none can be created any more,
    rules,Rule 5,,skipped,,,none can be created any more,
    rules,Rule 6,,skipped,,,none can be created any more,
    rules,Rule 7,,skipped,,,none can be created any more,
    clients,Web,,skipped,default_organization,,organizations are not covered yet,
    "#);
}

#[test]
fn a_run_is_a_page_in_markdown() {
    insta::assert_snapshot!(file("report.md"));
}

/// Names and values that try to leave their place in a file.
const HOSTILE: &str = "\"><script>alert(1)</script>]]>\u{1b}[31m\u{0}\r\n=cmd|'/c calc'!A0,;\u{202e}";

/// Drift with a hostile name and value.
fn hostile_drift() -> DriftReport {
    let who = Author::Person { name: HOSTILE.into(), id: HOSTILE.into(), through: HOSTILE.into() };
    let by = ChangedBy { who, at: "2026-11-28T14:03:00Z".to_owned(), ip: Some(HOSTILE.into()) };
    let drift = |name: &str| {
        let changed_by = Some(by.clone());
        Drift { key: key(name), path: "callbacks".into(), base: None, live: Some(HOSTILE.into()), changed_by }
    };
    let unseen = Skipped::new(key("clients/Unseen"), None, HOSTILE);
    DriftReport {
        drift: vec![drift("clients/Web"), drift(&format!("clients/{HOSTILE}"))],
        gone: vec![key("clients/Gone")],
        deleted_by: [(key("clients/Gone"), by)].into(),
        unseen: vec![unseen],
        note: Some(HOSTILE.to_owned()),
    }
}

/// Calls a function with each kind of report.
fn with_every_report(check: impl Fn(&str, &Report<'_>)) {
    let (dangers, small, partly, drift) = (plan_sample::with_dangers(), sample::plan(), sample::summary(), hostile_drift());
    let refusals: Vec<Refusal> = guards::deletes(&dangers).into_iter().chain(guards::risks(&dangers)).collect();
    let subjects = [
        ("plan", ReportSubject::Plan(PlanView::new(&dangers, &refusals))),
        ("run", ReportSubject::Run(run(&small, &partly))),
        ("drift", ReportSubject::Drift { target: "prod", drift: &drift }),
        ("comparison", ReportSubject::Comparison(&dangers)),
    ];
    for (name, subject) in subjects {
        check(name, &Report::new(subject, 3));
    }
}

#[test]
fn every_format_of_every_report_is_valid_and_names_the_same_resources() {
    with_every_report(|name, report| {
        let resources = |csv: &str| -> BTreeSet<String> {
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let rows = reader.records().map(|row| row.expect("a row of as many cells as the head has"));
            // A manual step is no case of a test.
            rows.filter(|row| &row[2] != "manual_step").map(|row| row[1].to_owned()).collect()
        };
        let csv = resources(&report.to_format(ReportFormat::Csv));
        assert!(!csv.is_empty(), "{name}");
        let json: serde_json::Value = serde_json::from_str(&report.to_format(ReportFormat::Json)).expect("JSON");
        assert_eq!((json["format"].as_u64(), json["exit"].as_u64()), (Some(1), Some(3)), "{name}");
        let xml = report.to_format(ReportFormat::Junit);
        let parsed = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{name}: {error}\n{xml}"));
        let cases: Vec<&str> =
            parsed.descendants().filter(|node| node.has_tag_name("testcase")).filter_map(|case| case.attribute("name")).collect();
        let (html, markdown) = (report.to_format(ReportFormat::Html), report.to_markdown());
        for resource in
            csv.iter().filter(|resource| !resource.is_empty() && resource.chars().all(|sign| sign.is_alphanumeric() || sign == ' '))
        {
            let is_named = [
                json.to_string().contains(resource.as_str()),
                cases.iter().any(|case| case.contains(resource.as_str())),
                html.contains(resource.as_str()),
                markdown.contains(resource.as_str()),
            ];
            assert_eq!(is_named, [true; 4], "{name}: {resource} in JSON, JUnit, HTML, Markdown");
        }
    });
}

#[test]
fn junit_counts_what_is_refused_failed_and_skipped() {
    with_every_report(|name, report| {
        let xml = report.to_format(ReportFormat::Junit);
        let parsed = roxmltree::Document::parse(&xml).expect("XML");
        let count = |of: &str| parsed.root_element().attribute(of).expect("a count").parse::<usize>().expect("a number");
        let skipped = parsed.descendants().filter(|node| node.has_tag_name("skipped")).count();
        let counts = [count("tests"), count("failures"), count("errors"), skipped];
        let expected = match name {
            // The eight dangers, and nine hooks, which run during a sign-in.
            "plan" => [202, 17, 0, 2],
            "run" => [13, 1, 1, 10],
            "drift" => [4, 3, 0, 1],
            _ => [202, 200, 0, 2],
        };
        assert_eq!(counts, expected, "{name}");
    });
}

#[test]
fn every_report_follows_its_schema() {
    with_every_report(|name, report| {
        let name = if name == "comparison" { "diff" } else { name };
        let (_, schema) = schemas().into_iter().find(|(known, _)| *known == name).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let json = report.to_json();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let mut broken = json;
        broken["format"] = "one".into();
        assert!(!validator.is_valid(&broken), "{name}");
    });
}

#[test]
fn a_guard_that_refuses_a_whole_plan_is_a_failed_case_of_its_own() {
    let (plan, refusals) = (sample::plan(), sample::refusals());
    let xml = Report::new(ReportSubject::Plan(PlanView::new(&plan, &refusals)), 4).to_format(ReportFormat::Junit);
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let case = parsed.descendants().find(|node| node.attribute("name") == Some("many-changes")).expect("a case of the guard");
    let message = case.children().find(|child| child.has_tag_name("failure")).and_then(|failure| failure.attribute("message"));
    assert_eq!(message, Some("12 of the 14 compared resources of \"prod\" would change (limit 4)"), "{xml}");
}
