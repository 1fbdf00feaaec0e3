//! What a job may write with nobody there, edit by edit and in both directions: a `sync` through the real binary.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::stage::Stage;

const SYNC: &str = "sync --from dev --to prod --allow many-changes";

/// What becomes of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    LocksOut,
    Weakens,
}

use Verdict::{LocksOut, Passes, Weakens};

/// An edit that somebody makes in dev.
struct Edit {
    what: &'static str,
    /// What a tenant of this name holds, before it (`false`) and after it.
    data: fn(&str, bool) -> Value,
    /// What becomes of it, and of taking it back.
    there: Verdict,
    back: Verdict,
}

const fn edit(what: &'static str, there: Verdict, back: Verdict, data: fn(&str, bool) -> Value) -> Edit {
    Edit { what, data, there, back }
}

fn client(tenant: &str, more: &Value) -> Value {
    let mut client =
        json!({"client_id": client_id(tenant), "name": "Shop", "app_type": "spa", "is_first_party": true, "oidc_conformant": true});
    client.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    client
}

fn client_id(tenant: &str) -> String {
    format!("{tenant}Shop000000000000000000000000a")
}

fn connection(tenant: &str, strategy: &str, options: &Value) -> Value {
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

/// A role that may read, and after the edit may write too.
fn permitted(tenant: &str, api: &Value, scopes: &[&str]) -> Value {
    let permission = |scope: &&str| json!({"resource_server_identifier": api["identifier"], "permission_name": scope, "resource_server_name": api["name"]});
    let role = format!("rol_{tenant}");
    json!({"/resource-servers": [api], "/roles": [{"id": role, "name": "Auditor", "description": "reads"}],
        format!("/roles/{role}/permissions"): scopes.iter().map(permission).collect::<Vec<_>>()})
}

const EDITS: &[Edit] = &[
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
];

fn tenant(name: &str, data: &Value) -> Value {
    json!({"tenant": format!("acme-{name}"), "domain": format!("acme-{name}.eu.auth0.com"), "data": data})
}

/// Returns what a sync came to, where dev holds one side of an edit and prod the other.
fn verdict(edit: &Edit, is_made: bool) -> Verdict {
    let (dev, prod) = ((edit.data)("dev", is_made), (edit.data)("prod", !is_made));
    let stage = Stage::of(tenant("dev", &dev), tenant("prod", &prod), "");
    let said = stage.run_unattended(SYNC);
    let refused = |guard: &str| said.err.contains(&format!("cause: {guard}: "));
    match said.code {
        4 => {
            assert_eq!(stage.writes(), [], "{}", edit.what);
            assert_ne!(refused("lockout-risk"), refused("weaker-protection"), "{}: {}", edit.what, said.whole());
            if refused("lockout-risk") { LocksOut } else { Weakens }
        }
        0 | 3 => {
            assert_ne!(stage.writes(), [], "{}: {}", edit.what, said.whole());
            Passes
        }
        _ => panic!("{}: {}", edit.what, said.whole()),
    }
}

#[test]
fn a_job_writes_what_adds_and_what_is_routine_and_nothing_that_may_lock_out_or_weaken() {
    let found: Vec<_> = EDITS.iter().map(|edit| (edit.what, verdict(edit, true), verdict(edit, false))).collect();
    let expected: Vec<_> = EDITS.iter().map(|edit| (edit.what, edit.there, edit.back)).collect();
    let unlike: Vec<_> = found.iter().zip(&expected).filter(|(found, expected)| found != expected).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

/// Two clients of which each loses a callback, and a database that is no longer protected.
fn three_risks() -> Stage {
    let data = |tenant: &str, is_after: bool| {
        let callbacks = |host: &str| if is_after { json!([]) } else { json!([format!("https://{host}.acme.example")]) };
        let mut shop = client(tenant, &json!({"callbacks": callbacks("shop")}));
        let mut billing = client(tenant, &json!({"callbacks": callbacks("billing")}));
        (shop["name"], billing["name"]) = (json!("Shop"), json!("Billing API"));
        billing["client_id"] = json!(format!("{tenant}Bill000000000000000000000000a"));
        let connection = connection(tenant, "auth0", &json!({"brute_force_protection": !is_after}));
        json!({"/clients": [shop, billing], "/connections": [connection]})
    };
    Stage::of(tenant("dev", &data("dev", true)), tenant("prod", &data("prod", false)), "")
}

#[test]
fn a_pattern_of_the_configuration_approves_what_it_matches_for_a_job() {
    let stage = three_risks();
    stage.configure("[tenants.prod.plan]\napprove = [\"lockout-risk:clients/Billing*\"]\n");
    let said = stage.run_unattended(SYNC);
    assert_snapshot!(said.refused(), @r#"
    exit 4
    error: nothing was written: the plan was refused
    cause: lockout-risk: people or services may be locked out by clients/Shop (callbacks)
    cause: weaker-protection: a protection becomes weaker by connections/people (options.brute_force_protection)
    hint:  where that may pass every time, write into migrate.toml: [tenants.prod.plan] approve = ["lockout-risk:clients/Shop", "weaker-protection:connections/people"]; if that is meant, do it once by hand:  migrate import --tenant prod --from dev --allow lockout-risk,many-changes,weaker-protection
    "#);
    assert_eq!(stage.writes(), []);
    stage.configure("[tenants.prod.plan]\napprove = [\"lockout-risk:clients/*\", \"weaker-protection:connections/people\"]\n");
    let said = stage.run_unattended(SYNC);
    assert_eq!((said.code, stage.writes().len()), (0, 3), "{}", said.whole());
}

#[test]
fn a_narrow_approval_lets_pass_what_it_matches_and_nothing_else() {
    let stage = three_risks();
    let import = "import --tenant prod --yes --quiet";
    let said = stage
        .run_words(&[&import.split(' ').collect::<Vec<_>>()[..], &["--allow", "lockout-risk:clients/Billing*,weaker-protection"]].concat());
    assert_snapshot!(said.refused(), @"
    exit 4
    error: nothing was written: the plan was refused
    cause: lockout-risk: people or services may be locked out by clients/Shop (callbacks)
    hint:  if that is meant, run it with --allow 'lockout-risk,lockout-risk:clients/Billing*,weaker-protection'
    ");
    assert_eq!(stage.writes(), []);
    let allow = "lockout-risk:clients/Billing*,lockout-risk:clients/Shop,weaker-protection:connections/*";
    let said = stage.run_words(&[&import.split(' ').collect::<Vec<_>>()[..], &["--allow", allow]].concat());
    assert_eq!((said.code, stage.writes().len()), (0, 3), "{}", said.whole());
}

#[test]
fn what_no_approval_can_mean_is_said_before_a_tenant_is_asked() {
    let stage = three_risks();
    for (allow, wrong) in [
        ("lockout", "no guard is called \"lockout\""),
        ("many-changes:clients/*", "many-changes is approved as a whole, and not by resource"),
        ("deletes:[", "\"[\" is no pattern"),
    ] {
        let said = stage.run(&format!("import --tenant prod --yes --allow {allow}"));
        assert_eq!((said.code, said.err.contains(wrong), stage.requests().len()), (64, true, 0), "{}", said.whole());
    }
    for (entry, wrong) in [
        ("deletes", "deletes is not approved once for all runs"),
        ("lockout-risk:client/*", "there is no kind \"client\""),
        ("lockout-risk:clients/[", "is no pattern"),
        ("lockout", "no guard is called \"lockout\""),
    ] {
        stage.configure(&format!("[tenants.prod.plan]\napprove = [\"{entry}\"]\n"));
        let said = stage.run("check");
        assert_eq!((said.code, said.err.contains(wrong)), (64, true), "{}", said.whole());
    }
}

/// Eight of a kind, which dev has and an import brings to a prod that holds much of another kind.
struct Eight {
    path: &'static str,
    id: &'static str,
}

impl Eight {
    fn in_dev(&self) -> Value {
        let one = |number: usize| {
            let mut one = json!({"name": format!("eight-{number}"), "description": "one of eight", self.id: Self::id_of(number)});
            if self.path == "/clients" {
                one["is_first_party"] = json!(true);
            }
            one
        };
        json!({self.path: (0..8).map(one).collect::<Vec<_>>()})
    }

    fn id_of(number: usize) -> String {
        format!("dev{number}{}", "0".repeat(28))
    }
}

#[test]
fn a_night_does_not_remove_most_of_a_kind_though_the_tenant_holds_much_else() {
    for eight in
        [Eight { path: "/clients", id: "client_id" }, Eight { path: "/roles", id: "id" }, Eight { path: "/organizations", id: "id" }]
    {
        let apis = (0..30).map(|number| json!({"id": format!("api{number}"), "name": "API", "identifier": format!("urn:{number}")}));
        let prod = json!({"/resource-servers": apis.collect::<Vec<_>>()});
        let stage = Stage::of(tenant("dev", &eight.in_dev()), tenant("prod", &prod), "");
        let first = stage.run_unattended(SYNC);
        assert_eq!(first.code, 0, "{}", first.whole());
        for number in 0..7 {
            let gone = stage.run(&format!("api delete {}/{} --tenant dev --yes --quiet", &eight.path[1..], Eight::id_of(number)));
            assert_eq!(gone.code, 0, "{}", gone.whole());
        }
        let writes = stage.writes().len();
        let said = stage.run_unattended("sync --from dev --to prod --prune --allow deletes");
        let kind = &eight.path[1..];
        let cause = format!("cause: many-changes: 7 of 8 {kind} of \"prod\" would change; at most 4 may at once\n");
        assert_eq!((said.code, said.err.contains(&cause), stage.writes().len()), (4, true, writes), "{}", said.whole());
        stage.configure("[tenants.prod.plan]\nmost_changed_of_a_kind = 0.9\n");
        let said = stage.run_unattended("sync --from dev --to prod --prune --allow deletes");
        assert_eq!((said.code, stage.prod(eight.path).as_array().map(Vec::len)), (0, Some(1)), "{}", said.whole());
    }
}

#[test]
fn a_first_import_into_a_tenant_that_holds_what_every_new_one_does_is_not_many_changes() {
    let settings = |is_dev: bool| {
        let templates = ["verify_email", "reset_email", "welcome_email", "blocked_account", "stolen_credentials"];
        let template = |name: &str| {
            let subject = if is_dev { "Hello" } else { "" };
            (
                format!("/email-templates/{name}"),
                json!({"template": name, "body": "b", "from": "a@acme.example", "subject": subject, "syntax": "liquid", "enabled": true}),
            )
        };
        templates.map(template).into_iter().collect::<serde_json::Map<_, _>>()
    };
    let with = |clients: usize| {
        let client = |number: usize| {
            let mut one = client("prod", &json!({"name": format!("App {number}")}));
            one["client_id"] = json!(format!("prodApp{number}{}", "0".repeat(24)));
            one
        };
        let mut prod = settings(false);
        prod.insert("/clients".to_owned(), (0..clients).map(client).collect());
        Stage::of(tenant("dev", &settings(true).into()), tenant("prod", &prod.into()), "").run_unattended("sync --from dev --to prod")
    };
    let said = with(3);
    assert_eq!(said.code, 0, "{}", said.whole());
    let said = with(4);
    let cause =
        "many-changes: 5 of 10 resources of \"prod\" would change; at most 3 may at once; 5 of 5 email-templates of \"prod\" would change";
    assert_eq!((said.code, said.err.contains(cause)), (4, true), "{}", said.whole());
}

#[test]
fn the_values_of_every_scale_are_those_of_one_field_in_the_description() {
    let Some(file) = crate::reference::open("management-api-oas.json.gz") else { return };
    let document: Value = serde_json::from_reader(flate2::read::GzDecoder::new(file)).expect("JSON");
    let mut listed = Vec::new();
    collect_enums(&document, &mut listed);
    for scale in migrate::catalog::risk::SCALES {
        let is_whole = |values: &&Vec<String>| scale.iter().all(|value| values.iter().any(|listed| listed == value));
        assert!(listed.iter().any(|values| is_whole(&values)), "{scale:?}");
    }
}

fn collect_enums(value: &Value, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(values)) = fields.get("enum") {
                found.push(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect());
            }
            fields.values().for_each(|field| collect_enums(field, found));
        }
        Value::Array(list) => list.iter().for_each(|element| collect_enums(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
