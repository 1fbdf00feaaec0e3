//! A plan carried out for a person: shown, checked, confirmed, executed, reported.

use super::context::Context;
use super::error::Failure;
use super::execute::{Execution, nothing_to_do};
use super::review::{refused, show_acknowledged};
use super::secrets_to::Secrets;
use crate::apply::SecretSink;
use crate::files::Lock;
use crate::report;
use crate::workflow::limits::RunBudget;
use crate::workflow::{self, Approver, Completion, Error, Proposal, Session};

/// How a command asks before it writes.
pub(super) struct Ceremony<'command> {
    pub(super) context: &'command Context,
    /// The command: `import`, `undo`.
    pub(super) command: &'static str,
    /// What `--allow` says already; it is repeated in the command that lets the rest pass too.
    pub(super) allow: &'command [String],
    pub(super) secrets: &'command Secrets,
    pub(super) question: String,
    /// Whether it was answered beforehand.
    pub(super) yes: bool,
}

/// A ceremony and the run that it leads to.
struct Person<'command> {
    ceremony: Ceremony<'command>,
    execution: Execution<'command>,
    target: String,
}

impl Approver for Person<'_> {
    type Error = Failure;

    fn show(&self, proposal: &Proposal) {
        self.ceremony.context.show(|| report::plan(&proposal.plan, &proposal.unapproved, ""));
    }

    fn refuse(&self, _proposal: &Proposal, error: Error) -> Failure {
        match error {
            Error::Refused { target, refusals } => refused(&refusals, self.ceremony.allow, &target),
            error => error.into(),
        }
    }

    fn sink(&self) -> Result<Option<Box<dyn SecretSink>>, Failure> {
        self.ceremony.secrets.sink(&self.target)
    }

    fn approve(&self, proposal: &Proposal) -> Result<(), Failure> {
        let Ceremony { context, question, yes, .. } = &self.ceremony;
        show_acknowledged(context, &proposal.refusals);
        context.confirm(question, *yes)
    }

    fn begun(&self, run: &Session<'_>) {
        self.execution.begin(run);
    }

    fn fail(&self, error: Error) -> Failure {
        self.execution.failure(error)
    }
}

impl Ceremony<'_> {
    /// Carries a proposal out where the person agrees, and prints what came of it; returns the exit code.
    pub(super) async fn carry_out(self, proposal: Proposal, lock: &Lock) -> Result<u8, Failure> {
        let (context, command) = (self.context, self.command);
        let target = proposal.plan.target.tenant.clone();
        let execution = Execution::new(context, self.secrets.to_shell());
        let person = Person { ceremony: self, execution, target };
        let lock = (lock, command, RunBudget::default());
        match workflow::carry_out(context.environment()?, proposal, lock, &person).await? {
            Completion::Unchanged(plan) => Ok(nothing_to_do(context, &plan)),
            Completion::Run(run) => Ok(person.execution.end(*run)?.answer(context)),
        }
    }
}
