//! `migrate snapshots`

use std::num::NonZeroUsize;
use std::time::SystemTime;

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::report;
use crate::snapshot::Snapshot;
use crate::snapshot::versions::StoredSnapshot;
use crate::workflow::{RunSnapshots, Surplus, delete, snapshots, surplus};

/// List snapshots, newest first, or delete old ones
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct SnapshotsArgs {
    #[command(subcommand)]
    action: Option<SnapshotsAction>,
    /// Only snapshots of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
enum SnapshotsAction {
    Prune(PruneArgs),
}

/// Delete all but the newest snapshots of each tenant
///
/// Snapshots that past runs need are not deleted, so that you can restore the state before those runs, unless you pass --with-runs. Restricted
/// snapshots are counted separately.
#[derive(Debug, Args)]
struct PruneArgs {
    /// How many to keep of each tenant
    #[arg(long, value_name = "N")]
    keep: NonZeroUsize,
    /// Only snapshots of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Also delete snapshots that past runs need: you can still undo those runs, but no longer restore the state before them
    #[arg(long)]
    with_runs: bool,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl SnapshotsArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        if let Some(SnapshotsAction::Prune(prune)) = &self.action {
            return prune.run(context).await;
        }
        let (all, now) = (listed(context, self.tenant.as_deref())?, SystemTime::now());
        context.answer(|| report::snapshots(&all, now), || report::snapshots_json(&all, now, 0));
        Ok(0)
    }
}

impl PruneArgs {
    async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let of_runs = if self.with_runs { RunSnapshots::Delete } else { RunSnapshots::Keep };
        let all = listed(context, self.tenant.as_deref())?;
        let Surplus { going, kept_for_runs } = surplus(all, self.keep.get(), of_runs);
        let mut deleted = Vec::new();
        if !going.is_empty() {
            context.show(|| format!("To delete:\n\n{}\n", report::snapshots(&going, SystemTime::now())));
            if self.dry_run {
                context.answer(|| report::to_prune(&going), || report::to_prune_json(&going, &kept_for_runs, 0));
                return Ok(0);
            }
            let bytes = going.iter().map(|one| one.bytes).sum();
            let question = format!("Delete {} ({})?", report::count(going.len(), "snapshot"), report::size(bytes));
            context.confirm(&question, self.yes).await?;
            deleted = delete(context.environment()?, going)?;
        }
        context.answer(|| report::pruned(&deleted, &kept_for_runs), || report::pruned_json(&deleted, &kept_for_runs, 0));
        Ok(0)
    }
}

/// Returns the snapshots of a tenant, or of all. One that is not configured may have some.
fn listed(context: &Context, tenant: Option<&str>) -> Result<Vec<StoredSnapshot>, Failure> {
    let all = snapshots(context.environment()?, tenant)?;
    match tenant {
        Some(name) if all.is_empty() => drop(context.tenant_settings(Some(name))?),
        _ => {}
    }
    Ok(all)
}

/// Deletes all but the newest `keep` snapshots of a tenant, whole or restricted as this one is; returns those that are gone.
pub(super) fn keep_newest(context: &Context, like: &Snapshot, keep: NonZeroUsize) -> Result<Vec<StoredSnapshot>, Failure> {
    let mut all = snapshots(context.environment()?, Some(&like.tenant))?;
    all.retain(|one| one.is_partial == like.selection.is_some());
    Ok(delete(context.environment()?, surplus(all, keep.get(), RunSnapshots::Keep).going)?)
}
