//! Reads source and target and plans the changes, for plans, dry runs and imports alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::authorship::{ReadTarget, attribute_plan};
use super::environment::{Environment, now};
use super::error::Error;
use super::incremental::{FullReason, PairReadings, PairSide, ReadMode, ReadingRequest, begin};
use super::kept_snapshots::KeptSnapshot;
use super::review::refusals;
use super::source::{NamedSnapshot, Source, own_unknown, source};
use super::warnings::{SourceNames, idle_patterns, protects_nothing, reversed};
use crate::apply::SyncState;
use crate::catalog::Catalog;
use crate::config::TenantSettings;
use crate::export::{Purpose, Reading, ResponseRecorder, Scope, as_kept};
use crate::management_api::Tenant;
use crate::mapping::{Attribution, MappedSource, Mapping};
use crate::model::resource::Key;
use crate::model::selection::Selection;
use crate::plan::guards::{self, PlanOrigin};
use crate::plan::refusal::Refusal;
use crate::plan::{
    Action, Change, DesiredState, Estimate, KnownHosts, OnDrift, Plan, PlanContext, PlannedMapping, PlannedReading, PlannedTenant,
    UnmatchedRule, attribute, mark_former_ids, plan_after, unmapped_hosts,
};
use crate::snapshot::{Desired, Snapshot, store};

/// Source, target, mapping and options of a plan.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// The target tenant.
    pub target: String,
    /// Where the settings come from: a tenant, a snapshot (`dev@latest`) or the folder of one; by default the `source` of the target.
    pub source: Option<String>,
    /// The file of the mapping; by default the `mapping` of the target.
    pub mapping: Option<PathBuf>,
    /// The `--include` words of resources that are excluded by default: `third-party`.
    pub include: Vec<String>,
    /// How to treat fields that were changed in the target itself since the last run.
    pub on_drift: OnDrift,
    /// Whether to delete what an earlier run created or linked and the source no longer has.
    pub prune: bool,
    /// Whether a mapping rule that matches nothing is an error.
    pub strict: bool,
    /// The selected resources, by their keys in the target; by default all.
    pub selection: Selection,
    /// Whether dependencies that the target lacks are selected too.
    pub with_dependencies: bool,
    /// Which part of the two tenants is read.
    pub read_mode: ReadMode,
}

/// A plan and everything needed to execute it.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// All refusals, approved or not.
    pub refusals: Vec<Refusal>,
    pub(crate) tenant: Tenant,
    pub(crate) desired: Desired,
    pub(crate) live: Snapshot,
    pub(crate) state: SyncState,
    /// Which mapping rule produced which value.
    pub(crate) attribution: Attribution,
    /// The mapping rules that skipped resources of the source.
    pub(crate) skipped_by: BTreeMap<Key, String>,
    /// The part of both tenants that was read.
    pub(crate) scope: Scope,
    /// The folder of the source's snapshot, before any mapping.
    pub(crate) source: PathBuf,
    /// For a rehearsal, what was read of a restricted source, with everything that is there to be named only.
    pub(crate) read_source: Option<Snapshot>,
}

impl Prepared {
    /// Estimates the requests of the plan.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        Estimate::new(&self.plan, self.tenant.known_limits())
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Prepared").field("plan", &self.plan).field("refusals", &self.refusals).finish_non_exhaustive()
    }
}

/// Returns every word of what is usually left alone.
pub(crate) fn includable(catalog: &Catalog) -> BTreeSet<&'static str> {
    catalog.kinds().flat_map(|kind| kind.lifecycle.excluded).filter_map(|alone| alone.include_word).collect()
}

/// Checks `--include` words, and lists the valid ones if one is unknown.
pub(crate) fn included(catalog: &Catalog, words: &[String]) -> Result<BTreeSet<String>, Error> {
    let known = includable(catalog);
    if let Some(unknown) = words.iter().find(|word| !known.contains(word.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Error::UnknownInclude { word: unknown.clone(), known });
    }
    Ok(words.iter().cloned().collect())
}

