//! Renders explanations of what a plan does about single resources.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::field_text::short_edit;
use super::format::{count, named, printable};
use super::json::answer;
use super::shown_edit::ShownEdit;
use super::style::{ADDED, CHANGED, QUIET, REMOVED, styled};
use super::value_pair::Pair;
use super::values::{NONE, cut, flat};
use crate::plan::{ExplainedField, Explanation, FieldVerdict, Plan, Verdict};

/// The maximum number of characters of a value.
const MOST: usize = 90;

#[derive(Serialize, JsonSchema)]
pub(super) struct ExplainFields<'a> {
    source: &'a str,
    target: &'a str,
    resources: &'a [Explanation],
}

/// Returns explanations as JSON.
pub(crate) fn explained_json(plan: &Plan, explanations: &[Explanation]) -> Value {
    answer(&ExplainFields { source: &plan.source.tenant, target: &plan.target.tenant, resources: explanations }, 0)
}

/// Returns explanations as styled text; `is_whole` includes fields that do not differ.
pub(crate) fn explained(plan: &Plan, explanations: &[Explanation], is_whole: bool) -> String {
    let one = |explanation| resource(plan, explanation, is_whole).join("\n") + "\n";
    explanations.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn resource(plan: &Plan, explanation: &Explanation, is_whole: bool) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", named(&explanation.key), verdict(explanation.verdict))];
    lines.extend(explanation.reasons.iter().map(|reason| format!("  {}", printable(reason))));
    let sides = [(&plan.source.tenant, &explanation.source_id), (&plan.target.tenant, &explanation.target_id)];
    let ids = sides.map(|(tenant, id)| match id {
        Some(id) => format!("{tenant}: {}", printable(id.as_str())),
        None => format!("{tenant}: (none)"),
    });
    lines.push(styled(QUIET, format!("  {}", ids.join("  "))));
    let is_of_all = |rule: &&String| !explanation.reasons.iter().any(|reason| reason.contains(rule.as_str()));
    lines.extend(explanation.rule.as_ref().filter(is_of_all).map(|rule| format!("  changed by {}", printable(rule))));
    let is_shown = |field: &&ExplainedField| is_whole || field.verdict != FieldVerdict::Unchanged || field.rule.is_some();
    let shown: Vec<&ExplainedField> = explanation.fields.iter().filter(is_shown).collect();
    lines.extend(shown.iter().flat_map(|one| field(plan, explanation, one)));
    lines.extend(explanation.manual_steps.iter().map(|step| format!("  manual step: {}", printable(step))));
    let hidden = explanation.fields.len() - shown.len();
    if hidden > 0 {
        lines.push(styled(QUIET, format!("  {} unchanged (--verbose shows them)", count(hidden, "field"))));
    }
    lines
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Create => styled(ADDED, "create"),
        Verdict::Update => styled(CHANGED, "update"),
        Verdict::Delete => styled(REMOVED, "delete"),
        Verdict::Unchanged => "unchanged".to_owned(),
        Verdict::Skipped => styled(CHANGED, "skipped"),
        Verdict::Excluded => "excluded".to_owned(),
        Verdict::Conflict => styled(CHANGED, "conflict"),
        Verdict::Unmanaged => "unmanaged".to_owned(),
    }
}

fn field(plan: &Plan, explanation: &Explanation, field: &ExplainedField) -> Vec<String> {
    let what = match field.verdict {
        FieldVerdict::Changed => styled(CHANGED, "changed"),
        FieldVerdict::Kept => "kept".to_owned(),
        FieldVerdict::Conflict => styled(CHANGED, "conflict"),
        FieldVerdict::Unchanged => "unchanged".to_owned(),
    };
    let rule = field.rule.as_ref().map(|rule| format!("  [{}]", printable(rule))).unwrap_or_default();
    let reason = field.reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| NONE.to_owned(), |value| cut(&flat(value), MOST));
    let path = printable(&field.path);
    let (source, target) = (&plan.source.tenant, &plan.target.tenant);
    let mut lines = match explanation.verdict {
        // A field that only one side has needs no comparison.
        Verdict::Create if field.reason.is_none() => return vec![format!("  {path}: {}{rule}", value(&field.source))],
        Verdict::Delete => return vec![format!("  {path}: {}", value(&field.target))],
        _ => vec![format!("  {path}: {what}{reason}{rule}")],
    };
    match field.verdict {
        FieldVerdict::Unchanged => lines.push(styled(QUIET, format!("    both  {}", value(&field.target)))),
        _ if field.source.is_none() && field.target.is_none() => {}
        _ => lines.extend(sides(explanation, field, [target, source])),
    }
    lines
}

/// Renders what a field holds in the target and in the source: the elements that differ, otherwise both values.
fn sides(explanation: &Explanation, field: &ExplainedField, [target, source]: [&str; 2]) -> Vec<String> {
    let (old, new) = (field.target.as_ref(), field.source.as_ref());
    let edit = ShownEdit::new(Some(explanation.key.kind()), &field.path, (old, new));
    if matches!(edit, ShownEdit::List { .. } | ShownEdit::Text(_)) {
        return vec![format!("    {target} → {source}  {}", short_edit(&edit, MOST))];
    }
    let width = source.chars().count().max(target.chars().count());
    let Pair { old, new } = Pair::of_values(old, new).shortened(MOST);
    vec![format!("    {target:width$}  {old}"), format!("    {source:width$}  {new}")]
}
