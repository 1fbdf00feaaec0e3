//! Renders one field of a change on a terminal: on one line in lists, in full for review.

use serde_json::Value;

use super::certificate::CertificateEdit;
use super::format::{count, number, printable};
use super::kind_changes::FieldContent;
use super::layout::Layout;
use super::shown_edit::{ShownEdit, Sign, SignedLine, text_lines};
use super::style::{ADDED, QUIET, REMOVED, styled};
use super::value_pair::Pair;
use super::values::{NONE, cut, flat};
use crate::catalog::Kind;
use crate::plan::Edit;

/// What separates an old value from a new one.
const ARROW: &str = " → ";
/// The maximum number of lines for a text that changes in many places.
const MOST: usize = 30;
/// The minimum number of columns in which one element is compared with another.
const ENOUGH: usize = 70;
/// The minimum number of columns for the first element of a list.
const LEAST_ELEMENT: usize = 14;
/// The number of unchanged lines shown around a difference of a text.
const CONTEXT: usize = 1;

/// Renders what happens to a field on one line of at most `columns` columns.
pub(super) fn short(kind: Option<&Kind>, content: &FieldContent<'_>, columns: usize) -> String {
    match content {
        FieldContent::Edit(edit) => short_edit(&shown(kind, edit), columns),
        FieldContent::Value(_, value) => styled(ADDED, cut(&flat(value), columns)),
        FieldContent::Secret(secret) => secret_text(&secret.from, secret.is_changed),
    }
}

/// Renders what happens to a field on as many lines as needed.
pub(super) fn full(kind: &Kind, content: &FieldContent<'_>, columns: usize) -> Vec<String> {
    match content {
        FieldContent::Edit(edit) => full_edit(&shown(Some(kind), edit), columns),
        FieldContent::Value(_, value) => wrapped(&flat(value), columns).into_iter().map(|line| styled(ADDED, line)).collect(),
        FieldContent::Secret(secret) => vec![secret_text(&secret.from, secret.is_changed)],
    }
}

/// Renders a differing field of a resource on as many lines as needed.
pub(crate) fn edit_lines(kind: &Kind, edit: &Edit, layout: Layout) -> Vec<String> {
    let path = printable(&edit.path);
    let columns = layout.columns.saturating_sub(path.chars().count() + 4);
    let lines = full_edit(&shown(Some(kind), edit), columns);
    match lines.as_slice() {
        [only] => vec![format!("{path}  {only}")],
        lines => std::iter::once(path.into_owned()).chain(lines.iter().map(|line| format!("  {line}"))).collect(),
    }
}

fn shown(kind: Option<&Kind>, edit: &Edit) -> ShownEdit {
    ShownEdit::new(kind, &edit.path, (edit.old.as_ref(), edit.new.as_ref()))
}

/// Describes a supplied secret, which is never shown.
pub(super) fn secret_text(from: &str, is_changed: bool) -> String {
    let changed = if is_changed { ", which changed" } else { "" };
    format!("(secret from {}{changed})", printable(from))
}

/// Renders an edit on one line of at most `columns` columns.
pub(super) fn short_edit(edit: &ShownEdit, columns: usize) -> String {
    const ORDER: &str = " (order)";
    match edit {
        ShownEdit::List { added, removed, unchanged } => short_list((removed, added), *unchanged, columns),
        ShownEdit::Order(pair) => short_pair(pair, columns.saturating_sub(ORDER.len())) + ORDER,
        ShownEdit::Text(Pair { old, new }) => line_counts(old, new),
        ShownEdit::Certificate(edit) => short_certificates(edit, columns),
        ShownEdit::Value(pair) => short_pair(pair, columns),
    }
}

/// Renders two certificates by the ends of their fingerprints, and the day on which the new one expires if it fits.
fn short_certificates(edit: &CertificateEdit, columns: usize) -> String {
    let Some(ends) = edit.ends() else { return short_pair(&edit.whole(), columns) };
    let expires = edit.expires().map(|day| format!("  (expires {day})")).unwrap_or_default();
    let short = arrow(&ends.old, &ends.new);
    if visible_width(&short) + expires.len() <= columns { short + &expires } else { short }
}

fn arrow(old: &str, new: &str) -> String {
    format!("{}{ARROW}{}", styled(REMOVED, old), styled(ADDED, new))
}

fn short_list((removed, added): (&[String], &[String]), unchanged: usize, columns: usize) -> String {
    let unchanged = (unchanged > 0).then(|| styled(QUIET, format!("({} unchanged)", number(unchanged))));
    let (mut out, room) = match (removed, added) {
        ([old], [new]) if columns >= ENOUGH => replacement(&Pair { old: old.clone(), new: new.clone() }, columns),
        _ => first_elements(removed, added, columns),
    };
    out.extend(unchanged.filter(|rest| visible_width(rest) <= room));
    out.join("  ")
}

/// Renders one element in place of another, and returns the columns that are left.
fn replacement(pair: &Pair, columns: usize) -> (Vec<String>, usize) {
    const SIGNS: usize = 6;
    let room = columns.saturating_sub(SIGNS);
    let fits = pair.old.chars().count() + pair.new.chars().count() <= room;
    let Pair { old, new } = if fits { pair.clone() } else { pair.shortened(room / 2) };
    let left = room.saturating_sub(old.chars().count() + new.chars().count() + 2);
    (vec![styled(REMOVED, format!("- {old}")), styled(ADDED, format!("+ {new}"))], left)
}

