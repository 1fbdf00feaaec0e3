//! How a night went: one line for people, one JSON object for programs, and whether there is anything to tell at all.

use serde_json::{Value, json};

use super::format::{count, duration, number, printable};
use super::json::differs;
use super::summary::{Effort, EndedRun, state, state_since};
use crate::apply::OutcomeCounts;
use crate::plan::Plan;

/// How one `migrate sync` ended.
#[derive(Debug)]
pub struct SyncReport<'night> {
    /// Where the settings came from.
    pub source: &'night str,
    /// Where they went.
    pub target: &'night str,
    /// When it began: RFC 3339, UTC.
    pub began: &'night str,
    /// When it ended: RFC 3339, UTC.
    pub ended: &'night str,
    /// The run of an earlier night that it went on with.
    pub resumed: Option<Resumed<'night>>,
    /// What was planned this night, where it came to that.
    pub plan: Option<&'night Plan>,
    /// The run of this night, where there was anything to do.
    pub run: Option<EndedRun<'night>>,
    /// Whether fields that the target changed by itself were to stay.
    pub keeps_drift: bool,
    /// The limit or the signal that ended it, in words.
    pub limit: Option<&'night str>,
    /// Why it failed: `error`, `causes`, `hint`.
    pub failure: Option<Value>,
    /// The code the command ends with.
    pub exit: u8,
}

/// A run of an earlier night that was cut off; what it left in doubt was looked up.
#[derive(Debug, Clone, Copy)]
pub struct Resumed<'night> {
    /// All of it, what it did before this night included.
    pub run: EndedRun<'night>,
    /// How many of its changes were in the target before this night.
    pub earlier: usize,
}

impl Resumed<'_> {
    /// Returns how far it had come.
    fn told(&self) -> String {
        let OutcomeCounts { applied, unknown, .. } = self.run.summary.tally();
        let came = format!("an earlier run was cut off after {} of {}", number(applied), count(self.run.plan.changes().count(), "change"));
        if unknown > 0 { format!("{came}, and {} still in doubt", count(unknown, "change")) } else { came }
    }
}

impl SyncReport<'_> {
    /// Returns how it went, as one line.
    pub fn line(&self) -> String {
        let mut said = Vec::new();
        said.extend(self.resumed.iter().map(Resumed::told));
        said.extend(self.run.iter().map(did));
        if let Some(plan) = self.plan {
            let is_idle = self.run.is_none() && self.failure.is_none();
            let idle = if self.resumed.is_some() { "nothing more to apply" } else { "nothing to apply" };
            said.extend(is_idle.then(|| idle.to_owned()));
            said.extend(skipped(plan));
            let is_kept = !plan.drift.is_empty() && self.keeps_drift && self.failure.is_none();
            said.extend(is_kept.then(|| format!("{} keeps {} that it changed by itself", self.target, count(plan.drift.len(), "field"))));
        }
        let lost: usize = self.runs().map(|(run, _)| run.summary.lost_secrets()).sum();
        said.extend((lost > 0).then(|| format!("{} not kept", count(lost, "new secret"))));
        let differs: usize = self.runs().map(|(run, _)| run.summary.altered().count()).sum();
        said.extend((differs > 0).then(|| format!("{} answered otherwise than sent", count(differs, "value"))));
        said.extend(self.limit.map(|limit| format!("{limit}, and the next sync does the rest")));
        said.extend(self.failure.as_ref().map(failed));
        printable(&format!("{} -> {}: {}", self.source, self.target, said.join("; "))).into_owned()
    }

    /// Returns how it went, for programs.
    ///
    /// ```text
    /// source target began ended text exit  runs[{run resumed earlier state counts seconds requests waited_seconds secrets_lost differs[]}]  left_out[] drift[] conflicts[] notes[]  limit  error causes[] hint
    /// ```
    ///
    /// The `counts` of a run are this night's; `earlier` is how many of its changes were in the target before.
    pub fn json(&self) -> Value {
        let runs: Vec<Value> = self.runs().map(|(run, earlier)| told(run, earlier)).collect();
        let mut night = json!({
            "source": self.source,
            "target": self.target,
            "began": self.began,
            "ended": self.ended,
            "text": self.line(),
            "runs": runs,
            "skipped": self.plan.map_or(&[][..], |plan| &plan.skipped),
            "drift": self.plan.map_or(&[][..], |plan| &plan.drift),
            "conflicts": self.plan.map_or(&[][..], |plan| &plan.conflicts),
            "notes": self.plan.map_or(&[][..], |plan| &plan.notes),
            "limit": self.limit,
            "error": null, "causes": [], "hint": null,
            "exit": self.exit,
        });
        if let (Value::Object(night), Some(Value::Object(failure))) = (&mut night, &self.failure) {
            night.extend(failure.clone());
        }
        night
    }

    /// Returns the runs of this night, of one that it went on with also how much of it was done before.
    fn runs(&self) -> impl Iterator<Item = (&EndedRun<'_>, Option<usize>)> {
        let resumed = self.resumed.iter().map(|resumed| (&resumed.run, Some(resumed.earlier)));
        resumed.chain(self.run.iter().map(|run| (run, None)))
    }

    /// Returns whether anybody has to hear of it, who knows how the night before went.
    ///
    /// What is left out and what drifted is told once, not every night.
    pub fn is_news(&self, before: Option<&Value>) -> bool {
        if self.resumed.is_some() || self.run.is_some() || self.limit.is_some() || self.failure.is_some() {
            return true;
        }
        let night = self.json();
        let known = |name: &str| before.and_then(|before| before[name].as_array()).map_or(&[][..], Vec::as_slice);
        ["skipped", "drift"].into_iter().any(|name| known(name) != night[name].as_array().map_or(&[][..], Vec::as_slice))
    }
}

