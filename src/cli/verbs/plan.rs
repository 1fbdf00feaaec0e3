//! `migrate plan`

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::failure::{Failure, PENDING};
use crate::cli::prepare::{Prepared, Route, prepare};
use crate::plan::file;
use crate::report;

/// Show what an import would change; write nothing to any tenant
#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    #[command(flatten)]
    route: Route,
    /// Write the plan into this file, for `migrate import --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// End with 2 when anything would change
    #[arg(long)]
    check: bool,
}

impl Plan {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let Prepared { plan, refusals, .. } = prepare(context, &self.route).await?;
        let next = match &self.out {
            Some(path) => {
                file::save(path, &plan, &refusals)?;
                format!("migrate import --tenant {} --plan {}", plan.target.tenant, path.display())
            }
            None if plan.is_empty() => String::new(),
            None => next_command(&plan, "import"),
        };
        let code = if self.check && !plan.is_empty() { PENDING } else { 0 };
        context.answer(|| report::plan(&plan, &refusals, &next), || report::plan_json(&plan, &refusals, code));
        Ok(code)
    }
}

/// Returns the command that carries a plan out.
pub(super) fn next_command(plan: &crate::plan::Plan, verb: &str) -> String {
    format!("migrate {verb} --tenant {} --from {}", plan.target.tenant, plan.source.tenant)
}
