//! The options of a sandbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::api::token::RegisteredClients;
use super::behaviour::fault::Fault;
use super::http::rate_limit::RateLimit;
use super::http::request_log::RequestLog;
use super::store::state::State;
use super::store::tenant_log::LogLimits;
use crate::catalog::limits::Tier;

/// The options of a sandbox; only the state is required.
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
    pub(super) log_limits: LogLimits,
    pub(super) clock_ahead: Duration,
}

impl Options {
    /// Returns options for this state on a free port, without limits or faults; only clients of the state have credentials.
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
            log_limits: LogLimits::default(),
            clock_ahead: Duration::ZERO,
        }
    }

    /// Sets the port; 0 picks a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Accepts these credentials for a token with every scope; the client need not exist.
    #[must_use]
    pub fn credentials(mut self, client_id: &str, client_secret: &str) -> Self {
        self.registered.secrets.push((client_id.to_owned(), client_secret.to_owned()));
        self
    }

    /// Accepts assertions signed with this RSA key (public, in PEM) for a token with every scope.
    #[must_use]
    pub fn public_key(mut self, client_id: &str, pem: &str) -> Self {
        self.registered.keys.push((client_id.to_owned(), pem.to_owned()));
        self
    }

    /// Sets a rate limit for the tenant as a whole.
    #[must_use]
    pub fn rate_limit(mut self, rate: f64, burst: u32) -> Self {
        self.rate_limit = Some(RateLimit { rate, burst });
        self
    }

    /// Applies the published rate limits of a subscription, including those of endpoint groups.
    #[must_use]
    pub fn tier(mut self, tier: &'static Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Delays every response.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Adds faults.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Accepts what is refused only by the OpenAPI description or by reports about the live API.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.state = self.state.lenient();
        self
    }

    /// Logs every request to the Management API.
    #[must_use]
    pub fn request_log(mut self, request_log: Arc<RequestLog>) -> Self {
        self.request_log = Some(request_log);
        self
    }

    /// Delays the entries of the tenant's log, or keeps them for a limited time.
    #[must_use]
    pub fn log_limits(mut self, limits: LogLimits) -> Self {
        self.log_limits = limits;
        self
    }

    /// Sets the clock of the tenant ahead of that of this machine, as if the clock of this machine were behind.
    #[must_use]
    pub fn clock_ahead(mut self, by: Duration) -> Self {
        self.clock_ahead = by;
        self
    }

    /// Sets the lifetime of tokens.
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
