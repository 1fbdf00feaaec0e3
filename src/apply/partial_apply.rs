//! Applies as much of a refused change as the target accepts.
//!
//! First it omits what the error message names. If that does not help, it sends halves: parts that are refused alone
//! are omitted, and the rest is applied. The number of requests is bounded; untried parts are omitted too, and the next
//! run plans them again.

use super::altered_values::AlteredValue;
use super::partial_change::{Omission, Omissions, PartialChange};
use super::refused_fields::{BodyPart, mentioned};
use super::requests::{ResolvedChange, SendResult, Sender};
use crate::catalog::{ElementChanges, Kind, Shape, Write};
use crate::management_api::Error;
use crate::model::event::{Outcome, Shortfall};
use crate::model::resource::Id;

/// The maximum number of requests per change after the first.
const MOST: usize = 30;

/// Error codes about the request as a whole.
const OF_THE_WHOLE: [&str; 5] =
    ["invalid_uri", "operation_not_supported", "insufficient_scope", "too_many_entities", "invalid_query_string"];

/// Sends a change, or as much of it as the target accepts.
pub(super) async fn send(sender: Sender<'_>, ready: &ResolvedChange) -> SendResult {
    let first = sender.attempt(ready).await;
    if let (ResolvedChange::Elements { .. }, Some(refusal)) = (ready, &first.refusal) {
        return if is_about_elements(refusal) { ElementSearch::new(sender, ready).send(first).await } else { first };
    }
    let by_name = match ready {
        // A keyed resource is written like any other update.
        ResolvedChange::Create { body, .. } if sender.kind.creation().is_none() => sender
            .kind
            .id_of(body)
            .map(|id| ResolvedChange::Update { id: Id::new(id), body: body.clone(), edits: Vec::new(), secrets: Vec::new() }),
        _ => None,
    };
    let draft = PartialChange { kind: sender.kind, ready: by_name.as_ref().unwrap_or(ready) };
    if !is_about_parts(&draft, &first) {
        return first;
    }
    BodySearch { sender, draft, left: Omissions::new(), messages: Vec::new(), altered: Vec::new(), requests: 0 }.send(first).await
}

/// Returns whether an error may be about part of a body, so that sending the rest is worthwhile.
fn is_about_parts(draft: &PartialChange<'_>, sent: &SendResult) -> bool {
    let Some(Error::Refused { request, status: 400 | 402 | 403 | 413 | 422, code, .. }) = &sent.refusal else { return false };
    // A follow-up and a preceding request are separate requests.
    let is_the_write = match (draft.is_posted(), draft.kind.paths.write) {
        (true, _) => request.starts_with("POST "),
        (false, Write::Patch) => request.starts_with("PATCH "),
        (false, Write::Put) => request.starts_with("PUT "),
    };
    is_the_write && !OF_THE_WHOLE.contains(&code.as_str())
}

fn is_about_elements(refusal: &Error) -> bool {
    matches!(refusal, Error::Refused { status: 400 | 402 | 403 | 404 | 409 | 413 | 422, code, .. } if !OF_THE_WHOLE.contains(&code.as_str()))
}

fn message_of(sent: &SendResult) -> String {
    sent.outcome.message().unwrap_or_default().to_owned()
}

/// Searches for the largest part of a body that the target accepts.
struct BodySearch<'run> {
    sender: Sender<'run>,
    draft: PartialChange<'run>,
    left: Omissions,
    /// The error messages about the omitted parts.
    messages: Vec<String>,
    /// Values that the target stored differently.
    altered: Vec<AlteredValue>,
    requests: usize,
}

