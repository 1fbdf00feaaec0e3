//! `migrate ids`: what application teams need after a first import.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";
/// A name that would be a formula, a shell command and a second line.
const HOSTILE: &str = "=cmd|' /C calc'!A0\n$(rm -rf ~)\u{1b}[2J";

fn imported() -> Fixture {
    let mut dev = dev();
    let clients = dev["data"]["/clients"].as_array_mut().expect("a list");
    clients.push(client("devEvil000000000000000000000000a", HOSTILE, "https://evil.acme.example/back"));
    let fixture = Fixture::new(dev, crate::support::fixture::prod(), "");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 0, "{}", said.whole());
    fixture
}

/// Returns the ids of prod by name.
fn held(fixture: &Fixture) -> Vec<(String, String)> {
    let clients = fixture.prod("/clients");
    let pair =
        |client: &Value| (client["name"].as_str().expect("a name").to_owned(), client["client_id"].as_str().expect("an id").to_owned());
    clients.as_array().expect("a list").iter().map(pair).collect()
}

#[test]
fn the_ids_of_created_and_of_linked_clients_are_printed_in_each_format() {
    let fixture = imported();
    let mut shown = String::new();
    for format in ["text", "csv", "env"] {
        let said = fixture.run(&format!("ids --tenant prod --kinds clients --output {format}"));
        assert_eq!(said.code, 0, "{}", said.whole());
        shown += &said.out;
    }
    for (name, id) in held(&fixture) {
        assert_eq!(shown.matches(&id).count(), 3, "{name}: {shown}");
        shown = shown.replace(&id, &format!("ID-{}", name.chars().filter(char::is_ascii_alphabetic).take(4).collect::<String>()));
    }
    assert_snapshot!(shown, @r#"
    kind     name                                      id
    clients  =cmd|' /C calc'!A0\n$(rm -rf ~)\u{1b}[2J  ID-cmdC
    clients  Shop                                      ID-Shop
    clients  Till                                      ID-Till
    kind,name,id
    clients,'=cmd|' /C calc'!A0\n$(rm -rf ~)\u{1b}[2J,ID-cmdC
    clients,Shop,ID-Shop
    clients,Till,ID-Till
    # client "=cmd|' /C calc'!A0\n$(rm -rf ~)\u{1b}[2J"
    CLIENT_CMD_C_CALC_A0_RM_RF_2J_ID=ID-cmdC
    # client "Shop"
    CLIENT_SHOP_ID=ID-Shop
    # client "Till"
    CLIENT_TILL_ID=ID-Till
    "#);
    assert!(!shown.contains("CANARY"));
}

#[test]
fn the_ids_of_one_run_are_those_that_it_created_or_linked() {
    let fixture = imported();
    let first = fixture.in_folder("runs").remove(0);
    let of_run = fixture.run(&format!("ids --run {first} --output json")).json();
    let of_pair = fixture.run("ids --tenant prod --output json").json();
    assert_eq!(of_run["ids"], of_pair["ids"]);
    let report: Value = serde_json::from_str(&fixture.read(&format!("runs/{first}/report.json"))).expect("JSON");
    assert_eq!(report["ids"], of_run["ids"]);
    assert!(fixture.read(&format!("runs/{first}/report.md")).contains("Ids in prod of what was created or linked"));
    let clients: Vec<&Value> = of_run["ids"].as_array().expect("a list").iter().filter(|one| one["kind"] == "clients").collect();
    assert_eq!(clients.len(), held(&fixture).len());
    let only = fixture.run("ids --tenant prod --only clients/Till --output json").json();
    let till = held(&fixture).into_iter().find(|(name, _)| name == "Till").expect("Till");
    assert_eq!(only["ids"], json!([{"kind": "clients", "name": "Till", "id": till.1}]));
}

#[test]
fn before_a_first_import_there_are_no_ids() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("ids --tenant prod --kinds clients").whole(), @r"
    exit 0
    Nothing that matches clients is linked between dev and prod yet: `migrate import --tenant prod` links what it creates or finds.
    ");
    assert_eq!(fixture.run("ids --tenant prod --output csv").out, "kind,name,id\n");
    assert_snapshot!(fixture.run("kinds --output env").refused(), @r"
    exit 64
    error: only `migrate ids` prints variables
    hint:  here --output takes text, json or markdown
    ");
}
