//! Walks the values at a path: finding, changing and removing them.

use serde_json::{Map, Value};

use super::path::{PathSegment, join};

/// A removal: which values to remove, and the removed ones.
pub(super) struct Removal<'goes> {
    pub(super) goes: &'goes dyn Fn(&Value) -> bool,
    pub(super) values: Vec<(String, Value)>,
}

impl Removal<'_> {
    pub(super) fn take_fields(&mut self, fields: &mut Map<String, Value>, steps: &[PathSegment<'_>], above: &str) {
        let Some((step, rest)) = steps.split_first() else { return };
        let names: Vec<String> = match step {
            PathSegment::Field(name) => vec![(*name).to_owned()],
            PathSegment::EveryField => fields.keys().cloned().collect(),
            PathSegment::AnyDepth => {
                self.take_fields(fields, rest, above);
                for (name, value) in fields.iter_mut() {
                    self.take_below(value, steps, &join(above, name));
                }
                return;
            }
            PathSegment::EveryElement => return,
        };
        for name in names {
            let place = join(above, &name);
            if rest.is_empty() {
                if fields.get(&name).is_some_and(self.goes)
                    && let Some(value) = fields.remove(&name)
                {
                    self.values.push((place, value));
                }
            } else if let Some(value) = fields.get_mut(&name) {
                self.take_below(value, rest, &place);
            }
        }
    }

    fn take_below(&mut self, value: &mut Value, steps: &[PathSegment<'_>], place: &str) {
        match (value, steps.split_first()) {
            (Value::Array(list), Some((PathSegment::EveryElement, []))) => {
                let (gone, stay): (Vec<_>, Vec<_>) =
                    std::mem::take(list).into_iter().enumerate().partition(|(_, element)| (self.goes)(element));
                list.extend(stay.into_iter().map(|(_, element)| element));
                self.values.extend(gone.into_iter().map(|(index, element)| (format!("{place}[{index}]"), element)));
            }
            (Value::Array(list), Some((step, rest))) => {
                let below = if matches!(step, PathSegment::EveryElement) {
                    rest
                } else if matches!(step, PathSegment::AnyDepth) {
                    steps
                } else {
                    return;
                };
                for (index, element) in list.iter_mut().enumerate() {
                    self.take_below(element, below, &format!("{place}[{index}]"));
                }
            }
            (Value::Object(fields), Some(_)) => self.take_fields(fields, steps, place),
            _ => {}
        }
    }
}

/// Returns the names along a concrete path to an existing value; names may contain dots.
pub(super) fn names_in<'path>(fields: &Map<String, Value>, path: &'path str) -> Option<Vec<&'path str>> {
    if fields.contains_key(path) {
        return Some(vec![path]);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let below = fields.get(&path[..dot])?.as_object()?;
        Some([vec![&path[..dot]], names_in(below, &path[dot + 1..])?].concat())
    })
}

/// Sets the value at these names, or removes it.
pub(super) fn put_at(fields: &mut Map<String, Value>, names: &[&str], value: Option<&Value>) {
    match (names, value) {
        ([], _) => {}
        ([name], Some(value)) => drop(fields.insert((*name).to_owned(), value.clone())),
        ([name], None) => drop(fields.remove(*name)),
        ([name, rest @ ..], _) => {
            if value.is_some() && !fields.get(*name).is_some_and(Value::is_object) {
                fields.insert((*name).to_owned(), Value::Object(Map::new()));
            }
            if let Some(Value::Object(below)) = fields.get_mut(*name) {
                put_at(below, rest, value);
            }
        }
    }
}

pub(super) fn find_fields<'body>(
    fields: &'body Map<String, Value>,
    steps: &[PathSegment<'_>],
    above: &str,
    found: &mut Vec<(String, &'body Value)>,
) {
    let Some((step, rest)) = steps.split_first() else { return };
    match step {
        PathSegment::Field(name) => {
            if let Some(value) = fields.get(*name) {
                find_below(value, rest, join(above, name), found);
            }
        }
        PathSegment::EveryField => {
            for (name, value) in fields {
                find_below(value, rest, join(above, name), found);
            }
        }
        PathSegment::AnyDepth => {
            find_fields(fields, rest, above, found);
            for (name, value) in fields {
                find_below(value, steps, join(above, name), found);
            }
        }
        PathSegment::EveryElement => {}
    }
}

fn find_below<'body>(value: &'body Value, steps: &[PathSegment<'_>], place: String, found: &mut Vec<(String, &'body Value)>) {
    match (value, steps.split_first()) {
        (value, None) => found.push((place, value)),
        (Value::Array(list), Some((step, rest))) => {
            let below = match step {
                PathSegment::EveryElement => rest,
                PathSegment::AnyDepth => steps,
                PathSegment::Field(_) | PathSegment::EveryField => return,
            };
            for (index, element) in list.iter().enumerate() {
                find_below(element, below, format!("{place}[{index}]"), found);
            }
        }
        (Value::Object(fields), Some(_)) => find_fields(fields, steps, &place, found),
        _ => {}
    }
}

pub(super) fn change_fields(fields: &mut Map<String, Value>, steps: &[PathSegment<'_>], change: &mut dyn FnMut(&mut Value)) -> usize {
    let Some((step, rest)) = steps.split_first() else { return 0 };
    match step {
        PathSegment::Field(name) => fields.get_mut(*name).map_or(0, |value| change_below(value, rest, change)),
        PathSegment::EveryField => fields.values_mut().map(|value| change_below(value, rest, change)).sum(),
        PathSegment::AnyDepth => {
            let here = change_fields(fields, rest, change);
            here + fields.values_mut().map(|value| change_below(value, steps, change)).sum::<usize>()
        }
        PathSegment::EveryElement => 0,
    }
}

fn change_below(value: &mut Value, steps: &[PathSegment<'_>], change: &mut dyn FnMut(&mut Value)) -> usize {
    match (value, steps.split_first()) {
        (value, None) => {
            change(value);
            1
        }
        (Value::Array(list), Some((PathSegment::EveryElement, rest))) => {
            list.iter_mut().map(|element| change_below(element, rest, change)).sum()
        }
        (Value::Array(list), Some((PathSegment::AnyDepth, _))) => list.iter_mut().map(|element| change_below(element, steps, change)).sum(),
        (Value::Object(fields), Some(_)) => change_fields(fields, steps, change),
        _ => 0,
    }
}

pub(super) fn change_texts(path: &str, value: &mut Value, change: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => change(path, text),
        Value::Array(list) => {
            let path = format!("{path}[]");
            for element in list {
                change_texts(&path, element, change);
            }
        }
        Value::Object(fields) => {
            for (name, below) in fields {
                change_texts(&join(path, name), below, change);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn each_text<'body>(path: &str, value: &'body Value, see: &mut dyn FnMut(&str, &'body str)) {
    match value {
        Value::String(text) => see(path, text),
        Value::Array(list) => {
            let path = format!("{path}[]");
            for element in list {
                each_text(&path, element, see);
            }
        }
        Value::Object(fields) => {
            for (name, below) in fields {
                each_text(&join(path, name), below, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
