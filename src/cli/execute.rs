//! A run carried out for a person: its reports, its summary and its exit code.

use std::cell::OnceCell;

use super::context::Context;
use super::error::{Failure, INCOMPLETE, OVER, interrupted};
use super::limits::limit_text;
use crate::files;
use crate::plan::Plan;
use crate::report::{self, PlanView, RunCost};
use crate::workflow::{self, EndedRun, Error, Session};

/// A run that ended, as a person is told of it.
pub(super) struct Ended {
    /// The run.
    pub(super) run: EndedRun,
    /// What it cost.
    pub(super) cost: RunCost,
    /// The command that resumes it.
    pub(super) resume: String,
    /// The exit code.
    pub(super) code: u8,
}

impl Ended {
    /// Returns it for the report.
    pub(super) fn to_report(&self) -> report::RunReport<'_> {
        let EndedRun { plan, summary, folder, .. } = &self.run;
        report::RunReport { plan, summary, cost: self.cost, folder, resume: &self.resume }
    }

    /// Returns the limit that ended it, in words.
    pub(super) fn limit(&self) -> Option<String> {
        self.run.limit.map(limit_text)
    }

    /// Prints the summary; returns the exit code.
    pub(super) fn answer(&self, context: &Context) -> u8 {
        context.answer(|| report::summary(&self.to_report()), || report::summary_json(&self.to_report(), self.code));
        self.code
    }

    /// Leaves the reports in the run's folder.
    fn leave_reports(&self) -> Result<(), Failure> {
        for (name, content) in report::files(&self.to_report(), self.code) {
            let path = self.run.folder.join(name);
            files::write_whole(&path, content.as_bytes())
                .map_err(|error| Failure::from(error).with_state(report::state(&self.run.summary)))?;
        }
        Ok(())
    }
}

/// A run that a command carries out: how it is called, and what resumes it.
pub(super) struct Execution<'command> {
    context: &'command Context,
    /// The flags that resume it as it began.
    flags: Vec<String>,
    /// What does the rest of it later, where it is not to be resumed.
    later: Option<&'static str>,
    /// The command that resumes it, once it began.
    resume: OnceCell<String>,
}

impl<'command> Execution<'command> {
    /// Returns a run that these flags resume as it began.
    pub(super) fn new(context: &'command Context, flags: Vec<String>) -> Self {
        Self { context, flags, later: None, resume: OnceCell::new() }
    }

    /// Says what does the rest later instead of a resumed run.
    pub(super) fn with_later(self, later: &'static str) -> Self {
        Self { later: Some(later), ..self }
    }

    /// Notes that the run begins.
    pub(super) fn begin(&self, session: &Session<'_>) {
        let resume = self.context.resume(&session.plan.target.tenant, &session.folder, self.flags.clone());
        let later = self.later.map_or_else(|| format!("`{resume}` continues later"), str::to_owned);
        self.context.terminal.set_later(later);
        let _ = self.resume.set(resume);
    }

    /// Returns the failure of the run, with the command that resumes it.
    pub(super) fn failure(&self, error: Error) -> Failure {
        let is_stopped = matches!(error, Error::StoppedAtOnce(_));
        let is_of_a_run = matches!(error, Error::Unrecorded(_) | Error::Unremembered { .. });
        let failure = Failure::from(error);
        match self.resume.get() {
            Some(resume) if is_stopped => failure.hint(format!("`{resume}` looks up the outcome and continues")),
            Some(resume) if is_of_a_run => failure.hint(format!("check free space and permissions, then run `{resume}`")),
            _ => failure,
        }
    }

    /// Carries out a session to its end, or as far as it may go, and leaves its reports.
    pub(super) async fn carry_out(self, session: Session<'_>) -> Result<Ended, Failure> {
        self.begin(&session);
        let run = workflow::execute(self.context.environment()?, session).await.map_err(|error| self.failure(error))?;
        self.end(run)
    }

    /// Leaves the reports of a run that ended.
    pub(super) fn end(self, run: EndedRun) -> Result<Ended, Failure> {
        let code = if run.limit.is_some() { OVER } else { exit_of(&run) };
        let cost = self.context.terminal.progress.cost();
        let ended = Ended { cost, resume: self.resume.into_inner().unwrap_or_default(), code, run };
        ended.leave_reports()?;
        Ok(ended)
    }
}

/// Returns the exit code of a run: that of the interrupt which stopped it, where it was stopped.
fn exit_of(run: &EndedRun) -> u8 {
    match (run.summary.is_whole(), run.interrupt) {
        (false, Some(interrupt)) => interrupted(interrupt),
        (true, _) if run.summary.lost_secrets() == 0 => exit_of_whole(&run.plan),
        _ => INCOMPLETE,
    }
}

/// Returns the exit code where all that a plan has is done: what it left out keeps the two sides apart.
pub(super) fn exit_of_whole(plan: &Plan) -> u8 {
    if plan.skipped.is_empty() { 0 } else { INCOMPLETE }
}

/// Says that both sides agree; returns the exit code.
pub(super) fn nothing_to_do(context: &Context, plan: &Plan) -> u8 {
    let code = exit_of_whole(plan);
    let view = PlanView::new(plan, &[]);
    context.answer(|| report::plan(&view, context.layout()), || report::plan_json(&view, code));
    code
}
