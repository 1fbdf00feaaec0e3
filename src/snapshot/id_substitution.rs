//! Replaces ids by keys when a tenant is read, and keys by ids when it is written.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::placeholder::{self, IdMarker, Piece};
use crate::catalog::{Catalog, Kind, Reference, ReferencedBy, Shape};
use crate::json::{Body, PackedBody};
use crate::model::resource::{Id, Key, Resource, name_of};

/// Makes the resources of one tenant portable: determines their keys, then replaces every id by its key.
///
/// Duplicate names are numbered (`clients/Web`, `clients/Web#2`, in the order of the tenant's list) and returned.
/// Third-party resources are numbered last, so that the tenant's own resources keep their names.
pub fn to_portable(catalog: &Catalog, domain: &str, resources: &mut [Resource]) -> Vec<Key> {
    let mut marker = IdMarker::new(domain);
    let mut ids: HashMap<(&'static str, Id), Key> = HashMap::new();
    let mut aliases: HashMap<(&'static str, Id), Key> = HashMap::new();
    let mut taken: HashSet<Key> = HashSet::new();
    let mut twice = Vec::new();
    for kind in catalog.kinds() {
        let of_kind = || resources.iter().enumerate().filter(|(_, resource)| resource.key.kind() == kind);
        let names: Vec<(usize, Key)> =
            of_kind().map(|(at, resource)| (at, Key::new(kind, &portable_key_name(kind, resource, &marker, &ids)))).collect();
        for (at, key) in numbered_keys(resources, names, &mut twice) {
            let resource = &mut resources[at];
            resource.key = key;
            taken.insert(resource.key.clone());
            ids.insert((kind.name, Id::new(resource.id.own(kind))), resource.key.clone());
            if let Some(alias) = &resource.alias {
                aliases.insert((kind.name, Id::new(alias.as_str())), resource.key.clone());
            }
            if kind.has_own_ids() {
                marker.learn(resource.id.own(kind), &resource.key);
            }
        }
    }
    taken.retain(|key| !twice.contains(key));
    for resource in resources.iter_mut() {
        let kind = resource.key.kind();
        resource.body.change(|body| {
            body.change_texts(&mut |_, text| {
                if let Cow::Owned(marked) = marker.mark(text) {
                    *text = marked;
                }
            });
            mark_references(kind, body, &ids, &aliases, &taken);
            mark_pinned_versions(kind, body);
        });
    }
    twice
}

/// Returns the name of a resource once its references are keys.
fn portable_key_name(kind: &Kind, resource: &Resource, marker: &IdMarker, ids: &HashMap<(&'static str, Id), Key>) -> String {
    if let Shape::Child { parent, .. } = kind.shape {
        return ids.get(&(parent, resource.id.clone())).map_or(resource.id.as_str(), Key::name).to_owned();
    }
    let mut fields = resource.body.pick(kind.identity.key);
    fields.change_texts(&mut |path, text| {
        let named = kind.references.iter().find(|reference| reference.path == path && reference.by == ReferencedBy::Id);
        let key = named.and_then(|reference| ids.get(&(reference.to, Id::new(text.as_str()))));
        *text = key.map_or_else(|| placeholder::as_name(&marker.mark(text)), |key| key.name().to_owned());
    });
    name_of(kind, &fields)
}

/// Gives each resource of a kind a unique key: its name, with a number if an earlier resource has the same one;
/// numbered keys are added to `twice`.
///
/// A name may merely look numbered, so all plain names are assigned first.
fn numbered_keys(resources: &[Resource], mut names: Vec<(usize, Key)>, twice: &mut Vec<Key>) -> Vec<(usize, Key)> {
    names.sort_by_key(|(at, _)| resources[*at].is_foreign);
    let mut taken: HashSet<Key> = HashSet::with_capacity(names.len());
    let again: Vec<usize> = (0..names.len()).filter(|place| !taken.insert(names[*place].1.clone())).collect();
    let mut next: HashMap<Key, usize> = HashMap::new();
    for place in again {
        let (_, key) = &mut names[place];
        let nth = next.entry(key.clone()).or_insert(2);
        let (numbered, used) = free_number(key, *nth, &|key| taken.contains(key));
        *nth = used + 1;
        taken.insert(numbered.clone());
        twice.push(numbered.clone());
        *key = numbered;
    }
    names.sort_by_key(|(at, _)| *at);
    names
}

/// Returns a key with the first free number from `nth` on, and that number.
pub(crate) fn free_number(key: &Key, nth: usize, is_taken: &dyn Fn(&Key) -> bool) -> (Key, usize) {
    let mut numbered = (nth..).map(|nth| (Key::new(key.kind(), &format!("{}#{nth}", key.name())), nth));
    numbered.find(|(key, _)| !is_taken(key)).expect("there are more numbers than resources")
}

type Ids = HashMap<(&'static str, Id), Key>;

/// Replaces a reference to the id of an older version by the key that the id next to it refers to.
///
/// Each version of an action module has an id, but only the newest id is known: an action that pins an older version
/// pins the newest one in the target.
fn mark_pinned_versions(kind: &Kind, body: &mut Body) {
    let parent = |path: &'static str| path.rsplit_once('.');
    for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Alias) {
        let Some((above, field)) = parent(reference.path) else { continue };
        let is_beside = |other: &&Reference| {
            other.by == ReferencedBy::Id && other.to == reference.to && parent(other.path).is_some_and(|it| it.0 == above)
        };
        let Some((_, beside)) = kind.references.iter().find(is_beside).and_then(|other| parent(other.path)) else { continue };
        body.change(above, &mut |element| {
            let key = element[beside].as_str().and_then(placeholder::only_key);
            let is_unknown = element[field].as_str().is_some_and(|held| placeholder::only_key(held).is_none());
            if let (Some(key), true) = (key, is_unknown) {
                element[field] = Value::String(placeholder::for_key(&key));
            }
        });
    }
}

fn mark_references(kind: &Kind, body: &mut Body, ids: &Ids, aliases: &Ids, taken: &HashSet<Key>) {
    for reference in kind.references {
        body.change(reference.path, &mut |value| {
            let Value::String(text) = value else { return };
            if placeholder::only_key(text).is_some() {
                return;
            }
            let key = match reference.by {
                ReferencedBy::Id => ids.get(&(reference.to, Id::new(text.as_str()))).cloned(),
                ReferencedBy::Key => Some(Key::new(reference.kind(), text)).filter(|key| taken.contains(key)),
                ReferencedBy::Alias => aliases.get(&(reference.to, Id::new(text.as_str()))).cloned(),
                ReferencedBy::Within => None,
            };
            if let Some(key) = key {
                *text = placeholder::for_key(&key);
            }
        });
    }
}

/// Replaces dangling references by name by keys, if another tenant has such a resource.
///
/// Returns `None` if there are none.
pub(crate) fn with_known_names(kind: &Kind, body: &Body, is_known: &dyn Fn(&Key) -> bool) -> Option<Body> {
    let key_of = |reference: &Reference, value: &Value| {
        let name = value.as_str().filter(|text| placeholder::only_key(text).is_none())?;
        Some(Key::new(reference.kind(), name)).filter(is_known)
    };
    let by_name = || kind.references.iter().filter(|reference| reference.by == ReferencedBy::Key);
    if !by_name().any(|reference| body.find(reference.path).iter().any(|(_, value)| key_of(reference, value).is_some())) {
        return None;
    }
    let mut settled = body.clone();
    for reference in by_name() {
        settled.change(reference.path, &mut |value| {
            if let Some(key) = key_of(reference, value) {
                *value = Value::String(placeholder::for_key(&key));
            }
        });
    }
    Some(settled)
}

/// Returns the key if a portable value consists of a single reference.
pub(crate) fn as_reference(value: &Value) -> Option<Key> {
    value.as_str().and_then(placeholder::only_key)
}

/// Returns whether a portable value is the tenant's own domain, in a field that may also contain a name.
pub(crate) fn is_the_tenant(value: &Value) -> bool {
    value.as_str().is_some_and(placeholder::is_domain)
}

/// Returns every key that a portable value mentions, in references and inside texts.
pub fn mentioned(value: &Value) -> Vec<Key> {
    match value {
        Value::String(text) => placeholder::keys_in(text).collect(),
        Value::Array(list) => list.iter().flat_map(mentioned).collect(),
        Value::Object(fields) => fields.values().flat_map(mentioned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Returns the text of a placeholder in a portable value that names a kind which no catalog has.
pub(crate) fn invalid_key_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => placeholder::invalid_key_in(text),
        Value::Array(list) => list.iter().find_map(invalid_key_in),
        Value::Object(fields) => fields.values().find_map(invalid_key_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Returns every key that a portable text mentions.
pub fn keys_in(text: &str) -> impl Iterator<Item = Key> + '_ {
    placeholder::keys_in(text)
}

/// Renames keys in every text of a portable body.
pub fn rename(body: &mut Body, names: &HashMap<Key, Key>) {
    body.change_texts(&mut |_, text| {
        if let Cow::Owned(renamed) = placeholder::renamed(text, names) {
            *text = renamed;
        }
    });
}

/// Renames keys in every text of a resource.
pub(crate) fn rename_in(resource: &mut Resource, names: &HashMap<Key, Key>) {
    if mentions_any(&resource.body, names) {
        resource.body.change(|body| rename(body, names));
    }
}

/// Renames keys in every text of a resource. Before that, calls `see` with the path of each text (with `[]` for lists)
/// and each key to rename in it.
pub fn rename_in_seen(resource: &mut Resource, names: &HashMap<Key, Key>, see: &mut dyn FnMut(&str, &Key)) {
    if mentions_any(&resource.body, names) {
        resource.body.change(|body| {
            body.each_text(&mut |path, text| {
                placeholder::keys_in(text).filter(|key| names.contains_key(key)).for_each(|key| see(path, &key));
            });
            rename(body, names);
        });
    }
}

/// Returns whether a portable body mentions any of these keys.
pub(crate) fn mentions_any(body: &PackedBody, names: &HashMap<Key, Key>) -> bool {
    let mut found = false;
    if !names.is_empty() && body.has(placeholder::OPEN) {
        body.open().each_text(&mut |_, text| found = found || placeholder::keys_in(text).any(|key| names.contains_key(&key)));
    }
    found
}

/// Returns whether a portable body mentions one of these keys.
pub fn mentions(body: &PackedBody, keys: &HashSet<Key>) -> bool {
    let mut found = false;
    if !keys.is_empty() && body.has(placeholder::OPEN) {
        body.open().each_text(&mut |_, text| found = found || placeholder::keys_in(text).any(|key| keys.contains(&key)));
    }
    found
}

/// Applies `change` to the plain parts of a portable text; returns how many of them changed.
pub(crate) fn change_plain(text: &mut String, change: &mut dyn FnMut(&str) -> Option<String>) -> usize {
    placeholder::change_plain(text, change)
}

/// Returns the name of a resource with this portable body, like [`name_of`], with references written as names.
pub(crate) fn portable_name(kind: &Kind, body: &Body) -> String {
    let fields = kind.identity.key.iter().filter_map(|path| body.get(path).map(|value| ((*path).to_owned(), value.clone())));
    let mut fields: Body = fields.collect();
    fields.change_texts(&mut |_, text| *text = placeholder::as_name(text));
    name_of(kind, &fields)
}

/// Returns the name of a resource according to its portable body.
pub(crate) fn portable_name_of(kind: &Kind, resource: &Resource) -> String {
    portable_name(kind, &resource.body.pick(kind.identity.key))
}

/// The ids and names of one tenant's resources by key, and its domain.
#[derive(Debug, Clone)]
pub struct TenantNames {
    domain: String,
    ids: HashMap<Key, Id>,
    /// Names that differ from those in the keys.
    called: HashMap<Key, String>,
}

impl TenantNames {
    /// Returns the names of a tenant without known resources.
    pub fn new(domain: &str) -> Self {
        Self { domain: domain.to_owned(), ids: HashMap::new(), called: HashMap::new() }
    }

    /// Adds a resource.
    pub fn learn(&mut self, key: Key, id: Id) {
        self.ids.insert(key, id);
    }

    /// Adds a name that differs from the one in the key.
    pub fn call(&mut self, key: Key, name: String) {
        self.called.insert(key, name);
    }

    /// Returns the id of a resource.
    pub fn id_of(&self, key: &Key) -> Option<&Id> {
        self.ids.get(key)
    }

    /// Resolves a portable body for this tenant: keys become ids.
    ///
    /// # Errors
    ///
    /// The keys that this tenant has no resource for, as text, and placeholders that contain no key.
    pub fn resolve(&self, kind: &Kind, body: &Body) -> Result<Body, Vec<String>> {
        let mut attached = body.clone();
        let mut missing = Vec::new();
        for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Key) {
            attached.change(reference.path, &mut |value| {
                if let Some(key) = value.as_str().and_then(placeholder::only_key) {
                    *value = Value::String(self.called.get(&key).map_or(key.name(), String::as_str).to_owned());
                }
            });
        }
        attached.change_texts(&mut |_, text| {
            if text.contains(['⟦', '⟨']) {
                *text = self.resolve_text(text, &mut missing);
            }
        });
        if missing.is_empty() { Ok(attached) } else { Err(missing) }
    }

    fn resolve_text(&self, text: &str, missing: &mut Vec<String>) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in placeholder::pieces(text) {
            match piece {
                Piece::Plain(plain) => out.push_str(plain),
                Piece::Domain => out.push_str(&self.domain),
                Piece::Name => out.push_str(self.domain.split('.').next().unwrap_or(&self.domain)),
                Piece::Key(text) => match text.parse::<Key>().ok().and_then(|key| Some((key.kind(), self.ids.get(&key)?))) {
                    Some((kind, id)) => out.push_str(id.own(kind)),
                    None => missing.push(text.to_owned()),
                },
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;
    use serde_json::json;

    fn read(kind: &str, answer: Value) -> Resource {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        Resource::read(kind, Body::from_value(answer).expect("an object")).expect("readable")
    }

    fn tenant(domain: &str, client: &str, api: &str) -> Vec<Resource> {
        let management = format!("https://{domain}/api/v2/");
        let mut resources = vec![
            read("client-grants", json!({"id": format!("cgr_{client}"), "client_id": client, "audience": management, "scope": []})),
            read("resource-servers", json!({"id": api, "identifier": management, "is_system": true})),
            read("clients", json!({"client_id": client, "name": "Billing"})),
            read("rules", json!({"id": format!("rul_{client}"), "name": "r", "script": format!("x === '{client}'; '{domain}'")})),
        ];
        to_portable(Catalog::standard(), domain, &mut resources);
        resources
    }

    #[test]
    fn equal_settings_of_two_tenants_are_equal_when_portable() {
        let dev = tenant("acme-dev.eu.auth0.com", "DevDevDevDevDev1", "5f0000000000000000000001");
        let prod = tenant("acme.eu.auth0.com", "ProdProdProdProd", "5f0000000000000000000002");
        for (dev, prod) in dev.iter().zip(&prod) {
            assert_eq!((&dev.key, &dev.body), (&prod.key, &prod.body));
        }
        assert_eq!(dev[0].key.to_string(), "client-grants/Billing · https://⟨tenant⟩/api/v2/ · client");
        assert_eq!(dev[3].body.open().text("script"), Some("x === '⟦clients/Billing⟧'; '⟨tenant⟩'"));
    }

    #[test]
    fn a_portable_body_of_one_tenant_resolves_for_another() {
        let dev = tenant("acme-dev.eu.auth0.com", "DevDevDevDevDev1", "5f0000000000000000000001");
        let mut names = TenantNames::new("acme.eu.auth0.com");
        names.learn(dev[2].key.clone(), Id::new("ProdProdProdProd"));
        let attach = |resource: &Resource| names.resolve(resource.key.kind(), &resource.body.open());
        assert_eq!(
            attach(&dev[0]).expect("resolves").into_value(),
            json!({"client_id": "ProdProdProdProd", "audience": "https://acme.eu.auth0.com/api/v2/", "scope": []})
        );
        assert_eq!(attach(&dev[3]).expect("resolves").text("script"), Some("x === 'ProdProdProdProd'; 'acme.eu.auth0.com'"));
    }

    #[test]
    fn a_key_without_a_resource_is_reported() {
        let names = TenantNames::new("acme.eu.auth0.com");
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let body = Body::from_value(json!({"allowed_clients": ["⟦clients/Gone⟧"]})).expect("an object");
        assert_eq!(names.resolve(kind, &body).expect_err("missing"), ["clients/Gone"]);
    }

    #[test]
    fn duplicate_names_are_numbered_in_the_order_of_the_list() {
        let mut resources: Vec<_> = ["one", "two", "three"].map(|id| read("clients", json!({"client_id": id, "name": "Web"}))).into();
        let twice = to_portable(Catalog::standard(), "acme.auth0.com", &mut resources);
        assert_eq!(
            resources.iter().map(|client| client.key.to_string()).collect::<Vec<_>>(),
            ["clients/Web", "clients/Web#2", "clients/Web#3"]
        );
        assert_eq!(twice, [key("clients/Web#2"), key("clients/Web#3")]);
    }

    #[test]
    fn a_dangling_reference_is_unchanged() {
        let mut resources = vec![read("client-grants", json!({"id": "g", "client_id": "gone", "audience": "https://api"}))];
        to_portable(Catalog::standard(), "acme.auth0.com", &mut resources);
        let body = resources[0].body.open();
        assert_eq!((body.text("client_id"), body.text("audience")), (Some("gone"), Some("https://api")));
    }
}
