//! The rate limit buckets of one tenant: those that its subscription publishes, and those discovered from responses.

use std::collections::HashMap;

use tokio::time::Instant;

use super::bucket::{Bucket, Wait};
use super::headers::RateLimitHeaders;
use crate::catalog::limits::{CallType, KnownLimits, Rate, Tier};
use crate::model::event::WaitReason;

/// Calls that one endpoint bucket may count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum CallGroup {
    /// An endpoint group of the tier.
    Group(usize),
    /// All other calls of the tier.
    Rest,
    /// Without a known tier: the first segment of the path, with reads and writes separate.
    Named(CallType, String),
}

/// Identifies a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum BucketId {
    /// The published bucket of the whole tenant.
    Tenant,
    /// The published bucket of an endpoint group of the tier.
    Group(usize),
    /// A bucket known only from headers, by its limit.
    Discovered(u32),
}

/// A bucket that counts a request, and its number of responses when the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reservation {
    id: BucketId,
    responses_before: u64,
}

/// The rate limit buckets of one tenant.
#[derive(Debug)]
pub(super) struct Buckets {
    tier: Option<&'static Tier>,
    tenant: Option<Rate>,
    share: f64,
    by_id: HashMap<BucketId, Bucket>,
    /// The bucket that last answered for a group of calls; for limits that no endpoint group has, for any group.
    answered: HashMap<CallGroup, BucketId>,
    general: Option<BucketId>,
}

impl Buckets {
    /// Creates the published buckets, of each of which a share is used; `rate` is the tenant's rate, if it differs from
    /// the tier's.
    pub(super) fn new(tier: Option<&'static Tier>, rate: Option<Rate>, share: f64) -> Self {
        let tenant = rate.or(tier.map(|tier| tier.tenant));
        let endpoints = tier.map_or(&[][..], |tier| tier.endpoints);
        let groups = endpoints.iter().enumerate().map(|(place, limit)| (BucketId::Group(place), limit.rate));
        let published = tenant.map(|rate| (BucketId::Tenant, rate)).into_iter().chain(groups);
        let by_id = published.map(|(id, rate)| (id, Bucket::published(rate, share))).collect();
        Self { tier, tenant, share, by_id, answered: HashMap::new(), general: None }
    }

    /// Returns the limits that are known before anything is sent.
    pub(super) fn known_limits(&self) -> KnownLimits {
        let per_second = self.tenant.map(|rate| f64::from(rate.a_minute) / 60.0 * self.share);
        KnownLimits { tier: self.tier, share: self.share, per_second }
    }

    /// Returns the group of a call.
    pub(super) fn group_of(&self, calls: CallType, path: &str) -> CallGroup {
        match self.tier {
            Some(tier) => tier.group_of(calls, path).map_or(CallGroup::Rest, CallGroup::Group),
            None => CallGroup::Named(calls, path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default().to_owned()),
        }
    }

    /// Counts a request in every bucket of its group if all of them permit it, otherwise in none.
    pub(super) fn reserve(&mut self, group: &CallGroup, now: Instant) -> Result<Vec<Reservation>, Wait> {
        let ids = self.ids_of(group);
        let waits: Vec<Wait> = ids.iter().filter_map(|id| self.by_id.get_mut(id)?.wait(now)).collect();
        if let Some(longest) = waits.into_iter().max() {
            return Err(longest);
        }
        let by_id = &mut self.by_id;
        let reserve = |id| by_id.get_mut(&id).map(|bucket| Reservation { id, responses_before: bucket.reserve() });
        Ok(ids.into_iter().filter_map(reserve).collect())
    }

    /// Returns which limit holds back the calls of a group.
    pub(super) fn reason_of(&mut self, group: &CallGroup, now: Instant) -> WaitReason {
        let (CallGroup::Group(place), Some(tier)) = (group, self.tier) else { return WaitReason::RateLimit };
        let waits: Vec<(BucketId, Wait)> =
            self.ids_of(group).into_iter().filter_map(|id| Some((id, self.by_id.get_mut(&id)?.wait(now)?))).collect();
        match waits.into_iter().max_by_key(|(_, wait)| *wait) {
            Some((BucketId::Group(_), _)) => WaitReason::EndpointLimit(&tier.endpoints[*place]),
            _ => WaitReason::RateLimit,
        }
    }

    /// Records the headers of a response in the bucket that they are about.
    pub(super) fn record_headers(&mut self, group: &CallGroup, headers: RateLimitHeaders, reservations: &[Reservation], now: Instant) {
        let id = self.id_of(group, headers.limit);
        self.answered.insert(group.clone(), id);
        if !matches!(id, BucketId::Group(_)) {
            self.general = Some(id);
        }
        let reservation = reservations.iter().find(|reservation| reservation.id == id);
        let responses_before = reservation.map(|reservation| reservation.responses_before);
        let share = self.share;
        let bucket = self.by_id.entry(id).or_insert_with(|| Bucket::discovered(headers.limit, share));
        bucket.record_headers(headers, responses_before, now);
    }

