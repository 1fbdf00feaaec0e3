//! Executes a run: interrupts, limits, and saving the state for the next run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;
use tracing::info;

use super::environment::{CONCURRENCY, Environment, now};
use super::error::Error;
use super::host::{Interrupt, Notice};
use super::incremental::PairReadings;
use super::limits::ReachedLimit;
use super::session::Session;
use crate::apply::journal::Record;
use crate::apply::{self, OutcomeCounts, PlanExecution, Summary, SyncState};
use crate::management_api::Traffic;
use crate::plan::{Plan, SecretField};
use crate::probe::ProbeReport;
use crate::state::baseline::Baseline;

/// A finished run.
#[derive(Debug)]
pub struct EndedRun {
    /// Its plan.
    pub plan: Arc<Plan>,
    /// Its summary.
    pub summary: Summary,
    /// The number of requests to the target, including reads.
    pub requests: Traffic,
    /// Its folder.
    pub folder: PathBuf,
    /// The limit that ended it, if one did.
    pub limit: Option<ReachedLimit>,
    /// The first interrupt during the run.
    pub interrupt: Option<Interrupt>,
    /// What the front door answered before and after it, if it was probed.
    pub probe: Option<ProbeReport>,
}

/// Supplied secrets, each read once, so that the recorded fingerprints are those of the sent values.
struct SuppliedSecrets(HashMap<String, Option<SecretString>>);

impl SuppliedSecrets {
    fn read(environment: &Environment, plan: &Plan) -> Self {
        let fields = plan.changes().flat_map(|change| &change.secrets);
        Self(fields.map(|field| (field.from.clone(), environment.secret(field))).collect())
    }

    fn get(&self, field: &SecretField) -> Option<SecretString> {
        self.0.get(&field.from).cloned().flatten()
    }
}

/// Executes a run as far as its limits allow, and saves the state for the next run.
///
/// # Errors
///
/// If the journal or the state cannot be written, or a second interrupt aborts the run.
pub(crate) async fn execute(environment: &Environment, session: Session<'_>) -> Result<EndedRun, Error> {
    let Session { plan, tenant, state, stale_changes, stop_reason, folder, journal, expected_baseline, budget, sink, lock: _lock } =
        session;
    if let Some(end) = budget.end() {
        tenant.retry_until(end.into());
    }
    let is_interrupted = AtomicBool::new(false);
    let supplied = SuppliedSecrets::read(environment, &plan);
    let secret = |field: &SecretField| supplied.get(field);
    let (name, target) = (folder.file_name().unwrap_or_default().to_string_lossy(), plan.target.tenant.clone());
    info!(run = &*name, tenant = target, changes = plan.changes().count(), "run started");
    let run = PlanExecution {
        plan: &plan,
        tenant: &tenant,
        journal,
        observer: &*environment.host,
        secret: &secret,
        secret_sink: sink,
        stale_changes,
        concurrency: CONCURRENCY,
        stop_reason,
        clock: &now,
        remaining_changes: &|| if is_interrupted.load(Ordering::Relaxed) { 0 } else { budget.remaining_changes(tenant.requests()) },
    };
    let mut interrupt = None;
    let stopping = Notice::Stopping { target: plan.target.tenant.clone(), folder: folder.clone() };
    let interrupted_twice = async {
        interrupt = Some(environment.host.interrupted().await);
        is_interrupted.store(true, Ordering::Relaxed);
        tenant.stop();
        environment.host.notice(&stopping);
        environment.host.interrupted().await
    };
    let (summary, journal) = tokio::select! {
        settled = Box::pin(run.complete()) => settled.map_err(|error| Error::Unrecorded(Box::new(error)))?,
        second = interrupted_twice => {
            info!(run = &*name, tenant = target, "run stopped at once");
            let summary = recorded(&plan, &folder);
            return Err(Error::StoppedAtOnce { interrupt: second, summary: Box::new(summary) });
        }
    };
    log_end(&name, &target, &summary);
    if let Some(state) = state {
        remember(state, (&plan, &summary), &expected_baseline, &supplied)?;
    }
    distrust_readings(environment, &plan, &summary);
    environment.follow(&plan, &summary).map_err(|source| Error::Unremembered { summary: Box::new(summary.clone()), source })?;
    // What the run leaves for the next one is kept: only now it is over.
    apply::close(journal, &summary, &now()).map_err(|error| Error::Unrecorded(Box::new(error)))?;
    let requests = tenant.requests();
    let limit = budget.reached(requests).filter(|_| summary.unsent > 0 && interrupt.is_none() && !summary.is_silent);
    Ok(EndedRun { plan, summary, requests, folder, limit, interrupt, probe: None })
}

/// Has the next sync read both tenants completely if a run did not end as it was planned.
fn distrust_readings(environment: &Environment, plan: &Plan, summary: &Summary) {
    let OutcomeCounts { partial, failed, unknown, .. } = summary.tally();
    let pair = SyncState::pair_of(plan, &environment.settings().dir).ok().flatten();
    if let Some(pair) = pair.filter(|_| partial + failed + unknown > 0) {
        PairReadings::forget(&pair);
    }
}

/// Logs how many changes of a run ended how.
fn log_end(run: &str, tenant: &str, summary: &Summary) {
    let OutcomeCounts { applied, partial, failed, skipped, unknown, unsent } = summary.tally();
    info!(run, tenant, applied, partial, failed, skipped, unknown, unsent, "run ended");
}

/// Returns what came of a run so far, as its journal has it.
fn recorded(plan: &Plan, folder: &Path) -> Summary {
    let record = Record::load(&folder.join("journal.jsonl")).unwrap_or_default();
    Summary::from_journal(plan, &record)
}

/// Saves the state for the next run.
fn remember(
    mut state: SyncState,
    (plan, summary): (&Plan, &Summary),
    expected_baseline: &Baseline,
    supplied: &SuppliedSecrets,
) -> Result<(), Error> {
    state.learn(plan, summary, expected_baseline, &|field| supplied.get(field));
    state.save().map_err(|source| Error::Unremembered { summary: Box::new(summary.clone()), source })
}
