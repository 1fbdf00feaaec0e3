//! Which resource of the target a create made whose answer was lost: the one that holds what was sent, and none that is known to be another.
//!
//! Nothing is guessed. Where more than one may be it, or the only one of the name is not what was sent, that is what is said.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::altered::differing;
use super::requests::{Found, found};
use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::management_api::{self, ReadOutcome, Tenant};
use crate::model::resource::Id;

/// The ids that stand for other resources than one that is yet to be created, shared by all that ask for them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KnownIds<'run> {
    of_kind: Option<&'run HashSet<Id>>,
    twins: &'run [Id],
}

impl<'run> KnownIds<'run> {
    /// Returns those that are known of the kind, if any are.
    pub(super) fn new(of_kind: Option<&'run HashSet<Id>>) -> Self {
        Self { of_kind, twins: &[] }
    }

    /// Returns them with what the plan knew of the same key.
    pub(super) fn with_twins(self, twins: &'run [Id]) -> Self {
        Self { twins, ..self }
    }

    /// Returns whether an id is one of them.
    pub(super) fn contains(&self, id: &Id) -> bool {
        self.of_kind.is_some_and(|ids| ids.contains(id)) || self.twins.contains(id)
    }
}

/// What looking a create up came to.
#[derive(Debug)]
pub(super) enum LookedUp {
    /// The target has it.
    Found(Found),
    /// The target has nothing that it may be.
    Absent,
    /// The target has something that it may be, and nobody can say whether it is.
    Unclear(String),
}

/// What a person does where nobody can say which resource it is.
const LOOK: &str = "remove what should not be there, then run again";

/// Looks for the resource that a create of this body made, among those that are not known to be another.
///
/// # Errors
///
/// When the target cannot be read.
pub(super) async fn look_up(
    tenant: &Tenant,
    kind: &'static Kind,
    body: &Body,
    known: KnownIds<'_>,
) -> Result<LookedUp, management_api::Error> {
    let answers = match kind.shape {
        Shape::Collection => tenant.list_or_error(kind, &ReadOutcome::into_known).await?.into_iter().flatten().collect(),
        Shape::Nested { .. } => {
            let parent = kind.parent_field().and_then(|field| body.text(field)).unwrap_or_default();
            tenant.list_children(kind, &Id::new(parent)).await?
        }
        Shape::Singleton | Shape::Keyed { .. } | Shape::Part { .. } | Shape::Child { .. } => {
            let id = Id::new(kind.id_of(body).unwrap_or_default());
            tenant.read(kind, &id).await?.into_iter().collect()
        }
    };
    Ok(told_apart(kind, body, &answers, known))
}

/// Decides which of these answers is what a create of this body made.
fn told_apart(kind: &Kind, body: &Body, answers: &[Body], known: KnownIds<'_>) -> LookedUp {
    let is_by_name = !matches!(kind.shape, Shape::Collection | Shape::Nested { .. });
    let is_known = |id: &str| !is_by_name && known.contains(&Id::new(id));
    let candidates: Vec<(String, &Body)> = answers
        .iter()
        .filter(|answer| (is_by_name || has_key_of(kind, body, answer)) && !is_another_ones(kind, body, answer))
        .filter_map(|answer| Some((kind.id_of(answer)?, answer)))
        .filter(|(id, _)| !is_known(id))
        .collect();
    let is_what_was_sent = |(_, answer): &&(String, &Body)| differing_field(kind, body, answer).is_none();
    let equal: Vec<&(String, &Body)> = candidates.iter().filter(is_what_was_sent).collect();
    match (&equal[..], &candidates[..]) {
        ([(id, answer)], _) => LookedUp::Found(found(kind, id.clone(), body, answer)),
        ([], []) => LookedUp::Absent,
        ([], [(id, answer)]) => {
            let path = differing_field(kind, body, answer).unwrap_or_default();
            LookedUp::Unclear(format!("the target has {id} by now, which may be it, but its {path} is not what was sent; {LOOK}"))
        }
        (_, several) => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            LookedUp::Unclear(format!("the target has several by now that may be it: {}; {LOOK}", ids.join(", ")))
        }
    }
}

