//! Which resources moved since they were planned. Each is refused; what did not move is applied as reviewed.

use std::collections::HashMap;

use serde_json::Value;

use crate::body::Body;
use crate::catalog::Catalog;
use crate::plan::diff::normal;
use crate::plan::{Action, Change, Plan};
use crate::resource::{Id, Resource};
use crate::snapshot::Snapshot;

/// The changes that must not be made any more, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    reasons: HashMap<usize, String>,
}

impl Moved {
    /// Compares a plan with what the target holds now.
    pub fn since(catalog: &Catalog, plan: &Plan, live: &Snapshot) -> Self {
        let by_id: HashMap<(&str, &Id), &Resource> =
            live.resources.iter().map(|resource| ((resource.key.kind(), &resource.id), resource)).collect();
        let reason = |change: &Change| reason(catalog, change, live, &by_id);
        let reasons = plan.changes().enumerate().filter_map(|(at, change)| reason(change).map(|because| (at, because)));
        Self { reasons: reasons.collect() }
    }

    /// Returns why a change must not be made any more.
    pub fn reason(&self, change: usize) -> Option<&str> {
        self.reasons.get(&change).map(String::as_str)
    }

    /// Returns how many changes must not be made.
    pub fn len(&self) -> usize {
        self.reasons.len()
    }

    /// Returns whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

fn reason(catalog: &Catalog, change: &Change, live: &Snapshot, by_id: &HashMap<(&str, &Id), &Resource>) -> Option<String> {
    let kind = catalog.kind(change.key.kind())?;
    match &change.action {
        Action::Create { twins, .. } => {
            let of_that_key = live.of_kind(kind.name).find(|resource| resource.key == change.key)?;
            (!twins.contains(&of_that_key.id)).then(|| "the target has one by now; plan again".to_owned())
        }
        Action::Update { id: Some(id), edits, .. } => {
            let Some(held) = by_id.get(&(kind.name, id)) else { return Some("it is gone from the target; plan again".to_owned()) };
            let held = normal(kind, &held.body.open());
            let is_elsewhere = |path: &str, old: Option<&Value>, new: Option<&Value>| {
                let now = value_at(&held, path);
                now != old && now != new
            };
            let moved = edits.iter().find(|edit| is_elsewhere(&edit.path, edit.old.as_ref(), edit.new.as_ref()))?;
            Some(format!("its {} changed in the target since the plan; plan again", moved.path))
        }
        Action::Remove { id, body } => {
            let held = by_id.get(&(kind.name, id))?;
            let is_as_planned = normal(kind, &held.body.open()) == normal(kind, body);
            (!is_as_planned).then(|| "it changed in the target since the plan; plan again".to_owned())
        }
        Action::Update { id: None, .. } | Action::Elements { .. } => None,
    }
}

fn value_at<'body>(body: &'body Body, path: &str) -> Option<&'body Value> {
    body.get(path)
}
