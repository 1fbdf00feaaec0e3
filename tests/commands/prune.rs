//! Pruning resources without their own ids, and duplicates: deleted if an earlier import created them, otherwise reported.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";
const PRUNE: &str = "import --tenant prod --prune --allow lockout-risk,weaker-protection,many-changes,deletes --yes --quiet";

fn done(said: &CommandOutput) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// A tenant with an organization and a connection, and, if it is ahead, with resources below and beside them.
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

fn held(fixture: &Fixture) -> Vec<(String, bool)> {
    let all = fixture.all_of_prod();
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

/// Two tenants, the second of which was given what the first had and no longer has.
fn behind() -> Fixture {
    let fixture = Fixture::new(tenant(dev(), "dev", true), tenant(prod(), "prod", false), "");
    done(&fixture.run(IMPORT));
    assert_eq!(held(&fixture), all(true));
    fixture.write("empty.json", "{}");
    for call in [
        "delete organizations/org_devAlpha00000001/connections/con_devGuest00000001",
        "delete connections/con_devGuest00000001/scim-configuration",
        "delete branding/templates/universal-login",
        "put prompts/login/custom-text/en --data empty.json",
    ] {
        let said = fixture.run(&format!("api {call} --tenant dev --yes --quiet"));
        assert_eq!(said.code, 0, "{}", said.whole());
    }
    fixture
}

#[test]
fn resources_created_below_and_beside_others_are_reported_and_pruned_on_request() {
    let fixture = behind();
    let named = fixture.run("plan --tenant prod --output json --quiet").json()["unmanaged"].clone();
    let kinds = ["branding-universal-login-template", "connection-scim-configurations", "organization-connections", "prompt-custom-text"];
    assert_eq!(named.as_object().expect("an object").keys().collect::<Vec<_>>(), kinds);
    done(&fixture.run(IMPORT));
    assert_eq!(held(&fixture), all(true));
    done(&fixture.run(PRUNE));
    assert_eq!(held(&fixture), all(false));
    assert!(fixture.run(PRUNE).out.contains("Nothing to do."));
    assert!(fixture.run("drift --tenant prod --quiet").code == 0, "what went is no drift");
}

#[test]
fn an_undo_restores_pruned_resources() {
    let fixture = behind();
    done(&fixture.run(PRUNE));
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    done(&fixture.run(&format!("undo {run} --yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes")));
    assert_eq!(held(&fixture), all(true));
}

#[test]
fn resources_are_kept_if_their_kind_disappeared_since_a_token_may_see_none() {
    let role = |name: &str| json!({"id": format!("rol_{name}"), "name": name, "description": "a role"});
    let dev = json!({"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com", "data": {"/roles": [role("Auditor"), role("Driver")]}});
    let prod = json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}});
    let fixture = Fixture::new(dev, prod, "");
    done(&fixture.run(IMPORT));
    for name in ["Auditor", "Driver"] {
        done(&fixture.run(&format!("api delete roles/rol_{name} --tenant dev --yes --quiet")));
    }
    let writes = fixture.writes().len();
    let plan = fixture.run("plan --tenant prod --prune --quiet");
    assert!(plan.out.contains("it is gone from dev, but the source lists no roles at all"), "{}", plan.whole());
    let said = fixture.run("sync --from dev --to prod --prune --allow deletes,many-changes --quiet");
    assert_snapshot!(said.whole(), @"
    exit 3
    dev -> prod: nothing to apply; 2 skipped (roles/Auditor, roles/Driver)
    ");
    assert_eq!(fixture.writes().len(), writes);
}

#[test]
fn resources_that_no_run_created_are_not_pruned() {
    let fixture = Fixture::new(tenant(dev(), "dev", false), tenant(prod(), "prod", true), "");
    done(&fixture.run(PRUNE));
    assert_eq!(held(&fixture), all(true));
}

