//! What every use case needs: the configuration, tenants to connect to, folders, secrets from outside, and who runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, pending};

use super::error::Error;
use super::history;
use crate::apply::SyncState;
use crate::catalog::Catalog;
use crate::config::{Settings, TenantSettings};
use crate::files;
use crate::management_api::{ApiConfig, Tenant};
use crate::model::event::{NoObserver, Observer};
use crate::model::resource::Secret;
use crate::plan::{Plan, SecretField};
use crate::state::pair::{TenantIdentity, TenantPair};

/// How long one request may take, answer included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests to one tenant that are in flight at once.
pub(crate) const CONCURRENCY: usize = 16;

/// What a use case reports besides the events of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It waits for another run on the target.
    WaitingForLock {
        /// The target.
        target: String,
        /// Who holds the lock, and since when.
        holder: String,
    },
    /// It took over the lock of a process that died.
    LockTakenOver {
        /// The target.
        target: String,
        /// Who held the lock, and since when.
        holder: String,
    },
    /// The clock is behind the last run, so the new run is named after that one.
    ClockBehind {
        /// The name of the new run.
        run: String,
    },
    /// State files of an older version were moved to their present place.
    StateMoved {
        /// The source and the target.
        pair: String,
        /// The folder they are in now.
        folder: PathBuf,
        /// The files that were moved.
        moved: Vec<String>,
    },
    /// It stops: requests that were sent are still being settled.
    Stopping {
        /// The target.
        target: String,
        /// The folder of the run.
        folder: PathBuf,
    },
}

/// What interrupts a use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// Whoever runs a use case: hears what happens, and may interrupt it.
pub trait Host: Observer {
    /// Reports something besides the events of the engine.
    fn notice(&self, _notice: &Notice) {}

    /// Waits for the next interrupt.
    ///
    /// The first one lets requests that were sent settle, and a second one ends the run at once.
    fn interrupted(&self) -> BoxFuture<'_, Interrupt> {
        Box::pin(pending())
    }
}

impl Host for NoObserver {}

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
        let moved: Vec<String> = pair.take_over(&known)?.iter().map(|path| path.display().to_string()).collect();
        if let Some(folder) = pair.links().parent().filter(|_| !moved.is_empty()) {
            self.host.notice(&Notice::StateMoved { pair: pair.to_string(), folder: folder.to_owned(), moved });
        }
        Ok(SyncState::load(self.catalog, pair)?)
    }

    /// Returns the name of this run on a target: its folder, and what the tenant's own log shows beside each write.
    ///
    /// It is the time, but always later than the newest run's name, so that the newest run is the last one also where the clock jumped back.
    pub(crate) fn run_on(&self, target: &str) -> String {
        let mut names = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.entry(target.to_owned()).or_insert_with(|| {
            let newest = history::newest_of(&self.folder("runs"), target);
            history::name_after(newest.as_deref(), self.began, target)
        });
        name.clone()
    }

    /// Returns a secret that a mapping supplies.
    pub(crate) fn secret(&self, field: &SecretField) -> Option<Secret> {
        self.outside(&field.from)
    }

    /// Returns a secret that comes from outside: `env:NAME` (also out of `.env`) or `file:PATH`.
    pub(crate) fn outside(&self, place: &str) -> Option<Secret> {
        let found = match place.split_once(':')? {
            ("env", name) => self.settings.variable(name)?,
            (_, path) => Secret::new(files::read_text(Path::new(path)).ok()?.trim_end_matches(['\n', '\r'])),
        };
        (!found.reveal().is_empty()).then_some(found)
    }
}

/// Returns the time: RFC 3339, UTC, whole seconds.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
