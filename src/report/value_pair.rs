//! Two values as texts, the old one and the new one.

use serde_json::Value;

use super::format::printable;
use super::values::{NONE, around_difference, flat};

/// An old and a new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: String,
    pub(super) new: String,
}

impl Pair {
    pub(super) fn new(old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { old: old.into(), new: new.into() }
    }

    /// Returns both texts in at most `most` characters each, shortened around their first difference.
    pub(super) fn shortened(&self, most: usize) -> Self {
        let (old, new) = around_difference(&self.old, &self.new, most);
        Self { old, new }
    }

    /// Returns the pair of two values as texts that differ if the values differ.
    pub(super) fn of_values(old: Option<&Value>, new: Option<&Value>) -> Self {
        Self::distinct(old, new, flat)
    }

    /// Returns the same for values that are quoted inside a sentence.
    pub(super) fn quoted(old: Option<&Value>, new: Option<&Value>) -> Self {
        Self::distinct(old, new, |value| match value {
            Value::String(text) => format!("\"{}\"", printable(text)),
            value => super::values::inline(value),
        })
    }

    fn distinct(old: Option<&Value>, new: Option<&Value>, shown: impl Fn(&Value) -> String) -> Self {
        let text = |value: Option<&Value>, shown: &dyn Fn(&Value) -> String| value.map_or_else(|| NONE.to_owned(), shown);
        let pair = Self::new(text(old, &shown), text(new, &shown));
        if pair.old == pair.new && old != new { Self::new(text(old, &exact), text(new, &exact)) } else { pair }
    }
}

/// Returns a value as JSON, which no other value is shown as.
pub(super) fn exact(value: &Value) -> String {
    printable(&value.to_string()).into_owned()
}
