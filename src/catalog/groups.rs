//! The groups of fields in an entry: paths, identity, fields, secrets, lists, defaults, scopes and lifecycle.
//!
//! [`Kind`](super::Kind) lists them in the order in which every entry sets them. `DEFAULT` is the value of a group that
//! an entry does not mention.

use std::sync::OnceLock;

use super::fields::Fields;
use super::reference::{Exclusion, GeneratedSecretField, ManualStepTemplate, RequiredSecrets};
use super::shape::{FollowUp, Paging, Write};

/// The paths of a kind, and how its resources are listed and written.
#[derive(Debug)]
pub struct Paths {
    /// The path of the list under `/api/v2`, or of a singleton.
    ///
    /// For a child it contains `{id}`, the id of its parent; for a nested kind or a part it contains the field that
    /// names the parent.
    pub list: &'static str,
    /// The path of one resource, if it does not follow from the path of the list. It contains `{id}` and fields of the body in braces.
    pub item: &'static str,
    /// Where a POST creates a resource, if that does not follow from the shape.
    pub create: &'static str,
    /// Older paths of the same endpoint: the sandbox serves them, but they are never called.
    pub aliases: &'static [&'static str],
    /// A field of the parent and its values with which a parent can have resources of this kind; `None` if every parent
    /// can.
    pub parent_condition: Option<(&'static str, &'static [&'static str])>,
    /// Query parameters of every list request.
    pub query: &'static [(&'static str, &'static str)],
    /// How the list is paginated.
    pub paging: Paging,
    /// Which request updates a resource.
    pub write: Write,
    /// Whether the list contains only summaries, so that each resource is read individually.
    pub list_is_summary: bool,
    /// Whether a resource can only be read as part of the list.
    pub is_list_only: bool,
}

impl Paths {
    pub(super) const fn new(list: &'static str) -> Self {
        Self {
            list,
            item: "",
            create: "",
            aliases: &[],
            parent_condition: None,
            query: &[],
            paging: Paging::Whole,
            write: Write::Patch,
            list_is_summary: false,
            is_list_only: false,
        }
    }
}

/// What distinguishes resources of a kind, in one tenant and across tenants.
#[derive(Debug)]
pub struct Identity {
    /// The field that contains the id.
    pub id: &'static str,
    /// The fields that identify a resource in any tenant; an absent field counts as null.
    pub key: &'static [&'static str],
    /// Fields besides the key whose value no two resources may share.
    pub unique: &'static [&'static str],
    /// Whether two resources may have the same key; otherwise the API answers 409.
    pub allows_duplicates: bool,
    /// Whether a tenant may have none of a singleton: it answers 404 until one is written.
    pub is_optional: bool,
    /// The field that contains a host of the tenant itself, which means nothing in another tenant.
    pub tenant_host: &'static str,
    /// Fields besides the key that show a reader what a new resource is.
    pub distinguishing: &'static [&'static str],
}

impl Identity {
    pub(super) const DEFAULT: Self =
        Self { id: "id", key: &["name"], unique: &[], allows_duplicates: false, is_optional: false, tenant_host: "", distinguishing: &[] };
}

/// What the API accepts and returns, field by field.
#[derive(Debug)]
pub struct FieldRules {
    /// The writable fields, in the notation of [`Fields`].
    pub(super) table: &'static str,
    pub(super) parsed: OnceLock<Fields>,
    /// Fields that the API returns but never accepts: dropped when a resource is read.
    pub read_only: &'static [&'static str],
    /// Fields that a create must contain.
    pub required: &'static [&'static str],
    /// Objects that a PATCH replaces completely, whereas it merges other objects one level deep.
    pub replaced: &'static [&'static str],
    /// Objects in which an update can add and change fields but not remove any.
    pub merge_only: &'static [&'static str],
    /// Objects that are merged into the target's own value before they are sent, because they contain values that must
    /// not be read from a tenant.
    pub read_modify_write: &'static [&'static str],
    /// Fields repeated in every update, because omitting one resets it.
    pub always_sent: &'static [&'static str],
    /// Groups of fields that, if they change together, are sent in one request or not at all: one controls whether the
    /// others are in force.
    pub written_together: &'static [&'static [&'static str]],
    /// Fields that contain code, which is copied unchanged.
    pub code: &'static [&'static str],
}

