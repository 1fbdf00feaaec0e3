//! The errors of requests to a tenant.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::redact::Redactor;
use super::safety_limits::{self, Excess, LONGEST_RETRY};

/// The request that obtains a token.
pub(super) const TOKEN_REQUEST: &str = "POST /oauth/token";

/// The cause of an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request to a tenant failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configured address is invalid.
    #[error("\"{address}\" {reason}")]
    Address {
        /// The domain, URL or path.
        address: String,
        /// What is wrong with it, as the end of a sentence.
        reason: &'static str,
    },
    /// The credentials, or the system's certificates, cannot be used.
    #[error("cannot use {what}")]
    Unusable {
        /// What cannot be used.
        what: &'static str,
        /// The cause.
        source: Cause,
    },
    /// No response arrived, and nothing was changed.
    #[error("no response from {host} to {request}")]
    Unreachable {
        /// The host that the request was sent to.
        host: String,
        /// `GET /clients`
        request: String,
        /// The cause.
        source: Cause,
    },
    /// The tenant rejected the credentials or the token.
    #[error("the tenant did not accept the credentials: {message}")]
    Unauthenticated {
        /// The tenant's message.
        message: String,
        /// What about the credentials was not accepted.
        refusal: CredentialRefusal,
    },
    /// The token lacks a scope.
    #[error("the token lacks {}", named(.scopes))]
    Scope {
        /// `POST /clients`
        request: String,
        /// The sufficient scopes, any one of which is enough, if the tenant names them.
        scopes: Vec<String>,
    },
    /// The tenant refused a request.
    #[error("the tenant answered {status}{}{code}{}{message}", space(.code), colon(.message))]
    Refused {
        /// `POST /clients`
        request: String,
        /// The status.
        status: u16,
        /// The `errorCode`, or empty.
        code: String,
        /// The tenant's message, without secrets.
        message: String,
    },
    /// A list changed between its pages in every attempt to read it.
    #[error("{kind} changed while they were listed: none of {readings} attempts was complete")]
    MovingListing {
        /// The kind.
        kind: &'static str,
        /// The number of attempts.
        readings: usize,
    },
    /// A list was incomplete twice.
    #[error("the tenant lists {got} of {expected} {kind}")]
    ShortListing {
        /// The kind.
        kind: &'static str,
        /// The number of resources received.
        got: usize,
        /// The number of resources according to the tenant.
        expected: usize,
    },
    /// A create was sent and its outcome is unknown: the key must be looked up.
    #[error("it is unknown whether the tenant carried out {request}")]
    OutcomeUnknown {
        /// `POST /clients`
        request: String,
        /// The error of the attempt.
        source: Box<Error>,
    },
    /// A resource never reached the state in which its follow-up can be sent.
    #[error("the {kind} was written, but is not ready: its {field} is \"{held}\", expected \"{wanted}\"")]
    NotReady {
        /// The kind, in the singular.
        kind: &'static str,
        /// The field with the state.
        field: &'static str,
        /// The last state.
        held: String,
        /// The state waited for.
        wanted: &'static str,
    },
    /// A response exceeds a safety limit.
    #[error("the response to {request} exceeds a limit")]
    Excess {
        /// `GET /clients`
        request: String,
        /// The limit.
        source: Excess,
    },
    /// A response does not conform to the API.
    #[error("the response to {request} cannot be read")]
    Unreadable {
        /// `GET /clients`
        request: String,
        /// What is wrong with it.
        source: Cause,
    },
}

/// What about the credentials a tenant did not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialRefusal {
    /// The id, the secret, the signed assertion or the token: 401 (report: auth0/node-auth0#582).
    Wrong,
    /// The client may not use the grant type `client_credentials`: `unauthorized_client` (report: auth0/ruby-auth0#190).
    GrantType,
    /// The client is not authorized for the Management API of this tenant, or the domain is not that of the tenant itself: 403
    /// `access_denied` (report: auth0/auth0-python#173).
    NotAuthorized,
    /// The given token has expired.
    Expired,
}

impl CredentialRefusal {
    /// Returns what a response of `/oauth/token` refuses.
    pub(super) fn of_token_request(status: u16, answer: &[u8]) -> Self {
        let complaint: ErrorBody = serde_json::from_slice(answer).unwrap_or_default();
        match complaint.error.as_deref() {
            Some("unauthorized_client" | "unsupported_grant_type") => Self::GrantType,
            _ if status == 403 => Self::NotAuthorized,
            _ => Self::Wrong,
        }
    }
}

