//! The comparison of two snapshots: what was added, changed and deleted from the one to the other, whether or not a run could write it.

use std::collections::BTreeMap;

use super::diff::compared;
use super::model::{Action, Change, Plan, PlannedTenant, Skipped, Stage};
use super::normal_form::normalized;
use super::pairing::Pairing;
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::Body;
use crate::model::resource::{ExclusionReason, Key, Resource};
use crate::model::selection::Selection;
use crate::snapshot::{Snapshot, Status};
use crate::state::links::Links;

/// Compares what is selected of two snapshots; returns a plan that makes the first equal to the second.
///
/// The plan is there to be shown and not to be applied. What cannot be compared, since one side does not show it, is in `skipped`.
pub fn compare(catalog: &Catalog, (before, after): (&Snapshot, &Snapshot), links: &Links, selection: &Selection) -> Plan {
    let side = |snapshot: &Snapshot| PlannedTenant::new(&snapshot.tenant, &snapshot.domain, &snapshot.taken);
    let mut comparison = Comparison {
        catalog,
        selection,
        unread: unread(catalog, [before, after], selection),
        stages: BTreeMap::new(),
        plan: Plan::between(side(before), side(after)),
    };
    let pairing = Pairing::new(catalog, after, before, links);
    for (now, at) in after.resources.iter().zip(&pairing.of_desired) {
        comparison.add(at.map(|at| &*pairing.live[at]), Some(now));
    }
    for (_, was) in pairing.live.iter().enumerate().filter(|(at, _)| !pairing.paired.contains(at)) {
        comparison.add(Some(was), None);
    }
    comparison.into_plan()
}

struct Comparison<'sides> {
    catalog: &'sides Catalog,
    selection: &'sides Selection,
    /// The kinds that one side does not show, with the reason.
    unread: BTreeMap<&'static Kind, String>,
    /// The changes by the position of their kind.
    stages: BTreeMap<usize, Stage>,
    plan: Plan,
}

impl Comparison<'_> {
    /// Compares a resource before and after.
    fn add(&mut self, was: Option<&Resource>, now: Option<&Resource>) {
        let Some(key) = now.or(was).map(|one| one.key.clone()) else { return };
        let kind = key.kind();
        if self.unread.contains_key(kind) || !self.selection.has(&key) {
            return;
        }
        let sides = [was, now];
        if let Some(unseen) = sides.into_iter().flatten().find(|one| one.is_unseen) {
            self.plan.skipped.push(Skipped::new(key, None, unseen.excluded.clone().unwrap_or_default()));
            return;
        }
        if sides.into_iter().flatten().any(|one| !is_of_the_tenant(one)) {
            return;
        }
        match action(kind, was, now) {
            Some(action) => {
                let source_id = now.or(was).map(|one| one.id.clone()).expect("one of them is there");
                let change = Change { key, source_id, action, needs: Vec::new(), secrets: Vec::new() };
                let stage = || Stage { title: kind.title.to_owned(), changes: Vec::new() };
                self.stages.entry(self.catalog.position(kind)).or_insert_with(stage).changes.push(change);
            }
            None if was.is_some() && now.is_some() => *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1,
            None => {}
        }
    }

    fn into_plan(self) -> Plan {
        let Self { mut plan, stages, unread, .. } = self;
        let whole = |(kind, reason): (&'static Kind, String)| Skipped::new(Key::new(kind, ""), None, reason);
        plan.skipped.extend(unread.into_iter().map(whole));
        plan.stages = stages.into_values().collect();
        plan
    }
}

/// Returns whether a resource is a setting of the tenant: neither the system's or a third party's, nor what migrate signs in with.
fn is_of_the_tenant(one: &Resource) -> bool {
    one.excluded.is_none() || one.reserved == Some(ExclusionReason::Protected)
}

