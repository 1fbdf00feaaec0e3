//! How much of a target one plan may change without being allowed to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Plan};
use crate::catalog::{Catalog, Shape};
use crate::resource::Key;

/// How many resources may change below the size at which the share counts, where no share is set.
const FEW: usize = 3;
/// The share of all resources, where none is set.
const OF_ALL: f64 = 0.3;
/// The share of the resources of one kind, where none is set.
const OF_A_KIND: f64 = 0.5;

/// The shares of what a target has that one plan may change, where they are set: 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MostChanged {
    /// Of all its resources.
    pub of_all: Option<f64>,
    /// Of its resources of one kind.
    pub of_a_kind: Option<f64>,
}

/// What happens to resources, all at once.
struct Deed {
    what: &'static str,
    /// How many of each kind it happens to.
    of_kind: BTreeMap<String, usize>,
    /// How many it may happen to however few there are; a share that is set counts from the first.
    few: usize,
}

/// Says where a plan changes a large share of what the target has, or of one kind: that is more often a mistake than a release.
///
/// A tenant that has hardly anything yet may change as a whole. Nothing of that goes for deletes, but for those that take back what a run made.
pub(super) fn too_much(catalog: &Catalog, plan: &Plan, most: MostChanged) -> Option<String> {
    let held = held(plan);
    let by_kind = |is_meant: &dyn Fn(&Action) -> bool| {
        let keys: BTreeSet<&Key> =
            plan.changes().filter(|one| one.is_of_the_target() && is_meant(&one.action)).map(|one| &one.key).collect();
        keys.into_iter().fold(BTreeMap::<String, usize>::new(), |mut of_kind, key| {
            *of_kind.entry(key.kind().to_owned()).or_default() += 1;
            of_kind
        })
    };
    let changed = Deed { what: "change", of_kind: by_kind(&|_| true), few: FEW };
    let few = if plan.undoes.is_some() { FEW } else { 1 };
    let deleted = Deed { what: "be deleted", of_kind: by_kind(&|action| matches!(action, Action::Remove { .. })), few };
    let changed = if is_new(catalog, &held) { Vec::new() } else { changed.beyond(plan, &held, most) };
    let found = if changed.is_empty() { deleted.beyond(plan, &held, most) } else { changed };
    (!found.is_empty()).then(|| found.join("; "))
}

impl Deed {
    /// Says where it happens to more than it may, in all and by kind.
    fn beyond(&self, plan: &Plan, held: &BTreeMap<&str, usize>, most: MostChanged) -> Vec<String> {
        let target = &plan.target.tenant;
        let all = self.said(self.of_kind.values().sum(), held.values().sum(), (most.of_all, OF_ALL), &format!("resources of \"{target}\""));
        let of_kinds = self.of_kind.iter().filter_map(|(kind, count)| {
            let held = held.get(kind.as_str()).copied().unwrap_or_default();
            self.said(*count, held, (most.of_a_kind, OF_A_KIND), &format!("{kind} of \"{target}\""))
        });
        all.into_iter().chain(of_kinds).collect()
    }

    /// Says that it happens to more than it may.
    fn said(&self, count: usize, held: usize, (set, default): (Option<f64>, f64), of: &str) -> Option<String> {
        let few = if set.is_some() { 1 } else { self.few };
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of settings")]
        let most = ((held as f64 * set.unwrap_or(default)) as usize).max(few);
        (count > most).then(|| format!("{count} of {held} {of} would {}; at most {most} may at once", self.what))
    }
}

/// Returns how many resources the target has by kind, before anything is removed.
fn held(plan: &Plan) -> BTreeMap<&str, usize> {
    let mut held: BTreeMap<&str, usize> = plan.shared.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    for (kind, keys) in &plan.target_only {
        *held.entry(kind).or_default() += keys.len();
    }
    for change in plan.changes().filter(|change| matches!(change.action, Action::Remove { .. })) {
        *held.entry(change.key.kind()).or_default() += 1;
    }
    held
}

/// Returns whether a tenant holds no more than one has from the start: an application, a database and a social connection. What else every
/// tenant has is one of each.
fn is_new(catalog: &Catalog, held: &BTreeMap<&str, usize>) -> bool {
    let is_listed = |name: &str| catalog.kind(name).is_some_and(|kind| kind.shape == Shape::Collection);
    held.iter().filter(|(kind, _)| is_listed(kind)).map(|(_, count)| count).sum::<usize>() <= FEW
}
