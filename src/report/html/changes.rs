//! The changes on a page: folded by kind, one card a resource, old and new values side by side.

use maud::{Markup, html};
use serde_json::Value;

use super::text::{Shown, name, risk, sign};
use crate::catalog::Kind;
use crate::catalog::risk::RiskClass;
use crate::model::event::Operation;
use crate::report::field_text::secret_text;
use crate::report::format::{by_whom, count, number, printable};
use crate::report::kind_changes::{Entry, FieldContent, FieldLine, KindChanges, Wording};
use crate::report::plan_text::kind_summary;
use crate::report::shown_edit::{ShownEdit, Sign, SignedLine, text_lines};
use crate::report::value_pair::Pair;
use crate::report::values::{cut, flat};

/// The number of unchanged lines around a difference of a text.
const CONTEXT: usize = 3;
/// The maximum number of characters of a value, and of a line of a text.
const MOST: usize = 4_000;
/// The maximum number of lines of a text.
const MOST_LINES: usize = 600;
/// The number of entries up to which a kind is unfolded.
const MANY: usize = 25;
/// The number of fields up to which they are named beside a resource.
const FEW: usize = 4;

/// What the two sides of an edit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// The value now, and after a run.
    Planned,
    /// The value before a run, and after it.
    Applied,
    /// The value of one snapshot, and of another.
    Compared,
    /// The last applied value, and that of the target.
    Drifted,
    /// The sent value, and the returned one.
    Altered,
}

impl Sides {
    fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Planned => ["now", "planned"],
            Self::Applied => ["before", "after"],
            Self::Compared => ["from", "to"],
            Self::Drifted => ["last applied", "now"],
            Self::Altered => ["sent", "returned"],
        }
    }
}

impl From<Wording> for Sides {
    fn from(wording: Wording) -> Self {
        match wording {
            Wording::Planned => Self::Planned,
            Wording::Applied => Self::Applied,
            Wording::Compared => Self::Compared,
            Wording::Drifted => Self::Drifted,
        }
    }
}

