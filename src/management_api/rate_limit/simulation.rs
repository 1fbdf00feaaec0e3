//! Simulates the rate limiter with a server bucket in simulated time: 300 requests, none refused, in close to the minimum time.

#![expect(clippy::print_stdout, reason = "the times are the point of the simulation: `cargo test simulation -- --nocapture`")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::headers::RateLimitHeaders;
use super::limiter::{LimiterConfig, RateLimiter};
use crate::catalog::limits::{CallType, Rate, Tier};

const REQUESTS: u32 = 300;
const SHARE: f64 = 0.8;

/// What the server means by `reset`; the documentation permits both.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reset {
    WhenFull,
    AtTheNext,
}

/// A server's token bucket.
struct ServerBucket {
    rate: Rate,
    reset: Reset,
    left: f64,
    at: Instant,
    started: Instant,
}

impl ServerBucket {
    fn new(burst: u32, a_second: u32, left: f64, reset: Reset) -> Self {
        Self::with_rate(Rate { burst, a_minute: a_second * 60 }, left, reset)
    }

    fn with_rate(rate: Rate, left: f64, reset: Reset) -> Self {
        let now = Instant::now();
        Self { rate, reset, left, at: now, started: now }
    }

    fn a_second(&self) -> f64 {
        f64::from(self.rate.a_minute) / 60.0
    }

    /// Counts a request; returns whether it is served and the headers, in whole seconds like `Date` and `reset`.
    fn take(&mut self) -> (bool, RateLimitHeaders) {
        let now = Instant::now();
        self.left = (self.left + (now - self.at).as_secs_f64() * self.a_second()).min(self.rate.burst.into());
        self.at = now;
        let served = self.left >= 1.0;
        self.left -= if served { 1.0 } else { 0.0 };
        let missing = match self.reset {
            Reset::WhenFull => f64::from(self.rate.burst) - self.left,
            Reset::AtTheNext => 1.0,
        };
        let clock = 0.37 + (now - self.started).as_secs_f64();
        let reset = (clock + missing / self.a_second()).ceil() - clock.floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is left is small and not negative")]
        let remaining = self.left.floor() as u32;
        (served, RateLimitHeaders { limit: self.rate.burst, remaining, reset: Duration::from_secs_f64(reset.max(1.0)) })
    }
}

/// The result of a simulation.
#[derive(Debug)]
struct Run {
    took: Duration,
    refused: u32,
}

/// A server's response to a request: whether it is served, and the headers.
type Serve<'server> = dyn Fn(CallType, &str) -> (bool, RateLimitHeaders) + 'server;

/// Sends these calls as a rate limiter permits, at most sixteen at once, with latencies from 20 to 180 ms.
async fn run(limiter: &RateLimiter, calls: &[(CallType, &str)], serve: &Serve<'_>) -> Run {
    let (started, refused) = (Instant::now(), Cell::new(0));
    let send = |number: u32| {
        let refused = &refused;
        let (calls, path) = calls[number as usize % calls.len()];
        async move {
            loop {
                let mut permit = limiter.acquire(calls, path, |_, _| {}).await;
                let latency = Duration::from_millis(10 + u64::from(number * 37 % 80));
                sleep(latency).await;
                let (served, headers) = serve(calls, path);
                sleep(latency).await;
                permit.record_response(if served { 200 } else { 429 }, Some(headers));
                if served {
                    return;
                }
                refused.set(refused.get() + 1);
                permit.record_rate_limit(headers.reset);
            }
        }
    };
    stream::iter(0..REQUESTS).map(send).buffer_unordered(16).collect::<Vec<()>>().await;
    Run { took: started.elapsed(), refused: refused.get() }
}

/// Returns the minimum time in which a bucket admits all requests at our share.
fn least(rate: Rate, share: f64) -> Duration {
    let burst = (f64::from(rate.burst) * share).floor();
    Duration::from_secs_f64((f64::from(REQUESTS) - burst) / (f64::from(rate.a_minute) / 60.0 * share))
}

