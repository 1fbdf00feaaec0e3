//! Webhooks: URLs that are notified of the result of a run. They belong to no tenant and receive as little as possible.
//!
//! Knowing the URL of a webhook often suffices to post to it, so it is a secret: errors contain only its host.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tracing::info;

use super::address::is_loopback;
use super::http::{ConnectionError, Reach, client};
use crate::model::network::NetworkOptions;

/// The timeout of a webhook.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a webhook could not be notified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not allowed.
    #[error("the webhook URL {0}")]
    Address(&'static str),
    /// The system's certificates cannot be used.
    #[error("cannot use the certificates of this machine")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No response arrived.
    #[error("no response from {host}: {reason}")]
    Unreachable {
        /// Its host.
        host: String,
        /// The cause.
        reason: String,
    },
    /// The response is not 2xx.
    #[error("{host} answered {status}")]
    Refused {
        /// Its host.
        host: String,
        /// The status.
        status: u16,
    },
}

/// A URL that is notified of the result of a run.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: SecretString,
    host: String,
    client: Client,
}

impl Webhook {
    /// Checks the URL without opening a connection.
    ///
    /// # Errors
    ///
    /// If it is not an https URL (http is allowed on loopback), or the system's certificates cannot be used.
    pub(crate) fn new(url: SecretString) -> Result<Self, Error> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| Error::Address("is not valid"))?;
        let host = parsed.host_str().ok_or(Error::Address("has no host"))?.to_owned();
        let is_plain = match parsed.scheme() {
            "https" => false,
            "http" if is_loopback(&parsed) => true,
            "http" => return Err(Error::Address("is not on loopback, so it needs https")),
            _ => return Err(Error::Address("is neither https nor http")),
        };
        let client = client(Reach { is_loopback: is_loopback(&parsed), is_plain }, TIMEOUT, &NetworkOptions::default())
            .map_err(|error| Error::Unusable(error.into()))?;
        Ok(Self { url, host, client })
    }

    /// Returns the host, the only part of the URL that may be shown.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Sends JSON by POST.
    ///
    /// # Errors
    ///
    /// If no response arrives, or it is not 2xx.
    pub(crate) async fn post(&self, body: &Value) -> Result<(), Error> {
        self.call(Method::POST, Some(body)).await
    }

    /// Sends a GET request.
    ///
    /// # Errors
    ///
    /// If no response arrives, or it is not 2xx.
    pub(crate) async fn get(&self) -> Result<(), Error> {
        self.call(Method::GET, None).await
    }

    async fn call(&self, method: Method, body: Option<&Value>) -> Result<(), Error> {
        let mut request = self.client.request(method, self.url.expose_secret());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let unreachable = |error| Error::Unreachable { host: self.host.clone(), reason: ConnectionError::from(error).to_string() };
        let answer = request.send().await;
        info!(host = self.host, status = answer.as_ref().ok().map(|answer| answer.status().as_u16()), "webhook");
        let status = answer.map_err(unreachable)?.status();
        if status.is_success() { Ok(()) } else { Err(Error::Refused { host: self.host.clone(), status: status.as_u16() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_requires_tls_and_its_url_is_in_no_error() {
        let refused = |url: &str| Webhook::new(SecretString::from(url)).expect_err("refused").to_string();
        assert_eq!(refused("http://hooks.example/CANARY"), "the webhook URL is not on loopback, so it needs https");
        assert_eq!(refused("ftp://hooks.example/CANARY"), "the webhook URL is neither https nor http");
        assert_eq!(refused("hooks.example/CANARY"), "the webhook URL is not valid");
        let hook = Webhook::new(SecretString::from("https://hooks.example/services/CANARY")).expect("a hook");
        assert_eq!(hook.host(), "hooks.example");
        assert!(!format!("{hook:?}").contains("CANARY"));
    }
}
