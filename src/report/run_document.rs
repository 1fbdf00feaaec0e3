//! Builds the document of a run, in the past tense: first the state of the target, then what went wrong.

use super::document::{Closing, Content, Document, Lead, ResourceMessage, Sections, Tone, Topic, fields, messages};
use super::format::{count, duration, number};
use super::head::Head;
use super::ids::ids_table;
use super::kind_changes::{Wording, by_kind, of_changes, of_drift};
use super::mapping_rules::accepting_rules;
use super::plan_document::{title, unmanaged};
use super::probe_view::ProbeView;
use super::run_report::{RunCost, RunReport, RunState};
use crate::apply::{OutcomeCounts, SecretDisposition, Summary, linked_ids};
use crate::model::event::Outcome;
use crate::plan::findings;

/// Returns the one line that an interrupted run ends with: what is applied, what is not sent, and how to resume it.
pub(crate) fn interrupted(run: &RunReport<'_>) -> String {
    format!("Interrupted: {}. {}\n", RunState::new(run.summary), resuming(run.resume))
}

/// Returns the sentence that says how to resume a run.
pub(crate) fn resuming(resume: &str) -> String {
    format!("To resume this run:  {resume}")
}

impl<'run> Document<'run> {
    /// Builds the document of a run, with the next step if there is one.
    pub(super) fn of_run(run: &RunReport<'run>, next: Option<String>) -> Self {
        let RunReport { plan, summary, .. } = *run;
        let mut sections = Sections::new(&plan.target.tenant);
        add_outcomes(&mut sections, summary);
        if let Some(probe) = &run.probe {
            probe.add_to(&mut sections);
        }
        sections.add_to_files(Topic::Unsent, Content::Kinds(of_changes(plan, run.unsent().into_iter(), Wording::Planned)));
        sections.add(Topic::AcceptingRules, Content::Rules(accepting_rules(summary)));
        sections.add(Topic::Skipped, messages(&plan.skipped));
        sections.add_to_files(Topic::Conflicts, Content::Conflicts(plan));
        sections.add_to_files(Topic::Drift, Content::Kinds(of_drift(&plan.drift)));
        sections.add(Topic::StoredSecrets, stored_secrets(summary));
        sections.add(Topic::ManualSteps, Content::Steps(run.due_steps()));
        sections.add_to_files(Topic::Ids, Content::Rows(ids_table(&linked_ids(plan, summary))));
        sections.add_to_files(Topic::Applied, Content::Kinds(of_changes(plan, run.applied().into_iter(), Wording::Applied)));
        sections.add_to_files(Topic::Excluded, messages(&plan.excluded));
        sections.add_to_files(Topic::Unmanaged, unmanaged(plan));
        sections.add_to_files(Topic::UnknownFields, fields(&plan.unknown));
        sections.add_to_files(Topic::Notes, Content::Notes(&plan.notes));
        let files = Closing::Aside(format!("The run's files are in {}", run.folder.display()));
        Self {
            title: title(plan),
            head: None,
            overview: Some(overview(run)),
            lead: Some(lead(run)),
            facts: facts(run),
            sections: sections.in_order(),
            closing: next.map(Closing::Next).into_iter().chain([files]).collect(),
        }
    }
}

/// Returns the changes of a run by outcome, kind and risk.
fn overview(run: &RunReport<'_>) -> Head {
    let OutcomeCounts { applied, partial, failed, unknown, skipped, unsent, .. } = run.summary.tally();
    let kinds = by_kind(run.plan);
    Head {
        sides: Vec::new(),
        risks: findings::count(&findings::findings(run.plan)),
        size: String::new(),
        kinds: kinds.iter().map(|kind| (kind.title, kind.counts)).collect(),
        outcomes: vec![
            ("applied", applied, "applied"),
            ("partial", partial, "partially applied"),
            ("failed", failed, "failed"),
            ("unknown", unknown, "with unknown outcome"),
            ("skipped", skipped, "skipped"),
            ("unsent", unsent, "not sent"),
        ],
        cost: None,
    }
}