/// Renders as many elements as fit, and returns the columns that are left.
fn first_elements(removed: &[String], added: &[String], columns: usize) -> (Vec<String>, usize) {
    let signed = removed.iter().map(|one| (REMOVED, format!("- {one}"))).chain(added.iter().map(|one| (ADDED, format!("+ {one}"))));
    let parts: Vec<(anstyle::Style, String)> = signed.collect();
    let mut out = Vec::new();
    let mut room = columns;
    for (at, (style, part)) in parts.iter().enumerate() {
        let more = format!("… {} more", number(parts.len() - at));
        // What follows is counted behind an element, unless it is the last one.
        let for_count = if at + 1 == parts.len() { 0 } else { more.chars().count() + 2 };
        if at > 0 && part.chars().count() + for_count > room {
            out.push(styled(QUIET, more));
            return (out, 0);
        }
        let shown = cut(part, room.saturating_sub(for_count).max(LEAST_ELEMENT));
        room = room.saturating_sub(shown.chars().count() + 2);
        out.push(styled(*style, shown));
    }
    (out, room)
}

/// Returns the number of columns that a styled text takes.
pub(super) fn visible_width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

/// Returns the number of changed lines of a text: `+4 -1 lines`.
fn line_counts(old: &str, new: &str) -> String {
    let lines = text_lines(old, new, (0, usize::MAX));
    let with = |sign: Sign| number(lines.iter().filter(|line| line.sign == sign).count());
    format!("{} {} lines", styled(ADDED, format!("+{}", with(Sign::Added))), styled(REMOVED, format!("-{}", with(Sign::Removed))))
}

/// Renders two values on one line, shortened around their first difference if they do not fit.
fn short_pair(pair: &Pair, columns: usize) -> String {
    let Pair { old, new } = pair;
    let room = columns.saturating_sub(ARROW.chars().count());
    let (one, other) = (old.chars().count(), new.chars().count());
    if one + other <= room {
        return arrow(old, new);
    }
    if one <= room / 3 {
        return arrow(old, &cut(new, room - one));
    }
    if other <= room / 3 {
        return arrow(&cut(old, room - other), new);
    }
    let Pair { old, new } = pair.shortened(room / 2);
    arrow(&old, &new)
}

/// Renders an edit on as many lines as needed.
pub(super) fn full_edit(edit: &ShownEdit, columns: usize) -> Vec<String> {
    match edit {
        ShownEdit::List { added, removed, unchanged } => {
            let signed = |style, sign: char| move |one: &String| hanging(sign, one, columns, style);
            let mut lines: Vec<String> =
                removed.iter().flat_map(signed(REMOVED, '-')).chain(added.iter().flat_map(signed(ADDED, '+'))).collect();
            if *unchanged > 0 {
                lines.push(styled(QUIET, format!("({} unchanged)", number(*unchanged))));
            }
            on_one_line(lines, columns)
        }
        ShownEdit::Order(pair) => both(pair, columns, " (order)"),
        ShownEdit::Text(Pair { old, new }) => text(old, new, columns),
        ShownEdit::Certificate(edit) => both(&edit.in_halves(), columns, ""),
        ShownEdit::Value(pair) => both(pair, columns, ""),
    }
}

/// Renders two values on one line if they fit, otherwise on separate lines; a missing one takes none.
fn both(Pair { old, new }: &Pair, columns: usize, remark: &str) -> Vec<String> {
    if old.chars().count() + new.chars().count() + ARROW.chars().count() + remark.len() <= columns {
        return vec![arrow(old, new) + remark];
    }
    let mut lines = if old == NONE { Vec::new() } else { hanging('-', old, columns, REMOVED) };
    if new != NONE {
        lines.extend(hanging('+', &format!("{new}{remark}"), columns, ADDED));
    }
    lines
}

/// Joins short lines if they all fit on one.
fn on_one_line(lines: Vec<String>, columns: usize) -> Vec<String> {
    let joined = lines.join("  ");
    if visible_width(&joined) <= columns { vec![joined] } else { lines }
}

fn text(old: &str, new: &str, columns: usize) -> Vec<String> {
    let lines = text_lines(old, new, (CONTEXT, columns.saturating_sub(2)));
    let mut out = vec![line_counts(old, new)];
    out.extend(lines.iter().take(MOST).map(|SignedLine { sign, text }| match sign {
        Sign::Hidden(hidden) => styled(QUIET, format!("… {} unchanged", count(*hidden, "line"))),
        Sign::Same => styled(QUIET, format!("  {text}")),
        Sign::Removed => styled(REMOVED, format!("- {text}")),
        Sign::Added => styled(ADDED, format!("+ {text}")),
    }));
    let is_changed = |line: &&SignedLine| matches!(line.sign, Sign::Removed | Sign::Added);
    let more = lines.iter().skip(MOST).filter(is_changed).count();
    if more > 0 {
        out.push(styled(QUIET, format!("… {} more", count(more, "changed line"))));
    }
    out
}

/// Returns a value as the plan shows it, in at most `columns` columns.
pub(super) fn distinguishing(value: &Value, columns: usize) -> String {
    cut(&flat(value), columns)
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
