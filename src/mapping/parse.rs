//! Parses `mappings/<name>.toml` into rules.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use glob::Pattern;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rule::{Effect, MappingRule, Removed, Replacement};
use super::table;
use crate::catalog::{Catalog, Kind, WithheldReason};
use crate::diagnostic::{Diagnostic, Text, did_you_mean};
use crate::files;
use crate::json::top;

/// The keys that a rule may have.
const WORDS: [&str; 9] = ["match", "field", "skip", "rename", "replace", "set", "remove", "keep", "secret"];

/// Why a mapping cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The content of a file is invalid.
    #[error(transparent)]
    Invalid(#[from] Box<Diagnostic>),
}

/// A file of rules.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The rules, in the order of the file.
    pub rules: Vec<MappingRule>,
}

type Name<'text> = Spanned<Cow<'text, str>>;
type Held<'text> = Spanned<DeValue<'text>>;

impl Mapping {
    /// Loads a mapping and its tables and checks every rule against the catalog.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or a rule has an unknown kind, field or key.
    pub fn load(catalog: &Catalog, path: &Path) -> Result<Self, Error> {
        Self::load_with_tables(catalog, path).map(|(mapping, _)| mapping)
    }

    /// Loads a mapping like [`Mapping::load`] and also returns the paths of its tables.
    pub(crate) fn load_with_tables(catalog: &Catalog, path: &Path) -> Result<(Self, Vec<PathBuf>), Error> {
        let text = files::read_text(path)?;
        let tables = RefCell::new(Vec::new());
        let read = |table: &Path| {
            tables.borrow_mut().push(table.to_owned());
            if table.is_file() { files::read_text(table) } else { Err(missing(table)) }
        };
        let mapping = Self::parse(catalog, Text { path, text: &text }, &read)?;
        Ok((mapping, tables.into_inner()))
    }

    /// Returns every text that a rule replaces, with its replacement.
    #[must_use]
    pub fn rewritten(&self) -> Vec<(&str, &str)> {
        let replaced = self.rules.iter().filter_map(|rule| if let Effect::Replace(rows) = &rule.effect { Some(rows) } else { None });
        replaced.flatten().map(|row| (row.from.as_str(), row.to.as_str())).collect()
    }

    /// Parses a mapping and checks every rule against the catalog; `read` returns the content of a table.
    ///
    /// # Errors
    ///
    /// If a table cannot be read, or a rule has an unknown kind, field or key.
    pub fn parse(catalog: &Catalog, whole: Text<'_>, read: &dyn Fn(&Path) -> Result<String, files::Error>) -> Result<Self, Error> {
        Parser { catalog, whole, read }.mapping()
    }
}

fn missing(table: &Path) -> files::Error {
    files::Error::reading(table)(io::ErrorKind::NotFound.into())
}

struct Parser<'text> {
    catalog: &'text Catalog,
    whole: Text<'text>,
    read: &'text dyn Fn(&Path) -> Result<String, files::Error>,
}

