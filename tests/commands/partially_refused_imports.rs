//! A refusal of the target affects only its subject: a kind, a resource, a field or an element. The rest is imported.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::{Catalog, Kind, Shape};
use auth0_migrate::json::Body;
use auth0_migrate::model::event::Outcome;
use auth0_migrate::plan::{Action, Plan};
use auth0_migrate::sandbox::{State, seed};
use auth0_migrate::snapshot::{Desired, Snapshot};
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, dev, prod};
use crate::support::imports::{empty_sync_state, import, read, start};

const IMPORT: &str = "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes";

/// Returns a state whose tenant refuses these requests: `path` may contain `*`, and `{}` in a message stands for the
/// field.
fn refusing(mut state: Value, mut refused: Value) -> Value {
    for rule in refused.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let text = |name: &str| rule[name].as_str().expect("a text").to_owned();
        let has = rule.get("has").and_then(Value::as_str).unwrap_or_default();
        let body = json!({"statusCode": rule["status"], "error": "Bad Request", "message": text("message").replace("{}", has)});
        let path = format!("^{}$", text("path").replace('*', ".*"));
        rule.remove("message");
        rule.extend([("path".to_owned(), json!(path)), ("body".to_owned(), body)]);
    }
    state["refuse"] = refused;
    state
}

fn with(mut state: Value, path: &str, held: Value) -> Value {
    state["data"][path] = held;
    state
}

/// Returns the methods and paths of the writes to prod from this index on.
fn writes(fixture: &Fixture, from: usize) -> Vec<String> {
    let writes = fixture.writes().into_iter().skip(from);
    writes.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
}

fn settings(flag: bool) -> Value {
    json!({"friendly_name": if flag { "Acme" } else { "Old" }, "session_lifetime": if flag { 10 } else { 20 },
        "flags": {"enable_pipeline2": flag, "revoke_refresh_token_grant": flag}})
}

fn with_a_refused_flag(message: &str) -> Fixture {
    let refused =
        json!([{"method": "PATCH", "path": "/tenants/settings", "has": "flags.enable_pipeline2", "status": 400, "message": message}]);
    let target = with(
        prod(),
        "/tenants/settings",
        json!({"friendly_name": "Old", "session_lifetime": 20, "flags": {"revoke_refresh_token_grant": false}}),
    );
    Fixture::new(with(dev(), "/tenants/settings", settings(true)), refusing(target, refused), "")
}

#[test]
fn a_refused_flag_is_reported_until_a_rule_accepts_it() {
    let fixture = with_a_refused_flag("You are not allowed to set flag 'enable_pipeline2' for this tenant.");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(said.out.contains("without flags.enable_pipeline2: the tenant answered 400"), "{}", said.out);
    let rule = "[[rule]]\n  match = \"tenant-settings\"\n  field = \"flags.enable_pipeline2\"\n  keep = true";
    assert!(said.out.contains(rule), "{}", said.out);
    let held = fixture.prod("/tenants/settings");
    assert_eq!((&held["friendly_name"], &held["session_lifetime"]), (&json!("Acme"), &json!(10)));
    assert_eq!(held["flags"]["revoke_refresh_token_grant"], true);
    let before = fixture.writes().len();
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, writes(&fixture, before)), (3, vec!["PATCH /tenants/settings".to_owned()]), "{}", said.whole());
    fixture.write("mappings/m.toml", &rule.replace("\n  ", "\n"));
    fixture.configure("mapping = \"mappings/m.toml\"\n");
    let before = fixture.writes().len();
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, writes(&fixture, before)), (0, Vec::new()), "{}", said.whole());
}

#[test]
fn a_refused_field_that_the_message_does_not_name_is_found() {
    let fixture = with_a_refused_flag("Bad request.");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "{}", said.whole());
    let held = fixture.prod("/tenants/settings");
    assert_eq!((&held["friendly_name"], &held["session_lifetime"]), (&json!("Acme"), &json!(10)));
    assert_eq!(held["flags"], json!({"revoke_refresh_token_grant": true}));
    assert!(said.out.contains("without flags.enable_pipeline2: the tenant answered 400: Bad request."), "{}", said.out);
}

