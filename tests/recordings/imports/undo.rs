//! Imports every recorded tenant into another, and undoes that: the target is as before, except for what was reported.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::Kind;
use auth0_migrate::json::Body;
use auth0_migrate::model::resource::{Id, Key, Resource};
use auth0_migrate::plan::{Plan, PlannedTenant, Skipped};
use auth0_migrate::sandbox::State;
use auth0_migrate::snapshot::{Desired, Snapshot};
use serde_json::{Value, json};

use super::equivalence::{Unlike, unlike};
use super::outdated_values::brought_up_to_date;
use super::{another, empty, moved_to};
use crate::safety::random_tenants::undo_run;
use crate::support::imports::{Imported, empty_sync_state, import, read, start};
use crate::support::recorded_tenants::{ONE, recorded};

/// The results of imports and undos.
#[derive(Default)]
struct Seen {
    /// The number of reverted changes, by kind.
    taken_back: BTreeMap<String, usize>,
    /// The number of resources that an undo reports as kept, completely or in part.
    named: usize,
    /// Unreported differences from the state before.
    unnamed: Vec<String>,
}

impl Seen {
    /// Imports a tenant into another and undoes that.
    async fn round(&mut self, name: &str, source: &State, target: State) {
        let (_from, from) = start(source.clone()).await;
        let (_into, into) = start(target).await;
        let desired = Desired::unmapped(read(&from).await);
        let Imported { before, plan, summary } = import(&desired, &into, &mut empty_sync_state()).await;
        let (back, ended) = undo_run(&plan, &summary, &into).await;
        for (change, settled) in back.changes().zip(&ended.settled) {
            match settled.outcome.id() {
                Some(_) => *self.taken_back.entry(change.key.kind().name.to_owned()).or_default() += 1,
                None => self.unnamed.push(format!("{name}: {} {}: {:?}", settled.operation, settled.key, settled.outcome)),
            }
        }
        let after = in_words_as_before(&before, read(&into).await, &back);
        self.named += back.skipped.iter().map(|left| &left.key).collect::<BTreeSet<_>>().len();
        self.unnamed.extend(unnamed(&before, &after, &back).into_iter().map(|one| format!("{name}: {one}")));
    }
}

/// Returns the differences from the state before that the undo does not report, field by field.
pub(crate) fn unnamed(before: &Snapshot, after: &Snapshot, back: &Plan) -> Vec<String> {
    let (before, after) = (by_key(before), by_key(after));
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).copied().collect();
    let unnamed = |key: &Key| {
        let kind = key.kind();
        let [was, is] = [&before, &after].map(|side| side.get(key).map_or(Value::Null, |held| held.body.open().into_value()));
        let said: Vec<&Skipped> = back.skipped.iter().filter(|left| left.key == *key).collect();
        let is_new = unlike(kind, &Value::Null, &was).iter().all(|one| kind.identity.key.contains(&one.path.as_str()));
        let differs = unlike(kind, &was, &is).into_iter();
        let differs = differs.filter(|one| !said.iter().any(|left| names(left, &one.path, is_new)) && !lacks_only_named(kind, one, &said));
        differs.map(|one| format!("{key}: {} was {} and is {}", one.path, one.wanted, one.held)).collect::<Vec<_>>()
    };
    keys.into_iter().flat_map(unnamed).collect()
}

fn by_key(held: &Snapshot) -> BTreeMap<&Key, &Resource> {
    held.resources.iter().map(|one| (&one.key, one)).collect()
}

