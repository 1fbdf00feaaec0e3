//! The JSON schemas of answers, from the types that write them.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::compared::ComparedFields;
use super::json::{Answer, DriftFields, PlanFields, RunFields, to_json};

/// Returns the JSON schemas of the answers about plans, runs, drift and comparisons, by name.
pub(crate) fn schemas() -> [(&'static str, Value); 4] {
    [
        ("plan", schema::<PlanFields<'static>>("A plan: `migrate plan --output json`")),
        ("run", schema::<RunFields<'static>>("A run: `migrate import --output json`")),
        ("drift", schema::<DriftFields<'static>>("Drift: `migrate drift --output json`")),
        ("diff", schema::<ComparedFields<'static>>("A comparison: `migrate diff --output json`")),
    ]
}

/// Returns the schema of an answer with these fields.
fn schema<Fields: JsonSchema + 'static>(title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Answer<'static, Fields>>();
    schema.insert("title".to_owned(), title.into());
    to_json(&schema)
}
