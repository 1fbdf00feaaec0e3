//! One change -> the requests it takes.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::body::{Body, covers, is_blank, join};
use crate::catalog::{By, Catalog, Kind, Shape, Write};
use crate::event::Outcome;
use crate::plan::{Action, Change, Edit};
use crate::resource::{Id, Key, Secret};
use crate::snapshot::refs::Names;
use crate::tenant::{self, Listing, Tenant};

/// A change with ids in the place of keys, ready to be sent.
#[derive(Debug, Clone)]
pub(super) enum Ready {
    Create { body: Body, twins: Vec<Id>, may_have_landed: bool },
    Update { id: Id, body: Body, edits: Vec<Edit>, secrets: Vec<(String, Secret)> },
    Elements { parent: Id, added: Vec<Value>, removed: Vec<Value> },
    Remove { id: Id },
}

/// How sending ended: the outcome, and the secrets that the target's answer held, which must go to their keeper.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) outcome: Outcome,
    pub(super) made: Vec<(&'static str, Secret)>,
    /// Whether it was refused because the target's subscription lacks something.
    is_unentitled: bool,
}

impl From<Outcome> for Sending {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, made: Vec::new(), is_unentitled: false }
    }
}

/// A resource that the target has, and the secrets of it that an answer held.
#[derive(Debug)]
pub(super) struct Found {
    id: Id,
    made: Vec<(&'static str, Secret)>,
}

impl From<Found> for Sending {
    fn from(found: Found) -> Self {
        Self { made: found.made, ..Outcome::Applied(found.id).into() }
    }
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
        Action::Remove { id, .. } => Ok(Ready::Remove { id: id.clone() }),
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
pub(super) async fn send(catalog: &Catalog, tenant: &Tenant, kind: &'static Kind, ready: &Ready, created: &[Id]) -> Sending {
    let by_alias;
    let ready = match with_aliases(catalog, tenant, kind, ready).await {
        Ok(None) => ready,
        Ok(Some(other)) => {
            by_alias = other;
            &by_alias
        }
        Err(unread) => return ended_by(&unread),
    };
    let sent = attempt(tenant, kind, ready, created).await;
    let Some((left, without)) = without_gated(kind, ready).filter(|_| sent.is_unentitled) else { return sent };
    let because = format!("without {}: {}", without.join(", "), sent.outcome.message().unwrap_or_default());
    let mut again = attempt(tenant, kind, &left, created).await;
    if let Outcome::Applied(id) = again.outcome {
        again.outcome = Outcome::Reduced(id, because);
    }
    again
}

async fn attempt(tenant: &Tenant, kind: &'static Kind, ready: &Ready, created: &[Id]) -> Sending {
    match ready {
        Ready::Create { body, twins, may_have_landed } => create(tenant, kind, body, &[twins, created].concat(), *may_have_landed).await,
        Ready::Update { id, body, edits, secrets } => match update(tenant, kind, id, body, edits, secrets).await {
            Ok(()) => Outcome::Applied(id.clone()).into(),
            Err(ended) => ended,
        },
        Ready::Elements { parent, added, removed } => match tenant.change_elements(kind, parent, added, removed).await {
            Ok(()) => Outcome::Applied(parent.clone()).into(),
            Err(refused) => ended_by(&refused),
        },
        Ready::Remove { id } => match tenant.remove(kind, id).await {
            Ok(()) => Outcome::Applied(id.clone()).into(),
            Err(refused) if refused.is_not_found() => Outcome::Applied(id.clone()).into(),
            Err(refused) => ended_by(&refused),
        },
    }
}

/// Returns what is left to send without the fields that a subscription may lack, and those fields; nothing where that changes nothing.
fn without_gated(kind: &Kind, ready: &Ready) -> Option<(Ready, Vec<&'static str>)> {
    let mut left = ready.clone();
    let (Ready::Create { body, .. } | Ready::Update { body, .. }) = &mut left else { return None };
    let without: Vec<&'static str> = kind.gated.iter().copied().filter(|field| body.0.remove(*field).is_some()).collect();
    (!without.is_empty() && !body.is_empty()).then_some((left, without))
}

/// Puts the other id of a resource where a body names one by it: it may be minutes old, so it is read when it is needed.
async fn with_aliases(catalog: &Catalog, tenant: &Tenant, kind: &Kind, ready: &Ready) -> Result<Option<Ready>, tenant::Error> {
    let mut ready = ready.clone();
    let (Ready::Create { body, .. } | Ready::Update { body, .. }) = &mut ready else { return Ok(None) };
    let mut is_changed = false;
    for reference in kind.references.iter().filter(|reference| reference.by == By::Alias) {
        let to = catalog.kind(reference.to).expect("catalog test: every reference names a kind");
        let named: BTreeSet<String> = body.find(reference.path).into_iter().filter_map(|(_, id)| id.as_str().map(str::to_owned)).collect();
        let mut aliases: HashMap<String, Value> = HashMap::new();
        for id in named {
            let held = tenant.read(to, &Id::new(id.as_str())).await?;
            let alias = held.and_then(|held| held.text(to.alias).map(str::to_owned));
            aliases.insert(id, alias.map_or(Value::Null, Value::String));
        }
        let mut put = |value: &mut Value| {
            if let Some(alias) = value.as_str().and_then(|id| aliases.get(id)) {
                *value = alias.clone();
            }
        };
        is_changed |= body.change(reference.path, &mut put) > 0;
    }
    Ok(is_changed.then_some(ready))
}

/// Creates a resource. One whose answer was lost is looked up by its key before it is sent again, and sent again once.
///
/// Where an earlier request for it may have landed, a conflict says that it did, if only after it was looked up.
async fn create(tenant: &Tenant, kind: &'static Kind, body: &Body, known: &[Id], may_have_landed: bool) -> Sending {
    let mut is_second = false;
    loop {
        let lost = match tenant.create(kind, body).await {
            Ok(answer) => return created(kind, &answer, body),
            Err(refused) if refused.is_in_doubt() || (refused.is_conflict() && (is_second || may_have_landed)) => refused,
            Err(refused) => return ended_by(&refused),
        };
        let is_conflict = lost.is_conflict();
        match look_up(tenant, kind, body, known).await {
            Ok(Some(found)) => return found.into(),
            Ok(None) if !is_second && !is_conflict => is_second = true,
            Ok(None) => return ended_by(&lost),
            Err(unread) if unread.is_unreachable() => {
                return Outcome::InDoubt(format!("{}; nor can it be looked up", told(&lost))).into();
            }
            Err(unread) => {
                return Outcome::InDoubt(format!("{}; and the target cannot be read: {}", told(&lost), told(&unread))).into();
            }
        }
    }
}

fn created(kind: &Kind, answer: &Body, body: &Body) -> Sending {
    match kind.id_of(answer).or_else(|| kind.id_of(body)) {
        Some(id) => found(kind, id, body, answer).into(),
        None => Outcome::InDoubt(format!("the tenant answered without \"{}\"", kind.id)).into(),
    }
}

/// Returns the resource of an answer with the secrets in it that a create of this body makes.
fn found(kind: &Kind, id: String, body: &Body, answer: &Body) -> Found {
    let shown = |path: &'static str| answer.text(path).filter(|text| !text.is_empty()).map(|text| (path, Secret::new(text)));
    Found { id: Id::new(id), made: kind.made_for(body).filter_map(|made| shown(made.path)).collect() }
}

/// Returns the resource that a create made, found by its key among those that were not there before.
pub(super) async fn look_up(tenant: &Tenant, kind: &'static Kind, body: &Body, known: &[Id]) -> Result<Option<Found>, tenant::Error> {
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
            let held = tenant.read(kind, &id).await?;
            return Ok(held.and_then(|held| kind.id_of(&held).map(|id| found(kind, id, body, &held))));
        }
    };
    let value = |body: &Body, path: &str| body.get(path).filter(|value| !value.is_null()).cloned().or_else(|| kind.default_of(path));
    let has_its_key = |answer: &&Body| kind.key.iter().all(|path| value(answer, path) == value(body, path));
    let mut candidates = answers.iter().filter(has_its_key).filter_map(|answer| Some((kind.id_of(answer)?, answer)));
    let is_new = |(id, _): &(String, &Body)| !known.iter().any(|known| known.as_str() == id);
    Ok(candidates.rfind(is_new).map(|(id, answer)| found(kind, id, body, answer)))
}

