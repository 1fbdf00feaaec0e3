//! The target's own value under ours: what only the target knows survives an update that replaces what it stands in.

use serde_json::{Map, Value};

use crate::body::{Body, covers, is_blank, join, lay_over};
use crate::catalog::Kind;
use crate::event::Outcome;
use crate::plan::Edit;

/// Lays these fields of a body over what the target holds of them.
pub(super) fn lay_over_held(kind: &Kind, fields: &[&str], held: &Body, body: &mut Body, edits: &[Edit]) -> Result<(), Outcome> {
    for field in fields.iter().copied() {
        // What an entry says to lay over is always there (`options`), or the token may not read it; an object with secrets two levels down
        // (`addons`) may be the target's first.
        if !held.0.contains_key(field) && kind.overlaid.contains(&field) {
            let because = format!("its {field} cannot be read, so they cannot be written over; the token may lack a scope");
            return Err(Outcome::Failed(because));
        }
        let held = held.0.get(field).unwrap_or(&Value::Null);
        let wanted = body.0.remove(field).unwrap_or_else(|| Value::Object(Map::new()));
        body.0.insert(field.to_owned(), laid_over(field, held, wanted, edits));
    }
    Ok(())
}

/// Puts the target's own secrets into a body that replaces the whole resource.
pub(super) fn keep_secrets(kind: &Kind, held: &Body, body: &mut Body) {
    let own = kind.secrets.iter().flat_map(|path| held.find(path)).map(|(path, value)| (path, value.clone())).collect::<Vec<_>>();
    for (path, value) in own.into_iter().filter(|(path, _)| !path.contains('[')) {
        body.set(&path, value);
    }
}

/// Takes out of an update the objects whose presence is the setting and that are to go; returns what has to be sent before it.
///
/// An update takes no null for one of them: what they stand in is cleared whole, and written again without them (recorded for the add-ons of
/// a client, `TestAccClientAddons`).
pub(super) fn cleared_first(kind: &Kind, body: &mut Body) -> Option<Body> {
    let gone: Vec<String> =
        kind.present.iter().flat_map(|path| body.find(path)).filter(|(_, value)| value.is_null()).map(|(path, _)| path).collect();
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

/// Lays the wanted value over the target's own: what only the target knows stays, and what an edit clears goes.
fn laid_over(field: &str, held: &Value, wanted: Value, edits: &[Edit]) -> Value {
    let mut whole = Body::new();
    whole.set(field, held.clone());
    // Some secrets are shown as asterisks (recorded: the password of a stream to Mixpanel); written back they would become the secret.
    if let Some(Value::Object(fields)) = whole.0.get_mut(field) {
        fields.retain(|_, value| !value.as_str().is_some_and(is_mask));
    }
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

fn is_mask(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|sign| sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    #[test]
    fn what_only_the_target_knows_survives_and_what_was_removed_goes() {
        let held = json!({"client_secret": "hidden", "scope": ["a"], "mfa": {"active": true}, "deep": {"x": 1, "y": 2}});
        let edits = [
            Edit { path: "options.mfa".into(), old: Some(json!({"active": true})), new: None },
            Edit { path: "options.deep.y".into(), old: Some(json!(2)), new: None },
        ];
        let laid = laid_over("options", &held, json!({"scope": ["a", "b"], "deep": {"x": 3}}), &edits);
        assert_eq!(laid, json!({"client_secret": "hidden", "scope": ["a", "b"], "deep": {"x": 3}}));
    }

    #[test]
    fn of_options_that_go_whole_what_only_the_target_knows_stays() {
        let held = json!({"client_secret": "hidden", "mfa": {"active": true}});
        let edits = [Edit { path: "options".into(), old: Some(json!({"mfa": {"active": true}})), new: None }];
        assert_eq!(laid_over("options", &held, json!({"mfa": null}), &edits), json!({"client_secret": "hidden", "mfa": null}));
    }

    #[test]
    fn an_addon_keeps_its_own_secret_and_one_that_is_cleared_goes() {
        let held = json!({"sap_api": {"clientid": "a", "servicePassword": "hidden"}, "slack": {"team": "x"}});
        let edits = [Edit { path: "addons.slack".into(), old: Some(json!({"team": "x"})), new: None }];
        let laid = laid_over("addons", &held, json!({"sap_api": {"clientid": "b"}, "slack": null}), &edits);
        assert_eq!(laid, json!({"sap_api": {"clientid": "b", "servicePassword": "hidden"}, "slack": null}));
    }

    #[test]
    fn an_addon_that_goes_is_cleared_with_all_others_which_are_written_again() {
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let apart = |value: Value| {
            let mut body = Body::from_value(value).expect("an object");
            let first = cleared_first(kind, &mut body).map(Body::into_value);
            (first, body.into_value())
        };
        let cleared = Some(json!({"addons": null}));
        let stays = json!({"addons": {"samlp": {}}, "name": "a"});
        assert_eq!(apart(json!({"addons": {"box": null, "samlp": {}}, "name": "a"})), (cleared.clone(), stays.clone()));
        assert_eq!(apart(json!({"addons": {"box": null}})), (cleared, json!({})));
        assert_eq!(apart(stays.clone()), (None, stays));
    }

    #[test]
    fn a_secret_that_is_shown_as_asterisks_is_not_written_back() {
        let held = json!({"password": "********", "region": "us"});
        assert_eq!(laid_over("sink", &held, json!({"region": "eu"}), &[]), json!({"region": "eu"}));
    }
}
