//! Sends one HTTP request: TLS, proxies, timeouts and headers. It neither waits nor retries.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Method, Proxy, Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};

use super::address::Address;
use super::error::Error;
use super::safety_limits::{self, Excess};
use crate::model::network::NetworkOptions;

/// The header with which a tenant records in its log which run a request belongs to.
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// The maximum length of a run's name in that log.
const CORRELATION_LENGTH: usize = 64;
/// The timeout for connecting, within the timeout of the request.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an idle connection may be reused.
const IDLE: Duration = Duration::from_secs(20);

/// The result of one attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    /// A complete response arrived.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The headers.
        headers: HeaderMap,
        /// The body.
        body: Vec<u8>,
    },
    /// The request was not sent.
    Unsent(ConnectionError),
    /// The request may have been sent, but no complete response arrived.
    Broken(ConnectionError),
    /// The response exceeds a safety limit.
    Excessive(Excess),
}

/// Why no response arrived: the innermost cause, the only one that a person can act on (`Connection refused`).
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectionError(String);

impl From<reqwest::Error> for ConnectionError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self(cause.to_string())
    }
}

/// An HTTP request.
pub(super) struct HttpRequest<'message> {
    /// The method.
    pub(super) method: Method,
    /// The URL.
    pub(super) url: Url,
    /// The JSON body, if any.
    pub(super) body: Option<Vec<u8>>,
    /// The access token, if any.
    pub(super) token: Option<&'message SecretString>,
    /// Which attempt this is, from 1.
    pub(super) attempt: u32,
}

/// Whether requests leave this machine, and whether they are sent without TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) is_loopback: bool,
    pub(super) is_plain: bool,
}

/// Builds a client that uses TLS, or none on loopback, and follows no redirects. It opens no connection yet.
pub(super) fn client(reach: Reach, timeout: Duration, network: &NetworkOptions) -> Result<Client, reqwest::Error> {
    // This fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .user_agent(concat!("migrate/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT.min(timeout))
        // If the other side closes an old connection during a create, the outcome is unknown, so old ones are not
        // reused.
        .pool_idle_timeout(IDLE)
        .timeout(timeout);
    if reach.is_loopback {
        client = client.no_proxy();
    } else if let Some(proxy) = &network.proxy {
        client = client.proxy(Proxy::all(proxy.expose_secret()).map_err(reqwest::Error::without_url)?);
    }
    if reach.is_plain {
        return client.tls_certs_only([]).build();
    }
    let authorities = network.authorities.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
    client.tls_certs_merge(authorities).https_only(true).build()
}

/// Returns the correlation id that the writes of a run are sent with.
#[must_use]
pub fn correlation_id(run: &str) -> String {
    run.chars().filter(char::is_ascii_graphic).take(CORRELATION_LENGTH).collect()
}

/// The HTTP client for one tenant.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    run: HeaderValue,
}

impl HttpClient {
    /// Creates a client without opening a connection. Loads the system's certificates, unless requests go to loopback
    /// without TLS.
    pub(super) fn new(address: &Address, timeout: Duration, run: &str, network: &NetworkOptions) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable { what: "the certificates of this machine", source };
        let reach = Reach { is_loopback: address.is_loopback(), is_plain: address.is_plain() };
        let client = client(reach, timeout, network).map_err(|error| unusable(error.into()))?;
        let run = HeaderValue::from_str(&correlation_id(run)).map_err(|error| unusable(error.into()))?;
        Ok(Self { client, run })
    }

    /// Sends a request once.
    pub(super) async fn send(&self, message: HttpRequest<'_>) -> Attempt {
        let is_write = message.method != Method::GET;
        let mut request = self.client.request(message.method, message.url).header(ACCEPT, "application/json");
        if let Some(token) = message.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = message.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        if is_write && !self.run.is_empty() {
            request = request.header(CORRELATION, self.run.clone());
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() || error.is_builder() => return Attempt::Unsent(error.into()),
            Err(error) if has_too_many_headers(&error) => return Attempt::Excessive(Excess::Headers),
            Err(error) => return Attempt::Broken(error.into()),
        };
        whole(answer).await
    }
}

/// Reads a response completely or up to the safety limit; the timeout of the request also ends a trickling one.
async fn whole(mut answer: Response) -> Attempt {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Attempt::Excessive(Excess::Compressed);
    }
    if answer.content_length().is_some_and(|length| length > safety_limits::BODY as u64) {
        return Attempt::Excessive(Excess::Body);
    }
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > safety_limits::BODY => return Attempt::Excessive(Excess::Body),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Attempt::Answered { status, headers, body },
            Err(error) => return Attempt::Broken(error.into()),
        }
    }
}

fn has_too_many_headers(error: &reqwest::Error) -> bool {
    let chain = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    chain.filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse_too_large)
}

/// Returns a random number.
pub(super) fn random_u64() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns a random fraction from 0 to 1.
pub(super) fn jitter() -> f64 {
    f64::from(u32::try_from(random_u64() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
