//! The sandbox against recordings of the real server: the same request on the same state must get the same answer.
//!
//! The recordings are no part of the project: `AUTH0_REFERENCE` says where they are (`../shared/reference` where it is not set), and
//! without them these tests say so and pass. `cargo test -- recorded --nocapture` prints the agreement by kind. Kinds come from the
//! catalog: one that joins it is replayed without a line here.
//!
//! ```text
//! tenant.rs    what the other answers of a recording say of its tenant: its day, what it holds, what it fills in
//! compare.rs   what is compared, what is not and why, and the disagreements that are known
//! ```
#![expect(clippy::print_stdout, reason = "the agreement is what these tests are run for")]

mod compare;
mod tenant;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use migrate::catalog::{Catalog, Kind, Shape};
use migrate::sandbox::State;
use serde_json::{Value, json};

use compare::Tally;
use tenant::Recordings;

/// What must agree at least, in percent: of every kind together, and of single ones.
struct Wanted {
    all: f64,
    of: &'static [(&'static str, f64)],
}

const UPDATES: Wanted = Wanted { all: 90.0, of: &[("clients", 97.0)] };
const CREATES: Wanted = Wanted { all: 90.0, of: &[("clients", 95.0)] };

/// Returns the folder that the recordings stand in, where they are at hand.
pub(crate) fn reference() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    std::env::var_os("AUTH0_REFERENCE").map_or_else(beside, PathBuf::from)
}

fn open(name: &str) -> Option<File> {
    let file = File::open(reference().join("recorded").join(name));
    if file.is_err() {
        println!("{name}: no recordings under {}, skipped", reference().display());
    }
    file.ok()
}

fn rows(name: &str) -> Option<Vec<Value>> {
    let lines = BufReader::new(GzDecoder::new(open(name)?)).lines();
    Some(lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect())
}

fn text<'row>(row: &'row Value, field: &str) -> &'row str {
    row[field].as_str().expect("a text")
}

/// Returns the kind that covers a path; one that is named as it stands before one that an id leads to.
fn kind_of(path: &str) -> Option<&'static Kind> {
    let own = Catalog::standard().kinds().filter(|kind| kind.view_of.is_none());
    own.filter_map(|kind| Some((kind.covers(path)?.len(), kind))).min_by_key(|(places, _)| *places).map(|(_, kind)| kind)
}

/// Returns the kind that a row is replayed for: a child answers with nothing that could be compared.
fn replayed(row: &Value) -> Option<&'static Kind> {
    kind_of(text(row, "path")).filter(|kind| !matches!(kind.shape, Shape::Child { .. }))
}

#[test]
fn recorded_updates_are_answered_as_they_were() {
    let (Some(rows), Some(recordings)) = (rows("updates.jsonl.gz"), Recordings::read()) else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let Some(kind) = replayed(row) else {
            tally.leave_out(row);
            continue;
        };
        let mut tenant = recordings.tenant_before_update(kind, row);
        let answer = tenant.ask(text(row, "method"), text(row, "path"), row["request"].clone());
        assert_eq!(answer.status, 200, "{}#{}: {}", text(row, "cassette"), row["seq"], answer.body);
        tally.count(kind, row, &answer.body, &row["after"]);
    }
    tally.print("updates of", &UPDATES);
}

#[test]
fn recorded_creates_are_answered_as_they_were() {
    let (Some(rows), Some(recordings)) = (rows("creates.jsonl.gz"), Recordings::read()) else { return };
    let mut tally = Tally::default();
    for row in &rows {
        let Some(kind) = replayed(row).filter(|kind| kind.path == text(row, "path")) else {
            tally.leave_out(row);
            continue;
        };
        let mut tenant = recordings.tenant_before_create(kind, row);
        let answer = tenant.ask("POST", kind.path, row["request"].clone());
        assert_eq!(json!(answer.status), row["status"], "{}#{}: {}", text(row, "cassette"), row["seq"], answer.body);
        tally.count(kind, row, &answer.body, &row["response"]);
    }
    tally.print("creates of", &CREATES);
}

#[test]
fn recorded_refusals_have_the_same_words() {
    let Some(lines) = open("errors.jsonl") else { return };
    let mut compared = 0;
    for line in BufReader::new(lines).lines() {
        let row: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let is_absence = row["status"] == 404 && row["method"] == "GET";
        if !is_absence || kind_of(text(&row, "path")).is_none() || row["body"] == json!({}) {
            continue;
        }
        let mut state = State::from_json(json!({"data": {}})).expect("a state");
        assert_eq!(state.ask("GET", text(&row, "path"), Value::Null).body, row["body"], "{}", text(&row, "path"));
        compared += 1;
    }
    println!("refusals: {compared} of {compared} in the same words");
}
