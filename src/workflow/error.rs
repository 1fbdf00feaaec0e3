//! Why a use case has no answer.

use std::path::PathBuf;

use super::host::Interrupt;
use crate::apply::{self, Summary, state_update};
use crate::model::guard::Guard;
use crate::model::selection;
use crate::plan::UnmatchedRule;
use crate::plan::refusal::Refusal;
use crate::snapshot::store;
use crate::state::{baseline, pair};
use crate::{config, export, files, management_api, mapping, plan};

/// Why a use case has no answer. Unless it says otherwise, nothing was written to any tenant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is unusable.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The mapping is unusable.
    #[error(transparent)]
    Mapping(#[from] mapping::Error),
    /// The mapping gives two resources one key.
    #[error(transparent)]
    KeyCollision(#[from] Box<mapping::KeyCollision>),
    /// A pattern matches no resource of a source.
    #[error("nothing in {tenant} is called \"{pattern}\"")]
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// The source.
        tenant: String,
        /// The nearest name, or pattern that matches something.
        nearest: Option<String>,
    },
    /// Rules of the mapping match nothing, and that is not accepted.
    #[error("{}", unmatched_rules(rules))]
    UnmatchedRules {
        /// The rules; at least one.
        rules: Vec<UnmatchedRule>,
    },
    /// State of earlier runs cannot be read or written.
    #[error(transparent)]
    State(#[from] state_update::Error),
    /// The folder of the state of two tenants is unusable.
    #[error(transparent)]
    Pair(#[from] pair::Error),
    /// The baseline of a run cannot be read or written.
    #[error(transparent)]
    Baseline(#[from] baseline::Error),
    /// The file of a plan cannot be read or written.
    #[error(transparent)]
    PlanFile(#[from] plan::file::Error),
    /// A snapshot cannot be read or written.
    #[error(transparent)]
    Snapshot(#[from] store::Error),
    /// A journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] apply::journal::Error),
    /// A file cannot be written or locked.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A tenant cannot be read.
    #[error(transparent)]
    Export(#[from] export::Error),
    /// A request to a tenant failed.
    #[error("cannot reach tenant \"{tenant}\"")]
    Tenant {
        /// Its name.
        tenant: String,
        /// Why.
        source: Box<management_api::Error>,
    },
    /// The snapshot is restricted, and what was selected is not in it.
    #[error("the snapshot does not hold what is selected: {0}")]
    Selection(selection::Error),
    /// There is nothing of this name to include.
    #[error("cannot include \"{word}\"")]
    UnknownInclude {
        /// The name.
        word: String,
        /// What can be included.
        known: Vec<&'static str>,
    },
    /// No source was named, and none is configured for the target.
    #[error("no source for \"{target}\"")]
    NoSource {
        /// The target.
        target: String,
    },
    /// Guards refuse the plan.
    #[error("the plan was refused")]
    Refused {
        /// The target.
        target: String,
        /// What the guards found and nobody approved; at least one.
        refusals: Vec<Refusal>,
    },
    /// The token lacks scopes that the plan needs.
    #[error("the token for \"{tenant}\" lacks {}", scopes.join(", "))]
    MissingScopes {
        /// The target.
        tenant: String,
        /// The scopes.
        scopes: Vec<String>,
    },
    /// The plan was made for another tenant.
    #[error("the plan was made for {planned_for}, but \"{name}\" is {domain}")]
    AnotherTarget {
        /// The domain it was made for.
        planned_for: String,
        /// The target.
        name: String,
        /// Its domain.
        domain: String,
    },
    /// The folder of a new run exists already.
    #[error("run \"{0}\" already exists")]
    RunExists(String),
    /// There is no folder for locks.
    #[error("no folder for locks: neither HOME nor XDG_STATE_HOME is set")]
    NoLockFolder,
    /// Another run holds the lock.
    #[error("\"{target}\" is locked by another run: {holder}")]
    Locked {
        /// The target.
        target: String,
        /// Who holds it, and since when.
        holder: String,
        /// Whether this one waited for it.
        has_waited: bool,
    },
    /// There is no run of this name.
    #[error("no run \"{name}\" in \"{}\"", runs.display())]
    NoSuchRun {
        /// The name.
        name: String,
        /// The folder of all runs.
        runs: PathBuf,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The files of a run cannot be read.
    #[error("cannot read run \"{name}\"")]
    UnreadableRun {
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether it matters because it may be an undo of another run.
        may_be_undo: bool,
    },
    /// What became of some changes of an undo is unknown, and resuming it may tell.
    #[error("the undo \"{name}\" of this run was interrupted")]
    UnfinishedUndo {
        /// The name of the undo.
        name: String,
        /// The target.
        target: String,
        /// Its folder.
        folder: PathBuf,
        /// What came of it.
        summary: Box<Summary>,
    },
    /// The journal of a run cannot be written any more; requests may have been sent.
    #[error("{0}")]
    Unrecorded(Box<apply::Error>),
    /// What a run leaves for the next one cannot be written; its changes were made.
    #[error("cannot write the state of the run")]
    Unremembered {
        /// What came of the run.
        summary: Box<Summary>,
        /// Why.
        source: state_update::Error,
    },
    /// A second interrupt ended a run while requests were in flight.
    #[error("stopped at once: requests were in flight, and their outcome is unknown")]
    StoppedAtOnce(Interrupt),
    /// An interrupt ended a use case before anything was written.
    #[error("interrupted")]
    Interrupted(Interrupt),
    /// The copy of a target on which a plan is rehearsed cannot be set up.
    #[error("the rehearsal did not start")]
    RehearsalSetup {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether it lacks a folder for temporary files.
        lacks_folder: bool,
    },
    /// A rehearsal failed on the copy.
    #[error("the rehearsal failed")]
    Rehearsal(#[source] Box<Error>),
}

impl Error {
    /// Returns the error of a request to a tenant.
    pub(crate) fn of_tenant(source: management_api::Error, tenant: &str) -> Self {
        Self::Tenant { tenant: tenant.to_owned(), source: Box::new(source) }
    }

    /// Returns the error of a run that cannot be read and may be an undo of another.
    pub(crate) fn into_possible_undo(self) -> Self {
        match self {
            Self::UnreadableRun { name, source, .. } => Self::UnreadableRun { name, source, may_be_undo: true },
            other => other,
        }
    }

    /// Returns the refusal of a plan whose source and target are one tenant, where it is that.
    #[must_use]
    pub fn same_tenant(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusals, .. } => refusals.iter().find(|refusal| refusal.guard == Guard::SameTenant),
            _ => None,
        }
    }
}

fn unmatched_rules(rules: &[UnmatchedRule]) -> String {
    match rules {
        [one] => one.to_string(),
        _ => format!("{} rules of the mapping match nothing", rules.len()),
    }
}
