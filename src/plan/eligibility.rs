//! Decides which resources of the source are planned, and why others are not.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::decision::{Decision, Unplanned};
use super::inputs::Inputs;
use super::manual_steps::missing_required_secret;
use super::model::ManualStep;
use super::normal_form::normalized;
use super::prune::parent_of;
use super::reason::{AmbiguousName, DesiredState, ProtectedBy, Reason, StayReason};
use super::references::{Candidate, Resolution, keep_target_choices, resolve, spare};
use super::unique_names::{TakenNames, ambiguous};
use crate::catalog::{KeyNames, Kind, Shape, Write};
use crate::json::covers;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Snapshot, Status};

/// The decisions for a resource that is not planned; empty if nothing needs to be reported.
type Ineligible = Vec<Decision>;

/// Returns a decision for everything that could not be read, which would otherwise look absent from the source.
pub(super) fn unread(inputs: &Inputs<'_>) -> Vec<Decision> {
    let source = &inputs.desired.snapshot;
    let decision = |(key, text): (Key, String)| {
        // A missing scope should be granted, not accepted.
        let is_refused = !matches!(source.kinds.get(key.kind().name), Some(Status::Forbidden(_)));
        if inputs.desired.spared.contains(&key) {
            Decision::exclude(&key, Reason::Stated(text))
        } else {
            Decision::skip(&key, if is_refused { Reason::Refused(text) } else { Reason::Stated(text) })
        }
    };
    let is_planned = |key: &Key| match key.name() {
        "" => inputs.chosen.may_have(key.kind()),
        _ => inputs.has(key),
    };
    source.unread().filter(|(key, _)| is_planned(key)).map(decision).collect()
}

/// Returns the resources to plan, without system resources and unserved kinds, and the decisions about the others;
/// `removed` are the indexes of resources to delete.
pub(super) fn candidates<'inputs>(inputs: &'inputs Inputs<'_>, removed: &[usize]) -> (Vec<Candidate<'inputs>>, Vec<Decision>) {
    let partners = &inputs.partners;
    let eligibility = Eligibility {
        inputs,
        ambiguous: ambiguous(inputs.desired, inputs.live, inputs.past.links),
        ids: partners.live.iter().map(|resource| (&resource.key, &resource.id)).collect(),
    };
    let mut names = TakenNames::of_target(&inputs.desired.snapshot.resources, partners, removed);
    let (mut candidates, mut decisions) = (Vec::new(), Vec::new());
    for ((wanted, held), at) in inputs.pairs().zip(&partners.of_desired).filter(|((wanted, _), _)| inputs.has(&wanted.key)) {
        match eligibility.check(wanted, held).and_then(|()| accepted(inputs, wanted, *at, &mut names)) {
            Ok(()) => candidates.push(Candidate { wanted: Cow::Borrowed(wanted), held }),
            Err(why) => decisions.extend(why),
        }
    }
    (candidates, decisions)
}

/// Decides for each resource, independently of the others, whether to copy it.
struct Eligibility<'inputs> {
    inputs: &'inputs Inputs<'inputs>,
    /// The source's ambiguous names, by id.
    ambiguous: HashMap<Id, AmbiguousName>,
    /// The ids of the target's resources.
    ids: HashMap<&'inputs Key, &'inputs Id>,
}

