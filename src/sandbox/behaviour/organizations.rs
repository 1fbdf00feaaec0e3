//! What the server does with organizations, and with the profiles by which their customers connect.

use serde_json::{Value, json};

use super::server_behaviour::{Habit, PLAIN, Scene};
use crate::json::Body;

pub(crate) static HABITS: &[Habit] = &[
    // Some tenants fill it in and others do not, on the same day (recorded 2026-08-10 and 2026-08-13): a state says which.
    Habit { kind: "organizations", unshown: &["is_app_entitlement_active"], ..PLAIN },
    Habit {
        kind: "organization-client-grants",
        // A create sends the id alone, and the grant itself is answered and listed (recorded: TestOrganizationManager_ClientGrantsWithOrg).
        created: |sent, listed, scene| {
            let id = sent.text("grant_id").unwrap_or_default();
            if let Some(grant) = scene.tables.get("client-grants").and_then(|grants| grants.get(id)) {
                listed.0.remove("grant_id");
                listed.0.extend(grant.0.clone());
            }
        },
        ..PLAIN
    },
    Habit {
        kind: "organization-discovery-domains",
        created: |_, domain, scene| {
            let organization = domain.text("organization").unwrap_or_default();
            let host = format!("_ss-verification.{organization}.{}", domain.text("domain").unwrap_or_default());
            domain.set("verification_host", host.into());
            domain.set("verification_txt", scene.mint.hex(32).into());
        },
        ..PLAIN
    },
    Habit {
        kind: "connection-profiles",
        created: |_, profile, _| {
            profile.0.entry("strategy_overrides").or_insert(Value::Null);
        },
        ..PLAIN
    },
    Habit {
        kind: "user-attribute-profiles",
        created: |_, profile, scene| fill_user_id(profile, scene),
        updated: |_, _, profile, scene| fill_user_id(profile, scene),
        ..PLAIN
    },
    Habit {
        kind: "self-service-profiles",
        created: |_, profile, _| list_attributes(profile),
        updated: |_, _, profile, _| list_attributes(profile),
        ..PLAIN
    },
];

/// What identifies a user is filled in where it is left out, also by an update.
fn fill_user_id(profile: &mut Body, scene: &Scene<'_>) {
    profile.0.entry("user_id").or_insert_with(|| json!({}));
    for (path, _) in scene.kind.defaults {
        if let (None, Some(value)) = (profile.get(path), scene.kind.default_of(path)) {
            profile.set(path, value);
        }
    }
}

/// A profile without attributes of its own tells an empty list, also after null was sent (recorded six times).
fn list_attributes(profile: &mut Body) {
    profile.0.entry("user_attributes").or_insert_with(|| json!([]));
}
