//! A change without some of its parts, and the body that is sent for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::refused_fields::BodyPart;
use super::requests::ResolvedChange;
use crate::catalog::{Kind, RequestPurpose, Write};
use crate::json::{Body, is_in, join};
use crate::plan::{Edit, element, remove_part};

/// How a part is omitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Omission {
    /// The target's previous value is sent instead.
    PreviousValue,
    /// The part is not sent, because the target refused its previous value as well.
    NotSent,
}

/// The omitted parts.
pub(super) type Omissions = BTreeMap<BodyPart, Omission>;

/// A change that may be sent in parts.
#[derive(Debug, Clone)]
pub(super) struct PartialChange<'send> {
    pub(super) kind: &'static Kind,
    pub(super) ready: &'send ResolvedChange,
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

impl PartialChange<'_> {
    /// Returns the body to send.
    pub(super) fn body(&self) -> Option<&Body> {
        match self.ready {
            ResolvedChange::Create { body, .. } | ResolvedChange::Update { body, .. } => Some(body),
            ResolvedChange::Elements { .. } | ResolvedChange::Delete { .. } => None,
        }
    }

    /// Returns whether the change is sent as a creating POST, which cannot be repeated.
    pub(super) fn is_posted(&self) -> bool {
        matches!(self.ready, ResolvedChange::Create { .. }) && self.kind.creation().is_some()
    }

    /// Returns the edits, or every value of the body if the edits are not known.
    fn edits(&self) -> Vec<Edit> {
        match self.ready {
            ResolvedChange::Update { edits, secrets, .. } if !edits.is_empty() || !secrets.is_empty() => edits.clone(),
            _ => {
                let mut leaves = Vec::new();
                self.body().into_iter().for_each(|body| leaves_of("", &body.0, &mut leaves));
                leaves
            }
        }
    }

    /// Returns the paths that may be sent separately.
    pub(super) fn paths(&self, left: &Omissions) -> Vec<String> {
        let edits = self.edits().into_iter().map(|edit| edit.path);
        let secrets: Vec<String> = match self.ready {
            ResolvedChange::Update { secrets, .. } => secrets.iter().map(|(path, _)| path.clone()).collect(),
            _ => Vec::new(),
        };
        let mut paths: Vec<String> = edits.chain(secrets).filter(|path| self.is_optional(&BodyPart::field(path.as_str()))).collect();
        paths.retain(|path| !left.keys().any(|part| part.element.is_none() && is_in(&part.path, path)));
        for path in &mut paths {
            *path = self.companions(path).first().map_or_else(|| self.indivisible_ancestor(path), |first| (*first).to_owned());
        }
        paths.sort();
        paths.dedup();
        paths
    }

    /// Returns the outermost object above a path that is refused without some of its fields, or the path itself.
    fn indivisible_ancestor(&self, path: &str) -> String {
        let mut ends = path.match_indices('.').map(|(at, _)| &path[..at]);
        let has_required = |above: &&str| self.kind.fields.writable().at(above).is_some_and(|field| field.refuses_empty);
        ends.find(has_required).unwrap_or(path).to_owned()
    }

    /// Returns the fields that must change in the same request as this one, including itself; empty if there are none.
    fn companions(&self, path: &str) -> Vec<&'static str> {
        let ResolvedChange::Update { edits, .. } = self.ready else { return Vec::new() };
        let changes = |field: &&&str| edits.iter().any(|edit| first(&edit.path) == **field);
        let group = self.kind.fields.written_together.iter().find(|group| group.contains(&first(path)));
        let companions: Vec<&str> = group.into_iter().copied().flatten().filter(changes).copied().collect();
        if companions.len() > 1 { companions } else { Vec::new() }
    }

    /// Adds to these parts everything that must be omitted with them.
    fn with_companions(&self, left: &Omissions) -> Omissions {
        let mut all = left.clone();
        for (part, aside) in left {
            for field in self.companions(&part.path) {
                all.entry(BodyPart::field(field)).or_insert(*aside);
            }
        }
        all
    }

    /// Returns whether a part can be omitted: it is neither required nor part of the key.
    pub(super) fn is_optional(&self, part: &BodyPart) -> bool {
        let kind = self.kind;
        let follow_up = kind.lifecycle.follow_up.map(|follow_up| follow_up.field);
        let is_required = |field: &&str| (is_in(&part.path, field) || is_in(field, &part.path)) && part.element.is_none();
        let is_repeated = kind.fields.always_sent.iter().chain(follow_up.iter()).any(is_required);
        let is_whole = matches!(self.ready, ResolvedChange::Create { .. }) || kind.paths.write == Write::Put;
        let is_needed = is_whole && kind.identity.key.iter().chain(kind.fields.required).any(is_required);
        // A resource created without one field of a group would have a state that nobody planned: a stream without its
        // filters.
        let is_grouped = |field: &&str| is_in(&part.path, field) || is_in(field, &part.path);
        let is_of_new =
            matches!(self.ready, ResolvedChange::Create { .. }) && kind.fields.written_together.iter().copied().flatten().any(is_grouped);
        !is_repeated && !is_needed && !is_of_new && self.is_added(part) && !kind.path_fields().any(|field| is_in(field, &part.path))
    }

    /// Returns whether this change adds the part. An existing value is not removed only because the target would refuse
    /// it today.
    fn is_added(&self, part: &BodyPart) -> bool {
        let ResolvedChange::Update { edits, secrets, .. } = self.ready else { return true };
        let has = |list: Option<&Value>, text: &str| list.and_then(Value::as_array).is_some_and(|list| list.iter().any(|one| one == text));
        let is_of = |edit: &Edit| match &part.element {
            Some(text) => edit.path == part.path && has(edit.new.as_ref(), text) && !has(edit.old.as_ref(), text),
            None => is_in(&part.path, &edit.path) || is_in(&edit.path, &part.path),
        };
        let is_secret = || part.element.is_none() && secrets.iter().any(|(path, _)| is_in(&part.path, path));
        (edits.is_empty() && secrets.is_empty()) || edits.iter().any(is_of) || is_secret()
    }

    /// Returns the whole that is omitted with this part: an object that is replaced as a whole has one meaning.
    pub(super) fn enclosing_part(&self, part: BodyPart) -> BodyPart {
        let top = first(&part.path);
        let is_one = self.kind.fields.replaced.contains(&top) && !self.kind.fields.read_modify_write.contains(&top);
        let has_members =
            self.kind.fields.writable().get(top).and_then(|field| field.below.as_ref()).is_some_and(|below| below.iter().next().is_some());
        if is_one && (has_members || self.kind.fields.required.contains(&top)) { BodyPart::field(top) } else { part }
    }

    /// Returns whether a field can be set only by a create.
    pub(super) fn is_only_created(&self, path: &str) -> bool {
        self.kind.fields.writable().get(first(path)).is_some_and(|field| field.written == crate::catalog::Writability::OnCreate)
    }

    /// Returns the change without these parts; `None` if nothing is left to send.
    ///
    /// With `focus`, only the fields that contain these paths are sent; the others were already sent or must not be.
    pub(super) fn without(&self, left: &Omissions, focus: Option<&[String]>) -> Option<ResolvedChange> {
        let left = &self.with_companions(left);
        let edits = self.edits();
        let mut body = self.body()?.clone();
        for (part, aside) in left {
            self.omit_from(&mut body, part, *aside, &edits);
        }
        let is_among = |path: &str| left.keys().any(|part| part.element.is_none() && is_in(&part.path, path));
        // A value that an omitted one would have replaced is kept.
        let is_left =
            |path: &str| is_among(path) || self.kind.excluded_by(path).any(|other| left.keys().any(|part| is_in(other, &part.path)));
        let mut open: Vec<Edit> = edits.into_iter().filter(|edit| !is_left(&edit.path)).collect();
        for edit in &mut open {
            if left.keys().any(|part| part.path == edit.path && part.element.is_some()) {
                edit.new = body.get(&edit.path).cloned();
            }
        }
        open.retain(|edit| !is_same_set(edit.old.as_ref(), edit.new.as_ref()));
        if let Some(follow_up) = self.kind.lifecycle.follow_up.filter(|_| !left.is_empty()) {
            body.0.remove(follow_up.field);
        }
        if let ResolvedChange::Create { twins, may_have_landed, .. } = self.ready {
            return Some(ResolvedChange::Create { body, twins: twins.clone(), may_have_landed: *may_have_landed });
        }
        let ResolvedChange::Update { id, secrets, edits: planned, .. } = self.ready else { return None };
        let is_of = |one: &str, path: &str| is_in(one, path) || is_in(path, one) || self.companions(one).contains(&first(path));
        let is_meant = |path: &str| focus.is_none_or(|focus| focus.iter().any(|one| is_of(one, path)));
        let secrets: Vec<_> = secrets.iter().filter(|(path, _)| !is_left(path) && is_meant(path)).cloned().collect();
        open.retain(|edit| focus.is_none() || !planned.is_empty() || is_meant(&edit.path));
        if !open.iter().any(|edit| is_meant(&edit.path)) && secrets.is_empty() {
            return None;
        }
        if self.kind.paths.write == Write::Patch {
            let had: BTreeSet<&str> = planned.iter().map(|edit| first(&edit.path)).collect();
            let holds = |field: &str| open.iter().any(|edit| first(&edit.path) == field && is_meant(&edit.path));
            let is_with_secrets = |field: &str| secrets.iter().any(|(path, _)| first(path) == field);
            let is_due = |field: &str| left.is_empty() && self.kind.lifecycle.follow_up.is_some_and(|follow_up| follow_up.field == field);
            let stays = |field: &str| {
                holds(field)
                    || is_due(field)
                    || is_with_secrets(field)
                    || self.kind.fields.always_sent.contains(&field)
                    || (focus.is_none() && !had.contains(field))
            };
            body.0.retain(|field, _| stays(field));
        }
        let edits = if planned.is_empty() { Vec::new() } else { open };
        Some(ResolvedChange::Update { id: id.clone(), body, edits, secrets })
    }

    fn omit_from(&self, body: &mut Body, part: &BodyPart, aside: Omission, edits: &[Edit]) {
        if let Some(text) = &part.element {
            remove_part(body, &element(&part.path, text));
            return;
        }
        let is_whole_kept = !part.path.contains('.') && self.kind.paths.write == Write::Patch;
        let is_left_to_the_target = is_whole_kept || self.kind.is_read_modify_write(first(&part.path)) || aside == Omission::NotSent;
        let mut edits = edits.iter().filter(|edit| is_in(&part.path, &edit.path)).peekable();
        if is_left_to_the_target || edits.peek().is_none() || matches!(self.ready, ResolvedChange::Create { .. }) {
            remove_with_empty_parents(body, &part.path);
            return;
        }
        // Values without an edit stay in the body as the target has them.
        for edit in edits {
            remove_with_empty_parents(body, &edit.path);
            // A value that refers to a deleted resource cannot be sent again.
            if let Some(old) = edit.old.as_ref().filter(|old| !old.to_string().contains('⟦')) {
                body.set(&edit.path, old.clone());
            }
        }
    }

    /// Returns the parts that the target will lack, as a [`Shortfall`](crate::model::event::Shortfall) names them, if
    /// these are omitted.
    pub(super) fn missing(&self, left: &Omissions) -> Vec<String> {
        let left = &self.with_companions(left);
        let edits = self.edits();
        let mut missing: BTreeSet<String> = BTreeSet::new();
        for part in left.keys() {
            if let Some(text) = &part.element {
                missing.insert(element(&part.path, text));
                continue;
            }
            let of_edits = edits.iter().map(|edit| &edit.path).filter(|path| is_in(&part.path, path));
            let of_secrets = match self.ready {
                ResolvedChange::Update { secrets, .. } => {
                    secrets.iter().map(|(path, _)| path.clone()).filter(|path| is_in(&part.path, path)).collect()
                }
                _ => Vec::new(),
            };
            let named: Vec<String> = of_edits.cloned().chain(of_secrets).collect();
            // A field omitted from a PATCH keeps its value, so it is missing only if it differs.
            let is_kept = self.kind.paths.write == Write::Patch && !self.kind.fields.replaced.contains(&first(&part.path));
            match (named.is_empty(), self.ready) {
                (false, ResolvedChange::Update { edits, .. }) if !edits.is_empty() => missing.extend(named),
                (true, ResolvedChange::Update { .. }) if is_kept => {}
                _ => drop(missing.insert(part.path.clone())),
            }
        }
        if let Some(follow_up) = self.kind.lifecycle.follow_up.filter(|_| !left.is_empty()) {
            missing.extend(self.body().filter(|body| body.0.contains_key(follow_up.field)).map(|_| follow_up.field.to_owned()));
        }
        missing.into_iter().collect()
    }

    /// Returns the update that sends these paths of a resource that was created without them.
    pub(super) fn follow_up_update(&self, id: &crate::model::resource::Id) -> Option<ResolvedChange> {
        let body = self.body()?.clone();
        let (body, _) = self.kind.fields.writable().split(body, RequestPurpose::Update);
        Some(ResolvedChange::Update { id: id.clone(), body, edits: Vec::new(), secrets: Vec::new() })
    }
}

fn leaves_of(above: &str, object: &Map<String, Value>, leaves: &mut Vec<Edit>) {
    for (name, value) in object {
        let path = join(above, name);
        match value {
            Value::Object(below) if !below.is_empty() => leaves_of(&path, below, leaves),
            value => leaves.push(Edit { path, old: None, new: Some(value.clone()) }),
        }
    }
}

/// Removes a field from a body, and the objects around it that become empty.
fn remove_with_empty_parents(body: &mut Body, path: &str) {
    body.take(path);
    let mut above = path;
    while let Some((shell, _)) = above.rsplit_once('.') {
        if !body.get(shell).and_then(Value::as_object).is_some_and(Map::is_empty) {
            break;
        }
        body.take(shell);
        above = shell;
    }
}

fn is_same_set(one: Option<&Value>, other: Option<&Value>) -> bool {
    let sorted = |value: &Value| {
        let mut list = value.as_array().cloned().unwrap_or_default();
        list.sort_by_cached_key(Value::to_string);
        list
    };
    match (one, other) {
        (Some(one @ Value::Array(_)), Some(other @ Value::Array(_))) => sorted(one) == sorted(other),
        (None, Some(Value::Array(list))) => list.is_empty(),
        _ => false,
    }
}
