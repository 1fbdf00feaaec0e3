//! The configuration: `migrate.toml`, `.env` and the environment, resolved into settings.
//!
//! All input is read in [`Settings::load`]; pure functions interpret it. Secrets are only in [`Credentials`], and never
//! in an error.
//!
//! ```text
//! search.rs          where migrate.toml is
//! file.rs            migrate.toml
//! variables.rs       the environment and .env
//! credentials.rs     how to authenticate to a tenant
//! secret_command.rs  a client secret that a command prints
//! network.rs         the certificates and the proxy for a tenant
//! ```

mod credentials;
mod error;
mod file;
mod network;
mod nightly;
mod schema;
mod search;
mod secret_command;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

pub use crate::diagnostic::Diagnostic;
pub use credentials::Credentials;
pub use error::{Error, LateSetting, SettingCause, SettingError};
pub use network::{CaFile, ProxySetting};
pub(crate) use schema::ConfigurationFile;
pub use secret_command::SecretCommand;
pub use variables::{Prefix, VariableOrigin};

use crate::catalog::limits::{Rate, Tier};
use crate::diagnostic::Text;
use crate::files;
use crate::model::approval::Approvals;
use crate::model::limits::ChangeLimits;
use crate::model::network::NetworkOptions;
use credentials::Asked;
pub use nightly::NightlyReading;
use search::Found;
use secret_command::KnownSecrets;
use variables::Variables;

/// The default share of a tenant's rate limit, which leaves the rest for user logins.
const SHARE: f64 = 0.8;

/// Environment variables by name.
pub type EnvironmentVariables = BTreeMap<String, String>;

/// Returns the variables of this process.
#[must_use]
pub fn environment() -> EnvironmentVariables {
    let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut environment: EnvironmentVariables = set.collect();
    // A job may start without `HOME`; the system still knows the user's home.
    if let (None, Some(home)) = (environment.get(HOME), std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok())) {
        environment.insert(HOME.to_owned(), home);
    }
    environment
}

/// The variable with the user's home folder.
const HOME: &str = "HOME";
/// The variable with the folder for the state of programs; a relative path is ignored (XDG Base Directory
/// Specification).
const STATE_HOME: &str = "XDG_STATE_HOME";

/// Returns the folder for the state of programs of this user.
fn state_home(environment: &EnvironmentVariables) -> Option<PathBuf> {
    let whole = |name: &str| set(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
    whole(STATE_HOME).or_else(|| Some(whole(HOME)?.join(".local/state")))
}

/// Returns the file in which every sandbox of this process records its requests, if the environment names one.
pub(super) fn record() -> Option<PathBuf> {
    set(&environment(), variables::RECORD).map(PathBuf::from)
}

/// The resolved configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenants, by name.
    pub tenants: BTreeMap<String, TenantSettings>,
    /// The folder of snapshots, state and runs.
    pub dir: PathBuf,
    /// The folder for the state of programs of this user, if known.
    pub state_home: Option<PathBuf>,
    /// The configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// Whether that was found in a folder above the working folder.
    pub is_found_above: bool,
    /// The `.env` file, if others than its owner can read or write it.
    pub open_to_others: Option<PathBuf>,
    variables: Variables,
    dotenv: PathBuf,
    /// What commands have printed so far.
    known: KnownSecrets,
}

/// The configuration of one tenant.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// Its name on the command line.
    pub name: String,
    /// The tenant's own domain.
    pub domain: String,
    /// The URL to use instead of the domain; always on loopback.
    pub url: Option<String>,
    /// The published rate limits that apply to it.
    pub tier: Option<&'static Tier>,
    /// The configured rate limit, which overrides the published one.
    pub rate: Option<Rate>,
    /// The share of the limit to use: above 0, at most 1.
    pub share: f64,
    /// The default source: a tenant, or the path of a snapshot.
    pub source: Option<String>,
    /// The mapping to use when it is the target.
    pub mapping: Option<PathBuf>,
    /// Hosts that belong only to this tenant, in lower case, including their subdomains.
    pub hosts: Vec<String>,
    /// Patterns of protected keys, which are never written.
    pub protected: Vec<String>,
    /// The shares of resources that one run may change without approval.
    pub most_changed: ChangeLimits,
    /// Approvals for every run on this tenant, also unattended ones.
    pub approved: Approvals,
    /// The prefix of its credential variables.
    pub prefix: Prefix,
    /// The command that prints its client secret, for where no variable has it.
    pub secret_command: Option<SecretCommand>,
    /// Certificates of authorities to trust besides those of the system.
    pub ca_file: Option<CaFile>,
    /// The proxy for requests to it, instead of the system's.
    pub proxy: Option<ProxySetting>,
    /// How nightly syncs read it and its source.
    pub nightly: NightlyReading,
}

