//! Compares the result of an import with the expected one, using only the states of the tenants: no catalog, no plan.
//!
//! Every field of the source is in the target; what only the target had is unchanged, or a plan showed its deletion;
//! nothing exists twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tenant_state::{Place, Resource, Tenant, own_clients_lost};

/// Objects whose keys users choose.
const FREE_KEYS: &[&str] = &[
    "client_metadata",
    "metadata",
    "app_metadata",
    "upstream_params",
    "customHeaders",
    "fieldsMap",
    "attributes_map",
    "customScripts",
    "user_attributes",
    "strategy_overrides",
];
/// Segments after such a word in a path are not ids, but vary nevertheless.
const NAMED_PARTS: &[(&str, &str)] =
    &[("prompts", "{prompt}"), ("custom-text", "{language}"), ("screen", "{screen}"), ("email-templates", "{template}")];

/// Fields in which disabled values equal absent ones (defaults of the description).
const OFF: &[&str] = &["native_social_login"];

/// A difference: its general form, and where it was first seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// `connections options.x: not written`; the same for every resource of a kind.
    pub(super) line: String,
    /// The resource and the values.
    pub(super) seen: String,
}

/// A field that a plan showed to be cleared: the path of the kind's list, the name of the resource, the field.
pub(super) type Cleared = (String, String, String);

/// The states of a source, and of its target before and after.
pub(super) struct Comparison {
    source: Tenant,
    before: Tenant,
    after: Tenant,
    cleared: BTreeSet<Cleared>,
    found: Vec<Difference>,
}

impl Comparison {
    /// Returns every difference between the target and the expected result of an import.
    pub(super) fn differences(source: &Value, before: &Value, after: &Value) -> Vec<Difference> {
        Self::after_plans(source, before, after, BTreeSet::new())
    }

    /// The same, except for fields that plans showed to be cleared: those that the source leaves empty in a resource
    /// that both have.
    pub(super) fn after_plans(source: &Value, before: &Value, after: &Value, cleared: BTreeSet<Cleared>) -> Vec<Difference> {
        let read = Tenant::new;
        let mut comparison = Self { source: read(source), before: read(before), after: read(after), cleared, found: Vec::new() };
        comparison.hold_the_source();
        comparison.hold_the_strangers();
        comparison.hold_the_strangers_in_lists();
        comparison.find_what_is_twice();
        comparison.found
    }

    /// Checks that each field of the source is in the target.
    fn hold_the_source(&mut self) {
        let mut found = Vec::new();
        let unsure = self.unsure_clients();
        let [source, before_it, after] = [&self.source, &self.before, &self.after].map(|tenant| tenant.without(&unsure));
        for (place, wanted) in &source.resources {
            let held = after.resources.get(place).map_or(&[][..], Vec::as_slice);
            let pairs = paired(wanted, held);
            let given: Vec<*const Resource> = pairs.iter().map(|(wanted, _)| std::ptr::from_ref(*wanted)).collect();
            let what = if held.is_empty() { "missing" } else { "a twin is missing" };
            for missing in wanted.iter().filter(|wanted| !given.contains(&std::ptr::from_ref(*wanted)) && !is_blank(&wanted.value)) {
                found.push(difference(place, &self.sort_of(&missing.value), what, ""));
            }
            // Which of several clients with one name is meant must be decided by a person.
            let is_unsure = place.0 == "/clients" && unsure.contains(&format!("<clients:{}>", place.1));
            for (wanted, held) in pairs.into_iter().filter(|_| !is_unsure) {
                let before = before_it.with_id(place, held.id.as_ref()).map(|before| &before.value);
                for field in fields_unlike(&wanted.value, &held.value) {
                    let is_as_before = at(&field, before) == at(&field, Some(&held.value));
                    found.push(unlike(place, &field, if is_as_before { "not written" } else { "differs" }, (&wanted.value, &held.value)));
                }
                found.extend(before.into_iter().flat_map(|before| self.own_fields_lost(place, &wanted.value, before, &held.value)));
            }
        }
        self.found.extend(found);
    }

