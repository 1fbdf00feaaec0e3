//! `migrate scopes`

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::Kind;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::cli::options::kind;
use crate::management_api::LOG_SCOPES;
use crate::report;
use crate::workflow::{TenantAccess, needed_scopes};

/// Print the Management API scopes that migrate needs
///
/// The optional ones are listed on stderr, with what they are for.
#[derive(Debug, Args)]
pub(in crate::cli) struct ScopesArgs {
    /// The command that needs the scopes
    #[arg(long = "for", value_name = "VERB", default_value = "import", value_enum)]
    purpose: Purpose,
    /// Only these kinds
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    kinds: Vec<String>,
}

/// The purpose of the scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// To read a source, or to plan against a target
    Export,
    /// To read and write a target
    Import,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ScopesAnswer<'a> {
    #[serde(rename = "for")]
    purpose: String,
    scopes: &'a BTreeSet<&'a str>,
    optional: [OptionalScope; 1],
}

/// A scope without which only some information is missing.
#[derive(Serialize, JsonSchema)]
struct OptionalScope {
    scope: &'static str,
    purpose: &'static str,
}

/// The scope for the tenant's log.
const READ_LOG: OptionalScope = OptionalScope {
    scope: LOG_SCOPES[0],
    purpose: "names who changed a target: in drift, conflicts, stale plans and undos; needed by `show --verify`",
};

impl ScopesArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let named = self.kinds.iter().map(|name| kind(context, name)).collect::<Result<Vec<&Kind>, _>>()?;
        let is_meant = |kind: &&Kind| named.is_empty() || named.iter().any(|named| named.name == kind.name);
        let access = if self.purpose == Purpose::Export { TenantAccess::Read } else { TenantAccess::Write };
        let scopes = needed_scopes(context.catalog.kinds().filter(is_meant), access);
        let text = || scopes.iter().flat_map(|scope| [*scope, "\n"]).collect();
        context.answer_as_it_is(text, || {
            report::answer(
                &ScopesAnswer { purpose: format!("{:?}", self.purpose).to_lowercase(), scopes: &scopes, optional: [READ_LOG] },
                0,
            )
        });
        context.tell(&format!("Optional: {} {}", READ_LOG.scope, READ_LOG.purpose));
        Ok(0)
    }
}
