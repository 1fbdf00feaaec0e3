//! Which guards a person approves: as a whole, or for some resources.

use glob::Pattern;

use super::guard::Guard;
use super::resource::Key;

/// One approval: `deletes`, or `lockout-risk:clients/Billing*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    guard: Guard,
    resources: Option<Pattern>,
}

/// Why a text is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such guard.
    #[error("unknown guard \"{0}\"")]
    Unknown(String),
    /// The guard counts, and finds nothing of one resource.
    #[error("{0} can only be approved as a whole, not by resource")]
    Whole(Guard),
    /// The pattern cannot be read.
    #[error("invalid pattern \"{text}\": {reason}")]
    Pattern {
        /// The pattern.
        text: String,
        /// Why.
        reason: &'static str,
    },
}

impl Approval {
    /// Reads one, as `--allow` and `migrate.toml` write it.
    ///
    /// # Errors
    ///
    /// When there is no such guard, or no such pattern.
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

    /// Returns the guard that it approves.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.guard
    }
}

/// Everything that was approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals(Vec<Approval>);

impl FromIterator<Approval> for Approvals {
    fn from_iter<T: IntoIterator<Item = Approval>>(approvals: T) -> Self {
        Self(approvals.into_iter().collect())
    }
}

impl Approvals {
    /// Returns these and others.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        self.0.iter().chain(&others.0).cloned().collect()
    }

    /// Returns these without the guards that require a review of the plan.
    #[must_use]
    pub fn without_review(&self) -> Self {
        self.0.iter().filter(|approval| !approval.guard.requires_review()).cloned().collect()
    }

    /// Returns a guard among them that requires a review of the plan.
    #[must_use]
    pub fn requiring_review(&self) -> Option<Guard> {
        self.0.iter().map(|approval| approval.guard).find(|guard| guard.requires_review())
    }

    /// Returns whether a guard is approved as a whole.
    #[must_use]
    pub fn includes(&self, guard: Guard) -> bool {
        self.for_guard(guard).any(|approval| approval.resources.is_none())
    }

    /// Returns whether what a guard finds of a resource is approved.
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
    fn what_is_no_approval_is_said() {
        let wrong = |text: &str| Approval::read(text).expect_err("no approval").to_string();
        assert_eq!(wrong("lockout"), "unknown guard \"lockout\"");
        assert_eq!(wrong("many-changes:clients/*"), "many-changes can only be approved as a whole, not by resource");
        assert!(wrong("deletes:clients/[").starts_with("invalid pattern \"clients/[\": "));
    }
}
