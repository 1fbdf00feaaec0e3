//! The way of every request: token, pacer, one attempt, and the retry table's word on what comes next.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use reqwest::Method;
use tokio::time::Instant;

use super::Traffic;
use super::address::Address;
use super::auth::{Token, Tokens};
use super::error::{Error, Missing, not_json, refusal};
use super::http::{Ending, Http, Lost, Message, jitter};
use super::limits::{Excess, PATIENCE};
use super::rate_limit::{Level, Pacer, Pass, asked_wait};
use super::redact::Veil;
use super::retry::{Decision, Effect, Failure, Tried, decide};
use crate::catalog::limits::Calls;
use crate::model::event::{Event, Observer};

/// A request to the Management API, however often it is sent.
pub(super) struct Request {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    effect: Effect,
    veil: Veil,
}

/// A 2xx answer.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// An attempt that came to nothing.
struct Failed {
    failure: Failure,
    error: Error,
}

/// Everything that requests to one tenant share.
pub(super) struct Wire {
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) http: Http,
    pub(super) pacer: Pacer,
    pub(super) tokens: Tokens,
    pub(super) observer: Arc<dyn Observer>,
    /// The credentials.
    pub(super) veil: Veil,
    pub(super) meter: Meter,
    pub(super) ends: Ends,
}

/// Where requests come to an end.
#[derive(Debug)]
pub(super) struct Ends {
    /// Bytes that may still be read.
    left: AtomicI64,
    /// When nothing is sent again any more.
    time: OnceLock<Instant>,
}

impl Default for Ends {
    fn default() -> Self {
        Self { left: AtomicI64::new(i64::MAX), time: OnceLock::new() }
    }
}

impl Ends {
    /// Lets so many bytes more be read.
    pub(super) fn read_at_most(&self, bytes: i64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Lets nothing be sent again after a time; the first one counts.
    pub(super) fn repeat_until(&self, time: Instant) {
        self.time.get_or_init(|| time);
    }

    /// Takes bytes from what may be read; returns whether they were left.
    fn take(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.left.fetch_sub(bytes, Ordering::Relaxed) >= bytes
    }

    /// Returns whether something may be sent again after a wait.
    fn leave_time_for(&self, wait: Duration) -> bool {
        self.time.get().is_none_or(|time| Instant::now() + wait <= *time)
    }
}

/// Counts the requests.
#[derive(Debug, Default)]
pub(super) struct Meter {
    reads: AtomicU64,
    writes: AtomicU64,
    answers: AtomicU64,
    retries: AtomicU64,
}

impl Request {
    /// Returns a request without a body; a POST is taken to create something.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        let effect = if method == Method::POST { Effect::Creates } else { Effect::Repeatable };
        Self { method, path: path.into(), body: None, effect, veil: Veil::default() }
    }

    /// Adds a body.
    pub(super) fn with<T: serde::Serialize>(mut self, body: &T) -> Self {
        self.body = Some(serde_json::to_vec(body).expect("JSON values can be written"));
        self
    }

    /// Says what of the body must not be shown.
    pub(super) fn hiding(mut self, veil: Veil) -> Self {
        self.veil = veil;
        self
    }

    /// Says that sending it twice does the same as once.
    pub(super) fn repeatable(mut self) -> Self {
        self.effect = Effect::Repeatable;
        self
    }

    /// Returns what errors call it: the method and the path without its query.
    pub(super) fn name(&self) -> String {
        format!("{} /{}", self.method, self.path.split('?').next().unwrap_or_default().trim_start_matches('/'))
    }

    fn calls(&self) -> Calls {
        if self.is_write() { Calls::Write } else { Calls::Read }
    }

    fn is_write(&self) -> bool {
        self.method != Method::GET
    }
}

impl Wire {
    /// Sends a request until it is answered 2xx or the retry table says otherwise.
    pub(super) async fn send(&self, request: &Request) -> Result<Received, Error> {
        let mut first_failure = None;
        let mut tried = Tried::default();
        let mut renewed = false;
        loop {
            let (token, pass, ending) = self.attempt(request).await?;
            let Failed { failure, error } = match self.settle(request, &token, ending) {
                Ok(received) if !request.is_write() && !self.ends.take(received.body.len()) => {
                    return Err(Error::Excess { request: request.name(), source: Excess::Tenant });
                }
                Ok(received) => return Ok(received),
                Err(failed) => failed,
            };
            if matches!(error, Error::Unauthenticated { .. }) && !renewed && self.tokens.reject(&token) {
                renewed = true;
                continue;
            }
            // Patience is for limits met on the way, not for waiting at the pacer before the first attempt.
            tried.count(failure, first_failure.get_or_insert_with(Instant::now).elapsed());
            match decide(request.effect, tried, failure, jitter()) {
                // What is not there after a DELETE that may have arrived was removed by it.
                Decision::GiveUp if request.method == Method::DELETE && error.is_not_found() && tried.failed > 1 => {
                    return Ok(Received { status: 204, body: Vec::new() });
                }
                Decision::GiveUp => return Err(error),
                Decision::Verify => return Err(Error::InDoubt { request: request.name(), source: Box::new(error) }),
                Decision::Again(wait) if !self.ends.leave_time_for(wait) => {
                    hold_back(pass, failure, wait);
                    return Err(error);
                }
                Decision::Again(wait) => {
                    self.tell_retry(&request.name(), &error, tried);
                    self.meter.retries.fetch_add(1, Ordering::Relaxed);
                    rest(pass, failure, wait).await;
                }
            }
        }
    }

