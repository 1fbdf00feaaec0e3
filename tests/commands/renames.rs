//! Names that become free or are swapped: in one run, in a saved plan, and in an undo.

use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";
const NAMES: [&str; 3] = ["Editor", "Publisher", "Viewer"];

fn tenant(mut state: Value, side: &str, names: &[&str]) -> Value {
    let role =
        |(at, name): (usize, &&str)| json!({"id": format!("rol_{side}Role00000000{at}"), "name": name, "description": format!("{at}")});
    state["data"]["/roles"] = names.iter().enumerate().map(role).collect();
    state
}

/// Two tenants with these roles, after one import.
fn imported() -> Fixture {
    let fixture = Fixture::new(tenant(dev(), "dev", &NAMES), tenant(prod(), "prod", &NAMES), "");
    done(&fixture.run(IMPORT));
    fixture
}

fn done(said: &CommandOutput) {
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// Renames roles of dev, by index.
fn rename(fixture: &Fixture, names: &[(usize, &str)]) {
    for (at, name) in names {
        fixture.write("fields.json", &json!({"name": name}).to_string());
        done(&fixture.run(&format!("api patch roles/rol_devRole00000000{at} --data fields.json --tenant dev --yes --quiet")));
    }
}

fn roles(fixture: &Fixture) -> Vec<(String, String)> {
    let text = |role: &Value, field: &str| role[field].as_str().unwrap_or_default().to_owned();
    let mut roles: Vec<_> =
        fixture.prod("/roles").as_array().expect("a list").iter().map(|role| (text(role, "id"), text(role, "name"))).collect();
    roles.sort();
    roles
}

fn expected(names: [&str; 3]) -> Vec<(String, String)> {
    names.iter().enumerate().map(|(at, name)| (format!("rol_prodRole00000000{at}"), (*name).to_owned())).collect()
}

/// Rotates the names of three roles in dev; the first gets a temporary name meanwhile.
fn turn(fixture: &Fixture) {
    rename(fixture, &[(0, "Somebody"), (2, NAMES[0]), (1, NAMES[2]), (0, NAMES[1])]);
}

#[test]
fn swapped_names_are_shown_written_and_undone() {
    let fixture = imported();
    turn(&fixture);
    insta::assert_snapshot!(fixture.run("plan --tenant prod --quiet").whole(), @r#"
    exit 0
    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 4 routine
      resources: 0 to create, 4 to update, 7 unchanged
      about 4 requests to apply

    Roles   4 to update
      ~ "Editor"     name  Viewer → Viewer-2
      ~ "Viewer"     name  Publisher → Viewer
      ~ "Publisher"  name  Editor → Publisher
      ~ "Editor"     name  Viewer-2 → Editor

    migrate import --tenant prod --from dev
    "#);
    done(&fixture.run(IMPORT));
    assert_eq!(roles(&fixture), expected([NAMES[1], NAMES[2], NAMES[0]]));
    assert!(fixture.run(IMPORT).out.contains("Nothing to do."));
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    done(&fixture.run(&format!("undo {run} --yes --quiet --allow lockout-risk,weaker-protection,many-changes")));
    assert_eq!(roles(&fixture), expected(NAMES));
}

#[test]
fn names_swapped_by_a_saved_plan_do_not_make_it_stale() {
    let fixture = imported();
    turn(&fixture);
    done(&fixture.run("plan --tenant prod --out plan.json --quiet"));
    done(&fixture.run("import --tenant prod --plan plan.json --yes --quiet"));
    assert_eq!(roles(&fixture), expected([NAMES[1], NAMES[2], NAMES[0]]));
}

#[test]
fn a_role_changed_since_a_plan_was_saved_is_refused_and_the_others_are_renamed() {
    let mut fixture = imported();
    rename(&fixture, &[(1, "Publisher of all"), (0, "Publisher")]);
    done(&fixture.run("plan --tenant prod --out plan.json --quiet"));
    fixture.change_prod(|held| held["/roles"][1]["name"] = json!("Theirs"));
    let said = fixture.run("import --tenant prod --plan plan.json --yes --quiet");
    assert!(said.code == 3 && said.out.contains("its name changed in the target since the plan"), "{}", said.whole());
    assert_eq!(roles(&fixture), expected(["Publisher", "Theirs", "Viewer"]));
}

#[test]
fn a_renamed_client_that_others_refer_to_does_not_make_a_saved_plan_stale() {
    let with_grant = |mut state: Value, side: &str| {
        let shop = state["data"]["/clients"][0]["client_id"].clone();
        state["data"]["/resource-servers"] =
            json!([{"id": format!("{side}Orders00000000000000"), "identifier": "https://orders", "name": "Orders"}]);
        state["data"]["/client-grants"] =
            json!([{"id": format!("cgr_{side}Shop00000000"), "client_id": shop, "audience": "https://orders", "scope": []}]);
        state
    };
    let fixture = Fixture::new(with_grant(dev(), "dev"), with_grant(prod(), "prod"), "");
    done(&fixture.run(IMPORT));
    fixture.write("fields.json", &json!({"name": "Shop of 2026"}).to_string());
    done(&fixture.run("api patch clients/devShop000000000000000000000000a --data fields.json --tenant dev --yes --quiet"));
    let new = client("devNew00000000000000000000000000", "Shop", "https://new.acme.example/back");
    fixture.write("new.json", &json!({"name": new["name"], "callbacks": new["callbacks"]}).to_string());
    done(&fixture.run("api post clients --data new.json --tenant dev --yes --quiet"));
    done(&fixture.run("plan --tenant prod --out plan.json --quiet"));
    let said = fixture.run("import --tenant prod --plan plan.json --yes --quiet");
    done(&said);
    let names: Vec<Value> = fixture.prod("/clients").as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Shop of 2026", "Till", "Shop"]);
    assert!(fixture.run(IMPORT).out.contains("Nothing to do."));
}

#[test]
fn a_saved_plan_links_equal_resources_so_that_a_later_rename_is_recognised() {
    let mut target = dev();
    target["tenant"] = "acme-prod".into();
    target["domain"] = "acme-prod.eu.auth0.com".into();
    let all = target["data"]["/clients"].as_array_mut().expect("a list");
    for client in all.iter_mut() {
        let id = client["client_id"].as_str().expect("an id").replace("dev", "prd");
        client["client_id"] = id.into();
    }
    all[0]["description"] = "as it was".into();
    let fixture = Fixture::new(dev(), target, "");
    for (name, then) in [("Till", "Till of 2026"), ("Till of 2026", "Till")] {
        let planned = fixture.run("plan --tenant prod --out plan.json --quiet");
        assert_eq!(planned.code, 0, "{}", planned.whole());
        let said = fixture.run("import --tenant prod --plan plan.json --yes --quiet --allow lockout-risk,weaker-protection,many-changes");
        assert_eq!(said.code, 0, "{}", said.whole());
        let named = |name: &str| fixture.prod("/clients").as_array().expect("a list").iter().filter(|one| one["name"] == name).count();
        assert_eq!((named(name), named(then)), (1, 0));
        fixture.write("renamed.json", &format!("{{\"name\": \"{then}\"}}"));
        let said = fixture.run("api patch clients/devTill000000000000000000000000a --tenant dev --data renamed.json --yes --quiet");
        assert_eq!(said.code, 0, "{}", said.whole());
    }
}
