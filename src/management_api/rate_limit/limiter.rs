//! The rate limiter, which decides when a request may be sent: the only place that waits for a tenant's limits.
//!
//! Two things must agree: the buckets that count a call, and a deadline that all requests share after a 429 that names
//! no bucket. Only a share of each bucket is used, of its burst and of its refill, so that people can still log in;
//! with the default of 80 %, a bucket of 10 with 2 per second allows 8 at once and 1.6 per second. The first request is
//! sent alone, and so is the first after a pause: its response shows whether there is a limit, and what others have
//! left.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::Wait;
use super::buckets::{Buckets, CallGroup, Reservation};
use super::headers::RateLimitHeaders;
use crate::catalog::limits::{CallType, KnownLimits, Rate, Tier};
use crate::model::event::WaitReason;

/// How long the headers of a response remain valid while nothing is sent.
const HEADERS_LIFETIME: Duration = Duration::from_secs(10);

/// The configuration of a rate limiter.
#[derive(Debug, Clone, Copy)]
pub(in crate::management_api) struct LimiterConfig {
    /// The tenant's subscription, if known.
    pub(in crate::management_api) tier: Option<&'static Tier>,
    /// The tenant's bucket, if it differs from that of the subscription.
    pub(in crate::management_api) rate: Option<Rate>,
    /// The share of every bucket to use, above 0 and up to 1.
    pub(in crate::management_api) share: f64,
    /// The maximum number of concurrent requests.
    pub(in crate::management_api) concurrency: usize,
}

/// Decides when each request to one tenant is sent.
#[derive(Debug)]
pub(in crate::management_api) struct RateLimiter {
    concurrency: usize,
    state: Mutex<LimiterState>,
    /// Wakes one waiting request after a response; without limits, there are thousands per second.
    freed: Notify,
    /// Wakes every request that waits for the headers of a response.
    response: Notify,
}

/// Permission to send one request; dropping it admits the next one.
#[derive(Debug)]
pub(in crate::management_api) struct Permit<'limiter> {
    limiter: &'limiter RateLimiter,
    group: CallGroup,
    reservations: Vec<Reservation>,
    headers: Option<RateLimitHeaders>,
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    /// The maximum number of requests is in flight.
    AtCapacity,
    /// A response must show whether it may be sent.
    UntilResponse,
    /// A limit, for at most this duration.
    For { wait: Duration, reason: WaitReason },
}

#[derive(Debug)]
struct LimiterState {
    buckets: Buckets,
    /// When a response last showed the quota, or that there is no limit; `None` before the first.
    last_seen: Option<Instant>,
    /// No request is sent before this time.
    deadline: Instant,
    in_flight: usize,
    waited: Duration,
    waited_until: Instant,
    announced_until: Instant,
}

impl RateLimiter {
    /// Creates the rate limiter of one tenant.
    pub(in crate::management_api) fn new(config: LimiterConfig) -> Self {
        let now = Instant::now();
        let state = LimiterState {
            buckets: Buckets::new(config.tier, config.rate, config.share),
            last_seen: None,
            deadline: now,
            in_flight: 0,
            waited: Duration::ZERO,
            waited_until: now,
            announced_until: now,
        };
        Self { concurrency: config.concurrency.max(1), state: Mutex::new(state), freed: Notify::new(), response: Notify::new() }
    }

