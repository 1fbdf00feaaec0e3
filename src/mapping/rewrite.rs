//! Snapshot -> desired: every rule applied in the order of the file, matching by the keys of the source.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::parse::Mapping;
use super::rule::{Effect, MappingRule, Removed};
use crate::catalog::{Catalog, Kind, Shape};
use crate::json::Body;
use crate::model::resource::{Key, Resource};
use crate::snapshot::{Desired, Snapshot, SuppliedSecret, id_substitution};

/// Two resources that a mapping gives one key.
#[derive(Debug, thiserror::Error)]
#[error("the mapping gives \"{one}\" and \"{other}\" the same name, \"{name}\"")]
pub struct KeyCollision {
    /// The first, as the source calls it.
    pub one: Key,
    /// The second, as the source calls it.
    pub other: Key,
    /// What both would be called.
    pub name: Key,
}

/// A mapped source, and the rules that had nothing to do.
#[derive(Debug, Clone)]
pub struct MappedSource {
    /// What the target should hold.
    pub desired: Desired,
    /// The places of rules that touched nothing: `mappings/dev-to-prod.toml:12`.
    pub untouched: Vec<String>,
}

impl Mapping {
    /// Applies the rules to a snapshot of the source.
    ///
    /// # Errors
    ///
    /// When two resources would get one name.
    pub fn apply(&self, catalog: &Catalog, snapshot: Snapshot) -> Result<MappedSource, Box<KeyCollision>> {
        let mut touched = vec![0_usize; self.rules.len()];
        let hosts = snapshot.hosts(catalog);
        let mut desired = Desired { hosts, ..Desired::unmapped(snapshot) };
        let mut renamed = HashMap::new();
        let mut kept_resources = Vec::new();
        let mut skipped = HashSet::new();
        for mut resource in std::mem::take(&mut desired.snapshot.resources) {
            let kind = catalog.kind(resource.key.kind()).expect("a key names a kind of the catalog");
            let about: Vec<(&MappingRule, &mut usize)> =
                self.rules.iter().zip(&mut touched).filter(|(rule, _)| rule.is_about(&resource.key)).collect();
            let mut is_skipped = false;
            if !about.is_empty() {
                let Resource { key, body, .. } = &mut resource;
                body.change(|body| {
                    for (rule, touched) in about {
                        match &rule.effect {
                            Effect::Skip => (is_skipped, *touched) = (true, *touched + 1),
                            Effect::Rename(name) => {
                                *touched += 1;
                                rename(kind, key, body, name, &mut renamed);
                            }
                            effect => *touched += change(kind, rule, effect, key, body, &mut desired),
                        }
                    }
                });
            }
            if is_skipped {
                desired.skipped.insert((kind.name.to_owned(), resource.id));
                skipped.insert(resource.key);
            } else {
                kept_resources.push(resource);
            }
        }
        desired.snapshot.resources = kept_resources;
        self.accept_unread(catalog, &mut desired, &mut touched);
        skip_dependents(skipped, catalog, &mut desired);
        apply_new_keys(catalog, &mut desired, renamed)?;
        let untouched = self.rules.iter().zip(&touched).filter(|(_, touched)| **touched == 0).map(|(rule, _)| rule.place.clone());
        Ok(MappedSource { untouched: untouched.collect(), desired })
    }

    /// What was not read is not missed where a rule would skip it, or skips what it belongs to.
    fn accept_unread(&self, catalog: &Catalog, desired: &mut Desired, touched: &mut [usize]) {
        let source = &desired.snapshot;
        let unseen = source.kinds.keys().flat_map(|kind| source.unseen(kind).iter().map(|one| Key::new(kind, &one.name)));
        let unread: BTreeSet<Key> = source.unread().map(|(key, _)| key).chain(unseen).collect();
        let parent_of = |key: &Key| catalog.kind(key.kind()).and_then(Kind::parent).map(|parent| Key::new(parent, key.name()));
        let mut is_spared = |key: &Key| {
            let mut is_any = false;
            for above in std::iter::successors(Some(key.clone()), parent_of) {
                for (rule, touched) in self.rules.iter().zip(&mut *touched) {
                    if matches!(rule.effect, Effect::Skip) && rule.may_be_about(&above) {
                        (is_any, *touched) = (true, *touched + 1);
                    }
                }
            }
            is_any
        };
        desired.spared = unread.into_iter().filter(|key| is_spared(key)).collect();
    }
}

