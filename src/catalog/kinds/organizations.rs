//! Entries of organizations and of what each of them can use.
//!
//! Fields: `POST` and `PATCH /organizations` and the paths below in Auth0's OpenAPI description of 2026-06-25;
//! `third_party_client_access`, `is_app_entitlement_active` and `/organizations/{id}/clients` are newer and taken from
//! recordings and the API's pages, templates from an SDK.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::{self, Quirks};
use crate::catalog::reference::{Condition, ManualStepTemplate, Reference};
use crate::catalog::risk::RiskClass::{self, DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, Disabling, Identity, Limit, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::{ElementChanges, Paging};

const ORGANIZATION: Reference = Reference::id("organization", "organizations");

/// Organizations.
pub(super) static ORGANIZATIONS: Kind = Kind::collection("organizations", "organization", "/organizations")
    .titled("Organizations")
    .paged(Paging::Checkpoint { field: "organizations", size: 100 })
    .distinguished_by(&["display_name"])
    .writable(
        "name! display_name! branding{logo_url colors!{primary page_background}} metadata{*}
         token_quota?!{client_credentials!{enforce per_day per_hour}} third_party_client_access is_app_entitlement_active",
    )
    // A create that enables connections returns them, and the list of a client's organizations returns the client.
    .read_only(&["id", "client", "enabled_connections"])
    .required(&["name"])
    .replaced(&["metadata"])
    .not_secret(&[
        ("token_quota", "a limit on the number of tokens"),
        ("token_quota.client_credentials", "a limit on the tokens of this grant"),
    ])
    // 11 of 11 recorded creates since 2026-08-10; 6 of 6 in the tenants that have the second field.
    .defaults(&[("third_party_client_access", "\"block\""), ("is_app_entitlement_active", "false")])
    .scopes(&["read:organizations"], &["create:organizations"], &["update:organizations"], &["delete:organizations"])
    .entitlements(&["token_quota", "third_party_client_access", "is_app_entitlement_active"])
    // `DELETE /organizations/{id}`: "Members are automatically disassociated from an Organization when it is deleted."
    .user_data("its members, their roles in it and the invitations to it")
    .risk(Risks::new(
        Widened,
        DataLoss,
        &[
            (Identity, "name"),
            (Disabling, "third_party_client_access"),
            (Access, "is_app_entitlement_active"),
            (Requirement, "token_quota.client_credentials.enforce"),
            (Limit, "token_quota"),
            (Routine, "display_name branding metadata"),
        ],
    ));

/// The connections of each organization.
///
/// `/connections` returns more than `/enabled_connections`, which it replaces.
pub(super) static ORGANIZATION_CONNECTIONS: Kind =
    Kind::nested("organization-connections", "connection of organization", "/organizations/{organization}/connections", "organizations")
        .titled("Organization connections")
        .item_path("/organizations/{organization}/connections/{id}")
        .paged(Paging::Offset { field: "connections", size: 100, or_checkpoint: false })
        .id_field("connection_id")
        .keyed_by(&["organization", "connection_id"])
        .writable(
            "organization/ connection_id+! organization_connection_name?! assign_membership_on_login show_as_button is_signup_enabled
     organization_access_level?! is_enabled?",
        )
        .read_only(&["connection"])
        .required(&["organization", "connection_id"])
        .refers(&[ORGANIZATION, Reference::id("connection_id", "connections")])
        .scopes(
            &["read:organization_connections"],
            &["create:organization_connections"],
            &["update:organization_connections"],
            &["delete:organization_connections"],
        )
        .risk(Risks::new(
            Widened,
            DataLoss,
            &[
                (Identity, "organization connection_id organization_access_level"),
                (Access, "assign_membership_on_login is_signup_enabled is_enabled show_as_button"),
                (Routine, "organization_connection_name"),
            ],
        ));

/// The grants that each organization may use.
///
/// An element of the list is the grant itself; a create accepts only its id.
pub(super) static ORGANIZATION_GRANTS: Kind =
    Kind::nested("organization-client-grants", "grant of organization", "/organizations/{organization}/client-grants", "organizations")
        .titled("Organization application access")
        .item_path("/organizations/{organization}/client-grants/{id}")
        .paged(Paging::Offset { field: "client_grants", size: 100, or_checkpoint: false })
        .list_only()
        .id_field("grant_id")
        .keyed_by(&["organization", "grant_id"])
        .writable("organization/ grant_id+")
        .read_only(&["id", "client_id", "audience", "scope", "organization_usage", "allow_any_organization"])
        .required(&["organization", "grant_id"])
        .refers(&[ORGANIZATION, Reference::id("grant_id", "client-grants")])
        .scopes(&["read:organization_client_grants"], &["create:organization_client_grants"], &[], &["delete:organization_client_grants"])
        .quirks(Quirks { edits: &[quirks::grant_id], ..Quirks::NONE })
        .risk(Risks::new(Widened, DataLoss, &[(Identity, "organization grant_id")]).opening_apis());

/// The domains by which each organization is discovered.
pub(super) static ORGANIZATION_DOMAINS: Kind = Kind::nested(
    "organization-discovery-domains",
    "discovery domain of organization",
    "/organizations/{organization}/discovery-domains",
    "organizations",
)
.titled("Organization discovery domains")
.item_path("/organizations/{organization}/discovery-domains/{id}")
.paged(Paging::Checkpoint { field: "domains", size: 50 })
.keyed_by(&["organization", "domain"])
.writable("organization/ domain+! status! use_for_organization_discovery")
.read_only(&["id", "verification_host", "verification_txt"])
.required(&["organization", "domain"])
.refers(&[ORGANIZATION])
// 7 and 4 recorded creates.
.defaults(&[("status", "\"pending\""), ("use_for_organization_discovery", "true")])
.scopes(
    &["read:organization_discovery_domains"],
    &["create:organization_discovery_domains"],
    &["update:organization_discovery_domains"],
    &["delete:organization_discovery_domains"],
)
.risk(Risks::new(Widened, DataLoss, &[(Identity, "organization domain status"), (Access, "use_for_organization_discovery")]));

/// The clients that each organization is entitled to.
///
/// Newer than the description, so taken from a recording (`TestAccOrganizationClientsBatching`): ten per request, removed by id.
pub(super) static ORGANIZATION_CLIENTS: Kind = Kind::child(
    "organization-clients",
    "clients of organization",
    "/organizations/{id}/clients",
    "organizations",
    ElementChanges::AddUpdateRemove { by: "client_id", most: 10 },
)
.titled("Organization applications")
.paged(Paging::Checkpoint { field: "clients", size: 50 })
.writable("clients[]{client_id use_for_member_access}")
.read_only(&["clients[].client"])
.refers(&[Reference::id("clients[].client_id", "clients")])
.unordered(&["clients"])
.scopes(
    &["read:organization_clients"],
    &["create:organization_clients"],
    &["create:organization_clients", "update:organization_clients", "delete:organization_clients"],
    &["delete:organization_clients"],
)
.risk(Risks::new(Widened, Lockout, &[(Access, "clients")]));

/// Settings that several organizations share; early access.
///
/// Newer than the description: fields, pagination and scopes are those of auth0 6.4.0 (npm), and none was recorded. 7.1.0 lacks the operations
/// but has the type, and Auth0's pages still describe them. No request deletes one. A separate request assigns a template to an organization,
/// and its answer names neither.
pub(super) static TEMPLATES: Kind = Kind::collection("organization-templates", "organization template", "/organization-templates")
.titled("Organization templates")
.paged(Paging::Checkpoint { field: "organization_templates", size: 10 })
.allows_duplicates()
.writable("name is_default organization_deletion_behavior connection_deletion_behavior enforce_permission_ceiling
         enforce_self_assignment_restriction connection_profile_id? user_attribute_profile_id? allowed_strategies?
         invitation_landing_client_id? admin_roles_assignment? use_for_organization_discovery?{default_value allowed_values}
         role_visibility_policy?{default_value overrides[]{role_id access}}")
.read_only(&["id", "created_at", "updated_at"])
.required(&["name", "organization_deletion_behavior", "enforce_permission_ceiling", "enforce_self_assignment_restriction"])
.replaced(&["use_for_organization_discovery", "role_visibility_policy"])
.refers(&[
        Reference::id("connection_profile_id", "connection-profiles"),
        Reference::id("user_attribute_profile_id", "user-attribute-profiles"),
        Reference::id("invitation_landing_client_id", "clients"),
        Reference::id("admin_roles_assignment[]", "roles"),
        Reference::id("role_visibility_policy.overrides[].role_id", "roles"),
    ])
.unordered(&["allowed_strategies", "admin_roles_assignment", "use_for_organization_discovery.allowed_values", "role_visibility_policy.overrides"])
.element_key(&[("role_visibility_policy.overrides", "role_id")])
.scopes(&["read:organization_templates"], &["create:organization_templates"], &["update:organization_templates"], &[])
.manual_steps(&[ManualStepTemplate {
        field: "name",
        when: Condition::Present,
        what: "assign template \"{name}\" to the organizations that use it: `migrate api PUT organizations/ID/organization-templates/TEMPLATE`",
    }])
.risk(Risks::new(
            RiskClass::Routine,
            DataLoss,
            &[
                (Access, "is_default allowed_strategies admin_roles_assignment"),
                (
                    Identity,
                    "organization_deletion_behavior connection_deletion_behavior connection_profile_id user_attribute_profile_id \
                     invitation_landing_client_id use_for_organization_discovery role_visibility_policy",
                ),
                (Requirement, "enforce_permission_ceiling enforce_self_assignment_restriction"),
                (Routine, "name"),
            ],
        ));
