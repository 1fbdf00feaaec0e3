//! How a sandbox is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::api::token::RegisteredClients;
use super::behaviour::fault::Fault;
use super::http::rate_limit::RateLimit;
use super::http::request_log::RequestLog;
use super::store::state::State;
use crate::catalog::limits::Tier;

/// How a sandbox is set up; only what it holds must be said.
#[derive(Clone)]
pub struct Options {
    pub(super) state: State,
    pub(super) port: u16,
    pub(super) registered: RegisteredClients,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) tier: Option<&'static Tier>,
    pub(super) latency: Duration,
    pub(super) faults: Vec<Fault>,
    pub(super) token_lifetime: Duration,
    pub(super) request_log: Option<Arc<RequestLog>>,
}

impl Options {
    /// Returns a sandbox of this state on a free port: no limits, no faults, and nobody has credentials but the state's own clients.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            port: 0,
            registered: RegisteredClients::default(),
            rate_limit: None,
            tier: None,
            latency: Duration::ZERO,
            faults: Vec::new(),
            token_lifetime: Duration::from_secs(86_400),
            request_log: None,
        }
    }

    /// Sets the port; 0 takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Gives a client that need not exist a token of every scope.
    #[must_use]
    pub fn credentials(mut self, client_id: &str, client_secret: &str) -> Self {
        self.registered.secrets.push((client_id.to_owned(), client_secret.to_owned()));
        self
    }

    /// Gives a client that proves itself by this RSA key (public, in PEM) a token of every scope.
    #[must_use]
    pub fn public_key(mut self, client_id: &str, pem: &str) -> Self {
        self.registered.keys.push((client_id.to_owned(), pem.to_owned()));
        self
    }

    /// Limits requests to the whole tenant.
    #[must_use]
    pub fn rate_limit(mut self, rate: f64, burst: u32) -> Self {
        self.rate_limit = Some(RateLimit { rate, burst });
        self
    }

    /// Limits requests as a published subscription does, endpoint groups included.
    #[must_use]
    pub fn tier(mut self, tier: &'static Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Answers every request this much later.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Adds what goes wrong.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Lets it take what only the API's description and reports of the live API refuse.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.state = self.state.lenient();
        self
    }

    /// Puts every request to the Management API on request_log.
    #[must_use]
    pub fn request_log(mut self, request_log: Arc<RequestLog>) -> Self {
        self.request_log = Some(request_log);
        self
    }

    /// Sets how long a token lives.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options").field("domain", &self.state.domain()).field("port", &self.port).finish_non_exhaustive()
    }
}
