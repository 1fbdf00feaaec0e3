//! Decides which change one candidate needs.

use serde_json::Value;

use super::decision::{Decision, Unplanned};
use super::deploy;
use super::diff::{Difference, difference_after};
use super::inputs::Inputs;
use super::manual_steps::{
    add_empty_secret_objects, incomparable_secrets, keep_objects_without_secret, keep_withheld_secrets, remove_objects_without_secret,
    steps,
};
use super::merge::{MergeResult, merge};
use super::model::{Action, Change, SecretField};
use super::normal_form::normalized;
use super::ordering::Prerequisite;
use super::reason::Reason;
use super::references::OpenCandidate;
use super::request_body::create_body;
use super::secrets::{add_companions, secrets_to_send};
use crate::catalog::{Shape, Writability};
use crate::json::{Body, is_blank};
use crate::model::resource::{Key, OpenResource, Resource};
use crate::snapshot::id_substitution;

/// The decisions about one candidate.
#[derive(Debug, Default)]
pub(super) struct ResourceDecisions {
    /// Its change, if it needs one.
    pub(super) change: Option<Change>,
    /// Follow-up changes, each with its prerequisite.
    pub(super) after: Vec<(Prerequisite, Change)>,
    /// All other decisions.
    pub(super) others: Vec<Decision>,
}

/// Decides which change a candidate needs, and which fields are skipped or need a manual step.
pub(super) fn decide(inputs: &Inputs<'_>, candidate: OpenCandidate<'_>) -> ResourceDecisions {
    let kind = candidate.wanted.key.kind();
    let (wanted, held) = (candidate.wanted, candidate.held.map(Resource::open));
    let supplied = if matches!(kind.shape, Shape::Child { .. }) { Vec::new() } else { inputs.supplied(&wanted.key) };
    let manual = steps(&wanted, held.as_ref(), &supplied, inputs.live).into_iter().map(Decision::Manual);
    let of_action = match (kind.shape, held) {
        (Shape::Child { .. }, held) => elements(inputs, &wanted, held.as_ref()),
        (_, None) => create(inputs, wanted, supplied),
        (_, Some(held)) => update(inputs, wanted, held, supplied),
    };
    ResourceDecisions { others: manual.chain(of_action.others).collect(), ..of_action }
}

fn create(inputs: &Inputs<'_>, mut wanted: OpenResource, supplied: Vec<SecretField>) -> ResourceDecisions {
    let kind = wanted.key.kind();
    let draft = deploy::split_draft(kind, &mut wanted.body, None);
    let wanted = &wanted;
    let mut body = create_body(kind, &wanted.body);
    add_empty_secret_objects(kind, &mut body);
    let withheld = remove_objects_without_secret(wanted, &mut body, &supplied);
    let is_late =
        |secret: &SecretField| kind.fields.writable().get(&secret.path).is_some_and(|field| field.written == Writability::OnUpdate);
    let (late, secrets): (Vec<_>, Vec<_>) = supplied.into_iter().partition(is_late);
    let update = |body, secrets| change_of(wanted, Action::Update { id: None, body, edits: Vec::new() }, secrets);
    let mut after = Vec::new();
    if !late.is_empty() {
        after.push((Prerequisite::Everything, update(Body::new(), late)));
    }
    if let Some(done) = deploy::take_follow_up(kind, &mut body) {
        after.push((Prerequisite::Creation, update(done, Vec::new())));
    }
    if let Some(draft) = draft {
        after.push((Prerequisite::FollowUp, update(draft.body, Vec::new())));
    }
    if let Some(rest) = update_only_fields(wanted) {
        after.push((Prerequisite::Creation, update(rest, Vec::new())));
    }
    let name = kind.identity.allows_duplicates.then(|| id_substitution::portable_name(kind, &wanted.body));
    let twins = name.map(|name| inputs.namesakes(kind, &name)).unwrap_or_default();
    let change = Some(change_of(wanted, Action::Create { body, twins }, secrets));
    ResourceDecisions { change, after, others: withheld.into_iter().map(Decision::Skip).collect() }
}

