//! Renders the parts of a plan in columns: its head, what to review first, and the changes by kind.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::field_text::{distinguishing, full, short, visible_width};
use super::format::{by_whom, count, number, printable};
use super::head::{Head, risk_parts};
use super::kind_changes::{Entry, FieldContent, FieldLine, KindChanges, OperationCounts, Wording};
use super::layout::Layout;
use super::review::{ReviewItem, ReviewLabel, legend};
use super::style::{ADDED, CHANGED, QUIET, REMOVED, TITLE, styled};
use super::values::cut;
use crate::catalog::Kind;
use crate::model::event::Operation;
use crate::plan::Change;

/// The number of creates of one kind from which they share lines.
const MANY: usize = 10;
/// The number of creates of one kind from which they share lines if only their names differ.
const FEW: usize = 3;
/// The maximum number of lines for the names of resources that share a harmless edit.
const NAME_LINES: usize = 2;
/// The maximum number of lines for the names of new resources that share lines.
const CREATE_LINES: usize = 4;
/// The number of columns between cells.
const GAP: usize = 2;
/// The minimum width of a value.
const LEAST_VALUE: usize = 24;
/// The minimum width of the description of a resource behind a long name, if it has to be cut for that.
const LEAST_SUMMARY: usize = 24;

/// Renders the head of a plan.
pub(super) fn head(head: &Head, layout: Layout) -> String {
    let width = |column: usize| head.sides.iter().map(|side| side[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1)];
    let side = |[label, name, remark]: &[String; 3]| {
        let line = format!("  {label:<0$}  {name:<1$}  {remark}", widths[0], widths[1]);
        printable(line.trim_end()).into_owned()
    };
    let mut lines: Vec<String> = head.sides.iter().map(side).collect();
    let risks: Vec<String> =
        risk_parts(head.risks).into_iter().map(|(is_danger, part)| if is_danger { styled(REMOVED, part) } else { part }).collect();
    lines.extend((!risks.is_empty()).then(String::new));
    let mut listed = |parts: &[String]| lines.extend(joined(parts, " ·", layout.columns - GAP).into_iter().map(|line| format!("  {line}")));
    if let Some((first, rest)) = risks.split_first() {
        listed(&[&[format!("edits by risk: {first}")], rest].concat());
    }
    listed(&[format!("resources: {}", head.size)]);
    let kinds: Vec<String> = head.kinds.iter().map(|(title, counts)| format!("{title} {}", signed(*counts))).collect();
    if kinds.len() > 1 {
        listed(&kinds);
    }
    lines.extend(head.cost.iter().map(|cost| format!("  {cost}")));
    lines.join("\n")
}

/// Renders counts with signs: `+6 ~12 -1`.
fn signed(counts: OperationCounts) -> String {
    let parts = [('+', counts.create), ('~', counts.update), ('-', counts.delete)];
    let shown = parts.iter().filter(|(_, count)| *count > 0).map(|(sign, count)| format!("{sign}{}", number(*count)));
    shown.collect::<Vec<_>>().join(" ")
}

/// Returns what is done to the resources of a kind: `2 to create, 12 to update`, or what was: `2 added, 12 changed`.
pub(super) fn operations(counts: OperationCounts, wording: Wording) -> String {
    let words = match wording {
        Wording::Planned => ["to create", "to update", "to delete"],
        Wording::Compared | Wording::Drifted => ["added", "changed", "deleted"],
        Wording::Applied => ["created", "updated", "deleted"],
    };
    let parts = [counts.create, counts.update, counts.delete].into_iter().zip(words);
    let shown = parts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{} {word}", number(count)));
    shown.collect::<Vec<_>>().join(", ")
}

/// Returns what is done to the resources of a kind; for one that only completes new resources, the number of changes.
pub(super) fn kind_summary(changes: &KindChanges<'_>) -> String {
    let operations = operations(changes.counts, changes.wording);
    if operations.is_empty() { count(changes.entries.len(), "change") } else { operations }
}

