//! When a request is sent again: a pure table, no clock and no dice.
//!
//! A creating request repeats only where the tenant certainly did nothing with it; otherwise its key has to be looked up first.

use std::time::Duration;

use super::limits::PATIENCE;

/// What happens if a request reaches the tenant twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The same as if it reached it once: reads, PATCH, PUT, DELETE, and adding elements to a set.
    Repeatable,
    /// A second resource.
    Creates,
}

/// How one attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It was answered with this status; `after` is the wait the answer asked for.
    Status {
        /// The status, not 2xx.
        status: u16,
        /// The wait that the answer asked for.
        after: Option<Duration>,
    },
    /// It never left: no connection came about.
    Unsent,
    /// The connection broke, or time ran out, after it may have left.
    Broken,
    /// The answer was more than is taken of any; another would be no less.
    Excessive,
}

/// What was tried so far, the attempt in question included.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried {
    /// Attempts that failed by anything but a rate limit.
    pub(super) failed: u32,
    /// Attempts that met a rate limit.
    pub(super) limited: u32,
    /// Time since the first attempt failed.
    pub(super) spent: Duration,
}

impl Tried {
    /// Counts a failed attempt.
    pub(super) fn count(&mut self, failure: Failure, spent: Duration) {
        self.spent = spent;
        if matches!(failure, Failure::Status { status: 429, .. }) {
            self.limited += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Returns the attempts so far.
    pub(super) fn attempts(self) -> u32 {
        self.failed + self.limited
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decision {
    /// The failure stands.
    GiveUp,
    /// Send it again after this wait.
    Again(Duration),
    /// Nobody knows whether the tenant did it: look before sending it again.
    Verify,
}

/// Attempts that may fail before the failure stands.
const ATTEMPTS: u32 = 5;
/// The first wait where the tenant names none; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Decides what to do about a failed attempt; `jitter` (0 to 1) spreads the waits that the tenant did not name.
pub(super) fn decide(effect: Effect, tried: Tried, failure: Failure, jitter: f64) -> Decision {
    match failure {
        Failure::Status { status: 429, after } => {
            let wait = after.unwrap_or_else(|| backoff(tried.limited, jitter).max(Duration::from_secs(1)));
            if tried.spent + wait > PATIENCE { Decision::GiveUp } else { Decision::Again(wait) }
        }
        Failure::Status { status: 408 | 500..=599, .. } | Failure::Broken | Failure::Excessive if effect == Effect::Creates => {
            Decision::Verify
        }
        Failure::Status { status: 408 | 500..=599, after } => again(tried, after, jitter),
        Failure::Unsent | Failure::Broken => again(tried, None, jitter),
        Failure::Status { .. } | Failure::Excessive => Decision::GiveUp,
    }
}

fn again(tried: Tried, after: Option<Duration>, jitter: f64) -> Decision {
    if tried.failed >= ATTEMPTS {
        return Decision::GiveUp;
    }
    let wait = after.unwrap_or_else(|| backoff(tried.failed, jitter));
    if tried.spent + wait > PATIENCE { Decision::GiveUp } else { Decision::Again(wait) }
}

/// Returns the wait after the `failures`th failure: doubled each time, and up to half as long again.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_WAIT * 2_u32.saturating_pow(failures.clamp(1, 10) - 1);
    doubled.min(LONGEST_WAIT).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn answered(status: u16) -> Failure {
        Failure::Status { status, after: None }
    }

    fn first(effect: Effect, failure: Failure) -> Decision {
        let limited = u32::from(matches!(failure, Failure::Status { status: 429, .. }));
        decide(effect, Tried { failed: 1 - limited, limited, spent: Duration::ZERO }, failure, 0.0)
    }

    #[test]
    fn a_create_repeats_only_where_the_tenant_certainly_did_nothing() {
        use Decision::{Again, GiveUp, Verify};
        let short = Again(FIRST_WAIT);
        let table = [
            (answered(400), GiveUp, GiveUp),
            (answered(401), GiveUp, GiveUp),
            (answered(403), GiveUp, GiveUp),
            (answered(404), GiveUp, GiveUp),
            (answered(409), GiveUp, GiveUp),
            (answered(302), GiveUp, GiveUp),
            (answered(429), Again(Duration::from_secs(1)), Again(Duration::from_secs(1))),
            (answered(408), short, Verify),
            (answered(500), short, Verify),
            (answered(502), short, Verify),
            (answered(503), short, Verify),
            (answered(504), short, Verify),
            (Failure::Broken, short, Verify),
            (Failure::Unsent, short, short),
            (Failure::Excessive, GiveUp, Verify),
        ];
        for (failure, repeatable, creates) in table {
            assert_eq!(first(Effect::Repeatable, failure), repeatable, "{failure:?}");
            assert_eq!(first(Effect::Creates, failure), creates, "{failure:?}");
        }
    }

    #[test]
    fn waits_double_and_end_after_five_failures() {
        let wait = |failed| decide(Effect::Repeatable, Tried { failed, ..Tried::default() }, answered(500), 1.0);
        let millis = |millis| Decision::Again(Duration::from_millis(millis));
        assert_eq!([1, 2, 3, 4, 5].map(wait), [millis(375), millis(750), millis(1500), millis(3000), Decision::GiveUp]);
    }

    #[test]
    fn the_tenants_own_wait_is_kept_until_patience_ends() {
        let minute = Some(Duration::from_secs(60));
        let limited = |spent| {
            let tried = Tried { failed: 0, limited: 9, spent: Duration::from_secs(spent) };
            decide(Effect::Creates, tried, Failure::Status { status: 429, after: minute }, 0.5)
        };
        assert_eq!(limited(500), Decision::Again(Duration::from_secs(60)));
        assert_eq!(limited(541), Decision::GiveUp);
    }
}
