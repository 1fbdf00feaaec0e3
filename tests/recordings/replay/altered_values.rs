//! Values that real tenants changed when they stored them are reported as altered, and no others are.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::apply::{AlteredValue, alterations};
use auth0_migrate::catalog::{Kind, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::model::resource::Id;
use serde_json::Value;

use super::{kind_of, rows, text};

/// The fields that recorded tenants changed, and how.
const MADE_OTHERWISE: &[(&str, &str, &str)] = &[
    ("connections", "options.authorization_endpoint", "one of Okta has the provider's own, and a cleared one is filled in again"),
    ("connections", "options.token_endpoint", "one of Okta has the provider's own, and a cleared one is filled in again"),
    ("connections", "options.userinfo_endpoint", "one of Okta has the provider's own, and a cleared one is filled in again"),
    ("connections", "options.metadataXml", "the server reads it and does not keep it"),
    ("connections", "options.scope", "one of WordPress has `profile` alone"),
    ("hooks", "name", "a hyphen is put before the digits it ends with"),
    ("log-streams", "filters", "an older category is another one by now"),
];

/// Returns the id of a write: for an update from its path, for a create from the response.
fn id_in(kind: &Kind, row: &Value) -> Id {
    let places: Vec<String> = kind.match_path(text(row, "path")).unwrap_or_default().into_iter().map(|(_, value)| value).collect();
    Id::new(places.join("/"))
}

fn is_accepted_write(row: &Value) -> bool {
    let is_accepted = row["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
    is_accepted && row["api"] == "management" && matches!(text(row, "method"), "POST" | "PATCH" | "PUT")
}

#[test]
fn exactly_the_values_altered_by_real_tenants_are_reported() {
    let Some(rows) = rows("traffic.jsonl.gz") else { return };
    let mut compared = 0;
    let mut found: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_accepted_write(row)) {
        let Some(kind) = kind_of(text(row, "path")).filter(|kind| !matches!(kind.shape, Shape::Child { .. })) else { continue };
        let body = |field: &str| Body::from_value(row[field].clone()).ok();
        let (Some(mut sent), Some(answer)) = (body("request_body"), body("response_body")) else { continue };
        // Migrate sends what it has read, and therefore never the legacy names.
        kind.apply_read_edits(&mut sent);
        compared += 1;
        let is_create = row["method"] == "POST";
        let altered = alterations(kind, &id_in(kind, row), &sent, &answer).into_iter().filter(|one| !is_create || one.sent.is_some());
        for AlteredValue { path, sent, answered } in altered {
            let one = format!("{} {}#{}: {sent:?} -> {answered:?}", text(row, "method"), text(row, "cassette"), row["seq"]);
            found.entry((kind.name, path)).or_default().push(one);
        }
    }
    let known: BTreeSet<(&str, String)> = MADE_OTHERWISE.iter().map(|(kind, path, _)| (*kind, (*path).to_owned())).collect();
    let unknown: Vec<_> = found.iter().filter(|(place, _)| !known.contains(place)).collect();
    assert!(unknown.is_empty(), "told, and not known to be so: {unknown:#?}");
    let missed: Vec<_> = known.iter().filter(|place| !found.contains_key(place)).collect();
    assert!(missed.is_empty(), "not told: {missed:?}");
    let told: usize = found.values().map(Vec::len).sum();
    println!("answers of writes: {compared} compared, {told} values made otherwise");
}
