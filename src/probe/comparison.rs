//! The answers before and after a run, and what worked before and fails after.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::login::NotProbed;
use super::question::ProbeQuestion;
use super::verdict::ProbeAnswer;
use crate::model::resource::Key;

/// The version of the structure of `probe.json`.
const FORMAT: u32 = 1;

/// What the front door answered before and after a run; without a run, only now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    format: u32,
    /// Every question with its answers.
    pub results: Vec<ProbeResult>,
    /// What was not asked for, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_probed: Vec<NotProbed>,
    /// The number of logins that were not asked for because there are too many.
    #[serde(default)]
    pub over: usize,
    /// The number of requests that were sent.
    #[serde(default)]
    pub requests: usize,
}

/// One question, and the answers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeResult {
    /// The question.
    pub question: ProbeQuestion,
    /// The changed resources because of which it is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Key>,
    /// The answer before the run; `None` if it was not asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ProbeAnswer>,
    /// The answer after the run; `None` if it was not asked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProbeAnswer>,
}

/// What two answers say together, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It worked before and fails now.
    Broken,
    /// It fails now, and was not asked before.
    Fails,
    /// It did not work before either.
    FailsAsBefore,
    /// One of the answers proves nothing.
    Unclear,
    /// It failed before and works now.
    Repaired,
    /// It works.
    Works,
}

impl ProbeResult {
    /// Returns what its answers say together.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let works = |answer: &Option<ProbeAnswer>| answer.as_ref().map(ProbeAnswer::works);
        match (works(&self.before), works(&self.after)) {
            (Some(Some(true)), Some(Some(false))) => Standing::Broken,
            (None, Some(Some(false))) => Standing::Fails,
            (Some(Some(false)), Some(Some(false))) => Standing::FailsAsBefore,
            (Some(None), _) | (_, Some(None) | None) => Standing::Unclear,
            (Some(Some(false)), Some(Some(true))) => Standing::Repaired,
            (_, Some(Some(true))) => Standing::Works,
        }
    }
}

impl ProbeReport {
    /// Creates a report without answers.
    pub(crate) fn new(results: Vec<ProbeResult>, not_probed: Vec<NotProbed>, over: usize) -> Self {
        Self { format: FORMAT, results, not_probed, over, requests: 0 }
    }

    /// Removes the answers after the run, to ask again.
    pub(crate) fn forget_after(&mut self) {
        self.results.iter_mut().for_each(|result| result.after = None);
    }

    /// Returns the results with this standing.
    pub fn with(&self, standing: Standing) -> impl Iterator<Item = &ProbeResult> {
        self.results.iter().filter(move |result| result.standing() == standing)
    }

    /// Returns whether anything that worked before fails now.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.with(Standing::Broken).next().is_some()
    }

    /// Returns whether anything fails now, whatever it did before.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.results.iter().any(|result| result.after.as_ref().is_some_and(|after| after.works() == Some(false)))
    }

    /// Returns whether it was compared with the answers before a run.
    #[must_use]
    pub fn has_before(&self) -> bool {
        self.results.iter().any(|result| result.before.is_some())
    }

    /// Returns the changed resources to undo, so that what worked before works again.
    #[must_use]
    pub fn to_undo(&self) -> BTreeSet<Key> {
        self.with(Standing::Broken).flat_map(|result| result.because.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Ask;

    #[test]
    fn only_what_worked_before_can_be_broken() {
        let (works, fails, unclear) =
            (ProbeAnswer::LoginPage, ProbeAnswer::Refused { reason: String::new() }, ProbeAnswer::unclear("no answer"));
        let standing = |before: Option<&ProbeAnswer>, after: Option<&ProbeAnswer>| {
            let question = ProbeQuestion { domain: None, ask: Ask::Discovery };
            ProbeResult { question, because: Vec::new(), before: before.cloned(), after: after.cloned() }.standing()
        };
        assert_eq!(standing(Some(&works), Some(&fails)), Standing::Broken);
        assert_eq!(standing(Some(&fails), Some(&fails)), Standing::FailsAsBefore);
        assert_eq!(standing(Some(&unclear), Some(&fails)), Standing::Unclear);
        assert_eq!(standing(Some(&works), Some(&unclear)), Standing::Unclear);
        assert_eq!(standing(Some(&works), None), Standing::Unclear);
        assert_eq!(standing(Some(&fails), Some(&works)), Standing::Repaired);
        assert_eq!(standing(None, Some(&fails)), Standing::Fails);
        assert_eq!(standing(None, Some(&works)), Standing::Works);
    }
}
