//! Past runs: their folders, plans and journals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::Error;
use super::run_name::{begun_on, names};
use crate::apply::Summary;
use crate::apply::journal::Record;
use crate::diagnostic::nearest;
use crate::model::event::Outcome;
use crate::model::resource::Id;
use crate::plan::file::{self, PlanTenants};
use crate::plan::{Plan, Recreated};

/// A past run, loaded from its files.
pub(crate) struct PastRun {
    /// Its name.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its plan.
    pub(crate) plan: Plan,
    /// The content of its journal.
    pub(crate) record: Record,
    /// Its summary.
    pub(crate) summary: Summary,
}

impl PastRun {
    /// Loads the run with this name.
    pub(crate) fn load(environment: &Environment, name: &str) -> Result<Self, Error> {
        let runs = environment.folder("runs");
        let folder = folder_of(&runs, name)?;
        Self::read(folder, name)
    }

    /// Returns the name of the newest run, if there is a run.
    pub(crate) fn newest(environment: &Environment) -> Option<String> {
        names(&environment.folder("runs")).into_iter().next()
    }

    /// Loads the run in a folder.
    pub(crate) fn read(folder: PathBuf, name: &str) -> Result<Self, Error> {
        let (plan, _) = file::load(&folder.join("plan.json")).map_err(|error| unreadable(name, error))?;
        let record = Record::load(&folder.join("journal.jsonl")).map_err(|error| unreadable(name, error))?;
        let summary = Summary::from_journal(&plan, &record);
        Ok(Self { name: name.to_owned(), folder, plan, record, summary })
    }

    /// Returns whether the run was interrupted: outcomes are unknown, or the state for the next run was not saved.
    pub(crate) fn is_cut_off(&self) -> bool {
        let is_closed = self.record.is_ended || self.record.is_stopped;
        self.summary.tally().unknown > 0 || !is_closed
    }

    /// Returns whether resuming it would do anything: what was refused is refused again.
    pub(crate) fn is_open(&self) -> bool {
        !self.record.is_ended && (!self.record.is_stopped || self.summary.tally().unsent > 0)
    }

    /// Returns whether resuming the run may resolve unknown outcomes.
    fn is_unknown(&self) -> bool {
        self.summary.tally().unknown > self.record.unclear.len()
    }

    /// Returns whether the run must be resumed before it can be undone. An outcome that could not be resolved by an
    /// earlier resume will not be resolved by another one.
    pub(crate) fn is_to_go_on(&self) -> bool {
        self.is_unknown() || (self.is_cut_off() && self.record.unclear.is_empty())
    }

    /// Returns the plan without the parts that the target refused.
    pub(crate) fn arrived(&self) -> Plan {
        let mut plan = self.plan.clone();
        for (at, change) in plan.stages.iter_mut().flat_map(|stage| &mut stage.changes).enumerate() {
            if let Some(short) = self.record.outcomes.get(&at).and_then(Outcome::shortfall) {
                *change = change.without(&short.parts);
            }
        }
        plan
    }

    /// Returns the resources that earlier undos of this run, undos of those, and so on, created; these undos need not
    /// be finished.
    ///
    /// # Errors
    ///
    /// If one of them has unknown outcomes that resuming it may resolve.
    pub(crate) fn made_again(&self, environment: &Environment) -> Result<Recreated, Error> {
        let mut again = Recreated::default();
        for undo in self.undos(environment)? {
            if undo.is_unknown() {
                let Self { name, folder, plan, summary, .. } = undo;
                return Err(Error::UnfinishedUndo { name, target: plan.target.tenant, folder, summary: Box::new(summary) });
            }
            again.record_created(&undo.plan, &undo.applied());
            again.record_unknown(&undo.plan, undo.record.unclear.iter().copied());
        }
        Ok(again)
    }

