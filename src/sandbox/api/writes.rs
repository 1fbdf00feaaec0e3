//! Creates, updates and follow-ups: what they store, and what they answer.

use hyper::Method;
use serde_json::{Value, json};

use super::representation::hidden;
use super::validate::{check, sent_object};
use crate::catalog::{Kind, Named, Purpose, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::api_history;
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::behaviour::server_behaviour::{Habit, Scene, now};
use crate::sandbox::http::request::Call;
use crate::sandbox::http::response::Answer;
use crate::sandbox::store::api_form::{bare, name_of};
use crate::sandbox::store::state::State;

impl State {
    pub(super) fn create(&mut self, kind: &'static Kind, parent: Option<&str>, call: &Call) -> Result<Answer, Answer> {
        let habit = behaviour_of(kind.name);
        let mut sent = sent_object(kind, call)?;
        let listed = self.take_listed(kind, &mut sent)?;
        check(kind, habit, &sent, self.left_to_check(call, Purpose::Create))?;
        self.check_entitled(kind, &sent)?;
        sent.0.retain(|_, value| !value.is_null());
        if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
            sent.set(field, parent.into());
        }
        self.check_name(kind, &sent, None)?;
        self.check_identity(kind, &sent)?;
        let mut body = self.completed(kind, habit, &sent);
        let id = if kind.shape == Shape::Singleton { String::new() } else { kind.id_of(&body).unwrap_or_default() };
        if matches!(kind.shape, Shape::Keyed { names: Named::These(names) } if !names.contains(&id.as_str())) {
            return Err(Answer::invalid_body(&format!("'No enum match for: {id}' on property {}", kind.id)));
        }
        self.absent.remove(&kind.read_path_of(&id));
        self.put(kind, &id, body.clone());
        self.keep_listed(&id, habit.listed.iter().map(|(_, child)| (*child, Vec::new())));
        self.keep_listed(&id, listed);
        (habit.create_answer)(&sent, &mut body, &mut self.scene(kind));
        Ok(Answer::new(habit.statuses.0, hidden(kind, bare(kind, &self.told(kind, &body, true)))))
    }

    /// Returns what a create stores: what was sent, an id, and what the server fills in on the tenant's day.
    fn completed(&mut self, kind: &'static Kind, habit: &Habit, sent: &Body) -> Body {
        let mut body = with_defaults(kind, habit.unshown, sent.clone());
        for (name, value) in self.defaults.get(kind.name).into_iter().flat_map(|defaults| &defaults.0) {
            body.0.entry(name).or_insert_with(|| value.clone());
        }
        if kind.fields().get(kind.id).is_none() && kind.places().iter().any(|place| place == "id" || place == kind.id) {
            let id = self.free_id(kind);
            body.set(kind.id, id.into());
        }
        for (path, text) in habit.filled {
            body.set(path, serde_json::from_str(text).expect("habit test: what is filled in is JSON"));
        }
        stamp(kind, &["created_at", "updated_at"], &mut body);
        (habit.created)(sent, &mut body, &mut self.scene(kind));
        api_history::keep_to(self.day(), kind.name, &[sent], &mut body);
        body
    }

    fn keep_listed(&mut self, id: &str, listed: impl IntoIterator<Item = (&'static str, Vec<Value>)>) {
        for (child, elements) in listed {
            self.children.entry(child).or_default().insert(id.to_owned(), elements);
        }
    }

    fn free_id(&mut self, kind: &Kind) -> String {
        loop {
            let id = self.mint.id(kind.name);
            if !self.tables.get(kind.name).is_some_and(|table| table.has(&id)) {
                return id;
            }
        }
    }

    pub(super) fn update(&mut self, kind: &'static Kind, id: &str, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        let habit = behaviour_of(kind.name);
        let is_always_there = kind.creation().is_none() && !matches!(kind.shape, Shape::Collection | Shape::Nested { .. });
        let before = match self.stored(kind, id) {
            Err(_) if is_always_there => {
                let mut body = Body::new();
                if kind.shape != Shape::Singleton {
                    kind.fill(&mut body, id);
                }
                body
            }
            other => other?.clone(),
        };
        let mut sent = sent_object(kind, call)?;
        let listed = self.take_listed(kind, &mut sent)?;
        sent.0.retain(|name, value| !(habit.repeatable.contains(&name.as_str()) && before.0.get(name) == Some(value)));
        if let Some(name) = habit.repeatable.iter().find(|name| sent.0.contains_key(**name)) {
            return Err(Answer::invalid_body(&format!("'Additional properties not allowed: {name}'")));
        }
        check(kind, habit, &sent, self.left_to_check(call, Purpose::Update))?;
        self.check_entitled(kind, &sent)?;
        let mut body = if call.method == Method::PUT { replaced(kind, &before, &sent) } else { merged(kind, habit, &before, &sent) };
        stamp(kind, &["updated_at"], &mut body);
        (habit.updated)(&before, &sent, &mut body, &mut self.scene(kind));
        api_history::keep_to(self.day(), kind.name, &[&before, &sent], &mut body);
        if name_of(kind, &body) != name_of(kind, &before) {
            self.check_name(kind, &body, Some(id))?;
        }
        self.absent.remove(&call.path);
        self.put(kind, id, body.clone());
        self.keep_listed(id, listed);
        if habit.echoes {
            body = sent;
        }
        for field in kind.in_path() {
            body.0.remove(field);
        }
        (habit.update_answer)(&mut body);
        for (path, place, field) in habit.repeated {
            if let Some(value) = self.field_at(place, field) {
                body.set(path, value);
            }
        }
        Ok(Answer::new(200, hidden(kind, bare(kind, &self.told(kind, &body, sees_keys)))))
    }

    /// Returns a field of the object at a path.
    fn field_at(&self, path: &str, field: &str) -> Option<Value> {
        let Some((kind, _)) = self.kind_at(path) else { return self.others.get(path)?.get(field).cloned() };
        self.tables.get(kind.name)?.get("")?.get(field).cloned()
    }

    pub(super) fn scene(&mut self, kind: &'static Kind) -> Scene<'_> {
        let day = self.day.as_deref();
        let (siblings, tables) = (self.tables.get(kind.name), &self.tables);
        Scene { kind, tenant: &self.tenant, domain: &self.domain, day, mint: &mut self.mint, siblings, tables }
    }
}

fn with_defaults(kind: &Kind, unshown: &[&str], mut body: Body) -> Body {
    for (path, _) in kind.defaults.iter().filter(|(path, _)| !unshown.contains(path)) {
        let parent_is_there = path.rsplit_once('.').is_none_or(|(above, _)| body.get(above).is_some_and(Value::is_object));
        if let (true, None, Some(value)) = (parent_is_there, body.get(path), kind.default_of(path)) {
            body.set(path, value);
        }
    }
    body
}

/// Returns what a PUT makes of a body: what can be written is what was sent, and the rest stays.
fn replaced(kind: &Kind, before: &Body, sent: &Body) -> Body {
    let mut body = before.clone();
    body.0.retain(|name, _| kind.fields().get(name).map_or(!kind.fields().is_open(), |field| field.in_path));
    body.0.extend(sent.0.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())));
    body
}

