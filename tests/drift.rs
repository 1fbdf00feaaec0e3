//! What is remembered between runs.

use serde_json::{Value, json};

use crate::stage::{Stage, dev, prod};

const IMPORT: &str = "import --tenant prod --allow critical,many-changes --yes --quiet";

fn imported(stage: &Stage) {
    let said = stage.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Renames a client of dev.
fn rename_in_dev(stage: &Stage, from: &str, to: &str) {
    stage.write("named.json", &json!({"name": to}).to_string());
    let said = stage.run_words(&["update", "clients", from, "named.json", "--tenant", "dev", "--yes", "--quiet"]);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Returns the client of prod that has this id.
fn client_of<'held>(held: &'held mut Value, id: &str) -> &'held mut Value {
    let clients = held["/clients"].as_array_mut().expect("clients");
    clients.iter_mut().find(|client| client["client_id"] == id).expect("this client")
}

const SHOP: &str = "prodShop00000000000000000000000a";

#[test]
fn a_saved_plan_links_what_it_updates() {
    let stage = Stage::small();
    assert_eq!(stage.run("plan --tenant prod --out plan.json --quiet").code, 0);
    let said = stage.run("import --tenant prod --plan plan.json --allow critical,many-changes --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    rename_in_dev(&stage, "Shop", "Store");
    imported(&stage);
    let names: Vec<Value> = stage.prod("/clients").as_array().expect("clients").iter().map(|client| client["name"].clone()).collect();
    assert_eq!(names, ["Store", "Till"]);
}

#[test]
fn a_change_by_hand_that_was_cut_off_and_resumed_leaves_no_links_and_no_base() {
    let mut stage = Stage::of(dev(), prod(), "cut-before@w1x*");
    stage.write("said.json", r#"{"description": "by hand"}"#);
    let cut = stage.run("update clients Shop said.json --tenant prod --yes --quiet");
    assert_ne!(cut.code, 0, "{}", cut.whole());
    let held = stage.prod_goes();
    stage.prod_returns(held);
    let resumed = stage.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    stage.change_prod(|held| assert_eq!(client_of(held, SHOP)["description"], "by hand"));
    assert_eq!((stage.in_folder("links"), stage.in_folder("base")), (Vec::new(), Vec::new()));
}
