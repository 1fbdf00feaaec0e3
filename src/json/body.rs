//! `Body`: a JSON object, with access to values by path.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::path::{steps, top};
use super::traversal::{Removal, change_fields, change_texts, each_text, find_fields, names_in, put_at};

/// A JSON object: what the API returns, what is compared, what is sent.
///
/// Fields are in alphabetical order, so that equal bodies print equally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Body(pub Map<String, Value>);

impl Body {
    /// Returns a body without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Converts a JSON object to a body.
    ///
    /// # Errors
    ///
    /// The unchanged value, if it is not an object.
    pub fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(other),
        }
    }

    /// Returns this body as a JSON value.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Returns whether the body has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value at a plain path (`a.b`, without lists and wildcards).
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// Returns the text at a plain path.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }

    /// Sets the value at a plain path, creating missing objects above it.
    pub fn set(&mut self, path: &str, value: Value) {
        let mut fields = &mut self.0;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                fields.insert(name.to_owned(), value);
                return;
            }
            let below = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if !below.is_object() {
                *below = Value::Object(Map::new());
            }
            let Value::Object(inside) = below else { return };
            fields = inside;
        }
    }

    /// Sets the value at a plain path, or removes it if `value` is `None`.
    pub fn put(&mut self, path: &str, value: Option<Value>) {
        match value {
            Some(value) => self.set(path, value),
            None => drop(self.take(path)),
        }
    }

    /// Returns the value at a concrete path, whose names may contain dots: `client_metadata.api.key`.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Value> {
        let names = names_in(&self.0, path)?;
        let (first, rest) = names.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// Copies the value at a path from another body, or removes it if that has none; for a path into a list, the whole
    /// list. The names of a concrete path may contain dots.
    pub(crate) fn take_over(&mut self, path: &str, other: &Self) {
        let path = path.split('[').next().unwrap_or(path);
        if let Some(names) = names_in(&other.0, path).or_else(|| names_in(&self.0, path)) {
            put_at(&mut self.0, &names, other.at(path));
            return;
        }
        self.take(path);
        for (path, value) in other.find(path).into_iter().filter(|(path, _)| !path.contains('[')) {
            self.set(&path, value.clone());
        }
    }

    /// Removes every value at a path; returns each with its concrete path (`scopes[2].value`).
    pub fn take(&mut self, path: &str) -> Vec<(String, Value)> {
        self.take_if(path, &|_| true)
    }

    /// Removes those values at a path for which `goes` is true; returns each with its concrete path.
    pub(crate) fn take_if(&mut self, path: &str, goes: &dyn Fn(&Value) -> bool) -> Vec<(String, Value)> {
        let mut taken = Removal { goes, values: Vec::new() };
        let first = top(path);
        // A shortcut, since most paths to remove do not occur in a response.
        if first.contains('*') || self.0.contains_key(first) {
            taken.take_fields(&mut self.0, &steps(path), "");
        }
        taken.values
    }

    /// Returns every value at a path with its concrete path.
    #[must_use]
    pub fn find(&self, path: &str) -> Vec<(String, &Value)> {
        let mut found = Vec::new();
        find_fields(&self.0, &steps(path), "", &mut found);
        found
    }

    /// Calls `change` on every value at a path; returns how many there are.
    pub fn change(&mut self, path: &str, change: &mut dyn FnMut(&mut Value)) -> usize {
        change_fields(&mut self.0, &steps(path), change)
    }

    /// Calls `change` on every string in the body, at any depth, with its path (`[]` for lists).
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&str, &mut String)) {
        for (name, value) in &mut self.0 {
            change_texts(name, value, change);
        }
    }

    /// Calls `see` with every string in the body, at any depth, and its path (`[]` for lists).
    pub fn each_text<'body>(&'body self, see: &mut dyn FnMut(&str, &'body str)) {
        for (name, value) in &self.0 {
            each_text(name, value, see);
        }
    }
}

impl FromIterator<(String, Value)> for Body {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// Returns whether a value is blank: null, an empty text, list or object.
///
/// For most fields of the API, a blank and an absent field mean the same (measured on the recordings: of 731 full reads
/// of a client, 53 contain `callbacks`).
#[must_use]
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Merges a value into another one: objects field by field, everything else is replaced.
pub fn lay_over(held: &mut Value, wanted: Value) {
    match (held, wanted) {
        (Value::Object(held), Value::Object(wanted)) => {
            for (name, value) in wanted {
                lay_over(held.entry(name).or_insert(Value::Null), value);
            }
        }
        (held, wanted) => *held = wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    #[test]
    fn a_path_through_lists_and_maps_takes_every_match_and_nothing_else() {
        let mut client = body(json!({
            "keys": [{"key": "a", "cert": "x"}, {"key": "b"}],
            "addons": {"aws": {"secret": "s", "role": "r"}, "box": {}},
        }));
        assert_eq!(client.take("keys[].key"), [("keys[0].key".into(), json!("a")), ("keys[1].key".into(), json!("b"))]);
        assert_eq!(client.take("addons.*.secret"), [("addons.aws.secret".into(), json!("s"))]);
        assert_eq!(client, body(json!({"keys": [{"cert": "x"}, {}], "addons": {"aws": {"role": "r"}, "box": {}}})));
    }

    #[test]
    fn any_depth_finds_a_field_inside_lists_inside_objects() {
        let flow = body(json!({"actions": [{"params": {"connection_id": "c1", "then": [{"connection_id": "c2"}]}}]}));
        let found: Vec<_> = flow.find("**.connection_id").into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, ["actions[0].params.connection_id", "actions[0].params.then[0].connection_id"]);
    }

    #[test]
    fn setting_a_deep_path_creates_the_objects_above_it() {
        let mut settings = Body::new();
        settings.set("flags.enable", json!(true));
        assert_eq!(settings, body(json!({"flags": {"enable": true}})));
    }

    #[test]
    fn a_value_is_copied_from_another_body_and_a_list_as_a_whole() {
        let mut ours = body(json!({"callbacks": ["a"], "addons": {"aws": {"role": "r"}}, "name": "ours", "description": "ours"}));
        let theirs = body(json!({"callbacks": ["b", "c"], "addons": {"box": {"role": "s"}}, "name": "theirs"}));
        for path in ["callbacks[]", "addons.*.role", "description"] {
            ours.take_over(path, &theirs);
        }
        assert_eq!(ours, body(json!({"callbacks": ["b", "c"], "addons": {"aws": {}, "box": {"role": "s"}}, "name": "ours"})));
    }

    #[test]
    fn null_and_empty_values_are_blank_but_false_and_zero_are_not() {
        for blank in [json!(null), json!(""), json!([]), json!({})] {
            assert!(is_blank(&blank), "{blank}");
        }
        for said in [json!(false), json!(0), json!([null])] {
            assert!(!is_blank(&said), "{said}");
        }
    }
}
