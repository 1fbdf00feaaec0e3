//! JSON output for programs: plans, runs, exports and drift.
//!
//! Texts stay portable (`⟦clients/Billing API⟧`, `⟨tenant⟩`), as in `plan.json`. Every output has `format`, the version
//! of its structure, and `exit`, the exit code of the command.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::exported::{ExportView, secrets};
use super::plan_document::PlanView;
use super::probe_view::ProbeFields;
use super::run_report::{RunCost, RunReport, RunState};
use crate::apply::{ChangeResult, GeneratedSecret, LinkedId, OutcomeCounts, SecretDisposition, Summary, linked_ids};
use crate::catalog::risk::RiskClass;
use crate::model::changed_by::ChangedBy;
use crate::model::event::{Operation, Outcome};
use crate::model::resource::{Id, Key, Resource};
use crate::plan::findings::{self, Finding, RiskCounts, Subject, findings, of_change};
use crate::plan::refusal::Refusal;
use crate::plan::{
    Change, Conflict, Counts, Drift, DriftReport, Estimate, ManualStep, PlannedMapping, PlannedSelection, PlannedTenant, RequestCount,
    Skipped, Stage, requests_of,
};
use crate::snapshot::Status;
use crate::snapshot::versions::StoredSnapshot;

/// The version of the structure of all outputs; it is raised when a field is removed or changes its meaning.
pub(crate) const FORMAT: u32 = 1;

#[derive(Serialize, JsonSchema)]
pub(super) struct Answer<'a, T> {
    format: u32,
    #[serde(flatten)]
    fields: &'a T,
    exit: u8,
}

/// Returns the output of a command with these fields and this exit code.
pub(crate) fn answer(fields: &impl Serialize, exit: u8) -> Value {
    to_json(&Answer { format: FORMAT, fields, exit })
}

/// Serializes a value of this program.
pub(crate) fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("an answer has names for keys, and its values are JSON")
}

/// The output of a command that failed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct ErrorFields {
    /// What went wrong.
    pub(crate) error: Option<String>,
    /// The causes, nearest first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// What was written, if anything.
    pub(crate) state: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct PlanFields<'a> {
    source: &'a PlannedTenant,
    target: &'a PlannedTenant,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: &'a Option<PlannedMapping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: &'a Option<PlannedSelection>,
    counts: Counts,
    risks: RiskCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateFields>,
    review: Vec<FindingFields<'a>>,
    changes: Vec<StagedChange<'a>>,
    skipped: &'a [Skipped],
    drift: &'a [Drift],
    conflicts: &'a [Conflict],
    manual_steps: &'a [ManualStep],
    missing_scopes: &'a [String],
    excluded: &'a [Skipped],
    unchanged: &'a BTreeMap<String, usize>,
    unmanaged: &'a BTreeMap<String, Vec<Key>>,
    unknown: &'a BTreeMap<String, Vec<String>>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    mapped: &'a BTreeMap<Key, BTreeMap<String, String>>,
    refusals: &'a [Refusal],
}

/// The requests and the time that a plan needs.
#[derive(Serialize, JsonSchema)]
struct EstimateFields {
    #[serde(flatten)]
    estimate: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// The endpoint group whose limit determines the time, if the tenant's own does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest: Option<&'static str>,
    /// The requests by method and path.
    operations: Vec<RequestCount>,
}

/// One edit that needs approval.
#[derive(Serialize, JsonSchema)]
struct FindingFields<'a> {
    risk: RiskClass,
    key: &'a Key,
    operation: Operation,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value>,
    /// What the target deletes along with a deleted resource.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted_along: Vec<&'a Key>,
}

impl<'a> FindingFields<'a> {
    fn new(along: &HashMap<&Key, Vec<&'a Resource>>, finding: &Finding<'a>) -> Self {
        let path = finding.subject.path().map(str::to_owned);
        let (old, new) = match &finding.subject {
            Subject::Field(edit) => (edit.old.clone(), edit.new.clone()),
            Subject::Resource | Subject::Secret(_) => (None, None),
        };
        let (key, operation) = (&finding.change.key, finding.change.operation());
        let deleted_along = along.get(key).into_iter().flatten().map(|one| &one.key).collect();
        Self { risk: finding.class, key, operation, path, old, new, deleted_along }
    }
}

/// A change as in `plan.json`, with the title of its stage and its highest risk.
#[derive(Serialize, JsonSchema)]
struct StagedChange<'a> {
    stage: &'a str,
    risk: RiskClass,
    #[serde(flatten)]
    change: &'a Change,
}

