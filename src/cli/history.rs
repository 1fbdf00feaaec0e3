//! Runs that were: their folders, plans and journals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::context::Context;
use super::error::{Failure, USAGE};
use crate::apply::Summary;
use crate::apply::journal::Record;
use crate::catalog::Catalog;
use crate::diagnostic::nearest;
use crate::model::event::Outcome;
use crate::model::resource::Id;
use crate::plan::{Plan, Recreated, file};
use crate::report;

/// A run that was, as its own files tell of it.
pub(super) struct PastRun {
    /// Its name.
    pub(super) name: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// What was meant.
    pub(super) plan: Plan,
    /// What its journal tells.
    pub(super) record: Record,
    /// What came of it.
    pub(super) summary: Summary,
}

impl PastRun {
    /// Reads a run that a person named.
    pub(super) fn load(context: &Context, name: &str) -> Result<Self, Failure> {
        let runs = context.folder("runs")?;
        let folder = folder_of(&runs, name)?;
        Self::read(folder, name)
    }

    /// Reads the run in a folder.
    pub(super) fn read(folder: PathBuf, name: &str) -> Result<Self, Failure> {
        let (plan, _) = file::load(&folder.join("plan.json")).map_err(|error| unreadable(name, &error))?;
        let record = Record::load(&folder.join("journal.jsonl")).map_err(|error| unreadable(name, &error))?;
        let summary = Summary::told(Catalog::standard(), &plan, &record);
        Ok(Self { name: name.to_owned(), folder, plan, record, summary })
    }

    /// Returns whether it was cut off: something that it sent is in doubt, or what it leaves for the next run was not kept.
    pub(super) fn is_cut_off(&self) -> bool {
        let is_closed = self.record.is_ended || self.record.is_stopped;
        self.summary.tally().unknown > 0 || !is_closed
    }

    /// Returns whether going on with it may tell what became of something that it sent.
    fn is_unknown(&self) -> bool {
        self.summary.tally().unknown > self.record.unclear.len()
    }

    /// Returns whether it is to come to its end before it can be taken back. What nobody can say of it when it was gone on with, nobody can later.
    pub(super) fn is_to_go_on(&self) -> bool {
        self.is_unknown() || (self.is_cut_off() && self.record.unclear.is_empty())
    }

    /// Returns the command that goes on with it.
    pub(super) fn resume(&self, context: &Context) -> String {
        resume(context, &self.plan.target.tenant, &self.folder, Vec::new())
    }

    /// Returns what there is to tell of it, beside the runs of its folder.
    pub(super) fn told(&self, context: &Context) -> Result<report::RunStatus<'_>, Failure> {
        Ok(report::RunStatus {
            plan: &self.plan,
            begun: &self.record.begun,
            tally: self.summary.tally(),
            is_ended: self.record.is_ended,
            is_stopped: self.record.is_stopped,
            overtaken_by: if self.record.is_ended { None } else { overtaken_by(context, &self.name, &self.plan)? },
            resume: self.resume(context),
        })
    }

    /// Returns what was meant, without what the target refused of it.
    pub(super) fn arrived(&self) -> Plan {
        let mut plan = self.plan.clone();
        for (at, change) in plan.stages.iter_mut().flat_map(|stage| &mut stage.changes).enumerate() {
            if let Some(short) = self.record.outcomes.get(&at).and_then(Outcome::shortfall) {
                *change = change.without(&short.parts);
            }
        }
        plan
    }

    /// Returns what earlier undos of this run, of those undos, and so on, created; they may not have come to their end.
    ///
    /// # Errors
    ///
    /// When it is not known what became of a change of one of them, and going on with that one may tell.
    pub(super) fn made_again(&self, context: &Context) -> Result<Recreated, Failure> {
        let mut again = Recreated::default();
        for undo in self.undos(context)? {
            if undo.is_unknown() {
                let state =
                    format!("nothing was done: the undo \"{}\" of this run was cut off; {}", undo.name, report::state(&undo.summary));
                return Err(Failure::new(USAGE, state).hint(format!("let it come to its end first:  {}", undo.resume(context))));
            }
            again.learn(&undo.plan, &undo.applied());
            again.doubt(&undo.plan, undo.record.unclear.iter().copied());
        }
        Ok(again)
    }

    /// Returns the undos of this run, the undos of those, and so on, the oldest first.
    ///
    /// # Errors
    ///
    /// When a later run cannot be read: it may be one.
    fn undos(&self, context: &Context) -> Result<Vec<Self>, Failure> {
        let runs = context.folder("runs")?;
        let mut later: Vec<String> = begun_on(&runs, &self.plan.target.tenant).take_while(|later| *later > self.name).collect();
        later.reverse();
        let mut undone = BTreeSet::from([self.name.clone()]);
        let mut undos = Vec::new();
        for later in later {
            let run = Self::read(runs.join(&later), &later).map_err(|unread| unread.hint(MAY_BE_AN_UNDO))?;
            if run.plan.undoes.as_ref().is_some_and(|undoes| undone.contains(&undoes.run)) {
                undone.insert(run.name.clone());
                undos.push(run);
            }
        }
        Ok(undos)
    }

    /// Returns the changes that are in the target, with the id of what they changed.
    pub(super) fn applied(&self) -> BTreeMap<usize, Id> {
        let outcomes = self.record.outcomes.iter();
        outcomes.filter_map(|(at, outcome)| outcome.id().map(|id| (*at, id.clone()))).collect()
    }
}

