//! References: which of them the target can resolve, and what is skipped because of the others.
//!
//! A list loses an element whose reference cannot be resolved; an object with such a reference is skipped, and so is a
//! resource if the reference is in its key, a required field or a text of a new resource. Everything left out is
//! reported.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::decision::Unplanned;
use super::reason::{ProtectedBy, Reason};
use crate::catalog::{Kind, Reference, ReferencedBy};
use crate::json::{Body, is_blank, top};
use crate::model::resource::{Key, OpenResource, Resource};
use crate::snapshot::id_substitution;

/// A resource that may be planned.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'inputs> {
    /// The desired resource; copied only if it is modified.
    pub(super) wanted: Cow<'inputs, Resource>,
    /// The target's resource, under the key it should have.
    pub(super) held: Option<&'inputs Resource>,
}

/// A candidate with its bodies unpacked for modification.
#[derive(Debug)]
pub(super) struct OpenCandidate<'inputs> {
    /// The desired resource.
    pub(super) wanted: OpenResource,
    /// The target's resource.
    pub(super) held: Option<&'inputs Resource>,
    is_changed: bool,
}

impl OpenCandidate<'_> {
    fn body_mut(&mut self) -> &mut Body {
        self.is_changed = true;
        &mut self.wanted.body
    }

    /// Sets the desired value at a path.
    pub(super) fn set(&mut self, path: &str, value: Value) {
        self.body_mut().set(path, value);
    }

    /// Copies the value at a path from another body, or removes it if that has none.
    pub(super) fn keep(&mut self, path: &str, held: Option<&Body>) {
        let nothing = Body::new();
        self.body_mut().take_over(path, held.unwrap_or(&nothing));
    }
}

impl<'inputs> Candidate<'inputs> {
    /// Returns the candidate with its bodies unpacked.
    pub(super) fn open(&self) -> OpenCandidate<'inputs> {
        OpenCandidate { wanted: self.wanted.open(), held: self.held, is_changed: false }
    }

    /// Returns whether the target's resource equals the desired one.
    pub(super) fn is_equal(&self) -> bool {
        self.held.is_some_and(|held| held.body == self.wanted.body)
    }

    /// Adopts the modified, unpacked candidate.
    pub(super) fn take_over(&mut self, examined: OpenCandidate<'inputs>) {
        if examined.is_changed {
            self.wanted = Cow::Owned(examined.wanted.pack());
        }
    }
}

/// The result of resolving a candidate's references.
#[derive(Debug)]
pub(super) enum Resolution {
    /// It can be planned without these parts.
    Fits(Vec<Unplanned>),
    /// It cannot be planned, for this reason.
    LeftOut(Reason),
}

/// Removes unresolvable references from a candidate; `is_there` returns whether the target will have a key.
pub(super) fn resolve(kind: &Kind, candidate: &mut OpenCandidate<'_>, is_there: &dyn Fn(&Key) -> bool) -> Resolution {
    let key = candidate.wanted.key.clone();
    if let Some(settled) = id_substitution::with_known_names(kind, &candidate.wanted.body, is_there) {
        *candidate.body_mut() = settled;
    }
    let mut skipped = Vec::new();
    let equal = equal_fields(candidate);
    for reference in kind.references.iter().filter(|reference| !equal.contains(top(reference.path))) {
        for (path, reason) in unresolved(&candidate.wanted.body, reference, is_there) {
            let path = match part_of(kind, &path) {
                RemovablePart::Element(list, at) => {
                    drop_element(candidate.body_mut(), &list, at);
                    path
                }
                RemovablePart::Object(object) => {
                    keep_held(candidate, &object);
                    object
                }
                RemovablePart::Whole => return Resolution::LeftOut(reason),
            };
            skipped.push(Unplanned::field(&key, path, reason));
        }
    }
    if let Some((field, reason)) = unresolved_text(&candidate.wanted.body, is_there) {
        if candidate.held.is_none() {
            return Resolution::LeftOut(reason);
        }
        keep_held(candidate, &field);
        skipped.push(Unplanned::field(&key, field, reason));
    }
    Resolution::Fits(skipped)
}

