//! Something goes wrong at every single request of an import of more than sixty changes: the target must not show it.
//!
//! Each sandbox runs in the test's own thread, so that a request is either not begun or carried out when a run is dropped. Changes are sent
//! one after the other, so that the same request is struck each time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use migrate::apply::{Journal, Moved, Run, Summary, journal};
use migrate::catalog::Catalog;
use migrate::event::Unwatched;
use migrate::links::Links;
use migrate::mapping::Mapping;
use migrate::plan::{Done, Plan, plan, undo};
use migrate::resource::{Id, Secret};
use migrate::sandbox::{Fault, Options, Sandbox, Seen, State};
use migrate::snapshot::Snapshot;
use migrate::tenant::{Credentials, Tenant};
use tokio::sync::OnceCell;

use crate::apart::{self, Names};
use crate::flows::{NOW, connect_for, read, start};

/// How long an answer is waited for, however busy the machine is; `slow` comes later.
const TIMEOUT: Duration = Duration::from_secs(6);
/// Runs at the same time: they wait more than they work.
const AT_ONCE: usize = 24;

/// What there is to do, and what a run that nothing disturbs makes of it.
struct Undisturbed {
    /// What the target holds before.
    state: State,
    live: Snapshot,
    plan: Plan,
    left: Left,
    /// Requests that read the target.
    reads: usize,
}

/// What a run left: how each change ended, the whole target, and what the target was asked.
struct Left {
    settled: Vec<String>,
    held: String,
    seen: Vec<Seen>,
}

impl Left {
    /// Counts the requests that were to create something.
    fn creates(&self) -> usize {
        self.seen.iter().filter(|seen| is_create(seen)).count()
    }
}

fn is_create(seen: &Seen) -> bool {
    seen.method == "POST" && Catalog::standard().kinds().any(|kind| kind.path == seen.path)
}

/// Starts the target, in which this goes wrong.
async fn target(state: State, faults: &str) -> (Sandbox, Tenant) {
    let options = Options::new(state).credentials("id", "secret").faults(Fault::list(faults).expect("faults"));
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let secret = Credentials::Secret { client_id: "id".into(), client_secret: Secret::new("secret") };
    let tenant = connect_for(&sandbox, "acme-prod.eu.auth0.com", secret, TIMEOUT);
    (sandbox, tenant)
}

impl Undisturbed {
    async fn import() -> Self {
        let (_dev, dev) = start(apart::source()).await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
        let mapping = Mapping::load(Catalog::standard(), &path).expect("a mapping");
        let desired = mapping.apply(Catalog::standard(), read(&dev).await).expect("mapped").desired;
        Self::by(apart::target(), |live| plan(Catalog::standard(), &desired, live, &Links::default())).await
    }

    /// Takes the import back.
    async fn undo() -> Self {
        let (prod, tenant) = target(apart::target(), "").await;
        let import = &UNDISTURBED.get_or_init(Self::import).await.plan;
        let folder = apart::folder();
        let summary = Attempt { plan: import, tenant: &tenant, journal: &folder.path().join("journal.jsonl") }.begin().await;
        let applied = summary.settled.iter().enumerate().filter_map(|(at, one)| one.outcome.id().map(|id| (at, id.clone())));
        let applied: BTreeMap<usize, Id> = applied.collect();
        let done = || Done { name: "r", plan: import, applied: &applied };
        Self::by(prod.state(), |live| undo(Catalog::standard(), done(), live, &|_| true).0).await
    }

    /// Carries out what is decided of what the target holds.
    async fn by(state: State, decide: impl FnOnce(&Snapshot) -> Plan) -> Self {
        let (prod, tenant) = target(state.clone(), "").await;
        let live = read(&tenant).await;
        let reads = prod.requests().len();
        let plan = decide(&live);
        let (prod, tenant) = target(state.clone(), "").await;
        let folder = apart::folder();
        let summary = Attempt { plan: &plan, tenant: &tenant, journal: &folder.path().join("journal.jsonl") }.begin().await;
        assert!(summary.is_whole(), "{:?}", summary.settled);
        let kinds: BTreeSet<&str> = plan.changes().map(|change| change.key.kind()).collect();
        assert!(plan.changes().count() >= apart::CHANGES && kinds.len() >= 10, "{} changes of {kinds:?}", plan.changes().count());
        Self { state, live, plan, left: left(&summary, &prod), reads }
    }

