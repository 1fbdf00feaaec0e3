//! Matched resources, with those of the target under the keys of the source.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::matching::{Matching, matched};
use crate::catalog::Catalog;
use crate::model::resource::{Key, Resource};
use crate::snapshot::{Snapshot, id_substitution};
use crate::state::links::Links;

/// The live resources under the keys of their matches. Only resources that this changes are copied.
pub(super) struct Pairing<'live> {
    /// The resources of the target.
    pub(super) live: Vec<Cow<'live, Resource>>,
    /// For each desired resource, the index of its match.
    pub(super) of_desired: Vec<Option<usize>>,
    /// The indexes of matched resources.
    pub(super) paired: HashSet<usize>,
}

impl<'live> Pairing<'live> {
    /// Matches desired and live resources.
    pub(super) fn new(catalog: &Catalog, desired: &Snapshot, live: &'live Snapshot, links: &Links) -> Self {
        let Matching { of_desired, names } = matched(catalog, desired, live, links);
        let live = live.resources.iter().map(|resource| under_names(resource, &names)).collect();
        let paired = of_desired.iter().flatten().copied().collect();
        Self { live, of_desired, paired }
    }
}

/// Returns a resource with new keys for itself and for its references.
fn under_names<'live>(resource: &'live Resource, names: &HashMap<Key, Key>) -> Cow<'live, Resource> {
    let key = names.get(&resource.key);
    if names.is_empty() || (key.is_none() && !id_substitution::mentions_any(&resource.body, names)) {
        return Cow::Borrowed(resource);
    }
    let mut copy = Resource { key: key.unwrap_or(&resource.key).clone(), ..resource.clone() };
    id_substitution::rename_in(&mut copy, names);
    Cow::Owned(copy)
}
