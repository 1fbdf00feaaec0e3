//! What a tenant holds: read from a state file, changed by requests, written back.
//!
//! A state file says what the tenant answers by API path:
//!
//! ```text
//! {"tenant": "acme-dev", "domain": "acme-dev.eu.auth0.com",
//!  "data":   {"/clients": [..], "/tenants/settings": {..}, "/roles/rol_x/permissions": [..]},
//!  "absent": {"/emails/provider": {"status": 404, "body": {..}}},
//!  "day":    "2026-01-28", "defaults": {"clients": {"async_approval_notification_channels": ["guardian-push"]}},
//!  "unentitled": {"clients": ["token_quota"]},
//!  "refuse": [{"method": "PATCH", "path": "/tenants/settings$", "has": "flags.x", "status": 400, "body": {..}}]}
//! ```
//!
//! Four may be left out: the day, for a tenant as the server was before fields came that it fills in now, the defaults, for what
//! this tenant fills in and others do not, the fields that its subscription lacks, and the [rules](crate::sandbox::api::tenant_rules) of what it refuses.
//!
//! Paths that no kind of the catalog covers are kept and served as they stand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::ids::Mint;
use super::new_tenant;
use super::replica::file;
use super::table::Table;
use crate::catalog::{By, Catalog, Kind, Named, Paging, Shape};
use crate::files;
use crate::json::Body;
use crate::sandbox::api::tenant_rules::Rule;
use crate::sandbox::behaviour::registry::{Order, behaviour_of};
use crate::sandbox::http::response::Answer;
use crate::sandbox::http::route::Target;

/// What is no state.
#[derive(Debug, thiserror::Error)]
pub enum NoState {
    /// The file cannot be read.
    #[error("cannot read the state file \"{path}\"")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no JSON.
    #[error("the state file \"{path}\" is not JSON")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where it stops being JSON.
        source: serde_json::Error,
    },
    /// A path holds something its kind cannot be read from.
    #[error("\"{path}\" of the state holds no {expected}")]
    Unfit {
        /// The API path.
        path: String,
        /// What was looked for.
        expected: String,
    },
}

/// What a tenant holds.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) catalog: &'static Catalog,
    pub(crate) tenant: String,
    pub(crate) domain: String,
    pub(crate) tables: HashMap<&'static str, Table>,
    pub(crate) children: HashMap<&'static str, BTreeMap<String, Vec<Value>>>,
    /// What a list shows though it was never saved.
    pub(crate) presets: HashMap<&'static str, Vec<Value>>,
    pub(crate) others: BTreeMap<String, Value>,
    pub(crate) absent: BTreeMap<String, Answer>,
    pub(crate) defaults: BTreeMap<String, Body>,
    /// Fields that the tenant's subscription lacks, by kind.
    pub(crate) unentitled: BTreeMap<String, Vec<String>>,
    /// What this tenant refuses, or does besides, that others do not.
    pub(crate) rules: Vec<Rule>,
    pub(crate) day: Option<String>,
    pub(crate) mint: Mint,
    /// Whether it takes what only the description and reports of the live API refuse.
    pub(crate) is_lenient: bool,
    /// Clients that no write has named yet, where the tenant is late to see them.
    pub(crate) unseen: Option<HashSet<String>>,
}

impl State {
    /// Returns what a new tenant of this domain holds: its global client, the Management API, settings as they come, and nothing else.
    ///
    /// # Panics
    ///
    /// Never: what a new tenant holds is written here.
    #[must_use]
    pub fn empty(domain: &str) -> Self {
        let mut json = Self::empty_of(Catalog::standard(), domain).to_json();
        let tenant = domain.split('.').next().unwrap_or_default();
        json["data"]["/clients"] = json!([new_tenant::global_client(tenant, &mut Mint::new(&format!("{domain}\nown")))]);
        if let Value::Object(data) = &mut json["data"] {
            data.extend(new_tenant::settings(domain));
        }
        Self::from_json(json).expect("a new tenant is written in the format of a state")
    }

