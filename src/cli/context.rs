//! What every verb needs: settings, tenants, the time, and where to print.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::error::{Failure, USAGE};
use super::history;
use super::signals::Signals;
use super::{Everywhere, Output};
use crate::apply::SyncState;
use crate::catalog::Catalog;
use crate::config::{self, Settings, TenantSettings};
use crate::files;
use crate::management_api::{self, Tenant};
use crate::model::event::Observer;
use crate::model::resource::Secret;
use crate::plan::{Plan, SecretField};
use crate::report::{Mode, Progress, fitted, json_text, printed, shell_word};
use crate::state::pair::{Pair, TenantIdentity};

/// How long one request may take, answer included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests to one tenant that are under way at once.
pub(super) const AT_ONCE: usize = 16;

/// What every verb needs.
#[derive(Debug)]
pub(super) struct Context {
    everywhere: Everywhere,
    settings: OnceLock<Settings>,
    /// Where programs keep their state, where that is not for the settings to say.
    state_home: Option<PathBuf>,
    /// What Auth0 has.
    pub(super) catalog: &'static Catalog,
    /// Who is told what happens.
    pub(super) progress: Arc<Progress>,
    /// Whoever wants to end what goes on.
    pub(super) signals: Signals,
    began: SystemTime,
    /// Tells this run from every other, in the target's log too: by target.
    runs: Mutex<BTreeMap<String, String>>,
}

