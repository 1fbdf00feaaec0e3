//! Imports into a failing tenant, and imports by a program that is killed: the target ends up as after an undisturbed import.
#![expect(clippy::print_stdout, reason = "what struck, and what came of it, is wanted beside the verdict")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::comparison::Comparison;
use super::exceptions::{STATES, without};
use super::imports::DoublePair;
use super::pairs::{self, Pair};
use super::process::installed;
use super::project::{Ended, IMPORT_SAVED, Project};
use crate::support::known_failures;

/// The faults of the target; probabilities are drawn per request, so that a seed always hits the same ones.
const FAULTS: &[&str] = &[
    "commitdrop@0.15/POST|PATCH|PUT|DELETE",
    "commit500@0.15/POST|PATCH|PUT|DELETE",
    "reset@0.1",
    "truncate@0.1",
    "429storm@t=0.1-1.1",
    "401@0.1",
    "html503@0.1",
];
/// The latency of each response, so that a kill hits requests in flight.
const LATENCY_MS: u64 = 3;
/// The maximum time to wait for a moment.
const PATIENCE: Duration = Duration::from_secs(600);
/// The exit codes of a finished run: everything was applied, or the report lists what was not.
const DONE: i32 = 0;
const REPORTED: i32 = 3;

/// A pair, and the result of an undisturbed import.
struct Trial<'doubles> {
    doubles: &'doubles DoublePair,
    pair: Pair,
    single: BTreeSet<String>,
    before: Value,
    undisturbed: Value,
    /// The exit codes of the import and of a second one.
    codes: (i32, i32),
    /// How much it reported as applied.
    applied: String,
    requests: u64,
}

impl<'doubles> Trial<'doubles> {
    /// Imports undisturbed. Refusals of the double are irrelevant here, so it is lenient.
    fn prepare(doubles: &'doubles DoublePair, pair: Pair) -> Self {
        doubles.target.ask("config", &json!({"validate": "off", "live": false}));
        let project = doubles.load(&pair);
        let single = doubles.source.single().into_iter().chain(doubles.target.single()).collect();
        let before = doubles.target.answered(&single);
        prepared(&project);
        doubles.target.ask("reset-stats", &json!({}));
        let ended = project.run(IMPORT_SAVED);
        assert!(is_over(&ended), "{}: {}", pair.name, ended.text);
        let requests = doubles.target.ask("stats", &json!({}))["api"].as_u64().expect("a number");
        let undisturbed = doubles.target.answered(&single);
        let codes = (ended.code, project.import().code);
        println!("{}: ends with {} and {}, {requests} requests", pair.name, codes.0, codes.1);
        Self { doubles, pair, single, before, undisturbed, codes, applied: applied(&ended), requests }
    }

    /// Reloads both tenants and saves a plan.
    fn begin(&self) -> Project {
        let project = self.doubles.load(&self.pair);
        prepared(&project);
        project
    }

    /// Returns the differences from the result of an undisturbed import.
    fn differences(&self) -> BTreeSet<String> {
        let after = self.doubles.target.answered(&self.single);
        let found = Comparison::differences(&self.undisturbed, &self.before, &after);
        without(STATES, found.iter().map(|difference| difference.line.as_str())).into_iter().map(str::to_owned).collect()
    }

    /// Imports with this fault, and returns everything that is wrong.
    fn disturbed(&self, fault: &str, seed: &str) -> BTreeSet<String> {
        let project = self.begin();
        let target = &self.doubles.target;
        target.ask("reset-stats", &json!({}));
        target.ask("faults", &json!({"spec": fault, "seed": seed}));
        let first = project.run(IMPORT_SAVED);
        let struck = target.ask("stats", &json!({}))["faults"].clone();
        target.ask("faults", &json!({"spec": ""}));
        let first_code = first.code;
        let last = if is_over(&first) { first } else { gone_on(&project) };
        let kind = fault.split('@').next().unwrap_or(fault);
        let found = self.verdict(kind, &last, &project);
        println!("{} · {kind} · seed {seed}: ended with {}, then {}, struck {struck}: {found:?}", self.pair.name, first_code, last.code);
        found
    }

