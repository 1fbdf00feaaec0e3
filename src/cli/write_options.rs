//! Options of the commands that write to a target: approvals, new secrets, confirmation and the lock.

use clap::Args;

use super::ceremony::Ceremony;
use super::context::Context;
use super::error::Failure;
use super::lock::LockOptions;
use super::review::approved;
use super::secrets_to::Secrets;
use crate::config::TenantSettings;
use crate::files::Lock;
use crate::model::approval::Approvals;
use crate::model::guard::Guard;
use crate::workflow;

/// What a person approves in advance.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ApprovalOptions {
    #[arg(long, value_name = "GUARD,..", value_delimiter = ',', help = help_of_allow(&Guard::APPROVABLE))]
    pub(super) allow: Vec<String>,
}

impl ApprovalOptions {
    /// Parses the approvals.
    pub(super) fn approved(&self) -> Result<Approvals, Failure> {
        approved(&self.allow)
    }
}

/// How a command that writes is confirmed, and what it does with new secrets and the lock.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Approval and writing")]
pub(super) struct WriteOptions {
    #[command(flatten)]
    pub(super) approvals: ApprovalOptions,
    #[command(flatten)]
    pub(super) secrets: Secrets,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) lock_timeout: LockOptions,
}

impl WriteOptions {
    /// Locks a target for this command.
    pub(super) async fn lock(&self, context: &Context, target: &TenantSettings) -> Result<Lock, Failure> {
        Ok(workflow::lock(context.environment()?, target, self.lock_timeout.lock_timeout).await?)
    }

    /// Returns the steps from the plan to the run for the command with this name, which asks this question.
    pub(super) fn ceremony<'command>(
        &'command self,
        context: &'command Context,
        command: &'static str,
        question: String,
    ) -> Ceremony<'command> {
        let Self { approvals, secrets, yes, .. } = self;
        Ceremony { context, command, allow: &approvals.allow, secrets, question, yes: *yes }
    }
}

/// Returns the help of `--allow` for a command that a person reviews and these guards may refuse.
pub(super) fn help_of_allow(guards: &[Guard]) -> String {
    let names = |is_meant: fn(Guard) -> bool, word: &str| named(guards, is_meant, word);
    let is_partial = guards.iter().any(|guard| !guard.is_by_resource());
    let only = if is_partial { format!("; only {}", names(Guard::is_by_resource, ", ")) } else { String::new() };
    format!(
        "Approve what a guard refuses: {}. GUARD approves all of it, GUARD:PATTERN single resources ('lockout-risk:clients/Billing*'{only}). \
         Without a terminal, {} can be approved only in a saved plan (`import --plan`) or in migrate.toml (plan.approve)",
        names(|_| true, ", "),
        names(Guard::requires_review, " and ")
    )
}

/// Returns the help of `--allow` for a command that runs unattended.
pub(super) fn help_of_unattended_allow() -> String {
    let names = |is_meant: fn(Guard) -> bool, word: &str| named(&Guard::APPROVABLE, is_meant, word);
    format!(
        "Approve what these guards refuse in this sync (for a scheduled job: in every run): {}; single resources with 'deletes:clients/*'. \
         {} can be approved only in migrate.toml (plan.approve)",
        names(|guard| !guard.requires_review(), ", "),
        names(Guard::requires_review, " and ")
    )
}

fn named(guards: &[Guard], is_meant: fn(Guard) -> bool, word: &str) -> String {
    let names: Vec<&str> = guards.iter().copied().filter(|guard| is_meant(*guard)).map(Guard::as_str).collect();
    names.join(word)
}
