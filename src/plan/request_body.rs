//! Builds the bodies of create and update requests. They contain nothing that the plan does not show.
//!
//! Blanks without meaning are never sent: null is dropped at every depth, and blanks that the API refuses are left out.
//! A field is cleared with the value that the API accepts for that, or not at all.

use serde_json::{Map, Value};

use super::model::Edit;
use super::normal_form::{drop_blanks_in, normalized};
use crate::catalog::{Fields, Kind, RequestPurpose, Write};
use crate::json::{Body, covers};

/// How a field is cleared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clearing {
    /// By sending this value in the update.
    By(Value),
    /// By omitting it from an object that is replaced as a whole.
    LeftOut,
    /// Not at all.
    Impossible,
}

/// Returns how an update clears a field.
///
/// A PATCH merges objects one level deep (exact in 307 of 313 recorded updates of clients), so a deeper field, or one
/// in an object that is replaced as a whole, is cleared by omitting it.
pub(super) fn clearing(kind: &Kind, path: &str, held: Option<&Value>) -> Clearing {
    if kind.fields.merge_only.iter().any(|grown| covers(grown, path)) {
        return Clearing::Impossible;
    }
    if let Some(mut default) = kind.default_of(path) {
        if let (Value::Object(default), Some(Value::Object(held)), false) = (&mut default, held, kind.fields.replaced.contains(&path)) {
            for name in held.keys() {
                default.entry(name).or_insert(Value::Null);
            }
        }
        return Clearing::By(default);
    }
    let field = kind.fields.writable().at(path);
    let (top, depth) = (path.split('.').next().unwrap_or(path), path.split('.').count());
    let is_whole = kind.paths.write == Write::Put || kind.fields.replaced.contains(&top);
    let is_mirror = kind.quirks.defaults_to_field.iter().any(|(field, _)| *field == path);
    let is_follow_up = kind.lifecycle.follow_up.is_some_and(|follow_up| follow_up.field == path);
    let is_left_out = depth > 2 || (depth == 2 && is_whole) || (kind.paths.write == Write::Put && field.is_none());
    match (field, held) {
        _ if is_left_out => Clearing::LeftOut,
        _ if is_in_sealed(kind, path) => Clearing::Impossible,
        (None, _) => Clearing::By(Value::Null),
        // The update is sent in two requests: see `presence_is_setting` in `Quirks`.
        _ if kind.quirks.presence_is_setting.iter().any(|present| covers(present, path)) => Clearing::By(Value::Null),
        (Some(field), _) if field.nullable => Clearing::By(Value::Null),
        _ if kind.fields.required.contains(&path) => Clearing::Impossible,
        // A PATCH clears it if it is omitted.
        _ if kind.fields.always_sent.contains(&path) && !is_mirror && !is_follow_up => Clearing::LeftOut,
        (Some(field), Some(Value::Array(_))) if !field.refuses_empty => Clearing::By(Value::Array(Vec::new())),
        (Some(field), Some(Value::String(_))) if !field.refuses_empty => Clearing::By(Value::String(String::new())),
        (Some(field), Some(Value::Object(held))) if !field.refuses_empty => Clearing::By(with_blank_fields(field.below.as_ref(), held)),
        _ => Clearing::Impossible,
    }
}

/// Returns an object with blank values: the API may ignore an object without fields.
fn with_blank_fields(fields: Option<&Fields>, held: &Map<String, Value>) -> Value {
    let takes_blank = |name: &str| fields.and_then(|fields| fields.get(name)).is_some_and(|field| !field.refuses_empty);
    let blank = |(name, value): (&String, &Value)| match value {
        Value::Array(_) if takes_blank(name) => Some((name.clone(), Value::Array(Vec::new()))),
        Value::String(_) if takes_blank(name) => Some((name.clone(), Value::String(String::new()))),
        _ => None,
    };
    Value::Object(held.iter().filter_map(blank).collect())
}