    /// Records that the bucket that these headers are about is empty until a time.
    pub(super) fn set_empty_until(&mut self, group: &CallGroup, headers: RateLimitHeaders, until: Instant) {
        let id = self.id_of(group, headers.limit);
        self.by_id.get_mut(&id).expect("its headers were recorded").set_empty_until(until);
    }

    /// Counts the response in every bucket that counted the request, with its headers, if any.
    pub(super) fn release(&mut self, group: &CallGroup, headers: Option<RateLimitHeaders>, reservations: &[Reservation], now: Instant) {
        let reported = headers.map(|headers| self.id_of(group, headers.limit));
        for Reservation { id, .. } in reservations {
            let Some(bucket) = self.by_id.get_mut(id) else { continue };
            if reported == Some(*id) { bucket.record_response() } else { bucket.record_response_without_headers(now) }
        }
    }

    /// Returns the buckets that count the calls of a group: the published ones, and those that answered for it.
    fn ids_of(&self, group: &CallGroup) -> Vec<BucketId> {
        let tenant = self.tenant.map(|_| BucketId::Tenant);
        let endpoint = if let CallGroup::Group(place) = group { Some(BucketId::Group(*place)) } else { None };
        let own = self.answered.get(group).copied();
        let general = self.general.filter(|_| own.is_none_or(|own| matches!(own, BucketId::Group(_))));
        let mut ids: Vec<BucketId> = Vec::with_capacity(4);
        for id in [tenant, endpoint, own, general].into_iter().flatten() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Returns the bucket that answered a call of a group, by its limit.
    fn id_of(&self, group: &CallGroup, limit: u32) -> BucketId {
        let tenant = self.tenant.filter(|rate| rate.burst == limit);
        let endpoint = match (group, self.tier) {
            (CallGroup::Group(place), Some(tier)) => Some((*place, tier.endpoints[*place].rate)).filter(|(_, rate)| rate.burst == limit),
            _ => None,
        };
        match (tenant, endpoint) {
            // If both have the same limit, it may be either, so the slower one is assumed.
            (Some(tenant), Some((_, rate))) if tenant.a_minute <= rate.a_minute => BucketId::Tenant,
            (_, Some((place, _))) => BucketId::Group(place),
            (Some(_), None) => BucketId::Tenant,
            (None, None) => BucketId::Discovered(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SHARE: f64 = 0.8;

    fn headers(limit: u32, remaining: u32) -> RateLimitHeaders {
        RateLimitHeaders { limit, remaining, reset: Duration::from_secs(4) }
    }

    /// Sends one request that is answered with these headers.
    fn answer(buckets: &mut Buckets, group: &CallGroup, headers: RateLimitHeaders) {
        let now = Instant::now();
        let reservations = buckets.reserve(group, now).expect("nothing holds it back");
        buckets.record_headers(group, headers, &reservations, now);
        buckets.release(group, Some(headers), &reservations, now);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unpublished_bucket_delays_all_calls_except_those_of_other_buckets() {
        let mut buckets = Buckets::new(None, None, SHARE);
        let [clients, roles] = ["/clients", "/roles"].map(|path| buckets.group_of(CallType::Read, path));
        answer(&mut buckets, &clients, headers(10, 2));
        assert_eq!(buckets.reserve(&roles, Instant::now()), Err(Wait::For(Duration::from_secs(4))));
        tokio::time::advance(Duration::from_secs(4)).await;
        answer(&mut buckets, &roles, headers(50, 40));
        assert!(buckets.reserve(&roles, Instant::now()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_headers_correct_a_published_bucket() {
        let mut buckets = Buckets::new(None, Some(Rate { burst: 10, a_minute: 120 }), SHARE);
        let roles = buckets.group_of(CallType::Write, "/roles");
        answer(&mut buckets, &roles, headers(10, 2));
        assert_eq!(buckets.reserve(&roles, Instant::now()), Err(Wait::For(Duration::from_millis(501))));
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_published_buckets_with_the_same_limit_the_slower_one_is_assumed() {
        let tier = Tier::named("essentials").expect("published");
        let mut buckets = Buckets::new(Some(tier), None, SHARE);
        let [grants, roles] = ["/organizations/o/client-grants", "/roles"].map(|path| buckets.group_of(CallType::Read, path));
        answer(&mut buckets, &grants, headers(10, 2));
        assert_eq!(buckets.reserve(&grants, Instant::now()), Err(Wait::For(Duration::from_millis(601))));
        assert!(buckets.reserve(&roles, Instant::now()).is_ok());
    }
}