    /// Kills the program when the target has received this many requests, resumes it, and returns everything that is
    /// wrong.
    fn killed(&self, asked: u64) -> BTreeSet<String> {
        let project = self.begin();
        let target = &self.doubles.target;
        target.ask("reset-stats", &json!({}));
        target.ask("config", &json!({ "latencyMs": LATENCY_MS }));
        let mut program = project.start(IMPORT_SAVED);
        let until = Instant::now() + PATIENCE;
        while program.try_wait().expect("a process").is_none() && Instant::now() < until {
            if target.ask("stats", &json!({}))["api"].as_u64() >= Some(asked) {
                break;
            }
        }
        program.kill().expect("killed, or over already");
        program.wait().expect("it ended");
        target.ask("config", &json!({ "latencyMs": 0 }));
        let last = gone_on(&project);
        let found = self.verdict("kill", &last, &project);
        println!("{} · killed at request {asked} of {}: then {}: {found:?}", self.pair.name, self.requests, last.code);
        found
    }

    /// Checks that nothing differs unless reported, that nothing exists twice, and that another import without faults
    /// repairs the rest.
    fn verdict(&self, what: &str, last: &Ended, project: &Project) -> BTreeSet<String> {
        let code = last.code;
        let mut found = BTreeSet::new();
        if code != DONE && code != REPORTED {
            found.insert(format!("{what}: ended with {code}"));
        }
        // If an undisturbed import reports something too, this one must have reported more.
        let is_reported = code == REPORTED && (self.codes.0 == DONE || applied(last) != self.applied);
        let is_serious = |line: &String| !is_reported || line.ends_with("twice") || line.ends_with("in neither tenant");
        let left = self.differences();
        found.extend(left.iter().filter(|line| is_serious(line)).map(|line| format!("{what}: {line}")));
        let calm = project.import();
        if calm.code != self.codes.1 {
            found.insert(format!("{what}: an import in calm ends with {}", calm.code));
        }
        let new = self.differences().into_iter().filter(|line| !left.contains(line) || !is_serious(line));
        found.extend(new.map(|line| format!("{what}, and an import in calm: {line}")));
        found
    }
}

fn prepared(project: &Project) {
    let exported = project.export();
    assert!(is_over(&exported), "{}", exported.text);
    let planned = project.run("plan --tenant prod --quiet --out looked-at.plan");
    assert_eq!(planned.code, DONE, "{}", planned.text);
}

fn is_over(ended: &Ended) -> bool {
    [DONE, REPORTED].contains(&ended.code)
}

/// Returns `Applied 30 of 35 changes` from the output of a run.
fn applied(ended: &Ended) -> String {
    let line = ended.text.lines().find(|line| line.starts_with("Applied ")).unwrap_or_default();
    line.split(" to ").next().unwrap_or_default().to_owned()
}

/// Resumes an interrupted run; if none had started, starts a new one.
fn gone_on(project: &Project) -> Ended {
    let resumed = project.resume();
    if is_over(&resumed) { resumed } else { project.import() }
}

/// Tests one pair with each fault and this many seeds, and with this many kills.
fn tried(pair: Pair, seeds: u64, kills: u64) -> BTreeSet<String> {
    let doubles = DoublePair::start().expect("the judge is installed");
    let trial = Trial::prepare(&doubles, pair);
    let mut found = BTreeSet::new();
    for fault in FAULTS {
        (1..=seeds).for_each(|seed| found.extend(trial.disturbed(fault, &seed.to_string())));
    }
    (0..kills).for_each(|moment| found.extend(trial.killed(1 + moment * trial.requests / kills)));
    found
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn failures_and_kills_leave_the_same_as_an_undisturbed_import() {
    if installed().is_none() {
        return;
    }
    let found = std::thread::scope(|scope| {
        let first = scope.spawn(|| tried(pairs::demo(), 3, 12));
        let second = tried(pairs::one_into_empty("union"), 1, 4);
        first.join().expect("the pair was tried").into_iter().chain(second).collect()
    });
    known_failures::compare("judge-faults", &found);
}
