//! What differs from one tenant or snapshot to another.

use std::time::SystemTime;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::document::{Content, Document, Fold, Lead, Sections, Tone, Topic, messages};
use super::format::{count, number, printable};
use super::head::{Head, read};
use super::json::answer;
use super::kind_changes::{Wording, of_changes};
use crate::plan::findings::RiskCounts;
use crate::plan::{Change, Counts, Plan, PlannedTenant, Skipped};

impl<'plan> Document<'plan> {
    /// Builds the document of a comparison.
    pub(super) fn of_comparison(plan: &'plan Plan, now: SystemTime) -> Self {
        let kinds = of_changes(plan, plan.changes(), Wording::Compared);
        let side = |label: &str, side: &PlannedTenant| [label.to_owned(), side.domain.clone(), read(side, now)];
        let head = Head {
            outcomes: Vec::new(),
            sides: vec![side("from", &plan.source), side("to", &plan.target)],
            risks: RiskCounts::default(),
            size: size(plan.counts()),
            kinds: kinds.iter().map(|kind| (kind.title, kind.counts)).collect(),
            cost: None,
        };
        let mut sections = Sections::new(&plan.target.tenant);
        sections.add(Topic::Kinds, Content::Kinds(kinds));
        sections.add(Topic::NotCompared, messages(&plan.skipped));
        let notes = plan.notes.iter().map(|note| printable(note).into_owned()).collect();
        sections.add_folded(Topic::Notes, Content::Lines(notes), Fold::Whole);
        let (from, to) = (called(&plan.source), called(&plan.target));
        let lead = match (plan.is_empty(), plan.skipped.is_empty()) {
            (false, _) => format!("Diff  {from} → {to}"),
            (true, true) => format!("{from} and {to} do not differ: {} compared.", count(plan.counts().unchanged, "resource")),
            (true, false) => {
                format!("{from} and {to} do not differ in what can be compared: {}.", count(plan.counts().unchanged, "resource"))
            }
        };
        Self {
            title: format!("{from} → {to}"),
            lead: Some(Lead::new(Tone::Neutral, printable(&lead).into_owned())),
            head: Some(head),
            sections: sections.in_order(),
            ..Self::default()
        }
    }
}

/// Returns what a side is called: a snapshot by its name, a tenant by its own.
fn called(side: &PlannedTenant) -> &str {
    side.snapshot.as_deref().unwrap_or(&side.tenant)
}

fn size(counts: Counts) -> String {
    let Counts { creates, updates, deletions, unchanged } = counts;
    format!("{} added, {} changed, {} deleted, {} unchanged", number(creates), number(updates), number(deletions), number(unchanged))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ComparedFields<'a> {
    from: &'a PlannedTenant,
    to: &'a PlannedTenant,
    counts: CountFields,
    changes: Vec<&'a Change>,
    not_compared: &'a [Skipped],
    notes: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct CountFields {
    added: usize,
    changed: usize,
    deleted: usize,
    unchanged: usize,
}

/// Returns the same as JSON; a change is as in a plan that makes the first side equal to the second.
pub(super) fn compared_json(plan: &Plan, exit: u8) -> Value {
    let Counts { creates, updates, deletions, unchanged } = plan.counts();
    let fields = ComparedFields {
        from: &plan.source,
        to: &plan.target,
        counts: CountFields { added: creates, changed: updates, deleted: deletions, unchanged },
        changes: plan.changes().collect(),
        not_compared: &plan.skipped,
        notes: &plan.notes,
    };
    answer(&fields, exit)
}
