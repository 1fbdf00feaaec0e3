//! Whose a resource is: what somebody else made in prod is never taken for ours, whatever it is called. Through the real binary.

use serde_json::{Value, json};

use crate::stage::{Stage, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow critical,many-changes --yes --quiet";

/// A client that a third party registered.
fn registered(id: &str, name: &str) -> Value {
    let mut client = client(id, name, "https://elsewhere.example/back");
    client["is_first_party"] = json!(false);
    client
}

/// Returns two tenants, of which the second holds these clients besides its own, before or behind them.
fn with_clients_of_others(others: &[Value], is_before: bool) -> Stage {
    let mut target = prod();
    let clients = target["data"]["/clients"].as_array_mut().expect("a list");
    let at = if is_before { 0 } else { clients.len() };
    clients.splice(at..at, others.iter().cloned());
    Stage::of(dev(), target, "")
}

fn clients_of(stage: &Stage) -> Vec<Value> {
    stage.prod("/clients").as_array().expect("a list").clone()
}

#[test]
fn a_client_of_a_third_party_is_never_taken_for_ours_in_whatever_order_they_are_listed() {
    let others = [registered("prodOtherShop0000000000000000000", "Shop"), registered("prodOtherTill0000000000000000000", "Till")];
    for is_before in [true, false] {
        let stage = with_clients_of_others(&others, is_before);
        let said = stage.run(IMPORT);
        assert_eq!(said.code, 0, "{}", said.whole());
        let held = clients_of(&stage);
        let named = |name: &str| held.iter().filter(|one| one["name"] == name && one["is_first_party"] == true).collect::<Vec<_>>();
        assert_eq!((named("Shop").len(), named("Till").len()), (1, 1));
        assert_eq!(named("Shop")[0]["callbacks"], json!(["https://shop.acme.example/back"]));
        assert!(others.iter().all(|other| held.contains(other)), "they are untouched");
        let again = stage.run(IMPORT);
        assert!(again.code == 0 && again.out.contains("Nothing to do."), "{}", again.whole());
    }
}

#[test]
fn a_saved_plan_creates_ours_beside_that_of_a_third_party() {
    let stage = with_clients_of_others(&[registered("prodOtherTill0000000000000000000", "Till")], true);
    let planned = stage.run("plan --tenant prod --out plan.json --quiet");
    assert_eq!(planned.code, 0, "{}", planned.whole());
    let said = stage.run("import --tenant prod --plan plan.json --allow critical --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(clients_of(&stage).iter().filter(|one| one["name"] == "Till").count(), 2);
}

#[test]
fn a_snapshot_on_disk_still_says_whose_a_client_is() {
    let mut source = dev();
    source["data"]["/clients"].as_array_mut().expect("a list").push(registered("devOtherPortal000000000000000000", "Portal"));
    let mut target = prod();
    let own = client("prodPortal0000000000000000000000", "Portal", "https://portal.acme.example/back");
    target["data"]["/clients"].as_array_mut().expect("a list").push(own.clone());
    let stage = Stage::of(source, target, "");
    let said = stage.run("export --tenant dev --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    let snapshot = stage.only_in("snapshots/dev");
    let said = stage.run(&format!("import --tenant prod --from {snapshot} --allow critical,many-changes --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(clients_of(&stage).contains(&own), "ours in prod is nobody's partner");
    assert!(!stage.read("state/dev/prod/links.csv").contains("Portal"));
}

#[test]
fn a_name_that_looks_numbered_is_created_as_it_is() {
    let mut source = dev();
    source["data"]["/clients"] = json!([
        client("devWeb0000000000000000000000000a", "Web", "https://a.example"),
        client("devWeb0000000000000000000000000b", "Web#2", "https://b.example"),
    ]);
    let mut target = prod();
    target["data"]["/clients"] = json!([
        client("prodWeb000000000000000000000000a", "Web", "https://c.example"),
        client("prodWeb000000000000000000000000b", "Web", "https://d.example"),
    ]);
    let before = target["data"]["/clients"].clone();
    let stage = Stage::of(source, target, "");
    let said = stage.run(IMPORT);
    assert_eq!(said.code, 3, "\"Web\" stands for one here and two there: {}", said.whole());
    let held = clients_of(&stage);
    assert_eq!(held[..2], before.as_array().expect("a list")[..]);
    assert_eq!(held.iter().map(|one| one["name"].clone()).collect::<Vec<_>>(), ["Web", "Web", "Web#2"]);
}

/// Three of a kind that share a name and differ in one field; `at` is where they stand.
fn three_of(at: &str, name: &str, field: &str) -> Value {
    let one = |number: usize| -> Value {
        let id = format!("{name}{number}");
        match at {
            "/clients" => {
                let mut one = client(&format!("devTwin000000000000000000000000{number}"), "Twin", "https://twin.acme.example/back");
                one[field] = json!(id);
                one
            }
            "/flows" => {
                json!({"id": format!("af_devTwin000000000000{number}"), "name": "Twin", "actions": [{"id": id, "type": "FLOW", "action": "RETURN_JSON", "params": {"payload": {}}}]})
            }
            "/forms" => {
                json!({"id": format!("ap_devTwin000000000000{number}"), "name": "Twin", "languages": {"primary": (["en", "de", "fr"][number - 1])}})
            }
            _ => json!({"id": format!("lst_000000000000000{number}"), "name": "Twin", "type": "http", "status": "active",
                        "sink": {"httpEndpoint": format!("https://{id}.example"), "httpContentType": "application/json"}}),
        }
    };
    json!([one(1), one(2), one(3)])
}

#[test]
fn a_lost_create_is_never_taken_for_a_namesake_that_the_run_made() {
    for (at, field) in [("/clients", "description"), ("/flows", "actions"), ("/forms", "languages"), ("/log-streams", "sink")] {
        let told = |list: &Value| -> Vec<String> {
            let mut told: Vec<String> = list.as_array().expect("a list").iter().map(|one| one[field].to_string()).collect();
            told.sort();
            told
        };
        let three = three_of(at, "twin", field);
        let source = json!({"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com", "data": {at: three}});
        let target = json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}});
        for faults in ["500-before@w1x2", "500-after@w1", "cut-after@w2", "cut-before@w1x2,500-after@w3"] {
            let stage = Stage::of(source.clone(), target.clone(), faults);
            let first = stage.run(IMPORT);
            let last = if first.code == 0 { first } else { stage.run(&format!("{IMPORT} --resume")) };
            assert_eq!(last.code, 0, "{at}, {faults}: {}", last.whole());
            let held = stage.all_of_prod()[at].clone();
            assert_eq!(told(&held), told(&three), "{at}, {faults}");
        }
    }
}
