//! `migrate diff`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Failure, INCOMPLETE, PENDING};
use crate::cli::options::SelectionOptions;
use crate::cli::reports::ReportOptions;
use crate::report::{Report, ReportSubject};
use crate::workflow::compare;

/// Show what differs between two tenants, two snapshots, or one of each
///
/// Resources of one tenant are paired by their ids, those of two tenants by the links of past imports, or by name. Nothing is written.
/// Exit code: 2 if there are differences, otherwise 3 if something cannot be compared, otherwise 0.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The first side: a tenant (read now), a snapshot (dev@latest, dev@2026-11-22, prod@RUN), or the folder of a snapshot
    #[arg(value_name = "A")]
    from: String,
    /// The second side
    #[arg(value_name = "B")]
    to: String,
    #[command(flatten)]
    part: SelectionOptions,
    /// Also include third-party clients: `--include third-party`
    #[arg(long, value_name = "WORD,..", value_delimiter = ',', help_heading = "Selection")]
    include: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
}

impl DiffArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let selection = self.part.selection(context)?;
        let plan = compare(context.environment()?, (&self.from, &self.to), &selection, &self.include).await?;
        let code = match (plan.is_empty(), plan.skipped.is_empty()) {
            (false, _) => PENDING,
            (true, false) => INCOMPLETE,
            (true, true) => 0,
        };
        context.answer_report(&Report::new(ReportSubject::Comparison(&plan), code))?;
        Ok(code)
    }
}
