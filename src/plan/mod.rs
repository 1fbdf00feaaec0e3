//! What would change: pure, from two snapshots and the links between them.
//!
//! ```text
//! model.rs         the plan itself: stages, changes, and what is not in them
//! diff.rs          two bodies -> what differs and what an update sends
//! normalize.rs     bodies without what makes no difference
//! outgoing.rs      what is sent of a body
//! matching.rs      which resource is which
//! pairs.rs         the target under the names of the source, and which names are free
//! references.rs    which references the target can hold, and what must be left out
//! claims.rs        values that a tenant takes once: who waits for whom
//! departed.rs      what the source's texts hold of what it has no more
//! merge.rs         base, desired, live -> what the target should hold
//! before.rs        what the target holds that an undo needs and no change tells
//! arrived.rs       what a target took of a change that it refused part of
//! manual_steps.rs  what a person has to supply or to do
//! prune.rs         what only the target has: what goes and what stays
//! repeat.rs        what a change resets elsewhere, and is written again
//! secrets.rs       which of the secrets that are supplied an update sends
//! untouched.rs     what is left as the target has it: what no plan touches, what belongs to it and what names it
//! eligibility.rs   which resources may be planned, and why the others are not
//! change.rs        one of them -> the change it needs
//! builder.rs       desired, live, links, base -> Plan
//! undo/            a run and what the target holds since -> Plan
//! drift.rs         base and live -> what moved by itself
//! single.rs        one resource edited by hand -> Plan
//! risk.rs          what each change may cost
//! guards.rs        looks for reasons to refuse a plan; refusal.rs is one, and what of it is not approved
//! change_share.rs  how much of a target one plan may change
//! leak.rs          the one that looks for what belongs to the source; disguise.rs reads escapes and base64 for it
//! file.rs          plan.json
//! ```
//!
//! No network, clock or disk but [`mod@file`]. A dry run stops after the plan; a report renders it and computes nothing again.

mod arrived;
mod before;
mod builder;
mod change;
mod change_share;
mod claims;
mod departed;
mod deploy;
pub mod diff;
mod disguise;
mod drift;
mod eligibility;
pub mod file;
pub mod guards;
mod leak;
mod manual_steps;
mod matching;
mod merge;
mod model;
pub mod normalize;
mod ordering;
mod outgoing;
mod pairs;
mod prune;
mod references;
pub mod refusal;
mod repeat;
pub mod risk;
mod secrets;
mod single;
#[cfg(test)]
mod tests;
mod undo;
mod untouched;

pub(crate) use arrived::take as take_part;
pub use arrived::{element, element_of};
pub(crate) use before::without;
pub use builder::{PlanContext, plan, plan_after};
pub use departed::name_departed;
pub use drift::{DriftReport, drift_of};
pub use matching::{Matching, matched};
pub use merge::OnDrift;
pub use model::{Action, Change, Conflict, Counts, Drift, Edit, ManualStep, Plan, PlannedTenant, SecretField, Skipped, Stage, Undoes};
pub use secrets::secret_value;
pub use single::{change_one, kinds_beside, touched_beside};
pub use undo::{AppliedRun, Recreated, undo};
pub(crate) use untouched::Protected;
