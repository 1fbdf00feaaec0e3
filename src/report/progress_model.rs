//! Computes the progress of a run from its events, and the lines that show it. Pure: time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::format::{count, duration, named, number, printable};
use super::run_report::RunCost;
use crate::model::event::{Event, Operation, Outcome, WaitReason};
use crate::model::resource::Key;

/// How much progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Nothing.
    Quiet,
    /// Progress and errors.
    Normal,
    /// Also every kind that was read, every change and every retry.
    Verbose,
}

/// The minimum time between two status lines.
const STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// The minimum number of changes between two status lines, unless a tenth of the changes is more.
const STATUS_STEP: usize = 20;
/// Shorter waits are normal for the rate limiter and are not shown.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The progress of reading a kind.
#[derive(Debug, Clone, Copy)]
struct ListingProgress {
    since: Instant,
    read: usize,
    total: Option<usize>,
    shown: Instant,
}

/// The progress of reading a tenant.
#[derive(Debug, Clone, Copy)]
struct ExportProgress {
    since: Instant,
    left: usize,
    kinds: usize,
    resources: usize,
}

/// The progress of applying a plan.
#[derive(Debug, Clone)]
struct ApplyProgress {
    tenant: String,
    since: Instant,
    changes: usize,
    settled: usize,
    applied: usize,
    failed: usize,
    shown: Instant,
    shown_at: usize,
    /// How long the requests take at the published rate.
    expected: Option<Duration>,
}

/// A wait that is long enough to be shown.
#[derive(Debug, Clone)]
struct LongWait {
    tenant: String,
    reason: WaitReason,
    until: Instant,
}

/// The progress of a run.
#[derive(Debug)]
pub(super) struct ProgressModel {
    mode: Mode,
    began: Instant,
    requests: usize,
    waited: Duration,
    waiting_until: Instant,
    wait_shown: Option<Instant>,
    wait: Option<LongWait>,
    readings: BTreeMap<String, ExportProgress>,
    listings: BTreeMap<(String, &'static str), ListingProgress>,
    applying: Option<ApplyProgress>,
}

impl ProgressModel {
    pub(super) fn new(mode: Mode, now: Instant) -> Self {
        Self {
            mode,
            began: now,
            requests: 0,
            waited: Duration::ZERO,
            waiting_until: now,
            wait_shown: None,
            wait: None,
            readings: BTreeMap::new(),
            listings: BTreeMap::new(),
            applying: None,
        }
    }

    /// Returns the cost of applying so far; before that, the cost of everything.
    pub(super) fn cost(&self, now: Instant) -> RunCost {
        RunCost { took: now - self.began, requests: self.requests, waited: self.waited }
    }

    /// Updates the progress; returns the lines to print permanently.
    pub(super) fn update(&mut self, event: &Event, now: Instant) -> Vec<String> {
        let line = match event {
            Event::Reading { tenant, kinds } => {
                self.readings.insert(tenant.clone(), ExportProgress { since: now, left: *kinds, kinds: *kinds, resources: 0 });
                None
            }
            Event::Listing { tenant, kind, read, total } => {
                let fresh = ListingProgress { since: now, read: 0, total: None, shown: now };
                let listing = self.listings.entry((tenant.clone(), kind)).or_insert(fresh);
                (listing.read, listing.total) = (*read, *total);
                None
            }
            Event::Listed { tenant, kind, read, absent } => return self.listed(tenant, kind, *read, absent.as_deref(), now),
            Event::Waiting { tenant, wait, reason } => {
                let until = now + *wait;
                if *wait >= SHORTEST_WAIT && self.wait.as_ref().is_none_or(|wait| wait.until < until) {
                    self.wait = Some(LongWait { tenant: tenant.clone(), reason: *reason, until });
                }
                self.waited += until.saturating_duration_since(self.waiting_until.max(now));
                self.waiting_until = self.waiting_until.max(until);
                None
            }
            Event::Retrying { tenant, request, reason, attempt } => {
                let line = || format!("{tenant}: {request} again, attempt {attempt} ({})", printable(reason));
                (self.mode == Mode::Verbose).then(line)
            }
            Event::Answered { .. } => {
                self.requests += 1;
                None
            }
            Event::Applying { tenant, changes, expected } => {
                self.begin(tenant, (*changes, *expected), now);
                None
            }
            Event::Settled { key, operation, outcome } => self.settled(key, *operation, outcome),
        };
        line.into_iter().filter(|_| self.mode != Mode::Quiet).collect()
    }