    /// Waits until a request may be sent; `notify` is called for waits longer than a second, once for all waiting
    /// requests.
    pub(in crate::management_api) async fn acquire(
        &self,
        calls: CallType,
        path: &str,
        notify: impl Fn(Duration, WaitReason),
    ) -> Permit<'_> {
        let group = self.state().buckets.group_of(calls, path);
        let mut was_at_capacity = false;
        loop {
            let mut response = pin!(self.response.notified());
            response.as_mut().enable();
            let admitted = self.state().try_acquire(&group, self.concurrency);
            if was_at_capacity && admitted != Err(Blocked::AtCapacity) {
                // Another waiting request may be able to use what this one does not need.
                self.freed.notify_one();
            }
            was_at_capacity = admitted == Err(Blocked::AtCapacity);
            match admitted {
                Ok(reservations) => return Permit { limiter: self, group, reservations, headers: None },
                Err(Blocked::AtCapacity) => self.freed.notified().await,
                Err(Blocked::UntilResponse) => response.await,
                Err(Blocked::For { wait, reason }) => {
                    if self.state().should_announce(wait) {
                        notify(wait, reason);
                    }
                    let from = Instant::now();
                    let _ = tokio::time::timeout(wait, response).await;
                    self.state().record_wait(from);
                }
            }
        }
    }

    /// Returns how long limits delayed requests.
    pub(in crate::management_api) fn waited(&self) -> Duration {
        self.state().waited
    }

    /// Returns the limits that are known before anything is sent.
    pub(in crate::management_api) fn known_limits(&self) -> KnownLimits {
        self.state().buckets.known_limits()
    }

    fn state(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Records the headers of a response, if it has any.
    ///
    /// Only a 2xx without headers shows that there is no limit: refusals never have the headers.
    pub(in crate::management_api) fn record_response(&mut self, status: u16, headers: Option<RateLimitHeaders>) {
        self.headers = headers;
        let mut state = self.limiter.state();
        let now = Instant::now();
        if headers.is_some() || (200..300).contains(&status) {
            state.last_seen = Some(now);
        }
        if let Some(headers) = headers {
            state.buckets.record_headers(&self.group, headers, &self.reservations, now);
        }
    }

    /// Records a 429: its bucket, or every bucket if it names none, is empty for this duration.
    pub(in crate::management_api) fn record_rate_limit(self, wait: Duration) {
        let mut state = self.limiter.state();
        let until = Instant::now() + wait;
        match self.headers {
            Some(headers) => state.buckets.set_empty_until(&self.group, headers, until),
            None => state.deadline = state.deadline.max(until),
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        state.in_flight -= 1;
        state.buckets.release(&self.group, self.headers, &self.reservations, Instant::now());
        drop(state);
        self.limiter.freed.notify_one();
        self.limiter.response.notify_waiters();
    }
}

impl LimiterState {
    /// Admits a request, or returns what it must wait for; counts it in its buckets only if all of them admit it.
    fn try_acquire(&mut self, group: &CallGroup, concurrency: usize) -> Result<Vec<Reservation>, Blocked> {
        let now = Instant::now();
        if now < self.deadline {
            return Err(Blocked::For { wait: self.deadline - now, reason: WaitReason::AskedByTenant });
        }
        if self.in_flight == 0 && self.last_seen.is_some_and(|last_seen| now > last_seen + HEADERS_LIFETIME) {
            self.last_seen = None;
        }
        if self.last_seen.is_none() && self.in_flight > 0 {
            return Err(Blocked::UntilResponse);
        }
        if self.in_flight >= concurrency {
            return Err(Blocked::AtCapacity);
        }
        let reservations = self.buckets.reserve(group, now).map_err(|wait| match wait {
            Wait::For(wait) => Blocked::For { wait, reason: self.buckets.reason_of(group, now) },
            Wait::ForResponse => Blocked::UntilResponse,
        })?;
        self.in_flight += 1;
        Ok(reservations)
    }

    /// Adds the time since `from` to the waiting time, counting concurrent waits only once.
    fn record_wait(&mut self, from: Instant) {
        let now = Instant::now();
        self.waited += now.saturating_duration_since(from.max(self.waited_until));
        self.waited_until = now;
    }

    /// Returns whether a wait is long enough, and was not announced yet.
    fn should_announce(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let is_news = wait > Duration::from_secs(1) && until > self.announced_until + Duration::from_secs(1);
        if is_news {
            self.announced_until = until;
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn limiter() -> RateLimiter {
        RateLimiter::new(LimiterConfig { tier: None, rate: None, share: 0.8, concurrency: 8 })
    }

    fn silent(_: Duration, _: WaitReason) {}

    #[tokio::test(start_paused = true)]
    async fn the_first_request_is_sent_alone() {
        let limiter = limiter();
        let mut first = limiter.acquire(CallType::Read, "/clients", silent).await;
        let second = limiter.acquire(CallType::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), second).await.is_err());
        first.record_response(404, None);
        assert!(tokio::time::timeout(Duration::from_secs(60), limiter.acquire(CallType::Read, "/clients", silent)).await.is_err());
        first.record_response(200, None);
        let second = limiter.acquire(CallType::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::ZERO, second).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_without_a_bucket_all_requests_wait_and_one_is_announced() {
        let (limiter, started) = (limiter(), Instant::now());
        let first = limiter.acquire(CallType::Read, "/clients", silent).await;
        first.record_rate_limit(Duration::from_secs(7));
        let announced = RefCell::new(Vec::new());
        let leave = async |path| {
            drop(limiter.acquire(CallType::Read, path, |wait, reason| announced.borrow_mut().push((wait, reason))).await);
            started.elapsed().as_secs()
        };
        let left = tokio::join!(leave("/roles"), leave("/clients"), leave("/rules"));
        assert_eq!(left, (7, 7, 7));
        assert_eq!(announced.into_inner(), [(Duration::from_secs(7), WaitReason::AskedByTenant)]);
        assert_eq!(limiter.waited(), Duration::from_secs(7), "three waited at once");
    }

    #[tokio::test(start_paused = true)]
    async fn the_concurrency_is_never_exceeded() {
        let limiter = limiter();
        limiter.acquire(CallType::Read, "/clients", silent).await.record_response(200, None);
        let mut permits = Vec::new();
        for _ in 0..8 {
            permits.push(limiter.acquire(CallType::Read, "/clients", silent).await);
        }
        let ninth = limiter.acquire(CallType::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), ninth).await.is_err());
    }
}
