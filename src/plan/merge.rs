//! The three-way merge of baseline, desired and live: who changed a field since the baseline decides its value.
//!
//! ```text
//!              source unchanged      source changed    source removed it
//! live same    nothing               the source's      removed
//! live changed drift: the target's   conflict          conflict
//! ```
//!
//! Sets are merged element by element: the source's additions and removals are applied, and the target's are kept.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::diff::is_same_value;
use super::model::{Conflict, Drift};
use super::normal_form::normalized;
use crate::catalog::Kind;
use crate::json::{Body, is_blank, join};
use crate::model::resource::{Id, Key};
use crate::snapshot::id_substitution;
use crate::state::baseline::AppliedResource;

/// How to treat fields that changed in the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// The target's value is kept and reported.
    #[default]
    Keep,
    /// The source's value overwrites it.
    Overwrite,
    /// The plan is refused.
    Fail,
}

/// The result of a merge.
#[derive(Debug, Default)]
pub(super) struct MergeResult {
    /// The body that the target should have.
    pub(super) body: Body,
    /// Fields that drifted: path, baseline, live.
    pub(super) drift: Vec<(String, Option<Value>, Option<Value>)>,
    /// Fields that both sides changed differently.
    pub(super) conflicts: Vec<FieldConflict>,
    /// Fields that the source removed since the baseline.
    pub(super) dropped: Vec<String>,
}

/// A field that both sides changed differently, with its three values.
#[derive(Debug)]
pub(super) struct FieldConflict {
    /// The field, and the element if only that is in conflict.
    pub(super) path: String,
    base: Option<Value>,
    desired: Option<Value>,
    live: Option<Value>,
}

/// Merges desired into live using the baseline.
pub(super) fn merge(kind: &Kind, base: &AppliedResource, desired: &Body, live: &Body, on_drift: OnDrift) -> MergeResult {
    let mut merged = MergeResult { body: desired.clone(), ..MergeResult::default() };
    let own = base.own.as_ref().map(|own| normalized(kind, &own.open()));
    let sides = MergeInputs { kind, is_overwritten: on_drift == OnDrift::Overwrite, own: own.as_ref() };
    let (mut before, wanted, held) = (normalized(kind, &base.body.open()), normalized(kind, desired), normalized(kind, live));
    for path in &base.refused {
        before.take_over(path, &held);
    }
    sides.objects("", &before.0, &wanted.0, &held.0, &mut merged);
    merged
}

/// The inputs that stay the same while the bodies are walked.
struct MergeInputs<'sides> {
    kind: &'sides Kind,
    is_overwritten: bool,
    own: Option<&'sides Body>,
}

impl MergeInputs<'_> {
    fn objects(
        &self,
        above: &str,
        before: &Map<String, Value>,
        wanted: &Map<String, Value>,
        held: &Map<String, Value>,
        merged: &mut MergeResult,
    ) {
        let mut names: Vec<&String> = before.keys().chain(wanted.keys()).chain(held.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let path = join(above, name);
            let (before, wanted, held) = (before.get(name), wanted.get(name), held.get(name));
            let none = Map::new();
            let objects = [before, wanted, held].map(|value| value.map_or(Some(&none), Value::as_object));
            // The presence of an empty object may itself be a setting.
            let is_object = [before, wanted, held].iter().any(|value| value.and_then(Value::as_object).is_some_and(|it| !it.is_empty()));
            if let ([Some(before), Some(wanted), Some(held)], true) = (objects, is_object) {
                self.objects(&path, before, wanted, held, merged);
            } else {
                self.field(path, before, wanted, held, merged);
            }
        }
    }

    fn field(&self, path: String, before: Option<&Value>, wanted: Option<&Value>, held: Option<&Value>, merged: &mut MergeResult) {
        if is_same_value(wanted, held) {
            return;
        }
        // A list that only the target ever had contains no elements that a run wrote.
        let is_merged = self.kind.lists.unordered.contains(&path.as_str()) && !self.is_overwritten && before.or(wanted).is_some();
        if let Some(list) = is_merged.then(|| merged_set(self.kind, &path, before, wanted, held, merged)).flatten() {
            if wanted.is_none() && is_blank(&list) {
                merged.dropped.push(path.clone());
            }
            merged.body.set(&path, list);
            return;
        }
        let (is_as_before, is_moved) = (is_same_value(wanted, before), !is_same_value(held, before));
        match (is_as_before, is_moved) {
            // Only the target has it, so it is the target's own, and drift only if the baseline shows a change.
            (true, true) if before.is_none() => {
                let seen = self.own.map(|own| own.get(&path));
                if let Some(seen) = seen.filter(|seen| !is_same_value(*seen, held)) {
                    merged.drift.push((path.clone(), seen.cloned(), held.cloned()));
                }
                merged.body.put(&path, held.cloned());
            }
            (true, true) => {
                merged.drift.push((path.clone(), before.cloned(), held.cloned()));
                if !self.is_overwritten {
                    merged.body.put(&path, held.cloned());
                }
            }
            (false, true) if !self.is_overwritten => {
                let (base, desired, live) = (before.cloned(), wanted.cloned(), held.cloned());
                merged.conflicts.push(FieldConflict { path, base, desired, live });
            }
            (false, _) => {
                if wanted.is_none() {
                    merged.dropped.push(path);
                }
            }
            (true, false) => {}
        }
    }
}

