//! Snapshot tests of whole outputs for a small plan and its run.

use std::path::Path;
use std::time::Duration;

use super::style::plain;
use super::{PlanView, RunCost, RunReport, files, plan_json, sample, summary, summary_json};
use crate::apply::Summary;
use crate::plan::Plan;

fn run<'run>(plan: &'run Plan, summary: &'run Summary) -> RunReport<'run> {
    let cost = RunCost { took: Duration::from_secs(31), requests: 240, waited: Duration::from_secs(4) };
    RunReport { plan, summary, cost, folder: Path::new("runs/2026-03-01T10-05-00Z"), resume: "migrate import --tenant prod --resume" }
}

fn file(name: &str) -> String {
    let (plan, summary) = (sample::plan(), sample::summary());
    let found = files(&run(&plan, &summary), 3).find(|(file, _)| *file == name);
    found.expect("a file of that name").1
}

#[test]
fn a_successful_run_is_reported_in_the_past_tense() {
    let (plan, whole) = (sample::plan(), sample::whole());
    insta::assert_snapshot!(plain(&summary(&run(&plan, &whole))), @r#"
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
    insta::assert_snapshot!(plain(&summary(&run(&plan, &partly))), @r#"
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

        To resume this run:  migrate import --tenant prod --resume

        The run's files are in runs/2026-03-01T10-05-00Z
        "#);
}

#[test]
fn a_plan_is_json_for_programs() {
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&plan_json(&PlanView::new(&sample::plan(), &sample::refusals()), 4)).expect("JSON")
    );
}

#[test]
fn a_run_is_json_for_programs() {
    let (plan, partly) = (sample::plan(), sample::summary());
    insta::assert_snapshot!(serde_json::to_string_pretty(&summary_json(&run(&plan, &partly), 3)).expect("JSON"));
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

#[test]
fn a_run_is_a_page_in_html() {
    let html = file("report.html");
    insta::assert_snapshot!(html.split_once("<body>").expect("a body").1);
}