/// What to do about a later run that cannot be read.
const MAY_BE_AN_UNDO: &str = "it may be an undo of the same run; if it is not, move its folder out of runs/";

fn unreadable(name: &str, error: &dyn std::error::Error) -> Failure {
    let failure = Failure::new(USAGE, format!("nothing was done: the run \"{name}\" cannot be read")).caused_by(error);
    failure.hint("what it did cannot be known; `migrate plan` compares with what the target holds now")
}

/// Returns the names of all runs, the newest first.
pub(super) fn names(runs: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort_unstable_by(|one, other| other.cmp(one));
    names
}

/// Returns the name of the newest run on a target.
pub(super) fn newest_of(runs: &Path, target: &str) -> Option<String> {
    names(runs).into_iter().find(|name| is_of(name, target))
}

/// Returns the names of the runs on a target that came as far as their journal, the newest first; their plans are whole
/// by then, and nothing was sent before.
pub(super) fn begun_on(runs: &Path, target: &str) -> impl Iterator<Item = String> {
    let has_begun = |name: &String| runs.join(name).join("journal.jsonl").exists();
    names(runs).into_iter().filter(|name| is_of(name, target)).filter(has_begun)
}

/// Returns the name of the newest run between the two tenants of a plan that began after its own: what that planned anew is what counts.
///
/// One that cannot be read may be one.
pub(super) fn overtaken_by(context: &Context, name: &str, plan: &Plan) -> Result<Option<String>, Failure> {
    let runs = context.folder("runs")?;
    let is_between_others =
        |later: &String| PastRun::read(runs.join(later), later).is_ok_and(|later| later.plan.source_tenant() != plan.source_tenant());
    Ok(begun_on(&runs, &plan.target.tenant).take_while(|later| later.as_str() > name).find(|later| !is_between_others(later)))
}

/// Returns the command that goes on with the run in a folder.
pub(super) fn resume(context: &Context, target: &str, folder: &Path, flags: Vec<String>) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    context.command(format!("migrate import --tenant {target} --resume {name}"), flags)
}

/// Returns whether a run of this name was one on this target.
pub(super) fn is_of(name: &str, target: &str) -> bool {
    name.split_at_checked(TIME.len()).is_some_and(|(_, rest)| rest.strip_prefix('-') == Some(target))
}

/// How the time stands in the name of a run.
const TIME: &str = "2026-11-25T06-32-27.000Z";

/// Returns the name of a run that begins now: the time and its target, and always later than the newest run's.
pub(super) fn name_after(newest: Option<&str>, now: SystemTime, target: &str) -> String {
    let after = newest.and_then(time_of).map(|newest| newest + Duration::from_millis(1));
    let time = after.map_or(now, |after| after.max(now));
    format!("{}-{target}", humantime::format_rfc3339_millis(time).to_string().replace(':', "-"))
}

/// Returns whether the clock stands before the time in the name of a run: it jumped back since the run before.
pub(super) fn is_ahead(name: &str, now: SystemTime) -> bool {
    time_of(name).is_some_and(|time| time > now + Duration::from_secs(1))
}

/// Returns the time in the name of a run.
fn time_of(name: &str) -> Option<SystemTime> {
    let (day, time) = name.get(..TIME.len())?.split_once('T')?;
    humantime::parse_rfc3339(&format!("{day}T{}", time.replace('-', ":"))).ok()
}

