//! Resources that no run changes: the client that migrate signs in with, and those that the configuration protects.

use std::collections::HashSet;

use super::model::Snapshot;
use super::{id_substitution, placeholder};
use crate::catalog::{Kind, Shape};
use crate::model::resource::{ExclusionReason, Id, Key, Resource};

/// Why the tool's own client and what belongs to it is excluded.
const OWN: &str = "migrate itself signs in with it";
/// Why a protected resource is excluded.
const PROTECTED: &str = "it is protected in migrate.toml";

impl Snapshot {
    /// Excludes the client that migrate signs in with and everything that belongs to it: these are not settings of the
    /// tenant.
    pub(crate) fn reserve_own(&mut self, client: &Id) {
        let is_own = |resource: &&Resource| resource.key.kind().name == "clients" && resource.id == *client;
        let mut own: HashSet<Key> = self.resources.iter().filter(is_own).map(|resource| resource.key.clone()).collect();
        if own.is_empty() {
            return;
        }
        // Owners precede what belongs to them in the order of the catalog.
        for resource in &mut self.resources {
            if own.contains(&resource.key) || belongs_to(resource).iter().any(|owner| own.contains(owner)) {
                own.insert(resource.key.clone());
                resource.reserve(ExclusionReason::Own, OWN);
            }
        }
    }

    /// Excludes everything that matches one of these patterns.
    pub(crate) fn protect(&mut self, patterns: &[glob::Pattern]) {
        let is_free = |resource: &&mut Resource| resource.reserved.is_none();
        for resource in self.resources.iter_mut().filter(is_free) {
            let key = resource.key.to_string();
            if patterns.iter().any(|pattern| pattern.matches(&key)) {
                resource.reserve(ExclusionReason::Protected, PROTECTED);
            }
        }
    }

    /// Returns whether the client that migrate signed in with is known.
    pub(crate) fn knows_own_client(&self) -> bool {
        self.of_kind("clients").any(|client| client.reserved == Some(ExclusionReason::Own))
    }

    /// Returns the clients that have access to the Management API of their tenant, as migrate's own client has, except
    /// excluded ones.
    pub(crate) fn clients_of_the_management_api(&self) -> Vec<Key> {
        let is_of_it = |grant: &&Resource| {
            let audience = grant.body.pick(&["audience"]);
            audience.text("audience").is_some_and(|audience| audience.contains(&format!("https://{}/api/v2/", placeholder::DOMAIN)))
        };
        let granted = self.of_kind("client-grants").filter(|grant| grant.excluded.is_none()).filter(is_of_it);
        let granted: HashSet<Key> =
            granted.filter_map(|grant| grant.body.pick(&["client_id"]).get("client_id").and_then(id_substitution::as_reference)).collect();
        let is_free = |client: &&Resource| client.excluded.is_none() && granted.contains(&client.key);
        self.of_kind("clients").filter(is_free).map(|client| client.key.clone()).collect()
    }
}

/// Returns the parent of a resource and the resources that its key refers to.
pub(crate) fn belongs_to(one: &Resource) -> Vec<Key> {
    let kind = one.key.kind();
    let identity = identity(kind);
    let named = one.body.pick(&identity).0.values().flat_map(id_substitution::mentioned).collect();
    match kind.parent().filter(|_| matches!(kind.shape, Shape::Child { .. })) {
        Some(parent) => [named, vec![Key::new(parent, one.key.name())]].concat(),
        None => named,
    }
}

/// Returns the fields that define what a resource of a kind belongs to.
fn identity(kind: &Kind) -> Vec<&'static str> {
    kind.identity.key.iter().copied().chain(kind.parent_field()).collect()
}
