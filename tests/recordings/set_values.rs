//! `validate` reports nothing about a mapping's value that a tenant accepted in a recording.

use auth0_migrate::sandbox::value_refusals;
use serde_json::{Value, json};

use crate::recordings::replay::{rows, text};

#[test]
fn no_value_sent_by_a_successful_recorded_update_is_refused() {
    let Some(rows) = rows("traffic.jsonl.gz") else { return };
    let is_taken =
        |row: &&Value| row["status"].as_u64().is_some_and(|status| status < 300) && ["PATCH", "PUT"].contains(&text(row, "method"));
    let (mut refused, mut accepted) = (Vec::new(), 0);
    for row in rows.iter().filter(is_taken) {
        for (field, value) in row["request_body"].as_object().into_iter().flatten() {
            match value_refusals(text(row, "method"), text(row, "path"), field, value) {
                Some(refusals) if refusals.is_empty() => accepted += 1,
                Some(refusals) => refused.push(format!("{} {} {field}: {refusals:?}", text(row, "method"), text(row, "path"))),
                None => {}
            }
        }
    }
    refused.sort();
    refused.dedup();
    assert_eq!(refused, Vec::<String>::new());
    assert!(accepted > 1000, "{accepted} values");
}

#[test]
fn wrong_types_unknown_values_and_unknown_fields_are_distinguished() {
    let refusal = |field: &str, value: Value| value_refusals("PATCH", "/clients/x", field, &value).expect("described").into_iter().next();
    let keyword = |field: &str, value: Value| refusal(field, value).map(|refusal| (refusal.place, refusal.keyword));
    assert_eq!(keyword("callbacks", json!("x")), Some(("callbacks".to_owned(), "type")));
    assert_eq!(keyword("callbacks[]", json!(1)), Some(("callbacks[]".to_owned(), "type")));
    assert_eq!(keyword("app_type", json!("x")), Some(("app_type".to_owned(), "enum")));
    assert_eq!(keyword("app_typ", json!("spa")), Some(("app_typ".to_owned(), "additionalProperties")));
    assert_eq!(keyword("app_type", json!("spa")), None);
    assert_eq!(value_refusals("PATCH", "/nothing/x", "app_type", &json!("x")), None);
}
