//! Writes: one resource created, changed or removed, and the elements of a child's list.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::error::Error;
use super::read::into_object;
use super::redact::Redactor;
use super::tenant::Tenant;
use super::transport::Request;
use crate::catalog::{ElementChanges, FollowUp, Kind, Shape, Write};
use crate::json::Body;
use crate::model::event::WaitReason;
use crate::model::resource::Id;

/// How often at most a resource is read again until it is ready for its follow-up.
const MAX_READS: u32 = 60;
/// How long the first wait between two looks is; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// How long a wait between two looks can grow.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Tenant {
    /// Creates a resource; returns it as the tenant answers, id and all.
    ///
    /// # Errors
    ///
    /// [`Error::OutcomeUnknown`] when the tenant may have created it: look its key up before sending it again. Any other error means
    /// that it did not.
    pub async fn create(&self, kind: &'static Kind, body: &Body) -> Result<Body, Error> {
        let Some(path) = kind.creation_path(body) else {
            let id = Id::new(kind.id_of(body).unwrap_or_default());
            let mut answer = self.update(kind, &id, body).await?;
            kind.fill_path_fields(&mut answer, id.as_str());
            return Ok(answer);
        };
        let request = Request::new(Method::POST, path).with_json(&request_body(kind, body)).redacting(redactor_for(kind, body));
        let received = self.transport.send(&request).await?;
        let mut answer = if received.body.is_empty() {
            Body::new()
        } else {
            // A 2xx that cannot be read has created something all the same.
            received.json(&request.name()).map_err(|error| Error::OutcomeUnknown { request: request.name(), source: Box::new(error) })?
        };
        for field in kind.identity.key.iter().copied().chain(kind.path_fields()) {
            if let (None, Some(value)) = (answer.0.get(field), body.0.get(field)) {
                answer.0.insert(field.to_owned(), value.clone());
            }
        }
        Ok(answer)
    }

    /// Changes a resource; returns it as the tenant answers, or nothing where it answers 204.
    ///
    /// # Errors
    ///
    /// When the tenant refuses, or no answer comes after all attempts.
    pub async fn update(&self, kind: &'static Kind, id: &Id, body: &Body) -> Result<Body, Error> {
        let mut outgoing = body.clone();
        let is_due = kind.lifecycle.follow_up.filter(|follow_up| outgoing.0.remove(follow_up.field) == Some(Value::Bool(true)));
        let answer = if outgoing.is_empty() && is_due.is_some() { Body::new() } else { self.write(kind, id, &outgoing).await? };
        if let Some(follow_up) = is_due {
            self.follow_up(kind, follow_up, id).await?;
        }
        Ok(answer)
    }

    async fn write(&self, kind: &Kind, id: &Id, body: &Body) -> Result<Body, Error> {
        let method = match kind.paths.write {
            Write::Patch => Method::PATCH,
            Write::Put => Method::PUT,
        };
        let request =
            Request::new(method, kind.path_of(id.as_str())).with_json(&request_body(kind, body)).redacting(redactor_for(kind, body));
        let received = self.transport.send(&request).await?;
        if received.body.is_empty() {
            return Ok(Body::new());
        }
        Ok(into_object(kind, received.json(&request.name())?).unwrap_or_default())
    }

    /// Sends the request that makes a write count, once the resource is ready for it.
    async fn follow_up(&self, kind: &'static Kind, follow_up: FollowUp, id: &Id) -> Result<(), Error> {
        if let Some((field, wanted)) = follow_up.ready_when {
            self.wait_until(kind, id, field, wanted).await?;
        }
        // The last part of its path is the id as it may stand in one.
        let path = follow_up.path.replace("{id}", kind.path_of(id.as_str()).rsplit('/').next().unwrap_or_default());
        self.transport.send(&Request::new(Method::POST, path).idempotent()).await.map(drop)
    }

    /// Reads a resource again and again until a field of it holds this text.
    async fn wait_until(&self, kind: &'static Kind, id: &Id, field: &'static str, wanted: &'static str) -> Result<(), Error> {
        let mut wait = FIRST_WAIT;
        for look in 1.. {
            let held = self.read(kind, id).await?.and_then(|body| body.text(field).map(str::to_owned)).unwrap_or_default();
            if held == wanted {
                break;
            }
            if look == MAX_READS {
                return Err(Error::NotReady { kind: kind.singular, field, held, wanted });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(())
    }

    /// Lets time pass before something is sent again, and tells whoever watches.
    pub async fn wait(&self, wait: Duration, reason: WaitReason) {
        self.transport.connection.notify_wait(wait, reason);
        tokio::time::sleep(wait).await;
    }

    /// Removes a resource; one that is there by being written is emptied.
    ///
    /// One that is gone after a repeated request counts as removed.
    ///
    /// # Errors
    ///
    /// When the tenant refuses, or no answer comes after all attempts.
    pub async fn delete(&self, kind: &Kind, id: &Id) -> Result<(), Error> {
        if let Some(nothing) = kind.empty_body() {
            return self.write(kind, id, &nothing).await.map(drop);
        }
        self.transport.send(&Request::new(Method::DELETE, kind.path_of(id.as_str()))).await.map(drop)
    }

    /// Adds elements to a child's list and removes others, in as many requests as the kind demands.
    ///
    /// Both may be repeated without harm, so a change that was cut is made again whole.
    ///
    /// # Errors
    ///
    /// When the tenant refuses, or no answer comes after all attempts.
    ///
    /// # Panics
    ///
    /// When the kind is no child.
    pub(crate) async fn update_elements(&self, kind: &Kind, parent: &Id, added: &[Value], removed: &[Value]) -> Result<(), Error> {
        let Shape::Child { element_changes, .. } = kind.shape else { unreachable!("only a child has elements") };
        for request in element_requests(kind, element_changes, parent, added, removed) {
            self.transport.send(&request).await?;
        }
        Ok(())
    }
}

/// Returns what is sent of a body: without the fields that stand in the path, and bare where the API takes a bare array.
fn request_body(kind: &Kind, body: &Body) -> Value {
    let mut body = body.clone();
    for field in kind.path_fields() {
        body.0.remove(field);
    }
    if kind.quirks.list_field.is_empty() { body.into_value() } else { body.0.remove(kind.quirks.list_field).unwrap_or_else(|| json!([])) }
}

fn redactor_for(kind: &Kind, body: &Body) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add_secrets_of_kind(kind, body);
    redactor
}

