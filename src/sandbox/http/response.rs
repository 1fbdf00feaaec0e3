//! What the sandbox answers, and the server's own words for what it refuses.
//!
//! Texts and codes are recorded ones where a recording has them.

use serde_json::{Value, json};

use crate::catalog::{Kind, Shape};

/// An answer: a status and, mostly, JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// What is answered; null for an empty answer.
    pub body: Value,
}

impl ApiResponse {
    /// Returns an answer with a body.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    /// Returns an answer without a body.
    pub(crate) fn empty() -> Self {
        Self::new(204, Value::Null)
    }

    /// Returns an answer that refuses.
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

    /// Leaves the last element out of the list that is answered, whatever stands beside it.
    pub(crate) fn short(mut self) -> Option<Self> {
        let list = match &mut self.body {
            Value::Array(list) => list,
            Value::Object(fields) => fields.values_mut().find_map(Value::as_array_mut)?,
            _ => return None,
        };
        list.pop().map(|_| self)
    }

    /// Says that a body schema_violations its schema.
    pub(crate) fn invalid_body(reason: &str) -> Self {
        Self::refusal(400, &format!("Payload validation error: {reason}."), Some("invalid_body"))
    }

    /// Says that what stands in a path schema_violations its schema (recorded: an id of an event stream).
    pub(crate) fn invalid_path(reason: &str) -> Self {
        Self::refusal(400, &format!("Path validation error: {reason}."), Some("invalid_uri"))
    }

    /// Says that a query schema_violations its schema.
    pub(crate) fn invalid_query(reason: &str) -> Self {
        Self::refusal(400, &format!("Query validation error: {reason}."), Some("invalid_query_string"))
    }

    /// Refuses a body in words that repeat it, as recorded refusals of a format repeat the value they refuse.
    pub(crate) fn echo(authorization: &str, sent: &Value) -> Self {
        Self::invalid_body(&format!("'Object didn't pass validation for format json: {authorization} {sent}'"))
    }

    /// Says that there is no such page.
    pub(crate) fn invalid_paging(message: &str) -> Self {
        Self::refusal(400, message, Some("invalid_paging"))
    }

    /// Says that a token is missing, unknown or at its end.
    pub(crate) fn unauthorized(message: &str) -> Self {
        let mut answer = Self::refusal(401, message, None);
        answer.body["attributes"] = json!({"error": message});
        answer
    }

    /// Says which scopes would have let the request through.
    pub(crate) fn insufficient_scope(scopes: &[&str]) -> Self {
        let message = format!("Insufficient scope, expected any of: {}", scopes.join(","));
        Self::refusal(403, &message, Some("insufficient_scope"))
    }

    /// Says that the path leads nowhere.
    pub(crate) fn not_found() -> Self {
        Self::refusal(404, "Not Found", None)
    }

    /// Says that a rate limit is reached, in the documented words; none was ever recorded.
    pub(crate) fn too_many() -> Self {
        Self::refusal(429, "Global limit has been reached", Some("too_many_requests"))
    }

    /// Says that no resource of this kind has this id.
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
            // The code is one that auth0-deploy-cli knows; the words are not recorded.
            "branding-universal-login-template" => ("The template does not exist.", Some("inexistent_templates_universal_login")),
            // What a resource may have and has not is told as a path that leads nowhere (recorded: a SCIM configuration).
            _ if matches!(kind.shape, Shape::Part { .. }) => return Self::not_found(),
            _ => return Self::refusal(404, &format!("The {} does not exist", kind.singular), None),
        };
        Self::refusal(404, message, code)
    }

    /// Says that a resource of this kind and name is there already.
    ///
    /// Only the one for email templates is recorded; the others are those of the API's description.
    pub(crate) fn conflict(kind: &Kind, name: &str) -> Self {
        let message = match kind.name {
            // The description has this sentence for grants too, which is a slip: there it means that the grant exists.
            "resource-servers" | "client-grants" => "A resource server with the same identifier already exists.".to_owned(),
            "connections" => "A connection with the same name already exists".to_owned(),
            "roles" => "The role already exists.".to_owned(),
            "email-templates" => format!("Template {name} already exists."),
            _ => format!("A {} with the same name already exists.", kind.singular),
        };
        Self::refusal(409, &message, None)
    }
}
