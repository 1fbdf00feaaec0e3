//! Holds every JSON answer and every file of a fixture against its published schema.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::fixture::CommandOutput;

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
    if ended.code != 0 {
        return;
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