impl Error {
    /// Returns whether no token could be obtained, so that no other request was sent.
    #[must_use]
    pub fn is_about_sign_in(&self) -> bool {
        match self {
            Self::Unauthenticated { .. } | Self::Unusable { .. } => true,
            Self::Unreachable { request, .. } | Self::Refused { request, .. } | Self::Unreadable { request, .. } => {
                request == TOKEN_REQUEST
            }
            _ => false,
        }
    }

    /// Returns whether authentication failed or a scope is missing.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Unauthenticated { .. } | Self::Scope { .. })
    }

    /// Returns whether a scope is missing.
    #[must_use]
    pub fn is_scope(&self) -> bool {
        matches!(self, Self::Scope { .. })
    }

    /// Returns whether the resource does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        !self.is_about_sign_in() && self.status() == Some(404)
    }

    /// Returns whether the tenant does not serve the path: it has no such resource, no longer has it, or does not
    /// implement it. Where nobody is signed in, nothing is known about the path.
    #[must_use]
    pub fn is_not_served(&self) -> bool {
        !self.is_about_sign_in() && matches!(self.status(), Some(404 | 410 | 501))
    }

    /// Returns whether there is no resource with the requested id, or none can have such an id.
    ///
    /// A malformed id is answered with 400 `invalid_uri` (recorded: `GET /event-streams/{id}`, `GET
    /// /network-acls/{id}`). Any other 400 is about the request, not the id.
    #[must_use]
    pub fn is_unknown_id(&self) -> bool {
        self.is_not_found() || matches!(self, Self::Refused { status: 400, code, .. } if code == INVALID_ID)
    }

    /// Returns whether the tenant reports that a referenced resource does not exist: with 404 or a message to that
    /// effect.
    #[must_use]
    pub fn names_missing_resource(&self) -> bool {
        let says = |text: &str| ["inexistent", "does not exist", "not found"].iter().any(|words| text.to_lowercase().contains(words));
        match self {
            Self::Refused { status: 400 | 409, code, message, .. } => says(code) || says(message),
            _ => self.is_not_found(),
        }
    }

    /// Returns whether the tenant refused the request for good, so that repeating it would not help.
    ///
    /// A missing scope, a rate limit and an outage are no refusals; 501 is the answer for a service that a tenant does
    /// not have.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: 400..=407 | 409..=428 | 430..=499 | 501, .. })
    }

    /// Returns whether the resource already exists or conflicts with another one.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// Returns whether the tenant's subscription lacks the feature, or has it disabled.
    ///
    /// That is a 402, or a 403 that is not about scopes: `insufficient_entitlement`, "Please upgrade your subscription"
    /// (recorded).
    #[must_use]
    pub fn is_unentitled(&self) -> bool {
        matches!(self, Self::Refused { status: 402 | 403, .. })
    }

    /// Returns whether the outcome of a create is unknown.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// Returns whether a response exceeded a safety limit.
    #[must_use]
    pub fn is_excessive(&self) -> bool {
        matches!(self, Self::Excess { .. })
    }

    /// Returns whether the tenant may have applied a write although its response is unusable.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Unreadable { .. } => true,
            Self::Excess { source, .. } => !matches!(source, Excess::Wait(_)),
            _ => false,
        }
    }

    /// Returns whether the configuration is wrong, so that nothing was sent.
    #[must_use]
    pub fn is_misconfigured(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Unusable { .. })
    }

    /// Returns whether no response arrived.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Returns this error or, if the response demands an excessive wait, that one.
    #[must_use]
    pub(super) fn or_excessive_wait(self, request: &str, after: Option<Duration>) -> Self {
        match after.filter(|wait| *wait > LONGEST_RETRY && matches!(self.status(), Some(408 | 429 | 500..=599))) {
            Some(wait) => Self::Excess { request: request.to_owned(), source: Excess::Wait(wait) },
            None => self,
        }
    }

    /// Returns the HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Scope { .. } => Some(403),
            _ => None,
        }
    }
}

fn named(scopes: &[String]) -> String {
    if scopes.is_empty() { "a scope".to_owned() } else { format!("the scope {}", scopes.join(" or ")) }
}

fn space(text: &str) -> &'static str {
    if text.is_empty() { "" } else { " " }
}

fn colon(text: &str) -> &'static str {
    if text.is_empty() { "" } else { ": " }
}

/// The body of an error response, of the Management API and of `/oauth/token`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(rename = "errorCode")]
    code: Option<String>,
    error: Option<String>,
    message: Option<serde_json::Value>,
    error_description: Option<String>,
}

/// The error code of a malformed id.
const INVALID_ID: &str = "invalid_uri";

