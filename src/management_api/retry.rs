//! Decides when a request is retried: a pure table, without clock and randomness.
//!
//! A create is repeated only if the tenant certainly did nothing; otherwise its key must be looked up first.

use std::time::Duration;

use super::safety_limits::LONGEST_RETRY;

/// The effect of a request that reaches the tenant twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idempotency {
    /// The same as of one request: reads, PATCH, PUT, DELETE, and adding elements to a set.
    Idempotent,
    /// A second resource is created.
    Creating,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptFailure {
    /// It was answered with this status.
    Status {
        /// The status, not 2xx.
        status: u16,
        /// The wait that the response demands.
        after: Option<Duration>,
    },
    /// It was not sent: no connection was established.
    Unsent,
    /// The connection broke, or the timeout expired, after it may have been sent.
    Broken,
    /// The response exceeded a safety limit, as another one would.
    Excessive,
}

/// The attempts so far, including the current one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RetryState {
    /// Attempts that failed for any reason except a rate limit.
    pub(super) failed: u32,
    /// Attempts refused by a rate limit.
    pub(super) rate_limited: u32,
    /// Time since the first attempt failed.
    pub(super) elapsed: Duration,
}

impl RetryState {
    /// Counts a failed attempt.
    pub(super) fn count(&mut self, failure: AttemptFailure, elapsed: Duration) {
        self.elapsed = elapsed;
        if matches!(failure, AttemptFailure::Status { status: 429, .. }) {
            self.rate_limited += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Returns the attempts so far.
    pub(super) fn attempts(self) -> u32 {
        self.failed + self.rate_limited
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decision {
    /// Report the failure.
    GiveUp,
    /// Retry after this wait.
    RetryAfter(Duration),
    /// Whether the tenant applied it is unknown: look it up before retrying.
    Verify,
}

/// The maximum number of failed attempts.
const MAX_FAILURES: u32 = 5;
/// The first wait if the tenant demands none; it doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// Decides what to do after a failed attempt; `jitter` (0 to 1) spreads waits that the tenant did not demand.
pub(super) fn decide(idempotency: Idempotency, state: RetryState, failure: AttemptFailure, jitter: f64) -> Decision {
    match failure {
        AttemptFailure::Status { status: 429, after } => {
            let wait = after.unwrap_or_else(|| backoff(state.rate_limited, jitter).max(Duration::from_secs(1)));
            if state.elapsed + wait > LONGEST_RETRY { Decision::GiveUp } else { Decision::RetryAfter(wait) }
        }
        AttemptFailure::Status { status: 408 | 500..=599, .. } | AttemptFailure::Broken | AttemptFailure::Excessive
            if idempotency == Idempotency::Creating =>
        {
            Decision::Verify
        }
        AttemptFailure::Status { status: 408 | 500..=599, after } => retry(state, after, jitter),
        AttemptFailure::Unsent | AttemptFailure::Broken => retry(state, None, jitter),
        AttemptFailure::Status { .. } | AttemptFailure::Excessive => Decision::GiveUp,
    }
}

fn retry(state: RetryState, after: Option<Duration>, jitter: f64) -> Decision {
    if state.failed >= MAX_FAILURES {
        return Decision::GiveUp;
    }
    let wait = after.unwrap_or_else(|| backoff(state.failed, jitter));
    if state.elapsed + wait > LONGEST_RETRY { Decision::GiveUp } else { Decision::RetryAfter(wait) }
}

/// Returns the wait after the given number of failures: doubled each time, plus up to 50 % jitter.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_BACKOFF * 2_u32.saturating_pow(failures.clamp(1, 10) - 1);
    doubled.min(LONGEST_BACKOFF).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn answered(status: u16) -> AttemptFailure {
        AttemptFailure::Status { status, after: None }
    }

    fn first(idempotency: Idempotency, failure: AttemptFailure) -> Decision {
        let rate_limited = u32::from(matches!(failure, AttemptFailure::Status { status: 429, .. }));
        decide(idempotency, RetryState { failed: 1 - rate_limited, rate_limited, elapsed: Duration::ZERO }, failure, 0.0)
    }

    #[test]
    fn a_create_is_retried_only_if_the_tenant_certainly_did_nothing() {
        use Decision::{GiveUp, RetryAfter, Verify};
        let short = RetryAfter(FIRST_BACKOFF);
        let table = [
            (answered(400), GiveUp, GiveUp),
            (answered(401), GiveUp, GiveUp),
            (answered(403), GiveUp, GiveUp),
            (answered(404), GiveUp, GiveUp),
            (answered(409), GiveUp, GiveUp),
            (answered(302), GiveUp, GiveUp),
            (answered(429), RetryAfter(Duration::from_secs(1)), RetryAfter(Duration::from_secs(1))),
            (answered(408), short, Verify),
            (answered(500), short, Verify),
            (answered(502), short, Verify),
            (answered(503), short, Verify),
            (answered(504), short, Verify),
            (AttemptFailure::Broken, short, Verify),
            (AttemptFailure::Unsent, short, short),
            (AttemptFailure::Excessive, GiveUp, Verify),
        ];
        for (failure, repeatable, creates) in table {
            assert_eq!(first(Idempotency::Idempotent, failure), repeatable, "{failure:?}");
            assert_eq!(first(Idempotency::Creating, failure), creates, "{failure:?}");
        }
    }

    #[test]
    fn waits_double_and_end_after_five_failures() {
        let wait = |failed| decide(Idempotency::Idempotent, RetryState { failed, ..RetryState::default() }, answered(500), 1.0);
        let millis = |millis| Decision::RetryAfter(Duration::from_millis(millis));
        assert_eq!([1, 2, 3, 4, 5].map(wait), [millis(375), millis(750), millis(1500), millis(3000), Decision::GiveUp]);
    }

    #[test]
    fn a_wait_that_the_tenant_demands_is_respected_up_to_a_limit() {
        let minute = Some(Duration::from_secs(60));
        let rate_limited = |elapsed| {
            let state = RetryState { failed: 0, rate_limited: 9, elapsed: Duration::from_secs(elapsed) };
            decide(Idempotency::Creating, state, AttemptFailure::Status { status: 429, after: minute }, 0.5)
        };
        assert_eq!(rate_limited(500), Decision::RetryAfter(Duration::from_secs(60)));
        assert_eq!(rate_limited(541), Decision::GiveUp);
    }
}
