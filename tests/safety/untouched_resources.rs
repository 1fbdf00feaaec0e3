//! What no run changes: migrate's own client, protected resources, system resources, and resources missing from a truncated list.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, client, dev, prod};
use crate::support::refusals::refused;

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet";

/// Two tenants that also have these clients, with different ids and callbacks.
fn with_clients(names: &[&str], id_of: impl Fn(&str, &str) -> String) -> Fixture {
    let (mut source, mut target) = (dev(), prod());
    for (tenant, state) in [("dev", &mut source), ("prd", &mut target)] {
        let more = names.iter().map(|name| client(&id_of(tenant, name), name, &format!("https://{tenant}.acme.example")));
        state["data"]["/clients"].as_array_mut().expect("a list").extend(more);
    }
    Fixture::new(source, target, "")
}

fn named<'held>(held: &'held Value, name: &str) -> &'held Value {
    held.as_array().expect("a list").iter().find(|one| one["name"] == name).expect("there")
}

#[test]
fn migrates_own_client_is_unchanged() {
    // The tenants of the fixture list this client with the id that migrate signs in with.
    let fixture = with_clients(&["Deployer"], |_, _| "tool".to_owned());
    let before = fixture.prod("/clients");
    assert_snapshot!(fixture.run(IMPORT).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Excluded (1)  client "Deployer"
    (--verbose shows all of it, with the reasons)

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(named(&fixture.prod("/clients"), "Deployer"), named(&before, "Deployer"));
}

#[test]
fn protected_resources_are_unchanged_and_not_deleted() {
    let fixture = with_clients(&["Break glass"], |tenant, name| format!("{tenant}{}000000000000000000000", name.replace(' ', "")));
    fixture.configure("protected = [\"clients/Break glass*\"]\n");
    let before = fixture.prod("/clients");
    assert_snapshot!(fixture.run(IMPORT).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Excluded (1)  client "Break glass"
    (--verbose shows all of it, with the reasons)

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    let gone = fixture.run("api delete clients/devBreakglass000000000000000000000 --tenant dev --yes --quiet");
    assert_eq!(gone.code, 0, "{}", gone.whole());
    let said = fixture.run("import --tenant prod --prune --allow deletes,lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(named(&fixture.prod("/clients"), "Break glass"), named(&before, "Break glass"));
}

#[test]
fn the_management_api_is_unchanged() {
    let api = |tenant: &str, lifetime: u32| {
        json!([{"id": format!("5f{tenant}0000000000000000000"), "name": "Auth0 Management API", "is_system": true, "token_lifetime": lifetime,
            "identifier": format!("https://acme-{tenant}.eu.auth0.com/api/v2/"), "scopes": [{"value": "read:clients"}]}])
    };
    let (mut source, mut target) = (dev(), prod());
    source["data"]["/resource-servers"] = api("dev", 60);
    target["data"]["/resource-servers"] = api("prod", 86_400);
    let fixture = Fixture::new(source, target, "");
    let before = fixture.prod("/resource-servers");
    assert_snapshot!(fixture.run(IMPORT).whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Excluded (1)  API "https://⟨tenant⟩/api/v2/"
    (--verbose shows all of it, with the reasons)
    ⟨tenant⟩ is each tenant's own domain.

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(fixture.prod("/resource-servers"), before);
}

#[test]
fn a_list_shorter_than_its_total_stops_a_run_before_it_writes() {
    let mut target = prod();
    target["data"]["/clients"].as_array_mut().expect("a list").push(client(
        "prodDesk00000000000000000000000a",
        "Desk",
        "https://desk.acme.example",
    ));
    let fixture = Fixture::new(dev(), target, "short@1x*");
    assert_snapshot!(fixture.run(IMPORT).whole(), @r#"
    exit 1
    error: cannot read clients of "prod"
    cause: the tenant lists 1 of 2 clients
    state: nothing was written
    "#);
    // As a source, too, it stops a run: resources missing from its list are not deleted.
    let said = fixture.run("import --tenant dev --from prod --prune --allow deletes,lockout-risk,weaker-protection --yes --quiet");
    assert!(said.code == 1 && said.err.contains("the tenant lists 1 of 2 clients"), "{}", said.whole());
    assert_eq!(fixture.writes(), []);
}

#[test]
fn an_empty_list_of_the_source_deletes_nothing() {
    let fixture = Fixture::small();
    assert_eq!(fixture.run(IMPORT).code, 0);
    for id in ["devShop000000000000000000000000a", "devTill000000000000000000000000a"] {
        let gone = fixture.run(&format!("api delete clients/{id} --tenant dev --yes --quiet"));
        assert_eq!(gone.code, 0, "{}", gone.whole());
    }
    assert_snapshot!(fixture.run("import --tenant prod --prune --allow deletes,lockout-risk,weaker-protection --yes --quiet").whole(), @r#"
    exit 3
    prod is up to date with dev, except for what is skipped: 2 resources unchanged.
    Nothing to do.

    Skipped (2)
      client "Shop": it is gone from dev, but the source lists no clients at all: the token may not read them; if they were deleted there, delete this one manually
      client "Till": it is gone from dev, but the source lists no clients at all: the token may not read them; if they were deleted there, delete this one manually
    "#);
    assert_eq!(fixture.prod("/clients").as_array().map(Vec::len), Some(2));
}

#[test]
fn a_dangling_reference_is_skipped_and_reported() {
    let mut source = dev();
    source["data"]["/client-grants"] =
        json!([{"id": "cgr_devTill000000001", "client_id": "devTill000000000000000000000000a", "audience": "https://orders", "scope": []}]);
    let fixture = Fixture::new(source, prod(), "");
    assert_snapshot!(fixture.run(IMPORT).whole(), @r#"
    exit 3
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged
      about 2 requests to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Skipped (1)
      grant "Till · https://orders · client": it refers to resource-servers "https://orders", which the source does not have

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Approved: lockout-risk: 1 resource
    Applied 2 changes to prod in TIME.

    Skipped
      grant "Till · https://orders · client": it refers to resource-servers "https://orders", which the source does not have

    Manual steps
      1. client "Till": the target generated a new client_secret; give it to the services that need it: `migrate api get 'clients/ID?fields=client_secret' --tenant prod` prints it (needs the scope read:client_keys)

    The run's files are in ./runs/TIME-prod
    "#);
    assert_eq!(fixture.prod("/client-grants").as_array().map_or(0, Vec::len), 0);
}

#[test]
fn excluded_resources_are_never_linked() {
    let id_of = |tenant: &str, name: &str| format!("{tenant}{}000000000000000000000", name.replace(' ', ""));
    let (mut source, mut target) = (dev(), prod());
    for (tenant, state) in [("dev", &mut source), ("prd", &mut target)] {
        let clients = state["data"]["/clients"].as_array_mut().expect("a list");
        clients.push(client(&id_of(tenant, "Break glass"), "Break glass", "https://acme.example"));
        clients.push(client("tool", "Deployer", "https://acme.example"));
        state["data"]["/resource-servers"] = json!([
            {"id": format!("{tenant}Own"), "identifier": "https://own/api/v2/", "name": "Own", "is_system": tenant == "prd"},
        ]);
    }
    let fixture = Fixture::new(source, target, "");
    fixture.configure("protected = [\"clients/Break glass*\"]\n");
    let linked = |line: &str| fixture.run(&format!("link {line} --tenant prod --quiet")).refused();
    let shop = "devShop000000000000000000000000a";
    assert_snapshot!(linked(&format!("clients {shop} {}", id_of("prd", "Break glass"))), @r#"
    exit 4
    error: client "Break glass" is not changed: it is protected in migrate.toml
    "#);
    assert_snapshot!(linked(&format!("clients {shop} tool")), @r#"
    exit 4
    error: client "Deployer" is not changed: migrate itself signs in with it
    "#);
    assert_snapshot!(linked("resource-servers devOwn prdOwn"), @r#"
    exit 4
    error: API "https://own/api/v2/" is not changed: it is the tenant's own API
    "#);
    assert_eq!(fixture.in_folder("state"), [""; 0]);
}

#[test]
fn protected_resources_are_not_updated_by_id_either() {
    let fixture = with_clients(&["Break glass"], |tenant, name| format!("{tenant}{}000000000000000000000", name.replace(' ', "")));
    fixture.configure("protected = [\"clients/Break glass*\"]\n");
    fixture.write("client.json", r#"{"description": "edited"}"#);
    let line = "update clients prdBreakglass000000000000000000000 client.json --tenant prod --yes";
    assert_snapshot!(refused(&fixture, line), @r#"
    exit 4
    error: client "Break glass" is not changed: it is protected in migrate.toml
    state: nothing was written
    "#);
}