impl TenantSettings {
    /// Creates the settings of a tenant with nothing but a domain.
    #[must_use]
    pub fn new(name: &str, domain: &str, prefix: Prefix) -> Self {
        Self {
            name: name.to_owned(),
            // Host names ignore case, but the audience of a token does not.
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
            secret_command: None,
            ca_file: None,
            proxy: None,
            nightly: NightlyReading::default(),
        }
    }

    /// Returns what identifies the tenant, whatever its name: its domain, with the port if it is on this machine.
    #[must_use]
    pub fn identity(&self) -> String {
        let domain = self.domain.to_ascii_lowercase();
        let port = self.url.as_deref().and_then(|url| reqwest::Url::parse(url).ok()?.port_or_known_default());
        port.map_or(domain.clone(), |port| format!("{domain}@{port}"))
    }
}

impl Settings {
    /// Loads the configuration file, the `.env` file beside it, and these variables.
    ///
    /// Without `config`, the file is that of `MIGRATE_CONFIG`, or `migrate.toml` in the working folder or the nearest folder
    /// above it that has one; without `dir`, the folder is that of `MIGRATE_DIR`, or that of the configuration.
    ///
    /// # Errors
    ///
    /// If a given file does not exist, one above the working folder belongs to another user, or a file or a variable is
    /// invalid.
    pub fn load(config: Option<&Path>, dir: Option<&Path>, environment: &EnvironmentVariables) -> Result<Self, Error> {
        let named = config.map(Path::to_owned).or_else(|| set(environment, variables::CONFIG).map(PathBuf::from));
        let is_named = named.is_some();
        let (path, is_found_above) = match named {
            Some(path) => (path, false),
            None => match search::search()? {
                Found::Here => (PathBuf::from(search::NAME), false),
                Found::Above(path) => (path, true),
            },
        };
        let text = if is_named { Some(files::read_text(&path)?) } else { files::if_exists(files::read_text(&path))? };
        let dotenv = path.with_file_name(search::DOTENV);
        let dotenv = FileLookup { text: files::if_exists(files::read_text(&dotenv))?, path: dotenv };
        let open_to_others = dotenv.text.is_some().then(|| dotenv.path.clone()).filter(|path| files::is_open_to_others(path));
        Ok(Self { is_found_above, open_to_others, ..Self::resolve(FileLookup { path, text }, dotenv, dir, environment)? })
    }

