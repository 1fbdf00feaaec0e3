//! `migrate import`

use std::path::{Path, PathBuf};

use clap::Args;

use crate::apply::{StaleChanges, journal, record_before};
use crate::cli::ceremony::Ceremony;
use crate::cli::context::{Context, is_attended};
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::{Failure, USAGE};
use crate::cli::execute::Execution;
use crate::cli::options::RouteOptions;
use crate::cli::past_run::{UnfinishedDecision, decide_about, mention_superseded, unfinished_of};
use crate::cli::recording;
use crate::cli::rehearsal::{self, RehearsalOptions};
use crate::cli::reports::ReportOptions;
use crate::cli::review::allowing;
use crate::cli::write_options::WriteOptions;
use crate::config::TenantSettings;
use crate::files::Lock;
use crate::model::approval::Approvals;
use crate::plan::file::SavedPlan;
use crate::plan::findings::{self, RiskCounts};
use crate::plan::guards::{self, PlanOrigin};
use crate::plan::plan_approval::{keep_approved, permitted};
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, file};
use crate::report::{self, PlanView};
use crate::workflow::history::{self, PastRun, folder_of};
use crate::workflow::run_name;
use crate::workflow::unfinished::{Starter, unfinished_between};
use crate::workflow::{
    self, Copy, Copyist, Environment, Prepared, Proposal, ReadTarget, Review, Session, attribute_stale, prepare, prepare_seen_by,
    protected, read, refuse_another_target, refuse_unmatched, rehearse, scope_of, source_side, unapproved,
};

/// Import the settings of a source into a target
///
/// Shows the plan, asks for confirmation, and applies it. Every change is recorded in a journal, so --resume can continue an interrupted run.
/// If a run is unfinished, the command asks whether to resume it; with --yes or without a terminal, the new run supersedes it.
///
/// If a resource exists in both tenants, the first import sets its fields and lists to the source's values. Later imports keep what was
/// changed directly in the target (see --drift). Only --prune deletes resources; such a plan is refused as a whole until the deletes are
/// approved.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    route: RouteOptions,
    #[command(flatten)]
    stop: Stop,
    /// Apply exactly this plan, saved by `migrate plan --out`
    #[arg(long, value_name = "FILE", help_heading = "Plan and run", conflicts_with_all = ["from", "mapping", "resume", "dry_run", "out", "prune", "drift", "kinds", "only", "exclude", "with_dependencies"])]
    plan: Option<PathBuf>,
    /// Resume an interrupted run, after showing what is left to do [default: the newest run on this target]
    #[arg(long, value_name = "RUN", help_heading = "Plan and run", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["from", "mapping", "dry_run", "out", "prune", "drift", "kinds", "only", "exclude", "with_dependencies"])]
    resume: Option<String>,
    /// Before and after the run, check the logins that the plan could break; sends no credentials and signs nobody in
    #[arg(long, help_heading = "Plan and run", conflicts_with_all = ["dry_run", "out", "resume", "rehearse"])]
    probe: bool,
    #[command(flatten)]
    rehearsal: RehearsalOptions,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
    #[command(flatten)]
    write: WriteOptions,
}

/// Why nothing more of a superseded run is sent.
const OVERTAKEN: &str = "superseded by a later run; plan again";

