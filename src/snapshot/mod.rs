//! Everything a tenant held at one moment, portable: ids are keys, and secrets never enter.
//!
//! ```text
//! placeholder.rs      what stands for ids and domains inside texts
//! occurrence.rs       where ids and domains stand inside texts
//! id_substitution.rs  ids -> keys on the way in, keys -> ids on the way out
//! gone.rs             ids of what is gone -> keys
//! reserved.rs         what no run touches
//! store.rs            snapshots as files: one a kind, and a manifest
//! ```

mod gone;
pub mod id_substitution;
pub(crate) mod occurrence;
mod placeholder;
mod reserved;
pub mod store;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Kind, Shape};
use crate::model::resource::{Id, Key, Resource};

pub use gone::Gone;
pub(crate) use placeholder::plain;
pub use reserved::belongs_to;

/// What is known of a kind in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum Status {
    /// Everything the tenant has of it is here.
    Complete,
    /// Everything is here but these, of which nobody knows whether the tenant has them.
    InPart(Vec<Unseen>),
    /// Only what was asked for is here, except for these, which the tenant did not show.
    Selected(Vec<Unseen>),
    /// The tenant does not serve it, for this reason.
    Absent(String),
    /// The tenant refuses to show it, and nobody knows whether it has any.
    Refused(String),
    /// The token may not read it; the tenant named these scopes.
    Forbidden(String),
}

/// What a tenant did not show, where that is not the same as having none: of a name, or of all that hangs under one parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// The name by which it would be there, or the parent's id.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// What the tenant answered.
    pub reason: String,
    /// Whether the tenant refused it, rather than knowing nothing of it.
    pub is_refused: bool,
}

impl Unseen {
    /// Returns whether the resource of this id in the same tenant would be among it.
    #[must_use]
    pub fn covers(&self, kind: &Kind, id: &Id) -> bool {
        let parent = id.as_str().split_once('/').filter(|_| matches!(kind.shape, Shape::Nested { .. }));
        parent.map_or(id.as_str(), |(parent, _)| parent) == self.id.as_str()
    }
}

/// Everything a tenant held at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The tenant's name in the configuration.
    pub tenant: String,
    /// The tenant's own domain.
    pub domain: String,
    /// When it was taken: RFC 3339, UTC, whole seconds.
    pub taken: String,
    /// What is known of each kind; one that is not here was not read.
    pub kinds: BTreeMap<String, Status>,
    /// The resources, by kind in the order of the catalog, then as the tenant listed them.
    pub resources: Vec<Resource>,
    /// Keys made up because their names stood twice.
    pub twice: Vec<Key>,
}

impl Snapshot {
    /// Returns the resources of a kind.
    pub fn of_kind<'snapshot>(&'snapshot self, kind: &'snapshot str) -> impl Iterator<Item = &'snapshot Resource> {
        self.resources.iter().filter(move |resource| resource.key.kind() == kind)
    }

    /// Returns whether everything the tenant has of a kind is here, but for what is [unseen](Self::unseen).
    pub fn is_complete(&self, kind: &str) -> bool {
        matches!(self.kinds.get(kind), Some(Status::Complete | Status::InPart(_)))
    }

    /// Returns what of a kind the tenant did not show.
    pub fn unseen(&self, kind: &str) -> &[Unseen] {
        match self.kinds.get(kind) {
            Some(Status::InPart(unseen) | Status::Selected(unseen)) => unseen,
            _ => &[],
        }
    }

    /// Returns what the tenant may have though it is not here, each with what was answered; a whole kind goes by no name.
    pub fn unread(&self) -> impl Iterator<Item = (Key, String)> {
        self.kinds.iter().flat_map(|(kind, status)| {
            let whole = |reason: &str| vec![(Key::new(kind, ""), reason.to_owned())];
            match status {
                Status::Forbidden(reason) => whole(&format!("not read from {}: {reason}", self.tenant)),
                Status::Refused(reason) => whole(&format!("{} does not show it: {reason}", self.tenant)),
                Status::InPart(unseen) | Status::Selected(unseen) => {
                    let told = |one: &Unseen| (Key::new(kind, &one.name), format!("{} does not show it: {}", self.tenant, one.reason));
                    unseen.iter().filter(|one| one.is_refused).map(told).collect()
                }
                Status::Complete | Status::Absent(_) => Vec::new(),
            }
        })
    }

    /// Returns the fields the tenant answered that nobody knows, by kind, each once.
    pub fn unknown_fields(&self) -> BTreeMap<String, Vec<String>> {
        let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for resource in self.resources.iter().filter(|resource| resource.excluded.is_none()) {
            let seen = unknown.entry(resource.key.kind().to_owned()).or_default();
            for path in leaves("", &serde_json::Value::Object(resource.carried.0.clone())) {
                if !seen.contains(&path) {
                    seen.push(path);
                }
            }
        }
        unknown.retain(|_, paths| !paths.is_empty());
        unknown
    }

    /// Returns the hosts that the tenant is reached at besides its own domain, in small letters.
    pub fn hosts(&self, catalog: &Catalog) -> BTreeSet<String> {
        let of_kind = |kind: &'static Kind| {
            let bodies = self.of_kind(kind.name).map(|resource| resource.body.pick(&[kind.identity.tenant_host]));
            bodies.filter_map(|body| body.text(kind.identity.tenant_host).map(str::to_ascii_lowercase)).collect::<Vec<_>>()
        };
        let all = catalog.kinds().filter(|kind| !kind.identity.tenant_host.is_empty()).flat_map(of_kind);
        // A mark names the tenant's own domain, or a custom domain that is listed by itself.
        all.filter(|host| plain(host) == *host).collect()
    }

    /// Sorts the resources into the order of the catalog, keeping the order of each list.
    pub fn sort(&mut self, catalog: &Catalog) {
        self.resources.sort_by_key(|resource| catalog.position(resource.key.kind()));
    }
}

/// The mapped source: what the target should hold.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The resources, under the keys they have in the target.
    pub snapshot: Snapshot,
    /// Fields of which the target's own value stands.
    pub kept: Vec<(Key, String)>,
    /// Secrets that are supplied from outside.
    pub supplied: Vec<SuppliedSecret>,
    /// Resources of the source that are not wanted in the target, by kind and by their id there.
    pub skipped: BTreeSet<(String, Id)>,
    /// [Unread](Snapshot::unread) or [unseen](Snapshot::unseen) parts of the source that a rule accepts as missing.
    pub spared: BTreeSet<Key>,
    /// The source's own hosts besides its domain, as it calls them.
    pub hosts: BTreeSet<String>,
}

/// Where a secret comes from that no snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppliedSecret {
    /// The resource it belongs to.
    pub key: Key,
    /// The field it is sent in.
    pub path: String,
    /// `env:NAME` or `file:PATH`.
    pub from: String,
}

impl Desired {
    /// Returns a source as it is, without any mapping.
    pub fn unmapped(snapshot: Snapshot) -> Self {
        Self { snapshot, kept: Vec::new(), supplied: Vec::new(), skipped: BTreeSet::new(), spared: BTreeSet::new(), hosts: BTreeSet::new() }
    }
}

fn leaves(path: &str, value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, below)| leaves(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, below))
            .collect(),
        serde_json::Value::Array(list) => {
            let mut below: Vec<_> =
                list.iter().filter(|element| element.is_object()).flat_map(|element| leaves(&format!("{path}[]"), element)).collect();
            below.sort();
            below.dedup();
            if below.is_empty() { vec![path.to_owned()] } else { below }
        }
        _ => vec![path.to_owned()],
    }
}
