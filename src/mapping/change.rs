//! Applies one rule to one resource.

use std::sync::Arc;

use serde_json::Value;

use super::attribution::ResourceAttribution;
use super::rule::{Effect, MappingRule, Removed, Replacement};
use crate::json::Body;
use crate::model::resource::Key;
use crate::snapshot::{Desired, SuppliedSecret, id_substitution};

/// Applies a rule to a field; returns how many values matched.
pub(super) fn change(rule: &MappingRule, (key, body): (&Key, &mut Body), desired: &mut Desired, made: &mut ResourceAttribution) -> usize {
    let (kind, field, place) = (key.kind(), rule.field.as_deref(), &rule.short_place);
    match (&rule.effect, field) {
        (Effect::Replace(rows), Some(field)) => change_named(body, field, &mut |path, value| {
            replace_in(value, rows, &mut |row| made.record(path, row.row.as_ref().unwrap_or(place)))
        }),
        (Effect::Replace(rows), None) => {
            let mut matched = 0;
            body.change_texts(&mut |path, text| {
                matched += replace(text, rows, &mut |row| made.record(path, row.row.as_ref().unwrap_or(place)));
            });
            matched
        }
        (Effect::Set(value), Some(field)) if field.contains(['[', '*']) => change_named(body, field, &mut |path, held| {
            value.clone_into(held);
            if path.contains('[') {
                made.record(path, place);
            } else {
                made.record_whole(path, place);
            }
            1
        }),
        (Effect::Set(value), Some(field)) if kind.fields.writable().has(field) => {
            body.set(field, value.clone());
            made.record_whole(field, place);
            1
        }
        (Effect::Remove(Removed::Field), Some(field)) => {
            let taken = body.take(field);
            for (path, _) in &taken {
                if path.contains('[') { made.record(path, place) } else { made.record_whole(path, place) }
            }
            taken.len()
        }
        (Effect::Remove(Removed::Element(element)), Some(field)) => {
            let list = field.strip_suffix("[]").unwrap_or(field);
            change_named(body, list, &mut |path, value| {
                let removed = remove_element(value, element);
                if removed > 0 {
                    made.record(path, place);
                }
                removed
            })
        }
        (Effect::Keep, Some(field)) => {
            desired.kept.push((key.clone(), field.to_owned()));
            // A field in the catalog may exist in the target only.
            let is_listed = kind.fields.writable().at(&field.replace("[]", "")).is_some();
            if is_listed { 1 } else { body.find(field).len() }
        }
        (Effect::Secret(from), Some(field)) => {
            desired.supplied.push(SuppliedSecret { key: key.clone(), path: field.to_owned(), from: from.clone() });
            made.record(field, place);
            1
        }
        _ => 0,
    }
}

/// Calls `change` with every value at a path and its position; returns the sum of the results.
fn change_named(body: &mut Body, field: &str, change: &mut dyn FnMut(&str, &mut Value) -> usize) -> usize {
    let mut sum = 0;
    if !field.contains('*') {
        body.change(field, &mut |value| sum += change(field, value));
        return sum;
    }
    let places: Vec<String> = body.find(field).into_iter().map(|(place, _)| place).collect();
    let mut places = places.iter();
    body.change(field, &mut |value| sum += change(places.next().map_or(field, String::as_str), value));
    sum
}

fn replace_in(value: &mut Value, rows: &[Replacement], hit: &mut dyn FnMut(&Replacement)) -> usize {
    match value {
        Value::String(text) => replace(text, rows, hit),
        Value::Array(list) => list.iter_mut().map(|element| replace_in(element, rows, hit)).sum(),
        Value::Object(fields) => fields.values_mut().map(|value| replace_in(value, rows, hit)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Replaces every `from` by its `to`, in one pass from left to right, so that replaced text is not replaced again;
/// calls `hit` for each match.
pub(super) fn replace(text: &mut String, rows: &[Replacement], hit: &mut dyn FnMut(&Replacement)) -> usize {
    id_substitution::change_plain(text, &mut |plain| {
        if !rows.iter().any(|row| plain.contains(row.from.as_str())) {
            return None;
        }
        let mut out = String::with_capacity(plain.len());
        let mut rest = plain;
        while let Some(sign) = rest.chars().next() {
            if let Some(row) = rows.iter().find(|row| rest.starts_with(row.from.as_str())) {
                hit(row);
                out.push_str(&row.to);
                rest = &rest[row.from.len()..];
            } else {
                out.push(sign);
                rest = &rest[sign.len_utf8()..];
            }
        }
        Some(out)
    })
}

/// Removes the elements of a list that equal a value; returns their number.
fn remove_element(value: &mut Value, element: &Value) -> usize {
    let Value::Array(elements) = value else { return 0 };
    let before = elements.len();
    elements.retain(|held| held != element);
    before - elements.len()
}

/// Removes list elements that mention one of these keys; returns the rule of the first one mentioned.
pub(super) fn remove_mentions<'places>(
    value: &mut Value,
    skipped: &dyn Fn(&Key) -> Option<&'places Arc<str>>,
) -> Option<&'places Arc<str>> {
    let Value::Array(elements) = value else { return None };
    let mut by = None;
    elements.retain(|element| {
        let place = id_substitution::mentioned(element).iter().find_map(skipped);
        by = by.or(place);
        place.is_none()
    });
    by
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(from: &str, to: &str) -> Replacement {
        Replacement { from: from.into(), to: to.into(), row: None }
    }

    #[test]
    fn a_replacement_is_not_replaced_again() {
        let mut text = "ab".to_owned();
        replace(&mut text, &[row("a", "b"), row("b", "c")], &mut |_| {});
        assert_eq!(text, "bc");
    }

    #[test]
    fn values_matched_by_a_wildcard_have_their_own_paths() {
        let mut body = Body::from_value(json!({"addons": {"aws": {"role": "r"}, "box": {"role": "s"}}, "name": "n"})).expect("an object");
        let mut seen = Vec::new();
        let mut see = |path: &str, value: &mut Value| {
            seen.push((path.to_owned(), value.clone()));
            1
        };
        assert_eq!(change_named(&mut body, "addons.*.role", &mut see), 2);
        assert_eq!(seen, [("addons.aws.role".to_owned(), json!("r")), ("addons.box.role".to_owned(), json!("s"))]);
    }
}