impl Eligibility<'_> {
    /// Rejects a resource that is not to be copied.
    fn check(&self, wanted: &Resource, held: Option<&Resource>) -> Result<(), Ineligible> {
        self.check_shown(wanted, held)?;
        self.check_protected(wanted, held)?;
        self.check_partner(wanted, held)?;
        if held.is_none() {
            self.check_creatable(wanted)?;
        }
        self.check_content(wanted, held)
    }

    /// Rejects resources that a tenant does not return or that must not be changed.
    fn check_shown(&self, wanted: &Resource, held: Option<&Resource>) -> Result<(), Ineligible> {
        let kind = wanted.key.kind();
        let key = &wanted.key;
        if let Some(stated) = wanted.excluded.clone() {
            let tenant = self.inputs.desired.snapshot.tenant.clone();
            return Err(vec![if wanted.is_unseen {
                Decision::skip(key, Reason::UnseenInSource { tenant, stated })
            } else {
                Decision::exclude(key, Reason::Stated(stated))
            }]);
        }
        let Some(held) = held else {
            let stated = self.unseen_in_target(wanted);
            return stated.map_or(Ok(()), |stated| Err(vec![Decision::skip(key, Reason::UnseenInTarget { stated })]));
        };
        let Some(stated) = held.excluded.clone() else { return Ok(()) };
        // Resources addressed by name belong to no third party, so the exclusion means that the target refuses to
        // return them.
        let is_unseen = held.is_unseen || matches!(kind.shape, Shape::Keyed { .. });
        Err(vec![if is_unseen {
            Decision::skip(key, Reason::UnseenInTarget { stated })
        } else {
            Decision::exclude(key, Reason::Stated(stated))
        }])
    }

    /// Returns the target's reason for not returning anything below the parent of a resource.
    fn unseen_in_target(&self, wanted: &Resource) -> Option<String> {
        let mut unseen = self.inputs.live.unseen(wanted.key.kind().name).iter().filter(|one| one.is_refused);
        let parent = *self.ids.get(&parent_of(wanted)?)?;
        unseen.find(|one| one.id == *parent).map(|one| one.reason.clone())
    }

    /// Excludes what belongs to a protected resource, and lists it if the source differs.
    fn check_protected(&self, wanted: &Resource, held: Option<&Resource>) -> Result<(), Ineligible> {
        let kind = wanted.key.kind();
        let Some(owner) = self.inputs.untouched.owner_of(&wanted.key) else { return Ok(()) };
        let is_same =
            |held: &Resource| held.body == wanted.body || normalized(kind, &held.body.open()) == normalized(kind, &wanted.body.open());
        if held.is_some_and(is_same) {
            return Err(vec![Decision::Shared(kind), Decision::Unchanged(kind)]);
        }
        let reason = Reason::Protected { root: owner.clone(), by: ProtectedBy::Belonging };
        let is_missed = held.is_some() || !says_nothing(wanted);
        Err(is_missed.then(|| Decision::Keep(Unplanned::whole(&wanted.key, reason))).into_iter().collect())
    }

    /// Rejects a resource whose counterpart is lost or ambiguous.
    fn check_partner(&self, wanted: &Resource, held: Option<&Resource>) -> Result<(), Ineligible> {
        let kind = wanted.key.kind();
        let link = self.inputs.past.links.of_source(kind.name, &wanted.id);
        if let (None, Some(link), true) = (held, link, self.inputs.live.is_complete(kind.name)) {
            let (source, target) = (wanted.id.clone(), link.target_id.clone());
            let reason = Reason::LinkedIsGone { kind: kind.name, singular: kind.singular, source, target };
            return Err(vec![Decision::skip(&wanted.key, reason)]);
        }
        match self.ambiguous.get(&wanted.id).filter(|_| kind.identity.allows_duplicates) {
            Some(name) => Err(vec![Decision::skip(&wanted.key, Reason::Ambiguous(Box::new(name.clone())))]),
            None => Ok(()),
        }
    }

    /// Rejects resources that no request can create.
    fn check_creatable(&self, wanted: &Resource) -> Result<(), Ineligible> {
        let kind = wanted.key.kind();
        let key = &wanted.key;
        let manual = |path: &str, step: String| Decision::Manual(ManualStep { key: key.clone(), path: path.to_owned(), step });
        if let Some(given) = kind.quirks.built_in.filter(|_| wanted.is_given) {
            return Err(vec![if says_nothing(wanted) {
                Decision::exclude(key, Reason::Stated(given.reason.to_owned()))
            } else {
                manual("", given.manual_setup.to_owned())
            }]);
        }
        if let Some(what) = kind.lifecycle.manual_setup {
            return Err(vec![manual("", what.to_owned())]);
        }
        if let Some(path) = missing_required_secret(kind, wanted, &self.inputs.supplied(key)) {
            let step = format!("{path} is required to create it but is not copied; supply it with a `secret` rule in the mapping");
            let reason = Reason::WithoutSecret { path: path.to_owned() };
            return Err(vec![manual(path, step), Decision::skip(key, reason)]);
        }
        Ok(())
    }

    /// Rejects resources that the target cannot contain, and singletons without settings.
    fn check_content(&self, wanted: &Resource, held: Option<&Resource>) -> Result<(), Ineligible> {
        let kind = wanted.key.kind();
        if let Some(language) = missing_language(self.inputs, wanted) {
            return Err(vec![Decision::skip(&wanted.key, Reason::WithoutLanguage(language))]);
        }
        if kind.shape != Shape::Singleton || !wanted.says_nothing() || self.is_emptied(kind, held) {
            return Ok(());
        }
        let is_missed = held.is_some_and(|held| !held.says_nothing());
        let stays = || Decision::Keep(Unplanned::whole(&wanted.key, Reason::Stays(StayReason::Unspecified)));
        Err(is_missed.then(stays).into_iter().collect())
    }

    /// Returns whether to clear a singleton that has no settings in the source: only if an earlier run wrote it.
    fn is_emptied(&self, kind: &Kind, held: Option<&Resource>) -> bool {
        let past = &self.inputs.past;
        let applied = held.and_then(|held| past.base.of_target(&held.key, &held.id));
        past.prune && kind.paths.write == Write::Patch && applied.is_some_and(|applied| !applied.body.is_empty())
    }
}

