//! Renders one field of a change: on one line in lists, in full for review.

use std::collections::BTreeSet;

use serde_json::Value;

use super::certificate::{ends, fingerprint};
use super::format::{count, number, printable};
use super::kind_changes::FieldContent;
use super::layout::Layout;
use super::style::{ADDED, QUIET, REMOVED, styled};
use super::text_diff::{DiffLine, difference};
use super::values::{around_difference, cut, inline};
use crate::catalog::Kind;
use crate::plan::Edit;

/// What separates an old value from a new one.
const ARROW: &str = " → ";
/// The maximum number of lines for a text that changes in many places.
const MOST: usize = 30;

/// Renders what happens to a field on one line of at most `columns` columns.
pub(super) fn short(kind: Option<&Kind>, content: &FieldContent<'_>, columns: usize) -> String {
    match content {
        FieldContent::Edit(edit) => short_edit(&Sides::new(kind, edit), columns),
        FieldContent::Value(_, value) => styled(ADDED, cut(&flat(value), columns)),
        FieldContent::Secret(secret) => secret_text(&secret.from, secret.is_changed),
    }
}

/// Renders what happens to a field on as many lines as needed.
pub(super) fn full(kind: &Kind, content: &FieldContent<'_>, columns: usize) -> Vec<String> {
    match content {
        FieldContent::Edit(edit) => full_edit(&Sides::new(Some(kind), edit), columns),
        FieldContent::Value(_, value) => wrapped(&flat(value), columns).into_iter().map(|line| styled(ADDED, line)).collect(),
        FieldContent::Secret(secret) => vec![secret_text(&secret.from, secret.is_changed)],
    }
}

/// Renders a differing field of a resource on as many lines as needed.
pub(crate) fn edit_lines(kind: &Kind, edit: &Edit, layout: Layout) -> Vec<String> {
    let path = printable(&edit.path);
    let columns = layout.columns.saturating_sub(path.chars().count() + 4);
    let lines = full_edit(&Sides::new(Some(kind), edit), columns);
    match lines.as_slice() {
        [only] => vec![format!("{path}  {only}")],
        lines => std::iter::once(path.into_owned()).chain(lines.iter().map(|line| format!("  {line}"))).collect(),
    }
}

fn secret_text(from: &str, is_changed: bool) -> String {
    let changed = if is_changed { ", which changed" } else { "" };
    format!("(secret from {}{changed})", printable(from))
}

/// Both sides of an edit; absent values are shown as the server's default, which is in effect.
enum Sides {
    List {
        added: Vec<String>,
        removed: Vec<String>,
        unchanged: usize,
    },
    Order {
        old: String,
        new: String,
    },
    Text {
        old: String,
        new: String,
    },
    /// Certificates, by their fingerprints.
    Certificate {
        old: Option<String>,
        new: Option<String>,
    },
    Value {
        old: Option<Value>,
        new: Option<Value>,
    },
}

impl Sides {
    fn new(kind: Option<&Kind>, edit: &Edit) -> Self {
        let or_default = |value: &Option<Value>| value.clone().or_else(|| kind?.default_of(&edit.path));
        let (old, new) = (or_default(&edit.old), or_default(&edit.new));
        let certificate = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).and_then(fingerprint);
        let certificates = (certificate(&old), certificate(&new));
        match (old, new) {
            (old, new)
                if certificates.0.is_some() == old.is_some()
                    && certificates.1.is_some() == new.is_some()
                    && (old.is_some() || new.is_some()) =>
            {
                Self::Certificate { old: certificates.0, new: certificates.1 }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => Self::of_lists(&old, &new),
            (Some(Value::Array(old)), None) => Self::of_lists(&old, &[]),
            (None, Some(Value::Array(new))) => Self::of_lists(&[], &new),
            (Some(Value::String(old)), Some(Value::String(new))) if old.contains('\n') || new.contains('\n') => Self::Text { old, new },
            (Some(Value::String(old)), None) if old.contains('\n') => Self::Text { old, new: String::new() },
            (None, Some(Value::String(new))) if new.contains('\n') => Self::Text { old: String::new(), new },
            (old, new) => Self::Value { old, new },
        }
    }

