//! Two tenants that are more than sixty changes apart, and comparisons of their content without ids and times.

use std::collections::BTreeMap;
use std::path::Path;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::sandbox::{State, seed};
use serde_json::{Value, json};

/// The minimum number of changes between the two.
pub(crate) const CHANGES: usize = 60;

/// Fields with times, which differ between runs.
const TIMES: [&str; 2] = ["created_at", "updated_at"];
/// Values that the server generates for each new resource, which differ between runs.
const MADE_UP: [&str; 3] = ["client_secret", "signing_keys", "provisioning_ticket_url"];

/// Returns the tenant that is ahead: the example company's, with additional actions, a trigger, organizations and
/// streams.
pub(crate) fn source() -> State {
    let mut state = json(seed::ACME_DEV);
    let data = &mut state["data"];
    let shop = data["/clients"][3]["client_id"].clone();
    let connections: Vec<Value> = list(&data["/connections"]).iter().map(|one| one["id"].clone()).collect();
    data["/actions/actions"] = (0..6).map(|number| action(number, shop.as_str().expect("an id"))).collect();
    let bound = (0..3)
        .map(|number| json!({"id": format!("bnd_{number:08}"), "display_name": format!("Step {number}"), "action": action_named(number)}));
    data["/actions/triggers/post-login/bindings"] = bound.collect();
    data["/organizations"] = (0..6).map(organization).collect();
    for (number, connection) in (0..6).zip(connections.iter().cycle()) {
        let path = format!("/organizations/{}/connections", id_of_organization(number));
        data[path] = json!([{"connection_id": connection, "assign_membership_on_login": true, "show_as_button": true}]);
    }
    data["/log-streams"] = (0..3).map(stream).collect();
    append(&mut data["/clients"], (0..TWINS).map(twin));
    append(&mut data["/client-grants"], (0..TWINS).map(grant_of_twin));
    for number in 0..TWINS {
        let path = format!("/organizations/{}/client-grants", id_of_organization(number));
        data[path] = json!([{"id": grant_of_twin(number)["id"], "grant_id": grant_of_twin(number)["id"]}]);
    }
    State::from_json(state).expect("a state")
}

/// Returns what somebody deletes from the tenant that is ahead, by the paths of the requests.
pub(crate) fn deletions() -> Vec<String> {
    let data = source().to_json()["data"].take();
    let named = |path: &str, id: &str, name: &str| {
        let one = list(&data[path]).iter().find(|one| one["name"] == name).expect("it is there");
        format!("{path}/{}", one[id].as_str().expect("an id"))
    };
    let nth = |path: &str, at: usize| format!("{path}/{}", data[path][at]["id"].as_str().expect("an id"));
    vec![
        format!("/clients/{}", twin(1)["client_id"].as_str().expect("an id")),
        named("/clients", "client_id", "Customer Portal"),
        nth("/organizations", 1),
        nth("/organizations", 2),
        nth("/connections", 1),
        nth("/roles", 1),
        nth("/resource-servers", 1),
        nth("/actions/actions", 5),
        nth("/log-streams", 1),
    ]
}

