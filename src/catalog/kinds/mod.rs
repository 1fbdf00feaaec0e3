//! The entries of the catalog, by area: one `static` per kind.
//!
//! An entry is data: the settings of a kind, and how they are read and written. It calls the methods of `builder.rs` in
//! the order of their definition, which a test checks.

mod access;
mod actions;
mod applications;
mod branding;
mod connections;
mod experiments;
mod flows;
mod guardian;
mod organizations;
mod profiles;
mod protection;
mod streams;
mod tenant;

use super::kind::Kind;

/// Every kind. The order matters only between kinds that do not refer to each other.
pub(super) static ALL: &[&Kind] = &[
    &applications::CLIENTS,
    &applications::CLIENT_GRANTS,
    &applications::LOGIN_PAGE,
    &applications::AGENTS,
    &access::RESOURCE_SERVERS,
    &access::ROLES,
    &access::ROLE_PERMISSIONS,
    &connections::CONNECTIONS,
    &connections::CONNECTION_CLIENTS,
    &connections::SCIM,
    &connections::DIRECTORY,
    &connections::DIRECTORY_GROUPS,
    &profiles::USER_ATTRIBUTES,
    &profiles::CONNECTIONS,
    &profiles::SELF_SERVICE,
    &profiles::SELF_SERVICE_TEXTS,
    &organizations::ORGANIZATIONS,
    &organizations::ORGANIZATION_CONNECTIONS,
    &organizations::ORGANIZATION_GRANTS,
    &organizations::ORGANIZATION_DOMAINS,
    &organizations::ORGANIZATION_CLIENTS,
    &organizations::TEMPLATES,
    &actions::MODULES,
    &actions::ACTIONS,
    &actions::BINDINGS,
    &actions::TOKEN_EXCHANGE_PROFILES,
    &actions::RULES,
    &actions::RULES_CONFIGS,
    &actions::HOOKS,
    &flows::VAULT_CONNECTIONS,
    &flows::FLOWS,
    &flows::FORMS,
    &branding::BRANDING,
    &branding::THEME,
    &branding::PAGE_TEMPLATE,
    &branding::PROMPTS,
    &branding::TEXTS_OF_PROMPTS,
    &branding::PARTIALS,
    &branding::RENDERING,
    &branding::EMAIL_PROVIDER,
    &branding::EMAIL_TEMPLATES,
    &branding::PHONE_PROVIDERS,
    &branding::PHONE_TEMPLATES,
    &guardian::FACTORS,
    &guardian::POLICIES,
    &guardian::SETTINGS,
    &guardian::EMAIL_SETTINGS,
    &guardian::PHONE_SETTINGS,
    &guardian::DUO,
    &guardian::PHONE_MESSAGE_TYPES,
    &guardian::PHONE_PROVIDER,
    &guardian::PHONE_TWILIO,
    &guardian::PHONE_TEMPLATES,
    &guardian::PUSH_PROVIDER,
    &guardian::PUSH_APNS,
    &guardian::PUSH_SNS,
    &guardian::PUSH_APP,
    &guardian::WEBAUTHN_PLATFORM,
    &guardian::WEBAUTHN_ROAMING,
    &protection::BOT_DETECTION,
    &protection::BREACHED_PASSWORDS,
    &protection::BRUTE_FORCE,
    &protection::CAPTCHA,
    &protection::SUSPICIOUS_IPS,
    &protection::PHONE_PROVIDER_PROTECTION,
    &protection::RISK_ASSESSMENT,
    &protection::NEW_DEVICE,
    &protection::SUPPLEMENTAL_SIGNALS,
    &protection::NETWORK_ACLS,
    &protection::RATE_LIMIT_POLICIES,
    &streams::LOG_STREAMS,
    &streams::EVENT_STREAMS,
    &experiments::FLAGS,
    &experiments::VARIATIONS,
    &experiments::SEGMENTS,
    &experiments::EXPERIMENTS,
    &experiments::CREDENTIAL_TEMPLATES,
    &tenant::CUSTOM_DOMAINS,
    &tenant::DEFAULT_DOMAIN,
    &tenant::CUSTOM_SIGNING_KEYS,
    &tenant::NETWORK_ACL_KEYS,
    &tenant::TENANT_SETTINGS,
];
