//! Auth0's OpenAPI description of requests: names, types and limits, independent of the catalog.
//!
//! `requests.json` contains the facts of the description, and what the API accepts beyond it according to recordings or the newest SDK; a
//! test compares it with all three. Operations that the description lacks are not checked here.
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::checker::Checker;
use super::violation::{self, Violation};
use crate::catalog::address::{matched, places};
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;

/// The content of the file.
#[derive(Deserialize)]
struct ApiDescription {
    operations: BTreeMap<String, ApiOperation>,
    /// Where the API accepts more than its description.
    wider: Vec<KnownDeviation>,
    shapes: HashMap<String, Value>,
}

/// What one operation accepts.
#[derive(Deserialize)]
pub(crate) struct ApiOperation {
    #[serde(skip)]
    name: String,
    /// The schemas of its path parameters.
    #[serde(default)]
    path: Map<String, Value>,
    query: Map<String, Value>,
    body: Option<Value>,
    #[serde(default)]
    is_body_required: bool,
}

/// A violation of the description that the API accepts in a recording, or that the newest SDK sends.
#[derive(Deserialize)]
struct KnownDeviation {
    operation: String,
    place: String,
    keyword: String,
}

static DESCRIPTION: LazyLock<ApiDescription> = LazyLock::new(|| {
    let mut described: ApiDescription = serde_json::from_str(include_str!("requests.json")).expect("schema test: the file is well formed");
    described.operations.iter_mut().for_each(|(name, operation)| name.clone_into(&mut operation.name));
    described
});

/// Operations by method and first segment of the path, each with its path template.
type Index = HashMap<(&'static str, &'static str), Vec<(&'static str, &'static ApiOperation)>>;

static BY_PREFIX: LazyLock<Index> = LazyLock::new(|| {
    let mut by_beginning = Index::new();
    for (name, operation) in &DESCRIPTION.operations {
        let (method, form) = name.split_once(' ').expect("schema test: a method and a path");
        by_beginning.entry((method, first_name(form))).or_default().push((form, operation));
    }
    by_beginning
});

fn first_name(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// Returns the operation of a request, if it is described; the template with the fewest placeholders wins.
pub(crate) fn operation_of(request: &ApiRequest) -> Option<&'static ApiOperation> {
    operation_at(request.method.as_str(), &request.path)
}

fn operation_at(method: &str, path: &str) -> Option<&'static ApiOperation> {
    let candidates = BY_PREFIX.get(&(method, first_name(path)))?.iter();
    let covering = candidates.filter(|(form, _)| matched(form, path).is_some());
    covering.min_by_key(|(form, _)| places(form).count()).map(|(_, operation)| *operation)
}

