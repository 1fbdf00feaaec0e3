//! Rules that match nothing, with the most similar existing name.

use insta::assert_snapshot;

use super::{planned, with_rules};
use crate::support::fixture::{Fixture, dev, prod};
use crate::support::refusals::{IMPORT, refused};

/// Rules that are each misspelt in a different place, except the first.
const MISSPELT: &str = r#"
[[rule]]
match = "clients/Till"
skip = true

[[rule]]
match = "clients/Shpo*"
skip = true

[[rule]]
match = "rules/Shop"
field = "enabled"
set = false

[[rule]]
match = "clients/Shop"
field = "client_metadata.env"
remove = true

[[rule]]
match = "clients/*"
field = "callbacks[]"
remove = "https://shop.acme.example/bak"

[[rule]]
match = "*"
replace = { from = "shop.acme.exampel", to = "shop.acme.test" }

[[rule]]
match = "clients/Shop"
field = "addons.samlp.recipiant"
keep = true

[[rule]]
match = "connections/*"
replace = { table = "hosts.csv" }
"#;

fn misspelt() -> Fixture {
    let mut target = prod();
    target["data"]["/clients"][0]["addons"] = serde_json::json!({"samlp": {"recipient": "x"}});
    let fixture = with_rules(dev(), target, MISSPELT);
    fixture.write("mappings/hosts.csv", "from,to\na.example,b.example\n");
    fixture
}

#[test]
fn an_unmatched_rule_is_in_the_plan_with_the_nearest_name() {
    assert_snapshot!(format!("{:#}", planned(&misspelt())["mapping"]), @r#"
    {
      "file": "mappings/dev-to-prod.toml",
      "rules": 8,
      "unmatched": [
        {
          "is_protective": true,
          "missing": "resource",
          "nearest": "Shop*",
          "place": "mappings/dev-to-prod.toml:6",
          "rule": "skip clients/Shpo*"
        },
        {
          "is_protective": true,
          "missing": "resource",
          "nearest": "clients/Shop",
          "place": "mappings/dev-to-prod.toml:10",
          "rule": "set rules/Shop enabled"
        },
        {
          "is_protective": true,
          "missing": "field",
          "place": "mappings/dev-to-prod.toml:15",
          "rule": "remove clients/Shop client_metadata.env"
        },
        {
          "is_protective": true,
          "missing": "element",
          "nearest": "https://shop.acme.example/back",
          "place": "mappings/dev-to-prod.toml:20",
          "rule": "remove clients/* callbacks[] \"https://shop.acme.example/bak\""
        },
        {
          "is_protective": false,
          "missing": "text",
          "nearest": "shop.acme.example",
          "place": "mappings/dev-to-prod.toml:25",
          "rule": "replace * \"shop.acme.exampel\""
        },
        {
          "is_protective": true,
          "missing": "field",
          "place": "mappings/dev-to-prod.toml:29",
          "rule": "keep clients/Shop addons.samlp.recipiant"
        },
        {
          "is_protective": false,
          "missing": "resource",
          "place": "mappings/dev-to-prod.toml:34",
          "rule": "replace connections/* from hosts.csv"
        }
      ]
    }
    "#);
}

#[test]
fn a_rule_that_keeps_a_field_of_the_target_matches_it() {
    let fixture = misspelt();
    fixture.edit("mappings/dev-to-prod.toml", "recipiant", "recipient");
    let rules = planned(&fixture)["mapping"]["unmatched"].to_string();
    assert!(!rules.contains("keep"), "{rules}");
}

#[test]
fn with_strict_every_unmatched_rule_is_an_error_and_nothing_is_written() {
    let fixture = misspelt();
    assert_snapshot!(refused(&fixture, &format!("{IMPORT} --strict")), @r#"
    exit 64
    error: 7 rules of the mapping match nothing
    cause: mappings/dev-to-prod.toml:6: skip clients/Shpo* matches no resource; did you mean "Shop*"?
    cause: mappings/dev-to-prod.toml:10: set rules/Shop enabled matches no resource; did you mean "clients/Shop"?
    cause: mappings/dev-to-prod.toml:15: remove clients/Shop client_metadata.env matches resources, but none has the field
    cause: mappings/dev-to-prod.toml:20: remove clients/* callbacks[] "https://shop.acme.example/bak" matches resources, but none has the element; did you mean "https://shop.acme.example/back"?
    cause: mappings/dev-to-prod.toml:25: replace * "shop.acme.exampel" matches resources, but none has the text; did you mean "shop.acme.example"?
    cause: mappings/dev-to-prod.toml:29: keep clients/Shop addons.samlp.recipiant matches resources, but none has the field
    cause: mappings/dev-to-prod.toml:34: replace connections/* from hosts.csv matches no resource
    hint:  correct or remove what matches nothing, or leave out --strict
    state: nothing was written
    "#);
    let of_import = refused(&fixture, &format!("{IMPORT} --strict"));
    for line in ["plan --tenant prod --strict --quiet", "import --tenant prod --rehearse --strict --quiet", "sync --to prod --strict"] {
        let said = refused(&fixture, line);
        let state = "state: nothing was written\n";
        assert_eq!(said.trim_end_matches(state), of_import.trim_end_matches(state), "{line}");
    }
}

#[test]
fn a_saved_plan_with_an_unmatched_rule_is_refused_with_strict() {
    let fixture = with_rules(dev(), prod(), "[[rule]]\nmatch = \"clients/Til\"\nskip = true\n");
    assert_eq!(fixture.run("plan --tenant prod --out plan.json --quiet").code, 0);
    assert_snapshot!(refused(&fixture, "import --tenant prod --plan plan.json --strict --yes --quiet"), @r#"
    exit 64
    error: mappings/dev-to-prod.toml:1: skip clients/Til matches no resource; did you mean "Till"?
    hint:  correct or remove what matches nothing, or leave out --strict
    state: nothing was written
    "#);
}

#[test]
fn rules_that_match_something_pass_strict() {
    let fixture = with_rules(dev(), prod(), "[[rule]]\nmatch = \"clients/Til*\"\nskip = true\n");
    let said = fixture.run(&format!("{IMPORT} --strict"));
    assert_eq!(said.code, 0, "{}", said.whole());
}
