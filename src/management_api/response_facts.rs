//! What the headers of responses say about a tenant: the time of its clock, and its rate limit.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};

use super::rate_limit::RateLimitHeaders;

/// The time on the clocks of a tenant and of this machine when a response arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The tenant's time, in whole seconds.
    pub tenant: SystemTime,
    /// This machine's time.
    pub local: SystemTime,
}

/// How the clock of this machine differs from that of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockDifference {
    /// This machine is ahead.
    Ahead(Duration),
    /// This machine is behind.
    Behind(Duration),
}

impl ClockReading {
    /// Returns how this machine differs from the tenant, as exact as the whole seconds of a header and the time of the response allow.
    #[must_use]
    pub fn difference(self) -> ClockDifference {
        match self.local.duration_since(self.tenant) {
            Ok(ahead) => ClockDifference::Ahead(ahead),
            Err(behind) => ClockDifference::Behind(behind.duration()),
        }
    }
}

/// What the newest responses said besides their bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseFacts {
    /// The clocks at the newest response; `None` before any, or if it had no `Date`.
    pub clock: Option<ClockReading>,
    /// The bucket that counted the newest request; `None` if no response named one.
    pub rate_limit: Option<RateLimitHeaders>,
}

/// Remembers what the newest responses said.
#[derive(Debug, Default)]
pub(super) struct ResponseWitness(Mutex<ResponseFacts>);

impl ResponseWitness {
    /// Remembers the headers of a response that has just arrived.
    pub(super) fn record(&self, headers: &HeaderMap) {
        let local = SystemTime::now();
        let date = headers.get(DATE).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
        let rate_limit = RateLimitHeaders::parse(headers, local);
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts.clock = date.map(|tenant| ClockReading { tenant, local }).or(facts.clock);
        facts.rate_limit = rate_limit.or(facts.rate_limit);
    }

    /// Returns what the newest responses said.
    pub(super) fn facts(&self) -> ResponseFacts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_clock_is_ahead_of_the_tenant_or_behind_it() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let reading = |tenant, local| ClockReading { tenant: at(tenant), local: at(local) }.difference();
        assert_eq!(reading(100, 160), ClockDifference::Ahead(Duration::from_secs(60)));
        assert_eq!(reading(160, 100), ClockDifference::Behind(Duration::from_secs(60)));
    }

    #[test]
    fn a_response_without_these_headers_leaves_what_an_earlier_one_said() {
        let witness = ResponseWitness::default();
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect::<HeaderMap>()
        };
        witness.record(&headers(&[
            ("date", "Fri, 03 Sep 2021 20:16:49 GMT"),
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "49"),
            ("x-ratelimit-reset", "1630700213"),
        ]));
        witness.record(&HeaderMap::new());
        let facts = witness.facts();
        assert_eq!(facts.clock.expect("a date").tenant, UNIX_EPOCH + Duration::from_secs(1_630_700_209));
        assert_eq!(facts.rate_limit.expect("a limit").limit, 50);
    }
}
