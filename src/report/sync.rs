//! The result of a sync: one line for people, one JSON object for programs, and whether it is worth reporting.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::format::{count, duration, number, printable};
use super::json::{AlteredFields, ErrorFields, altered, answer};
use super::plan_document::PlanView;
use super::probe_view::ProbeFields;
use super::report_subject::ReportSubject;
use super::run_report::{RunReport, RunState};
use crate::apply::OutcomeCounts;
use crate::model::changed_by::ChangedBy;
use crate::plan::{Conflict, Drift, FullReadCause, Plan, PlannedReading, PlannedTenant, Skipped};

/// The result of one `migrate sync`.
#[derive(Debug)]
pub(crate) struct SyncReport<'a> {
    /// The name of the source.
    pub(crate) source: &'a str,
    /// The name of the target.
    pub(crate) target: &'a str,
    /// When it started: RFC 3339, UTC.
    pub(crate) began: &'a str,
    /// When it ended: RFC 3339, UTC.
    pub(crate) ended: &'a str,
    /// The interrupted run that it resumed.
    pub(crate) resumed: Option<Resumed<'a>>,
    /// The plan, if one was made.
    pub(crate) plan: Option<&'a Plan>,
    /// The run, if there was anything to do.
    pub(crate) run: Option<RunReport<'a>>,
    /// Whether drifted fields were to be kept.
    pub(crate) keeps_drift: bool,
    /// The limit or the signal that ended it, as text.
    pub(crate) limit: Option<&'a str>,
    /// The error, if it failed.
    pub(crate) failure: Option<ErrorFields>,
    /// The exit code of the command.
    pub(crate) exit: u8,
}

/// An interrupted run that a sync resumed. Changes with unknown outcomes were looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resumed<'a> {
    /// The whole run, including what was applied before the resume.
    pub(crate) run: RunReport<'a>,
    /// The number of changes that were applied before.
    pub(crate) earlier: usize,
}

impl Resumed<'_> {
    /// Describes how far the run got.
    fn line(&self) -> String {
        let OutcomeCounts { applied, unknown, .. } = self.run.summary.tally();
        let total = count(self.run.plan.changes().count(), "change");
        let unknown = if unknown > 0 { format!(", {} with unknown outcome", number(unknown)) } else { String::new() };
        format!("an earlier run was interrupted after {} of {total}{unknown}", number(applied))
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SyncFields<'a> {
    source: &'a str,
    target: &'a str,
    began: &'a str,
    ended: &'a str,
    text: String,
    runs: Vec<SyncRunFields<'a>>,
    skipped: &'a [Skipped],
    drift: &'a [Drift],
    conflicts: &'a [Conflict],
    notes: &'a [String],
    #[serde(skip_serializing_if = "ReadingFields::is_empty")]
    reading: ReadingFields<'a>,
    limit: Option<&'a str>,
    #[serde(flatten)]
    failure: ErrorFields,
}

/// How an incremental sync read its tenants.
#[derive(Default, Serialize, JsonSchema)]
struct ReadingFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a PlannedReading>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a PlannedReading>,
}

impl<'a> ReadingFields<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self { source: plan.source.reading.as_ref(), target: plan.target.reading.as_ref() }
    }

    fn is_empty(&self) -> bool {
        self.source.is_none() && self.target.is_none()
    }
}

/// A run of a sync; `counts` are the changes of this sync, and `earlier` is the number of changes applied before.
#[derive(Serialize, JsonSchema)]
struct SyncRunFields<'a> {
    run: &'a Path,
    resumed: bool,
    earlier: usize,
    state: String,
    counts: OutcomeCounts,
    seconds: u64,
    requests: usize,
    waited_seconds: u64,
    secrets_lost: usize,
    differs: Vec<AlteredFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeFields<'a>>,
}

impl<'a> SyncRunFields<'a> {
    /// Returns the fields for one run; `earlier` is the number of changes applied before, if it was resumed.
    fn new(run: &RunReport<'a>, earlier: Option<usize>) -> Self {
        let done_before = earlier.unwrap_or_default();
        let tally = run.summary.tally();
        Self {
            run: run.folder,
            resumed: earlier.is_some(),
            earlier: done_before,
            state: RunState::since(run.summary, done_before).to_string(),
            counts: OutcomeCounts { applied: tally.applied.saturating_sub(done_before), ..tally },
            seconds: run.cost.took.as_secs(),
            requests: run.cost.requests,
            waited_seconds: run.cost.waited.as_secs(),
            secrets_lost: run.summary.lost_secrets(),
            differs: altered(run.summary),
            probe: run.probe.as_ref().map(ProbeFields::from),
        }
    }
}