/// Adds a section for each kind of unsuccessful outcome, and one for values that were returned differently.
pub(super) fn add_outcomes<'run>(sections: &mut Sections<'run>, summary: &'run Summary) {
    for topic in [Topic::Failed, Topic::Partial, Topic::Unknown, Topic::SkippedChanges] {
        let found = summary.settled.iter().filter(|one| topic_of(&one.outcome) == Some(topic));
        let messages = found.map(|one| ResourceMessage {
            key: &one.key,
            operation: Some(one.operation),
            path: None,
            text: one.outcome.message().unwrap_or_default(),
        });
        sections.add(topic, Content::Messages(messages.collect()));
    }
    sections.add(Topic::Altered, Content::Altered(summary.altered().collect()));
}

/// Returns the topic of changes with this outcome, unless they were successful.
fn topic_of(outcome: &Outcome) -> Option<Topic> {
    match outcome {
        Outcome::Applied(_) => None,
        Outcome::Partial(..) => Some(Topic::Partial),
        Outcome::Failed(_) => Some(Topic::Failed),
        Outcome::Skipped(_) => Some(Topic::SkippedChanges),
        Outcome::Unknown(_) => Some(Topic::Unknown),
    }
}

fn stored_secrets(summary: &Summary) -> Content<'_> {
    let stored = summary.made.iter().filter(|made| made.disposition == SecretDisposition::Kept);
    let messages = stored.map(|made| ResourceMessage { key: &made.key, operation: None, path: None, text: made.path });
    Content::Messages(messages.collect())
}

/// Returns the next step after a run. Resuming would not help with refusals, which would only be repeated.
pub(super) fn next_step(run: &RunReport<'_>) -> Option<String> {
    let OutcomeCounts { unknown, unsent, .. } = run.summary.tally();
    let (target, resume) = (&run.plan.target.tenant, run.resume);
    match (run.summary.is_silent, unknown + unsent) {
        (true, _) => Some(format!("{target} stopped responding. Once it responds again:  {resume}")),
        (false, 0) => None,
        (false, _) => Some(resuming(resume)),
    }
}

/// Returns the lead: what was applied, and the cost.
fn lead(run: &RunReport<'_>) -> Lead {
    let state = RunState::new(run.summary);
    let others = state.others().map(|others| format!("; {others}")).unwrap_or_default();
    let text = format!("Applied {} to {}{}{others}.", state.applied(), run.plan.target.tenant, cost(run.cost));
    let alarm = run.probe.as_ref().and_then(ProbeView::alarm);
    let tone = match (run.summary.is_whole(), run.summary.tally().failed) {
        _ if alarm.is_some() => Tone::Bad,
        (true, _) => Tone::Good,
        (false, 0) => Tone::Pending,
        (false, _) => Tone::Bad,
    };
    Lead::new(tone, alarm.map_or(text.clone(), |alarm| format!("{alarm} {text}")))
}

fn cost(cost: RunCost) -> String {
    if cost == RunCost::default() {
        return String::new();
    }
    let RunCost { took, requests, waited } = cost;
    let wait = if waited.as_millis() == 0 { String::new() } else { format!(", waited {} for the rate limit", duration(waited)) };
    format!(" in {} ({}{wait})", duration(took), count(requests, "request"))
}

fn facts(run: &RunReport<'_>) -> Vec<(&'static str, String)> {
    let plan = run.plan;
    vec![
        ("source", format!("{} ({}), read {}", plan.source.tenant, plan.source.domain, plan.source.taken)),
        ("target", format!("{} ({}), read {}", plan.target.tenant, plan.target.domain, plan.target.taken)),
        ("took", duration(run.cost.took)),
        ("requests", number(run.cost.requests)),
        ("unchanged", number(plan.counts().unchanged)),
        ("run", run.folder.display().to_string()),
    ]
}
