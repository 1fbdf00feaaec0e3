//! Runs that were: a line each, or one of them whole.

use serde_json::{Value, json};

use super::format::{number, printable};
use super::json::{plan_json, summary_json};
use super::style::{TITLE, painted};
use super::summary::{EndedRun, next, summary_with};
use super::table::Table;
use super::text::plan;
use crate::apply::OutcomeCounts;
use crate::plan::Plan;

/// A run in a list.
#[derive(Debug, Clone)]
pub struct Listed<'run> {
    /// Its name.
    pub name: &'run str,
    /// What its files tell; nothing where they cannot be read.
    pub told: Option<RunStatus<'run>>,
}

/// What the files of a run tell of it.
#[derive(Debug, Clone)]
pub struct RunStatus<'run> {
    /// What was meant.
    pub plan: &'run Plan,
    /// When it began.
    pub begun: &'run str,
    /// How its changes ended.
    pub tally: OutcomeCounts,
    /// Whether all of them are in the target.
    pub is_ended: bool,
    /// Whether nothing that it began is left to do.
    pub is_stopped: bool,
    /// The newest run between the same two tenants, where it began later.
    pub overtaken_by: Option<String>,
    /// The command that goes on with it.
    pub resume: String,
}

impl RunStatus<'_> {
    /// Returns how many changes are in the target, were refused, and are left.
    fn counts(&self) -> [usize; 3] {
        let OutcomeCounts { applied, partial, failed, skipped, unknown, unsent } = self.tally;
        [applied + partial, failed, skipped + unknown + unsent]
    }

    /// Returns where it stands, in a word.
    fn state(&self) -> &'static str {
        match (self.is_ended, &self.overtaken_by) {
            (true, _) => "ended",
            (false, Some(_)) => "overtaken",
            (false, None) if self.is_open() => "unfinished",
            (false, None) => "in part",
        }
    }

    /// Returns whether going on with it would do anything: what was refused is refused again, and what moved stays moved.
    fn is_open(&self) -> bool {
        !self.is_ended && (!self.is_stopped || self.tally.unsent > 0)
    }

    /// Returns what wanted it, in a word: an undo wants what was there before.
    fn wanted_by(&self) -> &str {
        if self.plan.undoes.is_some() { "(undo)" } else { &self.plan.source.tenant }
    }

    /// Returns the command that goes on with it, where it is the newest and has something left.
    fn resume(&self) -> Option<String> {
        (self.is_open() && self.overtaken_by.is_none()).then(|| self.resume.clone())
    }

    /// Returns the command that shows what is left of a run which another came after; what one update left is in its file only.
    fn replan(&self) -> Option<String> {
        let (source, target) = (&self.plan.source.tenant, &self.plan.target.tenant);
        match &self.plan.undoes {
            Some(undoes) => Some(format!("migrate undo {} --dry-run", undoes.run)),
            None if source == target => None,
            None => Some(format!("migrate plan --tenant {target} --from {source}")),
        }
    }

    /// Returns what is to be done about what it left.
    fn next(&self, run: &EndedRun<'_>) -> Option<String> {
        let newer = match &self.overtaken_by {
            Some(newer) if !self.is_ended => newer,
            _ => return next(run),
        };
        let left = self.replan().map(|command| format!("\nWhat is left of it now:  {command}")).unwrap_or_default();
        Some(format!("A later run came after it: {newer}.{left}"))
    }
}

/// Returns runs as a table, and the command that goes on with each that can be gone on with.
pub fn runs(all: &[Listed<'_>]) -> String {
    if all.is_empty() {
        return "There was no run yet.\n".to_owned();
    }
    let mut table = Table::new(&["run", "from", "to", "applied", "refused", "left", ""]);
    for run in all {
        let Some(told) = &run.told else {
            let blank = || String::new();
            table.row([run.name.to_owned(), blank(), blank(), blank(), blank(), blank(), "its files cannot be read".to_owned()]);
            continue;
        };
        let [applied, failed, left] = told.counts().map(number);
        let (source, target, state) = (told.wanted_by().to_owned(), told.plan.target.tenant.clone(), told.state().to_owned());
        table.row([run.name.to_owned(), source, target, applied, failed, left, state]);
    }
    let resumes = all.iter().filter_map(|run| Some(format!("To go on with {}:  {}\n", run.name, run.told.as_ref()?.resume()?)));
    let resumes: String = resumes.collect();
    if resumes.is_empty() { table.text() } else { format!("{}\n{resumes}", table.text()) }
}

/// Returns runs as JSON.
pub fn runs_json(all: &[Listed<'_>], exit: u8) -> Value {
    let row = |run: &Listed<'_>| match &run.told {
        None => json!({"run": run.name, "is_readable": false}),
        Some(told) => {
            let [applied, failed, left] = told.counts();
            json!({
                "run": run.name, "is_readable": true, "source": told.plan.source.tenant, "target": told.plan.target.tenant,
                "begun": told.begun, "applied": applied, "failed": failed, "left": left, "is_ended": told.is_ended,
                "overtaken_by": told.overtaken_by, "resume": told.resume(),
            })
        }
    };
    json!({"runs": all.iter().map(row).collect::<Vec<_>>(), "exit": exit})
}

/// Returns what a run was to do and how it ended, as styled text.
pub fn shown(run: &EndedRun<'_>, told: &RunStatus<'_>) -> String {
    let heading = painted(TITLE, format!("Begun {}. It was to do this:", printable(told.begun)));
    let ended = painted(TITLE, "How it ended");
    format!("{heading}\n\n{}\n{ended}\n\n{}", plan(run.plan, &[], ""), summary_with(run, told.next(run)))
}

/// Returns the same as JSON: the `plan` as a dry run shows it, and how each change ended.
pub fn shown_json(run: &EndedRun<'_>, told: &RunStatus<'_>, exit: u8) -> Value {
    let mut shown = summary_json(run, exit);
    if let Value::Object(fields) = &mut shown {
        // What it cost is in no journal.
        fields.retain(|name, _| !["seconds", "requests", "waited_seconds"].contains(&name.as_str()));
        fields.insert("begun".to_owned(), told.begun.into());
        fields.insert("overtaken_by".to_owned(), told.overtaken_by.clone().into());
        fields.insert("plan".to_owned(), plan_json(run.plan, &[], exit));
    }
    shown
}
