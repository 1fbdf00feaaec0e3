//! Attribution: which rule made which value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::json::is_in;
use crate::model::resource::Key;

/// The most places that are named for one value.
const MOST_PLACES: usize = 3;

/// Which rule made which value of a mapped source.
#[derive(Debug, Clone, Default)]
pub struct Attribution {
    of: HashMap<Key, ResourceAttribution>,
}

/// Which rule made which value of one resource: paths and places in the order in which the rules were applied.
#[derive(Debug, Clone, Default)]
pub(super) struct ResourceAttribution {
    values: Vec<(String, Arc<str>)>,
}

impl ResourceAttribution {
    /// Records that a rule made a part of the value at a path; of a list, the list.
    pub(super) fn record(&mut self, path: &str, place: &Arc<str>) {
        let path = in_list(path);
        // Rows of one table often change the elements of one list one after the other.
        if self.values.last().is_none_or(|(last, by)| last != path || by != place) {
            self.values.push((path.to_owned(), place.clone()));
        }
    }

    /// Records that a rule made the whole value at a path, whatever other rules made of it before.
    pub(super) fn record_whole(&mut self, path: &str, place: &Arc<str>) {
        let path = in_list(path);
        self.values.retain(|(earlier, _)| !is_in(path, earlier));
        self.values.push((path.to_owned(), place.clone()));
    }

    /// Returns the rule that made the value at a path, if one did.
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
    /// Returns the attribution of a resource, to add to it.
    pub(super) fn of_resource(&mut self, key: &Key) -> &mut ResourceAttribution {
        self.of.entry(key.clone()).or_default()
    }

    /// Adds what rules made of a resource.
    pub(super) fn insert(&mut self, key: Key, values: ResourceAttribution) {
        if !values.is_empty() {
            self.of.insert(key, values);
        }
    }

    /// Returns what rules made of a resource, if anything.
    pub(super) fn get(&self, key: &Key) -> Option<&ResourceAttribution> {
        self.of.get(key)
    }

    /// Gives every resource the key that it has in the target. A renamed one is made by the rule that renamed it.
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

    /// Returns the places of the rules that made the values of a resource, by path as the target has the resource; the path of the
    /// resource itself is empty.
    pub fn places(&self, key: &Key) -> BTreeMap<String, String> {
        let places = self.of.get(key).map(ResourceAttribution::places).unwrap_or_default();
        places.into_iter().map(|(path, places)| (path.to_owned(), joined(&places))).collect()
    }
}

/// Returns the list that a path leads into, or the path.
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

    fn places(record: &dyn Fn(&mut ResourceAttribution)) -> BTreeMap<String, String> {
        let (mut attribution, key) = (Attribution::default(), Key::new("clients", "Web"));
        record(attribution.of_resource(&key));
        attribution.places(&key)
    }

    #[test]
    fn a_list_names_each_rule_once_and_at_most_three() {
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
    fn a_value_that_is_set_is_made_by_the_last_rule_alone() {
        let (one, other): (Arc<str>, Arc<str>) = ("m.toml:1".into(), "m.toml:5".into());
        let made = places(&|values| {
            values.record("options.domain", &one);
            values.record("optional", &one);
            values.record_whole("options", &other);
        });
        assert_eq!(made, [("optional", "m.toml:1"), ("options", "m.toml:5")].map(|(path, by)| (path.to_owned(), by.to_owned())).into());
    }
}
