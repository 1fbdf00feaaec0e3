//! The mapping rules that plans report for their values.

use insta::assert_snapshot;
use serde_json::json;

use super::{planned, with_rules};
use crate::support::fixture::{Fixture, client, dev, prod};

#[test]
fn every_value_produced_by_a_rule_names_the_rule_or_table_row() {
    let mut source = dev();
    source["data"]["/clients"][0]["client_metadata"] = json!({"env": "dev", "api.key": "dev"});
    source["data"]["/clients"][0]["logo_uri"] = json!("https://static.dev.acme.example/logo.png");
    source["data"]["/client-grants"] = json!([{"id": "cgr_devTill000000001", "client_id": "devTill000000000000000000000000a", "audience": "https://api.dev.acme.example", "scope": []}]);
    source["data"]["/resource-servers"] =
        json!([{"id": "5f0000000000000000000001", "identifier": "https://api.dev.acme.example", "name": "API"}]);
    let rules = r#"
[[rule]]
match = "*"
replace = { table = "hosts.csv" }

[[rule]]
match = "clients/*"
field = "client_metadata.*"
set = "prod"

[[rule]]
match = "clients/Till"
rename = "Kiosk"

[[rule]]
match = "clients/Shop"
field = "callbacks"
set = ["https://shop.acme.test/back"]

[[rule]]
match = "rules/*"
field = "enabled"
set = true

[[rule]]
match = "clients/Till"
field = "description"
keep = true
"#;
    let fixture = with_rules(source, prod(), rules);
    fixture.write(
        "mappings/hosts.csv",
        "from,to\n# hosts\nstatic.dev.acme.example,static.acme.example\napi.dev.acme.example,api.acme.example\n",
    );
    assert_snapshot!(format!("{:#}", planned(&fixture)["mapped"]), @r#"
    {
      "client-grants/Kiosk · https://api.acme.example · client": {
        "": "dev-to-prod.toml:11",
        "audience": "hosts.csv:4",
        "client_id": "dev-to-prod.toml:11"
      },
      "clients/Kiosk": {
        "": "dev-to-prod.toml:11",
        "name": "dev-to-prod.toml:11"
      },
      "clients/Shop": {
        "callbacks": "dev-to-prod.toml:15",
        "client_metadata.env": "dev-to-prod.toml:6",
        "logo_uri": "hosts.csv:3"
      },
      "resource-servers/https://api.acme.example": {
        "": "hosts.csv:4",
        "identifier": "hosts.csv:4"
      }
    }
    "#);
}

#[test]
fn elements_of_a_skipped_client_are_missing_because_of_its_rule() {
    let connection =
        |id: &str, clients: &[&str]| json!([{"id": id, "name": "db", "strategy": "auth0", "options": {}, "enabled_clients": clients}]);
    let (mut source, mut target) = (dev(), prod());
    source["data"]["/connections"] =
        connection("con_dev0000000000001", &["devTill000000000000000000000000a", "devShop000000000000000000000000a"]);
    target["data"]["/clients"].as_array_mut().expect("clients").push(client(
        "prodTill0000000000000000000000a",
        "Till",
        "https://till.acme.example/back",
    ));
    target["data"]["/connections"] = connection("con_prod000000000001", &[]);
    let fixture = with_rules(source, target, "[[rule]]\nmatch = \"clients/Till\"\nskip = true\n");
    assert_snapshot!(format!("{:#}", planned(&fixture)["mapped"]), @r#"
    {
      "connection-clients/db": {
        "clients": "dev-to-prod.toml:1"
      }
    }
    "#);
}

#[test]
fn the_plan_of_the_example_company_names_rows_and_rules() {
    let fixture = Fixture::acme("");
    let plan = planned(&fixture);
    assert_eq!(plan["mapping"]["unmatched"], json!(null), "every rule of the example matches something");
    let mapped = &plan["mapped"];
    let names = mapped.to_string();
    assert!(names.contains("hosts.csv:") && names.contains("dev-to-prod.toml:"), "{names}");
    let changed: Vec<&str> = plan["changes"].as_array().expect("changes").iter().filter_map(|change| change["key"].as_str()).collect();
    for key in mapped.as_object().expect("an object").keys() {
        assert!(changed.contains(&key.as_str()), "{key} does not change");
    }
}
