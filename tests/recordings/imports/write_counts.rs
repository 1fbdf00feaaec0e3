//! The number of writes of an import: one for each changed resource, and those that the API requires to be separate.

use std::collections::BTreeMap;

use auth0_migrate::catalog::{ElementChanges, Kind, Shape, Writability};
use auth0_migrate::json::Body;
use auth0_migrate::plan::{Action, Change, Plan};
use auth0_migrate::sandbox::State;
use serde_json::Value;

use super::outdated_values::brought_up_to_date;
use super::{Copied, empty, moved_to, unmapped};
use crate::support::recorded_tenants::ONE;

/// The number of writes, by purpose.
type Counted = BTreeMap<&'static str, usize>;

/// Returns why a resource is written again, or `None` if a single request could have written it.
fn why_again(kind: &Kind, body: &Body, is_created: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let refers = |value: &Value| value.to_string().split('⟦').skip(1).any(|rest| rest.split('⟧').next().is_some_and(is_created));
    let only_in_an_update = |name: &String| kind.fields.writable().get(name).is_some_and(|field| field.written == Writability::OnUpdate);
    match kind.lifecycle.follow_up {
        Some(follow_up) if body.0.contains_key(follow_up.field) => return Some("what runs is deployed by a request of its own"),
        Some(follow_up) if body.0.keys().any(|name| follow_up.content.contains(&name.as_str())) => {
            return Some("a draft is written once what runs is deployed");
        }
        _ => {}
    }
    if body.0.keys().all(only_in_an_update) {
        return Some("a create does not take these fields");
    }
    // Only fields that cannot be sent earlier are sent later.
    body.0.iter().all(|(name, value)| only_in_an_update(name) || refers(value)).then_some("it refers to what is made later")
}

/// Returns how many requests a list of elements needs beyond the first: the API limits the number per request, and adds
/// and removes separately.
fn splits(kind: &Kind, added: usize, removed: usize) -> usize {
    let Shape::Child { element_changes, .. } = kind.shape else { panic!("{} has no elements", kind.name) };
    let requests = match element_changes {
        ElementChanges::AddRemove { most } | ElementChanges::AddUpdateRemove { most, .. } => added.div_ceil(most) + removed.div_ceil(most),
        ElementChanges::Switch { most } => (added + removed).div_ceil(most),
    };
    requests - 1
}

/// Returns the minimum number of writes for a plan by purpose, and the unnecessary ones.
fn least(plan: &Plan) -> (Counted, Vec<String>) {
    let (mut counted, mut needless) = (Counted::new(), Vec::new());
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    let created: Vec<String> =
        plan.changes().filter(|change| matches!(change.action, Action::Create { .. })).map(|change| change.key.to_string()).collect();
    let is_created = |key: &str| created.iter().any(|created| created == key);
    for change in plan.changes() {
        let kind = change.key.kind();
        let times = written.entry(change.key.to_string()).or_default();
        *times += 1;
        let what = if *times == 1 { Some("a resource that changes") } else { again(kind, change, &is_created) };
        match what {
            Some(what) => *counted.entry(what).or_default() += 1,
            None => needless.push(format!("{} {} is written again: {:?}", change.operation(), change.key, change.action)),
        }
        if let Action::Elements { added, removed, .. } = &change.action
            && let parts @ 1.. = splits(kind, added.len(), removed.len())
        {
            *counted.entry("a list is written in parts").or_default() += parts;
        }
    }
    (counted, needless)
}

fn again(kind: &Kind, change: &Change, is_created: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    match &change.action {
        Action::Update { body, .. } => why_again(kind, body, is_created),
        Action::Create { .. } | Action::Elements { .. } | Action::Delete { .. } => None,
    }
}

/// Imports a tenant and compares the number of writes with the minimum for its plan.
#[expect(clippy::print_stdout, reason = "the figures are worth reading: `cargo test write_counts -- --nocapture`")]
async fn count(name: &str, source: State, target: State) {
    let copied = Copied::make(source, target, unmapped).await;
    let (counted, needless) = least(&copied.first.plan);
    assert_eq!(needless, Vec::<String>::new(), "{name}");
    let writes = copied.into.requests().iter().filter(|seen| seen.is_write).count();
    println!("{name}: {writes} writes");
    for (what, count) in &counted {
        println!("  {count:5}  {what}");
    }
    assert_eq!((writes, copied.written_again), (counted.values().sum::<usize>(), 0), "{name}: {counted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn imports_write_each_resource_once_unless_the_api_requires_more() {
    count_those(|_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_one_tenant_writes_each_resource_once_unless_the_api_requires_more() {
    count_those(|name| name == ONE).await;
}

async fn count_those(is_meant: fn(&str) -> bool) {
    let tenants = brought_up_to_date();
    for (at, (name, state)) in tenants.iter().enumerate().filter(|(_, (name, _))| is_meant(name)) {
        count(&format!("{name} into an empty one"), state.clone(), empty(&tenants, at).1).await;
        let own = moved_to(state, "other.eu.auth0.com");
        count(&format!("{name} into its own copy"), state.clone(), own).await;
    }
}