impl BodySearch<'_> {
    async fn send(mut self, first: SendResult) -> SendResult {
        let mut last = first;
        loop {
            match self.retry_without_named_parts(&last).await {
                Some(sent) if is_about_parts(&self.draft, &sent) => last = sent,
                Some(sent) => return self.into_result(sent),
                None => break,
            }
        }
        if self.draft.is_posted() { self.create_in_part(last).await } else { self.send_in_halves(last).await }
    }

    /// Retries without the parts that the error names, one name after the other; `None` if that changes nothing.
    async fn retry_without_named_parts(&mut self, refused: &SendResult) -> Option<SendResult> {
        let message = message_of(refused);
        for group in self.named(refused) {
            let mut left = self.left.clone();
            for part in group {
                left.entry(part).and_modify(|aside| *aside = Omission::NotSent).or_insert(Omission::PreviousValue);
            }
            let Some(ready) = self.draft.without(&left, None).filter(|_| left != self.left && self.requests < MOST) else { continue };
            let sent = self.attempt(&ready).await;
            // The same message again, so this was not the cause.
            if message_of(&sent) != message || !is_about_parts(&self.draft, &sent) {
                self.left = left;
                self.note(message);
                return Some(sent);
            }
        }
        None
    }

    /// Returns the optional parts that an error names, first those that the subscription is known to lack.
    fn named(&self, refused: &SendResult) -> Vec<Vec<BodyPart>> {
        let (Some(body), Some(refusal)) = (self.draft.body(), &refused.refusal) else { return Vec::new() };
        let gated = |field: &&&str| refusal.is_unentitled() && body.0.contains_key(**field);
        let gated: Vec<BodyPart> = self.draft.kind.entitlements.iter().filter(gated).map(|field| BodyPart::field(*field)).collect();
        let Error::Refused { message, .. } = refusal else { return Vec::new() };
        let as_one = |part| self.draft.enclosing_part(part);
        let optional = |group: Vec<BodyPart>| group.into_iter().map(as_one).filter(|part| self.draft.is_optional(part)).collect::<Vec<_>>();
        let groups = std::iter::once(gated).chain(mentioned(self.draft.kind, body, message)).map(optional);
        groups.filter(|group| !group.is_empty() && !group.iter().all(|part| self.left.get(part) == Some(&Omission::NotSent))).collect()
    }

    async fn attempt(&mut self, ready: &ResolvedChange) -> SendResult {
        self.requests += 1;
        let sent = self.sender.attempt_now(ready).await;
        self.altered.extend(sent.altered.iter().cloned());
        sent
    }

    async fn attempt_until_visible(&mut self, ready: &ResolvedChange) -> SendResult {
        self.requests += 1;
        let sent = self.sender.attempt_until_visible(ready).await;
        self.altered.extend(sent.altered.iter().cloned());
        sent
    }

    fn note(&mut self, message: String) {
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// Sends an update in halves, and refused halves in halves again.
    async fn send_in_halves(mut self, refused: SendResult) -> SendResult {
        let paths = self.draft.paths(&self.left);
        let is_any_left = !self.left.is_empty();
        if paths.len() < 2 && !is_any_left {
            return refused;
        }
        let mut pieces = halves_of(&paths);
        let mut arrived = false;
        let mut id = None;
        while let Some(piece) = pieces.pop() {
            let is_spent = self.requests >= MOST;
            let mut left = self.left.clone();
            left.extend(pieces.iter().flatten().map(|path| (BodyPart::field(path.as_str()), Omission::PreviousValue)));
            let ready = self.draft.without(&left, Some(&piece)).filter(|_| !is_spent);
            let Some(ready) = ready else {
                self.omit(piece);
                continue;
            };
            let sent = self.attempt(&ready).await;
            match &sent.outcome {
                Outcome::Applied(of) => (arrived, id) = (true, Some(of.clone())),
                // This response says nothing about the body: the token expired, or the tenant is down.
                Outcome::Failed(_) if !is_about_parts(&self.draft, &sent) => return sent,
                Outcome::Failed(message) if piece.len() == 1 => {
                    self.note(message.clone());
                    self.omit(piece);
                }
                Outcome::Failed(_) if is_refused_regardless(&refused, &sent) && !arrived => return refused,
                Outcome::Failed(_) => pieces.extend(halves_of(&piece)),
                _ => return sent,
            }
        }
        match id {
            Some(id) => {
                self.note_if_none(&refused);
                self.into_result(Outcome::Applied(id).into())
            }
            None => refused,
        }
    }

    fn omit(&mut self, paths: Vec<String>) {
        self.left.extend(paths.into_iter().map(|path| (BodyPart::field(path), Omission::PreviousValue)));
    }

    fn note_if_none(&mut self, refused: &SendResult) {
        if self.messages.is_empty() {
            self.messages.push(message_of(refused));
        }
    }

    /// Creates a resource without some parts and sends those as updates, since a create can succeed only once.
    async fn create_in_part(mut self, refused: SendResult) -> SendResult {
        let paths: Vec<String> = self.draft.paths(&self.left).into_iter().filter(|path| !self.draft.is_only_created(path)).collect();
        let mut suspects = paths.clone();
        while suspects.len() > 1 && self.requests < MOST / 2 {
            let mut both = halves_of(&suspects);
            let (first, second) = (both.pop().unwrap_or_default(), both.pop().unwrap_or_default());
            let Some(sent) = self.create_without(&first).await else { break };
            match &sent.outcome {
                Outcome::Failed(_) => suspects = second,
                _ => return self.update_with_rest(sent, &refused, first).await,
            }
        }
        for without in [suspects, paths] {
            if without.is_empty() || self.requests >= MOST {
                continue;
            }
            let Some(sent) = self.create_without(&without).await else { continue };
            match &sent.outcome {
                Outcome::Failed(_) if is_refused_regardless(&refused, &sent) => return refused,
                Outcome::Failed(_) => {}
                _ => return self.update_with_rest(sent, &refused, without).await,
            }
        }
        refused
    }

    async fn create_without(&mut self, paths: &[String]) -> Option<SendResult> {
        let mut left = self.left.clone();
        left.extend(paths.iter().map(|path| (BodyPart::field(path.as_str()), Omission::PreviousValue)));
        let ready = self.draft.without(&left, None)?;
        Some(self.attempt(&ready).await)
    }

    /// Sends the parts that a resource was created without.
    async fn update_with_rest(mut self, created: SendResult, refused: &SendResult, rest: Vec<String>) -> SendResult {
        let Outcome::Applied(id) = &created.outcome else { return created };
        self.note_if_none(refused);
        let later = self.draft.follow_up_update(id).filter(|_| rest.len() > 1 && self.draft.kind.paths.write == Write::Patch);
        let Some(later) = later else {
            self.omit(rest);
            return self.into_result(created);
        };
        let mut pieces = halves_of(&rest);
        let mut is_first = true;
        while let Some(piece) = pieces.pop() {
            let draft = PartialChange { kind: self.draft.kind, ready: &later };
            let mut left = self.left.clone();
            left.extend(pieces.iter().flatten().map(|path| (BodyPart::field(path.as_str()), Omission::PreviousValue)));
            let ready = draft.without(&left, Some(&piece)).filter(|_| self.requests < MOST);
            let outcome = match ready {
                // Only the first request waits until the new resource is visible.
                Some(ready) if std::mem::take(&mut is_first) => self.attempt_until_visible(&ready).await.outcome,
                Some(ready) => self.attempt(&ready).await.outcome,
                None => Outcome::Failed(String::new()),
            };
            match outcome {
                Outcome::Applied(_) => {}
                Outcome::Failed(message) if piece.len() > 1 && !message.is_empty() => pieces.extend(halves_of(&piece)),
                _ => self.omit(piece),
            }
        }
        self.into_result(created)
    }

    /// Returns the final result: partial, if something was omitted.
    fn into_result(self, mut sent: SendResult) -> SendResult {
        let parts = self.draft.missing(&self.left);
        sent.altered = self.altered;
        if let (Outcome::Applied(id), false) = (&sent.outcome, parts.is_empty()) {
            let message = format!("without {}: {}", parts.join(", "), self.messages.join("; "));
            sent.outcome = Outcome::Partial(id.clone(), Shortfall { parts, message });
        }
        sent
    }
}

