//! Drift: changes that were made in the target itself since the last run.
//!
//! Drift is what a plan reports if the source is unchanged since then, so it has only one definition.

use std::collections::{BTreeMap, HashSet};

use super::builder::plan_after;
use super::inputs::PlanContext;
use super::merge::OnDrift;
use super::model::{Drift, Skipped};
use super::reason::DesiredState;
use crate::catalog::{Catalog, Kind};
use crate::model::changed_by::ChangedBy;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// The drift of a target since the last run.
#[derive(Debug, Clone, Default)]
pub struct DriftReport {
    /// Fields whose value changed.
    pub drift: Vec<Drift>,
    /// Resources that were deleted.
    pub gone: Vec<Key>,
    /// Who deleted which of them, as far as the target's log says so.
    pub deleted_by: BTreeMap<Key, ChangedBy>,
    /// Applied resources that cannot be compared, with the reason.
    pub unseen: Vec<Skipped>,
    /// Why it is not known of all changes who made them, if so.
    pub note: Option<String>,
}

impl DriftReport {
    /// Returns whether no drift is known.
    pub fn is_none(&self) -> bool {
        self.drift.is_empty() && self.gone.is_empty()
    }
}

/// Computes the drift of a target since the last run.
///
/// Fields that the mapping leaves to the target, list elements that name only the target's own resources, and
/// references to renamed resources are not drift.
pub fn drift_of(catalog: &Catalog, base: &Baseline, live: &Snapshot) -> DriftReport {
    let wanted = as_applied(catalog, base, live);
    let links = Links::within(&wanted.snapshot.resources);
    let past = PlanContext {
        links: &links,
        base,
        sent: &SentSecrets::default(),
        on_drift: OnDrift::Keep,
        prune: false,
        desired_state: DesiredState::Source,
    };
    let plan = plan_after(catalog, &wanted, live, past);
    let held: HashSet<(&Kind, &Id)> = live.resources.iter().map(|one| (one.key.kind(), &one.id)).collect();
    let is_unseen = |one: &Resource| {
        let kind = one.key.kind();
        live.unseen(kind.name).iter().any(|unseen| unseen.covers(kind, &one.id))
    };
    let is_gone = |one: &&Resource| live.is_complete(one.key.kind().name) && !held.contains(&(one.key.kind(), &one.id)) && !is_unseen(one);
    let is_meant = |one: &&Resource| wanted.selection.has(&one.key);
    let gone: Vec<Key> = wanted.snapshot.resources.iter().filter(is_meant).filter(is_gone).map(|one| one.key.clone()).collect();
    let unseen = unseen(plan.skipped, &wanted, &gone);
    DriftReport { drift: plan.drift, gone, unseen, ..DriftReport::default() }
}

/// Returns the applied resources that a plan skipped as a whole and therefore did not compare. An unread kind stands
/// for all its resources.
fn unseen(skipped: Vec<Skipped>, wanted: &Desired, gone: &[Key]) -> Vec<Skipped> {
    let applied: HashSet<&Key> = wanted.snapshot.resources.iter().map(|one| &one.key).collect();
    let kinds: HashSet<&Kind> = applied.iter().map(|key| key.kind()).collect();
    let is_kind = |key: &Key| key.name().is_empty() && kinds.contains(key.kind());
    let unread: HashSet<&Kind> = skipped.iter().filter(|left| is_kind(&left.key)).map(|left| left.key.kind()).collect();
    let is_meant = |key: &Key| is_kind(key) || (applied.contains(key) && !gone.contains(key) && !unread.contains(key.kind()));
    // A resource with only a skipped field is still compared.
    skipped.into_iter().filter(|left| left.path.is_none() && is_meant(&left.key)).collect()
}

/// Returns a desired state equal to what was last applied, with the ids of the target.
fn as_applied(catalog: &Catalog, base: &Baseline, live: &Snapshot) -> Desired {
    let resources = base.iter().map(|(key, applied)| Resource::new(key.clone(), applied.id.clone(), applied.body.clone())).collect();
    let Snapshot { tenant, domain, taken, kinds, .. } = live;
    let (tenant, domain, taken, kinds) = (tenant.clone(), domain.clone(), taken.clone(), kinds.clone());
    let selection = live.selection.clone();
    let mut snapshot = Snapshot { tenant, domain, taken, kinds, resources, twice: Vec::new(), selection: selection.clone() };
    snapshot.sort(catalog);
    let kept = base.iter().flat_map(|(key, applied)| applied.kept.iter().map(|path| (key.clone(), path.clone())));
    Desired { kept: kept.collect(), selection: selection.unwrap_or_default(), ..Desired::unmapped(snapshot) }
}
