//! Protected resources keep all their permissions, and migrate's own client is never changed, by whatever command.

use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client, dev, prod};

const PROTECTED: &str = "protected = [\"clients/Break glass*\"]\n";
const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes";
const PRUNE: &str = "import --tenant prod --prune --allow lockout-risk,weaker-protection,many-changes,deletes --yes";

fn glass(side: &str) -> String {
    format!("{side}Glass000000000000000000000000")
}

/// A tenant with an emergency client, an API that it may use, a connection and an organization.
fn tenant(mut state: Value, side: &str) -> Value {
    let api = format!("5f00000000000000{side:0>8}").replace(|sign: char| !sign.is_ascii_hexdigit(), "a");
    let (connection, organization) = (format!("con_{side}Users00000001"), format!("org_{side}Acme000000001"));
    let data = &mut state["data"];
    data["/clients"].as_array_mut().expect("a list").push(client(&glass(side), "Break glass", "https://glass.acme.example"));
    data["/resource-servers"] = json!([{"id": api, "name": "Payments", "identifier": "https://payments/", "signing_alg": "RS256",
        "scopes": [{"value": "read"}, {"value": "repair"}]}]);
    data["/connections"] = json!([{"id": connection, "name": "users", "strategy": "auth0", "options": {}}]);
    data["/organizations"] = json!([{"id": organization, "name": "acme"}]);
    state
}

/// Gives the emergency client the permissions that only prod grants.
fn entitled(mut state: Value) -> Value {
    let (glass, shop) = (glass("prod"), "prodShop00000000000000000000000a");
    let data = &mut state["data"];
    data["/client-grants"] = json!([{"id": "cgr_prodGlass0000001", "client_id": glass, "audience": "https://payments/",
        "scope": ["read", "repair"], "subject_type": "client"}]);
    data["/connections/con_prodUsers00000001/clients"] = json!([{"client_id": glass}, {"client_id": shop}]);
    data["/clients"][0]["allowed_clients"] = json!([glass]);
    state
}

/// Two tenants whose emergency clients have different permissions.
fn two(source_may: impl FnOnce(&mut Value)) -> Fixture {
    let mut source = tenant(dev(), "dev");
    source_may(&mut source["data"]);
    let fixture = Fixture::new(source, entitled(tenant(prod(), "prod")), "");
    fixture.configure(PROTECTED);
    fixture
}

/// Returns the permissions of the emergency client in prod.
fn rights(fixture: &Fixture) -> Value {
    let clients = fixture.prod("/connections/con_prodUsers00000001/clients");
    let is_enabled = clients.as_array().into_iter().flatten().any(|one| one["client_id"] == glass("prod").as_str());
    json!({"grants": fixture.prod("/client-grants"), "signs in": is_enabled, "allowed": fixture.prod("/clients")[0]["allowed_clients"]})
}

fn done(said: &CommandOutput) {
    assert_eq!(said.code, 0, "{}", said.whole());
}

fn excluded(fixture: &Fixture, line: &str) -> Vec<String> {
    let plan = fixture.run(&format!("{line} --dry-run --output json")).json();
    let told = |left: &Value| [&left["key"], &left["path"], &left["reason"]].map(|part| part.as_str().unwrap_or("").to_owned()).join(" | ");
    plan["excluded"].as_array().expect("a list").iter().map(told).collect()
}

#[test]
fn a_protected_client_keeps_permissions_that_the_source_lacks() {
    let fixture = two(|data| {
        data["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "audience": "https://payments/",
            "scope": ["read"], "subject_type": "client"}]);
        data["/connections/con_devUsers00000001/clients"] = json!([{"client_id": "devTill000000000000000000000000a"}]);
    });
    let before = rights(&fixture);
    insta::assert_snapshot!(excluded(&fixture, IMPORT).join("\n"), @"
    clients/Break glass |  | it is protected in migrate.toml
    client-grants/Break glass · https://payments/ · client |  | it belongs to clients/Break glass, which is excluded
    clients/Shop | allowed_clients[0] | clients/Break glass is excluded
    connection-clients/users | clients[0] | clients/Break glass is excluded
    ");
    done(&fixture.run(IMPORT));
    assert_eq!(rights(&fixture), before);
    let clients = fixture.prod("/connections/con_prodUsers00000001/clients").to_string();
    assert!(!clients.contains("prodShop"), "what is not protected is as the source has it: {clients}");
}

