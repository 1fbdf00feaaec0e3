//! Rate limits: a token bucket for the tenant and one for each endpoint group that Auth0 publishes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::HeaderValue;
use tokio::time::Instant;

use crate::catalog::limits::{CallType, Tier};

/// The rate and burst of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Sustained requests per second.
    pub rate: f64,
    /// Requests in a burst.
    pub burst: u32,
}

/// One token bucket.
#[derive(Debug, Clone)]
struct SandboxBucket {
    rate_limit: RateLimit,
    level: f64,
    seen: Instant,
}

/// The status of a bucket after a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BucketStatus {
    /// Requests in a burst.
    pub(crate) limit: u32,
    /// Requests that may still be sent without waiting.
    pub(crate) remaining: u32,
    /// Time until the bucket is full.
    pub(crate) full_in: Duration,
    /// Time until one more request is allowed.
    pub(crate) next_in: Duration,
}

impl SandboxBucket {
    fn new(rate_limit: RateLimit, now: Instant) -> Self {
        Self { rate_limit, level: f64::from(rate_limit.burst), seen: now }
    }

    fn take(&mut self, now: Instant) -> Result<BucketStatus, BucketStatus> {
        let burst = f64::from(self.rate_limit.burst);
        let since = now.saturating_duration_since(self.seen).as_secs_f64();
        self.level = (self.level + since * self.rate_limit.rate).min(burst);
        self.seen = now;
        // Time is measured in nanoseconds, so a token that is short by less than one counts as available.
        if self.level < 1.0 - 1e-6 {
            return Err(self.status());
        }
        self.level = (self.level - 1.0).max(0.0);
        Ok(self.status())
    }

    fn status(&self) -> BucketStatus {
        let until = |level: f64| Duration::from_secs_f64(((level - self.level) / self.rate_limit.rate).max(0.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a level lies between 0 and the burst")]
        let remaining = (self.level + 1e-6).floor() as u32;
        BucketStatus { limit: self.rate_limit.burst, remaining, full_in: until(f64::from(self.rate_limit.burst)), next_in: until(1.0) }
    }
}

/// Every bucket of a tenant.
#[derive(Debug)]
pub(crate) struct TenantBuckets {
    tenant: Option<SandboxBucket>,
    tier: Option<&'static Tier>,
    groups: Vec<SandboxBucket>,
}

impl TenantBuckets {
    /// Creates full buckets; an explicit rate limit replaces the tier's limit for the tenant as a whole.
    pub(crate) fn new(rate_limit: Option<RateLimit>, tier: Option<&'static Tier>, now: Instant) -> Self {
        let of = |rate: crate::catalog::limits::Rate| RateLimit { rate: f64::from(rate.a_minute) / 60.0, burst: rate.burst };
        let tenant = rate_limit.or_else(|| tier.map(|tier| of(tier.tenant))).map(|rate_limit| SandboxBucket::new(rate_limit, now));
        let endpoints = tier.map_or(&[][..], |tier| tier.endpoints);
        Self { tenant, tier, groups: endpoints.iter().map(|limit| SandboxBucket::new(of(limit.rate), now)).collect() }
    }

    /// Takes a token from each bucket that applies, the tenant's first; returns the status of the tightest.
    pub(crate) fn take(&mut self, is_write: bool, path: &str, now: Instant) -> Result<Option<BucketStatus>, BucketStatus> {
        let tenant = self.tenant.as_mut().map(|bucket| bucket.take(now)).transpose()?;
        let calls = if is_write { CallType::Write } else { CallType::Read };
        let group = self.tier.and_then(|tier| tier.group_of(calls, path));
        let group = group.map(|place| self.groups[place].take(now)).transpose()?;
        Ok(tenant.into_iter().chain(group).min_by_key(|status| status.remaining))
    }
}

/// Wall-clock time that advances with the runtime's clock, so that paused time applies to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    at: SystemTime,
}

impl Clock {
    /// Starts a clock that is ahead of the system's by this time.
    pub(crate) fn start(ahead: Duration) -> Self {
        Self { started: Instant::now(), at: SystemTime::now() + ahead }
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> SystemTime {
        self.at + self.started.elapsed()
    }

    /// Returns the current time as a `Date` header.
    pub(crate) fn date(&self) -> HeaderValue {
        let date = httpdate::fmt_http_date(self.now());
        HeaderValue::try_from(date).expect("a date is plain text")
    }

    /// Returns the Unix time, in whole seconds, at which `after` will have passed.
    pub(crate) fn second_in(&self, after: Duration) -> u64 {
        let then = self.now() + after;
        let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() + u64::from(since.subsec_nanos() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_its_burst_at_once_and_then_its_rate() {
        let now = Instant::now();
        let mut bucket = SandboxBucket::new(RateLimit { rate: 2.0, burst: 10 }, now);
        for left in (0..10).rev() {
            assert_eq!(bucket.take(now).expect("within the burst").remaining, left);
        }
        let empty = bucket.take(now).expect_err("spent");
        assert_eq!((empty.remaining, empty.next_in, empty.full_in), (0, Duration::from_millis(500), Duration::from_secs(5)));
        assert!(bucket.take(now + Duration::from_millis(499)).is_err());
        assert!(bucket.take(now + Duration::from_millis(500)).is_ok());
    }

    #[test]
    fn an_endpoint_group_can_be_exhausted_before_the_tenant() {
        let now = Instant::now();
        let tier = Tier::named("essentials").expect("published");
        let mut buckets = TenantBuckets::new(Some(RateLimit { rate: 100.0, burst: 100 }), Some(tier), now);
        for _ in 0..5 {
            assert!(buckets.take(false, "/clients", now).is_ok());
        }
        assert!(buckets.take(false, "/clients", now).is_err());
        assert!(buckets.take(false, "/roles", now).is_ok());
    }
}
