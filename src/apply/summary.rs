//! The summary of a run: how each change and the run itself ended.

use schemars::JsonSchema;
use serde::Serialize;

use super::altered_values::AlteredValue;
use super::journal::Record;
use super::new_secrets::{GeneratedSecret, ReplacedSecrets, SecretDisposition};
use crate::model::event::{Operation, Outcome};
use crate::model::resource::{Id, Key};
use crate::plan::{Plan, SecretField};

/// One change and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeResult {
    /// The index of the change in the plan.
    pub index: usize,
    /// The resource.
    pub key: Key,
    /// `create`, `update` or `delete`.
    pub operation: Operation,
    /// The outcome.
    pub outcome: Outcome,
    /// Values that the target stored differently; a note, not a failure.
    pub altered: Vec<AlteredValue>,
    /// When it ended: RFC 3339, UTC; journals of older versions have no times.
    pub at: Option<String>,
}

/// A supplied secret that the target accepted in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSecret {
    /// The kind of the resource.
    pub kind: &'static str,
    /// The id of the resource in the target.
    pub id: Id,
    /// The field, and the source of its value.
    pub field: SecretField,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Changes of the plan that ended, in its order; those before a resume too.
    pub settled: Vec<ChangeResult>,
    /// Changes of the plan that were not sent, because the run was stopped.
    pub unsent: usize,
    /// Whether the run stopped because the target no longer responded.
    pub is_silent: bool,
    /// Supplied secrets that the target accepted since the last resume; earlier ones are not known.
    pub sent: Vec<SentSecret>,
    /// Generated secrets and what happened to each.
    pub made: Vec<GeneratedSecret>,
}

/// The number of changes by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeCounts {
    /// Applied.
    pub applied: usize,
    /// Applied without the parts that the target refused or that the subscription lacks.
    pub partial: usize,
    /// Refused by the target.
    pub failed: usize,
    /// Not sent because something they need is missing.
    pub skipped: usize,
    /// Sent without a response.
    pub unknown: usize,
    /// Not sent, since the run was stopped.
    pub unsent: usize,
}

impl Summary {
    /// Builds the summary of a run from its journal.
    #[must_use]
    pub fn from_journal(plan: &Plan, record: &Record) -> Self {
        let Record { outcomes, altered, times, .. } = record;
        let settled = plan.changes().enumerate().filter_map(|(at, change)| {
            let (outcome, altered) = (outcomes.get(&at)?.clone(), altered.get(&at).cloned().unwrap_or_default());
            let (key, operation, time) = (change.key.clone(), change.operation(), times.get(&at).cloned());
            Some(ChangeResult { index: at, key, operation, outcome, altered, at: time })
        });
        let replaced = ReplacedSecrets::by(plan);
        let made = plan.changes().enumerate().flat_map(|(at, change)| {
            let made = replaced.made_with(change.key.kind(), change);
            let id = outcomes.get(&at).and_then(Outcome::id);
            made.into_iter().filter_map(move |made| Some(GeneratedSecret::new(change, id?, made, SecretDisposition::Unknown)))
        });
        let summary = Self { settled: settled.collect(), made: made.collect(), ..Self::default() };
        summary.with_unreached(plan.changes().count())
    }

    /// Adds the number of changes that were not reached.
    pub(super) fn with_unreached(mut self, total: usize) -> Self {
        self.unsent = total - self.settled.len();
        self
    }

    /// Returns how the change of this index ended, where it did.
    pub(crate) fn result_of(&self, index: usize) -> Option<&ChangeResult> {
        let place = self.settled.binary_search_by_key(&index, |result| result.index).ok()?;
        self.settled.get(place)
    }

    /// Counts the generated secrets that should have been stored but were not.
    pub fn lost_secrets(&self) -> usize {
        self.made.iter().filter(|made| matches!(made.disposition, SecretDisposition::Lost(_))).count()
    }

    /// Returns every value that the target stored differently, with its change.
    pub fn altered(&self) -> impl Iterator<Item = (&ChangeResult, &AlteredValue)> {
        self.settled.iter().flat_map(|settled| settled.altered.iter().map(move |altered| (settled, altered)))
    }

    /// Counts changes by outcome.
    pub fn tally(&self) -> OutcomeCounts {
        let mut tally = OutcomeCounts { unsent: self.unsent, ..OutcomeCounts::default() };
        for settled in &self.settled {
            match settled.outcome {
                Outcome::Applied(_) => tally.applied += 1,
                Outcome::Partial(..) => tally.partial += 1,
                Outcome::Failed(_) => tally.failed += 1,
                Outcome::Skipped(_) => tally.skipped += 1,
                Outcome::Unknown(_) => tally.unknown += 1,
            }
        }
        tally
    }

    /// Returns whether every change of the plan was applied.
    pub fn is_whole(&self) -> bool {
        let OutcomeCounts { partial, failed, skipped, unknown, unsent, .. } = self.tally();
        partial + failed + skipped + unknown + unsent == 0
    }
}
