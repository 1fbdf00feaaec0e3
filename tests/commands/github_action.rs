//! The GitHub Action of the repository: what it runs, its comment, and its workflows.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::fixture::Fixture;
use crate::support::linters::{check_with_actionlint, checks};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A program named `gh` that writes its arguments and the comment to a file, and knows one comment if `known` is there.
const GH: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/calls"
for word in "$@"; do case $word in body=@*) cat "${word#body=@}" > "$FAKE/comment";; esac; done
case "$*" in *--paginate*) [ ! -e "$FAKE/known" ] || echo 4711;; esac
"#;

/// Runs a script of the action with these variables, and `migrate` and `gh` in the path.
fn run(fixture: &Fixture, script: &str, variables: &[(&str, &str)]) -> Output {
    fixture.write("bin/gh", GH);
    let gh = fixture.path("bin/gh");
    std::fs::set_permissions(&gh, std::fs::Permissions::from_mode(0o755)).expect("it may be executed");
    let program = Path::new(env!("CARGO_BIN_EXE_migrate")).parent().expect("a folder").display().to_string();
    let path = format!("{}:{program}:{}", fixture.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.arg(format!("{ROOT}/.github/action/{script}"));
    fixture.with_environment(&mut command).env("PATH", path).env("RUNNER_TEMP", fixture.path("temp")).env("FAKE", fixture.path(""));
    command.env("GITHUB_OUTPUT", fixture.path("outputs")).envs(variables.iter().copied());
    std::fs::create_dir_all(fixture.path("temp")).expect("a folder");
    command.output().expect("bash")
}

fn text(fixture: &Fixture, name: &str) -> String {
    std::fs::read_to_string(fixture.path(name)).unwrap_or_default()
}

const PLAN: [(&str, &str); 5] = [("COMMAND", "plan"), ("TENANT", "prod"), ("ALLOW", ""), ("ARGUMENTS", ""), ("CONFIG", "migrate.toml")];

#[test]
fn a_plan_leaves_a_report_and_its_exit_code() {
    let fixture = Fixture::small();
    let ended = run(&fixture, "run.sh", &PLAN);
    let outputs = text(&fixture, "outputs");
    assert_eq!(ended.status.code(), Some(4), "a guard refuses this plan: {ended:?}");
    assert!(outputs.contains("exit=4\n") && outputs.contains("report="), "{outputs}");
    assert!(text(&fixture, "temp/migrate-plan.md").contains("Shop"));
    assert_eq!(fixture.prod("/clients").as_array().expect("a list").len(), 1, "a plan writes nothing");
}

#[test]
fn an_import_applies_what_is_allowed() {
    let fixture = Fixture::small();
    let import = [("COMMAND", "import"), ("ALLOW", "lockout-risk:clients/Shop,weaker-protection"), ("ARGUMENTS", "--only\nclients\n")];
    let ended = run(&fixture, "run.sh", &[&PLAN[..], &import].concat());
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(fixture.prod("/clients").as_array().expect("a list").len(), 2);
}

#[test]
fn inputs_are_words_and_never_a_script() {
    let fixture = Fixture::small();
    for (name, value) in
        [("TENANT", "prod; touch hacked"), ("ARGUMENTS", "$(touch hacked)"), ("ALLOW", "`touch hacked`"), ("COMMAND", "api")]
    {
        let ended = run(&fixture, "run.sh", &[&PLAN[..], &[("COMMAND", "import"), (name, value)]].concat());
        assert_eq!(ended.status.code(), Some(64), "{name}: {ended:?}");
    }
    assert!(!fixture.path("hacked").exists());
}

#[test]
fn the_comment_is_updated_in_place() {
    let fixture = Fixture::small();
    fixture.write("plan.md", "the plan\n");
    let report = fixture.path("plan.md").display().to_string();
    let variables =
        [("TENANT", "prod"), ("REPORT", report.as_str()), ("PULL_REQUEST", "7"), ("GITHUB_REPOSITORY", "acme/settings"), ("GH_TOKEN", "x")];
    let first = run(&fixture, "comment.sh", &variables);
    assert!(first.status.success(), "{first:?}");
    assert!(text(&fixture, "calls").contains("--method POST repos/acme/settings/issues/7/comments"), "{}", text(&fixture, "calls"));
    assert_eq!(text(&fixture, "comment"), "<!-- migrate plan prod -->\nthe plan\n");
    fixture.write("known", "");
    let second = run(&fixture, "comment.sh", &variables);
    assert!(second.status.success(), "{second:?}");
    assert!(text(&fixture, "calls").contains("--method PATCH repos/acme/settings/issues/comments/4711"), "{}", text(&fixture, "calls"));
}

/// Copies a file of the repository into the fixture, where a check may change it.
fn copied(fixture: &Fixture, name: &str) -> String {
    fixture.write("copy.yml", &std::fs::read_to_string(format!("{ROOT}/{name}")).expect("a file"));
    fixture.path("copy.yml").display().to_string()
}

#[test]
fn the_action_and_the_workflow_of_a_release_follow_their_schemas() {
    let fixture = Fixture::small();
    checks("check-jsonschema", &["--builtin-schema", "vendor.github-actions"], &[copied(&fixture, "action.yml")], "using:", "use:");
    let release = copied(&fixture, ".github/workflows/release.yml");
    checks("check-jsonschema", &["--builtin-schema", "vendor.github-workflows"], &[release], "runs-on:", "run-on:");
}

#[test]
fn actionlint_finds_nothing_in_the_workflow_of_a_release() {
    let fixture = Fixture::small();
    check_with_actionlint(&[copied(&fixture, ".github/workflows/release.yml")], "matrix.target", "matrix.tarjet");
}
