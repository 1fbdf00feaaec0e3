//! Lockout risks are written only after a review: at a terminal, or in a saved plan.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fixture::Fixture;

const IMPORT: &str = "import --tenant prod --yes --quiet";
const SAVED: &str = "import --tenant prod --plan plan.json --yes --quiet";

/// Returns the first callback of the client that both tenants have.
fn callback(fixture: &Fixture) -> String {
    fixture.prod("/clients")[0]["callbacks"][0].as_str().expect("a callback").to_owned()
}

#[test]
fn a_job_cannot_approve_what_nobody_reviewed() {
    let fixture = Fixture::small();
    let said = fixture.run_unattended(&format!("{IMPORT} --allow lockout-risk,weaker-protection"));
    assert_snapshot!(said.refused(), @r#"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  there is no terminal to review it on: save the plan with --out FILE, review it, then run `migrate import --tenant prod --plan FILE --allow lockout-risk,weaker-protection`; to approve this for every run, add to [tenants.prod] in migrate.toml: plan.approve = ["lockout-risk:clients/Shop"]
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
}

#[test]
fn a_dry_run_of_a_job_exits_like_the_job() {
    let fixture = Fixture::small();
    let said = fixture.run_unattended("import --tenant prod --dry-run --allow lockout-risk,weaker-protection --quiet");
    assert_snapshot!(said.whole(), @r#"
    exit 4
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

    Refused until approved:
      lockout-risk: 1 resource

    At a terminal, this approves what you have reviewed:
      migrate import --tenant prod --from dev --allow lockout-risk,weaker-protection,lockout-risk:clients/Shop
    "#);
}

#[test]
fn a_job_without_lockout_risks_needs_no_terminal() {
    let fixture = Fixture::small();
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.write("mapping.toml", "[[rule]]\nmatch = \"clients/Shop\"\nskip = true\n");
    let said = fixture.run_unattended(&format!("{IMPORT} --allow lockout-risk,weaker-protection"));
    assert_eq!((said.code, fixture.prod("/clients").as_array().map(Vec::len)), (0, Some(2)), "{}", said.whole());
}

#[test]
fn a_person_at_a_terminal_approves_what_is_shown() {
    let fixture = Fixture::small();
    let said = fixture.run(&format!("{IMPORT} --allow lockout-risk,weaker-protection"));
    assert_eq!((said.code, callback(&fixture).as_str()), (0, "https://shop.acme.example/back"), "{}", said.whole());
}

#[test]
fn a_job_imports_a_reviewed_saved_plan() {
    let fixture = Fixture::small();
    fixture.run_unattended("plan --tenant prod --out plan.json --quiet");
    let unseen = fixture.run_unattended(SAVED);
    assert_eq!((unseen.code, fixture.writes().len()), (4, 0), "{}", unseen.whole());
    let said = fixture.run_unattended(&format!("{SAVED} --allow lockout-risk,weaker-protection"));
    assert_eq!((said.code, callback(&fixture).as_str()), (0, "https://shop.acme.example/back"), "{}", said.whole());
}

#[test]
fn an_undo_is_saved_reviewed_and_executed_like_any_plan() {
    let fixture = Fixture::small();
    fixture.run(&format!("{IMPORT} --allow lockout-risk,weaker-protection"));
    let run = fixture.only_in("runs").replace("runs/", "");
    let writes = fixture.writes().len();
    let unseen = fixture.run_unattended(&format!("undo {run} --allow lockout-risk,weaker-protection,deletes --yes --quiet"));
    assert_snapshot!(unseen.refused(), @r#"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  there is no terminal to review it on: save the plan with --out FILE, review it, then run `migrate import --tenant prod --plan FILE --allow deletes,lockout-risk,weaker-protection`; to approve this for every run, add to [tenants.prod] in migrate.toml: plan.approve = ["lockout-risk:clients/Shop"]
    state: nothing was written
    "#);
    let saved = fixture.run_unattended(&format!("undo {run} --out plan.json --quiet"));
    assert_eq!((saved.code, fixture.writes().len()), (0, writes), "{}", saved.whole());
    assert!(saved.out.contains("\n  migrate import --tenant prod --plan plan.json --allow "), "{}", saved.out);
    let said = fixture.run_unattended(&format!("{SAVED} --allow lockout-risk,weaker-protection,deletes"));
    assert_eq!((said.code, callback(&fixture).as_str()), (0, "https://shop.acme.example/old"), "{}", said.whole());
    let again = fixture.run("plan --tenant prod --quiet --output json").json();
    assert_eq!(again["counts"]["creates"], json!(1), "the client that the undo removed is wanted, not vanished: {again:#}");
}

#[test]
fn an_update_by_a_job_cannot_lock_anybody_out_either() {
    let fixture = Fixture::small();
    fixture.write("client.json", "{\"callbacks\": []}");
    let update = "update clients Shop client.json --tenant prod --quiet";
    assert_snapshot!(fixture.run_unattended(&format!("{update} --allow lockout-risk,weaker-protection --yes")).refused(), @r#"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  there is no terminal to review it on: save the plan with --out FILE, review it, then run `migrate import --tenant prod --plan FILE --allow lockout-risk,weaker-protection`; to approve this for every run, add to [tenants.prod] in migrate.toml: plan.approve = ["lockout-risk:clients/Shop"]
    state: nothing was written
    "#);
    assert_snapshot!(fixture.run(&format!("{update} --yes")).refused(), @"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (callbacks)
    hint:  if this is intended, run it with --allow lockout-risk
    state: nothing was written
    ");
    assert_snapshot!(fixture.run(&format!("{update} --allow lockout-risk,weaker-protection --dry-run")).out, @r#"
    Plan  prod
      tenant  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 0 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old

    migrate update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection
    "#);
    assert_eq!(fixture.writes(), []);
    fixture.run_unattended(&format!("{update} --out plan.json"));
    let said = fixture.run_unattended(&format!("{SAVED} --allow lockout-risk,weaker-protection"));
    assert_eq!((said.code, &fixture.prod("/clients")[0]["callbacks"]), (0, &json!([])), "{}", said.whole());
}

#[test]
fn a_job_rehearses_what_a_person_will_review() {
    let fixture = Fixture::small();
    let said = fixture.run_unattended("import --tenant prod --rehearse --allow lockout-risk,weaker-protection --quiet");
    assert_eq!((said.code, fixture.writes().len()), (0, 0), "{}", said.whole());
}

#[test]
fn the_risk_of_a_saved_plan_comes_from_its_changes_and_not_from_its_refusals() {
    let fixture = Fixture::small();
    fixture.run(&format!("{IMPORT} --allow lockout-risk"));
    let run = fixture.only_in("runs");
    let name = run.replace("runs/", "");
    assert_eq!(fixture.run(&format!("undo {name} --allow lockout-risk,deletes --yes --quiet")).code, 0);
    let writes = fixture.writes().len();
    // The plan in a run folder has no refusals, which were approved then.
    let said = fixture.run_unattended(&format!("import --tenant prod --plan {run}/plan.json --yes --quiet"));
    assert!(said.code == 4 && said.err.contains("cause: lockout-risk: "), "{}", said.whole());
    assert_eq!(fixture.writes().len(), writes);
}