/// Gives a resource the name it has in the target: in its body, where the name is a field of it.
fn rename(kind: &Kind, key: &Key, body: &mut Body, name: &str, renamed: &mut HashMap<Key, Key>) {
    if let [field] = kind.identity.key {
        body.set(field, Value::String(name.to_owned()));
    }
    renamed.insert(key.clone(), Key::new(kind.name, name));
}

/// Applies a rule about a field; returns how many values it touched.
fn change(kind: &Kind, rule: &MappingRule, effect: &Effect, key: &Key, body: &mut Body, desired: &mut Desired) -> usize {
    let field = rule.field.as_deref();
    match (effect, field) {
        (Effect::Replace(rows), Some(field)) => {
            let mut touched = 0;
            body.change(field, &mut |value| touched += replace_in(value, rows));
            touched
        }
        (Effect::Replace(rows), None) => {
            let mut touched = 0;
            body.change_texts(&mut |_, text| touched += replace(text, rows));
            touched
        }
        (Effect::Set(value), Some(field)) if field.contains(['[', '*']) => body.change(field, &mut |held| *held = value.clone()),
        (Effect::Set(value), Some(field)) if kind.fields.writable().has(field) => {
            body.set(field, value.clone());
            1
        }
        (Effect::Remove(Removed::Field), Some(field)) => body.take(field).len(),
        (Effect::Remove(Removed::Element(element)), Some(field)) => remove_elements(body, field, element),
        (Effect::Keep, Some(field)) => {
            desired.kept.push((key.clone(), field.to_owned()));
            1
        }
        (Effect::Secret(from), Some(field)) => {
            desired.supplied.push(SuppliedSecret { key: key.clone(), path: field.to_owned(), from: from.clone() });
            1
        }
        _ => 0,
    }
}

