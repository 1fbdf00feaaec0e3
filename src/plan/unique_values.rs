//! Unique values such as names: a change that takes one waits for the change that frees it; a cycle is broken by an interim value.
//!
//! ```text
//! Editor -> Publisher        first
//! Viewer -> Editor           then
//!
//! A -> A-2                   one of a cycle gets an interim value,
//! B -> A                     the others follow,
//! A-2 -> B                   and it comes last
//! ```
//!
//! A resource to delete gets an interim value if another change takes its value, since deletes come last.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::model::{Action, Change, Edit};
use super::unique_names::is_once;
use crate::catalog::{Kind, Writability};
use crate::json::Body;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::id_substitution;

/// A unique value: its kind, field and text.
type UniqueValue = (&'static str, &'static str, String);

/// Longer texts are truncated before a number is added: names of organizations and of token exchange profiles have at
/// most 50 characters.
const LONGEST: usize = 44;

/// The order of changes that take or free unique values.
#[derive(Debug, Default)]
pub(super) struct ValueOrder {
    /// The rank of each change, from 1.
    pub(super) ranks: HashMap<Key, usize>,
    /// Changes that come before all others of their kind.
    pub(super) aside: Vec<Change>,
}

/// Orders changes and breaks their cycles; `live` are the target's resources, and `removed` the indexes of those
/// deleted at the end.
pub(super) fn ordered(changes: &mut [Change], live: &[Cow<'_, Resource>], removed: &[usize]) -> ValueOrder {
    let by_key: HashMap<&Key, &Resource> = live.iter().map(|resource| (&resource.key, &**resource)).collect();
    let mut nodes: Vec<ValueChange> = changes.iter().enumerate().filter_map(|(at, change)| ValueChange::of(at, change, &by_key)).collect();
    let wanted: HashSet<UniqueValue> = nodes.iter().flat_map(|node| node.takes.iter().cloned()).collect();
    if wanted.is_empty() {
        return ValueOrder::default();
    }
    let used = used(live, &wanted);
    let mut opening = CycleBreaker { live: by_key, wanted, used, aside: Vec::new() };
    for resource in removed.iter().map(|at| &*live[*at]) {
        opening.release_deleted(resource);
    }
    let mut ranks = HashMap::new();
    let mut rank = 1;
    while !nodes.is_empty() {
        let freed_by: HashMap<UniqueValue, usize> =
            nodes.iter().enumerate().flat_map(|(place, node)| node.frees.iter().map(move |claim| (claim.clone(), place))).collect();
        let waits_for = |node: &ValueChange| node.takes.iter().find_map(|claim| freed_by.get(claim).copied());
        let (ready, waiting): (Vec<usize>, Vec<usize>) = (0..nodes.len()).partition(|at| waits_for(&nodes[*at]).is_none());
        if ready.is_empty() {
            // A chain that does not end after as many steps as there are nodes is a cycle.
            let reached = waiting.iter().fold(0, |at, _| waits_for(&nodes[at]).expect("nobody is ready"));
            opening.release(&mut nodes[reached], changes);
            continue;
        }
        ranks.extend(ready.iter().map(|at| (changes[nodes[*at].change].key.clone(), rank)));
        for at in ready.into_iter().rev() {
            nodes.swap_remove(at);
        }
        rank += 1;
    }
    ValueOrder { ranks, aside: opening.aside }
}

/// A change that takes or frees unique values.
struct ValueChange {
    change: usize,
    takes: BTreeSet<UniqueValue>,
    frees: BTreeSet<UniqueValue>,
}

impl ValueChange {
    fn of(at: usize, change: &Change, live: &HashMap<&Key, &Resource>) -> Option<Self> {
        let kind = change.key.kind();
        let (before, after) = match &change.action {
            Action::Create { body, .. } => (BTreeSet::new(), claims(kind, body)),
            Action::Update { id: Some(_), edits, .. } if edits.iter().any(|edit| is_claimed(kind, &edit.path)) => {
                let before = live.get(&change.key)?.body.open();
                let mut after = before.clone();
                edits.iter().filter(|edit| is_claimed(kind, &edit.path)).for_each(|edit| after.put(&edit.path, edit.new.clone()));
                (claims(kind, &before), claims(kind, &after))
            }
            _ => return None,
        };
        let (takes, frees) = (after.difference(&before).cloned().collect(), before.difference(&after).cloned().collect());
        Some(Self { change: at, takes, frees })
    }
}

/// Breaks cycles with interim values.
struct CycleBreaker<'plan> {
    live: HashMap<&'plan Key, &'plan Resource>,
    /// Values that changes take.
    wanted: HashSet<UniqueValue>,
    /// Values that exist now or after the plan.
    used: HashSet<UniqueValue>,
    aside: Vec<Change>,
}

