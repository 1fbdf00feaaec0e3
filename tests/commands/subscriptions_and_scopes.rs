//! Features that the target's subscription lacks, the scopes that a run needs, and third-party clients.

use serde_json::{Value, json};

use crate::support::fixture::{Fixture, dev, prod};

/// A new client of dev, including everything that a create would fill in.
fn client(name: &str, more: &Value) -> Value {
    let mut client = json!({
        "client_id": format!("dev{name}00000000000000000000000000"), "name": name, "app_type": "regular_web", "is_first_party": true,
        "grant_types": ["authorization_code"], "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
        "refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0, "token_lifetime": 2_592_000,
            "idle_token_lifetime": 1_296_000, "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true},
    });
    for (field, value) in more.as_object().expect("fields") {
        client[field] = value.clone();
    }
    client
}

fn with_clients(mut state: Value, clients: Vec<Value>) -> Value {
    state["data"]["/clients"].as_array_mut().expect("a list").extend(clients);
    state
}

fn held(fixture: &Fixture, name: &str) -> Value {
    let clients = fixture.prod("/clients");
    clients.as_array().expect("a list").iter().find(|client| client["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn a_field_that_the_subscription_lacks_is_reported_and_the_rest_applied() {
    let quota = json!({"token_quota": {"client_credentials": {"enforce": true, "per_day": 10}}});
    let mut target = prod();
    target["unentitled"] = json!({"clients": ["token_quota"]});
    let fixture = Fixture::new(with_clients(dev(), vec![client("Quota", &quota), client("Plain", &json!({}))]), target, "");
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 3, "{}", said.whole());
    let named = "Partially applied";
    assert!(
        said.out.contains(named) && said.out.contains("without token_quota: not included in the tenant's subscription"),
        "{}",
        said.out
    );
    assert_eq!((&held(&fixture, "Quota")["token_quota"], &held(&fixture, "Quota")["name"]), (&Value::Null, &json!("Quota")));
    assert_eq!(held(&fixture, "Plain")["name"], "Plain");
}

#[test]
fn a_kind_that_the_subscription_lacks_is_skipped_and_the_rest_applied() {
    let mut source = with_clients(dev(), vec![client("Plain", &json!({}))]);
    source["data"]["/network-acls"] =
        json!([{"id": "acl_1", "description": "d", "active": true, "priority": 1, "rule": {"action": {"block": true}, "scope": "tenant"}}]);
    let mut target = prod();
    target["absent"]["/network-acls"] = json!({"status": 403, "body": {"statusCode": 403, "error": "Forbidden",
        "message": "Your plan does not include network ACLs. Please upgrade your subscription.", "errorCode": "insufficient_entitlement"}});
    let fixture = Fixture::new(source, target, "");
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 3, "{}", said.whole());
    assert!(said.out.contains("Please upgrade your subscription"), "{}", said.out);
    assert_eq!(held(&fixture, "Plain")["name"], "Plain");
}

#[test]
fn third_party_clients_are_excluded_unless_included() {
    let third = client("Partner", &json!({"is_first_party": false}));
    let fixture = Fixture::new(with_clients(dev(), vec![third]), prod(), "");
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(held(&fixture, "Partner"), Value::Null, "{}", said.whole());
    let said = fixture.run("import --tenant prod --include third-party --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(held(&fixture, "Partner")["name"], "Partner", "{}", said.whole());
    let said = fixture.run("import --tenant prod --include thrd-party --yes");
    assert_eq!((said.code, said.err.contains("--include accepts third-party")), (64, true), "{}", said.whole());
}

#[test]
fn self_registered_and_marketplace_resources_are_excluded_and_reported() {
    let registered = |name: &str, how: &str| client(name, &json!({"external_metadata_type": how}));
    let mut source = with_clients(dev(), vec![registered("Metadata", "cimd"), registered("Dynamic", "dcr")]);
    let action = json!({"id": "act_dev", "name": "Bought", "code": "", "status": "built", "all_changes_deployed": true,
        "supported_triggers": [{"id": "post-login", "version": "v3"}], "installed_integration_id": "int_1"});
    source["data"]["/actions/actions"] = json!([action]);
    let fixture = Fixture::new(source, prod(), "");
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --verbose");
    assert_eq!(said.code, 0, "{}", said.whole());
    let created = |path: &str, name: &str| fixture.prod(path).as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
    assert!(created("/clients", "Till"));
    assert!(!created("/clients", "Metadata") && !created("/clients", "Dynamic") && !created("/actions/actions", "Bought"));
    for named in [
        "client \"Metadata\": it is registered by a client metadata document",
        "client \"Dynamic\": it was registered dynamically",
        "action \"Bought\": it was installed from the Auth0 Marketplace",
    ] {
        assert!(said.out.contains(named), "{}", said.out);
    }
}

#[test]
fn the_scopes_of_a_run_are_printed_one_per_line_and_suffice() {
    let mut fixture = Fixture::small();
    let printed = fixture.run("scopes");
    let scopes: Vec<&str> = printed.out.lines().collect();
    assert!(scopes.contains(&"create:clients") && scopes.contains(&"read:organizations"), "{}", printed.out);
    assert!(!scopes.iter().any(|scope| scope.starts_with("delete:clients")), "{}", printed.out);
    fixture.sign_in_to_prod_with(&scopes);
    let reading = fixture.run("scopes --for export");
    let reading: Vec<&str> = reading.out.lines().collect();
    assert!(reading.iter().all(|scope| scope.starts_with("read:")), "{reading:?}");
    fixture.sign_in_to_dev_with(&reading);
    let said = fixture.run("import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(fixture.run("scopes --kinds roles,rules --for export").out, "read:roles\nread:rules\n");
}