/// Returns one run of a night; `earlier` is how much of it was done before, where it was gone on with.
fn told(run: &EndedRun<'_>, earlier: Option<usize>) -> Value {
    let Effort { took, requests, waited } = run.effort;
    let done_before = earlier.unwrap_or_default();
    let tally = run.summary.tally();
    let counts = OutcomeCounts { applied: tally.applied.saturating_sub(done_before), ..tally };
    json!({
        "run": run.folder,
        "resumed": earlier.is_some(),
        "earlier": done_before,
        "state": state_since(run.summary, done_before),
        "counts": counts,
        "seconds": took.as_secs(),
        "requests": requests,
        "waited_seconds": waited.as_secs(),
        "secrets_lost": run.summary.lost_secrets(),
        "differs": differs(run.summary),
    })
}

/// Returns what a run did since so many of its changes were in the target, and what that cost.
fn did(run: &EndedRun<'_>) -> String {
    let cost = format!(" in {} ({})", duration(run.effort.took), count(run.effort.requests, "request"));
    let state = state(run.summary);
    let applied = state.find("; ").unwrap_or(state.len());
    format!("{}{cost}{}", &state[..applied], &state[applied..])
}

/// Returns how much was left out, and the first few by name.
fn skipped(plan: &Plan) -> Option<String> {
    const NAMED: usize = 3;
    let names: Vec<String> = plan.skipped.iter().take(NAMED).map(|left| left.key.to_string()).collect();
    let more = if plan.skipped.len() > NAMED { ", .." } else { "" };
    (!names.is_empty()).then(|| format!("{} left out ({}{more})", number(plan.skipped.len()), names.join(", ")))
}

/// Returns a failure as part of a line: what state things are in, every cause, and what to do.
fn failed(failure: &Value) -> String {
    let text = |value: &Value| value.as_str().map(|text| text.lines().next().unwrap_or_default().to_owned());
    let causes = failure["causes"].as_array().into_iter().flatten().filter_map(text);
    let said: Vec<String> = text(&failure["error"]).into_iter().chain(causes).chain(text(&failure["hint"])).collect();
    said.join("; ")
}

/// Returns a line in which nobody is mentioned and nothing is a link, whatever the names in it say.
///
/// Slack begins both with `<`, which is escaped as it asks for ("Formatting text for app surfaces"). Chats like it mention by `@` and link by
/// `[text](address)`; a blank without width takes each apart.
fn in_chat(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('@', "@\u{200b}").replace("](", "]\u{200b}(")
}

/// Returns what a chat is sent, in the form that the one behind this host takes.
///
/// Slack's incoming webhooks take `text` (Slack's "Sending messages using incoming webhooks"), as do those that speak like them. Workflows
/// of Teams take an adaptive card in a message and nothing else ("Create Incoming Webhooks with Workflows for Microsoft Teams").
pub fn chat(host: &str, line: &str) -> Value {
    const WORKFLOWS: [&str; 3] = [".logic.azure.com", ".powerplatform.com", ".webhook.office.com"];
    if !WORKFLOWS.iter().any(|end| host.ends_with(end)) {
        return json!({"text": in_chat(line)});
    }
    let card = json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        // Its text is text; that of a TextBlock is markdown.
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
    fn a_name_mentions_nobody_and_is_no_link() {
        let line = "1 left out (hooks/<!channel> <https://evil|all is well> @here [fine](https://evil) &lt;)";
        let sent = "1 left out (hooks/&lt;!channel> &lt;https://evil|all is well> @\u{200b}here [fine]\u{200b}(https://evil) &amp;lt;)";
        assert_eq!(chat("hooks.slack.com", line), json!({"text": sent}));
        assert_eq!(chat("prod-12.westeurope.logic.azure.com", line)["text"], sent);
    }

    #[test]
    fn a_workflow_of_teams_is_sent_a_card_and_everybody_else_text() {
        for host in ["hooks.slack.com", "chat.example", "logic.azure.com.evil.example"] {
            assert_eq!(chat(host, "dev -> prod: nothing to apply"), json!({"text": "dev -> prod: nothing to apply"}), "{host}");
        }
        let message = chat("prod-12.westeurope.logic.azure.com", "dev -> prod: nothing to apply");
        assert_eq!(message["attachments"][0]["content"]["body"][0]["inlines"][0]["text"], "dev -> prod: nothing to apply");
    }
}
