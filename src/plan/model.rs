//! The plan: ordered stages of changes, and what a person should know about everything that is not in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Body;
use crate::model::event::Operation;
use crate::model::resource::{Id, Key, Resource};
use crate::model::unmatched_rule::UnmatchedRule;

/// A tenant as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTenant {
    /// Its name in the configuration.
    pub tenant: String,
    /// Its own domain.
    pub domain: String,
    /// When it was read: RFC 3339, UTC.
    pub taken: String,
    /// The snapshot it was taken from (`dev@2026-03-01T10-00-00Z`), unless the tenant itself was read for this plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
}

impl PlannedTenant {
    /// Returns a tenant that was read at this time.
    pub fn new(tenant: &str, domain: &str, taken: &str) -> Self {
        Self { tenant: tenant.to_owned(), domain: domain.to_owned(), taken: taken.to_owned(), snapshot: None }
    }
}

/// The mapping that a plan was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMapping {
    /// Its file: `mappings/dev-to-prod.toml`.
    pub file: String,
    /// How many rules it has.
    pub rules: usize,
    /// The rules that matched nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<UnmatchedRule>,
    /// Hosts of the source that no rule rewrote, and where they occur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped_hosts: Vec<UnmappedHost>,
}

/// A host of the source that no rule of the mapping rewrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedHost {
    /// The host.
    pub host: String,
    /// A resource that would carry it into the target.
    pub key: Key,
    /// The field that holds it.
    pub path: String,
    /// How many fields hold it.
    pub count: usize,
}

/// The resources that a plan was restricted to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSelection {
    /// Kinds; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Patterns of resources; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Patterns of resources that are not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// What the selected resources need and the target lacks, which is in the plan although it was not selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Key>,
    /// How many resources the target has of each kind that was read, selected or not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, usize>,
}

/// Ordered stages of changes, and what a person should know about everything that is not in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the settings come from.
    pub source: PlannedTenant,
    /// Where they go.
    pub target: PlannedTenant,
    /// The stages in order; changes within one stage do not depend on each other.
    pub stages: Vec<Stage>,
    /// The target's ids of existing resources that changes refer to.
    pub known: BTreeMap<Key, Id>,
    /// Equal resources without a link: their ids in the source and in the target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub equal: BTreeMap<Key, (Id, Id)>,
    /// Resources that only the source has, wanted or not: their ids there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lacking: BTreeMap<Key, Id>,
    /// The target's names of referenced resources that differ from their keys, where references are by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<Key, String>,
    /// Resources or fields that should be copied and cannot be, with the reason.
    pub skipped: Vec<Skipped>,
    /// What a person has to do: secrets that are not copied, and other manual steps.
    pub manual_steps: Vec<ManualStep>,
    /// Resources of the target that are not changed on purpose, with the reason.
    pub excluded: Vec<Skipped>,
    /// Resources that are equal already, by kind.
    pub unchanged: BTreeMap<String, usize>,
    /// Resources that only the target has and that are not deleted, by kind.
    pub unmanaged: BTreeMap<String, Vec<Key>>,
    /// Resources that both tenants have, by kind.
    pub shared: BTreeMap<String, usize>,
    /// Unknown fields of the source, by kind: exported, not applied.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Fields that changed in the target since the last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// Fields that both tenants changed differently since the last run; their resources are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Anything else worth a line.
    pub notes: Vec<String>,
    /// What an undo needs to know of the target before the run and the changes do not record: what belongs or refers to a deleted
    /// resource, the order of sets, and blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Resource>,
    /// The run that this plan takes back, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undoes>,
    /// The mapping, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PlannedMapping>,
    /// The rules that made values of changed resources: their places by field, which is empty if the whole resource is meant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mapped: BTreeMap<Key, BTreeMap<String, String>>,
    /// What the plan was restricted to, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<PlannedSelection>,
    /// Scopes that the target's token lacks for this plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
}

/// The run that a plan takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoes {
    /// Its name.
    pub run: String,
    /// The tenant its settings came from.
    pub source: String,
    /// Patterns of the resources to take back; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// A field that changed in the target since the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resource.
    pub key: Key,
    /// The field.
    pub path: String,
    /// What was last applied, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// What the target holds, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
}

/// A field that both tenants changed differently since the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The resource.
    pub key: Key,
    /// Its id in the source.
    pub source_id: Id,
    /// The field, and the element if only that is meant.
    pub path: String,
    /// What was last applied, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// What the source wants, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Value>,
    /// What the target holds, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
}

