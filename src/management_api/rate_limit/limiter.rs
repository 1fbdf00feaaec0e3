//! When a request may leave: the only place that waits for a tenant's limits.
//!
//! Three things must agree: the published quotas (where the subscription is known), what the tenant's own headers say is left, and a
//! deadline that every request shares after a 429 that names no bucket. Of each bucket only a share is used, of its burst and of its
//! refill, so that people can still log in; with the default of 80 % a bucket of 10 and 2 a second gives 8 at once and 1.6 a second.
//! The first request goes alone, and so does the first after a pause: its answer says whether there is a limit, and what others have left.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::{Availability, Bucket};
use super::headers::RateLimitHeaders;
use super::quota::Quota;
use crate::catalog::limits::{Calls, Rate, Tier};

/// How long what a tenant said is worth something while nothing is sent.
const HEADERS_LIFETIME: Duration = Duration::from_secs(10);

/// The limits that a rate limiter keeps.
#[derive(Debug, Clone, Copy)]
pub(in crate::management_api) struct LimiterConfig {
    /// The tenant's subscription, where it is known.
    pub(in crate::management_api) tier: Option<&'static Tier>,
    /// The tenant's bucket, where it differs from the subscription's.
    pub(in crate::management_api) rate: Option<Rate>,
    /// The share of every bucket that is ours, above 0 and up to 1.
    pub(in crate::management_api) share: f64,
    /// Requests under way at once.
    pub(in crate::management_api) concurrency: usize,
}

/// Decides when each request to one tenant leaves.
#[derive(Debug)]
pub(in crate::management_api) struct RateLimiter {
    config: LimiterConfig,
    state: Mutex<State>,
    /// Wakes one request when another came back: where nothing limits, thousands a second do.
    freed: Notify,
    /// Wakes every request that waits for what an answer says.
    response: Notify,
}

/// Leave to send one request; giving it back lets the next one go.
#[derive(Debug)]
pub(in crate::management_api) struct Permit<'limiter> {
    limiter: &'limiter RateLimiter,
    group: CallGroup,
    reservations: Vec<Reservation>,
    headers: Option<RateLimitHeaders>,
}

/// A bucket that counts a request, and how many requests had come back to it when this one left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reservation {
    id: BucketId,
    responses_before: u64,
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    /// As many are under way as may be.
    AtCapacity,
    /// Until a response shows whether it may leave.
    UntilResponse,
    /// A limit, for so long at most.
    For { wait: Duration, because: &'static str },
}

/// Calls that one endpoint bucket may count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum CallGroup {
    /// An endpoint group of the tier.
    Group(usize),
    /// The rest of the tier's calls.
    Rest,
    /// Where no tier is known: the first name of the path, reads and writes apart.
    Named(Calls, String),
}

/// A bucket seen in headers: what it holds when full tells it from others, and so does the endpoint group it is known to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct BucketId {
    limit: u32,
    group: Option<usize>,
}

#[derive(Debug)]
struct State {
    /// The tenant's quota, if known, and those of the tier's endpoint groups.
    tenant: Option<Quota>,
    groups: Vec<Quota>,
    buckets: HashMap<BucketId, Bucket>,
    /// Which bucket last answered for an area, and which that is no group's for any.
    answered: HashMap<CallGroup, BucketId>,
    general: Option<BucketId>,
    /// When an answer last said what is left, or that there is no limit; none before the first.
    last_seen: Option<Instant>,
    /// No request leaves before this.
    deadline: Instant,
    in_flight: usize,
    waited: Duration,
    waited_until: Instant,
    announced_until: Instant,
}

impl RateLimiter {
    /// Returns the rate limiter of one tenant.
    pub(in crate::management_api) fn new(config: LimiterConfig) -> Self {
        let now = Instant::now();
        let tenant = config.rate.or(config.tier.map(|tier| tier.tenant));
        let endpoints = config.tier.map_or(&[][..], |tier| tier.endpoints);
        let state = State {
            tenant: tenant.map(|rate| Quota::new(rate, config.share)),
            groups: endpoints.iter().map(|limit| Quota::new(limit.rate, config.share)).collect(),
            buckets: HashMap::new(),
            answered: HashMap::new(),
            general: None,
            last_seen: None,
            deadline: now,
            in_flight: 0,
            waited: Duration::ZERO,
            waited_until: now,
            announced_until: now,
        };
        Self { config, state: Mutex::new(state), freed: Notify::new(), response: Notify::new() }
    }

