//! The changes of a plan, a run or a comparison by kind, for scanning: one entry per resource, and one for an edit that many resources share.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::format::count;
use crate::catalog::risk::RiskClass;
use crate::catalog::{Kind, Shape};
use crate::json::{Body, is_blank};
use crate::model::changed_by::ChangedBy;
use crate::model::event::Operation;
use crate::model::resource::{BETWEEN_PARTS, Key};
use crate::plan::findings::{Subject, of_change};
use crate::plan::{Action, Change, Drift, Edit, Plan, SecretField};

/// The number of resources that must share an edit before it is shown only once.
const SHARED: usize = 3;
/// The heading of the tenant-wide singletons.
const SINGLETONS: &str = "Tenant-wide settings";

/// The changes of one kind, or of all tenant-wide singletons.
#[derive(Debug)]
pub(super) struct KindChanges<'a> {
    /// Its heading.
    pub(super) title: &'static str,
    /// The number of resources by operation.
    pub(super) counts: OperationCounts,
    /// How that is said.
    pub(super) wording: Wording,
    /// The changes, the most dangerous first.
    pub(super) entries: Vec<Entry<'a>>,
}

/// How changes are spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// As what a run would do.
    Planned,
    /// As what differs from one snapshot to another.
    Compared,
    /// As what a run did.
    Applied,
    /// As what changed in the target itself.
    Drifted,
}

/// How many resources are created, updated and deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OperationCounts {
    pub(super) create: usize,
    pub(super) update: usize,
    pub(super) delete: usize,
}

/// One change, or an edit that several resources share.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The operation.
    pub(super) operation: Operation,
    /// The resources.
    pub(super) keys: Vec<&'a Key>,
    /// Whether this completes a resource that the same plan creates.
    pub(super) is_late: bool,
    /// Fields that identify a created or deleted resource.
    pub(super) distinguishing: Vec<(&'static str, Value)>,
    /// The changed fields; for a created resource, its fields.
    pub(super) fields: Vec<FieldLine<'a>>,
    /// The highest risk.
    pub(super) class: RiskClass,
}

/// What happens to one field.
#[derive(Debug, Clone)]
pub(super) struct FieldLine<'a> {
    /// The risk.
    pub(super) class: RiskClass,
    /// The change.
    pub(super) content: FieldContent<'a>,
    /// The mapping rule that produced the value.
    pub(super) rule: Option<&'a str>,
    /// Who changed the field in the target, if that is known.
    pub(super) changed_by: Option<&'a ChangedBy>,
}

/// What changes in a field.
#[derive(Debug, Clone)]
pub(super) enum FieldContent<'a> {
    /// A value replaces another one.
    Edit(Cow<'a, Edit>),
    /// A value without a previous one.
    Value(&'a str, &'a Value),
    /// A supplied secret.
    Secret(&'a SecretField),
}

impl FieldLine<'_> {
    /// Returns the path of the field.
    pub(super) fn path(&self) -> &str {
        match &self.content {
            FieldContent::Edit(edit) => &edit.path,
            FieldContent::Value(path, _) => path,
            FieldContent::Secret(secret) => &secret.path,
        }
    }
}

/// Groups the changes of a plan by kind: kinds with dangerous edits first, then in the order of the plan.
pub(super) fn by_kind(plan: &Plan) -> Vec<KindChanges<'_>> {
    of_changes(plan, plan.changes(), Wording::Planned)
}

/// Groups some of the changes of a plan in the same way.
pub(super) fn of_changes<'a>(plan: &'a Plan, changes: impl Iterator<Item = &'a Change>, wording: Wording) -> Vec<KindChanges<'a>> {
    let kinds = grouped(changes, |change| &change.key).into_iter();
    let mut kinds: Vec<KindChanges<'_>> =
        kinds.map(|(title, changes)| KindChanges::new(title, plan, &changes)).filter(|kind| !kind.entries.is_empty()).collect();
    kinds.sort_by_key(|kind| Reverse(kind.entries.iter().map(|entry| danger(entry.class)).max()));
    for kind in &mut kinds {
        kind.wording = wording;
    }
    kinds
}

/// Groups drift by kind: what was last applied is the old value, that of the target the new one.
pub(super) fn of_drift(drift: &[Drift]) -> Vec<KindChanges<'_>> {
    grouped(drift.iter(), |drift| &drift.key).into_iter().map(|(title, drift)| KindChanges::of_drift(title, &drift)).collect()
}

/// Groups items by the heading of their kind, in order of their first occurrence.
fn grouped<'a, T>(items: impl Iterator<Item = &'a T>, key: impl Fn(&T) -> &Key) -> Vec<(&'static str, Vec<&'a T>)> {
    let mut kinds: Vec<(&'static str, Vec<&T>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for item in items {
        let title = heading(key(item).kind());
        let place = *places.entry(title).or_insert_with(|| {
            kinds.push((title, Vec::new()));
            kinds.len() - 1
        });
        kinds[place].1.push(item);
    }
    kinds
}

