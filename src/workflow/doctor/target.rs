//! Checks of a target that need no answer of it: mapping, secrets, lock and unfinished runs.

use std::collections::BTreeSet;

use crate::config::TenantSettings;
use crate::diagnostic::Diagnostic;
use crate::files::LockHolder;
use crate::mapping::{Effect, Mapping};
use crate::model::checkup::{Check, CheckSubject};
use crate::model::unmatched_rule::UnmatchedRule;
use crate::snapshot::store;
use crate::workflow::environment::Environment;
use crate::workflow::error::Error;
use crate::workflow::lock::lock_holder;
use crate::workflow::mapping_check::{unmatched_on_disk, value_findings};
use crate::workflow::unfinished::unfinished_on;

/// The number of rules that are named.
const NAMED: usize = 3;

/// Checks a target without asking it.
pub(super) fn checks(environment: &Environment, target: &TenantSettings) -> Vec<Check> {
    let mut checks = mapping(environment, target);
    checks.push(lock(&lock_holder(environment.settings(), target), &target.name));
    checks.push(runs(environment, target));
    checks
}

fn mapping(environment: &Environment, target: &TenantSettings) -> Vec<Check> {
    let Some(path) = &target.mapping else {
        return vec![Check::ok(CheckSubject::Mapping, "none: every value is copied as it is")];
    };
    let correct = "correct the mapping, then run `migrate validate`";
    let checked = Mapping::load(environment.catalog, path).and_then(|mapping| Ok((value_findings(environment, path, &mapping)?, mapping)));
    let (findings, mapping) = match checked {
        Ok(checked) => checked,
        Err(error) => return vec![Check::failure(CheckSubject::Mapping, one_line(&error), correct)],
    };
    let rules = count(mapping.rules.len(), "rule");
    let shown = path.display();
    let check = match (findings.as_slice(), unmatched(environment, &mapping, target)) {
        ([first, rest @ ..], _) => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            Check::failure(CheckSubject::Mapping, format!("{}{more}", mistake(first)), correct)
        }
        ([], Unmatched::Unknown(why)) => Check::ok(CheckSubject::Mapping, format!("{shown}: {rules}; {why}")),
        ([], Unmatched::Rules(unmatched)) => of_unmatched(&format!("{shown}: {rules}"), &unmatched),
    };
    vec![check, secrets(&mapping, &|from| environment.outside(from).is_some())]
}

/// The rules that match nothing, or why they are not known.
enum Unmatched {
    Rules(Vec<UnmatchedRule>),
    Unknown(String),
}

fn unmatched(environment: &Environment, mapping: &Mapping, target: &TenantSettings) -> Unmatched {
    let Some(source) = &target.source else {
        return Unmatched::Unknown("without a source, rules that match nothing are not known".to_owned());
    };
    match unmatched_on_disk(environment, mapping, source, target) {
        Ok(rules) => Unmatched::Rules(rules),
        Err(Error::Snapshot(store::Error::None { .. })) => {
            Unmatched::Unknown(format!("there is no snapshot of {source} yet, so rules that match nothing are not known"))
        }
        Err(error) => Unmatched::Unknown(format!("rules that match nothing are not known: {}", one_line(&error))),
    }
}

fn of_unmatched(fact: &str, unmatched: &[UnmatchedRule]) -> Check {
    if unmatched.is_empty() {
        return Check::ok(CheckSubject::Mapping, format!("{fact}, each of which matches something in the newest snapshot"));
    }
    let named: Vec<String> = unmatched.iter().take(NAMED).map(ToString::to_string).collect();
    let more = unmatched.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let fact = format!("{fact}, of which {} in the newest snapshot: {}{more}", matches_nothing(unmatched.len()), named.join("; "));
    Check::warning(CheckSubject::Mapping, fact, "correct or remove what matches nothing; `migrate validate --strict` lists all")
}

fn matches_nothing(rules: usize) -> String {
    if rules == 1 { "1 matches nothing".to_owned() } else { format!("{rules} match nothing") }
}

/// Checks whether the secrets that a mapping names are there.
fn secrets(mapping: &Mapping, is_there: &dyn Fn(&str) -> bool) -> Check {
    let named = mapping.rules.iter().filter_map(|rule| if let Effect::Secret(from) = &rule.effect { Some(from.as_str()) } else { None });
    let named: BTreeSet<&str> = named.collect();
    let missing: Vec<&str> = named.iter().copied().filter(|from| !is_there(from)).collect();
    match (named.len(), missing.as_slice()) {
        (0, _) => Check::ok(CheckSubject::Secrets, "the mapping needs none"),
        (count, []) => Check::ok(CheckSubject::Secrets, format!("{count} of {count} that the mapping needs are there")),
        (count, missing) => Check::failure(
            CheckSubject::Secrets,
            format!("{} of {count} that the mapping needs are missing: {}", missing.len(), missing.join(", ")),
            "set the variables in the environment or in .env, and write each file with nothing but its secret",
        ),
    }
}

fn lock(state: &Result<LockHolder, Error>, target: &str) -> Check {
    match state {
        Ok(LockHolder::Nobody) => Check::ok(CheckSubject::Lock, "free"),
        Ok(LockHolder::Dead(holder)) => {
            Check::ok(CheckSubject::Lock, format!("free; a run that died held it, and the next one takes it over: {holder}"))
        }
        Ok(LockHolder::Running(holder)) => Check::warning(
            CheckSubject::Lock,
            format!("held by another run: {holder}"),
            format!("wait until it has finished, or let a run on {target} wait with --lock-timeout 10m"),
        ),
        Err(error) => {
            Check::failure(CheckSubject::Lock, one_line(error), "set XDG_STATE_HOME to a folder that this user can read and write")
        }
    }
}

fn runs(environment: &Environment, target: &TenantSettings) -> Check {
    let unfinished = unfinished_on(environment, target);
    let names: Vec<&str> = unfinished.iter().map(|run| run.name.as_str()).collect();
    match names[..] {
        [] => Check::ok(CheckSubject::Runs, "none is unfinished"),
        [first, ..] => Check::warning(
            CheckSubject::Runs,
            format!("unfinished: {}", names.join(", ")),
            format!("`migrate show {first}` shows what is left, `migrate import --tenant {} --resume {first}` resumes it", target.name),
        ),
    }
}

/// Returns an error and its causes in one line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = first_line(&error.to_string());
    let mut next = error.source();
    while let Some(source) = next {
        line = format!("{line}: {}", first_line(&source.to_string()));
        next = source.source();
    }
    line
}

/// Returns what is wrong at a position in a file, with the position.
fn mistake(finding: &Diagnostic) -> String {
    first_line(&finding.to_string())
}

/// Returns a text in one line: what is wrong, and where, of the picture of a position in a file.
fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let what = lines.next().unwrap_or_default();
    match lines.find_map(|line| line.trim_start().strip_prefix("--> ")) {
        Some(place) => format!("{place}: {what}"),
        None => what.to_owned(),
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
