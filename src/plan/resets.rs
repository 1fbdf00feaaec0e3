//! Writes settings again that a write of another kind resets.

use super::decision::{Decision, Note, Unplanned};
use super::inputs::Inputs;
use super::model::{Action, Change};
use super::reason::{ProtectedBy, Reason};
use crate::catalog::{Kind, RequestPurpose};
use crate::json::Body;
use crate::model::resource::{Key, Resource};

/// Returns the changes and, after those that reset other settings, writes of these settings, even if they are equal.
pub(super) fn with_resets_reapplied(inputs: &Inputs<'_>, mut changes: Vec<Change>) -> (Vec<Change>, Vec<Decision>) {
    let mut decisions = Vec::new();
    let is_changed = |kind: &&'static Kind| changes.iter().any(|change| change.key.kind() == *kind);
    let resetting: Vec<&'static Kind> = inputs.catalog.kinds().filter(|kind| !kind.quirks.resets.is_empty()).filter(is_changed).collect();
    for kind in resetting {
        let live = inputs.partners.live.iter().map(|held| &**held);
        if let Some(root) = protected_reset(inputs, kind) {
            let withheld = changes.extract_if(.., |change| change.key.kind() == kind);
            let reason = Reason::Protected { root: root.clone(), by: ProtectedBy::Reset };
            decisions.extend(withheld.map(|change| Decision::Keep(Unplanned::whole(&change.key, reason.clone()))));
            continue;
        }
        let is_reset = |held: &&Resource| kind.quirks.resets.contains(&held.key.kind().name) && held.excluded.is_none();
        for held in live.filter(is_reset) {
            let body = whole_body(held.key.kind(), held);
            if let Some(written) = written_body(&mut changes, &held.key) {
                for (name, value) in body.0 {
                    written.0.entry(name).or_insert(value);
                }
            } else if !body.is_empty() {
                let (change, why) = repeated(inputs, kind, held, body);
                changes.push(change);
                decisions.extend(why);
            }
        }
    }
    (changes, decisions)
}

/// Returns a protected resource that a change of a kind would reset.
fn protected_reset<'inputs>(inputs: &'inputs Inputs<'_>, kind: &Kind) -> Option<&'inputs Key> {
    let is_reset = |key: &&Key| kind.quirks.resets.contains(&key.kind().name) && inputs.untouched.root_of(key).is_some();
    inputs.partners.live.iter().map(|held| &held.key).find(is_reset)
}

/// Returns a body that writes all settings of a resource unchanged.
fn whole_body(kind: &Kind, held: &Resource) -> Body {
    let (whole, _) = kind.fields.writable().split(held.body.open(), RequestPurpose::Update);
    whole.0.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// Returns the body that the changes write to a resource.
fn written_body<'changes>(changes: &'changes mut [Change], key: &Key) -> Option<&'changes mut Body> {
    changes.iter_mut().filter(|change| change.key == *key).find_map(|change| match &mut change.action {
        Action::Update { body, .. } => Some(body),
        _ => None,
    })
}

/// Returns the change that writes a resource again because a change of another kind resets it.
fn repeated(inputs: &Inputs<'_>, by: &Kind, held: &Resource, body: Body) -> (Change, Vec<Decision>) {
    let kind = held.key.kind();
    let source = inputs.pairs().find(|(one, held_of_it)| one.key == held.key && held_of_it.is_some()).map(|(one, _)| &one.id);
    let note = Note::Repeated { key: held.key.clone(), by: by.singular };
    let decisions = [Decision::Note(note)].into_iter().chain(source.map(|_| Decision::Repeated(kind))).collect();
    let action = Action::Update { id: Some(held.id.clone()), body, edits: Vec::new() };
    let source_id = source.unwrap_or(&held.id).clone();
    (Change { key: held.key.clone(), source_id, action, needs: Vec::new(), secrets: Vec::new() }, decisions)
}
