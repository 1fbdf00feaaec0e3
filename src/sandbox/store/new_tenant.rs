//! The state of a new tenant, with what Auth0 itself creates.
//!
//! Values are those of recorded tenants whose fields were never written (the last dump of auth0-deploy-cli,
//! 2026-08-21), and the defaults of Auth0's pages if none was recorded. What the dashboard creates for the person who
//! opens a tenant (a first client, a database) is not included: it belongs to that person, and can be deleted.

use serde_json::{Map, Value, json};

use super::ids::IdGenerator;
use super::state::{State, required_scopes};
use crate::catalog::Catalog;

/// The factors that every tenant has.
const FACTORS: [&str; 8] = ["sms", "push-notification", "otp", "email", "duo", "webauthn-roaming", "webauthn-platform", "recovery-code"];

/// The triggers that every tenant has, with their current versions, and whether each is bound as a whole.
const TRIGGERS: [(&str, &str, bool); 13] = [
    ("post-login", "v3", true),
    ("credentials-exchange", "v2", true),
    ("pre-user-registration", "v2", true),
    ("post-user-registration", "v2", true),
    ("post-change-password", "v2", true),
    ("send-phone-message", "v2", true),
    ("password-reset-post-challenge", "v1", true),
    ("custom-phone-provider", "v1", true),
    ("custom-email-provider", "v1", true),
    ("custom-token-exchange", "v1", false),
    ("event-stream", "v1", false),
    ("password-hash-migration", "v1", false),
    ("mcp-tool", "v1", false),
];

impl State {
    /// Creates a new tenant with this domain: its global client, the Management API, default settings, and nothing
    /// else.
    ///
    /// # Panics
    ///
    /// Never: the state is defined in this file.
    #[must_use]
    pub fn empty(domain: &str) -> Self {
        let mut json = Self::empty_with(Catalog::standard(), domain).to_json();
        let tenant = domain.split('.').next().unwrap_or_default();
        json["data"]["/clients"] = json!([global_client(tenant, &mut IdGenerator::new(&format!("{domain}\nown")))]);
        if let Value::Object(data) = &mut json["data"] {
            data.extend(settings(domain));
        }
        Self::from_json(json).expect("a new tenant is written in the format of a state")
    }

    /// Creates a tenant with this domain, its Management API and nothing else, with the kinds of this catalog.
    ///
    /// # Panics
    ///
    /// Never: the state is defined in this file.
    #[must_use]
    pub fn empty_with(catalog: &'static Catalog, domain: &str) -> Self {
        let mut ids = IdGenerator::new(domain);
        let scopes: Vec<Value> =
            required_scopes(catalog).into_iter().map(|scope| json!({"value": scope, "description": describe(&scope)})).collect();
        let management = json!({
            "id": ids.id("resource-servers"), "name": "Auth0 Management API", "identifier": format!("https://{domain}/api/v2/"),
            "allow_offline_access": false, "skip_consent_for_verifiable_first_party_clients": false,
            "signing_alg": "RS256", "token_lifetime": 86400, "token_lifetime_for_web": 7200, "is_system": true, "scopes": scopes,
            "subject_type_authorization": {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}},
        });
        let data = json!({"/resource-servers": [management], "/tenants/settings": {"enabled_locales": ["en"], "flags": {}}});
        let state = Self::from_json_with(catalog, json!({"domain": domain, "data": data}));
        state.expect("a new tenant is written in the format of a state")
    }
}

fn describe(scope: &str) -> String {
    let (verb, what) = scope.split_once(':').unwrap_or((scope, ""));
    format!("{}{} {}", verb[..1].to_uppercase(), &verb[1..], what.replace('_', " "))
}

/// Returns the tenant's global client, which contains the page of the classic login.
fn global_client(tenant: &str, ids: &mut IdGenerator) -> Value {
    json!({
        "tenant": tenant, "global": true, "name": "All Applications", "client_id": ids.id("clients"), "client_secret": ids.alphanumeric(64),
        "callbacks": [], "is_first_party": true, "cross_origin_authentication": true, "custom_login_page_on": true,
        "signing_keys": [{
            "cert": ids.pem("CERTIFICATE", 640), "pkcs7": ids.pem("PKCS7", 640), "subject": format!("/CN={tenant}"),
        }],
        "refresh_token": {
            "expiration_type": "non-expiring", "leeway": 0, "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true,
            "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000, "rotation_type": "non-rotating",
        },
    })
}

