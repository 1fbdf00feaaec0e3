//! `migrate import`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::apply::{Moved, journal};
use crate::cli::carry_out::{Begun, Ended, carry_out};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, INCOMPLETE, REFUSED, USAGE};
use crate::cli::lock::{Patience, lock};
use crate::cli::memory::Memory;
use crate::cli::prepare::{Prepared, Route, allowed, preflight, prepare, prepare_before, read};
use crate::cli::rehearsal::{Copyist, Rehearsing, rehearse};
use crate::cli::runs::{self, folder_of};
use crate::cli::secrets_to::Secrets;
use crate::cli::settings::TenantSettings;
use crate::disk::Lock;
use crate::plan::guard::{self, Refusal};
use crate::plan::{Plan, file};
use crate::report;
use crate::tenant::Tenant;

/// Make a target hold what a source holds
///
/// Shows the plan, asks, and carries it out with a journal. A run that was cut off goes on with --resume. No resource of the
/// target is removed, unless --prune and --allow deletes say so; lists and fields that both sides have become the source's.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    route: Route,
    /// Stop after the plan
    #[arg(long, conflicts_with_all = ["resume", "plan"])]
    dry_run: bool,
    /// Carry out exactly this plan, made by `migrate plan --out`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "mapping", "resume"])]
    plan: Option<PathBuf>,
    /// Go on with a run that was cut off [default: the newest one of this target]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["from", "mapping"])]
    resume: Option<String>,
    /// Acknowledge a guard: many-changes, leak, deletes, critical
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
    patience: Patience,
}