/// Reads both tenants and plans the changes. Writes nothing to any tenant.
///
/// # Errors
///
/// If the configuration or the mapping is invalid, source and target are the same tenant, or one of them cannot be
/// read.
pub async fn prepare(environment: &Environment, route: &Route) -> Result<Prepared, Error> {
    let prepared = prepare_seen_by(environment, route, None).await?;
    match PairReadings::distrust(&prepared.plan) {
        Some(reason) => Box::pin(prepare_from(environment, route, (None, Some(reason)))).await,
        None => Ok(prepared),
    }
}

/// Reads both tenants and plans the changes; a recorder receives the responses of the target. Writes nothing to any
/// tenant.
pub(crate) async fn prepare_seen_by(
    environment: &Environment,
    route: &Route,
    recorder: Option<&dyn ResponseRecorder>,
) -> Result<Prepared, Error> {
    prepare_from(environment, route, (recorder, None)).await
}

/// Plans the changes; with a reason, both tenants are read completely, whatever the route says.
async fn prepare_from(
    environment: &Environment,
    route: &Route,
    (recorder, refusal): (Option<&dyn ResponseRecorder>, Option<FullReason>),
) -> Result<Prepared, Error> {
    let target = environment.tenant(&route.target)?;
    let source = source(environment, route.source.as_deref(), target)?;
    refuse_the_same(&source, target)?;
    let mapping_file = route.mapping.as_ref().or(target.mapping.as_ref());
    let mapping = mapping_file.map_or(Ok(Mapping::default()), |path| Mapping::load(environment.catalog, path))?;
    let pair = environment.pair(source.side(), target)?;
    let state = environment.sync_state(source.side(), target)?;
    let tenant = environment.connect(target)?;
    let place = source.place();
    let scope = scope(environment, route, &source)?;
    let request = ReadingRequest { mode: route.read_mode, mapping: mapping_file.map(PathBuf::as_path), scope: &scope, refusal };
    let readings = PairReadings::of(environment, (&pair, target), request)?;
    let sides = Box::pin(read_both(environment, (source, &tenant, target), scope, (recorder, readings.as_ref()))).await?;
    let Sides { source, live, scope, source_reading, target_reading } = sides;
    let unknown = own_unknown(&source).filter(|_| place.is_some());
    let stored = match &place {
        Some(place) => place.path.clone(),
        None => keep(environment, &source)?,
    };
    let read_source = (recorder.is_some() && source.selection.is_some()).then(|| source.clone());
    let called = SourceNames::of(&scope.selection, &source);
    let MappedSource { mut desired, attribution, unmatched, skipped_by } = mapping.apply(environment.catalog, source)?;
    (desired.selection, desired.with_dependencies) = (scope.selection.clone(), route.with_dependencies);
    // A rule may well match something that was not read.
    let unmatched = if scope.selection.is_everything() { mapping.unmatched_in_both(unmatched, &live) } else { Vec::new() };
    if route.strict {
        refuse_unmatched(&unmatched)?;
    }
    let idle = idle_patterns(&scope.selection, [&desired.snapshot, &live], &called)?;
    desired.snapshot.protect(&protected(target));
    mark_former_ids(environment.catalog, &mut desired, &live, &state.links, &state.source_ids);
    let sent = state.sent(&desired, &|from| environment.outside(from));
    let past = PlanContext {
        links: &state.links,
        base: &state.base,
        sent: &sent,
        on_drift: route.on_drift,
        prune: route.prune,
        desired_state: DesiredState::Source,
    };
    let mut plan = plan_after(environment.catalog, &desired, &live, past);
    attribute_plan(ReadTarget { environment, tenant: &tenant, live: &live }, &state.base, &mut plan).await;
    plan.source.snapshot = place.as_ref().map(|place| place.name.clone());
    (plan.source.reading, plan.target.reading) = (source_reading, target_reading);
    plan.kept_source = Some(KeptSnapshot::new(environment, &plan.source.tenant, &stored).folder);
    attribute(&mut plan, &|key| attribution.places(key));
    let rewritten = mapping.rewritten();
    let listed = environment.settings().tenants.get(&plan.source.tenant).map_or(&[][..], |settings| &settings.hosts);
    let known = KnownHosts { listed, rewritten: &rewritten };
    let unmapped_hosts = unmapped_hosts(&plan, &desired, &live, known);
    plan.mapping = (mapping_file.is_some() || !unmapped_hosts.is_empty()).then(|| PlannedMapping {
        file: mapping_file.map(|path| path.display().to_string()).unwrap_or_default(),
        rules: mapping.rules.len(),
        unmatched,
        unmapped_hosts,
    });
    if scope.selection.is_everything() {
        plan.notes.extend(protects_nothing(protected(target), &[&desired.snapshot, &live]));
    }
    plan.notes.extend(idle);
    plan.warnings.extend(reversed(environment, &plan));
    plan.notes.extend(unknown);
    plan.notes.extend(place.and_then(|place| place.note()));
    let (refuses_drift, lacks_baseline) = (route.on_drift == OnDrift::Fail, state.lacks_base());
    let origin = PlanOrigin::Pair { desired: &desired, live: &live, refuses_drift, lacks_baseline };
    let refusals = refusals(environment, &mut plan, origin, (&tenant, target)).await?;
    let skipped_by = skipped_by.into_iter().map(|(key, place)| (key, place.to_string())).collect();
    Ok(Prepared { plan, refusals, tenant, desired, live, state, attribution, skipped_by, scope, source: stored, read_source })
}

