//! Reasons to refuse a plan: each with its own name, message and acknowledgement.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::approval::Approvals;
use super::leak::leak;
use super::risk::{self, LOCKOUT, WEAKER};
use super::{Action, Change, Plan, SecretField, secret_value};
use crate::catalog::{Catalog, Shape};
use crate::resource::{Key, Secret};
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

/// How many resources may change below the size at which the share counts.
const FEW: usize = 3;

/// Returns every reason to refuse a plan.
pub fn refusals(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most: MostChanged) -> Vec<Refusal> {
    let within = within_one_tenant(catalog, plan, desired, live, most);
    same_tenant(plan).into_iter().chain(within).collect()
}

/// Returns every reason to refuse a plan whose values never left their tenant.
pub fn within_one_tenant(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most: MostChanged) -> Vec<Refusal> {
    let found = [unread(catalog, plan, desired, live), deletes(plan), many_changes(catalog, plan, most)];
    found.into_iter().flatten().chain(risks(catalog, plan)).chain(leak(catalog, plan, desired, live)).collect()
}

/// Returns the reasons to refuse a plan that was saved: those that were found when it was made, and those that its changes show.
///
/// What its file says of the latter is not believed: an older version knew fewer or called them otherwise, and the plan of a run is kept
/// without any. Nor is what it says of secrets, which are looked for where the plan is carried out.
pub fn of_saved(catalog: &Catalog, plan: &Plan, found: Vec<Refusal>, most: MostChanged) -> Vec<Refusal> {
    let shown = deletes(plan).into_iter().chain(many_changes(catalog, plan, most)).chain(risks(catalog, plan));
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
            Some(Err(because)) => drop(broken.insert(format!("{}: {because}", field.from))),
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
    let hit: BTreeSet<&str> = plan.left_out.iter().map(|left| left.key.kind()).filter(is_forbidden).collect();
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
    let removed = plan.changes().filter(|change| matches!(change.action, Action::Remove { .. }));
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
    let is_any = plan.changes().any(is_of_the_target);
    is_any.then(|| Refusal::whole("no-base", true, message))
}

/// The shares of what a target has that one plan may change without being allowed to: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MostChanged {
    /// Of all its resources.
    pub of_all: f64,
    /// Of its resources of one kind.
    pub of_a_kind: f64,
}

/// A plan that changes a large share of what the target has, or of one kind, is more often a mistake than a release.
fn many_changes(catalog: &Catalog, plan: &Plan, most: MostChanged) -> Option<Refusal> {
    let held = held(plan);
    if is_new(catalog, &held) {
        return None;
    }
    let changed: BTreeSet<&Key> = plan.changes().filter(|change| is_of_the_target(change)).map(|change| &change.key).collect();
    let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &changed {
        *of_kind.entry(key.kind()).or_default() += 1;
    }
    let target = &plan.target.tenant;
    let all = of_too_many(changed.len(), held.values().sum(), most.of_all, &format!("resources of \"{target}\""));
    let of_kinds = of_kind.iter().filter_map(|(kind, changed)| {
        let held = held.get(kind).copied().unwrap_or_default();
        of_too_many(*changed, held, most.of_a_kind, &format!("{kind} of \"{target}\""))
    });
    let found: Vec<String> = all.into_iter().chain(of_kinds).collect();
    (!found.is_empty()).then(|| Refusal::whole("many-changes", true, found.join("; ")))
}

/// Returns how many resources the target has by kind, before anything is removed.
fn held(plan: &Plan) -> BTreeMap<&str, usize> {
    let mut held: BTreeMap<&str, usize> = plan.shared.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    for (kind, keys) in &plan.target_only {
        *held.entry(kind).or_default() += keys.len();
    }
    for change in plan.changes().filter(|change| matches!(change.action, Action::Remove { .. })) {
        *held.entry(change.key.kind()).or_default() += 1;
    }
    held
}

/// Returns whether a tenant holds no more than one has from the start: an application, a database and a social connection. What else every
/// tenant has is one of each.
fn is_new(catalog: &Catalog, held: &BTreeMap<&str, usize>) -> bool {
    let is_listed = |name: &str| catalog.kind(name).is_some_and(|kind| kind.shape == Shape::Collection);
    held.iter().filter(|(kind, _)| is_listed(kind)).map(|(_, count)| count).sum::<usize>() <= FEW
}

/// Says that more would change than may at once.
fn of_too_many(changed: usize, held: usize, share: f64, what: &str) -> Option<String> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of settings")]
    let most = ((held as f64 * share) as usize).max(FEW);
    (changed > most).then(|| format!("{changed} of {held} {what} would change; at most {most} may at once"))
}

fn is_of_the_target(change: &Change) -> bool {
    match &change.action {
        Action::Update { id, .. } => id.is_some(),
        Action::Elements { removed, .. } => !removed.is_empty(),
        Action::Remove { .. } => true,
        Action::Create { .. } => false,
    }
}

/// Returns the scopes that a token needs for exactly what a plan does.
pub fn scopes(catalog: &Catalog, plan: &Plan) -> BTreeSet<&'static str> {
    let kind_of = |change: &Change| catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
    let of_change = |change: &Change| match (&change.action, kind_of(change).creation()) {
        (Action::Create { .. }, Some(_)) => kind_of(change).create_scopes,
        (Action::Remove { .. }, _) if kind_of(change).emptied().is_some() => kind_of(change).update_scopes,
        (Action::Remove { .. }, _) => kind_of(change).delete_scopes,
        _ => kind_of(change).update_scopes,
    };
    plan.changes().flat_map(of_change).copied().collect()
}
