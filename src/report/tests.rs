//! Whole outputs of a small plan and its run.

use std::path::Path;
use std::time::Duration;

use super::style::plain;
use super::{RunCost, RunReport, files, plan, plan_json, sample, summary, summary_json};
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
fn a_plan_shows_what_would_change_and_hides_what_stays() {
    insta::assert_snapshot!(plain(&plan(&sample::plan(), &[], "Next: migrate import --tenant prod")), @r#"
        dev -> prod: 2 to create, 3 to update, 112 unchanged

        Applications
          + create client "Billing API"
              app_type: non_interactive
              callbacks: https://billing.acme.com/a, https://billing.acme.com/b
              custom_login_page: (3 lines)
              jwt_configuration: {alg: RS256, lifetime_in_seconds: 36000}
              client_secret: (secret from env:BILLING_SECRET)
          ~ update client "Web"
              callbacks: - https://old.acme.com  + https://new.acme.com  (1 unchanged)
              custom_login_page:
                … 18 lines unchanged
                  line 19
                - line 20
                + line twenty
                  line 21
                … 13 lines unchanged
              description: Web of dev -> Web
              refresh_token.leeway: (none) -> 30

        Application API access
          + create grant "Billing API · https://⟨tenant⟩/api/v2/ · client"
              audience: https://⟨tenant⟩/api/v2/
              client_id: client "Billing API"
              scope: read:users

        Clients of a connection
          ~ update clients of connection "google-oauth2": - client "Old"  + client "Web"

        Applications, once everything exists
          ~ update client "Billing API", once it exists
              allowed_clients: client "Web"

        Skipped
          7 rules: none can be created any more
            Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
          client "Web", default_organization: organizations are not covered yet

        Manual steps
          1. client "Billing API": the target makes a new client_secret; hand it to whoever uses this client

        Excluded
          client "migrate": migrate itself signs in with it

        Unmanaged in prod (not deleted)
          clients (2): Legacy, Old

        Unknown fields (exported, not applied)
          clients: brand_new, refresh_token.later

        Notes
          dev has a name that stands twice; it is called clients/Web#2 here

        Next: migrate import --tenant prod
        "#);
}

#[test]
fn a_refused_plan_ends_with_the_reasons() {
    let text = plain(&plan(&sample::plan(), &sample::refusals(), "Next: migrate import --tenant prod --allow many-changes"));
    insta::assert_snapshot!(text.split_once("here\n\n").expect("notes").1, @r#"
        Refused: many-changes: 12 of 14 resources of "prod" would change; at most 4 may at once
          to approve it: `--allow many-changes`

        Refused: scopes: the token for "prod" may not read rules; it lacks read:rules

        Next: migrate import --tenant prod --allow many-changes
        "#);
}

#[test]
fn an_empty_plan_is_two_lines() {
    assert_eq!(plain(&plan(&sample::empty(), &[], "")), "prod is up to date with dev: 112 resources unchanged.\nNothing to do.\n");
}

#[test]
fn an_empty_plan_counts_what_it_does_not_list() {
    let mut quiet = sample::plan();
    (quiet.stages, quiet.skipped, quiet.manual_steps, quiet.notes) = Default::default();
    let last = "(1 excluded, 2 unmanaged in prod, 2 unknown fields; `--output json` lists them)";
    assert_eq!(plain(&plan(&quiet, &[], "")).lines().last(), Some(last));
}

#[test]
fn a_plan_with_many_creates_shows_their_names_only() {
    let mut plan_of_many = sample::empty();
    let create = sample::plan().stages[0].changes[0].clone();
    plan_of_many.stages = vec![crate::plan::Stage { title: "Applications".into(), changes: vec![create; 21] }];
    let text = plain(&plan(&plan_of_many, &[], ""));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        ["dev -> prod: 21 to create, 0 to update, 112 unchanged", "", "Applications", "  + create client \"Billing API\""]
    );
    assert_eq!(lines[23..], ["  + create client \"Billing API\"", "  (fields of the 21 new resources: `--output json`)"]);
}

#[test]
fn a_run_that_went_well_is_reported_in_the_past() {
    let (plan, whole) = (sample::plan(), sample::whole());
    insta::assert_snapshot!(plain(&summary(&run(&plan, &whole))), @r#"
        Applied 5 changes to prod in 31 s (240 requests, waited 4 s for the rate limit).

        Skipped
          7 rules: none can be created any more
            Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
          client "Web", default_organization: organizations are not covered yet

        Manual steps
          1. client "Billing API": the target makes a new client_secret; hand it to whoever uses this client

        The run's files are in runs/2026-03-01T10-05-00Z
        "#);
}

#[test]
fn a_run_that_went_wrong_reports_the_state_first_and_then_what_failed() {
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
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan_json(&sample::plan(), &sample::refusals(), 4)).expect("JSON"));
}

#[test]
fn a_run_is_json_for_programs() {
    let (plan, partly) = (sample::plan(), sample::summary());
    insta::assert_snapshot!(serde_json::to_string_pretty(&summary_json(&run(&plan, &partly), 3)).expect("JSON"));
}

#[test]
fn a_run_is_rows_for_spreadsheets() {
    insta::assert_snapshot!(file("report.csv"), @r#"
    kind,name,operation,outcome,field,target_id,message
    clients,Web,update,applied,,t1,
    clients,Billing API,create,failed,,,the tenant answered 400 invalid_body: callbacks must be a list
    client-grants,Billing API · https://⟨tenant⟩/api/v2/ · client,create,skipped,,,"it needs client ""Billing API"""
    connection-clients,google-oauth2,update,unknown,,,the connection broke
    clients,Billing API,update,unsent,,,
    rules,Rule 1,,skipped,,,none can be created any more
    rules,Rule 2,,skipped,,,none can be created any more
    rules,Rule 3,,skipped,,,none can be created any more
    rules,Rule 4,,skipped,,,none can be created any more
    rules,Rule 5,,skipped,,,none can be created any more
    rules,Rule 6,,skipped,,,none can be created any more
    rules,Rule 7,,skipped,,,none can be created any more
    clients,Web,,skipped,default_organization,,organizations are not covered yet
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
