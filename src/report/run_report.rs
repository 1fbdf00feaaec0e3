//! The result of a run as every report needs it: cost, outcomes, and the state of the target.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::format::{count, enumeration, number};
use super::probe_view::ProbeView;
use crate::apply::{OutcomeCounts, Summary};
use crate::model::event::Operation;
use crate::model::resource::Key;
use crate::plan::{Change, Plan};

/// The cost of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunCost {
    /// Its duration.
    pub(crate) took: Duration,
    /// The number of requests that were answered or failed without an answer.
    pub(crate) requests: usize,
    /// The time spent waiting for the rate limit.
    pub(crate) waited: Duration,
}

/// A finished run: plan, results, cost and files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunReport<'run> {
    /// The plan.
    pub(crate) plan: &'run Plan,
    /// The outcomes of the changes.
    pub(crate) summary: &'run Summary,
    /// The cost; zero for a run that is read from its files.
    pub(crate) cost: RunCost,
    /// The folder of the run.
    pub(crate) folder: &'run Path,
    /// The command that resumes it.
    pub(crate) resume: &'run str,
    /// What the front door answered before and after it, if it was probed.
    pub(crate) probe: Option<ProbeView<'run>>,
}

impl<'run> RunReport<'run> {
    /// Returns the changes that were not sent, in order of the plan.
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

    /// Returns the changes that were applied.
    pub(super) fn applied(&self) -> Vec<&'run Change> {
        let mut is_held: HashMap<(&Key, Operation), bool> = HashMap::new();
        for one in &self.summary.settled {
            *is_held.entry((&one.key, one.operation)).or_insert(true) &= one.outcome.id().is_some();
        }
        let is_applied = |change: &&Change| is_held.get(&(&change.key, change.operation())) == Some(&true);
        self.plan.changes().filter(is_applied).collect()
    }
}

/// Describes the state of the target: `applied 14 of 212 changes; 1 failed and 197 not sent`.
pub(crate) fn state(summary: &Summary) -> String {
    RunState::new(summary).to_string()
}

/// The state of the target after a run; displayed as `applied 14 of 212 changes; 1 failed and 197 not sent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunState {
    tally: OutcomeCounts,
    total: usize,
    earlier: usize,
}

impl RunState {
    /// Returns the state after a run with this summary.
    pub(super) fn new(summary: &Summary) -> Self {
        Self::since(summary, 0)
    }

    /// Returns the state after a resumed run; `earlier` is the number of changes that were already applied.
    pub(super) fn since(summary: &Summary, earlier: usize) -> Self {
        let tally = summary.tally();
        Self { tally, total: summary.settled.len() + tally.unsent, earlier }
    }

    /// Formats the number of applied changes: `14 of 212 changes`, or `212 changes` if all were applied.
    pub(super) fn applied(&self) -> String {
        let total = count(self.total, "change");
        match (self.earlier, self.is_whole()) {
            (0, true) => total,
            (0, false) => format!("{} of {total}", number(self.tally.applied)),
            (_, _) => format!("{} more of its {total}", number(self.tally.applied.saturating_sub(self.earlier))),
        }
    }

    /// Describes the outcomes of the other changes, if there are any.
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
