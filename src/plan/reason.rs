//! Reasons why something is not changed, and their texts.
//!
//! Decisions contain a reason; a plan contains only its text, which no code parses.

use std::fmt;

use crate::model::resource::{Id, Key};

/// How to accept something that a tenant does not return.
const ACCEPTED_BY: &str = "; to accept this, add a rule with `skip = true` to the mapping";

/// The state that a plan brings the target into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesiredState {
    /// The mapped source. List elements that refer to resources only the target has are kept.
    Source,
    /// The target as it was before a run.
    BeforeRun,
    /// The target as one of its own snapshots holds it. Elements of lists that refer to resources created since stay with them.
    Snapshot,
}

/// Why a differing field is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayReason {
    /// The desired state contains no settings of a singleton.
    Unspecified,
    /// The desired state lacks a field that the server fills in by itself.
    ServerFilled,
    /// Only the target has the field, and it may be the server's own.
    TargetOnly,
    /// A reference names a resource that does not exist in the tenant of the desired state.
    DanglingReference,
    /// Only a create can set the field.
    CreateOnly,
    /// No request can clear the field.
    NotClearable,
}

impl StayReason {
    /// Returns the reason as text, for this desired state.
    #[must_use]
    pub fn text(self, desired: DesiredState) -> &'static str {
        match (self, desired) {
            (Self::Unspecified, DesiredState::Source) => "the source has no settings for it",
            (Self::Unspecified, DesiredState::BeforeRun) => "it was not set before the run, and the API cannot clear it",
            (Self::ServerFilled, DesiredState::Source) => "it is not set in the source, and Auth0 fills it in",
            (Self::ServerFilled, DesiredState::BeforeRun) => "it was not set before the run, and Auth0 fills it in",
            (Self::TargetOnly, _) => "it is set only in the target, possibly by Auth0",
            (Self::Unspecified, DesiredState::Snapshot) => "it is not set in the snapshot, and the API cannot clear it",
            (Self::ServerFilled, DesiredState::Snapshot) => "it is not set in the snapshot, and Auth0 fills it in",
            (Self::DanglingReference, DesiredState::Source) => "which the source does not have",
            (Self::DanglingReference, DesiredState::BeforeRun | DesiredState::Snapshot) => "which the target does not have",
            (Self::CreateOnly, _) => "it can only be set when the resource is created",
            (Self::NotClearable, _) => "the API has no way to clear it",
        }
    }
}

/// Why a resource or a field of it is skipped or excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// A reason stated by the catalog, the configuration or a tenant.
    Stated(String),
    /// A tenant refuses to return it, for the stated reason; a rule can accept that.
    Refused(String),
    /// The source does not return it.
    UnseenInSource { tenant: String, stated: String },
    /// The target does not return it.
    UnseenInTarget { stated: String },
    /// The target does not serve the kind; a rule can accept that.
    Unserved { kind: &'static str, stated: String },
    /// The kind was not read in the target.
    Unread { kind: &'static str },
    /// The linked resource no longer exists.
    LinkedIsGone { kind: &'static str, singular: &'static str, source: Id, target: Id },
    /// Several resources have its name.
    Ambiguous(Box<AmbiguousName>),
    /// Another resource has a name that must be unique in a tenant.
    Taken { by: Side, singular: &'static str, field: &'static str },
    /// It cannot be created without a secret that is not supplied.
    WithoutSecret { path: String },
    /// The target will not support its language.
    WithoutLanguage(String),
    /// The resource that it belongs to is not planned.
    Orphan,
    /// Both tenants changed these fields.
    Conflict { fields: Vec<String> },
    /// It differs and is kept on purpose.
    Stays(StayReason),
    /// It differs, but cannot be changed.
    Differs(StayReason),
    /// A required field of it differs, but cannot be changed.
    RequiredDiffers { path: String, why: StayReason },
    /// It refers to a resource that the target will not have.
    Refers(Key),
    /// It needs a resource that the target lacks and that is not selected.
    NotSelected(Key),
    /// It refers to a resource that does not exist in the tenant of the desired state either.
    Dangles { to: &'static str, value: String },
    /// One of its texts mentions a resource that the target will not have.
    Mentions { field: String, missing: Key },
    /// A text contains a placeholder that names no kind.
    NoKind { field: String, text: String },
    /// The target has a choice of its own where the source uses its own domain.
    TargetChose,
    /// It cannot be written in a new resource.
    Unwritable(Unwritable),
    /// It differs and cannot be written.
    DiffersUnwritable(Unwritable),
    /// Only the target withholds it.
    TargetsSecret,
    /// Both tenants withhold it.
    Incomparable,
    /// It is kept because of a protected resource.
    Protected { root: Key, by: ProtectedBy },
    /// The source may still have it.
    MayBeInSource { source: String, stated: String },
    /// The source no longer has it, but it is kept.
    Gone { source: String, why: GoneReason },
}

/// One of the two tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

/// A name that several resources have: the name in each tenant, and the ids there.
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
    /// A secret in it is not supplied.
    WithoutSecret,
    /// Secrets were removed from the list.
    WithoutListSecrets,
    /// It needs read-modify-write, and the target's value cannot be read.
    Unread,
    /// The API refuses it because of another value in the target.
    Blocked,
}

/// How a resource is related to a protected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProtectedBy {
    /// It belongs to the protected resource.
    Belonging,
    /// It cannot be created without referring to the protected resource.
    RequiredReference,
    /// It refers to the protected resource.
    Reference,
    /// Writing it may reset the protected resource.
    Reset,
}

