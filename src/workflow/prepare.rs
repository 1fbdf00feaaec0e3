//! Source and target -> plan: the same for a plan, a dry run and an import.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::environment::{Environment, now};
use super::error::Error;
use super::review::check_scopes;
use crate::apply::SyncState;
use crate::catalog::Catalog;
use crate::config::TenantSettings;
use crate::export::{Reading, ResponseRecorder, Scope};
use crate::management_api::Tenant;
use crate::mapping::{MappedSource, Mapping};
use crate::model::resource::Id;
use crate::plan::guards;
use crate::plan::refusal::Refusal;
use crate::plan::{
    DesiredState, KnownHosts, OnDrift, Plan, PlanContext, PlannedMapping, PlannedTenant, UnmatchedRule, attribute, mark_former_ids,
    plan_after, unmapped_hosts,
};
use crate::snapshot::{Desired, Snapshot, store};
use crate::state::pair::TenantIdentity;

/// Where settings come from, where they go, and how.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// The target tenant.
    pub target: String,
    /// Where the settings come from, a tenant or the folder of a snapshot; by default the `source` of the target.
    pub source: Option<String>,
    /// The file of the mapping; by default the `mapping` of the target.
    pub mapping: Option<PathBuf>,
    /// What is copied though it is usually excluded: `third-party`.
    pub include: Vec<String>,
    /// What to do about fields that the target changed by itself since the last run.
    pub on_drift: OnDrift,
    /// Whether what an earlier run made or adopted, and the source no longer has, is deleted.
    pub prune: bool,
    /// Whether a rule of the mapping that matches nothing is an error.
    pub strict: bool,
}

/// A plan, and everything needed to carry it out.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// Every reason to refuse it, approved or not.
    pub refusals: Vec<Refusal>,
    pub(crate) tenant: Tenant,
    pub(crate) desired: Desired,
    pub(crate) live: Snapshot,
    pub(crate) state: SyncState,
    /// The folder that holds what the source wanted, before any mapping.
    pub(crate) source: PathBuf,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Prepared").field("plan", &self.plan).field("refusals", &self.refusals).finish_non_exhaustive()
    }
}

/// A source: a tenant that is read now, or a snapshot on disk.
pub(super) enum Source<'settings> {
    Tenant(&'settings TenantSettings),
    Snapshot(Box<Snapshot>),
}

impl Source<'_> {
    /// Returns the tenant that the settings are of.
    fn side(&self) -> TenantIdentity {
        match self {
            Self::Tenant(settings) => TenantIdentity::new(&settings.name, &settings.domain),
            Self::Snapshot(snapshot) => TenantIdentity::new(&snapshot.tenant, &snapshot.domain),
        }
    }
}

/// Returns every word of what is usually left alone.
pub(crate) fn includable(catalog: &Catalog) -> BTreeSet<&'static str> {
    catalog.kinds().flat_map(|kind| kind.lifecycle.excluded).filter_map(|alone| alone.include_word).collect()
}

/// Returns the words of what is copied though it is usually left alone, or says which there are.
pub(crate) fn included(catalog: &Catalog, words: &[String]) -> Result<BTreeSet<String>, Error> {
    let known = includable(catalog);
    if let Some(unknown) = words.iter().find(|word| !known.contains(word.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Error::UnknownInclude { word: unknown.clone(), known });
    }
    Ok(words.iter().cloned().collect())
}

/// Reads both tenants and plans what it takes; writes nothing to any tenant.
///
/// # Errors
///
/// When the configuration or the mapping is unusable, source and target are one tenant, or one of them cannot be read.
pub async fn prepare(environment: &Environment, route: &Route) -> Result<Prepared, Error> {
    prepare_seen_by(environment, route, None).await
}

