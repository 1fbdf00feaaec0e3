//! The sandbox's log of writes: its entries have the form that Auth0's OpenAPI description and its documentation give.

use auth0_migrate::sandbox::Caller;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client};
use crate::support::openapi::Description;

/// The fields that the published schema of tenant log events requires of every event.
const REQUIRED: [&str; 8] = ["client_name", "description", "details", "environment_name", "ip", "log_id", "tenant_name", "type"];
const SHOP: &str = "/clients/prodShop00000000000000000000000a";

fn jane() -> Caller {
    Caller::administrator("auth0|1", "Jane", "jane@acme.example").from_ip("203.0.113.7")
}

fn get(fixture: &Fixture, path: &str) -> Value {
    fixture.ask_prod_as(Caller::client("reader"), "GET", path, &Value::Null)
}

fn written() -> Fixture {
    let fixture = Fixture::small();
    for number in 0..3 {
        fixture.ask_prod_as(jane(), "PATCH", SHOP, &json!({"description": format!("d{number}")}));
    }
    let mut new = client("", "Kiosk", "https://kiosk.acme.example/back");
    new.as_object_mut().expect("an object").retain(|name, _| ["name", "callbacks", "app_type"].contains(&name.as_str()));
    fixture.ask_prod_as(Caller::client("prodShop00000000000000000000000a"), "POST", "/clients", &new);
    fixture
}

fn descriptions(log: &Value) -> Vec<String> {
    let text = |event: &Value| {
        let body = &event["details"]["request"]["body"];
        body["description"].as_str().or_else(|| body["name"].as_str()).expect("a text").to_owned()
    };
    log.as_array().expect("a list").iter().map(text).collect()
}

#[test]
fn entries_have_the_form_that_auth0_describes() {
    let fixture = written();
    let log = get(&fixture, "/logs?sort=date:-1&per_page=100");
    for event in log.as_array().expect("a list") {
        let missing: Vec<&&str> = REQUIRED.iter().filter(|field| event.get(**field).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}: {event:#}");
    }
    let last = &log[0];
    assert_eq!((&last["type"], &last["client_name"], &last["user_id"]), (&json!("sapi"), &json!("Shop"), &json!("")));
    assert_eq!(last["details"]["request"]["method"], "post");
    assert_eq!(last["details"]["request"]["path"], "/api/v2/clients");
    assert!(last["details"]["response"]["body"]["client_id"].is_string(), "{last:#}");
    assert_eq!(last["details"]["response"]["body"]["client_secret"], "[REDACTED]");
    assert_eq!(log[1]["details"]["request"]["auth"]["user"]["email"], "jane@acme.example");
    let one = get(&fixture, &format!("/logs/{}", last["log_id"].as_str().expect("an id")));
    assert_eq!(one, *last);
    let Some(description) = Description::read() else { return };
    assert_eq!(description.response_breaks("ListLogResponseContent", &log), [""; 0]);
    assert_eq!(description.response_breaks("GetLogResponseContent", &one), [""; 0]);
    let with_totals = get(&fixture, "/logs?include_totals=true&per_page=2");
    assert_eq!(description.response_breaks("ListLogResponseContent", &with_totals), [""; 0]);
    assert_eq!((&with_totals["total"], &with_totals["length"]), (&json!(4), &json!(2)));
}

#[test]
fn the_log_is_read_by_search_and_by_checkpoint() {
    let fixture = written();
    assert_eq!(descriptions(&get(&fixture, "/logs?sort=date:-1&per_page=2&page=0")), ["Kiosk", "d2"]);
    assert_eq!(descriptions(&get(&fixture, "/logs?sort=date:-1&per_page=2&page=1")), ["d1", "d0"]);
    let of_shop = get(&fixture, "/logs?q=type:sapi%20AND%20client_id:%22prodShop00000000000000000000000a%22&sort=date:1");
    assert_eq!(descriptions(&of_shop), ["Kiosk"]);
    let first = get(&fixture, "/logs?sort=date:1&per_page=1");
    let id = first[0]["log_id"].as_str().expect("an id").to_owned();
    let after = get(&fixture, &format!("/logs?from={id}&take=2"));
    assert_eq!(descriptions(&after), ["d1", "d2"]);
    let last = after[1]["log_id"].as_str().expect("an id").to_owned();
    assert_eq!(descriptions(&get(&fixture, &format!("/logs?from={last}&take=2"))), ["Kiosk"]);
}
