//! The recorded tenants, as states that a sandbox can serve.

use std::path::PathBuf;

use auth0_migrate::sandbox::State;

use super::auth0_reference;

/// A recorded tenant of medium size, for the fast tier.
pub(crate) const ONE: &str = "dcli-2025-04-10-dump";

/// Returns the recorded tenants; empty if the facts are not available.
pub(crate) fn recorded() -> Vec<(String, State)> {
    let Some(folder) = auth0_reference::path("recorded/tenants") else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let name = |path: &PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    files.iter().map(|path| (name(path), State::load(path).expect("a state file"))).collect()
}
