//! Imports every recorded tenant into an empty tenant and into another recorded one.
//!
//! ```text
//! equivalence.rs        decides whether two bodies have the same meaning
//! generated_mapping.rs  a mapping generated for a tenant
//! outdated_values.rs    values that the API no longer accepts, and current ones
//! secrets.rs            the target's own secrets, before and after
//! skip_reasons.rs       every reason for which a plan may skip a resource
//! undo.rs               the same imports, undone
//! verdict.rs            finds unreported differences after an import
//! write_counts.rs       the number of writes of an import, and the minimum
//! ```

pub(crate) mod equivalence;
mod generated_mapping;
mod outdated_values;
mod secrets;
mod skip_reasons;
pub(crate) mod undo;
mod verdict;
mod write_counts;

use std::path::Path;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::json::Body;
use auth0_migrate::management_api::Tenant;
use auth0_migrate::mapping::Mapping;
use auth0_migrate::model::event::Outcome;
use auth0_migrate::plan::Plan;
use auth0_migrate::sandbox::{Sandbox, State, seed};
use auth0_migrate::snapshot::{Desired, Snapshot};
use auth0_migrate::state::baseline::Baseline;
use auth0_migrate::state::links::Links;
use serde_json::{Value, json};

use crate::support::imports::{Imported, empty_sync_state, import, planned, read, start, state};
use crate::support::recorded_tenants::ONE;

use outdated_values::brought_up_to_date;
use secrets::Secrets;
use skip_reasons::Within;
use verdict::{Evidence, Verdict};

/// A tenant that was copied into another, twice.
struct Copied {
    into: Sandbox,
    tenant: Tenant,
    desired: Desired,
    links: Links,
    /// The second plan, with the baseline of the first run.
    remembered: Plan,
    first: Imported,
    /// The second import, without a baseline.
    second: Imported,
    written_again: usize,
    secrets: Secrets,
}

impl Copied {
    async fn make(source: State, target: State, mapping: fn(&Snapshot) -> Desired) -> Self {
        let (_from, from) = start(source).await;
        let (into, tenant) = start(target).await;
        let desired = mapping(&read(&from).await);
        let secrets = secrets::held(&tenant).await;
        let mut memory = empty_sync_state();
        let writes = || into.requests().iter().filter(|seen| seen.is_write).count();
        let first = import(&desired, &tenant, &mut memory).await;
        let before = writes();
        let remembered = planned(&desired, &read(&tenant).await, &memory);
        // With a baseline, fields that the server filled in are the target's own; without one, each is reported.
        memory.base = Baseline::default();
        let second = import(&desired, &tenant, &mut memory).await;
        let written_again = writes() - before;
        Self { into, tenant, desired, links: memory.links, remembered, first, second, written_again, secrets }
    }

    /// Returns everything that is wrong.
    async fn faults(&self, within: Within) -> Vec<String> {
        let Self { desired, links, first, second, .. } = self;
        let refused = first.summary.settled.iter().filter(|one| !matches!(one.outcome, Outcome::Applied(_)));
        let mut faults: Vec<String> = refused.map(|one| format!("{} {}: {:?}", one.operation, one.key, one.outcome)).collect();
        let altered = first.summary.altered().chain(second.summary.altered());
        faults.extend(altered.map(|(one, altered)| format!("said to be answered otherwise: {} {}: {altered:?}", one.operation, one.key)));
        faults.extend(second.plan.changes().map(|change| format!("again: {} {}: {:?}", change.operation(), change.key, change.action)));
        let Plan { drift, conflicts, .. } = &self.remembered;
        faults.extend(
            self.remembered.changes().map(|change| format!("remembered: {} {}: {:?}", change.operation(), change.key, change.action)),
        );
        faults.extend(drift.iter().map(|drift| format!("drift that nobody made: {} {}", drift.key, drift.path)));
        faults.extend(conflicts.iter().map(|clash| format!("a conflict that nobody made: {} {}", clash.key, clash.path)));
        if self.written_again > 0 {
            faults.push(format!("the second run wrote {} times", self.written_again));
        }
        let after = read(&self.tenant).await;
        let (first, second) = (&self.first.plan, &second.plan);
        faults.extend(Verdict::new(Evidence { desired, before: &self.first.before, after: &after, links, first, second }).faults());
        faults.extend(secrets::lost(&self.secrets, &secrets::held(&self.tenant).await));
        faults.extend(skip_reasons::unheard_of(first, within));
        faults
    }
}

fn unmapped(source: &Snapshot) -> Desired {
    Desired::unmapped(source.clone())
}

