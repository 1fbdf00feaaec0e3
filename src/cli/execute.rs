//! Executes a run on the command line: reports, summary and exit code.

use std::cell::OnceCell;

use super::context::Context;
use super::error::{Failure, INCOMPLETE, OVER, interrupted};
use super::limits::limit_text;
use super::probe::ProbeCommands;
use crate::files;
use crate::plan::Plan;
use crate::probe::ProbeReport;
use crate::report::{self, Layout, PlanView, Report, ReportSubject, RunCost};
use crate::workflow::{self, EndedRun, Error, Session};

/// A finished run with everything that is reported about it.
pub(super) struct Ended {
    /// The run.
    pub(super) run: EndedRun,
    /// Its cost.
    pub(super) cost: RunCost,
    /// The command that resumes it.
    pub(super) resume: String,
    /// The commands that follow a probe.
    pub(super) after_probe: ProbeCommands,
    /// The exit code.
    pub(super) code: u8,
}

impl Ended {
    /// Returns the run for its report.
    pub(super) fn to_report(&self) -> report::RunReport<'_> {
        let EndedRun { plan, summary, folder, probe, .. } = &self.run;
        let probe = probe.as_ref().map(|probe| self.after_probe.view(probe));
        report::RunReport { plan, summary, cost: self.cost, folder, resume: &self.resume, probe }
    }

    /// Returns the limit that ended it, as text.
    pub(super) fn limit(&self) -> Option<String> {
        self.run.limit.map(limit_text)
    }

    /// Prints the summary and publishes it; returns the exit code.
    pub(super) fn answer(&self, context: &Context) -> Result<u8, Failure> {
        let is_interrupted = self.run.interrupt.is_some() && !self.run.summary.is_whole();
        let run = self.to_report();
        let report = Report::new(ReportSubject::Run(run), self.code);
        let text = || if is_interrupted { report::interrupted(&run) } else { report.to_text(Layout::default()) };
        context.answer(text, || report.to_json());
        context.publish(&report).map_err(|failure| failure.with_state(report::state(run.summary)))?;
        Ok(self.code)
    }

    /// Writes the reports to the run's folder.
    fn leave_reports(&self) -> Result<(), Failure> {
        for (name, content) in report::files(self.to_report(), self.code) {
            let path = self.run.folder.join(name);
            files::write_whole(&path, content.as_bytes())
                .map_err(|error| Failure::from(error).with_state(report::state(&self.run.summary)))?;
        }
        Ok(())
    }
}

/// A run that a command executes, with the command that resumes it.
pub(super) struct Execution<'command> {
    context: &'command Context,
    /// The options of the command that resumes it.
    flags: Vec<String>,
    /// A text about what does the rest later, if the run is not to be resumed.
    later: Option<&'static str>,
    /// The command that resumes it, once it has started.
    resume: OnceCell<String>,
}

impl<'command> Execution<'command> {
    /// Creates the execution of a run that is resumed with these options.
    pub(super) fn new(context: &'command Context, flags: Vec<String>) -> Self {
        Self { context, flags, later: None, resume: OnceCell::new() }
    }

    /// Sets what does the rest later instead of resuming the run.
    pub(super) fn with_later(self, later: &'static str) -> Self {
        Self { later: Some(later), ..self }
    }

    /// Records that the run starts.
    pub(super) fn begin(&self, session: &Session<'_>) {
        let resume = self.context.resume(&session.plan.target.tenant, &session.folder, self.flags.clone());
        let later = self.later.map_or_else(|| format!("`{resume}` continues later"), str::to_owned);
        self.context.terminal.set_later(later);
        let _ = self.resume.set(resume);
    }

    /// Converts an error of the run, adding the command that resumes it.
    pub(super) fn failure(&self, error: Error) -> Failure {
        let is_stopped = matches!(error, Error::StoppedAtOnce { .. });
        let is_of_a_run = matches!(error, Error::Unrecorded(_) | Error::Unremembered { .. });
        let failure = Failure::from(error);
        match self.resume.get() {
            Some(resume) if is_stopped => failure.hint(report::resuming(resume)),
            Some(resume) if is_of_a_run => failure.hint(format!("check free space and permissions, then run `{resume}`")),
            _ => failure,
        }
    }

    /// Executes a session as far as its limits allow, and writes its reports.
    pub(super) async fn carry_out(self, session: Session<'_>) -> Result<Ended, Failure> {
        self.begin(&session);
        let environment = self.context.environment()?;
        let mut run = workflow::execute(environment, session).await.map_err(|error| self.failure(error))?;
        run.probe = workflow::probe_after(environment, &run).await;
        self.end(run)
    }

    /// Writes the reports of a finished run.
    pub(super) fn end(self, run: EndedRun) -> Result<Ended, Failure> {
        let code = if run.limit.is_some() { OVER } else { exit_of(&run) };
        let cost = self.context.terminal.progress.cost();
        let after_probe = run.probe.as_ref().map(|probe| ProbeCommands::of_run(self.context, &run.folder, probe)).unwrap_or_default();
        let ended = Ended { cost, resume: self.resume.into_inner().unwrap_or_default(), after_probe, code, run };
        ended.leave_reports()?;
        Ok(ended)
    }
}

/// Returns the exit code of a run; if an interrupt stopped it, that of the interrupt.
fn exit_of(run: &EndedRun) -> u8 {
    match (run.summary.is_whole(), run.interrupt) {
        (false, Some(interrupt)) => interrupted(interrupt),
        (true, _) if run.probe.as_ref().is_some_and(ProbeReport::is_broken) => INCOMPLETE,
        (true, _) if run.summary.lost_secrets() == 0 => exit_of_whole(&run.plan),
        _ => INCOMPLETE,
    }
}

/// Returns the exit code if every change of a plan was applied: skipped resources still differ.
pub(super) fn exit_of_whole(plan: &Plan) -> u8 {
    if plan.skipped.is_empty() { 0 } else { INCOMPLETE }
}

/// Prints that there is nothing to do; returns the exit code.
pub(super) fn nothing_to_do(context: &Context, plan: &Plan) -> Result<u8, Failure> {
    let code = exit_of_whole(plan);
    context.answer_report(&Report::new(ReportSubject::Plan(PlanView::new(plan, &[])), code))?;
    Ok(code)
}
