//! Every writable field has a rule, and every rule a field.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::catalog::{Catalog, Fields, Kind, Shape};

/// Returns every path at which an edit may stand: lists are compared whole.
fn paths(fields: &Fields, above: &str) -> Vec<String> {
    let below = |field: &crate::catalog::Field| {
        let path = crate::json::join(above, field.name);
        match &field.below {
            Some(below) if !(field.is_list || below.is_open() && below.iter().next().is_none()) => paths(below, &path),
            _ => vec![path],
        }
    };
    let open = fields.is_open().then(|| crate::json::join(above, "anything"));
    fields.iter().flat_map(below).chain(open).collect()
}

fn all() -> impl Iterator<Item = (&'static Kind, &'static Risks)> {
    Catalog::standard().kinds().map(|kind| (kind, kind.risks()))
}

#[test]
fn every_writable_field_of_every_kind_has_a_rule() {
    let without: Vec<String> = all()
        .flat_map(|(kind, risks)| paths(kind.fields(), "").into_iter().map(move |path| (kind, risks, path)))
        .filter(|(_, risks, path)| risks.rule(path).is_none())
        .map(|(kind, _, path)| format!("{}: {path}", kind.name))
        .collect();
    assert_eq!(without, [""; 0], "they need a rule");
}

#[test]
fn every_path_with_a_rule_can_be_written_and_has_one_rule() {
    for (kind, risks) in all() {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for path in risks.fields.iter().flat_map(|(_, paths)| paths.split_whitespace()) {
            *seen.entry(path).or_default() += 1;
            assert!(path == "*" || kind.fields().has(path), "{} has no {path}", kind.name);
        }
        let twice: Vec<&str> = seen.into_iter().filter(|(_, times)| *times > 1).map(|(path, _)| path).collect();
        assert_eq!(twice, [""; 0], "{}", kind.name);
    }
}

#[test]
fn what_stands_in_a_list_of_its_own_is_lost_data_when_it_goes() {
    let locks_out = |(kind, risks): &(&'static Kind, &'static Risks)| risks.removed == Lockout && kind.shape == Shape::Collection;
    assert_eq!(all().filter(locks_out).map(|(kind, _)| kind.name).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn risks_are_of_kinds_that_there_are_and_stand_once() {
    let names: BTreeSet<&str> = RISKS.iter().map(|(name, _)| *name).collect();
    let kinds: BTreeSet<&str> = Catalog::standard().kinds().map(|kind| kind.name).collect();
    assert_eq!(names, kinds);
    assert_eq!(names.len(), RISKS.len());
}
