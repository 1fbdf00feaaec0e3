//! Hosts of the source that no mapping rule rewrote.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{planned, with_rules};
use crate::support::fixture::{Fixture, client, dev, prod};
use crate::support::refusals::refused_offline;

/// Clients with these URLs; the first also has this logo.
fn of_hosts(tenant: Value, prefix: &str, logo: &str, callbacks: &[&str]) -> Value {
    let mut tenant = tenant;
    let client = |(at, url): (usize, &&str)| client(&format!("{prefix}Client{at:022}"), &format!("Client {at}"), url);
    let mut clients: Vec<Value> = callbacks.iter().enumerate().map(client).collect();
    clients[0]["logo_uri"] = json!(logo);
    tenant["data"]["/clients"] = json!(clients);
    tenant
}

fn hosts(fixture: &Fixture) -> Value {
    planned(fixture)["mapping"]["unmapped_hosts"].take()
}

#[test]
fn hosts_named_after_the_source_or_replaced_in_the_target_are_reported() {
    let source = of_hosts(
        dev(),
        "dev",
        "https://assets.acme.example/logo.png",
        &[
            "https://shop.acme.example/cb",
            "https://till.dev.acme.example/cb",
            "https://till.dev.acme.example/cb",
            "https://qa-till.acme.example/cb",
        ],
    );
    let target = of_hosts(prod(), "prod", "https://static.acme.example/logo.png", &["https://shop.acme.example/cb2", "https://dev.to/cb"]);
    let fixture = Fixture::new(source, target, "");
    assert_snapshot!(format!("{:#}", planned(&fixture)["mapping"]), @r#"
    {
      "file": "",
      "rules": 0,
      "unmapped_hosts": [
        {
          "count": 1,
          "host": "assets.acme.example",
          "key": "clients/Client 0",
          "path": "logo_uri"
        },
        {
          "count": 2,
          "host": "till.dev.acme.example",
          "key": "clients/Client 1",
          "path": "callbacks"
        }
      ]
    }
    "#);
    // A host whose name does not show that it is the source's is reported if the configuration lists it.
    fixture.write(
        "migrate.toml",
        &fixture.read("migrate.toml").replace("\n\n[tenants.prod]", "\nhosts = [\"QA-till.acme.example\"]\n\n[tenants.prod]"),
    );
    let listed = hosts(&fixture);
    assert!(listed.to_string().contains("qa-till.acme.example"), "{listed}");
}

#[test]
fn a_host_rewritten_elsewhere_is_reported_where_it_is_not() {
    let source =
        of_hosts(dev(), "dev", "https://www.test.example/logo.png", &["https://app.test.example/cb", "https://app.test.example/cb"]);
    let rules = "[[rule]]\nmatch = \"clients/Client 0\"\nreplace = { from = \"test.example\", to = \"live.test.example\" }\n";
    let fixture = with_rules(source, prod(), rules);
    assert_snapshot!(format!("{:#}", hosts(&fixture)), @r#"
    [
      {
        "count": 1,
        "host": "app.test.example",
        "key": "clients/Client 1",
        "path": "callbacks"
      }
    ]
    "#);
}

#[test]
fn shared_and_added_hosts_are_not_reported() {
    let source =
        of_hosts(dev(), "dev", "https://logo.dev.acme.example/a", &["https://new.acme.example/cb", "https://shop.acme.example/cb"]);
    let target = of_hosts(prod(), "prod", "https://logo.dev.acme.example/b", &["https://other.acme.example/callback"]);
    assert_eq!(planned(&Fixture::new(source, target, ""))["mapping"], json!(null));
}

#[test]
fn the_domain_of_the_source_is_left_to_the_guard() {
    let source = of_hosts(dev(), "dev", "https://logo.acme.example/a", &["https://mtls.acme-dev.eu.auth0.com/cb"]);
    let fixture = Fixture::new(source, prod(), "");
    let plan = planned(&fixture);
    assert_eq!(plan["mapping"], json!(null));
    assert!(plan["refusals"].to_string().contains("source-leak"), "{}", plan["refusals"]);
}

#[test]
fn an_invalid_configured_host_is_shown_in_its_line() {
    let fixture = Fixture::small();
    fixture.configure("hosts = [\"https://dev.acme.example/\"]\n");
    assert_snapshot!(refused_offline(&fixture, "validate"), @r#"
    exit 64
    error: "https://dev.acme.example/" is not a host
            --> migrate.toml:9:10
             |
           9 | hosts = ["https://dev.acme.example/"]
             |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^ use the bare name: dev.acme.example
    "#);
}
