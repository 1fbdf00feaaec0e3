//! A tenant's own snapshot, restored.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::diff::without_ages;
use crate::support::fixture::{CommandOutput, Fixture, client};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes,deletes --yes --quiet";
const ALL: &str = "--allow deletes,lockout-risk,weaker-protection,many-changes --yes --quiet";

fn done(said: &CommandOutput) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// Returns the name of the newest run.
fn newest_run(fixture: &Fixture) -> String {
    fixture.in_folder("runs").into_iter().max().expect("a run")
}

/// Imports what dev has; returns the run's name.
fn imported(fixture: &Fixture) -> String {
    done(&fixture.run(IMPORT));
    newest_run(fixture)
}

#[test]
fn a_tenant_is_restored_to_what_it_was_before_a_run() {
    let fixture = Fixture::acme("");
    done(&fixture.run("export --tenant prod --out before --quiet"));
    let run = imported(&fixture);
    assert_eq!(fixture.run("diff ./before prod --quiet").code, 2);
    let said = fixture.run(&format!("restore --tenant prod --from prod@{run} --prune {ALL}"));
    done(&said);
    let left = fixture.run("diff ./before prod --output json").json();
    let keys: Vec<&Value> = left["changes"].as_array().expect("a list").iter().map(|change| &change["key"]).collect();
    // No request removes an email template.
    assert_eq!(keys, [&json!("email-templates/welcome_email")], "{left:#}");
    let again = fixture.run(&format!("restore --tenant prod --from prod@{run} --prune --dry-run"));
    assert!([0, 3].contains(&again.code) && again.out.contains("Nothing to do"), "{}", again.whole());
}

#[test]
fn an_update_of_one_resource_keeps_a_snapshot_of_its_kind() {
    let fixture = Fixture::small();
    fixture.write("client.json", r#"{"callbacks": ["https://shop.acme.example/new"]}"#);
    done(&fixture.run(&format!("update clients Shop client.json --tenant prod {ALL}")));
    let run = newest_run(&fixture);
    let said = fixture.run(&format!("restore --tenant prod --from prod@{run} {ALL}"));
    done(&said);
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/old"]));
}

#[test]
fn a_restore_is_planned_like_an_import_and_guarded_like_one() {
    let mut fixture = Fixture::small();
    let run = imported(&fixture);
    fixture.change_prod(|held| held["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/new"]));
    let writes = fixture.writes().len();
    let said = fixture.run(&format!("restore --tenant prod --from prod@{run} --dry-run --quiet"));
    assert_snapshot!(without_ages(&said.whole()), @r#"
    exit 4
    Plan  prod@TIME → prod
      source  acme-prod.eu.auth0.com  snapshot prod@TIME, AGE old
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 2 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/new  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/new  + https://shop.acme.example/old

    Unmanaged in prod, not deleted (1)
      clients (1): Till

    Notes (1)
      the next import from dev treats restored values as drift and keeps them, and creates deleted resources again: make the same changes in dev

    Refused until approved:
      lockout-risk: 1 resource

    To approve what you have reviewed:
      migrate restore --tenant prod --from prod@TIME --allow lockout-risk:clients/Shop
    "#);
    let said = fixture.run(&format!("restore --tenant prod --from prod@{run} --yes"));
    assert_eq!(said.code, 4, "{}", said.whole());
    assert_eq!(fixture.writes().len(), writes, "nothing is written");
    done(&fixture.run(&format!("restore --tenant prod --from prod@{run} --out plan.json")));
    done(&fixture.run("import --tenant prod --plan plan.json --allow lockout-risk --yes --quiet"));
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/old"]));
    let clients = fixture.prod("/clients");
    assert_eq!(clients.as_array().map(Vec::len), Some(2), "what was created since stays: {clients:#}");
    assert!(fixture.run("runs").out.contains("prod@TIME"), "{}", fixture.run("runs").out);
}

#[test]
fn what_was_deleted_is_created_again_and_its_link_goes_with_it() {
    let mut fixture = Fixture::small();
    imported(&fixture);
    done(&fixture.run("export --tenant prod --quiet"));
    fixture.change_prod(|held| {
        held["/clients"].as_array_mut().expect("clients").retain(|one| one["name"] != "Shop");
    });
    assert!(fixture.run("plan --tenant prod").out.contains("Skipped"), "what it is linked to is gone");
    let said = fixture.run(&format!("restore --tenant prod --from prod@latest {ALL}"));
    assert!(said.out.contains("client_secret"), "a new secret is a manual step: {}", said.whole());
    done(&said);
    let clients = fixture.prod("/clients");
    let shop = clients.as_array().expect("clients").iter().find(|one| one["name"] == "Shop").expect("it is there again");
    let links = fixture.read("state/dev/prod/links.csv");
    assert!(links.contains(shop["client_id"].as_str().expect("an id")) && !links.contains("prodShop000"), "{links}");
    let said = fixture.run("plan --tenant prod --check");
    assert!(said.code == 0 && said.out.contains("Nothing to do"), "{}", said.whole());
}

#[test]
fn what_is_restored_is_drift_for_the_next_import_which_keeps_it() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let base = fixture.read("state/dev/prod/baseline.json");
    let said = fixture.run(&format!("restore --tenant prod --from prod@{run} --only clients/Shop --dry-run --allow lockout-risk"));
    assert!(said.out.contains("the next import from dev treats restored values as drift and keeps them"), "{}", said.whole());
    done(&fixture.run(&format!("restore --tenant prod --from prod@{run} --only clients/Shop {ALL}")));
    assert_eq!(fixture.read("state/dev/prod/baseline.json"), base);
    let said = fixture.run(IMPORT);
    done(&said);
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/old"]));
    done(&fixture.run(&format!("{IMPORT} --drift overwrite")));
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/back"]));
}

