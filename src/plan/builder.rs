//! Builds a plan from the desired state, the live target, links and baseline.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::matching::NumberedKeys;
use super::merge::OnDrift;
use super::model::{Action, Change, Plan, PlannedTenant, SecretField, Skipped};
use super::ordering::{Prerequisite, formerly_referenced_by, into_stages, referenced_by};
use super::pairing::Pairing;
use super::protected::Protected;
use super::reason::DesiredState;
use super::references::{OpenCandidate, keep_elements_of_the_target, keep_held};
use super::unique_values::ordered;
use crate::catalog::{Catalog, Kind};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// What earlier runs left, and how to treat it.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'past> {
    /// Which resource of the target corresponds to which of the source.
    pub links: &'past Links,
    /// What was last applied.
    pub base: &'past Baseline,
    /// Which secrets were sent before.
    pub sent: &'past SentSecrets,
    /// How to treat fields that changed in the target.
    pub on_drift: OnDrift,
    /// Whether resources deleted from the source are deleted from the target.
    pub prune: bool,
    /// What the target should hold.
    pub desired_state: DesiredState,
}

/// Plans with links only, as in a first run.
pub fn plan(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> Plan {
    let (base, sent) = (&Baseline::default(), &SentSecrets::default());
    plan_after(
        catalog,
        desired,
        live,
        PlanContext { links, base, sent, on_drift: OnDrift::Keep, prune: false, desired_state: DesiredState::Source },
    )
}

/// Plans what makes the target hold what is desired, given what earlier runs left.
pub fn plan_after(catalog: &Catalog, desired: &Desired, live: &Snapshot, past: PlanContext<'_>) -> Plan {
    let partners = Pairing::new(catalog, &desired.snapshot, live, past.links);
    let plan = empty(&desired.snapshot, live);
    let numbered = NumberedKeys::new(&desired.snapshot);
    let held: Vec<&Resource> = partners.live.iter().map(|held| &**held).collect();
    let untouched = Protected::new(catalog, &held, &desired.snapshot.resources.iter().collect::<Vec<_>>());
    let (namesakes, after) = (namesakes(catalog, live), Vec::new());
    let mut builder = PlanBuilder { catalog, desired, live, past, plan, numbered, namesakes, after, untouched };
    builder.skip_unread();
    let removed = builder.resources_to_delete(&partners);
    let mut candidates = builder.candidates(&partners, &removed);
    builder.skip_unresolved(&mut candidates, &partners);
    let source_has: HashSet<Key> = desired.snapshot.resources.iter().map(|resource| resource.key.clone()).collect();
    let mut changes = Vec::new();
    for candidate in candidates {
        let mut examined = candidate.open();
        if !candidate.is_equal() {
            builder.keep_target_values(&mut examined, &source_has);
        }
        changes.extend(builder.change(examined));
    }
    builder.reapply_resets(&mut changes, &partners);
    let order = ordered(catalog, &mut changes, &partners.live, &removed);
    let mut after = std::mem::take(&mut builder.after);
    after.extend(order.aside.into_iter().map(|change| (Prerequisite::NothingAtAll, change)));
    builder.plan.stages = into_stages(catalog, changes, after, &|key| builder.position(key, &order.ranks));
    builder.list_unmanaged(&partners, &removed);
    builder.record_known_ids(&partners);
    builder.record_equal(&partners);
    builder.note_lost_user_data();
    builder.plan.record_before(catalog, partners.live.iter().map(|held| &**held));
    builder.plan
}

/// Returns the ids in a tenant by kind and name, for kinds that allow duplicate names.
fn namesakes<'live>(catalog: &Catalog, live: &'live Snapshot) -> HashMap<(&'live str, &'live str), Vec<&'live Id>> {
    let numbered = NumberedKeys::new(live);
    let mut namesakes: HashMap<(&str, &str), Vec<&Id>> = HashMap::new();
    let is_shared = |kind: &str| catalog.kind(kind).is_some_and(|kind| kind.identity.allows_duplicates);
    for resource in live.resources.iter().filter(|resource| is_shared(resource.key.kind())) {
        namesakes.entry((resource.key.kind(), numbered.plain(&resource.key))).or_default().push(&resource.id);
    }
    namesakes
}

fn empty(source: &Snapshot, target: &Snapshot) -> Plan {
    let side = |snapshot: &Snapshot| PlannedTenant::new(&snapshot.tenant, &snapshot.domain, &snapshot.taken);
    let twice = |snapshot: &Snapshot| {
        let note = |key: &Key| format!("{} has a name that stands twice; it is called {key} here", snapshot.tenant);
        snapshot.twice.iter().map(note).collect::<Vec<_>>()
    };
    let notes = [twice(source), twice(target)].concat();
    Plan { unknown: source.unknown_fields(), notes, ..Plan::between(side(source), side(target)) }
}

/// A plan under construction, and its inputs.
pub(super) struct PlanBuilder<'inputs> {
    pub(super) catalog: &'inputs Catalog,
    pub(super) desired: &'inputs Desired,
    pub(super) live: &'inputs Snapshot,
    pub(super) past: PlanContext<'inputs>,
    pub(super) plan: Plan,
    /// Resources of the source whose keys were numbered to tell duplicates apart.
    numbered: NumberedKeys<'inputs>,
    /// The ids in the target by kind and name, for kinds that allow duplicate names.
    pub(super) namesakes: HashMap<(&'inputs str, &'inputs str), Vec<&'inputs Id>>,
    /// Further changes of resources that are changed already.
    pub(super) after: Vec<(Prerequisite, Change)>,
    /// What no plan touches.
    pub(super) untouched: Protected<'inputs>,
}