/// Reads both sides, the target seen by a recorder of its answers, and decides what it takes; writes nothing to any tenant.
pub(crate) async fn prepare_seen_by(
    environment: &Environment,
    route: &Route,
    recorder: Option<&dyn ResponseRecorder>,
) -> Result<Prepared, Error> {
    let target = environment.tenant(&route.target)?;
    let source = source(environment, route, target)?;
    refuse_the_same(&source, target)?;
    let mapping_file = route.mapping.as_ref().or(target.mapping.as_ref());
    let mapping = mapping_file.map_or(Ok(Mapping::default()), |path| Mapping::load(environment.catalog, path))?;
    let state = environment.sync_state(source.side(), target)?;
    let tenant = environment.connect(target)?;
    let is_snapshot = matches!(source, Source::Snapshot(_));
    let (source, live) = match source {
        Source::Snapshot(snapshot) => (*snapshot, read_seen_by(environment, &tenant, target, &route.include, recorder).await?),
        Source::Tenant(settings) => {
            let from = environment.connect(settings)?;
            let wanted = &route.include;
            tokio::try_join!(read(environment, &from, settings, wanted), read_seen_by(environment, &tenant, target, wanted, recorder))?
        }
    };
    let unknown = own_unknown(&source).filter(|_| is_snapshot);
    let stored = store::save(&store::folder_of(&environment.folder("snapshots"), &source), &source)?;
    let MappedSource { mut desired, attribution, unmatched, .. } = mapping.apply(environment.catalog, source)?;
    let unmatched = mapping.unmatched_in_both(unmatched, &live);
    if route.strict {
        refuse_unmatched(&unmatched)?;
    }
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
    attribute(environment.catalog, &mut plan, &|key| attribution.places(key));
    let rewritten = mapping.rewritten();
    let listed = environment.settings().tenants.get(&plan.source.tenant).map_or(&[][..], |settings| &settings.hosts);
    let known = KnownHosts { listed, rewritten: &rewritten };
    let unmapped_hosts = unmapped_hosts(environment.catalog, &plan, &desired, &live, known);
    plan.mapping = (mapping_file.is_some() || !unmapped_hosts.is_empty()).then(|| PlannedMapping {
        file: mapping_file.map(|path| path.display().to_string()).unwrap_or_default(),
        rules: mapping.rules.len(),
        unmatched,
        unmapped_hosts,
    });
    plan.notes.extend(protects_nothing(target, &[&desired.snapshot, &live]));
    plan.notes.extend(unknown);
    let mut refusals = guards::refusals(environment.catalog, &plan, &desired, &live, target.most_changed);
    if route.on_drift == OnDrift::Fail {
        refusals.extend(guards::drift(&plan));
    }
    if state.lacks_base() {
        refusals.extend(guards::no_baseline(&plan));
    }
    refusals.extend(guards::secrets(environment.catalog, &plan, &|field| environment.secret(field)));
    let refusals = check_scopes(environment, &mut plan, &tenant, refusals).await?;
    Ok(Prepared { plan, refusals, tenant, desired, live, state, source: stored.path().to_owned() })
}

/// Refuses a mapping of which some rules match nothing.
pub(crate) fn refuse_unmatched(unmatched: &[UnmatchedRule]) -> Result<(), Error> {
    if unmatched.is_empty() { Ok(()) } else { Err(Error::UnmatchedRules { rules: unmatched.to_vec() }) }
}

/// Reads a tenant whole, leaving alone what is migrate's own or protected.
pub(crate) async fn read(
    environment: &Environment,
    tenant: &Tenant,
    settings: &TenantSettings,
    include: &[String],
) -> Result<Snapshot, Error> {
    read_seen_by(environment, tenant, settings, include, None).await
}

async fn read_seen_by(
    environment: &Environment,
    tenant: &Tenant,
    settings: &TenantSettings,
    include: &[String],
    recorder: Option<&dyn ResponseRecorder>,
) -> Result<Snapshot, Error> {
    let scope = Scope { include: included(environment.catalog, include)?, ..Scope::default() };
    let reading = Reading { tenant, scope: &scope, observer: &*environment.host, recorder };
    let mut snapshot = reading.export(environment.catalog, &now()).await?;
    snapshot.protect(&protected(settings));
    Ok(snapshot)
}