impl ImportArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let approved = self.write.approvals.approved()?;
        match (&self.plan, &self.resume) {
            (Some(path), _) => Box::pin(self.carry_out_file(context, path, &approved)).await,
            (None, Some(run)) => Box::pin(self.resume(context, run)).await,
            (None, None) if self.rehearsal.rehearse => self.rehearse(context, &approved).await,
            (None, None) => Box::pin(self.import(context, &approved)).await,
        }
    }

    async fn import(&self, context: &Context, approved: &Approvals) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let lock = if self.stop.is_wanted() { None } else { Some(self.write.lock(context, target).await?) };
        let route = self.route.route(context, &target.name)?;
        let source = source_side(environment, route.source.as_deref(), target)?.tenant;
        if let Some(past) = unfinished_between(environment, &source, target)
            && decide_about(context, &past, self.starter()).await? == UnfinishedDecision::Resume
            && let Some(lock) = &lock
        {
            return self.resume_run(context, target, (&past.folder, lock)).await;
        }
        let prepared = prepare(environment, &route).await?;
        let left = unapproved(prepared.refusals.clone(), approved, target, self.stop.review());
        let Some(lock) = lock else { return self.stop_after_the_plan(context, &prepared, &left) };
        let proposal = self.probed(environment, Proposal::of_prepared(prepared, left)).await?;
        self.ceremony(context, &proposal.plan).carry_out(proposal, &lock).await
    }

    /// Has the run probe the target, if that is wanted.
    async fn probed(&self, environment: &Environment, proposal: Proposal) -> Result<Proposal, Failure> {
        Ok(if self.probe { proposal.with_probe(environment).await? } else { proposal })
    }

    fn starter(&self) -> Starter {
        if self.stop.is_wanted() {
            Starter::DryRun
        } else if self.write.yes || !is_attended() {
            Starter::Unattended
        } else {
            Starter::Person
        }
    }

    /// Plans an import and executes it on a copy of the target.
    async fn rehearse(&self, context: &Context, approved: &Approvals) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let faults = self.rehearsal.faults()?;
        let copyist = Copyist::default();
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let route = self.route.route(context, &target.name)?;
        let source = source_side(environment, route.source.as_deref(), target)?.tenant;
        if let Some(past) = unfinished_between(environment, &source, target) {
            decide_about(context, &past, Starter::DryRun).await?;
        }
        let prepared = prepare_seen_by(environment, &route, Some(&copyist)).await?;
        // Nothing reaches the target, so that a job may rehearse what a person will review.
        let left = guards::unapproved(prepared.refusals.clone(), &approved.and(&target.approved));
        if prepared.plan.is_empty() || !left.is_empty() {
            return self.stop_after_the_plan(context, &prepared, &left);
        }
        let view = PlanView::new(&prepared.plan, &[]).with_estimate(Some(prepared.estimate()));
        context.show(|| report::plan(&view, context.layout()));
        let Next { command, allow, flags } = self.in_earnest(&prepared.plan);
        let next = context.command(command, allowing(&allow).into_iter().chain(flags));
        let copy = Copy { state: copyist.state(&prepared.plan.target.domain)?, faults, request_log: recording::open(None)? };
        let rehearsed = Box::pin(rehearse(environment, &route, prepared, copy)).await?;
        Ok(rehearsal::answer(context, &rehearsed, &next))
    }

    /// Returns the command that executes the plan.
    fn in_earnest(&self, plan: &Plan) -> Next {
        Next { command: self.route.import(plan), allow: self.write.approvals.allow.clone(), flags: self.write.secrets.to_shell() }
    }

    fn ceremony<'command>(&'command self, context: &'command Context, plan: &Plan) -> Ceremony<'command> {
        self.write.ceremony(context, "import", question(plan))
    }

    /// Ends a dry run after the plan.
    fn stop_after_the_plan(&self, context: &Context, prepared: &Prepared, unapproved: &[Refusal]) -> Result<u8, Failure> {
        let Prepared { plan, refusals, .. } = prepared;
        let planned = Planned { plan, refusals, unapproved, estimate: Some(prepared.estimate()) };
        self.stop.after(context, planned, self.in_earnest(plan))
    }

    async fn carry_out_file(&self, context: &Context, path: &Path, approved: &Approvals) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let SavedPlan { mut plan, refusals, approvals, .. } = file::load_saved(path)?;
        keep_approved(&mut plan, &approvals);
        let approved = &approved.and(&permitted(&approvals));
        if self.route.options.strict {
            refuse_unmatched(plan.mapping.as_ref().map_or(&[], |mapping| &mapping.unmatched))?;
        }
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        refuse_another_target(&plan, target)?;
        let lock = self.write.lock(context, target).await?;
        if let Some(past) = unfinished_between(environment, plan.source_tenant(), target) {
            mention_superseded(context, &past);
        }
        let tenant = environment.connect(target)?;
        let scope = scope_of(environment, &plan, &self.route.options.include)?;
        let live = read(environment, &tenant, target, &scope).await?;
        let mut stale = StaleChanges::since(&plan, &live).with_protected(&plan, &protected(target));
        record_before(&mut plan, &live);
        let note = attribute_stale(ReadTarget { environment, tenant: &tenant, live: &live }, &plan, &mut stale).await;
        plan.notes.extend(note);
        let refusals = workflow::refusals(environment, &mut plan, PlanOrigin::Saved(refusals), (&tenant, target)).await?;
        let left = unapproved(refusals.clone(), approved, target, Review::Saved);
        let proposal = Proposal::of_plan(plan, tenant, (refusals, left)).without_stale(stale).with_snapshot(live);
        let proposal = self.probed(environment, proposal).await?;
        self.ceremony(context, &proposal.plan).carry_out(proposal, &lock).await
    }

    async fn resume(&self, context: &Context, run: &str) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let lock = self.write.lock(context, target).await?;
        // A run that another process is executing is not interrupted, and may be finished once the lock is free.
        let folder = match run {
            "" => newest(&environment.folder("runs"), &target.name)?,
            run => folder_of(&environment.folder("runs"), run)?,
        };
        refuse_ended(&folder)?;
        self.resume_run(context, target, (&folder, &lock)).await
    }

    async fn resume_run(&self, context: &Context, target: &TenantSettings, (folder, lock): (&Path, &Lock)) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let command = context.resume(&target.name, folder, self.write.secrets.to_shell());
        context.terminal.set_closing("nothing more was sent".to_owned(), Some(report::resuming(&command)));
        let past = PastRun::read(folder.to_owned(), &folder.file_name().unwrap_or_default().to_string_lossy())?;
        // Nothing more of a superseded run is sent. What it applied before may be outdated, so a new plan is needed.
        let is_superseded = history::superseded_by(environment, &past.name, &past.plan).is_some();
        let begun = if is_superseded {
            Session::resume_lookups(environment, target, folder, lock, OVERTAKEN)?.without_state()
        } else {
            context.tell(report::remaining(unfinished_of(&past)).trim_end());
            Session::resume(environment, target, folder, lock, &self.route.options.include).await?
        };
        let begun = begun.with_sink(self.write.secrets.sink(&target.name)?);
        let changes = report::count(begun.plan.changes().count(), "change");
        let of_target = format!("\"{}\" ({})", target.name, target.domain);
        let question = if is_superseded {
            format!("A later run superseded {}; look up the outcome of its unresolved changes in {of_target}?", folder.display())
        } else {
            format!("Resume {}, {changes} to {of_target}?", folder.display())
        };
        context.confirm(&question, self.write.yes).await?;
        Execution::new(context, self.write.secrets.to_shell()).carry_out(begun).await?.answer(context)
    }
}