/// Merges a list whose order is irrelevant; `None` if a side has no list.
fn merged_set(
    kind: &Kind,
    path: &str,
    before: Option<&Value>,
    wanted: Option<&Value>,
    held: Option<&Value>,
    merged: &mut MergeResult,
) -> Option<Value> {
    let list = |value: Option<&Value>| value.map_or(Some(Vec::new()), |value| value.as_array().cloned());
    let (before, wanted, held) = (list(before)?, list(wanted)?, list(held)?);
    let is_drift =
        |element: &&Value| before.contains(element) != held.contains(element) && wanted.contains(element) == before.contains(element);
    let moved: Vec<&Value> = before.iter().chain(held.iter().filter(|element| !before.contains(element))).filter(is_drift).collect();
    if !moved.is_empty() {
        merged.drift.push((path.to_owned(), Some(Value::Array(before.clone())), Some(Value::Array(held.clone()))));
    }
    let stays = |element: &&Value| match (before.contains(element), wanted.contains(element), held.contains(element)) {
        // Both had it, and one side removed it.
        (true, is_wanted, is_held) => is_wanted && is_held,
        // One side added it.
        (false, is_wanted, is_held) => is_wanted || is_held,
    };
    let all = wanted.iter().chain(held.iter().filter(|element| !wanted.contains(element)));
    let list: Vec<Value> = all.filter(stays).cloned().collect();
    if let Some((field, name)) = kind.element_key_of(path).and_then(|field| Some((field, duplicate(&list, field)?))) {
        let of_that_name = |list: &[Value]| list.iter().find(|element| element[field] == *name).cloned();
        let shown = id_substitution::as_reference(name).map_or_else(|| name.as_str().unwrap_or_default().to_owned(), |key| key.to_string());
        let (base, desired, live) = (of_that_name(&before), of_that_name(&wanted), of_that_name(&held));
        merged.conflicts.push(FieldConflict { path: format!("{path} ({shown})"), base, desired, live });
    }
    Some(Value::Array(list))
}

/// Returns an element whose key field equals that of another one.
fn duplicate<'list>(list: &'list [Value], field: &str) -> Option<&'list Value> {
    let mut seen = HashSet::new();
    list.iter().map(|element| &element[field]).find(|name| !seen.insert(name.as_str()) && name.is_string())
}

impl MergeResult {
    /// Removes the drift from the result and returns it for this resource.
    pub(super) fn take_drift(&mut self, key: &Key) -> Vec<Drift> {
        let drift = std::mem::take(&mut self.drift);
        drift.into_iter().map(|(path, base, live)| Drift { key: key.clone(), path, base, live, changed_by: None }).collect()
    }

