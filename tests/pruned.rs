//! What has no id of its own and an earlier run brought: it goes from prod once dev has it no more, or is named. Through the real binary.

use serde_json::{Value, json};

use crate::stage::{Said, Stage, dev, prod};

const IMPORT: &str = "import --tenant prod --allow critical,many-changes --yes --quiet";
const PRUNE: &str = "import --tenant prod --prune --allow critical,many-changes,deletes --yes --quiet";

fn done(said: &Said) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// A tenant with an organization and a connection, and with what may hang below and beside them where it is ahead.
fn tenant(mut state: Value, side: &str, is_ahead: bool) -> Value {
    let (organization, connection) = (format!("org_{side}Alpha00000001"), format!("con_{side}Guest00000001"));
    let data = &mut state["data"];
    data["/organizations"] = json!([{"id": organization, "name": "alpha"}]);
    data["/connections"] = json!([{"id": connection, "name": "Guest", "strategy": "samlp", "options": {}}]);
    data["/tenants/settings"] = json!({"enabled_locales": ["en"]});
    if is_ahead {
        data[format!("/organizations/{organization}/connections")] =
            json!([{"connection_id": connection, "assign_membership_on_login": true, "show_as_button": false}]);
        data[format!("/connections/{connection}/scim-configuration")] =
            json!({"user_id_attribute": "externalId", "mapping": [{"auth0": "name", "scim": "displayName"}]});
        data["/branding/templates/universal-login"] = json!({"body": "<html>{%- auth0:head -%}{%- auth0:widget -%}</html>"});
        data["/prompts/login/custom-text/en"] = json!({"login": {"title": "Welcome"}});
    }
    state
}

fn held(stage: &Stage) -> Vec<(String, bool)> {
    let all = stage.all_of_prod();
    let is_there = |path: &str| all.get(path).is_some_and(|value| !value.is_null() && *value != json!([]) && *value != json!({}));
    PATHS.iter().map(|path| ((*path).to_owned(), is_there(path))).collect()
}

const PATHS: [&str; 4] = [
    "/organizations/org_prodAlpha00000001/connections",
    "/connections/con_prodGuest00000001/scim-configuration",
    "/branding/templates/universal-login",
    "/prompts/login/custom-text/en",
];

fn all(is_there: bool) -> Vec<(String, bool)> {
    PATHS.iter().map(|path| ((*path).to_owned(), is_there)).collect()
}

/// Two tenants of which the second was given what the first had, and has no more.
fn behind() -> Stage {
    let stage = Stage::of(tenant(dev(), "dev", true), tenant(prod(), "prod", false), "");
    done(&stage.run(IMPORT));
    assert_eq!(held(&stage), all(true));
    stage.write("empty.json", "{}");
    for call in [
        "delete organizations/org_devAlpha00000001/connections/con_devGuest00000001",
        "delete connections/con_devGuest00000001/scim-configuration",
        "delete branding/templates/universal-login",
        "put prompts/login/custom-text/en --data empty.json",
    ] {
        let said = stage.run(&format!("api {call} --tenant dev --yes --quiet"));
        assert_eq!(said.code, 0, "{}", said.whole());
    }
    stage
}

#[test]
fn what_a_run_brought_below_and_beside_other_resources_is_named_and_pruned_where_that_is_asked_for() {
    let stage = behind();
    let named = stage.run("plan --tenant prod --output json --quiet").json()["target_only"].clone();
    let kinds = ["branding-universal-login-template", "connection-scim-configurations", "organization-connections", "prompt-custom-text"];
    assert_eq!(named.as_object().expect("an object").keys().collect::<Vec<_>>(), kinds);
    done(&stage.run(IMPORT));
    assert_eq!(held(&stage), all(true));
    done(&stage.run(PRUNE));
    assert_eq!(held(&stage), all(false));
    assert!(stage.run(PRUNE).out.contains("Nothing to do."));
    assert!(stage.run("drift --tenant prod --quiet").code == 0, "what went is no drift");
}

#[test]
fn what_was_pruned_comes_back_with_an_undo() {
    let stage = behind();
    done(&stage.run(PRUNE));
    let run = stage.in_folder("runs").into_iter().max().expect("a run");
    done(&stage.run(&format!("undo {run} --yes --quiet --allow critical,many-changes,deletes")));
    assert_eq!(held(&stage), all(true));
}

#[test]
fn what_no_run_brought_is_not_pruned() {
    let stage = Stage::of(tenant(dev(), "dev", false), tenant(prod(), "prod", true), "");
    done(&stage.run(PRUNE));
    assert_eq!(held(&stage), all(true));
}
