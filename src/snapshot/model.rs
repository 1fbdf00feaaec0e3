//! A snapshot: the resources of a tenant by kind, and what the tenant did not return.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placeholder::plain;
use crate::catalog::{Catalog, Kind, Shape};
use crate::model::resource::{Id, Key, Resource};
use crate::model::selection::Selection;

/// What a snapshot knows about a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum Status {
    /// All resources of the tenant.
    Complete,
    /// All resources except these, which the tenant did not return.
    InPart(Vec<Unseen>),
    /// The selected resources, except these, which the tenant did not return.
    Selected(Vec<Unseen>),
    /// The tenant does not serve it, for this reason.
    Absent(String),
    /// The tenant refuses to return it, so whether it has any is unknown.
    Refused(String),
    /// The token may not read it; the tenant named these scopes.
    Forbidden(String),
}

/// A resource that may exist but was not returned, or everything below one parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// Its id if it is addressed by name, otherwise the parent's id.
    pub id: Id,
    /// Its name for people.
    pub name: String,
    /// The tenant's message.
    pub reason: String,
    /// Whether the tenant refused to return it, rather than not knowing it.
    pub is_refused: bool,
}

impl Unseen {
    /// Returns whether a resource with this id in the same tenant is covered.
    #[must_use]
    pub fn covers(&self, kind: &Kind, id: &Id) -> bool {
        let parent = id.as_str().split_once('/').filter(|_| matches!(kind.shape, Shape::Nested { .. }));
        parent.map_or(id.as_str(), |(parent, _)| parent) == self.id.as_str()
    }
}

/// The content of a tenant at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The tenant's name in the configuration.
    pub tenant: String,
    /// The tenant's own domain.
    pub domain: String,
    /// When it was taken: RFC 3339, UTC, whole seconds.
    pub taken: String,
    /// The status of each kind that was read.
    pub kinds: BTreeMap<String, Status>,
    /// The resources, by kind in the order of the catalog, then in the order of the tenant's list.
    pub resources: Vec<Resource>,
    /// Keys that were numbered because their names are duplicates.
    pub twice: Vec<Key>,
    /// The selection, if the snapshot is restricted; other resources in it serve only to resolve references.
    pub selection: Option<Selection>,
}

impl Snapshot {
    /// Returns the snapshot of a tenant before anything is read.
    pub fn empty(tenant: &str, domain: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            domain: domain.to_owned(),
            taken: String::new(),
            kinds: BTreeMap::new(),
            resources: Vec::new(),
            twice: Vec::new(),
            selection: None,
        }
    }

    /// Returns the resources of a kind.
    pub fn of_kind<'snapshot>(&'snapshot self, kind: &'snapshot str) -> impl Iterator<Item = &'snapshot Resource> {
        self.resources.iter().filter(move |resource| resource.key.kind().name == kind)
    }

    /// Returns whether the snapshot has all resources of a kind, except [unseen](Self::unseen) ones.
    pub fn is_complete(&self, kind: &str) -> bool {
        matches!(self.kinds.get(kind), Some(Status::Complete | Status::InPart(_)))
    }

    /// Returns the resources of a kind that the tenant did not return.
    pub fn unseen(&self, kind: &str) -> &[Unseen] {
        match self.kinds.get(kind) {
            Some(Status::InPart(unseen) | Status::Selected(unseen)) => unseen,
            _ => &[],
        }
    }

    /// Returns everything that the tenant may have but the snapshot lacks, with the reason; a whole kind has an empty
    /// name.
    pub fn unread(&self) -> impl Iterator<Item = (Key, String)> {
        let known = self.kinds.iter().filter_map(|(kind, status)| Some((Kind::named(kind)?, status)));
        known.flat_map(|(kind, status)| {
            let whole = |reason: &str| vec![(Key::new(kind, ""), reason.to_owned())];
            match status {
                Status::Forbidden(reason) => whole(&format!("not read from {}: {reason}", self.tenant)),
                Status::Refused(reason) => whole(&format!("{} does not return it: {reason}", self.tenant)),
                Status::InPart(unseen) | Status::Selected(unseen) => {
                    let told = |one: &Unseen| (Key::new(kind, &one.name), format!("{} does not return it: {}", self.tenant, one.reason));
                    unseen.iter().filter(|one| one.is_refused).map(told).collect()
                }
                Status::Complete | Status::Absent(_) => Vec::new(),
            }
        })
    }

    /// Returns the unknown fields by kind, without duplicates.
    pub fn unknown_fields(&self) -> BTreeMap<String, Vec<String>> {
        let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for resource in self.resources.iter().filter(|resource| resource.excluded.is_none()) {
            let seen = unknown.entry(resource.key.kind().name.to_owned()).or_default();
            for path in leaves("", &serde_json::Value::Object(resource.carried.0.clone())) {
                if !seen.contains(&path) {
                    seen.push(path);
                }
            }
        }
        unknown.retain(|_, paths| !paths.is_empty());
        unknown
    }

    /// Returns the tenant's hosts other than its own domain, in lower case.
    pub fn hosts(&self) -> BTreeSet<String> {
        let host = |resource: &Resource| {
            let field = resource.key.kind().identity.tenant_host;
            resource.body.pick(&[field]).text(field).map(str::to_ascii_lowercase)
        };
        let all = self.resources.iter().filter(|one| !one.key.kind().identity.tenant_host.is_empty()).filter_map(host);
        // Placeholders stand for the tenant's own domain or for a custom domain, which is listed itself.
        all.filter(|host| plain(host) == *host).collect()
    }

    /// Sorts the resources into the order of the catalog, keeping the order within each kind.
    pub fn sort(&mut self, catalog: &Catalog) {
        self.resources.sort_by_key(|resource| catalog.position(resource.key.kind()));
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