/// Keeps a snapshot of what was read of a tenant, as an export would; returns its folder.
pub(crate) fn keep(environment: &Environment, snapshot: &Snapshot) -> Result<PathBuf, Error> {
    let kept = as_kept(snapshot);
    let stored = store::save(&store::folder_of(&environment.folder("snapshots"), &kept), &kept)?;
    Ok(stored.path().to_owned())
}

/// Refuses a mapping with unmatched rules.
pub(crate) fn refuse_unmatched(unmatched: &[UnmatchedRule]) -> Result<(), Error> {
    if unmatched.is_empty() { Ok(()) } else { Err(Error::UnmatchedRules { rules: unmatched.to_vec() }) }
}

/// Returns the scope to read of both tenants; a restricted snapshot restricts the plan.
fn scope(environment: &Environment, route: &Route, source: &Source<'_>) -> Result<Scope, Error> {
    let of_snapshot = match source {
        Source::Snapshot(named) => named.snapshot.selection.clone().unwrap_or_default(),
        Source::Tenant(_) => Selection::default(),
    };
    let selection = of_snapshot.and(&route.selection).map_err(Error::Selection)?;
    let purpose = Purpose::Plan { prune: route.prune, with_dependencies: route.with_dependencies };
    Ok(Scope { selection, purpose, include: included(environment.catalog, &route.include)?, ..Scope::default() })
}

/// The source and the target, as far as they were read.
pub(super) struct Sides {
    pub(super) source: Snapshot,
    pub(super) live: Snapshot,
    pub(super) scope: Scope,
    /// How each was read, if an incremental reading was asked for.
    pub(super) source_reading: Option<PlannedReading>,
    pub(super) target_reading: Option<PlannedReading>,
}

