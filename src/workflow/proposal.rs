//! From plan to run, for every command that writes: guards, scopes, secret sink, approval, execution.

use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use super::error::Error;
use super::execute::{EndedRun, execute};
use super::kept_snapshots::{KeptSnapshot, KeptSnapshots};
use super::limits::RunBudget;
use super::lock::lock;
use super::prepare::{Prepared, Route, keep, prepare};
use super::probe::{RunProbe, probe_after, save as save_probe};
use super::review::{Review, unapproved};
use super::session::Session;
use crate::apply::{SecretSink, StaleChanges, SyncState};
use crate::files::Lock;
use crate::management_api::{Tenant, Traffic};
use crate::model::approval::Approvals;
use crate::plan::refusal::Refusal;
use crate::plan::{Estimate, Plan};
use crate::snapshot::{Desired, Snapshot};

/// A plan that may be executed, with its refusals.
pub(crate) struct Proposal {
    /// The plan.
    pub(crate) plan: Arc<Plan>,
    /// All refusals, approved or not.
    pub(crate) refusals: Vec<Refusal>,
    /// The refusals that are not approved.
    pub(crate) unapproved: Vec<Refusal>,
    tenant: Tenant,
    basis: Basis,
    /// The target, where the plan was not made of a pair; the run keeps a snapshot of it.
    live: Option<Snapshot>,
    /// What asks the front door before and after the run.
    probe: Option<RunProbe>,
}

/// What a plan is based on.
enum Basis {
    /// A source and its target, whose state is saved as a pair.
    Pair(Box<(Desired, Snapshot, SyncState)>),
    /// The plan alone; these of its changes are stale.
    Plan(StaleChanges),
}

impl std::fmt::Debug for Proposal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Proposal").field("plan", &self.plan).field("unapproved", &self.unapproved).finish_non_exhaustive()
    }
}

impl Proposal {
    /// Creates a proposal from a prepared plan, with its unapproved refusals.
    pub(crate) fn of_prepared(prepared: Prepared, unapproved: Vec<Refusal>) -> Self {
        let Prepared { plan, refusals, tenant, desired, live, state, .. } = prepared;
        Self {
            plan: Arc::new(plan),
            refusals,
            unapproved,
            tenant,
            basis: Basis::Pair(Box::new((desired, live, state))),
            live: None,
            probe: None,
        }
    }

    /// Creates a proposal from a saved plan, or from one within a single tenant.
    pub(crate) fn of_plan(plan: Plan, tenant: Tenant, (refusals, unapproved): (Vec<Refusal>, Vec<Refusal>)) -> Self {
        let basis = Basis::Plan(StaleChanges::default());
        Self { plan: Arc::new(plan), refusals, unapproved, tenant, basis, live: None, probe: None }
    }

    /// Has the run keep a snapshot of the target as it was read now.
    pub(crate) fn with_snapshot(self, live: Snapshot) -> Self {
        Self { live: Some(live), ..self }
    }

    /// Refuses changes that became stale since the plan was made.
    pub(crate) fn without_stale(self, stale: StaleChanges) -> Self {
        Self { basis: Basis::Plan(stale), ..self }
    }

    /// Has the run ask the front door before its first write and after its last one.
    ///
    /// # Errors
    ///
    /// If the target is not configured.
    pub(crate) async fn with_probe(mut self, environment: &Environment) -> Result<Self, Error> {
        let live = match &self.basis {
            Basis::Pair(pair) => Some(&pair.1),
            Basis::Plan(_) => self.live.as_ref(),
        };
        if let Some(live) = live {
            self.probe = Some(RunProbe::new(environment, &self.tenant, (&self.plan, live)).await?);
        }
        Ok(self)
    }

    /// Returns whether there is nothing to do: the plan has no changes and nothing is refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.unapproved.is_empty()
    }

    /// Estimates the requests of the plan.
    pub(crate) fn estimate(&self) -> Estimate {
        Estimate::new(&self.plan, self.tenant.known_limits())
    }

    /// Returns the number of requests to the target so far.
    pub(crate) fn requests(&self) -> Traffic {
        self.tenant.requests()
    }

    /// If nothing is to change, saves the state in which both sides agree.
    fn agree(self) -> Result<Arc<Plan>, Error> {
        if let Basis::Pair(pair) = self.basis {
            let (desired, live, mut state) = *pair;
            state.begin(desired, &live, &self.plan);
            state.save()?;
        }
        Ok(self.plan)
    }

    fn begin<'lock>(self, environment: &Environment, lock: &'lock Lock, command: &str) -> Result<Session<'lock>, Error> {
        let kept = self.keep_snapshots(environment)?;
        let session = match self.basis {
            Basis::Pair(pair) => Session::start_import(environment, (self.plan, self.tenant), *pair, lock, command),
            Basis::Plan(stale) => Session::start_plan(environment, (self.plan, self.tenant), stale, lock, command),
        }?;
        kept.save(&session.folder)?;
        Ok(session)
    }

    /// Keeps a snapshot of the target before anything is written to it; returns the snapshots that the run needs.
    fn keep_snapshots(&self, environment: &Environment) -> Result<KeptSnapshots, Error> {
        let Plan { source, target, kept_source, .. } = &*self.plan;
        let live = match &self.basis {
            Basis::Pair(pair) => Some(&pair.1),
            Basis::Plan(_) => self.live.as_ref(),
        };
        let of_target = live.map(|live| keep(environment, live)).transpose()?;
        let of_target = of_target.map(|folder| KeptSnapshot::new(environment, &target.tenant, &folder));
        // A saved plan may have been made on another machine, or its snapshot may have been deleted since.
        let named = kept_source.as_ref().map(|folder| KeptSnapshot { tenant: source.tenant.clone(), folder: folder.clone() });
        let of_source = named.filter(|kept| kept.path(environment).is_dir());
        Ok(KeptSnapshots::new(of_source, of_target))
    }
}