#[test]
fn what_was_created_since_keeps_its_place_unless_it_is_deleted() {
    let mut fixture = Fixture::small();
    fixture.change_prod(|held| {
        held["/connections"] = json!([{"id": "con_prodUsers0000001", "name": "users", "strategy": "auth0", "options": {}}]);
        held["/connections/con_prodUsers0000001/clients"] = json!([{"client_id": "prodShop00000000000000000000000a"}]);
    });
    done(&fixture.run("export --tenant prod --quiet"));
    // The run of a restore keeps a snapshot itself, which is the newest then.
    let from = format!("./{}", fixture.only_in("snapshots/prod"));
    fixture.change_prod(|held| {
        let late = client("prodLate000000000000000000000000", "Late", "https://late.acme.example/back");
        held["/clients"].as_array_mut().expect("clients").push(late);
        held["/connections/con_prodUsers0000001/clients"] = json!([{"client_id": "prodLate000000000000000000000000"}]);
    });
    done(&fixture.run(&format!("restore --tenant prod --from {from} {ALL}")));
    let enabled = |fixture: &Fixture| {
        let list = fixture.prod("/connections/con_prodUsers0000001/clients");
        let mut ids: Vec<String> = list.as_array().expect("a list").iter().map(|one| one["client_id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(enabled(&fixture), ["\"prodLate000000000000000000000000\"", "\"prodShop00000000000000000000000a\""]);
    done(&fixture.run(&format!("restore --tenant prod --from {from} --prune {ALL}")));
    assert_eq!(enabled(&fixture), ["\"prodShop00000000000000000000000a\""]);
}

#[test]
fn what_was_created_since_is_named_and_not_touched() {
    let mut fixture = Fixture::small();
    done(&fixture.run("export --tenant prod --quiet"));
    let from = format!("./{}", fixture.only_in("snapshots/prod"));
    fixture.change_prod(|held| {
        let late = client("prodLate000000000000000000000000", "Late", "https://late.acme.example/back");
        held["/clients"].as_array_mut().expect("clients").push(late);
        held["/roles"] = json!([{"id": "rol_prodNight000000", "name": "Night shift", "description": "New"}]);
    });
    let said = fixture.run(&format!("restore --tenant prod --from {from} --dry-run --output json")).json();
    let named = json!({"clients": ["clients/Late"], "roles": ["roles/Night shift"], "role-permissions": ["role-permissions/Night shift"]});
    assert_eq!(said["unmanaged"], named, "{said:#}");
    assert_snapshot!(fixture.run(&format!("restore --tenant prod --from {from} --dry-run")).out, @r"
    prod is equal to prod@TIME: 3 resources unchanged.
    Nothing to do.

    Unmanaged in prod, not deleted (3)
      clients (1): Late
      role-permissions (1): Night shift
      roles (1): Night shift
    ");
    assert_snapshot!(fixture.run(&format!("restore --tenant prod --from {from} --dry-run --verbose")).out, @r"
    prod is equal to prod@TIME: 3 resources unchanged.
    Nothing to do.

    Unmanaged in prod, not deleted
      clients (1): Late
      role-permissions (1): Night shift
      roles (1): Night shift
    ");
    fixture.change_prod(|held| held["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/new"]));
    let (clients, roles) = (fixture.prod("/clients"), fixture.prod("/roles"));
    let said = fixture.run(&format!("restore --tenant prod --from {from} {ALL}"));
    done(&said);
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], json!(["https://shop.acme.example/old"]));
    assert_eq!((&fixture.prod("/clients")[1], fixture.prod("/roles")), (&clients[1], roles), "what was created since is not written to");
    let said = fixture.run(&format!("restore --tenant prod --from {from} --prune --dry-run --output json")).json();
    let changes = said["changes"].as_array().expect("a list");
    let deleted: Vec<&Value> = changes.iter().map(|change| &change["key"]).collect();
    // The snapshot has no role at all, so that the token may have lacked the scope: the role is named and stays.
    assert_eq!((deleted, &said["skipped"][0]["key"]), (vec![&json!("clients/Late")], &json!("roles/Night shift")), "{said:#}");
}

