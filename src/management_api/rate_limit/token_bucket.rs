//! A token bucket with our share of a published limit.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::catalog::limits::Rate;

/// Time according to tokio, so that pausing the clock in a test also stops the refill.
#[derive(Debug, Clone, Copy)]
struct Elapsed(Instant);

impl Clock for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// The tokens of one bucket.
///
/// A token reserved for a request that something else still delays goes to whichever request asks next: taking tokens
/// early and sending requests in a burst would overdraw the tenant's bucket.
#[derive(Debug)]
pub(super) struct TokenBucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Elapsed, NoOpMiddleware<Nanos>>,
    clock: Elapsed,
    is_set_aside: bool,
}

impl TokenBucket {
    /// Creates a token bucket with a share (0 to 1) of the burst and of the refill.
    pub(super) fn new(rate: Rate, share: f64) -> Self {
        let clock = Elapsed(Instant::now());
        let burst = NonZeroU32::new(usable(rate.burst, share)).unwrap_or(NonZeroU32::MIN);
        let period = Duration::from_secs(60).div_f64(f64::from(rate.a_minute.max(1)) * share);
        let quota = Quota::with_period(period).expect("a minute divided by a number is longer than nothing").allow_burst(burst);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock), clock, is_set_aside: false }
    }

    /// Reserves a token, unless one is reserved; otherwise returns the time until there is one.
    pub(super) fn set_aside(&mut self) -> Option<Duration> {
        if self.is_set_aside {
            return None;
        }
        match self.limiter.check() {
            Ok(()) => {
                self.is_set_aside = true;
                None
            }
            Err(later) => Some(later.wait_time_from(self.clock.now())),
        }
    }

    /// Spends the reserved token when the request is sent.
    pub(super) fn spend(&mut self) {
        self.is_set_aside = false;
    }
}

/// Returns the usable part of a burst: the share of it, but at least one.
pub(super) fn usable(burst: u32, share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32 is a u32")]
    let part = (f64::from(burst) * share.clamp(0.0, 1.0) + 1e-9).floor() as u32;
    part.max(1)
}
