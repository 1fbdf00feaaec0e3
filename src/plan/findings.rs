//! The edits of a plan by risk, most dangerous first: what a reviewer should look at before anything else.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::model::{Action, Change, Edit, Plan};
use super::risk::{EditRisk, edit_risks};
use crate::catalog::risk::RiskClass;
use crate::model::event::Operation;

/// One edit of a plan with its risk.
#[derive(Debug, Clone)]
pub struct Finding<'plan> {
    /// The risk.
    pub class: RiskClass,
    /// The change that the edit belongs to.
    pub change: &'plan Change,
    /// What the edit is about.
    pub subject: Subject<'plan>,
}

/// What an edit is about.
#[derive(Debug, Clone)]
pub enum Subject<'plan> {
    /// The whole resource, which is created or deleted.
    Resource,
    /// One field, with its old and its new value.
    Field(Cow<'plan, Edit>),
    /// A secret that replaces another one.
    Secret(&'plan str),
}

/// The number of edits by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RiskCounts {
    /// Edits that may lock people or services out.
    pub lockout: usize,
    /// Edits that weaken a protection.
    pub weakened: usize,
    /// Resources that are deleted.
    pub data_loss: usize,
    /// Edits that add access.
    pub widened: usize,
    /// All others.
    pub routine: usize,
}

/// Returns the edits of a plan, most dangerous class first, and within a class in the order of the plan.
///
/// An edit with two dangers, such as a list that loses one element and gains another, is returned once per class.
pub fn findings(plan: &Plan) -> Vec<Finding<'_>> {
    let mut found: Vec<Finding<'_>> = plan.changes().flat_map(of_change).collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.class));
    found
}

/// Returns the edits of one change.
pub fn of_change(change: &Change) -> Vec<Finding<'_>> {
    let mut edits: Vec<(Option<String>, BTreeSet<RiskClass>)> = Vec::new();
    for EditRisk { class, path } in edit_risks(change) {
        match edits.iter_mut().find(|(known, _)| *known == path) {
            Some((_, classes)) => drop(classes.insert(class)),
            None => edits.push((path, BTreeSet::from([class]))),
        }
    }
    let found = |(path, classes): (Option<String>, BTreeSet<RiskClass>)| {
        let subject = subject(change, path.as_deref());
        let classes =
            if change.operation() == Operation::Delete { classes.last().copied().into_iter().collect() } else { decisive(&classes) };
        classes.into_iter().map(move |class| Finding { class, change, subject: subject.clone() })
    };
    edits.into_iter().flat_map(found).collect()
}

/// Returns every dangerous class of an edit, otherwise the highest one.
fn decisive(classes: &BTreeSet<RiskClass>) -> Vec<RiskClass> {
    let dangerous: Vec<RiskClass> = classes.iter().copied().filter(|class| class.is_dangerous()).collect();
    if dangerous.is_empty() { classes.last().copied().into_iter().collect() } else { dangerous }
}

/// Counts edits by class.
pub fn count(findings: &[Finding<'_>]) -> RiskCounts {
    let mut counts = RiskCounts::default();
    for finding in findings {
        *match finding.class {
            RiskClass::Lockout => &mut counts.lockout,
            RiskClass::Weakened => &mut counts.weakened,
            RiskClass::DataLoss => &mut counts.data_loss,
            RiskClass::Widened => &mut counts.widened,
            RiskClass::Routine => &mut counts.routine,
        } += 1;
    }
    counts
}

impl Subject<'_> {
    /// Returns the field; `None` for a whole resource.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Resource => None,
            Self::Field(edit) => Some(&edit.path),
            Self::Secret(path) => Some(path),
        }
    }
}

fn subject<'plan>(change: &'plan Change, path: Option<&str>) -> Subject<'plan> {
    let Some(path) = path else { return Subject::Resource };
    match &change.action {
        Action::Elements { added, removed, .. } => {
            let path = change.key.kind().elements().to_owned();
            let list = |elements: &[Value]| Some(Value::Array(elements.to_vec()));
            Subject::Field(Cow::Owned(Edit { path, old: list(removed), new: list(added) }))
        }
        Action::Update { edits, .. } => match edits.iter().find(|edit| edit.path == path) {
            Some(edit) => Subject::Field(Cow::Borrowed(edit)),
            None => {
                change.secrets.iter().find(|secret| secret.path == path).map_or(Subject::Resource, |secret| Subject::Secret(&secret.path))
            }
        },
        Action::Create { .. } | Action::Delete { .. } => Subject::Resource,
    }
}
