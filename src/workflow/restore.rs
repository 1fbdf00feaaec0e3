//! A tenant's own snapshot -> the plan that restores it.

use super::environment::Environment;
use super::error::Error;
use super::prepare::{Sides, included, protected, read_both};
use super::review::refusals;
use super::source::{NamedSnapshot, Operand, Source, load, operand};
use crate::config::TenantSettings;
use crate::export::{Purpose, Scope};
use crate::management_api::Tenant;
use crate::model::selection::Selection;
use crate::plan::guards::PlanOrigin;
use crate::plan::refusal::Refusal;
use crate::plan::{Estimate, Plan, Surviving, restore};
use crate::snapshot::{Desired, Snapshot};
use crate::state::pair::{TenantIdentity, TenantPair};

/// Which snapshot is restored, and what of it.
#[derive(Debug, Clone)]
pub(crate) struct RestoreRoute {
    /// The tenant.
    pub(crate) target: String,
    /// Its snapshot: `prod@latest`, `prod@RUN` or a folder.
    pub(crate) from: String,
    /// What is restored though it is usually excluded.
    pub(crate) include: Vec<String>,
    /// What happens to resources that were created since.
    pub(crate) newer: Surviving,
    /// Which resources are meant.
    pub(crate) selection: Selection,
    /// Whether what those need and the tenant lacks is meant too.
    pub(crate) with_dependencies: bool,
}

/// A plan that restores a snapshot, and everything needed to carry it out.
pub(crate) struct PreparedRestore {
    /// The plan.
    pub(crate) plan: Plan,
    /// Every reason to refuse it, approved or not.
    pub(crate) refusals: Vec<Refusal>,
    /// The tenant.
    pub(crate) tenant: Tenant,
    /// What it holds.
    pub(crate) live: Snapshot,
}

impl PreparedRestore {
    /// Returns what the plan takes of the tenant.
    pub(crate) fn estimate(&self) -> Estimate {
        Estimate::new(&self.plan, self.tenant.known_limits())
    }
}

/// Reads a tenant and plans what makes it hold its own snapshot again; writes nothing to it.
pub(crate) async fn prepare_restore(environment: &Environment, route: &RestoreRoute) -> Result<PreparedRestore, Error> {
    let (catalog, target) = (environment.catalog, environment.tenant(&route.target)?);
    let Operand::Snapshot(place) = operand(environment, &route.from)? else {
        return Err(Error::NoSnapshotToRestore { name: route.from.clone(), target: target.name.clone() });
    };
    let snapshot = load(environment, &place.path)?;
    refuse_another_tenant(&snapshot, target)?;
    let selection = snapshot.selection.clone().unwrap_or_default().and(&route.selection).map_err(Error::Selection)?;
    let purpose = Purpose::Plan { prune: route.newer == Surviving::Deleted, with_dependencies: route.with_dependencies };
    let scope = Scope { selection, purpose, include: included(catalog, &route.include)?, ..Scope::default() };
    let tenant = environment.connect(target)?;
    let from = Source::Snapshot(Box::new(NamedSnapshot { snapshot, place: place.clone() }));
    let Sides { source: snapshot, live, scope, .. } =
        Box::pin(read_both(environment, (from, &tenant, target), scope, (None, None))).await?;
    let mut desired = Desired { with_dependencies: route.with_dependencies, ..Desired::unmapped(snapshot) };
    desired.selection = scope.selection;
    // Reasons name the snapshot, since the tenant is the target.
    desired.snapshot.tenant.clone_from(&place.name);
    desired.snapshot.protect(&protected(target));
    let mut plan = restore(catalog, &desired, &live, route.newer);
    plan.notes.extend(place.note());
    plan.notes.extend(note_about_imports(environment, target, &plan));
    let origin = PlanOrigin::Tenant { desired: &desired, live: &live };
    let refusals = refusals(environment, &mut plan, origin, (&tenant, target)).await?;
    Ok(PreparedRestore { plan, refusals, tenant, live })
}

fn refuse_another_tenant(snapshot: &Snapshot, target: &TenantSettings) -> Result<(), Error> {
    if snapshot.domain.eq_ignore_ascii_case(&target.domain) {
        return Ok(());
    }
    let (name, domain) = (target.name.clone(), target.domain.clone());
    Err(Error::SnapshotOfAnother { of: snapshot.domain.clone(), name, domain })
}

/// Says what the next import makes of a restore: what was last applied is still known, so what is restored is drift.
fn note_about_imports(environment: &Environment, target: &TenantSettings, plan: &Plan) -> Option<String> {
    let pairs = TenantPair::of_target(&environment.settings().dir, &TenantIdentity::new(&target.name, &target.domain));
    let sources: Vec<&str> = pairs.iter().map(TenantPair::source).collect();
    (!plan.is_empty() && !sources.is_empty()).then(|| {
        let from = sources.join(" and ");
        format!("the next import from {from} treats restored values as drift and keeps them, and creates deleted resources again: make the same changes in {from}")
    })
}
