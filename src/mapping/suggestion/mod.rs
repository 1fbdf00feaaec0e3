//! Suggests rules for what differs between a source and a target, each with its evidence. Pure: the decision is that of a person.
//!
//! ```text
//! hosts.rs   hosts that the target has in the place of the source's, and addresses of developers
//! names.rs   resources that are called differently, and the words that name a tenant
//! values.rs  metadata with another value, and texts that name the source
//! text.rs    the suggestions as a mapping, with their evidence as comments
//! ```
//!
//! Only what both tenants show is suggested: a host, a name or a value that has no counterpart in the target is left to a person.

mod hosts;
mod names;
mod text;
mod values;

use std::collections::HashMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Mapping, MappingRule};
use crate::catalog::Catalog;
use crate::diagnostic::Text;
use crate::files;
use crate::model::resource::{Key, Resource};
use crate::snapshot::Snapshot;

pub use text::suggested_mapping;

/// A suggested rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// The key patterns.
    pub matches: Vec<String>,
    /// The field, if the rule is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the rule does.
    #[serde(flatten)]
    pub effect: SuggestedEffect,
    /// What in the two tenants speaks for it.
    pub evidence: String,
}

/// What a suggested rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestedEffect {
    /// A text is replaced.
    Replace {
        /// The text in the source.
        from: String,
        /// The text in the target.
        to: String,
    },
    /// The resource has this name in the target.
    Rename(String),
    /// This element is removed from the list.
    Remove(String),
    /// The target keeps its own value.
    Keep(bool),
}

/// The two tenants whose differences are looked at.
struct Tenants<'seen> {
    source: &'seen Snapshot,
    target: &'seen Snapshot,
    /// The resources that both have, source first.
    pairs: Vec<(&'seen Resource, &'seen Resource)>,
    /// The words that name the source and not the target: `dev`.
    source_words: Vec<&'seen str>,
    /// The words that name the target and not the source: `prod`.
    target_words: Vec<&'seen str>,
}

impl<'seen> Tenants<'seen> {
    fn new(source: &'seen Snapshot, target: &'seen Snapshot) -> Self {
        let held: HashMap<&Key, &Resource> = copied(target).map(|resource| (&resource.key, resource)).collect();
        let pairs = copied(source).filter_map(|wanted| Some((wanted, *held.get(&wanted.key)?))).collect();
        let (source_words, target_words) = (names::words_of(source, target), names::words_of(target, source));
        Self { source, target, pairs, source_words, target_words }
    }
}

/// Returns the resources that are settings of the tenant: not migrate's own client, and not excluded ones.
fn copied(snapshot: &Snapshot) -> impl Iterator<Item = &Resource> {
    snapshot.resources.iter().filter(|resource| resource.excluded.is_none() && resource.reserved.is_none())
}

/// Returns rules for what differs between two tenants, except what a mapping already covers. Each rule is valid and matches something.
#[must_use]
pub fn suggestions(catalog: &Catalog, (source, target): (&Snapshot, &Snapshot), mapping: &Mapping) -> Vec<Suggestion> {
    let tenants = Tenants::new(source, target);
    let hosts = hosts::suggestions(&tenants);
    let values = values::suggestions(&tenants, &hosts);
    let all = [hosts::addresses_of_developers(&tenants), hosts, names::suggestions(&tenants), values].concat();
    let is_new = |suggestion: &Suggestion| !mapping.rules.iter().any(|rule| covers(rule, suggestion));
    all.into_iter().filter(is_new).filter(|suggestion| matches_something(catalog, source, suggestion)).collect()
}

/// Returns whether a rule already says something about what a suggestion is about.
fn covers(rule: &MappingRule, suggestion: &Suggestion) -> bool {
    use super::Effect;
    let is_about = || suggestion.matches.iter().any(|pattern| rule.matches.iter().any(|of| of.as_str() == pattern || of.matches(pattern)));
    match (&rule.effect, &suggestion.effect) {
        (Effect::Replace(rows), SuggestedEffect::Replace { from, .. }) => {
            rows.iter().any(|row| row.from == *from || row.from.contains(from.as_str()) || from.contains(&row.from))
        }
        (Effect::Skip | Effect::Rename(_), SuggestedEffect::Rename(_)) | (Effect::Skip, SuggestedEffect::Keep(_)) => is_about(),
        (Effect::Remove(super::Removed::Element(element)), SuggestedEffect::Remove(text)) => element == text,
        (_, SuggestedEffect::Keep(_)) => rule.field == suggestion.field && is_about(),
        _ => false,
    }
}

/// Returns whether a suggestion is a valid mapping that matches something in the source.
fn matches_something(catalog: &Catalog, source: &Snapshot, suggestion: &Suggestion) -> bool {
    let text = text::rule(suggestion);
    let no_table = |path: &Path| Err(files::Error::reading(path)(std::io::ErrorKind::NotFound.into()));
    let parsed = Mapping::parse(catalog, Text { path: Path::new("suggested.toml"), text: &text }, &no_table);
    let applied = parsed.ok().and_then(|mapping| mapping.apply(catalog, source.clone()).ok());
    applied.is_some_and(|mapped| mapped.unmatched.is_empty())
}

/// Returns a pattern that matches exactly this key.
fn pattern_of(key: &Key) -> String {
    glob::Pattern::escape(&key.to_string())
}

/// Returns the first names of a list: `a, b and 3 more`.
fn enumerated(names: impl IntoIterator<Item = String>) -> String {
    const NAMED: usize = 3;
    let names: Vec<String> = names.into_iter().collect();
    match names.len() {
        0..=NAMED => names.join(", "),
        all => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
    }
}
