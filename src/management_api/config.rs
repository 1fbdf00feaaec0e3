//! How to talk to a tenant, and as whom.

use std::time::Duration;

use crate::catalog::limits::{Rate, Tier};
use crate::model::credentials::Credentials;

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
