//! `migrate probe`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, INCOMPLETE, USAGE};
use crate::cli::options::SelectionOptions;
use crate::cli::probe::ProbeCommands;
use crate::report;
use crate::workflow::history::PastRun;
use crate::workflow::{probe, probe_again, refuse_another_target};

/// Check whether logins start
///
/// Asks /authorize for every application with each of its callbacks, and the discovery document and signing keys of every domain, as a
/// browser does before anybody signs in. Each login must lead to the login page or to an identity provider. Sends no credentials, signs nobody in, follows no redirect
/// and sends at most a few requests per second.
///
/// With --run, asks again what was asked by `migrate import --probe`, and compares the answers with those from before the run.
#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeArgs {
    /// The tenant to ask [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// Ask again what was asked before and after this run
    #[arg(long, value_name = "RUN", conflicts_with_all = ["kinds", "only", "exclude"])]
    run: Option<String>,
    #[command(flatten)]
    part: SelectionOptions,
}

impl ProbeArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let environment = context.environment()?;
        let (target, report, commands) = if let Some(run) = &self.run {
            let past = PastRun::load(environment, run)?;
            let target = context.tenant_settings(Some(self.tenant.as_ref().unwrap_or(&past.plan.target.tenant)))?;
            refuse_another_target(&past.plan, target)?;
            let not_probed = || {
                let failure = Failure::new(FAILED, format!("the run \"{run}\" was not probed"));
                failure.hint(format!("`migrate probe --tenant {}` asks without comparing", target.name))
            };
            let report = probe_again(environment, target, &past.folder).await.ok_or_else(not_probed)?;
            let commands = ProbeCommands::of_run(context, &past.folder, &report);
            (target, report, commands)
        } else {
            let selection = self.part.selection(context)?;
            let target = context.tenant_settings(self.tenant.as_deref())?;
            let report = probe(environment, target, &selection).await?;
            if report.results.iter().all(|result| result.question.client().is_none()) && report.not_probed.is_empty() {
                return Err(Failure::new(USAGE, format!("\"{}\" has no application that matches {selection}", target.name))
                    .hint("`migrate get clients` lists all applications"));
            }
            (target, report, ProbeCommands::of_tenant(context, &target.name, self.part.to_shell()))
        };
        let code = if report.fails() { INCOMPLETE } else { 0 };
        let view = commands.view(&report);
        context.answer(|| report::probed(&view, &target.name, context.layout()), || report::probed_json(&view, &target.name, code));
        Ok(code)
    }
}
