//! The journal: the append-only record of a run, with intents before requests and outcomes after them.
//!
//! It contains one JSON object per line. An intent is durable before its request is sent; without a recorded outcome,
//! the outcome is unknown. A torn last line results from an interruption and is dropped; a broken line anywhere else
//! means that the file was edited, and is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::altered_values::AlteredValue;
use crate::files::{self, Appender};
use crate::model::event::{Operation, Outcome, Shortfall};
use crate::model::resource::{Id, Key};

/// The newest format that this version reads, and the one it writes.
const FORMAT: u32 = 1;
/// Why a change was not sent whose intent was recorded, for versions that do not know `unsent`.
const NOT_SENT: &str = "the run was interrupted before it was sent";

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the words of the line")]
pub enum Entry {
    /// A run started.
    Begun {
        format: u32,
        run: String,
        at: String,
        #[serde(default)]
        by: String,
    },
    /// It was resumed.
    Resumed { at: String },
    /// A request is about to be sent.
    Intent { change: usize, key: Key, operation: Operation },
    /// The target applied a change, possibly `without` some `parts`. `altered` are the values that it stored
    /// differently.
    Applied {
        change: usize,
        id: Id,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        without: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        altered: Vec<AlteredValue>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// The target refused a change.
    Failed {
        change: usize,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// A change was not sent; `unsent` says that the run was stopped before its turn, though its intent was recorded.
    Skipped {
        change: usize,
        reason: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsent: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// The outcome of a change is unknown.
    Unknown {
        change: usize,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// The run stopped early. Every change that was sent has a recorded outcome, and the state is up to date.
    Stopped { at: String },
    /// Every change has been applied.
    Ended { at: String },
}

/// What a journal records about one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournaledOutcome {
    /// It was applied; this is the id.
    Applied(Id),
    /// It was applied without the parts that the target refused.
    Partial(Id, Shortfall),
    /// Its request may have been sent; the outcome is unknown.
    Unknown,
    /// It is still pending: it was refused or skipped.
    Open,
}

/// The content of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// When the run started: RFC 3339, UTC.
    pub begun: String,
    /// The command that started it; empty in journals of older versions.
    pub by: String,
    /// The outcome of each change that was reached, by its index in the plan.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Values that the target stored differently, by the index of their change.
    pub altered: BTreeMap<usize, Vec<AlteredValue>>,
    /// When each change ended, by its index: RFC 3339, UTC; journals of older versions have no times.
    pub times: BTreeMap<usize, String>,
    /// Whether every change was applied.
    pub is_ended: bool,
    /// Whether the run stopped with all outcomes known.
    pub(crate) is_stopped: bool,
    /// Changes whose outcome was unknown when the run was last resumed and is still unresolved.
    pub(crate) taken_up: BTreeSet<usize>,
    /// Changes whose outcome is unknown although they were looked up.
    pub unclear: BTreeSet<usize>,
}

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The format is newer than this version can read.
    #[error("journal \"{path}\" has format {format}; this version of migrate reads up to {FORMAT}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u32,
    },
    /// A line other than the last is broken.
    #[error("journal \"{path}\" is invalid in line {line}, column {column}: {reason}", path = .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What is wrong.
        reason: String,
    },
}

/// How a change ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndedChange<'a> {
    /// Its index in the plan.
    pub(super) change: usize,
    /// How it ended.
    pub(super) outcome: &'a Outcome,
    /// Values that the target stored differently.
    pub(super) altered: &'a [AlteredValue],
    /// When: RFC 3339, UTC.
    pub(super) at: Option<&'a str>,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: Appender,
    known: BTreeMap<usize, JournaledOutcome>,
    altered: BTreeMap<usize, Vec<AlteredValue>>,
    times: BTreeMap<usize, String>,
    /// The entry for a resume, written together with its first outcome.
    resumed: Option<Entry>,
}

impl Journal {
    /// Creates the journal of a new run of this command.
    ///
    /// # Errors
    ///
    /// If the file cannot be made durable.
    pub fn begin(path: &Path, run: &str, at: &str, by: &str) -> Result<Self, Error> {
        let file = Appender::open(path)?;
        let mut journal = Self { file, known: BTreeMap::new(), altered: BTreeMap::new(), times: BTreeMap::new(), resumed: None };
        journal.append(&[Entry::Begun { format: FORMAT, run: run.to_owned(), at: at.to_owned(), by: by.to_owned() }])?;
        Ok(journal)
    }

