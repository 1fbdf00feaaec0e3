//! Read-modify-write: merges values into the target's own, so that replacing an object does not lose what only the target knows.

use serde_json::{Map, Value};

use crate::catalog::{Field, Kind, Write, is_mask};
use crate::json::{Body, covers, is_blank, join, lay_over, top};
use crate::model::event::Outcome;
use crate::model::resource::take_secrets;
use crate::plan::Edit;

/// Merges these fields of a body into the target's current values.
pub(super) fn lay_over_held(kind: &Kind, fields: &[&str], held: &Body, body: &mut Body, edits: &[Edit]) -> Result<(), Outcome> {
    for field in fields.iter().copied() {
        // A read-modify-write field such as `options` always exists; if it is absent, the token may not read it. An
        // object with secrets two levels down (`addons`) may not exist in the target yet.
        if !held.0.contains_key(field) && kind.fields.read_modify_write.contains(&field) {
            let reason = format!("its {field} cannot be read, so it cannot be updated; the token may lack a scope");
            return Err(Outcome::Failed(reason));
        }
        let held = held.0.get(field).unwrap_or(&Value::Null);
        let wanted = body.0.remove(field).unwrap_or_else(|| Value::Object(Map::new()));
        body.0.insert(field.to_owned(), laid_over(field, held, wanted, edits));
    }
    Ok(())
}

/// Adds the target's own secrets to a body that replaces the whole resource.
pub(super) fn keep_secrets(kind: &Kind, held: &Body, body: &mut Body) {
    let own = kind.secrets.paths.iter().flat_map(|path| held.find(path)).map(|(path, value)| (path, value.clone())).collect::<Vec<_>>();
    for (path, value) in own.into_iter().filter(|(path, _)| !path.contains('[')) {
        body.set(&path, value);
    }
    let mut bare = held.clone();
    for (name, value) in kind.take_unlisted_secrets(&mut bare).into_iter().filter(|(name, _)| kind.fields.writable().get(name).is_some()) {
        body.0.entry(name).or_insert(value);
    }
}

/// Removes the masks that the target returns in place of secrets.
pub(super) fn drop_masks(kind: &Kind, held: &mut Body) {
    let mut bare = held.clone();
    take_secrets(kind, &mut bare);
    drop_masks_of(&mut held.0, Some(&bare.0));
}

/// Removes the masks from an object; `bare` is the object without secrets.
fn drop_masks_of(held: &mut Map<String, Value>, bare: Option<&Map<String, Value>>) {
    held.retain(|name, value| bare.is_some_and(|bare| bare.contains_key(name)) || !value.as_str().is_some_and(is_mask));
    for (name, value) in held {
        drop_masks_in(value, bare.and_then(|bare| bare.get(name)));
    }
}

