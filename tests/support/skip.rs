//! Reports that a test cannot run on this machine and is skipped; the last line of `cargo test` counts these.

use crate::support::summary_notes;

/// Notes that the running test is skipped, completely or in part, because something is missing.
///
/// # Panics
///
/// With `CI=true`, where nothing may be skipped.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "with CI=true no test may be skipped, and {reason}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    summary_notes::add("skipped", &format!("{test}\t{reason}"));
}
