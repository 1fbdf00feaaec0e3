//! Refusals: a guard, what it found in a plan, and which findings are not approved.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::approval::Approvals;
use crate::model::guard::Guard;
use crate::model::resource::Key;

/// What a guard found in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The guard.
    pub guard: Guard,
    /// Whether `--allow` can approve it.
    pub can_be_allowed: bool,
    /// The finding as a sentence.
    pub message: String,
    /// The findings by resource, if each can be approved separately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// What a guard found about one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The resource.
    pub key: Key,
    /// The fields concerned, or the operation if the whole resource is.
    pub what: Vec<String>,
}

impl Refusal {
    /// Returns a refusal of the whole plan.
    pub fn whole(guard: Guard, message: String) -> Self {
        Self { guard, can_be_allowed: guard.is_approvable(), message, items: Vec::new() }
    }

    /// Returns a refusal for findings about resources; `None` if there are none.
    pub fn about(guard: Guard, items: Vec<Item>) -> Option<Self> {
        let list = items.iter().map(Item::to_string).collect::<Vec<_>>().join(", ");
        let message = match guard {
            Guard::LockoutRisk => format!("users or services may be locked out by changes to {list}"),
            Guard::WeakerProtection => format!("a protection would become weaker by changes to {list}"),
            Guard::Deletes if items.len() == 1 => format!("1 resource would be deleted: {list}"),
            Guard::Deletes => format!("{} resources would be deleted: {list}", items.len()),
            _ => list,
        };
        (!items.is_empty()).then_some(Self { guard, can_be_allowed: true, message, items })
    }

    /// Returns the part that is not approved; `None` if everything is.
    #[must_use]
    pub fn unapproved(self, approved: &Approvals) -> Option<Self> {
        let Self { guard, can_be_allowed, .. } = self;
        if !can_be_allowed {
            return Some(self);
        }
        if approved.includes(guard) {
            return None;
        }
        let left: Vec<Item> = self.items.iter().filter(|item| !approved.includes_resource(guard, &item.key)).cloned().collect();
        if left.len() == self.items.len() { Some(self) } else { Self::about(guard, left) }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.what.is_empty() { write!(out, "{}", self.key) } else { write!(out, "{} ({})", self.key, self.what.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::approval::Approval;
    use crate::model::resource::key;

    fn refusal() -> Refusal {
        let item = |name: &str| Item { key: key(&format!("clients/{name}")), what: vec!["callbacks".to_owned()] };
        Refusal::about(Guard::LockoutRisk, vec![item("Billing"), item("Billing API"), item("Shop")]).expect("a refusal")
    }

    fn left(texts: &[&str]) -> Option<String> {
        let approved = texts.iter().map(|text| Approval::read(text).expect("an approval")).collect();
        refusal().unapproved(&approved).map(|refusal| refusal.message)
    }

    #[test]
    fn a_pattern_approves_only_what_it_matches() {
        assert_eq!(
            left(&["lockout-risk:clients/Billing*"]).as_deref(),
            Some("users or services may be locked out by changes to clients/Shop (callbacks)")
        );
        assert_eq!(left(&["lockout-risk:clients/Billing*", "lockout-risk:*/Shop"]), None);
        assert_eq!(left(&["lockout-risk"]), None);
        for other in ["weaker-protection", "deletes:clients/*", "many-changes"] {
            assert_eq!(left(&[other]), Some(refusal().message), "{other}");
        }
    }
}
