//! The report of a run as CSV: one row for each change, each refused part, each skipped resource or field, and each manual step.

use super::json::outcome_word;
use super::printed::printable;
use super::run_report::RunReport;
use crate::model::resource::{Id, Key};
use crate::plan::ManualStep;

const HEAD: [&str; 8] = ["kind", "name", "operation", "outcome", "field", "target_id", "message", "at"];

/// Returns a run as CSV.
pub(super) fn csv(run: &RunReport<'_>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(HEAD).chain(rows(run, &run.due_manual_steps())) {
        writer.write_record(row.map(harmless)).expect("memory takes every row");
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
