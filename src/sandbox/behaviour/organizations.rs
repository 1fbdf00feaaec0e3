//! Behaviour of organizations and of connection and self-service profiles.

use serde_json::{Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext};
use crate::json::Body;

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[
    // Filled in for some tenants only, on the same day (recorded 2026-08-10 and 2026-08-13): a state file lists it in `defaults`.
    ServerBehaviour { kind: "organizations", hidden_defaults: &["is_app_entitlement_active"], ..CATALOG_ONLY },
    ServerBehaviour {
        kind: "organization-client-grants",
        // A create sends only the id, and responses contain the grant (recorded:
        // TestOrganizationManager_ClientGrantsWithOrg).
        on_create: |sent, listed, context| {
            let id = sent.text("grant_id").unwrap_or_default();
            if let Some(grant) = context.tables.get("client-grants").and_then(|grants| grants.get(id)) {
                listed.0.remove("grant_id");
                listed.0.extend(grant.0.clone());
            }
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "organization-discovery-domains",
        on_create: |_, domain, context| {
            let organization = domain.text("organization").unwrap_or_default();
            let host = format!("_ss-verification.{organization}.{}", domain.text("domain").unwrap_or_default());
            domain.set("verification_host", host.into());
            domain.set("verification_txt", context.ids.hex(32).into());
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "connection-profiles",
        on_create: |_, profile, _| {
            profile.0.entry("strategy_overrides").or_insert(Value::Null);
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "user-attribute-profiles",
        on_create: |_, profile, context| fill_user_id(profile, context),
        on_update: |_, _, profile, context| fill_user_id(profile, context),
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "self-service-profiles",
        on_create: |_, profile, _| list_attributes(profile),
        on_update: |_, _, profile, _| list_attributes(profile),
        ..CATALOG_ONLY
    },
];

/// A missing `user_id` is filled in, also by an update.
fn fill_user_id(profile: &mut Body, context: &WriteContext<'_>) {
    profile.0.entry("user_id").or_insert_with(|| json!({}));
    for (path, _) in context.kind.defaults.values {
        if let (None, Some(value)) = (profile.get(path), context.kind.default_of(path)) {
            profile.set(path, value);
        }
    }
}

/// A profile without attributes returns an empty list, also after null was sent (recorded six times).
fn list_attributes(profile: &mut Body) {
    profile.0.entry("user_attributes").or_insert_with(|| json!([]));
}
