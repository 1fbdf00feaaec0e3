//! `migrate runs`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::past_run::status_of;
use crate::report;
use crate::workflow::history::PastRun;
use crate::workflow::run_name::{is_of, names};

/// List past runs, newest first
#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArgs {
    /// Only runs on this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

impl RunsArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        if let Some(tenant) = &self.tenant {
            context.tenant_settings(Some(tenant))?;
        }
        let folder = context.environment()?.folder("runs");
        let all: Vec<(String, Option<PastRun>)> =
            names(&folder).into_iter().map(|name| (name.clone(), PastRun::read(folder.join(&name), &name).ok())).collect();
        let is_meant = |run: &&(String, Option<PastRun>)| match (&self.tenant, &run.1) {
            (Some(tenant), Some(run)) => run.plan.target.tenant == *tenant,
            (Some(tenant), None) => is_of(&run.0, tenant),
            (None, _) => true,
        };
        let mut listed = Vec::new();
        for (name, run) in all.iter().filter(is_meant) {
            listed.push(report::RunEntry { name, status: run.as_ref().map(|run| status_of(context, run)).transpose()? });
        }
        context.answer(|| report::runs(&listed), || report::runs_json(&listed, 0));
        Ok(0)
    }
}
