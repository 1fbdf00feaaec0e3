//! Two tenants, two snapshots, or one of each, compared; nothing is written.

use super::environment::Environment;
use super::error::Error;
use super::prepare::{included, read};
use super::source::{Operand, SnapshotPlace, load, operand};
use crate::config::TenantSettings;
use crate::export::Scope;
use crate::model::selection::Selection;
use crate::plan::{Plan, PlannedTenant, compare as compare_snapshots};
use crate::snapshot::Snapshot;
use crate::state::links::Links;
use crate::state::pair::TenantIdentity;

/// One of the two that are compared.
enum ComparedSide<'settings> {
    Tenant(&'settings TenantSettings),
    Snapshot(Box<(Snapshot, SnapshotPlace)>),
}

/// Compares two tenants or snapshots, as a person names them; returns what changes from the first to the second.
pub(crate) async fn compare(
    environment: &Environment,
    (before, after): (&str, &str),
    selection: &Selection,
    include: &[String],
) -> Result<Plan, Error> {
    let (before, after) = (side(environment, before)?, side(environment, after)?);
    let selection = [&before, &after].into_iter().try_fold(selection.clone(), |selection, side| side.restrict(&selection))?;
    let scope = Scope { selection: selection.clone(), include: included(environment.catalog, include)?, ..Scope::default() };
    let (before, after) = tokio::try_join!(before.read(environment, &scope), after.read(environment, &scope))?;
    let links = links(environment, &before.snapshot, &after.snapshot)?;
    let mut plan = compare_snapshots(environment.catalog, (&before.snapshot, &after.snapshot), &links, &selection);
    plan.source = before.planned();
    plan.target = after.planned();
    plan.notes.extend(before.place.into_iter().chain(after.place).filter_map(|place| place.note()));
    Ok(plan)
}

fn side<'settings>(environment: &'settings Environment, word: &str) -> Result<ComparedSide<'settings>, Error> {
    Ok(match operand(environment, word)? {
        Operand::Tenant(settings) => ComparedSide::Tenant(settings),
        Operand::Snapshot(place) => ComparedSide::Snapshot(Box::new((load(environment, &place.path)?, place))),
    })
}

impl ComparedSide<'_> {
    /// Returns what is selected and is part of it.
    fn restrict(&self, selection: &Selection) -> Result<Selection, Error> {
        match self {
            Self::Tenant(_) => Ok(selection.clone()),
            Self::Snapshot(held) => held.0.selection.clone().unwrap_or_default().and(selection).map_err(Error::Selection),
        }
    }

    async fn read(self, environment: &Environment, scope: &Scope) -> Result<ReadSide, Error> {
        match self {
            Self::Tenant(settings) => {
                let snapshot = read(environment, &environment.connect(settings)?, settings, scope).await?;
                Ok(ReadSide { snapshot, place: None })
            }
            Self::Snapshot(held) => Ok(ReadSide { snapshot: held.0, place: Some(held.1) }),
        }
    }
}

/// One of the two, read.
struct ReadSide {
    snapshot: Snapshot,
    /// Where it is, if it is a snapshot on disk.
    place: Option<SnapshotPlace>,
}

impl ReadSide {
    fn planned(&self) -> PlannedTenant {
        let Snapshot { tenant, domain, taken, .. } = &self.snapshot;
        let snapshot = self.place.as_ref().map(|place| place.name.clone());
        PlannedTenant { snapshot, ..PlannedTenant::new(tenant, domain, taken) }
    }
}

/// Returns which resource is which: of one tenant by their ids, of two by the links that imports between them left.
fn links(environment: &Environment, before: &Snapshot, after: &Snapshot) -> Result<Links, Error> {
    if before.domain.eq_ignore_ascii_case(&after.domain) {
        return Ok(Links::within(&before.resources));
    }
    let identity = |side: &Snapshot| TenantIdentity::new(&side.tenant, &side.domain);
    let of_pair = |source: &Snapshot, target: &Snapshot| {
        let target = environment.settings().tenants.get(&target.tenant);
        let pair = target.map(|target| environment.pair(identity(source), target)).transpose()?;
        let is_this = pair.as_ref().is_some_and(|pair| pair.check().is_ok());
        Ok::<_, Error>(match pair.filter(|_| is_this) {
            Some(pair) => Links::load(&pair.links()).map_err(crate::apply::state_update::Error::from)?,
            None => Links::default(),
        })
    };
    let links = of_pair(after, before)?;
    Ok(if links.iter().next().is_some() { links } else { of_pair(before, after)?.reversed() })
}