/// Decides whether a proposal is executed.
pub(crate) trait Approver {
    /// The error type, also used for refusing approval.
    type Error: From<Error>;

    /// Shows the plan, before any other check.
    fn show(&self, _proposal: &Proposal) {}

    /// Returns the error for a plan that guards refuse.
    fn refuse(&self, _proposal: &Proposal, error: Error) -> Self::Error {
        error.into()
    }

    /// Returns the sink for secrets that the target generates.
    ///
    /// # Errors
    ///
    /// If nothing can be stored there.
    fn sink(&self) -> Result<Option<Box<dyn SecretSink>>, Self::Error> {
        Ok(None)
    }

    /// Approves the proposal, as the last step before anything is written.
    ///
    /// # Errors
    ///
    /// If the proposal is not approved.
    async fn approve(&self, _proposal: &Proposal) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Is called when a run starts.
    fn begun(&self, _run: &Session<'_>) {}

    /// Returns the error for a run that had started.
    fn fail(&self, error: Error) -> Self::Error {
        error.into()
    }
}

/// The result of a proposal.
#[derive(Debug)]
pub enum Completion {
    /// There was nothing to do.
    Unchanged(Arc<Plan>),
    /// It was executed.
    Run(Box<EndedRun>),
}

/// Executes a proposal under the lock on its target: guards are checked, the approver decides, and the run is executed
/// within its budget.
///
/// # Errors
///
/// If the plan is refused or not approved, or the run cannot be recorded. Requests of a run may have been sent only if
/// the error says so.
pub(crate) async fn carry_out<A: Approver>(
    environment: &Environment,
    proposal: Proposal,
    (lock, command, budget): (&Lock, &str, RunBudget),
    approver: &A,
) -> Result<Completion, A::Error> {
    if proposal.is_empty() {
        return Ok(Completion::Unchanged(proposal.agree()?));
    }
    approver.show(&proposal);
    if !proposal.unapproved.is_empty() {
        let error = Error::Refused { target: proposal.tenant.name().to_owned(), refusals: proposal.unapproved.clone() };
        return Err(approver.refuse(&proposal, error));
    }
    let sink = approver.sink()?;
    approver.approve(&proposal).await?;
    let before = match &proposal.probe {
        Some(probe) => Some(probe.before(environment).await),
        None => None,
    };
    let session = proposal.begin(environment, lock, command)?.within(budget).with_sink(sink);
    if let Some(before) = &before {
        save_probe(&session.folder, before)?;
    }
    approver.begun(&session);
    let mut ended = execute(environment, session).await.map_err(|error| approver.fail(error))?;
    ended.probe = probe_after(environment, &ended).await;
    Ok(Completion::Run(Box::new(ended)))
}

/// An approver for programs: executes whatever the guards pass, and does not store secrets that the target generates.
struct Unattended;

impl Approver for Unattended {
    type Error = Error;
}

/// Imports a source into a target unattended, as far as the guards and these approvals permit.
///
/// If anything is refused, nothing is written. `lock_timeout` is how long to wait for another run on the target.
/// Lockout risks and weaker protection can be approved only in the configuration of the target.
///
/// # Errors
///
/// If the target is locked, a tenant cannot be read, a guard refuses the plan, or the run cannot be recorded.
pub async fn import(
    environment: &Environment,
    route: &Route,
    approvals: &Approvals,
    lock_timeout: Option<Duration>,
) -> Result<Completion, Error> {
    let target = environment.tenant(&route.target)?;
    let lock = lock(environment, target, lock_timeout).await?;
    let prepared = prepare(environment, route).await?;
    let left = unapproved(prepared.refusals.clone(), approvals, target, Review::None);
    let proposal = Proposal::of_prepared(prepared, left);
    carry_out(environment, proposal, (&lock, "import", RunBudget::default()), &Unattended).await
}
