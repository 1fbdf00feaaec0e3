//! Edits in the source, each with the expected reaction of an unattended run.

use serde_json::{Value, json};

use Verdict::{DoesBoth, LocksOut, Passes, Weakens};

/// The reaction to an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    LocksOut,
    Weakens,
    /// It may lock out and weakens a protection at the same time.
    DoesBoth,
}

/// An edit in dev.
pub(super) struct Edit {
    pub(super) what: &'static str,
    /// The state of a tenant with this name, before (`false`) and after the edit.
    pub(super) data: fn(&str, bool) -> Value,
    /// The reactions to the edit and to reverting it.
    pub(super) there: Verdict,
    pub(super) back: Verdict,
}

const fn edit(what: &'static str, there: Verdict, back: Verdict, data: fn(&str, bool) -> Value) -> Edit {
    Edit { what, data, there, back }
}

pub(super) fn client(tenant: &str, more: &Value) -> Value {
    let mut client =
        json!({"client_id": client_id(tenant), "name": "Shop", "app_type": "spa", "is_first_party": true, "oidc_conformant": true});
    client.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    client
}

fn client_id(tenant: &str) -> String {
    format!("{tenant}Shop000000000000000000000000a")
}

pub(super) fn connection(tenant: &str, strategy: &str, options: &Value) -> Value {
    json!({"id": format!("con_{tenant}00000000001"), "name": "people", "strategy": strategy, "options": options})
}

fn api() -> Value {
    json!({"id": "api", "identifier": "urn:acme:billing", "name": "Billing", "scopes": [{"value": "read:all"}, {"value": "write:all"}]})
}

fn management(tenant: &str) -> String {
    format!("https://acme-{tenant}.eu.auth0.com/api/v2/")
}

fn own_api(tenant: &str) -> Value {
    let scopes = json!([{"value": "read:clients"}, {"value": "update:clients"}]);
    json!({"id": "own", "identifier": management(tenant), "name": "Auth0 Management API", "is_system": true, "scopes": scopes})
}

