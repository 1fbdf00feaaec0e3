//! A tenant that accepts a value and stores another one: the run completes, and the report says so.

use serde_json::{Value, json};

use crate::support::fixture::{Stage, dev, prod};

const EVIL: &str = "https://evil.example/back";

/// A stage whose prod makes this of writes.
fn stage_that_makes(rules: &Value) -> Stage {
    let mut prod = prod();
    prod["refuse"] = rules.clone();
    Stage::of(dev(), prod, "")
}

const IMPORT: &str = "import --tenant prod --yes --secrets-to file:kept.jsonl --allow lockout-risk,weaker-protection,many-changes";

#[test]
fn what_a_tenant_makes_of_a_value_is_a_note_wherever_its_run_is_told() {
    let stage = stage_that_makes(&json!([
        {"method": "PATCH", "path": "^/clients/", "makes": {"callbacks": [EVIL]}},
        {"method": "POST", "path": "^/clients$", "makes": {"app_type": null}},
    ]));
    let said = stage.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    let told = "Answered otherwise than sent\n  \
        client \"Shop\": callbacks was sent as [https://shop.acme.example/back] and answered as [https://evil.example/back]\n  \
        client \"Till\": app_type was sent as \"regular_web\" and answered as (none)\n";
    assert!(said.out.contains(told), "{}", said.whole());
    let run = stage.only_in("runs");
    let name = run.rsplit('/').next().expect("a name");
    assert!(stage.run(&format!("show {name}")).out.contains(told));
    let shown = stage.run(&format!("show {name} --output json")).json();
    let expected = json!([
        {"key": "clients/Shop", "operation": "update", "path": "callbacks", "sent": ["https://shop.acme.example/back"], "answered": [EVIL]},
        {"key": "clients/Till", "operation": "create", "path": "app_type", "sent": "regular_web", "answered": null},
    ]);
    assert_eq!(shown["differs"], expected);
    for page in ["report.md", "report.html"] {
        assert!(stage.read(&format!("{run}/{page}")).contains("Answered otherwise than sent"), "{page}");
    }
}

#[test]
fn a_tenant_that_keeps_to_what_it_is_sent_has_nothing_noted() {
    let stage = Stage::small();
    let said = stage.run(&format!("{IMPORT} --output json"));
    assert_eq!((said.code, &said.json()["differs"]), (0, &json!([])), "{}", said.whole());
}

#[test]
fn a_night_counts_what_was_answered_otherwise() {
    let mut prod = prod();
    prod["data"]["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/back"]);
    prod["refuse"] = json!([{"method": "POST", "path": "^/clients$", "makes": {"description": "its own", "app_type": "spa"}}]);
    let stage = Stage::of(dev(), prod, "");
    let said = stage.run("sync --from dev --to prod --allow many-changes");
    assert_eq!(said.code, 0, "{}", said.whole());
    // What nobody sent is the tenant's own.
    assert!(said.out.contains("; 1 value answered otherwise than sent"), "{}", said.whole());
    let night: Value = serde_json::from_str(&stage.read("state/dev/prod/last-sync.json")).expect("JSON");
    let expected = json!([{"key": "clients/Till", "operation": "create", "path": "app_type", "sent": "regular_web", "answered": "spa"}]);
    assert_eq!(night["runs"][0]["differs"], expected);
}
