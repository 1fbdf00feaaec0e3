//! Orders changes into stages: referenced resources come before those that refer to them; circular references are written later.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::model::{Action, Change, Stage};
use crate::catalog::{Catalog, Kind, RequestPurpose};
use crate::json::Body;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::id_substitution;

/// A resource's position in the order of changes: the index of its kind, then its number among those of one name.
pub(super) type StagePosition = (usize, usize);

/// A position after all others.
const LAST_POSITION: StagePosition = (usize::MAX, 0);

/// What a change waits for, besides its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prerequisite {
    /// Nothing, not even its position: it comes before all changes of its kind.
    NothingAtAll,
    /// Only its position.
    Position,
    /// The creation of the resource.
    Creation,
    /// The follow-up of the resource.
    FollowUp,
    /// Every other change.
    Everything,
}

/// The position after which each created resource can be referred to.
type CreationPositions = HashMap<Key, StagePosition>;

/// Groups changes into stages; `after` are follow-up changes, each with its prerequisite.
pub(super) fn into_stages(
    catalog: &Catalog,
    changes: Vec<Change>,
    after: Vec<(Prerequisite, Change)>,
    position_of: &dyn Fn(&Key) -> StagePosition,
) -> Vec<Stage> {
    let made = creation_positions(&changes, position_of);
    let mut early: BTreeMap<(StagePosition, Prerequisite), Vec<Change>> = BTreeMap::new();
    let mut late: BTreeMap<(usize, Prerequisite), Vec<Change>> = BTreeMap::new();
    for mut change in changes {
        let (kind, position) = (change.key.kind(), position_of(&change.key));
        // A keyed resource comes into being when it is written once, as a whole.
        if let Action::Create { body, .. } = &change.action
            && kind.creation().is_none()
            && !forward_references(kind, body, position, &made).is_empty()
        {
            late.entry((position.0, Prerequisite::Position)).or_default().push(change);
            continue;
        }
        if let Some(rest) = split_forward_references(kind, &mut change, position, &made) {
            late.entry((position.0, Prerequisite::Position)).or_default().push(rest);
        }
        let is_empty = matches!(&change.action, Action::Update { body, .. } if body.is_empty() && change.secrets.is_empty());
        if !is_empty {
            early.entry((position, Prerequisite::Position)).or_default().push(change);
        }
    }
    for (waits_for, change) in after {
        let position = position_of(&change.key);
        let mentions_later = || referenced_by(&change).0.iter().any(|key| made.get(key).is_some_and(|made| *made >= position));
        match waits_for {
            Prerequisite::NothingAtAll => early.entry(((position.0, 0), waits_for)).or_default().push(change),
            Prerequisite::Everything => late.entry((position.0, Prerequisite::Position)).or_default().push(change),
            _ if made.get(&change.key) == Some(&LAST_POSITION) || mentions_later() => {
                late.entry((position.0, waits_for)).or_default().push(change);
            }
            _ => early.entry((position, waits_for)).or_default().push(change),
        }
    }
    stages_by_kind(catalog, early, late, &made)
}

/// Groups deletes into stages: resources that refer to others are deleted first.
pub(super) fn deletions<'held>(catalog: &Catalog, held: impl Iterator<Item = &'held Resource>, reason: &str) -> Vec<Stage> {
    let mut by_place: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
    for Resource { key, id, body, .. } in held {
        let action = Action::Delete { id: id.clone(), body: body.open() };
        let change = Change { key: key.clone(), source_id: Id::new(""), action, needs: Vec::new(), secrets: Vec::new() };
        by_place.entry(catalog.position(key.kind())).or_default().push(change);
    }
    let title = |place| catalog.kinds().nth(place).expect("a place in the catalog").title;
    by_place.into_iter().rev().map(|(place, changes)| Stage { title: format!("{}, {reason}", title(place)), changes }).collect()
}

fn stages_by_kind(
    catalog: &Catalog,
    early: BTreeMap<(StagePosition, Prerequisite), Vec<Change>>,
    late: BTreeMap<(usize, Prerequisite), Vec<Change>>,
    made: &CreationPositions,
) -> Vec<Stage> {
    let title = |place: usize, after: &str| {
        let title = catalog.kinds().nth(place).expect("a place in the catalog").title;
        if after.is_empty() { title.to_owned() } else { format!("{title}, {after}") }
    };
    let early = early.into_iter().map(|(((place, _), after), changes)| {
        let after = match after {
            Prerequisite::NothingAtAll => "moved aside temporarily",
            Prerequisite::Position | Prerequisite::Everything => "",
            Prerequisite::Creation => "once created",
            Prerequisite::FollowUp => "drafts",
        };
        Stage { title: title(place, after), changes }
    });
    let late = late.into_iter().map(|((place, _), changes)| Stage { title: title(place, "once everything exists"), changes });
    let mut stages: Vec<Stage> = early.chain(late).collect();
    for change in stages.iter_mut().flat_map(|stage| &mut stage.changes) {
        change.needs = needs(change, made);
    }
    stages
}