/// Writes the time into what the server dates: the catalog knows such fields as read-only.
fn stamp(kind: &Kind, dates: &[&str], body: &mut Body) {
    for date in dates.iter().filter(|date| kind.read_only.contains(date)) {
        body.set(date, now().into());
    }
}

/// Returns what a PATCH makes of a body: null removes, an object is merged one level deep, everything else replaces.
///
/// Exact in 307 of 313 recorded updates of clients; the catalog names the objects that are replaced whole.
fn merged(kind: &Kind, habit: &Habit, before: &Body, sent: &Body) -> Body {
    let mut body = before.clone();
    for (name, value) in &sent.0 {
        match value {
            Value::Null => drop(body.0.remove(name)),
            Value::Object(_) if habit.deep.contains(&name.as_str()) => lay_over(body.0.entry(name.clone()).or_insert(Value::Null), value),
            Value::Object(new) if !kind.replaced.contains(&name.as_str()) => {
                let old = body.0.entry(name.clone()).or_insert_with(|| json!({}));
                if !old.is_object() {
                    *old = json!({});
                }
                for (name, value) in new {
                    match (value, &mut *old) {
                        (Value::Null, Value::Object(old)) => drop(old.remove(name)),
                        (value, old) => old[name.as_str()] = value.clone(),
                    }
                }
            }
            value => drop(body.0.insert(name.clone(), value.clone())),
        }
    }
    body
}

/// Lays one value over another: objects are merged to their bottom, all else is replaced.
fn lay_over(held: &mut Value, sent: &Value) {
    match (held, sent) {
        (Value::Object(held), Value::Object(sent)) => {
            for (name, value) in sent {
                lay_over(held.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (held, sent) => *held = sent.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn patched(kind: &str, before: Value, sent: Value) -> Value {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let body = |value| Body::from_value(value).expect("an object");
        merged(kind, behaviour_of(kind.name), &body(before), &body(sent)).into_value()
    }

    #[test]
    fn a_patch_removes_by_null_merges_one_level_and_replaces_the_rest() {
        let before = json!({"a": 1, "list": [1, 2], "object": {"x": {"deep": 1}, "y": 1, "z": 1}});
        let sent = json!({"a": null, "list": [3], "object": {"x": {"other": 2}, "y": null}});
        assert_eq!(patched("clients", before, sent), json!({"list": [3], "object": {"x": {"other": 2}, "z": 1}}));
    }

    #[test]
    fn options_of_a_connection_are_replaced_whole() {
        let before = json!({"options": {"a": 1, "b": 2}, "metadata": {"a": 1}});
        let sent = json!({"options": {"b": 3}, "metadata": {"b": 2}});
        assert_eq!(patched("connections", before, sent), json!({"options": {"b": 3}, "metadata": {"a": 1, "b": 2}}));
    }
}
