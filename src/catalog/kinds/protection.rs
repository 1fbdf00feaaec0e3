//! Entries of attack protection, network ACLs and rate limit policies.
//!
//! Fields: `/attack-protection`, `/risk-assessments`, `/supplemental-signals`, `/network-acls` and
//! `/rate-limit-policies` in Auth0's OpenAPI description of 2026-06-25, with `stage.pre-custom-token-exchange` and
//! `auth0_managed` from recordings.

use crate::catalog::kind::Kind;
use crate::catalog::reference::{Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{self, Lockout, Weakened};
use crate::catalog::risk::RiskRule::{AnyChange, Exception, Lifetime, Protection, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

const READ: &[&str] = &["read:attack_protection"];
const UPDATE: &[&str] = &["update:attack_protection"];

/// Bot detection.
pub(super) static BOT_DETECTION: Kind =
    Kind::singleton("attack-protection-bot-detection", "bot detection", "/attack-protection/bot-detection")
        .titled("Bot detection")
        .writable(
            "bot_detection_level! challenge_password_policy! challenge_passwordless_policy! challenge_password_reset_policy! allowlist
             monitoring_mode_enabled",
        )
        .unordered(&["allowlist"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(
            RiskClass::Routine,
            Weakened,
            &[
                (
                    Requirement,
                    "bot_detection_level challenge_password_policy challenge_passwordless_policy challenge_password_reset_policy",
                ),
                (Exception, "allowlist monitoring_mode_enabled"),
            ],
        ));

/// Breached passwords.
pub(super) static BREACHED_PASSWORDS: Kind = Kind::singleton(
    "attack-protection-breached-password-detection",
    "breached password detection",
    "/attack-protection/breached-password-detection",
)
.titled("Breached password detection")
.writable("enabled shields admin_notification_frequency method! stage{pre-user-registration{shields} pre-change-password{shields}}")
.unordered(&["shields", "admin_notification_frequency", "stage.pre-user-registration.shields", "stage.pre-change-password.shields"])
.scopes(READ, &[], UPDATE, &[])
.risk(Risks::new(
    RiskClass::Routine,
    Weakened,
    &[(Requirement, "enabled shields stage"), (Protection, "admin_notification_frequency method")],
));

/// Brute force.
pub(super) static BRUTE_FORCE: Kind =
    Kind::singleton("attack-protection-brute-force-protection", "brute-force protection", "/attack-protection/brute-force-protection")
        .titled("Brute-force protection")
        .writable("enabled shields allowlist mode! max_attempts")
        .unordered(&["shields", "allowlist"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(
            RiskClass::Routine,
            Weakened,
            &[(Protection, "enabled shields"), (Exception, "allowlist max_attempts"), (AnyChange, "mode")],
        ));

const CAPTCHA_SECRETS: &[&str] =
    &["arkose.secret", "hcaptcha.secret", "friendly_captcha.secret", "recaptcha_enterprise.api_key", "recaptcha_v2.secret"];

/// Captchas; their secrets cannot be read.
pub(super) static CAPTCHA: Kind = Kind::singleton("attack-protection-captcha", "captcha", "/attack-protection/captcha")
    .titled("Captcha")
    .writable(
        "active_provider_id! arkose!{site_key secret client_subdomain verify_subdomain fail_open} auth_challenge!{fail_open}
         hcaptcha!{site_key secret} friendly_captcha!{site_key secret} recaptcha_enterprise!{site_key api_key project_id}
         recaptcha_v2!{site_key secret} simple_captcha{*}",
    )
    .secrets(CAPTCHA_SECRETS)
    .write_only(CAPTCHA_SECRETS)
    .requires_secrets(&[
        RequiredSecrets { path: "arkose", secretless_when: None },
        RequiredSecrets { path: "hcaptcha", secretless_when: None },
        RequiredSecrets { path: "friendly_captcha", secretless_when: None },
        RequiredSecrets { path: "recaptcha_enterprise", secretless_when: None },
        RequiredSecrets { path: "recaptcha_v2", secretless_when: None },
    ])
    .scopes(READ, &[], UPDATE, &[])
    .risk(Risks::new(
        RiskClass::Routine,
        Weakened,
        &[(
            AnyChange,
            "active_provider_id arkose auth_challenge hcaptcha friendly_captcha recaptcha_enterprise recaptcha_v2 simple_captcha",
        )],
    ));

/// Throttling of suspicious IP addresses.
pub(super) static SUSPICIOUS_IPS: Kind = Kind::singleton(
    "attack-protection-suspicious-ip-throttling",
    "suspicious IP throttling",
    "/attack-protection/suspicious-ip-throttling",
)
.titled("Suspicious IP throttling")
.writable(
    "enabled shields allowlist stage{pre-login{max_attempts rate} pre-user-registration{max_attempts rate}
     pre-custom-token-exchange{max_attempts rate}}",
)
.merge_only(&["stage"])
.unordered(&["shields", "allowlist"])
.scopes(READ, &[], UPDATE, &[])
.risk(Risks::new(
    RiskClass::Routine,
    Weakened,
    &[
        (Protection, "enabled shields"),
        (Exception, "allowlist stage"),
        (Requirement, "stage.pre-login.rate stage.pre-user-registration.rate stage.pre-custom-token-exchange.rate"),
    ],
));

/// Protection from toll fraud by phone.
pub(super) static PHONE_PROVIDER_PROTECTION: Kind = Kind::singleton(
    "attack-protection-phone-provider-protection",
    "phone provider protection",
    "/attack-protection/phone-provider-protection",
)
.titled("Phone provider protection")
.writable("type!")
.scopes(READ, &[], UPDATE, &[])
.risk(Risks::new(RiskClass::Routine, Weakened, &[(AnyChange, "type")]));

/// Whether risk is assessed.
pub(super) static RISK_ASSESSMENT: Kind = Kind::singleton("risk-assessment-settings", "risk assessment", "/risk-assessments/settings")
    .titled("Risk assessment")
    .writable("enabled")
    .scopes(READ, &[], UPDATE, &[])
    .risk(Risks::new(RiskClass::Routine, Weakened, &[(Protection, "enabled")]));

/// How long a device is remembered.
pub(super) static NEW_DEVICE: Kind =
    Kind::singleton("risk-assessment-new-device", "new device assessment", "/risk-assessments/settings/new-device")
        .titled("New device assessment")
        .writable("remember_for")
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(RiskClass::Routine, Weakened, &[(Lifetime, "remember_for")]));

/// Signals from other providers.
pub(super) static SUPPLEMENTAL_SIGNALS: Kind = Kind::singleton("supplemental-signals", "supplemental signals", "/supplemental-signals")
    .titled("Supplemental signals")
    .writable("akamai_enabled")
    .scopes(READ, &[], UPDATE, &[])
    .risk(Risks::new(RiskClass::Routine, Weakened, &[(Protection, "akamai_enabled")]));

/// Access control lists at the tenant's edge; no two have the same priority.
///
/// A rule with the scope `management` may lock out the person who writes it.
pub(super) static NETWORK_ACLS: Kind = Kind::collection("network-acls", "network ACL", "/network-acls")
.titled("Access control lists")
.paged(Paging::Offset { field: "network_acls", size: 100, or_checkpoint: false })
.keyed_by(&["priority"])
.distinguished_by(&["active", "priority"])
.writable("description active priority rule!{action{block allow log redirect redirect_uri!}
         match{asns! geo_country_codes! geo_subdivision_codes! ipv4_cidrs! ipv6_cidrs! ja3_fingerprints! ja4_fingerprints! user_agents!
               hostnames! connecting_ipv4_cidrs! connecting_ipv6_cidrs! auth0_managed http_message_signature{keys![]{id}}}
         not_match{asns! geo_country_codes! geo_subdivision_codes! ipv4_cidrs! ipv6_cidrs! ja3_fingerprints! ja4_fingerprints! user_agents!
               hostnames! connecting_ipv4_cidrs! connecting_ipv6_cidrs! auth0_managed http_message_signature{keys![]{id}}} scope! match_all}")
.read_only(&["id", "created_at", "updated_at", "deleted_at", "tenant_id"])
.required(&["description", "active", "rule"])
.replaced(&["rule"])
    // A list that is enabled while it still has its old rule would block the wrong requests.
.written_together(&[&["active", "rule"]])
.refers(&[
        Reference::id("rule.match.http_message_signature.keys[].id", "network-acl-keys"),
        Reference::id("rule.not_match.http_message_signature.keys[].id", "network-acl-keys"),
    ])
.scopes(&["read:network_acls"], &["create:network_acls"], &["update:network_acls"], &["delete:network_acls"])
.risk(Risks::new(Lockout, Weakened, &[(AnyChange, "active priority rule"), (Routine, "description")]));

/// Rate limits that a tenant configures; a selector may contain `client_id:` and an id.
pub(super) static RATE_LIMIT_POLICIES: Kind = Kind::collection("rate-limit-policies", "rate limit policy", "/rate-limit-policies")
    .titled("Rate limit policies")
    .paged(Paging::Checkpoint { field: "rate_limit_policies", size: 100 })
    .keyed_by(&["resource", "consumer", "consumer_selector"])
    .writable("resource+! consumer+! consumer_selector+ configuration!{action! limit redirect_uri}")
    .read_only(&["id", "created_at", "updated_at"])
    .required(&["resource", "consumer", "consumer_selector", "configuration"])
    .replaced(&["configuration"])
    .refers(&[Reference::within("consumer_selector", "clients")])
    .scopes(
        &["read:rate_limit_policies"],
        &["create:rate_limit_policies"],
        &["update:rate_limit_policies"],
        &["delete:rate_limit_policies"],
    )
    .risk(Risks::new(Lockout, Weakened, &[(AnyChange, "resource consumer consumer_selector configuration")]));
