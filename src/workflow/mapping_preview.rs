//! Previews what a mapping does to resources of a source, without a target.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::environment::{Environment, now};
use super::error::Error;
use super::prepare::{Route, included};
use super::source::{Source, source};
use crate::catalog::Kind;
use crate::export::{Purpose, Reading, Scope};
use crate::mapping::{Effect, MappedSource, Mapping, MappingRule, nearest_resource};
use crate::model::resource::{Key, Resource};
use crate::model::selection::{KeyPattern, Selection};
use crate::plan::diff::compared;
use crate::plan::{Edit, maker};
use crate::snapshot::Snapshot;

/// A preview of a mapping.
#[derive(Debug, Serialize)]
pub(crate) struct MappingPreview {
    /// The name of the source.
    pub(crate) source: String,
    /// When the source was read.
    pub(crate) taken: String,
    /// The mapping file; `None` without a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mapping: Option<String>,
    /// The resources.
    pub(crate) resources: Vec<MappedResource>,
}

/// The effect of a mapping on one resource.
#[derive(Debug, Serialize)]
pub(crate) struct MappedResource {
    /// Its key in the source.
    pub(crate) key: Key,
    /// Its key in the target, if that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_key: Option<Key>,
    /// The rule that renames it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) renamed_by: Option<String>,
    /// The rule that skips it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped_by: Option<String>,
    /// The values that rules change.
    pub(crate) values: Vec<MappedValue>,
    /// The fields that keep the target's own value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<NamedField>,
    /// The fields with supplied secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<NamedField>,
}

/// A value before and after the rules.
#[derive(Debug, Serialize)]
pub(crate) struct MappedValue {
    /// The field, with its value in the source (`old`) and its desired value in the target (`new`).
    #[serde(flatten)]
    pub(crate) edit: Edit,
    /// The rule, or the row of its table.
    pub(crate) rule: String,
}

/// A field in a rule.
#[derive(Debug, Serialize)]
pub(crate) struct NamedField {
    /// The field.
    pub(crate) path: String,
    /// The rule.
    pub(crate) rule: String,
}

/// Applies the mapping of a route to its source and returns the resources that match a pattern.
pub(crate) async fn preview(environment: &Environment, route: &Route, patterns: &[KeyPattern]) -> Result<MappingPreview, Error> {
    let target = environment.tenant(&route.target)?;
    let file = route.mapping.as_ref().or(target.mapping.as_ref());
    let mapping = file.map_or(Ok(Mapping::default()), |path| Mapping::load(environment.catalog, path))?;
    let before = read(environment, source(environment, route.source.as_deref(), target)?, &route.include, patterns).await?;
    let matches = |key: &Key| patterns.iter().any(|pattern| pattern.matches(key));
    let wanted: Vec<Resource> = before.resources.iter().filter(|resource| matches(&resource.key)).cloned().collect();
    if let (true, Some(pattern)) = (wanted.is_empty(), patterns.first()) {
        let keys: Vec<&Key> = before.resources.iter().map(|resource| &resource.key).collect();
        let nearest = nearest_resource(pattern.as_str(), &keys);
        return Err(Error::NothingMatches { pattern: pattern.as_str().to_owned(), tenant: before.tenant, nearest });
    }
    let (tenant, taken) = (before.tenant.clone(), before.taken.clone());
    let mapped = mapping.apply(environment.catalog, before)?;
    let resources = mapped_resources(&mapping, &mapped, wanted);
    Ok(MappingPreview { source: tenant, taken, mapping: file.map(|path| path.display().to_string()), resources })
}

/// Loads a snapshot, or reads from a tenant the kinds that may match and those they refer to.
async fn read(environment: &Environment, source: Source<'_>, include: &[String], patterns: &[KeyPattern]) -> Result<Snapshot, Error> {
    let settings = match source {
        Source::Snapshot(named) => return Ok(named.snapshot),
        Source::Tenant(settings) => settings,
    };
    let is_meant = |kind: &Kind| patterns.iter().any(|pattern| pattern.may_match(kind));
    let kinds: BTreeSet<String> = environment.catalog.kinds().filter(|kind| is_meant(kind)).map(|kind| kind.name.to_owned()).collect();
    let scope = Scope {
        selection: Selection::exactly(environment.catalog, kinds),
        include: included(environment.catalog, include)?,
        purpose: Purpose::Plan { prune: false, with_dependencies: false },
        names_everything: false,
    };
    let tenant = environment.connect(settings)?;
    let reading = Reading { tenant: &tenant, scope: &scope, observer: &*environment.host, recorder: None };
    Ok(reading.export(environment.catalog, &now()).await?)
}

fn mapped_resources(mapping: &Mapping, mapped: &MappedSource, before: Vec<Resource>) -> Vec<MappedResource> {
    let after: HashMap<(&str, &str), &Resource> =
        mapped.desired.snapshot.resources.iter().map(|one| ((one.key.kind().name, one.id.as_str()), one)).collect();
    let of_one = |before: Resource| {
        let fields = |is_meant: &dyn Fn(&Effect) -> bool| {
            let rules = mapping.rules.iter().filter(|rule| is_meant(&rule.effect) && rule.is_about(&before.key));
            let named = |rule: &MappingRule| Some(NamedField { path: rule.field.clone()?, rule: rule.short_place.to_string() });
            rules.filter_map(named).collect::<Vec<_>>()
        };
        let after = after.get(&(before.key.kind().name, before.id.as_str()));
        let places = after.map(|after| mapped.attribution.places(&after.key)).unwrap_or_default();
        let edits = after.map(|after| compared(&after.body.open(), &before.body.open())).unwrap_or_default();
        let value = |edit: Edit| MappedValue { rule: maker(&places, &edit.path).cloned().unwrap_or_default(), edit };
        MappedResource {
            target_key: after.map(|after| after.key.clone()).filter(|key| *key != before.key),
            renamed_by: places.get("").cloned(),
            skipped_by: mapped.skipped_by.get(&before.key).map(ToString::to_string),
            values: edits.into_iter().map(value).collect(),
            kept: fields(&|effect| *effect == Effect::Keep),
            secrets: fields(&|effect| matches!(effect, Effect::Secret(_))),
            key: before.key,
        }
    };
    before.into_iter().map(of_one).collect()
}
