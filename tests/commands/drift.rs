//! Links and baseline, and what counts as drift of the target.

use auth0_migrate::catalog::Catalog;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";

fn imported(fixture: &Fixture) {
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Returns the reported drift: each field, and each deleted resource.
fn moved(fixture: &Fixture) -> Vec<String> {
    let said = fixture.run("drift --tenant prod --output json --quiet").json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let fields = said["drift"].as_array().expect("a list").iter().map(|one| format!("{}: {}", text(&one["key"]), text(&one["path"])));
    fields.chain(said["gone"].as_array().expect("a list").iter().map(|key| format!("{} is gone", text(key)))).collect()
}

/// Renames a client of dev.
fn rename_in_dev(fixture: &Fixture, from: &str, to: &str) {
    fixture.write("named.json", &json!({"name": to}).to_string());
    let said = fixture.run_words(&["update", "clients", from, "named.json", "--tenant", "dev", "--yes", "--quiet"]);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Returns the client of prod with this id.
fn client_of<'held>(held: &'held mut Value, id: &str) -> &'held mut Value {
    let clients = held["/clients"].as_array_mut().expect("clients");
    clients.iter_mut().find(|client| client["client_id"] == id).expect("this client")
}

const SHOP: &str = "prodShop00000000000000000000000a";

