//! Entries of connections, the clients that may use them, and provisioning.
//!
//! Fields: `POST /connections`, `PATCH /connections/{id}`, `PATCH /connections/{id}/clients` in Auth0's OpenAPI
//! description of 2026-06-25.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::{self, Quirks};
use crate::catalog::reference::{Condition, ManualStepTemplate, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, AnyChange, Identity, Lifetime, Protection, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::{ElementChanges, Paging};

/// Connections.
///
/// A PATCH replaces `options` completely, including secrets, so they are merged into the target's own, as auth0-deploy-cli does; values of a
/// custom database are returned encrypted and sent back as they are. What the server stores in them (thumbprints, agent versions, tokens of
/// an administrator) remains the target's. Offset pages above 1,000 are refused, so the list is read by checkpoint (page "Deprecations and
/// Migrations").
pub(super) static CONNECTIONS: Kind = Kind::collection("connections", "connection", "/connections")
.titled("Connections")
.paged(Paging::Checkpoint { field: "connections", size: 100 })
.distinguished_by(&["strategy"])
.writable("name+! display_name strategy+! options?{attributes!{email{unique+ *} *} *} is_domain_connection show_as_button realms
         metadata{*} authentication!{active *}
         connected_accounts!{active cross_app_access *} cross_app_access_requesting_app!{active *} cross_app_access_resource_app?{*}")
.read_only(&[
        "id",
        "enabled_clients",
        "provisioning_ticket_url",
        "options.thumbprints",
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
        "options.waad_common_endpoint",
    ])
.required(&["name", "strategy"])
    // Recorded updates that omitted them returned them, while every other omitted option was removed.
.merge_only(&["options.authentication_methods", "options.passkey_options"])
.read_modify_write(&["options"])
.always_sent(&["display_name"])
.code(&[
        "options.customScripts.login",
        "options.customScripts.get_user",
        "options.customScripts.create",
        "options.customScripts.verify",
        "options.customScripts.delete",
        "options.customScripts.change_password",
        "options.customScripts.change_email",
        "options.customScripts.change_username",
        "options.customScripts.change_phone_number",
        "options.scripts.fetchUserProfile",
    ])
.secrets(&[
        "options.client_secret",
        "options.app_secret",
        "options.consumer_secret",
        // Headers authenticate the caller: `X-Auth0-Client-Secret` in a recorded connection.
        "options.customHeaders.*",
        "options.twilio_token",
        "options.twilio_sid",
        "options.configuration.*",
        "options.consumer_secret",
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
.not_secret(&[
        ("options.attribute_map.attributes.*", "names of user attributes elsewhere"),
        ("options.fieldsMap.*", "names of user attributes elsewhere"),
        ("options.global_token_revocation_jwt_iss", "the issuer or subject of revocation tokens"),
        ("options.global_token_revocation_jwt_sub", "the issuer or subject of revocation tokens"),
    ])
.requires_secrets(&[RequiredSecrets { path: "options.gateway_authentication", secretless_when: None }])
.refers(&[
        Reference::id("options.idpinitiated.client_id", "clients"),
        Reference::id("options.custom_password_hash.action_id", "actions"),
    ])
.depends_on(&["email-provider", "phone-providers"])
.unordered(&["options.scope", "realms", "options.domain_aliases"])
.defaults(&[
        ("is_domain_connection", "false"),
        ("show_as_button", "false"),
        // Recorded creates returned both although they were not sent.
        ("authentication", r#"{"active":true}"#),
        ("connected_accounts", r#"{"active":false}"#),
    ])
.scopes(&["read:connections"], &["create:connections"], &["update:connections"], &["delete:connections"])
.manual_steps(&[ManualStepTemplate {
        field: "strategy",
        when: Condition::OneOf(&["samlp", "oidc", "okta", "waad", "adfs", "pingfederate", "google-apps"]),
        what: "configure the identity provider with the callback https://{domain}/login/callback and the entity id urn:auth0:{tenant}:{name}",
    }])
    // `DELETE /connections/{id}`: with "a large amount of users associated with it" it continues after the answer.
.user_data("its users")
.quirks(Quirks {
edits: &[quirks::realms_of_databases, quirks::certificate_by_its_name, quirks::discovered_metadata],
template_variables: &[
        // The model of a request in Auth0's passport-wsfed-saml2 (lib/passport-wsfed-saml2/samlp.js); six recorded connections hold the
        // default template, and the description says "variable substitution using @@variableName@@ syntax". No page of Auth0's
        // own that was found shows `LoginHint`: it occurs in templates of real tenants, and would be taken for a placeholder.
        (
            "options.requestTemplate",
            &[
                "ID",
                "IssueInstant",
                "Issuer",
                "ProtocolBinding",
                "ForceAuthn",
                "Destination",
                "AssertionConsumerServiceURL",
                "AssertServiceURLAndDestination",
                "AuthnContext",
                "ProviderName",
                "LoginHint",
            ],
        ),
        // The code that is sent; in the SMS connections of the description.
        ("options.template", &["password"]),
    ],
    // 12 of 14 recorded creates with oidc, okta and waad returned it although it was not sent.
defaults_to_field: &[("display_name", "name")],
    // "Before creating Windows Azure Active Directory connections you must configure the client_id and client_secret" (deploy-cli#420).
required_when: &[("strategy", Condition::Is("waad"), "options.client_secret")],
    // Refused together (recorded); auth0-deploy-cli removes the one of the target if the other is sent, too.
exclusive: &[("options.attributes", "options.requires_username"), ("options.attributes", "options.validation")],
    // Without them a connection is returned without options (page "Migrate to the connection options scopes").
extra_scopes: (&["read:connections_options"], &["update:connections_options"]),
..Quirks::NONE })
.risk(Risks::new(
            Widened,
            DataLoss,
            &[
                (AnyChange, "name strategy options cross_app_access_requesting_app cross_app_access_resource_app"),
                (Access, "options.domain_aliases options.tenant_domain options.scope authentication connected_accounts"),
                (
                    Requirement,
                    "options.passwordPolicy options.password_history options.password_no_personal_info options.password_dictionary \
                     options.password_complexity_options options.password_options options.mfa options.signSAMLRequest",
                ),
                (Protection, "options.brute_force_protection"),
                (
                    AnyChange,
                    "options.attributes options.requires_username options.validation options.authentication_methods \
                     options.enabledDatabaseCustomization options.customScripts options.precedence is_domain_connection realms",
                ),
                (Requirement, "options.disable_signup"),
                (Lifetime, "options.totp.time_step"),
                (Routine, "display_name show_as_button metadata options.icon_url options.email.subject options.email.body"),
            ],
        ));

/// The clients that may use each connection.
///
/// The old `enabled_clients` field was to end on 2026-07-13 (page "Deprecations and Migrations"); it was still returned on 2026-08-12.
/// One request changes at most 50.
pub(super) static CONNECTION_CLIENTS: Kind = Kind::child(
    "connection-clients",
    "clients of connection",
    "/connections/{id}/clients",
    "connections",
    ElementChanges::Switch { most: 50 },
)
.titled("Connection clients")
.paged(Paging::Checkpoint { field: "clients", size: 1000 })
.writable("clients[]{client_id}")
.read_only(&["clients[].status"])
.refers(&[Reference::id("clients[].client_id", "clients")])
.unordered(&["clients"])
.scopes(&["read:connections"], &["update:connections"], &["update:connections"], &["update:connections"])
.risk(Risks::new(Widened, Lockout, &[(Access, "clients")]));

/// How users of a connection are provisioned by SCIM; connections of four strategies can have it (according to auth0-deploy-cli).
pub(super) static SCIM: Kind = Kind::part(
    "connection-scim-configurations",
    "SCIM configuration of connection",
    "/connections/{connection}/scim-configuration",
    "connections",
)
.titled("Connection SCIM configurations")
.create_path("/connections/{connection}/scim-configuration")
.parent_condition("strategy", &["samlp", "oidc", "okta", "waad"])
.keyed_by(&["connection"])
.writable("connection/ user_id_attribute mapping[]{auth0 scim *}")
.read_only(&["connection_id", "connection_name", "strategy", "tenant_name", "created_at", "updated_on"])
.required(&["connection"])
.refers(&[Reference::id("connection", "connections")])
.unordered(&["mapping"])
.element_key(&[("mapping", "auth0")])
.scopes(&["read:scim_config"], &["create:scim_config"], &["update:scim_config"], &["delete:scim_config"])
.manual_steps(&[ManualStepTemplate {
    field: "user_id_attribute",
    when: Condition::Present,
    what: "create a SCIM token for connection \"{name}\" and configure it at the identity provider",
}])
.risk(Risks::new(Widened, DataLoss, &[(Identity, "connection user_id_attribute mapping")]));

/// How users of a Google Workspace connection are provisioned; an administrator must first give consent at Google for the target.
pub(super) static DIRECTORY: Kind = Kind::part(
    "connection-directory-provisionings",
    "directory provisioning of connection",
    "/connections/{connection}/directory-provisioning",
    "connections",
)
.titled("Connection directory provisioning")
.create_path("/connections/{connection}/directory-provisioning")
.parent_condition("strategy", &["google-apps"])
.keyed_by(&["connection"])
.writable("connection/ mapping![]{auth0 idp} synchronize_automatically synchronize_groups!")
.read_only(&[
    "connection_id",
    "connection_name",
    "strategy",
    "created_at",
    "updated_at",
    "last_synchronization_at",
    "last_synchronization_error",
    "last_synchronization_status",
])
.required(&["connection"])
.refers(&[Reference::id("connection", "connections")])
.unordered(&["mapping"])
.element_key(&[("mapping", "auth0")])
.scopes(
    &["read:directory_provisionings"],
    &["create:directory_provisionings"],
    &["update:directory_provisionings"],
    &["delete:directory_provisionings"],
)
.risk(Risks::new(Widened, DataLoss, &[(Identity, "connection mapping synchronize_groups"), (Access, "synchronize_automatically")]));

/// Which groups of a Google Workspace connection are synchronized, if not all are.
pub(super) static DIRECTORY_GROUPS: Kind = Kind::part(
    "connection-synchronized-groups",
    "synchronized groups of connection",
    "/connections/{connection}/directory-provisioning/synchronized-groups",
    "connections",
)
.titled("Connection synchronized groups")
.parent_condition("strategy", &["google-apps"])
.put()
.keyed_by(&["connection"])
.writable("connection/ groups[]{id! name! email!}")
.read_only(&["next", "groups[].direct_members_count"])
.required(&["connection"])
.refers(&[Reference::id("connection", "connections")])
.depends_on(&["connection-directory-provisionings"])
.unordered(&["groups"])
.element_key(&[("groups", "id")])
.scopes(&["read:directory_provisionings"], &["update:directory_provisionings"], &["update:directory_provisionings"], &[])
.risk(Risks::new(Widened, DataLoss, &[(Identity, "connection"), (Access, "groups")]));
