//! One change -> the requests it takes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;

use super::altered::{AlteredValue, alterations, alterations_by};
use super::look_up::{KnownIds, LookedUp, look_up};
use super::overlay::{cleared_first, drop_masks, keep_secrets, lay_over_held, may_take_secrets, put_back_secrets};
use crate::catalog::{Catalog, Kind, ReferencedBy, Write};
use crate::json::{Body, covers, top};
use crate::management_api::{self, Tenant};
use crate::model::event::Outcome;
use crate::model::resource::{Id, Key, Resource, Secret};
use crate::plan::diff::normal;
use crate::plan::{Action, Change, Edit, secret_value};
use crate::snapshot::id_substitution::Names;

/// A change with ids in the place of keys, ready to be sent.
#[derive(Debug, Clone)]
pub(super) enum Ready {
    Create { body: Body, twins: Vec<Id>, may_have_landed: bool },
    Update { id: Id, body: Body, edits: Vec<Edit>, secrets: Vec<(String, Secret)> },
    Elements { parent: Id, added: Vec<Value>, removed: Vec<Value> },
    Delete { id: Id, body: Body },
}

/// How sending ended: the outcome, and the secrets that the target's answer held, which must go to their keeper.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) outcome: Outcome,
    pub(super) made: Vec<(&'static str, Secret)>,
    /// What the target made of the values that it took.
    pub(super) altered: Vec<AlteredValue>,
    /// What the target answered, where it refused.
    pub(super) refusal: Option<management_api::Error>,
}

impl From<Outcome> for Sending {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, made: Vec::new(), altered: Vec::new(), refusal: None }
    }
}

/// A resource that the target has, and the secrets of it that an answer held.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: Id,
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
                let value = secret_value(kind, &path, &secret)?;
                body.set(&path, value);
            }
            Ok(Ready::Create { body, twins: twins.clone(), may_have_landed: false })
        }
        Action::Update { id, body, edits } => {
            let body = names.attach(kind, body).map_err(missing)?;
            let held = |edit: &Edit| {
                let mut whole = Body::new();
                whole.set(&edit.path, edit.old.clone()?);
                let attached = names.attach(kind, &whole).unwrap_or(whole);
                attached.get(&edit.path).cloned()
            };
            let edits: Vec<Edit> = edits.iter().map(|edit| Edit { old: held(edit), ..edit.clone() }).collect();
            let id = id.as_ref().or_else(|| names.id_of(&change.key)).ok_or_else(|| missing(vec![change.key.clone()]))?;
            Ok(Ready::Update { id: id.clone(), body, edits, secrets })
        }
        Action::Delete { id, body } => Ok(Ready::Delete { id: id.clone(), body: names.attach(kind, body).unwrap_or_default() }),
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

/// Who sends the changes of one kind, and what it knows of the run.
#[derive(Clone, Copy)]
pub(super) struct Sender<'run> {
    pub(super) catalog: &'run Catalog,
    pub(super) tenant: &'run Tenant,
    pub(super) kind: &'static Kind,
    /// What is known of the kind to be another resource than one that is yet to be created.
    pub(super) known: KnownIds<'run>,
    /// Whatever this run has created.
    pub(super) new: &'run HashSet<String>,
}

/// How long a request that names something new waits before it is sent again: a create takes a moment to reach every service (terraform
/// provider, issues 416 and 1370, which waits 800 ms after each).
const WAITS: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

