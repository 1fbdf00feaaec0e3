//! The front door of a tenant: the addresses at which people sign in. Asked without credentials, without cookies, and slowly.
//!
//! These are the login endpoints of production, so at most a few requests leave per second, one at a time. Redirects are never followed:
//! nobody is signed in, and no request reaches an application or an identity provider.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_ENCODING, HOST, LOCATION};
use reqwest::{Client, Method, Response, Url};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::address::{Address, is_loopback};
use super::error::Error;
use super::http::{ConnectionError, Reach, client, random_u64};
use super::log_events::SentRequest;
use crate::model::front_door::FrontDoorAnswer;
use crate::model::network::NetworkOptions;

/// The timeout of one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The time between two requests. A tenant on loopback has no users, so requests to it do not wait.
const INTERVAL: Duration = Duration::from_millis(300);
/// How much of a body is read: discovery documents and key sets have a few kilobytes.
const BODY: usize = 256 << 10;

/// The front door of one tenant.
#[derive(Debug)]
pub struct FrontDoor {
    domain: String,
    base: Url,
    /// The URL that stands in for every domain of the tenant.
    is_elsewhere: bool,
    client: Client,
    pace: Pace,
}

/// When the next request may leave.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for the turn of the next request.
    async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let at = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            *next = Some(at + self.interval);
            at
        };
        sleep_until(at).await;
    }
}

impl FrontDoor {
    /// Creates a client for the front door of a tenant without opening a connection. With a URL, every request goes there, with the
    /// domain that it is about in the `Host` header.
    ///
    /// # Errors
    ///
    /// If the address is not allowed (plain http outside loopback), or the system's certificates cannot be used.
    pub fn new(domain: &str, url: Option<&str>, network: &NetworkOptions) -> Result<Self, Error> {
        let base = Address::new(domain, url)?.root();
        let reach = Reach { is_loopback: is_loopback(&base), is_plain: base.scheme() == "http" };
        let unusable = |source: reqwest::Error| Error::Unusable { what: "the certificates of this machine", source: source.into() };
        let client = client(reach, TIMEOUT, network).map_err(unusable)?;
        let domain = domain.to_owned();
        Ok(Self {
            domain,
            base,
            is_elsewhere: url.is_some(),
            client,
            pace: Pace::new(if reach.is_loopback { Duration::ZERO } else { INTERVAL }),
        })
    }

    /// Asks for a path of the tenant's own domain, or of this custom domain.
    pub async fn ask(&self, domain: Option<&str>, path: &str, query: &[(&str, String)]) -> FrontDoorAnswer {
        let Some(mut url) = self.root(domain) else {
            return FrontDoorAnswer::Unreachable("it is not a domain that can be asked".to_owned());
        };
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let asked = url.clone();
        let mut request = self.client.get(url).header(ACCEPT, "text/html, application/json");
        if let Some(domain) = domain.filter(|_| self.is_elsewhere) {
            request = request.header(HOST, domain);
        }
        self.pace.turn().await;
        let sent = SentRequest::new(&self.domain, (&Method::GET, &asked), 1);
        match request.send().await {
            Ok(response) => {
                sent.log_answer(Some(response.status().as_u16()), None, Some(response.headers()));
                answered(response).await
            }
            Err(error) => {
                sent.log_answer(None, Some("no response"), None);
                FrontDoorAnswer::Unreachable(ConnectionError::from(error).to_string())
            }
        }
    }

    /// Returns the URL at which a domain of the tenant is asked; an address in place of a name is not one.
    fn root(&self, domain: Option<&str>) -> Option<Url> {
        let Some(domain) = domain else { return Some(self.base.clone()) };
        let own = Address::new(domain, None).ok()?.root();
        let is_name = own.domain().is_some_and(|name| name.contains('.'));
        is_name.then(|| if self.is_elsewhere { self.base.clone() } else { own })
    }
}

/// Returns a random text of letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    const SIGNS: [char; 16] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'k', 'm', 'n', '2', '3', '4', '5', '6'];
    (0..length).map(|_| SIGNS[usize::try_from(random_u64() % 16).unwrap_or_default()]).collect()
}

/// Reads the first part of a response.
async fn answered(mut response: Response) -> FrontDoorAnswer {
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let is_readable = response.headers().get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    let mut body = Vec::new();
    while let (true, Ok(Some(chunk))) = (is_readable && body.len() < BODY, response.chunk().await) {
        body.extend_from_slice(&chunk[..chunk.len().min(BODY - body.len())]);
    }
    FrontDoorAnswer::Answered { status, location, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_is_no_name_is_not_asked() {
        let door = FrontDoor::new("acme.eu.auth0.com", None, &NetworkOptions::default()).expect("a front door");
        let root = |domain| door.root(Some(domain)).map(|url| url.to_string());
        assert_eq!(root("login.acme.example").as_deref(), Some("https://login.acme.example/"));
        for domain in ["127.0.0.1", "169.254.169.254", "localhost", "login.acme.example/x", "a@login.acme.example", "[::1]", ""] {
            assert_eq!(root(domain), None, "{domain}");
        }
    }

    #[test]
    fn plain_http_goes_to_loopback_only() {
        let door = |url| FrontDoor::new("acme.eu.auth0.com", Some(url), &NetworkOptions::default());
        assert!(door("http://acme.example").is_err());
        assert!(door("http://127.0.0.1:4010").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_one_after_the_other_with_time_between_them() {
        let (pace, began) = (Pace::new(INTERVAL), Instant::now());
        for _ in 0..4 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), INTERVAL * 3);
    }
}
