//! Deployed content and drafts: for some kinds a write takes effect only after a follow-up request.
//!
//! An action runs its deployed version and may also have a newer draft. Both are copied: the deployed content is
//! written and deployed first, then the draft is written. A draft that was never deployed is not deployed.

use serde_json::Value;

use super::diff::{Difference, difference};
use super::normal_form::normalized;
use crate::catalog::{FollowUp, Kind};
use crate::json::Body;

/// Splits the draft off a desired body, which then contains the content to deploy, and returns the update that writes
/// the draft.
///
/// If the deployed content does not change, the follow-up field is removed from both bodies and the draft stays in the
/// body.
pub(super) fn split_draft(kind: &Kind, wanted: &mut Body, held: Option<&mut Body>) -> Option<Difference> {
    let follow_up = kind.lifecycle.follow_up?;
    let running = running(follow_up, wanted);
    if running.is_some() && wanted.get(follow_up.field) == Some(&Value::Bool(true)) {
        return None;
    }
    let is_running = |held: &&mut Body| {
        let held = self::running(follow_up, held);
        running.as_ref().is_none_or(|running| held.is_some_and(|held| normalized(kind, &held) == normalized(kind, running)))
    };
    if running.is_none() || held.as_ref().is_some_and(is_running) {
        wanted.0.remove(follow_up.field);
        held.map(|held| held.0.remove(follow_up.field));
        return None;
    }
    wanted.0.remove(follow_up.field);
    let draft = wanted.clone();
    for field in follow_up.content {
        wanted.0.remove(*field);
    }
    wanted.0.extend(running.unwrap_or_default().0);
    let written = difference(kind, &draft, wanted);
    wanted.set(follow_up.field, Value::Bool(true));
    (!written.body.is_empty()).then_some(written)
}

/// Removes the follow-up field from the body of a create and returns the body of the follow-up request, if one is due.
pub(super) fn take_follow_up(kind: &Kind, body: &mut Body) -> Option<Body> {
    let follow_up = kind.lifecycle.follow_up?;
    let is_due = body.0.remove(follow_up.field) == Some(Value::Bool(true));
    is_due.then(|| Body::from_iter([(follow_up.field.to_owned(), Value::Bool(true))]))
}

/// Returns the deployed content, if any.
fn running(follow_up: FollowUp, body: &Body) -> Option<Body> {
    match body.get(follow_up.field)? {
        Value::Bool(true) => Some(follow_up.content_of(body)),
        Value::Object(made) => Some(Body(made.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::json;

    fn aside(wanted: Value, held: Option<Value>) -> (Value, Option<Value>, Option<Value>) {
        let body = |value| Body::from_value(value).expect("an object");
        let (mut wanted, mut held) = (body(wanted), held.map(body));
        let draft = split_draft(Catalog::standard().kind("actions").expect("a kind"), &mut wanted, held.as_mut());
        (wanted.into_value(), held.map(Body::into_value), draft.map(|draft| draft.body.into_value()))
    }

    #[test]
    fn a_deployed_action_without_changes_has_no_draft() {
        let wanted = json!({"code": "new", "deploy": true});
        assert_eq!(aside(wanted.clone(), Some(json!({"code": "old"}))), (wanted, Some(json!({"code": "old"})), None));
    }

    #[test]
    fn content_that_was_never_deployed_is_written_but_not_deployed() {
        let held = json!({"code": "old", "deploy": true});
        assert_eq!(aside(json!({"code": "new"}), Some(held)), (json!({"code": "new"}), Some(json!({"code": "old"})), None));
    }

    #[test]
    fn the_deployed_content_is_deployed_before_the_draft_is_written() {
        let wanted = json!({"name": "a", "code": "draft", "deploy": {"code": "runs"}});
        let first = json!({"name": "a", "code": "runs", "deploy": true});
        assert_eq!(aside(wanted, None), (first, None, Some(json!({"code": "draft"}))));
    }

    #[test]
    fn content_deployed_in_both_tenants_is_not_deployed_again() {
        let wanted = json!({"code": "draft", "deploy": {"code": "runs"}});
        let held = json!({"code": "runs", "deploy": true});
        assert_eq!(aside(wanted, Some(held)), (json!({"code": "draft"}), Some(json!({"code": "runs"})), None));
    }
}
