//! The sandbox assigns ids in the format of recorded ones.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::address::matched;
use serde_json::Value;

use super::tenant_state::Recordings;
use super::{replayed, rows, text};

/// Recorded ids in a different format from today's: the kind, the format, and the reason.
const OTHERS: &[(&str, &str, &str)] = &[
    ("clients", "tpc_22", "a third party's, strict or by a metadata document"),
    ("custom-domains", "cd_11", "made up when the recording was cleaned"),
    ("custom-domains", "cd_15", "made up when the recording was cleaned"),
    ("network-acls", "8-4-4-4-12", "of 2025, as of 2026 they have a prefix"),
];

/// Returns the format of an id: its prefix, and the length of the rest.
fn form(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, rest)) => format!("{prefix}_{}", rest.len()),
        None => id.split('-').map(|part| part.len().to_string()).collect::<Vec<_>>().join("-"),
    }
}

#[test]
fn ids_have_the_format_of_recorded_ones() {
    let (Some(rows), Some(recordings)) = (rows("creates.jsonl.gz"), Recordings::read()) else { return };
    let mut forms: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for row in &rows {
        let is_creation = |form: &'static str| matched(form, text(row, "path")).is_some();
        let Some(kind) = replayed(row).filter(|kind| kind.has_own_ids() && kind.creation().is_some_and(is_creation)) else { continue };
        let mut tenant = recordings.tenant_before_create(kind, row);
        let answer = tenant.ask("POST", text(row, "path"), row["request"].clone());
        let id_of = |body: &Value| body[kind.identity.id].as_str().map(form);
        let (recorded, given) = forms.entry(kind.name).or_default();
        recorded.extend(id_of(&row["response"]).filter(|form| !OTHERS.iter().any(|(of, other, _)| *of == kind.name && other == form)));
        given.extend(id_of(&answer.body).filter(|form| !form.starts_with("tpc_")));
    }
    forms.retain(|_, (recorded, given)| !recorded.is_empty() && !given.is_empty());
    assert!(forms.len() > 20, "only {} kinds", forms.len());
    for (kind, (recorded, given)) in forms {
        assert_eq!(given, recorded, "{kind}");
    }
}
