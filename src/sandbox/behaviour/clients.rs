//! Behaviour of clients: what the server fills in on create, and the side effects of updates.
//!
//! The defaults explain every field of 189 recorded creates. They depend on how a client authenticates and on who owns it, not
//! on whether it is native or a single-page application.

use serde_json::{Map, Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext};
use crate::json::Body;

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[ServerBehaviour {
    kind: "clients",
    // The server computes these, see below; it never returns `sso`.
    hidden_defaults: &[
        "sso",
        "jwt_configuration.secret_encoded",
        "oidc_conformant",
        "native_social_login.apple.enabled",
        "native_social_login.facebook.enabled",
        "native_social_login.google.enabled",
    ],
    // Sent by an older tool and accepted with 200 (recorded 2025-04).
    also_accepted: &["cross_origin_auth"],
    lists: &["callbacks", "allowed_logout_urls"],
    exclusive: &[
        ("client_authentication_methods", "token_endpoint_auth_method"),
        ("oidc_logout", "oidc_backchannel_logout"),
        ("cross_origin_authentication", "cross_origin_auth"),
    ],
    // The same value was accepted with 200 (recorded); another one is refused.
    repeatable_in_update: &["third_party_security_mode"],
    filter_fields: &[("is_global", "global")],
    comma_separated: &["app_type"],
    on_create: created,
    on_update: updated,
    on_create_response: create_answer,
    needs_key_scope: &["client_secret", "signing_keys", "encryption_key"],
    ..CATALOG_ONLY
}];

/// The categories of clients with different defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientCategory {
    Plain,
    ResourceServer,
    Express,
    StrictThirdParty,
    ThirdPartySpa,
}

impl ClientCategory {
    fn from_body(sent: &Body) -> Self {
        let is_third_party = sent.get("is_first_party") == Some(&Value::Bool(false));
        match sent.text("app_type") {
            Some("resource_server") => Self::ResourceServer,
            Some("express_configuration") => Self::Express,
            _ if is_third_party && sent.text("third_party_security_mode") == Some("strict") => Self::StrictThirdParty,
            Some("spa") if is_third_party => Self::ThirdPartySpa,
            _ => Self::Plain,
        }
    }

    fn jwt_configuration(self) -> Value {
        match self {
            Self::ResourceServer | Self::Express => json!({"alg": "RS256", "secret_encoded": false}),
            Self::StrictThirdParty => json!({"alg": "RS256", "lifetime_in_seconds": 3600, "secret_encoded": false}),
            Self::Plain | Self::ThirdPartySpa => json!({"lifetime_in_seconds": 36000, "secret_encoded": false}),
        }
    }

    fn grant_types(self, proves_itself: bool) -> Value {
        match self {
            Self::ResourceServer => json!([]),
            Self::Express => json!(["authorization_code", "client_credentials"]),
            Self::StrictThirdParty => json!(["authorization_code"]),
            _ if proves_itself => json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]),
            _ => json!(["authorization_code", "implicit", "refresh_token"]),
        }
    }

    fn refresh_token(self, has_method: bool) -> Value {
        let (token_lifetime, idle) = if has_method { (31_557_600, 2_592_000) } else { (2_592_000, 1_296_000) };
        let rotates = self == Self::ThirdPartySpa;
        let expires = rotates || self == Self::StrictThirdParty;
        json!({
            "rotation_type": if rotates { "rotating" } else { "non-rotating" },
            "expiration_type": if expires { "expiring" } else { "non-expiring" },
            "leeway": 0,
            "token_lifetime": token_lifetime,
            "idle_token_lifetime": idle,
            // The tokens of a strict third party expire only when idle.
            "infinite_token_lifetime": !rotates,
            "infinite_idle_token_lifetime": !expires,
        })
    }
}

/// Fills in a new client.
fn created(sent: &Body, client: &mut Body, context: &mut WriteContext<'_>) {
    let category = ClientCategory::from_body(sent);
    fill_settings(category, sent, client);
    if let Some(transfer) = client.0.get_mut("session_transfer") {
        fill(transfer, &session_transfer());
    }
    mirror_logout(sent, client);
    if category == ClientCategory::Express {
        fill_express(client);
    }
    if category == ClientCategory::StrictThirdParty {
        let id = format!("tpc_{}", context.ids.alphanumeric(22));
        client.set("client_id", id.into());
    }
    keep_only_ids_of_credentials(client, context);
    client.set("tenant", context.tenant.into());
    client.set("global", false.into());
    client.set("callback_url_template", false.into());
    let certificate = json!([{
        "cert": context.ids.pem("CERTIFICATE", 640),
        "pkcs7": context.ids.pem("PKCS7", 640),
        "subject": format!("/CN={}", context.tenant),
    }]);
    client.set("signing_keys", certificate);
    if !proves_itself_by_keys(client) {
        client.set("client_secret", context.ids.alphanumeric(64).into());
    }
}

