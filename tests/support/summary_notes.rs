//! What the test targets of one cargo command leave for the last of them, `summary`: a file a subject, in the target folder.
//!
//! Several commands are one session, and their notes are kept for all of them, where `TEST_SESSION` gives them one name.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Returns the file of a subject; without a session, all targets of one command have the same parent.
pub(crate) fn path(subject: &str) -> PathBuf {
    let session = std::env::var("TEST_SESSION").unwrap_or_else(|_| std::os::unix::process::parent_id().to_string());
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{subject}-{session}"))
}

/// Adds a line to what is noted on a subject.
pub(crate) fn add(subject: &str, line: &str) {
    let mut notes = OpenOptions::new().create(true).append(true).open(path(subject)).expect("the target folder can be written");
    notes.write_all(format!("{line}\n").as_bytes()).expect("one more line");
}
