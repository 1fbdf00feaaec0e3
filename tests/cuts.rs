//! A run cut at every single write, before and after the tenant carried it out, and resumed: the target must not show it.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use migrate::apply::{Journal, Moved, Run, Summary};
use migrate::body::Body;
use migrate::catalog::Catalog;
use migrate::event::Unwatched;
use migrate::links::Links;
use migrate::mapping::Mapping;
use migrate::plan::{Plan, plan};
use migrate::resource::Secret;
use migrate::sandbox::{Fault, Sandbox, State, seed};
use migrate::snapshot::Desired;
use migrate::tenant::Tenant;

use crate::flows::{NOW, read, start, start_with};

fn state(text: &str) -> State {
    State::from_json(serde_json::from_str(text).expect("JSON")).expect("a state")
}

async fn desired() -> Desired {
    let (_sandbox, tenant) = start(state(seed::ACME_DEV)).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
    let mapping = Mapping::load(Catalog::standard(), &path).expect("a mapping");
    mapping.apply(Catalog::standard(), read(&tenant).await).expect("mapped").desired
}

async fn carry_out(plan: &Plan, tenant: &Tenant, journal: Journal) -> Summary {
    let run = Run {
        catalog: Catalog::standard(),
        plan,
        tenant,
        journal,
        observer: &Unwatched,
        secret: &|_| Some(Secret::new("supplied")),
        moved: Moved::default(),
        at_once: 1,
        stop: &AtomicBool::new(false),
        now: &|| NOW.to_owned(),
    };
    run.carry_out().await.expect("carried out")
}

fn writes(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|seen| seen.is_write).count()
}

/// Requests that create something which must not be there twice.
fn creates(sandbox: &Sandbox) -> usize {
    let is_create = |path: &str| ["/clients", "/client-grants", "/resource-servers", "/roles", "/connections"].contains(&path);
    sandbox.requests().iter().filter(|seen| seen.method == "POST" && is_create(&seen.path)).count()
}

/// What the tenant holds, without its ids.
async fn held(tenant: &Tenant) -> Vec<(String, Body)> {
    let mut held: Vec<(String, Body)> = read(tenant).await.resources.into_iter().map(|one| (one.key.to_string(), one.body)).collect();
    held.sort_by(|one, other| one.0.cmp(&other.0));
    held
}

/// Imports with this fault, drops the run once that many writes were seen, and resumes it from its journal.
async fn cut_and_resumed(desired: &Desired, fault: &str, at: usize) -> (Vec<(String, Body)>, usize) {
    let (sandbox, tenant) = start_with(state(seed::ACME_PROD), Fault::list(fault).expect("a fault")).await;
    let plan = plan(Catalog::standard(), desired, &read(&tenant).await, &Links::default());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::begin(&path, "test", NOW).expect("a journal");
    tokio::select! {
        biased;
        () = seen(&sandbox, at) => (),
        _ = carry_out(&plan, &tenant, journal) => (),
    }
    let journal = Journal::resume(&path, NOW).expect("resumed");
    let summary = carry_out(&plan, &tenant, journal).await;
    assert!(summary.is_whole(), "{fault}: {:?}", summary.tally());
    (held(&tenant).await, creates(&sandbox))
}

async fn seen(sandbox: &Sandbox, at: usize) {
    while writes(sandbox) < at {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_cut_at_any_write_and_resumed_leaves_what_an_undisturbed_one_leaves() {
    let desired = desired().await;
    let (sandbox, tenant) = start(state(seed::ACME_PROD)).await;
    let whole = plan(Catalog::standard(), &desired, &read(&tenant).await, &Links::default());
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::begin(&folder.path().join("journal.jsonl"), "test", NOW).expect("a journal");
    assert!(carry_out(&whole, &tenant, journal).await.is_whole());
    let (undisturbed, needed, total) = (held(&tenant).await, creates(&sandbox), writes(&sandbox));
    assert!(total >= 45, "{total}");
    for at in 1..=total {
        let (after, sent) = cut_and_resumed(&desired, &format!("cut-after@w{at}"), at).await;
        assert_eq!((after == undisturbed, sent), (true, needed), "cut after write {at} was carried out");
        let (after, sent) = cut_and_resumed(&desired, &format!("cut-before@w{at}"), at).await;
        assert!(after == undisturbed && sent <= needed + 1, "cut before write {at} was carried out: {sent} of {needed}");
    }
}
