//! Decides whether two bodies have the same meaning, from their JSON alone and without the planner.
//!
//! Absent, null, and an empty text, list or object mean the same (the API distinguishes them in JSON but not in
//! behaviour). So do an absent field and its documented default, and an absent field and the field it defaults to. The
//! order of a set is irrelevant. Everything else is a difference, and is reported at its own path.

use auth0_migrate::catalog::Kind;
use serde_json::{Map, Value};

/// A path at which two bodies differ in meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unlike {
    /// The path: `options.mfa.active`. Lists are compared as a whole.
    pub(crate) path: String,
    /// The expected value.
    pub(crate) wanted: Value,
    /// The actual value.
    pub(crate) held: Value,
}

/// Returns every path at which two bodies of a kind differ in meaning.
pub(crate) fn unlike(kind: &Kind, wanted: &Value, held: &Value) -> Vec<Unlike> {
    let mut found = Vec::new();
    walk(kind, "", &without_mirrors(kind, wanted), &without_mirrors(kind, held), &mut found);
    found
}

fn walk(kind: &Kind, path: &str, wanted: &Value, held: &Value, found: &mut Vec<Unlike>) {
    let says_nothing = |value: &Value| says_nothing(kind, path, value);
    if says_nothing(wanted) && says_nothing(held) {
        return;
    }
    let fields = |value: &Value| value.as_object().cloned().or_else(|| says_nothing(value).then(Map::new));
    match (fields(wanted), fields(held)) {
        (Some(wanted), Some(held)) if !(wanted.is_empty() && held.is_empty()) => {
            let mut names: Vec<&String> = wanted.keys().chain(held.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let value = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                walk(kind, &below(path, name), &value(&wanted), &value(&held), found);
            }
        }
        _ if plain(kind, path, wanted) == plain(kind, path, held) => {}
        _ => found.push(Unlike { path: path.to_owned(), wanted: wanted.clone(), held: held.clone() }),
    }
}

/// Returns a body without fields that equal the field they default to.
fn without_mirrors(kind: &Kind, body: &Value) -> Value {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    for (path, other) in kind.quirks.defaults_to_field {
        if fields.get(*path) == fields.get(*other) {
            fields.remove(*path);
        }
    }
    Value::Object(fields)
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns whether a value means the same as its absence.
fn says_nothing(kind: &Kind, path: &str, value: &Value) -> bool {
    let is_default = kind.default_of(path).is_some_and(|default| bare(&default) == bare(value));
    is_default
        || match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(fields) => fields.iter().all(|(name, value)| says_nothing(kind, &below(path, name), value)),
            Value::Bool(_) | Value::Number(_) => false,
        }
}

/// Returns a value in the form that is compared: the elements of a set are sorted and unique.
fn plain(kind: &Kind, path: &str, value: &Value) -> Value {
    match bare(value) {
        Value::Array(mut list) if kind.lists.unordered.contains(&path) => {
            list.sort_by_key(Value::to_string);
            list.dedup();
            Value::Array(list)
        }
        other => other,
    }
}

/// Returns a value without blank fields, and with numbers normalized.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let bare = fields.iter().map(|(name, value)| (name.clone(), bare(value)));
            Value::Object(bare.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(list) => list.iter().map(bare).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_migrate::catalog::Catalog;
    use serde_json::json;

    fn paths(kind: &str, wanted: &Value, held: &Value) -> Vec<String> {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        unlike(kind, wanted, held).into_iter().map(|unlike| unlike.path).collect()
    }

    #[test]
    fn blanks_are_equivalent_to_absent_values() {
        let wanted =
            json!({"callbacks": [], "description": null, "mobile": {"ios": {}}, "is_first_party": true, "grant_types": ["b", "a"]});
        let held = json!({"logo_uri": "", "grant_types": ["a", "b"], "sso": false});
        assert_eq!(paths("clients", &wanted, &held), Vec::<String>::new());
    }

    #[test]
    fn every_other_difference_is_found_at_its_path_on_either_side() {
        let wanted =
            json!({"callbacks": ["a", "b"], "refresh_token": {"leeway": 1}, "is_first_party": false, "client_metadata": {"a": "1"}});
        let held = json!({"callbacks": ["b", "a"], "refresh_token": {"leeway": 1.0, "rotation_type": "rotating"}, "description": "x"});
        let expected = ["callbacks", "client_metadata.a", "description", "is_first_party", "refresh_token.rotation_type"];
        assert_eq!(paths("clients", &wanted, &held), expected);
    }
}
