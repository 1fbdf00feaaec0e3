//! The history of the API: when the server filled in which fields, so that a sandbox can imitate an earlier day.
//!
//! A state without a day imitates the latest recordings. Days are those of recordings: the first that has a field (with
//! the last one without it in the comment), and the first that no longer has it.

use crate::json::Body;

/// The period in which the server filled in a field.
struct FieldPeriod {
    kind: &'static str,
    path: &'static str,
    /// The first day it was filled in.
    from: &'static str,
    /// The first day it no longer was.
    to: &'static str,
}

impl FieldPeriod {
    const fn since(from: &'static str, kind: &'static str, path: &'static str) -> Self {
        Self { kind, path, from, to: "9999" }
    }

    const fn until(to: &'static str, kind: &'static str, path: &'static str) -> Self {
        Self { kind, path, from: "", to }
    }

    fn contains(&self, day: Option<&str>) -> bool {
        match day {
            Some(day) => self.from <= day && day < self.to,
            None => self.to == "9999",
        }
    }
}

/// The fields that were added or removed, each with the last recording before, or the first after.
const FIELD_PERIODS: [FieldPeriod; 17] = [
    // auth0-deploy-cli@2024-08-27, TestClient_CreateAllCredential of 2024-08-06.
    FieldPeriod::since("2025-04-10", "clients", "cross_origin_authentication"),
    // 42 grants of auth0-deploy-cli@2025-04-10.
    FieldPeriod::since("2025-08-07", "client-grants", "subject_type"),
    // TestClient_CreateLinkedToResourceServer of 2025-08-22; first with it: TestAccClientRefreshToken.
    FieldPeriod::since("2026-01-27", "resource-servers", "subject_type_authorization"),
    // 22 cassettes of TestConnectionManager of 2025-05-16; first with them: TestConnectionManager_Create, Auth0.
    FieldPeriod::since("2025-09-08", "connections", "authentication"),
    FieldPeriod::since("2025-09-08", "connections", "connected_accounts"),
    // TestConnectionManager_Update, Auth0, of 2025-09-08; first with it: TestAccConnectionClient.
    FieldPeriod::since("2026-01-28", "connections", "options.authentication_methods.password.api_behavior"),
    // TestAccConnectionClient of 2026-01-28; first with it: TestAccConnectionOptionsAttrEmail.
    FieldPeriod::since("2026-03-09", "connections", "options.authentication_methods.password.signup_behavior"),
    // TestConnectionManager_Read, SAML, of 2025-05-16; first with it: TestAccConnectionSAML.
    FieldPeriod::since("2026-05-28", "connections", "options.assertion_decryption_settings"),
    // TestConnectionManager_CreateDBConnectionWithDifferentOptions of 2026-04-30; first with it: TestAccConnectionAddEmailAttributeUnique.
    FieldPeriod::since("2026-08-07", "connections", "options.password_options"),
    // The same two cassettes: the older setting is filled in if the newer one is not.
    FieldPeriod::until("2026-08-07", "connections", "options.passwordPolicy"),
    // Its removal was announced for 2026-07-13, and it was last returned on 2026-08-12: TestAccDirectorySynchronizedGroupsAsGroups.
    FieldPeriod::until("2026-08-13", "connections", "enabled_clients"),
    // TestAccOrganizationMemberRole of 2026-04-23; first with it: auth0-deploy-cli, 8 roles of 2026-08-10.
    FieldPeriod::since("2026-08-10", "roles", "type"),
    // TestPromptManager_SetPartials of 2024-08-26; first with it: TestPromptManager_ReadRendering.
    FieldPeriod::since("2025-11-19", "custom-domains", "created_at"),
    // TestPromptManager_ListRendering of 2025-11-19; first with it: TestAccCustomDomain.
    FieldPeriod::since("2026-01-27", "custom-domains", "is_default"),
    // TestAccOrganizationMemberRole of 2026-04-23; first with it: auth0-deploy-cli, 2 organizations of 2026-08-10.
    FieldPeriod::since("2026-08-10", "organizations", "third_party_client_access"),
    // TestOrganizationManager_CreateDiscoveryDomain of 2025-09-26; first with it: TestAccOrganizationDiscoveryDomain_Import.
    FieldPeriod::since("2026-01-29", "organization-discovery-domains", "use_for_organization_discovery"),
    // auth0-deploy-cli@2025-04-10, 2 streams of 2023-12-22; first with it: 2 streams of 2025-04-10.
    FieldPeriod::since("2025-04-10", "log-streams", "isPriority"),
];

/// Returns whether the server fills in a field on this day.
pub(crate) fn is_filled_in(kind: &str, path: &str, day: Option<&str>) -> bool {
    FIELD_PERIODS.iter().filter(|period| period.kind == kind && period.path == path).all(|period| period.contains(day))
}

/// Removes what the server did not fill in on this day; given fields are kept.
pub(crate) fn remove_unfilled(day: Option<&str>, kind: &str, given: &[&Body], body: &mut Body) {
    for period in FIELD_PERIODS.iter().filter(|period| period.kind == kind && !period.contains(day)) {
        if given.iter().all(|given| given.get(period.path).is_none()) {
            body.take(period.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    #[test]
    fn a_field_is_filled_in_from_its_first_day_to_its_last() {
        assert!(!is_filled_in("roles", "type", Some("2026-08-09")));
        assert!(is_filled_in("roles", "type", Some("2026-08-10")) && is_filled_in("roles", "type", None));
        assert!(is_filled_in("connections", "enabled_clients", Some("2026-08-12")));
        assert!(
            !is_filled_in("connections", "enabled_clients", Some("2026-08-13")) && !is_filled_in("connections", "enabled_clients", None)
        );
        assert!(is_filled_in("roles", "name", Some("2020-01-01")), "what has no period is of all days");
    }

    #[test]
    fn given_fields_are_kept_on_any_day() {
        let given = Body::from_value(json!({"type": "organization"})).expect("an object");
        let mut role = given.clone();
        remove_unfilled(Some("2025-01-01"), "roles", &[&given], &mut role);
        assert_eq!(role, given);
        remove_unfilled(Some("2025-01-01"), "roles", &[&Body::new()], &mut role);
        assert!(role.is_empty());
    }

    #[test]
    fn every_period_belongs_to_a_kind_of_the_catalog() {
        assert!(FIELD_PERIODS.iter().all(|period| Catalog::standard().kind(period.kind).is_some()));
    }
}
