//! A plan longer than the terminal is shown in the user's pager; other output is not.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::fixture::Fixture;
use crate::support::program::Terminal;

/// A pager that marks each of its lines.
const MARKING: &str = "sed s/^/paged:/";

/// Runs a command line at a terminal of 24 rows with `MARKING` as the pager; returns the output.
fn at_a_terminal(line: &str) -> String {
    paged_by(&Fixture::small(), (MARKING, None), line)
}

/// Runs a command line at a terminal of 24 rows with this pager, and perhaps with options for `less`; returns the output.
fn paged_by(fixture: &Fixture, (pager, less): (&str, Option<&str>), line: &str) -> String {
    let terminal = Terminal::open().of_columns(80);
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(line.split(' ')).stdout(terminal.end()).stderr(Stdio::null());
    fixture.with_environment(&mut command).env("PAGER", pager);
    if let Some(less) = less {
        command.env("LESS", less);
    }
    let mut started = command.spawn().expect("it started");
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
    for line in ["plan --tenant prod --verbose --no-pager", "plan --tenant prod --kinds roles"] {
        let shown = at_a_terminal(line);
        assert!(!shown.is_empty() && !shown.contains("paged:"), "{line}: {shown}");
    }
}

#[test]
fn less_shows_colours_even_if_its_options_are_set() {
    let fixture = Fixture::small();
    fixture.write("bin/less", "#!/bin/sh\necho \"options: $* $LESS\"\n");
    let less = fixture.path("bin/less");
    std::fs::set_permissions(&less, std::fs::Permissions::from_mode(0o755)).expect("it may be executed");
    let less = less.display().to_string();
    assert_eq!(paged_by(&fixture, (&less, Some("-M")), "plan --tenant prod --verbose").trim(), "options: -R -M");
    assert_eq!(paged_by(&fixture, (&less, None), "plan --tenant prod --verbose").trim(), "options:  FRX");
}
