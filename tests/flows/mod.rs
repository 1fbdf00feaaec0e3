//! The main job on real input: every recorded tenant copied into an empty one and into another recorded one.
//!
//! ```text
//! meaning.rs   two bodies -> where they do not mean the same
//! judge.rs     what an import left behind -> what nobody was told
//! excuses.rs   why anything may be left out at all
//! dated.rs     what the API took once -> what it takes today
//! rules.rs     a mapping made for a tenant
//! secrets.rs   what the target's own secrets are, before and after
//! writes.rs    how many writes an import takes, and how few would do
//! ```

mod dated;
mod excuses;
mod judge;
pub(crate) mod meaning;
mod rules;
mod secrets;
pub(crate) mod undone;
mod writes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use migrate::apply::{Journal, Run, StaleChanges, Summary, SyncState};
use migrate::catalog::Catalog;
use migrate::export::{Selection, export};
use migrate::json::Body;
use migrate::management_api::{ApiConfig, Credentials, Tenant};
use migrate::mapping::Mapping;
use migrate::model::event::{NoObserver, Outcome};
use migrate::model::resource::Secret;
use migrate::plan::{OnDrift, Plan, PlanContext, name_departed, plan_after};
use migrate::sandbox::{Fault, Options, Sandbox, State, seed};
use migrate::snapshot::{Desired, Snapshot};
use migrate::state::baseline::Baseline;
use migrate::state::links::Links;
use migrate::state::pair::{Pair, TenantIdentity};
use serde_json::{Value, json};

use crate::recording::recorded as on_record;
use crate::reference;

use dated::brought_up_to_date;
use excuses::Within;
use judge::{Evidence, Judge};
use secrets::Secrets;

pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";
/// The value of every secret that a mapping supplies.
const SUPPLIED: &str = "supplied";

/// Returns the state that a state file holds.
pub(crate) fn state(text: &str) -> State {
    State::from_json(serde_json::from_str(text).expect("JSON")).expect("a state")
}

/// Starts a sandbox in which nothing goes wrong, and a tenant that talks to it.
pub(crate) async fn start(state: State) -> (Sandbox, Tenant) {
    start_with(state, Vec::new()).await
}

/// Starts a sandbox in which these things go wrong, and a tenant that talks to it.
pub(crate) async fn start_with(state: State, faults: Vec<Fault>) -> (Sandbox, Tenant) {
    let domain = state.domain().to_owned();
    let sandbox = Sandbox::start(on_record(Options::new(state).credentials("id", "secret").faults(faults))).await.expect("a sandbox");
    let tenant = connect_with_secret(&sandbox, &domain);
    (sandbox, tenant)
}

/// Returns a tenant that talks to a sandbox by the credentials that the tests use.
pub(crate) fn connect_with_secret(sandbox: &Sandbox, domain: &str) -> Tenant {
    let secret = Credentials::Secret { client_id: "id".into(), client_secret: Secret::new("secret") };
    connect(sandbox, domain, secret)
}

/// Returns a tenant that talks to a sandbox.
pub(crate) fn connect(sandbox: &Sandbox, domain: &str, credentials: Credentials) -> Tenant {
    connect_for(sandbox, domain, credentials, Duration::from_secs(30))
}

/// Returns a tenant that talks to a sandbox and waits so long for each answer.
pub(crate) fn connect_for(sandbox: &Sandbox, domain: &str, credentials: Credentials, timeout: Duration) -> Tenant {
    let config = ApiConfig {
        name: domain.to_owned(),
        domain: domain.to_owned(),
        url: Some(sandbox.url()),
        credentials,
        tier: None,
        rate: None,
        share: 1.0,
        run: "test".into(),
        timeout,
        concurrency: 16,
    };
    Tenant::new(config, Arc::new(NoObserver)).expect("a tenant")
}

/// Reads a tenant whole.
pub(crate) async fn read(tenant: &Tenant) -> Snapshot {
    export(Catalog::standard(), tenant, &Selection::default(), NOW, &NoObserver).await.expect("exported")
}

/// An import: what the target held, what was decided and how it ended.
pub(crate) struct Imported {
    /// What the target held.
    pub(crate) before: Snapshot,
    /// What was decided.
    pub(crate) plan: Plan,
    /// How it ended.
    pub(crate) summary: Summary,
}

/// Carries out a plan.
pub(crate) async fn carried_out(plan: &Plan, tenant: &Tenant) -> Summary {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run {
        catalog: Catalog::standard(),
        plan,
        tenant,
        journal: Journal::begin(&folder.path().join("journal.jsonl"), "test", NOW, "import").expect("a journal"),
        observer: &NoObserver,
        secret: &|_| Some(Secret::new(SUPPLIED)),
        keeper: None,
        moved: StaleChanges::default(),
        at_once: 16,
        withheld: None,
        room: &|| usize::MAX,
        now: &|| NOW.to_owned(),
    };
    run.settle().await.expect("carried out").0
}

