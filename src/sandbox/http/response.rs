//! Responses of the sandbox, and the error messages of the server.
//!
//! Messages and codes are taken from recordings where there are any.

use serde_json::{Value, json};

use crate::catalog::{Kind, Shape};

/// A response: a status and, usually, JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; null for an empty response.
    pub body: Value,
}

impl ApiResponse {
    /// Creates a response with a body.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    /// Creates a response without a body.
    pub(crate) fn empty() -> Self {
        Self::new(204, Value::Null)
    }

    /// Creates an error response.
    pub(crate) fn refusal(status: u16, message: &str, code: Option<&str>) -> Self {
        let error = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            409 => "Conflict",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut body = json!({"statusCode": status, "error": error, "message": message});
        if let (Some(code), Value::Object(fields)) = (code, &mut body) {
            fields.insert("errorCode".to_owned(), code.into());
        }
        Self::new(status, body)
    }

    /// Removes the last element of the returned list without changing any totals.
    pub(crate) fn short(mut self) -> Option<Self> {
        let list = match &mut self.body {
            Value::Array(list) => list,
            Value::Object(fields) => fields.values_mut().find_map(Value::as_array_mut)?,
            _ => return None,
        };
        list.pop().map(|_| self)
    }

    /// Creates the response to a body that violates its schema.
    pub(crate) fn invalid_body(reason: &str) -> Self {
        Self::refusal(400, &format!("Payload validation error: {reason}."), Some("invalid_body"))
    }

    /// Creates the response to a path parameter that violates its schema (recorded: an id of an event stream).
    pub(crate) fn invalid_path(reason: &str) -> Self {
        Self::refusal(400, &format!("Path validation error: {reason}."), Some("invalid_uri"))
    }

    /// Creates the response to a query that violates its schema.
    pub(crate) fn invalid_query(reason: &str) -> Self {
        Self::refusal(400, &format!("Query validation error: {reason}."), Some("invalid_query_string"))
    }

    /// Creates a refusal that repeats the body, as recorded refusals of a format repeat the value.
    pub(crate) fn echo(authorization: &str, sent: &Value) -> Self {
        Self::invalid_body(&format!("'Object didn't pass validation for format json: {authorization} {sent}'"))
    }

    /// Creates the response to a page that does not exist.
    pub(crate) fn invalid_paging(message: &str) -> Self {
        Self::refusal(400, message, Some("invalid_paging"))
    }

    /// Creates the response to a missing, unknown or expired token.
    pub(crate) fn unauthorized(message: &str) -> Self {
        let mut answer = Self::refusal(401, message, None);
        answer.body["attributes"] = json!({"error": message});
        answer
    }

    /// Creates the response that names the scopes that would suffice.
    pub(crate) fn insufficient_scope(scopes: &[&str]) -> Self {
        let message = format!("Insufficient scope, expected any of: {}", scopes.join(","));
        Self::refusal(403, &message, Some("insufficient_scope"))
    }

    /// Creates the response to an unknown path.
    pub(crate) fn not_found() -> Self {
        Self::refusal(404, "Not Found", None)
    }

    /// Creates the response to an exhausted rate limit, with the documented message; none was ever recorded.
    pub(crate) fn too_many() -> Self {
        Self::refusal(429, "Global limit has been reached", Some("too_many_requests"))
    }

    /// Creates the response to an unknown id of this kind.
    pub(crate) fn unknown_resource(kind: &Kind) -> Self {
        let (message, code) = match kind.name {
            "clients" => ("The client does not exist", Some("inexistent_client")),
            "client-grants" => ("The grant does not exist.", Some("inexistent_client_grant")),
            "resource-servers" => ("The resource server does not exist", Some("inexistent_resource_server")),
            "connections" => ("The connection does not exist", Some("inexistent_connection")),
            "roles" => ("The role does not exist.", None),
            "rules" => ("The rule does not exist", Some("inexistent_rule")),
            "actions" => ("That action does not exist.", None),
            "hooks" => ("Error: Hook does not exist", Some("HookDoesNotExist")),
            "flows" => ("Flow not found", None),
            "forms" => ("Form not found", None),
            "flow-vault-connections" => ("Connection not found", None),
            "log-streams" => ("The log stream does not exist.", None),
            "organization-discovery-domains" => ("No organization domain found by that id", None),
            "user-attribute-profiles" => ("User attribute profile not found.", None),
            "email-templates" => ("The template does not exist.", Some("inexistent_email_template")),
            "email-provider" => ("There is not a configured email provider", Some("inexistent_email_provider")),
            "branding-theme" => ("There was an error retrieving branding settings: invalid theme ID", Some("theme_not_found")),
            "network-acls" => ("NetworkACL with this ID was not found", None),
            // The code is known from auth0-deploy-cli; the message is not recorded.
            "branding-universal-login-template" => ("The template does not exist.", Some("inexistent_templates_universal_login")),
            // An optional part that a resource lacks is reported as an unknown path (recorded: a SCIM configuration).
            _ if matches!(kind.shape, Shape::Part { .. }) => return Self::not_found(),
            _ => return Self::refusal(404, &format!("The {} does not exist", kind.singular), None),
        };
        Self::refusal(404, message, code)
    }

    /// Creates the response to a resource whose name is taken.
    ///
    /// Only the message for email templates is recorded; the others come from the API's description.
    pub(crate) fn conflict(kind: &Kind, name: &str) -> Self {
        let message = match kind.name {
            // The description has this message for grants too, by mistake: it means that the grant exists.
            "resource-servers" | "client-grants" => "A resource server with the same identifier already exists.".to_owned(),
            "connections" => "A connection with the same name already exists".to_owned(),
            "roles" => "The role already exists.".to_owned(),
            "email-templates" => format!("Template {name} already exists."),
            _ => format!("A {} with the same name already exists.", kind.singular),
        };
        Self::refusal(409, &message, None)
    }
}
