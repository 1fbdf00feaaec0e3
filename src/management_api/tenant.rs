//! A tenant: its properties, and calls to any path. Reads and writes of kinds are in `read` and `write`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;

use super::address::Address;
use super::auth::{TokenAudience, TokenProvider};
use super::config::ApiConfig;
use super::connection::Connection;
use super::error::Error;
use super::http::HttpClient;
use super::rate_limit::{LimiterConfig, RateLimiter};
use super::redact::{Redactor, SentBody};
use super::response_facts::{ResponseFacts, ResponseWitness};
use super::safety_limits;
use super::traffic::{RequestCounters, Traffic};
use super::transport::{Request, RequestBounds, SuccessResponse, Transport};
use crate::catalog::limits::KnownLimits;
use crate::json::Body;
use crate::model::credentials::Credentials;
use crate::model::event::Observer;

/// The response to a call of any Management API path.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status, 2xx.
    pub status: u16,
    /// The JSON body, or null if there is none.
    pub body: Value,
}

/// A connection to one tenant.
pub struct Tenant {
    pub(super) transport: Transport,
    pub(super) concurrency: usize,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tenant({} at {})", self.transport.connection.name, self.transport.connection.address.domain)
    }
}

impl Tenant {
    /// Creates a connection without sending anything.
    ///
    /// # Errors
    ///
    /// If the address is not allowed (plain http outside loopback), or the key or the system's certificates cannot be
    /// used.
    pub fn new(config: ApiConfig, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let address = Address::new(&config.domain, config.url.as_deref())?;
        let http = HttpClient::new(&address, config.timeout, &config.run, &config.network)?;
        let mut redactor = Redactor::default();
        match &config.credentials {
            Credentials::Secret { client_secret: secret, .. } | Credentials::Key { pem: secret, .. } | Credentials::Token(secret) => {
                redactor.add_secret(secret.expose_secret());
            }
        }
        let share = if config.share > 0.0 { config.share.min(1.0) } else { 1.0 };
        let limiter = RateLimiter::new(LimiterConfig { tier: config.tier, rate: config.rate, share, concurrency: config.concurrency });
        let tokens = TokenProvider::new(config.credentials)?;
        let connection = Connection { name: config.name, address, http, observer, witness: ResponseWitness::default() };
        let transport =
            Transport { connection, limiter, tokens, redactor, counters: RequestCounters::default(), bounds: RequestBounds::default() };
        Ok(Self { transport, concurrency: config.concurrency.max(1) })
    }

    /// Returns the tenant's name in the configuration.
    pub fn name(&self) -> &str {
        &self.transport.connection.name
    }

    /// Returns the tenant's own domain, even if requests go to another URL.
    pub fn domain(&self) -> &str {
        &self.transport.connection.address.domain
    }

    /// Returns the id of the client that the requests are made by; `None` if a given token does not contain it.
    pub fn client_id(&self) -> Option<String> {
        self.transport.tokens.client_id()
    }

    /// Stops retrying at this time, even if the tenant demands a retry.
    pub fn retry_until(&self, time: Instant) {
        self.transport.bounds.retry_until(time);
    }

    /// Stops: work that began [`unless_stopped`](Self::unless_stopped) and has not written yet ends, and no more of it begins.
    pub fn stop(&self) {
        self.transport.bounds.stop();
    }

    /// Does some work to its end; returns nothing where the tenant was [stopped](Self::stop) before it carried out a write of that work.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.transport.bounds.unless_stopped(work).await
    }

    /// Runs a read within the byte limit for a tenant.
    pub async fn within_limits<T>(&self, reading: impl Future<Output = T>) -> T {
        self.transport.bounds.set_byte_limit(safety_limits::TENANT);
        let read = reading.await;
        self.transport.bounds.set_byte_limit(i64::MAX);
        read
    }

    /// Returns the limits that are known before anything is sent.
    pub fn known_limits(&self) -> KnownLimits {
        self.transport.limiter.known_limits()
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> Traffic {
        self.transport.traffic()
    }

    /// Returns the scopes of the token, requesting one if necessary; `None` if neither the tenant nor the token lists
    /// them.
    ///
    /// # Errors
    ///
    /// If no token can be obtained.
    pub async fn scopes(&self) -> Result<Option<BTreeSet<String>>, Error> {
        Ok(self.transport.tokens.current(&self.transport.connection).await?.scopes.clone())
    }

    /// Returns whom the token says it is from and for, requesting one if necessary; `None` if it is not a JWT.
    ///
    /// # Errors
    ///
    /// If no token can be obtained.
    pub async fn token_audience(&self) -> Result<Option<TokenAudience>, Error> {
        Ok(self.transport.tokens.current(&self.transport.connection).await?.audience.clone())
    }

    /// Returns what the newest responses said besides their bodies, those to token requests included.
    pub fn response_facts(&self) -> ResponseFacts {
        self.transport.connection.witness.facts()
    }

    /// Calls any path of the Management API (`users-by-email?email=..`, with or without `/api/v2/` before it).
    ///
    /// # Errors
    ///
    /// If the response is not 2xx, or the path leaves the Management API.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply, Error> {
        let known = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
        let method = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(method)).ok_or_else(|| Error::Address {
            address: method.to_owned(),
            reason: "is not a method: expected GET, POST, PATCH, PUT or DELETE",
        })?;
        let path = path.trim_start_matches('/');
        let mut request = Request::new(method, path.strip_prefix("api/v2/").unwrap_or(path));
        if let Some(body) = body {
            let secrets = Body::from_value(body.clone()).map_or(SentBody::Open, SentBody::OfAnyKind);
            request = request.with_json(body).redacting(secrets);
        }
        let SuccessResponse { status, body } = self.transport.send(&request).await?;
        if body.is_empty() {
            return Ok(Reply { status, body: Value::Null });
        }
        let body = SuccessResponse { status, body }.json(&request.name())?;
        Ok(Reply { status, body })
    }
}
