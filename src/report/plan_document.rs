//! Builds the documents of a plan, in the future tense, and of drift.

use std::time::SystemTime;

use super::document::{Closing, Content, Document, Fold, Lead, Sections, Tone, Topic, fields, messages};
use super::due_steps::DueStep;
use super::format::{changed_by, count, named, number, printable};
use super::head::Head;
use super::kind_changes::{by_kind, of_drift};
use super::layout::Layout;
use super::review;
use crate::model::resource::Key;
use crate::plan::findings::{self, findings};
use crate::plan::refusal::Refusal;
use crate::plan::{DriftReport, Estimate, Plan};

/// The number of lines of a list that are shown without `--verbose`.
const FEW_LINES: usize = 5;

/// A plan and the context in which it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanView<'plan> {
    /// The plan.
    pub(crate) plan: &'plan Plan,
    /// The refusals of the plan.
    pub(crate) refusals: &'plan [Refusal],
    /// The command to run next, or empty; for a refused plan, the command that approves it.
    pub(crate) next: &'plan str,
    /// The requests that it needs, if known.
    pub(crate) estimate: Option<Estimate>,
    /// The current time.
    pub(crate) now: SystemTime,
}

impl<'plan> PlanView<'plan> {
    /// Creates a view of a plan and its refusals as of now.
    #[must_use]
    pub(crate) fn new(plan: &'plan Plan, refusals: &'plan [Refusal]) -> Self {
        Self { plan, refusals, next: "", estimate: None, now: SystemTime::now() }
    }

    /// Adds the command to run next.
    #[must_use]
    pub(crate) fn with_next(self, next: &'plan str) -> Self {
        Self { next, ..self }
    }

    /// Adds the estimated requests.
    #[must_use]
    pub(crate) fn with_estimate(self, estimate: Option<Estimate>) -> Self {
        Self { estimate, ..self }
    }
}

/// Renders a plan as styled text.
pub(crate) fn plan(view: &PlanView<'_>, layout: Layout) -> String {
    Document::of_plan(view).to_text(layout)
}

impl<'plan> Document<'plan> {
    /// Builds the document of a plan, with its refusals and the next command.
    pub(super) fn of_plan(view: &PlanView<'plan>) -> Self {
        let PlanView { plan, refusals, next, estimate, now } = *view;
        let found = findings(plan);
        let kinds = by_kind(plan);
        let head = (!plan.is_empty()).then(|| Head::new(plan, &kinds, findings::count(&found), (estimate, now)));
        let mut sections = Sections::new(&plan.target.tenant);
        sections.add(Topic::ReviewFirst, Content::Review(review::items(plan, &found)));
        sections.add(Topic::Kinds, Content::Kinds(kinds));
        sections.add(Topic::Conflicts, Content::Conflicts(plan));
        sections.add_folded(Topic::Skipped, messages(&plan.skipped), Fold::ToLines(FEW_LINES));
        sections.add_folded(Topic::Drift, Content::Kinds(of_drift(&plan.drift)), Fold::ToLines(FEW_LINES));
        let steps = Content::Steps(plan.manual_steps.iter().map(DueStep::from).collect());
        sections.add_folded(Topic::ManualSteps, steps, Fold::ToLines(FEW_LINES));
        // What was created since a snapshot is what a restore leaves, so that it is named.
        let fold = if plan.restores().is_some() { Fold::ToLines(FEW_LINES) } else { Fold::ToNames };
        if plan.is_empty() {
            // A plan without changes does not list everything that it leaves out.
            sections.add(Topic::Remainder, Content::Line(remainder(plan)));
            if plan.restores().is_some() {
                sections.add_folded(Topic::Unmanaged, unmanaged(plan), fold);
            }
        } else {
            sections.add_folded(Topic::Excluded, messages(&plan.excluded), Fold::ToNames);
            sections.add_folded(Topic::Unmanaged, unmanaged(plan), fold);
            sections.add_folded(Topic::UnknownFields, fields(&plan.unknown), Fold::ToNames);
        }
        sections.add_folded(Topic::Notes, Content::Lines(notes(plan)), Fold::ToLines(FEW_LINES));
        let is_interactive = refusals.iter().any(|refusal| !refusal.can_be_allowed) && !next.contains(" --plan ");
        let approve = || Closing::Approve { command: next.to_owned(), is_interactive };
        let next = (!next.is_empty()).then(|| if refusals.is_empty() { Closing::Next(next.to_owned()) } else { approve() });
        Self {
            title: title(plan),
            lead: Some(lead(plan, refusals)),
            head,
            overview: None,
            facts: Vec::new(),
            sections: sections.in_order(),
            closing: (!refusals.is_empty()).then_some(Closing::Refusals(refusals)).into_iter().chain(next).collect(),
        }
    }