#[test]
fn a_refused_text_affects_only_that_text_until_a_rule_accepts_it() {
    let path = "/prompts/login/custom-text/en";
    let locales = |state: Value| with(state, "/tenants/settings", json!({"enabled_locales": ["en"]}));
    let texts = json!({"login": {"title": "Welcome", "description": "Sign in", "custom-email-text": "No"}});
    let message = "Invalid key \"custom-email-text\" in screen \"login\".";
    let refused = json!([{"method": "PUT", "path": path, "has": "login.custom-email-text", "status": 400, "message": message}]);
    let fixture = Fixture::new(with(locales(dev()), path, texts), refusing(locales(prod()), refused), "");
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, fixture.prod(path)), (3, json!({"login": {"title": "Welcome", "description": "Sign in"}})), "{}", said.whole());
    let rule = "[[rule]]\nmatch = \"prompt-custom-text/login · en\"\nfield = \"login.custom-email-text\"\nkeep = true";
    assert!(said.out.replace("\n  ", "\n").contains(rule), "{}", said.out);
    fixture.write("mappings/m.toml", rule);
    fixture.configure("mapping = \"mappings/m.toml\"\n");
    let before = fixture.writes().len();
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, writes(&fixture, before)), (0, Vec::new()), "{}", said.whole());
}

#[test]
fn a_client_is_created_without_a_refused_field_and_an_undo_deletes_it() {
    for message in ["'Invalid value' on property description.", "Bad request."] {
        let refused = json!([{"path": "/clients*", "has": "description", "status": 400, "message": message}]);
        let mut source = dev();
        source["data"]["/clients"][1]["description"] = "no".into();
        source["data"]["/clients"][1]["web_origins"] = json!(["https://till.acme.example"]);
        let fixture = Fixture::new(source, refusing(prod(), refused), "");
        let said = fixture.run(IMPORT);
        assert_eq!(said.code, 3, "{}", said.whole());
        assert!(said.out.contains("without description: the tenant answered 400"), "{}", said.out);
        let clients = fixture.prod("/clients");
        let till = clients.as_array().expect("a list").iter().find(|client| client["name"] == "Till").expect("it was created");
        assert_eq!((&till["description"], &till["web_origins"]), (&Value::Null, &json!(["https://till.acme.example"])));
        assert_eq!(till["app_type"], "regular_web");
        let before = fixture.writes().len();
        let said = fixture.run(IMPORT);
        assert_eq!((said.code, fixture.writes().len() - before), (3, 1), "{}", said.whole());
        let runs = fixture.run("runs");
        let first = runs.out.split_whitespace().find(|word| word.contains("-prod")).expect("a run").to_owned();
        let said = fixture.run(&format!("undo {first} --tenant prod --allow many-changes,lockout-risk,weaker-protection,deletes --yes"));
        assert!(!said.whole().contains("it has changed since the run"), "{}", said.whole());
    }
}

