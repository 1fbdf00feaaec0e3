//! Sends the requests that one change consists of.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use super::altered_values::{AlteredValue, alterations, alterations_of_update};
use super::lookup::{FoundResource, KnownIds, LookupResult, found, look_up};
use super::read_modify_write::{drop_masks, keep_secrets, lay_over_held, may_erase_secrets, restore_secrets, split_clearing};
use crate::catalog::{Kind, ReferencedBy, Write};
use crate::json::{Body, covers, top};
use crate::management_api::{self, Tenant};
use crate::model::event::{Outcome, WaitReason};
use crate::model::resource::{Id, Resource};
use crate::plan::normal_form::normalized;
use crate::plan::{Action, Change, Edit, secret_value};
use crate::snapshot::id_substitution::TenantNames;

/// A change whose keys are replaced by ids, ready to be sent.
#[derive(Debug, Clone)]
pub(super) enum ResolvedChange {
    Create { body: Body, twins: Vec<Id>, may_have_landed: bool },
    Update { id: Id, body: Body, edits: Vec<Edit>, secrets: Vec<(String, SecretString)> },
    Elements { parent: Id, added: Vec<Value>, removed: Vec<Value> },
    Delete { id: Id, body: Body },
}

/// The result of sending a change: the outcome, and the secrets of the response, which must be stored.
#[derive(Debug)]
pub(super) struct SendResult {
    pub(super) outcome: Outcome,
    pub(super) made: Vec<(&'static str, SecretString)>,
    /// Values that the target stored differently.
    pub(super) altered: Vec<AlteredValue>,
    /// When it ended: RFC 3339, UTC.
    pub(super) at: Option<String>,
    /// The error, if the target refused it.
    pub(super) refusal: Option<management_api::Error>,
}

impl From<Outcome> for SendResult {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, made: Vec::new(), altered: Vec::new(), at: None, refusal: None }
    }
}

impl From<FoundResource> for SendResult {
    fn from(found: FoundResource) -> Self {
        Self { made: found.made, ..Outcome::Applied(found.id).into() }
    }
}

/// Replaces keys by ids and inserts secrets into the body.
///
/// # Errors
///
/// The resource that the change refers to and that the target lacks.
pub(super) fn ready(
    kind: &'static Kind,
    change: &Change,
    names: &TenantNames,
    secrets: Vec<(String, SecretString)>,
) -> Result<ResolvedChange, String> {
    let missing = |keys: Vec<String>| format!("it refers to {}, which the target does not have", keys.join(", "));
    match &change.action {
        Action::Create { body, twins } => {
            let mut body = names.resolve(kind, body).map_err(missing)?;
            for (path, secret) in secrets {
                let value = secret_value(kind, &path, &secret)?;
                body.set(&path, value);
            }
            Ok(ResolvedChange::Create { body, twins: twins.clone(), may_have_landed: false })
        }
        Action::Update { id, body, edits } => {
            let body = names.resolve(kind, body).map_err(missing)?;
            let held = |edit: &Edit| {
                let mut whole = Body::new();
                whole.set(&edit.path, edit.old.clone()?);
                let attached = names.resolve(kind, &whole).unwrap_or(whole);
                attached.get(&edit.path).cloned()
            };
            let edits: Vec<Edit> = edits.iter().map(|edit| Edit { old: held(edit), ..edit.clone() }).collect();
            let id = id.as_ref().or_else(|| names.id_of(&change.key)).ok_or_else(|| missing(vec![change.key.to_string()]))?;
            Ok(ResolvedChange::Update { id: id.clone(), body, edits, secrets })
        }
        Action::Delete { id, body } => Ok(ResolvedChange::Delete { id: id.clone(), body: names.resolve(kind, body).unwrap_or_default() }),
        Action::Elements { parent, added, removed } => {
            let attach = |elements: &[Value]| -> Result<Vec<Value>, String> {
                let mut whole = Body::new();
                whole.set(kind.elements(), Value::Array(elements.to_vec()));
                let mut whole = names.resolve(kind, &whole).map_err(missing)?;
                Ok(whole.0.remove(kind.elements()).and_then(|list| list.as_array().cloned()).unwrap_or_default())
            };
            let id = names.id_of(parent).ok_or_else(|| missing(vec![parent.to_string()]))?;
            Ok(ResolvedChange::Elements { parent: id.clone(), added: attach(added)?, removed: attach(removed)? })
        }
    }
}

