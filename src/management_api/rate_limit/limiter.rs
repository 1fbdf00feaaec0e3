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

use super::bucket::{Departure, Gauge};
use super::headers::Level;
use super::quota::Quota;
use crate::catalog::limits::{Calls, Rate, Tier};

/// How long what a tenant said is worth something while nothing is sent.
const PAUSE: Duration = Duration::from_secs(10);

/// What a pacer goes by.
#[derive(Debug, Clone, Copy)]
pub(in crate::management_api) struct Terms {
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
pub(in crate::management_api) struct Pacer {
    terms: Terms,
    state: Mutex<State>,
    /// Wakes one request when another came back: where nothing limits, thousands a second do.
    slot: Notify,
    /// Wakes every request that waits for what an answer says.
    answer: Notify,
}

/// Leave to send one request; giving it back lets the next one go.
#[derive(Debug)]
pub(in crate::management_api) struct Pass<'pacer> {
    pacer: &'pacer Pacer,
    area: Area,
    buckets: Vec<Counted>,
    told: Option<Level>,
}

/// A bucket that counts a request, and how many requests had come back to it when this one left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    bucket: Bucket,
    landed_before: u64,
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// As many are under way as may be.
    Full,
    /// Only an answer can tell.
    UntilAnswered,
    /// A limit, for so long at most.
    For { wait: Duration, because: &'static str },
}

/// Calls that one endpoint bucket may count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Area {
    /// An endpoint group of the tier.
    Group(usize),
    /// The rest of the tier's calls.
    Rest,
    /// Where no tier is known: the first name of the path, reads and writes apart.
    Named(Calls, String),
}

/// A bucket seen in headers: what it holds when full tells it from others, and so does the endpoint group it is known to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    limit: u32,
    group: Option<usize>,
}

#[derive(Debug)]
struct State {
    /// The tenant's quota, if known, and those of the tier's endpoint groups.
    tenant: Option<Quota>,
    groups: Vec<Quota>,
    gauges: HashMap<Bucket, Gauge>,
    /// Which bucket last answered for an area, and which that is no group's for any.
    answered: HashMap<Area, Bucket>,
    general: Option<Bucket>,
    /// When an answer last said what is left, or that there is no limit; none before the first.
    heard: Option<Instant>,
    /// No request leaves before this.
    deadline: Instant,
    in_flight: usize,
    waited: Duration,
    waited_until: Instant,
    announced_until: Instant,
}

impl Pacer {
    /// Returns the pacer of one tenant.
    pub(in crate::management_api) fn new(terms: Terms) -> Self {
        let now = Instant::now();
        let tenant = terms.rate.or(terms.tier.map(|tier| tier.tenant));
        let endpoints = terms.tier.map_or(&[][..], |tier| tier.endpoints);
        let state = State {
            tenant: tenant.map(|rate| Quota::new(rate, terms.share)),
            groups: endpoints.iter().map(|limit| Quota::new(limit.rate, terms.share)).collect(),
            gauges: HashMap::new(),
            answered: HashMap::new(),
            general: None,
            heard: None,
            deadline: now,
            in_flight: 0,
            waited: Duration::ZERO,
            waited_until: now,
            announced_until: now,
        };
        Self { terms, state: Mutex::new(state), slot: Notify::new(), answer: Notify::new() }
    }

