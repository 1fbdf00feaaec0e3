//! Facts about Auth0 that are not part of this repository: `AUTH0_REFERENCE` is their folder (default: `../shared/reference`).
//!
//! A test that needs them and does not find them is skipped.

use std::fs::File;
use std::path::PathBuf;

use crate::support::skip::skip;

/// Returns the folder of the facts.
pub(crate) fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    std::env::var_os("AUTH0_REFERENCE").map_or_else(beside, PathBuf::from)
}

/// Opens a file of the facts; if it is missing, the running test is skipped.
pub(crate) fn open(name: &str) -> Option<File> {
    File::open(path(name)?).ok()
}

/// Returns a file or folder of the facts; if it is missing, the running test is skipped.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    existing(folder().join(name), name)
}

/// Returns a folder beside the facts, such as `judge`; if it is missing, the running test is skipped.
pub(crate) fn beside(name: &str) -> Option<PathBuf> {
    existing(folder().join("..").join(name), name)
}

fn existing(path: PathBuf, name: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    if folder().exists() {
        skip(&format!("{name} is not among the facts about Auth0"));
    } else {
        skip("facts about Auth0 are no part of the project, and AUTH0_REFERENCE names no folder of them");
    }
    None
}
