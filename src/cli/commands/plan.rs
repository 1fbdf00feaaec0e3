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

/// The long help: a list that a doc comment would join to one paragraph.
const LONG: &str = "\
Show what an import would change, without writing to any tenant

Exit codes, the first that applies:
  2  with --check: something would change, even if a guard refuses it
  0  with --out: the plan was saved, to be reviewed later
  4  a guard refuses the plan
  3  something is skipped
  0  otherwise";

/// Show what an import would change, without writing to any tenant
#[derive(Debug, Args)]
#[command(long_about = LONG)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    route: RouteOptions,
    /// Save the plan to this file, for `migrate approve` and `migrate import --plan`
    #[arg(long, value_name = "FILE", help_heading = "Plan and run")]
    out: Option<PathBuf>,
    /// Exit with 2 if anything would change, even if a guard refuses the plan
    #[arg(long, help_heading = "Plan and run")]
    check: bool,
    /// Accepted and ignored: a plan writes to no tenant
    #[arg(long, hide = true, help_heading = "Plan and run")]
    dry_run: bool,
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