/// Changes that can be sent at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The title of the kind.
    pub title: String,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The resource.
    pub key: Key,
    /// Its id in the source.
    pub source_id: Id,
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// Resources that this plan creates and that this change refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Key>,
    /// Secrets to add from outside when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretField>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Its path: `refresh_token.leeway`. Lists are compared as a whole.
    pub path: String,
    /// What the target holds, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it should hold; absent if the field is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// A secret that is added to a body when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretField {
    /// The field.
    pub path: String,
    /// `env:NAME` or `file:PATH`.
    pub from: String,
    /// Whether another value was sent to this resource before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_changed: bool,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The resource is created.
    Create {
        /// Portable: keys in place of ids.
        body: Body,
        /// Other resources of the same name that the target already has.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        twins: Vec<Id>,
    },
    /// Fields are changed.
    Update {
        /// Its id in the target; absent if this plan creates it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// What is sent: portable, whole top-level fields.
        body: Body,
        /// The fields that differ.
        edits: Vec<Edit>,
    },
    /// Elements of a child list are added and removed.
    Elements {
        /// The resource that the list belongs to.
        parent: Key,
        /// Elements to add; portable.
        added: Vec<Value>,
        /// Elements to remove; portable.
        removed: Vec<Value>,
    },
    /// The resource is deleted.
    Delete {
        /// Its id in the target.
        id: Id,
        /// What the target holds; portable.
        body: Body,
    },
}

/// A resource or field that is not changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// The resource.
    pub key: Key,
    /// The field, if only that is not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why.
    pub reason: String,
}

/// A step that a person has to take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ManualStep {
    /// The resource.
    pub key: Key,
    /// The field.
    pub path: String,
    /// What to do.
    pub step: String,
}

impl Plan {
    /// Returns an empty plan between two tenants.
    pub fn between(source: PlannedTenant, target: PlannedTenant) -> Self {
        Self {
            source,
            target,
            stages: Vec::new(),
            known: BTreeMap::new(),
            equal: BTreeMap::new(),
            lacking: BTreeMap::new(),
            called: BTreeMap::new(),
            skipped: Vec::new(),
            manual_steps: Vec::new(),
            excluded: Vec::new(),
            unchanged: BTreeMap::new(),
            unmanaged: BTreeMap::new(),
            shared: BTreeMap::new(),
            unknown: BTreeMap::new(),
            drift: Vec::new(),
            conflicts: Vec::new(),
            notes: Vec::new(),
            before: Vec::new(),
            undoes: None,
            mapping: None,
            mapped: BTreeMap::new(),
            selection: None,
            missing_scopes: Vec::new(),
        }
    }

    /// Returns the tenant whose links and baseline count: the source, or in an undo the source of the run.
    #[must_use]
    pub fn source_tenant(&self) -> &str {
        self.undoes.as_ref().map_or(&self.source.tenant, |undoes| &undoes.source)
    }

    /// Returns every change, in the order of the stages.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.stages.iter().flat_map(|stage| &stage.changes)
    }

    /// Returns whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// Counts creates, updates, deletes and unchanged resources.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unchanged: self.unchanged.values().sum(), ..Counts::default() };
        for change in self.changes() {
            match &change.action {
                Action::Create { .. } => counts.creates += 1,
                Action::Update { .. } | Action::Elements { .. } => counts.updates += 1,
                Action::Delete { .. } => counts.deletions += 1,
            }
        }
        counts
    }
}

impl Change {
    /// Returns whether it only writes again what is there already.
    pub fn is_repeated(&self) -> bool {
        matches!(&self.action, Action::Update { id: Some(_), edits, .. } if edits.is_empty()) && self.secrets.is_empty()
    }

    /// Returns whether it changes or deletes something that the target has, rather than only add.
    pub fn is_of_the_target(&self) -> bool {
        match &self.action {
            Action::Update { id, .. } => id.is_some(),
            Action::Elements { removed, .. } => !removed.is_empty(),
            Action::Delete { .. } => true,
            Action::Create { .. } => false,
        }
    }

    /// Returns the operation: `create`, `update` or `delete`.
    pub fn operation(&self) -> Operation {
        match self.action {
            Action::Create { .. } => Operation::Create,
            Action::Update { .. } | Action::Elements { .. } => Operation::Update,
            Action::Delete { .. } => Operation::Delete,
        }
    }
}

/// The size of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Resources created.
    pub creates: usize,
    /// Changes to existing resources, late references included.
    pub updates: usize,
    /// Resources deleted.
    #[serde(skip_serializing_if = "is_zero")]
    pub deletions: usize,
    /// Resources that are equal.
    pub unchanged: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
