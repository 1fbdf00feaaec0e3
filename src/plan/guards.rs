//! The guards: reasons to refuse a plan.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::change_share::too_much;
use super::leak::leak;
use super::model::{Action, Change, Plan, SecretField};
use super::refusal::{Item, Refusal};
use super::risk;
use super::secrets::secret_value;
use crate::catalog::Kind;
use crate::model::approval::Approvals;
use crate::model::guard::Guard;
use crate::model::limits::ChangeLimits;
use crate::snapshot::{Desired, Snapshot, Status};

/// Finds the value of a secret that is supplied from outside.
pub type SecretLookup<'a> = dyn Fn(&SecretField) -> Option<SecretString> + 'a;

/// Where a plan comes from, which decides what may be wrong with it.
#[derive(Debug)]
pub enum PlanOrigin<'a> {
    /// A source and its target.
    Pair {
        /// What the source asks for.
        desired: &'a Desired,
        /// What the target holds.
        live: &'a Snapshot,
        /// Whether changes made directly in the target are a reason to refuse.
        refuses_drift: bool,
        /// Whether there are links, but no record of what was applied.
        lacks_baseline: bool,
    },
    /// One tenant, where no value comes from elsewhere: an undo or a restore.
    Tenant {
        /// What is restored.
        desired: &'a Desired,
        /// What the tenant holds.
        live: &'a Snapshot,
    },
    /// One resource of a tenant, edited by a person.
    Resource,
    /// A file, with the refusals that were found when the plan was made.
    Saved(Vec<Refusal>),
}

/// Returns every reason to refuse a plan that does not depend on the token, before it is carried out for the first time.
pub fn refusals(plan: &Plan, origin: PlanOrigin<'_>, most: ChangeLimits, secret: &SecretLookup<'_>) -> Vec<Refusal> {
    let found = match origin {
        PlanOrigin::Pair { desired, live, refuses_drift, lacks_baseline } => {
            let of_pair = [refuses_drift.then(|| drift(plan)), lacks_baseline.then(|| no_baseline(plan))];
            let within = within_one_tenant(plan, (desired, live), most);
            same_tenant(plan).into_iter().chain(within).chain(of_pair.into_iter().flatten().flatten()).collect()
        }
        PlanOrigin::Tenant { desired, live } => within_one_tenant(plan, (desired, live), most),
        PlanOrigin::Resource => risks(plan),
        PlanOrigin::Saved(found) => of_saved(plan, found, most),
    };
    found.into_iter().chain(secrets(plan, secret)).collect()
}

fn within_one_tenant(plan: &Plan, (desired, live): (&Desired, &Snapshot), most: ChangeLimits) -> Vec<Refusal> {
    let found = [unread(plan, desired, live), deletes(plan), changes_many(plan, most)];
    found.into_iter().flatten().chain(risks(plan)).chain(leak(plan, desired, live)).collect()
}

/// The guards that are evaluated again for a saved plan; refusals of the others are taken from the plan.
const COMPUTED_AGAIN: [Guard; 5] = [Guard::ManyChanges, Guard::Secrets, Guard::Deletes, Guard::LockoutRisk, Guard::WeakerProtection];

/// Returns the refusals of a saved plan: those found when it was made, and those computed again from its changes.
///
/// They are computed again because the plan in a run folder has none. Missing secrets and scopes are also checked again
/// when the plan is applied.
pub fn of_saved(plan: &Plan, found: Vec<Refusal>, most: ChangeLimits) -> Vec<Refusal> {
    let shown = deletes(plan).into_iter().chain(changes_many(plan, most)).chain(risks(plan));
    let of_token = missing_scopes(plan);
    let is_kept = |refusal: &Refusal| !COMPUTED_AGAIN.contains(&refusal.guard) && Some(refusal) != of_token.as_ref();
    found.into_iter().filter(is_kept).chain(shown).collect()
}

/// The guards that [`risks`] checks.
pub const OF_RISKS: [Guard; 2] = [Guard::LockoutRisk, Guard::WeakerProtection];

/// Returns the refusals that follow from the risk of its edits: those of [`OF_RISKS`].
pub fn risks(plan: &Plan) -> Vec<Refusal> {
    [risk::lockout(plan), risk::weaker(plan)].into_iter().flatten().collect()
}

/// Returns the refusals that are not approved, as a whole or by resource.
pub fn unapproved(refusals: Vec<Refusal>, approved: &Approvals) -> Vec<Refusal> {
    refusals.into_iter().filter_map(|refusal| refusal.unapproved(approved)).collect()
}