    fn of_lists(old: &[Value], new: &[Value]) -> Self {
        let (added, removed) = (beyond(new, old), beyond(old, new));
        if added.is_empty() && removed.is_empty() {
            let shown = |list: &[Value]| inline(&Value::Array(list.to_vec()));
            return Self::Order { old: shown(old), new: shown(new) };
        }
        let unchanged = new.len() - added.len();
        Self::List { added, removed, unchanged }
    }
}

/// Returns the elements that occur more often in one list than in the other.
fn beyond(list: &[Value], other: &[Value]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut is_in_other = |element: &Value| {
        let partner = other.iter().enumerate().position(|(at, held)| held == element && !taken.contains(&at));
        partner.is_some_and(|at| taken.insert(at))
    };
    list.iter().filter(|element| !is_in_other(element)).map(super::values::element).collect()
}

fn short_edit(sides: &Sides, columns: usize) -> String {
    match sides {
        Sides::List { added, removed, unchanged } => short_list(added, removed, *unchanged, columns),
        Sides::Order { .. } => "(order)".to_owned(),
        Sides::Text { old, new } => line_counts(old, new),
        Sides::Certificate { old, new } => {
            let shown = |side: &Option<String>| side.as_deref().map_or_else(|| "(none)".to_owned(), ends);
            format!("{}{ARROW}{}", styled(REMOVED, shown(old)), styled(ADDED, shown(new)))
        }
        Sides::Value { old, new } => value(old.as_ref(), new.as_ref(), columns),
    }
}

fn short_list(added: &[String], removed: &[String], unchanged: usize, columns: usize) -> String {
    let signed = removed.iter().map(|one| (REMOVED, format!("- {one}"))).chain(added.iter().map(|one| (ADDED, format!("+ {one}"))));
    let parts: Vec<(anstyle::Style, String)> = signed.collect();
    let mut out = Vec::new();
    let mut room = columns;
    for (at, (style, part)) in parts.iter().enumerate() {
        let more = format!("… {} more", number(parts.len() - at));
        let is_last = at + 1 == parts.len();
        let needed = part.chars().count() + if is_last { 0 } else { more.len() + 2 };
        if at > 0 && needed > room {
            out.push(styled(QUIET, more));
            return out.join("  ");
        }
        let shown = cut(part, room.max(8));
        room = room.saturating_sub(shown.chars().count() + 2);
        out.push(styled(*style, shown));
    }
    let rest = format!("({} unchanged)", number(unchanged));
    if unchanged > 0 && rest.len() <= room {
        out.push(styled(QUIET, rest));
    }
    out.join("  ")
}

/// Returns the number of changed lines of a text: `+4 -1 lines`.
fn line_counts(old: &str, new: &str) -> String {
    let lines = difference(old, new);
    let added = lines.iter().filter(|line| matches!(line, DiffLine::Added(_))).count();
    let removed = lines.iter().filter(|line| matches!(line, DiffLine::Removed(_))).count();
    match (added, removed) {
        (0, 0) => "the end of a line differs".to_owned(),
        _ => format!("{} {} lines", styled(ADDED, format!("+{}", number(added))), styled(REMOVED, format!("-{}", number(removed)))),
    }
}

fn value(old: Option<&Value>, new: Option<&Value>, columns: usize) -> String {
    let (old, new) = (or_none(old), or_none(new));
    let room = columns.saturating_sub(ARROW.chars().count());
    let (old, new) = if old.chars().count() + new.chars().count() <= room {
        (old, new)
    } else if old.chars().count() <= room / 3 {
        (old.clone(), cut(&new, room - old.chars().count()))
    } else if new.chars().count() <= room / 3 {
        (cut(&old, room - new.chars().count()), new)
    } else {
        around_difference(&old, &new, (room / 2).max(8))
    };
    format!("{}{ARROW}{}", styled(REMOVED, old), styled(ADDED, new))
}