    /// Returns the fields that only the target had and that changed, although no plan showed that.
    fn own_fields_lost(&self, place: &Place, wanted: &Value, before: &Value, held: &Value) -> Vec<Difference> {
        let is_shown = |field: &Vec<StepTemplate>| {
            let path = general_field(place, field);
            let is_it = |cleared: &str| is_within(&path, cleared) || is_within(cleared, &path);
            self.cleared.iter().any(|(list, name, cleared)| (list, name) == (&place.0, &place.1) && is_it(cleared))
        };
        let own = fields_unlike(before, held).into_iter().filter(|field| at(field, Some(wanted)).is_none() && !is_inside_a_list(field));
        let own = own.filter(|field| !is_shown(field));
        own.map(|field| unlike(place, &field, "the target's own value changed", (before, held))).collect()
    }

    /// Returns clients whose presence in a list is undetermined: third-party ones, which are excluded; those that only
    /// the target has, which are kept; and several with one name, between which a person must decide.
    fn unsure_clients(&self) -> BTreeSet<String> {
        let of = |tenant: &Tenant| -> BTreeMap<String, usize> {
            let clients = tenant.resources.iter().filter(|((list, _), _)| list == "/clients");
            clients.map(|((_, name), held)| (name.clone(), held.len())).collect()
        };
        let (source, before) = (of(&self.source), of(&self.before));
        let is_unsure = |name: &&String| {
            let (here, there) = (source.get(*name).copied().unwrap_or(0), before.get(*name).copied().unwrap_or(0));
            here == 0 || (there > 0 && here.max(there) > 1) || self.is_of_a_third_party(name)
        };
        source.keys().chain(before.keys()).filter(is_unsure).map(|name| format!("<clients:{name}>")).collect()
    }

    /// Returns whether the client with this name in the source is third-party.
    fn is_of_a_third_party(&self, client: &str) -> bool {
        let held = self.source.resources.get(&("/clients".to_owned(), client.to_owned()));
        held.is_some_and(|clients| clients.iter().all(|client| client.value["is_first_party"] == false))
    }

    /// Returns the subtype of a resource in parentheses: `(third party)`, `(waad)`; empty if there is only one.
    fn sort_of(&self, resource: &Value) -> String {
        let named = resource["client_id"].as_str().and_then(|id| id.strip_prefix("<clients:")?.strip_suffix('>'));
        let is_a_third_partys = named.is_some_and(|client| self.is_of_a_third_party(client));
        let is_of_management = resource["audience"].as_str().is_some_and(|audience| audience.ends_with("/api/v2/"));
        let special = [("global", true, "global"), ("is_system", true, "system"), ("is_first_party", false, "third party")];
        let special = special.iter().find(|(field, value, _)| resource[*field] == *value).map(|(_, _, sort)| *sort);
        let special = special.or(is_a_third_partys.then_some("third party")).or(is_of_management.then_some("Management API"));
        let sort = special.or_else(|| resource["strategy"].as_str()).or_else(|| resource["type"].as_str());
        sort.map_or_else(String::new, |sort| format!("({sort})"))
    }

    /// Checks that what only the target had is unchanged.
    fn hold_the_strangers(&mut self) {
        let mut found = Vec::new();
        for (place, strangers) in self.before.resources.iter().filter(|(place, _)| !self.source.resources.contains_key(place)) {
            for stranger in strangers {
                match self.after.with_id(place, stranger.id.as_ref()) {
                    None => found.push(difference(place, "", "a stranger is gone", "")),
                    Some(after) => {
                        let both =
                            fields_unlike(&stranger.value, &after.value).into_iter().chain(fields_unlike(&after.value, &stranger.value));
                        let fields: BTreeSet<Vec<StepTemplate>> = both.collect();
                        let line = |field: &Vec<StepTemplate>| unlike(place, field, "a stranger changed", (&stranger.value, &after.value));
                        found.extend(fields.iter().map(line));
                    }
                }
            }
        }
        self.found.extend(found);
    }

    /// Checks that a client that only the target has stays in every list of a remaining resource.
    fn hold_the_strangers_in_lists(&mut self) {
        let lost = own_clients_lost(&self.source, &self.before, &self.after);
        self.found.extend(lost.into_iter().map(|place| difference(place, "", "a client of the target's own is gone from a list", "")));
    }

    /// Finds what exists twice, and what neither tenant had.
    fn find_what_is_twice(&mut self) {
        let count = |tenant: &Tenant, place: &Place| tenant.resources.get(place).map_or(0, Vec::len);
        let mut found = Vec::new();
        for (place, held) in &self.after.resources {
            let most = count(&self.source, place).max(count(&self.before, place));
            let what = if most == 0 { "in neither tenant" } else { "twice" };
            found.extend((most..held.len()).map(|_| difference(place, "", what, "")));
        }
        self.found.extend(found);
    }
}