impl<'a> SyncReport<'a> {
    /// Returns what its report is about: the run, or the plan if nothing was written.
    pub(crate) fn subject(&self) -> Option<ReportSubject<'a>> {
        let plan = || self.plan.map(|plan| ReportSubject::Plan(PlanView::new(plan, &[])));
        self.run.map(ReportSubject::Run).or_else(plan)
    }

    /// Returns the result as one line.
    pub(crate) fn line(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.runs().filter_map(|(run, _)| run.probe.as_ref()?.short_alarm()));
        parts.extend(self.resumed.iter().map(Resumed::line));
        parts.extend(self.run.iter().map(applied));
        parts.extend(self.plan.into_iter().flat_map(|plan| self.planned(plan)));
        let lost: usize = self.runs().map(|(run, _)| run.summary.lost_secrets()).sum();
        parts.extend((lost > 0).then(|| format!("{} not stored", count(lost, "new secret"))));
        let differs: usize = self.runs().map(|(run, _)| run.summary.altered().count()).sum();
        parts.extend((differs > 0).then(|| format!("{} returned differently than sent", count(differs, "value"))));
        parts.extend(self.limit.map(|limit| format!("{limit}; the next sync applies the rest")));
        parts.extend(self.failure.as_ref().map(failed));
        printable(&format!("{} -> {}: {}", self.source, self.target, parts.join("; "))).into_owned()
    }

    /// Returns the parts of the line that concern the plan.
    fn planned(&self, plan: &Plan) -> Vec<String> {
        let is_idle = self.run.is_none() && self.failure.is_none();
        let idle = if self.resumed.is_some() { "nothing more to apply" } else { "nothing to apply" };
        let is_kept = !plan.drift.is_empty() && self.keeps_drift && self.failure.is_none();
        let kept = || format!("{} changed in {} kept", count(plan.drift.len(), "field"), self.target);
        let unexpected = [&plan.source, &plan.target].into_iter().filter_map(read_completely);
        is_idle.then(|| idle.to_owned()).into_iter().chain(skipped(plan)).chain(is_kept.then(kept)).chain(unexpected).collect()
    }

    /// Returns the result as JSON.
    pub(crate) fn json(&self) -> Value {
        let plan = self.plan;
        let fields = SyncFields {
            source: self.source,
            target: self.target,
            began: self.began,
            ended: self.ended,
            text: self.line(),
            runs: self.runs().map(|(run, earlier)| SyncRunFields::new(run, earlier)).collect(),
            skipped: plan.map_or(&[], |plan| &plan.skipped),
            drift: plan.map_or(&[], |plan| &plan.drift),
            conflicts: plan.map_or(&[], |plan| &plan.conflicts),
            notes: plan.map_or(&[], |plan| &plan.notes),
            reading: plan.map(ReadingFields::of).unwrap_or_default(),
            limit: self.limit,
            failure: self.failure.clone().unwrap_or_default(),
        };
        answer(&fields, self.exit)
    }

    /// Returns the runs; for the resumed one, also the number of changes applied before.
    fn runs(&self) -> impl Iterator<Item = (&RunReport<'_>, Option<usize>)> {
        let resumed = self.resumed.iter().map(|resumed| (&resumed.run, Some(resumed.earlier)));
        resumed.chain(self.run.iter().map(|run| (run, None)))
    }

    /// Returns whether the result is worth reporting, given that of the previous sync.
    ///
    /// Skipped resources and drift are reported once, not after every sync.
    pub(crate) fn is_news(&self, before: Option<&Value>) -> bool {
        if self.resumed.is_some() || self.run.is_some() || self.limit.is_some() || self.failure.is_some() {
            return true;
        }
        let now = self.json();
        // A failed sync reported only its failure, and neither skipped resources nor drift.
        let before = before.filter(|before| before["error"].is_null());
        let list = |of: Option<&Value>, name: &str| -> Vec<Value> {
            of.and_then(|of| of[name].as_array()).into_iter().flatten().map(without_author).collect()
        };
        let readings = |of: Option<&Value>| ["source", "target"].map(|side| of.and_then(|of| unexpected_cause(&of["reading"][side])));
        readings(before) != readings(Some(&now))
            || ["skipped", "drift"].into_iter().any(|name| list(before, name) != list(Some(&now), name))
    }
}

/// Describes why a tenant was read completely, unless that belongs to normal operation.
fn read_completely(side: &PlannedTenant) -> Option<String> {
    let (_, reason) = side.reading.as_ref()?.unexpected()?;
    Some(format!("{} was read completely: {reason}", side.tenant))
}

/// Returns why a tenant was read completely, unless that belongs to normal operation.
fn unexpected_cause(reading: &Value) -> Option<FullReadCause> {
    PlannedReading::deserialize(reading).ok()?.unexpected().map(|(cause, _)| cause)
}

