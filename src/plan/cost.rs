//! Estimates how many requests a plan needs and how long they take.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Action, Change, Plan};
use crate::catalog::limits::{CallType, KnownLimits, Limit};
use crate::catalog::{ElementChanges, Kind, Shape, Write};

/// The requests that a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The number of requests, if none is repeated.
    pub requests: usize,
    /// The requests per second that the rate limit allows, if it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// The endpoint group whose own limit takes longer than that of the tenant.
    #[serde(skip)]
    pub slowest: Option<SlowestGroup>,
}

/// An endpoint group whose limit determines how long a plan takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowestGroup {
    /// Its limit.
    pub limit: &'static Limit,
    /// How long its requests take.
    pub time: Duration,
}

/// How many requests a plan sends with one method to one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestCount {
    /// `POST`, `PATCH` and so on.
    pub method: &'static str,
    /// The path, with the names of its parameters: `/clients/{id}`.
    pub path: String,
    /// The number of requests, if none is repeated.
    pub requests: usize,
}

impl Estimate {
    /// Estimates the requests of a plan within these limits.
    #[must_use]
    pub fn new(plan: &Plan, limits: KnownLimits) -> Self {
        let counts = requests_of(plan);
        let requests = counts.iter().map(|count| count.requests).sum();
        let whole = Self { requests, per_second: limits.per_second.filter(|rate| *rate > 0.0), slowest: None };
        let slowest = slowest_group(&counts, limits).filter(|group| whole.time().is_some_and(|time| group.time > time));
        Self { slowest, ..whole }
    }

    /// Returns the duration of all requests at the rate limit.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let requests = self.requests as f64;
        self.slowest.map(|group| group.time).or_else(|| self.per_second.map(|rate| Duration::from_secs_f64(requests / rate)))
    }
}

/// Returns the requests of a plan by method and path, including the reads just before a change.
#[must_use]
pub fn requests_of(plan: &Plan) -> Vec<RequestCount> {
    let mut counts: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for change in plan.changes() {
        for (method, path, requests) in requests(change) {
            *counts.entry((path, method)).or_default() += requests;
        }
    }
    let counted = counts.into_iter().filter(|(_, requests)| *requests > 0);
    counted.map(|((path, method), requests)| RequestCount { method, path, requests }).collect()
}

/// Returns the endpoint group whose requests take longest.
fn slowest_group(counts: &[RequestCount], limits: KnownLimits) -> Option<SlowestGroup> {
    let tier = limits.tier?;
    let mut sent = vec![0_usize; tier.endpoints.len()];
    for count in counts {
        let calls = if count.method == "GET" { CallType::Read } else { CallType::Write };
        if let Some(group) = tier.group_of(calls, &count.path) {
            sent[group] += count.requests;
        }
    }
    let time = |(limit, sent): (&'static Limit, usize)| {
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let beyond = (sent as f64 - f64::from(limit.rate.burst) * limits.share).max(0.0);
        let per_second = f64::from(limit.rate.a_minute) / 60.0 * limits.share;
        SlowestGroup { limit, time: Duration::from_secs_f64(beyond / per_second.max(f64::MIN_POSITIVE)) }
    };
    tier.endpoints.iter().zip(sent).map(time).max_by_key(|group| group.time)
}

/// Returns the requests of one change, including the reads just before it.
fn requests(change: &Change) -> Vec<(&'static str, String, usize)> {
    let kind = change.key.kind();
    let item = kind.item();
    let write = if kind.paths.write == Write::Put { "PUT" } else { "PATCH" };
    match &change.action {
        Action::Create { .. } => match kind.creation() {
            Some(path) => vec![("POST", path.to_owned(), 1)],
            None => vec![(write, item, 1)],
        },
        Action::Update { body, .. } => {
            let is_read_before = body.0.keys().any(|field| kind.is_read_modify_write(field))
                || (kind.paths.write == Write::Put && !kind.secrets.paths.is_empty());
            let follow_up = kind.lifecycle.follow_up.filter(|follow_up| body.0.contains_key(follow_up.field));
            let followed = follow_up.map(|follow_up| ("POST", follow_up.path.to_owned(), 1));
            let read = ("GET", item.clone(), usize::from(is_read_before));
            [read, (write, item, 1)].into_iter().chain(followed).collect()
        }
        Action::Elements { added, removed, .. } => element_requests(kind, added.len(), removed.len()),
        Action::Delete { .. } => vec![("GET", item.clone(), usize::from(!kind.paths.is_list_only)), ("DELETE", item, 1)],
    }
}

fn element_requests(kind: &Kind, added: usize, removed: usize) -> Vec<(&'static str, String, usize)> {
    let path = kind.paths.list.to_owned();
    let Shape::Child { element_changes, .. } = kind.shape else { return vec![("PATCH", path, 1)] };
    match element_changes {
        ElementChanges::AddRemove { most } | ElementChanges::AddUpdateRemove { most, .. } => {
            vec![("POST", path.clone(), added.div_ceil(most.max(1))), ("DELETE", path, removed.div_ceil(most.max(1)))]
        }
        ElementChanges::Switch { most } => vec![("PATCH", path, (added + removed).div_ceil(most.max(1)))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::limits::Tier;
    use crate::json::Body;
    use crate::model::resource::{Id, key};
    use crate::plan::{PlannedTenant, Stage};

    /// Returns a plan that creates this many resources of each kind.
    fn creates(of: &[(&str, usize)]) -> Plan {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.example"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let change = |kind: &str, nth: usize| Change {
            key: key(&format!("{kind}/{nth}")),
            source_id: Id::new("s"),
            action: Action::Create { body: Body::new(), twins: Vec::new() },
            needs: Vec::new(),
            secrets: Vec::new(),
        };
        let changes = of.iter().flat_map(|(kind, count)| (0..*count).map(move |nth| change(kind, nth))).collect();
        plan.stages.push(Stage { title: String::new(), changes });
        plan
    }

    fn limits() -> KnownLimits {
        KnownLimits { tier: Tier::named("enterprise"), share: 0.8, per_second: Some(12.8) }
    }

    #[test]
    fn requests_are_counted_by_method_and_path() {
        let counts = requests_of(&creates(&[("clients", 3), ("prompt-partials", 2)]));
        let count = |method, path: &str, requests| RequestCount { method, path: path.to_owned(), requests };
        assert_eq!(counts, [count("POST", "/clients", 3), count("PUT", "/prompts/{prompt}/partials", 2)]);
    }

    #[test]
    fn the_endpoint_group_with_the_smallest_limit_determines_the_time() {
        let quick = Estimate::new(&creates(&[("clients", 128)]), limits());
        assert_eq!((quick.requests, quick.slowest, quick.time()), (128, None, Some(Duration::from_secs(10))));
        // Four at once, then four a minute.
        let slow = Estimate::new(&creates(&[("clients", 128), ("prompt-partials", 10)]), limits());
        let subject = slow.slowest.map(|group| group.limit.subject());
        assert_eq!((subject.as_deref(), slow.time().map(|time| time.as_secs())), (Some("prompt partials"), Some(90)));
    }
}
