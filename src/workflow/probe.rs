//! Asks the front door of a tenant whether logins work: before and after a run, or at any time. Writes nothing and never fails a run.
//!
//! What was answered before a run is in its folder before its first write, so that a resumed run can be compared with it too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::environment::Environment;
use super::error::Error;
use super::execute::EndedRun;
use super::host::Notice;
use super::prepare::read;
use crate::config::TenantSettings;
use crate::export::{Purpose, Scope};
use crate::files;
use crate::management_api::{FrontDoor, Tenant, random_text};
use crate::model::front_door::FrontDoorAnswer;
use crate::model::resource::Key;
use crate::model::selection::Selection;
use crate::plan::Plan;
use crate::probe::{CUSTOM_DOMAINS, ProbeAnswer, ProbeDemand, ProbeQuestion, ProbeReport, When, verdict};
use crate::snapshot::Snapshot;

/// The file in the folder of a run.
const FILE: &str = "probe.json";
/// The length of a code challenge.
const CHALLENGE: usize = 43;

/// When the front door is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

/// A probe of one tenant.
pub(crate) struct Prober {
    target: String,
    domain: String,
    /// The front door, or why it cannot be asked.
    door: Result<FrontDoor, String>,
}

impl Prober {
    /// Creates a probe without sending anything.
    pub(crate) fn new(environment: &Environment, settings: &TenantSettings) -> Self {
        let network = environment.settings().network(&settings.name).map_err(|error| error.to_string());
        let door = network
            .and_then(|network| FrontDoor::new(&settings.domain, settings.url.as_deref(), &network).map_err(|error| error.to_string()));
        Self { target: settings.name.clone(), domain: settings.domain.clone(), door }
    }

    /// Asks everything that is about the state before a run.
    pub(crate) async fn before(&self, environment: &Environment, demand: &ProbeDemand) -> ProbeReport {
        let mut report = demand.to_report();
        let is_meant: Vec<bool> = demand.asked.iter().map(|asked| asked.when == When::Both).collect();
        self.ask(environment, (&mut report, Moment::Before), &|at| is_meant[at]).await;
        report
    }

    /// Asks everything; an interrupt ends the command, since nothing else is under way.
    async fn now(&self, environment: &Environment, report: &mut ProbeReport) {
        self.ask(environment, (report, Moment::After), &|_| true).await;
    }

    /// Asks everything after a run, until an interrupt: the run must be reported in any case.
    pub(crate) async fn after(&self, environment: &Environment, report: &mut ProbeReport) {
        tokio::select! {
            biased;
            _ = environment.host.interrupted() => {}
            () = self.ask(environment, (report, Moment::After), &|_| true) => {}
        }
    }

    async fn ask(&self, environment: &Environment, (report, moment): (&mut ProbeReport, Moment), is_meant: &dyn Fn(usize) -> bool) {
        let meant = (0..report.results.len()).filter(|at| is_meant(*at)).count();
        if meant == 0 {
            return;
        }
        environment.host.notice(&Notice::Probing { target: self.target.clone(), requests: meant });
        let hosts = self.hosts(report);
        let mut silent: BTreeMap<Option<String>, String> = BTreeMap::new();
        for at in (0..report.results.len()).filter(|at| is_meant(*at)) {
            let question = report.results[at].question.clone();
            let answer = if let Some(reason) = silent.get(&question.domain) {
                ProbeAnswer::Unclear { reason: reason.clone() }
            } else {
                report.requests += 1;
                self.one(&question, &hosts, &mut silent).await
            };
            let result = &mut report.results[at];
            *(if moment == Moment::Before { &mut result.before } else { &mut result.after }) = Some(answer);
        }
    }

    /// Asks one question. A domain that does not answer, or that limits requests, is not asked any further.
    async fn one(&self, question: &ProbeQuestion, hosts: &BTreeSet<String>, silent: &mut BTreeMap<Option<String>, String>) -> ProbeAnswer {
        let answer = match &self.door {
            Ok(door) => door.ask(question.domain.as_deref(), question.path(), &question.query(&random_text(CHALLENGE))).await,
            Err(reason) => FrontDoorAnswer::Unreachable(reason.clone()),
        };
        let verdict = verdict(question, &answer, hosts);
        let is_silent = matches!(answer, FrontDoorAnswer::Unreachable(_) | FrontDoorAnswer::Answered { status: 429, .. });
        if let (true, ProbeAnswer::Unclear { reason }) = (is_silent, &verdict) {
            silent.insert(question.domain.clone(), reason.clone());
        }
        verdict
    }