    fn begin(&mut self, tenant: &str, (changes, expected): (usize, Option<Duration>), now: Instant) {
        let tenant = tenant.to_owned();
        let (shown, shown_at) = (now, 0);
        self.applying = Some(ApplyProgress { tenant, since: now, changes, settled: 0, applied: 0, failed: 0, shown, shown_at, expected });
        (self.began, self.requests, self.waited) = (now, 0, Duration::ZERO);
    }

    fn listed(&mut self, tenant: &str, kind: &'static str, read: usize, absent: Option<&str>, now: Instant) -> Vec<String> {
        self.listings.remove(&(tenant.to_owned(), kind));
        let mut lines = Vec::new();
        if self.mode == Mode::Verbose {
            let found = absent.map_or_else(|| number(read), |reason| format!("none ({})", printable(reason)));
            lines.push(format!("read {tenant}  {kind}: {found}"));
        }
        if let Some(reading) = self.readings.get_mut(tenant) {
            reading.left = reading.left.saturating_sub(1);
            reading.resources += read;
            if reading.left == 0 {
                let ExportProgress { since, kinds, resources, .. } = *reading;
                self.readings.remove(tenant);
                lines.push(format!(
                    "read {tenant}: {} ({} checked) in {}",
                    count(resources, "resource"),
                    count(kinds, "kind"),
                    duration(now - since)
                ));
            }
        }
        lines.retain(|_| self.mode != Mode::Quiet);
        lines
    }

    fn settled(&mut self, key: &Key, operation: Operation, outcome: &Outcome) -> Option<String> {
        if let Some(applying) = &mut self.applying {
            applying.settled += 1;
            match outcome {
                Outcome::Applied(_) | Outcome::Partial(..) => applying.applied += 1,
                Outcome::Failed(_) | Outcome::Unknown(_) => applying.failed += 1,
                Outcome::Skipped(_) => {}
            }
        }
        let what = format!("{operation} {}", named(key));
        match outcome {
            Outcome::Partial(_, short) => Some(format!("partially applied: {what}: {}", printable(&short.message))),
            Outcome::Failed(message) => Some(format!("failed: {what}: {}", printable(message))),
            Outcome::Unknown(message) => Some(format!("outcome unknown: {what}: {}", printable(message))),
            Outcome::Skipped(reason) if self.mode == Mode::Verbose => Some(format!("skipped: {what}: {}", printable(reason))),
            Outcome::Applied(_) if self.mode == Mode::Verbose => Some(format!("applied: {what}")),
            Outcome::Skipped(_) | Outcome::Applied(_) => None,
        }
    }

    /// Returns the status line for a log, if one is due after this event, which must already have updated the progress.
    pub(super) fn status_line(&mut self, event: &Event, now: Instant) -> Option<String> {
        let line = match event {
            Event::Listing { tenant, kind, .. } => {
                let listing = self.listings.get_mut(&(tenant.clone(), *kind)).filter(|listing| now - listing.shown >= STATUS_INTERVAL)?;
                listing.shown = now;
                self.listing_line(tenant, kind, now)
            }
            Event::Applying { tenant, changes, .. } => Some(format!("applying {} to {tenant}", count(*changes, "change"))),
            Event::Settled { .. } => {
                let applying = self.applying.as_mut()?;
                let step = (applying.changes / 10).max(STATUS_STEP);
                let is_due = now - applying.shown >= STATUS_INTERVAL || applying.settled >= applying.shown_at + step;
                if !is_due {
                    return None;
                }
                (applying.shown, applying.shown_at) = (now, applying.settled);
                self.applying_line(now)
            }
            Event::Waiting { .. } => {
                let is_due = self.wait_shown.is_none_or(|shown| now - shown >= STATUS_INTERVAL);
                let line = Self::waiting_line(event).filter(|_| is_due)?;
                self.wait_shown = Some(now);
                Some(line)
            }
            _ => None,
        };
        line.filter(|_| self.mode != Mode::Quiet)
    }

    /// Returns the progress of reading a kind: `reading dev  clients 340/1,000  42/s`.
    pub(super) fn listing_line(&self, tenant: &str, kind: &'static str, now: Instant) -> Option<String> {
        let ListingProgress { since, read, total, .. } = self.listings.get(&(tenant.to_owned(), kind))?;
        let of = total.map(|total| format!("/{}", number(total))).unwrap_or_default();
        let rate = rate(*read, now - *since).map(|rate| format!("  {rate}/s")).unwrap_or_default();
        Some(format!("reading {tenant}  {kind} {}{of}{rate}", number(*read)))
    }

