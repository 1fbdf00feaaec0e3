//! Creates, updates and follow-ups: what they store and what they return.

use hyper::Method;
use serde_json::{Value, json};

use super::representation::without_write_only;
use super::validate::{sent_object, validate_body};
use crate::catalog::{KeyNames, Kind, RequestPurpose, Shape};
use crate::json::Body;
use crate::sandbox::behaviour::api_history;
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::behaviour::server_behaviour::{ServerBehaviour, WriteContext, now};
use crate::sandbox::http::request::{ApiRequest, KeyAccess};
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::api_form::{to_api, unique_name};
use crate::sandbox::store::state::State;

impl State {
    pub(super) fn create(&mut self, kind: &'static Kind, parent: Option<&str>, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let behaviour = behaviour_of(kind.name);
        let mut sent = sent_object(kind, request)?;
        let listed = self.take_child_lists(kind, &mut sent)?;
        validate_body(kind, behaviour, &sent, self.validation_basis(request, RequestPurpose::Create))?;
        self.check_entitlement(kind, &sent)?;
        sent.0.retain(|_, value| !value.is_null());
        if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
            sent.set(field, parent.into());
        }
        self.check_name(kind, &sent, None)?;
        self.check_identity(kind, &sent)?;
        let mut body = self.created_body(kind, behaviour, &sent);
        let id = if kind.shape == Shape::Singleton { String::new() } else { kind.id_of(&body).unwrap_or_default() };
        if matches!(kind.shape, Shape::Keyed { names: KeyNames::Fixed(names) } if !names.contains(&id.as_str())) {
            return Err(ApiResponse::invalid_body(&format!("'No enum match for: {id}' on property {}", kind.identity.id)));
        }
        self.absent.remove(&kind.read_path_of(&id));
        self.put(kind, &id, body.clone());
        self.put_children(&id, behaviour.child_lists.iter().map(|(_, child)| (*child, Vec::new())));
        self.put_children(&id, listed);
        (behaviour.on_create_response)(&sent, &mut body, &mut self.write_context(kind));
        Ok(ApiResponse::new(
            behaviour.statuses.0,
            without_write_only(kind, to_api(kind, &self.visible_body(kind, &body, KeyAccess::Visible))),
        ))
    }

    /// Returns the body that a create stores: the request body, an id, and what the server fills in on the imitated
    /// day.
    fn created_body(&mut self, kind: &'static Kind, behaviour: &ServerBehaviour, sent: &Body) -> Body {
        let mut body = with_defaults(kind, behaviour.hidden_defaults, sent.clone());
        for (name, value) in self.defaults.get(kind.name).into_iter().flat_map(|defaults| &defaults.0) {
            body.0.entry(name).or_insert_with(|| value.clone());
        }
        if kind.fields.writable().get(kind.identity.id).is_none()
            && kind.path_parameters().iter().any(|place| place == "id" || place == kind.identity.id)
        {
            let id = self.unused_id(kind);
            body.set(kind.identity.id, id.into());
        }
        for (path, text) in behaviour.server_filled {
            body.set(path, serde_json::from_str(text).expect("behaviour test: what is filled in is JSON"));
        }
        set_dates(kind, &["created_at", "updated_at"], &mut body);
        (behaviour.on_create)(sent, &mut body, &mut self.write_context(kind));
        api_history::remove_unfilled(self.day(), kind.name, &[sent], &mut body);
        body
    }

    fn put_children(&mut self, id: &str, listed: impl IntoIterator<Item = (&'static str, Vec<Value>)>) {
        for (child, elements) in listed {
            self.children.entry(child).or_default().insert(id.to_owned(), elements);
        }
    }

    fn unused_id(&mut self, kind: &Kind) -> String {
        loop {
            let id = self.ids.id(kind.name);
            if !self.tables.get(kind.name).is_some_and(|table| table.has(&id)) {
                return id;
            }
        }
    }

    pub(super) fn update(&mut self, kind: &'static Kind, id: &str, request: &ApiRequest) -> Result<ApiResponse, ApiResponse> {
        let behaviour = behaviour_of(kind.name);
        let is_always_there = kind.creation().is_none() && !matches!(kind.shape, Shape::Collection | Shape::Nested { .. });
        let before = match self.stored(kind, id) {
            Err(_) if is_always_there => empty_body(kind, id),
            other => other?.clone(),
        };
        let mut sent = sent_object(kind, request)?;
        let listed = self.take_child_lists(kind, &mut sent)?;
        sent.0.retain(|name, value| !(behaviour.repeatable_in_update.contains(&name.as_str()) && before.0.get(name) == Some(value)));
        if let Some(name) = behaviour.repeatable_in_update.iter().find(|name| sent.0.contains_key(**name)) {
            return Err(ApiResponse::invalid_body(&format!("'Additional properties not allowed: {name}'")));
        }
        validate_body(kind, behaviour, &sent, self.validation_basis(request, RequestPurpose::Update))?;
        self.check_entitlement(kind, &sent)?;
        let mut body =
            if request.method == Method::PUT { put_body(kind, &before, &sent) } else { patched_body(kind, behaviour, &before, &sent) };
        set_dates(kind, &["updated_at"], &mut body);
        (behaviour.on_update)(&before, &sent, &mut body, &mut self.write_context(kind));
        api_history::remove_unfilled(self.day(), kind.name, &[&before, &sent], &mut body);
        if unique_name(kind, &body) != unique_name(kind, &before) {
            self.check_name(kind, &body, Some(id))?;
        }
        self.absent.remove(&request.path);
        self.put(kind, id, body.clone());
        self.put_children(id, listed);
        let answered = if behaviour.update_echoes_request { sent } else { body };
        Ok(self.update_response(kind, answered, request.key_access))
    }

    fn update_response(&self, kind: &'static Kind, mut body: Body, key_access: KeyAccess) -> ApiResponse {
        let behaviour = behaviour_of(kind.name);
        for field in kind.path_fields() {
            body.0.remove(field);
        }
        (behaviour.on_update_response)(&mut body);
        for (path, place, field) in behaviour.copied_into_update_response {
            if let Some(value) = self.field_at(place, field) {
                body.set(path, value);
            }
        }
        ApiResponse::new(200, without_write_only(kind, to_api(kind, &self.visible_body(kind, &body, key_access))))
    }

    /// Executes the follow-up of a write, such as the deployment of an action.
    pub(super) fn follow_up(&mut self, kind: &'static Kind, id: &str) -> Result<ApiResponse, ApiResponse> {
        let mut body = self.stored(kind, id)?.clone();
        (behaviour_of(kind.name).on_follow_up)(&mut body, &mut self.write_context(kind));
        self.put(kind, id, body.clone());
        Ok(ApiResponse::new(200, to_api(kind, &body)))
    }

    /// Returns a field of the object at a path.
    fn field_at(&self, path: &str, field: &str) -> Option<Value> {
        let Some((kind, _)) = self.kind_at(path) else { return self.uncovered.get(path)?.get(field).cloned() };
        self.tables.get(kind.name)?.get("")?.get(field).cloned()
    }

    pub(super) fn write_context(&mut self, kind: &'static Kind) -> WriteContext<'_> {
        let day = self.day.as_deref();
        let (siblings, tables) = (self.tables.get(kind.name), &self.tables);
        WriteContext { kind, tenant: &self.tenant, domain: &self.domain, day, ids: &mut self.ids, siblings, tables }
    }
}

/// Returns the body of an object that always exists, before the first write.
fn empty_body(kind: &Kind, id: &str) -> Body {
    let mut body = Body::new();
    if kind.shape != Shape::Singleton {
        kind.fill_path_fields(&mut body, id);
    }
    body
}

fn with_defaults(kind: &Kind, hidden: &[&str], mut body: Body) -> Body {
    for (path, _) in kind.defaults.values.iter().filter(|(path, _)| !hidden.contains(path)) {
        let parent_is_there = path.rsplit_once('.').is_none_or(|(above, _)| body.get(above).is_some_and(Value::is_object));
        if let (true, None, Some(value)) = (parent_is_there, body.get(path), kind.default_of(path)) {
            body.set(path, value);
        }
    }
    body
}

/// Returns a body after a PUT: writable fields are replaced, all others are kept.
fn put_body(kind: &Kind, before: &Body, sent: &Body) -> Body {
    let mut body = before.clone();
    body.0.retain(|name, _| kind.fields.writable().get(name).map_or(!kind.fields.writable().is_open(), |field| field.in_path));
    body.0.extend(sent.0.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())));
    body
}