/// Simulates a run and prints its time beside the minimum time at the full rate and at our share.
async fn simulate(name: &str, known: bool, bucket: ServerBucket, others: Option<Duration>) -> (Run, f64) {
    let rate = bucket.rate;
    let bucket = RefCell::new(bucket);
    let limiter = RateLimiter::new(LimiterConfig { tier: None, rate: known.then_some(rate), share: SHARE, concurrency: 16 });
    let serve = |_: CallType, _: &str| bucket.borrow_mut().take();
    let theirs = async {
        while let Some(period) = others {
            sleep(period).await;
            bucket.borrow_mut().take();
        }
        std::future::pending::<()>().await;
    };
    let run =
        tokio::select! { run = run(&limiter, &[(CallType::Write, "/roles")], &serve) => run, () = theirs => unreachable!("it never ends") };
    let (whole, share) = (least(rate, 1.0), least(rate, SHARE));
    let over = run.took.as_secs_f64() / share.as_secs_f64();
    println!(
        "  {name}: {:.1} s, {} refused; least {:.1} s, at a share of {SHARE} {:.1} s ({over:.2})",
        run.took.as_secs_f64(),
        run.refused,
        whole.as_secs_f64(),
        share.as_secs_f64()
    );
    (run, over)
}

#[tokio::test(start_paused = true)]
async fn known_limits_lead_to_no_refusal_and_no_delay() {
    for (burst, a_second) in [(10, 2), (50, 16), (2, 2)] {
        let bucket = ServerBucket::new(burst, a_second, burst.into(), Reset::WhenFull);
        let (run, over) = simulate(&format!("known {burst} @ {a_second}/s"), true, bucket, None).await;
        assert_eq!(run.refused, 0);
        assert!(over < 1.03, "{run:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_suffice_if_the_limits_are_unknown() {
    for (burst, a_second) in [(10, 2), (50, 16), (2, 2)] {
        for reset in [Reset::WhenFull, Reset::AtTheNext] {
            let bucket = ServerBucket::new(burst, a_second, burst.into(), reset);
            let (run, over) = simulate(&format!("unknown {burst} @ {a_second}/s, reset {reset:?}"), false, bucket, None).await;
            assert_eq!(run.refused, 0);
            // The headers are in whole seconds, so every wait is rounded up. Of sixteen responses that overtake each
            // other, the lowest quota counts.
            assert!(over < if burst > 2 { 1.2 } else { 3.0 }, "{run:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_shared_with_others_is_not_exhausted() {
    for known in [true, false] {
        let bucket = ServerBucket::new(10, 2, 3.0, Reset::WhenFull);
        let (run, _) = simulate(&format!("shared 10 @ 2/s, known: {known}"), known, bucket, Some(Duration::from_secs(1))).await;
        assert_eq!(run.refused, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn every_bucket_of_a_tier_is_respected_at_once() {
    let tier = Tier::named("essentials").expect("published");
    let calls = [
        (CallType::Read, "/clients"),
        (CallType::Write, "/clients/c1"),
        (CallType::Read, "/connections"),
        (CallType::Read, "/organizations/o1"),
    ];
    let full = |rate: Rate| RefCell::new(ServerBucket::with_rate(rate, rate.burst.into(), Reset::WhenFull));
    let tenant = full(tier.tenant);
    let groups: Vec<_> = tier.endpoints.iter().map(|limit| full(limit.rate)).collect();
    let serve = |calls: CallType, path: &str| {
        let (served, headers) = tenant.borrow_mut().take();
        let Some(group) = tier.group_of(calls, path).filter(|_| served) else { return (served, headers) };
        groups[group].borrow_mut().take()
    };
    let limiter = RateLimiter::new(LimiterConfig { tier: Some(tier), rate: None, share: SHARE, concurrency: 16 });
    let run = run(&limiter, &calls, &serve).await;
    println!("  essentials, four sorts of calls: {:.1} s, {} refused", run.took.as_secs_f64(), run.refused);
    assert_eq!(run.refused, 0);
}
