//! `migrate link` and `migrate unlink`

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::one::{FetchedResource, find_by_id};
use crate::catalog::Kind;
use crate::cli::context::Context;
use crate::cli::error::{FAILED, Failure, USAGE};
use crate::cli::lock::LockOptions;
use crate::cli::options::kind;
use crate::management_api::Tenant;
use crate::model::resource::{Id, Key};
use crate::report::{self, printable};
use crate::workflow::{lock, named_source};

/// Link a resource of the source to a resource of the target
///
/// Imports then treat the two as the same resource, even if their names differ.
#[derive(Debug, Args)]
pub(in crate::cli) struct LinkArgs {
    /// The kind of the two resources
    #[arg(value_name = "KIND")]
    kind: String,
    /// The id in the source
    #[arg(value_name = "SOURCE-ID")]
    source_id: String,
    /// The id in the target
    #[arg(value_name = "TARGET-ID")]
    target_id: String,
    #[command(flatten)]
    pair: PairArgs,
}

/// Remove a link
#[derive(Debug, Args)]
pub(in crate::cli) struct UnlinkArgs {
    /// The kind of the two resources
    #[arg(value_name = "KIND")]
    kind: String,
    /// The id in the source
    #[arg(value_name = "SOURCE-ID")]
    source_id: String,
    #[command(flatten)]
    pair: PairArgs,
}

/// Which two tenants are meant.
#[derive(Debug, Args)]
struct PairArgs {
    /// The target tenant [default: the only one configured]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The source tenant [default: `source` of the target]
    #[arg(long, value_name = "TENANT")]
    from: Option<String>,
    #[command(flatten)]
    lock_timeout: LockOptions,
}

/// A link that was added or removed.
#[derive(Serialize, JsonSchema)]
pub(super) struct LinkAnswer<'a> {
    kind: &'a str,
    source_id: &'a str,
    target_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl PairArgs {
    fn names(&self, context: &Context) -> Result<(String, String), Failure> {
        let target = context.tenant_settings(self.tenant.as_deref())?;
        let missing = || {
            Failure::new(USAGE, format!("no source for \"{}\"", target.name)).hint("name one with --from, or set `source` in migrate.toml")
        };
        let source = self.from.clone().or_else(|| target.source.clone()).ok_or_else(missing)?;
        Ok((source, target.name.clone()))
    }
}

impl LinkArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let of = linkable(context, &self.kind)?;
        let (source, target) = self.pair.names(context)?;
        let settings = context.tenant_settings(Some(&target))?;
        let _lock = lock(context.environment()?, settings, self.pair.lock_timeout.lock_timeout).await?;
        let mut memory = context.environment()?.sync_state(named_source(context.environment()?, &source), settings)?;
        let (_, linked) = found_at(context, &source, of, &self.source_id).await?;
        let (tenant, partner) = found_at(context, &target, of, &self.target_id).await?;
        partner.refuse_reserved(of, &tenant, settings)?;
        let name = linked.name;
        memory.links.link(&Id::new(self.source_id.as_str()), &Id::new(self.target_id.as_str()), &Key::new(of, &name));
        memory.save()?;
        let text = || {
            format!("Linked {} \"{}\" ({}) of {source} to {} of {target}.\n", of.singular, printable(&name), self.source_id, self.target_id)
        };
        let fields = LinkAnswer { kind: of.name, source_id: &self.source_id, target_id: &self.target_id, key: Some(&name) };
        context.answer(text, || report::answer(&fields, 0));
        Ok(0)
    }
}

impl UnlinkArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let of = linkable(context, &self.kind)?;
        let (source, target) = self.pair.names(context)?;
        let settings = context.tenant_settings(Some(&target))?;
        let _lock = lock(context.environment()?, settings, self.pair.lock_timeout.lock_timeout).await?;
        let mut memory = context.environment()?.sync_state(named_source(context.environment()?, &source), settings)?;
        let Some(link) = memory.links.unlink(of.name, &Id::new(self.source_id.as_str())) else {
            let error = format!("no {} \"{}\" of \"{source}\" is linked to \"{target}\"", of.singular, self.source_id);
            return Err(Failure::new(FAILED, error).hint(format!("state/{source}/{target}/links.csv lists all links")));
        };
        memory.base.forget(&Key::new(of, &link.key));
        memory.save()?;
        let text = || {
            format!(
                "Removed the link of {} \"{}\" of {source} to {} of {target}. The next import pairs it by name, or creates it again.\n",
                of.singular,
                printable(&link.key),
                printable(link.target_id.as_str())
            )
        };
        let fields = LinkAnswer { kind: of.name, source_id: &self.source_id, target_id: link.target_id.as_str(), key: None };
        context.answer(text, || report::answer(&fields, 0));
        Ok(0)
    }
}

fn linkable(context: &Context, name: &str) -> Result<&'static Kind, Failure> {
    let of = kind(context, name)?;
    if of.has_own_ids() {
        return Ok(of);
    }
    let error = format!("{} have the same names in every tenant, so there is nothing to link", of.name);
    Err(Failure::new(USAGE, error))
}

/// Returns the resource with an id, and the tenant that has it.
async fn found_at(context: &Context, tenant: &str, of: &'static Kind, id: &str) -> Result<(Tenant, FetchedResource), Failure> {
    let connected = context.environment()?.connect(context.tenant_settings(Some(tenant))?)?;
    let missing = || Failure::new(FAILED, format!("\"{tenant}\" has no {} with the id {id}", of.singular));
    let found = find_by_id(&connected, of, id).await?.ok_or_else(missing)?;
    Ok((connected, found))
}
