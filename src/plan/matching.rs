//! Matching: which resource of the target corresponds to which of the source, for the planner and for the state after a run.
//!
//! Kinds are matched in catalog order: by link, otherwise by parent, otherwise by name. A name may contain other names
//! (a grant's contains its client and API), so each kind is matched under the names given to the kinds before it.
//! Third-party resources match only by link.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::{Catalog, Kind, Shape};
use crate::json::Body;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Snapshot, id_substitution};
use crate::state::links::Links;

/// The matches between source and target resources, and the keys that target resources get from them.
#[derive(Debug, Default)]
pub struct Matching {
    /// For each resource of the source, the index of its match.
    pub of_desired: Vec<Option<usize>>,
    /// New keys of target resources: those of their matches, or keys unused in the source.
    pub names: HashMap<Key, Key>,
}

/// Ambiguous names, by kind and name: their ids in the source and in the target.
pub(super) type AmbiguousNames<'side> = BTreeMap<(&'side str, &'side str), (Vec<&'side Id>, Vec<&'side Id>)>;

/// Matches the resources of two tenants. References in `desired` must already be keys of the target.
pub fn matched(catalog: &Catalog, desired: &Snapshot, live: &Snapshot, links: &Links) -> Matching {
    let ambiguous_names = ambiguous_names(desired, live, links).into_values().flat_map(|(wanted, _)| wanted.into_iter().cloned()).collect();
    let (wanted, held) = (MatchingSide::new(desired), MatchingSide::new(live));
    let keys = wanted.resources.iter().map(|resource| &resource.key).collect();
    let of_desired = vec![None; desired.resources.len()];
    let mut matcher = Matcher { links, wanted, held, keys, ambiguous_names, matching: Matching { of_desired, names: HashMap::new() } };
    for kind in catalog.kinds() {
        matcher.match_kind(kind);
    }
    matcher.matching
}

/// Returns the ambiguous names: duplicates on one side that also occur on the other side, with the ids on both.
pub(super) fn ambiguous_names<'side>(desired: &'side Snapshot, live: &'side Snapshot, links: &Links) -> AmbiguousNames<'side> {
    let mut names: AmbiguousNames<'side> = BTreeMap::new();
    let is_asked = |resource: &&Resource| resource.key.kind().identity.allows_duplicates && resource.excluded.is_none();
    let is_free = |one: &&Resource| links.of_source(one.key.kind().name, &one.id).is_none();
    let numbered = NumberedKeys::new(desired);
    for resource in desired.resources.iter().filter(|one| is_asked(one) && is_free(one)) {
        names.entry((resource.key.kind().name, numbered.plain(&resource.key))).or_default().0.push(&resource.id);
    }
    let is_free = |one: &&Resource| links.of_target(one.key.kind().name, &one.id).is_none();
    let numbered = NumberedKeys::new(live);
    for resource in live.resources.iter().filter(|one| is_asked(one) && is_free(one)) {
        names.entry((resource.key.kind().name, numbered.plain(&resource.key))).or_default().1.push(&resource.id);
    }
    names.retain(|_, (wanted, held)| !wanted.is_empty() && !held.is_empty() && wanted.len() + held.len() > 2);
    names
}

/// The keys of a snapshot that were numbered to distinguish duplicates; other names may only look numbered.
#[derive(Debug)]
pub(super) struct NumberedKeys<'side>(HashSet<&'side Key>);

impl<'side> NumberedKeys<'side> {
    /// Returns the numbered keys of a snapshot.
    pub(super) fn new(snapshot: &'side Snapshot) -> Self {
        Self(snapshot.twice.iter().collect())
    }

    fn has(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    /// Returns the name that a resource has in its tenant: the name in its key, without the number.
    pub(super) fn plain<'key>(&self, key: &'key Key) -> &'key str {
        self.split(key).0
    }

    /// Returns the number of a key; 1 if it has none.
    pub(super) fn number(&self, key: &Key) -> usize {
        self.split(key).1.and_then(|number| number.parse().ok()).unwrap_or(1)
    }

    fn split<'key>(&self, key: &'key Key) -> (&'key str, Option<&'key str>) {
        let split = key.name().rsplit_once('#').filter(|_| self.has(key));
        split.map_or((key.name(), None), |(plain, number)| (plain, Some(number)))
    }
}

