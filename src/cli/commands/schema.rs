//! `migrate schema`

use clap::Args;

use crate::cli::error::{Failure, USAGE};
use crate::cli::terminal::print_json;
use crate::diagnostic::did_you_mean;
use crate::report::schemas;

/// Print the JSON schema of an answer
///
/// Every JSON answer has the number `format`, which is raised when a field is removed or changes its meaning.
#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// The answer: plan (also of a dry run), run (of an import, undo or restore), drift or diff
    #[arg(value_name = "ANSWER")]
    name: String,
}

impl SchemaArgs {
    pub(in crate::cli) fn run(&self) -> Result<u8, Failure> {
        let all = schemas();
        let Some((_, schema)) = all.iter().find(|(name, _)| *name == self.name) else {
            let names = all.each_ref().map(|(name, _)| *name);
            let error = format!("no schema \"{}\"; there are {}", self.name, names.join(", "));
            return Err(Failure::new(USAGE, error).hint(did_you_mean(&self.name, &names)));
        };
        print_json(schema);
        Ok(0)
    }
}
