//! Resources with the same name: what somebody else created in the target is never mistaken for ours.

use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";

/// A client that a third party registered.
fn registered(id: &str, name: &str) -> Value {
    let mut client = client(id, name, "https://elsewhere.example/back");
    client["is_first_party"] = json!(false);
    client
}

/// Returns two tenants, the second of which lists these clients before or after its own.
fn with_clients_of_others(others: &[Value], is_before: bool) -> Fixture {
    let mut target = prod();
    let clients = target["data"]["/clients"].as_array_mut().expect("a list");
    let at = if is_before { 0 } else { clients.len() };
    clients.splice(at..at, others.iter().cloned());
    Fixture::new(dev(), target, "")
}

fn clients_of(fixture: &Fixture) -> Vec<Value> {
    fixture.prod("/clients").as_array().expect("a list").clone()
}

#[test]
fn a_third_party_client_is_never_mistaken_for_ours_in_any_order() {
    let others = [registered("prodOtherShop0000000000000000000", "Shop"), registered("prodOtherTill0000000000000000000", "Till")];
    for is_before in [true, false] {
        let fixture = with_clients_of_others(&others, is_before);
        let said = fixture.run(IMPORT);
        assert_eq!(said.code, 0, "{}", said.whole());
        let held = clients_of(&fixture);
        let named = |name: &str| held.iter().filter(|one| one["name"] == name && one["is_first_party"] == true).collect::<Vec<_>>();
        assert_eq!((named("Shop").len(), named("Till").len()), (1, 1));
        assert_eq!(named("Shop")[0]["callbacks"], json!(["https://shop.acme.example/back"]));
        assert!(others.iter().all(|other| held.contains(other)), "they are untouched");
        let again = fixture.run(IMPORT);
        assert!(again.code == 0 && again.out.contains("Nothing to do."), "{}", again.whole());
    }
}

#[test]
fn a_saved_plan_creates_our_client_beside_a_third_party_one() {
    let fixture = with_clients_of_others(&[registered("prodOtherTill0000000000000000000", "Till")], true);
    let planned = fixture.run("plan --tenant prod --out plan.json --quiet");
    assert_eq!(planned.code, 0, "{}", planned.whole());
    let said = fixture.run("import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(clients_of(&fixture).iter().filter(|one| one["name"] == "Till").count(), 2);
}

#[test]
fn a_stored_snapshot_still_identifies_third_party_clients() {
    let mut source = dev();
    source["data"]["/clients"].as_array_mut().expect("a list").push(registered("devOtherPortal000000000000000000", "Portal"));
    let mut target = prod();
    let own = client("prodPortal0000000000000000000000", "Portal", "https://portal.acme.example/back");
    target["data"]["/clients"].as_array_mut().expect("a list").push(own.clone());
    let fixture = Fixture::new(source, target, "");
    let said = fixture.run("export --tenant dev --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    let snapshot = fixture.only_in("snapshots/dev");
    let said =
        fixture.run(&format!("import --tenant prod --from {snapshot} --allow lockout-risk,weaker-protection,many-changes --yes --quiet"));
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(clients_of(&fixture).contains(&own), "ours in prod is nobody's partner");
    assert!(!fixture.read("state/dev/prod/links.csv").contains("Portal"));
}

#[test]
fn a_name_that_looks_numbered_is_created_unchanged() {
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
    let fixture = Fixture::new(source, target, "");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "\"Web\" stands for one here and two there: {}", said.whole());
    let held = clients_of(&fixture);
    assert_eq!(held[..2], before.as_array().expect("a list")[..]);
    assert_eq!(held.iter().map(|one| one["name"].clone()).collect::<Vec<_>>(), ["Web", "Web", "Web#2"]);
}

/// Three resources with the same name that differ in one field; `at` is the path of their list.
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
fn a_create_without_a_response_is_never_mistaken_for_another_one_of_the_run() {
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
            let fixture = Fixture::new(source.clone(), target.clone(), faults);
            let first = fixture.run(IMPORT);
            let last = if first.code == 0 { first } else { fixture.run(&format!("{IMPORT} --resume")) };
            assert_eq!(last.code, 0, "{at}, {faults}: {}", last.whole());
            let held = fixture.all_of_prod()[at].clone();
            assert_eq!(told(&held), told(&three), "{at}, {faults}");
        }
    }
}

