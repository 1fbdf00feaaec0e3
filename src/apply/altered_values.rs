//! Values that a target changed when it stored them, found by comparing the response to a write with what was sent.
//!
//! Both are compared as in a plan, so only differences that the next plan would also find are reported. Values that the
//! server fills in, hides or was not sent do not count.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::{Kind, ReferencedBy, RequestPurpose, is_mask};
use crate::json::{Body, is_blank, is_in, join};
use crate::model::resource::{Id, OpenResource, take_secrets};
use crate::plan::Edit;
use crate::plan::diff::{edits, is_same_value};
use crate::plan::normal_form::normalized;

/// A value that the response to a write shows differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlteredValue {
    /// The path, as in an [`Edit`].
    pub path: String,
    /// The sent value; `None` if the field was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Value>,
    /// The value in the response, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Value>,
}

/// Returns the values of a body that differ in the response.
///
/// Secrets never differ, whether masked or not, nor do fields that the tenant fills in or a later request sets.
pub fn alterations(kind: &'static Kind, id: &Id, sent: &Body, answer: &Body) -> Vec<AlteredValue> {
    with_identity(kind, id, answer).map_or_else(Vec::new, |answer| differences(kind, sent, &answer))
}

/// Returns the values of an update that differ in the response, including cleared fields that are still set.
pub(super) fn alterations_of_update(kind: &'static Kind, id: &Id, sent: &Body, edits: &[Edit], answer: &Body) -> Vec<AlteredValue> {
    let Some(answer) = with_identity(kind, id, answer) else { return Vec::new() };
    let Ok(held) = OpenResource::read_open(kind, answer.clone()) else { return Vec::new() };
    let mut found = differences_from(kind, sent, (&answer, &held));
    let mut held = normalized(kind, &held.body);
    unseen(kind, &answer).for_each(|path| drop(held.take(path)));
    let is_told = |path: &str| found.iter().any(|one| is_in(&one.path, path) || is_in(path, &one.path));
    let skipped = edits.iter().filter(|edit| edit.new.is_none() && !is_told(&edit.path));
    let still_there =
        |edit: &Edit| Some(AlteredValue { path: edit.path.clone(), sent: None, answered: Some(held.get(&edit.path)?.clone()) });
    let still_there: Vec<AlteredValue> = skipped.filter_map(still_there).collect();
    found.extend(still_there);
    found
}

/// Adds the path fields and the id that a response lacks; `None` if the response contains nothing but its identity.
fn with_identity(kind: &Kind, id: &Id, answer: &Body) -> Option<Body> {
    let is_name =
        |name: &str| name == kind.identity.id || kind.identity.key.contains(&name) || kind.path_fields().any(|field| field == name);
    if answer.0.keys().all(|name| is_name(name)) {
        return None;
    }
    let mut answer = answer.clone();
    kind.fill_path_fields(&mut answer, id.as_str());
    if kind.id_of(&answer).is_none() {
        answer.set(kind.identity.id, id.own(kind).into());
    }
    Some(answer)
}

/// Returns the differences between a response and what was sent; empty if the response cannot be understood.
pub(super) fn differences(kind: &'static Kind, sent: &Body, answer: &Body) -> Vec<AlteredValue> {
    OpenResource::read_open(kind, answer.clone()).map_or_else(|_| Vec::new(), |held| differences_from(kind, sent, (answer, &held)))
}

fn differences_from(kind: &'static Kind, sent: &Body, (answer, held): (&Body, &OpenResource)) -> Vec<AlteredValue> {
    let (hidden, mut held) = (&held.secrets, held.body.clone());
    let mut sent = kind.fields.writable().split(sent.clone(), RequestPurpose::Snapshot).0;
    take_secrets(kind, &mut sent);
    for path in unseen(kind, answer) {
        sent.take(path);
        held.take(path);
    }
    let mut found: Vec<AlteredValue> = Vec::new();
    for edit in edits(kind, &sent, &held) {
        let (asked, shown) = (sent.get(&edit.path), held.get(&edit.path));
        match (edit.new, asked) {
            (Some(_), _)
                if is_same_value(asked, shown) || hidden.contains(&edit.path) || shown.and_then(Value::as_str).is_some_and(is_mask) => {}
            (Some(new), _) => found.push(AlteredValue { path: edit.path, sent: Some(new), answered: edit.old }),
            (None, Some(asked)) => found.extend(not_cleared(&edit.path, asked, shown.unwrap_or(&Value::Null))),
            (None, None) => {}
        }
    }
    found
}

