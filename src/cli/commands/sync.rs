//! `migrate sync`

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use crate::cli::ceremony::{CommandApprover, Decision};
use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, INCOMPLETE, LOCKED, NOTHING, OVER, USAGE, interrupted};
use crate::cli::execute::{Ended, Execution, exit_of_whole};
use crate::cli::limits::{LimitOptions, limit_text};
use crate::cli::lock::LockOptions;
use crate::cli::notify::Hooks;
use crate::cli::options::{DriftChoice, ImportOptions, RouteOptions};
use crate::cli::past_run::decide_about;
use crate::cli::reports::ReportOptions;
use crate::cli::review::{allowing, approved, for_every_run, widened};
use crate::cli::secrets_to::Secrets;
use crate::cli::terminal::{print, print_json};
use crate::cli::write_options::help_of_unattended_allow;
use crate::config::TenantSettings;
use crate::files::{self, Lock};
use crate::model::approval::Approvals;
use crate::plan::Plan;
use crate::plan::refusal::Refusal;
use crate::report::{self, Report, SyncReport};
use crate::workflow::history::PastRun;
use crate::workflow::limits::RunBudget;
use crate::workflow::unfinished::{Starter, newest_between};
use crate::workflow::{self, Completion, Host, Proposal, ReadMode, Review, Route, Session, lock, now, prepare, source_side, unapproved};

/// Import unattended (for cron and CI)
///
/// Exports, plans, checks the guards and imports, all under one lock and without asking questions. Prints one line, or nothing if nothing
/// changed.
///
/// If an earlier sync was interrupted, first looks up the changes whose outcome is unknown. Changes that the earlier sync did not apply are
/// planned again, from the current source.
///
/// Writes the result to state/SOURCE/TARGET/last-sync.json, or to last-selected-sync.json if only some resources are selected. Writes
/// neither if another run holds the lock.
#[derive(Debug, Args)]
pub(in crate::cli) struct SyncArgs {
    /// The source: a tenant (read now), a snapshot (dev@latest), or the folder of a snapshot [default: `source` of the target]
    #[arg(long, value_name = "TENANT|SNAPSHOT", help_heading = "Source, target and mapping")]
    from: Option<String>,
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "tenant", value_name = "TENANT", help_heading = "Source, target and mapping")]
    to: Option<String>,
    #[command(flatten)]
    options: ImportOptions,
    /// Before and after the run, check the logins that the plan could break; sends no credentials and signs nobody in
    #[arg(long, help_heading = "Plan and run")]
    probe: bool,
    /// Read only what the tenants' logs say was written to since the last sync, and everything once a week or if in doubt [default: `nightly`
    /// of the target]
    #[arg(long, help_heading = "Plan and run", conflicts_with = "full")]
    incremental: bool,
    /// Read everything, also if `nightly` of the target is incremental
    #[arg(long, help_heading = "Plan and run")]
    full: bool,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    hooks: Hooks,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
    #[arg(long, value_name = "GUARD,..", value_delimiter = ',', help_heading = "Approval and writing", help = help_of_unattended_allow())]
    allow: Vec<String>,
    #[command(flatten, next_help_heading = "Approval and writing")]
    secrets: Secrets,
    #[command(flatten, next_help_heading = "Approval and writing")]
    lock_timeout: LockOptions,
}

/// Why nothing more of an interrupted run is sent.
const PLANNED_ANEW: &str = "the next plan decides whether to apply it";

/// The progress of a sync, as far as it got.
#[derive(Default)]
struct Course {
    resumed: Option<ResumedRun>,
    plan: Option<Arc<Plan>>,
    run: Option<Ended>,
}

/// An interrupted run of an earlier sync that was resumed.
struct ResumedRun {
    ended: Ended,
    /// The number of its changes that were applied before this sync.
    earlier: usize,
}

impl SyncArgs {
    /// Returns its source and target.
    pub(super) fn route(&self) -> RouteOptions {
        RouteOptions { tenant: self.to.clone(), from: self.from.clone(), options: self.options.clone() }
    }