impl ApiOperation {
    /// Refuses a request that the description does not allow.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(crate) fn check(&self, request: &ApiRequest) -> Result<(), ApiResponse> {
        let is_accepted = |violation: &Violation| self.is_known_deviation(violation);
        let in_path = violation::message(&self.path_violations(&request.path, &is_accepted));
        in_path.map_or(Ok(()), |reason| Err(ApiResponse::invalid_path(&reason)))?;
        let in_query = violation::message(&self.query_violations(&request.query));
        in_query.map_or(Ok(()), |reason| Err(ApiResponse::invalid_query(&reason)))?;
        let in_body = violation::message(&self.body_violations(&request.body, &is_accepted));
        in_body.map_or(Ok(()), |reason| Err(ApiResponse::invalid_body(&reason)))
    }

    fn is_known_deviation(&self, violation: &Violation) -> bool {
        let mut own = DESCRIPTION.wider.iter().filter(|wider| wider.operation == self.name && wider.keyword == violation.keyword);
        own.any(|wider| wider.place == violation.place())
    }

    /// Returns the violations of path parameters, with `{id}` as their place.
    fn path_violations(&self, path: &str, is_accepted: &dyn Fn(&Violation) -> bool) -> Vec<Violation> {
        let checker = Checker { shapes: &DESCRIPTION.shapes, is_accepted };
        let form = self.name.split_once(' ').map_or("", |(_, form)| form);
        let found = matched(form, path).into_iter().flatten();
        let of_place = |(name, text): (String, String)| {
            let schema = self.path.get(&name);
            schema.map_or_else(Vec::new, |schema| checker.violations(schema, &text.into(), &format!("{{{name}}}")))
        };
        found.flat_map(of_place).collect()
    }

    fn query_violations(&self, query: &[(String, String)]) -> Vec<Violation> {
        let checker = Checker { shapes: &DESCRIPTION.shapes, is_accepted: &|_| false };
        let of_word = |(name, text): &(String, String)| match self.query.get(name) {
            Some(schema) => checker.violations(schema, &parse_query_value(schema, text), name),
            None if self.is_known_deviation(&Violation::surplus("", &format!("?{name}"))) => Vec::new(),
            None => vec![Violation::surplus("", name)],
        };
        query.iter().flat_map(of_word).collect()
    }

    fn body_violations(&self, body: &Value, is_accepted: &dyn Fn(&Violation) -> bool) -> Vec<Violation> {
        let checker = Checker { shapes: &DESCRIPTION.shapes, is_accepted };
        match &self.body {
            Some(schema) if self.is_body_required || !body.is_null() => checker.violations(schema, body, ""),
            _ => Vec::new(),
        }
    }
}

/// A violation of Auth0's OpenAPI description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaViolation {
    /// The operation, such as `PATCH /clients/{id}`.
    pub operation: String,
    /// The place in the body, without list positions: `options.scopes[]`; of the path `{id}`, of the query `?type`.
    pub place: String,
    /// The violated keyword of the schema, such as `minLength`; `null` if null has the wrong type.
    pub keyword: String,
}

/// Returns how a path and a body violate the description, whether or not the API is known to accept it; empty for undescribed operations.
#[must_use]
pub fn schema_violations(method: &str, path: &str, body: &Value) -> Vec<SchemaViolation> {
    let Some(operation) = operation_at(method, path) else { return Vec::new() };
    let mut found = operation.path_violations(path, &|_| false);
    found.extend(operation.body_violations(body, &|_| false));
    let named = |violation: &Violation| SchemaViolation {
        operation: operation.name.clone(),
        place: violation.place(),
        keyword: violation.keyword.to_owned(),
    };
    found.iter().map(named).collect()
}

/// Why an operation does not accept a value at one place of its body.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRefusal {
    /// The place of the error, at, in or above the value: `options.scopes[]`.
    pub place: String,
    /// The violated keyword of the schema; `additionalProperties` if there is no such field, `null` if null has the wrong type.
    pub keyword: &'static str,
    /// The values that are allowed, or the types if the type is wrong; empty if neither is listed.
    pub allowed: Vec<Value>,
    /// The message of the API.
    pub reason: String,
}

/// Returns why an operation does not accept a value at a path of its body (with `[]` for lists), as far as the
/// description says; `None` for undescribed operations and paths.
#[must_use]
pub fn value_refusals(method: &str, path: &str, field: &str, value: &Value) -> Option<Vec<ValueRefusal>> {
    let operation = operation_at(method, path)?;
    operation.body.as_ref()?;
    if field.contains('*') {
        return None;
    }
    let body = field.rsplit('.').fold(value.clone(), |value, name| match name.strip_suffix("[]") {
        Some(name) => serde_json::json!({ name: [value] }),
        None => serde_json::json!({ name: value }),
    });
    let is_accepted = |violation: &Violation| operation.is_known_deviation(violation);
    let lies_in = |above: &str, place: &str| place.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let is_about = |violation: &Violation| {
        let place = violation.place();
        lies_in(field, &place) || (lies_in(&place, field) && violation.keyword != "required")
    };
    let found = operation.body_violations(&body, &is_accepted);
    let refusal = |violation: Violation| ValueRefusal {
        place: violation.place(),
        keyword: violation.keyword,
        allowed: violation.allowed,
        reason: violation.reason,
    };
    Some(found.into_iter().filter(is_about).map(refusal).collect())
}