fn question(plan: &Plan) -> String {
    let counts = plan.counts();
    let changes = report::count(counts.creates + counts.updates + counts.deletions, "change");
    format!("Apply {changes}{} to \"{}\" ({})?", among_them(plan), plan.target.tenant, plan.target.domain)
}

/// Returns how many edits of a plan are dangerous: ` (33 lockout, 7 weakened)`; nothing if none is.
fn among_them(plan: &Plan) -> String {
    let RiskCounts { lockout, weakened, data_loss, .. } = findings::count(&findings::findings(plan));
    let counts = [(lockout, "lockout"), (weakened, "weakened"), (data_loss, "delete")];
    let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, risk)| format!("{count} {risk}")).collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}

/// Refuses to resume a finished run.
fn refuse_ended(folder: &Path) -> Result<(), Failure> {
    if !journal::is_ended(&folder.join("journal.jsonl"))? {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Err(Failure::new(USAGE, format!("run \"{name}\" has already finished"))
        .hint("run `migrate import` to plan again; `migrate runs` lists all runs"))
}

/// Returns the folder of the newest run on this target; older ones can only be resumed by name.
fn newest(folder: &Path, target: &str) -> Result<PathBuf, Failure> {
    let Some(newest) = run_name::begun_on(folder, target).next() else {
        let error = format!("no interrupted run on \"{target}\"");
        return Err(Failure::new(USAGE, error).hint("run `migrate import` to plan again"));
    };
    Ok(folder.join(newest))
}
