//! `migrate doctor`

use clap::Args;

use crate::catalog::Kind;
use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::cli::options::kind;
use crate::cli::terminal::columns;
use crate::report;
use crate::workflow::{CheckupScope, examine};

/// Check whether everything is ready for a run
///
/// Checks this machine (configuration and folders), each tenant (credentials and where they come from, proxy and certificates, signing in,
/// whether the configured tenant answers, the client that migrate signs in with, its scopes, the rate limit and the clock), and each target
/// (mapping, the secrets that it needs, the lock and unfinished runs). Says what to do about everything that is not right. Writes nothing, and
/// sends only two or three requests to each tenant. Exits with 64 if something would stop a run.
#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Check only this tenant [default: all]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Check only the scopes that these kinds need [default: all kinds]
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    kinds: Vec<String>,
}

impl DoctorArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let tenant = self.tenant.as_deref().map(|name| context.tenant_settings(Some(name))).transpose()?;
        let named = self.kinds.iter().map(|name| kind(context, name)).collect::<Result<Vec<&'static Kind>, _>>()?;
        let kinds = if named.is_empty() { context.catalog.kinds().collect() } else { named };
        let checkup = examine(context.environment()?, &CheckupScope { tenant, kinds }).await;
        let code = if checkup.stops_a_run() { USAGE } else { 0 };
        let text = || report::checkup(&checkup, columns(std::io::stdout()));
        context.answer_as_it_is(text, || report::checkup_json(&checkup, code));
        Ok(code)
    }
}
