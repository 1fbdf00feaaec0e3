//! Reasons why something is not changed: the only place where they are put into words.
//!
//! Decisions carry a reason; a plan carries its text, and nothing reads that again.

use std::fmt;

use crate::model::resource::{Id, Key};

/// How to accept what a tenant does not show.
const ACCEPTED_BY: &str = "; a rule with `skip = true` accepts that";

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
pub enum StayReason {
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

impl StayReason {
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

/// Why a resource or a field of it is skipped or excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// What the catalog, the configuration or a tenant says.
    Stated(String),
    /// A tenant does not show it, as it says; a rule can accept that.
    Refused(String),
    /// The source does not show it.
    UnseenInSource { tenant: String, stated: String },
    /// The target does not show it.
    UnseenInTarget { stated: String },
    /// The target does not serve the kind; a rule can accept that.
    Unserved { kind: &'static str, stated: String },
    /// The kind was not read in the target.
    Unread { kind: &'static str },
    /// What it is linked to is gone.
    LinkedIsGone { kind: &'static str, singular: &'static str, source: Id, target: Id },
    /// Its name stands for several resources.
    Ambiguous(Box<AmbiguousName>),
    /// Another resource has a name that no tenant takes twice.
    Taken { by: Side, singular: &'static str, field: &'static str },
    /// It cannot be created without a secret that nobody supplies.
    WithoutSecret { path: String },
    /// The target will not have its language.
    WithoutLanguage(String),
    /// What it belongs to is not planned.
    Orphan,
    /// Both tenants changed these fields.
    Conflict { fields: Vec<String> },
    /// It differs and stays.
    Stays(StayReason),
    /// It differs and should not stay.
    Differs(StayReason),
    /// A required field of it differs and should not stay.
    RequiredDiffers { path: String, why: StayReason },
    /// It refers to something that the target will not have.
    Refers(Key),
    /// It needs something that the target lacks and that was not selected.
    NotSelected(Key),
    /// It refers to something that the tenant of the desired state does not have either.
    Dangles { to: &'static str, value: String },
    /// A text in it mentions something that the target will not have.
    Mentions { field: String, missing: Key },
    /// The target has a choice where the source has only its own domain.
    TargetChose,
    /// It cannot be written in a new resource.
    Unwritable(Unwritable),
    /// It differs and cannot be written.
    DiffersUnwritable(Unwritable),
    /// Only the target withholds it.
    TargetsSecret,
    /// Both tenants withhold it.
    Incomparable,
    /// It stays for the sake of a protected resource.
    Protected { root: Key, by: ProtectedBy },
    /// It is not known whether the source still has it.
    MayBeInSource { source: String, stated: String },
    /// It is gone from the source and stays.
    Gone { source: String, why: GoneReason },
}

/// One of the two tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

/// A name that stands for several resources: each tenant's name, and the ids in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AmbiguousName {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) source: (String, Vec<Id>),
    pub(super) target: (String, Vec<Id>),
}

/// Why an object or a list cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwritable {
    /// A secret belongs in it.
    WithoutSecret,
    /// Secrets were taken out of the list.
    WithoutListSecrets,
    /// It is laid over what the target holds, and that cannot be read.
    Unread,
    /// The API refuses it because of what the target holds.
    Blocked,
}

/// How something concerns a protected resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProtectedBy {
    /// It belongs to the protected resource.
    Belonging,
    /// It cannot be created without naming the protected resource.
    RequiredReference,
    /// It names the protected resource.
    Reference,
    /// Its write may reset the protected resource.
    Reset,
}

/// Why something stays that is gone from the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GoneReason {
    /// A protected resource would lose something.
    Protected(Key),
    /// Something that belongs to it and is not selected would be deleted with it.
    TakesAlong(Key),
    /// It holds more than a run brought.
    HoldsMore,
    /// No request removes it.
    NotRemovable,
    /// The source lists none of its kind.
    NoneListed { kind: &'static str },
}

impl Reason {
    /// Returns the reason in words, as said of this desired state.
    pub(super) fn text(&self, desired: DesiredState) -> String {
        match self {
            Self::Stated(text) => text.clone(),
            Self::Refused(text) => format!("{text}{ACCEPTED_BY}"),
            Self::UnseenInSource { tenant, stated } => format!("{tenant} does not show it: {stated}"),
            Self::UnseenInTarget { stated } => format!("the target does not show it: {stated}"),
            Self::Unserved { kind, stated } => format!("the target does not serve {kind}: {stated}{ACCEPTED_BY}"),
            Self::Unread { kind } => format!("{kind} of the target were not read"),
            Self::LinkedIsGone { kind, singular, source, target } => {
                let hint = format!("`migrate unlink {kind} {source}` lets it be made anew");
                format!("the {singular} it is linked to ({target}) is gone from the target; {hint}")
            }
            Self::Ambiguous(name) => name.to_string(),
            Self::Taken { by, singular, field } => format!("{by} has another {singular} of this {field}, and no tenant takes two"),
            Self::WithoutSecret { path } => format!("it cannot be made without its {path}"),
            Self::WithoutLanguage(language) => format!("{language} will be none of the target's languages"),
            Self::Orphan => "the resource it belongs to is left out".to_owned(),
            Self::Conflict { fields } => format!("both tenants changed its {} since the last run", fields.join(", ")),
            Self::Stays(why) => why.text(desired).to_owned(),
            Self::Differs(why) => format!("it differs in the target, and {}", why.text(desired)),
            Self::RequiredDiffers { path, why } => format!("its {path} differs in the target, and {}", why.text(desired)),
            Self::Refers(key) => format!("it refers to {key}, which the target does not have"),
            Self::NotSelected(key) => {
                format!("it needs {key}, which the target does not have and which is not selected; --with-dependencies includes it")
            }
            Self::Dangles { to, value } => format!("it refers to {to} {value}, {}", StayReason::DanglingReference.text(desired)),
            Self::Mentions { field, missing } => format!("its {field} mentions {missing}, which the target does not have"),
            Self::TargetChose => "the source chose none and has its own domain there, so the target's choice stands".to_owned(),
            Self::Unwritable(why) => format!("it {why}"),
            Self::DiffersUnwritable(why) => format!("it differs in the target and {why}"),
            Self::TargetsSecret => "it is a secret in the target, which stays as it is".to_owned(),
            Self::Incomparable => "it is withheld as a secret in both tenants, so it was not compared".to_owned(),
            Self::Protected { root, by: ProtectedBy::Belonging } => format!("it belongs to {root}, which is left alone"),
            Self::Protected { root, by: ProtectedBy::RequiredReference } => format!("it names {root}, which is left alone"),
            Self::Protected { root, by: ProtectedBy::Reference } => format!("{root} is left alone"),
            Self::Protected { root, by: ProtectedBy::Reset } => format!("its write may reset {root}, which is left alone"),
            Self::MayBeInSource { source, stated } => {
                format!("it stays, since it is not known whether {source} still has it: {stated}")
            }
            Self::Gone { source, why } => format!("gone from {source}, {why}"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Source => "the source",
            Self::Target => "the target",
        })
    }
}

impl fmt::Display for AmbiguousName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, source, target } = self;
        let stands_for = |(tenant, ids): &(String, Vec<Id>)| {
            format!("{} in {tenant} ({})", ids.len(), ids.iter().map(Id::as_str).collect::<Vec<_>>().join(", "))
        };
        let hint = format!("say which is which with `migrate link {kind} <source id> <target id>`");
        write!(out, "\"{name}\" stands for {} and {}; {hint}", stands_for(source), stands_for(target))
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::WithoutSecret => "cannot be written without the secret in it; supply that with a `secret` rule in the mapping",
            Self::WithoutListSecrets => "would be written without the secrets in it; supply them with a `secret` rule in the mapping",
            Self::Unread => "cannot be written over what cannot be read there; the token may lack a scope",
            Self::Blocked => "is refused while the target's own signs with keys; detach those in the target first",
        })
    }
}

impl fmt::Display for GoneReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protected(root) => write!(out, "and {root}, which is left alone, would lose by that"),
            Self::TakesAlong(key) => write!(out, "and {key}, which is not selected, would be deleted with it"),
            Self::HoldsMore => out.write_str("and it holds more than a run brought"),
            Self::NotRemovable => out.write_str("and no request removes it"),
            Self::NoneListed { kind } => {
                let unknown = "its token may not see them; if they were deleted there, delete this one by hand";
                write!(out, "which lists no {kind} at all: {unknown}")
            }
        }
    }
}
