//! `migrate mapping`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::files;
use crate::mapping::suggestion::Suggestion;
use crate::report;
use crate::workflow::{SuggestedMapping, suggest_mapping};

/// Suggest a mapping
#[derive(Debug, Args)]
pub(in crate::cli) struct MappingArgs {
    #[command(subcommand)]
    command: MappingCommand,
}

#[derive(Debug, Subcommand)]
enum MappingCommand {
    Suggest(SuggestArgs),
}

/// Suggest rules for values that differ between a source and a target
///
/// Compares the resources that both tenants have: hosts in the same place, resources whose names differ by the name of the tenant, metadata,
/// texts that name the source, and addresses of developers' own machines. Prints a mapping with the evidence above each rule. What only the
/// source has, or what the target's mapping already covers, is not suggested. Reads both tenants and writes to none.
#[derive(Debug, Args)]
struct SuggestArgs {
    /// The target tenant [default: the only one configured, or the only one with a source]
    #[arg(long, visible_alias = "to", value_name = "TENANT")]
    tenant: Option<String>,
    /// The source: a tenant (read now), a snapshot (dev@latest), or the folder of a snapshot [default: `source` of the target]
    #[arg(long, value_name = "TENANT|SNAPSHOT")]
    from: Option<String>,
    /// The mapping whose rules are not suggested again [default: `mapping` of the target]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Write the mapping to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SuggestAnswer<'a> {
    source: &'a str,
    target: &'a str,
    suggestions: &'a [Suggestion],
    toml: &'a str,
    file: Option<&'a PathBuf>,
}

impl MappingArgs {
    pub(in crate::cli) async fn run(&self, context: &Context) -> Result<u8, Failure> {
        let MappingCommand::Suggest(suggest) = &self.command;
        suggest.run(context).await
    }
}

impl SuggestArgs {
    async fn run(&self, context: &Context) -> Result<u8, Failure> {
        if let Some(path) = self.out.as_ref().filter(|path| path.exists()) {
            return Err(Failure::new(USAGE, format!("\"{}\" exists already, and is not overwritten", path.display()))
                .hint("name another file with --out, or leave --out out to print the mapping"));
        }
        let target = context.target_settings(self.tenant.as_deref())?.name.clone();
        let route = (self.from.as_deref(), target.as_str());
        let suggested = suggest_mapping(context.environment()?, route, self.mapping.as_ref()).await?;
        let SuggestedMapping { source, target, suggestions, text, .. } = &suggested;
        if let Some(path) = &self.out {
            files::write_whole(path, text.as_bytes())?;
        }
        let json = || report::answer(&SuggestAnswer { source, target, suggestions, toml: text, file: self.out.as_ref() }, 0);
        let said = || match &self.out {
            Some(path) => format!("Wrote {} to {}.\n", report::count(suggestions.len(), "suggested rule"), path.display()),
            None => text.clone(),
        };
        context.answer_as_it_is(said, json);
        Ok(0)
    }
}