/// Identifies a missing scope. The error code cannot, since one service answers a missing entitlement with
/// `insufficient_scope`.
const LACKS_SCOPE: &str = "Insufficient scope";

/// The message for a redirect, which is not followed because the token would be sent to another host.
const REDIRECT: &str = "it is a redirect, and redirects are not followed";

/// Truncates a message of a tenant.
fn truncated(words: String) -> String {
    match words.char_indices().nth(safety_limits::MESSAGE_LENGTH) {
        Some((end, _)) => format!("{}..", &words[..end]),
        None => words,
    }
}

/// Builds the error for a response that is not 2xx.
#[must_use]
pub fn refusal(request: &str, status: u16, answer: &[u8], redactor: &Redactor) -> Error {
    // A response that is not JSON comes from a gateway on the way; its status says as much as its page.
    let complaint: ErrorBody = serde_json::from_slice(answer).unwrap_or_default();
    let message = match complaint.message {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => complaint.error_description.or_else(|| complaint.error.clone()).unwrap_or_default(),
    };
    let message = truncated(redactor.redact(&message));
    let message = if message.is_empty() && (300..400).contains(&status) { REDIRECT.to_owned() } else { message };
    if status == 401 {
        let message = if message.is_empty() { "401".to_owned() } else { message };
        return Error::Unauthenticated { message, refusal: CredentialRefusal::Wrong };
    }
    if status == 403 && message.starts_with(LACKS_SCOPE) {
        let named = message.split_once(": ").map_or("", |(_, scopes)| scopes);
        let scopes = named.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect();
        return Error::Scope { request: request.to_owned(), scopes };
    }
    Error::Refused { request: request.to_owned(), status, code: truncated(redactor.redact(&complaint.code.unwrap_or_default())), message }
}

/// Describes why JSON cannot be parsed.
pub(super) fn json_error(error: serde_json::Error) -> Cause {
    // serde_json identifies this error only by its text.
    if error.to_string().starts_with("recursion limit exceeded") {
        return UnexpectedAnswer(format!("it is nested deeper than {} levels", safety_limits::NESTING)).into();
    }
    error.into()
}

/// Something that a response should have contained.
#[derive(Debug)]
pub(super) struct UnexpectedAnswer(pub(super) String);

impl fmt::Display for UnexpectedAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for UnexpectedAnswer {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, answer: &str) -> Error {
        let mut redactor = Redactor::default();
        redactor.add_secret("s3cret");
        refusal("POST /clients", status, answer.as_bytes(), &redactor)
    }

    #[test]
    fn a_refusal_reads_as_a_sentence_without_secrets() {
        let answer =
            r#"{"statusCode":400,"error":"Bad Request","message":"callbacks must be a list, not s3cret","errorCode":"invalid_body"}"#;
        assert_eq!(refused(400, answer).to_string(), "the tenant answered 400 invalid_body: callbacks must be a list, not (redacted)");
        let answer = r#"{"statusCode":404,"error":"Not Found","message":"Flow not found"}"#;
        assert_eq!(refused(404, answer).to_string(), "the tenant answered 404: Flow not found");
        assert_eq!(refused(502, "<html>s3cret</html>").to_string(), "the tenant answered 502");
    }

    #[test]
    fn a_missing_scope_is_identified_by_the_message_not_the_code() {
        let scope = r#"{"message":"Insufficient scope, expected any of: create:clients, update:clients","errorCode":"insufficient_scope"}"#;
        assert_eq!(refused(403, scope).to_string(), "the token lacks the scope create:clients or update:clients");
        let plan = r#"{"message":"Please upgrade your subscription to enable Akamai Signals.","errorCode":"insufficient_scope"}"#;
        assert!(!refused(403, plan).is_scope());
    }

    #[test]
    fn a_refusal_of_the_token_endpoint_says_what_about_the_credentials_is_wrong() {
        let refused = |status, error: &str| CredentialRefusal::of_token_request(status, format!(r#"{{"error":"{error}"}}"#).as_bytes());
        assert_eq!(refused(401, "access_denied"), CredentialRefusal::Wrong);
        assert_eq!(refused(400, "invalid_request"), CredentialRefusal::Wrong);
        assert_eq!(refused(403, "unauthorized_client"), CredentialRefusal::GrantType);
        assert_eq!(refused(403, "access_denied"), CredentialRefusal::NotAuthorized);
    }

    #[test]
    fn errors_of_the_token_endpoint_are_parsed_too() {
        let answer = r#"{"error":"access_denied","error_description":"Unauthorized"}"#;
        assert_eq!(refused(401, answer).to_string(), "the tenant did not accept the credentials: Unauthorized");
    }
}
