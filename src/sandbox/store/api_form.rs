//! Converts between stored resources and the form of the API: bare lists, and fields that are part of the path.

use serde_json::{Map, Value, json};

use crate::catalog::{KeyNames, Kind, Paging, Shape};
use crate::json::Body;

/// Converts a response of the API to an object: a bare array becomes the field that the kind stores it in.
pub(crate) fn from_api(kind: &Kind, value: Value) -> Option<Body> {
    match value {
        Value::Array(_) if !kind.quirks.list_field.is_empty() => Some(Body::from_iter([(kind.quirks.list_field.to_owned(), value)])),
        Value::Array(_) => match kind.paths.paging {
            // A state file contains all pages of such a list.
            Paging::Counted { field, .. } => Some(Body::from_iter([(field.to_owned(), value)])),
            _ => None,
        },
        other => Body::from_value(other).ok(),
    }
}

/// Converts a stored body to the form of the API: without fields of the path, and bare if the API returns a bare array.
pub(crate) fn to_api(kind: &Kind, body: &Body) -> Value {
    let mut shown = body.clone();
    let is_listed = matches!(kind.shape, Shape::Keyed { names: KeyNames::Listed });
    for field in kind.path_fields().filter(|_| !is_listed) {
        shown.0.remove(field);
    }
    if kind.quirks.list_field.is_empty() { shown.into_value() } else { shown.0.remove(kind.quirks.list_field).unwrap_or_else(|| json!([])) }
}

/// Inserts a resource at its path in a state file.
pub(crate) fn insert_at_path(data: &mut Map<String, Value>, kind: &'static Kind, body: &Body) {
    let list = match kind.shape {
        Shape::Collection | Shape::Keyed { names: KeyNames::Listed } => kind.paths.list.to_owned(),
        Shape::Nested { .. } => kind.path_under(kind.parent_field().and_then(|field| body.text(field)).unwrap_or_default()),
        Shape::Singleton => return drop(data.insert(kind.paths.list.to_owned(), to_api(kind, body))),
        Shape::Keyed { .. } | Shape::Part { .. } | Shape::Child { .. } => {
            return drop(data.insert(kind.path_of(&kind.id_of(body).unwrap_or_default()), to_api(kind, body)));
        }
    };
    if let Value::Array(list) = data.entry(list).or_insert_with(|| json!([])) {
        list.push(to_api(kind, body));
    }
}

/// Returns the name that is unique among resources of its kind.
pub(crate) fn unique_name(kind: &Kind, body: &Body) -> String {
    let part = |path: &&str| match body.get(path) {
        None | Some(Value::Null) => kind.default_of(path).map(|value| value.to_string()).unwrap_or_default(),
        Some(Value::String(text)) if kind.identity.key.len() == 1 => text.clone(),
        Some(value) => value.to_string(),
    };
    kind.identity.key.iter().map(part).collect::<Vec<_>>().join("\n")
}