    /// Returns its options other than source, target and mapping, for a scheduled job.
    ///
    /// # Errors
    ///
    /// If one of them is not suitable for every night.
    pub(super) fn flags(&self) -> Result<Vec<String>, Failure> {
        let _: Approvals = self.approved()?;
        let allow = if self.allow.is_empty() { Vec::new() } else { vec!["--allow".to_owned(), self.allow.join(",")] };
        let flags = [(self.probe, "--probe"), (self.incremental, "--incremental"), (self.full, "--full")];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned()).collect();
        let words = [
            self.options.to_args(),
            allow,
            flags,
            self.limits.to_args(),
            self.lock_timeout.to_args(),
            self.secrets.to_args(),
            self.hooks.to_args()?,
            self.reports.to_args(),
        ];
        Ok(words.concat())
    }

    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let began = now();
        context.terminal.listen().await;
        let approved = self.approved()?;
        let hooks = self.hooks.ready(context)?;
        let route = self.route();
        let target = context.tenant_settings_by("--to", self.to.as_deref())?;
        let planned = route.route(context, &target.name)?;
        let source = source_side(context.environment()?, planned.source.as_deref(), target)?;
        let pair = context.environment()?.pair(source.clone(), target)?;
        pair.check()?;
        let path = if planned.selection.is_everything() { pair.last_sync() } else { pair.last_selected_sync() };
        let source = source.tenant;
        let mut course = Course::default();
        let went = self.night(context, &route, target, &approved, &source, &mut course).await;
        let went = went.map_err(|failure| failure.or_state(course.unwritten()));
        let exit = went.as_ref().map_or_else(Failure::code, |exit| *exit);
        let limit = course.limit();
        let night = SyncReport {
            source: &source,
            target: &target.name,
            began: &began,
            ended: &now(),
            resumed: course.resumed.as_ref().map(ResumedRun::to_report),
            plan: course.plan.as_deref(),
            run: course.run.as_ref().map(Ended::to_report),
            keeps_drift: self.options.drift == DriftChoice::Keep,
            limit: limit.as_deref(),
            failure: went.as_ref().err().map(Failure::fields),
            exit,
        };
        // A plan that is refused is reported where it is refused, with the reasons.
        let subject = night.subject().filter(|_| went.is_ok() || course.run.is_some());
        let reported = subject.map_or(Ok(()), |subject| context.publish(&Report::new(subject, exit)));
        let is_news = night.is_news(last(&path).as_ref());
        // The process that holds the lock writes the file of this pair.
        let state = course.state(went.as_ref().err());
        let written = if exit == LOCKED { Ok(()) } else { write(&path, &night, state).and(reported) };
        let exit = if written.is_err() && went.is_ok() { FAILED } else { exit };
        hooks.tell((is_news || written.is_err()).then(|| night.line()).as_deref(), exit).await;
        if context.is_json() {
            // A failure of the sync itself takes precedence over a failure to save its result.
            if went.is_ok() {
                written?;
            }
            print_json(&night.json());
            return Ok(exit);
        }
        // Somebody will look at a failed job, so it must state the reason even if that is not news.
        if went.is_ok() && (is_news || exit != 0) {
            print(&format!("{}\n", night.line()));
        }
        went.and(written).map(|()| exit)
    }

    /// Returns the approvals of the options. Lockout risks are reviewed each time, or approved in the configuration.
    fn approved(&self) -> Result<Approvals, Failure> {
        let approved = approved(&self.allow)?;
        let Some(guard) = approved.requiring_review() else { return Ok(approved) };
        let error = format!("{guard} cannot be approved for unattended runs with a flag");
        let hint = format!(
            "approve single resources in migrate.toml, under the tenant: plan.approve = [\"{guard}:clients/Billing*\"]; or review the plan with \
             `migrate plan --out FILE`, then `migrate import --plan FILE --allow {guard}`"
        );
        Err(Failure::new(USAGE, error).hint(hint))
    }

    /// Runs the sync under one lock and returns the exit code; `course` records how far it got.
    async fn night(
        &self,
        context: &Context,
        route: &RouteOptions,
        target: &TenantSettings,
        approved: &Approvals,
        source: &str,
        course: &mut Course,
    ) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let mut budget = self.limits.begin();
        let lock = unless_stopped(context, &budget, async { Ok(lock(environment, target, self.lock_timeout.lock_timeout).await?) }).await?;
        // If secrets cannot be stored, that is reported before both tenants are read.
        self.secrets.sink(&target.name)?;
        match newest_between(environment, source, target) {
            Some(past) if past.record.by == "sync" && past.is_cut_off() => {
                if let Some(code) = self.resolve_unknown(context, (target, &past), &lock, &mut budget, course).await? {
                    return Ok(code);
                }
            }
            Some(past) if past.record.by != "sync" && past.is_open() => {
                decide_about(context, &past, Starter::Unattended).await?;
            }
            _ => {}
        }
        let route = Route { read_mode: self.read_mode(target), ..route.route(context, &target.name)? };
        let prepared = unless_stopped(context, &budget, async { Ok(prepare(environment, &route).await?) }).await?;
        let left = unapproved(prepared.refusals.clone(), approved, target, Review::None);
        let mut proposal = Proposal::of_prepared(prepared, left);
        if self.probe {
            proposal = proposal.with_probe(environment).await?;
        }
        let plan = course.plan.insert(proposal.plan.clone()).clone();
        let job = CommandApprover {
            context,
            allow: &self.allow,
            secrets: &self.secrets,
            target: target.name.clone(),
            execution: self.execution(context),
            decision: Decision::Unattended {
                budget: budget.clone(),
                advice: Box::new(|proposal| self.by_a_person(context, &proposal.plan, &proposal.unapproved)),
            },
        };
        let code = match workflow::carry_out(environment, proposal, (&lock, "sync", budget), &job).await? {
            Completion::Unchanged(_) => exit_of_whole(&plan),
            Completion::Run(run) => course.run.insert(job.execution.end(*run)?).code,
        };
        Ok(course.with_lost_secrets(code))
    }

    /// Returns which part of the tenants is read.
    fn read_mode(&self, target: &TenantSettings) -> ReadMode {
        if self.incremental || (target.nightly.is_incremental && !self.full) { ReadMode::Incremental } else { ReadMode::Full }
    }

    fn execution<'command>(&self, context: &'command Context) -> Execution<'command> {
        Execution::new(context, self.secrets.to_shell()).with_later("the next sync applies the rest")
    }

    /// Resolves the unknown outcomes of an interrupted sync; returns the exit code if this sync ends with that.
    async fn resolve_unknown(
        &self,
        context: &Context,
        (target, past): (&TenantSettings, &PastRun),
        lock: &Lock,
        budget: &mut RunBudget,
        course: &mut Course,
    ) -> Result<Option<u8>, Failure> {
        let begun = Session::resume_lookups(context.environment()?, target, &past.folder, lock, PLANNED_ANEW)?;
        let begun = begun.with_sink(self.secrets.sink(&target.name)?);
        let ended = Execution::new(context, self.secrets.to_shell()).carry_out(begun).await?;
        let ResumedRun { ended, .. } = course.resumed.insert(ResumedRun { ended, earlier: past.applied().len() });
        budget.spend(ended.run.requests);
        Ok(ended.run.interrupt.map(interrupted))
    }

    /// Returns how a person can approve this plan once, if that is possible.
    fn by_a_person(&self, context: &Context, plan: &Plan, standing: &[Refusal]) -> Option<String> {
        let is_closed = |refusal: &&Refusal| !refusal.guard.is_approvable();
        let closed: Vec<&str> = standing.iter().filter(is_closed).map(|refusal| refusal.guard.as_str()).collect();
        if !closed.is_empty() {
            return Some(format!("{} cannot be approved with --allow: fix this first", closed.join(" and ")));
        }
        let guards = standing.iter().map(|refusal| refusal.guard.as_str()).collect();
        let flags = allowing(&widened(&self.allow, &guards)).into_iter().chain(self.secrets.to_shell());
        let command = context.command(self.route().import(plan), flags);
        let lasting = for_every_run(standing, &plan.target.tenant).map(|hint| format!("{hint}; ")).unwrap_or_default();
        (!standing.is_empty()).then(|| format!("{lasting}if this is intended, run it once yourself:  {command}"))
    }
}

