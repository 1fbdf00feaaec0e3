//! The JSON schemas of answers and reports, from the types that write them.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::checkup::CheckupFields;
use super::compared::ComparedFields;
use super::explained::ExplainFields;
use super::ids::IdsFields;
use super::json::{Answer, DriftFields, ErrorFields, ExportFields, PlanFields, RunFields, to_json};
use super::probe::ProbedFields;
use super::rehearsal::RehearsalAnswer;
use super::resource_list::ResourceList;
use super::runs::{RunsFields, ShownFields};
use super::set_up::SetUpFields;
use super::snapshots::{PrunedFields, SnapshotsFields};
use super::sync::SyncFields;

/// Returns the JSON schemas of the answers that this module writes, by name.
pub(crate) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("plan", answer_schema::<PlanFields<'static>>("A plan: `migrate plan --output json`")),
        ("run", answer_schema::<RunFields<'static>>("A run: `migrate import --output json`")),
        ("rehearsal", answer_schema::<RehearsalAnswer<'static>>("A rehearsal: `migrate import --rehearse --output json`")),
        ("sync", answer_schema::<SyncFields<'static>>("A sync: `migrate sync --output json`")),
        ("export", answer_schema::<ExportFields<'static>>("An export: `migrate export --output json`")),
        ("explain", answer_schema::<ExplainFields<'static>>("Explanations: `migrate explain --output json`")),
        ("drift", answer_schema::<DriftFields<'static>>("Drift: `migrate drift --output json`")),
        ("diff", answer_schema::<ComparedFields<'static>>("A comparison: `migrate diff --output json`")),
        ("snapshots", answer_schema::<SnapshotsFields<'static>>("Snapshots: `migrate snapshots --output json`")),
        ("pruned", answer_schema::<PrunedFields>("Deleted snapshots: `migrate snapshots prune --output json`")),
        ("runs", answer_schema::<RunsFields<'static>>("Past runs: `migrate runs --output json`")),
        ("show", answer_schema::<ShownFields<'static>>("A past run: `migrate show --output json`")),
        ("probe", answer_schema::<ProbedFields<'static>>("A probe: `migrate probe --output json`")),
        ("ids", answer_schema::<IdsFields<'static>>("Ids: `migrate ids --output json`")),
        ("get", answer_schema::<ResourceList<'static>>("The resources of a kind: `migrate get KIND --output json`")),
        ("doctor", answer_schema::<CheckupFields<'static>>("A checkup: `migrate doctor --output json`")),
        ("init", answer_schema::<SetUpFields<'static>>("A new configuration: `migrate init --output json`")),
        ("error", answer_schema::<ErrorFields>("A failure of any command with `--output json`")),
    ]
}

/// Returns the schema of an answer with these fields.
pub(crate) fn answer_schema<Fields: JsonSchema + 'static>(title: &str) -> Value {
    written_schema::<Answer<'static, Fields>>(title)
}

/// Returns the schema of a file that this program writes.
pub(crate) fn written_schema<Content: JsonSchema>(title: &str) -> Value {
    titled::<Content>(SchemaSettings::draft2020_12().for_serialize(), title)
}

/// Returns the schema of a file that people write, of an early draft: Taplo, which completes TOML in editors, promises no later one than
/// draft 4 (its page "Developing schemas").
pub(crate) fn read_schema<Content: JsonSchema>(title: &str) -> Value {
    titled::<Content>(SchemaSettings::draft07().for_deserialize(), title)
}

fn titled<Content: JsonSchema>(settings: SchemaSettings, title: &str) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<Content>();
    schema.insert("title".to_owned(), title.into());
    to_json(&schema)
}