fn heading(kind: &'static Kind) -> &'static str {
    if kind.shape == Shape::Singleton { SINGLETONS } else { kind.title }
}

/// Returns a class as far as it affects the order: only dangers come first.
fn danger(class: RiskClass) -> Option<RiskClass> {
    Some(class).filter(|class| class.is_dangerous())
}

impl<'a> KindChanges<'a> {
    /// Returns the heading with the name of the kind, as approvals and `--only` take it: `APIs (resource-servers)`.
    pub(super) fn heading(&self) -> String {
        match self.kind().map(|kind| kind.name) {
            Some(name) if self.title.to_lowercase().replace(' ', "-") != name => format!("{} ({name})", self.title),
            _ => self.title.to_owned(),
        }
    }

    /// Returns what the names of its resources consist of, if one of them consists of several fields.
    pub(super) fn parts_of_names(&self) -> Option<String> {
        let fields = self.kind().map(|kind| kind.identity.key).filter(|fields| fields.len() > 1)?;
        self.entries.iter().flat_map(|entry| &entry.keys).find(|key| key.name().contains(BETWEEN_PARTS))?;
        Some(format!("names: {}, as far as set", fields.join(" · ")))
    }

    /// Returns the kind; `None` for the tenant-wide singletons.
    fn kind(&self) -> Option<&'static Kind> {
        self.entries.first().map(|entry| entry.keys[0].kind()).filter(|_| self.title != SINGLETONS)
    }

    fn new(title: &'static str, plan: &'a Plan, changes: &[&'a Change]) -> Self {
        let mut counts = OperationCounts::default();
        for change in changes {
            match (&change.action, change.operation()) {
                (Action::Update { id: None, .. }, _) => {}
                (_, Operation::Create) => counts.create += 1,
                (_, Operation::Update) => counts.update += 1,
                (_, Operation::Delete) => counts.delete += 1,
            }
        }
        let mut entries: Vec<Entry<'a>> = changes.iter().map(|change| Entry::new(plan, change)).collect();
        let mut all = shared(&mut entries);
        all.append(&mut entries);
        all.sort_by_key(|entry| (Reverse(danger(entry.class)), rank(entry.operation), entry.is_late));
        Self { title, counts, wording: Wording::Planned, entries: all }
    }

    fn of_drift(title: &'static str, drift: &[&'a Drift]) -> Self {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut places: HashMap<&Key, usize> = HashMap::new();
        for Drift { key, path, base, live, changed_by } in drift.iter().copied() {
            let place = *places.entry(key).or_insert_with(|| {
                entries.push(Entry::updated(vec![key], Vec::new()));
                entries.len() - 1
            });
            let edit = Edit { path: path.clone(), old: base.clone(), new: live.clone() };
            let content = FieldContent::Edit(Cow::Owned(edit));
            entries[place].fields.push(FieldLine { class: RiskClass::Routine, content, rule: None, changed_by: changed_by.as_ref() });
        }
        let counts = OperationCounts { update: entries.len(), ..OperationCounts::default() };
        let mut all = shared(&mut entries);
        all.append(&mut entries);
        Self { title, counts, wording: Wording::Drifted, entries: all }
    }
}

/// Returns the order of operations, most dangerous first: delete, update, create.
fn rank(operation: Operation) -> u8 {
    match operation {
        Operation::Delete => 0,
        Operation::Update => 1,
        Operation::Create => 2,
    }
}

impl<'a> Entry<'a> {
    /// Creates an entry for fields that several resources share, or that one has.
    fn updated(keys: Vec<&'a Key>, fields: Vec<FieldLine<'a>>) -> Self {
        let class = fields.iter().map(|line| line.class).max().unwrap_or(RiskClass::Routine);
        Self { operation: Operation::Update, keys, is_late: false, distinguishing: Vec::new(), fields, class }
    }

