//! Desired, live and links -> plan.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::claims::in_order;
use super::matching::Numbered;
use super::merge::OnDrift;
use super::ordering::{After, mentioned_before, mentioned_by, staged};
use super::pairs::Partners;
use super::references::{Examined, keep_elements_of_the_target, keep_held};
use super::untouched::Protected;
use super::{Action, Change, Plan, PlannedTenant, SecretField, Skipped};
use crate::catalog::{Catalog, Kind};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::Sent;
use crate::state::links::Links;

/// What earlier runs left, and what is to be done about it.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'past> {
    /// Which resource is which.
    pub links: &'past Links,
    /// What was last applied.
    pub base: &'past Baseline,
    /// Which secrets were sent.
    pub sent: &'past Sent,
    /// What to do about fields that the target changed by itself.
    pub on_drift: OnDrift,
    /// Whether what is gone from the source is removed.
    pub prune: bool,
    /// Whether elements of lists stay that name what only the target has.
    pub keeps_own: bool,
}

/// Decides what it takes to make the target hold what is desired, where nothing but the links is known of earlier runs.
pub fn plan(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> Plan {
    let (base, sent) = (&Baseline::default(), &Sent::default());
    plan_after(catalog, desired, live, PlanContext { links, base, sent, on_drift: OnDrift::Keep, prune: false, keeps_own: true })
}

/// Decides what it takes to make the target hold what is desired, after what earlier runs left.
pub fn plan_after(catalog: &Catalog, desired: &Desired, live: &Snapshot, past: PlanContext<'_>) -> Plan {
    let partners = Partners::of(catalog, &desired.snapshot, live, past.links);
    let plan = empty(&desired.snapshot, live);
    let numbered = Numbered::of(&desired.snapshot);
    let held: Vec<&Resource> = partners.live.iter().map(|held| &**held).collect();
    let untouched = Protected::of(catalog, &held, &desired.snapshot.resources.iter().collect::<Vec<_>>());
    let (namesakes, after) = (namesakes(catalog, live), Vec::new());
    let mut making = PlanBuilder { catalog, desired, live, past, plan, numbered, namesakes, after, untouched };
    making.leave_out_unread();
    let removed = making.removed(&partners);
    let mut candidates = making.candidates(&partners, &removed);
    making.leave_out_unresolved(&mut candidates, &partners);
    let source_has: HashSet<Key> = desired.snapshot.resources.iter().map(|resource| resource.key.clone()).collect();
    let mut changes = Vec::new();
    for candidate in candidates {
        let mut examined = candidate.examine();
        if !candidate.is_equal() {
            making.let_stand(&mut examined, &source_has);
        }
        changes.extend(making.change(examined));
    }
    making.repeat_what_is_reset(&mut changes, &partners);
    let order = in_order(catalog, &mut changes, &partners.live, &removed);
    let mut after = std::mem::take(&mut making.after);
    after.extend(order.aside.into_iter().map(|change| (After::Aside, change)));
    making.plan.stages = staged(catalog, changes, after, &|key| making.turn(key, &order.ranks));
    making.list_unmanaged(&partners, &removed);
    making.name_known(&partners);
    making.name_equal(&partners);
    making.note_what_users_lose();
    making.plan.record_before(catalog, partners.live.iter().map(|held| &**held));
    making.plan
}

/// Returns what a tenant has of each name, by kind, where names may stand twice.
fn namesakes<'live>(catalog: &Catalog, live: &'live Snapshot) -> HashMap<(&'live str, &'live str), Vec<&'live Id>> {
    let numbered = Numbered::of(live);
    let mut namesakes: HashMap<(&str, &str), Vec<&Id>> = HashMap::new();
    let is_shared = |kind: &str| catalog.kind(kind).is_some_and(|kind| kind.identity.allows_duplicates);
    for resource in live.resources.iter().filter(|resource| is_shared(resource.key.kind())) {
        namesakes.entry((resource.key.kind(), numbered.plain(&resource.key))).or_default().push(&resource.id);
    }
    namesakes
}

fn empty(source: &Snapshot, target: &Snapshot) -> Plan {
    let side = |snapshot: &Snapshot| PlannedTenant {
        tenant: snapshot.tenant.clone(),
        domain: snapshot.domain.clone(),
        taken: snapshot.taken.clone(),
    };
    let twice = |snapshot: &Snapshot| {
        let note = |key: &Key| format!("{} has a name that stands twice; it is called {key} here", snapshot.tenant);
        snapshot.twice.iter().map(note).collect::<Vec<_>>()
    };
    let notes = [twice(source), twice(target)].concat();
    Plan { unknown: source.unknown_fields(), notes, ..Plan::between(side(source), side(target)) }
}

