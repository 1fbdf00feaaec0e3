//! A run before its first write: what it carries out and where, its folder and its journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

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

/// What the target will hold once the run ended, for whoever goes on with it.
const EXPECTED_BASELINE: &str = "base.json";

/// A run that is about to begin, or to go on, under the lock on its target.
pub(crate) struct Session<'lock> {
    /// What it carries out.
    pub(crate) plan: Arc<Plan>,
    /// Where.
    pub(crate) tenant: Tenant,
    /// What earlier runs left of its source and target.
    pub(crate) state: Option<SyncState>,
    /// What moved in the target since the plan was made.
    pub(crate) stale_changes: StaleChanges,
    /// Why nothing is sent any more, where that is so.
    pub(crate) stop_reason: Option<&'static str>,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its journal.
    pub(crate) journal: Journal,
    /// What becomes part of the base, as far as the run comes.
    pub(crate) expected_baseline: Baseline,
    /// How far it may go.
    pub(crate) budget: RunBudget,
    /// Where the secrets go that the target makes.
    pub(crate) sink: Option<Box<dyn SecretSink>>,
    /// The lock, as long as it goes on.
    pub(crate) lock: &'lock Lock,
}

impl<'lock> Session<'lock> {
    /// Begins a run from a source to a target; `command` is the one that does.
    ///
    /// What was found is kept before anything is written, so that whoever resumes the run knows it too.
    pub(crate) fn of_pair(
        environment: &Environment,
        (plan, tenant): (Arc<Plan>, Tenant),
        (desired, live, mut state): (Desired, Snapshot, SyncState),
        lock: &'lock Lock,
        command: &str,
    ) -> Result<Self, Error> {
        let expected_baseline = state.begin(desired, &live, &plan);
        state.save()?;
        Self::promising(environment, (plan, tenant, Some(state)), expected_baseline, lock, command)
    }

    /// Begins a run of a plan that was made earlier, or that is of one tenant alone.
    ///
    /// `stale_changes` are refused.
    pub(crate) fn of_plan(
        environment: &Environment,
        (plan, tenant): (Arc<Plan>, Tenant),
        stale_changes: StaleChanges,
        lock: &'lock Lock,
        command: &str,
    ) -> Result<Self, Error> {
        let state = left_of(environment, &plan, &stale_changes)?;
        Ok(Self { stale_changes, ..Self::promising(environment, (plan, tenant, state), Baseline::default(), lock, command)? })
    }

    /// Makes the folder of a new run, with its plan, its journal and what it promises.
    fn promising(
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

    /// Goes on with a run that was cut off: reads its files and the target; writes nothing to it yet.
    pub(crate) async fn again(
        environment: &Environment,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        include: &[String],
    ) -> Result<Self, Error> {
        let begun = Self::of_folder(environment, target, folder, lock)?;
        let (plan, tenant) = (&begun.plan, &begun.tenant);
        let live = read(environment, tenant, target, &scope_of(environment, plan, include)?).await?;
        let stale_changes = StaleChanges::since_started(environment.catalog, plan, &live, &begun.journal.applied())
            .with_protected(plan, &protected(target));
        let unapproved: Vec<Refusal> = guards::secrets(environment.catalog, plan, &|field| environment.secret(field)).into_iter().collect();
        if !unapproved.is_empty() {
            return Err(Error::Refused { target: target.name.clone(), refusals: unapproved });
        }
        refuse_missing_scopes(environment, plan, tenant).await?;
        let state = left_of(environment, plan, &stale_changes)?;
        Ok(Self { state, stale_changes, ..begun })
    }

    /// Looks up what is in doubt of a run that was cut off, and keeps what it leaves; nothing more of it is sent, because of this.
    pub(crate) fn looked_up(
        environment: &Environment,
        target: &TenantSettings,
        folder: &Path,
        lock: &'lock Lock,
        reason: &'static str,
    ) -> Result<Self, Error> {
        let begun = Self::of_folder(environment, target, folder, lock)?;
        let state = environment.sync_state_of(&begun.plan)?;
        Ok(Self { state, stop_reason: Some(reason), ..begun })
    }

    fn of_folder(environment: &Environment, target: &TenantSettings, folder: &Path, lock: &'lock Lock) -> Result<Self, Error> {
        let (plan, _) = file::load(&folder.join("plan.json"))?;
        refuse_another_target(&plan, target)?;
        let tenant = environment.connect(target)?;
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

    /// Leaves links and base as they are, as a run does that is killed at its end.
    pub(crate) fn unremembered(self) -> Self {
        Self { state: None, ..self }
    }

    /// Lets the run take no new changes beyond a budget.
    pub(crate) fn within(self, budget: RunBudget) -> Self {
        Self { budget, ..self }
    }

    /// Has the secrets that the target makes sent there.
    pub(crate) fn with_sink(self, sink: Option<Box<dyn SecretSink>>) -> Self {
        Self { sink, ..self }
    }
}

/// Returns what earlier runs left of the source and the target of a plan, and the pairs that it tells of.
fn left_of(environment: &Environment, plan: &Plan, stale_changes: &StaleChanges) -> Result<Option<SyncState>, Error> {
    let mut state = environment.sync_state_of(plan)?;
    if let Some(state) = &mut state {
        state.link_planned(plan, stale_changes);
    }
    Ok(state)
}

/// A plan is carried out on the tenant it was made for.
pub(crate) fn refuse_another_target(plan: &Plan, target: &TenantSettings) -> Result<(), Error> {
    let TenantSettings { name, domain, .. } = target;
    if plan.target.domain == *domain {
        return Ok(());
    }
    Err(Error::AnotherTarget { planned_for: plan.target.domain.clone(), name: name.clone(), domain: domain.clone() })
}

/// Makes the folder of a run, which must be a new one: a journal that goes on from another's would tell of neither.
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