/// Returns the fields that are equal on both sides: they are not written, so their references do not matter.
fn equal_fields(candidate: &OpenCandidate<'_>) -> HashSet<String> {
    let held = candidate.held.map(|held| held.body.open()).unwrap_or_default();
    let is_equal = |(name, value): &(&String, &Value)| held.0.get(*name) == Some(*value);
    candidate.wanted.body.0.iter().filter(is_equal).map(|(name, _)| name.clone()).collect()
}

/// Keeps the target's own choice where the source has none (its own domain in place of a name); returns the kept
/// fields.
pub(super) fn keep_target_choices(kind: &Kind, candidate: &mut OpenCandidate<'_>) -> Vec<Unplanned> {
    let by_name = kind.references.iter().filter(|reference| reference.by == ReferencedBy::Key);
    let own =
        by_name.flat_map(|reference| candidate.wanted.body.find(reference.path)).filter(|(_, value)| id_substitution::is_the_tenant(value));
    let own: Vec<String> = own.map(|(path, _)| path).filter(|path| !path.contains('[')).collect();
    let Some(held) = candidate.held.map(|held| held.body.open()).filter(|_| !own.is_empty()) else { return Vec::new() };
    let is_chosen = |path: &String| held.get(path).is_some_and(|value| !is_blank(value) && !id_substitution::is_the_tenant(value));
    let chosen: Vec<String> = own.into_iter().filter(is_chosen).collect();
    let stays = |path: String| {
        keep_held(candidate, &path);
        Unplanned::field(&candidate.wanted.key, path, Reason::TargetChose)
    };
    chosen.into_iter().map(stays).collect()
}

/// Removes elements that refer to excluded resources from the sets and extensible lists of a candidate; returns them.
///
/// # Errors
///
/// The excluded resource that the candidate belongs to, if there is one.
pub(super) fn spare(kind: &Kind, candidate: &mut OpenCandidate<'_>, alone: &HashSet<Key>) -> Result<Vec<Unplanned>, Reason> {
    if alone.is_empty() {
        return Ok(Vec::new());
    }
    let body = &candidate.wanted.body;
    let belongs =
        kind.identity.key.iter().filter_map(|path| body.get(path)).flat_map(id_substitution::mentioned).find(|key| alone.contains(key));
    if let Some(owner) = belongs {
        return Err(Reason::Protected { root: owner, by: ProtectedBy::Belonging });
    }
    let mut spared = Vec::new();
    for path in kind.lists.unordered.iter().chain(kind.quirks.ordered_merge) {
        let Some(Value::Array(elements)) = candidate.wanted.body.get(path) else { continue };
        let of_alone = |element: &Value| id_substitution::mentioned(element).into_iter().find(|key| alone.contains(key));
        let named: Vec<(usize, Key)> =
            elements.iter().enumerate().filter_map(|(at, element)| of_alone(element).map(|key| (at, key))).collect();
        if named.is_empty() {
            continue;
        }
        let kept = elements.iter().filter(|element| of_alone(element).is_none()).cloned().collect();
        spared.extend(named.into_iter().rev().map(|(at, root)| {
            let reason = Reason::Protected { root, by: ProtectedBy::Reference };
            Unplanned::field(&candidate.wanted.key, format!("{path}[{at}]"), reason)
        }));
        candidate.body_mut().set(path, Value::Array(kept));
    }
    Ok(spared)
}

/// Returns the concrete paths of a reference that cannot be resolved, last first, with the reason.
fn unresolved(body: &Body, reference: &Reference, is_there: &dyn Fn(&Key) -> bool) -> Vec<(String, Reason)> {
    let reason = |value: &Value| match id_substitution::as_reference(value) {
        _ if is_blank(value) || id_substitution::is_the_tenant(value) => None,
        Some(key) if is_there(&key) => None,
        Some(key) => Some(Reason::Refers(key)),
        None if reference.by == ReferencedBy::Within => None,
        None => Some(Reason::Dangles { to: reference.to, value: value.to_string() }),
    };
    let found = body.find(reference.path).into_iter().rev();
    found.filter_map(|(path, value)| reason(value).map(|reason| (path, reason))).collect()
}

