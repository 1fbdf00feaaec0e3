//! A fault at every single request of an import of more than sixty changes: afterwards, the target, links and baseline are as without it.
//!
//! State is saved as the program does: before the first write, when a run is resumed, and before the run ends. Each
//! sandbox runs in the test's own thread, so that when a run is dropped, each request is either complete or not
//! started. Changes are sent one after another, so that the same request fails each time.

mod prune;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use auth0_migrate::apply::{Journal, PlanExecution, StaleChanges, Summary, SyncState, close, journal};
use auth0_migrate::catalog::Catalog;
use auth0_migrate::management_api::{Credentials, Tenant};
use auth0_migrate::mapping::Mapping;
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::resource::{Id, Key};
use auth0_migrate::plan::{
    AppliedRun, DesiredState, OnDrift, Plan, PlanContext, Recreated, SecretField, drift_of, mark_former_ids, matched, plan_after, undo,
};
use auth0_migrate::sandbox::{Fault, Options, Sandbox, SeenRequest, State};
use auth0_migrate::snapshot::{Desired, Snapshot};
use auth0_migrate::state::baseline::Baseline;
use auth0_migrate::state::pair::{TenantIdentity, TenantPair};
use futures_util::{StreamExt, stream};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::support::divergent_tenants::{self, SavedState, StableNames};
use crate::support::imports::{NOW, connect_for, read, start};
use crate::support::request_recording::recorded;

/// The request timeout, however slow the machine is.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The request timeout for the fault that delays a response by a minute: the test waits this long for each of them.
const TIMEOUT_OF_SLOW: Duration = Duration::from_secs(6);
/// The number of concurrent runs, which mostly wait.
const AT_ONCE: usize = 24;

/// A plan, and the state before the first write.
struct Decided {
    plan: Plan,
    memory: SyncState,
    expected_baseline: Baseline,
}

/// A plan, and the result of an undisturbed run.
struct Undisturbed {
    /// The state of the target before.
    before: State,
    live: Snapshot,
    decided: Decided,
    /// The applied changes by their index in the plan.
    applied: BTreeMap<usize, Id>,
    /// The state of the target after.
    after: State,
    /// The saved state after.
    memory: SyncState,
    left: Left,
    /// The number of requests that read the target.
    reads: usize,
}

/// The result of a run: the outcomes, the state of the target, the saved state, and the requests.
struct Left {
    settled: Vec<String>,
    held: String,
    remembered: SavedState,
    seen: Vec<SeenRequest>,
}

impl Left {
    /// Counts the requests that create something.
    fn creates(&self) -> usize {
        self.seen.iter().filter(|seen| is_create(seen)).count()
    }
}

fn is_create(seen: &SeenRequest) -> bool {
    seen.method == "POST" && Catalog::standard().kinds().any(|kind| kind.paths.list == seen.path)
}

/// Starts the target with these faults.
async fn target(state: State, faults: &str) -> (Sandbox, Tenant) {
    let options = Options::new(state).credentials("id", "secret").faults(Fault::list(faults).expect("faults"));
    let sandbox = Sandbox::start(recorded(options)).await.expect("a sandbox");
    let secret = Credentials::Secret { client_id: "id".into(), client_secret: SecretString::from("secret") };
    let timeout = if faults.starts_with("slow") { TIMEOUT_OF_SLOW } else { TIMEOUT };
    let tenant = connect_for(&sandbox, "acme-prod.eu.auth0.com", secret, timeout);
    (sandbox, tenant)
}

