//! Plans, runs and exports for programs.
//!
//! Texts stay portable (`⟦clients/Billing API⟧`, `⟨tenant⟩`), as they stand in `plan.json`. Every answer carries `exit`, the code the
//! command ends with.
//!
//! ```text
//! plan    source target counts changes[] left_out[] drift[] conflicts[] manual[] left_alone[] unchanged{} target_only{} unknown{} notes[] refusals[] exit
//! run     source target state counts seconds requests waited_seconds changes[] differs[] left_out[] conflicts[] manual[] secrets[] run exit
//! export  tenant domain taken count kinds{} twice[] unknown{} secrets path is_same exit
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::exported::secrets;
use super::summary::{EndedRun, state};
use crate::apply::{AlteredValue, ChangeResult, GeneratedSecret, SecretDisposition, Summary};
use crate::model::event::{Outcome, Shortfall};
use crate::plan::refusal::Refusal;
use crate::plan::{Change, Plan};
use crate::snapshot::{Snapshot, Status};

/// Returns a plan as JSON.
///
/// A change is as it stands in `plan.json` (`key`, `source_id`, `action` and what it sends), with the title of its `stage`.
pub fn plan_json(plan: &Plan, refusals: &[Refusal], exit: u8) -> Value {
    let changes: Vec<Value> = plan.stages.iter().flat_map(|stage| stage.changes.iter().map(|one| change(&stage.title, one))).collect();
    json!({
        "source": plan.source,
        "target": plan.target,
        "counts": plan.counts(),
        "changes": changes,
        "skipped": plan.skipped,
        "drift": plan.drift,
        "conflicts": plan.conflicts,
        "manual_steps": plan.manual_steps,
        "excluded": plan.excluded,
        "unchanged": plan.unchanged,
        "unmanaged": plan.unmanaged,
        "unknown": plan.unknown,
        "notes": plan.notes,
        "refusals": refusals,
        "exit": exit,
    })
}

fn change(stage: &str, change: &Change) -> Value {
    let mut value = serde_json::to_value(change).expect("a change is JSON");
    if let Value::Object(fields) = &mut value {
        fields.insert("stage".to_owned(), stage.into());
    }
    value
}

/// Returns how a run ended as JSON.
///
/// The `outcome` of a change is `applied` (with its `id`), `partial` (with the parts that were `refused`), `failed`, `skipped`, `unknown` (each with a `message`) or `unsent`.
pub fn summary_json(run: &EndedRun<'_>, exit: u8) -> Value {
    let unsent = |change: &&Change| json!({"key": change.key, "operation": change.operation(), "outcome": "unsent"});
    let changes: Vec<Value> = run.summary.settled.iter().map(settled).chain(run.unsent().iter().map(unsent)).collect();
    json!({
        "source": run.plan.source,
        "target": run.plan.target,
        "state": state(run.summary),
        "counts": run.summary.tally(),
        "seconds": rounded(run.effort.took.as_secs_f64()),
        "requests": run.effort.requests,
        "waited_seconds": rounded(run.effort.waited.as_secs_f64()),
        "changes": changes,
        "differs": differs(run.summary),
        "skipped": run.plan.skipped,
        "conflicts": run.plan.conflicts,
        "manual_steps": run.due(),
        "secrets": run.summary.made.iter().map(|made| secret(run, made)).collect::<Vec<_>>(),
        "run": run.folder,
        "exit": exit,
    })
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

pub(super) fn settled(settled: &ChangeResult) -> Value {
    let ChangeResult { key, operation, outcome, .. } = settled;
    match outcome {
        Outcome::Applied(id) => json!({"key": key, "operation": operation, "outcome": outcome_word(outcome), "id": id}),
        Outcome::Partial(id, Shortfall { parts, message }) => {
            json!({"key": key, "operation": operation, "outcome": outcome_word(outcome), "id": id, "refused": parts, "message": message})
        }
        Outcome::Failed(message) | Outcome::Skipped(message) | Outcome::Unknown(message) => {
            json!({"key": key, "operation": operation, "outcome": outcome_word(outcome), "message": message})
        }
    }
}

/// Returns every value that the target answered otherwise than it was `sent`; one that was cleared, or not answered, is null.
pub(super) fn differs(summary: &Summary) -> Vec<Value> {
    let row = |(settled, altered): (&ChangeResult, &AlteredValue)| {
        let AlteredValue { path, sent, answered } = altered;
        json!({"key": settled.key, "operation": settled.operation, "path": path, "sent": sent, "answered": answered})
    };
    summary.altered().map(row).collect()
}

/// Returns what became of a secret that the target made: the `fate` is `kept`, `left`, `lost` or `unknown`, and `fetch` the command that prints it.
fn secret(run: &EndedRun<'_>, made: &GeneratedSecret) -> Value {
    let (fate, reason) = match &made.fate {
        SecretDisposition::Kept => ("kept", None),
        SecretDisposition::Left => ("left", None),
        SecretDisposition::Unknown => ("unknown", None),
        SecretDisposition::Lost(reason) => ("lost", Some(reason)),
    };
    let fetch = run.fetch(made, made.id.as_str());
    json!({"key": made.key, "id": made.id, "field": made.path, "fate": fate, "message": reason, "fetch": fetch})
}

/// Returns an outcome as one word for programs.
pub(super) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::Partial(..) => "partial",
        Outcome::Failed(_) => "failed",
        Outcome::Skipped(_) => "skipped",
        Outcome::Unknown(_) => "unknown",
    }
}

/// Returns what an export found as JSON; `is_same` says that it equals the version that stands at `path` already.
pub fn exported_json(snapshot: &Snapshot, path: &Path, is_same: bool, exit: u8) -> Value {
    let kind = |(kind, status): (&String, &Status)| {
        let mut value = serde_json::to_value(status).expect("a status is JSON");
        if let Value::Object(fields) = &mut value {
            fields.insert("count".to_owned(), snapshot.of_kind(kind).count().into());
        }
        (kind.clone(), value)
    };
    json!({
        "tenant": snapshot.tenant,
        "domain": snapshot.domain,
        "taken": snapshot.taken,
        "count": snapshot.resources.len(),
        "kinds": snapshot.kinds.iter().map(kind).collect::<BTreeMap<_, _>>(),
        "twice": snapshot.twice,
        "unknown": snapshot.unknown_fields(),
        "secrets": secrets(snapshot).values().sum::<usize>(),
        "path": path,
        "is_same": is_same,
        "exit": exit,
    })
}
