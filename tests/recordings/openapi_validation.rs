//! The tests' OpenAPI validator reports wrong names, types and limits, but never a value.

use serde_json::{Value, json};

use auth0_migrate::catalog::{Catalog, Kind};

use crate::support::openapi::{Break, Description, exceptions};

/// Returns the violations of a request, one per line; `None` if the description is not available.
fn lines(method: &str, target: &str, body: Option<&Value>) -> Option<Vec<String>> {
    Some(Description::read()?.breaks(method, target, body).iter().map(Break::to_string).collect())
}

/// Asserts the violations of a request, unless the description is not available.
fn assert_breaks(method: &str, target: &str, body: Option<&Value>, expected: &[&str]) {
    if let Some(found) = lines(method, target, body) {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_valid_request_has_no_violation() {
    let body = json!({"name": "Web", "app_type": "regular_web", "callbacks": ["https://a.example/back"], "client_metadata": {"team": "x"}});
    assert_breaks("POST", "/clients", Some(&body), &[]);
    assert_breaks("GET", "/clients?page=0&per_page=100&include_totals=true", None, &[]);
}

#[test]
fn a_body_is_validated_field_by_field_without_reporting_values() {
    let body = json!({"app_type": "CANARY", "surplus": 1, "callbacks": [7], "client_metadata": {"CANARY": {}}, "name": ""});
    assert_breaks(
        "PATCH",
        "/clients/CANARY",
        Some(&body),
        &[
            "PATCH /clients/{id}: app_type: no enum match",
            "PATCH /clients/{id}: callbacks[]: wrong type: number for string",
            "PATCH /clients/{id}: name: no pattern match",
            "PATCH /clients/{id}: surplus: unexpected field",
        ],
    );
    assert_breaks("POST", "/clients", Some(&json!({})), &["POST /clients: name: missing"]);
    assert_breaks("POST", "/clients", Some(&json!([])), &["POST /clients: body: wrong type: array for object"]);
}

#[test]
fn an_unknown_path_or_method_is_not_an_operation() {
    assert_breaks("GET", "/widgets/w_1?page=0", None, &["GET: /widgets/*: no such operation"]);
    assert_breaks("PUT", "/clients/c1", Some(&json!({})), &["PUT: /clients/*: no such operation"]);
}

#[test]
fn a_query_is_validated_by_names_types_and_limits() {
    assert_breaks(
        "GET",
        "/clients?per_page=1000&page=first&surplus=1&include_totals=maybe",
        None,
        &[
            "GET /clients: ?include_totals: wrong type: string for boolean",
            "GET /clients: ?page: wrong type: string for integer",
            "GET /clients: ?per_page: too large",
            "GET /clients: ?surplus: unknown parameter",
        ],
    );
}

#[test]
fn a_path_segment_is_validated_by_its_parameter() {
    assert_breaks(
        "GET",
        "/email-templates/no_such_template",
        None,
        &["GET /email-templates/{templateName}: {templateName}: no enum match"],
    );
}

#[test]
fn a_surplus_body_and_a_missing_one_are_violations() {
    assert_breaks("DELETE", "/clients/c1", Some(&json!({})), &["DELETE /clients/{id}: body: unexpected body"]);
    assert_breaks("POST", "/clients", None, &["POST /clients: body: missing"]);
}

#[test]
fn of_several_alternatives_the_best_match_is_reported() {
    let described = json!({"paths": {"/things": {"post": {"requestBody": {"content": {"application/json": {"schema": {"oneOf": [
        {"type": "string"},
        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "box"}, "size": {"type": "integer"}}},
        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "bag"}, "handles": {"$ref": "#/components/schemas/Handles"}}},
    ]}}}}}}}, "components": {"schemas": {"Handles": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}}}}});
    let description = Description::new(described);
    let breaks = |body: Value| description.breaks("POST", "/things", Some(&body)).iter().map(Break::to_string).collect::<Vec<_>>();
    assert_eq!(
        breaks(json!({"kind": "bag", "handles": {"left": "long"}})),
        ["POST /things: handles.*: wrong type: string for integer or null"]
    );
    assert_eq!(breaks(json!({"kind": "box", "size": "big"})), ["POST /things: size: wrong type: string for integer"]);
    assert_eq!(breaks(json!(null)), ["POST /things: body: wrong type: null for object or string"]);
    assert_eq!(breaks(json!({"kind": "sack"})), ["POST /things: kind: no enum match"]);
}

#[test]
fn every_schema_of_a_body_compiles() {
    let Some(description) = Description::read() else { return };
    for operation in description.operations().filter(|operation| operation.body().is_some()) {
        let (method, template) = operation.to_string().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two words");
        let path = template.replace(['{', '}'], "x");
        let _ = description.breaks(&method, &path, Some(&json!({})));
    }
}

/// A resource is read by its id just before it is deleted, and when it is requested alone; without such a request, a
/// 404 would look like a deleted resource.
#[test]
fn every_resource_read_by_id_can_be_or_is_known_to_be_list_only() {
    let Some(description) = Description::read() else { return };
    let has_none = |kind: &&Kind| {
        let breaks = description.breaks("GET", &kind.read_path_of("one/two"), None);
        breaks.iter().any(|one| one.what == "no such operation" && !exceptions::allow(one))
    };
    let names = |is_one: &dyn Fn(&&Kind) -> bool| Catalog::standard().kinds().filter(is_one).map(|kind| kind.name).collect::<Vec<_>>();
    assert_eq!(names(&has_none), names(&|kind: &&Kind| kind.paths.is_list_only));
}
