//! Decides what to change: a pure function of two snapshots, the links between them and the baseline.
//!
//! ```text
//! model.rs              the plan itself: stages, changes, and everything that is not changed
//! inputs.rs             desired, live, links and baseline, matched
//! decision.rs           the results of the parts below, from which the plan is assembled
//! builder.rs            inputs -> decisions -> Plan
//! eligibility.rs        which resources are planned, and why others are not
//! change.rs             one eligible resource -> the change it needs
//!
//! matching.rs           which resource of the target corresponds to which of the source
//! pairing.rs            the target's resources under the source's keys
//! references.rs         which references the target can resolve, and what is left out
//! former_source_ids.rs  ids in texts of the source that refer to deleted resources
//! unique_names.rs       names that must be unique in a tenant: taken or ambiguous
//! unique_values.rs      values that must be unique in a tenant: the order of freeing and taking them
//! ordering.rs           changes -> stages, by their references
//!
//! normal_form.rs        bodies without meaningless differences
//! diff.rs               two bodies -> the edits between them
//! reason.rs             why something is not changed
//! merge.rs              baseline, desired, live -> the merged body
//! request_body.rs       the bodies of creates and updates
//! secrets.rs            which supplied secrets an update sends
//! deploy.rs             deployed content and drafts
//! resets.rs             settings that another change resets and that are written again
//!
//! protected.rs          protected resources, what belongs to them and what refers to them
//! prune.rs              resources that only the target has: deleted or unmanaged
//! manual_steps.rs       what a person has to supply or do
//!
//! guards.rs             reasons to refuse a plan
//! refusal.rs            one such reason, and which of its findings are not approved
//! risk.rs               the class of each edit: lockout, weaker protection, routine ..
//! findings.rs           the edits by class, most dangerous first
//! cost.rs               the number of requests and the time they need
//! change_share.rs       how much of a target one plan may change
//! leak.rs               identifiers of the source in what would be sent
//! encodings.rs          text inside escapes and base64
//! source_hosts.rs       hosts of the source that no mapping rule rewrote
//! attribution.rs        which mapping rule produced which value
//!
//! explanation.rs        what a plan does about one resource, and why
//! undo/                 an applied run and the live target -> the plan that reverts the run
//! restoration.rs        a tenant's own snapshot and its live state -> the plan that restores the snapshot
//! comparison.rs         two snapshots -> what differs, whether or not a run could write it
//! drift.rs              baseline and live -> what was changed in the target itself
//! verification.rs       which writes of a run the target's log contains
//! authorship.rs         who made those changes, from the entries of the target's log
//! single_resource.rs    one edited resource -> Plan
//! prior_state.rs        state that an undo needs and the changes do not record
//! change_parts.rs       parts of a change that the target refused
//! plan_approval.rs      approvals of a saved plan
//! file.rs               plan.json
//! ```
//!
//! No network, clock or disk except in [`mod@file`]. A dry run stops after the plan; reports render it and recompute
//! nothing.

mod attribution;
mod authorship;
mod builder;
mod change;
mod change_parts;
mod change_share;
mod chosen;
mod comparison;
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
mod planned_reading;
mod prior_state;
mod protected;
mod prune;
mod reason;
mod references;
pub mod refusal;
mod request_body;
mod resets;
mod restoration;
pub mod risk;
mod secrets;
mod single_resource;
mod source_hosts;
#[cfg(test)]
mod tests;
mod undo;
mod unique_names;
mod unique_values;
mod verification;

pub use crate::model::unmatched_rule::{MissingPart, UnmatchedRule};
pub use attribution::attribute;
pub(crate) use attribution::maker;
pub use authorship::{Authorship, ChangedPart, CorrelationOrigin};
pub use builder::{plan, plan_after};
pub(crate) use change_parts::remove_part;
pub use change_parts::{element, parse_element_part};
pub use comparison::compare;
pub use cost::{Estimate, RequestCount, SlowestGroup, requests_of};
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
pub use planned_reading::{FullReadCause, PlannedReading};
pub(crate) use prior_state::without_references;
pub(crate) use protected::Protected;
pub use reason::{DesiredState, StayReason};
pub use restoration::{Surviving, restore};
pub use secrets::secret_value;
pub use single_resource::{plan_single_resource, protected_touched_by, related_kinds};
pub use source_hosts::{KnownHosts, unmapped_hosts};
pub use undo::{AppliedRun, Recreated, undo};
pub use verification::{RunVerification, RunWrite, VerifiedWrites};
