//! The demo, as a new user runs it.

use std::process::Command;

use crate::support::request_recording::recording;

#[test]
fn the_demo_imports_once_and_then_has_nothing_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_migrate"));
    recording(demo.args(["demo", "--into"]).arg(folder.path()).env_clear()).current_dir(folder.path());
    let ended = demo.output().expect("the demo ran");
    let (answer, status) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{answer}{status}");
    assert!(answer.contains("Applied ") && answer.contains("Nothing to do."), "{answer}");
    assert!(answer.contains("Review first") && answer.contains("LOCKOUT"), "{answer}");
    assert!(status.contains(&format!("are in {}", folder.path().display())), "{status}");
    assert!(folder.path().join("state/dev/prod/links.csv").is_file());
}
