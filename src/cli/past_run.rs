//! The status of past runs, and the commands that resume them.

use super::context::Context;
use super::error::Failure;
use crate::report;
use crate::workflow::history::{PastRun, superseded_by};

/// Returns the command that resumes a past run.
pub(super) fn resume_of(context: &Context, past: &PastRun) -> String {
    context.resume(&past.plan.target.tenant, &past.folder, Vec::new())
}

/// Returns the status of a past run, considering the other runs in the folder.
pub(super) fn status_of<'run>(context: &Context, past: &'run PastRun) -> Result<report::RunStatus<'run>, Failure> {
    let PastRun { name, plan, record, summary, .. } = past;
    Ok(report::RunStatus {
        plan,
        begun: &record.begun,
        tally: summary.tally(),
        is_ended: record.is_ended,
        is_stopped: record.is_stopped,
        superseded_by: if record.is_ended { None } else { superseded_by(context.environment()?, name, plan) },
        resume: resume_of(context, past),
    })
}