    /// Returns the progress of applying: `applied 120 of 212 to prod, 1 failed  7/s  13 s left`.
    pub(super) fn applying_line(&self, now: Instant) -> Option<String> {
        let ApplyProgress { tenant, since, changes, settled, applied, failed, .. } = self.applying.as_ref()?;
        let failures = if *failed == 0 { String::new() } else { format!(", {} failed", number(*failed)) };
        let elapsed = now - *since;
        let pace = rate(*settled, elapsed).map(|rate| format!("  {rate}/s")).unwrap_or_default();
        let left = left(*settled, *changes, elapsed).map(|left| format!("  {} left", duration(left))).unwrap_or_default();
        Some(format!("applied {} of {} to {tenant}{failures}{pace}{left}", number(*applied), number(*changes)))
    }

    /// Returns the line that shows at a terminal how far everything is: kinds or changes done of all, requests, their rate, and the time left.
    pub(super) fn live_line(&self, now: Instant) -> Option<String> {
        self.live_applying(now).or_else(|| self.live_reading(now))
    }

    /// `reading dev 12 of 38 kinds, prod 30 of 38 kinds  142 requests, 16/s  4 s left`
    fn live_reading(&self, now: Instant) -> Option<String> {
        let since = self.readings.values().map(|reading| reading.since).min()?;
        let of = |(tenant, reading): (&String, &ExportProgress)| {
            format!("{tenant} {} of {}", number(reading.kinds - reading.left), count(reading.kinds, "kind"))
        };
        let tenants: Vec<String> = self.readings.iter().map(of).collect();
        let all: usize = self.readings.values().map(|reading| reading.kinds).sum();
        let left_over: usize = self.readings.values().map(|reading| reading.left).sum();
        let left = left(all - left_over, all, now - since);
        Some(format!("reading {}{}{}", tenants.join(", "), self.requests_so_far(now), self.time_left(left, now)))
    }

    /// `applied 120 of 212 to prod, 1 failed  340 requests, 16/s  13 s left`
    fn live_applying(&self, now: Instant) -> Option<String> {
        let ApplyProgress { tenant, since, changes, settled, applied, failed, expected, .. } = self.applying.as_ref()?;
        if settled >= changes {
            return None;
        }
        let failures = if *failed == 0 { String::new() } else { format!(", {} failed", number(*failed)) };
        let elapsed = now - *since;
        let left = left(*settled, *changes, elapsed).or_else(|| expected.map(|expected| expected.saturating_sub(elapsed)));
        let done = format!("applied {} of {} to {tenant}{failures}", number(*applied), number(*changes));
        Some(format!("{done}{}{}", self.requests_so_far(now), self.time_left(left, now)))
    }

    fn requests_so_far(&self, now: Instant) -> String {
        let rate = rate(self.requests, now - self.began).map(|rate| format!(", {rate}/s")).unwrap_or_default();
        format!("  {}{rate}", count(self.requests, "request"))
    }

    /// Returns the time left, which is no less than the wait at hand.
    fn time_left(&self, left: Option<Duration>, now: Instant) -> String {
        let wait = self.wait.as_ref().map(|wait| wait.until.saturating_duration_since(now)).unwrap_or_default();
        let left = left.map(|left| seconds(left.max(wait))).filter(|left| !left.is_zero());
        left.map(|left| format!("  {} left", duration(left))).unwrap_or_default()
    }

    /// Returns the line that counts a wait down: `waiting: prompt partials of prod allow 5 requests a minute: 38 s`.
    pub(super) fn live_wait(&self, now: Instant) -> Option<String> {
        let LongWait { tenant, reason, until } = self.wait.as_ref().filter(|wait| wait.until > now)?;
        Some(format!("{}: {}", reason_text(*reason, tenant), duration(seconds(*until - now))))
    }

