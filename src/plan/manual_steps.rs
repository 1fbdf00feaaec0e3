//! Determines what a person has to supply or do because a plan cannot copy it: secrets, and the manual steps of a kind.

use std::collections::BTreeSet;

use super::decision::Unplanned;
use super::diff::Difference;
use super::model::{ManualStep, SecretField};
use super::reason::{Reason, Unwritable};
use crate::catalog::{Kind, ManualStepTemplate};
use crate::json::{Body, covers, is_blank, top};
use crate::model::resource::{OpenResource, Resource};
use crate::snapshot::Snapshot;

/// Returns the path of a secret, or of an object written only together with its secrets, that a create requires but
/// that is not supplied.
///
/// The tenant would refuse the create without it.
pub(super) fn missing_required_secret(kind: &Kind, wanted: &Resource, supplied: &[SecretField]) -> Option<&'static str> {
    let wanted = wanted.body.open();
    let is_withheld = |path: &&str| {
        let is_missing = match kind.requires_secrets_at(path) {
            Some(sealed) => !sealed.needs_no_secrets(&wanted),
            None => wanted.get(path).is_none_or(is_blank),
        };
        is_missing && has_secrets(kind, path) && !supplied.iter().any(|secret| covers(path, &secret.path))
    };
    let of_this = kind.quirks.required_when.iter().filter(|(field, when, _)| when.holds(wanted.get(field))).map(|(_, _, path)| *path);
    kind.fields.required.iter().copied().chain(of_this).find(is_withheld)
}

fn has_secrets(kind: &Kind, path: &str) -> bool {
    let is_made = |secret: &str| kind.secrets.generated.iter().any(|made| made.path == secret);
    kind.secrets.paths.iter().any(|secret| covers(path, secret) && !is_made(secret))
}

/// Adds an empty object for one that a create requires and no read returns, if it contains no secret.
pub(super) fn add_empty_secret_objects(kind: &Kind, body: &mut Body) {
    for sealed in kind.secrets.required_in.iter().filter(|sealed| sealed.needs_no_secrets(body)).collect::<Vec<_>>() {
        body.0.entry(sealed.path).or_insert_with(|| Body::new().into_value());
    }
}

/// Removes from a create the objects that are written only together with secrets that are not supplied; returns them.
///
/// The rest of the resource is created without them.
pub(super) fn remove_objects_without_secret(wanted: &OpenResource, body: &mut Body, supplied: &[SecretField]) -> Vec<Unplanned> {
    let kind = wanted.key.kind();
    let is_written = |path: &str| body.get(path).is_some_and(|value| !is_blank(value)) && !kind.fields.required.contains(&path);
    let sealed = kind.secrets.required_in.iter().filter(|sealed| is_written(sealed.path) && !sealed.needs_no_secrets(&wanted.body));
    let missing: Vec<&str> = sealed.map(|sealed| sealed.path).filter(|path| !is_supplied(path, supplied)).collect();
    let skipped = |path: &str| Unplanned::field(&wanted.key, path, Reason::Unwritable(Unwritable::WithoutSecret));
    missing.into_iter().inspect(|path| drop(body.take(path))).map(skipped).collect()
}

fn is_supplied(path: &str, supplied: &[SecretField]) -> bool {
    supplied.iter().any(|secret| covers(path, &secret.path))
}

