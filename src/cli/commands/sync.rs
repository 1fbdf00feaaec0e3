//! `migrate sync`

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use crate::cli::context::{Context, now, print, print_json};
use crate::cli::error::{FAILED, Failure, INCOMPLETE, LOCKED, OVER, ROOM, USAGE};
use crate::cli::execute::{Ended, carry_out, exit_of_whole};
use crate::cli::history::{PastRun, begun_on};
use crate::cli::limits::{Limits, RunBudget};
use crate::cli::lock::{LockTimeout, lock};
use crate::cli::notify::Hooks;
use crate::cli::prepare::{DriftChoice, ImportOptions, Route, prepare, source_side};
use crate::cli::review::{Review, allowing, approved, for_every_run, preflight, standing, widened};
use crate::cli::secrets_to::Secrets;
use crate::cli::session::{Session, agree};
use crate::config::TenantSettings;
use crate::files::{self, Lock};
use crate::management_api::Traffic;
use crate::model::approval::Approvals;
use crate::plan::Plan;
use crate::plan::refusal::Refusal;
use crate::report::{self, SyncReport};

/// Make a target hold what a source holds, every night, with nobody there
///
/// Looks up what a sync that was cut off left in doubt, then exports, plans, asks the guards and imports, under one lock. The rest of a night
/// that ended early is planned anew, by what the source wants now. It asks nobody and says nothing where nothing changed; otherwise one line, and
/// state/SOURCE/TARGET/last-sync.json either way.
#[derive(Debug, Args)]
pub(in crate::cli) struct Sync {
    /// Where the settings come from: a tenant, or the folder of a snapshot [default: `source` of the target]
    #[arg(long, value_name = "TENANT|DIR")]
    from: Option<String>,
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "tenant", value_name = "TENANT")]
    to: Option<String>,
    #[command(flatten)]
    manner: ImportOptions,
    /// Approve what a guard finds, every night: many-changes, leak, deletes, no-baseline; migrate.toml approves what may lock people out
    #[arg(long, value_name = "GUARD,..", value_delimiter = ',')]
    allow: Vec<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    patience: LockTimeout,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    hooks: Hooks,
}

/// Why nothing more is sent of a night that was cut off.
const PLANNED_ANEW: &str = "the next plan decides on it";

/// What came of a night, as far as it went.
#[derive(Default)]
struct Course {
    resumed: Option<Resumed>,
    plan: Option<Arc<Plan>>,
    run: Option<Ended>,
}

/// A run of an earlier night that was gone on with.
struct Resumed {
    ended: Ended,
    /// How many of its changes were in the target before this night.
    earlier: usize,
}

impl Sync {
    /// Returns where its settings come from and where they go.
    pub(super) fn route(&self) -> Route {
        Route { tenant: self.to.clone(), from: self.from.clone(), manner: self.manner.clone() }
    }

