//! An unfinished run: what is applied of it, what has an unknown outcome, and what is left.

use super::format::{count, named, names, number, printable};
use super::run_report::RunState;
use crate::apply::Summary;
use crate::model::event::{Operation, Outcome};
use crate::model::resource::Key;
use crate::plan::{Change, Plan};

/// Names that are shown of changes that are alike.
const NAMES: usize = 3;

/// A run that has not ended, as its files tell of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnfinishedRun<'run> {
    /// Its name.
    pub(crate) name: &'run str,
    /// When it began: RFC 3339, UTC.
    pub(crate) begun: &'run str,
    /// What it was to do.
    pub(crate) plan: &'run Plan,
    /// What came of it so far.
    pub(crate) summary: &'run Summary,
}

/// Returns the sentence that there is an unfinished run.
pub(crate) fn unfinished(run: UnfinishedRun<'_>) -> String {
    let UnfinishedRun { name, begun, summary, .. } = run;
    format!("Run {name} was started at {} and is unfinished: {}.", printable(begun), RunState::new(summary))
}

/// Returns what is left of a run before it is resumed; names are folded as in a plan.
pub(crate) fn remaining(run: UnfinishedRun<'_>) -> String {
    let UnfinishedRun { name, begun, plan, summary } = run;
    let (mut applied, mut unknown, mut left) = (0, Vec::new(), Vec::new());
    for (at, change) in plan.changes().enumerate() {
        match summary.result_of(at).map(|result| &result.outcome) {
            Some(Outcome::Applied(_) | Outcome::Partial(..)) => applied += 1,
            Some(Outcome::Unknown(_)) => unknown.push(change),
            Some(Outcome::Failed(_) | Outcome::Skipped(_)) | None => left.push(change),
        }
    }
    let total = count(plan.changes().count(), "change");
    let mut text = format!("Run {name}, started at {}\n  {} of {total} applied\n", printable(begun), number(applied));
    for (changes, what) in [(unknown, "with unknown outcome, looked up first"), (left, "left to do")] {
        if !changes.is_empty() {
            text.extend(["  ", &number(changes.len()), " ", what, "\n", &lines(&changes)]);
        }
    }
    text
}

/// Returns a line for each kind and operation, in the order of the plan.
fn lines(changes: &[&Change]) -> String {
    let mut groups: Vec<(Operation, Vec<&Key>)> = Vec::new();
    for change in changes {
        let (operation, key) = (change.operation(), &change.key);
        match groups.iter_mut().find(|(of, keys)| *of == operation && keys[0].kind() == key.kind()) {
            Some((_, keys)) => keys.push(key),
            None => groups.push((operation, vec![key])),
        }
    }
    let line = |(operation, keys): (Operation, Vec<&Key>)| match &keys[..] {
        [key] => format!("    {} {}\n", sign(operation), named(key)),
        _ => format!("    {} {} {}: {}\n", sign(operation), number(keys.len()), keys[0].kind().name, names(keys.iter().copied(), NAMES)),
    };
    groups.into_iter().map(line).collect()
}

fn sign(operation: Operation) -> char {
    match operation {
        Operation::Create => '+',
        Operation::Update => '~',
        Operation::Delete => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{plan, summary};

    fn run<'run>(plan: &'run Plan, summary: &'run Summary) -> UnfinishedRun<'run> {
        UnfinishedRun { name: "2026-11-25T06-32-27.000Z-prod", begun: "2026-11-25T06:32:27Z", plan, summary }
    }

    fn ordered() -> Summary {
        let mut summary = summary();
        summary.settled.sort_by_key(|result| result.index);
        summary
    }

    #[test]
    fn what_is_left_is_told_by_kind_and_operation() {
        insta::assert_snapshot!(remaining(run(&plan(), &ordered())), @r#"
        Run 2026-11-25T06-32-27.000Z-prod, started at 2026-11-25T06:32:27Z
          1 of 5 changes applied
          1 with unknown outcome, looked up first
            ~ clients of connection "google-oauth2"
          3 left to do
            + client "Billing API"
            + grant "Billing API · https://⟨tenant⟩/api/v2/ · client"
            ~ client "Billing API"
        "#);
    }

    #[test]
    fn an_unfinished_run_is_told_in_one_sentence() {
        let told = "Run 2026-11-25T06-32-27.000Z-prod was started at 2026-11-25T06:32:27Z and is unfinished: applied 1 of 5 changes; 1 failed, 1 with \
                    unknown outcome, 1 skipped and 1 not sent.";
        assert_eq!(unfinished(run(&plan(), &ordered())), told);
    }
}
