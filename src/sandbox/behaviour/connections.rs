//! Behaviour of connections: what the server fills in on create, and the side effects of updates.
//!
//! Defaults are those of 97 recorded creates of 24 strategies. What the server derives from a certificate or fetches from an identity
//! provider is not imitated.

use serde_json::{Map, Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext};
use crate::json::Body;

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[ServerBehaviour {
    kind: "connections",
    statuses: (201, 202),
    hidden_defaults: &["show_as_button"],
    on_create: created,
    on_update: updated,
    child_lists: &[("enabled_clients", "connection-clients")],
    ..CATALOG_ONLY
}];

/// Enterprise strategies: they have a login button and a provisioning ticket.
const ENTERPRISE: [&str; 10] = ["ad", "adfs", "auth0-adldap", "google-apps", "ip", "office365", "oidc", "okta", "pingfederate", "waad"];

/// Strategies whose display name defaults to the name.
const NAMED_ON_DISPLAY: [&str; 3] = ["oidc", "okta", "waad"];

/// Options that the server generated; an update keeps them and replaces all others.
const KEPT: [&str; 13] = [
    "authentication_methods",
    "passkey_options",
    "oidc_metadata",
    "schema_version",
    "attribute_map",
    "thumbprints",
    "cert",
    "subject",
    "expires",
    "signInEndpoint",
    "signOutEndpoint",
    "signingCert",
    "bindingMethod",
];

/// Endpoints that are taken from the provider's metadata if they are sent as null.
const DISCOVERED: [&str; 4] = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];

/// Fills in a new connection.
fn created(sent: &Body, connection: &mut Body, context: &mut WriteContext<'_>) {
    let strategy = sent.text("strategy").unwrap_or_default().to_owned();
    let name = sent.get("name").cloned().unwrap_or_default();
    if is_enterprise(&strategy) {
        connection.0.entry("show_as_button").or_insert(Value::Bool(false));
    }
    if NAMED_ON_DISPLAY.contains(&strategy.as_str()) {
        connection.0.entry("display_name").or_insert_with(|| name.clone());
    }
    connection.0.entry("realms").or_insert_with(|| json!([name]));
    connection.0.entry("authentication").or_insert_with(|| json!({"active": true}));
    connection.0.entry("connected_accounts").or_insert_with(|| json!({"active": false}));
    if is_enterprise(&strategy) && !["oidc", "okta"].contains(&strategy.as_str()) {
        let ticket = format!("https://{}.auth0.com/p/{strategy}/{}", context.tenant, context.ids.alphanumeric(8));
        connection.set("provisioning_ticket_url", ticket.into());
    }
    fill_options(&strategy, sent.get("options").is_some(), connection);
    match (strategy.as_str(), sent.text("options.domain")) {
        ("waad", _) => connection.set("options.app_domain", context.domain.into()),
        ("okta", Some(domain)) => fill_okta_endpoints(domain, connection),
        _ => {}
    }
}

