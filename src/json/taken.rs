//! Takes out of a body what a path names.

use serde_json::{Map, Value};

use super::{PathSegment, join};

/// What is taken out of a body, and what of it goes.
pub(super) struct Taken<'goes> {
    pub(super) goes: &'goes dyn Fn(&Value) -> bool,
    pub(super) values: Vec<(String, Value)>,
}

impl Taken<'_> {
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
