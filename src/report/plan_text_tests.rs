//! Snapshot tests of whole plans on a terminal.

use std::time::{Duration, SystemTime};

use super::style::plain;
use super::{Layout, PlanView, fitted, plan, plan_sample, sample};
use crate::model::resource::key;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{Estimate, Plan};

fn now() -> SystemTime {
    humantime::parse_rfc3339("2026-03-01T10:01:00Z").expect("a time")
}

fn shown(of: &Plan, refusals: &[Refusal], next: &str, layout: Layout) -> String {
    plain(&plan(&PlanView { now: now(), ..PlanView::new(of, refusals).with_next(next) }, layout))
}

fn with_dangers(columns: usize) -> String {
    let of = plan_sample::with_dangers();
    let refusals: Vec<Refusal> = guards::deletes(&of).into_iter().chain(guards::risks(&of)).collect();
    let next = "migrate import --tenant prod --from dev --allow 'deletes:clients/Old kiosk,lockout-risk:..'";
    let estimate = Some(Estimate { requests: 203, per_second: Some(16.0), slowest: None });
    let view = PlanView { now: now() + Duration::from_secs(30), ..PlanView::new(&of, &refusals).with_next(next).with_estimate(estimate) };
    plain(&plan(&view, Layout::new(Some(columns), false)))
}

