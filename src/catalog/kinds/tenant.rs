//! Entries of tenant settings, custom domains and keys.
//!
//! Fields: `PATCH /tenants/settings`, `/custom-domains` and `/keys/custom-signing` in Auth0's OpenAPI description of
//! 2026-06-25.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::{self, Quirks};
use crate::catalog::reference::Reference;
use crate::catalog::risk::RiskClass::{self, DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, AnyChange, Identity, Lifetime, Limit, Protection, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

/// The tenant settings, a single object.
///
/// A flag outside the list is refused; `flags.use_scope_descriptions_for_consent` is accepted although the description
/// lacks it (10 recordings). Lifetimes are read in hours and written in minutes; both at once are refused.
pub(super) static TENANT_SETTINGS: Kind = Kind::singleton("tenant-settings", "tenant settings", "/tenants/settings")
.titled("Tenant settings")
.writable("change_password?{enabled html} device_flow?{charset! mask} guardian_mfa_page?{enabled html} default_audience default_directory
         error_page?{html show_log_link url}
         default_token_quota?!{clients!{client_credentials!{enforce per_day per_hour} *} organizations!{client_credentials!{enforce per_day per_hour} *}}
         flags{change_pwd_flow_v1 enable_apis_section enable_client_connections enable_pipeline2 allow_legacy_delegation_grant_types
               allow_legacy_ro_grant_types allow_legacy_tokeninfo_endpoint enable_legacy_profile enable_idtoken_api2
               enable_public_signup_user_exists_error disable_clickjack_protection_headers no_disclose_enterprise_connections
               enforce_client_authentication_on_passwordless_start enable_adfs_waad_email_verification revoke_refresh_token_grant
               dashboard_log_streams_next dashboard_insights_view disable_fields_map_fix mfa_show_factor_list_on_enrollment remove_alg_from_jwks
               improved_signup_bot_detection_in_classic genai_trial enable_dynamic_client_registration
               disable_management_api_sms_obfuscation trust_azure_adfs_email_verified_connection_property custom_domains_provisioning
               use_scope_descriptions_for_consent enable_sso allow_changing_enable_sso disable_impersonation local_resource_discovery}
         friendly_name picture_url support_email support_url allowed_logout_urls session_lifetime_in_minutes idle_session_lifetime_in_minutes
         ephemeral_session_lifetime_in_minutes idle_ephemeral_session_lifetime_in_minutes
         session_lifetime idle_session_lifetime ephemeral_session_lifetime idle_ephemeral_session_lifetime
         sandbox_version legacy_sandbox_version default_redirection_uri enabled_locales!
         security_headers?{content_security_policy?{enabled policies[]{mode! directives{*} flags reporting?{report_uri report_to_group}}
               reporting_infrastructure?{report_to?{group max_age endpoints[]{url}} reporting_endpoints{*}}}
               x_xss_protection?{enabled mode! report_uri}}
         session_cookie?!{mode!} sessions?{oidc_logout_prompt_enabled anonymous?{lifetime_in_minutes activate_cookie}}
         oidc_logout{rp_logout_end_session_endpoint_discovery}
         customize_mfa_in_postlogin_action? allow_organization_name_in_authentication_api? acr_values_supported?
         mtls?{enable_endpoint_aliases} pushed_authorization_requests_supported? authorization_response_iss_parameter_supported?
         skip_non_verifiable_callback_uri_confirmation_prompt? resource_parameter_profile! client_id_metadata_document_supported
         enable_ai_guide phone_consolidated_experience include_session_metadata_in_tenant_logs dynamic_client_registration_security_mode!
         country_codes?{list mode!}")
.read_only(&[
        "sandbox_versions_available",
        // The colours of branding, which old tenants return here.
        "universal_login",
        "flags.include_email_in_reset_pwd_redirect",
        "flags.include_email_in_verify_email_redirect",
        "flags.remove_stale_idp_attributes",
        "flags.universal_login",
        "flags.enable_custom_domain_in_emails",
        "flags.new_universal_login_experience_enabled",
        "flags.dashboard_new_onboarding",
        "flags.non_oidc_conformant_updated_at",
        "flags.allow_other_legacy_grant_types",
        "flags.require_signed_request_object",
        "flags.enable_legacy_logs_search_v2",
        "flags.cannot_change_enforce_client_authentication_on_passwordless_start",
    ])
.not_secret(&[
        ("default_token_quota.*.client_credentials", "a limit on the tokens of this grant"),
        ("flags.change_pwd_flow_v1", "whether passwords are changed in the old way"),
        ("flags.enable_idtoken_api2", "whether a token is accepted"),
        ("flags.enforce_client_authentication_on_passwordless_start", "whether a client authenticates"),
        ("flags.revoke_refresh_token_grant", "what is revoked together with a token"),
        ("sessions.anonymous.activate_cookie", "whether a cookie is used"),
    ])
.refers(&[Reference::key("default_directory", "connections"), Reference::key("default_audience", "resource-servers")])
.unordered(&["acr_values_supported", "allowed_logout_urls"])
    // Which flags a tenant has depends on its age, and no request removes one.
.server_filled(&["flags.*"])
.scopes(&["read:tenant_settings"], &[], &["update:tenant_settings"], &[])
.quirks(Quirks {
edits: &[quirks::lifetimes_in_minutes],
..Quirks::NONE })
.risk(Risks::new(
            RiskClass::Routine,
            DataLoss,
            &[
                (
                    AnyChange,
                    "change_password guardian_mfa_page device_flow default_audience default_directory default_redirection_uri \
                     sandbox_version legacy_sandbox_version flags mtls resource_parameter_profile country_codes security_headers \
                     acr_values_supported customize_mfa_in_postlogin_action oidc_logout",
                ),
                (
                    Access,
                    "allowed_logout_urls enabled_locales allow_organization_name_in_authentication_api \
                     pushed_authorization_requests_supported client_id_metadata_document_supported sessions.anonymous \
                     flags.enable_dynamic_client_registration",
                ),
                (
                    Requirement,
                    "dynamic_client_registration_security_mode default_token_quota.clients.client_credentials.enforce \
                     default_token_quota.organizations.client_credentials.enforce \
                     flags.enforce_client_authentication_on_passwordless_start",
                ),
                (Limit, "default_token_quota"),
                (
                    Lifetime,
                    "session_cookie session_lifetime_in_minutes idle_session_lifetime_in_minutes ephemeral_session_lifetime_in_minutes \
                     idle_ephemeral_session_lifetime_in_minutes session_lifetime idle_session_lifetime ephemeral_session_lifetime \
                     idle_ephemeral_session_lifetime",
                ),
                (Protection, "authorization_response_iss_parameter_supported"),
                (
                    Routine,
                    "friendly_name picture_url support_email support_url error_page sessions enable_ai_guide \
                     phone_consolidated_experience include_session_metadata_in_tenant_logs \
                     skip_non_verifiable_callback_uri_confirmation_prompt flags.dashboard_log_streams_next \
                     flags.dashboard_insights_view flags.genai_trial flags.enable_apis_section",
                ),
            ],
        ));

/// Custom domains. Only one tenant can have a domain, so a person moves it.
pub(super) static CUSTOM_DOMAINS: Kind = Kind::collection("custom-domains", "custom domain", "/custom-domains")
    .titled("Custom domains")
    .paged(Paging::Checkpoint { field: "custom_domains", size: 100 })
    .id_field("custom_domain_id")
    .keyed_by(&["domain"])
    .tenant_host("domain")
    .distinguished_by(&["type"])
    .writable("domain+! type+! verification_method+! tls_policy! custom_client_ip_header? domain_metadata{*} relying_party_identifier?")
    .read_only(&[
        "custom_domain_id",
        "certificate",
        "created_at",
        "is_default",
        "origin_domain_name",
        "primary",
        "status",
        "verification",
        "cname_api_key",
    ])
    .required(&["domain", "type"])
    .not_secret(&[("domain_metadata.key", "a name of metadata like any other, as recorded")])
    .scopes(&["read:custom_domains"], &["create:custom_domains"], &["update:custom_domains"], &["delete:custom_domains"])
    .manual_setup(
        "move it: remove it in the source, add it in the target, change its DNS record, and verify it; until then, logins do not use it",
    )
    .risk(Risks::new(
        Widened,
        DataLoss,
        &[
            (AnyChange, "domain type verification_method tls_policy custom_client_ip_header relying_party_identifier"),
            (Routine, "domain_metadata"),
        ],
    ));

/// The custom domain of links that name none. If none was chosen it is the tenant's own domain, and the target keeps its own.
pub(super) static DEFAULT_DOMAIN: Kind = Kind::singleton("custom-domains-default", "default custom domain", "/custom-domains/default")
    .titled("Default custom domain")
    .tenant_host("domain")
    .writable("domain!")
    .read_only(&[
        "custom_domain_id",
        "certificate",
        "created_at",
        "custom_client_ip_header",
        "domain_metadata",
        "is_default",
        "origin_domain_name",
        "primary",
        "relying_party_identifier",
        "status",
        "tls_policy",
        "type",
        "verification",
    ])
    .refers(&[Reference::key("domain", "custom-domains")])
    .scopes(&["read:custom_domains"], &[], &["update:custom_domains"], &[])
    .risk(Risks::TENANT_WIDE);

/// Public keys that a tenant uses to sign instead of its own; a tenant has none until they are set.
pub(super) static CUSTOM_SIGNING_KEYS: Kind = Kind::singleton("custom-signing-keys", "custom signing keys", "/keys/custom-signing")
    .titled("Custom signing keys")
    .put()
    .optional()
    .writable("keys![]{kty! kid use! key_ops! alg! n e crv! x y x5u x5c! x5t x5t#S256}")
    .not_secret(&[("keys[].key_ops", "the use of a public key")])
    .scopes(
        &["read:custom_signing_keys"],
        &["create:custom_signing_keys", "update:custom_signing_keys"],
        &["create:custom_signing_keys", "update:custom_signing_keys"],
        &["delete:custom_signing_keys"],
    )
    .risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "*")]));

/// Keys that sign requests which pass a network ACL; newer than the description, taken from auth0 7.1.0 (npm). Their values cannot be read,
/// so one is created only if a rule supplies its value.
pub(super) static NETWORK_ACL_KEYS: Kind = Kind::collection("network-acl-keys", "network ACL key", "/keys/network-acls")
    .titled("Access control list keys")
    .paged(Paging::In { field: "keys" })
    .writable("name+ alg+ value+")
    .read_only(&["id", "fingerprint", "created_at", "updated_at"])
    .required(&["name", "alg", "value"])
    .secrets(&["value"])
    .write_only(&["value"])
    .scopes(&["read:network_acl_keys"], &["create:network_acl_keys"], &[], &["delete:network_acl_keys"])
    .risk(Risks::new(RiskClass::Routine, DataLoss, &[(Identity, "name alg value")]));