    fn new(plan: &'a Plan, change: &'a Change) -> Self {
        let rules = plan.mapped.get(&change.key);
        let rule = |path: &str| rule_of(rules?, path);
        let findings = of_change(change);
        let class_of = |path: &str| {
            let about = findings.iter().filter(|finding| finding.subject.path() == Some(path));
            about.map(|finding| finding.class).max().unwrap_or(RiskClass::Routine)
        };
        let kind = change.key.kind();
        let line = |content: FieldContent<'a>| {
            let mut line = FieldLine { class: RiskClass::Routine, content, rule: None, changed_by: None };
            (line.class, line.rule) = (class_of(line.path()), rule(line.path()));
            line
        };
        let mut fields: Vec<FieldLine<'a>> = match &change.action {
            Action::Create { body, .. } | Action::Update { body, id: None, .. } => {
                let is_shown = |name: &str, value: &Value| !is_blank(value) && kind.default_of(name).as_ref() != Some(value);
                let is_key = |name: &str| kind.identity.key == [name];
                let shown = body.0.iter().filter(|(name, value)| !is_key(name) && is_shown(name, value));
                shown.map(|(name, value)| line(FieldContent::Value(name, value))).collect()
            }
            Action::Update { edits, body, .. } if edits.is_empty() => {
                body.0.iter().map(|(name, value)| line(FieldContent::Value(name, value))).collect()
            }
            Action::Update { edits, .. } => edits.iter().map(|edit| line(FieldContent::Edit(Cow::Borrowed(edit)))).collect(),
            Action::Elements { .. } => {
                let edits = findings.iter().filter_map(|finding| match &finding.subject {
                    Subject::Field(edit) => Some(edit.clone()),
                    Subject::Resource | Subject::Secret(_) => None,
                });
                edits.take(1).map(|edit| line(FieldContent::Edit(edit))).collect()
            }
            Action::Delete { .. } => Vec::new(),
        };
        fields.extend(change.secrets.iter().map(|secret| line(FieldContent::Secret(secret))));
        let is_late = matches!(change.action, Action::Update { id: None, .. });
        let class = findings.iter().map(|finding| finding.class).max().unwrap_or(RiskClass::Routine);
        let distinguishing = distinguishing(change);
        Self { operation: change.operation(), keys: vec![&change.key], is_late, distinguishing, fields, class }
    }

    /// Returns a short description: `"Billing"`, or `9 clients` if several share an edit.
    pub(super) fn subject(&self) -> String {
        let singular = self.keys[0].kind().singular;
        match self.keys.as_slice() {
            [key] if key.name().is_empty() => singular.to_owned(),
            [key] => format!("\"{}\"", super::printable(key.name())),
            keys => count(keys.len(), singular),
        }
    }
}

/// Returns the rule for a field, or for a field above or below it.
pub(super) fn rule_of<'a>(rules: &'a BTreeMap<String, String>, path: &str) -> Option<&'a str> {
    let top = path.split(['.', '[']).next().unwrap_or_default();
    let is_below = |(field, _): &(&String, &String)| field.starts_with(path) && field[path.len()..].starts_with(['.', '[']);
    let found = rules.get(path).or_else(|| rules.iter().find(is_below).map(|(_, rule)| rule)).or_else(|| rules.get(top));
    found.map(String::as_str)
}

/// Returns the fields that identify a created or deleted resource.
pub(super) fn distinguishing(change: &Change) -> Vec<(&'static str, Value)> {
    let (Action::Create { body, .. } | Action::Delete { body, .. }) = &change.action else { return Vec::new() };
    distinguishing_fields(change.key.kind(), body, change.key.name())
}

/// Returns the fields of a resource that tell what it is besides its name.
pub(super) fn distinguishing_fields(kind: &'static Kind, body: &Body, name: &str) -> Vec<(&'static str, Value)> {
    let value = |field: &&'static str| {
        let mut values: Vec<Value> =
            body.find(field).into_iter().map(|(_, value)| value.clone()).filter(|value| !is_blank(value)).collect();
        let value = if values.len() > 1 { Value::Array(values) } else { values.pop()? };
        Some((*field, value)).filter(|(_, value)| value.as_str() != Some(name))
    };
    kind.identity.distinguishing.iter().filter_map(value).collect()
}

/// Removes edits that several resources share from their entries, and returns an entry for each.
fn shared<'a>(entries: &mut Vec<Entry<'a>>) -> Vec<Entry<'a>> {
    let identity = |line: &FieldLine<'_>| match &line.content {
        FieldContent::Edit(edit) => serde_json::to_string(&(&edit.path, &edit.old, &edit.new, line.changed_by)).ok(),
        FieldContent::Value(..) | FieldContent::Secret(_) => None,
    };
    let is_update = |entry: &Entry<'_>| entry.operation == Operation::Update && !entry.is_late;
    let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
    let mut order: Vec<String> = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| is_update(entry)) {
        for edit in entry.fields.iter().filter_map(identity) {
            let owners = owners.entry(edit.clone()).or_default();
            if owners.is_empty() {
                order.push(edit);
            }
            owners.push(at);
        }
    }
    let mut taken = Vec::new();
    for edit in order.iter().filter(|edit| owners[*edit].len() >= SHARED) {
        let of = &owners[edit];
        let keys: Vec<&Key> = of.iter().map(|at| entries[*at].keys[0]).collect();
        let mut line = None;
        for at in of {
            let fields = &mut entries[*at].fields;
            let place = fields.iter().position(|line| identity(line).as_ref() == Some(edit)).expect("found above");
            line = Some(fields.remove(place));
        }
        taken.push(Entry::updated(keys, vec![line.expect("shared by several")]));
    }
    entries.retain(|entry| !(is_update(entry) && entry.fields.is_empty()));
    for entry in entries.iter_mut().filter(|entry| is_update(entry)) {
        entry.class = entry.fields.iter().map(|line| line.class).max().unwrap_or(RiskClass::Routine);
    }
    taken
}
