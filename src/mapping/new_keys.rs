//! The keys of resources after the rules, if these rename them or change their key fields.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::attribution::Attribution;
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::Body;
use crate::model::resource::{Key, Resource};
use crate::snapshot::{Desired, id_substitution};

/// Two resources that a mapping gives the same key.
#[derive(Debug, thiserror::Error)]
#[error("the mapping gives \"{one}\" and \"{other}\" the same name, \"{name}\"")]
pub struct KeyCollision {
    /// The key of the first resource in the source.
    pub one: Key,
    /// The key of the second resource in the source.
    pub other: Key,
    /// The key that both would get.
    pub name: Key,
}

/// The resources whose key in the target differs.
#[derive(Debug, Default)]
pub(super) struct NewKeys {
    /// New keys by old ones.
    new: HashMap<Key, Key>,
    /// The rules that changed the keys, by old key.
    by: HashMap<Key, Arc<str>>,
}

impl NewKeys {
    /// Renames a resource for the target. If the name is a field of the body, sets that field and returns it.
    pub(super) fn rename(&mut self, (key, body): (&Key, &mut Body), name: &str, place: &Arc<str>) -> Option<&'static str> {
        let kind = key.kind();
        let field = if let [field] = kind.identity.key { Some(*field) } else { None };
        if let Some(field) = field {
            body.set(field, Value::String(name.to_owned()));
        }
        self.new.insert(key.clone(), Key::new(kind, name));
        self.by.insert(key.clone(), place.clone());
        field
    }

    /// Gives every resource the key of its mapped body and updates the references to it, kind by kind in reference
    /// order.
    pub(super) fn apply(
        mut self,
        catalog: &Catalog,
        desired: &mut Desired,
        attribution: &mut Attribution,
    ) -> Result<(), Box<KeyCollision>> {
        let mut taken: HashMap<Key, Key> = HashMap::new();
        // A name that a rule sets is no longer a duplicate.
        desired.snapshot.twice.retain(|key| !self.new.contains_key(key));
        let twice: HashSet<Key> = desired.snapshot.twice.iter().cloned().collect();
        for kind in catalog.kinds() {
            let of_kind: Vec<usize> = places_of(kind, &desired.snapshot.resources);
            let (numbered, plain): (Vec<usize>, Vec<usize>) =
                of_kind.into_iter().partition(|at| twice.contains(&desired.snapshot.resources[*at].key));
            for at in plain.into_iter().chain(numbered) {
                let resource = &mut desired.snapshot.resources[at];
                self.follow(resource, attribution);
                let old = resource.key.clone();
                let mut new = self.new.get(&old).cloned().unwrap_or_else(|| mapped_key(resource, &self.new));
                if let Some((_, number)) = old.name().rsplit_once('#').filter(|_| twice.contains(&old)) {
                    (new, _) = id_substitution::free_number(&new, number.parse().unwrap_or(2), &|key| taken.contains_key(key));
                }
                if let Some(one) = taken.insert(new.clone(), old.clone()) {
                    return Err(Box::new(KeyCollision { one, other: old, name: new }));
                }
                if new != old {
                    if !self.by.contains_key(&old) {
                        self.by.extend(self.cause(&old, attribution).map(|place| (old.clone(), place)));
                    }
                    self.new.insert(old, new.clone());
                    resource.key = new;
                }
            }
        }
        attribution.rename(&self.new, &self.by);
        for resource in &mut desired.snapshot.resources {
            self.follow(resource, attribution);
        }
        let rename = |key: &mut Key| {
            if let Some(new) = self.new.get(key) {
                *key = new.clone();
            }
        };
        desired.kept.iter_mut().for_each(|(key, _)| rename(key));
        desired.supplied.iter_mut().for_each(|supplied| rename(&mut supplied.key));
        desired.snapshot.twice.iter_mut().for_each(rename);
        Ok(())
    }

    /// Updates references to renamed resources, and attributes them to the rules that renamed those.
    fn follow(&self, resource: &mut Resource, attribution: &mut Attribution) {
        let (key, new, by) = (&resource.key.clone(), &self.new, &self.by);
        id_substitution::rename_in_seen(resource, new, &mut |path, renamed| {
            if let Some(place) = by.get(renamed) {
                attribution.of_resource(key).record(path, place);
            }
        });
    }

    /// Returns the rule that set the key fields of a resource or the key of its parent.
    fn cause(&self, old: &Key, attribution: &Attribution) -> Option<Arc<str>> {
        let (kind, made) = (old.kind(), attribution.get(old));
        let of_fields = kind.identity.key.iter().find_map(|field| made?.maker_of(field).cloned());
        of_fields.or_else(|| self.by.get(&Key::new(kind.parent()?, old.name())).cloned())
    }
}

fn places_of(kind: &Kind, resources: &[Resource]) -> Vec<usize> {
    resources.iter().enumerate().filter(|(_, resource)| resource.key.kind() == kind).map(|(at, _)| at).collect()
}

/// Returns the key of a mapped body, without a duplicate's number.
fn mapped_key(resource: &Resource, renamed: &HashMap<Key, Key>) -> Key {
    let kind = resource.key.kind();
    match kind.shape {
        Shape::Singleton => resource.key.clone(),
        Shape::Child { .. } => {
            let parent = kind.parent().map(|parent| Key::new(parent, resource.key.name()));
            let renamed = parent.and_then(|parent| renamed.get(&parent));
            Key::new(kind, renamed.unwrap_or(&resource.key).name())
        }
        Shape::Collection | Shape::Keyed { .. } | Shape::Nested { .. } | Shape::Part { .. } => {
            Key::new(kind, &id_substitution::portable_name_of(kind, resource))
        }
    }
}
