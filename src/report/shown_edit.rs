//! How an edit is shown to people (terminal, Markdown, HTML): lists by element, texts line by line, anything else as two values.
//!
//! The guarantee of this file: if the two sides of an edit differ, what is shown of them differs too. Values are only
//! ever shortened together, around their first difference.

use std::collections::BTreeSet;

use serde_json::Value;

use super::certificate::CertificateEdit;
use super::format::printable;
use super::kind_changes::FieldContent;
use super::text_diff::{DiffLine, difference};
use super::value_pair::{Pair, exact};
use super::values::{around_difference, cut, element};
use crate::catalog::Kind;

/// Both sides of an edit, ready to be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShownEdit {
    /// The elements that only one of two lists has.
    List {
        /// Those of the old list.
        removed: Vec<String>,
        /// Those of the new list.
        added: Vec<String>,
        /// The number of elements in both.
        unchanged: usize,
    },
    /// A list in another order.
    Order(Pair),
    /// Two texts of several lines.
    Text(Pair),
    /// Certificates, by their fingerprints.
    Certificate(CertificateEdit),
    /// Two other values.
    Value(Pair),
}

/// What a line of an edit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Only the old side has it.
    Removed,
    /// Only the new side has it.
    Added,
    /// Both sides have it.
    Same,
    /// This many lines or elements are not shown.
    Hidden(usize),
}

/// A line of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedLine {
    pub(super) sign: Sign,
    pub(super) text: String,
}

impl SignedLine {
    fn new(sign: Sign, text: impl Into<String>) -> Self {
        Self { sign, text: text.into() }
    }
}

impl ShownEdit {
    /// Returns how the content of a field is shown, if it is an edit.
    pub(super) fn of_field(kind: Option<&Kind>, content: &FieldContent<'_>) -> Option<Self> {
        match content {
            FieldContent::Edit(edit) => Some(Self::new(kind, &edit.path, (edit.old.as_ref(), edit.new.as_ref()))),
            FieldContent::Value(..) | FieldContent::Secret(_) => None,
        }
    }

    /// Returns how two values of a field are shown; an absent value is shown as the server's default, which is in effect.
    pub(super) fn new(kind: Option<&Kind>, path: &str, (old, new): (Option<&Value>, Option<&Value>)) -> Self {
        let default = if old.is_none() || new.is_none() { kind.and_then(|kind| kind.default_of(path)) } else { None };
        // A value that is set to the default is still an edit.
        let default = default.as_ref().filter(|default| old.or(new) != Some(default));
        let (old, new) = (old.or(default), new.or(default));
        let is_list = |value: Option<&Value>| value.is_none_or(|value| value.as_array().is_some_and(|list| !list.is_empty()));
        if let Some(certificates) = certificates(old, new) {
            return Self::Certificate(certificates);
        }
        match (old, new) {
            (Some(Value::Array(old)), Some(Value::Array(new))) => Self::of_lists(kind, path, (old, new)),
            (old, new) if is_list(old) && is_list(new) && old.or(new).is_some() => {
                let elements = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
                Self::of_lists(kind, path, (&elements(old), &elements(new)))
            }
            (old, new) => texts(old, new).map_or_else(|| Self::Value(Pair::of_values(old, new)), Self::Text),
        }
    }

    fn of_lists(kind: Option<&Kind>, path: &str, (old, new): (&[Value], &[Value])) -> Self {
        let (added, removed) = (beyond(new, old), beyond(old, new));
        if added.is_empty() && removed.is_empty() {
            let list = |list: &[Value]| Value::Array(list.to_vec());
            return Self::Order(Pair::of_values(Some(&list(old)), Some(&list(new))));
        }
        let unchanged = new.len() - added.len();
        let key = kind.and_then(|kind| kind.element_key_of(path));
        let shown = |list: &[&Value]| list.iter().map(|one| element(one, key)).collect::<Vec<String>>();
        let exactly = |list: &[&Value]| list.iter().map(|one| exact(one)).collect::<Vec<String>>();
        let (texts, others) = (shown(&removed), shown(&added));
        if texts.iter().any(|text| others.contains(text)) {
            return Self::List { removed: exactly(&removed), added: exactly(&added), unchanged };
        }
        Self::List { removed: texts, added: others, unchanged }
    }