/// Renders changes by kind.
pub(super) fn kinds(kinds: &[KindChanges<'_>]) -> Markup {
    html! {
        @for kind in kinds {
            @let is_dangerous = kind.entries.iter().any(|entry| entry.class.is_dangerous());
            details.kind data-block open[is_dangerous || kind.entries.len() <= MANY] {
                summary { h3 { (kind.heading()) } span.quiet { (kind_summary(kind)) } }
                @if let Some(names) = kind.parts_of_names() { p.quiet { (names) } }
                @for entry in &kind.entries { (self::entry(entry, kind)) }
            }
        }
    }
}

fn entry(entry: &Entry<'_>, kind: &KindChanges<'_>) -> Markup {
    let operation = entry.operation.as_str();
    let mut classes: Vec<RiskClass> = entry.fields.iter().map(|line| line.class).chain([entry.class]).collect();
    classes.sort_unstable();
    classes.dedup();
    let risks = classes.iter().map(|class| risk(*class).1).collect::<Vec<_>>().join(" ");
    let head = html! {
        span.sign.(operation) aria-hidden="true" { (sign(entry.operation)) }
        span.operation { (operation) " " }
        span.name { (name(&entry.subject())) }
        @if entry.class > RiskClass::Routine { " " span.badge.(risk(entry.class).1) { (risk(entry.class).0) } }
        @if entry.is_late { " " span.quiet { "once it exists" } }
        " " span.quiet.hint { (hint(entry)) }
    };
    let is_open = entry.class.is_dangerous() || (entry.operation == Operation::Update && kind.entries.len() <= MANY);
    html! {
        div.entry data-entry data-operation=(operation) data-risk=(risks) {
            @if entry.fields.is_empty() && entry.keys.len() == 1 {
                p.head { (head) }
            } @else {
                details open[is_open] {
                    summary.head { (head) }
                    @if entry.keys.len() > 1 {
                        ul.names { @for key in &entry.keys { li { (name(key.name())) } } }
                    }
                    @for line in &entry.fields { (field(entry.keys[0].kind(), line, kind.wording.into())) }
                }
            }
        }
    }
}

/// Returns what is said of an entry while it is folded: the fields of an update, and what a new resource is.
fn hint(entry: &Entry<'_>) -> String {
    if entry.operation != Operation::Update {
        let values: Vec<String> = entry.distinguishing.iter().map(|(_, value)| cut(&flat(value), 60)).collect();
        return values.join("  ");
    }
    let paths: Vec<String> = entry.fields.iter().take(FEW).map(|line| cut(&printable(line.path()), 60)).collect();
    let more = entry.fields.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
    format!("{}{more}", paths.join(", "))
}

fn field(kind: &Kind, line: &FieldLine<'_>, sides: Sides) -> Markup {
    html! {
        div.field {
            p.path {
                code { (Shown(line.path())) }
                @if line.class > RiskClass::Routine { " " span.badge.(risk(line.class).1) { (risk(line.class).0) } }
                @if let Some(rule) = line.rule { " " span.quiet.rule { (Shown(rule)) } }
                @if line.changed_by.is_some() { " " span.quiet.rule { "changed" (by_whom(line.changed_by)) } }
            }
            @match &line.content {
                FieldContent::Edit(_) => @if let Some(shown) = ShownEdit::of_field(Some(kind), &line.content) { (edit(&shown, sides)) },
                FieldContent::Value(_, value) => (self::value(value)),
                FieldContent::Secret(secret) => p.value { (secret_text(&secret.from, secret.is_changed)) },
            }
        }
    }
}

/// Renders a value without a previous one.
fn value(value: &Value) -> Markup {
    match value {
        Value::String(text) if text.contains('\n') => diff(&text_lines("", text, (CONTEXT, MOST))),
        value => html! { p.value { ins { (cut(&flat(value), MOST)) } } },
    }
}

/// Renders an edit.
pub(super) fn edit(shown: &ShownEdit, sides: Sides) -> Markup {
    match shown {
        ShownEdit::List { removed, added, unchanged } => list((removed, added), *unchanged),
        ShownEdit::Order(pair) => pair_of(pair, sides.labels(), "The order differs."),
        ShownEdit::Certificate(edit) => pair_of(&edit.whole(), sides.labels(), ""),
        ShownEdit::Value(pair) => pair_of(pair, sides.labels(), ""),
        ShownEdit::Text(Pair { old, new }) => diff(&text_lines(old, new, (CONTEXT, MOST))),
    }
}

fn pair_of(pair: &Pair, [old, new]: [&str; 2], remark: &str) -> Markup {
    let shown = pair.shortened(MOST);
    html! {
        div.sides {
            div.old { span.label { (old) } del { (shown.old) } }
            div.new { span.label { (new) } ins { (shown.new) } }
        }
        @if !remark.is_empty() { p.quiet { (remark) } }
    }
}

fn list((removed, added): (&[String], &[String]), unchanged: usize) -> Markup {
    html! {
        div.sides {
            @if !removed.is_empty() {
                div.old { span.label { "removed" } ul { @for one in removed { li { del { (cut(one, MOST)) } } } } }
            }
            @if !added.is_empty() {
                div.new { span.label { "added" } ul { @for one in added { li { ins { (cut(one, MOST)) } } } } }
            }
        }
        @if unchanged > 0 { p.quiet { (count(unchanged, "element")) " unchanged" } }
    }
}

/// Renders the lines of a text that differ, with their context.
fn diff(lines: &[SignedLine]) -> Markup {
    let hidden = lines.len().saturating_sub(MOST_LINES);
    html! {
        div.diff {
            @for SignedLine { sign, text } in lines.iter().take(MOST_LINES) {
                @match sign {
                    Sign::Hidden(hidden) => div.hidden { "… " (count(*hidden, "line")) " unchanged" },
                    Sign::Same => div { (text) },
                    Sign::Removed => div.old { del { (text) } },
                    Sign::Added => div.new { ins { (text) } },
                }
            }
            @if hidden > 0 { div.hidden { "… " (count(hidden, "more line")) } }
        }
    }
}