impl Sender<'_> {
    /// Sends a change once. What names something that this run created and is not found is sent again after a while: it is not seen yet.
    pub(super) async fn attempt(&self, ready: &Ready) -> Sending {
        if self.names_something_new(ready) { self.attempt_patiently(ready).await } else { self.attempt_now(ready).await }
    }

    /// Sends a change of what was just created, again after a while as long as that is not found.
    pub(super) async fn attempt_patiently(&self, ready: &Ready) -> Sending {
        let mut waits = WAITS.iter();
        loop {
            let sent = self.attempt_now(ready).await;
            let is_unseen = sent.refusal.as_ref().is_some_and(management_api::Error::names_missing_resource);
            match waits.next().filter(|_| is_unseen) {
                Some(wait) => self.tenant.wait(*wait, "what was just created is not seen everywhere yet").await,
                None => return sent,
            }
        }
    }

    /// Sends a change once, whatever the answer.
    pub(super) async fn attempt_now(&self, ready: &Ready) -> Sending {
        let Self { catalog, tenant, kind, known, .. } = *self;
        match with_aliases(catalog, tenant, kind, ready).await {
            Ok(None) => attempt(tenant, kind, ready, known).await,
            Ok(Some(by_alias)) => attempt(tenant, kind, &by_alias, known).await,
            Err(unread) => ended_by(unread),
        }
    }

    fn names_something_new(&self, ready: &Ready) -> bool {
        let is_new = |id: &str| id.split('/').any(|part| self.new.contains(part));
        let mentions = |body: &Body| {
            let mut found = false;
            body.each_text(&mut |_, text| found |= self.new.contains(text));
            found
        };
        match ready {
            Ready::Create { body, .. } => mentions(body),
            Ready::Update { id, body, .. } => is_new(id.as_str()) || mentions(body),
            Ready::Elements { parent, added, removed } => {
                let elements = [added.as_slice(), removed].concat();
                is_new(parent.as_str()) || mentions(&Body::from_iter([(String::new(), Value::Array(elements))]))
            }
            Ready::Delete { .. } => false,
        }
    }
}

async fn attempt(tenant: &Tenant, kind: &'static Kind, ready: &Ready, known: KnownIds<'_>) -> Sending {
    match ready {
        Ready::Create { body, twins, may_have_landed } => create(tenant, kind, body, known.with_twins(twins), *may_have_landed).await,
        Ready::Update { id, body, edits, secrets } => match update(tenant, kind, id, body, edits, secrets).await {
            Ok(altered) => Sending { altered, ..Outcome::Applied(id.clone()).into() },
            Err(ended) => ended,
        },
        Ready::Elements { parent, added, removed } => match tenant.update_elements(kind, parent, added, removed).await {
            Ok(()) => Outcome::Applied(parent.clone()).into(),
            Err(refused) => ended_by(refused),
        },
        Ready::Delete { id, body } => remove(tenant, kind, id, body).await,
    }
}

