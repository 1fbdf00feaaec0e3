//! Talking to one tenant: tokens, pages, limits and retries.
//!
//! The only place that waits. Every request goes the same way: a valid token, a permit of the rate limiter, one attempt, and the
//! retry table's word on what comes next. What comes back is JSON; this module knows kinds and paths, and neither snapshots nor plans.

mod address;
mod auth;
mod error;
mod http;
pub mod limits;
mod pagination;
mod rate_limit;
mod read;
mod redact;
mod retry;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;
mod transport;
pub mod webhook;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::catalog::limits::{Rate, Tier};
use crate::json::Body;
use crate::model::event::Observer;
use crate::model::resource::Secret;

use address::Address;
use redact::Redactor;
use transport::{ApiResponse, Request, Transport};

pub use error::{Cause, Error};
pub use read::ReadOutcome;

/// What answers say, read without a tenant that gives them.
pub mod answers {
    pub use super::address::Address;
    pub use super::auth::{Token, parse_token_response};
    pub use super::error::refusal;
    pub use super::pagination::Page;
    pub use super::rate_limit::{RateLimitHeaders, requested_wait};
    pub use super::redact::Redactor;
}

/// How to talk to a tenant.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The name it goes by in `migrate.toml`.
    pub name: String,
    /// Its own domain: `acme.eu.auth0.com`.
    pub domain: String,
    /// Where requests go instead: an https URL, or any on loopback.
    pub url: Option<String>,
    /// Who is asking.
    pub credentials: Credentials,
    /// The subscription whose published limits hold, where it is known.
    ///
    /// Without it and without `rate` the headers of the answers lead alone: as safe, and slower only where a bucket is tiny.
    pub tier: Option<&'static Tier>,
    /// The tenant's bucket, where it differs from the subscription's.
    pub rate: Option<Rate>,
    /// The share of every limit that is ours, above 0 and up to 1; the rest stays for people who log in.
    pub share: f64,
    /// The run's name, sent with every write as `X-Correlation-ID`, so that the tenant's own log shows what a run did.
    pub run: String,
    /// How long one attempt may take, answer included.
    pub timeout: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A client and its secret.
    Secret {
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// A client that signs with its private key (`private_key_jwt`, RS256).
    Key {
        /// The client.
        client_id: String,
        /// Its RSA key, as PEM.
        pem: Secret,
    },
    /// A token that was obtained elsewhere; it cannot be renewed.
    Token(Secret),
}

/// What a kind's list came to.
#[derive(Debug)]
pub enum Listing<T = Body> {
    /// Everything the tenant has of it.
    Complete(Vec<T>),
    /// The tenant does not serve it.
    Absent {
        /// The status it answered.
        status: u16,
        /// What the answer means.
        because: Absence,
    },
}

/// Why a tenant does not serve a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It was never set up.
    NotConfigured,
    /// The token lacks the scope; the error's own words.
    Scope(String),
    /// The subscription lacks it, or it is switched off; the tenant's own words.
    Entitlement(String),
    /// The tenant knows no such path, or serves nothing there; its own words.
    Gone(String),
    /// The tenant refuses to show it; its own words, with the status.
    Refused(String),
}

impl fmt::Display for Absence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => out.write_str("not configured"),
            Self::Scope(message) | Self::Refused(message) => out.write_str(message),
            Self::Entitlement(message) => write!(out, "not part of the tenant's plan: {message}"),
            Self::Gone(message) => write!(out, "not served by the tenant: {message}"),
        }
    }
}

/// The answer to a call of any Management API path.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status, 2xx.
    pub status: u16,
    /// The JSON, or null where there was none.
    pub body: Value,
}

/// Requests so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// GETs sent, repeated ones included, tokens apart.
    pub reads: u64,
    /// Other requests sent, repeated ones included, tokens apart.
    pub writes: u64,
    /// How many of both were answered, by whatever status.
    pub answers: u64,
    /// How many of both were sent again.
    pub retries: u64,
    /// How long limits held requests back.
    pub waited: Duration,
}

