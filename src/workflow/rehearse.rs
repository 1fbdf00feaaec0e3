//! Rehearses an import on a copy of the target: a sandbox in this process with the responses that the target gave when it was read.
//!
//! The importer is the real one, including its journal; only the address of the target and the folder for files differ.
//! The copy listens on loopback, accepts a secret generated for it, contains none of the target's secrets, and is
//! discarded at the end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;

use super::environment::Environment;
use super::error::Error;
use super::execute::{EndedRun, execute};
use super::limits::RunBudget;
use super::lock::lock;
use super::prepare::{Prepared, Route, prepare, read};
use super::proposal::{Approver, Completion, Proposal, carry_out};
use super::session::Session;
use crate::catalog::Kind;
use crate::config::TenantSettings;
use crate::export::{ResponseRecorder, Scope};
use crate::files::Lock;
use crate::json::Body;
use crate::management_api::Absence;
use crate::model::event::NoObserver;
use crate::model::resource::{Id, Key};
use crate::model::secret::random_secret;
use crate::plan::Plan;
use crate::sandbox::{Fault, Options, Replica, RequestLog, Sandbox, State};
use crate::snapshot::store::FileLayout;
use crate::snapshot::{Snapshot, store};

/// How often an interrupted run is resumed.
const MOST: usize = 10;
/// Stands for a secret of the target in the copy.
const MASKED: &str = "[REDACTED]";

/// Records the responses of a target and builds a copy of it without its secrets.
#[derive(Default)]
pub(crate) struct Copyist(Mutex<Replica>);

impl Copyist {
    /// Returns the copy.
    pub(crate) fn state(self, domain: &str) -> Result<State, Error> {
        let copy = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        copy.into_state(domain).map_err(not_begun)
    }