    /// Waits until a request may leave; `notify` is called for waits longer than a second, once for all that wait.
    pub(in crate::management_api) async fn acquire(&self, calls: Calls, path: &str, notify: impl Fn(Duration, &'static str)) -> Permit<'_> {
        let group = self.group_of_call(calls, path);
        let mut was_at_capacity = false;
        loop {
            let mut response = pin!(self.response.notified());
            response.as_mut().enable();
            let admitted = self.state().try_acquire(&group, self.config.concurrency.max(1));
            if was_at_capacity && admitted != Err(Blocked::AtCapacity) {
                // What one request has no use for, or leaves over, may serve the next that waits for its turn.
                self.freed.notify_one();
            }
            was_at_capacity = admitted == Err(Blocked::AtCapacity);
            match admitted {
                Ok(reservations) => return Permit { limiter: self, group, reservations, headers: None },
                Err(Blocked::AtCapacity) => self.freed.notified().await,
                Err(Blocked::UntilResponse) => response.await,
                Err(Blocked::For { wait, because }) => {
                    if self.state().should_announce(wait) {
                        notify(wait, because);
                    }
                    let from = Instant::now();
                    let _ = tokio::time::timeout(wait, response).await;
                    self.state().record_wait(from);
                }
            }
        }
    }

    /// Returns how long requests were held back by limits.
    pub(in crate::management_api) fn waited(&self) -> Duration {
        self.state().waited
    }

    fn group_of_call(&self, calls: Calls, path: &str) -> CallGroup {
        match self.config.tier {
            Some(tier) => tier.group_of(calls, path).map_or(CallGroup::Rest, CallGroup::Group),
            None => CallGroup::Named(calls, path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default().to_owned()),
        }
    }

    /// Returns which bucket answered, by what it holds, and what it gets back a second; 0 where that is unknown.
    fn bucket_id_of(&self, group: &CallGroup, limit: u32) -> (BucketId, f64) {
        let tier = self.config.tier;
        let tenant = self.config.rate.or(tier.map(|tier| tier.tenant)).filter(|rate| rate.burst == limit);
        let group = match (group, tier) {
            (CallGroup::Group(place), Some(tier)) => Some((*place, tier.endpoints[*place].rate)).filter(|(_, rate)| rate.burst == limit),
            _ => None,
        };
        let a_second = |rate: Rate| f64::from(rate.a_minute) / 60.0;
        match (tenant, group) {
            (None, Some((place, rate))) => (BucketId { limit, group: Some(place) }, a_second(rate)),
            // Where both hold as much, it may be either: the slower one is assumed.
            (Some(tenant), Some((_, rate))) => (BucketId { limit, group: None }, a_second(tenant).min(a_second(rate))),
            (tenant, None) => (BucketId { limit, group: None }, tenant.map_or(0.0, a_second)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Takes in what an answer said about its bucket, if anything.
    ///
    /// Only a 2xx that says nothing shows that there is no limit: refusals never carry the headers.
    pub(in crate::management_api) fn record_response(&mut self, status: u16, headers: Option<RateLimitHeaders>) {
        self.headers = headers;
        let mut state = self.limiter.state();
        let now = Instant::now();
        if headers.is_some() || (200..300).contains(&status) {
            state.last_seen = Some(now);
        }
        if let Some(headers) = headers {
            let (id, _) = self.limiter.bucket_id_of(&self.group, headers.limit);
            let reservation = self.reservations.iter().find(|reservation| reservation.id == id);
            self.bucket_mut(&mut state, headers.limit, now).record_headers(
                headers,
                reservation.map(|reservation| reservation.responses_before),
                now,
            );
        }
    }

    /// Takes in a 429: its bucket, or every one where the answer named none, is empty for so long.
    pub(in crate::management_api) fn record_rate_limit(self, wait: Duration) {
        let mut state = self.limiter.state();
        let now = Instant::now();
        let until = now + wait;
        match self.headers {
            Some(headers) => self.bucket_mut(&mut state, headers.limit, now).set_empty_until(until),
            None => state.deadline = state.deadline.max(until),
        }
    }

    fn bucket_mut<'state>(&self, state: &'state mut State, limit: u32, now: Instant) -> &'state mut Bucket {
        let (id, rate) = self.limiter.bucket_id_of(&self.group, limit);
        state.answered.insert(self.group.clone(), id);
        if id.group.is_none() {
            state.general = Some(id);
        }
        state.buckets.entry(id).or_insert_with(|| Bucket::new(limit, self.limiter.config.share, rate, now))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let reported_by = self.headers.map(|headers| self.limiter.bucket_id_of(&self.group, headers.limit).0);
        let mut state = self.limiter.state();
        let now = Instant::now();
        state.in_flight -= 1;
        for Reservation { id, .. } in &self.reservations {
            let Some(bucket) = state.buckets.get_mut(id) else { continue };
            if reported_by == Some(*id) { bucket.record_response() } else { bucket.record_response_without_headers(now) }
        }
        drop(state);
        self.limiter.freed.notify_one();
        self.limiter.response.notify_waiters();
    }
}

impl State {
    /// Lets a request leave, or says how long it is held; counts it in every bucket only when all of them let it go.
    fn try_acquire(&mut self, group: &CallGroup, concurrency: usize) -> Result<Vec<Reservation>, Blocked> {
        let now = Instant::now();
        if now < self.deadline {
            return Err(Blocked::For { wait: self.deadline - now, because: "the tenant asked for it" });
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
        let ids = self.bucket_ids_of(group);
        self.check_buckets(&ids, now)?;
        self.take_from_quotas(group)?;
        self.in_flight += 1;
        let buckets = &mut self.buckets;
        let reserve = |id| buckets.get_mut(&id).map(|bucket| Reservation { id, responses_before: bucket.reserve() });
        Ok(ids.into_iter().filter_map(reserve).collect())
    }

    /// Returns the buckets that count calls of an area, as far as answers showed: its own, and the tenant's besides a group's.
    fn bucket_ids_of(&self, group: &CallGroup) -> Vec<BucketId> {
        let own = self.answered.get(group).copied();
        let general = self.general.filter(|_| own.is_none_or(|own| own.group.is_some()));
        own.into_iter().chain(general).collect()
    }

    fn check_buckets(&self, ids: &[BucketId], now: Instant) -> Result<(), Blocked> {
        for availability in ids.iter().filter_map(|id| self.buckets.get(id)).map(|bucket| bucket.availability(now)) {
            match availability {
                Availability::Now => {}
                Availability::After(wait) => return Err(Blocked::For { wait, because: "rate limit" }),
                Availability::AfterResponse => return Err(Blocked::UntilResponse),
            }
        }
        Ok(())
    }

    fn take_from_quotas(&mut self, group: &CallGroup) -> Result<(), Blocked> {
        let group = if let CallGroup::Group(place) = group { self.groups.get_mut(*place) } else { None };
        let mut quotas: Vec<&mut Quota> = self.tenant.iter_mut().chain(group).collect();
        if let Some(wait) = quotas.iter_mut().filter_map(|quota| quota.wait()).max() {
            return Err(Blocked::For { wait, because: "rate limit" });
        }
        quotas.into_iter().for_each(Quota::spend);
        Ok(())
    }

    /// Counts the time since then as waited, once however many waited.
    fn record_wait(&mut self, from: Instant) {
        let now = Instant::now();
        self.waited += now.saturating_duration_since(from.max(self.waited_until));
        self.waited_until = now;
    }

    /// Returns whether a wait is long enough, and new enough, to announce.
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

    fn silent(_: Duration, _: &str) {}

    #[tokio::test(start_paused = true)]
    async fn the_first_request_goes_alone_until_it_is_answered() {
        let limiter = limiter();
        let mut first = limiter.acquire(Calls::Read, "/clients", silent).await;
        let second = limiter.acquire(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), second).await.is_err());
        first.record_response(404, None);
        assert!(tokio::time::timeout(Duration::from_secs(60), limiter.acquire(Calls::Read, "/clients", silent)).await.is_err());
        first.record_response(200, None);
        let second = limiter.acquire(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::ZERO, second).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_that_names_no_bucket_everybody_waits_and_one_says_so() {
        let (limiter, started) = (limiter(), Instant::now());
        let first = limiter.acquire(Calls::Read, "/clients", silent).await;
        first.record_rate_limit(Duration::from_secs(7));
        let announced = RefCell::new(Vec::new());
        let leave = async |path| {
            drop(limiter.acquire(Calls::Read, path, |wait, because| announced.borrow_mut().push((wait, because))).await);
            started.elapsed().as_secs()
        };
        let left = tokio::join!(leave("/roles"), leave("/clients"), leave("/rules"));
        assert_eq!(left, (7, 7, 7));
        assert_eq!(announced.into_inner(), [(Duration::from_secs(7), "the tenant asked for it")]);
        assert_eq!(limiter.waited(), Duration::from_secs(7), "three waited at once");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_concurrency_is_under_way() {
        let limiter = limiter();
        limiter.acquire(Calls::Read, "/clients", silent).await.record_response(200, None);
        let mut permits = Vec::new();
        for _ in 0..8 {
            permits.push(limiter.acquire(Calls::Read, "/clients", silent).await);
        }
        let ninth = limiter.acquire(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), ninth).await.is_err());
    }
}
