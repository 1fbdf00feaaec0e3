//! What a request may hold by Auth0's own OpenAPI description: names, types, limits; no belief of the catalog's.
//!
//! `requests.json` carries over the facts of the description, and what recordings show the API to take besides; a test holds it against
//! both. An operation that the description lacks is not judged here.

mod breach;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::catalog::address::{matched, places};
use breach::Breach;

/// The file as it is written.
#[derive(Deserialize)]
struct Described {
    operations: BTreeMap<String, Operation>,
    /// Where the API is wider than its description.
    wider: Vec<Wider>,
    shapes: HashMap<String, Value>,
}

/// What one operation takes.
#[derive(Deserialize)]
struct Operation {
    query: Map<String, Value>,
    body: Option<Value>,
    #[serde(default)]
    is_body_required: bool,
}

/// A break of the description that a recording shows to be taken.
#[derive(Deserialize)]
struct Wider {
    operation: String,
    place: String,
    keyword: String,
}

static DESCRIBED: LazyLock<Described> =
    LazyLock::new(|| serde_json::from_str(include_str!("requests.json")).expect("schema test: the file is well formed"));

/// An operation, ready to judge requests.
pub(super) struct Judged {
    query: Validator,
    query_types: &'static Map<String, Value>,
    body: Option<Validator>,
    is_body_required: bool,
    wider: Vec<&'static Wider>,
}

/// Returns what judges a request; nothing where the description lacks its operation.
pub(super) fn of(call: &Call) -> Option<Arc<Judged>> {
    static READY: LazyLock<Mutex<HashMap<&'static str, Arc<Judged>>>> = LazyLock::new(Mutex::default);
    let (name, operation) = operation_at(call.method.as_str(), &call.path)?;
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Arc::clone(ready.entry(name).or_insert_with(|| Arc::new(Judged::new(name, operation)))))
}

/// Returns the operation at a path; the one that names most of it wins.
fn operation_at(method: &str, path: &str) -> Option<(&'static str, &'static Operation)> {
    let covering = DESCRIBED.operations.iter().filter_map(|(name, operation)| {
        let (of, form) = name.split_once(' ')?;
        (of == method && matched(form, path).is_some()).then(|| (places(form).count(), name.as_str(), operation))
    });
    covering.min_by_key(|(places, ..)| *places).map(|(_, name, operation)| (name, operation))
}

impl Judged {
    fn new(name: &str, operation: &'static Operation) -> Self {
        let query = json!({"type": "object", "additionalProperties": false, "properties": operation.query});
        Self {
            query: compiled(&query),
            query_types: &operation.query,
            body: operation.body.as_ref().map(compiled),
            is_body_required: operation.is_body_required,
            wider: DESCRIBED.wider.iter().filter(|wider| wider.operation == name).collect(),
        }
    }

    /// Refuses a request that the description does not allow.
    ///
    /// # Errors
    ///
    /// The answer that says why.
    pub(super) fn check(&self, call: &Call) -> Result<(), Answer> {
        self.check_query(&call.query)?;
        self.check_body(&call.body)
    }

    fn check_query(&self, query: &[(String, String)]) -> Result<(), Answer> {
        let asked: Map<String, Value> = query.iter().map(|(name, text)| (name.clone(), typed(self.query_types.get(name), text))).collect();
        let breaches = self.breaches(&self.query, &Value::Object(asked));
        breach::told(&breaches).map_or(Ok(()), |reason| Err(Answer::invalid_query(&reason)))
    }

    fn check_body(&self, body: &Value) -> Result<(), Answer> {
        let Some(schema) = &self.body else { return Ok(()) };
        if body.is_null() && !self.is_body_required {
            return Ok(());
        }
        let breaches = self.breaches(schema, body);
        breach::told(&breaches).map_or(Ok(()), |reason| Err(Answer::invalid_body(&reason)))
    }

    fn breaches(&self, schema: &Validator, value: &Value) -> Vec<Breach> {
        let is_taken = |breach: &Breach| {
            let is_wider = |wider: &&Wider| wider.keyword == breach.keyword() && wider.place == breach.place();
            self.wider.iter().copied().any(|wider| is_wider(&wider))
        };
        breach::found(schema.iter_errors(value), &is_taken)
    }
}

