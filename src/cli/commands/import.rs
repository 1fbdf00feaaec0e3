//! `migrate import`

use std::path::{Path, PathBuf};

use clap::Args;

use crate::apply::{StaleChanges, journal, record_before};
use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Refusals, Stop};
use crate::cli::error::{Failure, USAGE};
use crate::cli::execute::{carry_out, nothing_to_do};
use crate::cli::history::{self, folder_of};
use crate::cli::lock::{LockTimeout, lock};
use crate::cli::prepare::{Prepared, Route, prepare, prepare_seen_by, protected, read};
use crate::cli::rehearsal::{Copyist, Rehearsing, rehearse};
use crate::cli::review::{Review, allowing, approved, preflight, show_acknowledged, standing};
use crate::cli::secrets_to::Secrets;
use crate::cli::session::{Session, agree, refuse_another_target};
use crate::model::approval::Approvals;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, file};
use crate::report;

/// Make a target hold what a source holds
///
/// Shows the plan, asks, and carries it out with a journal. A run that was cut off goes on with --resume. No resource of the
/// target is removed, unless --prune and --allow deletes say so; lists and fields that both sides have become the source's.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    route: Route,
    #[command(flatten)]
    stop: Stop,
    /// Carry out exactly this plan, made by `migrate plan --out`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "mapping", "resume", "dry_run", "out", "prune", "drift"])]
    plan: Option<PathBuf>,
    /// Go on with a run that was cut off [default: the newest one of this target]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["from", "mapping", "dry_run", "out", "prune", "drift"])]
    resume: Option<String>,
    /// Approve what a guard finds, all or by resource ('lockout-risk:clients/Billing*'): many-changes, leak, deletes, lockout-risk,
    /// weaker-protection, no-baseline
    #[arg(long, value_name = "GUARD,..", value_delimiter = ',')]
    allow: Vec<String>,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    rehearsing: Rehearsing,
    /// Write without being asked
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    patience: LockTimeout,
}

/// Why nothing more of an overtaken run is sent.
const OVERTAKEN: &str = "a later run came after this one; plan again";

