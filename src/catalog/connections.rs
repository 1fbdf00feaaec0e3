//! Where users come from, and which clients may use it.
//!
//! Fields: `POST /connections`, `PATCH /connections/{id}`, `PATCH /connections/{id}/clients` in Auth0's OpenAPI description of 2026-06-25.

use super::kind::Kind;
use super::reference::Reference;
use super::shape::{Delta, Paging};

/// Connections.
///
/// A PATCH replaces `options` whole, secrets included, so they are written over the target's own. What the server keeps in them
/// (thumbprints, agent versions, tokens of an administrator) stays the target's. Offset pages are refused above 1,000, so the list is
/// read by checkpoint (page "Deprecations and Migrations").
pub(super) static CONNECTIONS: Kind = Kind::collection("connections", "connection", "/connections")
    .titled("Connections")
    .paged(Paging::Checkpoint { field: "connections", size: 100 })
    .writable(
        "name+ display_name strategy+ options?{*} is_domain_connection show_as_button realms metadata{*} authentication{active *}
         connected_accounts{active cross_app_access *} cross_app_access_requesting_app{active *} cross_app_access_resource_app?{*}",
    )
    .read_only(&[
        "id",
        "enabled_clients",
        "provisioning_ticket_url",
        "options.thumbprints",
        "options.cert",
        "options.subject",
        "options.expires",
        "options.cert_rollover_notification",
        "options.agentIP",
        "options.agentVersion",
        "options.agentMode",
        "options.app_domain",
        "options.granted",
        "options.tenantId",
        "options.schema_version",
        "options.oidc_metadata",
        "options.waad_common_endpoint",
    ])
    .secrets(&[
        "options.client_secret",
        "options.app_secret",
        "options.consumer_secret",
        // Headers prove who is calling: `X-Auth0-Client-Secret` in a recorded connection.
        "options.customHeaders.*",
        "options.twilio_token",
        "options.twilio_sid",
        "options.configuration",
        "options.signing_key",
        "options.decryptionKey",
        "options.gateway_authentication.secret",
        "options.admin_access_token",
        "options.admin_refresh_token",
        "options.admin_access_token_expiresin",
        "options.messaging_service_sid_secret",
        "options.bindCredentials",
        "options.password",
    ])
    .refers(&[
        Reference::id("options.idpinitiated.client_id", "clients"),
        Reference::id("options.custom_password_hash.action_id", "actions").planned(),
    ])
    .sets(&["options.scope", "realms", "options.domain_aliases"])
    .defaults(&[
        ("is_domain_connection", "false"),
        ("show_as_button", "false"),
        // Recorded creates come back with both, though nobody sent them.
        ("authentication", r#"{"active":true}"#),
        ("connected_accounts", r#"{"active":false}"#),
    ])
    // 12 of 14 recorded creates by oidc, okta and waad come back with it, though nobody sent it.
    .mirrors(&[("display_name", "name")])
    .required(&["name", "strategy"])
    .overlaid(&["options"])
    .echoed(&["display_name"])
    .scopes(&["read:connections"], &["create:connections"], &["update:connections"], &["delete:connections"]);

/// The clients that may use each connection.
///
/// The old `enabled_clients` field was to end on 2026-07-13 (page "Deprecations and Migrations"); it was still answered on 2026-08-12.
/// One call switches at most 50.
pub(super) static CONNECTION_CLIENTS: Kind =
    Kind::child("connection-clients", "clients of connection", "/connections/{id}/clients", "connections", Delta::Switch { most: 50 })
        .titled("Clients of a connection")
        .paged(Paging::Checkpoint { field: "clients", size: 1000 })
        .writable("clients[]{client_id}")
        .read_only(&["clients[].status"])
        .refers(&[Reference::id("clients[].client_id", "clients")])
        .sets(&["clients"])
        .scopes(&["read:connections"], &["update:connections"], &["update:connections"], &["update:connections"]);
