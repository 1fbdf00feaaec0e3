//! Decisions: the results of the planner's parts, from which the plan is assembled.

use std::fmt;

use super::model::{Conflict, Drift, ManualStep, Plan, Skipped};
use super::reason::{DesiredState, Reason};
use crate::catalog::Kind;
use crate::model::resource::Key;

/// One decision other than a change.
#[derive(Debug)]
pub(super) enum Decision {
    /// It should be copied but cannot be.
    Skip(Unplanned),
    /// It is excluded on purpose.
    Exclude(Unplanned),
    /// It keeps its state in the target: intended in a plan, but a shortfall in an undo.
    Keep(Unplanned),
    /// A manual step.
    Manual(ManualStep),
    /// Both tenants have a resource of this kind.
    Shared(&'static Kind),
    /// A resource of this kind is already equal.
    Unchanged(&'static Kind),
    /// A resource of this kind is already equal but is written again.
    Repeated(&'static Kind),
    /// Only the target has it, and it is not deleted.
    Unmanaged(Key),
    /// The target changed it since the last run.
    Drift(Drift),
    /// Both tenants changed it since the last run.
    Conflict(Conflict),
    /// A note.
    Note(Note),
}

/// A resource or field that is not planned, with the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unplanned {
    pub(super) key: Key,
    /// The field, if only a field is not planned.
    pub(super) path: Option<String>,
    pub(super) reason: Reason,
}

/// A fact about a plan that none of its other lists contains.
#[derive(Debug)]
pub(super) enum Note {
    /// A name is not unique in a tenant.
    Twice { tenant: String, key: Key },
    /// A field that the mapping keeps is taken from the source because the resource is new.
    NotKept { key: Key, paths: Vec<String> },
    /// A resource is written again because a change of another kind may reset it.
    Repeated { key: Key, by: &'static str },
    /// Resources of a kind are planned without a kind that the target should have before them.
    NotSelected { kind: String, needs: &'static str },
    /// Deleting resources also deletes user data.
    LostUserData { singular: &'static str, names: Vec<String>, what: &'static str },
}

impl Unplanned {
    /// Concerns a whole resource.
    pub(super) fn whole(key: &Key, reason: Reason) -> Self {
        Self { key: key.clone(), path: None, reason }
    }

    /// Concerns one field of a resource.
    pub(super) fn field(key: &Key, path: impl Into<String>, reason: Reason) -> Self {
        Self { key: key.clone(), path: Some(path.into()), reason }
    }

    /// Converts it into an entry of the plan.
    pub(super) fn into_skipped(self, desired: DesiredState) -> Skipped {
        let is_changed = matches!(self.reason, Reason::Conflict { .. });
        Skipped::new(self.key, self.path, self.reason.text(desired)).because_changed(is_changed)
    }
}

impl Decision {
    /// Skips a resource.
    pub(super) fn skip(key: &Key, reason: Reason) -> Self {
        Self::Skip(Unplanned::whole(key, reason))
    }

    /// Excludes a resource.
    pub(super) fn exclude(key: &Key, reason: Reason) -> Self {
        Self::Exclude(Unplanned::whole(key, reason))
    }

    /// Adds this decision to a plan.
    pub(super) fn add_to(self, mut plan: Plan, desired: DesiredState) -> Plan {
        match self {
            Self::Skip(left) => plan.skipped.push(left.into_skipped(desired)),
            Self::Exclude(left) => plan.excluded.push(left.into_skipped(desired)),
            Self::Keep(left) => match desired {
                DesiredState::Source => plan.excluded.push(left.into_skipped(desired)),
                DesiredState::BeforeRun | DesiredState::Snapshot => plan.skipped.push(left.into_skipped(desired)),
            },
            Self::Manual(step) => plan.manual_steps.push(step),
            Self::Shared(kind) => *plan.shared.entry(kind.name.to_owned()).or_default() += 1,
            Self::Unchanged(kind) => *plan.unchanged.entry(kind.name.to_owned()).or_default() += 1,
            Self::Repeated(kind) => {
                if let Some(unchanged) = plan.unchanged.get_mut(kind.name) {
                    *unchanged = unchanged.saturating_sub(1);
                }
            }
            Self::Unmanaged(key) => plan.unmanaged.entry(key.kind().name.to_owned()).or_default().push(key),
            Self::Drift(drift) => plan.drift.push(drift),
            Self::Conflict(conflict) => plan.conflicts.push(conflict),
            Self::Note(note) => plan.notes.push(note.to_string()),
        }
        plan
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { tenant, key } => write!(out, "{tenant} has several resources with the same name; one of them is shown as {key}"),
            Self::NotKept { key, paths } => {
                let used = match paths.as_slice() {
                    [path] => format!("{path} is used although a `keep` rule matches it"),
                    paths => format!("{} are used although `keep` rules match them", paths.join(", ")),
                };
                write!(out, "{key} is new in the target, so the source's {used}")
            }
            Self::Repeated { key, by } => write!(out, "{key} is written again unchanged, because a change of {by} may reset it"),
            Self::NotSelected { kind, needs } => {
                write!(out, "{kind} may need {needs}, but the target has none and none is selected; --with-dependencies imports them")
            }
            Self::LostUserData { singular, names, what } => {
                let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
                write!(out, "deleting {singular} {names} also deletes {what}; an undo cannot restore this")
            }
        }
    }
}
