//! Applies the detection of undeclared secrets to every field of the OpenAPI description; the withheld fields are a list to review.

use std::collections::BTreeSet;

use auth0_migrate::catalog::Kind;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use crate::safety::undeclared_secrets::{bodies, kind_of, without_indexes};
use crate::support::auth0_reference;

/// A text that does not consist of words.
const TEXT: &str = "x1y2z3a4b5c6";
/// Returns a value with every field of a schema, and a text wherever possible; a recursive schema is expanded twice.
fn sample(schema: &Value, document: &Value, around: &[&str]) -> Value {
    if let Some(at) = schema["$ref"].as_str() {
        let referred = document.pointer(at.trim_start_matches('#')).filter(|_| around.iter().filter(|around| **around == at).count() < 2);
        return referred.map_or(Value::Null, |schema| sample(schema, document, &[around, &[at]].concat()));
    }
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    let chosen = choices.map(|choice| sample(choice, document, around)).fold(Value::Null, both);
    both(chosen, described(schema, document, around))
}

fn described(schema: &Value, document: &Value, around: &[&str]) -> Value {
    if let Some(fields) = schema["properties"].as_object() {
        return fields.iter().map(|(name, schema)| (name.clone(), sample(schema, document, around))).collect::<Map<_, _>>().into();
    }
    if schema["items"].is_object() {
        return json!([sample(&schema["items"], document, around)]);
    }
    let may_be = |name: &str| schema["type"] == *name || schema["type"].as_array().is_some_and(|types| types.contains(&name.into()));
    match &schema["enum"][0] {
        Value::Null if may_be("string") => TEXT.into(),
        Value::Null if may_be("integer") || may_be("number") => 7.into(),
        Value::Null if may_be("boolean") => true.into(),
        first => first.clone(),
    }
}

/// Merges two alternatives; a text takes precedence over a choice, and an object over a text.
fn both(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (name, value) in other {
                let known = one.remove(&name).unwrap_or_default();
                one.insert(name, both(known, value));
            }
            one.into()
        }
        (Value::Array(one), Value::Array(other)) => json!([one.into_iter().chain(other).fold(Value::Null, both)]),
        (one, other) if one.is_null() || other.is_object() || (other == TEXT && !one.is_object()) => other,
        (one, _) => one,
    }
}

/// Returns a body of each described request and response, with its kind.
fn described_bodies() -> Option<Vec<(&'static Kind, Value)>> {
    let file = std::fs::File::open(auth0_reference::path("management-api-oas.json.gz")?).expect("it is there");
    let document: Value = serde_json::from_reader(GzDecoder::new(file)).expect("JSON");
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let Some(kind) = kind_of(path) else { continue };
        for operation in methods.as_object().expect("operations").values() {
            let answers = operation["responses"].as_object().into_iter().flat_map(Map::values);
            let contents = answers.chain([&operation["requestBody"]]).filter_map(|said| said["content"].as_object());
            let schemas = contents.flat_map(Map::values).map(|content| &content["schema"]);
            all.extend(schemas.map(|schema| (kind, sample(schema, &document, &[]))));
        }
    }
    Some(all)
}

#[test]
fn the_withheld_fields_of_the_description_are_a_reviewed_list() {
    let Some(described) = described_bodies() else { return };
    assert!(described.len() > 300, "{}", described.len());
    let mut found = BTreeSet::new();
    for (kind, value) in described {
        for mut body in bodies(kind, &value) {
            kind.take_listed_secrets(&mut body);
            for (path, _) in kind.take_unlisted_secrets(&mut body) {
                let path = without_indexes(&path);
                let reason = kind.withheld_reason(&path).map_or("what stands beside it says so".to_owned(), |reason| reason.to_string());
                found.insert(format!("{}: {path}: {reason}", kind.name));
            }
        }
    }
    insta::assert_snapshot!(found.into_iter().collect::<Vec<_>>().join("\n"));
}
