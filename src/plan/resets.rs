//! Settings that a write of another kind resets, so that they are written again after it.

use super::builder::PlanBuilder;
use super::model::{Action, Change, Skipped};
use super::pairing::Pairing;
use crate::catalog::{Kind, RequestPurpose};
use crate::json::Body;
use crate::model::resource::{Key, Resource};

impl PlanBuilder<'_> {
    /// Adds, after changes that reset other settings, writes of these settings, even if they are equal.
    pub(super) fn reapply_resets(&mut self, changes: &mut Vec<Change>, partners: &Pairing<'_>) {
        let resetting: Vec<&'static Kind> = self.catalog.kinds().filter(|kind| !kind.quirks.resets.is_empty()).collect();
        for kind in resetting.into_iter().filter(|kind| changes.iter().any(|change| change.key.kind() == kind.name)).collect::<Vec<_>>() {
            if self.exclude_resets_of_protected(kind, changes, partners) {
                continue;
            }
            let is_reset = |held: &&Resource| kind.quirks.resets.contains(&held.key.kind()) && held.excluded.is_none();
            for held in partners.live.iter().map(|held| &**held).filter(is_reset) {
                self.repeat(kind, held, changes, partners);
            }
        }
    }

    /// Excludes the changes of a kind that would reset something protected; returns whether there were any.
    fn exclude_resets_of_protected(&mut self, kind: &Kind, changes: &mut Vec<Change>, partners: &Pairing<'_>) -> bool {
        let is_reset = |key: &&Key| kind.quirks.resets.contains(&key.kind()) && self.untouched.root_of(key).is_some();
        let Some(reset) = partners.live.iter().map(|held| &held.key).find(is_reset).cloned() else { return false };
        let withheld: Vec<Change> = changes.extract_if(.., |change| change.key.kind() == kind.name).collect();
        let reason = format!("its write may reset {reset}, which is left alone");
        self.exclude_for_protected(withheld.into_iter().map(|change| Skipped { key: change.key, path: None, reason: reason.clone() }));
        true
    }

    fn repeat(&mut self, by: &Kind, held: &Resource, changes: &mut Vec<Change>, partners: &Pairing<'_>) {
        let kind = self.kind_of(&held.key);
        let (whole, _) = kind.fields.writable().split(held.body.open(), RequestPurpose::Update);
        let body: Body = whole.0.into_iter().filter(|(_, value)| !value.is_null()).collect();
        if let Some(Change { action: Action::Update { body: written, .. }, .. }) = changes.iter_mut().find(|change| change.key == held.key)
        {
            for (name, value) in body.0 {
                written.0.entry(name).or_insert(value);
            }
            return;
        }
        if body.is_empty() {
            return;
        }
        let wanted = self.desired.snapshot.resources.iter().zip(&partners.of_desired);
        let source = wanted.clone().find(|(one, at)| one.key == held.key && at.is_some()).map(|(one, _)| &one.id);
        self.plan.notes.push(format!("{} is written again as it is, since a change of {} may reset it", held.key, by.singular));
        if let Some(unchanged) = self.plan.unchanged.get_mut(kind.name).filter(|_| source.is_some()) {
            *unchanged = unchanged.saturating_sub(1);
        }
        let action = Action::Update { id: Some(held.id.clone()), body, edits: Vec::new() };
        let source_id = source.unwrap_or(&held.id).clone();
        changes.push(Change { key: held.key.clone(), source_id, action, needs: Vec::new(), secrets: Vec::new() });
    }
}
