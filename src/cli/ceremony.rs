//! From plan to run on the command line: show, check, confirm, execute and report.

use super::context::Context;
use super::error::{Failure, USAGE};
use super::execute::{Execution, nothing_to_do};
use super::review::{refused, show_acknowledged};
use super::secrets_to::Secrets;
use crate::apply::SecretSink;
use crate::files::Lock;
use crate::management_api::Traffic;
use crate::report::{self, PlanView, Report, ReportSubject};
use crate::workflow::limits::RunBudget;
use crate::workflow::{self, Approver, Completion, Error, Proposal, Session};

/// How a command asks for confirmation before it writes.
pub(super) struct Ceremony<'command> {
    pub(super) context: &'command Context,
    /// The name of the command: `import`, `undo`.
    pub(super) command: &'static str,
    /// The values of `--allow`, which are repeated in the command that approves the rest.
    pub(super) allow: &'command [String],
    pub(super) secrets: &'command Secrets,
    pub(super) question: String,
    /// Whether it was confirmed with `--yes`.
    pub(super) yes: bool,
}

/// Decides about the proposal of a command, with the options of the command line.
pub(super) struct CommandApprover<'command> {
    pub(super) context: &'command Context,
    pub(super) allow: &'command [String],
    pub(super) secrets: &'command Secrets,
    pub(super) target: String,
    pub(super) execution: Execution<'command>,
    pub(super) decision: Decision<'command>,
}

/// Returns how a person can approve the refusals of a proposal.
pub(super) type Advice<'command> = Box<dyn Fn(&Proposal) -> Option<String> + 'command>;

/// How to decide about a proposal.
pub(super) enum Decision<'command> {
    /// It is shown to a person, who confirms it or has used `--yes`.
    Confirm { question: String, yes: bool },
    /// Whatever the guards pass is executed, unless the budget is too small for any of it.
    Unattended { budget: RunBudget, advice: Advice<'command> },
}

impl Approver for CommandApprover<'_> {
    type Error = Failure;

    fn show(&self, proposal: &Proposal) {
        if let Decision::Confirm { .. } = self.decision {
            let view = PlanView::new(&proposal.plan, &proposal.unapproved).with_estimate(Some(proposal.estimate()));
            self.context.show(|| report::plan(&view, self.context.layout()));
        }
    }

    fn refuse(&self, proposal: &Proposal, error: Error) -> Failure {
        let failure = match error {
            Error::Refused { target, refusals } => {
                let failure = refused(&refusals, self.allow, &target);
                // The report below names each of them.
                if self.context.has_reports() { failure.annotated() } else { failure }
            }
            error => error.into(),
        };
        let hint = match &self.decision {
            Decision::Confirm { .. } => None,
            Decision::Unattended { advice, .. } => advice(proposal),
        };
        let failure = hint.into_iter().fold(failure, Failure::hint);
        let view = PlanView::new(&proposal.plan, &proposal.unapproved).with_estimate(Some(proposal.estimate()));
        // What is refused is what a reviewer wants to see; that it cannot be reported is less than that it is refused.
        let unreported = self.context.publish(&Report::new(ReportSubject::Plan(view), failure.code())).err();
        unreported.into_iter().fold(failure, |failure, unreported| failure.with_causes(unreported.into_causes()))
    }

    fn sink(&self) -> Result<Option<Box<dyn SecretSink>>, Failure> {
        self.secrets.sink(&self.target)
    }

    async fn approve(&self, proposal: &Proposal) -> Result<(), Failure> {
        match &self.decision {
            Decision::Confirm { question, yes } => {
                show_acknowledged(self.context, &proposal.refusals);
                self.context.confirm(question, *yes).await
            }
            Decision::Unattended { budget, .. } => check_budget(budget, proposal, &self.target),
        }
    }

    fn begun(&self, run: &Session<'_>) {
        self.execution.begin(run);
    }

    fn fail(&self, error: Error) -> Failure {
        self.execution.failure(error)
    }
}

/// Fails if reading uses so many requests that every run would stop before its first change.
fn check_budget(budget: &RunBudget, proposal: &Proposal, target: &str) -> Result<(), Failure> {
    let Traffic { reads, .. } = proposal.requests();
    let Some(budget) = budget.is_too_small_for(proposal.requests()) else { return Ok(()) };
    let error = format!("reading \"{target}\" alone took {reads} requests, and --max-requests is {budget}");
    Err(Failure::new(USAGE, error).hint("raise --max-requests"))
}

impl Ceremony<'_> {
    /// Executes a proposal if the person agrees, and prints the result; returns the exit code.
    pub(super) async fn carry_out(self, proposal: Proposal, lock: &Lock) -> Result<u8, Failure> {
        let Self { context, command, allow, secrets, question, yes } = self;
        let target = proposal.plan.target.tenant.clone();
        let execution = Execution::new(context, secrets.to_shell());
        let approver = CommandApprover { context, allow, secrets, target, execution, decision: Decision::Confirm { question, yes } };
        let lock = (lock, command, RunBudget::default());
        match workflow::carry_out(context.environment()?, proposal, lock, &approver).await? {
            Completion::Unchanged(plan) => nothing_to_do(context, &plan),
            Completion::Run(run) => approver.execution.end(*run)?.answer(context),
        }
    }
}
