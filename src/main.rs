//! The `migrate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(auth0_migrate::cli::run(std::env::args_os()))
}
