//! The number of requests of a run: pages are read concurrently, an unchanged import writes nothing, and a rate limit is never exceeded.

#![expect(clippy::print_stdout, reason = "the times are worth reading: `cargo test request_counts -- --nocapture`")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::catalog::limits::Rate;
use auth0_migrate::export::{Scope, export};
use auth0_migrate::management_api::{ApiConfig, Credentials, Tenant};
use auth0_migrate::model::event::NoObserver;
use auth0_migrate::model::network::NetworkOptions;
use auth0_migrate::sandbox::{Options, Sandbox, SeenRequest, State};
use auth0_migrate::snapshot::{Desired, Snapshot};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::imports::{Imported, NOW, empty_sync_state, import};
use crate::support::program::{command, configure};
use crate::support::request_recording::recorded;

const SHARE: f64 = 0.8;

/// A tenant with an API, this many clients, and half as many grants.
fn company(clients: usize, domain: &str) -> State {
    let audience = "https://api.acme.example";
    let sorts = ["spa", "native", "regular_web", "non_interactive"];
    let id = |number: usize| format!("Client{number:026}");
    let client = |number| json!({"client_id": id(number), "name": format!("App {number}"), "app_type": sorts[number % sorts.len()]});
    let grant = |number| json!({"id": format!("cgr_{number:016}"), "client_id": id(number), "audience": audience, "scope": ["read:all"]});
    let api = json!({"id": "5f0000000000000000000001", "name": "API", "identifier": audience, "scopes": [{"value": "read:all"}]});
    let clients_of_it: Vec<Value> = (0..clients).map(client).collect();
    let grants: Vec<Value> = (0..clients / 2).map(grant).collect();
    let data = json!({"/clients": clients_of_it, "/client-grants": grants, "/resource-servers": [api]});
    State::from_json(json!({"tenant": "acme", "domain": domain, "data": data})).expect("a state")
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(recorded(options.credentials("id", "secret"))).await.expect("a sandbox")
}

/// Connects to a sandbox knowing only its domain, and its rate if given.
fn talk_to(sandbox: &Sandbox, rate: Option<Rate>) -> Tenant {
    let domain = sandbox.state().domain().to_owned();
    let config = ApiConfig {
        name: domain.clone(),
        domain,
        url: Some(sandbox.url()),
        credentials: Credentials::Secret { client_id: "id".into(), client_secret: SecretString::from("secret") },
        network: NetworkOptions::default(),
        tier: None,
        rate,
        share: SHARE,
        run: "test".into(),
        timeout: Duration::from_secs(30),
        concurrency: 16,
    };
    Tenant::new(config, Arc::new(NoObserver)).expect("a tenant")
}

async fn read(tenant: &Tenant, kinds: &[&str]) -> Snapshot {
    let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let scope = if kinds.is_empty() { Scope::default() } else { Scope::lookup(Catalog::standard(), kinds) };
    export(Catalog::standard(), tenant, &scope, NOW, &NoObserver).await.expect("exported")
}

fn of_clients(sandbox: &Sandbox) -> Vec<SeenRequest> {
    sandbox.requests().into_iter().filter(|seen| seen.path.starts_with("/clients")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_clients_take_eleven_pages_with_all_but_the_first_concurrent() {
    let sandbox = start(Options::new(company(1_000, "dev.eu.auth0.com")).latency(Duration::from_millis(150))).await;
    let snapshot = read(&talk_to(&sandbox, None), &["clients"]).await;
    assert_eq!(snapshot.of_kind("clients").count(), 1_000);
    let in_flight: Vec<usize> = of_clients(&sandbox).iter().map(|seen| seen.in_flight).collect();
    // The first page is requested concurrently with the lists of other kinds.
    assert_eq!((in_flight.len(), &in_flight[1..]), (11, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..]), "{:?}", sandbox.requests());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_import_of_a_thousand_clients_takes_at_most_twelve_client_reads_and_no_write() {
    let dev = start(Options::new(company(1_000, "dev.eu.auth0.com"))).await;
    let prod = start(Options::new(company(1_000, "prod.eu.auth0.com"))).await;
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), &dev, &prod);
    let ended = command(folder.path(), "import --tenant prod --yes").output().expect("it ran");
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && told.contains("Nothing to do."), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    assert!((11..=12).contains(&of_clients(&prod).len()), "{:?}", of_clients(&prod));
    assert_eq!((prod.stats().writes, dev.stats().writes), (0, 0));
}

/// Imports three hundred resources into a tenant with this bucket, in simulated time; returns the number of refused
/// requests.
async fn refused_by(rate: Rate, is_known: bool, latency: Duration) -> usize {
    let dev = start(Options::new(company(200, "dev.eu.auth0.com"))).await;
    let source = read(&talk_to(&dev, None), &[]).await;
    let a_second = f64::from(rate.a_minute) / 60.0;
    let prod = start(Options::new(State::empty("prod.eu.auth0.com")).rate_limit(a_second, rate.burst).latency(latency)).await;
    let (tenant, started) = (talk_to(&prod, is_known.then_some(rate)), Instant::now());
    let Imported { plan, summary, .. } = import(&Desired::unmapped(source), &tenant, &mut empty_sync_state()).await;
    assert_eq!((plan.changes().count(), summary.is_whole()), (301, true), "{:?}", summary.tally());
    let (took, asked) = (started.elapsed(), prod.stats());
    let requests = f64::from(u32::try_from(asked.reads + asked.writes).expect("some hundred"));
    let least = |share: f64| (requests - (f64::from(rate.burst) * share).floor()) / (a_second * share);
    println!(
        "  {} at once and {a_second} a second, known: {is_known}, latency {latency:?}: {requests} requests, {} refused, {:.1} s; the whole bucket allows {:.1} s, our share {:.1} s",
        rate.burst,
        asked.refused,
        took.as_secs_f64(),
        least(1.0),
        least(SHARE)
    );
    asked.refused
}

#[tokio::test(start_paused = true)]
async fn an_import_of_three_hundred_changes_never_exceeds_the_rate_limit() {
    for (burst, a_second) in [(10, 2), (50, 16)] {
        for is_known in [true, false] {
            // Without latency, responses overtake each other.
            for latency in [0, 120].map(Duration::from_millis) {
                let refused = refused_by(Rate { burst, a_minute: a_second * 60 }, is_known, latency).await;
                assert_eq!(refused, 0, "{burst} at once, {a_second} a second, known: {is_known}, {latency:?}");
            }
        }
    }
}