/// Refuses a plan if a supplied secret is missing, or is not JSON where the field needs it.
pub fn secrets(plan: &Plan, secret: &SecretLookup<'_>) -> Option<Refusal> {
    let (mut missing, mut broken) = (BTreeSet::new(), BTreeSet::new());
    for (kind, field) in plan.changes().flat_map(|change| change.secrets.iter().map(|field| (change.key.kind(), field))) {
        match secret(field).map(|secret| secret_value(kind, &field.path, &secret)) {
            None => drop(missing.insert(field.from.as_str())),
            Some(Err(reason)) => drop(broken.insert(format!("{}: {reason}", field.from))),
            Some(Ok(_)) => {}
        }
    }
    let missing: Vec<&str> = missing.into_iter().collect();
    let nothing = (!missing.is_empty()).then(|| format!("the mapping needs secrets that are not available: {}", missing.join(", ")));
    let message: Vec<String> = nothing.into_iter().chain(broken).collect();
    (!message.is_empty()).then(|| Refusal::whole(Guard::Secrets, message.join("; ")))
}

/// Refuses a plan whose source and target are one tenant.
pub fn same_tenant(plan: &Plan) -> Option<Refusal> {
    let is_same = plan.source.domain.eq_ignore_ascii_case(&plan.target.domain);
    let message =
        format!("source \"{}\" and target \"{}\" are the same tenant, {}", plan.source.tenant, plan.target.tenant, plan.target.domain);
    is_same.then(|| Refusal::whole(Guard::SameTenant, message))
}

/// Refuses a plan if the token lacks scopes to write what it changes.
pub fn missing_scopes(plan: &Plan) -> Option<Refusal> {
    let message = || format!("the token for \"{}\" lacks {}", plan.target.tenant, plan.missing_scopes.join(", "));
    (!plan.missing_scopes.is_empty()).then(|| Refusal::whole(Guard::Scopes, message()))
}

/// Refuses a plan if the token may not read some of the kinds that the plan would write.
fn unread(plan: &Plan, desired: &Desired, live: &Snapshot) -> Option<Refusal> {
    let is_forbidden_by = |side: &Snapshot, kind: &Kind| matches!(side.kinds.get(kind.name), Some(Status::Forbidden(_)));
    // Resources that the source does not return would not be written anyway.
    let is_forbidden = |kind: &&'static Kind| is_forbidden_by(live, kind) && !is_forbidden_by(&desired.snapshot, kind);
    let hit: BTreeSet<&Kind> = plan.skipped.iter().map(|left| left.key.kind()).filter(is_forbidden).collect();
    let scopes: BTreeSet<&str> = hit.iter().flat_map(|kind| kind.scopes.read).copied().collect();
    let message = format!(
        "the token for \"{}\" may not read {}; it lacks {}",
        plan.target.tenant,
        hit.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", "),
        scopes.into_iter().collect::<Vec<_>>().join(", ")
    );
    (!hit.is_empty()).then(|| Refusal::whole(Guard::Scopes, message))
}

/// Refuses unapproved deletes.
pub fn deletes(plan: &Plan) -> Option<Refusal> {
    let removed = plan.changes().filter(|change| matches!(change.action, Action::Delete { .. }));
    Refusal::about(Guard::Deletes, removed.map(|change| Item { key: change.key.clone(), what: Vec::new() }).collect())
}

/// Refuses a plan if the target drifted and drift is configured to fail.
fn drift(plan: &Plan) -> Option<Refusal> {
    let moved: BTreeSet<String> = plan.drift.iter().map(|drift| format!("{}: {}", drift.key, drift.path)).collect();
    let list = moved.iter().cloned().collect::<Vec<_>>().join(", ");
    let message =
        format!("\"{}\" was changed directly since the last run ({list}); choose --drift keep or --drift overwrite", plan.target.tenant);
    (!moved.is_empty()).then(|| Refusal::whole(Guard::Drift, message))
}

/// Refuses a plan without a baseline, since it cannot distinguish drift from changes of the source.
fn no_baseline(plan: &Plan) -> Option<Refusal> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let message = format!(
        "resources are linked, but state/{source}/{target}/baseline.json is missing: changes made directly in \"{target}\" would be \
         overwritten; restore the file of the last run"
    );
    let is_any = plan.changes().any(Change::is_of_the_target);
    is_any.then(|| Refusal::whole(Guard::NoBaseline, message))
}

fn changes_many(plan: &Plan, most: ChangeLimits) -> Option<Refusal> {
    too_much(plan, most).map(|message| Refusal::whole(Guard::ManyChanges, message))
}

/// Returns the scopes that exactly this plan needs.
pub fn scopes(plan: &Plan) -> BTreeSet<&'static str> {
    let of_change = |change: &Change| {
        let kind = change.key.kind();
        match (&change.action, kind.creation()) {
            (Action::Create { .. }, Some(_)) => kind.scopes.create,
            (Action::Delete { .. }, _) if kind.empty_body().is_some() => kind.scopes.update,
            (Action::Delete { .. }, _) => kind.scopes.delete,
            _ => kind.scopes.update,
        }
    };
    plan.changes().flat_map(of_change).copied().collect()
}
