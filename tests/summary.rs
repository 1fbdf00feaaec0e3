//! The last words of `cargo test`: how many tests were skipped, and why.
//!
//! It is a program of its own because cargo runs the test targets in the order of their names, and nothing runs after this one.
#![expect(clippy::print_stdout, reason = "that is all it does")]

use std::collections::BTreeSet;
use std::path::PathBuf;

fn main() {
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    // What the other targets of the same command left behind, see `tests/reference.rs`.
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{}", std::os::unix::process::parent_id()));
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    // It is there only where something was skipped.
    let _ = std::fs::remove_file(&path);
    let rows: BTreeSet<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let tests: BTreeSet<&str> = rows.iter().map(|(test, _)| *test).collect();
    let reasons: BTreeSet<&str> = rows.iter().map(|(_, reason)| *reason).collect();
    for reason in reasons {
        println!("skipped: {reason}");
    }
    match tests.len() {
        0 => println!("No test was skipped."),
        some => println!("{some} tests were skipped: facts about Auth0 are no part of the project; AUTH0_REFERENCE names their folder."),
    }
}
