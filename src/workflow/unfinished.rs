//! An unfinished run on a target, and what a new run does about it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::environment::Environment;
use super::history::PastRun;
use super::run_name::begun_on;
use crate::apply::journal::Record;
use crate::config::TenantSettings;
use crate::plan::file::PlanTenants;

/// Who starts a run while an earlier one is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    /// Somebody who can be asked.
    Person,
    /// A job, or somebody who agreed to everything beforehand.
    Unattended,
    /// Somebody who writes nothing.
    DryRun,
}

/// What is done about an unfinished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnfinishedHandling {
    /// The person decides whether it is resumed or superseded.
    Ask,
    /// It is superseded: what is left of it is planned anew, from the source as it is now.
    Supersede,
    /// It stays as it is.
    Mention,
}

/// Returns what is done about an unfinished run.
///
/// A job never resumes the run of a person: it would send what was reviewed some time ago, while a new plan passes the guards now.
pub(crate) fn handling(starter: Starter) -> UnfinishedHandling {
    match starter {
        Starter::Person => UnfinishedHandling::Ask,
        Starter::Unattended => UnfinishedHandling::Supersede,
        Starter::DryRun => UnfinishedHandling::Mention,
    }
}

/// Returns the newest run between two tenants, unless it cannot be read: nothing that came before it is resumed.
pub(crate) fn newest_between(environment: &Environment, source: &str, target: &TenantSettings) -> Option<PastRun> {
    let (folder, name) = newest_folder(environment, source, target)?;
    PastRun::read(folder, &name).ok()
}

/// Returns the newest run between two tenants, where it is unfinished.
pub(crate) fn unfinished_between(environment: &Environment, source: &str, target: &TenantSettings) -> Option<PastRun> {
    let (folder, name) = newest_folder(environment, source, target)?;
    // Most runs have ended, and the plan of a large one takes time and memory to load.
    let is_ended = Record::load(&folder.join("journal.jsonl")).ok()?.is_ended;
    if is_ended { None } else { PastRun::read(folder, &name).ok().filter(PastRun::is_open) }
}

/// Returns the newest run from each source to a target, where it is unfinished, the newest first.
pub(crate) fn unfinished_on(environment: &Environment, target: &TenantSettings) -> Vec<PastRun> {
    let runs = environment.folder("runs");
    let mut sources = BTreeSet::new();
    let of_run = |name: String| {
        let folder = runs.join(&name);
        let tenants = PlanTenants::load(&folder.join("plan.json")).ok()?;
        let is_newest = tenants.target_domain() == target.domain && sources.insert(tenants.source_tenant().to_owned());
        if !is_newest || Record::load(&folder.join("journal.jsonl")).ok()?.is_ended {
            return None;
        }
        PastRun::read(folder, &name).ok().filter(PastRun::is_open)
    };
    begun_on(&runs, &target.name).filter_map(of_run).collect()
}

/// Returns the folder and the name of the newest run between two tenants.
fn newest_folder(environment: &Environment, source: &str, target: &TenantSettings) -> Option<(PathBuf, String)> {
    let runs = environment.folder("runs");
    for name in begun_on(&runs, &target.name) {
        let folder = runs.join(&name);
        let tenants = PlanTenants::load(&folder.join("plan.json")).ok()?;
        if tenants.source_tenant() == source && tenants.target_domain() == target.domain {
            return Some((folder, name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_person_is_asked_and_only_a_run_that_writes_supersedes() {
        let handlings = [Starter::Person, Starter::Unattended, Starter::DryRun].map(handling);
        assert_eq!(handlings, [UnfinishedHandling::Ask, UnfinishedHandling::Supersede, UnfinishedHandling::Mention]);
    }
}