#[test]
fn a_refused_permission_affects_no_other() {
    let permission = |name: &str| json!({"resource_server_identifier": "https://orders", "permission_name": name});
    let api = |state: Value| {
        let scopes: Vec<Value> = ["a", "b", "c", "d"].iter().map(|scope| json!({"value": scope})).collect();
        with(state, "/resource-servers", json!([{"id": "api1", "identifier": "https://orders", "name": "Orders", "scopes": scopes}]))
    };
    let roles = |state: Value, id: &str| with(api(state), "/roles", json!([{"id": id, "name": "Clerk"}]));
    let held: Vec<Value> = ["a", "b", "c", "d"].iter().map(|name| permission(name)).collect();
    let source = with(roles(dev(), "rol_devClerk0000001"), "/roles/rol_devClerk0000001/permissions", Value::Array(held));
    let refused =
        json!([{"method": "POST", "path": "/roles/*/permissions", "has": "permissions.permission_name=c", "status": 400, "message": "no"}]);
    let fixture = Fixture::new(source, refusing(roles(prod(), "rol_prodClerk000001"), refused), "");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(said.out.contains("without c · https://orders: the tenant answered 400: no"), "{}", said.out);
    let held = fixture.prod("/roles/rol_prodClerk000001/permissions");
    let names: BTreeSet<&str> = held.as_array().expect("a list").iter().filter_map(|one| one["permission_name"].as_str()).collect();
    assert_eq!(names, ["a", "b", "d"].into());
    let before = fixture.writes().len();
    assert_eq!((fixture.run(IMPORT).code, fixture.writes().len() - before), (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn a_refused_list_affects_only_its_kind() {
    let acme: Value = serde_json::from_str(seed::ACME_DEV).expect("JSON");
    let whole = exported(acme.clone()).await;
    let all: Vec<&'static Kind> = Catalog::standard().kinds().collect();
    // Several kinds are refused at once, different ones each time, since reading a tenant for each kind would take too
    // long.
    for (turn, status) in (0..GROUPS).flat_map(|turn| [(turn, 400), (turn, 501)]) {
        let chosen: Vec<&'static Kind> = all.iter().copied().skip(turn).step_by(GROUPS).collect();
        let refusal =
            |kind: &&'static Kind| json!({"method": "GET", "path": list_of(kind), "status": status, "message": "it is switched off"});
        let snapshot = exported(refusing(acme.clone(), chosen.iter().map(refusal).collect())).await;
        for kind in &chosen {
            let shown = snapshot.kinds.get(kind.name);
            assert!(!snapshot.is_complete(kind.name) || whole.of_kind(kind.name).next().is_none(), "{}: {shown:?}", kind.name);
        }
        let lost: BTreeSet<&str> = chosen.iter().flat_map(|kind| lost_with(kind, &list_of(kind))).collect();
        for (name, status) in snapshot.kinds.iter().filter(|(name, _)| !lost.contains(name.as_str())) {
            let count = |snapshot: &Snapshot| snapshot.of_kind(name).count();
            assert_eq!((status, count(&snapshot)), (&whole.kinds[name], count(&whole)), "{name}, group {turn}");
        }
    }
}

/// The number of groups of kinds that are refused together.
const GROUPS: usize = 8;

/// Returns the path at which the list of a kind is read, or each of its named objects.
fn list_of(kind: &Kind) -> String {
    if matches!(kind.shape, Shape::Keyed { .. }) { without_places(&kind.item()) } else { without_places(kind.paths.list) }
}

async fn exported(state: Value) -> Snapshot {
    let (_sandbox, tenant) = start(State::from_json(state).expect("a state")).await;
    read(&tenant).await
}

fn without_places(form: &str) -> String {
    form.split('/').map(|part| if part.contains('{') { "*" } else { part }).collect::<Vec<_>>().join("/")
}

/// Returns the kinds that are read at the same paths, or below what is read there.
fn lost_with(kind: &Kind, path: &str) -> BTreeSet<&'static str> {
    let pattern = glob::Pattern::new(path).expect("a pattern");
    let mut lost = BTreeSet::new();
    for other in Catalog::standard().kinds() {
        let is_same =
            pattern.matches(other.paths.list) || pattern.matches(&other.item()) || other.quirks.same_endpoint_as == Some(kind.name);
        let is_below = other.dependencies().any(|before| lost.contains(before) || before == kind.name);
        if other.name == kind.name || is_same || is_below {
            lost.insert(other.name);
        }
    }
    lost
}

/// Returns the fields of each kind that a plan sends and that could be omitted.
fn optional_fields(plan: &Plan) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut fields: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for change in plan.changes() {
        let kind = change.key.kind();
        let (Action::Create { body, .. } | Action::Update { body, .. }) = &change.action else { continue };
        let is_fixed = |name: &str| {
            let fixed = kind.identity.key.iter().chain(kind.fields.required).chain(kind.fields.always_sent).any(|field| *field == name);
            fixed || kind.path_fields().any(|field| field == name) || kind.lifecycle.follow_up.is_some()
        };
        fields.entry(kind.name).or_default().extend(body.0.keys().filter(|name| !is_fixed(name)).cloned());
    }
    fields
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn a_refused_field_affects_only_itself_whether_named_or_not() {
    let domain = "acme-prod.eu.auth0.com";
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (_from, from) = start(State::from_json(parsed(seed::ACME_DEV)).expect("a state")).await;
    let desired = Desired::unmapped(read(&from).await);
    let target = |refused: Value| State::from_json(refusing(parsed(seed::ACME_PROD), refused)).expect("a state");
    let (_into, into) = start(target(json!([]))).await;
    let plain = import(&desired, &into, &mut empty_sync_state()).await;
    let whole = read(&into).await;
    let fields = optional_fields(&plain.plan);
    let passes = fields.values().map(BTreeSet::len).max().unwrap_or_default();
    let mut faults = Vec::new();
    for pass in 0..passes * 2 {
        let message = if pass % 2 == 0 { "'Invalid value' on property {}." } else { "Bad request." };
        let chosen: BTreeMap<&str, &String> =
            fields.iter().filter_map(|(kind, fields)| Some((*kind, fields.iter().nth(pass / 2)?))).collect();
        let refusal = |(kind, field): (&&str, &&String)| {
            let kind = Catalog::standard().kind(kind).expect("a kind");
            let path = without_places(&kind.item());
            let mut refused = vec![json!({"method": "PATCH", "path": path, "has": field, "status": 400, "message": message})];
            refused.push(json!({"method": "PUT", "path": path, "has": field, "status": 400, "message": message}));
            let made = kind.creation().map(without_places);
            refused.extend(made.map(|path| json!({"method": "POST", "path": path, "has": field, "status": 400, "message": message})));
            refused
        };
        let refused: Vec<Value> = chosen.iter().flat_map(refusal).collect();
        let (_into, into) = start(target(Value::Array(refused))).await;
        let run = import(&desired, &into, &mut empty_sync_state()).await;
        // A role cannot have permissions that the API does not define.
        let goes_with_it =
            |kind: &str| kind == "role-permissions" && chosen.get("resource-servers").is_some_and(|field| *field == "scopes");
        for one in run.summary.settled.iter().filter(|one| !goes_with_it(one.key.kind().name)) {
            let is_expected = match &one.outcome {
                Outcome::Applied(_) => true,
                Outcome::Partial(_, short) => chosen
                    .get(one.key.kind().name)
                    .is_some_and(|field| short.parts.iter().all(|part| part == *field || part.starts_with(&format!("{field}.")))),
                Outcome::Failed(_) => plain.plan.changes().any(|change| {
                    let sent = match &change.action {
                        Action::Update { body, .. } => body.clone(),
                        _ => Body::new(),
                    };
                    change.key == one.key && chosen.get(one.key.kind().name).is_some_and(|field| sent.0.keys().all(|name| name == *field))
                }),
                Outcome::Skipped(_) | Outcome::Unknown(_) => false,
            };
            if !is_expected {
                faults.push(format!("{message} {:?}: {} {}: {:?}", chosen.get(one.key.kind().name), one.operation, one.key, one.outcome));
            }
        }
        let after = read(&into).await;
        for wanted in whole.resources.iter().filter(|wanted| !goes_with_it(wanted.key.kind().name)) {
            let field = chosen.get(wanted.key.kind().name);
            let without = |body: &Body| {
                let mut body = body.clone();
                if let Some(field) = field {
                    body.take(field);
                }
                body
            };
            let held = after.resources.iter().find(|held| held.key == wanted.key).map(|held| without(&held.body.open()));
            if held.as_ref() != Some(&without(&wanted.body.open())) {
                faults.push(format!("{message} {field:?}: {} is not as it should be", wanted.key));
            }
        }
    }
    assert!(faults.is_empty(), "{domain}: {} faults in {passes} passes\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn resources_of_a_refused_kind_are_skipped_and_never_pruned() {
    let theme = json!({"themeId": "thm1", "displayName": "Acme", "colors": {"page_background": "#000000"}});
    let mut target = prod();
    let words = "customization is not enabled for this tenant";
    target["absent"]["/branding/themes/default"] =
        json!({"status": 400, "body": {"statusCode": 400, "error": "Bad Request", "message": words}});
    let fixture = Fixture::new(with(dev(), "/branding/themes/default", theme), target, "");
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, said.out.contains(words)), (3, true), "{}", said.whole());
    let said = fixture.run("export --tenant prod");
    assert_eq!((said.code, said.out.contains(words)), (0, true), "{}", said.whole());
}

#[test]
fn a_network_acl_and_its_refused_rule_both_stay_unchanged() {
    let acl = |id: &str, description: &str, active: bool, country: &str| {
        let rule = json!({"action": {"block": true}, "match": {"geo_country_codes": [country]}, "scope": "tenant"});
        json!([{"id": id, "description": description, "active": active, "priority": 1, "rule": rule}])
    };
    let source = with(dev(), "/network-acls", acl("acl_dev", "new", true, "FR"));
    for message in ["Bad request.", "'Invalid value' on property rule.match.geo_country_codes."] {
        let refused = json!([{"method": "PATCH", "path": "/network-acls/*", "has": "rule", "status": 400, "message": message}]);
        let held = acl("acl_prod", "old", false, "DE");
        let fixture = Fixture::new(source.clone(), refusing(with(prod(), "/network-acls", held), refused), "");
        let said = fixture.run(IMPORT);
        assert_eq!(said.code, 3, "{}", said.whole());
        assert!(said.out.contains("without active, rule.match.geo_country_codes: the tenant answered 400"), "{}", said.out);
        let mut after = fixture.prod("/network-acls");
        after[0].as_object_mut().expect("an object").remove("updated_at");
        assert_eq!(after, acl("acl_prod", "new", false, "DE"));
    }
}

#[test]
fn a_stream_with_refused_filters_is_not_created_without_them() {
    let stream = json!([{"id": "lst_1", "name": "Audit", "type": "http", "status": "active", "filters": [{"type": "category", "name": "auth.login.fail"}],
        "sink": {"httpEndpoint": "https://logs.acme.example/in", "httpContentType": "application/json", "httpContentFormat": "JSONLINES"}}]);
    for message in ["Bad request.", "No enum match on filters[].name"] {
        let refused = json!([{"method": "POST", "path": "/log-streams*", "has": "filters", "status": 400, "message": message}]);
        let fixture =
            Fixture::new(with(dev(), "/log-streams", stream.clone()), refusing(with(prod(), "/log-streams", json!([])), refused), "");
        let said = fixture.run(IMPORT);
        assert_eq!((said.code, said.out.contains(message)), (3, true), "{}", said.whole());
        assert_eq!(fixture.prod("/log-streams"), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deferred_fields_of_a_new_client_wait_until_it_is_visible() {
    let state = |domain: &str, clients: Value| json!({"domain": domain, "data": {"/clients": clients}});
    let till = json!([{"client_id": "c1", "name": "Till", "callbacks": ["https://till.example"], "description": "no",
        "logo_uri": "https://till.example/logo.png", "web_origins": ["https://till.example"]}]);
    let refused = json!([{"path": "/clients*", "has": "description", "status": 400, "message": "Bad request."}]);
    let (_from, from) = start(State::from_json(state("dev.eu.auth0.com", till)).expect("a state")).await;
    let target = State::from_json(refusing(state("prod.eu.auth0.com", json!([])), refused)).expect("a state");
    let (_into, tenant) = start(target.eventually_consistent()).await;
    let desired = Desired::unmapped(read(&from).await);
    let summary = import(&desired, &tenant, &mut empty_sync_state()).await.summary;
    let Outcome::Partial(_, short) = &summary.settled[0].outcome else { panic!("{:?}", summary.settled) };
    assert_eq!(short.parts, ["description"], "{}", short.message);
}

#[test]
fn an_event_stream_and_its_refused_events_both_stay_unchanged() {
    let stream = |id: &str, name: &str, status: &str, event: &str| {
        json!([{"id": id, "name": name, "status": status, "subscriptions": [{"event_type": event}],
            "destination": {"type": "eventbridge", "configuration": {"aws_account_id": "123456789012", "aws_region": "eu-west-1"}}}])
    };
    let source = with(dev(), "/event-streams", stream("est_dev0000000000000000000", "Users", "enabled", "user.created"));
    for message in ["Bad request.", "'Invalid value' on property subscriptions[0].event_type."] {
        let held = stream("est_prod000000000000000000", "Users", "disabled", "user.deleted");
        let refused = json!([{"method": "PATCH", "path": "/event-streams/*", "has": "subscriptions", "status": 400, "message": message}]);
        let fixture = Fixture::new(source.clone(), refusing(with(prod(), "/event-streams", held), refused), "");
        let said = fixture.run(IMPORT);
        assert_eq!((said.code, said.out.contains(message)), (3, true), "{}", said.whole());
        let after = fixture.prod("/event-streams");
        assert_eq!((&after[0]["status"], &after[0]["subscriptions"]), (&json!("disabled"), &json!([{"event_type": "user.deleted"}])));
    }
}
