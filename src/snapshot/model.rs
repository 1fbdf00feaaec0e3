//! A snapshot: what a tenant held of each kind, and what it did not show.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::placeholder::plain;
use crate::catalog::{Catalog, Kind, Shape};
use crate::model::resource::{Id, Key, Resource};
use crate::model::selection::Selection;

/// What is known of a kind in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum Status {
    /// Everything the tenant has of it.
    Complete,
    /// Everything but these, which the tenant did not show.
    InPart(Vec<Unseen>),
    /// Only what was asked for, except for these, which the tenant did not show.
    Selected(Vec<Unseen>),
    /// The tenant does not serve it, for this reason.
    Absent(String),
    /// The tenant refuses to show it, so whether it has any is unknown.
    Refused(String),
    /// The token may not read it; the tenant named these scopes.
    Forbidden(String),
}

/// What a tenant did not show, though it may exist: one name, or everything below one parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// The name it would have, or the parent's id.
    pub id: Id,
    /// Its name for people.
    pub name: String,
    /// What the tenant answered.
    pub reason: String,
    /// Whether the tenant refused it, rather than not knowing it.
    pub is_refused: bool,
}

impl Unseen {
    /// Returns whether a resource of this id in the same tenant would be part of it.
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
    /// Keys that were numbered because their names are duplicates.
    pub twice: Vec<Key>,
    /// What it was restricted to, if it is not whole; anything else in it is there to be named only.
    pub selection: Option<Selection>,
}

impl Snapshot {
    /// Returns a snapshot of a tenant of which nothing was read.
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
        self.resources.iter().filter(move |resource| resource.key.kind() == kind)
    }

    /// Returns whether everything the tenant has of a kind is here, except what is [unseen](Self::unseen).
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

    /// Returns what the tenant may have and is not here, with the reason; a whole kind has no name.
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

    /// Returns the unknown fields, by kind, each once.
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

    /// Returns the hosts of the tenant besides its own domain, in lower case.
    pub fn hosts(&self, catalog: &Catalog) -> BTreeSet<String> {
        let of_kind = |kind: &'static Kind| {
            let bodies = self.of_kind(kind.name).map(|resource| resource.body.pick(&[kind.identity.tenant_host]));
            bodies.filter_map(|body| body.text(kind.identity.tenant_host).map(str::to_ascii_lowercase)).collect::<Vec<_>>()
        };
        let all = catalog.kinds().filter(|kind| !kind.identity.tenant_host.is_empty()).flat_map(of_kind);
        // A placeholder stands for the tenant's own domain, or a custom domain that is listed by itself.
        all.filter(|host| plain(host) == *host).collect()
    }

    /// Sorts the resources into the order of the catalog, keeping the order of each list.
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
