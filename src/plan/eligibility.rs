//! Which resources of the source are planned, and why the others are not.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::builder::PlanBuilder;
use super::manual_steps::missing_required_secret;
use super::model::{ManualStep, Skipped};
use super::normal_form::normalized;
use super::pairing::Pairing;
use super::prune::parent_of;
use super::reason::{DesiredState, Reason};
use super::references::{Candidate, Resolution, keep_target_choices, resolve, spare};
use super::unique_names::{TakenNames, ambiguous};
use crate::catalog::{KeyNames, Kind, Shape, Write};
use crate::json::covers;
use crate::model::resource::{Id, Key, Resource};
use crate::snapshot::{Snapshot, Status};

/// How to accept what a tenant does not show.
const SPARED_BY: &str = "; a rule with `skip = true` accepts that";

impl<'inputs> PlanBuilder<'inputs> {
    /// Reports what could not be read: it would look as if the source did not have it.
    pub(super) fn skip_unread(&mut self) {
        for (key, reason) in self.desired.snapshot.unread() {
            if self.desired.spared.contains(&key) {
                self.exclude(&key, &reason);
            } else {
                // A missing scope is better granted than accepted.
                let is_refused = !matches!(self.desired.snapshot.kinds.get(key.kind()), Some(Status::Forbidden(_)));
                self.skip_resource(&key, if is_refused { reason + SPARED_BY } else { reason });
            }
        }
    }

