//! The sandbox's request schemas equal those of the OpenAPI description, plus what recordings show to be accepted.
//!
//! `UPDATE_SCHEMA=1 cargo test --test integration schema` regenerates them from `management-api-oas.json.gz`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use auth0_migrate::sandbox::{SchemaViolation, schema_violations};
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use crate::catalog::api_coverage::{is_left_out, plain};
use crate::catalog::sdk_types;
use crate::recordings::replay::{rows, text};
use crate::support::auth0_reference;
use crate::support::openapi::sdk_additions::SENT;

/// The keywords that are copied: names, types and limits, no prose.
const CARRIED: [&str; 21] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "type",
    "uniqueItems",
];

const SHAPES: &str = "#/components/schemas/";

/// The description, and the names of the schemas needed so far.
struct Reader {
    description: Value,
    needed: BTreeSet<String>,
}

impl Reader {
    /// Returns a schema with only the copied keywords, and records the schemas that it refers to.
    fn carried(&mut self, schema: &Value) -> Value {
        let Value::Object(fields) = schema else { return schema.clone() };
        let mut carried = Map::new();
        for (word, value) in fields {
            match word.as_str() {
                "$ref" => {
                    let name = value.as_str().and_then(|path| path.strip_prefix(SHAPES)).expect("a shape");
                    self.needed.insert(name.to_owned());
                    carried.insert("$ref".to_owned(), format!("#/shapes/{name}").into());
                }
                "properties" => {
                    let below = value.as_object().expect("properties").iter().map(|(name, below)| (name.clone(), self.carried(below)));
                    carried.insert(word.clone(), Value::Object(below.collect()));
                }
                // Alternatives that differ only in an unknown format would both match.
                "oneOf" | "anyOf" | "allOf" => {
                    let word = if word == "allOf" { word } else { "anyOf" };
                    let below = value.as_array().expect("schemas").iter().map(|below| self.carried(below)).collect();
                    carried.insert(word.to_owned(), below);
                }
                // A hyphen after a class is literal in JavaScript, and an error elsewhere.
                "pattern" => drop(carried.insert(word.clone(), value.as_str().expect("a pattern").replace(r"[\w-", r"[\w\-").into())),
                "items" | "additionalProperties" => drop(carried.insert(word.clone(), self.carried(value))),
                known if CARRIED.contains(&known) => drop(carried.insert(word.clone(), value.clone())),
                _ => {}
            }
        }
        Value::Object(carried)
    }

    /// Returns whether a schema restricts a text in any way.
    fn is_limited(&self, schema: &Value) -> bool {
        let shape = schema["$ref"].as_str().and_then(|path| path.strip_prefix(SHAPES));
        let schema = shape.map_or(schema, |name| &self.description["components"]["schemas"][name]);
        ["enum", "maxLength", "minLength", "pattern"].iter().any(|word| schema.get(word).is_some())
    }

    fn operation(&mut self, above: &Value, operation: &Value) -> Value {
        let mut carried = Map::new();
        let parameters: Vec<Value> = [above, operation].iter().filter_map(|of| of["parameters"].as_array()).flatten().cloned().collect();
        let query: Map<String, Value> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| (parameter["name"].as_str().expect("a name").to_owned(), self.carried(&parameter["schema"])))
            .collect();
        carried.insert("query".to_owned(), Value::Object(query));
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let limited: Vec<&Value> = in_path.filter(|parameter| self.is_limited(&parameter["schema"])).collect();
        let path: Map<String, Value> = limited
            .into_iter()
            .map(|parameter| (parameter["name"].as_str().expect("a name").to_owned(), self.carried(&parameter["schema"])))
            .collect();
        if !path.is_empty() {
            carried.insert("path".to_owned(), Value::Object(path));
        }
        if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
            carried.insert("body".to_owned(), self.carried(body));
            carried.insert("is_body_required".to_owned(), (operation["requestBody"]["required"] == true).into());
        }
        Value::Object(carried)
    }

    fn shapes(&mut self) -> BTreeMap<String, Value> {
        let mut shapes = BTreeMap::new();
        while let Some(name) = self.needed.iter().find(|name| !shapes.contains_key(*name)).cloned() {
            let shape = self.description["components"]["schemas"][&name].clone();
            let carried = self.carried(&shape);
            shapes.insert(name, carried);
        }
        shapes
    }
}

/// Paths at which the sandbox also serves methods and old names that the program does not use.
const SERVED: [&str; 3] = ["/email-templates", "/guardian/factors/", "/network-acls"];

/// Returns whether the sandbox must validate an operation.
fn is_served(operation: &str) -> bool {
    let path = operation.split_once(' ').map_or(operation, |(_, path)| path);
    !is_left_out(operation) || SERVED.iter().any(|served| path.starts_with(served))
}