/// Renders what to review first, one line each, below the meaning of the labels. A resource is not repeated if it is that of the previous
/// line; several that share an edit are, since their names are below the first line only.
pub(super) fn review(items: &[ReviewItem<'_>], layout: Layout) -> Vec<String> {
    let label = items.iter().map(|item| item.label.to_string().len()).max().unwrap_or_default();
    let room = layout.columns.saturating_sub(GAP + label + GAP);
    let width = |cell: &dyn Fn(&ReviewItem<'_>) -> String, most: usize| {
        let widths = items.iter().map(|item| cell(item).chars().count()).filter(|width| *width <= most);
        widths.max().unwrap_or_default()
    };
    let resource = width(&|item| item.resource(room / 3), room / 3);
    let path = width(&|item| item.path().to_owned(), room * 3 / 10);
    let legend = joined(&legend(items), ";", layout.columns.saturating_sub(GAP));
    let mut lines: Vec<String> = legend.into_iter().map(|line| styled(QUIET, line)).collect();
    let mut before: Option<&ReviewItem<'_>> = None;
    for item in items {
        if let Some(text) = item.remark() {
            lines.extend(remark(item, text, (label, resource), layout));
            continue;
        }
        let is_same = before.is_some_and(|before| before.label == item.label && before.keys == item.keys && !item.keys.is_empty());
        let name = if is_same && item.keys.len() == 1 { String::new() } else { printable(&item.resource(room / 3)).into_owned() };
        let field = printable(item.path()).into_owned();
        let field = if field.is_empty() && path == 0 { String::new() } else { format!("  {field:<path$}") };
        // A long name or path takes the space of the value, and is truncated only if hardly any is left.
        let most = room.saturating_sub(GAP + visible_width(&item.value(room)).min(LEAST_VALUE));
        let name = cut(&format!("{name:<resource$}"), most.saturating_sub(field.chars().count()).max(resource));
        let cells = cut(&format!("{name}{field}"), most.max(resource));
        let value = item.value(room.saturating_sub(cells.chars().count() + GAP));
        let style = if item.label == ReviewLabel::Weakened { CHANGED } else { REMOVED };
        lines.push(format!("{}  {}", styled(style, format!("{:<label$}", item.label.to_string())), format!("{cells}  {value}").trim_end()));
        if !is_same && item.names(room / 3).is_none() && item.keys.len() > 1 {
            let names: Vec<String> = item.keys.iter().map(|key| printable(key.name()).into_owned()).collect();
            let indent = " ".repeat(label + GAP);
            lines.extend(wrapped_list(&names, room).into_iter().map(|line| format!("{indent}{line}")));
        }
        before = Some(item);
    }
    lines
}

/// Renders a possible mistake in the mapping or the token: a host on one line, anything else on as many as needed.
fn remark(item: &ReviewItem<'_>, text: &str, (label, resource): (usize, usize), layout: Layout) -> Vec<String> {
    let (place, text) = (printable(&item.resource(layout.columns)).into_owned(), printable(text));
    let title = format!("{:<label$}  ", item.label.to_string());
    let indent = " ".repeat(title.len());
    let room = layout.columns.saturating_sub(GAP + title.len());
    if item.label == ReviewLabel::Host {
        let line = cut(&format!("{place:<resource$}  {text}"), room);
        return vec![format!("{}{line}", styled(CHANGED, &title))];
    }
    let text = if place.is_empty() { text.into_owned() } else { format!("{place}  {text}") };
    let lines = textwrap::wrap(&text, textwrap::Options::new(room).break_words(false));
    let first = |at: usize| if at == 0 { styled(CHANGED, &title) } else { indent.clone() };
    lines.iter().enumerate().map(|(at, line)| format!("{}{line}", first(at))).collect()
}

/// Renders the changes of a kind under its heading.
pub(super) fn kind(changes: &KindChanges<'_>, layout: Layout) -> Vec<String> {
    let heading = format!("{}   {}", styled(TITLE, changes.heading()), operations(changes.counts, changes.wording));
    let names = changes.parts_of_names().map(|names| styled(QUIET, names));
    let is_create = |entry: &&Entry<'_>| entry.operation == Operation::Create;
    let are_names = changes.entries.iter().filter(is_create).all(|entry| entry.distinguishing.is_empty());
    let is_packed = !layout.is_verbose && changes.counts.create > if are_names { FEW } else { MANY };
    // Completing a new resource is part of its create and no separate decision.
    let is_shown = |entry: &&Entry<'_>| layout.is_verbose || !entry.is_late;
    let shown: Vec<&Entry<'_>> = changes.entries.iter().filter(is_shown).collect();
    let (packed, single): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) =
        shown.into_iter().partition(|entry| is_packed && is_create(entry) && !entry.class.is_dangerous());
    let width = single.iter().map(|entry| entry.subject().chars().count()).max().unwrap_or_default().min(layout.columns * 3 / 10);
    let lines = single.into_iter().flat_map(|entry| self::entry(entry, width, layout)).chain(packed_creates(&packed, layout));
    std::iter::once(heading).chain(names.into_iter().chain(lines).map(|line| format!("  {line}"))).collect()
}

