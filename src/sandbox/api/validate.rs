//! Validates bodies by the catalog: refuses unknown fields, missing fields and values of the wrong type.
//!
//! Everything is derived from the catalog's field tables, and from the few exceptions in a kind's [`ServerBehaviour`].

use serde_json::{Map, Value};

use super::schema::checker::type_of;
use super::schema::description;
use crate::catalog::{Fields, Kind, RequestPurpose, Writability};
use crate::json::{self, Body};
use crate::sandbox::behaviour::server_behaviour::ServerBehaviour;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::api_form::from_api;
use crate::sandbox::store::state::State;

/// What a body is validated against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValidationBasis {
    /// The OpenAPI description was checked; only what it omits remains.
    Description,
    /// The description lacks the operation, so the catalog is used.
    Catalog(RequestPurpose),
}

/// Returns the object that was sent.
///
/// # Errors
///
/// The refusal of anything else.
pub(crate) fn sent_object(kind: &Kind, request: &ApiRequest) -> Result<Body, ApiResponse> {
    let expected = if kind.quirks.list_field.is_empty() { "object" } else { "array" };
    let sent = from_api(kind, request.body.clone()).filter(|_| kind.quirks.list_field.is_empty() || request.body.is_array());
    sent.ok_or_else(|| ApiResponse::invalid_body(&format!("'Expected type {expected}'")))
}

impl State {
    /// Returns what to validate against: the whole catalog entry only if the API's description lacks the operation.
    pub(crate) fn validation_basis(&self, request: &ApiRequest, purpose: RequestPurpose) -> ValidationBasis {
        let is_judged = !self.is_lenient && description::operation_of(request).is_some();
        if is_judged { ValidationBasis::Description } else { ValidationBasis::Catalog(purpose) }
    }
}

/// Refuses a body that the server would refuse.
///
/// # Errors
///
/// The refusal.
pub(crate) fn validate_body(kind: &Kind, behaviour: &ServerBehaviour, sent: &Body, checked: ValidationBasis) -> Result<(), ApiResponse> {
    check_exclusive(kind, behaviour, sent)?;
    let ValidationBasis::Catalog(purpose) = checked else {
        return check_needed(behaviour, sent);
    };
    FieldCheck { behaviour, purpose }.check_fields(kind.fields.writable(), &sent.0, "")?;
    check_types(kind, behaviour, sent)?;
    match purpose {
        RequestPurpose::Create => check_required(kind, behaviour, sent),
        RequestPurpose::Update => check_nulls(kind, behaviour, sent),
        RequestPurpose::Snapshot => Ok(()),
    }
}

/// Checks fields by the catalog, at any depth.
struct FieldCheck<'kind> {
    behaviour: &'kind ServerBehaviour,
    purpose: RequestPurpose,
}

impl FieldCheck<'_> {
    fn check_fields(&self, fields: &Fields, sent: &Map<String, Value>, above: &str) -> Result<(), ApiResponse> {
        let is_taken = |name: &str| match fields.get(name).map(|field| field.written) {
            None => fields.is_open(),
            Some(Writability::OnCreate) => self.purpose != RequestPurpose::Update,
            Some(Writability::OnUpdate) => self.purpose != RequestPurpose::Create,
            Some(Writability::Always) => true,
        };
        let place = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        let is_tolerated = |name: &str| self.behaviour.also_accepted.iter().any(|pattern| json::covers(pattern, &place(name)));
        let surplus: Vec<&str> = sent.keys().map(String::as_str).filter(|name| !is_taken(name) && !is_tolerated(name)).collect();
        if !surplus.is_empty() {
            let property = if above.is_empty() { String::new() } else { format!(" on property {above}") };
            return Err(ApiResponse::invalid_body(&format!("'Additional properties not allowed: {}'{property}", surplus.join(","))));
        }
        for (name, value) in sent {
            let Some(field) = fields.get(name) else { continue };
            if field.refuses_empty && value.as_str().is_some_and(str::is_empty) {
                return Err(ApiResponse::invalid_body(&format!("'String is too short (0 chars), minimum 1' on property {}", place(name))));
            }
            if field.refuses_empty && value.as_array().is_some_and(Vec::is_empty) {
                return Err(ApiResponse::invalid_body(&format!("'Array is too short (0), minimum 1' on property {}", place(name))));
            }
            if let Some(below) = &field.below {
                self.check_below(below, value, &place(name))?;
            }
        }
        Ok(())
    }

    fn check_below(&self, fields: &Fields, value: &Value, place: &str) -> Result<(), ApiResponse> {
        match value {
            Value::Object(inside) => self.check_fields(fields, inside, place),
            Value::Array(list) => {
                list.iter().enumerate().try_for_each(|(at, element)| self.check_below(fields, element, &format!("{place}[{at}]")))
            }
            Value::Null => Ok(()),
            plain => Err(wrong_type("object", plain, place)),
        }
    }
}

