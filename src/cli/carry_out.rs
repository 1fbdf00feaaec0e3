//! A plan carried out for a person: run folder, signals, links, report and exit code.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::context::{AT_ONCE, Context, now};
use super::failure::{FAILED, Failure, INCOMPLETE, INTERRUPTED, ROOM, TERMINATED};
use super::memory::Memory;
use crate::apply::{self, Journal, Moved, Run, Summary};
use crate::disk::{self, Lock};
use crate::plan::{Plan, file};
use crate::report;
use crate::snapshot::{Desired, Snapshot};
use crate::tenant::Tenant;

/// A run that is about to begin, or to go on.
pub(super) struct Begun {
    /// The run's folder.
    pub(super) folder: PathBuf,
    journal: Journal,
    _lock: Lock,
}

impl Begun {
    /// Makes the folder of a new run, with its plan and journal.
    pub(super) fn new(context: &Context, plan: &Plan, lock: Lock) -> Result<Self, Failure> {
        let name = context.run_on(&plan.target.tenant);
        let folder = context.folder("runs")?.join(&name);
        file::save(&folder.join("plan.json"), plan, &[])?;
        let journal = Journal::begin(&folder.join("journal.jsonl"), &name, &now())?;
        Ok(Self { folder, journal, _lock: lock })
    }

    /// Goes on with a run that was cut off.
    pub(super) fn again(folder: &Path, lock: Lock) -> Result<Self, Failure> {
        let journal = Journal::resume(&folder.join("journal.jsonl"), &now())?;
        Ok(Self { folder: folder.to_owned(), journal, _lock: lock })
    }
}

/// Carries out a plan; prints the summary; returns the exit code.
pub(super) async fn carry_out(
    context: &Context,
    plan: &Plan,
    begun: Begun,
    tenant: &Tenant,
    moved: Moved,
    memory: Option<(&mut Memory, Option<(Desired, &Snapshot)>)>,
) -> Result<u8, Failure> {
    let Begun { folder, journal, _lock } = begun;
    let stop = AtomicBool::new(false);
    let signal = AtomicU8::new(0);
    let run = Run {
        catalog: context.catalog,
        plan,
        tenant,
        journal,
        observer: &*context.progress,
        secret: &|field| context.secret(field),
        moved,
        at_once: AT_ONCE,
        stop: &stop,
        now: &now,
    };
    let carried_out = run.carry_out();
    let summary = tokio::select! {
        summary = carried_out => summary.map_err(|error| unrecorded(&error, &plan.target.tenant))?,
        code = interrupted_twice(context, &stop, &signal) => return Ok(code),
    };
    if let Some((memory, agreed)) = memory {
        memory.settle(plan, &summary);
        if let Some((desired, live)) = agreed {
            memory.agree(desired, live, plan, &summary);
        }
        memory.save().map_err(|failure| failure.but(report::state(&summary)))?;
    }
    let code = exit_of(plan, &summary, signal.load(Ordering::Relaxed));
    let run = report::Run { plan, summary: &summary, effort: context.progress.effort(), folder: &folder };
    for (name, content) in report::files(&run, code) {
        let written = disk::write_whole(&folder.join(name), content.as_bytes());
        written.map_err(|source| Failure::new(FAILED, report::state(&summary)).caused_by(&source).hint(ROOM))?;
    }
    context.answer(|| report::summary(&run), || report::summary_json(&run, code));
    Ok(code)
}

/// Returns the exit code of a run: that of the signal which stopped it, where it was stopped.
fn exit_of(plan: &Plan, summary: &Summary, signal: u8) -> u8 {
    match summary.is_whole() {
        false if signal > 0 => signal,
        true if plan.left_out.is_empty() => 0,
        _ => INCOMPLETE,
    }
}

/// A run whose journal cannot be written has stopped; what it did until then is known here for the last time.
fn unrecorded(error: &apply::Error, target: &str) -> Failure {
    let apply::Error::Journal { summary, source } = error;
    Failure::new(FAILED, format!("{}: {error}", report::state(summary)))
        .caused_by(source)
        .hint(format!("free some room, then go on with `migrate import --tenant {target} --resume`"))
}

/// The first signal lets sent requests settle; the second ends the run at once. Returns the exit code of the second.
async fn interrupted_twice(context: &Context, stop: &AtomicBool, signal: &AtomicU8) -> u8 {
    let first = next_signal().await;
    stop.store(true, Ordering::Relaxed);
    signal.store(first, Ordering::Relaxed);
    context.tell("Stopping: requests under way are being settled. Once more stops at once; `migrate import --resume` goes on later.");
    next_signal().await
}

async fn next_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    }
}
