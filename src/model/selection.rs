//! Selections: the resources that a command is restricted to, by kind or by key pattern.
//!
//! Selecting a resource also selects what belongs to it: its children, its parts, and another view of it at
//! the same endpoint. Resources that refer to it are not selected: a client's grants are resources of their
//! own. Everything here is derived from keys, so a selection means the same in a plan, in a baseline and in
//! the undo of a run.

use std::collections::BTreeSet;
use std::fmt;

use glob::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::resource::{BETWEEN_PARTS, Key};
use crate::catalog::{Catalog, Kind, Shape};

/// The resources that a command is restricted to. By default everything is selected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// The selected kinds; empty for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<String>,
    /// Patterns, at least one of which must match; empty for no restriction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub only: Vec<KeyPattern>,
    /// Patterns of resources to exclude.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub exclude: Vec<KeyPattern>,
}

/// A pattern of keys: `clients/Web*`, or the name of a kind for all its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern(Pattern);

/// Why a text is not a valid selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no kind of this name.
    #[error("unknown kind \"{name}\"")]
    UnknownKind {
        /// The given name.
        name: String,
        /// The most similar name of a kind.
        nearest: Option<&'static str>,
    },
    /// The pattern is malformed.
    #[error("invalid pattern \"{text}\": {reason}")]
    Pattern {
        /// The pattern.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Both selections have `only` patterns, which cannot be combined.
    #[error("already restricted to {given}, which cannot be combined with {other}")]
    Combined {
        /// The existing patterns.
        given: String,
        /// The patterns to be added.
        other: String,
    },
}

impl KeyPattern {
    /// Parses a pattern. If it names a kind, the kind must be in the catalog.
    ///
    /// # Errors
    ///
    /// If the pattern is malformed or the kind is unknown.
    pub fn read(catalog: &Catalog, text: &str) -> Result<Self, Error> {
        let pattern = Self::try_from(text)?;
        if !pattern.kind().contains(['*', '?', '[']) {
            known_kind(catalog, pattern.kind())?;
        }
        Ok(pattern)
    }

    /// Returns its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether the pattern matches a key, or its whole kind.
    #[must_use]
    pub fn matches(&self, key: &Key) -> bool {
        self.0.matches(key.kind().name) || self.0.matches(&key.to_string())
    }

    fn kind(&self) -> &str {
        self.as_str().split('/').next().unwrap_or_default()
    }

    /// Returns whether the pattern may match some resource of a kind.
    #[must_use]
    pub fn may_match(&self, kind: &Kind) -> bool {
        self.kind() == kind.name || Pattern::new(self.kind()).is_ok_and(|pattern| pattern.matches(kind.name))
    }

    /// Returns whether the pattern matches every resource of a kind.
    fn matches_all(&self, kind: &Kind) -> bool {
        self.0.matches(kind.name)
    }
}

impl TryFrom<&str> for KeyPattern {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        Pattern::new(text).map(Self).map_err(|error| Error::Pattern { text: text.to_owned(), reason: error.msg })
    }
}

impl Serialize for KeyPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'text> Deserialize<'text> for KeyPattern {
    fn deserialize<D: Deserializer<'text>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
    }
}

impl Selection {
    /// Parses a selection from the values of `--kinds`, `--only` and `--exclude`.
    ///
    /// # Errors
    ///
    /// If a kind is unknown or a pattern is malformed.
    pub fn read(catalog: &Catalog, kinds: &[String], only: &[String], exclude: &[String]) -> Result<Self, Error> {
        let patterns = |texts: &[String]| texts.iter().map(|text| KeyPattern::read(catalog, text)).collect::<Result<Vec<_>, _>>();
        let kinds = kinds.iter().map(|name| known_kind(catalog, name).map(str::to_owned)).collect::<Result<_, _>>()?;
        Ok(Self { kinds, only: patterns(only)?, exclude: patterns(exclude)? })
    }

