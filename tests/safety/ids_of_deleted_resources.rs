//! Ids of resources that the source deleted but its code still contains never reach the target.

use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, dev, prod};

const ALL: &str = "--allow lockout-risk,weaker-protection,many-changes,deletes --yes --quiet";
const TILL: &str = "devTill000000000000000000000000a";

/// A tenant whose action and roles refer to one of its clients.
fn naming_till() -> Value {
    let mut source = dev();
    source["data"]["/actions/actions"] = json!([{
        "id": "5b3e7a10-32bb-4d09-8f1c-000000000001", "name": "gate", "status": "built", "all_changes_deployed": true, "runtime": "node22",
        "code": format!("exports.onExecutePostLogin = async (event) => event.client.client_id === '{TILL}';"), "dependencies": [], "secrets": [],
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
    }]);
    source["data"]["/roles"] = json!([{"id": "rol_devClerk0000001", "name": "Clerk", "description": format!("signs in at {TILL}")}]);
    source
}

fn without_till(fixture: &Fixture) {
    let said = fixture.run(&format!("api delete clients/{TILL} --tenant dev --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Asserts that prod does not contain the id, and that the skipped texts are reported.
fn is_named_and_nowhere(fixture: &Fixture, said: &CommandOutput) {
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(!fixture.all_of_prod().to_string().contains(TILL), "dev's id is in prod: {}", said.whole());
    let reason = "(gone from dev), which the target does not have";
    assert!(said.out.contains(reason), "{}", said.whole());
}

#[test]
fn a_skipped_resource_is_still_known_after_it_is_deleted() {
    for by_plan in [false, true] {
        let fixture = Fixture::new(naming_till(), prod(), "");
        fixture.write("map.toml", "[[rule]]\nmatch = \"clients/Till\"\nskip = true\n");
        fixture.configure("mapping = \"map.toml\"\n");
        let import = || {
            if !by_plan {
                return fixture.run(&format!("import --tenant prod {ALL}"));
            }
            fixture.run("plan --tenant prod --out plan.json --quiet");
            fixture.run(&format!("import --tenant prod --plan plan.json {ALL}"))
        };
        let first = import();
        assert_eq!(first.code, 3, "{}", first.whole());
        without_till(&fixture);
        is_named_and_nowhere(&fixture, &import());
    }
}

#[test]
fn a_resource_deleted_by_an_undo_is_still_known_after_the_source_deleted_it() {
    let fixture = Fixture::new(naming_till(), prod(), "");
    let said = fixture.run(&format!("import --tenant prod {ALL}"));
    assert_eq!(said.code, 0, "{}", said.whole());
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    let said = fixture.run(&format!("undo {run} {ALL}"));
    assert!([0, 3].contains(&said.code), "{}", said.whole());
    without_till(&fixture);
    let said = fixture.run(&format!("import --tenant prod {ALL}"));
    is_named_and_nowhere(&fixture, &said);
}
