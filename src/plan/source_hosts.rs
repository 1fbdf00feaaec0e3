//! Hosts of the source that no mapping rule rewrote and that a plan would copy into the target.
//!
//! A host belongs to the source if the configuration lists it, if rules rewrite it elsewhere, if its name says so
//! (`shop.dev.acme.example`), or if the target has a different one in its place. The tenant's own domain and its custom
//! domains are covered by the [`source-leak`](super::leak) guard.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::leak::{SentText, each_outgoing};
use super::model::{Action, Change, Plan, UnmappedHost};
use crate::json::{Body, is_in};
use crate::model::resource::{Key, Resource};
use crate::snapshot::text_search::{hosts, named_hosts};
use crate::snapshot::{Desired, Snapshot, plain};

/// Shorter tenant names occur in too many words.
const SHORTEST_NAME: usize = 3;

/// Known hosts of a source, besides those in its resources.
#[derive(Debug, Clone, Copy)]
pub struct KnownHosts<'known> {
    /// The hosts in the configuration.
    pub listed: &'known [String],
    /// Texts with hosts that mapping rules replace, and their replacements.
    pub rewritten: &'known [(&'known str, &'known str)],
}

/// Returns the hosts of the source that a plan would copy into the target, each with the first place that contains it.
pub fn unmapped_hosts(plan: &Plan, desired: &Desired, live: &Snapshot, known: KnownHosts<'_>) -> Vec<UnmappedHost> {
    if plan.is_empty() || plan.source.domain == plan.target.domain {
        return Vec::new();
    }
    let mut found = sent_hosts(plan, known.listed);
    let is_guarded = |host: &str| is_below(host, &plan.source.domain) || desired.hosts.contains(host);
    found.retain(|host, _| !is_guarded(host));
    if !found.is_empty() {
        let own = live.hosts();
        let is_listed = |host: &str| known.listed.iter().any(|listed| is_below(host, listed));
        let evidence = Evidence::new(plan, desired, live, known.rewritten);
        found.retain(|host, _| is_listed(host) || (evidence.is_of_source(host) && !own.contains(host)));
        let doubtful: BTreeSet<&str> = found.keys().map(String::as_str).filter(|host| !is_listed(host)).collect();
        let held = held_hosts(live, &doubtful);
        found.retain(|host, _| !held.contains(host));
    }
    let named = |(host, places): (String, Vec<(Key, String)>)| {
        let count = places.len();
        let (key, path) = places.into_iter().next()?;
        Some(UnmappedHost { host, key, path, count })
    };
    found.into_iter().filter_map(named).collect()
}

