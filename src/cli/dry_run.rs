//! `--dry-run` and `--out`: a command that writes, stopped after its plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::error::{Failure, REFUSED};
use super::execute::exit_of_whole;
use super::review::{allowing, narrowest, reviewer};
use crate::plan::refusal::Refusal;
use crate::plan::{Estimate, Plan, file};
use crate::report::{PlanView, Report, ReportSubject, shell_word};
use crate::workflow::Review;

/// Whether to stop after the plan.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Plan and run")]
pub(super) struct Stop {
    /// Stop after the plan
    #[arg(long)]
    dry_run: bool,
    /// Stop after the plan and save it to this file, for `migrate approve` and `migrate import --plan`; exits with 0
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    out: Option<PathBuf>,
    /// The exit code if there are changes, if requested.
    #[arg(skip)]
    pending: Option<u8>,
}

impl Stop {
    /// Returns the options of a command that only plans: it saves the plan if a file is given, and exits with `pending`
    /// if there are changes.
    pub(super) fn after_plan(out: Option<PathBuf>, pending: Option<u8>) -> Self {
        Self { dry_run: true, out, pending }
    }

    /// Returns whether to stop before anything is written to a tenant.
    pub(super) fn is_wanted(&self) -> bool {
        self.dry_run || self.out.is_some()
    }

    /// Returns who reviews the plan before it is executed.
    pub(super) fn review(&self) -> Review {
        if self.out.is_some() { Review::Saved } else { reviewer() }
    }

    /// Shows the plan and saves it on request. Returns the exit code.
    pub(super) fn after(&self, context: &Context, planned: Planned<'_>, next: Next) -> Result<u8, Failure> {
        let Planned { plan, refusals, unapproved, estimate } = planned;
        let flags = approving(&next, unapproved);
        let next = match (&self.out, flags) {
            (Some(path), flags) => saved(context, path, (plan, refusals), flags.unwrap_or_default())?,
            (None, Some(flags)) if !plan.is_empty() => context.command(next.command, flags),
            (None, _) => String::new(),
        };
        let code = match (self.pending.filter(|_| !plan.is_empty()), &self.out) {
            (Some(pending), _) => pending,
            (None, Some(_)) => 0,
            (None, None) => exit_of_plan(plan, unapproved),
        };
        let view = PlanView::new(plan, unapproved).with_next(&next).with_estimate(estimate);
        context.answer_report(&Report::new(ReportSubject::Plan(view), code))?;
        Ok(code)
    }
}

/// Returns the exit code of a command that only plans: 4 if a guard refuses the plan, otherwise 3 if something is
/// skipped.
pub(super) fn exit_of_plan(plan: &Plan, unapproved: &[Refusal]) -> u8 {
    if unapproved.is_empty() { exit_of_whole(plan) } else { REFUSED }
}

/// Returns the options of the next command with the narrowest approvals; `None` if something cannot be approved.
fn approving(next: &Next, unapproved: &[Refusal]) -> Option<Vec<String>> {
    let mut allow = next.allow.clone();
    allow.extend(narrowest(unapproved)?);
    Some(allowing(&allow).into_iter().chain(next.flags.iter().cloned()).collect())
}

/// Saves a plan with its refusals; returns the command that executes it.
pub(super) fn saved(
    context: &Context,
    path: &Path,
    (plan, refusals): (&Plan, &[Refusal]),
    flags: impl IntoIterator<Item = String>,
) -> Result<String, Failure> {
    file::save(path, plan, refusals)?;
    let import = format!("migrate import --tenant {} --plan {}", plan.target.tenant, shell_word(&path.display().to_string()));
    Ok(context.command(import, flags))
}

/// The command that executes a plan.
pub(super) struct Next {
    /// The command and its arguments.
    pub(super) command: String,
    /// The values of `--allow` so far.
    pub(super) allow: Vec<String>,
    /// Other options that are needed to execute the plan, even a saved one: `--secrets-to`.
    pub(super) flags: Vec<String>,
}

/// A plan and its refusals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'plan> {
    /// The plan.
    pub(super) plan: &'plan Plan,
    /// All refusals, which are saved with the plan.
    pub(super) refusals: &'plan [Refusal],
    /// The refusals that are not approved.
    pub(super) unapproved: &'plan [Refusal],
    /// The estimated requests.
    pub(super) estimate: Option<Estimate>,
}
