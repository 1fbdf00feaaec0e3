//! Asks the log of a target who made the changes that a plan, drift, a saved plan or an undo meets in it.
//!
//! The log is read only if there are such changes, and in few requests. If it cannot be read or lacks an entry, a note
//! says so and nothing else changes.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::environment::Environment;
use super::history::PastRun;
use super::log_gap::{LogGap, earliest};
use super::run_name::{begun_on, is_run};
use crate::apply::StaleChanges;
use crate::catalog::Kind;
use crate::management_api::{DateFilter, LogOrder, LogSearch, Tenant};
use crate::model::changed_by::ChangedBy;
use crate::model::resource::{Id, Key};
use crate::plan::{Action, Authorship, ChangedPart, CorrelationOrigin, DriftReport, Plan, Skipped, file};
use crate::snapshot::Snapshot;
use crate::state::baseline::Baseline;

/// The pages of a hundred writes that are searched for authors.
const PAGES: usize = 5;
/// How many past runs are read to find out when a field can have changed.
const RUNS: usize = 10;

/// A target as it was read, whose log is asked.
#[derive(Clone, Copy)]
pub(crate) struct ReadTarget<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) tenant: &'a Tenant,
    pub(crate) live: &'a Snapshot,
}

/// Adds to a plan who made the changes in the target that it met: drift and conflicts.
pub(crate) async fn attribute_plan(target: ReadTarget<'_>, base: &Baseline, plan: &mut Plan) {
    if plan.drift.is_empty() && plan.conflicts.is_empty() {
        return;
    }
    let times = RecordedChanges::load(target.environment, plan.source_tenant(), &plan.target.tenant);
    let origins = Origins {
        are_runs_kept: !times.plans.is_empty(),
        ..Origins::new(target.environment, &plan.target.tenant, Some(plan.source_tenant()))
    };
    let (origin, name) = (|run: &str| origins.of(run), |id: &str| target.client_name(id));
    let mut authorship = Authorship::new(&origin, &name);
    let fields = plan.drift.iter().map(|drift| (&drift.key, &drift.path)).chain(plan.conflicts.iter().map(|one| (&one.key, &one.path)));
    let wanted: Vec<Option<usize>> = fields
        .map(|(key, path)| want_applied(&mut authorship, base, key, (ChangedPart::Field(field_of(path)), times.since(key, path))))
        .collect();
    let note = target.ask(&mut authorship, "the last run").await;
    let authors: Vec<Option<ChangedBy>> = wanted.into_iter().map(|index| authorship.author(index?).cloned()).collect();
    let mut authors = authors.into_iter();
    for drift in &mut plan.drift {
        drift.changed_by = authors.next().flatten();
    }
    for conflict in &mut plan.conflicts {
        conflict.changed_by = authors.next().flatten();
    }
    for skipped in plan.skipped.iter_mut().filter(|skipped| skipped.is_changed) {
        let conflict = plan.conflicts.iter().filter(|conflict| conflict.key == skipped.key).find_map(|one| one.changed_by.clone());
        add_author(skipped, &format!("changed in {}", plan.target.tenant), conflict);
    }
    plan.notes.extend(note);
}

/// Adds to a report of drift who made the changes.
pub(crate) async fn attribute_drift(target: ReadTarget<'_>, (source, base): (&str, &Baseline), report: &mut DriftReport) {
    if report.is_none() {
        return;
    }
    let tenant = target.tenant.name().to_owned();
    let times = RecordedChanges::load(target.environment, source, &tenant);
    let origins = Origins { are_runs_kept: !times.plans.is_empty(), ..Origins::new(target.environment, &tenant, Some(source)) };
    let (origin, name) = (|run: &str| origins.of(run), |id: &str| target.client_name(id));
    let mut authorship = Authorship::new(&origin, &name);
    let fields = report.drift.iter().map(|drift| {
        let (key, path) = (&drift.key, &drift.path);
        want_applied(&mut authorship, base, key, (ChangedPart::Field(field_of(path)), times.since(key, path)))
    });
    let fields: Vec<Option<usize>> = fields.collect();
    let gone = report.gone.iter().map(|key| want_applied(&mut authorship, base, key, (ChangedPart::Deletion, None)));
    let gone: Vec<Option<usize>> = gone.collect();
    report.note = target.ask(&mut authorship, "the last run").await;
    for (drift, index) in report.drift.iter_mut().zip(fields) {
        drift.changed_by = index.and_then(|index| authorship.author(index).cloned());
    }
    let deleted = report.gone.iter().zip(gone).filter_map(|(key, index)| Some((key.clone(), authorship.author(index?)?.clone())));
    report.deleted_by = deleted.collect();
}