fn fill_settings(category: ClientCategory, sent: &Body, client: &mut Body) {
    let method = sent.text("token_endpoint_auth_method");
    let absent = |client: &Body, name: &str| client.get(name).is_none();
    if absent(client, "cross_origin_auth") {
        let allowed = client.get("cross_origin_authentication").cloned().unwrap_or(Value::Bool(false));
        client.set("cross_origin_auth", allowed);
    }
    if absent(client, "oidc_conformant") {
        client.set("oidc_conformant", (category != ClientCategory::Plain).into());
    }
    if absent(client, "grant_types") {
        client.set("grant_types", category.grant_types(method != Some("none")));
    }
    match client.0.get_mut("jwt_configuration") {
        // A given configuration gets this, but no lifetime.
        Some(given) => fill(given, &json!({"secret_encoded": false})),
        None => client.set("jwt_configuration", category.jwt_configuration()),
    }
    let defaults = category.refresh_token(method.is_some_and(|method| method.starts_with("client_secret_")));
    match client.0.get_mut("refresh_token") {
        Some(given) => fill_refresh_token(given, &defaults),
        None => client.set("refresh_token", defaults),
    }
}

fn fill_refresh_token(given: &mut Value, defaults: &Value) {
    let mut defaults = defaults.clone();
    if given["expiration_type"] == "expiring" {
        defaults["infinite_token_lifetime"] = false.into();
        defaults["infinite_idle_token_lifetime"] = false.into();
    }
    fill(given, &defaults);
}

fn fill_express(client: &mut Body) {
    for (name, value) in [
        ("callbacks", json!(["https://system-admin.okta.com/admin/app/generic/oauth20redirect"])),
        ("organization_usage", json!("require")),
        ("organization_require_behavior", json!("pre_login_prompt")),
        ("client_authentication_methods", json!({"private_key_jwt": {"credentials": []}})),
    ] {
        client.0.entry(name).or_insert(value);
    }
}

fn session_transfer() -> Value {
    json!({
        "can_create_session_transfer_token": false,
        "allowed_authentication_methods": [],
        "enforce_device_binding": "ip",
        "allow_refresh_token": false,
        "enforce_cascade_revocation": true,
        "enforce_online_refresh_tokens": true,
    })
}

fn fill(given: &mut Value, defaults: &Value) {
    if let (Value::Object(given), Value::Object(defaults)) = (given, defaults) {
        for (name, value) in defaults {
            given.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// The credentials of a client; they are sent as keys and returned as ids.
const CREDENTIALS: [&str; 5] = [
    "client_authentication_methods.private_key_jwt.credentials",
    "client_authentication_methods.tls_client_auth.credentials",
    "client_authentication_methods.self_signed_tls_client_auth.credentials",
    "signed_request_object.credentials",
    "token_vault_privileged_access.credentials",
];

fn keep_only_ids_of_credentials(client: &mut Body, context: &mut WriteContext<'_>) {
    for path in CREDENTIALS {
        client.change(&format!("{path}[]"), &mut |credential| {
            let id = credential["id"].as_str().map_or_else(|| format!("cred_{}", context.ids.alphanumeric(22)), str::to_owned);
            *credential = json!({"id": id});
        });
    }
}

fn proves_itself_by_keys(client: &Body) -> bool {
    client.get("client_authentication_methods").is_some_and(Value::is_object)
}

/// Adds what only the response of a create contains: private keys and full credentials.
fn create_answer(sent: &Body, client: &mut Body, context: &mut WriteContext<'_>) {
    client.change("signing_keys[]", &mut |key| key["key"] = context.ids.pem("RSA PRIVATE KEY", 640).into());
    client.set("encrypted", true.into());
    for path in CREDENTIALS {
        let given: Vec<Map<String, Value>> =
            sent.find(&format!("{path}[]")).into_iter().filter_map(|(_, credential)| credential.as_object().cloned()).collect();
        let mut given = given.into_iter();
        client.change(&format!("{path}[]"), &mut |credential| {
            let Some(mut full) = given.next() else { return };
            full.remove("pem");
            full.insert("id".to_owned(), credential["id"].clone());
            full.entry("kid").or_insert_with(|| context.ids.alphanumeric(43).into());
            full.entry("alg").or_insert_with(|| "RS256".into());
            let now = humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string();
            full.entry("created_at").or_insert_with(|| now.clone().into());
            full.entry("updated_at").or_insert_with(|| now.into());
            *credential = Value::Object(full);
        });
    }
}

/// Applies the side effects of an update.
fn updated(before: &Body, sent: &Body, client: &mut Body, context: &mut WriteContext<'_>) {
    mirror_logout(sent, client);
    if let (None, Some(transfer)) = (before.get("session_transfer"), client.0.get_mut("session_transfer")) {
        fill(transfer, &session_transfer());
    }
    if client.text("initiate_login_uri") == Some("") {
        client.0.remove("initiate_login_uri");
    }
    if let (Some(_), Some(allowed)) = (before.get("cross_origin_auth"), sent.get("cross_origin_authentication")) {
        client.set("cross_origin_auth", allowed.clone());
    }
    if proves_itself_by_keys(client) {
        client.0.remove("client_secret");
    } else if proves_itself_by_keys(before) && client.get("client_secret").is_none() {
        client.set("client_secret", context.ids.alphanumeric(64).into());
    }
}

/// Keeps the deprecated and the new name of the logout settings equal, whichever was sent; the deprecated one has only the URLs.
fn mirror_logout(sent: &Body, client: &mut Body) {
    const ADDRESSES: &str = "backchannel_logout_urls";
    for (name, other) in [("oidc_backchannel_logout", "oidc_logout"), ("oidc_logout", "oidc_backchannel_logout")] {
        if sent.get(name).is_none() {
            continue;
        }
        match client.get(name).and_then(|logout| logout.get(ADDRESSES)).cloned() {
            Some(addresses) => client.set(&format!("{other}.{ADDRESSES}"), addresses),
            None => drop(client.0.remove(other)),
        }
    }
}
