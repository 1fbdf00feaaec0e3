//! `migrate get`

use clap::Args;

use super::one;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::options::kind;
use crate::cli::terminal;

/// Print one resource as the API returns it, without secrets
///
/// The output can be edited and passed to `migrate update`.
#[derive(Debug, Args)]
pub(in crate::cli) struct GetArgs {
    /// The kind, as `migrate kinds` lists it
    kind: String,
    /// The name or id; omit it for kinds with a single resource
    #[arg(value_name = "NAME|ID")]
    name: Option<String>,
    /// The tenant to read [default: the only one configured]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

impl GetArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let kind = kind(context, &self.kind)?;
        let tenant = context.environment()?.connect(context.tenant_settings(self.tenant.as_deref())?)?;
        let found = one::find(context, &tenant, kind, self.name.as_deref()).await?;
        context.terminal.progress.clear();
        terminal::print_json(&found.answer.into_value());
        Ok(0)
    }
}
