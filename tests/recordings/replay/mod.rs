//! Replays recordings against the sandbox: the same request in the same state must get the same response as from the real server.
//!
//! The recordings are not part of this repository; see `support/auth0_reference.rs`. `cargo test --test integration
//! replay -- --nocapture` prints the agreement by kind. Kinds come from the catalog, so a new one is replayed without a
//! change here.
//!
//! ```text
//! tenant_state.rs    derives the state of a tenant from the other responses of a recording
//! id_formats.rs      ids have the format of recorded ones
//! fields.rs          every field of every response is known to its kind
//! altered_values.rs  values that a real tenant changed when it stored them
//! invalid_bodies.rs  recorded bodies with one invalid value, and the share that is refused
//! comparison.rs      what is compared, what is not and why, and the known disagreements
//! ```
#![expect(clippy::print_stdout, reason = "the agreement is what these tests are run for")]

mod altered_values;
mod comparison;
mod fields;
mod id_formats;
mod invalid_bodies;
mod tenant_state;

use std::io::{BufRead, BufReader};

use auth0_migrate::catalog::address::matched;
use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::sandbox::State;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use crate::support::auth0_reference;
use comparison::Tally;
use tenant_state::{Recordings, parent};

/// The minimum agreement in percent: of all kinds together, and of single ones.
struct Wanted {
    all: f64,
    of: &'static [(&'static str, f64)],
}

/// The kinds that most imports depend on.
const LEANED_ON: [&str; 5] = ["client-grants", "resource-servers", "roles", "actions", "organizations"];
const UPDATES: Wanted = Wanted { all: 90.0, of: &[("clients", 97.0)] };
const CREATES: Wanted = Wanted { all: 90.0, of: &[("clients", 95.0)] };

pub(crate) fn rows(name: &str) -> Option<Vec<Value>> {
    let lines = BufReader::new(GzDecoder::new(auth0_reference::open(&format!("recorded/{name}"))?)).lines();
    Some(lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect())
}

pub(crate) fn text<'row>(row: &'row Value, field: &str) -> &'row str {
    row[field].as_str().expect("a text")
}

/// Returns the kind of a path; a literal path takes precedence over one with an id.
fn kind_of(path: &str) -> Option<&'static Kind> {
    let own = Catalog::standard().kinds().filter(|kind| kind.quirks.same_endpoint_as.is_none());
    own.filter_map(|kind| Some((kind.match_path(path)?.len(), kind))).min_by_key(|(places, _)| *places).map(|(_, kind)| kind)
}

/// Returns the kind that a row is replayed for; responses for a child contain nothing to compare.
fn replayed(row: &Value) -> Option<&'static Kind> {
    kind_of(text(row, "path")).filter(|kind| !matches!(kind.shape, Shape::Child { .. }) && text(row, "path") != "/custom-domains/default")
}

/// Fails if a saved tenant differs after it is loaded again.
fn assert_loads_again(tenant: &State, row: &Value) {
    let saved = tenant.to_json();
    let again = State::from_json(saved.clone()).unwrap_or_else(|error| panic!("{}: {error}", row["path"]));
    assert_eq!(again.to_json(), saved, "{}", row["path"]);
}

#[test]
fn recorded_updates_get_the_recorded_responses() {
    let (Some(rows), Some(recordings)) = (rows("updates.jsonl.gz"), Recordings::read()) else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let Some(kind) = replayed(row) else {
            tally.skip_resource(row);
            continue;
        };
        let mut tenant = recordings.tenant_before_update(kind, row);
        let answer = tenant.ask(text(row, "method"), text(row, "path"), row["request"].clone());
        assert_loads_again(&tenant, row);
        tally.count(kind, row, &answer, (&json!(200), &row["after"]));
    }
    tally.print("updates of", &UPDATES);
}

#[test]
fn recorded_creates_get_the_recorded_responses() {
    let (Some(rows), Some(recordings)) = (rows("creates.jsonl.gz"), Recordings::read()) else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let is_creation = |kind: &&'static Kind| kind.creation().is_some_and(|form| matched(form, text(row, "path")).is_some());
        let Some(kind) = replayed(row).filter(is_creation) else {
            tally.skip_resource(row);
            continue;
        };
        let mut tenant = recordings.tenant_before_create(kind, row);
        let answer = tenant.ask("POST", text(row, "path"), row["request"].clone());
        assert_loads_again(&tenant, row);
        tally.count(kind, row, &answer, (&row["status"], &row["response"]));
    }
    tally.print("creates of", &CREATES);
}

#[test]
fn recorded_refusals_have_the_same_messages() {
    let Some(lines) = auth0_reference::open("recorded/errors.jsonl") else { return };
    let (mut compared, mut otherwise) = (0, Vec::new());
    for line in BufReader::new(lines).lines() {
        let row: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let is_absence = row["status"] == 404 && row["method"] == "GET";
        let Some(kind) = kind_of(text(&row, "path")).filter(|_| is_absence && row["body"] != json!({})) else { continue };
        // Only below an existing parent is a missing part reported as an unknown path.
        let parent: Map<String, Value> = parent(kind, &row).filter(|_| row["body"]["message"] == "Not Found").into_iter().collect();
        let mut state = State::from_json(json!({"data": parent})).expect("a state");
        let answer = state.ask("GET", text(&row, "path"), Value::Null).body;
        if answer != row["body"] {
            otherwise.push(format!("{}: {answer} for {}", text(&row, "path"), row["body"]));
        }
        compared += 1;
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    println!("refusals: {compared} of {compared} in the same words");
}
