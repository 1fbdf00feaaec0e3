//! Holds every JSON answer and every file of a fixture against its published schema.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::command_output::CommandOutput;

/// The published schemas, by name.
static SCHEMAS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let files = std::fs::read_dir(folder).expect("schemas").map(|entry| entry.expect("a file").path());
    files
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().replace(".schema.json", "");
            let schema: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
            (name, jsonschema::validator_for(&schema).expect("a schema"))
        })
        .collect()
});

/// Checks the answer of a command line with `--output json`, and the files that the command wrote or accepted.
pub(crate) fn check(words: &[&str], ended: &CommandOutput, folder: &Path) {
    let is_json = words.windows(2).any(|pair| pair == ["--output", "json"]) || words.contains(&"--output=json");
    let names = answers_of(words);
    if is_json && !names.is_empty() {
        let answer = ended.json();
        let names = if answer["error"].is_string() && words[0] != "sync" { &["error"][..] } else { names };
        assert_follows(&answer, names, &format!("{words:?}"));
    }
    if is_writer(words) && [0, 3, 75].contains(&ended.code) {
        check_state(&folder.join("state"));
        check_newest_run(&folder.join("runs"));
    }
    if ended.code != 0 {
        return;
    }
    let is_json_file = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "json");
    if let Some(out) = words.windows(2).find(|pair| pair[0] == "--out" && is_json_file(pair[1])) {
        assert_follows(&read(&folder.join(out[1])), &["saved-plan"], out[1]);
    }
    if words.first() == Some(&"validate") {
        check_toml(&folder.join("migrate.toml"), "config");
        each_file(&folder.join("mappings"), &mut |path| check_toml(path, "mapping"));
    }
    if words.first() == Some(&"export") && !words.contains(&"--out") {
        each_file(&folder.join("snapshots"), &mut |path| check_snapshot(path));
    }
}

/// Returns the schemas that an answer of this command line may follow; none if it has no form of its own.
fn answers_of(words: &[&str]) -> &'static [&'static str] {
    match words.first().copied().unwrap_or_default() {
        "plan" => &["plan"],
        "import" => &["plan", "run", "rehearsal"],
        "update" | "undo" | "restore" => &["plan", "run"],
        "show" => &["show", "plan"],
        "sync" => &["sync"],
        "export" => &["export"],
        "explain" => &["explain"],
        "drift" => &["drift"],
        "diff" => &["diff"],
        "snapshots" => &["snapshots", "pruned"],
        "runs" => &["runs"],
        "probe" => &["probe"],
        "ids" => &["ids"],
        "validate" => &["validate"],
        "approve" => &["approve"],
        "link" | "unlink" => &["link"],
        "kinds" => &["kinds"],
        "scopes" => &["scopes"],
        "schedule" => &["schedule"],
        _ => &[],
    }
}

/// Returns whether a command may leave a run or state.
fn is_writer(words: &[&str]) -> bool {
    words.first().is_some_and(|command| ["import", "sync", "undo", "restore", "update", "link", "unlink"].contains(command))
}

fn read(path: &Path) -> Value {
    let content = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks the files of every pair of tenants.
fn check_state(folder: &Path) {
    each_file(folder, &mut |path| {
        let schema = match path.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
            "pair.json" => "pair",
            "baseline.json" => "baseline",
            "fingerprints.json" => "fingerprints",
            "last-sync.json" | "last-selected-sync.json" => "sync",
            _ => return,
        };
        assert_follows(&read(path), &[schema], &path.display().to_string());
    });
}

/// Checks the files of the newest run: each run was the newest once.
fn check_newest_run(folder: &Path) {
    let runs = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let Some(run) = runs.filter(|path| path.is_dir()).max() else { return };
    for (name, schema) in
        [("plan.json", "saved-plan"), ("snapshots.json", "run-snapshots"), ("base.json", "baseline"), ("report.json", "run")]
    {
        let path = run.join(name);
        if path.exists() {
            assert_follows(&read(&path), &[schema], &path.display().to_string());
        }
    }
    let Ok(journal) = std::fs::read_to_string(run.join("journal.jsonl")) else { return };
    for line in journal.lines().filter(|line| !line.is_empty()) {
        // A torn line at the end is what an interruption leaves.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        assert_follows(&entry, &["journal"], &run.display().to_string());
    }
}

/// Checks a TOML file, which the program accepted if it was about it.
fn check_toml(path: &Path, schema: &str) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let Ok(content) = toml::from_str::<toml::Table>(&text) else { return };
    let content = serde_json::to_value(content).expect("TOML is JSON, but for its times");
    assert_follows(&content, &[schema], &path.display().to_string());
}

fn check_snapshot(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if path.extension().is_none_or(|extension| extension != "json") || name.starts_with('.') {
        return;
    }
    let content: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    assert_follows(&content, &[if name == "manifest.json" { "snapshot" } else { "kind" }], &path.display().to_string());
}

fn each_file(folder: &Path, check: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() { each_file(&path, check) } else { check(&path) }
    }
}

fn assert_follows(content: &Value, names: &[&str], of: &str) {
    let errors = |name: &&str| -> Vec<String> {
        SCHEMAS[*name].iter_errors(content).map(|error| format!("{name}: {}: {error}", error.instance_path())).collect()
    };
    let all: Vec<Vec<String>> = names.iter().map(errors).collect();
    assert!(all.iter().any(Vec::is_empty), "{of} follows none of {names:?}: {all:#?}");
}