fn replace_in(value: &mut Value, rows: &[(String, String)]) -> usize {
    match value {
        Value::String(text) => replace(text, rows),
        Value::Array(list) => list.iter_mut().map(|element| replace_in(element, rows)).sum(),
        Value::Object(fields) => fields.values_mut().map(|value| replace_in(value, rows)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Replaces every `from` by its `to`, in one walk from left to right, so that no replacement is replaced again.
fn replace(text: &mut String, rows: &[(String, String)]) -> usize {
    id_substitution::change_plain(text, &mut |plain| {
        if !rows.iter().any(|(from, _)| plain.contains(from.as_str())) {
            return None;
        }
        let mut out = String::with_capacity(plain.len());
        let mut rest = plain;
        while let Some(sign) = rest.chars().next() {
            if let Some((from, to)) = rows.iter().find(|(from, _)| rest.starts_with(from.as_str())) {
                out.push_str(to);
                rest = &rest[from.len()..];
            } else {
                out.push(sign);
                rest = &rest[sign.len_utf8()..];
            }
        }
        Some(out)
    })
}

fn remove_elements(body: &mut Body, field: &str, element: &Value) -> usize {
    let list = field.strip_suffix("[]").unwrap_or(field);
    let mut removed = 0;
    body.change(list, &mut |value| {
        if let Value::Array(elements) = value {
            let before = elements.len();
            elements.retain(|held| held != element);
            removed += before - elements.len();
        }
    });
    removed
}

/// Skips the children and grants of skipped resources too, and takes those out of the lists that name them.
fn skip_dependents(mut skipped: HashSet<Key>, catalog: &Catalog, desired: &mut Desired) {
    if skipped.is_empty() {
        return;
    }
    for kind in catalog.kinds() {
        desired.snapshot.resources.retain(|resource| {
            let hangs = resource.key.kind() == kind.name && depends_on(kind, resource, &skipped);
            if hangs {
                skipped.insert(resource.key.clone());
                desired.skipped.insert((kind.name.to_owned(), resource.id.clone()));
            }
            !hangs
        });
    }
    for resource in &mut desired.snapshot.resources {
        let kind = catalog.kind(resource.key.kind()).expect("a key names a kind of the catalog");
        let spare = &mut |value: &mut Value| {
            if let Value::Array(elements) = value {
                elements.retain(|element| !id_substitution::mentioned(element).iter().any(|key| skipped.contains(key)));
            }
        };
        resource.body.change(|body| {
            for path in kind.lists.unordered {
                body.change(path, spare);
            }
        });
    }
}

fn depends_on(kind: &Kind, resource: &Resource, skipped: &HashSet<Key>) -> bool {
    if let Shape::Child { parent, .. } = kind.shape {
        return skipped.contains(&Key::new(parent, resource.key.name()));
    }
    let body = resource.body.pick(kind.identity.key);
    kind.identity.key.iter().filter_map(|path| body.get(path).and_then(id_substitution::as_reference)).any(|key| skipped.contains(&key))
}

/// Gives every resource the key its mapped body has, and renames the references to it; kinds in the order of their references.
fn apply_new_keys(catalog: &Catalog, desired: &mut Desired, mut renamed: HashMap<Key, Key>) -> Result<(), Box<KeyCollision>> {
    let mut taken: HashMap<Key, Key> = HashMap::new();
    // A name that a rule gives is one like any other.
    desired.snapshot.twice.retain(|key| !renamed.contains_key(key));
    let twice: HashSet<Key> = desired.snapshot.twice.iter().cloned().collect();
    for kind in catalog.kinds() {
        let of_kind: Vec<usize> = places_of(kind, &desired.snapshot.resources);
        let (numbered, plain): (Vec<usize>, Vec<usize>) =
            of_kind.into_iter().partition(|at| twice.contains(&desired.snapshot.resources[*at].key));
        for at in plain.into_iter().chain(numbered) {
            let resource = &mut desired.snapshot.resources[at];
            id_substitution::rename_in(resource, &renamed);
            let old = resource.key.clone();
            let mut new = renamed.get(&old).cloned().unwrap_or_else(|| mapped_key(kind, resource, &renamed));
            if let Some((_, number)) = old.name().rsplit_once('#').filter(|_| twice.contains(&old)) {
                (new, _) = id_substitution::free_number(&new, number.parse().unwrap_or(2), &|key| taken.contains_key(key));
            }
            if let Some(one) = taken.insert(new.clone(), old.clone()) {
                return Err(Box::new(KeyCollision { one, other: old, name: new }));
            }
            if new != old {
                renamed.insert(old, new.clone());
                resource.key = new;
            }
        }
    }
    for resource in &mut desired.snapshot.resources {
        id_substitution::rename_in(resource, &renamed);
    }
    let rename = |key: &mut Key| {
        if let Some(new) = renamed.get(key) {
            *key = new.clone();
        }
    };
    desired.kept.iter_mut().for_each(|(key, _)| rename(key));
    desired.supplied.iter_mut().for_each(|supplied| rename(&mut supplied.key));
    desired.snapshot.twice.iter_mut().for_each(rename);
    Ok(())
}

fn places_of(kind: &Kind, resources: &[Resource]) -> Vec<usize> {
    resources.iter().enumerate().filter(|(_, resource)| resource.key.kind() == kind.name).map(|(at, _)| at).collect()
}

/// Returns the key a mapped body gives its resource, without any number.
fn mapped_key(kind: &Kind, resource: &Resource, renamed: &HashMap<Key, Key>) -> Key {
    match kind.shape {
        Shape::Singleton => resource.key.clone(),
        Shape::Child { parent, .. } => {
            let parent = Key::new(parent, resource.key.name());
            Key::new(kind.name, renamed.get(&parent).map_or(parent.name(), Key::name))
        }
        Shape::Collection | Shape::Keyed { .. } | Shape::Nested { .. } | Shape::Part { .. } => {
            Key::new(kind.name, &id_substitution::portable_name_of(kind, resource))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Id;
    use glob::Pattern;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn resource(key: &str, body: Value) -> Resource {
        let key = Key::try_from(key.to_owned()).expect("a key");
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
            kinds: BTreeMap::new(),
            resources,
            twice: Vec::new(),
        }
    }

    fn rule(matches: &str, field: Option<&str>, effect: Effect) -> MappingRule {
        MappingRule {
            place: "m.toml:1".into(),
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
    fn a_rename_reaches_every_reference_and_every_key_made_of_it() {
        let mapped = mapped(vec![rule("clients/Billing (dev)", None, Effect::Rename("Billing".into()))]);
        assert!(keys(&mapped).contains(&"client-grants/Billing · https://api.dev · client".to_owned()), "{:?}", keys(&mapped));
        let clients = mapped.desired.snapshot.resources[5].body.open().get("clients").cloned();
        assert_eq!(clients, Some(json!([{"client_id": "⟦clients/Play⟧"}, {"client_id": "⟦clients/Billing⟧"}])));
    }

    #[test]
    fn a_replaced_identifier_is_followed_by_the_grants_on_it() {
        let mapped = mapped(vec![rule("*", None, Effect::Replace(vec![("api.dev".into(), "api".into())]))]);
        assert!(keys(&mapped).contains(&"client-grants/Play · https://api · client".to_owned()), "{:?}", keys(&mapped));
        assert_eq!(mapped.desired.snapshot.resources[3].body.open().text("audience"), Some("⟦resource-servers/https://api⟧"));
    }

    #[test]
    fn what_hangs_on_a_skipped_client_is_skipped_too() {
        let mapped = mapped(vec![rule("clients/Play", None, Effect::Skip)]);
        assert!(!keys(&mapped).iter().any(|key| key.contains("Play")), "{:?}", keys(&mapped));
        let clients = mapped.desired.snapshot.resources[3].body.open().get("clients").cloned();
        assert_eq!(clients, Some(json!([{"client_id": "⟦clients/Billing (dev)⟧"}])));
    }

    #[test]
    fn an_element_is_removed_and_a_rule_without_work_is_reported() {
        let element = |text: &str| Effect::Remove(Removed::Element(json!(text)));
        let mapped =
            mapped(vec![rule("clients/*", Some("callbacks[]"), element("http://localhost")), rule("roles/*", Some("name"), element("x"))]);
        assert_eq!(mapped.desired.snapshot.resources[1].body.open().get("callbacks"), Some(&json!(["https://app.dev/cb"])));
        assert_eq!(mapped.untouched, ["m.toml:1"]);
    }

    #[test]
    fn two_resources_of_one_name_are_refused() {
        let rules = vec![rule("clients/*", None, Effect::Rename("One".into()))];
        let collision = Mapping { rules }.apply(Catalog::standard(), source()).expect_err("a collision");
        let message = "the mapping gives \"clients/Billing (dev)\" and \"clients/Play\" the same name, \"clients/One\"";
        assert_eq!(collision.to_string(), message);
    }

    #[test]
    fn a_replacement_is_not_replaced_again() {
        let mut text = "ab".to_owned();
        replace(&mut text, &[("a".into(), "b".into()), ("b".into(), "c".into())]);
        assert_eq!(text, "bc");
    }
}