impl CycleBreaker<'_> {
    /// Gives a resource to delete an interim value if another change takes its value.
    fn release_deleted(&mut self, resource: &Resource) {
        let kind = resource.key.kind();
        let body = resource.body.open();
        for (_, field, _) in claims(kind, &body).into_iter().filter(|claim| self.wanted.contains(claim)).collect::<Vec<_>>() {
            if let Some(free) = self.interim_value(kind, field, &body) {
                self.aside.push(interim_change(&resource.key, &Id::new(""), &resource.id, (field, body.get(field), free)));
            }
        }
    }

    /// Gives a change in a cycle an interim value; if there is none, the change no longer waits.
    fn release(&mut self, node: &mut ValueChange, changes: &mut [Change]) {
        let Change { key, source_id, action, .. } = &mut changes[node.change];
        let kind = key.kind();
        let held = self.live.get(key).map(|held| held.body.open()).unwrap_or_default();
        let mut is_open = false;
        for (_, field, _) in std::mem::take(&mut node.frees).into_iter().filter(|claim| self.wanted.contains(claim)).collect::<Vec<_>>() {
            let Action::Update { id: Some(id), edits, .. } = &mut *action else { continue };
            let Some(edit) = edits.iter_mut().find(|edit| edit.path == field) else { continue };
            let Some(free) = self.interim_value(kind, field, &held) else { continue };
            self.aside.push(interim_change(key, source_id, id, (field, edit.old.as_ref(), free.clone())));
            edit.old = Some(free);
            is_open = true;
        }
        if !is_open {
            node.takes.clear();
        }
    }

    /// Reserves and returns an unused value for a field.
    fn interim_value(&mut self, kind: &'static Kind, field: &'static str, held: &Body) -> Option<Value> {
        let candidates: Box<dyn Iterator<Item = Value>> = match held.get(field)? {
            Value::String(text) => {
                let short: String = text.chars().take(LONGEST).collect();
                Box::new((2..1000).map(move |nth| Value::String(format!("{short}-{nth}"))))
            }
            // Priorities of network ACLs go from 1 to 100 (OpenAPI description); the order of rules is free.
            Value::Number(_) => Box::new((1..=100).rev().map(Value::from)),
            _ => return None,
        };
        for value in candidates {
            let mut body = held.clone();
            body.set(field, value.clone());
            let claim = claims(kind, &body).into_iter().find(|(_, about, _)| *about == field)?;
            if self.used.insert(claim) {
                return Some(value);
            }
        }
        None
    }
}

fn interim_change(key: &Key, source_id: &Id, id: &Id, (field, old, free): (&str, Option<&Value>, Value)) -> Change {
    let body = Body::from_iter([(field.to_owned(), free.clone())]);
    let edits = vec![Edit { path: field.to_owned(), old: old.cloned(), new: Some(free) }];
    let action = Action::Update { id: Some(id.clone()), body, edits };
    Change { key: key.clone(), source_id: source_id.clone(), action, needs: Vec::new(), secrets: Vec::new() }
}

/// Returns the unique fields of a kind, each with the fields that can get an interim value.
fn unique(kind: &'static Kind) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let is_free = |path: &&&str| kind.fields.writable().get(path).is_some_and(|field| field.written == Writability::Always);
    let own = kind.identity.key.iter().rfind(is_free).filter(|_| is_once(kind)).map(|field| (*field, kind.identity.key));
    own.into_iter().chain(kind.identity.unique.iter().map(|field| (*field, std::slice::from_ref(field))))
}

