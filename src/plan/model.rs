//! What a plan is: ordered stages of changes, and everything a person should know about what is not in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Body;
use crate::model::event::Operation;
use crate::model::resource::{Id, Key, Resource};

/// A tenant as a plan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTenant {
    /// Its name in the configuration.
    pub tenant: String,
    /// Its own domain.
    pub domain: String,
    /// When it was read: RFC 3339, UTC.
    pub taken: String,
}

/// Ordered stages of changes, and everything a person should know about what is not in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the settings come from.
    pub source: PlannedTenant,
    /// Where they go.
    pub target: PlannedTenant,
    /// What is done, in this order; the changes of one stage do not depend on each other.
    pub stages: Vec<Stage>,
    /// What the target calls the resources it has that changes refer to.
    pub known: BTreeMap<Key, Id>,
    /// What the target has already as it should be and no link tells of: the ids in the source and in the target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub equal: BTreeMap<Key, (Id, Id)>,
    /// What the source has and the target does not, wanted or not: the id in the source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lacking: BTreeMap<Key, Id>,
    /// What the target calls those of them that have another name there than here, where a reference holds the name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<Key, String>,
    /// Resources or fields that should be copied and cannot be, with the reason.
    pub skipped: Vec<Skipped>,
    /// What a person has to do by hand: secrets that are not copied.
    pub manual_steps: Vec<ManualStep>,
    /// Resources of the target that stay as they are because they are its own, with the reason.
    pub excluded: Vec<Skipped>,
    /// Resources that are equal already, by kind.
    pub unchanged: BTreeMap<String, usize>,
    /// Resources that only the target has, by kind; they stay.
    pub unmanaged: BTreeMap<String, Vec<Key>>,
    /// Resources that could have changed, by kind: those both tenants have.
    pub shared: BTreeMap<String, usize>,
    /// Fields the source returned that nobody knows, by kind: carried, never sent.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Fields that the target changed by itself since the last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// Fields that both tenants changed since the last run, each in its way; their resources are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Anything else worth a line.
    pub notes: Vec<String>,
    /// What the target holds before, as an undo needs it, of what the changes do not tell: whatever hangs on a resource that goes or names
    /// it, and fields in which a set has an order or a blank stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Resource>,
    /// The run that this takes back, where it takes one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undoes>,
}

/// The run that a plan takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoes {
    /// Its name.
    pub run: String,
    /// The tenant its settings came from.
    pub source: String,
    /// Patterns of the resources that were meant; all of the run where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// A field that the target changed by itself since the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resource.
    pub key: Key,
    /// The field.
    pub path: String,
    /// What was last applied; absent where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// What the target holds; absent where it holds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
}

/// A field that both tenants changed since the last run, each in its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The resource.
    pub key: Key,
    /// What the source calls it.
    pub source_id: Id,
    /// The field, and the element of it where only that is meant.
    pub path: String,
    /// What was last applied; absent where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
    /// What the source wants; absent where it wants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Value>,
    /// What the target holds; absent where it holds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
}

/// Changes that can be made at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What it holds, for people: the kind's title.
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
    /// Where it stands: `refresh_token.leeway`. Lists are compared whole.
    pub path: String,
    /// What the target holds; absent where it holds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it should hold; absent where it should hold nothing.
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

/// What is done with a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It is created with this body.
    Create {
        /// Portable: keys stand where ids will.
        body: Body,
        /// Resources of the same name that the target has already, which are others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        twins: Vec<Id>,
    },
    /// Fields of it are changed.
    Update {
        /// Its id in the target; absent for one that this plan creates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// What is sent; portable, whole top-level fields.
        body: Body,
        /// What differs, field by field.
        edits: Vec<Edit>,
    },
    /// Elements of a list under a parent come and go.
    Elements {
        /// The resource that the list hangs under.
        parent: Key,
        /// Elements to add; portable.
        added: Vec<Value>,
        /// Elements to take away; portable.
        removed: Vec<Value>,
    },
    /// It is removed from the target.
    Delete {
        /// Its id in the target.
        id: Id,
        /// What the target holds; portable.
        body: Body,
    },
}

/// A resource or field that is not part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// The resource.
    pub key: Key,
    /// The field, where only that is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why.
    pub reason: String,
}

/// Something a person has to do by hand.
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
    /// Returns a plan between two tenants that does nothing.
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
        }
    }

    /// Returns the tenant that its settings come from, or came from before they are taken back: its links and base are meant.
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

    /// Returns how many resources are created, updated, and how many in all stay as they are.
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

    /// Returns whether it changes something that the target has; what only adds to it does not.
    pub fn is_of_the_target(&self) -> bool {
        match &self.action {
            Action::Update { id, .. } => id.is_some(),
            Action::Elements { removed, .. } => !removed.is_empty(),
            Action::Delete { .. } => true,
            Action::Create { .. } => false,
        }
    }

    /// Returns the word for what is done: `create`, `update` or `remove`.
    pub fn operation(&self) -> Operation {
        match self.action {
            Action::Create { .. } => Operation::Create,
            Action::Update { .. } | Action::Elements { .. } => Operation::Update,
            Action::Delete { .. } => Operation::Delete,
        }
    }
}

/// How much a plan would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Resources created.
    pub creates: usize,
    /// Changes to resources that exist, late references included.
    pub updates: usize,
    /// Resources removed.
    #[serde(skip_serializing_if = "is_zero")]
    pub deletions: usize,
    /// Resources that are equal already.
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
