//! Decides whether an import was correct: every field of the mapped source is in the target, or was reported.
//!
//! It uses only snapshots, links and what the plans report, and shares no code with the planner.

use std::collections::{BTreeMap, BTreeSet};

use auth0_migrate::catalog::{Kind, ReferencedBy, Shape};
use auth0_migrate::model::resource::{Key, Resource};
use auth0_migrate::plan::{Plan, Skipped};
use auth0_migrate::snapshot::{Desired, Snapshot};
use auth0_migrate::state::links::Links;
use serde_json::Value;

use super::equivalence::{Unlike, unlike};

/// The evidence about an import.
pub(crate) struct Evidence<'seen> {
    /// The desired state.
    pub(crate) desired: &'seen Desired,
    /// The target before.
    pub(crate) before: &'seen Snapshot,
    /// The target after, freshly read.
    pub(crate) after: &'seen Snapshot,
    /// The links between source and target.
    pub(crate) links: &'seen Links,
    /// The executed plan.
    pub(crate) first: &'seen Plan,
    /// The plan of a second import.
    pub(crate) second: &'seen Plan,
}

/// Names of resources in one snapshot, with their ids in the target.
type Ids = BTreeMap<Key, String>;

/// The evidence, and the names of the target's resources in each of its three snapshots.
pub(crate) struct Verdict<'seen> {
    seen: Evidence<'seen>,
    wanted: Ids,
    before: Ids,
    after: Ids,
}

/// The delimiters of keys inside portable texts.
const MARKS: [char; 2] = ['⟦', '⟧'];

impl<'seen> Verdict<'seen> {
    /// Creates a verdict from this evidence.
    pub(crate) fn new(seen: Evidence<'seen>) -> Self {
        let linked: BTreeMap<(&str, &str), &str> =
            seen.links.iter().map(|link| ((link.kind.as_str(), link.source_id.as_str()), link.target_id.as_str())).collect();
        let id = |one: &Resource| linked.get(&(one.key.kind().name, one.id.as_str())).map(|id| (one.key.clone(), (*id).to_owned()));
        let wanted = seen.desired.snapshot.resources.iter().filter_map(id).collect();
        let own = |snapshot: &Snapshot| {
            let collected = snapshot.resources.iter().filter(|one| one.key.kind().has_own_ids());
            collected.map(|one| (one.key.clone(), one.id.as_str().to_owned())).collect()
        };
        Self { wanted, before: own(seen.before), after: own(seen.after), seen }
    }