fn entry(entry: &Entry<'_>, width: usize, layout: Layout) -> Vec<String> {
    let sign = match entry.operation {
        Operation::Create => styled(ADDED, "+"),
        Operation::Update => styled(CHANGED, "~"),
        Operation::Delete => styled(REMOVED, "-"),
    };
    let kind = entry.keys[0].kind();
    let subject = entry.subject();
    // A long name gets its own line, so that the columns of the others are not pushed out of view.
    let is_long = subject.chars().count() > width;
    if let Some(summary) = is_long.then(|| summary_beside(entry, &subject, layout)).flatten() {
        return vec![format!("{sign} {subject}  {summary}")];
    }
    let indent = 2 + GAP + if is_long { 2 } else { width + GAP };
    let columns = layout.columns.saturating_sub(indent);
    let below: Vec<String> = match entry.operation {
        Operation::Update => fields(kind, entry, columns, layout),
        Operation::Create | Operation::Delete if layout.is_verbose && !entry.fields.is_empty() => fields(kind, entry, columns, layout),
        Operation::Create | Operation::Delete => summary(entry, columns).into_iter().collect(),
    };
    let remark = if entry.is_late { " (once it exists)" } else { "" };
    let names = names(entry, columns, layout);
    let below: Vec<String> = below.into_iter().chain(names).collect();
    let mut lines = Vec::new();
    let indent = " ".repeat(indent - 2);
    match below.split_first() {
        Some((first, rest)) if !is_long => {
            lines.push(format!("{sign} {}  {first}{remark}", padded(&subject, width)));
            lines.extend(rest.iter().map(|line| format!("{indent}{line}")));
        }
        _ => {
            lines.push(format!("{sign} {subject}{remark}"));
            lines.extend(below.iter().map(|line| format!("{indent}{line}")));
        }
    }
    lines
}

/// Renders the short description of a created or deleted resource behind its long name, if there is room for it; what is dangerous is not
/// cut for that.
fn summary_beside(entry: &Entry<'_>, subject: &str, layout: Layout) -> Option<String> {
    if entry.operation == Operation::Update || (layout.is_verbose && !entry.fields.is_empty()) {
        return None;
    }
    let room = layout.columns.saturating_sub(2 + GAP + subject.chars().count() + GAP);
    let summary = summary(entry, layout.columns)?;
    let fits = summary.chars().count() <= room;
    (fits || (room >= LEAST_SUMMARY && !entry.class.is_dangerous())).then(|| cut(&summary, room))
}

/// Renders the names of the resources that share an edit.
fn names(entry: &Entry<'_>, columns: usize, layout: Layout) -> Vec<String> {
    if entry.keys.len() < 2 {
        return Vec::new();
    }
    let names: Vec<String> = entry.keys.iter().map(|key| printable(key.name()).into_owned()).collect();
    let most = if layout.is_verbose || entry.class.is_dangerous() { usize::MAX } else { NAME_LINES };
    folded_list(&names, columns, most).into_iter().map(|line| styled(QUIET, line)).collect()
}

/// Renders a short description of a changed resource in at most `columns` columns.
pub(super) fn summary_of(change: &Change, columns: usize) -> String {
    let values = super::kind_changes::distinguishing(change);
    cut(&values.iter().map(|(path, value)| of_itself(path, value, columns)).collect::<Vec<_>>().join("  "), columns)
}

