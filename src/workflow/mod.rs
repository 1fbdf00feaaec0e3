//! The use cases, without a terminal: the entry point for programs that import a tenant.
//!
//! ```text
//! environment.rs  configuration, connections, folders and secrets
//! host.rs         receives notices, and may interrupt a use case
//! source.rs       the source of settings: a tenant, or a snapshot by name or folder
//! kept_snapshots.rs  the snapshots that a run refers to
//! incremental/    reads a tenant by its log, where that is enough
//! prepare.rs      source and target -> plan
//! review.rs       approvals and scopes before a plan is executed
//! authorship.rs   who changed the target, as its log says
//! session.rs      a run before its first write: folder, journal, state
//! execute.rs      executes a run: interrupts, limits, saving the state
//! proposal.rs     from plan to run: guards, scopes, secret sink, approval, execution; unattended imports
//! probe.rs        asks the front door whether logins work, before and after a run
//! rehearse.rs     rehearses an import on a copy of the target
//! init.rs         a new configuration: its files, and what exists and stays
//! mapping_suggestion.rs  suggests a mapping from what differs between two tenants
//! doctor/         whether this machine, the configuration and its tenants are ready for a run
//! scopes.rs       the scopes that reading or writing needs
//! mapping_check.rs, mapping_preview.rs  a mapping without an import: its problems, its effect on resources
//! compare.rs      compares two tenants or snapshots
//! restore.rs      a tenant's own snapshot -> the plan that restores it
//! retention.rs    the stored snapshots, and which of them are deleted
//! history.rs      past runs
//! verification.rs the writes of a past run, looked up in the target's log
//! log_gap.rs      why a log lacks what was looked up
//! unfinished.rs   an unfinished run, and what a new one does about it
//! run_name.rs     the names of runs
//! lock.rs         one writer per target
//! limits.rs       the time and the requests after which a run starts no new changes
//! ```
//!
//! Nothing here prints, asks or knows exit codes: errors are typed, and a [`Host`] receives events.

mod authorship;
mod compare;
mod doctor;
mod environment;
mod error;
mod execute;
pub(crate) mod history;
mod host;
pub(crate) mod incremental;
mod init;
mod kept_snapshots;
pub mod limits;
mod lock;
mod log_gap;
mod mapping_check;
mod mapping_preview;
mod mapping_suggestion;
mod prepare;
mod probe;
mod proposal;
mod rehearse;
mod restore;
mod retention;
mod review;
pub(crate) mod run_name;
mod scopes;
mod session;
mod source;
pub(crate) mod unfinished;
mod verification;
mod warnings;

pub(crate) use authorship::{ReadTarget, attribute_drift, attribute_stale, attribute_undo};
pub(crate) use compare::compare;
pub(crate) use doctor::{CheckupScope, examine};
pub use environment::Environment;
pub(crate) use environment::now;
pub use error::Error;
pub use execute::EndedRun;
pub(crate) use execute::execute;
pub use host::{Host, Interrupt, Notice};
pub use incremental::ReadMode;
pub(crate) use init::{FileOutcome, NewConfiguration, NewTenant, SetUpFile};
pub(crate) use kept_snapshots::KeptSnapshots;
pub(crate) use lock::lock;
pub(crate) use mapping_check::{check_mapping, unmatched_on_disk};
pub(crate) use mapping_preview::{MappedResource, MappingPreview, NamedField, preview};
pub(crate) use mapping_suggestion::{SuggestedMapping, suggest_mapping};
pub use prepare::{Prepared, Route, prepare};
pub(crate) use prepare::{includable, included, prepare_seen_by, protected, read, refuse_unmatched, scope_naming, scope_of};
pub(crate) use probe::{load as load_probe, probe, probe_after, probe_again};
pub(crate) use proposal::{Approver, Proposal, carry_out};
pub use proposal::{Completion, import};
pub(crate) use rehearse::{Copy, Copyist, Rehearsed, rehearse};
pub(crate) use restore::{PreparedRestore, RestoreRoute, prepare_restore};
pub(crate) use retention::{RunSnapshots, Surplus, delete, snapshots, surplus};
pub(crate) use review::refusals;
pub(crate) use review::{Review, unapproved};
pub(crate) use scopes::{TenantAccess, needed_scopes};
pub(crate) use session::Session;
pub(crate) use session::refuse_another_target;
pub(crate) use source::{named_source, source_side};
pub(crate) use verification::verify_writes;
