//! The reasons there are to refuse a plan, by name, and which of them a person may approve.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reason to refuse a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Source and target are one tenant.
    SameTenant,
    /// The token lacks a scope that the plan needs.
    Scopes,
    /// A secret that the mapping names is missing or malformed.
    Secrets,
    /// The target changed by itself, and the run was told to stop then.
    Drift,
    /// The plan changes a large share of what the target has.
    ManyChanges,
    /// The plan carries hosts or ids of the source into the target.
    SourceLeak,
    /// The plan deletes resources.
    Deletes,
    /// A change may keep people or services from signing in.
    LockoutRisk,
    /// A change makes a protection weaker.
    WeakerProtection,
    /// Resources are linked, and what was last applied to them is not known.
    NoBaseline,
}

impl Guard {
    /// Those that `--allow` takes.
    pub const APPROVABLE: [Self; 6] =
        [Self::ManyChanges, Self::SourceLeak, Self::Deletes, Self::LockoutRisk, Self::WeakerProtection, Self::NoBaseline];

    /// Returns the one that `--allow` knows by this name.
    #[must_use]
    pub fn approvable(name: &str) -> Option<Self> {
        Self::APPROVABLE.into_iter().find(|guard| guard.as_str() == name)
    }

    /// Returns its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameTenant => "same-tenant",
            Self::Scopes => "scopes",
            Self::Secrets => "secrets",
            Self::Drift => "drift",
            Self::ManyChanges => "many-changes",
            Self::SourceLeak => "source-leak",
            Self::Deletes => "deletes",
            Self::LockoutRisk => "lockout-risk",
            Self::WeakerProtection => "weaker-protection",
            Self::NoBaseline => "no-baseline",
        }
    }

    /// Returns whether a person may approve what it finds.
    #[must_use]
    pub fn is_approvable(self) -> bool {
        Self::APPROVABLE.contains(&self)
    }

    /// Returns whether what it finds may be approved resource by resource.
    #[must_use]
    pub const fn is_by_resource(self) -> bool {
        matches!(self, Self::Deletes | Self::LockoutRisk | Self::WeakerProtection)
    }

    /// Returns whether only somebody who saw the plan may approve what it finds.
    #[must_use]
    pub const fn requires_review(self) -> bool {
        matches!(self, Self::LockoutRisk | Self::WeakerProtection)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_has_one_name_in_text_and_in_json() {
        for guard in Guard::APPROVABLE.into_iter().chain([Guard::SameTenant, Guard::Scopes, Guard::Secrets, Guard::Drift]) {
            assert_eq!(serde_json::to_value(guard).expect("JSON"), guard.as_str());
        }
    }
}
