//! Hosts that the target has in the place of those of the source, and addresses of developers' own machines.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{SuggestedEffect, Suggestion, Tenants, copied, enumerated};
use crate::json::Body;
use crate::model::resource::Key;
use crate::snapshot::text_search::{hosts, named_hosts};
use crate::snapshot::{Snapshot, plain};

/// The hosts of a developer's own machine.
const OWN_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What the two tenants show about the hosts of the source.
#[derive(Default)]
struct HostEvidence {
    /// For each host the hosts in its place, with the resources that show it.
    places: BTreeMap<String, BTreeMap<String, BTreeSet<Key>>>,
    /// Hosts that both tenants have at the same place.
    shared: BTreeSet<String>,
}

/// Suggests a replacement for each host of the source that the target has another one for, in every place that shows it.
pub(super) fn suggestions(tenants: &Tenants<'_>) -> Vec<Suggestion> {
    let evidence = HostEvidence::new(tenants);
    let occurrences = occurrences(tenants.source);
    let held = occurrences_of(tenants.target, &occurrences);
    let is_shared = |host: &str| evidence.shared.contains(host) || held.contains(host);
    let certain: Vec<(&str, &str, &BTreeSet<Key>)> = evidence
        .places
        .iter()
        .filter(|(from, _)| !is_shared(from))
        .filter_map(|(from, others)| match others.iter().collect::<Vec<_>>()[..] {
            [(to, keys)] => Some((from.as_str(), to.as_str(), keys)),
            _ => None,
        })
        .collect();
    let suffixes = suffixes(&certain, &evidence, &occurrences);
    let covered = |from: &str| suffixes.iter().any(|suffix| is_below(from, suffix.from));
    let mut rules: Vec<Suggestion> = suffixes.iter().map(|suffix| of_suffix(suffix, tenants, &occurrences)).collect();
    let single = certain.iter().filter(|(from, ..)| !covered(from) && is_whole(from, &occurrences));
    rules.extend(single.map(|&(from, to, keys)| of_host((from, to), keys, tenants, &occurrences)));
    rules.sort_by_key(|rule| std::cmp::Reverse(if let SuggestedEffect::Replace { from, .. } = &rule.effect { from.len() } else { 0 }));
    rules
}

impl HostEvidence {
    fn new(tenants: &Tenants<'_>) -> Self {
        let mut evidence = Self::default();
        for (wanted, held) in &tenants.pairs {
            let (ours, theirs) = (hosts_by_place(&wanted.body.open()), hosts_by_place(&held.body.open()));
            for (place, hosts) in &ours {
                let Some(others) = theirs.get(place) else { continue };
                evidence.shared.extend(hosts.intersection(others).cloned());
                let (ours, theirs): (Vec<_>, Vec<_>) = (hosts.difference(others).collect(), others.difference(hosts).collect());
                for host in &ours {
                    if let Some(other) = counterpart(host, (ours.len(), &theirs), tenants) {
                        evidence.add(host, other, &wanted.key);
                    }
                }
            }
        }
        if let ([from], [to]) = (&hosts_of(tenants.source)[..], &hosts_of(tenants.target)[..]) {
            let domain =
                copied(tenants.source).chain(&tenants.source.resources).find(|one| !one.key.kind().identity.tenant_host.is_empty());
            if let (true, Some(domain)) = (from != to, domain) {
                evidence.add(from, to, &domain.key);
            }
        }
        evidence
    }

    fn add(&mut self, from: &str, to: &str, key: &Key) {
        self.places.entry(from.to_owned()).or_default().entry(to.to_owned()).or_default().insert(key.clone());
    }
}

/// Returns the custom domains of a tenant.
fn hosts_of(snapshot: &Snapshot) -> Vec<String> {
    snapshot.hosts().into_iter().collect()
}

/// Returns which of the hosts at a place is in the place of one of the source: the only one, or the only one that differs by the word that
/// names the tenant.
fn counterpart<'host>(host: &str, (ours, theirs): (usize, &[&'host String]), tenants: &Tenants<'_>) -> Option<&'host str> {
    if let (1, [only]) = (ours, theirs) {
        return Some(only.as_str());
    }
    let plain = without_labels(host, &tenants.source_words);
    let mut like = theirs.iter().filter(|other| plain != host && without_labels(other, &tenants.target_words) == plain);
    match (like.next(), like.next()) {
        (Some(only), None) => Some(only.as_str()),
        _ => None,
    }
}

