//! Webhooks: addresses that are notified how a run ended. They belong to no tenant, and are told too little rather than too much.
//!
//! The address of a hook is often all it takes to write to it, so it is a secret: an error names its host alone.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::address::is_loopback;
use super::http::{ConnectionError, client};

/// How long a hook may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What could not be done with a hook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no address that may be spoken to.
    #[error("the webhook URL {0}")]
    Address(&'static str),
    /// The system's certificates cannot be used.
    #[error("cannot use the certificates of this machine")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer came.
    #[error("no answer from {host}: {reason}")]
    Unreachable {
        /// Its host.
        host: String,
        /// Why.
        reason: String,
    },
    /// It answered by another status than 2xx.
    #[error("{host} answered {status}")]
    Refused {
        /// Its host.
        host: String,
        /// The status.
        status: u16,
    },
}

/// An address that hears how a run ended.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: SecretString,
    host: String,
    client: Client,
}

impl Webhook {
    /// Checks an address; opens nothing yet.
    ///
    /// # Errors
    ///
    /// When it is no https URL (on loopback, http will do), or the system's certificates cannot be used.
    pub(crate) fn new(url: SecretString) -> Result<Self, Error> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| Error::Address("is not valid"))?;
        let host = parsed.host_str().ok_or(Error::Address("has no host"))?.to_owned();
        let is_plain = match parsed.scheme() {
            "https" => false,
            "http" if is_loopback(&parsed) => true,
            "http" => return Err(Error::Address("is not on loopback, so it needs https")),
            _ => return Err(Error::Address("is neither https nor http")),
        };
        let client = client(is_loopback(&parsed), is_plain, TIMEOUT).map_err(|error| Error::Unusable(error.into()))?;
        Ok(Self { url, host, client })
    }

    /// Returns the host, which is all of the address that may be shown.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Sends JSON by POST.
    ///
    /// # Errors
    ///
    /// When no answer came, or another than 2xx.
    pub(crate) async fn post(&self, body: &Value) -> Result<(), Error> {
        self.call(Method::POST, Some(body)).await
    }

    /// Asks by GET.
    ///
    /// # Errors
    ///
    /// When no answer came, or another than 2xx.
    pub(crate) async fn get(&self) -> Result<(), Error> {
        self.call(Method::GET, None).await
    }

    async fn call(&self, method: Method, body: Option<&Value>) -> Result<(), Error> {
        let mut request = self.client.request(method, self.url.expose_secret());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let unreachable = |error| Error::Unreachable { host: self.host.clone(), reason: ConnectionError::from(error).to_string() };
        let status = request.send().await.map_err(unreachable)?.status();
        if status.is_success() { Ok(()) } else { Err(Error::Refused { host: self.host.clone(), status: status.as_u16() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_spoken_to_by_tls_and_its_address_stands_in_no_error() {
        let refused = |url: &str| Webhook::new(SecretString::from(url)).expect_err("refused").to_string();
        assert_eq!(refused("http://hooks.example/CANARY"), "the webhook URL is not on loopback, so it needs https");
        assert_eq!(refused("ftp://hooks.example/CANARY"), "the webhook URL is neither https nor http");
        assert_eq!(refused("hooks.example/CANARY"), "the webhook URL is not valid");
        let hook = Webhook::new(SecretString::from("https://hooks.example/services/CANARY")).expect("a hook");
        assert_eq!(hook.host(), "hooks.example");
        assert!(!format!("{hook:?}").contains("CANARY"));
    }
}