    /// Returns the resources to plan: without the tenants' own, and of kinds that the target serves; `removed` are the indexes of
    /// resources to delete.
    pub(super) fn candidates(&mut self, partners: &'inputs Pairing<'_>, removed: &[usize]) -> Vec<Candidate<'inputs>> {
        let desired = self.desired;
        let ambiguous = ambiguous(self.catalog, desired, self.live, self.past.links);
        let ids = partners.live.iter().map(|resource| (&resource.key, &resource.id)).collect();
        let mut names = TakenNames::of_target(self.catalog, &desired.snapshot.resources, partners, removed);
        let mut candidates = Vec::new();
        for (wanted, at) in desired.snapshot.resources.iter().zip(&partners.of_desired) {
            let held = at.map(|at| &*partners.live[at]);
            if self.is_wanted(wanted, held, &ambiguous, &ids) && self.is_taken(wanted, *at, &mut names) {
                candidates.push(Candidate { wanted: Cow::Borrowed(wanted), held });
            }
        }
        candidates
    }

    /// Returns whether a resource is to be copied, and records why not.
    fn is_wanted(&mut self, wanted: &Resource, held: Option<&Resource>, ambiguous: &HashMap<Id, String>, ids: &HashMap<&Key, &Id>) -> bool {
        let kind = self.kind_of(&wanted.key);
        if let Some(reason) = &wanted.excluded {
            if wanted.is_unseen {
                self.skip_resource(&wanted.key, format!("{} does not show it: {reason}", self.desired.snapshot.tenant));
            } else {
                self.exclude(&wanted.key, reason);
            }
        } else if let Some(held) = held.filter(|held| held.excluded.is_some()) {
            let reason = held.excluded.as_deref().unwrap_or_default();
            // Nothing that is there by its name is anybody's own: the target refuses to show it.
            match kind.shape {
                _ if held.is_unseen => self.skip_resource(&wanted.key, format!("the target does not show it: {reason}")),
                Shape::Keyed { .. } => self.skip_resource(&wanted.key, format!("the target does not show it: {reason}")),
                _ => self.exclude(&wanted.key, reason),
            }
        } else if let Some(reason) = held.is_none().then(|| self.unseen_in_target(kind, wanted, ids)).flatten() {
            self.skip_resource(&wanted.key, format!("the target does not show it: {reason}"));
        } else if let Some(owner) = self.untouched.owner_of(&wanted.key) {
            let reason = format!("it belongs to {owner}, which is left alone");
            self.exclude_owned(kind, wanted, held, reason);
        } else if let (None, Some(link), true) = (held, self.past.links.of_source(kind.name, &wanted.id), self.live.is_complete(kind.name))
        {
            let hint = format!("`migrate unlink {} {}` lets it be made anew", kind.name, wanted.id);
            let gone = format!("the {} it is linked to ({}) is gone from the target; {hint}", kind.singular, link.target_id);
            self.skip_resource(&wanted.key, gone);
        } else if let Some(reason) = ambiguous.get(&wanted.id).filter(|_| kind.identity.allows_duplicates) {
            self.skip_resource(&wanted.key, reason.as_str());
        } else if let (None, Some(given)) = (held, kind.quirks.built_in.filter(|_| wanted.is_given)) {
            if says_nothing(kind, wanted) {
                self.exclude(&wanted.key, given.reason);
            } else {
                let step = given.manual_setup.to_owned();
                self.plan.manual_steps.push(ManualStep { key: wanted.key.clone(), path: String::new(), step });
            }
        } else if let (None, Some(what)) = (held, kind.lifecycle.manual_setup) {
            self.plan.manual_steps.push(ManualStep { key: wanted.key.clone(), path: String::new(), step: what.to_owned() });
        } else if let Some(path) = held.is_none().then(|| missing_required_secret(kind, wanted, &self.supplied(&wanted.key))).flatten() {
            let step = format!("{path} is needed to make it and is not copied; supply it with a `secret` rule in the mapping");
            self.plan.manual_steps.push(ManualStep { key: wanted.key.clone(), path: path.to_owned(), step });
            self.skip_resource(&wanted.key, format!("it cannot be made without its {path}"));
        } else if let Some(language) = self.missing_language(kind, wanted) {
            self.skip_resource(&wanted.key, format!("{language} will be none of the target's languages"));
        } else if kind.shape == Shape::Singleton && wanted.says_nothing() && !self.is_emptied(kind, held) {
            if held.is_some_and(|held| !held.says_nothing()) {
                self.leave_unspecified(&wanted.key);
            }
        } else {
            return true;
        }
        false
    }

    /// Returns the target's reason for not showing anything below the parent of a resource.
    fn unseen_in_target(&self, kind: &Kind, wanted: &Resource, ids: &HashMap<&Key, &Id>) -> Option<String> {
        let mut unseen = self.live.unseen(kind.name).iter().filter(|one| one.is_refused);
        let parent = *ids.get(&parent_of(kind, wanted)?)?;
        unseen.find(|one| one.id == *parent).map(|one| one.reason.clone())
    }

    /// Keeps what belongs to a protected resource as it is in the target, and lists it if the source differs.
    fn exclude_owned(&mut self, kind: &Kind, wanted: &Resource, held: Option<&Resource>, reason: String) {
        let same =
            |held: &Resource| held.body == wanted.body || normalized(kind, &held.body.open()) == normalized(kind, &wanted.body.open());
        if held.is_some_and(same) {
            *self.plan.shared.entry(kind.name.to_owned()).or_default() += 1;
            *self.plan.unchanged.entry(kind.name.to_owned()).or_default() += 1;
        } else if held.is_some() || !says_nothing(kind, wanted) {
            self.exclude_for_protected([Skipped { key: wanted.key.clone(), path: None, reason }]);
        }
    }

    /// Leaves a singleton as it is in the target, since the desired state has no settings for it; in an undo that is a shortfall.
    fn leave_unspecified(&mut self, key: &Key) {
        let reason = Reason::Unspecified.text(self.past.desired_state);
        match self.past.desired_state {
            DesiredState::Source => self.exclude(key, reason),
            DesiredState::BeforeRun => self.skip_resource(key, reason),
        }
    }

    /// Returns whether a singleton without settings in the source is to be emptied: only if an earlier run wrote it.
    fn is_emptied(&self, kind: &Kind, held: Option<&Resource>) -> bool {
        let applied = held.and_then(|held| self.past.base.of_target(&held.key, &held.id));
        self.past.prune && kind.paths.write == Write::Patch && applied.is_some_and(|applied| !applied.body.is_empty())
    }

    /// Returns whether the target accepts a resource, and records why not.
    fn is_taken(&mut self, wanted: &Resource, at: Option<usize>, names: &mut TakenNames) -> bool {
        let kind = self.kind_of(&wanted.key);
        let reason = match (self.live.kinds.get(kind.name), kind.lifecycle.not_creatable) {
            // What says nothing is not missed where it cannot be written.
            (Some(Status::Absent(_) | Status::Refused(_) | Status::Forbidden(_)), _) if says_nothing(kind, wanted) => return false,
            (Some(Status::Complete | Status::InPart(_)), Some(_)) if at.is_none() && says_nothing(kind, wanted) => return false,
            (Some(Status::Complete | Status::InPart(_)), Some(reason)) if at.is_none() => reason.to_owned(),
            (Some(Status::Complete | Status::InPart(_) | Status::Selected(_)), _) => match names.take(kind, wanted, at) {
                Some(reason) => reason,
                None => return true,
            },
            (Some(Status::Absent(reason) | Status::Refused(reason) | Status::Forbidden(reason)), _) => {
                format!("the target does not serve {}: {reason}{SPARED_BY}", kind.name)
            }
            (None, _) => format!("{} of the target were not read", kind.name),
        };
        self.skip_resource(&wanted.key, reason);
        false
    }

    /// Skips what refers to something the target will not have, until nothing more depends on what is skipped.
    pub(super) fn skip_unresolved(&mut self, candidates: &mut Vec<Candidate<'_>>, partners: &Pairing<'_>) {
        let mut there: HashSet<Key> = partners.live.iter().map(|resource| resource.key.clone()).collect();
        there.extend(candidates.iter().filter(|candidate| candidate.held.is_none()).map(|candidate| candidate.wanted.key.clone()));
        let of_source = &self.desired.snapshot.resources;
        let alone = of_source.iter().filter(|resource| resource.excluded.is_some() && !there.contains(&resource.key));
        let mut alone: HashSet<Key> = alone.map(|resource| resource.key.clone()).collect();
        loop {
            let before = candidates.len();
            let mut fitting = Vec::with_capacity(before);
            for mut candidate in candidates.drain(..) {
                let kind = self.kind_of(&candidate.wanted.key);
                let mut examined = candidate.open();
                if self.past.desired_state == DesiredState::Source {
                    self.plan.excluded.extend(keep_target_choices(kind, &mut examined));
                }
                let is_equal = candidate.is_equal();
                let spared = spare(kind, &mut examined, &alone).and_then(|spared| {
                    let untouched = if is_equal { Vec::new() } else { self.untouched.spare(kind, &mut examined)? };
                    Ok((spared, untouched))
                });
                match spared {
                    Ok((spared, untouched)) => {
                        self.plan.excluded.extend(spared);
                        self.exclude_for_protected(untouched);
                    }
                    Err(reason) => {
                        self.exclude_for_protected([Skipped { key: candidate.wanted.key.clone(), path: None, reason }]);
                        there.remove(&candidate.wanted.key);
                        alone.insert(candidate.wanted.key.clone());
                        continue;
                    }
                }
                let is_orphan =
                    matches!(kind.shape, Shape::Child { parent, .. } if !there.contains(&Key::new(parent, candidate.wanted.key.name())));
                let verdict = if is_orphan {
                    Resolution::LeftOut("the resource it belongs to is left out".to_owned())
                } else {
                    resolve(kind, &mut examined, &|key| there.contains(key), self.past.desired_state)
                };
                match verdict {
                    Resolution::Fits(parts) => {
                        self.plan.skipped.extend(parts);
                        // What is there by being written and would hold nothing is there already.
                        if candidate.held.is_none() && kind.creation().is_none() && examined.wanted.is_blank(kind) {
                            there.remove(&candidate.wanted.key);
                            continue;
                        }
                        candidate.take_over(examined);
                        fitting.push(candidate);
                    }
                    Resolution::LeftOut(reason) => {
                        self.skip_resource(&candidate.wanted.key, reason);
                        if candidate.held.is_none() {
                            there.remove(&candidate.wanted.key);
                        }
                    }
                }
            }
            *candidates = fitting;
            if candidates.len() == before {
                return;
            }
        }
    }

    /// Returns the language of a resource that exists once per language, if the target's list of languages will not have it.
    fn missing_language(&self, kind: &Kind, one: &Resource) -> Option<String> {
        let Shape::Keyed { names: KeyNames::PerElement { of, list, .. } } = kind.shape else { return None };
        let listed =
            |snapshot: &Snapshot| snapshot.of_kind(of).next().and_then(|one| one.body.pick(&[list]).get(list)?.as_array().cloned());
        let is_kept = self.desired.kept.iter().any(|(key, path)| key.kind() == of && covers(path, list));
        let wanted = listed(&self.desired.snapshot).filter(|_| !is_kept);
        let languages = wanted.or_else(|| listed(self.live))?;
        let own = kind.identity.key.last().and_then(|field| one.body.pick(&[field]).text(field).map(str::to_owned))?;
        (!languages.iter().any(|language| *language == own)).then_some(own)
    }
}

/// Returns whether a resource holds nothing but its name and values that the server fills in.
fn says_nothing(kind: &Kind, wanted: &Resource) -> bool {
    let mut wanted = wanted.open();
    wanted.body = normalized(kind, &wanted.body);
    wanted.is_blank(kind)
}