/// Returns how a resource differs, if it does.
fn action(kind: &'static Kind, was: Option<&Resource>, now: Option<&Resource>) -> Option<Action> {
    // What belongs to a parent, or is there once, is there on each side that has the parent; it may say nothing.
    let is_by_itself = matches!(kind.shape, Shape::Collection | Shape::Nested { .. });
    let is_there = |one: &&Resource| is_by_itself || !one.open().is_blank(kind);
    match (was.filter(is_there), now.filter(is_there)) {
        (None, None) => None,
        (None, Some(now)) if was.is_none() => Some(Action::Create { body: now.body.open(), twins: Vec::new() }),
        (Some(was), None) if now.is_none() => Some(Action::Delete { id: was.id.clone(), body: was.body.open() }),
        _ => {
            let (was, now) = (was?, now?);
            let edits = compared(&normalized(kind, &now.body.open()), &normalized(kind, &was.body.open()));
            (!edits.is_empty()).then(|| Action::Update { id: Some(was.id.clone()), body: Body::new(), edits })
        }
    }
}

/// Returns the selected kinds that cannot be compared: one of the sides does not show them.
fn unread(catalog: &Catalog, sides: [&Snapshot; 2], selection: &Selection) -> BTreeMap<&'static Kind, String> {
    let mut unread = BTreeMap::new();
    for kind in catalog.kinds().filter(|kind| selection.may_have(kind)) {
        let hidden = |side: &Snapshot| match side.kinds.get(kind.name) {
            Some(Status::Complete | Status::InPart(_) | Status::Selected(_) | Status::Absent(_)) => None,
            Some(Status::Refused(reason) | Status::Forbidden(reason)) => Some(format!("{} does not show it: {reason}", side.tenant)),
            None => Some(format!("it was not read from {}", side.tenant)),
        };
        // What neither side was asked for is nobody's question.
        if sides.iter().all(|side| !side.kinds.contains_key(kind.name)) {
            continue;
        }
        if let Some(reason) = sides.into_iter().find_map(hidden) {
            unread.insert(kind, reason);
        }
    }
    unread
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn snapshot(clients: &[(&str, &str, Value)]) -> Snapshot {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let client = |(id, name, callbacks): &(&str, &str, Value)| {
            let body = json!({"client_id": id, "name": name, "callbacks": callbacks});
            Resource::read(kind, Body::from_value(body).expect("an object")).expect("readable")
        };
        let kinds = [("clients".to_owned(), Status::Complete), ("roles".to_owned(), Status::Complete)].into();
        Snapshot { kinds, resources: clients.iter().map(client).collect(), ..Snapshot::empty("dev", "dev.auth0.com") }
    }

    fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
        let links = Links::within(&before.resources);
        let plan = compare(Catalog::standard(), (before, after), &links, &Selection::default());
        let edits = |change: &Change| match &change.action {
            Action::Update { edits, .. } => edits.iter().map(|edit| edit.path.as_str()).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        let changes = plan.changes().map(|change| format!("{} {} {}", change.operation(), change.key, edits(change)).trim().to_owned());
        let skipped = plan.skipped.iter().map(|skipped| format!("{}: {}", skipped.key, skipped.reason));
        changes.chain(skipped).collect()
    }

    #[test]
    fn what_was_added_changed_renamed_and_removed_is_told_and_what_is_equal_is_not() {
        let callbacks = || json!(["https://a.example/"]);
        let before = snapshot(&[("1", "Web", callbacks()), ("2", "Shop", callbacks()), ("3", "Old", json!([])), ("4", "Same", json!([]))]);
        let after = snapshot(&[("1", "Web", json!([])), ("2", "Store", callbacks()), ("4", "Same", json!([])), ("5", "New", json!([]))]);
        assert_eq!(
            differences(&before, &after),
            ["update clients/Web callbacks", "update clients/Store name", "create clients/New", "delete clients/Old"]
        );
        assert!(differences(&after, &after).is_empty());
    }

    #[test]
    fn what_one_side_does_not_show_is_not_compared() {
        let mut hidden = snapshot(&[("1", "Web", json!([]))]);
        hidden.kinds.insert("clients".to_owned(), Status::Forbidden("read:clients".to_owned()));
        let shown = snapshot(&[("2", "Shop", json!([]))]);
        assert_eq!(differences(&shown, &hidden), ["clients: dev does not show it: read:clients"]);
    }
}
