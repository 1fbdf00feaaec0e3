//! When a request may leave: the only place that waits for a tenant's limits.
//!
//! Three things must agree: the published quotas (where the subscription is known), what the tenant's own headers say is left, and a
//! deadline that every request shares after a 429 that names no bucket. Of each bucket only a share is used, of its burst and of its
//! refill, so that people can still log in; with the default of 80 % a bucket of 10 and 2 a second gives 8 at once and 1.6 a second.
//! Where no limit is known, the first request goes alone, and its answer says whether there is one.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::gauge::{Gauge, Reading, Told};
use super::quota::Quota;
use crate::catalog::limits::{Calls, Rate, Tier};

/// What a pacer goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The tenant's subscription, where it is known.
    pub(super) tier: Option<&'static Tier>,
    /// The tenant's bucket, where it differs from the subscription's.
    pub(super) rate: Option<Rate>,
    /// The share of every bucket that is ours, above 0 and up to 1.
    pub(super) share: f64,
    /// Requests under way at once.
    pub(super) concurrency: usize,
}

/// Decides when each request to one tenant leaves.
#[derive(Debug)]
pub(super) struct Pacer {
    limits: Limits,
    state: Mutex<State>,
    landed: Notify,
}

/// Leave to send one request; giving it back lets the next one go.
#[derive(Debug)]
pub(super) struct Pass<'pacer> {
    pacer: &'pacer Pacer,
    area: Area,
    gauge: Option<u32>,
    told: Option<Told>,
}

/// Why and how long a request is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    /// How long at most; none where only an answer can tell.
    wait: Option<Duration>,
    because: &'static str,
}

/// Calls that one endpoint bucket may count: the first name of the path, reads and writes apart.
type Area = (Calls, String);

#[derive(Debug)]
struct State {
    /// The tenant's quota, if known, and those of the tier's endpoint groups.
    tenant: Option<Quota>,
    groups: Vec<Quota>,
    /// Buckets seen in headers, told apart by what they hold when full.
    gauges: HashMap<u32, Gauge>,
    /// Which of them last answered for an area, and for any.
    answered: HashMap<Area, u32>,
    latest: Option<u32>,
    /// Whether it is known if there is a limit at all.
    heard: bool,
    /// No request leaves before this.
    deadline: Instant,
    in_flight: usize,
    waited: Duration,
    waited_until: Instant,
    announced_until: Instant,
}