fn check_types(kind: &Kind, behaviour: &ServerBehaviour, sent: &Body) -> Result<(), ApiResponse> {
    for (path, default) in kind.defaults.values.iter().filter_map(|(path, _)| Some((*path, kind.default_of(path)?))) {
        if let Some(value) = sent.get(path).filter(|value| !value.is_null() && type_of(value) != type_of(&default)) {
            return Err(wrong_type(type_of(&default), value, path));
        }
    }
    for path in kind.lists.unordered.iter().chain(behaviour.lists) {
        if let Some(value) = sent.get(path).filter(|value| !value.is_null() && !value.is_array()) {
            // Scopes of a social connection may be a single string.
            if !(value.is_string() && path.starts_with("options.")) {
                return Err(wrong_type("array", value, path));
            }
        }
    }
    for path in kind.identity.key {
        if let Some(value) = sent.get(path).filter(|value| value.is_array() || value.is_object()) {
            return Err(wrong_type("string", value, path));
        }
    }
    Ok(())
}

/// Refuses two fields that cannot both be set, with the message recorded for options of connections.
fn check_exclusive(kind: &Kind, behaviour: &ServerBehaviour, sent: &Body) -> Result<(), ApiResponse> {
    let is_set = |path: &str| sent.get(path).is_some_and(|value| !json::is_blank(value) && *value != Value::Bool(false));
    let both = kind.quirks.exclusive.iter().chain(behaviour.exclusive).find(|(one, other)| is_set(one) && is_set(other));
    both.map_or(Ok(()), |(one, other)| Err(ApiResponse::refusal(400, &format!("Cannot set both {one} and {other}"), Some("invalid_body"))))
}

fn check_required(kind: &Kind, behaviour: &ServerBehaviour, sent: &Body) -> Result<(), ApiResponse> {
    let stands_in = |path: &str| behaviour.required_alternatives.iter().any(|(wanted, other)| *wanted == path && sent.get(other).is_some());
    let in_path: Vec<&str> = kind.path_fields().collect();
    let missing = kind
        .fields
        .required
        .iter()
        .filter(|path| !in_path.contains(path))
        .find(|path| sent.get(path).is_none_or(Value::is_null) && !stands_in(path));
    missing.map_or_else(|| check_needed(behaviour, sent), |path| Err(missing_property(path)))
}

/// Refuses a body that lacks a field required by one of its values.
fn check_needed(behaviour: &ServerBehaviour, sent: &Body) -> Result<(), ApiResponse> {
    let needed = behaviour.required_if.iter().find(|(field, value, path)| sent.text(field) == Some(*value) && sent.get(path).is_none());
    needed.map_or(Ok(()), |(_, _, path)| Err(missing_property(path)))
}

fn missing_property(path: &str) -> ApiResponse {
    ApiResponse::invalid_body(&format!("'Missing required property: {path}'"))
}

