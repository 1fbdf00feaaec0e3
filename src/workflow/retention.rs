//! The snapshots on disk with the runs that need them, and which ones pruning deletes.

use super::environment::Environment;
use super::error::Error;
use super::kept_snapshots::kept_by_runs;
use crate::snapshot::versions::{self, StoredSnapshot};

/// What happens to an old snapshot that a run needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunSnapshots {
    /// It stays, so that the run can be restored.
    Keep,
    /// It is deleted like any other.
    Delete,
}

/// Snapshots that are older than those to be kept.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    /// Those to delete.
    pub(crate) going: Vec<StoredSnapshot>,
    /// Those that stay because runs need them.
    pub(crate) kept_for_runs: Vec<StoredSnapshot>,
}

/// Returns the snapshots of a tenant, or of all, each with the runs that need it: by tenant, the newest first.
pub(crate) fn snapshots(environment: &Environment, tenant: Option<&str>) -> Result<Vec<StoredSnapshot>, Error> {
    let mut kept = kept_by_runs(environment);
    let mut all = versions::all(&environment.folder("snapshots"))?;
    all.retain(|one| tenant.is_none_or(|tenant| one.tenant == tenant));
    for one in &mut all {
        one.kept_by = one.path.canonicalize().ok().and_then(|path| kept.remove(&path)).unwrap_or_default();
    }
    Ok(all)
}

/// Returns what of these snapshots is older than the newest `keep` of each tenant; restricted ones are counted by themselves.
///
/// One whose manifest cannot be read is not counted and not deleted: nobody knows what it is.
pub(crate) fn surplus(all: Vec<StoredSnapshot>, keep: usize, of_runs: RunSnapshots) -> Surplus {
    let mut surplus = Surplus::default();
    let mut counted: Option<((String, bool), usize)> = None;
    for one in all.into_iter().filter(|one| one.content.is_some()) {
        let group = (one.tenant.clone(), one.is_partial);
        let count = counted.filter(|(before, _)| *before == group).map_or(1, |(_, count)| count + 1);
        counted = Some((group, count));
        if count <= keep {
            continue;
        }
        let is_kept = of_runs == RunSnapshots::Keep && !one.kept_by.is_empty();
        if is_kept { &mut surplus.kept_for_runs } else { &mut surplus.going }.push(one);
    }
    surplus
}

/// Deletes snapshots, the oldest first; returns those that are gone. A snapshot that a run has come to need in the meantime stays.
pub(crate) fn delete(environment: &Environment, going: Vec<StoredSnapshot>) -> Result<Vec<StoredSnapshot>, Error> {
    let mut deleted = Vec::new();
    for one in going.into_iter().rev() {
        let is_new = |run: &String| !one.kept_by.contains(run);
        let now = one.path.canonicalize().ok().and_then(|path| kept_by_runs(environment).remove(&path)).unwrap_or_default();
        if !now.iter().any(is_new) {
            versions::remove(&one.path)?;
            deleted.push(one);
        }
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::snapshot::versions::StoredContent;

    fn stored(tenant: &str, name: &str, kept_by: &[&str]) -> StoredSnapshot {
        let content = StoredContent { domain: String::new(), taken: name.to_owned(), resources: 1, kinds: 1, selection: None };
        let kept_by = kept_by.iter().map(|run| (*run).to_owned()).collect();
        let path = PathBuf::from(name);
        StoredSnapshot {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            path,
            is_partial: false,
            bytes: 1,
            content: Some(content),
            kept_by,
        }
    }

    fn names(snapshots: &[StoredSnapshot]) -> Vec<&str> {
        snapshots.iter().map(|one| one.name.as_str()).collect()
    }

    fn all() -> Vec<StoredSnapshot> {
        let unreadable = StoredSnapshot { content: None, ..stored("dev", "d0", &[]) };
        let partial = StoredSnapshot { is_partial: true, ..stored("dev", "p1", &[]) };
        vec![
            unreadable,
            stored("dev", "d3", &[]),
            stored("dev", "d2", &["run"]),
            stored("dev", "d1", &[]),
            partial,
            stored("prod", "t1", &[]),
        ]
    }

    #[test]
    fn the_newest_of_each_tenant_stay_and_so_do_those_that_runs_go_by() {
        let Surplus { going, kept_for_runs } = surplus(all(), 1, RunSnapshots::Keep);
        assert_eq!((names(&going), names(&kept_for_runs)), (vec!["d1"], vec!["d2"]));
        let Surplus { going, kept_for_runs } = surplus(all(), 1, RunSnapshots::Delete);
        assert_eq!((names(&going), names(&kept_for_runs)), (vec!["d2", "d1"], vec![]));
        assert!(surplus(all(), 3, RunSnapshots::Delete).going.is_empty());
    }
}