/// Returns an entry without who changed it: that the log knows it later, or no longer, is no news.
fn without_author(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let by = entry.as_object_mut().and_then(|fields| fields.remove("changed_by"));
    let by = by.and_then(|by| serde_json::from_value::<ChangedBy>(by).ok());
    let reason = by.and_then(|by| Some(entry["reason"].as_str()?.strip_suffix(&format!("{by})"))?.rsplit_once(" (")?.0.to_owned()));
    if let Some(reason) = reason {
        entry["reason"] = reason.into();
    }
    entry
}

/// Describes what a run applied and its cost.
fn applied(run: &RunReport<'_>) -> String {
    let state = RunState::new(run.summary);
    let others = state.others().map(|others| format!("; {others}")).unwrap_or_default();
    format!("applied {} in {} ({}){others}", state.applied(), duration(run.cost.took), count(run.cost.requests, "request"))
}

/// Returns the number of skipped resources and the first names.
fn skipped(plan: &Plan) -> Option<String> {
    const NAMED: usize = 3;
    let names: Vec<String> = plan.skipped.iter().take(NAMED).map(|skipped| skipped.key.to_string()).collect();
    let more = if plan.skipped.len() > NAMED { ", .." } else { "" };
    (!names.is_empty()).then(|| format!("{} skipped ({}{more})", number(plan.skipped.len()), names.join(", ")))
}

/// Formats a failure for a line: the error, its causes, the hint, and what was written.
fn failed(ErrorFields { error, causes, hint, state, .. }: &ErrorFields) -> String {
    let texts = error.iter().chain(causes).chain(hint).chain(state);
    texts.map(|text| text.lines().next().unwrap_or_default()).collect::<Vec<_>>().join("; ")
}

/// Returns a line without mentions and links, whatever names it contains.
///
/// Slack begins both with `<`, which is escaped as it asks for ("Formatting text for app surfaces"). Similar chats
/// mention with `@` and link with `[text](address)`; a zero-width space breaks both.
fn in_chat(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('@', "@\u{200b}").replace("](", "]\u{200b}(")
}

/// Returns the message for a chat, in the form that the service at this host accepts.
///
/// Slack's incoming webhooks accept `text` (Slack's "Sending messages using incoming webhooks"), as do compatible services. Workflows of
/// Teams accept nothing but an adaptive card in a message ("Create Incoming Webhooks with Workflows for Microsoft Teams").
pub(crate) fn chat(host: &str, line: &str) -> Value {
    const WORKFLOWS: [&str; 3] = [".logic.azure.com", ".powerplatform.com", ".webhook.office.com"];
    if !WORKFLOWS.iter().any(|end| host.ends_with(end)) {
        return json!({"text": in_chat(line)});
    }
    let card = json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        // The text of a TextRun is plain; that of a TextBlock is Markdown.
        "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}],
    });
    json!({
        "type": "message",
        "text": in_chat(line),
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_sync_that_failed_late_reports_what_was_written() {
        let failure = ErrorFields {
            error: Some("the run can no longer be recorded".into()),
            causes: vec!["No space left on device".into()],
            hint: Some("free some room".into()),
            state: Some("applied 3 of 5 changes; 2 not sent".into()),
        };
        let sync = SyncReport {
            source: "dev",
            target: "prod",
            began: "2026-11-25T02:30:00Z",
            ended: "2026-11-25T02:31:00Z",
            resumed: None,
            plan: None,
            run: None,
            keeps_drift: true,
            limit: None,
            failure: Some(failure),
            exit: 1,
        };
        let line = "dev -> prod: the run can no longer be recorded; No space left on device; free some room; \
                    applied 3 of 5 changes; 2 not sent";
        assert_eq!(sync.line(), line);
    }

    #[test]
    fn names_in_chat_contain_no_mentions_and_links() {
        let line = "1 left out (hooks/<!channel> <https://evil|all is well> @here [fine](https://evil) &lt;)";
        let sent = "1 left out (hooks/&lt;!channel> &lt;https://evil|all is well> @\u{200b}here [fine]\u{200b}(https://evil) &amp;lt;)";
        assert_eq!(chat("hooks.slack.com", line), json!({"text": sent}));
        assert_eq!(chat("prod-12.westeurope.logic.azure.com", line)["text"], sent);
    }

    #[test]
    fn teams_gets_a_card_and_every_other_chat_a_text() {
        for host in ["hooks.slack.com", "chat.example", "logic.azure.com.evil.example"] {
            assert_eq!(chat(host, "dev -> prod: nothing to apply"), json!({"text": "dev -> prod: nothing to apply"}), "{host}");
        }
        let message = chat("prod-12.westeurope.logic.azure.com", "dev -> prod: nothing to apply");
        assert_eq!(message["attachments"][0]["content"]["body"][0]["inlines"][0]["text"], "dev -> prod: nothing to apply");
    }
}
