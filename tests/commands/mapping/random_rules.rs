//! Random rules on the example company: a rule that changes anything matched something, and every changed value is attributed to a rule.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use auth0_migrate::catalog::Catalog;
use auth0_migrate::diagnostic::Text;
use auth0_migrate::files;
use auth0_migrate::json::is_in;
use auth0_migrate::mapping::{MappedSource, Mapping};
use auth0_migrate::model::resource::{Key, Resource};
use auth0_migrate::sandbox::{State, seed};
use auth0_migrate::snapshot::Snapshot;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::imports::{read, start};

/// Generates a rule on a field or text that a resource has, possibly misspelt.
fn rule_on(resource: &Resource, effect: usize, place: usize, is_misspelt: bool) -> String {
    let mut texts = Vec::new();
    resource.body.open().each_text(&mut |path, text| texts.push((path.to_owned(), text.to_owned())));
    let (path, text) = texts.get(place % texts.len().max(1)).cloned().unwrap_or_default();
    let word: String = text.split(['/', ' ', '.', '⟦', '⟧', '⟨', '⟩', '\n']).max_by_key(|word| word.len()).unwrap_or("x").to_owned();
    let name = if is_misspelt { format!("{}x", resource.key.name()) } else { resource.key.name().to_owned() };
    let of_kind = if place.is_multiple_of(3) { "*".to_owned() } else { glob::Pattern::escape(&name) };
    let matched = if resource.key.name().is_empty() {
        resource.key.kind().name.to_owned()
    } else {
        format!("{}/{of_kind}", resource.key.kind().name)
    };
    let field = format!("field = {}\n", toml::Value::from(path.clone()));
    let effect = match effect {
        0 => "skip = true".to_owned(),
        1 => format!("rename = {}", toml::Value::from(format!("{} renamed {place}", resource.key.name()))),
        2 => format!("replace = {{ from = {}, to = \"Y\" }}", toml::Value::from(word)),
        3 => format!("{field}replace = {{ from = {}, to = \"Y\" }}", toml::Value::from(word)),
        4 => format!("{field}set = \"Z\""),
        5 => format!("{field}remove = true"),
        6 => format!("{field}remove = {}", toml::Value::from(text)),
        _ => format!("{field}keep = true"),
    };
    format!("[[rule]]\nmatch = {}\n{effect}\n", toml::Value::from(matched))
}

fn parsed(text: &str) -> Option<Mapping> {
    let none = |table: &Path| Err(files::Error::reading(table)(io::ErrorKind::NotFound.into()));
    Mapping::parse(Catalog::standard(), Text { path: Path::new("m.toml"), text }, &none).ok()
}

fn applied(mapping: &Mapping, source: &Snapshot) -> Option<MappedSource> {
    mapping.apply(Catalog::standard(), source.clone()).ok()
}

/// Adds the paths at which two objects differ; lists are compared as a whole.
fn differing(above: &str, one: &Map<String, Value>, other: &Map<String, Value>, paths: &mut Vec<String>) {
    for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match (one.get(name), other.get(name)) {
            (Some(Value::Object(one)), Some(Value::Object(other))) => differing(&path, one, other, paths),
            (one, other) if one == other => {}
            _ => paths.push(path),
        }
    }
}

/// Returns the values of a mapped source that differ from the source and are attributed to no rule.
fn without_a_rule(source: &Snapshot, mapped: &MappedSource) -> Vec<String> {
    let before: BTreeMap<(&str, String), &Resource> =
        source.resources.iter().map(|one| ((one.key.kind().name, one.id.as_str().to_owned()), one)).collect();
    let mut missing = Vec::new();
    for after in &mapped.desired.snapshot.resources {
        let before = before[&(after.key.kind().name, after.id.as_str().to_owned())];
        let made = mapped.attribution.places(&after.key);
        let mut paths = Vec::new();
        differing("", &before.body.open().0, &after.body.open().0, &mut paths);
        let has_rule = |path: &String| made.keys().any(|rule| !rule.is_empty() && (is_in(rule, path) || is_in(path, rule)));
        missing.extend(paths.into_iter().filter(|path| !has_rule(path)).map(|path| format!("{}: {path}", after.key)));
        if before.key != after.key && !made.contains_key("") {
            missing.push(format!("{} was {}", after.key, before.key));
        }
    }
    missing
}

/// Returns the state that the target would get.
fn state_of(mapped: &MappedSource) -> Value {
    let desired = &mapped.desired;
    let bodies: Vec<(&Key, Value)> = desired.snapshot.resources.iter().map(|one| (&one.key, one.body.open().into_value())).collect();
    json!([bodies, desired.skipped.iter().collect::<Vec<_>>(), desired.spared.iter().collect::<Vec<_>>()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_changes_anything_matched_and_every_changed_value_has_a_rule() {
    let (_dev, tenant) = start(State::from_json(serde_json::from_str(seed::ACME_DEV).expect("JSON")).expect("a state")).await;
    let source = read(&tenant).await;
    let one = (0..source.resources.len(), 0..8_usize, 0..50_usize, prop::bool::weighted(0.2));
    let rules = prop::collection::vec(one, 1..6);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 48, failure_persistence: None, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let (matched, unmatched) = (Cell::new(0), Cell::new(0));
    let checked_all = runner.run(&rules, |rules| {
        let texts = rules.iter().map(|(at, effect, place, is_misspelt)| rule_on(&source.resources[*at], *effect, *place, *is_misspelt));
        let texts: Vec<String> = texts.filter(|text| parsed(text).is_some()).collect();
        let whole = parsed(&texts.concat()).expect("each of them is one");
        let Some(mapped) = applied(&whole, &source) else { return Ok(()) };
        prop_assert_eq!(without_a_rule(&source, &mapped), Vec::<String>::new(), "{}", texts.concat());
        for rule in &whole.rules {
            let others = Mapping { rules: whole.rules.iter().filter(|other| other.place != rule.place).cloned().collect() };
            let Some(without) = applied(&others, &source) else { continue };
            let is_unmatched = mapped.unmatched.iter().any(|unmatched| unmatched.place == rule.place);
            let changes = state_of(&without) != state_of(&mapped);
            prop_assert!(!(changes && is_unmatched), "{} in {}", rule, texts.concat());
            let count = if is_unmatched { &unmatched } else { &matched };
            count.set(count.get() + usize::from(is_unmatched || changes));
        }
        Ok(())
    });
    checked_all.unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(matched.get() > 30 && unmatched.get() > 10, "{} rules changed something, {} matched nothing", matched.get(), unmatched.get());
}
