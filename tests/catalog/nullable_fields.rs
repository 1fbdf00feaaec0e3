//! The catalog agrees with the OpenAPI description on which fields accept null and which reject an empty value.

use auth0_migrate::catalog::{Catalog, Field, Fields, Kind, RequestPurpose, Shape, Writability, Write};
use auth0_migrate::json::covers;
use auth0_migrate::sandbox::{SchemaViolation, schema_violations};
use serde_json::{Value, json};

/// What the description says about a blank value at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommandOutput {
    Taken,
    Refused,
    /// The field has another type, or is not described.
    Other,
}

/// A described request of a kind.
struct Request {
    method: &'static str,
    path: String,
    purpose: RequestPurpose,
}

fn requests(kind: &Kind) -> Vec<Request> {
    let plain = |path: &str| {
        let names = path.trim_matches('/').split('/');
        names.map(|name| if name.starts_with('{') { "x" } else { name }).collect::<Vec<_>>().join("/")
    };
    let mut requests = Vec::new();
    if let Shape::Child { .. } = kind.shape {
        return requests;
    }
    if let Some(path) = kind.creation() {
        requests.push(Request { method: "POST", path: format!("/{}", plain(path)), purpose: RequestPurpose::Create });
    }
    let method = if kind.paths.write == Write::Put { "PUT" } else { "PATCH" };
    requests.push(Request { method, path: format!("/{}", plain(&kind.item())), purpose: RequestPurpose::Update });
    requests
}

/// Returns a body with only this value at a path; lists have one element.
fn holding(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, name| match name.strip_suffix("[]") {
        Some(name) => json!({ name: [value] }),
        None => json!({ name: value }),
    })
}

fn said(request: &Request, path: &str, blank: Value) -> CommandOutput {
    let (is_null, is_object) = (blank.is_null(), blank.is_object());
    let found = schema_violations(request.method, &request.path, &holding(path, blank));
    let lacks_member = |found: &SchemaViolation| is_object && found.place.starts_with(&format!("{path}."));
    let at = found.iter().find(|found| found.place == path || lacks_member(found));
    match at.map(|found| found.keyword.as_str()) {
        None => CommandOutput::Taken,
        Some("null") if is_null => CommandOutput::Refused,
        Some("type" | "null" | "additionalProperties") => CommandOutput::Other,
        Some(_) => CommandOutput::Refused,
    }
}

fn each<'fields>(fields: &'fields Fields, above: &str, see: &mut dyn FnMut(String, &'fields Field)) {
    for field in fields.iter().filter(|field| !field.in_path) {
        let path = if above.is_empty() { field.name.to_owned() } else { format!("{above}.{}", field.name) };
        see(path.clone(), field);
        if let Some(below) = &field.below {
            let path = if field.is_list { format!("{path}[]") } else { path };
            each(below, &path, see);
        }
    }
}

/// What an update accepts as a blank value of a field, or a create if only that writes the field.
struct Blanks {
    takes_null: bool,
    refuses_empty: bool,
}

/// Returns `None` if the field is not described.
fn blanks(request: &Request, path: &str) -> Option<Blanks> {
    let is_unknown = schema_violations(request.method, &request.path, &holding(path, json!(1.5)))
        .iter()
        .any(|found| found.keyword == "additionalProperties");
    let [null, text, list, object] = [json!(null), json!(""), json!([]), json!({})].map(|blank| said(request, path, blank));
    let is_anything = [null, text, list, object].iter().all(|said| *said == CommandOutput::Taken);
    let refuses_empty = [text, list, object].contains(&CommandOutput::Refused);
    (!is_unknown && !is_anything).then_some(Blanks { takes_null: null == CommandOutput::Taken, refuses_empty })
}

/// Fields that accept null although the description says otherwise: recorded, as `tests/support/openapi/exceptions.rs`
/// proves.
const TAKES_NULL: [&str; 4] =
    ["clients addons", "clients oidc_backchannel_logout", "clients signed_request_object", "clients token_vault_privileged_access"];

#[test]
fn the_catalog_knows_which_fields_accept_null_and_reject_blanks() {
    let mut wrong = Vec::new();
    for kind in Catalog::standard().kinds() {
        let requests = requests(kind);
        each(kind.fields.writable(), "", &mut |path, field| {
            let purpose = if field.written == Writability::OnCreate { RequestPurpose::Create } else { RequestPurpose::Update };
            let Some(request) = requests.iter().find(|request| request.purpose == purpose) else { return };
            let Some(Blanks { takes_null, refuses_empty }) = blanks(request, &path) else { return };
            let takes_null = takes_null || TAKES_NULL.contains(&format!("{} {path}", kind.name).as_str());
            let in_list = path.contains("[]");
            if purpose == RequestPurpose::Update && !in_list && field.nullable != takes_null {
                wrong.push(format!("{} {path}: {}", kind.name, if takes_null { "takes null (`?`)" } else { "takes no null" }));
            }
            if field.refuses_empty != refuses_empty {
                wrong.push(format!("{} {path}: {}", kind.name, if refuses_empty { "refuses a blank (`!`)" } else { "takes a blank" }));
            }
        });
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn an_object_whose_secret_is_required_is_written_with_it_or_not_at_all() {
    let mut wrong = Vec::new();
    for kind in Catalog::standard().kinds() {
        let is_made = |path: &str| kind.secrets.generated.iter().any(|made| made.path == path);
        for (path, object) in kind.secrets.paths.iter().filter_map(|path| Some((*path, path.rsplit_once('.')?.0))) {
            let lacks = |request: &Request| {
                schema_violations(request.method, &request.path, &holding(object, json!({}))).iter().any(|found| found.place == path)
            };
            let is_sealed = kind.secrets.required_in.iter().any(|sealed| covers(sealed.path, path));
            if requests(kind).iter().any(lacks) && !is_sealed && !is_made(path) {
                wrong.push(format!("{} {path}", kind.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