impl Parser<'_> {
    fn wrong(&self, at: Range<usize>, what: impl Into<String>, label: impl Into<String>) -> Error {
        Error::Invalid(Box::new(self.whole.wrong(at, what, label)))
    }

    fn mapping(&self) -> Result<Mapping, Error> {
        let parsed = DeTable::parse(self.whole.text);
        let table = parsed.map_err(|error| self.wrong(error.span().unwrap_or(0..0), "this is not TOML", error.message()))?;
        let mut rules = Vec::new();
        for (key, value) in table.get_ref() {
            let DeValue::Array(elements) = value.get_ref() else {
                return Err(self.unknown_word(key, &["rule"], "a mapping has no"));
            };
            if key.get_ref() != "rule" {
                return Err(self.unknown_word(key, &["rule"], "a mapping has no"));
            }
            for element in elements {
                rules.push(self.rule(element)?);
            }
        }
        Ok(Mapping { rules })
    }

    fn unknown_word(&self, key: &Name<'_>, known: &[&str], what: &str) -> Error {
        self.wrong(key.span(), format!("{what} \"{}\"", key.get_ref()), did_you_mean(key.get_ref(), known))
    }

    fn rule(&self, element: &Held<'_>) -> Result<MappingRule, Error> {
        let DeValue::Table(table) = element.get_ref() else {
            return Err(self.wrong(element.span(), "a rule must be a table", "write [[rule]] above it"));
        };
        if let Some((key, _)) = table.iter().find(|(key, _)| !WORDS.contains(&key.get_ref().as_ref())) {
            return Err(self.unknown_word(key, &WORDS, "a rule has no"));
        }
        let word = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name);
        let line = self.line_of(element.span().start);
        let place = format!("{}:{line}", self.whole.path.display());
        let short_place = format!("{}:{line}", super::file_name(self.whole.path)).into();
        let matches = match word("match") {
            Some((_, value)) => self.patterns(value)?,
            None => return Err(self.wrong(element.span(), "a rule has no match", "add match = \"clients/*\"")),
        };
        let effects: Vec<_> = table.iter().filter(|(key, _)| !["match", "field"].contains(&key.get_ref().as_ref())).collect();
        let [(name, value)] = effects[..] else {
            let label = "one of skip, rename, replace, set, remove, keep, secret";
            return Err(self.wrong(element.span(), format!("a rule must do one thing, not {}", effects.len()), label));
        };
        let field = word("field").map(|(_, value)| self.text(value, "field")).transpose()?;
        let effect = self.effect(name, value)?;
        let rule = MappingRule { place, short_place, at: value.span(), matches, field, effect };
        let at = word("field").map_or(name.span(), |(_, value)| value.span());
        self.check_field(&rule, at)?;
        Ok(rule)
    }

    fn line_of(&self, byte: usize) -> usize {
        self.whole.text[..byte].matches('\n').count() + 1
    }

    fn text(&self, value: &Held<'_>, word: &str) -> Result<String, Error> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.clone().into_owned()),
            _ => Err(self.wrong(value.span(), format!("\"{word}\" must be a text"), "put quotes around it")),
        }
    }

    fn is_true(&self, value: &Held<'_>, word: &str) -> Result<(), Error> {
        match value.get_ref() {
            DeValue::Boolean(true) => Ok(()),
            _ => Err(self.wrong(value.span(), format!("\"{word}\" can only be true"), "leave the rule out otherwise")),
        }
    }

    fn patterns(&self, value: &Held<'_>) -> Result<Vec<Pattern>, Error> {
        match value.get_ref() {
            DeValue::Array(elements) => elements.iter().map(|element| self.pattern(element)).collect(),
            _ => Ok(vec![self.pattern(value)?]),
        }
    }

    fn pattern(&self, value: &Held<'_>) -> Result<Pattern, Error> {
        let text = self.text(value, "match")?;
        let pattern = Pattern::new(&text).map_err(|error| self.wrong(value.span(), format!("invalid pattern \"{text}\""), error.msg))?;
        let kind = text.split('/').next().unwrap_or_default();
        let of_kind = Pattern::new(kind).unwrap_or_default();
        if self.catalog.kinds().any(|known| of_kind.matches(known.name)) {
            return Ok(pattern);
        }
        let known: Vec<&str> = self.catalog.kinds().map(|kind| kind.name).collect();
        Err(self.wrong(value.span(), format!("unknown kind \"{kind}\""), did_you_mean(kind, &known)))
    }

    fn effect(&self, name: &Name<'_>, value: &Held<'_>) -> Result<Effect, Error> {
        Ok(match name.get_ref().as_ref() {
            "skip" => self.is_true(value, "skip").map(|()| Effect::Skip)?,
            "keep" => self.is_true(value, "keep").map(|()| Effect::Keep)?,
            "rename" => Effect::Rename(self.text(value, "rename")?),
            "replace" => Effect::Replace(self.replacements(value)?),
            "set" => Effect::Set(self.json(value)?),
            "remove" => match value.get_ref() {
                DeValue::Boolean(true) => Effect::Remove(Removed::Field),
                _ => Effect::Remove(Removed::Element(self.json(value)?)),
            },
            _ => Effect::Secret(self.secret(value)?),
        })
    }

    fn replacements(&self, value: &Held<'_>) -> Result<Vec<Replacement>, Error> {
        let label = "write { from = \"..\", to = \"..\" } or { table = \"file.csv\" }";
        let wrong = || self.wrong(value.span(), "\"replace\" needs a text to look for", label);
        let DeValue::Table(table) = value.get_ref() else { return Err(wrong()) };
        let word = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value);
        if let Some((key, _)) = table.iter().find(|(key, _)| !["from", "to", "table"].contains(&key.get_ref().as_ref())) {
            return Err(self.unknown_word(key, &["from", "to", "table"], "\"replace\" has no"));
        }
        let mut rows = match (word("from"), word("to"), word("table")) {
            (Some(from), Some(to), None) => {
                vec![Replacement { from: self.text(from, "from")?, to: self.text(to, "to")?, row: None }]
            }
            (None, None, Some(file)) => {
                let path = self.whole.path.parent().unwrap_or(Path::new(".")).join(self.text(file, "table")?);
                let text = (self.read)(&path).map_err(|error| {
                    if error.is_missing() {
                        let what = format!("there is no table \"{}\"", path.display());
                        self.wrong(file.span(), what, "the path starts at the mapping's folder")
                    } else {
                        error.into()
                    }
                })?;
                table::rows(Text { path: &path, text: &text })?
            }
            _ => return Err(wrong()),
        };
        if rows.iter().any(|row| row.from.is_empty()) {
            return Err(wrong());
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.from.len()));
        Ok(rows)
    }

    fn secret(&self, value: &Held<'_>) -> Result<String, Error> {
        let text = self.text(value, "secret")?;
        let is_known = ["env:", "file:"].iter().any(|from| text.strip_prefix(from).is_some_and(|rest| !rest.is_empty()));
        if !is_known {
            return Err(self.wrong(value.span(), "a secret comes from outside", "write env:NAME or file:PATH, never the secret itself"));
        }
        match text.strip_prefix("file:").map(Path::new) {
            Some(path) if path.is_relative() => {
                let path = self.whole.path.parent().unwrap_or(Path::new(".")).join(path);
                Ok(format!("file:{}", path.display()))
            }
            _ => Ok(text),
        }
    }

    fn json(&self, value: &Held<'_>) -> Result<Value, Error> {
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::String(text.clone().into_owned()),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => return Err(self.wrong(value.span(), "the number is too large", "the maximum is 64 bits")),
            },
            DeValue::Float(number) => number.as_str().parse::<f64>().map(Value::from).unwrap_or_default(),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(list) => Value::Array(list.iter().map(|element| self.json(element)).collect::<Result<_, _>>()?),
            DeValue::Table(table) => {
                let field = |(key, value): (&Name<'_>, &Held<'_>)| Ok((key.get_ref().clone().into_owned(), self.json(value)?));
                Value::Object(table.iter().map(field).collect::<Result<_, Error>>()?)
            }
        })
    }

    /// Checks that a rule's field exists in some kind that the rule can match, and that it suits the effect.
    fn check_field(&self, rule: &MappingRule, at: Range<usize>) -> Result<(), Error> {
        let kinds: Vec<&'static Kind> = self.catalog.kinds().filter(|kind| rule.is_about_kind(kind)).collect();
        let Some(field) = &rule.field else {
            return match rule.effect {
                Effect::Skip | Effect::Rename(_) | Effect::Replace(_) => Ok(()),
                _ => Err(self.wrong(at, "the rule does not say which field", "add field = \"..\"")),
            };
        };
        if matches!(rule.effect, Effect::Skip | Effect::Rename(_)) {
            return Err(self.wrong(at, "the rule is about the whole resource", "leave out field"));
        }
        let is_listed = |kind: &&Kind| kind.secrets.paths.iter().any(|secret| crate::json::covers(secret, field));
        let withheld = |kind: &&Kind| kind.withheld_reason(field).filter(|_| kind.fields.writable().has(field));
        if matches!(rule.effect, Effect::Secret(_)) {
            let is_plain = !field.contains(['[', '*']);
            let known: Vec<&str> = kinds.iter().flat_map(|kind| kind.secrets.paths).copied().collect();
            if is_plain && kinds.iter().any(|kind| is_listed(kind) || withheld(kind).is_some()) {
                return Ok(());
            }
            return Err(self.wrong(at, format!("\"{field}\" is not a secret field of {}", names(&kinds)), did_you_mean(field, &known)));
        }
        if kinds.iter().any(|kind| is_listed(kind) || withheld(kind).is_some_and(|reason| reason != WithheldReason::PossibleSecretName)) {
            let label = "use secret = \"env:NAME\"";
            return Err(self.wrong(at, format!("\"{field}\" is a secret, and snapshots contain no secrets"), label));
        }
        if kinds.iter().any(|kind| kind.fields.writable().has(field)) {
            return Ok(());
        }
        let known: Vec<&str> = kinds.iter().flat_map(|kind| kind.fields.writable().iter().map(|field| field.name)).collect();
        let top = top(field);
        let label = match crate::diagnostic::nearest(top, known.iter().copied()) {
            Some(nearest) if nearest != top => format!("did you mean \"{nearest}\"?"),
            _ => "this field is unknown at this place".to_owned(),
        };
        Err(self.wrong(at, format!("there is no field \"{field}\" in {}", names(&kinds)), label))
    }
}