    /// Returns its flags besides those of the route and the mapping, for somebody who starts it every night.
    ///
    /// # Errors
    ///
    /// When one of them cannot be meant for every night.
    pub(super) fn flags(&self) -> Result<Vec<String>, Failure> {
        let _: Approvals = self.approved()?;
        let allow = if self.allow.is_empty() { Vec::new() } else { vec!["--allow".to_owned(), self.allow.join(",")] };
        let words = [self.manner.words(), allow, self.limits.words(), self.patience.words(), self.secrets.words(), self.hooks.words()?];
        Ok(words.concat())
    }

    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let began = now();
        context.signals.listen().await;
        let approved = self.approved()?;
        let hooks = self.hooks.ready(context)?;
        let route = self.route();
        let target = context.tenant_settings_by("--to", self.to.as_deref())?;
        let source = source_side(context, &route, target)?;
        let pair = context.pair(source.clone(), target)?;
        pair.check()?;
        let (source, path) = (source.tenant, pair.last_sync());
        let mut course = Course::default();
        let went = self.night(context, &route, target, &approved, &source, &mut course).await;
        let exit = went.as_ref().map_or_else(Failure::code, |exit| *exit);
        let night = SyncReport {
            source: &source,
            target: &target.name,
            began: &began,
            ended: &now(),
            resumed: course.resumed.as_ref().map(Resumed::told),
            plan: course.plan.as_deref(),
            run: course.run.as_ref().map(Ended::told),
            keeps_drift: self.manner.drift == DriftChoice::Keep,
            limit: course.limit(),
            failure: went.as_ref().err().map(Failure::json),
            exit,
        };
        let is_news = night.is_news(last(&path).as_ref());
        // Whoever holds the lock writes the file of this pair.
        let written = if exit == LOCKED { Ok(()) } else { write(&path, &night) };
        let exit = if written.is_err() && went.is_ok() { FAILED } else { exit };
        hooks.tell((is_news || written.is_err()).then(|| night.line()).as_deref(), exit).await;
        if context.is_json() {
            written?;
            print_json(&night.json());
            return Ok(exit);
        }
        // A job that fails is looked at: it must not be silent about why, though nobody is told again.
        if went.is_ok() && (is_news || exit != 0) {
            print(&format!("{}\n", night.line()));
        }
        went.and(written).map(|()| exit)
    }

    /// Returns what the flags approve: what may lock people out is looked at each time, or named in the configuration.
    fn approved(&self) -> Result<Approvals, Failure> {
        let approved = approved(&self.allow)?;
        let Some(guard) = approved.requiring_review() else { return Ok(approved) };
        let state = format!("nothing was done: {guard} cannot be approved for every night by a flag");
        let hint = format!(
            "name what may pass in migrate.toml, under the tenant: plan.approve = [\"{guard}:clients/Billing*\"]; or review the plan with \
             `migrate plan --out FILE`, then `migrate import --plan FILE --allow {guard}`"
        );
        Err(Failure::new(USAGE, state).hint(hint))
    }

    /// Does the night's work under one lock; what came of it stands in `course`, as far as it went. Returns the exit code.
    async fn night(
        &self,
        context: &Context,
        route: &Route,
        target: &TenantSettings,
        approved: &Approvals,
        source: &str,
        course: &mut Course,
    ) -> Result<u8, Failure> {
        let mut leeway = self.limits.begin();
        let lock = unless_stopped(context, &leeway, lock(context, target, self.patience)).await?;
        // Where no secret can be kept, that is told before both tenants are read.
        self.secrets.keeper(&target.name)?;
        if let Some(past) = cut_off(context, source, target)?
            && let Some(code) = self.settle(context, target, &past, &lock, &mut leeway, course).await?
        {
            return Ok(code);
        }
        let prepared = unless_stopped(context, &leeway, prepare(context, route)).await?;
        let standing = standing(prepared.refusals.clone(), approved, target, Review::None);
        if prepared.plan.is_empty() && standing.is_empty() {
            let code = exit_of_whole(course.plan.insert(Arc::new(agree(prepared)?)));
            return Ok(course.with_lost_secrets(code));
        }
        if let Err(failure) = preflight(context, &prepared.plan, &prepared.tenant, &standing, &self.allow).await {
            let hint = self.by_a_person(context, route, &prepared.plan, &standing);
            course.plan = Some(Arc::new(prepared.plan));
            return Err(hint.into_iter().fold(failure, Failure::hint));
        }
        if let Some(budget) = leeway.is_too_small_for(prepared.tenant.requests()) {
            let Traffic { reads, .. } = prepared.tenant.requests();
            let state =
                format!("nothing was written: reading \"{}\" alone took {reads} requests, and --max-requests is {budget}", target.name);
            course.plan = Some(Arc::new(prepared.plan));
            return Err(Failure::new(USAGE, state).hint("no night gets any further with that; give it more"));
        }
        let begun =
            Session::of(context, prepared, &lock, "sync")?.within(leeway).with_keeper(self.secrets.keeper(&target.name)?, &self.secrets);
        course.plan = Some(begun.plan.clone());
        let code = course.run.insert(carry_out(context, begun).await?).code;
        Ok(course.with_lost_secrets(code))
    }

    /// Looks up what a sync that was cut off left in doubt; returns the exit code where the night ends with that.
    async fn settle(
        &self,
        context: &Context,
        target: &TenantSettings,
        past: &PastRun,
        lock: &Lock,
        leeway: &mut RunBudget,
        course: &mut Course,
    ) -> Result<Option<u8>, Failure> {
        let begun = Session::looked_up(context, target, &past.folder, lock, PLANNED_ANEW)?;
        let ended = carry_out(context, begun.with_keeper(self.secrets.keeper(&target.name)?, &self.secrets)).await?;
        let Resumed { ended, .. } = course.resumed.insert(Resumed { ended, earlier: past.applied().len() });
        leeway.spend(ended.requests);
        Ok(ended.signal)
    }

    /// Returns how a person lets a plan pass this once, where somebody can.
    fn by_a_person(&self, context: &Context, route: &Route, plan: &Plan, standing: &[Refusal]) -> Option<String> {
        let is_closed = |refusal: &&Refusal| !refusal.guard.is_approvable();
        let closed: Vec<&str> = standing.iter().filter(is_closed).map(|refusal| refusal.guard.as_str()).collect();
        if !closed.is_empty() {
            return Some(format!("no --allow opens {}: put that right first", closed.join(" and ")));
        }
        let guards = standing.iter().map(|refusal| refusal.guard.as_str()).collect();
        let flags = allowing(&widened(&self.allow, &guards)).into_iter().chain(self.secrets.typed());
        let command = context.command(route.import(plan), flags);
        let lasting = for_every_run(standing, &plan.target.tenant).map(|hint| format!("{hint}; ")).unwrap_or_default();
        (!standing.is_empty()).then(|| format!("{lasting}if that is meant, do it once by hand:  {command}"))
    }
}

