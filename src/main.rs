//! The `migrate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(migrate::cli::run(std::env::args_os()))
}