    /// Returns everything that is wrong and was not reported.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for wanted in &self.seen.desired.snapshot.resources {
            faults.extend(self.faults_of(wanted).into_iter().map(|fault| format!("{}: {fault}", wanted.key)));
        }
        faults.extend(self.changed_without_being_asked());
        faults.extend(self.unknown_fields_not_named());
        faults
    }

    fn faults_of(&self, wanted: &Resource) -> Vec<String> {
        let (before, after) = (self.partner(wanted, self.seen.before), self.partner(wanted, self.seen.after));
        let mut told = self.seen.first.skipped.iter().chain(&self.seen.first.excluded);
        if told.any(|left| left.key == wanted.key && left.path.is_none()) {
            let is_untouched = match (before, after) {
                (Some(before), Some(after)) => self.moved(before, after).is_empty(),
                (before, after) => before.is_none() && after.is_none(),
            };
            return if is_untouched { Vec::new() } else { vec!["is named as left out, and was written".to_owned()] };
        }
        if wanted.excluded.is_some() {
            return vec!["is the source's own, and that is not named".to_owned()];
        }
        if wanted.says_nothing() {
            return Vec::new();
        }
        // A resource without content is not missed if the target does not serve its kind.
        let is_missed = !self.is_made_by_hand(wanted) && !wanted.open().is_blank(wanted.key.kind());
        let Some(after) = after else { return if is_missed { vec!["is missing".to_owned()] } else { Vec::new() } };
        [self.unlike(wanted, before, after), self.unnamed_secrets(wanted, before, after)].concat()
    }

    fn is_made_by_hand(&self, wanted: &Resource) -> bool {
        wanted.key.kind().lifecycle.manual_setup.is_some() && self.seen.first.manual_steps.iter().any(|manual| manual.key == wanted.key)
    }

    /// Returns the differences from the mapped source, except exactly the reported fields.
    fn unlike(&self, wanted: &Resource, before: Option<&Resource>, after: &Resource) -> Vec<String> {
        let kind = wanted.key.kind();
        let skipped: Vec<&str> = fields_of(wanted, self.seen.first.skipped.iter()).collect();
        let stays: Vec<&str> = fields_of(wanted, self.seen.first.excluded.iter()).collect();
        // The second plan reports what the server filled in during the first run.
        let filled_in: Vec<&str> = fields_of(wanted, self.seen.second.excluded.iter()).collect();
        let kept = self.seen.desired.kept.iter().filter(|(key, _)| *key == wanted.key && before.is_some());
        let kept: Vec<&str> = kept.map(|(_, path)| path.as_str()).collect();
        let mut body = in_ids(kind, wanted, &self.wanted);
        let mut held = in_ids(kind, after, &self.after);
        let old = before.map(|before| in_ids(kind, before, &self.before)).unwrap_or_default();
        let untouchable = skipped.iter().chain(&kept).chain(&stays).filter(|path| before.is_some() && !path.contains('['));
        let moved = unlike(kind, &old, &held);
        let written = untouchable.filter(|path| moved.iter().any(|found| covers(path, &found.path)));
        let mut faults: Vec<String> = written.map(|path| format!("{path} is named as untouched, and was written")).collect();
        drop_elements(&mut body, &skipped);
        drop_elements(&mut body, &stays);
        self.drop_what_only_the_target_can_mean(kind, &mut held, &old);
        let is_excused = |found: &Unlike| {
            let is_named = skipped.iter().chain(&kept).any(|path| covers(path, &found.path));
            is_named || (found.wanted.is_null() && stays.iter().chain(&filled_in).any(|path| covers(path, &found.path)))
        };
        let found = unlike(kind, &body, &held).into_iter().filter(|found| !is_excused(found));
        faults.extend(found.map(|found| format!("{} should be {} and is {}", found.path, found.wanted, found.held)));
        faults
    }

    /// Removes from unordered lists the elements that refer to resources only the target has: a client that only
    /// production has must not lose its connection because development does not know it.
    fn drop_what_only_the_target_can_mean(&self, kind: &Kind, held: &mut Value, old: &Value) {
        let known: BTreeSet<String> = self.wanted.values().cloned().collect();
        for path in kind.lists.unordered.iter().filter(|path| !path.contains('.')) {
            let old: Vec<Value> = old.get(path).and_then(Value::as_array).cloned().unwrap_or_default();
            let Some(Value::Array(list)) = held.get_mut(path) else { continue };
            list.retain(|element| {
                let mentioned: Vec<String> = marked(&element.to_string()).map(str::to_owned).collect();
                let is_its_own = mentioned.iter().any(|id| !known.contains(id));
                !(is_its_own && old.contains(element))
            });
        }
    }

    /// Returns secrets of the source, readable or not, that are not reported although the target has none of its own.
    fn unnamed_secrets(&self, wanted: &Resource, before: Option<&Resource>, after: &Resource) -> Vec<String> {
        let is_named = |path: &String| self.seen.first.manual_steps.iter().any(|manual| manual.key == wanted.key && manual.path == *path);
        let is_supplied = |path: &String| {
            let supplied = self.seen.desired.supplied.iter().any(|supplied| supplied.key == wanted.key && supplied.path == *path);
            supplied && after.secrets.contains(path)
        };
        let has_its_own = |path: &String| before.is_some_and(|before| before.secrets.contains(path)) && after.secrets.contains(path);
        // A secret that the target generated is not the source's: it must be reported, whether or not the source
        // returned its own.
        let made = after.secrets.iter().filter(|_| before.is_none());
        let secrets: BTreeSet<&String> = wanted.secrets.iter().chain(made).collect();
        // A public client signs in without it.
        let is_public = after.open().body.get("token_endpoint_auth_method").is_some_and(|method| method == "none");
        let is_unused = |path: &String| is_public && path == "client_secret";
        let unnamed = secrets.into_iter().filter(|path| !(is_named(path) || is_supplied(path) || has_its_own(path) || is_unused(path)));
        unnamed.map(|path| format!("the secret {path} is not named")).collect()
    }

    /// Returns resources that only the target had and that changed.
    fn changed_without_being_asked(&self) -> Vec<String> {
        let desired: BTreeSet<(String, String)> =
            self.seen.desired.snapshot.resources.iter().filter_map(|wanted| self.partner(wanted, self.seen.before)).map(place).collect();
        let others = self.seen.before.resources.iter().filter(|held| !desired.contains(&place(held)));
        let fault = |before: &Resource| {
            let Some(after) = self.seen.after.resources.iter().find(|after| place(after) == place(before)) else {
                return Some(format!("{}: only the target had it, and it is gone", before.key));
            };
            let moved = self.moved(before, after);
            (!moved.is_empty()).then(|| format!("{}: only the target had it, and it was changed: {moved:?}", before.key))
        };
        let known: BTreeSet<(String, String)> = self.seen.before.resources.iter().map(place).collect();
        let made: BTreeSet<(String, String)> =
            self.seen.desired.snapshot.resources.iter().filter_map(|wanted| self.partner(wanted, self.seen.after)).map(place).collect();
        let surplus = self.seen.after.resources.iter().filter(|after| !known.contains(&place(after)) && !made.contains(&place(after)));
        others
            .filter_map(fault)
            .chain(surplus.filter(|after| !is_empty_list(after)).map(|after| format!("{}: nobody wanted it", after.key)))
            .collect()
    }

    fn moved(&self, before: &Resource, after: &Resource) -> Vec<Unlike> {
        let kind = before.key.kind();
        unlike(kind, &in_ids(kind, before, &self.before), &in_ids(kind, after, &self.after))
    }

    fn unknown_fields_not_named(&self) -> Vec<String> {
        let resources = self.seen.desired.snapshot.resources.iter().filter(|one| one.excluded.is_none());
        let carried = resources.flat_map(|one| one.carried.0.keys().map(move |name| (one.key.kind().name, name)));
        let is_named = |kind: &str, name: &str| {
            let is_it = |path: &String| path.split(['.', '[']).next() == Some(name);
            self.seen.first.unknown.get(kind).is_some_and(|paths| paths.iter().any(is_it))
        };
        let unnamed: BTreeSet<_> = carried.filter(|(kind, name)| !is_named(kind, name)).collect();
        unnamed.into_iter().map(|(kind, name)| format!("{kind}: nobody knows {name}, and it is not named")).collect()
    }

    /// Returns the counterpart of a source resource in a snapshot of the target.
    fn partner<'side>(&self, wanted: &Resource, side: &'side Snapshot) -> Option<&'side Resource> {
        let kind = wanted.key.kind();
        let linked = |kind: &str| {
            self.seen.links.iter().find(|link| link.kind == kind && link.source_id == wanted.id).map(|link| link.target_id.clone())
        };
        let id = match kind.shape {
            _ if kind.has_own_ids() => linked(kind.name)?,
            Shape::Child { parent, .. } | Shape::Part { parent } => linked(parent)?,
            Shape::Collection | Shape::Nested { .. } | Shape::Singleton => {
                return side.of_kind(kind.name).find(|held| held.key == wanted.key);
            }
            Shape::Keyed { .. } => wanted.id.clone(),
        };
        side.of_kind(kind.name).find(|held| held.id == id)
    }
}