/// Parses a query parameter as the JSON type of its schema; text if that fails.
fn parse_query_value(schema: &Value, text: &str) -> Value {
    let shape = schema["$ref"].as_str().and_then(|path| DESCRIPTION.shapes.get(path.trim_start_matches("#/shapes/")));
    match shape.unwrap_or(schema)["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        Some("array") => text.split(',').collect(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Method;
    use serde_json::json;

    fn refusal(method: &str, target: &str, body: Value) -> Option<String> {
        let request = ApiRequest::new(Method::from_bytes(method.as_bytes()).expect("a method"), target, body);
        let refused = operation_of(&request).expect("described").check(&request).err()?;
        assert_eq!(refused.status, 400);
        Some(refused.body["message"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn violations_of_the_description_are_reported() {
        let message = |method, target, body| refusal(method, target, body).expect("refused");
        let of = |reason: &str| format!("Payload validation error: {reason}.");
        assert_eq!(message("PATCH", "/clients/c", json!({"app_type": ""})), of("'No enum match for: \"\"' on property app_type"));
        assert_eq!(
            message("PATCH", "/clients/c", json!({"jwt_configuration": {"alg": null}})),
            of("'Expected type string but found type null' on property jwt_configuration.alg")
        );
        assert_eq!(
            message("POST", "/organizations", json!({"name": ""})),
            of("'String is too short (0 chars), minimum 1' on property name")
        );
        assert_eq!(message("POST", "/clients", json!({"id": 1})), of("'Additional properties not allowed: id'"));
        assert_eq!(message("POST", "/clients", json!({})), of("'Missing required property: name'"));
        assert_eq!(
            message("PATCH", "/organizations/o", json!({"name": 7})),
            of("'Expected type string but found type number' on property name")
        );
        assert_eq!(
            message("PATCH", "/tenants/settings", json!({"enabled_locales": []})),
            of("'Array is too short (0), minimum 1' on property enabled_locales")
        );
        assert_eq!(refusal("PATCH", "/clients/c", json!({"app_type": "spa", "callbacks": [], "addons": null})), None);
    }

    #[test]
    fn path_parameters_are_validated_too() {
        let message = |target| refusal("GET", target, Value::Null);
        let of = |reason: &str| Some(format!("Path validation error: {reason}."));
        assert_eq!(message("/event-streams/est_1"), of("'String is too short (5 chars), minimum 26' on property id"));
        assert_eq!(message("/prompts/welcome/partials"), of("'No enum match for: \"welcome\"' on property prompt"));
        assert_eq!(message("/event-streams/est_1234567890123456789012"), None);
        // Newer than the description, and recorded.
        assert_eq!(message("/actions/triggers/mcp-tool/bindings"), None);
    }

    #[test]
    fn unknown_query_parameters_and_wrong_types_are_refused() {
        let message = |target| refusal("GET", target, Value::Null);
        let of = |reason: &str| Some(format!("Query validation error: {reason}."));
        assert_eq!(message("/clients/c?is_global=false"), of("'Additional properties not allowed: is_global'"));
        assert_eq!(message("/clients?per_page=x"), of("'Expected type integer but found type string' on property per_page"));
        assert_eq!(message("/clients?per_page=1000"), of("'Value 1000 is greater than maximum 100' on property per_page"));
        assert_eq!(message("/client-grants?allow_any_organization=true"), None);
        // Newer than the description: Auth0's newest SDK sends it.
        assert_eq!(message("/roles?type=tenant"), None);
        assert_eq!(message("/clients?per_page=50&include_totals=true&is_global=false&fields=name,client_id"), None);
    }
}
