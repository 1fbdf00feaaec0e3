//! Applies a mapping to a snapshot: every rule in the order of the file, matched by the keys of the source.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::attribution::{Attribution, ResourceAttribution};
use super::change::{change, remove_mentions};
use super::new_keys::{KeyCollision, NewKeys};
use super::parse::Mapping;
use super::rule::{Effect, MappingRule};
use super::unmatched::{Matched, unmatched};
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::Body;
use crate::model::resource::{Key, Resource};
use crate::model::unmatched_rule::UnmatchedRule;
use crate::snapshot::{Desired, Snapshot, id_substitution};

/// A mapped source and what the rules did to it.
#[derive(Debug, Clone)]
pub struct MappedSource {
    /// The desired state of the target.
    pub desired: Desired,
    /// Which rule produced which value.
    pub attribution: Attribution,
    /// The rules that matched nothing in the source.
    pub unmatched: Vec<UnmatchedRule>,
    /// The rules that skipped resources, by the keys of the source.
    pub skipped_by: HashMap<Key, Arc<str>>,
}

impl Mapping {
    /// Applies the rules to a snapshot of the source.
    ///
    /// # Errors
    ///
    /// If two resources would get the same key.
    pub fn apply(&self, catalog: &Catalog, snapshot: Snapshot) -> Result<MappedSource, Box<KeyCollision>> {
        let mut matched = vec![Matched::default(); self.rules.len()];
        let hosts = snapshot.hosts();
        let mut desired = Desired { hosts, ..Desired::unmapped(snapshot) };
        let (mut attribution, mut renamed) = (Attribution::default(), NewKeys::default());
        let mut kept_resources = Vec::new();
        let mut skipped = HashMap::new();
        for mut resource in std::mem::take(&mut desired.snapshot.resources) {
            let kind = resource.key.kind();
            let name = resource.key.to_string();
            let of_kind = self.rules.iter().zip(&mut matched).filter(|(rule, _)| rule.is_about_named(kind.name, &name));
            let about: Vec<(&MappingRule, &mut Matched)> = of_kind.collect();
            let mut skipped_by = None;
            if !about.is_empty() {
                let Resource { key, body, .. } = &mut resource;
                let mut made = ResourceAttribution::default();
                body.change(|body| {
                    for (rule, matched) in about {
                        matched.resources += 1;
                        matched.values += match &rule.effect {
                            Effect::Skip => {
                                skipped_by.get_or_insert_with(|| rule.short_place.clone());
                                1
                            }
                            Effect::Rename(name) => rename(rule, (key, body), name, (&mut renamed, &mut made)),
                            _ => change(rule, (key, body), &mut desired, &mut made),
                        };
                    }
                });
                attribution.insert(key.clone(), made);
            }
            if let Some(place) = skipped_by {
                desired.skipped.insert((kind.name.to_owned(), resource.id));
                skipped.insert(resource.key, place);
            } else {
                kept_resources.push(resource);
            }
        }
        desired.snapshot.resources = kept_resources;
        self.accept_unread(&mut desired, &mut matched);
        let unmatched = unmatched(catalog, self.rules.iter().zip(matched), &desired.snapshot, &skipped);
        skip_dependents(&mut skipped, catalog, &mut desired, &mut attribution);
        renamed.apply(catalog, &mut desired, &mut attribution)?;
        Ok(MappedSource { desired, attribution, unmatched, skipped_by: skipped })
    }

