//! Entries of applications, their grants, the classic login page and agents.
//!
//! Fields: schemas of `POST /clients`, `PATCH /clients/{id}`, `POST /client-grants`, `PATCH /client-grants/{id}` in
//! Auth0's OpenAPI description of 2026-06-25, corrected by recorded traffic; `/agents` in the types of auth0 7.1.0
//! (npm).

use crate::catalog::kind::Kind;
use crate::catalog::quirks::Quirks;
use crate::catalog::reference::{Condition, Exclusion, GeneratedSecretField, ManualStepTemplate, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, AnyChange, Exception, Identity, Lifetime, Limit, Presence, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

/// Applications.
///
/// The tenant assigns `client_id`, and names are not unique. Defaults are those on which 69 to 76 recorded creates agree; those of the
/// description are wrong in three of twelve cases. `jwt_configuration.secret_encoded` and `third_party_security_mode` are in the update
/// schema of the description, but an update of either is refused. The keys with which a client authenticates
/// (`client_authentication_methods`) cannot be read: a tenant returns ids of credentials, a create requires the keys.
///
/// A create that omits grant types and token settings fills them in (189 of 189 recorded creates, depending on the authentication method
/// and on whether the client is first-party), and every recorded client except the global one has them. So a client without them was
/// written by a person or an older tenant, and clearing them would leave a client that can do nothing. A partial `refresh_token` is
/// completed; token settings are not (a body with only `alg` gains no lifetime).
///
/// Two clients may have the same name: 11 recorded creates with one name were all answered with 201.
pub(super) static CLIENTS: Kind = Kind::collection("clients", "client", "/clients")
.titled("Applications")
.query(&[("is_global", "false")])
.paged(Paging::Offset { field: "clients", size: 100, or_checkpoint: true })
.id_field("client_id")
.allows_duplicates()
.distinguished_by(&["app_type", "callbacks"])
.writable("name! description logo_uri callbacks
         oidc_logout{backchannel_logout_urls backchannel_logout_initiators{mode! selected_initiators *}
                     backchannel_logout_session_metadata?{include *} *}
         oidc_backchannel_logout?{backchannel_logout_urls backchannel_logout_initiators{mode! selected_initiators *}
                     backchannel_logout_session_metadata?{include *} *}
         session_transfer?{can_create_session_transfer_token enforce_cascade_revocation allowed_authentication_methods?
                     enforce_device_binding! allow_refresh_token enforce_online_refresh_tokens
                     delegation?{allow_delegated_access enforce_device_binding!}}
         allowed_origins web_origins client_aliases allowed_clients allowed_logout_urls grant_types token_endpoint_auth_method?!
         is_token_endpoint_ip_header_trusted app_type! is_first_party oidc_conformant
         jwt_configuration{lifetime_in_seconds secret_encoded+ scopes{*} alg! *}
         encryption_key?{pub cert subject *}
         sso cross_origin_authentication cross_origin_loc? sso_disabled custom_login_page_on custom_login_page
         custom_login_page_preview form_template
         addons?{aws{*} azure_blob{*} azure_sb{*} rms!{*} mscrm!{*} slack!{*} sentry{*} box{*} cloudbees{*} concur{*} dropbox{*} echosign{*}
                egnyte{*} firebase{*} newrelic{*} office365{*} salesforce{*} salesforce_api{*} salesforce_sandbox_api{*} samlp{*} layer!{*}
                sap_api{*} sharepoint{*} springcm{*} wams{*} wsfed{*} zendesk{*} zoom{*} sso_integration{*} oag?{*}}
         client_metadata{*}
         mobile{android{app_package_name sha256_cert_fingerprints! *} ios{team_id app_bundle_identifier *} *}
         initiate_login_uri
         native_social_login?!{apple?!{enabled} facebook?!{enabled} google?!{enabled}}
         fedcm_login?!{google?!{is_enabled}}
         refresh_token?!{rotation_type! expiration_type! leeway token_lifetime infinite_token_lifetime idle_token_lifetime
                     infinite_idle_token_lifetime policies?![]{audience! scope}}
         default_organization?!{organization_id flows}
         organization_usage?! organization_require_behavior?! organization_discovery_methods?!
         client_authentication_methods?!{private_key_jwt!{credentials{*}} tls_client_auth!{credentials{*}} self_signed_tls_client_auth!{credentials{*}}}
         require_pushed_authorization_requests require_proof_of_possession
         signed_request_object?{required credentials{*}}
         token_vault_privileged_access?!{credentials{*} ip_allowlist grants}
         compliance_level?! skip_non_verifiable_callback_uri_confirmation_prompt?
         token_exchange?{allow_any_profile_of_type}
         par_request_expiry? token_quota?!{client_credentials!{enforce per_day per_hour}}
         resource_server_identifier+! third_party_security_mode+! redirection_policy!
         identity_assertion_authorization_grant?{*}
         express_configuration?!{initiate_login_uri_template user_attribute_profile_id connection_profile_id enable_client
                     enable_organization linked_clients[]{client_id!} okta_oin_client_id! admin_login_domain! oin_submission_id!}
         my_organization_configuration?!{connection_profile_id user_attribute_profile_id allowed_strategies connection_deletion_behavior!
                     invitation_landing_client_id! third_party_client_access{*}}
         async_approval_notification_channels?! client_secret~!
         anonymous_sessions?{active} b2b_integration_configuration{sso_profiles integration_type}")
.read_only(&[
        "client_id",
        "tenant",
        "global",
        "owners",
        "signing_keys",
        "jwks_uri",
        "encrypted",
        "callback_url_template",
        "config_route",
        "external_client_id",
        "external_metadata_type",
        "external_metadata_created_by",
        // Answers contain the old names besides the new ones; the API refuses both at once.
        "cross_origin_auth",
        "oidc_backchannel_logout",
    ])
.required(&["name"])
.secrets(&[
        "client_secret",
        "signing_keys[].key",
        "client_authentication_methods",
        "signed_request_object.credentials",
        "token_vault_privileged_access",
        "addons.*.storageAccessKey",
        "addons.*.sasKey",
        "addons.*.secret",
        "addons.*.private_key",
        "addons.*.private_key_id",
        "addons.*.privateKey",
        "addons.*.servicePassword",
        "addons.*.masterkey",
        "addons.*.password",
    ])
.not_secret(&[
        ("addons.samlp.mappings.*", "names of user attributes in an assertion"),
        ("is_token_endpoint_ip_header_trusted", "whether a header is trusted"),
        ("jwt_configuration.secret_encoded", "the encoding of the secret"),
        ("refresh_token", "the settings of refresh tokens"),
        ("session_transfer.allow_refresh_token", "whether refresh tokens are allowed"),
        ("session_transfer.can_create_session_transfer_token", "whether such tokens are allowed"),
        ("session_transfer.enforce_online_refresh_tokens", "whether such tokens are allowed"),
        ("token_exchange", "which exchanges are allowed"),
        ("token_quota", "a limit on the number of tokens"),
        ("token_quota.client_credentials", "a limit on the tokens of this grant"),
    ])
    // Of 435 recorded creates of all kinds, only those of clients returned a secret that was not sent.
    // The description: `none` is a public client, without a client secret; `client_secret` needs the scope `read:client_keys`.
.generated_secrets(&[GeneratedSecretField {
        path: "client_secret",
        when: None,
        unused_when: Some(("token_endpoint_auth_method", "none")),
        shown_at: "clients/{id}?fields=client_secret",
        shown_with: Some("read:client_keys"),
    }])
    // Refused without its key (the description's `privateKey`; recorded creates and updates of each addon contain its secret).
.requires_secrets(&[RequiredSecrets { path: "addons.layer", secretless_when: None }])
.refers(&[
        Reference::key("resource_server_identifier", "resource-servers"),
        Reference::key("refresh_token.policies[].audience", "resource-servers"),
        Reference::key("addons.office365.connection", "connections").deferred(),
        Reference::id("allowed_clients[]", "clients").deferred(),
        Reference::id("default_organization.organization_id", "organizations").deferred(),
        Reference::id("express_configuration.user_attribute_profile_id", "user-attribute-profiles"),
        Reference::id("express_configuration.connection_profile_id", "connection-profiles"),
        Reference::id("express_configuration.okta_oin_client_id", "clients").deferred(),
        Reference::id("express_configuration.linked_clients[].client_id", "clients").deferred(),
        Reference::id("my_organization_configuration.user_attribute_profile_id", "user-attribute-profiles"),
        Reference::id("my_organization_configuration.connection_profile_id", "connection-profiles"),
        Reference::id("my_organization_configuration.invitation_landing_client_id", "clients").deferred(),
        Reference::id("b2b_integration_configuration.sso_profiles[]", "self-service-profiles"),
    ])
.unordered(&["grant_types", "allowed_clients", "allowed_origins", "web_origins", "allowed_logout_urls", "client_aliases"])
.defaults(&[
        ("is_first_party", "true"),
        ("is_token_endpoint_ip_header_trusted", "false"),
        ("sso_disabled", "false"),
        ("custom_login_page_on", "true"),
        ("cross_origin_authentication", "false"),
        ("oidc_conformant", "false"),
        ("sso", "false"),
        ("jwt_configuration.secret_encoded", "false"),
        // The description's defaults; recordings have clients without any of them, and clients of tools with all of them.
        ("native_social_login.apple.enabled", "false"),
        ("native_social_login.facebook.enabled", "false"),
        ("native_social_login.google.enabled", "false"),
    ])
.server_filled(&[
        "grant_types",
        "jwt_configuration",
        "refresh_token.rotation_type",
        "refresh_token.expiration_type",
        "refresh_token.leeway",
        "refresh_token.token_lifetime",
        "refresh_token.idle_token_lifetime",
        "refresh_token.infinite_token_lifetime",
        "refresh_token.infinite_idle_token_lifetime",
    ])
.scopes(&["read:clients"], &["create:clients"], &["update:clients"], &["delete:clients"])
.entitlements(&[
        "compliance_level",
        "organization_require_behavior",
        "organization_usage",
        "organization_discovery_methods",
        "require_pushed_authorization_requests",
        "session_transfer",
        "token_exchange",
        "token_quota",
    ])
.excluded(&[
        Exclusion::always("global", Condition::True, "it is the tenant's own global client"),
        Exclusion::unless("third-party", "is_first_party", Condition::False, "a third party registered it; --include third-party copies it").foreign(),
        Exclusion::always("external_metadata_type", Condition::Is("cimd"), "it is registered by a client metadata document").foreign(),
        Exclusion::always("external_metadata_type", Condition::Is("dcr"), "it was registered dynamically").foreign(),
    ])
.quirks(Quirks {
    // Some addons have no settings, so their presence is the setting (the description; recorded answers contain `{"box": {}, "wsfed": {}}`).
presence_is_setting: &["addons.*"],
    // Refused together; the method alone is refused while keys are active (the description's text of PATCH /clients/{id}).
blocked_by: &[("token_endpoint_auth_method", "client_authentication_methods")],
..Quirks::NONE })
.risk(Risks::new(
            Widened,
            DataLoss,
            &[
                (
                    Access,
                    "callbacks allowed_logout_urls allowed_origins web_origins grant_types client_aliases allowed_clients \
                     oidc_logout.backchannel_logout_urls oidc_backchannel_logout.backchannel_logout_urls native_social_login \
                     fedcm_login cross_origin_authentication token_exchange session_transfer async_approval_notification_channels \
                     identity_assertion_authorization_grant token_vault_privileged_access.grants anonymous_sessions \
                     organization_discovery_methods",
                ),
                (
                    AnyChange,
                    "token_endpoint_auth_method app_type is_first_party oidc_conformant jwt_configuration encryption_key \
                     client_authentication_methods client_secret signed_request_object.credentials token_vault_privileged_access \
                     initiate_login_uri cross_origin_loc default_organization resource_server_identifier express_configuration \
                     my_organization_configuration mobile sso sso_disabled organization_usage organization_require_behavior \
                     compliance_level b2b_integration_configuration oidc_logout.backchannel_logout_initiators \
                     oidc_backchannel_logout.backchannel_logout_initiators form_template custom_login_page custom_login_page_on",
                ),
                (
                    Requirement,
                    "refresh_token.expiration_type refresh_token.rotation_type redirection_policy third_party_security_mode \
                     require_pushed_authorization_requests require_proof_of_possession signed_request_object.required \
                     token_quota.client_credentials.enforce session_transfer.enforce_device_binding \
                     session_transfer.enforce_cascade_revocation session_transfer.enforce_online_refresh_tokens \
                     token_vault_privileged_access.ip_allowlist",
                ),
                (Exception, "is_token_endpoint_ip_header_trusted skip_non_verifiable_callback_uri_confirmation_prompt"),
                (Limit, "token_quota"),
                // The audience is the name of the service provider, and must follow it.
                (Presence, "addons addons.samlp.audience"),
                (Identity, "addons.*.*"),
                (Lifetime, "jwt_configuration.lifetime_in_seconds refresh_token par_request_expiry"),
                (Access, "refresh_token.policies"),
                (
                    Routine,
                    "name description logo_uri client_metadata custom_login_page_preview oidc_logout oidc_backchannel_logout \
                     oidc_logout.backchannel_logout_session_metadata oidc_backchannel_logout.backchannel_logout_session_metadata",
                ),
            ],
        ).opening_apis());

/// Which client may call which API, with which scopes.
///
/// One per client, API and subject type; an absent subject type means `client`. Recorded lists are ordered by id.
pub(super) static CLIENT_GRANTS: Kind = Kind::collection("client-grants", "grant", "/client-grants")
    .titled("Application API access")
    .paged(Paging::Offset { field: "client_grants", size: 100, or_checkpoint: true })
    .keyed_by(&["client_id", "default_for", "audience", "subject_type"])
    .distinguished_by(&["scope"])
    .writable(
        "client_id+ audience+! default_for+! organization_usage?! allow_any_organization? scope? subject_type+! authorization_details_types
         allow_all_scopes?",
    )
    .read_only(&["id", "is_system"])
    .required(&["audience", "client_id"])
    .refers(&[Reference::id("client_id", "clients"), Reference::key("audience", "resource-servers")])
    .unordered(&["scope", "authorization_details_types"])
    .defaults(&[("subject_type", "\"client\""), ("allow_any_organization", "false"), ("allow_all_scopes", "false")])
    .scopes(&["read:client_grants"], &["create:client_grants"], &["update:client_grants"], &["delete:client_grants"])
    .excluded(&[Exclusion::always("is_system", Condition::True, "it is the tenant's own grant")])
    .risk(
        Risks::new(
            Widened,
            DataLoss,
            &[
                (Access, "scope allow_any_organization authorization_details_types allow_all_scopes"),
                (AnyChange, "organization_usage"),
                (Identity, "client_id audience default_for subject_type"),
            ],
        )
        .opening_apis(),
    );

/// The page of the classic login, which is a field of the tenant's global client.
pub(super) static LOGIN_PAGE: Kind = Kind::collection("client-login-page", "classic login page", "/clients")
    .titled("Classic login page")
    .query(&[("is_global", "true")])
    .paged(Paging::Offset { field: "clients", size: 100, or_checkpoint: true })
    .id_field("client_id")
    .keyed_by(&[])
    .writable("custom_login_page custom_login_page_on")
    .defaults(&[("custom_login_page_on", "true")])
    .scopes(&["read:clients"], &["update:clients"], &["update:clients"], &[])
    .not_creatable("every tenant has one")
    .quirks(Quirks { same_endpoint_as: Some("clients"), ..Quirks::NONE })
    .risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "custom_login_page custom_login_page_on")]));

/// Agents, which are separate principals; early access.
///
/// Newer than the description: fields, pagination and scopes are those of auth0 7.1.0 (npm), and none was recorded. Answers do not contain the
/// client that a create links to an agent, so a person links it. An external id is set by the create and unique.
pub(super) static AGENTS: Kind = Kind::collection("agents", "agent", "/agents")
    .titled("Agents")
    .paged(Paging::Checkpoint { field: "agents", size: 50 })
    .id_field("agent_id")
    .allows_duplicates()
    .writable("name external_agent_id+ metadata?{*}")
    .read_only(&["agent_id", "created_at", "updated_at"])
    .required(&["name"])
    .replaced(&["metadata"])
    .scopes(&["read:agents"], &["create:agents"], &["update:agents"], &["delete:agents"])
    .manual_steps(&[ManualStepTemplate {
        field: "name",
        when: Condition::Present,
        what: "if a client signs in as agent \"{name}\", link the client to the agent",
    }])
    .risk(Risks::new(Widened, DataLoss, &[(Identity, "external_agent_id"), (Routine, "name metadata")]));
