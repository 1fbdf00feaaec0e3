//! Protected resources, everything that belongs to them, and every reference to them: all stay unchanged in the target.
//!
//! A client's permissions are mostly stored outside the client: in its grants, in connections, in lists of other
//! clients. Protecting a client covers all of these, for every kind, since the catalog's references define what belongs
//! to what and what refers to it. A reference is neither added nor removed.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::decision::Unplanned;
use super::model::{Action, Change};
use super::reason::{ProtectedBy, Reason};
use super::references::{OpenCandidate, insert_in_order};
use crate::catalog::{Kind, Reference, ReferencedBy, Shape};
use crate::json::Body;
use crate::model::resource::{ExclusionReason, Id, Key, Resource};
use crate::snapshot::{belongs_to, id_substitution};

/// The protected resources and everything that belongs to them.
pub(crate) struct Protected {
    reserved: HashMap<Key, ExclusionReason>,
    /// Resources that belong to a protected one, with the latter.
    belongings: HashMap<Key, Key>,
    /// Those that the source has too: list elements that only the target has are kept anyway.
    wanted: HashSet<Key>,
    /// Those in the target, by kind and target id: the edit of a single resource refers to them by id.
    ids: HashMap<(String, String), Key>,
}

/// The smallest part of a resource that can be kept unchanged in the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum ProtectedPart {
    /// Elements of this set or extensible list.
    Elements(&'static str),
    /// This list, whose elements depend on each other.
    List(&'static str),
    /// The object or field at this path.
    Field(&'static str),
}

impl Protected {
    /// Finds the protected resources of both sides and everything that belongs to them.
    pub(crate) fn new(held: &[&Resource], wanted: &[&Resource]) -> Self {
        let all = [held, wanted].concat();
        let reserved: HashMap<Key, ExclusionReason> = all.iter().filter_map(|one| Some((one.key.clone(), one.reserved?))).collect();
        let views = all.iter().filter(|one| one.reserved.is_some()).map(|one| ((one.key.kind().name, &one.id), &one.key)).collect();
        let mut untouched = Self { reserved, belongings: HashMap::new(), wanted: HashSet::new(), ids: HashMap::new() };
        while !untouched.reserved.is_empty() && untouched.add_belongings(&all, &views) {}
        untouched.ids = held.iter().filter_map(|one| Some((untouched.id_of(one)?, one.key.clone()))).collect();
        untouched.wanted = wanted.iter().map(|one| &one.key).filter(|key| untouched.root_of(key).is_some()).cloned().collect();
        untouched
    }

    /// Adds what belongs to the resources known so far; returns whether anything was added.
    fn add_belongings<'held>(&mut self, resources: &[&'held Resource], views: &HashMap<(&'held str, &'held Id), &'held Key>) -> bool {
        let before = self.belongings.len();
        for one in resources {
            let kind = one.key.kind();
            if self.root_of(&one.key).is_some() {
                continue;
            }
            if kind.references.is_empty() && kind.quirks.same_endpoint_as.is_none() && kind.parent().is_none() {
                continue;
            }
            let viewed = kind.quirks.same_endpoint_as.and_then(|of| views.get(&(of, &one.id)).copied());
            let owner = viewed.or_else(|| belongs_to(one).iter().find_map(|owner| self.root_of(owner)));
            if let Some(root) = owner.cloned() {
                self.belongings.insert(one.key.clone(), root);
            }
        }
        self.belongings.len() > before
    }

    /// Returns the protected resource that a key belongs to, which may be the key itself.
    pub(crate) fn root_of(&self, key: &Key) -> Option<&Key> {
        self.reserved.get_key_value(key).map(|(root, _)| root).or_else(|| self.belongings.get(key))
    }

    /// Returns the id of a resource in the target, if it belongs to a protected one.
    fn id_of(&self, one: &Resource) -> Option<(String, String)> {
        let kind = one.key.kind();
        self.root_of(&one.key).map(|_| (kind.name.to_owned(), one.id.own(kind).to_owned()))
    }

    /// Returns the protected resource that a resource belongs to; id and body are those of its tenant.
    pub(super) fn root_of_one(&self, kind: &Kind, id: &Id, body: &Body) -> Option<&Key> {
        let above = if let Shape::Child { parent, .. } = kind.shape { Some(parent) } else { kind.quirks.same_endpoint_as };
        let above = above.and_then(|above| self.ids.get(&(above.to_owned(), id.as_str().to_owned())));
        let identity = kind.references.iter().filter(|reference| is_identity(kind, reference));
        let named = || identity.flat_map(|reference| self.named_at(reference, body)).map(|(_, key)| key).next();
        self.root_of(&above.cloned().or_else(named)?)
    }

    /// Returns the protected resource that a key belongs to.
    pub(super) fn owner_of(&self, key: &Key) -> Option<&Key> {
        self.belongings.get(key)
    }

    /// Restores every reference to protected resources to the target's state and returns the restored paths.
    ///
    /// # Errors
    ///
    /// The protected resource that a candidate refers to, if it cannot be created without that reference.
    pub(super) fn spare(&self, kind: &Kind, candidate: &mut OpenCandidate<'_>) -> Result<Vec<Unplanned>, Reason> {
        let mut spared = Vec::new();
        if self.reserved.is_empty() || kind.references.is_empty() {
            return Ok(spared);
        }
        let held = candidate.held.map(|held| held.body.open());
        for part in parts(kind) {
            let Some((path, root)) = self.differs(kind, &part, &candidate.wanted.body, held.as_ref()) else { continue };
            if held.is_none() && !can_be_without(kind, &part) {
                return Err(Reason::Protected { root, by: ProtectedBy::RequiredReference });
            }
            match part {
                ProtectedPart::Elements(list) => self.restore_elements(kind, list, candidate, held.as_ref()),
                ProtectedPart::List(path) | ProtectedPart::Field(path) => candidate.keep(path, held.as_ref()),
            }
            let reason = Reason::Protected { root, by: ProtectedBy::Reference };
            spared.push(Unplanned::field(&candidate.wanted.key, path, reason));
        }
        Ok(spared)
    }

    /// Returns the path at which two bodies differ in their references to protected resources within a part, and the
    /// resource.
    fn differs(&self, kind: &Kind, part: &ProtectedPart, wanted: &Body, held: Option<&Body>) -> Option<(String, Key)> {
        let nothing = Body::new();
        let held = held.unwrap_or(&nothing);
        match part {
            ProtectedPart::Elements(list) => {
                let (wanted, held) = (self.elements(kind, list, wanted), self.elements(kind, list, held));
                let lacks = |others: &[(usize, &Value, Key)], one: &Value| !others.iter().any(|(_, other, _)| *other == one);
                let added = wanted.iter().find(|(_, one, _)| lacks(&held, one));
                let taken = || held.iter().find(|(_, one, named)| lacks(&wanted, one) && self.wanted.contains(named));
                added.or_else(taken).map(|(at, _, named)| (format!("{list}[{at}]"), named.clone()))
            }
            ProtectedPart::List(list) => {
                let (wanted, held) = (self.elements(kind, list, wanted), self.elements(kind, list, held));
                let is_same = wanted.iter().map(|(_, one, _)| one).eq(held.iter().map(|(_, one, _)| one));
                let named = wanted.iter().chain(&held).map(|(_, _, named)| named).next();
                named.filter(|_| !is_same).map(|named| ((*list).to_owned(), named.clone()))
            }
            ProtectedPart::Field(path) => {
                if wanted.get(path) == held.get(path) {
                    return None;
                }
                let of_part = || kind.references.iter().filter(|reference| part_of(kind, reference) == *part);
                let named = |body: &Body| of_part().find_map(|reference| self.named_at(reference, body).pop()).map(|(_, named)| named);
                named(wanted).or_else(|| named(held)).map(|named| ((*path).to_owned(), named))
            }
        }
    }

    /// Returns the elements of a list that refer to protected resources, with their indexes.
    fn elements<'body>(&self, kind: &Kind, list: &'static str, body: &'body Body) -> Vec<(usize, &'body Value, Key)> {
        let of_list = kind.references.iter().filter(|reference| reference.path.split_once('[').is_some_and(|(above, _)| above == list));
        let named: HashMap<usize, Key> = of_list
            .flat_map(|reference| self.named_at(reference, body))
            .filter_map(|(path, named)| Some((path.strip_prefix(list)?.strip_prefix('[')?.split(']').next()?.parse().ok()?, named)))
            .collect();
        let elements = body.get(list).and_then(Value::as_array).into_iter().flatten().enumerate();
        elements.filter_map(|(at, element)| Some((at, element, named.get(&at)?.clone()))).collect()
    }

    /// Returns the paths at which a reference names protected resources, with these.
    fn named_at(&self, reference: &Reference, body: &Body) -> Vec<(String, Key)> {
        let by_name =
            |value: &Value| value.as_str().filter(|_| reference.by == ReferencedBy::Key).map(|name| Key::new(reference.kind(), name));
        let by_id = |value: &Value| {
            let text = value.as_str()?;
            let is_named = |id: &str| text == id || (reference.by == ReferencedBy::Within && text.contains(id));
            self.ids.iter().find(|((kind, id), _)| kind == reference.to && is_named(id)).map(|(_, key)| key.clone())
        };
        let named = |value: &Value| {
            let mut named = id_substitution::mentioned(value).into_iter().chain(by_name(value));
            named.find(|key| self.root_of(key).is_some()).or_else(|| by_id(value))
        };
        body.find(reference.path).into_iter().filter_map(|(path, value)| Some((path, named(value)?))).collect()
    }

    /// Replaces the elements of a candidate that refer to protected resources by those of the target.
    fn restore_elements(&self, kind: &Kind, list: &'static str, candidate: &mut OpenCandidate<'_>, held: Option<&Body>) {
        let stay: Vec<Value> =
            held.map(|held| self.elements(kind, list, held)).unwrap_or_default().into_iter().map(|(_, one, _)| one.clone()).collect();
        let wanted = &candidate.wanted.body;
        let named: HashSet<usize> = self.elements(kind, list, wanted).into_iter().map(|(at, ..)| at).collect();
        let elements = wanted.get(list).and_then(Value::as_array).into_iter().flatten().enumerate();
        let others = elements.filter(|(at, _)| !named.contains(at)).map(|(_, one)| one.clone()).collect();
        let held = held.and_then(|held| held.get(list)).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        candidate.set(list, Value::Array(insert_in_order(others, held, &stay)));
    }

    /// Returns resources that must not be deleted, each with the protected resource that would be deleted or damaged.
    ///
    /// These are the resources that a protected one belongs or refers to, and those that refer to it. Migrate's own
    /// client is exempt.
    pub(crate) fn needed(&self, live: &[&Resource]) -> HashMap<Key, Key> {
        let mut needed: HashMap<Key, Key> = HashMap::new();
        if !self.reserved.values().any(|reserved| *reserved == ExclusionReason::Protected) {
            return needed;
        }
        let need = |needed: &mut HashMap<Key, Key>, keys: Vec<Key>, root: &Key| {
            for key in keys {
                needed.entry(key).or_insert_with(|| root.clone());
            }
        };
        for one in live {
            let names = names_of(one);
            if let Some(root) = self.protected(&one.key) {
                need(&mut needed, names, root);
                needed.insert(one.key.clone(), root.clone());
            } else if let Some(root) = names.iter().find_map(|key| self.protected(key)) {
                need(&mut needed, vec![one.key.clone()], root);
            }
        }
        loop {
            let before = needed.len();
            for one in live {
                if let Some(root) = needed.get(&one.key).cloned() {
                    need(&mut needed, belongs_to(one), &root);
                }
            }
            if needed.len() == before {
                return needed;
            }
        }
    }

    /// Returns the protected resource that a key belongs to.
    fn protected(&self, key: &Key) -> Option<&Key> {
        self.root_of(key).filter(|root| self.reserved.get(*root) == Some(&ExclusionReason::Protected))
    }

    /// Returns the protected resource that a change of a saved plan would affect; `held` is the target's body of the
    /// changed resource, and `needed` are resources that must not be deleted.
    pub(crate) fn touched_by(&self, change: &Change, held: Option<&Body>, needed: &HashMap<Key, Key>) -> Option<Key> {
        if self.reserved.is_empty() {
            return None;
        }
        let kind = change.key.kind();
        let of_body = |body: &Body| {
            let one = Resource::new(change.key.clone(), Id::new(""), body.clone());
            belongs_to(&one).iter().find_map(|owner| self.root_of(owner)).cloned()
        };
        let named = |wanted: &Body, held: Option<&Body>| {
            parts(kind).iter().find_map(|part| self.differs(kind, part, wanted, held)).map(|(_, named)| named)
        };
        if let Some(root) = self.root_of(&change.key) {
            return Some(root.clone());
        }
        match &change.action {
            Action::Create { body, .. } => of_body(body).or_else(|| named(body, None)),
            Action::Update { id: None, body, .. } => named(body, None),
            Action::Update { edits, .. } => {
                let (mut wanted, mut before) = (held.cloned().unwrap_or_default(), held.cloned().unwrap_or_default());
                for edit in edits {
                    wanted.put(&edit.path, edit.new.clone());
                    before.put(&edit.path, edit.old.clone());
                }
                named(&wanted, Some(&before))
            }
            Action::Elements { parent, added, removed } => {
                let of = |list: &[Value]| Body::from_iter([(kind.elements().to_owned(), Value::Array(list.to_vec()))]);
                self.root_of(parent).cloned().or_else(|| named(&of(added), Some(&of(removed))))
            }
            Action::Delete { .. } => needed.get(&change.key).cloned(),
        }
    }
}

