//! What plans report about their mapping, and the commands for mappings.

mod attribution;
mod map;
mod random_rules;
mod unmapped_hosts;
mod unmatched_rules;
mod validate;

use serde_json::Value;

use crate::support::fixture::Fixture;

/// A fixture with these two tenants and rules.
fn with_rules(dev: Value, prod: Value, rules: &str) -> Fixture {
    let fixture = Fixture::new(dev, prod, "");
    fixture.configure("mapping = \"mappings/dev-to-prod.toml\"\n");
    fixture.write("mappings/dev-to-prod.toml", rules);
    fixture
}

/// Returns the JSON plan of an import into prod.
fn planned(fixture: &Fixture) -> Value {
    let said = fixture.run("plan --tenant prod --output json");
    assert!([0, 4].contains(&said.code), "{}", said.whole());
    serde_json::from_str(&said.out).expect("JSON")
}