/// Rejects resources of kinds that the target does not accept; `at` is the index of the target's resource.
fn accepted(inputs: &Inputs<'_>, wanted: &Resource, at: Option<usize>, names: &mut TakenNames) -> Result<(), Ineligible> {
    let kind = wanted.key.kind();
    let reason = match (inputs.live.kinds.get(kind.name), kind.lifecycle.not_creatable) {
        // A resource without content is not reported if it cannot be written.
        (Some(Status::Absent(_) | Status::Refused(_) | Status::Forbidden(_)), _) if says_nothing(wanted) => return Err(Vec::new()),
        (Some(Status::Complete | Status::InPart(_)), Some(_)) if at.is_none() && says_nothing(wanted) => return Err(Vec::new()),
        (Some(Status::Complete | Status::InPart(_)), Some(reason)) if at.is_none() => Reason::Stated(reason.to_owned()),
        (Some(Status::Complete | Status::InPart(_) | Status::Selected(_)), _) => match names.take(wanted, at) {
            Some(reason) => reason,
            None => return Ok(()),
        },
        (Some(Status::Absent(stated) | Status::Refused(stated) | Status::Forbidden(stated)), _) => {
            Reason::Unserved { kind: kind.name, stated: stated.clone() }
        }
        (None, _) => Reason::Unread { kind: kind.name },
    };
    Err(vec![Decision::skip(&wanted.key, reason)])
}

/// Returns the candidates whose references the target will have, without elements that cannot be resolved. No remaining
/// candidate depends on a skipped resource.
pub(super) fn resolved<'inputs>(inputs: &Inputs<'_>, mut candidates: Vec<Candidate<'inputs>>) -> (Vec<Candidate<'inputs>>, Vec<Decision>) {
    let mut there: HashSet<Key> = inputs.partners.live.iter().map(|resource| resource.key.clone()).collect();
    there.extend(candidates.iter().filter(|candidate| candidate.held.is_none()).map(|candidate| candidate.wanted.key.clone()));
    let of_source = &inputs.desired.snapshot.resources;
    let alone = of_source.iter().filter(|resource| resource.excluded.is_some() && !there.contains(&resource.key));
    let mut alone: HashSet<Key> = alone.map(|resource| resource.key.clone()).collect();
    let mut decisions = Vec::new();
    loop {
        let before = candidates.len();
        let mut fitting = Vec::with_capacity(before);
        for candidate in candidates {
            let (key, is_new) = (candidate.wanted.key.clone(), candidate.held.is_none());
            let Examined { verdict, decisions: found } = examined(inputs, candidate, &there, &alone);
            decisions.extend(found);
            match verdict {
                Verdict::Fits(candidate) => fitting.push(candidate),
                Verdict::Unresolved if is_new => drop(there.remove(&key)),
                Verdict::Unresolved => {}
                Verdict::Belongs => {
                    there.remove(&key);
                    alone.insert(key);
                }
            }
        }
        candidates = fitting;
        if candidates.len() == before {
            return (candidates, decisions);
        }
    }
}

/// Adds to each missing reference a hint that the selection could include it.
fn naming_unselected(inputs: &Inputs<'_>, of: &Key, resolution: Resolution) -> Resolution {
    if inputs.chosen.is_everything() {
        return resolution;
    }
    let is_unselected =
        |key: &Key| !inputs.has(key) && inputs.desired.snapshot.resources.iter().any(|one| one.key == *key && one.excluded.is_none());
    let naming = |reason: Reason| match reason {
        Reason::Refers(key) | Reason::Mentions { missing: key, .. } if is_unselected(&key) => Reason::NotSelected(key),
        Reason::Orphan => match of.kind().parent().map(|parent| Key::new(parent, of.name())).filter(is_unselected) {
            Some(parent) => Reason::NotSelected(parent),
            None => Reason::Orphan,
        },
        other => other,
    };
    match resolution {
        Resolution::Fits(parts) => {
            Resolution::Fits(parts.into_iter().map(|part| Unplanned { reason: naming(part.reason), ..part }).collect())
        }
        Resolution::LeftOut(reason) => Resolution::LeftOut(naming(reason)),
    }
}

