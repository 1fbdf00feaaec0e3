//! What runs leave for the next one: links, base and fingerprints of secrets, of one source and one target.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::context::Context;
use super::failure::Failure;
use crate::apply::Summary;
use crate::base::Base;
use crate::body::{Body, Packed};
use crate::catalog::{Catalog, Kind};
use crate::event::Outcome;
use crate::fingerprints::{Fingerprints, Sent};
use crate::links::Links;
use crate::plan::{Action, Change, Edit, Plan, SecretField, diff};
use crate::resource::{Id, Key, Secret};
use crate::snapshot::{Desired, Snapshot};

/// Links, base and fingerprints of one source and one target, and where they stand.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) links: Links,
    pub(super) base: Base,
    fingerprints: Fingerprints,
    links_path: PathBuf,
    base_path: PathBuf,
    fingerprints_path: PathBuf,
}

impl Memory {
    /// Reads them; where there is none, nothing is remembered.
    pub(super) fn load(context: &Context, source: &str, target: &str) -> Result<Self, Failure> {
        let links_path = Links::path(&context.folder("links")?, source, target);
        let base_path = Base::path(&context.folder("base")?, source, target);
        let fingerprints_path = Fingerprints::path(&context.folder("base")?, source, target);
        Ok(Self {
            links: Links::load(&links_path)?,
            base: Base::load(&base_path)?,
            fingerprints: Fingerprints::load(&fingerprints_path)?,
            links_path,
            base_path,
            fingerprints_path,
        })
    }

    /// Reads what is remembered of the source and the target of a plan; nothing is of what was changed by hand, one resource at a time.
    pub(super) fn of_plan(context: &Context, plan: &Plan) -> Result<Option<Self>, Failure> {
        let (source, target) = (plan.source_tenant(), &plan.target.tenant);
        (source != target).then(|| Self::load(context, source, target)).transpose()
    }

    /// Returns the same where another context keeps it, and leaves it there.
    pub(super) fn moved_to(self, context: &Context, source: &str, target: &str) -> Result<Self, Failure> {
        let Self { links_path, base_path, fingerprints_path, .. } = Self::load(context, source, target)?;
        let moved = Self { links_path, base_path, fingerprints_path, ..self };
        moved.save()?;
        Ok(moved)
    }

    /// Returns whether what was last written is not known though something was: its file is missing.
    pub(super) fn lacks_base(&self) -> bool {
        self.base.is_empty() && self.links.iter().next().is_some()
    }

    /// Writes them.
    pub(super) fn save(&self) -> Result<(), Failure> {
        self.links.save(&self.links_path)?;
        self.base.save(&self.base_path)?;
        self.fingerprints.save(&self.fingerprints_path)?;
        Ok(())
    }

    /// Links every pair that was found, so that a later rename in the source is a rename in the target.
    pub(super) fn adopt(&mut self, desired: &Desired, live: &Snapshot) {
        let wanted = &desired.snapshot.resources;
        let partners = self.links.pair(Catalog::standard(), wanted, &live.resources);
        for (source, at) in wanted.iter().zip(partners) {
            if let Some(target) = at.map(|at| &live.resources[at]).filter(|target| has_own_id(&target.id, &target.key)) {
                self.links.link(&source.id, &target.id, &source.key);
            }
        }
    }

    /// Links every pair that a plan says of what it updates, unless either is linked by now.
    pub(super) fn adopt_planned(&mut self, plan: &Plan) {
        for change in plan.changes().filter(|_| plan.undoes.is_none()) {
            let Action::Update { id: Some(id), .. } = &change.action else { continue };
            let kind = change.key.kind();
            let is_linked = self.links.of_source(kind, &change.source_id).is_some() || self.links.of_target(kind, id).is_some();
            if !is_linked && has_own_id(id, &change.key) {
                self.links.link(&change.source_id, id, &change.key);
            }
        }
    }

    /// Compares the secrets that were sent with those that are supplied now.
    pub(super) fn sent(&self, desired: &Desired, secret: &dyn Fn(&str) -> Option<Secret>) -> Sent {
        let supplied = desired.supplied.iter().map(|one| (one.key.kind(), one.path.as_str(), one.from.as_str()));
        self.fingerprints.compared(supplied, secret)
    }