    /// Returns a tenant of this domain with its Management API and nothing else, of the kinds of this catalog.
    ///
    /// # Panics
    ///
    /// Never: what it holds is written here.
    #[must_use]
    pub fn empty_of(catalog: &'static Catalog, domain: &str) -> Self {
        let mut mint = Mint::new(domain);
        let scopes: Vec<Value> =
            scopes_of(catalog).into_iter().map(|scope| json!({"value": scope, "description": describe(&scope)})).collect();
        let management = json!({
            "id": mint.id("resource-servers"), "name": "Auth0 Management API", "identifier": format!("https://{domain}/api/v2/"),
            "allow_offline_access": false, "skip_consent_for_verifiable_first_party_clients": false,
            "signing_alg": "RS256", "token_lifetime": 86400, "token_lifetime_for_web": 7200, "is_system": true, "scopes": scopes,
            "subject_type_authorization": {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}},
        });
        let data = json!({"/resource-servers": [management], "/tenants/settings": {"enabled_locales": ["en"], "flags": {}}});
        let state = Self::of(catalog, json!({"domain": domain, "data": data}));
        state.expect("a new tenant is written in the format of a state")
    }

    /// Reads a state file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is no state.
    pub fn load(path: &Path) -> Result<Self, NoState> {
        let text = files::read(path).map_err(|source| NoState::File { path: path.to_owned(), source })?;
        let json = serde_json::from_slice(&text).map_err(|source| NoState::NotJson { path: path.to_owned(), source })?;
        Self::from_json(json)
    }

    /// Reads a state in the form of a state file, of the kinds of the standard catalog.
    ///
    /// # Errors
    ///
    /// When it is no state.
    pub fn from_json(json: Value) -> Result<Self, NoState> {
        Self::of(Catalog::standard(), json)
    }

    /// Reads a state in the form of a state file, of the kinds of this catalog.
    ///
    /// # Errors
    ///
    /// When it is no state.
    pub fn of(catalog: &'static Catalog, mut json: Value) -> Result<Self, NoState> {
        let domain = json["domain"].as_str().unwrap_or("sandbox.eu.auth0.com").to_owned();
        let tenant = json["tenant"].as_str().or(domain.split('.').next()).unwrap_or_default().to_owned();
        let mut state = Self {
            catalog,
            mint: Mint::new(&domain),
            tenant,
            domain,
            tables: HashMap::new(),
            children: HashMap::new(),
            presets: HashMap::new(),
            others: BTreeMap::new(),
            absent: BTreeMap::new(),
            defaults: BTreeMap::new(),
            unentitled: serde_json::from_value(json["unentitled"].take()).unwrap_or_default(),
            rules: Rule::read_all(json["refuse"].take())?,
            day: json["day"].as_str().map(str::to_owned),
            is_lenient: false,
            unseen: None,
        };
        let Value::Object(data) = json["data"].take() else { return Err(unfit("data", "object of API paths")) };
        // Parents come before their children, so that old fields that stand for a child do not override it.
        for (path, value) in data {
            state.read_path(path, value)?;
        }
        state.derive_children();
        state.derive_singletons();
        if let Value::Object(absent) = json["absent"].take() {
            for (path, mut answer) in absent {
                let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(404);
                state.absent.insert(path, Answer::new(status, answer["body"].take()));
            }
        }
        if let Value::Object(defaults) = json["defaults"].take() {
            for (kind, fields) in defaults {
                let fields = Body::from_value(fields).map_err(|_| unfit(&format!("defaults.{kind}"), "object of fields"))?;
                state.defaults.insert(kind, fields);
            }
        }
        Ok(state)
    }

    fn read_path(&mut self, path: String, value: Value) -> Result<(), NoState> {
        let (kind, target) = match self.kind_at(&path) {
            None | Some((_, Target::FollowUp(_))) => {
                self.others.insert(path, value);
                return Ok(());
            }
            Some(covered) => covered,
        };
        match (kind.shape, target, value) {
            (Shape::Collection | Shape::Keyed { .. }, Target::Whole, Value::Array(list)) => self.put_all(kind, None, list, &path)?,
            (Shape::Nested { .. }, Target::Under(parent), Value::Array(list)) => self.put_all(kind, Some(&parent), list, &path)?,
            (Shape::Child { .. }, Target::One(id), Value::Array(list)) => {
                self.children.entry(kind.name).or_default().insert(id, list);
            }
            // What was made at one path, and is read at another.
            (Shape::Singleton, Target::Whole, Value::Array(made)) if path != kind.path => {
                self.others.insert(path, Value::Array(made));
            }
            (Shape::Singleton, Target::Whole, value) => {
                let body = answered(kind, value).ok_or_else(|| unfit(&path, kind.singular))?;
                self.put(kind, "", body);
            }
            (Shape::Keyed { .. } | Shape::Part { .. }, Target::One(id), value) => {
                let mut body = answered(kind, value).ok_or_else(|| unfit(&path, kind.singular))?;
                kind.fill(&mut body, &id);
                self.put(kind, &id, body);
            }
            // One resource beside its list says nothing that the list does not.
            (Shape::Collection | Shape::Nested { .. }, Target::One(_), Value::Object(_)) => {}
            _ => return Err(unfit(&path, &format!("{} as the API answers them", kind.name))),
        }
        Ok(())
    }

    /// Puts a list in; an empty one is one too, and presets have no id.
    fn put_all(&mut self, kind: &'static Kind, parent: Option<&str>, list: Vec<Value>, path: &str) -> Result<(), NoState> {
        self.tables.entry(kind.name).or_default();
        for element in list {
            let mut body = Body::from_value(element).map_err(|_| unfit(path, "list of objects"))?;
            if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
                body.set(field, parent.into());
            }
            match kind.id_of(&body) {
                Some(id) => self.put(kind, &id, body),
                None if kind.has_presets => self.presets.entry(kind.name).or_default().push(body.into_value()),
                None => return Err(unfit(path, &format!("{} with \"{}\"", kind.singular, kind.id))),
            }
        }
        Ok(())
    }

    /// Turns the old field `enabled_clients` of a connection into the list of its clients, and drops it.
    fn derive_children(&mut self) {
        const OLD: &str = "enabled_clients";
        let Some(parent) = self.catalog.kind("connections") else { return };
        let Some(child) =
            self.catalog.below(parent.name).find(|kind| matches!(kind.shape, Shape::Child { .. }) && kind.elements() == "clients")
        else {
            return;
        };
        let table = self.tables.entry(parent.name).or_default();
        for id in table.ids_where(|body| body.get(OLD).is_some()) {
            let table = self.tables.entry(parent.name).or_default();
            let Some(mut body) = table.get(&id).cloned() else { continue };
            let clients = body.0.remove(OLD).unwrap_or_default();
            let elements = clients.as_array().into_iter().flatten().map(|client| json!({"client_id": client})).collect();
            self.children.entry(child.name).or_default().entry(id.clone()).or_insert(elements);
            self.put(parent, &id, body);
        }
    }

    /// Reads what is made at one path and read at another from the list of what was made, where the state says no more: the first is it.
    fn derive_singletons(&mut self) {
        for kind in self.catalog.kinds().filter(|kind| kind.shape == Shape::Singleton) {
            if self.tables.contains_key(kind.name) {
                continue;
            }
            let made = self.others.get(kind.create_path).and_then(|made| made.get(0)).cloned();
            if let Some(body) = made.and_then(|made| answered(kind, made)) {
                self.put(kind, "", body);
            }
        }
    }

    /// Returns the state in the form of a state file.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut data: Map<String, Value> = self.others.clone().into_iter().collect();
        for kind in self.catalog.kinds() {
            if kind.view_of.is_some() {
                continue;
            }
            if let Shape::Child { .. } = kind.shape {
                for (id, list) in self.children.get(kind.name).into_iter().flatten() {
                    data.insert(kind.path_of(id), Value::Array(list.clone()));
                }
                continue;
            }
            let Some(table) = self.tables.get(kind.name) else { continue };
            if matches!(kind.shape, Shape::Collection | Shape::Keyed { names: Named::Listed }) {
                // An empty list is one too.
                data.insert(kind.path.to_owned(), json!([]));
            }
            table.listed(None, true).for_each(|(_, body)| file(&mut data, kind, body));
            if let Some(Value::Array(list)) = data.get_mut(kind.path) {
                list.extend(self.presets.get(kind.name).into_iter().flatten().cloned());
            }
        }
        let absent: Map<String, Value> =
            self.absent.iter().map(|(path, answer)| (path.clone(), json!({"status": answer.status, "body": answer.body}))).collect();
        let mut json = json!({"tenant": self.tenant, "domain": self.domain, "data": data, "absent": absent});
        if let Some(day) = self.day() {
            json["day"] = day.into();
        }
        if !self.unentitled.is_empty() {
            json["unentitled"] = json!(self.unentitled);
        }
        if !self.rules.is_empty() {
            json["refuse"] = json!(self.rules);
        }
        if !self.defaults.is_empty() {
            json["defaults"] = self.defaults.iter().map(|(kind, fields)| (kind.clone(), fields.clone().into_value())).collect();
        }
        json
    }

    /// Returns the day the tenant is played on; nothing where it is played as the server was last recorded.
    pub(crate) fn day(&self) -> Option<&str> {
        self.day.as_deref()
    }

    /// Lets it take what only the API's description and reports of the live API refuse.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// Lets it answer 404 to the first client grant, or change of a connection's clients, that names a client made a moment ago, as Auth0 is
    /// reported to do at times.
    #[must_use]
    pub fn late(mut self) -> Self {
        self.unseen = Some(HashSet::new());
        self
    }

    /// Returns the tenant's own domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns the identifier of the tenant's own Management API.
    #[must_use]
    pub fn management_audience(&self) -> String {
        format!("https://{}/api/v2/", self.domain)
    }

    /// Returns how many resources of a kind there are.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.tables.get(kind).map_or(0, Table::len)
    }

    /// Makes every new id and secret from this text; without it they come from the domain.
    pub fn seed(&mut self, seed: &str) {
        self.mint = Mint::new(seed);
    }

    /// Puts a resource where its kind keeps it.
    pub(crate) fn put(&mut self, kind: &'static Kind, id: &str, body: Body) {
        let habit = behaviour_of(kind.name);
        let by = match habit.order {
            Order::Born => String::new(),
            Order::Id => id.to_owned(),
            Order::Name => body.text("name").unwrap_or_default().to_owned(),
            Order::NameOfAnyCase => body.text("name").unwrap_or_default().to_lowercase(),
        };
        let last = body.get("global") == Some(&Value::Bool(true));
        let name = (!kind.allows_duplicates && !kind.key.is_empty()).then(|| name_of(kind, &body));
        self.tables.entry(kind.name).or_default().put(id, body, by, last, name);
    }

    /// Returns whether a resource that a reference names is there.
    pub(crate) fn has(&self, kind: &str, by: By, value: &str) -> bool {
        self.tables.get(kind).is_some_and(|table| match by {
            By::Id => table.has(value),
            By::Key => table.named(value).is_some(),
            By::Alias => {
                let alias = self.catalog.kind(kind).map_or("", |kind| kind.alias);
                !table.ids_where(|body| body.text(alias) == Some(value)).is_empty()
            }
            By::Within => true,
        })
    }
}

