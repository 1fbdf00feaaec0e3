//! Secrets that a target generates when it creates a resource: where they are stored, and what happened to each.
//!
//! They never enter a journal, report or plan. Each is passed from the response to its sink before the resource is
//! recorded as created; if a run is interrupted in between, resuming it looks the resource up and passes its secret on.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::catalog::{GeneratedSecretField, Kind};
use crate::model::resource::{Id, Key};
use crate::plan::{Action, Change, Plan};

/// A secret that the target generated.
#[derive(Debug)]
pub struct NewSecret<'run> {
    /// The resource.
    pub key: &'run Key,
    /// The id of the resource in the target.
    pub id: &'run Id,
    /// The field.
    pub path: &'static str,
    /// The secret itself.
    pub secret: &'run SecretString,
}

/// Stores secrets that a target generates.
pub trait SecretSink: Send {
    /// Stores a secret and returns once that is durable. The same secret may be passed twice.
    ///
    /// # Errors
    ///
    /// The reason why it was not stored, without the secret.
    fn keep<'run>(&'run mut self, secret: &'run NewSecret<'run>) -> BoxFuture<'run, Result<(), String>>;

    /// Returns whether this secret is already stored.
    fn has(&self, key: &Key, id: &Id, path: &str) -> bool;
}

/// What happened to a generated secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretDisposition {
    /// It was stored.
    Kept,
    /// No sink was configured.
    Left,
    /// It was generated in an earlier part of the run; whether it was stored is not known.
    Unknown,
    /// It could not be stored, for this reason.
    Lost(String),
}

/// A generated secret and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// The resource.
    pub key: Key,
    /// The id of the resource in the target.
    pub id: Id,
    /// The field.
    pub path: &'static str,
    /// The path of the Management API that returns it, with `{id}` for the id.
    pub shown_at: &'static str,
    /// The scope that returns it, beside those for reading the kind.
    pub shown_with: Option<&'static str>,
    /// What happened to it.
    pub disposition: SecretDisposition,
}

/// Generated secrets that supplied ones replace, so that they need not be stored.
#[derive(Debug)]
pub(super) struct ReplacedSecrets<'plan>(HashSet<(&'plan Key, &'plan str)>);

impl<'plan> ReplacedSecrets<'plan> {
    pub(super) fn by(plan: &'plan Plan) -> Self {
        let of_change = |change: &'plan Change| change.secrets.iter().map(|secret| (&change.key, secret.path.as_str()));
        Self(plan.changes().flat_map(of_change).collect())
    }

    /// Returns the secrets that the target generates for this change and that are not replaced.
    pub(super) fn made_with(&self, kind: &Kind, change: &Change) -> Vec<&'static GeneratedSecretField> {
        let Action::Create { body, .. } = &change.action else { return Vec::new() };
        kind.generated_secrets_for(body).filter(|made| !self.0.contains(&(&change.key, made.path))).collect()
    }
}

impl GeneratedSecret {
    pub(super) fn new(change: &Change, id: &Id, made: &GeneratedSecretField, disposition: SecretDisposition) -> Self {
        let GeneratedSecretField { path, shown_at, shown_with, .. } = *made;
        Self { key: change.key.clone(), id: id.clone(), path, shown_at, shown_with, disposition }
    }
}
