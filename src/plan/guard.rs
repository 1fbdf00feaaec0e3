//! Reasons to refuse a plan: each with its own name, message and acknowledgement.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::approval::Approvals;
use super::leak::leak;
use super::many::{self, ChangeLimits};
use super::risk::{self, LOCKOUT, WEAKER};
use super::{Action, Change, Plan, SecretField, secret_value};
use crate::catalog::Catalog;
use crate::model::resource::{Key, Secret};
use crate::snapshot::{Desired, Snapshot, Status};

/// A reason to refuse a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The guard's name, which `--allow` takes where there is such an acknowledgement.
    pub guard: Cow<'static, str>,
    /// Whether `--allow` can open it.
    pub can_be_allowed: bool,
    /// What it found.
    pub message: String,
    /// What it found by resource, where each can be approved by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// What a guard found of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The resource.
    pub key: Key,
    /// Its fields, or what is done to it as a whole.
    pub what: Vec<String>,
}

impl Refusal {
    /// Returns a refusal that nothing opens, or that `--allow` opens as a whole.
    pub fn whole(guard: &'static str, can_be_allowed: bool, message: String) -> Self {
        Self { guard: guard.into(), can_be_allowed, message, items: Vec::new() }
    }

    /// Returns a refusal for what was found of resources; none where nothing was.
    pub fn about(guard: impl Into<Cow<'static, str>>, items: Vec<Item>) -> Option<Self> {
        let guard = guard.into();
        let list = items.iter().map(Item::to_string).collect::<Vec<_>>().join(", ");
        let message = match &*guard {
            LOCKOUT => format!("people or services may be locked out by {list}"),
            WEAKER => format!("a protection becomes weaker by {list}"),
            _ => format!("{} would be removed: {list}", items.len()),
        };
        (!items.is_empty()).then_some(Self { guard, can_be_allowed: true, message, items })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.what.is_empty() { write!(out, "{}", self.key) } else { write!(out, "{} ({})", self.key, self.what.join(", ")) }
    }
}

/// The guard of what is removed.
pub const DELETES: &str = "deletes";

/// The names that `--allow` takes.
pub const ALLOWED: [&str; 6] = ["many-changes", "leak", DELETES, LOCKOUT, WEAKER, "no-base"];

/// Returns every reason to refuse a plan.
pub fn refusals(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most: ChangeLimits) -> Vec<Refusal> {
    let within = within_one_tenant(catalog, plan, desired, live, most);
    same_tenant(plan).into_iter().chain(within).collect()
}

/// Returns every reason to refuse a plan whose values never left their tenant.
pub fn within_one_tenant(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most: ChangeLimits) -> Vec<Refusal> {
    let found = [unread(catalog, plan, desired, live), deletes(plan), changes_many(catalog, plan, most)];
    found.into_iter().flatten().chain(risks(catalog, plan)).chain(leak(catalog, plan, desired, live)).collect()
}

/// Returns the reasons to refuse a plan that was saved: those that were found when it was made, and those that its changes show.
///
/// What its file says of the latter is not believed: an older version knew fewer or called them otherwise, and the plan of a run is kept
/// without any. Nor is what it says of secrets, which are looked for where the plan is carried out.
pub fn of_saved(catalog: &Catalog, plan: &Plan, found: Vec<Refusal>, most: ChangeLimits) -> Vec<Refusal> {
    let shown = deletes(plan).into_iter().chain(changes_many(catalog, plan, most)).chain(risks(catalog, plan));
    let is_of_changes =
        |refusal: &Refusal| ["many-changes", DELETES, LOCKOUT, WEAKER, "critical", "secrets"].contains(&refusal.guard.as_ref());
    found.into_iter().filter(|refusal| !is_of_changes(refusal)).chain(shown).collect()
}

/// Returns the reasons to refuse a plan that follow from what its edits may cost.
pub fn risks(catalog: &Catalog, plan: &Plan) -> Vec<Refusal> {
    [risk::lockout(catalog, plan), risk::weaker(catalog, plan)].into_iter().flatten().collect()
}

/// Returns the reasons that were not approved, whole or resource by resource.
pub fn standing(refusals: Vec<Refusal>, approved: &Approvals) -> Vec<Refusal> {
    refusals.into_iter().filter_map(|refusal| approved.without(refusal)).collect()
}

