//! Determines from the arguments after `--` which tier of the tests a command runs.

use std::path::{Path, PathBuf};

use crate::support::summary_notes;

/// The attribute of a slow test.
const SLOW: &str = "#[ignore = \"slow";

/// The tests that ran, in this command or in its whole session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiers {
    /// All except the slow ones.
    Fast,
    /// Every test.
    Both,
    /// Only the slow ones, or some by name.
    Part,
}

impl Tiers {
    /// Returns the tests that these arguments and earlier commands of the session run.
    pub(crate) fn new(words: &[String]) -> Self {
        let has = |word: &str| words.iter().any(|one| one == word);
        let is_harmless = |word: &String| {
            ["--ignored", "--include-ignored", "--nocapture", "--no-capture", "--show-output", "--quiet", "-q"].contains(&word.as_str())
                || word.starts_with("--test-threads=")
        };
        let is_whole = words.iter().all(is_harmless);
        if is_whole && (has("--include-ignored") || has("--ignored") && has_run_fast()) {
            return Self::Both;
        }
        if !is_whole || has("--ignored") {
            return Self::Part;
        }
        summary_notes::add("tiers", "fast");
        Self::Fast
    }
}

/// Returns whether an earlier command of the session ran the fast tests.
fn has_run_fast() -> bool {
    std::fs::read_to_string(summary_notes::path("tiers")).is_ok_and(|ran| ran.lines().any(|tier| tier == "fast"))
}

/// Counts the slow tests in the source.
pub(crate) fn slow_tests() -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = ["src", "tests"].iter().map(|folder| root.join(folder)).collect();
    let mut slow = 0;
    while let Some(path) = open.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            open.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            slow += text.lines().filter(|line| line.trim_start().starts_with(SLOW)).count();
        }
    }
    slow
}
