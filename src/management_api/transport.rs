//! The path of every request: token, rate limiter, one attempt, and the decision of the retry table.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use reqwest::Method;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;

use super::auth::{Token, TokenProvider};
use super::connection::Connection;
use super::error::{Error, UnexpectedAnswer, json_error, refusal};
use super::http::{Attempt, ConnectionError, HttpRequest, jitter};
use super::rate_limit::{Permit, RateLimitHeaders, RateLimiter, requested_wait};
use super::redact::{Redactor, SentBody};
use super::retry::{AttemptFailure, Decision, Idempotency, RetryState, decide};
use super::safety_limits::Excess;
use super::traffic::{RequestCounters, Traffic};
use crate::catalog::limits::CallType;
use crate::model::event::Event;

/// A request to the Management API, however often it is sent.
pub(super) struct Request {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    idempotency: Idempotency,
    secrets: SentBody,
}

/// A 2xx response.
#[derive(Debug)]
pub(super) struct SuccessResponse {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A failed attempt.
struct FailedAttempt {
    failure: AttemptFailure,
    error: Error,
}

/// Everything that requests to one tenant share.
pub(super) struct Transport {
    pub(super) connection: Connection,
    pub(super) limiter: RateLimiter,
    pub(super) tokens: TokenProvider,
    /// The credentials.
    pub(super) redactor: Redactor,
    pub(super) counters: RequestCounters,
    pub(super) bounds: RequestBounds,
}

/// The limits beyond which requests fail.
#[derive(Debug)]
pub(super) struct RequestBounds {
    /// Bytes that may still be read.
    left: AtomicI64,
    /// When retrying stops.
    time: OnceLock<Instant>,
    /// Whether no new work may begin.
    stopped: watch::Sender<bool>,
}

tokio::task_local! {
    /// Whether a write of the work at hand has left that the tenant may have carried out.
    static HAS_WRITTEN: Cell<bool>;
}

impl Default for RequestBounds {
    fn default() -> Self {
        Self { left: AtomicI64::new(i64::MAX), time: OnceLock::new(), stopped: watch::Sender::new(false) }
    }
}

impl RequestBounds {
    /// Sets the number of bytes that may be read from now on.
    pub(super) fn set_byte_limit(&self, bytes: i64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Stops retrying at this time; the first call counts.
    pub(super) fn retry_until(&self, time: Instant) {
        self.time.get_or_init(|| time);
    }

    /// Ends all work of which no write has left yet, and lets none begin.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Does some work to its end, or, where everything is stopped before a write of it left, returns nothing.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopped = self.stopped.subscribe();
        let is_stopped = async {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
            // Polled with the work: a write that met a rate limit may be given up while it waits to be sent again.
            poll_fn(|_| if HAS_WRITTEN.with(Cell::get) { Poll::Pending } else { Poll::Ready(()) }).await;
        };
        let unless_stopped = async {
            tokio::select! {
                biased;
                done = work => Some(done),
                () = is_stopped => None,
            }
        };
        HAS_WRITTEN.scope(Cell::new(false), unless_stopped).await
    }

    /// Subtracts bytes from those that may be read; returns whether enough were left.
    fn take(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.left.fetch_sub(bytes, Ordering::Relaxed) >= bytes
    }

    /// Returns whether a retry after this wait is allowed.
    fn allows_retry_after(&self, wait: Duration) -> bool {
        self.time.get().is_none_or(|time| Instant::now() + wait <= *time)
    }
}

impl Request {
    /// Creates a request without a body; a POST is assumed to create something.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        let idempotency = if method == Method::POST { Idempotency::Creating } else { Idempotency::Idempotent };
        Self { method, path: path.into(), body: None, idempotency, secrets: SentBody::default() }
    }

    /// Adds a body.
    pub(super) fn with_json<T: serde::Serialize>(mut self, body: &T) -> Self {
        self.body = Some(serde_json::to_vec(body).expect("JSON values can be written"));
        self
    }

    /// Declares the body, whose secrets must not be shown.
    pub(super) fn redacting(mut self, secrets: SentBody) -> Self {
        self.secrets = secrets;
        self
    }

    /// Declares that sending the request twice has the same effect as once.
    pub(super) fn idempotent(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// Returns the name of the request in errors: method and path without query.
    pub(super) fn name(&self) -> String {
        format!("{} /{}", self.method, self.path.split('?').next().unwrap_or_default().trim_start_matches('/'))
    }

    fn calls(&self) -> CallType {
        if self.is_write() { CallType::Write } else { CallType::Read }
    }

    fn is_write(&self) -> bool {
        self.method != Method::GET
    }
}

impl Transport {
    /// Sends a request until it is answered with 2xx or the retry table gives up.
    pub(super) async fn send(&self, request: &Request) -> Result<SuccessResponse, Error> {
        let mut first_failure = None;
        let mut state = RetryState::default();
        let mut renewed = false;
        loop {
            let (token, permit, attempt) = self.attempt(request, state.attempts() + 1).await?;
            let FailedAttempt { failure, error } = match self.evaluate(request, &token, attempt) {
                Ok(received) if !request.is_write() && !self.bounds.take(received.body.len()) => {
                    return Err(Error::Excess { request: request.name(), source: Excess::Tenant });
                }
                Ok(received) => return Ok(received),
                Err(failed) => failed,
            };
            if matches!(error, Error::Unauthenticated { .. }) && !renewed && self.tokens.invalidate_token(&token) {
                renewed = true;
                continue;
            }
            // The time limit applies to retries, not to waiting at the rate limiter before the first attempt.
            state.count(failure, first_failure.get_or_insert_with(Instant::now).elapsed());
            match decide(request.idempotency, state, failure, jitter()) {
                // If a DELETE may have arrived, a 404 for its retry means that it succeeded.
                Decision::GiveUp if request.method == Method::DELETE && error.is_not_found() && state.failed > 1 => {
                    return Ok(SuccessResponse { status: 204, body: Vec::new() });
                }
                Decision::GiveUp => return Err(error),
                Decision::Verify => return Err(Error::OutcomeUnknown { request: request.name(), source: Box::new(error) }),
                Decision::RetryAfter(wait) if !self.bounds.allows_retry_after(wait) => {
                    report_rate_limit(permit, failure, wait);
                    return Err(error);
                }
                Decision::RetryAfter(wait) => {
                    self.connection.notify_retry(&request.name(), (failure, &error), (state.attempts() + 1, wait));
                    self.counters.retries.fetch_add(1, Ordering::Relaxed);
                    wait_before_retry(permit, failure, wait).await;
                }
            }
        }
    }