/// Renders a short description of a created or deleted resource on one line.
fn summary(entry: &Entry<'_>, columns: usize) -> Option<String> {
    let secrets = entry.fields.iter().filter(|line| matches!(line.content, FieldContent::Secret(_))).count();
    let secrets = (secrets > 0).then(|| format!("{} from outside", count(secrets, "secret")));
    let mut values: Vec<String> = Vec::new();
    for (at, (path, value)) in entry.distinguishing.iter().enumerate() {
        values.push(if at == 0 { of_itself(path, value, columns) } else { named(path, value, columns) });
    }
    let line = values.into_iter().chain(secrets).collect::<Vec<_>>().join("   ");
    (!line.is_empty()).then(|| cut(&line, columns))
}

/// Renders a value that says what it is; a flag or a number does so only with its name.
fn of_itself(path: &str, value: &Value, columns: usize) -> String {
    if value.is_boolean() || value.is_number() { named(path, value, columns) } else { distinguishing(value, columns) }
}

fn named(path: &str, value: &Value, columns: usize) -> String {
    format!("{}  {}", path.split(['[', '.']).next().unwrap_or(path), distinguishing(value, columns))
}

/// Renders the fields of a change: harmless ones on one line each, dangerous ones in full.
fn fields(kind: &Kind, entry: &Entry<'_>, columns: usize, layout: Layout) -> Vec<String> {
    let width = entry.fields.iter().map(|line| line.path().chars().count()).max().unwrap_or_default().min(columns * 2 / 5);
    entry.fields.iter().flat_map(|line| field(kind, line, width, (columns, layout))).collect()
}

fn field(kind: &Kind, line: &FieldLine<'_>, width: usize, (columns, layout): (usize, Layout)) -> Vec<String> {
    let path = printable(line.path()).into_owned();
    let rule = line.rule.map(|rule| printable(rule).into_owned()).unwrap_or_default();
    let for_rule = if rule.is_empty() { 0 } else { rule.chars().count() + GAP };
    let (width, values) = values_of_field(kind, line, (&path, width, for_rule), (columns, layout));
    let is_long = path.chars().count() > width;
    let mark = if line.class.is_dangerous() { styled(REMOVED, &path) } else { path.clone() };
    let needed = |value: &str| path.chars().count() + GAP + visible_width(value) + for_rule;
    let mut lines = match values.as_slice() {
        [only] if needed(only) <= columns || (!is_long && width + GAP + visible_width(only) <= columns) => {
            vec![format!("{}{}  {only}", mark, " ".repeat(width.saturating_sub(path.chars().count())))]
        }
        [first, rest @ ..] if !is_long && is_counts(first) => {
            let head = format!("{}{}  {first}", mark, " ".repeat(width - path.chars().count()));
            std::iter::once(head).chain(rest.iter().map(|line| format!("  {line}"))).collect()
        }
        all => std::iter::once(mark).chain(all.iter().map(|line| format!("  {line}"))).collect(),
    };
    let indent = if is_long { 2 } else { width + GAP };
    lines.extend(line.changed_by.map(|_| styled(QUIET, format!("{:indent$}changed{}", "", by_whom(line.changed_by)))));
    if !rule.is_empty() {
        at_the_margin(&mut lines, &rule, columns);
    }
    lines
}

/// Returns the values of a field, and the width of the column for its path: a value that is too long beside that column, but short enough
/// for one line, follows the path itself.
fn values_of_field(
    kind: &Kind,
    line: &FieldLine<'_>,
    (path, width, for_rule): (&str, usize, usize),
    (columns, layout): (usize, Layout),
) -> (usize, Vec<String>) {
    let path = path.chars().count();
    let room = columns.saturating_sub(if path > width { 2 } else { width + GAP });
    if !layout.is_verbose && !line.class.is_dangerous() {
        // A rule that would leave hardly any of the value gets a line of its own.
        let beside_rule = Some(room.saturating_sub(for_rule)).filter(|left| *left >= LEAST_VALUE);
        return (width, vec![short(Some(kind), &line.content, beside_rule.unwrap_or(room))]);
    }
    let is_one_line = |values: &[String], room: usize| matches!(values, [only] if visible_width(only) <= room);
    let (values, behind_path) = (full(kind, &line.content, room), columns.saturating_sub(path + GAP + for_rule));
    if !is_one_line(&values, room.saturating_sub(for_rule)) {
        let whole = full(kind, &line.content, behind_path);
        if is_one_line(&whole, behind_path) {
            return (path, whole);
        }
    }
    (width, values)
}

