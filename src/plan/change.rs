//! The change that one candidate needs.

use serde_json::Value;

use super::builder::PlanBuilder;
use super::deploy;
use super::diff::{Difference, difference_after};
use super::manual_steps::{
    add_empty_secret_objects, incomparable_secrets, keep_objects_without_secret, keep_withheld_secrets, remove_objects_without_secret,
    steps,
};
use super::merge::{MergeResult, merge};
use super::model::{Action, Change, SecretField, Skipped};
use super::normal_form::normalized;
use super::ordering::Prerequisite;
use super::references::OpenCandidate;
use super::request_body::create_body;
use super::secrets::{add_companions, secrets_to_send};
use crate::catalog::{Kind, Shape, Writability};
use crate::json::{Body, is_blank};
use crate::model::resource::{Id, Key, OpenResource, Resource};
use crate::snapshot::id_substitution;

impl PlanBuilder<'_> {
    /// Returns the change a candidate needs, if any, and records skipped fields and manual steps.
    pub(super) fn change(&mut self, candidate: OpenCandidate<'_>) -> Option<Change> {
        let kind = self.kind_of(&candidate.wanted.key);
        let (wanted, held) = (candidate.wanted, candidate.held.map(Resource::open));
        if let Shape::Child { parent, .. } = kind.shape {
            self.plan.manual_steps.extend(steps(kind, &wanted, held.as_ref(), &[], self.live));
            return self.change_elements(kind, parent, &wanted, held.as_ref());
        }
        let supplied = self.supplied(&wanted.key);
        self.plan.manual_steps.extend(steps(kind, &wanted, held.as_ref(), &supplied, self.live));
        match held {
            None => Some(self.create(kind, wanted, supplied)),
            Some(held) => self.update(kind, wanted, held, supplied),
        }
    }

    fn create(&mut self, kind: &Kind, mut wanted: OpenResource, supplied: Vec<SecretField>) -> Change {
        let draft = deploy::split_draft(kind, &mut wanted.body, None);
        let wanted = &wanted;
        let mut body = create_body(kind, &wanted.body);
        add_empty_secret_objects(kind, &mut body);
        let withheld = remove_objects_without_secret(kind, wanted, &mut body, &supplied);
        self.plan.skipped.extend(withheld);
        let is_late =
            |secret: &SecretField| kind.fields.writable().get(&secret.path).is_some_and(|field| field.written == Writability::OnUpdate);
        let (late, secrets): (Vec<_>, Vec<_>) = supplied.into_iter().partition(is_late);
        let change = |action, secrets| Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets };
        if !late.is_empty() {
            self.after.push((Prerequisite::Everything, change(Action::Update { id: None, body: Body::new(), edits: Vec::new() }, late)));
        }
        let update = |body| Action::Update { id: None, body, edits: Vec::new() };
        if let Some(done) = deploy::take_follow_up(kind, &mut body) {
            self.after.push((Prerequisite::Creation, change(update(done), Vec::new())));
        }
        if let Some(draft) = draft {
            self.after.push((Prerequisite::FollowUp, change(update(draft.body), Vec::new())));
        }
        if let Some(rest) = update_only_fields(kind, wanted) {
            self.after.push((Prerequisite::Creation, change(update(rest), Vec::new())));
        }
        let twins = self.namesakes(kind, wanted);
        change(Action::Create { body, twins }, secrets)
    }

    fn update(&mut self, kind: &Kind, mut wanted: OpenResource, mut held: OpenResource, supplied: Vec<SecretField>) -> Option<Change> {
        *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        let given = kind.quirks.built_in.filter(|_| wanted.is_given || held.is_given);
        if let Some(given) = given {
            given.keep_written(&mut wanted.body, kind.identity.key);
            given.keep_written(&mut held.body, kind.identity.key);
        }
        let draft = deploy::split_draft(kind, &mut wanted.body, Some(&mut held.body));
        self.plan.skipped.extend(keep_withheld_secrets(&mut wanted, &held));
        self.plan.excluded.extend(incomparable_secrets(kind, &wanted, &held));
        let (wanted, held) = (&wanted, &held);
        if let Some(Difference { body, edits, .. }) = draft {
            let action = Action::Update { id: Some(held.id.clone()), body, edits };
            let change = Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets: Vec::new() };
            self.after.push((Prerequisite::FollowUp, change));
        }
        let merged = self.merge_with_baseline(kind, wanted, held)?;
        let (body, dropped) = merged.as_ref().map_or((&wanted.body, &[][..]), |merged| (&merged.body, &merged.dropped));
        let mut difference = difference_after(kind, body, &held.body, dropped);
        if let Some(given) = given {
            given.keep_written(&mut difference.body, &[]);
        }
        self.plan.skipped.extend(keep_objects_without_secret(kind, wanted, held, &mut difference, &supplied));
        let desired = self.past.desired_state;
        if let Some((path, reason)) = difference.fixed.iter().find(|(path, _)| kind.fields.required.contains(&path.as_str())) {
            self.skip_resource(&wanted.key, format!("its {path} differs in the target, and {}", reason.text(desired)));
            return None;
        }
        for (path, reason) in std::mem::take(&mut difference.fixed) {
            self.plan.skipped.push(Skipped {
                key: wanted.key.clone(),
                path: Some(path),
                reason: format!("it differs in the target, and {}", reason.text(desired)),
            });
        }
        for (path, reason) in std::mem::take(&mut difference.stays) {
            self.plan.excluded.push(Skipped { key: wanted.key.clone(), path: Some(path), reason: reason.text(desired).to_owned() });
        }
        let secrets = secrets_to_send(kind, &held.id, &difference, supplied, self.past.sent);
        add_companions(kind, &secrets, body, &held.body, &mut difference);
        if difference.body.is_empty() && secrets.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let action = Action::Update { id: Some(held.id.clone()), body: difference.body, edits: difference.edits };
        Some(Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets })
    }

    fn change_elements(&mut self, kind: &Kind, parent: &str, candidate: &OpenResource, there: Option<&OpenResource>) -> Option<Change> {
        let elements = |body: &Body| -> Vec<Value> {
            normalized(kind, body).get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let merged = match there {
            Some(held) => self.merge_with_baseline(kind, candidate, held)?,
            None => None,
        };
        let held = there.map(|held| elements(&held.body)).unwrap_or_default();
        let wanted = elements(merged.as_ref().map_or(&candidate.body, |merged| &merged.body));
        let added: Vec<Value> = wanted.iter().filter(|element| !held.contains(element)).cloned().collect();
        let removed: Vec<Value> = held.iter().filter(|element| !wanted.contains(element)).cloned().collect();
        if there.is_some() {
            *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        }
        if added.is_empty() && removed.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let OpenResource { key, id, .. } = candidate;
        let action = Action::Elements { parent: Key::new(parent, key.name()), added, removed };
        Some(Change { key: key.clone(), source_id: id.clone(), action, needs: Vec::new(), secrets: Vec::new() })
    }

    /// Merges desired and live by the baseline; the inner `None` means that there is no baseline or that both are equal.
    ///
    /// The outer `None` means a conflict: the resource is skipped.
    #[expect(clippy::option_option, reason = "whether it can be planned, and whether there is a base")]
    fn merge_with_baseline(&mut self, kind: &Kind, wanted: &OpenResource, held: &OpenResource) -> Option<Option<MergeResult>> {
        let is_equal = wanted.body == held.body;
        let Some(base) = self.past.base.of_target(&wanted.key, &held.id).filter(|_| !is_equal) else { return Some(None) };
        let mut merged = merge(kind, base, &wanted.body, &held.body, self.past.on_drift);
        if !merged.conflicts.is_empty() {
            let fields: Vec<&str> = merged.conflicts.iter().map(|clash| clash.path.as_str()).collect();
            self.skip_resource(&wanted.key, format!("both tenants changed its {} since the last run", fields.join(", ")));
            self.plan.conflicts.extend(merged.into_conflicts(&wanted.key, &wanted.id));
            return None;
        }
        let drift = merged.take_drift(&wanted.key);
        self.plan.drift.extend(drift);
        Some(Some(merged))
    }

    /// Returns other resources of the target that have the name of one to create, where duplicate names are allowed.
    fn namesakes(&self, kind: &Kind, wanted: &OpenResource) -> Vec<Id> {
        if !kind.identity.allows_duplicates {
            return Vec::new();
        }
        let name = id_substitution::portable_name(kind, &wanted.body);
        self.namesakes.get(&(kind.name, name.as_str())).into_iter().flatten().map(|id| (*id).clone()).collect()
    }
}

/// Returns the fields that only an update accepts, if any are set.
fn update_only_fields(kind: &Kind, wanted: &OpenResource) -> Option<Body> {
    let is_only_updated = |name: &str| kind.fields.writable().get(name).is_some_and(|field| field.written == Writability::OnUpdate);
    let says = |name: &str, value: &Value| !is_blank(value) && kind.default_of(name).as_ref() != Some(value);
    let rest = wanted.body.0.iter().filter(|(name, value)| is_only_updated(name) && says(name, value));
    let rest: Body = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!rest.is_empty()).then_some(rest)
}