/// Removes from an update the objects that it would replace without a value they must keep; returns them.
///
/// These are objects written only together with their secrets, lists from which a secret was withheld, and
/// read-modify-write objects that cannot be read in the target.
pub(super) fn keep_objects_without_secret(
    wanted: &OpenResource,
    held: &OpenResource,
    difference: &mut Difference,
    supplied: &[SecretField],
) -> Vec<Unplanned> {
    let kind = wanted.key.kind();
    // Under read-modify-write, an object keeps its secret.
    let is_kept = |path: &'static str| kind.is_read_modify_write(top(path)) && held.body.get(path).is_some_and(|value| !is_blank(value));
    let sealed = kind.secrets.required_in.iter().filter(|sealed| !sealed.needs_no_secrets(&wanted.body)).map(|sealed| sealed.path);
    let missing = sealed.filter(|path| !is_kept(path) && !is_supplied(path, supplied)).map(|path| (path, Unwritable::WithoutSecret));
    // Secrets are restored in a list that the target has; in a new list they would be missing.
    let comes_new = |path: &&String| !held.secrets.contains(path);
    let lists = wanted.secrets.iter().filter(comes_new).filter_map(|path| path.split_once('[')).map(|(list, _)| list);
    let whole = |list| if kind.is_read_modify_write(top(list)) { list } else { top(list) };
    let lists = lists.map(whole).filter(|list| !is_supplied(list, supplied));
    let lists = lists.map(|list| (list, Unwritable::WithoutListSecrets));
    let unread = kind.fields.read_modify_write.iter().copied().filter(|path| held.body.get(path).is_none());
    let unread = unread.map(|path| (path, Unwritable::Unread));
    let is_held = |path: &str| held.body.get(path).is_some() || held.secrets.iter().any(|secret| covers(path, secret));
    let blocked = kind.quirks.blocked_by.iter().filter(|(_, other)| is_held(other)).map(|(field, _)| (*field, Unwritable::Blocked));
    let mut skipped = Vec::new();
    for (path, why) in missing.chain(lists).chain(unread).chain(blocked) {
        let edits = difference.edits.len();
        difference.edits.retain(|edit| !covers(path, &edit.path));
        if difference.edits.len() < edits {
            difference.body.take(path);
            skipped.push(Unplanned::field(&wanted.key, path, Reason::DiffersUnwritable(why)));
        }
    }
    if difference.edits.is_empty() {
        // A field that is only always sent is not an edit.
        difference.body = Body::new();
    }
    skipped
}

/// Keeps the target's value wherever either side has a secret; returns the values that would have overwritten the
/// target's.
///
/// A withheld value is not an empty one. Lists are compared and written as a whole.
pub(super) fn keep_withheld_secrets(wanted: &mut OpenResource, held: &OpenResource) -> Vec<Unplanned> {
    let paths: BTreeSet<&String> = wanted.secrets.iter().chain(&held.secrets).filter(|path| !path.contains('[')).collect();
    let mut skipped = Vec::new();
    for path in paths {
        if wanted.body.at(path).is_some_and(|value| !is_blank(value)) {
            skipped.push(Unplanned::field(&wanted.key, path, Reason::TargetsSecret));
        }
        if wanted.body.at(path) != held.body.at(path) {
            wanted.body.take_over(path, &held.body);
        }
    }
    skipped
}

/// Returns undeclared secrets that both tenants withhold, so that they cannot be compared.
///
/// Secrets declared in the catalog are known not to be copied and are not listed.
pub(super) fn incomparable_secrets(wanted: &OpenResource, held: &OpenResource) -> Vec<Unplanned> {
    let kind = wanted.key.kind();
    let is_listed = |path: &str| kind.secrets.paths.iter().any(|secret| covers(secret, path));
    let unseen = wanted.secrets.iter().filter(|path| held.secrets.contains(path) && !is_listed(path));
    unseen.map(|path| Unplanned::field(&wanted.key, path, Reason::Incomparable)).collect()
}