impl ResumedRun {
    fn to_report(&self) -> report::Resumed<'_> {
        report::Resumed { run: self.ended.to_report(), earlier: self.earlier }
    }
}

impl Course {
    /// Returns the state to report for a failure before the first write of this sync.
    fn unwritten(&self) -> &'static str {
        if self.resumed.is_some() { "nothing more was written" } else { NOTHING }
    }

    /// Returns what was written, whether or not the sync failed.
    fn state(&self, failure: Option<&Failure>) -> String {
        let run = self.run.as_ref().or(self.resumed.as_ref().map(|resumed| &resumed.ended));
        let of_run = || run.map(|ended| report::state(&ended.run.summary));
        failure.and_then(Failure::state).map(str::to_owned).or_else(of_run).unwrap_or_else(|| self.unwritten().to_owned())
    }

    /// Returns the limit or the signal that ended the sync, as text.
    fn limit(&self) -> Option<String> {
        let resumed = self.resumed.as_ref().map(|resumed| &resumed.ended);
        let limit = resumed.into_iter().chain(&self.run).find_map(Ended::limit);
        // A signal that arrives after all changes of a run were sent stops what would follow the run.
        let is_stopped = |ended: &Ended| ended.run.interrupt.is_some() && (ended.run.summary.unsent > 0 || self.run.is_none());
        limit.or_else(|| resumed.into_iter().chain(&self.run).any(is_stopped).then(|| "stopped by a signal".to_owned()))
    }

    /// Returns the exit code of a sync. If a new secret was lost, the sync is incomplete, whichever run lost it.
    fn with_lost_secrets(&self, code: u8) -> u8 {
        let lost = self.resumed.as_ref().map_or(0, |resumed| resumed.ended.run.summary.lost_secrets());
        if code == 0 && lost > 0 { INCOMPLETE } else { code }
    }
}

