//! What a person has configured: `migrate.toml`, `.env` and the environment, resolved into settings.
//!
//! The text of each is read in [`Settings::load`] and nowhere else; what it means is decided by pure functions. A secret is held by
//! [`Credentials`] only and never stands in an error.
//!
//! ```text
//! file.rs          migrate.toml
//! variables.rs     the environment and .env
//! credentials.rs   what a token is had with
//! ```

mod credentials;
mod file;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

pub use crate::diagnostic::Diagnostic;
pub use credentials::Credentials;
pub use variables::Prefix;

use crate::catalog::limits::{Rate, Tier};
use crate::diagnostic::Text;
use crate::files;
use crate::model::approval::Approvals;
use crate::model::limits::ChangeLimits;
use credentials::Asked;
use variables::Variables;

/// The share of a tenant's rate limit that is used where nothing is said, so that people can still log in.
const SHARE: f64 = 0.8;

/// Environment variables by name.
pub type EnvironmentVariables = BTreeMap<String, String>;

/// Returns the variables of this process.
#[must_use]
pub fn environment() -> EnvironmentVariables {
    let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut environment: EnvironmentVariables = set.collect();
    // A job may start without it; the system knows whose process it is all the same.
    if let (None, Some(home)) = (environment.get(HOME), std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok())) {
        environment.insert(HOME.to_owned(), home);
    }
    environment
}

/// The variable with the home of this user.
const HOME: &str = "HOME";
/// The variable with the folder in which programs keep their state; one that is relative counts for nothing (XDG Base Directory Specification).
const STATE_HOME: &str = "XDG_STATE_HOME";

/// Returns the folder in which programs keep the state of this user on this machine.
fn state_home(environment: &EnvironmentVariables) -> Option<PathBuf> {
    let whole = |name: &str| set(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
    whole(STATE_HOME).or_else(|| Some(whole(HOME)?.join(".local/state")))
}

/// Returns the file in which every sandbox of this process records what it is asked, if the environment names one.
pub(super) fn record() -> Option<PathBuf> {
    set(&environment(), variables::RECORD).map(PathBuf::from)
}

/// Everything that was configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenants, by name.
    pub tenants: BTreeMap<String, TenantSettings>,
    /// The folder in which snapshots, links and runs live.
    pub dir: PathBuf,
    /// The folder in which programs keep the state of this user on this machine, where it is known.
    pub state_home: Option<PathBuf>,
    /// The configuration file, where there is one.
    pub config: Option<PathBuf>,
    /// The `.env`, where others than its owner may read or write it.
    pub open_to_others: Option<PathBuf>,
    variables: Variables,
    dotenv: PathBuf,
}

/// What is configured for one tenant.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// Its name on the command line.
    pub name: String,
    /// The tenant's own domain.
    pub domain: String,
    /// Where requests go instead of the domain; always on this machine.
    pub url: Option<String>,
    /// The published rate limits that apply to it.
    pub tier: Option<&'static Tier>,
    /// The rate limit that was written out instead.
    pub rate: Option<Rate>,
    /// The share of the limit to use: above 0, at most 1.
    pub share: f64,
    /// Where settings come from when nothing is said: a tenant, or the path of a snapshot.
    pub source: Option<String>,
    /// The mapping to use when it is the target.
    pub mapping: Option<PathBuf>,
    /// Hosts that are its alone, in lower case; those below them are too.
    pub hosts: Vec<String>,
    /// Patterns of keys that are never written.
    pub protected: Vec<String>,
    /// The shares of resources that one run may change without being allowed to.
    pub most_changed: ChangeLimits,
    /// What runs on it may do that a guard would refuse, also with nobody there.
    pub approved: Approvals,
    /// How the variables with its credentials begin.
    pub prefix: Prefix,
}

impl TenantSettings {
    /// Returns a tenant for which nothing but its domain was said.
    #[must_use]
    pub fn new(name: &str, domain: &str, prefix: Prefix) -> Self {
        Self {
            name: name.to_owned(),
            // Names of hosts are the same in any letters, and the audience of a token is compared letter by letter.
            domain: domain.to_ascii_lowercase(),
            url: None,
            tier: None,
            rate: None,
            share: SHARE,
            source: None,
            mapping: None,
            hosts: Vec::new(),
            protected: Vec::new(),
            most_changed: ChangeLimits::default(),
            approved: Approvals::default(),
            prefix,
        }
    }

