//! Finds rules that matched nothing, and suggests what they probably meant.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::nearest::Approximate;
use super::parse::Mapping;
use super::rule::{Effect, MappingRule, Removed, Replacement};
use crate::catalog::Catalog;
use crate::diagnostic;
use crate::json::{Body, join};
use crate::model::resource::{Key, Resource};
use crate::model::unmatched_rule::{MissingPart, UnmatchedRule};
use crate::snapshot::{Snapshot, Status};

/// The maximum number of resources in which a similar field or text is searched; more of the same kind would add
/// nothing new.
const MOST_SEARCHED: usize = 500;
/// The maximum number of characters in which a similar text is searched.
const MOST_CHARACTERS: usize = 1 << 20;

/// How often a rule matched.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Matched {
    /// The number of resources.
    pub(super) resources: usize,
    /// The number of values in them, or of the resources if the rule is about whole ones.
    pub(super) values: usize,
}

/// Returns the rules that matched nothing. `source` must still have the keys of the source, without skipped resources.
pub(super) fn unmatched<'rules>(
    catalog: &Catalog,
    rules: impl Iterator<Item = (&'rules MappingRule, Matched)>,
    source: &Snapshot,
    skipped: &HashMap<Key, Arc<str>>,
) -> Vec<UnmatchedRule> {
    let idle = rules.filter(|(rule, matched)| matched.values == 0 && is_decidable(catalog, rule, source));
    let finding = |(rule, matched): (&MappingRule, Matched)| {
        let about: Vec<&Resource> = match matched.resources {
            0 => Vec::new(),
            _ => source.resources.iter().filter(|resource| rule.is_about(&resource.key)).take(MOST_SEARCHED).collect(),
        };
        let missing = if matched.resources == 0 { MissingPart::Resource } else { missing(rule, &about) };
        let nearest = match missing {
            MissingPart::Resource => {
                let keys: Vec<&Key> = source.resources.iter().map(|resource| &resource.key).chain(skipped.keys()).collect();
                rule.matches.iter().find_map(|pattern| nearest_resource(pattern.as_str(), &keys))
            }
            MissingPart::Field => nearest_field(rule.field.as_deref().unwrap_or_default(), &about),
            MissingPart::Element => nearest_element(rule, &about),
            MissingPart::Text => nearest_text(rule, &about),
        };
        UnmatchedRule { place: rule.place.clone(), rule: rule.to_string(), is_protective: rule.is_protective(), missing, nearest }
    };
    idle.map(finding).collect()
}

impl Mapping {
    /// Returns the rules that matched nothing in the target either: a kept value may exist only there.
    pub fn unmatched_in_both(&self, unmatched: Vec<UnmatchedRule>, live: &Snapshot) -> Vec<UnmatchedRule> {
        let keeps_something = |rule: &MappingRule| {
            let kept = rule.field.as_deref().filter(|_| rule.effect == Effect::Keep);
            let is_about = |resource: &&Resource| rule.is_about_kind(resource.key.kind());
            kept.is_some_and(|field| live.resources.iter().filter(is_about).any(|held| !held.body.open().find(field).is_empty()))
        };
        let is_idle = |finding: &UnmatchedRule| {
            let is_of_field = finding.missing == MissingPart::Field;
            !is_of_field || !self.rules.iter().any(|rule| rule.place == finding.place && keeps_something(rule))
        };
        unmatched.into_iter().filter(is_idle).collect()
    }
}

/// Returns whether everything that a rule may match was read.
fn is_decidable(catalog: &Catalog, rule: &MappingRule, source: &Snapshot) -> bool {
    let is_chosen = |kind: &str| matches!(source.kinds.get(kind), None | Some(Status::Selected(_)));
    let is_partial = catalog.kinds().any(|kind| is_chosen(kind.name) && rule.is_about_kind(kind));
    !is_partial && !source.unread().any(|(key, _)| rule.may_be_about(&key))
}

fn missing(rule: &MappingRule, about: &[&Resource]) -> MissingPart {
    let has_field = |field: &str| about.iter().any(|resource| !resource.body.open().find(field).is_empty());
    match (&rule.effect, rule.field.as_deref()) {
        (Effect::Replace(_), Some(field)) if !has_field(field) => MissingPart::Field,
        (Effect::Replace(_), _) => MissingPart::Text,
        (Effect::Remove(Removed::Element(_)), Some(field)) if has_field(field) => MissingPart::Element,
        _ => MissingPart::Field,
    }
}

/// Returns the name most similar to that of a pattern, with its kind if that differs.
pub fn nearest_resource(pattern: &str, keys: &[&Key]) -> Option<String> {
    let (kinds, name) = pattern.split_once('/')?;
    let of_kind = glob::Pattern::new(kinds).ok()?;
    let near = Approximate::pattern(name).nearest(keys.iter().filter(|key| of_kind.matches(key.kind().name)).map(|key| key.name()));
    near.or_else(|| {
        let named = glob::Pattern::new(name).ok().filter(|_| name.chars().any(char::is_alphanumeric))?;
        let other = keys.iter().filter(|key| named.matches(key.name())).map(|key| key.kind().name).min()?;
        Some(format!("{other}/{name}"))
    })
}

fn nearest_field(field: &str, about: &[&Resource]) -> Option<String> {
    let mut paths = Vec::new();
    for resource in about {
        each_path(&resource.body.open(), &mut paths);
        paths.sort();
        paths.dedup();
    }
    let near = diagnostic::nearest(field, paths.iter().map(String::as_str));
    near.filter(|near| *near != field).map(str::to_owned)
}

/// Adds the path of every field of a body, with `[]` for lists.
fn each_path(body: &Body, paths: &mut Vec<String>) {
    fn below(path: &str, value: &Value, paths: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                let path = join(path, name);
                paths.push(path.clone());
                below(&path, value, paths);
            }),
            Value::Array(list) => list.iter().for_each(|element| below(&format!("{path}[]"), element, paths)),
            _ => {}
        }
    }
    for (name, value) in &body.0 {
        paths.push(name.clone());
        below(name, value, paths);
    }
}

fn nearest_element(rule: &MappingRule, about: &[&Resource]) -> Option<String> {
    let (Effect::Remove(Removed::Element(Value::String(element))), Some(field)) = (&rule.effect, &rule.field) else { return None };
    let list = format!("{}[]", field.trim_end_matches("[]"));
    let mut elements = Vec::new();
    for resource in about {
        let body = resource.body.open();
        elements.extend(body.find(&list).into_iter().filter_map(|(_, value)| value.as_str().map(str::to_owned)));
    }
    Approximate::name(element).nearest(elements.iter().map(String::as_str))
}

/// Returns the text most similar to the one that a rule replaces; `None` for tables.
fn nearest_text(rule: &MappingRule, about: &[&Resource]) -> Option<String> {
    let Effect::Replace(rows) = &rule.effect else { return None };
    let [Replacement { from, row: None, .. }] = &rows[..] else { return None };
    let (mut texts, mut room) = (Vec::new(), MOST_CHARACTERS / from.len().max(1));
    for resource in about {
        resource.body.open().each_text(&mut |path, text| {
            let is_meant = rule.field.as_deref().is_none_or(|field| crate::json::covers(field, path));
            if is_meant && text.len() <= room {
                room -= text.len();
                texts.push(text.to_owned());
            }
        });
    }
    Approximate::within(from).nearest(texts.iter().map(String::as_str))
}