/// Returns whether a request is refused regardless of its content: half of it got the same message, which is about the
/// subscription.
fn is_refused_regardless(whole: &SendResult, part: &SendResult) -> bool {
    whole.refusal.as_ref().is_some_and(Error::is_unentitled) && message_of(whole) == message_of(part)
}

/// Splits a list in two, last half first; a single element is not split.
fn halves<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    split_at(all, all.len().div_ceil(2))
}

/// Splits sorted paths in two, last half first; paths below the same top-level field are separated only if there are no
/// others.
fn halves_of(paths: &[String]) -> Vec<Vec<String>> {
    let field = |at: usize| paths.get(at).and_then(|path| path.split('.').next());
    let begins = |at: &usize| field(*at) != field(*at - 1);
    let middle = paths.len().div_ceil(2);
    let nearest = (1..paths.len()).filter(begins).min_by_key(|at| at.abs_diff(middle));
    split_at(paths, nearest.unwrap_or(middle))
}

fn split_at<T: Clone>(all: &[T], at: usize) -> Vec<Vec<T>> {
    if all.len() < 2 {
        return vec![all.to_vec()];
    }
    let (first, second) = all.split_at(at);
    vec![second.to_vec(), first.to_vec()]
}

/// Searches for the elements of a child's list that the target accepts.
struct ElementSearch<'run> {
    sender: Sender<'run>,
    ready: &'run ResolvedChange,
    requests: usize,
}

