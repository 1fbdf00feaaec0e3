//! Errors for people: what went wrong, the cause, what to do next, what was written, and the exit code.

use std::error::Error;

use serde_json::Value;

use crate::config::{self, LateSetting};
use crate::files;
use crate::report::{self, ErrorFields, fitted, printable};
use crate::workflow::Interrupt;
use crate::{apply, export, management_api, mapping, plan, snapshot, state::fingerprints, state::links, state::pair, state::source_ids};

/// Failed.
pub(super) const FAILED: u8 = 1;
/// Changes are pending.
pub(super) const PENDING: u8 = 2;
/// Finished, but something failed or was skipped.
pub(super) const INCOMPLETE: u8 = 3;
/// Refused by a guard; nothing was written.
pub(super) const REFUSED: u8 = 4;
/// Another run holds the lock on this target.
pub(super) const LOCKED: u8 = 5;
/// The command line, the configuration or a mapping is invalid.
pub(super) const USAGE: u8 = 64;
/// The time or request limit was reached; the rest can be resumed later.
pub(super) const OVER: u8 = 75;
/// Authentication failed or a scope is missing.
pub(super) const DENIED: u8 = 77;
/// Interrupted by Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;
/// Interrupted by SIGTERM.
pub(super) const TERMINATED: u8 = 143;

/// Returns the exit code of a command that was interrupted.
pub(super) fn interrupted(interrupt: Interrupt) -> u8 {
    match interrupt {
        Interrupt::Interrupted => INTERRUPTED,
        Interrupt::Terminated => TERMINATED,
    }
}

/// The failure of a command.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    /// What was written, if anything.
    state: Option<String>,
    /// Whether the annotations of a report in GitHub Actions contain it.
    is_annotated: bool,
}

impl Failure {
    /// Creates a failure with a message about what went wrong.
    pub(super) fn new(code: u8, error: impl Into<String>) -> Self {
        Self { code, error: error.into(), causes: Vec::new(), hint: None, state: None, is_annotated: false }
    }

    /// Creates a failure from an error and its causes.
    pub(super) fn from_error(code: u8, error: &dyn Error) -> Self {
        let failure = Self::new(code, error.to_string());
        error.source().into_iter().fold(failure, Self::caused_by)
    }

    /// Adds an error and its causes.
    pub(super) fn caused_by(mut self, error: &dyn Error) -> Self {
        self.causes.push(error.to_string());
        let mut next = error.source();
        while let Some(source) = next {
            self.causes.push(source.to_string());
            next = source.source();
        }
        self
    }

    /// Adds causes, one per line.
    pub(super) fn with_causes(mut self, causes: Vec<String>) -> Self {
        self.causes.extend(causes);
        self
    }

    /// Wraps the failure as the cause of another message, keeping its hint and state.
    pub(super) fn within(self, error: impl Into<String>) -> Self {
        Self::new(self.code, error).with_causes(self.into_causes())
    }

    /// Returns the message and its causes, as causes of another failure.
    pub(super) fn into_causes(self) -> Vec<String> {
        std::iter::once(self.error).chain(self.causes).collect()
    }

    /// Sets the hint: what to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the state: what was written.
    pub(super) fn with_state(self, state: impl Into<String>) -> Self {
        Self { state: Some(state.into()), ..self }
    }

    /// Sets the state, unless it is already set.
    pub(super) fn or_state(self, state: &str) -> Self {
        Self { state: self.state.or_else(|| Some(state.to_owned())), ..self }
    }

    /// Sets the state to "nothing was written", unless it is already set.
    pub(super) fn of_a_writer(self) -> Self {
        self.or_state(NOTHING)
    }

    /// Says that the annotations of a report contain it already.
    pub(super) fn annotated(self) -> Self {
        Self { is_annotated: true, ..self }
    }

    /// Returns what was written, if known.
    pub(super) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Returns the exit code.
    pub(super) fn code(&self) -> u8 {
        self.code
    }

    /// Returns the failure as JSON.
    pub(super) fn json(&self) -> Value {
        report::answer(&self.fields(), self.code)
    }

    /// Returns the parts of the failure, for a larger report.
    pub(super) fn fields(&self) -> ErrorFields {
        let Self { error, causes, hint, state, .. } = self;
        ErrorFields { error: Some(error.clone()), causes: causes.clone(), hint: hint.clone(), state: state.clone() }
    }

