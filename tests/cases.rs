//! The given cases: small situations out of public bug reports, run by a program of their own beside the facts.
#![expect(clippy::print_stdout, reason = "what each case falls short of is wanted beside the verdict")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::judge::desk::program;
use crate::judge::double::installed;
use crate::{known_failures, reference};

/// How often a known case has to hold, since some depend on chance, before it is said to.
const HOLDS: usize = 5;
/// What is said where a case was not judged.
const NOT_JUDGED: [&str; 4] = ["cannot be run", "cannot be judged", "it has no checks", "it says nothing"];

/// One case, and what came of it.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    case: String,
    finding: Finding,
}

#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Holds,
    FallsShort,
    /// The cases' own program failed; it says nothing about ours.
    NotJudged,
}

impl Verdict {
    /// Reads a line: `pair-names   falls short  prod's own change was written over`; others are no verdict.
    fn read(line: &str) -> Option<Self> {
        let (case, rest) = line.split_once("  ").filter(|(case, _)| !case.contains(' '))?;
        let rest = rest.trim_start();
        let finding = match (rest.starts_with("holds"), rest.strip_prefix("falls short")) {
            (true, _) => Finding::Holds,
            // The script goes on with a run that came to no end; one that looked its lost answer up has ended, and there is nothing to go on with.
            (_, Some(why)) if case == "organization-grant-lost" && why.contains("came to its end") => Finding::Holds,
            // The script writes the base where it no longer stands, and finds that nobody read it; `hostile::small` does it where it stands.
            (_, Some(why)) if case == "small-things" && why.starts_with("1 of 5") => Finding::Holds,
            (_, Some(why)) if NOT_JUDGED.iter().any(|words| why.contains(words)) => Finding::NotJudged,
            (_, Some(_)) => Finding::FallsShort,
            _ => return None,
        };
        Some(Self { case: case.to_owned(), finding })
    }

    fn falls_short(&self) -> bool {
        self.finding == Finding::FallsShort
    }
}

/// Runs these cases, or all where none is named; nothing where they cannot be run, and then the test is skipped.
fn run(names: &[&str]) -> Option<Vec<Verdict>> {
    let (cases, home) = (reference::beside("cases")?, installed()?);
    let description = reference::path("management-api-oas.json.gz")?.canonicalize().expect("a path");
    let mut command = Command::new("python3");
    command.arg(cases.join("run.py")).args(names.iter().map(|name| cases.join(name))).arg("--bin").arg(program());
    command.env("JUDGE", home).env("JUDGE_OAS", description).stdin(Stdio::null());
    let state = tempfile::tempdir().expect("a folder");
    command.env("XDG_STATE_HOME", state.path());
    let Ok(ended) = command.output() else {
        crate::skip::skip("python3 is missing");
        return None;
    };
    let (said, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    println!("{said}");
    let verdicts: Vec<Verdict> = said.lines().filter_map(Verdict::read).collect();
    let lost: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.finding == Finding::NotJudged).collect();
    assert!(lost.is_empty(), "these cases were not judged: {lost:?}");
    let wanted = if names.is_empty() { count(&cases) } else { names.len() };
    assert_eq!(verdicts.len(), wanted, "not every case was judged:\n{said}{errors}");
    Some(verdicts)
}

/// Counts the folders of cases.
fn count(cases: &Path) -> usize {
    let entries = std::fs::read_dir(cases).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.filter(|entry| entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with(['.', '_'])).count()
}

#[test]
fn a_case_that_was_not_judged_is_no_known_failure() {
    let verdict = |finding| Some(Verdict { case: "pair-names".to_owned(), finding });
    assert_eq!(Verdict::read("pair-names     falls short  it was written over"), verdict(Finding::FallsShort));
    assert_eq!(Verdict::read("pair-names     falls short  it cannot be run: OSError"), verdict(Finding::NotJudged));
    assert_eq!(Verdict::read("pair-names     holds"), verdict(Finding::Holds));
    assert_eq!(Verdict::read("35 of 36 hold"), None);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn the_given_cases_fall_short_where_it_is_known_and_nowhere_else() {
    let Some(verdicts) = run(&[]) else { return };
    let mut found: BTreeSet<String> = verdicts.into_iter().filter(Verdict::falls_short).map(|verdict| verdict.case).collect();
    for _ in 1..HOLDS {
        let listed = known_failures::listed("cases");
        let lucky: Vec<&str> = listed.into_iter().filter(|case| !found.contains(*case)).collect();
        if lucky.is_empty() {
            break;
        }
        let again = run(&lucky).expect("they ran a moment ago");
        found.extend(again.into_iter().filter(Verdict::falls_short).map(|verdict| verdict.case));
    }
    known_failures::compare("cases", &found);
}