#[test]
fn resources_included_once_are_compared_too() {
    let mut ours = dev();
    let partner = client("devPartner000000000000000000000a", "Partner", "https://partner.example/back");
    ours["data"]["/clients"].as_array_mut().expect("clients").push(partner);
    ours["data"]["/clients"][2]["is_first_party"] = json!(false);
    let mut fixture = Fixture::new(ours, prod(), "");
    let said = fixture.run(&format!("{IMPORT} --include third-party"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(moved(&fixture), [""; 0]);
    fixture.change_prod(|held| {
        let clients = held["/clients"].as_array_mut().expect("clients");
        let partner = clients.iter_mut().find(|client| client["name"] == "Partner").expect("it was made");
        partner["callbacks"] = json!(["https://by.hand"]);
    });
    assert_eq!(moved(&fixture), ["clients/Partner: callbacks"]);
}

#[test]
fn kinds_that_a_token_may_not_read_are_reported_as_not_compared() {
    let mut fixture = Fixture::small();
    imported(&fixture);
    let reads = Catalog::standard().kinds().flat_map(|kind| kind.scopes.read).copied().filter(|scope| !scope.ends_with(":clients"));
    fixture.sign_in_to_prod_with(&reads.collect::<Vec<_>>());
    insta::assert_snapshot!(fixture.run("drift --tenant prod --check --quiet").whole(), @r#"
    exit 3
    Not compared
      clients: not read from prod: the token lacks the scope read:clients
    "#);
}

#[test]
fn a_client_renamed_in_the_source_is_recorded_once() {
    let mut fixture = Fixture::small();
    imported(&fixture);
    rename_in_dev(&fixture, "Shop", "Store");
    imported(&fixture);
    let base: Value = serde_json::from_str(&fixture.read("state/dev/prod/baseline.json")).expect("JSON");
    let names: Vec<&String> =
        base["resources"].as_object().expect("keys").iter().filter(|(_, one)| one["id"] == SHOP).map(|(key, _)| key).collect();
    assert_eq!(names, ["clients/Store"]);
    fixture.change_prod(|held| client_of(held, SHOP)["callbacks"] = json!(["https://by.hand"]));
    assert_eq!(moved(&fixture), ["clients/Store: callbacks"]);
}

#[test]
fn a_kept_field_does_not_drift_and_is_desired_once_it_is_no_longer_kept() {
    let (mut ours, mut theirs) = (dev(), prod());
    ours["data"]["/clients"][0]["description"] = json!("the source's");
    theirs["data"]["/clients"][0]["description"] = json!("the target's");
    let mut fixture = Fixture::new(ours, theirs, "");
    fixture.write("keep.toml", "[[rule]]\nmatch = \"clients/Shop\"\nfield = \"description\"\nkeep = true\n");
    fixture.configure("mapping = \"keep.toml\"\n");
    imported(&fixture);
    assert_eq!(moved(&fixture), [""; 0]);
    fixture.change_prod(|held| client_of(held, SHOP)["description"] = json!("the target's, changed"));
    assert_eq!(moved(&fixture), [""; 0]);
    imported(&fixture);
    fixture.configure("");
    imported(&fixture);
    fixture.change_prod(|held| assert_eq!(client_of(held, SHOP)["description"], "the source's"));
}

#[test]
fn a_list_kept_by_its_elements_stays_unchanged() {
    let mut fixture = Fixture::small();
    fixture.write("keep.toml", "[[rule]]\nmatch = \"clients/Shop\"\nfield = \"callbacks[]\"\nkeep = true\n");
    fixture.configure("mapping = \"keep.toml\"\n");
    imported(&fixture);
    fixture.change_prod(|held| assert_eq!(client_of(held, SHOP)["callbacks"], json!(["https://shop.acme.example/old"])));
}

/// Both tenants with one connection, which in prod is enabled for Shop and for a client that only prod has.
fn with_a_connection() -> Fixture {
    let (mut ours, mut theirs) = (dev(), prod());
    let connection = |id: &str| json!([{"id": id, "name": "users", "strategy": "auth0"}]);
    ours["data"]["/connections"] = connection("con_dev0000000000001");
    ours["data"]["/connections/con_dev0000000000001/clients"] = json!([{"client_id": "devShop000000000000000000000000a"}]);
    theirs["data"]["/connections"] = connection("con_prod000000000001");
    let own = client("prodOwn000000000000000000000000a", "Own", "https://own.acme.example/back");
    theirs["data"]["/clients"].as_array_mut().expect("clients").push(own);
    theirs["data"]["/connections/con_prod000000000001/clients"] =
        json!([{"client_id": SHOP}, {"client_id": "prodOwn000000000000000000000000a"}]);
    Fixture::new(ours, theirs, "")
}

#[test]
fn list_elements_of_the_targets_own_are_no_drift_but_ones_added_by_hand_are() {
    let mut fixture = with_a_connection();
    imported(&fixture);
    assert_eq!(moved(&fixture), [""; 0]);
    fixture.change_prod(|held| {
        let till = held["/clients"].as_array().expect("clients").iter().find(|client| client["name"] == "Till").expect("Till")["client_id"]
            .clone();
        held["/connections/con_prod000000000001/clients"].as_array_mut().expect("a list").push(json!({"client_id": till}));
    });
    assert_eq!(moved(&fixture), ["connection-clients/users: clients"]);
}

#[test]
fn a_reference_to_a_renamed_resource_is_no_drift_but_its_new_name_is() {
    let mut fixture = with_a_connection();
    imported(&fixture);
    fixture.change_prod(|held| client_of(held, SHOP)["name"] = json!("Shop of Europe"));
    assert_eq!(moved(&fixture), ["clients/Shop: name"]);
}

#[test]
fn resources_deleted_from_the_target_are_reported() {
    let mut fixture = Fixture::small();
    imported(&fixture);
    fixture.change_prod(|held| held["/clients"].as_array_mut().expect("clients").retain(|client| client["name"] != "Till"));
    assert_eq!(moved(&fixture), ["clients/Till is gone"]);
}

#[test]
fn a_saved_plan_links_what_it_updates() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("plan --tenant prod --out plan.json --quiet").code, 0);
    let said = fixture.run("import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection,many-changes --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    rename_in_dev(&fixture, "Shop", "Store");
    imported(&fixture);
    let names: Vec<Value> = fixture.prod("/clients").as_array().expect("clients").iter().map(|client| client["name"].clone()).collect();
    assert_eq!(names, ["Store", "Till"]);
}

#[test]
fn an_interrupted_and_resumed_update_leaves_no_links_and_no_baseline() {
    let mut fixture = Fixture::new(dev(), prod(), "cut-before@w1x*");
    fixture.write("said.json", r#"{"description": "by hand"}"#);
    let cut = fixture.run("update clients Shop said.json --tenant prod --yes --quiet");
    assert_ne!(cut.code, 0, "{}", cut.whole());
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let resumed = fixture.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    fixture.change_prod(|held| assert_eq!(client_of(held, SHOP)["description"], "by hand"));
    assert_eq!(fixture.in_folder("state"), [""; 0]);
}

#[test]
fn without_a_baseline_nothing_is_overwritten_unless_approved() {
    let mut fixture = Fixture::small();
    assert_eq!(fixture.run(IMPORT).code, 0, "nothing was written yet, so nothing is missing");
    fixture.change_prod(|held| client_of(held, SHOP)["description"] = json!("hot fix"));
    std::fs::remove_file(fixture.path("state/dev/prod/baseline.json")).expect("removed");
    let writes = fixture.writes().len();
    let said = fixture.run("sync --from dev --to prod");
    insta::assert_snapshot!(said.refused(), @r#"
    exit 4
    error: the plan was refused
    cause: no-baseline: resources are linked, but state/dev/prod/baseline.json is missing: changes made directly in "prod" would be overwritten; restore the file of the last run
    hint:  if this is intended, run it once yourself:  migrate import --tenant prod --from dev --allow no-baseline
    state: nothing was written
    "#);
    assert_eq!(fixture.writes().len(), writes);
    let linked = fixture.run("link clients devShop000000000000000000000000a prodShop00000000000000000000000a --tenant prod --quiet");
    assert_eq!((linked.code, fixture.run("sync --from dev --to prod").code), (0, 4), "a link is no base: {}", linked.whole());
    assert_eq!(fixture.run("import --tenant prod --allow no-baseline --yes --quiet").code, 0);
    fixture.change_prod(|held| assert_eq!(client_of(held, SHOP)["description"], ""));
}

#[test]
fn fields_of_a_linked_client_are_kept_by_every_later_import() {
    let mut target = prod();
    let own = json!({"grant_types": ["implicit"], "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring"}, "oidc_conformant": true});
    let shop = client_of(&mut target["data"], SHOP).as_object_mut().expect("a client");
    shop.extend(own.as_object().expect("fields").clone());
    let fixture = Fixture::new(dev(), target, "");
    assert_eq!(fixture.run(IMPORT).code, 0);
    for _ in 0..2 {
        let again = fixture.run(IMPORT);
        assert!(again.code == 0 && again.out.contains("Nothing to do."), "{}", again.whole());
    }
    assert_eq!(fixture.prod("/clients")[0]["grant_types"], own["grant_types"]);
}

#[test]
fn links_added_by_hand_before_the_first_import_need_no_baseline() {
    let fixture = Fixture::small();
    let linked = fixture.run("link clients devShop000000000000000000000000a prodShop00000000000000000000000a --tenant prod --quiet");
    assert_eq!(linked.code, 0, "{}", linked.whole());
    assert_eq!(fixture.run(IMPORT).code, 0);
}

#[test]
fn what_an_undo_deleted_is_no_drift() {
    let fixture = Fixture::acme("");
    imported(&fixture);
    let before = moved(&fixture);
    let run = fixture.in_folder("runs").pop().expect("a run");
    // The role is deleted, and its permissions with it.
    let said =
        fixture.run(&format!("undo {run} --only roles/Driver --allow deletes,lockout-risk,weaker-protection,many-changes --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(moved(&fixture), before);
}