impl Import {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let allowed = allowed(&self.allow)?;
        match (&self.plan, &self.resume) {
            (Some(path), _) => self.carry_out_file(context, path, &allowed).await,
            (None, Some(run)) => self.resume(context, run).await,
            (None, None) if self.rehearsing.rehearse => self.rehearse(context, &allowed).await,
            (None, None) => self.import(context, &allowed).await,
        }
    }

    async fn import(&self, context: &Context, allowed: &BTreeSet<String>) -> Result<u8, Failure> {
        let lock = if self.dry_run {
            None
        } else {
            Some(lock(context, &context.tenant_settings(self.route.tenant.as_deref())?.name, self.patience).await?)
        };
        let prepared = prepare(context, &self.route).await?;
        let standing = guard::standing(prepared.refusals.clone(), allowed);
        let Some(lock) = lock else { return Ok(self.stop_after_the_plan(context, &prepared.plan, &standing)) };
        // What a guard refuses is refused where nothing would be written too: a dry run says the same.
        if prepared.plan.is_empty() && standing.is_empty() {
            let plan = agree(prepared)?;
            context.answer(|| report::plan(&plan, &[], ""), || report::plan_json(&plan, &[], exit_of(&plan)));
            return Ok(exit_of(&plan));
        }
        context.show(|| report::plan(&prepared.plan, &standing, ""));
        preflight(context, &prepared.plan, &prepared.tenant, &standing).await?;
        let keeper = self.secrets.keeper(&prepared.plan.target.tenant)?;
        context.confirm(&question(&prepared.plan), self.yes)?;
        let Started { plan, tenant, mut memory, begun } = Started::of(context, prepared, &lock, "import")?;
        let ended = carry_out(context, &plan, begun.with_keeper(keeper), &tenant, Moved::default(), Some(&mut memory)).await?;
        Ok(ended.answer(context, &plan))
    }

    /// Makes the plan of an import, and carries it out on a copy of the target.
    async fn rehearse(&self, context: &Context, allowed: &BTreeSet<String>) -> Result<u8, Failure> {
        let faults = self.rehearsing.faults()?;
        let copyist = Copyist::default();
        let prepared = prepare_before(context, &self.route, Some(&copyist)).await?;
        let standing = guard::standing(prepared.refusals.clone(), allowed);
        if prepared.plan.is_empty() || !standing.is_empty() {
            return Ok(self.stop_after_the_plan(context, &prepared.plan, &standing));
        }
        context.show(|| report::plan(&prepared.plan, &[], ""));
        preflight(context, &prepared.plan, &prepared.tenant, &[]).await?;
        let next = self.in_earnest(context, &prepared.plan);
        let copy = copyist.state(&prepared.plan.target.domain)?;
        let rehearsed = Box::pin(rehearse(context, &self.route, prepared, copy, faults)).await?;
        let (told, code) = (rehearsed.told(), rehearsed.code());
        context.answer(|| report::rehearsal(&told, &next), || report::rehearsal_json(&told, code));
        Ok(code)
    }

    /// Returns the command that does what was planned.
    fn in_earnest(&self, context: &Context, plan: &Plan) -> String {
        let allow = if self.allow.is_empty() { String::new() } else { format!(" --allow {}", self.allow.join(",")) };
        format!("{}{allow}", self.route.next_command(context, plan))
    }

    /// A dry run is an import that ends here.
    fn stop_after_the_plan(&self, context: &Context, plan: &Plan, standing: &[Refusal]) -> u8 {
        let code = if standing.is_empty() { 0 } else { REFUSED };
        let next = self.in_earnest(context, plan);
        context.answer(|| report::plan(plan, standing, &next), || report::plan_json(plan, standing, code));
        code
    }

    async fn carry_out_file(&self, context: &Context, path: &Path, allowed: &BTreeSet<String>) -> Result<u8, Failure> {
        let (plan, refusals) = file::load(path)?;
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        refuse_another_target(&plan, &target.name, &target.domain)?;
        let lock = lock(context, &plan.target.tenant, self.patience).await?;
        let tenant = context.connect(target)?;
        let live = read(context, &tenant, target, &self.route.manner.include).await?;
        let moved = Moved::since(context.catalog, &plan, &live);
        let mut refusals: Vec<Refusal> = refusals.into_iter().filter(|refusal| refusal.guard != "secrets").collect();
        refusals.extend(guard::secrets(&plan, &|field| context.secret(field).is_some()));
        let standing = guard::standing(refusals, allowed);
        preflight(context, &plan, &tenant, &standing).await?;
        context.show(|| report::plan(&plan, &standing, ""));
        if plan.is_empty() {
            return Ok(exit_of(&plan));
        }
        let keeper = self.secrets.keeper(&plan.target.tenant)?;
        context.confirm(&question(&plan), self.yes)?;
        let begun = Begun::new(context, &plan, &lock, "import")?.with_keeper(keeper);
        Ok(carry_out_linked(context, &plan, begun, &tenant, moved).await?.answer(context, &plan))
    }

    async fn resume(&self, context: &Context, run: &str) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let lock = lock(context, &target.name, self.patience).await?;
        // A run that somebody else is at is not cut off, and may be over once the lock is free.
        let folder = match run {
            "" => newest_unfinished(&context.folder("runs")?, &target.name)?,
            run => folder_of(&context.folder("runs")?, run)?,
        };
        refuse_ended(&folder)?;
        let Again { plan, tenant, moved, begun } = Again::of(context, target, &folder, &lock, &self.route.manner.include).await?;
        let begun = begun.with_keeper(self.secrets.keeper(&plan.target.tenant)?);
        let changes = report::count(plan.changes().count(), "change");
        context.confirm(&format!("Go on with {}, {changes} to \"{}\" ({})?", folder.display(), target.name, target.domain), self.yes)?;
        Ok(carry_out_linked(context, &plan, begun, &tenant, moved).await?.answer(context, &plan))
    }
}

/// A run that was cut off, and all that it takes to go on with it.
pub(in crate::cli) struct Again<'lock> {
    pub(in crate::cli) plan: Plan,
    pub(in crate::cli) tenant: Tenant,
    pub(in crate::cli) moved: Moved,
    pub(in crate::cli) begun: Begun<'lock>,
}

