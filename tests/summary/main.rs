//! Prints the last lines of `cargo test`: how many requests violate Auth0's OpenAPI description, how many tests were not run, and why.
//!
//! It is a separate program because cargo runs test targets in the order of their names; only doc tests run after it.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

mod requests;
/// The modules that the integration tests share with this program.
#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "other tests need other facts")]
    pub(crate) mod auth0_reference;
    #[expect(dead_code, reason = "its own tests use the rest")]
    pub(crate) mod known_failures;
    #[expect(dead_code, reason = "the tests of the description use the rest")]
    pub(crate) mod openapi;
    pub(crate) mod skip;
    pub(crate) mod summary_notes;
}
mod tiers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{known_failures, summary_notes};
use tiers::Tiers;

/// The subjects of the notes for this program.
const SUBJECTS: [&str; 3] = ["requests", "skipped", "tiers"];
/// How long notes of an unfinished command are kept.
const KEPT: Duration = Duration::from_secs(86_400);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return;
    }
    let tiers = Tiers::new(&words);
    let breaks = requests::judge();
    if tiers == Tiers::Fast {
        println!("{} slow tests were not run: cargo test -- --ignored", tiers::slow_tests());
    }
    println!("{}", skipped());
    clear();
    match (breaks, tiers) {
        (Some(breaks), Tiers::Both) => known_failures::compare("requests", &breaks),
        (Some(breaks), Tiers::Fast | Tiers::Part) => known_failures::compare_part("requests", &breaks),
        (None, _) => {}
    }
}

/// Returns how many tests were skipped, and why.
fn skipped() -> String {
    let text = fs::read_to_string(summary_notes::path("skipped")).unwrap_or_default();
    let mut by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (test, reason) in text.lines().filter_map(|line| line.split_once('\t')) {
        by_reason.entry(reason).or_default().insert(test);
    }
    let tests: BTreeSet<&str> = by_reason.values().flatten().copied().collect();
    let reasons: Vec<String> = by_reason.iter().map(|(reason, tests)| format!("{} because {reason}", tests.len())).collect();
    match tests.len() {
        0 => "No test was skipped.".to_owned(),
        1 => format!("1 test was skipped: {}.", reasons.join("; ")),
        some => format!("{some} tests were skipped: {}.", reasons.join("; ")),
    }
}

/// Deletes the notes of this command, unless other commands of its session follow, and old notes that were never read.
fn clear() {
    if std::env::var_os("TEST_SESSION").is_none() {
        // A file exists only if something was noted.
        for subject in SUBJECTS {
            let _ = fs::remove_file(summary_notes::path(subject));
        }
    }
    let is_note = |name: &str| SUBJECTS.iter().any(|subject| name.strip_prefix(subject).is_some_and(|rest| rest.starts_with('-')));
    for entry in fs::read_dir(Path::new(env!("CARGO_TARGET_TMPDIR"))).into_iter().flatten().filter_map(Result::ok) {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_note(&entry.file_name().to_string_lossy()) && age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
