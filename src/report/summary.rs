//! How a run ended, in the past tense: first what state the target is in, then what went wrong.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::format::{count, duration, enumeration, named, number, printable};
use super::sections::{Remark, by_hand, first, remarks, section};
use super::style::{ADDED, CHANGED, QUIET, REMOVED, painted};
use super::values::both;
use crate::apply::{AlteredValue, ChangeResult, GeneratedSecret, OutcomeCounts, SecretDisposition, Summary};
use crate::catalog::{Catalog, Kind, Shape};
use crate::model::event::{Operation, Outcome};
use crate::model::resource::Key;
use crate::plan::{Change, Plan, parse_element_part};

/// The title of what the target took and answered otherwise.
pub(super) const DIFFERS: &str = "Answered otherwise than sent";
/// Characters shown of a value that was answered otherwise.
const MOST_OF_A_VALUE: usize = 60;
/// Rules shown that accept what was refused.
const MOST_RULES: usize = 10;

/// What a run cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// How long it took.
    pub took: Duration,
    /// Requests that were answered, or broke.
    pub requests: usize,
    /// How much of the time went by waiting for the rate limit.
    pub waited: Duration,
}

/// A run that ended: what was meant, what came of it, what it cost and where it left its files.
#[derive(Debug, Clone, Copy)]
pub struct EndedRun<'run> {
    /// What was meant.
    pub plan: &'run Plan,
    /// What came of it.
    pub summary: &'run Summary,
    /// What it cost; nothing of a run that is long over.
    pub effort: Effort,
    /// The run's folder.
    pub folder: &'run Path,
    /// The command that goes on with it.
    pub resume: &'run str,
}

impl<'run> EndedRun<'run> {
    /// Returns the changes that were not reached, in the plan's order.
    pub(super) fn unsent(&self) -> Vec<&'run Change> {
        let mut settled: HashMap<(&Key, Operation), usize> = HashMap::new();
        for one in &self.summary.settled {
            *settled.entry((&one.key, one.operation)).or_default() += 1;
        }
        let mut is_settled = |change: &&'run Change| {
            let left = settled.get_mut(&(&change.key, change.operation())).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        };
        self.plan.changes().filter(|change| !is_settled(change)).collect()
    }
}

/// Returns what state a summary leaves the target in: `applied 14 of 212 changes; 1 was refused and 197 were not sent`.
pub fn state(summary: &Summary) -> String {
    state_since(summary, 0)
}

