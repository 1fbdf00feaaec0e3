//! An import tried on a copy of its target: a sandbox in this process that holds what the target answered when it was read.
//!
//! The importer is the real one, journal and all; only where its requests go and where it leaves its files are others. The copy answers on
//! loopback to a secret that was made up for it, holds none of the target's, and is gone when it is over.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use serde_json::Value;
use tempfile::TempDir;

use super::context::Context;
use super::error::{FAILED, Failure, INCOMPLETE, USAGE};
use super::execute::{Ended, carry_out, exit_of_whole};
use super::lock::{LockTimeout, lock};
use super::prepare::{Prepared, Route, prepare, read};
use super::recording::recorded;
use super::session::Session;
use crate::catalog::Kind;
use crate::config::TenantSettings;
use crate::export::ResponseRecorder;
use crate::files::Lock;
use crate::json::Body;
use crate::management_api::Absence;
use crate::model::resource::{Id, Key, Secret};
use crate::plan::Plan;
use crate::report;
use crate::sandbox::{Fault, Options, Replica, Sandbox, State};
use crate::snapshot::Snapshot;

/// How often a run that is cut off goes on.
const MOST: usize = 10;
/// What to do where its files find no place.
const TEMPORARY_ROOM: &str = "free some room, or name another folder for temporary files with TMPDIR";
/// What stands in the copy where the target holds a secret.
const MASKED: &str = "[REDACTED]";

/// Whether an import is only rehearsed, as it is asked for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Rehearsing {
    /// Try it on a copy of the target that lives in this process; nothing is written to the target
    #[arg(long, conflicts_with_all = ["dry_run", "out", "resume", "plan"])]
    pub(super) rehearse: bool,
    /// What goes wrong at the copy and when, as in cut-after@3 or 429@w5x3
    #[arg(long, value_name = "SPEC", requires = "rehearse")]
    fault: Vec<String>,
}

impl Rehearsing {
    /// Returns what is to go wrong.
    pub(super) fn faults(&self) -> Result<Vec<Fault>, Failure> {
        let lists = self.fault.iter().map(|spec| Fault::list(spec)).collect::<Result<Vec<_>, _>>();
        Ok(lists.map_err(|error| Failure::new(USAGE, "nothing was rehearsed").caused_by(&error))?.concat())
    }
}

/// Sees what a target answers, and makes a copy of it without its secrets.
#[derive(Default)]
pub(super) struct Copyist(Mutex<Replica>);

impl Copyist {
    /// Returns the copy.
    pub(super) fn state(self, domain: &str) -> Result<State, Failure> {
        let copy = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        copy.into_state(domain).map_err(|error| not_begun(&error))
    }

