//! A change that the target refuses -> as much of it as it takes.
//!
//! First without what the refusal names, then, where it names nothing, in halves: what is refused by itself is left away, and all else
//! arrives. A bounded number of requests is spent on it; what was not tried by then is left away too, and wanted again next time.

use super::altered::AlteredValue;
use super::draft::{Aside, Draft, Left};
use super::mentions::{Part, mentioned};
use super::requests::{Ready, Sender, Sending};
use crate::catalog::{ElementChanges, Kind, Shape, Write};
use crate::management_api::Error;
use crate::model::event::{Outcome, Shortfall};
use crate::model::resource::Id;

/// Requests spent on one change besides the first.
const MOST: usize = 30;

/// Codes of refusals that are about the whole, whatever it holds.
const OF_THE_WHOLE: [&str; 5] =
    ["invalid_uri", "operation_not_supported", "insufficient_scope", "too_many_entities", "invalid_query_string"];

/// Sends a change, or as much of it as the target takes.
pub(super) async fn send(sender: Sender<'_>, ready: &Ready) -> Sending {
    let first = sender.attempt(ready).await;
    if let (Ready::Elements { .. }, Some(refusal)) = (ready, &first.refusal) {
        return if is_about_elements(refusal) { Elements::new(sender, ready).send(first).await } else { first };
    }
    let by_name = match ready {
        // What is there by being written is written like any other update.
        Ready::Create { body, .. } if sender.kind.creation().is_none() => {
            sender.kind.id_of(body).map(|id| Ready::Update { id: Id::new(id), body: body.clone(), edits: Vec::new(), secrets: Vec::new() })
        }
        _ => None,
    };
    let draft = Draft { kind: sender.kind, ready: by_name.as_ref().unwrap_or(ready) };
    if !is_about_parts(&draft, &first) {
        return first;
    }
    Narrowing { sender, draft, left: Left::new(), words: Vec::new(), altered: Vec::new(), requests: 0 }.send(first).await
}

/// Returns whether a refusal may be about part of what was sent, so that the rest is worth another request.
fn is_about_parts(draft: &Draft<'_>, sent: &Sending) -> bool {
    let Some(Error::Refused { request, status: 400 | 402 | 403 | 413 | 422, code, .. }) = &sent.refusal else { return false };
    // What follows a write, or precedes it, is another request.
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

fn words_of(sent: &Sending) -> String {
    sent.outcome.message().unwrap_or_default().to_owned()
}

/// The search for what the target takes of a body.
struct Narrowing<'run> {
    sender: Sender<'run>,
    draft: Draft<'run>,
    left: Left,
    /// What the target said of what was left away.
    words: Vec<String>,
    /// What the target made of what it took.
    altered: Vec<AlteredValue>,
    requests: usize,
}