fn update(inputs: &Inputs<'_>, mut wanted: OpenResource, mut held: OpenResource, supplied: Vec<SecretField>) -> ResourceDecisions {
    let kind = wanted.key.kind();
    let mut others = vec![Decision::Shared(kind)];
    let given = kind.quirks.built_in.filter(|_| wanted.is_given || held.is_given);
    if let Some(given) = given {
        given.keep_written(&mut wanted.body, kind.identity.key);
        given.keep_written(&mut held.body, kind.identity.key);
    }
    let draft = deploy::split_draft(kind, &mut wanted.body, Some(&mut held.body));
    others.extend(keep_withheld_secrets(&mut wanted, &held).into_iter().map(Decision::Skip));
    others.extend(incomparable_secrets(&wanted, &held).into_iter().map(Decision::Exclude));
    let (wanted, held) = (&wanted, &held);
    let update = |body, edits, secrets| change_of(wanted, Action::Update { id: Some(held.id.clone()), body, edits }, secrets);
    let draft = draft.map(|Difference { body, edits, .. }| (Prerequisite::FollowUp, update(body, edits, Vec::new())));
    let after = draft.into_iter().collect();
    let (merged, found) = merge_with_baseline(inputs, wanted, held);
    others.extend(found);
    let merged = match merged {
        Merge::Conflict => return ResourceDecisions { change: None, after, others },
        Merge::Unneeded => None,
        Merge::Done(merged) => Some(merged),
    };
    let (body, dropped) = merged.as_ref().map_or((&wanted.body, &[][..]), |merged| (&merged.body, &merged.dropped));
    let mut difference = difference_after(kind, body, &held.body, dropped);
    if let Some(given) = given {
        given.keep_written(&mut difference.body, &[]);
    }
    others.extend(keep_objects_without_secret(wanted, held, &mut difference, &supplied).into_iter().map(Decision::Skip));
    if let Some((path, why)) = difference.fixed.iter().find(|(path, _)| kind.fields.required.contains(&path.as_str())) {
        others.push(Decision::skip(&wanted.key, Reason::RequiredDiffers { path: path.clone(), why: *why }));
        return ResourceDecisions { change: None, after, others };
    }
    let field = |path, reason| Unplanned::field(&wanted.key, path, reason);
    others.extend(difference.fixed.drain(..).map(|(path, why)| Decision::Skip(field(path, Reason::Differs(why)))));
    others.extend(difference.stays.drain(..).map(|(path, why)| Decision::Exclude(field(path, Reason::Stays(why)))));
    let secrets = secrets_to_send(kind, &held.id, &difference, supplied, inputs.past.sent);
    add_companions(kind, &secrets, body, &held.body, &mut difference);
    let is_equal = difference.body.is_empty() && secrets.is_empty();
    if is_equal {
        others.push(Decision::Unchanged(kind));
    }
    let change = (!is_equal).then(|| update(difference.body, difference.edits, secrets));
    ResourceDecisions { change, after, others }
}

/// Computes the elements to add to and to remove from a child's list.
fn elements(inputs: &Inputs<'_>, candidate: &OpenResource, there: Option<&OpenResource>) -> ResourceDecisions {
    let kind = candidate.key.kind();
    let elements =
        |body: &Body| -> Vec<Value> { normalized(kind, body).get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default() };
    let (merged, mut others) = there.map_or((Merge::Unneeded, Vec::new()), |held| merge_with_baseline(inputs, candidate, held));
    let wanted = match &merged {
        Merge::Conflict => return ResourceDecisions { others, ..ResourceDecisions::default() },
        Merge::Unneeded => elements(&candidate.body),
        Merge::Done(merged) => elements(&merged.body),
    };
    let held = there.map(|held| elements(&held.body)).unwrap_or_default();
    let added: Vec<Value> = wanted.iter().filter(|element| !held.contains(element)).cloned().collect();
    let removed: Vec<Value> = held.iter().filter(|element| !wanted.contains(element)).cloned().collect();
    others.extend(there.map(|_| Decision::Shared(kind)));
    let is_equal = added.is_empty() && removed.is_empty();
    if is_equal {
        others.push(Decision::Unchanged(kind));
    }
    let parent = || kind.parent().expect("a child has a parent");
    let action = || Action::Elements { parent: Key::new(parent(), candidate.key.name()), added, removed };
    let change = (!is_equal).then(|| change_of(candidate, action(), Vec::new()));
    ResourceDecisions { change, after: Vec::new(), others }
}

fn change_of(of: &OpenResource, action: Action, secrets: Vec<SecretField>) -> Change {
    Change { key: of.key.clone(), source_id: of.id.clone(), action, needs: Vec::new(), secrets }
}

/// The result of merging desired and live with the baseline.
enum Merge {
    /// There is no baseline, or desired and live are equal.
    Unneeded,
    /// The merged body that the target should have.
    Done(MergeResult),
    /// Both tenants changed a field, so the resource is skipped.
    Conflict,
}

/// Merges desired and live with the baseline, and reports drift and conflicts.
fn merge_with_baseline(inputs: &Inputs<'_>, wanted: &OpenResource, held: &OpenResource) -> (Merge, Vec<Decision>) {
    let is_equal = wanted.body == held.body;
    let base = inputs.past.base.of_target(&wanted.key, &held.id).filter(|_| !is_equal);
    let Some(base) = base else { return (Merge::Unneeded, Vec::new()) };
    let mut merged = merge(wanted.key.kind(), base, &wanted.body, &held.body, inputs.past.on_drift);
    if merged.conflicts.is_empty() {
        let drift = merged.take_drift(&wanted.key).into_iter().map(Decision::Drift).collect();
        return (Merge::Done(merged), drift);
    }
    let fields = merged.conflicts.iter().map(|clash| clash.path.clone()).collect();
    let skipped = Decision::skip(&wanted.key, Reason::Conflict { fields });
    let conflicts = merged.into_conflicts(&wanted.key, &wanted.id).map(Decision::Conflict);
    (Merge::Conflict, std::iter::once(skipped).chain(conflicts).collect())
}

/// Returns the fields that only an update accepts, if any are set.
fn update_only_fields(wanted: &OpenResource) -> Option<Body> {
    let kind = wanted.key.kind();
    let is_only_updated = |name: &str| kind.fields.writable().get(name).is_some_and(|field| field.written == Writability::OnUpdate);
    let says = |name: &str, value: &Value| !is_blank(value) && kind.default_of(name).as_ref() != Some(value);
    let rest = wanted.body.0.iter().filter(|(name, value)| is_only_updated(name) && says(name, value));
    let rest: Body = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!rest.is_empty()).then_some(rest)
}
