//! The normal form of a body, in which bodies with the same meaning are equal.
//!
//! Null, an empty text, list or object, and an absent field are the same, except for objects whose presence is the
//! setting. An absent field equals the server's default. Sets have no order. Without this, every run would send the
//! same updates again.

use serde_json::{Map, Value};

use crate::catalog::Kind;
use crate::json::{Body, is_blank};

/// Returns a body without blanks and defaults, and with sets sorted.
pub fn normalized(kind: &Kind, body: &Body) -> Body {
    let mut body = body.clone();
    let is_present =
        |(path, value): &(String, &Value)| value.is_object() && kind.fields.writable().at(path).is_none_or(|field| !field.refuses_empty);
    let present: Vec<String> =
        kind.quirks.presence_is_setting.iter().flat_map(|path| body.find(path)).filter(is_present).map(|(path, _)| path).collect();
    order_sets(kind, &mut body);
    drop_blanks(&mut body.0);
    for (path, _) in kind.defaults.values {
        if body.get(path).is_some_and(|value| kind.default_of(path).as_ref() == Some(value)) {
            body.take(path);
        }
    }
    for (path, other) in kind.quirks.defaults_to_field {
        if body.get(path).is_some_and(|value| body.get(other) == Some(value)) {
            body.take(path);
        }
    }
    drop_blanks(&mut body.0);
    for path in present {
        if body.get(&path).is_none() {
            body.set(&path, Value::Object(Map::new()));
        }
    }
    body
}

/// Sorts the elements of sets.
pub(super) fn order_sets(kind: &Kind, body: &mut Body) {
    for path in kind.lists.unordered {
        body.change(path, &mut |value| {
            if let Value::Array(list) = value {
                list.sort_by_cached_key(Value::to_string);
                list.dedup();
            }
        });
    }
}

fn drop_blanks(fields: &mut Map<String, Value>) {
    for value in fields.values_mut() {
        drop_blanks_in(value);
    }
    fields.retain(|_, value| !is_blank(value));
}

pub(super) fn drop_blanks_in(value: &mut Value) {
    match value {
        Value::Object(fields) => drop_blanks(fields),
        // An element that became empty is kept, since indexes matter.
        Value::Array(list) => list.iter_mut().for_each(drop_blanks_in),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
