//! The risks of every kind, by its name.
//!
//! Grouped as the issue of a field is: who may sign in where, by which keys, under which demands. The sources are the same as those of the
//! kinds themselves: what the OpenAPI description says that a field does.

use super::risk::RiskClass::{DataLoss, Lockout, Routine as Harmless, Weakened, Widened};
use super::risk::RiskRule::{Access, Bound, Cap, Demand, Exception, Identity, Lifetime, Presence, Report, Routine, Shield, Stop};
use super::risk::{RiskClass, RiskRule, Risks};

const fn risks(created: RiskClass, removed: RiskClass, fields: &'static [(RiskRule, &'static str)]) -> Risks {
    Risks { created, removed, opens_apis: false, fields }
}

/// The same of a kind whose resources give access to an API.
const fn opening_apis(risks: Risks) -> Risks {
    Risks { opens_apis: true, ..risks }
}

/// A kind of which nothing but looks changes.
const LOOKS: Risks = risks(Harmless, DataLoss, &[(Routine, "*")]);
/// A kind whose resources people and services sign in by, or are let in by; what stands in one is what it is.
const WAY_IN: Risks = risks(Widened, DataLoss, &[(Identity, "*")]);
/// A kind of which there is one: what stands in it is used by everybody at once.
const SWITCH: Risks = risks(Lockout, Lockout, &[(Bound, "*")]);
/// A kind that reports what happens: where it stops, nobody sees an attack.
const WATCH: Risks = risks(
    Widened,
    Weakened,
    &[(Shield, "status pii_config"), (Report, "filters sink"), (Routine, "sink.httpContentFormat sink.httpContentType *")],
);
/// A kind that nobody has rated, as only made-up catalogs have.
static UNRATED: Risks = WAY_IN;

/// Returns the risks of a kind of this name.
pub(super) fn of(kind: &str) -> &'static Risks {
    RISKS.iter().find(|(name, _)| *name == kind).map_or(&UNRATED, |(_, risks)| risks)
}

