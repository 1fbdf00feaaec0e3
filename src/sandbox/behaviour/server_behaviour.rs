//! The words in which this folder says what the server does with one kind beyond its entry in the catalog.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::store::ids::Mint;
use crate::sandbox::store::table::Table;

/// Who and what stands around a write.
pub(crate) struct Scene<'scene> {
    /// The kind that is written.
    pub(crate) kind: &'scene Kind,
    /// The tenant's name.
    pub(crate) tenant: &'scene str,
    /// The tenant's domain.
    pub(crate) domain: &'scene str,
    /// The day the tenant is played on; nothing where it is played as the server was last recorded.
    pub(crate) day: Option<&'scene str>,
    /// Where new values come from.
    pub(crate) mint: &'scene mut Mint,
    /// The others of the kind.
    pub(crate) siblings: Option<&'scene Table>,
    /// Everything that the tenant holds, by kind.
    pub(crate) tables: &'scene HashMap<&'static str, Table>,
}

/// What the server does with one kind.
pub(crate) struct Habit {
    /// The kind.
    pub(crate) kind: &'static str,
    /// The statuses of a create and of a removal.
    pub(crate) statuses: (u16, u16),
    /// What the server fills in that nobody can send: a path, and its value as JSON text.
    pub(crate) filled: &'static [(&'static str, &'static str)],
    /// Objects that a PATCH merges to their very bottom.
    pub(crate) deep: &'static [&'static str],
    /// Whether the answer of an update shows what was sent and nothing else.
    pub(crate) echoes: bool,
    /// Defaults of the catalog that the server does not show.
    pub(crate) unshown: &'static [&'static str],
    /// Paths that are taken though the API's description does not know them.
    pub(crate) tolerated: &'static [&'static str],
    /// Lists that are no sets, for the check of types.
    pub(crate) lists: &'static [&'static str],
    /// What must be sent where a field holds a value: the field, the value, what must be there.
    pub(crate) needed: &'static [(&'static str, &'static str, &'static str)],
    /// A required field, and one that stands in for it.
    pub(crate) instead: &'static [(&'static str, &'static str)],
    /// Two fields that cannot both be set.
    pub(crate) exclusive: &'static [(&'static str, &'static str)],
    /// Fields of a create that an update may repeat, unchanged.
    pub(crate) repeatable: &'static [&'static str],
    /// Whether its path may name it by its key in place of its id.
    pub(crate) found_by_key: bool,
    /// Query parameters that filter by a field of another name.
    pub(crate) filters: &'static [(&'static str, &'static str)],
    /// Completes what a create stores: the body sent, what is stored so far.
    pub(crate) created: fn(&Body, &mut Body, &mut Scene<'_>),
    /// Completes what an update stores: the body before, the one sent, what is stored so far.
    pub(crate) updated: fn(&Body, &Body, &mut Body, &mut Scene<'_>),
    /// Adds what only the answer of a create holds.
    pub(crate) create_answer: fn(&Body, &mut Body, &mut Scene<'_>),
    /// Changes what the answer of an update shows.
    pub(crate) update_answer: fn(&mut Body),
    /// Completes what the follow-up of a write does.
    pub(crate) followed: fn(&mut Body, &mut Scene<'_>),
    /// What can be written and never read back.
    pub(crate) write_only: &'static [&'static str],
    /// Hides what a token without the scope for keys may not see.
    pub(crate) hidden: &'static [&'static str],
    /// Paths that answers of updates show and reads do not.
    pub(crate) unread: &'static [&'static str],
    /// Adds what only a list tells of a resource: the resource, what the list shows so far.
    pub(crate) told_in_lists: fn(&Body, &mut Value),
    /// Query parameters that hold several values with commas between.
    pub(crate) comma_separated: &'static [&'static str],
    /// Paths that the answer of an update repeats from another object: the path, where that object is, its field.
    pub(crate) repeated: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that list a child: the field, the child.
    pub(crate) listed: &'static [(&'static str, &'static str)],
}

pub(crate) const PLAIN: Habit = Habit {
    kind: "",
    statuses: (201, 204),
    filled: &[],
    deep: &[],
    echoes: false,
    unshown: &[],
    tolerated: &[],
    lists: &[],
    needed: &[],
    instead: &[],
    exclusive: &[],
    repeatable: &[],
    found_by_key: false,
    filters: &[],
    created: |_, _, _| {},
    updated: |_, _, _, _| {},
    create_answer: |_, _, _| {},
    update_answer: |_| {},
    followed: |_, _| {},
    write_only: &[],
    hidden: &[],
    unread: &[],
    told_in_lists: |_, _| {},
    comma_separated: &[],
    repeated: &[],
    listed: &[],
};

/// Returns the moment as the server dates things.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
