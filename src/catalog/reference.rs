//! What a field of a kind names, which secrets a tenant makes, and what marks a resource that must be left alone.

use serde_json::Value;

use crate::json::{Body, is_blank};

/// What a reference holds in the API's own JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferencedBy {
    /// The id, which differs from tenant to tenant.
    Id,
    /// What the other resource is named by (an API's identifier, a connection's name).
    Key,
    /// Another id of the resource: of an action module, that of its newest version.
    Alias,
    /// A text that holds the id among other things, or none: `client_id:<id>`, `default`.
    Within,
}

/// A field that names another resource.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Where it stands in the body.
    pub path: &'static str,
    /// The kind it names.
    pub to: &'static str,
    /// What it holds.
    pub by: ReferencedBy,
    /// Whether it may be written after the resource exists, so that it puts no order on the kinds.
    pub is_deferred: bool,
}

impl Reference {
    /// Returns a reference that holds an id.
    #[must_use]
    pub const fn id(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Id, is_deferred: false }
    }

    /// Returns a reference that holds what the other resource is named by.
    #[must_use]
    pub const fn key(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Key, is_deferred: false }
    }

    /// Returns a reference that holds another id of the resource.
    #[must_use]
    pub const fn alias(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Alias, is_deferred: false }
    }

    /// Returns a reference that stands within a text.
    #[must_use]
    pub const fn within(path: &'static str, to: &'static str) -> Self {
        Self { path, to, by: ReferencedBy::Within, is_deferred: false }
    }

    /// Says that the reference may be written after its target exists.
    #[must_use]
    pub const fn deferred(mut self) -> Self {
        self.is_deferred = true;
        self
    }
}

/// A secret that a tenant makes itself when it creates a resource, whether or not a body asks for it.
#[derive(Debug, Clone, Copy)]
pub struct GeneratedSecretField {
    /// Where it stands.
    pub path: &'static str,
    /// A field and the text it must hold, where not every resource of the kind has such a secret.
    pub when: Option<(&'static str, &'static str)>,
    /// The path under `/api/v2/` that shows it, with `{id}` for the id.
    pub shown_at: &'static str,
}

/// What marks a resource that must be left alone.
#[derive(Debug, Clone, Copy)]
pub struct Exclusion {
    /// The field to look at, as the API answers it.
    pub field: &'static str,
    /// What it must hold.
    pub when: Condition,
    /// Why it is left alone, as part of a sentence.
    pub reason: &'static str,
    /// The word by which a person includes such resources all the same.
    pub include_word: Option<&'static str>,
    /// Whether somebody else made it, so that it is never taken for a resource of the tenant's own, whatever it is called.
    pub is_foreign: bool,
}

impl Exclusion {
    /// Returns a reason to leave a resource alone whatever anybody asks.
    #[must_use]
    pub const fn always(field: &'static str, when: Condition, reason: &'static str) -> Self {
        Self { field, when, reason, include_word: None, is_foreign: false }
    }

    /// Returns a reason that ends where a person includes this word.
    #[must_use]
    pub const fn unless(word: &'static str, field: &'static str, when: Condition, reason: &'static str) -> Self {
        Self { field, when, reason, include_word: Some(word), is_foreign: false }
    }

    /// Says that somebody else made such a resource: a third party, the marketplace, one organization.
    #[must_use]
    pub const fn foreign(mut self) -> Self {
        self.is_foreign = true;
        self
    }
}

/// What marks a resource that the tenant itself makes and of which only some fields are written: nobody creates or removes one.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The field to look at, as the API answers it.
    pub field: &'static str,
    /// What it must hold.
    pub when: Condition,
    /// A field, and what it holds where nothing is written at all.
    pub except: (&'static str, Condition),
    /// What is written.
    pub fields: &'static [&'static str],
    /// Why it is not there for everybody, as part of a sentence.
    pub reason: &'static str,
    /// What a person has to do to have one.
    pub manual_setup: &'static str,
}

impl BuiltIn {
    /// Returns whether it marks a resource, as the API answers it.
    #[must_use]
    pub fn is(&self, answered: &Body) -> bool {
        let (field, fixed) = self.except;
        self.when.holds(answered.get(self.field)) && !fixed.holds(answered.get(field))
    }

    /// Takes everything out of a body that is not written, but for these other fields.
    pub fn keep_written(&self, body: &mut Body, besides: &[&str]) {
        let written = self.fields.iter().chain(besides).filter_map(|path| Some((*path, body.get(path)?.clone())));
        let mut kept = Body::new();
        written.for_each(|(path, value)| kept.set(path, value));
        *body = kept;
    }
}

/// Something a person has to do by hand once a resource was created, or came to hold what the step is about.
#[derive(Debug, Clone, Copy)]
pub struct ManualStepTemplate {
    /// The field to look at.
    pub field: &'static str,
    /// What it must hold for the step to be needed.
    pub when: Condition,
    /// What to do; `{domain}` and `{tenant}` stand for the target's own domain and name, `{name}` for the resource's name.
    pub what: &'static str,
}

/// An object that is written together with the secrets in it, or not at all: a tenant replaces it whole.
#[derive(Debug, Clone, Copy)]
pub struct RequiredSecrets {
    /// The object.
    pub path: &'static str,
    /// The field that says that it holds no secret, and what it must hold then.
    pub secretless_when: Option<(&'static str, Condition)>,
}

impl RequiredSecrets {
    /// Returns whether a resource has one without secrets.
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
    /// The field is there and not blank.
    Present,
    /// The field holds this text.
    Is(&'static str),
    /// The field holds one of these texts.
    OneOf(&'static [&'static str]),
    /// The field holds a text that ends so.
    EndsWith(&'static str),
}

impl Condition {
    /// Returns whether it holds for a value, or for none.
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