impl Narrowing<'_> {
    async fn send(mut self, first: Sending) -> Sending {
        let mut last = first;
        loop {
            match self.without_what_is_named(&last).await {
                Some(sent) if is_about_parts(&self.draft, &sent) => last = sent,
                Some(sent) => return self.ended(sent),
                None => break,
            }
        }
        if self.draft.is_posted() { self.create_in_part(last).await } else { self.in_pieces(last).await }
    }

    /// Sends it again without what the refusal names, one name after the other; nothing where that changes nothing.
    async fn without_what_is_named(&mut self, refused: &Sending) -> Option<Sending> {
        let words = words_of(refused);
        for group in self.named(refused) {
            let mut left = self.left.clone();
            for part in group {
                left.entry(part).and_modify(|aside| *aside = Aside::Gone).or_insert(Aside::Held);
            }
            let Some(ready) = self.draft.without(&left, None).filter(|_| left != self.left && self.requests < MOST) else { continue };
            let sent = self.attempt(&ready).await;
            // The same words again: it was not that.
            if words_of(&sent) != words || !is_about_parts(&self.draft, &sent) {
                self.left = left;
                self.note(words);
                return Some(sent);
            }
        }
        None
    }

    /// Returns the parts that a refusal names and that can be left away: at first those that the subscription is known to lack.
    fn named(&self, refused: &Sending) -> Vec<Vec<Part>> {
        let (Some(body), Some(refusal)) = (self.draft.body(), &refused.refusal) else { return Vec::new() };
        let gated = |field: &&&str| refusal.is_unentitled() && body.0.contains_key(**field);
        let gated: Vec<Part> = self.draft.kind.entitlements.iter().filter(gated).map(|field| Part::field(*field)).collect();
        let Error::Refused { message, .. } = refusal else { return Vec::new() };
        let as_one = |part| self.draft.as_one(part);
        let optional = |group: Vec<Part>| group.into_iter().map(as_one).filter(|part| self.draft.is_optional(part)).collect::<Vec<_>>();
        let groups = std::iter::once(gated).chain(mentioned(self.draft.kind, body, message)).map(optional);
        groups.filter(|group| !group.is_empty() && !group.iter().all(|part| self.left.get(part) == Some(&Aside::Gone))).collect()
    }

    async fn attempt(&mut self, ready: &Ready) -> Sending {
        self.requests += 1;
        let sent = self.sender.attempt_now(ready).await;
        self.altered.extend(sent.altered.iter().cloned());
        sent
    }

    async fn attempt_patiently(&mut self, ready: &Ready) -> Sending {
        self.requests += 1;
        let sent = self.sender.attempt_patiently(ready).await;
        self.altered.extend(sent.altered.iter().cloned());
        sent
    }

    fn note(&mut self, words: String) {
        if !self.words.contains(&words) {
            self.words.push(words);
        }
    }

    /// Sends an update in halves, and what is refused of those in halves again.
    async fn in_pieces(mut self, refused: Sending) -> Sending {
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
            left.extend(pieces.iter().flatten().map(|path| (Part::field(path.as_str()), Aside::Held)));
            let ready = self.draft.without(&left, Some(&piece)).filter(|_| !is_spent);
            let Some(ready) = ready else {
                self.leave(piece);
                continue;
            };
            let sent = self.attempt(&ready).await;
            match &sent.outcome {
                Outcome::Applied(of) => (arrived, id) = (true, Some(of.clone())),
                // Neither a part nor the whole was judged: a token that ended, a tenant that is down.
                Outcome::Failed(_) if !is_about_parts(&self.draft, &sent) => return sent,
                Outcome::Failed(words) if piece.len() == 1 => {
                    self.note(words.clone());
                    self.leave(piece);
                }
                Outcome::Failed(_) if is_hopeless(&refused, &sent) && !arrived => return refused,
                Outcome::Failed(_) => pieces.extend(halves_of(&piece)),
                _ => return sent,
            }
        }
        match id {
            Some(id) => {
                self.note_if_none(&refused);
                self.ended(Outcome::Applied(id).into())
            }
            None => refused,
        }
    }

    fn leave(&mut self, paths: Vec<String>) {
        self.left.extend(paths.into_iter().map(|path| (Part::field(path), Aside::Held)));
    }

    fn note_if_none(&mut self, refused: &Sending) {
        if self.words.is_empty() {
            self.words.push(words_of(refused));
        }
    }

    /// Creates a resource without part of it, since a create can land only once; the rest is sent in pieces afterwards.
    async fn create_in_part(mut self, refused: Sending) -> Sending {
        let paths: Vec<String> = self.draft.paths(&self.left).into_iter().filter(|path| !self.draft.is_only_created(path)).collect();
        let mut suspects = paths.clone();
        while suspects.len() > 1 && self.requests < MOST / 2 {
            let mut both = halves_of(&suspects);
            let (first, second) = (both.pop().unwrap_or_default(), both.pop().unwrap_or_default());
            let Some(sent) = self.create_without(&first).await else { break };
            match &sent.outcome {
                Outcome::Failed(_) => suspects = second,
                _ => return self.with_the_rest(sent, &refused, first).await,
            }
        }
        for without in [suspects, paths] {
            if without.is_empty() || self.requests >= MOST {
                continue;
            }
            let Some(sent) = self.create_without(&without).await else { continue };
            match &sent.outcome {
                Outcome::Failed(_) if is_hopeless(&refused, &sent) => return refused,
                Outcome::Failed(_) => {}
                _ => return self.with_the_rest(sent, &refused, without).await,
            }
        }
        refused
    }

    async fn create_without(&mut self, paths: &[String]) -> Option<Sending> {
        let mut left = self.left.clone();
        left.extend(paths.iter().map(|path| (Part::field(path.as_str()), Aside::Held)));
        let ready = self.draft.without(&left, None)?;
        Some(self.attempt(&ready).await)
    }

    /// Sends what a resource was created without.
    async fn with_the_rest(mut self, created: Sending, refused: &Sending, rest: Vec<String>) -> Sending {
        let Outcome::Applied(id) = &created.outcome else { return created };
        self.note_if_none(refused);
        let later = self.draft.later(id).filter(|_| rest.len() > 1 && self.draft.kind.paths.write == Write::Patch);
        let Some(later) = later else {
            self.leave(rest);
            return self.ended(created);
        };
        let mut pieces = halves_of(&rest);
        let mut is_first = true;
        while let Some(piece) = pieces.pop() {
            let draft = Draft { kind: self.draft.kind, ready: &later };
            let mut left = self.left.clone();
            left.extend(pieces.iter().flatten().map(|path| (Part::field(path.as_str()), Aside::Held)));
            let ready = draft.without(&left, Some(&piece)).filter(|_| self.requests < MOST);
            let outcome = match ready {
                // What was just created is waited for once: from then on it is seen, or never.
                Some(ready) if std::mem::take(&mut is_first) => self.attempt_patiently(&ready).await.outcome,
                Some(ready) => self.attempt(&ready).await.outcome,
                None => Outcome::Failed(String::new()),
            };
            match outcome {
                Outcome::Applied(_) => {}
                Outcome::Failed(words) if piece.len() > 1 && !words.is_empty() => pieces.extend(halves_of(&piece)),
                _ => self.leave(piece),
            }
        }
        self.ended(created)
    }

    /// Returns how it ended: what arrived without part of what was wanted is reduced by that.
    fn ended(self, mut sent: Sending) -> Sending {
        let parts = self.draft.missing(&self.left);
        sent.altered = self.altered;
        if let (Outcome::Applied(id), false) = (&sent.outcome, parts.is_empty()) {
            let message = format!("without {}: {}", parts.join(", "), self.words.join("; "));
            sent.outcome = Outcome::Partial(id.clone(), Shortfall { parts, message });
        }
        sent
    }
}