/// Returns the manual steps for a copied resource: those of its kind, and the secrets that are not supplied.
pub(super) fn steps(wanted: &OpenResource, held: Option<&OpenResource>, supplied: &[SecretField], live: &Snapshot) -> Vec<ManualStep> {
    let kind = wanted.key.kind();
    let manual = |path: &str, step: String| ManualStep { key: wanted.key.clone(), path: path.to_owned(), step };
    let is_done = |step: &ManualStepTemplate| held.is_some_and(|held| step.when.holds(held.body.get(step.field)));
    let due = kind.lifecycle.manual_steps.iter().filter(|step| step.when.holds(wanted.body.get(step.field)) && !is_done(step));
    let tenant = live.domain.split('.').next().unwrap_or_default();
    let said = due.map(|step| {
        manual("", step.what.replace("{tenant}", tenant).replace("{domain}", &live.domain).replace("{name}", wanted.key.name()))
    });
    let made: Vec<&str> = kind.generated_secrets_for(&wanted.body).map(|made| made.path).collect();
    // A new resource gets a secret even if the source does not return its own: the token may lack the scope for it.
    let unshown = made.iter().copied().filter(|path| held.is_none() && !wanted.secrets.iter().any(|shown| shown == path));
    let hidden = hidden(kind, wanted, held);
    let secrets = wanted.secrets.iter().map(String::as_str).chain(unshown).chain(hidden.iter().map(String::as_str));
    let has = |secrets: &[String], path: &str| secrets.iter().any(|secret| secret == path);
    let is_there = |path: &str| held.is_some_and(|held| has(&held.secrets, path)) || supplied.iter().any(|secret| secret.path == path);
    let is_due = |path: &&str| !is_there(path) && !kind.leaves_unused(path, &wanted.body);
    let open = secrets.filter(is_due).filter_map(|path| {
        let step = match (held.is_some(), made.contains(&path)) {
            // If the target returns no such secret for any resource, the token may lack the scope.
            (true, true) if !live.of_kind(kind.name).any(|one| has(&one.secrets, path)) => return None,
            (true, true) => format!("{path} is not copied, and the {} in the target has none", kind.singular),
            (false, true) => format!("the target generates a new {path}; give it to the services that use this {}", kind.singular),
            (_, false) if !can_be_supplied(kind, wanted, path) => format!("{path} is not copied; set it in the target"),
            (_, false) => format!("{path} is not copied; set it in the target, or supply it with a `secret` rule in the mapping"),
        };
        Some(manual(path, step))
    });
    said.chain(open).collect()
}

/// Returns whether a `secret` rule can supply it: it is a declared or detected secret, writable, outside lists, and no
/// name in its path contains a dot.
fn can_be_supplied(kind: &Kind, wanted: &OpenResource, path: &str) -> bool {
    let is_listed = kind.secrets.paths.iter().any(|secret| covers(secret, path));
    let is_plain = !path.contains('[') && path.rsplit_once('.').is_none_or(|(above, _)| wanted.body.get(above).is_some());
    is_listed || (is_plain && kind.withheld_reason(path).is_some() && kind.fields.writable().has(path))
}

/// Returns the secrets that no read returns, if the object around them is new in the target.
///
/// List elements are named by their keys.
fn hidden(kind: &Kind, wanted: &OpenResource, held: Option<&OpenResource>) -> Vec<String> {
    let signs_in_nowhere =
        |path: &&&str| kind.secrets.required_in.iter().any(|sealed| covers(sealed.path, path) && sealed.needs_no_secrets(&wanted.body));
    let comes_new = |object: &str| {
        let beside = wanted.body.get(object).filter(|value| !is_blank(value));
        beside.is_some() && held.is_none_or(|held| held.body.get(object) != beside)
    };
    let of_path = |path: &&'static str| match (path.split_once("[]."), path.rsplit_once('.')) {
        (Some((list, field)), _) => new_elements(list, wanted, held).map(|name| format!("{list}[{name}].{field}")).collect(),
        (None, Some((object, _))) if comes_new(object) => vec![(*path).to_owned()],
        (None, None) if !wanted.is_blank(kind) && held.is_none_or(|held| held.body != wanted.body) => vec![(*path).to_owned()],
        _ => Vec::new(),
    };
    kind.secrets.write_only.iter().filter(|path| !signs_in_nowhere(path)).flat_map(of_path).collect()
}

/// Returns the names in a list that the target's list lacks.
fn new_elements<'body>(list: &str, wanted: &'body OpenResource, held: Option<&'body OpenResource>) -> impl Iterator<Item = &'body str> {
    let names = |body: &'body Body| body.find(&format!("{list}[].name")).into_iter().filter_map(|(_, name)| name.as_str());
    let known: Vec<&str> = held.into_iter().flat_map(|held| names(&held.body)).collect();
    names(&wanted.body).filter(move |name| !known.contains(name))
}
