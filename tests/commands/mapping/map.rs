//! `migrate map`: a resource before and after the rules.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::with_rules;
use crate::support::fixture::{Fixture, dev, prod};
use crate::support::refusals::refused;

const RULES: &str = r#"
[[rule]]
match = "*"
replace = { table = "hosts.csv" }

[[rule]]
match = "clients/Till"
skip = true

[[rule]]
match = "clients/Shop"
field = "client_metadata.env"
set = "prod"

[[rule]]
match = "clients/Shop"
rename = "Webshop"

[[rule]]
match = "clients/Shop"
field = "description"
keep = true
"#;

fn fixture() -> Fixture {
    let mut source = dev();
    source["data"]["/clients"][0]["client_metadata"] = json!({"env": "dev"});
    source["data"]["/clients"][0]["callbacks"] = json!(["https://shop.dev.acme.example/back", "https://other.example"]);
    source["data"]["/client-grants"] = json!([
        {"id": "cgr_devShop000000001", "client_id": "devShop000000000000000000000000a", "audience": "https://acme-dev.eu.auth0.com/api/v2/", "scope": []},
    ]);
    let fixture = with_rules(source, prod(), RULES);
    fixture.write("mappings/hosts.csv", "from,to\nshop.dev.acme.example,shop.acme.example\n");
    fixture
}

#[test]
fn resources_are_shown_with_the_effect_of_each_rule() {
    let fixture = fixture();
    assert_snapshot!(fixture.run("map clients/* client-grants/*Shop* rules/Greeting --quiet").whole(), @r#"
    exit 0
    clients/Shop → clients/Webshop  dev-to-prod.toml:15
        callbacks  - https://shop.dev.acme.example/back  + https://shop.acme.example/back  (1 unchanged)  hosts.csv:2
        client_metadata.env  dev → prod  dev-to-prod.toml:10
        name  Shop → Webshop  dev-to-prod.toml:15
        description: (the target keeps its own)  dev-to-prod.toml:19

    clients/Till  skipped  dev-to-prod.toml:6

    client-grants/Shop · https://⟨tenant⟩/api/v2/ · client → client-grants/Webshop · https://⟨tenant⟩/api/v2/ · client  dev-to-prod.toml:15
        client_id  client "Shop" → client "Webshop"  dev-to-prod.toml:15

    rules/Greeting
        (no rule changes it)
    "#);
    assert_eq!(fixture.writes(), []);
    assert!(fixture.requests().is_empty(), "the target is not asked");
}

#[test]
fn json_contains_every_value_with_its_rule() {
    let said = fixture().run("map clients/Shop --tenant prod --output json");
    let answer: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.whole()));
    assert_snapshot!(format!("{:#}", answer["resources"]), @r#"
    [
      {
        "kept": [
          {
            "path": "description",
            "rule": "dev-to-prod.toml:19"
          }
        ],
        "key": "clients/Shop",
        "renamed_by": "dev-to-prod.toml:15",
        "target_key": "clients/Webshop",
        "values": [
          {
            "new": [
              "https://shop.acme.example/back",
              "https://other.example"
            ],
            "old": [
              "https://shop.dev.acme.example/back",
              "https://other.example"
            ],
            "path": "callbacks",
            "rule": "hosts.csv:2"
          },
          {
            "new": "prod",
            "old": "dev",
            "path": "client_metadata.env",
            "rule": "dev-to-prod.toml:10"
          },
          {
            "new": "Webshop",
            "old": "Shop",
            "path": "name",
            "rule": "dev-to-prod.toml:15"
          }
        ]
      }
    ]
    "#);
}

#[test]
fn a_snapshot_gives_the_same_result_without_any_request() {
    let fixture = fixture();
    let of_tenant = fixture.run("map clients/* --quiet").out;
    assert_eq!(fixture.run("export --tenant dev --quiet").code, 0);
    let snapshot = fixture.only_in("snapshots/dev");
    assert_eq!(fixture.run(&format!("map clients/* --from {snapshot} --mapping mappings/dev-to-prod.toml --quiet")).out, of_tenant);
}

#[test]
fn a_name_missing_in_the_source_is_reported_with_the_nearest() {
    assert_snapshot!(refused(&fixture(), "map clients/Shpo --quiet"), @r#"
    exit 64
    error: no resource in dev matches "clients/Shpo"
    hint:  did you mean "Shop"?
    "#);
    assert_snapshot!(refused(&Fixture::small(), "map clients/Shop --quiet"), @"
    exit 64
    error: there is no mapping
    hint:  add --mapping FILE, or `mapping` to the target in migrate.toml
    ");
}