/// Returns whether what was sent is refused for what it is and not for what it holds: half of it is refused in the same words, and they speak
/// of the subscription.
fn is_hopeless(whole: &Sending, part: &Sending) -> bool {
    whole.refusal.as_ref().is_some_and(Error::is_unentitled) && words_of(whole) == words_of(part)
}

/// Returns two halves of what there is, the first last; what is one alone stays so.
fn halves<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    split_at(all, all.len().div_ceil(2))
}

/// Returns two halves of paths in order, the first last: one field of the body is cut in two only where it is alone.
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

/// The search for the elements of a child's list that the target takes.
struct Elements<'run> {
    sender: Sender<'run>,
    ready: &'run Ready,
    requests: usize,
}

/// Elements that go in one request, since they have one name, by their places in what is added and removed.
type Unit = (Vec<usize>, Vec<usize>);

impl<'run> Elements<'run> {
    fn new(sender: Sender<'run>, ready: &'run Ready) -> Self {
        Self { sender, ready, requests: 0 }
    }

    async fn send(mut self, refused: Sending) -> Sending {
        let Ready::Elements { parent, added, removed } = self.ready else { return refused };
        let units = units(self.sender.kind, added, removed);
        if units.len() < 2 {
            return refused;
        }
        let (mut pieces, mut missing, mut words) = (halves(&units), Vec::new(), Vec::new());
        let mut has_arrived = false;
        while let Some(piece) = pieces.pop() {
            if self.requests >= MOST {
                missing.extend(piece);
                continue;
            }
            self.requests += 1;
            let pick = |places: fn(&Unit) -> &Vec<usize>, list: &[serde_json::Value]| {
                piece.iter().flat_map(places).map(|at| list[*at].clone()).collect::<Vec<_>>()
            };
            let part =
                Ready::Elements { parent: parent.clone(), added: pick(|unit| &unit.0, added), removed: pick(|unit| &unit.1, removed) };
            let sent = self.sender.attempt_now(&part).await;
            match &sent.outcome {
                Outcome::Applied(_) => has_arrived = true,
                Outcome::Failed(_) if !sent.refusal.as_ref().is_some_and(is_about_elements) => return sent,
                Outcome::Failed(said) if piece.len() == 1 => {
                    missing.extend(piece);
                    if !words.contains(said) {
                        words.push(said.clone());
                    }
                }
                // A parent that is not there is refused in the same words for each half.
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
        if words.is_empty() {
            words.push(words_of(&refused));
        }
        let shown = |places: Vec<usize>, list: &[serde_json::Value]| places.into_iter().map(|at| shown(&list[at])).collect::<Vec<_>>();
        let of = |places: fn(&Unit) -> &Vec<usize>| missing.iter().flat_map(places).copied().collect::<Vec<_>>();
        let names = [shown(of(|unit| &unit.0), added), shown(of(|unit| &unit.1), removed)].concat();
        let parts = of(|unit| &unit.0).into_iter().map(|at| format!("added[{at}]"));
        let parts = parts.chain(of(|unit| &unit.1).into_iter().map(|at| format!("removed[{at}]"))).collect();
        let message = format!("without {}: {}", names.join(", "), words.join("; "));
        Outcome::Partial(parent.clone(), Shortfall { parts, message }).into()
    }
}

fn is_of_the_parent(whole: &Sending, part: &Sending) -> bool {
    let is_missing = whole.refusal.as_ref().is_some_and(Error::is_not_found);
    (is_missing || whole.refusal.as_ref().is_some_and(Error::is_unentitled)) && words_of(whole) == words_of(part)
}

/// Returns an element as people know it: the texts that it holds.
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

/// Returns the elements that may be sent one without the other: what comes and goes under one name is one of them.
fn units(kind: &Kind, added: &[serde_json::Value], removed: &[serde_json::Value]) -> Vec<Unit> {
    let by = match kind.shape {
        Shape::Child { element_changes: ElementChanges::AddUpdateRemove { by, .. }, .. } => Some(by),
        _ => None,
    };
    let mut gone: Vec<usize> = (0..removed.len()).collect();
    let mut units: Vec<Unit> = Vec::new();
    for (at, element) in added.iter().enumerate() {
        let same = |place: &mut usize| by.is_some_and(|by| removed[*place][by] == element[by]);
        units.push((vec![at], gone.extract_if(.., same).collect()));
    }
    units.extend(gone.into_iter().map(|at| (Vec::new(), vec![at])));
    units
}
