//! The log event of a write: who sent which request, and how it was answered, without secrets.

use serde_json::{Map, Value, json};

use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::http::caller::Caller;
use crate::sandbox::http::request::ApiRequest;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::store::state::State;

/// What the log has in place of a secret.
const MASK: &str = "[REDACTED]";

/// The headers of a request that the log keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoggedHeaders {
    /// `X-Correlation-ID`
    pub(crate) correlation: Option<String>,
    /// `User-Agent`
    pub(crate) user_agent: String,
}

/// Returns the event of a write, `sapi` or `fapi`; its id and date are added when it is stored. A read has none.
///
/// The fields are those of the published schema of tenant log events; method and path are written as in events that
/// users published: in lower case, and with `/api/v2`.
pub(crate) fn event_of(
    state: &State,
    (caller, headers): (&Caller, &LoggedHeaders),
    request: &ApiRequest,
    response: &ApiResponse,
) -> Option<Value> {
    if !request.is_write() || matches!(response.status, 401 | 429) {
        return None;
    }
    let is_success = (200..300).contains(&response.status);
    let kind = state.kind_at(&request.path).map(|(kind, _)| kind);
    let client_name = state.tables.get("clients").and_then(|clients| clients.get(&caller.client_id)).and_then(|client| client.text("name"));
    let user = caller.person.as_ref();
    let mut event = json!({
        "type": if is_success { "sapi" } else { "fapi" },
        "description": if is_success { description(request, kind) } else { response.body["message"].as_str().unwrap_or_default().to_owned() },
        "client_id": caller.client_id,
        "client_name": client_name.unwrap_or_default(),
        "ip": caller.ip,
        "user_agent": headers.user_agent,
        "user_id": user.map_or("", |user| &user.user_id),
        "tenant_name": state.tenant,
        "environment_name": "sandbox",
        "auth0_client": {"name": "sandbox", "version": "1"},
        "isMobile": false,
        "details": {
            "request": request_details(caller, headers, request, kind),
            "response": {"statusCode": response.status, "body": masked(kind, &response.body)},
        },
    });
    if let Some(correlation) = &headers.correlation {
        event["references"] = json!({"correlation_id": correlation});
    }
    Some(event)
}

fn request_details(caller: &Caller, headers: &LoggedHeaders, request: &ApiRequest, kind: Option<&Kind>) -> Value {
    let user =
        caller.person.as_ref().map_or_else(|| json!({}), |user| json!({"user_id": user.user_id, "name": user.name, "email": user.email}));
    let query: Map<String, Value> = request.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "method": request.method.as_str().to_lowercase(),
        "path": format!("/api/v2{}", request.path),
        "query": query,
        "userAgent": headers.user_agent,
        "body": masked(kind, &request.body),
        "channel": if caller.person.is_some() { "https://manage.auth0.com/" } else { "api" },
        "ip": caller.ip,
        "auth": {"user": user, "strategy": "jwt", "credentials": {}},
    })
}

fn description(request: &ApiRequest, kind: Option<&Kind>) -> String {
    let what = kind.map_or("a resource", |kind| kind.singular);
    let verb = match request.method.as_str() {
        "POST" => "Create",
        "DELETE" => "Delete",
        _ => "Update",
    };
    format!("{verb} {what}")
}

/// Returns a body without secrets; of paths that the catalog does not cover, nothing.
fn masked(kind: Option<&Kind>, body: &Value) -> Value {
    let (Some(kind), Value::Object(fields)) = (kind, body) else { return if body.is_object() { json!({}) } else { Value::Null } };
    let mut body = Body(fields.clone());
    let mut mask = |value: &mut Value| *value = json!(MASK);
    kind.replace_listed_secrets(&mut body, &mut mask);
    kind.replace_unlisted_secrets(&mut body, &mut mask);
    body.into_value()
}
