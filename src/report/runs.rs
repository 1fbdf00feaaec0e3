//! Renders past runs: a list, or one run with all details.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::document::Document;
use super::format::{number, printable};
use super::json::{RunFields, answer, plan_json};
use super::layout::Layout;
use super::plan_document::{PlanView, plan};
use super::run_document::next_step;
use super::run_report::RunReport;
use super::style::{TITLE, styled};
use super::table::Table;
use crate::apply::OutcomeCounts;
use crate::plan::{Plan, VerifiedWrites};

/// An entry in the list of runs.
#[derive(Debug, Clone)]
pub(crate) struct RunEntry<'run> {
    /// Its name.
    pub(crate) name: &'run str,
    /// Its status; `None` if its files cannot be read.
    pub(crate) status: Option<RunStatus<'run>>,
}

/// The status of a run, read from its files.
#[derive(Debug, Clone)]
pub(crate) struct RunStatus<'run> {
    /// The plan.
    pub(crate) plan: &'run Plan,
    /// When it started: RFC 3339, UTC.
    pub(crate) begun: &'run str,
    /// The number of changes by outcome.
    pub(crate) tally: OutcomeCounts,
    /// Whether all changes were applied.
    pub(crate) is_ended: bool,
    /// Whether the run stopped with all outcomes known.
    pub(crate) is_stopped: bool,
    /// The newest run between the same two tenants, if it started later.
    pub(crate) superseded_by: Option<String>,
    /// The command that resumes it.
    pub(crate) resume: String,
}

impl RunStatus<'_> {
    /// Returns the numbers of applied, failed and remaining changes.
    fn counts(&self) -> [usize; 3] {
        let OutcomeCounts { applied, partial, failed, skipped, unknown, unsent } = self.tally;
        [applied + partial, failed, skipped + unknown + unsent]
    }

    /// Returns the state as one word.
    fn state(&self) -> &'static str {
        match (self.is_ended, &self.superseded_by) {
            (true, _) => "complete",
            (false, Some(_)) => "superseded",
            (false, None) if self.is_open() => "interrupted",
            (false, None) => "partial",
        }
    }

    /// Returns whether resuming the run could change anything: refused and stale changes would only be refused again.
    fn is_open(&self) -> bool {
        !self.is_ended && (!self.is_stopped || self.tally.unsent > 0)
    }

    /// Returns where the settings came from; for an undo, the state before the undone run.
    fn source(&self) -> &str {
        if self.plan.undoes.is_some() { "(undo)" } else { self.plan.restores().unwrap_or(&self.plan.source.tenant) }
    }

    /// Returns the command that resumes the run, if it is the newest and not finished.
    fn resume(&self) -> Option<String> {
        (self.is_open() && self.superseded_by.is_none()).then(|| self.resume.clone())
    }

    /// Returns the command that plans what is left of a superseded run. An update has none, since its input file is not
    /// recorded.
    fn replan(&self) -> Option<String> {
        let (source, target) = (&self.plan.source.tenant, &self.plan.target.tenant);
        match &self.plan.undoes {
            Some(undoes) => Some(format!("migrate undo {} --dry-run", undoes.run)),
            None if source == target => {
                self.plan.restores().map(|from| format!("migrate restore --tenant {target} --from {from} --dry-run"))
            }
            None => Some(format!("migrate plan --tenant {target} --from {source}")),
        }
    }

    /// Returns what to do about unfinished changes.
    fn next(&self, run: &RunReport<'_>) -> Option<String> {
        let newer = match &self.superseded_by {
            Some(newer) if !self.is_ended => newer,
            _ => return next_step(run),
        };
        let left = self.replan().map(|command| format!("\nTo see the remaining changes:  {command}")).unwrap_or_default();
        Some(format!("Superseded by a later run: {newer}.{left}"))
    }

    /// Returns how to take back what was applied.
    fn undo(&self, run: &RunReport<'_>) -> Option<String> {
        let name = run.folder.file_name()?.to_string_lossy();
        (self.counts()[0] > 0).then(|| format!("To see what an undo would do:  migrate undo {name} --dry-run"))
    }
}