    async fn attempt(&self, request: &Request) -> Result<(Arc<Token>, Pass<'_>, Ending), Error> {
        let url = self.address.api(&request.path)?;
        let mut pass = self.pacer.depart(request.calls(), &request.path, |wait, because| self.tell_wait(wait, because)).await;
        // Only now: one taken before the wait may have ended in it, for every request that waits.
        let token = self.tokens.current(self).await?;
        let body = request.body.clone();
        let ending = self.http.send(Message { method: request.method.clone(), url, body, token: Some(&token.secret) }).await;
        let status = match &ending {
            Ending::Answered { status, headers, .. } => {
                pass.answered(*status, Level::read(headers, SystemTime::now()));
                self.meter.answers.fetch_add(1, Ordering::Relaxed);
                *status
            }
            Ending::Excessive(_) => {
                self.meter.answers.fetch_add(1, Ordering::Relaxed);
                0
            }
            Ending::Unsent(_) | Ending::Broken(_) => 0,
        };
        let write = request.is_write();
        let counter = if write { &self.meter.writes } else { &self.meter.reads };
        counter.fetch_add(1, Ordering::Relaxed);
        self.observer.notify(&Event::Answered { tenant: self.name.clone(), status, write });
        Ok((token, pass, ending))
    }

    fn settle(&self, request: &Request, token: &Token, ending: Ending) -> Result<Received, Failed> {
        let unreachable = |source: Lost| Error::Unreachable { host: self.address.host(), request: request.name(), source: source.into() };
        match ending {
            Ending::Answered { status: status @ 200..=299, body, .. } => Ok(Received { status, body }),
            Ending::Answered { status, headers, body } => {
                let mut veil = request.veil.clone().with(&self.veil);
                veil.hide(token.secret.reveal());
                let after = asked_wait(status, &headers, SystemTime::now());
                let refused = refusal(&request.name(), status, &body, &veil);
                Err(Failed { failure: Failure::Status { status, after }, error: too_patient(refused, &request.name(), after) })
            }
            Ending::Unsent(source) => Err(Failed { failure: Failure::Unsent, error: unreachable(source) }),
            Ending::Broken(source) => Err(Failed { failure: Failure::Broken, error: unreachable(source) }),
            Ending::Excessive(source) => {
                Err(Failed { failure: Failure::Excessive, error: Error::Excess { request: request.name(), source } })
            }
        }
    }

    /// Tells that a request is sent again.
    pub(super) fn tell_retry(&self, request: &str, error: &Error, tried: Tried) {
        let because = std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        let (tenant, request, attempt) = (self.name.clone(), request.to_owned(), tried.attempts() + 1);
        self.observer.notify(&Event::Retrying { tenant, request, because, attempt });
    }

    /// Tells that requests wait.
    pub(super) fn tell_wait(&self, wait: Duration, because: &str) {
        self.observer.notify(&Event::Waiting { tenant: self.name.clone(), wait, because: because.to_owned() });
    }

    /// Returns the requests so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            reads: self.meter.reads.load(Ordering::Relaxed),
            writes: self.meter.writes.load(Ordering::Relaxed),
            answers: self.meter.answers.load(Ordering::Relaxed),
            retries: self.meter.retries.load(Ordering::Relaxed),
            waited: self.pacer.waited(),
        }
    }
}

/// Returns the error of an answer that refused: where it asks for a wait that nobody has the patience for, that is what is wrong.
pub(super) fn too_patient(refused: Error, request: &str, after: Option<Duration>) -> Error {
    match after.filter(|wait| *wait > PATIENCE && matches!(refused.status(), Some(408 | 429 | 500..=599))) {
        Some(wait) => Error::Excess { request: request.to_owned(), source: Excess::Wait(wait) },
        None => refused,
    }
}

/// Lets time pass before the next attempt: by the pacer, for everybody, after a 429; for this request alone after anything else.
async fn rest(pass: Pass<'_>, failure: Failure, wait: Duration) {
    if !hold_back(pass, failure, wait) {
        tokio::time::sleep(wait).await;
    }
}

/// Tells the pacer of a 429, so that nobody sends anything for a while; returns whether it was one.
fn hold_back(pass: Pass<'_>, failure: Failure, wait: Duration) -> bool {
    let is_too_many = matches!(failure, Failure::Status { status: 429, .. });
    if is_too_many {
        pass.refused(wait);
    }
    is_too_many
}

impl Received {
    /// Reads the body as JSON.
    pub(super) fn read<T: serde::de::DeserializeOwned>(&self, request: &str) -> Result<T, Error> {
        let unreadable = |source| Error::Unreadable { request: request.to_owned(), source };
        if self.body.is_empty() {
            return Err(unreadable(Missing("the answer is empty".to_owned()).into()));
        }
        serde_json::from_slice(&self.body).map_err(|error| unreadable(not_json(error)))
    }
}
