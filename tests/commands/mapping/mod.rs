//! What a plan says of its mapping, and the commands about mappings.

mod attribution;
mod map;
mod random_rules;
mod unmapped_hosts;
mod unmatched_rules;
mod validate;

use serde_json::Value;

use crate::support::fixture::Fixture;

/// A fixture of these two tenants with these rules.
fn with_rules(dev: Value, prod: Value, rules: &str) -> Fixture {
    let fixture = Fixture::new(dev, prod, "");
    fixture.configure("mapping = \"mappings/dev-to-prod.toml\"\n");
    fixture.write("mappings/dev-to-prod.toml", rules);
    fixture
}

/// Returns the plan of an import into prod, as a program gets it.
fn planned(fixture: &Fixture) -> Value {
    let said = fixture.run("plan --tenant prod --output json");
    assert!([0, 4].contains(&said.code), "{}", said.whole());
    serde_json::from_str(&said.out).expect("JSON")
}
