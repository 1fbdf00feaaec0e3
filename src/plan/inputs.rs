//! The immutable inputs of a plan.

use std::collections::HashMap;

use super::chosen::chosen;
use super::matching::NumberedKeys;
use super::merge::OnDrift;
use super::model::SecretField;
use super::pairing::Pairing;
use super::protected::Protected;
use super::reason::DesiredState;
use crate::catalog::{Catalog, Kind};
use crate::model::resource::{Id, Key, Resource};
use crate::model::selection::Chosen;
use crate::snapshot::{Desired, Snapshot};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// The state that earlier runs left, and how to use it.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'past> {
    /// The links between source and target resources.
    pub links: &'past Links,
    /// The baseline.
    pub base: &'past Baseline,
    /// The secrets that earlier runs sent.
    pub sent: &'past SentSecrets,
    /// How to treat fields that changed in the target.
    pub on_drift: OnDrift,
    /// Whether resources deleted from the source are deleted from the target.
    pub prune: bool,
    /// Which state is planned.
    pub desired_state: DesiredState,
}

/// The inputs of a plan, and what every decision derives from them.
pub(super) struct Inputs<'inputs> {
    pub(super) catalog: &'inputs Catalog,
    pub(super) desired: &'inputs Desired,
    pub(super) live: &'inputs Snapshot,
    pub(super) past: PlanContext<'inputs>,
    /// The matches between source and target resources.
    pub(super) partners: Pairing<'inputs>,
    /// What is planned.
    pub(super) chosen: Chosen,
    /// The protected resources.
    pub(super) untouched: Protected,
    /// Resources of the source whose keys have a number because their name is not unique.
    pub(super) numbered: NumberedKeys<'inputs>,
    /// The ids in the target by kind and name, for kinds that allow duplicate names.
    namesakes: HashMap<(&'inputs str, &'inputs str), Vec<&'inputs Id>>,
}

impl<'inputs> Inputs<'inputs> {
    /// Matches the resources of both tenants and determines which are protected.
    pub(super) fn new(catalog: &'inputs Catalog, desired: &'inputs Desired, live: &'inputs Snapshot, past: PlanContext<'inputs>) -> Self {
        let partners = Pairing::new(catalog, &desired.snapshot, live, past.links);
        let held: Vec<&Resource> = partners.live.iter().map(|held| &**held).collect();
        let untouched = Protected::new(&held, &desired.snapshot.resources.iter().collect::<Vec<_>>());
        let numbered = NumberedKeys::new(&desired.snapshot);
        let chosen = chosen(desired, &partners);
        Self { catalog, desired, live, past, partners, chosen, untouched, numbered, namesakes: namesakes(live) }
    }

    /// Returns whether a resource is planned.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.chosen.has(key)
    }

    /// Returns each desired resource with its match in the target.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'inputs Resource, Option<&Resource>)> {
        let held = |at: &Option<usize>| at.map(|at| &*self.partners.live[at]);
        self.desired.snapshot.resources.iter().zip(self.partners.of_desired.iter().map(held))
    }

    /// Returns the secrets that are supplied for a resource.
    pub(super) fn supplied(&self, key: &Key) -> Vec<SecretField> {
        let of_this = self.desired.supplied.iter().filter(|supplied| supplied.key == *key);
        of_this.map(|supplied| SecretField { path: supplied.path.clone(), from: supplied.from.clone(), is_changed: false }).collect()
    }

    /// Returns the ids of the target's resources with this name, if the kind allows duplicate names.
    pub(super) fn namesakes(&self, kind: &Kind, name: &str) -> Vec<Id> {
        self.namesakes.get(&(kind.name, name)).into_iter().flatten().map(|id| (*id).clone()).collect()
    }
}

/// Returns the ids of a tenant by kind and name, for kinds that allow duplicate names.
fn namesakes(live: &Snapshot) -> HashMap<(&str, &str), Vec<&Id>> {
    let numbered = NumberedKeys::new(live);
    let mut namesakes: HashMap<(&str, &str), Vec<&Id>> = HashMap::new();
    for resource in live.resources.iter().filter(|resource| resource.key.kind().identity.allows_duplicates) {
        namesakes.entry((resource.key.kind().name, numbered.plain(&resource.key))).or_default().push(&resource.id);
    }
    namesakes
}