    async fn attempt(&self, request: &Request, number: u32) -> Result<(Arc<Token>, Permit<'_>, Attempt), Error> {
        let url = self.connection.address.api(&request.path)?;
        let mut permit =
            self.limiter.acquire(request.calls(), &request.path, |wait, reason| self.connection.notify_wait(wait, reason)).await;
        // Only now: a token obtained before the wait may have expired during it.
        let token = self.tokens.current(&self.connection).await?;
        let body = request.body.clone();
        let had_written = HAS_WRITTEN.try_with(|written| written.replace(written.get() || request.is_write()));
        let message = HttpRequest { method: request.method.clone(), url, body, token: Some(&token.secret), attempt: number };
        let attempt = self.connection.send(message).await;
        let status = match &attempt {
            Attempt::Answered { status, headers, .. } => {
                self.connection.witness.record(headers);
                permit.record_response(*status, RateLimitHeaders::parse(headers, SystemTime::now()));
                if let (429, Ok(had_written)) = (*status, had_written) {
                    // What meets a rate limit is not carried out.
                    HAS_WRITTEN.with(|written| written.set(had_written));
                }
                self.counters.answers.fetch_add(1, Ordering::Relaxed);
                *status
            }
            Attempt::Excessive(_) => {
                self.counters.answers.fetch_add(1, Ordering::Relaxed);
                0
            }
            Attempt::Unsent(_) | Attempt::Broken(_) => 0,
        };
        let write = request.is_write();
        let counter = if write { &self.counters.writes } else { &self.counters.reads };
        counter.fetch_add(1, Ordering::Relaxed);
        self.connection.observer.notify(&Event::Answered { tenant: self.connection.name.clone(), status, write });
        Ok((token, permit, attempt))
    }

    fn evaluate(&self, request: &Request, token: &Token, attempt: Attempt) -> Result<SuccessResponse, FailedAttempt> {
        let unreachable = |source: ConnectionError| Error::Unreachable {
            host: self.connection.address.host(),
            request: request.name(),
            source: source.into(),
        };
        match attempt {
            Attempt::Answered { status: status @ 200..=299, body, .. } => Ok(SuccessResponse { status, body }),
            Attempt::Answered { status, headers, body } => {
                let mut redactor = request.secrets.redactor().merged_with(&self.redactor);
                redactor.add_secret(token.secret.expose_secret());
                let after = requested_wait(status, &headers, SystemTime::now());
                let refused = refusal(&request.name(), status, &body, &redactor);
                Err(FailedAttempt {
                    failure: AttemptFailure::Status { status, after },
                    error: refused.or_excessive_wait(&request.name(), after),
                })
            }
            Attempt::Unsent(source) => Err(FailedAttempt { failure: AttemptFailure::Unsent, error: unreachable(source) }),
            Attempt::Broken(source) => Err(FailedAttempt { failure: AttemptFailure::Broken, error: unreachable(source) }),
            Attempt::Excessive(source) => {
                Err(FailedAttempt { failure: AttemptFailure::Excessive, error: Error::Excess { request: request.name(), source } })
            }
        }
    }

    /// Returns the requests so far.
    pub(super) fn traffic(&self) -> Traffic {
        self.counters.traffic(self.limiter.waited())
    }
}

/// Waits before the next attempt: after a 429 by the rate limiter, for all requests; otherwise for this request alone.
async fn wait_before_retry(permit: Permit<'_>, failure: AttemptFailure, wait: Duration) {
    if !report_rate_limit(permit, failure, wait) {
        tokio::time::sleep(wait).await;
    }
}

/// Reports a 429 to the rate limiter, which then delays every request; returns whether it was one.
fn report_rate_limit(permit: Permit<'_>, failure: AttemptFailure, wait: Duration) -> bool {
    let is_too_many = matches!(failure, AttemptFailure::Status { status: 429, .. });
    if is_too_many {
        permit.record_rate_limit(wait);
    }
    is_too_many
}

impl SuccessResponse {
    /// Parses the body as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, request: &str) -> Result<T, Error> {
        let unreadable = |source| Error::Unreadable { request: request.to_owned(), source };
        if self.body.is_empty() {
            return Err(unreadable(UnexpectedAnswer("the answer is empty".to_owned()).into()));
        }
        serde_json::from_slice(&self.body).map_err(|error| unreadable(json_error(error)))
    }
}
