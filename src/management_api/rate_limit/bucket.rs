//! One rate limit bucket of a tenant: its published limits, corrected by the remaining quota in responses.
//!
//! If the rate is published, a token bucket spreads our share of it over time, and the quota in the headers holds back
//! requests that would leave too little for others. If it is not published, only the headers control the rate.
//!
//! The reported quota is kept beside governor's token bucket, not inside it: governor can only take cells out, so a
//! higher reading would need a new limiter for every response. It also cannot represent a bucket with an unknown rate,
//! a level that is valid only after a 429 has passed, or requests in flight that a reading may or may not include. The
//! two also count different things: tokens are our share of the published rate, the quota is what all clients of the
//! tenant have left.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateLimitHeaders;
use super::token_bucket::{TokenBucket, usable};
use crate::catalog::limits::Rate;
use crate::management_api::safety_limits::LONGEST_RESET;

/// One rate limit bucket of a tenant.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: f64,
    /// The quota that is left for others.
    kept_for_others: f64,
    /// The refill per second; 0 if unknown.
    rate: f64,
    /// Our share of the published limits, if there are any.
    tokens: Option<TokenBucket>,
    /// The quota in the latest response, if any reported one.
    quota: Option<RemainingQuota>,
    in_flight: u32,
    /// The number of responses so far.
    responses: u64,
}

/// The remaining quota of a bucket according to the last responses.
#[derive(Debug, Clone, Copy)]
struct RemainingQuota {
    left: f64,
    at: Instant,
    reset: Instant,
    /// The shortest reported time to a reset. Whether a reset means full or one more, at least one request is available
    /// after it.
    soonest: Duration,
}

/// What the next request waits for, shortest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// This duration, or a response with a higher quota.
    For(Duration),
    /// The response in flight.
    ForResponse,
}

impl Bucket {
    /// Creates a bucket with published burst and rate, of which a share (0 to 1) is used.
    pub(super) fn published(rate: Rate, share: f64) -> Self {
        let tokens = Some(TokenBucket::new(rate, share));
        Self { rate: f64::from(rate.a_minute) / 60.0, tokens, ..Self::discovered(rate.burst, share) }
    }

    /// Creates a bucket known only from responses, of which a share (0 to 1) is used.
    pub(super) fn discovered(limit: u32, share: f64) -> Self {
        let kept_for_others = f64::from(limit.saturating_sub(usable(limit, share)));
        Self { limit: f64::from(limit), kept_for_others, rate: 0.0, tokens: None, quota: None, in_flight: 0, responses: 0 }
    }

    /// Records the headers of a response; `responses_before` is the number of responses when its request was sent.
    ///
    /// Responses overtake each other. If others arrived in the meantime, they may have been counted later, so this one
    /// can only lower the quota.
    pub(super) fn record_headers(&mut self, headers: RateLimitHeaders, responses_before: Option<u64>, now: Instant) {
        if self.quota.is_some_and(|quota| now < quota.at) {
            return; // A response from before a 429 says nothing about the quota after it.
        }
        let is_newest = responses_before == Some(self.responses);
        let most = if is_newest { self.limit } else { self.refilled(now) };
        let left = f64::from(headers.remaining).min(most);
        let soonest = self.quota.map_or(LONGEST_RESET, |quota| quota.soonest).min(headers.reset);
        self.quota = Some(RemainingQuota { left, at: now, reset: now + headers.reset, soonest });
    }

    /// Records that the bucket is empty until this time.
    pub(super) fn set_empty_until(&mut self, until: Instant) {
        let until = self.quota.map_or(until, |quota| until.max(quota.at));
        let soonest = self.quota.map_or(LONGEST_RESET, |quota| quota.soonest);
        self.quota = Some(RemainingQuota { left: self.kept_for_others, at: until, reset: until, soonest });
    }

    /// Counts a request that is sent and spends its token; returns the number of responses so far.
    pub(super) fn reserve(&mut self) -> u64 {
        if let Some(tokens) = &mut self.tokens {
            tokens.spend();
        }
        self.in_flight += 1;
        self.responses
    }

