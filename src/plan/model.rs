//! The plan: ordered stages of changes, and everything worth knowing about what is not changed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::planned_reading::PlannedReading;
use crate::json::Body;
use crate::model::changed_by::ChangedBy;
use crate::model::event::Operation;
use crate::model::resource::{Id, Key, Resource};
use crate::model::unmatched_rule::UnmatchedRule;

/// A tenant as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedTenant {
    /// Its name in the configuration.
    pub tenant: String,
    /// Its own domain.
    pub domain: String,
    /// When it was read: RFC 3339, UTC.
    pub taken: String,
    /// The snapshot that was used (`dev@2026-03-01T10-00-00Z`), unless the tenant itself was read for this plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// How it was read, if an incremental reading was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<PlannedReading>,
}

impl PlannedTenant {
    /// Creates the record of a tenant that was read at this time.
    pub fn new(tenant: &str, domain: &str, taken: &str) -> Self {
        Self { tenant: tenant.to_owned(), domain: domain.to_owned(), taken: taken.to_owned(), snapshot: None, reading: None }
    }
}

/// The mapping that a plan was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnmappedHost {
    /// The host.
    pub host: String,
    /// The first resource that would carry it into the target.
    pub key: Key,
    /// The field that contains it.
    pub path: String,
    /// The number of fields that contain it.
    pub count: usize,
}

/// The resources that a plan was restricted to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSelection {
    /// Kinds; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Patterns of resources; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Patterns of excluded resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Dependencies of the selection that the target lacks and that are planned with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Key>,
    /// How many resources of each kind that was read the target has, selected or not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, usize>,
}

/// Ordered stages of changes, and everything worth knowing about what is not changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The tenant that the settings come from.
    pub source: PlannedTenant,
    /// The tenant that the settings are copied to.
    pub target: PlannedTenant,
    /// The folder of the source's snapshot, which a run of the plan keeps; relative to that of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_source: Option<PathBuf>,
    /// The stages in order; changes within one stage do not depend on each other.
    pub stages: Vec<Stage>,
    /// The target's ids of existing resources that changes refer to.
    pub known: BTreeMap<Key, Id>,
    /// Equal resources without a link: their ids in the source and in the target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub equal: BTreeMap<Key, (Id, Id)>,
    /// Resources that only the source has, whether desired or not, with their ids there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lacking: BTreeMap<Key, Id>,
    /// The names of referenced resources in the target that differ from their keys, for references by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<Key, String>,
    /// Resources or fields that should be copied but cannot be, with the reason.
    pub skipped: Vec<Skipped>,
    /// The manual steps: secrets that are not copied, and others.
    pub manual_steps: Vec<ManualStep>,
    /// Resources of the target that are not changed on purpose, with the reason.
    pub excluded: Vec<Skipped>,
    /// The number of equal resources, by kind.
    pub unchanged: BTreeMap<String, usize>,
    /// Resources that only the target has and that are not deleted, by kind.
    pub unmanaged: BTreeMap<String, Vec<Key>>,
    /// The number of resources that both tenants have, by kind.
    pub shared: BTreeMap<String, usize>,
    /// Unknown fields of the source, by kind: exported, not applied.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Fields that changed in the target since the last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// Fields that both tenants changed differently since the last run; their resources are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Notes about anything else.
    pub notes: Vec<String>,
    /// What may be a mistake of the person who asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The previous state of the target that an undo needs and the changes do not record: what belongs or refers to a
    /// deleted resource, the order of sets, and blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Resource>,
    /// The run that this plan undoes, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undoes>,
    /// The mapping, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PlannedMapping>,
    /// The mapping rules that produced values of changed resources, by field; the field is empty for a whole resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mapped: BTreeMap<Key, BTreeMap<String, String>>,
    /// The selection that the plan was restricted to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<PlannedSelection>,
    /// Scopes that the target's token lacks for this plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
}

