//! Limits of a run: the time of day and the number of requests after which it starts no new changes.

use std::time::{Duration, Instant};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ZonedDateTime};

use crate::management_api::Traffic;

/// A limit that ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachedLimit {
    /// The time of day after which no new changes are started.
    Time(TimeOfDay),
    /// The number of requests after which no new changes are started.
    Requests {
        /// The limit.
        budget: u64,
        /// The number of requests sent.
        sent: u64,
    },
}

/// The remaining budget of a running command.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunBudget {
    until: Option<(Instant, TimeOfDay)>,
    max_requests: Option<u64>,
    /// The number of requests on earlier connections to the same target.
    spent: u64,
}

/// A time of day, on the clock of this machine or in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    time: Time,
    is_utc: bool,
}

impl std::str::FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (clock, is_utc) = text.strip_suffix('Z').map_or((text, false), |clock| (clock, true));
        let time = Time::strptime("%H:%M", clock).map_err(|_| "a time of day is HH:MM, as in 05:00, or 05:00Z for UTC".to_owned())?;
        Ok(Self { time, is_utc })
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:02}:{:02}{}", self.time.hour(), self.time.minute(), if self.is_utc { "Z" } else { "" })
    }
}

impl TimeOfDay {
    /// Parses a time of day without a time zone.
    pub(crate) fn of_any_clock(text: &str) -> Result<Self, String> {
        let read = text.parse().ok().filter(|time: &Self| !time.is_utc);
        read.ok_or_else(|| "a time of day is HH:MM, as in 02:30".to_owned())
    }

    /// Returns the hour and the minute.
    pub(crate) fn hour_and_minute(self) -> (u8, u8) {
        (self.time.hour().unsigned_abs(), self.time.minute().unsigned_abs())
    }

    /// Returns the time until the nearest occurrence of this time of day; `None` if that has passed, however late a
    /// nightly run starts.
    fn left(self, now: &ZonedDateTime) -> Option<Duration> {
        let now = if self.is_utc { now.with_time_zone(TimeZone::UTC) } else { now.clone() };
        let days = [now.yesterday().ok(), Some(now.clone()), now.tomorrow().ok()];
        let times = days.into_iter().flatten().filter_map(|day| day.with().time(self.time).build().ok());
        let nearest = times.map(|time| now.duration_until(&time)).min_by_key(|left: &SignedDuration| left.unsigned_abs())?;
        Duration::try_from(nearest).ok()
    }
}

impl RunBudget {
    /// Creates the budget of a command that starts now.
    pub(crate) fn begin(until: Option<TimeOfDay>, max_requests: Option<u64>) -> Self {
        let until = until.map(|time| (Instant::now() + time.left(&ZonedDateTime::now()).unwrap_or_default(), time));
        Self { until, max_requests, spent: 0 }
    }

    /// Creates a budget that ends after this duration, at five in the morning.
    #[cfg(test)]
    pub(crate) fn for_another(left: Duration) -> Self {
        Self { until: Some((Instant::now() + left, "05:00".parse().expect("a time of day"))), ..Self::default() }
    }

    /// Adds the requests of a connection to the target that is no longer used.
    pub(crate) fn spend(&mut self, sent: Traffic) {
        self.spent += sent.reads + sent.writes;
    }

    /// Returns when the time ends; `None` if there is no end, or it had passed when the command started.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.until.map(|(until, _)| until).filter(|until| Instant::now() < *until)
    }

    /// Completes when the time ends. If it had passed before the command started, this never completes, and no changes
    /// are started.
    pub(crate) async fn over(&self) -> ReachedLimit {
        match self.until.filter(|(until, _)| Instant::now() < *until) {
            Some((until, time)) => {
                tokio::time::sleep_until(until.into()).await;
                ReachedLimit::Time(time)
            }
            None => std::future::pending().await,
        }
    }

    /// Returns how many changes may start now; each takes at least one request.
    pub(crate) fn remaining_changes(&self, sent: Traffic) -> usize {
        if self.until.is_some_and(|(until, _)| Instant::now() >= until) {
            return 0;
        }
        let left = self.max_requests.map(|budget| budget.saturating_sub(self.spent + sent.reads + sent.writes));
        left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Returns the request budget if reading the target alone uses it up, so that no run could ever change anything.
    pub(crate) fn is_too_small_for(&self, read: Traffic) -> Option<u64> {
        self.max_requests.filter(|budget| self.spent == 0 && *budget <= read.reads + read.writes)
    }

    /// Returns the limit that was reached, if any.
    pub(crate) fn reached(&self, sent: Traffic) -> Option<ReachedLimit> {
        if self.remaining_changes(sent) > 0 {
            return None;
        }
        let over = self.until.filter(|(until, _)| Instant::now() >= *until);
        if let Some((_, time)) = over {
            return Some(ReachedLimit::Time(time));
        }
        Some(ReachedLimit::Requests { budget: self.max_requests?, sent: self.spent + sent.reads + sent.writes })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::*;

    /// Returns the minutes until a time of day when a clock in Berlin shows `clock`.
    fn minutes_left(until: &str, clock: &str) -> Option<u64> {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let now = clock.parse::<DateTime>().expect("a time").to_zoned_datetime(berlin).expect("there is such a time");
        until.parse::<TimeOfDay>().expect("a time of day").left(&now).map(|left| left.as_secs() / 60)
    }

    #[test]
    fn a_time_of_day_is_the_nearest_one_and_reached_once_it_has_passed() {
        assert_eq!(minutes_left("05:00", "2026-03-01T02:30"), Some(150));
        assert_eq!(minutes_left("05:00", "2026-03-01T22:00"), Some(420));
        assert_eq!(minutes_left("05:00", "2026-03-01T05:10"), None);
        assert_eq!(minutes_left("05:00Z", "2026-03-01T05:10"), Some(50));
    }

    #[test]
    fn a_night_in_which_the_clock_is_set_forward_is_an_hour_shorter() {
        assert_eq!(minutes_left("05:00", "2026-03-29T01:00"), Some(180));
    }

    #[test]
    fn other_texts_are_not_times_of_day() {
        for text in ["5 am", "25:00", "05:00+02:00", ""] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
        assert!(TimeOfDay::of_any_clock("05:00Z").is_err());
        assert_eq!(TimeOfDay::of_any_clock("05:07").map(TimeOfDay::hour_and_minute), Ok((5, 7)));
    }

    #[test]
    fn a_budget_allows_as_many_changes_as_requests_are_left() {
        let mut budget = RunBudget::begin(None, Some(20));
        let sent = |reads, writes| Traffic { reads, writes, ..Traffic::default() };
        assert_eq!(budget.remaining_changes(sent(10, 4)), 6);
        budget.spend(sent(10, 4));
        assert_eq!((budget.remaining_changes(sent(1, 0)), budget.reached(sent(1, 0))), (5, None));
        assert_eq!(budget.reached(sent(6, 1)), Some(ReachedLimit::Requests { budget: 20, sent: 21 }));
        assert_eq!(RunBudget::default().remaining_changes(sent(1000, 1000)), usize::MAX);
    }
}
