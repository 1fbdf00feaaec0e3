//! Secrets that a target makes when it creates a resource: who keeps them, and what became of each.
//!
//! No journal, report or plan ever holds one. Each goes from the answer to its keeper, before it is recorded that the resource is there: a
//! run that is cut in between looks the resource up, and hands its secret on then.

use std::collections::HashSet;

use futures_util::future::BoxFuture;

use crate::catalog::{GeneratedSecretField, Kind};
use crate::model::resource::{Id, Key, Secret};
use crate::plan::{Action, Change, Plan};

/// A secret that the target has made.
#[derive(Debug)]
pub struct NewSecret<'run> {
    /// The resource.
    pub key: &'run Key,
    /// What the target calls it.
    pub id: &'run Id,
    /// The field.
    pub path: &'static str,
    /// The secret itself.
    pub secret: &'run Secret,
}

/// Whoever keeps the secrets that a target makes.
pub trait SecretSink: Send {
    /// Keeps a secret; returns when that is durable. The same one may come twice.
    ///
    /// # Errors
    ///
    /// Says why it is not kept, without the secret.
    fn keep<'run>(&'run mut self, secret: &'run NewSecret<'run>) -> BoxFuture<'run, Result<(), String>>;

    /// Returns whether it keeps this secret from before.
    fn has(&self, key: &Key, id: &Id, path: &str) -> bool;
}

/// What became of a secret that the target made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretDisposition {
    /// Its keeper has it.
    Kept,
    /// Nobody was to keep it.
    Left,
    /// It came in an earlier part of the run, and no journal says whether it was kept.
    Unknown,
    /// It was to be kept and is not, for this reason.
    Lost(String),
}

/// A secret that the target made, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// The resource.
    pub key: Key,
    /// What the target calls it.
    pub id: Id,
    /// The field.
    pub path: &'static str,
    /// The path of the Management API that shows it, with `{id}` for the id.
    pub shown_at: &'static str,
    /// What became of it.
    pub fate: SecretDisposition,
}

/// What the secrets of a plan replace, so that nobody needs what the target makes there.
#[derive(Debug)]
pub(super) struct Replaced<'plan>(HashSet<(&'plan Key, &'plan str)>);

impl<'plan> Replaced<'plan> {
    pub(super) fn by(plan: &'plan Plan) -> Self {
        let of_change = |change: &'plan Change| change.secrets.iter().map(|secret| (&change.key, secret.path.as_str()));
        Self(plan.changes().flat_map(of_change).collect())
    }

    /// Returns the secrets that the target makes with this change, and that stay.
    pub(super) fn made_with(&self, kind: &Kind, change: &Change) -> Vec<&'static GeneratedSecretField> {
        let Action::Create { body, .. } = &change.action else { return Vec::new() };
        kind.generated_secrets_for(body).filter(|made| !self.0.contains(&(&change.key, made.path))).collect()
    }
}

impl GeneratedSecret {
    pub(super) fn of(change: &Change, id: &Id, made: &GeneratedSecretField, fate: SecretDisposition) -> Self {
        Self { key: change.key.clone(), id: id.clone(), path: made.path, shown_at: made.shown_at, fate }
    }
}
