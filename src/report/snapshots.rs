//! The snapshots on disk, and those that were deleted.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::format::{count, number};
use super::head::rough;
use super::json::answer;
use super::table::Table;
use crate::model::selection::Selection;
use crate::snapshot::versions::{StoredContent, StoredSnapshot};

/// Returns snapshots as a table.
pub(crate) fn snapshots(all: &[StoredSnapshot], now: SystemTime) -> String {
    if all.is_empty() {
        return "No snapshots yet; `migrate export` writes one.\n".to_owned();
    }
    let mut table = Table::new(&["snapshot", "age", "resources", "kinds", "size", "contents", "kept by run"]);
    for one in all {
        table.row(row(one, now));
    }
    table.text()
}

fn row(one: &StoredSnapshot, now: SystemTime) -> [String; 7] {
    let kept_by = match one.kept_by.as_slice() {
        [] => String::new(),
        [run] => run.clone(),
        [run, rest @ ..] => format!("{run} and {} more", number(rest.len())),
    };
    let size = size(one.bytes);
    let Some(content) = &one.content else {
        let blank = String::new;
        return [one.reference(), blank(), blank(), blank(), size, "its manifest cannot be read".to_owned(), kept_by];
    };
    let age = age(content, now).map(rough).unwrap_or_default();
    let holds = content.selection.as_ref().map_or_else(|| "everything".to_owned(), Selection::to_string);
    [one.reference(), age, number(content.resources), number(content.kinds), size, holds, kept_by]
}

fn age(content: &StoredContent, now: SystemTime) -> Option<Duration> {
    now.duration_since(humantime::parse_rfc3339_weak(&content.taken).ok()?).ok()
}

/// Returns a size in its largest unit: `1.2 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotsFields<'a> {
    snapshots: Vec<StoredFields<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct StoredFields<'a> {
    snapshot: String,
    tenant: &'a str,
    path: &'a std::path::Path,
    bytes: u64,
    is_partial: bool,
    is_readable: bool,
    #[serde(flatten)]
    content: Option<StoredContentFields<'a>>,
    kept_by: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct StoredContentFields<'a> {
    domain: &'a str,
    taken: &'a str,
    age_seconds: Option<u64>,
    resources: usize,
    kinds: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<&'a Selection>,
}

impl<'a> StoredFields<'a> {
    fn new(one: &'a StoredSnapshot, now: SystemTime) -> Self {
        let StoredSnapshot { tenant, path, bytes, is_partial, content, kept_by, .. } = one;
        let fields = |content: &'a StoredContent| StoredContentFields {
            domain: &content.domain,
            taken: &content.taken,
            age_seconds: age(content, now).map(|age| age.as_secs()),
            resources: content.resources,
            kinds: content.kinds,
            selection: content.selection.as_ref(),
        };
        let content = content.as_ref().map(fields);
        let (is_partial, is_readable) = (*is_partial, content.is_some());
        Self { snapshot: one.reference(), tenant, path, bytes: *bytes, is_partial, is_readable, content, kept_by }
    }
}

/// Returns snapshots as JSON.
pub(crate) fn snapshots_json(all: &[StoredSnapshot], now: SystemTime, exit: u8) -> Value {
    answer(&SnapshotsFields { snapshots: all.iter().map(|one| StoredFields::new(one, now)).collect() }, exit)
}

/// Returns which snapshots were deleted, and how many old ones stay because runs need them.
pub(crate) fn pruned(deleted: &[StoredSnapshot], kept_for_runs: &[StoredSnapshot]) -> String {
    let kept = match kept_for_runs.len() {
        0 => String::new(),
        kept => format!(
            "{} of past runs kept; --with-runs deletes them too, and those runs can then be undone but no longer restored.\n",
            count(kept, "older snapshot")
        ),
    };
    if deleted.is_empty() {
        return format!("Nothing to delete.\n{kept}");
    }
    let bytes = deleted.iter().map(|one| one.bytes).sum();
    format!("Deleted {} ({}).\n{kept}", count(deleted.len(), "snapshot"), size(bytes))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct PrunedFields {
    deleted: Vec<String>,
    /// What a dry run did not delete.
    to_delete: Vec<String>,
    kept_for_runs: Vec<String>,
}

/// Returns the same as JSON.
pub(crate) fn pruned_json(deleted: &[StoredSnapshot], kept_for_runs: &[StoredSnapshot], exit: u8) -> Value {
    answer(&PrunedFields { deleted: names(deleted), to_delete: Vec::new(), kept_for_runs: names(kept_for_runs) }, exit)
}

/// Returns the last line of a dry run, whose list says what would be deleted.
pub(crate) fn to_prune(going: &[StoredSnapshot]) -> String {
    format!("Nothing was deleted. Without --dry-run, {} would be.\n", count(going.len(), "snapshot"))
}

/// Returns a dry run as JSON.
pub(crate) fn to_prune_json(going: &[StoredSnapshot], kept_for_runs: &[StoredSnapshot], exit: u8) -> Value {
    answer(&PrunedFields { deleted: Vec::new(), to_delete: names(going), kept_for_runs: names(kept_for_runs) }, exit)
}

fn names(snapshots: &[StoredSnapshot]) -> Vec<String> {
    snapshots.iter().map(StoredSnapshot::reference).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_list_says_how_old_and_how_big_each_is_and_which_run_goes_by_it() {
        let at = |name: &str, kept_by: &[&str], content: Option<StoredContent>| StoredSnapshot {
            tenant: "dev".into(),
            name: name.into(),
            path: PathBuf::from("snapshots/dev").join(name),
            is_partial: false,
            bytes: 1_234_567,
            content,
            kept_by: kept_by.iter().map(|run| (*run).to_owned()).collect(),
        };
        let content =
            |taken: &str| Some(StoredContent { domain: "d".into(), taken: taken.into(), resources: 1_200, kinds: 28, selection: None });
        let all = [
            at("2026-11-28T02-30-00Z", &["run-2", "run-1"], content("2026-11-28T02:30:00Z")),
            at("2026-11-20T02-30-00Z", &[], content("2026-11-20T02:30:00Z")),
            at("2026-11-19T02-30-00Z", &[], None),
        ];
        let now = humantime::parse_rfc3339("2026-11-28T03:30:00Z").expect("a time");
        insta::assert_snapshot!(snapshots(&all, now), @r"
        snapshot                  age     resources  kinds  size    contents                     kept by run
        dev@2026-11-28T02-30-00Z  1 hour  1,200      28     1.2 MB  everything                   run-2 and 1 more
        dev@2026-11-20T02-30-00Z  8 days  1,200      28     1.2 MB  everything
        dev@2026-11-19T02-30-00Z                            1.2 MB  its manifest cannot be read
        ");
    }

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        assert_eq!([812, 1_000, 1_999, 3_450_000].map(size), ["812 B", "1.0 kB", "1.9 kB", "3.4 MB"]);
    }
}
