//! The environment of a use case: configuration, connections, folders and supplied secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};

use super::error::Error;
use super::host::{Host, Notice};
use super::run_name;
use crate::apply::{Summary, SyncState, state_update};
use crate::catalog::Catalog;
use crate::config::{Settings, TenantSettings};
use crate::files;
use crate::management_api::{ApiConfig, Tenant};
use crate::model::event::Observer;
use crate::plan::{Action, Change, Plan, SecretField};
use crate::state::pair::{TenantIdentity, TenantPair};

/// The timeout of one request, including its response.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum number of concurrent requests to one tenant.
pub(crate) const CONCURRENCY: usize = 16;

/// The environment of a use case.
pub struct Environment {
    settings: Settings,
    began: SystemTime,
    /// The name of the run on each target. It is unique, and also appears in the target's log.
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
    /// Creates an environment with this configuration and host.
    #[must_use]
    pub fn new(settings: Settings, host: Arc<dyn Host>) -> Self {
        Self { settings, began: SystemTime::now(), runs: Mutex::default(), host, catalog: Catalog::standard() }
    }

    /// Returns the configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the settings of the tenant with this name.
    ///
    /// # Errors
    ///
    /// If no such tenant is configured.
    pub fn tenant(&self, name: &str) -> Result<&TenantSettings, Error> {
        Ok(self.settings.tenant(name)?)
    }

    /// Prepares a connection to a tenant without sending anything.
    ///
    /// # Errors
    ///
    /// If the tenant has no credentials or an invalid address.
    pub fn connect(&self, of: &TenantSettings) -> Result<Tenant, Error> {
        self.connect_as(of, self.run_on(&of.name))
    }

    /// Returns the client that migrate signs in to a tenant with, as far as that is known without asking anybody.
    pub(crate) fn own_client(&self, of: &TenantSettings) -> Option<String> {
        self.settings.client_of_command(&of.name).or_else(|| self.connect(of).ok()?.client_id())
    }

    /// Prepares a connection whose writes carry the name of this run.
    pub(crate) fn connect_as(&self, of: &TenantSettings, run: String) -> Result<Tenant, Error> {
        let config = ApiConfig {
            name: of.name.clone(),
            domain: of.domain.clone(),
            url: of.url.clone(),
            network: self.settings.network(&of.name)?,
            credentials: self.settings.credentials(&of.name)?,
            tier: of.tier,
            rate: of.rate,
            share: of.share,
            run,
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
        };
        let observer: Arc<dyn Observer> = self.host.clone();
        Tenant::new(config, observer).map_err(|source| Error::of_tenant(source, &of.name))
    }

    /// Returns the folder with this name: `snapshots`, `runs`.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.settings.dir.join(name)
    }

    /// Returns the pair of a source and a target, with its state folder.
    pub(crate) fn pair(&self, source: TenantIdentity, target: &TenantSettings) -> Result<TenantPair, Error> {
        Ok(TenantPair::new(&self.settings.dir, source, TenantIdentity::new(&target.name, &target.domain))?)
    }

    /// Loads the state that earlier runs from a source to a target left.
    pub(crate) fn sync_state(&self, source: TenantIdentity, target: &TenantSettings) -> Result<SyncState, Error> {
        self.load_state(self.pair(source, target)?)
    }

    /// Loads the state for the source and the target of a plan, if these are two tenants.
    pub(crate) fn sync_state_of(&self, plan: &Plan) -> Result<Option<SyncState>, Error> {
        SyncState::pair_of(plan, &self.settings.dir)?.map(|pair| self.load_state(pair)).transpose()
    }

    /// Has the state of every pair of a target follow a run within the target: resources that it created again have new ids.
    pub(crate) fn follow(&self, plan: &Plan, summary: &Summary) -> Result<(), state_update::Error> {
        let is_within = plan.source_tenant() == plan.target.tenant;
        let moves = |change: &Change| matches!(change.action, Action::Create { .. } | Action::Delete { .. });
        if !is_within || !plan.changes().any(moves) {
            return Ok(());
        }
        let target = TenantIdentity::new(&plan.target.tenant, &plan.target.domain);
        for pair in TenantPair::of_target(&self.settings.dir, &target) {
            let mut state = SyncState::load(self.catalog, pair)?;
            state.follow(plan, summary);
            state.save()?;
        }
        Ok(())
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

    /// Returns the name of this run on a target, which is its folder's name and is recorded in the tenant's log with
    /// each write.
    ///
    /// It is the current time, but always later than the newest run's name, so that the order is right even if the
    /// clock was set back.
    pub(crate) fn run_on(&self, target: &str) -> String {
        let mut names = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.entry(target.to_owned()).or_insert_with(|| {
            let newest = run_name::newest_of(&self.folder("runs"), target);
            run_name::name_after(newest.as_deref(), self.began, target)
        });
        name.clone()
    }

    /// Returns a secret that a mapping rule supplies.
    pub(crate) fn secret(&self, field: &SecretField) -> Option<SecretString> {
        self.outside(&field.from)
    }

    /// Returns a supplied secret: `env:NAME` (also from `.env`) or `file:PATH`.
    pub(crate) fn outside(&self, place: &str) -> Option<SecretString> {
        let found = match place.split_once(':')? {
            ("env", name) => self.settings.variable(name)?,
            (_, path) => SecretString::from(files::read_text(Path::new(path)).ok()?.trim_end_matches(['\n', '\r'])),
        };
        (!found.expose_secret().is_empty()).then_some(found)
    }
}

/// Returns the current time: RFC 3339, UTC, whole seconds.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
