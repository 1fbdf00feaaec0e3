//! What was last applied and what the target holds since -> what moved by itself.
//!
//! That is what a plan says of it where the source still wants what it wanted then: one place decides what is drift and what is not.

use std::collections::HashSet;

use super::Drift;
use super::make::{Past, plan_after};
use super::merge::OnDrift;
use crate::base::Base;
use crate::catalog::Catalog;
use crate::fingerprints::Sent;
use crate::links::Links;
use crate::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot};

/// Returns what a target changed by itself since it was last written, and what it lost.
///
/// Fields that the mapping leaves to the target, elements of lists that name only the target's own, and references to what was renamed
/// there did not move.
pub fn drift_of(catalog: &Catalog, base: &Base, live: &Snapshot) -> (Vec<Drift>, Vec<Key>) {
    let wanted = as_applied(catalog, base, live);
    let links = Links::within(catalog, &wanted.snapshot.resources);
    let past = Past { links: &links, base, sent: &Sent::default(), on_drift: OnDrift::Keep, prune: false, keeps_own: true };
    let drift = plan_after(catalog, &wanted, live, past).drift;
    let held: HashSet<(&str, &Id)> = live.resources.iter().map(|one| (one.key.kind(), &one.id)).collect();
    let is_gone = |one: &&Resource| live.is_complete(one.key.kind()) && !held.contains(&(one.key.kind(), &one.id));
    let gone = wanted.snapshot.resources.iter().filter(is_gone).map(|one| one.key.clone()).collect();
    (drift, gone)
}

/// Returns a source that wants what was last applied; it knows each resource by its id in the target.
fn as_applied(catalog: &Catalog, base: &Base, live: &Snapshot) -> Desired {
    let known = || base.iter().filter(|(key, _)| catalog.kind(key.kind()).is_some());
    let resources = known().map(|(key, applied)| Resource::of(key.clone(), applied.id.clone(), applied.body.clone())).collect();
    let Snapshot { tenant, domain, taken, kinds, .. } = live;
    let (tenant, domain, taken, kinds) = (tenant.clone(), domain.clone(), taken.clone(), kinds.clone());
    let mut snapshot = Snapshot { tenant, domain, taken, kinds, resources, twice: Vec::new() };
    snapshot.sort(catalog);
    let kept = known().flat_map(|(key, applied)| applied.kept.iter().map(|path| (key.clone(), path.clone())));
    Desired { kept: kept.collect(), ..Desired::unmapped(snapshot) }
}
