//! The connection to one tenant, and its observer.

use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::error::Error;
use super::http::HttpClient;
use super::response_facts::ResponseWitness;
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
    /// Notifies the observer that a request is retried; `attempt` counts from 1.
    pub(super) fn notify_retry(&self, request: &str, error: &Error, attempt: u32) {
        let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        let (tenant, request) = (self.name.clone(), request.to_owned());
        self.observer.notify(&Event::Retrying { tenant, request, reason, attempt });
    }

    /// Notifies the observer that requests are delayed.
    pub(super) fn notify_wait(&self, wait: Duration, reason: WaitReason) {
        self.observer.notify(&Event::Waiting { tenant: self.name.clone(), wait, reason });
    }
}
