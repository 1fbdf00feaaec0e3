//! `migrate man`

use std::path::PathBuf;

use clap::Args;

use crate::cli::command_line;
use crate::cli::context::Context;
use crate::cli::error::Failure;
use crate::files;
use crate::report::count;

/// Write the man pages into a folder
///
/// One page for migrate and one for each command, such as migrate-import.1. Existing pages are replaced.
#[derive(Debug, Args)]
pub(in crate::cli) struct ManArgs {
    /// The folder, for example ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl ManArgs {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<u8, Failure> {
        let mut command = command_line().disable_help_subcommand(true);
        command.build();
        let mut pages = Vec::new();
        add_pages(&command, &mut pages);
        for (name, page) in &pages {
            files::write_whole(&self.folder.join(name), page)?;
        }
        context.tell(&format!("{} in {}", count(pages.len(), "man page"), self.folder.display()));
        Ok(0)
    }
}

/// Renders the page of a command and those of its subcommands.
fn add_pages(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let page = clap_mangen::Man::new(command.clone()).manual("migrate");
    let mut text = Vec::new();
    page.render(&mut text).expect("memory takes everything");
    pages.push((page.get_filename(), text));
    command.get_subcommands().filter(|command| !command.is_hide_set()).for_each(|command| add_pages(command, pages));
}
