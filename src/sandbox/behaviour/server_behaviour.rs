//! `ServerBehaviour`: what the server does with one kind beyond its catalog entry.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::Body;
use crate::sandbox::store::ids::IdGenerator;
use crate::sandbox::store::table::ResourceTable;

/// The tenant's data that a behaviour may use during a write.
pub(crate) struct WriteContext<'context> {
    /// The kind that is written.
    pub(crate) kind: &'context Kind,
    /// The tenant's name.
    pub(crate) tenant: &'context str,
    /// The tenant's domain.
    pub(crate) domain: &'context str,
    /// The day that the sandbox imitates; `None` stands for the latest recordings.
    pub(crate) day: Option<&'context str>,
    /// The generator of new ids and secrets.
    pub(crate) ids: &'context mut IdGenerator,
    /// The other resources of the kind.
    pub(crate) siblings: Option<&'context ResourceTable>,
    /// All resources of the tenant, by kind.
    pub(crate) tables: &'context HashMap<&'static str, ResourceTable>,
}

/// The behaviour of one kind; hooks are functions, everything else is data.
pub(crate) struct ServerBehaviour {
    /// The kind.
    pub(crate) kind: &'static str,
    /// The statuses of a create and of a delete.
    pub(crate) statuses: (u16, u16),
    /// Read-only fields that the server fills in: the path, and the value as JSON text.
    pub(crate) server_filled: &'static [(&'static str, &'static str)],
    /// Objects that a PATCH merges recursively.
    pub(crate) deep_merged: &'static [&'static str],
    /// Whether the response of an update repeats the request and nothing else.
    pub(crate) update_echoes_request: bool,
    /// Defaults of the catalog that the server does not return.
    pub(crate) hidden_defaults: &'static [&'static str],
    /// Paths that are accepted although the OpenAPI description lacks them.
    pub(crate) also_accepted: &'static [&'static str],
    /// Ordered lists, for the check of types.
    pub(crate) lists: &'static [&'static str],
    /// Conditional requirements: the field, its value, and the path that it requires.
    pub(crate) required_if: &'static [(&'static str, &'static str, &'static str)],
    /// A required field and its alternative.
    pub(crate) required_alternatives: &'static [(&'static str, &'static str)],
    /// Two fields that cannot both be set.
    pub(crate) exclusive: &'static [(&'static str, &'static str)],
    /// Fields of a create that an update may repeat unchanged.
    pub(crate) repeatable_in_update: &'static [&'static str],
    /// Whether its path may contain the key instead of the id.
    pub(crate) found_by_key: bool,
    /// Query parameters that filter by a field with another name.
    pub(crate) filter_fields: &'static [(&'static str, &'static str)],
    /// Completes what a create stores, given the request body and what is stored so far.
    pub(crate) on_create: fn(&Body, &mut Body, &mut WriteContext<'_>),
    /// Completes what an update stores, given the body before, the request body, and what is stored so far.
    pub(crate) on_update: fn(&Body, &Body, &mut Body, &mut WriteContext<'_>),
    /// Adds what only the response of a create contains.
    pub(crate) on_create_response: fn(&Body, &mut Body, &mut WriteContext<'_>),
    /// Changes the response of an update.
    pub(crate) on_update_response: fn(&mut Body),
    /// Executes the follow-up of a write.
    pub(crate) on_follow_up: fn(&mut Body, &mut WriteContext<'_>),
    /// Paths that can be written but never read back.
    pub(crate) write_only: &'static [&'static str],
    /// Fields that only a token with `read:client_keys` may read.
    pub(crate) needs_key_scope: &'static [&'static str],
    /// Paths that are in responses of updates but not of reads.
    pub(crate) update_response_only: &'static [&'static str],
    /// Adds fields that only lists contain, given the resource and its representation in the list so far.
    pub(crate) on_list: fn(&Body, &mut Value),
    /// Query parameters with several values, separated by commas.
    pub(crate) comma_separated: &'static [&'static str],
    /// Paths that the response of an update copies from another object: the path, the object's API path, its field.
    pub(crate) copied_into_update_response: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that contain the list of a child: the field and the child kind.
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

/// Returns the current time in the server's format.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
