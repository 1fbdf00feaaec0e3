//! How long a plan is on a terminal or in a pipe.

use auth0_migrate::sandbox::{State, seed};
use serde_json::Value;

use crate::support::fixture::{Fixture, client};

/// Returns the example company's dev tenant with this many more clients.
fn dev_with(clients: usize) -> Value {
    let mut dev: Value = serde_json::from_str(seed::ACME_DEV).expect("JSON");
    let more = (0..clients).map(|nth| client(&format!("more{nth}"), &format!("Service {nth:03}"), "https://dev.acme.example/cb"));
    dev["data"]["/clients"].as_array_mut().expect("a list").extend(more);
    dev
}

#[test]
fn a_first_plan_of_152_creates_and_12_updates_takes_at_most_150_lines() {
    // A plan of 150 creates took 1,209 lines before creates were shown on one line. Half of these are updates of what a new tenant has.
    let new = State::empty("acme-prod.eu.auth0.com").to_json();
    let fixture = Fixture::acme_of(dev_with(115), new, "");
    let counts = fixture.run("plan --tenant prod --output json").json()["counts"].clone();
    let creates = counts["creates"].as_u64().expect("a number");
    assert!((150..160).contains(&creates), "{counts}");
    let plan = fixture.run("plan --tenant prod --quiet").out;
    assert!(plan.lines().count() <= 150, "{} lines:\n{plan}", plan.lines().count());
    // With --verbose, every field of every resource is shown.
    let whole = fixture.run("plan --tenant prod --verbose").out;
    assert!(whole.lines().count() > 450, "{} lines", whole.lines().count());
    for nth in 0..115 {
        assert!(whole.contains(&format!("\"Service {nth:03}\"")), "Service {nth:03}");
    }
}

#[test]
fn the_example_plan_of_41_changes_takes_at_most_220_lines() {
    // It took 351 (at f328635) before equal edits were shown once and creates on one line. Most of it is the new code of scripts.
    let plan = Fixture::acme("").run("plan --tenant prod --quiet").out;
    assert!(plan.lines().count() <= 220, "{} lines:\n{plan}", plan.lines().count());
}
