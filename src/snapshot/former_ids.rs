//! Ids of deleted resources that texts still contain.
//!
//! When a resource is deleted, the tenant removes its id from some lists, but not from others, nor from code. Such an
//! id looks like plain text; with the records of this module it becomes the key of the deleted resource.

use std::collections::{HashMap, HashSet};

use super::model::Snapshot;
use super::{id_substitution, placeholder};
use crate::catalog::{Kind, ReferencedBy};
use crate::json::Body;
use crate::model::resource::{Id, Key, Resource};

/// The keys and former ids of resources that a tenant no longer has.
#[derive(Debug, Clone, Default)]
pub struct FormerIds {
    keys: HashMap<String, Key>,
    ids: HashMap<Key, String>,
}

impl FormerIds {
    /// Returns those of the given resources that the tenant no longer has, unless another resource that does not
    /// replace them has the key now.
    pub fn from<'known>(
        known: impl Iterator<Item = (&'known Key, &'known Id)>,
        live: &Snapshot,
        is_in_its_place: &dyn Fn(&Resource) -> bool,
    ) -> Self {
        let mut gone = Self::default();
        let held: HashSet<(&Kind, &Id)> = live.resources.iter().map(|one| (one.key.kind(), &one.id)).collect();
        let taken: HashSet<&Key> = live.resources.iter().filter(|one| !is_in_its_place(one)).map(|one| &one.key).collect();
        for (key, id) in known {
            let kind = key.kind();
            if kind.has_own_ids() && !held.contains(&(kind, id)) && !taken.contains(key) {
                gone.learn(key, id);
            }
        }
        gone
    }

    /// Adds a resource.
    pub fn learn(&mut self, key: &Key, id: &Id) {
        self.learn_as(key, id, id);
    }

    /// Adds a resource whose id in texts is `by`; texts in which it must not be named get the id `called`.
    pub fn learn_as(&mut self, key: &Key, by: &Id, called: &Id) {
        let kind = key.kind();
        self.keys.insert(by.own(kind).to_owned(), key.clone());
        self.ids.insert(key.clone(), called.own(kind).to_owned());
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns whether it contains a resource.
    pub fn contains(&self, key: &Key) -> bool {
        self.ids.contains_key(key)
    }

    /// Replaces former ids by keys.
    pub fn mark(&self, kind: &Kind, body: &mut Body) {
        if self.keys.is_empty() {
            return;
        }
        body.change_texts(&mut |_, text| {
            if let Some(marked) = placeholder::with_more_marked(text, &self.keys) {
                *text = marked;
            }
        });
        for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Id) {
            body.change(reference.path, &mut |value| {
                let key = value.as_str().and_then(|id| self.keys.get(id)).filter(|key| key.kind().name == reference.to);
                if let Some(key) = key {
                    *value = placeholder::for_key(key).into();
                }
            });
        }
        if let Some(settled) = id_substitution::with_known_names(kind, body, &|key| self.contains(key)) {
            *body = settled;
        }
    }

    /// Replaces keys of these resources by their former ids, except those that `is_named` accepts.
    pub fn unmark(&self, kind: &Kind, body: &mut Body, is_named: &dyn Fn(&Key) -> bool) {
        if self.keys.is_empty() {
            return;
        }
        for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Key) {
            body.change(reference.path, &mut |value| {
                if let Some(key) = id_substitution::as_reference(value).filter(|key| self.contains(key) && !is_named(key)) {
                    *value = key.name().into();
                }
            });
        }
        let id_of = |key: &Key| self.ids.get(key).filter(|_| !is_named(key)).map(String::as_str);
        body.change_texts(&mut |_, text| {
            if placeholder::keys_in(text).any(|key| id_of(&key).is_some()) {
                *text = placeholder::with_ids(text, &id_of);
            }
        });
    }
}
