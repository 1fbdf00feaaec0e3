//! Renders the content of a section as a table, for Markdown and HTML.

use super::document::{Content, ResourceMessage};
use super::due_steps::DueStep;
use super::field_text::short;
use super::format::{enumeration, named, number};
use super::kind_changes::{FieldLine, KindChanges};
use super::mapping_rules::AcceptingRule;
use super::review::ReviewItem;
use super::table::Table;
use super::values::{cut, element, or_none};
use crate::apply::{AlteredValue, ChangeResult};
use crate::model::changed_by::ChangedBy;
use crate::model::resource::Key;
use crate::plan::{Action, Change, Conflict, Drift, Plan};

/// The maximum number of characters for a change, or for a value that was returned differently.
const WIDTH: usize = 400;
/// The maximum number of characters for one value of a change.
const VALUE_WIDTH: usize = 80;

impl Content<'_> {
    /// Returns the content as a table.
    pub(super) fn to_table(&self) -> Table {
        match self {
            Self::Line(line) => lines(std::slice::from_ref(line)),
            Self::Lines(list) => lines(list),
            Self::Notes(notes) => lines(notes),
            Self::Rows(table) => table.clone(),
            Self::Changes(changes) => self::changes(changes),
            Self::Kinds(kinds) => self::kinds(kinds),
            Self::Review(items) => self::review(items),
            Self::Messages(messages) => self::messages(messages),
            Self::Steps(steps) => self::steps(steps),
            Self::Drift(drift) => self::drift(drift),
            Self::Conflicts(plan) => conflicts(plan),
            Self::Altered(altered) => self::altered(altered),
            Self::Keys(keys) => {
                let rows = keys.iter().flat_map(|(kind, keys)| keys.iter().map(move |key| [(*kind).to_owned(), key.name().to_owned()]));
                table(&["kind", "name"], rows)
            }
            Self::Resources(keys) => table(&["resource"], keys.iter().map(|key| [named(key)])),
            Self::Fields(fields) => table(&["kind", "fields"], fields.iter().map(|(kind, paths)| [kind.clone(), paths.clone()])),
            Self::Rules(rules) => self::rules(rules),
            Self::Faults(faults) => table(&["fault", "occurred"], faults.iter().map(|(fault, times)| [fault.clone(), number(*times)])),
        }
    }
}

fn table<const COLUMNS: usize>(head: &[&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new(head);
    rows.for_each(|row| table.row(row));
    table
}

fn lines(lines: &[String]) -> Table {
    table(&["note"], lines.iter().map(|line| [line.clone()]))
}

/// Returns messages as a table by change, or by resource if they are not about changes.
fn messages(messages: &[ResourceMessage<'_>]) -> Table {
    let operation = |message: &ResourceMessage<'_>| message.operation.map(|operation| operation.to_string());
    if messages.iter().any(|message| message.operation.is_some()) {
        let row = |message: &ResourceMessage<'_>| [operation(message).unwrap_or_default(), named(message.key), message.text.to_owned()];
        return table(&["change", "resource", "message"], messages.iter().map(row));
    }
    let row = |message: &ResourceMessage<'_>| [named(message.key), message.path.unwrap_or_default().to_owned(), message.text.to_owned()];
    table(&["resource", "field", "reason"], messages.iter().map(row))
}

fn steps(steps: &[DueStep]) -> Table {
    table(&["resource", "step"], steps.iter().map(|DueStep { step, .. }| [named(&step.key), step.step.clone()]))
}

fn rules(rules: &[AcceptingRule]) -> Table {
    table(&["resource", "field", "action"], rules.iter().cloned().map(|rule| [rule.resource, rule.field, rule.action]))
}

fn altered(altered: &[(&ChangeResult, &AlteredValue)]) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), WIDTH);
    let row = |(result, altered): &(&ChangeResult, &AlteredValue)| {
        [named(&result.key), altered.path.clone(), shown(&altered.sent), shown(&altered.answered)]
    };
    table(&["resource", "field", "sent", "returned"], altered.iter().map(row))
}

