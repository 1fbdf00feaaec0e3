//! Past runs: listed, shown, and undone.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, dev, prod};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes,deletes --yes --quiet";
const ALL: &str = "--allow deletes,lockout-risk,weaker-protection,many-changes --yes";

/// Imports dev into prod; returns the run's name.
fn imported(fixture: &Fixture) -> String {
    let said = fixture.run(IMPORT);
    assert!([0, 3].contains(&said.code), "{}", said.whole());
    newest(fixture)
}

/// Returns the name of the newest run.
fn newest(fixture: &Fixture) -> String {
    fixture.in_folder("runs").into_iter().max().expect("a run")
}

fn undone(fixture: &Fixture, run: &str, more: &str) -> CommandOutput {
    fixture.run(format!("undo {run} {more} --quiet").as_str())
}

/// Returns the state of a tenant without meaningless differences: the order of sets, blanks, and ids that a new
/// resource gets.
fn meaning(held: &Value) -> Value {
    match held {
        Value::Object(fields) => {
            let said = fields.iter().map(|(name, value)| (name.clone(), meaning(value)));
            let said = said
                .filter(|(_, value)| !matches!(value, Value::Null) && *value != json!([]) && *value != json!({}) && *value != json!(""));
            Value::Object(said.filter(|(name, _)| !["updated_at", "created_at"].contains(&name.as_str())).collect())
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(meaning).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        other => other.clone(),
    }
}

/// Returns the paths at which two tenants differ, with both values.
fn differences(one: &Value, other: &Value) -> BTreeMap<String, (Value, Value)> {
    let (Value::Object(one), Value::Object(other)) = (meaning(one), meaning(other)) else { panic!("two objects") };
    let names = one.keys().chain(other.keys());
    let of = |side: &serde_json::Map<String, Value>, name: &str| side.get(name).cloned().unwrap_or_default();
    let all = names.map(|name| (name.clone(), (of(&one, name), of(&other, name))));
    all.filter(|(_, (one, other))| one != other).collect()
}

#[test]
fn an_undo_after_an_import_restores_the_previous_state() {
    let mut fixture = Fixture::acme("");
    let before = fixture.all_of_prod();
    // A sent secret cannot be reverted; this one equals the one that prod had.
    let google = before["/connections"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "google-oauth2"));
    fixture.set("PROD_GOOGLE_SECRET", google.and_then(|one| one["options"]["client_secret"].as_str()).expect("a secret"));
    let run = imported(&fixture);
    let imported = differences(&before, &fixture.all_of_prod());
    assert!(imported.len() > 10, "the import changed many kinds: {:?}", imported.keys());
    let said = undone(&fixture, &run, ALL);
    assert_eq!(said.code, 3, "{}", said.whole());
    let template = "email template \"welcome_email\": the API cannot delete it; the values that the run wrote are cleared";
    let secret = "connection \"google-oauth2\", options.client_secret: the run sent a secret, and the previous secret cannot be read";
    assert!(said.out.contains(&format!("Skipped\n  {secret}\n  {template}\n\n")), "{}", said.out);
    let cleared = (Value::Null, json!({"template": "welcome_email"}));
    assert_eq!(differences(&before, &fixture.all_of_prod()), BTreeMap::from([("/email-templates/welcome_email".to_owned(), cleared)]));
    let base: Value = serde_json::from_str(&fixture.read("state/dev/prod/baseline.json")).expect("JSON");
    let links = fixture.read("state/dev/prod/links.csv");
    let forgotten = |key: &str| base["resources"].get(key).is_none();
    assert!(forgotten("clients/acmectl") && !forgotten("clients/Billing"), "{base:#}");
    assert!(!links.contains("acmectl") && links.contains("Billing"), "{links}");
}

#[test]
fn an_undo_can_be_undone_and_an_import_after_it_has_nothing_to_do() {
    let fixture = Fixture::acme("");
    let run = imported(&fixture);
    let after = fixture.all_of_prod();
    undone(&fixture, &run, ALL);
    let undo = newest(&fixture);
    assert_ne!(undo, run);
    let said = undone(&fixture, &undo, ALL);
    let of_users = "role \"Driver\": the run also deleted its assignment to users and groups, which cannot be restored";
    assert!(said.code == 3 && said.out.contains(of_users), "{}", said.whole());
    assert_eq!(counts(&fixture.all_of_prod()), counts(&after));
    let again = fixture.run("plan --tenant prod --quiet --output json").json();
    assert_eq!(again["changes"], json!([]), "{again:#}");
}