/// Adds to the stale changes of a saved plan who changed their resources; returns a note if that is not known of all.
pub(crate) async fn attribute_stale(target: ReadTarget<'_>, plan: &Plan, stale: &mut StaleChanges) -> Option<String> {
    let changed = stale.changed();
    if changed.is_empty() {
        return None;
    }
    let origins = Origins::new(target.environment, &plan.target.tenant, None);
    let (origin, name) = (|run: &str| origins.of(run), |id: &str| target.client_name(id));
    let mut authorship = Authorship::new(&origin, &name);
    let since = earliest(&plan.target.taken);
    let mut wanted = Vec::new();
    for (at, part) in changed {
        let change = plan.changes().nth(at).expect("a stale change is one of the plan");
        let id = match &change.action {
            Action::Update { id: Some(id), .. } | Action::Delete { id, .. } => Some(id),
            Action::Create { .. } | Action::Update { id: None, .. } | Action::Elements { .. } => target.id_of(&change.key),
        };
        wanted.push((at, id.map(|id| authorship.want((change.key.kind(), id), part, since))));
    }
    let note = target.ask(&mut authorship, "the plan").await;
    for (at, index) in wanted {
        if let Some(by) = index.and_then(|index| authorship.author(index)) {
            stale.attribute(at, by.clone());
        }
    }
    note
}

/// Adds to the plan of an undo who made the changes after the run that it does not revert.
pub(crate) async fn attribute_undo(target: ReadTarget<'_>, run: &PastRun, plan: &mut Plan) {
    if !plan.skipped.iter().any(|skipped| skipped.is_changed) {
        return;
    }
    let origins = Origins { undone: Some(&run.name), ..Origins::new(target.environment, &plan.target.tenant, None) };
    let (origin, name) = (|run: &str| origins.of(run), |id: &str| target.client_name(id));
    let mut authorship = Authorship::new(&origin, &name);
    let applied: HashMap<&Key, Id> =
        run.applied().into_iter().filter_map(|(at, id)| Some((&run.plan.changes().nth(at)?.key, id))).collect();
    let mut wanted = Vec::new();
    for (at, skipped) in plan.skipped.iter().enumerate().filter(|(_, skipped)| skipped.is_changed) {
        let held = target.id_of(&skipped.key);
        let Some(id) = held.or_else(|| applied.get(&skipped.key)) else { continue };
        let part = match (&skipped.path, held) {
            (_, None) => ChangedPart::Deletion,
            (Some(path), Some(_)) => ChangedPart::Field(field_of(path)),
            (None, Some(_)) => ChangedPart::Any,
        };
        let verb = if part == ChangedPart::Deletion { "deleted" } else { "changed" };
        wanted.push((at, verb, authorship.want((skipped.key.kind(), id), part, earliest(&run.record.begun))));
    }
    let note = target.ask(&mut authorship, "the run").await;
    for (at, verb, index) in wanted {
        add_author(&mut plan.skipped[at], verb, authorship.author(index).cloned());
    }
    plan.notes.extend(note);
}

impl ReadTarget<'_> {
    /// Reads the log until it has told who made all changes; returns a note if it does not tell of all.
    async fn ask(&self, authorship: &mut Authorship<'_>, event: &str) -> Option<String> {
        if authorship.is_empty() {
            return None;
        }
        let since = authorship.since();
        let search = LogSearch { since, client: None, order: LogOrder::NewestFirst, dates: DateFilter::Search, pages: PAGES };
        let mut reader = |write| if authorship.learn(&write) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let reading = self.tenant.search_log(self.environment.catalog, search, &mut reader).await;
        let (unknown, all) = (authorship.unknown(), authorship.len());
        if unknown == 0 {
            return None;
        }
        let reason = LogGap::of(self.tenant, reading, since).await;
        let of = if unknown == all { String::new() } else { format!(" for {unknown} of {all} changes") };
        Some(format!("who changed {} since {event} is not known{of}: {reason}", self.tenant.name()))
    }

    fn id_of(&self, key: &Key) -> Option<&Id> {
        self.live.of_kind(key.kind().name).find(|held| held.key == *key).map(|held| &held.id)
    }

    /// Returns the name of a client of the target by its id.
    fn client_name(&self, id: &str) -> Option<String> {
        self.live.of_kind("clients").find(|client| client.id.as_str() == id).map(|client| client.key.name().to_owned())
    }
}

