//! Why the log of a tenant lacks what was looked up in it.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::management_api::{LOG_SCOPES, LogReading, LogUnavailable, Tenant};
use crate::model::changed_by::minute;

/// How much the clocks of this machine and of the tenant may differ.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Why the log of a tenant lacks what was looked up in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogGap {
    /// The log cannot be read.
    Unavailable(LogUnavailable),
    /// It is empty.
    Empty,
    /// It begins at this time, which is later.
    Retention(String),
    /// It has no entry, or none yet.
    NotLogged,
    /// It has more writes than were searched.
    TooMany,
}

impl LogGap {
    /// Finds out why a log lacks entries since a time after it was read.
    pub(crate) async fn of(tenant: &Tenant, reading: LogReading, since: Option<SystemTime>) -> Self {
        match reading {
            LogReading::Unavailable(why) => return Self::Unavailable(why),
            LogReading::PageLimit { .. } => return Self::TooMany,
            LogReading::ReachedBack => return Self::NotLogged,
            LogReading::Complete | LogReading::Sufficient => {}
        }
        match tenant.oldest_log_entry().await {
            Err(why) => Self::Unavailable(why),
            Ok(None) => Self::Empty,
            // What was looked up since a time may itself be the first entry.
            Ok(Some(oldest)) if since.is_none_or(|since| oldest > since + 2 * CLOCK_SKEW) => {
                Self::Retention(minute(&humantime::format_rfc3339_seconds(oldest).to_string()))
            }
            Ok(Some(_)) => Self::NotLogged,
        }
    }
}

impl fmt::Display for LogGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(LogUnavailable::Scope) => write!(out, "the token lacks the optional scope {}", LOG_SCOPES[0]),
            Self::Unavailable(LogUnavailable::NotServed) => out.write_str("the tenant does not serve its log"),
            Self::Unavailable(LogUnavailable::Failed(message)) => write!(out, "the tenant's log cannot be read: {message}"),
            Self::Empty => out.write_str("the tenant's log is empty"),
            Self::Retention(oldest) => write!(out, "the tenant's log begins on {oldest}, and they may be older"),
            Self::NotLogged => out.write_str("the tenant's log has no entry about them; entries may be delayed"),
            Self::TooMany => out.write_str("the tenant's log has more writes than were searched"),
        }
    }
}

/// Returns a time on this machine's clock as the earliest on that of a tenant.
pub(super) fn earliest(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok().map(|time| time - CLOCK_SKEW)
}
