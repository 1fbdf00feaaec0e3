//! The status of past runs, and the commands that resume them.

use super::context::Context;
use super::error::{FAILED, Failure};
use crate::report;
use crate::workflow::history::{PastRun, superseded_by};
use crate::workflow::unfinished::{Starter, UnfinishedHandling, handling};

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

/// What somebody wants about an unfinished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnfinishedDecision {
    /// It is resumed.
    Resume,
    /// A new plan is made.
    PlanAnew,
}

/// Says that a run is unfinished, before a saved plan supersedes it.
pub(super) fn mention_superseded(context: &Context, past: &PastRun) {
    let told = report::unfinished(unfinished_of(past));
    context.tell(&format!("{told} The saved plan supersedes it: only what is in the plan is applied."));
}

/// Says that a run is unfinished, and asks what to do about it, where somebody can be asked.
pub(super) async fn decide_about(context: &Context, past: &PastRun, starter: Starter) -> Result<UnfinishedDecision, Failure> {
    let told = report::unfinished(unfinished_of(past));
    let resume = report::resuming(&resume_of(context, past));
    match handling(starter) {
        UnfinishedHandling::Ask => {
            let question = format!("{told}\nResume it, or make a new plan that supersedes it? [resume/new] ");
            let answer = context.terminal.ask(&question).await.unwrap_or_default().to_lowercase();
            match answer.as_str() {
                "r" | "resume" => Ok(UnfinishedDecision::Resume),
                "n" | "new" => Ok(UnfinishedDecision::PlanAnew),
                _ => Err(Failure::new(FAILED, "no decision: answer `resume` or `new`").hint(resume)),
            }
        }
        UnfinishedHandling::Supersede => {
            context.tell(&format!("{told} A new run supersedes it and plans its remaining changes again."));
            Ok(UnfinishedDecision::PlanAnew)
        }
        UnfinishedHandling::Mention => {
            context.tell(&format!("{told} {resume}"));
            Ok(UnfinishedDecision::PlanAnew)
        }
    }
}

/// Returns a past run for the report of what is left of it.
pub(super) fn unfinished_of(past: &PastRun) -> report::UnfinishedRun<'_> {
    report::UnfinishedRun { name: &past.name, begun: &past.record.begun, plan: &past.plan, summary: &past.summary }
}
