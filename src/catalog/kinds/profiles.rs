//! Entries of profiles with which customers connect their own identity providers.
//!
//! Fields: `/user-attribute-profiles`, `/connection-profiles` and `/self-service-profiles` in Auth0's OpenAPI
//! description of 2026-06-25.

use crate::catalog::kind::Kind;
use crate::catalog::reference::Reference;
use crate::catalog::risk::RiskClass::{self, DataLoss};
use crate::catalog::risk::RiskRule::{Access, Identity, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

/// How attributes of users are mapped. A page contains at most ten (recorded; the description names no limit).
pub(super) static USER_ATTRIBUTES: Kind = Kind::collection("user-attribute-profiles", "user attribute profile", "/user-attribute-profiles")
    .titled("User attribute profiles")
    .paged(Paging::Checkpoint { field: "user_attribute_profiles", size: 10 })
    .writable("name! user_id?{*} user_attributes!{*}")
    .read_only(&["id"])
    .required(&["name", "user_attributes"])
    .replaced(&["user_id", "user_attributes"])
    // 6 recorded creates and 6 updates that omitted some or all of them returned these.
    .defaults(&[
        ("user_id.oidc_mapping", "\"sub\""),
        ("user_id.scim_mapping", "\"externalId\""),
        (
            "user_id.saml_mapping",
            r#"["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
                    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
                    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"]"#,
        ),
    ])
    .scopes(
        &["read:user_attribute_profiles"],
        &["create:user_attribute_profiles"],
        &["update:user_attribute_profiles"],
        &["delete:user_attribute_profiles"],
    )
    .risk(Risks::new(RiskClass::Routine, DataLoss, &[(Identity, "user_id user_attributes"), (Routine, "name")]));

/// How connections of customers are set up. A page contains at most ten; more is refused.
pub(super) static CONNECTIONS: Kind = Kind::collection("connection-profiles", "connection profile", "/connection-profiles")
    .titled("Connection profiles")
    .paged(Paging::Checkpoint { field: "connection_profiles", size: 10 })
    .writable(
        "name! organization{show_as_button! assign_membership_on_login!} connection_name_prefix_template enabled_features
         connection_config{*} strategy_overrides{*} provisioning{*} cross_app_access_resource_app{*}",
    )
    .read_only(&["id"])
    .required(&["name"])
    .replaced(&["organization", "connection_config", "strategy_overrides", "provisioning", "cross_app_access_resource_app"])
    .unordered(&["enabled_features"])
    .scopes(
        &["read:connection_profiles"],
        &["create:connection_profiles"],
        &["update:connection_profiles"],
        &["delete:connection_profiles"],
    )
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[
            (
                Identity,
                "organization connection_config strategy_overrides provisioning cross_app_access_resource_app \
                     connection_name_prefix_template",
            ),
            (Access, "enabled_features"),
            (Routine, "name"),
        ],
    ));

/// Self-service profiles; names are not unique.
pub(super) static SELF_SERVICE: Kind = Kind::collection("self-service-profiles", "self-service profile", "/self-service-profiles")
    .titled("Self-service profiles")
    .paged(Paging::Offset { field: "self_service_profiles", size: 100, or_checkpoint: false })
    .allows_duplicates()
    .writable(
        "name! description?! branding?{logo_url! colors!{primary! *} *} allowed_strategies! user_attributes? user_attribute_profile_id?",
    )
    .read_only(&["id", "created_at", "updated_at"])
    .required(&["name"])
    .replaced(&["branding"])
    .refers(&[Reference::id("user_attribute_profile_id", "user-attribute-profiles")])
    .unordered(&["allowed_strategies"])
    .scopes(
        &["read:self_service_profiles"],
        &["create:self_service_profiles"],
        &["update:self_service_profiles"],
        &["delete:self_service_profiles"],
    )
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[
            (Access, "allowed_strategies"),
            (Identity, "user_attributes user_attribute_profile_id"),
            (Routine, "name description branding user_attributes[].description"),
        ],
    ));

/// The texts of each self-service profile; there is one page, in English.
pub(super) static SELF_SERVICE_TEXTS: Kind = Kind::part(
    "self-service-custom-text",
    "text of self-service profile",
    "/self-service-profiles/{profile}/custom-text/en/get-started",
    "self-service-profiles",
)
.titled("Self-service profile texts")
.put()
.keyed_by(&["profile"])
.writable("profile/ *")
.required(&["profile"])
.not_secret(&[("**", "texts for users, named after their subject")])
.refers(&[Reference::id("profile", "self-service-profiles")])
.scopes(
    &["read:self_service_profile_custom_texts"],
    &["update:self_service_profile_custom_texts"],
    &["update:self_service_profile_custom_texts"],
    &[],
)
.risk(Risks::COSMETIC);
