//! One request, one answer: TLS, proxies, timeouts and headers. It neither waits nor repeats.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url, redirect};
use secrecy::{ExposeSecret, SecretString};

use super::address::Address;
use super::error::Error;
use super::safety_limits::{self, Excess};

/// Where a tenant writes down which run a request belongs to, in its own log.
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// As much of a run's name as that log takes.
const CORRELATION_LENGTH: usize = 64;
/// How long a connection may take to come about, within the whole time of a request.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection may rest and be used again.
const IDLE: Duration = Duration::from_secs(20);

/// How one attempt ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// An answer came whole.
    Answered {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: HeaderMap,
        /// Its body.
        body: Vec<u8>,
    },
    /// The request never left.
    Unsent(ConnectionError),
    /// It may have left, and no whole answer came.
    Broken(ConnectionError),
    /// It was answered with more than is taken of any answer.
    Excessive(Excess),
}

/// Why no answer came: the innermost cause, which alone says something that a person can act on (`Connection refused`).
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

/// One message to send.
pub(super) struct HttpRequest<'message> {
    /// The method.
    pub(super) method: Method,
    /// Where to.
    pub(super) url: Url,
    /// JSON, if any.
    pub(super) body: Option<Vec<u8>>,
    /// Who is asking.
    pub(super) token: Option<&'message SecretString>,
}

/// Returns what connects by TLS, or without it on loopback, and follows no redirect; it opens nothing yet.
pub(super) fn client(is_loopback: bool, is_plain: bool, timeout: Duration) -> Result<Client, reqwest::Error> {
    // Installing fails only where it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .user_agent(concat!("migrate/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT.min(timeout))
        // A connection the other side has just closed leaves a create in doubt, so old ones are not tried.
        .pool_idle_timeout(IDLE)
        .timeout(timeout);
    if is_loopback {
        client = client.no_proxy();
    }
    client = if is_plain { client.tls_certs_only([]) } else { client.https_only(true) };
    client.build()
}

/// The connections to one tenant.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    run: HeaderValue,
}

impl HttpClient {
    /// Opens nothing yet; reads the system's certificates, unless requests stay on this machine without TLS.
    pub(super) fn new(address: &Address, timeout: Duration, run: &str) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable { what: "the certificates of this machine", source };
        let client = client(address.is_loopback(), address.is_plain(), timeout).map_err(|error| unusable(error.into()))?;
        let run: String = run.chars().filter(char::is_ascii_graphic).take(CORRELATION_LENGTH).collect();
        let run = HeaderValue::from_str(&run).map_err(|error| unusable(error.into()))?;
        Ok(Self { client, run })
    }

    /// Sends a message once.
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

/// Reads an answer to its end, or as far as any is read; the time of its request ends one that trickles.
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

/// Returns a number that differs from run to run and from call to call.
pub(super) fn random_u64() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns a fraction from 0 to 1 that differs from call to call.
pub(super) fn jitter() -> f64 {
    f64::from(u32::try_from(random_u64() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
