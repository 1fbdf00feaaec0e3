//! Where a verb that writes ends before it writes: a dry run is that verb, stopped after its plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::error::{Failure, REFUSED};
use super::execute::exit_of_whole;
use super::review::{allowing, narrowest, reviewer};
use crate::plan::refusal::Refusal;
use crate::plan::{Estimate, Plan, file};
use crate::report::{self, PlanView, shell_word};
use crate::workflow::Review;

/// Whether to stop after the plan.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Stop {
    /// Stop after the plan
    #[arg(long)]
    dry_run: bool,
    /// Stop after the plan and save it to this file, for `migrate import --plan`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    out: Option<PathBuf>,
    /// How it ends where anything would change, if that is asked for.
    #[arg(skip)]
    pending: Option<u8>,
}

impl Stop {
    /// Returns what a command does that only plans: it saves the plan if a file is given, and ends with `pending` if anything would change.
    pub(super) fn after_plan(out: Option<PathBuf>, pending: Option<u8>) -> Self {
        Self { dry_run: true, out, pending }
    }

    /// Returns whether nothing is to be written to a tenant.
    pub(super) fn is_wanted(&self) -> bool {
        self.dry_run || self.out.is_some()
    }

    /// Returns who looks at the plan before it is carried out.
    pub(super) fn review(&self) -> Review {
        if self.out.is_some() { Review::Saved } else { reviewer() }
    }

    /// Shows the plan and saves it where that is wanted. Returns the exit code.
    pub(super) fn after(&self, context: &Context, planned: Planned<'_>, next: Next) -> Result<u8, Failure> {
        let Planned { plan, refusals, unapproved, estimate } = planned;
        let flags = approving(&next, unapproved);
        let next = match (&self.out, flags) {
            (Some(path), flags) => saved(context, path, (plan, refusals), flags.unwrap_or_default())?,
            (None, Some(flags)) if !plan.is_empty() => context.command(next.verb, flags),
            (None, _) => String::new(),
        };
        let code = match (self.pending.filter(|_| !plan.is_empty()), &self.out) {
            (Some(pending), _) => pending,
            (None, Some(_)) => 0,
            (None, None) => exit_of_plan(plan, unapproved),
        };
        let view = PlanView::new(plan, unapproved).with_next(&next).with_estimate(estimate);
        context.answer(|| report::plan(&view, context.layout()), || report::plan_json(&view, code));
        Ok(code)
    }
}

/// Returns how a command ends that only plans: 4 where a guard refuses the plan, otherwise 3 where something is skipped.
pub(super) fn exit_of_plan(plan: &Plan, unapproved: &[Refusal]) -> u8 {
    if unapproved.is_empty() { exit_of_whole(plan) } else { REFUSED }
}

/// Returns the flags of the next command, with the narrowest approval of what is refused; none where nothing approves it.
fn approving(next: &Next, unapproved: &[Refusal]) -> Option<Vec<String>> {
    let mut allow = next.allow.clone();
    allow.extend(narrowest(unapproved)?);
    Some(allowing(&allow).into_iter().chain(next.flags.iter().cloned()).collect())
}

/// Saves a plan with the reasons there are to refuse it; returns the command that carries it out.
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

/// The command that does what was planned.
pub(super) struct Next {
    /// The verb, and what it is about.
    pub(super) verb: String,
    /// What `--allow` approves already.
    pub(super) allow: Vec<String>,
    /// What carrying out the plan takes besides, also where the plan is saved: `--secrets-to`.
    pub(super) flags: Vec<String>,
}

/// A plan, and why it is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'plan> {
    /// The plan.
    pub(super) plan: &'plan Plan,
    /// Every reason to refuse it, which a saved plan carries.
    pub(super) refusals: &'plan [Refusal],
    /// Those that were not approved.
    pub(super) unapproved: &'plan [Refusal],
    /// What it takes of the target.
    pub(super) estimate: Option<Estimate>,
}
