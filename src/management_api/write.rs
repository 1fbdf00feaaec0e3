//! Writes: creates, updates and deletes resources, and changes the elements of a child's list.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::error::Error;
use super::read::into_object;
use super::redact::SentBody;
use super::tenant::Tenant;
use super::transport::Request;
use crate::catalog::{ElementChanges, FollowUp, Kind, Shape, Write};
use crate::json::Body;
use crate::model::event::WaitReason;
use crate::model::resource::Id;

/// The maximum number of reads until a resource is ready for its follow-up.
const MAX_READS: u32 = 60;
/// The first wait between two reads; each is twice the previous one.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two reads.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Tenant {
    /// Creates a resource and returns the response, including the id.
    ///
    /// # Errors
    ///
    /// [`Error::OutcomeUnknown`] if the tenant may have created it: look up its key before retrying. Any other error
    /// means that it was not created.
    pub async fn create(&self, kind: &'static Kind, body: &Body) -> Result<Body, Error> {
        let Some(path) = kind.creation_path(body) else {
            let id = Id::new(kind.id_of(body).unwrap_or_default());
            let mut answer = self.update(kind, &id, body).await?;
            kind.fill_path_fields(&mut answer, id.as_str());
            return Ok(answer);
        };
        let request = Request::new(Method::POST, path).with_json(&request_body(kind, body)).redacting(SentBody::OfKind(kind, body.clone()));
        let received = self.transport.send(&request).await?;
        let mut answer = if received.body.is_empty() {
            Body::new()
        } else {
            // A 2xx response that cannot be parsed still means that something was created.
            received.json(&request.name()).map_err(|error| Error::OutcomeUnknown { request: request.name(), source: Box::new(error) })?
        };
        for field in kind.identity.key.iter().copied().chain(kind.path_fields()) {
            if let (None, Some(value)) = (answer.0.get(field), body.0.get(field)) {
                answer.0.insert(field.to_owned(), value.clone());
            }
        }
        Ok(answer)
    }

    /// Updates a resource and returns the response; `None` for a 204.
    ///
    /// # Errors
    ///
    /// If the tenant refuses, or no response arrives after all attempts.
    pub async fn update(&self, kind: &'static Kind, id: &Id, body: &Body) -> Result<Body, Error> {
        let mut outgoing = body.clone();
        let is_due = kind.lifecycle.follow_up.filter(|follow_up| outgoing.0.remove(follow_up.field) == Some(Value::Bool(true)));
        let answer = if outgoing.is_empty() && is_due.is_some() { Body::new() } else { self.write(kind, id, &outgoing).await? };
        if let Some(follow_up) = is_due {
            self.follow_up(kind, follow_up, id).await?;
        }
        Ok(answer)
    }

    async fn write(&self, kind: &'static Kind, id: &Id, body: &Body) -> Result<Body, Error> {
        let method = match kind.paths.write {
            Write::Patch => Method::PATCH,
            Write::Put => Method::PUT,
        };
        let request = Request::new(method, kind.path_of(id.as_str()))
            .with_json(&request_body(kind, body))
            .redacting(SentBody::OfKind(kind, body.clone()));
        let received = self.transport.send(&request).await?;
        if received.body.is_empty() {
            return Ok(Body::new());
        }
        Ok(into_object(kind, received.json(&request.name())?).unwrap_or_default())
    }

    /// Sends the follow-up request once the resource is ready for it.
    async fn follow_up(&self, kind: &'static Kind, follow_up: FollowUp, id: &Id) -> Result<(), Error> {
        if let Some((field, wanted)) = follow_up.ready_when {
            self.wait_until(kind, id, field, wanted).await?;
        }
        // The last segment of the resource's path is the encoded id.
        let path = follow_up.path.replace("{id}", kind.path_of(id.as_str()).rsplit('/').next().unwrap_or_default());
        self.transport.send(&Request::new(Method::POST, path).idempotent()).await.map(drop)
    }

    /// Reads a resource repeatedly until a field has this value.
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

    /// Waits before a retry and notifies the observer.
    pub async fn wait(&self, wait: Duration, reason: WaitReason) {
        self.transport.connection.notify_wait(wait, reason);
        tokio::time::sleep(wait).await;
    }

    /// Deletes a resource; a keyed one is written empty instead.
    ///
    /// A 404 after a retry counts as success.
    ///
    /// # Errors
    ///
    /// If the tenant refuses, or no response arrives after all attempts.
    pub async fn delete(&self, kind: &'static Kind, id: &Id) -> Result<(), Error> {
        if let Some(nothing) = kind.empty_body() {
            return self.write(kind, id, &nothing).await.map(drop);
        }
        self.transport.send(&Request::new(Method::DELETE, kind.path_of(id.as_str()))).await.map(drop)
    }

    /// Adds elements to a child's list and removes others, in as many requests as the kind requires.
    ///
    /// Both are idempotent, so an interrupted change is repeated as a whole.
    ///
    /// # Errors
    ///
    /// If the tenant refuses, or no response arrives after all attempts.
    ///
    /// # Panics
    ///
    /// If the kind is not a child.
    pub(crate) async fn update_elements(&self, kind: &Kind, parent: &Id, added: &[Value], removed: &[Value]) -> Result<(), Error> {
        let Shape::Child { element_changes, .. } = kind.shape else { unreachable!("only a child has elements") };
        for request in element_requests(kind, element_changes, parent, added, removed) {
            self.transport.send(&request).await?;
        }
        Ok(())
    }
}

/// Returns the body to send: without fields that are in the path, and as a bare array if the API requires that.
fn request_body(kind: &Kind, body: &Body) -> Value {
    let mut body = body.clone();
    for field in kind.path_fields() {
        body.0.remove(field);
    }
    if kind.quirks.list_field.is_empty() { body.into_value() } else { body.0.remove(kind.quirks.list_field).unwrap_or_else(|| json!([])) }
}

/// Returns the requests that change a child's list. Adding an existing element or removing a missing one has no effect.
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

/// Returns the requests that change a list of named elements: an element whose name stays the same is updated rather
/// than replaced.
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
