//! Restoring: the plan that makes a tenant hold again what one of its own snapshots holds.
//!
//! A resource is the same as in the snapshot if it has the same id. One that was deleted since is created again, with a new id; one that was
//! created since stays, with its place in lists, unless it is to be deleted.

use super::builder::plan_after;
use super::inputs::PlanContext;
use super::merge::OnDrift;
use super::model::{Action, Plan};
use super::reason::DesiredState;
use crate::catalog::Catalog;
use crate::model::resource::Key;
use crate::snapshot::{Desired, Snapshot};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// What happens to resources that the tenant has and its snapshot has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surviving {
    /// They stay.
    Stay,
    /// They are deleted.
    Deleted,
}

/// Plans what makes a tenant hold its own snapshot again; the snapshot goes by its own name instead of the tenant's.
pub fn restore(catalog: &Catalog, desired: &Desired, live: &Snapshot, newer: Surviving) -> Plan {
    // What the tenant holds counts as applied, so that a field which the snapshot does not have is cleared.
    let mut base = Baseline::default();
    for held in &live.resources {
        base.record_applied(&held.key, &held.id, held.body.clone());
    }
    let past = PlanContext {
        links: &Links::within(&live.resources),
        base: &base,
        sent: &SentSecrets::default(),
        on_drift: OnDrift::Keep,
        prune: newer == Surviving::Deleted,
        desired_state: DesiredState::Snapshot,
    };
    let mut plan = plan_after(catalog, desired, live, past);
    plan.source.snapshot = Some(std::mem::replace(&mut plan.source.tenant, live.tenant.clone()));
    plan.notes.extend(created_again(&plan));
    plan
}

/// Says what is created again, since whoever uses it by its id has to know.
fn created_again(plan: &Plan) -> Vec<String> {
    let created = plan.changes().filter(|change| matches!(change.action, Action::Create { .. }));
    let note = |key: &Key| {
        let kind = Some(key.kind()).filter(|kind| kind.has_own_ids())?;
        let lost = kind.lifecycle.user_data.map(|what| format!(" and without {what}")).unwrap_or_default();
        Some(format!("{} \"{}\" is created again, with a new id{lost}", kind.singular, key.name()))
    };
    created.filter_map(|change| note(&change.key)).collect()
}
