//! `migrate plan`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::dry_run::saved;
use crate::cli::error::{Failure, INCOMPLETE, PENDING, REFUSED};
use crate::cli::options::RouteOptions;
use crate::plan::refusal::Refusal;
use crate::report;
use crate::workflow::{Prepared, prepare};

/// Show what an import would change, without writing to any tenant
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    route: RouteOptions,
    /// Save the plan to this file, for `migrate import --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit code: 2 if anything would change, otherwise 4 if a guard refuses the plan, otherwise 3 if something is skipped
    #[arg(long)]
    check: bool,
}

impl PlanArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let Prepared { plan, refusals, .. } = prepare(context.environment()?, &self.route.route(context, &target.name)?).await?;
        let next = match &self.out {
            Some(path) => saved(context, path, &plan, &refusals, None)?,
            None if plan.is_empty() || !refusals.is_empty() => String::new(),
            None => context.command(self.route.import(&plan), None),
        };
        let code = if self.check { checked(&plan, &refusals) } else { 0 };
        context.answer(|| report::plan(&plan, &refusals, &next), || report::plan_json(&plan, &refusals, code));
        Ok(code)
    }
}

/// Returns how a check ends: pending changes weigh most, whether or not a guard asks about them, since it is the import that answers it.
fn checked(plan: &crate::plan::Plan, refusals: &[Refusal]) -> u8 {
    match (plan.is_empty(), refusals.is_empty(), plan.skipped.is_empty()) {
        (false, _, _) => PENDING,
        (true, false, _) => REFUSED,
        (true, true, false) => INCOMPLETE,
        (true, true, true) => 0,
    }
}