impl Pacer {
    /// Returns the pacer of one tenant.
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let tenant = limits.rate.or(limits.tier.map(|tier| tier.tenant));
        let endpoints = limits.tier.map_or(&[][..], |tier| tier.endpoints);
        let state = State {
            tenant: tenant.map(|rate| Quota::new(rate, limits.share)),
            groups: endpoints.iter().map(|limit| Quota::new(limit.rate, limits.share)).collect(),
            gauges: HashMap::new(),
            answered: HashMap::new(),
            latest: None,
            heard: tenant.is_some(),
            deadline: now,
            in_flight: 0,
            waited: Duration::ZERO,
            waited_until: now,
            announced_until: now,
        };
        Self { limits, state: Mutex::new(state), landed: Notify::new() }
    }

    /// Waits until a request may leave; `tell` hears of waits longer than a second, once for all that wait.
    pub(super) async fn depart(&self, calls: Calls, path: &str, tell: impl Fn(Duration, &'static str)) -> Pass<'_> {
        let area = (calls, area_of(path));
        let group = self.limits.tier.and_then(|tier| tier.group_of(calls, path));
        loop {
            let mut landed = pin!(self.landed.notified());
            landed.as_mut().enable();
            let hold = match self.admit(&area, group) {
                Ok(gauge) => return Pass { pacer: self, area, gauge, told: None },
                Err(hold) => hold,
            };
            let Some(wait) = hold.wait else {
                landed.await;
                continue;
            };
            if self.state().is_news(wait) {
                tell(wait, hold.because);
            }
            let from = Instant::now();
            let _ = tokio::time::timeout(wait, landed).await;
            self.state().count_wait(from);
        }
    }

    /// Returns how long requests were held back by limits.
    pub(super) fn waited(&self) -> Duration {
        self.state().waited
    }

    fn admit(&self, area: &Area, group: Option<usize>) -> Result<Option<u32>, Hold> {
        let now = Instant::now();
        self.state().admit(area, group, self.limits.concurrency.max(1), now)
    }

    /// Returns what a bucket of this size gets back a second, where the tier or the settings know it.
    fn refill(&self, area: &Area, limit: u32) -> f64 {
        let tier = self.limits.tier;
        let endpoint =
            tier.into_iter().flat_map(|tier| tier.endpoints).filter(|known| known.calls == area.0 && area_of(known.path) == area.1);
        let tenant = self.limits.rate.or(tier.map(|tier| tier.tenant));
        // Where two buckets hold as much, the slower one is assumed.
        let rates = endpoint.map(|known| known.rate).chain(tenant).filter(|rate| rate.burst == limit);
        rates.map(|rate| f64::from(rate.a_minute) / 60.0).reduce(f64::min).unwrap_or(0.0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Takes in what an answer said about its bucket, if anything.
    ///
    /// Only a 2xx that says nothing shows that there is no limit: refusals never carry the headers.
    pub(super) fn answered(&mut self, status: u16, told: Option<Told>) {
        self.told = told;
        let mut state = self.pacer.state();
        state.heard |= told.is_some() || (200..300).contains(&status);
        if let Some(told) = told {
            let now = Instant::now();
            self.gauge_of(&mut state, told.limit, now).told(told, now);
        }
    }

    /// Takes in a 429: its bucket, or every one where the answer named none, is empty for so long.
    pub(super) fn refused(self, wait: Duration) {
        let mut state = self.pacer.state();
        let now = Instant::now();
        let until = now + wait;
        match self.told {
            Some(told) => self.gauge_of(&mut state, told.limit, now).empty(until),
            None => state.deadline = state.deadline.max(until),
        }
    }

    fn gauge_of<'state>(&self, state: &'state mut State, limit: u32, now: Instant) -> &'state mut Gauge {
        state.answered.insert(self.area.clone(), limit);
        state.latest = Some(limit);
        let pacer = self.pacer;
        state.gauges.entry(limit).or_insert_with(|| Gauge::new(limit, pacer.limits.share, pacer.refill(&self.area, limit), now))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.pacer.state();
        state.in_flight -= 1;
        if let Some(gauge) = self.gauge.and_then(|limit| state.gauges.get_mut(&limit)) {
            gauge.land();
        }
        drop(state);
        self.pacer.landed.notify_waiters();
    }
}

impl State {
    /// Lets a request leave, or says how long it is held; counts it in every bucket only when all of them let it go.
    fn admit(&mut self, area: &Area, group: Option<usize>, concurrency: usize, now: Instant) -> Result<Option<u32>, Hold> {
        if now < self.deadline {
            return Err(Hold { wait: Some(self.deadline - now), because: "the tenant asked for it" });
        }
        if self.in_flight >= concurrency || (!self.heard && self.in_flight > 0) {
            return Err(Hold { wait: None, because: "requests under way" });
        }
        let limit = self.answered.get(area).copied().or(self.latest);
        match limit.and_then(|limit| self.gauges.get(&limit)).map_or(Reading::Go, |gauge| gauge.read(now)) {
            Reading::Go => {}
            Reading::In(wait) => return Err(Hold { wait: Some(wait), because: "rate limit" }),
            Reading::WhenAnswered => return Err(Hold { wait: None, because: "rate limit" }),
        }
        let mut quotas: Vec<&mut Quota> = self.tenant.iter_mut().chain(group.and_then(|place| self.groups.get_mut(place))).collect();
        if let Some(wait) = quotas.iter_mut().filter_map(|quota| quota.wait()).max() {
            return Err(Hold { wait: Some(wait), because: "rate limit" });
        }
        quotas.into_iter().for_each(Quota::spend);
        if let Some(gauge) = limit.and_then(|limit| self.gauges.get_mut(&limit)) {
            gauge.leave();
        }
        self.in_flight += 1;
        Ok(limit)
    }

    /// Counts the time since then as waited, once however many waited.
    fn count_wait(&mut self, from: Instant) {
        let now = Instant::now();
        self.waited += now.saturating_duration_since(from.max(self.waited_until));
        self.waited_until = now;
    }

    /// Returns whether a wait is long enough, and new enough, to tell of.
    fn is_news(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let is_news = wait > Duration::from_secs(1) && until > self.announced_until + Duration::from_secs(1);
        if is_news {
            self.announced_until = until;
        }
        is_news
    }
}

fn area_of(path: &str) -> String {
    path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default().to_owned()
}
