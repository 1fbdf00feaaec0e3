//! Changes -> ordered stages: what is referred to comes before what refers to it, and what cannot wait for its turn is written late.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Action, Change, Stage};
use crate::catalog::{Catalog, Kind, RequestPurpose};
use crate::json::Body;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::id_substitution;

/// When a resource's turn is: the place of its kind, then its number among those of one name.
pub(super) type Turn = (usize, usize);

/// A turn behind all others.
const LATE: Turn = (usize::MAX, 0);

/// What a change waits for beside its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum After {
    /// Nothing, not even its turn: it comes before everything of its kind.
    Aside,
    /// Nothing more.
    Turn,
    /// The resource to be there.
    Made,
    /// The follow-up of the resource to be done.
    Done,
    /// Everything to be there.
    Everything,
}

/// When what a plan creates can be referred to.
type Made = HashMap<Key, Turn>;

/// Puts changes into stages; `after` are second changes of a resource, each with what it waits for.
pub(super) fn staged(catalog: &Catalog, changes: Vec<Change>, after: Vec<(After, Change)>, turn_of: &dyn Fn(&Key) -> Turn) -> Vec<Stage> {
    let kind_of = |change: &Change| catalog.kind(change.key.kind()).expect("a key names a kind of the catalog");
    let made = made(&changes, &kind_of, turn_of);
    let mut early: BTreeMap<(Turn, After), Vec<Change>> = BTreeMap::new();
    let mut late: BTreeMap<(usize, After), Vec<Change>> = BTreeMap::new();
    for mut change in changes {
        let (kind, turn) = (kind_of(&change), turn_of(&change.key));
        // What is there by being written is written once, whole.
        if let Action::Create { body, .. } = &change.action
            && kind.creation().is_none()
            && !waiting(kind, body, turn, &made).is_empty()
        {
            late.entry((turn.0, After::Turn)).or_default().push(change);
            continue;
        }
        if let Some(rest) = split_late(kind, &mut change, turn, &made) {
            late.entry((turn.0, After::Turn)).or_default().push(rest);
        }
        let is_empty = matches!(&change.action, Action::Update { body, .. } if body.is_empty() && change.secrets.is_empty());
        if !is_empty {
            early.entry((turn, After::Turn)).or_default().push(change);
        }
    }
    for (waits_for, change) in after {
        let turn = turn_of(&change.key);
        let mentions_later = || mentioned_by(&change).0.iter().any(|key| made.get(key).is_some_and(|made| *made >= turn));
        match waits_for {
            After::Aside => early.entry(((turn.0, 0), waits_for)).or_default().push(change),
            After::Everything => late.entry((turn.0, After::Turn)).or_default().push(change),
            _ if made.get(&change.key) == Some(&LATE) || mentions_later() => late.entry((turn.0, waits_for)).or_default().push(change),
            _ => early.entry((turn, waits_for)).or_default().push(change),
        }
    }
    titled(catalog, early, late, &made)
}

/// Puts the removals of resources into stages: what refers to others goes before them.
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

fn titled(
    catalog: &Catalog,
    early: BTreeMap<(Turn, After), Vec<Change>>,
    late: BTreeMap<(usize, After), Vec<Change>>,
    made: &Made,
) -> Vec<Stage> {
    let title = |place: usize, after: &str| {
        let title = catalog.kinds().nth(place).expect("a place in the catalog").title;
        if after.is_empty() { title.to_owned() } else { format!("{title}, {after}") }
    };
    let early = early.into_iter().map(|(((place, _), after), changes)| {
        let after = match after {
            After::Aside => "out of the way for a while",
            After::Turn | After::Everything => "",
            After::Made => "once created",
            After::Done => "drafts",
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

/// Returns when each resource that is created can be referred to.
///
/// One that needs a follow-up counts when that is done, and that waits for what its content mentions: an action is bound once it is
/// deployed, and deployed once its code is there.
fn made(changes: &[Change], kind_of: &dyn Fn(&Change) -> &'static Kind, turn_of: &dyn Fn(&Key) -> Turn) -> Made {
    let created = changes.iter().filter(|change| matches!(change.action, Action::Create { .. }));
    let mut made: Made = created.map(|change| (change.key.clone(), turn_of(&change.key))).collect();
    let is_followed_late = |change: &&Change| match &change.action {
        Action::Create { body, .. } if kind_of(change).lifecycle.follow_up.is_some() => {
            !waiting(kind_of(change), body, turn_of(&change.key), &made).is_empty()
        }
        _ => false,
    };
    let followed_late: Vec<Key> = changes.iter().filter(is_followed_late).map(|change| change.key.clone()).collect();
    made.extend(followed_late.into_iter().map(|key| (key, LATE)));
    made
}

/// Returns the fields that mention what is created at the same time or later.
fn waiting(kind: &Kind, body: &Body, turn: Turn, made: &Made) -> Vec<String> {
    let waits = |value: &Value| id_substitution::mentioned(value).iter().any(|key| made.get(key).is_some_and(|made| *made >= turn));
    let fields = body.0.iter().filter(|(name, value)| !kind.fields.required.contains(&name.as_str()) && waits(value));
    fields.map(|(name, _)| name.clone()).collect()
}

/// Takes the fields out of a change that mention what is created at the same time or later; returns the change that writes them.
///
/// What makes a write count goes with them.
fn split_late(kind: &Kind, change: &mut Change, turn: Turn, made: &Made) -> Option<Change> {
    let is_create = matches!(change.action, Action::Create { .. });
    let (Action::Create { body, .. } | Action::Update { body, .. }) = &mut change.action else { return None };
    let mut late = waiting(kind, body, turn, made);
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

/// Returns the keys that a change mentions, and the one it hangs on: its parent, or itself where it is yet to be created.
pub(super) fn mentioned_by(change: &Change) -> (Vec<Key>, Option<&Key>) {
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

/// Returns the keys that a change mentions in what it takes away.
pub(super) fn mentioned_before(change: &Change) -> Vec<Key> {
    match &change.action {
        Action::Update { edits, .. } => edits.iter().filter_map(|edit| edit.old.as_ref()).flat_map(id_substitution::mentioned).collect(),
        Action::Delete { body, .. } => body.0.values().flat_map(id_substitution::mentioned).collect(),
        Action::Create { .. } | Action::Elements { .. } => Vec::new(),
    }
}

fn needs(change: &Change, made: &Made) -> Vec<Key> {
    let (mut mentioned, own) = mentioned_by(change);
    mentioned.extend(own.cloned());
    mentioned.retain(|key| made.contains_key(key));
    mentioned.sort();
    mentioned.dedup();
    mentioned
}
