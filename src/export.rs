//! Tenant -> portable snapshot. Source and target pass through the same function, so that a diff compares like with like.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use glob::Pattern;

use crate::catalog::{By, Catalog, Kind, Shape};
use crate::event::{Event, Observer};
use crate::resource::{Resource, Unreadable};
use crate::snapshot::{Snapshot, Status, refs};
use crate::tenant::{self, Absence, Listing, Tenant};

/// Lists of children asked for at the same time; the pacer decides when each leaves.
const CHILDREN_AT_ONCE: usize = 16;

/// What part of a tenant to export.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names of the kinds that were asked for; none means all.
    pub kinds: BTreeSet<String>,
    /// Key globs of which one must match; none means everything.
    pub only: Vec<Pattern>,
}

/// What could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A kind could not be read.
    #[error("cannot read {kind} of \"{tenant}\"")]
    Read {
        /// The kind.
        kind: &'static str,
        /// The tenant's name.
        tenant: String,
        /// Why.
        source: tenant::Error,
    },
    /// The tenant answered something that is no resource.
    #[error("cannot understand an answer of \"{tenant}\"")]
    Unreadable {
        /// The tenant's name.
        tenant: String,
        /// Why.
        source: Unreadable,
    },
}

impl Selection {
    fn has(&self, resource: &Resource) -> bool {
        let key = resource.key.to_string();
        let is_asked = self.kinds.is_empty() || self.kinds.contains(resource.key.kind());
        is_asked && (self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(&key)))
    }

    fn asks_for(&self, kind: &Kind) -> bool {
        let by_glob =
            |pattern: &Pattern| Pattern::new(pattern.as_str().split('/').next().unwrap_or_default()).is_ok_and(|of| of.matches(kind.name));
        (self.kinds.is_empty() || self.kinds.contains(kind.name)) && (self.only.is_empty() || self.only.iter().any(by_glob))
    }

    /// Returns the kinds to read: those asked for, and those whose ids they may hold.
    fn kinds_to_read(&self, catalog: &Catalog) -> Vec<&'static Kind> {
        let mut wanted: BTreeSet<&str> = catalog.kinds().filter(|kind| self.asks_for(kind)).map(|kind| kind.name).collect();
        for kind in catalog.kinds().rev() {
            if wanted.contains(kind.name) {
                wanted.extend(kind.references.iter().filter(|reference| reference.by == By::Id).map(|reference| reference.to));
                wanted.extend(kind.comes_after());
            }
        }
        catalog.kinds().filter(|kind| wanted.contains(kind.name)).collect()
    }
}

/// What was read of one kind.
struct Read {
    kind: &'static Kind,
    status: Status,
    resources: Vec<Resource>,
}

/// Exports a tenant. `taken` is the time it stands for: RFC 3339, UTC.
///
/// # Errors
///
/// When a list cannot be read to its end, or an answer is no resource. What the tenant does not serve, or the token may not read, is no
/// error but a status of that kind.
pub async fn export(
    catalog: &Catalog,
    tenant: &Tenant,
    selection: &Selection,
    taken: &str,
    observer: &dyn Observer,
) -> Result<Snapshot, Error> {
    let kinds = selection.kinds_to_read(catalog);
    observer.notify(&Event::Reading { tenant: tenant.name().to_owned(), kinds: kinds.len() });
    let (children, parents): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| matches!(kind.shape, Shape::Child { .. }));
    let lists = futures_util::future::join_all(parents.into_iter().map(|kind| read_kind(tenant, kind, observer))).await;
    let mut read = lists.into_iter().collect::<Result<Vec<Read>, Error>>()?;
    for kind in children {
        let of_child = read_children(tenant, kind, &read, observer).await?;
        read.push(of_child);
    }
    let mut snapshot = Snapshot {
        tenant: tenant.name().to_owned(),
        domain: tenant.domain().to_owned(),
        taken: taken.to_owned(),
        kinds: BTreeMap::new(),
        resources: Vec::new(),
        twice: Vec::new(),
    };
    for Read { kind, status, resources } in read {
        let status = if status == Status::Complete && !selection.only.is_empty() { Status::Selected } else { status };
        if selection.asks_for(kind) {
            snapshot.kinds.insert(kind.name.to_owned(), status);
        }
        snapshot.resources.extend(resources);
    }
    snapshot.sort(catalog);
    snapshot.twice = refs::detach(catalog, tenant.domain(), &mut snapshot.resources);
    snapshot.resources.retain(|resource| selection.has(resource));
    Ok(snapshot)
}

async fn read_kind(tenant: &Tenant, kind: &'static Kind, observer: &dyn Observer) -> Result<Read, Error> {
    let listing = tenant.list(kind).await.map_err(|source| Error::Read { kind: kind.name, tenant: tenant.name().to_owned(), source })?;
    let (status, resources) = match listing {
        Listing::Complete(answers) => {
            let read = |answer| Resource::read(kind, answer);
            let unreadable = |source| Error::Unreadable { tenant: tenant.name().to_owned(), source };
            (Status::Complete, answers.into_iter().map(read).collect::<Result<Vec<_>, _>>().map_err(unreadable)?)
        }
        Listing::Absent { because, .. } => (status_of(&because), Vec::new()),
    };
    tell(tenant, kind, &status, resources.len(), observer);
    Ok(Read { kind, status, resources })
}

fn status_of(because: &Absence) -> Status {
    match because {
        Absence::Scope(message) => Status::Forbidden(message.clone()),
        Absence::NotConfigured | Absence::Entitlement(_) | Absence::Gone(_) => Status::Absent(because.to_string()),
    }
}

fn tell(tenant: &Tenant, kind: &'static Kind, status: &Status, read: usize, observer: &dyn Observer) {
    let absent = match status {
        Status::Absent(because) | Status::Forbidden(because) => Some(because.clone()),
        Status::Complete | Status::Selected => None,
    };
    observer.notify(&Event::Listed { tenant: tenant.name().to_owned(), kind: kind.name, read, absent });
}

/// Reads a child's list under every resource of its parent.
async fn read_children(tenant: &Tenant, kind: &'static Kind, read: &[Read], observer: &dyn Observer) -> Result<Read, Error> {
    let Shape::Child { parent, .. } = kind.shape else { unreachable!("only children are read here") };
    let above = read.iter().find(|read| read.kind.name == parent).expect("catalog order: a parent is read before its children");
    let mut status = above.status.clone();
    let mut resources = Vec::new();
    let asked = above.resources.iter().filter(|parent| parent.left_alone.is_none());
    let mut lists =
        stream::iter(asked.map(|parent| async move { (&parent.id, tenant.elements(kind, &parent.id).await) })).buffered(CHILDREN_AT_ONCE);
    while let Some((parent, list)) = lists.next().await {
        match list {
            Ok(elements) => resources.push(Resource::read_child(kind, parent, elements)),
            Err(refused) if refused.is_scope() => {
                status = Status::Forbidden(refused.to_string());
                break;
            }
            // The parent is gone since it was listed, or this tenant's version of it has no such list.
            Err(refused) if refused.is_not_found() => {}
            Err(source) => return Err(Error::Read { kind: kind.name, tenant: tenant.name().to_owned(), source }),
        }
    }
    drop(lists);
    tell(tenant, kind, &status, resources.len(), observer);
    Ok(Read { kind, status, resources })
}
