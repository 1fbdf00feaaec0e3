//! What runs leave for the next one: links and base, of one source and one target.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use super::context::Context;
use super::failure::Failure;
use crate::apply::Summary;
use crate::base::Base;
use crate::body::Body;
use crate::catalog::{Catalog, Kind};
use crate::links::Links;
use crate::plan::{Action, Plan};
use crate::resource::{Id, Key, Resource};
use crate::snapshot::{Desired, Snapshot};

/// Links and base of one source and one target, and where they stand.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) links: Links,
    pub(super) base: Base,
    links_path: PathBuf,
    base_path: PathBuf,
}

impl Memory {
    /// Reads both; where there is none, nothing is remembered.
    pub(super) fn load(context: &Context, source: &str, target: &str) -> Result<Self, Failure> {
        let links_path = Links::path(&context.folder("links")?, source, target);
        let base_path = Base::path(&context.folder("base")?, source, target);
        Ok(Self { links: Links::load(&links_path)?, base: Base::load(&base_path)?, links_path, base_path })
    }

    /// Writes both.
    pub(super) fn save(&self) -> Result<(), Failure> {
        self.links.save(&self.links_path)?;
        self.base.save(&self.base_path)?;
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

    /// Remembers what a run did, as far as its plan tells: what was created, changed and removed.
    pub(super) fn settle(&mut self, plan: &Plan, summary: &Summary) {
        let settled: HashMap<(&Key, &str), &Id> =
            summary.settled.iter().filter_map(|one| one.outcome.id().map(|id| ((&one.key, one.verb), id))).collect();
        for change in plan.changes() {
            let Some(id) = settled.get(&(&change.key, change.verb())) else { continue };
            match &change.action {
                Action::Create { body, .. } => {
                    if has_own_id(id, &change.key) {
                        self.links.link(&change.source_id, id, &change.key);
                    }
                    self.base.applied(&change.key, id, body.clone());
                }
                Action::Update { edits, body, .. } => {
                    let Some(before) = self.base.of(&change.key) else { continue };
                    let mut after = before.body.clone();
                    for edit in edits {
                        match &edit.new {
                            Some(value) => after.set(&edit.path, value.clone()),
                            None => drop(after.take(&edit.path)),
                        }
                    }
                    if edits.is_empty() {
                        after.0.extend(body.0.clone());
                    }
                    let id = before.id.clone();
                    self.base.applied(&change.key, &id, after);
                }
                Action::Elements { .. } => self.base.forget(&change.key),
                Action::Remove { id, .. } => {
                    self.base.forget(&change.key);
                    let linked = self.links.of_target(change.key.kind(), id).map(|link| link.source_id.clone());
                    if let Some(source) = linked {
                        self.links.unlink(change.key.kind(), &source);
                    }
                }
            }
        }
    }

    /// Remembers what the source wanted of everything that the target holds as it was wanted.
    pub(super) fn agree(&mut self, desired: Desired, live: &Snapshot, plan: &Plan, summary: &Summary) {
        let partners = self.links.pair(Catalog::standard(), &desired.snapshot.resources, &live.resources);
        let changed: HashSet<&Key> = plan.changes().map(|change| &change.key).collect();
        let undone: HashSet<&Key> =
            summary.settled.iter().filter(|one| !matches!(one.outcome, crate::event::Outcome::Applied(_))).map(|one| &one.key).collect();
        let reached: BTreeMap<&Key, &Id> = summary.settled.iter().filter_map(|one| one.outcome.id().map(|id| (&one.key, id))).collect();
        let out = plan.left_out.iter().chain(&plan.left_alone).filter(|left| left.path.is_none());
        let out: HashSet<&Key> = out.map(|left| &left.key).collect();
        let mut parts: HashMap<&Key, BTreeSet<&str>> = HashMap::new();
        for left in plan.left_out.iter().chain(&plan.left_alone) {
            if let Some(path) = &left.path {
                parts.entry(&left.key).or_default().insert(path);
            }
        }
        for (wanted, at) in desired.snapshot.resources.into_iter().zip(partners) {
            let key = wanted.key.clone();
            let is_reached = !changed.contains(&key) || reached.contains_key(&key);
            if out.contains(&key) || undone.contains(&key) || !is_reached {
                continue;
            }
            let held = at.map(|at| &live.resources[at]);
            let Some(id) = held.map(|held| &held.id).or_else(|| reached.get(&key).copied()).cloned() else { continue };
            let mut body = wanted.body;
            for path in parts.get(&key).into_iter().flatten().filter(|path| !path.contains('[')) {
                // What was left out is not agreed on: it is wanted again next time.
                let own = held.and_then(|held| held.body.get(path)).cloned();
                match own {
                    Some(value) => body.set(path, value),
                    None => drop(body.take(path)),
                }
            }
            let own = held.filter(|_| !changed.contains(&key)).map(|held| only_of(held, &body));
            self.base.applied(&key, &id, body);
            if let Some(own) = own {
                self.base.seen(&key, own);
            }
        }
    }
}

/// Returns what only the target has of a resource: its fields without those that are wanted too.
fn only_of(held: &Resource, wanted: &Body) -> Body {
    fn objects(held: &serde_json::Map<String, serde_json::Value>, wanted: &serde_json::Map<String, serde_json::Value>) -> Body {
        let own = held.iter().filter_map(|(name, value)| match (value, wanted.get(name)) {
            (_, None) => Some((name.clone(), value.clone())),
            (serde_json::Value::Object(held), Some(serde_json::Value::Object(wanted))) => {
                let own = objects(held, wanted);
                (!own.is_empty()).then(|| (name.clone(), own.into_value()))
            }
            _ => None,
        });
        own.collect()
    }
    objects(&held.body.0, &wanted.0)
}

/// Singletons and named objects have one id in every tenant, and children have their parent's: there is nothing to link.
fn has_own_id(id: &Id, key: &Key) -> bool {
    id.as_str() != key.name() && Catalog::standard().kind(key.kind()).is_some_and(Kind::has_own_ids)
}
