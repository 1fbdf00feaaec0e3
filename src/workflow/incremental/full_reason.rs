//! Why a tenant is read completely although an incremental reading was asked for.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::model::changed_by::minute;
use crate::plan::FullReadCause;
use crate::workflow::log_gap::LogGap;

/// Why a tenant is read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workflow) enum FullReason {
    /// There is no reading to continue from.
    First,
    /// The last complete reading is too old.
    Due(Duration),
    /// Only some resources are selected.
    Selection,
    /// Something that the reading depends on is not as it was then.
    Changed(&'static str),
    /// Something would be deleted, which the log alone does not justify.
    Deletes,
    /// The remembered reading cannot be used; this is the error.
    Unusable(String),
    /// The log cannot tell what was written.
    Log(LogGap),
    /// The log has no write at all, not even before the last reading.
    NoWrites,
    /// An entry came into the log so late that others may be missing still.
    Late {
        /// The time of the entry.
        at: SystemTime,
        /// When the log was searched without finding it.
        searched: SystemTime,
    },
    /// The log lacks writes of an earlier run.
    LostEntries {
        /// The name of the run.
        run: String,
    },
    /// It is not known what a write changed.
    UnknownWrite {
        /// `POST`, `PATCH`, `PUT` or `DELETE`.
        method: String,
        /// Its path.
        path: String,
    },
}

impl FullReason {
    /// Returns its cause, without what is different each time.
    pub(super) fn cause(&self) -> FullReadCause {
        match self {
            Self::First => FullReadCause::First,
            Self::Due(_) => FullReadCause::Due,
            Self::Selection => FullReadCause::Selection,
            Self::Changed(_) => FullReadCause::Changed,
            Self::Deletes => FullReadCause::Deletes,
            Self::Unusable(_) => FullReadCause::Unusable,
            Self::Log(LogGap::Retention(_)) => FullReadCause::Retention,
            Self::Log(LogGap::TooMany) => FullReadCause::Capped,
            Self::Log(LogGap::Empty) | Self::NoWrites => FullReadCause::NoWrites,
            Self::Log(LogGap::Unavailable(_) | LogGap::NotLogged) => FullReadCause::LogUnavailable,
            Self::Late { .. } => FullReadCause::Late,
            Self::LostEntries { .. } => FullReadCause::LostEntries,
            Self::UnknownWrite { .. } => FullReadCause::UnknownWrite,
        }
    }
}

impl fmt::Display for FullReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &SystemTime| minute(&humantime::format_rfc3339_seconds(*time).to_string());
        match self {
            Self::First => out.write_str("there is no earlier reading to continue from"),
            Self::Due(age) => write!(out, "the last complete reading is more than {} old", humantime::format_duration(*age)),
            Self::Selection => out.write_str("only some resources are selected"),
            Self::Changed(what) => write!(out, "{what} changed since the last reading"),
            Self::Deletes => out.write_str("resources would be deleted"),
            Self::Unusable(error) => write!(out, "the last reading cannot be used: {error}"),
            Self::Log(LogGap::TooMany) => out.write_str("the tenant's log has more writes since the last reading than a search finds"),
            Self::Log(LogGap::Retention(oldest)) => write!(out, "the tenant's log begins on {oldest}, after the last reading"),
            Self::Log(gap) => gap.fmt(out),
            Self::NoWrites => out.write_str("the tenant's log shows no write at all, so it may not be searchable"),
            Self::Late { at, searched } => {
                write!(out, "a write of {} was not in the tenant's log on {} yet, so others may be missing", time(at), time(searched))
            }
            Self::LostEntries { run } => write!(out, "the tenant's log lacks writes of run {run}"),
            Self::UnknownWrite { method, path } => write!(out, "what {method} {path} changed is not known"),
        }
    }
}