/// Returns a host without the labels and parts of labels that are one of these words.
fn without_labels(host: &str, words: &[&str]) -> String {
    let is_word = |part: &str| words.contains(&part);
    let label = |label: &str| label.split('-').filter(|part| !is_word(part)).collect::<Vec<_>>().join("-");
    host.split('.').map(label).filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".")
}

/// Returns the hosts in the texts of a body, by path and surrounding text.
fn hosts_by_place(body: &Body) -> HashMap<(String, String), BTreeSet<String>> {
    let mut places: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
    each_host(body, &mut |path, text, host| {
        places.entry((path.to_owned(), text.replacen(host, "\0", 1))).or_default().insert(host.to_ascii_lowercase());
    });
    places
}

/// Calls `see` with the path, the text and each host in it.
fn each_host(body: &Body, see: &mut dyn FnMut(&str, &str, &str)) {
    body.each_text(&mut |path, text| {
        if text.contains('.') {
            let text = plain(text);
            named_hosts(&text).for_each(|host| see(path, &text, host));
        }
    });
}

/// Returns how many texts of a tenant contain each host.
fn occurrences(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for resource in copied(snapshot) {
        each_host(&resource.body.open(), &mut |_, _, host| *found.entry(host.to_ascii_lowercase()).or_default() += 1);
    }
    found
}

/// Returns those of these hosts that occur in a tenant too.
fn occurrences_of(snapshot: &Snapshot, wanted: &BTreeMap<String, usize>) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for resource in &snapshot.resources {
        resource.body.open().each_text(&mut |_, text| {
            if text.contains('.') {
                held.extend(wanted.keys().filter(|host| hosts(text, host).next().is_some()).cloned());
            }
        });
    }
    held
}

fn is_below(host: &str, above: &str) -> bool {
    host.strip_suffix(above).is_some_and(|below| below.ends_with('.'))
}

/// Returns whether a text is replaced only where it is a host or the end of one.
fn is_whole(from: &str, occurrences: &BTreeMap<String, usize>) -> bool {
    occurrences.keys().filter(|host| host.contains(from)).all(|host| host == from || is_below(host, from))
}

/// An end of hosts that is another one in the target, as several hosts show.
struct Suffix<'host> {
    from: &'host str,
    to: &'host str,
    examples: Vec<(&'host str, &'host str)>,
    keys: BTreeSet<&'host Key>,
}

/// Returns the ends that at least two hosts show and none contradicts.
fn suffixes<'host>(
    certain: &[(&'host str, &'host str, &'host BTreeSet<Key>)],
    evidence: &HostEvidence,
    occurrences: &BTreeMap<String, usize>,
) -> Vec<Suffix<'host>> {
    let mut by_end: BTreeMap<(&str, &str), Suffix<'host>> = BTreeMap::new();
    for &(from, to, keys) in certain {
        let Some((end, other)) = differing_end(from, to) else { continue };
        let suffix = by_end.entry((end, other)).or_insert(Suffix { from: end, to: other, examples: Vec::new(), keys: BTreeSet::new() });
        suffix.examples.push((from, to));
        suffix.keys.extend(keys.iter());
    }
    let agrees = |suffix: &Suffix<'_>| {
        let becomes = |host: &str| format!("{}{}", &host[..host.len() - suffix.from.len()], suffix.to);
        let is_contradicted = |host: &String| {
            is_below(host, suffix.from)
                && (evidence.shared.contains(host)
                    || evidence.places.get(host).is_some_and(|others| others.keys().any(|other| *other != becomes(host))))
        };
        !occurrences.keys().any(is_contradicted)
    };
    by_end.into_values().filter(|suffix| suffix.examples.len() > 1 && agrees(suffix)).collect()
}

/// Returns the ends of two hosts behind the labels that they begin with alike; nothing if one of the ends is no domain.
fn differing_end<'host>(from: &'host str, to: &'host str) -> Option<(&'host str, &'host str)> {
    let same = from.split('.').zip(to.split('.')).take_while(|(one, other)| one == other).map(|(label, _)| label.len() + 1).sum::<usize>();
    let (end, other) = (from.get(same..)?, to.get(same..)?);
    (same > 0 && end.contains('.') && other.contains('.')).then_some((end, other))
}