/// A break of Auth0's OpenAPI description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// The operation, such as `PATCH /clients/{id}`.
    pub operation: String,
    /// Where in the body, positions of lists left out: `options.scopes[]`.
    pub place: String,
    /// The keyword of the schema that is broken, such as `minLength`; `null` where null is what has the wrong type.
    pub keyword: String,
}

/// Returns how a body breaks the description, whether or not the API is known to take that; nothing where the operation is not described.
pub fn breaks(method: &str, path: &str, body: &Value) -> Vec<Break> {
    let Some((operation, described)) = operation_at(method, path) else { return Vec::new() };
    let Some(schema) = described.body.as_ref().map(compiled) else { return Vec::new() };
    let found = breach::found(schema.iter_errors(body), &|_| false);
    let named = |breach: &Breach| Break { operation: operation.to_owned(), place: breach.place(), keyword: breach.keyword().to_owned() };
    found.iter().map(named).collect()
}

/// Returns a word of a query as the JSON that its schema means; as a text where it can be nothing else.
fn typed(schema: Option<&Value>, text: &str) -> Value {
    match schema.and_then(|schema| schema["type"].as_str()) {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        Some("array") => text.split(',').collect(),
        _ => text.into(),
    }
}

/// Compiles a schema, together with the shapes that it refers to and they refer to.
fn compiled(schema: &Value) -> Validator {
    let mut shapes = Map::new();
    let mut open = references(schema);
    while let Some(name) = open.pop() {
        if let (false, Some(shape)) = (shapes.contains_key(&name), DESCRIBED.shapes.get(&name)) {
            open.extend(references(shape));
            shapes.insert(name, shape.clone());
        }
    }
    let whole = json!({"allOf": [schema], "shapes": shapes});
    breach::with_formats(jsonschema::draft202012::options()).build(&whole).expect("schema test: every schema compiles")
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/shapes/")).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Method;

    fn refusal(method: &str, target: &str, body: Value) -> Option<String> {
        let call = Call::new(Method::from_bytes(method.as_bytes()).expect("a method"), target, body);
        let judged = of(&call).expect("described");
        let refused = judged.check(&call).err()?;
        assert_eq!(refused.status, 400);
        Some(refused.body["message"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn every_operation_compiles() {
        for (name, operation) in &DESCRIBED.operations {
            drop(Judged::new(name, operation));
        }
    }

    #[test]
    fn what_the_description_does_not_allow_is_named() {
        let told = |method, target, body| refusal(method, target, body).expect("refused");
        let of = |reason: &str| format!("Payload validation error: {reason}.");
        assert_eq!(told("PATCH", "/clients/c", json!({"app_type": ""})), of("'No enum match for: \"\"' on property app_type"));
        assert_eq!(
            told("PATCH", "/clients/c", json!({"jwt_configuration": {"alg": null}})),
            of("'Expected type string but found type null' on property jwt_configuration.alg")
        );
        assert_eq!(told("POST", "/organizations", json!({"name": ""})), of("'String is too short (0 chars), minimum 1' on property name"));
        assert_eq!(told("POST", "/clients", json!({"id": 1})), of("'Additional properties not allowed: id'"));
        assert_eq!(told("POST", "/clients", json!({})), of("'Missing required property: name'"));
        assert_eq!(
            told("PATCH", "/organizations/o", json!({"name": 7})),
            of("'Expected type string but found type number' on property name")
        );
        assert_eq!(
            told("PATCH", "/tenants/settings", json!({"enabled_locales": []})),
            of("'Array is too short (0), minimum 1' on property enabled_locales")
        );
        assert_eq!(refusal("PATCH", "/clients/c", json!({"app_type": "spa", "callbacks": [], "addons": null})), None);
    }

    #[test]
    fn an_unknown_word_of_a_query_is_refused_and_a_known_one_of_another_type_too() {
        let told = |target| refusal("GET", target, Value::Null);
        let of = |reason: &str| Some(format!("Query validation error: {reason}."));
        assert_eq!(told("/clients/c?is_global=false"), of("'Additional properties not allowed: is_global'"));
        assert_eq!(told("/clients?per_page=x"), of("'Expected type integer but found type string' on property per_page"));
        assert_eq!(told("/clients?per_page=1000"), of("'Value 1000 is greater than maximum 100' on property per_page"));
        assert_eq!(told("/clients?per_page=50&include_totals=true&is_global=false&fields=name,client_id"), None);
    }
}
