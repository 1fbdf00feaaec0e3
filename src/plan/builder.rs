//! Builds a plan from the desired state, the live target, links and baseline: first all decisions, then the plan from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::change::{ResourceDecisions, decide};
use super::chosen::lacking_kinds;
use super::decision::{Decision, Note};
use super::eligibility::{candidates, resolved, unread};
use super::inputs::{Inputs, PlanContext};
use super::merge::OnDrift;
use super::model::{Action, Change, Plan, PlannedTenant, Stage};
use super::ordering::{Prerequisite, formerly_referenced_by, into_stages, referenced_by};
use super::prune::{lost_user_data, resources_to_delete, unmanaged};
use super::reason::DesiredState;
use super::references::{Candidate, OpenCandidate, keep_elements_of_the_target, keep_held};
use super::resets::with_resets_reapplied;
use super::unique_values::ordered;
use crate::catalog::{Catalog, Kind};
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, id_substitution};
use crate::state::baseline::Baseline;
use crate::state::fingerprints::SentSecrets;
use crate::state::links::Links;

/// Plans with links only, as on a first run.
pub fn plan(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> Plan {
    let (base, sent) = (&Baseline::default(), &SentSecrets::default());
    plan_after(
        catalog,
        desired,
        live,
        PlanContext { links, base, sent, on_drift: OnDrift::Keep, prune: false, desired_state: DesiredState::Source },
    )
}

/// Plans the changes that turn the live target into the desired state, using the state of earlier runs.
pub fn plan_after(catalog: &Catalog, desired: &Desired, live: &Snapshot, past: PlanContext<'_>) -> Plan {
    let inputs = Inputs::new(catalog, desired, live, past);
    let (removed, stays) = resources_to_delete(&inputs);
    let (candidates, ineligible) = candidates(&inputs, &removed);
    let (candidates, unresolved) = resolved(&inputs, candidates);
    let (changes, after, decided) = changes(&inputs, candidates);
    let (changes, repeated) = with_resets_reapplied(&inputs, changes);
    let (deletes, unmanaged) = unmanaged(&inputs, &removed);
    let stages: Vec<Stage> = stages(&inputs, changes, after, &removed).into_iter().chain(deletes).collect();
    let lost = lost_user_data(&stages);
    let lacking = lacking_kinds(&inputs.chosen, desired, &inputs.partners);
    let decisions = [twice(&inputs), lacking, unread(&inputs), stays, ineligible, unresolved, decided, repeated, unmanaged, lost];
    let mut plan =
        decisions.into_iter().flatten().fold(with_stages(&inputs, stages), |plan, decision| decision.add_to(plan, past.desired_state));
    plan.restrict_to(&inputs.chosen, live);
    plan.record_before(inputs.partners.live.iter().map(|held| &**held));
    plan
}

/// Returns the changes that candidates need, their follow-up changes, and all other decisions about them.
fn changes(inputs: &Inputs<'_>, candidates: Vec<Candidate<'_>>) -> (Vec<Change>, Vec<(Prerequisite, Change)>, Vec<Decision>) {
    let source_has: HashSet<&Key> = inputs.desired.snapshot.resources.iter().map(|resource| &resource.key).collect();
    let (mut changes, mut after, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
    for candidate in candidates {
        let mut open = candidate.open();
        if !candidate.is_equal() {
            decisions.extend(keep_target_values(inputs, &mut open, &source_has));
        }
        let decided: ResourceDecisions = decide(inputs, open);
        changes.extend(decided.change);
        after.extend(decided.after);
        decisions.extend(decided.others);
    }
    (changes, after, decisions)
}

/// Keeps target values that the mapping keeps, and list elements that refer to resources that only the target has.
fn keep_target_values(inputs: &Inputs<'_>, candidate: &mut OpenCandidate<'_>, source_has: &HashSet<&Key>) -> Vec<Decision> {
    let key = candidate.wanted.key.clone();
    let paths: Vec<String> = inputs.desired.kept.iter().filter(|(kept, _)| *kept == key).map(|(_, path)| path.clone()).collect();
    if candidate.held.is_some() {
        for path in &paths {
            keep_held(candidate, path);
        }
    }
    if inputs.past.desired_state != DesiredState::BeforeRun {
        keep_elements_of_the_target(key.kind(), candidate, source_has);
    }
    let is_kept = candidate.held.is_some() || paths.is_empty();
    if is_kept { Vec::new() } else { vec![Decision::Note(Note::NotKept { key, paths })] }
}

/// Orders the changes into stages.
///
/// A resource's position is that of its kind, then its number among resources of the same name, or its rank among those
/// that wait for a unique value. Resources of one name are created one after the other, so that the target lists them
/// in the order of the source.
fn stages(inputs: &Inputs<'_>, mut changes: Vec<Change>, mut after: Vec<(Prerequisite, Change)>, removed: &[usize]) -> Vec<Stage> {
    let order = ordered(&mut changes, &inputs.partners.live, removed);
    after.extend(order.aside.into_iter().map(|change| (Prerequisite::NothingAtAll, change)));
    let rank = |key: &Key| order.ranks.get(key).copied().unwrap_or(1);
    let position = |key: &Key| (inputs.catalog.position(key.kind()), inputs.numbered.number(key).max(rank(key)));
    into_stages(inputs.catalog, changes, after, &position)
}

/// Adds a note for each name that is not unique in a tenant.
fn twice(inputs: &Inputs<'_>) -> Vec<Decision> {
    let notes = |snapshot: &Snapshot| {
        let note = |key: &Key| Decision::Note(Note::Twice { tenant: snapshot.tenant.clone(), key: key.clone() });
        snapshot.twice.iter().filter(|key| inputs.has(key)).map(note).collect::<Vec<_>>()
    };
    [notes(&inputs.desired.snapshot), notes(inputs.live)].into_iter().flatten().collect()
}

/// Returns a plan with these stages and the ids that a run and the next plan need.
fn with_stages(inputs: &Inputs<'_>, stages: Vec<Stage>) -> Plan {
    let (source, target) = (&inputs.desired.snapshot, inputs.live);
    let side = |snapshot: &Snapshot| PlannedTenant::new(&snapshot.tenant, &snapshot.domain, &snapshot.taken);
    let changes: Vec<&Change> = stages.iter().flat_map(|stage| &stage.changes).collect();
    let (known, called) = known_resources(inputs, &changes);
    let (equal, lacking) = unchanged_ids(inputs, &changes);
    Plan { known, called, equal, lacking, unknown: source.unknown_fields(), stages, ..Plan::between(side(source), side(target)) }
}

/// Returns the target's ids of all resources that changes refer to, and their target names where these differ. With
/// them, the plan alone suffices to apply it and to compare it with the target.
fn known_resources(inputs: &Inputs<'_>, changes: &[&Change]) -> (BTreeMap<Key, Id>, BTreeMap<Key, String>) {
    let live = &inputs.partners.live;
    let held: HashMap<&Key, &Resource> = live.iter().map(|resource| (&resource.key, &**resource)).collect();
    let mut mentioned = BTreeSet::new();
    let mut renamed = BTreeSet::new();
    for change in changes {
        let (keys, parent) = referenced_by(change);
        mentioned.extend(keys.into_iter().chain(parent.cloned()).chain(formerly_referenced_by(change)));
        if let Action::Update { edits, .. } = &change.action
            && edits.iter().any(|edit| change.key.kind().identity.key.contains(&edit.path.as_str()))
        {
            renamed.insert(change.key.clone());
        }
    }
    // Where duplicate names are allowed, a resource may have different numbers in the plan and in the target.
    let renumbered = live.iter().zip(&inputs.live.resources).filter(|(held, own)| held.key != own.key);
    let mut known: BTreeMap<Key, Id> = renumbered.map(|(held, own)| (held.key.clone(), own.id.clone())).collect();
    let mut called = BTreeMap::new();
    let is_named: HashSet<&str> = inputs.catalog.kinds().flat_map(Kind::kinds_referenced_by_key).collect();
    for key in mentioned {
        let Some(held) = held.get(&key) else { continue };
        known.insert(key.clone(), held.id.clone());
        let name = id_substitution::portable_name_of(key.kind(), held);
        if is_named.contains(key.kind().name) && !renamed.contains(&key) && name != key.name() {
            called.insert(key, name);
        }
    }
    (known, called)
}

/// The ids of resources in the source and in the target.
type IdPairs = BTreeMap<Key, (Id, Id)>;

/// Returns the pairs that need no change, so that a run links them too, and the ids of resources that only the source
/// has, so that texts containing them are recognised after those resources are deleted.
fn unchanged_ids(inputs: &Inputs<'_>, changes: &[&Change]) -> (IdPairs, BTreeMap<Key, Id>) {
    let written: HashSet<&Key> = changes.iter().map(|change| &change.key).collect();
    let links = inputs.past.links;
    let (mut equal, mut lacking) = (BTreeMap::new(), BTreeMap::new());
    for (wanted, held) in inputs.pairs().filter(|(wanted, _)| inputs.has(&wanted.key)) {
        let kind = wanted.key.kind();
        let has_own_id = kind.has_own_ids();
        let Some(held) = held else {
            if has_own_id {
                lacking.insert(wanted.key.clone(), wanted.id.clone());
            }
            continue;
        };
        let is_linked = links.of_source(kind.name, &wanted.id).is_some() || links.of_target(kind.name, &held.id).is_some();
        let is_left_alone = wanted.excluded.is_some() || held.excluded.is_some();
        if !is_linked && !is_left_alone && has_own_id && !written.contains(&wanted.key) {
            equal.insert(wanted.key.clone(), (wanted.id.clone(), held.id.clone()));
        }
    }
    let is_planned = |kind: &&Kind| kind.has_own_ids() && inputs.chosen.may_have(kind);
    let skipped = inputs.desired.skipped.iter().filter_map(|(kind, id)| Some((Kind::named(kind).filter(is_planned)?, id)));
    lacking.extend(skipped.map(|(kind, id)| (Key::new(kind, id.as_str()), id.clone())));
    (equal, lacking)
}