fn drop_masks_in(held: &mut Value, bare: Option<&Value>) {
    match held {
        Value::Object(fields) => drop_masks_of(fields, bare.and_then(Value::as_object)),
        Value::Array(list) => {
            let bare = bare.and_then(Value::as_array).filter(|bare| bare.len() == list.len());
            for (place, element) in list.iter_mut().enumerate() {
                drop_masks_in(element, bare.and_then(|bare| bare.get(place)));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns whether an update of this field erases secrets that it does not contain: a PATCH merges one level only, and
/// replaces lists.
///
/// If the catalog lists every subfield, it also lists every secret.
pub(super) fn may_erase_secrets(kind: &Kind, name: &str, value: &Value) -> bool {
    let is_nested = |value: &Value| value.is_object() || value.is_array();
    let replaces = match value {
        Value::Object(fields) => kind.paths.write == Write::Put || kind.fields.replaced.contains(&name) || fields.values().any(is_nested),
        Value::Array(list) => list.iter().any(is_nested),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    let is_listed = || kind.secrets.paths.iter().any(|path| top(path) == name && !kind.secrets.write_only.contains(path));
    replaces && (is_listed() || kind.fields.writable().get(name).is_none_or(Field::is_open_anywhere))
}

/// Restores the target's own secrets in objects and lists that are replaced.
///
/// List elements are matched by id, name or key, otherwise by everything except the secret.
pub(super) fn restore_secrets(kind: &Kind, held: &Body, body: &mut Body) {
    let mut bare = held.clone();
    if take_secrets(kind, &mut bare).is_empty() {
        return;
    }
    for (name, wanted) in &mut body.0 {
        if let (Some(held), Some(bare)) = (held.0.get(name), bare.0.get(name)) {
            restore_in(held, bare, wanted);
        }
    }
}

fn restore_in(held: &Value, bare: &Value, wanted: &mut Value) {
    match (held, bare, wanted) {
        (Value::Object(held), Value::Object(bare), Value::Object(wanted)) => {
            for (name, held) in held {
                match (bare.get(name), wanted.get_mut(name)) {
                    (Some(bare), Some(wanted)) => restore_in(held, bare, wanted),
                    // An object that contained nothing but secrets is not part of the plan.
                    (None, None) => drop(wanted.insert(name.clone(), held.clone())),
                    (Some(bare), None) if is_blank(bare) && held != bare => drop(wanted.insert(name.clone(), held.clone())),
                    _ => {}
                }
            }
        }
        (Value::Array(held), Value::Array(bare), Value::Array(wanted)) if held.len() == bare.len() => {
            for (place, wanted) in wanted.iter_mut().enumerate() {
                let here = bare.get(place).filter(|bare| is_same_element(bare, wanted)).map(|_| place);
                if let Some(at) = here.or_else(|| bare.iter().position(|bare| is_same_element(bare, wanted))) {
                    restore_in(&held[at], &bare[at], wanted);
                }
            }
        }
        _ => {}
    }
}

fn is_same_element(held: &Value, wanted: &Value) -> bool {
    let named = ["id", "name", "key"].into_iter().find(|name| held.get(name).is_some() || wanted.get(name).is_some());
    named.map_or(held == wanted, |name| held.get(name) == wanted.get(name))
}

/// Splits an update that clears objects whose presence is the setting; returns the request to send first.
///
/// An update accepts no null for them: the object around them is cleared and written again without them (recorded for
/// the add-ons of a client, `TestAccClientAddons`).
pub(super) fn split_clearing(kind: &Kind, body: &mut Body) -> Option<Body> {
    let gone: Vec<String> = kind
        .quirks
        .presence_is_setting
        .iter()
        .flat_map(|path| body.find(path))
        .filter(|(_, value)| value.is_null())
        .map(|(path, _)| path)
        .collect();
    let mut first = Body::new();
    for path in gone {
        body.take(&path);
        let field = path.split('.').next().unwrap_or(&path);
        first.0.insert(field.to_owned(), Value::Null);
        if body.0.get(field).is_some_and(is_blank) {
            body.0.remove(field);
        }
    }
    (!first.is_empty()).then_some(first)
}

/// Merges the desired value into the target's: values that only the target knows are kept, and values that an edit
/// clears are removed.
fn laid_over(field: &str, held: &Value, wanted: Value, edits: &[Edit]) -> Value {
    let mut whole = Body::new();
    whole.set(field, held.clone());
    for edit in edits.iter().filter(|edit| edit.new.is_none() && covers(field, &edit.path)) {
        match &edit.old {
            Some(Value::Object(known)) if edit.path == field => known.keys().for_each(|name| drop(whole.take(&join(field, name)))),
            _ => drop(whole.take(&edit.path)),
        }
    }
    let mut value = whole.0.remove(field).unwrap_or_default();
    lay_over(&mut value, wanted);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    #[test]
    fn values_that_only_the_target_knows_are_kept_and_removed_ones_are_deleted() {
        let held = json!({"client_secret": "hidden", "scope": ["a"], "mfa": {"active": true}, "deep": {"x": 1, "y": 2}});
        let edits = [
            Edit { path: "options.mfa".into(), old: Some(json!({"active": true})), new: None },
            Edit { path: "options.deep.y".into(), old: Some(json!(2)), new: None },
        ];
        let laid = laid_over("options", &held, json!({"scope": ["a", "b"], "deep": {"x": 3}}), &edits);
        assert_eq!(laid, json!({"client_secret": "hidden", "scope": ["a", "b"], "deep": {"x": 3}}));
    }

    #[test]
    fn replaced_options_keep_values_that_only_the_target_knows() {
        let held = json!({"client_secret": "hidden", "mfa": {"active": true}});
        let edits = [Edit { path: "options".into(), old: Some(json!({"mfa": {"active": true}})), new: None }];
        assert_eq!(laid_over("options", &held, json!({"mfa": null}), &edits), json!({"client_secret": "hidden", "mfa": null}));
    }

    #[test]
    fn an_addon_keeps_its_own_secret_and_a_cleared_one_is_removed() {
        let held = json!({"sap_api": {"clientid": "a", "servicePassword": "hidden"}, "slack": {"team": "x"}});
        let edits = [Edit { path: "addons.slack".into(), old: Some(json!({"team": "x"})), new: None }];
        let laid = laid_over("addons", &held, json!({"sap_api": {"clientid": "b"}, "slack": null}), &edits);
        assert_eq!(laid, json!({"sap_api": {"clientid": "b", "servicePassword": "hidden"}, "slack": null}));
    }

    #[test]
    fn removing_an_addon_clears_all_and_writes_the_others_again() {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let apart = |value: Value| {
            let mut body = Body::from_value(value).expect("an object");
            let first = split_clearing(kind, &mut body).map(Body::into_value);
            (first, body.into_value())
        };
        let cleared = Some(json!({"addons": null}));
        let stays = json!({"addons": {"samlp": {}}, "name": "a"});
        assert_eq!(apart(json!({"addons": {"box": null, "samlp": {}}, "name": "a"})), (cleared.clone(), stays.clone()));
        assert_eq!(apart(json!({"addons": {"box": null}})), (cleared, json!({})));
        assert_eq!(apart(stays.clone()), (None, stays));
    }

    #[test]
    fn undeclared_secrets_are_restored_in_replaced_objects_and_lists() {
        let kind = Catalog::standard().kind("flows").expect("a kind");
        let step = |id: &str, url: &str, secret: Option<&str>| {
            let mut headers = json!({"accept": "json"});
            headers.as_object_mut().expect("an object").extend(secret.map(|secret| ("authorization".to_owned(), json!(secret))));
            json!({"id": id, "params": {"url": url, "headers": headers, "then": [{"id": "in", "params": {"a": 1}}]}})
        };
        let body = |actions: Value| body(json!({"name": "F", "actions": actions}));
        let held = body(json!([step("a", "x", Some("own a")), step("b", "x", Some("own b")), step("c", "x", None)]));
        let mut wanted = body(json!([step("b", "y", None), step("c", "y", None), step("new", "y", None)]));
        assert!(may_erase_secrets(kind, "actions", &wanted.0["actions"]));
        restore_secrets(kind, &held, &mut wanted);
        assert_eq!(wanted, body(json!([step("b", "y", Some("own b")), step("c", "y", None), step("new", "y", None)])));
    }

    #[test]
    fn masks_of_secrets_are_never_written_back() {
        let mut held = body(
            json!({"sink": {"password": "********", "region": "us", "paths": ["*", "**"], "deep": [{"token": "[REDACTED]", "at": 1}]}}),
        );
        let kind = Catalog::standard().kind("log-streams").expect("a kind");
        drop_masks(kind, &mut held);
        assert_eq!(held, body(json!({"sink": {"region": "us", "paths": ["*", "**"], "deep": [{"at": 1}]}})));
        let mut wanted = body(json!({"sink": {"region": "eu"}}));
        lay_over_held(kind, &["sink"], &held, &mut wanted, &[]).expect("laid over");
        assert_eq!(wanted, body(json!({"sink": {"region": "eu", "paths": ["*", "**"], "deep": [{"at": 1}]}})));
    }

    #[test]
    fn a_placeholder_for_users_is_kept_although_it_looks_like_a_mask() {
        let mut held = body(
            json!({"nodes": [{"config": {"components": [{"id": "pin", "config": {"placeholder": "\u{2022}\u{2022}\u{2022}\u{2022}"}}]}}]}),
        );
        let as_it_is = held.clone();
        drop_masks(Catalog::standard().kind("forms").expect("a kind"), &mut held);
        assert_eq!(held, as_it_is);
        let mut texts = body(json!({"login": {"passwordPlaceholder": "********"}}));
        let as_they_are = texts.clone();
        drop_masks(Catalog::standard().kind("prompt-custom-text").expect("a kind"), &mut texts);
        assert_eq!(texts, as_they_are);
    }

    #[test]
    fn an_update_of_plain_texts_erases_no_secret_and_needs_no_read() {
        let kind = |name: &str| Catalog::standard().kind(name).expect("a kind");
        assert!(!may_erase_secrets(kind("clients"), "client_metadata", &json!({"a": "b"})));
        assert!(!may_erase_secrets(kind("clients"), "callbacks", &json!(["a"])));
        assert!(!may_erase_secrets(kind("resource-servers"), "scopes", &json!([{"value": "read:a"}])));
        assert!(may_erase_secrets(kind("clients"), "identity_assertion_authorization_grant", &json!({"a": {"b": "c"}})));
        assert!(may_erase_secrets(kind("organizations"), "metadata", &json!({"a": "b"})));
    }
}