fn action(tenant: &str, code: &str) -> Value {
    json!({"id": format!("act_{tenant}"), "name": "Gate", "code": code, "runtime": "node22", "status": "built", "all_changes_deployed": true,
        "dependencies": [], "secrets": [], "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "deployed_version": {"code": code, "runtime": "node22", "number": 1, "dependencies": [], "secrets": []}})
}

fn granted(tenant: &str, audience: &str, scopes: &[&str]) -> Value {
    json!({"/clients": [client(tenant, &json!({"app_type": "non_interactive"}))], "/resource-servers": [api(), own_api(tenant)],
    "/client-grants": if scopes.is_empty() { json!([]) } else {
        json!([{"id": format!("cgr_{tenant}"), "client_id": client_id(tenant), "audience": audience, "scope": scopes}])
    }})
}

/// A role with permission to read, and after the edit also to write.
fn permitted(tenant: &str, api: &Value, scopes: &[&str]) -> Value {
    let permission = |scope: &&str| json!({"resource_server_identifier": api["identifier"], "permission_name": scope, "resource_server_name": api["name"]});
    let role = format!("rol_{tenant}");
    json!({"/resource-servers": [api], "/roles": [{"id": role, "name": "Auditor", "description": "reads"}],
        format!("/roles/{role}/permissions"): scopes.iter().map(permission).collect::<Vec<_>>()})
}

fn log_stream(tenant: &str, more: &Value) -> Value {
    let mut stream = json!({"id": format!("lst_{tenant}"), "name": "Audit", "type": "http", "status": "active", "filters": [],
        "sink": {"httpEndpoint": "https://logs.acme.example/in", "httpContentType": "application/json", "httpContentFormat": "JSONLINES"}});
    stream.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    stream
}

pub(super) const EDITS: &[Edit] = &[
    edit(
        "a description",
        Passes,
        Passes,
        |tenant, is| json!({"/clients": [client(tenant, &json!({"description": if is { "new" } else { "old" }}))]}),
    ),
    edit("a callback more", Passes, LocksOut, |tenant, is| {
        let callbacks = if is { json!(["https://a.acme.example", "https://b.acme.example"]) } else { json!(["https://a.acme.example"]) };
        json!({"/clients": [client(tenant, &json!({"callbacks": callbacks}))]})
    }),
    edit(
        "another origin",
        LocksOut,
        LocksOut,
        |tenant, is| json!({"/clients": [client(tenant, &json!({"web_origins": [if is { "https://a.acme.example" } else { "https://b.acme.example" }]}))]}),
    ),
    edit("a grant type more", Passes, LocksOut, |tenant, is| {
        let grants = if is { json!(["authorization_code", "refresh_token"]) } else { json!(["authorization_code"]) };
        json!({"/clients": [client(tenant, &json!({"grant_types": grants}))]})
    }),
    edit(
        "an organization that an application requires",
        LocksOut,
        LocksOut,
        |tenant, is| json!({"/clients": [client(tenant, &if is { json!({"organization_usage": "require"}) } else { json!({}) })]}),
    ),
    edit("how an application proves who it is", LocksOut, LocksOut, |tenant, is| {
        let method = if is { "client_secret_basic" } else { "client_secret_post" };
        json!({"/clients": [client(tenant, &json!({"app_type": "regular_web", "token_endpoint_auth_method": method}))]})
    }),
    edit(
        "another signature of tokens",
        LocksOut,
        LocksOut,
        |tenant, is| json!({"/clients": [client(tenant, &json!({"jwt_configuration": {"alg": if is { "RS512" } else { "RS256" }}}))]}),
    ),
    edit("refresh tokens that live longer", Weakens, LocksOut, |tenant, is| {
        let refresh = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": if is { 7200 } else { 3600 },
            "idle_token_lifetime": 1800});
        json!({"/clients": [client(tenant, &json!({"refresh_token": refresh}))]})
    }),
    edit("another SAML endpoint", LocksOut, LocksOut, |tenant, is| {
        let endpoint = if is { "https://idp.other.example/saml" } else { "https://idp.acme.example/saml" };
        json!({"/connections": [connection(tenant, "samlp", &json!({"signInEndpoint": endpoint, "entityId": "urn:idp"}))]})
    }),
    edit("another domain of an enterprise connection", Passes, LocksOut, |tenant, is| {
        let domains = if is { json!(["acme.example", "acme.test"]) } else { json!(["acme.example"]) };
        json!({"/connections": [connection(tenant, "samlp", &json!({"signInEndpoint": "https://idp.acme.example", "domain_aliases": domains}))]})
    }),
    edit(
        "brute-force protection of a database off",
        Weakens,
        Passes,
        |tenant, is| json!({"/connections": [connection(tenant, "auth0", &json!({"brute_force_protection": !is}))]}),
    ),
    edit(
        "a lower password policy",
        Weakens,
        LocksOut,
        |tenant, is| json!({"/connections": [connection(tenant, "auth0", &json!({"passwordPolicy": if is { "low" } else { "good" }}))]}),
    ),
    edit(
        "sign-ups closed",
        LocksOut,
        Weakens,
        |tenant, is| json!({"/connections": [connection(tenant, "auth0", &json!({"disable_signup": is}))]}),
    ),
    edit("a connection of an application", Passes, LocksOut, |tenant, is| {
        let connection = connection(tenant, "auth0", &json!({}));
        let clients = if is { json!([{"client_id": client_id(tenant)}]) } else { json!([]) };
        let path = format!("/connections/{}/clients", connection["id"].as_str().expect("an id"));
        json!({"/clients": [client(tenant, &json!({}))], "/connections": [connection], path: clients})
    }),
    edit("a permission of a role", Passes, LocksOut, |tenant, is| {
        permitted(tenant, &api(), if is { &["read:all", "write:all"] } else { &["read:all"] })
    }),
    edit("a permission on the Management API", Weakens, LocksOut, |tenant, is| {
        permitted(tenant, &own_api(tenant), if is { &["read:clients", "update:clients"] } else { &["read:clients"] })
    }),
    edit("a scope of an API", Passes, LocksOut, |_, is| {
        let mut api = api();
        if !is {
            api["scopes"] = json!([{"value": "read:all"}]);
        }
        json!({"/resource-servers": [api]})
    }),
    edit("a scope of a grant", Passes, LocksOut, |tenant, is| {
        granted(tenant, "urn:acme:billing", if is { &["read:all", "write:all"] } else { &["read:all"] })
    }),
    edit("a scope of a grant on the Management API", Weakens, LocksOut, |tenant, is| {
        granted(tenant, &management(tenant), if is { &["read:clients", "update:clients"] } else { &["read:clients"] })
    }),
    edit("an action that denies every login", LocksOut, LocksOut, |tenant, is| {
        let code = if is {
            "exports.onExecutePostLogin = async (event, api) => api.access.deny('no');"
        } else {
            "exports.onExecutePostLogin = async () => {};"
        };
        json!({"/actions/actions": [action(tenant, code)]})
    }),
    edit("another action bound to the login", LocksOut, LocksOut, |tenant, is| {
        let code = "exports.onExecutePostLogin = async () => {};";
        let (mut second, first) = (action(tenant, code), action(tenant, code));
        (second["id"], second["name"]) = (json!(format!("act_{tenant}2")), json!("Second"));
        let bound = |action: &Value| {
            json!({"id": format!("b_{}", action["id"].as_str().expect("an id")), "trigger_id": "post-login", "display_name": action["name"],
                "action": {"id": action["id"], "name": action["name"]}})
        };
        let bindings = if is { json!([bound(&first), bound(&second)]) } else { json!([bound(&first)]) };
        json!({"/actions/actions": [first, second], "/actions/triggers/post-login/bindings": bindings})
    }),
    edit("a second factor off", Weakens, LocksOut, |_, is| json!({"/guardian/factors": [{"name": "otp", "enabled": !is}]})),
    edit(
        "a second factor for everybody",
        LocksOut,
        Weakens,
        |_, is| json!({"/guardian/policies": if is { json!(["all-applications"]) } else { json!([]) }}),
    ),
    edit(
        "attack protection off",
        Weakens,
        Passes,
        |_, is| json!({"/attack-protection/brute-force-protection": {"enabled": !is, "shields": ["block"], "mode": "count_per_identifier", "allowlist": [], "max_attempts": 10}}),
    ),
    edit("a network that is let past attack protection", Weakens, LocksOut, |_, is| {
        let allowlist = if is { json!(["203.0.113.7"]) } else { json!([]) };
        json!({"/attack-protection/suspicious-ip-throttling": {"enabled": true, "shields": ["block"], "allowlist": allowlist,
            "stage": {"pre-login": {"max_attempts": 100, "rate": 864_000}, "pre-user-registration": {"max_attempts": 50, "rate": 1200}}}})
    }),
    edit("a network list that blocks everybody", LocksOut, LocksOut, |tenant, is| {
        let matched = if is { json!({"geo_country_codes": ["DE"]}) } else { json!({"geo_country_codes": ["KP"]}) };
        json!({"/network-acls": [{"id": format!("acl_{tenant}"), "description": "blocked", "active": true, "priority": 1,
            "rule": {"action": {"block": true}, "match": matched, "scope": "tenant"}}]})
    }),
    edit("longer sessions", Weakens, LocksOut, |_, is| json!({"/tenants/settings": {"session_lifetime": if is { 720 } else { 168 }}})),
    edit("a flag of the tenant", LocksOut, LocksOut, |_, is| json!({"/tenants/settings": {"flags": {"enable_pipeline2": is}}})),
    edit(
        "who sends mails",
        LocksOut,
        LocksOut,
        |_, is| json!({"/emails/provider": {"name": "sendgrid", "enabled": true, "default_from_address": if is { "b@acme.example" } else { "a@acme.example" }, "credentials": {}}}),
    ),
    edit("the name of a connection's application at the provider", LocksOut, LocksOut, |tenant, is| {
        let id = if is { "at-the-provider-2" } else { "at-the-provider-1" };
        json!({"/connections": [connection(tenant, "google-oauth2", &json!({"client_id": id, "scope": ["email"]}))]})
    }),
    edit("another signing certificate", LocksOut, LocksOut, |tenant, is| {
        let certificate = if is {
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
        } else {
            "-----BEGIN CERTIFICATE-----\nMIIA\n-----END CERTIFICATE-----\n"
        };
        json!({"/connections": [connection(tenant, "samlp", &json!({"signInEndpoint": "https://idp.acme.example", "cert": certificate}))]})
    }),
    edit("offline access to an API", Passes, LocksOut, |_, is| {
        let mut api = api();
        api["allow_offline_access"] = json!(is);
        json!({"/resource-servers": [api]})
    }),
    edit("tokens of an API that live longer", Weakens, LocksOut, |_, is| {
        let mut api = api();
        api["token_lifetime"] = json!(if is { 86_400 } else { 3600 });
        json!({"/resource-servers": [api]})
    }),
    edit("a connection of an organization that makes people members", Passes, LocksOut, |tenant, is| {
        let (organization, connection) = (format!("org_{tenant}000000000001"), connection(tenant, "auth0", &json!({})));
        let enabled = json!([{"connection_id": connection["id"], "assign_membership_on_login": is, "connection": {"name": "people", "strategy": "auth0"}}]);
        json!({"/connections": [connection], "/organizations": [{"id": organization, "name": "acme", "display_name": "Acme"}],
            format!("/organizations/{organization}/connections"): enabled})
    }),
    edit("the address a custom domain takes of its clients", LocksOut, LocksOut, |tenant, is| {
        json!({"/custom-domains": [{"custom_domain_id": format!("cd_{tenant}"), "domain": "login.acme.example", "type": "auth0_managed_certs",
            "primary": true, "status": "ready", "tls_policy": "recommended", "custom_client_ip_header": if is { "true-client-ip" } else { "x-forwarded-for" }}]})
    }),
    edit("who sends text messages", LocksOut, LocksOut, |tenant, is| {
        let from = if is { "+4930111" } else { "+4930222" };
        json!({"/branding/phone/providers": [{"id": format!("pro_{tenant}"), "name": "twilio", "channel": "phone", "disabled": false,
            "configuration": {"default_from": from, "sid": "AC1", "delivery_methods": ["text"]}}]})
    }),
    edit("third parties of an organization blocked", LocksOut, Passes, |tenant, is| {
        let access = if is { "block" } else { "allow" };
        let organization = format!("org_{tenant}000000000001");
        json!({"/organizations": [{"id": organization, "name": "acme", "display_name": "Acme", "third_party_client_access": access}]})
    }),
    edit("a log stream that goes on", Passes, Weakens, |tenant, is| {
        json!({"/log-streams": [{"id": format!("lst_{tenant}"), "name": "Audit", "type": "http", "status": if is { "active" } else { "paused" },
            "sink": {"httpEndpoint": "https://logs.acme.example/in", "httpContentType": "application/json", "httpContentFormat": "JSONLINES"}}]})
    }),
    edit("other events that a log stream reports", Weakens, Weakens, |tenant, is| {
        let filters = if is { json!([{"type": "category", "name": "auth.login.fail"}]) } else { json!([]) };
        json!({"/log-streams": [log_stream(tenant, &json!({"filters": filters}))]})
    }),
    edit("a log stream that goes elsewhere", Weakens, Weakens, |tenant, is| {
        let mut stream = log_stream(tenant, &json!({}));
        stream["sink"]["httpEndpoint"] = json!(if is { "https://other.acme.example/in" } else { "https://logs.acme.example/in" });
        json!({"/log-streams": [stream]})
    }),
    edit("another algorithm that masks personal data", Weakens, Weakens, |tenant, is| {
        let method = if is { "mask" } else { "hash" };
        let masked = json!({"log_fields": ["first_name"], "method": method, "algorithm": "xxhash"});
        json!({"/log-streams": [log_stream(tenant, &json!({"pii_config": masked}))]})
    }),
    edit("another event of an event stream", Weakens, Weakens, |tenant, is| {
        let event = if is { "user.created" } else { "user.deleted" };
        json!({"/event-streams": [{"id": format!("est_{tenant}00000000000000000"), "name": "Users", "status": "enabled",
            "subscriptions": [{"event_type": event}], "destination": {"type": "eventbridge",
            "configuration": {"aws_account_id": "123456789012", "aws_region": "eu-west-1"}}}]})
    }),
    edit("the text in which a code comes by phone", LocksOut, LocksOut, |_, is| {
        let verification = if is { "Your code" } else { "Your code is {{code}}" };
        json!({"/guardian/factors/phone/templates": {"enrollment_message": "{{code}}", "verification_message": verification}})
    }),
    edit("another network that is let past attack protection", DoesBoth, DoesBoth, |_, is| {
        let allowlist = json!(["198.51.100.1", if is { "203.0.113.7" } else { "203.0.113.8" }]);
        json!({"/attack-protection/brute-force-protection": {"enabled": true, "shields": ["block"], "mode": "count_per_identifier",
            "allowlist": allowlist, "max_attempts": 10}})
    }),
    edit("the description of a scope", Passes, Passes, |_, is| {
        let mut api = api();
        api["scopes"] = json!([{"value": "read:all", "description": if is { "reads" } else { "reads everything" }}]);
        json!({"/resource-servers": [api]})
    }),
    edit("an address that callers may claim", Weakens, LocksOut, |tenant, is| {
        let trusted = json!({"app_type": "regular_web", "token_endpoint_auth_method": "client_secret_post", "is_token_endpoint_ip_header_trusted": is});
        json!({"/clients": [client(tenant, &trusted)]})
    }),
    edit("where a node of a form is drawn", Passes, Passes, |tenant, is| {
        let node = json!({"id": "step_1", "type": "STEP", "coordinates": {"x": if is { 1 } else { 2 }, "y": 0}, "alias": "First",
            "config": {"components": [], "next_node": "$ending"}});
        json!({"/forms": [{"id": format!("ap_{tenant}"), "name": "Consent", "languages": {"primary": "en"}, "nodes": [node],
            "start": {"next_node": "step_1", "coordinates": {"x": 0, "y": 0}}, "ending": {"resume_flow": true}}]})
    }),
    edit("where a form goes on", LocksOut, LocksOut, |tenant, is| {
        let node = json!({"id": "step_1", "type": "STEP", "coordinates": {"x": 0, "y": 0}, "alias": "First",
            "config": {"components": [], "next_node": if is { "$ending" } else { "step_1" }}});
        json!({"/forms": [{"id": format!("ap_{tenant}"), "name": "Consent", "languages": {"primary": "en"}, "nodes": [node],
            "start": {"next_node": "step_1"}, "ending": {"resume_flow": true}}]})
    }),
    edit("another page that people sign in on", LocksOut, LocksOut, |_, is| {
        let title = if is { "<title>Acme</title>" } else { "" };
        json!({"/branding/templates/universal-login": {"body": format!("<html>{title}{{%- auth0:head -%}}{{%- auth0:widget -%}}</html>")}})
    }),
];