/// Returns what is remembered before the first import.
pub(crate) fn nothing_remembered() -> SyncState {
    let pair = Pair::new(Path::new("nowhere"), TenantIdentity::new("source", "source"), TenantIdentity::new("target", "target"))
        .expect("plain names");
    SyncState::load(Catalog::standard(), pair).expect("nothing")
}

/// Plans by what is remembered.
pub(crate) fn planned(desired: &Desired, live: &Snapshot, memory: &SyncState) -> Plan {
    planned_with(desired, live, memory, false)
}

/// Plans by what is remembered; what is gone from the source goes from the target where that is asked for.
fn planned_with(desired: &Desired, live: &Snapshot, memory: &SyncState, prune: bool) -> Plan {
    let sent = memory.sent(desired, &|_| Some(Secret::new(SUPPLIED)));
    let past = PlanContext { links: &memory.links, base: &memory.base, sent: &sent, on_drift: OnDrift::Keep, prune, keeps_own: true };
    plan_after(Catalog::standard(), desired, live, past)
}

/// Plans and applies, and remembers that, as an import does.
pub(crate) async fn import(desired: &Desired, tenant: &Tenant, memory: &mut SyncState) -> Imported {
    import_with(desired, tenant, memory, false).await
}

/// Plans and applies, and remembers that, as an import does that removes what is gone from the source, where that is asked for.
pub(crate) async fn import_with(desired: &Desired, tenant: &Tenant, memory: &mut SyncState, prune: bool) -> Imported {
    let before = read(tenant).await;
    let mut desired = desired.clone();
    name_departed(Catalog::standard(), &mut desired, &before, &memory.links, &memory.source_ids);
    let plan = planned_with(&desired, &before, memory, prune);
    let promised = memory.begin(desired, &before, &plan);
    let summary = carried_out(&plan, tenant).await;
    memory.learn(&plan, &summary, &promised, &|_| Some(Secret::new(SUPPLIED)));
    Imported { before, plan, summary }
}

/// A tenant copied into another, twice.
struct Copied {
    into: Sandbox,
    tenant: Tenant,
    desired: Desired,
    links: Links,
    /// What is planned again by what was last written.
    remembered: Plan,
    first: Imported,
    /// The same again, where what was last written is not known.
    second: Imported,
    written_again: usize,
    secrets: Secrets,
}

impl Copied {
    async fn make(source: State, target: State, mapping: fn(&Snapshot) -> Desired) -> Self {
        let (_from, from) = start(source).await;
        let (into, tenant) = start(target).await;
        let desired = mapping(&read(&from).await);
        let secrets = secrets::held(&tenant).await;
        let mut memory = nothing_remembered();
        let writes = || into.requests().iter().filter(|seen| seen.is_write).count();
        let first = import(&desired, &tenant, &mut memory).await;
        let before = writes();
        let remembered = planned(&desired, &read(&tenant).await, &memory);
        // By a base, what the server fills in is the target's own; without one, each such field is named.
        memory.base = Baseline::default();
        let second = import(&desired, &tenant, &mut memory).await;
        let written_again = writes() - before;
        Self { into, tenant, desired, links: memory.links, remembered, first, second, written_again, secrets }
    }

    /// Returns everything that is not as it should be.
    async fn faults(&self, within: Within) -> Vec<String> {
        let Self { desired, links, first, second, .. } = self;
        let refused = first.summary.settled.iter().filter(|one| !matches!(one.outcome, Outcome::Applied(_)));
        let mut faults: Vec<String> = refused.map(|one| format!("{} {}: {:?}", one.operation, one.key, one.outcome)).collect();
        let altered = first.summary.altered().chain(second.summary.altered());
        faults.extend(altered.map(|(one, altered)| format!("said to be answered otherwise: {} {}: {altered:?}", one.operation, one.key)));
        faults.extend(second.plan.changes().map(|change| format!("again: {} {}: {:?}", change.operation(), change.key, change.action)));
        let Plan { drift, conflicts, .. } = &self.remembered;
        faults.extend(
            self.remembered.changes().map(|change| format!("remembered: {} {}: {:?}", change.operation(), change.key, change.action)),
        );
        faults.extend(drift.iter().map(|drift| format!("drift that nobody made: {} {}", drift.key, drift.path)));
        faults.extend(conflicts.iter().map(|clash| format!("a conflict that nobody made: {} {}", clash.key, clash.path)));
        if self.written_again > 0 {
            faults.push(format!("the second run wrote {} times", self.written_again));
        }
        let after = read(&self.tenant).await;
        let (first, second) = (&self.first.plan, &second.plan);
        faults.extend(Judge::of(Evidence { desired, before: &self.first.before, after: &after, links, first, second }).faults());
        faults.extend(secrets::lost(&self.secrets, &secrets::held(&self.tenant).await));
        faults.extend(excuses::unheard_of(first, within));
        faults
    }
}