impl FieldRules {
    pub(super) const fn new() -> Self {
        Self {
            table: "",
            parsed: OnceLock::new(),
            read_only: &[],
            required: &[],
            replaced: &[],
            merge_only: &[],
            read_modify_write: &[],
            always_sent: &[],
            written_together: &[],
            code: &[],
        }
    }

    /// Returns the writable fields.
    #[must_use]
    pub fn writable(&self) -> &Fields {
        self.parsed.get_or_init(|| Fields::parse(self.table))
    }
}

/// Fields that contain secrets, and how they can be written without being read.
#[derive(Debug)]
pub struct SecretFields {
    /// Fields that never become part of a resource.
    pub paths: &'static [&'static str],
    /// Fields whose names sound like secrets but contain none, each with the reason: secret detection exempts them.
    ///
    /// A path covers only that field; a path that ends in `**` covers everything below it.
    pub exempt: &'static [(&'static str, &'static str)],
    /// Secrets that the tenant generates when it creates a resource, so that they need not be supplied.
    pub generated: &'static [GeneratedSecretField],
    /// Secrets that no response contains.
    pub write_only: &'static [&'static str],
    /// Objects that are written together with the secrets in them, or not at all.
    pub required_in: &'static [RequiredSecrets],
}

impl SecretFields {
    pub(super) const DEFAULT: Self = Self { paths: &[], exempt: &[], generated: &[], write_only: &[], required_in: &[] };
}

/// Lists whose elements are compared one by one.
#[derive(Debug)]
pub struct Lists {
    /// Lists whose order has no meaning.
    pub unordered: &'static [&'static str],
    /// Unordered lists of objects, each with the field that identifies an element.
    pub element_key: &'static [(&'static str, &'static str)],
}

impl Lists {
    pub(super) const DEFAULT: Self = Self { unordered: &[], element_key: &[] };
}

/// Values that the server supplies for absent fields.
#[derive(Debug)]
pub struct Defaults {
    /// Fields with their default as JSON text: an absent field and one with this value are the same.
    pub values: &'static [(&'static str, &'static str)],
    /// Fields that a create fills in if the body lacks them, with a value that depends on the rest of the body.
    ///
    /// If the source lacks one, the target keeps its own value.
    pub server_filled: &'static [&'static str],
}

impl Defaults {
    pub(super) const DEFAULT: Self = Self { values: &[], server_filled: &[] };
}

/// The scopes that a token needs.
#[derive(Debug)]
pub struct RequiredScopes {
    /// To read resources.
    pub read: &'static [&'static str],
    /// To create one.
    pub create: &'static [&'static str],
    /// To update one.
    pub update: &'static [&'static str],
    /// To delete one; empty if the API has no such request.
    pub delete: &'static [&'static str],
}

impl RequiredScopes {
    pub(super) const DEFAULT: Self = Self { read: &[], create: &[], update: &[], delete: &[] };
}

/// What is not copied, the manual steps, and what happens besides a write.
#[derive(Debug)]
pub struct Lifecycle {
    /// Which resources are not copied.
    pub excluded: &'static [Exclusion],
    /// Why the API no longer creates any, if so.
    pub not_creatable: Option<&'static str>,
    /// What a person has to do to get one, if no request can create it.
    pub manual_setup: Option<&'static str>,
    /// What a person has to do once a resource was created, or meets the condition of the step.
    pub manual_steps: &'static [ManualStepTemplate],
    /// The request after a write that makes it take effect.
    pub follow_up: Option<FollowUp>,
    /// What users lose when a resource is deleted, which nothing here reads or restores.
    pub user_data: Option<&'static str>,
}

impl Lifecycle {
    pub(super) const DEFAULT: Self =
        Self { excluded: &[], not_creatable: None, manual_setup: None, manual_steps: &[], follow_up: None, user_data: None };
}