/// Returns whether a field is inside an object that is written only together with its secrets.
fn is_in_sealed(kind: &Kind, path: &str) -> bool {
    let top = path.split('.').next().unwrap_or(path);
    kind.secrets.required_in.iter().any(|sealed| sealed.path != path && covers(sealed.path, path)) && !kind.is_read_modify_write(top)
}

/// Returns the body of a create.
pub(super) fn create_body(kind: &Kind, body: &Body) -> Body {
    let (body, _) = kind.fields.writable().split(body.clone(), RequestPurpose::Create);
    let mut body = Body(kind.fields.writable().sendable(body.0));
    let is_unsaid = |name: &str, value: &Value| value.as_str() == Some("") && !kind.fields.required.contains(&name);
    body.0.retain(|name, value| !is_unsaid(name, value));
    body
}

/// Returns the body of an update.
pub(super) fn update_body(kind: &Kind, desired: &Body, live: &Body, edits: &[Edit]) -> Body {
    if edits.is_empty() {
        return Body::new();
    }
    let mut body = edited_fields(kind, desired, live, edits);
    for edit in edits.iter().filter(|edit| edit.new.is_none()) {
        if let Clearing::By(value) = clearing(kind, &edit.path, edit.old.as_ref()) {
            body.set(&edit.path, mirrored_value(kind, &edit.path, desired).unwrap_or(value));
        }
    }
    let is_cleared = |name: &str| edits.iter().any(|edit| edit.new.is_none() && edit.path == name);
    // Fields without an edit keep the target's value.
    let own = |name: &str| Some((name.to_owned(), live.0.get(name).or_else(|| desired.0.get(name))?.clone()));
    let echoed = kind.fields.always_sent.iter().copied().filter(|name| !is_cleared(name)).filter_map(own).collect();
    for (name, value) in kind.fields.writable().sendable(echoed) {
        body.0.entry(name).or_insert(value);
    }
    let held = normalized(kind, live);
    let created = edits
        .iter()
        .filter(|edit| is_created_by_update(&edit.path, &held))
        .filter_map(|edit| Some((edit.path.clone(), body.get(&edit.path)?.clone())));
    let created: Vec<(String, Value)> = created.collect();
    let mut body = kind.fields.writable().split(body, RequestPurpose::Update).0;
    for (path, value) in created {
        body.set(&path, value);
    }
    if body.is_empty() {
        // The API refuses an empty PATCH, even if omitting a field would clear it.
        let key = kind.identity.key.iter().filter_map(|name| Some(((*name).to_owned(), live.get(name)?.clone()))).collect();
        body = kind.fields.writable().split(key, RequestPurpose::Update).0;
    }
    body
}