/// The result of examining a candidate's references.
struct Examined<'inputs> {
    verdict: Verdict<'inputs>,
    decisions: Vec<Decision>,
}

/// Whether a candidate is planned.
enum Verdict<'inputs> {
    /// It is planned, in this form.
    Fits(Candidate<'inputs>),
    /// It is not planned, since it belongs to an excluded resource.
    Belongs,
    /// It is not planned, since the target will lack something it refers to or does not need it.
    Unresolved,
}

/// Examines a candidate, given the keys that the target will have and the excluded keys.
fn examined<'inputs>(
    inputs: &Inputs<'_>,
    mut candidate: Candidate<'inputs>,
    there: &HashSet<Key>,
    alone: &HashSet<Key>,
) -> Examined<'inputs> {
    let (key, kind) = (candidate.wanted.key.clone(), candidate.wanted.key.kind());
    let desired = inputs.past.desired_state;
    let mut open = candidate.open();
    let mut decisions = Vec::new();
    if desired == DesiredState::Source {
        decisions.extend(keep_target_choices(kind, &mut open).into_iter().map(Decision::Exclude));
    }
    let is_equal = candidate.is_equal();
    let spared = spare(kind, &mut open, alone).and_then(|spared| {
        let untouched = if is_equal { Vec::new() } else { inputs.untouched.spare(kind, &mut open)? };
        Ok(spared.into_iter().map(Decision::Exclude).chain(untouched.into_iter().map(Decision::Keep)).collect::<Vec<_>>())
    });
    match spared {
        Ok(spared) => decisions.extend(spared),
        Err(reason) => {
            decisions.push(Decision::Keep(Unplanned::whole(&key, reason)));
            return Examined { verdict: Verdict::Belongs, decisions };
        }
    }
    let is_orphan =
        matches!(kind.shape, Shape::Child { .. }) && kind.parent().is_some_and(|parent| !there.contains(&Key::new(parent, key.name())));
    let resolution = if is_orphan { Resolution::LeftOut(Reason::Orphan) } else { resolve(kind, &mut open, &|key| there.contains(key)) };
    let resolution = naming_unselected(inputs, &key, resolution);
    let verdict = match resolution {
        Resolution::Fits(parts) => {
            decisions.extend(parts.into_iter().map(Decision::Skip));
            // A resource that writing brings into being exists already if it would be empty.
            let is_there = candidate.held.is_none() && kind.creation().is_none() && open.wanted.is_blank(kind);
            if is_there {
                Verdict::Unresolved
            } else {
                candidate.take_over(open);
                Verdict::Fits(candidate)
            }
        }
        Resolution::LeftOut(reason) => {
            decisions.push(Decision::skip(&key, reason));
            Verdict::Unresolved
        }
    };
    Examined { verdict, decisions }
}

/// Returns the language of a per-language resource if the target will not support it.
fn missing_language(inputs: &Inputs<'_>, one: &Resource) -> Option<String> {
    let kind = one.key.kind();
    let Shape::Keyed { names: KeyNames::PerElement { of, list, .. } } = kind.shape else { return None };
    let listed = |snapshot: &Snapshot| snapshot.of_kind(of).next().and_then(|one| one.body.pick(&[list]).get(list)?.as_array().cloned());
    let is_kept = inputs.desired.kept.iter().any(|(key, path)| key.kind().name == of && covers(path, list));
    let is_planned = Kind::named(of).is_some_and(|of| inputs.chosen.may_have(of));
    let wanted = listed(&inputs.desired.snapshot).filter(|_| !is_kept && is_planned);
    let languages = wanted.or_else(|| listed(inputs.live))?;
    let own = kind.identity.key.last().and_then(|field| one.body.pick(&[field]).text(field).map(str::to_owned))?;
    (!languages.iter().any(|language| *language == own)).then_some(own)
}

/// Returns whether a resource contains only its name and values that the server fills in.
fn says_nothing(wanted: &Resource) -> bool {
    let kind = wanted.key.kind();
    let mut wanted = wanted.open();
    wanted.body = normalized(kind, &wanted.body);
    wanted.is_blank(kind)
}