impl Resumed {
    fn told(&self) -> report::Resumed<'_> {
        report::Resumed { run: self.ended.told(), earlier: self.earlier }
    }
}

impl Course {
    /// Returns the limit or the signal that ended the night, in words.
    fn limit(&self) -> Option<&str> {
        let resumed = self.resumed.as_ref().map(|resumed| &resumed.ended);
        let limit = resumed.into_iter().chain(&self.run).find_map(|ended| ended.limit.as_deref());
        // A signal that came when all of a run was sent stops what would have come after it.
        let is_stopped = |ended: &Ended| ended.signal.is_some() && (ended.summary.unsent > 0 || self.run.is_none());
        limit.or_else(|| resumed.into_iter().chain(&self.run).any(is_stopped).then_some("a signal stopped it"))
    }

    /// Returns the exit code of a night: one in which a new secret was lost is not whole, whichever run lost it.
    fn with_lost_secrets(&self, code: u8) -> u8 {
        let lost = self.resumed.as_ref().map_or(0, |resumed| resumed.ended.summary.lost_secrets());
        if code == 0 && lost > 0 { INCOMPLETE } else { code }
    }
}

/// Returns the newest run between two tenants, where it is a sync that was cut off.
fn cut_off(context: &Context, source: &str, target: &TenantSettings) -> Result<Option<PastRun>, Failure> {
    let runs = context.folder("runs")?;
    for name in begun_on(&runs, &target.name) {
        // A run that cannot be read cannot be gone on with, and what it overtook is not; what both did shows when the target is read.
        let Ok(past) = PastRun::read(runs.join(&name), &name) else { return Ok(None) };
        if past.plan.source_tenant() == source && past.plan.target.domain == target.domain {
            return Ok(Some(past).filter(|past| past.record.by == "sync" && past.is_cut_off()));
        }
    }
    Ok(None)
}

/// A signal while nothing is written yet ends the command at once, and so does the end of the time that it has.
async fn unless_stopped<T>(context: &Context, leeway: &RunBudget, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = Box::pin(unless_over(leeway, work)) => done,
        code = context.signals.next() => Err(Failure::new(code, "nothing more was written: a signal stopped it")),
    }
}

/// The end of the time that a command has ends what it waits for while nothing is written yet.
async fn unless_over<T>(leeway: &RunBudget, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        over = leeway.over() => {
            let state = format!("nothing more was written: {over}, and there was no plan yet");
            Err(Failure::new(OVER, state).hint("the next sync begins anew; begin earlier, or give it more time with --until"))
        }
    }
}

/// Returns how the last night went.
fn last(path: &Path) -> Option<Value> {
    serde_json::from_slice(&files::read(path).ok()?).ok()
}

fn write(path: &Path, night: &SyncReport<'_>) -> Result<(), Failure> {
    let text = report::json_text(&night.json());
    let failed = |source| Failure::new(FAILED, format!("{}; and that cannot be written down", night.line())).caused_by(&source).hint(ROOM);
    files::write_whole(path, text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Reads for so many minutes with so much time left, in simulated time; returns how it ends, and after how many minutes.
    fn read_for(minutes: u32, left: Option<Duration>) -> (Result<(), Value>, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let (began, leeway) = (Instant::now(), left.map(RunBudget::for_another).unwrap_or_default());
            let reading = async {
                sleep(MINUTE * minutes).await;
                Ok(())
            };
            let ended = unless_over(&leeway, reading).await;
            (ended.map_err(|failure| failure.json()), began.elapsed().as_secs().div_ceil(60))
        })
    }

    #[test]
    fn the_end_of_the_time_ends_a_reading() {
        assert_eq!(read_for(4, Some(MINUTE * 5)), (Ok(()), 4));
        let (ended, minutes) = read_for(600, Some(MINUTE * 5));
        let failure = ended.expect_err("over");
        assert_eq!(failure["error"], "nothing more was written: 05:00 is over, and there was no plan yet");
        assert_eq!(minutes, 5);
    }

    #[test]
    fn a_reading_that_begins_after_the_time_or_without_one_is_not_ended() {
        assert_eq!(read_for(600, Some(Duration::ZERO)), (Ok(()), 600));
        assert_eq!(read_for(600, None), (Ok(()), 600));
    }
}
