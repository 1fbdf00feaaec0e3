//! Saved plans that are damaged, edited or out of date.

use insta::assert_snapshot;

use crate::support::fixture::Fixture;
use crate::support::refusals::{IMPORT, refused, refused_offline};

const IMPORT_PLAN: &str = "import --tenant prod --allow lockout-risk,weaker-protection --plan plan.json --yes --quiet";

/// A fixture with a saved plan in `plan.json`, whose request log is empty.
fn planned() -> Fixture {
    let fixture = Fixture::small();
    let said = fixture.run("plan --tenant prod --out plan.json --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture
}

/// Like [`refused_offline`], but after the requests for the plan.
fn refused_without_asking(fixture: &Fixture, line: &str) -> String {
    let before = fixture.requests().len();
    let said = refused(fixture, line);
    assert_eq!(fixture.requests().len(), before, "{said}");
    said
}

#[test]
fn an_edited_plan_is_refused() {
    let fixture = planned();
    fixture.edit("plan.json", "https://till.acme.example/back", "https://evil.example/back");
    assert_snapshot!(refused_without_asking(&fixture, IMPORT_PLAN), @r#"
    exit 64
    error: plan "plan.json" was changed after it was made
    hint:  make a new plan with `migrate plan --out FILE`
    state: nothing was written
    "#);
}

#[test]
fn a_truncated_plan_is_shown_where_it_ends() {
    let fixture = planned();
    let text = fixture.read("plan.json");
    let begins = "\"edits\": [";
    fixture.write("plan.json", &text[..text.find(begins).expect("an update") + begins.len()]);
    assert_snapshot!(refused_without_asking(&fixture, IMPORT_PLAN), @r#"
    exit 64
    error: this is not a plan
             --> plan.json:45:20
              |
           45 |           "edits": [
              |                    ^ EOF while parsing a list
    hint:  make a new plan with `migrate plan --out FILE`
    state: nothing was written
    "#);
}

#[test]
fn a_plan_of_a_newer_format_is_refused_by_its_number() {
    let fixture = planned();
    fixture.edit("plan.json", "\"format\": 1", "\"format\": 2");
    assert_snapshot!(refused_without_asking(&fixture, IMPORT_PLAN), @r#"
    exit 64
    error: plan "plan.json" has format 2; this version of migrate reads up to 1
    hint:  make a new plan with `migrate plan --out FILE`
    state: nothing was written
    "#);
}

#[test]
fn a_plan_for_another_tenant_names_both() {
    let fixture = planned();
    assert_snapshot!(refused_without_asking(&fixture, &IMPORT_PLAN.replace("prod", "dev")), @r#"
    exit 64
    error: the plan was made for acme-prod.eu.auth0.com, but "dev" is acme-dev.eu.auth0.com
    hint:  name the tenant it was made for with --tenant
    state: nothing was written
    "#);
}

#[test]
fn a_missing_plan_is_reported() {
    assert_snapshot!(refused_offline(&Fixture::small(), IMPORT_PLAN), @r#"
    exit 64
    error: cannot read "plan.json"
    cause: No such file or directory (os error 2)
    hint:  make a new plan with `migrate plan --out FILE`
    state: nothing was written
    "#);
}

#[test]
fn an_invalid_links_file_is_shown_with_its_line() {
    let fixture = Fixture::small();
    fixture.write("state/dev/prod/links.csv", "kind,source_id,target_id,key\nclients,devShop000000000000000000000000a\n");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @"
    exit 64
    error: ./state/dev/prod/links.csv:2: a row has 2 of 4 columns
    hint:  correct the file: resources are paired by it first, and by name otherwise
    state: nothing was written
    ");
}

#[test]
fn a_stale_change_is_refused_and_the_rest_is_applied() {
    let fixture = planned();
    let id = "prodShop00000000000000000000000a";
    fixture.write("by-hand.json", r#"{"callbacks": ["https://by-hand.example"]}"#);
    let moved = fixture.run(&format!("api patch clients/{id} --data by-hand.json --tenant prod --yes --quiet"));
    assert_eq!(moved.code, 0, "{}", moved.whole());
    let said = fixture.run(IMPORT_PLAN);
    assert_snapshot!(said.whole(), @r#"
    exit 3
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

    Approved: lockout-risk: 1 resource
    Applied 1 of 2 changes to prod in TIME; 1 skipped.

    Skipped during the run
      update client "Shop": its callbacks changed in the target since the plan, by run TIME-prod on MINUTE from 127.0.0.1; plan again

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    let clients = fixture.prod("/clients");
    let of =
        |name: &str| clients.as_array().expect("a list").iter().find(|client| client["name"] == name).map(|client| &client["callbacks"]);
    assert_eq!(of("Shop"), Some(&serde_json::json!(["https://by-hand.example"])));
    assert_eq!(of("Till"), Some(&serde_json::json!(["https://till.acme.example/back"])));
}
