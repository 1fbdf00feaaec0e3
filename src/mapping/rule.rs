//! Mapping rules: what they match and what they do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use glob::Pattern;
use serde_json::Value;

use crate::catalog::Kind;
use crate::model::resource::{BETWEEN_PARTS, Key};

/// One rule of a mapping.
#[derive(Debug, Clone)]
pub struct MappingRule {
    /// The position of the rule: `mappings/dev-to-prod.toml:12`.
    pub place: String,
    /// The position without the folder, for attributions: `dev-to-prod.toml:12`.
    pub short_place: Arc<str>,
    /// The byte range of the rule's effect in the file.
    pub at: Range<usize>,
    /// Key patterns, at least one of which must match.
    pub matches: Vec<Pattern>,
    /// The field that the rule changes; `None` for rules about whole resources.
    pub field: Option<String>,
    /// The effect of the rule.
    pub effect: Effect,
}

/// The effect of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The resource is not copied.
    Skip,
    /// The resource has this name in the target.
    Rename(String),
    /// Literal texts are replaced, longest first.
    Replace(Vec<Replacement>),
    /// The field gets this value.
    Set(Value),
    /// The field, or elements of the list, are removed.
    Remove(Removed),
    /// The target keeps its own value.
    Keep,
    /// The field is a secret, read from `env:NAME` or `file:PATH`.
    Secret(String),
}

/// A text and its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The text to look for; never empty.
    pub from: String,
    /// The replacement.
    pub to: String,
    /// The row in its table, without the folder: `hosts.csv:14`. `None` if the rule itself contains the text.
    pub row: Option<Arc<str>>,
}

/// What a rule removes.
#[derive(Debug, Clone, PartialEq)]
pub enum Removed {
    /// The field itself.
    Field,
    /// Every element equal to this.
    Element(Value),
}

/// Formats the rule as the mapping spells it, without its value: `set connections/* options.domain`.
impl fmt::Display for MappingRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.effect {
            Effect::Skip => "skip",
            Effect::Rename(_) => "rename",
            Effect::Replace(_) => "replace",
            Effect::Set(_) => "set",
            Effect::Remove(_) => "remove",
            Effect::Keep => "keep",
            Effect::Secret(_) => "secret",
        };
        let patterns: Vec<&str> = self.matches.iter().map(Pattern::as_str).collect();
        write!(out, "{word} {}", patterns.join(", "))?;
        if let Some(field) = &self.field {
            write!(out, " {field}")?;
        }
        match &self.effect {
            Effect::Rename(name) => write!(out, " to \"{name}\""),
            Effect::Remove(Removed::Element(element)) => write!(out, " {element}"),
            Effect::Replace(rows) => match &rows[..] {
                [Replacement { from, row: None, .. }] => write!(out, " \"{from}\""),
                [Replacement { row: Some(row), .. }, ..] => write!(out, " from {}", row.rsplit_once(':').map_or(&**row, |(file, _)| file)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl MappingRule {
    /// Returns whether the rule matches a resource by its key in the source.
    pub fn is_about(&self, key: &Key) -> bool {
        self.is_about_named(key.kind().name, &key.to_string())
    }

    /// Returns whether the rule matches the resource of this kind and key.
    pub(super) fn is_about_named(&self, kind: &str, key: &str) -> bool {
        self.matches.iter().any(|pattern| pattern.matches(key) || pattern.matches(kind))
    }

    /// Returns whether a rule that matches nothing may leave in the target what it should prevent.
    pub fn is_protective(&self) -> bool {
        matches!(self.effect, Effect::Skip | Effect::Set(_) | Effect::Remove(_) | Effect::Keep)
    }

    /// Returns whether the rule matches every resource of a kind.
    fn is_about_all_of(&self, kind: &str) -> bool {
        let is_whole = |pattern: &Pattern| pattern.as_str().strip_suffix("/*").and_then(|of| Pattern::new(of).ok());
        self.matches.iter().any(|pattern| pattern.matches(kind) || is_whole(pattern).is_some_and(|of| of.matches(kind)))
    }

    /// Returns whether the rule may match resources that a tenant does not return: a whole kind, or all that belongs to
    /// one resource.
    pub(crate) fn may_be_about(&self, unread: &Key) -> bool {
        // A rule about one child does not match the others.
        let of_all_below = |pattern: &Pattern| {
            let (parent, child) = pattern.as_str().split_once(BETWEEN_PARTS)?;
            Pattern::new(parent).ok().filter(|_| child == "*")
        };
        let text = unread.to_string();
        let is_of_parent = || self.matches.iter().filter_map(of_all_below).any(|parent| parent.matches(&text));
        if unread.name().is_empty() { self.is_about_all_of(unread.kind().name) } else { self.is_about(unread) || is_of_parent() }
    }

    /// Returns whether the rule can match some resource of a kind.
    pub(crate) fn is_about_kind(&self, kind: &Kind) -> bool {
        self.matches.iter().any(|pattern| {
            let of_kind = pattern.as_str().split('/').next().unwrap_or_default();
            Pattern::new(of_kind).is_ok_and(|pattern| pattern.matches(kind.name))
        })
    }
}
