//! Imports by the library between two sandboxes, without the program.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use auth0_migrate::apply::{Journal, PlanExecution, StaleChanges, Summary, SyncState};
use auth0_migrate::catalog::Catalog;
use auth0_migrate::export::{Scope, export};
use auth0_migrate::management_api::{ApiConfig, Credentials, Tenant};
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::network::NetworkOptions;
use auth0_migrate::plan::{DesiredState, OnDrift, Plan, PlanContext, mark_former_ids, plan_after};
use auth0_migrate::sandbox::{Fault, Options, Sandbox, State};
use auth0_migrate::snapshot::{Desired, Snapshot};
use auth0_migrate::state::pair::{TenantIdentity, TenantPair};

use super::request_recording::recorded;

pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";
/// The timeout for responses of a sandbox, however slow the machine is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// The value of every supplied secret.
pub(crate) const SUPPLIED: &str = "supplied";

/// Returns the state in a state file.
pub(crate) fn state(text: &str) -> State {
    State::from_json(serde_json::from_str(text).expect("JSON")).expect("a state")
}

/// Starts a sandbox without faults, and a connection to it.
pub(crate) async fn start(state: State) -> (Sandbox, Tenant) {
    start_with(state, Vec::new()).await
}

/// Starts a sandbox with these faults, and a connection to it.
pub(crate) async fn start_with(state: State, faults: Vec<Fault>) -> (Sandbox, Tenant) {
    let domain = state.domain().to_owned();
    let sandbox = Sandbox::start(recorded(Options::new(state).credentials("id", "secret").faults(faults))).await.expect("a sandbox");
    let tenant = connect_with_secret(&sandbox, &domain);
    (sandbox, tenant)
}

/// Connects to a sandbox with the credentials of the tests.
pub(crate) fn connect_with_secret(sandbox: &Sandbox, domain: &str) -> Tenant {
    let secret = Credentials::Secret { client_id: "id".into(), client_secret: SecretString::from("secret") };
    connect(sandbox, domain, secret)
}

/// Connects to a sandbox.
pub(crate) fn connect(sandbox: &Sandbox, domain: &str, credentials: Credentials) -> Tenant {
    connect_for(sandbox, domain, credentials, ANSWER_TIMEOUT)
}

/// Connects to a sandbox with this timeout.
pub(crate) fn connect_for(sandbox: &Sandbox, domain: &str, credentials: Credentials, timeout: Duration) -> Tenant {
    let config = ApiConfig {
        name: domain.to_owned(),
        domain: domain.to_owned(),
        url: Some(sandbox.url()),
        credentials,
        network: NetworkOptions::default(),
        tier: None,
        rate: None,
        share: 1.0,
        run: "test".into(),
        timeout,
        concurrency: 16,
    };
    Tenant::new(config, Arc::new(NoObserver)).expect("a tenant")
}

/// Reads a tenant completely.
pub(crate) async fn read(tenant: &Tenant) -> Snapshot {
    export(Catalog::standard(), tenant, &Scope::default(), NOW, &NoObserver).await.expect("exported")
}

/// An import: the target before, the plan and the summary.
pub(crate) struct Imported {
    /// The target before the import.
    pub(crate) before: Snapshot,
    /// The plan.
    pub(crate) plan: Plan,
    /// The summary.
    pub(crate) summary: Summary,
}

/// Applies a plan.
pub(crate) async fn apply_plan(plan: &Plan, tenant: &Tenant) -> Summary {
    let folder = tempfile::tempdir().expect("a folder");
    let run = PlanExecution {
        plan,
        tenant,
        journal: Journal::begin(&folder.path().join("journal.jsonl"), "test", NOW, "import").expect("a journal"),
        observer: &NoObserver,
        secret: &|_| Some(SecretString::from(SUPPLIED)),
        secret_sink: None,
        stale_changes: StaleChanges::default(),
        concurrency: 16,
        stop_reason: None,
        clock: &|| NOW.to_owned(),
        remaining_changes: &|| usize::MAX,
    };
    run.complete().await.expect("carried out").0
}

/// Returns the state before the first import.
pub(crate) fn empty_sync_state() -> SyncState {
    let pair = TenantPair::new(Path::new("nowhere"), TenantIdentity::new("source", "source"), TenantIdentity::new("target", "target"))
        .expect("plain names");
    SyncState::load(Catalog::standard(), pair).expect("nothing")
}

/// Plans with a saved state.
pub(crate) fn planned(desired: &Desired, live: &Snapshot, memory: &SyncState) -> Plan {
    planned_with(desired, live, memory, false)
}

/// Plans with a saved state; `prune` deletes what the source no longer has.
fn planned_with(desired: &Desired, live: &Snapshot, memory: &SyncState, prune: bool) -> Plan {
    let sent = memory.sent(desired, &|_| Some(SecretString::from(SUPPLIED)));
    let past = PlanContext {
        links: &memory.links,
        base: &memory.base,
        sent: &sent,
        on_drift: OnDrift::Keep,
        prune,
        desired_state: DesiredState::Source,
    };
    plan_after(Catalog::standard(), desired, live, past)
}

/// Plans, applies and saves the state, as an import does.
pub(crate) async fn import(desired: &Desired, tenant: &Tenant, memory: &mut SyncState) -> Imported {
    import_with(desired, tenant, memory, false).await
}

/// Plans, applies and saves the state, as an import does, with or without pruning.
pub(crate) async fn import_with(desired: &Desired, tenant: &Tenant, memory: &mut SyncState, prune: bool) -> Imported {
    let before = read(tenant).await;
    let mut desired = desired.clone();
    mark_former_ids(Catalog::standard(), &mut desired, &before, &memory.links, &memory.source_ids);
    let plan = planned_with(&desired, &before, memory, prune);
    let expected_baseline = memory.begin(desired, &before, &plan);
    let summary = apply_plan(&plan, tenant).await;
    memory.learn(&plan, &summary, &expected_baseline, &|_| Some(SecretString::from(SUPPLIED)));
    Imported { before, plan, summary }
}
