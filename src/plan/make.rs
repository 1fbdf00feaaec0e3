//! Desired, live and links -> plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::by_hand::{leave_sealed, open_seals, steps, withheld};
use super::diff::{Difference, difference_after, normal};
use super::follow;
use super::merge::{Merged, OnDrift, merge};
use super::pairs::{Partners, TakenNames, ambiguous};
use super::resolve::{Candidate, Examined, Verdict, keep_elements_of_the_target, keep_held, resolve, spare};
use super::stages::{After, mentioned_by, removals, staged};
use super::supplied::{carry, due};
use super::{Action, Change, LeftOut, Manual, Plan, SecretField, Side};
use crate::base::Base;
use crate::body::{Body, covers, is_blank};
use crate::catalog::{Catalog, Kind, Named, Purpose, Shape, Written};
use crate::fingerprints::Sent;
use crate::links::{Link, Links};
use crate::resource::{Id, Key, Opened, Resource};
use crate::snapshot::{Desired, Snapshot, Status, refs};

/// Why a singleton stays as the target has it.
pub(super) const SAYS_NOTHING: &str = "the source says nothing of it";

/// What earlier runs left, and what is to be done about it.
#[derive(Debug, Clone, Copy)]
pub struct Past<'past> {
    /// Which resource is which.
    pub links: &'past Links,
    /// What was last applied.
    pub base: &'past Base,
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
    let (base, sent) = (&Base::default(), &Sent::default());
    plan_after(catalog, desired, live, Past { links, base, sent, on_drift: OnDrift::Keep, prune: false, keeps_own: true })
}

