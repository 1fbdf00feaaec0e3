//! Selections: with `--kinds`, `--only` and `--exclude`, nothing else is written, read, deleted or recorded.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture, client, dev, prod};

const ALLOW: &str = "--allow lockout-risk,weaker-protection,many-changes,deletes --yes --quiet";
const API: &str = "https://api.acme.example";

/// A source with additional resources: an API, a client with a grant on it, a role with a permission, a connection of
/// the client, and an action that names another client.
fn ahead() -> Value {
    let mut dev = dev();
    let data = &mut dev["data"];
    data["/resource-servers"] =
        json!([{"id": "5f0000000000000000000001", "name": "API", "identifier": API, "scopes": [{"value": "read:all"}]}]);
    data["/client-grants"] = json!([{"id": "cgr_devTill000000001", "client_id": "devTill000000000000000000000000a", "audience": API,
        "scope": ["read:all"], "subject_type": "client"}]);
    data["/roles"] = json!([role("rol_devAuditor000001", "Auditor"), role("rol_devDriver0000001", "Driver")]);
    data["/roles/rol_devAuditor000001/permissions"] = json!([{"resource_server_identifier": API, "permission_name": "read:all"}]);
    data["/connections"] = json!([{"id": "con_devGuest00000001", "name": "Guest", "strategy": "samlp", "options": {}}]);
    data["/connections/con_devGuest00000001/clients"] = json!([{"client_id": "devTill000000000000000000000000a"}]);
    data["/actions/actions"] = json!([{"id": "3f1f2f3f-0000-4000-8000-000000000001", "name": "Gate", "status": "built",
        "all_changes_deployed": true, "runtime": "node22", "dependencies": [], "secrets": [],
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "code": "exports.onExecutePostLogin = (event) => event.client.client_id === 'devShop000000000000000000000000a';"}]);
    dev
}

fn role(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "description": format!("the {name}")})
}

fn fixture() -> Fixture {
    Fixture::new(ahead(), prod(), "")
}

