//! Facts about Auth0 that are no part of the project: `AUTH0_REFERENCE` names their folder (`../shared/reference` where it is not set).
//!
//! A test that needs them and finds none is skipped, which the last line of `cargo test` counts; with `CI=true` it fails instead.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// Returns where the facts are.
pub(crate) fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    std::env::var_os("AUTH0_REFERENCE").map_or_else(beside, PathBuf::from)
}

/// Opens a file of the facts; where it is missing, the running test is skipped.
pub(crate) fn open(name: &str) -> Option<File> {
    File::open(existing(folder().join(name))?).ok()
}

/// Returns a file or folder of the facts; where it is missing, the running test is skipped.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    existing(folder().join(name))
}

/// Returns a folder beside the facts, such as `judge`; where it is missing, the running test is skipped.
pub(crate) fn beside(name: &str) -> Option<PathBuf> {
    existing(folder().join("..").join(name))
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    skip(&format!("{} is missing", path.display()));
    None
}

/// Notes that the running test is skipped for want of something.
///
/// # Panics
///
/// With `CI=true`, where nothing may be skipped.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "with CI=true no test may be skipped, and {reason}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // The target `summary` has the same parent, reads the file and removes it.
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{}", std::os::unix::process::parent_id()));
    let mut skipped = OpenOptions::new().create(true).append(true).open(path).expect("the target folder can be written");
    skipped.write_all(format!("{test}\t{reason}\n").as_bytes()).expect("one more line");
}
