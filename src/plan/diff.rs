//! Computes the difference between a desired and a live body, compared in normal form.

use serde_json::{Map, Value};

use super::model::Edit;
use super::normal_form::normalized;
use super::reason::StayReason;
use super::request_body::{Clearing, clearing, is_created_by_update, update_body};
use crate::catalog::{Field, Fields, Kind, Writability, Write};
use crate::json::{Body, covers, join};

/// The difference between a live body and a desired one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// The edits that an update makes.
    pub edits: Vec<Edit>,
    /// Differing fields that no update can change, with the reason.
    pub fixed: Vec<(String, StayReason)>,
    /// Fields that only the target has and that are not removed, with the reason.
    pub stays: Vec<(String, StayReason)>,
    /// The body of the update: whole top-level fields, null for cleared ones.
    pub body: Body,
}

/// Compares two portable bodies of a kind.
pub fn difference(kind: &Kind, desired: &Body, live: &Body) -> Difference {
    difference_after(kind, desired, live, &[])
}

/// Compares two portable bodies of a kind; `dropped` are the fields that the source removed since the baseline.
pub fn difference_after(kind: &Kind, desired: &Body, live: &Body, dropped: &[String]) -> Difference {
    let mut difference = Difference::default();
    if desired == live {
        return difference;
    }
    let (mut wanted, held) = (normalized(kind, desired), normalized(kind, live));
    // An object is removed field by field.
    let is_dropped = |path: &str| dropped.iter().any(|dropped| covers(path, dropped));
    for (path, own) in kind.defaults.server_filled.iter().flat_map(|path| held.find(path)) {
        if wanted.get(&path).is_none() && !is_dropped(&path) {
            wanted.set(&path, own.clone());
            difference.stays.push((path, StayReason::ServerFilled));
        }
    }
    let mut edits = compared(&wanted, &held);
    // The server fills these fields in by itself, so values that only the target has are kept, unless they exclude a
    // desired field.
    let makes_room = |path: &str| kind.excluded_by(path).any(|other| wanted.get(other).is_some());
    let is_overlaid = |path: &str| kind.fields.read_modify_write.iter().any(|overlaid| covers(overlaid, path));
    let stays = |edit: &mut Edit| edit.new.is_none() && is_overlaid(&edit.path) && !is_dropped(&edit.path) && !makes_room(&edit.path);
    difference.stays.extend(edits.extract_if(.., stays).map(|edit| (edit.path, StayReason::TargetOnly)));
    for edit in edits.into_iter().flat_map(|edit| split_clearing(kind, edit)) {
        match obstacle(kind, &edit, &held) {
            Some(reason) => difference.fixed.push((edit.path, reason)),
            None => difference.edits.push(edit),
        }
    }
    difference.body = update_body(kind, desired, live, &difference.edits);
    difference
}

/// Returns every difference between two bodies of a kind, including those that no update can make.
pub fn edits(kind: &Kind, desired: &Body, live: &Body) -> Vec<Edit> {
    compared(&normalized(kind, desired), &normalized(kind, live))
}

/// Returns every difference between two bodies, including those without meaning to the API.
pub(crate) fn compared(wanted: &Body, held: &Body) -> Vec<Edit> {
    let mut edits = Vec::new();
    compare_objects("", &wanted.0, &held.0, &mut edits);
    edits
}

fn compare_objects(above: &str, wanted: &Map<String, Value>, held: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let names = wanted.keys().chain(held.keys().filter(|name| !wanted.contains_key(*name)));
    let mut names: Vec<&String> = names.collect();
    names.sort();
    for name in names {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match (wanted.get(name), held.get(name)) {
            (Some(Value::Object(wanted)), Some(Value::Object(held))) => compare_objects(&path, wanted, held, edits),
            (Some(Value::Object(wanted)), None) if !wanted.is_empty() => compare_objects(&path, wanted, &Map::new(), edits),
            (new, old) if is_same_value(new, old) => {}
            (new, old) => edits.push(Edit { path, old: old.cloned(), new: new.cloned() }),
        }
    }
}

