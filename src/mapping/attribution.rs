//! Attribution: records which rule produced which value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::json::is_in;
use crate::model::resource::Key;

/// The maximum number of rules listed for one value.
const MOST_PLACES: usize = 3;

/// The rules that produced the values of a mapped source.
#[derive(Debug, Clone, Default)]
pub struct Attribution {
    of: HashMap<Key, ResourceAttribution>,
}

/// The rules that produced the values of one resource: paths and rules in order of application.
#[derive(Debug, Clone, Default)]
pub(super) struct ResourceAttribution {
    values: Vec<(String, Arc<str>)>,
}

impl ResourceAttribution {
    /// Records that a rule changed part of the value at a path; for list elements, the path of the list.
    pub(super) fn record(&mut self, path: &str, place: &Arc<str>) {
        let path = in_list(path);
        // Several rows of a table often change elements of the same list in succession.
        if self.values.last().is_none_or(|(last, by)| last != path || by != place) {
            self.values.push((path.to_owned(), place.clone()));
        }
    }

    /// Records that a rule set the whole value at a path, overriding earlier rules.
    pub(super) fn record_whole(&mut self, path: &str, place: &Arc<str>) {
        let path = in_list(path);
        self.values.retain(|(earlier, _)| !is_in(path, earlier));
        self.values.push((path.to_owned(), place.clone()));
    }

    /// Returns the rule that set the value at a path, if any.
    pub(super) fn maker_of(&self, path: &str) -> Option<&Arc<str>> {
        self.values.iter().rev().find(|(made, _)| is_in(made, path) || is_in(path, made)).map(|(_, place)| place)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn places(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (path, place) in &self.values {
            let of_path = places.entry(path).or_default();
            if !of_path.contains(&&**place) {
                of_path.push(place);
            }
        }
        places
    }
}

impl Attribution {
    /// Returns the attribution of a resource for modification.
    pub(super) fn of_resource(&mut self, key: &Key) -> &mut ResourceAttribution {
        self.of.entry(key.clone()).or_default()
    }

    /// Adds the attribution of a resource.
    pub(super) fn insert(&mut self, key: Key, values: ResourceAttribution) {
        if !values.is_empty() {
            self.of.insert(key, values);
        }
    }

    /// Returns the attribution of a resource, if any.
    pub(super) fn get(&self, key: &Key) -> Option<&ResourceAttribution> {
        self.of.get(key)
    }

    /// Replaces source keys by target keys. A renamed resource is attributed to the rule that renamed it.
    pub(super) fn rename(&mut self, renamed: &HashMap<Key, Key>, by: &HashMap<Key, Arc<str>>) {
        let mut of = std::mem::take(&mut self.of);
        for (old, new) in renamed {
            let mut values = of.remove(old).unwrap_or_default();
            if let Some(place) = by.get(old) {
                values.record("", place);
            }
            self.of.insert(new.clone(), values);
        }
        for (key, values) in of {
            self.of.entry(key).or_insert(values);
        }
    }

    /// Returns the rules that produced the values of a resource, by path in the target; the resource itself has an
    /// empty path.
    pub fn places(&self, key: &Key) -> BTreeMap<String, String> {
        let places = self.of.get(key).map(ResourceAttribution::places).unwrap_or_default();
        places.into_iter().map(|(path, places)| (path.to_owned(), joined(&places))).collect()
    }
}

/// Returns the list that contains a path, or the path itself.
fn in_list(path: &str) -> &str {
    path.split('[').next().unwrap_or(path)
}

fn joined(places: &[&str]) -> String {
    let more = places.len().saturating_sub(MOST_PLACES);
    let named = places[..places.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::key;

    fn places(record: &dyn Fn(&mut ResourceAttribution)) -> BTreeMap<String, String> {
        let (mut attribution, key) = (Attribution::default(), key("clients/Web"));
        record(attribution.of_resource(&key));
        attribution.places(&key)
    }

    #[test]
    fn a_list_is_attributed_to_each_rule_once_and_to_at_most_three() {
        let rows: Vec<Arc<str>> = (2..7).map(|line| format!("hosts.csv:{line}").into()).collect();
        let made = places(&|values| {
            for row in rows.iter().chain(&rows) {
                values.record("callbacks[]", row);
            }
            values.record("options.hosts[3].name", &rows[0]);
        });
        let expected = [("callbacks", "hosts.csv:2, hosts.csv:3, hosts.csv:4 and 2 more"), ("options.hosts", "hosts.csv:2")];
        assert_eq!(made, expected.map(|(path, places)| (path.to_owned(), places.to_owned())).into());
    }

    #[test]
    fn a_set_value_is_attributed_to_the_last_rule_only() {
        let (one, other): (Arc<str>, Arc<str>) = ("m.toml:1".into(), "m.toml:5".into());
        let made = places(&|values| {
            values.record("options.domain", &one);
            values.record("optional", &one);
            values.record_whole("options", &other);
        });
        assert_eq!(made, [("optional", "m.toml:1"), ("options", "m.toml:5")].map(|(path, by)| (path.to_owned(), by.to_owned())).into());
    }
}
