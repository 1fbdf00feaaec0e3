//! A run before its first write: its plan, target, folder and journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::authorship::{ReadTarget, attribute_stale};
use super::environment::{Environment, now};
use super::error::Error;
use super::host::Notice;
use super::limits::RunBudget;
use super::prepare::{protected, read, scope_of};
use super::review::refuse_missing_scopes;
use super::run_name;
use crate::apply::{Journal, SecretSink, StaleChanges, SyncState};
use crate::config::TenantSettings;
use crate::files::{self, Lock};
use crate::management_api::Tenant;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, file};
use crate::snapshot::{Desired, Snapshot};
use crate::state::baseline::Baseline;

/// The baseline that the target will have after the run, for a resume.
const EXPECTED_BASELINE: &str = "base.json";

/// A run that is about to start or resume, under the lock on its target.
pub(crate) struct Session<'lock> {
    /// The plan.
    pub(crate) plan: Arc<Plan>,
    /// The target.
    pub(crate) tenant: Tenant,
    /// The state that earlier runs between source and target left.
    pub(crate) state: Option<SyncState>,
    /// Changes whose resources changed since the plan was made.
    pub(crate) stale_changes: StaleChanges,
    /// Why nothing more is sent, if so.
    pub(crate) stop_reason: Option<&'static str>,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its journal.
    pub(crate) journal: Journal,
    /// The baseline to save, as far as the run gets.
    pub(crate) expected_baseline: Baseline,
    /// The limits of the run.
    pub(crate) budget: RunBudget,
    /// Where secrets that the target generates are stored.
    pub(crate) sink: Option<Box<dyn SecretSink>>,
    /// The lock on the target, held during the run.
    pub(crate) lock: &'lock Lock,
}

impl<'lock> Session<'lock> {
    /// Starts a run from a source to a target; `command` is the command that does.
    ///
    /// Both tenants' state is saved before anything is written, so that a resume knows it too.
    pub(crate) fn start_import(
        environment: &Environment,
        (plan, tenant): (Arc<Plan>, Tenant),
        (desired, live, mut state): (Desired, Snapshot, SyncState),
        lock: &'lock Lock,
        command: &str,
    ) -> Result<Self, Error> {
        let expected_baseline = state.begin(desired, &live, &plan);
        state.save()?;
        Self::start(environment, (plan, tenant, Some(state)), expected_baseline, lock, command)
    }

    /// Starts a run of a saved plan, or of one within a single tenant.
    pub(crate) fn start_plan(
        environment: &Environment,
        (plan, tenant): (Arc<Plan>, Tenant),
        stale_changes: StaleChanges,
        lock: &'lock Lock,
        command: &str,
    ) -> Result<Self, Error> {
        let state = left_of(environment, &plan, &stale_changes)?;
        Ok(Self { stale_changes, ..Self::start(environment, (plan, tenant, state), Baseline::default(), lock, command)? })
    }

    /// Creates the folder of a new run with its plan, journal and expected baseline.
    fn start(
        environment: &Environment,
        (plan, tenant, state): (Arc<Plan>, Tenant, Option<SyncState>),
        expected_baseline: Baseline,
        lock: &'lock Lock,
        command: &str,
    ) -> Result<Self, Error> {
        let (name, folder) = new_folder(environment, &plan.target.tenant)?;
        if !expected_baseline.is_empty() {
            expected_baseline.save(&folder.join(EXPECTED_BASELINE))?;
        }
        file::save(&folder.join("plan.json"), &plan, &[])?;
        let journal = Journal::begin(&folder.join("journal.jsonl"), &name, &now(), command)?;
        Ok(Self { state, ..Self::new((plan, tenant), (folder, journal), expected_baseline, lock) })
    }