/// Returns what was answered as an object: a bare array stands in the field that the kind keeps it in.
pub(crate) fn answered(kind: &Kind, value: Value) -> Option<Body> {
    match value {
        Value::Array(_) if !kind.list_field.is_empty() => Some(Body::from_iter([(kind.list_field.to_owned(), value)])),
        Value::Array(_) => match kind.paging {
            // A state says what stands on all pages of such a list.
            Paging::Counted { field, .. } => Some(Body::from_iter([(field.to_owned(), value)])),
            _ => None,
        },
        other => Body::from_value(other).ok(),
    }
}

/// Returns what the server tells of a stored body: not what stands in the path, and bare where it answers a bare array.
pub(crate) fn bare(kind: &Kind, body: &Body) -> Value {
    let mut told = body.clone();
    let is_listed = matches!(kind.shape, Shape::Keyed { names: Named::Listed });
    for field in kind.in_path().filter(|_| !is_listed) {
        told.0.remove(field);
    }
    if kind.list_field.is_empty() { told.into_value() } else { told.0.remove(kind.list_field).unwrap_or_else(|| json!([])) }
}

/// Returns what a resource is named by within its tenant.
pub(crate) fn name_of(kind: &Kind, body: &Body) -> String {
    let part = |path: &&str| match body.get(path) {
        None | Some(Value::Null) => kind.default_of(path).map(|value| value.to_string()).unwrap_or_default(),
        Some(Value::String(text)) if kind.key.len() == 1 => text.clone(),
        Some(value) => value.to_string(),
    };
    kind.key.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// Returns every scope that the kinds of a catalog ask for, in order.
pub(crate) fn scopes_of(catalog: &Catalog) -> Vec<String> {
    let of = |kind: &'static Kind| [kind.read_scopes, kind.create_scopes, kind.update_scopes, kind.delete_scopes].concat();
    let mut scopes: Vec<String> = catalog.kinds().flat_map(of).map(str::to_owned).collect();
    scopes.extend(["read:client_keys".to_owned(), "update:client_keys".to_owned()]);
    scopes.sort();
    scopes.dedup();
    scopes
}

fn describe(scope: &str) -> String {
    let (verb, what) = scope.split_once(':').unwrap_or((scope, ""));
    format!("{}{} {}", verb[..1].to_uppercase(), &verb[1..], what.replace('_', " "))
}

fn unfit(path: &str, expected: &str) -> NoState {
    NoState::Unfit { path: path.to_owned(), expected: expected.to_owned() }
}