/// Applies a mapping with every kind of rule, each of which matches something.
fn mapped(source: &Snapshot) -> Desired {
    let mapped = generated_mapping::mapped(source);
    assert_eq!(mapped.unmatched, Vec::new());
    mapped.desired
}

/// The recorded tenants share one domain; a target needs its own.
fn moved_to(state: &State, domain: &str) -> State {
    let text = state.to_json().to_string().replace(state.domain(), domain);
    State::from_json(serde_json::from_str::<Value>(&text).expect("JSON")).expect("a state")
}

/// Returns the name and the state of a target.
type Target = fn(&[(String, State)], usize) -> (String, State);

/// Imports every recorded tenant into its target, and fails with the names of those in which something is wrong.
async fn copy_all(target: Target, mapping: fn(&Snapshot) -> Desired) {
    copy_those(|_| true, target, mapping).await;
}

/// Imports the recorded tenants with these names.
async fn copy_those(is_meant: fn(&str) -> bool, target: Target, mapping: fn(&Snapshot) -> Desired) {
    let tenants = brought_up_to_date();
    let mut all = Vec::new();
    for (at, (name, state)) in tenants.iter().enumerate().filter(|(_, (name, _))| is_meant(name)) {
        let (other, target) = target(&tenants, at);
        let is_mixed = [name, &other].iter().any(|name| name.starts_with("union"));
        let within = if is_mixed { Within::Mixed } else { Within::Any };
        let faults = Copied::make(state.clone(), target, mapping).await.faults(within).await;
        all.extend(faults.into_iter().map(|fault| format!("{name} into {other}: {fault}")));
    }
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}

fn empty(_: &[(String, State)], _: usize) -> (String, State) {
    ("an empty one".to_owned(), State::empty("empty.eu.auth0.com"))
}

fn another(tenants: &[(String, State)], at: usize) -> (String, State) {
    let (name, state) = &tenants[(at + 3) % tenants.len()];
    (name.clone(), moved_to(state, "other.eu.auth0.com"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_imported_into_an_empty_one_and_a_second_import_writes_nothing() {
    copy_all(empty, unmapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_imported_into_another_and_a_second_import_writes_nothing() {
    copy_all(another, unmapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_an_empty_one_and_a_second_import_writes_nothing() {
    copy_all(empty, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_another_and_a_second_import_writes_nothing() {
    copy_all(another, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_tenant_is_imported_and_mapped_into_three_others_and_a_second_import_writes_nothing() {
    copy_those(|name| name == ONE, empty, unmapped).await;
    copy_those(|name| name == ONE, another, mapped).await;
    copy_those(|name| name == ONE, itself, mapped).await;
}

/// The same tenant with another domain: everything is matched, and the mapping changes it.
fn itself(tenants: &[(String, State)], at: usize) -> (String, State) {
    let (name, state) = &tenants[at];
    (name.clone(), moved_to(state, "other.eu.auth0.com"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn every_recorded_tenant_is_mapped_into_its_own_copy_and_a_second_import_writes_nothing() {
    copy_all(itself, mapped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_dev_tenant_is_mapped_into_prod_and_a_second_import_writes_nothing() {
    let copied = acme().await;
    assert_eq!(copied.faults(Within::Any).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verdict_finds_one_changed_field_and_one_surplus_client() {
    let copied = acme().await;
    let clients = Catalog::standard().kind("clients").expect("a kind");
    let billing = copied.desired.snapshot.of_kind("clients").find(|client| client.key.name() == "Billing").expect("a client");
    let link = copied.links.iter().find(|link| link.source_id == billing.id).expect("a link");
    let body = |value| Body::from_value(value).expect("an object");
    copied.tenant.update(clients, &link.target_id, &body(json!({"sso_disabled": true}))).await.expect("updated");
    copied.tenant.create(clients, &body(json!({"name": "Surplus"}))).await.expect("created");
    assert_eq!(
        copied.faults(Within::Any).await,
        ["clients/Billing: sso_disabled should be false and is true", "clients/Surplus: nobody wanted it"]
    );
    assert!(copied.into.requests().len() > 1);
}

/// The tenants of the demo, with the example mapping.
async fn acme() -> Copied {
    let mapping = |source: &Snapshot| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/dev-to-prod.toml");
        let mapping = Mapping::load(Catalog::standard(), &path).expect("a mapping");
        mapping.apply(Catalog::standard(), source.clone()).expect("mapped").desired
    };
    Copied::make(state(seed::ACME_DEV), state(seed::ACME_PROD), mapping).await
}
