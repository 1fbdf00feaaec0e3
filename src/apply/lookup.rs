//! Finds the resource of a create whose response was lost: the only unknown resource with the values that were sent.
//!
//! It never guesses: if there are several candidates, or the only one of that name differs from what was sent, the
//! result is unclear.

use std::collections::{BTreeSet, HashSet};

use secrecy::SecretString;
use serde_json::Value;

use super::altered_values::differences;
use crate::catalog::{Kind, Shape};
use crate::json::Body;
use crate::management_api::{self, ReadOutcome, Tenant};
use crate::model::resource::Id;

/// Ids of known resources, which the pending create cannot have made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KnownIds<'run> {
    of_kind: Option<&'run HashSet<Id>>,
    twins: &'run [Id],
}

impl<'run> KnownIds<'run> {
    /// Returns the known ids of a kind.
    pub(super) fn new(of_kind: Option<&'run HashSet<Id>>) -> Self {
        Self { of_kind, twins: &[] }
    }

    /// Adds the ids of other resources with the same key.
    pub(super) fn with_twins(self, twins: &'run [Id]) -> Self {
        Self { twins, ..self }
    }

    /// Returns whether an id is known.
    pub(super) fn contains(&self, id: &Id) -> bool {
        self.of_kind.is_some_and(|ids| ids.contains(id)) || self.twins.contains(id)
    }
}

/// A resource of the target, with the secrets in its response.
#[derive(Debug)]
pub(super) struct FoundResource {
    pub(super) id: Id,
    pub(super) made: Vec<(&'static str, SecretString)>,
}

/// The result of looking up a create.
#[derive(Debug)]
pub(super) enum LookupResult {
    /// The target has it.
    Found(FoundResource),
    /// The target does not have it.
    Absent,
    /// The target has a resource that may be the one.
    Unclear(String),
}

/// What to do if the resource cannot be identified.
const LOOK: &str = "delete what should not exist, then run again";

/// Looks for the resource that a create with this body may have made, ignoring known ones.
///
/// # Errors
///
/// If the target cannot be read.
pub(super) async fn look_up(
    tenant: &Tenant,
    kind: &'static Kind,
    body: &Body,
    known: KnownIds<'_>,
) -> Result<LookupResult, management_api::Error> {
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
    Ok(identify(kind, body, &answers, known))
}

/// Identifies the created resource among these.
fn identify(kind: &'static Kind, body: &Body, answers: &[Body], known: KnownIds<'_>) -> LookupResult {
    let is_by_name = !matches!(kind.shape, Shape::Collection | Shape::Nested { .. });
    let is_known = |id: &str| !is_by_name && known.contains(&Id::new(id));
    let candidates: Vec<(String, &Body)> = answers
        .iter()
        .filter(|answer| (is_by_name || has_key_of(kind, body, answer)) && !is_excluded_unlike(kind, body, answer))
        .filter_map(|answer| Some((kind.id_of(answer)?, answer)))
        .filter(|(id, _)| !is_known(id))
        .collect();
    let is_what_was_sent = |(_, answer): &&(String, &Body)| differing_field(kind, body, answer).is_none();
    let equal: Vec<&(String, &Body)> = candidates.iter().filter(is_what_was_sent).collect();
    match (&equal[..], &candidates[..]) {
        ([(id, answer)], _) => LookupResult::Found(found(kind, id.clone(), body, answer)),
        ([], []) => LookupResult::Absent,
        ([], [(id, answer)]) => {
            let path = differing_field(kind, body, answer).unwrap_or_default();
            LookupResult::Unclear(format!(
                "the target now has {id}, which may be this resource, but its {path} differs from what was sent; {LOOK}"
            ))
        }
        (_, several) => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            LookupResult::Unclear(format!("the target now has several resources that may be this one: {}; {LOOK}", ids.join(", ")))
        }
    }
}

/// Returns the resource in a response, with the secrets that this create generates.
pub(super) fn found(kind: &Kind, id: String, body: &Body, answer: &Body) -> FoundResource {
    let shown = |path: &'static str| answer.text(path).filter(|text| !text.is_empty()).map(|text| (path, SecretString::from(text)));
    FoundResource { id: Id::new(id), made: kind.generated_secrets_for(body).filter_map(|made| shown(made.path)).collect() }
}

