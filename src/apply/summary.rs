//! How an apply ended, for whoever renders it.

use serde::Serialize;

use super::altered_values::AlteredValue;
use super::journal::Record;
use super::new_secrets::{GeneratedSecret, ReplacedSecrets, SecretDisposition};
use crate::catalog::Catalog;
use crate::model::event::{Operation, Outcome};
use crate::model::resource::{Id, Key};
use crate::plan::{Plan, SecretField};

/// One change and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeResult {
    /// The resource.
    pub key: Key,
    /// `create`, `update` or `remove`.
    pub operation: Operation,
    /// How it ended.
    pub outcome: Outcome,
    /// What the target made of the values that it took: a note, and no failure.
    pub altered: Vec<AlteredValue>,
}

/// A supplied secret that the target has taken from this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSecret {
    /// The kind of the resource.
    pub kind: &'static str,
    /// What the target calls it.
    pub id: Id,
    /// The field, and where its value comes from.
    pub field: SecretField,
}

/// How an apply ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Every change of the plan, in the order it was settled; those settled before a resume come first.
    pub settled: Vec<ChangeResult>,
    /// Changes of the plan that were not reached, because the run was stopped.
    pub unsent: usize,
    /// Whether the run stopped because the target did not answer any more.
    pub is_silent: bool,
    /// Supplied secrets that this run sent and the target has taken; of an earlier part of the run nobody knows which values it sent.
    pub sent: Vec<SentSecret>,
    /// Secrets that the target made, and what became of each.
    pub made: Vec<GeneratedSecret>,
}

/// How many changes ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutcomeCounts {
    /// The target holds them.
    pub applied: usize,
    /// The target holds them without what its subscription lacks.
    pub partial: usize,
    /// The target refused them.
    pub failed: usize,
    /// They were not sent, since something they need is missing.
    pub skipped: usize,
    /// They were sent and no answer came.
    pub unknown: usize,
    /// They were not reached.
    pub unsent: usize,
}

impl Summary {
    /// Returns how a plan ended by what its journal tells of each change.
    #[must_use]
    pub fn from_journal(catalog: &Catalog, plan: &Plan, record: &Record) -> Self {
        let Record { outcomes, altered, .. } = record;
        let settled = plan.changes().enumerate().filter_map(|(at, change)| {
            let (outcome, altered) = (outcomes.get(&at)?.clone(), altered.get(&at).cloned().unwrap_or_default());
            Some(ChangeResult { key: change.key.clone(), operation: change.operation(), outcome, altered })
        });
        let replaced = ReplacedSecrets::by(plan);
        let made = plan.changes().enumerate().flat_map(|(at, change)| {
            let kind = catalog.kind(change.key.kind());
            let made = kind.map(|kind| replaced.made_with(kind, change)).unwrap_or_default();
            let id = outcomes.get(&at).and_then(Outcome::id);
            made.into_iter().filter_map(move |made| Some(GeneratedSecret::of(change, id?, made, SecretDisposition::Unknown)))
        });
        let summary = Self { settled: settled.collect(), made: made.collect(), ..Self::default() };
        summary.with_unreached(plan.changes().count())
    }

    /// Returns the summary of a run that stopped before all of its changes were reached.
    pub(super) fn with_unreached(mut self, total: usize) -> Self {
        self.unsent = total - self.settled.len();
        self
    }

    /// Counts the secrets that the target made and that were to be kept and are not.
    pub fn lost_secrets(&self) -> usize {
        self.made.iter().filter(|made| matches!(made.fate, SecretDisposition::Lost(_))).count()
    }

    /// Returns every value that the target answered otherwise than it was sent, with its change.
    pub fn altered(&self) -> impl Iterator<Item = (&ChangeResult, &AlteredValue)> {
        self.settled.iter().flat_map(|settled| settled.altered.iter().map(move |altered| (settled, altered)))
    }

    /// Counts how the changes ended.
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

    /// Returns whether every change of the plan is in the target.
    pub fn is_whole(&self) -> bool {
        let OutcomeCounts { partial, failed, skipped, unknown, unsent, .. } = self.tally();
        partial + failed + skipped + unknown + unsent == 0
    }
}