    /// Selects exactly these kinds, without the kinds below them.
    ///
    /// # Panics
    ///
    /// If the name of a kind is not a valid pattern.
    pub fn exactly(catalog: &Catalog, kinds: BTreeSet<String>) -> Self {
        let below = catalog.kinds().filter(|kind| !kinds.contains(kind.name) && kinds_above(kind).any(|above| kinds.contains(above.name)));
        let pattern = |kind: &Kind| KeyPattern::try_from(kind.name).expect("catalog test: a kind is named by letters and hyphens");
        Self { exclude: below.map(pattern).collect(), kinds, only: Vec::new() }
    }

    /// Returns whether the selection has no restriction.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.kinds.is_empty() && self.only.is_empty() && self.exclude.is_empty()
    }

    /// Returns whether a resource, or one that it belongs to, is selected.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        if self.is_everything() {
            return true;
        }
        let chain = chain(key);
        let is_any = |patterns: &[KeyPattern]| chain.iter().any(|key| patterns.iter().any(|pattern| pattern.matches(key)));
        let is_of_kinds = self.kinds.is_empty() || chain.iter().any(|key| self.kinds.contains(key.kind().name));
        is_of_kinds && (self.only.is_empty() || is_any(&self.only)) && !is_any(&self.exclude)
    }

    /// Returns whether a pattern excludes a resource or one that it belongs to.
    #[must_use]
    pub fn excludes(&self, key: &Key) -> bool {
        !self.exclude.is_empty() && chain(key).iter().any(|key| self.exclude.iter().any(|pattern| pattern.matches(key)))
    }

    /// Parses a recorded selection. An unreadable one excludes everything, so that nothing is planned by
    /// mistake.
    #[must_use]
    pub fn recorded(kinds: &[String], only: &[String], exclude: &[String]) -> Self {
        let read = |text: &String| KeyPattern::try_from(text.as_str());
        let everything = || KeyPattern(Pattern::new("*").expect("a star is a pattern"));
        let patterns = |texts: &[String]| texts.iter().map(read).collect::<Result<Vec<_>, _>>();
        let kinds = kinds.iter().cloned().collect();
        match (patterns(only), patterns(exclude)) {
            (Ok(only), Ok(exclude)) => Self { kinds, only, exclude },
            _ => Self { kinds, only: Vec::new(), exclude: vec![everything()] },
        }
    }

    /// Returns whether some resources of a kind may be selected.
    #[must_use]
    pub fn may_have(&self, kind: &Kind) -> bool {
        let chain = kinds_of_chain(kind);
        let is_of_kinds = self.kinds.is_empty() || chain.iter().any(|kind| self.kinds.contains(kind.name));
        let may_match = |kind: &&Kind| self.only.iter().any(|pattern| pattern.may_match(kind));
        let is_excluded = |kind: &&Kind| self.exclude.iter().any(|pattern| pattern.matches_all(kind));
        is_of_kinds && (self.only.is_empty() || chain.iter().any(may_match)) && !chain.iter().any(is_excluded)
    }

    /// Returns whether all resources of a kind are selected, whatever their names.
    #[must_use]
    pub fn has_all(&self, kind: &Kind) -> bool {
        let chain = kinds_of_chain(kind);
        let is_narrowed = |pattern: &KeyPattern| chain.iter().any(|kind| pattern.may_match(kind));
        let matches_all = |pattern: &KeyPattern| chain.iter().any(|kind| pattern.matches_all(kind));
        self.may_have(kind) && (self.only.is_empty() || self.only.iter().any(matches_all)) && !self.exclude.iter().any(is_narrowed)
    }

    /// Returns the intersection of both selections.
    ///
    /// # Errors
    ///
    /// If both have `only` patterns.
    pub fn and(&self, other: &Self) -> Result<Self, Error> {
        let only = match (self.only.as_slice(), other.only.as_slice()) {
            (one, []) => one.to_vec(),
            ([], other) => other.to_vec(),
            (one, other) if one == other => one.to_vec(),
            (one, other) => return Err(Error::Combined { given: texts(one), other: texts(other) }),
        };
        let kinds = match (self.kinds.is_empty(), other.kinds.is_empty()) {
            (_, true) => self.kinds.clone(),
            (true, false) => other.kinds.clone(),
            (false, false) if self.kinds == other.kinds => self.kinds.clone(),
            (false, false) => {
                let (one, other) = (&self.kinds, &other.kinds);
                let both: BTreeSet<String> = one.intersection(other).cloned().collect();
                if both.is_empty() {
                    return Err(Error::Combined { given: listed(one), other: listed(other) });
                }
                both
            }
        };
        let more = other.exclude.iter().filter(|pattern| !self.exclude.contains(pattern));
        Ok(Self { kinds, only, exclude: self.exclude.iter().chain(more).cloned().collect() })
    }
}

