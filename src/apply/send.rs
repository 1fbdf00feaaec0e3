//! One change -> the requests it takes.

use serde_json::{Map, Value};

use crate::body::{Body, covers};
use crate::catalog::{Kind, Shape, Write};
use crate::event::Outcome;
use crate::plan::{Action, Change, Edit};
use crate::resource::{Id, Key, Secret};
use crate::snapshot::refs::Names;
use crate::tenant::{self, Listing, Tenant};

/// A change with ids in the place of keys, ready to be sent.
#[derive(Debug)]
pub(super) enum Ready {
    Create { body: Body, twins: Vec<Id>, may_have_landed: bool },
    Update { id: Id, body: Body, edits: Vec<Edit>, secrets: Vec<(String, Secret)> },
    Elements { parent: Id, added: Vec<Value>, removed: Vec<Value> },
}

/// Puts ids in the place of keys, and secrets into the body.
///
/// # Errors
///
/// Says what the change refers to that the target does not have.
pub(super) fn ready(kind: &Kind, change: &Change, names: &Names, secrets: Vec<(String, Secret)>) -> Result<Ready, String> {
    let missing = |keys: Vec<Key>| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        format!("it refers to {}, which the target does not have", keys.join(", "))
    };
    match &change.action {
        Action::Create { body, twins } => {
            let mut body = names.attach(kind, body).map_err(missing)?;
            for (path, secret) in secrets {
                body.set(&path, Value::String(secret.reveal().to_owned()));
            }
            Ok(Ready::Create { body, twins: twins.clone(), may_have_landed: false })
        }
        Action::Update { id, body, edits } => {
            let body = names.attach(kind, body).map_err(missing)?;
            let id = id.as_ref().or_else(|| names.id_of(&change.key)).ok_or_else(|| missing(vec![change.key.clone()]))?;
            Ok(Ready::Update { id: id.clone(), body, edits: edits.clone(), secrets })
        }
        Action::Elements { parent, added, removed } => {
            let attach = |elements: &[Value]| -> Result<Vec<Value>, String> {
                let mut whole = Body::new();
                whole.set(kind.elements(), Value::Array(elements.to_vec()));
                let mut whole = names.attach(kind, &whole).map_err(missing)?;
                Ok(whole.0.remove(kind.elements()).and_then(|list| list.as_array().cloned()).unwrap_or_default())
            };
            let id = names.id_of(parent).ok_or_else(|| missing(vec![parent.clone()]))?;
            Ok(Ready::Elements { parent: id.clone(), added: attach(added)?, removed: attach(removed)? })
        }
    }
}

/// Sends a change; `created` are the ids this run has made of the kind.
pub(super) async fn send(tenant: &Tenant, kind: &'static Kind, ready: &Ready, created: &[Id]) -> Outcome {
    match ready {
        Ready::Create { body, twins, may_have_landed } => create(tenant, kind, body, &[twins, created].concat(), *may_have_landed).await,
        Ready::Update { id, body, edits, secrets } => match update(tenant, kind, id, body, edits, secrets).await {
            Ok(()) => Outcome::Applied(id.clone()),
            Err(outcome) => outcome,
        },
        Ready::Elements { parent, added, removed } => match tenant.change_elements(kind, parent, added, removed).await {
            Ok(()) => Outcome::Applied(parent.clone()),
            Err(refused) => outcome_of(&refused),
        },
    }
}

/// Creates a resource. One whose answer was lost is looked up by its key before it is sent again, and sent again once.
///
/// Where an earlier request for it may have landed, a conflict says that it did, if only after it was looked up.
async fn create(tenant: &Tenant, kind: &'static Kind, body: &Body, known: &[Id], may_have_landed: bool) -> Outcome {
    let mut is_second = false;
    loop {
        let lost = match tenant.create(kind, body).await {
            Ok(answer) => return created(kind, &answer, body),
            Err(refused) if refused.is_in_doubt() || (refused.is_conflict() && (is_second || may_have_landed)) => refused,
            Err(refused) => return outcome_of(&refused),
        };
        let is_conflict = lost.is_conflict();
        match look_up(tenant, kind, body, known).await {
            Ok(Some(id)) => return Outcome::Applied(id),
            Ok(None) if !is_second && !is_conflict => is_second = true,
            Ok(None) => return outcome_of(&lost),
            Err(unread) if unread.is_unreachable() => return Outcome::InDoubt(format!("{}; nor can it be looked up", told(&lost))),
            Err(unread) => return Outcome::InDoubt(format!("{}; and the target cannot be read: {}", told(&lost), told(&unread))),
        }
    }
}

fn created(kind: &Kind, answer: &Body, body: &Body) -> Outcome {
    match kind.id_of(answer).or_else(|| kind.id_of(body)) {
        Some(id) => Outcome::Applied(Id::new(id)),
        None => Outcome::InDoubt(format!("the tenant answered without \"{}\"", kind.id)),
    }
}