#[test]
fn a_protected_client_gains_no_permission_of_the_source() {
    let mut source = tenant(dev(), "dev");
    let data = &mut source["data"];
    data["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "audience": "https://payments/",
        "scope": ["read"], "subject_type": "client"}]);
    data["/connections/con_devUsers00000001/clients"] = json!([{"client_id": glass("dev")}]);
    data["/clients"][1]["allowed_clients"] = json!([glass("dev")]);
    data["/organizations/org_devAcme000000001/clients"] = json!([{"client_id": glass("dev")}]);
    let fixture = Fixture::new(source, tenant(prod(), "prod"), "");
    fixture.configure(PROTECTED);
    insta::assert_snapshot!(excluded(&fixture, IMPORT).join("\n"), @"
    clients/Break glass |  | it is protected in migrate.toml
    client-grants/Break glass · https://payments/ · client |  | it belongs to clients/Break glass, which is excluded
    clients/Till | allowed_clients[0] | clients/Break glass is excluded
    organization-clients/acme | clients[0] | clients/Break glass is excluded
    connection-clients/users | clients[0] | clients/Break glass is excluded
    ");
    done(&fixture.run(IMPORT));
    let names_it: Vec<String> = fixture.requests().iter().filter(|seen| seen.is_write).map(|seen| format!("{seen:?}")).collect();
    assert!(!names_it.iter().any(|request| request.contains(&glass("prod"))), "{names_it:?}");
    assert_eq!(fixture.prod("/client-grants").as_array().map_or(0, Vec::len), 0);
}

#[test]
fn a_second_import_has_nothing_to_do_and_still_follows_the_source_elsewhere() {
    let till = "devTill000000000000000000000000a";
    let fixture = two(|data| data["/connections/con_devUsers00000001/clients"] = json!([{"client_id": till}]));
    let before = rights(&fixture);
    done(&fixture.run(IMPORT));
    let again = fixture.run(&format!("{IMPORT} --dry-run --output json")).json();
    assert_eq!(again["changes"], json!([]), "{again}");
    fixture.write("none.json", &json!([{"client_id": till, "status": false}]).to_string());
    done(&fixture.run("api patch connections/con_devUsers00000001/clients --data none.json --tenant dev --yes"));
    done(&fixture.run(IMPORT));
    assert_eq!(rights(&fixture), before);
    assert_eq!(fixture.prod("/connections/con_prodUsers00000001/clients"), json!([{"client_id": glass("prod")}]));
}

#[test]
fn resources_that_a_protected_client_needs_are_not_pruned() {
    // If the source has no resources of a kind, none of that kind is pruned.
    let fixture = two(|data| {
        data["/resource-servers"].as_array_mut().expect("a list").push(json!({"id": "5f00000000000000000000ff", "name": "Orders",
            "identifier": "https://orders/", "signing_alg": "RS256", "scopes": []}));
        data["/connections"].as_array_mut().expect("a list").push(json!({"id": "con_devStaff00000001", "name": "staff",
            "strategy": "auth0", "options": {}}));
    });
    done(&fixture.run(IMPORT));
    let before = rights(&fixture);
    for (path, name) in [("resource-servers", "Payments"), ("connections", "users")] {
        let held = fixture.run(&format!("api get {path} --tenant dev")).json();
        let list = held.as_array().expect("a list");
        let id = list.iter().find(|one| one["name"] == name).and_then(|one| one["id"].as_str()).expect("an id");
        done(&fixture.run(&format!("api delete {path}/{id} --tenant dev --yes")));
    }
    let told = excluded(&fixture, PRUNE);
    insta::assert_snapshot!(told.join("\n"), @"
    resource-servers/https://payments/ |  | it is gone from dev, but deleting it would affect clients/Break glass, which is excluded
    connections/users |  | it is gone from dev, but deleting it would affect clients/Break glass, which is excluded
    clients/Break glass |  | it is protected in migrate.toml
    clients/Shop | allowed_clients[0] | clients/Break glass is excluded
    ");
    done(&fixture.run(PRUNE));
    assert_eq!(rights(&fixture), before);
}

#[test]
fn an_undo_keeps_what_a_protected_resource_needs_by_now() {
    let mut source = tenant(dev(), "dev");
    source["data"]["/connections"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "con_devStaff00000001", "name": "staff", "strategy": "auth0", "options": {}}));
    let mut fixture = Fixture::new(source, tenant(prod(), "prod"), "");
    done(&fixture.run(IMPORT));
    let run = fixture.only_in("runs").trim_start_matches("runs/").to_owned();
    let staff = |held: &Value| {
        held["/connections"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|one| one["name"] == "staff")
            .map(|one| one["id"].as_str().expect("an id").to_owned())
    };
    fixture.change_prod(|held| {
        let list = format!("/connections/{}/clients", staff(held).expect("made"));
        held[list] = json!([{"client_id": glass("prod")}]);
    });
    fixture.configure(PROTECTED);
    let said = fixture.run(&format!("undo {run} --allow deletes,lockout-risk,weaker-protection,many-changes --yes"));
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(staff(&fixture.all_of_prod()).is_some(), "{}", said.whole());
}

