//! The JSON schema of a mapping, for editors. The file itself is read by hand, for errors that name line and field.

use schemars::JsonSchema;
use serde_json::Value;

/// A mapping: rules for what differs between two tenants, applied from top to bottom.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
pub(crate) struct MappingFile {
    /// The rules.
    #[serde(default)]
    rule: Vec<RuleTable>,
}

/// A rule: the resources that it is about, and the one thing that it does to them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
struct RuleTable {
    /// The resources, as kind/name with the name in the source; `*` matches anything: `clients/Web*`.
    r#match: PatternSetting,
    /// The field, such as `callbacks[]` or `options.client_id`; whole resources are skipped and renamed without one.
    field: Option<String>,
    #[serde(flatten)]
    effect: RuleEffect,
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum PatternSetting {
    /// One pattern.
    One(String),
    /// Several, of which one must match.
    Several(Vec<String>),
}

/// What a rule does.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum RuleEffect {
    /// Leaves the resources out.
    Skip(#[schemars(extend("const" = true))] bool),
    /// Keeps the target's value of the field.
    Keep(#[schemars(extend("const" = true))] bool),
    /// The name in the target; `*` stands for the name in the source.
    Rename(String),
    /// Replaces a text in the field, or everywhere in the resources.
    Replace(ReplaceTable),
    /// Sets the field to this value.
    Set(Value),
    /// Removes the field (`true`), or this element from its list.
    Remove(Value),
    /// Where the secret comes from: `env:NAME` or `file:PATH`.
    Secret(#[schemars(regex(pattern = "^(env|file):.+"))] String),
}

/// What is replaced.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is published, and nothing is read into it")]
enum ReplaceTable {
    /// One text.
    Text {
        /// The text in the source.
        from: String,
        /// The text in the target.
        to: String,
    },
    /// Many texts.
    Table {
        /// A CSV file with the columns `from` and `to`, relative to the mapping.
        table: String,
    },
}