/// Returns whether a field is inside a list that both have and that becomes the source's.
fn is_inside_a_list(field: &[StepTemplate]) -> bool {
    field.iter().any(|step| matches!(step, StepTemplate::Element(_)))
}

/// Returns whether a field equals another one or is inside it.
fn is_within(field: &str, other: &str) -> bool {
    field.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Pairs resources with the same name, most similar first, since the order of duplicates means nothing.
fn paired<'held>(wanted: &'held [Resource], held: &'held [Resource]) -> Vec<(&'held Resource, &'held Resource)> {
    if let ([wanted], [held]) = (wanted, held) {
        return vec![(wanted, held)];
    }
    let mut all = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        all.extend(held.iter().enumerate().map(|(to, other)| (distance(&one.value, &other.value), at, to)));
    }
    all.sort_unstable();
    let (mut pairs, mut taken, mut given) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (_, at, to) in all {
        if !taken.contains(&at) && !given.contains(&to) {
            taken.insert(at);
            given.insert(to);
            pairs.push((&wanted[at], &held[to]));
        }
    }
    pairs
}

/// Returns how much each of two values contains that the other lacks.
fn distance(one: &Value, other: &Value) -> usize {
    let unsaid = |wanted: &Value, held: &Value| -> usize {
        fields_unlike(wanted, held).iter().filter_map(|field| at(field, Some(wanted))).map(leaves).sum()
    };
    unsaid(one, other) + unsaid(other, one)
}

/// Returns the number of leaf values.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(leaves).sum::<usize>().max(1),
        Value::Object(fields) => fields.values().map(leaves).sum::<usize>().max(1),
        _ => 1,
    }
}

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum StepTemplate {
    Field(String),
    Element(usize),
}

/// Returns the paths of values in `wanted` that `held` lacks.
fn fields_unlike(wanted: &Value, held: &Value) -> Vec<Vec<StepTemplate>> {
    let mut found = Vec::new();
    collect_unlike(wanted, Some(held), &mut Vec::new(), &mut found);
    found
}

fn collect_unlike(wanted: &Value, held: Option<&Value>, here: &mut Vec<StepTemplate>, found: &mut Vec<Vec<StepTemplate>>) {
    match (wanted, held) {
        (Value::Object(fields), Some(Value::Object(others))) => {
            for (name, value) in fields {
                here.push(StepTemplate::Field(name.clone()));
                collect_unlike(value, others.get(name), here, found);
                here.pop();
            }
        }
        (Value::Array(elements), Some(Value::Array(others))) if elements.len() == others.len() && elements.iter().all(Value::is_object) => {
            for (at, element) in elements.iter().enumerate() {
                here.push(StepTemplate::Element(at));
                collect_unlike(element, others.get(at), here, found);
                here.pop();
            }
        }
        (wanted, held) if held == Some(wanted) || is_same_set(wanted, held) || is_blank(wanted) && held.is_none_or(is_blank) => {}
        (wanted, None)
            if is_off(wanted) && here.iter().any(|step| matches!(step, StepTemplate::Field(name) if OFF.contains(&name.as_str()))) => {}
        _ => found.push(here.clone()),
    }
}

/// Returns whether a value only means that something is disabled.
fn is_off(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.iter().all(|(name, value)| (name == "enabled" && *value == false) || is_off(value)))
}

/// A blank means the same as an absent field.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// A list of distinct texts means the same in any order, and no target can have what the source itself lacks.
fn is_same_set(wanted: &Value, held: Option<&Value>) -> bool {
    let words = |value: &Value| {
        let texts: Option<Vec<String>> = value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect();
        texts.map(|mut texts| {
            texts.retain(|text| !is_dangling(text));
            texts.sort();
            texts
        })
    };
    words(wanted).is_some_and(|wanted| held.map_or(Some(Vec::new()), words).is_some_and(|held| held == wanted))
}

/// Returns whether a text looks like a client id that belongs to no client of the tenant, since it was not replaced by
/// a symbol.
fn is_dangling(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    text.len() == 32 && text.bytes().all(|sign| sign.is_ascii_alphanumeric()) && has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase)
}

fn at<'value>(field: &[StepTemplate], value: Option<&'value Value>) -> Option<&'value Value> {
    field.iter().try_fold(value?, |value, step| match step {
        StepTemplate::Field(name) => value.get(name),
        StepTemplate::Element(at) => value.get(at),
    })
}

