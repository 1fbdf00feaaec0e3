//! Every field of a recorded response is known to its kind, and every field of an accepted write is writable.

use std::collections::BTreeSet;

use auth0_migrate::catalog::{Fields, Kind, Shape};
use auth0_migrate::json::{Body, covers};
use auth0_migrate::model::resource::Resource;
use serde_json::Value;

use super::{kind_of, rows, text};
use crate::catalog::sdk_types::{is_taken_by, taken};

/// Fields that only responses of other days or other types of tenants contain, and why they stay unknown.
const UNKNOWN: &[(&str, &str, &str)] = &[];

/// Returns the resources in a response: the response itself, or the elements of its list.
fn resources<'answer>(kind: &Kind, path: &str, answer: &'answer Value) -> Vec<&'answer Value> {
    if kind.match_path(path).is_some_and(|_| path.trim_matches('/') != kind.paths.list.trim_matches('/')) || kind.shape == Shape::Singleton
    {
        return vec![answer];
    }
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.map_or_else(|| vec![answer], |list| list.iter().collect())
}

fn unknown_fields(kind: &'static Kind, answer: &Value) -> Vec<String> {
    let Ok(mut body) = Body::from_value(answer.clone()) else { return Vec::new() };
    if body.0.contains_key("statusCode") {
        return Vec::new();
    }
    kind.fill_path_fields(&mut body, "one/other");
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
fn no_field_of_a_recorded_response_is_unknown() {
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

/// Fields of accepted writes that the catalog does not write, by kind, and why.
const NOT_WRITTEN: &[(&str, &str, &str)] = &[
    ("actions", "secrets.updated_at", "sent back as it was answered, in 2023; the tenant gives it"),
    ("clients", "cross_origin_auth", "the old name of cross_origin_authentication; refused today"),
    ("clients", "oidc_backchannel_logout", "the old name of oidc_logout; both at once are refused"),
    ("clients", "third_party_security_mode", "sent as it was; a change is refused"),
    ("connection-clients", "status", "whether an element is there"),
    ("connections", "enabled_clients", "the clients of a connection are a kind"),
    ("connections", "options.attributes.email.unique", "an update repeats the target's own; a change is refused"),
    ("connections", "options.thumbprints", "worked out of the certificate, and sent back as it was answered"),
    ("forms", "description", "of the API as it was in 2024; refused today"),
    ("organizations", "enabled_connections", "the connections of an organization are a kind"),
    ("roles", "owner_id", "roles of one organization are left alone"),
    ("roles", "type", "roles of one organization are left alone"),
    ("rules", "stage", "there is one stage"),
    ("tenant-settings", "flags.enable_custom_domain_in_emails", "last taken on 2025-04-10; refused today (OpenAPI description)"),
    ("tenant-settings", "universal_login", "the colours of the branding kind, under an old name"),
];

/// Returns the paths of sent fields that cannot be written, or are dropped on read.
fn unwritten(kind: &Kind, method: &str, fields: &Fields, sent: &Value, above: &str) -> Vec<String> {
    let named: Vec<(&String, &Value)> = match sent {
        Value::Object(sent) => sent.iter().collect(),
        Value::Array(list) => return list.iter().flat_map(|one| unwritten(kind, method, fields, one, above)).collect(),
        _ => return Vec::new(),
    };
    let below = |(name, value): (&String, &Value)| {
        let place = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let known = fields.get(name);
        let is_dropped = kind.fields.read_only.iter().any(|path| covers(&path.replace("[]", ""), &place));
        match known {
            _ if is_dropped => vec![place],
            Some(field) if is_taken_by(method, field.written) => {
                field.below.as_ref().map_or_else(Vec::new, |fields| unwritten(kind, method, fields, value, &place))
            }
            None if fields.is_open() => dropped_within(kind, value, &place),
            Some(_) | None => vec![place],
        }
    };
    named.into_iter().flat_map(below).collect()
}

/// Returns the paths inside an open object that are dropped on read.
fn dropped_within(kind: &Kind, sent: &Value, place: &str) -> Vec<String> {
    if kind.fields.read_only.iter().any(|path| covers(path, place)) {
        return vec![place.to_owned()];
    }
    let inside = sent.as_object().into_iter().flatten();
    inside.flat_map(|(name, value)| dropped_within(kind, value, &format!("{place}.{name}"))).collect()
}

#[test]
fn every_field_of_an_accepted_recorded_write_is_writable() {
    let Some(rows) = rows("traffic.jsonl.gz") else { return };
    let mut idle: BTreeSet<(&str, &str)> = NOT_WRITTEN.iter().map(|one| (one.0, one.1)).collect();
    let (mut missed, mut seen) = (BTreeSet::new(), 0);
    for row in rows.iter().filter(|row| row["status"].as_u64().is_some_and(|status| status < 300)) {
        let method = text(row, "method");
        let Some(kind) = kind_of(text(row, "path")).filter(|_| ["POST", "PATCH", "PUT"].contains(&method)) else { continue };
        let is_of_elements = matches!(kind.shape, Shape::Child { .. }) && method == "PATCH";
        seen += 1;
        for place in unwritten(kind, method, taken(kind, is_of_elements), &row["request_body"], "") {
            match NOT_WRITTEN.iter().find(|(of, path, _)| *of == kind.name && covers(path, &place)) {
                Some((of, path, _)) => drop(idle.remove(&(*of, *path))),
                None => drop(missed.insert(format!("{} ({method}): {place}", kind.name))),
            }
        }
    }
    println!("fields: {seen} recorded writes");
    assert!(missed.is_empty(), "accepted and not written:\n{}", Vec::from_iter(missed).join("\n"));
    assert!(idle.is_empty(), "reasons for nothing: {idle:?}");
}
