//! What to review first in a plan: every edit that needs approval, and possible mistakes in the mapping.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::field_text::short;
use super::format::{count, named};
use super::kind_changes::FieldContent;
use super::printable;
use super::shown_edit::ShownEdit;
use super::values::cut;
use crate::catalog::risk::RiskClass;
use crate::catalog::{Kind, Shape};
use crate::model::resource::{Key, Resource};
use crate::plan::findings::{Finding, Subject};
use crate::plan::{Action, Plan};

/// The maximum number of characters of a description.
const MOST: usize = 400;
/// What separates the parts of a description.
const BETWEEN: &str = "  ";

/// The label of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReviewLabel {
    Lockout,
    Weakened,
    Delete,
    /// What may be a mistake of the person who asked for the plan.
    Check,
    /// A mapping rule that matched nothing.
    Rule,
    /// A host of the source that no rule rewrote.
    Host,
    /// A scope that the token lacks.
    Scope,
}

impl ReviewLabel {
    /// Returns what the label means; `None` for one whose items say so themselves.
    pub(super) fn meaning(self) -> Option<&'static str> {
        match self {
            Self::Lockout => Some("may lock someone out"),
            Self::Weakened => Some("weakens a protection"),
            Self::Delete => Some("loses data"),
            Self::Host => Some("is unmapped"),
            Self::Check | Self::Rule | Self::Scope => None,
        }
    }
}

impl fmt::Display for ReviewLabel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Lockout => "LOCKOUT",
            Self::Weakened => "WEAKENED",
            Self::Delete => "DELETE",
            Self::Check => "CHECK",
            Self::Rule => "RULE",
            Self::Host => "HOST",
            Self::Scope => "SCOPE",
        })
    }
}

/// One item to review first.
#[derive(Debug)]
pub(super) struct ReviewItem<'a> {
    /// The label.
    pub(super) label: ReviewLabel,
    /// The resources that share it.
    pub(super) keys: Vec<&'a Key>,
    content: ReviewContent<'a>,
    /// What is deleted along with a deleted resource; empty if nothing is.
    along: String,
}

#[derive(Debug)]
enum ReviewContent<'a> {
    Finding(Finding<'a>),
    /// A position and a remark.
    Remark(String, String),
}

