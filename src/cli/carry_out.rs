//! A plan carried out for a person: run folder, signals, links, report and exit code.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use super::context::{AT_ONCE, Context, now};
use super::failure::{FAILED, Failure, INCOMPLETE, OVER, ROOM};
use super::limits::Limit;
use super::memory::Memory;
use super::runs;
use crate::apply::{self, Journal, Keeper, Moved, Run, Summary};
use crate::base::Base;
use crate::disk::{self, Lock};
use crate::plan::{Plan, SecretField, file};
use crate::report::{self, Effort};
use crate::resource::Secret;
use crate::tenant::Tenant;

/// A run that is about to begin, or to go on, under the lock on its target.
pub(super) struct Begun<'lock> {
    /// The run's folder.
    pub(super) folder: PathBuf,
    journal: Journal,
    promised: Base,
    limit: Limit,
    keeper: Option<Box<dyn Keeper>>,
    _lock: &'lock Lock,
}

/// What the target will hold once the run ended, for whoever goes on with it.
const PROMISED: &str = "base.json";

impl<'lock> Begun<'lock> {
    /// Makes the folder of a new run, with its plan and journal; `by` is the verb that begins it.
    pub(super) fn new(context: &Context, plan: &Plan, lock: &'lock Lock, by: &str) -> Result<Self, Failure> {
        Self::promising(context, plan, Base::default(), lock, by)
    }

    /// Makes the folder of a new run that has a base to keep: what is `promised` becomes part of it as far as the run comes.
    pub(super) fn promising(context: &Context, plan: &Plan, promised: Base, lock: &'lock Lock, by: &str) -> Result<Self, Failure> {
        let (name, folder) = new_folder(context, &plan.target.tenant)?;
        if !promised.is_empty() {
            promised.save(&folder.join(PROMISED))?;
        }
        file::save(&folder.join("plan.json"), plan, &[])?;
        let journal = Journal::begin(&folder.join("journal.jsonl"), &name, &now(), by)?;
        Ok(Self::of(folder, journal, promised, lock))
    }

    /// Goes on with a run that was cut off.
    pub(super) fn again(folder: &Path, lock: &'lock Lock) -> Result<Self, Failure> {
        let journal = Journal::resume(&folder.join("journal.jsonl"), &now())?;
        let promised = Base::load(&folder.join(PROMISED))?;
        Ok(Self::of(folder.to_owned(), journal, promised, lock))
    }

    fn of(folder: PathBuf, journal: Journal, promised: Base, lock: &'lock Lock) -> Self {
        Self { folder, journal, promised, limit: Limit::default(), keeper: None, _lock: lock }
    }

    /// Lets the run take no new changes beyond a limit.
    pub(super) fn within(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    /// Has the secrets that the target makes kept.
    pub(super) fn with_keeper(self, keeper: Option<Box<dyn Keeper>>) -> Self {
        Self { keeper, ..self }
    }
}

/// Makes the folder of a run, which must be a new one: a journal that goes on from another's would tell of neither.
fn new_folder(context: &Context, target: &str) -> Result<(String, PathBuf), Failure> {
    let name = context.run_on(target)?;
    let folder = context.folder("runs")?.join(&name);
    match disk::make_new_folder(&folder) {
        Ok(()) => {
            if runs::is_ahead(&name, SystemTime::now()) {
                context.tell(&format!("The clock stands before the last run; so that this one is the newest, it is called {name}."));
            }
            Ok((name, folder))
        }
        Err(taken) if taken.kind() == std::io::ErrorKind::AlreadyExists => {
            let state = format!("nothing was written: there is a run \"{name}\" already");
            Err(Failure::new(FAILED, state).hint("run the same command again"))
        }
        Err(source) => {
            let state = format!("nothing was written: cannot make the folder \"{}\"", folder.display());
            Err(Failure::new(FAILED, state).caused_by(&source).hint(ROOM))
        }
    }
}

/// How a run ended.
pub(super) struct Ended {
    /// What came of it.
    pub(super) summary: Summary,
    /// What it cost.
    pub(super) effort: Effort,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The exit code.
    pub(super) code: u8,
    /// The limit that ended it, in words, where one did.
    pub(super) limit: Option<String>,
    /// The exit code of the signal that was heard while it went on.
    pub(super) signal: Option<u8>,
}

impl Ended {
    /// Returns it with its plan, to be told of.
    pub(super) fn of<'run>(&'run self, plan: &'run Plan) -> report::Run<'run> {
        report::Run { plan, summary: &self.summary, effort: self.effort, folder: &self.folder }
    }

