//! `migrate validate`

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::config::TenantSettings;
use crate::mapping::Mapping;
use crate::report::{self, Table};

/// Validate the configuration and its mappings, without network access
#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    /// Also validate this mapping
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
}

#[derive(Serialize)]
struct ValidateAnswer<'a> {
    tenants: Vec<&'a String>,
    one_tenant: Vec<Vec<String>>,
    mappings: Vec<MappingFields<'a>>,
}

#[derive(Serialize)]
struct MappingFields<'a> {
    path: &'a Path,
    rules: usize,
}

impl ValidateArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let settings = context.settings()?;
        let mut mappings: Vec<PathBuf> = self.mapping.clone();
        mappings.extend(settings.tenants.values().filter_map(|tenant| tenant.mapping.clone()));
        mappings.sort();
        mappings.dedup();
        let mut checked = Vec::new();
        for path in mappings {
            let mapping = Mapping::load(context.catalog, &path)?;
            checked.push((path, mapping.rules.len()));
        }
        let mut tenants = Table::new(&["tenant", "domain", "source", "mapping", "credentials"]);
        for tenant in settings.tenants.values() {
            let credentials = match settings.credentials(&tenant.name) {
                Ok(_) => "set".to_owned(),
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

/// Says that several names are one tenant, and what that means.
fn one_tenant(names: &[&TenantSettings]) -> String {
    let quoted: Vec<String> = names.iter().map(|tenant| format!("\"{}\"", tenant.name)).collect();
    let domain = names.first().map_or("", |tenant| &tenant.domain);
    format!(
        "warning: {} are one tenant, {domain}: runs on them share one lock, but not what is remembered of earlier runs. Keep one name.\n",
        quoted.join(" and ")
    )
}
