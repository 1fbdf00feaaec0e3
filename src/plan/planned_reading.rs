//! How a tenant was read for a plan, where an incremental reading was asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a tenant was read where an incremental reading was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "mode")]
pub enum PlannedReading {
    /// Completely.
    Full {
        /// Why.
        cause: FullReadCause,
        /// Why, for people: "there is no earlier reading to continue from".
        reason: String,
        /// The number of requests.
        requests: u64,
    },
    /// Only what the tenant's log says was written to since the last reading.
    Incremental {
        /// The time of the last reading: RFC 3339, UTC.
        since: String,
        /// The kinds that were read.
        kinds: Vec<String>,
        /// The number of requests.
        requests: u64,
    },
}

/// Why a tenant was read completely although an incremental reading was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FullReadCause {
    /// There is no reading to continue from.
    First,
    /// The last complete reading is too old.
    Due,
    /// Only some resources are selected.
    Selection,
    /// Something that the reading depends on changed.
    Changed,
    /// Something would be deleted.
    Deletes,
    /// What was remembered cannot be used.
    Unusable,
    /// The log cannot be read.
    LogUnavailable,
    /// The log shows no write at all.
    NoWrites,
    /// The log begins after the last reading.
    Retention,
    /// The log has more writes than a search finds.
    Capped,
    /// An entry came into the log late.
    Late,
    /// The log lacks writes of an earlier run.
    LostEntries,
    /// It is not known what a write changed.
    UnknownWrite,
}

impl FullReadCause {
    /// Returns whether this belongs to normal operation, so that nobody needs to hear of it.
    #[must_use]
    pub fn is_expected(self) -> bool {
        matches!(self, Self::First | Self::Due | Self::Selection | Self::Changed | Self::Deletes)
    }
}

impl PlannedReading {
    /// Returns why the tenant was read completely, and the same for people, unless that belongs to normal operation.
    #[must_use]
    pub fn unexpected(&self) -> Option<(FullReadCause, &str)> {
        match self {
            Self::Full { cause, reason, .. } if !cause.is_expected() => Some((*cause, reason)),
            Self::Full { .. } | Self::Incremental { .. } => None,
        }
    }
}
