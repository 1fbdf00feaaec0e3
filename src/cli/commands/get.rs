//! `migrate get`

use clap::Args;

use super::one;
use crate::catalog::Shape;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::options::kind;
use crate::cli::terminal;
use crate::report::ResourceList;

/// Print one resource as the API returns it, without secrets, or list all resources of a kind
///
/// You can edit the output and pass it to `migrate update`. Without a name, lists all resources of the kind with their keys, ids and the
/// fields that tell them apart.
#[derive(Debug, Args)]
pub(in crate::cli) struct GetArgs {
    /// The kind, as `migrate kinds` lists it
    kind: String,
    /// The name or id; without it, the resources of the kind are listed
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
        if self.name.is_none() && kind.shape != Shape::Singleton {
            let listed = one::list(context, &tenant, kind).await?;
            let list = ResourceList::new(&listed, kind);
            context.answer(|| list.text(), || list.json());
            return Ok(0);
        }
        let found = one::find(context, &tenant, kind, self.name.as_deref()).await?;
        context.terminal.progress.clear();
        terminal::print_json(&found.answer.into_value());
        Ok(0)
    }
}
