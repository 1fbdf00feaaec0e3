//! Reports as CSV: a row for each edit of a plan, of drift or of a comparison, and for each change of a run.
//!
//! A run also has a row for each refused part, each skipped resource or field, and each manual step.

use super::format::by_whom;
use super::json::outcome_word;
use super::printed::printable;
use super::rows::{Row, rows_of_change, rows_of_plan, sides};
use super::run_report::RunReport;
use crate::model::resource::{Id, Key};
use crate::plan::{Drift, DriftReport, ManualStep, Plan, Skipped};

const HEAD_OF_RUN: [&str; 8] = ["kind", "name", "operation", "outcome", "field", "target_id", "message", "at"];
const HEAD_OF_PLAN: [&str; 8] = ["kind", "name", "operation", "risk", "field", "old", "new", "message"];
const HEAD_OF_COMPARISON: [&str; 7] = ["kind", "name", "operation", "field", "from", "to", "message"];
const HEAD_OF_DRIFT: [&str; 6] = ["kind", "name", "field", "applied", "live", "message"];

/// Returns a run as CSV.
pub(super) fn csv_of_run(run: &RunReport<'_>) -> String {
    table(HEAD_OF_RUN, rows(run, &run.due_manual_steps()))
}

/// Returns a plan as CSV.
pub(super) fn csv_of_plan(plan: &Plan) -> String {
    let rows = rows_of_plan(plan);
    let cells = |row: &'_ Row<'_>| {
        let risk = row.risk.map_or("", |risk| risk.as_str());
        [
            row.key.kind().name,
            row.key.name(),
            row.entry,
            risk,
            &row.field,
            row.old.as_deref().unwrap_or_default(),
            row.new.as_deref().unwrap_or_default(),
            row.message,
        ]
        .map(str::to_owned)
    };
    table(HEAD_OF_PLAN, rows.iter().map(cells))
}

/// Returns a comparison as CSV; a resource is created, updated or deleted between the two sides.
pub(super) fn csv_of_comparison(plan: &Plan) -> String {
    let cells = |row: Row<'_>| {
        [
            row.key.kind().name,
            row.key.name(),
            row.entry,
            &row.field,
            row.old.as_deref().unwrap_or_default(),
            row.new.as_deref().unwrap_or_default(),
            "",
        ]
        .map(str::to_owned)
    };
    let unseen = |one: &Skipped| {
        [one.key.kind().name, one.key.name(), "not_compared", one.path.as_deref().unwrap_or_default(), "", "", &one.reason]
            .map(str::to_owned)
    };
    let edits = plan.changes().flat_map(rows_of_change).map(cells);
    table(HEAD_OF_COMPARISON, edits.chain(plan.skipped.iter().map(unseen)))
}

/// Returns drift as CSV.
pub(super) fn csv_of_drift(report: &DriftReport) -> String {
    let drifted = |one: &Drift| {
        let (applied, live) = sides(one.base.as_ref(), one.live.as_ref());
        let message = format!("changed{}", by_whom(one.changed_by.as_ref()));
        [
            one.key.kind().name,
            one.key.name(),
            &one.path,
            applied.as_deref().unwrap_or_default(),
            live.as_deref().unwrap_or_default(),
            &message,
        ]
        .map(str::to_owned)
    };
    let gone = |key: &Key| {
        let message = format!("deleted{}", by_whom(report.deleted_by.get(key)));
        [key.kind().name, key.name(), "", "", "", &message].map(str::to_owned)
    };
    let unseen = |one: &Skipped| {
        [one.key.kind().name, one.key.name(), one.path.as_deref().unwrap_or_default(), "", "", &one.reason].map(str::to_owned)
    };
    let rows = report.drift.iter().map(drifted).chain(report.gone.iter().map(gone)).chain(report.unseen.iter().map(unseen));
    table(HEAD_OF_DRIFT, rows)
}

/// Returns rows under a head as CSV.
pub(super) fn table<const COLUMNS: usize, Cell: AsRef<str>>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [Cell; COLUMNS]>,
) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head).expect("memory takes every row");
    for row in rows {
        writer.write_record(row.each_ref().map(|cell| harmless(cell.as_ref()))).expect("memory takes every row");
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("rows of texts are text")
}

fn rows<'run>(run: &RunReport<'run>, due: &'run [ManualStep]) -> Vec<[&'run str; 8]> {
    let row = |key: &'run Key, rest: [&'run str; 6]| [key.kind().name, key.name(), rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]];
    let settled = run.summary.settled.iter().map(|one| {
        let (id, message) = (one.outcome.id().map_or("", Id::as_str), one.outcome.message().unwrap_or_default());
        let at = one.at.as_deref().unwrap_or_default();
        row(&one.key, [one.operation.as_str(), outcome_word(&one.outcome), "", id, message, at])
    });
    let refused = run.summary.settled.iter().filter_map(|one| one.outcome.shortfall().map(|short| (one, short)));
    let refused = refused.flat_map(|(one, short)| {
        let id = one.outcome.id().map_or("", Id::as_str);
        short.parts.iter().map(move |part| {
            row(&one.key, [one.operation.as_str(), "refused", part, id, &short.message, one.at.as_deref().unwrap_or_default()])
        })
    });
    let unsent = run.unsent().into_iter().map(|change| row(&change.key, [change.operation().as_str(), "unsent", "", "", "", ""]));
    let skipped =
        run.plan.skipped.iter().map(|left| row(&left.key, ["", "skipped", left.path.as_deref().unwrap_or_default(), "", &left.reason, ""]));
    let manual = due.iter().map(|manual| row(&manual.key, ["", "manual_step", &manual.path, "", &manual.step, ""]));
    settled.chain(refused).chain(unsent).chain(skipped).chain(manual).collect()
}

/// Returns a cell that spreadsheets do not take for a formula and that is harmless in terminals.
fn harmless(cell: &str) -> String {
    let shown = printable(cell);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{shown}") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_a_formula() {
        let cells = ["=1+1", "+1", "-1", "@x", "a=1", ""].map(harmless);
        assert_eq!(cells, ["'=1+1", "'+1", "'-1", "'@x", "a=1", ""]);
    }
}