    /// Waits until a request may leave; `tell` hears of waits longer than a second, once for all that wait.
    pub(in crate::management_api) async fn depart(&self, calls: Calls, path: &str, tell: impl Fn(Duration, &'static str)) -> Pass<'_> {
        let area = self.area_of(calls, path);
        let mut was_full = false;
        loop {
            let mut answer = pin!(self.answer.notified());
            answer.as_mut().enable();
            let admitted = self.state().admit(&area, self.terms.concurrency.max(1));
            if was_full && admitted != Err(Hold::Full) {
                // What one request has no use for, or leaves over, may serve the next that waits for a slot.
                self.slot.notify_one();
            }
            was_full = admitted == Err(Hold::Full);
            match admitted {
                Ok(buckets) => return Pass { pacer: self, area, buckets, told: None },
                Err(Hold::Full) => self.slot.notified().await,
                Err(Hold::UntilAnswered) => answer.await,
                Err(Hold::For { wait, because }) => {
                    if self.state().is_news(wait) {
                        tell(wait, because);
                    }
                    let from = Instant::now();
                    let _ = tokio::time::timeout(wait, answer).await;
                    self.state().count_wait(from);
                }
            }
        }
    }

    /// Returns how long requests were held back by limits.
    pub(in crate::management_api) fn waited(&self) -> Duration {
        self.state().waited
    }

    fn area_of(&self, calls: Calls, path: &str) -> Area {
        match self.terms.tier {
            Some(tier) => tier.group_of(calls, path).map_or(Area::Rest, Area::Group),
            None => Area::Named(calls, path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default().to_owned()),
        }
    }

    /// Returns which bucket answered, by what it holds, and what it gets back a second; 0 where nobody told.
    fn bucket_of(&self, area: &Area, limit: u32) -> (Bucket, f64) {
        let tier = self.terms.tier;
        let tenant = self.terms.rate.or(tier.map(|tier| tier.tenant)).filter(|rate| rate.burst == limit);
        let group = match (area, tier) {
            (Area::Group(place), Some(tier)) => Some((*place, tier.endpoints[*place].rate)).filter(|(_, rate)| rate.burst == limit),
            _ => None,
        };
        let a_second = |rate: Rate| f64::from(rate.a_minute) / 60.0;
        match (tenant, group) {
            (None, Some((place, rate))) => (Bucket { limit, group: Some(place) }, a_second(rate)),
            // Where both hold as much, it may be either: the slower one is assumed.
            (Some(tenant), Some((_, rate))) => (Bucket { limit, group: None }, a_second(tenant).min(a_second(rate))),
            (tenant, None) => (Bucket { limit, group: None }, tenant.map_or(0.0, a_second)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Takes in what an answer said about its bucket, if anything.
    ///
    /// Only a 2xx that says nothing shows that there is no limit: refusals never carry the headers.
    pub(in crate::management_api) fn answered(&mut self, status: u16, told: Option<Level>) {
        self.told = told;
        let mut state = self.pacer.state();
        let now = Instant::now();
        if told.is_some() || (200..300).contains(&status) {
            state.heard = Some(now);
        }
        if let Some(told) = told {
            let (bucket, _) = self.pacer.bucket_of(&self.area, told.limit);
            let counted = self.buckets.iter().find(|counted| counted.bucket == bucket);
            self.gauge_of(&mut state, told.limit, now).told(told, counted.map(|counted| counted.landed_before), now);
        }
    }

    /// Takes in a 429: its bucket, or every one where the answer named none, is empty for so long.
    pub(in crate::management_api) fn refused(self, wait: Duration) {
        let mut state = self.pacer.state();
        let now = Instant::now();
        let until = now + wait;
        match self.told {
            Some(told) => self.gauge_of(&mut state, told.limit, now).empty(until),
            None => state.deadline = state.deadline.max(until),
        }
    }

    fn gauge_of<'state>(&self, state: &'state mut State, limit: u32, now: Instant) -> &'state mut Gauge {
        let (bucket, rate) = self.pacer.bucket_of(&self.area, limit);
        state.answered.insert(self.area.clone(), bucket);
        if bucket.group.is_none() {
            state.general = Some(bucket);
        }
        state.gauges.entry(bucket).or_insert_with(|| Gauge::new(limit, self.pacer.terms.share, rate, now))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let told_by = self.told.map(|told| self.pacer.bucket_of(&self.area, told.limit).0);
        let mut state = self.pacer.state();
        let now = Instant::now();
        state.in_flight -= 1;
        for Counted { bucket, .. } in &self.buckets {
            let Some(gauge) = state.gauges.get_mut(bucket) else { continue };
            if told_by == Some(*bucket) { gauge.land() } else { gauge.land_untold(now) }
        }
        drop(state);
        self.pacer.slot.notify_one();
        self.pacer.answer.notify_waiters();
    }
}

impl State {
    /// Lets a request leave, or says how long it is held; counts it in every bucket only when all of them let it go.
    fn admit(&mut self, area: &Area, concurrency: usize) -> Result<Vec<Counted>, Hold> {
        let now = Instant::now();
        if now < self.deadline {
            return Err(Hold::For { wait: self.deadline - now, because: "the tenant asked for it" });
        }
        if self.in_flight == 0 && self.heard.is_some_and(|heard| now > heard + PAUSE) {
            self.heard = None;
        }
        if self.heard.is_none() && self.in_flight > 0 {
            return Err(Hold::UntilAnswered);
        }
        if self.in_flight >= concurrency {
            return Err(Hold::Full);
        }
        let buckets = self.buckets_of(area);
        self.ask_gauges(&buckets, now)?;
        self.ask_quotas(area)?;
        self.in_flight += 1;
        let gauges = &mut self.gauges;
        let count = |bucket| gauges.get_mut(&bucket).map(|gauge| Counted { bucket, landed_before: gauge.leave() });
        Ok(buckets.into_iter().filter_map(count).collect())
    }

    /// Returns the buckets that count calls of an area, as far as answers showed: its own, and the tenant's besides a group's.
    fn buckets_of(&self, area: &Area) -> Vec<Bucket> {
        let own = self.answered.get(area).copied();
        let general = self.general.filter(|_| own.is_none_or(|own| own.group.is_some()));
        own.into_iter().chain(general).collect()
    }

    fn ask_gauges(&self, buckets: &[Bucket], now: Instant) -> Result<(), Hold> {
        for departure in buckets.iter().filter_map(|bucket| self.gauges.get(bucket)).map(|gauge| gauge.read(now)) {
            match departure {
                Departure::AtOnce => {}
                Departure::In(wait) => return Err(Hold::For { wait, because: "rate limit" }),
                Departure::OnceAnswered => return Err(Hold::UntilAnswered),
            }
        }
        Ok(())
    }

    fn ask_quotas(&mut self, area: &Area) -> Result<(), Hold> {
        let group = if let Area::Group(place) = area { self.groups.get_mut(*place) } else { None };
        let mut quotas: Vec<&mut Quota> = self.tenant.iter_mut().chain(group).collect();
        if let Some(wait) = quotas.iter_mut().filter_map(|quota| quota.wait()).max() {
            return Err(Hold::For { wait, because: "rate limit" });
        }
        quotas.into_iter().for_each(Quota::spend);
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn pacer() -> Pacer {
        Pacer::new(Terms { tier: None, rate: None, share: 0.8, concurrency: 8 })
    }

    fn silent(_: Duration, _: &str) {}

    #[tokio::test(start_paused = true)]
    async fn the_first_request_goes_alone_until_it_is_answered() {
        let pacer = pacer();
        let mut first = pacer.depart(Calls::Read, "/clients", silent).await;
        let second = pacer.depart(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), second).await.is_err());
        first.answered(404, None);
        assert!(tokio::time::timeout(Duration::from_secs(60), pacer.depart(Calls::Read, "/clients", silent)).await.is_err());
        first.answered(200, None);
        let second = pacer.depart(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::ZERO, second).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_that_names_no_bucket_everybody_waits_and_one_says_so() {
        let (pacer, started) = (pacer(), Instant::now());
        let first = pacer.depart(Calls::Read, "/clients", silent).await;
        first.refused(Duration::from_secs(7));
        let told = RefCell::new(Vec::new());
        let leave = async |path| {
            drop(pacer.depart(Calls::Read, path, |wait, because| told.borrow_mut().push((wait, because))).await);
            started.elapsed().as_secs()
        };
        let left = tokio::join!(leave("/roles"), leave("/clients"), leave("/rules"));
        assert_eq!(left, (7, 7, 7));
        assert_eq!(told.into_inner(), [(Duration::from_secs(7), "the tenant asked for it")]);
        assert_eq!(pacer.waited(), Duration::from_secs(7), "three waited at once");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_concurrency_is_under_way() {
        let pacer = pacer();
        pacer.depart(Calls::Read, "/clients", silent).await.answered(200, None);
        let mut passes = Vec::new();
        for _ in 0..8 {
            passes.push(pacer.depart(Calls::Read, "/clients", silent).await);
        }
        let ninth = pacer.depart(Calls::Read, "/clients", silent);
        assert!(tokio::time::timeout(Duration::from_secs(60), ninth).await.is_err());
    }
}