/// Two APIs, and clients of the same name, each with a grant on one of them and listed by another client.
fn with_namesakes(domain: &str, side: &str) -> Value {
    let id = |number: usize| format!("{side}Twin00000000000000000000000{number}");
    let mut clients: Vec<Value> = (1..=2)
        .map(|number| json!({"client_id": id(number), "name": "Twin", "description": format!("of depot {number}"), "is_first_party": true}))
        .collect();
    clients.push(json!({"client_id": format!("{side}Gate000000000000000000000000"), "name": "Gate", "allowed_clients": [id(1), id(2)], "is_first_party": true}));
    let apis: Vec<Value> = (1..=2)
        .map(|number| json!({"id": format!("5f00000000000000000000{number}{number}"), "name": format!("API {number}"), "identifier": format!("urn:api:{number}"), "scopes": [{"value": "read:all"}]}))
        .collect();
    let grants: Vec<Value> = (1..=2)
        .map(|number| json!({"id": format!("cgr_{side}Twin00000{number}"), "client_id": id(number), "audience": format!("urn:api:{number}"), "scope": ["read:all"], "subject_type": "client"}))
        .collect();
    let roles = json!([{"id": format!("rol_{side}Clerk0000001"), "name": "Clerk", "description": "at the desk"},
        {"id": format!("rol_{side}Guest0000001"), "name": "Guest", "description": "at the door"}]);
    json!({"tenant": format!("acme-{side}"), "domain": domain, "data": {"/clients": clients, "/resource-servers": apis, "/client-grants": grants, "/roles": roles}})
}

/// Returns for each client with the shared name its description, the API that it has a grant on, and whether the other
/// client lists it.
fn namesakes_of(fixture: &Fixture) -> Vec<(String, String, bool)> {
    let all = fixture.all_of_prod();
    let list = |path: &str| all[path].as_array().cloned().unwrap_or_default();
    let gate = list("/clients").into_iter().find(|one| one["name"] == "Gate").expect("it stays");
    let of = |one: &Value| {
        let grant = list("/client-grants").into_iter().find(|grant| grant["client_id"] == one["client_id"]);
        let audience = grant.map_or_else(String::new, |grant| grant["audience"].as_str().unwrap_or_default().to_owned());
        let is_listed = gate["allowed_clients"].as_array().is_some_and(|listed| listed.contains(&one["client_id"]));
        (one["description"].as_str().unwrap_or_default().to_owned(), audience, is_listed)
    };
    let mut found: Vec<_> = list("/clients").iter().filter(|one| one["name"] == "Twin").map(of).collect();
    found.sort();
    found
}

/// Returns two tenants that were equal, the first of which then lost both clients with the shared name and its role.
fn without_namesakes() -> Fixture {
    let empty = json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}});
    let fixture = Fixture::new(with_namesakes("acme-dev.eu.auth0.com", "dev"), empty, "");
    done(&fixture.run(IMPORT));
    for path in ["clients/devTwin000000000000000000000001", "clients/devTwin000000000000000000000002", "roles/rol_devClerk0000001"] {
        done(&fixture.run(&format!("api delete {path} --tenant dev --yes --quiet")));
    }
    fixture.write("gate.json", "{\"allowed_clients\": []}");
    done(&fixture.run("api patch clients/devGate000000000000000000000000 --tenant dev --data gate.json --yes --quiet"));
    fixture
}

#[test]
fn pruned_duplicates_are_restored_each_with_its_own_grant_and_list_entry() {
    let fixture = without_namesakes();
    let before = namesakes_of(&fixture);
    assert_eq!(before, [1, 2].map(|number| (format!("of depot {number}"), format!("urn:api:{number}"), true)));
    done(&fixture.run(PRUNE));
    assert_eq!(namesakes_of(&fixture), []);
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    let said = fixture.run(&format!("undo {run} --yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes"));
    assert!(
        said.code == 3 && said.out.contains("role \"Clerk\": the run also deleted its assignment to users and groups"),
        "{}",
        said.whole()
    );
    assert_eq!(namesakes_of(&fixture), before);
}

/// Returns the number of resources in prod of the kinds from which a prune deleted something.
fn counted(fixture: &Fixture) -> [usize; 3] {
    ["/clients", "/client-grants", "/roles"].map(|path| fixture.prod(path).as_array().map_or(0, Vec::len))
}

