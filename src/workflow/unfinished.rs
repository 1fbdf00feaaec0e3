//! An unfinished run on a target, and what a new run does about it.

use super::environment::Environment;
use super::history::PastRun;
use super::run_name::begun_on;
use crate::config::TenantSettings;

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

/// Returns the newest run between two tenants, unless it ended or cannot be read: nothing that came before it is resumed.
pub(crate) fn newest_between(environment: &Environment, source: &str, target: &TenantSettings) -> Option<PastRun> {
    let runs = environment.folder("runs");
    for name in begun_on(&runs, &target.name) {
        let past = PastRun::read(runs.join(&name), &name).ok()?;
        if past.plan.source_tenant() == source && past.plan.target.domain == target.domain {
            return Some(past);
        }
    }
    None
}

/// Returns the newest run between two tenants, where it is unfinished.
pub(crate) fn unfinished_between(environment: &Environment, source: &str, target: &TenantSettings) -> Option<PastRun> {
    newest_between(environment, source, target).filter(PastRun::is_open)
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
