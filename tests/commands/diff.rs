//! Two tenants, two snapshots or one of each, compared.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fixture::{CommandOutput, Fixture};

fn done(said: &CommandOutput) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// Replaces how old a snapshot is.
pub(super) fn without_ages(text: &str) -> String {
    let line = |line: &str| match (line.strip_suffix(" old"), line.rfind(", ")) {
        (Some(_), Some(at)) => format!("{}, AGE old\n", &line[..at]),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn two_tenants_are_compared_both_ways_and_nothing_is_written() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("diff prod dev --quiet").whole(), @r#"
    exit 2
    Diff  prod → dev
      from  acme-prod.eu.auth0.com  read just now
      to    acme-dev.eu.auth0.com   read just now
      resources: 1 added, 1 changed, 0 deleted, 29 unchanged

    Applications (clients)   1 added, 1 changed
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back
    "#);
    let said = fixture.run("diff dev prod --output json").json();
    assert_eq!(said["counts"], json!({"added": 0, "changed": 1, "deleted": 1, "unchanged": said["counts"]["unchanged"]}));
    assert_eq!(said["exit"], json!(2));
    assert!(fixture.writes().is_empty() && fixture.in_folder("snapshots").is_empty() && fixture.in_folder("state").is_empty());
}

#[test]
fn two_snapshots_of_a_tenant_are_compared_by_the_ids_of_their_resources() {
    let mut fixture = Fixture::small();
    done(&fixture.run("export --tenant prod --out before --quiet"));
    fixture.change_prod(|held| {
        held["/clients"][0]["name"] = json!("Store");
        held["/roles"] = json!([{"id": "rol_prodClerk0000001", "name": "Clerk"}]);
    });
    done(&fixture.run("export --tenant prod --quiet"));
    assert_snapshot!(without_ages(&fixture.run("diff ./before prod@latest --quiet").whole()), @r#"
    exit 2
    Diff  ./before → prod@TIME
      from  acme-prod.eu.auth0.com  snapshot ./before, AGE old
      to    acme-prod.eu.auth0.com  snapshot prod@TIME, AGE old
      resources: 1 added, 1 changed, 0 deleted, 29 unchanged
      Roles +1 · Applications ~1

    Roles   1 added
      + "Clerk"
    Applications (clients)   1 changed
      ~ "Store"  name  Shop → Store
    "#);
    let said = fixture.run("diff prod@latest prod");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_snapshot!(without_ages(&said.out), @r"
    prod@TIME and prod do not differ: 32 resources compared.
      from  acme-prod.eu.auth0.com  snapshot prod@TIME, AGE old
      to    acme-prod.eu.auth0.com  read just now
      resources: 0 added, 0 changed, 0 deleted, 32 unchanged
    ");
    let said = fixture.run("diff ./before prod --kinds roles --output json").json();
    assert_eq!(said["counts"], json!({"added": 1, "changed": 0, "deleted": 0, "unchanged": 0}));
}

#[test]
fn linked_resources_of_two_tenants_are_compared_whatever_they_are_called() {
    let mut fixture = Fixture::small();
    done(&fixture.run("import --tenant prod --allow lockout-risk,many-changes --yes --quiet"));
    fixture.change_prod(|held| held["/clients"][0]["name"] = json!("Store"));
    for line in ["diff prod dev", "diff dev prod"] {
        let said = fixture.run(&format!("{line} --kinds clients --output json")).json();
        let found = [&said["counts"]["added"], &said["counts"]["deleted"], &said["changes"][0]["edits"][0]["path"]];
        assert_eq!(found, [&json!(0), &json!(0), &json!("name")], "{said:#}");
    }
}

#[test]
fn what_cannot_be_read_is_said_not_to_be_compared() {
    let mut fixture = Fixture::small();
    done(&fixture.run("export --tenant prod --quiet"));
    fixture.sign_in_to_prod_with(&["read:clients"]);
    let said = fixture.run("diff prod@latest prod --kinds clients,rules --quiet");
    assert_snapshot!(without_ages(&said.whole()), @r"
    exit 3
    prod@TIME and prod do not differ in what can be compared: 1 resource.
      from  acme-prod.eu.auth0.com  snapshot prod@TIME, AGE old
      to    acme-prod.eu.auth0.com  read just now
      resources: 0 added, 0 changed, 0 deleted, 1 unchanged

    Not compared
      rules: prod does not show it: the token lacks the scope read:rules
    ");
}

#[test]
fn a_word_that_names_neither_is_an_error_of_usage() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("diff dev prdo").code, 64);
    assert_eq!(fixture.run("diff dev prod@latest").code, 64);
    assert_eq!(fixture.run("diff dev").code, 64);
}

#[test]
fn no_secret_is_in_a_comparison() {
    let fixture = Fixture::acme("");
    let said = [fixture.run("diff dev prod --verbose"), fixture.run("diff prod dev --output json")];
    for said in said {
        assert!(said.code == 2 && !said.whole().contains("CANARY"), "{}", said.code);
    }
}
