//! Snapshots on disk: how they are named, listed and deleted, and that an unchanged tenant has one.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::fixture::{CommandOutput, Fixture};

const IMPORT: &str = "import --tenant prod --allow lockout-risk,weaker-protection,many-changes --yes --quiet";

fn done(said: &CommandOutput) {
    assert!([0, 3].contains(&said.code), "{}", said.whole());
}

/// A plan that a guard refuses is a plan.
fn planned(said: &CommandOutput) {
    assert!([0, 3, 4].contains(&said.code), "{}", said.whole());
}

/// Returns the names of dev's whole snapshots, the oldest first.
fn of_dev(fixture: &Fixture) -> Vec<String> {
    let mut names = fixture.in_folder("snapshots/dev");
    names.sort();
    names
}

/// Changes something in dev.
fn change_dev(fixture: &Fixture, description: &str) {
    fixture.write("changed.json", &json!({"description": description}).to_string());
    done(&fixture.run("api patch clients/devShop000000000000000000000000a --tenant dev --data changed.json --yes --quiet"));
}

/// Exports dev, and has that look as if it was on a day.
fn exported_on(fixture: &Fixture, day: &str) {
    change_dev(fixture, day);
    let before = of_dev(fixture);
    done(&fixture.run("export --tenant dev --quiet"));
    let new: Vec<String> = of_dev(fixture).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    let (was, is) = (format!("snapshots/dev/{}", new[0]), format!("snapshots/dev/{day}T02-30-00Z"));
    std::fs::rename(fixture.path(&was), fixture.path(&is)).expect("renamed");
    let manifest: Value = serde_json::from_str(&fixture.read(&format!("{is}/manifest.json"))).expect("JSON");
    let taken = manifest["taken"].as_str().expect("a time").to_owned();
    fixture.edit(&format!("{is}/manifest.json"), &taken, &format!("{day}T02:30:00Z"));
}

#[test]
fn an_export_and_a_plan_of_an_unchanged_tenant_keep_one_snapshot_however_it_is_restricted() {
    let fixture = Fixture::acme("");
    let parts = ["", "--kinds roles", "--kinds clients,client-grants", "--only clients/B*", "--only actions", "--exclude clients/B*"];
    for (at, part) in parts.into_iter().enumerate() {
        for command in ["export --tenant dev", "plan --tenant prod", "export --tenant dev", "plan --tenant prod --prune"] {
            planned(&fixture.run(&format!("{command} {part} --quiet").replace("  ", " ")));
        }
        assert_eq!((fixture.in_folder("snapshots/dev").len(), fixture.in_folder("snapshots/partial/dev").len()), (1, at), "{part}");
    }
    let said = fixture.run("export --tenant dev --only actions --output json").json();
    assert_eq!(said["is_same"], json!(true));
}

#[test]
fn a_plan_from_an_old_snapshot_says_which_and_how_old_it_is_and_writes_none() {
    let fixture = Fixture::small();
    exported_on(&fixture, "2026-03-01");
    exported_on(&fixture, "2026-03-08");
    let names = of_dev(&fixture);
    for from in ["dev@2026-03-01", "snapshots/dev/2026-03-01T02-30-00Z"] {
        let said = fixture.run(&format!("plan --tenant prod --from {from}"));
        planned(&said);
        let source = said.out.lines().find(|line| line.trim_start().starts_with("source")).expect("a source");
        assert!(source.contains("snapshot dev@TIME, ") && source.ends_with(" days old"), "{source}");
        assert!(said.out.contains("dev@TIME is not the newest snapshot of its tenant; dev@TIME is"), "{}", said.out);
        assert!(said.out.contains("\n  migrate import --tenant prod --from dev@TIME --allow"), "{}", said.out);
    }
    let plan = fixture.run("plan --tenant prod --from dev@latest --output json").json();
    assert!(!plan["notes"].to_string().contains("newest"), "{:#}", plan["notes"]);
    assert_eq!(of_dev(&fixture), names);
}