fn changes(changes: &[&Change]) -> Table {
    let row = |change: &&Change| [change.operation().to_string(), named(&change.key), what(change)];
    table(&["change", "resource", "what"], changes.iter().map(row))
}

fn kinds(kinds: &[KindChanges<'_>]) -> Table {
    let what = |line: &FieldLine<'_>| {
        [line.path().to_owned(), plain(&short(None, &line.content, WIDTH)), line.rule.unwrap_or_default().to_owned()]
    };
    let rows = kinds.iter().flat_map(|kind| &kind.entries).flat_map(|entry| {
        let lines: Vec<[String; 3]> = entry.fields.iter().map(what).collect();
        let lines = if lines.is_empty() { vec![Default::default()] } else { lines };
        lines.into_iter().flat_map(move |[path, value, rule]| {
            let row = |key: &&Key| [entry.operation.to_string(), named(key), path.clone(), value.clone(), rule.clone()];
            entry.keys.iter().map(row).collect::<Vec<_>>()
        })
    });
    table(&["change", "resource", "field", "value", "rule"], rows)
}

fn review(items: &[ReviewItem<'_>]) -> Table {
    let row = |item: &ReviewItem<'_>| {
        let value = plain(&item.value(WIDTH));
        [item.label.to_string(), item.resource(WIDTH), item.path().to_owned(), value]
    };
    table(&["risk", "resource", "field", "value"], items.iter().map(row))
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn drift(drift: &[Drift]) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), VALUE_WIDTH);
    let row = |drift: &Drift| [named(&drift.key), drift.path.clone(), shown(&drift.base), shown(&drift.live)];
    if drift.iter().all(|drift| drift.changed_by.is_none()) {
        return table(&["resource", "field", "last applied", "now"], drift.iter().map(row));
    }
    let with_author = |drift: &Drift| {
        let [key, path, base, live] = row(drift);
        [key, path, base, live, author(drift.changed_by.as_ref())]
    };
    table(&["resource", "field", "last applied", "now", "changed by"], drift.iter().map(with_author))
}

fn author(by: Option<&ChangedBy>) -> String {
    by.map(ToString::to_string).unwrap_or_default()
}

fn conflicts(plan: &Plan) -> Table {
    let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), VALUE_WIDTH);
    let row = |one: &Conflict| [named(&one.key), one.path.clone(), shown(&one.base), shown(&one.desired), shown(&one.live)];
    let sides = [plan.source.tenant.as_str(), plan.target.tenant.as_str()];
    if plan.conflicts.iter().all(|one| one.changed_by.is_none()) {
        return table(&["resource", "field", "last applied", sides[0], sides[1]], plan.conflicts.iter().map(row));
    }
    let by = format!("changed in {} by", plan.target.tenant);
    let with_author = |one: &Conflict| {
        let [key, path, base, desired, live] = row(one);
        [key, path, base, desired, live, author(one.changed_by.as_ref())]
    };
    table(&["resource", "field", "last applied", sides[0], sides[1], &by], plan.conflicts.iter().map(with_author))
}

/// Returns what a change does, in one line.
fn what(change: &Change) -> String {
    let names = |names: &mut dyn Iterator<Item = &String>| enumeration(&names.cloned().collect::<Vec<_>>());
    let line = match &change.action {
        Action::Create { body, .. } | Action::Delete { body, .. } => names(&mut body.0.keys()),
        Action::Update { body, edits, .. } if edits.is_empty() => names(&mut body.0.keys()),
        Action::Update { edits, .. } => {
            let shown = |value: &Option<serde_json::Value>| or_none(value.as_ref(), VALUE_WIDTH);
            edits.iter().map(|edit| format!("{}: {} -> {}", edit.path, shown(&edit.old), shown(&edit.new))).collect::<Vec<_>>().join("; ")
        }
        Action::Elements { added, removed, .. } => {
            let removed = removed.iter().map(|one| format!("- {}", element(one)));
            removed.chain(added.iter().map(|one| format!("+ {}", element(one)))).collect::<Vec<_>>().join(", ")
        }
    };
    cut(&line, WIDTH)
}
