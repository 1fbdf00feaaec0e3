//! The use cases, without a terminal: what a program calls to import a tenant.
//!
//! ```text
//! environment.rs  what every use case needs: configuration, connections, folders
//! host.rs         who runs a use case: hears what happens, and may interrupt it
//! prepare.rs      source and target -> plan
//! review.rs       guards before a plan is carried out
//! session.rs      a run before its first write: folder, journal, state
//! execute.rs      the run itself: interrupts, limits, what is kept of it
//! proposal.rs     the ceremony: guards, scopes, secret sink, approval, execution; and an unattended import
//! rehearse.rs     an import tried on a copy of the target
//! mapping_check.rs, mapping_preview.rs  a mapping without an import: what is wrong in it, what it makes of some resources
//! history.rs      past runs
//! run_name.rs     what runs are called
//! lock.rs         one writer a target
//! limits.rs       until when, and with how many requests, a run may take new changes
//! ```
//!
//! Nothing here prints, asks or knows exit codes: errors are typed, and what happens is told to a [`Host`].

mod environment;
mod error;
mod execute;
pub(crate) mod history;
mod host;
pub mod limits;
mod lock;
mod mapping_check;
mod mapping_preview;
mod prepare;
mod proposal;
mod rehearse;
mod review;
pub(crate) mod run_name;
mod session;

pub use environment::Environment;
pub(crate) use environment::now;
pub use error::Error;
pub use execute::EndedRun;
pub(crate) use execute::execute;
pub use host::{Host, Interrupt, Notice};
pub(crate) use lock::lock;
pub(crate) use mapping_check::{check_mapping, unmatched_on_disk};
pub(crate) use mapping_preview::{MappedResource, MappingPreview, NamedField, preview};
pub use prepare::{Prepared, Route, prepare};
pub(crate) use prepare::{
    includable, included, named_source, prepare_seen_by, protected, read, refuse_unmatched, scope_naming, scope_of, source_side,
};
pub(crate) use proposal::{Approver, Proposal, carry_out};
pub use proposal::{Completion, import};
pub(crate) use rehearse::{Copy, Copyist, Rehearsed, rehearse};
pub(crate) use review::check_scopes;
pub(crate) use review::{Review, unapproved};
pub(crate) use session::Session;
pub(crate) use session::refuse_another_target;
