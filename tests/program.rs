//! The real program in a folder of its own, between two sandboxes of the test.

use std::path::Path;
use std::process::Command;

use migrate::sandbox::Sandbox;

/// Writes a configuration of both tenants, in which dev is the source of prod.
pub(crate) fn configure(folder: &Path, dev: &Sandbox, prod: &Sandbox) {
    let tenant = |name: &str, sandbox: &Sandbox| {
        format!("[tenants.{name}]\ndomain = \"{}\"\nurl = \"{}\"\n", sandbox.state().domain(), sandbox.url())
    };
    let configuration = tenant("dev", dev) + &tenant("prod", prod) + "source = \"dev\"\n";
    std::fs::write(folder.join("migrate.toml"), configuration).expect("written");
}

/// Returns a command line, its words separated by one space, that signs in as `id` with `secret`.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(line.split(' ')).current_dir(folder).env_clear();
    for tenant in ["DEV", "PROD"] {
        command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), "id").env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), "secret");
    }
    command
}
