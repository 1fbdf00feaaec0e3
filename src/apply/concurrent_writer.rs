//! Concurrent writers: resources that somebody else created in the target since the plan was made.
//!
//! No lock reaches from one machine to another, and Auth0 has none. So before the first create of a kind in each stage, the kind is
//! listed again in the target, if it allows duplicates; for other kinds the API itself refuses the second create (409). What is created
//! between that list and the create is missed.
//!
//! That refusal is the only way in which two runs that start together can agree which of them continues: a create that only one of
//! them can make is a test-and-set, whereas with lists and creates that both can make, either both stop or both continue (consensus
//! needs more than reads and writes; Herlihy, Wait-free Synchronization,
//! 1991). So a run sends its first such create alone; if it is told that the resource exists, and did not know of it, it stops.

use std::collections::HashMap;

use serde_json::Value;

use super::lookup::{KnownIds, is_excluded_unlike, key_of};
use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::management_api::{self, ReadOutcome, Tenant};
use crate::model::resource::Id;

/// Why nothing more is sent after a concurrent writer was detected.
pub(super) const STOPPED: &str = "another writer is changing the target; plan again";

/// Why a create is not sent if another writer made it.
pub(super) fn reason(id: &Id) -> String {
    format!("the target now has one ({id}) that this run did not create; plan again")
}

/// A create that is about to be sent.
pub(super) struct PendingCreate<'plan> {
    /// Its index in the plan.
    pub(super) at: usize,
    /// What is sent.
    pub(super) body: Body,
    /// Known resources of the same key.
    pub(super) twins: &'plan [Id],
}

/// Returns whether the target may end up with two of a kind, so that it is listed again before a create.
pub(super) fn allows_duplicates(kind: &Kind) -> bool {
    kind.identity.allows_duplicates && kind.shape == Shape::Collection
}

/// Returns whether the API accepts only one resource of a key, so that of two writers one is refused.
pub(super) fn is_unique(kind: &Kind) -> bool {
    !kind.identity.allows_duplicates && kind.shape == Shape::Collection && kind.has_own_ids()
}

/// Returns the creates that somebody else made, each with the id of the resource: neither a twin nor `known`.
///
/// # Errors
///
/// When the target cannot be read.
pub(super) async fn created_since_plan(
    tenant: &Tenant,
    kind: &'static Kind,
    awaited: &[PendingCreate<'_>],
    known: KnownIds<'_>,
) -> Result<Vec<(usize, Id)>, management_api::Error> {
    let mut by_key: HashMap<Vec<Option<Value>>, Vec<usize>> = HashMap::new();
    for (place, one) in awaited.iter().enumerate() {
        by_key.entry(key_of(kind, &one.body)).or_default().push(place);
    }
    let met = |shown: ReadOutcome| {
        let answer = shown.into_known()?;
        let id = Id::new(kind.id_of(&answer)?);
        let places = by_key.get(&key_of_answer(kind, &answer))?;
        let is_new = |place: &&usize| !awaited[**place].twins.contains(&id) && !is_excluded_unlike(kind, &awaited[**place].body, &answer);
        let places: Vec<usize> = places.iter().filter(is_new).copied().collect();
        (!known.contains(&id) && !places.is_empty()).then_some((places, id))
    };
    let listed = tenant.list_or_error(kind, &met).await?;
    let of_each = |(places, id): (Vec<usize>, Id)| places.into_iter().map(move |place| (awaited[place].at, id.clone()));
    Ok(listed.into_iter().flatten().flat_map(of_each).collect())
}

/// Returns the key of a listed resource, in the terms of a create.
fn key_of_answer(kind: &Kind, answer: &Body) -> Vec<Option<Value>> {
    let mut answer = answer.clone();
    kind.apply_read_edits(&mut answer);
    key_of(kind, &answer)
}