/// Returns the keys in a text.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split(MARKS[0]).skip(1).filter_map(|rest| rest.split_once(MARKS[1])).map(|(inside, _)| inside)
}

/// Returns the reported fields of a resource.
fn fields_of<'told>(wanted: &Resource, told: impl Iterator<Item = &'told Skipped>) -> impl Iterator<Item = &'told str> {
    told.filter(|left| left.key == wanted.key).filter_map(|left| left.path.as_deref())
}

fn place(resource: &Resource) -> (String, String) {
    (resource.key.kind().name.to_owned(), resource.id.as_str().to_owned())
}

/// A created resource has its child too, which may be an empty list.
fn is_empty_list(resource: &Resource) -> bool {
    let kind = resource.key.kind();
    matches!(kind.shape, Shape::Child { .. }) && resource.body.open().0.values().all(|value| value.as_array().is_some_and(Vec::is_empty))
}

fn covers(path: &str, found: &str) -> bool {
    found == path || found.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// Removes elements from lists that paths like `clients[3].client_id` lead through.
fn drop_elements(body: &mut Value, paths: &[&str]) {
    let place = |path: &&str| {
        let (list, rest) = path.split_once('[')?;
        Some((list.replace('.', "/"), rest.split(']').next()?.parse::<usize>().expect("a place in a list")))
    };
    let places: BTreeSet<(String, usize)> = paths.iter().filter_map(place).collect();
    for (list, at) in places.into_iter().rev() {
        if let Some(Value::Array(elements)) = body.pointer_mut(&format!("/{list}")) {
            elements.remove(at);
        }
    }
}

/// Replaces keys in the body of a resource by the target's ids, so that it does not depend on names.
fn in_ids(kind: &Kind, resource: &Resource, ids: &Ids) -> Value {
    let mut body = resource.body.open();
    for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Key) {
        let named =
            |text: &str| text.strip_prefix(&format!("⟦{}/", reference.to)).and_then(|rest| rest.strip_suffix('⟧')).map(str::to_owned);
        body.change(reference.path, &mut |value| {
            if let Some(name) = value.as_str().and_then(named) {
                *value = Value::String(name);
            }
        });
    }
    body.change_texts(&mut |_, text| {
        let keys: Vec<String> = marked(text).map(str::to_owned).collect();
        for key in keys {
            if let Some(id) = key.parse().ok().and_then(|key: Key| ids.get(&key)) {
                *text = text.replace(&format!("⟦{key}⟧"), &format!("⟦{id}⟧"));
            }
        }
    });
    body.into_value()
}