    /// Returns the undos of this run, their undos, and so on, oldest first.
    ///
    /// # Errors
    ///
    /// If a later run cannot be read, since it may be one.
    fn undos(&self, environment: &Environment) -> Result<Vec<Self>, Error> {
        let runs = environment.folder("runs");
        let mut later: Vec<String> = begun_on(&runs, &self.plan.target.tenant).take_while(|later| *later > self.name).collect();
        later.reverse();
        let mut undone = BTreeSet::from([self.name.clone()]);
        let mut undos = Vec::new();
        for later in later {
            let run = Self::read(runs.join(&later), &later).map_err(Error::into_possible_undo)?;
            if run.plan.undoes.as_ref().is_some_and(|undoes| undone.contains(&undoes.run)) {
                undone.insert(run.name.clone());
                undos.push(run);
            }
        }
        Ok(undos)
    }

    /// Returns the applied changes with the ids of their resources.
    pub(crate) fn applied(&self) -> BTreeMap<usize, Id> {
        let outcomes = self.record.outcomes.iter();
        outcomes.filter_map(|(at, outcome)| outcome.id().map(|id| (*at, id.clone()))).collect()
    }
}

fn unreadable(name: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::UnreadableRun { name: name.to_owned(), source: Box::new(source), may_be_undo: false }
}

/// Returns the name of the newest run between the two tenants of a plan that started later: its plan takes precedence.
///
/// A run that cannot be read may be one.
pub(crate) fn superseded_by(environment: &Environment, name: &str, plan: &Plan) -> Option<String> {
    let runs = environment.folder("runs");
    let is_between_others = |later: &String| {
        PlanTenants::load(&runs.join(later).join("plan.json")).is_ok_and(|later| later.source_tenant() != plan.source_tenant())
    };
    begun_on(&runs, &plan.target.tenant).take_while(|later| later.as_str() > name).find(|later| !is_between_others(later))
}

/// Returns the folder of the run with this name.
pub(crate) fn folder_of(runs: &Path, name: &str) -> Result<PathBuf, Error> {
    let folder = runs.join(name);
    let all = names(runs);
    if all.iter().any(|known| known == name) {
        return Ok(folder);
    }
    // What writes takes the name of a run: another one may be the newest by the time it is confirmed.
    let newest = all.first().filter(|_| name == "last");
    let nearest = newest.cloned().or_else(|| nearest(name, all.iter().map(String::as_str)).map(str::to_owned));
    Err(Error::NoSuchRun { name: name.to_owned(), runs: runs.to_owned(), nearest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Body;
    use crate::model::event::Outcome;
    use crate::model::resource::key;
    use crate::plan::{Action, Change, PlannedTenant, Stage};

    /// A run with one change, which was refused.
    fn refused(record: Record) -> PastRun {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.example"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let action = Action::Create { body: Body::new(), twins: Vec::new() };
        let change = Change { key: key("clients/Web"), source_id: Id::new("s"), action, needs: Vec::new(), secrets: Vec::new() };
        plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        let record = Record { outcomes: [(0, Outcome::Failed("400".into()))].into(), ..record };
        let summary = Summary::from_journal(&plan, &record);
        PastRun { name: String::new(), folder: PathBuf::new(), plan, record, summary }
    }

    #[test]
    fn a_partly_refused_run_whose_state_was_not_saved_counts_as_interrupted() {
        assert!(refused(Record::default()).is_cut_off());
        assert!(!refused(Record { is_stopped: true, ..Record::default() }).is_cut_off());
    }

    #[test]
    fn a_run_with_an_unclear_outcome_can_be_undone() {
        let unknown = |unclear: &[usize]| {
            let outcomes: BTreeMap<usize, Outcome> = [(0, Outcome::Unknown("one of two".into()))].into();
            let record = Record { unclear: unclear.iter().copied().collect(), ..Record::default() };
            let run = refused(record);
            let record = Record { outcomes, ..run.record };
            let summary = Summary::from_journal(&run.plan, &record);
            PastRun { record, summary, ..refused(Record::default()) }
        };
        assert!(unknown(&[]).is_to_go_on() && !unknown(&[0]).is_to_go_on());
        assert!(refused(Record::default()).is_to_go_on());
    }
}