/// Returns the desired state, without these resources of the source.
async fn desired_without(removed: &[String]) -> Desired {
    let (_dev, dev) = start(divergent_tenants::source()).await;
    for path in removed {
        dev.call("DELETE", path, None).await.expect("it is removed");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
    let mapping = Mapping::load(Catalog::standard(), &path).expect("a mapping");
    mapping.apply(Catalog::standard(), read(&dev).await).expect("mapped").desired
}

async fn desired() -> Desired {
    desired_without(&[]).await
}

/// Returns the value of every supplied secret.
fn supplied() -> SecretString {
    SecretString::from("supplied")
}

/// Plans an import with the saved state.
fn planned(desired: &Desired, live: &Snapshot, memory: &SyncState, prune: bool) -> Plan {
    let sent = memory.sent(desired, &|_| Some(supplied()));
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

impl Decided {
    /// Plans the first import.
    fn import(desired: Desired, live: &Snapshot) -> Self {
        let folder = divergent_tenants::folder();
        let side = |snapshot: &Snapshot| TenantIdentity::new(&snapshot.tenant, &snapshot.domain);
        let pair = TenantPair::new(folder.path(), side(&desired.snapshot), side(live)).expect("plain names");
        let mut memory = SyncState::load(Catalog::standard(), pair).expect("nothing is remembered");
        let plan = planned(&desired, live, &memory, false);
        let expected_baseline = memory.begin(desired, live, &plan);
        Self { plan, memory, expected_baseline }
    }

    /// Plans a second import that prunes what the source no longer has.
    fn prune(import: &Undisturbed, mut desired: Desired, live: &Snapshot) -> Self {
        let mut memory = import.memory.clone();
        mark_former_ids(Catalog::standard(), &mut desired, live, &memory.links, &memory.source_ids);
        let plan = planned(&desired, live, &memory, true);
        let expected_baseline = memory.begin(desired, live, &plan);
        Self { plan, memory, expected_baseline }
    }

    /// Plans the undo of a finished run.
    fn undo(import: &Undisturbed, live: &Snapshot) -> Self {
        let done = AppliedRun {
            name: "r",
            plan: &import.decided.plan,
            applied: &import.applied,
            unclear: &BTreeSet::new(),
            again: &Recreated::default(),
        };
        let plan = undo(Catalog::standard(), done, live, &|_| true).0;
        Self { plan, memory: import.memory.clone(), expected_baseline: Baseline::default() }
    }
}

impl Undisturbed {
    async fn import() -> Self {
        let desired = desired().await;
        let import = Self::by(divergent_tenants::target(), |live| Decided::import(desired, live)).await;
        import.is_about(divergent_tenants::CHANGES, 10);
        import
    }

    /// Undoes the import.
    async fn undo() -> Self {
        let import = UNDISTURBED.get_or_init(Self::import).await;
        let undo = Self::by(import.after.clone(), |live| Decided::undo(import, live)).await;
        undo.is_about(divergent_tenants::CHANGES, 10);
        undo
    }

    /// Imports again after much was deleted from the source, so that it is pruned from the target.
    async fn prune() -> Self {
        let import = UNDISTURBED.get_or_init(Self::import).await;
        let desired = desired_without(&divergent_tenants::deletions()).await;
        let prune = Self::by(import.after.clone(), |live| Decided::prune(import, desired, live)).await;
        prune.is_about(divergent_tenants::deletions().len(), 7);
        prune
    }

    /// Undoes the prune.
    async fn undo_of_prune() -> Self {
        let prune = PRUNED.get_or_init(Self::prune).await;
        let undo = Self::by(prune.after.clone(), |live| Decided::undo(prune, live)).await;
        undo.is_about(divergent_tenants::deletions().len(), 7);
        undo
    }

    /// Asserts the size of the plan.
    fn is_about(&self, changes: usize, kinds: usize) {
        let of: BTreeSet<&str> = self.decided.plan.changes().map(|change| change.key.kind().name).collect();
        assert!(self.left.settled.len() >= changes && of.len() >= kinds, "{} changes of {of:?}", self.left.settled.len());
    }

    /// Executes the plan for this state of the target.
    async fn by(before: State, decide: impl FnOnce(&Snapshot) -> Decided) -> Self {
        let (prod, tenant) = target(before.clone(), "").await;
        let live = read(&tenant).await;
        let reads = prod.requests().len();
        let decided = decide(&live);
        let (prod, tenant) = target(before.clone(), "").await;
        let folder = divergent_tenants::folder();
        let attempt = Attempt { decided: &decided, tenant: &tenant, folder: folder.path() };
        let summary = attempt.begin().await;
        assert!(summary.is_whole(), "{:?}", summary.settled);
        let applied = summary.settled.iter().enumerate().filter_map(|(at, one)| one.outcome.id().map(|id| (at, id.clone()))).collect();
        let (left, memory) = (attempt.left(&summary, &prod), attempt.memory());
        Self { before, live, decided, applied, after: prod.state(), memory, left, reads }
    }

    /// Executes the plan with this fault at this request; with `ends_there`, the program ends at it. Resumes until
    /// everything is applied.
    async fn again(&self, fault: &str, at: usize, ends_there: bool) -> Left {
        let (prod, tenant) = target(self.before.clone(), &fault.replace("AT", &at.to_string())).await;
        let folder = divergent_tenants::folder();
        let attempt = Attempt { decided: &self.decided, tenant: &tenant, folder: folder.path() };
        let first = tokio::select! {
            biased;
            () = prod.wait_for_requests(if ends_there { at } else { usize::MAX }) => None,
            summary = attempt.begin() => Some(summary),
        };
        let summary = match first {
            Some(summary) if summary.is_whole() => summary,
            _ => attempt.resume().await,
        };
        let record = journal::Record::load(&attempt.journal()).expect("a journal that can be read");
        assert!(record.is_ended && record.outcomes.len() == summary.settled.len(), "{fault}, {at}: {record:?}");
        attempt.left(&summary, &prod)
    }

    /// Injects this fault at every request of the plan.
    async fn everywhere(&self, fault: &str, ends_there: bool, again: usize) {
        self.at_every(1, fault, ends_there, again).await;
    }

    /// Injects this fault at every `step`-th request of the plan. A create that it hits is repeated `again` times, no
    /// other one is.
    async fn at_every(&self, step: usize, fault: &str, ends_there: bool, again: usize) {
        let all =
            stream::iter((1..=self.left.seen.len()).step_by(step)).map(|at| async move { (at, self.again(fault, at, ends_there).await) });
        let mut all = std::pin::pin!(all.buffer_unordered(AT_ONCE));
        while let Some((at, left)) = all.next().await {
            let otherwise: Vec<_> = left.settled.iter().zip(&self.left.settled).filter(|(one, other)| one != other).collect();
            assert_eq!(otherwise, [], "{fault}, {at}: settled otherwise");
            assert_eq!(divergent_tenants::differences(&self.left.held, &left.held), [""; 0], "{fault}, {at}: the target shows it");
            assert_eq!(self.left.remembered.differences(&left.remembered), [""; 0], "{fault}, {at}: links or base show it");
            let is_create = usize::from(is_create(&self.left.seen[at - 1]));
            assert_eq!(left.creates(), self.left.creates() + is_create * again, "{fault}, {at}: {:?}", self.left.seen[at - 1]);
        }
    }
}

/// A plan, its target, and the folder of the journal and the state.
struct Attempt<'attempt> {
    decided: &'attempt Decided,
    tenant: &'attempt Tenant,
    folder: &'attempt Path,
}

impl Attempt<'_> {
    fn journal(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    fn expected_baseline(&self) -> PathBuf {
        self.folder.join("base.json")
    }

    /// Loads the saved state.
    fn memory(&self) -> SyncState {
        let pair = SyncState::pair_of(&self.decided.plan, self.folder).expect("plain names").expect("it is between two tenants");
        SyncState::load(Catalog::standard(), pair).expect("it can be read")
    }

    /// Starts as the program does: the current state is saved before anything is sent.
    async fn begin(&self) -> Summary {
        let Decided { memory, expected_baseline, .. } = self.decided;
        let memory = memory.clone().moved_to(self.folder).expect("kept");
        expected_baseline.save(&self.expected_baseline()).expect("kept");
        let journal = Journal::begin(&self.journal(), "test", NOW, "import").expect("a journal");
        self.carry_out(journal, StaleChanges::default(), memory, expected_baseline).await
    }

    /// Resumes as the program does, which knows only its files: it reads the current target and refuses stale changes.
    async fn resume(&self) -> Summary {
        let journal = Journal::resume(&self.journal(), NOW).expect("resumed");
        let expected_baseline = Baseline::load(&self.expected_baseline()).expect("it can be read");
        let plan = &self.decided.plan;
        let stale_changes = StaleChanges::since_started(plan, &read(self.tenant).await, &journal.applied());
        let mut memory = self.memory();
        memory.link_planned(plan, &stale_changes);
        self.carry_out(journal, stale_changes, memory, &expected_baseline).await
    }

    /// Executes the plan; the run is complete once the state for the next one is saved.
    async fn carry_out(
        &self,
        journal: Journal,
        stale_changes: StaleChanges,
        mut memory: SyncState,
        expected_baseline: &Baseline,
    ) -> Summary {
        let (plan, secret) = (&self.decided.plan, |_: &SecretField| Some(supplied()));
        let run = PlanExecution {
            plan,
            tenant: self.tenant,
            journal,
            observer: &NoObserver,
            secret: &secret,
            stale_changes,
            concurrency: 1,
            stop_reason: None,
            clock: &|| NOW.to_owned(),
            remaining_changes: &|| usize::MAX,
            secret_sink: None,
        };
        let (summary, journal) = run.complete().await.expect("carried out");
        memory.learn(plan, &summary, expected_baseline, &secret);
        memory.save().expect("kept");
        close(journal, &summary, NOW).expect("closed");
        summary
    }

    /// Describes the result of a run without the ids that the target generated.
    fn left(&self, summary: &Summary, target: &Sandbox) -> Left {
        let held = target.state().to_json()["data"].take();
        let names = StableNames::new(&held);
        let settled = summary.settled.iter().map(|one| names.replace_ids(&format!("{} {}: {:?}", one.operation, one.key, one.outcome)));
        let pair = format!("{}/{}", self.decided.plan.source_tenant(), self.decided.plan.target.tenant);
        let remembered = SavedState::new(self.folder, &pair, &names);
        Left { settled: settled.collect(), held: divergent_tenants::normalized(&held), remembered, seen: target.requests() }
    }
}

static UNDISTURBED: OnceCell<Undisturbed> = OnceCell::const_new();
static UNDONE: OnceCell<Undisturbed> = OnceCell::const_new();
static PRUNED: OnceCell<Undisturbed> = OnceCell::const_new();

async fn everywhere(fault: &str, ends_there: bool, again: usize) {
    UNDISTURBED.get_or_init(Undisturbed::import).await.everywhere(fault, ends_there, again).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_run_killed_after_any_applied_request_resumes_without_repeating_a_create() {
    everywhere("cut-after@AT", true, 0).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_run_killed_before_any_applied_request_resumes_and_sends_it_again() {
    everywhere("cut-before@AT", true, 1).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_connection_cut_after_any_applied_request_is_survived() {
    everywhere("cut-after@AT", false, 0).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_connection_cut_before_any_applied_request_is_survived() {
    everywhere("cut-before@AT", false, 1).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_server_error_after_any_applied_request_is_survived() {
    everywhere("500-after@AT", false, 0).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_server_error_before_any_applied_request_is_survived() {
    everywhere("500-before@AT", false, 1).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_late_response_to_any_request_is_survived() {
    everywhere("slow:1m@AT", false, 0).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_token_that_expires_before_any_request_is_survived() {
    everywhere("expired@AT", false, 1).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn a_series_of_refusals_from_any_request_on_is_survived() {
    everywhere("429@ATx3", false, 3).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn an_undo_killed_after_any_applied_request_resumes() {
    UNDONE.get_or_init(Undisturbed::undo).await.everywhere("cut-after@AT", true, 0).await;
}

#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn an_undo_killed_before_any_applied_request_resumes() {
    UNDONE.get_or_init(Undisturbed::undo).await.everywhere("cut-before@AT", true, 1).await;
}

/// The faults, whether the run ends with them, and how often a create that they hit is repeated.
const FAULTS: [(&str, bool, usize); 9] = [
    ("cut-after@AT", true, 0),
    ("cut-before@AT", true, 1),
    ("cut-after@AT", false, 0),
    ("cut-before@AT", false, 1),
    ("500-after@AT", false, 0),
    ("500-before@AT", false, 1),
    ("slow:1m@AT", false, 0),
    ("expired@AT", false, 1),
    ("429@ATx3", false, 3),
];

/// The part of the tests above that the fast tier runs.
#[tokio::test]
async fn any_fault_at_one_in_forty_requests_is_survived() {
    let import = UNDISTURBED.get_or_init(Undisturbed::import).await;
    let all = FAULTS.map(|(fault, ends_there, again)| import.at_every(40, fault, ends_there, again));
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn an_undisturbed_import_saves_its_state() {
    let Undisturbed { decided, memory, after, .. } = UNDISTURBED.get_or_init(Undisturbed::import).await;
    let (_prod, tenant) = target(after.clone(), "").await;
    let (desired, live) = (desired().await, read(&tenant).await);
    for (key, expected_baseline) in decided.expected_baseline.iter() {
        assert_eq!(memory.base.get(key).map(|known| &known.body), Some(&expected_baseline.body), "{key}");
    }
    let partners = matched(Catalog::standard(), &desired.snapshot, &live, &memory.links).of_desired;
    let is_linkable = |key: &Key| key.kind().has_own_ids();
    for (wanted, at) in desired.snapshot.resources.iter().zip(partners).filter(|(wanted, _)| is_linkable(&wanted.key)) {
        let linked = memory.links.of_source(wanted.key.kind().name, &wanted.id).map(|link| &link.target_id);
        let partner = at.map(|at| &live.resources[at]).filter(|one| wanted.excluded.is_none() && one.excluded.is_none());
        assert_eq!(linked, partner.map(|one| &one.id), "{}", wanted.key);
    }
    let drifted = drift_of(Catalog::standard(), &memory.base, &live);
    assert!(drifted.is_none() && drifted.unseen.is_empty(), "{drifted:?}");
    let next = planned(&desired, &live, memory, false);
    assert!(next.is_empty() && next.drift.is_empty(), "{next:?}");
}

#[tokio::test]
async fn after_an_undo_everything_is_planned_again_without_drift() {
    let import = UNDISTURBED.get_or_init(Undisturbed::import).await;
    let Undisturbed { memory, after, .. } = UNDONE.get_or_init(Undisturbed::undo).await;
    let (_prod, tenant) = target(after.clone(), "").await;
    let next = planned(&desired().await, &read(&tenant).await, memory, false);
    // What no request can delete is updated instead, so operations may differ.
    let changed = |plan: &Plan| plan.changes().map(|change| change.key.clone()).collect::<Vec<_>>();
    assert_eq!((changed(&next), next.drift), (changed(&import.decided.plan), Vec::new()));
}

/// Faults of reads, and how many reads are between two of them.
///
/// A refusal delays all requests for a second, so there are few; an expired token affects all requests in flight, so it
/// expires once.
const OF_READS: [(&str, usize); 7] =
    [("500-before", 7), ("500-after", 7), ("cut-before", 7), ("cut-after", 7), ("slow:1m", 7), ("429", 21), ("expired", 1000)];

/// Reads the target with this fault at every `every`-th request; returns the snapshot, and how often the fault
/// occurred.
async fn read_with(fault: &str, first: usize, every: usize) -> (Snapshot, usize) {
    let struck = || (first..1000).step_by(every);
    let faults: Vec<String> = struck().map(|at| format!("{fault}@{at}")).collect();
    let (prod, tenant) = target(divergent_tenants::target(), &faults.join(",")).await;
    let snapshot = read(&tenant).await;
    let seen = prod.requests();
    assert!(seen.iter().all(|seen| !seen.is_write), "{fault}: a read wrote");
    (snapshot, struck().take_while(|at| *at <= seen.len()).count())
}

/// A read changes nothing, so that one read can meet many faults: at the first, the eighth request, ..; then the second ..
#[tokio::test]
#[ignore = "slow: run by .ci/run"]
async fn any_fault_of_a_read_leads_to_the_same_snapshot() {
    let Undisturbed { live, reads, .. } = UNDISTURBED.get_or_init(Undisturbed::import).await;
    for (fault, every) in OF_READS {
        let all = stream::iter(1..=every.min(*reads)).map(|first| read_with(fault, first, every));
        let all: Vec<(Snapshot, usize)> = all.buffer_unordered(AT_ONCE).collect().await;
        assert!(all.iter().all(|(snapshot, _)| snapshot == live), "{fault}: read otherwise");
        let struck: usize = all.iter().map(|(_, struck)| struck).sum();
        assert!(struck >= *reads, "{fault}: struck {struck} of {reads}");
    }
}
