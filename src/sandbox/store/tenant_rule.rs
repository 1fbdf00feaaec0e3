//! Rules of a state file: what this tenant refuses or does differently from others.
//!
//! ```text
//! "refuse": [{"method": "PATCH", "path": "/tenants/settings$", "has": "flags.x", "status": 400, "body": {"message": ".."}},
//!            {"method": "PATCH", "path": "/branding$", "lacks": "colors", "then": {"method": "PATCH", "path": "/prompts", "body": {..}}},
//!            {"path": "^/clients", "has": "description", "makes": {"description": "Another"}}]
//! ```
//!
//! `path` is a pattern of the path under `/api/v2`. `has` and `lacks` name a field of the body or of one of its
//! elements; `field=text` also compares its value. A rule without a method applies to all of them. A rule with a status
//! refuses the request; one with `then` executes another request afterwards; one with `makes` replaces these fields of
//! the body, and removes those that are null.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sandbox::http::request::ApiRequest;

/// One rule of a state file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantRule {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    method: String,
    #[serde(with = "pattern")]
    path: Regex,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    has: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lacks: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) body: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) then: Option<FollowUpRequest>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) makes: Map<String, Value>,
}

/// A request that is executed after another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowUpRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) body: Value,
}

mod pattern {
    use regex_lite::Regex;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pattern: &Regex, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(pattern.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
        Regex::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl TenantRule {
    /// Returns whether a request matches the conditions of the rule.
    pub(crate) fn is_about(&self, request: &ApiRequest) -> bool {
        let holds = |field: &Option<String>| field.as_ref().map(|field| holds(&request.body, field));
        (self.method.is_empty() || request.method.as_str() == self.method)
            && self.path.is_match(&request.path)
            && holds(&self.has) != Some(false)
            && holds(&self.lacks) != Some(true)
    }
}

/// Returns whether the body, or one of its elements, has a field, and with `field=text` whether its value is that text.
fn holds(sent: &Value, field: &str) -> bool {
    if let Value::Array(elements) = sent {
        return elements.iter().any(|element| holds(element, field));
    }
    let (path, text) = field.split_once('=').map_or((field, None), |(path, text)| (path, Some(text)));
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(value) = sent.get(name) else { return false };
    match (rest, text) {
        (Some(rest), Some(text)) => holds(value, &format!("{rest}={text}")),
        (Some(rest), None) => holds(value, rest),
        (None, None) => true,
        (None, Some(text)) => value == text || value.as_array().is_some_and(|all| all.iter().any(|one| one == text)),
    }
}
