//! Completions in real shells, and the values that they offer.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;
use crate::support::skip::skip;

/// Returns the values that the program offers for the last word of a command line.
fn offered(fixture: &Fixture, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    fixture.with_environment(&mut command);
    let answered = command.arg("--").arg("migrate").args(words).env("COMPLETE", "fish").output().expect("it answers");
    assert!(answered.status.success(), "{answered:?}");
    let lines = String::from_utf8(answered.stdout).expect("text");
    lines.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn values_come_from_what_is_there() {
    let fixture = Fixture::small();
    fixture.run("export --tenant dev --quiet");
    fixture.run("import --tenant prod --allow lockout-risk,weaker-protection --yes --quiet");
    let run = fixture.in_folder("runs").pop().expect("a run");
    let snapshot = fixture.in_folder("snapshots/dev").pop().expect("a snapshot");
    assert_eq!(offered(&fixture, &["export", "--tenant", "p"]), ["prod"]);
    assert_eq!(offered(&fixture, &["diff", "dev"]), ["dev", "dev@latest", &format!("dev@{snapshot}")]);
    assert_eq!(offered(&fixture, &["undo", "2"]), [run]);
    assert_eq!(offered(&fixture, &["show", "la"]), ["last"]);
    assert_eq!(offered(&fixture, &["get", "client-g"]), ["client-grants"]);
    assert_eq!(offered(&fixture, &["export", "--kinds", "clients,client-g"]), ["clients,client-grants"]);
    assert_eq!(offered(&fixture, &["plan", "--only", "clients/S"]), ["clients/Shop"]);
    assert_eq!(offered(&fixture, &["import", "--allow", "dele"]), ["deletes"]);
    assert_eq!(offered(&fixture, &["import", "--allow", "deletes:clients/T"]), ["deletes:clients/Till"]);
    assert_eq!(offered(&fixture, &["schema", "dr"]), ["drift"]);
}

#[test]
fn without_a_configuration_commands_and_flags_are_still_completed() {
    let fixture = Fixture::small();
    fixture.write("migrate.toml", "this is not TOML");
    assert_eq!(offered(&fixture, &["expo"]), ["export"]);
    assert_eq!(offered(&fixture, &["export", "--ten"]), ["--tenant"]);
    assert!(offered(&fixture, &["export", "--tenant", "p"]).is_empty());
}

/// Types a line into an interactive shell that has loaded the completions, presses Tab and waits for the completed line.
fn complete_in(shell: &[&str], load: &str) {
    let fixture = Fixture::small();
    let terminal = Terminal::open().of_columns(120);
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]);
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_migrate")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    fixture.with_environment(&mut command).env("PATH", path).env("TERM", "xterm").env("HOME", fixture.path("")).env("PS1", "ready> ");
    command.stdin(terminal.end()).stdout(terminal.end()).stderr(terminal.end()).process_group(0);
    let Ok(mut started) = command.spawn() else { return skip(&format!("{} is not installed", shell[0])) };
    drop(command);
    terminal.shown_until("ready> ");
    terminal.type_keys(&format!("{load}; echo loa''ded\n"));
    terminal.shown_until("loaded");
    terminal.type_keys("migrate export --tenant pr\t");
    terminal.shown_until("--tenant prod");
    started.kill().and_then(|()| started.wait()).expect("it ended");
}

#[test]
fn bash_completes_the_name_of_a_tenant() {
    complete_in(&["bash", "--norc", "--noprofile", "-i"], "source <(migrate completions bash)");
}

#[test]
fn zsh_completes_the_name_of_a_tenant() {
    complete_in(&["zsh", "-f", "-i"], "autoload -U compinit; compinit -u; source <(migrate completions zsh)");
}

#[test]
fn fish_completes_the_name_of_a_tenant() {
    let fixture = Fixture::small();
    let mut command = Command::new("fish");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_migrate")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    fixture.with_environment(&mut command).env("PATH", path).env("HOME", fixture.path(""));
    command.args(["--no-config", "-c", "migrate completions fish | source; complete -C 'migrate export --tenant pr'"]);
    let Ok(answered) = command.stdin(Stdio::null()).output() else { return skip("fish is not installed") };
    assert_eq!(String::from_utf8_lossy(&answered.stdout).trim(), "prod", "{answered:?}");
}

#[test]
fn man_pages_of_all_commands_are_rendered_without_warnings() {
    let fixture = Fixture::small();
    fixture.run("man pages --quiet");
    let pages = fixture.in_folder("pages");
    assert!(pages.contains(&"migrate.1".to_owned()) && pages.contains(&"migrate-import.1".to_owned()), "{pages:?}");
    let import = std::fs::read_to_string(fixture.path("pages/migrate-import.1")).expect("a page");
    assert!(import.contains("Examples:") && import.contains("migrate import \\-\\-tenant prod \\-\\-dry\\-run"), "{import}");
    for page in pages {
        let mut command = Command::new("groff");
        command.args(["-man", "-ww", "-z", "-Tutf8"]).arg(fixture.path(&format!("pages/{page}")));
        let Ok(rendered) = command.output() else { return skip("groff is not installed") };
        let told = String::from_utf8_lossy(&rendered.stderr);
        assert!(rendered.status.success() && told.is_empty(), "{page}: {told}");
    }
}