#[test]
fn an_earlier_plan_does_not_change_what_was_protected_since() {
    let fixture = two(|data| {
        data["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "audience": "https://payments/",
            "scope": ["read"], "subject_type": "client"}]);
    });
    fixture.configure("");
    let before = rights(&fixture);
    fixture.run("plan --tenant prod --out plan.json");
    fixture.configure(PROTECTED);
    let said = fixture.run(&format!("{IMPORT} --plan plan.json"));
    assert_eq!(said.code, 3, "{}", said.whole());
    assert_eq!(rights(&fixture), before);
}

#[test]
fn an_earlier_plan_does_not_create_what_was_protected_since() {
    let fixture = Fixture::small();
    fixture.run("plan --tenant prod --out plan.json");
    fixture.configure("protected = [\"clients/Till\"]\n");
    let said = fixture.run(&format!("{IMPORT} --plan plan.json"));
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(!fixture.prod("/clients").to_string().contains("Till"), "{}", said.whole());
}

#[test]
fn a_resumed_run_does_not_change_what_was_protected_since() {
    let mut source = tenant(dev(), "dev");
    source["data"]["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "audience": "https://payments/",
        "scope": ["read"], "subject_type": "client"}]);
    let mut fixture = Fixture::new(source, entitled(tenant(prod(), "prod")), "");
    let (before, held) = (rights(&fixture), fixture.all_of_prod());
    done(&fixture.run(IMPORT));
    // As if it had ended before its first request.
    let journal = format!("{}/journal.jsonl", fixture.only_in("runs"));
    let begun = fixture.read(&journal).lines().next().map(|line| format!("{line}\n")).expect("a line");
    fixture.write(&journal, &begun);
    fixture.change_prod(|now| *now = held);
    fixture.configure(PROTECTED);
    let said = fixture.run("import --tenant prod --resume --yes");
    assert_eq!(said.code, 3, "{}", said.whole());
    assert_eq!(rights(&fixture), before);
}

#[test]
fn a_resource_protected_by_its_source_name_is_not_created() {
    let mut source = dev();
    source["data"]["/clients"].as_array_mut().expect("a list").push(client(&glass("dev"), "Break glass", "https://glass.acme.example"));
    let fixture = Fixture::new(source, prod(), "");
    fixture.configure(PROTECTED);
    done(&fixture.run(IMPORT));
    assert!(!fixture.prod("/clients").to_string().contains("Break glass"));
}

#[test]
fn a_client_protected_by_its_target_name_is_protected_whatever_its_source_name() {
    let fixture = two(|data| {
        data["/clients"][2]["name"] = json!("Emergency");
        data["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "audience": "https://payments/",
            "scope": ["read"], "subject_type": "client"}]);
    });
    fixture.configure("");
    done(&fixture.run(&format!("link clients {} {} --tenant prod", glass("dev"), glass("prod"))));
    fixture.configure(PROTECTED);
    let before = (rights(&fixture), fixture.prod("/clients")[1].clone());
    done(&fixture.run(IMPORT));
    assert_eq!((rights(&fixture), fixture.prod("/clients")[1].clone()), before);
}

