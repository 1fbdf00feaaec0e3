//! Which reasons to refuse a plan were approved: a guard as a whole, or what it finds of some resources.

use glob::Pattern;

use super::guard::{ALLOWED, DELETES, Item, Refusal};
use super::risk::{LOCKOUT, WEAKER};

/// The guards that can be approved resource by resource.
pub const BY_RESOURCE: [&str; 3] = [LOCKOUT, WEAKER, DELETES];

/// One approval: `deletes`, or `lockout-risk:clients/Billing*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    guard: &'static str,
    of: Option<Pattern>,
}

/// Why a text is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such guard.
    #[error("no guard is called \"{0}\"")]
    Unknown(String),
    /// The guard counts, and finds nothing of one resource.
    #[error("{0} is approved as a whole, and not by resource")]
    Whole(&'static str),
    /// The pattern cannot be read.
    #[error("\"{text}\" is no pattern: {reason}")]
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
        let guard = *ALLOWED.iter().find(|guard| **guard == name).ok_or_else(|| Error::Unknown(name.to_owned()))?;
        let Some(pattern) = pattern else { return Ok(Self { guard, of: None }) };
        if !BY_RESOURCE.contains(&guard) {
            return Err(Error::Whole(guard));
        }
        let of = Pattern::new(pattern).map_err(|error| Error::Pattern { text: pattern.to_owned(), reason: error.msg })?;
        Ok(Self { guard, of: Some(of) })
    }

    /// Returns the guard that it opens.
    #[must_use]
    pub fn guard(&self) -> &'static str {
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

    /// Returns these without those of guards that take somebody who saw the plan.
    #[must_use]
    pub fn unseen(&self) -> Self {
        self.0.iter().filter(|approval| ![LOCKOUT, WEAKER].contains(&approval.guard)).cloned().collect()
    }

    /// Returns a guard among them that takes somebody who saw the plan.
    #[must_use]
    pub fn needs_a_person(&self) -> Option<&'static str> {
        self.0.iter().map(|approval| approval.guard).find(|guard| [LOCKOUT, WEAKER].contains(guard))
    }

    /// Returns what is left of a refusal; nothing where all of it was approved.
    #[must_use]
    pub fn without(&self, refusal: Refusal) -> Option<Refusal> {
        let of_guard = || self.0.iter().filter(|approval| approval.guard == refusal.guard);
        if !refusal.can_be_allowed || of_guard().next().is_none() {
            return Some(refusal);
        }
        if of_guard().any(|approval| approval.of.is_none()) {
            return None;
        }
        let is_approved = |item: &Item| {
            let key = item.key.to_string();
            of_guard().filter_map(|approval| approval.of.as_ref()).any(|pattern| pattern.matches(&key))
        };
        let left: Vec<Item> = refusal.items.iter().filter(|item| !is_approved(item)).cloned().collect();
        if left.len() == refusal.items.len() {
            return Some(refusal);
        }
        Refusal::about(refusal.guard.clone(), left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Key;

    fn approvals(texts: &[&str]) -> Approvals {
        texts.iter().map(|text| Approval::read(text).expect("an approval")).collect()
    }

    fn refusal() -> Refusal {
        let item = |name: &str| Item { key: Key::new("clients", name), what: vec!["callbacks".to_owned()] };
        Refusal::about(LOCKOUT, vec![item("Billing"), item("Billing API"), item("Shop")]).expect("a refusal")
    }

    fn left(texts: &[&str]) -> Option<String> {
        approvals(texts).without(refusal()).map(|refusal| refusal.message)
    }

    #[test]
    fn a_pattern_approves_what_it_matches_and_nothing_else() {
        assert_eq!(
            left(&["lockout-risk:clients/Billing*"]).as_deref(),
            Some("people or services may be locked out by clients/Shop (callbacks)")
        );
        assert_eq!(left(&["lockout-risk:clients/Billing*", "lockout-risk:*/Shop"]), None);
        assert_eq!(left(&["lockout-risk"]), None);
        for other in ["weaker-protection", "deletes:clients/*", "many-changes"] {
            assert_eq!(left(&[other]), Some(refusal().message), "{other}");
        }
    }

    #[test]
    fn what_is_no_approval_is_said() {
        let wrong = |text: &str| Approval::read(text).expect_err("no approval").to_string();
        assert_eq!(wrong("lockout"), "no guard is called \"lockout\"");
        assert_eq!(wrong("many-changes:clients/*"), "many-changes is approved as a whole, and not by resource");
        assert!(wrong("deletes:clients/[").starts_with("\"clients/[\" is no pattern: "));
    }
}
