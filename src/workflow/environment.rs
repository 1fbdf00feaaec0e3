//! What every use case needs: the configuration, tenants to connect to, folders, and secrets from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};

use super::error::Error;
use super::host::{Host, Notice};
use super::run_name;
use crate::apply::SyncState;
use crate::catalog::Catalog;
use crate::config::{Settings, TenantSettings};
use crate::files;
use crate::management_api::{ApiConfig, Tenant};
use crate::model::event::Observer;
use crate::plan::{Plan, SecretField};
use crate::state::pair::{TenantIdentity, TenantPair};

/// How long one request may take, answer included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests to one tenant that are in flight at once.
pub(crate) const CONCURRENCY: usize = 16;

/// What every use case needs.
pub struct Environment {
    settings: Settings,
    began: SystemTime,
    /// The name of the run on each target, which tells it from every other, in the target's log too.
    runs: Mutex<BTreeMap<String, String>>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) catalog: &'static Catalog,
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Environment").field("settings", &self.settings).field("began", &self.began).finish_non_exhaustive()
    }
}

impl Environment {
    /// Returns the environment of a program with this configuration, which this host runs.
    #[must_use]
    pub fn new(settings: Settings, host: Arc<dyn Host>) -> Self {
        Self { settings, began: SystemTime::now(), runs: Mutex::default(), host, catalog: Catalog::standard() }
    }

    /// Returns the configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the settings of the tenant of a name.
    ///
    /// # Errors
    ///
    /// When no such tenant is configured.
    pub fn tenant(&self, name: &str) -> Result<&TenantSettings, Error> {
        Ok(self.settings.tenant(name)?)
    }

    /// Prepares a connection to a tenant; sends nothing yet.
    ///
    /// # Errors
    ///
    /// When there are no credentials for the tenant, or its address is unusable.
    pub fn connect(&self, of: &TenantSettings) -> Result<Tenant, Error> {
        let config = ApiConfig {
            name: of.name.clone(),
            domain: of.domain.clone(),
            url: of.url.clone(),
            credentials: self.settings.credentials(&of.name)?,
            tier: of.tier,
            rate: of.rate,
            share: of.share,
            run: self.run_on(&of.name),
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
        };
        let observer: Arc<dyn Observer> = self.host.clone();
        Tenant::new(config, observer).map_err(|source| Error::of_tenant(source, &of.name))
    }

    /// Returns the folder for one sort of file: `snapshots`, `runs`.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.settings.dir.join(name)
    }

    /// Returns a source and a target, and where their state is.
    pub(crate) fn pair(&self, source: TenantIdentity, target: &TenantSettings) -> Result<TenantPair, Error> {
        Ok(TenantPair::new(&self.settings.dir, source, TenantIdentity::new(&target.name, &target.domain))?)
    }

    /// Reads the state that runs from a source to a target left.
    pub(crate) fn sync_state(&self, source: TenantIdentity, target: &TenantSettings) -> Result<SyncState, Error> {
        self.load_state(self.pair(source, target)?)
    }

    /// Reads the state that belongs to the source and the target of a plan, where it has two tenants.
    pub(crate) fn sync_state_of(&self, plan: &Plan) -> Result<Option<SyncState>, Error> {
        SyncState::pair_of(plan, &self.settings.dir)?.map(|pair| self.load_state(pair)).transpose()
    }

    fn load_state(&self, pair: TenantPair) -> Result<SyncState, Error> {
        let mut known: BTreeSet<String> = self.settings.tenants.keys().cloned().collect();
        let exported = std::fs::read_dir(self.folder("snapshots")).into_iter().flatten().filter_map(Result::ok);
        known.extend(exported.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        pair.check()?;
        let files: Vec<String> = pair.take_over(&known)?.iter().map(|path| path.display().to_string()).collect();
        if let Some(folder) = pair.links().parent().filter(|_| !files.is_empty()) {
            self.host.notice(&Notice::StateMoved { pair: pair.to_string(), folder: folder.to_owned(), files });
        }
        Ok(SyncState::load(self.catalog, pair)?)
    }

    /// Returns the name of this run on a target: its folder, and what the tenant's own log shows beside each write.
    ///
    /// It is the time, but always later than the newest run's name, so that the newest run is the last one also where the clock jumped back.
    pub(crate) fn run_on(&self, target: &str) -> String {
        let mut names = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.entry(target.to_owned()).or_insert_with(|| {
            let newest = run_name::newest_of(&self.folder("runs"), target);
            run_name::name_after(newest.as_deref(), self.began, target)
        });
        name.clone()
    }

    /// Returns a secret that a mapping supplies.
    pub(crate) fn secret(&self, field: &SecretField) -> Option<SecretString> {
        self.outside(&field.from)
    }

    /// Returns a secret that comes from outside: `env:NAME` (also out of `.env`) or `file:PATH`.
    pub(crate) fn outside(&self, place: &str) -> Option<SecretString> {
        let found = match place.split_once(':')? {
            ("env", name) => self.settings.variable(name)?,
            (_, path) => SecretString::from(files::read_text(Path::new(path)).ok()?.trim_end_matches(['\n', '\r'])),
        };
        (!found.expose_secret().is_empty()).then_some(found)
    }
}

/// Returns the time: RFC 3339, UTC, whole seconds.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