fn is_claimed(kind: &'static Kind, path: &str) -> bool {
    unique(kind).any(|(_, fields)| fields.contains(&path))
}

fn claims(kind: &'static Kind, body: &Body) -> BTreeSet<UniqueValue> {
    let of = |(field, fields): (&'static str, &'static [&'static str])| {
        let value = if fields == kind.identity.key { id_substitution::portable_name(kind, body) } else { body.get(field)?.to_string() };
        Some((kind.name, field, value))
    };
    unique(kind).filter_map(of).collect()
}

/// Returns every value of these fields that exists now or after the plan.
fn used(live: &[Cow<'_, Resource>], wanted: &HashSet<UniqueValue>) -> HashSet<UniqueValue> {
    let kinds: HashSet<&str> = wanted.iter().map(|(kind, ..)| *kind).collect();
    let held = live.iter().filter(|held| kinds.contains(held.key.kind().name));
    let claims = held.flat_map(|held| claims(held.key.kind(), &held.body.open()));
    claims.chain(wanted.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::builder::plan_after;
    use super::super::inputs::PlanContext;
    use super::super::merge::OnDrift;
    use super::super::model::{Action, Plan};
    use super::super::reason::DesiredState;
    use crate::catalog::Catalog;
    use crate::json::Body;
    use crate::model::resource::{Id, Resource, key};
    use crate::snapshot::{Desired, Snapshot, Status, id_substitution};
    use crate::state::baseline::Baseline;
    use crate::state::fingerprints::SentSecrets;
    use crate::state::links::Links;

    /// A kind, its unique field, whether an interim value can be generated, and the rest of a body.
    type Unique = (&'static str, &'static str, bool, fn(usize) -> Value);

    const UNIQUE: [Unique; 4] = [
        ("roles", "name", true, |_| json!({})),
        ("organizations", "name", true, |_| json!({})),
        ("network-acls", "priority", true, |_| json!({"description": "x", "active": true, "rule": {"scope": "tenant"}})),
        ("rules", "order", false, |at| json!({"name": format!("rule {at}"), "script": "x"})),
    ];

    fn value(kind: &str, which: usize) -> Value {
        if matches!(kind, "network-acls" | "rules") { json!(which + 1) } else { json!(format!("n{which}")) }
    }

    fn tenant(unique: Unique, side: &str, held: &[(usize, usize)]) -> Snapshot {
        let (name, field, _, rest) = unique;
        let kind = Catalog::standard().kind(name).expect("a kind");
        let read = |(at, which): &(usize, usize)| {
            let mut answer = rest(*at);
            answer["id"] = json!(format!("{side}{at}"));
            answer[field] = value(name, *which);
            Resource::read(kind, Body::from_value(answer).expect("an object")).expect("readable")
        };
        let mut resources: Vec<Resource> = held.iter().map(read).collect();
        let twice = id_substitution::to_portable(Catalog::standard(), side, &mut resources);
        let kinds = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
        Snapshot {
            tenant: side.to_owned(),
            domain: format!("{side}.auth0.com"),
            taken: String::new(),
            kinds,
            resources,
            twice,
            selection: None,
        }
    }

    fn planned(unique: Unique, source: &[(usize, usize)], target: &[(usize, usize)]) -> Plan {
        let mut links = Links::default();
        for (at, _) in target {
            links.link(&Id::new(format!("s{at}")), &Id::new(format!("t{at}")), &key(unique.0));
        }
        let (base, sent) = (Baseline::default(), SentSecrets::default());
        let past = PlanContext {
            links: &links,
            base: &base,
            sent: &sent,
            on_drift: OnDrift::Keep,
            prune: true,
            desired_state: DesiredState::Source,
        };
        plan_after(Catalog::standard(), &Desired::unmapped(tenant(unique, "s", source)), &tenant(unique, "t", target), past)
    }

    /// Applies a plan and refuses, as a tenant would, a value that another resource has or that another change of the
    /// same stage takes.
    fn carried_out(field: &str, plan: &Plan, target: &Snapshot) -> Result<BTreeMap<String, Value>, String> {
        let mut held: BTreeMap<String, Value> =
            target.resources.iter().map(|one| (one.id.to_string(), one.body.open().get(field).cloned().unwrap_or_default())).collect();
        for stage in &plan.stages {
            let before = held.clone();
            for change in &stage.changes {
                let (id, new) = match &change.action {
                    Action::Create { body, .. } => (format!("new {}", change.source_id), body.get(field).cloned()),
                    Action::Update { id: Some(id), body, edits } => {
                        let edit = edits.iter().find(|edit| edit.path == field);
                        assert_eq!(edit.and_then(|edit| edit.new.as_ref()), body.get(field), "what is shown is what is sent");
                        assert!(edit.is_none_or(|edit| edit.old.as_ref() == before.get(id.as_str())), "what is shown is what is there");
                        (id.to_string(), body.get(field).cloned())
                    }
                    Action::Delete { id, .. } => {
                        held.remove(id.as_str());
                        continue;
                    }
                    other => return Err(format!("{other:?}")),
                };
                let Some(new) = new else { continue };
                let is_held = before.iter().chain(&held).any(|(other, value)| *other != id && *value == new);
                if is_held {
                    return Err(format!("{id} takes {new}, which another holds: {plan:?}"));
                }
                held.insert(id, new);
            }
        }
        Ok(held)
    }

    fn values(held: impl Iterator<Item = Value>) -> Vec<String> {
        let mut values: Vec<String> = held.map(|value| value.to_string()).collect();
        values.sort();
        values
    }

    proptest! {
        #[test]
        fn no_two_resources_have_the_same_value_at_any_time_while_values_are_swapped(
            kind in 0..UNIQUE.len(),
            before in Just((0..7).collect::<Vec<usize>>()).prop_shuffle(),
            after in Just((0..7).collect::<Vec<usize>>()).prop_shuffle(),
            stays in proptest::collection::vec(any::<bool>(), 5),
            made in 0..3_usize,
        ) {
            let unique = UNIQUE[kind];
            let target: Vec<(usize, usize)> = before.iter().copied().enumerate().take(5).collect();
            let kept = |(at, _): &(usize, usize)| *at == 0 || (*at < 5 && stays[*at]) || (unique.2 && *at >= 5 && *at < 5 + made);
            let source: Vec<(usize, usize)> = after.iter().copied().enumerate().filter(kept).collect();
            let plan = planned(unique, &source, &target);
            prop_assert_eq!(&plan.skipped, &Vec::new());
            let held = carried_out(unique.1, &plan, &tenant(unique, "t", &target)).map_err(TestCaseError::fail)?;
            prop_assert_eq!(values(held.into_values()), values(source.iter().map(|(_, which)| value(unique.0, *which))));
        }
    }

    #[test]
    fn only_one_member_of_a_cycle_gets_an_interim_value() {
        let plan = planned(UNIQUE[0], &[(0, 1), (1, 2), (2, 0), (3, 3)], &[(0, 0), (1, 1), (2, 2), (3, 3)]);
        assert_eq!(plan.counts().updates, 4);
        let plan = planned(UNIQUE[0], &[(0, 1), (1, 2), (2, 3)], &[(0, 0), (1, 1), (2, 2)]);
        assert_eq!((plan.counts().updates, plan.stages.len()), (3, 3), "a chain needs none");
    }

    #[test]
    fn an_interim_value_is_valid_for_its_kind() {
        let long = "o".repeat(50);
        let kind = Catalog::standard().kind("organizations").expect("a kind");
        let mut opening = super::CycleBreaker {
            live: std::collections::HashMap::new(),
            wanted: std::collections::HashSet::new(),
            used: std::collections::HashSet::new(),
            aside: Vec::new(),
        };
        let free = opening.interim_value(kind, "name", &Body::from_iter([("name".to_owned(), json!(long))])).expect("a name");
        assert_eq!(free, json!(format!("{}-2", &long[..super::LONGEST])));
    }
}
