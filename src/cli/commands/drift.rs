//! `migrate drift`

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::{Failure, INCOMPLETE, PENDING, USAGE};
use crate::cli::options::SelectionOptions;
use crate::cli::reports::ReportOptions;
use crate::export::{Purpose, Scope};
use crate::plan::drift_of;
use crate::report::{Report, ReportSubject};
use crate::workflow::{ReadTarget, attribute_drift, includable, included, named_source, read};

/// Show what was changed directly in a target since the last run
///
/// Exits with 3 if an applied value cannot be compared, for example because the token may not read it.
#[derive(Debug, Args)]
pub(in crate::cli) struct DriftArgs {
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The source tenant [default: `source` of the target]
    #[arg(long, value_name = "TENANT")]
    from: Option<String>,
    #[command(flatten)]
    part: SelectionOptions,
    /// Exit with 2 if there is drift
    #[arg(long, help_heading = "Reporting")]
    check: bool,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
}

impl DriftArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let target = context.tenant_settings(self.tenant.as_deref())?;
        let Some(source) = self.from.as_deref().or(target.source.as_deref()) else {
            let error = format!("no source for \"{}\"", target.name);
            return Err(Failure::new(USAGE, error).hint("name one with --from, or set `source` in migrate.toml"));
        };
        let selection = self.part.selection(context)?;
        let memory = context.environment()?.sync_state(named_source(context.environment()?, source), target)?;
        if memory.lacks_base() {
            let error = format!("state/{source}/{}/baseline.json is missing", target.name);
            return Err(Failure::new(USAGE, error).hint("restore the file of the last run: drift cannot be detected without it"));
        }
        if memory.base.is_empty() {
            let error = format!("\"{source}\" was never applied to \"{}\"", target.name);
            return Err(Failure::new(USAGE, error).hint("run an import first: drift is measured against the values that it applied"));
        }
        let tenant = context.environment()?.connect(target)?;
        // An earlier run may have included resources that are excluded by default.
        let include: Vec<String> = includable(context.catalog).into_iter().map(str::to_owned).collect();
        let scope = Scope { selection, include: included(context.catalog, &include)?, purpose: Purpose::COMPARE, names_everything: false };
        let names_others = scope.names_others_in(context.catalog, memory.base.iter().map(|(key, applied)| (key, &applied.body)));
        let scope = if names_others { scope.with_names() } else { scope };
        let live = read(context.environment()?, &tenant, target, &scope).await?;
        let mut drifted = drift_of(context.catalog, &memory.base, &live);
        let read_target = ReadTarget { environment: context.environment()?, tenant: &tenant, live: &live };
        attribute_drift(read_target, (source, &memory.base), &mut drifted).await;
        let code = match (self.check && !drifted.is_none(), drifted.unseen.is_empty()) {
            (true, _) => PENDING,
            (false, false) => INCOMPLETE,
            (false, true) => 0,
        };
        context.answer_report(&Report::new(ReportSubject::Drift { target: &target.name, drift: &drifted }, code))?;
        Ok(code)
    }
}