    /// Returns the line for a wait that is long enough to be shown.
    pub(super) fn waiting_line(event: &Event) -> Option<String> {
        let Event::Waiting { tenant, wait, reason } = event else { return None };
        (*wait >= SHORTEST_WAIT).then(|| format!("waiting {}: {}", duration(seconds(*wait)), reason_text(*reason, tenant)))
    }
}

/// Returns why requests wait, in words.
fn reason_text(reason: WaitReason, tenant: &str) -> String {
    match reason {
        WaitReason::RateLimit => format!("the rate limit of {tenant} is used up"),
        WaitReason::EndpointLimit(limit) => {
            format!("{} of {tenant} allow {} a minute", limit.subject(), count(limit.rate.a_minute as usize, "request"))
        }
        WaitReason::AskedByTenant => format!("{tenant} asked to wait"),
        WaitReason::NotYetConsistent => format!("{tenant} does not know yet what was just created"),
    }
}

/// Returns a time in whole seconds, as a countdown shows it.
fn seconds(time: Duration) -> Duration {
    Duration::from_secs_f64(time.as_secs_f64().ceil())
}

/// Returns the rate per second, once enough is known.
fn rate(done: usize, elapsed: Duration) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "a count of settings")]
    let rate = done as f64 / elapsed.as_secs_f64();
    let is_known = done > 0 && elapsed >= Duration::from_secs(1);
    is_known.then(|| if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") })
}