/// Returns whether a field is reported, by its own path or by a path above it.
///
/// The whole resource suffices if nothing was there before the run, or only blanks: then all its content is meant.
fn names(left: &Skipped, path: &str, is_new: bool) -> bool {
    match &left.path {
        None => is_new,
        Some(named) => path.strip_prefix(named.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    }
}

/// Returns whether a list differs only by elements that are reported one by one, each with its value.
fn lacks_only_named(kind: &Kind, list: &Unlike, said: &[&Skipped]) -> bool {
    let (Some(was), Some(is)) = (list.wanted.as_array(), list.held.as_array()) else { return false };
    let (stays, gone): (Vec<Value>, Vec<Value>) = was.iter().cloned().partition(|element| is.contains(element));
    let of_element = |left: &Skipped| left.path.as_ref().is_some_and(|path| path.starts_with(&format!("{}[", list.path)));
    let holds = |element: &Value, left: &Skipped| {
        let fields = element.as_object().into_iter().flatten().map(|(_, value)| value);
        fields.chain([element]).filter_map(Value::as_str).any(|text| left.reason.contains(&format!("\"{text}\"")))
    };
    let is_named = |element: &Value| said.iter().any(|left| of_element(left) && holds(element, left));
    let alone = |elements: Vec<Value>| {
        let mut body = Body::new();
        body.set(&list.path, Value::Array(elements));
        body.into_value()
    };
    gone.iter().all(is_named) && unlike(kind, &alone(stays), &alone(is.clone())).is_empty()
}

/// Restores in a kept resource the plain text that was there before the resource it names existed.
///
/// An add-on refers to its connection by name: that is read as a reference once the connection exists, and is the same
/// text to the API.
pub(crate) fn in_words_as_before(before: &Snapshot, mut after: Snapshot, back: &Plan) -> Snapshot {
    let named = back.skipped.iter().map(|left| &left.key);
    let kept: Vec<&Key> = named.filter(|key| before.resources.iter().all(|held| held.key != **key)).collect();
    for resource in after.resources.iter_mut().filter(|held| before.resources.iter().any(|one| one.key == held.key)) {
        let text = resource.body.open().into_value().to_string();
        let text = kept.iter().fold(text, |text, key| text.replace(&format!("⟦{key}⟧"), key.name()));
        resource.body = serde_json::from_str::<Body>(&text).expect("an object").into();
    }
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by .ci/run"]
async fn imports_of_every_recorded_tenant_are_undone_completely_or_reported() {
    let kinds = take_back(|_| true).await;
    assert!(kinds >= 20 || recorded().is_empty(), "{kinds} kinds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_a_recorded_tenant_is_undone_completely_or_reported() {
    let kinds = take_back(|name| name == ONE).await;
    assert!(kinds >= 5 || recorded().is_empty(), "{kinds} kinds");
}

/// Imports the recorded tenants with these names into others and undoes that; prints the number of reverted changes and
/// kinds, and returns the number of kinds.
#[expect(clippy::print_stdout, reason = "how much was shown depends on the recordings at hand")]
async fn take_back(is_meant: fn(&str) -> bool) -> usize {
    let (tenants, mut seen) = (brought_up_to_date(), Seen::default());
    for (at, (name, state)) in tenants.iter().enumerate().filter(|(_, (name, _))| is_meant(name)) {
        for (into, target) in [empty(&tenants, at), another(&tenants, at)] {
            seen.round(&format!("{name} into {into}"), &moved_to(state, "source.eu.auth0.com"), target).await;
        }
    }
    let all = seen.taken_back.values().sum::<usize>();
    println!("taken back {all} changes of {} kinds; {} resources were named", seen.taken_back.len(), seen.named);
    assert!(seen.unnamed.is_empty(), "{} things\n{}", seen.unnamed.len(), seen.unnamed.join("\n"));
    seen.taken_back.len()
}

#[test]
fn a_field_is_excused_neither_by_another_field_nor_by_its_resource() {
    let holding = |body: Value| {
        let body = Body::from_value(body).expect("an object");
        let resources = vec![Resource::new("clients/Web".parse().expect("a key"), Id::new("c1"), body)];
        let (tenant, domain, taken) = (String::new(), String::new(), String::new());
        Snapshot { tenant, domain, taken, kinds: BTreeMap::new(), resources, twice: Vec::new(), selection: None }
    };
    let saying = |path: Option<&str>| {
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.auth0.com"), "");
        let left = Skipped::new("clients/Web".parse().expect("a key"), path.map(str::to_owned), "it changed again");
        Plan { skipped: vec![left], ..Plan::between(side("dev"), side("prod")) }
    };
    let before = holding(json!({"name": "Web", "description": "old", "refresh_token": {"leeway": 1}}));
    let after = holding(json!({"name": "Web", "description": "new", "refresh_token": {"leeway": 2}}));
    let (description, leeway) = ("clients/Web: description was \"old\" and is \"new\"", "clients/Web: refresh_token.leeway was 1 and is 2");
    assert_eq!(unnamed(&before, &after, &saying(Some("description"))), [leeway]);
    assert_eq!(unnamed(&before, &after, &saying(Some("refresh_token"))), [description]);
    assert_eq!(unnamed(&before, &after, &saying(None)), [description, leeway]);
    let empty = holding(json!({"name": "Web"}));
    assert_eq!(unnamed(&empty, &after, &saying(None)), [""; 0]);
}
