//! The writable fields of a kind, as data.
//!
//! Request bodies of the Management API are closed: one unknown field fails the request (OpenAPI description: every create and update schema
//! has `additionalProperties: false`). So a body is reduced to the fields of this list before it is sent. The list is text, one entry per
//! field:
//!
//! ```text
//! name                    in creates and updates
//! identifier+             only in a create
//! client_secret~          only in an update
//! scope?                  an update may clear it with null
//! locales!                an empty list, text or object is refused
//! organization/           in the path of the request, not in its body
//! mobile{ios{app} *}      an object with these fields; `*` allows others
//! scopes[]{value text}    a list of objects
//! ```

use serde_json::{Map, Value};

use crate::json::Body;

/// When a field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writability {
    /// In a create and in an update.
    Always,
    /// Only in a create.
    OnCreate,
    /// Only in an update.
    OnUpdate,
}

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPurpose {
    /// The request that creates a resource.
    Create,
    /// The request that updates one.
    Update,
    /// A snapshot, which contains all writable fields.
    Snapshot,
}

/// One writable field.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of the notation")]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// When it may be written.
    pub written: Writability,
    /// Whether an update may send null to clear it.
    pub nullable: bool,
    /// Whether an empty list, text or object is refused, so that it is not sent.
    pub refuses_empty: bool,
    /// Whether it is in the path of the request rather than in its body.
    pub in_path: bool,
    /// Whether it is a list of objects.
    pub is_list: bool,
    /// The fields of the object, or of each object in the list; `None` if any value is accepted.
    pub below: Option<Fields>,
}

/// The writable fields of a kind or of an object in one.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    list: Vec<Field>,
    open: bool,
}

impl Field {
    /// Returns whether it accepts fields that are not listed, at any depth.
    #[must_use]
    pub(crate) fn is_open_anywhere(&self) -> bool {
        self.below
            .as_ref()
            .is_none_or(|below| below.is_open() || below.iter().any(|field| field.below.is_some() && field.is_open_anywhere()))
    }

    fn is_for(&self, purpose: RequestPurpose) -> bool {
        match purpose {
            RequestPurpose::Create => self.written != Writability::OnUpdate,
            RequestPurpose::Update => self.written != Writability::OnCreate,
            RequestPurpose::Snapshot => true,
        }
    }
}

impl Fields {
    /// Parses the notation described in the module documentation.
    ///
    /// # Panics
    ///
    /// If the text is not in that notation; a test parses every table of the catalog.
    #[must_use]
    pub fn parse(text: &'static str) -> Self {
        let mut rest = text;
        let fields = parse_fields(&mut rest);
        assert!(rest.trim().is_empty(), "field table: unexpected {rest:?}");
        fields
    }

