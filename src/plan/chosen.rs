//! The selection of a plan: the selected resources and the dependencies planned with them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::decision::{Decision, Note};
use super::model::{Plan, PlannedSelection};
use super::pairing::Pairing;
use crate::catalog::Kind;
use crate::model::resource::{Key, Resource};
use crate::model::selection::{Chosen, KeyPattern, Selection};
use crate::snapshot::{Desired, Snapshot, belongs_to, id_substitution};

impl PlannedSelection {
    /// Converts a selection into the form that a plan records, for a source and this target.
    fn new(selection: &Selection, live: &Snapshot) -> Self {
        let Selection { kinds, only, exclude } = selection;
        let texts = |patterns: &[KeyPattern]| patterns.iter().map(|one| one.as_str().to_owned()).collect();
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for one in live.resources.iter().filter(|one| one.excluded.is_none()) {
            *held.entry(one.key.kind().name.to_owned()).or_default() += 1;
        }
        Self { kinds: kinds.iter().cloned().collect(), only: texts(only), exclude: texts(exclude), dependencies: Vec::new(), held }
    }
}

impl Plan {
    /// Restricts the plan to a selection of the target's resources.
    pub fn restrict(&mut self, selection: &Selection, live: &Snapshot) {
        self.selection = Some(PlannedSelection::new(selection, live)).filter(|_| !selection.is_everything());
    }

    /// Restricts the plan to a selection and its dependencies.
    pub(super) fn restrict_to(&mut self, chosen: &Chosen, live: &Snapshot) {
        self.restrict(chosen.selection(), live);
        let changed: HashSet<&Key> = self.stages.iter().flat_map(|stage| &stage.changes).map(|change| &change.key).collect();
        let Some(selection) = &mut self.selection else { return };
        selection.dependencies = chosen.dependencies().filter(|key| changed.contains(key)).cloned().collect();
        self.unknown.retain(|kind, _| Kind::named(kind).is_some_and(|kind| chosen.may_have(kind)));
    }

    /// Returns the selection of the plan; everything if it is not restricted.
    #[must_use]
    pub fn chosen(&self) -> Chosen {
        let Some(planned) = &self.selection else { return Chosen::default() };
        Chosen::new(Selection::recorded(&planned.kinds, &planned.only, &planned.exclude), planned.dependencies.iter().cloned().collect())
    }
}

/// Returns the resources to plan: the selected ones and, on request, the dependencies that the target lacks.
pub(super) fn chosen(desired: &Desired, partners: &Pairing<'_>) -> Chosen {
    let mut chosen = Chosen::new(desired.selection.clone(), BTreeSet::new());
    if desired.selection.is_everything() || !desired.with_dependencies {
        return chosen;
    }
    let lacking: HashSet<&Key> = lacking(desired, partners).collect();
    let mut open: Vec<&Resource> = desired.snapshot.resources.iter().collect();
    loop {
        let (planned, others): (Vec<&Resource>, Vec<&Resource>) = open.into_iter().partition(|one| chosen.has(&one.key));
        let named = planned.iter().flat_map(|one| needs(one));
        let of_kinds = planned.iter().flat_map(|one| missing_kinds(one, desired, partners)).flatten().cloned();
        let more: BTreeSet<Key> = named
            .filter(|key| lacking.contains(key))
            .chain(of_kinds)
            .filter(|key| !chosen.has(key) && !desired.selection.excludes(key))
            .collect();
        if more.is_empty() {
            return chosen;
        }
        chosen.add_dependencies(more);
        open = others;
    }
}

/// Returns the keys of resources that the target lacks and that could be planned.
fn lacking<'desired>(desired: &'desired Desired, partners: &Pairing<'_>) -> impl Iterator<Item = &'desired Key> {
    let pairs = desired.snapshot.resources.iter().zip(&partners.of_desired);
    pairs.filter(|(one, at)| at.is_none() && one.excluded.is_none()).map(|(one, _)| &one.key).collect::<Vec<_>>().into_iter()
}

/// Returns the keys of all resources that a resource refers to or belongs to.
fn needs(one: &Resource) -> Vec<Key> {
    let mut needs = belongs_to(one);
    one.body.open().each_text(&mut |_, text| needs.extend(id_substitution::mentioned(&text.into())));
    needs
}

/// Returns the source's resources of each kind that must be written before a resource and of which the target has none.
fn missing_kinds<'desired>(one: &Resource, desired: &'desired Desired, partners: &Pairing<'_>) -> Vec<Vec<&'desired Key>> {
    let kinds = one.key.kind().depends_on;
    let is_there = |kind: &str| partners.live.iter().any(|held| held.key.kind().name == kind && !held.says_nothing());
    let of_source = |kind: &&'static str| {
        let has = desired.snapshot.of_kind(kind).filter(|one| one.excluded.is_none() && !one.says_nothing());
        has.map(|one| &one.key).collect::<Vec<_>>()
    };
    kinds.iter().filter(|kind| !is_there(kind)).map(of_source).filter(|keys| !keys.is_empty()).collect()
}

/// Returns notes about kinds that should be written before a planned resource and of which the target has none.
pub(super) fn lacking_kinds(chosen: &Chosen, desired: &Desired, partners: &Pairing<'_>) -> Vec<Decision> {
    if chosen.is_everything() {
        return Vec::new();
    }
    let mut lacking: BTreeSet<(&str, &'static str)> = BTreeSet::new();
    for one in desired.snapshot.resources.iter().filter(|one| chosen.has(&one.key)) {
        for keys in missing_kinds(one, desired, partners) {
            let open = keys.iter().find(|key| !chosen.has(key));
            lacking.extend(open.map(|needed| (one.key.kind().name, needed.kind().name)));
        }
    }
    let note = |(kind, needs): (&str, &'static str)| Decision::Note(Note::NotSelected { kind: kind.to_owned(), needs });
    lacking.into_iter().map(note).collect()
}

/// Returns what deleting each of these target resources would also delete although it is not planned itself.
pub(super) fn outside_belongings<'live>(chosen: &Chosen, live: &[&'live Resource], going: &HashSet<&Key>) -> HashMap<Key, &'live Key> {
    let mut taken: HashMap<Key, &Key> = HashMap::new();
    if chosen.is_everything() || going.is_empty() {
        return taken;
    }
    for one in live.iter().filter(|one| !chosen.has(&one.key)) {
        for owner in belongs_to(one).into_iter().filter(|owner| going.contains(owner)) {
            taken.entry(owner).or_insert(&one.key);
        }
    }
    taken
}