/// Returns the requests that change a child's list; adding what is there and removing what is not does nothing.
fn element_requests(kind: &Kind, element_changes: ElementChanges, parent: &Id, added: &[Value], removed: &[Value]) -> Vec<Request> {
    let path = kind.path_of(parent.as_str());
    match element_changes {
        ElementChanges::AddRemove { most } => [(Method::POST, added), (Method::DELETE, removed)]
            .into_iter()
            .flat_map(|(method, elements)| elements.chunks(most.max(1)).map(move |chunk| (method.clone(), chunk)))
            .map(|(method, chunk)| Request::new(method, path.as_str()).with_json(&json!({kind.elements(): chunk})).idempotent())
            .collect(),
        ElementChanges::AddUpdateRemove { by, most } => named_element_requests(kind, &path, by, most, added, removed),
        ElementChanges::Switch { most } => {
            let switched = |elements: &[Value], on: bool| elements.iter().map(|element| with_status(element, on)).collect::<Vec<_>>();
            let all = [switched(added, true), switched(removed, false)].concat();
            all.chunks(most.max(1)).map(|chunk| Request::new(Method::PATCH, path.as_str()).with_json(&chunk)).collect()
        }
    }
}

/// Returns the requests that change a list whose elements have names: what only says something else of a name is changed, not made anew.
fn named_element_requests(kind: &Kind, path: &str, by: &str, most: usize, added: &[Value], removed: &[Value]) -> Vec<Request> {
    let has_name_of = |list: &[Value], element: &Value| list.iter().any(|other| other[by] == element[by]);
    let (kept, new): (Vec<Value>, Vec<Value>) = added.iter().cloned().partition(|element| has_name_of(removed, element));
    let gone: Vec<Value> = removed.iter().filter(|element| !has_name_of(&kept, element)).map(|element| element[by].clone()).collect();
    let in_chunks = |method: Method, elements: &[Value]| -> Vec<Request> {
        let request = |chunk: &[Value]| Request::new(method.clone(), path).with_json(&json!({kind.elements(): chunk})).idempotent();
        elements.chunks(most.max(1)).map(request).collect()
    };
    let renewed = kept.into_iter().map(|mut element| {
        let name = element.as_object_mut().and_then(|fields| fields.remove(by)).unwrap_or_default();
        Request::new(Method::PATCH, format!("{path}/{}", name.as_str().unwrap_or_default())).with_json(&element)
    });
    in_chunks(Method::POST, &new).into_iter().chain(renewed).chain(in_chunks(Method::DELETE, &gone)).collect()
}

fn with_status(element: &Value, on: bool) -> Value {
    let mut element = element.clone();
    element["status"] = on.into();
    element
}