/// Splits an edit that clears an object into edits of its fields, if the object cannot be cleared as a whole.
fn split_clearing(kind: &Kind, edit: Edit) -> Vec<Edit> {
    match &edit {
        Edit { path, old: Some(Value::Object(held)), new: None } if is_cleared_by_field(kind, path, held) => {
            let field = |(name, value): (&String, &Value)| Edit { path: join(path, name), old: Some(value.clone()), new: None };
            held.iter().map(field).flat_map(|edit| split_clearing(kind, edit)).collect()
        }
        _ => vec![edit],
    }
}

/// Returns whether an object must be cleared field by field: an update can only add to part of it, or merges it and
/// rejects null.
fn is_cleared_by_field(kind: &Kind, path: &str, held: &Map<String, Value>) -> bool {
    let mut below = kind.fields.merge_only.iter().filter_map(|grown| grown.strip_prefix(path)?.strip_prefix('.'));
    let holds_grown = below.any(|rest| held.contains_key(rest.split('.').next().unwrap_or(rest)));
    let is_merged = kind.paths.write == Write::Patch && !kind.fields.replaced.contains(&path) && kind.default_of(path).is_none();
    let takes_no_null = kind.fields.writable().get(path).is_some_and(|field| !field.nullable);
    // Fields under read-modify-write are never cleared as a whole: they may contain secrets that only the target has.
    holds_grown || (is_merged && takes_no_null) || kind.fields.read_modify_write.contains(&path)
}

/// Returns a list with elements added and removed.
pub fn list_after(list: &[Value], added: &[Value], removed: &[Value]) -> Vec<Value> {
    let stays = list.iter().filter(|element| !removed.contains(element));
    let comes = added.iter().filter(|element| !list.contains(element) || removed.contains(element));
    stays.chain(comes).cloned().collect()
}

