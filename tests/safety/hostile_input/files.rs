//! Special files, links to other places, and names with control characters.

use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use super::server::Server;
use crate::support::fixture::Fixture;

/// Replaces a file by something else.
type Put = Box<dyn Fn()>;
/// Modifies a manifest.
type Change = fn(&mut Value);

/// Replaces a file by a pipe without a writer, a folder, or a device.
fn in_place_of(fixture: &Fixture, name: &str) -> [(&'static str, Put); 3] {
    let path = fixture.path(name);
    let clear = {
        let path = path.clone();
        move || {
            let _ = std::fs::remove_dir(&path);
            let _ = std::fs::remove_file(&path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        }
    };
    let (pipe, folder, device) = (path.clone(), path.clone(), path);
    let (first, second, third) = (clear.clone(), clear.clone(), clear);
    [
        (
            "a pipe",
            Box::new(move || {
                first();
                assert!(Command::new("mkfifo").arg(&pipe).status().expect("it ran").success());
            }),
        ),
        (
            "a folder",
            Box::new(move || {
                second();
                std::fs::create_dir(&folder).expect("made");
            }),
        ),
        (
            "a device",
            Box::new(move || {
                third();
                symlink("/dev/zero", &device).expect("linked");
            }),
        ),
    ]
}

#[test]
fn pipes_folders_and_devices_are_refused_as_files() {
    let of = [
        ("plan.json", "import --tenant prod --plan plan.json --yes"),
        ("m.toml", "plan --tenant prod --mapping m.toml"),
        ("client.json", "update clients --tenant prod Shop client.json"),
        ("state/dev/prod/links.csv", "plan --tenant prod"),
        ("state/dev/prod/source-ids.csv", "plan --tenant prod"),
        ("state/dev/prod/baseline.json", "plan --tenant prod"),
        (".env", "validate"),
        ("migrate.toml", "validate"),
        ("snap/manifest.json", "plan --tenant prod --from ./snap"),
    ];
    for (name, line) in of {
        let fixture = Fixture::small();
        for (what, put) in in_place_of(&fixture, name) {
            put();
            let said = fixture.run(line);
            assert_ne!(said.code, 0, "{name} as {what}: {}", said.whole());
            assert!(said.err.contains(&format!("it is {what}, and a file was expected")), "{name} as {what}: {}", said.whole());
        }
        assert!(fixture.writes().is_empty(), "{name}");
    }
}

/// Exports dev into a folder of the fixture, and modifies its manifest.
fn with_manifest(fixture: &Fixture, change: impl FnOnce(&mut Value)) {
    assert_eq!(fixture.run("export --tenant dev --out snap").code, 0);
    let mut manifest: Value = serde_json::from_str(&fixture.read("snap/manifest.json")).expect("JSON");
    change(&mut manifest);
    fixture.write("snap/manifest.json", &manifest.to_string());
}

#[test]
fn no_name_in_a_snapshot_leads_out_of_its_folder() {
    let changes: [(&str, Change); 6] = [
        ("a tenant above", |manifest| manifest["tenant"] = json!("../../evil")),
        ("a tenant elsewhere", |manifest| manifest["tenant"] = json!("/srv/evil")),
        ("a time above", |manifest| manifest["taken"] = json!("../../../evil")),
        ("no time", |manifest| manifest["taken"] = json!("")),
        ("a kind above", |manifest| manifest["kinds"]["../../secret"] = json!({"status": "complete", "count": 0})),
        ("a kind that draws", |manifest| manifest["kinds"]["\u{1b}[2J\nerror: all is lost"] = json!({"status": "complete", "count": 0})),
    ];
    for (what, change) in changes {
        let fixture = Fixture::small();
        with_manifest(&fixture, change);
        let before = fixture.files();
        let said = fixture.run("plan --tenant prod --from ./snap");
        assert_eq!(said.code, 64, "{what}: {}", said.whole());
        assert!(said.err.contains("manifest.json"), "{what}: {}", said.whole());
        assert!(!said.err.contains('\u{1b}') && !said.err.lines().any(|line| line.starts_with("error: all")), "{what}: {}", said.whole());
        assert_eq!(fixture.files().len(), before.len(), "{what}");
    }
}

#[test]
fn no_run_is_outside_the_folder_of_runs() {
    let fixture = Fixture::small();
    for name in ["../snap", "..", ".", "/etc", "a/../../b"] {
        for verb in ["show", "undo --yes"] {
            let said = fixture.run(&format!("{verb} {name}"));
            assert_eq!(said.code, 64, "{verb} {name}: {}", said.whole());
        }
    }
}

#[test]
fn an_id_that_changes_the_request_path_is_refused_when_read() {
    for id in ["", ".", ".."] {
        let server = Server::start(move |_, writer| {
            let apis = json!({"start": 0, "limit": 100, "total": 1, "resource_servers": [{"id": id, "identifier": "a", "name": "a"}]});
            writer.json(&apis.to_string())
        });
        let said = server.run("export --tenant evil --kinds resource-servers");
        assert_eq!(said.code, 1, "{id}: {}", said.whole());
        assert!(said.err.contains(&format!("with the id \"{id}\", which is none")), "{id}: {}", said.whole());
    }
}