/// Returns the items to review first, possible mistakes about the whole plan before all; an edit that several resources share is one item.
pub(super) fn items<'a>(plan: &'a Plan, findings: &[Finding<'a>]) -> Vec<ReviewItem<'a>> {
    let check = |warning: &String| ReviewItem::of_remark(ReviewLabel::Check, String::new(), warning.clone());
    let mut items: Vec<ReviewItem<'a>> = plan.warnings.iter().map(check).collect();
    let along = plan.deleted_along();
    let mut places: HashMap<String, usize> = HashMap::new();
    for finding in findings.iter().filter(|finding| finding.class.is_dangerous()) {
        let place = identity(finding).map_or(items.len(), |identity| *places.entry(identity).or_insert(items.len()));
        match items.get_mut(place) {
            Some(item) => item.keys.push(&finding.change.key),
            None => items.push(ReviewItem::of_finding(finding, &along)),
        }
    }
    items.extend(remarks(plan));
    items
}

/// Returns what the labels of these items mean: `LOCKOUT may lock someone out`.
pub(super) fn legend(items: &[ReviewItem<'_>]) -> Vec<String> {
    let mut labels: Vec<ReviewLabel> = items.iter().map(|item| item.label).collect();
    labels.dedup();
    labels.iter().filter_map(|label| Some(format!("{label} {}", label.meaning()?))).collect()
}

/// Returns what equal edits of the same kind have in common; `None` if each is an item of its own.
fn identity(finding: &Finding<'_>) -> Option<String> {
    let Subject::Field(edit) = &finding.subject else { return None };
    let kind = finding.change.key.kind().name;
    serde_json::to_string(&(kind, finding.class, &edit.path, &edit.old, &edit.new)).ok()
}

fn remarks(plan: &Plan) -> impl Iterator<Item = ReviewItem<'_>> {
    let remark = ReviewItem::of_remark;
    let scopes = (!plan.missing_scopes.is_empty()).then(|| {
        let text = format!("the token for {} lacks {}", plan.target.tenant, plan.missing_scopes.join(", "));
        remark(ReviewLabel::Scope, String::new(), text)
    });
    let mapping = plan.mapping.iter();
    let rules = mapping.clone().flat_map(|mapping| &mapping.unmatched).filter(|rule| rule.is_protective).map(move |rule| {
        let nearest = rule.nearest.as_ref().map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default();
        remark(ReviewLabel::Rule, rule.place.clone(), format!("{} {}{nearest}", rule.rule, rule.missing))
    });
    let hosts = mapping.flat_map(|mapping| &mapping.unmapped_hosts).map(move |host| {
        let first = format!("{} {}", named(&host.key), host.path);
        let text = if host.count > 1 { format!("in {}: {first} …", count(host.count, "field")) } else { format!("in {first}") };
        remark(ReviewLabel::Host, host.host.clone(), text)
    });
    scopes.into_iter().chain(rules).chain(hosts)
}

impl<'a> ReviewItem<'a> {
    fn of_remark(label: ReviewLabel, place: String, text: String) -> Self {
        Self { label, keys: Vec::new(), content: ReviewContent::Remark(place, text), along: String::new() }
    }

    fn of_finding(finding: &Finding<'a>, along: &HashMap<&Key, Vec<&Resource>>) -> Self {
        let label = match finding.class {
            RiskClass::Lockout => ReviewLabel::Lockout,
            RiskClass::Weakened => ReviewLabel::Weakened,
            RiskClass::DataLoss | RiskClass::Widened | RiskClass::Routine => ReviewLabel::Delete,
        };
        let along = along.get(&finding.change.key).map(|along| described(along)).unwrap_or_default();
        Self { label, keys: vec![&finding.change.key], content: ReviewContent::Finding(finding.clone()), along }
    }

    /// Returns the resources in at most `columns` columns, their number if they do not fit, or the position of a
    /// remark.
    pub(super) fn resource(&self, columns: usize) -> String {
        match (&self.content, self.keys.as_slice()) {
            (ReviewContent::Remark(place, _), _) => place.clone(),
            (ReviewContent::Finding(_), [key]) => named(key),
            (ReviewContent::Finding(finding), keys) => {
                self.names(columns).unwrap_or_else(|| count(keys.len(), finding.change.key.kind().singular))
            }
        }
    }

    /// Returns the names of several resources, if they fit into `columns` columns.
    pub(super) fn names(&self, columns: usize) -> Option<String> {
        let kind = self.keys.first()?.kind();
        let names: Vec<String> = self.keys.iter().map(|key| format!("\"{}\"", key.name())).collect();
        Some(format!("{}s {}", kind.singular, names.join(", "))).filter(|text| self.keys.len() > 1 && text.chars().count() <= columns)
    }

    /// Returns the remark, if there is one.
    pub(super) fn remark(&self) -> Option<&str> {
        match &self.content {
            ReviewContent::Finding(_) => None,
            ReviewContent::Remark(_, text) => Some(text),
        }
    }

    /// Returns the field, or the operation on the whole resource.
    pub(super) fn path(&self) -> &str {
        match &self.content {
            ReviewContent::Finding(finding) => finding.subject.path().unwrap_or_else(|| whole(&finding.change.action)),
            ReviewContent::Remark(..) => "",
        }
    }

    /// Returns what decides about the item, in full.
    pub(super) fn reviewed(&self) -> ReviewedValue {
        match &self.content {
            ReviewContent::Finding(Finding { change, subject: Subject::Field(edit), .. }) => {
                let sides = (edit.old.as_ref(), edit.new.as_ref());
                ReviewedValue::Edit(ShownEdit::new(Some(change.key.kind()), &edit.path, sides))
            }
            _ => ReviewedValue::Text(self.value(MOST)),
        }
    }

    /// Returns the relevant values in at most `columns` columns.
    pub(super) fn value(&self, columns: usize) -> String {
        let finding = match &self.content {
            ReviewContent::Finding(finding) => finding,
            ReviewContent::Remark(_, text) => return printable(text).into_owned(),
        };
        let kind = finding.change.key.kind();
        match &finding.subject {
            Subject::Field(edit) => short(Some(kind), &FieldContent::Edit(edit.clone()), columns),
            Subject::Secret(_) => "another secret".to_owned(),
            Subject::Resource => {
                let room = columns.saturating_sub(self.along.chars().count() + BETWEEN.len());
                let parts = [super::plan_text::summary_of(finding.change, room), self.along.clone()];
                cut(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(BETWEEN), columns)
            }
        }
    }
}

/// What decides about an item.
#[derive(Debug)]
pub(super) enum ReviewedValue {
    /// The two values of a field.
    Edit(ShownEdit),
    /// A remark, or a description.
    Text(String),
}

/// Describes what a tenant deletes along with a resource, by kind: `with 3 grants, role permissions`. Of a list of elements, only the kind is named.
fn described(along: &[&Resource]) -> String {
    let mut by_kind: BTreeMap<&Kind, usize> = BTreeMap::new();
    for one in along {
        *by_kind.entry(one.key.kind()).or_default() += 1;
    }
    let shown = |(kind, number): (&Kind, usize)| match kind.shape {
        Shape::Child { .. } => kind.title.to_lowercase(),
        _ => count(number, kind.singular),
    };
    let shown: Vec<String> = by_kind.into_iter().map(shown).collect();
    format!("with {}", shown.join(", "))
}

fn whole(action: &Action) -> &'static str {
    match action {
        Action::Create { .. } => "created",
        Action::Delete { .. } => "deleted",
        Action::Update { .. } | Action::Elements { .. } => "updated",
    }
}