/// Returns the objects that every tenant has, by API path.
fn settings(domain: &str) -> Map<String, Value> {
    let factors: Vec<Value> = FACTORS.iter().map(|name| json!({"name": name, "enabled": false, "trial_expired": false})).collect();
    let Value::Object(settings) = json!({
        "/tenants/settings": tenant_settings(),
        "/actions/triggers": {"triggers": triggers()},
        "/prompts": {"universal_login_experience": "new", "identifier_first": true},
        "/branding": {},
        "/custom-domains/default": {"domain": domain},
        "/guardian/factors": factors,
        "/guardian/policies": [],
        "/guardian/factors/phone/message-types": {"message_types": []},
        "/guardian/factors/phone/selected-provider": {"provider": "auth0"},
        "/guardian/factors/webauthn-platform/settings": {"overrideRelyingParty": false},
        "/guardian/factors/webauthn-roaming/settings": {"overrideRelyingParty": false, "userVerification": "required"},
        "/guardian/settings": {
            "display_remember_me_checkbox": true, "remember_me_default_value": false,
            "mfa_session_inactivity_timeout": 604_800, "mfa_session_overall_timeout": 2_592_000,
        },
        "/risk-assessments/settings": {"enabled": false},
        "/risk-assessments/settings/new-device": {"remember_for": 30},
        "/supplemental-signals": {"akamai_enabled": false},
    }) else {
        return Map::new();
    };
    settings.into_iter().chain(protection()).collect()
}

fn triggers() -> Vec<Value> {
    let trigger = |(id, version, is_bound): &(&str, &str, bool)| {
        let policy = if *is_bound { "trigger-bound" } else { "entity-bound" };
        json!({"id": id, "version": version, "status": "CURRENT", "runtimes": ["node22"], "default_runtime": "node22",
            "binding_policy": policy, "compatible_triggers": []})
    };
    TRIGGERS.iter().map(trigger).collect()
}

fn tenant_settings() -> Value {
    json!({
        "enabled_locales": ["en"],
        "flags": {
            "allow_changing_enable_sso": false, "change_pwd_flow_v1": false, "disable_clickjack_protection_headers": true,
            "disable_impersonation": true, "enable_apis_section": false, "enable_client_connections": false,
            "enable_dynamic_client_registration": false, "enable_pipeline2": false, "enable_public_signup_user_exists_error": true,
            "enable_sso": true, "revoke_refresh_token_grant": false, "use_scope_descriptions_for_consent": false,
        },
        "idle_session_lifetime": 72, "session_lifetime": 168, "session_cookie": {"mode": "persistent"}, "sandbox_version": "22",
        "sandbox_versions_available": ["22", "18", "12"],
    })
}

fn protection() -> Map<String, Value> {
    let Value::Object(protection) = json!({
        "/attack-protection/bot-detection": {
            "challenge_password_policy": "never", "challenge_passwordless_policy": "never", "challenge_password_reset_policy": "never",
            "allowlist": [], "bot_detection_level": "medium", "monitoring_mode_enabled": false,
        },
        "/attack-protection/breached-password-detection": {
            "enabled": false, "shields": [], "admin_notification_frequency": [], "method": "standard",
            "stage": {"pre-user-registration": {"shields": []}, "pre-change-password": {"shields": []}},
        },
        "/attack-protection/brute-force-protection": {
            "enabled": true, "shields": ["block", "user_notification"], "mode": "count_per_identifier_and_ip", "allowlist": [],
            "max_attempts": 10,
        },
        "/attack-protection/captcha": {
            "active_provider_id": "auth_challenge", "simple_captcha": {}, "auth_challenge": {"fail_open": false},
            "recaptcha_v2": {"site_key": ""}, "recaptcha_enterprise": {"site_key": "", "project_id": ""}, "hcaptcha": {"site_key": ""},
            "friendly_captcha": {"site_key": ""},
            "arkose": {"site_key": "", "client_subdomain": "client-api", "verify_subdomain": "verify-api", "fail_open": false},
        },
        "/attack-protection/suspicious-ip-throttling": {
            "enabled": true, "shields": ["admin_notification", "block"], "allowlist": [],
            "stage": {
                "pre-login": {"max_attempts": 100, "rate": 864_000}, "pre-user-registration": {"max_attempts": 50, "rate": 1200},
                "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600_000},
            },
        },
    }) else {
        return Map::new();
    };
    protection
}
