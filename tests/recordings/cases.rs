//! External cases: small situations from public bug reports, run by a separate program that comes with the facts about Auth0.
#![expect(clippy::print_stdout, reason = "what each case falls short of is wanted beside the verdict")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::recordings::tenant_double::process::installed;
use crate::recordings::tenant_double::project::program;
use crate::support::{auth0_reference, known_failures};

/// How often a known failure must pass before it counts as fixed, since some cases depend on chance.
const HOLDS: usize = 5;
/// Steps of a script that fail because it expects an earlier location of a file; all others must pass.
/// `hostile_input::edge_cases` has equivalents of each.
///
/// `small-things` empties the base in `base/`, which is no longer used, and finds that nothing happened.
const STEPS_OF_ANOTHER_PLACE: [(&str, &str, usize); 1] =
    [("small-things", "a base that is empty beside links is as one that is missing", 5)];
/// Messages for a case that was not judged.
const NOT_JUDGED: [&str; 4] = ["cannot be run", "cannot be judged", "it has no checks", "it says nothing"];

/// The result of one case.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    case: String,
    finding: Finding,
}

#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Holds,
    FallsShort,
    /// The external program itself failed, which says nothing about ours.
    NotJudged,
}

impl Verdict {
    /// Parses a line: `pair-names   falls short  prod's own change was written over`; other lines are ignored.
    fn read(line: &str) -> Option<Self> {
        let (case, rest) = line.split_once("  ").filter(|(case, _)| !case.is_empty() && !case.contains(' '))?;
        let rest = rest.trim_start();
        let finding = match (rest.starts_with("holds"), rest.strip_prefix("falls short")) {
            (true, _) => Finding::Holds,
            // The script resumes an unfinished run; a run that resolved its lost response is finished and has nothing
            // to resume.
            (_, Some(why)) if case == "organization-grant-lost" && why.contains("has already finished") => Finding::Holds,
            (_, Some(why)) if NOT_JUDGED.iter().any(|words| why.contains(words)) => Finding::NotJudged,
            (_, Some(_)) => Finding::FallsShort,
            _ => return None,
        };
        Some(Self { case: case.to_owned(), finding })
    }

    /// Parses the complete output: the results, each with the steps of its script.
    fn read_all(said: &str) -> Vec<Self> {
        let mut verdicts: Vec<(Self, Vec<&str>)> = Vec::new();
        for line in said.lines() {
            match (Self::read(line), line.strip_prefix("    "), verdicts.last_mut()) {
                (Some(verdict), ..) => verdicts.push((verdict, Vec::new())),
                (None, Some(step), Some((_, steps))) => steps.push(step),
                _ => {}
            }
        }
        verdicts.into_iter().map(|(verdict, steps)| verdict.judged_by(&steps)).collect()
    }

    /// Corrects the result of a script whose only failed step is one of those that expect an earlier location.
    fn judged_by(mut self, steps: &[&str]) -> Self {
        let Some((_, excused, count)) = STEPS_OF_ANOTHER_PLACE.iter().find(|(case, ..)| *case == self.case) else { return self };
        let (held, failed): (Vec<&str>, Vec<&str>) =
            steps.iter().filter(|step| step.starts_with("ok ") || step.starts_with("broken ")).partition(|step| step.starts_with("ok "));
        let is_excused = |step: &&str| step.trim_start_matches("broken ").starts_with(excused);
        if self.falls_short() && failed.len() == 1 && failed.iter().all(is_excused) && held.len() == count - 1 {
            self.finding = Finding::Holds;
        }
        self
    }

    fn falls_short(&self) -> bool {
        self.finding == Finding::FallsShort
    }
}

/// Runs these cases, or all if none is given; `None` if they cannot be run, and the test is then skipped.
fn run(names: &[&str]) -> Option<Vec<Verdict>> {
    let (cases, home) = (auth0_reference::beside("cases")?, installed()?);
    let description = auth0_reference::path("management-api-oas.json.gz")?.canonicalize().expect("a path");
    let mut command = Command::new("python3");
    command.arg(cases.join("run.py")).args(names.iter().map(|name| cases.join(name))).arg("--verbose").arg("--bin").arg(program());
    command.env("JUDGE", home).env("JUDGE_OAS", description).stdin(Stdio::null());
    let state = tempfile::tempdir().expect("a folder");
    command.env("XDG_STATE_HOME", state.path());
    let Ok(ended) = command.output() else {
        crate::support::skip::skip("python3 is missing");
        return None;
    };
    let (said, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    println!("{said}");
    let verdicts = Verdict::read_all(&said);
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
fn an_unjudged_case_is_not_a_known_failure() {
    let verdict = |finding| Some(Verdict { case: "pair-names".to_owned(), finding });
    assert_eq!(Verdict::read("pair-names     falls short  it was written over"), verdict(Finding::FallsShort));
    assert_eq!(Verdict::read("pair-names     falls short  it cannot be run: OSError"), verdict(Finding::NotJudged));
    assert_eq!(Verdict::read("pair-names     holds"), verdict(Finding::Holds));
    assert_eq!(Verdict::read("35 of 36 hold"), None);
}

#[test]
fn only_the_step_that_expects_an_earlier_location_is_excused() {
    let base = "broken a base that is empty beside links is as one that is missing (0)";
    let finding = |steps: [&str; 5]| {
        let steps = steps.map(|step| format!("    {step}\n")).concat();
        let said =
            format!("small-things  falls short  1 of 5\n{steps}    broken: 1 of 5\nundo-of-removals  holds\n    holds: all\n2 of 2 hold");
        let mut verdicts = Verdict::read_all(&said);
        assert_eq!(verdicts.len(), 2, "{verdicts:?}");
        verdicts.remove(0).finding
    };
    assert_eq!(finding(["ok     a", "ok     b", base, "ok     d", "ok     e"]), Finding::Holds);
    assert_eq!(finding(["ok     a", "broken b", "ok     c", "ok     d", "ok     e"]), Finding::FallsShort);
    assert_eq!(finding(["ok     a", "broken b", base, "ok     d", "ok     e"]), Finding::FallsShort);
    assert_eq!(finding(["ok     a", base, "ok     d", "ok     e", ""]), Finding::FallsShort);
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn the_external_cases_fail_only_where_known() {
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