    /// Counts a response.
    pub(super) fn record_response(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.responses += 1;
    }

    /// Counts a response without headers for this bucket: a 404 has none, but is counted nevertheless.
    pub(super) fn record_response_without_headers(&mut self, now: Instant) {
        self.record_response();
        let left = (self.refilled(now) - 1.0).max(0.0);
        // A quota in the future comes from a 429, and this response is older.
        let Some(quota) = self.quota.as_mut().filter(|quota| quota.at <= now) else { return };
        (quota.left, quota.at) = (left, now);
        if now >= quota.reset {
            quota.reset = now + quota.soonest;
        }
    }

    /// Returns what the next request must wait for, if anything: first the quota, then a token, which is reserved.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Wait> {
        self.wait_for_quota(now).or_else(|| self.tokens.as_mut()?.set_aside().map(Wait::For))
    }

    /// Returns what the next request must wait for according to the quota.
    ///
    /// Every request in flight is subtracted from the last reported quota, although the bucket may already have counted
    /// it: a delay is better than a refusal. If the rate is unknown, a single request is sent after the reset, and its
    /// response shows how many may follow.
    fn wait_for_quota(&self, now: Instant) -> Option<Wait> {
        let quota = self.quota?;
        let spare = self.refilled(now) - f64::from(self.in_flight) - self.kept_for_others;
        if spare >= 1.0 && now >= quota.at {
            None
        } else if self.rate > 0.0 {
            let filling = Duration::from_secs_f64((1.0 - spare).max(0.0) / self.rate) + Duration::from_millis(1);
            Some(Wait::For(quota.at.saturating_duration_since(now) + filling))
        } else if now < quota.reset {
            Some(Wait::For(quota.reset - now))
        } else if self.in_flight == 0 {
            None
        } else {
            Some(Wait::ForResponse)
        }
    }

    fn refilled(&self, now: Instant) -> f64 {
        let left = |quota: RemainingQuota| quota.left + self.rate * now.saturating_duration_since(quota.at).as_secs_f64();
        self.quota.map_or(self.limit, left).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_quota_outside_the_share_is_not_used() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 3, reset: Duration::from_secs(4) }, Some(0), now);
        assert_eq!(bucket.wait(now), None);
        bucket.reserve();
        assert_eq!(bucket.wait(now), Some(Wait::For(Duration::from_secs(4))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_without_headers_is_counted_too() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 9, reset: Duration::from_secs(1) }, Some(0), now);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 3, reset: Duration::from_secs(4) }, Some(0), now);
        bucket.reserve();
        bucket.record_response_without_headers(now);
        assert_eq!(bucket.wait(now), Some(Wait::For(Duration::from_secs(4))));
        let later = now + Duration::from_secs(4);
        bucket.reserve();
        bucket.record_response_without_headers(later);
        assert_eq!(bucket.wait(later), Some(Wait::For(Duration::from_secs(1))), "the one that came back is spent");
    }

    #[tokio::test(start_paused = true)]
    async fn an_overtaken_response_never_raises_the_quota() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        let headers = |remaining| RateLimitHeaders { limit: 10, remaining, reset: Duration::from_secs(4) };
        let before = [bucket.reserve(), bucket.reserve()];
        bucket.record_headers(headers(2), Some(before[1]), now);
        bucket.record_response();
        bucket.record_headers(headers(9), Some(before[0]), now);
        bucket.record_response();
        assert_eq!(bucket.wait(now), Some(Wait::For(Duration::from_secs(4))));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_reset_a_single_request_finds_out_how_many_may_follow() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 2, reset: Duration::from_secs(4) }, Some(0), now);
        let later = now + Duration::from_secs(4);
        assert_eq!(bucket.wait(later), None);
        bucket.reserve();
        assert_eq!(bucket.wait(later), Some(Wait::ForResponse));
    }
}
