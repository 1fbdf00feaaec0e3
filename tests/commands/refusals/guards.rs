//! Plans that guards refuse until they are approved.

use insta::assert_snapshot;

use crate::support::fixture::{Fixture, client, dev, prod};
use crate::support::refusals::{IMPORT, refused_offline};

#[test]
fn source_and_target_must_differ() {
    assert_snapshot!(refused_offline(&Fixture::small(), "import --tenant prod --allow lockout-risk,weaker-protection --from prod --yes --quiet"), @r#"
    exit 4
    error: source "prod" and target "prod" are the same tenant, acme-prod.eu.auth0.com
    hint:  name another source with --from; `migrate restore` restores a tenant's own snapshot
    state: nothing was written
    "#);
}

/// Six clients that both tenants have, each with a different callback.
fn much() -> Fixture {
    let names = ["A", "B", "C", "D", "E", "F"];
    let clients = |id: &str, host: &str| {
        let callback = format!("https://{host}.acme.example");
        names.map(|name| client(&format!("{id}{name}{}", "0".repeat(27)), name, &callback))
    };
    let (mut source, mut target) = (dev(), prod());
    source["data"]["/clients"] = serde_json::json!(clients("devC", "new"));
    target["data"]["/clients"] = serde_json::json!(clients("prdC", "old"));
    Fixture::new(source, target, "")
}

#[test]
fn a_plan_with_many_changes_shows_how_to_approve_it() {
    assert_snapshot!(stage_refuses(&much()), @r#"
    exit 4
    error: the plan was refused
    cause: many-changes: 6 of the 8 compared resources of "prod" would change (limit 3); 6 of the 6 compared clients of "prod" would change (limit 3)
    hint:  if this is intended, run it with --allow lockout-risk,many-changes,weaker-protection
    state: nothing was written
    "#);
}

#[test]
fn without_a_terminal_yes_is_required() {
    let fixture = Fixture::small();
    let said = fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --quiet");
    assert_snapshot!(said.refused(), @"
    exit 64
    error: confirmation is needed, and there is no terminal
    hint:  add --yes to write without confirmation
    state: nothing was written
    ");
    assert_eq!(fixture.writes(), []);
}

#[test]
fn a_value_of_the_source_is_shown_with_its_place() {
    let fixture = Fixture::small();
    fixture.configure("mapping = \"mapping.toml\"\n");
    let rule = "[[rule]]\nmatch = \"clients/Till\"\nfield = \"description\"\nset = \"Ask https://acme-dev.eu.auth0.com/login\"\n";
    fixture.write("mapping.toml", rule);
    assert_snapshot!(stage_refuses(&fixture), @"
    exit 4
    error: the plan was refused
    cause: source-leak: clients/Till: description contains the source's domain acme-dev.eu.auth0.com
    hint:  if this is intended, run it with --allow lockout-risk,source-leak,weaker-protection
    state: nothing was written
    ");
}

fn stage_refuses(fixture: &Fixture) -> String {
    let said = fixture.run(IMPORT);
    assert_eq!(fixture.writes(), [], "{}", said.whole());
    said.refused()
}

#[test]
fn a_secret_that_is_not_supplied_is_reported() {
    let mut source = dev();
    source["data"]["/connections"] = serde_json::json!([{"id": "con_devGoogle00000001", "name": "google", "strategy": "google-oauth2",
        "options": {"client_id": "g", "client_secret": "CANARY-of-google"}}]);
    let fixture = Fixture::new(source, prod(), "");
    fixture.configure("mapping = \"mapping.toml\"\n");
    let rule = "[[rule]]\nmatch = \"connections/google\"\nfield = \"options.client_secret\"\nsecret = \"env:GOOGLE\"\n";
    fixture.write("mapping.toml", rule);
    assert_snapshot!(stage_refuses(&fixture), @"
    exit 4
    error: the plan was refused
    cause: secrets: the mapping needs secrets that are not available: env:GOOGLE
    hint:  set the variable or create the file, or remove the rule from the mapping
    state: nothing was written
    ");
}

#[test]
fn drift_stops_an_import_that_would_write_nothing_else() {
    let mut fixture = Fixture::small();
    let done = fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(done.code, 0, "{}", done.whole());
    let settled = fixture.run("import --tenant prod --drift fail --yes --quiet");
    assert_eq!(settled.code, 0, "what the server filled in is nobody's change: {}", settled.whole());
    fixture.change_prod(|held| held["/clients"][0]["callbacks"] = serde_json::json!(["https://hot-fix.example"]));
    let before = fixture.writes().len();
    let dry = fixture.run("import --tenant prod --drift fail --dry-run --quiet");
    assert_eq!(dry.code, 4, "{}", dry.whole());
    assert_snapshot!(fixture.run("import --tenant prod --drift fail --yes --quiet").refused(), @r#"
    exit 4
    error: the plan was refused
    cause: drift: "prod" was changed directly since the last run (clients/Shop: callbacks); choose --drift keep or --drift overwrite
    state: nothing was written
    "#);
    assert_eq!(fixture.writes().len(), before);
}

#[test]
fn pruning_needs_approval_and_deletes_only_what_an_earlier_run_created() {
    let fixture = Fixture::small();
    let done = fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(done.code, 0, "{}", done.whole());
    let gone = fixture.run("api delete clients/devTill000000000000000000000000a --tenant dev --yes --quiet");
    assert_eq!(gone.code, 0, "{}", gone.whole());
    let names = || {
        let clients = fixture.prod("/clients");
        clients.as_array().expect("a list").iter().map(|client| client["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fixture.run("import --tenant prod --yes --quiet").code, 0);
    assert_eq!(names(), ["Shop", "Till"], "without --prune everything stays");
    assert_snapshot!(fixture.run("import --tenant prod --prune --yes --quiet").refused(), @"
    exit 4
    error: the plan was refused
    cause: deletes: 1 resource would be deleted: clients/Till
    hint:  if this is intended, run it with --allow deletes
    state: nothing was written
    ");
    assert_eq!(names(), ["Shop", "Till"]);
    let pruned = fixture.run("import --tenant prod --prune --allow deletes --yes --quiet");
    assert_eq!((pruned.code, names()), (0, vec!["Shop".to_owned()]), "{}", pruned.whole());
}

/// Six differing clients in each tenant, one of which would redirect prod's users to dev.
fn much_and_more() -> Fixture {
    let fixture = much();
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.write("mapping.toml", "[[rule]]\nmatch = \"clients/A\"\nfield = \"description\"\nset = \"##HOST##\"\n");
    fixture
}

#[test]
fn approving_one_guard_never_approves_another() {
    let fixture = much_and_more();
    let all = ["many-changes", "lockout-risk", "source-leak"];
    for open in all {
        let said = fixture.run(&format!("import --tenant prod --allow {open} --yes --quiet"));
        let standing: Vec<&str> = all.into_iter().filter(|guard| said.err.contains(&format!("cause: {guard}: "))).collect();
        assert_eq!((said.code, standing), (4, all.into_iter().filter(|guard| *guard != open).collect()), "{}", said.whole());
    }
    assert_snapshot!(fixture.run("import --tenant prod --yes --quiet").refused(), @r#"
    exit 4
    error: the plan was refused
    cause: many-changes: 6 of the 8 compared resources of "prod" would change (limit 3); 6 of the 6 compared clients of "prod" would change (limit 3)
    cause: lockout-risk: users or services may be locked out by changes to clients/A (callbacks), clients/B (callbacks), clients/C (callbacks), clients/D (callbacks), clients/E (callbacks), clients/F (callbacks)
    cause: source-leak: clients/A: description contains the placeholder ##HOST##
    hint:  if this is intended, run it with --allow lockout-risk,many-changes,source-leak
    state: nothing was written
    "#);
    assert_eq!(fixture.writes(), []);
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection,source-leak --yes --quiet");
    assert_eq!((said.code, fixture.writes().len()), (0, 6), "{}", said.whole());
}

#[test]
fn lockout_risks_are_listed_field_by_field() {
    let (mut source, mut target) = (dev(), prod());
    let (source, target) = (&mut source["data"]["/clients"][0], &mut target["data"]["/clients"][0]);
    let fields = [
        ("callbacks", serde_json::json!(["https://a"]), serde_json::json!(["https://b"])),
        ("allowed_logout_urls", serde_json::json!(["https://a"]), serde_json::json!([])),
        ("allowed_origins", serde_json::json!(["https://a"]), serde_json::json!(["https://b"])),
        ("web_origins", serde_json::json!(["https://a"]), serde_json::json!(["https://b"])),
        ("grant_types", serde_json::json!(["authorization_code", "implicit"]), serde_json::json!(["authorization_code"])),
        ("token_endpoint_auth_method", serde_json::json!("client_secret_post"), serde_json::json!("none")),
        ("jwt_configuration", serde_json::json!({"alg": "RS256"}), serde_json::json!({"alg": "HS256"})),
        ("app_type", serde_json::json!("regular_web"), serde_json::json!("spa")),
        ("is_first_party", serde_json::json!(true), serde_json::json!(false)),
        (
            "refresh_token",
            serde_json::json!({"rotation_type": "non-rotating", "expiration_type": "expiring"}),
            serde_json::json!({"rotation_type": "rotating", "expiration_type": "expiring"}),
        ),
    ];
    for (field, held, wanted) in fields {
        (target[field], source[field]) = (held, wanted);
    }
    let of = |tenant: &str, client: &serde_json::Value| {
        let domain = format!("acme-{tenant}.eu.auth0.com");
        serde_json::json!({"tenant": format!("acme-{tenant}"), "domain": domain, "data": {"/clients": [client]}})
    };
    let fixture = Fixture::new(of("dev", source), of("prod", target), "");
    let line = "import --tenant prod --include third-party --yes --quiet";
    assert_snapshot!(fixture.run(line).refused(), @"
    exit 4
    error: the plan was refused
    cause: lockout-risk: users or services may be locked out by changes to clients/Shop (allowed_logout_urls, allowed_origins, app_type, callbacks, grant_types, is_first_party, jwt_configuration.alg, refresh_token.rotation_type, token_endpoint_auth_method, web_origins)
    hint:  if this is intended, run it with --allow lockout-risk
    state: nothing was written
    ");
    assert_eq!(fixture.writes(), []);
    let said = fixture.run(&format!("{line} --allow lockout-risk,weaker-protection"));
    assert_eq!((said.code, fixture.writes().len()), (0, 1), "{}", said.whole());
}

#[test]
fn an_unfilled_template_placeholder_is_shown_with_its_place() {
    let mut source = dev();
    source["data"]["/clients"][1]["callbacks"] = serde_json::json!(["https://##TILL_HOST##/back"]);
    assert_snapshot!(stage_refuses(&Fixture::new(source, prod(), "")), @"
    exit 4
    error: the plan was refused
    cause: source-leak: clients/Till: callbacks[] contains the placeholder ##TILL_HOST##
    hint:  if this is intended, run it with --allow lockout-risk,source-leak,weaker-protection
    state: nothing was written
    ");
}

#[test]
fn an_id_of_the_source_is_replaced_or_shown_with_its_place() {
    let mut source = dev();
    source["data"]["/clients"][1]["description"] = serde_json::json!("as rul_devGreeting00001 says");
    let fixture = Fixture::new(source, prod(), "");
    fixture.configure("mapping = \"mapping.toml\"\n");
    fixture.write("mapping.toml", "[[rule]]\nmatch = \"clients/Till\"\nfield = \"description\"\nset = \"as rul_devGreeting00001 says\"\n");
    assert_snapshot!(stage_refuses(&fixture), @"
    exit 4
    error: the plan was refused
    cause: source-leak: clients/Till: description contains the source's id rul_devGreeting00001
    hint:  if this is intended, run it with --allow lockout-risk,source-leak,weaker-protection
    state: nothing was written
    ");
    fixture.write("mapping.toml", "");
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, &fixture.prod("/clients")[1]["description"]), (0, &"as rul_prodGreeting0001 says".into()), "{}", said.whole());
}