fn full_edit(sides: &Sides, columns: usize) -> Vec<String> {
    match sides {
        Sides::List { added, removed, unchanged } => {
            let signed = |style, sign: char| move |one: &String| hanging(sign, one, columns, style);
            let mut lines: Vec<String> =
                removed.iter().flat_map(signed(REMOVED, '-')).chain(added.iter().flat_map(signed(ADDED, '+'))).collect();
            if *unchanged > 0 {
                lines.push(styled(QUIET, format!("({} unchanged)", number(*unchanged))));
            }
            on_one_line(lines, columns)
        }
        Sides::Order { old, new } => both(old, new, columns, " (order)"),
        Sides::Text { old, new } => text(old, new, columns),
        Sides::Certificate { old, new } => {
            let shown = |side: &Option<String>| {
                side.as_ref().map_or_else(|| "(none)".to_owned(), |side| format!("SHA-256 {} {}", &side[..47], &side[48..]))
            };
            both(&shown(old), &shown(new), columns, "")
        }
        Sides::Value { old, new } => both(&or_none(old.as_ref()), &or_none(new.as_ref()), columns, ""),
    }
}

/// Renders two values on one line if they fit, otherwise on separate lines.
fn both(old: &str, new: &str, columns: usize, remark: &str) -> Vec<String> {
    if old.chars().count() + new.chars().count() + ARROW.chars().count() + remark.len() <= columns {
        return vec![format!("{}{ARROW}{}{remark}", styled(REMOVED, old), styled(ADDED, new))];
    }
    let mut lines = hanging('-', old, columns, REMOVED);
    lines.extend(hanging('+', &format!("{new}{remark}"), columns, ADDED));
    lines
}

/// Joins short lines if they all fit on one.
fn on_one_line(lines: Vec<String>, columns: usize) -> Vec<String> {
    let joined = lines.join("  ");
    if anstream::adapter::strip_str(&joined).to_string().chars().count() <= columns { vec![joined] } else { lines }
}

fn text(old: &str, new: &str, columns: usize) -> Vec<String> {
    let lines = difference(old, new);
    let is_changed = |line: &&DiffLine<'_>| matches!(line, DiffLine::Removed(_) | DiffLine::Added(_));
    if !lines.iter().any(|line| is_changed(&line)) {
        return vec!["the end of a line differs".to_owned()];
    }
    let shown = |text: &str| cut(&printable(text), columns.saturating_sub(2));
    let mut out = vec![line_counts(old, new)];
    out.extend(lines.iter().take(MOST).map(|line| match line {
        DiffLine::Hidden(hidden) => styled(QUIET, format!("… {} unchanged", count(*hidden, "line"))),
        DiffLine::Same(text) => styled(QUIET, format!("  {}", shown(text))),
        DiffLine::Removed(text) => styled(REMOVED, format!("- {}", shown(text))),
        DiffLine::Added(text) => styled(ADDED, format!("+ {}", shown(text))),
    }));
    let more = lines.iter().skip(MOST).filter(is_changed).count();
    if more > 0 {
        out.push(styled(QUIET, format!("… {} more", count(more, "changed line"))));
    }
    out
}

/// Returns a list of scalar values without brackets, and any other value unchanged.
fn flat(value: &Value) -> String {
    match value {
        Value::Array(list) if list.iter().all(|one| !one.is_array() && !one.is_object()) => {
            list.iter().map(inline).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => list.iter().map(super::values::element).collect::<Vec<_>>().join(", "),
        value => inline(value),
    }
}

/// Returns a value as the plan shows it, without truncation.
pub(super) fn distinguishing(value: &Value, columns: usize) -> String {
    cut(&flat(value), columns)
}

fn or_none(value: Option<&Value>) -> String {
    value.map_or_else(|| "(none)".to_owned(), flat)
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    textwrap::wrap(text, columns.max(20)).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Renders a text after a sign, with continuation lines indented below the text; long words are not broken.
fn hanging(sign: char, text: &str, columns: usize, style: anstyle::Style) -> Vec<String> {
    let sign = format!("{sign} ");
    let options = textwrap::Options::new(columns.max(20)).initial_indent(&sign).subsequent_indent("  ").break_words(false);
    textwrap::wrap(text, options).into_iter().map(|line| styled(style, line)).collect()
}
