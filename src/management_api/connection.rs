//! The connection to one tenant, and its observer.

use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::error::Error;
use super::http::{Attempt, HttpClient, HttpRequest};
use super::log_events::{SentRequest, log_retry, log_wait};
use super::response_facts::ResponseWitness;
use super::retry::AttemptFailure;
use crate::model::event::{Event, Observer, WaitReason};

/// What every request to a tenant needs, including token requests.
pub(super) struct Connection {
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) http: HttpClient,
    pub(super) observer: Arc<dyn Observer>,
    /// What the headers of responses said.
    pub(super) witness: ResponseWitness,
}

impl Connection {
    /// Sends a request once.
    pub(super) async fn send(&self, request: HttpRequest<'_>) -> Attempt {
        let sent = SentRequest::new(&self.name, (&request.method, &request.url), request.attempt);
        let ended = self.http.send(request).await;
        sent.log(&ended);
        ended
    }

    /// Notifies the observer that a request is retried: as which attempt, from 2, and after which wait.
    pub(super) fn notify_retry(&self, request: &str, (failure, error): (AttemptFailure, &Error), (attempt, wait): (u32, Duration)) {
        log_retry(&self.name, request, failure, (attempt, wait));
        let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        let (tenant, request) = (self.name.clone(), request.to_owned());
        self.observer.notify(&Event::Retrying { tenant, request, reason, attempt });
    }

    /// Notifies the observer that requests are delayed.
    pub(super) fn notify_wait(&self, wait: Duration, reason: WaitReason) {
        log_wait(&self.name, wait, reason);
        self.observer.notify(&Event::Waiting { tenant: self.name.clone(), wait, reason });
    }
}