    /// Builds the document of drift.
    pub(super) fn of_drift(target: &'plan str, drift: &'plan DriftReport) -> Self {
        let DriftReport { drift: fields, gone, deleted_by, unseen, note } = drift;
        let mut sections = Sections::new(target);
        sections.add(Topic::Drift, Content::Kinds(of_drift(fields)));
        let deleted = |key: &Key| named(key) + &changed_by(deleted_by.get(key), "deleted");
        sections.add(Topic::Deleted, Content::Lines(gone.iter().map(deleted).collect()));
        sections.add(Topic::NotCompared, messages(unseen));
        sections.add(Topic::Notes, Content::Lines(note.iter().map(|note| printable(note).into_owned()).collect()));
        let sections = sections.in_order();
        let lead = sections.is_empty().then(|| Lead::new(Tone::Neutral, format!("No drift: {target} has not changed since the last run.")));
        Self { title: target.to_owned(), lead, sections, ..Self::default() }
    }
}

/// Returns the notes of a plan, and the unmatched mapping rules that protect nothing.
fn notes(plan: &Plan) -> Vec<String> {
    let rules = plan.mapping.iter().flat_map(|mapping| &mapping.unmatched).filter(|rule| !rule.is_protective);
    let rules = rules.map(|rule| printable(&rule.to_string()).into_owned());
    plan.notes.iter().map(|note| printable(note).into_owned()).chain(rules).collect()
}

/// Returns the title of every report about a plan.
pub(super) fn title(plan: &Plan) -> String {
    format!("{} → {}", plan.restores().unwrap_or(&plan.source.tenant), plan.target.tenant)
}

/// Returns the unmanaged resources as content.
pub(super) fn unmanaged(plan: &Plan) -> Content<'_> {
    Content::Keys(plan.unmanaged.iter().map(|(kind, keys)| (kind.as_str(), keys.iter().collect())).collect())
}

fn lead(plan: &Plan, refusals: &[Refusal]) -> Lead {
    let is_within_a_tenant = plan.source.tenant == plan.target.tenant && plan.restores().is_none();
    let text = match (plan.is_empty(), &plan.undoes) {
        (true, _) if is_within_a_tenant => format!("{} already has these values.", plan.target.tenant),
        (true, _) => up_to_date(plan),
        (false, _) => format!("Plan  {}", if is_within_a_tenant { plan.target.tenant.clone() } else { title(plan) }),
    };
    let is_idle = plan.is_empty() && (is_within_a_tenant || refusals.is_empty());
    Lead { is_idle, ..Lead::new(Tone::Neutral, text) }
}

/// Returns why a plan between two tenants has no changes.
fn up_to_date(plan: &Plan) -> String {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let except = if plan.skipped.is_empty() { "" } else { ", except for what is skipped" };
    if let Some(snapshot) = plan.restores() {
        return format!("{target} is equal to {snapshot}{except}: {} unchanged.", count(plan.counts().unchanged, "resource"));
    }
    let Some(undoes) = &plan.undoes else {
        let unchanged = count(plan.counts().unchanged, "resource");
        let is_mapped = plan.mapping.as_ref().is_some_and(|mapping| mapping.rules > 0);
        let mapped = if is_mapped { ", as mapped" } else { "" };
        return format!("{target} is up to date with {source}{mapped}{except}: {unchanged} unchanged.");
    };
    let of = if undoes.only.is_empty() { String::new() } else { format!(" to {}", printable(&undoes.only.join(", "))) };
    format!("{target} no longer has anything that {} wrote{of}{except}.", undoes.run)
}

/// Returns the counts that replace the lists of an empty plan.
fn remainder(plan: &Plan) -> String {
    let unmanaged: usize = if plan.restores().is_some() { 0 } else { plan.unmanaged.values().map(Vec::len).sum() };
    let unknown: usize = plan.unknown.values().map(Vec::len).sum();
    let counts = [
        (plan.excluded.len(), format!("{} excluded", number(plan.excluded.len()))),
        (unmanaged, format!("{} unmanaged in {}", number(unmanaged), plan.target.tenant)),
        (unknown, count(unknown, "unknown field")),
    ];
    let parts: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    if parts.is_empty() { String::new() } else { format!("({}; `--output json` lists them)", parts.join(", ")) }
}
