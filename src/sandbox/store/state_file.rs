//! State files: the state of a tenant as JSON.
//!
//! A state file contains the responses of a tenant by API path:
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
//! Four members are optional: the day that the sandbox imitates, so that it fills in only the fields of that time; the defaults that
//! only this tenant fills in; the fields that its subscription lacks; and the [rules](super::tenant_rule) of what it refuses.
//!
//! Paths that no kind of the catalog covers are stored and served unchanged.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::api_form::{from_api, insert_at_path};
use super::ids::IdGenerator;
use super::state::State;
use super::tenant_rule::TenantRule;
use crate::catalog::{Catalog, KeyNames, Kind, Shape};
use crate::files;
use crate::json::Body;
use crate::sandbox::http::response::ApiResponse;
use crate::sandbox::http::route::Target;

/// Why a state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The file does not contain JSON.
    #[error("the state file \"{path}\" is not JSON")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where parsing failed.
        source: serde_json::Error,
    },
    /// The value at a path does not have the shape of its kind.
    #[error("\"{path}\" of the state holds no {expected}")]
    Unfit {
        /// The API path.
        path: String,
        /// The expected shape.
        expected: String,
    },
}

impl State {
    /// Loads a state file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a valid state.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let text = files::read(path)?;
        let json = serde_json::from_slice(&text).map_err(|source| StateError::NotJson { path: path.to_owned(), source })?;
        Self::from_json(json)
    }

    /// Parses a state in the format of a state file, with the kinds of the standard catalog.
    ///
    /// # Errors
    ///
    /// If the JSON is not a valid state.
    pub fn from_json(json: Value) -> Result<Self, StateError> {
        Self::from_json_with(Catalog::standard(), json)
    }

    /// Parses a state in the format of a state file, with the kinds of this catalog.
    ///
    /// # Errors
    ///
    /// If the JSON is not a valid state.
    pub fn from_json_with(catalog: &'static Catalog, mut json: Value) -> Result<Self, StateError> {
        if !json.is_object() {
            return Err(unfit("state", "object with `domain` and `data`"));
        }
        let domain = json["domain"].as_str().unwrap_or("sandbox.eu.auth0.com").to_owned();
        let tenant = json["tenant"].as_str().or(domain.split('.').next()).unwrap_or_default().to_owned();
        let mut state = Self {
            catalog,
            ids: IdGenerator::new(&domain),
            tenant,
            domain,
            tables: HashMap::new(),
            children: HashMap::new(),
            presets: HashMap::new(),
            uncovered: BTreeMap::new(),
            absent: BTreeMap::new(),
            defaults: BTreeMap::new(),
            unentitled: serde_json::from_value(json["unentitled"].take()).unwrap_or_default(),
            rules: read_rules(json["refuse"].take())?,
            day: json["day"].as_str().map(str::to_owned),
            is_lenient: false,
            not_yet_visible: None,
        };
        let Value::Object(data) = json["data"].take() else { return Err(unfit("data", "object of API paths")) };
        // Parents come before their children, so that old fields of a parent do not override the list of a child.
        for (path, value) in data {
            state.read_path(path, value)?;
        }
        state.derive_children();
        state.derive_singletons();
        state.read_absent(json["absent"].take());
        state.read_defaults(json["defaults"].take())?;
        Ok(state)
    }

    fn read_absent(&mut self, absent: Value) {
        if let Value::Object(absent) = absent {
            for (path, mut answer) in absent {
                let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(404);
                self.absent.insert(path, ApiResponse::new(status, answer["body"].take()));
            }
        }
    }

    fn read_defaults(&mut self, defaults: Value) -> Result<(), StateError> {
        if let Value::Object(defaults) = defaults {
            for (kind, fields) in defaults {
                let fields = Body::from_value(fields).map_err(|_| unfit(&format!("defaults.{kind}"), "object of fields"))?;
                self.defaults.insert(kind, fields);
            }
        }
        Ok(())
    }

    fn read_path(&mut self, path: String, value: Value) -> Result<(), StateError> {
        let (kind, target) = match self.kind_at(&path) {
            None | Some((_, Target::FollowUp(_))) => {
                self.uncovered.insert(path, value);
                return Ok(());
            }
            Some(covered) => covered,
        };
        match (kind.shape, target, value) {
            (Shape::Collection | Shape::Keyed { .. }, Target::Root, Value::Array(list)) => self.put_all(kind, None, list, &path)?,
            (Shape::Nested { .. }, Target::ListUnder(parent), Value::Array(list)) => self.put_all(kind, Some(&parent), list, &path)?,
            (Shape::Child { .. }, Target::Resource(id), Value::Array(list)) => {
                self.children.entry(kind.name).or_default().insert(id, list);
            }
            // Created at one path and read at another.
            (Shape::Singleton, Target::Root, Value::Array(made)) if path != kind.paths.list => {
                self.uncovered.insert(path, Value::Array(made));
            }
            (Shape::Singleton, Target::Root, value) => {
                let body = from_api(kind, value).ok_or_else(|| unfit(&path, kind.singular))?;
                self.put(kind, "", body);
            }
            (Shape::Keyed { .. } | Shape::Part { .. }, Target::Resource(id), value) => {
                let mut body = from_api(kind, value).ok_or_else(|| unfit(&path, kind.singular))?;
                kind.fill_path_fields(&mut body, &id);
                self.put(kind, &id, body);
            }
            // A single resource repeats what its list contains.
            (Shape::Collection | Shape::Nested { .. }, Target::Resource(_), Value::Object(_)) => {}
            _ => return Err(unfit(&path, &format!("{} as the API answers them", kind.name))),
        }
        Ok(())
    }

    /// Stores a list, which may be empty; presets have no id.
    fn put_all(&mut self, kind: &'static Kind, parent: Option<&str>, list: Vec<Value>, path: &str) -> Result<(), StateError> {
        self.tables.entry(kind.name).or_default();
        for element in list {
            let mut body = Body::from_value(element).map_err(|_| unfit(path, "list of objects"))?;
            if let (Some(field), Some(parent)) = (kind.parent_field(), parent) {
                body.set(field, parent.into());
            }
            match kind.id_of(&body) {
                Some(id) => self.put(kind, &id, body),
                None if kind.quirks.has_presets => self.presets.entry(kind.name).or_default().push(body.into_value()),
                None => return Err(unfit(path, &format!("{} with \"{}\"", kind.singular, kind.identity.id))),
            }
        }
        Ok(())
    }

    /// Converts the old field `enabled_clients` of a connection to the list of its clients.
    fn derive_children(&mut self) {
        const OLD: &str = "enabled_clients";
        let Some(parent) = self.catalog.kind("connections") else { return };
        let Some(child) =
            self.catalog.children_of(parent.name).find(|kind| matches!(kind.shape, Shape::Child { .. }) && kind.elements() == "clients")
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

    /// Fills singletons that are created at another path from the first resource created there, unless the state contains them.
    fn derive_singletons(&mut self) {
        for kind in self.catalog.kinds().filter(|kind| kind.shape == Shape::Singleton) {
            if self.tables.contains_key(kind.name) {
                continue;
            }
            let made = self.uncovered.get(kind.paths.create).and_then(|made| made.get(0)).cloned();
            if let Some(body) = made.and_then(|made| from_api(kind, made)) {
                self.put(kind, "", body);
            }
        }
    }

    /// Returns the state in the format of a state file.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut data: Map<String, Value> = self.uncovered.clone().into_iter().collect();
        for kind in self.catalog.kinds() {
            if kind.quirks.same_endpoint_as.is_some() {
                continue;
            }
            if let Shape::Child { .. } = kind.shape {
                for (id, list) in self.children.get(kind.name).into_iter().flatten() {
                    data.insert(kind.path_of(id), Value::Array(list.clone()));
                }
                continue;
            }
            let Some(table) = self.tables.get(kind.name) else { continue };
            if matches!(kind.shape, Shape::Collection | Shape::Keyed { names: KeyNames::Listed }) {
                // An empty list must be written too.
                data.insert(kind.paths.list.to_owned(), json!([]));
            }
            table.in_order(None, true).for_each(|(_, body)| insert_at_path(&mut data, kind, body));
            if let Some(Value::Array(list)) = data.get_mut(kind.paths.list) {
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
}

/// Reads the rules of a state file, which are optional.
fn read_rules(rules: Value) -> Result<Vec<TenantRule>, StateError> {
    let rules = if rules.is_null() { Value::Array(Vec::new()) } else { rules };
    serde_json::from_value(rules).map_err(|error| unfit("refuse", &format!("rules: {error}")))
}

fn unfit(path: &str, expected: &str) -> StateError {
    StateError::Unfit { path: path.to_owned(), expected: expected.to_owned() }
}
