//! Generates mapping rules that accept what a target refused.

use std::collections::HashSet;

use serde_json::Value;

use crate::apply::Summary;
use crate::catalog::{Kind, Shape};
use crate::model::resource::Key;
use crate::plan::parse_element_part;

/// A mapping rule that accepts a refusal, as lines of TOML.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct AcceptingRule {
    /// The line that matches the resource.
    pub(super) resource: String,
    /// The line with the field.
    pub(super) field: String,
    /// The line with the effect.
    pub(super) action: String,
}

/// Returns the rules that accept the refusals of a run, without duplicates.
pub(super) fn accepting_rules(summary: &Summary) -> Vec<AcceptingRule> {
    let mut seen = HashSet::new();
    let refused = summary.settled.iter().flat_map(|one| one.outcome.shortfall().into_iter().map(move |short| (one, short)));
    let rules = refused.flat_map(|(one, short)| short.parts.iter().map(move |part| rule(&one.key, part)));
    rules.filter(|rule| seen.insert(rule.clone())).collect()
}

fn rule(key: &Key, part: &str) -> AcceptingRule {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let rule = |field: &str, action: String| AcceptingRule {
        resource: format!("match = {}", quoted(&glob::Pattern::escape(&key.to_string()))),
        field: format!("field = {}", quoted(field)),
        action,
    };
    let list = Some(key.kind()).filter(|kind| matches!(kind.shape, Shape::Child { .. })).map(Kind::elements);
    match (list, parse_element_part(part)) {
        (Some(list), _) => rule(list, "keep = true".to_owned()),
        (None, Some((path, Value::String(element)))) => rule(&format!("{path}[]"), format!("remove = {}", quoted(&element))),
        (None, _) => rule(part, "keep = true".to_owned()),
    }
}
