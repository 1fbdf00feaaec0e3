//! The report of a run as titled sections, before it is markdown or HTML.

use std::collections::HashMap;

use super::format::{duration, enumeration, named, number};
use super::sections::Remark;
use super::summary::{DIFFERS, EndedRun, heading_text};
use super::table::Table;
use super::values::{cut, element, or_none};
use crate::apply::{AlteredValue, ChangeResult, Summary};
use crate::model::event::{Operation, Outcome, Shortfall};
use crate::model::resource::Key;
use crate::plan::{Action, Change, Conflict, Drift, Plan, Skipped};

/// Characters shown of what one change does.
const WIDTH: usize = 400;

/// A report before it has a format.
#[derive(Debug)]
pub(super) struct Page {
    /// What it is about.
    pub(super) title: String,
    /// How the run ended, in one sentence.
    pub(super) state: String,
    /// Whether everything is in the target.
    pub(super) is_whole: bool,
    /// Facts by name.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What there is to say, most pressing first; none is empty.
    pub(super) sections: Vec<(String, Table)>,
}

/// Returns the page of a run.
pub(super) fn page(run: &EndedRun<'_>) -> Page {
    let plan = run.plan;
    let unmanaged: Vec<(String, String)> =
        plan.unmanaged.iter().flat_map(|(kind, keys)| keys.iter().map(move |key| (kind.clone(), key.name().to_owned()))).collect();
    let unknown = plan.unknown.iter().map(|(kind, paths)| [kind.clone(), paths.join(", ")]);
    let sections = [
        ("Refused by the tenant".to_owned(), outcomes(run, |outcome| matches!(outcome, Outcome::Failed(_)))),
        ("Applied in part".to_owned(), outcomes(run, |outcome| matches!(outcome, Outcome::Partial(..)))),
        ("In doubt: sent, and what became of it is not known".to_owned(), outcomes(run, |outcome| matches!(outcome, Outcome::Unknown(_)))),
        ("Skipped".to_owned(), outcomes(run, |outcome| matches!(outcome, Outcome::Skipped(_)))),
        ("Not sent".to_owned(), changes(run.unsent().into_iter())),
        (DIFFERS.to_owned(), differing(run.summary)),
        ("By hand".to_owned(), table(&["resource", "step"], run.due().iter().map(|manual| [named(&manual.key), manual.step.clone()]))),
        ("Left out".to_owned(), left(&plan.skipped)),
        ("Changed in both since the last run".to_owned(), conflicts(plan)),
        ("Applied".to_owned(), changes(applied(run).into_iter())),
        ("Changed by the target itself".to_owned(), drift(plan)),
        ("Left alone".to_owned(), left(&plan.excluded)),
        (format!("Only in {}", plan.target.tenant), table(&["kind", "name"], unmanaged.into_iter().map(<[String; 2]>::from))),
        ("Fields nobody knows yet".to_owned(), table(&["kind", "fields"], unknown)),
        ("Notes".to_owned(), table(&["note"], plan.notes.iter().map(|note| [note.clone()]))),
    ];
    Page {
        title: format!("{} -> {}", plan.source.tenant, plan.target.tenant),
        state: heading_text(run),
        is_whole: run.summary.is_whole(),
        facts: facts(run),
        sections: sections.into_iter().filter(|(_, table)| !table.is_empty()).collect(),
    }
}

fn facts(run: &EndedRun<'_>) -> Vec<(&'static str, String)> {
    let plan = run.plan;
    vec![
        ("source", format!("{} ({}), read {}", plan.source.tenant, plan.source.domain, plan.source.taken)),
        ("target", format!("{} ({}), read {}", plan.target.tenant, plan.target.domain, plan.target.taken)),
        ("took", duration(run.effort.took)),
        ("requests", number(run.effort.requests)),
        ("equal already", number(plan.counts().unchanged)),
        ("run", run.folder.display().to_string()),
    ]
}

fn table<const COLUMNS: usize>(head: &[&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new(head);
    rows.for_each(|row| table.row(row));
    table
}

fn outcomes(run: &EndedRun<'_>, is_meant: fn(&Outcome) -> bool) -> Table {
    let of = |outcome: &Outcome| match outcome {
        Outcome::Applied(id) => id.to_string(),
        Outcome::Partial(_, Shortfall { message, .. })
        | Outcome::Failed(message)
        | Outcome::Skipped(message)
        | Outcome::Unknown(message) => message.clone(),
    };
    let found = run.summary.settled.iter().filter(|one| is_meant(&one.outcome));
    table(&["change", "resource", "message"], found.map(|one| [one.operation.to_string(), named(&one.key), of(&one.outcome)]))
}

fn differing(summary: &Summary) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), WIDTH);
    let row = |(settled, altered): (&ChangeResult, &AlteredValue)| {
        [named(&settled.key), altered.path.clone(), shown(&altered.sent), shown(&altered.answered)]
    };
    table(&["resource", "field", "sent", "answered"], summary.altered().map(row))
}

fn left(left: &[Skipped]) -> Table {
    let row = |remark: Remark<'_>| [named(remark.key), remark.path.unwrap_or_default().to_owned(), remark.reason.to_owned()];
    table(&["resource", "field", "reason"], left.iter().map(|left| row(left.into())))
}

/// Returns the changes of the plan that the target holds now.
fn applied<'run>(run: &EndedRun<'run>) -> Vec<&'run Change> {
    let mut is_held: HashMap<(&Key, Operation), bool> = HashMap::new();
    for one in &run.summary.settled {
        *is_held.entry((&one.key, one.operation)).or_insert(true) &= one.outcome.id().is_some();
    }
    let is_applied = |change: &&Change| is_held.get(&(&change.key, change.operation())) == Some(&true);
    run.plan.changes().filter(is_applied).collect()
}

fn changes<'plan>(changes: impl Iterator<Item = &'plan Change>) -> Table {
    table(&["change", "resource", "what"], changes.map(|change| [change.operation().to_string(), named(&change.key), what(change)]))
}

fn drift(plan: &Plan) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), 80);
    let row = |drift: &Drift| [named(&drift.key), drift.path.clone(), shown(&drift.base), shown(&drift.live)];
    table(&["resource", "field", "last applied", "now"], plan.drift.iter().map(row))
}

fn conflicts(plan: &Plan) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), 80);
    let row = |one: &Conflict| [named(&one.key), one.path.clone(), shown(&one.base), shown(&one.desired), shown(&one.live)];
    let sides = [plan.source.tenant.as_str(), plan.target.tenant.as_str()];
    table(&["resource", "field", "last applied", sides[0], sides[1]], plan.conflicts.iter().map(row))
}

/// Returns what a change does, in one line.
fn what(change: &Change) -> String {
    let names = |names: &mut dyn Iterator<Item = &String>| enumeration(&names.cloned().collect::<Vec<_>>());
    let line = match &change.action {
        Action::Create { body, .. } | Action::Delete { body, .. } => names(&mut body.0.keys()),
        Action::Update { body, edits, .. } if edits.is_empty() => names(&mut body.0.keys()),
        Action::Update { edits, .. } => {
            let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), 80);
            edits.iter().map(|edit| format!("{}: {} -> {}", edit.path, shown(&edit.old), shown(&edit.new))).collect::<Vec<_>>().join("; ")
        }
        Action::Elements { added, removed, .. } => {
            let removed = removed.iter().map(|one| format!("- {}", element(one)));
            removed.chain(added.iter().map(|one| format!("+ {}", element(one)))).collect::<Vec<_>>().join(", ")
        }
    };
    cut(&line, WIDTH)
}