/// Returns the tenant that is behind: it has one of these actions and one of these organizations, in an older version.
pub(crate) fn target() -> State {
    let mut state = json(seed::ACME_PROD);
    let data = &mut state["data"];
    let mut behind = action(0, "nobody");
    behind["id"] = json!("9f0c1a52-77aa-4c11-9a3e-000000000099");
    data["/actions/actions"] = json!([behind]);
    data["/organizations"] = json!([{"id": "org_prodPartner00001", "name": "partner-0", "display_name": "Old name"}]);
    State::from_json(state).expect("a state")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn action(number: usize, client: &str) -> Value {
    let code =
        format!("exports.onExecutePostLogin = async (event) => {{ if (event.client.client_id === '{client}') return; /* {number} */ }};");
    json!({"id": format!("5b3e7a10-32bb-4d09-8f1c-{number:012}"), "name": format!("step-{number}"), "code": code, "status": "built",
        "all_changes_deployed": true, "runtime": "node22", "dependencies": [], "secrets": [],
        "deployed_version": {"code": code, "runtime": "node22", "dependencies": [], "secrets": []},
        "supported_triggers": [{"id": "post-login", "version": "v3"}]})
}

fn action_named(number: usize) -> Value {
    json!({"id": format!("5b3e7a10-32bb-4d09-8f1c-{number:012}"), "name": format!("step-{number}")})
}

/// The number of clients with the same name.
const TWINS: usize = 3;

fn twin(number: usize) -> Value {
    json!({"client_id": format!("DevTwin{number:025}"), "name": "Twin", "description": format!("of depot {number}"), "is_first_party": true,
        "app_type": "non_interactive", "grant_types": ["client_credentials"], "oidc_conformant": true})
}

fn grant_of_twin(number: usize) -> Value {
    json!({"id": format!("cgr_DevTwin{number:010}"), "client_id": twin(number)["client_id"], "audience": "urn:acme:billing",
        "scope": ["read:invoices"], "subject_type": "client", "organization_usage": "allow", "allow_any_organization": false})
}

fn append(list: &mut Value, more: impl Iterator<Item = Value>) {
    list.as_array_mut().expect("a list").extend(more);
}

fn id_of_organization(number: usize) -> String {
    format!("org_devPartner{number:06}")
}

fn organization(number: usize) -> Value {
    json!({"id": id_of_organization(number), "name": format!("partner-{number}"), "display_name": format!("Partner {number}")})
}

fn stream(number: usize) -> Value {
    json!({"id": format!("lst_00000000000000{number:02}"), "name": format!("stream {number}"), "type": "http", "status": "active",
        "sink": {"httpEndpoint": format!("https://logs.acme.example/{number}"), "httpContentType": "application/json", "httpContentFormat": "JSONLINES"}})
}

/// Maps the ids of one tenant to names that are the same in every tenant.
pub(crate) struct StableNames(BTreeMap<String, String>);

impl StableNames {
    /// Collects the ids of everything in a tenant.
    pub(crate) fn new(held: &Value) -> Self {
        let mut names = BTreeMap::new();
        for kind in Catalog::standard().kinds().filter(|kind| !kind.paths.list.contains('{')) {
            for one in list(&held[kind.paths.list]) {
                let mut key: Vec<String> = kind.identity.key.iter().map(|field| field_of(one, field)).collect();
                // The description distinguishes resources with the same name.
                key.extend(one["description"].as_str().filter(|_| kind.identity.allows_duplicates).map(str::to_owned));
                if let Some(id) = one[kind.identity.id].as_str() {
                    names.insert(id.to_owned(), format!("<{}/{}>", kind.name, key.join(" ")));
                }
            }
        }
        Self(names)
    }

    /// Replaces ids in a text by names.
    pub(crate) fn replace_ids(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // A name may itself contain ids, as that of a grant does; those of clients are replaced last.
        for _ in 0..2 {
            for (id, name) in &self.0 {
                text = text.replace(id, name);
            }
        }
        text
    }
}

/// The saved state of two tenants without the ids that the target generated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SavedState {
    links: String,
    base: String,
}

impl SavedState {
    /// Loads the state in the folder of a pair: `SOURCE/TARGET`.
    pub(crate) fn new(folder: &Path, pair: &str, names: &StableNames) -> Self {
        let normalized = |path: String| names.replace_ids(&std::fs::read_to_string(folder.join(path)).expect("written"));
        let pairs = normalized(format!("state/{pair}/links.csv"));
        // They are sorted by id.
        let mut lines: Vec<&str> = pairs.lines().collect();
        lines.sort_unstable();
        Self { links: lines.join("\n"), base: normalized(format!("state/{pair}/baseline.json")) }
    }

    /// Returns the lines in which another state differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        [differences(&self.links, &other.links), differences(&self.base, &other.base)].concat()
    }
}

fn field_of(one: &Value, field: &str) -> String {
    let value = field.split('.').fold(one, |value, step| &value[step]);
    value.as_str().map_or(value.to_string(), str::to_owned)
}

/// Returns the content of a tenant as text, without times.
pub(crate) fn without_timestamps(held: &Value) -> String {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !TIMES.contains(&name.as_str()));
                fields.values_mut().for_each(forget);
            }
            Value::Array(list) => list.iter_mut().for_each(forget),
            _ => {}
        }
    }
    let mut held = held.clone();
    forget(&mut held);
    held.to_string()
}

/// Returns the content of a tenant as text, independent of the order of creation and of ids.
pub(crate) fn normalized(held: &Value) -> String {
    let named = StableNames::new(held).replace_ids(&without_timestamps(held));
    format!("{:#}", sorted(json(&named)))
}

/// The same without the code of an action at the time it was bound, which a sandbox stores in the binding.
pub(crate) fn normalized_without_bound_code(held: &Value) -> String {
    let mut held = held.clone();
    for bound in held["/actions/triggers/post-login/bindings"]["bindings"].as_array_mut().expect("a list") {
        bound["action"].as_object_mut().expect("an object").remove("deployed_version");
    }
    normalized(&held)
}

/// Returns the lines in which two texts differ.
pub(crate) fn differences(one: &str, other: &str) -> Vec<String> {
    if one == other {
        return Vec::new();
    }
    let lacks = |from: &str, line: &&str| !from.lines().any(|known| known == *line);
    let gone = one.lines().filter(|line| lacks(other, line)).map(|line| format!("- {line}"));
    let come = other.lines().filter(|line| lacks(one, line)).map(|line| format!("+ {line}"));
    std::iter::once("the same lines, or".to_owned()).chain(gone).chain(come).collect()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let is_made_up = MADE_UP.contains(&name.as_str()) || name == "id" && !value.as_str().is_some_and(|id| id.starts_with('<'));
                let value = if is_made_up { json!("made up") } else { sorted(value) };
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(sorted).collect();
            list.sort_by_cached_key(Value::to_string);
            Value::Array(list)
        }
        other => other,
    }
}

/// Returns a folder in memory if possible: on a disk, durable writes would take more time than all else in these tests.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}
