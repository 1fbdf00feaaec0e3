//! Behaviour of kinds of the tenant as a whole: settings, branding, messages, MFA, protection, domains.

use serde_json::{Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext};
use crate::json::Body;

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[
    ServerBehaviour {
        kind: "tenant-settings",
        also_accepted: &["universal_login", "flags"],
        exclusive: &[
            ("session_lifetime", "session_lifetime_in_minutes"),
            ("idle_session_lifetime", "idle_session_lifetime_in_minutes"),
            ("ephemeral_session_lifetime", "ephemeral_session_lifetime_in_minutes"),
            ("idle_ephemeral_session_lifetime", "idle_ephemeral_session_lifetime_in_minutes"),
        ],
        on_update: settings_updated,
        on_update_response: settings_answer,
        // In 46 of 69 responses of updates, in none of 125 reads.
        update_response_only: &[
            "universal_login.identifier_first",
            "universal_login.is_custom_theme_set",
            "universal_login.is_custom_template_set",
        ],
        // auth0-deploy-cli@2025-04-10, should-dump-and-deploy: GET /prompts, then PATCH /tenants/settings.
        copied_into_update_response: &[("universal_login.identifier_first", "/prompts", "identifier_first")],
        ..CATALOG_ONLY
    },
    ServerBehaviour { kind: "branding-theme", statuses: (200, 204), ..CATALOG_ONLY },
    ServerBehaviour { kind: "email-templates", statuses: (200, 204), ..CATALOG_ONLY },
    ServerBehaviour { kind: "email-provider", on_update: provider_changed, ..CATALOG_ONLY },
    ServerBehaviour {
        kind: "phone-providers",
        server_filled: &[("channel", "\"phone\"")],
        // Reads do not contain the object, not even empty (7 recorded).
        write_only: &["credentials"],
        on_create: belongs_to_the_tenant,
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "phone-templates",
        server_filled: &[("channel", "\"phone\"")],
        on_create: belongs_to_the_tenant,
        ..CATALOG_ONLY
    },
    // The response of an update repeats the request; the next read shows that the rest was kept (TestPromptManager_UpdateRenderingWithAdvancedMode).
    ServerBehaviour { kind: "prompt-rendering", update_echoes_request: true, ..CATALOG_ONLY },
    ServerBehaviour {
        kind: "attack-protection-breached-password-detection",
        deep_merged: &["stage"],
        on_update: notified_of_breaches,
        ..CATALOG_ONLY
    },
    ServerBehaviour { kind: "attack-protection-suspicious-ip-throttling", deep_merged: &["stage"], ..CATALOG_ONLY },
    // The response repeats the request; the next read shows `"messaging_service_sid": null` (TestGuardian/MultiFactor/SMS/Twilio#1 and #2).
    ServerBehaviour { kind: "guardian-phone-twilio", update_echoes_request: true, ..CATALOG_ONLY },
    ServerBehaviour { kind: "guardian-push-apns", update_echoes_request: true, ..CATALOG_ONLY },
    ServerBehaviour { kind: "guardian-webauthn-roaming", update_echoes_request: true, ..CATALOG_ONLY },
    ServerBehaviour { kind: "prompt-partials", on_update: without_empty_screens, ..CATALOG_ONLY },
    // It is written as `template` and read as `body` (7 recorded writes, 41 reads).
    ServerBehaviour { kind: "branding-universal-login-template", on_update: template_is_body, ..CATALOG_ONLY },
    ServerBehaviour { kind: "custom-domains-default", on_update: default_chosen, ..CATALOG_ONLY },
    // Reads contain two more fields than responses of writes (3 recorded updates).
    ServerBehaviour {
        kind: "network-acls",
        statuses: (201, 200),
        on_update_response: |acl| ["tenant_id", "deleted_at"].iter().for_each(|field| drop(acl.0.remove(*field))),
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "custom-domains",
        server_filled: &[("status", "\"pending_verification\"")],
        on_create: domain_created,
        ..CATALOG_ONLY
    },
];

const IN_MINUTES: &str = "_in_minutes";

/// Applies the side effects of an update: lifetimes sent in minutes are stored in hours, blank links are not stored.
///
/// Recorded: `session_lifetime_in_minutes: 181` came back as `session_lifetime: 3.0166666666666666`.
fn settings_updated(_before: &Body, sent: &Body, settings: &mut Body, _scene: &mut WriteContext<'_>) {
    for (name, value) in &sent.0 {
        let Some(plain) = name.strip_suffix(IN_MINUTES) else { continue };
        settings.0.remove(name);
        if let Some(minutes) = value.as_f64() {
            settings.set(plain, hours(minutes));
        }
    }
    if settings.text("default_redirection_uri") == Some("") {
        settings.0.remove("default_redirection_uri");
    }
}

fn hours(minutes: f64) -> Value {
    let hours = minutes / 60.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small: a session lives for days")]
    if hours.fract() == 0.0 { json!(hours as i64) } else { json!(hours) }
}

/// Changes the response of an update, whose fields differ from those of a read (recorded).
fn settings_answer(settings: &mut Body) {
    settings.0.remove("sandbox_versions_available");
    for flag in ["cannot_change_enforce_client_authentication_on_passwordless_start", "enforce_client_authentication_on_passwordless_start"]
    {
        settings.set(&format!("flags.{flag}"), true.into());
    }
}

fn belongs_to_the_tenant(_sent: &Body, body: &mut Body, context: &mut WriteContext<'_>) {
    body.set("tenant", context.tenant.into());
}