#[test]
fn a_restore_is_undone_like_any_run() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let after = fixture.prod("/clients")[0]["callbacks"].clone();
    done(&fixture.run(&format!("restore --tenant prod --from prod@{run} {ALL}")));
    assert_ne!(fixture.prod("/clients")[0]["callbacks"], after);
    let restore = newest_run(&fixture);
    done(&fixture.run(&format!("undo {restore} {ALL}")));
    assert_eq!(fixture.prod("/clients")[0]["callbacks"], after);
}

#[test]
fn a_tenant_is_not_restored_from_itself_or_from_another() {
    let fixture = Fixture::small();
    for tenant in ["dev", "prod"] {
        done(&fixture.run(&format!("export --tenant {tenant} --quiet")));
    }
    assert_snapshot!(fixture.run("restore --tenant prod --from prod --yes").refused(), @r#"
    exit 64
    error: "prod" is a tenant; a restore needs a snapshot
    hint:  name one as prod@latest, prod@DATE or prod@RUN; `migrate snapshots --tenant prod` lists all
    state: nothing was written
    "#);
    assert_snapshot!(fixture.run("restore --tenant prod --from dev@latest --yes").refused(), @r#"
    exit 64
    error: the snapshot is of acme-dev.eu.auth0.com, but "prod" is acme-prod.eu.auth0.com
    hint:  to copy it into another tenant, use `migrate import --tenant prod --from SNAPSHOT`
    state: nothing was written
    "#);
    assert_snapshot!(fixture.run("import --tenant prod --from prod@latest --yes").refused(), @r#"
    exit 4
    error: source "prod" and target "prod" are the same tenant, acme-prod.eu.auth0.com
    hint:  name another source with --from; `migrate restore` restores a tenant's own snapshot
    state: nothing was written
    "#);
}