#[test]
fn a_snapshot_that_is_not_there_is_answered_with_those_around_it() {
    let fixture = Fixture::small();
    exported_on(&fixture, "2026-03-01");
    exported_on(&fixture, "2026-03-08");
    let said = fixture.run("plan --tenant prod --from dev@2026-03-04");
    assert_snapshot!(said.refused(), @r#"
    exit 64
    error: no snapshot "dev@2026-03-04"
    hint:  nearest: dev@TIME, dev@TIME; `migrate snapshots --tenant dev` lists all
    "#);
    let said = fixture.run("plan --tenant prod --from stage@latest");
    assert_snapshot!(said.refused(), @r#"
    exit 64
    error: no snapshot of "stage" in "./snapshots/stage"
    hint:  run `migrate export` first
    "#);
}

#[test]
fn the_configured_name_of_a_tenant_wins_over_a_snapshot() {
    let fixture = Fixture::small();
    exported_on(&fixture, "2026-03-01");
    fixture.edit("migrate.toml", "[tenants.dev]", "[tenants.\"dev@latest\"]");
    let said = fixture.run("plan --tenant prod --from dev@latest");
    assert!(said.code != 0 && said.err.contains("dev@latest"), "it is the tenant, which has no credentials: {}", said.whole());
}

#[test]
fn an_export_ends_with_the_command_that_uses_what_it_wrote() {
    let fixture = Fixture::small();
    let next = |line: &str| fixture.run(line).out.trim_end().lines().last().expect("a line").to_owned();
    assert_eq!(next("export --tenant dev"), "migrate plan --tenant prod --from dev@TIME");
    assert_eq!(next("export --tenant dev --kinds roles"), "migrate plan --tenant prod --from ./snapshots/partial/dev/TIME");
    assert_eq!(next("export --tenant dev --out there"), "migrate plan --tenant prod --from there");
    planned(&fixture.run("plan --tenant prod --from ./there"));
}

#[test]
fn a_run_keeps_a_snapshot_of_its_target_and_the_list_names_the_run() {
    let fixture = Fixture::small();
    done(&fixture.run("export --tenant prod --quiet"));
    done(&fixture.run(IMPORT));
    let said = fixture.run("snapshots --output json").json();
    let all = said["snapshots"].as_array().expect("a list");
    let kept: Vec<(&str, &Value)> = all.iter().map(|one| (one["tenant"].as_str().expect("a name"), &one["kept_by"])).collect();
    assert_eq!(
        kept,
        [("dev", &json!(["TIME-prod"])), ("prod", &json!(["TIME-prod"]))],
        "what was there already is not stored twice: {said:#}"
    );
    let held: Value = serde_json::from_str(&fixture.read(&format!("{}/clients.json", fixture.only_in("snapshots/prod")))).expect("JSON");
    assert_eq!(held[0]["body"]["callbacks"], json!(["https://shop.acme.example/old"]), "it is the target before the run");
    let listed = fixture.run("snapshots --tenant prod").out;
    assert!(listed.lines().count() == 2 && listed.contains("everything  TIME-prod"), "{listed}");
    assert_eq!(fixture.run("snapshots --tenant prdo").code, 64);
}

#[test]
fn a_run_of_a_saved_plan_keeps_the_snapshot_that_its_plan_was_made_of() {
    let fixture = Fixture::small();
    done(&fixture.run("plan --tenant prod --out plan.json --quiet"));
    let planned = of_dev(&fixture);
    // The source is not read again, and a newer snapshot of it has nothing to do with the run.
    exported_on(&fixture, "2026-03-08");
    done(&fixture.run("import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection,many-changes --yes --quiet"));
    let said = fixture.run("snapshots --tenant dev --output json").json();
    let kept: Vec<(&Value, bool)> =
        said["snapshots"].as_array().expect("a list").iter().map(|one| (&one["name"], one["kept_by"] != json!([]))).collect();
    assert_eq!(kept.len(), 2, "{said:#}");
    assert_eq!(kept.iter().filter(|(_, is_kept)| *is_kept).count(), 1, "{said:#}");
    let run = fixture.only_in("runs");
    let names: Value = serde_json::from_str(&fixture.read(&format!("{run}/snapshots.json"))).expect("JSON");
    assert_eq!(names["source"], json!({"tenant": "dev", "folder": format!("snapshots/dev/{}", planned[0])}));
    done(&fixture.run("snapshots prune --tenant dev --keep 1 --yes --quiet"));
    assert!(of_dev(&fixture).contains(&planned[0]), "pruning keeps what the run needs");
    let run = run.rsplit('/').next().expect("a name");
    self::planned(&fixture.run(&format!("plan --tenant prod --from dev@{run} --quiet")));
}

#[test]
fn a_saved_plan_whose_snapshot_is_not_there_is_carried_out_without_it() {
    let fixture = Fixture::small();
    done(&fixture.run("plan --tenant prod --out plan.json --quiet"));
    std::fs::remove_dir_all(fixture.path("snapshots/dev")).expect("removed");
    done(&fixture.run("import --tenant prod --plan plan.json --allow lockout-risk,weaker-protection,many-changes --yes --quiet"));
    let names: Value = serde_json::from_str(&fixture.read(&format!("{}/snapshots.json", fixture.only_in("runs")))).expect("JSON");
    assert_eq!((names.get("source"), names["target"]["tenant"].as_str()), (None, Some("prod")));
}

#[test]
fn old_snapshots_are_deleted_and_those_of_runs_only_when_that_is_said() {
    let fixture = Fixture::small();
    for day in ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"] {
        exported_on(&fixture, day);
        if day == "2026-03-02" {
            done(&fixture.run(&format!("{IMPORT} --from dev@2026-03-02")));
        }
    }
    let said = fixture.run_unattended("snapshots prune --keep 1 --tenant dev");
    assert_eq!((said.code, of_dev(&fixture).len()), (64, 4), "nobody was asked: {}", said.whole());
    let said = fixture.run("snapshots prune --keep 1 --tenant dev --dry-run");
    assert_eq!((said.code, of_dev(&fixture).len()), (0, 4), "{}", said.whole());
    assert!(said.out.ends_with("\nNothing was deleted. Without --dry-run, 2 snapshots would be.\n"), "{}", said.whole());
    let said = fixture.run("snapshots prune --keep 1 --tenant dev --dry-run --output json").json();
    assert_eq!((&said["deleted"], said["to_delete"].as_array().map(Vec::len)), (&json!([]), Some(2)), "{said:#}");
    let said = fixture.run("snapshots prune --keep 1 --tenant dev --yes");
    assert_eq!(of_dev(&fixture), ["2026-03-02T02-30-00Z", "2026-03-04T02-30-00Z"]);
    let end: Vec<&str> = said.out.lines().rev().take(2).collect();
    assert_eq!(
        end[0],
        "1 older snapshot of past runs kept; --with-runs deletes them too, and those runs can then be undone but no longer restored."
    );
    assert!(end[1].starts_with("Deleted 2 snapshots ("), "{}", said.whole());
    let said = fixture.run("snapshots prune --keep 1 --with-runs --yes --output json").json();
    assert_eq!(said["deleted"], json!(["dev@TIME"]));
    let run = fixture.in_folder("runs").remove(0);
    let said = fixture.run(&format!("plan --tenant prod --from dev@{run}"));
    assert_snapshot!(said.refused(), @r#"
    exit 64
    error: the snapshot of "dev" that run "TIME-prod" kept is no longer there: "./snapshots/dev/TIME"
    hint:  `migrate undo` needs no snapshot; `migrate snapshots` lists those that are left
    "#);
    assert_eq!(fixture.run("snapshots prune --keep 0").code, 64);
}

#[test]
fn an_export_deletes_all_but_the_newest_where_that_is_asked_for() {
    let fixture = Fixture::small();
    for day in ["2026-03-01", "2026-03-02", "2026-03-03"] {
        exported_on(&fixture, day);
    }
    let said = fixture.run("export --tenant dev --keep 2");
    assert!(said.code == 0 && said.out.contains("Notes\n  Deleted 1 older snapshot\n"), "{}", said.whole());
    assert_eq!(of_dev(&fixture).len(), 2);
}

#[test]
fn a_snapshot_for_reviews_is_replaced_as_a_whole_and_files_of_git_stay() {
    let fixture = Fixture::small();
    let export = "export --tenant dev --out kept/review --one-file-per-resource --replace --quiet";
    done(&fixture.run(export));
    fixture.write("kept/review/.gitattributes", "*.json diff");
    let said = fixture.run(&export.replace("--quiet", "--output json"));
    assert_eq!((said.code, &said.json()["is_same"]), (0, &json!(true)), "an equal one stays as it is: {}", said.whole());
    let said = fixture.run(&export.replace(" --replace", ""));
    assert!(said.code != 0 && said.err.contains("hint:  add --replace"), "{}", said.whole());
    change_dev(&fixture, "new");
    done(&fixture.run("api delete clients/devTill000000000000000000000000a --tenant dev --yes --quiet"));
    let before = fixture.in_folder("kept/review/clients");
    done(&fixture.run(export));
    let after = fixture.in_folder("kept/review/clients");
    assert!(before.len() == 2 && after == ["Shop.json"], "{before:?} {after:?}");
    assert_eq!(fixture.read("kept/review/.gitattributes"), "*.json diff");
    assert_eq!(fixture.in_folder("kept"), ["review"], "nothing is left beside it");
    assert_eq!(fixture.run("diff ./kept/review dev --quiet").code, 0);
    // An edited file is not what an export wrote, and is replaced.
    fixture.edit("kept/review/clients/Shop.json", "new", "edited");
    done(&fixture.run(export));
    assert_eq!(fixture.run("diff ./kept/review dev --quiet").code, 0);
    // The other layout takes its place too.
    done(&fixture.run("export --tenant dev --out kept/review --replace --quiet"));
    assert!(fixture.in_folder("kept/review").contains(&"clients.json".to_owned()));
}

#[test]
fn a_folder_that_is_not_just_a_snapshot_is_not_replaced() {
    let fixture = Fixture::small();
    let export = "export --tenant dev --out review --one-file-per-resource --replace --quiet";
    fixture.write("review/notes.md", "mine");
    assert_snapshot!(fixture.run(export).refused(), @r#"
    exit 64
    error: cannot replace "review": it has no manifest.json, so it is not a snapshot
    hint:  --replace replaces only what `migrate export` wrote; move other files away, or name another folder
    "#);
    std::fs::remove_file(fixture.path("review/notes.md")).expect("removed");
    done(&fixture.run(export));
    fixture.write("review/notes.md", "mine");
    fixture.write("review/clients/old/Web.json", "{}");
    change_dev(&fixture, "new");
    let manifest = fixture.read("review/manifest.json");
    assert_snapshot!(fixture.run(export).refused(), @r#"
    exit 64
    error: cannot replace "review": it contains "clients/old/Web.json", "notes.md", which the export did not write
    hint:  --replace replaces only what `migrate export` wrote; move other files away, or name another folder
    "#);
    std::fs::remove_file(fixture.path("review/notes.md")).expect("removed");
    std::fs::remove_dir_all(fixture.path("review/clients/old")).expect("removed");
    fixture.write("review/.git/HEAD", "ref: refs/heads/main");
    assert_snapshot!(fixture.run(export).refused(), @r#"
    exit 64
    error: cannot replace "review": it is the root of a git repository; export into a folder below it
    hint:  --replace replaces only what `migrate export` wrote; move other files away, or name another folder
    "#);
    assert_eq!(fixture.read("review/.git/HEAD"), "ref: refs/heads/main");
    assert_eq!(fixture.read("review/manifest.json"), manifest, "nothing was touched");
    assert_eq!(fixture.run("export --tenant dev --replace").code, 64, "--replace needs a folder");
}

#[test]
fn one_file_per_resource_is_a_snapshot_like_any_other() {
    let fixture = Fixture::acme("");
    done(&fixture.run("export --tenant dev --out review --one-file-per-resource --quiet"));
    let clients = fixture.in_folder("review/clients");
    assert!(clients.contains(&"Billing (dev).json".to_owned()), "{clients:?}");
    let said = fixture.run("diff ./review dev");
    assert_eq!(said.code, 0, "{}", said.whole());
    let of = |from: &str| fixture.run(&format!("plan --tenant prod --from {from} --output json")).json()["changes"].clone();
    assert_eq!(of("./review"), of("dev"));
    fixture.edit("review/clients/Billing (dev).json", "Billing", "Billed");
    let said = fixture.run("plan --tenant prod --from ./review");
    assert!(said.code == 64 && said.err.contains("was changed after it was written"), "{}", said.whole());
}
