//! Auth0's OpenAPI description as a validator of requests, independent of the catalog.
//!
//! ```text
//! operation.rs      one operation: path, query and body
//! schema.rs         a schema, made lenient and compiled
//! formats.rs        the formats that can be checked
//! violations.rs     errors of the validator -> place and violation
//! exceptions.rs     where the description is narrower than the API, with the evidence
//! sdk_additions.rs  what the newest SDK sends and the description lacks
//! ```

pub(crate) mod exceptions;
mod formats;
mod operation;
mod schema;
pub(crate) mod sdk_additions;
mod violations;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use serde_json::Value;

pub(crate) use operation::Operation;

use crate::support::auth0_reference;

const FILE: &str = "management-api-oas.json.gz";

/// A violation of the description, without values and ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Break {
    /// The operation, such as `PATCH /clients/{id}`; only the method if it is unknown.
    pub(crate) operation: String,
    /// The place: `app_type`, `addons.aws.principal`, `callbacks[]`, `?per_page`, `{id}`; a key of an open map is `*`,
    /// the body itself `body`.
    pub(crate) place: String,
    /// What is wrong, such as `no enum match` or `wrong type: null for string`.
    pub(crate) what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {}", self.operation, self.place, self.what)
    }
}

/// All described operations.
pub(crate) struct Description {
    /// The operations by method and first segment of the path.
    operations: BTreeMap<(String, String), Vec<Operation>>,
    /// The document that references in schemas lead to.
    document: Value,
}

impl Description {
    /// Loads the description once per process; if it is missing, the running test is skipped.
    pub(crate) fn read() -> Option<&'static Self> {
        static READ: OnceLock<Description> = OnceLock::new();
        let path = auth0_reference::path(FILE)?;
        Some(READ.get_or_init(|| {
            let file = std::fs::File::open(path).expect("it is there");
            Self::new(serde_json::from_reader(GzDecoder::new(file)).expect("JSON"))
        }))
    }

    /// Creates it from an OpenAPI 3.1 document.
    pub(crate) fn new(mut document: Value) -> Self {
        schema::loosen(&mut document);
        let mut operations: BTreeMap<_, Vec<Operation>> = BTreeMap::new();
        for (template, methods) in document["paths"].as_object().expect("an OpenAPI document has paths") {
            for (method, described) in methods.as_object().expect("a path has operations") {
                let operation = Operation::new(method, template, described);
                let first = operation.first_name().to_owned();
                operations.entry((method.to_uppercase(), first)).or_default().push(operation);
            }
        }
        Self { operations, document }
    }

    /// Returns every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values().flatten()
    }

    /// Returns the operation of a path without its query; of several matching ones, that with the earliest literal
    /// segment.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let names: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let candidates = self.operations.get(&(method.to_owned(), names.first()?.to_string()))?;
        candidates.iter().filter(|one| one.is_at(&names)).min_by_key(|one| one.open_places())
    }

    /// Returns the text of an operation.
    pub(crate) fn prose(&self, method: &str, template: &str) -> &str {
        self.document["paths"][template][method]["description"].as_str().unwrap_or_default()
    }

    /// Returns the violations of the schema with this name by a response.
    pub(crate) fn response_breaks(&self, schema: &str, body: &Value) -> Vec<String> {
        let schema = schema::Schema::new(&serde_json::json!({"$ref": format!("#/components/schemas/{schema}")}));
        schema.violations(body, &self.document).into_iter().map(|found| format!("{}: {}", found.place, found.what)).collect()
    }

    /// Returns the violations of a request; `target` is the path under `/api/v2` with its query.
    pub(crate) fn breaks(&self, method: &str, target: &str, body: Option<&Value>) -> Vec<Break> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(operation) = self.operation(method, path) else {
            return vec![Break { operation: method.to_owned(), place: generic(path), what: "no such operation".to_owned() }];
        };
        let mut violations = operation.path_violations(path, &self.document);
        violations.extend(operation.query_violations(query, &self.document));
        violations.extend(operation.body_violations(body, &self.document));
        violations.sort();
        violations.dedup();
        let name = operation.to_string();
        violations.into_iter().map(|found| Break { operation: name.clone(), place: found.place, what: found.what }).collect()
    }
}

/// Returns an undescribed path with `*` for every segment that may be an id.
fn generic(path: &str) -> String {
    let is_word = |name: &&str| name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-');
    path.split('/').map(|name| if is_word(&name) { name } else { "*" }).collect::<Vec<_>>().join("/")
}
