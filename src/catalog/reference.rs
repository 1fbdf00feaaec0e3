//! References, generated secrets, exclusions and manual steps, as entries declare them.

use serde_json::Value;

use crate::json::{Body, is_blank};

/// How a field refers to a resource in the JSON of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferencedBy {
    /// By id, which differs between tenants.
    Id,
    /// By key (the identifier of an API, the name of a connection).
    Key,
    /// By a second id: that of the newest version of an action module.
    Alias,
    /// In a text that may contain the id among other things: `client_id:<id>`, `default`.
    Within,
}

/// A field that refers to another resource.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The path of the field.
    pub path: &'static str,
    /// The kind that it refers to.
    pub to: &'static str,
    /// How it refers to the resource.
    pub by: ReferencedBy,
    /// Whether it may be written after the resource was created, so that it does not affect the order of kinds.
    pub is_deferred: bool,
}

impl Reference {
    /// Creates a reference by id.
    #[must_use]
    pub const fn id(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Id, is_deferred: false }
    }

    /// Creates a reference by key.
    #[must_use]
    pub const fn key(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Key, is_deferred: false }
    }

    /// Creates a reference by a second id of the resource.
    #[must_use]
    pub const fn alias(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Alias, is_deferred: false }
    }

    /// Creates a reference within a text.
    #[must_use]
    pub const fn within(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Within, is_deferred: false }
    }

    /// Allows the reference to be written later, in an update.
    #[must_use]
    pub const fn deferred(mut self) -> Self {
        self.is_deferred = true;
        self
    }
}

/// A secret that a tenant generates when it creates a resource, whether or not the body contains it.
#[derive(Debug, Clone, Copy)]
pub struct GeneratedSecretField {
    /// The path of the field.
    pub path: &'static str,
    /// A field and the text it must contain, if not every resource of the kind has such a secret.
    pub when: Option<(&'static str, &'static str)>,
    /// A field and the text with which a resource has the secret and does not use it.
    pub unused_when: Option<(&'static str, &'static str)>,
    /// The path under `/api/v2/` that returns it, with `{id}` for the id.
    pub shown_at: &'static str,
    /// The scope that returns it, beside those for reading the kind.
    pub shown_with: Option<&'static str>,
}

/// Identifies resources that are not copied.
#[derive(Debug, Clone, Copy)]
pub struct Exclusion {
    /// The field to examine, as the API returns it.
    pub field: &'static str,
    /// The condition for the field.
    pub when: Condition,
    /// Why such a resource is not copied, as part of a sentence.
    pub reason: &'static str,
    /// The word with which `--include` copies such resources anyway.
    pub include_word: Option<&'static str>,
    /// Whether a third party created it, so that it is never matched by name with a resource of the tenant's own.
    pub is_foreign: bool,
}

impl Exclusion {
    /// Creates an exclusion that no `--include` lifts.
    #[must_use]
    pub const fn always(field: &'static str, when: Condition, reason: &'static str) -> Self {
        Self { field, when, reason, include_word: None, is_foreign: false }
    }

    /// Creates an exclusion that `--include` with this word lifts.
    #[must_use]
    pub const fn unless(word: &'static str, field: &'static str, when: Condition, reason: &'static str) -> Self {
        Self { field, when, reason, include_word: Some(word), is_foreign: false }
    }

    /// Declares that a third party creates such resources: a partner, the marketplace, an organization.
    #[must_use]
    pub const fn foreign(mut self) -> Self {
        self.is_foreign = true;
        self
    }
}

/// Identifies resources that the tenant itself creates: they are never created or deleted, and only some fields are
/// written.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The field to examine, as the API returns it.
    pub field: &'static str,
    /// The condition for the field.
    pub when: Condition,
    /// A field, and the condition under which nothing is written at all.
    pub except: (&'static str, Condition),
    /// The fields that are written.
    pub fields: &'static [&'static str],
    /// Why not every tenant has one, as part of a sentence.
    pub reason: &'static str,
    /// What a person has to do to get one.
    pub manual_setup: &'static str,
}

impl BuiltIn {
    /// Returns whether a resource, as the API returns it, is built in.
    #[must_use]
    pub fn matches(&self, answered: &Body) -> bool {
        let (field, fixed) = self.except;
        self.when.holds(answered.get(self.field)) && !fixed.holds(answered.get(field))
    }

    /// Removes everything from a body that is not written, except these other fields.
    pub fn keep_written(&self, body: &mut Body, also_kept: &[&str]) {
        let written = self.fields.iter().chain(also_kept).filter_map(|path| Some((*path, body.get(path)?.clone())));
        let mut kept = Body::new();
        written.for_each(|(path, value)| kept.set(path, value));
        *body = kept;
    }
}

/// A manual step for a resource that was created, or meets the condition of the step.
#[derive(Debug, Clone, Copy)]
pub struct ManualStepTemplate {
    /// The field to examine.
    pub field: &'static str,
    /// The condition under which the step is needed.
    pub when: Condition,
    /// What to do. `{domain}` and `{tenant}` are replaced by the domain and name of the target, `{name}` by the name of the resource.
    pub what: &'static str,
}

/// An object that is written together with the secrets in it, or not at all, because the tenant replaces it completely.
#[derive(Debug, Clone, Copy)]
pub struct RequiredSecrets {
    /// The path of the object.
    pub path: &'static str,
    /// A field, and the condition under which the object needs no secret.
    pub secretless_when: Option<(&'static str, Condition)>,
}

impl RequiredSecrets {
    /// Returns whether the object of this resource needs no secret.
    #[must_use]
    pub fn needs_no_secrets(&self, body: &Body) -> bool {
        self.secretless_when.is_some_and(|(field, when)| when.holds(body.get(field)))
    }
}

/// A condition on one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The field is true.
    True,
    /// The field is false.
    False,
    /// The field is present and not blank.
    Present,
    /// The field is this text.
    Is(&'static str),
    /// The field is one of these texts.
    OneOf(&'static [&'static str]),
    /// The field is a text that ends with this.
    EndsWith(&'static str),
}

impl Condition {
    /// Returns whether a value meets the condition; an absent one never does.
    #[must_use]
    pub fn holds(self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return false };
        match self {
            Self::True => *value == Value::Bool(true),
            Self::False => *value == Value::Bool(false),
            Self::Present => !is_blank(value),
            Self::Is(text) => value.as_str() == Some(text),
            Self::OneOf(texts) => value.as_str().is_some_and(|value| texts.contains(&value)),
            Self::EndsWith(end) => value.as_str().is_some_and(|value| value.ends_with(end)),
        }
    }
}
