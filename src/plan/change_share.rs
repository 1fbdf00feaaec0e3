//! The `many-changes` guard: how large a share of a target one plan may change without approval.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Action, Change, Plan};
use crate::catalog::{Kind, Shape};
use crate::model::limits::ChangeLimits;
use crate::model::resource::Key;

/// The number of resources that may always change if no limit is configured.
const FEW: usize = 3;
/// The default share of all resources.
const OF_ALL: f64 = 0.3;
/// The default share of the resources of one kind.
const OF_A_KIND: f64 = 0.5;

/// How many resources a plan changes or deletes.
struct AffectedCounts {
    /// The verb of the message: `change` or `be deleted`.
    what: &'static str,
    /// The number per kind.
    of_kind: BTreeMap<String, usize>,
    /// The number that is always allowed if no share is configured.
    few: usize,
}

/// Returns a message if a plan changes a large share of the target or of one kind, which is more often a mistake than a
/// release.
///
/// An almost empty tenant may change as a whole. This exception does not cover deletes, except those of an undo.
pub(super) fn too_much(plan: &Plan, most: ChangeLimits) -> Option<String> {
    let held = held(plan);
    let by_kind = |is_meant: &dyn Fn(&Action) -> bool| {
        let keys: BTreeSet<&Key> =
            plan.changes().filter(|one| one.is_of_the_target() && is_meant(&one.action)).map(|one| &one.key).collect();
        keys.into_iter().fold(BTreeMap::<String, usize>::new(), |mut of_kind, key| {
            *of_kind.entry(key.kind().name.to_owned()).or_default() += 1;
            of_kind
        })
    };
    let changed = AffectedCounts { what: "change", of_kind: by_kind(&|_| true), few: FEW };
    let few = if plan.undoes.is_some() { FEW } else { 1 };
    let deleted = AffectedCounts { what: "be deleted", of_kind: by_kind(&|action| matches!(action, Action::Delete { .. })), few };
    let mut has_changes = false;
    let mut found = deleted.exceeded_limits(plan, &held, most);
    // A selection cannot show whether the tenant is new.
    if plan.selection.is_some() || !is_new(&held) {
        // If every change is a delete, it is reported once.
        let is_said = |more: &ExceededLimit| found.iter().any(|one| (&one.of, one.count) == (&more.of, more.count));
        let more: Vec<ExceededLimit> = changed.exceeded_limits(plan, &held, most).into_iter().filter(|more| !is_said(more)).collect();
        has_changes = !more.is_empty();
        found.splice(0..0, more);
    }
    let uncounted = Some(only_added(plan)).filter(|_| has_changes).and_then(not_counted);
    let found: Vec<String> = found.into_iter().map(|one| one.message).chain(uncounted).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

/// Returns the number of lists that only gain elements. The plan shows them as updates, but they take nothing from the target.
fn only_added(plan: &Plan) -> usize {
    let is_only_added = |change: &&Change| matches!(change.action, Action::Elements { .. }) && !change.is_of_the_target();
    plan.changes().filter(is_only_added).map(|change| &change.key).collect::<BTreeSet<_>>().len()
}

/// Says how many lists are not counted; `None` if there are none.
fn not_counted(lists: usize) -> Option<String> {
    match lists {
        0 => None,
        1 => Some("1 list that only gains elements is not counted".to_owned()),
        _ => Some(format!("{lists} lists that only gain elements are not counted")),
    }
}

/// A limit that a plan exceeds.
struct ExceededLimit {
    /// What is counted: all resources, or those of one kind.
    of: String,
    count: usize,
    message: String,
}

impl AffectedCounts {
    /// Returns the exceeded limits, in total and by kind.
    fn exceeded_limits(&self, plan: &Plan, held: &BTreeMap<&str, usize>, most: ChangeLimits) -> Vec<ExceededLimit> {
        let target = &plan.target.tenant;
        let all = self.exceeded_limit(
            self.of_kind.values().sum(),
            held.values().sum(),
            (most.of_all, OF_ALL),
            format!("resources of \"{target}\""),
        );
        let of_kinds = self.of_kind.iter().filter_map(|(kind, count)| {
            let held = held.get(kind.as_str()).copied().unwrap_or_default();
            self.exceeded_limit(*count, held, (most.of_a_kind, OF_A_KIND), format!("{kind} of \"{target}\""))
        });
        all.into_iter().chain(of_kinds).collect()
    }

    fn exceeded_limit(&self, count: usize, held: usize, (set, default): (Option<f64>, f64), of: String) -> Option<ExceededLimit> {
        let few = set.map_or(self.few, |set| usize::from(set > 0.0));
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of settings")]
        let most = ((held as f64 * set.unwrap_or(default)) as usize).max(few);
        let message = format!("{count} of the {held} compared {of} would {} (limit {most})", self.what);
        (count > most).then_some(ExceededLimit { of, count, message })
    }
}

/// Returns the number of resources in the target by kind, before any delete.
fn held(plan: &Plan) -> BTreeMap<&str, usize> {
    // A share of the selection means little: one selected client would always be 100 %.
    if let Some(selection) = &plan.selection {
        return selection.held.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    }
    let mut held: BTreeMap<&str, usize> = plan.shared.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    for (kind, keys) in &plan.unmanaged {
        *held.entry(kind).or_default() += keys.len();
    }
    for change in plan.changes().filter(|change| matches!(change.action, Action::Delete { .. })) {
        *held.entry(change.key.kind().name).or_default() += 1;
    }
    held
}

/// Returns whether a tenant has no more than a new one: an application, a database and a social connection, besides
/// singletons.
fn is_new(held: &BTreeMap<&str, usize>) -> bool {
    let is_listed = |name: &str| Kind::named(name).is_some_and(|kind| kind.shape == Shape::Collection);
    held.iter().filter(|(kind, _)| is_listed(kind)).map(|(_, count)| count).sum::<usize>() <= FEW
}
