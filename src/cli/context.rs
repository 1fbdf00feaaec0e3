//! What every command needs: the environment of its use case, and the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::error::{FAILED, Failure, USAGE};
use super::pager::page;
use super::terminal::{Terminal, columns, print, print_json};
use super::{Everywhere, Output};
use crate::catalog::Catalog;
use crate::config::{self, Settings, TenantSettings};
use crate::report::{Layout, fitted, shell_word};
use crate::workflow::Environment;

/// What every command needs.
#[derive(Debug)]
pub(super) struct Context {
    everywhere: Everywhere,
    /// Read once, and by none of the commands that need no configuration.
    environment: OnceLock<Environment>,
    /// Where programs keep their state, where that is not for the settings to say.
    state_home: Option<PathBuf>,
    /// What Auth0 has.
    pub(super) catalog: &'static Catalog,
    /// Where events are shown, and interrupts come from.
    pub(super) terminal: Arc<Terminal>,
}

impl Context {
    pub(super) fn new(everywhere: &Everywhere) -> Self {
        Self {
            everywhere: everywhere.clone(),
            environment: OnceLock::new(),
            state_home: None,
            catalog: Catalog::standard(),
            terminal: Arc::new(Terminal::new(everywhere.quiet, everywhere.verbose)),
        }
    }

    /// Returns a context for the same command line that lives in another folder, with its locks: its tenants are nobody else's.
    pub(super) fn in_folder(&self, folder: &Path) -> Self {
        let config = Some(folder.join("migrate.toml"));
        let context = Self::new(&Everywhere { config, dir: None, no_pager: true, ..self.everywhere.clone() });
        Self { state_home: Some(folder.join(".state")), ..context }
    }

    /// Returns a command to be typed next: a verb with its flags, and what this command line says to every verb.
    pub(super) fn command(&self, verb: String, flags: impl IntoIterator<Item = String>) -> String {
        let everywhere = [("--config", &self.everywhere.config), ("--dir", &self.everywhere.dir)];
        let given = |(flag, path): (&str, &Option<PathBuf>)| {
            path.as_ref().map(|path| format!("{flag} {}", shell_word(&path.display().to_string())))
        };
        std::iter::once(verb).chain(flags).chain(everywhere.into_iter().filter_map(given)).collect::<Vec<_>>().join(" ")
    }

    /// Returns the command that resumes the run in a folder.
    pub(super) fn resume(&self, target: &str, folder: &Path, flags: Vec<String>) -> String {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        self.command(format!("migrate import --tenant {target} --resume {name}"), flags)
    }

    /// Returns the environment of the use case; the configuration is read for the first caller.
    pub(super) fn environment(&self) -> Result<&Environment, Failure> {
        if self.environment.get().is_none() {
            let mut read = Settings::load(self.everywhere.config.as_deref(), self.everywhere.dir.as_deref(), &config::environment())?;
            read.state_home = self.state_home.clone().or(read.state_home);
            if let Some(dotenv) = &read.open_to_others {
                let path = dotenv.display().to_string();
                self.tell(&format!(
                    "warning: \"{path}\" holds credentials and can be read by other users: run `chmod 600 {}`",
                    shell_word(&path)
                ));
            }
            let _ = self.environment.set(Environment::new(read, self.terminal.clone()));
        }
        Ok(self.environment.get().expect("set above"))
    }

    /// Returns the configuration.
    pub(super) fn settings(&self) -> Result<&Settings, Failure> {
        Ok(self.environment()?.settings())
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
                let error = format!("{flag} is missing; configured tenants: {}", names.join(", "));
                Err(Failure::new(USAGE, error))
            }
        }
    }

    /// Returns how much room a text on stdout has, and how much of it is wanted.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(columns(std::io::stdout()), self.everywhere.verbose)
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.everywhere.verbose
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
        self.terminal.progress.clear();
        if self.is_json() {
            return print_json(&json());
        }
        let text = text();
        if self.everywhere.no_pager || !page(&text) {
            print(&text);
        }
    }

    /// Shows a person what is about to be decided on; a program reads the one answer at the end.
    pub(super) fn show(&self, text: impl FnOnce() -> String) {
        if !self.is_json() {
            self.terminal.progress.clear();
            print(&fitted(&text(), columns(std::io::stdout())));
        }
    }

    /// Says something about what is going on, unless that was not wanted.
    pub(super) fn tell(&self, text: &str) {
        self.terminal.tell(text);
    }

    /// Asks before a tenant is written to. Elsewhere than on a terminal `--yes` is needed.
    ///
    /// Whatever was typed before the question does not answer it.
    pub(super) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let error = "confirmation is needed, and there is no terminal";
            return Err(Failure::new(USAGE, error).hint("add --yes to write without confirmation"));
        }
        let answer = self.terminal.ask(&format!("{question} [y/N] "));
        if answer.is_some_and(|answer| ["y", "yes"].contains(&answer.to_lowercase().as_str())) {
            return Ok(());
        }
        Err(Failure::new(FAILED, "not confirmed"))
    }
}
