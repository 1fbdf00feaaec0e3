//! Metadata that has another value in the target, and texts that name the source.

use std::collections::{BTreeMap, BTreeSet};

use super::names::has_word;
use super::{SuggestedEffect, Suggestion, Tenants, copied, enumerated, pattern_of};
use crate::model::resource::Key;

/// Longer texts are pages and code, which a rule about the whole value does not suit.
const LONGEST: usize = 200;
/// The number of resources that have to show a value of metadata.
const WITNESSES: usize = 2;

/// A text that differs between the two tenants.
struct Difference<'seen> {
    key: &'seen Key,
    path: String,
    ours: String,
    theirs: String,
}

/// Suggests rules for texts that differ, apart from those that the suggested replacements of hosts explain.
pub(super) fn suggestions(tenants: &Tenants<'_>, hosts: &[Suggestion]) -> Vec<Suggestion> {
    let differences = differences(tenants, hosts);
    let metadata = metadata(tenants, &differences);
    let is_explained = |difference: &&Difference<'_>| {
        let is_same = |rule: &Suggestion| rule.field.as_ref() == Some(&difference.path) && rule.matches == [of_kind(difference.key)];
        metadata.iter().any(is_same)
    };
    let named =
        differences.iter().filter(|difference| !is_explained(difference)).filter_map(|difference| names_the_source(tenants, difference));
    let named: Vec<Suggestion> = named.collect();
    [metadata, named].concat()
}

/// Returns the single texts that differ in resources that both tenants have.
fn differences<'seen>(tenants: &Tenants<'seen>, hosts: &[Suggestion]) -> Vec<Difference<'seen>> {
    let replaced = |text: &str| {
        hosts.iter().fold(text.to_owned(), |text, rule| match &rule.effect {
            SuggestedEffect::Replace { from, to } => text.replace(from.as_str(), to),
            _ => text,
        })
    };
    let mut found = Vec::new();
    for (wanted, held) in &tenants.pairs {
        let (ours, theirs) = (wanted.body.open(), held.body.open());
        ours.each_text(&mut |path, text| {
            let is_single = !path.contains('[') && text.len() <= LONGEST && !text.contains('\n');
            let other = theirs.text(path).filter(|other| is_single && other.len() <= LONGEST && !other.is_empty());
            if let Some(other) = other.filter(|other| **other != replaced(text)) {
                found.push(Difference { key: &wanted.key, path: path.to_owned(), ours: text.to_owned(), theirs: other.to_owned() });
            }
        });
    }
    found
}

/// Suggests a replacement for each value of metadata that is another one in the target, always the same.
fn metadata(tenants: &Tenants<'_>, differences: &[Difference<'_>]) -> Vec<Suggestion> {
    type Value<'seen> = (&'seen str, &'seen str, &'seen str);
    let mut by_value: BTreeMap<Value<'_>, BTreeMap<&str, BTreeSet<&Key>>> = BTreeMap::new();
    for one in differences.iter().filter(|one| is_metadata(&one.path)) {
        let value = (one.key.kind().name, one.path.as_str(), one.ours.as_str());
        by_value.entry(value).or_default().entry(&one.theirs).or_default().insert(one.key);
    }
    let rule = |(&(kind, path, ours), others): (&Value<'_>, &BTreeMap<&str, BTreeSet<&Key>>)| {
        let [(theirs, keys)] = others.iter().collect::<Vec<_>>()[..] else { return None };
        let is_certain = keys.len() >= WITNESSES && is_whole_value(tenants, (kind, path), ours) && !stays(tenants, (kind, path), ours);
        is_certain.then(|| Suggestion {
            matches: vec![format!("{kind}/*")],
            field: Some(path.to_owned()),
            effect: SuggestedEffect::Replace { from: ours.to_owned(), to: (*theirs).to_owned() },
            evidence: format!(
                "it is \"{ours}\" in {} and \"{theirs}\" in {}, in {}",
                tenants.source.tenant,
                tenants.target.tenant,
                enumerated(keys.iter().map(ToString::to_string))
            ),
        })
    };
    by_value.iter().filter_map(rule).collect()
}

fn is_metadata(path: &str) -> bool {
    path.split_once('.').is_some_and(|(top, _)| top == "metadata" || top.ends_with("_metadata"))
}

/// Returns whether a value is the whole text wherever it occurs in this field of the source, so that replacing it changes nothing else.
fn is_whole_value(tenants: &Tenants<'_>, (kind, path): (&str, &str), value: &str) -> bool {
    let texts = copied(tenants.source).filter(|resource| resource.key.kind().name == kind);
    texts.filter_map(|resource| resource.body.open().text(path).map(str::to_owned)).all(|text| text == value || !text.contains(value))
}

/// Returns whether some resource has this value in both tenants.
fn stays(tenants: &Tenants<'_>, (kind, path): (&str, &str), value: &str) -> bool {
    let of_kind = tenants.pairs.iter().filter(|(wanted, _)| wanted.key.kind().name == kind);
    of_kind.into_iter().any(|(wanted, held)| [wanted, held].iter().all(|one| one.body.open().text(path) == Some(value)))
}

/// Suggests to keep the target's text where that of the source names the source.
fn names_the_source(tenants: &Tenants<'_>, difference: &Difference<'_>) -> Option<Suggestion> {
    let Difference { key, path, ours, theirs } = difference;
    if !has_word(ours, &tenants.source_words) || has_word(theirs, &tenants.source_words) {
        return None;
    }
    Some(Suggestion {
        matches: vec![pattern_of(key)],
        field: Some(path.clone()),
        effect: SuggestedEffect::Keep(true),
        evidence: format!("\"{ours}\" names {}; {} has \"{theirs}\"", tenants.source.tenant, tenants.target.tenant),
    })
}

fn of_kind(key: &Key) -> String {
    format!("{}/*", key.kind().name)
}