fn done(said: &CommandOutput) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// Returns the keys that a plan changes, and the plan.
fn planned(fixture: &Fixture, flags: &str) -> (Vec<String>, Value) {
    let line = format!("plan --tenant prod {flags} --out plan.json --quiet");
    let said = fixture.run_words(&line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(said.code, 0, "{}", said.whole());
    let plan: Value = serde_json::from_str(&fixture.read("plan.json")).expect("JSON");
    std::fs::remove_file(fixture.path("plan.json")).expect("removed");
    let changes = plan["stages"].as_array().expect("stages").iter().flat_map(|stage| stage["changes"].as_array().expect("changes"));
    let mut keys: Vec<String> = changes.map(|change| change["key"].as_str().expect("a key").to_owned()).collect();
    keys.sort();
    keys.dedup();
    (keys, plan)
}

fn skipped(plan: &Value) -> Vec<String> {
    let left = plan["skipped"].as_array().expect("a list");
    left.iter().map(|left| format!("{}: {}", left["key"].as_str().expect("a key"), left["reason"].as_str().expect("a reason"))).collect()
}

/// Returns the content of prod except at these paths.
fn beside(fixture: &Fixture, paths: &[&str]) -> Value {
    let mut held = fixture.all_of_prod();
    held.as_object_mut().expect("an object").retain(|path, _| !paths.iter().any(|of| path.starts_with(of)));
    held
}

/// Returns the entries of the baseline and of the links for all kinds except one.
fn remembered_beside(fixture: &Fixture, kind: &str) -> (Value, Vec<String>) {
    let mut base: Value = serde_json::from_str(&fixture.read("state/dev/prod/baseline.json")).expect("JSON");
    base["resources"].as_object_mut().expect("an object").retain(|key, _| !key.starts_with(kind));
    let links = fixture.read("state/dev/prod/links.csv");
    (base["resources"].clone(), links.lines().filter(|line| !line.starts_with(kind)).map(str::to_owned).collect())
}

#[test]
fn a_selected_resource_is_planned_with_its_belongings_but_not_with_references_to_it() {
    let fixture = fixture();
    for (flags, expected) in [
        ("--only clients/Till", vec!["clients/Till"]),
        (
            "--kinds roles --exclude roles/Driver --with-dependencies",
            vec!["resource-servers/https://api.acme.example", "role-permissions/Auditor", "roles/Auditor"],
        ),
        ("--only roles/D*", vec!["roles/Driver"]),
        ("--only clients --exclude clients/T*", vec!["clients/Shop"]),
        ("--kinds rules", vec![]),
    ] {
        assert_eq!(planned(&fixture, flags).0, expected, "{flags}");
    }
}

#[test]
fn dependencies_of_a_selection_are_reported_or_included_and_recorded() {
    let fixture = fixture();
    let (keys, plan) = planned(&fixture, "--kinds client-grants");
    assert_eq!(keys, [""; 0]);
    assert_eq!(
        skipped(&plan),
        [format!(
            "client-grants/Till · {API} · client: it needs clients/Till, which the target does not have and which is not selected; --with-dependencies includes it"
        )]
    );
    let (keys, plan) = planned(&fixture, "--kinds client-grants --with-dependencies");
    let grant = format!("client-grants/Till · {API} · client");
    assert_eq!(keys, [grant.as_str(), "clients/Till", "resource-servers/https://api.acme.example"]);
    assert_eq!(skipped(&plan), [""; 0]);
    assert_eq!(plan["selection"]["dependencies"], json!(["clients/Till", "resource-servers/https://api.acme.example"]));
    assert_eq!(plan["selection"]["kinds"], json!(["client-grants"]));
    let (keys, plan) = planned(&fixture, "--only connections/Guest");
    assert_eq!(keys, ["connections/Guest"]);
    assert!(skipped(&plan)[0].starts_with("connection-clients/Guest: it needs clients/Till"), "{:?}", skipped(&plan));
}

#[test]
fn a_selected_import_leaves_the_rest_of_the_target_unchanged() {
    let fixture = fixture();
    let before = beside(&fixture, &["/clients"]);
    done(&fixture.run(&format!("import --tenant prod --kinds clients {ALLOW}")));
    assert_eq!(beside(&fixture, &["/clients"]), before);
    assert_eq!(fixture.prod("/clients").as_array().expect("clients").len(), 2);
    let base = fixture.read("state/dev/prod/baseline.json");
    assert!(base.contains("clients/Till") && !base.contains("rules/Greeting"), "{base}");
    assert!(!fixture.read("state/dev/prod/links.csv").contains("rules"));
}

#[test]
fn a_selected_import_keeps_the_state_of_a_full_one() {
    let mut fixture = fixture();
    done(&fixture.run(&format!("import --tenant prod {ALLOW}")));
    let remembered = remembered_beside(&fixture, "clients");
    fixture.write("changed.json", r#"{"description": "changed in dev"}"#);
    for of in ["roles/rol_devAuditor000001", "clients/devShop000000000000000000000000a"] {
        done(&fixture.run(&format!("api patch {of} --tenant dev --data changed.json --yes --quiet")));
    }
    fixture.change_prod(|data| data["/roles"][1]["description"] = "changed in prod".into());
    done(&fixture.run(&format!("import --tenant prod --only clients/Shop {ALLOW}")));
    assert_eq!(fixture.prod("/clients")[0]["description"], "changed in dev");
    assert_eq!(remembered_beside(&fixture, "clients"), remembered);
    // The change in dev is not drift of prod, and the one in prod is not a change of dev.
    assert_eq!(planned(&fixture, "").0, ["roles/Auditor"]);
    let drift = fixture.run("drift --tenant prod --output json --quiet").json();
    assert_eq!(drift["drift"].as_array().expect("a list").len(), 1, "{drift}");
    let drift = fixture.run("drift --tenant prod --kinds clients --output json --quiet").json();
    assert_eq!(drift["drift"], json!([]), "{drift}");
}

#[test]
fn only_selected_resources_are_deleted_and_none_that_takes_others_along() {
    let fixture = fixture();
    done(&fixture.run(&format!("import --tenant prod {ALLOW}")));
    for gone in ["client-grants/cgr_devTill000000001", "clients/devTill000000000000000000000000a", "roles/rol_devDriver0000001"] {
        done(&fixture.run(&format!("api delete {gone} --tenant dev --yes --quiet")));
    }
    assert_eq!(planned(&fixture, "--prune --kinds roles").0, ["roles/Driver"]);
    let (keys, plan) = planned(&fixture, "--prune --kinds clients");
    assert_eq!(keys, [""; 0]);
    let grant = format!("client-grants/Till · {API} · client");
    assert_eq!(
        skipped(&plan),
        [format!("clients/Till: it is gone from dev, but deleting it would also delete {grant}, which is not selected")]
    );
    assert_eq!(plan["unmanaged"], json!({"clients": ["clients/Till"]}));
    // A grant is selected with its client.
    assert_eq!(planned(&fixture, "--prune --kinds clients,client-grants").0, ["clients/Till"]);
}

#[test]
fn only_what_a_selection_needs_is_read() {
    let fixture = fixture();
    let requests = |flags: &str| {
        let before = (fixture.requests_of_dev().len(), fixture.requests().len());
        planned(&fixture, flags);
        [fixture.requests_of_dev().len() - before.0, fixture.requests().len() - before.1]
    };
    let [whole, _] = requests("");
    assert!(whole > 100, "{whole}");
    // The list of the selected kind, those it refers to, and custom domains, which identify hosts of the source.
    for (flags, most) in [("--kinds roles", 6), ("--kinds rules", 4), ("--kinds clients", 14), ("--kinds email-templates", 25)] {
        for count in requests(flags) {
            assert!(count <= most, "{flags}: {count} of {whole}: {:?}", fixture.requests().iter().rev().take(count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_id_in_a_text_is_resolved_although_its_kind_is_not_selected() {
    let fixture = fixture();
    done(&fixture.run(&format!("import --tenant prod --only actions {ALLOW}")));
    let code = fixture.prod("/actions/actions")[0]["code"].as_str().expect("code").to_owned();
    assert!(code.contains("'prodShop00000000000000000000000a'"), "{code}");
    assert_eq!(planned(&fixture, "--kinds actions").0, [""; 0]);
}

#[test]
fn a_saved_plan_contains_its_selection_and_a_resumed_run_needs_no_flags() {
    let fixture = Fixture::new(ahead(), prod(), "cut-before@w2");
    let said = fixture.run("plan --tenant prod --kinds roles --with-dependencies --out plan.json --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    let before = beside(&fixture, &["/roles", "/resource-servers"]);
    let reads = fixture.requests().len();
    let said = fixture.run(&format!("import --tenant prod --plan plan.json {ALLOW}"));
    let said = if said.code == 0 { said } else { fixture.run("import --tenant prod --resume --yes --quiet") };
    assert_eq!(said.code, 0, "{}", said.whole());
    assert!(fixture.requests().len() - reads < 130, "{}", fixture.requests().len() - reads);
    assert_eq!(fixture.prod("/roles").as_array().expect("roles").len(), 2);
    assert_eq!(beside(&fixture, &["/roles", "/resource-servers"]), before);
    assert!(!fixture.read("state/dev/prod/baseline.json").contains("clients/"));
    let said = fixture.run("import --tenant prod --resume --kinds roles --yes");
    assert_eq!(said.code, 64, "{}", said.whole());
}

#[test]
fn a_partial_snapshot_is_marked_and_nothing_missing_counts_as_deleted() {
    let fixture = fixture();
    done(&fixture.run(&format!("import --tenant prod {ALLOW}")));
    done(&fixture.run("export --tenant dev --kinds roles --out ./part --quiet"));
    let manifest: Value = serde_json::from_str(&fixture.read("part/manifest.json")).expect("JSON");
    assert_eq!(manifest["selection"], json!({"kinds": ["roles"]}));
    done(&fixture.run("api delete roles/rol_devDriver0000001 --tenant dev --yes --quiet"));
    done(&fixture.run("export --tenant dev --kinds roles --out ./later --quiet"));
    let (keys, plan) = planned(&fixture, "--from ./later --prune");
    assert_eq!(keys, ["roles/Driver"]);
    let unmanaged = json!({"role-permissions": ["role-permissions/Driver"]});
    assert_eq!((&plan["unmanaged"], &plan["selection"]["kinds"]), (&unmanaged, &json!(["roles"])));
    let said = fixture.run("plan --tenant prod --from ./later --kinds clients");
    assert_snapshot!(said.refused(), @"
    exit 64
    error: the snapshot does not hold what is selected: already restricted to roles, which cannot be combined with clients
    hint:  plan it without a selection, or from another snapshot
    ");
    fixture.edit("later/manifest.json", r#""roles""#, r#""rules""#);
    assert_ne!(fixture.run("plan --tenant prod --from ./later").code, 0, "what it holds is part of its hash");
    planned(&fixture, "--kinds clients");
    let whole: Vec<String> = fixture.in_folder("snapshots/dev");
    planned(&fixture, "");
    assert_eq!(fixture.in_folder("snapshots/dev").len(), whole.len() + 1, "a partial one does not stand among them");
    assert!(!fixture.in_folder("snapshots/partial/dev").is_empty());
}

#[test]
fn a_lost_baseline_stays_lost_for_everything_outside_the_selection() {
    let fixture = fixture();
    done(&fixture.run(&format!("import --tenant prod {ALLOW}")));
    std::fs::remove_file(fixture.path("state/dev/prod/baseline.json")).expect("removed");
    fixture.write("changed.json", r#"{"description": "changed in dev"}"#);
    for of in ["roles/rol_devAuditor000001", "clients/devShop000000000000000000000000a"] {
        done(&fixture.run(&format!("api patch {of} --tenant dev --data changed.json --yes --quiet")));
    }
    assert_eq!(fixture.run(&format!("import --tenant prod --kinds clients {ALLOW}")).code, 4);
    let allow = ALLOW.replace("many-changes", "many-changes,no-baseline");
    done(&fixture.run(&format!("import --tenant prod --kinds clients {allow}")));
    let said = fixture.run(&format!("import --tenant prod {ALLOW}"));
    assert!(said.code == 4 && said.err.contains("no-baseline"), "{}", said.whole());
}

#[test]
fn undos_rehearsals_and_syncs_can_be_restricted_too() {
    let fixture = fixture();
    let said = fixture.run("import --tenant prod --kinds roles --with-dependencies --rehearse --quiet");
    assert!(said.code == 0 && said.out.contains("roles"), "{}", said.whole());
    let said = fixture.run("sync --from dev --to prod --kinds roles,resource-servers --quiet");
    assert_eq!(said.code, 0, "{}", said.whole());
    assert_eq!(fixture.prod("/roles").as_array().expect("roles").len(), 2);
    assert_eq!(
        fixture.in_folder("state/dev/prod").iter().filter(|name| name.starts_with("last")).collect::<Vec<_>>(),
        ["last-selected-sync.json"]
    );
    let run = fixture.in_folder("runs").into_iter().max().expect("a run");
    let reads = fixture.requests().len();
    let said = fixture.run(&format!("undo {run} --kinds roles --exclude roles/Auditor {ALLOW}"));
    assert_eq!(said.code, 0, "{}", said.whole());
    let roles = fixture.prod("/roles");
    assert_eq!(roles.as_array().expect("roles").iter().map(|role| &role["name"]).collect::<Vec<_>>(), ["Auditor"]);
    assert!(fixture.requests().len() - reads < 100, "{}", fixture.requests().len() - reads);
}

#[test]
fn an_invalid_selection_is_reported_with_the_nearest() {
    let fixture = fixture();
    assert_snapshot!(fixture.run("plan --tenant prod --kinds client").refused(), @r#"
    exit 64
    error: unknown kind "client"
    hint:  did you mean "clients"? `migrate kinds` lists all kinds
    "#);
    assert_snapshot!(fixture.run("drift --tenant prod --only clints/Web").refused(), @r#"
    exit 64
    error: unknown kind "clints"
    hint:  did you mean "clients"? `migrate kinds` lists all kinds
    "#);
    assert_snapshot!(fixture.run("import --tenant prod --exclude clients/[").refused(), @r#"
    exit 64
    error: invalid pattern "clients/[": invalid range pattern
    hint:  a pattern is a key with * and ?, for example 'clients/Web*'
    state: nothing was written
    "#);
    assert_snapshot!(fixture.run("plan --tenant prod --only clients/Tll --quiet").refused(), @r#"
    exit 64
    error: nothing is selected: no resource in dev or prod matches "clients/Tll"; did you mean "clients/Till"?
    hint:  a pattern is kind/name, with the name in the target; `migrate kinds` lists the kinds
    "#);
    let (keys, plan) = planned(&fixture, "--only clients/Tll --only clients/Till");
    assert_eq!(keys, ["clients/Till"]);
    assert_eq!(plan["notes"], json!([r#"no resource in dev or prod matches "clients/Tll"; did you mean "clients/Till"?"#]));
}

#[test]
fn a_pattern_is_about_the_name_after_the_mapping() {
    let fixture = Fixture::acme("");
    assert_snapshot!(fixture.run_words(&["plan", "--tenant", "prod", "--only", "clients/Billing (dev)", "--quiet"]).refused(), @r#"
    exit 64
    error: nothing is selected: no resource in dev or prod matches "clients/Billing (dev)"; dev calls it so, and after the mapping it is "clients/Billing"
    hint:  a pattern is kind/name, with the name in the target; `migrate kinds` lists the kinds
    "#);
}

#[test]
fn a_plan_against_the_configured_direction_says_so_first() {
    let fixture = Fixture::acme("");
    let plan = fixture.run("plan --from prod --to dev --quiet").out;
    let first = plan.split_once("Review first\n").expect("a section").1.lines().find(|line| !line.contains("may lock")).expect("a line");
    assert_eq!(first, "  CHECK     migrate.toml copies dev to prod (`source` of prod); this plan goes the other way");
}

#[test]
fn a_share_of_a_kind_counts_unselected_resources_too() {
    let many = |side: &str, callback: &str| {
        let clients: Vec<Value> = (0..10)
            .map(|at| client(&format!("{side}Client{at:0>25}"), &format!("App {at}"), &format!("https://{callback}/{at}")))
            .collect();
        json!({"tenant": format!("acme-{side}"), "domain": format!("acme-{side}.eu.auth0.com"), "data": {"/clients": clients}})
    };
    let fixture = Fixture::new(many("dev", "new.example"), many("prod", "old.example"), "");
    let found = |flags: &str| fixture.run(&format!("plan --tenant prod {flags} --output json --quiet")).json()["refusals"].to_string();
    assert!(found("--kinds clients").contains("10 of the 10 compared clients"), "{}", found("--kinds clients"));
    let three = "--only clients/*[123]";
    assert!(!found(three).contains("many-changes"), "3 of 10: {}", found(three));
}

#[test]
fn what_is_nearly_right_is_accepted_or_leads_to_what_is_meant() {
    let fixture = fixture();
    let plan = fixture.run("plan --tenant prod --output json --quiet").json();
    assert_eq!(fixture.run("plan --tenant prod --dry-run --output json --quiet").json()["counts"], plan["counts"]);
    let said = fixture.run("plan --tenant prod --kinds APIs");
    assert!(said.code == 64 && said.err.contains("did you mean \"resource-servers\"?"), "{}", said.whole());
    fixture.write("list.json", "[]");
    let said = fixture.run("sandbox --state list.json --port 0");
    assert!(said.code == 64 && said.err.contains("object with `domain` and `data`"), "{}", said.whole());
}
