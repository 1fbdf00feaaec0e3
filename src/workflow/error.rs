//! The errors of use cases.

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

/// Why a use case failed. Unless a variant says otherwise, nothing was written to any tenant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The mapping is invalid.
    #[error(transparent)]
    Mapping(#[from] mapping::Error),
    /// The mapping gives two resources the same key.
    #[error(transparent)]
    KeyCollision(#[from] Box<mapping::KeyCollision>),
    /// A pattern matches no resource of the source.
    #[error("no resource in {tenant} matches \"{pattern}\"")]
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// The source.
        tenant: String,
        /// The most similar name, or pattern that matches something.
        nearest: Option<String>,
    },
    /// Rules of the mapping matched nothing, and the run is strict.
    #[error("{}", unmatched_rules(rules))]
    UnmatchedRules {
        /// The rules, at least one.
        rules: Vec<UnmatchedRule>,
    },
    /// The state of earlier runs cannot be read or written.
    #[error(transparent)]
    State(#[from] state_update::Error),
    /// The state folder of the pair cannot be used.
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
        /// The cause.
        source: Box<management_api::Error>,
    },
    /// The snapshot is restricted and does not contain the selection.
    #[error("the snapshot does not hold what is selected: {0}")]
    Selection(selection::Error),
    /// The word is not valid for `--include`.
    #[error("cannot include \"{word}\"")]
    UnknownInclude {
        /// The given word.
        word: String,
        /// The valid words.
        known: Vec<&'static str>,
    },
    /// No source was given, and the target has none configured.
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
        /// The unapproved findings, at least one.
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
    /// The plan was made for a different tenant.
    #[error("the plan was made for {planned_for}, but \"{name}\" is {domain}")]
    AnotherTarget {
        /// The domain that it was made for.
        planned_for: String,
        /// The target.
        name: String,
        /// Its domain.
        domain: String,
    },
    /// The folder for a new run already exists.
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
        /// The process that holds it, and since when.
        holder: String,
        /// Whether this run waited for the lock.
        has_waited: bool,
    },
    /// No pattern of the selection matches anything.
    #[error("nothing is selected: {}", .0.join("; "))]
    NothingSelected(Vec<String>),
    /// There is no run with this name.
    #[error("no run \"{name}\" in \"{}\"", runs.display())]
    NoSuchRun {
        /// The name.
        name: String,
        /// The folder of all runs.
        runs: PathBuf,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// There is no snapshot of this name.
    #[error("no snapshot \"{name}\"")]
    NoSuchSnapshot {
        /// The name.
        name: String,
        /// The tenant in it.
        tenant: String,
        /// The nearest names that there are.
        nearest: Vec<String>,
    },
    /// A restore was given a tenant, and needs a snapshot.
    #[error("\"{name}\" is a tenant; a restore needs a snapshot")]
    NoSnapshotToRestore {
        /// The tenant that was given.
        name: String,
        /// The target.
        target: String,
    },
    /// A snapshot is restored in the tenant that it was taken of.
    #[error("the snapshot is of {of}, but \"{name}\" is {domain}")]
    SnapshotOfAnother {
        /// The domain it was taken of.
        of: String,
        /// The target.
        name: String,
        /// Its domain.
        domain: String,
    },
    /// A run kept no snapshot of this tenant.
    #[error("run \"{run}\" kept no snapshot of \"{tenant}\"")]
    NotKept {
        /// The run.
        run: String,
        /// The tenant.
        tenant: String,
        /// The snapshots that it kept.
        others: Vec<String>,
    },
    /// The snapshot that a run kept is no longer there.
    #[error("the snapshot of \"{tenant}\" that run \"{run}\" kept is no longer there: \"{}\"", path.display())]
    KeptIsGone {
        /// The run.
        run: String,
        /// The tenant.
        tenant: String,
        /// Its folder.
        path: PathBuf,
    },
    /// The files of a run cannot be read.
    #[error("cannot read run \"{name}\"")]
    UnreadableRun {
        /// Its name.
        name: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether it matters because the run may be an undo of another one.
        may_be_undo: bool,
    },
    /// Some changes of an undo have unknown outcomes that resuming it may resolve.
    #[error("the undo \"{name}\" of this run was interrupted")]
    UnfinishedUndo {
        /// The name of the undo.
        name: String,
        /// The target.
        target: String,
        /// Its folder.
        folder: PathBuf,
        /// Its summary.
        summary: Box<Summary>,
    },
    /// The journal of a run can no longer be written; requests may have been sent.
    #[error("{0}")]
    Unrecorded(Box<apply::Error>),
    /// The state for the next run cannot be written; the changes were applied.
    #[error("cannot write the state of the run")]
    Unremembered {
        /// The summary of the run.
        summary: Box<Summary>,
        /// The cause.
        source: state_update::Error,
    },
    /// A second interrupt aborted a run while requests were in flight.
    #[error("stopped at once")]
    StoppedAtOnce {
        /// The second interrupt.
        interrupt: Interrupt,
        /// What came of the run; the outcome of requests that were in flight is unknown.
        summary: Box<Summary>,
    },
    /// An interrupt stopped a use case before anything was written.
    #[error("interrupted")]
    Interrupted(Interrupt),
    /// The copy of a target for a rehearsal cannot be set up.
    #[error("the rehearsal did not start")]
    RehearsalSetup {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether there is no folder for temporary files.
        lacks_folder: bool,
    },
    /// A rehearsal failed on the copy.
    #[error("the rehearsal failed")]
    Rehearsal(#[source] Box<Error>),
}

impl Error {
    /// Converts the error of a request to a tenant.
    pub(crate) fn of_tenant(source: management_api::Error, tenant: &str) -> Self {
        Self::Tenant { tenant: tenant.to_owned(), source: Box::new(source) }
    }

    /// Marks the error for an unreadable run that may be an undo of another one.
    pub(crate) fn into_possible_undo(self) -> Self {
        match self {
            Self::UnreadableRun { name, source, .. } => Self::UnreadableRun { name, source, may_be_undo: true },
            other => other,
        }
    }

    /// Returns the refusal if source and target are the same tenant.
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
