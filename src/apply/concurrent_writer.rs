//! Concurrent writers: detects resources that somebody else created in the target since the plan was made.
//!
//! A lock on one machine does not protect against another machine, and Auth0 has no locks. Therefore, before the first
//! create of a kind in each stage, the kind is listed again in the target if it allows duplicates; for other kinds the
//! API itself refuses the second create (409). A resource created between the list and the create is missed.
//!
//! That refusal is the only way in which two runs that start together can agree which of them continues. A create that
//! can succeed only once is a test-and-set; with lists and creates that both can make, either both stop or both
//! continue (consensus needs more than reads and writes; Herlihy, Wait-free Synchronization, 1991). So a run sends its
//! first such create alone and stops if it is told that a resource exists that it did not know of.

use std::collections::HashMap;

use serde_json::Value;

use super::lookup::{KnownIds, is_excluded_unlike, key_of};
use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::management_api::{self, ReadOutcome, Tenant};
use crate::model::resource::Id;

/// Why nothing more is sent after a concurrent writer was detected.
pub(super) const STOPPED: &str = "another writer is changing the target; plan again";

/// Returns why a create is not sent if another writer has already created the resource.
pub(super) fn reason(id: &Id) -> String {
    format!("the target now has this resource ({id}), which this run did not create; plan again")
}

/// A create that is about to be sent.
pub(super) struct PendingCreate<'plan> {
    /// Its index in the plan.
    pub(super) at: usize,
    /// The body to send.
    pub(super) body: Body,
    /// Known resources with the same key.
    pub(super) twins: &'plan [Id],
}

/// Returns whether the target may end up with duplicates, so that the kind is listed again before a create.
pub(super) fn allows_duplicates(kind: &Kind) -> bool {
    kind.identity.allows_duplicates && kind.shape == Shape::Collection
}

/// Returns whether the API accepts only one resource per key, so that it refuses the second of two writers.
pub(super) fn is_unique(kind: &Kind) -> bool {
    !kind.identity.allows_duplicates && kind.shape == Shape::Collection && kind.has_own_ids()
}

/// Returns the pending creates that somebody else already made, each with the id of a resource that is neither a twin
/// nor `known`.
///
/// # Errors
///
/// If the target cannot be read.
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

/// Returns the key of a listed resource in the form that a create sends.
fn key_of_answer(kind: &Kind, answer: &Body) -> Vec<Option<Value>> {
    let mut answer = answer.clone();
    kind.apply_read_edits(&mut answer);
    key_of(kind, &answer)
}
