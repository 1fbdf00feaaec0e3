//! The words in which this folder says what the server does with one kind beyond its entry in the catalog.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::store::ids::IdGenerator;
use crate::sandbox::store::table::ResourceTable;

/// Who and what stands around a write.
pub(crate) struct WriteContext<'context> {
    /// The kind that is written.
    pub(crate) kind: &'context Kind,
    /// The tenant's name.
    pub(crate) tenant: &'context str,
    /// The tenant's domain.
    pub(crate) domain: &'context str,
    /// The day the tenant is played on; nothing where it is played as the server was last recorded.
    pub(crate) day: Option<&'context str>,
    /// Where new values come from.
    pub(crate) ids: &'context mut IdGenerator,
    /// The others of the kind.
    pub(crate) siblings: Option<&'context ResourceTable>,
    /// Everything that the tenant holds, by kind.
    pub(crate) tables: &'context HashMap<&'static str, ResourceTable>,
}

/// What the server does with one kind.
pub(crate) struct ServerBehaviour {
    /// The kind.
    pub(crate) kind: &'static str,
    /// The statuses of a create and of a removal.
    pub(crate) statuses: (u16, u16),
    /// What the server fills in that nobody can send: a path, and its value as JSON text.
    pub(crate) server_filled: &'static [(&'static str, &'static str)],
    /// Objects that a PATCH merges to their very bottom.
    pub(crate) deep_merged: &'static [&'static str],
    /// Whether the answer of an update shows what was sent and nothing else.
    pub(crate) update_echoes_request: bool,
    /// Defaults of the catalog that the server does not show.
    pub(crate) hidden_defaults: &'static [&'static str],
    /// Paths that are taken though the API's description does not know them.
    pub(crate) also_accepted: &'static [&'static str],
    /// Lists that are no sets, for the check of types.
    pub(crate) lists: &'static [&'static str],
    /// What must be sent where a field holds a value: the field, the value, what must be there.
    pub(crate) required_if: &'static [(&'static str, &'static str, &'static str)],
    /// A required field, and one that stands in for it.
    pub(crate) required_alternatives: &'static [(&'static str, &'static str)],
    /// Two fields that cannot both be set.
    pub(crate) exclusive: &'static [(&'static str, &'static str)],
    /// Fields of a create that an update may repeat, unchanged.
    pub(crate) repeatable_in_update: &'static [&'static str],
    /// Whether its path may name it by its key in place of its id.
    pub(crate) found_by_key: bool,
    /// Query parameters that filter by a field of another name.
    pub(crate) filter_fields: &'static [(&'static str, &'static str)],
    /// Completes what a create stores: the body sent, what is stored so far.
    pub(crate) on_create: fn(&Body, &mut Body, &mut WriteContext<'_>),
    /// Completes what an update stores: the body before, the one sent, what is stored so far.
    pub(crate) on_update: fn(&Body, &Body, &mut Body, &mut WriteContext<'_>),
    /// Adds what only the answer of a create holds.
    pub(crate) on_create_response: fn(&Body, &mut Body, &mut WriteContext<'_>),
    /// Changes what the answer of an update shows.
    pub(crate) on_update_response: fn(&mut Body),
    /// Completes what the follow-up of a write does.
    pub(crate) on_follow_up: fn(&mut Body, &mut WriteContext<'_>),
    /// What can be written and never read back.
    pub(crate) write_only: &'static [&'static str],
    /// Hides what a token without the scope for keys may not see.
    pub(crate) needs_key_scope: &'static [&'static str],
    /// Paths that answers of updates show and reads do not.
    pub(crate) update_response_only: &'static [&'static str],
    /// Adds what only a list tells of a resource: the resource, what the list shows so far.
    pub(crate) on_list: fn(&Body, &mut Value),
    /// Query parameters that hold several values with commas between.
    pub(crate) comma_separated: &'static [&'static str],
    /// Paths that the answer of an update repeats from another object: the path, where that object is, its field.
    pub(crate) copied_into_update_response: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that list a child: the field, the child.
    pub(crate) child_lists: &'static [(&'static str, &'static str)],
}

pub(crate) const CATALOG_ONLY: ServerBehaviour = ServerBehaviour {
    kind: "",
    statuses: (201, 204),
    server_filled: &[],
    deep_merged: &[],
    update_echoes_request: false,
    hidden_defaults: &[],
    also_accepted: &[],
    lists: &[],
    required_if: &[],
    required_alternatives: &[],
    exclusive: &[],
    repeatable_in_update: &[],
    found_by_key: false,
    filter_fields: &[],
    on_create: |_, _, _| {},
    on_update: |_, _, _, _| {},
    on_create_response: |_, _, _| {},
    on_update_response: |_| {},
    on_follow_up: |_, _| {},
    write_only: &[],
    needs_key_scope: &[],
    update_response_only: &[],
    on_list: |_, _| {},
    comma_separated: &[],
    copied_into_update_response: &[],
    child_lists: &[],
};

/// Returns the timing as the server dates things.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
