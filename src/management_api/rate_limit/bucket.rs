//! One bucket of a tenant, as its answers describe it.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateLimitHeaders;
use super::quota::usable;
use crate::management_api::limits::LONGEST_RESET;

/// One bucket of the tenant, as its answers describe it.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: f64,
    /// What stays in the bucket for others.
    kept_for_others: f64,
    /// What comes back a second; 0 where that is unknown.
    rate: f64,
    left: f64,
    at: Instant,
    reset: Instant,
    /// The shortest time to a reset that was told: whether that means full or one more, one comes back in it for certain.
    soonest: Duration,
    in_flight: u32,
    /// Requests that came back so far.
    responses: u64,
}

/// When a bucket lets the next request leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Availability {
    /// At once.
    Now,
    /// After this time, or when an answer shows more.
    After(Duration),
    /// When the answer under way shows more.
    AfterResponse,
}

impl Bucket {
    /// Returns a bucket that holds `limit` and refills by `rate` a second.
    pub(super) fn new(limit: u32, share: f64, rate: f64, now: Instant) -> Self {
        let kept_for_others = f64::from(limit.saturating_sub(usable(limit, share)));
        Self {
            limit: f64::from(limit),
            kept_for_others,
            rate,
            left: f64::from(limit),
            at: now,
            reset: now,
            soonest: LONGEST_RESET,
            in_flight: 0,
            responses: 0,
        }
    }

    /// Takes in what an answer said, and how many requests had come back when its own left.
    ///
    /// Answers overtake each other. Where others came back meanwhile they may have been counted later, so this one can only lower what is
    /// left.
    pub(super) fn record_headers(&mut self, headers: RateLimitHeaders, responses_before: Option<u64>, now: Instant) {
        if now < self.at {
            return; // An answer from before a 429 says nothing about what comes after it.
        }
        let is_newest = responses_before == Some(self.responses);
        let most = if is_newest { self.limit } else { self.refilled(now) };
        self.left = f64::from(headers.remaining).min(most);
        self.at = now;
        self.reset = now + headers.reset;
        self.soonest = self.soonest.min(headers.reset);
    }

    /// Takes in that the bucket is empty until then.
    pub(super) fn set_empty_until(&mut self, until: Instant) {
        let until = until.max(self.at);
        (self.left, self.at, self.reset) = (self.kept_for_others, until, until);
    }

    /// Counts a request that leaves; returns how many have come back so far.
    pub(super) fn reserve(&mut self) -> u64 {
        self.in_flight += 1;
        self.responses
    }

    /// Counts a request that came back.
    pub(super) fn record_response(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.responses += 1;
    }

    /// Counts a request that came back without a word about this bucket: a 404 carries no headers, and is counted all the same.
    pub(super) fn record_response_without_headers(&mut self, now: Instant) {
        self.record_response();
        if now < self.at {
            return; // It is from before a 429.
        }
        (self.left, self.at) = ((self.refilled(now) - 1.0).max(0.0), now);
        if now >= self.reset {
            self.reset = now + self.soonest;
        }
    }

    /// Returns when a request may leave.
    ///
    /// Every request under way counts against what was last told, though the bucket may have counted it already: better late than refused.
    /// Where nobody told how fast the bucket fills, one request goes ahead after the reset, and its answer says how many may follow.
    pub(super) fn availability(&self, now: Instant) -> Availability {
        let spare = self.refilled(now) - f64::from(self.in_flight) - self.kept_for_others;
        if spare >= 1.0 && now >= self.at {
            Availability::Now
        } else if self.rate > 0.0 {
            let filling = Duration::from_secs_f64((1.0 - spare).max(0.0) / self.rate) + Duration::from_millis(1);
            Availability::After(self.at.saturating_duration_since(now) + filling)
        } else if now < self.reset {
            Availability::After(self.reset - now)
        } else if self.in_flight == 0 {
            Availability::Now
        } else {
            Availability::AfterResponse
        }
    }

    fn refilled(&self, now: Instant) -> f64 {
        (self.left + self.rate * now.saturating_duration_since(self.at).as_secs_f64()).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_the_share_leaves_to_others_is_not_touched() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, 0.8, 0.0, now);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 3, reset: Duration::from_secs(4) }, Some(0), now);
        assert_eq!(bucket.availability(now), Availability::Now);
        bucket.reserve();
        assert_eq!(bucket.availability(now), Availability::After(Duration::from_secs(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_back_without_a_word_was_counted_all_the_same() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, 0.8, 0.0, now);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 9, reset: Duration::from_secs(1) }, Some(0), now);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 3, reset: Duration::from_secs(4) }, Some(0), now);
        bucket.reserve();
        bucket.record_response_without_headers(now);
        assert_eq!(bucket.availability(now), Availability::After(Duration::from_secs(4)));
        let later = now + Duration::from_secs(4);
        bucket.reserve();
        bucket.record_response_without_headers(later);
        assert_eq!(bucket.availability(later), Availability::After(Duration::from_secs(1)), "the one that came back is spent");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_overtaken_raises_nothing() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, 0.8, 0.0, now);
        let headers = |remaining| RateLimitHeaders { limit: 10, remaining, reset: Duration::from_secs(4) };
        let before = [bucket.reserve(), bucket.reserve()];
        bucket.record_headers(headers(2), Some(before[1]), now);
        bucket.record_response();
        bucket.record_headers(headers(9), Some(before[0]), now);
        bucket.record_response();
        assert_eq!(bucket.availability(now), Availability::After(Duration::from_secs(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_reset_one_request_asks_how_many_may_follow() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, 0.8, 0.0, now);
        bucket.record_headers(RateLimitHeaders { limit: 10, remaining: 2, reset: Duration::from_secs(4) }, Some(0), now);
        let later = now + Duration::from_secs(4);
        assert_eq!(bucket.availability(later), Availability::Now);
        bucket.reserve();
        assert_eq!(bucket.availability(later), Availability::AfterResponse);
    }
}