    /// Carries the plan out where this goes wrong at this request; where `ends_there`, the program ends with it. Goes on until all is done.
    async fn again(&self, fault: &str, at: usize, ends_there: bool) -> Left {
        let (prod, tenant) = target(self.state.clone(), &fault.replace("AT", &at.to_string())).await;
        let folder = apart::folder();
        let path = folder.path().join("journal.jsonl");
        let attempt = Attempt { plan: &self.plan, tenant: &tenant, journal: &path };
        let first = tokio::select! {
            biased;
            () = prod.asked(if ends_there { at } else { usize::MAX }) => None,
            summary = attempt.begin() => Some(summary),
        };
        let summary = match first {
            Some(summary) if summary.is_whole() => summary,
            _ => attempt.resume().await,
        };
        let record = journal::Record::load(&path).expect("a journal that can be read");
        assert!(record.is_ended && record.outcomes.len() == summary.settled.len(), "{fault}, {at}: {record:?}");
        left(&summary, &prod)
    }

    /// Lets this go wrong at every request of the plan. A create that it strikes is sent `again` so often, and no other one.
    async fn everywhere(&self, fault: &str, ends_there: bool, again: usize) {
        let all = stream::iter(1..=self.left.seen.len()).map(|at| async move { (at, self.again(fault, at, ends_there).await) });
        let mut all = std::pin::pin!(all.buffer_unordered(AT_ONCE));
        while let Some((at, left)) = all.next().await {
            let otherwise: Vec<_> = left.settled.iter().zip(&self.left.settled).filter(|(one, other)| one != other).collect();
            assert_eq!(otherwise, [], "{fault}, {at}: settled otherwise");
            assert_eq!(apart::differences(&self.left.held, &left.held), [""; 0], "{fault}, {at}: the target shows it");
            let is_create = usize::from(is_create(&self.left.seen[at - 1]));
            assert_eq!(left.creates(), self.left.creates() + is_create * again, "{fault}, {at}: {:?}", self.left.seen[at - 1]);
        }
    }
}

/// A plan, where it is carried out, and its journal.
struct Attempt<'attempt> {
    plan: &'attempt Plan,
    tenant: &'attempt Tenant,
    journal: &'attempt Path,
}

impl Attempt<'_> {
    async fn begin(&self) -> Summary {
        self.carry_out(Journal::begin(self.journal, "test", NOW, "import").expect("a journal"), Moved::default()).await
    }

    /// Goes on as the program does: it reads what the target holds by now, and leaves alone what moved.
    async fn resume(&self) -> Summary {
        let journal = Journal::resume(self.journal, NOW).expect("resumed");
        let moved = Moved::since(Catalog::standard(), self.plan, &read(self.tenant).await);
        self.carry_out(journal, moved).await
    }

    async fn carry_out(&self, journal: Journal, moved: Moved) -> Summary {
        let run = Run {
            catalog: Catalog::standard(),
            plan: self.plan,
            tenant: self.tenant,
            journal,
            observer: &Unwatched,
            secret: &|_| Some(Secret::new("supplied")),
            moved,
            at_once: 1,
            room: &|| usize::MAX,
            keeper: None,
            now: &|| NOW.to_owned(),
        };
        run.carry_out().await.expect("carried out")
    }
}

/// Says in words that do not depend on the ids the target made up how a run ended, and what it left.
fn left(summary: &Summary, target: &Sandbox) -> Left {
    let held = target.state().to_json()["data"].take();
    let names = Names::of(&held);
    let settled = summary.settled.iter().map(|one| names.instead_of_ids(&format!("{} {}: {:?}", one.verb, one.key, one.outcome)));
    Left { settled: settled.collect(), held: apart::told(&held), seen: target.requests() }
}

