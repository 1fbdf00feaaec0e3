//! Deciding what to change: pure, from two snapshots, the links between them and the baseline.
//!
//! ```text
//! model.rs              the plan itself: stages, changes, and what is not in them
//! inputs.rs             desired, live, links and baseline, paired
//! decision.rs           what the parts below return, and what a plan is folded from
//! builder.rs            inputs -> decisions -> Plan
//! eligibility.rs        which resources are planned, and why the others are not
//! change.rs             one eligible resource -> the change it needs
//!
//! matching.rs           which resource of the target corresponds to which of the source
//! pairing.rs            the target's resources under the source's keys
//! references.rs         which references the target can hold, and what must be left out
//! former_source_ids.rs  ids in texts of the source that name deleted resources
//! unique_names.rs       names that a tenant accepts once: taken or ambiguous
//! unique_values.rs      values that a tenant accepts once: the order in which they are freed and taken
//! ordering.rs           changes -> stages, by their references
//!
//! normal_form.rs        bodies without what makes no difference
//! diff.rs               two bodies -> the edits between them
//! reason.rs             why something is not changed
//! merge.rs              baseline, desired, live -> what the target should hold
//! request_body.rs       what a create or an update sends
//! secrets.rs            which supplied secrets an update sends
//! deploy.rs             what is deployed and what is only a draft
//! resets.rs             settings that another change resets, so they are written again
//!
//! protected.rs          what no plan touches, what belongs to it and what refers to it
//! prune.rs              resources that only the target has: deleted or unmanaged
//! manual_steps.rs       what a person has to supply or do
//!
//! guards.rs             reasons to refuse a plan
//! refusal.rs            one such reason, and what of it is not approved
//! risk.rs               the class of each edit: lockout, weaker protection, routine ..
//! findings.rs           the edits by class, the most dangerous first
//! cost.rs                the requests of a plan, and the time they need
//! change_share.rs       how much of a target one plan may change
//! leak.rs               identifiers of the source in what would be sent
//! encodings.rs          text inside escapes and base64
//! source_hosts.rs       hosts of the source that no rule of the mapping rewrote
//! attribution.rs        which rule of the mapping made which value
//!
//! explanation.rs        what a plan does about one resource, and why
//! undo/                 an applied run and the live target -> the plan that takes the run back
//! drift.rs              baseline and live -> what changed in the target by itself
//! single_resource.rs    one edited resource -> Plan
//! prior_state.rs        what an undo needs to know and the changes do not record
//! change_parts.rs       parts of a change that the target refused
//! plan_approval.rs       what a person approved of a saved plan
//! file.rs               plan.json
//! ```
//!
//! No network, clock or disk except in [`mod@file`]. A dry run stops after the plan; reports render it and recompute nothing.

mod attribution;
mod builder;
mod change;
mod change_parts;
mod change_share;
mod chosen;
mod cost;
mod decision;
mod deploy;
pub mod diff;
mod drift;
mod eligibility;
mod encodings;
mod explanation;
pub mod file;
pub mod findings;
mod former_source_ids;
pub mod guards;
mod inputs;
mod leak;
mod manual_steps;
mod matching;
mod merge;
mod model;
pub mod normal_form;
mod ordering;
mod pairing;
pub mod plan_approval;
mod prior_state;
mod protected;
mod prune;
mod reason;
mod references;
pub mod refusal;
mod request_body;
mod resets;
pub mod risk;
mod secrets;
mod single_resource;
mod source_hosts;
#[cfg(test)]
mod tests;
mod undo;
mod unique_names;
mod unique_values;

pub use crate::model::unmatched_rule::{MissingPart, UnmatchedRule};
pub use attribution::attribute;
pub(crate) use attribution::maker;
pub use builder::{plan, plan_after};
pub(crate) use change_parts::remove_part;
pub use change_parts::{element, parse_element_part};
pub use cost::Estimate;
pub use drift::{DriftReport, drift_of};
pub use explanation::{ExplainedField, ExplainedPlan, Explanation, FieldVerdict, Verdict};
pub use former_source_ids::mark_former_ids;
pub use inputs::PlanContext;
pub use matching::{Matching, matched};
pub use merge::OnDrift;
pub use model::{
    Action, Change, Conflict, Counts, Drift, Edit, ManualStep, Plan, PlannedMapping, PlannedSelection, PlannedTenant, SecretField, Skipped,
    Stage, Undoes, UnmappedHost,
};
pub(crate) use prior_state::without_references;
pub(crate) use protected::Protected;
pub use reason::{DesiredState, StayReason};
pub use secrets::secret_value;
pub use single_resource::{plan_single_resource, protected_touched_by, related_kinds};
pub use source_hosts::{KnownHosts, unmapped_hosts};
pub use undo::{AppliedRun, Recreated, undo};