/// Decides what it takes to make the target hold what is desired, after what earlier runs left.
pub fn plan_after(catalog: &Catalog, desired: &Desired, live: &Snapshot, past: Past<'_>) -> Plan {
    let partners = Partners::of(catalog, &desired.snapshot.resources, live, past.links);
    let mut making = Making { catalog, desired, live, past, plan: empty(&desired.snapshot, live), after: Vec::new() };
    making.leave_out_unread();
    let mut candidates = making.candidates(&partners);
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
    let after = std::mem::take(&mut making.after);
    making.plan.stages = staged(catalog, changes, after, &|key| making.turn(key));
    making.list_target_only(&partners);
    making.name_known(&partners);
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
    past: Past<'inputs>,
    plan: Plan,
    /// Changes made after the first one of the same resource.
    after: Vec<(After, Change)>,
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
        let mut names = TakenNames::of_target(self.catalog, &desired.snapshot.resources, partners);
        let ambiguous = ambiguous(self.catalog, desired, self.live, self.past.links);
        for (wanted, at) in desired.snapshot.resources.iter().zip(&partners.of_desired) {
            let held = at.map(|at| &*partners.live[at]);
            let kind = self.kind_of(&wanted.key);
            if let Some(because) = wanted.left_alone.as_deref().or(held.and_then(|held| held.left_alone.as_deref())) {
                self.leave_alone(&wanted.key, because);
                continue;
            }
            if let (None, Some(link), true) = (held, self.past.links.of_source(kind.name, &wanted.id), self.live.is_complete(kind.name)) {
                let hint = format!("`migrate unlink {} {}` lets it be made anew", kind.name, wanted.id);
                self.leave_out(
                    &wanted.key,
                    format!("the {} it is linked to ({}) is gone from the target; {hint}", kind.singular, link.target_id),
                );
                continue;
            }
            if let Some(because) = ambiguous.get(&wanted.id).filter(|_| kind.shares_keys) {
                self.leave_out(&wanted.key, because.as_str());
                continue;
            }
            if let (None, Some(what)) = (held, kind.by_hand) {
                self.plan.manual.push(Manual { key: wanted.key.clone(), path: String::new(), step: what.to_owned() });
                continue;
            }
            if let Some(path) = held.is_none().then(|| withheld(kind, wanted, &self.supplied(&wanted.key))).flatten() {
                let step = format!("{path} is needed to make it and is not copied; supply it with a `secret` rule in the mapping");
                self.plan.manual.push(Manual { key: wanted.key.clone(), path: path.to_owned(), step });
                self.leave_out(&wanted.key, format!("it cannot be made without its {path}"));
                continue;
            }
            if let Some(language) = self.language_the_target_lacks(kind, wanted) {
                self.leave_out(&wanted.key, format!("{language} will be none of the target's languages"));
                continue;
            }
            if kind.shape == Shape::Singleton && wanted.says_nothing() {
                if held.is_some_and(|held| !held.says_nothing()) {
                    self.leave_alone(&wanted.key, SAYS_NOTHING);
                }
                continue;
            }
            match (self.live.kinds.get(kind.name), kind.not_created) {
                // What says nothing is not missed where it cannot be written.
                (Some(Status::Absent(_) | Status::Forbidden(_)), _) if says_nothing(kind, wanted) => {}
                (Some(Status::Complete), Some(_)) if held.is_none() && says_nothing(kind, wanted) => {}
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
        let of_source = &self.desired.snapshot.resources;
        let alone = of_source.iter().filter(|resource| resource.left_alone.is_some() && !there.contains(&resource.key));
        let mut alone: HashSet<Key> = alone.map(|resource| resource.key.clone()).collect();
        loop {
            let before = candidates.len();
            let mut fitting = Vec::with_capacity(before);
            for mut candidate in candidates.drain(..) {
                let kind = self.kind_of(&candidate.wanted.key);
                let mut examined = candidate.examine();
                match spare(kind, &mut examined, &alone) {
                    Ok(spared) => self.plan.left_alone.extend(spared),
                    Err(because) => {
                        self.leave_alone(&candidate.wanted.key, &because);
                        there.remove(&candidate.wanted.key);
                        alone.insert(candidate.wanted.key.clone());
                        continue;
                    }
                }
                let is_orphan =
                    matches!(kind.shape, Shape::Child { parent, .. } if !there.contains(&Key::new(parent, candidate.wanted.key.name())));
                let verdict = if is_orphan {
                    Verdict::LeftOut("the resource it belongs to is left out".to_owned())
                } else {
                    resolve(kind, &mut examined, &|key| there.contains(key))
                };
                match verdict {
                    Verdict::Fits(parts) => {
                        self.plan.left_out.extend(parts);
                        candidate.keep(examined);
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

    /// Returns the change a candidate needs, if any, and notes what a person must know about it.
    fn change(&mut self, candidate: Examined<'_>) -> Option<Change> {
        let kind = self.kind_of(&candidate.wanted.key);
        let (wanted, held) = (candidate.wanted, candidate.held.map(Resource::open));
        if let Shape::Child { parent, .. } = kind.shape {
            return self.change_elements(kind, parent, &wanted, held.as_ref());
        }
        let supplied = self.supplied(&wanted.key);
        self.plan.manual.extend(steps(kind, &wanted, held.as_ref(), &supplied, self.live));
        match held {
            None => Some(self.create(kind, wanted, supplied)),
            Some(held) => self.update(kind, wanted, held, supplied),
        }
    }

    /// Returns what a resource of a kind with a name for each element of a list stands for, where the target's list will not hold it.
    fn language_the_target_lacks(&self, kind: &Kind, one: &Resource) -> Option<String> {
        let Shape::Keyed { names: Named::EachWith { of, list, .. } } = kind.shape else { return None };
        let listed =
            |snapshot: &Snapshot| snapshot.of_kind(of).next().and_then(|one| one.body.pick(&[list]).get(list)?.as_array().cloned());
        let is_kept = self.desired.kept.iter().any(|(key, path)| key.kind() == of && covers(path, list));
        let wanted = listed(&self.desired.snapshot).filter(|_| !is_kept);
        let languages = wanted.or_else(|| listed(self.live))?;
        let own = kind.key.last().and_then(|field| one.body.pick(&[field]).text(field).map(str::to_owned))?;
        (!languages.iter().any(|language| *language == own)).then_some(own)
    }

    fn supplied(&self, key: &Key) -> Vec<SecretField> {
        let of_this = self.desired.supplied.iter().filter(|supplied| supplied.key == *key);
        of_this.map(|supplied| SecretField { path: supplied.path.clone(), from: supplied.from.clone(), is_changed: false }).collect()
    }

    fn create(&mut self, kind: &Kind, mut wanted: Opened, supplied: Vec<SecretField>) -> Change {
        let draft = follow::set_draft_aside(kind, &mut wanted.body, None);
        let wanted = &wanted;
        let (mut body, _) = kind.fields().split(wanted.body.clone(), Purpose::Create);
        body.0.retain(|_, value| !value.is_null());
        open_seals(kind, &mut body);
        let is_late = |secret: &SecretField| kind.fields().get(&secret.path).is_some_and(|field| field.written == Written::OnUpdate);
        let (late, secrets): (Vec<_>, Vec<_>) = supplied.into_iter().partition(is_late);
        let change = |action, secrets| Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets };
        if !late.is_empty() {
            self.after.push((After::Everything, change(Action::Update { id: None, body: Body::new(), edits: Vec::new() }, late)));
        }
        let edited = |body| Action::Update { id: None, body, edits: Vec::new() };
        if let Some(done) = follow::take_done(kind, &mut body) {
            self.after.push((After::Made, change(edited(done), Vec::new())));
        }
        if let Some(draft) = draft {
            self.after.push((After::Done, change(edited(draft.body), Vec::new())));
        }
        if let Some(rest) = only_updated(kind, wanted) {
            self.after.push((After::Made, change(edited(rest), Vec::new())));
        }
        let twins = self.twins(kind, wanted);
        change(Action::Create { body, twins }, secrets)
    }

    fn update(&mut self, kind: &Kind, mut wanted: Opened, mut held: Opened, supplied: Vec<SecretField>) -> Option<Change> {
        *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        let draft = follow::set_draft_aside(kind, &mut wanted.body, Some(&mut held.body));
        let (wanted, held) = (&wanted, &held);
        if let Some(Difference { body, edits, .. }) = draft {
            let action = Action::Update { id: Some(held.id.clone()), body, edits };
            let change = Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets: Vec::new() };
            self.after.push((After::Done, change));
        }
        let merged = self.merged(kind, wanted, held)?;
        let (body, dropped) = merged.as_ref().map_or((&wanted.body, &[][..]), |merged| (&merged.body, &merged.dropped));
        let mut difference = difference_after(kind, body, &held.body, dropped);
        self.plan.left_out.extend(leave_sealed(kind, wanted, held, &mut difference, &supplied));
        if let Some((path, because)) = difference.fixed.iter().find(|(path, _)| kind.required.contains(&path.as_str())) {
            self.leave_out(&wanted.key, format!("its {path} differs in the target, and {because}"));
            return None;
        }
        for (path, because) in std::mem::take(&mut difference.fixed) {
            self.plan.left_out.push(LeftOut {
                key: wanted.key.clone(),
                path: Some(path),
                because: format!("it differs in the target, and {because}"),
            });
        }
        for (path, because) in std::mem::take(&mut difference.stays) {
            self.plan.left_alone.push(LeftOut { key: wanted.key.clone(), path: Some(path), because: because.to_owned() });
        }
        let secrets = due(kind, &held.id, &difference, supplied, self.past.sent);
        carry(kind, &secrets, body, &held.body, &mut difference);
        if difference.body.is_empty() && secrets.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let action = Action::Update { id: Some(held.id.clone()), body: difference.body, edits: difference.edits };
        Some(Change { key: wanted.key.clone(), source_id: wanted.id.clone(), action, needs: Vec::new(), secrets })
    }

    fn change_elements(&mut self, kind: &Kind, parent: &str, candidate: &Opened, there: Option<&Opened>) -> Option<Change> {
        let elements =
            |body: &Body| -> Vec<Value> { normal(kind, body).get(kind.elements()).and_then(Value::as_array).cloned().unwrap_or_default() };
        let merged = match there {
            Some(held) => self.merged(kind, candidate, held)?,
            None => None,
        };
        let held = there.map(|held| elements(&held.body)).unwrap_or_default();
        let wanted = elements(merged.as_ref().map_or(&candidate.body, |merged| &merged.body));
        let added: Vec<Value> = wanted.iter().filter(|element| !held.contains(element)).cloned().collect();
        let removed: Vec<Value> = held.iter().filter(|element| !wanted.contains(element)).cloned().collect();
        if there.is_some() {
            *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
        }
        if added.is_empty() && removed.is_empty() {
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
            return None;
        }
        let Opened { key, id, .. } = candidate;
        let action = Action::Elements { parent: Key::new(parent, key.name()), added, removed };
        Some(Change { key: key.clone(), source_id: id.clone(), action, needs: Vec::new(), secrets: Vec::new() })
    }

    /// Merges what is wanted into what is held by what was last applied; nothing where that is not known or both hold the same.
    ///
    /// The outer nothing says that both changed one field, each in its way: such a resource is left out.
    #[expect(clippy::option_option, reason = "whether it can be planned, and whether there is a base")]
    fn merged(&mut self, kind: &Kind, wanted: &Opened, held: &Opened) -> Option<Option<Merged>> {
        let is_equal = wanted.body == held.body;
        let Some(base) = self.past.base.of_target(&wanted.key, &held.id).filter(|_| !is_equal) else { return Some(None) };
        let mut merged = merge(kind, base, &wanted.body, &held.body, self.past.on_drift);
        if !merged.conflicts.is_empty() {
            let fields = merged.conflicts.join(", ");
            self.leave_out(&wanted.key, format!("both tenants changed its {fields} since the last run; settle it in one of them"));
            return None;
        }
        let drift = merged.told(&wanted.key);
        self.plan.drift.extend(drift);
        Some(Some(merged))
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
    fn twins(&self, kind: &Kind, wanted: &Opened) -> Vec<Id> {
        if self.live.twice.is_empty() && self.desired.snapshot.twice.is_empty() {
            return Vec::new();
        }
        let name = refs::portable_name(kind, &wanted.body);
        let of_that_name = self.live.of_kind(kind.name).filter(|held| refs::portable_name_of(kind, held) == name);
        of_that_name.map(|held| held.id.clone()).collect()
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
        let mut removed: Vec<&Resource> = Vec::new();
        for (at, resource) in partners.live.iter().enumerate() {
            if partners.paired.contains(&at) || !self.desired.snapshot.is_complete(resource.key.kind()) {
                continue;
            }
            match &resource.left_alone {
                Some(because) => self.leave_alone(&resource.key, because),
                None if self.is_pruned(resource) => removed.push(resource),
                None => self.plan.target_only.entry(resource.key.kind().to_owned()).or_default().push(resource.key.clone()),
            }
        }
        let because = format!("gone from {}", self.desired.snapshot.tenant);
        self.plan.stages.extend(removals(self.catalog, removed.into_iter(), &because));
    }

    /// Returns whether a resource that only the target has goes: an earlier run made or adopted it, and the source, which lists its kind
    /// whole and with more than what is left alone, has it no more.
    fn is_pruned(&self, resource: &Resource) -> bool {
        let kind = self.kind_of(&resource.key);
        let has_others = || self.desired.snapshot.of_kind(kind.name).any(|one| one.left_alone.is_none());
        let is_skipped = |link: &Link| self.desired.skipped.contains(&(link.kind.clone(), link.source_id.clone()));
        let link = self.past.links.of_target(kind.name, &resource.id);
        self.past.prune && kind.has_own_ids() && has_others() && link.is_some_and(|link| !is_skipped(link))
    }
}

/// Returns whether a resource holds nothing but its name and what the server fills in anyway.
fn says_nothing(kind: &Kind, wanted: &Resource) -> bool {
    let mut wanted = wanted.open();
    wanted.body = normal(kind, &wanted.body);
    wanted.is_blank(kind)
}

/// Returns the fields that a create refuses and an update takes, where there is something to say.
fn only_updated(kind: &Kind, wanted: &Opened) -> Option<Body> {
    let is_only_updated = |name: &str| kind.fields().get(name).is_some_and(|field| field.written == Written::OnUpdate);
    let says = |name: &str, value: &Value| !is_blank(value) && kind.default_of(name).as_ref() != Some(value);
    let rest = wanted.body.0.iter().filter(|(name, value)| is_only_updated(name) && says(name, value));
    let rest: Body = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!rest.is_empty()).then_some(rest)
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
    let owner = || resource.body.pick(&["client_id"]).get("client_id").and_then(refs::as_reference);
    resource.key.kind() == "client-grants" && owner().as_ref() == Some(client)
}