/// Endpoints of Okta that are sent as null are derived from its domain (8 recorded creates).
fn fill_okta_endpoints(domain: &str, connection: &mut Body) {
    for (name, last) in [("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("userinfo_endpoint", "userinfo")] {
        let path = format!("options.{name}");
        if connection.get(&path) == Some(&Value::Null) {
            connection.set(&path, format!("https://{domain}/oauth2/v1/{last}").into());
        }
    }
}

fn is_enterprise(strategy: &str) -> bool {
    ENTERPRISE.contains(&strategy) || strategy == "samlp"
}

fn fill_options(strategy: &str, has_options: bool, connection: &mut Body) {
    let options = connection.0.entry("options").or_insert_with(|| json!({}));
    if let Value::Object(options) = options {
        fill_scope(strategy, options);
    }
    fill(options, &defaults(strategy));
    fill(options, &defaults_of_create(strategy));
    if !has_options {
        fill(options, &defaults_without_options(strategy));
    }
    match strategy {
        "auth0" => fill_database(options),
        "adfs" => fill_adfs(options),
        "samlp" => fill_certificate(options),
        "pingfederate" => fill_ping_federate(options),
        _ => {}
    }
}

/// Fills in absent fields, recursively.
fn fill(given: &mut Value, defaults: &Value) {
    if let Value::Object(given) = given {
        fill_absent(given, defaults);
    }
}

fn fill_absent(given: &mut Map<String, Value>, defaults: &Value) {
    for (name, value) in defaults.as_object().into_iter().flatten() {
        match given.get_mut(name) {
            Some(below) => fill(below, value),
            None => drop(given.insert(name.clone(), value.clone())),
        }
    }
}

fn defaults(strategy: &str) -> Value {
    match strategy {
        "ad" => json!({"ips": null}),
        "adfs" => json!({"thumbprints": [], "should_trust_email_verified_connection": "always_set_emails_as_verified"}),
        "github" | "salesforce" | "salesforce-community" => json!({"scope": []}),
        "google-apps" => json!({
            "email": true, "profile": true, "scope": ["email", "profile"], "handle_login_from_social": true, "map_user_id_to_id": false,
        }),
        "google-oauth2" => json!({"email": true}),
        "line" | "linkedin" | "wordpress" => json!({"profile": true}),
        "oidc" => json!({
            "schema_version": "oidc-V4", "attribute_map": {"mapping_mode": "bind_all"}, "connection_settings": {"pkce": "auto"},
            "type": "front_channel",
        }),
        "okta" => json!({
            "schema_version": "oidc-V4", "attribute_map": {"mapping_mode": "basic_profile"}, "connection_settings": {"pkce": "auto"},
            "type": "back_channel",
        }),
        "waad" => json!({
            "identity_api": "microsoft-identity-platform-v2.0", "useCommonEndpoint": false, "waad_common_endpoint": false,
            "use_wsfed": false, "waad_protocol": "openid-connect",
            "should_trust_email_verified_connection": "never_set_emails_as_verified",
        }),
        "windowslive" => json!({"signin": true, "scope": []}),
        _ => json!({}),
    }
}

/// Defaults of creates only: an update without them removes them.
///
/// Recorded: `TestConnectionManager_Update` of an AD connection, `TestAccConnectionSAML`.
fn defaults_of_create(strategy: &str) -> Value {
    match strategy {
        "ad" => json!({"brute_force_protection": true}),
        "samlp" => json!({"assertion_decryption_settings": {"algorithm_profile": "v2026-1", "algorithm_exceptions": []}}),
        _ => json!({}),
    }
}

fn defaults_without_options(strategy: &str) -> Value {
    match strategy {
        "email" | "sms" => json!({"brute_force_protection": true}),
        "line" => json!({"scope": ["openid", "profile"]}),
        _ => json!({}),
    }
}

/// Derives the scope from the flags beside it, if none is given.
fn fill_scope(strategy: &str, options: &mut Map<String, Value>) {
    let is_on = |name: &str| options.get(name) == Some(&Value::Bool(true));
    let scope = match strategy {
        "apple" => ["name", "email"].into_iter().filter(|name| is_on(name)).collect::<Vec<_>>().join(" ").into(),
        "facebook" => {
            let mut names: Vec<&str> = options.keys().map(String::as_str).filter(|name| is_on(name)).collect();
            names.sort_by_key(|name| (*name == "public_profile", *name));
            names.join(",").into()
        }
        "google-oauth2" => {
            let wanted = GOOGLE_SCOPES.iter().filter(|(name, _)| is_on(name) || *name == "email");
            wanted.map(|(_, scope)| *scope).collect::<Vec<_>>().into()
        }
        "linkedin" => json!([if options.contains_key("strategy_version") { "r_liteprofile" } else { "r_basicprofile" }]),
        "windowslive" if is_on("graph_user") => json!(["https://graph.microsoft.com/User.Read"]),
        _ => return,
    };
    if strategy != "apple" || scope != "" {
        options.entry("scope").or_insert(scope);
    }
}

/// The scopes of Google's flags, as far as they were recorded.
const GOOGLE_SCOPES: [(&str, &str); 5] = [
    ("email", "email"),
    ("profile", "profile"),
    ("gmail", "https://mail.google.com/mail/feed/atom"),
    ("youtube", "https://gdata.youtube.com"),
    ("calendar", "https://www.googleapis.com/auth/calendar"),
];

fn fill_database(options: &mut Value) {
    fill(
        options,
        &json!({
            "mfa": {"active": true, "return_enroll_settings": true},
            "strategy_version": 2,
            "brute_force_protection": true,
            "authentication_methods": {
                "password": {"enabled": true, "api_behavior": "required", "signup_behavior": "allow"}, "passkey": {"enabled": false},
            },
            "passkey_options": {"challenge_ui": "both", "progressive_enrollment_enabled": true, "local_enrollment_enabled": true},
        }),
    );
    if options.pointer("/attributes/email").is_some_and(Value::is_object) {
        fill(options, &json!({"attributes": {"email": {"unique": true, "verification_method": "link"}}}));
    }
    if options.get("password_options").is_none() {
        fill(options, &json!({"passwordPolicy": "good"}));
    }
    // A partial object is completed.
    fill(options, &json!({"password_options": password_options()}));
}

/// The login URL is the passive requestor endpoint in the metadata.
fn fill_adfs(options: &mut Value) {
    let metadata = options.get("fedMetadataXml").and_then(Value::as_str).unwrap_or_default();
    let endpoint = metadata.split_once("PassiveRequestorEndpoint>").and_then(|(_, endpoint)| endpoint.split_once("Address>"));
    let address = endpoint.and_then(|(_, address)| address.split_once('<')).map(|(address, _)| address.trim().to_owned());
    if let Some(address) = address {
        fill(options, &json!({"signInEndpoint": address}));
    }
}

/// The signing certificate is stored twice.
fn fill_certificate(options: &mut Value) {
    if let Some(certificate) = options.get("signingCert").cloned() {
        fill(options, &json!({"cert": certificate}));
    }
}

/// The certificate is stored only as `cert`; the login URL is the base URL.
fn fill_ping_federate(options: &mut Value) {
    fill_certificate(options);
    let Value::Object(options) = options else { return };
    options.remove("signingCert");
    if let Some(base) = options.get("pingFederateBaseUrl").cloned() {
        options.entry("signInEndpoint").or_insert(base);
    }
}

fn password_options() -> Value {
    json!({
        "complexity": {
            "character_type_rule": "all", "identical_characters": "allow", "sequential_characters": "allow",
            "max_length_exceeded": "error", "min_length": 15, "character_types": [],
        },
        "dictionary": {"active": false, "custom": [], "default": "en_100k"},
        "history": {"active": false, "size": 3},
        "profile_data": {
            "active": false,
            "blocked_fields": [
                "name", "username", "nickname", "email", "phone_number", "user_metadata.name", "user_metadata.first", "user_metadata.last",
            ],
        },
    })
}

/// Applies the side effects of an update.
fn updated(before: &Body, sent: &Body, connection: &mut Body, _scene: &mut WriteContext<'_>) {
    if before.get("display_name").is_some() && sent.get("display_name").is_none() {
        let name = connection.get("name").cloned().unwrap_or_default();
        connection.set("display_name", name);
    }
    let (Some(Value::Object(old)), Some(Value::Object(_))) = (before.get("options"), sent.get("options")) else { return };
    let strategy = before.text("strategy").unwrap_or_default();
    let Some(Value::Object(options)) = connection.0.get_mut("options") else { return };
    let is_of_another_provider = options.get("discovery_url") != old.get("discovery_url");
    for name in KEPT.into_iter().filter(|name| !(is_of_another_provider && *name == "oidc_metadata")) {
        if let (false, Some(value)) = (options.contains_key(name), old.get(name)) {
            options.insert(name.to_owned(), value.clone());
        }
    }
    for name in DISCOVERED {
        if let (Some(Value::Null), Some(value)) = (options.get(name), old.get(name)) {
            options.insert(name.to_owned(), value.clone());
        }
    }
    if ["oidc", "okta"].contains(&strategy) && old.contains_key("connection_settings") {
        options.entry("connection_settings").or_insert_with(|| json!({"pkce": "disabled"}));
    }
    if strategy == "auth0" {
        options.entry("brute_force_protection").or_insert(Value::Bool(true));
    }
    fill_scope(strategy, options);
    fill_absent(options, &defaults(strategy));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::State;

    fn options(strategy: &str, sent: &Value) -> Value {
        let mut tenant = State::from_json(json!({"domain": "acme.eu.auth0.com", "data": {}})).expect("a state");
        let made = tenant.ask("POST", "/connections", json!({"name": "c", "strategy": strategy, "options": sent}));
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["options"].clone()
    }

    #[test]
    fn missing_okta_endpoints_are_derived_from_the_domain() {
        let sent = json!({"domain": "acme.okta.com", "token_endpoint": null, "authorization_endpoint": "https://a"});
        let options = options("okta", &sent);
        assert_eq!(options["token_endpoint"], "https://acme.okta.com/oauth2/v1/token");
        assert_eq!((&options["authorization_endpoint"], &options["userinfo_endpoint"]), (&json!("https://a"), &Value::Null));
    }

    #[test]
    fn certificates_and_metadata_of_providers_are_parsed_where_unambiguous() {
        assert_eq!(options("samlp", &json!({"signingCert": "PEM"}))["cert"], "PEM");
        let ping = options("pingfederate", &json!({"signingCert": "PEM", "pingFederateBaseUrl": "https://ping"}));
        assert_eq!((&ping["cert"], &ping["signingCert"], &ping["signInEndpoint"]), (&json!("PEM"), &Value::Null, &json!("https://ping")));
        let metadata = "<fed:PassiveRequestorEndpoint>\n<wsa:Address> https://adfs/in </wsa:Address></fed:PassiveRequestorEndpoint>";
        assert_eq!(options("adfs", &json!({"fedMetadataXml": metadata}))["signInEndpoint"], "https://adfs/in");
        assert_eq!(options("adfs", &json!({"fedMetadataXml": "<a/>"}))["signInEndpoint"], Value::Null);
        assert_eq!(options("waad", &json!({"client_id": "c", "client_secret": "s"}))["app_domain"], "acme.eu.auth0.com");
    }

    #[test]
    fn metadata_of_a_former_provider_is_removed() {
        let connection =
            json!({"id": "con_1", "name": "c", "strategy": "oidc", "options": {"discovery_url": "a", "oidc_metadata": {"issuer": "a"}}});
        let mut tenant = State::from_json(json!({"data": {"/connections": [connection]}})).expect("a state");
        let mut updated = |url: &str| tenant.ask("PATCH", "/connections/con_1", json!({"options": {"discovery_url": url}})).body;
        assert_eq!(updated("a")["options"]["oidc_metadata"], json!({"issuer": "a"}));
        assert_eq!(updated("b")["options"]["oidc_metadata"], Value::Null);
    }
}