pub(super) static RISKS: &[(&str, Risks)] = &[
    // Who may sign in where.
    (
        "clients",
        opening_apis(risks(
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
                    Bound,
                    "token_endpoint_auth_method app_type is_first_party oidc_conformant jwt_configuration encryption_key \
                     client_authentication_methods client_secret signed_request_object.credentials token_vault_privileged_access \
                     initiate_login_uri cross_origin_loc default_organization resource_server_identifier express_configuration \
                     my_organization_configuration mobile sso sso_disabled organization_usage organization_require_behavior \
                     compliance_level b2b_integration_configuration oidc_logout.backchannel_logout_initiators \
                     oidc_backchannel_logout.backchannel_logout_initiators form_template custom_login_page custom_login_page_on",
                ),
                (
                    Demand,
                    "refresh_token.expiration_type refresh_token.rotation_type redirection_policy third_party_security_mode \
                     require_pushed_authorization_requests require_proof_of_possession signed_request_object.required \
                     token_quota.client_credentials.enforce session_transfer.enforce_device_binding \
                     session_transfer.enforce_cascade_revocation session_transfer.enforce_online_refresh_tokens \
                     token_vault_privileged_access.ip_allowlist",
                ),
                (Exception, "is_token_endpoint_ip_header_trusted skip_non_verifiable_callback_uri_confirmation_prompt"),
                (Cap, "token_quota"),
                // The audience is the name that the service provider goes by, and follows it.
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
        )),
    ),
    ("client-login-page", risks(Lockout, DataLoss, &[(Bound, "custom_login_page custom_login_page_on")])),
    (
        "client-grants",
        opening_apis(risks(
            Widened,
            DataLoss,
            &[
                (Access, "scope allow_any_organization authorization_details_types allow_all_scopes"),
                (Bound, "organization_usage"),
                (Identity, "client_id audience default_for subject_type"),
            ],
        )),
    ),
    (
        "resource-servers",
        risks(
            Widened,
            DataLoss,
            &[
                (Access, "scopes allow_offline_access allow_online_access allow_online_access_with_ephemeral_sessions"),
                (
                    Bound,
                    "identifier signing_alg signing_secret token_dialect token_encryption consent_policy authorization_details \
                     authorization_policy",
                ),
                (Demand, "subject_type_authorization enforce_policies proof_of_possession"),
                (Lifetime, "token_lifetime token_lifetime_for_web token_lifetime_for_anonymous_access_tokens"),
                (Routine, "name skip_consent_for_verifiable_first_party_clients"),
            ],
        ),
    ),
    ("roles", risks(Widened, DataLoss, &[(Routine, "name description")])),
    ("role-permissions", opening_apis(risks(Widened, Lockout, &[(Access, "permissions")]))),
    (
        "organizations",
        risks(
            Widened,
            DataLoss,
            &[
                (Identity, "name"),
                (Stop, "third_party_client_access"),
                (Access, "is_app_entitlement_active"),
                (Demand, "token_quota.client_credentials.enforce"),
                (Cap, "token_quota"),
                (Routine, "display_name branding metadata"),
            ],
        ),
    ),
    (
        "organization-connections",
        risks(
            Widened,
            DataLoss,
            &[
                (Identity, "organization connection_id organization_access_level"),
                (Access, "assign_membership_on_login is_signup_enabled is_enabled show_as_button"),
                (Routine, "organization_connection_name"),
            ],
        ),
    ),
    ("organization-client-grants", opening_apis(risks(Widened, DataLoss, &[(Identity, "organization grant_id")]))),
    (
        "organization-discovery-domains",
        risks(Widened, DataLoss, &[(Identity, "organization domain status"), (Access, "use_for_organization_discovery")]),
    ),
    ("organization-clients", risks(Widened, Lockout, &[(Access, "clients")])),
    (
        "organization-templates",
        risks(
            Harmless,
            DataLoss,
            &[
                (Access, "is_default allowed_strategies admin_roles_assignment"),
                (
                    Identity,
                    "organization_deletion_behavior connection_deletion_behavior connection_profile_id user_attribute_profile_id \
                     invitation_landing_client_id use_for_organization_discovery role_visibility_policy",
                ),
                (Demand, "enforce_permission_ceiling enforce_self_assignment_restriction"),
                (Routine, "name"),
            ],
        ),
    ),
    ("agents", risks(Widened, DataLoss, &[(Identity, "external_agent_id"), (Routine, "name metadata")])),
    // By which providers, keys and addresses.
    (
        "connections",
        risks(
            Widened,
            DataLoss,
            &[
                (Bound, "name strategy options cross_app_access_requesting_app cross_app_access_resource_app"),
                (Access, "options.domain_aliases options.tenant_domain options.scope authentication connected_accounts"),
                (
                    Demand,
                    "options.passwordPolicy options.password_history options.password_no_personal_info options.password_dictionary \
                     options.password_complexity_options options.password_options options.mfa options.signSAMLRequest",
                ),
                (Shield, "options.brute_force_protection"),
                (
                    Bound,
                    "options.attributes options.requires_username options.validation options.authentication_methods \
                     options.enabledDatabaseCustomization options.customScripts options.precedence is_domain_connection realms",
                ),
                (Demand, "options.disable_signup"),
                (Lifetime, "options.totp.time_step"),
                (Routine, "display_name show_as_button metadata options.icon_url options.email.subject options.email.body"),
            ],
        ),
    ),
    ("connection-clients", risks(Widened, Lockout, &[(Access, "clients")])),
    ("connection-scim-configurations", risks(Widened, DataLoss, &[(Identity, "connection user_id_attribute mapping")])),
    (
        "connection-directory-provisionings",
        risks(Widened, DataLoss, &[(Identity, "connection mapping synchronize_groups"), (Access, "synchronize_automatically")]),
    ),
    ("connection-synchronized-groups", risks(Widened, DataLoss, &[(Identity, "connection"), (Access, "groups")])),
    (
        "connection-profiles",
        risks(
            Harmless,
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
        ),
    ),
    (
        "self-service-profiles",
        risks(
            Harmless,
            DataLoss,
            &[
                (Access, "allowed_strategies"),
                (Identity, "user_attributes user_attribute_profile_id"),
                (Routine, "name description branding user_attributes[].description"),
            ],
        ),
    ),
    ("self-service-custom-text", LOOKS),
    ("user-attribute-profiles", risks(Harmless, DataLoss, &[(Identity, "user_id user_attributes"), (Routine, "name")])),
    ("token-exchange-profiles", WAY_IN),
    (
        "custom-domains",
        risks(
            Widened,
            DataLoss,
            &[
                (Bound, "domain type verification_method tls_policy custom_client_ip_header relying_party_identifier"),
                (Routine, "domain_metadata"),
            ],
        ),
    ),
    ("custom-domains-default", SWITCH),
    ("custom-signing-keys", risks(Lockout, DataLoss, &[(Bound, "*")])),
    ("verifiable-credential-templates", WAY_IN),
    // Code that decides at a login.
    (
        "actions",
        risks(Harmless, DataLoss, &[(Bound, "supported_triggers code dependencies runtime secrets modules deploy"), (Routine, "name")]),
    ),
    ("action-modules", risks(Harmless, DataLoss, &[(Bound, "code secrets dependencies api_version publish"), (Routine, "name")])),
    (
        "action-trigger-bindings",
        risks(Lockout, Lockout, &[(Identity, "trigger"), (Bound, "bindings"), (Routine, "bindings[].display_name")]),
    ),
    ("rules", risks(Lockout, DataLoss, &[(Bound, "script order enabled"), (Routine, "name")])),
    ("rules-configs", WAY_IN),
    ("hooks", risks(Lockout, DataLoss, &[(Bound, "script enabled dependencies triggerId"), (Routine, "name")])),
    ("flow-vault-connections", WAY_IN),
    ("flows", risks(Harmless, DataLoss, &[(Bound, "actions"), (Routine, "name")])),
    (
        "forms",
        risks(
            Harmless,
            DataLoss,
            &[
                (Bound, "nodes start ending"),
                (Routine, "name messages languages translations style nodes[].coordinates start.coordinates ending.coordinates"),
            ],
        ),
    ),
    // Under which demands, behind which shields.
    ("guardian-factors", risks(Lockout, Weakened, &[(Demand, "enabled"), (Identity, "name")])),
    ("guardian-policies", risks(Lockout, Weakened, &[(Demand, "policies")])),
    (
        "guardian-settings",
        risks(
            Harmless,
            DataLoss,
            &[
                (Lifetime, "mfa_session_inactivity_timeout mfa_session_overall_timeout"),
                (Exception, "remember_me_default_value"),
                (Routine, "display_remember_me_checkbox"),
            ],
        ),
    ),
    ("guardian-email-settings", risks(Harmless, DataLoss, &[(Shield, "otp_length"), (Lifetime, "otp_expiration_time")])),
    ("guardian-phone-settings", risks(Harmless, DataLoss, &[(Shield, "otp_length"), (Lifetime, "otp_expiration_time")])),
    ("guardian-duo", SWITCH),
    ("guardian-phone-message-types", risks(Harmless, Lockout, &[(Access, "message_types")])),
    ("guardian-phone-selected-provider", SWITCH),
    ("guardian-phone-twilio", SWITCH),
    ("guardian-phone-templates", SWITCH),
    ("guardian-push-selected-provider", SWITCH),
    ("guardian-push-apns", SWITCH),
    ("guardian-push-sns", SWITCH),
    ("guardian-push-app", LOOKS),
    ("guardian-webauthn-platform", SWITCH),
    ("guardian-webauthn-roaming", SWITCH),
    (
        "attack-protection-bot-detection",
        risks(
            Harmless,
            Weakened,
            &[
                (Demand, "bot_detection_level challenge_password_policy challenge_passwordless_policy challenge_password_reset_policy"),
                (Exception, "allowlist monitoring_mode_enabled"),
            ],
        ),
    ),
    (
        "attack-protection-breached-password-detection",
        risks(Harmless, Weakened, &[(Demand, "enabled shields stage"), (Shield, "admin_notification_frequency method")]),
    ),
    (
        "attack-protection-brute-force-protection",
        risks(Harmless, Weakened, &[(Shield, "enabled shields"), (Exception, "allowlist max_attempts"), (Bound, "mode")]),
    ),
    (
        "attack-protection-captcha",
        risks(
            Harmless,
            Weakened,
            &[(
                Bound,
                "active_provider_id arkose auth_challenge hcaptcha friendly_captcha recaptcha_enterprise recaptcha_v2 simple_captcha",
            )],
        ),
    ),
    (
        "attack-protection-suspicious-ip-throttling",
        risks(
            Harmless,
            Weakened,
            &[
                (Shield, "enabled shields"),
                (Exception, "allowlist stage"),
                (Demand, "stage.pre-login.rate stage.pre-user-registration.rate stage.pre-custom-token-exchange.rate"),
            ],
        ),
    ),
    ("attack-protection-phone-provider-protection", risks(Harmless, Weakened, &[(Bound, "type")])),
    ("risk-assessment-settings", risks(Harmless, Weakened, &[(Shield, "enabled")])),
    ("risk-assessment-new-device", risks(Harmless, Weakened, &[(Lifetime, "remember_for")])),
    ("supplemental-signals", risks(Harmless, Weakened, &[(Shield, "akamai_enabled")])),
    // What only some kinds of access meet; either way of a change may shut people out or let them in.
    ("network-acls", risks(Lockout, Weakened, &[(Bound, "active priority rule"), (Routine, "description")])),
    ("network-acl-keys", risks(Harmless, DataLoss, &[(Identity, "name alg value")])),
    ("rate-limit-policies", risks(Lockout, Weakened, &[(Bound, "resource consumer consumer_selector configuration")])),
    // Who tells people and machines what happens.
    ("email-provider", risks(Lockout, DataLoss, &[(Identity, "name default_from_address settings credentials"), (Access, "enabled")])),
    (
        "email-templates",
        risks(
            Harmless,
            Lockout,
            &[
                (Identity, "template body syntax resultUrl"),
                (Access, "enabled"),
                (Lifetime, "urlLifetimeInSeconds"),
                (Routine, "from subject includeEmailInRedirect"),
            ],
        ),
    ),
    ("phone-providers", risks(Widened, DataLoss, &[(Identity, "name configuration credentials"), (Stop, "disabled")])),
    ("phone-templates", risks(Harmless, DataLoss, &[(Identity, "type"), (Stop, "disabled"), (Bound, "content")])),
    ("log-streams", WATCH),
    ("event-streams", risks(Widened, Weakened, &[(Shield, "status"), (Report, "subscriptions destination"), (Routine, "name")])),
    // What people see.
    ("branding", LOOKS),
    ("branding-theme", LOOKS),
    ("branding-universal-login-template", risks(Lockout, DataLoss, &[(Bound, "template")])),
    (
        "prompts",
        risks(Harmless, DataLoss, &[(Bound, "universal_login_experience identifier_first"), (Access, "webauthn_platform_first_factor")]),
    ),
    ("prompt-custom-text", LOOKS),
    ("prompt-partials", risks(Lockout, DataLoss, &[(Bound, "*")])),
    (
        "prompt-rendering",
        risks(
            Lockout,
            Lockout,
            &[(Bound, "prompt screen rendering_mode context_configuration default_head_tags_disabled use_page_template head_tags filters")],
        ),
    ),
    ("experimentation-feature-flags", LOOKS),
    ("experimentation-variations", LOOKS),
    ("experimentation-segments", LOOKS),
    ("experimentation-experiments", LOOKS),
    (
        "tenant-settings",
        risks(
            Harmless,
            DataLoss,
            &[
                (
                    Bound,
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
                    Demand,
                    "dynamic_client_registration_security_mode default_token_quota.clients.client_credentials.enforce \
                     default_token_quota.organizations.client_credentials.enforce \
                     flags.enforce_client_authentication_on_passwordless_start",
                ),
                (Cap, "default_token_quota"),
                (
                    Lifetime,
                    "session_cookie session_lifetime_in_minutes idle_session_lifetime_in_minutes ephemeral_session_lifetime_in_minutes \
                     idle_ephemeral_session_lifetime_in_minutes session_lifetime idle_session_lifetime ephemeral_session_lifetime \
                     idle_ephemeral_session_lifetime",
                ),
                (Shield, "authorization_response_iss_parameter_supported"),
                (
                    Routine,
                    "friendly_name picture_url support_email support_url error_page sessions enable_ai_guide \
                     phone_consolidated_experience include_session_metadata_in_tenant_logs \
                     skip_non_verifiable_callback_uri_confirmation_prompt flags.dashboard_log_streams_next \
                     flags.dashboard_insights_view flags.genai_trial flags.enable_apis_section",
                ),
            ],
        ),
    ),
];

#[cfg(test)]
mod tests;