    /// Opens the journal of an interrupted run, dropping a torn last line. The resume is recorded with its first
    /// outcome.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, or is broken before its end.
    pub fn resume(path: &Path, at: &str) -> Result<Self, Error> {
        let (mut known, mut altered, mut times) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let whole = parse(path, &files::read(path)?, &mut |entry| {
            learn(&mut known, &entry);
            learn_altered(&mut altered, &entry);
            learn_time(&mut times, &entry);
        })?;
        let mut file = Appender::open(path)?;
        file.cut_to(whole)?;
        Ok(Self { file, known, altered, times, resumed: Some(Entry::Resumed { at: at.to_owned() }) })
    }

    /// Returns whether the run has no outcome yet.
    pub(super) fn is_new(&self) -> bool {
        self.known.is_empty() && self.resumed.is_none()
    }

    /// Returns the recorded state of a change; `None` if it was never reached.
    pub fn known(&self, change: usize) -> Option<&JournaledOutcome> {
        self.known.get(&change)
    }

    /// Returns the values of an already applied change that the target stored differently.
    pub(super) fn altered(&self, change: usize) -> &[AlteredValue] {
        self.altered.get(&change).map_or(&[], Vec::as_slice)
    }

    /// Returns when a change ended, where that is known.
    pub(super) fn time(&self, change: usize) -> Option<&str> {
        self.times.get(&change).map(String::as_str)
    }

    /// Returns the ids of applied changes, by their index in the plan.
    pub fn applied(&self) -> HashMap<usize, Id> {
        let id = |(at, known): (&usize, &JournaledOutcome)| match known {
            JournaledOutcome::Applied(id) | JournaledOutcome::Partial(id, _) => Some((*at, id.clone())),
            JournaledOutcome::Unknown | JournaledOutcome::Open => None,
        };
        self.known.iter().filter_map(id).collect()
    }

    /// Records that requests are about to be sent; returns once that is durable.
    pub(super) fn record_intents<'change>(&mut self, changes: impl Iterator<Item = (usize, &'change Key, Operation)>) -> Result<(), Error> {
        let entries: Vec<Entry> = changes.map(|(change, key, operation)| Entry::Intent { change, key: key.clone(), operation }).collect();
        self.append(&entries)
    }

    /// Records how changes ended.
    pub(super) fn record_outcomes(&mut self, ended: &[EndedChange<'_>]) -> Result<(), Error> {
        let entries: Vec<Entry> = ended.iter().copied().map(EndedChange::to_entry).collect();
        self.append(&entries)
    }

    /// Records that changes were not sent after all, though their intents were recorded.
    pub(super) fn record_unsent(&mut self, changes: &[usize]) -> Result<(), Error> {
        let unsent = |change: &usize| Entry::Skipped { change: *change, reason: NOT_SENT.to_owned(), unsent: true, at: None };
        let entries: Vec<Entry> = changes.iter().map(unsent).collect();
        self.append(&entries)
    }

    /// Records that the run stopped without unknown outcomes.
    pub(super) fn record_stop(&mut self, at: &str) -> Result<(), Error> {
        self.append(&[Entry::Stopped { at: at.to_owned() }])
    }

    /// Records that every change was applied.
    pub(super) fn record_end(&mut self, at: &str) -> Result<(), Error> {
        self.append(&[Entry::Ended { at: at.to_owned() }])
    }

    fn append(&mut self, entries: &[Entry]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let resumed: Vec<Entry> = self.resumed.iter().cloned().collect();
        self.file.append(&(lines(&resumed) + &lines(entries)))?;
        self.resumed = None;
        for entry in entries {
            learn(&mut self.known, entry);
            learn_altered(&mut self.altered, entry);
            learn_time(&mut self.times, entry);
        }
        Ok(())
    }
}

impl EndedChange<'_> {
    fn to_entry(self) -> Entry {
        let Self { change, outcome, altered, at } = self;
        let (altered, at) = (altered.to_vec(), at.map(str::to_owned));
        match outcome.clone() {
            Outcome::Applied(id) => Entry::Applied { change, id, without: None, parts: Vec::new(), altered, at },
            Outcome::Partial(id, Shortfall { parts, message }) => Entry::Applied { change, id, without: Some(message), parts, altered, at },
            Outcome::Failed(reason) => Entry::Failed { change, reason, at },
            Outcome::Skipped(reason) => Entry::Skipped { change, reason, unsent: false, at },
            Outcome::Unknown(reason) => Entry::Unknown { change, reason, at },
        }
    }
}

/// Learns when a change ended; of one that is sent again, that is not known.
fn learn_time(times: &mut BTreeMap<usize, String>, entry: &Entry) {
    let (change, time) = match entry {
        Entry::Intent { change, .. } => (change, &None),
        Entry::Applied { change, at, .. }
        | Entry::Failed { change, at, .. }
        | Entry::Skipped { change, at, .. }
        | Entry::Unknown { change, at, .. } => (change, at),
        Entry::Begun { .. } | Entry::Resumed { .. } | Entry::Stopped { .. } | Entry::Ended { .. } => return,
    };
    match time {
        Some(time) => times.insert(*change, time.clone()),
        None => times.remove(change),
    };
}

