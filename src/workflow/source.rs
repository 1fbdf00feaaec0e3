//! Where settings come from: a tenant that is read now, or a snapshot on disk, by its name or its folder.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::Error;
use super::kept_snapshots::KeptSnapshots;
use super::run_name::names;
use crate::config::TenantSettings;
use crate::diagnostic::nearest;
use crate::model::resource::Id;
use crate::snapshot::reference::{SnapshotReference, SnapshotVersion, is_time, version_named, versions_around};
use crate::snapshot::versions::{name_of, versions};
use crate::snapshot::{Snapshot, store};
use crate::state::pair::TenantIdentity;

/// A source: a tenant that is read now, or a snapshot on disk.
pub(super) enum Source<'settings> {
    Tenant(&'settings TenantSettings),
    Snapshot(Box<NamedSnapshot>),
}

/// A snapshot on disk, and what it is called.
pub(super) struct NamedSnapshot {
    pub(super) snapshot: Snapshot,
    pub(super) place: SnapshotPlace,
}

/// Where a snapshot is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotPlace {
    /// Its folder.
    pub(crate) path: PathBuf,
    /// Its name: `dev@2026-03-01T10-00-00Z`, or its folder where that is not among the snapshots of a tenant.
    pub(crate) name: String,
    /// The newest snapshot of its tenant, if that is another.
    newer: Option<String>,
}

/// What a person means by a word: a tenant, or a snapshot.
pub(crate) enum Operand<'settings> {
    /// A tenant, which is to be read.
    Tenant(&'settings TenantSettings),
    /// A snapshot on disk.
    Snapshot(SnapshotPlace),
}

impl Source<'_> {
    /// Returns the tenant that the settings are of.
    pub(super) fn side(&self) -> TenantIdentity {
        match self {
            Self::Tenant(settings) => TenantIdentity::new(&settings.name, &settings.domain),
            Self::Snapshot(named) => TenantIdentity::new(&named.snapshot.tenant, &named.snapshot.domain),
        }
    }

    /// Returns where the snapshot is, if it is one.
    pub(super) fn place(&self) -> Option<SnapshotPlace> {
        match self {
            Self::Tenant(_) => None,
            Self::Snapshot(named) => Some(named.place.clone()),
        }
    }
}

impl SnapshotPlace {
    /// Says that there is a newer snapshot of the tenant, if so.
    pub(crate) fn note(&self) -> Option<String> {
        let newer = self.newer.as_ref()?;
        Some(format!("{} is not the newest snapshot of its tenant; {newer} is", self.name))
    }

    fn new(environment: &Environment, path: &Path) -> Self {
        let root = environment.folder("snapshots");
        let tenant = path.canonicalize().ok().and_then(|path| {
            let above = path.parent()?;
            (above.parent()? == root.canonicalize().ok()?).then(|| name_of(above))
        });
        let Some(tenant) = tenant else { return Self { path: path.to_owned(), name: path.display().to_string(), newer: None } };
        let newest = store::newest(&root, &tenant).ok().map(|path| name_of(&path));
        let name = name_of(path);
        let newer = newest.filter(|newest| *newest != name).map(|newest| format!("{tenant}@{newest}"));
        Self { path: path.to_owned(), name: format!("{tenant}@{name}"), newer }
    }
}

/// Returns what a person means by a word: the name of a tenant comes first, then a folder, then a snapshot by its name.
pub(crate) fn operand<'settings>(environment: &'settings Environment, word: &str) -> Result<Operand<'settings>, Error> {
    let settings = environment.settings();
    let path = Path::new(word);
    if settings.tenants.contains_key(word) {
        return Ok(Operand::Tenant(settings.tenant(word)?));
    }
    if path.is_dir() || word.contains('/') {
        return Ok(Operand::Snapshot(SnapshotPlace::new(environment, path)));
    }
    match reference(environment, word) {
        Some(reference) => Ok(Operand::Snapshot(SnapshotPlace::new(environment, &found(environment, &reference)?))),
        None => Ok(Operand::Tenant(settings.tenant(word)?)),
    }
}

/// Reads a word as the name of a snapshot.
fn reference(environment: &Environment, word: &str) -> Option<SnapshotReference> {
    let snapshots = environment.folder("snapshots");
    let is_tenant = |name: &str| environment.settings().tenants.contains_key(name) || snapshots.join(name).is_dir();
    SnapshotReference::parse(word, &is_tenant)
}