/// Returns whether a host equals another one or is a subdomain of it.
fn is_below(host: &str, above: &str) -> bool {
    host.strip_suffix(above).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// Returns the hosts in the changed values, in lower case, with the fields that contain them.
fn sent_hosts(plan: &Plan, listed: &[String]) -> BTreeMap<String, Vec<(Key, String)>> {
    let mut found: BTreeMap<String, Vec<(Key, String)>> = BTreeMap::new();
    for change in plan.changes() {
        each_outgoing(change, &mut |path, part| {
            let SentText::Text(text) = part else { return };
            let field = path.split('[').next().unwrap_or(path);
            if !may_hold_a_host(text) || !is_edited(change, field) {
                return;
            }
            let text = plain(text);
            let of_list = listed.iter().filter(|listed| hosts(&text, listed).next().is_some()).map(|listed| Cow::Borrowed(listed.as_str()));
            let named: Vec<Cow<'_, str>> = named_hosts(&text).map(|host| Cow::Owned(host.to_ascii_lowercase())).collect();
            // A subdomain of a listed host is reported itself.
            let of_list = of_list.filter(|listed| !named.iter().any(|host| is_below(host, listed))).collect::<Vec<_>>();
            for host in named.iter().chain(&of_list) {
                let places = found.entry(host.to_string()).or_default();
                let place = (change.key.clone(), field.to_owned());
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        });
    }
    found
}

fn may_hold_a_host(text: &str) -> bool {
    text.contains('.')
}

/// Returns whether a change edits a field, rather than only sending it along.
fn is_edited(change: &Change, field: &str) -> bool {
    match &change.action {
        Action::Update { id: Some(_), edits, .. } => edits.iter().any(|edit| is_in(&edit.path, field) || is_in(field, &edit.path)),
        _ => true,
    }
}

/// Evidence that a host belongs to the source.
struct Evidence<'plan> {
    /// Hosts in texts that rules replace, with those in the replacements.
    rewritten: Vec<(String, Vec<String>)>,
    /// The name and the first label of the source.
    names: Vec<&'plan str>,
    /// Hosts for which the target has a different one at the same place.
    paired: HashSet<String>,
}

impl<'plan> Evidence<'plan> {
    fn new(plan: &'plan Plan, desired: &Desired, live: &Snapshot, rewritten: &[(&str, &str)]) -> Self {
        let label = |domain: &'plan str| domain.split('.').next().unwrap_or(domain);
        let own: Vec<&str> =
            [plan.target.tenant.as_str(), label(&plan.target.domain)].into_iter().flat_map(|name| name.split('-')).collect();
        let is_telling = |name: &&str| name.len() >= SHORTEST_NAME && !own.contains(name) && *name != label(&plan.target.domain);
        let names = [plan.source.tenant.as_str(), label(&plan.source.domain)].into_iter().filter(is_telling).collect();
        let hosts_of = |text: &str| named_hosts(text.trim_start_matches('.')).map(str::to_ascii_lowercase).collect::<Vec<_>>();
        let row = |(from, to): &(&str, &str)| {
            let to = hosts_of(to);
            hosts_of(from).into_iter().map(move |from| (from, to.clone())).collect::<Vec<_>>()
        };
        Self { rewritten: rewritten.iter().flat_map(row).collect(), names, paired: paired(desired, live) }
    }

    fn is_of_source(&self, host: &str) -> bool {
        // A rule's replacement may be a subdomain of the replaced host.
        let is_made = |from: &str, to: &[String]| to.iter().any(|to| is_below(to, from) && is_below(host, to));
        let is_rewritten = || self.rewritten.iter().any(|(from, to)| is_below(host, from) && !is_made(from, to));
        let carries = |name: &&str| {
            let mut labels = host.rsplit('.').skip(1);
            labels.any(|label| label == *name || label.split(['-', '_']).any(|part| part == *name))
        };
        self.paired.contains(host) || is_rewritten() || self.names.iter().any(carries)
    }
}

/// Returns the hosts of desired resources for which their matches in the target have a different host at the same
/// place.
fn paired(desired: &Desired, live: &Snapshot) -> HashSet<String> {
    let held: HashMap<&Key, &Resource> = live.resources.iter().map(|resource| (&resource.key, resource)).collect();
    let mut paired = HashSet::new();
    for wanted in &desired.snapshot.resources {
        let Some(held) = held.get(&wanted.key).filter(|held| held.body != wanted.body) else { continue };
        let (ours, theirs) = (hosts_by_place(&wanted.body.open()), hosts_by_place(&held.body.open()));
        for (place, hosts) in ours {
            let Some(others) = theirs.get(&place).filter(|others| !others.is_subset(&hosts)) else { continue };
            paired.extend(hosts.into_iter().filter(|host| !others.contains(host)));
        }
    }
    paired
}

/// Returns the hosts in the texts of a body, by path and surrounding text.
fn hosts_by_place(body: &Body) -> HashMap<(String, String), HashSet<String>> {
    let mut places: HashMap<(String, String), HashSet<String>> = HashMap::new();
    body.each_text(&mut |path, text| {
        if !may_hold_a_host(text) {
            return;
        }
        let text = plain(text);
        for host in named_hosts(&text) {
            let place = (path.to_owned(), text.replacen(host, "\0", 1));
            places.entry(place).or_default().insert(host.to_ascii_lowercase());
        }
    });
    places
}

/// Returns those of the given hosts that occur anywhere in the target.
fn held_hosts(live: &Snapshot, wanted: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    if wanted.is_empty() {
        return held;
    }
    for resource in &live.resources {
        resource.body.open().each_text(&mut |_, text| {
            if may_hold_a_host(text) {
                let own = wanted.iter().filter(|host| hosts(text, host).next().is_some());
                held.extend(own.map(|host| (*host).to_owned()));
            }
        });
    }
    held
}