#[test]
fn recreated_resources_are_known_to_every_later_undo() {
    let fixture = without_namesakes();
    let before = (namesakes_of(&fixture), counted(&fixture));
    done(&fixture.run(PRUNE));
    let newest = || fixture.in_folder("runs").into_iter().max().expect("a run");
    let undo = |run: &str| {
        done(&fixture.run(&format!("undo {run} --yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes")));
        newest()
    };
    let is_as_before = |when: &str| assert_eq!((namesakes_of(&fixture), counted(&fixture)), before, "{when}");
    let prune = newest();
    let first = undo(&prune);
    is_as_before("taken back");
    assert_eq!(undo(&prune), first, "there is nothing to do a second time");
    is_as_before("taken back twice");
    let second = undo(&first);
    assert_eq!(namesakes_of(&fixture), []);
    let third = undo(&second);
    is_as_before("what took the first undo back was taken back");
    assert_eq!(undo(&prune), third, "there is nothing to do: what stands there came from the undo of an undo of an undo");
    is_as_before("taken back a third time");
    undo(&third);
    assert_eq!(namesakes_of(&fixture), []);
    undo(&prune);
    is_as_before("taken back once more, by a new undo");
}

#[test]
fn an_interrupted_undo_is_completed_despite_an_unclear_create() {
    let mut fixture = without_namesakes();
    done(&fixture.run(PRUNE));
    let newest = |fixture: &Fixture| fixture.in_folder("runs").into_iter().max().expect("a run");
    let (prune, flags) = (newest(&fixture), "--yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes");
    done(&fixture.run(&format!("undo {prune} {flags}")));
    // As if the run had been killed after both clients were requested; somebody has edited one of them since.
    let undo = newest(&fixture);
    let journal = format!("runs/{undo}/journal.jsonl");
    let text = fixture.read(&journal);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let asked = lines.iter().rposition(|line| line.contains("\"intent\"") && line.contains("\"clients/Twin")).expect("they are there");
    fixture.write(&journal, &lines[..=asked].concat());
    fixture.change_prod(|held| {
        let twin = |one: &&mut Value| one["description"] == "of depot 1";
        held["/clients"].as_array_mut().expect("a list").iter_mut().find(twin).expect("it is there")["description"] = json!("by hand");
        held["/client-grants"] = json!([]);
    });

    let refused = fixture.run(&format!("undo {prune} {flags}"));
    assert_eq!(refused.code, 64, "{}", refused.whole());
    let (_, hint) = refused.err.split_once("resume it first:  migrate ").expect("a command");
    let resume = hint.lines().next().expect("a line");
    let resumed = fixture.run(&format!("{} --yes --quiet", resume.trim().replace("TIME-prod", &undo)));
    assert!(resumed.code == 3 && resumed.whole().contains("that may be this one"), "{}", resumed.whole());

    let finished = fixture.run(&format!("undo {prune} {flags}"));
    // The number of a duplicate depends on the ids that the target generated.
    let left = ": an earlier undo may have created it again, but several resources in the target match";
    let is_named = |line: &str| line.trim_start().starts_with("client \"Twin") && line.ends_with(left);
    assert!(finished.code == 3 && finished.out.lines().any(is_named), "{}", finished.whole());
    let of = |description: &str, api: &str| (description.to_owned(), api.to_owned(), true);
    assert_eq!((namesakes_of(&fixture), counted(&fixture)), (vec![of("by hand", ""), of("of depot 2", "urn:api:2")], [3, 1, 2]));
}

#[test]
fn a_new_resource_with_the_name_of_a_pruned_one_is_kept_and_reported() {
    let fixture = without_namesakes();
    done(&fixture.run(PRUNE));
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    fixture.write("stranger.json", "{\"name\": \"Clerk\", \"description\": \"of somebody else\"}");
    done(&fixture.run("api post roles --tenant prod --data stranger.json --yes --quiet"));
    let stranger = fixture.prod("/roles");
    let said = fixture.run(&format!("undo {run} --yes --quiet --allow lockout-risk,weaker-protection,many-changes,deletes"));
    assert!(said.code == 3 && said.out.contains("role \"Clerk\": the target now has another resource with this name"), "{}", said.whole());
    assert_eq!(fixture.prod("/roles"), stranger);
    assert_eq!(namesakes_of(&fixture).len(), 2, "the others are back");
}
