//! A tenant that accepts a value and stores a different one: the run completes and reports it.

use serde_json::{Value, json};

use crate::support::fixture::{Fixture, dev, prod};

const EVIL: &str = "https://evil.example/back";

/// A fixture whose prod applies these rules to writes.
fn stage_that_makes(rules: &Value) -> Fixture {
    let mut prod = prod();
    prod["refuse"] = rules.clone();
    Fixture::new(dev(), prod, "")
}

const IMPORT: &str = "import --tenant prod --yes --secrets-to file:kept.jsonl --allow lockout-risk,weaker-protection,many-changes";

#[test]
fn an_altered_value_is_noted_in_every_report_of_its_run() {
    let fixture = stage_that_makes(&json!([
        {"method": "PATCH", "path": "^/clients/", "makes": {"callbacks": [EVIL]}},
        {"method": "POST", "path": "^/clients$", "makes": {"app_type": null}},
    ]));
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    let told = "Returned differently than sent\n  \
        client \"Shop\": callbacks as returned:  - https://shop.acme.example/back  + https://evil.example/back\n  \
        client \"Till\": app_type was sent as \"regular_web\" and returned as (none)\n";
    assert!(said.out.contains(told), "{}", said.whole());
    let run = fixture.only_in("runs");
    let name = run.rsplit('/').next().expect("a name");
    assert!(fixture.run(&format!("show {name}")).out.contains(told));
    let shown = fixture.run(&format!("show {name} --output json")).json();
    let expected = json!([
        {"key": "clients/Shop", "operation": "update", "path": "callbacks", "sent": ["https://shop.acme.example/back"], "answered": [EVIL]},
        {"key": "clients/Till", "operation": "create", "path": "app_type", "sent": "regular_web", "answered": null},
    ]);
    assert_eq!(shown["differs"], expected);
    for page in ["report.md", "report.html"] {
        assert!(fixture.read(&format!("{run}/{page}")).contains("Returned differently than sent"), "{page}");
    }
}

#[test]
fn a_tenant_that_stores_what_it_is_sent_has_no_note() {
    let fixture = Fixture::small();
    let said = fixture.run(&format!("{IMPORT} --output json"));
    assert_eq!((said.code, &said.json()["differs"]), (0, &json!([])), "{}", said.whole());
}

#[test]
fn a_sync_counts_altered_values() {
    let mut prod = prod();
    prod["data"]["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/back"]);
    prod["refuse"] = json!([{"method": "POST", "path": "^/clients$", "makes": {"description": "its own", "app_type": "spa"}}]);
    let fixture = Fixture::new(dev(), prod, "");
    let said = fixture.run("sync --from dev --to prod --allow many-changes");
    assert_eq!(said.code, 0, "{}", said.whole());
    // Values that were not sent are the tenant's own.
    assert!(said.out.contains("; 1 value returned differently than sent"), "{}", said.whole());
    let night: Value = serde_json::from_str(&fixture.read("state/dev/prod/last-sync.json")).expect("JSON");
    let expected = json!([{"key": "clients/Till", "operation": "create", "path": "app_type", "sent": "regular_web", "answered": "spa"}]);
    assert_eq!(night["runs"][0]["differs"], expected);
}
