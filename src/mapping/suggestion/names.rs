//! Resources that are called differently in the two tenants, and the words that name a tenant.

use std::collections::{BTreeMap, BTreeSet};

use super::{SuggestedEffect, Suggestion, Tenants, copied, pattern_of};
use crate::catalog::Shape;
use crate::model::resource::{Key, Resource};
use crate::snapshot::Snapshot;

/// Shorter words occur in too many texts.
const SHORTEST: usize = 3;
/// What may separate the word that names a tenant from the rest of a name, on both sides of it.
const AROUND: [(&str, &str); 7] = [("(", ")"), ("[", "]"), ("- ", ""), ("-", ""), ("_", ""), (".", ""), ("", "")];
/// What may separate a word that comes first from the rest.
const BEHIND: [&str; 5] = [": ", " ", "-", "_", "."];

/// Returns the words that name a tenant and not the other one: its name, the first label of its domain, and parts of it.
pub(super) fn words_of<'seen>(tenant: &'seen Snapshot, other: &'seen Snapshot) -> Vec<&'seen str> {
    let names = |of: &'seen Snapshot| {
        let label = of.domain.split('.').next().unwrap_or_default();
        [of.tenant.as_str(), label].into_iter().chain(of.tenant.split(['-', '_'])).chain(label.split('-')).collect::<BTreeSet<&str>>()
    };
    let others = names(other);
    names(tenant).into_iter().filter(|word| word.len() >= SHORTEST && !others.contains(word)).collect()
}

/// Returns whether a text contains one of these words, ignoring case.
pub(super) fn has_word(text: &str, words: &[&str]) -> bool {
    let is_part = |sign: char| sign.is_ascii_alphanumeric();
    let mut parts = text.split(|sign| !is_part(sign));
    parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

/// Returns a name without a word that names its tenant: `Billing` for `Billing (dev)`.
pub(super) fn without_word<'name>(name: &'name str, words: &[&str]) -> Option<&'name str> {
    words.iter().find_map(|word| {
        let last = AROUND.iter().find_map(|(before, after)| {
            let rest = strip_end(strip_end(strip_end(name, after)?, word)?, before)?;
            let is_apart = !before.is_empty() || rest.ends_with(' ');
            Some(rest.trim_end()).filter(|rest| is_apart && !rest.is_empty())
        });
        let first = || {
            let rest = strip_begin(name, word)?;
            let rest = BEHIND.iter().find_map(|behind| rest.strip_prefix(behind))?;
            Some(rest.trim_start()).filter(|rest| !rest.is_empty())
        };
        last.or_else(first)
    })
}

fn strip_end<'text>(text: &'text str, end: &str) -> Option<&'text str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    tail.eq_ignore_ascii_case(end).then_some(rest)
}

fn strip_begin<'text>(text: &'text str, begin: &str) -> Option<&'text str> {
    let (head, rest) = text.split_at_checked(begin.len())?;
    head.eq_ignore_ascii_case(begin).then_some(rest)
}

/// Suggests names for resources that the target has under a name without the word that names the source.
pub(super) fn suggestions(tenants: &Tenants<'_>) -> Vec<Suggestion> {
    let (ours, theirs) = (keys(tenants.source), keys(tenants.target));
    // A name that several resources would have is none for any of them.
    let mut plain: BTreeMap<(&str, &str), Vec<&Key>> = BTreeMap::new();
    for key in ours.iter().filter(|key| !theirs.contains(*key)) {
        if let Some(name) = without_word(key.name(), &tenants.source_words) {
            plain.entry((key.kind().name, name)).or_default().push(key);
        }
    }
    let mut held: BTreeMap<(&str, &str), Vec<&Key>> = BTreeMap::new();
    for key in theirs.iter().filter(|key| !ours.contains(*key)) {
        held.entry((key.kind().name, without_word(key.name(), &tenants.target_words).unwrap_or(key.name()))).or_default().push(key);
    }
    let rename = |(name, keys): (&(&str, &str), &Vec<&Key>)| match (&keys[..], held.get(name).map(Vec::as_slice)) {
        ([key], Some([other])) => Some(Suggestion {
            matches: vec![pattern_of(key)],
            field: None,
            effect: SuggestedEffect::Rename(other.name().to_owned()),
            evidence: format!(
                "{} has no {} \"{}\", but one called \"{}\", which {} has not",
                tenants.target.tenant,
                key.kind().singular,
                key.name(),
                other.name(),
                tenants.source.tenant
            ),
        }),
        _ => None,
    };
    plain.iter().filter_map(rename).collect()
}

/// Returns the keys of resources that have a name of their own.
fn keys(snapshot: &Snapshot) -> BTreeSet<&Key> {
    let is_named = |resource: &&Resource| resource.key.kind().shape == Shape::Collection && !resource.key.name().is_empty();
    copied(snapshot).filter(is_named).map(|resource| &resource.key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_names_a_tenant_is_found_at_either_end_of_a_name() {
        let plain = |name| without_word(name, &["dev"]);
        for name in
            ["Billing (dev)", "Billing [DEV]", "Billing - dev", "Billing dev", "Billing-dev", "Dev: Billing", "dev-Billing", "dev Billing"]
        {
            assert_eq!(plain(name), Some("Billing"), "{name}");
        }
        for name in ["Billing", "Devices", "Sodev", "dev", "(dev)", "Billing (dev) EU"] {
            assert_eq!(plain(name), None, "{name}");
        }
    }

    #[test]
    fn a_tenant_is_named_by_words_that_the_other_one_has_not() {
        let dev = Snapshot::empty("dev", "acme-dev.eu.auth0.com");
        let prod = Snapshot::empty("prod", "acme-prod.eu.auth0.com");
        assert_eq!(words_of(&dev, &prod), ["acme-dev", "dev"]);
        assert_eq!(words_of(&prod, &dev), ["acme-prod", "prod"]);
        assert!(has_word("https://shop.DEV.acme.example", &["dev"]) && !has_word("devices", &["dev"]));
    }
}
