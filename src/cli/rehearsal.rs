//! `--rehearse`: an import on a copy of its target.

use clap::Args;

use super::context::Context;
use super::error::{FAILED, Failure, INCOMPLETE, USAGE};
use super::execute::exit_of_whole;
use crate::report;
use crate::sandbox::Fault;
use crate::workflow::Rehearsed;

/// Whether an import is only rehearsed, as it is asked for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Plan and run")]
pub(super) struct RehearsalOptions {
    /// Import into a local copy of the target; the target itself is only read
    #[arg(long, conflicts_with_all = ["dry_run", "out", "resume", "plan"])]
    pub(super) rehearse: bool,
    /// Faults to inject in the rehearsal, for example cut-after@3 (the connection breaks after the third request) or 429@w5x3 (three times 429 from the fifth write)
    #[arg(long, value_name = "SPEC", requires = "rehearse")]
    fault: Vec<String>,
}

impl RehearsalOptions {
    /// Parses the faults to inject.
    pub(super) fn faults(&self) -> Result<Vec<Fault>, Failure> {
        let lists = self.fault.iter().map(|spec| Fault::list(spec)).collect::<Result<Vec<_>, _>>();
        Ok(lists.map_err(|error| Failure::from_error(USAGE, &error))?.concat())
    }
}

/// Prints the result of a rehearsal; returns the exit code.
pub(super) fn answer(context: &Context, rehearsed: &Rehearsed, next: &str) -> u8 {
    let Rehearsed { ended, resumed, requests, writes, fault_counts, otherwise, again } = rehearsed;
    let (plan, summary) = (&*ended.plan, &ended.summary);
    let told = report::Rehearsal { plan, summary, resumed: *resumed, requests: *requests, writes: *writes, fault_counts, otherwise, again };
    let code = match (summary.is_whole(), again.is_empty()) {
        (true, true) => exit_of_whole(plan),
        // Everything was applied, but a second plan is not empty: it would write the same every night.
        (true, false) => FAILED,
        (false, _) => INCOMPLETE,
    };
    context.answer(|| report::rehearsal(&told, next), || report::rehearsal_json(&told, code));
    code
}
