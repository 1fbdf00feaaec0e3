//! The approvals that a person gives for guards: for a whole guard, or for some resources.

use glob::Pattern;

use super::guard::Guard;
use super::resource::Key;

/// One approval: `deletes`, or `lockout-risk:clients/Billing*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    guard: Guard,
    resources: Option<Pattern>,
}

/// Why a text is not a valid approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no guard of this name.
    #[error("unknown guard \"{0}\"")]
    Unknown(String),
    /// The guard counts over the whole plan, so it cannot be approved for single resources.
    #[error("{0} can only be approved as a whole, not by resource")]
    Whole(Guard),
    /// The pattern is malformed.
    #[error("invalid pattern \"{text}\": {reason}")]
    Pattern {
        /// The pattern.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Approval {
    /// Parses an approval as `--allow` and `migrate.toml` spell it.
    ///
    /// # Errors
    ///
    /// If the guard is unknown or the pattern is malformed.
    pub fn read(text: &str) -> Result<Self, Error> {
        let (name, pattern) = text.split_once(':').map_or((text, None), |(name, pattern)| (name, Some(pattern)));
        let guard = Guard::approvable(name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
        let Some(pattern) = pattern else { return Ok(Self { guard, resources: None }) };
        if !guard.is_by_resource() {
            return Err(Error::Whole(guard));
        }
        let resources = Pattern::new(pattern).map_err(|error| Error::Pattern { text: pattern.to_owned(), reason: error.msg })?;
        Ok(Self { guard, resources: Some(resources) })
    }

    /// Returns the approved guard.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.guard
    }
}

/// All approvals of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals(Vec<Approval>);

impl FromIterator<Approval> for Approvals {
    fn from_iter<T: IntoIterator<Item = Approval>>(approvals: T) -> Self {
        Self(approvals.into_iter().collect())
    }
}

impl Approvals {
    /// Returns the union of both sets of approvals.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        self.0.iter().chain(&others.0).cloned().collect()
    }

    /// Returns the approvals without those for guards that require a review of the plan.
    #[must_use]
    pub fn without_review(&self) -> Self {
        self.0.iter().filter(|approval| !approval.guard.requires_review()).cloned().collect()
    }

    /// Returns an approved guard that requires a review of the plan, if there is one.
    #[must_use]
    pub fn requiring_review(&self) -> Option<Guard> {
        self.0.iter().map(|approval| approval.guard).find(|guard| guard.requires_review())
    }

    /// Returns whether a guard is approved as a whole.
    #[must_use]
    pub fn includes(&self, guard: Guard) -> bool {
        self.for_guard(guard).any(|approval| approval.resources.is_none())
    }

    /// Returns whether a guard's finding about a resource is approved.
    #[must_use]
    pub fn includes_resource(&self, guard: Guard, key: &Key) -> bool {
        let key = key.to_string();
        self.for_guard(guard).any(|approval| approval.resources.as_ref().is_none_or(|pattern| pattern.matches(&key)))
    }

    fn for_guard(&self, guard: Guard) -> impl Iterator<Item = &Approval> {
        self.0.iter().filter(move |approval| approval.guard == guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_approval_is_refused_with_the_reason() {
        let wrong = |text: &str| Approval::read(text).expect_err("no approval").to_string();
        assert_eq!(wrong("lockout"), "unknown guard \"lockout\"");
        assert_eq!(wrong("many-changes:clients/*"), "many-changes can only be approved as a whole, not by resource");
        assert!(wrong("deletes:clients/[").starts_with("invalid pattern \"clients/[\": "));
    }
}