impl Context {
    pub(super) fn new(everywhere: &Everywhere) -> Self {
        let mode = match (everywhere.quiet, everywhere.verbose) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Verbose,
            (false, false) => Mode::Normal,
        };
        let is_watched = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self {
            everywhere: everywhere.clone(),
            settings: OnceLock::new(),
            state_home: None,
            catalog: Catalog::standard(),
            signals: Signals::default(),
            progress: Arc::new(Progress::new(mode, is_watched)),
            began: SystemTime::now(),
            runs: Mutex::default(),
        }
    }

    /// Returns a context for the same command line that lives in another folder, with its locks: its tenants are nobody else's.
    pub(super) fn in_folder(&self, folder: &Path) -> Self {
        let config = Some(folder.join("migrate.toml"));
        let context = Self::new(&Everywhere { config, dir: None, ..self.everywhere.clone() });
        Self { state_home: Some(folder.join(".state")), ..context }
    }

    /// Returns a context for the same command line with other settings, that says nothing.
    pub(super) fn with(&self, settings: Settings) -> Self {
        let context = Self::new(&Everywhere { quiet: true, verbose: false, ..self.everywhere.clone() });
        let _ = context.settings.set(settings);
        context
    }

    /// Returns a command to be typed next: a verb with its flags, and what this command line says to every verb.
    pub(super) fn command(&self, verb: String, flags: impl IntoIterator<Item = String>) -> String {
        let everywhere = [("--config", &self.everywhere.config), ("--dir", &self.everywhere.dir)];
        let given = |(flag, path): (&str, &Option<PathBuf>)| {
            path.as_ref().map(|path| format!("{flag} {}", shell_word(&path.display().to_string())))
        };
        std::iter::once(verb).chain(flags).chain(everywhere.into_iter().filter_map(given)).collect::<Vec<_>>().join(" ")
    }

    /// Returns the configuration, read once.
    pub(super) fn settings(&self) -> Result<&Settings, Failure> {
        if self.settings.get().is_none() {
            let mut read = Settings::load(self.everywhere.config.as_deref(), self.everywhere.dir.as_deref(), &config::environment())?;
            read.state_home = self.state_home.clone().or(read.state_home);
            if let Some(dotenv) = &read.open_to_others {
                let path = dotenv.display().to_string();
                self.tell(&format!("warning: others can read \"{path}\", which holds credentials: `chmod 600 {}`", shell_word(&path)));
            }
            let _ = self.settings.set(read);
        }
        Ok(self.settings.get().expect("set above"))
    }

    /// Returns the tenant that was named with `--tenant`, or the only one there is.
    pub(super) fn tenant_settings(&self, name: Option<&str>) -> Result<&TenantSettings, Failure> {
        self.tenant_settings_by("--tenant", name)
    }

    /// Returns the tenant that was named with a flag, or the only one there is.
    pub(super) fn tenant_settings_by(&self, flag: &str, name: Option<&str>) -> Result<&TenantSettings, Failure> {
        let settings = self.settings()?;
        match (name, settings.tenants.len()) {
            (Some(name), _) => Ok(settings.tenant(name)?),
            (None, 1) => Ok(settings.tenants.values().next().expect("there is one")),
            (None, 0) => Ok(settings.tenant("default")?),
            (None, _) => {
                let names: Vec<&str> = settings.tenants.keys().map(String::as_str).collect();
                let state = format!("nothing was done: {flag} is missing; there are {}", names.join(", "));
                Err(Failure::new(USAGE, state))
            }
        }
    }

    /// Makes ready to talk to a tenant; sends nothing yet.
    pub(super) fn connect(&self, of: &TenantSettings) -> Result<Tenant, Failure> {
        let config = management_api::ApiConfig {
            name: of.name.clone(),
            domain: of.domain.clone(),
            url: of.url.clone(),
            credentials: self.settings()?.credentials(&of.name)?,
            tier: of.tier,
            rate: of.rate,
            share: of.share,
            run: self.run_on(&of.name)?,
            timeout: TIMEOUT,
            concurrency: AT_ONCE,
        };
        let observer: Arc<dyn Observer> = self.progress.clone();
        Tenant::new(config, observer).map_err(|error| Failure::of_tenant(&error, &of.name))
    }

    /// Returns the folder for one sort of file: `snapshots`, `runs`.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        Ok(self.settings()?.dir.join(name))
    }

    /// Returns a source and a target, and where what is remembered of them stands.
    pub(super) fn pair(&self, source: TenantIdentity, target: &TenantSettings) -> Result<Pair, Failure> {
        Ok(Pair::new(&self.settings()?.dir, source, TenantIdentity::new(&target.name, &target.domain))?)
    }

    /// Reads what runs from a source to a target left for the next one.
    pub(super) fn memory(&self, source: TenantIdentity, target: &TenantSettings) -> Result<SyncState, Failure> {
        self.remembered(self.pair(source, target)?)
    }

    /// Reads what runs left that a plan goes on from.
    pub(super) fn memory_of(&self, plan: &Plan) -> Result<Option<SyncState>, Failure> {
        SyncState::pair_of(plan, &self.settings()?.dir)?.map(|pair| self.remembered(pair)).transpose()
    }

    fn remembered(&self, pair: Pair) -> Result<SyncState, Failure> {
        let mut known: BTreeSet<String> = self.settings()?.tenants.keys().cloned().collect();
        let exported = std::fs::read_dir(self.folder("snapshots")?).into_iter().flatten().filter_map(Result::ok);
        known.extend(exported.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        pair.check()?;
        let moved: Vec<String> = pair.take_over(&known)?.iter().map(|path| path.display().to_string()).collect();
        if let Some(folder) = pair.links().parent().filter(|_| !moved.is_empty()) {
            self.tell(&format!("What is remembered of {pair} stands in {} from now on: moved {}", folder.display(), moved.join(", ")));
        }
        Ok(SyncState::load(self.catalog, pair)?)
    }

    /// Returns the name of this run on a target: its folder, and what the tenant's own log shows beside each write.
    ///
    /// It is the time, but always later than the newest run's name, so that the newest run is the last one also where the clock jumped back.
    pub(super) fn run_on(&self, target: &str) -> Result<String, Failure> {
        let runs = self.folder("runs")?;
        let mut names = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.entry(target.to_owned()).or_insert_with(|| {
            let newest = history::newest_of(&runs, target);
            history::name_after(newest.as_deref(), self.began, target)
        });
        Ok(name.clone())
    }

    pub(super) fn is_json(&self) -> bool {
        self.everywhere.output == Output::Json
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.everywhere.output == Output::Markdown
    }

    /// Prints an answer: the text for people, or the JSON for programs.
    pub(super) fn answer(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        self.answer_as_it_is(|| fitted(&text(), columns(std::io::stdout())), json);
    }

    /// Prints an answer of which the text is for other programs too, so that no line of it is ever broken.
    pub(super) fn answer_as_it_is(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        self.progress.clear();
        if self.is_json() { print_json(&json()) } else { print(&text()) }
    }

    /// Shows a person what is about to be decided on; a program reads the one answer at the end.
    pub(super) fn show(&self, text: impl FnOnce() -> String) {
        if !self.is_json() {
            self.progress.clear();
            print(&fitted(&text(), columns(std::io::stdout())));
        }
    }

    /// Says something about what is going on, unless that was not wanted.
    pub(super) fn tell(&self, text: &str) {
        if !self.everywhere.quiet {
            self.progress.clear();
            print_error(&fitted(&format!("{text}\n"), columns(std::io::stderr())));
        }
    }

    /// Asks before a tenant is written to. Elsewhere than on a terminal `--yes` is needed.
    pub(super) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let state = "nothing was written: nobody is there to confirm it";
            return Err(Failure::new(USAGE, state).hint("add --yes to write without being asked"));
        }
        self.progress.clear();
        print_error(&format!("{question} [y/N] "));
        let mut line = String::new();
        let is_read = std::io::stdin().read_line(&mut line).is_ok();
        if is_read && ["y", "yes"].contains(&line.trim().to_lowercase().as_str()) {
            return Ok(());
        }
        Err(Failure::new(super::error::FAILED, "nothing was written: it was not confirmed"))
    }

    /// Returns a secret that a mapping supplies.
    pub(super) fn secret(&self, field: &SecretField) -> Option<Secret> {
        self.outside(&field.from)
    }

    /// Returns a secret that comes from outside: `env:NAME` (also out of `.env`) or `file:PATH`.
    pub(super) fn outside(&self, place: &str) -> Option<Secret> {
        let found = match place.split_once(':')? {
            ("env", name) => self.settings().ok()?.variable(name)?,
            (_, path) => Secret::new(files::read_text(Path::new(path)).ok()?.trim_end_matches(['\n', '\r'])),
        };
        (!found.reveal().is_empty()).then_some(found)
    }
}

/// Returns the time: RFC 3339, UTC, whole seconds.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Returns how wide a stream is, where it is a terminal: what goes anywhere else is searched and compared by whole lines.
pub(super) fn columns(stream: impl AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0))
}

/// Prints on stdout; colours only where somebody sees them.
pub(super) fn print(text: &str) {
    // A reader that went away (`| head`) is no reason to fail.
    let _ = anstream::stdout().write_all(printed(text).as_bytes());
}

/// Prints JSON on stdout.
pub(super) fn print_json(value: &Value) {
    print(&json_text(value));
}

/// Prints on stderr.
pub(super) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(printed(text).as_bytes());
}
