//! `migrate completions`

use std::io;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::cli::error::{FAILED, Failure};
use crate::cli::help::{SHELLS, registration};

/// Print completions for a shell
///
/// Completes commands, flags, and the names of your tenants, kinds, snapshots, runs, guards and resources. Load the completions when the shell
/// starts, so that they match the installed version.
#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(SHELLS))]
    shell: String,
}

impl CompletionsArgs {
    pub(in crate::cli) fn run(&self) -> Result<u8, Failure> {
        let failed = |source: io::Error| Failure::new(FAILED, "cannot print the completions").caused_by(&source);
        registration(&self.shell, &mut io::stdout().lock()).map_err(failed)?;
        Ok(0)
    }
}