    /// Prints the failure on stderr, or as JSON on stdout; returns the exit code.
    pub(super) fn print(&self, as_json: bool) -> u8 {
        if super::reports::is_github_actions() && !self.is_interrupt() && !self.is_annotated {
            super::terminal::print_error(&format!("{}\n", report::Annotation::error("migrate", self.message())));
        }
        if as_json {
            super::terminal::print_json(&self.json());
        } else {
            if self.is_interrupt() {
                super::terminal::overwrite_echo();
            }
            super::terminal::print_error(&self.text(super::terminal::columns(std::io::stderr())));
        }
        self.code
    }

    /// Returns the message with its causes and its hint, one per line.
    fn message(&self) -> String {
        std::iter::once(&self.error).chain(&self.causes).chain(&self.hint).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn is_interrupt(&self) -> bool {
        [INTERRUPTED, TERMINATED].contains(&self.code)
    }

    /// Returns the one line that an interrupt ends with: `Interrupted: nothing was written.`
    fn closing_line(&self) -> String {
        let mut error = self.error.chars();
        let error = error.next().map(|first| first.to_uppercase().chain(error).collect::<String>()).unwrap_or_default();
        let state = self.state.iter().map(|state| format!(": {state}"));
        let hint = self.hint.iter().map(|hint| format!(" {hint}"));
        let parts: String = std::iter::once(error).chain(state).chain([".".to_owned()]).chain(hint).collect();
        format!("{}\n", printable(&parts))
    }

    /// Formats the failure for a terminal of this width.
    fn text(&self, columns: Option<usize>) -> String {
        if self.is_interrupt() {
            return fitted(&self.closing_line(), columns);
        }
        let error = [("error: ", &self.error)];
        let causes = self.causes.iter().map(|cause| ("cause: ", cause));
        let hint = self.hint.iter().map(|hint| ("hint:  ", hint));
        let state = self.state.iter().map(|state| ("state: ", state));
        let parts = error.into_iter().chain(causes).chain(hint).chain(state);
        parts.map(|(title, text)| said(title, text, columns)).collect()
    }
}

/// The prefix of a line with a position in a file.
const PLACE: &str = "--> ";

/// Formats a part of a failure under its title. A text with several lines shows a position in a file and is not
/// wrapped.
fn said(title: &str, text: &str, columns: Option<usize>) -> String {
    if text.lines().skip(1).any(|line| line.trim_start().starts_with(PLACE)) {
        return format!("{title}{}\n", text.replace('\n', "\n       "));
    }
    fitted(&format!("{title}{}\n", printable(text)), columns)
}

/// The state to report for a failure before the first write.
pub(super) const NOTHING: &str = "nothing was written";
/// Hint for a file that cannot be written.
const WRITABLE: &str = "check free space and permissions, or name another folder with --dir";
/// Hint for a lock that cannot be written.
const LOCKABLE: &str = "check free space and permissions, or set XDG_STATE_HOME to a folder that this user can write to; runs that share it see each other's locks";
/// Hint for a file of a newer version.
const UPDATE: &str = "update migrate, then run the same command again";
/// Hint for an unusable state file.
const RESTORE: &str = "correct the file, or restore the one of the last run";
/// Hint for a pair folder whose pair is unknown.
const RESTORE_PAIR: &str = "restore the file, or remove it if the folder belongs to this pair";
/// Hint for an unusable baseline.
const WITHOUT_BASELINE: &str = "remove the file to compare without it: changes made directly in the target are then overwritten";
/// Hint for unusable fingerprints.
const WITHOUT_FINGERPRINTS: &str = "remove the file to continue without it: every secret of the mapping is then sent again";
/// Hint for an unusable links file.
const CORRECT_LINKS: &str = "correct the file: resources are paired by it first, and by name otherwise";
/// Hint for an unusable plan.
const PLAN_AGAIN: &str = "make a new plan with `migrate plan --out FILE`";
/// Hint for a missing scope.
pub(super) const ADD_SCOPES: &str = "grant what is missing to the application that migrate signs in with";

/// Hint for an excessive response.
const EXCESSIVE: &str = "Auth0 does not respond like this: check `domain` and `url` in migrate.toml, and any proxy in between";
/// Hint for a tenant that takes too long to read.
const OVERDUE: &str = "try again later, or raise `rate` or `share` in migrate.toml if the tenant allows more";

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let hint = match &error {
            config::Error::WithoutCredentials { .. } => {
                Some("create a machine-to-machine application in that tenant and authorize it for the Auth0 Management API")
            }
            config::Error::Unconfigured => {
                Some("name a configuration with --config, change to a folder that has one, or run `migrate init`")
            }
            config::Error::OfAnother { .. } => Some(
                "above the working folder, a configuration, its folder and `.env` must belong to you or to root; if you trust it, name it with --config",
            ),
            config::Error::Setting(error) if error.setting == LateSetting::SecretCommand => {
                Some("run the command yourself; what it prints is not shown here, since it may be the secret")
            }
            config::Error::UnknownTenant { .. } => Some("define tenants in migrate.toml as [tenants.NAME] with a domain"),
            _ => None,
        };
        let code = match &error {
            config::Error::WithoutCredentials { .. } => DENIED,
            config::Error::Setting(error) if error.setting == LateSetting::SecretCommand => DENIED,
            _ => USAGE,
        };
        Self { hint: hint.map(str::to_owned), ..Self::from_error(code, &error) }
    }
}

