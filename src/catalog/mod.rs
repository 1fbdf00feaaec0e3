//! What Auth0 has: every kind of settings as one entry of a table.
//!
//! Export, references, diff, order, redaction, scopes, pacing groups, the sandbox and the help text are derived from these entries.
//! A new kind is one entry; behaviour is first sought as a word of [`Kind`], and only what no word covers is a [`Quirk`].
//! This module knows bodies and paths; it does no input or output.
//!
//! ```text
//! kind.rs words.rs field_words.rs shape.rs reference.rs fields.rs address.rs quirks.rs   the vocabulary
//! unlisted.rs      secrets that no entry lists
//! limits.rs        published rate limits
//! kinds/           the entries
//!   applications.rs  clients and their grants          access.rs       APIs and roles
//!   connections.rs   where users come from             profiles.rs     how customers connect their own
//!   organizations.rs organizations                     actions.rs      code that runs inside a login
//!   flows.rs         forms and flows                   branding.rs     pages, prompts, mails and messages
//!   guardian.rs      second factors                    protection.rs   attackers and traffic
//!   streams.rs       logs and events                   experiments.rs  betas that few tenants have
//!   tenant.rs        the tenant as a whole
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
pub mod risk;
mod secret_detection;
mod shape;

use std::sync::OnceLock;

pub use fields::{Field, Fields, RequestPurpose, Writability};
pub use groups::{Defaults, FieldRules, Identity, Lifecycle, Lists, Paths, RequiredScopes, SecretFields};
pub use kind::Kind;
pub use quirks::{Quirks, ReadEdit};
pub use reference::{BuiltIn, Condition, Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, ReferencedBy, RequiredSecrets};
pub use secret_detection::{WithheldReason, is_mask};
pub use shape::{ElementChanges, FollowUp, KeyNames, Paging, Shape, Write};

/// The kinds a run works on, in the order their references demand.
#[derive(Debug)]
pub struct Catalog {
    kinds: Vec<&'static Kind>,
}

impl Catalog {
    /// Returns the catalog of everything `migrate` covers.
    #[must_use]
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Catalog> = OnceLock::new();
        STANDARD.get_or_init(|| Self::new(kinds::ALL))
    }

    /// Returns a catalog of these kinds, sorted so that what a kind refers to comes before it; late references do not count.
    ///
    /// # Panics
    ///
    /// When the references that are not late form a cycle.
    #[must_use]
    pub fn new(kinds: &[&'static Kind]) -> Self {
        let mut sorted: Vec<&'static Kind> = Vec::with_capacity(kinds.len());
        while sorted.len() < kinds.len() {
            let is_placed = |name: &str| !kinds.iter().any(|kind| kind.name == name) || sorted.iter().any(|kind| kind.name == name);
            let next =
                kinds.iter().find(|kind| !is_placed(kind.name) && kind.dependencies().all(|name| name == kind.name || is_placed(name)));
            let next = next.expect("catalog test: references that are not late form no cycle");
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

    /// Returns the place of a kind in the order of creation.
    ///
    /// # Panics
    ///
    /// When the catalog has no such kind.
    #[must_use]
    pub fn position(&self, name: &str) -> usize {
        self.kinds.iter().position(|kind| kind.name == name).expect("a key names a kind of the catalog")
    }

    /// Returns the kind whose name is nearest to a misspelt one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        let near = self.kinds().map(|kind| (strsim::damerau_levenshtein(kind.name, name), kind.name)).min()?;
        (near.0 <= 4).then_some(near.1)
    }

    /// Returns what hangs under each resource of a kind: lists, collections and parts.
    pub fn children_of(&self, parent: &'static str) -> impl Iterator<Item = &'static Kind> + '_ {
        self.kinds().filter(move |kind| kind.parent() == Some(parent))
    }
}

#[cfg(test)]
mod tests;
