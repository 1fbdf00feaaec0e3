//! Validates values against schemas, with the JSON Schema keywords that the OpenAPI description of requests uses.
//!
//! A library for all of JSON Schema takes 220 s of CPU to build for release, more than half of all else. A test breaks
//! each value of the recorded writes and expects nine in ten of those that such a library refuses to be refused here.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::formats;
use super::violation::Violation;

/// Checks values against schemas.
pub(super) struct Checker<'schemas> {
    /// The targets of `$ref`, by name.
    pub(super) shapes: &'schemas HashMap<String, Value>,
    /// Whether the API is known to accept a violation.
    pub(super) is_accepted: &'schemas dyn Fn(&Violation) -> bool,
}

impl Checker<'_> {
    /// Returns the violations of a schema; for `anyOf`, those of the best matching alternative.
    pub(super) fn violations(&self, schema: &Value, value: &Value, place: &str) -> Vec<Violation> {
        let Value::Object(keywords) = schema else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(shape) =
            keywords.get("$ref").and_then(Value::as_str).and_then(|path| self.shapes.get(path.trim_start_matches("#/shapes/")))
        {
            found.extend(self.violations(shape, value, place));
        }
        let parts = keywords.get("allOf").and_then(Value::as_array).into_iter().flatten();
        found.extend(parts.flat_map(|part| self.violations(part, value, place)));
        if let Some(alternatives) = keywords.get("anyOf").and_then(Value::as_array) {
            let broken = alternatives.iter().map(|one| self.violations(one, value, place));
            let misfit = |broken: &Vec<Violation>| (broken.iter().filter(|one| one.is_wrong_alternative()).count(), broken.len());
            found.extend(broken.min_by_key(misfit).unwrap_or_default());
        }
        found.extend(self.kept(value_violation(keywords, value, place)));
        match value {
            Value::Object(fields) => found.extend(self.field_violations(keywords, fields, place)),
            Value::Array(list) => {
                let elements = list.iter().enumerate().filter_map(|(at, element)| Some((keywords.get("items")?, at, element)));
                found.extend(elements.flat_map(|(schema, at, element)| self.violations(schema, element, &format!("{place}[{at}]"))));
            }
            _ => {}
        }
        found
    }

    fn field_violations(&self, keywords: &Map<String, Value>, fields: &Map<String, Value>, place: &str) -> Vec<Violation> {
        if !allows_type(keywords, "object") {
            return Vec::new();
        }
        let (known, others) = (keywords.get("properties").and_then(Value::as_object), keywords.get("additionalProperties"));
        let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut found: Vec<Violation> = required
            .filter(|name| !fields.contains_key(*name))
            .filter_map(|name| self.kept(Some(Violation::missing(place, name))))
            .collect();
        for (name, value) in fields {
            let below = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            match known.and_then(|known| known.get(name)).or(others) {
                Some(Value::Bool(false)) => found.extend(self.kept(Some(Violation::surplus(place, name)))),
                Some(schema) => found.extend(self.violations(schema, value, &below)),
                None => {}
            }
        }
        found
    }

    fn kept(&self, violation: Option<Violation>) -> Option<Violation> {
        violation.filter(|violation| !(self.is_accepted)(violation))
    }
}

/// Returns the violation of the value itself, without its fields; the type is checked first.
fn value_violation(keywords: &Map<String, Value>, value: &Value, place: &str) -> Option<Violation> {
    if !has_type(keywords, value) {
        let keyword = if value.is_null() { "null" } else { "type" };
        let reason = format!("'Expected type {} but found type {}'", types(keywords).join(","), type_of(value));
        return Some(Violation::of_value(place, keyword, reason).allowing(types(keywords).into_iter().map(Value::from).collect()));
    }
    let is_other = |word: &str| match (word, keywords.get(word)) {
        ("enum", Some(Value::Array(allowed))) => !allowed.contains(value),
        ("const", Some(only)) => value != only,
        _ => false,
    };
    if let Some(keyword) = ["enum", "const"].into_iter().find(|word| is_other(word)) {
        let allowed = match &keywords[keyword] {
            Value::Array(allowed) => allowed.clone(),
            only => vec![only.clone()],
        };
        return Some(Violation::of_value(place, keyword, format!("'No enum match for: {value}'")).allowing(allowed));
    }
    let (keyword, reason) = match value {
        Value::String(text) => out_of_length(keywords, text).or_else(|| formats::broken(keywords, text)),
        Value::Number(number) => out_of_range(keywords, number.as_f64()?, value),
        Value::Array(list) => out_of_count(keywords, list.len(), ["minItems", "maxItems"], "Array").or_else(|| duplicates(keywords, list)),
        Value::Object(fields) => out_of_count(keywords, fields.len(), ["minProperties", "maxProperties"], "properties"),
        _ => None,
    }?;
    Some(Violation::of_value(place, keyword, reason))
}

type Finding = Option<(&'static str, String)>;

fn out_of_length(keywords: &Map<String, Value>, text: &str) -> Finding {
    let length = text.chars().count();
    match (limit(keywords, "minLength"), limit(keywords, "maxLength")) {
        (Some(least), _) if length < least => Some(("minLength", format!("'String is too short ({length} chars), minimum {least}'"))),
        (_, Some(most)) if length > most => Some(("maxLength", format!("'String is too long ({length} chars), maximum {most}'"))),
        _ => None,
    }
}

fn out_of_range(keywords: &Map<String, Value>, number: f64, value: &Value) -> Finding {
    let bound = |word: &str| keywords.get(word).and_then(Value::as_f64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => Some(("minimum", format!("'Value {value} is less than minimum {least}'"))),
        (_, Some(most)) if number > most => Some(("maximum", format!("'Value {value} is greater than maximum {most}'"))),
        _ => None,
    }
}

fn out_of_count(keywords: &Map<String, Value>, count: usize, [least, most]: [&'static str; 2], what: &str) -> Finding {
    let [short, long] = match what {
        "Array" => ["Array is too short", "Array is too long"],
        _ => ["Too few properties defined", "Too many properties defined"],
    };
    match (limit(keywords, least), limit(keywords, most)) {
        (Some(limit), _) if count < limit => Some((least, format!("'{short} ({count}), minimum {limit}'"))),
        (_, Some(limit)) if count > limit => Some((most, format!("'{long} ({count}), maximum {limit}'"))),
        _ => None,
    }
}

fn duplicates(keywords: &Map<String, Value>, list: &[Value]) -> Finding {
    if keywords.get("uniqueItems") != Some(&Value::Bool(true)) {
        return None;
    }
    let twin = |at: usize| list[..at].iter().position(|earlier| *earlier == list[at]).map(|earlier| (earlier, at));
    let (earlier, at) = (0..list.len()).find_map(twin)?;
    Some(("uniqueItems", format!("'Array items are not unique (indexes {earlier} and {at})'")))
}

fn limit(keywords: &Map<String, Value>, word: &str) -> Option<usize> {
    keywords.get(word).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
}

/// Returns the types that a schema names; empty if it allows all.
fn types(keywords: &Map<String, Value>) -> Vec<&str> {
    match keywords.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn allows_type(keywords: &Map<String, Value>, wanted: &str) -> bool {
    let types = types(keywords);
    types.is_empty() || types.contains(&wanted)
}

fn has_type(keywords: &Map<String, Value>, value: &Value) -> bool {
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    allows_type(keywords, type_of(value)) || (is_whole && allows_type(keywords, "integer"))
}

/// Returns the JSON type of a value.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
