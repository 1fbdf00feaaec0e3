//! The resources of one kind, found by id and by name, and listed in the server's order.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::catalog::Kind;
use crate::json::Body;

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListOrder {
    /// The order of creation.
    Creation,
    /// The id.
    Id,
    /// The name.
    Name,
    /// The name, ignoring case.
    NameIgnoringCase,
}

/// Returns the sort order of the lists of a kind.
fn list_order(kind: &str) -> ListOrder {
    match kind {
        "client-grants" => ListOrder::Id,
        "roles" => ListOrder::Name,
        "connections" => ListOrder::NameIgnoringCase,
        _ => ListOrder::Creation,
    }
}

/// The sort key of a resource in the lists of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    /// Whether it comes last, as the global client does.
    last: bool,
    /// The text that it is sorted by; empty if only the order of creation counts.
    by: String,
}

/// Returns the sort key of a resource in the lists of its kind.
pub(crate) fn sort_key(kind: &Kind, id: &str, body: &Body) -> SortKey {
    let name = body.text("name").unwrap_or_default();
    let by = match list_order(kind.name) {
        ListOrder::Creation => String::new(),
        ListOrder::Id => id.to_owned(),
        ListOrder::Name => name.to_owned(),
        ListOrder::NameIgnoringCase => name.to_lowercase(),
    };
    SortKey { last: body.get("global") == Some(&Value::Bool(true)), by }
}

/// The position of a resource in its list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListPosition {
    /// Whether it comes last, as the global client does.
    pub(crate) last: bool,
    /// The text that it is sorted by; empty if only the order of creation counts.
    pub(crate) by: String,
    /// How many resources were created before it.
    pub(crate) sequence: u64,
}

/// One resource.
#[derive(Debug, Clone)]
struct StoredResource {
    body: Body,
    place: ListPosition,
    name: Option<String>,
}

/// The resources of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResourceTable {
    entries: HashMap<String, StoredResource>,
    order: BTreeMap<ListPosition, String>,
    names: HashMap<String, String>,
    sequence: u64,
}

impl ResourceTable {
    /// Returns the number of resources.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether a resource with this id exists.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.entries.contains_key(id)
    }

    /// Returns the body of a resource.
    pub(crate) fn get(&self, id: &str) -> Option<&Body> {
        self.entries.get(id).map(|entry| &entry.body)
    }

    /// Returns the id of the resource with this name.
    pub(crate) fn id_by_name(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// Inserts a resource, or replaces the one with its id.
    pub(crate) fn put(&mut self, id: &str, body: Body, sort_key: SortKey, name: Option<String>) {
        let SortKey { last, by } = sort_key;
        let sequence = self.remove(id).map_or_else(|| self.next_sequence(), |place| place.sequence);
        let place = ListPosition { last, by, sequence };
        if let Some(name) = &name {
            self.names.insert(name.clone(), id.to_owned());
        }
        self.order.insert(place.clone(), id.to_owned());
        self.entries.insert(id.to_owned(), StoredResource { body, place, name });
    }

    /// Removes a resource and returns its position.
    pub(crate) fn remove(&mut self, id: &str) -> Option<ListPosition> {
        let entry = self.entries.remove(id)?;
        self.order.remove(&entry.place);
        if let Some(name) = entry.name.filter(|name| self.id_by_name(name) == Some(id)) {
            self.names.remove(&name);
        }
        Some(entry.place)
    }

    /// Returns positions and bodies in the server's order, starting after `after`; without those that come last if
    /// `all` is false.
    pub(crate) fn in_order(&self, after: Option<&ListPosition>, all: bool) -> impl Iterator<Item = (&ListPosition, &Body)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = after.map_or(Unbounded, |place| Excluded(place.clone()));
        let end = if all { Unbounded } else { Excluded(ListPosition { last: true, by: String::new(), sequence: 0 }) };
        self.order.range((start, end)).map(|(place, id)| (place, &self.entries[id].body))
    }

    /// Returns the number of resources that do not come last.
    pub(crate) fn count_before_last(&self) -> usize {
        self.order.len() - self.order.range(ListPosition { last: true, by: String::new(), sequence: 0 }..).count()
    }

    /// Returns the ids of all resources that match.
    pub(crate) fn ids_where(&self, is_meant: impl Fn(&Body) -> bool) -> Vec<String> {
        self.entries.iter().filter(|(_, entry)| is_meant(&entry.body)).map(|(id, _)| id.clone()).collect()
    }

    /// Returns the highest number in a field; 0 if there is none.
    pub(crate) fn max_number(&self, field: &str) -> i64 {
        self.entries.values().filter_map(|entry| entry.body.get(field)?.as_i64()).max().unwrap_or(0)
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ResourceTable {
        let mut table = ResourceTable::default();
        for (id, by, last) in [("1", "zoo", false), ("2", "all", true), ("3", "ant", false)] {
            table.put(id, Body::from_iter([("id".to_owned(), id.into())]), SortKey { by: by.to_owned(), last }, Some(by.to_owned()));
        }
        table
    }

    fn ids<'table>(listed: impl Iterator<Item = (&'table ListPosition, &'table Body)>) -> Vec<String> {
        listed.map(|(_, body)| body.text("id").expect("an id").to_owned()).collect()
    }

    #[test]
    fn a_list_is_sorted_with_the_last_resources_at_the_end_or_left_out() {
        let table = table();
        assert_eq!(ids(table.in_order(None, true)), ["3", "1", "2"]);
        assert_eq!(ids(table.in_order(None, false)), ["3", "1"]);
        assert_eq!((table.len(), table.count_before_last()), (3, 2));
        let (first, _) = table.in_order(None, true).next().expect("one");
        assert_eq!(ids(table.in_order(Some(first), true)), ["1", "2"]);
    }

    #[test]
    fn a_renamed_resource_keeps_its_position_and_frees_its_old_name() {
        let mut table = table();
        table.put("1", Body::new(), SortKey { by: "aaa".to_owned(), last: false }, Some("aaa".to_owned()));
        assert_eq!(table.id_by_name("zoo"), None);
        assert_eq!(table.id_by_name("aaa"), Some("1"));
        assert_eq!(table.len(), 3);
    }
}
