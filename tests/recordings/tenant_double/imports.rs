//! Export, plan, import and second import of every pair.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::comparison::{Comparison, Difference, by_line};
use super::exceptions::{REFUSALS, STATES, idle, without};
use super::pairs::{self, Pair};
use super::process::{Double, Request, installed};
use super::project::{Ended, Project};
use super::refusals::{Templates, refusals};
use crate::support::known_failures;

/// What the secret of the demo's mapping is.
const SUPPLIED: &str = "supplied";

/// One run of the program.
type Run = fn(&Project) -> Ended;

/// What people do on the first day.
const STEPS: [(&str, Run); 4] =
    [("export", Project::export), ("plan", Project::plan), ("import", Project::import), ("import again", Project::import)];

/// How a run may end: all is done, or the report names what is not; that is seen in the state.
const ENDS: [i32; 2] = [0, 3];

/// What came of a pair.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) name: String,
    requests: usize,
    refused: BTreeSet<String>,
    differences: Vec<Difference>,
    /// How each run ended.
    codes: Vec<i32>,
    /// What a run did that it should not have.
    runs: BTreeSet<String>,
    /// What a run says was answered otherwise than it was sent, with both values.
    altered: BTreeMap<String, String>,
}

impl Outcome {
    /// Returns its line of the table.
    fn row(&self) -> String {
        let refused = without(REFUSALS, self.refused.iter().map(String::as_str));
        let differing: BTreeSet<&str> = self.differences.iter().map(|difference| difference.line.as_str()).collect();
        let differing = without(STATES, differing).len();
        let runs = self.runs.iter().map(|line| line.split(": ").nth(1).unwrap_or(line)).collect::<Vec<_>>().join(", ");
        let (name, requests, refused, codes) = (&self.name, self.requests, refused.len(), &self.codes);
        format!("{name:72} {requests:5} requests, {refused} kinds of 400, {differing:2} states differ, ended with {codes:?} {runs}")
    }
}

/// Two judges that are one pair after another.
pub(super) struct DoublePair {
    pub(super) source: Double,
    pub(super) target: Double,
}

impl DoublePair {
    /// Starts both; nothing where there is no judge.
    pub(super) fn start() -> Option<Self> {
        Some(Self { source: Double::start()?, target: Double::start()? })
    }

    /// Makes them the tenants of a pair, and lays out a folder to work in.
    pub(super) fn load(&self, pair: &Pair) -> Project {
        self.source.load(&pair.source);
        self.target.load(&pair.target);
        self.project(pair)
    }

    /// Lays out a folder to work in between the tenants that the judges are.
    pub(super) fn project(&self, pair: &Pair) -> Project {
        let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
        let more = if pair.is_mapped { format!("mapping = \"{}\"\n", mapping.display()) } else { String::new() };
        let mut project = Project::between(&self.source, &self.target, &more);
        project.set("PROD_GOOGLE_SECRET", SUPPLIED);
        project
    }

    /// Runs the program through a pair, as people do on the first day.
    fn copy(&self, pair: &Pair, templates: &Templates) -> Outcome {
        let project = self.load(pair);
        let single = self.source.single().into_iter().chain(self.target.single()).collect();
        let (source, before) = (self.source.answered(&single), self.target.answered(&single));
        let mut outcome = Outcome { name: pair.name.clone(), ..Outcome::default() };
        for (step, run) in STEPS {
            let ended = run(&project);
            outcome.codes.push(ended.code);
            if !ENDS.contains(&ended.code) {
                outcome.runs.insert(format!("{}: {step} ended with {}", pair.name, ended.code));
            }
            let asked = self.heard(&mut outcome, templates);
            let mut written = asked.iter().filter(|request| request.is_write()).peekable();
            if step == "import again" && written.peek().is_some() {
                let what = if written.any(|request| request.status < 300) { "wrote" } else { "sent what had been refused" };
                outcome.runs.insert(format!("{}: {step} {what}", pair.name));
            }
        }
        outcome.altered = project.altered().into_iter().collect();
        let after = self.target.answered(&single);
        outcome.differences = Comparison::after_plans(&pair.wanted(&source), &before, &after, project.cleared());
        outcome
    }

    /// Takes down what both were asked, and what they refused; returns what the target was asked.
    fn heard(&self, outcome: &mut Outcome, templates: &Templates) -> Vec<Request> {
        let of_source = self.source.requests();
        let of_target = self.target.requests();
        outcome.requests += of_source.len() + of_target.len();
        outcome.refused.extend(refusals(&self.source, &of_source, templates));
        outcome.refused.extend(refusals(&self.target, &of_target, templates));
        of_target
    }
}

/// What came of all pairs.
#[derive(Default)]
struct Docket(Vec<Outcome>);

impl Docket {
    /// Compares all that was found with the list of known failures, and prints what it is.
    #[expect(clippy::print_stdout, reason = "the table is what the test is for, besides its verdict")]
    fn close(&self) {
        for outcome in &self.0 {
            println!("{}", outcome.row());
        }
        let altered: BTreeMap<&String, &String> = self.0.iter().flat_map(|outcome| &outcome.altered).collect();
        assert!(altered.is_empty(), "the judge keeps to what it is sent: {altered:#?}");
        let differences: Vec<Difference> = self.0.iter().flat_map(|outcome| outcome.differences.clone()).collect();
        let lines: BTreeMap<&str, (&str, usize)> = by_line(&differences);
        let differing: BTreeSet<&str> = lines.keys().copied().collect();
        let refused: BTreeSet<&str> = self.0.iter().flat_map(|outcome| &outcome.refused).map(String::as_str).collect();
        let idle = [idle(STATES, &differing), idle(REFUSALS, &refused)].concat();
        assert!(idle.is_empty(), "exceptions that nothing needs:\n{}", idle.join("\n"));
        let (states, refused) = (owned(&without(STATES, differing)), owned(&without(REFUSALS, refused)));
        let runs: BTreeSet<String> = self.0.iter().flat_map(|outcome| outcome.runs.clone()).collect();
        for line in &states {
            let (seen, times) = lines[line.as_str()];
            println!("state {line}  ({times} times, as {seen})");
        }
        for line in refused.iter().chain(&runs) {
            println!("found {line}");
        }
        known_failures::compare("judge-refusals", &refused);
        known_failures::compare("judge-states", &states);
        known_failures::compare("judge-runs", &runs);
    }
}

fn owned(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Copies these pairs one after another in front of two judges of their own.
fn copied(pairs: &[Pair], templates: &Templates) -> Vec<Outcome> {
    let doubles = DoublePair::start().expect("the judge is installed");
    pairs.iter().map(|pair| doubles.copy(pair, templates)).collect()
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn every_recorded_tenant_is_copied_before_a_judge_who_finds_only_what_is_known() {
    let (Some(_), Some(templates)) = (installed(), Templates::read()) else { return };
    let mut others = pairs::into_another();
    others.push(pairs::demo());
    let empties = pairs::into_empty();
    let outcomes = std::thread::scope(|scope| {
        let first = scope.spawn(|| copied(&empties, &templates));
        let second = copied(&others, &templates);
        first.join().expect("no pair failed").into_iter().chain(second).collect()
    });
    Docket(outcomes).close();
}
