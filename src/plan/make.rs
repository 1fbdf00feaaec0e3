//! Desired, live and links -> plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::diff::{difference, normal};
use super::pairs::{Names, Partners};
use super::resolve::{Candidate, Verdict, keep_elements_of_the_target, keep_held, resolve};
use super::{Action, Change, LeftOut, Manual, Plan, SecretField, Side, Stage};
use crate::body::Body;
use crate::catalog::{Catalog, Kind, Purpose, Shape, Written};
use crate::links::Links;
use crate::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot, Status, refs};

/// Decides what it takes to make the target hold what is desired.
pub fn plan(catalog: &Catalog, desired: &Desired, live: &Snapshot, links: &Links) -> Plan {
    let partners = Partners::of(catalog, &desired.snapshot.resources, live, links);
    let mut making = Making { catalog, desired, live, plan: empty(&desired.snapshot, live), following: Vec::new(), late: Vec::new() };
    making.leave_out_unread();
    let mut candidates = making.candidates(&partners);
    making.leave_out_unresolved(&mut candidates, &partners);
    let source_has: HashSet<Key> = desired.snapshot.resources.iter().map(|resource| resource.key.clone()).collect();
    let mut changes = Vec::new();
    for mut candidate in candidates {
        let kind = making.kind_of(&candidate.wanted.key);
        let key = candidate.wanted.key.clone();
        for (_, path) in desired.kept.iter().filter(|(kept, _)| *kept == key) {
            if candidate.held.is_some() {
                keep_held(&mut candidate, path);
            } else {
                making
                    .plan
                    .notes
                    .push(format!("{key} is new in the target, so the source's {path} is used, though the mapping keeps the target's own"));
            }
        }
        keep_elements_of_the_target(kind, &mut candidate, &source_has);
        changes.extend(making.change(kind, &candidate));
    }
    making.stage(changes);
    making.name_known(&partners);
    making.list_target_only(&partners);
    making.plan
}

fn empty(source: &Snapshot, target: &Snapshot) -> Plan {
    let side =
        |snapshot: &Snapshot| Side { tenant: snapshot.tenant.clone(), domain: snapshot.domain.clone(), taken: snapshot.taken.clone() };
    let twice = |snapshot: &Snapshot| {
        let note = |key: &Key| format!("{} has a name that stands twice; it is called {key} here", snapshot.tenant);
        snapshot.twice.iter().map(note).collect::<Vec<_>>()
    };
    let notes = [twice(source), twice(target)].concat();
    Plan { unknown: source.unknown_fields(), notes, ..Plan::between(side(source), side(target)) }
}

struct Making<'inputs> {
    catalog: &'inputs Catalog,
    desired: &'inputs Desired,
    live: &'inputs Snapshot,
    plan: Plan,
    /// Changes made right after what they follow was created.
    following: Vec<Change>,
    /// Changes made once everything exists.
    late: Vec<Change>,
}