    /// Does not report unread resources that a rule would skip, by themselves or with a resource they belong to.
    fn accept_unread(&self, desired: &mut Desired, matched: &mut [Matched]) {
        let source = &desired.snapshot;
        let kinds = source.kinds.keys().filter_map(|name| Kind::named(name));
        let unseen = kinds.flat_map(|kind| source.unseen(kind.name).iter().map(|one| Key::new(kind, &one.name)));
        let unread: BTreeSet<Key> = source.unread().map(|(key, _)| key).chain(unseen).collect();
        let parent_of = |key: &Key| key.kind().parent().map(|parent| Key::new(parent, key.name()));
        let mut is_spared = |key: &Key| {
            let mut is_any = false;
            for above in std::iter::successors(Some(key.clone()), parent_of) {
                for (rule, matched) in self.rules.iter().zip(&mut *matched) {
                    if matches!(rule.effect, Effect::Skip) && rule.may_be_about(&above) {
                        (is_any, matched.values) = (true, matched.values + 1);
                    }
                }
            }
            is_any
        };
        desired.spared = unread.into_iter().filter(|key| is_spared(key)).collect();
    }
}

/// Renames a resource as a rule says; returns how many values that matched.
fn rename(
    rule: &MappingRule,
    (key, body): (&Key, &mut Body),
    name: &str,
    (renamed, made): (&mut NewKeys, &mut ResourceAttribution),
) -> usize {
    if let Some(field) = renamed.rename((key, body), name, &rule.short_place) {
        made.record_whole(field, &rule.short_place);
    }
    1
}

/// Also skips the children and grants of skipped resources, and removes skipped resources from lists that name them.
fn skip_dependents(skipped: &mut HashMap<Key, Arc<str>>, catalog: &Catalog, desired: &mut Desired, attribution: &mut Attribution) {
    if skipped.is_empty() {
        return;
    }
    for kind in catalog.kinds() {
        desired.snapshot.resources.retain(|resource| {
            let by = if resource.key.kind() == kind { depends_on(kind, resource, skipped) } else { None };
            if let Some(place) = by.cloned() {
                skipped.insert(resource.key.clone(), place);
                desired.skipped.insert((kind.name.to_owned(), resource.id.clone()));
                return false;
            }
            true
        });
    }
    for resource in &mut desired.snapshot.resources {
        let kind = resource.key.kind();
        let key = &resource.key;
        resource.body.change(|body| {
            for path in kind.lists.unordered {
                body.change(path, &mut |value| {
                    if let Some(place) = remove_mentions(value, &|mentioned| skipped.get(mentioned)) {
                        attribution.of_resource(key).record(path, place);
                    }
                });
            }
        });
    }
}