/// Reads both tenants; whatever a text of either may name is read in both.
pub(super) async fn read_both(
    environment: &Environment,
    (source, tenant, target): (Source<'_>, &Tenant, &TenantSettings),
    scope: Scope,
    (recorder, readings): (Option<&dyn ResponseRecorder>, Option<&PairReadings<'_>>),
) -> Result<Sides, Error> {
    let catalog = environment.catalog;
    let reading = |tenant, recorder| Reading { tenant, scope: &scope, observer: &*environment.host, recorder };
    let of_target = reading(tenant, recorder);
    let (source, (mut live, target_reading), names_others, source_reading) = match source {
        Source::Snapshot(named) => {
            let NamedSnapshot { snapshot, .. } = *named;
            let begun = begin(of_target, readings, (PairSide::Target, target)).await?;
            let names_others =
                begun.names_others() || scope.names_others_in(catalog, snapshot.resources.iter().map(|one| (&one.key, &one.body)));
            (snapshot, begun.finish(names_others, &now()).await?, names_others, None)
        }
        Source::Tenant(settings) => {
            let from = environment.connect(settings)?;
            let of_source = begin(reading(&from, None), readings, (PairSide::Source, settings));
            let (source, live) = tokio::try_join!(of_source, begin(of_target, readings, (PairSide::Target, target)))?;
            let names_others = source.names_others() || live.names_others();
            let taken = now();
            let (source, live) = tokio::try_join!(source.finish(names_others, &taken), live.finish(names_others, &taken))?;
            let (mut source, source_reading) = source;
            source.protect(&protected(settings));
            (source, live, names_others, source_reading)
        }
    };
    live.protect(&protected(target));
    let scope = if names_others { scope.with_names() } else { scope };
    let source = if is_snapshot_wider(&scope, &source) { scope.restrict(catalog, source) } else { source };
    Ok(Sides { source, live, scope, source_reading, target_reading })
}

/// Returns whether a source may have kinds that were not read in the target.
fn is_snapshot_wider(scope: &Scope, source: &Snapshot) -> bool {
    source.selection.as_ref() != Some(&scope.selection) && !scope.selection.is_everything()
}

/// Reads a tenant and excludes migrate's own client and protected resources.
pub(crate) async fn read(environment: &Environment, tenant: &Tenant, settings: &TenantSettings, scope: &Scope) -> Result<Snapshot, Error> {
    let reading = Reading { tenant, scope, observer: &*environment.host, recorder: None };
    let mut snapshot = reading.export(environment.catalog, &now()).await?;
    snapshot.protect(&protected(settings));
    Ok(snapshot)
}

/// Returns the scope of the target needed to execute a plan: everything, unless the plan is restricted.
pub(crate) fn scope_of(environment: &Environment, plan: &Plan, include: &[String]) -> Result<Scope, Error> {
    if plan.selection.is_none() {
        return Ok(Scope { include: included(environment.catalog, include)?, ..Scope::default() });
    }
    let deletes = |change: &Change| matches!(change.action, Action::Delete { .. });
    let keys = plan.changes().map(|change| &change.key).chain(plan.known.keys());
    scope_naming(environment, keys, plan.changes().any(deletes), include)
}

/// Returns the scope needed to compare these resources with a tenant, and to know what is deleted along with one of
/// them.
pub(crate) fn scope_naming<'key>(
    environment: &Environment,
    keys: impl Iterator<Item = &'key Key>,
    prune: bool,
    include: &[String],
) -> Result<Scope, Error> {
    let selection = Selection::exactly(environment.catalog, keys.map(|key| key.kind().name.to_owned()).collect());
    let purpose = Purpose::Plan { prune, with_dependencies: false };
    Ok(Scope { selection, purpose, include: included(environment.catalog, include)?, names_everything: true })
}

/// Returns the patterns of protected resources in a tenant's configuration.
pub(crate) fn protected(settings: &TenantSettings) -> Vec<glob::Pattern> {
    settings.protected.iter().filter_map(|text| glob::Pattern::new(text).ok()).collect()
}

pub(super) fn refuse_the_same(source: &Source<'_>, target: &TenantSettings) -> Result<(), Error> {
    let side = |tenant: &str, domain: &str| PlannedTenant::new(tenant, domain, "");
    let source = match source {
        Source::Tenant(settings) => side(&settings.name, &settings.domain),
        Source::Snapshot(named) => side(&named.snapshot.tenant, &named.snapshot.domain),
    };
    let same = guards::same_tenant(&Plan::between(source, side(&target.name, &target.domain)));
    same.map_or(Ok(()), |refusal| Err(Error::Refused { target: target.name.clone(), refusals: vec![refusal] }))
}
