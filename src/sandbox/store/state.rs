//! The state of a tenant.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::api_form::unique_name;
use super::ids::IdGenerator;
use super::table::{ResourceTable, sort_key};
use super::tenant_rule::TenantRule;
use crate::catalog::{Catalog, Kind, ReferencedBy};
use crate::json::Body;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::http::route::{Target, route};

/// The state of a tenant.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) catalog: &'static Catalog,
    pub(crate) tenant: String,
    pub(crate) domain: String,
    pub(crate) tables: HashMap<&'static str, ResourceTable>,
    pub(crate) children: HashMap<&'static str, BTreeMap<String, Vec<Value>>>,
    /// Presets that a list contains although nobody saved them.
    pub(crate) presets: HashMap<&'static str, Vec<Value>>,
    pub(crate) uncovered: BTreeMap<String, Value>,
    pub(crate) absent: BTreeMap<String, ApiResponse>,
    pub(crate) defaults: BTreeMap<String, Body>,
    /// Fields that the tenant's subscription lacks, by kind.
    pub(crate) unentitled: BTreeMap<String, Vec<String>>,
    /// What this tenant refuses or does differently from others.
    pub(crate) rules: Vec<TenantRule>,
    pub(crate) day: Option<String>,
    pub(crate) ids: IdGenerator,
    /// Whether it accepts what is refused only by the OpenAPI description or by reports about the live API.
    pub(crate) is_lenient: bool,
    /// Clients that no write has named yet, if the tenant is eventually consistent.
    pub(crate) not_yet_visible: Option<HashSet<String>>,
}

impl State {
    /// Returns the day that the sandbox imitates; `None` stands for the latest recordings.
    pub(crate) fn day(&self) -> Option<&str> {
        self.day.as_deref()
    }

    /// Accepts what is refused only by the OpenAPI description or by reports about the live API.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// Makes the tenant answer 404 to the first client grant, or change of a connection's clients, that names a new
    /// client, as Auth0 is reported to do occasionally.
    #[must_use]
    pub fn eventually_consistent(mut self) -> Self {
        self.not_yet_visible = Some(HashSet::new());
        self
    }

    /// Returns the tenant's own domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns the identifier of the tenant's own Management API.
    #[must_use]
    pub fn management_audience(&self) -> String {
        format!("https://{}/api/v2/", self.domain)
    }

    /// Returns the number of resources of a kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.tables.get(kind).map_or(0, ResourceTable::len)
    }

    /// Derives every new id and secret from this text instead of the domain.
    pub fn seed(&mut self, seed: &str) {
        self.ids = IdGenerator::new(seed);
    }

    /// Returns the kind that serves a path and what the path addresses.
    pub(crate) fn kind_at(&self, path: &str) -> Option<(&'static Kind, Target)> {
        route(self.catalog, path)
    }

    /// Stores a resource in the table of its kind.
    pub(crate) fn put(&mut self, kind: &'static Kind, id: &str, body: Body) {
        let sort_key = sort_key(kind, id, &body);
        let name = (!kind.identity.allows_duplicates && !kind.identity.key.is_empty()).then(|| unique_name(kind, &body));
        self.tables.entry(kind.name).or_default().put(id, body, sort_key, name);
    }

    /// Returns whether the resource that a reference names exists.
    pub(crate) fn has(&self, kind: &str, by: ReferencedBy, value: &str) -> bool {
        self.tables.get(kind).is_some_and(|table| match by {
            ReferencedBy::Id => table.has(value),
            ReferencedBy::Key => table.id_by_name(value).is_some(),
            ReferencedBy::Alias => {
                let alias = self.catalog.kind(kind).map_or("", |kind| kind.quirks.alias_id);
                !table.ids_where(|body| body.text(alias) == Some(value)).is_empty()
            }
            ReferencedBy::Within => true,
        })
    }
}

/// Returns every scope that the kinds of a catalog require, sorted.
pub(crate) fn required_scopes(catalog: &Catalog) -> Vec<String> {
    let of = |kind: &'static Kind| {
        let (to_read, to_write) = kind.quirks.extra_scopes;
        [kind.scopes.read, kind.scopes.create, kind.scopes.update, kind.scopes.delete, to_read, to_write].concat()
    };
    let mut scopes: Vec<String> = catalog.kinds().flat_map(of).map(str::to_owned).collect();
    scopes.extend(["read:client_keys".to_owned(), "update:client_keys".to_owned()]);
    scopes.sort();
    scopes.dedup();
    scopes
}
