//! A value against a schema: the keywords of JSON Schema that the description of requests uses.
//!
//! Its own code, since a library for all of JSON Schema takes 220 s of CPU to build for release, more than half of all else. A test breaks
//! each value of the recorded writes, and wants nine in ten refused of those that such a library refuses.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::breach::Breach;
use super::formats;

/// Checks values against schemas.
pub(super) struct Checker<'schemas> {
    /// What a `$ref` leads to, by name.
    pub(super) shapes: &'schemas HashMap<String, Value>,
    /// Whether a break is one that the API is known to take.
    pub(super) is_taken: &'schemas dyn Fn(&Breach) -> bool,
}

impl Checker<'_> {
    /// Returns what breaks a schema; of a choice, what breaks the alternative that fits best.
    pub(super) fn breaches(&self, schema: &Value, value: &Value, place: &str) -> Vec<Breach> {
        let Value::Object(words) = schema else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(shape) =
            words.get("$ref").and_then(Value::as_str).and_then(|path| self.shapes.get(path.trim_start_matches("#/shapes/")))
        {
            found.extend(self.breaches(shape, value, place));
        }
        let parts = words.get("allOf").and_then(Value::as_array).into_iter().flatten();
        found.extend(parts.flat_map(|part| self.breaches(part, value, place)));
        if let Some(alternatives) = words.get("anyOf").and_then(Value::as_array) {
            let broken = alternatives.iter().map(|one| self.breaches(one, value, place));
            let misfit = |broken: &Vec<Breach>| (broken.iter().filter(|one| one.is_of_another_choice()).count(), broken.len());
            found.extend(broken.min_by_key(misfit).unwrap_or_default());
        }
        found.extend(self.kept(own_breach(words, value, place)));
        match value {
            Value::Object(fields) => found.extend(self.breaches_of_fields(words, fields, place)),
            Value::Array(list) => {
                let elements = list.iter().enumerate().filter_map(|(at, element)| Some((words.get("items")?, at, element)));
                found.extend(elements.flat_map(|(schema, at, element)| self.breaches(schema, element, &format!("{place}[{at}]"))));
            }
            _ => {}
        }
        found
    }

    fn breaches_of_fields(&self, words: &Map<String, Value>, fields: &Map<String, Value>, place: &str) -> Vec<Breach> {
        if !allows_type(words, "object") {
            return Vec::new();
        }
        let (known, others) = (words.get("properties").and_then(Value::as_object), words.get("additionalProperties"));
        let required = words.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut found: Vec<Breach> =
            required.filter(|name| !fields.contains_key(*name)).filter_map(|name| self.kept(Some(Breach::missing(place, name)))).collect();
        for (name, value) in fields {
            let below = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            match known.and_then(|known| known.get(name)).or(others) {
                Some(Value::Bool(false)) => found.extend(self.kept(Some(Breach::surplus(place, name)))),
                Some(schema) => found.extend(self.breaches(schema, value, &below)),
                None => {}
            }
        }
        found
    }

    fn kept(&self, breach: Option<Breach>) -> Option<Breach> {
        breach.filter(|breach| !(self.is_taken)(breach))
    }
}

/// Returns how a value itself breaks a schema, its type before all else.
fn own_breach(words: &Map<String, Value>, value: &Value, place: &str) -> Option<Breach> {
    if !has_type(words, value) {
        let keyword = if value.is_null() { "null" } else { "type" };
        let reason = format!("'Expected type {} but found type {}'", types(words).join(","), type_of(value));
        return Some(Breach::own(place, keyword, reason));
    }
    let is_other = |word: &str| match (word, words.get(word)) {
        ("enum", Some(Value::Array(allowed))) => !allowed.contains(value),
        ("const", Some(only)) => value != only,
        _ => false,
    };
    if let Some(keyword) = ["enum", "const"].into_iter().find(|word| is_other(word)) {
        return Some(Breach::own(place, keyword, format!("'No enum match for: {value}'")));
    }
    let (keyword, reason) = match value {
        Value::String(text) => out_of_length(words, text).or_else(|| formats::broken(words, text)),
        Value::Number(number) => out_of_range(words, number.as_f64()?, value),
        Value::Array(list) => out_of_count(words, list.len(), ["minItems", "maxItems"], "Array").or_else(|| twins(words, list)),
        Value::Object(fields) => out_of_count(words, fields.len(), ["minProperties", "maxProperties"], "properties"),
        _ => None,
    }?;
    Some(Breach::own(place, keyword, reason))
}

type Broken = Option<(&'static str, String)>;

fn out_of_length(words: &Map<String, Value>, text: &str) -> Broken {
    let length = text.chars().count();
    match (limit(words, "minLength"), limit(words, "maxLength")) {
        (Some(least), _) if length < least => Some(("minLength", format!("'String is too short ({length} chars), minimum {least}'"))),
        (_, Some(most)) if length > most => Some(("maxLength", format!("'String is too long ({length} chars), maximum {most}'"))),
        _ => None,
    }
}

fn out_of_range(words: &Map<String, Value>, number: f64, value: &Value) -> Broken {
    let bound = |word: &str| words.get(word).and_then(Value::as_f64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => Some(("minimum", format!("'Value {value} is less than minimum {least}'"))),
        (_, Some(most)) if number > most => Some(("maximum", format!("'Value {value} is greater than maximum {most}'"))),
        _ => None,
    }
}

fn out_of_count(words: &Map<String, Value>, count: usize, [least, most]: [&'static str; 2], what: &str) -> Broken {
    let [short, long] = match what {
        "Array" => ["Array is too short", "Array is too long"],
        _ => ["Too few properties defined", "Too many properties defined"],
    };
    match (limit(words, least), limit(words, most)) {
        (Some(limit), _) if count < limit => Some((least, format!("'{short} ({count}), minimum {limit}'"))),
        (_, Some(limit)) if count > limit => Some((most, format!("'{long} ({count}), maximum {limit}'"))),
        _ => None,
    }
}

fn twins(words: &Map<String, Value>, list: &[Value]) -> Broken {
    if words.get("uniqueItems") != Some(&Value::Bool(true)) {
        return None;
    }
    let twin = |at: usize| list[..at].iter().position(|earlier| *earlier == list[at]).map(|earlier| (earlier, at));
    let (earlier, at) = (0..list.len()).find_map(twin)?;
    Some(("uniqueItems", format!("'Array items are not unique (indexes {earlier} and {at})'")))
}

fn limit(words: &Map<String, Value>, word: &str) -> Option<usize> {
    words.get(word).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
}

/// Returns the types that a schema allows; none where it names none, and allows all.
fn types(words: &Map<String, Value>) -> Vec<&str> {
    match words.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn allows_type(words: &Map<String, Value>, wanted: &str) -> bool {
    let types = types(words);
    types.is_empty() || types.contains(&wanted)
}

fn has_type(words: &Map<String, Value>, value: &Value) -> bool {
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    allows_type(words, type_of(value)) || (is_whole && allows_type(words, "integer"))
}

/// Returns what JSON calls the type of a value.
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