    /// Returns what tells the tenant from every other, whatever it is called here: its domain, and the port where it is one of this machine.
    #[must_use]
    pub fn identity(&self) -> String {
        let domain = self.domain.to_ascii_lowercase();
        let port = self.url.as_deref().and_then(|url| reqwest::Url::parse(url).ok()?.port_or_known_default());
        port.map_or(domain.clone(), |port| format!("{domain}@{port}"))
    }
}

/// What could not be understood of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A place in a file is wrong.
    #[error(transparent)]
    Invalid(#[from] Diagnostic),
    /// A line of `.env` is no assignment.
    #[error("line {line} of \"{}\" {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A variable begins like ours and means nothing.
    #[error("unknown variable \"{name}\" in the environment; did you mean {meant}?")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The nearest, or all there are.
        meant: String,
    },
    /// A domain in a variable is none.
    #[error("\"{domain}\" in {variable} is not a tenant domain: {expected}")]
    Domain {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        domain: String,
        /// What should stand there.
        expected: String,
    },
    /// No tenant has this name.
    #[error("unknown tenant \"{name}\"{known}")]
    UnknownTenant {
        /// The name.
        name: String,
        /// The nearest and all there are, as the rest of the sentence.
        known: String,
    },
    /// A tenant's credentials are not set.
    #[error("no credentials for tenant \"{tenant}\": set {missing} in the environment or in \"{}\"", dotenv.display())]
    WithoutCredentials {
        /// The tenant.
        tenant: String,
        /// The variables to set.
        missing: String,
        /// The `.env` that is looked into.
        dotenv: PathBuf,
    },
    /// A tenant's credentials are set in two ways.
    #[error("two kinds of credentials for tenant \"{tenant}\": unset {one} or {other}")]
    TwoWays {
        /// The tenant.
        tenant: String,
        /// A variable.
        one: String,
        /// Another that excludes it.
        other: String,
    },
}

impl Settings {
    /// Reads the configuration file, `.env` beside it and these variables.
    ///
    /// Without `config` it is the file in `MIGRATE_CONFIG`, or `migrate.toml` where that is there; without `dir`, things live in
    /// `MIGRATE_DIR` or beside the configuration.
    ///
    /// # Errors
    ///
    /// When a file that was named is not there, or something in one or in a variable is wrong.
    pub fn load(config: Option<&Path>, dir: Option<&Path>, environment: &EnvironmentVariables) -> Result<Self, Error> {
        let named = config.map(Path::to_owned).or_else(|| set(environment, variables::CONFIG).map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from("migrate.toml"));
        let text = if named.is_some() { Some(files::read_text(&path)?) } else { files::if_exists(files::read_text(&path))? };
        let dotenv =
            FileLookup { path: path.with_file_name(".env"), text: files::if_exists(files::read_text(&path.with_file_name(".env")))? };
        let open_to_others = dotenv.text.is_some().then(|| dotenv.path.clone()).filter(|path| files::is_open_to_others(path));
        Ok(Self { open_to_others, ..Self::resolve(FileLookup { path, text }, dotenv, dir, environment)? })
    }

    /// Decides what the texts of both files and the variables mean.
    ///
    /// # Errors
    ///
    /// When something in a file or in a variable is wrong.
    pub fn resolve(config: FileLookup, dotenv: FileLookup, dir: Option<&Path>, environment: &EnvironmentVariables) -> Result<Self, Error> {
        let variables = Variables::merge(environment, dotenv.found())?;
        let tenants = match config.found() {
            Some(text) => file::read(text)?,
            None => tenant_of_variables(&variables)?,
        };
        let prefixes: Vec<_> = config.found().iter().flat_map(|_| tenants.values().map(|tenant| &tenant.prefix)).collect();
        variables::refuse_unknown(environment, dotenv.found(), &prefixes)?;
        let dir = dir.map(Path::to_owned).or_else(|| variables.path(variables::DIR)).unwrap_or_else(|| beside(&config.path));
        let config = config.text.is_some().then_some(config.path);
        Ok(Self { tenants, dir, state_home: state_home(environment), config, open_to_others: None, variables, dotenv: dotenv.path })
    }

