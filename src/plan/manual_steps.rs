//! What a plan cannot copy and a person has to supply or to do: secrets, and the steps of an entry.

use std::collections::BTreeSet;

use super::diff::Difference;
use super::{ManualStep, SecretField, Skipped};
use crate::catalog::{Kind, ManualStepTemplate};
use crate::json::{Body, covers, is_blank, top};
use crate::model::resource::{OpenResource, Resource};
use crate::snapshot::Snapshot;

/// Returns what a create needs and cannot have: a secret, or what holds nothing else, or what is written with its secrets or not at all.
///
/// Without it the tenant would refuse the create, so it is not sent.
pub(super) fn withheld(kind: &Kind, wanted: &Resource, supplied: &[SecretField]) -> Option<&'static str> {
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

/// Puts an object that has no secret to hold where a create needs one: no read shows it.
pub(super) fn open_seals(kind: &Kind, body: &mut Body) {
    for sealed in kind.secrets.required_in.iter().filter(|sealed| sealed.needs_no_secrets(body)).collect::<Vec<_>>() {
        body.0.entry(sealed.path).or_insert_with(|| Body::new().into_value());
    }
}

/// Takes out of a create the objects that are written with their secrets or not at all, where nobody supplies those; names each.
///
/// The rest of the resource is created without them.
pub(super) fn withhold_sealed(kind: &Kind, wanted: &OpenResource, body: &mut Body, supplied: &[SecretField]) -> Vec<Skipped> {
    let is_written = |path: &str| body.get(path).is_some_and(|value| !is_blank(value)) && !kind.fields.required.contains(&path);
    let sealed = kind.secrets.required_in.iter().filter(|sealed| is_written(sealed.path) && !sealed.needs_no_secrets(&wanted.body));
    let missing: Vec<&str> = sealed.map(|sealed| sealed.path).filter(|path| !is_supplied(path, supplied)).collect();
    let skipped = |path: &str| Skipped { key: wanted.key.clone(), path: Some(path.to_owned()), reason: format!("it {WITHOUT_SECRET}") };
    missing.into_iter().inspect(|path| drop(body.take(path))).map(skipped).collect()
}

/// Why an object is not written that holds a secret which nobody supplies.
const WITHOUT_SECRET: &str = "cannot be written without the secret in it; supply that with a `secret` rule in the mapping";

/// Why a field is not written that the API refuses beside what the target holds.
const BLOCKED: &str = "is refused while the target's own signs with keys; detach those in the target first";

fn is_supplied(path: &str, supplied: &[SecretField]) -> bool {
    supplied.iter().any(|secret| covers(path, &secret.path))
}

/// Takes out of an update the objects that would be replaced without what must stay in them; names each.
///
/// Such are those that are written with their secrets or not at all, lists that a secret was taken out of, and those that are written over
/// the target's own where that cannot be read.
pub(super) fn leave_sealed(
    kind: &Kind,
    wanted: &OpenResource,
    held: &OpenResource,
    difference: &mut Difference,
    supplied: &[SecretField],
) -> Vec<Skipped> {
    // Laid over what the target holds, an object keeps the secret in it.
    let is_kept = |path: &'static str| kind.is_read_modify_write(top(path)) && held.body.get(path).is_some_and(|value| !is_blank(value));
    let sealed = kind.secrets.required_in.iter().filter(|sealed| !sealed.needs_no_secrets(&wanted.body)).map(|sealed| sealed.path);
    let missing = sealed.filter(|path| !is_kept(path) && !is_supplied(path, supplied)).map(|path| (path, WITHOUT_SECRET));
    // Of a list the target's own secrets are put back where they stood; of one that it has not, nobody could.
    let comes_new = |path: &&String| !held.secrets.contains(path);
    let lists = wanted.secrets.iter().filter(comes_new).filter_map(|path| path.split_once('[')).map(|(list, _)| list);
    let whole = |list| if kind.is_read_modify_write(top(list)) { list } else { top(list) };
    let lists = lists.map(whole).filter(|list| !is_supplied(list, supplied));
    let lists = lists.map(|list| (list, "would be written without the secrets in it; supply them with a `secret` rule in the mapping"));
    let unread = kind.fields.read_modify_write.iter().copied().filter(|path| held.body.get(path).is_none());
    let unread = unread.map(|path| (path, "cannot be written over what cannot be read there; the token may lack a scope"));
    let is_held = |path: &str| held.body.get(path).is_some() || held.secrets.iter().any(|secret| covers(path, secret));
    let blocked = kind.quirks.blocked_by.iter().filter(|(_, other)| is_held(other)).map(|(field, _)| (*field, BLOCKED));
    let mut skipped = Vec::new();
    for (path, reason) in missing.chain(lists).chain(unread).chain(blocked) {
        let edits = difference.edits.len();
        difference.edits.retain(|edit| !covers(path, &edit.path));
        if difference.edits.len() < edits {
            difference.body.take(path);
            let reason = format!("it differs in the target and {reason}");
            skipped.push(Skipped { key: wanted.key.clone(), path: Some(path.to_owned()), reason });
        }
    }
    if difference.edits.is_empty() {
        // What is only repeated says nothing by itself.
        difference.body = Body::new();
    }
    skipped
}