#[test]
fn a_pattern_that_protects_nothing_is_reported() {
    let fixture = Fixture::small();
    fixture.configure("protected = [\"clients/Brake glass*\", \"clients/Shop\"]\n");
    let notes = fixture.run("import --tenant prod --dry-run --output json").json()["notes"].clone();
    assert_eq!(notes, json!(["the `protected` pattern \"clients/Brake glass*\" matches nothing in dev or prod"]));
}

/// Two tenants that list the client that migrate signs in with, which has access to the Management API.
fn with_own_client(of_dev: &str) -> Fixture {
    let state = |mut state: Value, side: &str, own: &str| {
        let domain = state["domain"].as_str().expect("a domain").to_owned();
        let data = &mut state["data"];
        data["/clients"].as_array_mut().expect("a list").push(client(own, &format!("migrate of {side}"), "https://tool.acme.example"));
        data["/client-grants"] = json!([{"id": format!("cgr_{side}Tool00000001"), "client_id": own, "subject_type": "client",
            "audience": format!("https://{domain}/api/v2/"), "scope": ["read:clients", "read:client_keys"]}]);
        data["/resource-servers"] = json!([{"id": format!("5f000000000000000000{}", if side == "dev" { "00aa" } else { "00bb" }),
            "identifier": format!("https://{domain}/api/v2/"), "name": "Auth0 Management API", "is_system": true}]);
        state
    };
    Fixture::new(state(dev(), "dev", of_dev), state(prod(), "prod", "tool"), "")
}

fn knows_devs_own_client(fixture: &Fixture) -> bool {
    fixture.prod("/clients").to_string().contains("migrate of dev")
}

#[test]
fn the_client_that_an_export_signed_in_with_is_not_created_from_its_snapshot() {
    let fixture = with_own_client("tool");
    done(&fixture.run("export --tenant dev --out ./given"));
    done(&fixture.run("import --tenant prod --from ./given --allow lockout-risk,weaker-protection --yes"));
    assert!(!knows_devs_own_client(&fixture));
    assert_eq!(fixture.prod("/client-grants").as_array().map_or(0, Vec::len), 1);
}

#[test]
fn the_client_of_a_given_token_is_not_created_from_its_snapshot() {
    let mut fixture = with_own_client("sandbox");
    fixture.sign_in_to_dev_with(&["read:clients", "read:client_grants", "read:resource_servers"]);
    fixture.run("export --tenant dev --out ./given --kinds clients,client-grants,resource-servers");
    // As if it were imported without credentials of dev.
    fixture.set("MIGRATE_DEV_ACCESS_TOKEN", "");
    let said = fixture.run("import --tenant prod --from ./given --allow lockout-risk,weaker-protection --yes");
    assert!([0, 3].contains(&said.code) && !knows_devs_own_client(&fixture), "{}", said.whole());
}

#[test]
fn a_partial_snapshot_leaves_the_grants_of_migrates_own_client_unchanged() {
    let fixture = with_own_client("tool");
    done(&fixture.run("export --tenant dev --out ./given --kinds client-grants"));
    let grants: Value = serde_json::from_str(&fixture.read("given/client-grants.json")).expect("JSON");
    assert_eq!(grants[0]["reserved"], "own", "{grants}");
}

#[test]
fn a_snapshot_without_its_own_client_lists_the_candidates() {
    let mut source = tenant(dev(), "dev");
    source["data"]["/client-grants"] = json!([{"id": "cgr_devGlass00000001", "client_id": glass("dev"), "subject_type": "client",
        "audience": "https://acme-dev.eu.auth0.com/api/v2/", "scope": ["read:users"]}]);
    let fixture = Fixture::new(source, prod(), "");
    done(&fixture.run("export --tenant dev --out ./given"));
    let notes = fixture.run("import --tenant prod --from ./given --dry-run --output json").json()["notes"].to_string();
    assert!(notes.contains("access to the Management API, skip it in the mapping: clients/Break glass"), "{notes}");
}

