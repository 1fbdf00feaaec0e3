//! `migrate schema`

use clap::Args;
use serde_json::Value;

use super::approve::ApproveAnswer;
use super::kinds::KindsAnswer;
use super::link::LinkAnswer;
use super::mapping::SuggestAnswer;
use super::schedule::ScheduleAnswer;
use super::scopes::ScopesAnswer;
use super::validate::ValidateAnswer;
use crate::apply::journal::Entry;
use crate::cli::error::{Failure, USAGE};
use crate::cli::terminal::print_json;
use crate::config::ConfigurationFile;
use crate::diagnostic::did_you_mean;
use crate::mapping::MappingFile;
use crate::plan::file::PlanFile;
use crate::report::{answer_schema, read_schema, schemas, written_schema};
use crate::snapshot::{KindFile, Manifest};
use crate::state::baseline::BaselineFile;
use crate::state::fingerprints::FingerprintsFile;
use crate::state::pair::PairFile;
use crate::workflow::KeptSnapshots;

/// Print the JSON schema of a file or an answer
///
/// Files that you write, so that editors can complete and check them: config (migrate.toml) and mapping. Files that migrate writes: snapshot
/// (manifest.json) and kind (KIND.json beside it), saved-plan (plan.json), journal (a line of journal.jsonl), run-snapshots (snapshots.json
/// of a run), pair, baseline and fingerprints (in state/). Answers of --output json: named after the command. Every JSON answer has the
/// number `format`, which is raised when a field is removed or changes its meaning.
#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// The file or answer; without it, their names are listed
    #[arg(value_name = "SCHEMA")]
    name: Option<String>,
}

impl SchemaArgs {
    pub(in crate::cli) fn run(&self) -> Result<u8, Failure> {
        let all = published();
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let Some(name) = &self.name else {
            crate::cli::terminal::print(&format!("{}\n", names.join("\n")));
            return Ok(0);
        };
        let Some((_, schema)) = all.iter().find(|(known, _)| known == name) else {
            let error = format!("no schema \"{name}\"; there are {}", names.join(", "));
            return Err(Failure::new(USAGE, error).hint(did_you_mean(name, &names)));
        };
        print_json(schema);
        Ok(0)
    }
}

/// Returns every published schema, by name.
pub(in crate::cli) fn published() -> Vec<(&'static str, Value)> {
    let files = [
        ("config", read_schema::<ConfigurationFile>("migrate.toml")),
        ("mapping", read_schema::<MappingFile>("A mapping: mappings/NAME.toml")),
        ("snapshot", written_schema::<Manifest>("The manifest of a snapshot: manifest.json")),
        ("kind", written_schema::<KindFile>("The resources of a kind in a snapshot: KIND.json")),
        ("saved-plan", written_schema::<PlanFile<'static>>("A saved plan: plan.json")),
        ("journal", written_schema::<Entry>("A line of the journal of a run: journal.jsonl")),
        ("run-snapshots", written_schema::<KeptSnapshots>("The snapshots that a run needs: snapshots.json in its folder")),
        ("pair", written_schema::<PairFile>("The pair that a state folder belongs to: state/SOURCE/TARGET/pair.json")),
        ("baseline", written_schema::<BaselineFile>("What was last applied: state/SOURCE/TARGET/baseline.json")),
        ("fingerprints", written_schema::<FingerprintsFile>("Fingerprints of sent secrets: state/SOURCE/TARGET/fingerprints.json")),
    ];
    let answers = [
        ("validate", answer_schema::<ValidateAnswer<'static>>("A valid configuration: `migrate validate --output json`")),
        ("approve", answer_schema::<ApproveAnswer<'static>>("An approval: `migrate approve --output json`")),
        ("suggest", answer_schema::<SuggestAnswer<'static>>("A suggested mapping: `migrate mapping suggest --output json`")),
        ("link", answer_schema::<LinkAnswer<'static>>("A link: `migrate link --output json`")),
        ("kinds", answer_schema::<KindsAnswer<'static>>("The kinds of settings: `migrate kinds --output json`")),
        ("scopes", answer_schema::<ScopesAnswer<'static>>("Scopes: `migrate scopes --output json`")),
        ("schedule", answer_schema::<ScheduleAnswer<'static>>("The files of a schedule: `migrate schedule --output json`")),
    ];
    files.into_iter().chain(schemas()).chain(answers).collect()
}

/// Returns the text of the file of a published schema.
pub(super) fn schema_text(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).expect("JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn published_schemas_are_those_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
        for (name, schema) in published() {
            let path = folder.join(format!("{name}.schema.json"));
            let text = schema_text(&schema);
            if std::env::var_os("UPDATE_PAGES").is_some() {
                std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &text)).expect("written");
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(published, text, "{}: run this test with UPDATE_PAGES=1", path.display());
        }
    }
}
