//! The guards: named reasons to refuse a plan, and which of them a person may approve.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reason to refuse a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Source and target are the same tenant.
    SameTenant,
    /// The token lacks a scope that the plan needs.
    Scopes,
    /// A secret that the mapping names is missing or malformed.
    Secrets,
    /// The target has drifted, and the run was told to stop in that case.
    Drift,
    /// The plan changes a large share of the target.
    ManyChanges,
    /// The plan would copy hosts or ids of the source into the target.
    SourceLeak,
    /// The plan deletes resources.
    Deletes,
    /// A change may lock people or services out.
    LockoutRisk,
    /// A change weakens a protection.
    WeakerProtection,
    /// Resources are linked, but their baseline is missing.
    NoBaseline,
}

impl Guard {
    /// The guards that `--allow` accepts.
    pub const APPROVABLE: [Self; 6] =
        [Self::ManyChanges, Self::SourceLeak, Self::Deletes, Self::LockoutRisk, Self::WeakerProtection, Self::NoBaseline];

    /// Returns the approvable guard of this name.
    #[must_use]
    pub fn approvable(name: &str) -> Option<Self> {
        Self::APPROVABLE.into_iter().find(|guard| guard.as_str() == name)
    }

    /// Returns the guard's name.
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

    /// Returns whether a person may approve this guard.
    #[must_use]
    pub fn is_approvable(self) -> bool {
        Self::APPROVABLE.contains(&self)
    }

    /// Returns whether this guard may be approved for single resources.
    #[must_use]
    pub const fn is_by_resource(self) -> bool {
        matches!(self, Self::Deletes | Self::LockoutRisk | Self::WeakerProtection)
    }

    /// Returns whether approving this guard requires that the plan was reviewed.
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
    fn a_guard_has_the_same_name_in_text_and_json() {
        for guard in Guard::APPROVABLE.into_iter().chain([Guard::SameTenant, Guard::Scopes, Guard::Secrets, Guard::Drift]) {
            assert_eq!(serde_json::to_value(guard).expect("JSON"), guard.as_str());
        }
    }
}
