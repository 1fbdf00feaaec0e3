//! Renders what `migrate init` wrote, and what it left as it was.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::format::{enumeration, printable};
use super::json::answer;
use super::style::{TITLE, styled};
use super::table::Table;
use crate::model::checkup::{Check, Checkup};

/// A file of a new configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct SetUpEntry {
    /// Its path.
    pub(crate) path: PathBuf,
    /// What became of it: `created`, `extended`, `unchanged`.
    pub(crate) outcome: &'static str,
    /// What exists already and stays, although something else would have been written.
    pub(crate) kept: Vec<String>,
}

/// Renders the files of a new configuration.
pub(crate) fn set_up(files: &[SetUpEntry]) -> String {
    let mut table = Table::new(&["file", "what", "note"]);
    for SetUpEntry { path, outcome, kept } in files {
        let note = if kept.is_empty() { String::new() } else { format!("{} existed already and stays", enumeration(kept)) };
        table.row([printable(&path.display().to_string()).into_owned(), (*outcome).to_owned(), note]);
    }
    format!("{}\n{}", styled(TITLE, "Files"), table.body().lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>().concat())
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SetUpFields<'a> {
    files: &'a [SetUpEntry],
    checks: &'a [Check],
    suggested_rules: Option<usize>,
    next: &'a str,
}

/// Returns the same as JSON; without the number of rules, no mapping could be suggested.
pub(crate) fn set_up_json(files: &[SetUpEntry], (checkup, suggested_rules): (&Checkup, Option<usize>), next: &str, exit: u8) -> Value {
    answer(&SetUpFields { files, checks: &checkup.checks, suggested_rules, next }, exit)
}
