//! The lines of the `diff` blocks in Markdown: what a line begins with is its colour.

use serde_json::Value;

use super::field_text::secret_text;
use super::format::{by_whom, changed_by, count, named, number, printable};
use super::head::risk_label;
use super::kind_changes::{Entry, FieldContent, FieldLine, KindChanges};
use super::plan_text::wrapped_list;
use super::review::{ReviewItem, ReviewedValue, legend};
use super::shown_edit::{ShownEdit, Sign, SignedLine, text_lines};
use super::text::conflict_sides;
use super::values::{cut, flat};
use crate::apply::{AlteredValue, ChangeResult};
use crate::catalog::Kind;
use crate::catalog::risk::RiskClass;
use crate::model::event::Operation;
use crate::plan::{Conflict, Plan};

/// The maximum number of characters of a line.
const MOST: usize = 200;
/// The number of unchanged lines around a difference of a text.
const CONTEXT: usize = 2;
/// The maximum number of lines of a text.
const MOST_LINES: usize = 60;

/// Renders the changes of a kind.
pub(super) fn entries(kind: &KindChanges<'_>) -> Vec<String> {
    kind.parts_of_names().into_iter().chain(kind.entries.iter().flat_map(entry)).collect()
}

fn entry(entry: &Entry<'_>) -> Vec<String> {
    let sign = match entry.operation {
        Operation::Create => '+',
        Operation::Update => '!',
        Operation::Delete => '-',
    };
    let risk = if entry.class > RiskClass::Routine { format!("  [{}]", risk_label(entry.class)) } else { String::new() };
    let late = if entry.is_late { "  (once it exists)" } else { "" };
    let mut lines = vec![format!("{sign} {} {}{risk}{late}", entry.operation, cut(&entry.subject(), MOST))];
    if entry.keys.len() > 1 {
        let names: Vec<String> = entry.keys.iter().map(|key| printable(key.name()).into_owned()).collect();
        lines.extend(wrapped_list(&names, 100).into_iter().map(|line| format!("    {line}")));
    }
    let kind = entry.keys[0].kind();
    lines.extend(entry.fields.iter().flat_map(|line| field(kind, line)));
    lines
}

fn field(kind: &Kind, line: &FieldLine<'_>) -> Vec<String> {
    let path = printable(line.path()).into_owned();
    let rule = line.rule.map(|rule| format!("  ({})", printable(rule))).unwrap_or_default();
    match &line.content {
        FieldContent::Value(_, Value::String(text)) if text.contains('\n') => {
            std::iter::once(format!("+     {path}{rule}")).chain(text_of(&text_lines("", text, (CONTEXT, MOST)), "line")).collect()
        }
        FieldContent::Value(_, value) => vec![format!("+     {path}: {}{rule}", cut(&flat(value), MOST))],
        FieldContent::Secret(secret) => vec![format!("+     {path}: {}{rule}", secret_text(&secret.from, secret.is_changed))],
        FieldContent::Edit(edit) => {
            let shown = ShownEdit::new(Some(kind), &edit.path, (edit.old.as_ref(), edit.new.as_ref()));
            let by = if line.changed_by.is_some() { format!("  (changed{})", by_whom(line.changed_by)) } else { String::new() };
            std::iter::once(format!("    {path}{rule}{by}")).chain(edit_lines(&shown)).collect()
        }
    }
}

/// Renders an edit, one line for each old and new value.
fn edit_lines(edit: &ShownEdit) -> Vec<String> {
    text_of(&edit.lines(CONTEXT, MOST), if matches!(edit, ShownEdit::List { .. }) { "element" } else { "line" })
}

fn text_of(lines: &[SignedLine], unit: &str) -> Vec<String> {
    let line = |SignedLine { sign, text }: &SignedLine| match sign {
        Sign::Removed => format!("-       {text}"),
        Sign::Added => format!("+       {text}"),
        Sign::Same => format!("        {text}"),
        Sign::Hidden(hidden) => format!("        … {} unchanged", count(*hidden, unit)),
    };
    let more = lines.len().saturating_sub(MOST_LINES);
    let more = (more > 0).then(|| format!("        … {} more", number(more)));
    lines.iter().take(MOST_LINES).map(line).chain(more).collect()
}

/// Renders what to review first.
pub(super) fn review(items: &[ReviewItem<'_>]) -> Vec<String> {
    let item = |item: &ReviewItem<'_>| {
        let title = format!("! {:<8}  {}  {}", item.label, printable(&item.resource(usize::MAX)), printable(item.path()));
        let first = title.trim_end().to_owned();
        match item.reviewed() {
            ReviewedValue::Edit(shown) => std::iter::once(first).chain(edit_lines(&shown)).collect::<Vec<_>>(),
            ReviewedValue::Text(text) => vec![format!("{first}  {}", cut(&printable(&text), 2 * MOST)).trim_end().to_owned()],
        }
    };
    let legend = Some(legend(items).join("; ")).filter(|legend| !legend.is_empty());
    legend.into_iter().chain(items.iter().flat_map(item)).collect()
}

/// Renders conflicts: what each tenant made of a field.
pub(super) fn conflicts(plan: &Plan) -> Vec<String> {
    let conflict = |conflict: &Conflict| {
        let sides = conflict_sides(plan, conflict);
        let sides =
            sides.into_iter().flat_map(|(tenant, edit)| std::iter::once(format!("    in {}", printable(tenant))).chain(edit_lines(&edit)));
        let by = changed_by(conflict.changed_by.as_ref(), "changed in the target");
        std::iter::once(format!("! {}  {}{by}", named(&conflict.key), printable(&conflict.path))).chain(sides).collect::<Vec<_>>()
    };
    plan.conflicts.iter().flat_map(conflict).collect()
}

/// Renders values that were returned differently: the sent one is removed, the returned one added.
pub(super) fn altered(altered: &[(&ChangeResult, &AlteredValue)]) -> Vec<String> {
    let one = |(result, altered): &(&ChangeResult, &AlteredValue)| {
        let sides = (altered.sent.as_ref(), altered.answered.as_ref());
        let shown = ShownEdit::new(Some(result.key.kind()), &altered.path, sides);
        let first = format!("! {}  {}", named(&result.key), printable(&altered.path));
        std::iter::once(first).chain(edit_lines(&shown)).collect::<Vec<_>>()
    };
    altered.iter().flat_map(one).collect()
}
