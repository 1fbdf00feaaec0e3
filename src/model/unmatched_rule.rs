//! Mapping rules that matched nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A mapping rule that matched nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnmatchedRule {
    /// Where the rule is: `mappings/dev-to-prod.toml:41`.
    pub place: String,
    /// The rule as the mapping spells it: `skip clients/Analitics*`.
    pub rule: String,
    /// Whether the rule protects the target (it skips, sets, removes or keeps something), so that the target
    /// may get what the rule should prevent.
    pub is_protective: bool,
    /// What the rule looked for but did not find.
    #[serde(default)]
    pub missing: MissingPart,
    /// The most similar name, field or text that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

/// What a rule looked for but did not find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingPart {
    /// A resource.
    #[default]
    Resource,
    /// The field, in the resources that it matches.
    Field,
    /// The element of the list, in the resources that it matches.
    Element,
    /// The text to replace, in the resources that it matches.
    Text,
}

impl fmt::Display for MissingPart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Resource => "matches no resource",
            Self::Field => "matches resources, but none has the field",
            Self::Element => "matches resources, but none has the element",
            Self::Text => "matches resources, but none has the text",
        })
    }
}

/// Formats the finding in one line: the rule, what it did not find, and the most similar match.
impl fmt::Display for UnmatchedRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} {}", self.place, self.rule, self.missing)?;
        self.nearest.iter().try_for_each(|nearest| write!(out, "; did you mean \"{nearest}\"?"))
    }
}