impl<'lock> Again<'lock> {
    /// Reads the run's files and the target; writes nothing to it yet.
    pub(in crate::cli) async fn of(
        context: &Context,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        include: &[String],
    ) -> Result<Self, Failure> {
        let (plan, _) = file::load(&folder.join("plan.json"))?;
        refuse_another_target(&plan, &target.name, &target.domain)?;
        let tenant = context.connect(target)?;
        let begun = Begun::again(folder, lock)?;
        let live = read(context, &tenant, target, include).await?;
        let moved = Moved::since(context.catalog, &plan, &live);
        let standing: Vec<Refusal> = guard::secrets(&plan, &|field| context.secret(field).is_some()).into_iter().collect();
        preflight(context, &plan, &tenant, &standing).await?;
        Ok(Self { plan, tenant, moved, begun })
    }
}

/// A run that is about to begin, and all that it takes to carry it out.
pub(in crate::cli) struct Started<'lock> {
    pub(in crate::cli) plan: Plan,
    pub(in crate::cli) tenant: Tenant,
    pub(in crate::cli) memory: Memory,
    pub(in crate::cli) begun: Begun<'lock>,
}

impl<'lock> Started<'lock> {
    /// Keeps what was found before anything is written, so that whoever goes on after a cut knows it too.
    pub(in crate::cli) fn of(context: &Context, prepared: Prepared, lock: &'lock Lock, by: &str) -> Result<Self, Failure> {
        let Prepared { plan, tenant, desired, live, mut memory, .. } = prepared;
        memory.adopt(&desired, &live);
        let promised = memory.agree(desired, &live, &plan);
        memory.save()?;
        let begun = Begun::promising(context, &plan, promised, lock, by)?;
        Ok(Self { plan, tenant, memory, begun })
    }
}

/// Remembers that both sides agree, where nothing is to change; returns the plan that says so.
pub(super) fn agree(prepared: Prepared) -> Result<Plan, Failure> {
    let Prepared { plan, desired, live, mut memory, .. } = prepared;
    memory.adopt(&desired, &live);
    memory.agree(desired, &live, &plan);
    memory.save()?;
    Ok(plan)
}

/// Carries out a plan that was read from a file, with what earlier runs left of its source and target.
pub(in crate::cli) async fn carry_out_linked(
    context: &Context,
    plan: &Plan,
    begun: Begun<'_>,
    tenant: &Tenant,
    moved: Moved,
) -> Result<Ended, Failure> {
    let mut memory = Memory::of_plan(context, plan)?;
    if let Some(memory) = &mut memory {
        memory.adopt_planned(plan);
    }
    carry_out(context, plan, begun, tenant, moved, memory.as_mut()).await
}

fn question(plan: &Plan) -> String {
    let counts = plan.counts();
    let changes = report::count(counts.creates + counts.updates + counts.removals, "change");
    format!("Apply {changes} to \"{}\" ({})?", plan.target.tenant, plan.target.domain)
}

/// What is left out of a plan keeps a run from being whole.
pub(in crate::cli) fn exit_of(plan: &Plan) -> u8 {
    if plan.left_out.is_empty() { 0 } else { INCOMPLETE }
}

pub(super) fn refuse_another_target(plan: &Plan, name: &str, domain: &str) -> Result<(), Failure> {
    if plan.target.domain == domain {
        return Ok(());
    }
    let state = format!("nothing was written: the plan is for {}, and \"{name}\" is {domain}", plan.target.domain);
    Err(Failure::new(USAGE, state).hint("name the tenant it was made for with --tenant"))
}

/// A run that came to its end is left as it is.
fn refuse_ended(folder: &Path) -> Result<(), Failure> {
    if !journal::is_ended(&folder.join("journal.jsonl"))? {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Err(Failure::new(USAGE, format!("nothing was written: the run \"{name}\" came to its end")).hint("`migrate import` plans anew"))
}

/// Returns the folder of the newest run on this target that did not come to its end.
fn newest_unfinished(folder: &Path, target: &str) -> Result<PathBuf, Failure> {
    let is_open = |path: &PathBuf| journal::is_ended(&path.join("journal.jsonl")).is_ok_and(|ended| !ended);
    let of_target = runs::names(folder).into_iter().filter(|name| runs::is_of(name, target));
    let newest = of_target.map(|name| folder.join(name)).find(is_open);
    newest.ok_or_else(|| {
        Failure::new(USAGE, format!("nothing was written: no run of \"{target}\" was cut off")).hint("`migrate import` plans anew")
    })
}