/// A selection and the dependencies that are planned with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    selection: Selection,
    dependencies: BTreeSet<Key>,
}

impl Chosen {
    /// Creates a selection with these dependencies.
    #[must_use]
    pub fn new(selection: Selection, dependencies: BTreeSet<Key>) -> Self {
        Self { selection, dependencies }
    }

    /// Returns the selection.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Returns the resources that are planned only as dependencies.
    pub fn dependencies(&self) -> impl Iterator<Item = &Key> {
        self.dependencies.iter()
    }

    /// Adds dependencies, except excluded ones.
    pub fn add_dependencies(&mut self, keys: impl IntoIterator<Item = Key>) {
        let selection = &self.selection;
        self.dependencies.extend(keys.into_iter().filter(|key| !selection.excludes(key)));
    }

    /// Returns whether every resource is planned.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.selection.is_everything()
    }

    /// Returns whether a resource is planned.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.selection.has(key) || self.is_dependency(key)
    }

    fn is_dependency(&self, key: &Key) -> bool {
        !self.dependencies.is_empty() && chain(key).iter().any(|key| self.dependencies.contains(key)) && !self.selection.excludes(key)
    }

    /// Returns whether resources of a kind may be planned.
    #[must_use]
    pub fn may_have(&self, kind: &Kind) -> bool {
        let chain = kinds_of_chain(kind);
        let is_needed = |key: &Key| chain.contains(&key.kind());
        self.selection.may_have(kind) || self.dependencies.iter().any(is_needed)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kinds.is_empty(), self.only.is_empty()) {
            (true, true) => out.write_str("everything")?,
            (false, true) => out.write_str(&listed(&self.kinds))?,
            (true, false) => out.write_str(&texts(&self.only))?,
            (false, false) => write!(out, "{} matching {}", listed(&self.kinds), texts(&self.only))?,
        }
        if self.exclude.is_empty() { Ok(()) } else { write!(out, " except {}", texts(&self.exclude)) }
    }
}

fn texts(patterns: &[KeyPattern]) -> String {
    patterns.iter().map(KeyPattern::as_str).collect::<Vec<_>>().join(", ")
}

fn listed(kinds: &BTreeSet<String>) -> String {
    kinds.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn known_kind<'name>(catalog: &Catalog, name: &'name str) -> Result<&'name str, Error> {
    match catalog.kind(name) {
        Some(_) => Ok(name),
        None => Err(Error::UnknownKind { name: name.to_owned(), nearest: catalog.nearest(name) }),
    }
}

/// Returns the parent kind of a kind.
fn kind_above(kind: &Kind) -> Option<&'static Kind> {
    kind.parent().or_else(|| kind.quirks.same_endpoint_as.and_then(Kind::named))
}

/// Returns the ancestors of a kind, nearest first.
fn kinds_above(kind: &Kind) -> impl Iterator<Item = &'static Kind> + use<> {
    std::iter::successors(kind_above(kind), |above| kind_above(above))
}

/// Returns a kind and its ancestors.
fn kinds_of_chain(kind: &Kind) -> Vec<&Kind> {
    std::iter::once(kind).chain(kinds_above(kind).map(|above| -> &Kind { above })).collect()
}