/// Returns the folder of the run that a person named.
pub(super) fn folder_of(runs: &Path, name: &str) -> Result<PathBuf, Failure> {
    let folder = runs.join(name);
    let all = names(runs);
    if all.iter().any(|known| known == name) {
        return Ok(folder);
    }
    let failure = Failure::new(USAGE, format!("nothing was done: there is no run \"{name}\" in \"{}\"", runs.display()));
    Err(match nearest(name, all.iter().map(String::as_str)) {
        Some(nearest) => failure.hint(format!("did you mean \"{nearest}\"? `migrate runs` lists them")),
        None => failure.hint("`migrate runs` lists them"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Body;
    use crate::model::event::Outcome;
    use crate::model::resource::Key;
    use crate::plan::{Action, Change, PlannedTenant, Stage};

    fn at(time: &str) -> SystemTime {
        humantime::parse_rfc3339(time).expect("a time")
    }

    #[test]
    fn a_run_is_named_later_than_every_run_before_it_also_by_a_clock_that_jumped_back() {
        let now = at("2026-11-25T06:32:27.250Z");
        assert_eq!(name_after(None, now, "prod"), "2026-11-25T06-32-27.250Z-prod");
        assert_eq!(name_after(Some("2026-11-24T23-00-00.000Z-prod"), now, "prod"), "2026-11-25T06-32-27.250Z-prod");
        assert_eq!(name_after(Some("2026-11-25T06-32-27.250Z-prod"), now, "prod"), "2026-11-25T06-32-27.251Z-prod");
        assert_eq!(name_after(Some("2027-01-01T00-00-00.999Z-prod"), now, "prod"), "2027-01-01T00-00-01.000Z-prod");
        assert_eq!(name_after(Some("by hand"), now, "prod"), "2026-11-25T06-32-27.250Z-prod");
    }

    /// A run of one change that was refused.
    fn refused(record: Record) -> PastRun {
        let side = |name: &str| PlannedTenant { tenant: name.into(), domain: format!("{name}.example"), taken: String::new() };
        let mut plan = Plan::between(side("dev"), side("prod"));
        let action = Action::Create { body: Body::new(), twins: Vec::new() };
        let change = Change { key: Key::new("clients", "Web"), source_id: Id::new("s"), action, needs: Vec::new(), secrets: Vec::new() };
        plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        let record = Record { outcomes: [(0, Outcome::Failed("400".into()))].into(), ..record };
        let summary = Summary::told(Catalog::standard(), &plan, &record);
        PastRun { name: String::new(), folder: PathBuf::new(), plan, record, summary }
    }

    #[test]
    fn a_run_that_was_refused_something_and_did_not_keep_what_it_leaves_was_cut_off() {
        assert!(refused(Record::default()).is_cut_off());
        assert!(!refused(Record { is_stopped: true, ..Record::default() }).is_cut_off());
    }

    #[test]
    fn a_run_of_which_something_stays_in_doubt_though_it_was_looked_up_again_can_be_taken_back() {
        let unknown = |unclear: &[usize]| {
            let outcomes: BTreeMap<usize, Outcome> = [(0, Outcome::Unknown("one of two".into()))].into();
            let record = Record { unclear: unclear.iter().copied().collect(), ..Record::default() };
            let run = refused(record);
            let record = Record { outcomes, ..run.record };
            let summary = Summary::told(Catalog::standard(), &run.plan, &record);
            PastRun { record, summary, ..refused(Record::default()) }
        };
        assert!(unknown(&[]).is_to_go_on() && !unknown(&[0]).is_to_go_on());
        assert!(refused(Record::default()).is_to_go_on());
    }

    #[test]
    fn a_name_is_ahead_of_a_clock_that_jumped_back() {
        let now = at("2026-11-25T06:32:27.250Z");
        assert!(is_ahead("2027-01-01T00-00-01.000Z-prod", now));
        assert!(!is_ahead("2026-11-25T06-32-27.251Z-prod", now) && !is_ahead("by hand", now));
    }

    #[test]
    fn a_run_is_of_the_target_whose_whole_name_it_ends_with() {
        assert!(is_of("2026-11-25T06-32-27.250Z-prod", "prod"));
        assert!(is_of("2026-11-25T06-32-27.250Z-eu-prod", "eu-prod"));
        assert!(!is_of("2026-11-25T06-32-27.250Z-eu-prod", "prod"));
    }
}
