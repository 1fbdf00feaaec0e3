//! `migrate plan`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::dry_run::{Next, Planned, Stop};
use crate::cli::error::{Failure, PENDING};
use crate::cli::options::RouteOptions;
use crate::cli::reports::ReportOptions;
use crate::model::approval::Approvals;
use crate::workflow::{prepare, unapproved};

/// Show what an import would change, without writing to any tenant
///
/// The exit codes are those of `import --dry-run`: 4 if a guard refuses the plan, otherwise 3 if something is skipped, otherwise 0. With --check: 2
/// if there are changes, even if a guard refuses them. With --out: otherwise 0, since the saved plan is reviewed later.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    route: RouteOptions,
    /// Save the plan to this file, for `migrate approve` and `migrate import --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 if anything would change, even if a guard refuses the plan
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
}

impl PlanArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.route.tenant.as_deref())?;
        let prepared = prepare(context.environment()?, &self.route.route(context, &target.name)?).await?;
        let stop = Stop::after_plan(self.out.clone(), self.check.then_some(PENDING));
        let left = unapproved(prepared.refusals.clone(), &Approvals::default(), target, stop.review());
        let estimate = Some(prepared.estimate());
        let planned = Planned { plan: &prepared.plan, refusals: &prepared.refusals, unapproved: &left, estimate };
        stop.after(context, planned, Next { command: self.route.import(&prepared.plan), allow: Vec::new(), flags: Vec::new() })
    }
}