/// One tenant, ready to be spoken to.
pub struct Tenant {
    transport: Transport,
    concurrency: usize,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tenant({} at {})", self.transport.name, self.transport.address.domain)
    }
}

impl Tenant {
    /// Makes ready to talk; sends nothing yet.
    ///
    /// # Errors
    ///
    /// When the address may not be spoken to (plain http that is not on loopback), or the key or the machine's certificates cannot be used.
    pub fn new(config: ApiConfig, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let address = Address::new(&config.domain, config.url.as_deref())?;
        let http = http::HttpClient::new(&address, config.timeout, &config.run)?;
        let mut redactor = Redactor::default();
        match &config.credentials {
            Credentials::Secret { client_secret: secret, .. } | Credentials::Key { pem: secret, .. } | Credentials::Token(secret) => {
                redactor.add_secret(secret.reveal());
            }
        }
        let share = if config.share > 0.0 { config.share.min(1.0) } else { 1.0 };
        let limiter = rate_limit::RateLimiter::new(rate_limit::LimiterConfig {
            tier: config.tier,
            rate: config.rate,
            share,
            concurrency: config.concurrency,
        });
        let tokens = auth::TokenProvider::new(config.credentials)?;
        let transport = Transport {
            name: config.name,
            address,
            http,
            limiter,
            tokens,
            observer,
            redactor,
            counters: transport::RequestCounters::default(),
            bounds: transport::RequestBounds::default(),
        };
        Ok(Self { transport, concurrency: config.concurrency.max(1) })
    }

    /// Returns the name it goes by.
    pub fn name(&self) -> &str {
        &self.transport.name
    }

    /// Returns its own domain, whatever URL requests go to.
    pub fn domain(&self) -> &str {
        &self.transport.address.domain
    }

    /// Returns the client that the requests are made by; none where a given token does not say.
    pub fn client_id(&self) -> Option<String> {
        self.transport.tokens.client_id()
    }

    /// Lets nothing be sent again after a time, though the tenant asks for it.
    pub fn retry_until(&self, time: Instant) {
        self.transport.bounds.retry_until(time);
    }

    /// Reads, as far as the bytes of all answers are no more than a tenant has.
    pub async fn within_limits<T>(&self, reading: impl Future<Output = T>) -> T {
        self.transport.bounds.set_byte_limit(limits::TENANT);
        let read = reading.await;
        self.transport.bounds.set_byte_limit(i64::MAX);
        read
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Traffic {
        self.transport.traffic()
    }

    /// Returns the scopes of the token, asking for one where there is none; none where neither the tenant nor the token says.
    ///
    /// # Errors
    ///
    /// When no token can be had.
    pub async fn scopes(&self) -> Result<Option<BTreeSet<String>>, Error> {
        Ok(self.transport.tokens.current(&self.transport).await?.scopes.clone())
    }

    /// Calls any path of the Management API (`users-by-email?email=..`, with or without `/api/v2/` before it).
    ///
    /// # Errors
    ///
    /// When the tenant answers anything but 2xx, or the path leads elsewhere.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply, Error> {
        let known = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
        let method = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(method)).ok_or_else(|| Error::Address {
            address: method.to_owned(),
            because: "is no method: GET, POST, PATCH, PUT or DELETE was expected",
        })?;
        let path = path.trim_start_matches('/');
        let mut request = Request::new(method, path.strip_prefix("api/v2/").unwrap_or(path));
        if let Some(body) = body {
            let mut redactor = Redactor::default();
            if let Ok(body) = Body::from_value(body.clone()) {
                redactor.add_secrets_of_any_kind(&body);
            }
            request = request.with_json(body).redacting(redactor);
        }
        let ApiResponse { status, body } = self.transport.send(&request).await?;
        if body.is_empty() {
            return Ok(Reply { status, body: Value::Null });
        }
        let body = ApiResponse { status, body }.json(&request.name())?;
        Ok(Reply { status, body })
    }
}
