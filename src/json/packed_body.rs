//! `PackedBody`: a body as compact text, which takes a sixth of the memory of an unpacked one.
//!
//! Each field of an unpacked body needs a node and a name of its own, which ten thousand clients that are not in use
//! can do without.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::body::Body;

/// A body as its canonical text, so that equal bodies are equal texts.
///
/// A body without fields needs no allocation.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PackedBody(Box<str>);

impl JsonSchema for PackedBody {
    fn schema_name() -> Cow<'static, str> {
        Body::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Body::json_schema(generator)
    }
}

impl PackedBody {
    /// Returns an unpacked copy of the body.
    #[must_use]
    pub fn open(&self) -> Body {
        self.read(|text| serde_json::from_str(text))
    }

    /// Returns the body with only those fields that these paths lead into; skipping the others is cheap.
    #[must_use]
    pub fn pick(&self, paths: &[&str]) -> Body {
        self.read(|text| Picked(paths).deserialize(&mut serde_json::Deserializer::from_str(text)))
    }

    /// Changes the body; returns the result of `change`.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut Body) -> T) -> T {
        let mut body = self.open();
        let told = change(&mut body);
        *self = body.into();
        told
    }

    /// Returns whether the body has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a character outside ASCII occurs anywhere in the body.
    #[must_use]
    pub fn has(&self, sign: char) -> bool {
        self.0.contains(sign)
    }

    fn read(&self, read: impl FnOnce(&str) -> serde_json::Result<Body>) -> Body {
        if self.is_empty() { Body::new() } else { read(&self.0).expect("it was packed from a body") }
    }
}

impl From<Body> for PackedBody {
    fn from(body: Body) -> Self {
        if body.is_empty() {
            return Self::default();
        }
        Self(serde_json::to_string(&body).expect("a body is JSON").into())
    }
}

/// Formats it like the unpacked body.
impl fmt::Debug for PackedBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.open().fmt(out)
    }
}

impl Serialize for PackedBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.open().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PackedBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Body::deserialize(deserializer).map(Self::from)
    }
}

/// Deserializes only the fields of a body that some paths lead into.
struct Picked<'paths>(&'paths [&'paths str]);

impl Picked<'_> {
    fn leads_into(&self, name: &str) -> bool {
        self.0.iter().any(|path| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    }
}

impl<'de> DeserializeSeed<'de> for Picked<'_> {
    type Value = Body;

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<Body, D::Error> {
        text.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Picked<'_> {
    type Value = Body;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a body")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Body, A::Error> {
        let mut body = Body::new();
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            if self.leads_into(&name) {
                body.0.insert(name.into_owned(), fields.next_value()?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    #[test]
    fn packing_is_lossless_and_equal_bodies_are_equal_texts() {
        let value = json!({"b": {"y": [1, 1.0, null, "ä \"\n"], "x": {}}, "a": "⟦clients/Web⟧"});
        let packed = PackedBody::from(body(value.clone()));
        assert_eq!(packed.open(), body(value));
        let read: PackedBody =
            serde_json::from_str(r#" { "a": "⟦clients/Web⟧", "b": {"x": {}, "y": [1, 1.0, null, "ä \"\n"]} } "#).expect("JSON");
        assert_eq!(read, packed);
        assert!(packed.has('⟦') && !packed.has('⟨'));
    }

    #[test]
    fn a_body_without_fields_is_empty_however_it_was_built() {
        let mut packed = PackedBody::from(body(json!({"a": 1})));
        packed.change(|body| body.take("a"));
        assert_eq!((packed.is_empty(), packed.open(), packed.clone()), (true, Body::new(), PackedBody::default()));
        assert_eq!(serde_json::to_string(&packed).expect("JSON"), "{}");
    }

    #[test]
    fn only_the_fields_that_a_path_leads_into_are_picked() {
        let packed = PackedBody::from(body(json!({"a": {"x": 1, "y": 2}, "ab": 3, "l": [{"x": 4}], "z\"": 5})));
        assert_eq!(packed.pick(&["a.x", "l[].x"]), body(json!({"a": {"x": 1, "y": 2}, "l": [{"x": 4}]})));
        assert_eq!(packed.pick(&["z\"", "none"]), body(json!({"z\"": 5})));
    }
}