/// One of the two tenants.
struct MatchingSide<'side> {
    resources: &'side [Resource],
    numbered: NumberedKeys<'side>,
    /// The indexes of the resources, by kind.
    places: HashMap<&'side str, Vec<usize>>,
    by_id: HashMap<(&'side str, &'side Id), usize>,
    /// Third-party resources, and what belongs to them.
    foreign: HashSet<&'side Key>,
}

impl<'side> MatchingSide<'side> {
    fn new(snapshot: &'side Snapshot) -> Self {
        let resources = &snapshot.resources;
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_id = HashMap::with_capacity(resources.len());
        for (at, resource) in resources.iter().enumerate() {
            places.entry(resource.key.kind().name).or_default().push(at);
            by_id.insert((resource.key.kind().name, &resource.id), at);
        }
        Self { resources, numbered: NumberedKeys::new(snapshot), places, by_id, foreign: HashSet::new() }
    }

    fn places_of(&self, kind: &Kind) -> Vec<usize> {
        self.places.get(kind.name).cloned().unwrap_or_default()
    }

    fn is_foreign(&self, at: usize) -> bool {
        self.foreign.contains(&self.resources[at].key)
    }

    /// Records a resource as foreign if it is third-party or belongs to one that is.
    fn note_foreign(&mut self, kind: &Kind, at: usize) {
        let resource = &self.resources[at];
        let belongs = || !self.foreign.is_empty() && owners(kind, resource).iter().any(|owner| self.foreign.contains(owner));
        if resource.is_foreign || belongs() {
            self.foreign.insert(&resource.key);
        }
    }
}

/// Returns the resources that a resource belongs to: its parent, and those that its key fields name.
fn owners(kind: &Kind, resource: &Resource) -> Vec<Key> {
    if let (Shape::Child { .. }, Some(parent)) = (kind.shape, kind.parent()) {
        return vec![Key::new(parent, resource.key.name())];
    }
    if kind.references.is_empty() {
        return Vec::new();
    }
    resource.body.pick(kind.identity.key).0.values().flat_map(id_substitution::mentioned).collect()
}

struct Matcher<'side> {
    links: &'side Links,
    wanted: MatchingSide<'side>,
    held: MatchingSide<'side>,
    /// The keys of the source.
    keys: HashSet<&'side Key>,
    /// The ids of resources with ambiguous names in the source.
    ambiguous_names: HashSet<Id>,
    matching: Matching,
}