    /// Remembers which secrets a run sent; `secret` returns what it sent.
    pub(super) fn remember_sent(&mut self, summary: &Summary, secret: &dyn Fn(&SecretField) -> Option<Secret>) {
        for sent in &summary.sent {
            if let Some(secret) = secret(&sent.field) {
                self.fingerprints.sent(sent.kind, &sent.id, &sent.field.path, &secret);
            }
        }
    }

    /// Remembers what a run did, as far as its plan tells: what was created, changed and removed.
    ///
    /// What was taken back is known as it was before, and the rest of its resource as it was last applied: what somebody changed there by hand
    /// stays drift. How the changes ended stands in their order. What a subscription lacks was not written: the base stays without it, so it is wanted
    /// again next time.
    pub(super) fn settle(&mut self, plan: &Plan, summary: &Summary) {
        for (change, settled) in plan.changes().zip(&summary.settled) {
            let (id, is_whole) = match &settled.outcome {
                Outcome::Applied(id) => (id, true),
                Outcome::Reduced(id, _) => (id, false),
                Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::InDoubt(_) => continue,
            };
            if plan.undoes.is_some() && matches!(change.action, Action::Create { .. } | Action::Remove { .. }) {
                self.forget(change, id);
                continue;
            }
            if matches!(change.action, Action::Create { .. }) && has_own_id(id, &change.key) {
                self.links.link(&change.source_id, id, &change.key);
            }
            if is_whole {
                self.remember(change, id);
            }
        }
    }

    fn remember(&mut self, change: &Change, id: &Id) {
        match &change.action {
            Action::Create { body, .. } => self.base.applied(&change.key, id, body.clone().into()),
            Action::Update { edits, body, .. } => {
                let Some(before) = self.base.of_target(&change.key, id) else { return };
                let mut after = before.body.open();
                for edit in edits {
                    edited(&mut after, edit);
                }
                if edits.is_empty() {
                    after.0.extend(body.0.clone());
                }
                self.base.applied(&change.key, id, after.into());
            }
            Action::Elements { added, removed, .. } => {
                let Some(before) = self.base.of_target(&change.key, id) else { return };
                let list = Catalog::standard().kind(change.key.kind()).expect("a key names a kind of the catalog").elements();
                let mut after = before.body.open();
                let known = after.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
                after.set(list, Value::Array(diff::after(&known, added, removed)));
                self.base.applied(&change.key, id, after.into());
            }
            Action::Remove { .. } => self.forget(change, id),
        }
    }

    /// Forgets what was applied of a resource, and which one it is where it is gone.
    fn forget(&mut self, change: &Change, id: &Id) {
        self.base.forget(&change.key);
        self.base.forget_target(change.key.kind(), id);
        if matches!(change.action, Action::Remove { .. }) {
            self.fingerprints.forget_target(change.key.kind(), id);
        }
        let linked = self.links.of_target(change.key.kind(), id).map(|link| link.source_id.clone());
        if let (Action::Remove { .. }, Some(source)) = (&change.action, linked) {
            self.links.unlink(change.key.kind(), &source);
        }
    }

    /// Remembers what the source wanted of everything that the target holds as it was wanted, and returns what it will hold so once the plan
    /// was carried out.
    ///
    /// What is yet to be created stands there under the id of the source.
    pub(super) fn agree(&mut self, desired: Desired, live: &Snapshot, plan: &Plan) -> Base {
        let partners = self.links.pair(Catalog::standard(), &desired.snapshot.resources, &live.resources);
        let open = Open::of(plan);
        let mut kept: HashMap<Key, Vec<String>> = HashMap::new();
        for (key, path) in desired.kept {
            kept.entry(key).or_default().push(path);
        }
        let mut promised = Base::default();
        for (wanted, at) in desired.snapshot.resources.into_iter().zip(partners).filter(|(wanted, _)| !open.left_out.contains(&wanted.key))
        {
            let (key, source_id, mut body) = (wanted.key, wanted.id, wanted.body);
            let held = at.map(|at| &live.resources[at]);
            let kept = kept.remove(&key).unwrap_or_default();
            // What was left out or left to the target is not agreed on: it is wanted once that ends. Of a list that lacks an element,
            // nothing is agreed on.
            let left_out = open.parts.get(&key).into_iter().flatten().copied();
            let not_agreed: Vec<&str> = left_out.chain(kept.iter().filter(|_| held.is_some()).map(String::as_str)).collect();
            if !not_agreed.is_empty() {
                let held = held.map(|held| held.body.open()).unwrap_or_default();
                body.change(|body| not_agreed.into_iter().for_each(|path| body.take_over(path, &held)));
            }
            let is_changed = open.changed.contains(&key);
            let own = held.filter(|_| !is_changed).map(|held| only_of(&held.body, &body));
            let (base, id) = match held {
                _ if is_changed => (&mut promised, held.map_or(&source_id, |held| &held.id)),
                Some(held) => (&mut self.base, &held.id),
                None => continue,
            };
            base.applied(&key, id, body);
            base.kept(&key, kept);
            if let Some(own) = own {
                base.seen(&key, own);
            }
        }
        promised
    }