/// Returns whether a line is the count for the lines below it.
fn is_counts(line: &str) -> bool {
    anstream::adapter::strip_str(line).to_string().ends_with(" lines")
}

/// Adds the position of a rule at the right margin of the first line with enough space.
fn at_the_margin(lines: &mut Vec<String>, rule: &str, columns: usize) {
    let needed = rule.chars().count() + GAP;
    match lines.iter_mut().find(|line| visible_width(line) + needed <= columns) {
        Some(line) => {
            let gap = " ".repeat(columns - visible_width(line) - rule.chars().count());
            *line = format!("{line}{gap}{}", styled(QUIET, rule));
        }
        None => lines.push(format!("  {}", styled(QUIET, rule))),
    }
}

/// Renders many new resources grouped by their distinguishing fields, with their names.
fn packed_creates(entries: &[&Entry<'_>], layout: Layout) -> Vec<String> {
    let is_grouped = distinguishes(entries);
    let group_of = |entry: &Entry<'_>| entry.distinguishing.first().filter(|_| is_grouped).map(|(path, value)| of_itself(path, value, 30));
    let mut groups: Vec<(String, Vec<&Entry<'_>>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let group = group_of(entry).unwrap_or_default();
        let place = *places.entry(group.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((group, Vec::new()));
        }
        groups[place].1.push(entry);
    }
    let lines = |(group, entries): &(String, Vec<&Entry<'_>>)| {
        let singular = entries[0].keys[0].kind().singular;
        let of = if group.is_empty() { String::new() } else { format!(" {group}") };
        let names: Vec<String> = entries.iter().map(|entry| printable(entry.keys[0].name()).into_owned()).collect();
        let heading = format!("{} {}{of}", styled(ADDED, "+"), count(entries.len(), singular));
        let most = if layout.is_verbose { usize::MAX } else { CREATE_LINES };
        let indent = visible_width(&heading) + GAP;
        let names = folded_list(&names, layout.columns.saturating_sub(GAP + indent), most);
        let lines = names.iter().map(|line| format!("{:indent$}{line}", ""));
        let mut lines: Vec<String> = lines.collect();
        if let Some(first) = lines.first_mut() {
            *first = format!("{heading}  {}", names[0]);
        }
        lines
    };
    groups.iter().flat_map(lines).collect()
}

/// Returns whether the first distinguishing field divides the resources into few groups.
fn distinguishes(entries: &[&Entry<'_>]) -> bool {
    let values: BTreeSet<String> =
        entries.iter().filter_map(|entry| entry.distinguishing.first()).map(|(_, value)| value.to_string()).collect();
    values.len() * 3 <= entries.len()
}

/// Renders names on at most this many lines, or on half as many if that is not enough for all; the last one counts those that are left out.
fn folded_list(names: &[String], columns: usize, most_lines: usize) -> Vec<String> {
    // No line has more names than columns.
    let most_names = names.len().min(columns.saturating_mul(most_lines));
    if most_names == names.len() {
        let lines = wrapped_list(names, columns);
        if lines.len() <= most_lines {
            return lines;
        }
    }
    let fits = |lines: &Vec<String>| lines.len() <= most_lines / 2;
    let with_count = |shown: usize| {
        let more = format!("and {} more", number(names.len() - shown));
        wrapped_list(&[&names[..shown], &[more]].concat(), columns)
    };
    (0..most_names).rev().map(with_count).find(fits).unwrap_or_else(|| with_count(0))
}

/// Renders names on lines, separated by commas; a name is never broken.
pub(super) fn wrapped_list(names: &[String], columns: usize) -> Vec<String> {
    joined(names, ",", columns)
}

/// Renders parts on lines with separators between them; a part is never broken.
fn joined(parts: &[String], separator: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let part = if at + 1 < parts.len() { format!("{part}{separator}") } else { part.clone() };
        match lines.last_mut() {
            Some(line) if visible_width(line) + 1 + visible_width(&part) <= columns => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// Pads or truncates a text to this width.
fn padded(text: &str, columns: usize) -> String {
    format!("{:<columns$}", cut(text, columns.max(1)))
}
