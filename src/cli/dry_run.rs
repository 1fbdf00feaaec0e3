//! Where a verb that writes ends before it writes: a dry run is that verb, stopped after its plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::error::{Failure, REFUSED};
use super::execute::exit_of_whole;
use super::review::reviewer;
use crate::plan::refusal::Refusal;
use crate::plan::{Plan, file};
use crate::report::{self, shell_word};
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
}

impl Stop {
    /// Returns whether nothing is to be written to a tenant.
    pub(super) fn is_wanted(&self) -> bool {
        self.dry_run || self.out.is_some()
    }

    /// Returns who looks at the plan before it is carried out.
    pub(super) fn review(&self) -> Review {
        if self.out.is_some() { Review::Saved } else { reviewer() }
    }

    /// Shows the plan and saves it where that is wanted. Returns the exit code.
    pub(super) fn after(&self, context: &Context, plan: &Plan, refusals: Refusals<'_>, next: Next) -> Result<u8, Failure> {
        let Refusals { all, standing } = refusals;
        let (code, next) = match &self.out {
            Some(path) => (0, saved(context, path, plan, all, next.flags)?),
            None if !standing.is_empty() => (REFUSED, String::new()),
            None if plan.is_empty() => (exit_of_whole(plan), String::new()),
            None => (0, context.command(next.verb, next.flags)),
        };
        context.answer(|| report::plan(plan, standing, &next), || report::plan_json(plan, standing, code));
        Ok(code)
    }
}

/// Saves a plan with the reasons there are to refuse it; returns the command that carries it out.
pub(super) fn saved(
    context: &Context,
    path: &Path,
    plan: &Plan,
    refusals: &[Refusal],
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
    /// What carrying out the plan takes besides, also where the plan is saved: `--allow`, `--secrets-to`.
    pub(super) flags: Vec<String>,
}

/// The reasons there are to refuse a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusals<'plan> {
    /// All of them, which a saved plan carries.
    pub(super) all: &'plan [Refusal],
    /// Those that were not acknowledged.
    pub(super) standing: &'plan [Refusal],
}