fn of_suffix(suffix: &Suffix<'_>, tenants: &Tenants<'_>, occurrences: &BTreeMap<String, usize>) -> Suggestion {
    let below: Vec<(&String, &usize)> = occurrences.iter().filter(|(host, _)| is_below(host, suffix.from)).collect();
    let texts: usize = below.iter().map(|(_, count)| **count).sum();
    let examples = enumerated(suffix.examples.iter().map(|(from, to)| format!("{from} is {to}")));
    let shown: BTreeSet<&str> = suffix.examples.iter().map(|(from, _)| *from).collect();
    let others: Vec<String> = below.iter().filter(|(host, _)| !shown.contains(host.as_str())).map(|(host, _)| (*host).clone()).collect();
    let more = if others.is_empty() { String::new() } else { format!("; by analogy it also covers {}", enumerated(others)) };
    let (texts, keys) = (count(texts, "text"), enumerated(suffix.keys.iter().map(ToString::to_string)));
    Suggestion {
        matches: vec!["*".to_owned()],
        field: None,
        effect: SuggestedEffect::Replace { from: format!(".{}", suffix.from), to: format!(".{}", suffix.to) },
        evidence: format!(
            "{texts} of {} contain hosts that end so; in {}, {examples}, at the same places of {keys}{more}",
            tenants.source.tenant, tenants.target.tenant
        ),
    }
}

fn of_host((from, to): (&str, &str), keys: &BTreeSet<Key>, tenants: &Tenants<'_>, occurrences: &BTreeMap<String, usize>) -> Suggestion {
    let texts = count(occurrences.get(from).copied().unwrap_or(1), "text");
    let keys = enumerated(keys.iter().map(ToString::to_string));
    let (source, target) = (&tenants.source.tenant, &tenants.target.tenant);
    Suggestion {
        matches: vec!["*".to_owned()],
        field: None,
        effect: SuggestedEffect::Replace { from: from.to_owned(), to: to.to_owned() },
        evidence: format!("in {texts} of {source}; {target} has {to} at the same place of {keys}, and {from} nowhere"),
    }
}

/// Suggests to leave out addresses of developers' own machines in lists of which the target has none.
pub(super) fn addresses_of_developers(tenants: &Tenants<'_>) -> Vec<Suggestion> {
    let (ours, theirs) = (own_machine(tenants.source), own_machine(tenants.target));
    let is_list_of = |kind: &str, path: &str| theirs.keys().any(|(of, at, _)| of == kind && at == path);
    // Of a kind that the target has nothing of, or that cannot be read there, nothing is known.
    let is_known = |kind: &str| tenants.target.is_complete(kind) && tenants.target.of_kind(kind).next().is_some();
    let is_new = |kind: &str, path: &str| path.ends_with("[]") && is_known(kind) && !is_list_of(kind, path);
    let new = ours.into_iter().filter(|((kind, path, _), _)| is_new(kind, path));
    let rule = |((kind, path, text), keys): ((String, String, String), BTreeSet<Key>)| Suggestion {
        matches: vec![format!("{kind}/*")],
        evidence: format!(
            "in {} of {}, an address of a developer's own machine; {} of {} have none in {}",
            enumerated(keys.iter().map(ToString::to_string)),
            tenants.source.tenant,
            kind,
            tenants.target.tenant,
            path.trim_end_matches("[]")
        ),
        field: Some(path),
        effect: SuggestedEffect::Remove(text),
    };
    new.map(rule).collect()
}

/// Returns the addresses of developers' own machines, by kind, path and text, with the resources that have them.
fn own_machine(snapshot: &Snapshot) -> BTreeMap<(String, String, String), BTreeSet<Key>> {
    let mut found: BTreeMap<(String, String, String), BTreeSet<Key>> = BTreeMap::new();
    for resource in copied(snapshot) {
        resource.body.open().each_text(&mut |path, text| {
            let behind = text.split_once("://").map_or("", |(_, rest)| rest);
            let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host
                .rsplit_once(':')
                .filter(|(_, port)| port.chars().all(|sign| sign.is_ascii_digit() || sign == '*'))
                .map_or(host, |(host, _)| host);
            if OWN_MACHINE.contains(&host) {
                let place = (resource.key.kind().name.to_owned(), path.to_owned(), text.to_owned());
                found.entry(place).or_default().insert(resource.key.clone());
            }
        });
    }
    found
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
