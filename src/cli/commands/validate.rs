//! `migrate validate`

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::{Failure, USAGE};
use crate::config::TenantSettings;
use crate::diagnostic::Diagnostic;
use crate::mapping::Mapping;
use crate::model::unmatched_rule::UnmatchedRule;
use crate::report::{self, Table};
use crate::workflow::{check_mapping, refuse_unmatched, unmatched_on_disk};

/// Validate the configuration and its mappings, offline
#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    /// Also validate this mapping
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// Fail if a mapping rule matches nothing in the newest snapshot of its source
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ValidateAnswer<'a> {
    tenants: Vec<&'a String>,
    one_tenant: Vec<Vec<String>>,
    mappings: Vec<MappingFields<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct MappingFields<'a> {
    path: &'a Path,
    rules: usize,
}

impl ValidateArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let settings = context.settings()?;
        settings.require()?;
        let mut mappings: Vec<PathBuf> = self.mapping.clone();
        mappings.extend(settings.tenants.values().filter_map(|tenant| tenant.mapping.clone()));
        mappings.sort();
        mappings.dedup();
        let mut checked = Vec::new();
        for path in mappings {
            let (mapping, findings) = check_mapping(context.environment()?, &path)?;
            refuse_findings(&findings, &path)?;
            if self.strict {
                refuse_unmatched(&unmatched(context, &mapping, &path)?)?;
            }
            checked.push((path, mapping.rules.len()));
        }
        let mut tenants = Table::new(&["tenant", "domain", "source", "mapping", "credentials"]);
        for tenant in settings.tenants.values() {
            settings.network(&tenant.name)?;
            let credentials = match settings.check_credentials(&tenant.name) {
                Ok(from) => from.to_owned(),
                Err(missing) => missing.to_string(),
            };
            let mapping = tenant.mapping.as_ref().map(|path| path.display().to_string());
            tenants.row([
                tenant.name.clone(),
                tenant.domain.clone(),
                tenant.source.clone().unwrap_or_default(),
                mapping.unwrap_or_default(),
                credentials,
            ]);
        }
        let text = || {
            let tenants = if tenants.is_empty() { "No tenant is configured.\n".to_owned() } else { tenants.text() };
            let understood = |(path, rules): &(PathBuf, usize)| format!("{}: {} OK.\n", path.display(), report::count(*rules, "rule"));
            let namesakes = settings.namesakes().iter().map(|names| one_tenant(names)).collect::<String>();
            tenants + &namesakes + &checked.iter().map(understood).collect::<String>()
        };
        let json = || {
            let mappings = checked.iter().map(|(path, rules)| MappingFields { path, rules: *rules });
            let names = |tenants: &Vec<&TenantSettings>| tenants.iter().map(|tenant| tenant.name.clone()).collect::<Vec<_>>();
            let one_tenant = settings.namesakes().iter().map(names).collect();
            report::answer(&ValidateAnswer { tenants: settings.tenants.keys().collect(), one_tenant, mappings: mappings.collect() }, 0)
        };
        context.answer(text, json);
        Ok(0)
    }
}

/// Refuses a mapping with problems.
pub(super) fn refuse_findings(findings: &[Diagnostic], path: &Path) -> Result<(), Failure> {
    let failure = match findings {
        [] => return Ok(()),
        [one] => Failure::from_error(USAGE, one),
        _ => {
            let what = format!("{} in {}", report::count(findings.len(), "mistake"), path.display());
            Failure::new(USAGE, what).with_causes(findings.iter().map(ToString::to_string).collect())
        }
    };
    Err(failure.hint("correct the mapping, then run `migrate validate`"))
}

/// Returns the rules that match nothing in any of the sources that a mapping is used for.
fn unmatched(context: &Context, mapping: &Mapping, path: &Path) -> Result<Vec<UnmatchedRule>, Failure> {
    let settings = context.settings()?;
    let uses_it = |tenant: &&TenantSettings| tenant.mapping.as_deref() == Some(path);
    let is_used = settings.tenants.values().any(|tenant| uses_it(&tenant));
    // A mapping that no tenant is configured with may be meant for any of them.
    let targets = settings.tenants.values().filter(|tenant| !is_used || uses_it(tenant));
    let routes: Vec<(&str, &TenantSettings)> = targets.filter_map(|target| Some((target.source.as_deref()?, target))).collect();
    let mut in_all: Option<Vec<UnmatchedRule>> = None;
    for (source, target) in routes {
        let found = unmatched_on_disk(context.environment()?, mapping, source, target)?;
        let of_others = in_all.take();
        in_all =
            Some(of_others.map_or(found.clone(), |rules| {
                rules.into_iter().filter(|rule| found.iter().any(|other| other.place == rule.place)).collect()
            }));
    }
    in_all.ok_or_else(|| {
        Failure::new(USAGE, "no tenant has a source, so there is nothing that rules could match")
            .hint("add `source` to the target in migrate.toml")
    })
}

/// Formats a message that several names refer to one tenant, with the consequences.
fn one_tenant(names: &[&TenantSettings]) -> String {
    let quoted: Vec<String> = names.iter().map(|tenant| format!("\"{}\"", tenant.name)).collect();
    let domain = names.first().map_or("", |tenant| &tenant.domain);
    format!(
        "warning: {} are the same tenant, {domain}: their runs share a lock, but not their state. Keep only one of these names.\n",
        quoted.join(" and ")
    )
}