/// Removes the settings of the previous provider if the new one has none (TestAccEmail#9 and #17).
fn provider_changed(before: &Body, sent: &Body, provider: &mut Body, _scene: &mut WriteContext<'_>) {
    let is_another = sent.get("name").is_some_and(|name| before.get("name") != Some(name));
    if is_another && sent.get("settings").is_none() {
        provider.0.remove("settings");
    }
}

/// Clears the notification frequency if no shield notifies administrators (TestAttackProtection/Update_breached_password_detection_settings#1).
fn notified_of_breaches(_before: &Body, _sent: &Body, detection: &mut Body, _scene: &mut WriteContext<'_>) {
    let shields = ["shields[]", "stage.*.shields[]"].into_iter().flat_map(|path| detection.find(path));
    let tells = shields.into_iter().any(|(_, shield)| shield == "admin_notification");
    if !tells && detection.get("admin_notification_frequency").is_some() {
        detection.set("admin_notification_frequency", json!([]));
    }
}

fn template_is_body(_before: &Body, _sent: &Body, page: &mut Body, _scene: &mut WriteContext<'_>) {
    if let Some(template) = page.0.remove("template") {
        page.set("body", template);
    }
}

/// Removes empty screens: `{"signup": {}}` is returned and read back as `{}` (recorded).
fn without_empty_screens(_before: &Body, _sent: &Body, partials: &mut Body, _scene: &mut WriteContext<'_>) {
    partials.0.retain(|_, screen| screen.as_object().is_none_or(|pieces| !pieces.is_empty()));
}

/// Returns only the name if the tenant's own domain is the default (TestCustomDomainManager_UpdateDefault).
fn default_chosen(before: &Body, sent: &Body, domain: &mut Body, _scene: &mut WriteContext<'_>) {
    if sent.get("domain") != before.get("domain") {
        domain.0.retain(|name, _| name == "domain");
    }
}

/// Fills in a new custom domain, with the records that prove its ownership.
///
/// Record types are in lower case until 2024-08-26, and include their domain from then on.
fn domain_created(sent: &Body, domain: &mut Body, context: &mut WriteContext<'_>) {
    let is_first = context.siblings.is_none_or(|others| others.len() == 0);
    let is_early = context.day.is_some_and(|day| day < "2024-08-26");
    let name = sent.text("domain").unwrap_or_default();
    let is_managed = sent.text("type") == Some("auth0_managed_certs");
    let id = domain.text("custom_domain_id").unwrap_or_default().to_lowercase().replace('_', "-");
    let mut method = if is_managed {
        let record = format!("{}-{id}.edge.tenants.{}", context.tenant, context.domain.split_once('.').map_or("", |(_, region)| region));
        json!({"name": "CNAME", "record": record, "domain": name})
    } else {
        json!({"name": "TXT", "record": context.ids.hex(36), "domain": format!("_cf-custom-hostname.{name}")})
    };
    if is_early {
        method["name"] = method["name"].as_str().unwrap_or_default().to_lowercase().into();
        method.as_object_mut().expect("an object").remove("domain");
    }
    domain.set("verification", json!({"methods": [method]}));
    domain.set("primary", is_first.into());
    domain.set("is_default", false.into());
    if is_managed || is_early {
        domain.0.entry("tls_policy").or_insert_with(|| "recommended".into());
    } else {
        domain.0.entry("custom_client_ip_header").or_insert(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::State;

    fn tenant(data: &Value) -> State {
        State::from_json(json!({"domain": "acme.eu.auth0.com", "data": data})).expect("a state")
    }

    #[test]
    fn an_older_path_returns_what_was_written_at_the_newer_one() {
        let mut tenant = tenant(&json!({}));
        let sent = json!({"enrollment_message": "Hi", "verification_message": "{{code}}"});
        assert_eq!(tenant.ask("PUT", "/guardian/factors/phone/templates", sent.clone()).status, 200);
        assert_eq!(tenant.ask("GET", "/guardian/factors/sms/templates", Value::Null).body, sent);
    }

    #[test]
    fn omitted_shields_are_kept_and_the_response_for_a_screen_repeats_the_request() {
        let before = json!({"stage": {"pre-login": {"max_attempts": 100, "rate": 864_000}}});
        let mut tenant = tenant(&json!({
            "/attack-protection/suspicious-ip-throttling": before,
            "/prompts/rendering": [{"prompt": "login", "screen": "login", "rendering_mode": "advanced", "head_tags": []}],
        }));
        let stage =
            tenant.ask("PATCH", "/attack-protection/suspicious-ip-throttling", json!({"stage": {"pre-login": {"max_attempts": 5}}}));
        assert_eq!(stage.body, json!({"stage": {"pre-login": {"max_attempts": 5, "rate": 864_000}}}));
        let path = "/prompts/login/screen/login/rendering";
        assert_eq!(tenant.ask("PATCH", path, json!({"use_page_template": true})).body, json!({"use_page_template": true}));
        assert_eq!(tenant.ask("GET", path, Value::Null).body["rendering_mode"], "advanced");
    }

    #[test]
    fn a_new_email_provider_loses_the_settings_of_the_previous_one() {
        let held = json!({"name": "ses", "credentials": {"region": "eu"}, "settings": {"message": {"configuration_set_name": "a"}}});
        let mut tenant = tenant(&json!({"/emails/provider": held}));
        let sent = json!({"name": "mandrill", "credentials": {"api_key": "hidden"}});
        assert_eq!(tenant.ask("PATCH", "/emails/provider", sent).body, json!({"name": "mandrill", "credentials": {}}));
    }

    #[test]
    fn whole_hours_are_integers_and_others_fractions() {
        assert_eq!(hours(120.0), json!(2));
        assert_eq!(hours(181.0), json!(3.016_666_666_666_666_6));
    }
}
