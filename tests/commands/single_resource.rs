//! The commands for one resource (`get`, `update`, `api`), and JSON output for programs.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, dev, prod};

const SHOP: &str = "prodShop00000000000000000000000a";

/// Runs a command line that must succeed.
fn done(fixture: &Fixture, line: &str) -> CommandOutput {
    let said = fixture.run(line);
    assert_eq!(said.code, 0, "{}", said.whole());
    said
}

/// A fixture in which prod's client "Shop" was saved to `client.json`.
fn read_into_a_file(faults: &str) -> Fixture {
    let fixture = Fixture::new(dev(), prod(), faults);
    let said = done(&fixture, "get clients Shop --tenant prod --quiet");
    fixture.write("client.json", &said.out);
    fixture
}

#[test]
fn a_client_is_printed_as_returned_without_its_secret() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("get clients Shop --tenant prod --quiet").whole(), @r#"
    exit 0
    {
      "app_type": "regular_web",
      "callbacks": [
        "https://shop.acme.example/old"
      ],
      "client_id": "prodShop00000000000000000000000a",
      "is_first_party": true,
      "name": "Shop"
    }
    "#);
    let by_id = fixture.run(&format!("get clients {SHOP} --tenant prod --quiet"));
    assert_eq!(by_id.out, fixture.run("get clients Shop --tenant prod --quiet").out);
}

