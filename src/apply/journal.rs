//! The journal: the append-only record of a run, with intents before requests and outcomes after them.
//!
//! It contains one JSON object per line. An intent is durable before its request is sent; without a recorded outcome,
//! the outcome is unknown. A torn last line results from an interruption and is dropped; a broken line anywhere else
//! means that the file was edited, and is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::altered_values::AlteredValue;
use crate::files::{self, Appender};
use crate::model::event::{Operation, Outcome, Shortfall};
use crate::model::resource::{Id, Key};

/// The newest format that this version reads, and the one it writes.
const FORMAT: u32 = 1;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    },
    /// The target refused a change.
    Failed { change: usize, reason: String },
    /// A change was not sent.
    Skipped { change: usize, reason: String },
    /// The outcome of a change is unknown.
    Unknown { change: usize, reason: String },
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
    #[error("journal \"{path}\" is broken in line {line}, column {column}: {reason}", path = .path.display())]
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

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: Appender,
    known: BTreeMap<usize, JournaledOutcome>,
    altered: BTreeMap<usize, Vec<AlteredValue>>,
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
        let mut journal = Self { file, known: BTreeMap::new(), altered: BTreeMap::new(), resumed: None };
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
        let (mut known, mut altered) = (BTreeMap::new(), BTreeMap::new());
        let whole = parse(path, &files::read(path)?, &mut |entry| {
            learn(&mut known, &entry);
            learn_altered(&mut altered, &entry);
        })?;
        let mut file = Appender::open(path)?;
        file.cut_to(whole)?;
        Ok(Self { file, known, altered, resumed: Some(Entry::Resumed { at: at.to_owned() }) })
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

    /// Records the outcomes of changes, with values that the target stored differently.
    pub(super) fn record_outcomes<'outcome>(
        &mut self,
        outcomes: impl Iterator<Item = (usize, &'outcome Outcome, &'outcome [AlteredValue])>,
    ) -> Result<(), Error> {
        let entry = |(change, outcome, altered): (usize, &Outcome, &[AlteredValue])| match outcome {
            Outcome::Applied(id) => Entry::Applied { change, id: id.clone(), without: None, parts: Vec::new(), altered: altered.to_vec() },
            Outcome::Partial(id, Shortfall { parts, message }) => {
                let (without, parts, altered) = (Some(message.clone()), parts.clone(), altered.to_vec());
                Entry::Applied { change, id: id.clone(), without, parts, altered }
            }
            Outcome::Failed(reason) => Entry::Failed { change, reason: reason.clone() },
            Outcome::Skipped(reason) => Entry::Skipped { change, reason: reason.clone() },
            Outcome::Unknown(reason) => Entry::Unknown { change, reason: reason.clone() },
        };
        let entries: Vec<Entry> = outcomes.map(entry).collect();
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
        }
        Ok(())
    }
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
            Entry::Failed { change, reason } => (change, Outcome::Failed(reason)),
            Entry::Skipped { change, reason } => (change, Outcome::Skipped(reason)),
            Entry::Unknown { change, reason } => (change, Outcome::Unknown(reason)),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn journal() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::begin(&path, "r1", "2026-01-01T00:00:00Z", "import").expect("begun");
        let (one, two) = (Key::new("clients", "A"), Key::new("clients", "B"));
        journal.record_intents([(0, &one, Operation::Create), (1, &two, Operation::Create)].into_iter()).expect("written");
        journal.record_outcomes([(0, &Outcome::Applied(Id::new("c1")), &[][..])].into_iter()).expect("written");
        (folder, path)
    }

    #[test]
    fn an_intent_without_an_outcome_means_that_the_outcome_is_unknown() {
        let (_folder, path) = journal();
        let resumed = Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
        assert_eq!(resumed.known(0), Some(&JournaledOutcome::Applied(Id::new("c1"))));
        assert_eq!(resumed.known(1), Some(&JournaledOutcome::Unknown));
        assert_eq!(resumed.known(2), None);
    }

    #[test]
    fn altered_values_can_be_read_from_the_journal() {
        let (_folder, path) = journal();
        let altered = [AlteredValue { path: "app_type".into(), sent: Some("spa".into()), answered: None }];
        let mut journal = Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
        journal.record_outcomes([(1, &Outcome::Applied(Id::new("c2")), &altered[..])].into_iter()).expect("written");
        assert_eq!((journal.altered(0), journal.altered(1)), (&[][..], &altered[..]));
        let resumed = Journal::resume(&path, "2026-01-01T00:02:00Z").expect("resumed");
        assert_eq!((resumed.known(1), resumed.altered(1)), (Some(&JournaledOutcome::Applied(Id::new("c2"))), &altered[..]));
        assert_eq!(Record::load(&path).expect("read").altered, BTreeMap::from([(1, altered.to_vec())]));
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_truncated() {
        for torn in ["{\"entry\":\"appl", "\0\0\0\0", "{\"entry\":\"failed\",\"change\":1,\"because\":\"x\"}"] {
            let (_folder, path) = journal();
            let whole = fs::read_to_string(&path).expect("read");
            fs::write(&path, format!("{whole}{torn}")).expect("written");
            let resumed = Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
            assert_eq!(resumed.known(1), Some(&JournaledOutcome::Unknown), "{torn}");
            assert!(Journal::resume(&path, "2026-01-01T00:02:00Z").is_ok(), "{torn}");
        }
    }

    #[test]
    fn a_journal_torn_inside_a_character_is_of_an_unfinished_run() {
        let (_folder, path) = journal();
        let line = "{\"entry\":\"failed\",\"change\":1,\"because\":\"é";
        let torn = [&fs::read(&path).expect("read")[..], &line.as_bytes()[..line.len() - 1]].concat();
        assert!(std::str::from_utf8(&torn).is_err());
        fs::write(&path, torn).expect("written");
        assert!(!is_ended(&path).expect("readable"));
        assert_eq!(Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed").known(1), Some(&JournaledOutcome::Unknown));
    }

    #[test]
    fn a_stopped_run_is_recorded_as_stopped_until_it_is_resumed() {
        let (_folder, path) = journal();
        let is_stopped = || Record::load(&path).expect("a record").is_stopped;
        let mut journal = Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
        assert!(!is_stopped());
        journal.record_stop("2026-01-01T00:02:00Z").expect("written");
        assert!(is_stopped() && !is_ended(&path).expect("readable"));
        let mut journal = Journal::resume(&path, "2026-01-01T00:03:00Z").expect("resumed");
        assert!(is_stopped(), "nothing came of it yet");
        journal.record_intents([(1, &Key::new("clients", "B"), Operation::Create)].into_iter()).expect("written");
        assert!(!is_stopped());
    }

    #[test]
    fn an_outcome_still_unknown_after_a_lookup_is_unclear_until_the_change_is_sent_again() {
        let (_folder, path) = journal();
        let (key, doubt) = (Key::new("clients", "B"), Outcome::Unknown("one of two".into()));
        let unclear = || Record::load(&path).expect("a record").unclear;
        let resume = || Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
        let mut first = resume();
        first.record_outcomes([(2, &doubt, &[][..])].into_iter()).expect("written");
        assert_eq!(unclear(), BTreeSet::new(), "nothing was known of it before, and the other one is not looked up yet");
        first.record_outcomes([(1, &doubt, &[][..])].into_iter()).expect("written");
        assert_eq!(unclear(), BTreeSet::from([1]));
        resume().record_outcomes([(1, &doubt, &[][..]), (2, &doubt, &[][..])].into_iter()).expect("written");
        assert_eq!(unclear(), BTreeSet::from([1, 2]));
        resume().record_intents([(1, &key, Operation::Create)].into_iter()).expect("written");
        assert_eq!(unclear(), BTreeSet::from([2]));
    }

    #[test]
    fn a_partial_outcome_is_still_partial_when_read_again() {
        let (_folder, path) = journal();
        let short = || Shortfall { parts: vec!["token_quota".into()], message: "the plan lacks it".into() };
        let partial = Outcome::Partial(Id::new("c2"), short());
        let mut journal = Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
        journal.record_outcomes([(1, &partial, &[][..])].into_iter()).expect("written");
        assert_eq!(Record::load(&path).expect("a record").outcomes[&1], partial);
        let known = Journal::resume(&path, "2026-01-01T00:02:00Z").expect("resumed").known(1).cloned();
        assert_eq!(known, Some(JournaledOutcome::Partial(Id::new("c2"), short())));
    }

    #[test]
    fn a_journal_of_an_older_version_without_parts_can_be_read() {
        let (_folder, path) = journal();
        let line = "{\"entry\":\"applied\",\"change\":1,\"id\":\"c2\",\"without\":\"without x: no\"}\n";
        fs::write(&path, fs::read_to_string(&path).expect("read") + line).expect("written");
        let short = Shortfall { parts: Vec::new(), message: "without x: no".into() };
        assert_eq!(Record::load(&path).expect("a record").outcomes[&1], Outcome::Partial(Id::new("c2"), short));
    }

    #[test]
    fn a_broken_line_in_the_middle_is_refused_with_its_number() {
        let (_folder, path) = journal();
        let text = fs::read_to_string(&path).expect("read").replacen("\"intent\"", "\"intnt\"", 1);
        fs::write(&path, text).expect("written");
        let refused = Journal::resume(&path, "2026-01-01T00:01:00Z").expect_err("refused").to_string();
        assert!(refused.contains("is broken in line 2, column 16: unknown variant `intnt`"), "{refused}");
    }
}
