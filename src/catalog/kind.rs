//! `Kind`: one kind of settings, and what follows from its entry. `builder` has the builder of entries, `address` derives their paths.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use serde_json::Value;

use super::groups::{Defaults, FieldRules, Identity, Lifecycle, Lists, Paths, RequiredScopes, SecretFields};
use super::quirks::Quirks;
use super::reference::{Exclusion, GeneratedSecretField, Reference, ReferencedBy, RequiredSecrets};
use super::risk::Risks;
use super::shape::{ElementChanges, KeyNames, Shape, Write};
use crate::json::{Body, PackedBody};

/// One kind of settings. Its groups are in the order in which every entry sets them.
#[derive(Debug)]
pub struct Kind {
    /// The name in commands, keys and file names: the path segment of the API, in the plural.
    pub name: &'static str,
    /// The singular, for sentences: `client "Billing API"`.
    pub(crate) singular: &'static str,
    /// The name in Auth0's dashboard.
    pub title: &'static str,
    /// How the API serves it.
    pub shape: Shape,
    /// Its paths.
    pub paths: Paths,
    /// What distinguishes its resources.
    pub identity: Identity,
    /// What the API accepts and returns.
    pub fields: FieldRules,
    /// Fields that contain secrets.
    pub secrets: SecretFields,
    /// Fields that refer to other resources.
    pub references: &'static [Reference],
    /// Kinds that must be written before this one although no field refers to them.
    pub(crate) depends_on: &'static [&'static str],
    /// Lists whose elements are compared one by one.
    pub lists: Lists,
    /// Values that the server supplies for absent fields.
    pub defaults: Defaults,
    /// The scopes that a token needs.
    pub scopes: RequiredScopes,
    /// Fields that not every subscription includes: if a tenant refuses one, the resource is written without it.
    pub entitlements: &'static [&'static str],
    /// What is not copied, the manual steps, and what happens besides a write.
    pub lifecycle: Lifecycle,
    /// Quirks, which are true of this kind only.
    pub quirks: Quirks,
    /// The risks of changes to its resources.
    pub risk: Risks,
}