/// Returns the fields whose values in a response cannot be compared.
fn unseen<'kind>(kind: &'kind Kind, answer: &Body) -> impl Iterator<Item = &'static str> + use<'kind> {
    let by_alias = kind.references.iter().filter(|reference| reference.by == ReferencedBy::Alias).map(|reference| reference.path);
    let is_own = |(field, values): &&(&'static str, &[&str])| answer.text(field).is_some_and(|value| values.contains(&value));
    let own: Vec<&str> = kind.quirks.server_values.iter().filter(is_own).map(|(field, _)| *field).collect();
    // If the response contains the newer of two fields, that field has the same value in another form.
    let is_newer = |newer: &str| answer.get(newer).is_some_and(|value| !is_blank(value));
    let older: Vec<&str> = kind.quirks.exclusive.iter().filter(|(newer, _)| is_newer(newer)).map(|(_, older)| *older).collect();
    kind.secrets
        .write_only
        .iter()
        .chain(kind.fields.read_only)
        .copied()
        .chain(by_alias)
        .chain(kind.lifecycle.follow_up.map(|it| it.field))
        .chain(own)
        .chain(older)
}

/// Returns fields that were cleared but are still set. Sending an empty object clears nothing.
fn not_cleared(path: &str, sent: &Value, held: &Value) -> Vec<AlteredValue> {
    match sent {
        Value::Object(fields) => {
            let below = |(name, sent): (&String, &Value)| not_cleared(&join(path, name), sent, held.get(name).unwrap_or(&Value::Null));
            fields.iter().flat_map(below).collect()
        }
        sent if is_blank(sent) && !is_blank(held) => vec![AlteredValue { path: path.to_owned(), sent: None, answered: Some(held.clone()) }],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Fields, Shape, WithheldReason};
    use crate::json::covers;
    use serde_json::json;

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    fn reported(kind: &str, sent: Value, answer: Value) -> Vec<(String, Value, Value)> {
        let kind = Catalog::standard().kind(kind).expect("a kind");
        let found = alterations(kind, &Id::new("t1"), &body(sent), &body(answer));
        found.into_iter().map(|one| (one.path, one.sent.into(), one.answered.into())).collect()
    }

    #[test]
    fn an_altered_value_is_reported_with_both_values() {
        let sent =
            json!({"name": "Web", "description": "", "app_type": "spa", "callbacks": ["https://a"], "mobile": {"ios": {"team_id": "1"}}});
        let answer =
            json!({"client_id": "t1", "name": "Web", "description": "still", "callbacks": [], "mobile": {"ios": {"team_id": "2"}}});
        let expected = [
            ("app_type", json!("spa"), Value::Null),
            ("callbacks", json!(["https://a"]), Value::Null),
            ("description", Value::Null, json!("still")),
            ("mobile.ios.team_id", json!("1"), json!("2")),
        ];
        assert_eq!(reported("clients", sent, answer), expected.map(|(path, sent, answered)| (path.to_owned(), sent, answered)));
    }

    #[test]
    fn equivalent_values_are_not_altered() {
        let sent = json!({
            "name": "Web", "client_secret": "CANARY", "grant_types": ["b", "a"], "oidc_conformant": false, "is_first_party": true,
            "jwt_configuration": {"lifetime_in_seconds": 60}, "client_metadata": {"gone": null}, "addons": {}, "cross_origin_loc": null,
        });
        let answer = json!({
            "client_id": "t1", "tenant": "acme", "name": "Web", "client_secret": "CANARY of another", "grant_types": ["a", "b"],
            "jwt_configuration": {"lifetime_in_seconds": 60.0, "alg": "RS256"}, "client_metadata": {"other": "1"}, "later": true,
        });
        assert_eq!(reported("clients", sent, answer), []);
    }

    #[test]
    fn a_cleared_field_that_is_still_set_is_reported() {
        let kind = Catalog::standard().kind("log-streams").expect("a kind");
        let edit = |path: &str, old: Value, new: Option<Value>| Edit { path: path.to_owned(), old: Some(old), new };
        let edits = [edit("sink.datadogRegion", json!("us"), None), edit("sink.splunkPort", json!("1"), None)];
        let answer = body(json!({"id": "lst_1", "type": "datadog", "sink": {"datadogRegion": "us", "datadogApiKey": "CANARY"}}));
        let found = alterations_of_update(kind, &Id::new("lst_1"), &body(json!({"sink": {}})), &edits, &answer);
        let kept = AlteredValue { path: "sink.datadogRegion".to_owned(), sent: None, answered: Some(json!("us")) };
        assert_eq!(found, [kept]);
        let answer = body(json!({"id": "lst_1", "type": "datadog", "sink": {}}));
        assert_eq!(alterations_of_update(kind, &Id::new("lst_1"), &body(json!({"sink": {}})), &edits, &answer), []);
    }

    #[test]
    fn a_response_with_only_the_identity_reports_nothing() {
        let sent = json!({"name": "Web", "app_type": "spa"});
        for answer in [json!({}), json!({"client_id": "t1"}), json!({"client_id": "t1", "name": "Web"})] {
            assert_eq!(reported("clients", sent.clone(), answer), []);
        }
        assert_eq!(
            reported("log-streams", json!({"sink": {"mixpanelRegion": "us"}}), json!({"id": "t1", "sink": {"mixpanelRegion": "****"}})),
            []
        );
    }

    /// Returns the path of every writable leaf value, with `[]` for lists.
    fn leaves(fields: &Fields, above: &str) -> Vec<String> {
        let leaf = |field: &crate::catalog::Field| {
            let path = join(above, field.name);
            match &field.below {
                Some(below) if below.iter().next().is_some() => leaves(below, &if field.is_list { path + "[]" } else { path }),
                _ => vec![path],
            }
        };
        fields.iter().filter(|field| !field.in_path).flat_map(leaf).collect()
    }

    /// Returns a body that contains only a text at a path.
    fn holding(path: &str, text: &str) -> Value {
        path.rsplit('.').fold(json!(text), |value, name| match name.strip_suffix("[]") {
            Some(name) => json!({name: [value]}),
            None => json!({name: value}),
        })
    }

    #[test]
    fn an_altered_value_is_reported_at_every_comparable_path_of_every_kind() {
        let (mut told, mut silent) = (0, Vec::new());
        for kind in Catalog::standard().kinds().filter(|kind| !matches!(kind.shape, Shape::Child { .. })) {
            for path in leaves(kind.fields.writable(), "")
                .into_iter()
                .filter(|path| !kind.identity.key.contains(&path.as_str()) && path != kind.identity.id)
            {
                let (sent, answer) = (body(holding(&path, "one")), body(holding(&path, "two")));
                let mut read = sent.clone();
                kind.apply_read_edits(&mut read);
                if read != sent {
                    // A legacy name that no snapshot contains and no request sends.
                    continue;
                }
                let found = alterations(kind, &Id::new("t1/t2"), &sent, &answer);
                assert_eq!(alterations(kind, &Id::new("t1/t2"), &sent, &sent), [], "{} {path}", kind.name);
                match &found[..] {
                    [one] if covers(&one.path, &path) => told += 1,
                    [] => silent.push(format!("{} {path}", kind.name)),
                    other => panic!("{} {path}: {other:?}", kind.name),
                }
                let is_hidden = kind.secrets.paths.iter().chain(kind.fields.read_only).any(|secret| covers(secret, &path))
                    || kind.withheld_reason(&path).is_some_and(|reason| reason != WithheldReason::PossibleSecretName);
                let is_unseen = unseen(kind, &answer).any(|unseen| covers(unseen, &path));
                assert_eq!(found.is_empty(), is_hidden || is_unseen, "{} {path}", kind.name);
            }
        }
        assert!(told > 10 * silent.len(), "{told} told, {} not: {silent:?}", silent.len());
    }
}
