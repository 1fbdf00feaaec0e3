//! Reasons why a difference stays, worded for an import or an undo.

/// What a plan makes the target hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesiredState {
    /// The mapped source. Elements of lists that refer to resources only the target has stay.
    Source,
    /// The target as it was before a run.
    BeforeRun,
}

/// Why something that differs is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The desired state holds no settings of a singleton.
    Unspecified,
    /// The desired state does not hold a field that the server fills in by itself.
    ServerFilled,
    /// Only the target has the field, and it may be the server's own.
    TargetOnly,
    /// A reference names nothing that the tenant of the desired state has.
    DanglingReference,
    /// Only a create can set the field.
    CreateOnly,
    /// No request clears the field.
    NotClearable,
}

impl Reason {
    /// Returns the reason in words, as said of this desired state.
    #[must_use]
    pub fn text(self, desired: DesiredState) -> &'static str {
        match (self, desired) {
            (Self::Unspecified, DesiredState::Source) => "the source says nothing of it",
            (Self::Unspecified, DesiredState::BeforeRun) => "it said nothing before the run, and no request takes away what it says",
            (Self::ServerFilled, DesiredState::Source) => "the source does not say it, and every tenant fills it in",
            (Self::ServerFilled, DesiredState::BeforeRun) => "it was not there before the run, and every tenant fills it in",
            (Self::TargetOnly, _) => "only the target has it, and it may be the server's own",
            (Self::DanglingReference, DesiredState::Source) => "which the source does not have",
            (Self::DanglingReference, DesiredState::BeforeRun) => "which the target does not have",
            (Self::CreateOnly, _) => "it can only be set when the resource is created",
            (Self::NotClearable, _) => "the API has no way to clear it",
        }
    }
}