impl Matcher<'_> {
    fn match_kind(&mut self, kind: &'static Kind) {
        let (wanted, held) = (self.wanted.places_of(kind), self.held.places_of(kind));
        let keys: HashMap<usize, Key> = held.iter().map(|at| (*at, self.key_of(kind, *at))).collect();
        let mut free: HashSet<usize> = held.iter().copied().collect();
        if kind.has_own_ids() {
            for at in &wanted {
                let partner = self.linked(kind, *at);
                self.pair(*at, partner, &mut free);
            }
        }
        for at in wanted.iter().filter(|at| self.matching.of_desired[**at].is_none()) {
            self.wanted.note_foreign(kind, *at);
        }
        for at in held.iter().filter(|at| free.contains(at)) {
            self.held.note_foreign(kind, *at);
        }
        free.retain(|at| !self.held.is_foreign(*at));
        let mut rest = self.pair_by_parent(kind, &wanted, &mut free);
        rest.retain(|at| self.matching.of_desired[*at].is_none() && !self.wanted.is_foreign(*at));
        rest.retain(|at| !self.ambiguous_names.contains(&self.wanted.resources[*at].id) || !kind.identity.allows_duplicates);
        self.pair_by_key(&rest, &keys, &mut free);
        if kind.identity.allows_duplicates {
            self.pair_by_name(&rest, &mut free);
        }
        self.name(&wanted, &held, keys);
    }

    fn pair(&mut self, wanted: usize, partner: Option<usize>, free: &mut HashSet<usize>) {
        if let Some(at) = partner.filter(|at| free.remove(at)) {
            self.matching.of_desired[wanted] = Some(at);
        }
    }

    fn linked(&self, kind: &Kind, wanted: usize) -> Option<usize> {
        let link = self.links.of_source(kind.name, &self.wanted.resources[wanted].id)?;
        self.held.by_id.get(&(kind.name, &link.target_id)).copied()
    }

    /// Matches parts and children by their parents; returns the others.
    fn pair_by_parent(&mut self, kind: &Kind, wanted: &[usize], free: &mut HashSet<usize>) -> Vec<usize> {
        let (Shape::Child { parent, .. } | Shape::Part { parent }) = kind.shape else { return wanted.to_vec() };
        let mut rest = Vec::new();
        for at in wanted {
            let Some(above) = self.wanted.by_id.get(&(parent, &self.wanted.resources[*at].id)) else {
                rest.push(*at);
                continue;
            };
            let above = self.matching.of_desired[*above].map(|above| &self.held.resources[above].id);
            let partner = above.and_then(|above| self.held.by_id.get(&(kind.name, above)).copied());
            self.pair(*at, partner, free);
        }
        rest
    }

    /// Matches equal keys; a numbered key and a name that looks numbered are not equal.
    fn pair_by_key(&mut self, wanted: &[usize], keys: &HashMap<usize, Key>, free: &mut HashSet<usize>) {
        let by_key: HashMap<(&Key, bool), usize> =
            free.iter().map(|at| ((&keys[at], self.held.numbered.has(&self.held.resources[*at].key)), *at)).collect();
        for at in wanted {
            let key = &self.wanted.resources[*at].key;
            let partner = by_key.get(&(key, self.wanted.numbered.has(key))).copied();
            self.pair(*at, partner, free);
        }
    }

    /// Matches remaining resources of kinds with duplicate names: the only two with a name, whatever their numbers.
    fn pair_by_name(&mut self, wanted: &[usize], free: &mut HashSet<usize>) {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for at in free.iter().filter(|at| self.held.resources[**at].excluded.is_none()) {
            by_name.entry(self.held.numbered.plain(&self.held.resources[*at].key)).or_default().push(*at);
        }
        for at in wanted.iter().copied().filter(|at| self.matching.of_desired[*at].is_none()).collect::<Vec<_>>() {
            let resource = &self.wanted.resources[at];
            if let (Some([partner]), None) = (by_name.get(self.wanted.numbered.plain(&resource.key)).map(Vec::as_slice), &resource.excluded)
            {
                self.pair(at, Some(*partner), free);
            }
        }
    }

    /// Returns the key of a target resource under the names given to earlier kinds.
    fn key_of(&self, kind: &'static Kind, at: usize) -> Key {
        let (resource, names) = (&self.held.resources[at], &self.matching.names);
        if names.is_empty() {
            return resource.key.clone();
        }
        if let (Shape::Child { .. }, Some(parent)) = (kind.shape, kind.parent()) {
            let above = Key::new(parent, resource.key.name());
            return names.get(&above).map_or_else(|| resource.key.clone(), |above| Key::new(kind, above.name()));
        }
        if !owners(kind, resource).iter().any(|owner| names.contains_key(owner)) {
            return resource.key.clone();
        }
        let mut fields: Body = resource.body.pick(kind.identity.key);
        id_substitution::rename(&mut fields, names);
        let name = id_substitution::portable_name(kind, &fields);
        let number = self.held.numbered.split(&resource.key).1;
        Key::new(kind, &number.map_or(name.clone(), |number| format!("{name}#{number}")))
    }

    /// Renames target resources of a kind: matched ones to the keys of their counterparts, others so that their keys
    /// are unused in the source.
    fn name(&mut self, wanted: &[usize], held: &[usize], mut keys: HashMap<usize, Key>) {
        for at in wanted {
            if let Some(partner) = self.matching.of_desired[*at] {
                let (wanted, held) = (&self.wanted.resources[*at].key, &self.held.resources[partner].key);
                keys.remove(&partner);
                self.matching.names.insert(held.clone(), wanted.clone());
            }
        }
        let mut taken: HashSet<Key> = keys.values().cloned().collect();
        for at in held {
            let Some(mut key) = keys.remove(at) else { continue };
            let resource = &self.held.resources[*at];
            if resource.is_foreign || self.keys.contains(&key) {
                key = Key::new(key.kind(), &format!("{} (of the target)", key.name()));
                if taken.contains(&key) || self.keys.contains(&key) {
                    (key, _) = id_substitution::free_number(&key, 2, &|key| taken.contains(key) || self.keys.contains(key));
                }
                taken.insert(key.clone());
            }
            self.matching.names.insert(resource.key.clone(), key);
        }
        for at in held {
            let key = &self.held.resources[*at].key;
            if self.matching.names.get(key) == Some(key) {
                self.matching.names.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Status;
    use serde_json::{Value, json};

    fn tenant(domain: &str, answers: &[(&str, Value)]) -> Snapshot {
        let kind = |name: &str| Catalog::standard().kind(name).expect("a kind");
        let read = |(name, answer): &(&str, Value)| {
            if let Shape::Child { .. } = kind(name).shape {
                return Resource::read_child(kind(name), &Id::new(answer["id"].as_str().expect("a parent")), Vec::new());
            }
            Resource::read(kind(name), Body::from_value(answer.clone()).expect("an object")).expect("readable")
        };
        let mut resources: Vec<Resource> = answers.iter().map(read).collect();
        let twice = id_substitution::to_portable(Catalog::standard(), domain, &mut resources);
        let kinds = Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect();
        Snapshot { tenant: String::new(), domain: domain.to_owned(), taken: String::new(), kinds, resources, twice, selection: None }
    }

    fn client(id: &str, name: &str) -> (&'static str, Value) {
        ("clients", json!({"client_id": id, "name": name, "is_first_party": true}))
    }

    fn registered(id: &str, name: &str) -> (&'static str, Value) {
        ("clients", json!({"client_id": id, "name": name, "is_first_party": false}))
    }

    fn grant(id: &str, client: &str) -> (&'static str, Value) {
        ("client-grants", json!({"id": id, "client_id": client, "audience": "https://api"}))
    }

    fn linked(pairs: &[(&str, &str, &str)]) -> Links {
        let mut links = Links::default();
        for (kind, source, target) in pairs {
            links.link(&Id::new(*source), &Id::new(*target), &Key::new(Kind::named(kind).expect("a kind"), ""));
        }
        links
    }

    /// Returns the id of each resource of the source and of its match.
    fn pairs(source: &[(&str, Value)], target: &[(&str, Value)], links: &Links) -> Vec<(String, String)> {
        let (desired, live) = (tenant("dev.auth0.com", source), tenant("prod.auth0.com", target));
        let matching = matched(Catalog::standard(), &desired, &live, links);
        let partner = |at: Option<usize>| at.map_or_else(String::new, |at| live.resources[at].id.to_string());
        desired.resources.iter().zip(matching.of_desired).map(|(wanted, at)| (wanted.id.to_string(), partner(at))).collect()
    }

    fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(source, target)| ((*source).to_owned(), (*target).to_owned())).collect()
    }

    #[test]
    fn links_take_precedence_over_keys_so_renamed_resources_stay_matched() {
        let source = [client("s1", "New"), client("s2", "Old"), client("s3", "Third")];
        let target = [client("t1", "Old"), client("t3", "Third")];
        let found = pairs(&source, &target, &linked(&[("clients", "s1", "t1")]));
        assert_eq!(found, expected(&[("s1", "t1"), ("s2", ""), ("s3", "t3")]));
    }

    #[test]
    fn a_child_is_matched_with_its_parent_whatever_its_name() {
        let of_kind = |kind: &'static str, id: &str, name: &str| (kind, json!({"id": id, "name": name}));
        let source = [of_kind("roles", "s1", "New"), of_kind("role-permissions", "s1", ""), of_kind("role-permissions", "gone", "")];
        let target = [of_kind("roles", "t1", "Old"), of_kind("role-permissions", "t1", "")];
        let found = pairs(&source, &target, &linked(&[("roles", "s1", "t1")]));
        assert_eq!(found, expected(&[("s1", "t1"), ("s1", "t1"), ("gone", "")]));
    }

    #[test]
    fn a_composite_name_is_matched_although_its_parts_are_renamed_in_the_target() {
        let organization = |id: &str| ("organizations", json!({"id": id, "name": "acme"}));
        let used = |organization: &str, grant: &str| ("organization-client-grants", json!({"organization": organization, "id": grant}));
        let connection = |id: &str, name: &str| ("connections", json!({"id": id, "name": name, "strategy": "auth0"}));
        let enabled = |organization: &str, connection: &str| {
            ("organization-connections", json!({"organization": organization, "connection_id": connection}))
        };
        let scim = |connection: &str| ("connection-scim-configurations", json!({"connection": connection}));
        let of = |s: &str, client_name: &str, connection_name: &str| {
            let id = |what: &str| format!("{s}-{what}-000000");
            vec![
                client(&id("client"), client_name),
                grant(&id("grant"), &id("client")),
                organization(&id("org")),
                used(&id("org"), &id("grant")),
                connection(&id("con"), connection_name),
                enabled(&id("org"), &id("con")),
                scim(&id("con")),
            ]
        };
        let links = linked(&[("clients", "s-client-000000", "t-client-000000"), ("connections", "s-con-000000", "t-con-000000")]);
        let found = pairs(&of("s", "Web", "users"), &of("t", "Web of prod", "users-of-prod"), &links);
        let all = found.iter().all(|(source, target)| source.replace("s-", "t-") == *target);
        assert!(all, "{found:?}");
    }

    #[test]
    fn third_party_resources_and_their_belongings_are_never_matched_by_name() {
        let source = [client("s1", "Shop"), grant("sg", "s1"), registered("s2", "Portal"), grant("sp", "s2")];
        let target = [registered("t1", "Shop"), grant("tg", "t1"), client("t2", "Portal"), grant("tp", "t2")];
        let found = pairs(&source, &target, &Links::default());
        assert_eq!(found, expected(&[("s1", ""), ("sg", ""), ("s2", ""), ("sp", "")]));
    }

    #[test]
    fn a_tenants_own_resource_gets_the_plain_name_in_any_order() {
        let source = [client("s1", "Shop")];
        let mut target = vec![registered("t1", "Shop"), client("t2", "Shop"), registered("t3", "Shop")];
        for _ in 0..3 {
            target.rotate_left(1);
            assert_eq!(pairs(&source, &target, &Links::default()), expected(&[("s1", "t2")]));
        }
    }

    #[test]
    fn a_link_matches_a_third_party_resource() {
        let found = pairs(&[client("s1", "Shop")], &[registered("t1", "Shop")], &linked(&[("clients", "s1", "t1")]));
        assert_eq!(found, expected(&[("s1", "t1")]));
    }

    #[test]
    fn a_name_that_looks_numbered_matches_only_itself() {
        let (web, looks) = (client("s1", "Web"), client("s2", "Web#2"));
        let found = pairs(&[web.clone(), looks.clone()], &[client("t1", "Web"), client("t2", "Web")], &Links::default());
        assert_eq!(found, expected(&[("s1", ""), ("s2", "")]));
        let found = pairs(&[web.clone(), client("s3", "Web"), looks], &[client("t1", "Web#2"), client("t2", "Web")], &Links::default());
        assert_eq!(found, expected(&[("s1", ""), ("s3", ""), ("s2", "t1")]));
        let links = linked(&[("clients", "s1", "t1")]);
        let found = pairs(&[web, client("s3", "Web")], &[client("t1", "Web"), client("t2", "Web#2")], &links);
        assert_eq!(found, expected(&[("s1", "t1"), ("s3", "")]));
    }

    #[test]
    fn the_last_two_resources_of_a_name_match_whatever_their_numbers() {
        let (source, target) = ([client("s1", "Web"), client("s2", "Web")], [client("t1", "Web"), client("t2", "Web")]);
        let found = pairs(&source, &target, &linked(&[("clients", "s1", "t2")]));
        assert_eq!(found, expected(&[("s1", "t2"), ("s2", "t1")]));
    }
}
