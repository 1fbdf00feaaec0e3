//! The state of a tenant with its ids and domain replaced by symbols, so that tenants can be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

/// The fields that may be the id of a list element.
const IDS: [&str; 4] = ["id", "client_id", "custom_domain_id", "themeId"];
/// The fields that name a list element, best first; those in one row are combined.
const NAMES: &[&[&str]] = &[
    &["resource_server_identifier", "permission_name"],
    &["client_id", "audience", "subject_type"],
    &["channel", "type"],
    &["consumer", "consumer_selector"],
    &["identifier"],
    &["name"],
    &["domain"],
    &["template"],
    &["display_name"],
    &["connection_id"],
    &["grant_id"],
    &["client_id"],
    &["key"],
    &["priority"],
    &["kid"],
];
/// The minimum length of an id; a shorter one could be an ordinary word of a text.
const SHORTEST_ID: usize = 12;
/// The symbol for the tenant's own domain.
const DOMAIN: &str = "<domain>";

/// The place of a resource: the path of its list or singleton, and its name.
pub(super) type Place = (String, String);

/// One resource.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    /// Its id; `None` for a singleton.
    pub(super) id: Option<String>,
    pub(super) value: Value,
}

/// The content of a tenant. Resources with the same name have the same place.
pub(super) struct Tenant {
    pub(super) resources: BTreeMap<Place, Vec<Resource>>,
}

impl Tenant {
    /// Parses the state that a double returns: `{config: {domain}, data: {path: value}}`.
    pub(super) fn new(state: &Value) -> Self {
        let data = state["data"].as_object().expect("the data of a state");
        let domain = state["config"]["domain"].as_str().expect("the domain of a state");
        let words = Words::new(data, domain);
        let mut resources: BTreeMap<Place, Vec<Resource>> = BTreeMap::new();
        for (path, held) in data {
            let list = words.path(path);
            match held.as_array() {
                Some(elements) if elements.iter().all(Value::is_object) => {
                    for element in elements {
                        let name = natural_name(element).map(|name| words.text(&name)).unwrap_or_default();
                        let found = Resource { id: id_of(path, element).map(str::to_owned), value: words.value(element) };
                        resources.entry((list.clone(), name)).or_default().push(found);
                    }
                }
                _ => resources.entry((list, String::new())).or_default().push(Resource { id: None, value: words.value(held) }),
            }
        }
        Self { resources }
    }

    /// Returns the tenant without these texts in any list of texts.
    pub(super) fn without(&self, texts: &BTreeSet<String>) -> Self {
        let mut resources = self.resources.clone();
        resources.values_mut().flatten().for_each(|resource| drop_from_lists(&mut resource.value, texts));
        Self { resources }
    }

    /// Returns the resource with this id at a place.
    pub(super) fn with_id(&self, place: &Place, id: Option<&String>) -> Option<&Resource> {
        self.resources.get(place)?.iter().find(|resource| resource.id.as_ref() == id)
    }
}

/// Returns the places of remaining resources whose list lost a client that only the target has.
pub(super) fn own_clients_lost<'held>(source: &Tenant, before: &'held Tenant, after: &Tenant) -> Vec<&'held Place> {
    let has = |tenant: &Tenant, text: &str| {
        let is_it = |(list, name): &Place| list == "/clients" && text == format!("<clients:{name}>");
        tenant.resources.keys().any(is_it)
    };
    let own = |resource: &Resource| -> BTreeSet<String> {
        let mut texts = Vec::new();
        texts_in_lists(&resource.value, &mut texts);
        texts.into_iter().filter(|text| has(before, text) && !has(source, text)).map(str::to_owned).collect()
    };
    let is_lost = |place: &Place, resource: &Resource| {
        after.with_id(place, resource.id.as_ref()).is_some_and(|stays| !own(stays).is_superset(&own(resource)))
    };
    before.resources.iter().filter(|(place, held)| held.iter().any(|one| is_lost(place, one))).map(|(place, _)| place).collect()
}

/// Adds the texts in the lists of a value.
fn texts_in_lists<'value>(value: &'value Value, texts: &mut Vec<&'value str>) {
    match value {
        Value::Array(elements) => {
            texts.extend(elements.iter().filter_map(Value::as_str));
            for element in elements {
                texts_in_lists(element, texts);
            }
        }
        Value::Object(fields) => {
            for field in fields.values() {
                texts_in_lists(field, texts);
            }
        }
        _ => {}
    }
}

fn drop_from_lists(value: &mut Value, texts: &BTreeSet<String>) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| !element.as_str().is_some_and(|text| texts.contains(text)));
            for element in elements {
                drop_from_lists(element, texts);
            }
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                drop_from_lists(field, texts);
            }
        }
        _ => {}
    }
}

/// The symbols for what differs between tenants.
struct Words {
    symbols: HashMap<String, String>,
    domain: String,
}

impl Words {
    /// Names the elements of every list; those whose names contain ids of others come after those.
    fn new(data: &Map<String, Value>, domain: &str) -> Self {
        let mut words = Self { symbols: HashMap::new(), domain: domain.to_owned() };
        let mut lists: Vec<(&String, &Vec<Value>)> = data.iter().filter_map(|(path, held)| Some((path, held.as_array()?))).collect();
        lists.sort_by_key(|(path, _)| (path.as_str() == "/client-grants", path.matches('/').count(), path.as_str()));
        for (path, elements) in lists {
            for element in elements {
                let (Some(id), Some(name)) = (id_of(path, element), natural_name(element)) else { continue };
                if id.len() >= SHORTEST_ID && !words.symbols.contains_key(id) {
                    let symbol = format!("<{}:{}>", path.rsplit('/').next().unwrap_or_default(), words.text(&name));
                    words.symbols.insert(id.to_owned(), symbol);
                }
            }
        }
        words
    }

    fn path(&self, path: &str) -> String {
        path.split('/').map(|part| self.text(part).replace('/', "|")).collect::<Vec<_>>().join("/")
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::Object(fields) => {
                // Fields with this prefix are internal to the double, and no API returns them.
                let shown = fields.iter().filter(|(name, _)| !name.starts_with("__"));
                Value::Object(shown.map(|(name, value)| (self.text(name), self.value(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// Replaces every id in a text, and the domain.
    fn text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let ends = rest.find(|sign| !is_of_id(sign)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(ends);
            out.push_str(self.symbols.get(word).map_or(word, String::as_str));
            let begins = behind.find(is_of_id).unwrap_or(behind.len());
            out.push_str(&behind[..begins]);
            rest = &behind[begins..];
        }
        out.replace(&self.domain, DOMAIN)
    }
}

fn is_of_id(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_' || sign == '-'
}

/// Returns the id of a list element. `client_id` is an element's own id only in the list of clients.
fn id_of<'element>(path: &str, element: &'element Value) -> Option<&'element str> {
    let of_clients = path == "/clients";
    IDS.iter().filter(|name| of_clients || **name != "client_id").find_map(|name| element[*name].as_str())
}

fn natural_name(element: &Value) -> Option<String> {
    let part = |name: &&str| match &element[*name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // Grants from before there were user grants have no subject type.
        _ => (*name == "subject_type").then(|| "client".to_owned()),
    };
    let is_client = element.get("app_type").is_some();
    let rows = NAMES.iter().filter(|row| !is_client || row[0] == "name");
    rows.filter_map(|row| row.iter().map(part).collect::<Option<Vec<_>>>()).map(|parts| parts.join(" · ")).next()
}