fn learn(known: &mut BTreeMap<usize, JournaledOutcome>, entry: &Entry) {
    let (change, now) = match entry {
        Entry::Intent { change, .. } | Entry::Unknown { change, .. } => (change, JournaledOutcome::Unknown),
        Entry::Applied { change, id, without: None, .. } => (change, JournaledOutcome::Applied(id.clone())),
        Entry::Applied { change, id, without: Some(message), parts, .. } => {
            (change, JournaledOutcome::Partial(id.clone(), Shortfall { parts: parts.clone(), message: message.clone() }))
        }
        Entry::Failed { change, .. } | Entry::Skipped { change, .. } => (change, JournaledOutcome::Open),
        Entry::Begun { .. } | Entry::Resumed { .. } | Entry::Stopped { .. } | Entry::Ended { .. } => return,
    };
    known.insert(*change, now);
}

fn learn_altered(known: &mut BTreeMap<usize, Vec<AlteredValue>>, entry: &Entry) {
    if let Entry::Applied { change, altered, .. } = entry
        && !altered.is_empty()
    {
        known.insert(*change, altered.clone());
    }
}

impl Record {
    /// Loads a journal, without a torn last line.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is broken before its end, or has a newer format.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut record = Self::default();
        parse(path, &files::read(path)?, &mut |entry| record.learn(entry))?;
        Ok(record)
    }

    fn learn(&mut self, entry: Entry) {
        learn_altered(&mut self.altered, &entry);
        learn_time(&mut self.times, &entry);
        self.is_ended = matches!(entry, Entry::Ended { .. });
        self.is_stopped = matches!(entry, Entry::Stopped { .. });
        let is_doubt = matches!(entry, Entry::Unknown { .. });
        let (change, outcome) = match entry {
            Entry::Begun { at, by, .. } => {
                (self.begun, self.by) = (at, by);
                return;
            }
            Entry::Resumed { .. } => {
                let open = self.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Unknown(_)));
                self.taken_up = open.map(|(change, _)| *change).collect();
                return;
            }
            Entry::Stopped { .. } | Entry::Ended { .. } => return,
            Entry::Intent { change, .. } => (change, Outcome::Unknown("the run was interrupted before a response arrived".to_owned())),
            Entry::Applied { change, id, without: None, .. } => (change, Outcome::Applied(id)),
            Entry::Applied { change, id, without: Some(message), parts, .. } => {
                (change, Outcome::Partial(id, Shortfall { parts, message }))
            }
            Entry::Failed { change, reason, .. } => (change, Outcome::Failed(reason)),
            Entry::Skipped { change, unsent: true, .. } => {
                self.outcomes.remove(&change);
                return;
            }
            Entry::Skipped { change, reason, .. } => (change, Outcome::Skipped(reason)),
            Entry::Unknown { change, reason, .. } => (change, Outcome::Unknown(reason)),
        };
        if self.taken_up.remove(&change) && is_doubt {
            self.unclear.insert(change);
        } else {
            self.unclear.remove(&change);
        }
        self.outcomes.insert(change, outcome);
    }
}

/// Serializes entries, one per line.
#[must_use]
pub fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).expect("an entry is JSON") + "\n").collect()
}

/// Parses the entries of the journal at `path`; returns the length without a torn last line.
///
/// # Errors
///
/// If it is broken before its end or has a newer format.
pub fn parse(path: &Path, bytes: &[u8], see: &mut dyn FnMut(Entry)) -> Result<u64, Error> {
    let mut whole = 0;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let entry = serde_json::from_slice::<Entry>(line);
        match entry {
            Ok(Entry::Begun { format, .. }) if format > FORMAT => {
                return Err(Error::Newer { path: path.to_owned(), format });
            }
            Ok(entry) if line.ends_with(b"\n") => see(entry),
            // An interruption can leave part of a line, or zeros in its place.
            _ if at + 1 == lines.len() => break,
            Ok(_) => unreachable!("only the last line can lack its end"),
            Err(error) => {
                return Err(Error::Broken { path: path.to_owned(), line: at + 1, column: error.column(), reason: plain(&error) });
            }
        }
        whole += line.len() as u64;
    }
    Ok(whole)
}

/// Returns what is wrong with an entry, without the line number, which is always 1.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.as_str(), |place| &text[..place]).to_owned()
}

/// Returns whether a journal records that every change was applied.
///
/// # Errors
///
/// If it cannot be read.
pub fn is_ended(path: &Path) -> Result<bool, Error> {
    Ok(Record::load(path)?.is_ended)
}
