//! Reasons to refuse a plan: each with its own name, message and acknowledgement.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::leak::leak;
use super::{Action, Change, Edit, Plan, SecretField, secret_value};
use crate::body::covers;
use crate::catalog::{Catalog, Kind};
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
}

/// The guard of what may lock people out.
pub const CRITICAL: &str = "critical";

/// The names that `--allow` takes.
pub const ALLOWED: [&str; 5] = ["many-changes", "leak", "deletes", CRITICAL, "no-base"];

/// How many resources may change below the size at which the share counts.
const FEW: usize = 3;

/// Returns every reason to refuse a plan.
pub fn refusals(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most_changed: f64) -> Vec<Refusal> {
    let within = within_one_tenant(catalog, plan, desired, live, most_changed);
    same_tenant(plan).into_iter().chain(within).collect()
}

/// Returns every reason to refuse a plan whose values never left their tenant.
pub fn within_one_tenant(catalog: &Catalog, plan: &Plan, desired: &Desired, live: &Snapshot, most_changed: f64) -> Vec<Refusal> {
    let found = [
        unread(catalog, plan, desired, live),
        deletes(plan),
        many_changes(plan, most_changed),
        critical(catalog, plan),
        leak(catalog, plan, desired, live),
    ];
    found.into_iter().flatten().collect()
}

/// Returns the reasons that were not acknowledged by name.
pub fn standing(refusals: Vec<Refusal>, allowed: &BTreeSet<String>) -> Vec<Refusal> {
    refusals.into_iter().filter(|refusal| !(refusal.can_be_allowed && allowed.contains(refusal.guard.as_ref()))).collect()
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
    (!message.is_empty()).then(|| Refusal { guard: "secrets".into(), can_be_allowed: false, message: message.join("; ") })
}

/// Source and target must not be one tenant.
pub fn same_tenant(plan: &Plan) -> Option<Refusal> {
    let is_same = plan.source.domain.eq_ignore_ascii_case(&plan.target.domain);
    let message =
        format!("source \"{}\" and target \"{}\" are the same tenant, {}", plan.source.tenant, plan.target.tenant, plan.target.domain);
    is_same.then_some(Refusal { guard: "same-tenant".into(), can_be_allowed: false, message })
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
    (!hit.is_empty()).then_some(Refusal { guard: "scopes".into(), can_be_allowed: false, message })
}

/// Nothing is removed that a person did not agree to.
pub fn deletes(plan: &Plan) -> Option<Refusal> {
    let removed: Vec<String> =
        plan.changes().filter(|change| matches!(change.action, Action::Remove { .. })).map(|change| change.key.to_string()).collect();
    let message = format!("{} would be removed from \"{}\": {}", removed.len(), plan.target.tenant, removed.join(", "));
    (!removed.is_empty()).then_some(Refusal { guard: "deletes".into(), can_be_allowed: true, message })
}

/// Where the target changed fields by itself and that was to stop everything, it does.
pub fn drift(plan: &Plan) -> Option<Refusal> {
    let moved: BTreeSet<String> = plan.drift.iter().map(|drift| format!("{}: {}", drift.key, drift.path)).collect();
    let list = moved.iter().cloned().collect::<Vec<_>>().join(", ");
    let message = format!("\"{}\" changed by itself since the last run ({list}); --drift keep or overwrite settles it", plan.target.tenant);
    (!moved.is_empty()).then_some(Refusal { guard: "drift".into(), can_be_allowed: false, message })
}

/// Where what was last written is not known, what the target changed by itself cannot be told from what the source has yet to change.
pub fn no_base(plan: &Plan) -> Option<Refusal> {
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let message = format!(
        "resources are linked, and state/{source}/{target}/baseline.json, which holds what was last written of them, is missing: what \"{target}\" \
         changed by itself would be written over; put that file of the last run back"
    );
    let is_any = plan.changes().any(is_of_the_target);
    is_any.then_some(Refusal { guard: "no-base".into(), can_be_allowed: true, message })
}

/// What could lock people out of a client is agreed to by name.
///
/// Of a list of addresses, and of the clients of a connection, only what is taken away counts; of everything else any change of what the target
/// holds.
pub fn critical(catalog: &Catalog, plan: &Plan) -> Option<Refusal> {
    let mut found: BTreeMap<&Key, BTreeSet<&str>> = BTreeMap::new();
    for change in plan.changes() {
        let kind = catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
        let critical = |path: &str| kind.critical.iter().copied().find(|critical| covers(critical, path));
        let paths: Vec<&str> = match &change.action {
            Action::Update { id: Some(_), edits, .. } => {
                edits.iter().filter(|edit| takes_away(kind, edit)).filter_map(|edit| critical(&edit.path)).collect()
            }
            Action::Elements { removed, .. } if !removed.is_empty() => critical(kind.elements()).into_iter().collect(),
            _ => Vec::new(),
        };
        if !paths.is_empty() {
            found.entry(&change.key).or_default().extend(paths);
        }
    }
    let fields = |(key, paths): (&&Key, &BTreeSet<&str>)| format!("{key} ({})", paths.iter().copied().collect::<Vec<_>>().join(", "));
    let message = format!("people may be locked out by {}", found.iter().map(fields).collect::<Vec<_>>().join(", "));
    (!found.is_empty()).then_some(Refusal { guard: CRITICAL.into(), can_be_allowed: true, message })
}

/// Returns whether an edit takes away what the target holds, or has by default where it holds nothing.
fn takes_away(kind: &Kind, edit: &Edit) -> bool {
    let old = edit.old.clone().or_else(|| kind.default_of(&edit.path));
    match (&old, &edit.new) {
        (None, _) => false,
        (Some(Value::Array(old)), Some(Value::Array(new))) => old.iter().any(|element| !new.contains(element)),
        (Some(old), new) => new.as_ref() != Some(old),
    }
}

/// A plan that changes a large share of what the target has is more often a mistake than a release.
fn many_changes(plan: &Plan, most_changed: f64) -> Option<Refusal> {
    let changed: BTreeSet<_> = plan.changes().filter(|change| is_of_the_target(change)).map(|change| &change.key).collect();
    let shared: usize = plan.shared.values().sum::<usize>() + plan.target_only.values().map(Vec::len).sum::<usize>();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of settings")]
    let most = ((shared as f64 * most_changed) as usize).max(FEW);
    let message = format!("{} of {shared} resources of \"{}\" would change; at most {most} may at once", changed.len(), plan.target.tenant);
    (changed.len() > most).then_some(Refusal { guard: "many-changes".into(), can_be_allowed: true, message })
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
