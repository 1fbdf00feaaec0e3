//! What a request does to a state, and how it is answered.

use hyper::Method;
use serde_json::{Value, json};

use super::lists::hidden;
use super::schema;
use super::validate::{Checked, check};
use crate::catalog::{By, Delta, Kind, Named, Purpose, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::api_history;
use crate::sandbox::behaviour::registry::{Habit, Scene, behaviour_of, now};
use crate::sandbox::http::request::Call;
use crate::sandbox::http::response::Answer;
use crate::sandbox::http::route::Target;
use crate::sandbox::store::state::{State, answered, bare, name_of};

impl State {
    /// Answers one request without a socket: a token of every scope, no limits, no faults.
    pub fn ask(&mut self, method: &str, target: &str, body: Value) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        self.respond(&Call::new(method, target, body), true)
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, call: &Call, sees_keys: bool) -> Answer {
        if let (Err(refused), false) = (self.judged(call), self.is_lenient) {
            return refused;
        }
        if let Err(refused) = self.check_rules(call).and_then(|()| self.check_seen(call)) {
            return refused;
        }
        let remade = self.remade(call);
        let call = remade.as_ref().unwrap_or(call);
        let answered = match self.kind_at(&call.path) {
            Some((_, Target::FollowUp(_))) if !call.is_write() => self.respond_to_other(call),
            None => self.respond_to_other(call),
            Some((kind, target)) => self.respond_for(kind, target, call, sees_keys),
        };
        if let Ok(answer) = &answered {
            self.note_new_client(call, answer);
            if !self.is_lenient {
                self.follow_live(call);
            }
            self.follow_rules(call);
        }
        answered.unwrap_or_else(|refused| refused)
    }

    /// Refuses what the API's description does not allow, and what the live API is reported to refuse besides.
    ///
    /// # Errors
    ///
    /// The answer that says why.
    fn judged(&self, call: &Call) -> Result<(), Answer> {
        schema::of(call).map_or(Ok(()), |judged| judged.check(call))?;
        self.check_live(call)
    }

    /// Returns what is left to check by the catalog: all of it only where the API's description did not judge.
    pub(crate) fn left_to_check(&self, call: &Call, purpose: Purpose) -> Checked {
        let is_judged = !self.is_lenient && schema::of(call).is_some();
        if is_judged { Checked::ByDescription } else { Checked::ByCatalog(purpose) }
    }

    fn respond_to_other(&self, call: &Call) -> Result<Answer, Answer> {
        match (&call.method, self.others.get(&call.path)) {
            (&Method::GET, Some(value)) => Ok(Answer::new(200, value.clone())),
            _ => Err(self.absent.get(&call.path).cloned().unwrap_or_else(Answer::not_found)),
        }
    }

    fn respond_for(&mut self, kind: &'static Kind, target: Target, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        // What is absent stays so, but for what a write can make.
        let is_made = call.is_write()
            && (kind.is_optional || kind.creation().is_some() || matches!(kind.shape, Shape::Keyed { .. } | Shape::Part { .. }));
        if let Some(absent) = self.absent.get(&call.path).filter(|_| !is_made) {
            return Err(absent.clone());
        }
        if let (Shape::Child { parent, delta }, Target::One(id)) = (kind.shape, &target) {
            return self.respond_for_child(kind, parent, delta, id, call);
        }
        if let (Shape::Child { delta: Delta::Named { by, .. }, .. }, Target::Element(id, name), "PATCH") =
            (kind.shape, &target, call.method.as_str())
        {
            return self.change_named(kind, by, (id, name), call);
        }
        match (self.by_id(kind, target), call.method.as_str()) {
            (Target::Whole, method) if kind.shape == Shape::Singleton => self.respond_for_singleton(kind, method, call, sees_keys),
            (Target::Whole, "GET") => self.list(kind, None, call, sees_keys),
            (Target::Under(parent), "GET") => {
                self.check_parent(kind, &parent)?;
                self.list(kind, Some(&parent), call, sees_keys)
            }
            (Target::Whole, "POST") => self.create(kind, None, call),
            (Target::Under(parent), "POST") => {
                self.check_parent(kind, &parent)?;
                self.create(kind, Some(&parent), call)
            }
            (Target::One(id), "GET") => self.read(kind, &id, call, sees_keys),
            (Target::One(id), "POST") if matches!(kind.shape, Shape::Part { .. }) && kind.creation().is_some() => {
                self.check_parent(kind, &id)?;
                self.create(kind, Some(&id), call)
            }
            (Target::One(id), "PATCH" | "PUT") => self.update(kind, &id, call, sees_keys),
            (Target::One(id), "DELETE") => self.remove(kind, &id),
            (Target::FollowUp(id), "POST") => {
                let mut body = self.stored(kind, &id)?.clone();
                (behaviour_of(kind.name).followed)(&mut body, &mut self.scene(kind));
                self.put(kind, &id, body.clone());
                Ok(Answer::new(200, bare(kind, &body)))
            }
            _ => Err(Answer::not_found()),
        }
    }

    fn respond_for_singleton(&mut self, kind: &'static Kind, method: &str, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        let is_there = self.tables.get(kind.name).is_some_and(|table| table.has(""));
        match method {
            "GET" if !is_there && kind.is_optional => Err(Answer::inexistent(kind)),
            "GET" | "PATCH" | "PUT" if !is_there && kind.creation().is_some() => Err(Answer::inexistent(kind)),
            "GET" => {
                let body = self.tables.get(kind.name).and_then(|table| table.get("")).cloned().unwrap_or_default();
                Ok(Answer::new(200, self.shown(kind, &body, call, sees_keys)))
            }
            "POST" if is_there => Err(Answer::conflict(kind, kind.singular)),
            "POST" if kind.creation().is_some() => self.create(kind, None, call),
            "PATCH" | "PUT" => self.update(kind, "", call, sees_keys),
            "DELETE" if is_there => self.remove(kind, ""),
            _ => Err(Answer::not_found()),
        }
    }

    /// Answers one resource; an object that is there by being written is empty until then (recorded: texts of prompts and of self-service
    /// profiles, partials, bindings).
    fn read(&self, kind: &'static Kind, id: &str, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        if matches!(kind.shape, Shape::Part { .. }) {
            self.check_parent(kind, id)?;
        }
        let empty = Body::new();
        let body = match self.stored(kind, id) {
            Err(_) if self.is_always_there(kind, id) => &empty,
            other => other?,
        };
        let shown = self.shown(kind, body, call, sees_keys);
        Ok(Answer::new(200, Self::paged_within(kind, shown, call)?))
    }

    /// Returns whether an object answers before it was ever written: not one that hangs on another that is not there.
    fn is_always_there(&self, kind: &Kind, id: &str) -> bool {
        let is_there = |other: &&Kind| self.tables.get(other.name).is_some_and(|table| table.has(id));
        let mut needed = kind.depends_on.iter().filter_map(|name| self.catalog.kind(name)).filter(|other| other.parent() == kind.parent());
        match kind.shape {
            Shape::Keyed { .. } => kind.creation().is_none(),
            Shape::Part { .. } => kind.creation().is_none() && needed.all(|other| is_there(&other)),
            _ => false,
        }
    }

    fn check_parent(&self, kind: &Kind, id: &str) -> Result<(), Answer> {
        let parent = kind.parent().and_then(|parent| self.catalog.kind(parent)).ok_or_else(Answer::not_found)?;
        if self.has(parent.name, By::Id, id) { Ok(()) } else { Err(Answer::inexistent(parent)) }
    }

    fn stored(&self, kind: &Kind, id: &str) -> Result<&Body, Answer> {
        self.tables.get(kind.name).and_then(|table| table.get(id)).ok_or_else(|| Answer::inexistent(kind))
    }

    /// Returns the id of what a path names by key, where the server takes that.
    fn by_id(&self, kind: &Kind, target: Target) -> Target {
        let table = self.tables.get(kind.name).filter(|_| behaviour_of(kind.name).found_by_key);
        match (table, &target) {
            (Some(table), Target::One(key)) if !table.has(key) => table.named(key).map(str::to_owned).map_or(target, Target::One),
            _ => target,
        }
    }

    fn create(&mut self, kind: &'static Kind, parent: Option<&str>, call: &Call) -> Result<Answer, Answer> {
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

    fn scene(&mut self, kind: &'static Kind) -> Scene<'_> {
        let day = self.day.as_deref();
        let (siblings, tables) = (self.tables.get(kind.name), &self.tables);
        Scene { kind, tenant: &self.tenant, domain: &self.domain, day, mint: &mut self.mint, siblings, tables }
    }

    fn update(&mut self, kind: &'static Kind, id: &str, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
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

    fn remove(&mut self, kind: &'static Kind, id: &str) -> Result<Answer, Answer> {
        let body = self.stored(kind, id)?.clone();
        if body.get("is_system") == Some(&Value::Bool(true)) {
            return Err(Answer::refusal(400, "System resource servers cannot be deleted", Some("operation_not_supported")));
        }
        if let Some(table) = self.tables.get_mut(kind.name) {
            table.remove(id);
        }
        self.forget(kind, &body);
        Ok(match behaviour_of(kind.name).statuses.1 {
            200 => Answer::new(200, json!({})),
            202 => Answer::new(202, json!({"deleted_at": now()})),
            _ => Answer::empty(),
        })
    }

    /// Drops what hangs on a removed resource: its children, what is identified by it and whatever hangs on that, and its place in the lists
    /// of others.
    fn forget(&mut self, kind: &'static Kind, removed: &Body) {
        let (id, name) = (kind.id_of(removed).unwrap_or_default(), name_of(kind, removed));
        let mut along = Vec::new();
        for other in self.catalog.kinds() {
            if other.parent() == Some(kind.name) {
                self.children.entry(other.name).or_default().remove(&id);
            }
            for reference in other.references.iter().filter(|reference| reference.to == kind.name) {
                let called = match reference.by {
                    By::Id => &id,
                    By::Key => &name,
                    By::Alias | By::Within => continue,
                };
                if other.key.contains(&reference.path) {
                    let table = self.tables.entry(other.name).or_default();
                    for place in table.ids_where(|body| body.text(reference.path) == Some(called)) {
                        let identified_by_it = table.get(&place).cloned();
                        table.remove(&place);
                        along.extend(identified_by_it.map(|body| (other, body)));
                    }
                }
                if let (Shape::Child { .. }, Some((_, field))) = (other.shape, reference.path.split_once("[].")) {
                    for list in self.children.entry(other.name).or_default().values_mut() {
                        list.retain(|element| element[field].as_str() != Some(called));
                    }
                }
            }
        }
        for (kind, body) in along {
            self.forget(kind, &body);
        }
    }

    /// Refuses fields that the tenant's subscription lacks.
    fn check_entitled(&self, kind: &Kind, sent: &Body) -> Result<(), Answer> {
        let lacking = self.unentitled.get(kind.name).into_iter().flatten().find(|field| sent.0.contains_key(*field));
        lacking.map_or(Ok(()), |field| {
            let message = format!("This tenant's subscription does not include {field}. Please upgrade your subscription.");
            Err(Answer::refusal(403, &message, Some("insufficient_entitlement")))
        })
    }

    fn check_name(&self, kind: &'static Kind, body: &Body, own: Option<&str>) -> Result<(), Answer> {
        if kind.allows_duplicates || kind.key.is_empty() {
            return Ok(());
        }
        let name = name_of(kind, body);
        let holder = self.tables.get(kind.name).and_then(|table| table.named(&name));
        if holder.is_some() && holder != own { Err(Answer::conflict(kind, &name)) } else { Ok(()) }
    }

    /// Refuses a resource that is identified by another one that is not there.
    fn check_identity(&self, kind: &'static Kind, sent: &Body) -> Result<(), Answer> {
        for reference in kind.references.iter().filter(|reference| kind.key.contains(&reference.path)) {
            let (Some(value), Some(to)) = (sent.text(reference.path), self.catalog.kind(reference.to)) else { continue };
            if !self.has(to.name, reference.by, value) {
                return Err(Answer::inexistent(to));
            }
        }
        Ok(())
    }
}

/// Returns the object that was sent.
///
/// # Errors
///
/// The answer that refuses anything else.
pub(crate) fn sent_object(kind: &Kind, call: &Call) -> Result<Body, Answer> {
    let expected = if kind.list_field.is_empty() { "object" } else { "array" };
    let sent = answered(kind, call.body.clone()).filter(|_| kind.list_field.is_empty() || call.body.is_array());
    sent.ok_or_else(|| Answer::invalid_body(&format!("'Expected type {expected}'")))
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