impl<'a> PlanFields<'a> {
    pub(super) fn new(view: &PlanView<'a>) -> Self {
        let PlanView { plan, refusals, estimate, .. } = *view;
        let (found, along) = (findings(plan), plan.deleted_along());
        let staged = |stage: &'a Stage| {
            stage.changes.iter().map(move |change| {
                let risk = of_change(change).iter().map(|finding| finding.class).max().unwrap_or(RiskClass::Routine);
                StagedChange { stage: &stage.title, risk, change }
            })
        };
        let priced = |estimate: Estimate| EstimateFields {
            estimate,
            seconds: estimate.time().map(|time| (time.as_secs_f64() * 10.0).round() / 10.0),
            slowest: estimate.slowest.map(|group| group.limit.path),
            operations: requests_of(plan),
        };
        Self {
            source: &plan.source,
            target: &plan.target,
            mapping: &plan.mapping,
            selection: &plan.selection,
            counts: plan.counts(),
            risks: findings::count(&found),
            estimate: estimate.map(priced),
            review: found
                .iter()
                .filter(|finding| finding.class.is_dangerous())
                .map(|finding| FindingFields::new(&along, finding))
                .collect(),
            changes: plan.stages.iter().flat_map(staged).collect(),
            skipped: &plan.skipped,
            drift: &plan.drift,
            conflicts: &plan.conflicts,
            manual_steps: &plan.manual_steps,
            missing_scopes: &plan.missing_scopes,
            excluded: &plan.excluded,
            unchanged: &plan.unchanged,
            unmanaged: &plan.unmanaged,
            unknown: &plan.unknown,
            notes: &plan.notes,
            warnings: &plan.warnings,
            mapped: &plan.mapped,
            refusals,
        }
    }
}

/// Returns a plan as JSON.
pub(super) fn plan_json(view: &PlanView<'_>, exit: u8) -> Value {
    answer(&PlanFields::new(view), exit)
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RunFields<'a> {
    source: &'a PlannedTenant,
    target: &'a PlannedTenant,
    state: String,
    counts: OutcomeCounts,
    #[serde(flatten)]
    cost: Option<CostFields>,
    changes: Vec<ResultFields<'a>>,
    differs: Vec<AlteredFields<'a>>,
    skipped: &'a [Skipped],
    conflicts: &'a [Conflict],
    manual_steps: Vec<ManualStep>,
    secrets: Vec<GeneratedSecretFields<'a>>,
    ids: Vec<IdFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeFields<'a>>,
    run: &'a Path,
}

#[derive(Serialize, JsonSchema)]
struct CostFields {
    seconds: f64,
    requests: usize,
    waited_seconds: f64,
}

impl From<RunCost> for CostFields {
    fn from(RunCost { took, requests, waited }: RunCost) -> Self {
        let rounded = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        Self { seconds: rounded(took.as_secs_f64()), requests, waited_seconds: rounded(waited.as_secs_f64()) }
    }
}

impl<'a> RunFields<'a> {
    /// Returns the result of a run with its cost.
    fn new(run: &RunReport<'a>) -> Self {
        Self { cost: Some(run.cost.into()), ..Self::without_cost(run) }
    }

    /// Returns the result of a run whose cost is not known.
    pub(super) fn without_cost(run: &RunReport<'a>) -> Self {
        let summary = run.summary;
        Self {
            source: &run.plan.source,
            target: &run.plan.target,
            state: RunState::new(summary).to_string(),
            counts: summary.tally(),
            cost: None,
            changes: summary.settled.iter().map(ResultFields::from).chain(run.unsent().into_iter().map(ResultFields::unsent)).collect(),
            differs: altered(summary),
            skipped: &run.plan.skipped,
            conflicts: &run.plan.conflicts,
            manual_steps: run.due_manual_steps(),
            secrets: summary.made.iter().map(|made| GeneratedSecretFields::new(run, made)).collect(),
            ids: linked_ids(run.plan, summary).iter().map(IdFields::from).collect(),
            probe: run.probe.as_ref().map(ProbeFields::from),
            run: run.folder,
        }
    }
}

/// Returns the result of a run as JSON.
pub(super) fn summary_json(run: &RunReport<'_>, exit: u8) -> Value {
    answer(&RunFields::new(run), exit)
}

/// How a change ended, and when (`at`): `applied` (with its `id`), `partial` (also with the parts that were `refused`), `failed`, `skipped`, `unknown` (each
/// `skipped`, `unknown` (each with a `message`) or `unsent`.
#[derive(Serialize, JsonSchema)]
pub(super) struct ResultFields<'a> {
    key: &'a Key,
    operation: Operation,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl<'a> From<&'a ChangeResult> for ResultFields<'a> {
    fn from(result: &'a ChangeResult) -> Self {
        let ChangeResult { key, operation, outcome, at, .. } = result;
        let refused = outcome.shortfall().map(|short| short.parts.as_slice());
        let (at, id, message) = (at.as_deref(), outcome.id(), outcome.message());
        Self { key, operation: *operation, outcome: outcome_word(outcome), at, id, refused, message }
    }
}