/// Returns the id of the resource that a create made, found by its key among those that were not there before.
pub(super) async fn look_up(tenant: &Tenant, kind: &'static Kind, body: &Body, known: &[Id]) -> Result<Option<Id>, tenant::Error> {
    let answers = match kind.shape {
        Shape::Collection => match tenant.list(kind).await? {
            Listing::Complete(answers) => answers,
            Listing::Absent { .. } => return Ok(None),
        },
        Shape::Nested { .. } => {
            let parent = kind.parent_field().and_then(|field| body.text(field)).unwrap_or_default();
            tenant.under(kind, &Id::new(parent)).await?
        }
        Shape::Singleton | Shape::Keyed { .. } | Shape::Part { .. } | Shape::Child { .. } => {
            let id = Id::new(kind.id_of(body).unwrap_or_default());
            return Ok(tenant.read(kind, &id).await?.and_then(|held| kind.id_of(&held)).map(Id::new));
        }
    };
    let value = |body: &Body, path: &str| body.get(path).filter(|value| !value.is_null()).cloned().or_else(|| kind.default_of(path));
    let has_its_key = |answer: &&Body| kind.key.iter().all(|path| value(answer, path) == value(body, path));
    let mut ids = answers.iter().filter(has_its_key).filter_map(|answer| kind.id_of(answer)).map(Id::new);
    Ok(ids.rfind(|id| !known.contains(id)))
}

async fn update(
    tenant: &Tenant,
    kind: &'static Kind,
    id: &Id,
    body: &Body,
    edits: &[Edit],
    secrets: &[(String, Secret)],
) -> Result<(), Outcome> {
    let mut body = body.clone();
    let is_sent = |field: &&str| body.0.contains_key(*field) || secrets.iter().any(|(path, _)| covers(field, path));
    let overlaid: Vec<&str> =
        kind.fields().iter().map(|field| field.name).filter(|field| kind.is_laid_over(field)).filter(is_sent).collect();
    if !overlaid.is_empty() {
        let held = tenant.read(kind, id).await.map_err(|refused| outcome_of(&refused))?;
        let held = held.ok_or_else(|| Outcome::Failed("it is gone from the target since it was read".to_owned()))?;
        lay_over_held(&overlaid, &held, &mut body, edits)?;
    }
    if kind.write == Write::Put && !kind.secrets.is_empty() {
        let held = tenant.read(kind, id).await.map_err(|refused| outcome_of(&refused))?.unwrap_or_default();
        keep_secrets(kind, &held, &mut body);
    }
    for (path, secret) in secrets {
        body.set(path, Value::String(secret.reveal().to_owned()));
    }
    tenant.update(kind, id, &body).await.map(drop).map_err(|refused| outcome_of(&refused))
}

/// Lays these fields of a body over what the target holds of them.
fn lay_over_held(fields: &[&str], held: &Body, body: &mut Body, edits: &[Edit]) -> Result<(), Outcome> {
    for field in fields.iter().copied() {
        let Some(held) = held.0.get(field) else {
            let because = format!("its {field} cannot be read, so they cannot be written over; the token may lack a scope");
            return Err(Outcome::Failed(because));
        };
        let wanted = body.0.remove(field).unwrap_or_else(|| Value::Object(Map::new()));
        body.0.insert(field.to_owned(), laid_over(field, held, wanted, edits));
    }
    Ok(())
}

/// Puts the target's own secrets into a body that replaces the whole resource.
fn keep_secrets(kind: &Kind, held: &Body, body: &mut Body) {
    let own = kind.secrets.iter().flat_map(|path| held.find(path)).map(|(path, value)| (path, value.clone())).collect::<Vec<_>>();
    for (path, value) in own.into_iter().filter(|(path, _)| !path.contains('[')) {
        body.set(&path, value);
    }
}

/// Lays the wanted value over the target's own: what only the target knows stays, and what an edit clears goes.
fn laid_over(field: &str, held: &Value, wanted: Value, edits: &[Edit]) -> Value {
    let mut whole = Body::new();
    whole.set(field, held.clone());
    for edit in edits.iter().filter(|edit| edit.new.is_none() && covers(field, &edit.path)) {
        whole.take(&edit.path);
    }
    let mut value = whole.0.remove(field).unwrap_or_default();
    lay_over(&mut value, wanted);
    value
}

fn lay_over(held: &mut Value, wanted: Value) {
    match (held, wanted) {
        (Value::Object(held), Value::Object(wanted)) => {
            for (name, value) in wanted {
                lay_over(held.entry(name).or_insert(Value::Null), value);
            }
        }
        (held, wanted) => *held = wanted,
    }
}

/// An update whose answer never came may have been carried out: that is a doubt, not a failure.
fn outcome_of(refused: &tenant::Error) -> Outcome {
    if refused.is_in_doubt() || refused.is_unreachable() { Outcome::InDoubt(told(refused)) } else { Outcome::Failed(told(refused)) }
}

/// Returns an error with its causes, as one line; of a doubt only what it came from, since the outcome itself says that it is one.
fn told(error: &tenant::Error) -> String {
    if let tenant::Error::InDoubt { source, .. } = error {
        return told(source);
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn an_addon_keeps_its_own_secret_and_one_that_is_cleared_goes() {
        let held = json!({"sap_api": {"clientid": "a", "servicePassword": "hidden"}, "slack": {"team": "x"}});
        let edits = [Edit { path: "addons.slack".into(), old: Some(json!({"team": "x"})), new: None }];
        let laid = laid_over("addons", &held, json!({"sap_api": {"clientid": "b"}, "slack": null}), &edits);
        assert_eq!(laid, json!({"sap_api": {"clientid": "b", "servicePassword": "hidden"}, "slack": null}));
    }
}