/// Kinds are compared by their names, which [the process knows once](Kind::named).
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Kind {
    /// Returns the kinds that must be written before this one: its parent and what it refers to, except by deferred references.
    pub fn dependencies(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.read_after()
            .into_iter()
            .chain(self.depends_on.iter().copied())
            .chain(self.references.iter().filter(|reference| !reference.is_deferred).map(|reference| reference.to))
    }

    /// Returns the kind that must be read before this one: its parent, or the one that lists its names.
    pub(crate) fn read_after(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Keyed { names: KeyNames::PerElement { of, .. } } => Some(of),
            _ => self.parent_name(),
        }
    }

    /// Returns the kinds that it refers to by key.
    pub(crate) fn kinds_referenced_by_key(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.references.iter().filter(|reference| reference.by == ReferencedBy::Key).map(|reference| reference.to)
    }

    /// Returns the field that contains the list of a child.
    ///
    /// # Panics
    ///
    /// When the kind is not a child.
    #[must_use]
    pub fn elements(&self) -> &'static str {
        assert!(matches!(self.shape, Shape::Child { .. }), "only a child has elements");
        self.fields.writable().iter().next().expect("catalog test: a child has one field").name
    }

    /// Returns whether a resource can be deleted, or emptied by a write.
    #[must_use]
    pub(crate) fn can_be_deleted(&self) -> bool {
        !self.scopes.delete.is_empty() || self.empty_body().is_some()
    }

    /// Returns the body that empties a named object or a part for which the API has no DELETE, if there is one.
    #[must_use]
    pub(crate) fn empty_body(&self) -> Option<Body> {
        let is_by_name = matches!(self.shape, Shape::Keyed { .. } | Shape::Part { .. }) && self.creation().is_none();
        if !is_by_name || !self.scopes.delete.is_empty() {
            return None;
        }
        if self.fields.writable().is_open() {
            return (self.paths.write == Write::Put).then(Body::new);
        }
        let lists = self.fields.writable().iter().filter(|field| !field.in_path);
        let is_list = |name: &&'static str| self.lists.unordered.contains(name) || self.quirks.ordered_merge.contains(name);
        lists.map(|field| Some(field.name).filter(is_list).map(|name| (name.to_owned(), Value::Array(Vec::new())))).collect()
    }

    /// Returns the field that identifies an element of an unordered list: to the API, elements with the same value are the same.
    #[must_use]
    pub(crate) fn element_key_of(&self, list: &str) -> Option<&'static str> {
        match self.shape {
            Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } => Some(by),
            _ => self.lists.element_key.iter().find(|(path, _)| *path == list).map(|(_, field)| *field),
        }
    }

    /// Returns the parent kind.
    ///
    /// # Panics
    ///
    /// If no catalog has that kind.
    #[must_use]
    pub fn parent(&self) -> Option<&'static Self> {
        self.parent_name().map(|name| Self::named(name).expect("catalog test: every parent is a kind"))
    }

    /// Returns the name of the kind above it.
    pub(super) fn parent_name(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Child { parent, .. } | Shape::Nested { parent } | Shape::Part { parent } => Some(parent),
            Shape::Collection | Shape::Singleton | Shape::Keyed { .. } => None,
        }
    }

    /// Returns whether a tenant assigns ids, which mean nothing in another tenant.
    #[must_use]
    pub fn has_own_ids(&self) -> bool {
        match self.shape {
            Shape::Collection => self.quirks.same_endpoint_as.is_none(),
            Shape::Nested { .. } => !self.references.iter().any(|reference| reference.path == self.identity.id),
            Shape::Singleton | Shape::Keyed { .. } | Shape::Child { .. } | Shape::Part { .. } => false,
        }
    }

    /// Returns the rule of an object that is written together with its secrets.
    #[must_use]
    pub(crate) fn requires_secrets_at(&self, path: &str) -> Option<&RequiredSecrets> {
        self.secrets.required_in.iter().find(|required| required.path == path)
    }

    /// Returns whether a parent, as in a snapshot, can have resources of this kind.
    #[must_use]
    pub(crate) fn applies_to_parent(&self, parent: &PackedBody) -> bool {
        self.paths
            .parent_condition
            .is_none_or(|(field, values)| parent.pick(&[field]).text(field).is_some_and(|value| values.contains(&value)))
    }

    /// Returns whether Auth0 itself fills in `@@name@@` in a template.
    #[must_use]
    pub(crate) fn is_template_variable(&self, path: &str, name: &str) -> bool {
        self.quirks.template_variables.iter().any(|(template, names)| *template == path && names.contains(&name))
    }

    /// Returns why a resource, as the API returns it, is not copied, given the words of `--include`.
    #[must_use]
    pub(crate) fn exclusion(&self, answered: &Body, included: &BTreeSet<String>) -> Option<&'static Exclusion> {
        let is_included = |exclusion: &Exclusion| exclusion.include_word.is_some_and(|word| included.contains(word));
        let is_built_in = self.quirks.built_in.is_some_and(|built_in| built_in.matches(answered));
        let applies = |exclusion: &&Exclusion| !is_included(exclusion) && exclusion.when.holds(answered.get(exclusion.field));
        self.lifecycle.excluded.iter().filter(|_| !is_built_in).find(applies)
    }

    /// Applies the edits of the kind's quirks to a body that was read.
    pub fn apply_read_edits(&self, body: &mut Body) {
        for edit in self.quirks.edits {
            edit(body);
        }
    }

    /// Returns whether an update merges a field into the target's own value.
    ///
    /// This applies to fields that the entry lists, and to objects with a readable secret two levels down: a PATCH
    /// merges one level, so the object in between would lose its secret.
    #[must_use]
    pub(crate) fn is_read_modify_write(&self, name: &str) -> bool {
        let is_deep = |path: &&&str| path.split('.').next() == Some(name) && path.split('.').nth(2).is_some();
        let is_shown = |path: &&&str| !self.secrets.write_only.contains(path);
        self.fields.read_modify_write.contains(&name) || self.secrets.paths.iter().filter(is_shown).any(|path| is_deep(&path))
    }

    /// Returns the fields that a resource cannot have together with this one.
    pub(crate) fn excluded_by<'path>(&self, path: &'path str) -> impl Iterator<Item = &'static str> + 'path {
        let other = move |(newer, older): &(&'static str, &'static str)| match path {
            path if path == *newer => Some(*older),
            path if path == *older => Some(*newer),
            _ => None,
        };
        self.quirks.exclusive.iter().filter_map(other)
    }

    /// Returns whether a field contains an object or a list of objects, so that a secret supplied for it is JSON.
    #[must_use]
    pub(crate) fn holds_json(&self, path: &str) -> bool {
        self.fields.writable().at(path).is_some_and(|field| field.below.is_some())
    }

    /// Returns the default of a field.
    #[must_use]
    pub fn default_of(&self, path: &str) -> Option<Value> {
        let (_, text) = self.defaults.values.iter().find(|(known, _)| *known == path)?;
        Some(serde_json::from_str(text).expect("catalog test: every default is JSON"))
    }

    /// Returns the default at a path, or inside the default of an object above it.
    pub(crate) fn default_within(&self, path: &str) -> Option<Value> {
        self.default_of(path).or_else(|| {
            let (above, name) = path.rsplit_once('.')?;
            self.default_within(above)?.get(name).cloned()
        })
    }

    /// Returns the secrets that a tenant generates when it creates a resource with this body.
    pub(crate) fn generated_secrets_for(&self, body: &Body) -> impl Iterator<Item = &'static GeneratedSecretField> {
        self.secrets.generated.iter().filter(move |secret| secret.when.is_none_or(|condition| self.holds(condition, body)))
    }

    /// Returns whether a resource with this body does not use a secret that the tenant generates for it.
    pub(crate) fn leaves_unused(&self, path: &str, body: &Body) -> bool {
        let conditions = self.secrets.generated.iter().filter(|secret| secret.path == path).filter_map(|secret| secret.unused_when);
        conditions.into_iter().any(|condition| self.holds(condition, body))
    }

    fn holds(&self, (field, text): (&str, &str), body: &Body) -> bool {
        body.get(field).cloned().or_else(|| self.default_of(field)) == Some(text.into())
    }
}