/// Lets what the target holds stand where one of both has a secret, and names what would have been written over the target's own.
///
/// What is withheld is no wish to have nothing. Of lists nothing is said here: they are compared and written whole.
pub(super) fn leave_secrets(wanted: &mut OpenResource, held: &OpenResource) -> Vec<Skipped> {
    let paths: BTreeSet<&String> = wanted.secrets.iter().chain(&held.secrets).filter(|path| !path.contains('[')).collect();
    let mut skipped = Vec::new();
    for path in paths {
        if wanted.body.at(path).is_some_and(|value| !is_blank(value)) {
            skipped.push(Skipped { key: wanted.key.clone(), path: Some(path.clone()), reason: OWN_SECRET.to_owned() });
        }
        if wanted.body.at(path) != held.body.at(path) {
            wanted.body.take_over(path, &held.body);
        }
    }
    skipped
}

/// Why a value is not written that the source shows and the target keeps to itself.
const OWN_SECRET: &str = "it is a secret in the target, which stays as it is";

/// Names what both tenants hold and the rule about secrets that nobody lists withholds in both: nobody sees whether they differ.
///
/// Of what an entry lists nothing is said; that it is not copied is known.
pub(super) fn unseen_secrets(kind: &Kind, wanted: &OpenResource, held: &OpenResource) -> Vec<Skipped> {
    let is_listed = |path: &str| kind.secrets.paths.iter().any(|secret| covers(secret, path));
    let unseen = wanted.secrets.iter().filter(|path| held.secrets.contains(path) && !is_listed(path));
    unseen.map(|path| Skipped { key: wanted.key.clone(), path: Some(path.clone()), reason: UNSEEN.to_owned() }).collect()
}

/// Why a value stays that both tenants keep to themselves.
const UNSEEN: &str = "it is withheld as a secret in both tenants, so it was not compared";

/// Returns what a person has to do for a resource that is copied: the steps of its kind, and the secrets that nobody supplies.
pub(super) fn steps(
    kind: &Kind,
    wanted: &OpenResource,
    held: Option<&OpenResource>,
    supplied: &[SecretField],
    live: &Snapshot,
) -> Vec<ManualStep> {
    let manual = |path: &str, step: String| ManualStep { key: wanted.key.clone(), path: path.to_owned(), step };
    let is_done = |step: &ManualStepTemplate| held.is_some_and(|held| step.when.holds(held.body.get(step.field)));
    let due = kind.lifecycle.manual_steps.iter().filter(|step| step.when.holds(wanted.body.get(step.field)) && !is_done(step));
    let tenant = live.domain.split('.').next().unwrap_or_default();
    let said = due.map(|step| {
        manual("", step.what.replace("{tenant}", tenant).replace("{domain}", &live.domain).replace("{name}", wanted.key.name()))
    });
    let made: Vec<&str> = kind.generated_secrets_for(&wanted.body).map(|made| made.path).collect();
    // A new one is made whether or not the source shows its own: a token may lack the scope for that.
    let unshown = made.iter().copied().filter(|path| held.is_none() && !wanted.secrets.iter().any(|shown| shown == path));
    let hidden = hidden(kind, wanted, held);
    let secrets = wanted.secrets.iter().map(String::as_str).chain(unshown).chain(hidden.iter().map(String::as_str));
    let has = |secrets: &[String], path: &str| secrets.iter().any(|secret| secret == path);
    let is_there = |path: &str| held.is_some_and(|held| has(&held.secrets, path)) || supplied.iter().any(|secret| secret.path == path);
    let open = secrets.filter(|path| !is_there(path)).filter_map(|path| {
        let step = match (held.is_some(), made.contains(&path)) {
            // Where the target shows none at all, the token may not see them.
            (true, true) if !live.of_kind(kind.name).any(|one| has(&one.secrets, path)) => return None,
            (true, true) => format!("{path} is not copied, and the {} in the target has none", kind.singular),
            (false, true) => format!("the target makes a new {path}; hand it to whoever uses this {}", kind.singular),
            (_, false) if !can_be_supplied(kind, wanted, path) => format!("{path} is not copied; set it in the target"),
            (_, false) => format!("{path} is not copied; set it in the target, or supply it with a `secret` rule in the mapping"),
        };
        Some(manual(path, step))
    });
    said.chain(open).collect()
}

/// Returns whether a `secret` rule can name it: it is listed, or it is called like a secret, can be written, and stands in no list and under
/// a name without dots.
fn can_be_supplied(kind: &Kind, wanted: &OpenResource, path: &str) -> bool {
    let is_listed = kind.secrets.paths.iter().any(|secret| covers(secret, path));
    let is_plain = !path.contains('[') && path.rsplit_once('.').is_none_or(|(above, _)| wanted.body.get(above).is_some());
    is_listed || (is_plain && kind.withheld_reason(path).is_some() && kind.fields.writable().has(path))
}

/// Returns the secrets that no read shows, where what they stand beside is there and comes new to the target.
///
/// An element of a list is called by its name.
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