    /// Returns the edit line by line, each in at most `most` characters, with this many lines of context in a text.
    pub(super) fn lines(&self, context: usize, most: usize) -> Vec<SignedLine> {
        match self {
            Self::List { removed, added, unchanged } => {
                let hidden = (*unchanged > 0).then(|| SignedLine::new(Sign::Hidden(*unchanged), ""));
                replaced(removed, added, most).into_iter().chain(hidden).collect()
            }
            Self::Certificate(edit) => both_lines(&edit.whole(), most),
            Self::Order(pair) | Self::Value(pair) => both_lines(pair, most),
            Self::Text(Pair { old, new }) => text_lines(old, new, (context, most)),
        }
    }
}

fn both_lines(pair: &Pair, most: usize) -> Vec<SignedLine> {
    let Pair { old, new } = pair.shortened(most);
    vec![SignedLine::new(Sign::Removed, old), SignedLine::new(Sign::Added, new)]
}

/// Returns the lines of two texts that differ, each in at most `most` characters.
pub(super) fn text_lines(old: &str, new: &str, (context, most): (usize, usize)) -> Vec<SignedLine> {
    let mut lines = Vec::new();
    let (mut removed, mut added): (Vec<String>, Vec<String>) = Default::default();
    for line in difference(old, new, context) {
        if matches!(line, DiffLine::Same(_) | DiffLine::Hidden(_)) || (matches!(line, DiffLine::Removed(_)) && !added.is_empty()) {
            lines.append(&mut replaced(&removed, &added, most));
            (removed, added) = Default::default();
        }
        match line {
            DiffLine::Hidden(count) => lines.push(SignedLine::new(Sign::Hidden(count), "")),
            DiffLine::Same(text) => lines.push(SignedLine::new(Sign::Same, cut(&printable(text), most))),
            DiffLine::Removed(text) => removed.push(printable(text).into_owned()),
            DiffLine::Added(text) => added.push(printable(text).into_owned()),
        }
    }
    lines.append(&mut replaced(&removed, &added, most));
    lines
}

/// Returns lines that replace others: each is shortened around its difference from the one in its place.
fn replaced(removed: &[String], added: &[String], most: usize) -> Vec<SignedLine> {
    let shortened = |list: &[String], others: &[String], sign: Sign| {
        let one = |(at, text): (usize, &String)| match others.get(at) {
            Some(other) => SignedLine::new(sign, around_difference(text, other, most).0),
            None => SignedLine::new(sign, cut(text, most)),
        };
        list.iter().enumerate().map(one).collect::<Vec<_>>()
    };
    let mut lines = shortened(removed, added, Sign::Removed);
    lines.append(&mut shortened(added, removed, Sign::Added));
    lines
}

/// Returns the certificates of both sides if every side that exists is one, and they differ.
fn certificates(old: Option<&Value>, new: Option<&Value>) -> Option<CertificateEdit> {
    let text = |value: Option<&Value>| value.map_or(Some(None), |value| value.as_str().map(|text| Some(text.to_owned())));
    CertificateEdit::read(text(old)?.as_deref(), text(new)?.as_deref())
}

/// Returns both sides as texts to be compared line by line: if one has several lines, and it shows that lines differ.
fn texts(old: Option<&Value>, new: Option<&Value>) -> Option<Pair> {
    let text = |value: Option<&Value>| value.map_or(Some(String::new()), |value| value.as_str().map(str::to_owned));
    let pair = Pair::new(text(old)?, text(new)?);
    let lines = |text: &str| text.lines().map(|line| printable(line).into_owned()).collect::<Vec<_>>();
    let has_lines = pair.old.contains('\n') || pair.new.contains('\n');
    (has_lines && lines(&pair.old) != lines(&pair.new)).then_some(pair)
}

/// Returns the elements that occur more often in one list than in the other.
fn beyond<'list>(list: &'list [Value], other: &[Value]) -> Vec<&'list Value> {
    let mut taken = BTreeSet::new();
    let mut is_in_other = |element: &Value| {
        let partner = other.iter().enumerate().position(|(at, held)| held == element && !taken.contains(&at));
        partner.is_some_and(|at| taken.insert(at))
    };
    list.iter().filter(|element| !is_in_other(element)).collect()
}