    fn add(&self, what: impl FnOnce(&mut Replica)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ResponseRecorder for Copyist {
    fn record_resource(&self, kind: &'static Kind, answer: &Body) {
        let mut masked = answer.clone();
        kind.replace_listed_secrets(&mut masked, &mut mask);
        kind.replace_unlisted_secrets(&mut masked, &mut mask);
        self.add(|copy| copy.add(kind, &masked));
    }

    fn record_elements(&self, kind: &'static Kind, parent: &Id, elements: &[Value]) {
        self.add(|copy| copy.add_children(kind, parent.as_str(), elements));
    }

    fn record_absence(&self, kind: &'static Kind, status: u16, reason: &Absence) {
        let message = match reason {
            Absence::Entitlement(message) | Absence::Gone(message) | Absence::Refused(message) => message.clone(),
            Absence::Scope(_) => format!("Insufficient scope, expected any of: {}", kind.scopes.read.join(",")),
            Absence::NotConfigured => reason.to_string(),
        };
        self.add(|copy| copy.add_unavailable(kind, status, &message));
    }
}

/// Masks every text inside a secret and keeps its structure.
fn mask(value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => MASKED.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::Object(fields) => fields.values_mut().for_each(mask),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The result of a rehearsal.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// The run on the copy, after its last resume.
    pub(crate) ended: EndedRun,
    /// How often it was resumed.
    pub(crate) resumed: usize,
    /// The number of requests to the copy.
    pub(crate) requests: usize,
    /// How many of them were writes.
    pub(crate) writes: usize,
    /// The requested faults, and how often each was injected.
    pub(crate) fault_counts: Vec<(String, usize)>,
    /// Resources that the copy returned differently from the target.
    pub(crate) otherwise: Vec<Key>,
    /// What a second import would still change.
    pub(crate) again: Plan,
}

/// The inputs of a rehearsal besides the plan.
pub(crate) struct Copy {
    /// The recorded state of the target.
    pub(crate) state: State,
    /// The faults to inject into the copy.
    pub(crate) faults: Vec<Fault>,
    /// Where requests to the copy are recorded.
    pub(crate) request_log: Option<Arc<RequestLog>>,
}

/// Executes a plan on a copy of its target, resuming it when it is interrupted, and then plans again. A signal aborts
/// it at once, since nothing can be lost.
pub(crate) async fn rehearse(environment: &Environment, route: &Route, prepared: Prepared, copy: Copy) -> Result<Rehearsed, Error> {
    tokio::select! {
        biased;
        interrupt = environment.host.interrupted() => Err(Error::Interrupted(interrupt)),
        rehearsed = to_the_end(environment, route, prepared, copy) => rehearsed,
    }
}

async fn to_the_end(environment: &Environment, route: &Route, prepared: Prepared, copy: Copy) -> Result<Rehearsed, Error> {
    let Copy { state, faults, request_log } = copy;
    let copied = TargetCopy::set(environment, &prepared, state, request_log).await?;
    let (target, include, scope) = (copied.target()?.clone(), route.include.as_slice(), prepared.scope.clone());
    let (source, live) = (copied.source(&prepared)?, &prepared.live);
    let otherwise = copied.differs_from(live, &target, &scope).await?;
    let copied = copied.anew(faults).await?;
    let lock = lock(&copied.environment, &target, None).await?;
    let (ended, resumed) = Box::pin(copied.carry_out(prepared, &target, &lock, include)).await.map_err(not_over)?;
    let ((requests, writes), fault_counts) = (copied.counts(), copied.sandbox.fault_counts());
    let copied = copied.anew(Vec::new()).await?;
    let route = Route { target: target.name, source: Some(source.display().to_string()), ..route.clone() };
    let again = prepare(&copied.environment, &route).await.map_err(not_over)?.plan;
    copied.sandbox.stop().await;
    Ok(Rehearsed { ended, resumed, requests, writes, fault_counts, otherwise, again })
}

/// Approves everything on the copy.
struct ApproveAll;

impl Approver for ApproveAll {
    type Error = Error;
}

/// The copy of a target and its environment.
struct TargetCopy {
    sandbox: Sandbox,
    client: (String, String),
    /// The environment of the program, except for the address of the target and the folder for files.
    environment: Environment,
    request_log: Option<Arc<RequestLog>>,
    tenant: String,
    _folder: TempDir,
}

impl TargetCopy {
    async fn set(environment: &Environment, prepared: &Prepared, copy: State, request_log: Option<Arc<RequestLog>>) -> Result<Self, Error> {
        let client = (prepared.tenant.client_id().unwrap_or_else(|| "rehearsal".to_owned()), random_secret().expose_secret().to_owned());
        let options = Options::new(copy).credentials(&client.0, &client.1);
        let sandbox = Sandbox::start(recorded(options, request_log.as_ref())).await.map_err(not_begun)?;
        let lacks_folder = |error| Error::RehearsalSetup { source: Box::new(error), lacks_folder: true };
        let folder = tempfile::Builder::new().prefix("migrate-rehearsal-").tempdir().map_err(lacks_folder)?;
        let tenant = prepared.plan.target.tenant.clone();
        let settings = environment.settings().on_a_copy(&tenant, &sandbox.url(), (&client.0, &client.1), folder.path());
        let environment = Environment::new(settings, Arc::new(NoObserver));
        Ok(Self { sandbox, client, environment, request_log, tenant, _folder: folder })
    }

    fn target(&self) -> Result<&TenantSettings, Error> {
        self.environment.tenant(&self.tenant)
    }

    /// Returns the folder of the source, which is not read again: of a restricted one with everything that is there to be named only.
    fn source(&self, prepared: &Prepared) -> Result<PathBuf, Error> {
        let Some(read) = &prepared.read_source else { return Ok(prepared.source.clone()) };
        let folder = self.environment.folder("source");
        store::save_at(&folder, read, FileLayout::Kinds)?;
        Ok(folder)
    }

    /// Returns what the copy answers otherwise than the target did.
    async fn differs_from(&self, live: &Snapshot, target: &TenantSettings, scope: &Scope) -> Result<Vec<Key>, Error> {
        let copy = read(&self.environment, &self.environment.connect(target)?, target, scope).await.map_err(not_over)?;
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

    /// Executes a plan completely; returns how often it was interrupted and resumed.
    async fn carry_out(
        &self,
        prepared: Prepared,
        target: &TenantSettings,
        lock: &Lock,
        include: &[String],
    ) -> Result<(EndedRun, usize), Error> {
        let state = prepared.state.moved_to(&self.environment.settings().dir)?;
        let prepared = Prepared { tenant: self.environment.connect(target)?, state, ..prepared };
        let proposal = Proposal::of_prepared(prepared, Vec::new());
        let mut ended = self.begin(proposal, lock).await?;
        let mut resumed = 0;
        while is_cut_off(&ended) && resumed < MOST {
            resumed += 1;
            let folder = ended.folder.clone();
            // Even a failed read is repeated: that is what faults are for.
            ended = self
                .resume(&folder, target, lock, include)
                .await
                .or_else(|failure| if resumed < MOST { Ok(ended) } else { Err(failure) })?;
        }
        Ok((ended, resumed))
    }

    async fn begin(&self, proposal: Proposal, lock: &Lock) -> Result<EndedRun, Error> {
        match carry_out(&self.environment, proposal, (lock, "import", RunBudget::default()), &ApproveAll).await? {
            Completion::Run(ended) => Ok(*ended),
            Completion::Unchanged(_) => unreachable!("only a plan with changes is rehearsed"),
        }
    }

    async fn resume(&self, folder: &Path, target: &TenantSettings, lock: &Lock, include: &[String]) -> Result<EndedRun, Error> {
        execute(&self.environment, Session::resume(&self.environment, target, folder, lock, include).await?).await
    }

    /// Returns the number of requests so far, and how many of them were writes.
    fn counts(&self) -> (usize, usize) {
        let stats = self.sandbox.stats();
        (stats.reads + stats.writes, stats.writes)
    }

    /// Restarts the copy at the same address with its current state, fresh counters and these faults.
    async fn anew(self, faults: Vec<Fault>) -> Result<Self, Error> {
        let port = self.sandbox.port();
        let held = self.sandbox.state();
        self.sandbox.stop().await;
        let options = Options::new(held).credentials(&self.client.0, &self.client.1).port(port).faults(faults);
        let sandbox = Sandbox::start(recorded(options, self.request_log.as_ref())).await.map_err(|error| not_over(not_begun(error)))?;
        Ok(Self { sandbox, ..self })
    }
}

fn is_cut_off(ended: &EndedRun) -> bool {
    let tally = ended.summary.tally();
    tally.unsent + tally.unknown > 0
}

fn recorded(options: Options, request_log: Option<&Arc<RequestLog>>) -> Options {
    match request_log {
        Some(log) => options.request_log(log.clone()),
        None => options,
    }
}

fn not_begun(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::RehearsalSetup { source: Box::new(source), lacks_folder: false }
}

fn not_over(error: Error) -> Error {
    Error::Rehearsal(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    #[test]
    fn a_copy_contains_no_secrets_but_shows_where_they_were() {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let client = json!({"client_id": "c1", "name": "Web", "client_secret": "CANARY", "signing_keys": [{"key": "CANARY", "cert": "public"}],
            "addons": {"sap_api": {"servicePassword": "CANARY", "clientid": "s"}}});
        let copyist = Copyist::default();
        copyist.record_resource(kind, &Body::from_value(client).expect("an object"));
        let held = copyist.state("acme.eu.auth0.com").expect("a state").to_json();
        assert!(!held.to_string().contains("CANARY"), "{held:#}");
        assert_eq!(held["data"]["/clients"][0]["client_secret"], MASKED);
        assert_eq!(held["data"]["/clients"][0]["addons"]["sap_api"], json!({"servicePassword": MASKED, "clientid": "s"}));
    }
}
