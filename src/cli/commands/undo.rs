//! `migrate undo`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::{Failure, USAGE};
use crate::cli::options::SelectionOptions;
use crate::cli::past_run::resume_of;
use crate::cli::reports::ReportOptions;
use crate::cli::write_options::WriteOptions;
use crate::config::TenantSettings;
use crate::export::Scope;
use crate::management_api::Tenant;
use crate::model::resource::Key;
use crate::model::selection::KeyPattern;
use crate::plan::guards::PlanOrigin;
use crate::plan::refusal::Refusal;
use crate::plan::{AppliedRun, Estimate, Plan, undo};
use crate::report;
use crate::snapshot::Snapshot;
use crate::workflow::history::PastRun;
use crate::workflow::{
    Error, Proposal, ReadTarget, attribute_undo, includable, included, read, refusals, refuse_another_target, scope_naming, unapproved,
};

/// Undo a run
///
/// Restores the values from before the run. Values that have changed since the run are skipped and reported. Resources that the run created
/// are deleted: until these deletes are approved, the whole undo is refused. An undo is itself a run, so you can undo it.
#[derive(Debug, Args)]
pub(in crate::cli) struct UndoArgs {
    /// The run, as `migrate runs` lists it
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    part: SelectionOptions,
    #[command(flatten)]
    stop: Stop,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
    #[command(flatten)]
    write: WriteOptions,
}

/// What takes a run back.
struct PlannedUndo {
    plan: Plan,
    refusals: Vec<Refusal>,
    /// The target as it is.
    live: Snapshot,
}

impl UndoArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let approved = self.write.approvals.approved()?;
        let past = PastRun::load(context.environment()?, &self.run)?;
        let target = context.tenant_settings(Some(&past.plan.target.tenant))?;
        refuse_another_target(&past.plan, target)?;
        let lock = if self.stop.is_wanted() { None } else { Some(self.write.lock(context, target).await?) };
        // The process that held the lock may have resumed the run.
        let past = PastRun::load(context.environment()?, &self.run)?;
        refuse_cut_off(context, &past)?;
        let tenant = context.environment()?.connect(target)?;
        let PlannedUndo { plan, refusals, live } = self.planned(context, &past, &tenant, target).await?;
        let left = unapproved(refusals.clone(), &approved, target, self.stop.review());
        let Some(lock) = lock else {
            let estimate = Some(Estimate::new(&plan, tenant.known_limits()));
            let planned = Planned { plan: &plan, refusals: &refusals, unapproved: &left, estimate };
            return self.stop.after(context, planned, self.in_earnest());
        };
        let (question, proposal) = (self.question(&plan), Proposal::of_plan(plan, tenant, (refusals, left)).with_snapshot(live));
        self.write.ceremony(context, "undo", question).carry_out(proposal, &lock).await
    }

    /// Reads the target and plans how to revert the run, which may involve resources that are excluded by default.
    async fn planned(&self, context: &Context, past: &PastRun, tenant: &Tenant, target: &TenantSettings) -> Result<PlannedUndo, Failure> {
        let selection = self.part.selection(context)?;
        let is_meant = |key: &Key| selection.has(key);
        if !past.plan.changes().any(|change| is_meant(&change.key)) && !past.plan.is_empty() {
            let error = format!("the run changed nothing that matches {selection}");
            return Err(Failure::new(USAGE, error).hint(format!("`migrate show {}` lists what it changed", past.name)));
        }
        let include: Vec<String> = includable(context.catalog).into_iter().map(str::to_owned).collect();
        let scope = if selection.is_everything() {
            Scope { include: included(context.catalog, &include)?, ..Scope::default() }
        } else {
            let changed = past.plan.changes().map(|change| &change.key).filter(|key| is_meant(key));
            let named = past.plan.known.keys().chain(past.plan.before.iter().map(|one| &one.key));
            scope_naming(context.environment()?, changed.chain(named), true, &include)?
        };
        let live = read(context.environment()?, tenant, target, &scope).await?;
        let (arrived, applied) = (past.arrived(), past.applied());
        let again = past.made_again(context.environment()?).map_err(|error| unfinished(context, error))?;
        let done = AppliedRun { name: &past.name, plan: &arrived, applied: &applied, unclear: &past.record.unclear, again: &again };
        let (mut plan, desired) = undo(context.catalog, done, &live, &is_meant);
        plan.restrict(&selection, &live);
        attribute_undo(ReadTarget { environment: context.environment()?, tenant, live: &live }, past, &mut plan).await;
        if let Some(undoes) = &mut plan.undoes {
            undoes.only = selection
                .kinds
                .iter()
                .map(String::as_str)
                .chain(selection.only.iter().map(KeyPattern::as_str))
                .map(str::to_owned)
                .collect();
        }
        let (source, target_name) = (&past.plan.source.tenant, &target.name);
        if !plan.is_empty() && past.plan.undoes.is_none() && source != target_name {
            plan.notes
                .push(format!("{source} still has what this undo takes back: change it there too, or the next import applies it again"));
        }
        let origin = PlanOrigin::Tenant { desired: &desired, live: &live };
        let refusals = refusals(context.environment()?, &mut plan, origin, (tenant, target)).await?;
        Ok(PlannedUndo { plan, refusals, live })
    }

    /// Returns the command that executes the plan.
    fn in_earnest(&self) -> Next {
        let words = [vec![format!("migrate undo {}", self.run)], self.part.to_shell()].concat();
        Next { command: words.join(" "), allow: self.write.approvals.allow.clone(), flags: self.write.secrets.to_shell() }
    }

    fn question(&self, plan: &Plan) -> String {
        let changes = report::count(plan.changes().count(), "change");
        format!("Apply {changes} to \"{}\" ({}) to undo {}?", plan.target.tenant, plan.target.domain, self.run)
    }
}

/// The state to report when an undo fails before its first write: nothing more precise, since the undone run did write.
const UNDO_WROTE_NOTHING: &str = "this undo wrote nothing";

/// Refuses to undo an interrupted run: changes with unknown outcomes cannot be reverted.
fn refuse_cut_off(context: &Context, past: &PastRun) -> Result<(), Failure> {
    if !past.is_to_go_on() {
        return Ok(());
    }
    let error = format!("the run \"{}\" was interrupted; {}", past.name, report::state(&past.summary));
    Err(Failure::new(USAGE, error).hint(format!("resume it first:  {}", resume_of(context, past))).with_state(UNDO_WROTE_NOTHING))
}

/// Converts an error; for an interrupted undo, adds the command that resumes it.
fn unfinished(context: &Context, error: Error) -> Failure {
    let hint = match &error {
        Error::UnfinishedUndo { target, folder, .. } => Some(context.resume(target, folder, Vec::new())),
        _ => None,
    };
    let failure = Failure::from(error).or_state(UNDO_WROTE_NOTHING);
    hint.into_iter().fold(failure, |failure, resume| failure.hint(format!("resume it first:  {resume}")))
}