/// Wants the author of a change of an applied resource, by its id in the target.
fn want_applied(
    authorship: &mut Authorship<'_>,
    base: &Baseline,
    key: &Key,
    (part, since): (ChangedPart, Option<SystemTime>),
) -> Option<usize> {
    let kind: &'static Kind = key.kind();
    Some(authorship.want((kind, &base.get(key)?.id), part, since))
}

/// Adds the author to the reason for skipping something.
fn add_author(skipped: &mut Skipped, verb: &str, author: Option<ChangedBy>) {
    if let Some(by) = author {
        skipped.reason = format!("{} ({verb} by {by})", skipped.reason);
        skipped.changed_by = Some(by);
    }
}

/// Returns the path of a field without the element after it, if only that is in conflict.
fn field_of(path: &str) -> String {
    path.split(" (").next().unwrap_or(path).to_owned()
}

/// Tells by their correlation ids what runs on a target are.
struct Origins<'a> {
    environment: &'a Environment,
    target: &'a str,
    /// The source whose runs wrote the values that changed since.
    source: Option<&'a str>,
    /// The run that is undone.
    undone: Option<&'a str>,
    /// Whether the folders of runs of that source are kept here.
    are_runs_kept: bool,
    known: Mutex<HashMap<String, CorrelationOrigin>>,
}

impl<'a> Origins<'a> {
    fn new(environment: &'a Environment, target: &'a str, source: Option<&'a str>) -> Self {
        Self { environment, target, source, undone: None, are_runs_kept: false, known: Mutex::default() }
    }

    fn of(&self, correlation: &str) -> CorrelationOrigin {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(correlation.to_owned()).or_insert_with(|| self.look_up(correlation))
    }

    /// Where no runs of the source are kept, a run without a folder may be the one that wrote the value, so it is not
    /// named as the author of drift.
    fn look_up(&self, correlation: &str) -> CorrelationOrigin {
        if !is_run(correlation, self.target) {
            return CorrelationOrigin::Foreign;
        }
        if self.undone == Some(correlation) {
            return CorrelationOrigin::Baseline;
        }
        let Some(source) = self.source else { return CorrelationOrigin::Run };
        let plan = file::load(&self.environment.folder("runs").join(correlation).join("plan.json"));
        match plan {
            Ok((plan, _)) if plan.source_tenant() == source => CorrelationOrigin::Baseline,
            Err(_) if !self.are_runs_kept => CorrelationOrigin::Baseline,
            Ok(_) | Err(_) => CorrelationOrigin::Run,
        }
    }
}

/// The changes in the target that the plans of past runs met, newest first.
struct RecordedChanges {
    plans: Vec<Plan>,
}

impl RecordedChanges {
    /// Loads the newest runs between two tenants that compared everything.
    fn load(environment: &Environment, source: &str, target: &str) -> Self {
        let runs = environment.folder("runs");
        let plans = begun_on(&runs, target).take(RUNS).filter_map(|run| Some(file::load(&runs.join(run).join("plan.json")).ok()?.0));
        let compares_all = |plan: &Plan| plan.source_tenant() == source && plan.undoes.is_none() && plan.selection.is_none();
        Self { plans: plans.filter(compares_all).collect() }
    }

    /// Returns the time since when a field can have changed: when the newest run that met no change of it read the
    /// target.
    fn since(&self, key: &Key, path: &str) -> Option<SystemTime> {
        let is_it = |of: &Key, at: &str| of == key && at == path;
        let met = |plan: &&Plan| {
            plan.drift.iter().any(|drift| is_it(&drift.key, &drift.path)) || plan.conflicts.iter().any(|one| is_it(&one.key, &one.path))
        };
        self.plans.iter().find(|plan| !met(plan)).and_then(|plan| earliest(&plan.target.taken))
    }
}
