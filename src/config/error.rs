//! The errors of the configuration; none contains a value of a variable.

use std::fmt;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, FileLine};
use crate::files;

/// Why the configuration is invalid.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A position in a file is invalid.
    #[error(transparent)]
    Invalid(#[from] Diagnostic),
    /// There is no configuration, and something needs one.
    #[error("there is no configuration: no migrate.toml is in this folder or above it, and AUTH0_DOMAIN is not set")]
    Unconfigured,
    /// A configuration above the working folder may have been put there by somebody else.
    #[error("\"{}\" belongs to another user (uid {owner})", path.display())]
    OfAnother {
        /// The configuration, its folder, or the `.env` file beside it.
        path: PathBuf,
        /// The user it belongs to.
        owner: u32,
    },
    /// A line of `.env` is not an assignment.
    #[error("line {line} of \"{}\" {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An unknown variable has a name like one of ours.
    #[error("unknown variable \"{name}\" in the environment; did you mean {meant}?")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The most similar variable, or all variables.
        meant: String,
    },
    /// A variable contains an invalid domain.
    #[error("\"{domain}\" in {variable} is not a tenant domain: {expected}")]
    Domain {
        /// The variable.
        variable: &'static str,
        /// Its value.
        domain: String,
        /// The expected form.
        expected: String,
    },
    /// No tenant has this name.
    #[error("unknown tenant \"{name}\"{known}")]
    UnknownTenant {
        /// The name.
        name: String,
        /// The most similar name and all names, as the end of a sentence.
        known: String,
    },
    /// A tenant's credentials are not set.
    #[error("no credentials for tenant \"{tenant}\": set {missing} in the environment or in \"{}\"", dotenv.display())]
    WithoutCredentials {
        /// The tenant.
        tenant: String,
        /// The variables to set.
        missing: String,
        /// The path of the `.env` file.
        dotenv: PathBuf,
    },
    /// A tenant's credentials are set in two different ways.
    #[error("two kinds of credentials for tenant \"{tenant}\": unset {one} or {other}")]
    TwoWays {
        /// The tenant.
        tenant: String,
        /// A variable.
        one: String,
        /// Another variable that excludes it.
        other: String,
    },
    /// A setting of a tenant turned out to be unusable when it was needed.
    #[error(transparent)]
    Setting(#[from] Box<SettingError>),
}

/// The settings of a tenant that are looked at only when they are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateSetting {
    /// The command that prints its client secret.
    SecretCommand,
    /// The certificates of its own authorities.
    CaFile,
    /// The proxy for requests to it.
    Proxy,
}

impl fmt::Display for LateSetting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::SecretCommand => "client_secret_command",
            Self::CaFile => "ca_file",
            Self::Proxy => "proxy",
        })
    }
}

/// What made a setting unusable.
pub type SettingCause = Box<dyn std::error::Error + Send + Sync>;

/// Why a setting of a tenant cannot be used. No value of it is part of the message, since it may contain a secret.
#[derive(Debug, thiserror::Error)]
#[error("the {setting} of tenant \"{tenant}\" {what} ({place})")]
pub struct SettingError {
    /// The setting.
    pub setting: LateSetting,
    /// The tenant.
    pub tenant: String,
    /// Where it is configured.
    pub place: FileLine,
    /// What is wrong, as the end of a sentence.
    pub what: String,
    /// The cause, or what a command wrote to its standard error.
    pub source: Option<SettingCause>,
}

impl LateSetting {
    /// Returns the error for this setting of a tenant.
    pub(super) fn wrong(self, (tenant, place): (&str, &FileLine), what: impl Into<String>, source: Option<SettingCause>) -> Error {
        let (tenant, place, what) = (tenant.to_owned(), place.clone(), what.into());
        Box::new(SettingError { setting: self, tenant, place, what, source }).into()
    }
}

/// A line of what a command wrote to its standard error, with those after it as its cause.
#[derive(Debug, thiserror::Error)]
#[error("{line}")]
pub(super) struct CommandMessage {
    line: String,
    #[source]
    next: Option<Box<CommandMessage>>,
}

impl CommandMessage {
    /// Returns the lines of a text as one chain; `None` if there are none.
    pub(super) fn new<'line>(lines: impl DoubleEndedIterator<Item = &'line str>) -> Option<Self> {
        lines.rev().fold(None, |next, line| Some(Self { line: line.to_owned(), next: next.map(Box::new) }))
    }
}
