//! Pairs of tenants: the source, the target and the mapping.

use std::fs;
use std::path::{Path, PathBuf};

use auth0_migrate::sandbox::seed;
use serde_json::Value;

use super::process::empty;
use crate::support::auth0_reference;

/// The distance in the list of files between a recorded tenant and the one it is copied into.
const APART: usize = 3;

/// A source and a target.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) source: Value,
    pub(super) target: Value,
    /// Whether the demo's mapping is used.
    pub(super) is_mapped: bool,
}

/// What the demo's mapping changes besides hosts; each text occurs for nothing else.
const RENAMED: &[(&str, &str)] = &[
    ("com.acme.driver.dev", "com.acme.driver"),
    ("https://sandbox.freightmatch.example", "https://www.freightmatch.example"),
    ("\"Billing (dev)\"", "\"Billing\""),
];
/// Elements that it removes from lists.
const REMOVED: &[&str] = &[
    "http://localhost:3000/callback",
    "http://localhost:4000/auth/callback",
    "http://localhost:3000",
    "http://track.dev.acme.example/login/callback",
];
/// Resources that it skips.
const SKIPPED: &[&str] = &["Dev Playground", "Log the login context (dev)"];

impl Pair {
    /// Returns the expected state of the target: the source, or, with the demo's mapping, the source mapped by hand.
    pub(super) fn wanted(&self, source: &Value) -> Value {
        if self.is_mapped { mapped_by_hand(source) } else { source.clone() }
    }

    fn new(source: &(String, Value), (into, target): (&str, Value)) -> Self {
        let name = format!("{} into {into}", source.0);
        Self { name, source: with_templates_to_make(source.1.clone()), target: with_templates_to_make(target), is_mapped: false }
    }
}

/// Returns each recorded tenant with an empty one.
pub(super) fn into_empty() -> Vec<Pair> {
    recorded().iter().map(|source| Pair::new(source, ("an empty one", empty("empty.eu.auth0.com")))).collect()
}

/// Returns each recorded tenant with another one.
pub(super) fn into_another() -> Vec<Pair> {
    let tenants = recorded();
    let other = |at: usize| &tenants[(at + APART) % tenants.len()];
    tenants.iter().enumerate().map(|(at, source)| Pair::new(source, (&other(at).0, moved(&other(at).1, "other.eu.auth0.com")))).collect()
}

/// Returns one recorded tenant with an empty one.
pub(super) fn one_into_empty(name: &str) -> Pair {
    into_empty().into_iter().find(|pair| pair.name.split(' ').next() == Some(name)).expect("it is recorded")
}

/// Returns the tenants of the demo.
pub(super) fn demo() -> Pair {
    let read = |text| with_templates_to_make(serde_json::from_str(text).expect("JSON"));
    Pair { name: "acme-dev into acme-prod".to_owned(), source: read(seed::ACME_DEV), target: read(seed::ACME_PROD), is_mapped: true }
}

/// Returns the recorded tenants with the names of their files.
fn recorded() -> Vec<(String, Value)> {
    let Some(folder) = auth0_reference::path("recorded/tenants") else { return Vec::new() };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    files.iter().map(|path| (name(path), read(path))).collect()
}

/// The recorded tenants share one domain; a target needs its own.
fn moved(state: &Value, domain: &str) -> Value {
    let own = state["domain"].as_str().expect("a domain");
    serde_json::from_str(&state.to_string().replace(own, domain)).expect("JSON")
}

/// Removes the record that email templates are absent. A double would refuse to create them, since they are created at
/// another path than they are read at.
fn with_templates_to_make(mut state: Value) -> Value {
    if let Some(absent) = state["absent"].as_object_mut() {
        absent.retain(|path, answer| !path.starts_with("/email-templates/") || answer["status"] != 404);
    }
    state
}

/// Does what `mappings/dev-to-prod.toml` says, without reading it; values that it sets or keeps are exceptions.
fn mapped_by_hand(source: &Value) -> Value {
    let mut state = source.clone();
    for held in state["data"].as_object_mut().expect("the data of a state").values_mut() {
        if let Some(elements) = held.as_array_mut() {
            elements.retain(|element| !element["name"].as_str().is_some_and(|name| SKIPPED.contains(&name)));
        }
        remove_elements(held);
    }
    let hosts = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/hosts.csv")).expect("a table");
    let hosts = hosts.lines().skip(1).filter_map(|line| line.split_once(','));
    let text = hosts.chain(RENAMED.iter().copied()).fold(state.to_string(), |text, (from, to)| text.replace(from, to));
    serde_json::from_str(&text).expect("JSON")
}

fn remove_elements(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| !element.as_str().is_some_and(|text| REMOVED.contains(&text)));
            elements.iter_mut().for_each(remove_elements);
        }
        Value::Object(fields) => fields.values_mut().for_each(remove_elements),
        _ => {}
    }
}
