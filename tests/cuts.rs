//! A run cut at every single request, before and after the tenant carried it out, and resumed: the target must not show it.
//!
//! The sandbox runs in the test's own thread, so that a request is either not begun or carried out when the run is dropped.

use std::path::{Path, PathBuf};

use migrate::apply::{Journal, Moved, Run, Summary};
use migrate::body::Body;
use migrate::catalog::Catalog;
use migrate::event::Unwatched;
use migrate::links::Links;
use migrate::mapping::Mapping;
use migrate::plan::{Plan, file, plan};
use migrate::resource::Secret;
use migrate::sandbox::{Fault, Sandbox, seed};
use migrate::snapshot::Desired;
use migrate::tenant::Tenant;

use crate::flows::{NOW, held, read, start, start_with, state};

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
        keeper: None,
        moved: Moved::default(),
        at_once: 1,
        room: &|| usize::MAX,
        now: &|| NOW.to_owned(),
    };
    run.carry_out().await.expect("carried out")
}

/// Requests that create something which must not be there twice.
fn creates(sandbox: &Sandbox) -> usize {
    let is_create = |path: &str| ["/clients", "/client-grants", "/resource-servers", "/roles", "/connections"].contains(&path);
    sandbox.requests().iter().filter(|seen| seen.method == "POST" && is_create(&seen.path)).count()
}

/// One import as a person runs it: what a folder says was begun goes on, and otherwise everything is read, planned and begun.
struct Import<'import> {
    desired: &'import Desired,
    tenant: &'import Tenant,
    folder: PathBuf,
}

impl Import<'_> {
    async fn run(&self) -> Summary {
        let (saved, journal) = (self.folder.join("plan.json"), self.folder.join("journal.jsonl"));
        if journal.exists() {
            let (plan, _) = file::load(&saved).expect("a plan");
            return carry_out(&plan, self.tenant, Journal::resume(&journal, NOW).expect("resumed")).await;
        }
        let plan = plan(Catalog::standard(), self.desired, &read(self.tenant).await, &Links::default());
        file::save(&saved, &plan, &[]).expect("saved");
        carry_out(&plan, self.tenant, Journal::begin(&journal, "test", NOW, "import").expect("a journal")).await
    }
}

/// What an import left: the tenant without its ids, the creates it took, and all requests.
struct Left {
    held: Vec<(String, Body)>,
    creates: usize,
    requests: usize,
}

/// Imports with this fault, ends the run once the tenant was asked that often, and runs it again.
async fn cut_and_resumed(desired: &Desired, fault: &str, at: usize) -> Left {
    let (sandbox, tenant) = start_with(state(seed::ACME_PROD), Fault::list(fault).expect("a fault")).await;
    let folder = tempfile::tempdir().expect("a folder");
    let import = Import { desired, tenant: &tenant, folder: folder.path().to_owned() };
    let ended = tokio::select! {
        biased;
        () = asked(&sandbox, at) => None,
        summary = import.run() => Some(summary),
    };
    let summary = match ended {
        Some(summary) => summary,
        None => import.run().await,
    };
    assert!(summary.is_whole(), "{fault}: {:?}", summary.settled);
    let requests = sandbox.requests().len();
    Left { creates: creates(&sandbox), requests, held: held(&tenant).await }
}

async fn asked(sandbox: &Sandbox, times: usize) {
    while sandbox.requests().len() < times {
        tokio::task::yield_now().await;
    }
}

/// Cuts a run at each of its requests; `again` is how often a create may be sent once more.
async fn cut_everywhere(fault: &str, again: usize) {
    let desired = desired().await;
    let undisturbed = cut_and_resumed(&desired, "cut-before@100000", usize::MAX).await;
    assert!(undisturbed.requests >= 70 && undisturbed.creates >= 10, "{} {}", undisturbed.requests, undisturbed.creates);
    let mut sent_again = 0;
    for at in 1..=undisturbed.requests {
        let left = cut_and_resumed(&desired, &format!("{fault}@{at}"), at).await;
        assert!(left.held == undisturbed.held, "{fault}@{at}: the target shows it");
        assert!(left.creates <= undisturbed.creates + again, "{fault}@{at}: {} of {} creates", left.creates, undisturbed.creates);
        sent_again += left.creates - undisturbed.creates;
    }
    assert!(sent_again >= undisturbed.creates * again, "{sent_again}: no create was ever cut");
}

#[tokio::test]
async fn a_run_cut_after_any_request_was_carried_out_and_resumed_sends_no_create_twice() {
    cut_everywhere("cut-after", 0).await;
}

#[tokio::test]
async fn a_run_cut_before_any_request_was_carried_out_and_resumed_sends_it_again() {
    cut_everywhere("cut-before", 1).await;
}