/// Returns whether two values are equal. Numbers are compared by value: the API returns the same duration as `1` or
/// `1.0`.
pub fn is_same_value(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Returns why no update can make this edit.
fn obstacle(kind: &Kind, edit: &Edit, held: &Body) -> Option<StayReason> {
    let field = field_at(kind.fields.writable(), &edit.path);
    if field.is_some_and(|field| field.written == Writability::OnCreate) && !is_created_by_update(&edit.path, held) {
        return Some(StayReason::CreateOnly);
    }
    let is_impossible = edit.new.is_none() && clearing(kind, &edit.path, edit.old.as_ref()) == Clearing::Impossible;
    is_impossible.then_some(StayReason::NotClearable)
}

/// Returns the catalog's field for a dotted path, or for its last step if only a create sets that.
fn field_at<'table>(fields: &'table Fields, path: &str) -> Option<&'table Field> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = fields.get(name)?;
    match (rest, &field.below) {
        (Some(rest), Some(below)) if field.written != Writability::OnCreate => field_at(below, rest),
        (Some(_), None) if field.written != Writability::OnCreate => None,
        _ => Some(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn compare(kind: &str, desired: Value, live: Value) -> Difference {
        let body = |value| Body::from_value(value).expect("an object");
        difference(Catalog::standard().kind(kind).expect("a kind"), &body(desired), &body(live))
    }

    fn sent(kind: &str, desired: Value, live: Value) -> Value {
        compare(kind, desired, live).body.into_value()
    }

    #[test]
    fn blanks_defaults_and_the_order_of_sets_do_not_differ() {
        let desired = json!({"name": "A", "callbacks": [], "description": "", "is_first_party": true, "grant_types": ["a", "b"], "mobile": {"ios": {"team_id": ""}}});
        let live = json!({"name": "A", "grant_types": ["b", "a"], "oidc_conformant": false});
        assert_eq!(compare("clients", desired, live), Difference::default());
    }

    #[test]
    fn a_disabled_social_login_equals_an_absent_one_and_an_enabled_one_is_disabled() {
        let off = json!({"native_social_login": {"apple": {"enabled": false}, "google": {"enabled": false}}});
        assert_eq!(compare("clients", json!({}), off.clone()), Difference::default());
        assert_eq!(compare("clients", off, json!({})), Difference::default());
        let on = json!({"native_social_login": {"apple": {"enabled": true}, "google": {"enabled": true}}});
        let one = json!({"native_social_login": {"google": {"enabled": true}}});
        assert_eq!(sent("clients", one, on), json!({"native_social_login": {"apple": null, "google": {"enabled": true}}}));
    }

    #[test]
    fn an_update_sends_only_changed_fields() {
        let desired = json!({"name": "A", "callbacks": ["https://a"], "description": "new"});
        let live = json!({"name": "A", "callbacks": ["https://a"], "description": "old"});
        assert_eq!(sent("clients", desired, live), json!({"description": "new"}));
    }

    #[test]
    fn the_order_of_callbacks_is_a_difference() {
        assert_eq!(sent("clients", json!({"callbacks": ["a", "b"]}), json!({"callbacks": ["b", "a"]})), json!({"callbacks": ["a", "b"]}));
    }

    #[test]
    fn a_field_is_cleared_with_the_value_the_api_accepts() {
        let live = json!({
            "callbacks": ["a"], "description": "x", "cross_origin_loc": "y", "is_first_party": false,
            "client_metadata": {"a": "1"}, "addons": {"slack": {"team": "x"}},
        });
        assert_eq!(
            sent("clients", json!({}), live),
            json!({"callbacks": [], "description": "", "cross_origin_loc": null, "is_first_party": true, "client_metadata": {"a": null}, "addons": null})
        );
    }

    #[test]
    fn a_key_removed_from_a_merged_object_is_sent_as_null_with_the_rest() {
        let desired = json!({"client_metadata": {"a": "1", "b": "2"}});
        let live = json!({"client_metadata": {"a": "0", "c": "3"}});
        assert_eq!(sent("clients", desired, live), json!({"client_metadata": {"a": "1", "b": "2", "c": null}}));
    }

    #[test]
    fn a_create_only_field_is_reported_and_not_sent() {
        let desired = json!({"name": "new", "jwt_configuration": {"secret_encoded": true}, "third_party_security_mode": "strict"});
        let difference = compare("clients", desired, json!({"name": "old"}));
        assert_eq!(difference.body.into_value(), json!({"name": "new"}));
        let reason = StayReason::CreateOnly;
        assert_eq!(
            difference.fixed,
            [("jwt_configuration.secret_encoded".to_owned(), reason), ("third_party_security_mode".to_owned(), reason)]
        );
    }

    #[test]
    fn a_setting_that_cannot_be_cleared_is_reported() {
        let difference = compare("tenant-settings", json!({}), json!({"enable_ai_guide": true, "session_cookie": {"mode": "persistent"}}));
        assert_eq!(difference.body.into_value(), json!({"session_cookie": null}));
        assert_eq!(difference.fixed, [("enable_ai_guide".to_owned(), StayReason::NotClearable)]);
    }

    #[test]
    fn a_flag_that_only_the_target_has_is_kept_and_reported() {
        let live = json!({"flags": {"genai_trial": true, "enable_pipeline2": true}});
        let difference = compare("tenant-settings", json!({"flags": {"enable_pipeline2": true}}), live);
        assert!(difference.body.is_empty());
        assert_eq!(difference.stays, [("flags.genai_trial".to_owned(), StayReason::ServerFilled)]);
    }

    #[test]
    fn fields_that_an_update_can_only_add_to_are_kept_and_reported() {
        let (kind, body) = (Catalog::standard().kind("connections").expect("a kind"), |value| Body::from_value(value).expect("an object"));
        let live = body(
            json!({"options": {"authentication_methods": {"password": {"enabled": true}}, "passkey_options": {"challenge_ui": "both"}, "mfa": {"active": true}}}),
        );
        let dropped = ["options.authentication_methods.password.enabled", "options.passkey_options.challenge_ui", "options.mfa.active"];
        let difference = difference_after(kind, &body(json!({"options": {}})), &live, &dropped.map(str::to_owned));
        assert_eq!(difference.edits, [Edit { path: "options.mfa".into(), old: Some(json!({"active": true})), new: None }]);
        assert_eq!(difference.body.into_value(), json!({"options": {}}));
        let stays = ["options.authentication_methods", "options.passkey_options"];
        assert_eq!(difference.fixed, stays.map(|path| (path.to_owned(), StayReason::NotClearable)));
    }

    #[test]
    fn a_field_that_cannot_be_cleared_is_not_sent_with_other_changes() {
        let live = json!({"flags": {"genai_trial": true, "enable_pipeline2": true}});
        assert_eq!(
            sent("tenant-settings", json!({"flags": {"enable_pipeline2": false}}), live),
            json!({"flags": {"enable_pipeline2": false}})
        );
    }

    #[test]
    fn an_object_that_rejects_null_is_cleared_field_by_field() {
        let live = json!({"client_metadata": {"team": "a", "tier": "b"}, "mobile": {"ios": {"team_id": "a"}}});
        let cleared = json!({"client_metadata": {"team": null, "tier": null}, "mobile": {"ios": {"team_id": ""}}});
        assert_eq!(sent("clients", json!({"client_metadata": {}}), live), cleared);
    }

    #[test]
    fn defaults_of_every_client_that_the_source_lacks_are_kept_and_reported() {
        let live = json!({
            "grant_types": ["implicit"], "jwt_configuration": {"alg": "RS256"},
            "refresh_token": {"leeway": 0, "rotation_type": "rotating", "policies": [{"audience": "https://a", "scope": ["b"]}]},
        });
        let unsaid = compare("clients", json!({"refresh_token": {"rotation_type": "non-rotating"}}), live.clone());
        assert_eq!(unsaid.body.into_value(), json!({"refresh_token": {"leeway": 0, "policies": null, "rotation_type": "non-rotating"}}));
        let reason = StayReason::ServerFilled;
        let stays = ["grant_types", "jwt_configuration", "refresh_token.leeway"].map(|path| (path.to_owned(), reason));
        assert_eq!(unsaid.stays, stays);
        for blank in [json!([]), json!({}), json!(""), json!(null)] {
            assert_eq!(
                compare(
                    "clients",
                    json!({"grant_types": blank, "jwt_configuration": blank, "refresh_token": live["refresh_token"]}),
                    live.clone()
                )
                .body,
                Body::new()
            );
        }
        let said = compare(
            "clients",
            json!({"jwt_configuration": {"lifetime_in_seconds": 1}, "refresh_token": {"rotation_type": "rotating", "leeway": 0}}),
            live,
        );
        let sent = json!({
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 1},
            "refresh_token": {"leeway": 0, "policies": null, "rotation_type": "rotating"},
        });
        assert_eq!(said.body.into_value(), sent);
        assert_eq!(said.fixed, [("jwt_configuration.alg".to_owned(), StayReason::NotClearable)]);
    }

    #[test]
    fn a_display_name_equal_to_the_name_does_not_differ_and_another_one_is_reset() {
        let desired = json!({"name": "okta"});
        assert_eq!(compare("connections", desired.clone(), json!({"name": "okta", "display_name": "okta"})), Difference::default());
        assert_eq!(sent("connections", desired, json!({"name": "okta", "display_name": "Okta"})), json!({"display_name": "okta"}));
    }

    #[test]
    fn a_connection_update_repeats_its_display_name() {
        let desired = json!({"name": "db", "display_name": "DB", "show_as_button": true});
        assert_eq!(
            sent("connections", desired, json!({"name": "db", "display_name": "DB"})),
            json!({"display_name": "DB", "show_as_button": true})
        );
    }
}