/// Returns the folder of a snapshot that is named.
fn found(environment: &Environment, reference: &SnapshotReference) -> Result<PathBuf, Error> {
    let (root, tenant) = (environment.folder("snapshots"), &reference.tenant);
    let SnapshotVersion::Named(wanted) = &reference.version else { return Ok(store::newest(&root, tenant)?) };
    let known: Vec<String> = versions(&root, tenant)?.iter().map(|path| name_of(path)).collect();
    if let Some(version) = version_named(wanted, &known) {
        return Ok(root.join(tenant).join(version));
    }
    let runs = names(&environment.folder("runs"));
    if runs.contains(wanted) {
        return kept_by(environment, tenant, wanted);
    }
    let near = if is_time(wanted) {
        versions_around(wanted, &known)
    } else {
        nearest(wanted, runs.iter().chain(&known).map(String::as_str)).into_iter().collect()
    };
    let nearest = near.into_iter().map(|name| format!("{tenant}@{name}")).collect();
    Err(Error::NoSuchSnapshot { name: reference.to_string(), tenant: tenant.clone(), nearest })
}

/// Returns the folder of the snapshot of a tenant that a run kept.
fn kept_by(environment: &Environment, tenant: &str, run: &str) -> Result<PathBuf, Error> {
    let kept = KeptSnapshots::load(&environment.folder("runs").join(run)).unwrap_or_default();
    let of_tenant = kept.all().find(|one| one.tenant == tenant);
    let Some(one) = of_tenant else {
        let others = kept.all().map(|one| format!("{}@{run}", one.tenant)).collect();
        return Err(Error::NotKept { run: run.to_owned(), tenant: tenant.to_owned(), others });
    };
    let path = one.path(environment);
    if path.is_dir() { Ok(path) } else { Err(Error::KeptIsGone { run: run.to_owned(), tenant: tenant.to_owned(), path }) }
}

/// Returns the source of a target: the one that was named, or the target's own.
pub(super) fn source<'settings>(
    environment: &'settings Environment,
    named: Option<&str>,
    target: &TenantSettings,
) -> Result<Source<'settings>, Error> {
    let Some(from) = named.or(target.source.as_deref()) else {
        return Err(Error::NoSource { target: target.name.clone() });
    };
    match operand(environment, from)? {
        Operand::Tenant(settings) => Ok(Source::Tenant(settings)),
        Operand::Snapshot(place) => {
            let snapshot = load(environment, &place.path)?;
            Ok(Source::Snapshot(Box::new(NamedSnapshot { snapshot, place })))
        }
    }
}

/// Returns the tenant that the settings come from; of a snapshot, only the manifest is read.
pub(crate) fn source_side(environment: &Environment, named: Option<&str>, target: &TenantSettings) -> Result<TenantIdentity, Error> {
    let from = named.or(target.source.as_deref()).ok_or_else(|| Error::NoSource { target: target.name.clone() })?;
    Ok(match operand(environment, from)? {
        Operand::Tenant(settings) => TenantIdentity::new(&settings.name, &settings.domain),
        Operand::Snapshot(place) => {
            let (tenant, domain) = store::tenant_of(&place.path)?;
            TenantIdentity::new(&tenant, &domain)
        }
    })
}

/// Returns a tenant that somebody names as a source, itself or by a snapshot; one that is not configured may be that of a snapshot.
pub(crate) fn named_source(environment: &Environment, name: &str) -> TenantIdentity {
    let tenants = &environment.settings().tenants;
    let reference = if tenants.contains_key(name) { None } else { reference(environment, name) };
    let tenant = reference.map_or_else(|| name.to_owned(), |reference| reference.tenant);
    let domain = tenants.get(&tenant).map(|tenant| tenant.domain.clone());
    TenantIdentity { tenant, domain }
}

/// Reads a snapshot; which client migrate signed in with where it was taken is known from it, or else from the configuration of its tenant.
pub(crate) fn load(environment: &Environment, path: &Path) -> Result<Snapshot, Error> {
    let mut snapshot = store::load(environment.catalog, path)?;
    let of_the_same = environment.settings().tenants.get(&snapshot.tenant).filter(|settings| settings.domain == snapshot.domain);
    // Without credentials nothing is known, and nothing is asked of that tenant.
    let client = of_the_same.and_then(|settings| environment.own_client(settings));
    if let Some(client) = client {
        snapshot.reserve_own(&Id::new(client));
    }
    Ok(snapshot)
}

/// Returns a note about the clients that may be migrate's own in the source, if that is unknown.
pub(super) fn own_unknown(source: &Snapshot) -> Option<String> {
    let may_be: Vec<String> = source.clients_of_the_management_api().iter().map(ToString::to_string).collect();
    let which = format!("it is unknown which client of {} migrate signs in with; if it is one of the clients", source.tenant);
    (!source.knows_own_client() && !may_be.is_empty())
        .then(|| format!("{which} with access to the Management API, skip it in the mapping: {}", may_be.join(", ")))
}