/// Sets timestamps that the server maintains; the catalog lists them as read-only.
fn set_dates(kind: &Kind, dates: &[&str], body: &mut Body) {
    for date in dates.iter().filter(|date| kind.fields.read_only.contains(date)) {
        body.set(date, now().into());
    }
}

/// Returns a body after a PATCH: null removes a field, an object is merged one level deep, everything else is replaced.
///
/// Exact in 307 of 313 recorded updates of clients; the catalog lists the objects that are replaced completely.
fn patched_body(kind: &Kind, behaviour: &ServerBehaviour, before: &Body, sent: &Body) -> Body {
    let mut body = before.clone();
    for (name, value) in &sent.0 {
        match value {
            Value::Null => drop(body.0.remove(name)),
            Value::Object(_) if behaviour.deep_merged.contains(&name.as_str()) => {
                deep_merge(body.0.entry(name.clone()).or_insert(Value::Null), value);
            }
            Value::Object(new) if !kind.fields.replaced.contains(&name.as_str()) => {
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

/// Merges one value into another: objects recursively, everything else is replaced.
fn deep_merge(held: &mut Value, sent: &Value) {
    match (held, sent) {
        (Value::Object(held), Value::Object(sent)) => {
            for (name, value) in sent {
                deep_merge(held.entry(name.clone()).or_insert(Value::Null), value);
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
        patched_body(kind, behaviour_of(kind.name), &body(before), &body(sent)).into_value()
    }

    #[test]
    fn a_patch_removes_by_null_merges_one_level_and_replaces_the_rest() {
        let before = json!({"a": 1, "list": [1, 2], "object": {"x": {"deep": 1}, "y": 1, "z": 1}});
        let sent = json!({"a": null, "list": [3], "object": {"x": {"other": 2}, "y": null}});
        assert_eq!(patched("clients", before, sent), json!({"list": [3], "object": {"x": {"other": 2}, "z": 1}}));
    }

    #[test]
    fn connection_options_are_replaced_completely() {
        let before = json!({"options": {"a": 1, "b": 2}, "metadata": {"a": 1}});
        let sent = json!({"options": {"b": 3}, "metadata": {"b": 2}});
        assert_eq!(patched("connections", before, sent), json!({"options": {"b": 3}, "metadata": {"a": 1, "b": 2}}));
    }
}