    /// Remembers what was promised of every resource of which each change was made.
    pub(super) fn keep(&mut self, promised: &Base, plan: &Plan, summary: &Summary) {
        let mut made: HashMap<&Key, Option<&Id>> = HashMap::new();
        for (at, change) in plan.changes().enumerate() {
            let id = match summary.settled.get(at).map(|settled| &settled.outcome) {
                Some(Outcome::Applied(id)) => Some(id),
                _ => None,
            };
            made.entry(&change.key).and_modify(|all| *all = all.and(id)).or_insert(id);
        }
        for (key, applied) in promised.iter() {
            if let Some(Some(id)) = made.get(key) {
                self.base.applied(key, id, applied.body.clone());
                self.base.kept(key, applied.kept.clone());
            }
        }
    }
}

/// What a plan leaves open: what both sides do not agree on yet.
struct Open<'plan> {
    changed: HashSet<&'plan Key>,
    left_out: HashSet<&'plan Key>,
    /// Parts of resources that were left out.
    parts: HashMap<&'plan Key, BTreeSet<&'plan str>>,
}

impl<'plan> Open<'plan> {
    fn of(plan: &'plan Plan) -> Self {
        let changed = plan.changes().map(|change| &change.key).collect();
        let mut open = Self { changed, left_out: HashSet::new(), parts: HashMap::new() };
        for left in plan.left_out.iter().chain(&plan.left_alone) {
            match &left.path {
                None => drop(open.left_out.insert(&left.key)),
                Some(path) => drop(open.parts.entry(&left.key).or_default().insert(path)),
            }
        }
        open
    }
}

/// Writes into a base what an edit did. Of a list it is what came and what went: the target's own elements stay out of a base.
fn edited(base: &mut Body, edit: &Edit) {
    match (&edit.new, base.get(&edit.path), &edit.old) {
        (Some(Value::Array(new)), Some(Value::Array(known)), Some(Value::Array(old))) => {
            let lacks = |list: &[Value], element: &&Value| !list.contains(element);
            let added: Vec<Value> = new.iter().filter(|element| lacks(old, element)).cloned().collect();
            let removed: Vec<Value> = old.iter().filter(|element| lacks(new, element)).cloned().collect();
            let list = diff::after(known, &added, &removed);
            base.set(&edit.path, Value::Array(list));
        }
        (new, ..) => base.put(&edit.path, new.clone()),
    }
}

/// Returns what only the target has of a resource: its fields without those that are wanted too.
fn only_of(held: &Packed, wanted: &Packed) -> Packed {
    fn objects(held: &Map<String, Value>, wanted: &Map<String, Value>) -> Body {
        let own = held.iter().filter_map(|(name, value)| match (value, wanted.get(name)) {
            (_, None) => Some((name.clone(), value.clone())),
            (Value::Object(held), Some(Value::Object(wanted))) => {
                let own = objects(held, wanted);
                (!own.is_empty()).then(|| (name.clone(), own.into_value()))
            }
            _ => None,
        });
        own.collect()
    }
    if held == wanted { Packed::default() } else { objects(&held.open().0, &wanted.open().0).into() }
}

