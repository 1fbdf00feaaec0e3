//! The catalog compared with the types of Auth0's newest SDK, which is ahead of the OpenAPI description.
//!
//! `sdk_types/requests.json` lists by operation which fields a request may contain, in the notation of the catalog's
//! field tables, and for a GET its query parameters; `sdk_types/read_types.cjs` regenerates it from newer packages.

use std::collections::BTreeSet;

use auth0_migrate::catalog::{Catalog, Field, Fields, Kind, Shape, Writability};
use auth0_migrate::json;
use serde_json::Value;

use crate::catalog::api_coverage::operations;

/// Fields of requests that the catalog does not have: operations, paths and the reason.
const NOT_TAKEN: &[(&str, &str, &str)] = &[
    ("DELETE /actions/actions/{}", "force", "an action is deleted once nothing binds it"),
    ("actions", "modules.module_name", "an answer tells it"),
    ("actions", "modules.module_version_number", "an answer tells it"),
    ("actions", "supported_triggers.*", "what a trigger offers is Auth0's"),
    ("action-trigger-bindings", "bindings.secrets", "no answer shows them; an action has secrets of its own"),
    ("PATCH /clients/{}", "jwt_configuration.secret_encoded", "a change is refused (recorded)"),
    ("PATCH /clients/{}", "third_party_security_mode", "a change is refused (page \"Security controls\")"),
    ("agents", "client_id", "no answer tells it: a step by hand"),
    ("clients", "oidc_backchannel_logout", "the old name of oidc_logout; both at once are refused"),
    ("PATCH /connections/{}", "options.attributes.email.unique", "an update repeats the target's own; a change is refused"),
    ("connections", "enabled_clients", "the clients of a connection are a kind"),
    ("connection-clients", "status", "whether an element is there"),
    ("connection-synchronized-groups", "groups.direct_members_count", "a figure"),
    ("event-streams", "destination.configuration.aws_partner_event_source", "the tenant gives it"),
    ("log-streams", "sink.awsPartnerEventSource", "the tenant gives it"),
    ("log-streams", "sink.azurePartnerTopic", "the tenant gives it"),
    ("organizations", "enabled_connections", "the connections of an organization are a kind"),
    ("resource-servers", "authorization_policy", "no operation of the Management API knows policies"),
    ("roles", "type", "roles of one organization are left alone"),
    ("roles", "owner_id", "roles of one organization are left alone"),
];

/// Returns the fields that the SDK sends, by operation.
pub(crate) fn requests() -> Vec<(String, Fields)> {
    let file: Value = serde_json::from_str(include_str!("sdk_types/requests.json")).expect("JSON");
    let tables = file["operations"].as_object().expect("operations").clone();
    let table = |value: Value| Fields::parse(Box::leak(value.as_str().expect("a table").to_owned().into_boxed_str()));
    tables.into_iter().map(|(operation, value)| (operation, table(value))).collect()
}

/// Returns the paths of all fields, without marking lists: `scopes.value`.
pub(crate) fn paths(fields: &Fields) -> Vec<String> {
    let below = |inside: &Fields, name: &str| paths(inside).into_iter().map(|path| format!("{name}.{path}")).collect::<Vec<_>>();
    let of_field = |field: &Field| {
        let inside = field.below.as_ref().map(|inside| below(inside, field.name)).unwrap_or_default();
        [vec![field.name.to_owned()], inside].concat()
    };
    fields.iter().flat_map(of_field).collect()
}

/// Returns the fields that a request of this kind may contain; those of its elements if a child's list is sent bare or
/// an element is sent alone.
pub(crate) fn taken(kind: &'static Kind, is_of_elements: bool) -> &'static Fields {
    let elements = || kind.fields.writable().get(kind.elements()).and_then(|field| field.below.as_ref()).expect("a list of objects");
    if is_of_elements { elements() } else { kind.fields.writable() }
}

/// Returns whether a field with this writability is part of requests with this method.
pub(crate) fn is_taken_by(method: &str, written: Writability) -> bool {
    match method {
        "POST" => written != Writability::OnUpdate,
        "PATCH" => written != Writability::OnCreate,
        _ => true,
    }
}

/// Returns the paths of fields that are sent but neither in the catalog nor dropped on read.
fn surplus(kind: &Kind, method: &str, sent: &Fields, taken: &Fields, above: &str) -> Vec<String> {
    let open = Fields::parse("*");
    let mut surplus = Vec::new();
    for field in sent.iter() {
        let place = format!("{above}{}", field.name);
        let known = taken.get(field.name);
        let is_dropped = kind.fields.read_only.iter().any(|path| json::covers(&path.replace("[]", ""), &place));
        let is_taken = known.map_or(taken.is_open(), |known| is_taken_by(method, known.written));
        if is_dropped || !is_taken {
            surplus.push(place);
        } else if let Some(inside) = &field.below {
            let below = known.and_then(|known| known.below.as_ref()).unwrap_or(&open);
            surplus.extend(self::surplus(kind, method, inside, below, &format!("{place}.")));
        }
    }
    surplus
}

#[test]
fn every_request_field_of_the_sdk_is_writable_or_listed_with_a_reason() {
    let mut idle: BTreeSet<(&str, &str)> = NOT_TAKEN.iter().map(|one| (one.0, one.1)).collect();
    let (mut missed, mut seen) = (Vec::new(), 0);
    for (operation, sent) in requests().into_iter().filter(|(operation, _)| !operation.starts_with("GET ")) {
        let (method, _) = operation.split_once(' ').expect("a method and a path");
        // A kind that is part of another one is written with that part only.
        let own = Catalog::standard().kinds().filter(|kind| kind.quirks.same_endpoint_as.is_none());
        for kind in own.filter(|kind| operations(kind).contains(&operation)) {
            let is_of_elements = matches!(kind.shape, Shape::Child { .. }) && method == "PATCH";
            seen += sent.iter().count();
            for place in surplus(kind, method, &sent, taken(kind, is_of_elements), "") {
                let is_meant = |of: &str, path: &str| (of == operation || of == kind.name) && json::covers(path, &place);
                match NOT_TAKEN.iter().find(|(of, path, _)| is_meant(of, path)) {
                    Some((of, path, _)) => drop(idle.remove(&(*of, *path))),
                    None => missed.push(format!("{} ({operation}): {place}", kind.name)),
                }
            }
        }
    }
    assert!(seen > 600, "only {seen} fields were looked at");
    assert!(missed.is_empty(), "neither taken nor listed with a reason:\n{}", missed.join("\n"));
    assert!(idle.is_empty(), "reasons for nothing: {idle:?}");
}
