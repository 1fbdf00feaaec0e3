//! Records the previous state of a target that an undo needs and the changes do not contain.
//!
//! When a resource is deleted, the tenant also deletes what belongs to it (`DELETE /clients/{id}`: "Delete a client and
//! related configuration") and removes its id from lists. No change records that, nor the order of a set, nor the kind
//! of blank that a field had.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::model::{Action, Plan};
use crate::catalog::Shape;
use crate::json::{Body, is_blank};
use crate::model::resource::{Key, Resource};
use crate::snapshot::{belongs_to, id_substitution};

impl Plan {
    /// Records the target's state, under the keys of the plan, wherever the changes alone do not suffice to restore it.
    pub fn record_before<'held>(&mut self, held: impl Iterator<Item = &'held Resource> + Clone) {
        let removed = self.changes().filter(|change| matches!(change.action, Action::Delete { .. })).map(|change| change.key.clone());
        let removed: HashSet<Key> = removed.collect();
        let going = deleted_with(held.clone(), &removed);
        let updated: Vec<Resource> = held.clone().filter(|one| !going.contains(&one.key)).filter_map(|one| self.exact(one)).collect();
        let names_any = |one: &&Resource| going.contains(&one.key) || id_substitution::mentions(&one.body, &going);
        self.before = if removed.is_empty() { Vec::new() } else { held.filter(names_any).cloned().collect() };
        let known: HashSet<Key> = self.before.iter().map(|one| one.key.clone()).collect();
        self.before.extend(updated.into_iter().filter(|one| !known.contains(&one.key)));
    }

    /// Returns what the target deletes along with each deleted resource, without what the plan deletes itself and without empty lists. What
    /// belongs to two deleted resources is returned for one of them.
    pub fn deleted_along(&self) -> HashMap<&Key, Vec<&Resource>> {
        let deletes = self.changes().filter(|change| matches!(change.action, Action::Delete { .. }));
        let mut taken_by: HashMap<&Key, &Key> = deletes.map(|change| (&change.key, &change.key)).collect();
        if taken_by.is_empty() {
            return HashMap::new();
        }
        let planned: HashSet<&Key> = self.changes().map(|change| &change.key).collect();
        let mut rest: Vec<(&Resource, Vec<Key>)> = self.before.iter().map(|one| (one, belongs_to(one))).collect();
        let mut along: HashMap<&Key, Vec<&Resource>> = HashMap::new();
        loop {
            let (found, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(_, owners)| owners.iter().any(|owner| taken_by.contains_key(owner)));
            for (one, owners) in &found {
                let Some(taker) = owners.iter().find_map(|owner| taken_by.get(owner).copied()) else { continue };
                taken_by.entry(&one.key).or_insert(taker);
                if !planned.contains(&one.key) && !is_empty_list(one) {
                    along.entry(taker).or_default().push(one);
                }
            }
            if found.is_empty() {
                return along;
            }
            rest = others;
        }
    }

    /// Returns the updated fields of a resource that the edits do not record completely.
    fn exact(&self, held: &Resource) -> Option<Resource> {
        let of_this = |id: &Option<_>, key: &Key| id.is_some() && *key == held.key;
        let edits = self.changes().filter_map(|change| match &change.action {
            Action::Update { id, edits, .. } if of_this(id, &change.key) => Some(edits),
            _ => None,
        });
        let mut edits = edits.flatten().peekable();
        edits.peek()?;
        let body = held.body.open();
        let mut exact = Body::new();
        for edit in edits.filter(|edit| body.get(&edit.path) != edit.old.as_ref()) {
            let top = edit.path.split('.').next().unwrap_or(&edit.path);
            exact.0.extend(body.0.get(top).map(|value| (top.to_owned(), value.clone())));
        }
        (!exact.is_empty()).then(|| Resource::new(held.key.clone(), held.id.clone(), exact))
    }
}

fn is_empty_list(one: &Resource) -> bool {
    let kind = one.key.kind();
    let holds_some = |list: &str| one.body.pick(&[list]).0.values().any(|elements| !is_blank(elements));
    matches!(kind.shape, Shape::Child { .. }) && !holds_some(kind.elements())
}

/// Returns what a tenant deletes together with these resources: their children, and resources identified by them.
pub(super) fn deleted_with<'held>(held: impl Iterator<Item = &'held Resource>, removed: &HashSet<Key>) -> HashSet<Key> {
    let held: Vec<&Resource> = if removed.is_empty() { Vec::new() } else { held.collect() };
    let mut going = removed.clone();
    loop {
        let belongs = |one: &&&Resource| !going.contains(&one.key) && belongs_to(one).iter().any(|key| going.contains(key));
        let more: Vec<Key> = held.iter().filter(belongs).map(|one| one.key.clone()).collect();
        if more.is_empty() {
            return going;
        }
        going.extend(more);
    }
}

/// Returns a list without the elements, or an object without the fields, that refer to one of these.
pub(crate) fn without_references(value: &Value, is_meant: &dyn Fn(&Key) -> bool) -> Value {
    let is_name = |value: &Value| id_substitution::as_reference(value).is_some_and(|key| is_meant(&key));
    let names_one = |value: &Value| match value {
        Value::Object(fields) => fields.values().any(is_name),
        value => is_name(value),
    };
    match value {
        Value::Array(list) => {
            list.iter().filter(|element| !names_one(element)).map(|element| without_references(element, is_meant)).collect()
        }
        Value::Object(fields) => {
            let stays = fields.iter().filter(|(_, value)| !is_name(value));
            Value::Object(stays.map(|(name, value)| (name.clone(), without_references(value, is_meant))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::{Id, key};
    use crate::plan::model::{Change, PlannedTenant, Stage};
    use serde_json::json;

    fn held(of: &str, body: Value) -> Resource {
        Resource::new(key(of), Id::new(of), Body::from_value(body).expect("an object"))
    }

    fn delete(of: &str) -> Change {
        let action = Action::Delete { id: Id::new(of), body: Body::new() };
        Change { key: key(of), source_id: Id::new(of), action, needs: Vec::new(), secrets: Vec::new() }
    }

    #[test]
    fn what_belongs_to_a_deleted_resource_is_deleted_along_with_it_unless_the_plan_deletes_it_or_it_is_empty() {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.eu.auth0.com"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let changes = ["clients/Web", "roles/Clerk", "roles/Guest", "client-grants/Web · urn:b · client"].map(delete);
        plan.stages = vec![Stage { title: String::new(), changes: changes.into() }];
        let grant = |audience: &str| {
            held(&format!("client-grants/Web · {audience} · client"), json!({"client_id": "⟦clients/Web⟧", "audience": audience}))
        };
        let permission = json!({"resource_server_identifier": "urn:a", "permission_name": "read"});
        plan.before = vec![
            held("clients/Web", json!({"name": "Web"})),
            grant("urn:a"),
            grant("urn:b"),
            held("role-permissions/Clerk", json!({"permissions": [permission]})),
            held("role-permissions/Guest", json!({"permissions": []})),
            held("clients/Other", json!({"name": "Other"})),
        ];
        let along = plan.deleted_along();
        let names = |of: &str| along.get(&key(of)).into_iter().flatten().map(|one| one.key.to_string()).collect::<Vec<_>>();
        assert_eq!(names("clients/Web"), ["client-grants/Web · urn:a · client"]);
        assert_eq!(names("roles/Clerk"), ["role-permissions/Clerk"]);
        assert_eq!(along.len(), 2);
    }
}
