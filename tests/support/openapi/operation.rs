//! One operation of the description: its path, query and body.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::schema::Schema;
use super::violations::Violation;

/// A parameter of the path or of the query.
struct Parameter {
    name: String,
    is_in_path: bool,
    is_required: bool,
    schema: Schema,
}

/// One operation of the description.
pub(crate) struct Operation {
    method: String,
    template: String,
    parameters: Vec<Parameter>,
    body: Option<Schema>,
    /// Whether it accepts something other than JSON, such as a file.
    takes_other: bool,
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.template)
    }
}

impl Operation {
    pub(super) fn new(method: &str, template: &str, described: &Value) -> Self {
        let parameters = described["parameters"].as_array().into_iter().flatten();
        let content = &described["requestBody"]["content"];
        Self {
            method: method.to_uppercase(),
            template: template.to_owned(),
            parameters: parameters.filter(|one| one["in"] != "header").map(Parameter::new).collect(),
            body: content["application/json"].get("schema").map(Schema::new),
            takes_other: content.get("multipart/form-data").is_some(),
        }
    }

    /// Returns the schema of its body, if it has one; references in it lead into the whole description.
    pub(crate) fn body(&self) -> Option<&Value> {
        self.body.as_ref().map(Schema::source)
    }

    pub(super) fn first_name(&self) -> &str {
        self.names().next().unwrap_or_default()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.template.trim_start_matches('/').split('/')
    }

    /// Returns whether a path, split into segments, matches.
    pub(super) fn is_at(&self, names: &[&str]) -> bool {
        self.names().count() == names.len()
            && self.names().zip(names).all(|(own, name)| if is_place(own) { !name.is_empty() } else { own == *name })
    }

    /// Returns which segments are parameters, so that the most literal of several paths sorts first.
    pub(super) fn open_places(&self) -> Vec<bool> {
        self.names().map(is_place).collect()
    }

    pub(super) fn path_violations(&self, path: &str, document: &Value) -> Vec<Violation> {
        let names = path.trim_start_matches('/').split('/');
        let places = self.names().zip(names).filter(|(own, _)| is_place(own));
        let violations = places.flat_map(|(place, name)| {
            let bare = place.trim_matches(['{', '}']);
            let parameter = self.parameters.iter().find(|one| one.is_in_path && one.name == bare);
            parameter.map(|one| one.violations(place, &[decoded(name)], document)).unwrap_or_default()
        });
        violations.collect()
    }

    pub(super) fn query_violations(&self, query: &str, document: &Value) -> Vec<Violation> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            given.entry(decoded(name)).or_default().push(decoded(value));
        }
        let known: Vec<&Parameter> = self.parameters.iter().filter(|one| !one.is_in_path).collect();
        let missing = known.iter().filter(|one| one.is_required && !given.contains_key(&one.name));
        let mut violations: Vec<Violation> = missing.map(|one| Violation::new(&format!("?{}", one.name), "missing")).collect();
        for (name, values) in &given {
            let place = format!("?{name}");
            match known.iter().find(|one| one.name == *name) {
                Some(parameter) => violations.extend(parameter.violations(&place, values, document)),
                None => violations.push(Violation::new(&place, "unknown parameter")),
            }
        }
        violations
    }

    pub(super) fn body_violations(&self, body: Option<&Value>, document: &Value) -> Vec<Violation> {
        match (&self.body, body) {
            (Some(schema), Some(body)) => schema.violations(body, document),
            (Some(schema), None) if schema.has_required_fields(document) => vec![Violation::new("body", "missing")],
            (None, Some(_)) if !self.takes_other => vec![Violation::new("body", "unexpected body")],
            (Some(_) | None, _) => Vec::new(),
        }
    }
}

impl Parameter {
    fn new(described: &Value) -> Self {
        Self {
            name: described["name"].as_str().expect("a parameter has a name").to_owned(),
            is_in_path: described["in"] == "path",
            is_required: described["required"] == true,
            schema: Schema::new(&described["schema"]),
        }
    }

    fn violations(&self, place: &str, values: &[String], document: &Value) -> Vec<Violation> {
        let schema = self.schema.resolved(document);
        let value = match (schema["type"].as_str(), values) {
            (Some("array"), many) => many.iter().map(|one| Value::from(one.as_str())).collect(),
            (kind, [one]) => read_as(kind, one),
            (_, _) => return vec![Violation::new(place, "given more than once")],
        };
        self.schema.violations(&value, document).into_iter().map(|found| Violation::new(place, &found.what)).collect()
    }
}

/// Parses a parameter as its type; if that fails it stays text, which violates the schema.
fn read_as(kind: Option<&str>, text: &str) -> Value {
    let read = match kind {
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        Some("integer" | "number") => serde_json::from_str(text).ok(),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

fn is_place(name: &str) -> bool {
    name.starts_with('{')
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