/// Returns a key and the keys of the resources that it belongs to.
///
/// A child has the name of its parent; the name of a nested resource or a part begins with it. If names
/// contain the separator themselves, every possible prefix counts.
fn chain(key: &Key) -> Vec<Key> {
    let mut chain = vec![key.clone()];
    let mut at = 0;
    while let Some(key) = chain.get(at).cloned() {
        at += 1;
        let Some(above) = kind_above(key.kind()) else { continue };
        if !matches!(key.kind().shape, Shape::Nested { .. }) {
            chain.push(Key::new(above, key.name()));
        }
        let ends = key.name().match_indices(BETWEEN_PARTS).map(|(end, _)| end);
        let beginnings: Vec<Key> = ends.map(|end| Key::new(above, &key.name()[..end])).collect();
        if key.kind().parent_field().is_some() {
            chain.extend(beginnings);
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(kinds: &[&str], only: &[&str], exclude: &[&str]) -> Selection {
        let texts = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Selection::read(Catalog::standard(), &texts(kinds), &texts(only), &texts(exclude)).expect("a selection")
    }

    fn has(selection: &Selection, key: &str) -> bool {
        selection.has(&key.parse().expect("a key"))
    }

    #[test]
    fn belongings_of_a_resource_are_selected_with_it_but_not_references_to_it() {
        let web = selection(&[], &["clients/Web"], &[]);
        assert!(has(&web, "clients/Web") && has(&web, "client-login-page/Web"));
        assert!(!has(&web, "clients/Web 2") && !has(&web, "client-grants/Web · https://api · client"));
        let acme = selection(&[], &["organizations/acme"], &[]);
        assert!(has(&acme, "organization-connections/acme · users") && has(&acme, "organization-clients/acme"));
        assert!(!has(&acme, "organization-connections/acme-test · users"));
        let roles = selection(&["roles"], &[], &["roles/Admin"]);
        assert!(has(&roles, "role-permissions/Support") && !has(&roles, "role-permissions/Admin") && !has(&roles, "clients/Web"));
    }

    #[test]
    fn the_name_of_a_kind_selects_all_of_it() {
        let most = selection(&[], &["clients", "guardian-*"], &["clients/Test*"]);
        assert!(has(&most, "clients/Web") && has(&most, "guardian-factors/otp") && !has(&most, "clients/Test 1"));
        let may_have = |name: &str| most.may_have(Catalog::standard().kind(name).expect("a kind"));
        assert_eq!(["clients", "guardian-factors", "roles"].map(may_have), [true, true, false]);
        let has_all = |name: &str| most.has_all(Catalog::standard().kind(name).expect("a kind"));
        assert_eq!(["clients", "guardian-factors", "roles"].map(has_all), [false, true, false]);
    }

    #[test]
    fn an_unknown_kind_is_reported_with_the_nearest() {
        let unknown = KeyPattern::read(Catalog::standard(), "client/Web").expect_err("no kind");
        assert_eq!(unknown, Error::UnknownKind { name: "client".into(), nearest: Some("clients") });
        let wrong = KeyPattern::read(Catalog::standard(), "clients/[").expect_err("no pattern").to_string();
        assert!(wrong.starts_with("invalid pattern \"clients/[\": "), "{wrong}");
    }

    #[test]
    fn exactly_selects_no_kinds_below() {
        let roles = Selection::exactly(Catalog::standard(), BTreeSet::from(["roles".to_owned()]));
        assert!(has(&roles, "roles/Admin") && !has(&roles, "role-permissions/Admin"));
    }

    #[test]
    fn the_intersection_of_two_selections_selects_what_both_do() {
        let (one, other) = (selection(&["clients", "roles"], &[], &[]), selection(&["roles"], &["roles/A*"], &["roles/Admin"]));
        let both = one.and(&other).expect("combined");
        assert_eq!(both, other);
        assert_eq!(both.and(&both), Ok(both.clone()));
        assert!(both.and(&selection(&[], &["roles/B*"], &[])).is_err());
        assert!(one.and(&selection(&["rules"], &[], &[])).is_err());
        assert_eq!(other.to_string(), "roles matching roles/A* except roles/Admin");
    }

    #[test]
    fn a_selection_is_serialized_as_texts() {
        let written = serde_json::to_value(selection(&["clients"], &["clients/W*"], &[])).expect("JSON");
        assert_eq!(written, serde_json::json!({"kinds": ["clients"], "only": ["clients/W*"]}));
        assert_eq!(serde_json::from_value::<Selection>(written).expect("read"), selection(&["clients"], &["clients/W*"], &[]));
    }
}
