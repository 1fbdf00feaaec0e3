//! Changes in either tenant since the last run, as the next plan reports them: renames, conflicts, drift and deletions.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev, prod};

const SHOP: &str = "devShop000000000000000000000000a";
const TILL: &str = "devTill000000000000000000000000a";
const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";
const PLAN: &str = "plan --tenant prod --quiet";

/// Imports dev into prod, so that there is a previous run.
fn imported() -> Fixture {
    let fixture = Fixture::small();
    done(&fixture, IMPORT);
    fixture
}

fn done(fixture: &Fixture, line: &str) {
    let said = fixture.run(line);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Changes a client of dev as in the dashboard.
fn change_dev(fixture: &Fixture, id: &str, fields: &Value) {
    fixture.write("fields.json", &fields.to_string());
    done(fixture, &format!("api patch clients/{id} --data fields.json --tenant dev --yes --quiet"));
}

/// Returns the name, the id and one field of each client of prod.
fn clients(fixture: &Fixture, field: &str) -> Vec<(String, String, Value)> {
    let clients = fixture.prod("/clients");
    let text = |client: &Value, field: &str| client[field].as_str().unwrap_or_default().to_owned();
    let each = clients.as_array().expect("a list").iter();
    let mut each: Vec<_> = each.map(|client| (text(client, "name"), text(client, "client_id"), client[field].clone())).collect();
    each.sort_by(|one, other| one.0.cmp(&other.0));
    each
}

#[test]
fn a_rename_in_the_source_is_a_rename_in_the_target() {
    let fixture = imported();
    let before = clients(&fixture, "callbacks");
    change_dev(&fixture, TILL, &json!({"name": "Checkout"}));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 routine
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Applications (clients)   1 to update
      ~ "Checkout"  name  Till → Checkout

    migrate import --tenant prod --from dev
    "#);
    done(&fixture, IMPORT);
    let after = clients(&fixture, "callbacks");
    assert_eq!(after.iter().map(|client| client.0.as_str()).collect::<Vec<_>>(), ["Checkout", "Shop"]);
    assert_eq!((&after[0].1, &after[0].2), (&before[1].1, &before[1].2), "the same client");
    assert_snapshot!(fixture.run(PLAN).whole(), @"
    exit 0
    prod is up to date with dev: 4 resources unchanged.
    Nothing to do.
    ");
}

#[test]
fn a_duplicate_name_is_skipped_with_the_command_that_resolves_it() {
    let mut target = prod();
    let twin = |id: &str| client(id, "Till", "https://till.acme.example/old");
    let own = target["data"]["/clients"].as_array_mut().expect("a list");
    own.extend([twin("prodTill00000000000000000000000a"), twin("prodTill00000000000000000000000b")]);
    let fixture = Fixture::new(dev(), target, "");
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 4
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 2 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back

    Skipped (1)
      client "Till": "Till" is ambiguous: 1 in dev (devTill000000000000000000000000a), 2 in prod (prodTill00000000000000000000000a, prodTill00000000000000000000000b); link them with `migrate link clients <source id> <target id>`

    Notes (1)
      prod has several resources with the same name; one of them is shown as clients/Till#2

    Unmanaged in prod, not deleted (2)  client "Till (of the target)", client "Till#2"

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --allow lockout-risk:clients/Shop
    "#);
    let held = fixture.prod("/clients");
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "{}", said.whole());
    assert_eq!((&fixture.prod("/clients")[1], &fixture.prod("/clients")[2]), (&held[1], &held[2]), "neither was touched");
    done(&fixture, &format!("link clients {TILL} prodTill00000000000000000000000b --tenant prod --quiet"));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 4
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Till"  callbacks  - https://till.acme.example/old  … 1 more

    Applications (clients)   1 to update
      ~ "Till"  callbacks  - https://till.acme.example/old  + https://till.acme.example/back

    Notes (1)
      prod has several resources with the same name; one of them is shown as clients/Till#2

    Unmanaged in prod, not deleted (1)  client "Till (of the target)"

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --allow lockout-risk:clients/Till
    "#);
}

#[test]
fn a_deleted_linked_resource_is_reported_and_not_recreated() {
    let mut fixture = imported();
    fixture.change_prod(|held| drop(held["/clients"].as_array_mut().expect("a list").pop()));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 3
    prod is up to date with dev, except for what is skipped: 3 resources unchanged.
    Nothing to do.

    Skipped (1)
      client "Till": the linked client (ucjKYV6gSaUfeqpaN2TYw2BO4FwYHKwF) no longer exists in the target; to create it again, run `migrate unlink clients devTill000000000000000000000000a`
    "#);
    let said = fixture.run(IMPORT);
    assert_eq!((said.code, clients(&fixture, "name").len()), (3, 1), "{}", said.whole());
    done(&fixture, &format!("unlink clients {TILL} --tenant prod --quiet"));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 widened
      resources: 1 to create, 0 to update, 3 unchanged
      about 1 request to apply

    Applications (clients)   1 to create
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    migrate import --tenant prod --from dev
    "#);
}

#[test]
fn a_change_made_in_the_target_is_kept_and_reported() {
    let mut fixture = imported();
    fixture
        .change_prod(|held| held["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/back", "https://hot-fix.acme.example"]));
    change_dev(&fixture, SHOP, &json!({"description": "The shop"}));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 routine
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Applications (clients)   1 to update
      ~ "Shop"  description  (none) → The shop

    Drift: changed in prod since the last run (1)
      Applications (clients)   1 changed
        ~ "Shop"  callbacks  + https://hot-fix.acme.example  (1 unchanged)

    Notes (1)
      who changed prod since the last run is not known: the tenant's log is empty

    migrate import --tenant prod --from dev
    "#);
    done(&fixture, IMPORT);
    let kept = json!(["https://shop.acme.example/back", "https://hot-fix.acme.example"]);
    assert_eq!(clients(&fixture, "callbacks")[0].2, kept);
    assert_eq!(clients(&fixture, "description")[0].2, json!("The shop"));
    assert_snapshot!(fixture.run("plan --tenant prod --quiet --drift overwrite").whole(), @r#"
    exit 4
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://hot-fix.acme.example  (1 unchanged)

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://hot-fix.acme.example  (1 unchanged)

    Drift: changed in prod since the last run (1)
      Applications (clients)   1 changed
        ~ "Shop"  callbacks  + https://hot-fix.acme.example  (1 unchanged)

    Notes (1)
      who changed prod since the last run is not known: the tenant's log has no entry about them; entries may be delayed

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --drift overwrite --allow lockout-risk:clients/Shop
    "#);
}

#[test]
fn a_field_changed_in_both_is_a_conflict_and_its_resource_is_skipped() {
    let mut fixture = imported();
    fixture.change_prod(|held| held["/clients"][0]["description"] = json!("ours"));
    change_dev(&fixture, SHOP, &json!({"description": "theirs", "callbacks": ["https://shop.acme.example/new"]}));
    change_dev(&fixture, TILL, &json!({"description": "The till"}));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 routine
      resources: 0 to create, 1 to update, 2 unchanged
      about 1 request to apply

    Conflicts (changed in both tenants since the last run)
      client "Shop": description
        dev   (none) → theirs
        prod  (none) → ours
      `--drift overwrite` applies the values of dev, also over all other drift in prod
      to keep the values of prod, write them to dev, with {"description":"ours"} in FILE:  migrate update clients devShop000000000000000000000000a FILE --tenant dev

    Applications (clients)   1 to update
      ~ "Till"  description  (none) → The till

    Skipped (1)
      client "Shop": both tenants changed its description since the last run

    Notes (1)
      who changed prod since the last run is not known: the tenant's log is empty

    migrate import --tenant prod --from dev
    "#);
    let held = clients(&fixture, "callbacks")[0].clone();
    let said = fixture.run(IMPORT);
    assert_eq!(said.code, 3, "{}", said.whole());
    assert_eq!(clients(&fixture, "callbacks")[0], held, "nothing of it was written");
    assert_eq!(clients(&fixture, "description")[1].2, json!("The till"));
    assert_snapshot!(fixture.run("plan --tenant prod --quiet --drift overwrite").whole(), @r#"
    exit 4
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 routine
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/back  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks    - https://shop.acme.example/back  + https://shop.acme.example/new
                description  ours → theirs

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate import --tenant prod --from dev --drift overwrite --allow lockout-risk:clients/Shop
    "#);
}

#[test]
fn a_conflict_is_resolved_by_the_suggested_command() {
    let mut fixture = imported();
    fixture.change_prod(|held| held["/clients"][0]["description"] = json!("ours"));
    change_dev(&fixture, SHOP, &json!({"description": "theirs"}));
    let told = fixture.run(PLAN).out;
    let (before, command) = told.split_once(" in FILE:  migrate ").expect("a command");
    let (_, file) = before.split_once("write them to dev, with ").expect("what the file holds");
    let command = command.lines().next().expect("a line");
    fixture.write("ours.json", file);
    done(&fixture, &format!("{} --yes --quiet", command.replace("FILE", "ours.json")));
    done(&fixture, IMPORT);
    assert_eq!(clients(&fixture, "description")[0].2, json!("ours"));
    // From here on the field is the source's again.
    change_dev(&fixture, SHOP, &json!({"description": "newer"}));
    done(&fixture, IMPORT);
    assert_eq!(clients(&fixture, "description")[0].2, json!("newer"));
}

#[test]
fn an_element_changed_in_both_is_reported_separately_and_overwritten_on_request() {
    let (mut source, mut target) = (dev(), prod());
    let api = |id: &str, text: &str| json!([{"id": id, "identifier": "https://orders", "name": "Orders", "scopes": [{"value": "read", "description": text}]}]);
    source["data"]["/resource-servers"] = api("rsDev", "read");
    target["data"]["/resource-servers"] = api("rsProd", "read");
    let mut fixture = Fixture::new(source, target, "");
    done(&fixture, IMPORT);
    fixture.change_prod(|held| held["/resource-servers"][0]["scopes"][0]["description"] = json!("ours"));
    fixture.write("fields.json", &json!({"scopes": [{"value": "read", "description": "theirs"}]}).to_string());
    done(&fixture, "api patch resource-servers/rsDev --data fields.json --tenant dev --yes --quiet");
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 3
    prod is up to date with dev, except for what is skipped: 4 resources unchanged.
    Nothing to do.

    Conflicts (changed in both tenants since the last run)
      API "https://orders": scopes (read)
        dev   {description: read, value: read} → {description: theirs, value: read}
        prod  {description: read, value: read} → {description: ours, value: read}
      `--drift overwrite` applies the values of dev, also over all other drift in prod
      to keep the values of prod, write them to dev:  migrate update resource-servers rsDev FILE --tenant dev

    Skipped (1)
      API "https://orders": both tenants changed its scopes (read) since the last run

    Notes (1)
      who changed prod since the last run is not known: the tenant's log is empty
    "#);
    let conflicts = fixture.run(&format!("{PLAN} --output json")).json()["conflicts"].clone();
    assert_eq!((&conflicts[0]["base"]["description"], &conflicts[0]["desired"]["description"]), (&json!("read"), &json!("theirs")));
    done(&fixture, &format!("{IMPORT} --drift overwrite"));
    assert_eq!(fixture.prod("/resource-servers")[0]["scopes"], json!([{"value": "read", "description": "theirs"}]));
}

#[test]
fn a_field_removed_from_the_source_is_removed_from_the_target() {
    let fixture = imported();
    change_dev(&fixture, TILL, &json!({"description": "The till", "client_metadata": {"team": "pay", "floor": "2"}}));
    done(&fixture, IMPORT);
    change_dev(&fixture, TILL, &json!({"description": "", "client_metadata": {"floor": null}}));
    assert_snapshot!(fixture.run(PLAN).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 2 routine
      resources: 0 to create, 1 to update, 3 unchanged
      about 1 request to apply

    Applications (clients)   1 to update
      ~ "Till"  client_metadata.floor  "2" → (none)
                description            The till → (none)

    migrate import --tenant prod --from dev
    "#);
    done(&fixture, IMPORT);
    assert_eq!(clients(&fixture, "client_metadata")[1].2, json!({"team": "pay"}));
    assert_snapshot!(fixture.run(PLAN).whole(), @"
    exit 0
    prod is up to date with dev: 4 resources unchanged.
    Nothing to do.
    ");
}