async fn update(
    tenant: &Tenant,
    kind: &'static Kind,
    id: &Id,
    body: &Body,
    edits: &[Edit],
    secrets: &[(String, Secret)],
) -> Result<(), Sending> {
    let mut body = body.clone();
    let is_sent = |field: &&str| body.0.contains_key(*field) || secrets.iter().any(|(path, _)| covers(field, path));
    let overlaid: Vec<&str> =
        kind.fields().iter().map(|field| field.name).filter(|field| kind.is_laid_over(field)).filter(is_sent).collect();
    if !overlaid.is_empty() {
        let held = tenant.read(kind, id).await.map_err(|refused| ended_by(&refused))?;
        let held = held.ok_or_else(|| Sending::from(Outcome::Failed("it is gone from the target since it was read".to_owned())))?;
        lay_over_held(kind, &overlaid, &held, &mut body, edits)?;
    }
    if kind.write == Write::Put && !kind.secrets.is_empty() {
        let held = tenant.read(kind, id).await.map_err(|refused| ended_by(&refused))?.unwrap_or_default();
        keep_secrets(kind, &held, &mut body);
    }
    for (path, secret) in secrets {
        body.set(path, Value::String(secret.reveal().to_owned()));
    }
    tenant.update(kind, id, &body).await.map(drop).map_err(|refused| ended_by(&refused))
}