impl From<mapping::Error> for Failure {
    fn from(error: mapping::Error) -> Self {
        Self::from_error(USAGE, &error).hint("correct the mapping, then run `migrate validate`")
    }
}

impl From<Box<mapping::KeyCollision>> for Failure {
    fn from(error: Box<mapping::KeyCollision>) -> Self {
        Self::from_error(USAGE, &error).hint("rename one of them, or skip it")
    }
}

impl From<apply::state_update::Error> for Failure {
    fn from(error: apply::state_update::Error) -> Self {
        match error {
            apply::state_update::Error::Pair(error) => error.into(),
            apply::state_update::Error::Links(error) => error.into(),
            apply::state_update::Error::Base(error) => error.into(),
            apply::state_update::Error::Fingerprints(error) => error.into(),
            apply::state_update::Error::SourceIds(error) => error.into(),
        }
    }
}

impl From<files::Error> for Failure {
    fn from(error: files::Error) -> Self {
        match error {
            files::Error::Read { .. } => Self::from_error(USAGE, &error),
            files::Error::Write { .. } => Self::from_error(FAILED, &error).hint(WRITABLE),
            files::Error::Lock { .. } => Self::from_error(FAILED, &error).hint(LOCKABLE),
        }
    }
}

impl From<source_ids::Error> for Failure {
    fn from(error: source_ids::Error) -> Self {
        match error {
            source_ids::Error::File(error) => Self::of_file(error, RESTORE),
            source_ids::Error::Malformed { .. } => Self::from_error(USAGE, &error).hint(RESTORE),
        }
    }
}

impl From<pair::Error> for Failure {
    fn from(error: pair::Error) -> Self {
        use pair::Error as PairError;
        let hint = match error {
            PairError::File(error) => return Self::of_file(error, RESTORE_PAIR),
            PairError::Name { .. } => "rename the tenant in migrate.toml, and its snapshot to match".to_owned(),
            PairError::Another { .. } => {
                "rename one of the two tenants, or move that folder away to start over: resources are then paired by name".to_owned()
            }
            PairError::Unclear { ref wanted, .. } => format!(
                "if it belongs to that pair, move it to {}; otherwise move it to the folder of the other pair; if both have written it, remove it",
                wanted.display()
            ),
            PairError::Newer { .. } => UPDATE.to_owned(),
            PairError::Malformed { .. } => RESTORE_PAIR.to_owned(),
        };
        Self::from_error(USAGE, &error).hint(hint)
    }
}

impl From<crate::state::baseline::Error> for Failure {
    fn from(error: crate::state::baseline::Error) -> Self {
        use crate::state::baseline::Error as BaselineError;
        match error {
            BaselineError::File(error) => Self::of_file(error, WITHOUT_BASELINE),
            BaselineError::Newer { .. } => Self::from_error(USAGE, &error).hint(UPDATE),
            BaselineError::Malformed { .. } => Self::from_error(USAGE, &error).hint(WITHOUT_BASELINE),
        }
    }
}

impl From<fingerprints::Error> for Failure {
    fn from(error: fingerprints::Error) -> Self {
        match error {
            fingerprints::Error::File(error) => Self::of_file(error, WITHOUT_FINGERPRINTS),
            fingerprints::Error::Newer { .. } => Self::from_error(USAGE, &error).hint(UPDATE),
            fingerprints::Error::Malformed { .. } => Self::from_error(USAGE, &error).hint(WITHOUT_FINGERPRINTS),
        }
    }
}

impl From<links::Error> for Failure {
    fn from(error: links::Error) -> Self {
        match error {
            links::Error::File(error) => Self::of_file(error, CORRECT_LINKS),
            links::Error::Malformed { .. } => Self::from_error(USAGE, &error).hint(CORRECT_LINKS),
        }
    }
}

