//! Facts about Auth0 that are no part of the project: `AUTH0_REFERENCE` says where they are (`../shared/reference` where it is not set).

use std::fs::File;
use std::path::PathBuf;

/// Returns where the facts are.
pub(crate) fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    std::env::var_os("AUTH0_REFERENCE").map_or_else(beside, PathBuf::from)
}

/// Opens a file of them, or says that the test is skipped.
#[expect(clippy::print_stdout, reason = "a test that was skipped says so")]
pub(crate) fn open(name: &str) -> Option<File> {
    let file = File::open(folder().join(name));
    if file.is_err() {
        println!("skipped: no {name} under {}", folder().display());
    }
    file.ok()
}