    /// Returns the conflicts for a resource with this id in the source.
    pub(super) fn into_conflicts(self, key: &Key, source_id: &Id) -> impl Iterator<Item = Conflict> {
        self.conflicts.into_iter().map(|FieldConflict { path, base, desired, live }| Conflict {
            key: key.clone(),
            source_id: source_id.clone(),
            path,
            base,
            desired,
            live,
            changed_by: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::json::PackedBody;
    use serde_json::json;

    fn merged_on(on_drift: OnDrift, base: Value, desired: Value, live: Value) -> MergeResult {
        let body = |value| Body::from_value(value).expect("an object");
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let base = AppliedResource::whole(Id::new("c"), body(base).into());
        merge(kind, &base, &body(desired), &body(live), on_drift)
    }

    fn merged(base: Value, desired: Value, live: Value) -> MergeResult {
        merged_on(OnDrift::Keep, base, desired, live)
    }

    #[test]
    fn a_field_that_only_the_source_changed_is_applied() {
        let merged = merged(json!({"description": "a"}), json!({"description": "b"}), json!({"description": "a"}));
        assert_eq!((merged.body.into_value(), merged.drift.len(), merged.conflicts.len()), (json!({"description": "b"}), 0, 0));
    }

    #[test]
    fn a_set_emptied_by_the_source_is_cleared_unless_the_target_has_more() {
        let all = merged(json!({"grant_types": ["a", "b"]}), json!({"grant_types": []}), json!({"grant_types": ["b", "a"]}));
        assert_eq!((all.body.into_value(), all.dropped), (json!({"grant_types": []}), vec!["grant_types".to_owned()]));
        let but_one = merged(json!({"grant_types": ["a"]}), json!({}), json!({"grant_types": ["a", "c"]}));
        assert_eq!((but_one.body.into_value(), but_one.dropped), (json!({"grant_types": ["c"]}), Vec::new()));
    }

    #[test]
    fn a_field_that_only_the_target_changed_is_drift_and_kept_unless_overwritten() {
        let sides = || (json!({"description": "a"}), json!({"description": "a"}), json!({"description": "hot fix"}));
        let (base, desired, live) = sides();
        let kept = merged(base, desired, live);
        assert_eq!(kept.drift, [("description".to_owned(), Some(json!("a")), Some(json!("hot fix")))]);
        assert_eq!(kept.body.into_value(), json!({"description": "hot fix"}));
        let (base, desired, live) = sides();
        let over = merged_on(OnDrift::Overwrite, base, desired, live);
        assert_eq!((over.body.into_value(), over.drift.len()), (json!({"description": "a"}), 1));
    }

    #[test]
    fn a_field_changed_in_both_is_a_conflict_unless_the_values_are_equal() {
        let both = merged(json!({"description": "a"}), json!({"description": "b"}), json!({"description": "c"}));
        let clash = &both.conflicts[0];
        assert_eq!((both.conflicts.len(), clash.path.as_str()), (1, "description"));
        assert_eq!((&clash.base, &clash.desired, &clash.live), (&Some(json!("a")), &Some(json!("b")), &Some(json!("c"))));
        let alike = merged(json!({"description": "a"}), json!({"description": "b"}), json!({"description": "b"}));
        assert!(alike.conflicts.is_empty() && alike.drift.is_empty());
    }

    #[test]
    fn a_field_removed_by_the_source_is_removed_and_one_only_in_the_target_is_kept() {
        let base = json!({"description": "a", "client_metadata": {"x": "1"}});
        let merged = merged(base, json!({"client_metadata": {}}), json!({"description": "a", "client_metadata": {"x": "1", "own": "2"}}));
        assert_eq!(merged.dropped, ["client_metadata.x", "description"]);
        assert_eq!(merged.body.into_value(), json!({"client_metadata": {"own": "2"}}));
        assert!(merged.drift.is_empty());
    }

    #[test]
    fn a_set_merges_the_changes_of_both_sides_element_by_element() {
        let merged = merged(
            json!({"web_origins": ["both", "source took", "target took"]}),
            json!({"web_origins": ["both", "target took", "source added"]}),
            json!({"web_origins": ["both", "source took", "target added"]}),
        );
        let mut list: Vec<String> = serde_json::from_value(merged.body.get("web_origins").expect("a list").clone()).expect("texts");
        list.sort();
        assert_eq!(list, ["both", "source added", "target added"]);
        assert_eq!((merged.drift.len(), merged.conflicts.len()), (1, 0));
    }

    #[test]
    fn an_element_changed_in_both_is_a_conflict() {
        let scopes = |text: &str| json!({"scopes": [{"value": "read", "description": text}]});
        let kind = Catalog::standard().kind("resource-servers").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let base = AppliedResource::whole(Id::new("a"), body(scopes("a")).into());
        let both = merge(kind, &base, &body(scopes("b")), &body(scopes("c")), OnDrift::Keep);
        let clash = &both.conflicts[0];
        assert_eq!((both.conflicts.len(), clash.path.as_str()), (1, "scopes (read)"));
        let element = |text: &str| Some(json!({"value": "read", "description": text}));
        assert_eq!((&clash.base, &clash.desired, &clash.live), (&element("a"), &element("b"), &element("c")));
        let one = merge(kind, &base, &body(scopes("b")), &body(scopes("a")), OnDrift::Keep);
        assert_eq!((one.conflicts.len(), one.body.into_value()), (0, scopes("b")));
    }

    #[test]
    fn an_organizations_client_changed_in_both_is_a_conflict() {
        let clients = |access: &str| json!({"clients": [{"client_id": "⟦clients/Web⟧", "use_for_member_access": access}]});
        let kind = Catalog::standard().kind("organization-clients").expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        let base = AppliedResource::whole(Id::new("org"), body(clients("a")).into());
        let both = merge(kind, &base, &body(clients("b")), &body(clients("c")), OnDrift::Keep);
        assert_eq!(both.conflicts.iter().map(|clash| clash.path.as_str()).collect::<Vec<_>>(), ["clients (clients/Web)"]);
        let one = merge(kind, &base, &body(clients("a")), &body(clients("c")), OnDrift::Keep);
        assert_eq!((one.conflicts.len(), one.body.into_value()), (0, clients("c")));
    }

    #[test]
    fn a_list_filled_in_by_the_server_is_kept_without_drift() {
        let merged = merged(json!({}), json!({}), json!({"grant_types": ["authorization_code"]}));
        assert_eq!((merged.body.into_value(), merged.drift.len()), (json!({"grant_types": ["authorization_code"]}), 0));
    }

    #[test]
    fn a_field_refused_at_creation_is_desired_again_whatever_the_target_set() {
        let body = |value| Body::from_value(value).expect("an object");
        let kind = Catalog::standard().kind("actions").expect("a kind");
        let (desired, live) = (body(json!({"name": "A", "runtime": "node12"})), body(json!({"name": "A", "runtime": "node22"})));
        let base = AppliedResource::whole(Id::new("a"), body(json!({"name": "A"})).into());
        assert_eq!(merge(kind, &base, &desired, &live, OnDrift::Keep).conflicts.len(), 1);
        let refused = AppliedResource { refused: vec!["runtime".into()], ..base };
        let merged = merge(kind, &refused, &desired, &live, OnDrift::Keep);
        assert_eq!((merged.conflicts.len(), merged.drift.len(), merged.body), (0, 0, desired));
    }

    #[test]
    fn the_targets_own_value_is_drift_only_after_a_known_change() {
        let body = |value| Body::from_value(value).expect("an object");
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let mut base = AppliedResource::whole(Id::new("c"), body(json!({"name": "A"})).into());
        let drift = |base: &AppliedResource| {
            merge(kind, base, &body(json!({"name": "A"})), &body(json!({"name": "A", "description": "x"})), OnDrift::Keep).drift.len()
        };
        assert_eq!(drift(&base), 0);
        base.own = Some(body(json!({"description": "x"})).into());
        assert_eq!(drift(&base), 0);
        base.own = Some(PackedBody::default());
        assert_eq!(drift(&base), 1);
    }
}