impl<'a> ResultFields<'a> {
    fn unsent(change: &'a Change) -> Self {
        Self { key: &change.key, operation: change.operation(), outcome: "unsent", at: None, id: None, refused: None, message: None }
    }
}

/// A value that the target returned differently from what was `sent`; null if it was cleared or not returned.
#[derive(Serialize, JsonSchema)]
pub(super) struct AlteredFields<'a> {
    key: &'a Key,
    operation: Operation,
    path: &'a str,
    sent: Option<&'a Value>,
    answered: Option<&'a Value>,
}

/// Returns every value that the target returned differently from what was sent.
pub(super) fn altered(summary: &Summary) -> Vec<AlteredFields<'_>> {
    let altered = summary.altered().map(|(result, altered)| AlteredFields {
        key: &result.key,
        operation: result.operation,
        path: &altered.path,
        sent: altered.sent.as_ref(),
        answered: altered.answered.as_ref(),
    });
    altered.collect()
}

/// A secret that the target generated, where it was stored, and the command that prints it.
#[derive(Serialize, JsonSchema)]
struct GeneratedSecretFields<'a> {
    key: &'a Key,
    id: &'a Id,
    field: &'static str,
    disposition: &'static str,
    message: Option<&'a str>,
    fetch: String,
}

impl<'a> GeneratedSecretFields<'a> {
    fn new(run: &RunReport<'a>, made: &'a GeneratedSecret) -> Self {
        let (disposition, message) = match &made.disposition {
            SecretDisposition::Kept => ("kept", None),
            SecretDisposition::Left => ("left", None),
            SecretDisposition::Unknown => ("unknown", None),
            SecretDisposition::Lost(reason) => ("lost", Some(reason.as_str())),
        };
        Self { key: &made.key, id: &made.id, field: made.path, disposition, message, fetch: run.fetch(made, made.id.as_str()) }
    }
}

/// A resource and its id in the target.
#[derive(Serialize, JsonSchema)]
pub(super) struct IdFields {
    kind: &'static str,
    name: String,
    id: Id,
}

impl From<&LinkedId> for IdFields {
    fn from(LinkedId { key, id }: &LinkedId) -> Self {
        Self { kind: key.kind().name, name: key.name().to_owned(), id: id.clone() }
    }
}

/// Returns the name of an outcome.
pub(super) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::Partial(..) => "partial",
        Outcome::Failed(_) => "failed",
        Outcome::Skipped(_) => "skipped",
        Outcome::Unknown(_) => "unknown",
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ExportFields<'a> {
    tenant: &'a str,
    domain: &'a str,
    taken: &'a str,
    count: usize,
    kinds: BTreeMap<&'a str, KindStatusFields<'a>>,
    twice: &'a [Key],
    unknown: BTreeMap<String, Vec<String>>,
    secrets: usize,
    path: &'a Path,
    is_same: bool,
    next: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct KindStatusFields<'a> {
    count: usize,
    #[serde(flatten)]
    status: &'a Status,
}

/// Returns what an export found as JSON.
pub(crate) fn exported_json(view: &ExportView<'_>, exit: u8) -> Value {
    let ExportView { snapshot, path, is_same, next, deleted } = *view;
    let kinds = snapshot.kinds.iter();
    let kinds = kinds.map(|(kind, status)| (kind.as_str(), KindStatusFields { count: snapshot.of_kind(kind).count(), status }));
    let fields = ExportFields {
        tenant: &snapshot.tenant,
        domain: &snapshot.domain,
        taken: &snapshot.taken,
        count: snapshot.resources.len(),
        kinds: kinds.collect(),
        twice: &snapshot.twice,
        unknown: snapshot.unknown_fields(),
        secrets: secrets(snapshot).values().sum(),
        path,
        is_same,
        next,
        deleted: deleted.iter().map(StoredSnapshot::reference).collect(),
    };
    answer(&fields, exit)
}

#[derive(Serialize, JsonSchema)]
pub(super) struct DriftFields<'a> {
    target: &'a str,
    drift: &'a [Drift],
    gone: &'a [Key],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    deleted_by: &'a BTreeMap<Key, ChangedBy>,
    unseen: &'a [Skipped],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Returns drift, deleted resources and those that could not be compared as JSON.
pub(super) fn drift_json(target: &str, drift: &DriftReport, exit: u8) -> Value {
    let DriftReport { drift, gone, deleted_by, unseen, note } = drift;
    answer(&DriftFields { target, drift, gone, deleted_by, unseen, note: note.as_deref() }, exit)
}