impl Import {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let approved = approved(&self.allow)?;
        match (&self.plan, &self.resume) {
            (Some(path), _) => self.carry_out_file(context, path, &approved).await,
            (None, Some(run)) => self.resume(context, run).await,
            (None, None) if self.rehearsing.rehearse => self.rehearse(context, &approved).await,
            (None, None) => self.import(context, &approved).await,
        }
    }

    async fn import(&self, context: &Context, approved: &Approvals) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let lock = if self.stop.is_wanted() { None } else { Some(lock(context, target, self.patience).await?) };
        let prepared = prepare(context, &self.route).await?;
        let standing = standing(prepared.refusals.clone(), approved, target, self.stop.review());
        let Some(lock) = lock else { return self.stop_after_the_plan(context, &prepared, &standing) };
        // What a guard refuses is refused where nothing would be written too: a dry run says the same.
        if prepared.plan.is_empty() && standing.is_empty() {
            return Ok(nothing_to_do(context, &agree(prepared)?));
        }
        context.show(|| report::plan(&prepared.plan, &standing, ""));
        preflight(context, &prepared.plan, &prepared.tenant, &standing, &self.allow).await?;
        let keeper = self.secrets.keeper(&prepared.plan.target.tenant)?;
        show_acknowledged(context, &prepared.refusals);
        context.confirm(&question(&prepared.plan), self.yes)?;
        let begun = Session::of(context, prepared, &lock, "import")?.with_keeper(keeper, &self.secrets);
        Ok(carry_out(context, begun).await?.answer(context))
    }

    /// Makes the plan of an import, and carries it out on a copy of the target.
    async fn rehearse(&self, context: &Context, approved: &Approvals) -> Result<u8, Failure> {
        let faults = self.rehearsing.faults()?;
        let copyist = Copyist::default();
        let prepared = prepare_seen_by(context, &self.route, Some(&copyist)).await?;
        // Nothing of it reaches the target, so that a job may rehearse what a person is to look at.
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let standing = guards::unapproved(prepared.refusals.clone(), &approved.and(&target.approved));
        if prepared.plan.is_empty() || !standing.is_empty() {
            return self.stop_after_the_plan(context, &prepared, &standing);
        }
        context.show(|| report::plan(&prepared.plan, &[], ""));
        preflight(context, &prepared.plan, &prepared.tenant, &[], &self.allow).await?;
        let Next { verb, flags } = self.in_earnest(&prepared.plan);
        let next = context.command(verb, flags);
        let copy = copyist.state(&prepared.plan.target.domain)?;
        let rehearsed = Box::pin(rehearse(context, &self.route, prepared, copy, faults)).await?;
        let (told, code) = (rehearsed.told(), rehearsed.code());
        context.answer(|| report::rehearsal(&told, &next), || report::rehearsal_json(&told, code));
        Ok(code)
    }

    /// Returns the command that does what was planned.
    fn in_earnest(&self, plan: &Plan) -> Next {
        Next { verb: self.route.import(plan), flags: allowing(&self.allow).into_iter().chain(self.secrets.typed()).collect() }
    }

    /// A dry run is an import that ends here.
    fn stop_after_the_plan(&self, context: &Context, prepared: &Prepared, standing: &[Refusal]) -> Result<u8, Failure> {
        let Prepared { plan, refusals, .. } = prepared;
        self.stop.after(context, plan, Refusals { all: refusals, standing }, self.in_earnest(plan))
    }

    async fn carry_out_file(&self, context: &Context, path: &Path, approved: &Approvals) -> Result<u8, Failure> {
        let (mut plan, refusals) = file::load(path)?;
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        refuse_another_target(&plan, target)?;
        let lock = lock(context, target, self.patience).await?;
        let tenant = context.connect(target)?;
        let live = read(context, &tenant, target, &self.route.manner.include).await?;
        let moved = StaleChanges::since(context.catalog, &plan, &live).without_protected(&plan, &protected(target));
        record_before(context.catalog, &mut plan, &live);
        let mut refusals = guards::of_saved(context.catalog, &plan, refusals, target.most_changed);
        refusals.extend(guards::secrets(context.catalog, &plan, &|field| context.secret(field)));
        let standing = standing(refusals.clone(), approved, target, Review::Saved);
        preflight(context, &plan, &tenant, &standing, &self.allow).await?;
        if plan.is_empty() {
            return Ok(nothing_to_do(context, &plan));
        }
        context.show(|| report::plan(&plan, &[], ""));
        let keeper = self.secrets.keeper(&plan.target.tenant)?;
        show_acknowledged(context, &refusals);
        context.confirm(&question(&plan), self.yes)?;
        let begun = Session::of_plan(context, plan, tenant, moved, &lock, "import")?.with_keeper(keeper, &self.secrets);
        Ok(carry_out(context, begun).await?.answer(context))
    }

    async fn resume(&self, context: &Context, run: &str) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let lock = lock(context, target, self.patience).await?;
        // A run that somebody else is at is not cut off, and may be over once the lock is free.
        let folder = match run {
            "" => newest(&context.folder("runs")?, &target.name)?,
            run => folder_of(&context.folder("runs")?, run)?,
        };
        refuse_ended(&folder)?;
        // Of an overtaken run nothing more is sent, and what it applied before is not the last that is known of it: another plan finds that out.
        let is_overtaken = is_overtaken(context, &folder)?;
        let begun = if is_overtaken {
            Session::looked_up(context, target, &folder, &lock, OVERTAKEN)?.unremembered()
        } else {
            Session::again(context, target, &folder, &lock, &self.route.manner.include).await?
        };
        let begun = begun.with_keeper(self.secrets.keeper(&target.name)?, &self.secrets);
        let changes = report::count(begun.plan.changes().count(), "change");
        let of_target = format!("\"{}\" ({})", target.name, target.domain);
        let question = if is_overtaken {
            format!("A later run came after {}; look up in {of_target} what it left in doubt?", folder.display())
        } else {
            format!("Go on with {}, {changes} to {of_target}?", folder.display())
        };
        context.confirm(&question, self.yes)?;
        Ok(carry_out(context, begun).await?.answer(context))
    }
}

fn question(plan: &Plan) -> String {
    let counts = plan.counts();
    let changes = report::count(counts.creates + counts.updates + counts.deletions, "change");
    format!("Apply {changes} to \"{}\" ({})?", plan.target.tenant, plan.target.domain)
}

/// A run that came to its end is left as it is.
fn refuse_ended(folder: &Path) -> Result<(), Failure> {
    if !journal::is_ended(&folder.join("journal.jsonl"))? {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Err(Failure::new(USAGE, format!("nothing was written: the run \"{name}\" came to its end"))
        .hint("`migrate import` plans anew; `migrate runs` lists all runs"))
}

/// Returns whether a later run between the same two tenants came after the run in a folder.
fn is_overtaken(context: &Context, folder: &Path) -> Result<bool, Failure> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let (plan, _) = file::load(&folder.join("plan.json"))?;
    Ok(history::overtaken_by(context, &name, &plan)?.is_some())
}

/// Returns the folder of the newest run on this target; what it overtook is gone on with by name only.
fn newest(folder: &Path, target: &str) -> Result<PathBuf, Failure> {
    let Some(newest) = history::begun_on(folder, target).next() else {
        let state = format!("nothing was written: no run of \"{target}\" was cut off");
        return Err(Failure::new(USAGE, state).hint("`migrate import` plans anew"));
    };
    Ok(folder.join(newest))
}
