//! Parses the rate limit headers of a response: `x-ratelimit-limit`, `-remaining` and `-reset`.
//!
//! In recordings, every 2xx response has all three, and of the errors only 429. `reset` is in seconds of the tenant's
//! clock, so it is compared with the `Date` of the response, never with the local clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::management_api::safety_limits::LONGEST_RESET;

/// The longest wait that is considered plausible; a longer one means that a clock is wrong.
const LONGEST: Duration = Duration::from_secs(3600);

/// The state of the bucket that counted a request, according to its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// The size of the bucket.
    pub limit: u32,
    /// The remaining quota.
    pub remaining: u32,
    /// The time from the response until the bucket is full, or has at least one request again.
    pub reset: Duration,
}

impl RateLimitHeaders {
    /// Parses the headers; `now` replaces a missing `Date`.
    pub fn parse(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let remaining = number_of(headers, "x-ratelimit-remaining")?;
        let limit = number_of(headers, "x-ratelimit-limit")?;
        let reset = time_to_reset(headers, now).map_or(Duration::from_secs(1), |reset| reset.min(LONGEST_RESET));
        Some(Self { limit: limit.try_into().ok()?, remaining: remaining.try_into().ok()?, reset })
    }
}

/// Returns the wait that a response demands: `Retry-After` in seconds, otherwise, for a 429, the time until
/// `x-ratelimit-reset`.
pub fn requested_wait(status: u16, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
    seconds.map(|seconds| Duration::from_secs(seconds.into())).or_else(|| if status == 429 { time_to_reset(headers, now) } else { None })
}

fn time_to_reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let reset = UNIX_EPOCH.checked_add(Duration::from_secs(number_of(headers, "x-ratelimit-reset")?))?;
    let date = headers.get(DATE).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
    // The header cannot express less than a second.
    let wait = reset.duration_since(date.unwrap_or(now)).unwrap_or_default();
    Some(wait.clamp(Duration::from_secs(1), LONGEST))
}

fn number_of(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn the_reset_is_relative_to_the_tenants_clock() {
        let answer = headers(&[
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "49"),
            ("x-ratelimit-reset", "1630700213"),
            ("date", "Fri, 03 Sep 2021 20:16:49 GMT"),
        ]);
        let parsed = RateLimitHeaders::parse(&answer, UNIX_EPOCH);
        assert_eq!(parsed, Some(RateLimitHeaders { limit: 50, remaining: 49, reset: Duration::from_secs(4) }));
    }

    #[test]
    fn retry_after_takes_precedence_over_the_reset() {
        let both = headers(&[("retry-after", "7"), ("x-ratelimit-reset", "20")]);
        let reset = headers(&[("x-ratelimit-reset", "20")]);
        let now = UNIX_EPOCH + Duration::from_secs(8);
        assert_eq!(requested_wait(429, &both, now), Some(Duration::from_secs(7)));
        assert_eq!(requested_wait(429, &reset, now), Some(Duration::from_secs(12)));
        assert_eq!(requested_wait(500, &reset, now), None);
        assert_eq!(requested_wait(429, &HeaderMap::new(), now), None);
    }
}