    fn add(&self, what: impl FnOnce(&mut Replica)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ResponseRecorder for Copyist {
    fn record_resource(&self, kind: &'static Kind, answer: &Body) {
        let mut masked = answer.clone();
        kind.change_listed(&mut masked, &mut mask);
        kind.change_unlisted(&mut masked, &mut mask);
        self.add(|copy| copy.add(kind, &masked));
    }

    fn record_elements(&self, kind: &'static Kind, parent: &Id, elements: &[Value]) {
        self.add(|copy| copy.add_children(kind, parent.as_str(), elements));
    }

    fn record_absence(&self, kind: &'static Kind, status: u16, reason: &Absence) {
        let message = match reason {
            Absence::Entitlement(message) | Absence::Gone(message) | Absence::Refused(message) => message.clone(),
            Absence::Scope(_) => format!("Insufficient scope, expected any of: {}", kind.read_scopes.join(",")),
            Absence::NotConfigured => reason.to_string(),
        };
        self.add(|copy| copy.add_unavailable(kind, status, &message));
    }
}

/// Covers every text inside a secret; its shape stays.
fn mask(value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => MASKED.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::Object(fields) => fields.values_mut().for_each(mask),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How a rehearsal went.
pub(super) struct Rehearsed {
    ended: Ended,
    resumed: usize,
    requests: usize,
    writes: usize,
    struck: Vec<(String, usize)>,
    otherwise: Vec<Key>,
    again: Plan,
}

impl Rehearsed {
    /// Returns it as it is told.
    pub(super) fn told(&self) -> report::Rehearsal<'_> {
        report::Rehearsal {
            plan: &self.ended.plan,
            summary: &self.ended.summary,
            resumed: self.resumed,
            requests: self.requests,
            writes: self.writes,
            struck: &self.struck,
            otherwise: &self.otherwise,
            again: &self.again,
        }
    }

    /// Returns the exit code.
    pub(super) fn code(&self) -> u8 {
        match (self.ended.summary.is_whole(), self.again.is_empty()) {
            (true, true) => exit_of_whole(&self.ended.plan),
            // Everything was applied, and yet something is to do: it would be written every night.
            (true, false) => FAILED,
            (false, _) => INCOMPLETE,
        }
    }
}

/// Carries out a plan on a copy of its target, going on where it is cut off; then plans again. A signal ends it at once: nothing is lost.
pub(super) async fn rehearse(
    context: &Context,
    route: &Route,
    prepared: Prepared,
    copy: State,
    faults: Vec<Fault>,
) -> Result<Rehearsed, Failure> {
    tokio::select! {
        biased;
        code = context.signals.next() => Err(Failure::new(code, "nothing was written: the rehearsal was stopped")),
        rehearsed = to_the_end(context, route, prepared, copy, faults) => rehearsed,
    }
}

async fn to_the_end(context: &Context, route: &Route, prepared: Prepared, copy: State, faults: Vec<Fault>) -> Result<Rehearsed, Failure> {
    let scene = Scene::set(context, &prepared, copy).await?;
    let (target, include) = (scene.target()?.clone(), route.manner.include.as_slice());
    let (source, live) = (prepared.source.clone(), &prepared.live);
    let otherwise = scene.differs_from(live, &target, include).await?;
    let scene = scene.anew(faults).await?;
    let lock = lock(&scene.context, &target, LockTimeout::default()).await?;
    let (ended, resumed) = Box::pin(scene.carry_out(prepared, &target, &lock, include)).await.map_err(not_over)?;
    let ((requests, writes), struck) = (scene.counts(), scene.sandbox.fault_counts());
    let scene = scene.anew(Vec::new()).await?;
    let route = Route { tenant: Some(target.name), from: Some(source.display().to_string()), manner: route.manner.clone() };
    let again = prepare(&scene.context, &route).await.map_err(not_over)?.plan;
    scene.sandbox.stop().await;
    Ok(Rehearsed { ended, resumed, requests, writes, struck, otherwise, again })
}

/// Where a rehearsal takes place.
struct Scene {
    sandbox: Sandbox,
    client: (String, String),
    /// The command line's own, but for where requests to the target go, and where files are left.
    context: Context,
    tenant: String,
    _folder: TempDir,
}

impl Scene {
    async fn set(context: &Context, prepared: &Prepared, copy: State) -> Result<Self, Failure> {
        let client = (prepared.tenant.client_id().unwrap_or_else(|| "rehearsal".to_owned()), Secret::unguessable().reveal().to_owned());
        let options = Options::new(copy).credentials(&client.0, &client.1);
        let sandbox = Sandbox::start(recorded(options)?).await.map_err(|error| not_begun(&error))?;
        let folder =
            tempfile::Builder::new().prefix("migrate-rehearsal-").tempdir().map_err(|error| not_begun(&error).hint(TEMPORARY_ROOM))?;
        let tenant = prepared.plan.target.tenant.clone();
        let settings = context.settings()?.on_a_copy(&tenant, &sandbox.url(), (&client.0, &client.1), folder.path());
        Ok(Self { sandbox, client, context: context.with(settings), tenant, _folder: folder })
    }

    fn target(&self) -> Result<&TenantSettings, Failure> {
        self.context.tenant_settings(Some(&self.tenant))
    }

    /// Returns what the copy answers otherwise than the target did.
    async fn differs_from(&self, live: &Snapshot, target: &TenantSettings, include: &[String]) -> Result<Vec<Key>, Failure> {
        let copy = read(&self.context, &self.context.connect(target)?, target, include).await.map_err(not_over)?;
        let lacks = |in_one: &Snapshot, other: &Snapshot| -> Vec<Key> {
            let held: HashMap<&Key, _> = other.resources.iter().map(|one| (&one.key, one)).collect();
            in_one.resources.iter().filter(|one| held.get(&one.key) != Some(one)).map(|one| one.key.clone()).collect()
        };
        let mut differs = lacks(live, &copy);
        differs.extend(lacks(&copy, live));
        differs.sort();
        differs.dedup();
        Ok(differs)
    }

    /// Carries a plan out to its end; returns how often it was cut off and went on.
    async fn carry_out(
        &self,
        prepared: Prepared,
        target: &TenantSettings,
        lock: &Lock,
        include: &[String],
    ) -> Result<(Ended, usize), Failure> {
        let memory = prepared.memory.moved_to(&self.context.settings()?.dir)?;
        let prepared = Prepared { tenant: self.context.connect(target)?, memory, ..prepared };
        let mut ended = carry_out(&self.context, Session::of(&self.context, prepared, lock, "import")?).await?;
        let mut resumed = 0;
        while is_cut_off(&ended) && resumed < MOST {
            resumed += 1;
            let folder = ended.folder.clone();
            // What cannot even be read goes on being tried: that is what faults are for.
            ended = self
                .go_on(&folder, target, lock, include)
                .await
                .or_else(|failure| if resumed < MOST { Ok(ended) } else { Err(failure) })?;
        }
        Ok((ended, resumed))
    }

    async fn go_on(&self, folder: &Path, target: &TenantSettings, lock: &Lock, include: &[String]) -> Result<Ended, Failure> {
        carry_out(&self.context, Session::again(&self.context, target, folder, lock, include).await?).await
    }

    /// Returns the requests so far, and how many of them were writes.
    fn counts(&self) -> (usize, usize) {
        let demand = self.sandbox.stats();
        (demand.reads + demand.writes, demand.writes)
    }

    /// Starts the copy anew where it was, with what it holds now, and counts from there; these things go wrong.
    async fn anew(self, faults: Vec<Fault>) -> Result<Self, Failure> {
        let port = self.sandbox.port();
        let held = self.sandbox.state();
        self.sandbox.stop().await;
        let options = Options::new(held).credentials(&self.client.0, &self.client.1).port(port).faults(faults);
        let sandbox = Sandbox::start(recorded(options)?).await.map_err(|error| not_over(not_begun(&error)))?;
        Ok(Self { sandbox, ..self })
    }
}

fn is_cut_off(ended: &Ended) -> bool {
    let tally = ended.summary.tally();
    tally.unsent + tally.unknown > 0
}

fn not_begun(error: &dyn std::error::Error) -> Failure {
    Failure::new(FAILED, "nothing was written: the rehearsal did not begin").caused_by(error)
}

fn not_over(failure: Failure) -> Failure {
    let failure = failure.but("nothing was written: the rehearsal did not come to its end");
    // What the failure itself would do about it is meant for a run on the target: there is none to resume, and its credentials are fine.
    failure.hint("it went wrong on the copy, which is gone; there is no run to go on with: rehearse again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    #[test]
    fn a_rehearsal_that_did_not_end_gives_no_advice_about_a_run_on_the_target() {
        let inside = Failure::new(FAILED, "applied 1 of 2 changes").hint("go on with `migrate import --tenant prod --resume`");
        insta::assert_snapshot!(format!("{:#}", not_over(inside).json()), @r#"
        {
          "causes": [],
          "error": "nothing was written: the rehearsal did not come to its end",
          "exit": 1,
          "hint": "it went wrong on the copy, which is gone; there is no run to go on with: rehearse again"
        }
        "#);
    }

    #[test]
    fn a_copy_holds_none_of_the_secrets_and_shows_where_they_stood() {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let client = json!({"client_id": "c1", "name": "Web", "client_secret": "CANARY", "signing_keys": [{"key": "CANARY", "cert": "public"}],
            "addons": {"sap_api": {"servicePassword": "CANARY", "clientid": "s"}}});
        let copyist = Copyist::default();
        copyist.record_resource(kind, &Body::from_value(client).expect("an object"));
        let held = copyist.state("acme.eu.auth0.com").map_err(|_| "no state").expect("a state").to_json();
        assert!(!held.to_string().contains("CANARY"), "{held:#}");
        assert_eq!(held["data"]["/clients"][0]["client_secret"], MASKED);
        assert_eq!(held["data"]["/clients"][0]["addons"]["sap_api"], json!({"servicePassword": MASKED, "clientid": "s"}));
    }
}