    /// Returns the settings of a tenant.
    ///
    /// # Errors
    ///
    /// When there is none of this name; the nearest is named.
    pub fn tenant(&self, name: &str) -> Result<&TenantSettings, Error> {
        self.tenants.get(name).ok_or_else(|| Error::UnknownTenant { name: name.to_owned(), known: self.known_besides(name) })
    }

    /// Returns the credentials of a tenant.
    ///
    /// # Errors
    ///
    /// When there is no such tenant, its variables are not set or say two things, or its key cannot be read.
    pub fn credentials(&self, name: &str) -> Result<Credentials, Error> {
        Asked { tenant: self.tenant(name)?, variables: &self.variables, dotenv: &self.dotenv }.credentials()
    }

    /// Returns the names of the variables that hold a tenant's credentials; of a client and its secret, where none is set.
    ///
    /// # Errors
    ///
    /// When there is no such tenant, or its variables say two things.
    pub fn variables_of(&self, name: &str) -> Result<Vec<String>, Error> {
        Asked { tenant: self.tenant(name)?, variables: &self.variables, dotenv: &self.dotenv }.names()
    }

    /// Returns what a variable holds, of the environment or of `.env`: secrets that a mapping supplies come from there.
    pub fn variable(&self, name: &str) -> Option<SecretString> {
        self.variables.get(name).cloned()
    }

    /// Returns the tenants that have more than one name here, each as the names it has.
    #[must_use]
    pub fn namesakes(&self) -> Vec<Vec<&TenantSettings>> {
        let mut of_identity: BTreeMap<String, Vec<&TenantSettings>> = BTreeMap::new();
        for tenant in self.tenants.values() {
            of_identity.entry(tenant.identity()).or_default().push(tenant);
        }
        of_identity.into_values().filter(|names| names.len() > 1).collect()
    }

    /// Returns the same settings with a tenant in whose place a copy on this machine answers, at full speed and to another client.
    ///
    /// Nobody else writes to the copy, so its lock stands in its folder too.
    #[must_use]
    pub fn on_a_copy(&self, tenant: &str, url: &str, client: (&str, &str), dir: &Path) -> Self {
        let mut settings = Self { dir: dir.to_owned(), state_home: Some(dir.to_owned()), ..self.clone() };
        if let Some(tenant) = settings.tenants.get_mut(tenant) {
            *tenant = TenantSettings { url: Some(url.to_owned()), tier: None, rate: None, share: 1.0, ..tenant.clone() };
            settings.variables.sign_in(&tenant.prefix, client);
        }
        settings
    }

    fn known_besides(&self, name: &str) -> String {
        let names: Vec<_> = self.tenants.keys().map(String::as_str).collect();
        match (names.is_empty(), crate::diagnostic::nearest(name, names.iter().copied()), &self.config) {
            (true, _, None) => ": there is no migrate.toml, and AUTH0_DOMAIN is not set".to_owned(),
            (true, _, Some(config)) => format!(": \"{}\" defines none", config.display()),
            (false, Some(nearest), _) => format!("; did you mean \"{nearest}\"? Configured: {}", names.join(", ")),
            (false, None, _) => format!("; configured: {}", names.join(", ")),
        }
    }
}

/// Where a file is looked for, and its text where it is there.
#[derive(Debug)]
pub struct FileLookup {
    /// Where it is looked for.
    pub path: PathBuf,
    /// What it holds, where it is there.
    pub text: Option<String>,
}

impl FileLookup {
    fn found(&self) -> Option<Text<'_>> {
        self.text.as_deref().map(|text| Text { path: &self.path, text })
    }
}

/// Returns the one tenant that variables define where there is no file.
fn tenant_of_variables(variables: &Variables) -> Result<BTreeMap<String, TenantSettings>, Error> {
    for (prefix, variable) in Prefix::of_other_tools() {
        let Some(domain) = variables.get(variable) else { continue };
        let domain = domain.expose_secret();
        file::check_domain(domain).map_err(|expected| Error::Domain { variable, domain: domain.to_owned(), expected })?;
        return Ok(BTreeMap::from([("default".to_owned(), TenantSettings::new("default", domain, prefix))]));
    }
    Ok(BTreeMap::new())
}

fn set<'found>(environment: &'found EnvironmentVariables, name: &str) -> Option<&'found String> {
    environment.get(name).filter(|value| !value.is_empty())
}

fn beside(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
