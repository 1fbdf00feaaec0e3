//! The shapes of requests that the sandbox ships are those of Auth0's OpenAPI description, and what recordings show to be
//! taken besides.
//!
//! `UPDATE_SCHEMA=1 cargo test --test integration schema` writes them anew from `management-api-oas.json.gz`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use flate2::read::GzDecoder;
use migrate::sandbox::{Break, breaks};
use serde_json::{Map, Value, json};

use crate::coverage::is_left_out;
use crate::recorded::{rows, text};
use crate::reference;

/// Where the description's own words stand in for what is carried over: names, types and limits, no sentences.
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

/// The description, and the names of its shapes that are needed so far.
struct Reader {
    description: Value,
    needed: BTreeSet<String>,
}

impl Reader {
    /// Returns a schema with what limits a value, and notes the shapes it refers to.
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
                // Alternatives that differ by an unknown format alone would both match.
                "oneOf" | "anyOf" | "allOf" => {
                    let word = if word == "allOf" { word } else { "anyOf" };
                    let below = value.as_array().expect("schemas").iter().map(|below| self.carried(below)).collect();
                    carried.insert(word.to_owned(), below);
                }
                // A hyphen behind a class is itself to JavaScript, and an error to others.
                "pattern" => drop(carried.insert(word.clone(), value.as_str().expect("a pattern").replace(r"[\w-", r"[\w\-").into())),
                "items" | "additionalProperties" => drop(carried.insert(word.clone(), self.carried(value))),
                known if CARRIED.contains(&known) => drop(carried.insert(word.clone(), value.clone())),
                _ => {}
            }
        }
        Value::Object(carried)
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

/// Paths at which the sandbox also answers by the methods and old names that the program does not use.
const SERVED: [&str; 3] = ["/email-templates", "/guardian/factors/", "/network-acls"];

/// Returns whether the sandbox has to judge an operation.
fn is_served(operation: &str) -> bool {
    let path = operation.split_once(' ').map_or(operation, |(_, path)| path);
    !is_left_out(operation) || SERVED.iter().any(|served| path.starts_with(served))
}

/// Returns the file as the description has it; an entry a line, so that a change of the description is read as one.
fn written(description: Value, wider: &BTreeMap<Break, String>) -> String {
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
    let wider = wider.iter().map(|(Break { operation, place, keyword }, recording)| {
        json!({"operation": operation, "place": place, "keyword": keyword, "recording": recording}).to_string()
    });
    text + &format!("}},\n\"wider\": [\n{}\n]\n}}\n", wider.collect::<Vec<_>>().join(",\n"))
}

/// Returns what recordings show to be taken though the description does not allow it, each with the first recording that shows it.
fn wider() -> Option<BTreeMap<Break, String>> {
    let mut wider = BTreeMap::new();
    let rows = rows("traffic.jsonl.gz")?;
    let is_taken = |row: &&Value| row["status"].as_u64().is_some_and(|status| status < 300) && !row["request_body"].is_null();
    for row in rows.iter().filter(is_taken) {
        for one in breaks(text(row, "method"), text(row, "path"), &row["request_body"]) {
            wider.entry(one).or_insert_with(|| format!("{} {}#{}", text(row, "source"), text(row, "cassette"), row["seq"]));
        }
    }
    Some(wider)
}

#[test]
fn the_shapes_of_requests_are_those_of_the_description() {
    let Some(file) = reference::open("management-api-oas.json.gz") else { return };
    let Some(wider) = wider() else { return };
    let text = written(serde_json::from_reader(GzDecoder::new(file)).expect("JSON"), &wider);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/schema/requests.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let is_same = std::fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_same, "UPDATE_SCHEMA=1 cargo test --test integration schema writes it anew");
}
