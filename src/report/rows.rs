//! The edits of changes as rows of texts, for the formats that programs and spreadsheets read.

use std::borrow::Cow;

use serde_json::Value;

use super::kind_changes::rule_of;
use crate::catalog::risk::RiskClass;
use crate::model::resource::Key;
use crate::plan::findings::{Finding, Subject, of_change};
use crate::plan::{Change, Plan};

/// A row: one edit of a change, or the whole resource.
pub(super) struct Row<'a> {
    /// The resource.
    pub(super) key: &'a Key,
    /// What the row is: `create`, `update`, `delete`, `skipped`, `conflict`, `manual_step`.
    pub(super) entry: &'static str,
    /// The risk of an edit.
    pub(super) risk: Option<RiskClass>,
    /// The field; empty for the whole resource.
    pub(super) field: Cow<'a, str>,
    /// The old value, as a text or as JSON.
    pub(super) old: Option<String>,
    /// The new value.
    pub(super) new: Option<String>,
    /// The mapping rule that produced it, or the reason.
    pub(super) message: &'a str,
}

/// Returns the rows of one change.
pub(super) fn rows_of_change(change: &Change) -> Vec<Row<'_>> {
    of_change(change).into_iter().map(of_finding).collect()
}

fn of_finding(finding: Finding<'_>) -> Row<'_> {
    let Finding { class, change, subject } = finding;
    let (field, old, new) = match subject {
        Subject::Resource => (Cow::Borrowed(""), None, None),
        Subject::Secret(path) => (Cow::Borrowed(path), None, None),
        Subject::Field(edit) => {
            let (old, new) = sides(edit.old.as_ref(), edit.new.as_ref());
            (Cow::Owned(edit.into_owned().path), old, new)
        }
    };
    Row { key: &change.key, entry: change.operation().as_str(), risk: Some(class), field, old, new, message: "" }
}

/// Returns the rows of a plan: its edits, and what it leaves out or leaves to a person.
pub(super) fn rows_of_plan(plan: &Plan) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for change in plan.changes() {
        let rules = plan.mapped.get(&change.key);
        let rule = |field: &str| rules.and_then(|rules| rule_of(rules, field)).unwrap_or_default();
        rows.extend(rows_of_change(change).into_iter().map(|row| Row { message: rule(&row.field), ..row }));
    }
    let blank = |key, entry, field, message| Row { key, entry, risk: None, field: Cow::Borrowed(field), old: None, new: None, message };
    rows.extend(plan.conflicts.iter().map(|one| {
        let (old, new) = sides(one.live.as_ref(), one.desired.as_ref());
        Row { old, new, ..blank(&one.key, "conflict", &one.path, "both tenants changed it since the last run") }
    }));
    rows.extend(plan.skipped.iter().map(|one| blank(&one.key, "skipped", one.path.as_deref().unwrap_or_default(), &one.reason)));
    rows.extend(plan.manual_steps.iter().map(|one| blank(&one.key, "manual_step", &one.path, &one.step)));
    rows
}

/// Returns the two sides of an edit as texts: strings as they are, everything else as JSON. If a cell would not tell the
/// sides apart, such as `"1"` and `1`, both are JSON.
pub(super) fn sides(old: Option<&Value>, new: Option<&Value>) -> (Option<String>, Option<String>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (shown_old, shown_new) = (old.map(text), new.map(text));
    let is_same = shown_old.as_deref().unwrap_or_default() == shown_new.as_deref().unwrap_or_default();
    if is_same && old != new { (old.map(Value::to_string), new.map(Value::to_string)) } else { (shown_old, shown_new) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::report::shown_edit_tests::value;

    #[test]
    fn a_string_is_shown_as_it_is_unless_it_looks_like_the_other_side() {
        let shown = |old: Value, new: Value| sides(Some(&old), Some(&new)).0.expect("a text");
        assert_eq!([shown(json!("1"), json!(2)), shown(json!("1"), json!(1))], ["1", "\"1\""]);
    }

    proptest! {
        #[test]
        fn no_row_shows_both_sides_as_the_same(old in prop::option::of(value()), new in prop::option::of(value())) {
            prop_assume!(old != new);
            let (old, new) = sides(old.as_ref(), new.as_ref());
            prop_assert_ne!(old.unwrap_or_default(), new.unwrap_or_default());
        }
    }
}