/// Singletons and named objects have one id in every tenant, and children have their parent's: there is nothing to link.
fn has_own_id(id: &Id, key: &Key) -> bool {
    id.as_str() != key.name() && Catalog::standard().kind(key.kind()).is_some_and(Kind::has_own_ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Settled;
    use crate::plan::{Side, Stage};
    use serde_json::json;

    fn memory() -> Memory {
        Memory {
            links: Links::default(),
            base: Base::default(),
            fingerprints: Fingerprints::default(),
            links_path: PathBuf::new(),
            base_path: PathBuf::new(),
            fingerprints_path: PathBuf::new(),
        }
    }

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    fn edit(path: &str, old: Option<Value>, new: Option<Value>) -> Edit {
        Edit { path: path.into(), old, new }
    }

    fn update(edits: Vec<Edit>) -> Action {
        Action::Update { id: Some(Id::new("t1")), body: Body::new(), edits }
    }

    /// Settles these changes of `clients/Web`, each with how it ended.
    fn settled(memory: &mut Memory, kind: &str, ended: Vec<(Action, Outcome)>) -> Option<Body> {
        let key = Key::new(kind, "Web");
        let side = |name: &str| Side { tenant: name.into(), domain: format!("{name}.example"), taken: String::new() };
        let mut plan = Plan::between(side("dev"), side("prod"));
        let mut summary = Summary::default();
        for (action, outcome) in ended {
            let change = Change { key: key.clone(), source_id: Id::new("s1"), action, needs: Vec::new(), secrets: Vec::new() };
            summary.settled.push(Settled { key: key.clone(), verb: change.verb(), outcome });
            plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        }
        memory.settle(&plan, &summary);
        memory.base.of(&key).map(|applied| applied.body.open())
    }

    fn with_base(base: Value, kind: &str) -> Memory {
        let mut memory = memory();
        memory.base.applied(&Key::new(kind, "Web"), &Id::new("t1"), body(base).into());
        memory
    }

    fn applied() -> Outcome {
        Outcome::Applied(Id::new("t1"))
    }

    #[test]
    fn of_two_updates_of_one_resource_only_the_one_that_landed_is_remembered() {
        let early = update(vec![edit("description", Some(json!("a")), Some(json!("b")))]);
        let late = update(vec![edit("allowed_clients", None, Some(json!(["c1"])))]);
        let mut memory = with_base(json!({"description": "a"}), "clients");
        let after = settled(&mut memory, "clients", vec![(early, applied()), (late, Outcome::Failed("no".into()))]);
        assert_eq!(after, Some(body(json!({"description": "b"}))));
    }

    #[test]
    fn what_a_subscription_lacks_stays_wanted() {
        let reduced = || Outcome::Reduced(Id::new("t1"), "sender_constrained: not in the subscription".into());
        let change = update(vec![edit("require_proof_of_possession", None, Some(json!(true)))]);
        let mut memory = with_base(json!({"description": "a"}), "clients");
        assert_eq!(settled(&mut memory, "clients", vec![(change, reduced())]), Some(body(json!({"description": "a"}))));
        let mut memory = self::memory();
        let create = Action::Create { body: body(json!({"name": "Web"})), twins: Vec::new() };
        assert_eq!(settled(&mut memory, "clients", vec![(create, reduced())]), None);
        assert_eq!(memory.links.iter().count(), 1, "it is there, and must not be created twice");
    }

    #[test]
    fn elements_of_the_target_stay_out_of_the_base() {
        let change = update(vec![edit("callbacks", Some(json!(["a", "own", "gone"])), Some(json!(["a", "own", "b"])))]);
        let mut memory = with_base(json!({"callbacks": ["a", "gone"]}), "clients");
        assert_eq!(settled(&mut memory, "clients", vec![(change, applied())]), Some(body(json!({"callbacks": ["a", "b"]}))));
    }

    #[test]
    fn elements_that_came_and_went_are_remembered() {
        let kind = "role-permissions";
        let (read, write) = (json!({"permission_name": "read"}), json!({"permission_name": "write"}));
        let list = Catalog::standard().kind(kind).expect("a kind").elements();
        let change = Action::Elements { parent: Key::new("roles", "Web"), added: vec![write.clone()], removed: vec![read.clone()] };
        let mut memory = with_base(json!({list: [read]}), kind);
        assert_eq!(settled(&mut memory, kind, vec![(change, applied())]), Some(body(json!({list: [write]}))));
    }
}
