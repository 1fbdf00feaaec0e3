//! One change of a plan, field by field, as lines.

use std::collections::BTreeSet;

use serde_json::Value;

use super::format::{count, named, number, printable};
use super::style::{ADDED, CHANGED, QUIET, REMOVED, styled};
use super::text_diff::{DiffLine, difference};
use super::values::{WIDTH, around_difference, cut, element, fields, inline};
use crate::catalog::{Catalog, Kind};
use crate::plan::{Action, Change, Edit};

/// Lines shown of a text that changes in many places, and of a list that changes in many elements.
const MOST: usize = 30;
/// Elements up to this width share a line.
const SHORT: usize = 24;

/// Returns a change as a heading and what it does, indented under it.
pub(super) fn change_lines(change: &Change) -> Vec<String> {
    let kind = Catalog::standard().kind(change.key.kind());
    let name = named(&change.key);
    let (heading, below) = match &change.action {
        Action::Create { body, .. } => (format!("{} create {name}", styled(ADDED, "+")), fields(body, shown_above(kind))),
        Action::Update { id, body, edits } => {
            let when = if id.is_some() { "" } else { ", once it exists" };
            // A late update has no edits: the resource does not exist yet.
            let below = if edits.is_empty() { fields(body, &[]) } else { edits.iter().flat_map(|one| edit(kind, one)).collect() };
            (format!("{} update {name}{when}", styled(CHANGED, "~")), below)
        }
        Action::Delete { .. } => (format!("{} delete {name}", styled(REMOVED, "-")), Vec::new()),
        Action::Elements { added, removed, .. } => {
            let below = elements(&added.iter().map(element).collect::<Vec<_>>(), &removed.iter().map(element).collect::<Vec<_>>());
            return one_or_many(&format!("{} update {name}", styled(CHANGED, "~")), &below);
        }
    };
    let secrets = change.secrets.iter().map(|secret| {
        let changed = if secret.is_changed { ", which changed" } else { "" };
        format!("{}: (secret from {}{changed})", secret.path, printable(&secret.from))
    });
    std::iter::once(heading).chain(indented(below.into_iter().chain(secrets))).collect()
}

/// Returns a field of a resource that differs as lines.
pub(crate) fn edit_lines(kind: &str, one: &Edit) -> Vec<String> {
    edit(Catalog::standard().kind(kind), one)
}

fn indented(lines: impl IntoIterator<Item = String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("    {line}"))
}

/// Returns the key field, where it is the name of the resource and shown above.
fn shown_above(kind: Option<&Kind>) -> &'static [&'static str] {
    kind.map(|kind| kind.identity.key).filter(|key| key.len() == 1).unwrap_or_default()
}

/// Returns one field that differs.
///
/// A plan omits a value that equals a default of the server; it is shown, since that is the value the field will have.
fn edit(kind: Option<&Kind>, edit: &Edit) -> Vec<String> {
    let path = printable(&edit.path);
    let or_default = |value: &Option<Value>| value.clone().or_else(|| kind?.default_of(&edit.path));
    match (&or_default(&edit.old), &or_default(&edit.new)) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(&path, old, new),
        (Some(Value::Array(old)), None) => list(&path, old, &[]),
        (None, Some(Value::Array(new))) => list(&path, &[], new),
        (Some(Value::String(old)), Some(Value::String(new))) if old.contains('\n') || new.contains('\n') => text(&path, old, new),
        (old, new) => value(&path, old.as_ref(), new.as_ref()),
    }
}

fn value(path: &str, old: Option<&Value>, new: Option<&Value>) -> Vec<String> {
    let shown = |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), inline);
    let (old, new) = (shown(old), shown(new));
    if path.len() + old.chars().count() + new.chars().count() <= WIDTH {
        return vec![format!("{path}: {} -> {}", styled(REMOVED, old), styled(ADDED, new))];
    }
    let (old, new) = around_difference(&old, &new, WIDTH);
    vec![format!("{path}:"), format!("  {}", styled(REMOVED, format!("- {old}"))), format!("  {}", styled(ADDED, format!("+ {new}")))]
}

fn list(path: &str, old: &[Value], new: &[Value]) -> Vec<String> {
    let (added, removed) = (beyond(new, old), beyond(old, new));
    if added.is_empty() && removed.is_empty() {
        return value(&format!("{path} (order)"), Some(&Value::Array(old.to_vec())), Some(&Value::Array(new.to_vec())));
    }
    let mut lines = elements(&added, &removed);
    let unchanged = new.len() - added.len();
    if unchanged > 0 {
        lines.push(styled(QUIET, format!("({} unchanged)", number(unchanged))));
    }
    one_or_many(path, &lines)
}

/// Returns the elements of one list that the other lacks, as often as it lacks them.
fn beyond(list: &[Value], other: &[Value]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut is_in_other = |element: &Value| {
        let partner = other.iter().enumerate().position(|(at, held)| held == element && !taken.contains(&at));
        partner.is_some_and(|at| taken.insert(at))
    };
    list.iter().filter(|element| !is_in_other(element)).map(inline).collect()
}