/// Returns the file according to the description, with one entry per line, so that a change of the description is a
/// readable diff.
fn written(description: Value, wider: &BTreeMap<SchemaViolation, String>) -> String {
    let paths = description["paths"].clone();
    let mut reader = Reader { description, needed: BTreeSet::new() };
    let mut operations = BTreeMap::new();
    for (path, item) in paths.as_object().expect("paths") {
        for method in ["get", "post", "put", "patch", "delete"] {
            let name = format!("{} {path}", method.to_uppercase());
            if let (Some(operation), true) = (item.get(method), is_served(&name)) {
                operations.insert(name, reader.operation(item, operation));
            }
        }
    }
    let shapes = reader.shapes();
    let source = "OpenAPI description of Auth0's Management API, 2026-06-25 (docs commit 7025885d3)";
    let mut text = format!("{{\n\"source\": {},\n", json!(source));
    let lines =
        |entries: &BTreeMap<String, Value>| entries.iter().map(|(name, value)| format!("{}: {value}", json!(name))).collect::<Vec<_>>();
    let _ = write!(text, "\"operations\": {{\n{}\n}},\n", lines(&operations).join(",\n"));
    let _ = write!(text, "\"shapes\": {{\n{}\n", lines(&shapes).join(",\n"));
    let mut wider = wider.clone();
    for (one, sent) in newer(&operations, &shapes) {
        wider.entry(one).or_insert(sent);
    }
    let wider = wider.iter().map(|(SchemaViolation { operation, place, keyword }, recording)| {
        json!({"operation": operation, "place": place, "keyword": keyword, "recording": recording}).to_string()
    });
    text + &format!("}},\n\"wider\": [\n{}\n]\n}}\n", wider.collect::<Vec<_>>().join(",\n"))
}

/// Returns the deviations that recordings show to be accepted, each with the first such recording.
fn wider() -> Option<BTreeMap<SchemaViolation, String>> {
    let mut wider = BTreeMap::new();
    let rows = rows("traffic.jsonl.gz")?;
    let is_taken = |row: &&Value| row["status"].as_u64().is_some_and(|status| status < 300);
    for row in rows.iter().filter(is_taken) {
        for one in schema_violations(text(row, "method"), text(row, "path"), &row["request_body"]) {
            wider.entry(one).or_insert_with(|| format!("{} {}#{}", text(row, "source"), text(row, "cassette"), row["seq"]));
        }
    }
    Some(wider)
}

/// Returns the fields that Auth0's newest SDK sends and that the description lacks in every alternative.
fn newer(operations: &BTreeMap<String, Value>, shapes: &BTreeMap<String, Value>) -> BTreeMap<SchemaViolation, String> {
    let mut newer = BTreeMap::new();
    for (name, fields) in sdk_types::requests() {
        let Some((at, described)) = operations.iter().find(|(described, _)| plain(described) == name) else { continue };
        if name.starts_with("GET ") {
            let words = fields.iter().filter(|word| described["query"].get(word.name).is_none());
            let too_much = |word: &str| SchemaViolation {
                operation: at.clone(),
                place: format!("?{word}"),
                keyword: "additionalProperties".to_owned(),
            };
            newer.extend(words.map(|word| (too_much(word.name), SENT.to_owned())));
            continue;
        }
        let unknown = |path: &String| !knows(shapes, &described["body"], &path.split('.').collect::<Vec<_>>());
        for path in sdk_types::paths(&fields).iter().filter(|path| unknown(path)) {
            newer.extend(surplus(&name, path).map(|one| (one, SENT.to_owned())));
        }
    }
    newer
}

/// Returns whether some alternative of a schema has a field at this path.
fn knows(shapes: &BTreeMap<String, Value>, schema: &Value, names: &[&str]) -> bool {
    let Some((first, rest)) = names.split_first() else { return true };
    let shape = schema["$ref"].as_str().and_then(|path| shapes.get(path.trim_start_matches("#/shapes/")));
    let parts = ["allOf", "anyOf"].iter().filter_map(|word| schema[*word].as_array()).flatten();
    let mut alternatives = parts.chain(shape).chain(schema.get("items"));
    let below = schema["properties"].get(*first).or_else(|| schema.get("additionalProperties").filter(|others| others.is_object()));
    below.is_some_and(|below| knows(shapes, below, rest)) || alternatives.any(|one| knows(shapes, one, names))
}

/// Returns the violation for a surplus field at this path, if the description lacks it.
fn surplus(operation: &str, path: &str) -> Option<SchemaViolation> {
    let (method, form) = operation.split_once(' ').expect("a method and a path");
    let names: Vec<&str> = path.split('.').collect();
    let plain = |one: &SchemaViolation| one.place.replace("[]", "");
    bodies(&names).iter().find_map(|body| {
        let broken = schema_violations(method, &form.replace("{}", "x"), body);
        // Values inside one of the wrong type are not checked.
        let is_unread = broken.iter().any(|one| one.keyword == "type" && path.starts_with(&format!("{}.", plain(one))));
        broken.into_iter().find(|one| !is_unread && one.keyword == "additionalProperties" && plain(one) == path)
    })
}

/// Returns bodies that may contain a field: objects, and lists of them.
fn bodies(names: &[&str]) -> Vec<Value> {
    let Some((first, rest)) = names.split_first() else { return vec![Value::Null] };
    let inside = bodies(rest);
    let lists = inside.iter().filter(|one| one.is_object()).map(|one| json!({*first: [one]}));
    inside.iter().map(|one| json!({*first: one})).chain(lists).collect()
}

#[test]
fn the_request_schemas_equal_those_of_the_description() {
    let Some(file) = auth0_reference::open("management-api-oas.json.gz") else { return };
    let Some(wider) = wider() else { return };
    let text = written(serde_json::from_reader(GzDecoder::new(file)).expect("JSON"), &wider);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/api/schema/requests.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let is_same = std::fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_same, "UPDATE_SCHEMA=1 cargo test --test integration schema writes it anew");
}
