//! Resources, their keys and ids, and how a resource is built from a tenant's answer.
//!
//! A resource is built here from what a tenant returned: read-only fields are dropped, secrets are removed
//! and unknown fields are set apart before any other code sees the body.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalog::{Exclusion, Kind, RequestPurpose};
use crate::json::{Body, PackedBody, covers, is_blank};

/// A tenant's id for a resource; it differs from tenant to tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// Creates an id from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the id can be used in a request path: an empty part, `.` or `..` would address
    /// something else.
    #[must_use]
    pub fn is_addressable(&self) -> bool {
        !self.0.is_empty() && !self.0.split('/').any(|part| matches!(part, "." | ".."))
    }

    /// Returns the id that the tenant itself uses; for a nested resource, the part after its parent's id.
    #[must_use]
    pub fn own(&self, kind: &Kind) -> &str {
        match kind.parent_field() {
            Some(_) => self.0.split_once('/').map_or(self.as_str(), |(_, own)| own),
            None => self.as_str(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Identifies a resource across tenants: its kind, and a name built from the kind's key fields
/// (`clients/Billing API`).
///
/// If several resources have the same name, the second and later ones get a number (`clients/Web#2`). The number is part of the name rather
/// than a field of the key: the text of a key does not tell whether a resource is the second `Web` or the only one that is called `Web#2`,
/// which tenants allow, and most keys are read from such texts (placeholders in bodies, plans, baselines). A number that is there only where
/// the key was made in the same process would be missing where keys are compared. Which names were numbered is known only where all names
/// of a tenant are: in `twice` of its snapshot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    kind: &'static Kind,
    name: Arc<str>,
}

impl Key {
    /// Creates the key of a resource. Brackets that delimit keys in texts are replaced by plain ones.
    #[must_use]
    pub fn new(kind: &'static Kind, name: &str) -> Self {
        let name = if name.contains(['⟦', '⟧']) { name.replace('⟦', "[").replace('⟧', "]").into() } else { name.into() };
        Self { kind, name }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Returns the name within the kind; empty for a singleton.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.name;
        if self.name.is_empty() { out.write_str(kind) } else { write!(out, "{kind}/{}", self.name) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Key").field("kind", &self.kind.name).field("name", &self.name).finish()
    }
}

/// The error for a text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It names no kind.
    #[error("\"{0}\" is not a key: expected `kind/name`")]
    WithoutKind(String),
    /// It names a kind that no catalog has.
    #[error("\"{text}\" is not a key: \"{kind}\" is no kind this version of migrate knows")]
    UnknownKind {
        /// The text.
        text: String,
        /// What stands in the place of a kind.
        kind: String,
    },
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (kind, name) = text.split_once('/').unwrap_or((text, ""));
        if kind.is_empty() {
            return Err(InvalidKey::WithoutKind(text.to_owned()));
        }
        let unknown = || InvalidKey::UnknownKind { text: text.to_owned(), kind: kind.to_owned() };
        Ok(Self { kind: Kind::named(kind).ok_or_else(unknown)?, name: name.into() })
    }
}

/// Returns the key of this text.
#[cfg(test)]
pub(crate) fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A kind and a name: `clients/Billing API`." })
    }
}

/// Why everything that belongs to a resource is excluded together with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// Migrate itself signs in with this client.
    Own,
    /// The configuration protects it.
    Protected,
}

/// One object of a kind. Thousands are in memory at once, so the body is packed; [`open`](Resource::open)
/// gives access to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resource<B = PackedBody> {
    /// Its key, the same in every tenant.
    pub key: Key,
    /// Its id in its own tenant.
    pub id: Id,
    /// The writable fields: those that can be compared and sent.
    pub body: B,
    /// A second id in its own tenant, if its kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Unknown fields: exported, never sent.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub carried: Body,
    /// The paths from which secrets were removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Why it is excluded: other resources can refer to it, but it is never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
    /// Whether it is excluded because the tenant refuses to return it, so that its content is unknown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_unseen: bool,
    /// Why the resources that belong to it are excluded too, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<ExclusionReason>,
    /// Whether a third party made it, so that it is never matched with a resource of the same name in another
    /// tenant.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_foreign: bool,
    /// Whether the tenant itself creates it: some of its fields are written, but it is never created or
    /// deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_given: bool,
}

/// A resource whose body can be read and changed.
pub type OpenResource = Resource<Body>;

/// Why a response of the API cannot be used as a resource.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The response contains no id.
    #[error("{kind} without \"{field}\": {answer}", kind = .kind, field = .field, answer = .answer)]
    WithoutId {
        /// The kind, in the singular.
        kind: &'static str,
        /// The field that should contain the id.
        field: &'static str,
        /// The names of the fields in the response.
        answer: String,
    },
    /// The id would change the path of a request.
    #[error("{kind} with the id \"{id}\", which is none")]
    NoId {
        /// The kind, in the singular.
        kind: &'static str,
        /// The id.
        id: String,
    },
}

