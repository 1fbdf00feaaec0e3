//! The context of every command: the environment of its use case, and the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::error::{FAILED, Failure, USAGE, interrupted};
use super::logging::LogOptions;
use super::pager::page;
use super::reports::{ReportOptions, show_in_github_actions};
use super::terminal::{InterruptClosing, Terminal, columns, print, print_json};
use super::{Everywhere, Output};
use crate::catalog::Catalog;
use crate::config::{self, Settings, TenantSettings};
use crate::report::{Layout, Report, fitted, shell_word};
use crate::workflow::Environment;

/// The context of a command.
#[derive(Debug)]
pub(super) struct Context {
    everywhere: Everywhere,
    /// Loaded on first use, since some commands need no configuration.
    environment: OnceLock<Environment>,
    /// Where reports are written; `None` if the command has nothing to report.
    reports: Option<ReportOptions>,
    /// The state folder, if it does not come from the settings.
    state_home: Option<PathBuf>,
    /// The catalog.
    pub(super) catalog: &'static Catalog,
    /// Shows events and receives interrupts.
    pub(super) terminal: Arc<Terminal>,
}

impl Context {
    pub(super) fn new(everywhere: &Everywhere) -> Self {
        Self {
            everywhere: everywhere.clone(),
            environment: OnceLock::new(),
            reports: None,
            state_home: None,
            catalog: Catalog::standard(),
            terminal: Arc::new(Terminal::new(everywhere.quiet, everywhere.verbose)),
        }
    }

    /// Returns the context with the files that reports are written to.
    pub(super) fn with_reports(self, reports: Option<ReportOptions>) -> Self {
        Self { reports, ..self }
    }

    /// Returns a context for the same command line in another folder, with locks of its own, for tenants that nobody
    /// else uses.
    pub(super) fn in_folder(&self, folder: &Path) -> Self {
        let config = Some(folder.join("migrate.toml"));
        let context = Self::new(&Everywhere { config, dir: None, no_pager: true, ..self.everywhere.clone() });
        Self { state_home: Some(folder.join(".state")), ..context }
    }

    /// Returns a command to type next: the given command and options, with the global options of this command line.
    pub(super) fn command(&self, command: String, flags: impl IntoIterator<Item = String>) -> String {
        let everywhere = [("--config", &self.everywhere.config), ("--dir", &self.everywhere.dir)];
        let given = |(flag, path): (&str, &Option<PathBuf>)| {
            path.as_ref().map(|path| format!("{flag} {}", shell_word(&path.display().to_string())))
        };
        std::iter::once(command).chain(flags).chain(everywhere.into_iter().filter_map(given)).collect::<Vec<_>>().join(" ")
    }

    /// Returns the command that resumes the run in a folder.
    pub(super) fn resume(&self, target: &str, folder: &Path, flags: Vec<String>) -> String {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        self.command(format!("migrate import --tenant {target} --resume {name}"), flags)
    }

    /// Returns the environment of the use case, loading the configuration on first use.
    pub(super) fn environment(&self) -> Result<&Environment, Failure> {
        if self.environment.get().is_none() {
            let mut read = Settings::load(self.everywhere.config.as_deref(), self.everywhere.dir.as_deref(), &config::environment())?;
            read.state_home = self.state_home.clone().or(read.state_home);
            if let Some(dotenv) = &read.open_to_others {
                let path = dotenv.display().to_string();
                self.tell(&format!(
                    "warning: \"{path}\" contains credentials and can be read by other users: run `chmod 600 {}`",
                    shell_word(&path)
                ));
            }
            if let Some(config) = read.config.as_ref().filter(|_| read.is_found_above && self.is_verbose()) {
                self.tell(&format!("Configuration: {}", config.display()));
            }
            let _ = self.environment.set(Environment::new(read, self.terminal.clone()));
        }
        Ok(self.environment.get().expect("set above"))
    }

    /// Returns the configuration.
    pub(super) fn settings(&self) -> Result<&Settings, Failure> {
        Ok(self.environment()?.settings())
    }

