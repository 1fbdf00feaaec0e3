//! A plan longer than the terminal is shown in the user's pager; other output is not.

use std::process::{Command, Stdio};

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

/// A pager that marks each of its lines.
const MARKING: &str = "sed s/^/paged:/";

/// Runs a command line at a terminal of 24 rows with `MARKING` as the pager; returns the output.
fn at_a_terminal(line: &str) -> String {
    let fixture = Fixture::small();
    let terminal = Terminal::open().of_columns(80);
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(line.split(' ')).env("PAGER", MARKING).stdout(terminal.end()).stderr(Stdio::null());
    let mut started = fixture.with_environment(&mut command).spawn().expect("it started");
    // The command holds the terminal open as well.
    drop(command);
    let shown = terminal.shown();
    started.wait().expect("it ended");
    shown
}

#[test]
fn a_plan_longer_than_the_terminal_is_paged_completely() {
    let shown = at_a_terminal("plan --tenant prod --verbose");
    assert!(shown.lines().count() >= 24, "{shown}");
    assert!(shown.lines().all(|line| line.starts_with("paged:")), "{shown}");
}

#[test]
fn a_plan_that_fits_or_with_no_pager_is_not_paged() {
    for line in ["plan --tenant prod --verbose --no-pager", "plan --tenant prod --only roles/none"] {
        let shown = at_a_terminal(line);
        assert!(!shown.is_empty() && !shown.contains("paged:"), "{line}: {shown}");
    }
}
