//! Missing credentials and scopes.

use insta::assert_snapshot;

use crate::support::fixture::{Fixture, dev, prod};
use crate::support::refusals::{IMPORT, refused, refused_offline};

/// The scopes to read every kind and write none.
const READING: [&str; 9] = [
    "read:clients",
    "read:client_grants",
    "read:resource_servers",
    "read:connections",
    "read:connections_options",
    "read:roles",
    "read:rules",
    "read:tenant_settings",
    "read:email_templates",
];

#[test]
fn missing_credentials_are_reported_with_both_variables() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_ID", "");
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 77
    error: no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_ID and MIGRATE_PROD_CLIENT_SECRET in the environment or in ".env"
    hint:  create a machine-to-machine application in that tenant and authorize it for the Auth0 Management API
    state: nothing was written
    "#);
}

#[test]
fn incomplete_credentials_are_reported_with_the_missing_variable() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 77
    error: no credentials for tenant "prod": set MIGRATE_PROD_CLIENT_SECRET in the environment or in ".env"
    hint:  create a machine-to-machine application in that tenant and authorize it for the Auth0 Management API
    state: nothing was written
    "#);
}

#[test]
fn a_wrong_secret_is_reported_with_what_to_check() {
    let mut fixture = Fixture::small();
    fixture.set("MIGRATE_PROD_CLIENT_SECRET", "wrong");
    assert_snapshot!(refused_offline(&fixture, IMPORT), @r#"
    exit 77
    error: cannot sign in to "prod"
    cause: the tenant did not accept the credentials: Unauthorized
    hint:  check the values of MIGRATE_PROD_*, and that the application is authorized for the Management API
    state: nothing was written
    "#);
}

#[test]
fn a_missing_scope_for_writing_is_reported() {
    let mut fixture = Fixture::small();
    fixture.sign_in_to_prod_with(&[&READING[..], &["update:clients"]].concat());
    assert_snapshot!(refused(&fixture, IMPORT), @r#"
    exit 77
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 1 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more
      SCOPE    the token for prod lacks create:clients

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Refused:
      scopes: the token for "prod" lacks create:clients
    error: the plan was refused
    cause: scopes: the token for "prod" lacks create:clients
    hint:  grant what is missing to the application that migrate signs in with
    state: nothing was written
    "#);
}

#[test]
fn a_plan_and_a_dry_run_report_the_same_missing_scope_as_the_import() {
    let mut fixture = Fixture::small();
    fixture.sign_in_to_prod_with(&[&READING[..], &["update:clients"]].concat());
    for command in ["plan --tenant prod", "import --tenant prod --dry-run --allow lockout-risk", "plan --tenant prod --out plan.json"] {
        let said = fixture.run(command);
        assert!(said.out.contains("the token for \"prod\" lacks create:clients"), "{command}: {}", said.whole());
    }
    let plan = "import --tenant prod --plan plan.json --allow lockout-risk --yes";
    assert_eq!(refused(&fixture, plan).lines().next(), Some("exit 77"));
    // The token is checked again when the plan is applied.
    fixture.sign_in_to_prod_with(&[&READING[..], &["update:clients", "create:clients"]].concat());
    let said = fixture.run(plan);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// A dev tenant with a role.
fn dev_with_a_role() -> serde_json::Value {
    let mut source = dev();
    source["data"]["/roles"] = serde_json::json!([{"id": "rol_devCashier000001", "name": "Cashier", "description": "Sells"}]);
    source
}

/// The scopes to read every kind except roles.
fn without_roles() -> Vec<&'static str> {
    READING.into_iter().filter(|scope| *scope != "read:roles").collect()
}

#[test]
fn a_missing_scope_for_reading_the_target_is_reported() {
    let mut fixture = Fixture::new(dev_with_a_role(), prod(), "");
    fixture.sign_in_to_prod_with(&[&without_roles()[..], &["create:clients", "update:clients", "create:roles"]].concat());
    let said = fixture.run(IMPORT);
    assert_eq!(fixture.writes(), []);
    assert_snapshot!(said.refused(), @r#"
    exit 77
    error: the plan was refused
    cause: scopes: the token for "prod" may not read roles; it lacks read:roles
    hint:  grant what is missing to the application that migrate signs in with
    state: nothing was written
    "#);
}

#[test]
fn a_kind_the_source_does_not_return_is_skipped_and_the_import_incomplete() {
    let mut fixture = Fixture::new(dev_with_a_role(), prod(), "");
    fixture.sign_in_to_dev_with(&without_roles());
    assert_snapshot!(refused(&fixture, "import --tenant prod --allow lockout-risk,weaker-protection --dry-run --quiet"), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 1 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Skipped (69)
      action-modules: not read from dev: the token lacks the scope read:actions
      action-trigger-bindings: not read from dev: the token lacks the scope read:actions
      actions: not read from dev: the token lacks the scope read:actions
      agents: not read from dev: the token lacks the scope read:agents
      9 resources: not read from dev: the token lacks the scope read:attack_protection
      … 45 more lines (--verbose shows them)

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    migrate import --tenant prod --from dev --allow lockout-risk,weaker-protection
    "#);
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, fixture.writes().len()), (3, 2), "{}", said.whole());
}

#[test]
fn a_missing_scope_for_one_resource_is_reported() {
    let mut fixture = Fixture::small();
    fixture.sign_in_to_prod_with(&["read:rules"]);
    assert_snapshot!(refused(&fixture, "get clients Shop --tenant prod --quiet"), @"
    exit 77
    error: the token lacks the scope read:clients
    hint:  grant what is missing to the application that migrate signs in with
    ");
}

#[test]
fn an_export_that_may_read_nothing_fails() {
    let mut fixture = Fixture::small();
    fixture.sign_in_to_prod_with(&["read:users"]);
    assert_snapshot!(refused(&fixture, "export --tenant prod --quiet"), @r#"
    exit 77
    error: the token for "prod" cannot read any of it
    cause: the token lacks the scope read:actions
    hint:  grant what is missing to the application that migrate signs in with
    "#);
    assert_eq!(fixture.in_folder("snapshots"), [""; 0]);
}
