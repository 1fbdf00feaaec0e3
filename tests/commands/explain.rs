//! `migrate explain`: what an import would do about single resources, and why.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fixture::{Fixture, client, dev, prod};
use crate::support::refusals::{IMPORT, refused};

#[test]
fn a_changed_resource_shows_both_values_and_a_new_one_its_fields() {
    let fixture = Fixture::small();
    assert_snapshot!(refused(&fixture, "explain clients/* --tenant prod --quiet"), @r#"
    exit 0
    client "Shop": update
      dev: devShop000000000000000000000000a  prod: prodShop00000000000000000000000a
      callbacks: changed
        prod → dev  - https://shop.acme.example/old  + https://shop.acme.example/back
      3 fields unchanged (--verbose shows them)

    client "Till": create
      dev: devTill000000000000000000000000a  prod: (none)
      app_type: regular_web
      callbacks: https://till.acme.example/back
      is_first_party: true
      name: Till
      manual step: client_secret: the target generates a new client_secret; give it to the services that use this client
    "#);
}

#[test]
fn a_rule_is_shown_if_it_produced_or_kept_a_value_or_skipped_a_resource() {
    let fixture = Fixture::small();
    fixture.write(
        "mapping.toml",
        r#"
[[rule]]
match = "clients/Shop"
field = "callbacks"
set = ["https://shop.prod.example/back"]

[[rule]]
match = "clients/Till"
skip = true
"#,
    );
    fixture.configure("mapping = \"mapping.toml\"\n");
    assert_snapshot!(refused(&fixture, "explain clients/Shop clients/Till --tenant prod --quiet"), @r#"
    exit 0
    client "Shop": update
      dev: devShop000000000000000000000000a  prod: prodShop00000000000000000000000a
      callbacks: changed  [mapping.toml:2]
        prod → dev  - https://shop.acme.example/old  + https://shop.prod.example/back
      3 fields unchanged (--verbose shows them)

    client "Till": excluded
      the mapping skips it (mapping.toml:7)
      dev: (none)  prod: (none)
    "#);
}

#[test]
fn protected_unchanged_and_unmanaged_resources_are_explained() {
    let mut target = prod();
    target["data"]["/clients"].as_array_mut().expect("a list").push(client("prodOld", "Old", "https://old.acme.example"));
    let fixture = Fixture::new(dev(), target, "");
    fixture.configure("protected = [\"clients/Shop\"]\n");
    assert_snapshot!(refused(&fixture, "explain clients/Shop clients/Old rules/Greeting --tenant prod --quiet"), @r#"
    exit 0
    client "Shop": excluded
      it is protected in migrate.toml
      dev: devShop000000000000000000000000a  prod: prodShop00000000000000000000000a
      callbacks: kept
        prod → dev  - https://shop.acme.example/old  + https://shop.acme.example/back
      3 fields unchanged (--verbose shows them)

    client "Old": unmanaged
      only prod has it, and it is not deleted
      dev: (none)  prod: prodOld
      app_type: kept: only prod has it
        prod  regular_web
        dev   (none)
      callbacks: kept: only prod has it
        prod → dev  - https://old.acme.example
      name: kept: only prod has it
        prod  Old
        dev   (none)
      1 field unchanged (--verbose shows them)

    rule "Greeting": unchanged
      dev: rul_devGreeting00001  prod: rul_prodGreeting0001
      4 fields unchanged (--verbose shows them)
    "#);
}

#[test]
fn a_value_that_only_the_target_has_is_explained() {
    let mut fixture = Fixture::small();
    assert_eq!(fixture.run(IMPORT).code, 0);
    fixture.change_prod(|held| held["/clients"][0]["description"] = json!("by hand"));
    let said = fixture.run("explain clients/Shop --tenant prod --output json --quiet").json();
    let field = said["resources"][0]["fields"].as_array().expect("fields").iter().find(|field| field["path"] == "description");
    let expected = json!({"path": "description", "verdict": "kept", "target": "by hand", "source": null, "rule": null,
        "reason": "only prod has it"});
    assert_eq!(field, Some(&expected), "{said}");
}

#[test]
fn an_unknown_name_is_reported_with_the_nearest() {
    let fixture = Fixture::small();
    assert_snapshot!(refused(&fixture, "explain clients/Shp --tenant prod --quiet"), @r#"
    exit 64
    error: neither dev nor prod has "clients/Shp"
    hint:  did you mean "clients/Shop"?
    "#);
    assert_snapshot!(refused(&fixture, "explain client/Shop --tenant prod --quiet"), @r#"
    exit 64
    error: unknown kind "client"
    hint:  did you mean "clients"? `migrate kinds` lists all kinds
    "#);
}
