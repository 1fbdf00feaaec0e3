//! Notes that the tests leave for the summary: one file for each subject, in the target folder.
//!
//! `TEST_SESSION` gives several cargo commands one name, so that they share their notes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Returns the file of a subject; without a session, it is shared by all targets of a command, which have the same
/// parent process.
pub(crate) fn path(subject: &str) -> PathBuf {
    let session = std::env::var("TEST_SESSION").unwrap_or_else(|_| std::os::unix::process::parent_id().to_string());
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{subject}-{session}"))
}

/// Adds a line to the notes on a subject.
pub(crate) fn add(subject: &str, line: &str) {
    let mut notes = OpenOptions::new().create(true).append(true).open(path(subject)).expect("the target folder can be written");
    notes.write_all(format!("{line}\n").as_bytes()).expect("one more line");
}