/// Returns the rule that skips a resource that this one belongs to.
fn depends_on<'places>(kind: &Kind, resource: &Resource, skipped: &'places HashMap<Key, Arc<str>>) -> Option<&'places Arc<str>> {
    if let (Shape::Child { .. }, Some(parent)) = (kind.shape, kind.parent()) {
        return skipped.get(&Key::new(parent, resource.key.name()));
    }
    let body = resource.body.pick(kind.identity.key);
    let mut named = kind.identity.key.iter().filter_map(|path| body.get(path).and_then(id_substitution::as_reference));
    named.find_map(|key| skipped.get(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::rule::{Removed, Replacement};
    use crate::model::resource::Id;
    use crate::snapshot::Status;
    use glob::Pattern;
    use serde_json::{Value, json};

    fn resource(key: &str, body: Value) -> Resource {
        let key = key.parse().expect("a key");
        let (id, body) = (Id::new(format!("id of {key}")), Body::from_value(body).expect("an object"));
        Resource::new(key, id, body)
    }

    fn source() -> Snapshot {
        let resources = vec![
            resource("resource-servers/https://api.dev", json!({"identifier": "https://api.dev", "name": "API"})),
            resource("clients/Billing (dev)", json!({"name": "Billing (dev)", "callbacks": ["https://app.dev/cb", "http://localhost"]})),
            resource("clients/Play", json!({"name": "Play"})),
            resource(
                "client-grants/Billing (dev) · https://api.dev · client",
                json!({"client_id": "⟦clients/Billing (dev)⟧", "audience": "⟦resource-servers/https://api.dev⟧"}),
            ),
            resource(
                "client-grants/Play · https://api.dev · client",
                json!({"client_id": "⟦clients/Play⟧", "audience": "⟦resource-servers/https://api.dev⟧"}),
            ),
            resource(
                "connection-clients/db",
                json!({"clients": [{"client_id": "⟦clients/Play⟧"}, {"client_id": "⟦clients/Billing (dev)⟧"}]}),
            ),
        ];
        Snapshot {
            tenant: "dev".into(),
            domain: "d.auth0.com".into(),
            taken: String::new(),
            kinds: Catalog::standard().kinds().map(|kind| (kind.name.to_owned(), Status::Complete)).collect(),
            resources,
            twice: Vec::new(),
            selection: None,
        }
    }

    fn rule(matches: &str, field: Option<&str>, effect: Effect) -> MappingRule {
        MappingRule {
            place: "folder/m.toml:1".into(),
            short_place: "m.toml:1".into(),
            at: 0..0,
            matches: vec![Pattern::new(matches).expect("a pattern")],
            field: field.map(str::to_owned),
            effect,
        }
    }

    fn mapped(rules: Vec<MappingRule>) -> MappedSource {
        Mapping { rules }.apply(Catalog::standard(), source()).expect("no collision")
    }

    fn keys(mapped: &MappedSource) -> Vec<String> {
        mapped.desired.snapshot.resources.iter().map(|resource| resource.key.to_string()).collect()
    }

    #[test]
    fn a_rename_updates_every_reference_and_every_derived_key() {
        let mapped = mapped(vec![rule("clients/Billing (dev)", None, Effect::Rename("Billing".into()))]);
        assert!(keys(&mapped).contains(&"client-grants/Billing · https://api.dev · client".to_owned()), "{:?}", keys(&mapped));
        let clients = mapped.desired.snapshot.resources[5].body.open().get("clients").cloned();
        assert_eq!(clients, Some(json!([{"client_id": "⟦clients/Play⟧"}, {"client_id": "⟦clients/Billing⟧"}])));
    }

    #[test]
    fn grants_follow_a_replaced_identifier() {
        let mapped =
            mapped(vec![rule("*", None, Effect::Replace(vec![Replacement { from: "api.dev".into(), to: "api".into(), row: None }]))]);
        assert!(keys(&mapped).contains(&"client-grants/Play · https://api · client".to_owned()), "{:?}", keys(&mapped));
        assert_eq!(mapped.desired.snapshot.resources[3].body.open().text("audience"), Some("⟦resource-servers/https://api⟧"));
    }

    #[test]
    fn resources_below_a_skipped_client_are_skipped_too() {
        let mapped = mapped(vec![rule("clients/Play", None, Effect::Skip)]);
        assert!(!keys(&mapped).iter().any(|key| key.contains("Play")), "{:?}", keys(&mapped));
        let clients = mapped.desired.snapshot.resources[3].body.open().get("clients").cloned();
        assert_eq!(clients, Some(json!([{"client_id": "⟦clients/Billing (dev)⟧"}])));
    }

    #[test]
    fn an_element_is_removed_and_an_unmatched_rule_is_reported() {
        let element = |text: &str| Effect::Remove(Removed::Element(json!(text)));
        let mapped =
            mapped(vec![rule("clients/*", Some("callbacks[]"), element("http://localhost")), rule("roles/*", Some("name"), element("x"))]);
        assert_eq!(mapped.desired.snapshot.resources[1].body.open().get("callbacks"), Some(&json!(["https://app.dev/cb"])));
        let places: Vec<&str> = mapped.unmatched.iter().map(|rule| rule.place.as_str()).collect();
        assert_eq!(places, ["folder/m.toml:1"]);
    }

    #[test]
    fn two_resources_with_the_same_new_key_are_refused() {
        let rules = vec![rule("clients/*", None, Effect::Rename("One".into()))];
        let collision = Mapping { rules }.apply(Catalog::standard(), source()).expect_err("a collision");
        let message = "the mapping gives \"clients/Billing (dev)\" and \"clients/Play\" the same name, \"clients/One\"";
        assert_eq!(collision.to_string(), message);
    }
}