    /// Returns the field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.list.iter().find(|field| field.name == name)
    }

    /// Returns the field at a dotted path, if it is listed.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Field> {
        match path.split_once('.') {
            None => self.get(path),
            Some((name, rest)) => self.get(name)?.below.as_ref()?.at(rest),
        }
    }

    /// Returns the fields in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.list.iter()
    }

    /// Returns whether fields that are not listed are accepted too.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns whether a dotted path (with `[]` or an index for lists) can be written.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let name = name.split('[').next().unwrap_or(name);
        match (self.get(name), rest) {
            (None, _) => self.open || name == "*" || name == "**",
            (Some(_), None) => true,
            (Some(field), Some(rest)) => field.below.as_ref().is_none_or(|below| below.has(rest)),
        }
    }

    /// Splits a body into the fields that can be written for this purpose and the rest.
    ///
    /// The rest keeps its structure: an unwritable field of an object stays inside an object of that name.
    #[must_use]
    pub fn split(&self, body: Body, purpose: RequestPurpose) -> (Body, Body) {
        let (kept, left) = self.split_object(body.0, purpose);
        (Body(kept), Body(left))
    }

    /// Returns the part of a body that can be sent: without nulls at any depth, and without empty values where they are
    /// refused.
    ///
    /// A null in a response means the same as an absent field, but would be stored if it were sent. A value without
    /// listed fields (`actions` of a flow) is content and not modified.
    #[must_use]
    pub(crate) fn sendable(&self, object: Map<String, Value>) -> Map<String, Value> {
        let sendable = object.into_iter().filter_map(|(name, value)| {
            let field = self.get(&name);
            let value = match field {
                Some(Field { below: Some(below), .. }) => below.sendable_value(value),
                Some(_) => value,
                None => Self::open().sendable_value(value),
            };
            let is_refused = value.is_null() || (is_empty(&value) && field.is_some_and(|field| field.refuses_empty));
            (!is_refused).then_some((name, value))
        });
        sendable.collect()
    }

    fn sendable_value(&self, value: Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(self.sendable(object)),
            Value::Array(list) => Value::Array(list.into_iter().map(|element| self.sendable_value(element)).collect()),
            plain => plain,
        }
    }

    fn open() -> Self {
        Self { list: Vec::new(), open: true }
    }

    fn split_object(&self, object: Map<String, Value>, purpose: RequestPurpose) -> (Map<String, Value>, Map<String, Value>) {
        let (mut kept, mut left) = (Map::new(), Map::new());
        for (name, value) in object {
            match self.get(&name) {
                Some(field) if field.is_for(purpose) => {
                    let (inside, outside) = match &field.below {
                        Some(below) => below.split_value(value, purpose),
                        None => (value, None),
                    };
                    if let Some(outside) = outside {
                        left.insert(name.clone(), outside);
                    }
                    kept.insert(name, inside);
                }
                None if self.open => {
                    kept.insert(name, value);
                }
                Some(_) | None => {
                    left.insert(name, value);
                }
            }
        }
        (kept, left)
    }

    fn split_value(&self, value: Value, purpose: RequestPurpose) -> (Value, Option<Value>) {
        match value {
            Value::Object(object) => {
                let (kept, left) = self.split_object(object, purpose);
                (Value::Object(kept), (!left.is_empty()).then_some(Value::Object(left)))
            }
            Value::Array(list) => {
                let (kept, left): (Vec<_>, Vec<_>) = list.into_iter().map(|element| self.split_value(element, purpose)).unzip();
                let has_left = left.iter().any(Option::is_some);
                let left = left.into_iter().map(|element| element.unwrap_or(Value::Null)).collect();
                (Value::Array(kept), has_left.then_some(Value::Array(left)))
            }
            plain => (plain, None),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn parse_fields(rest: &mut &'static str) -> Fields {
    let mut fields = Fields::default();
    loop {
        *rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('}') {
            return fields;
        }
        if let Some(after) = rest.strip_prefix('*') {
            fields.open = true;
            *rest = after;
            continue;
        }
        fields.list.push(parse_field(rest));
    }
}

fn parse_field(rest: &mut &'static str) -> Field {
    let end = rest.find(|sign: char| !(sign.is_alphanumeric() || "_-:.$#".contains(sign))).unwrap_or(rest.len());
    assert!(end > 0, "field table: a name was expected at {rest:?}");
    let mut field = Field {
        name: &rest[..end],
        written: Writability::Always,
        nullable: false,
        refuses_empty: false,
        in_path: false,
        is_list: false,
        below: None,
    };
    *rest = &rest[end..];
    while let Some(sign) = rest.chars().next() {
        match sign {
            '+' => field.written = Writability::OnCreate,
            '~' => field.written = Writability::OnUpdate,
            '?' => field.nullable = true,
            '!' => field.refuses_empty = true,
            '/' => (field.in_path, field.written) = (true, Writability::OnCreate),
            '[' => field.is_list = true,
            ']' => {}
            '{' => {
                *rest = &rest[1..];
                field.below = Some(parse_fields(rest));
                assert!(rest.starts_with('}'), "field table: \"{}\" is not closed", field.name);
            }
            _ => break,
        }
        *rest = &rest[sign.len_utf8()..];
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_split_at_every_depth() {
        let fields = Fields::parse("name  secret~  id+  mobile{ios{app} *}  scopes?[]{value}");
        let body = Body::from_value(json!({
            "name": "A", "secret": "s", "id": 1, "new": true,
            "mobile": {"ios": {"app": 1, "later": 2}, "other": 3},
            "scopes": [{"value": "a", "more": 1}, {"value": "b"}],
        }))
        .expect("an object");
        let (kept, left) = fields.split(body, RequestPurpose::Create);
        assert_eq!(
            kept.into_value(),
            json!({"name": "A", "id": 1, "mobile": {"ios": {"app": 1}, "other": 3}, "scopes": [{"value": "a"}, {"value": "b"}]})
        );
        assert_eq!(left.into_value(), json!({"secret": "s", "new": true, "mobile": {"ios": {"later": 2}}, "scopes": [{"more": 1}, null]}));
    }

    #[test]
    fn nulls_and_refused_empty_values_are_not_sent() {
        let fields = Fields::parse("languages!  content{from! body} style!{css} options{*} steps");
        let Value::Object(body) = json!({
            "languages": [], "content": {"from": "", "body": ""}, "style": {"css": null}, "steps": [{"value": null}],
            "options": {"a": null, "b": {"c": null, "d": ""}, "e": [{"f": null}]},
        }) else {
            unreachable!("an object")
        };
        let sendable = json!({"content": {"body": ""}, "steps": [{"value": null}], "options": {"b": {"d": ""}, "e": [{}]}});
        assert_eq!(Value::Object(fields.sendable(body)), sendable);
    }

    #[test]
    fn a_path_exists_if_every_segment_is_in_the_table() {
        let fields = Fields::parse("mobile{ios{app} *} callbacks options{*}");
        for path in ["mobile.ios.app", "mobile.huawei", "callbacks[]", "callbacks[0]", "options.any.thing", "*"] {
            assert!(fields.has(path), "{path}");
        }
        for path in ["mobil", "mobile.ios.apps"] {
            assert!(!fields.has(path), "{path}");
        }
    }
}
