//! The tenant's log of writes, as the real one keeps it: entries may arrive late, and are kept for a limited time only.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The number of entries that are kept at most.
const MOST_ENTRIES: usize = 20_000;
/// The number of bytes of all entries that are kept at most.
const MOST_BYTES: usize = 8 << 20;

/// How the log differs from a complete one that is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// How long after the write its entry can be read. A longer delay affects later entries only, a shorter one all.
    pub delay: Duration,
    /// How long an entry is kept.
    pub retention: Duration,
}

impl Default for LogLimits {
    /// Returns no delay, and the retention of an Enterprise subscription: 30 days.
    fn default() -> Self {
        Self { delay: Duration::ZERO, retention: Duration::from_secs(30 * 86_400) }
    }
}

/// The log of one tenant. It keeps the newest entries, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct TenantLog {
    limits: LogLimits,
    /// Oldest first.
    entries: VecDeque<StoredEvent>,
    bytes: usize,
    appended: u64,
}

/// One entry as JSON text, with what it is found by.
#[derive(Debug)]
struct StoredEvent {
    log_id: String,
    date: SystemTime,
    delay: Duration,
    text: String,
}

impl TenantLog {
    pub(crate) fn new(limits: LogLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(crate) fn set_limits(&mut self, limits: LogLimits) {
        self.limits = limits;
    }

    /// Drops all entries so far, as if their retention had passed.
    pub(crate) fn forget(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// Appends an entry, which gets its id and date here.
    pub(crate) fn append(&mut self, date: SystemTime, mut event: Value) {
        self.appended += 1;
        let time = humantime::format_rfc3339_millis(date).to_string();
        // Real ids have this form: 900, the time, and digits that grow.
        let digits: String = time.chars().filter(char::is_ascii_digit).collect();
        let log_id = format!("900{digits}{:036}", self.appended);
        event["log_id"] = json!(log_id);
        event["_id"] = json!(log_id);
        event["date"] = json!(time);
        let text = event.to_string();
        self.bytes += text.len();
        self.entries.push_back(StoredEvent { log_id, date, delay: self.limits.delay, text });
        while self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            self.bytes -= self.entries.pop_front().map_or(self.bytes, |dropped| dropped.text.len());
        }
    }

    /// Returns the entries that can be read now, oldest first, each with its id.
    pub(crate) fn readable(&self, now: SystemTime) -> impl DoubleEndedIterator<Item = (&str, Value)> {
        let is_readable = move |event: &&StoredEvent| {
            let age = now.duration_since(event.date).unwrap_or_default();
            age >= event.delay.min(self.limits.delay) && age <= self.limits.retention
        };
        let parsed = |event: &StoredEvent| serde_json::from_str(&event.text).expect("the log holds the JSON that it wrote");
        self.entries.iter().filter(is_readable).map(move |event| (event.log_id.as_str(), parsed(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn readable(log: &TenantLog, now: SystemTime) -> Vec<i64> {
        log.readable(now).map(|(_, event)| event["n"].as_i64().expect("a number")).collect()
    }

    #[test]
    fn an_entry_is_readable_after_its_delay_and_until_its_retention_has_passed() {
        let mut log = TenantLog::new(LogLimits { delay: Duration::from_secs(5), retention: Duration::from_secs(60) });
        log.append(at(100), json!({"n": 1}));
        log.append(at(110), json!({"n": 2}));
        assert_eq!(readable(&log, at(104)), [0_i64; 0]);
        assert_eq!(readable(&log, at(110)), [1]);
        assert_eq!(readable(&log, at(115)), [1, 2]);
        assert_eq!(readable(&log, at(165)), [2]);
    }

    #[test]
    fn the_log_keeps_the_newest_entries_in_bounded_memory() {
        let mut log = TenantLog::default();
        let quarter = "x".repeat(MOST_BYTES / 4);
        for number in 0..10 {
            log.append(at(number), json!({"n": number, "text": quarter}));
        }
        assert_eq!(readable(&log, at(10)), [7, 8, 9]);
        assert!(log.bytes <= MOST_BYTES);
        log.append(at(10), json!({"n": 10, "text": "x".repeat(2 * MOST_BYTES)}));
        assert_eq!((readable(&log, at(10)), log.bytes), (Vec::new(), 0));
    }
}
