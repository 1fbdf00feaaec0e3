//! What the server does with APIs, grants and roles.

use serde_json::Value;

use super::server_behaviour::{Habit, PLAIN};

pub(crate) static HABITS: &[Habit] = &[
    Habit {
        kind: "client-grants",
        unshown: &["allow_any_organization", "allow_all_scopes"],
        instead: &[("client_id", "default_for")],
        exclusive: &[("client_id", "default_for"), ("scope", "allow_all_scopes")],
        ..PLAIN
    },
    Habit {
        kind: "resource-servers",
        unshown: &["enforce_policies"],
        found_by_key: true,
        filters: &[("identifiers", "identifier")],
        ..PLAIN
    },
    Habit {
        kind: "roles",
        statuses: (200, 200),
        // Where roles of organizations are switched on (recorded).
        tolerated: &["type", "owner_id"],
        filters: &[("name_filter", "name")],
        created: |_, role, _| {
            role.0.entry("type").or_insert_with(|| "tenant".into());
            // A role of an organization has none (recorded once: TestAccDataSourceOrganizationRoleMembers).
            if role.text("type") != Some("organization") {
                role.0.entry("description").or_insert(Value::Null);
            }
        },
        ..PLAIN
    },
];
