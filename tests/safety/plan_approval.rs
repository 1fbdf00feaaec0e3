//! A saved plan is approved completely or in part, and a job applies only that part.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;

const PLAN: &str = "plan --tenant prod --out plan.json --quiet";
const IMPORT: &str = "import --tenant prod --plan plan.json --yes --quiet";

/// Returns a tenant with a saved plan that creates one client and removes a callback of another.
fn with_plan() -> Fixture {
    let fixture = Fixture::small();
    fixture.run_unattended(PLAN);
    fixture
}

fn names(fixture: &Fixture) -> Vec<String> {
    let clients = fixture.prod("/clients");
    clients.as_array().expect("clients").iter().map(|client| format!("{} {}", client["name"], client["callbacks"])).collect()
}

#[test]
fn a_job_applies_the_approved_part_and_reports_the_rest() {
    let fixture = with_plan();
    let approved = fixture.run_unattended("approve plan.json --only clients/Till --by ada --yes --quiet");
    assert_snapshot!(approved.whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 widened
      resources: 1 to create, 0 to update, 2 unchanged

    Applications (clients)   1 to create
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Skipped (1)
      client "Shop": it was not approved

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client
    1 of 2 changes approved by ada.

    migrate import --tenant prod --plan plan.json
    "#);
    let said = fixture.run_unattended(IMPORT);
    assert_snapshot!(said.whole(), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 widened
      resources: 1 to create, 0 to update, 2 unchanged
      about 1 request to apply

    Applications (clients)   1 to create
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Skipped (1)
      client "Shop": it was not approved

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client
    Applied 1 change to prod in TIME.

    Skipped
      client "Shop": it was not approved

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(
        names(&fixture),
        ["\"Shop\" [\"https://shop.acme.example/old\"]", "\"Till\" [\"https://till.acme.example/back\"]"],
        "the callback of Shop was not approved"
    );
}

#[test]
fn approving_everything_permits_the_findings_of_guards() {
    let fixture = with_plan();
    assert_eq!(fixture.run_unattended(IMPORT).code, 4, "nobody approved it yet");
    let approved = fixture.run_unattended("approve plan.json --by ada --yes --output json");
    let answer = approved.json();
    assert_eq!((answer["approved"].as_u64(), answer["not_approved"].as_u64(), &answer["by"]), (Some(2), Some(0), &"ada".into()));
    assert_eq!(answer["permits"], serde_json::json!(["lockout-risk:clients/Shop"]));
    assert_eq!(fixture.run_unattended(IMPORT).code, 0);
    assert!(names(&fixture)[0].contains("https://shop.acme.example/back"));
}

#[test]
fn several_approvals_add_up() {
    let fixture = with_plan();
    fixture.run_unattended("approve plan.json --only clients/Till --by ada --yes");
    fixture.run_unattended("approve plan.json --only clients/Shop --by grace --yes");
    let said = fixture.run_unattended(IMPORT);
    assert_eq!((said.code, names(&fixture).len()), (0, 2), "{}", said.whole());
}

#[test]
fn a_widened_approval_and_one_of_another_plan_are_refused() {
    let fixture = with_plan();
    fixture.run_unattended("approve plan.json --only clients/Till --by ada --yes");
    let approved = fixture.read("plan.json");
    fixture.write("plan.json", &approved.replace("\"clients/Till\"\n      ]", "\"clients/*\"\n      ]"));
    assert_ne!(fixture.read("plan.json"), approved);
    assert_snapshot!(fixture.run_unattended(IMPORT).refused(), @r#"
    exit 64
    error: the approval by ada in plan "plan.json" does not match the plan
    hint:  make a new plan with `migrate plan --out FILE`
    state: nothing was written
    "#);

    fixture.run_unattended("plan --tenant prod --kinds clients --out other.json --quiet");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let mut other = value(&fixture.read("other.json"));
    other["approvals"] = value(&approved)["approvals"].clone();
    fixture.write("plan.json", &other.to_string());
    let said = fixture.run_unattended(IMPORT);
    assert!(said.whole().contains("does not match the plan"), "{}", said.whole());
    assert_eq!(fixture.writes(), []);
}

#[test]
fn nothing_is_approved_without_a_terminal_or_yes_or_without_a_match() {
    let fixture = with_plan();
    let before = fixture.read("plan.json");
    assert_eq!(fixture.run_unattended("approve plan.json --by ada").code, 64);
    let unmatched = fixture.run_unattended("approve plan.json --only clients/Tills --by ada --yes");
    assert_snapshot!(unmatched.refused(), @"
    exit 64
    error: the plan changes nothing that matches clients/Tills
    hint:  `migrate plan --output json` lists the keys of its changes, for example clients/Web
    ");
    assert_eq!(fixture.read("plan.json"), before);
}
