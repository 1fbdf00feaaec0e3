//! Estimates how many requests a plan needs and how long they take.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Action, Change, Plan};
use crate::catalog::{ElementChanges, Kind, Shape, Write};

/// The requests that a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The number of requests, if none is repeated.
    pub requests: usize,
    /// The requests per second that the rate limit allows, if it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
}

impl Estimate {
    /// Estimates the requests of a plan at this rate.
    pub fn new(plan: &Plan, per_second: Option<f64>) -> Self {
        let requests = plan.changes().map(requests).sum();
        Self { requests, per_second: per_second.filter(|rate| *rate > 0.0) }
    }

    /// Returns the duration of all requests at the rate limit.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let requests = self.requests as f64;
        self.per_second.map(|rate| Duration::from_secs_f64(requests / rate))
    }
}

/// Returns the number of requests for one change, including the reads just before it.
fn requests(change: &Change) -> usize {
    let kind = change.key.kind();
    match &change.action {
        Action::Create { .. } => 1,
        Action::Update { body, .. } => {
            let is_read_before = body.0.keys().any(|field| kind.is_read_modify_write(field))
                || (kind.paths.write == Write::Put && !kind.secrets.paths.is_empty());
            let is_followed = kind.lifecycle.follow_up.is_some_and(|follow_up| body.0.contains_key(follow_up.field));
            1 + usize::from(is_read_before) + usize::from(is_followed)
        }
        Action::Elements { added, removed, .. } => element_requests(kind, added.len(), removed.len()),
        Action::Delete { .. } => 1 + usize::from(!kind.paths.is_list_only),
    }
}

fn element_requests(kind: &Kind, added: usize, removed: usize) -> usize {
    let Shape::Child { element_changes, .. } = kind.shape else { return 1 };
    match element_changes {
        ElementChanges::AddRemove { most } | ElementChanges::AddUpdateRemove { most, .. } => {
            added.div_ceil(most.max(1)) + removed.div_ceil(most.max(1))
        }
        ElementChanges::Switch { most } => (added + removed).div_ceil(most.max(1)),
    }
}
