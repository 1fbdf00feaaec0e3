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

impl fmt::Display for UndoReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stated(text) => out.write_str(text),
            Self::MayBeCreated => out.write_str("the run may have created it, but which of those in the target it is, is not known"),
            Self::MayBeRecreated => {
                out.write_str("an earlier undo may have created it again, but which of those in the target it is, is not known")
            }
            Self::Gone => out.write_str("it is gone from the target since the run"),
            Self::NameTaken => out.write_str("the target has another of this name by now"),
            Self::ChangedAgain => out.write_str("it changed again since the run"),
            Self::CreatedAndChanged { path } => write!(out, "its {path} changed again since the run, which created it"),
            Self::AddedAndChanged => out.write_str("what the run added to it changed again since"),
            Self::SecretSent => out.write_str("a secret was sent, and what it was before nobody can read"),
            Self::NotRemovable => out.write_str("no request removes it; what the run wrote into it is cleared"),
            Self::FirstDeployment => out.write_str("it took effect for the first time, and no request takes that back"),
            Self::NeededByProtected(root) => write!(out, "{root}, which is left alone, would lose by its going"),
            Self::ReferredToBy(other) => write!(out, "{other} refers to it, and that is not taken back"),
            Self::UserDataLost(what) => write!(out, "{what} went with it, and nothing here brings that back"),
            Self::WentWith(other) => write!(out, "it went with {other}, which is not there again"),
            Self::NamedLost => out.write_str("it named what is not there again"),
        }
    }
}
