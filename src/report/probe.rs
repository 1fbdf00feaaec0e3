//! Renders what the front door of a tenant answered: first what worked before a run and fails after it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::document::{Content, Document, Fold, Lead, Sections, Tone, Topic};
use super::format::{count, named, number, printable};
use super::json::answer;
use super::layout::Layout;
use super::probe_view::{ProbeFields, ProbeView, answered, counted, subject};
use crate::probe::{NotProbed, ProbeAnswer, ProbeResult, Standing};

/// The number of lines of a list that a terminal shows.
const MOST: usize = 10;

impl ProbeView<'_> {
    /// Adds what the front door answered to the sections of a report.
    pub(super) fn add_to(&self, sections: &mut Sections<'_>) {
        let lines = |standing| self.report.with(standing).map(line).collect::<Vec<String>>();
        let mut broken = lines(Standing::Broken);
        if !broken.is_empty() && !self.undo.is_empty() {
            broken.push(format!("To undo exactly the changes behind this:  {}", self.undo));
        }
        sections.add(Topic::LoginsBroken, Content::Lines(broken));
        sections.add_folded(Topic::LoginsFailing, Content::Lines(lines(Standing::Fails)), Fold::ToLines(MOST));
        sections.add_folded(Topic::LoginsUnclear, Content::Lines(self.unclear()), Fold::ToLines(MOST));
        sections.add_folded(Topic::LoginsRepaired, Content::Lines(lines(Standing::Repaired)), Fold::ToLines(MOST));
        sections.add_folded(Topic::LoginsFailingAsBefore, Content::Lines(lines(Standing::FailsAsBefore)), Fold::ToLines(MOST));
        sections.add_folded(Topic::LoginsNotProbed, Content::Lines(self.not_probed()), Fold::ToLines(MOST));
        sections.add(Topic::Probe, Content::Line(self.summary()));
    }

    /// Returns what proves nothing, by reason: a front door that does not answer is one fact, however many questions there were.
    fn unclear(&self) -> Vec<String> {
        let mut by_reason: BTreeMap<String, Vec<&ProbeResult>> = BTreeMap::new();
        for result in self.report.with(Standing::Unclear) {
            by_reason.entry(unclear_reason(result)).or_default().push(result);
        }
        let lines = by_reason.into_iter().map(|(reason, results)| match results[..] {
            [one] => format!("{}: {reason}", subject(one)),
            _ => format!("{}: {reason}", counted(results.iter().copied())),
        });
        let again = (!self.again.is_empty()).then(|| format!("To ask again:  {}", self.again));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { lines } else { lines.into_iter().chain(again).collect() }
    }

    fn not_probed(&self) -> Vec<String> {
        let line = |left: &NotProbed| {
            let callback = left.callback.as_ref().map(|callback| format!(", {}", printable(callback))).unwrap_or_default();
            format!("{}{callback}: {}", named(&left.key), printable(&left.reason))
        };
        let over = (self.report.over > 0)
            .then(|| format!("{} more: too many to ask for at once; `migrate probe --only` asks for some", number(self.report.over)));
        self.report.not_probed.iter().map(line).chain(over).collect()
    }

    fn summary(&self) -> String {
        let report = self.report;
        if report.results.is_empty() {
            return "No change of this plan could keep anybody from signing in, so the front door was not asked.".to_owned();
        }
        let works = [Standing::Works, Standing::Repaired].into_iter().map(|standing| report.with(standing).count()).sum::<usize>();
        let (probed, asked) = (counted(report.results.iter()), count(report.requests, "request"));
        format!("Probed {probed}: {} of {} work. {asked}, nobody was signed in.", number(works), number(report.results.len()))
    }
}

/// Returns a question with its last answer.
fn line(result: &ProbeResult) -> String {
    let answer = result.after.as_ref().or(result.before.as_ref()).map(answered).unwrap_or_default();
    format!("{}: {answer}", subject(result))
}

/// Returns why a question is not answered.
fn unclear_reason(result: &ProbeResult) -> String {
    let of = |answer: &Option<ProbeAnswer>| match answer {
        Some(ProbeAnswer::Unclear { reason }) => Some(printable(reason).into_owned()),
        _ => None,
    };
    match (of(&result.before), of(&result.after)) {
        (Some(before), Some(after)) if before == after => before,
        (Some(before), _) => format!("before the run: {before}"),
        (None, Some(after)) if result.before.is_some() => format!("after the run: {after}"),
        (None, Some(after)) => after,
        (None, None) => "not asked after the run".to_owned(),
    }
}

/// Renders the answers of a tenant that was probed without a run, or again after one.
pub(crate) fn probed(view: &ProbeView<'_>, target: &str, layout: Layout) -> String {
    let mut sections = Sections::new(target);
    view.add_to(&mut sections);
    let (tone, text) = match (view.alarm(), view.report.fails()) {
        (Some(alarm), _) => (Tone::Bad, alarm),
        (None, true) => (Tone::Bad, format!("Some logins of {target} fail.")),
        (None, false) if view.report.results.is_empty() => (Tone::Neutral, format!("Nothing was asked of {target}.")),
        (None, false) if view.report.with(Standing::Unclear).next().is_some() => {
            (Tone::Pending, format!("It is not certain that all logins of {target} work."))
        }
        (None, false) => (Tone::Good, format!("All probed logins of {target} work.")),
    };
    Document { title: target.to_owned(), lead: Some(Lead::new(tone, text)), sections: sections.in_order(), ..Document::default() }
        .to_text(layout)
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ProbedFields<'a> {
    target: &'a str,
    probe: ProbeFields<'a>,
}

/// Returns the answers of a tenant as JSON.
pub(crate) fn probed_json(view: &ProbeView<'_>, target: &str, exit: u8) -> Value {
    answer(&ProbedFields { target, probe: ProbeFields::from(view) }, exit)
}
