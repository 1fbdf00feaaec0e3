//! The real program, killed at random moments of an import of more than sixty changes and resumed: the target ends up the same.
//!
//! Prints the seed of the moments, and how many of them hit what. `TEST_SEED` sets another seed.
#![expect(clippy::print_stdout, reason = "a test at random says which random")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use auth0_migrate::apply::journal::Record;
use auth0_migrate::catalog::Catalog;
use auth0_migrate::sandbox::{Options, Sandbox, SeenRequest};
use futures_util::{StreamExt, stream};

use crate::support::divergent_tenants::{self, SavedState, StableNames};
use crate::support::program::{command, configure};
use crate::support::request_recording::recorded;

/// The number of moments at which the program is killed.
const MOMENTS: u64 = 200;
/// How many of them are tested concurrently.
const AT_ONCE: usize = 4;
/// The default seed.
const SEED: u64 = 20_261_125;

const IMPORT: &str = "import --tenant prod --from taken --allow many-changes,lockout-risk,weaker-protection --yes --quiet";
const RESUME: &str = "import --tenant prod --resume --yes --quiet";

/// When the program is killed: this long after the target received this many requests.
#[derive(Debug, Clone, Copy)]
struct Moment {
    asked: usize,
    then: Duration,
}

impl Moment {
    /// Returns the moment with this number: one in four while the target is read, the others while it is written to.
    fn new(seed: u64, number: u64, undisturbed: &Left) -> Self {
        let chance = |of: u64, salt: u64| mixed(seed ^ mixed(number ^ mixed(salt))) % of.max(1);
        let (reads, all) = (undisturbed.first_write as u64, undisturbed.seen.len() as u64);
        let asked = if number.is_multiple_of(4) { 1 + chance(reads, 1) } else { reads + chance(all - reads + 1, 2) };
        Self { asked: usize::try_from(asked).expect("a small number"), then: Duration::from_micros(chance(6_000, 3)) }
    }
}

/// Returns a pseudo-random number: splitmix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The result of an import without its ids: the target, links and baseline, and the requests to the target.
struct Left {
    held: String,
    remembered: SavedState,
    seen: Vec<SeenRequest>,
    first_write: usize,
    met: Met,
}

/// What was recorded of the run when the program was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// Nothing: a new run is started.
    Nothing,
    /// Its start: it is resumed.
    Begun,
    /// Its end.
    Ended,
}

impl Left {
    /// Counts the creates that were applied.
    fn created(&self) -> usize {
        let is_create = |seen: &&SeenRequest| seen.method == "POST" && Catalog::standard().kinds().any(|kind| kind.paths.list == seen.path);
        self.seen.iter().filter(is_create).filter(|seen| (200..300).contains(&seen.status)).count()
    }
}

/// Imports, kills the program at this moment, and resumes.
async fn killed_and_resumed(taken: &Path, dev: &Sandbox, moment: Option<Moment>) -> Left {
    let options = Options::new(divergent_tenants::target()).credentials("id", "secret");
    // As slow as a near tenant, so that a kill hits requests in flight.
    let prod = Sandbox::start(recorded(options.latency(Duration::from_millis(2)))).await.expect("a sandbox");
    let folder = divergent_tenants::folder();
    configure_mapped(folder.path(), dev, &prod);
    let import = IMPORT.replace("taken", &taken.display().to_string());
    let met = match moment {
        None => Met::Nothing,
        Some(moment) => killed(command(folder.path(), &import), &prod, moment, folder.path()).await,
    };
    let next = match met {
        Met::Nothing => Some(import.as_str()),
        Met::Begun => Some(RESUME),
        Met::Ended => None,
    };
    if let Some(next) = next {
        let last = ended(command(folder.path(), next)).await;
        assert_eq!(last.status.code(), Some(0), "killed at {moment:?}: {}", text(&last));
    }
    left(&prod, folder.path(), met)
}

