//! `--until` and `--max-requests`: when a run starts no new changes.

use clap::Args;

use crate::report;
use crate::workflow::limits::{ReachedLimit, RunBudget, TimeOfDay};

/// Limits as they are asked for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Plan and run")]
pub(super) struct LimitOptions {
    /// Start no more changes after this time of day: 05:00 by the clock of this machine, or 05:00Z for UTC (exit code 75)
    #[arg(long, value_name = "HH:MM")]
    until: Option<TimeOfDay>,
    /// Start no more changes after this many requests to the target (exit code 75)
    #[arg(long, value_name = "REQUESTS")]
    max_requests: Option<u64>,
}

impl LimitOptions {
    /// Returns the options as arguments.
    pub(super) fn to_args(&self) -> Vec<String> {
        let until = self.until.iter().flat_map(|time| ["--until".to_owned(), time.to_string()]);
        let budget = self.max_requests.iter().flat_map(|budget| ["--max-requests".to_owned(), budget.to_string()]);
        until.chain(budget).collect()
    }

    /// Returns the budget of a command that starts now.
    pub(super) fn begin(&self) -> RunBudget {
        RunBudget::begin(self.until, self.max_requests)
    }
}

/// Describes the limit that ended a run.
pub(super) fn limit_text(limit: ReachedLimit) -> String {
    match limit {
        ReachedLimit::Time(time) => format!("{time} was reached"),
        ReachedLimit::Requests { budget, sent } => {
            let budget = report::count(usize::try_from(budget).unwrap_or(usize::MAX), "request");
            format!("the budget of {budget} is used up: {sent} were sent")
        }
    }
}
