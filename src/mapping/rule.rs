//! What a rule matches and does.

use glob::Pattern;
use serde_json::Value;

use crate::catalog::Kind;
use crate::model::resource::{BETWEEN_PARTS, Key};

/// One rule of a mapping.
#[derive(Debug, Clone)]
pub struct MappingRule {
    /// Where it stands: `mappings/dev-to-prod.toml:12`.
    pub place: String,
    /// Key globs, one of which must match.
    pub matches: Vec<Pattern>,
    /// The field it is about; absent for rules about the whole resource.
    pub field: Option<String>,
    /// What it does.
    pub effect: Effect,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The resource is not copied.
    Skip,
    /// The resource is called this in the target.
    Rename(String),
    /// Literal texts are replaced, the longest first.
    Replace(Vec<(String, String)>),
    /// The field holds this value.
    Set(Value),
    /// The field, or elements of the list, go.
    Remove(Removed),
    /// The target's own value stands.
    Keep,
    /// The field is a secret that comes from `env:NAME` or `file:PATH`.
    Secret(String),
}

/// What a rule removes.
#[derive(Debug, Clone, PartialEq)]
pub enum Removed {
    /// The field itself.
    Field,
    /// Every element equal to this.
    Element(Value),
}

impl MappingRule {
    /// Returns whether the rule is about this resource, by the key it has in the source.
    pub fn is_about(&self, key: &Key) -> bool {
        let text = key.to_string();
        self.matches.iter().any(|pattern| pattern.matches(&text) || pattern.matches(key.kind()))
    }

    /// Returns whether the rule is about every resource of a kind.
    fn is_about_all_of(&self, kind: &str) -> bool {
        let is_whole = |pattern: &Pattern| pattern.as_str().strip_suffix("/*").and_then(|of| Pattern::new(of).ok());
        self.matches.iter().any(|pattern| pattern.matches(kind) || is_whole(pattern).is_some_and(|of| of.matches(kind)))
    }

    /// Returns whether the rule may be about what a tenant does not show: a whole kind, or all that belongs to one resource.
    pub(crate) fn may_be_about(&self, unread: &Key) -> bool {
        // A rule about one child says nothing of the others.
        let of_all_below = |pattern: &Pattern| {
            let (parent, child) = pattern.as_str().split_once(BETWEEN_PARTS)?;
            Pattern::new(parent).ok().filter(|_| child == "*")
        };
        let text = unread.to_string();
        let is_of_parent = || self.matches.iter().filter_map(of_all_below).any(|parent| parent.matches(&text));
        if unread.name().is_empty() { self.is_about_all_of(unread.kind()) } else { self.is_about(unread) || is_of_parent() }
    }

    /// Returns whether the rule can be about any resource of a kind.
    pub(crate) fn is_about_kind(&self, kind: &Kind) -> bool {
        self.matches.iter().any(|pattern| {
            let of_kind = pattern.as_str().split('/').next().unwrap_or_default();
            Pattern::new(of_kind).is_ok_and(|pattern| pattern.matches(kind.name))
        })
    }
}