#[test]
fn created_resources_are_deleted_only_if_approved() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let held = fixture.all_of_prod();
    let said = undone(&fixture, &run, "--allow lockout-risk,weaker-protection --yes");
    assert_snapshot!(said.refused(), @"
    exit 4
    error: the plan was refused
    cause: deletes: 1 resource would be deleted: clients/Till
    hint:  if this is intended, run it with --allow deletes,lockout-risk,weaker-protection
    state: nothing was written
    ");
    assert_eq!(fixture.all_of_prod(), held);
    assert_eq!(undone(&fixture, &run, "--allow lockout-risk,weaker-protection,deletes --yes").code, 0);
    assert_eq!(names(&fixture), ["Shop"]);
}

#[test]
fn values_changed_since_are_kept_and_reported() {
    let mut fixture = Fixture::small();
    let run = imported(&fixture);
    fixture.change_prod(|held| {
        held["/clients"][0]["callbacks"] = json!(["https://shop.acme.example/hot-fix"]);
        held["/clients"][1]["description"] = json!("by hand");
        held["/clients"][1]["callbacks"] = json!(["https://till.acme.example/hot-fix"]);
    });
    let held = fixture.all_of_prod();
    assert_snapshot!(undone(&fixture, &run, "--allow lockout-risk,weaker-protection,deletes --yes").whole(), @r#"
    exit 3
    prod no longer has anything that TIME-prod wrote, except for what is skipped.
    Nothing to do.

    Skipped (2)
      client "Till": the run created it, but its callbacks changed afterwards
      client "Shop", callbacks: it has changed since the run

    Notes (1)
      who changed prod since the run is not known: the tenant's log is empty
    "#);
    assert_eq!(fixture.all_of_prod(), held);
}

#[test]
fn a_resource_that_others_depend_on_by_now_is_not_deleted() {
    let mut fixture = Fixture::small();
    let run = imported(&fixture);
    fixture.change_prod(|held| {
        let till = held["/clients"][1]["client_id"].clone();
        held["/resource-servers"] =
            json!([{"id": "prdApi", "identifier": "https://api", "name": "API", "scopes": [{"value": "read:all"}]}]);
        held["/client-grants"] = json!([{"id": "cgr_own", "client_id": till, "audience": "https://api", "scope": ["read:all"]}]);
    });
    assert_snapshot!(undone(&fixture, &run, "--only clients/Till --allow deletes --yes").whole(), @r#"
    exit 3
    prod no longer has anything that TIME-prod wrote to clients/Till, except for what is skipped.
    Nothing to do.

    Skipped (1)
      client "Till": client-grants/Till · https://api · client still refers to it
    "#);
    assert_eq!(names(&fixture), ["Shop", "Till"]);
}

#[test]
fn an_undo_does_not_reorder_what_the_run_did_not_change() {
    let mut target = prod();
    let mut desk = crate::support::fixture::client("prodDesk00000000000000000000000a", "Desk", "https://desk.acme.example");
    desk["allowed_clients"] = json!(["goneLongAgo00000000000000000000a"]);
    target["data"]["/clients"].as_array_mut().expect("a list").push(desk.clone());
    let fixture = Fixture::new(dev(), target, "");
    let run = imported(&fixture);
    let said = undone(&fixture, &run, ALL);
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(fixture.prod("/clients")[1], desk);
}

#[test]
fn only_selected_resources_are_undone_and_a_dry_run_writes_nothing() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let writes = fixture.writes().len();
    assert_snapshot!(undone(&fixture, &run, "--only clients/Shop --allow lockout-risk,weaker-protection --dry-run").whole(), @r#"
    exit 0
    Plan  undo of TIME-prod → prod
      source    acme-prod.eu.auth0.com  read just now
      target    acme-prod.eu.auth0.com  read just now
      selected  only clients/Shop

      edits by risk: 1 lockout
      resources: 0 to create, 1 to update, 2 unchanged
      about 1 request to apply

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/back  … 1 more

    Applications (clients)   1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/back  + https://shop.acme.example/old

    Notes (1)
      dev still has what this undo takes back: change it there too, or the next import applies it again

    migrate undo TIME-prod --only clients/Shop --allow lockout-risk,weaker-protection
    "#);
    assert_eq!(fixture.writes().len(), writes);
    assert_snapshot!(undone(&fixture, &run, "--only roles/* --dry-run").refused(), @"
    exit 64
    error: the run changed nothing that matches roles/*
    hint:  `migrate show TIME-prod` lists what it changed
    state: nothing was written
    ");
}

#[test]
fn an_interrupted_run_is_refused_with_the_command_that_resumes_it() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let journal = format!("runs/{run}/journal.jsonl");
    let lines: Vec<String> = fixture.read(&journal).lines().take(3).map(|line| format!("{line}\n")).collect();
    fixture.write(&journal, &lines.concat());
    assert_snapshot!(undone(&fixture, &run, "--yes").refused(), @r#"
    exit 64
    error: the run "TIME-prod" was interrupted; applied 0 of 2 changes; 2 with unknown outcome
    hint:  resume it first:  migrate import --tenant prod --resume TIME-prod
    state: this undo wrote nothing
    "#);
    assert_snapshot!(fixture.run("runs").out, @"
    run                            from  to    applied  failed  left
    TIME-prod  dev   prod        0       0     2  interrupted

    To resume TIME-prod:  migrate import --tenant prod --resume TIME-prod
    ");
}

#[test]
fn an_unresolved_outcome_stays_unknown_until_it_is_resolved() {
    let mut fixture = Fixture::acme("");
    let run = imported(&fixture);
    let whole = fixture.all_of_prod();
    let journal = format!("runs/{run}/journal.jsonl");
    let is_open = |line: &&str| !line.contains("\"applied\"") && !line.contains("\"ended\"");
    let lines: Vec<String> = fixture.read(&journal).lines().filter(is_open).map(|line| format!("{line}\n")).collect();
    fixture.write(&journal, &lines.concat());
    let held = fixture.stop_prod();
    fixture.restart_prod_with(held, "echo@1x*");
    let resumed = fixture.run("import --tenant prod --resume --yes --quiet");
    assert!(resumed.code == 3 && resumed.whole().contains("the target cannot be read"), "{}", resumed.whole());
    let held = fixture.stop_prod();
    fixture.restart_prod(held);
    let refused = undone(&fixture, &run, "--yes");
    assert!(refused.err.contains("resume it first"), "{}", refused.whole());
    let resumed = fixture.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(resumed.code, 0, "{}", resumed.whole());
    assert_eq!(fixture.all_of_prod(), whole);
}

#[test]
fn an_unreadable_later_run_may_be_an_undo_and_stops_one() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    undone(&fixture, &run, ALL);
    let (undo, writes) = (newest(&fixture), fixture.writes().len());
    fixture.edit(&format!("runs/{undo}/plan.json"), "\"undoes\"", "\"undos\"");
    assert_snapshot!(undone(&fixture, &run, ALL).refused(), @r#"
    exit 64
    error: cannot read run "TIME-prod"
    cause: plan "./runs/TIME-prod/plan.json" was changed after it was made
    hint:  it may be an undo of the same run; if not, move its folder out of runs/
    state: this undo wrote nothing
    "#);
    assert_eq!(fixture.writes().len(), writes);
    std::fs::rename(fixture.path(&format!("runs/{undo}")), fixture.path("elsewhere")).expect("moved");
    assert_eq!(undone(&fixture, &run, ALL).code, 0);
}

#[test]
fn an_interrupted_undo_resumes_like_any_run() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    undone(&fixture, &run, ALL);
    let (undo, held) = (newest(&fixture), fixture.all_of_prod());
    let journal = format!("runs/{undo}/journal.jsonl");
    let begun: Vec<String> = fixture.read(&journal).lines().take(2).map(|line| format!("{line}\n")).collect();
    fixture.write(&journal, &begun.concat());
    let said = fixture.run("import --tenant prod --resume --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(fixture.all_of_prod(), held);
    assert_eq!(fixture.run("runs --output json").json()["runs"][0]["is_ended"], json!(true));
    assert_eq!((fixture.only_in("state"), fixture.only_in("state/dev")), ("state/dev".to_owned(), "state/dev/prod".to_owned()));
}

#[test]
fn an_unknown_run_is_reported_with_the_nearest() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let typo = run.replace("-prod", "-prud");
    assert_snapshot!(fixture.run(&format!("show {typo}")).refused(), @r#"
    exit 64
    error: no run "TIME-prud" in "./runs"
    hint:  did you mean "TIME-prod"? `migrate runs` lists all runs
    "#);
    let shown = fixture.run(&format!("show {typo}")).refused();
    assert_eq!(undone(&fixture, &typo, "--yes").refused(), format!("{shown}state: nothing was written\n"));
}

#[test]
fn runs_are_listed_newest_first_with_their_results() {
    let fixture = Fixture::small();
    assert_snapshot!(fixture.run("runs").whole(), @"
    exit 0
    No runs yet.
    ");
    let run = imported(&fixture);
    undone(&fixture, &run, "--allow lockout-risk,weaker-protection,deletes --yes");
    assert_snapshot!(fixture.run("runs --tenant prod").whole(), @"
    exit 0
    run                            from    to    applied  failed  left
    TIME-prod  (undo)  prod        2       0     0  complete
    TIME-prod  dev     prod        2       0     0  complete
    ");
    let listed = fixture.run("runs --output json").json();
    let of = |at: usize| (listed["runs"][at]["applied"].clone(), listed["runs"][at]["is_ended"].clone());
    assert_eq!((of(0), of(1), &listed["exit"]), ((json!(2), json!(true)), (json!(2), json!(true)), &json!(0)), "{listed:#}");
    assert_eq!(fixture.run("runs --tenant dev --output json").json()["runs"], json!([]));
}

#[test]
fn formerly_deployed_content_is_deployed_again_and_a_first_deployment_is_reported() {
    let (mut source, mut target) = (dev(), prod());
    source["data"]["/actions/actions"] = json!([action("devRan", "ran", "// new", true), action("devDraft", "draft", "// new", true)]);
    target["data"]["/actions/actions"] = json!([action("prdRan", "ran", "// old", true), action("prdDraft", "draft", "// old", false)]);
    let fixture = Fixture::new(source, target, "");
    let held = |of: usize| {
        let held = fixture.prod("/actions/actions")[of].clone();
        (held["code"].clone(), held["all_changes_deployed"].clone(), held["deployed_version"]["code"].clone())
    };
    let run = imported(&fixture);
    assert_eq!((held(0).0, held(1).0), (json!("// new"), json!("// new")));
    let said = undone(&fixture, &run, &format!("--only actions/* {ALL}"));
    assert_eq!(said.code, 3, "{}", said.whole());
    let named = "action \"draft\", deploy: it took effect for the first time, which the API cannot undo";
    assert!(said.out.contains(named), "{}", said.out);
    assert_eq!(held(0), (json!("// old"), json!(true), json!("// old")));
    assert_eq!(held(1), (json!("// old"), json!(false), json!("// new")));
}

/// Returns an action whose code is a draft or deployed.
fn action(id: &str, name: &str, code: &str, is_deployed: bool) -> Value {
    let mut action = json!({"id": id, "name": name, "code": code, "status": "built", "all_changes_deployed": is_deployed, "runtime": "node22",
        "dependencies": [], "secrets": [], "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    if is_deployed {
        action["deployed_version"] = json!({"code": code, "runtime": "node22", "dependencies": [], "secrets": []});
    }
    action
}

#[test]
fn all_edits_of_one_update_are_undone() {
    let fixture = Fixture::small();
    let held = fixture.all_of_prod();
    fixture.write("client.json", r#"{"description": "edited", "callbacks": []}"#);
    let said = fixture.run("update clients Shop client.json --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_ne!(fixture.all_of_prod(), held);
    assert_eq!(undone(&fixture, &newest(&fixture), "--allow lockout-risk,weaker-protection --yes").code, 0);
    assert_eq!(differences(&held, &fixture.all_of_prod()), BTreeMap::new());
    assert!(fixture.in_folder("state").is_empty());
}

#[test]
fn a_run_is_shown_from_its_own_files_alone() {
    let mut fixture = Fixture::new(dev(), prod(), "echo@w1x*");
    let run = imported(&fixture);
    fixture.stop_prod();
    assert_snapshot!(fixture.run(&format!("show {run}")).whole(), @r#"
    exit 0
    Started TIME. Plan of this run:

    Plan  dev → prod
      source  acme-dev.eu.auth0.com   read just now
      target  acme-prod.eu.auth0.com  read just now

      edits by risk: 1 lockout · 1 widened
      resources: 1 to create, 1 to update, 2 unchanged

    Review first
      LOCKOUT may lock someone out
      LOCKOUT  client "Shop"  callbacks  - https://shop.acme.example/old  … 1 more

    Applications (clients)   1 to create, 1 to update
      ~ "Shop"  callbacks  - https://shop.acme.example/old  + https://shop.acme.example/back
      + "Till"  regular_web   callbacks  https://till.acme.example/back

    Manual steps (1)
      1. client "Till": the target generates a new client_secret; give it to the services that use this client

    Result

    Applied 0 of 2 changes to prod; 2 failed.

    Failed
      update client "Shop": the tenant answered 400 invalid_body: Payload validation error: 'Object didn't pass validation for format json: Bearer (redacted) {"callbacks":["https://shop.acme.example/back"]}'.
      create client "Till": the tenant answered 400 invalid_body: Payload validation error: 'Object didn't pass validation for format json: Bearer (redacted) {"app_type":"regular_web","callbacks":["https://till.acme.example/back"],"is_first_party":true,"name":"Till"}'.

    The run's files are in ./runs/TIME-prod
    "#);
    let shown = fixture.run(&format!("show {run} --output json")).json();
    let changes = shown["changes"].as_array().expect("a list").iter();
    let outcomes: Vec<&str> = changes.map(|one| one["outcome"].as_str().expect("a word")).collect();
    assert_eq!((outcomes, shown["plan"]["changes"].as_array().map(Vec::len)), (vec!["failed", "failed"], Some(2)), "{shown:#}");
}

/// Returns the names of prod's clients.
fn names(fixture: &Fixture) -> Vec<String> {
    let clients = fixture.prod("/clients");
    let names = clients.as_array().expect("a list").iter().map(|client| client["name"].as_str().expect("a name").to_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Returns the number of resources in a tenant by path, without ids.
fn counts(held: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (path, value) in held.as_object().expect("an object") {
        let shape: String = path.split('/').enumerate().map(|(at, step)| if at == 2 { "*/" } else { step }).collect();
        *counts.entry(shape).or_default() += value.as_array().map_or(1, Vec::len);
    }
    counts
}

#[test]
fn manual_changes_beside_undone_ones_remain_drift() {
    let mut fixture = Fixture::small();
    let edit_dev = |fixture: &Fixture, fields: Value| {
        fixture.write("fields.json", &fields.to_string());
        let edited = fixture.run("update clients Shop fields.json --tenant dev --allow lockout-risk,weaker-protection --yes --quiet");
        assert_eq!(edited.code, 0, "{}", edited.whole());
    };
    edit_dev(&fixture, json!({"description": "the shop", "logo_uri": "https://shop.acme.example/logo"}));
    imported(&fixture);
    edit_dev(&fixture, json!({"logo_uri": "https://shop.acme.example/bad"}));
    let run = imported(&fixture);
    fixture.change_prod(|data| data["/clients"][0]["description"] = json!("by hand"));
    let undone = fixture.run(&format!("undo {run} {ALL}"));
    assert!(undone.out.contains("dev still has what this undo takes back"), "{}", undone.whole());
    let drift = fixture.run("drift --tenant prod").out;
    assert!(drift.contains("description") && !drift.contains("logo_uri"), "{drift}");
    imported(&fixture);
    let shop = &fixture.prod("/clients")[0];
    assert_eq!((&shop["description"], &shop["logo_uri"]), (&json!("by hand"), &json!("https://shop.acme.example/bad")));
}

#[test]
fn a_finished_run_is_not_resumed() {
    let fixture = Fixture::small();
    let run = imported(&fixture);
    let journal = fixture.read(&format!("runs/{run}/journal.jsonl"));
    assert_snapshot!(fixture.run(&format!("import --tenant prod --resume {run} --yes")).refused(), @r#"
    exit 64
    error: run "TIME-prod" has already finished
    hint:  run `migrate import` to plan again; `migrate runs` lists all runs
    state: nothing was written
    "#);
    assert_eq!(fixture.read(&format!("runs/{run}/journal.jsonl")), journal);
}
