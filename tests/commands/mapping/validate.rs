//! The problems that `validate` finds in a mapping without any tenant.

use insta::assert_snapshot;

use super::with_rules;
use crate::support::fixture::{Fixture, dev, prod};
use crate::support::refusals::refused_offline;

fn validated(rules: &str) -> String {
    refused_offline(&with_rules(dev(), prod(), rules), "validate")
}

fn set(matched: &str, field: &str, value: &str) -> String {
    format!("[[rule]]\nmatch = \"{matched}\"\nfield = \"{field}\"\nset = {value}\n")
}

#[test]
fn a_value_unknown_to_the_api_is_shown_with_the_nearest() {
    assert_snapshot!(validated(&set("clients/*", "token_endpoint_auth_method", "\"client_secret_pots\"")), @r#"
    exit 64
    error: "token_endpoint_auth_method" of clients cannot be "client_secret_pots"
            --> mappings/dev-to-prod.toml:4:7
             |
           4 | set = "client_secret_pots*
             |       ^^^^^^^^^^^^^^^^^^^^ did you mean "client_secret_post"?
    hint:  correct the mapping, then run `migrate validate`
    "#);
}

#[test]
fn every_value_of_a_wrong_type_is_shown_in_its_line() {
    let rules = [
        set("clients/*", "callbacks", "\"https://shop.acme.example\""),
        set("clients/*", "callbacks", "[\"https://shop.acme.example\"]"),
        set("clients/*", "refresh_token.rotation_type", "\"rotaiting\""),
        set("clients/*", "jwt_configuration.lifetime_in_seconds", "\"3600\""),
        set("tenant-settings", "session_lifetime", "true"),
        set("clients/*", "oidc_conformant", "1"),
        set("clients/*", "callbacks[]", "7"),
    ];
    assert_snapshot!(validated(&rules.concat()), @r#"
    exit 64
    error: 6 mistakes in mappings/dev-to-prod.toml
    cause: "callbacks" of clients must be a list
            --> mappings/dev-to-prod.toml:4:7
             |
           4 | set = "https://shop.acme.example"
             |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is a text
    cause: "refresh_token.rotation_type" of clients cannot be "rotaiting"
             --> mappings/dev-to-prod.toml:12:7
              |
           12 | set = "rotaiting"
              |       ^^^^^^^^^^^ did you mean "rotating"?
    cause: "jwt_configuration.lifetime_in_seconds" of clients must be a whole number
             --> mappings/dev-to-prod.toml:16:7
              |
           16 | set = "3600"
              |       ^^^^^^ this is a text
    cause: "session_lifetime" of tenant-settings must be a whole number
             --> mappings/dev-to-prod.toml:20:7
              |
           20 | set = true
              |       ^^^^ this is true or false
    cause: "oidc_conformant" of clients must be true or false
             --> mappings/dev-to-prod.toml:24:7
              |
           24 | set = 1
              |       ^ this is a number
    cause: "callbacks[]" of clients must be a text
             --> mappings/dev-to-prod.toml:28:7
              |
           28 | set = 7
              |       ^ this is a number
    hint:  correct the mapping, then run `migrate validate`
    "#);
}

#[test]
fn a_missing_secret_is_shown_in_its_rule() {
    let secret = |from: &str| format!("[[rule]]\nmatch = \"connections/*\"\nfield = \"options.client_secret\"\nsecret = \"{from}\"\n");
    assert_snapshot!(validated(&(secret("env:NOT_SET") + &secret("file:secrets/google"))), @r#"
    exit 64
    error: 2 mistakes in mappings/dev-to-prod.toml
    cause: the variable NOT_SET is not set
            --> mappings/dev-to-prod.toml:4:10
             |
           4 | secret = *************
             |          ^^^^^^^^^^^^^ set it in the environment or in .env
    cause: there is no secret in "mappings/secrets/google"
            --> mappings/dev-to-prod.toml:8:10
             |
           8 | secret = *********************
             |          ^^^^^^^^^^^^^^^^^^^^^ write the secret into that file, and nothing else
    hint:  correct the mapping, then run `migrate validate`
    "#);
    let mut fixture = with_rules(dev(), prod(), &(secret("env:NOT_SET") + &secret("file:secrets/google")));
    fixture.set("NOT_SET", "CANARY-set");
    fixture.write("mappings/secrets/google", "CANARY-google\n");
    let said = fixture.run("validate");
    assert!(said.code == 0 && said.out.contains("2 rules OK"), "{}", said.whole());
}

#[test]
fn with_strict_rules_are_compared_with_the_newest_snapshot_of_the_source() {
    let fixture = with_rules(dev(), prod(), "[[rule]]\nmatch = \"clients/Shpo\"\nskip = true\n");
    assert_eq!(fixture.run("validate").code, 0, "without --strict no snapshot is needed");
    assert_snapshot!(refused_offline(&fixture, "validate --strict"), @r#"
    exit 64
    error: no snapshot of "dev" in "./snapshots/dev"
    hint:  run `migrate export` first
    "#);
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    let asked = fixture.requests().len();
    assert_snapshot!(fixture.run("validate --strict").whole(), @r#"
    exit 64
    error: mappings/dev-to-prod.toml:1: skip clients/Shpo matches no resource; did you mean "Shop"?
    hint:  correct or remove what matches nothing, or leave out --strict
    "#);
    assert_eq!(fixture.requests().len(), asked);
}

#[test]
fn the_mapping_of_the_example_company_is_valid() {
    let said = Fixture::acme("").run("validate");
    assert_eq!(said.code, 0, "{}", said.whole());
}
