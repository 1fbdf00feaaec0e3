//! Which fields of a kind can be written, as data.
//!
//! Request bodies of the Management API are closed: one unknown field fails the whole call (api description: every create and
//! update schema has `additionalProperties: false`). So an outgoing body is projected on this list, never filtered by a list of
//! what to leave out. The list is text, one entry a field:
//!
//! ```text
//! name                    can be created and updated
//! identifier+             only when the resource is created
//! client_secret~          only in an update
//! scope?                  an update may send null, which clears it
//! locales!                refuses an empty list, text or object
//! organization/           stands in the path of the request, not in what is sent
//! mobile{ios{app} *}      an object with these fields; `*` leaves it open to others
//! scopes[]{value text}    a list of such objects
//! ```

use serde_json::{Map, Value};

use crate::json::Body;

/// When a field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writability {
    /// In a create and in an update.
    Always,
    /// Only when the resource is created.
    OnCreate,
    /// Only in an update.
    OnUpdate,
}

/// Which request a body is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPurpose {
    /// The request that creates a resource.
    Create,
    /// The request that changes one.
    Update,
    /// What a snapshot holds: everything writable at any time.
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
    /// Whether an empty list, text or object is refused; such a value is not sent.
    pub refuses_empty: bool,
    /// Whether it stands in the path of the request, and not in what is sent.
    pub in_path: bool,
    /// Whether it is a list of what stands below.
    pub is_list: bool,
    /// What an object (or each object of a list) may hold; absent when any value passes.
    pub below: Option<Fields>,
}

/// The writable fields of a kind, or of an object inside one.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    list: Vec<Field>,
    open: bool,
}

impl Field {
    /// Returns whether it may hold fields that are not listed, at any depth.
    #[must_use]
    pub fn is_open_anywhere(&self) -> bool {
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
    /// Reads the notation of the module's documentation.
    ///
    /// # Panics
    ///
    /// When the text is not in that notation; a test of the catalog reads every table.
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

    /// Returns the entry for a dotted path; nothing for what an open object holds.
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

    /// Returns whether fields that are not listed may be written too.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns whether a dotted path (lists as `[]` or with an index) names something that can be written.
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

    /// Splits a body into what can be written for this purpose and what cannot.
    ///
    /// The second half keeps the shape of the first: what is not writable inside an object stays inside an object of that name.
    #[must_use]
    pub fn split(&self, body: Body, purpose: RequestPurpose) -> (Body, Body) {
        let (kept, left) = self.split_object(body.0, purpose);
        (Body(kept), Body(left))
    }

    /// Returns what a body says that can be sent: without nulls at any depth, and without blanks where they are refused.
    ///
    /// A null that a tenant answers says no more than an absent field, and is stored where it is sent. A value that no entry looks into
    /// (`actions` of a flow) is content, and stays as it is.
    #[must_use]
    pub fn sendable(&self, object: Map<String, Value>) -> Map<String, Value> {
        let said = object.into_iter().filter_map(|(name, value)| {
            let field = self.get(&name);
            let value = match field {
                Some(Field { below: Some(below), .. }) => below.sendable_value(value),
                Some(_) => value,
                None => Self::open().sendable_value(value),
            };
            let is_refused = value.is_null() || (is_empty(&value) && field.is_some_and(|field| field.refuses_empty));
            (!is_refused).then_some((name, value))
        });
        said.collect()
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
    fn a_body_is_projected_at_every_depth_and_the_rest_is_kept_apart() {
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
    fn what_says_nothing_and_what_is_refused_empty_is_not_said() {
        let fields = Fields::parse("languages!  content{from! body} style!{css} options{*} steps");
        let Value::Object(body) = json!({
            "languages": [], "content": {"from": "", "body": ""}, "style": {"css": null}, "steps": [{"value": null}],
            "options": {"a": null, "b": {"c": null, "d": ""}, "e": [{"f": null}]},
        }) else {
            unreachable!("an object")
        };
        let said = json!({"content": {"body": ""}, "steps": [{"value": null}], "options": {"b": {"d": ""}, "e": [{}]}});
        assert_eq!(Value::Object(fields.sendable(body)), said);
    }

    #[test]
    fn a_path_exists_when_every_step_of_it_is_in_the_table() {
        let fields = Fields::parse("mobile{ios{app} *} callbacks options{*}");
        for path in ["mobile.ios.app", "mobile.huawei", "callbacks[]", "callbacks[0]", "options.any.thing", "*"] {
            assert!(fields.has(path), "{path}");
        }
        for path in ["mobil", "mobile.ios.apps"] {
            assert!(!fields.has(path), "{path}");
        }
    }
}
