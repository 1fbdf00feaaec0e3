//! A schema of the description: made lenient, and compiled on first use.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::formats::FORMATS;
use super::violations::{Violation, violation_list};

const SCHEMAS: &str = "#/components/schemas/";

/// A schema and its validator.
pub(super) struct Schema {
    source: Value,
    validator: OnceLock<Validator>,
}

impl Schema {
    pub(super) fn new(source: &Value) -> Self {
        Self { source: source.clone(), validator: OnceLock::new() }
    }

    pub(super) fn source(&self) -> &Value {
        &self.source
    }

    /// Returns the schema, or the one that it refers to.
    pub(super) fn resolved<'all>(&'all self, document: &'all Value) -> &'all Value {
        let mut schema = &self.source;
        while let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix(SCHEMAS)) {
            schema = &document["components"]["schemas"][name];
        }
        schema
    }

    pub(super) fn has_required_fields(&self, document: &Value) -> bool {
        self.resolved(document)["required"].as_array().is_some_and(|fields| !fields.is_empty())
    }

    pub(super) fn violations(&self, value: &Value, document: &Value) -> Vec<Violation> {
        let validator = self.validator.get_or_init(|| compile(&self.source, document));
        if validator.is_valid(value) { Vec::new() } else { violation_list(validator.iter_errors(value)) }
    }
}

fn compile(schema: &Value, document: &Value) -> Validator {
    let mut needed = BTreeMap::new();
    collect(schema, document, &mut needed);
    let whole = json!({"allOf": [schema], "components": {"schemas": needed}});
    let options = jsonschema::options().should_validate_formats(true).should_ignore_unknown_formats(true);
    let options = FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check));
    options.build(&whole).unwrap_or_else(|error| panic!("a schema of the description does not compile: {error}"))
}

/// Collects all schemas that a schema refers to, so that its validator need not know the whole description.
fn collect<'all>(schema: &Value, document: &'all Value, needed: &mut BTreeMap<String, &'all Value>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS));
            if let Some(name) = name.filter(|name| !needed.contains_key(*name)) {
                let found = &document["components"]["schemas"][name];
                needed.insert(name.to_owned(), found);
                collect(found, document, needed);
            }
            fields.values().for_each(|field| collect(field, document, needed));
        }
        Value::Array(list) => list.iter().for_each(|one| collect(one, document, needed)),
        _ => {}
    }
}

/// Makes a document as lenient as the API.
///
/// Most string formats are Auth0's own and undefined. Alternatives that differ only in such formats all match, so
/// `oneOf` is read as `anyOf`; a format whose name ends in `-or-null` allows null, whatever the type.
pub(super) fn loosen(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(alternatives) = fields.get("oneOf").filter(|one| one.is_array()).cloned() {
                fields.remove("oneOf");
                // If both are present, both must match.
                let key = if fields.contains_key("anyOf") { "allOf" } else { "anyOf" };
                let alternatives = if key == "allOf" { json!([{"anyOf": alternatives}]) } else { alternatives };
                fields.insert(key.to_owned(), alternatives);
            }
            let is_nullable = fields.get("format").and_then(Value::as_str).is_some_and(|format| format.ends_with("-or-null"));
            if is_nullable && fields.get("type").is_some_and(Value::is_string) {
                fields["type"] = json!([fields["type"], "null"]);
            }
            if let Some(Value::String(pattern)) = fields.get_mut("pattern") {
                // In a character class, JavaScript takes a hyphen after a class literally.
                *pattern = pattern.replace(r"[\w-", r"[\w\-");
            }
            fields.values_mut().for_each(loosen);
        }
        Value::Array(list) => list.iter_mut().for_each(loosen),
        _ => {}
    }
}