/// Every secret that a mapping supplies must be there, and JSON where the field holds an object, before anything is written.
pub fn secrets(catalog: &Catalog, plan: &Plan, secret: &dyn Fn(&SecretField) -> Option<Secret>) -> Option<Refusal> {
    let (mut missing, mut broken) = (BTreeSet::new(), BTreeSet::new());
    for (kind, field) in plan.changes().flat_map(|change| change.secrets.iter().map(|field| (change.key.kind(), field))) {
        let kind = catalog.kind(kind).expect("a key names a kind of the catalog");
        match secret(field).map(|secret| secret_value(kind, &field.path, &secret)) {
            None => drop(missing.insert(field.from.as_str())),
            Some(Err(reason)) => drop(broken.insert(format!("{}: {reason}", field.from))),
            Some(Ok(_)) => {}
        }
    }
    let missing: Vec<&str> = missing.into_iter().collect();
    let nothing = (!missing.is_empty()).then(|| format!("the mapping takes secrets from {}, and there is nothing", missing.join(", ")));
    let message: Vec<String> = nothing.into_iter().chain(broken).collect();
    (!message.is_empty()).then(|| Refusal::whole("secrets", false, message.join("; ")))
}

/// Source and target must not be one tenant.
pub fn same_tenant(plan: &Plan) -> Option<Refusal> {
    let is_same = plan.source.domain.eq_ignore_ascii_case(&plan.target.domain);
    let message =
        format!("source \"{}\" and target \"{}\" are the same tenant, {}", plan.source.tenant, plan.target.tenant, plan.target.domain);
    is_same.then(|| Refusal::whole("same-tenant", false, message))
}

/// What the token may not read cannot be compared, so it must not be written.
fn unread(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot) -> Option<Refusal> {
    let is_forbidden_by = |side: &Snapshot, name: &str| matches!(side.kinds.get(name), Some(Status::Forbidden(_)));
    // Of what the source does not show, nothing would be written.
    let is_forbidden = |name: &&str| is_forbidden_by(live, name) && !is_forbidden_by(&desired.snapshot, name);
    let hit: BTreeSet<&str> = plan.skipped.iter().map(|left| left.key.kind()).filter(is_forbidden).collect();
    let scopes: BTreeSet<&str> = hit.iter().filter_map(|name| catalog.kind(name)).flat_map(|kind| kind.read_scopes).copied().collect();
    let message = format!(
        "the token for \"{}\" may not read {}; it lacks {}",
        plan.target.tenant,
        hit.iter().copied().collect::<Vec<_>>().join(", "),
        scopes.into_iter().collect::<Vec<_>>().join(", ")
    );
    (!hit.is_empty()).then(|| Refusal::whole("scopes", false, message))
}

/// Nothing is removed that a person did not agree to.
pub fn deletes(plan: &Plan) -> Option<Refusal> {
    let removed = plan.changes().filter(|change| matches!(change.action, Action::Delete { .. }));
    Refusal::about(DELETES, removed.map(|change| Item { key: change.key.clone(), what: Vec::new() }).collect())
}

/// Where the target changed fields by itself and that was to stop everything, it does.
pub fn drift(plan: &Plan) -> Option<Refusal> {
    let moved: BTreeSet<String> = plan.drift.iter().map(|drift| format!("{}: {}", drift.key, drift.path)).collect();
    let list = moved.iter().cloned().collect::<Vec<_>>().join(", ");
    let message = format!("\"{}\" changed by itself since the last run ({list}); --drift keep or overwrite settles it", plan.target.tenant);
    (!moved.is_empty()).then(|| Refusal::whole("drift", false, message))
}

/// Where what was last written is not known, what the target changed by itself cannot be told from what the source has yet to change.
pub fn no_base(plan: &Plan) -> Option<Refusal> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let message = format!(
        "resources are linked, and state/{source}/{target}/baseline.json, which holds what was last written of them, is missing: what \"{target}\" \
         changed by itself would be written over; put that file of the last run back"
    );
    let is_any = plan.changes().any(Change::is_of_the_target);
    is_any.then(|| Refusal::whole("no-base", true, message))
}

fn changes_many(catalog: &Catalog, plan: &Plan, most: ChangeLimits) -> Option<Refusal> {
    many::too_much(catalog, plan, most).map(|message| Refusal::whole("many-changes", true, message))
}

/// Returns the scopes that a token needs for exactly what a plan does.
pub fn scopes(catalog: &Catalog, plan: &Plan) -> BTreeSet<&'static str> {
    let kind_of = |change: &Change| catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
    let of_change = |change: &Change| match (&change.action, kind_of(change).creation()) {
        (Action::Create { .. }, Some(_)) => kind_of(change).create_scopes,
        (Action::Delete { .. }, _) if kind_of(change).emptied().is_some() => kind_of(change).update_scopes,
        (Action::Delete { .. }, _) => kind_of(change).delete_scopes,
        _ => kind_of(change).update_scopes,
    };
    plan.changes().flat_map(of_change).copied().collect()
}
