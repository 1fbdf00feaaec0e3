//! The catalog: everything specific to Auth0, with one entry per kind of settings.
//!
//! Export, references, diff, order, redaction, scopes, rate limits, the sandbox and the help text are derived from
//! these entries. A new kind is one entry, written with the builder; only what is true of that kind alone is a field of
//! [`Quirks`]. This module knows bodies and paths; it does no input or output.
//!
//! ```text
//! kind.rs groups.rs     an entry and its groups
//! builder.rs            the builder, in the order in which every entry calls its methods
//! shape.rs address.rs   how the API serves a kind; its paths
//! fields.rs             writable fields
//! written_path.rs       the resources that a write changes, by its path
//! reference.rs          references, generated secrets, exclusions, manual steps
//! risk.rs               the risks of changes
//! registry.rs           kinds by name
//! quirks.rs             what is true of one kind only
//! secret_detection.rs   finds secrets that no entry lists
//! limits.rs             published rate limits
//! kinds/                the entries, by area
//! ```

pub mod address;
mod builder;
mod fields;
mod groups;
mod kind;
mod kinds;
pub mod limits;
mod quirks;
mod reference;
mod registry;
pub mod risk;
mod secret_detection;
mod shape;
mod write_effects;
mod written_path;

use std::sync::OnceLock;

pub use fields::{Field, Fields, RequestPurpose, Writability};
pub use groups::{Defaults, FieldRules, Identity, Lifecycle, Lists, Paths, RequiredScopes, SecretFields};
pub use kind::Kind;
pub use quirks::Quirks;
pub use reference::{BuiltIn, Condition, Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, ReferencedBy, RequiredSecrets};
pub use secret_detection::WithheldReason;
pub(crate) use secret_detection::is_mask;
pub use shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};
pub use write_effects::WriteEffect;
pub use written_path::{WriteReach, WrittenResource};

/// The kinds of a run, in the order that their references require.
#[derive(Debug)]
pub struct Catalog {
    kinds: Vec<&'static Kind>,
}

impl Catalog {
    /// Returns the catalog of every kind that `migrate` covers.
    #[must_use]
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Catalog> = OnceLock::new();
        STANDARD.get_or_init(|| Self::new(kinds::ALL))
    }

    /// Creates a catalog of these kinds, sorted so that each kind comes after those it refers to, except by deferred
    /// references.
    ///
    /// # Panics
    ///
    /// If references that are not deferred form a cycle, or another catalog has a different kind of the same name.
    #[must_use]
    pub fn new(kinds: &[&'static Kind]) -> Self {
        kinds.iter().copied().for_each(registry::register);
        let mut sorted: Vec<&'static Kind> = Vec::with_capacity(kinds.len());
        while sorted.len() < kinds.len() {
            let is_placed = |name: &str| !kinds.iter().any(|kind| kind.name == name) || sorted.iter().any(|kind| kind.name == name);
            let next =
                kinds.iter().find(|kind| !is_placed(kind.name) && kind.dependencies().all(|name| name == kind.name || is_placed(name)));
            let next = next.expect("catalog test: references that are not deferred form no cycle");
            sorted.push(next);
        }
        Self { kinds: sorted }
    }

    /// Returns every kind, each after those it refers to.
    pub fn kinds(&self) -> impl DoubleEndedIterator<Item = &'static Kind> + '_ {
        self.kinds.iter().copied()
    }

    /// Returns the kind of this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds().find(|kind| kind.name == name)
    }

    /// Returns the position of a kind in the order of creation.
    ///
    /// # Panics
    ///
    /// If the catalog has no such kind.
    #[must_use]
    pub fn position(&self, kind: &Kind) -> usize {
        self.kinds.iter().position(|one| one == &kind).expect("the kind of a key is one of the catalog")
    }

    /// Returns the kind whose name is most similar to a misspelt one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        let is_called = |kind: &Kind| [kind.title, kind.singular].iter().any(|called| called.eq_ignore_ascii_case(name));
        if let Some(kind) = self.kinds().find(|kind| is_called(kind)) {
            return Some(kind.name);
        }
        let near = self.kinds().map(|kind| (strsim::damerau_levenshtein(kind.name, name), kind.name)).min()?;
        (near.0 <= 4).then_some(near.1)
    }

    /// Returns the kinds below each resource of a kind: lists, collections and parts.
    pub fn children_of(&self, parent: &'static str) -> impl Iterator<Item = &'static Kind> + '_ {
        self.kinds().filter(move |kind| kind.parent_name() == Some(parent))
    }
}

#[cfg(test)]
mod tests;