/// Returns the positions after which created resources can be referred to.
///
/// For a resource with a follow-up, that is the follow-up, which waits for the references of its content: an action is
/// bound after it is deployed, and deployed after its code is written.
fn creation_positions(changes: &[Change], position_of: &dyn Fn(&Key) -> StagePosition) -> CreationPositions {
    let created = changes.iter().filter(|change| matches!(change.action, Action::Create { .. }));
    let mut made: CreationPositions = created.map(|change| (change.key.clone(), position_of(&change.key))).collect();
    let is_followed_late = |change: &&Change| match &change.action {
        Action::Create { body, .. } if change.key.kind().lifecycle.follow_up.is_some() => {
            !forward_references(change.key.kind(), body, position_of(&change.key), &made).is_empty()
        }
        _ => false,
    };
    let followed_late: Vec<Key> = changes.iter().filter(is_followed_late).map(|change| change.key.clone()).collect();
    made.extend(followed_late.into_iter().map(|key| (key, LAST_POSITION)));
    made
}

/// Returns the fields that refer to resources created in the same stage or later.
fn forward_references(kind: &Kind, body: &Body, position: StagePosition, made: &CreationPositions) -> Vec<String> {
    let waits = |value: &Value| id_substitution::mentioned(value).iter().any(|key| made.get(key).is_some_and(|made| *made >= position));
    let fields = body.0.iter().filter(|(name, value)| !kind.fields.required.contains(&name.as_str()) && waits(value));
    fields.map(|(name, _)| name.clone()).collect()
}

/// Moves fields that refer to resources created in the same stage or later out of a change; returns the change that
/// writes them.
///
/// The follow-up moves with them.
fn split_forward_references(kind: &Kind, change: &mut Change, position: StagePosition, made: &CreationPositions) -> Option<Change> {
    let is_create = matches!(change.action, Action::Create { .. });
    let (Action::Create { body, .. } | Action::Update { body, .. }) = &mut change.action else { return None };
    let mut late = forward_references(kind, body, position, made);
    if late.is_empty() {
        return None;
    }
    late.extend(kind.lifecycle.follow_up.map(|follow_up| follow_up.field.to_owned()));
    let moved: Body = late.iter().filter_map(|name| body.0.remove(name).map(|value| (name.clone(), value))).collect();
    let (id, edits) = match &mut change.action {
        Action::Update { id, edits, .. } => {
            let is_moved = |path: &str| late.iter().any(|name| path.split('.').next() == Some(name));
            let moved = edits.extract_if(.., |edit| is_moved(&edit.path)).collect();
            (id.clone(), moved)
        }
        Action::Create { .. } | Action::Elements { .. } | Action::Delete { .. } => (None, Vec::new()),
    };
    let body = if is_create { kind.fields.writable().split(moved, RequestPurpose::Update).0 } else { moved };
    let action = Action::Update { id, body, edits };
    Some(Change { key: change.key.clone(), source_id: change.source_id.clone(), action, needs: Vec::new(), secrets: Vec::new() })
}

/// Returns the keys that a change refers to, and the resource it depends on: its parent, or itself if the plan creates
/// it.
pub(super) fn referenced_by(change: &Change) -> (Vec<Key>, Option<&Key>) {
    let of_body = |body: &Body| body.0.values().flat_map(id_substitution::mentioned).collect::<Vec<_>>();
    match &change.action {
        Action::Create { body, .. } | Action::Update { id: Some(_), body, .. } => (of_body(body), None),
        Action::Update { id: None, body, .. } => (of_body(body), Some(&change.key)),
        Action::Delete { .. } => (Vec::new(), None),
        Action::Elements { parent, added, removed } => {
            (added.iter().chain(removed).flat_map(id_substitution::mentioned).collect(), Some(parent))
        }
    }
}

/// Returns the keys in values that a change removes.
pub(super) fn formerly_referenced_by(change: &Change) -> Vec<Key> {
    match &change.action {
        Action::Update { edits, .. } => edits.iter().filter_map(|edit| edit.old.as_ref()).flat_map(id_substitution::mentioned).collect(),
        Action::Delete { body, .. } => body.0.values().flat_map(id_substitution::mentioned).collect(),
        Action::Create { .. } | Action::Elements { .. } => Vec::new(),
    }
}

fn needs(change: &Change, made: &CreationPositions) -> Vec<Key> {
    let (mut mentioned, own) = referenced_by(change);
    mentioned.extend(own.cloned());
    mentioned.retain(|key| made.contains_key(key));
    mentioned.sort();
    mentioned.dedup();
    mentioned
}
