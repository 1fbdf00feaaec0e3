//! The JSON schema of `migrate.toml`, for editors. The file itself is read by hand, for errors that name line and field.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// migrate.toml: the tenants, and how settings are copied between them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
pub(crate) struct ConfigurationFile {
    /// The tenants, by the names that commands use.
    #[serde(default)]
    tenants: BTreeMap<String, TenantTable>,
}

/// A tenant. Its credentials are in the environment or in `.env`: MIGRATE_NAME_CLIENT_ID, MIGRATE_NAME_CLIENT_SECRET.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
struct TenantTable {
    /// The tenant's own domain, not a custom domain: `acme-dev.eu.auth0.com`.
    domain: String,
    /// Another address of the API on this machine: a sandbox, or a proxy.
    url: Option<String>,
    /// The subscription whose published rate limits apply, or the limit itself. Response headers take precedence.
    rate: Option<RateSetting>,
    /// The share of the rate limit to use; 0.8 if missing.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    share: Option<f64>,
    /// The tenant or snapshot that this tenant is a target of.
    source: Option<String>,
    /// The mapping, relative to this file: `mappings/dev-to-prod.toml`.
    mapping: Option<String>,
    /// Further hosts of this tenant; a plan warns if no mapping rule rewrites them.
    #[serde(default)]
    hosts: Vec<String>,
    /// Patterns of resources that are never changed: `clients/Break glass*`.
    #[serde(default)]
    protected: Vec<String>,
    /// What plans for this tenant may contain.
    plan: Option<PlanTable>,
    /// A command that prints the client secret as one line, for where no variable has it.
    client_secret_command: Option<CommandSetting>,
    /// A file with certificates (PEM) of your own authorities, relative to this file: trusted for this tenant besides those of the system.
    ca_file: Option<String>,
    /// The proxy for this tenant instead of the system's: `http://proxy.acme.example:3128`, or `env:NAME` if its URL contains a password.
    proxy: Option<String>,
    /// How nightly syncs read this tenant and its source: `full`, or `incremental` by the tenants' logs.
    nightly: Option<NightlySetting>,
}

/// How nightly syncs read a tenant and its source.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum NightlySetting {
    /// Without further settings.
    Mode(ReadSetting),
    /// With further settings.
    Table(NightlyTable),
}

/// Which part of a tenant is read.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum ReadSetting {
    /// Everything.
    Full,
    /// What the tenant's log says was written to since the last reading.
    Incremental,
}

/// How nightly syncs read a tenant and its source.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
struct NightlyTable {
    /// Which part is read.
    read: Option<ReadSetting>,
    /// How old the last complete reading may be: `7days` if missing.
    full_every: Option<String>,
    /// How late an entry may come into a tenant's log: `1h` if missing.
    log_delay: Option<String>,
}

/// A command, which runs in the folder of this file.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum CommandSetting {
    /// A text for the shell.
    Shell(String),
    /// A program and its arguments, which no shell reads.
    Words(#[schemars(length(min = 1))] Vec<String>),
}

/// A rate limit.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum RateSetting {
    /// A subscription, as `migrate sandbox --help` lists them under `--tier`.
    Tier(String),
    /// The limit itself.
    Limit {
        /// The number of requests allowed at once.
        burst: f64,
        /// The number of requests per second.
        per_second: f64,
    },
}

/// What plans for a tenant may contain.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
struct PlanTable {
    /// Guards that are approved in every run, for all resources or by pattern: `lockout-risk:actions/*`.
    #[serde(default)]
    approve: Vec<String>,
    /// The share of all resources that a plan may change without approval.
    #[schemars(range(min = 0.0, max = 1.0))]
    most_changed: Option<f64>,
    /// The share of the resources of one kind that a plan may change without approval.
    #[schemars(range(min = 0.0, max = 1.0))]
    most_changed_of_a_kind: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::{KEYS, NIGHTLY_KEYS, PLAN_KEYS};

    #[test]
    fn the_published_schema_has_the_keys_that_are_read() {
        let schema = serde_json::to_value(schemars::schema_for!(ConfigurationFile)).expect("JSON");
        let tables = &schema["$defs"];
        for (table, read) in [("TenantTable", KEYS), ("PlanTable", PLAN_KEYS), ("NightlyTable", NIGHTLY_KEYS)] {
            let published: Vec<&String> = tables[table]["properties"].as_object().expect("keys").keys().collect();
            let mut read = read.to_vec();
            read.sort_unstable();
            assert_eq!(published, read, "{table}");
        }
    }
}