/// The smallest part of a resource that can be removed together with a reference.
enum RemovablePart {
    /// The element of this list at this index.
    Element(String, usize),
    /// The object or field at this path.
    Object(String),
    /// The resource itself.
    Whole,
}

/// Returns the smallest part that can be removed together with the reference at this path.
fn part_of(kind: &Kind, path: &str) -> RemovablePart {
    if let Some((list, rest)) = path.split_once('[') {
        let at = rest.split(']').next().and_then(|at| at.parse().ok()).unwrap_or_default();
        return RemovablePart::Element(list.to_owned(), at);
    }
    if kind.identity.key.contains(&path) || kind.fields.required.contains(&path) {
        return RemovablePart::Whole;
    }
    let object = path.rsplit_once('.').map_or(path, |(object, _)| object);
    RemovablePart::Object(object.to_owned())
}

fn drop_element(body: &mut Body, list: &str, at: usize) {
    body.change(list, &mut |value| {
        if let Value::Array(elements) = value
            && at < elements.len()
        {
            elements.remove(at);
        }
    });
}

/// Keeps the target's value at a path.
pub(super) fn keep_held(candidate: &mut OpenCandidate<'_>, path: &str) {
    let held = candidate.held.map(|held| held.body.open()).unwrap_or_default();
    candidate.body_mut().take_over(path, &held);
}

/// Returns the first field whose text mentions what the target will not have, with the reason.
fn unresolved_text(body: &Body, is_there: &dyn Fn(&Key) -> bool) -> Option<(String, Reason)> {
    body.0.iter().find_map(|(field, value)| {
        let missing = id_substitution::mentioned(value).into_iter().find(|key| !is_there(key));
        let reason = missing.map(|missing| Reason::Mentions { field: field.clone(), missing }).or_else(|| {
            let text = id_substitution::invalid_key_in(value)?;
            Some(Reason::NoKind { field: field.clone(), text })
        })?;
        Some((field.clone(), reason))
    })
}

/// Adds the target's elements that refer to resources only the target has to the sets and extensible lists of a
/// candidate.
///
/// A client that exists only in production must not lose its connection because development does not know it.
pub(super) fn keep_elements_of_the_target(kind: &Kind, candidate: &mut OpenCandidate<'_>, source_has: &HashSet<&Key>) {
    let Some(held) = candidate.held.map(|held| held.body.open()) else { return };
    for path in kind.lists.unordered.iter().chain(kind.quirks.ordered_merge) {
        let Some(Value::Array(held)) = held.get(path) else { continue };
        let of_the_target = |element: &&Value| {
            let mentioned = id_substitution::mentioned(element);
            !mentioned.is_empty() && mentioned.iter().any(|key| !source_has.contains(key))
        };
        let wanted = candidate.wanted.body.get(path).and_then(Value::as_array).cloned().unwrap_or_default();
        let kept: Vec<Value> = held.iter().filter(of_the_target).filter(|element| !wanted.contains(element)).cloned().collect();
        if kept.is_empty() {
            continue;
        }
        candidate.body_mut().set(path, Value::Array(insert_in_order(wanted, held, &kept)));
    }
}

/// Inserts kept elements into a desired list at their position in the target: after their predecessor there, otherwise
/// before their successor, otherwise at the end.
pub(super) fn insert_in_order(mut wanted: Vec<Value>, held: &[Value], kept: &[Value]) -> Vec<Value> {
    let place = |list: &[Value], element: &Value| {
        let mentioned = id_substitution::mentioned(element);
        list.iter().position(|one| one == element || id_substitution::mentioned(one) == mentioned)
    };
    for (at, element) in held.iter().enumerate().filter(|(_, element)| kept.contains(element)) {
        let behind = held[..at].iter().rev().find_map(|before| place(&wanted, before)).map(|place| place + 1);
        let before = || held[at + 1..].iter().filter(|next| !kept.contains(next)).find_map(|next| place(&wanted, next));
        let at = behind.or_else(before).unwrap_or(wanted.len());
        wanted.insert(at, element.clone());
    }
    wanted
}