/// Returns the edited top-level fields, or all of them for a PUT: the target's values with the edits applied.
///
/// Values without an edit are therefore kept, even inside an object that is replaced as a whole. Of read-modify-write
/// fields, only the edits are included.
fn edited_fields(kind: &Kind, desired: &Body, live: &Body, edits: &[Edit]) -> Body {
    let (said, mut body) =
        (Body(kind.fields.writable().sendable(desired.0.clone())), Body(kind.fields.writable().sendable(live.0.clone())));
    let is_touched = |name: &str| edits.iter().any(|edit| edit.path.split('.').next() == Some(name));
    // A value that is cleared before it is written again is included as a whole, so that an interrupted run can restore
    // it.
    let is_cleared_first = |name: &str| kind.quirks.presence_is_setting.iter().any(|path| path.split('.').next() == Some(name));
    body.0.retain(|name, _| {
        kind.paths.write == Write::Put || (is_touched(name) && (!kind.is_read_modify_write(name) || is_cleared_first(name)))
    });
    for (name, value) in &mut body.0 {
        if kind.paths.write == Write::Patch && !kind.fields.replaced.contains(&name.as_str()) && !is_cleared_first(name) {
            drop_blanks_in(value);
        }
    }
    // These belong to the tenant: they are kept if omitted, and may be refused in another tenant.
    for path in kind.defaults.server_filled.iter().filter(|path| path.ends_with(".*")) {
        body.take(path);
    }
    for edit in edits {
        let new = edit.new.as_ref().map(|new| said.get(&edit.path).unwrap_or(new).clone());
        body.put(&edit.path, new);
    }
    // If an object only loses fields, the empty object is sent.
    for name in edits.iter().filter_map(|edit| edit.path.split_once('.')).map(|(name, _)| name) {
        body.0.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
    body
}

/// Returns whether an update creates the object that holds a field.
pub(super) fn is_created_by_update(path: &str, held: &Body) -> bool {
    path.rsplit_once('.').is_some_and(|(above, _)| above.contains('.') && held.get(above).is_none())
}

/// Returns the value of the field that an absent one defaults to.
fn mirrored_value(kind: &Kind, name: &str, desired: &Body) -> Option<Value> {
    let (_, other) = kind.quirks.defaults_to_field.iter().find(|(field, _)| *field == name)?;
    desired.get(other).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Field, Writability};
    use crate::json::lay_over;
    use crate::plan::diff::difference;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    use serde_json::json;

    /// Returns a random body for this seed: blanks, nulls, values or nothing at every writable path.
    fn body(fields: &Fields, above: &str, seed: &mut u64) -> Map<String, Value> {
        let mut object = Map::new();
        let open = ["x", "y"].into_iter().filter(|_| fields.is_open());
        let listed = fields.iter().filter(|field| !field.in_path).map(|field| (field.name, Some(field)));
        for (name, field) in listed.chain(open.map(|name| (name, None))) {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let path = crate::json::join(above, name);
            let value = match (*seed >> 33) % 8 {
                0 => Value::Null,
                1 => blank(field, &path),
                2..=4 => value(field, &path, seed),
                _ => continue,
            };
            object.insert(name.to_owned(), value);
        }
        object
    }

    /// Adds to the objects of a body what every tenant fills in there.
    fn complete(kind: &Kind, body: &mut Body) {
        for (path, default) in kind.defaults.values.iter().filter_map(|(path, _)| Some((*path, kind.default_of(path)?))) {
            if let (Some(held @ Value::Object(_)), Value::Object(_)) = (body.0.get_mut(path), &default) {
                fill_in(held, default);
            }
        }
    }

    fn fill_in(held: &mut Value, default: Value) {
        match (held, default) {
            (Value::Object(held), Value::Object(default)) => {
                default.into_iter().for_each(|(name, value)| fill_in(held.entry(name).or_insert(Value::Null), value));
            }
            (held, default) if crate::json::is_blank(held) => *held = default,
            _ => {}
        }
    }

    /// A field has the same type in every tenant.
    fn sort(path: &str) -> usize {
        path.bytes().map(usize::from).sum::<usize>() % 4
    }

    fn blank(field: Option<&Field>, path: &str) -> Value {
        match field.and_then(|field| field.below.as_ref().map(|_| field.is_list)) {
            Some(true) => json!([]),
            Some(false) => json!({}),
            None => [json!(""), json!([]), Value::Null, Value::Null][sort(path)].clone(),
        }
    }

    fn value(field: Option<&Field>, path: &str, seed: &mut u64) -> Value {
        let number = (*seed >> 40) % 3;
        match field.and_then(|field| field.below.as_ref().map(|below| (below, field.is_list))) {
            Some((below, true)) => Value::Array(vec![Value::Object(body(below, path, seed))]),
            Some((below, false)) => Value::Object(body(below, path, seed)),
            None => {
                [json!(format!("text {number}")), json!([format!("text {number}")]), json!(number == 0), json!(number)][sort(path)].clone()
            }
        }
    }

    /// Returns the body after an update, as recordings show: a PATCH merges objects one level deep, and null removes a
    /// field.
    fn after(kind: &Kind, live: &Body, sent: &Body, edits: &[Edit]) -> Body {
        let mut after = live.clone();
        if kind.paths.write == Write::Put {
            after.0.retain(|name, _| kind.fields.writable().get(name).is_some_and(|field| field.written == Writability::OnCreate));
        }
        after.0.retain(|name, _| !kind.fields.always_sent.contains(&name.as_str()) || sent.0.contains_key(name));
        for (name, value) in &sent.0 {
            let held = after.0.remove(name);
            let value = match (held, value) {
                (Some(held), value) if kind.is_read_modify_write(name) => {
                    let mut whole = Body::from_iter([(name.clone(), held)]);
                    edits.iter().filter(|edit| edit.new.is_none()).for_each(|edit| drop(whole.take(&edit.path)));
                    let mut held = whole.0.remove(name).unwrap_or_default();
                    lay_over(&mut held, value.clone());
                    held.as_object_mut().into_iter().for_each(|held| held.retain(|_, value| !value.is_null()));
                    held
                }
                (Some(Value::Object(mut held)), Value::Object(fields)) if !kind.fields.replaced.contains(&name.as_str()) => {
                    held.extend(fields.clone());
                    held.retain(|_, value| !value.is_null());
                    Value::Object(held)
                }
                (_, value) => value.clone(),
            };
            after.0.insert(name.clone(), value);
        }
        for (name, held) in &live.0 {
            if let (Some(value), Some(field)) = (after.0.get_mut(name), kind.fields.writable().get(name)) {
                keep_what_is_set_at_birth(field, held, value);
            }
        }
        after
    }

    /// Restores fields that only a create can set: no update removes them.
    fn keep_what_is_set_at_birth(field: &Field, held: &Value, value: &mut Value) {
        let (Some(below), Value::Object(held), Value::Object(value)) = (&field.below, held, value) else { return };
        for (name, held) in held {
            match below.get(name) {
                Some(field) if field.written == Writability::OnCreate => drop(value.entry(name).or_insert_with(|| held.clone())),
                Some(field) => value.get_mut(name).into_iter().for_each(|value| keep_what_is_set_at_birth(field, held, value)),
                None => {}
            }
        }
    }

    fn covered(edits: &[Edit], path: &str) -> bool {
        edits.iter().any(|edit| covers(&edit.path, path) || covers(path, &edit.path))
    }

    #[test]
    fn the_shown_edits_are_exactly_what_changes_and_a_second_update_is_empty() {
        for kind in Catalog::standard().kinds().filter(|kind| kind.parent().is_none() && !kind.scopes.update.is_empty()) {
            let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
            let checked = runner.run(&(any::<u64>(), any::<u64>()), |(one, other)| {
                let [mut desired, mut live] = [one, other].map(|mut seed| Body(body(kind.fields.writable(), "", &mut seed)));
                // The follow-up is planned separately.
                let done = kind.lifecycle.follow_up.map_or("", |follow_up| follow_up.field);
                for body in [&mut desired, &mut live] {
                    body.0.remove(done);
                    complete(kind, body);
                }
                let first = difference(kind, &desired, &live);
                let after = if first.edits.is_empty() { live.clone() } else { after(kind, &live, &first.body, &first.edits) };
                let (was, is) = (normalized(kind, &live), normalized(kind, &after));
                for moved in difference(kind, &is, &was).edits.iter().chain(&difference(kind, &was, &is).edits) {
                    prop_assert!(
                        covered(&first.edits, &moved.path),
                        "{}: {} changes unshown\n{desired:?}\n{live:?}\n{:?}",
                        kind.name,
                        moved.path,
                        first.body
                    );
                }
                for edit in &first.edits {
                    prop_assert_eq!(
                        is.get(&edit.path),
                        edit.new.as_ref(),
                        "{}: {} does not arrive\n{:?}\n{:?}\n{:?}",
                        kind.name,
                        &edit.path,
                        &desired,
                        &live,
                        &first.body
                    );
                }
                // A create-only field can be set once the object around it has been cleared.
                let was_fixed = |edit: &Edit| first.fixed.iter().any(|(path, _)| *path == edit.path);
                let again: Vec<Edit> = difference(kind, &desired, &after).edits.into_iter().filter(|edit| !was_fixed(edit)).collect();
                prop_assert!(again.is_empty(), "{}: {again:?} again\n{desired:?}\n{live:?}\n{:?}", kind.name, first.body);
                Ok(())
            });
            checked.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
