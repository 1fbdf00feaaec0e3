//! A run that ended, as every report of it needs it: what it cost, and what state it leaves the target in.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::format::{count, enumeration, number};
use crate::apply::{OutcomeCounts, Summary};
use crate::model::event::Operation;
use crate::model::resource::Key;
use crate::plan::{Change, Plan};

/// What a run cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunCost {
    /// How long it took.
    pub(crate) took: Duration,
    /// Requests that were answered, or failed without an answer.
    pub(crate) requests: usize,
    /// How much of the time was spent waiting for the rate limit.
    pub(crate) waited: Duration,
}

/// A run that ended: its plan, its results, its cost and its files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunReport<'run> {
    /// What was planned.
    pub(crate) plan: &'run Plan,
    /// How the changes ended.
    pub(crate) summary: &'run Summary,
    /// What it cost; zero for a run read from its files.
    pub(crate) cost: RunCost,
    /// The run's folder.
    pub(crate) folder: &'run Path,
    /// The command that resumes it.
    pub(crate) resume: &'run str,
}

impl<'run> RunReport<'run> {
    /// Returns the changes that were not sent, in the plan's order.
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

    /// Returns the changes of the plan that the target holds now.
    pub(super) fn applied(&self) -> Vec<&'run Change> {
        let mut is_held: HashMap<(&Key, Operation), bool> = HashMap::new();
        for one in &self.summary.settled {
            *is_held.entry((&one.key, one.operation)).or_insert(true) &= one.outcome.id().is_some();
        }
        let is_applied = |change: &&Change| is_held.get(&(&change.key, change.operation())) == Some(&true);
        self.plan.changes().filter(is_applied).collect()
    }
}

/// Returns what state a summary leaves the target in: `applied 14 of 212 changes; 1 failed and 197 not sent`.
pub(crate) fn state(summary: &Summary) -> String {
    RunState::new(summary).to_string()
}

/// What state a run leaves the target in; shown as `applied 14 of 212 changes; 1 failed and 197 not sent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunState {
    tally: OutcomeCounts,
    total: usize,
    earlier: usize,
}

impl RunState {
    /// Returns the state that a summary leaves the target in.
    pub(super) fn new(summary: &Summary) -> Self {
        Self::since(summary, 0)
    }

    /// Returns the state of a resumed run, of which so many changes were in the target before.
    pub(super) fn since(summary: &Summary, earlier: usize) -> Self {
        let tally = summary.tally();
        Self { tally, total: summary.settled.len() + tally.unsent, earlier }
    }

    /// Returns how much was applied: `14 of 212 changes`, or `212 changes` for a run that applied all of them.
    pub(super) fn applied(&self) -> String {
        let total = count(self.total, "change");
        match (self.earlier, self.is_whole()) {
            (0, true) => total,
            (0, false) => format!("{} of {total}", number(self.tally.applied)),
            (_, _) => format!("{} more of its {total}", number(self.tally.applied.saturating_sub(self.earlier))),
        }
    }

    /// Returns how the other changes ended, or nothing for a run that applied all of them.
    pub(super) fn others(&self) -> Option<String> {
        let OutcomeCounts { partial, failed, unknown, skipped, unsent, .. } = self.tally;
        let outcomes = [
            (partial, "partially applied"),
            (failed, "failed"),
            (unknown, "with unknown outcome"),
            (skipped, "skipped"),
            (unsent, "not sent"),
        ];
        let counted = outcomes.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = counted.map(|(count, outcome)| format!("{} {outcome}", number(count))).collect();
        (!parts.is_empty()).then(|| enumeration(&parts))
    }

    fn is_whole(&self) -> bool {
        let OutcomeCounts { partial, failed, unknown, skipped, unsent, .. } = self.tally;
        partial + failed + unknown + skipped + unsent == 0
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "applied {}", self.applied())?;
        self.others().map_or(Ok(()), |others| write!(out, "; {others}"))
    }
}