fn names(kinds: &[&'static Kind]) -> String {
    match kinds {
        [one] => one.name.to_owned(),
        _ if kinds.len() > 3 => "any kind it matches".to_owned(),
        _ => kinds.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let whole = Text { path: Path::new("m.toml"), text };
        let none = |table: &Path| Err(missing(table));
        Mapping::parse(Catalog::standard(), whole, &none).expect_err("refused").to_string()
    }

    #[test]
    fn the_published_schema_has_the_words_that_are_read() {
        let schema = serde_json::to_value(schemars::schema_for!(crate::mapping::MappingFile)).expect("JSON");
        let rule = &schema["$defs"]["RuleTable"];
        let effects = rule["oneOf"].as_array().expect("effects").iter();
        let all = std::iter::once(rule).chain(effects).filter_map(|one| one["properties"].as_object());
        let published: std::collections::BTreeSet<&str> = all.flat_map(|fields| fields.keys().map(String::as_str)).collect();
        assert_eq!(published, WORDS.into_iter().collect());
    }

    #[test]
    fn an_unknown_field_is_shown_with_the_nearest() {
        insta::assert_snapshot!(refused("[[rule]]\nmatch = \"clients/*\"\nfield = \"calbacks[]\"\nremove = \"x\"\n"), @r#"
        there is no field "calbacks[]" in clients
         --> m.toml:3:9
          |
        3 | field = "calbacks[]"
          |         ^^^^^^^^^^^^ did you mean "callbacks"?
        "#);
    }

    #[test]
    fn an_unknown_rule_key_is_shown_with_the_nearest() {
        insta::assert_snapshot!(refused("[[rule]]\nmatch = \"*\"\nskp = true\n"), @r#"
        a rule has no "skp"
         --> m.toml:3:1
          |
        3 | skp = true
          | ^^^ did you mean "skip"?
        "#);
    }

    #[test]
    fn an_unknown_kind_is_shown_with_the_nearest() {
        insta::assert_snapshot!(refused("[[rule]]\nmatch = \"cleints/*\"\nskip = true\n"), @r#"
        unknown kind "cleints"
         --> m.toml:2:9
          |
        2 | match = "cleints/*"
          |         ^^^^^^^^^^^ did you mean "clients"?
        "#);
    }

    #[test]
    fn invalid_toml_is_shown_at_its_position() {
        insta::assert_snapshot!(refused("[[rule]]\nmatch = clients\n"), @r"
        this is not TOML
         --> m.toml:2:9
          |
        2 | match = clients
          |         ^^^^^^^ string values must be quoted, expected literal string
        ");
    }

    #[test]
    fn a_secret_written_into_the_mapping_is_refused_and_not_shown() {
        let refused = refused("[[rule]]\nmatch = \"clients/*\"\nfield = \"client_secret\"\nsecret = \"hunter2\"\n");
        assert!(refused.contains("never the secret itself") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn an_undeclared_secret_can_be_supplied_but_not_written_into_the_mapping() {
        let rule = |field: &str, effect: &str| format!("[[rule]]\nmatch = \"connections/*\"\nfield = \"{field}\"\n{effect}\n");
        let none = |table: &Path| Err(missing(table));
        let supplied = rule("options.upstream.api_key", "secret = \"env:KEY\"");
        let whole = Text { path: Path::new("m.toml"), text: &supplied };
        assert!(Mapping::parse(Catalog::standard(), whole, &none).is_ok());
        let refused = |field: &str, effect: &str| refused(&rule(field, effect));
        assert!(refused("options.upstream.api_key", "remove = \"x\"").contains("is a secret"));
        assert!(refused("options.scope", "secret = \"env:KEY\"").contains("is not a secret field"));
        assert!(refused("a_new_secret", "secret = \"env:KEY\"").contains("is not a secret field"));
    }

    #[test]
    fn a_rule_with_two_effects_is_refused() {
        let refused = refused("[[rule]]\nmatch = \"clients/*\"\nskip = true\nrename = \"x\"\n");
        assert!(refused.starts_with("a rule must do one thing, not 2"), "{refused}");
    }
}