#[test]
fn an_edited_file_changes_differing_fields_and_ignores_read_only_ones() {
    let fixture = read_into_a_file("");
    fixture.edit("client.json", "https://shop.acme.example/old", "https://shop.acme.example/new");
    assert_snapshot!(fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes").whole(), @r#"
    exit 0
    Plan  prod
      tenant  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 0 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/new

    Approved: lockout-risk: 1 resource
    Applied 1 change to prod in TIME.

    The run's files are in ./runs/TIME-prod
    Ignored in client.json (read-only): client_id
    applying 1 change to prod
    "#);
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/new"]));
    assert_eq!(fixture.prod("/clients")[0]["client_secret"], format!("CANARY-{SHOP}"));
    let again = fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_snapshot!(again.whole(), @"
    exit 0
    prod already has these values.
    Nothing to do.
    ");
    assert_eq!(fixture.writes().len(), 1);
}

#[test]
fn an_update_sends_only_changed_fields() {
    // The tenant refuses it with a message that repeats the request.
    let fixture = read_into_a_file("echo@w1");
    fixture.edit("client.json", "https://shop.acme.example/old", "https://shop.acme.example/new");
    assert_snapshot!(fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet").whole(), @r#"
    exit 3
    Plan  prod
      tenant  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 0 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/new

    Approved: lockout-risk: 1 resource
    Applied 0 of 1 change to prod in TIME; 1 failed.

    Failed
      update client "Shop": the tenant answered 400 invalid_body: Payload validation error: 'Object didn't pass validation for format json: Bearer (redacted) {"callbacks":["https://shop.acme.example/new"]}'.

    The run's files are in ./runs/TIME-prod
    "#);
}

#[test]
fn unwritable_fields_and_secrets_are_ignored_with_a_message() {
    let fixture = read_into_a_file("");
    fixture.edit("client.json", "{", "{\n  \"client_secret\": \"CANARY-by-hand\", \"tenant\": \"other\", \"description\": \"Sells\",");
    let said = fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes");
    assert_snapshot!(said.refused(), @r"
    exit 0
    Ignored in client.json (read-only): client_id
    Ignored in client.json (not fields of clients): tenant
    Ignored in client.json (secrets cannot be set from a file): client_secret
    applying 1 change to prod
    ");
    assert_eq!(fixture.prod("/clients")[0]["description"], "Sells");
    assert!(!said.whole().contains("CANARY"), "{}", said.whole());
}

#[test]
fn a_file_of_another_client_and_a_misspelt_field_are_refused() {
    let fixture = read_into_a_file("");
    fixture.edit("client.json", SHOP, "devShop000000000000000000000000a");
    assert_snapshot!(fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes").whole(), @r#"
    exit 64
    error: "client.json" is for another client: its client_id is devShop000000000000000000000000a
    hint:  remove client_id from the file to give "Shop" the same settings, or name devShop000000000000000000000000a instead
    state: nothing was written
    "#);
    fixture.write("client.json", r#"{"calbacks": ["https://shop.acme.example/new"]}"#);
    assert_snapshot!(fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes").whole(), @r#"
    exit 64
    error: "client.json" has an unknown field "calbacks" (kind: clients)
    hint:  did you mean "callbacks"?
    state: nothing was written
    "#);
    assert!(fixture.writes().is_empty());
}

#[test]
fn null_clears_a_field() {
    let fixture = Fixture::small();
    fixture.write("client.json", r#"{"callbacks": null}"#);
    done(&fixture, "update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!([]));
    assert_eq!(fixture.prod("/clients")[0]["app_type"], "regular_web");
}

#[test]
fn rules_and_tenant_settings_are_edited_in_the_same_way() {
    let fixture = Fixture::acme("");
    done(&fixture, "get tenant-settings --tenant prod --quiet");
    fixture.write("settings.json", r#"{"friendly_name": "Acme of one hand"}"#);
    done(&fixture, "update tenant-settings settings.json --tenant prod --yes --quiet");
    assert_eq!(fixture.prod("/tenants/settings")["friendly_name"], "Acme of one hand");
    let fixture = Fixture::small();
    let said = done(&fixture, "get rules Greeting --tenant prod --quiet");
    fixture.write("rule.json", &said.out.replace("callback(null, user, context);", "callback(null, user, { ...context });"));
    done(&fixture, "update rules Greeting rule.json --tenant prod --allow lockout-risk --yes --quiet");
    assert!(fixture.prod("/rules")[0]["script"].as_str().expect("code").contains("...context"));
}

#[test]
fn an_invalid_json_file_is_shown_in_its_line() {
    let fixture = Fixture::small();
    fixture.write("client.json", "{\n  \"callbacks\": [\"https://a.example\",]\n}\n");
    assert_snapshot!(fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes").refused(), @r#"
    exit 64
    error: this is not JSON
            --> client.json:2:37
             |
           2 |   "callbacks": ["https://a.example",]
             |                                     ^ trailing comma
    state: nothing was written
    "#);
    assert_snapshot!(fixture.run("api patch clients/x --data client.json --tenant prod --yes").refused(), @r#"
    exit 64
    error: this is not JSON
            --> client.json:2:37
             |
           2 |   "callbacks": ["https://a.example",]
             |                                     ^ trailing comma
    state: nothing was written
    "#);
    assert_eq!(fixture.requests(), []);
}

#[test]
fn a_missing_resource_is_reported() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("get clients Shopp --tenant prod --quiet").refused(), @r#"
    exit 1
    error: "prod" has no client "Shopp"
    hint:  names are case-sensitive; an id works too
    "#);
    fixture.write("client.json", "{}");
    assert_snapshot!(fixture.run("update clients Shopp client.json --tenant prod --yes --quiet").refused(), @r#"
    exit 1
    error: "prod" has no client "Shopp"
    hint:  names are case-sensitive; an id works too
    state: nothing was written
    "#);
}

#[test]
fn any_path_can_be_called_in_a_round_trip() {
    let fixture = Fixture::small();
    fixture.write("role.json", r#"{"name": "Cashier", "description": "Sells"}"#);
    let made = done(&fixture, "api post roles --data role.json --tenant prod --yes --quiet").json();
    let id = made["id"].as_str().expect("an id");
    fixture.write("change.json", r#"{"description": "Sells and takes back"}"#);
    let changed = done(&fixture, &format!("api patch roles/{id} --data change.json --tenant prod --yes --quiet")).json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Cashier"), &json!("Sells and takes back")));
    assert_eq!(done(&fixture, &format!("api roles/{id} --tenant prod --quiet")).json(), changed);
    assert_eq!(done(&fixture, "api get /api/v2/roles?name_filter=Cashier --tenant prod --quiet").json(), json!([changed]));
    assert_eq!(done(&fixture, &format!("api delete roles/{id} --tenant prod --yes --quiet")).out, "{}\n");
    assert_snapshot!(fixture.run(&format!("api roles/{id} --tenant prod --quiet")).refused().replace(id, "ID"), @"
    exit 1
    error: the tenant answered 404: The role does not exist.
    state: nothing was written
    ");
}

#[test]
fn a_writing_call_needs_confirmation_and_reports_a_refusal() {
    let fixture = Fixture::small();
    fixture.write("role.json", r#"{"name": "Cashier", "description": "Sells"}"#);
    assert_snapshot!(fixture.run("api post roles --data role.json --tenant prod --quiet").refused(), @"
    exit 64
    error: confirmation is needed, and there is no terminal
    hint:  add --yes to write without confirmation
    state: nothing was written
    ");
    assert_eq!(fixture.writes(), []);
    done(&fixture, "api post roles --data role.json --tenant prod --yes --quiet");
    assert_snapshot!(fixture.run("api post roles --data role.json --tenant prod --yes --quiet").refused(), @"
    exit 1
    error: the tenant answered 409: The role already exists.
    state: POST /roles was not carried out
    ");
}

#[test]
fn a_call_with_an_unknown_outcome_does_not_claim_that_nothing_was_written() {
    let fixture = Fixture::new(dev(), prod(), "cut-after@w1");
    fixture.write("role.json", r#"{"name": "Cashier", "description": "Sells"}"#);
    assert_snapshot!(fixture.run("api post roles --data role.json --tenant prod --yes --quiet").refused(), @"
    exit 1
    error: it is unknown whether the tenant carried out POST /roles
    cause: no response from 127.0.0.1:PORT to POST /roles
    cause: connection closed before message completed
    state: POST /roles may or may not have been carried out
    ");
    assert_eq!(fixture.prod("/roles")[0]["name"], "Cashier");
}

#[test]
fn a_plan_with_changes_exits_with_2_on_request() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run("plan --tenant prod --check --quiet").code, 2);
    assert_eq!(fixture.run("plan --tenant prod --quiet").code, 4, "a guard refuses it");
    let for_programs = fixture.run("plan --tenant prod --check --quiet --output json");
    assert_eq!((for_programs.code, &for_programs.json()["exit"]), (2, &json!(2)));
    assert_eq!(fixture.writes(), []);
}

#[test]
fn a_plan_without_changes_exits_with_0() {
    let fixture = Fixture::acme("");
    done(&fixture, "import --tenant prod --allow many-changes,lockout-risk,weaker-protection --yes --quiet");
    assert_snapshot!(fixture.run("plan --tenant prod --check --quiet").whole(), @r"
    exit 0
    prod is up to date with dev, as mapped: 51 resources unchanged.
    Nothing to do.

    (5 excluded, 2 unmanaged in prod; `--output json` lists them)
    ");
}

/// Formats JSON for a snapshot, with times, ids and costs replaced.
fn pretty(mut json: Value) -> String {
    for cost in ["seconds", "requests", "waited_seconds"] {
        if let Some(field) = json.get_mut(cost) {
            assert!(field.is_number(), "{cost}");
            *field = json!("COST");
        }
    }
    let changes = json.get_mut("changes").and_then(Value::as_array_mut);
    for change in changes.into_iter().flatten().filter(|change| change["operation"] == "create") {
        if let Some(id) = change.get_mut("id") {
            *id = json!("ID");
        }
    }
    format!("{json:#}")
}

#[test]
fn a_plan_is_json_for_programs() {
    assert_snapshot!(pretty(Fixture::small().run("plan --tenant prod --quiet --output json").json()));
}

#[test]
fn an_import_is_json_for_programs() {
    assert_snapshot!(pretty(done(&Fixture::small(), "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet --output json").json()), @r#"
    {
      "changes": [
        {
          "at": "TIME",
          "id": "prodShop00000000000000000000000a",
          "key": "clients/Shop",
          "operation": "update",
          "outcome": "applied"
        },
        {
          "at": "TIME",
          "id": "ID",
          "key": "clients/Till",
          "operation": "create",
          "outcome": "applied"
        }
      ],
      "conflicts": [],
      "counts": {
        "applied": 2,
        "failed": 0,
        "partial": 0,
        "skipped": 0,
        "unknown": 0,
        "unsent": 0
      },
      "differs": [],
      "exit": 0,
      "format": 1,
      "ids": [
        {
          "id": "prodShop00000000000000000000000a",
          "kind": "clients",
          "name": "Shop"
        },
        {
          "id": "ucjKYV6gSaUfeqpaN2TYw2BO4FwYHKwF",
          "kind": "clients",
          "name": "Till"
        },
        {
          "id": "rul_prodGreeting0001",
          "kind": "rules",
          "name": "Greeting"
        }
      ],
      "manual_steps": [
        {
          "key": "clients/Till",
          "path": "client_secret",
          "step": "the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)"
        }
      ],
      "requests": "COST",
      "run": "./runs/TIME-prod",
      "seconds": "COST",
      "secrets": [
        {
          "disposition": "left",
          "fetch": "migrate api get 'clients/ID?fields=client_secret' --tenant prod",
          "field": "client_secret",
          "id": "ucjKYV6gSaUfeqpaN2TYw2BO4FwYHKwF",
          "key": "clients/Till",
          "message": null
        }
      ],
      "skipped": [],
      "source": {
        "domain": "acme-dev.eu.auth0.com",
        "taken": "TIME",
        "tenant": "dev"
      },
      "state": "applied 2 changes",
      "target": {
        "domain": "acme-prod.eu.auth0.com",
        "taken": "TIME",
        "tenant": "prod"
      },
      "waited_seconds": "COST"
    }
    "#);
}

#[test]
fn a_refusal_is_json_for_programs() {
    let said = Fixture::small().run("import --tenant prd --yes --quiet --output json");
    assert_eq!((said.code, said.err.as_str()), (64, ""));
    assert_snapshot!(pretty(said.json()), @r#"
    {
      "causes": [],
      "error": "unknown tenant \"prd\"; did you mean \"prod\"? Configured: dev, prod",
      "exit": 64,
      "format": 1,
      "hint": "define tenants in migrate.toml as [tenants.NAME] with a domain",
      "state": "nothing was written"
    }
    "#);
}

#[test]
fn a_list_only_resource_is_found_in_its_list() {
    let mut target = prod();
    let (organization, grant) = ("org_prodAlpha00000001", "cgr_prodShop00000001");
    let granted = json!({"id": grant, "client_id": SHOP, "audience": "urn:api", "scope": ["read"], "subject_type": "client"});
    target["data"]["/rules-configs"] = json!([{"key": "SMTP"}, {"key": "MAIL"}]);
    target["data"]["/organizations"] = json!([{"id": organization, "name": "alpha"}]);
    target["data"]["/resource-servers"] =
        json!([{"id": "5f0000000000000000000001", "identifier": "urn:api", "name": "API", "scopes": [{"value": "read"}]}]);
    target["data"]["/client-grants"] = json!([granted]);
    target["data"][format!("/organizations/{organization}/client-grants")] = json!([{"id": grant}]);
    let fixture = Fixture::new(dev(), target, "");
    let by_id = format!("organization-client-grants {organization}/{grant}");
    for (line, field, value) in [("rules-configs SMTP", "key", "SMTP"), (&by_id, "id", grant)] {
        let said = done(&fixture, &format!("get {line} --tenant prod --quiet"));
        assert_eq!(said.json()[field], value, "{}", said.whole());
        fixture.write("read.json", &said.out);
        let said = done(&fixture, &format!("update {line} read.json --tenant prod --yes --quiet"));
        assert!(said.out.contains("Nothing to do."), "{}", said.whole());
    }
    let missing = fixture.run("get rules-configs SMTQ --tenant prod --quiet");
    assert!(missing.code == 1 && missing.err.contains("\"prod\" has no rule setting \"SMTQ\""), "{}", missing.whole());
    let refused: Vec<_> = fixture.requests().into_iter().filter(|seen| seen.status >= 400).collect();
    assert!(refused.is_empty() && fixture.writes().is_empty(), "{refused:?}");
}

#[test]
fn without_a_name_get_lists_the_kind() {
    let fixture = Fixture::small();
    let said = fixture.run("get clients --tenant dev");
    assert_eq!(said.code, 0, "{}", said.whole());
    let rows: Vec<Vec<&str>> = said.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..2], ["key", "id"], "{}", said.out);
    assert_eq!(rows[1][..2], ["clients/Shop", "devShop000000000000000000000000a"], "{}", said.out);
    assert_eq!(rows[2][..2], ["clients/Till", "devTill000000000000000000000000a"], "{}", said.out);
    let listed = fixture.run("get clients --tenant dev --output json").json();
    assert_eq!(listed["resources"][0]["key"], "clients/Shop", "{listed:#}");
    assert!(rows[0].contains(&"app_type") && listed["resources"][0]["fields"]["app_type"] == "regular_web", "{listed:#}");
}