#[test]
fn a_plan_shows_changes_and_hides_what_stays() {
    insta::assert_snapshot!(shown(&sample::plan(), &[], "migrate import --tenant prod", Layout::default()), @r#"
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read 1 minute ago
      target  acme-prod.eu.auth0.com  read 1 minute ago

      edits by risk: 3 lockout · 2 weakened · 1 widened · 1 routine
      resources: 2 to create, 3 to update, 112 unchanged
      Applications +1 ~1 · Connection clients ~1 · Application API access +1

    Review first
      LOCKOUT may lock someone out; WEAKENED weakens a protection
      LOCKOUT   client "Web"  callbacks             - https://old.acme.com  + https://new.acme.com
      LOCKOUT                 custom_login_page     +1 -1 lines
      LOCKOUT   clients of connection "google-oauth2"  clients               - client "Old"  … 1 more
      WEAKENED  client "Web"  refresh_token.leeway  (none) → 30
      WEAKENED  grant "Billing API · https://⟨tenant⟩/api/v2/ · clien…  created               read:us…

    Applications (clients)   1 to create, 1 to update
      ~ "Web"          callbacks  - https://old.acme.com  + https://new.acme.com  (1 unchanged)
                       custom_login_page     +1 -1 lines
                         … 18 lines unchanged
                           line 19
                         - line 20
                         + line twenty
                           line 21
                         … 13 lines unchanged
                       description           Web of dev → Web
                       refresh_token.leeway  (none) → 30
      + "Billing API"  non_interactive   callbacks  https://billing.acme.com/a, https://billing.acme.co…
    Connection clients   1 to update
      ~ "google-oauth2"  clients  - client "Old"  + client "Web"
    Application API access (client-grants)   1 to create
      names: client_id · default_for · audience · subject_type, as far as set
      + "Billing API · https://⟨tenant⟩/api/v2/ · client"  read:users

    Skipped (8)
      7 rules: none can be created any more
        Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
      client "Web", default_organization: organizations are not covered yet

    Manual steps (1)
      1. client "Billing API": the target generates a new client_secret; give it to the services that use this client

    Notes (1)
      dev has several resources with the same name; one of them is shown as clients/Web#2

    Excluded (1)  client "migrate"
    Unmanaged in prod, not deleted (2)  client "Legacy", client "Old"
    Unknown fields (exported, not applied) (2)  clients: brand_new, refresh_token.later
    (--verbose shows all of it, with the reasons)
    ⟨tenant⟩ is each tenant's own domain.

    migrate import --tenant prod
    "#);
}

#[test]
fn verbose_shows_every_field_and_reason() {
    insta::assert_snapshot!(shown(&sample::plan(), &[], "migrate import --tenant prod", Layout::new(Some(80), true)), @r#"
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read 1 minute ago
      target  acme-prod.eu.auth0.com  read 1 minute ago

      edits by risk: 3 lockout · 2 weakened · 1 widened · 1 routine
      resources: 2 to create, 3 to update, 112 unchanged
      Applications +1 ~1 · Connection clients ~1 · Application API access +1

    Review first
      LOCKOUT may lock someone out; WEAKENED weakens a protection
      LOCKOUT   client "Web"  callbacks             - https://old.acme.com  … 1 more
      LOCKOUT                 custom_login_page     +1 -1 lines
      LOCKOUT   clients of connecti…  clients               - client "Old"  … 1 more
      WEAKENED  client "Web"  refresh_token.leeway  (none) → 30
      WEAKENED  grant "Billing API · https://⟨ten…  created               read:us…

    Applications (clients)   1 to create, 1 to update
      ~ "Web"          callbacks
                         - https://old.acme.com
                         + https://new.acme.com
                         (1 unchanged)
                       custom_login_page     +1 -1 lines
                         … 18 lines unchanged
                           line 19
                         - line 20
                         + line twenty
                           line 21
                         … 13 lines unchanged
                       description           Web of dev → Web
                       refresh_token.leeway  (none) → 30
      ~ "Billing API"  allowed_clients  client "Web" (once it exists)
      + "Billing API"  app_type           non_interactive
                       callbacks
                         https://billing.acme.com/a,
                         https://billing.acme.com/b
                       custom_login_page  (3 lines)
                       jwt_configuration  {alg: RS256, lifetime_in_seconds: 36000}
                       client_secret      (secret from env:BILLING_SECRET)
    Connection clients   1 to update
      ~ "google-oauth2"  clients  - client "Old"  + client "Web"
    Application API access (client-grants)   1 to create
      names: client_id · default_for · audience · subject_type, as far as set
      + "Billing API · https://⟨tenant⟩/api/v2/ · client"
          audience   https://⟨tenant⟩/api/v2/
          client_id  client "Billing API"
          scope      read:users

    Skipped
      7 rules: none can be created any more
        Rule 1, Rule 2, Rule 3, Rule 4, Rule 5 and 2 more
      client "Web", default_organization: organizations are not covered yet

    Manual steps
      1. client "Billing API": the target generates a new client_secret; give it to the services that use this client

    Excluded
      client "migrate": migrate itself signs in with it

    Unmanaged in prod, not deleted
      clients (2): Legacy, Old

    Unknown fields (exported, not applied)
      clients: brand_new, refresh_token.later

    Notes
      dev has several resources with the same name; one of them is shown as clients/Web#2

    ⟨tenant⟩ is each tenant's own domain.

    migrate import --tenant prod
    "#);
}

#[test]
fn eight_dangers_of_200_changes_fit_on_the_first_screen_of_80_columns() {
    let text = with_dangers(80);
    insta::assert_snapshot!(text);
    let screen: Vec<&str> = text.lines().take(50).collect();
    for danger in
        ["callbacks", "grant_types", "options.signingCert", "Deny by country", "permissions", "network ACL", "factor", "Old kiosk"]
    {
        let is_shown = |line: &&&str| {
            ["LOCKOUT", "WEAKENED", "DELETE"].iter().any(|label| line.trim_start().starts_with(label)) && line.contains(danger)
        };
        assert_eq!(screen.iter().filter(is_shown).count(), 1, "{danger}");
    }
    let fitted = fitted(&text, Some(80));
    let wide: Vec<&str> = fitted.lines().filter(|line| line.chars().count() > 80 && !line.contains("migrate import")).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

#[test]
fn a_wide_terminal_shows_more_of_each_value() {
    insta::assert_snapshot!(with_dangers(140));
}

#[test]
fn a_refused_plan_ends_with_the_reasons_and_the_approving_command() {
    let text = shown(&sample::plan(), &sample::refusals(), "migrate import --tenant prod --allow many-changes", Layout::default());
    insta::assert_snapshot!(text.split_once("clients/Web#2\n\n").expect("notes").1, @r#"
    Excluded (1)  client "migrate"
    Unmanaged in prod, not deleted (2)  client "Legacy", client "Old"
    Unknown fields (exported, not applied) (2)  clients: brand_new, refresh_token.later
    (--verbose shows all of it, with the reasons)
    ⟨tenant⟩ is each tenant's own domain.

    Refused:
      scopes: the token for "prod" may not read rules; it lacks read:rules
    Refused until approved:
      many-changes: 12 of the 14 compared resources of "prod" would change (limit 4)

    At a terminal, this approves what you have reviewed:
      migrate import --tenant prod --allow many-changes
    "#);
}

#[test]
fn an_empty_plan_has_two_lines() {
    let text = shown(&sample::empty(), &[], "", Layout::default());
    assert_eq!(text, "prod is up to date with dev: 112 resources unchanged.\nNothing to do.\n");
}

#[test]
fn an_empty_plan_counts_what_it_does_not_list() {
    let mut quiet = sample::plan();
    (quiet.stages, quiet.skipped, quiet.manual_steps, quiet.notes) = Default::default();
    let last = "(1 excluded, 2 unmanaged in prod, 2 unknown fields; `--output json` lists them)";
    assert_eq!(shown(&quiet, &[], "", Layout::default()).lines().last(), Some(last));
}

#[test]
fn many_creates_of_a_kind_share_lines_with_all_names() {
    let mut many = sample::empty();
    let create = sample::plan().stages[0].changes[0].clone();
    let changes = (0..21).map(|nth| crate::plan::Change { key: key(&format!("clients/Client {nth}")), ..create.clone() });
    many.stages = vec![crate::plan::Stage { title: "Applications".into(), changes: changes.collect() }];
    let text = shown(&many, &[], "", Layout::default());
    insta::assert_snapshot!(text, @r"
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read 1 minute ago
      target  acme-prod.eu.auth0.com  read 1 minute ago

      edits by risk: 21 widened
      resources: 21 to create, 0 to update, 112 unchanged

    Applications (clients)   21 to create
      + 21 clients non_interactive  Client 0, Client 1, Client 2, Client 3, Client 4, Client 5,
                                    Client 6, Client 7, Client 8, Client 9, Client 10, Client 11,
                                    Client 12, Client 13, Client 14, Client 15, Client 16, Client 17,
                                    Client 18, Client 19, Client 20
    ");
}

#[test]
fn no_line_depends_on_a_colour() {
    let of = plan_sample::with_dangers();
    let styled = plan(&PlanView { now: now(), ..PlanView::new(&of, &[]) }, Layout::default());
    let first = |text: &str, label: &str| text.lines().position(|line| line.contains(label));
    let plain = plain(&styled);
    assert!(first(&plain, "LOCKOUT") < first(&plain, "Applications (clients)   "));
    assert!(!plain.contains('\u{1b}'));
}