impl Resource {
    /// Builds a resource from what a tenant returned.
    ///
    /// Its key is provisional: if key fields contain references, the key is completed once those have been
    /// replaced by keys.
    ///
    /// # Errors
    ///
    /// If the response has no id, or one that cannot be used in a path.
    pub fn read(kind: &'static Kind, answer: Body) -> Result<Self, Unreadable> {
        OpenResource::read_open(kind, answer).map(OpenResource::pack)
    }

    /// Creates a resource with only a key, an id and a body.
    #[must_use]
    pub fn new(key: Key, id: Id, body: impl Into<PackedBody>) -> Self {
        Self::of(key, id, body.into())
    }

    /// Excludes the resource and everything that belongs to it.
    pub fn reserve(&mut self, reserved: ExclusionReason, reason: &str) {
        self.reserved = Some(reserved);
        self.excluded = Some(reason.to_owned());
    }

    /// Returns whether the tenant returned an empty object, which does not mean that its fields should be
    /// removed.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.body.is_empty() && self.secrets.is_empty()
    }

    /// Returns the resource with its body unpacked.
    #[must_use]
    pub fn open(&self) -> OpenResource {
        OpenResource {
            key: self.key.clone(),
            id: self.id.clone(),
            body: self.body.open(),
            alias: self.alias.clone(),
            carried: self.carried.clone(),
            secrets: self.secrets.clone(),
            is_unseen: self.is_unseen,
            excluded: self.excluded.clone(),
            reserved: self.reserved,
            is_foreign: self.is_foreign,
            is_given: self.is_given,
        }
    }

    /// Builds the resource of a child kind: the whole list under one parent.
    #[must_use]
    pub fn read_child(kind: &'static Kind, parent: &Id, elements: Vec<serde_json::Value>) -> Self {
        let mut answer = Body::new();
        answer.set(kind.elements(), serde_json::Value::Array(elements));
        kind.apply_read_edits(&mut answer);
        let secrets = take_secrets(kind, &mut answer);
        for path in kind.fields.read_only {
            answer.take(path);
        }
        let (body, carried) = kind.fields.writable().split(answer, RequestPurpose::Snapshot);
        Self { carried, secrets, ..Self::new(Key::new(kind, parent.as_str()), parent.clone(), body) }
    }
}

impl<B> Resource<B> {
    /// Returns the resource with this reason for its exclusion, or with none.
    #[must_use]
    pub fn left_alone_as(self, alone: Option<&Exclusion>) -> Self {
        Self { excluded: alone.map(|alone| alone.reason.to_owned()), is_foreign: alone.is_some_and(|alone| alone.is_foreign), ..self }
    }

    fn of(key: Key, id: Id, body: B) -> Self {
        Self {
            key,
            id,
            body,
            alias: None,
            carried: Body::new(),
            secrets: Vec::new(),
            excluded: None,
            is_unseen: false,
            reserved: None,
            is_foreign: false,
            is_given: false,
        }
    }
}

impl OpenResource {
    /// Builds a resource with an unpacked body from what a tenant returned; see [`Resource::read`].
    pub(crate) fn read_open(kind: &'static Kind, mut answer: Body) -> Result<Self, Unreadable> {
        let alone = kind.exclusion(&answer, &BTreeSet::new());
        let given = kind.quirks.built_in.filter(|given| given.matches(&answer));
        let without_id = |answer: &Body| Unreadable::WithoutId {
            kind: kind.singular,
            field: kind.identity.id,
            answer: answer.0.keys().cloned().collect::<Vec<_>>().join(", "),
        };
        let id = kind.id_of(&answer).map(Id::new).ok_or_else(|| without_id(&answer))?;
        if !id.is_addressable() {
            return Err(Unreadable::NoId { kind: kind.singular, id: id.0 });
        }
        let alias = answer.text(kind.quirks.alias_id).map(str::to_owned);
        kind.apply_read_edits(&mut answer);
        if let Some(follow_up) = kind.lifecycle.follow_up
            && let Some(running) = follow_up.deployed(&answer)
        {
            answer.set(follow_up.field, running);
        }
        let mut secrets = take_secrets(kind, &mut answer);
        for path in kind.fields.read_only {
            answer.take(path);
        }
        take_server_values(kind, &mut answer);
        for (newer, older) in kind.quirks.exclusive {
            if answer.get(newer).is_some_and(|value| !crate::json::is_blank(value)) {
                answer.take(older);
            }
        }
        let (mut body, mut carried) = kind.fields.writable().split(answer, RequestPurpose::Snapshot);
        if let Some(given) = given {
            given.keep_written(&mut body, kind.identity.key);
            secrets.retain(|secret| given.fields.iter().any(|field| covers(field, secret)));
        }
        if kind.fields.writable().get(kind.identity.id).is_none() {
            carried.0.remove(kind.identity.id);
        }
        if kind.quirks.same_endpoint_as.is_some() {
            carried = Body::new();
            secrets.retain(|secret| kind.fields.writable().has(secret));
        }
        let key = Key::new(kind, &name_of(kind, &body));
        Ok(Self { alias, carried, secrets, is_given: given.is_some(), ..Self::of(key, id, body) }.left_alone_as(alone))
    }

