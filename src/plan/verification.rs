//! Which writes of a run the log of its target confirms.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Action, Change, Plan};
use crate::catalog::{Kind, WrittenResource};
use crate::model::event::Operation;
use crate::model::logged_write::LoggedWrite;
use crate::model::resource::{Id, Key};

/// A write of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunWrite {
    /// The resource.
    pub key: Key,
    /// What it did.
    pub operation: Operation,
    /// The id of the resource in the target.
    pub id: Id,
}

/// Which writes of a run the log of its target contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifiedWrites {
    /// The number of writes.
    pub writes: usize,
    /// How many of them the log contains.
    pub found: usize,
    /// The others.
    pub missing: Vec<RunWrite>,
    /// Why the log may lack them, or that it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The writes of a run, looked up in the log entry by entry.
#[derive(Debug)]
pub struct RunVerification {
    correlation: String,
    expected: Vec<ExpectedWrite>,
}

#[derive(Debug)]
struct ExpectedWrite {
    write: RunWrite,
    methods: &'static [&'static str],
    is_found: bool,
}

impl RunVerification {
    /// Lists the writes of a run that sent this correlation id; `applied` are the ids of the resources that its changes
    /// wrote to, by the index of the change.
    #[must_use]
    pub fn new(correlation: String, plan: &Plan, applied: &BTreeMap<usize, Id>) -> Self {
        let expected = |(at, change): (usize, &Change)| {
            let write = RunWrite { key: change.key.clone(), operation: change.operation(), id: applied.get(&at)?.clone() };
            Some(ExpectedWrite { write, methods: methods(change), is_found: false })
        };
        Self { correlation, expected: plan.changes().enumerate().filter_map(expected).collect() }
    }

    /// Returns whether every write was found.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.expected.iter().all(|expected| expected.is_found)
    }

    /// Returns whether any write was found.
    #[must_use]
    pub fn has_found_any(&self) -> bool {
        self.expected.iter().any(|expected| expected.is_found)
    }

    /// Looks for the write that an entry is about; returns whether every write was found.
    pub fn learn(&mut self, entry: &LoggedWrite) -> bool {
        if entry.correlation.as_deref() == Some(&self.correlation) {
            let is_it = |expected: &&mut ExpectedWrite| !expected.is_found && expected.is_confirmed_by(entry);
            if let Some(found) = self.expected.iter_mut().find(is_it) {
                found.is_found = true;
            }
        }
        self.is_complete()
    }

    /// Returns the result; the reason matters only if something is missing.
    #[must_use]
    pub fn into_result(self, reason: Option<String>) -> VerifiedWrites {
        let writes = self.expected.len();
        let missing: Vec<RunWrite> =
            self.expected.into_iter().filter(|expected| !expected.is_found).map(|expected| expected.write).collect();
        VerifiedWrites { writes, found: writes - missing.len(), reason: reason.filter(|_| !missing.is_empty()), missing }
    }
}

impl ExpectedWrite {
    fn is_confirmed_by(&self, entry: &LoggedWrite) -> bool {
        let kind: &Kind = self.write.key.kind();
        // The response to a create may be missing in the log.
        let has_id = |written: &WrittenResource| match &written.id {
            Some(id) => id == self.write.id.as_str(),
            None => self.write.operation == Operation::Create,
        };
        self.methods.contains(&entry.method.as_str()) && entry.resources.iter().any(|written| written.kind == kind && has_id(written))
    }
}

/// Returns the methods with which a change is sent; the follow-up of an update is a POST.
fn methods(change: &Change) -> &'static [&'static str] {
    let kind = change.key.kind();
    match &change.action {
        Action::Create { .. } if kind.creation().is_some() => &["POST"],
        Action::Delete { .. } if kind.empty_body().is_none() => &["DELETE"],
        Action::Create { .. } | Action::Delete { .. } => &["PATCH", "PUT"],
        Action::Update { .. } => &["PATCH", "PUT", "POST"],
        Action::Elements { .. } => &["POST", "PATCH", "DELETE"],
    }
}