impl<'inputs> Making<'inputs> {
    fn kind_of(&self, key: &Key) -> &'static Kind {
        self.catalog.kind(key.kind()).expect("a key names a kind of the catalog")
    }

    fn leave_out(&mut self, key: &Key, because: impl Into<String>) {
        self.plan.left_out.push(LeftOut { key: key.clone(), path: None, because: because.into() });
    }

    /// What the source's token may not read is not copied, and looks as if the source did not have it: that must be said.
    fn leave_out_unread(&mut self) {
        for (kind, status) in &self.desired.snapshot.kinds {
            if let Status::Forbidden(because) = status {
                self.leave_out(&Key::new(kind, ""), format!("not read from {}: {because}", self.desired.snapshot.tenant));
            }
        }
    }

    fn leave_alone(&mut self, key: &Key, because: &str) {
        self.plan.left_alone.push(LeftOut { key: key.clone(), path: None, because: because.to_owned() });
    }

    /// Returns the resources that may be planned: not the tenants' own, and of kinds that the target serves.
    fn candidates(&mut self, partners: &'inputs Partners<'_>) -> Vec<Candidate<'inputs>> {
        let mut candidates = Vec::new();
        let desired = self.desired;
        let mut names = Names::taken(self.catalog, &desired.snapshot.resources, partners);
        for (wanted, at) in desired.snapshot.resources.iter().zip(&partners.of_desired) {
            let held = at.map(|at| &*partners.live[at]);
            let kind = self.kind_of(&wanted.key);
            if let Some(because) = wanted.left_alone.as_deref().or(held.and_then(|held| held.left_alone.as_deref())) {
                self.leave_alone(&wanted.key, because);
                continue;
            }
            if let (None, Some(what)) = (held, kind.by_hand) {
                self.plan.manual.push(Manual { key: wanted.key.clone(), path: String::new(), step: what.to_owned() });
                continue;
            }
            match (self.live.kinds.get(kind.name), kind.not_created) {
                // What says nothing is not missed where it cannot be written.
                (Some(Status::Absent(_) | Status::Forbidden(_)), _) if wanted.is_blank(kind) => {}
                (Some(Status::Complete), Some(because)) if held.is_none() => self.leave_out(&wanted.key, because),
                (Some(Status::Complete | Status::Selected), _) => match held.is_none().then(|| names.take(kind, wanted)).flatten() {
                    Some(because) => self.leave_out(&wanted.key, because),
                    None => candidates.push(Candidate { wanted: Cow::Borrowed(wanted), held }),
                },
                (Some(Status::Absent(because) | Status::Forbidden(because)), _) => {
                    self.leave_out(&wanted.key, format!("the target does not serve {}: {because}", kind.name));
                }
                (None, _) => self.leave_out(&wanted.key, format!("{} of the target were not read", kind.name)),
            }
        }
        candidates
    }

    /// Leaves out what refers to something the target will not have; what is left out may be what others refer to.
    fn leave_out_unresolved(&mut self, candidates: &mut Vec<Candidate<'_>>, partners: &Partners<'_>) {
        let mut there: HashSet<Key> = partners.live.iter().map(|resource| resource.key.clone()).collect();
        there.extend(candidates.iter().filter(|candidate| candidate.held.is_none()).map(|candidate| candidate.wanted.key.clone()));
        loop {
            let before = candidates.len();
            let mut fitting = Vec::with_capacity(before);
            for mut candidate in candidates.drain(..) {
                let kind = self.kind_of(&candidate.wanted.key);
                let is_orphan =
                    matches!(kind.shape, Shape::Child { parent, .. } if !there.contains(&Key::new(parent, candidate.wanted.key.name())));
                let verdict = if is_orphan {
                    Verdict::LeftOut("the resource it belongs to is left out".to_owned())
                } else {
                    resolve(kind, &mut candidate, &|key| there.contains(key))
                };
                match verdict {
                    Verdict::Fits(parts) => {
                        self.plan.left_out.extend(parts);
                        fitting.push(candidate);
                    }
                    Verdict::LeftOut(because) => {
                        self.leave_out(&candidate.wanted.key, because);
                        if candidate.held.is_none() {
                            there.remove(&candidate.wanted.key);
                        }
                    }
                }
            }
            *candidates = fitting;
            if candidates.len() == before {
                return;
            }
        }
    }

    /// Returns the change a candidate needs, if any, and notes what a person must know about it.
    fn change(&mut self, kind: &'static Kind, candidate: &Candidate<'_>) -> Option<Change> {
        if let Shape::Child { parent, .. } = kind.shape {
            return self.change_elements(kind, parent, candidate);
        }
        let supplied = self.supplied(&candidate.wanted.key);
        match candidate.held {
            None => {
                self.name_manual_steps(kind, &candidate.wanted, None, &supplied);
                Some(self.create(kind, &candidate.wanted, supplied))
            }
            Some(held) => {
                self.name_manual_steps(kind, &candidate.wanted, Some(held), &supplied);
                self.update(kind, &candidate.wanted, held, supplied)
            }
        }
    }

    fn supplied(&self, key: &Key) -> Vec<SecretField> {
        let of_this = self.desired.supplied.iter().filter(|supplied| supplied.key == *key);
        of_this.map(|supplied| SecretField { path: supplied.path.clone(), from: supplied.from.clone() }).collect()
    }

    fn create(&mut self, kind: &Kind, wanted: &Resource, supplied: Vec<SecretField>) -> Change {
        let (mut body, _) = kind.fields().split(wanted.body.clone(), Purpose::Create);
        body.0.retain(|_, value| !value.is_null());
        let is_late = |secret: &SecretField| kind.fields().get(&secret.path).is_some_and(|field| field.written == Written::OnUpdate);
        let (late, secrets): (Vec<_>, Vec<_>) = supplied.into_iter().partition(is_late);
        let change = |action, secrets| Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets };
        if !late.is_empty() {
            self.late.push(change(Action::Update { id: None, body: Body::new(), edits: Vec::new() }, late));
        }
        if let Some(follow_up) = kind.follow_up
            && body.0.remove(follow_up.field) == Some(Value::Bool(true))
        {
            let mut done = Body::new();
            done.set(follow_up.field, Value::Bool(true));
            self.following.push(change(Action::Update { id: None, body: done, edits: Vec::new() }, Vec::new()));
        }
        let twins = self.twins(kind, wanted);
        change(Action::Create { body, twins }, secrets)
    }

    fn update(&mut self, kind: &Kind, wanted: &Resource, held: &Resource, supplied: Vec<SecretField>) -> Option<Change> {
        *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        let difference = difference(kind, &wanted.body, &held.body);
        if let Some((path, because)) = difference.fixed.iter().find(|(path, _)| kind.required.contains(&path.as_str())) {
            self.leave_out(&wanted.key, format!("its {path} differs in the target, and {because}"));
            return None;
        }
        for (path, because) in difference.fixed {
            self.plan.left_out.push(LeftOut {
                key: wanted.key.clone(),
                path: Some(path),
                because: format!("it differs in the target, and {because}"),
            });
        }
        for (path, because) in difference.stays {
            self.plan.left_alone.push(LeftOut { key: wanted.key.clone(), path: Some(path), because: because.to_owned() });
        }
        // A secret cannot be compared, so one that the target already has is not written again.
        let secrets: Vec<_> = supplied.into_iter().filter(|secret| !held.secrets.contains(&secret.path)).collect();
        if difference.body.is_empty() && secrets.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let action = Action::Update { id: Some(held.id.clone()), body: difference.body, edits: difference.edits };
        Some(Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets })
    }

    fn change_elements(&mut self, kind: &Kind, parent: &str, candidate: &Candidate<'_>) -> Option<Change> {
        let elements = |resource: &Resource| -> Vec<Value> {
            let body = normal(kind, &resource.body);
            body.get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (wanted, held) = (elements(&candidate.wanted), candidate.held.map(elements).unwrap_or_default());
        let added: Vec<Value> = wanted.iter().filter(|element| !held.contains(element)).cloned().collect();
        let removed: Vec<Value> = held.iter().filter(|element| !wanted.contains(element)).cloned().collect();
        if candidate.held.is_some() {
            *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        }
        if added.is_empty() && removed.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let Resource { key, id, .. } = &*candidate.wanted;
        let action = Action::Elements { parent: Key::new(parent, key.name()), added, removed };
        Some(Change { key: key.clone(), source_id: id.clone(), action, needs: Vec::new(), secrets: Vec::new() })
    }

    /// Names the secrets that the source holds, that are not copied and that nobody supplies.
    fn name_manual_steps(&mut self, kind: &Kind, wanted: &Resource, held: Option<&Resource>, supplied: &[SecretField]) {
        for step in kind.steps.iter().filter(|step| held.is_none() && step.when.holds(wanted.body.get(step.field))) {
            let what = step.what.replace("{domain}", &self.live.domain).replace("{name}", wanted.key.name());
            self.plan.manual.push(Manual { key: wanted.key.clone(), path: String::new(), step: what });
        }
        let made: Vec<&str> = kind.made_for(&wanted.body).collect();
        // A new one is made whether or not the source shows its own: a token may lack the scope for that.
        let unshown = made.iter().filter(|path| held.is_none() && !wanted.secrets.iter().any(|shown| shown == **path));
        for path in wanted.secrets.iter().map(String::as_str).chain(unshown.copied()) {
            let is_there =
                held.is_some_and(|held| held.secrets.iter().any(|held| held == path)) || supplied.iter().any(|secret| secret.path == path);
            let is_made = made.contains(&path);
            let step = match (held.is_some(), is_made) {
                _ if is_there => continue,
                // Where the target shows none at all, the token may not see them.
                (true, true) if !self.live.of_kind(kind.name).any(|held| held.secrets.iter().any(|held| held == path)) => continue,
                (true, true) => format!("{path} is not copied, and the {} in the target has none", kind.singular),
                (false, true) => format!("the target makes a new {path}; hand it to whoever uses this {}", kind.singular),
                (_, false) => format!("{path} is not copied; set it in the target, or supply it with a `secret` rule in the mapping"),
            };
            self.plan.manual.push(Manual { key: wanted.key.clone(), path: path.to_owned(), step });
        }
    }

    /// Puts the changes into stages, in the order that references demand; what refers to something created later is written late.
    fn stage(&mut self, changes: Vec<Change>) {
        let made: HashMap<Key, (usize, usize)> = changes
            .iter()
            .filter(|change| matches!(change.action, Action::Create { .. }))
            .map(|change| (change.key.clone(), self.turn(&change.key)))
            .collect();
        let mut early: BTreeMap<((usize, usize), bool), Vec<Change>> = BTreeMap::new();
        let mut late: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
        for mut change in changes {
            let turn = self.turn(&change.key);
            if let Some(follow_up) = split_late(self.kind_of(&change.key), &mut change, turn, &made) {
                late.entry(turn.0).or_default().push(follow_up);
            }
            let is_empty = matches!(&change.action, Action::Update { body, .. } if body.is_empty() && change.secrets.is_empty());
            if !is_empty {
                early.entry((turn, false)).or_default().push(change);
            }
        }
        for change in std::mem::take(&mut self.following) {
            early.entry((self.turn(&change.key), true)).or_default().push(change);
        }
        for change in std::mem::take(&mut self.late) {
            late.entry(self.turn(&change.key).0).or_default().push(change);
        }
        let title = |place: usize| self.catalog.kinds().nth(place).expect("a place in the catalog").title;
        let early = early.into_iter().map(|(((place, _), follows), changes)| Stage {
            title: if follows { format!("{}, once created", title(place)) } else { title(place).to_owned() },
            changes,
        });
        let late = late.into_iter().map(|(place, changes)| Stage { title: format!("{}, once everything exists", title(place)), changes });
        let mut stages: Vec<Stage> = early.chain(late).collect();
        for change in stages.iter_mut().flat_map(|stage| &mut stage.changes) {
            change.needs = needs(change, &made);
        }
        self.plan.stages = stages;
    }

    /// Returns when a resource's turn is: the place of its kind, then its number among those of one name.
    ///
    /// Resources of one name are created one after the other, so that the target lists them in the source's order.
    fn turn(&self, key: &Key) -> (usize, usize) {
        let is_numbered = self.desired.snapshot.twice.contains(key);
        let number = key.name().rsplit_once('#').and_then(|(_, number)| number.parse().ok()).filter(|_| is_numbered);
        (self.catalog.place(key.kind()), number.unwrap_or(1))
    }

    /// Returns the resources of the target that have the name of one to create and are others: names may stand twice.
    fn twins(&self, kind: &Kind, wanted: &Resource) -> Vec<Id> {
        let name = refs::portable_name(kind, &wanted.body);
        let of_that_name = self.live.of_kind(kind.name).filter(|held| refs::portable_name(kind, &held.body) == name);
        if self.live.twice.is_empty() && self.desired.snapshot.twice.is_empty() {
            Vec::new()
        } else {
            of_that_name.map(|held| held.id.clone()).collect()
        }
    }

    /// Notes the ids of what changes refer to, so that the plan alone is enough to carry it out.
    fn name_known(&mut self, partners: &Partners<'_>) {
        let ids: HashMap<&Key, &Id> = partners.live.iter().map(|resource| (&resource.key, &resource.id)).collect();
        let mut known = BTreeMap::new();
        for change in self.plan.changes() {
            let (mut mentioned, parent) = mentioned_by(change);
            mentioned.extend(parent.cloned());
            known.extend(mentioned.into_iter().filter_map(|key| ids.get(&key).map(|id| (key, (*id).clone()))));
        }
        self.plan.known = known;
    }

    fn list_target_only(&mut self, partners: &Partners<'_>) {
        for (at, resource) in partners.live.iter().enumerate() {
            if partners.paired.contains(&at) || !self.desired.snapshot.is_complete(resource.key.kind()) {
                continue;
            }
            match &resource.left_alone {
                Some(because) => self.leave_alone(&resource.key, because),
                None => self.plan.target_only.entry(resource.key.kind().to_owned()).or_default().push(resource.key.clone()),
            }
        }
    }
}