fn unlike(place: &Place, field: &[StepTemplate], what: &str, (wanted, held): (&Value, &Value)) -> Difference {
    let shown = |value: &Value| at(field, Some(value)).map_or("nothing".to_owned(), |value| value.to_string().chars().take(120).collect());
    let system = if wanted["is_system"] == true { "(system) " } else { "" };
    difference(place, &format!("{system}{}", general_field(place, field)), what, &format!("{} -> {}", shown(wanted), shown(held)))
}

fn difference(place: &Place, field: &str, what: &str, values: &str) -> Difference {
    let kind = general_path(&place.0);
    let line = if field.is_empty() { format!("{kind}: {what}") } else { format!("{kind} {field}: {what}") };
    Difference { line, seen: format!("{} \"{}\" {values}", place.0, place.1) }
}

/// `/organizations/<organizations:acme>/enabled_connections` -> `organizations/{id}/enabled_connections`
fn general_path(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/').skip(1) {
        let before = parts.last().map_or("", String::as_str);
        let named = NAMED_PARTS.iter().find(|(word, _)| *word == before).map(|(_, general)| (*general).to_owned());
        let is_id = part.starts_with('<') && part.ends_with('>') || part.len() > 15 && part.bytes().any(|sign| sign.is_ascii_digit());
        parts.push(if is_id { "{id}".to_owned() } else { named.unwrap_or_else(|| part.to_owned()) });
    }
    parts.join("/")
}

/// `[Field(options), Field(upstream_params), Field(x)]` -> `options.upstream_params.*`
fn general_field(place: &Place, field: &[StepTemplate]) -> String {
    let is_text_of_a_screen = place.0.contains("/custom-text/");
    let mut out = String::new();
    let mut is_free = is_text_of_a_screen;
    for step in field {
        match step {
            StepTemplate::Element(_) => out.push_str("[]"),
            StepTemplate::Field(name) => {
                let dot = if out.is_empty() { "" } else { "." };
                let shown = if is_free || name.contains('<') { "*" } else { name };
                out.push_str(dot);
                out.push_str(shown);
                is_free = is_text_of_a_screen || FREE_KEYS.contains(&name.as_str());
            }
        }
    }
    out
}