static UNDISTURBED: OnceCell<Undisturbed> = OnceCell::const_new();
static UNDONE: OnceCell<Undisturbed> = OnceCell::const_new();

async fn everywhere(fault: &str, ends_there: bool, again: usize) {
    UNDISTURBED.get_or_init(Undisturbed::import).await.everywhere(fault, ends_there, again).await;
}

#[tokio::test]
async fn a_run_that_ends_after_any_request_was_carried_out_goes_on_and_sends_no_create_twice() {
    everywhere("cut-after@AT", true, 0).await;
}

#[tokio::test]
async fn a_run_that_ends_before_any_request_was_carried_out_goes_on_and_sends_it_again() {
    everywhere("cut-before@AT", true, 1).await;
}

#[tokio::test]
async fn a_connection_cut_after_any_request_was_carried_out_is_survived() {
    everywhere("cut-after@AT", false, 0).await;
}

#[tokio::test]
async fn a_connection_cut_before_any_request_was_carried_out_is_survived() {
    everywhere("cut-before@AT", false, 1).await;
}

#[tokio::test]
async fn a_server_error_after_any_request_was_carried_out_is_survived() {
    everywhere("500-after@AT", false, 0).await;
}

#[tokio::test]
async fn a_server_error_before_any_request_was_carried_out_is_survived() {
    everywhere("500-before@AT", false, 1).await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_to_any_request_is_survived() {
    everywhere("slow:1m@AT", false, 0).await;
}

#[tokio::test]
async fn a_token_that_ends_before_any_request_is_survived() {
    everywhere("expired@AT", false, 1).await;
}

#[tokio::test]
async fn a_storm_of_refusals_from_any_request_on_is_survived() {
    everywhere("429@ATx3", false, 3).await;
}

#[tokio::test]
async fn an_undo_that_ends_after_any_request_was_carried_out_goes_on() {
    UNDONE.get_or_init(Undisturbed::undo).await.everywhere("cut-after@AT", true, 0).await;
}

#[tokio::test]
async fn an_undo_that_ends_before_any_request_was_carried_out_goes_on() {
    UNDONE.get_or_init(Undisturbed::undo).await.everywhere("cut-before@AT", true, 1).await;
}

/// What goes wrong with requests that read, and with every so manyth of them in one read.
///
/// A refusal holds all requests back for a second, so there are few; a token that ends takes those under way with it, so it ends once.
const OF_READS: [(&str, usize); 7] =
    [("500-before", 7), ("500-after", 7), ("cut-before", 7), ("cut-after", 7), ("slow:1m", 7), ("429", 21), ("expired", 1000)];

/// Reads the target where this strikes every so manyth request; returns what was read, and how many it struck.
async fn read_with(fault: &str, first: usize, every: usize) -> (Snapshot, usize) {
    let struck = || (first..1000).step_by(every);
    let faults: Vec<String> = struck().map(|at| format!("{fault}@{at}")).collect();
    let (prod, tenant) = target(apart::target(), &faults.join(",")).await;
    let snapshot = read(&tenant).await;
    let seen = prod.requests();
    assert!(seen.iter().all(|seen| !seen.is_write), "{fault}: a read wrote");
    (snapshot, struck().take_while(|at| *at <= seen.len()).count())
}

/// A read changes nothing, so that one of them can meet many faults: the first, the eighth and so on, then the second, the ninth and so on.
#[tokio::test]
async fn whatever_goes_wrong_with_any_request_that_reads_the_target_it_is_read_alike() {
    let Undisturbed { live, reads, .. } = UNDISTURBED.get_or_init(Undisturbed::import).await;
    for (fault, every) in OF_READS {
        let all = stream::iter(1..=every.min(*reads)).map(|first| read_with(fault, first, every));
        let all: Vec<(Snapshot, usize)> = all.buffer_unordered(AT_ONCE).collect().await;
        assert!(all.iter().all(|(snapshot, _)| snapshot == live), "{fault}: read otherwise");
        let struck: usize = all.iter().map(|(_, struck)| struck).sum();
        assert!(struck >= *reads, "{fault}: struck {struck} of {reads}");
    }
}
