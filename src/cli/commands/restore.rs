//! `migrate restore`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::Failure;
use crate::cli::options::SelectionOptions;
use crate::cli::reports::ReportOptions;
use crate::cli::write_options::WriteOptions;
use crate::plan::{Plan, Surviving};
use crate::report::{self, shell_word};
use crate::workflow::{PreparedRestore, Proposal, RestoreRoute, prepare_restore, unapproved};

/// Restore a tenant's own snapshot
///
/// Returns the tenant to the state in the snapshot. The same guards apply as for an import, but no mapping. Deleted resources are created again,
/// with new ids. Snapshots contain no secrets, so the plan lists the secrets that you have to set again. Resources created since the snapshot
/// stay, unless you pass --prune; such a plan is refused as a whole until the deletes are approved.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// The tenant to restore [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The snapshot: prod@RUN (the state before that run), prod@2026-11-22, prod@latest, or a folder
    #[arg(long, value_name = "SNAPSHOT")]
    from: String,
    #[command(flatten)]
    part: SelectionOptions,
    /// Also restore resources that the selected ones need and the tenant lacks
    #[arg(long, help_heading = "Selection")]
    with_dependencies: bool,
    /// Also include third-party clients: `--include third-party`
    #[arg(long, value_name = "WORD,..", value_delimiter = ',', help_heading = "Selection")]
    include: Vec<String>,
    /// Plan to delete resources created since the snapshot; without an approval of deletes, the whole plan is refused
    #[arg(long, help_heading = "Plan and run")]
    prune: bool,
    #[command(flatten)]
    stop: Stop,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
    #[command(flatten)]
    write: WriteOptions,
}

impl RestoreArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let approved = self.write.approvals.approved()?;
        let environment = context.environment()?;
        let target = context.tenant_settings(self.tenant.as_deref())?;
        let lock = if self.stop.is_wanted() { None } else { Some(self.write.lock(context, target).await?) };
        let prepared = prepare_restore(environment, &self.route(context, &target.name)?).await?;
        let left = unapproved(prepared.refusals.clone(), &approved, target, self.stop.review());
        let estimate = Some(prepared.estimate());
        let PreparedRestore { plan, refusals, tenant, live } = prepared;
        let Some(lock) = lock else {
            let planned = Planned { plan: &plan, refusals: &refusals, unapproved: &left, estimate };
            return self.stop.after(context, planned, self.in_earnest(&plan));
        };
        let (question, proposal) = (question(&plan), Proposal::of_plan(plan, tenant, (refusals, left)).with_snapshot(live));
        self.write.ceremony(context, "restore", question).carry_out(proposal, &lock).await
    }

    fn route(&self, context: &Context, target: &str) -> Result<RestoreRoute, Failure> {
        Ok(RestoreRoute {
            target: target.to_owned(),
            from: self.from.clone(),
            include: self.include.clone(),
            newer: if self.prune { Surviving::Deleted } else { Surviving::Stay },
            selection: self.part.selection(context)?,
            with_dependencies: self.with_dependencies,
        })
    }

    /// Returns the command that does what was planned, also when there is a newer snapshot by then.
    fn in_earnest(&self, plan: &Plan) -> Next {
        let from = plan.restores().unwrap_or(&self.from);
        let mut words = vec![format!("migrate restore --tenant {} --from {}", shell_word(&plan.target.tenant), shell_word(from))];
        words.extend(self.part.to_shell());
        let flags = [("--with-dependencies", self.with_dependencies), ("--prune", self.prune)];
        words.extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.to_owned()));
        if !self.include.is_empty() {
            words.push(format!("--include {}", shell_word(&self.include.join(","))));
        }
        Next { command: words.join(" "), allow: self.write.approvals.allow.clone(), flags: self.write.secrets.to_shell() }
    }
}

fn question(plan: &Plan) -> String {
    let changes = report::count(plan.changes().count(), "change");
    let from = plan.restores().unwrap_or_default();
    format!("Apply {changes} to \"{}\" ({}), restoring {from}?", plan.target.tenant, plan.target.domain)
}