/// Ends the work at a signal or at the end of the time limit. Before anything is written, this is safe.
async fn unless_stopped<T>(context: &Context, budget: &RunBudget, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = Box::pin(unless_over(budget, work)) => done,
        interrupt = context.terminal.interrupted() => {
            Err(Failure::new(interrupted(interrupt), "interrupted before a plan was made"))
        }
    }
}

/// Ends the work at the end of the time limit, before anything is written.
async fn unless_over<T>(budget: &RunBudget, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        over = budget.over() => {
            let error = format!("{} before a plan was made", limit_text(over));
            Err(Failure::new(OVER, error).hint("the next sync starts over; start earlier, or allow more time with --until"))
        }
    }
}

/// Loads the result of the last sync.
fn last(path: &Path) -> Option<Value> {
    serde_json::from_slice(&files::read(path).ok()?).ok()
}

fn write(path: &Path, night: &SyncReport<'_>, state: String) -> Result<(), Failure> {
    let text = report::json_text(&night.json());
    files::write_whole(path, text.as_bytes()).map_err(|error| Failure::from(error).with_state(state))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Reads for this many minutes of simulated time with a time limit; returns the result and the elapsed minutes.
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
    fn the_time_limit_ends_a_read() {
        assert_eq!(read_for(4, Some(MINUTE * 5)), (Ok(()), 4));
        let (ended, minutes) = read_for(600, Some(MINUTE * 5));
        let failure = ended.expect_err("over");
        assert_eq!(failure["error"], "05:00 was reached before a plan was made");
        assert_eq!(minutes, 5);
    }

    #[test]
    fn a_read_that_starts_after_the_time_limit_or_without_one_is_not_ended() {
        assert_eq!(read_for(600, Some(Duration::ZERO)), (Ok(()), 600));
        assert_eq!(read_for(600, None), (Ok(()), 600));
    }
}