/// Lays these fields of a body over what the target holds of them.
fn lay_over_held(kind: &Kind, fields: &[&str], held: &Body, body: &mut Body, edits: &[Edit]) -> Result<(), Outcome> {
    for field in fields.iter().copied() {
        let Some(held) = held.0.get(field) else {
            let because = format!("its {field} cannot be read, so they cannot be written over; the token may lack a scope");
            return Err(Outcome::Failed(because));
        };
        let wanted = body.0.remove(field).unwrap_or_else(|| Value::Object(Map::new()));
        body.0.insert(field.to_owned(), laid_over(kind, field, held, wanted, edits));
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
///
/// Of two fields that exclude each other the wanted one takes the place of the other.
fn laid_over(kind: &Kind, field: &str, held: &Value, wanted: Value, edits: &[Edit]) -> Value {
    let mut whole = Body::new();
    whole.set(field, held.clone());
    let ours = Body::from_iter([(field.to_owned(), wanted.clone())]);
    for (one, other) in kind.exclusive.iter().flat_map(|(newer, older)| [(newer, older), (older, newer)]) {
        if ours.get(one).is_some_and(|value| !is_blank(value)) && ours.get(other).is_none_or(is_blank) {
            whole.take(other);
        }
    }
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
fn ended_by(refused: &tenant::Error) -> Sending {
    if refused.is_in_doubt() || refused.is_unreachable() {
        return Outcome::InDoubt(told(refused)).into();
    }
    let is_unentitled = refused.is_unentitled();
    let because = if is_unentitled { format!("not in the tenant's plan: {}", told(refused)) } else { told(refused) };
    Sending { is_unentitled, ..Outcome::Failed(because).into() }
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
        let kind = Catalog::standard().kind("connections").expect("a kind");
        let laid = laid_over(kind, "options", &held, json!({"scope": ["a", "b"], "deep": {"x": 3}}), &edits);
        assert_eq!(laid, json!({"client_secret": "hidden", "scope": ["a", "b"], "deep": {"x": 3}}));
    }

    #[test]
    fn of_options_that_go_whole_what_only_the_target_knows_stays() {
        let held = json!({"client_secret": "hidden", "mfa": {"active": true}});
        let edits = [Edit { path: "options".into(), old: Some(json!({"mfa": {"active": true}})), new: None }];
        let kind = Catalog::standard().kind("connections").expect("a kind");
        assert_eq!(laid_over(kind, "options", &held, json!({"mfa": null}), &edits), json!({"client_secret": "hidden", "mfa": null}));
    }

    #[test]
    fn an_addon_keeps_its_own_secret_and_one_that_is_cleared_goes() {
        let held = json!({"sap_api": {"clientid": "a", "servicePassword": "hidden"}, "slack": {"team": "x"}});
        let edits = [Edit { path: "addons.slack".into(), old: Some(json!({"team": "x"})), new: None }];
        let kind = Catalog::standard().kind("clients").expect("a kind");
        let laid = laid_over(kind, "addons", &held, json!({"sap_api": {"clientid": "b"}, "slack": null}), &edits);
        assert_eq!(laid, json!({"sap_api": {"clientid": "b", "servicePassword": "hidden"}, "slack": null}));
    }

    #[test]
    fn of_two_options_that_exclude_each_other_the_wanted_one_is_sent() {
        let kind = Catalog::standard().kind("connections").expect("a kind");
        let laid = |held: Value, wanted: Value| laid_over(kind, "options", &held, wanted, &[]);
        let (newer, older) = (json!({"attributes": {"email": {}}}), json!({"requires_username": true}));
        assert_eq!(laid(older.clone(), newer.clone()), newer);
        assert_eq!(laid(newer, older.clone()), older);
        assert_eq!(laid(older.clone(), json!({"mfa": {}})), json!({"requires_username": true, "mfa": {}}));
    }

    #[test]
    fn a_secret_that_is_shown_as_asterisks_is_not_written_back() {
        let kind = Catalog::standard().kind("log-streams").expect("a kind");
        let held = json!({"password": "********", "region": "us"});
        assert_eq!(laid_over(kind, "sink", &held, json!({"region": "eu"}), &[]), json!({"region": "eu"}));
    }
}
