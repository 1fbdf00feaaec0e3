//! One bucket of a tenant: what its subscription publishes of it, corrected by what the answers say is left in it.
//!
//! Where the rate is published, a token bucket spreads our share of it over time, and the quota that the headers report holds back what
//! would leave too little for others. Where it is not, the headers lead alone.
//!
//! The reported quota is a level beside the token bucket of governor, not a state of it: governor takes cells out but none back, so that a
//! higher reading would need a new limiter for every response, and it has no word for a bucket whose rate is unknown, for a level that holds
//! only after a 429 has passed, or for requests in flight that a reading may or may not include. The two also count different things: the
//! tokens are our share of the published rate, the level is what all clients of the tenant have left.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateLimitHeaders;
use super::token_bucket::{TokenBucket, usable};
use crate::catalog::limits::Rate;
use crate::management_api::safety_limits::LONGEST_RESET;

/// One bucket of a tenant.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: f64,
    /// What stays in the bucket for others.
    kept_for_others: f64,
    /// What comes back a second; 0 where that is unknown.
    rate: f64,
    /// Our share of what is published; none where nothing is.
    tokens: Option<TokenBucket>,
    /// What the answers say; none before the first that says anything.
    quota: Option<RemainingQuota>,
    in_flight: u32,
    /// Requests that came back so far.
    responses: u64,
}

/// What is left in a bucket, as the last answers had it.
#[derive(Debug, Clone, Copy)]
struct RemainingQuota {
    left: f64,
    at: Instant,
    reset: Instant,
    /// The shortest time to a reset that was reported: whether that means full or one more, one comes back in it for certain.
    soonest: Duration,
}

/// What a bucket makes the next request wait for, the shorter first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// For this time, or until an answer shows more.
    For(Duration),
    /// Until the answer under way shows more.
    ForResponse,
}

impl Bucket {
    /// Returns a bucket whose burst and rate are published, used by a share (0 to 1).
    pub(super) fn published(rate: Rate, share: f64) -> Self {
        let tokens = Some(TokenBucket::new(rate, share));
        Self { rate: f64::from(rate.a_minute) / 60.0, tokens, ..Self::discovered(rate.burst, share) }
    }

    /// Returns a bucket that is known by its answers alone, used by a share (0 to 1).
    pub(super) fn discovered(limit: u32, share: f64) -> Self {
        let kept_for_others = f64::from(limit.saturating_sub(usable(limit, share)));
        Self { limit: f64::from(limit), kept_for_others, rate: 0.0, tokens: None, quota: None, in_flight: 0, responses: 0 }
    }

    /// Records what an answer says, and how many requests had come back when its own left.
    ///
    /// Answers overtake each other. Where others came back meanwhile they may have been counted later, so this one can only lower what is
    /// left.
    pub(super) fn record_headers(&mut self, headers: RateLimitHeaders, responses_before: Option<u64>, now: Instant) {
        if self.quota.is_some_and(|quota| now < quota.at) {
            return; // An answer from before a 429 says nothing about what comes after it.
        }
        let is_newest = responses_before == Some(self.responses);
        let most = if is_newest { self.limit } else { self.refilled(now) };
        let left = f64::from(headers.remaining).min(most);
        let soonest = self.quota.map_or(LONGEST_RESET, |quota| quota.soonest).min(headers.reset);
        self.quota = Some(RemainingQuota { left, at: now, reset: now + headers.reset, soonest });
    }

    /// Records that the bucket is empty until then.
    pub(super) fn set_empty_until(&mut self, until: Instant) {
        let until = self.quota.map_or(until, |quota| until.max(quota.at));
        let soonest = self.quota.map_or(LONGEST_RESET, |quota| quota.soonest);
        self.quota = Some(RemainingQuota { left: self.kept_for_others, at: until, reset: until, soonest });
    }

    /// Counts a request that leaves, and spends its token; returns how many have come back so far.
    pub(super) fn reserve(&mut self) -> u64 {
        if let Some(tokens) = &mut self.tokens {
            tokens.spend();
        }
        self.in_flight += 1;
        self.responses
    }

    /// Counts a request that came back.
    pub(super) fn record_response(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.responses += 1;
    }

    /// Counts a request that came back and said nothing of this bucket: a 404 carries no headers, and is counted all the same.
    pub(super) fn record_response_without_headers(&mut self, now: Instant) {
        self.record_response();
        let left = (self.refilled(now) - 1.0).max(0.0);
        // A quota in the future is that of a 429, and this answer is from before it.
        let Some(quota) = self.quota.as_mut().filter(|quota| quota.at <= now) else { return };
        (quota.left, quota.at) = (left, now);
        if now >= quota.reset {
            quota.reset = now + quota.soonest;
        }
    }

    /// Returns what the next request has to wait for, if anything: the quota first, then a token, which is set aside.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Wait> {
        self.wait_for_quota(now).or_else(|| self.tokens.as_mut()?.set_aside().map(Wait::For))
    }

    /// Returns what the next request has to wait for by what the answers say.
    ///
    /// Every request under way counts against what was last reported, though the bucket may have counted it already: better late than
    /// refused. Where the rate is unknown, one request goes ahead after the reset, and its answer says how many may follow.
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
    async fn what_the_share_leaves_to_others_is_not_touched() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 3, reset: Duration::from_secs(4) }, Some(0), now);
        assert_eq!(bucket.wait(now), None);
        bucket.reserve();
        assert_eq!(bucket.wait(now), Some(Wait::For(Duration::from_secs(4))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_back_without_a_word_was_counted_all_the_same() {
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
    async fn an_answer_that_was_overtaken_raises_nothing() {
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
    async fn after_the_reset_one_request_asks_how_many_may_follow() {
        let now = Instant::now();
        let mut bucket = Bucket::discovered(10, 0.8);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 2, reset: Duration::from_secs(4) }, Some(0), now);
        let later = now + Duration::from_secs(4);
        assert_eq!(bucket.wait(later), None);
        bucket.reserve();
        assert_eq!(bucket.wait(later), Some(Wait::ForResponse));
    }
}
