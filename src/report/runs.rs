//! Runs that were: a line each, or one of them whole.

use serde_json::{Value, json};

use super::json::{plan_json, summary_json};
use super::paint::{TITLE, painted};
use super::summary::{EndedRun, summary};
use super::table::Table;
use super::text::plan;
use super::words::{number, printable};
use crate::apply::Tally;

/// A run in a list.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'run> {
    /// Its name.
    pub name: &'run str,
    /// What its files tell; nothing where they cannot be read.
    pub told: Option<Told<'run>>,
}

/// What the files of a run tell of it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'run> {
    /// Where its settings came from.
    pub source: &'run str,
    /// Where they went.
    pub target: &'run str,
    /// When it began.
    pub begun: &'run str,
    /// How its changes ended.
    pub tally: Tally,
    /// Whether all of them are in the target.
    pub is_ended: bool,
}

impl Told<'_> {
    /// Returns how many changes are in the target, were refused, and are left.
    fn counts(&self) -> [usize; 3] {
        let Tally { applied, reduced, failed, skipped, in_doubt, unsent } = self.tally;
        [applied + reduced, failed, skipped + in_doubt + unsent]
    }
}

/// Returns runs as a table.
pub fn runs(all: &[Listed<'_>]) -> String {
    if all.is_empty() {
        return "There was no run yet.\n".to_owned();
    }
    let mut table = Table::new(&["run", "from", "to", "begun", "applied", "refused", "left", ""]);
    for run in all {
        let Some(told) = &run.told else {
            let blank = || String::new();
            table.row([run.name.to_owned(), blank(), blank(), blank(), blank(), blank(), blank(), "its files cannot be read".to_owned()]);
            continue;
        };
        let [applied, failed, left] = told.counts().map(number);
        let state = if told.is_ended { "ended" } else { "can be resumed" };
        let [source, target, begun] = [told.source, told.target, told.begun].map(str::to_owned);
        table.row([run.name.to_owned(), source, target, begun, applied, failed, left, state.to_owned()]);
    }
    table.text()
}

/// Returns runs as JSON.
pub fn runs_json(all: &[Listed<'_>], exit: u8) -> Value {
    let row = |run: &Listed<'_>| match &run.told {
        None => json!({"run": run.name, "is_readable": false}),
        Some(told) => {
            let [applied, failed, left] = told.counts();
            json!({
                "run": run.name, "is_readable": true, "source": told.source, "target": told.target, "begun": told.begun,
                "applied": applied, "failed": failed, "left": left, "is_ended": told.is_ended,
            })
        }
    };
    json!({"runs": all.iter().map(row).collect::<Vec<_>>(), "exit": exit})
}

/// Returns what a run was to do and how it ended, as styled text.
pub fn shown(run: &EndedRun<'_>, begun: &str) -> String {
    let heading = painted(TITLE, format!("Begun {}. It was to do this:", printable(begun)));
    let ended = painted(TITLE, "How it ended");
    format!("{heading}\n\n{}\n{ended}\n\n{}", plan(run.plan, &[], ""), summary(run))
}

/// Returns the same as JSON: the `plan` as a dry run shows it, and how each change ended.
pub fn shown_json(run: &EndedRun<'_>, begun: &str, exit: u8) -> Value {
    let mut shown = summary_json(run, exit);
    if let Value::Object(fields) = &mut shown {
        // What it cost is in no journal.
        fields.retain(|name, _| !["seconds", "requests", "waited_seconds"].contains(&name.as_str()));
        fields.insert("begun".to_owned(), begun.into());
        fields.insert("plan".to_owned(), plan_json(run.plan, &[], exit));
    }
    shown
}