/// Puts the other id of a resource where a body names one by it: it may be minutes old, so it is read when it is needed.
async fn with_aliases(catalog: &Catalog, tenant: &Tenant, kind: &Kind, ready: &Ready) -> Result<Option<Ready>, management_api::Error> {
    let mut ready = ready.clone();
    let (Ready::Create { body, .. } | Ready::Update { body, .. }) = &mut ready else { return Ok(None) };
    let mut is_changed = false;
    for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Alias) {
        let to = catalog.kind(reference.to).expect("catalog test: every reference names a kind");
        let named: BTreeSet<String> = body.find(reference.path).into_iter().filter_map(|(_, id)| id.as_str().map(str::to_owned)).collect();
        let mut aliases: HashMap<String, Value> = HashMap::new();
        for id in named {
            let held = tenant.read(to, &Id::new(id.as_str())).await?;
            let alias = held.and_then(|held| held.text(to.quirks.alias_id).map(str::to_owned));
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

/// Creates a resource. One whose answer was lost is looked up before it is sent again, and sent again once.
///
/// Where an earlier request for it may have landed, a conflict says that it did, if only after it was looked up.
async fn create(tenant: &Tenant, kind: &'static Kind, body: &Body, known: KnownIds<'_>, may_have_landed: bool) -> Sending {
    let mut is_second = false;
    loop {
        let lost = match tenant.create(kind, body).await {
            Ok(answer) => return created(kind, &answer, body),
            Err(refused) if refused.is_outcome_unknown() || (refused.is_conflict() && (is_second || may_have_landed)) => refused,
            Err(refused) => return ended_by(refused),
        };
        let is_conflict = lost.is_conflict();
        match look_up(tenant, kind, body, known).await {
            Ok(LookedUp::Found(found)) => return found.into(),
            Ok(LookedUp::Unclear(reason)) => return Outcome::Unknown(format!("{}; {reason}", told(&lost))).into(),
            Ok(LookedUp::Absent) if !is_second && !is_conflict => is_second = true,
            Ok(LookedUp::Absent) => return ended_by(lost),
            Err(unread) if unread.is_unreachable() => {
                return Outcome::Unknown(format!("{}; nor can it be looked up", told(&lost))).into();
            }
            Err(unread) => {
                return Outcome::Unknown(format!("{}; and the target cannot be read: {}", told(&lost), told(&unread))).into();
            }
        }
    }
}

fn created(kind: &Kind, answer: &Body, body: &Body) -> Sending {
    match kind.id_of(answer).or_else(|| kind.id_of(body)) {
        Some(id) => {
            let mut altered = alterations(kind, &Id::new(id.as_str()), body, answer);
            // What a create leaves blank is the tenant's to fill in.
            altered.retain(|altered| altered.sent.is_some());
            Sending { altered, ..found(kind, id, body, answer).into() }
        }
        None => Outcome::Unknown(format!("the tenant answered without \"{}\"", kind.identity.id)).into(),
    }
}

/// Returns the resource of an answer with the secrets in it that a create of this body makes.
pub(super) fn found(kind: &Kind, id: String, body: &Body, answer: &Body) -> Found {
    let shown = |path: &'static str| answer.text(path).filter(|text| !text.is_empty()).map(|text| (path, Secret::new(text)));
    Found { id: Id::new(id), made: kind.generated_secrets_for(body).filter_map(|made| shown(made.path)).collect() }
}

async fn update(
    tenant: &Tenant,
    kind: &'static Kind,
    id: &Id,
    asked: &Body,
    edits: &[Edit],
    secrets: &[(String, Secret)],
) -> Result<Vec<AlteredValue>, Sending> {
    let mut body = asked.clone();
    let is_sent = |field: &&str| body.0.contains_key(*field) || secrets.iter().any(|(path, _)| covers(field, path));
    let overlaid: Vec<&str> =
        kind.fields.writable().iter().map(|field| field.name).filter(|field| kind.is_read_modify_write(field)).filter(is_sent).collect();
    let mut held = Body::new();
    let takes_secrets = body.0.iter().any(|(name, value)| may_take_secrets(kind, name, value));
    if !overlaid.is_empty() || takes_secrets {
        held = tenant.read(kind, id).await.map_err(ended_by)?.ok_or_else(gone)?;
        drop_masks(kind, &mut held);
        lay_over_held(kind, &overlaid, &held, &mut body, edits)?;
        put_back_secrets(kind, &held, &mut body);
    }
    if kind.paths.write == Write::Put && !kind.secrets.paths.is_empty() {
        let mut held = tenant.read(kind, id).await.map_err(ended_by)?.unwrap_or_default();
        drop_masks(kind, &mut held);
        keep_secrets(kind, &held, &mut body);
    }
    for (path, secret) in secrets {
        body.set(path, secret_value(kind, path, secret).map_err(Outcome::Failed)?);
    }
    // What is sent besides is the target's own.
    let made_by = |answer: &Body| alterations_by(kind, id, asked, edits, answer);
    let Some(first) = cleared_first(kind, &mut body) else {
        return tenant.update(kind, id, &body).await.map(|answer| made_by(&answer)).map_err(ended_by);
    };
    let cleared = tenant.update(kind, id, &first).await.map_err(ended_by)?;
    if body.is_empty() {
        return Ok(made_by(&cleared));
    }
    match tenant.update(kind, id, &body).await {
        Ok(answer) => Ok(made_by(&answer)),
        Err(refused) => {
            // What was cleared to be written again must not be lost.
            let back = first.0.keys().filter_map(|field| Some((field.clone(), held.0.get(field)?.clone()))).collect();
            tenant.update(kind, id, &back).await.map_err(ended_by)?;
            Err(ended_by(refused))
        }
    }
}

/// Removes a resource that is still what the plan showed: it is read right before, where the API can, since what was found in a list may be
/// another by now.
async fn remove(tenant: &Tenant, kind: &'static Kind, id: &Id, planned: &Body) -> Sending {
    if !kind.paths.is_list_only {
        match tenant.read(kind, id).await {
            Ok(None) => return Outcome::Applied(id.clone()).into(),
            Ok(Some(held)) => {
                if let Some(reason) = changed_since(kind, planned, held) {
                    return Outcome::Skipped(reason).into();
                }
            }
            Err(unread) => return Outcome::Skipped(format!("it cannot be read before it is removed: {}", told(&unread))).into(),
        }
    }
    match tenant.delete(kind, id).await {
        Ok(()) => Outcome::Applied(id.clone()).into(),
        Err(refused) if refused.is_not_found() => Outcome::Applied(id.clone()).into(),
        Err(refused) => ended_by(refused),
    }
}

/// Returns why a resource is no longer what was planned to go. Fields that refer to others, or run, may change with what the run
/// itself removes.
///
/// What refers to something that is gone by now cannot be said in the target's words, and is not compared.
fn changed_since(kind: &Kind, planned: &Body, held: Body) -> Option<String> {
    if planned.is_empty() {
        return None;
    }
    let held = match Resource::read(kind, held) {
        Ok(held) => held.body.open(),
        Err(unreadable) => return Some(format!("what the target has in its place cannot be understood: {unreadable}")),
    };
    let (planned, held) = (normal(kind, planned), normal(kind, &held));
    let follows = |name: &str| {
        let is_below = |path: &str| top(path) == name;
        kind.references.iter().any(|reference| is_below(reference.path))
            || kind.lifecycle.follow_up.is_some_and(|follow_up| follow_up.field == name)
    };
    let mut names = planned.0.keys().chain(held.0.keys()).filter(|name| !follows(name));
    let changed = names.find(|name| planned.0.get(*name) != held.0.get(*name))?;
    Some(format!("its {changed} changed in the target since the plan; plan again"))
}

fn gone() -> Sending {
    let refusal = management_api::Error::Refused { request: String::new(), status: 404, code: String::new(), message: String::new() };
    Sending { refusal: Some(refusal), ..Outcome::Failed("it is gone from the target since it was read".to_owned()).into() }
}

/// An update whose answer never came may have been carried out: that is a doubt, not a failure.
fn ended_by(refused: management_api::Error) -> Sending {
    if refused.is_outcome_unknown() || refused.is_unreachable() || refused.may_have_been_applied() {
        return Outcome::Unknown(told(&refused)).into();
    }
    let reason = if refused.is_unentitled() { format!("not in the tenant's plan: {}", told(&refused)) } else { told(&refused) };
    Sending { refusal: Some(refused), ..Outcome::Failed(reason).into() }
}

/// Returns an error with its causes, as one line; of a doubt only what it came from, since the outcome itself says that it is one.
fn told(error: &management_api::Error) -> String {
    if let management_api::Error::OutcomeUnknown { source, .. } = error {
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
    use std::time::Duration;

    use super::*;
    use crate::management_api::safety_limits::Excess;

    #[test]
    fn an_update_whose_answer_is_no_use_may_have_been_carried_out() {
        let ended = |source: Excess| ended_by(management_api::Error::Excess { request: "PATCH /clients/c".to_owned(), source }).outcome;
        for source in [Excess::Body, Excess::Headers, Excess::Compressed] {
            assert!(matches!(ended(source), Outcome::Unknown(_)));
        }
        assert!(matches!(ended(Excess::Wait(Duration::from_secs(3600))), Outcome::Failed(_)), "a tenant that asks to wait did nothing");
    }
}
