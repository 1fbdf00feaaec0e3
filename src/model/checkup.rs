//! The checks of a checkup: whether this machine, the configuration and its tenants are ready for a run.

use schemars::JsonSchema;
use serde::Serialize;

/// One check of a checkup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// The tenant that it is about; `None` for the machine and the configuration as a whole.
    pub tenant: Option<String>,
    /// What was checked.
    pub check: CheckSubject,
    /// The result.
    pub status: CheckStatus,
    /// What was found.
    pub fact: String,
    /// What to do about it, unless everything is right.
    pub advice: Option<String>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSubject {
    /// `migrate.toml`.
    Configuration,
    /// The `.env` file and who can read it.
    Dotenv,
    /// The folders of snapshots, state and runs.
    Folders,
    /// The way to the tenant: proxy and certificates.
    Network,
    /// Whether there are credentials, and where they come from.
    Credentials,
    /// Whether the tenant accepts them.
    SignIn,
    /// Whether the tenant that answers is the configured one.
    Tenant,
    /// The client that migrate signs in with.
    Client,
    /// The scopes of its token.
    Scopes,
    /// The rate limit.
    RateLimit,
    /// The clock of this machine, by that of the tenant.
    Clock,
    /// The mapping of a target.
    Mapping,
    /// The secrets that the mapping needs.
    Secrets,
    /// The lock of a target.
    Lock,
    /// Unfinished runs on a target.
    Runs,
}

impl CheckSubject {
    /// Returns its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Dotenv => ".env",
            Self::Folders => "folders",
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::SignIn => "sign-in",
            Self::Tenant => "tenant",
            Self::Client => "client",
            Self::Scopes => "scopes",
            Self::RateLimit => "rate limit",
            Self::Clock => "clock",
            Self::Mapping => "mapping",
            Self::Secrets => "secrets",
            Self::Lock => "lock",
            Self::Runs => "runs",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Everything is right.
    Ok,
    /// It could not be checked, because another check failed.
    Unchecked,
    /// A run is possible, but something should be done.
    Warning,
    /// It stops a run.
    Failure,
}

impl Check {
    /// Creates a check that found everything right.
    pub(crate) fn ok(check: CheckSubject, fact: impl Into<String>) -> Self {
        Self { tenant: None, check, status: CheckStatus::Ok, fact: fact.into(), advice: None }
    }

    /// Creates a check that could not be made.
    pub(crate) fn unchecked(check: CheckSubject, reason: impl Into<String>) -> Self {
        Self { status: CheckStatus::Unchecked, ..Self::ok(check, reason) }
    }

    /// Creates a check with a finding that stops no run.
    pub(crate) fn warning(check: CheckSubject, fact: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: CheckStatus::Warning, advice: Some(advice.into()), ..Self::ok(check, fact) }
    }

    /// Creates a check with a finding that stops a run.
    pub(crate) fn failure(check: CheckSubject, fact: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: CheckStatus::Failure, advice: Some(advice.into()), ..Self::ok(check, fact) }
    }

    /// Returns the check as one of a tenant.
    #[must_use]
    pub(crate) fn of_tenant(self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self }
    }
}

/// Everything that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// The tenants, in the order of the checks.
    pub tenants: Vec<CheckedTenant>,
    /// The checks: those of the machine first.
    pub checks: Vec<Check>,
}

/// A tenant that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckedTenant {
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// The tenants that it is the source of.
    pub source_of: Vec<String>,
    /// Its source, if it is a target.
    pub source: Option<String>,
    /// Whether it did not accept the credentials.
    pub is_denied: bool,
}

impl Checkup {
    /// Returns the number of checks with this status.
    #[must_use]
    pub fn count(&self, status: CheckStatus) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// Returns whether something stops a run.
    #[must_use]
    pub fn stops_a_run(&self) -> bool {
        self.count(CheckStatus::Failure) > 0
    }
}
