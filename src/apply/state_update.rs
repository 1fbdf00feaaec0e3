//! The state of a tenant pair between runs, and how a run updates it: links, baseline and fingerprints of secrets.

use std::collections::HashMap;
use std::path::Path;

use secrecy::SecretString;
use serde_json::Value;

use super::expected_baseline::ExpectedBaseline;
use super::stale_changes::StaleChanges;
use super::summary::Summary;
use crate::catalog::{Catalog, Shape};
use crate::json::Body;
use crate::model::event::Outcome;
use crate::model::resource::{Id, Key};
use crate::model::selection::Chosen;
use crate::plan::{Action, Change, Edit, Plan, SecretField, diff, matched, remove_part};
use crate::snapshot::{Desired, Snapshot};
use crate::state::baseline::{self, Baseline};
use crate::state::fingerprints::{self, Fingerprints, SentSecrets};
use crate::state::links::{self, Links};
use crate::state::pair::{self, TenantPair};
use crate::state::source_ids::{self, SourceIds};

/// Links, baseline and fingerprints of one pair of tenants, and where they are stored.
#[derive(Debug, Clone)]
pub struct SyncState {
    /// The links.
    pub links: Links,
    /// The baseline: what was last applied.
    pub base: Baseline,
    /// Resources of the source without a link.
    pub source_ids: SourceIds,
    fingerprints: Fingerprints,
    /// Whether links exist but the baseline is missing.
    lacks_base: bool,
    pair: TenantPair,
    catalog: &'static Catalog,
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the pair.
    #[error(transparent)]
    Pair(#[from] pair::Error),
    /// The links.
    #[error(transparent)]
    Links(#[from] links::Error),
    /// The baseline.
    #[error(transparent)]
    Base(#[from] baseline::Error),
    /// The ids of the source.
    #[error(transparent)]
    SourceIds(#[from] source_ids::Error),
    /// The fingerprints.
    #[error(transparent)]
    Fingerprints(#[from] fingerprints::Error),
}

impl SyncState {
    /// Loads the state of a source and a target; it is empty before the first run.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, is malformed, or belongs to another pair.
    pub fn load(catalog: &'static Catalog, pair: TenantPair) -> Result<Self, Error> {
        pair.check()?;
        let (links, base) = (Links::load(&pair.links())?, Baseline::load(&pair.base())?);
        Ok(Self {
            lacks_base: base.was_emptied() && links.iter().next().is_some(),
            links,
            base,
            source_ids: SourceIds::load(&pair.source_ids())?,
            fingerprints: Fingerprints::load(&pair.fingerprints())?,
            pair,
            catalog,
        })
    }

    /// Returns the pair of a plan, below a folder; `None` for a single-resource edit, which leaves no state.
    ///
    /// # Errors
    ///
    /// If a tenant's name cannot be used as a folder name.
    pub fn pair_of(plan: &Plan, folder: &Path) -> Result<Option<TenantPair>, Error> {
        let (source, target) = (plan.source_tenant(), &plan.target);
        if source == target.tenant {
            return Ok(None);
        }
        // An undo has the target as its source, so only the source's name is known.
        let domain = plan.undoes.is_none().then(|| plan.source.domain.clone());
        let source = pair::TenantIdentity { tenant: source.to_owned(), domain };
        Ok(Some(TenantPair::new(folder, source, pair::TenantIdentity::new(&target.tenant, &target.domain))?))
    }

    /// Saves a copy in another folder and returns it.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn moved_to(self, folder: &Path) -> Result<Self, Error> {
        let copy = Self { pair: self.pair.clone().below(folder), ..self };
        copy.save()?;
        Ok(copy)
    }

    /// Saves the state, each file atomically.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the files before it are already written.
    pub fn save(&self) -> Result<(), Error> {
        self.pair.save()?;
        // An interruption between the two must not leave links without a baseline, as if the baseline had been lost.
        if !self.lacks_base {
            self.base.save(&self.pair.base())?;
        }
        self.links.save(&self.pair.links())?;
        self.source_ids.save(&self.pair.source_ids())?;
        self.fingerprints.save(&self.pair.fingerprints())?;
        Ok(())
    }

    /// Returns whether links exist but the baseline is missing or was emptied. Runs write both, so a missing one means
    /// that source and target must be compared anew.
    #[must_use]
    pub(crate) fn lacks_base(&self) -> bool {
        self.lacks_base
    }

    /// Compares the secrets that earlier runs sent with those supplied now.
    pub fn sent(&self, desired: &Desired, secret: &dyn Fn(&str) -> Option<SecretString>) -> SentSecrets {
        let supplied = desired.supplied.iter().map(|one| (one.key.kind().name, one.path.as_str(), one.from.as_str()));
        self.fingerprints.compared(supplied, secret)
    }

    /// Links all matches, so that a later rename in the source renames the resource in the target; excluded resources
    /// are not linked.
    fn link_matches(&mut self, desired: &Desired, live: &Snapshot, chosen: &Chosen) {
        let partners = matched(self.catalog, &desired.snapshot, live, &self.links).of_desired;
        for (source, at) in desired.snapshot.resources.iter().zip(partners).filter(|(source, _)| chosen.has(&source.key)) {
            let Some(target) = at.map(|at| &live.resources[at]) else { continue };
            let is_left_alone = source.excluded.is_some() || target.excluded.is_some();
            if !is_left_alone && has_own_id(&target.id, &target.key) {
                self.links.link(&source.id, &target.id, &source.key);
            }
        }
    }

    /// Links the pairs that a plan matched, unless one of them is already linked or has changed since.
    pub fn link_planned(&mut self, plan: &Plan, stale_changes: &StaleChanges) {
        for (key, (source, target)) in plan.equal.iter().filter(|_| plan.undoes.is_none()) {
            self.link_one(key, source, target);
        }
        self.record_source_ids(plan);
        let stands = |(at, _): &(usize, &Change)| plan.undoes.is_none() && stale_changes.reason(*at).is_none();
        for (_, change) in plan.changes().enumerate().filter(stands) {
            let Action::Update { id: Some(id), .. } = &change.action else { continue };
            self.link_one(&change.key, &change.source_id, id);
        }
    }

    /// Records resources that only the source has, and removes those that are now linked.
    fn record_source_ids(&mut self, plan: &Plan) {
        // In an undo, both sides are the target.
        for (key, id) in plan.lacking.iter().filter(|_| plan.undoes.is_none()) {
            self.source_ids.learn(key, id);
        }
        self.source_ids.forget(&|kind, id| self.links.of_source(kind, id).is_some());
    }

    fn link_one(&mut self, key: &Key, source: &Id, target: &Id) {
        let is_linked = self.links.of_source(key.kind().name, source).is_some() || self.links.of_target(key.kind().name, target).is_some();
        if !is_linked && has_own_id(target, key) {
            self.links.link(source, target, key);
        }
    }

    /// Records links and what both sides agree on before a plan is applied; returns the expected baseline.
    pub fn begin(&mut self, desired: Desired, live: &Snapshot, plan: &Plan) -> Baseline {
        let chosen = plan.chosen();
        self.link_matches(&desired, live, &chosen);
        self.record_source_ids(plan);
        let partners = matched(self.catalog, &desired.snapshot, live, &self.links).of_desired;
        let ExpectedBaseline { held, expected } = ExpectedBaseline::new(desired, live, partners, plan);
        self.record_agreed(held.into_iter().filter(|(key, _)| chosen.has(key)).collect());
        // A lost baseline remains lost for every resource outside this plan.
        self.lacks_base &= !chosen.is_everything();
        expected
    }

    /// Records what both sides already agree on.
    fn record_agreed(&mut self, agreed: Vec<(Key, baseline::AppliedResource)>) {
        for (key, baseline::AppliedResource { id, body, own, kept, refused }) in agreed {
            self.base.record_applied(&key, &id, body);
            self.base.record_kept(&key, kept);
            self.base.record_refused(&key, refused);
            if let Some(own) = own {
                self.base.record_extra(&key, own);
            }
        }
    }

    /// Records the effects of a run: the `expected` baseline, as far as it was applied, and the secrets; `secret`
    /// returns the sent values.
    pub fn learn(&mut self, plan: &Plan, summary: &Summary, expected: &Baseline, secret: &dyn Fn(&SecretField) -> Option<SecretString>) {
        self.record_outcomes(plan, summary);
        self.record_sent_secrets(summary, secret);
        self.record_expected_baseline(expected, plan, summary);
    }

    /// Follows a run within the target: what it created in place of a deleted resource takes over that one's link, and what it deleted has none
    /// any more. What was last applied stays, so that other changes of the run count as drift.
    pub fn follow(&mut self, plan: &Plan, summary: &Summary) {
        for (change, settled) in plan.changes().zip(&summary.settled) {
            if let (Action::Create { .. } | Action::Delete { .. }, Some(id)) = (&change.action, settled.outcome.id()) {
                self.forget(change, id);
                self.relink(change, id);
            }
        }
    }

    /// Records the secrets that a run sent.
    fn record_sent_secrets(&mut self, summary: &Summary, secret: &dyn Fn(&SecretField) -> Option<SecretString>) {
        for sent in &summary.sent {
            if let Some(secret) = secret(&sent.field) {
                self.fingerprints.record_sent(sent.kind, &sent.id, &sent.field.path, &secret);
            }
        }
    }

    /// Records the creates, updates and deletes of a run, in order of their outcomes.
    ///
    /// After an undo, the reverted fields get their previous values and all others those last applied, so that manual
    /// changes are still reported as drift. Parts that the target refused are left out of the baseline, so that they
    /// are planned again.
    fn record_outcomes(&mut self, plan: &Plan, summary: &Summary) {
        for (at, change) in plan.changes().enumerate() {
            let Some(settled) = summary.result_of(at) else { continue };
            let (id, arrived) = match &settled.outcome {
                Outcome::Applied(id) => (id, Some(change.clone())),
                Outcome::Partial(id, short) => (id, Some(change.without(&short.parts)).filter(|_| !short.parts.is_empty())),
                Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Unknown(_) => continue,
            };
            if plan.undoes.is_some() && matches!(change.action, Action::Create { .. } | Action::Delete { .. }) {
                self.forget(change, id);
                self.relink(change, id);
                continue;
            }
            if matches!(change.action, Action::Create { .. }) && has_own_id(id, &change.key) {
                self.links.link(&change.source_id, id, &change.key);
            }
            if let Some(arrived) = arrived {
                self.record_change(&arrived, id);
            }
            if let (Action::Create { .. }, Outcome::Partial(_, short)) = (&change.action, &settled.outcome) {
                self.base.record_refused(&change.key, short.parts.clone());
            }
        }
    }

    fn record_change(&mut self, change: &Change, id: &Id) {
        match &change.action {
            Action::Create { body, .. } => self.base.record_applied(&change.key, id, body.clone().into()),
            // A repeated write changes nothing in the baseline, and may include the target's own values.
            Action::Update { .. } if change.is_repeated() => {}
            Action::Update { edits, body, .. } => {
                let Some(before) = self.base.of_target(&change.key, id) else { return };
                let mut after = before.body.open();
                for edit in edits {
                    edited(&mut after, edit);
                }
                if edits.is_empty() {
                    after.0.extend(body.0.clone());
                }
                self.base.record_applied(&change.key, id, after.into());
            }
            Action::Elements { added, removed, .. } => {
                let Some(before) = self.base.of_target(&change.key, id) else { return };
                let list = change.key.kind().elements();
                let mut after = before.body.open();
                let known = after.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
                after.set(list, Value::Array(diff::list_after(&known, added, removed)));
                self.base.record_applied(&change.key, id, after.into());
            }
            Action::Delete { .. } => self.forget(change, id),
        }
    }

    /// Links resources that an undo recreated, and unlinks deleted resources that the source still has.
    ///
    /// Resources deleted because the source no longer has them stay linked: texts in both tenants may contain their
    /// ids.
    fn relink(&mut self, change: &Change, id: &Id) {
        let kind = change.key.kind();
        let was = if matches!(change.action, Action::Delete { .. }) { id } else { &change.source_id };
        let Some(link) = self.links.of_target(kind.name, was).cloned() else { return };
        match change.action {
            Action::Delete { .. } => {
                self.links.unlink(kind.name, &link.source_id);
                self.source_ids.learn(&Key::new(kind, &link.key), &link.source_id);
            }
            _ => self.links.link(&link.source_id, id, &Key::new(kind, &link.key)),
        }
    }

    /// Removes everything recorded about a resource; for a deleted one, also about its lists, which a tenant deletes with it.
    fn forget(&mut self, change: &Change, id: &Id) {
        self.base.forget(&change.key);
        self.base.forget_target(change.key.kind(), id);
        if matches!(change.action, Action::Delete { .. }) {
            self.fingerprints.forget_target(change.key.kind().name, id);
            let children = self.catalog.children_of(change.key.kind().name).filter(|kind| matches!(kind.shape, Shape::Child { .. }));
            children.for_each(|child| self.base.forget(&Key::new(child, change.key.name())));
        }
    }

    /// Records the expected baseline of every resource whose changes were all applied, without refused parts.
    fn record_expected_baseline(&mut self, expected: &Baseline, plan: &Plan, summary: &Summary) {
        let mut made: HashMap<&Key, Option<&Id>> = HashMap::new();
        let mut refused: HashMap<&Key, Vec<(&Change, &str)>> = HashMap::new();
        for (at, change) in plan.changes().enumerate() {
            let id = match summary.result_of(at).map(|settled| &settled.outcome) {
                Some(Outcome::Applied(id)) => Some(id),
                Some(Outcome::Partial(id, short)) if !short.parts.is_empty() => {
                    let parts = short.parts.iter().map(|part| (change, part.as_str()));
                    refused.entry(&change.key).or_default().extend(parts);
                    Some(id)
                }
                _ => None,
            };
            made.entry(&change.key).and_modify(|all| *all = all.and(id)).or_insert(id);
        }
        for (key, applied) in expected.iter() {
            if let Some(Some(id)) = made.get(key) {
                let mut body = applied.body.clone();
                let refused = refused.remove(key).unwrap_or_default();
                if !refused.is_empty() {
                    body.change(|body| refused.iter().for_each(|(change, part)| restore_previous(body, change, part)));
                }
                self.base.record_applied(key, id, body);
                self.base.record_kept(key, applied.kept.clone());
                let at_birth = refused.iter().filter(|(change, _)| matches!(change.action, Action::Create { .. }));
                self.base.record_refused(key, at_birth.map(|(_, part)| (*part).to_owned()).collect());
            }
        }
    }
}

/// Returns whether a resource has an id of its own to link. Singletons and keyed resources have the same id in every tenant, and
/// children have their parent's.
fn has_own_id(id: &Id, key: &Key) -> bool {
    id.as_str() != key.name() && key.kind().has_own_ids()
}

/// Restores in a baseline the value that the target had before it refused a part, so that the part is planned
/// again.
fn restore_previous(body: &mut Body, change: &Change, part: &str) {
    if let Action::Elements { added, removed, .. } = &change.action {
        let left: Change = change.without(&[part.to_owned()]);
        let Action::Elements { added: came, removed: went, .. } = &left.action else { return };
        let list = change.key.kind().elements();
        let known = body.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let lacks = |all: &[Value], some: &[Value]| all.iter().filter(|one| !some.contains(one)).cloned().collect::<Vec<_>>();
        body.set(list, Value::Array(diff::list_after(&known, &lacks(removed, went), &lacks(added, came))));
        return;
    }
    remove_part(body, part);
    if let Some(held) = change.before(part) {
        body.set(part, held.clone());
    }
}

/// Applies an edit to a baseline. In lists it only adds and removes elements, so that the target's own elements stay
/// out.
fn edited(base: &mut Body, edit: &Edit) {
    match (&edit.new, base.get(&edit.path), &edit.old) {
        (Some(Value::Array(new)), Some(Value::Array(known)), Some(Value::Array(old))) => {
            let lacks = |list: &[Value], element: &&Value| !list.contains(element);
            let added: Vec<Value> = new.iter().filter(|element| lacks(old, element)).cloned().collect();
            let removed: Vec<Value> = old.iter().filter(|element| lacks(new, element)).cloned().collect();
            let list = diff::list_after(known, &added, &removed);
            base.set(&edit.path, Value::Array(list));
        }
        (new, ..) => base.put(&edit.path, new.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::ChangeResult;
    use crate::model::event::Shortfall;
    use crate::model::resource::key;
    use crate::plan::{PlannedTenant, Stage};
    use serde_json::json;

    fn sync_state() -> SyncState {
        SyncState {
            lacks_base: false,
            links: Links::default(),
            base: Baseline::default(),
            source_ids: SourceIds::default(),
            fingerprints: Fingerprints::default(),
            pair: TenantPair::default(),
            catalog: Catalog::standard(),
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

    /// Settles these changes of `clients/Web` with these outcomes.
    fn settled(sync_state: &mut SyncState, kind: &str, ended: Vec<(Action, Outcome)>) -> Option<Body> {
        let key = key(&format!("{kind}/Web"));
        let side = |name: &str| PlannedTenant::new(name, &format!("{name}.example"), "");
        let mut plan = Plan::between(side("dev"), side("prod"));
        let mut summary = Summary::default();
        for (index, (action, outcome)) in ended.into_iter().enumerate() {
            let change = Change { key: key.clone(), source_id: Id::new("s1"), action, needs: Vec::new(), secrets: Vec::new() };
            summary.settled.push(ChangeResult {
                index,
                key: key.clone(),
                operation: change.operation(),
                outcome,
                altered: Vec::new(),
                at: None,
            });
            plan.stages.push(Stage { title: String::new(), changes: vec![change] });
        }
        sync_state.record_outcomes(&plan, &summary);
        sync_state.base.get(&key).map(|applied| applied.body.open())
    }

    fn with_base(base: Value, kind: &str) -> SyncState {
        let mut sync_state = sync_state();
        sync_state.base.record_applied(&key(&format!("{kind}/Web")), &Id::new("t1"), body(base).into());
        sync_state
    }

    fn applied() -> Outcome {
        Outcome::Applied(Id::new("t1"))
    }

    #[test]
    fn of_two_updates_of_a_resource_only_the_applied_one_is_recorded() {
        let early = update(vec![edit("description", Some(json!("a")), Some(json!("b")))]);
        let late = update(vec![edit("allowed_clients", None, Some(json!(["c1"])))]);
        let mut sync_state = with_base(json!({"description": "a"}), "clients");
        let after = settled(&mut sync_state, "clients", vec![(early, applied()), (late, Outcome::Failed("no".into()))]);
        assert_eq!(after, Some(body(json!({"description": "b"}))));
    }

    #[test]
    fn fields_that_the_subscription_lacks_remain_desired() {
        let short = || Shortfall { parts: vec!["require_proof_of_possession".into()], message: "not in the subscription".into() };
        let partial = || Outcome::Partial(Id::new("t1"), short());
        let change = update(vec![edit("require_proof_of_possession", None, Some(json!(true)))]);
        let mut sync_state = with_base(json!({"description": "a"}), "clients");
        assert_eq!(settled(&mut sync_state, "clients", vec![(change, partial())]), Some(body(json!({"description": "a"}))));
        let mut sync_state = self::sync_state();
        let whole = json!({"name": "Web", "require_proof_of_possession": true});
        let create = Action::Create { body: body(whole), twins: Vec::new() };
        assert_eq!(settled(&mut sync_state, "clients", vec![(create, partial())]), Some(body(json!({"name": "Web"}))));
        assert_eq!(sync_state.links.iter().count(), 1, "it is there, and must not be created twice");
        let remembered = sync_state.base.get(&key("clients/Web")).map(|applied| applied.refused.clone());
        assert_eq!(
            remembered,
            Some(vec!["require_proof_of_possession".to_owned()]),
            "what the target sets there instead is nobody's change"
        );
    }

    #[test]
    fn elements_of_the_target_stay_out_of_the_baseline() {
        let change = update(vec![edit("callbacks", Some(json!(["a", "own", "gone"])), Some(json!(["a", "own", "b"])))]);
        let mut sync_state = with_base(json!({"callbacks": ["a", "gone"]}), "clients");
        assert_eq!(settled(&mut sync_state, "clients", vec![(change, applied())]), Some(body(json!({"callbacks": ["a", "b"]}))));
    }

    #[test]
    fn added_and_removed_elements_are_recorded() {
        let kind = "role-permissions";
        let (read, write) = (json!({"permission_name": "read"}), json!({"permission_name": "write"}));
        let list = Catalog::standard().kind(kind).expect("a kind").elements();
        let change = Action::Elements { parent: key("roles/Web"), added: vec![write.clone()], removed: vec![read.clone()] };
        let mut sync_state = with_base(json!({list: [read]}), kind);
        assert_eq!(settled(&mut sync_state, kind, vec![(change, applied())]), Some(body(json!({list: [write]}))));
    }
}