/// Returns the differences by general form, each with its first occurrence and its number.
pub(super) fn by_line(differences: &[Difference]) -> BTreeMap<&str, (&str, usize)> {
    let mut lines: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for difference in differences {
        lines.entry(&difference.line).or_insert((&difference.seen, 0)).1 += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Comparison, Value};

    /// A tenant with these clients and a role, with ids of its own.
    fn tenant(name: &str, clients: &[(&str, Value)]) -> Value {
        let id = |of: &str| format!("{name}{of:0>24}");
        let clients = clients.iter().map(|(client, more)| {
            let mut body =
                json!({"client_id": id(client), "name": client, "app_type": "spa", "callbacks": [format!("https://{name}.example/back")]});
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            body
        });
        let clients: Vec<Value> = clients.collect();
        let connection = json!({"id": id("con"), "name": "Users", "strategy": "auth0", "enabled_clients": [id("Shop")]});
        json!({"config": {"domain": format!("{name}.example")}, "data": {"/clients": clients, "/connections": [connection], "/branding": {"font": "serif"}}})
    }

    fn lines(source: &Value, before: &Value, after: &Value) -> Vec<String> {
        Comparison::differences(source, before, after).into_iter().map(|difference| difference.line).collect()
    }

    fn source() -> Value {
        tenant("dev", &[("Shop", json!({"description": "new"}))])
    }

    fn before() -> Value {
        tenant("prod", &[("Shop", json!({"description": "old"})), ("Kiosk", json!({"description": "its own"}))])
    }

    /// The expected state of the target.
    fn after() -> Value {
        tenant("prod", &[("Shop", json!({"description": "new"})), ("Kiosk", json!({"description": "its own"}))])
    }

    #[test]
    fn a_target_with_the_source_and_its_own_resources_has_no_difference() {
        assert_eq!(lines(&source(), &before(), &after()), Vec::<String>::new());
    }

    #[test]
    fn unwritten_and_wrong_fields_differ() {
        assert_eq!(lines(&source(), &before(), &before()), ["clients description: not written"]);
        let mut after = after();
        after["data"]["/clients"][0]["description"] = json!("newer");
        assert_eq!(lines(&source(), &before(), &after), ["clients description: differs"]);
    }

    #[test]
    fn a_missing_resource_is_reported() {
        let source = tenant("dev", &[("Shop", json!({"description": "new"})), ("Till", json!({}))]);
        assert_eq!(lines(&source, &before(), &after()), ["clients: missing"]);
    }

    #[test]
    fn a_changed_or_missing_resource_of_the_target_differs() {
        let mut changed = after();
        changed["data"]["/clients"][1]["description"] = json!("the source's");
        assert_eq!(lines(&source(), &before(), &changed), ["clients description: a stranger changed"]);
        changed["data"]["/clients"].as_array_mut().expect("a list").pop();
        assert_eq!(lines(&source(), &before(), &changed), ["clients: a stranger is gone"]);
    }

    #[test]
    fn duplicates_and_resources_of_neither_tenant_differ() {
        let more = |name: &str| {
            let mut after = after();
            let copy = json!({"client_id": "prod0000000000000000another", "name": name, "app_type": "spa"});
            after["data"]["/clients"].as_array_mut().expect("a list").push(copy);
            lines(&source(), &before(), &after)
        };
        assert_eq!(more("Shop"), ["clients: twice"]);
        assert_eq!(more("Till"), ["clients: in neither tenant"]);
    }

    #[test]
    fn duplicates_are_paired_with_the_most_similar_in_both_directions() {
        let twins = |name: &str| tenant(name, &[("Shop", json!({})), ("Shop", json!({"oidc_logout": {"urls": ["https://a.example"]}}))]);
        let (source, empty) = (twins("dev"), tenant("prod", &[]));
        assert_eq!(lines(&source, &empty, &twins("prod")), ["connections enabled_clients: not written"; 0]);
        let mut after = twins("prod");
        after["data"]["/clients"].as_array_mut().expect("a list").reverse();
        assert_eq!(lines(&source, &empty, &after), [""; 0]);
    }

    #[test]
    fn a_list_keeps_the_targets_own_clients_and_may_lack_only_third_party_ones() {
        let clients = [("Shop", json!({"description": "new"})), ("Partner", json!({"is_first_party": false}))];
        let mut source = tenant("dev", &clients);
        let enabled =
            |state: &Value| state["data"]["/clients"].as_array().expect("a list").iter().map(|one| one["client_id"].clone()).collect();
        source["data"]["/connections"][0]["enabled_clients"] = enabled(&source);
        let (before, mut after) = (before(), after());
        after["data"]["/connections"][0]["enabled_clients"] = enabled(&after);
        assert_eq!(lines(&source, &before, &after), ["clients (third party): missing"]);
        after["data"]["/connections"][0]["enabled_clients"] = json!([]);
        assert_eq!(lines(&source, &before, &after), ["clients (third party): missing", "connections enabled_clients: differs"]);
        let (mut before, mut after) = (before, self::after());
        for state in [&mut before, &mut after] {
            state["data"]["/connections"][0]["enabled_clients"] = enabled(state);
        }
        after["data"]["/connections"][0]["enabled_clients"].as_array_mut().expect("a list").pop();
        let gone = "connections: a client of the target's own is gone from a list";
        assert_eq!(lines(&source, &before, &after), ["clients (third party): missing", gone]);
    }

    #[test]
    fn a_reference_to_a_different_resource_differs() {
        let mut after = after();
        let kiosk = after["data"]["/clients"][1]["client_id"].clone();
        after["data"]["/connections"][0]["enabled_clients"] = json!([kiosk]);
        assert_eq!(lines(&source(), &before(), &after), ["connections enabled_clients: differs"]);
    }

    #[test]
    fn a_value_that_only_the_target_had_stays() {
        let mut after = after();
        let (mut before, mut source) = (before(), source());
        for state in [&mut before, &mut after, &mut source] {
            state["data"]["/branding"]["logo_url"] = json!("https://logo.example");
        }
        source["data"]["/branding"].as_object_mut().expect("an object").remove("logo_url");
        assert_eq!(lines(&source, &before, &after), Vec::<String>::new());
        after["data"]["/branding"]["logo_url"] = json!("https://other.example");
        assert_eq!(lines(&source, &before, &after), ["branding logo_url: the target's own value changed"]);
        let shown = |name: &str| std::iter::once(("/branding".to_owned(), name.to_owned(), "logo_url".to_owned())).collect();
        assert_eq!(Comparison::after_plans(&source, &before, &after, shown("")), []);
        assert_eq!(Comparison::after_plans(&source, &before, &after, shown("another")).len(), 1);
    }
}
