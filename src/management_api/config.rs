//! The configuration of a connection to a tenant: address, credentials and limits.

use std::time::Duration;

use crate::catalog::limits::{Rate, Tier};
use crate::model::credentials::Credentials;
use crate::model::network::NetworkOptions;

/// The configuration of a connection to a tenant.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The tenant's name in `migrate.toml`.
    pub name: String,
    /// Its own domain: `acme.eu.auth0.com`.
    pub domain: String,
    /// The URL to use instead: https, or any on loopback.
    pub url: Option<String>,
    /// The certificates and the proxy, where those of the system do not suffice.
    pub network: NetworkOptions,
    /// The credentials.
    pub credentials: Credentials,
    /// The subscription with its published limits, if known.
    ///
    /// Without it and without `rate`, only the headers of responses control the rate: just as safe, and slower only
    /// where a bucket is tiny.
    pub tier: Option<&'static Tier>,
    /// The tenant's bucket, if it differs from that of the subscription.
    pub rate: Option<Rate>,
    /// The share of every limit to use, above 0 and up to 1; the rest is left for user logins.
    pub share: f64,
    /// The name of the run, sent with every write as `X-Correlation-ID`, so that the tenant's log shows what a run did.
    pub run: String,
    /// The timeout of one attempt, including its response.
    pub timeout: Duration,
    /// The maximum number of concurrent requests.
    pub concurrency: usize,
}