/// Requests a change of prod, and returns whether it was refused without a write.
fn is_refused(fixture: &Fixture, line: &str, fields: &Value, reason: &str) -> bool {
    fixture.write("fields.json", &fields.to_string());
    let writes = fixture.writes().len();
    let said = fixture.run(&format!("update {line} fields.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet"));
    let refused = format!("{reason} is protected, and this would change something that belongs or refers to it");
    let is_refused = said.code == 4 && said.err.contains(&refused) && fixture.writes().len() == writes;
    assert!(is_refused || said.code == 0, "{line}: {}", said.whole());
    is_refused
}

#[test]
fn a_single_update_affects_neither_belongings_of_a_protected_resource_nor_references_to_it() {
    let mut source = tenant(dev(), "dev");
    source["data"]["/clients"].as_array_mut().expect("a list").truncate(1);
    let mut target = entitled(tenant(prod(), "prod"));
    let data = &mut target["data"];
    let (shop, glass) = ("prodShop00000000000000000000000a", glass("prod"));
    data["/client-grants"].as_array_mut().expect("a list").push(json!({"id": "cgr_prodShop00000001", "client_id": shop,
        "audience": "https://payments/", "scope": ["read"], "subject_type": "client"}));
    data["/roles"] = json!([{"id": "rol_prodClerk0000001", "name": "Clerk", "description": "at the desk"}]);
    data["/organizations/org_prodAcme000000001/connections"] =
        json!([{"connection_id": "con_prodUsers00000001", "assign_membership_on_login": true, "show_as_button": false}]);
    let fixture = Fixture::new(source, target, "");
    let is_refused = |line: &str, fields: Value, reason: &str| is_refused(&fixture, line, &fields, reason);

    fixture.configure(PROTECTED);
    assert!(is_refused("client-grants cgr_prodGlass0000001", json!({"scope": ["read"]}), "clients/Break glass"));
    assert!(is_refused("connection-clients users", json!({"clients": [{"client_id": shop}]}), "clients/Break glass"));
    assert!(is_refused("clients Shop", json!({"allowed_clients": []}), "clients/Break glass"));
    assert!(!is_refused("clients Shop", json!({"description": "sells"}), ""));
    assert!(!is_refused("connection-clients users", json!({"clients": [{"client_id": glass}]}), ""));
    assert!(!is_refused("client-grants cgr_prodShop00000001", json!({"scope": []}), ""));

    fixture.configure("protected = [\"roles/*\", \"organizations/acme\", \"resource-servers/https://payments/\"]\n");
    let permissions = json!({"permissions": [{"resource_server_identifier": "https://payments/", "permission_name": "read"}]});
    assert!(is_refused("role-permissions Clerk", permissions, "roles/Clerk"));
    assert!(is_refused("client-grants cgr_prodShop00000001", json!({"scope": ["read"]}), "resource-servers/https://payments/"));
    assert!(is_refused(
        "organization-connections org_prodAcme000000001/con_prodUsers00000001",
        json!({"show_as_button": true}),
        "organizations/acme"
    ));
}

#[test]
fn a_single_update_does_not_affect_the_grants_of_migrates_own_client() {
    let fixture = with_own_client("tool");
    assert!(is_refused(&fixture, "client-grants cgr_prodTool00000001", &json!({"scope": ["read:clients"]}), "clients/migrate of prod"));
}

#[test]
fn a_single_update_is_refused_if_the_token_cannot_read_what_is_protected() {
    let mut fixture = Fixture::new(dev(), entitled(tenant(prod(), "prod")), "");
    fixture.configure(PROTECTED);
    fixture.sign_in_to_prod_with(&["read:client_grants", "update:client_grants", "read:resource_servers"]);
    fixture.write("fields.json", "{\"scope\": [\"read\"]}");
    let said = fixture
        .run("update client-grants cgr_prodGlass0000001 fields.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert!(said.code == 4 && said.err.contains("cannot check whether this affects protected clients"), "{}", said.whole());
    assert!(fixture.writes().is_empty());
}
