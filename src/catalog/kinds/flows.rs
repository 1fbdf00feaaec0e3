//! Entries of forms, the flows that they start, and the connections that flows use.
//!
//! Fields: `/forms`, `/flows` and `/flows/vault/connections` in Auth0's OpenAPI description of 2026-06-25. Names are
//! not unique.

use crate::catalog::kind::Kind;
use crate::catalog::reference::Reference;
use crate::catalog::risk::RiskClass::{self, DataLoss};
use crate::catalog::risk::RiskRule::{AnyChange, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

/// Connections of flows to other services; their credentials cannot be read.
pub(super) static VAULT_CONNECTIONS: Kind = Kind::collection("flow-vault-connections", "vault connection", "/flows/vault/connections")
    .titled("Flow vault connections")
    .paged(Paging::Offset { field: "connections", size: 100, or_checkpoint: false })
    .allows_duplicates()
    .writable("name! app_id+! setup{*}")
    .read_only(&["id", "account_name", "created_at", "environment", "fingerprint", "ready", "refreshed_at", "updated_at"])
    // The description requires `setup` too; both recorded creates without it were answered with 201, `ready: false`.
    .required(&["name", "app_id"])
    .secrets(&["setup"])
    .write_only(&["setup"])
    .scopes(
        &["read:flows_vault_connections"],
        &["create:flows_vault_connections"],
        &["update:flows_vault_connections"],
        &["delete:flows_vault_connections"],
    )
    .risk(Risks::SIGN_IN);

/// Flows.
pub(super) static FLOWS: Kind = Kind::collection("flows", "flow", "/flows")
    .titled("Flows")
    .paged(Paging::Offset { field: "flows", size: 100, or_checkpoint: false })
    .summary_list()
    .allows_duplicates()
    .writable("name! actions?")
    .read_only(&["id", "created_at", "executed_at", "updated_at"])
    .required(&["name"])
    .secrets(&["actions[].params.basic.password", "actions[].params.token"])
    .refers(&[Reference::id("actions[].**.connection_id", "flow-vault-connections")])
    .scopes(&["read:flows"], &["create:flows"], &["update:flows"], &["delete:flows"])
    .risk(Risks::new(RiskClass::Routine, DataLoss, &[(AnyChange, "actions"), (Routine, "name")]));

/// Forms.
pub(super) static FORMS: Kind = Kind::collection("forms", "form", "/forms")
    .titled("Forms")
    .paged(Paging::Offset { field: "forms", size: 100, or_checkpoint: false })
    .summary_list()
    .allows_duplicates()
    .writable("name! messages?{*} languages?{*} translations?{*} nodes?[]{*} start?{*} ending?{*} style?{*}")
    // `description`, `social` and `tags` belong to the API of 2024 (6 recorded answers); the description has none of them.
    .read_only(&["id", "created_at", "embedded_at", "submitted_at", "updated_at", "flow_count", "links", "description", "social", "tags"])
    .required(&["name"])
    .secrets(&[
        "nodes[].config.components[].config.api_key",
        "nodes[].config.components[].config.access_token",
        "nodes[].config.components[].config.secret_key",
        "nodes[].config.components[].config.credentials",
    ])
    .not_secret(&[
        ("messages.**", "texts for users, named after their subject"),
        ("translations.**", "texts for users, named after their subject"),
    ])
    .refers(&[Reference::id("nodes[].**.flow_id", "flows"), Reference::id("ending.after_submit.flow_id", "flows")])
    .scopes(&["read:forms"], &["create:forms"], &["update:forms"], &["delete:forms"])
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[
            (AnyChange, "nodes start ending"),
            (Routine, "name messages languages translations style nodes[].coordinates start.coordinates ending.coordinates"),
        ],
    ));