    /// Returns the tenant of `--tenant`, or the only one.
    pub(super) fn tenant_settings(&self, name: Option<&str>) -> Result<&TenantSettings, Failure> {
        self.tenant_settings_by("--tenant", name)
    }

    /// Returns the tenant of an option, or the only one.
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

    /// Returns the tenant of `--tenant`, or the only one with a source, or the only one.
    pub(super) fn target_settings(&self, name: Option<&str>) -> Result<&TenantSettings, Failure> {
        let mut targets = self.settings()?.tenants.values().filter(|tenant| tenant.source.is_some());
        match (name, targets.next(), targets.next()) {
            (None, Some(only), None) => Ok(only),
            _ => self.tenant_settings(name),
        }
    }

    /// Returns the path of a configuration that does not exist yet: that of `--config`, or `migrate.toml` in the working folder.
    pub(super) fn new_configuration(&self) -> PathBuf {
        self.everywhere.config.clone().unwrap_or_else(|| PathBuf::from("migrate.toml"))
    }

    /// Returns the folder of `--dir`.
    pub(super) fn dir(&self) -> Option<&Path> {
        self.everywhere.dir.as_deref()
    }

    /// Returns the layout for text on stdout.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(columns(std::io::stdout()), self.everywhere.verbose)
    }

    /// Waits for an interrupt that nobody else waits for; returns the failure with which the command ends.
    pub(super) async fn ended_by_interrupt(&self) -> Failure {
        let interrupt = self.terminal.unclaimed_interrupt().await;
        let InterruptClosing { state, next } = self.terminal.closing();
        let failure = state.into_iter().fold(Failure::new(interrupted(interrupt), "interrupted"), Failure::with_state);
        next.into_iter().fold(failure, Failure::hint)
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.everywhere.verbose
    }

    /// Returns where this command line has its log written.
    pub(super) fn log(&self) -> &LogOptions {
        &self.everywhere.log
    }

    pub(super) fn is_json(&self) -> bool {
        self.everywhere.output == Output::Json
    }

    /// Returns the output format.
    pub(super) fn output(&self) -> Output {
        self.everywhere.output
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.everywhere.output == Output::Markdown
    }

    /// Prints a result, as text or JSON.
    pub(super) fn answer(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        self.answer_as_it_is(|| fitted(&text(), columns(std::io::stdout())), json);
    }

    /// Prints a report and publishes it.
    pub(super) fn answer_report(&self, report: &Report<'_>) -> Result<(), Failure> {
        self.answer(|| report.to_text(self.layout()), || report.to_json());
        self.publish(report)
    }

    /// Returns whether the command has something to report.
    pub(super) fn has_reports(&self) -> bool {
        self.reports.is_some()
    }

    /// Writes a report to the files of `--report`, and shows it in the CI system.
    pub(super) fn publish(&self, report: &Report<'_>) -> Result<(), Failure> {
        let Some(reports) = &self.reports else { return Ok(()) };
        show_in_github_actions(report);
        reports.write(report)
    }

    /// Prints a result whose text is also for other programs, so that lines are never wrapped.
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

    /// Shows a person what is about to be decided. With JSON output nothing is shown, since a program reads a single
    /// result.
    pub(super) fn show(&self, text: impl FnOnce() -> String) {
        if !self.is_json() {
            self.terminal.progress.clear();
            print(&fitted(&text(), columns(std::io::stdout())));
        }
    }

    /// Prints a status message, unless `--quiet` is given.
    pub(super) fn tell(&self, text: &str) {
        self.terminal.tell(text);
    }

    /// Asks for confirmation before a tenant is written to. Without a terminal, `--yes` is required.
    ///
    /// Input typed before the question does not answer it.
    pub(super) async fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !is_attended() {
            let error = "confirmation is needed, and there is no terminal";
            return Err(Failure::new(USAGE, error).hint("add --yes to write without confirmation"));
        }
        let answer = self.terminal.ask(&format!("{question} [y/N] ")).await;
        if answer.is_some_and(|answer| ["y", "yes"].contains(&answer.to_lowercase().as_str())) {
            return Ok(());
        }
        Err(Failure::new(FAILED, "not confirmed"))
    }
}

/// Returns whether somebody is there who can be asked.
pub(super) fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