/// Why a resource is kept although the source no longer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GoneReason {
    /// A protected resource would be affected.
    Protected(Key),
    /// Unselected resources that belong to it would be deleted too.
    TakesAlong(Key),
    /// It contains more than a run wrote.
    HoldsMore,
    /// No request can delete it.
    NotRemovable,
    /// The source lists no resources of its kind.
    NoneListed { kind: &'static str },
}

impl Reason {
    /// Returns the reason as text, for this desired state.
    pub(super) fn text(&self, desired: DesiredState) -> String {
        match self {
            Self::Stated(text) => text.clone(),
            Self::Refused(text) => format!("{text}{ACCEPTED_BY}"),
            Self::UnseenInSource { tenant, stated } => format!("{tenant} does not return it: {stated}"),
            Self::UnseenInTarget { stated } => format!("the target does not return it: {stated}"),
            Self::Unserved { kind, stated } => format!("the target does not support {kind}: {stated}{ACCEPTED_BY}"),
            Self::Unread { kind } => format!("{kind} of the target were not read"),
            Self::LinkedIsGone { kind, singular, source, target } => {
                let hint = format!("to create it again, run `migrate unlink {kind} {source}`");
                format!("the linked {singular} ({target}) no longer exists in the target; {hint}")
            }
            Self::Ambiguous(name) => name.to_string(),
            Self::Taken { by, singular, field } => format!("{by} has another {singular} with this {field}, which must be unique"),
            Self::WithoutSecret { path } => format!("it cannot be created without its {path}"),
            Self::WithoutLanguage(language) => format!("{language} will not be a language of the target"),
            Self::Orphan => "the resource that it belongs to is not copied".to_owned(),
            Self::Conflict { fields } => format!("both tenants changed its {} since the last run", fields.join(", ")),
            Self::Stays(why) => why.text(desired).to_owned(),
            Self::Differs(why) => format!("it differs in the target, and {}", why.text(desired)),
            Self::RequiredDiffers { path, why } => format!("its {path} differs in the target, and {}", why.text(desired)),
            Self::Refers(key) => format!("it refers to {key}, which the target does not have"),
            Self::NotSelected(key) => {
                format!("it needs {key}, which the target does not have and which is not selected; --with-dependencies includes it")
            }
            Self::Dangles { to, value } => format!("it refers to {to} {value}, {}", StayReason::DanglingReference.text(desired)),
            Self::NoKind { field, text } => format!("its {field} mentions {text}, and there is no such kind"),
            Self::Mentions { field, missing } => format!("its {field} mentions {missing}, which the target does not have"),
            Self::TargetChose => "the source uses its own domain, so the target keeps its value".to_owned(),
            Self::Unwritable(why) => format!("it {why}"),
            Self::DiffersUnwritable(why) => format!("it differs in the target and {why}"),
            Self::TargetsSecret => "it is a secret in the target, so it is not changed".to_owned(),
            Self::Incomparable => "it is withheld as a secret in both tenants, so it was not compared".to_owned(),
            Self::Protected { root, by: ProtectedBy::Belonging } => format!("it belongs to {root}, which is excluded"),
            Self::Protected { root, by: ProtectedBy::RequiredReference } => format!("it names {root}, which is excluded"),
            Self::Protected { root, by: ProtectedBy::Reference } => format!("{root} is excluded"),
            Self::Protected { root, by: ProtectedBy::Reset } => format!("its write may reset {root}, which is excluded"),
            Self::MayBeInSource { source, stated } => {
                format!("it is not deleted, because {source} may still have it: {stated}")
            }
            Self::Gone { source, why } => format!("it is gone from {source}, but {why}"),
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
        let hint = format!("link them with `migrate link {kind} <source id> <target id>`");
        write!(out, "\"{name}\" is ambiguous: {}, {}; {hint}", stands_for(source), stands_for(target))
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::WithoutSecret => "cannot be written without its secret; supply the secret with a `secret` rule in the mapping",
            Self::WithoutListSecrets => "would be written without its secrets; supply them with a `secret` rule in the mapping",
            Self::Unread => "cannot be merged with the target's value, which cannot be read; the token may lack a scope",
            Self::Blocked => {
                "is refused as long as the resource in the target authenticates with keys; detach the keys in the target first"
            }
        })
    }
}

impl fmt::Display for GoneReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protected(root) => write!(out, "deleting it would affect {root}, which is excluded"),
            Self::TakesAlong(key) => write!(out, "deleting it would also delete {key}, which is not selected"),
            Self::HoldsMore => out.write_str("it contains more than earlier runs wrote"),
            Self::NotRemovable => out.write_str("the API cannot delete it"),
            Self::NoneListed { kind } => {
                let unknown = "the token may not read them; if they were deleted there, delete this one manually";
                write!(out, "the source lists no {kind} at all: {unknown}")
            }
        }
    }
}
