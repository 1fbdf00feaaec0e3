//! The real program in a folder of its own, between two sandboxes of the test.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use migrate::sandbox::Sandbox;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Writes a configuration of both tenants, in which dev is the source of prod.
pub(crate) fn configure(folder: &Path, dev: &Sandbox, prod: &Sandbox) {
    let tenant = |name: &str, sandbox: &Sandbox| {
        format!("[tenants.{name}]\ndomain = \"{}\"\nurl = \"{}\"\n", sandbox.state().domain(), sandbox.url())
    };
    let configuration = tenant("dev", dev) + &tenant("prod", prod) + "source = \"dev\"\n";
    std::fs::write(folder.join("migrate.toml"), configuration).expect("written");
}

/// Returns what a program reads that was started at a terminal, at which somebody sits and types nothing.
pub(crate) fn keyboard() -> Stdio {
    static TERMINAL: OnceLock<OwnedFd> = OnceLock::new();
    let terminal = TERMINAL.get_or_init(|| {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("unlocked");
        terminal
    });
    let name = ptsname(terminal, Vec::new()).expect("its name");
    rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("opened").into()
}

/// Returns a command line, its words separated by one space, that is typed at a terminal and signs in as `id` with `secret`.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(line.split(' ')).current_dir(folder).env_clear().stdin(keyboard());
    for tenant in ["DEV", "PROD"] {
        command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), "id").env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), "secret");
    }
    command
}