impl PlanBuilder<'_> {
    pub(super) fn kind_of(&self, key: &Key) -> &'static Kind {
        self.catalog.kind(key.kind()).expect("a key names a kind of the catalog")
    }

    pub(super) fn skip_resource(&mut self, key: &Key, reason: impl Into<String>) {
        self.plan.skipped.push(Skipped { key: key.clone(), path: None, reason: reason.into() });
    }

    pub(super) fn exclude(&mut self, key: &Key, reason: &str) {
        self.plan.excluded.push(Skipped { key: key.clone(), path: None, reason: reason.to_owned() });
    }

    /// Lists what stays for the sake of protected resources; in an undo that is a shortfall.
    pub(super) fn exclude_for_protected(&mut self, left: impl IntoIterator<Item = Skipped>) {
        match self.past.desired_state {
            DesiredState::Source => self.plan.excluded.extend(left),
            DesiredState::BeforeRun => self.plan.skipped.extend(left),
        }
    }

    /// Keeps target values that the mapping keeps, and list elements that refer to resources only the target has.
    fn keep_target_values(&mut self, candidate: &mut OpenCandidate<'_>, source_has: &HashSet<Key>) {
        let key = candidate.wanted.key.clone();
        for (_, path) in self.desired.kept.iter().filter(|(kept, _)| *kept == key) {
            if candidate.held.is_some() {
                keep_held(candidate, path);
            } else {
                let used = format!("so the source's {path} is used, though the mapping keeps the target's own");
                self.plan.notes.push(format!("{key} is new in the target, {used}"));
            }
        }
        if self.past.desired_state == DesiredState::Source {
            keep_elements_of_the_target(self.kind_of(&key), candidate, source_has);
        }
    }

    pub(super) fn supplied(&self, key: &Key) -> Vec<SecretField> {
        let of_this = self.desired.supplied.iter().filter(|supplied| supplied.key == *key);
        of_this.map(|supplied| SecretField { path: supplied.path.clone(), from: supplied.from.clone(), is_changed: false }).collect()
    }

    /// Returns a resource's position: the place of its kind, then its number among those of one name, or its rank among those that
    /// wait for a unique value.
    ///
    /// Resources of one name are created one after the other, so that the target lists them in the order of the source.
    fn position(&self, key: &Key, ranks: &HashMap<Key, usize>) -> (usize, usize) {
        (self.catalog.position(key.kind()), self.numbered.number(key).max(ranks.get(key).copied().unwrap_or(1)))
    }

    /// Records the target's ids of everything that changes refer to, and its names where they differ, so that the plan suffices to
    /// apply it and to compare it with the target.
    fn record_known_ids(&mut self, partners: &Pairing<'_>) {
        let held: HashMap<&Key, &Resource> = partners.live.iter().map(|resource| (&resource.key, &**resource)).collect();
        let mut mentioned = BTreeSet::new();
        let mut renamed = BTreeSet::new();
        for change in self.plan.changes() {
            let (keys, parent) = referenced_by(change);
            mentioned.extend(keys.into_iter().chain(parent.cloned()).chain(formerly_referenced_by(change)));
            if let Action::Update { edits, .. } = &change.action
                && edits.iter().any(|edit| self.kind_of(&change.key).identity.key.contains(&edit.path.as_str()))
            {
                renamed.insert(change.key.clone());
            }
        }
        // Where duplicate names are allowed, a resource may have different numbers in the plan and in the target.
        for (held, own) in partners.live.iter().zip(&self.live.resources).filter(|(held, own)| held.key != own.key) {
            self.plan.known.insert(held.key.clone(), own.id.clone());
        }
        let is_named: HashSet<&str> = self.catalog.kinds().flat_map(Kind::kinds_referenced_by_key).collect();
        for key in mentioned {
            let Some(held) = held.get(&key) else { continue };
            self.plan.known.insert(key.clone(), held.id.clone());
            let name = id_substitution::portable_name_of(self.kind_of(&key), held);
            if is_named.contains(key.kind()) && !renamed.contains(&key) && name != key.name() {
                self.plan.called.insert(key, name);
            }
        }
    }

    /// Records pairs that need no change, so that a run links them too, and the ids of resources that only the source has, so that
    /// texts which hold them are recognised after they are deleted.
    fn record_equal(&mut self, partners: &Pairing<'_>) {
        let changed: HashSet<&Key> = self.plan.changes().map(|change| &change.key).collect();
        let links = self.past.links;
        let (mut equal, mut lacking) = (BTreeMap::new(), BTreeMap::new());
        for (wanted, at) in self.desired.snapshot.resources.iter().zip(&partners.of_desired) {
            let kind = wanted.key.kind();
            let has_own_id = self.kind_of(&wanted.key).has_own_ids();
            let Some(held) = at.map(|at| &partners.live[at]) else {
                if has_own_id {
                    lacking.insert(wanted.key.clone(), wanted.id.clone());
                }
                continue;
            };
            let is_linked = links.of_source(kind, &wanted.id).is_some() || links.of_target(kind, &held.id).is_some();
            let is_left_alone = wanted.excluded.is_some() || held.excluded.is_some();
            if !is_linked && !is_left_alone && has_own_id && !changed.contains(&wanted.key) {
                equal.insert(wanted.key.clone(), (wanted.id.clone(), held.id.clone()));
            }
        }
        let skipped = self.desired.skipped.iter().filter(|(kind, _)| self.catalog.kind(kind).is_some_and(Kind::has_own_ids));
        lacking.extend(skipped.map(|(kind, id)| (Key::new(kind, id.as_str()), id.clone())));
        (self.plan.equal, self.plan.lacking) = (equal, lacking);
    }
}