/// Renders runs as a table, with the command that resumes each unfinished one.
pub(crate) fn runs(all: &[RunEntry<'_>]) -> String {
    if all.is_empty() {
        return "No runs yet.\n".to_owned();
    }
    let mut table = Table::new(&["run", "from", "to", "applied", "failed", "left", ""]);
    for run in all {
        table.row(row(run));
    }
    let resumes = all.iter().filter_map(|run| Some(format!("To resume {}:  {}\n", run.name, run.status.as_ref()?.resume()?)));
    let resumes: String = resumes.collect();
    if resumes.is_empty() { table.text() } else { format!("{}\n{resumes}", table.text()) }
}

fn row(run: &RunEntry<'_>) -> [String; 7] {
    let name = run.name.to_owned();
    let Some(status) = &run.status else {
        let [source, target, applied, failed, left] = <[String; 5]>::default();
        return [name, source, target, applied, failed, left, "its files cannot be read".to_owned()];
    };
    let [applied, failed, left] = status.counts().map(number);
    let (source, target) = (status.source().to_owned(), status.plan.target.tenant.clone());
    [name, source, target, applied, failed, left, status.state().to_owned()]
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RunsFields<'a> {
    runs: Vec<EntryFields<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EntryFields<'a> {
    run: &'a str,
    is_readable: bool,
    #[serde(flatten)]
    status: Option<StatusFields<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct StatusFields<'a> {
    source: &'a str,
    target: &'a str,
    begun: &'a str,
    applied: usize,
    failed: usize,
    left: usize,
    is_ended: bool,
    superseded_by: Option<&'a str>,
    resume: Option<String>,
}

impl<'a> From<&'a RunStatus<'a>> for StatusFields<'a> {
    fn from(status: &'a RunStatus<'a>) -> Self {
        let [applied, failed, left] = status.counts();
        let RunStatus { plan, begun, is_ended, superseded_by, .. } = status;
        let (source, target) = (plan.source.tenant.as_str(), plan.target.tenant.as_str());
        let (superseded_by, resume) = (superseded_by.as_deref(), status.resume());
        Self { source, target, begun, applied, failed, left, is_ended: *is_ended, superseded_by, resume }
    }
}

/// Returns runs as JSON.
pub(crate) fn runs_json(all: &[RunEntry<'_>], exit: u8) -> Value {
    let entries = all.iter().map(|RunEntry { name, status }| EntryFields {
        run: name,
        is_readable: status.is_some(),
        status: status.as_ref().map(StatusFields::from),
    });
    answer(&RunsFields { runs: entries.collect() }, exit)
}

/// Renders the plan and the outcomes of a run as styled text.
pub(crate) fn shown(run: &RunReport<'_>, status: &RunStatus<'_>, layout: Layout) -> String {
    let heading = styled(TITLE, format!("Started {}. Plan of this run:", printable(status.begun)));
    let ended = styled(TITLE, "Result");
    let document = Document::of_run(run, status.next(run).or_else(|| status.undo(run)));
    format!("{heading}\n\n{}\n{ended}\n\n{}", plan(&PlanView::new(run.plan, &[]), layout), document.to_text(layout))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ShownFields<'a> {
    #[serde(flatten)]
    run: RunFields<'a>,
    begun: &'a str,
    superseded_by: Option<&'a str>,
    plan: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<&'a VerifiedWrites>,
}

/// Returns a run as JSON: the `plan` in the form of a dry run, and the outcome of each change. The journal does not
/// record the cost. `verification` is what the target's log says about its writes.
pub(crate) fn shown_json(run: &RunReport<'_>, status: &RunStatus<'_>, verification: Option<&VerifiedWrites>, exit: u8) -> Value {
    let fields = ShownFields {
        run: RunFields::without_cost(run),
        begun: status.begun,
        superseded_by: status.superseded_by.as_deref(),
        plan: plan_json(&PlanView::new(run.plan, &[]), 0),
        verification,
    };
    answer(&fields, exit)
}
