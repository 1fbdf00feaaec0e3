//! Suggests a mapping from what differs between a source and a target, both read now or the source from a snapshot.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::Error;
use super::prepare::{Sides, keep, read_both, refuse_the_same};
use super::source::source;
use crate::export::{Purpose, Scope};
use crate::mapping::suggestion::{Suggestion, suggested_mapping, suggestions};
use crate::mapping::{self, Mapping};
use crate::snapshot::{Snapshot, Status};

/// A suggested mapping.
#[derive(Debug)]
pub(crate) struct SuggestedMapping {
    /// The source.
    pub(crate) source: String,
    /// The target.
    pub(crate) target: String,
    /// The rules, each with its evidence.
    pub(crate) suggestions: Vec<Suggestion>,
    /// The same as the text of a mapping.
    pub(crate) text: String,
    /// The tenants of which the token may read nothing, so that nothing can be said about them.
    pub(crate) unread: Vec<String>,
}

/// Suggests a mapping into a target; what its own mapping, or this one, already covers is not suggested.
pub(crate) async fn suggest_mapping(
    environment: &Environment,
    (from, target): (Option<&str>, &str),
    mapping: Option<&PathBuf>,
) -> Result<SuggestedMapping, Error> {
    let target = environment.tenant(target)?;
    let source = source(environment, from, target)?;
    refuse_the_same(&source, target)?;
    let mapping = mapping.or(target.mapping.as_ref()).map_or(Ok(Mapping::default()), |path| of_file(environment, path))?;
    let (is_read_now, tenant) = (source.place().is_none(), environment.connect(target)?);
    let scope = Scope { purpose: Purpose::COMPARE, ..Scope::default() };
    let Sides { source, live, .. } = Box::pin(read_both(environment, (source, &tenant, target), scope, (None, None))).await?;
    if is_read_now {
        keep(environment, &source)?;
    }
    let suggestions = suggestions(environment.catalog, (&source, &live), &mapping);
    let is_unread = |snapshot: &&Snapshot| snapshot.kinds.values().all(|status| matches!(status, Status::Forbidden(_)));
    let unread = [&source, &live].into_iter().filter(is_unread).map(|snapshot| snapshot.tenant.clone()).collect();
    let text = suggested_mapping(&source.tenant, &target.name, &suggestions);
    Ok(SuggestedMapping { source: source.tenant, target: target.name.clone(), suggestions, text, unread })
}

/// Loads a mapping; one that is configured and not written yet covers nothing.
fn of_file(environment: &Environment, path: &Path) -> Result<Mapping, mapping::Error> {
    match Mapping::load(environment.catalog, path) {
        Err(mapping::Error::File(error)) if error.is_missing() => Ok(Mapping::default()),
        loaded => loaded,
    }
}
