//! What a plan says, in the future tense, and what drift says.

use super::document::{Closing, Content, Document, Lead, Sections, Tone, Topic, fields, messages};
use super::due_steps::DueStep;
use super::format::{count, named, number, printable};
use crate::plan::refusal::Refusal;
use crate::plan::{Change, Counts, DriftReport, Plan};

/// Returns a plan as styled text; `next` is the command to run next, or nothing.
pub(crate) fn plan(plan: &Plan, refusals: &[Refusal], next: &str) -> String {
    Document::of_plan(plan, refusals, next).to_text()
}

/// Returns what changed in a target by itself, what it lost and what could not be compared, as styled text.
pub(crate) fn drift(target: &str, drift: &DriftReport) -> String {
    Document::of_drift(target, drift).to_text()
}

impl<'plan> Document<'plan> {
    /// Returns what a plan would do, why it is refused, and the command to run next, or nothing.
    pub(super) fn of_plan(plan: &'plan Plan, refusals: &'plan [Refusal], next: &str) -> Self {
        let mut sections = Sections::new(&plan.target.tenant);
        for (title, changes) in stages(plan) {
            sections.add_stage(title, changes);
        }
        sections.add(Topic::Skipped, messages(&plan.skipped));
        sections.add(Topic::Conflicts, Content::Conflicts(plan));
        sections.add(Topic::Drift, Content::Drift(&plan.drift));
        sections.add(Topic::ManualSteps, Content::Steps(plan.manual_steps.iter().map(DueStep::from).collect()));
        if plan.is_empty() {
            // A plan that does nothing is no occasion to list what is no part of it.
            sections.add(Topic::Remainder, Content::Line(remainder(plan)));
        } else {
            sections.add(Topic::Excluded, messages(&plan.excluded));
            sections.add(Topic::Unmanaged, unmanaged(plan));
            sections.add(Topic::UnknownFields, fields(&plan.unknown));
        }
        sections.add(Topic::Notes, Content::Notes(&plan.notes));
        let next = (!next.is_empty()).then(|| Closing::Next(next.to_owned()));
        Self {
            title: title(plan),
            lead: Some(lead(plan, refusals)),
            facts: Vec::new(),
            sections: sections.in_order(),
            closing: refusals.iter().map(Closing::Refusal).chain(next).collect(),
        }
    }

    /// Returns what changed in a target since the last run.
    fn of_drift(target: &'plan str, drift: &'plan DriftReport) -> Self {
        let DriftReport { drift: fields, gone, unseen } = drift;
        let mut sections = Sections::new(target);
        sections.add(Topic::Drift, Content::Drift(fields));
        sections.add(Topic::Deleted, Content::Lines(gone.iter().map(named).collect()));
        sections.add(Topic::NotCompared, messages(unseen));
        let sections = sections.in_order();
        let lead = sections.is_empty().then(|| Lead::new(Tone::Neutral, format!("No drift: {target} is as the last run left it.")));
        Self { title: target.to_owned(), lead, sections, ..Self::default() }
    }
}

/// Returns the title of every report about a plan.
pub(super) fn title(plan: &Plan) -> String {
    format!("{} -> {}", plan.source.tenant, plan.target.tenant)
}

/// Returns what only the target has.
pub(super) fn unmanaged(plan: &Plan) -> Content<'_> {
    Content::Keys(plan.unmanaged.iter().map(|(kind, keys)| (kind.as_str(), keys.iter().collect())).collect())
}

/// Returns the changes by stage; stages of one title that follow each other are one.
fn stages(plan: &Plan) -> Vec<(&str, Vec<&Change>)> {
    let mut stages: Vec<(&str, Vec<&Change>)> = Vec::new();
    for stage in &plan.stages {
        match stages.last_mut() {
            Some((title, changes)) if *title == stage.title => changes.extend(&stage.changes),
            _ => stages.push((&stage.title, stage.changes.iter().collect())),
        }
    }
    stages
}

fn lead(plan: &Plan, refusals: &[Refusal]) -> Lead {
    let is_within_a_tenant = plan.source.tenant == plan.target.tenant;
    let text = match (plan.is_empty(), &plan.undoes) {
        (true, _) if is_within_a_tenant => format!("{} already has these values.", plan.target.tenant),
        (true, _) => up_to_date(plan),
        (false, _) if is_within_a_tenant => format!("{}: {} to update", plan.target.tenant, number(plan.counts().updates)),
        (false, _) => format!("{}: {}", title(plan), planned(plan.counts())),
    };
    let is_idle = plan.is_empty() && (is_within_a_tenant || refusals.is_empty());
    Lead { is_idle, is_repeated: !plan.is_empty(), ..Lead::new(Tone::Neutral, text) }
}

fn planned(counts: Counts) -> String {
    let Counts { creates, updates, deletions, unchanged } = counts;
    let deleted = if deletions > 0 { format!("{} to delete, ", number(deletions)) } else { String::new() };
    format!("{} to create, {} to update, {deleted}{} unchanged", number(creates), number(updates), number(unchanged))
}

/// Returns why a plan between two tenants has no changes.
fn up_to_date(plan: &Plan) -> String {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let except = if plan.skipped.is_empty() { "" } else { ", except for what is skipped" };
    let Some(undoes) = &plan.undoes else {
        let unchanged = count(plan.counts().unchanged, "resource");
        return format!("{target} is up to date with {source}{except}: {unchanged} unchanged.");
    };
    let of = if undoes.only.is_empty() { String::new() } else { format!(" to {}", printable(&undoes.only.join(", "))) };
    format!("{target} no longer has anything that {} wrote{of}{except}.", undoes.run)
}

/// Returns how much there is that an empty plan does not list.
fn remainder(plan: &Plan) -> String {
    let unmanaged: usize = plan.unmanaged.values().map(Vec::len).sum();
    let unknown: usize = plan.unknown.values().map(Vec::len).sum();
    let counts = [
        (plan.excluded.len(), format!("{} excluded", number(plan.excluded.len()))),
        (unmanaged, format!("{} unmanaged in {}", number(unmanaged), plan.target.tenant)),
        (unknown, count(unknown, "unknown field")),
    ];
    let parts: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    if parts.is_empty() { String::new() } else { format!("({}; `--output json` lists them)", parts.join(", ")) }
}