/// A tenant with three clients of the same name, the last of which has a grant, and two APIs.
fn with_three_twins() -> Value {
    let twin = |of: &str| {
        json!({"client_id": format!("devTwin{of}000000000000000000000000"), "name": "Twin", "description": of, "is_first_party": true,
               "app_type": "non_interactive", "grant_types": ["client_credentials"]})
    };
    let api = |name: &str, number: usize| {
        json!({"id": format!("5f000000000000000000000{number}"), "name": name, "identifier": format!("https://{name}/"),
               "scopes": [{"value": "read"}, {"value": "write"}]})
    };
    let grant = json!({"id": "cgr_devTwinB0000001", "client_id": "devTwinB000000000000000000000000", "audience": "https://payments/",
                       "scope": ["read"], "subject_type": "client"});
    json!({"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com",
        "data": {"/clients": [twin("O"), twin("A"), twin("B")], "/resource-servers": [api("payments", 1), api("books", 2)], "/client-grants": [grant]}})
}

/// Returns the description of each client with the name, and the APIs that it has grants on.
fn rights_of_twins(held: &Value) -> Vec<(String, Vec<String>)> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    let grants = held["/client-grants"].as_array().cloned().unwrap_or_default();
    let apis = |client: &Value| {
        let mut apis: Vec<String> =
            grants.iter().filter(|grant| grant["client_id"] == client["client_id"]).map(|grant| text(grant, "audience")).collect();
        apis.sort();
        apis
    };
    let twins = held["/clients"].as_array().expect("a list").iter().filter(|one| one["name"] == "Twin");
    let mut rights: Vec<_> = twins.map(|one| (text(one, "description"), apis(one))).collect();
    rights.sort();
    rights
}

#[test]
fn a_saved_plan_gives_grants_to_the_right_duplicate_although_numbers_differ() {
    let fixture = Fixture::new(with_three_twins(), json!({"tenant": "acme-prod", "domain": "acme-prod.eu.auth0.com", "data": {}}), "");
    let by_plan = || {
        let planned = fixture.run("plan --tenant prod --out plan.json --quiet");
        assert_eq!(planned.code, 0, "{}", planned.whole());
        fixture.run("import --tenant prod --plan plan.json --yes --quiet --allow lockout-risk,weaker-protection,many-changes")
    };
    assert_eq!(by_plan().code, 0);
    // Dev recreates one of them and then lists it last.
    fixture.write(
        "twin.json",
        "{\"name\": \"Twin\", \"description\": \"A\", \"app_type\": \"non_interactive\", \"grant_types\": [\"client_credentials\"]}",
    );
    for call in ["delete clients/devTwinA000000000000000000000000", "post clients --data twin.json"] {
        let said = fixture.run(&format!("api {call} --tenant dev --yes --quiet"));
        assert_eq!(said.code, 0, "{}", said.whole());
    }
    let listed = fixture.run("api get clients --tenant dev --quiet").json();
    let anew = listed.as_array().expect("a list").iter().find(|one| one["description"] == "A").expect("it is there");
    for api in ["books", "payments"] {
        let grant =
            json!({"client_id": anew["client_id"], "audience": format!("https://{api}/"), "scope": ["write"], "subject_type": "client"});
        fixture.write("grant.json", &grant.to_string());
        let said = fixture.run("api post client-grants --tenant dev --data grant.json --yes --quiet");
        assert_eq!(said.code, 0, "{}", said.whole());
    }
    let said = by_plan();
    assert_eq!(said.code, 0, "{}", said.whole());
    let rights = rights_of_twins(&fixture.all_of_prod());
    let of_a: Vec<_> = rights.iter().filter(|(of, _)| of == "A").flat_map(|(_, apis)| apis.clone()).collect();
    assert_eq!(of_a, ["https://books/", "https://payments/"], "{rights:?}");
    assert!(rights.contains(&("B".to_owned(), vec!["https://payments/".to_owned()])), "{rights:?}");
}
