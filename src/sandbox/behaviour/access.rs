//! Behaviour of APIs, grants and roles.

use serde_json::Value;

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour};

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[
    ServerBehaviour {
        kind: "client-grants",
        hidden_defaults: &["allow_any_organization", "allow_all_scopes"],
        required_alternatives: &[("client_id", "default_for")],
        exclusive: &[("client_id", "default_for"), ("scope", "allow_all_scopes")],
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "resource-servers",
        hidden_defaults: &["enforce_policies"],
        found_by_key: true,
        filter_fields: &[("identifiers", "identifier")],
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "roles",
        statuses: (200, 200),
        // If roles of organizations are enabled (recorded).
        also_accepted: &["type", "owner_id"],
        filter_fields: &[("name_filter", "name")],
        on_create: |_, role, _| {
            role.0.entry("type").or_insert_with(|| "tenant".into());
            // A role of an organization has none (recorded once: TestAccDataSourceOrganizationRoleMembers).
            if role.text("type") != Some("organization") {
                role.0.entry("description").or_insert(Value::Null);
            }
        },
        ..CATALOG_ONLY
    },
];