/// Returns whether an answer has the key of what was sent.
fn has_key_of(kind: &Kind, body: &Body, answer: &Body) -> bool {
    // A create may call a field otherwise than the list does, which is a quirk of the kind.
    let mut answer = answer.clone();
    kind.apply_read_edits(&mut answer);
    key_of(kind, &answer) == key_of(kind, body)
}

/// Returns what tells a resource from the others of its kind, a default where it says nothing.
pub(super) fn key_of(kind: &Kind, body: &Body) -> Vec<Option<Value>> {
    let value = |path: &&str| body.get(path).filter(|value| !value.is_null()).cloned().or_else(|| kind.default_of(path));
    kind.identity.key.iter().map(value).collect()
}

/// Returns whether an answer is left alone where what was sent would not be: somebody else, or the tenant itself, made it.
pub(super) fn is_another_ones(kind: &Kind, body: &Body, answer: &Body) -> bool {
    let reason = |body: &Body| kind.exclusion(body, &BTreeSet::new()).map(|alone| alone.reason);
    reason(answer).is_some_and(|alone| reason(body) != Some(alone))
}

/// Returns a field that was sent and that an answer does not show as it was sent; what the tenant shows in place of nothing is its own.
fn differing_field(kind: &Kind, body: &Body, answer: &Body) -> Option<String> {
    differing(kind, body, answer).into_iter().find(|altered| altered.sent.is_some()).map(|altered| altered.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    /// Returns what a create of this client comes to, where the target lists these; `t0` is known to be another.
    fn looked_up(answers: &Value) -> LookedUp {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let answers: Vec<Body> = answers.as_array().expect("a list").iter().cloned().map(body).collect();
        told_apart(kind, &body(json!({"name": "Web", "description": "sent"})), &answers, KnownIds::default().with_twins(&[Id::new("t0")]))
    }

    fn web(id: &str, description: &str) -> Value {
        json!({"client_id": id, "name": "Web", "description": description})
    }

    #[test]
    fn the_only_one_that_holds_what_was_sent_is_it() {
        let found = looked_up(&json!([web("t0", "sent"), web("t1", "other"), web("t2", "sent")]));
        assert!(matches!(&found, LookedUp::Found(found) if found.id == Id::new("t2")), "{found:?}");
    }

    #[test]
    fn what_is_known_and_what_a_third_party_registered_is_not_it() {
        let mut registered = web("t1", "sent");
        registered["is_first_party"] = json!(false);
        let found = looked_up(&json!([web("t0", "sent"), registered, {"client_id": "t2", "name": "Shop", "description": "sent"}]));
        assert!(matches!(found, LookedUp::Absent), "{found:?}");
    }

    #[test]
    fn two_that_may_be_it_and_one_that_differs_are_named_and_not_guessed() {
        let two = looked_up(&json!([web("t1", "sent"), web("t2", "sent")]));
        assert!(matches!(&two, LookedUp::Unclear(why) if why.contains("t1, t2")), "{two:?}");
        let other = looked_up(&json!([web("t1", "other")]));
        assert!(matches!(&other, LookedUp::Unclear(why) if why.contains("t1") && why.contains("description")), "{other:?}");
    }

    #[test]
    fn a_grant_of_an_organization_is_found_by_the_grant_and_is_none_that_the_run_made_before() {
        let kind = Catalog::standard().kind("organization-client-grants").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let sent = body(json!({"organization": "org_1", "grant_id": "cgr_1"}));
        // The list shows the grants themselves, by `id`.
        let listed = |grants: &[&str]| {
            grants.iter().map(|id| body(json!({"organization": "org_1", "id": id, "client_id": "c"}))).collect::<Vec<_>>()
        };
        let found =
            |grants: &[&str], known: &[Id]| told_apart(kind, &sent, &listed(grants), KnownIds::new(Some(&known.iter().cloned().collect())));
        let made = found(&["cgr_0", "cgr_1", "cgr_2"], &[Id::new("org_1/cgr_0")]);
        assert!(matches!(&made, LookedUp::Found(found) if found.id == Id::new("org_1/cgr_1")), "{made:?}");
        assert!(matches!(found(&["cgr_0", "cgr_2"], &[]), LookedUp::Absent));
        assert!(matches!(found(&["cgr_1"], &[Id::new("org_1/cgr_1")]), LookedUp::Absent), "an earlier change made that one");
    }
}
