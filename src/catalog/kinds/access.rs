//! Entries of APIs, and of the roles that bundle their permissions.
//!
//! Fields: `POST` and `PATCH /resource-servers`, `/roles`, `/roles/{id}/permissions` in Auth0's OpenAPI description of
//! 2026-06-25.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::Quirks;
use crate::catalog::reference::{BuiltIn, Condition, Exclusion, GeneratedSecretField, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, AnyChange, Lifetime, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::{ElementChanges, Paging};

/// APIs.
///
/// `token_lifetime_for_web` is missing from the description's write schemas, yet 2 recorded creates and 7 updates with it were accepted.
/// The tenant's own APIs have `is_system`. The Management API accepts no PATCH at all; the others (My Account, My Organization) accept the
/// fields below and refuse name, identifier and scopes (auth0-deploy-cli#1484, PR 1229 and its handler of APIs).
pub(super) static RESOURCE_SERVERS: Kind = Kind::collection("resource-servers", "API", "/resource-servers")
    .titled("APIs")
    .paged(Paging::Offset { field: "resource_servers", size: 100, or_checkpoint: false })
    .keyed_by(&["identifier"])
    .distinguished_by(&["identifier"])
    .writable(
        "name! identifier+! scopes[]{value! description} signing_alg! signing_secret! allow_offline_access allow_online_access
         allow_online_access_with_ephemeral_sessions token_lifetime token_lifetime_for_web token_dialect!
         skip_consent_for_verifiable_first_party_clients enforce_policies
         token_encryption?!{format! encryption_key!{name! alg! kid! pem! thumbprint_sha256}}
         consent_policy?! authorization_details?
         proof_of_possession?!{mechanism! required required_for!}
         subject_type_authorization{user{policy! *} client{policy! *} anonymous_user{policy *}}
         authorization_policy?!{policy_id!} token_lifetime_for_anonymous_access_tokens?",
    )
    // The Management API has no kind for policies, so the id of one cannot be mapped to another tenant.
    .read_only(&[
        "id",
        "is_system",
        "client_id",
        "verificationLocation",
        "verificationKey",
        "authorization_policy",
        "token_encryption.encryption_key.thumbprint_sha256",
    ])
    .required(&["identifier"])
    .secrets(&["signing_secret", "token_encryption.encryption_key.pem"])
    .not_secret(&[
        ("subject_type_authorization", "policies, which contain no secrets"),
        ("token_lifetime_for_anonymous_access_tokens", "the lifetime of a token"),
        ("token_lifetime_for_web", "the lifetime of a token"),
    ])
    // 14 recorded creates with RS256 were answered without one.
    .generated_secrets(&[GeneratedSecretField {
        path: "signing_secret",
        when: Some(("signing_alg", "HS256")),
        unused_when: None,
        shown_at: "resource-servers/{id}",
        shown_with: None,
    }])
    .write_only(&["token_encryption.encryption_key.pem"])
    // The description requires `pem`, which a read may not return.
    .requires_secrets(&[RequiredSecrets { path: "token_encryption", secretless_when: None }])
    .unordered(&["scopes"])
    .element_key(&[("scopes", "value")])
    .defaults(&[
        ("allow_offline_access", "false"),
        ("skip_consent_for_verifiable_first_party_clients", "false"),
        ("enforce_policies", "false"),
        ("token_lifetime", "86400"),
        ("token_lifetime_for_web", "7200"),
        ("signing_alg", "\"RS256\""),
        ("subject_type_authorization", r#"{"client":{"policy":"require_client_grant"},"user":{"policy":"allow_all"}}"#),
    ])
    .scopes(&["read:resource_servers"], &["create:resource_servers"], &["update:resource_servers"], &["delete:resource_servers"])
    .excluded(&[Exclusion::always("is_system", Condition::True, "it is the tenant's own API")])
    .quirks(Quirks {
        built_in: Some(BuiltIn {
            field: "is_system",
            when: Condition::True,
            except: ("identifier", Condition::EndsWith("/api/v2/")),
            fields: &[
                "token_lifetime",
                "skip_consent_for_verifiable_first_party_clients",
                "proof_of_possession",
                "subject_type_authorization.user",
            ],
            reason: "it is the tenant's own API",
            manual_setup: "enable this API in the target's dashboard under Applications > APIs, then import again",
        }),
        ..Quirks::NONE
    })
    .risk(Risks::new(
        Widened,
        DataLoss,
        &[
            (Access, "scopes allow_offline_access allow_online_access allow_online_access_with_ephemeral_sessions"),
            (
                AnyChange,
                "identifier signing_alg signing_secret token_dialect token_encryption consent_policy authorization_details \
                     authorization_policy",
            ),
            (Requirement, "subject_type_authorization enforce_policies proof_of_possession"),
            (Lifetime, "token_lifetime token_lifetime_for_web token_lifetime_for_anonymous_access_tokens"),
            (Routine, "name skip_consent_for_verifiable_first_party_clients"),
        ],
    ));

/// Roles.
///
/// `type` and `owner_id` appear if roles of organizations are enabled; neither is in the description.
pub(super) static ROLES: Kind = Kind::collection("roles", "role", "/roles")
    .titled("Roles")
    .paged(Paging::Offset { field: "roles", size: 100, or_checkpoint: false })
    .distinguished_by(&["description"])
    .writable("name description")
    .read_only(&["id", "type", "owner_id"])
    .required(&["name"])
    .scopes(&["read:roles"], &["create:roles"], &["update:roles"], &["delete:roles"])
    .excluded(&[Exclusion::always("type", Condition::Is("organization"), "it belongs to one organization").foreign()])
    // `DELETE /roles/{id}`: "Once deleted, it is removed from any user who was previously assigned that role."
    .user_data("its assignment to users and groups")
    .risk(Risks::new(Widened, DataLoss, &[(Routine, "name description")]));

/// The permissions of each role.
pub(super) static ROLE_PERMISSIONS: Kind =
    Kind::child("role-permissions", "permissions of role", "/roles/{id}/permissions", "roles", ElementChanges::AddRemove { most: 1000 })
        .titled("Role permissions")
        .paged(Paging::Offset { field: "permissions", size: 100, or_checkpoint: false })
        .writable("permissions[]{resource_server_identifier permission_name}")
        .read_only(&["permissions[].resource_server_name", "permissions[].description"])
        .refers(&[Reference::key("permissions[].resource_server_identifier", "resource-servers")])
        .unordered(&["permissions"])
        .scopes(&["read:roles"], &["update:roles"], &["update:roles"], &["update:roles"])
        .risk(Risks::new(Widened, Lockout, &[(Access, "permissions")]).opening_apis());