/// Elements with the same key, sent in one request: their indexes among the added and the removed ones.
type ElementGroup = (Vec<usize>, Vec<usize>);

impl<'run> ElementSearch<'run> {
    fn new(sender: Sender<'run>, ready: &'run ResolvedChange) -> Self {
        Self { sender, ready, requests: 0 }
    }

    async fn send(mut self, refused: SendResult) -> SendResult {
        let ResolvedChange::Elements { parent, added, removed } = self.ready else { return refused };
        let units = units(self.sender.kind, added, removed);
        if units.len() < 2 {
            return refused;
        }
        let (mut pieces, mut missing, mut messages) = (halves(&units), Vec::new(), Vec::new());
        let mut has_arrived = false;
        while let Some(piece) = pieces.pop() {
            if self.requests >= MOST {
                missing.extend(piece);
                continue;
            }
            self.requests += 1;
            let pick = |places: fn(&ElementGroup) -> &Vec<usize>, list: &[serde_json::Value]| {
                piece.iter().flat_map(places).map(|at| list[*at].clone()).collect::<Vec<_>>()
            };
            let part = ResolvedChange::Elements {
                parent: parent.clone(),
                added: pick(|unit| &unit.0, added),
                removed: pick(|unit| &unit.1, removed),
            };
            let sent = self.sender.attempt_now(&part).await;
            match &sent.outcome {
                Outcome::Applied(_) => has_arrived = true,
                Outcome::Failed(_) if !sent.refusal.as_ref().is_some_and(is_about_elements) => return sent,
                Outcome::Failed(said) if piece.len() == 1 => {
                    missing.extend(piece);
                    if !messages.contains(said) {
                        messages.push(said.clone());
                    }
                }
                // If the parent is missing, every half is refused with the same message.
                Outcome::Failed(_) if !has_arrived && is_of_the_parent(&refused, &sent) => return refused,
                Outcome::Failed(_) => pieces.extend(halves(&piece)),
                _ => return sent,
            }
        }
        if !has_arrived {
            return refused;
        }
        if missing.is_empty() {
            return Outcome::Applied(parent.clone()).into();
        }
        if messages.is_empty() {
            messages.push(message_of(&refused));
        }
        let shown = |places: Vec<usize>, list: &[serde_json::Value]| places.into_iter().map(|at| shown(&list[at])).collect::<Vec<_>>();
        let of = |places: fn(&ElementGroup) -> &Vec<usize>| missing.iter().flat_map(places).copied().collect::<Vec<_>>();
        let names = [shown(of(|unit| &unit.0), added), shown(of(|unit| &unit.1), removed)].concat();
        let parts = of(|unit| &unit.0).into_iter().map(|at| format!("added[{at}]"));
        let parts = parts.chain(of(|unit| &unit.1).into_iter().map(|at| format!("removed[{at}]"))).collect();
        let message = format!("without {}: {}", names.join(", "), messages.join("; "));
        Outcome::Partial(parent.clone(), Shortfall { parts, message }).into()
    }
}

fn is_of_the_parent(whole: &SendResult, part: &SendResult) -> bool {
    let is_missing = whole.refusal.as_ref().is_some_and(Error::is_not_found);
    (is_missing || whole.refusal.as_ref().is_some_and(Error::is_unentitled)) && message_of(whole) == message_of(part)
}

/// Returns the texts in an element, for display.
fn shown(element: &serde_json::Value) -> String {
    match element {
        serde_json::Value::Object(fields) => {
            let texts: Vec<&str> = fields.values().filter_map(serde_json::Value::as_str).collect();
            texts.join(" · ")
        }
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the groups of elements that may be sent separately. Added and removed elements with the same key form one
/// group.
fn units(kind: &Kind, added: &[serde_json::Value], removed: &[serde_json::Value]) -> Vec<ElementGroup> {
    let by = match kind.shape {
        Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } => Some(by),
        _ => None,
    };
    let mut gone: Vec<usize> = (0..removed.len()).collect();
    let mut units: Vec<ElementGroup> = Vec::new();
    for (at, element) in added.iter().enumerate() {
        let same = |place: &mut usize| by.is_some_and(|by| removed[*place][by] == element[by]);
        units.push((vec![at], gone.extract_if(.., same).collect()));
    }
    units.extend(gone.into_iter().map(|at| (Vec::new(), vec![at])));
    units
}