    /// Resumes an interrupted run: loads its files and reads the target, without writing to it yet.
    pub(crate) async fn resume(
        environment: &Environment,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        include: &[String],
    ) -> Result<Self, Error> {
        let session = Self::load(environment, target, folder, lock)?;
        let (plan, tenant) = (&session.plan, &session.tenant);
        let live = read(environment, tenant, target, &scope_of(environment, plan, include)?).await?;
        let mut stale_changes =
            StaleChanges::since_started(plan, &live, &session.journal.applied()).with_protected(plan, &protected(target));
        // The reasons name the authors; a plan that is carried out already gets no further notes.
        attribute_stale(ReadTarget { environment, tenant, live: &live }, plan, &mut stale_changes).await;
        let unapproved: Vec<Refusal> = guards::secrets(plan, &|field| environment.secret(field)).into_iter().collect();
        if !unapproved.is_empty() {
            return Err(Error::Refused { target: target.name.clone(), refusals: unapproved });
        }
        refuse_missing_scopes(plan, tenant).await?;
        let state = left_of(environment, plan, &stale_changes)?;
        Ok(Self { state, stale_changes, ..session })
    }

    /// Loads an interrupted run to resolve its unknown outcomes; no further changes are sent, for the given reason.
    pub(crate) fn resume_lookups(
        environment: &Environment,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        reason: &'static str,
    ) -> Result<Self, Error> {
        let session = Self::load(environment, target, folder, lock)?;
        let state = environment.sync_state_of(&session.plan)?;
        Ok(Self { state, stop_reason: Some(reason), ..session })
    }

    fn load(environment: &Environment, target: &TenantSettings, folder: &Path, lock: &'lock Lock) -> Result<Self, Error> {
        let (plan, _) = file::load(&folder.join("plan.json"))?;
        refuse_another_target(&plan, target)?;
        // The target's log shows what a run did under one name, also if it was resumed.
        let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let tenant = environment.connect_as(target, run)?;
        let journal = Journal::resume(&folder.join("journal.jsonl"), &now())?;
        let expected_baseline = Baseline::load(&folder.join(EXPECTED_BASELINE))?;
        Ok(Self::new((Arc::new(plan), tenant), (folder.to_owned(), journal), expected_baseline, lock))
    }

    fn new(
        (plan, tenant): (Arc<Plan>, Tenant),
        (folder, journal): (PathBuf, Journal),
        expected_baseline: Baseline,
        lock: &'lock Lock,
    ) -> Self {
        Self {
            plan,
            tenant,
            state: None,
            stale_changes: StaleChanges::default(),
            stop_reason: None,
            folder,
            journal,
            expected_baseline,
            budget: RunBudget::default(),
            sink: None,
            lock,
        }
    }

    /// Leaves links and baseline unchanged, like a run that is killed at its end.
    pub(crate) fn without_state(self) -> Self {
        Self { state: None, ..self }
    }

    /// Limits the run to a budget.
    pub(crate) fn within(self, budget: RunBudget) -> Self {
        Self { budget, ..self }
    }

    /// Stores secrets that the target generates in this sink.
    pub(crate) fn with_sink(self, sink: Option<Box<dyn SecretSink>>) -> Self {
        Self { sink, ..self }
    }
}

/// Returns the state that earlier runs between the source and the target of a plan left, with the pairs that the plan
/// contains.
fn left_of(environment: &Environment, plan: &Plan, stale_changes: &StaleChanges) -> Result<Option<SyncState>, Error> {
    let mut state = environment.sync_state_of(plan)?;
    if let Some(state) = &mut state {
        state.link_planned(plan, stale_changes);
    }
    Ok(state)
}

/// Returns an error unless the plan was made for this tenant.
pub(crate) fn refuse_another_target(plan: &Plan, target: &TenantSettings) -> Result<(), Error> {
    let TenantSettings { name, domain, .. } = target;
    if plan.target.domain == *domain {
        return Ok(());
    }
    Err(Error::AnotherTarget { planned_for: plan.target.domain.clone(), name: name.clone(), domain: domain.clone() })
}

/// Creates the folder of a run. It must not exist yet: a journal must not be appended to another run's.
fn new_folder(environment: &Environment, target: &str) -> Result<(String, PathBuf), Error> {
    let name = environment.run_on(target);
    let folder = environment.folder("runs").join(&name);
    match files::make_new_folder(&folder) {
        Ok(()) => {
            if run_name::is_ahead(&name, SystemTime::now()) {
                environment.host.notice(&Notice::ClockBehind { run: name.clone() });
            }
            Ok((name, folder))
        }
        Err(taken) if taken.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::RunExists(name)),
        Err(error) => Err(error.into()),
    }
}