/// The run that a plan undoes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undoes {
    /// Its name.
    pub run: String,
    /// The tenant that the settings of the run came from.
    pub source: String,
    /// Patterns of the resources to restore; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// A field that changed in the target since the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The resource.
    pub key: Key,
    /// The path of the field.
    pub path: String,
    /// The last applied value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// The target's value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// Who changed it, if the target's log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<ChangedBy>,
}

/// A field that both tenants changed differently since the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The resource.
    pub key: Key,
    /// Its id in the source.
    pub source_id: Id,
    /// The path of the field, and the element if only that is in conflict.
    pub path: String,
    /// The last applied value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// The source's value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Value>,
    /// The target's value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// Who changed it in the target, if the target's log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<ChangedBy>,
}

/// Changes that can be sent at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// The title of the kind.
    pub title: String,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The resource.
    pub key: Key,
    /// Its id in the source.
    pub source_id: Id,
    /// What the change does.
    #[serde(flatten)]
    pub action: Action,
    /// Resources that this plan creates and that this change refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Key>,
    /// Secrets that are supplied and added when the change is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretField>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// Its path: `refresh_token.leeway`. Lists are compared as a whole.
    pub path: String,
    /// The target's value, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The desired value; `None` if the field is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// A secret that is added to a body when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretField {
    /// The field.
    pub path: String,
    /// `env:NAME` or `file:PATH`.
    pub from: String,
    /// Whether a different value was sent to this resource before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_changed: bool,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The resource is created.
    Create {
        /// The body to send, portable: keys in place of ids.
        body: Body,
        /// Other resources of the same name that the target already has.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        twins: Vec<Id>,
    },
    /// Fields are changed.
    Update {
        /// Its id in the target; `None` if this plan creates it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// The body to send, portable: whole top-level fields.
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
        /// The target's current body, portable.
        body: Body,
    },
}

/// A resource or field that is not changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The resource.
    pub key: Key,
    /// The field, if only a field is not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The reason.
    pub reason: String,
    /// Whether the reason is that somebody changed it in the target.
    #[serde(skip)]
    pub is_changed: bool,
    /// Who changed it in the target, if that is the reason and the target's log says so; the reason names them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<ChangedBy>,
}

impl Skipped {
    /// Creates an entry about a resource, or one of its fields, that is not changed.
    pub fn new(key: Key, path: Option<String>, reason: impl Into<String>) -> Self {
        Self { key, path, reason: reason.into(), is_changed: false, changed_by: None }
    }

    /// Says that the reason is a change in the target.
    #[must_use]
    pub fn because_changed(self, is_changed: bool) -> Self {
        Self { is_changed, ..self }
    }
}

/// A step that a person has to take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
            kept_source: None,
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
            warnings: Vec::new(),
            before: Vec::new(),
            undoes: None,
            mapping: None,
            mapped: BTreeMap::new(),
            selection: None,
            missing_scopes: Vec::new(),
        }
    }

    /// Returns the tenant whose links and baseline are used: the source, or for an undo the source of the undone run.
    #[must_use]
    pub fn source_tenant(&self) -> &str {
        self.undoes.as_ref().map_or(&self.source.tenant, |undoes| &undoes.source)
    }

    /// Returns the name of the target's own snapshot that this plan restores, if it restores one.
    #[must_use]
    pub fn restores(&self) -> Option<&str> {
        self.source.snapshot.as_deref().filter(|_| self.source.tenant == self.target.tenant)
    }

    /// Returns every change, in the order of the stages.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.stages.iter().flat_map(|stage| &stage.changes)
    }

    /// Returns whether the plan changes nothing.
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
    /// Returns whether the change only writes values that are already there.
    pub fn is_repeated(&self) -> bool {
        matches!(&self.action, Action::Update { id: Some(_), edits, .. } if edits.is_empty()) && self.secrets.is_empty()
    }

    /// Returns whether the change modifies or deletes something existing, rather than only adding.
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Resources created.
    pub creates: usize,
    /// Updates of existing resources, and updates that add deferred references.
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