/// A resource that only dev has: its description, the reaction, and the data of dev.
pub(super) type Created = (&'static str, Verdict, fn() -> Value);

pub(super) const CREATES: &[Created] = &[
    ("a role", Passes, || json!({"/roles": [{"id": "rol_dev", "name": "Auditor", "description": "reads"}]})),
    ("an application", Passes, || json!({"/clients": [client("dev", &json!({}))]})),
    ("a grant on an API", Passes, || granted("dev", "urn:acme:billing", &["read:all"])),
    (
        "an action that is not bound",
        Passes,
        || json!({"/actions/actions": [action("dev", "exports.onExecutePostLogin = async () => {};")]}),
    ),
    ("who sends mails", LocksOut, || json!({"/emails/provider": {"name": "custom", "enabled": true, "credentials": {}}})),
    (
        "a page that people sign in on",
        LocksOut,
        || json!({"/branding/templates/universal-login": {"body": "<html>{%- auth0:head -%}{%- auth0:widget -%}</html>"}}),
    ),
    ("a part of the page", LocksOut, || json!({"/prompts/login/partials": {"login": {"form-content-start": "<div>Hello</div>"}}})),
    ("a network list", LocksOut, || {
        json!({"/network-acls": [{"id": "acl_dev", "description": "blocked", "active": true, "priority": 1,
            "rule": {"action": {"block": true}, "match": {"geo_country_codes": ["DE"]}, "scope": "tenant"}}]})
    }),
];