    /// Prints the summary; returns the exit code.
    pub(super) fn answer(&self, context: &Context, plan: &Plan) -> u8 {
        let run = self.of(plan);
        context.answer(|| report::summary(&run), || report::summary_json(&run, self.code));
        self.code
    }
}

/// Carries out a plan; leaves its reports in the run's folder.
pub(super) async fn carry_out(
    context: &Context,
    plan: &Plan,
    begun: Begun<'_>,
    tenant: &Tenant,
    moved: Moved,
    memory: Option<&mut Memory>,
) -> Result<Ended, Failure> {
    let Begun { folder, journal, promised, limit, keeper, _lock } = begun;
    let signal = AtomicU8::new(0);
    // Each is read once, so that what is remembered is what was sent.
    let fields = plan.changes().flat_map(|change| &change.secrets);
    let supplied: HashMap<&str, Option<Secret>> = fields.map(|field| (field.from.as_str(), context.secret(field))).collect();
    let secret = |field: &SecretField| supplied.get(field.from.as_str()).cloned().flatten();
    let run = Run {
        catalog: context.catalog,
        plan,
        tenant,
        journal,
        observer: &*context.progress,
        secret: &secret,
        keeper,
        moved,
        at_once: AT_ONCE,
        room: &|| if signal.load(Ordering::Relaxed) > 0 { 0 } else { limit.room(tenant.requests()) },
        now: &now,
    };
    let unrecorded = |error| unrecorded(&error, &plan.target.tenant);
    let (summary, mut journal) = tokio::select! {
        settled = run.settle() => settled.map_err(unrecorded)?,
        code = interrupted_twice(context, &signal) => return Err(stopped_at_once(code, &plan.target.tenant)),
    };
    if let Some(memory) = memory {
        memory.settle(plan, &summary);
        memory.remember_sent(&summary, &secret);
        memory.keep(&promised, plan, &summary);
        memory.save().map_err(|failure| failure.but(report::state(&summary)).hint(go_on(&plan.target.tenant)))?;
    }
    // What the run leaves for the next one is kept: only now it is over.
    let over = journal.end_if(summary.is_whole(), &now());
    over.map_err(|source| unrecorded(apply::Error::Journal { summary: Box::new(summary.clone()), source }))?;
    let signal = signal.load(Ordering::Relaxed);
    let limit = limit.reached(tenant.requests()).filter(|_| summary.unsent > 0 && signal == 0 && !summary.is_silent);
    let code = if limit.is_some() { OVER } else { exit_of(plan, &summary, signal) };
    let ended = Ended { summary, effort: context.progress.effort(), folder, code, limit, signal: (signal > 0).then_some(signal) };
    for (name, content) in report::files(&ended.of(plan), code) {
        let written = disk::write_whole(&ended.folder.join(name), content.as_bytes());
        written.map_err(|source| Failure::new(FAILED, report::state(&ended.summary)).caused_by(&source).hint(ROOM))?;
    }
    Ok(ended)
}

/// Returns the exit code of a run: that of the signal which stopped it, where it was stopped.
fn exit_of(plan: &Plan, summary: &Summary, signal: u8) -> u8 {
    match summary.is_whole() {
        false if signal > 0 => signal,
        true if plan.left_out.is_empty() && summary.lost_secrets() == 0 => 0,
        _ => INCOMPLETE,
    }
}

/// A run whose journal cannot be written has stopped; what it did until then is known here for the last time.
fn unrecorded(error: &apply::Error, target: &str) -> Failure {
    let apply::Error::Journal { summary, source } = error;
    Failure::new(FAILED, format!("{}: {error}", report::state(summary))).caused_by(source).hint(go_on(target))
}

fn go_on(target: &str) -> String {
    format!("free some room, then go on with `migrate import --tenant {target} --resume`")
}

/// The first signal lets sent requests settle; the second ends the run at once. Returns the exit code of the second.
async fn interrupted_twice(context: &Context, signal: &AtomicU8) -> u8 {
    signal.store(context.signals.next().await, Ordering::Relaxed);
    context.tell("Stopping: requests under way are being settled. Once more stops at once; `migrate import --resume` goes on later.");
    context.signals.next().await
}

fn stopped_at_once(code: u8, target: &str) -> Failure {
    Failure::new(code, "stopped at once: requests were under way, and what became of them is not known")
        .hint(format!("`migrate import --tenant {target} --resume` looks that up and goes on"))
}
