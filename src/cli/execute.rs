//! A run carried out for a person: signals, what is remembered of it, reports and exit code.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::context::{AT_ONCE, Context, now};
use super::error::{FAILED, Failure, INCOMPLETE, OVER, ROOM};
use super::history;
use super::session::Session;
use crate::apply::{self, Run, Summary, SyncState};
use crate::files;
use crate::management_api::Traffic;
use crate::model::resource::Secret;
use crate::plan::{Plan, SecretField};
use crate::report::{self, Effort};
use crate::state::baseline::Baseline;

/// How a run ended.
pub(super) struct Ended {
    /// What it was to do.
    pub(super) plan: Arc<Plan>,
    /// What came of it.
    pub(super) summary: Summary,
    /// What it cost.
    pub(super) effort: Effort,
    /// How many requests it sent to the target, those that read it included.
    pub(super) requests: Traffic,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The command that goes on with it.
    pub(super) resume: String,
    /// The exit code.
    pub(super) code: u8,
    /// The limit that ended it, in words, where one did.
    pub(super) limit: Option<String>,
    /// The exit code of the signal that was heard while it went on.
    pub(super) signal: Option<u8>,
}

impl Ended {
    /// Returns it as it is told.
    pub(super) fn told(&self) -> report::EndedRun<'_> {
        report::EndedRun { plan: &self.plan, summary: &self.summary, effort: self.effort, folder: &self.folder, resume: &self.resume }
    }

    /// Prints the summary; returns the exit code.
    pub(super) fn answer(&self, context: &Context) -> u8 {
        context.answer(|| report::summary(&self.told()), || report::summary_json(&self.told(), self.code));
        self.code
    }

    /// Leaves the reports in the run's folder.
    fn leave_reports(&self) -> Result<(), Failure> {
        for (name, content) in report::files(&self.told(), self.code) {
            let written = files::write_whole(&self.folder.join(name), content.as_bytes());
            written.map_err(|source| Failure::new(FAILED, report::state(&self.summary)).caused_by(&source).hint(ROOM))?;
        }
        Ok(())
    }
}

/// The secrets that a plan is supplied with, each read once, so that what is remembered is what was sent.
struct Outside(HashMap<String, Option<Secret>>);

impl Outside {
    fn of(context: &Context, plan: &Plan) -> Self {
        let fields = plan.changes().flat_map(|change| &change.secrets);
        Self(fields.map(|field| (field.from.clone(), context.secret(field))).collect())
    }

    fn get(&self, field: &SecretField) -> Option<Secret> {
        self.0.get(&field.from).cloned().flatten()
    }
}

/// Carries out a run to its end, or as far as it may go; keeps what it leaves for the next one, and its reports.
pub(super) async fn carry_out(context: &Context, begun: Session<'_>) -> Result<Ended, Failure> {
    let Session { plan, tenant, memory, moved, withheld, folder, journal, promised, leeway, keeper, by, flags, lock: _lock } = begun;
    if let Some(end) = leeway.end() {
        tenant.retry_until(end.into());
    }
    let signal = AtomicU8::new(0);
    let outside = Outside::of(context, &plan);
    let secret = |field: &SecretField| outside.get(field);
    let run = Run {
        catalog: context.catalog,
        plan: &plan,
        tenant: &tenant,
        journal,
        observer: &*context.progress,
        secret: &secret,
        keeper,
        moved,
        at_once: AT_ONCE,
        withheld,
        room: &|| if signal.load(Ordering::Relaxed) > 0 { 0 } else { leeway.room(tenant.requests()) },
        now: &now,
    };
    let resume = history::resume(context, &plan.target.tenant, &folder, flags);
    let later = if by == "sync" { "the next sync does the rest".to_owned() } else { format!("`{resume}` goes on later") };
    let unrecorded = |error| unrecorded(&error, &resume);
    let (summary, journal) = tokio::select! {
        settled = run.settle() => settled.map_err(unrecorded)?,
        code = interrupted_twice(context, &signal, &later) => return Err(stopped_at_once(code, &resume)),
    };
    if let Some(memory) = memory {
        let kept = remember(memory, &plan, &summary, &promised, &secret);
        kept.map_err(|failure| failure.but(report::state(&summary)).hint(go_on(&resume)))?;
    }
    // What the run leaves for the next one is kept: only now it is over.
    apply::close(journal, &summary, &now()).map_err(unrecorded)?;
    let (signal, requests) = (signal.load(Ordering::Relaxed), tenant.requests());
    let limit = leeway.reached(requests).filter(|_| summary.unsent > 0 && signal == 0 && !summary.is_silent);
    let code = if limit.is_some() { OVER } else { exit_of(&plan, &summary, signal) };
    let signal = (signal > 0).then_some(signal);
    let ended = Ended { plan, summary, effort: context.progress.effort(), requests, folder, resume, code, limit, signal };
    ended.leave_reports()?;
    Ok(ended)
}

/// Keeps what the next run has to know of this one.
fn remember(
    mut memory: SyncState,
    plan: &Plan,
    summary: &Summary,
    promised: &Baseline,
    secret: &dyn Fn(&SecretField) -> Option<Secret>,
) -> Result<(), Failure> {
    memory.learn(plan, summary, promised, secret);
    Ok(memory.save()?)
}

/// Returns the exit code of a run: that of the signal which stopped it, where it was stopped.
fn exit_of(plan: &Plan, summary: &Summary, signal: u8) -> u8 {
    match summary.is_whole() {
        false if signal > 0 => signal,
        true if summary.lost_secrets() == 0 => exit_of_whole(plan),
        _ => INCOMPLETE,
    }
}

/// Returns the exit code where all that a plan has is done: what it left out keeps the two sides apart.
pub(super) fn exit_of_whole(plan: &Plan) -> u8 {
    if plan.skipped.is_empty() { 0 } else { INCOMPLETE }
}

/// Says that both sides agree; returns the exit code.
pub(super) fn nothing_to_do(context: &Context, plan: &Plan) -> u8 {
    let code = exit_of_whole(plan);
    context.answer(|| report::plan(plan, &[], ""), || report::plan_json(plan, &[], code));
    code
}

/// A run whose journal cannot be written has stopped; what it did until then is known here for the last time.
fn unrecorded(error: &apply::Error, resume: &str) -> Failure {
    let apply::Error::Journal { summary, source } = error;
    Failure::new(FAILED, format!("{}: {error}", report::state(summary))).caused_by(source).hint(go_on(resume))
}

fn go_on(resume: &str) -> String {
    format!("free some room, then go on with `{resume}`")
}

/// The first signal lets sent requests settle; the second ends the run at once. Returns the exit code of the second.
async fn interrupted_twice(context: &Context, signal: &AtomicU8, later: &str) -> u8 {
    signal.store(context.signals.next().await, Ordering::Relaxed);
    context.tell(&format!("Stopping: requests under way are being settled. Once more stops at once; {later}."));
    context.signals.next().await
}

fn stopped_at_once(code: u8, resume: &str) -> Failure {
    Failure::new(code, "stopped at once: requests were under way, and what became of them is not known")
        .hint(format!("`{resume}` looks that up and goes on"))
}
