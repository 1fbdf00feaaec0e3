//! Approvals that a person recorded in a saved plan: by whom, when, for which part, and what they permit.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Change, Plan, Skipped};
use crate::files::ContentHash;
use crate::model::approval::{Approval, Approvals};
use crate::model::resource::Key;
use crate::model::selection::Selection;

/// An approval recorded in a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanApproval {
    /// Patterns of the approved resources and everything that belongs to them; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The permitted guards, in the form that `--allow` takes: `lockout-risk:clients/Billing`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permits: Vec<String>,
    /// Who approved.
    pub by: String,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Binds the approval to its plan and its content.
    hash: String,
}

impl PlanApproval {
    /// Creates an approval of the plan with this hash.
    #[must_use]
    pub fn new(plan: &str, (only, permits): (Vec<String>, Vec<String>), (by, at): (String, String)) -> Self {
        let hash = hash_of(plan, (&only, &permits), (&by, &at));
        Self { only, permits, by, at, hash }
    }

    /// Returns whether the approval belongs to the plan with this hash and is unchanged.
    #[must_use]
    pub fn is_of(&self, plan: &str) -> bool {
        self.hash == hash_of(plan, (&self.only, &self.permits), (&self.by, &self.at))
    }

    fn includes(&self, key: &Key) -> bool {
        self.only.is_empty() || Selection::recorded(&[], &self.only, &[]).has(key)
    }
}

fn hash_of(plan: &str, (only, permits): (&[String], &[String]), (by, at): (&str, &str)) -> String {
    let mut hash = ContentHash::default();
    serde_json::to_writer(&mut hash, &(plan, only, permits, by, at)).expect("texts are JSON, and a hash takes everything");
    hash.finish()
}

/// Returns everything that approvals permit.
#[must_use]
pub fn permitted(approvals: &[PlanApproval]) -> Approvals {
    approvals.iter().flat_map(|approval| &approval.permits).filter_map(|text| Approval::read(text).ok()).collect()
}

/// Removes everything from a plan that is not approved or depends on something not approved, and lists it as skipped.
///
/// A plan without any approval stays complete: its guards decide.
pub fn keep_approved(plan: &mut Plan, approvals: &[PlanApproval]) {
    if approvals.is_empty() {
        return;
    }
    let is_approved = |change: &Change| approvals.iter().any(|approval| approval.includes(&change.key));
    let mut left: BTreeSet<Key> = plan.changes().filter(|change| !is_approved(change)).map(|change| change.key.clone()).collect();
    let mut skipped: Vec<Skipped> = left.iter().map(|key| Skipped::new(key.clone(), None, "it was not approved")).collect();
    // Removing a change may affect changes that depend on it, and so on.
    loop {
        let needs_left = |change: &&Change| !left.contains(&change.key) && change.needs.iter().any(|needed| left.contains(needed));
        let Some((key, needed)) = plan
            .changes()
            .find(needs_left)
            .and_then(|change| Some((change.key.clone(), change.needs.iter().find(|needed| left.contains(*needed))?.clone())))
        else {
            break;
        };
        skipped.push(Skipped::new(key.clone(), None, format!("it needs {needed}, which was not approved")));
        left.insert(key);
    }
    for stage in &mut plan.stages {
        stage.changes.retain(|change| !left.contains(&change.key));
    }
    plan.stages.retain(|stage| !stage.changes.is_empty());
    plan.skipped.append(&mut skipped);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Body;
    use crate::model::resource::Id;
    use crate::model::resource::key;
    use crate::plan::{Action, PlannedTenant, Stage};

    fn create(kind: &str, name: &str, needs: &[(&str, &str)]) -> Change {
        Change {
            key: key(&format!("{kind}/{name}")),
            source_id: Id::new("s"),
            action: Action::Create { body: Body::new(), twins: Vec::new() },
            needs: needs.iter().map(|(kind, name)| key(&format!("{kind}/{name}"))).collect(),
            secrets: Vec::new(),
        }
    }

    fn plan() -> Plan {
        let side = |name: &str| PlannedTenant::new(name, name, "");
        let changes = vec![
            create("clients", "Web", &[]),
            create("clients", "Billing", &[]),
            create("client-grants", "Web · api", &[("clients", "Web")]),
            create("organization-client-grants", "o · Web · api", &[("client-grants", "Web · api")]),
        ];
        Plan { stages: vec![Stage { title: "All".into(), changes }], ..Plan::between(side("dev"), side("prod")) }
    }

    fn approval(only: &[&str]) -> PlanApproval {
        let only = only.iter().map(|&pattern| pattern.to_owned()).collect();
        PlanApproval::new("sha256:plan", (only, vec!["lockout-risk:clients/*".into()]), ("ada".into(), "2026-03-01T10:00:00Z".into()))
    }

    #[test]
    fn changes_that_depend_on_unapproved_ones_are_skipped_too() {
        let mut plan = plan();
        keep_approved(&mut plan, &[approval(&["clients/Billing", "*grants/*"])]);
        assert_eq!(plan.changes().map(|change| change.key.to_string()).collect::<Vec<_>>(), ["clients/Billing"]);
        let reasons: Vec<String> = plan.skipped.iter().map(|left| format!("{}: {}", left.key, left.reason)).collect();
        assert_eq!(
            reasons,
            [
                "clients/Web: it was not approved",
                "client-grants/Web · api: it needs clients/Web, which was not approved",
                "organization-client-grants/o · Web · api: it needs client-grants/Web · api, which was not approved",
            ]
        );
    }

    #[test]
    fn approving_everything_keeps_the_whole_plan() {
        let mut whole = plan();
        keep_approved(&mut whole, &[approval(&[])]);
        assert_eq!(whole, plan());
        assert!(permitted(&[approval(&[])]).includes_resource(crate::model::guard::Guard::LockoutRisk, &key("clients/Web")));
    }

    #[test]
    fn an_approval_belongs_to_one_plan_and_cannot_be_widened() {
        let given = approval(&["clients/Web"]);
        assert!(given.is_of("sha256:plan"));
        assert!(!given.is_of("sha256:another"));
        for wider in [
            PlanApproval { only: Vec::new(), ..given.clone() },
            PlanApproval { permits: vec!["deletes".into()], ..given.clone() },
            PlanApproval { by: "grace".into(), ..given.clone() },
        ] {
            assert!(!wider.is_of("sha256:plan"));
        }
    }
}
