//! What a journal keeps of a run, and what it makes of damage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::altered_values::AlteredValue;
use super::journal::{EndedChange, Journal, JournaledOutcome, Record, is_ended};
use crate::model::event::{Operation, Outcome, Shortfall};
use crate::model::resource::{Id, key};

const LATER: &str = "2026-01-01T00:00:30Z";

fn ended<'a>(change: usize, outcome: &'a Outcome, altered: &'a [AlteredValue]) -> EndedChange<'a> {
    EndedChange { change, outcome, altered, at: Some(LATER) }
}

fn journal() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    let mut journal = Journal::begin(&path, "r1", "2026-01-01T00:00:00Z", "import").expect("begun");
    let (one, two) = (key("clients/A"), key("clients/B"));
    journal.record_intents([(0, &one, Operation::Create), (1, &two, Operation::Create)].into_iter()).expect("written");
    journal.record_outcomes(&[ended(0, &Outcome::Applied(Id::new("c1")), &[])]).expect("written");
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
    journal.record_outcomes(&[ended(1, &Outcome::Applied(Id::new("c2")), &altered)]).expect("written");
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
    journal.record_intents([(1, &key("clients/B"), Operation::Create)].into_iter()).expect("written");
    assert!(!is_stopped());
}

#[test]
fn an_outcome_still_unknown_after_a_lookup_is_unclear_until_the_change_is_sent_again() {
    let (_folder, path) = journal();
    let (key, doubt) = (key("clients/B"), Outcome::Unknown("one of two".into()));
    let unclear = || Record::load(&path).expect("a record").unclear;
    let resume = || Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed");
    let mut first = resume();
    first.record_outcomes(&[ended(2, &doubt, &[])]).expect("written");
    assert_eq!(unclear(), BTreeSet::new(), "nothing was known of it before, and the other one is not looked up yet");
    first.record_outcomes(&[ended(1, &doubt, &[])]).expect("written");
    assert_eq!(unclear(), BTreeSet::from([1]));
    resume().record_outcomes(&[ended(1, &doubt, &[]), ended(2, &doubt, &[])]).expect("written");
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
    journal.record_outcomes(&[ended(1, &partial, &[])]).expect("written");
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
    assert!(refused.contains("is invalid in line 2, column 16: unknown variant `intnt`"), "{refused}");
}

#[test]
fn every_outcome_has_its_time_and_a_journal_of_an_older_version_has_none() {
    let (_folder, path) = journal();
    let old = "{\"entry\":\"failed\",\"change\":1,\"reason\":\"no\"}\n";
    fs::write(&path, fs::read_to_string(&path).expect("read") + old).expect("written");
    assert_eq!(Record::load(&path).expect("a record").times, BTreeMap::from([(0, LATER.to_owned())]));
}

#[test]
fn what_was_not_sent_though_its_intent_was_recorded_is_as_if_it_had_not_been_reached() {
    let (_folder, path) = journal();
    Journal::resume(&path, "2026-01-01T00:01:00Z").expect("resumed").record_unsent(&[1]).expect("written");
    assert_eq!(Record::load(&path).expect("a record").outcomes.keys().copied().collect::<Vec<_>>(), [0]);
    assert_eq!(Journal::resume(&path, "2026-01-01T00:02:00Z").expect("resumed").known(1), Some(&JournaledOutcome::Open));
}