    /// Resolves the texts of both files and the variables.
    ///
    /// # Errors
    ///
    /// If a file or a variable is invalid.
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
        Ok(Self {
            tenants,
            dir,
            state_home: state_home(environment),
            config,
            is_found_above: false,
            open_to_others: None,
            variables,
            dotenv: dotenv.path,
            known: KnownSecrets::default(),
        })
    }

    /// Checks that there is a configuration: a file, or variables that define a tenant.
    ///
    /// # Errors
    ///
    /// If there is neither.
    pub fn require(&self) -> Result<(), Error> {
        if self.config.is_none() && self.tenants.is_empty() { Err(Error::Unconfigured) } else { Ok(()) }
    }

    /// Returns the settings of a tenant.
    ///
    /// # Errors
    ///
    /// If there is no configuration, or no tenant of this name in it; the error suggests the most similar one.
    pub fn tenant(&self, name: &str) -> Result<&TenantSettings, Error> {
        self.require()?;
        self.tenants.get(name).ok_or_else(|| Error::UnknownTenant { name: name.to_owned(), known: self.known_besides(name) })
    }

    /// Returns the credentials of a tenant. Its command runs only once, and only if no variable says how to sign in.
    ///
    /// # Errors
    ///
    /// If the tenant does not exist, its variables are missing or contradictory, its key cannot be read, or its command
    /// prints no secret.
    pub fn credentials(&self, name: &str) -> Result<Credentials, Error> {
        self.asked(name)?.credentials(&self.known)
    }

    /// Checks the credentials of a tenant without running a command; returns where they come from.
    ///
    /// # Errors
    ///
    /// As [`Self::credentials`], except for the command.
    pub fn check_credentials(&self, name: &str) -> Result<&'static str, Error> {
        self.asked(name)?.check()
    }

    /// Returns the client that a tenant is signed in to with, if a command prints its secret.
    #[must_use]
    pub fn client_of_command(&self, name: &str) -> Option<String> {
        self.asked(name).ok()?.client_of_command()
    }

    /// Returns the certificates and the proxy for requests to a tenant.
    ///
    /// # Errors
    ///
    /// If the tenant does not exist, its certificates cannot be read, or its proxy is not valid.
    pub fn network(&self, name: &str) -> Result<NetworkOptions, Error> {
        let tenant = self.tenant(name)?;
        let authorities = tenant.ca_file.as_ref().map(|file| file.read(name)).transpose()?.unwrap_or_default();
        let proxy = tenant.proxy.as_ref().map(|proxy| proxy.url(name, &|variable| self.variable(variable))).transpose()?;
        Ok(NetworkOptions { authorities, proxy })
    }

    fn asked(&self, name: &str) -> Result<Asked<'_>, Error> {
        Ok(Asked { tenant: self.tenant(name)?, variables: &self.variables, dotenv: &self.dotenv })
    }

    /// Returns the names of the variables for a tenant's credentials; by default those of a client and its secret.
    ///
    /// # Errors
    ///
    /// If the tenant does not exist, or its variables are contradictory.
    pub fn variables_of(&self, name: &str) -> Result<Vec<String>, Error> {
        self.asked(name)?.names()
    }

    /// Returns where the value of a variable comes from, if it is set.
    pub fn origin_of(&self, name: &str) -> Option<VariableOrigin> {
        self.variables.origin_of(name)
    }

    /// Returns the path of the `.env` file, whether it exists or not.
    pub fn dotenv(&self) -> &Path {
        &self.dotenv
    }

    /// Returns the value of a variable in the environment or in `.env`, also for secrets that a mapping supplies.
    pub fn variable(&self, name: &str) -> Option<SecretString> {
        self.variables.get(name).cloned()
    }

    /// Returns the tenants that have several names, each as a list of these.
    #[must_use]
    pub fn namesakes(&self) -> Vec<Vec<&TenantSettings>> {
        let mut of_identity: BTreeMap<String, Vec<&TenantSettings>> = BTreeMap::new();
        for tenant in self.tenants.values() {
            of_identity.entry(tenant.identity()).or_default().push(tenant);
        }
        of_identity.into_values().filter(|names| names.len() > 1).collect()
    }

    /// Returns the same settings with a tenant replaced by a copy on this machine, without rate limit and with another
    /// client.
    ///
    /// Nobody else writes to the copy, so its lock is in its folder too.
    #[must_use]
    pub fn on_a_copy(&self, tenant: &str, url: &str, client: (&str, &str), dir: &Path) -> Self {
        let mut settings = Self { dir: dir.to_owned(), state_home: Some(dir.to_owned()), ..self.clone() };
        if let Some(tenant) = settings.tenants.get_mut(tenant) {
            let url = Some(url.to_owned());
            *tenant = TenantSettings { url, tier: None, rate: None, share: 1.0, ca_file: None, proxy: None, ..tenant.clone() };
            settings.variables.sign_in(&tenant.prefix, client);
        }
        settings
    }

    fn known_besides(&self, name: &str) -> String {
        let names: Vec<_> = self.tenants.keys().map(String::as_str).collect();
        match (names.is_empty(), crate::diagnostic::nearest(name, names.iter().copied()), &self.config) {
            (true, _, Some(config)) => format!(": \"{}\" defines none", config.display()),
            (_, Some(nearest), _) => format!("; did you mean \"{nearest}\"? Configured: {}", names.join(", ")),
            (_, None, _) => format!("; configured: {}", names.join(", ")),
        }
    }
}

/// The path of a file, and its text if it exists.
#[derive(Debug)]
pub struct FileLookup {
    /// The path.
    pub path: PathBuf,
    /// The text, if the file exists.
    pub text: Option<String>,
}

impl FileLookup {
    fn found(&self) -> Option<Text<'_>> {
        self.text.as_deref().map(|text| Text { path: &self.path, text })
    }
}

/// Returns the single tenant defined by variables, for use without a configuration file.
fn tenant_of_variables(variables: &Variables) -> Result<BTreeMap<String, TenantSettings>, Error> {
    for (prefix, variable) in Prefix::of_other_tools() {
        let Some(domain) = variables.get(variable) else { continue };
        let domain = domain.expose_secret();
        file::check_domain(domain).map_err(|expected| Error::Domain { variable, domain: domain.to_owned(), expected })?;
        return Ok(BTreeMap::from([("default".to_owned(), TenantSettings::new("default", domain, prefix))]));
    }
    Ok(BTreeMap::new())
}

/// Returns what is wrong with the domain of a tenant; nothing if it can be one.
pub(crate) fn domain_problem(domain: &str) -> Option<String> {
    file::check_domain(domain).err()
}

/// Returns whether a text can name a tenant: the name is part of names of folders and of variables.
pub(crate) fn is_tenant_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_')
}

fn set<'found>(environment: &'found EnvironmentVariables, name: &str) -> Option<&'found String> {
    environment.get(name).filter(|value| !value.is_empty())
}

fn beside(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
