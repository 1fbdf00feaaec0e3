//! Every field of every recorded answer is known to its kind: writable, read-only, or a secret.

use std::collections::BTreeSet;

use migrate::body::Body;
use migrate::catalog::{Kind, Shape};
use migrate::resource::Resource;
use serde_json::Value;

use super::{kind_of, rows, text};

/// Fields that only answers of another day or of another tenant's kind hold, and why they stay unknown.
const UNKNOWN: &[(&str, &str, &str)] = &[];

/// Returns the resources that an answer holds: itself, or the elements of its list.
fn resources<'answer>(kind: &Kind, path: &str, answer: &'answer Value) -> Vec<&'answer Value> {
    if kind.covers(path).is_some_and(|_| path.trim_matches('/') != kind.path.trim_matches('/')) || kind.shape == Shape::Singleton {
        return vec![answer];
    }
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.map_or_else(|| vec![answer], |list| list.iter().collect())
}

fn unknown_fields(kind: &Kind, answer: &Value) -> Vec<String> {
    let Ok(mut body) = Body::from_value(answer.clone()) else { return Vec::new() };
    if body.0.contains_key("statusCode") {
        return Vec::new();
    }
    kind.fill(&mut body, "one/other");
    let Ok(resource) = Resource::read(kind, body) else { return Vec::new() };
    let mut unknown = Vec::new();
    for (name, value) in &resource.carried.0 {
        match value {
            Value::Object(inside) => unknown.extend(inside.keys().map(|inner| format!("{name}.{inner}"))),
            _ => unknown.push(name.clone()),
        }
    }
    unknown
}

#[test]
fn no_field_of_a_recorded_answer_is_unknown() {
    let Some(rows) = rows("traffic.jsonl.gz") else { return };
    let (mut unknown, mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new(), 0);
    for row in rows.iter().filter(|row| row["status"].as_u64().is_some_and(|status| status < 300)) {
        let path = text(row, "path");
        let Some(kind) = kind_of(path).filter(|kind| !matches!(kind.shape, Shape::Child { .. })) else { continue };
        for resource in resources(kind, path, &row["response_body"]) {
            let fields = unknown_fields(kind, resource);
            unknown.extend(fields.into_iter().map(|field| (kind.name, field)));
            kinds.insert(kind.name);
            seen += 1;
        }
    }
    let is_listed = |(kind, field): &(&str, String)| UNKNOWN.iter().any(|(of, listed, _)| of == kind && listed == field);
    unknown.retain(|found| !is_listed(found));
    println!("fields: {seen} recorded resources of {} kinds", kinds.len());
    assert!(unknown.is_empty(), "fields that no kind knows: {unknown:?}");
}
