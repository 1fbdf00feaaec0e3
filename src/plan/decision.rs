//! Decisions: what the parts of the planner return, and what a plan is folded from.

use std::fmt;

use super::model::{Conflict, Drift, ManualStep, Plan, Skipped};
use super::reason::{DesiredState, Reason};
use crate::catalog::Kind;
use crate::model::resource::Key;

/// One thing that was decided, besides the changes.
#[derive(Debug)]
pub(super) enum Decision {
    /// It should be copied and cannot be.
    Skip(Unplanned),
    /// It is not changed on purpose.
    Exclude(Unplanned),
    /// It stays as it is in the target: on purpose, but in an undo that is a shortfall.
    Keep(Unplanned),
    /// A person has to do something.
    Manual(ManualStep),
    /// Both tenants have a resource of this kind.
    Shared(&'static Kind),
    /// A resource of this kind is equal already.
    Unchanged(&'static Kind),
    /// A resource of this kind is equal already and is written again all the same.
    Repeated(&'static Kind),
    /// Only the target has it, and it is not deleted.
    Unmanaged(Key),
    /// It changed in the target since the last run.
    Drift(Drift),
    /// Both tenants changed it since the last run.
    Conflict(Conflict),
    /// It is worth a line.
    Note(Note),
}

/// A resource or field that is not planned, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unplanned {
    pub(super) key: Key,
    /// The field, if only that is not planned.
    pub(super) path: Option<String>,
    pub(super) reason: Reason,
}

/// Something about a plan that its other lists do not say.
#[derive(Debug)]
pub(super) enum Note {
    /// A name stands twice in a tenant.
    Twice { tenant: String, key: Key },
    /// A field that the mapping keeps is taken from the source, since the resource is new.
    NotKept { key: Key, path: String },
    /// It is written again since a change of a kind may reset it.
    Repeated { key: Key, by: &'static str },
    /// Resources of a kind are planned without what the target should have before them.
    NotSelected { kind: String, needs: &'static str },
    /// User data goes with deleted resources.
    LostUserData { singular: &'static str, names: Vec<String>, what: &'static str },
}

impl Unplanned {
    /// Returns the whole of a resource.
    pub(super) fn whole(key: &Key, reason: Reason) -> Self {
        Self { key: key.clone(), path: None, reason }
    }

    /// Returns one field of a resource.
    pub(super) fn field(key: &Key, path: impl Into<String>, reason: Reason) -> Self {
        Self { key: key.clone(), path: Some(path.into()), reason }
    }

    /// Returns it as a plan lists it.
    pub(super) fn into_skipped(self, desired: DesiredState) -> Skipped {
        Skipped { reason: self.reason.text(desired), key: self.key, path: self.path }
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

    /// Returns a plan with this decision.
    pub(super) fn add_to(self, mut plan: Plan, desired: DesiredState) -> Plan {
        match self {
            Self::Skip(left) => plan.skipped.push(left.into_skipped(desired)),
            Self::Exclude(left) => plan.excluded.push(left.into_skipped(desired)),
            Self::Keep(left) => match desired {
                DesiredState::Source => plan.excluded.push(left.into_skipped(desired)),
                DesiredState::BeforeRun => plan.skipped.push(left.into_skipped(desired)),
            },
            Self::Manual(step) => plan.manual_steps.push(step),
            Self::Shared(kind) => *plan.shared.entry(kind.name.to_owned()).or_default() += 1,
            Self::Unchanged(kind) => *plan.unchanged.entry(kind.name.to_owned()).or_default() += 1,
            Self::Repeated(kind) => {
                if let Some(unchanged) = plan.unchanged.get_mut(kind.name) {
                    *unchanged = unchanged.saturating_sub(1);
                }
            }
            Self::Unmanaged(key) => plan.unmanaged.entry(key.kind().to_owned()).or_default().push(key),
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
            Self::Twice { tenant, key } => write!(out, "{tenant} has a name that stands twice; it is called {key} here"),
            Self::NotKept { key, path } => {
                let used = format!("so the source's {path} is used, though the mapping keeps the target's own");
                write!(out, "{key} is new in the target, {used}")
            }
            Self::Repeated { key, by } => write!(out, "{key} is written again as it is, since a change of {by} may reset it"),
            Self::NotSelected { kind, needs } => {
                write!(
                    out,
                    "{kind} may need {needs}, of which the target has none and nothing is selected; --with-dependencies includes them"
                )
            }
            Self::LostUserData { singular, names, what } => {
                let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
                write!(out, "with {singular} {names} goes what no undo brings back: {what}")
            }
        }
    }
}
