//! Which supplied secrets an update sends, and what must be sent with them.
//!
//! A secret cannot be compared with the target's. It is sent if it was never sent, or if the supplied value changed.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::diff::Difference;
use super::model::SecretField;
use crate::catalog::{Kind, RequestPurpose, Write};
use crate::json::{Body, covers};
use crate::model::resource::Id;
use crate::state::fingerprints::SentSecrets;

/// Returns the secrets that an update of a resource sends.
pub(super) fn secrets_to_send(
    kind: &Kind,
    held: &Id,
    difference: &Difference,
    supplied: Vec<SecretField>,
    sent: &SentSecrets,
) -> Vec<SecretField> {
    let is_same = |secret: &SecretField| sent.is_same(kind.name, held, &secret.path, &secret.from);
    let (same, mut due): (Vec<_>, Vec<_>) = supplied.into_iter().partition(|secret| is_same(secret) == Some(true));
    for secret in &mut due {
        secret.is_changed = is_same(secret) == Some(false);
    }
    let along: Vec<_> = same.into_iter().filter(|secret| must_be_resent(kind, &secret.path, difference, &due)).collect();
    due.extend(along);
    due
}

/// Returns whether an unchanged secret must be sent because of other changes: no read returns it, and the object around
/// it may be replaced as a whole, which would erase it.
fn must_be_resent(kind: &Kind, path: &str, difference: &Difference, due: &[SecretField]) -> bool {
    let object = enclosing_object(kind, path);
    let is_hidden = kind.secrets.write_only.iter().any(|secret| covers(secret, path));
    let is_beside = |edited: &str| object.is_empty() || covers(object, edited);
    is_hidden && (difference.edits.iter().any(|edit| is_beside(&edit.path)) || due.iter().any(|secret| is_beside(&secret.path)))
}

/// Returns the value of a supplied secret: JSON if the field is an object or a list of objects, otherwise text.
///
/// # Errors
///
/// The position at which the JSON is invalid, without quoting it.
pub fn secret_value(kind: &Kind, path: &str, secret: &SecretString) -> Result<Value, String> {
    if !kind.holds_json(path) {
        return Ok(Value::String(secret.expose_secret().to_owned()));
    }
    let read: Result<Value, _> = serde_json::from_str(secret.expose_secret());
    let value = read.map_err(|error| format!("{path} must be JSON, but line {}, column {} is invalid", error.line(), error.column()))?;
    if value.is_object() || value.is_array() { Ok(value) } else { Err(format!("{path} must be a JSON object or list")) }
}

/// Returns the object around a secret that an update writes as a whole; empty for a top-level secret.
fn enclosing_object<'path>(kind: &Kind, path: &'path str) -> &'path str {
    let whole = path.split_once('.').map_or("", |(top, _)| top);
    if kind.is_read_modify_write(whole) { path.rsplit_once('.').map_or("", |(object, _)| object) } else { whole }
}

/// Adds to an update what must be written together with its secrets: the whole object around each, or everything if an
/// update replaces the resource.
pub(super) fn add_companions(kind: &Kind, secrets: &[SecretField], desired: &Body, held: &Body, difference: &mut Difference) {
    let is_replaced = kind.paths.write == Write::Put && !secrets.is_empty();
    // Under read-modify-write, nothing besides the secret is needed.
    let objects =
        secrets.iter().filter_map(|secret| secret.path.split_once('.')).map(|(top, _)| top).filter(|top| !kind.is_read_modify_write(top));
    let whole: Vec<&str> = if is_replaced { desired.0.keys().map(String::as_str).collect() } else { objects.collect() };
    let echoed = kind.fields.always_sent.iter().copied().filter(|_| !secrets.is_empty());
    let value = |name: &str| Some((name.to_owned(), desired.0.get(name).or_else(|| held.0.get(name))?.clone()));
    let beside: Body = whole.into_iter().chain(echoed).filter_map(value).collect();
    let beside = Body(kind.fields.writable().sendable(beside.0));
    for (name, value) in kind.fields.writable().split(beside, RequestPurpose::Update).0.0 {
        difference.body.0.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::plan::diff::difference;
    use crate::state::fingerprints::Fingerprints;
    use serde_json::json;

    const PATHS: [&str; 2] = ["credentials.accessKeyId", "credentials.secretAccessKey"];

    fn body(value: serde_json::Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    /// Returns the sent secrets and the body of an update of an email provider whose two secrets were sent before and
    /// now have these values.
    fn sent(now: [&'static str; 2], region: &str) -> (Vec<(String, bool)>, Body) {
        let kind = Catalog::standard().kind("email-provider").expect("a kind");
        let provider = |region: &str| body(json!({"name": "ses", "enabled": true, "credentials": {"region": region}}));
        let (id, held) = (Id::new("provider"), provider("eu"));
        let mut fingerprints = Fingerprints::default();
        for path in PATHS {
            fingerprints.record_sent(kind.name, &id, path, &SecretString::from("old"));
        }
        let supplied = PATHS.map(|path| SecretField { path: path.to_owned(), from: format!("env:{path}"), is_changed: false });
        let value = |from: &str| Some(SecretString::from(now[usize::from(from == supplied[1].from)]));
        let sent = fingerprints.compared(supplied.iter().map(|one| (kind.name, one.path.as_str(), one.from.as_str())), &value);
        let desired = provider(region);
        let mut difference = difference(kind, &desired, &held);
        let due = secrets_to_send(kind, &id, &difference, supplied.to_vec(), &sent);
        add_companions(kind, &due, &desired, &held, &mut difference);
        (due.into_iter().map(|secret| (secret.path, secret.is_changed)).collect(), difference.body)
    }

    #[test]
    fn unchanged_secrets_are_not_sent() {
        assert_eq!(sent(["old", "old"], "eu"), (Vec::new(), Body::new()));
    }

    #[test]
    fn a_changed_secret_is_sent_with_its_object_and_the_write_only_secrets_in_it() {
        let (paths, body) = sent(["old", "new"], "eu");
        assert_eq!(paths, [(PATHS[1].to_owned(), true), (PATHS[0].to_owned(), false)]);
        assert_eq!(body.into_value()["credentials"], json!({"region": "eu"}));
    }

    #[test]
    fn a_write_only_secret_is_sent_with_any_change_of_what_is_replaced_with_it() {
        let kind = Catalog::standard().kind("event-streams").expect("a kind");
        let stream = |host: &str| {
            let authorization = json!({"method": "bearer"});
            let webhook = json!({"webhook_endpoint": format!("https://{host}/"), "webhook_authorization": authorization});
            body(json!({"destination": {"type": "webhook", "configuration": webhook}}))
        };
        let (desired, token) = (stream("b.example"), "destination.configuration.webhook_authorization.token");
        let goes_where_held_is = |held: Body| must_be_resent(kind, token, &difference(kind, &desired, &held), &[]);
        assert!(goes_where_held_is(stream("a.example")));
        assert!(!goes_where_held_is(stream("b.example")), "nothing changes");
    }

    #[test]
    fn write_only_secrets_are_sent_with_a_change_beside_them() {
        let (paths, _) = sent(["old", "old"], "us");
        assert_eq!(paths, PATHS.map(|path| (path.to_owned(), false)));
    }
}