/// Takes the fields out of a change that mention what is created at the same time or later; returns the change that writes them.
fn split_late(kind: &Kind, change: &mut Change, turn: (usize, usize), made: &HashMap<Key, (usize, usize)>) -> Option<Change> {
    let own = change.key.clone();
    let is_create = matches!(change.action, Action::Create { .. });
    let (Action::Create { body, .. } | Action::Update { body, .. }) = &mut change.action else { return None };
    let waits = |value: &Value| refs::mentioned(value).iter().any(|key| made.get(key).is_some_and(|made| *made >= turn && *key != own));
    let late: Vec<String> = body
        .0
        .iter()
        .filter(|(name, value)| !kind.required.contains(&name.as_str()) && waits(value))
        .map(|(name, _)| name.clone())
        .collect();
    if late.is_empty() {
        return None;
    }
    let moved: Body = late.iter().filter_map(|name| body.0.remove(name).map(|value| (name.clone(), value))).collect();
    let (id, edits) = match &mut change.action {
        Action::Update { id, edits, .. } => {
            let is_moved = |path: &str| late.iter().any(|name| path.split('.').next() == Some(name));
            let moved = edits.extract_if(.., |edit| is_moved(&edit.path)).collect();
            (id.clone(), moved)
        }
        Action::Create { .. } | Action::Elements { .. } => (None, Vec::new()),
    };
    let body = if is_create { kind.fields().split(moved, Purpose::Update).0 } else { moved };
    let action = Action::Update { id, body, edits };
    Some(Change { key: change.key.clone(), source_id: change.source_id.clone(), action, needs: Vec::new(), secrets: Vec::new() })
}