/// Returns whether a response has the key that was sent.
fn has_key_of(kind: &Kind, body: &Body, answer: &Body) -> bool {
    // The list may name a field differently from the create: a quirk of the kind.
    let mut answer = answer.clone();
    kind.apply_read_edits(&mut answer);
    key_of(kind, &answer) == key_of(kind, body)
}

/// Returns the key fields of a resource; blank ones have their defaults.
pub(super) fn key_of(kind: &Kind, body: &Body) -> Vec<Option<Value>> {
    let value = |path: &&str| body.get(path).filter(|value| !value.is_null()).cloned().or_else(|| kind.default_of(path));
    kind.identity.key.iter().map(value).collect()
}

/// Returns whether a response is excluded, as a third-party or system resource, although the sent body was not.
pub(super) fn is_excluded_unlike(kind: &Kind, body: &Body, answer: &Body) -> bool {
    let reason = |body: &Body| kind.exclusion(body, &BTreeSet::new()).map(|alone| alone.reason);
    reason(answer).is_some_and(|alone| reason(body) != Some(alone))
}

/// Returns a field whose value in a response differs from the sent one.
fn differing_field(kind: &'static Kind, body: &Body, answer: &Body) -> Option<String> {
    differences(kind, body, answer).into_iter().find(|altered| altered.sent.is_some()).map(|altered| altered.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    /// Returns the lookup result for a create of this client if the target lists these; `t0` is known to be a different
    /// one.
    fn looked_up(answers: &Value) -> LookupResult {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let answers: Vec<Body> = answers.as_array().expect("a list").iter().cloned().map(body).collect();
        identify(kind, &body(json!({"name": "Web", "description": "sent"})), &answers, KnownIds::default().with_twins(&[Id::new("t0")]))
    }

    fn web(id: &str, description: &str) -> Value {
        json!({"client_id": id, "name": "Web", "description": description})
    }

    #[test]
    fn the_only_resource_with_the_sent_values_is_found() {
        let found = looked_up(&json!([web("t0", "sent"), web("t1", "other"), web("t2", "sent")]));
        assert!(matches!(&found, LookupResult::Found(found) if found.id == Id::new("t2")), "{found:?}");
    }

    #[test]
    fn known_and_third_party_resources_are_not_found() {
        let mut registered = web("t1", "sent");
        registered["is_first_party"] = json!(false);
        let found = looked_up(&json!([web("t0", "sent"), registered, {"client_id": "t2", "name": "Shop", "description": "sent"}]));
        assert!(matches!(found, LookupResult::Absent), "{found:?}");
    }

    #[test]
    fn several_candidates_and_a_differing_one_are_reported_as_unclear() {
        let two = looked_up(&json!([web("t1", "sent"), web("t2", "sent")]));
        assert!(matches!(&two, LookupResult::Unclear(why) if why.contains("t1, t2")), "{two:?}");
        let other = looked_up(&json!([web("t1", "other")]));
        assert!(matches!(&other, LookupResult::Unclear(why) if why.contains("t1") && why.contains("description")), "{other:?}");
    }

    #[test]
    fn an_organization_grant_is_found_by_its_grant_id_unless_the_run_created_it_before() {
        let kind = Catalog::standard().kind("organization-client-grants").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let sent = body(json!({"organization": "org_1", "grant_id": "cgr_1"}));
        // The list contains the grants themselves, by `id`.
        let listed = |grants: &[&str]| {
            grants.iter().map(|id| body(json!({"organization": "org_1", "id": id, "client_id": "c"}))).collect::<Vec<_>>()
        };
        let found =
            |grants: &[&str], known: &[Id]| identify(kind, &sent, &listed(grants), KnownIds::new(Some(&known.iter().cloned().collect())));
        let made = found(&["cgr_0", "cgr_1", "cgr_2"], &[Id::new("org_1/cgr_0")]);
        assert!(matches!(&made, LookupResult::Found(found) if found.id == Id::new("org_1/cgr_1")), "{made:?}");
        assert!(matches!(found(&["cgr_0", "cgr_2"], &[]), LookupResult::Absent));
        assert!(matches!(found(&["cgr_1"], &[Id::new("org_1/cgr_1")]), LookupResult::Absent), "an earlier change made that one");
    }
}