/// A plan that is being made, and what it is made of.
pub(super) struct PlanBuilder<'inputs> {
    pub(super) catalog: &'inputs Catalog,
    pub(super) desired: &'inputs Desired,
    pub(super) live: &'inputs Snapshot,
    pub(super) past: PlanContext<'inputs>,
    pub(super) plan: Plan,
    /// Which resources of the source were told apart by a number.
    numbered: Numbered<'inputs>,
    /// What the target has of each name, by kind, where names may stand twice.
    pub(super) namesakes: HashMap<(&'inputs str, &'inputs str), Vec<&'inputs Id>>,
    /// Changes made after the first one of the same resource.
    pub(super) after: Vec<(After, Change)>,
    /// What is left as the target has it.
    pub(super) untouched: Protected<'inputs>,
}

impl PlanBuilder<'_> {
    pub(super) fn kind_of(&self, key: &Key) -> &'static Kind {
        self.catalog.kind(key.kind()).expect("a key names a kind of the catalog")
    }

    pub(super) fn skip_resource(&mut self, key: &Key, reason: impl Into<String>) {
        self.plan.skipped.push(Skipped { key: key.clone(), path: None, reason: reason.into() });
    }

    pub(super) fn leave_alone(&mut self, key: &Key, reason: &str) {
        self.plan.excluded.push(Skipped { key: key.clone(), path: None, reason: reason.to_owned() });
    }

    /// Names what stays as it is for the sake of what no plan touches; an undo owes it.
    pub(super) fn leave_untouched(&mut self, left: impl IntoIterator<Item = Skipped>) {
        if self.past.keeps_own { self.plan.excluded.extend(left) } else { self.plan.skipped.extend(left) }
    }

    /// Lets stand in the target what the mapping keeps, and what refers to something that only the target has.
    fn let_stand(&mut self, candidate: &mut Examined<'_>, source_has: &HashSet<Key>) {
        let key = candidate.wanted.key.clone();
        for (_, path) in self.desired.kept.iter().filter(|(kept, _)| *kept == key) {
            if candidate.held.is_some() {
                keep_held(candidate, path);
            } else {
                let used = format!("so the source's {path} is used, though the mapping keeps the target's own");
                self.plan.notes.push(format!("{key} is new in the target, {used}"));
            }
        }
        if self.past.keeps_own {
            keep_elements_of_the_target(self.kind_of(&key), candidate, source_has);
        }
    }

    pub(super) fn supplied(&self, key: &Key) -> Vec<SecretField> {
        let of_this = self.desired.supplied.iter().filter(|supplied| supplied.key == *key);
        of_this.map(|supplied| SecretField { path: supplied.path.clone(), from: supplied.from.clone(), is_changed: false }).collect()
    }

    /// Returns when a resource's turn is: the place of its kind, then its number among those of one name, or its rank among those that
    /// wait for a name.
    ///
    /// Resources of one name are created one after the other, so that the target lists them in the source's order.
    fn turn(&self, key: &Key, ranks: &HashMap<Key, usize>) -> (usize, usize) {
        (self.catalog.position(key.kind()), self.numbered.number(key).max(ranks.get(key).copied().unwrap_or(1)))
    }

    /// Notes the ids of what changes refer to, and its names where they are others, so that the plan alone is enough to carry it out and to
    /// be compared with the target.
    fn name_known(&mut self, partners: &Partners<'_>) {
        let held: HashMap<&Key, &Resource> = partners.live.iter().map(|resource| (&resource.key, &**resource)).collect();
        let mut mentioned = BTreeSet::new();
        let mut renamed = BTreeSet::new();
        for change in self.plan.changes() {
            let (keys, parent) = mentioned_by(change);
            mentioned.extend(keys.into_iter().chain(parent.cloned()).chain(mentioned_before(change)));
            if let Action::Update { edits, .. } = &change.action
                && edits.iter().any(|edit| self.kind_of(&change.key).identity.key.contains(&edit.path.as_str()))
            {
                renamed.insert(change.key.clone());
            }
        }
        // Where names may stand twice, the plan's number of one is not the target's.
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

    /// Notes which resources are one though nothing is to change in them, so that a run of the plan links them as any other; and what the
    /// source has besides, so that its ids are known once it is gone.
    fn name_equal(&mut self, partners: &Partners<'_>) {
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
