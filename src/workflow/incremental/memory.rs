//! The last reading of a tenant, as it is kept in the state folder of a pair.
//!
//! ```text
//! readings/source.json            when it was made, and what it depends on
//! readings/source/dev/<time>/     what the tenant returned, without secrets, before ids became keys
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::full_reason::FullReason;
use crate::catalog::Catalog;
use crate::config::TenantSettings;
use crate::files;
use crate::snapshot::{Snapshot, store};

/// The format of the record.
const FORMAT: u32 = 1;

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workflow) enum PairSide {
    Source,
    Target,
}

/// Where the last reading of one tenant is kept.
#[derive(Debug)]
pub(super) struct Memory {
    record: PathBuf,
    root: PathBuf,
    tenant: String,
    domain: String,
}

/// When a reading was made, and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReadingRecord {
    format: u32,
    /// The tenant's own domain.
    #[serde(default)]
    domain: String,
    /// When the log was searched, before anything was read: RFC 3339, UTC.
    searched: String,
    /// When everything was read last.
    full: String,
    /// The newest entries of the log that the search found.
    seen: BTreeSet<String>,
    /// What the reading depends on.
    conditions: Conditions,
    /// The folder of the reading.
    #[serde(default)]
    folder: String,
}

/// What a reading depends on besides the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Conditions {
    version: String,
    include: BTreeSet<String>,
    mapping: Option<String>,
    scopes: Option<BTreeSet<String>>,
}

impl Conditions {
    /// Returns what a reading by this program depends on.
    pub(super) fn new(include: BTreeSet<String>, mapping: Option<String>, scopes: Option<BTreeSet<String>>) -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), include, mapping, scopes }
    }

    /// Returns what is different now, if anything.
    fn changed(&self, now: &Self) -> Option<&'static str> {
        let differs = [
            (self.version != now.version, "the version of migrate"),
            (self.include != now.include, "--include"),
            (self.mapping != now.mapping, "the mapping"),
            (self.scopes != now.scopes, "the scopes of the token"),
        ];
        differs.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

impl ReadingRecord {
    /// Creates the record of a complete reading that begins now.
    pub(super) fn begin(now: SystemTime, seen: BTreeSet<String>, conditions: Conditions) -> Self {
        let now = humantime::format_rfc3339_millis(now).to_string();
        Self { format: FORMAT, domain: String::new(), searched: now.clone(), full: now, seen, conditions, folder: String::new() }
    }

    /// Returns the record of a reading that continues from an earlier one.
    pub(super) fn continuing(self, earlier: &Self) -> Self {
        Self { full: earlier.full.clone(), ..self }
    }

    /// Returns when the log was searched.
    pub(super) fn searched(&self) -> SystemTime {
        time(&self.searched)
    }

    /// Returns whether the search found an entry, so that the reading after it includes that write.
    pub(super) fn has_seen(&self, log_id: &str) -> bool {
        self.seen.contains(log_id)
    }

    /// Checks that the reading may still be used.
    pub(super) fn check(&self, now: &Conditions, time_now: SystemTime, full_every: Duration) -> Result<(), FullReason> {
        if let Some(what) = self.conditions.changed(now) {
            return Err(FullReason::Changed(what));
        }
        // A clock that was set back makes times meaningless.
        match time_now.duration_since(time(&self.full)) {
            Ok(age) if age <= full_every => Ok(()),
            Ok(_) => Err(FullReason::Due(full_every)),
            Err(_) => Err(FullReason::Changed("the clock of this machine")),
        }
    }
}

/// Returns a time that was written here; anything else counts as long ago.
fn time(text: &str) -> SystemTime {
    humantime::parse_rfc3339(text).unwrap_or(SystemTime::UNIX_EPOCH)
}

impl Memory {
    /// Returns the memory of one side of the pair whose readings are in a folder.
    pub(super) fn new(readings: &Path, side: PairSide, settings: &TenantSettings) -> Self {
        let name = match side {
            PairSide::Source => "source",
            PairSide::Target => "target",
        };
        let record = readings.join(format!("{name}.json"));
        Self { record, root: readings.join(name), tenant: settings.name.clone(), domain: settings.domain.clone() }
    }

    /// Loads the record of the last reading.
    pub(super) fn record(&self) -> Result<ReadingRecord, FullReason> {
        let unusable = |error: &dyn std::fmt::Display| FullReason::Unusable(error.to_string());
        let text = files::if_exists(files::read(&self.record)).map_err(|error| unusable(&error))?.ok_or(FullReason::First)?;
        let record: ReadingRecord = serde_json::from_slice(&text).map_err(|error| unusable(&error))?;
        if record.format != FORMAT {
            return Err(FullReason::Changed("the version of migrate"));
        }
        if record.domain != self.domain {
            return Err(FullReason::Changed("the tenant's domain"));
        }
        Ok(record)
    }

    /// Loads the last reading. One that cannot be loaded is deleted, so that an equal one is written again.
    pub(super) fn reading(&self, catalog: &Catalog, record: &ReadingRecord) -> Result<Snapshot, FullReason> {
        if !files::is_plain_name(&record.folder) {
            return Err(FullReason::Unusable(format!("\"{}\" cannot be the name of a folder", record.folder)));
        }
        let folder = self.root.join(&self.tenant).join(&record.folder);
        store::load(catalog, &folder).map_err(|error| {
            let _ = std::fs::remove_dir_all(&folder);
            FullReason::Unusable(error.to_string())
        })
    }

    /// Keeps a reading instead of the last one.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn save(&self, record: &ReadingRecord, read: &Snapshot) -> Result<(), store::Error> {
        let stored = store::save(&self.root, read)?;
        let folder = stored.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = ReadingRecord { folder, domain: self.domain.clone(), ..record.clone() };
        let text = serde_json::to_string_pretty(&record).expect("a record is JSON") + "\n";
        files::write_whole(&self.record, text.as_bytes())?;
        let others = std::fs::read_dir(self.root.join(&self.tenant)).into_iter().flatten().filter_map(Result::ok);
        for other in others.filter(|other| other.path() != stored.path()) {
            // What is left over is deleted next time.
            let _ = std::fs::remove_dir_all(other.path());
        }
        Ok(())
    }

    /// Has the next reading be complete.
    pub(super) fn forget(&self) {
        let _ = std::fs::remove_file(&self.record);
    }

    /// Has the next readings of both sides be complete.
    pub(super) fn forget_all(readings: &Path) {
        for side in ["source.json", "target.json"] {
            let _ = std::fs::remove_file(readings.join(side));
        }
    }
}
