//! The known failures of all tests, in `known_failures.toml`. The list only gets shorter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

/// The file: a description of each kind of fault, and for each check the known failures, by kind.
#[derive(Deserialize)]
struct KnownFailures {
    kinds: BTreeMap<String, String>,
    #[serde(flatten)]
    checks: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

fn known() -> &'static KnownFailures {
    static KNOWN: OnceLock<KnownFailures> = OnceLock::new();
    KNOWN.get_or_init(|| toml::from_str(include_str!("../known_failures.toml")).expect("tests/known_failures.toml is well formed"))
}

impl KnownFailures {
    /// Returns the failures listed for a check.
    fn of_check(&self, check: &str) -> BTreeSet<&str> {
        self.checks.get(check).into_iter().flat_map(BTreeMap::values).flatten().map(String::as_str).collect()
    }

    /// Panics if a failure is not listed.
    fn hold_against(&self, check: &str, found: &BTreeSet<String>) {
        let listed = self.of_check(check);
        let new: Vec<&str> = found.iter().map(String::as_str).filter(|one| !listed.contains(one)).collect();
        assert!(new.is_empty(), "{check}: failures that are not known:\n{}", new.join("\n"));
    }

    /// Panics if a listed failure was not found.
    fn hold_to(&self, check: &str, found: &BTreeSet<String>) {
        let passing: Vec<&str> = self.of_check(check).into_iter().filter(|one| !found.contains(*one)).collect();
        assert!(passing.is_empty(), "{check}: these pass now; take them off tests/known_failures.toml:\n{}", passing.join("\n"));
    }
}

/// Compares the failures of a check with the list.
///
/// # Panics
///
/// If a failure is not listed, or a listed one was not found: it passes now, and must be removed from the list.
pub(crate) fn compare(check: &str, found: &BTreeSet<String>) {
    known().hold_to(check, found);
    known().hold_against(check, found);
}

/// Compares the failures of a partial check with the list.
///
/// # Panics
///
/// If a failure is not listed.
pub(crate) fn compare_part(check: &str, found: &BTreeSet<String>) {
    known().hold_against(check, found);
}

/// Returns the failures listed for a check.
pub(crate) fn listed(check: &str) -> BTreeSet<&'static str> {
    known().of_check(check)
}

#[test]
#[expect(clippy::print_stdout, reason = "the list is shown, by kind")]
fn every_known_failure_is_unique_and_has_an_explained_kind() {
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for (check, kinds) in &known().checks {
        for (kind, failures) in kinds {
            assert!(known().kinds.contains_key(kind), "{check}: the kind {kind} is not explained");
            *by_kind.entry(kind).or_default() += failures.len();
        }
        let all = kinds.values().map(Vec::len).sum::<usize>();
        assert_eq!(all, listed(check).len(), "{check}: a failure stands twice");
    }
    let idle: Vec<&String> = known().kinds.keys().filter(|kind| !by_kind.contains_key(kind.as_str())).collect();
    assert!(idle.is_empty(), "kinds without a failure: {idle:?}");
    for (kind, failures) in by_kind {
        println!("{failures:4}  {kind}: {}", known().kinds[kind]);
    }
}

/// A list with one known failure, `known`, for the check `cases`.
fn of_one() -> KnownFailures {
    let cases = BTreeMap::from([("kind".to_owned(), vec!["known".to_owned()])]);
    KnownFailures { kinds: BTreeMap::new(), checks: BTreeMap::from([("cases".to_owned(), cases)]) }
}

#[test]
#[should_panic(expected = "failures that are not known:\nanother")]
fn an_unlisted_failure_fails_its_check() {
    of_one().hold_against("cases", &BTreeSet::from(["known".to_owned(), "another".to_owned()]));
}

#[test]
#[should_panic(expected = "these pass now; take them off tests/known_failures.toml:\nknown")]
fn a_listed_failure_that_is_not_found_fails_its_check() {
    of_one().hold_to("cases", &BTreeSet::new());
}