fn elements(added: &[String], removed: &[String]) -> Vec<String> {
    let signed = |style, sign: char| move |element: &String| styled(style, format!("{sign} {}", cut(element, WIDTH)));
    let all: Vec<String> = removed.iter().map(signed(REMOVED, '-')).chain(added.iter().map(signed(ADDED, '+'))).collect();
    let more = all.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| styled(QUIET, format!("… {} more", number(more))));
    all.into_iter().take(MOST).chain(rest).collect()
}

/// Returns a heading with its parts on the same line where they fit, else under it: several short ones a line, or one long one.
fn one_or_many(heading: &str, parts: &[String]) -> Vec<String> {
    let line = format!("{heading}: {}", parts.join("  "));
    if width(&line) <= WIDTH {
        return vec![line];
    }
    let mut lines = vec![format!("{heading}:")];
    let are_short = parts.iter().all(|part| width(part) <= SHORT);
    for part in parts {
        match lines.last_mut() {
            Some(last) if are_short && last.starts_with("  ") && width(last) + width(part) < WIDTH => {
                last.push_str("  ");
                last.push_str(part);
            }
            _ => lines.push(format!("  {part}")),
        }
    }
    lines
}

/// Returns the width of a styled text.
fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

fn text(path: &str, old: &str, new: &str) -> Vec<String> {
    let lines = difference(old, new);
    let is_changed = |line: &&DiffLine<'_>| matches!(line, DiffLine::Removed(_) | DiffLine::Added(_));
    let changed = lines.iter().filter(is_changed).count();
    if changed == 0 {
        return vec![format!("{path}: the end of a line differs")];
    }
    let mut out = vec![format!("{path}:")];
    out.extend(lines.iter().take(MOST).map(|line| match line {
        DiffLine::Hidden(hidden) => styled(QUIET, format!("  … {} unchanged", count(*hidden, "line"))),
        DiffLine::Same(text) => styled(QUIET, format!("    {}", cut(&printable(text), WIDTH))),
        DiffLine::Removed(text) => styled(REMOVED, format!("  - {}", cut(&printable(text), WIDTH))),
        DiffLine::Added(text) => styled(ADDED, format!("  + {}", cut(&printable(text), WIDTH))),
    }));
    let more = lines.iter().skip(MOST).filter(is_changed).count();
    if more > 0 {
        out.push(styled(QUIET, format!("  … {} more", count(more, "changed line"))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;
    use serde_json::json;

    fn shown_at(path: &str, old: Value, new: Value) -> Vec<String> {
        let some = |value: Value| Some(value).filter(|value| !value.is_null());
        let of = Edit { path: path.into(), old: some(old), new: some(new) };
        edit(Catalog::standard().kind("clients"), &of).iter().map(|line| plain(line)).collect()
    }

    fn shown(old: Value, new: Value) -> Vec<String> {
        shown_at("field", old, new)
    }

    #[test]
    fn a_field_that_goes_back_to_its_default_shows_the_default() {
        assert_eq!(shown_at("oidc_conformant", json!(true), json!(null)), ["oidc_conformant: true -> false"]);
    }

    #[test]
    fn a_list_shows_only_the_elements_that_are_added_or_removed() {
        assert_eq!(shown(json!(["a", "b", "c"]), json!(["b", "c", "d"])), ["field: - a  + d  (2 unchanged)"]);
        assert_eq!(shown(json!(["a", "a"]), json!(["a"])), ["field: - a  (1 unchanged)"]);
    }

    #[test]
    fn short_elements_share_a_line() {
        let locales: Vec<String> = (10..40).map(|nth| format!("locale-{nth}")).collect();
        let lines = shown(json!([]), json!(locales));
        assert_eq!((lines.len(), lines[0].as_str()), (6, "field:"));
        assert!(lines[1].starts_with("  + locale-10  + locale-11  "), "{}", lines[1]);
    }

    #[test]
    fn a_list_in_another_order_says_so() {
        assert_eq!(shown(json!(["a", "b"]), json!(["b", "a"])), ["field (order): [a, b] -> [b, a]"]);
    }

    #[test]
    fn single_values_show_old_and_new() {
        assert_eq!(shown(json!(null), json!(3600)), ["field: (none) -> 3600"]);
        assert_eq!(shown(json!({"a": 1}), json!(null)), ["field: {a: 1} -> (none)"]);
    }

    #[test]
    fn long_texts_show_their_first_difference() {
        let (old, new) = (format!("{}old{}", "x".repeat(90), "y".repeat(90)), format!("{}new{}", "x".repeat(90), "y".repeat(90)));
        let lead = format!("…{}", "x".repeat(20));
        let rest = "y".repeat(75);
        let expected = ["field:".to_owned(), format!("  - {lead}old{rest}…"), format!("  + {lead}new{rest}…")];
        assert_eq!(shown(json!(old), json!(new)), expected);
    }

    #[test]
    fn texts_that_differ_in_the_end_of_a_line_are_not_shown_as_equal() {
        assert_eq!(shown(json!("a\nb"), json!("a\nb\n")), ["field: the end of a line differs"]);
    }
}
