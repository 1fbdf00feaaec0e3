//! The ids in the target of what a run created or linked: what application teams need after a first import.

use std::collections::BTreeMap;

use super::summary::Summary;
use crate::model::event::Operation;
use crate::model::resource::{Id, Key};
use crate::plan::Plan;

/// A resource of the target, and its id there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedId {
    /// The resource.
    pub key: Key,
    /// Its id in the target.
    pub id: Id,
}

/// Returns the ids of everything that a run created, changed or found equal for the first time, by key. Resources that have the same name in
/// every tenant have no id of their own and are left out.
#[must_use]
pub fn linked_ids(plan: &Plan, summary: &Summary) -> Vec<LinkedId> {
    let equal = plan.equal.iter().map(|(key, (_, id))| (key, id));
    let held = summary.settled.iter().filter(|one| one.operation != Operation::Delete);
    let changed = held.filter_map(|one| Some((&one.key, one.outcome.id()?)));
    let linked: BTreeMap<&Key, &Id> = equal.chain(changed).filter(|(key, _)| key.kind().has_own_ids()).collect();
    linked.into_iter().map(|(key, id)| LinkedId { key: key.clone(), id: id.clone() }).collect()
}