    /// Returns every domain of the tenant.
    fn hosts(&self, report: &ProbeReport) -> BTreeSet<String> {
        let custom = report.results.iter().filter_map(|result| result.question.domain.clone());
        custom.chain([self.domain.clone()]).map(|domain| domain.to_ascii_lowercase()).collect()
    }
}

/// The probe of a run: what it asks, and of whom.
pub(crate) struct RunProbe {
    prober: Prober,
    demand: ProbeDemand,
}

impl RunProbe {
    /// Decides what a plan demands; reads the custom domains if the plan was restricted to other kinds.
    pub(crate) async fn new(environment: &Environment, tenant: &Tenant, (plan, live): (&Plan, &Snapshot)) -> Result<Self, Error> {
        let settings = environment.tenant(&plan.target.tenant)?;
        let mut demand = ProbeDemand::of_plan(plan, live);
        if !demand.asked.is_empty() && !live.kinds.contains_key(CUSTOM_DOMAINS) {
            // What cannot be read is not asked: a probe never stops a run.
            if let Ok(domains) = read(environment, tenant, settings, &scope(environment, &[CUSTOM_DOMAINS])).await {
                demand.add_custom_domains(&domains);
            }
        }
        Ok(Self { prober: Prober::new(environment, settings), demand })
    }

    /// Asks before the run.
    pub(crate) async fn before(&self, environment: &Environment) -> ProbeReport {
        self.prober.before(environment, &self.demand).await
    }
}

/// Returns what the front door answers about all clients that are meant; nothing is compared.
///
/// # Errors
///
/// If the clients of the tenant cannot be read.
pub(crate) async fn probe(environment: &Environment, settings: &TenantSettings, selection: &Selection) -> Result<ProbeReport, Error> {
    let tenant = environment.connect(settings)?;
    let live = read(environment, &tenant, settings, &scope(environment, &["clients", CUSTOM_DOMAINS])).await?;
    let demand = ProbeDemand::of_clients(&live, |key: &Key| selection.has(key));
    let mut report = demand.to_report();
    Prober::new(environment, settings).now(environment, &mut report).await;
    Ok(report)
}

/// Asks again what was asked before a run, and compares the answers; nothing if the run was not probed.
pub(crate) async fn probe_again(environment: &Environment, settings: &TenantSettings, run: &Path) -> Option<ProbeReport> {
    let mut report = load(run)?;
    report.forget_after();
    report.requests = 0;
    Prober::new(environment, settings).now(environment, &mut report).await;
    Some(report)
}

/// Asks after a run what was asked before it, and saves both; nothing if the run was not probed. After an interrupt nothing more is asked.
pub(crate) async fn probe_after(environment: &Environment, run: &EndedRun) -> Option<ProbeReport> {
    let mut report = load(&run.folder)?;
    if let (None, Ok(settings)) = (run.interrupt, environment.tenant(&run.plan.target.tenant)) {
        report.forget_after();
        Prober::new(environment, settings).after(environment, &mut report).await;
        // The run is over: the answers are in its report too.
        let _ = save(&run.folder, &report);
    }
    Some(report)
}

/// Writes a report into the folder of a run.
pub(crate) fn save(run: &Path, report: &ProbeReport) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(report).expect("answers are JSON") + "\n";
    Ok(files::write_whole(&run.join(FILE), text.as_bytes())?)
}

/// Reads the report in the folder of a run; nothing if it was not probed.
pub(crate) fn load(run: &Path) -> Option<ProbeReport> {
    serde_json::from_slice(&files::read(&run.join(FILE)).ok()?).ok()
}

/// Returns the scope that reads exactly these kinds.
fn scope(environment: &Environment, kinds: &[&str]) -> Scope {
    let selection = Selection::exactly(environment.catalog, kinds.iter().map(|kind| (*kind).to_owned()).collect());
    Scope { selection, purpose: Purpose::Lookup, ..Scope::default() }
}