/// Sends the changes of one kind.
#[derive(Clone, Copy)]
pub(super) struct Sender<'run> {
    pub(super) tenant: &'run Tenant,
    pub(super) kind: &'static Kind,
    /// The known ids of the kind, none of them from a pending create.
    pub(super) known: KnownIds<'run>,
    /// The ids that this run created.
    pub(super) new: &'run HashSet<String>,
}

/// The delays before a request that refers to a new resource is retried: a create takes a moment to become visible
/// everywhere (terraform provider, issues 416 and 1370, which waits 800 ms after each).
const WAITS: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

impl Sender<'_> {
    /// Sends a change, retrying if it refers to a resource that this run created and that is not visible yet.
    pub(super) async fn attempt(&self, ready: &ResolvedChange) -> SendResult {
        if self.refers_to_new_resource(ready) { self.attempt_until_visible(ready).await } else { self.attempt_now(ready).await }
    }

    /// Sends a change of a new resource, retrying while the resource is not found.
    pub(super) async fn attempt_until_visible(&self, ready: &ResolvedChange) -> SendResult {
        let mut waits = WAITS.iter();
        loop {
            let sent = self.attempt_now(ready).await;
            let is_unseen = sent.refusal.as_ref().is_some_and(management_api::Error::names_missing_resource);
            match waits.next().filter(|_| is_unseen) {
                Some(wait) => self.tenant.wait(*wait, WaitReason::NotYetConsistent).await,
                None => return sent,
            }
        }
    }

    /// Sends a change once, whatever the response.
    pub(super) async fn attempt_now(&self, ready: &ResolvedChange) -> SendResult {
        let Self { tenant, kind, known, .. } = *self;
        match with_aliases(tenant, kind, ready).await {
            Ok(None) => attempt(tenant, kind, ready, known).await,
            Ok(Some(by_alias)) => attempt(tenant, kind, &by_alias, known).await,
            Err(unread) => result_of_error(unread),
        }
    }

    fn refers_to_new_resource(&self, ready: &ResolvedChange) -> bool {
        let is_new = |id: &str| id.split('/').any(|part| self.new.contains(part));
        let mentions = |body: &Body| {
            let mut found = false;
            body.each_text(&mut |_, text| found |= self.new.contains(text));
            found
        };
        match ready {
            ResolvedChange::Create { body, .. } => mentions(body),
            ResolvedChange::Update { id, body, .. } => is_new(id.as_str()) || mentions(body),
            ResolvedChange::Elements { parent, added, removed } => {
                let elements = [added.as_slice(), removed].concat();
                is_new(parent.as_str()) || mentions(&Body::from_iter([(String::new(), Value::Array(elements))]))
            }
            ResolvedChange::Delete { .. } => false,
        }
    }
}

async fn attempt(tenant: &Tenant, kind: &'static Kind, ready: &ResolvedChange, known: KnownIds<'_>) -> SendResult {
    match ready {
        ResolvedChange::Create { body, twins, may_have_landed } => {
            create(tenant, kind, body, known.with_twins(twins), *may_have_landed).await
        }
        ResolvedChange::Update { id, body, edits, secrets } => match update(tenant, kind, id, body, edits, secrets).await {
            Ok(altered) => SendResult { altered, ..Outcome::Applied(id.clone()).into() },
            Err(ended) => ended,
        },
        ResolvedChange::Elements { parent, added, removed } => match tenant.update_elements(kind, parent, added, removed).await {
            Ok(()) => Outcome::Applied(parent.clone()).into(),
            Err(refused) => result_of_error(refused),
        },
        ResolvedChange::Delete { id, body } => remove(tenant, kind, id, body).await,
    }
}