fn unmapped(source: &Snapshot) -> Desired {
    Desired::unmapped(source.clone())
}

/// A mapping of every word, each rule of which has something to do.
fn mapped(source: &Snapshot) -> Desired {
    let mapped = rules::mapped(source);
    assert_eq!(mapped.untouched, Vec::<String>::new());
    mapped.desired
}

/// Returns the recorded tenants, or nothing where the facts are not at hand.
pub(crate) fn recorded() -> Vec<(String, State)> {
    let Some(folder) = reference::path("recorded/tenants") else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let name = |path: &PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    files.iter().map(|path| (name(path), State::load(path).expect("a state file"))).collect()
}

/// The recorded tenants share one domain; a target needs its own.
fn moved_to(state: &State, domain: &str) -> State {
    let text = state.to_json().to_string().replace(state.domain(), domain);
    State::from_json(serde_json::from_str::<Value>(&text).expect("JSON")).expect("a state")
}

/// A recorded tenant of middle size: the fast tests' share of the grids.
pub(crate) const ONE: &str = "dcli-2025-04-10-dump";

/// Returns where a target comes from, and what it holds.
type Target = fn(&[(String, State)], usize) -> (String, State);

/// Imports every recorded tenant into its target, and names the one in which something is not as it should be.
async fn copy_all(target: Target, mapping: fn(&Snapshot) -> Desired) {
    copy_those(|_| true, target, mapping).await;
}

/// Imports the recorded tenants of these names.
async fn copy_those(is_meant: fn(&str) -> bool, target: Target, mapping: fn(&Snapshot) -> Desired) {
    let tenants = brought_up_to_date();
    let mut all = Vec::new();
    for (at, (name, state)) in tenants.iter().enumerate().filter(|(_, (name, _))| is_meant(name)) {
        let (other, target) = target(&tenants, at);
        let is_mixed = [name, &other].iter().any(|name| name.starts_with("union"));
        let within = if is_mixed { Within::Mixed } else { Within::Any };
        let faults = Copied::make(state.clone(), target, mapping).await.faults(within).await;
        all.extend(faults.into_iter().map(|fault| format!("{name} into {other}: {fault}")));
    }
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}

fn empty(_: &[(String, State)], _: usize) -> (String, State) {
    ("an empty one".to_owned(), State::empty("empty.eu.auth0.com"))
}

fn another(tenants: &[(String, State)], at: usize) -> (String, State) {
    let (name, state) = &tenants[(at + 3) % tenants.len()];
    (name.clone(), moved_to(state, "other.eu.auth0.com"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_copied_into_an_empty_one_and_again_without_a_write() {
    copy_all(empty, unmapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_copied_into_another_and_again_without_a_write() {
    copy_all(another, unmapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_an_empty_one_and_again_without_a_write() {
    copy_all(empty, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_another_and_again_without_a_write() {
    copy_all(another, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_tenant_is_copied_and_mapped_into_three_others_and_again_without_a_write() {
    copy_those(|name| name == ONE, empty, unmapped).await;
    copy_those(|name| name == ONE, another, mapped).await;
    copy_those(|name| name == ONE, itself, mapped).await;
}

/// The same tenant under another domain: everything is paired, and the mapping changes it.
fn itself(tenants: &[(String, State)], at: usize) -> (String, State) {
    let (name, state) = &tenants[at];
    (name.clone(), moved_to(state, "other.eu.auth0.com"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_its_own_copy_and_again_without_a_write() {
    copy_all(itself, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_development_tenant_of_the_demo_is_mapped_into_its_production_and_again_without_a_write() {
    let copied = acme().await;
    assert_eq!(copied.faults(Within::Any).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_one_field_that_somebody_changed_afterwards_and_one_client_too_many() {
    let copied = acme().await;
    let clients = Catalog::standard().kind("clients").expect("a kind");
    let billing = copied.desired.snapshot.of_kind("clients").find(|client| client.key.name() == "Billing").expect("a client");
    let link = copied.links.iter().find(|link| link.source_id == billing.id).expect("a link");
    let body = |value| Body::from_value(value).expect("an object");
    copied.tenant.update(clients, &link.target_id, &body(json!({"sso_disabled": true}))).await.expect("updated");
    copied.tenant.create(clients, &body(json!({"name": "Surplus"}))).await.expect("created");
    assert_eq!(
        copied.faults(Within::Any).await,
        ["clients/Billing: sso_disabled should be false and is true", "clients/Surplus: nobody wanted it"]
    );
    assert!(copied.into.requests().len() > 1);
}

/// The tenants of the demo, and the mapping that people copy.
async fn acme() -> Copied {
    let mapping = |source: &Snapshot| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
        let mapping = Mapping::load(Catalog::standard(), &path).expect("a mapping");
        mapping.apply(Catalog::standard(), source.clone()).expect("mapped").desired
    };
    Copied::make(state(seed::ACME_DEV), state(seed::ACME_PROD), mapping).await
}
