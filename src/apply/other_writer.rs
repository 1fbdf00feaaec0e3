//! Another writer at the target: what a run is about to create, and somebody has made since the plan was.
//!
//! No lock reaches from one machine to another, and Auth0 has none. So before the first create of a kind in each stage, what the target has of
//! it is listed once more. It is done where two of a kind may have one key; of the other kinds the API itself refuses the second (409). What is
//! made between that list and the create is not seen.
//!
//! That refusal is the only thing by which two runs that begin together can agree which of them goes on: a create that the tenant takes from
//! one of them alone is a test and a set in one step, whereas lists and creates that it takes from both tell each no more than that there is
//! another, so that both give way or both go on (consensus of two needs more than reading and writing; Herlihy, Wait-free synchronization,
//! 1991). So a run sends its first such create alone: whoever is told that it is there by now, and did not know it, sends nothing more.

use std::collections::HashMap;

use serde_json::Value;

use super::look_up::{KnownIds, is_another_ones, key_of};
use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::management_api::{self, ReadOutcome, Tenant};
use crate::model::resource::Id;

/// Why nothing more is sent once another writer was noticed.
pub(super) const STOPPED: &str = "another writer is at the target; plan again";

/// Why a create is not sent that another writer has made.
pub(super) fn reason(id: &Id) -> String {
    format!("the target has one by now ({id}), which this run did not make; plan again")
}

/// A create that is about to be sent.
pub(super) struct Awaited<'plan> {
    /// Its place in the plan.
    pub(super) at: usize,
    /// What is sent.
    pub(super) body: Body,
    /// What the plan knew of the same key.
    pub(super) twins: &'plan [Id],
}

/// Returns whether the target may come to have two of a kind, so that it is to be looked at before one is created.
pub(super) fn may_be_twice(kind: &Kind) -> bool {
    kind.identity.allows_duplicates && kind.shape == Shape::Collection
}

/// Returns whether the API itself takes only one of a key, so that of two writers one is refused it.
pub(super) fn is_there_once(kind: &Kind) -> bool {
    !kind.identity.allows_duplicates && kind.shape == Shape::Collection && kind.has_own_ids()
}

/// Returns the creates that the target holds by now, each with the id of what it holds: one that is none of the twins and not `known`.
///
/// # Errors
///
/// When the target cannot be read.
pub(super) async fn made_meanwhile(
    tenant: &Tenant,
    kind: &'static Kind,
    awaited: &[Awaited<'_>],
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
        let is_new = |place: &&usize| !awaited[**place].twins.contains(&id) && !is_another_ones(kind, &awaited[**place].body, &answer);
        let places: Vec<usize> = places.iter().filter(is_new).copied().collect();
        (!known.contains(&id) && !places.is_empty()).then_some((places, id))
    };
    let listed = tenant.list_or_error(kind, &met).await?;
    let of_each = |(places, id): (Vec<usize>, Id)| places.into_iter().map(move |place| (awaited[place].at, id.clone()));
    Ok(listed.into_iter().flatten().flat_map(of_each).collect())
}

/// Returns the key of what the target lists, in the words of a create.
fn key_of_answer(kind: &Kind, answer: &Body) -> Vec<Option<Value>> {
    let mut answer = answer.clone();
    kind.apply_read_edits(&mut answer);
    key_of(kind, &answer)
}
