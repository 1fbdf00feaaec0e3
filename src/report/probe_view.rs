//! What the front door answered, as every report needs it: what broke, and what a program gets.

use schemars::JsonSchema;
use serde::Serialize;

use super::format::{count, enumeration, named, printable};
use crate::model::resource::Key;
use crate::probe::{Ask, NotProbed, ProbeAnswer, ProbeReport, ProbeResult, Standing};

/// What the front door answered, and the commands that follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeView<'run> {
    /// The answers.
    pub(crate) report: &'run ProbeReport,
    /// The command that undoes exactly the changes because of which something fails; empty if there is none.
    pub(crate) undo: &'run str,
    /// The command that asks again.
    pub(crate) again: &'run str,
}

impl<'run> ProbeView<'run> {
    /// Returns what worked before the run and fails now: the client or the changed resource, what was asked, and the answer.
    pub(super) fn broken(&self) -> impl Iterator<Item = (&'run Key, String, String)> {
        self.report.with(Standing::Broken).filter_map(|result| {
            let key = result.question.client().or(result.because.first())?;
            Some((key, subject(result), result.after.as_ref().map(answered).unwrap_or_default()))
        })
    }

    /// Returns the fact that comes before everything else, if a run broke something.
    pub(super) fn alarm(&self) -> Option<String> {
        let broken = self.report.with(Standing::Broken).count();
        (broken > 0).then(|| format!("{} that worked before the run {} now.", counted(self.report.with(Standing::Broken)), fail(broken)))
    }

    /// Returns the same for one line: what broke, and the command that undoes it.
    pub(super) fn short_alarm(&self) -> Option<String> {
        let alarm = self.alarm()?;
        let undo = if self.undo.is_empty() { String::new() } else { format!(" (`{}` undoes it)", self.undo) };
        Some(format!("{}{undo}", alarm.trim_end_matches('.')))
    }
}

/// Counts logins and documents: `5 logins and 2 documents`.
pub(super) fn counted<'a>(results: impl Iterator<Item = &'a ProbeResult>) -> String {
    let (logins, documents): (Vec<_>, Vec<_>) = results.partition(|result| result.question.client().is_some());
    let parts = [(logins.len(), "login"), (documents.len(), "document")].into_iter().filter(|(number, _)| *number > 0);
    enumeration(&parts.map(|(number, noun)| count(number, noun)).collect::<Vec<_>>())
}

fn fail(count: usize) -> &'static str {
    if count == 1 { "fails" } else { "fail" }
}

/// Returns what a question is about.
pub(super) fn subject(result: &ProbeResult) -> String {
    let domain = result.question.domain.as_deref();
    let at = domain.map(|domain| format!(" at {}", printable(domain))).unwrap_or_default();
    match &result.question.ask {
        Ask::Discovery => format!("discovery document{at}"),
        Ask::SigningKeys => format!("signing keys{at}"),
        Ask::Login { key, callback, response_type, .. } => {
            format!("{}, {} ({}){at}", named(key), printable(callback), response_type.as_str())
        }
    }
}

pub(super) fn answered(answer: &ProbeAnswer) -> String {
    match answer {
        ProbeAnswer::LoginPage => "leads to the login page".to_owned(),
        ProbeAnswer::IdentityProvider { host } => format!("leads to {}", printable(host)),
        ProbeAnswer::Document => "complete".to_owned(),
        ProbeAnswer::Refused { reason } | ProbeAnswer::Unclear { reason } => printable(reason).into_owned(),
    }
}

/// What the front door answered, for programs.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProbeFields<'a> {
    broken: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    undo: &'a str,
    to_undo: Vec<Key>,
    results: Vec<ProbeResultFields<'a>>,
    not_probed: &'a [NotProbed],
    over: usize,
    requests: usize,
}

#[derive(Serialize, JsonSchema)]
struct ProbeResultFields<'a> {
    standing: &'static str,
    #[serde(flatten)]
    result: &'a ProbeResult,
}

impl<'a> From<&ProbeView<'a>> for ProbeFields<'a> {
    fn from(view: &ProbeView<'a>) -> Self {
        let report = view.report;
        let mut results: Vec<&ProbeResult> = report.results.iter().collect();
        results.sort_by_key(|result| result.standing());
        Self {
            broken: report.with(Standing::Broken).count(),
            undo: view.undo,
            to_undo: report.to_undo().into_iter().collect(),
            results: results.into_iter().map(|result| ProbeResultFields { standing: word(result.standing()), result }).collect(),
            not_probed: &report.not_probed,
            over: report.over,
            requests: report.requests,
        }
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Broken => "broken",
        Standing::Fails => "fails",
        Standing::FailsAsBefore => "fails-as-before",
        Standing::Unclear => "unclear",
        Standing::Repaired => "repaired",
        Standing::Works => "works",
    }
}