/// Returns the keys that a resource refers to.
fn names_of(one: &Resource) -> Vec<Key> {
    let references = one.key.kind().references;
    if references.is_empty() {
        return Vec::new();
    }
    let body = one.body.open();
    references.iter().flat_map(|reference| body.find(reference.path)).flat_map(|(_, value)| id_substitution::mentioned(value)).collect()
}

/// Returns the parts of a kind's resources that contain references, except those that define what a resource belongs
/// to.
fn parts(kind: &Kind) -> Vec<ProtectedPart> {
    let parts: BTreeSet<ProtectedPart> =
        kind.references.iter().filter(|reference| !is_identity(kind, reference)).map(|reference| part_of(kind, reference)).collect();
    parts.into_iter().collect()
}

/// Returns whether a reference defines what a resource belongs to.
pub(super) fn is_identity(kind: &Kind, reference: &Reference) -> bool {
    kind.identity.key.contains(&reference.path) || kind.parent_field() == Some(reference.path)
}

/// Returns the part that contains a reference.
fn part_of(kind: &Kind, reference: &Reference) -> ProtectedPart {
    let path: &'static str = reference.path;
    match path.split_once('[') {
        Some((list, _)) if kind.lists.unordered.contains(&list) || kind.quirks.ordered_merge.contains(&list) => {
            ProtectedPart::Elements(list)
        }
        Some((list, _)) => ProtectedPart::List(list),
        None => ProtectedPart::Field(path.rsplit_once('.').map_or(path, |(object, _)| object)),
    }
}

/// Returns whether a resource can be created without a part.
fn can_be_without(kind: &Kind, part: &ProtectedPart) -> bool {
    match part {
        ProtectedPart::Elements(_) => true,
        ProtectedPart::List(_) => false,
        ProtectedPart::Field(path) => {
            let is_above = |required: &&&str| crate::json::is_in(required, path) || crate::json::is_in(path, required);
            !kind.fields.required.iter().any(|required| is_above(&required))
        }
    }
}