/// Writes the configuration of both tenants with the mapping between them.
fn configure_mapped(folder: &Path, dev: &Sandbox, prod: &Sandbox) {
    configure(folder, dev, prod);
    let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
    let path = folder.join("migrate.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    std::fs::write(path, format!("{text}mapping = \"{}\"\n", mapping.display())).expect("written");
    std::fs::write(folder.join(".env"), "PROD_GOOGLE_SECRET=supplied\n").expect("written");
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Reads the result and the journal of the run.
fn left(prod: &Sandbox, folder: &Path, met: Met) -> Left {
    let records = records(folder);
    assert!(records.len() == 1 && records[0].is_ended, "{met:?}: {records:?}");
    let held = prod.state().to_json()["data"].take();
    let names = StableNames::new(&held);
    let seen = prod.requests();
    Left {
        held: divergent_tenants::normalized(&held),
        remembered: SavedState::new(folder, "dev/prod", &names),
        first_write: seen.iter().position(|seen| seen.is_write).expect("a write"),
        seen,
        met,
    }
}

/// Waits for the moment and kills the program; returns what is recorded then.
async fn killed(mut program: Command, prod: &Sandbox, moment: Moment, folder: &Path) -> Met {
    let mut program = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it started");
    prod.wait_for_requests(moment.asked).await;
    tokio::time::sleep(moment.then).await;
    program.kill().expect("killed");
    program.wait().expect("it ended");
    match records(folder).as_slice() {
        [] => Met::Nothing,
        [record] if record.is_ended => Met::Ended,
        _ => Met::Begun,
    }
}

/// Reads the journal of every run that has one.
fn records(folder: &Path) -> Vec<Record> {
    let runs = std::fs::read_dir(folder.join("runs")).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let journals = runs.map(|run| run.join("journal.jsonl")).filter(|journal| journal.metadata().is_ok_and(|file| file.len() > 0));
    journals.map(|journal| Record::load(&journal).expect("a journal that can be read")).collect()
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("it ran")).await.expect("it ended")
}

/// Kills an import at this many moments and compares each result with that of an undisturbed one; returns what was
/// recorded at each kill.
async fn killed_at(moments: u64) -> Vec<Met> {
    let seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    println!("seed {seed}");
    let dev = Sandbox::start(recorded(Options::new(divergent_tenants::source()).credentials("id", "secret"))).await.expect("a sandbox");
    let folder = divergent_tenants::folder();
    configure(folder.path(), &dev, &dev);
    let exported = ended(command(folder.path(), "export --tenant dev --out taken --quiet")).await;
    assert!(exported.status.success(), "{}", text(&exported));
    let (taken, dev) = (Arc::new(folder.path().join("taken")), Arc::new(dev));
    let undisturbed = killed_and_resumed(&taken, &dev, None).await;
    assert!(undisturbed.created() >= 20 && undisturbed.seen.iter().filter(|seen| seen.is_write).count() >= divergent_tenants::CHANGES);
    let moments = (0..moments).map(|number| Moment::new(seed, number, &undisturbed));
    let (taken, dev) = (&taken, &dev);
    let all = stream::iter(moments).map(|moment| async move { (moment, killed_and_resumed(taken, dev, Some(moment)).await) });
    let mut all = std::pin::pin!(all.buffer_unordered(AT_ONCE));
    let mut met: Vec<Met> = Vec::new();
    while let Some((moment, left)) = all.next().await {
        assert_eq!(left.created(), undisturbed.created(), "{moment:?}: creates that landed");
        assert_eq!(divergent_tenants::differences(&undisturbed.held, &left.held), [""; 0], "{moment:?}: another target");
        assert_eq!(undisturbed.remembered.differences(&left.remembered), [""; 0], "{moment:?}: other links or another base");
        met.push(left.met);
    }
    let of = |wanted: Met| met.iter().filter(|met| **met == wanted).count();
    println!("killed before the run {}, in the run {}, after it {}", of(Met::Nothing), of(Met::Begun), of(Met::Ended));
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_killed_at_four_moments_leaves_the_same_as_an_undisturbed_one() {
    assert_eq!(killed_at(4).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn an_import_killed_at_two_hundred_moments_leaves_the_same_as_an_undisturbed_one() {
    let met = killed_at(MOMENTS).await;
    let of = |wanted: Met| met.iter().filter(|met| **met == wanted).count();
    assert!(of(Met::Begun) >= 100 && of(Met::Nothing) >= 10, "{met:?}");
}
