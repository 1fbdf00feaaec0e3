//! The report of a rehearsal: an import into a copy of the target.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::document::{Closing, Content, Document, Lead, Sections, Tone, Topic, messages};
use super::format::{count, number};
use super::json::{AlteredFields, PlanFields, ResultFields, altered, answer};
use super::kind_changes::by_kind;
use super::layout::Layout;
use super::plan_document::{PlanView, title};
use super::run_document::add_outcomes;
use super::run_report::RunState;
use crate::apply::{OutcomeCounts, Summary};
use crate::model::resource::Key;
use crate::plan::{Change, Plan};

/// A finished rehearsal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rehearsal<'run> {
    /// The rehearsed plan.
    pub(crate) plan: &'run Plan,
    /// The outcomes of the changes.
    pub(crate) summary: &'run Summary,
    /// How often the run was interrupted and resumed.
    pub(crate) resumed: usize,
    /// The number of requests to the copy.
    pub(crate) requests: usize,
    /// How many of them were writes.
    pub(crate) writes: usize,
    /// The requested faults, and how often each occurred.
    pub(crate) fault_counts: &'run [(String, usize)],
    /// Resources that the copy returned differently from the target before any change.
    pub(crate) otherwise: &'run [Key],
    /// What a second plan would still change.
    pub(crate) again: &'run Plan,
}

/// Renders a rehearsal as styled text; `next` is the command for the real import.
pub(crate) fn rehearsal(rehearsal: &Rehearsal<'_>, next: &str) -> String {
    Document::of_rehearsal(rehearsal, next).to_text(Layout::default())
}

impl<'run> Document<'run> {
    fn of_rehearsal(rehearsal: &Rehearsal<'run>, next: &str) -> Self {
        let Rehearsal { plan, summary, fault_counts, otherwise, again, .. } = *rehearsal;
        let target = &plan.target.tenant;
        let mut sections = Sections::new(target);
        sections.add(Topic::Faults, Content::Faults(fault_counts));
        add_outcomes(&mut sections, summary);
        sections.add(Topic::Skipped, messages(&plan.skipped));
        sections.add(Topic::SecondPlan, Content::Kinds(by_kind(again)));
        sections.add(Topic::CopyDiffers, Content::Resources(otherwise));
        let closing = vec![Closing::Aside(format!("Nothing was written to {target}.")), Closing::Next(next.to_owned())];
        Self { title: title(plan), lead: Some(lead(rehearsal)), sections: sections.in_order(), closing, ..Self::default() }
    }
}

fn lead(rehearsal: &Rehearsal<'_>) -> Lead {
    let Rehearsal { plan, summary, resumed, requests, writes, again, .. } = *rehearsal;
    let (state, requests) = (RunState::new(summary), count(requests, "request"));
    let done = format!("Rehearsed on a copy of {}: {state} ({requests}, {} of them writes).", plan.target.tenant, number(writes));
    let resumed = if resumed > 0 { format!(" It was interrupted and resumed {}.", count(resumed, "time")) } else { String::new() };
    let again_text = match (again.is_empty(), summary.is_whole()) {
        (true, _) => " A second plan finds nothing to do.",
        (false, true) => " It does not converge: a second plan would change something again.",
        (false, false) => "",
    };
    let tone = if summary.is_whole() && again.is_empty() { Tone::Good } else { Tone::Bad };
    Lead::new(tone, format!("{done}{resumed}{again_text}"))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RehearsalAnswer<'a> {
    #[serde(flatten)]
    plan: PlanFields<'a>,
    rehearsal: RehearsalFields<'a>,
}

#[derive(Serialize, JsonSchema)]
struct RehearsalFields<'a> {
    state: String,
    counts: OutcomeCounts,
    changes: Vec<ResultFields<'a>>,
    differs: Vec<AlteredFields<'a>>,
    resumed: usize,
    requests: usize,
    writes: usize,
    faults: Vec<FaultFields<'a>>,
    otherwise: &'a [Key],
    again: Vec<&'a Change>,
}

#[derive(Serialize, JsonSchema)]
struct FaultFields<'a> {
    fault: &'a str,
    injected: usize,
}

/// Returns a rehearsal as JSON: the plan, and the results under `rehearsal`.
pub(crate) fn rehearsal_json(rehearsal: &Rehearsal<'_>, exit: u8) -> Value {
    let Rehearsal { plan, summary, resumed, requests, writes, fault_counts, otherwise, again } = *rehearsal;
    let fields = RehearsalFields {
        state: RunState::new(summary).to_string(),
        counts: summary.tally(),
        changes: summary.settled.iter().map(ResultFields::from).collect(),
        differs: altered(summary),
        resumed,
        requests,
        writes,
        faults: fault_counts.iter().map(|(fault, injected)| FaultFields { fault, injected: *injected }).collect(),
        otherwise,
        again: again.changes().collect(),
    };
    answer(&RehearsalAnswer { plan: PlanFields::new(&PlanView::new(plan, &[])), rehearsal: fields }, exit)
}