    /// Returns the resource with its body packed.
    #[must_use]
    pub fn pack(self) -> Resource {
        let Self { key, id, body, alias, carried, secrets, excluded, is_unseen, reserved, is_foreign, is_given } = self;
        Resource { key, id, body: body.into(), alias, carried, secrets, excluded, is_unseen, reserved, is_foreign, is_given }
    }

    /// Returns whether the body contains nothing but the key fields.
    #[must_use]
    pub fn is_blank(&self, kind: &Kind) -> bool {
        let is_name = |name: &str| kind.identity.key.contains(&name) || kind.path_fields().any(|field| field == name);
        self.secrets.is_empty() && self.body.0.iter().all(|(name, value)| is_name(name) || is_blank(value))
    }
}

/// Separates the parts of a name.
pub(crate) const BETWEEN_PARTS: &str = " · ";

/// Returns the name of a resource with this body: its key fields, joined by ` · `. Absent fields are left
/// out.
#[must_use]
pub fn name_of(kind: &Kind, body: &Body) -> String {
    let part = |path: &&str| match body.get(path) {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Null) | None => kind.default_of(path).and_then(|value| value.as_str().map(str::to_owned)),
        Some(other) => Some(other.to_string()),
    };
    kind.identity.key.iter().filter_map(part).collect::<Vec<_>>().join(BETWEEN_PARTS)
}

/// Removes values that only the server sets, and list elements that contain one.
fn take_server_values(kind: &Kind, answer: &mut Body) {
    let is_own = |value: Option<&serde_json::Value>, values: &[&str]| {
        value.and_then(serde_json::Value::as_str).is_some_and(|value| values.contains(&value))
    };
    for (field, values) in kind.quirks.server_values {
        let Some((list, name)) = field.split_once("[].") else {
            if is_own(answer.get(field), values) {
                answer.take(field);
            }
            continue;
        };
        answer.change(list, &mut |list| {
            list.as_array_mut().into_iter().for_each(|list| list.retain(|element| !is_own(element.get(name), values)));
        });
    }
}

/// Removes every secret from a response, both those in the kind's entry and undeclared ones, and returns
/// their paths. Blank secrets (`""` of a public client) are removed but not returned.
pub fn take_secrets(kind: &Kind, answer: &mut Body) -> Vec<String> {
    let listed = kind.take_listed_secrets(answer);
    let taken = listed.into_iter().chain(kind.take_unlisted_secrets(answer));
    taken.filter(|(_, value)| !is_blank(value)).map(|(path, _)| path).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn client() -> Resource {
        let answer = json!({
            "client_id": "c1", "client_secret": "s3cret", "name": "Billing", "tenant": "acme", "brand_new": 1,
            "signing_keys": [{"cert": "x"}], "callbacks": ["https://a"], "refresh_token": {"leeway": 0, "later": true},
        });
        let kind = Catalog::standard().kind("clients").expect("a kind");
        Resource::read(kind, Body::from_value(answer).expect("an object")).expect("readable")
    }

    #[test]
    fn a_resource_contains_only_writable_fields_and_lists_its_secrets() {
        let client = client();
        assert_eq!(client.key.to_string(), "clients/Billing");
        assert_eq!(client.body.open().into_value(), json!({"name": "Billing", "callbacks": ["https://a"], "refresh_token": {"leeway": 0}}));
        assert_eq!(client.carried.into_value(), json!({"brand_new": 1, "refresh_token": {"later": true}}));
        assert_eq!(client.secrets, ["client_secret"]);
    }

    #[test]
    fn values_that_only_the_server_sets_are_removed() {
        let kind = Catalog::standard().kind("log-streams").expect("a kind");
        let read = |status: &str, filters: &[&str]| {
            let filters = filters.iter().map(|name| json!({"type": "category", "name": name})).collect::<Vec<_>>();
            let answer = json!({"id": "lst_1", "name": "Audit", "type": "http", "status": status, "filters": filters});
            Resource::read(kind, Body::from_value(answer).expect("an object")).expect("readable").body.open().into_value()
        };
        let paused =
            json!({"name": "Audit", "type": "http", "status": "paused", "filters": [{"type": "category", "name": "auth.login.fail"}]});
        assert_eq!(read("paused", &["auth.login.fail"]), paused);
        assert_eq!(read("suspended", &["security"]), json!({"name": "Audit", "type": "http", "filters": []}));
    }

    #[test]
    fn a_grant_without_a_subject_type_has_the_key_of_a_client_grant() {
        let kind = Catalog::standard().kind("client-grants").expect("a kind");
        let answer = json!({"id": "g1", "client_id": "c1", "audience": "https://api"});
        let grant = Resource::read(kind, Body::from_value(answer).expect("an object")).expect("readable");
        assert_eq!(grant.key.name(), "c1 · https://api · client");
    }
}