impl From<plan::file::Error> for Failure {
    fn from(error: plan::file::Error) -> Self {
        match error {
            plan::file::Error::File(error) => Self::of_file(error, PLAN_AGAIN),
            _ => Self::from_error(USAGE, &error).hint(PLAN_AGAIN),
        }
    }
}

impl From<snapshot::store::Error> for Failure {
    fn from(error: snapshot::store::Error) -> Self {
        use snapshot::store::Error as Store;
        let hint = match error {
            Store::File(error) => return Self::of_file(error, "name the folder of a snapshot, with all files that `migrate export` wrote"),
            Store::Newer { .. } => "update migrate, or export again with this version",
            Store::None { .. } => "run `migrate export` first",
            Store::NotReplaced { .. } => {
                "--replace replaces only what `migrate export` wrote; move other files away, or name another folder"
            }
            Store::NotJson(_) | Store::Malformed { .. } | Store::Changed { .. } => {
                "export again; put changes into a mapping instead of editing a snapshot"
            }
        };
        Self::from_error(USAGE, &error).hint(hint)
    }
}

impl From<apply::journal::Error> for Failure {
    fn from(error: apply::journal::Error) -> Self {
        use apply::journal::Error as Journal;
        match error {
            Journal::File(error) => Self::of_file(error, "run `migrate import` without --resume to plan again"),
            Journal::Broken { .. } => {
                Self::from_error(USAGE, &error).hint("run `migrate plan` to compare with the current state of the target")
            }
            Journal::Newer { .. } => Self::from_error(USAGE, &error).hint("update migrate, then resume the run"),
        }
    }
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        let denied = matches!(&error, export::Error::Read { source, .. } if source.is_denied() || source.is_scope());
        let failure = Self::from_error(if denied { DENIED } else { FAILED }, &error);
        match &error {
            export::Error::Read { source, tenant, .. } => with_tenant_hint(failure, source, tenant),
            export::Error::Overdue { .. } => failure.hint(OVERDUE),
            export::Error::Unreadable { .. } => failure,
        }
    }
}

impl Failure {
    /// Creates the failure for a file; the hint is for one that cannot be read.
    fn of_file(error: files::Error, hint: &str) -> Self {
        let is_read = matches!(error, files::Error::Read { .. });
        let failure = Self::from(error);
        if is_read { failure.hint(hint) } else { failure }
    }

    /// Creates the failure for a request to a tenant.
    pub(super) fn of_tenant(error: &management_api::Error, name: &str) -> Self {
        let code = match error {
            _ if error.is_denied() || error.is_scope() => DENIED,
            _ if error.is_misconfigured() => USAGE,
            _ => FAILED,
        };
        with_tenant_hint(Self::from_error(code, &error), error, name)
    }
}

fn with_tenant_hint(failure: Failure, error: &management_api::Error, name: &str) -> Failure {
    let variables = format!("MIGRATE_{}_*", name.to_uppercase().replace('-', "_"));
    match error {
        _ if error.is_scope() => failure.hint(ADD_SCOPES),
        _ if error.is_denied() => {
            failure.hint(format!("check the values of {variables}, and that the application is authorized for the Management API"))
        }
        management_api::Error::MovingListing { .. } => {
            failure.hint("wait until nothing else writes to the tenant, then run the same command again")
        }
        _ if error.is_excessive() => failure.hint(EXCESSIVE),
        _ if error.is_about_sign_in() && error.status() == Some(404) => {
            failure.hint("check `domain` (and `url`, if set) in migrate.toml: no tenant answers there")
        }
        _ if error.is_unreachable() => failure.hint("check `domain` (and `url`, if set) in migrate.toml and the network, then run the same command again; `migrate doctor` tells which"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn errors_about_unwritable_and_newer_fingerprints_have_the_right_hints() {
        let told = |error: fingerprints::Error| {
            let Failure { code, error, hint, .. } = error.into();
            (code, error, hint.unwrap_or_default())
        };
        let path = PathBuf::from("state/dev/prod/fingerprints.json");
        let unwritten = files::Error::writing(&path)(std::io::Error::other("full")).into();
        let (code, error, hint) = told(unwritten);
        assert!(error.contains("fingerprints.json"), "{error}");
        assert_eq!((code, hint.as_str()), (FAILED, WRITABLE));
        let (code, _, hint) = told(fingerprints::Error::Newer { path, format: 2 });
        assert_eq!((code, hint.as_str()), (USAGE, "update migrate, then run the same command again"));
    }
}
