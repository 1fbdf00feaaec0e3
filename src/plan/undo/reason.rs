//! Reasons why an undo leaves something unchanged, and their texts.

use std::fmt;

use crate::model::resource::Key;

/// Why a part of a run is not reverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UndoReason {
    /// A reason stated by the catalog, the configuration or the target.
    Stated(String),
    /// The run may have created it, or another one like it.
    MayBeCreated,
    /// An earlier undo may have recreated it, or another one like it.
    MayBeRecreated,
    /// The target no longer has it.
    Gone,
    /// Another resource has its name.
    NameTaken,
    /// Its value has changed since.
    ChangedAgain,
    /// The run created it, and a field has changed since.
    CreatedAndChanged { path: String },
    /// Elements that the run added have changed since.
    AddedAndChanged,
    /// The run sent a secret.
    SecretSent,
    /// The run created it, and no request can delete it.
    NotRemovable,
    /// No request can undo a first deployment.
    FirstDeployment,
    /// A protected resource would be affected.
    NeededByProtected(Key),
    /// A resource that is not reverted refers to it.
    ReferredToBy(Key),
    /// User data was lost with it.
    UserDataLost(&'static str),
    /// It was deleted together with a resource that is not recreated.
    WentWith(Key),
    /// It referred to a resource that is not recreated.
    NamedLost,
}

impl UndoReason {
    /// Returns whether somebody changed the resource after the run.
    pub(super) fn is_later_change(&self) -> bool {
        matches!(self, Self::Gone | Self::ChangedAgain | Self::CreatedAndChanged { .. } | Self::AddedAndChanged)
    }
}

impl fmt::Display for UndoReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stated(text) => out.write_str(text),
            Self::MayBeCreated => out.write_str("the run may have created it, but several resources in the target match"),
            Self::MayBeRecreated => out.write_str("an earlier undo may have created it again, but several resources in the target match"),
            Self::Gone => out.write_str("it no longer exists in the target"),
            Self::NameTaken => out.write_str("the target now has another resource with this name"),
            Self::ChangedAgain => out.write_str("it has changed since the run"),
            Self::CreatedAndChanged { path } => write!(out, "the run created it, but its {path} changed afterwards"),
            Self::AddedAndChanged => out.write_str("the part that the run added has changed since"),
            Self::SecretSent => out.write_str("the run sent a secret, and the previous secret cannot be read"),
            Self::NotRemovable => out.write_str("the API cannot delete it; the values that the run wrote are cleared"),
            Self::FirstDeployment => out.write_str("it took effect for the first time, which the API cannot undo"),
            Self::NeededByProtected(root) => write!(out, "deleting it would affect {root}, which is excluded"),
            Self::ReferredToBy(other) => write!(out, "{other} still refers to it"),
            Self::UserDataLost(what) => write!(out, "the run also deleted {what}, which cannot be restored"),
            Self::WentWith(other) => write!(out, "it was deleted with {other}, which is not restored"),
            Self::NamedLost => out.write_str("it referred to a resource that is not restored"),
        }
    }
}