/// Returns the patterns of what a tenant's configuration protects.
pub(crate) fn protected(settings: &TenantSettings) -> Vec<glob::Pattern> {
    settings.protected.iter().filter_map(|text| glob::Pattern::new(text).ok()).collect()
}

/// Says of each pattern that matches nothing in either tenant that it protects nobody: it may be misspelt.
fn protects_nothing(target: &TenantSettings, sides: &[&Snapshot; 2]) -> Vec<String> {
    let matches_any =
        |pattern: &glob::Pattern| sides.iter().any(|side| side.resources.iter().any(|one| pattern.matches(&one.key.to_string())));
    let idle = protected(target).into_iter().filter(|pattern| !matches_any(pattern));
    let [source, target] = sides.map(|side| side.tenant.as_str());
    idle.map(|pattern| format!("\"{pattern}\" is to be protected, and nothing in {source} or {target} is called so")).collect()
}

/// Reads a snapshot; which client migrate signed in with where it was taken is known from it, or else from the configuration of its tenant.
fn load(environment: &Environment, path: &Path) -> Result<Snapshot, Error> {
    let mut snapshot = store::load(environment.catalog, path)?;
    let of_the_same = environment.settings().tenants.get(&snapshot.tenant).filter(|settings| settings.domain == snapshot.domain);
    // Without credentials nothing is known, and nothing is asked of that tenant.
    let client = of_the_same.and_then(|settings| environment.connect(settings).ok()?.client_id());
    if let Some(client) = client {
        snapshot.reserve_own(environment.catalog, &Id::new(client));
    }
    Ok(snapshot)
}

/// Says which clients may be migrate's own in the source, where it does not say which one is.
fn own_unknown(source: &Snapshot) -> Option<String> {
    let may_be: Vec<String> = source.clients_of_the_management_api().iter().map(ToString::to_string).collect();
    let which = format!(
        "the settings of {} do not say which client migrate signed in with; skip it in the mapping if it is one of those",
        source.tenant
    );
    (!source.knows_own_client() && !may_be.is_empty()).then(|| format!("{which} with access to the Management API: {}", may_be.join(", ")))
}

pub(super) fn source<'settings>(
    environment: &'settings Environment,
    route: &Route,
    target: &TenantSettings,
) -> Result<Source<'settings>, Error> {
    let Some(from) = route.source.as_deref().or(target.source.as_deref()) else {
        return Err(Error::NoSource { target: target.name.clone() });
    };
    if environment.settings().tenants.contains_key(from) {
        return Ok(Source::Tenant(environment.settings().tenant(from)?));
    }
    let path = Path::new(from);
    if path.is_dir() || from.contains('/') {
        return Ok(Source::Snapshot(Box::new(load(environment, path)?)));
    }
    Ok(Source::Tenant(environment.settings().tenant(from)?))
}

/// Returns the tenant that the settings come from.
pub(crate) fn source_side(environment: &Environment, route: &Route, target: &TenantSettings) -> Result<TenantIdentity, Error> {
    Ok(source(environment, route, target)?.side())
}

/// Returns a tenant that somebody names as a source; one that is not configured may be that of a snapshot.
pub(crate) fn named_source(environment: &Environment, name: &str) -> TenantIdentity {
    let domain = environment.settings().tenants.get(name).map(|tenant| tenant.domain.clone());
    TenantIdentity { tenant: name.to_owned(), domain }
}

fn refuse_the_same(source: &Source<'_>, target: &TenantSettings) -> Result<(), Error> {
    let side = |tenant: &str, domain: &str| PlannedTenant::new(tenant, domain, "");
    let source = match source {
        Source::Tenant(settings) => side(&settings.name, &settings.domain),
        Source::Snapshot(snapshot) => side(&snapshot.tenant, &snapshot.domain),
    };
    let same = guards::same_tenant(&Plan::between(source, side(&target.name, &target.domain)));
    same.map_or(Ok(()), |refusal| Err(Error::Refused { target: target.name.clone(), refusals: vec![refusal] }))
}
