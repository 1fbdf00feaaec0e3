//! What may be a mistake of the person who asked for a plan: patterns that match nothing, and a plan in the wrong direction.

use super::environment::Environment;
use super::error::Error;
use crate::catalog::Kind;
use crate::diagnostic;
use crate::model::resource::{Id, Key};
use crate::model::selection::{KeyPattern, Selection};
use crate::plan::Plan;
use crate::snapshot::{Snapshot, Status};

/// The resources of a source that a selection would match by the names that they have there: names in the target count.
pub(super) struct SourceNames(Vec<(Key, Id)>);

impl SourceNames {
    /// Returns those of a source that is not mapped yet.
    pub(super) fn of(selection: &Selection, source: &Snapshot) -> Self {
        let is_meant = |key: &Key| selection.only.iter().any(|pattern| pattern.matches(key));
        Self(source.resources.iter().filter(|one| is_meant(&one.key)).map(|one| (one.key.clone(), one.id.clone())).collect())
    }

    /// Returns what the mapping calls a resource that a pattern matches in the source.
    fn after_mapping(&self, pattern: &KeyPattern, mapped: &Snapshot) -> Option<Key> {
        let (key, id) = self.0.iter().find(|(key, _)| pattern.matches(key))?;
        mapped.of_kind(key.kind().name).find(|one| one.id == *id).map(|one| one.key.clone())
    }
}

/// Returns a note for each pattern that selects nothing in either tenant: it may be misspelt.
///
/// # Errors
///
/// If no pattern selects anything, although everything that it could select was read: a job would report success and have done nothing.
pub(super) fn idle_patterns(selection: &Selection, sides: [&Snapshot; 2], called: &SourceNames) -> Result<Vec<String>, Error> {
    let keys = || sides.iter().flat_map(|side| side.resources.iter().map(|one| &one.key));
    let idle: Vec<&KeyPattern> = selection.only.iter().filter(|pattern| !keys().any(|key| pattern.matches(key))).collect();
    let notes: Vec<String> = idle.iter().map(|pattern| idle_pattern(pattern, sides, called)).collect();
    let is_read = |side: &Snapshot, pattern: &KeyPattern| {
        let of_pattern = side.kinds.iter().filter(|(name, _)| Kind::named(name).is_some_and(|kind| pattern.may_match(kind)));
        of_pattern.into_iter().all(|(_, status)| matches!(status, Status::Complete))
    };
    let is_everything_read = idle.iter().all(|pattern| sides.iter().all(|side| is_read(side, pattern)));
    // A kind may well have no resources.
    let is_of_names = idle.iter().all(|pattern| pattern.as_str().contains('/'));
    if !notes.is_empty() && idle.len() == selection.only.len() && is_of_names && is_everything_read {
        return Err(Error::NothingSelected(notes));
    }
    Ok(notes)
}

fn idle_pattern(pattern: &KeyPattern, sides: [&Snapshot; 2], called: &SourceNames) -> String {
    let [source, target] = sides;
    let renamed = called.after_mapping(pattern, source);
    let meant = renamed.map(|key| format!("; {} calls it so, and after the mapping it is \"{key}\"", source.tenant)).or_else(|| {
        let names: Vec<String> = sides.iter().flat_map(|side| side.resources.iter().map(|one| one.key.to_string())).collect();
        let nearest = diagnostic::nearest(pattern.as_str(), names.iter().map(String::as_str))?;
        Some(format!("; did you mean \"{nearest}\"?"))
    });
    let meant = meant.unwrap_or_default();
    format!("no resource in {} or {} matches \"{}\"{meant}", source.tenant, target.tenant, pattern.as_str())
}

/// Returns a note for each pattern that protects nothing in either tenant: it may be misspelt.
pub(super) fn protects_nothing(protected: Vec<glob::Pattern>, sides: &[&Snapshot; 2]) -> Vec<String> {
    let matches_any =
        |pattern: &glob::Pattern| sides.iter().any(|side| side.resources.iter().any(|one| pattern.matches(&one.key.to_string())));
    let idle = protected.into_iter().filter(|pattern| !matches_any(pattern));
    let [source, target] = sides.map(|side| side.tenant.as_str());
    idle.map(|pattern| format!("the `protected` pattern \"{pattern}\" matches nothing in {source} or {target}")).collect()
}

/// Returns a warning if the configuration has the two tenants of a plan the other way round.
pub(super) fn reversed(environment: &Environment, plan: &Plan) -> Option<String> {
    let source_of = |name: &str| environment.settings().tenants.get(name)?.source.as_deref();
    let (source, target) = (plan.source.tenant.as_str(), plan.target.tenant.as_str());
    let is_reversed = source_of(source) == Some(target) && source_of(target) != Some(source);
    is_reversed.then(|| format!("migrate.toml copies {target} to {source} (`source` of {source}); this plan goes the other way"))
}