/// Returns the keys that a change mentions, and the one it hangs on: its parent, or itself where it is yet to be created.
fn mentioned_by(change: &Change) -> (Vec<Key>, Option<&Key>) {
    let of_body = |body: &Body| body.0.values().flat_map(refs::mentioned).collect::<Vec<_>>();
    match &change.action {
        Action::Create { body, .. } | Action::Update { id: Some(_), body, .. } => (of_body(body), None),
        Action::Update { id: None, body, .. } => (of_body(body), Some(&change.key)),
        Action::Elements { parent, added, removed } => (added.iter().chain(removed).flat_map(refs::mentioned).collect(), Some(parent)),
    }
}

fn needs(change: &Change, made: &HashMap<Key, (usize, usize)>) -> Vec<Key> {
    let (mut mentioned, own) = mentioned_by(change);
    mentioned.extend(own.cloned());
    mentioned.retain(|key| made.contains_key(key));
    mentioned.sort();
    mentioned.dedup();
    mentioned
}

/// Leaves the tool's own client and its grants alone, and whatever the configuration protects.
///
/// `client` is the id of the client whose token reads this snapshot.
pub fn reserve(snapshot: &mut Snapshot, client: Option<&Id>, protected: &[glob::Pattern]) {
    let own = snapshot.resources.iter().find(|resource| resource.key.kind() == "clients" && Some(&resource.id) == client);
    let own = own.map(|resource| resource.key.clone());
    for resource in &mut snapshot.resources {
        let is_own = own.as_ref().is_some_and(|own| resource.key == *own || is_grant_of(resource, own));
        if is_own {
            resource.left_alone = Some("it is what migrate itself signs in with".to_owned());
        } else if protected.iter().any(|pattern| pattern.matches(&resource.key.to_string())) {
            resource.left_alone = Some("the configuration protects it".to_owned());
        }
    }
}

fn is_grant_of(resource: &Resource, client: &Key) -> bool {
    resource.key.kind() == "client-grants" && resource.body.get("client_id").and_then(refs::as_reference).as_ref() == Some(client)
}
