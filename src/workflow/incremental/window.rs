//! What a tenant's log says was written since the last reading.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use super::full_reason::FullReason;
use super::memory::ReadingRecord;
use crate::catalog::{Catalog, WriteEffect};
use crate::config::TenantSettings;
use crate::management_api::{DateFilter, LogOrder, LogReading, LogSearch, SEARCH_PAGES, Tenant, correlation_id};
use crate::model::logged_write::LoggedWrite;
use crate::plan::RunVerification;
use crate::workflow::environment::Environment;
use crate::workflow::history::PastRun;
use crate::workflow::log_gap::{CLOCK_SKEW, LogGap};
use crate::workflow::run_name::{begun_on, time_of};

/// How long before its first write a run may have got its name.
const LONGEST_PREPARATION: Duration = Duration::from_secs(86_400);

/// The writes of a tenant's log since a time.
#[derive(Debug)]
pub(super) struct LogWindow {
    entries: Vec<LoggedWrite>,
    /// Why it may lack some of them.
    gap: Option<FullReason>,
}

impl LogWindow {
    /// Searches the log for all writes that may have come since a reading, at most this late, or only for the newest.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub(super) async fn search(
        tenant: &Tenant,
        catalog: &Catalog,
        (reading, log_delay): (Option<SystemTime>, Duration),
    ) -> Result<Self, FullReason> {
        let since = Some(reading.unwrap_or_else(SystemTime::now) - log_delay - CLOCK_SKEW);
        let mut entries = Vec::new();
        let mut reader = |write: LoggedWrite| {
            entries.push(write);
            ControlFlow::Continue(())
        };
        let search = LogSearch { since, client: None, order: LogOrder::NewestFirst, dates: DateFilter::Reader, pages: SEARCH_PAGES };
        let searched = tenant.search_log(catalog, search, &mut reader).await;
        let gap = match (reading, searched) {
            (_, LogReading::Unavailable(why)) => return Err(FullReason::Log(LogGap::Unavailable(why))),
            // Without a reading to continue from it does not matter how far back the log reaches.
            (None, _) | (_, LogReading::ReachedBack) => None,
            // A search that a tenant does not understand may find nothing instead of being refused.
            (_, LogReading::Complete) if entries.is_empty() => Some(FullReason::NoWrites),
            (reading, searched) => match LogGap::of(tenant, searched, reading).await {
                LogGap::NotLogged => None,
                gap => Some(FullReason::Log(gap)),
            },
        };
        Ok(Self { entries, gap })
    }

    /// Returns the window if it has all writes. If not, its entries still tell the next search what this one found.
    ///
    /// # Errors
    ///
    /// Why it may lack some.
    pub(super) fn complete(self) -> Result<Self, FullReason> {
        self.gap.clone().map_or(Ok(self), Err)
    }

    /// Returns the ids of the entries since a time, for the next search.
    pub(super) fn ids_since(&self, since: SystemTime) -> BTreeSet<String> {
        let is_since = |entry: &&LoggedWrite| entry.at + CLOCK_SKEW >= since && !entry.log_id.is_empty();
        self.entries.iter().filter(is_since).map(|entry| entry.log_id.clone()).collect()
    }

    /// Returns the kinds that the writes since a reading may have changed.
    ///
    /// The window begins before the reading. An entry of that time that the last search did not find came late, and its
    /// kinds are read; if it came so late that the next one might miss the window, everything is.
    ///
    /// # Errors
    ///
    /// If the log does not tell what was changed.
    pub(super) fn written_kinds(
        &self,
        catalog: &Catalog,
        record: &ReadingRecord,
        log_delay: Duration,
    ) -> Result<BTreeSet<&'static str>, FullReason> {
        let searched = record.searched();
        let mut kinds = BTreeSet::new();
        for entry in self.entries.iter().filter(|entry| !record.has_seen(&entry.log_id)) {
            let delay = searched.duration_since(entry.at).unwrap_or_default();
            match catalog.effect_of(&entry.method, &entry.path) {
                WriteEffect::Nothing => continue,
                WriteEffect::Kinds(written) => kinds.extend(written),
                WriteEffect::Unknown => {
                    return Err(FullReason::UnknownWrite { method: entry.method.clone(), path: entry.path.clone() });
                }
            }
            if delay > log_delay / 2 + CLOCK_SKEW {
                return Err(FullReason::Late { at: entry.at, searched });
            }
        }
        Ok(kinds)
    }
}

/// Checks that the log contains what runs on a target since a time wrote: the only writes that it can be held against.
///
/// # Errors
///
/// The first run of which it lacks a write, or which cannot be read.
pub(super) fn check_runs(
    environment: &Environment,
    target: &TenantSettings,
    since: SystemTime,
    window: &LogWindow,
) -> Result<(), FullReason> {
    let runs = environment.folder("runs");
    let recent = begun_on(&runs, &target.name).take_while(|name| time_of(name).is_some_and(|time| time >= since - LONGEST_PREPARATION));
    for name in recent {
        let run = PastRun::read(runs.join(&name), &name).map_err(|error| FullReason::Unusable(error.to_string()))?;
        let is_before = humantime::parse_rfc3339(&run.record.begun).is_ok_and(|begun| begun + Duration::from_secs(1) < since);
        if is_before || run.plan.target.domain != target.domain {
            continue;
        }
        let mut writes = RunVerification::new(correlation_id(&name), &run.plan, &run.applied());
        window.entries.iter().for_each(|entry| {
            writes.learn(entry);
        });
        if !writes.is_complete() {
            return Err(FullReason::LostEntries { run: name });
        }
    }
    Ok(())
}