fn check_nulls(kind: &Kind, behaviour: &ServerBehaviour, sent: &Body) -> Result<(), ApiResponse> {
    let refuses_null =
        |name: &str| kind.fields.writable().get(name).is_some_and(|field| !field.nullable) && !behaviour.also_accepted.contains(&name);
    let refused = sent.0.iter().find(|(name, value)| value.is_null() && refuses_null(name));
    let expected = |name: &str| {
        let has_below = kind.fields.writable().get(name).is_some_and(|field| field.below.is_some());
        let is_list = kind.lists.unordered.contains(&name) || behaviour.lists.contains(&name);
        kind.default_of(name).map_or(
            if has_below {
                "object"
            } else if is_list {
                "array"
            } else {
                "string"
            },
            |default| type_of(&default),
        )
    };
    refused.map_or(Ok(()), |(name, value)| Err(wrong_type(expected(name), value, name)))
}

fn wrong_type(expected: &str, found: &Value, place: &str) -> ApiResponse {
    ApiResponse::invalid_body(&format!("'Expected type {expected} but found type {}' on property {place}", type_of(found)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sandbox::behaviour::registry::behaviour_of;
    use serde_json::json;

    fn refusal(kind: &str, sent: Value, purpose: RequestPurpose) -> String {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let sent = Body::from_value(sent).expect("an object");
        let refused = validate_body(kind, behaviour_of(kind.name), &sent, ValidationBasis::Catalog(purpose)).expect_err("refused");
        assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_body")));
        refused.body["message"].as_str().expect("a text").to_owned()
    }

    #[test]
    fn a_surplus_field_refuses_the_whole_body_and_is_reported() {
        let sent = json!({"name": "A", "client_id": "x", "tenant": "t"});
        assert_eq!(
            refusal("clients", sent, RequestPurpose::Create),
            "Payload validation error: 'Additional properties not allowed: client_id,tenant'."
        );
        let sent = json!({"refresh_token": {"leeway": 0, "later": 1}});
        assert_eq!(
            refusal("clients", sent, RequestPurpose::Update),
            "Payload validation error: 'Additional properties not allowed: later' on property refresh_token."
        );
    }

    #[test]
    fn a_field_of_a_create_is_surplus_in_an_update() {
        assert!(refusal("client-grants", json!({"audience": "https://a"}), RequestPurpose::Update).contains("audience"));
        assert!(refusal("clients", json!({"name": "A", "client_secret": "s"}), RequestPurpose::Create).contains("client_secret"));
    }

    #[test]
    fn two_exclusive_fields_are_reported() {
        let sent = json!({"name": "users", "strategy": "auth0", "options": {"attributes": {"email": {}}, "requires_username": true}});
        assert_eq!(
            refusal("connections", sent, RequestPurpose::Create),
            "Cannot set both options.attributes and options.requires_username"
        );
        let sent = json!({"session_lifetime": 1, "session_lifetime_in_minutes": 60});
        assert_eq!(
            refusal("tenant-settings", sent, RequestPurpose::Update),
            "Cannot set both session_lifetime and session_lifetime_in_minutes"
        );
    }

    #[test]
    fn missing_fields_and_wrong_types_are_reported() {
        assert_eq!(refusal("clients", json!({}), RequestPurpose::Create), "Payload validation error: 'Missing required property: name'.");
        assert_eq!(
            refusal("clients", json!({"callbacks": "https://a"}), RequestPurpose::Update),
            "Payload validation error: 'Expected type array but found type string' on property callbacks."
        );
        assert_eq!(
            refusal("clients", json!({"mobile": true}), RequestPurpose::Update),
            "Payload validation error: 'Expected type object but found type boolean' on property mobile."
        );
        assert_eq!(
            refusal("tenant-settings", json!({"enabled_locales": []}), RequestPurpose::Update),
            "Payload validation error: 'Array is too short (0), minimum 1' on property enabled_locales."
        );
        assert_eq!(
            refusal("clients", json!({"is_first_party": null}), RequestPurpose::Update),
            "Payload validation error: 'Expected type boolean but found type null' on property is_first_party."
        );
    }
}
