//! What is logged of a tenant's traffic: an event for each request, each wait and each retry.
//!
//! An event has no body, no header that authenticates, and no text of a tenant but its id of the request.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use tracing::info;

use super::http::Attempt;
use super::retry::AttemptFailure;
use crate::model::event::WaitReason;

/// The headers with the id that Auth0 gives a request, the most specific one first.
///
/// The Authentication API returns the first. The others are among what the recorders of auth0/go-auth0 and
/// auth0/terraform-provider-auth0 remove from responses of the Management API (`removeSensitiveDataFromRecordings`).
const REQUEST_ID: [&str; 3] = ["x-auth0-requestid", "ot-baggage-auth0-request-id", "cf-ray"];
/// The maximum length of such an id.
const ID_LENGTH: usize = 64;
/// The parameters of a query whose values say nothing about people and contain no secret.
const SHOWN_PARAMETERS: [&str; 8] = ["page", "per_page", "take", "include_totals", "include_fields", "fields", "sort", "is_global"];

/// A request that is being sent.
#[derive(Debug)]
pub(super) struct SentRequest<'connection> {
    tenant: &'connection str,
    method: Method,
    path: String,
    attempt: u32,
    began: Instant,
}

impl<'connection> SentRequest<'connection> {
    /// Notes what is sent, and when; attempts count from 1.
    pub(super) fn new(tenant: &'connection str, (method, url): (&Method, &Url), attempt: u32) -> Self {
        Self { tenant, method: method.clone(), path: shown_path(url), attempt, began: Instant::now() }
    }

    /// Logs how it ended.
    pub(super) fn log(self, ended: &Attempt) {
        let (status, failure, headers) = match ended {
            Attempt::Answered { status, headers, .. } => (Some(*status), None, Some(headers)),
            Attempt::Unsent(_) => (None, Some("not sent"), None),
            Attempt::Broken(_) => (None, Some("no complete response"), None),
            Attempt::Excessive(_) => (None, Some("excessive response"), None),
        };
        self.log_answer(status, failure, headers);
    }

    /// Logs a status, or why there is none.
    pub(super) fn log_answer(self, status: Option<u16>, failure: Option<&str>, headers: Option<&HeaderMap>) {
        let Self { tenant, method, path, attempt, began } = self;
        let request_id = headers.and_then(request_id);
        let ms = milliseconds(began.elapsed());
        info!(tenant, %method, path, status, failure, ms, attempt, request_id, "request");
    }
}

/// Logs that requests to a tenant are held back.
pub(super) fn log_wait(tenant: &str, wait: Duration, reason: WaitReason) {
    let endpoint = if let WaitReason::EndpointLimit(limit) = reason { Some(limit.path) } else { None };
    let reason = match reason {
        WaitReason::RateLimit => "rate limit",
        WaitReason::EndpointLimit(_) => "endpoint limit",
        WaitReason::AskedByTenant => "asked by tenant",
        WaitReason::NotYetConsistent => "not yet consistent",
    };
    info!(tenant, reason, endpoint, wait_ms = milliseconds(wait), "wait");
}

/// Logs that a request will be sent again; attempts count from 1.
pub(super) fn log_retry(tenant: &str, request: &str, failure: AttemptFailure, (attempt, wait): (u32, Duration)) {
    let (status, reason) = match failure {
        AttemptFailure::Status { status, .. } => (Some(status), "status"),
        AttemptFailure::Unsent => (None, "not sent"),
        AttemptFailure::Broken => (None, "no complete response"),
        AttemptFailure::Excessive => (None, "excessive response"),
    };
    info!(tenant, request, reason, status, attempt, wait_ms = milliseconds(wait), "retry");
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the path of a URL with the names of its parameters, and with the values of those that tell nothing.
fn shown_path(url: &Url) -> String {
    let parameters = url.query_pairs().map(|(name, value)| {
        let value = if SHOWN_PARAMETERS.contains(&&*name) { value.into_owned() } else { "…".to_owned() };
        format!("{name}={value}")
    });
    let query = parameters.collect::<Vec<_>>().join("&");
    if query.is_empty() { url.path().to_owned() } else { format!("{}?{query}", url.path()) }
}

/// Returns the id that Auth0 gave a request.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = REQUEST_ID.iter().find_map(|name| headers.get(*name)?.to_str().ok())?;
    let id: String = id.chars().filter(char::is_ascii_graphic).take(ID_LENGTH).collect();
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_shown_only_where_they_tell_nothing() {
        let path = |url: &str| shown_path(&Url::parse(&format!("https://acme.eu.auth0.com{url}")).expect("a URL"));
        assert_eq!(path("/api/v2/clients?page=2&per_page=100"), "/api/v2/clients?page=2&per_page=100");
        assert_eq!(path("/api/v2/users-by-email?email=ada%40acme.example"), "/api/v2/users-by-email?email=…");
        assert_eq!(path("/api/v2/clients"), "/api/v2/clients");
    }

    #[test]
    fn the_id_of_a_request_is_that_of_auth0_or_of_the_network_before_it() {
        let id = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
            request_id(&headers.collect())
        };
        assert_eq!(id(&[("cf-ray", "7e2e6a80b99c392d-KUL"), ("x-auth0-requestid", "4ad55daa560e")]).as_deref(), Some("4ad55daa560e"));
        assert_eq!(id(&[("cf-ray", "7e2e6a80b99c392d-KUL")]).as_deref(), Some("7e2e6a80b99c392d-KUL"));
        assert_eq!(id(&[("server", "cloudflare")]), None);
    }
}