/// Returns the remaining time at the rate so far.
fn left(done: usize, all: usize, elapsed: Duration) -> Option<Duration> {
    let is_known = done > 0 && elapsed >= Duration::from_secs(1) && all > done;
    #[expect(clippy::cast_precision_loss, reason = "a count of settings")]
    is_known.then(|| Duration::from_secs_f64((elapsed.as_secs_f64() / done as f64 * (all - done) as f64).ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::limits::Tier;
    use crate::model::resource::Id;
    use crate::model::resource::key;

    /// Returns the log lines for events that occur at these seconds.
    fn log(mode: Mode, events: &[(u64, Event)]) -> Vec<String> {
        let start = Instant::now();
        let mut model = ProgressModel::new(mode, start);
        let mut lines = Vec::new();
        for (at, event) in events {
            let now = start + Duration::from_secs(*at);
            let printed = model.update(event, now);
            lines.extend(model.status_line(event, now));
            lines.extend(printed);
        }
        lines
    }

    fn listing(read: usize) -> Event {
        Event::Listing { tenant: "dev".into(), kind: "clients", read, total: Some(1_000) }
    }

    fn settled(outcome: Outcome) -> Event {
        Event::Settled { key: key("clients/Web"), operation: Operation::Update, outcome }
    }

    fn waiting(seconds: u64) -> Event {
        waiting_for(seconds, WaitReason::RateLimit)
    }

    fn waiting_for(seconds: u64, reason: WaitReason) -> Event {
        Event::Waiting { tenant: "prod".into(), wait: Duration::from_secs(seconds), reason }
    }

    #[test]
    fn a_long_wait_is_shown_with_its_reason() {
        let line = |reason| ProgressModel::waiting_line(&waiting_for(5, reason)).expect("a line");
        assert_eq!(line(WaitReason::RateLimit), "waiting 5 s: the rate limit of prod is used up");
        assert_eq!(line(WaitReason::AskedByTenant), "waiting 5 s: prod asked to wait");
        assert_eq!(line(WaitReason::NotYetConsistent), "waiting 5 s: prod does not know yet what was just created");
        let partials = Tier::named("enterprise").expect("a tier").endpoints.iter().find(|limit| limit.path.ends_with("partials"));
        let partials = WaitReason::EndpointLimit(partials.expect("a limit"));
        assert_eq!(line(partials), "waiting 5 s: prompt partials of prod allow 5 requests a minute");
    }

    #[test]
    fn a_wait_is_counted_down_though_nothing_happens() {
        let start = Instant::now();
        let mut model = ProgressModel::new(Mode::Normal, start);
        model.update(&waiting(38), start);
        let shown = [0, 1, 37, 38].map(|seconds| model.live_wait(start + Duration::from_secs(seconds)));
        let line = |left: &str| Some(format!("the rate limit of prod is used up: {left}"));
        assert_eq!(shown, [line("38 s"), line("37 s"), line("1 s"), None]);
    }

    #[test]
    fn one_line_shows_how_far_all_of_the_reading_is() {
        let start = Instant::now();
        let mut model = ProgressModel::new(Mode::Normal, start);
        for (tenant, kinds) in [("dev", 4), ("prod", 4)] {
            model.update(&Event::Reading { tenant: tenant.into(), kinds }, start);
        }
        let answered = Event::Answered { tenant: "dev".into(), status: 200, write: false };
        (0..8).for_each(|_| drop(model.update(&answered, start)));
        for (tenant, kind) in [("dev", "clients"), ("dev", "roles"), ("prod", "clients"), ("prod", "roles")] {
            model.update(&Event::Listed { tenant: tenant.into(), kind, read: 3, absent: None }, start);
        }
        let line = model.live_line(start + Duration::from_secs(4)).expect("a line");
        assert_eq!(line, "reading dev 2 of 4 kinds, prod 2 of 4 kinds  8 requests, 2.0/s  4 s left");
    }

    #[test]
    fn one_line_shows_how_far_applying_is_and_what_it_takes_before_anything_is_known() {
        let start = Instant::now();
        let mut model = ProgressModel::new(Mode::Normal, start);
        model.update(&Event::Applying { tenant: "prod".into(), changes: 212, expected: Some(Duration::from_secs(30)) }, start);
        let at = |model: &ProgressModel, seconds| model.live_line(start + Duration::from_secs(seconds));
        assert_eq!(at(&model, 2).as_deref(), Some("applied 0 of 212 to prod  0 requests  28 s left"));
        (0..106).for_each(|_| drop(model.update(&settled(Outcome::Applied(Id::new("t"))), start)));
        assert_eq!(at(&model, 10).as_deref(), Some("applied 106 of 212 to prod  0 requests  10 s left"));
        (0..106).for_each(|_| drop(model.update(&settled(Outcome::Applied(Id::new("t"))), start)));
        assert_eq!(at(&model, 20), None, "it is over");
    }

    #[test]
    fn each_tenant_has_a_line_and_each_kind_only_in_verbose_mode() {
        let listed =
            |kind, read, absent: Option<&str>| Event::Listed { tenant: "dev".into(), kind, read, absent: absent.map(str::to_owned) };
        let events = [
            (0, Event::Reading { tenant: "dev".into(), kinds: 2 }),
            (0, listing(100)),
            (4, listing(300)),
            (10, listing(420)),
            (20, listed("clients", 1_000, None)),
            (21, listed("rules", 0, Some("switched off"))),
        ];
        let (status, ended) = ("reading dev  clients 420/1,000  42/s", "read dev: 1,000 resources (2 kinds checked) in 21 s");
        assert_eq!(log(Mode::Normal, &events), [status, ended]);
        let kinds = ["read dev  clients: 1,000", "read dev  rules: none (switched off)"];
        assert_eq!(log(Mode::Verbose, &events), [status, kinds[0], kinds[1], ended]);
        assert!(log(Mode::Quiet, &events).is_empty());
    }

    #[test]
    fn applying_shows_every_failure_and_every_tenth_of_the_progress() {
        let mut events = vec![(0, Event::Applying { tenant: "prod".into(), changes: 200, expected: None })];
        events.extend((0..30).map(|_| (5, settled(Outcome::Applied(Id::new("t"))))));
        events.push((5, settled(Outcome::Failed("400".into()))));
        events.push((5, settled(Outcome::Skipped("it needs client \"Web\"".into()))));
        events.push((16, settled(Outcome::Applied(Id::new("t")))));
        let expected = [
            "applying 200 changes to prod",
            "applied 20 of 200 to prod  4.0/s  45 s left",
            "failed: update client \"Web\": 400",
            "applied 31 of 200 to prod, 1 failed  2.1/s  81 s left",
        ];
        assert_eq!(log(Mode::Normal, &events), expected);
    }

    #[test]
    fn waits_are_shown_rarely_and_retries_only_in_verbose_mode() {
        let retry = Event::Retrying { tenant: "prod".into(), request: "GET /clients".into(), reason: "503".into(), attempt: 2 };
        let events = [(0, waiting(12)), (1, waiting(11)), (11, waiting(3)), (12, retry)];
        let expected = ["waiting 12 s: the rate limit of prod is used up", "waiting 3 s: the rate limit of prod is used up"];
        assert_eq!(log(Mode::Normal, &events), expected);
        assert_eq!(log(Mode::Verbose, &events)[2], "prod: GET /clients again, attempt 2 (503)");
    }

    #[test]
    fn overlapping_waits_count_once_and_applying_restarts_the_count() {
        let start = Instant::now();
        let mut model = ProgressModel::new(Mode::Normal, start);
        let answered = Event::Answered { tenant: "prod".into(), status: 200, write: false };
        model.update(&answered, start);
        model.update(&Event::Applying { tenant: "prod".into(), changes: 2, expected: None }, start);
        model.update(&waiting(4), start);
        model.update(&waiting(5), start + Duration::from_secs(1));
        model.update(&answered, start + Duration::from_secs(6));
        let cost = model.cost(start + Duration::from_secs(7));
        assert_eq!(cost, RunCost { took: Duration::from_secs(7), requests: 1, waited: Duration::from_secs(6) });
    }
}