/// Returns the same of a run that was gone on with, of which so many changes were in the target before: `applied 14 more of its 212 changes; ..`.
pub(super) fn state_since(summary: &Summary, earlier: usize) -> String {
    let OutcomeCounts { applied, partial, failed, skipped, unknown, unsent } = summary.tally();
    let total = summary.settled.len() + unsent;
    let done = match (earlier, summary.is_whole()) {
        (0, true) => format!("applied {}", count(total, "change")),
        (0, false) => format!("applied {} of {}", number(applied), count(total, "change")),
        (_, _) => format!("applied {} more of its {}", number(applied.saturating_sub(earlier)), count(total, "change")),
    };
    if summary.is_whole() {
        return done;
    }
    let said =
        |count: usize, one: &str, many: &str| (count > 0).then(|| format!("{} {}", number(count), if count == 1 { one } else { many }));
    let parts = [
        said(partial, "was applied in part", "were applied in part"),
        said(failed, "was refused", "were refused"),
        said(unknown, "is in doubt", "are in doubt"),
        said(skipped, "was skipped", "were skipped"),
        said(unsent, "was not sent", "were not sent"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{done}; {}", enumeration(&parts))
}

/// Returns how a run ended, as styled text.
pub fn summary(run: &EndedRun<'_>) -> String {
    summary_with(run, next(run))
}

/// Returns the same with another word on what is to be done about what the run left.
pub(super) fn summary_with<'run>(run: &EndedRun<'run>, next: Option<String>) -> String {
    let mut blocks = vec![heading(run)];
    blocks.extend(troubles(run.summary));
    blocks.extend(section("To accept what was refused for good, add to the mapping", accepting(run.summary)));
    blocks.extend(section(DIFFERS, first(differing(run.summary).iter())));
    blocks.extend(section("Left out", remarks(run.plan.skipped.iter().map(Remark::from))));
    let kept = run.summary.made.iter().filter(|made| made.fate == SecretDisposition::Kept);
    let remark = |made: &'run GeneratedSecret| Remark { key: &made.key, operation: None, path: None, reason: made.path };
    blocks.extend(section("New secrets that were kept (--secrets-to)", remarks(kept.map(remark))));
    blocks.extend(by_hand(run.due_in_short().iter()));
    blocks.extend(next);
    blocks.push(painted(QUIET, format!("The run's files are in {}", run.folder.display())));
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

/// Returns the sections of what did not end well.
pub(super) fn troubles(summary: &Summary) -> impl Iterator<Item = String> {
    let of = |title: &str, message: fn(&Outcome) -> Option<&str>| {
        let found = summary.settled.iter().filter_map(|one| message(&one.outcome).map(|reason| (one, reason)));
        let remark = found.map(|(one, reason)| Remark { key: &one.key, operation: Some(one.operation), path: None, reason });
        section(title, remarks(remark))
    };
    let sections = [
        of("Refused by the tenant", |outcome| if let Outcome::Failed(message) = outcome { Some(message) } else { None }),
        of("Applied in part", |outcome| if let Outcome::Partial(_, short) = outcome { Some(&short.message) } else { None }),
        of("In doubt: sent, and what became of it is not known", |outcome| {
            if let Outcome::Unknown(message) = outcome { Some(message) } else { None }
        }),
        of("Skipped", |outcome| if let Outcome::Skipped(message) = outcome { Some(message) } else { None }),
    ];
    sections.into_iter().flatten()
}

/// Returns what the target made of values that it took, a line each.
pub(super) fn differing(summary: &Summary) -> Vec<String> {
    let line = |(settled, altered): (&ChangeResult, &AlteredValue)| {
        let (sent, answered) = both(altered.sent.as_ref(), altered.answered.as_ref(), MOST_OF_A_VALUE);
        format!("{}: {} was sent as {sent} and answered as {answered}", named(&settled.key), printable(&altered.path))
    };
    summary.altered().map(line).collect()
}

/// Returns the rules that accept what was refused, as lines of a mapping.
fn accepting(summary: &Summary) -> Vec<String> {
    let (mut rules, mut seen) = (Vec::new(), HashSet::new());
    for one in &summary.settled {
        for part in one.outcome.shortfall().into_iter().flat_map(|short| &short.parts) {
            let rule = rule(&one.key, part);
            if seen.insert(rule.clone()) {
                rules.push(rule);
            }
        }
    }
    let more = rules.len().saturating_sub(MOST_RULES);
    let rest = (more > 0).then(|| painted(QUIET, format!("… {} more", number(more))));
    let lines = rules.iter().take(MOST_RULES).flat_map(|rule| std::iter::once("[[rule]]".to_owned()).chain(rule.iter().cloned()));
    lines.map(|line| printable(&line).into_owned()).chain(rest).collect()
}

/// Returns what a rule says that accepts that a part is refused.
fn rule(key: &Key, part: &str) -> [String; 3] {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let matches = format!("match = {}", quoted(&glob::Pattern::escape(&key.to_string())));
    let list = Catalog::standard().kind(key.kind()).filter(|kind| matches!(kind.shape, Shape::Child { .. })).map(Kind::elements);
    match (list, parse_element_part(part)) {
        (Some(list), _) => [matches, format!("field = {}", quoted(list)), "keep = true".to_owned()],
        (None, Some((path, Value::String(element)))) => {
            [matches, format!("field = {}", quoted(&format!("{path}[]"))), format!("remove = {}", quoted(&element))]
        }
        (None, _) => [matches, format!("field = {}", quoted(part)), "keep = true".to_owned()],
    }
}

/// Returns how an interrupted run goes on; one that was refused something would be refused it again.
pub(super) fn next(run: &EndedRun<'_>) -> Option<String> {
    let OutcomeCounts { unknown, unsent, .. } = run.summary.tally();
    let (target, resume) = (&run.plan.target.tenant, run.resume);
    match (run.summary.is_silent, unknown + unsent) {
        (true, _) => Some(format!("{target} stopped answering. When it does again:  {resume}")),
        (false, 0) => None,
        (false, _) => Some(format!("To go on with this run:  {resume}")),
    }
}

/// Returns the first line, which says what the target holds now and what that cost.
pub(super) fn heading_text(run: &EndedRun<'_>) -> String {
    let target = &run.plan.target.tenant;
    let Effort { took, requests, waited } = run.effort;
    let wait = if waited.as_millis() == 0 { String::new() } else { format!(", waited {} for the rate limit", duration(waited)) };
    let is_known = run.effort != Effort::default();
    let cost = if is_known { format!(" in {} ({}{wait})", duration(took), count(requests, "request")) } else { String::new() };
    let state = state(run.summary).replacen("applied", "Applied", 1);
    match state.split_once("; ") {
        Some((applied, rest)) => format!("{applied} to {target}{cost}; {rest}."),
        None => format!("{state} to {target}{cost}."),
    }
}

fn heading(run: &EndedRun<'_>) -> String {
    let OutcomeCounts { failed, .. } = run.summary.tally();
    let style = match (run.summary.is_whole(), failed) {
        (true, _) => ADDED,
        (false, 0) => CHANGED,
        (false, _) => REMOVED,
    };
    painted(style, heading_text(run))
}
