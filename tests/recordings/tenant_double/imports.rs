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

/// The value of the secret in the demo's mapping.
const SUPPLIED: &str = "supplied";

/// One run of the program.
type Run = fn(&Project) -> Ended;

/// The commands of a typical first day.
const STEPS: [(&str, Run); 4] =
    [("export", Project::export), ("plan", Project::plan), ("import", Project::import), ("import again", Project::import)];

/// Accepted exit codes: everything was applied, or the report lists what was not, which the state then shows.
const ENDS: [i32; 2] = [0, 3];

/// The exit code of a plan that needs an approval, which the import then gives.
const REFUSED: i32 = 4;

/// The result of a pair.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) name: String,
    requests: usize,
    refused: BTreeSet<String>,
    differences: Vec<Difference>,
    /// The exit code of each run.
    codes: Vec<i32>,
    /// Errors of the runs.
    runs: BTreeSet<String>,
    /// Values that a run reports as returned differently from what was sent.
    altered: BTreeMap<String, String>,
}

impl Outcome {
    /// Returns its row of the table.
    fn row(&self) -> String {
        let refused = without(REFUSALS, self.refused.iter().map(String::as_str));
        let differing: BTreeSet<&str> = self.differences.iter().map(|difference| difference.line.as_str()).collect();
        let differing = without(STATES, differing).len();
        let runs = self.runs.iter().map(|line| line.split(": ").nth(1).unwrap_or(line)).collect::<Vec<_>>().join(", ");
        let (name, requests, refused, codes) = (&self.name, self.requests, refused.len(), &self.codes);
        format!("{name:72} {requests:5} requests, {refused} kinds of 400, {differing:2} states differ, ended with {codes:?} {runs}")
    }
}

/// Two doubles that are loaded with one pair after another.
pub(super) struct DoublePair {
    pub(super) source: Double,
    pub(super) target: Double,
}

impl DoublePair {
    /// Starts both; `None` if the double is not available.
    pub(super) fn start() -> Option<Self> {
        Some(Self { source: Double::start()?, target: Double::start()? })
    }

    /// Loads both with the tenants of a pair, and creates a working folder.
    pub(super) fn load(&self, pair: &Pair) -> Project {
        self.source.load(&pair.source);
        self.target.load(&pair.target);
        self.project(pair)
    }

    /// Creates a working folder for the tenants that are loaded.
    pub(super) fn project(&self, pair: &Pair) -> Project {
        let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
        let more = if pair.is_mapped { format!("mapping = \"{}\"\n", mapping.display()) } else { String::new() };
        let mut project = Project::between(&self.source, &self.target, &more);
        project.set("PROD_GOOGLE_SECRET", SUPPLIED);
        project
    }

    /// Runs the commands of a typical first day for a pair.
    fn copy(&self, pair: &Pair, templates: &Templates) -> Outcome {
        let project = self.load(pair);
        let single = self.source.single().into_iter().chain(self.target.single()).collect();
        let (source, before) = (self.source.answered(&single), self.target.answered(&single));
        let mut outcome = Outcome { name: pair.name.clone(), ..Outcome::default() };
        for (step, run) in STEPS {
            let ended = run(&project);
            outcome.codes.push(ended.code);
            let only_planned = step == "plan" && ended.code == REFUSED;
            if !ENDS.contains(&ended.code) && !only_planned {
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

    /// Records the requests to both and their refusals; returns the requests to the target.
    fn heard(&self, outcome: &mut Outcome, templates: &Templates) -> Vec<Request> {
        let of_source = self.source.requests();
        let of_target = self.target.requests();
        outcome.requests += of_source.len() + of_target.len();
        outcome.refused.extend(refusals(&self.source, &of_source, templates));
        outcome.refused.extend(refusals(&self.target, &of_target, templates));
        of_target
    }
}

/// The results of all pairs.
#[derive(Default)]
struct Docket(Vec<Outcome>);

impl Docket {
    /// Compares all findings with the list of known failures, and prints them.
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

/// Copies these pairs one after another, with two doubles of their own.
fn copied(pairs: &[Pair], templates: &Templates) -> Vec<Outcome> {
    let doubles = DoublePair::start().expect("the judge is installed");
    pairs.iter().map(|pair| doubles.copy(pair, templates)).collect()
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn imports_of_every_recorded_tenant_have_only_known_differences() {
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