/// Replaces ids in alias references by the aliases. These are read just before, since they can change within minutes.
async fn with_aliases(tenant: &Tenant, kind: &Kind, ready: &ResolvedChange) -> Result<Option<ResolvedChange>, management_api::Error> {
    let mut ready = ready.clone();
    let (ResolvedChange::Create { body, .. } | ResolvedChange::Update { body, .. }) = &mut ready else { return Ok(None) };
    let mut is_changed = false;
    for reference in kind.references.iter().filter(|reference| reference.by == ReferencedBy::Alias) {
        let to = reference.kind();
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

/// Creates a resource. If the response is lost, the resource is looked up, and if it is not found, the create is sent
/// once more.
///
/// If an earlier request may have succeeded, a conflict means that it did, which a lookup confirms.
async fn create(tenant: &Tenant, kind: &'static Kind, body: &Body, known: KnownIds<'_>, may_have_landed: bool) -> SendResult {
    let mut is_second = false;
    loop {
        let lost = match tenant.create(kind, body).await {
            Ok(answer) => return created(kind, &answer, body),
            Err(refused) if refused.is_outcome_unknown() || (refused.is_conflict() && (is_second || may_have_landed)) => refused,
            Err(refused) => return result_of_error(refused),
        };
        let is_conflict = lost.is_conflict();
        match look_up(tenant, kind, body, known).await {
            Ok(LookupResult::Found(found)) => return found.into(),
            Ok(LookupResult::Unclear(reason)) => return Outcome::Unknown(format!("{}; {reason}", error_chain(&lost))).into(),
            Ok(LookupResult::Absent) if !is_second && !is_conflict => is_second = true,
            Ok(LookupResult::Absent) => return result_of_error(lost),
            Err(unread) if unread.is_unreachable() => {
                return Outcome::Unknown(format!("{}; it cannot be looked up either", error_chain(&lost))).into();
            }
            Err(unread) => {
                return Outcome::Unknown(format!("{}; the target cannot be read: {}", error_chain(&lost), error_chain(&unread))).into();
            }
        }
    }
}

fn created(kind: &'static Kind, answer: &Body, body: &Body) -> SendResult {
    match kind.id_of(answer).or_else(|| kind.id_of(body)) {
        Some(id) => {
            let mut altered = alterations(kind, &Id::new(id.as_str()), body, answer);
            // Fields that a create leaves blank are filled in by the tenant.
            altered.retain(|altered| altered.sent.is_some());
            SendResult { altered, ..found(kind, id, body, answer).into() }
        }
        None => Outcome::Unknown(format!("the tenant answered without \"{}\"", kind.identity.id)).into(),
    }
}

async fn update(
    tenant: &Tenant,
    kind: &'static Kind,
    id: &Id,
    asked: &Body,
    edits: &[Edit],
    secrets: &[(String, SecretString)],
) -> Result<Vec<AlteredValue>, SendResult> {
    let mut body = asked.clone();
    let is_sent = |field: &&str| body.0.contains_key(*field) || secrets.iter().any(|(path, _)| covers(field, path));
    let overlaid: Vec<&str> =
        kind.fields.writable().iter().map(|field| field.name).filter(|field| kind.is_read_modify_write(field)).filter(is_sent).collect();
    let mut held = Body::new();
    let takes_secrets = body.0.iter().any(|(name, value)| may_erase_secrets(kind, name, value));
    if !overlaid.is_empty() || takes_secrets {
        held = tenant.read(kind, id).await.map_err(result_of_error)?.ok_or_else(deleted_meanwhile)?;
        drop_masks(kind, &mut held);
        lay_over_held(kind, &overlaid, &held, &mut body, edits)?;
        restore_secrets(kind, &held, &mut body);
    }
    if kind.paths.write == Write::Put && !kind.secrets.paths.is_empty() {
        let mut held = tenant.read(kind, id).await.map_err(result_of_error)?.unwrap_or_default();
        drop_masks(kind, &mut held);
        keep_secrets(kind, &held, &mut body);
    }
    for (path, secret) in secrets {
        body.set(path, secret_value(kind, path, secret).map_err(Outcome::Failed)?);
    }
    // Everything else in the request is the target's own value.
    let made_by = |answer: &Body| alterations_of_update(kind, id, asked, edits, answer);
    let Some(first) = split_clearing(kind, &mut body) else {
        return tenant.update(kind, id, &body).await.map(|answer| made_by(&answer)).map_err(result_of_error);
    };
    let cleared = tenant.update(kind, id, &first).await.map_err(result_of_error)?;
    if body.is_empty() {
        return Ok(made_by(&cleared));
    }
    match tenant.update(kind, id, &body).await {
        Ok(answer) => Ok(made_by(&answer)),
        Err(refused) => {
            // The first request cleared fields only to write them again, so they must be restored.
            let back = first.0.keys().filter_map(|field| Some((field.clone(), held.0.get(field)?.clone()))).collect();
            tenant.update(kind, id, &back).await.map_err(result_of_error)?;
            Err(result_of_error(refused))
        }
    }
}

/// Deletes a resource if it is still as planned. It is read just before, if the API allows that, since the list may be
/// outdated.
async fn remove(tenant: &Tenant, kind: &'static Kind, id: &Id, planned: &Body) -> SendResult {
    if !kind.paths.is_list_only {
        match tenant.read(kind, id).await {
            Ok(None) => return Outcome::Applied(id.clone()).into(),
            Ok(Some(held)) => {
                if let Some(reason) = changed_since(kind, planned, held) {
                    return Outcome::Skipped(reason).into();
                }
            }
            Err(unread) => return Outcome::Skipped(format!("it cannot be read before it is removed: {}", error_chain(&unread))).into(),
        }
    }
    match tenant.delete(kind, id).await {
        Ok(()) => Outcome::Applied(id.clone()).into(),
        Err(refused) if refused.is_not_found() => Outcome::Applied(id.clone()).into(),
        Err(refused) => result_of_error(refused),
    }
}

/// Returns how a resource differs from the one that was planned to be deleted. References and deployed content may
/// change because of what the run itself deletes.
///
/// References to deleted resources cannot be resolved and are not compared.
fn changed_since(kind: &'static Kind, planned: &Body, held: Body) -> Option<String> {
    if planned.is_empty() {
        return None;
    }
    let held = match Resource::read(kind, held) {
        Ok(held) => held.body.open(),
        Err(unreadable) => return Some(format!("the target's version of it cannot be parsed: {unreadable}")),
    };
    let (planned, held) = (normalized(kind, planned), normalized(kind, &held));
    let follows = |name: &str| {
        let is_below = |path: &str| top(path) == name;
        kind.references.iter().any(|reference| is_below(reference.path))
            || kind.lifecycle.follow_up.is_some_and(|follow_up| follow_up.field == name)
    };
    let mut names = planned.0.keys().chain(held.0.keys()).filter(|name| !follows(name));
    let changed = names.find(|name| planned.0.get(*name) != held.0.get(*name))?;
    Some(format!("its {changed} changed in the target since the plan; plan again"))
}

fn deleted_meanwhile() -> SendResult {
    let refusal = management_api::Error::Refused { request: String::new(), status: 404, code: String::new(), message: String::new() };
    SendResult { refusal: Some(refusal), ..Outcome::Failed("it no longer exists in the target".to_owned()).into() }
}

/// Without a usable response the outcome is unknown, not failed.
fn result_of_error(refused: management_api::Error) -> SendResult {
    if refused.is_outcome_unknown() || refused.is_unreachable() || refused.may_have_been_applied() {
        return Outcome::Unknown(error_chain(&refused)).into();
    }
    let reason = if refused.is_unentitled() {
        format!("not included in the tenant's subscription: {}", error_chain(&refused))
    } else {
        error_chain(&refused)
    };
    SendResult { refusal: Some(refused), ..Outcome::Failed(reason).into() }
}

/// Returns an error with its causes on one line; for an unknown outcome only the cause.
fn error_chain(error: &management_api::Error) -> String {
    if let management_api::Error::OutcomeUnknown { source, .. } = error {
        return error_chain(source);
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
    fn an_update_with_an_unusable_response_may_have_been_applied() {
        let ended =
            |source: Excess| result_of_error(management_api::Error::Excess { request: "PATCH /clients/c".to_owned(), source }).outcome;
        for source in [Excess::Body, Excess::Headers, Excess::Compressed] {
            assert!(matches!(ended(source), Outcome::Unknown(_)));
        }
        assert!(matches!(ended(Excess::Wait(Duration::from_secs(3600))), Outcome::Failed(_)), "a tenant that asks to wait did nothing");
    }
}
