//! Exports a tenant as a portable snapshot. Source and target use the same function, so that a diff compares like with like.

mod remembered;
mod scope;

use std::collections::{BTreeMap, HashSet};

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;

pub use self::remembered::Remembered;
pub use self::scope::{Purpose, Scope, as_kept};
use crate::catalog::{Catalog, KeyNames, Kind, Shape};
use crate::json::Body;
use crate::management_api::safety_limits::SNAPSHOT_TIMEOUT;
use crate::management_api::{self, Absence, Listing, ReadOutcome, Tenant};
use crate::model::event::{Event, Observer};
use crate::model::resource::{Id, Key, Resource, Unreadable, name_of};
use crate::snapshot::{Snapshot, Status, Unseen, id_substitution};

/// The number of parents whose children are read concurrently; the rate limiter decides when each request leaves.
const PARENTS_AT_ONCE: usize = 16;

/// Why a tenant could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A kind could not be read.
    #[error("{}", failed_step(kind, tenant, source))]
    Read {
        /// The kind.
        kind: &'static str,
        /// The tenant's name.
        tenant: String,
        /// The cause.
        source: management_api::Error,
    },
    /// Reading took too long.
    #[error("reading \"{tenant}\" took longer than {}", humantime::format_duration(SNAPSHOT_TIMEOUT))]
    Overdue {
        /// The tenant's name.
        tenant: String,
    },
    /// The tenant returned something that is not a resource.
    #[error("unexpected response from \"{tenant}\"")]
    Unreadable {
        /// The tenant's name.
        tenant: String,
        /// The cause.
        source: Unreadable,
    },
}

/// Describes what failed: reading a kind, or signing in, which the first request of any kind does.
fn failed_step(kind: &str, tenant: &str, source: &management_api::Error) -> String {
    if source.is_about_sign_in() { format!("cannot sign in to \"{tenant}\"") } else { format!("cannot read {kind} of \"{tenant}\"") }
}

/// Records what a tenant returns before ids become keys and secrets are removed. The content is sensitive and must not
/// leave the program.
pub trait ResponseRecorder: Sync {
    /// Records one resource as the API returned it.
    fn record_resource(&self, kind: &'static Kind, answer: &Body);

    /// Records the list of a child.
    fn record_elements(&self, kind: &'static Kind, parent: &Id, elements: &[Value]);

    /// Records that the tenant does not serve a kind.
    fn record_absence(&self, kind: &'static Kind, status: u16, reason: &Absence);
}

/// How to read a tenant: which part, and who observes it.
#[derive(Clone, Copy)]
pub struct Reading<'reading> {
    /// The tenant.
    pub tenant: &'reading Tenant,
    /// The part to read.
    pub scope: &'reading Scope,
    /// Receives progress.
    pub observer: &'reading dyn Observer,
    /// Receives the raw responses.
    pub recorder: Option<&'reading dyn ResponseRecorder>,
}

impl<'reading> Reading<'reading> {
    /// Exports the tenant; the recorder receives every response unchanged.
    ///
    /// # Errors
    ///
    /// If the tenant cannot be read, or a response cannot be understood.
    pub async fn export(self, catalog: &Catalog, taken: &str) -> Result<Snapshot, Error> {
        let begun = self.begin(catalog).await?;
        let names_others = begun.names_others();
        begun.finish(names_others, taken).await
    }

    /// Reads the selected resources and those that their fields refer to.
    ///
    /// # Errors
    ///
    /// If the tenant cannot be read, or a response cannot be understood.
    pub async fn begin<'catalog>(self, catalog: &'catalog Catalog) -> Result<Begun<'reading, 'catalog>, Error> {
        let read = self.timely(self.read(self.scope.kinds(catalog), Vec::new())).await?;
        Ok(Begun { reading: self, catalog, read })
    }

    async fn timely<T>(self, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let overdue = |_| Error::Overdue { tenant: self.tenant.name().to_owned() };
        tokio::time::timeout(SNAPSHOT_TIMEOUT, self.tenant.within_limits(read)).await.map_err(overdue)?
    }

    /// Reads these kinds in addition to those already read.
    async fn read(self, kinds: Vec<&'static Kind>, mut read: Vec<Read>) -> Result<Vec<Read>, Error> {
        self.observer.notify(&Event::Reading { tenant: self.tenant.name().to_owned(), kinds: kinds.len() });
        let (dependent, free): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| kind.read_after().is_some());
        // The first failure cancels the others, which would otherwise all wait for an unreachable tenant.
        read.extend(try_join_all(free.into_iter().map(|kind| read_kind(self, kind))).await?);
        for kind in dependent {
            let of_kind = read_dependent(self, kind, &read).await?;
            read.push(of_kind);
        }
        Ok(read)
    }
}

/// A tenant whose selected resources have been read.
pub struct Begun<'reading, 'catalog> {
    reading: Reading<'reading>,
    catalog: &'catalog Catalog,
    read: Vec<Read>,
}

impl Begun<'_, '_> {
    /// Returns whether a text of the selected resources may name a resource that was not read.
    #[must_use]
    pub fn names_others(&self) -> bool {
        let resources = || self.read.iter().flat_map(|of_kind| of_kind.resources.iter().map(|resource| (of_kind.kind, resource)));
        let own = resources().map(|(kind, resource)| resource.id.own(kind));
        let known: HashSet<&str> = own.chain(resources().filter_map(|(_, resource)| resource.alias.as_deref())).collect();
        self.reading.scope.may_name_others(resources().map(|(kind, resource)| (kind, &resource.body)), &known)
    }

    /// Reads all other resources that a text may name, if needed, and returns the snapshot.
    ///
    /// # Errors
    ///
    /// If the tenant cannot be read, or a response cannot be understood.
    pub async fn finish(self, names_others: bool, taken: &str) -> Result<Snapshot, Error> {
        self.finish_seen_by(names_others, taken, &mut |_| ()).await
    }

    /// Like [`finish`](Self::finish); also shows what was read before ids become keys, to be [remembered](Remembered).
    pub(crate) async fn finish_seen_by(
        self,
        names_others: bool,
        taken: &str,
        seen: &mut (dyn FnMut(&Snapshot) + Send),
    ) -> Result<Snapshot, Error> {
        let Self { reading, catalog, mut read } = self;
        if names_others {
            let is_read: HashSet<&str> = read.iter().map(|of_kind| of_kind.kind.name).collect();
            let more: Vec<_> =
                reading.scope.clone().with_names().kinds(catalog).into_iter().filter(|kind| !is_read.contains(kind.name)).collect();
            if !more.is_empty() {
                read = reading.timely(reading.read(more, read)).await?;
            }
        }
        Ok(reading.snapshot(catalog, read, taken, seen))
    }
}

impl Reading<'_> {
    fn snapshot(self, catalog: &Catalog, read: Vec<Read>, taken: &str, seen: &mut (dyn FnMut(&Snapshot) + Send)) -> Snapshot {
        let Self { tenant, scope, .. } = self;
        let mut snapshot = Snapshot {
            tenant: tenant.name().to_owned(),
            domain: tenant.domain().to_owned(),
            taken: taken.to_owned(),
            kinds: BTreeMap::new(),
            resources: Vec::new(),
            twice: Vec::new(),
            selection: Some(scope.selection.clone()).filter(|selection| !selection.is_everything()),
        };
        for Read { kind, status, resources } in read {
            snapshot.kinds.extend(scope.status(kind, status).map(|status| (kind.name.to_owned(), status)));
            snapshot.resources.extend(resources);
        }
        snapshot.sort(catalog);
        seen(&snapshot);
        snapshot.twice = id_substitution::to_portable(catalog, tenant.domain(), &mut snapshot.resources);
        if let Some(client) = tenant.client_id() {
            snapshot.reserve_own(&Id::new(client));
        }
        snapshot.resources.retain(|resource| scope.keeps(&resource.key));
        snapshot.twice.retain(|key| scope.keeps(key));
        snapshot
    }
}

/// The resources read of one kind.
#[derive(Debug)]
struct Read {
    kind: &'static Kind,
    status: Status,
    resources: Vec<Resource>,
}

/// Exports a tenant. `taken` is the time of the snapshot: RFC 3339, UTC.
///
/// # Errors
///
/// If a list cannot be read completely or in time, or a response is not a resource. If the tenant refuses to return a
/// kind, or the token may not read it, that is a status of the kind, not an error.
pub async fn export(catalog: &Catalog, tenant: &Tenant, scope: &Scope, taken: &str, observer: &dyn Observer) -> Result<Snapshot, Error> {
    Reading { tenant, scope, observer, recorder: None }.export(catalog, taken).await
}

async fn read_kind(reading: Reading<'_>, kind: &'static Kind) -> Result<Read, Error> {
    let Reading { tenant, .. } = reading;
    let listing = tenant.list_map(kind, &|shown| seen(reading, kind, shown)).await;
    let (status, resources) = match listing.map_err(|source| unread(kind, tenant, source))? {
        Listing::Complete(read) => gathered(tenant, read)?,
        Listing::Absent { reason, status } => {
            reading.recorder.inspect(|recorder| recorder.record_absence(kind, status, &reason));
            (status_of(&reason), Vec::new())
        }
    };
    tell(reading, kind, &status, resources.len());
    Ok(Read { kind, status, resources })
}

fn unread(kind: &Kind, tenant: &Tenant, source: management_api::Error) -> Error {
    Error::Read { kind: kind.name, tenant: tenant.name().to_owned(), source }
}

/// The result of reading one resource.
#[derive(PartialEq)]
enum Seen {
    Resource(Box<Resource>),
    /// Whether it exists is not known.
    Unseen(Unseen),
    /// It does not exist, or has no content.
    Nothing,
}

impl From<Option<Resource>> for Seen {
    fn from(understood: Option<Resource>) -> Self {
        understood.map_or(Self::Nothing, |resource| Self::Resource(Box::new(resource)))
    }
}

/// Builds a resource from a read outcome; one that the tenant refuses to return is excluded.
fn seen(reading: Reading<'_>, kind: &'static Kind, shown: ReadOutcome) -> Result<Seen, Unreadable> {
    let id = |name: &Body| Id::new(kind.id_of(name).unwrap_or_default());
    Ok(match shown {
        ReadOutcome::Whole(answer) => understood(reading, kind, answer)?.into(),
        ReadOutcome::Refused { name, reason, is_unentitled } => {
            let unseen = Resource::new(Key::new(kind, &name_of(kind, &name)), id(&name), name);
            Some(Resource { excluded: Some(reason), is_unseen: !is_unentitled, ..unseen }).into()
        }
        ReadOutcome::Unknown { name, reason } => {
            Seen::Unseen(Unseen { id: id(&name), name: name_of(kind, &name), reason, is_refused: false })
        }
    })
}

/// Returns the resources among the results and whether they are complete; or the first response that is not a resource.
fn gathered(tenant: &Tenant, read: impl IntoIterator<Item = Result<Seen, Unreadable>>) -> Result<(Status, Vec<Resource>), Error> {
    let (mut resources, mut unseen) = (Vec::new(), Vec::new());
    for one in read {
        match one.map_err(|source| Error::Unreadable { tenant: tenant.name().to_owned(), source })? {
            Seen::Resource(resource) => resources.push(*resource),
            Seen::Unseen(one) => unseen.push(one),
            Seen::Nothing => {}
        }
    }
    Ok((complete_but_for(unseen), resources))
}

fn complete_but_for(unseen: Vec<Unseen>) -> Status {
    if unseen.is_empty() { Status::Complete } else { Status::InPart(unseen) }
}

/// Returns whether a kind is known completely, except for unseen resources.
fn is_whole(status: &Status) -> bool {
    matches!(status, Status::Complete | Status::InPart(_))
}

/// Builds a resource from a response; `None` if it is addressed by name and has no content.
fn understood(reading: Reading<'_>, kind: &'static Kind, answer: Body) -> Result<Option<Resource>, Unreadable> {
    reading.recorder.inspect(|recorder| recorder.record_resource(kind, &answer));
    let alone = kind.exclusion(&answer, &reading.scope.include);
    let resource = Resource::read(kind, answer)?.left_alone_as(alone);
    let is_always_there = kind.creation().is_none() && matches!(kind.shape, Shape::Keyed { .. } | Shape::Part { .. });
    Ok(Some(resource).filter(|resource| !(is_always_there && resource.open().is_blank(kind))))
}

fn status_of(reason: &Absence) -> Status {
    match reason {
        Absence::Scope(message) => Status::Forbidden(message.clone()),
        Absence::NotConfigured | Absence::Entitlement(_) | Absence::Gone(_) => Status::Absent(reason.to_string()),
        Absence::Refused(message) => Status::Refused(message.clone()),
    }
}

fn tell(reading: Reading<'_>, kind: &'static Kind, status: &Status, read: usize) {
    let absent = match status {
        Status::Absent(reason) | Status::Refused(reason) | Status::Forbidden(reason) => Some(reason.clone()),
        Status::Complete | Status::InPart(_) | Status::Selected(_) => None,
    };
    reading.observer.notify(&Event::Listed { tenant: reading.tenant.name().to_owned(), kind: kind.name, read, absent });
}

/// Reads a kind that depends on another, already read one: below each of its resources, or by the names that it lists.
async fn read_dependent(reading: Reading<'_>, kind: &'static Kind, read: &[Read]) -> Result<Read, Error> {
    let on = kind.read_after().expect("only kinds that are read after another are read here");
    let above = read.iter().find(|read| read.kind.name == on).expect("catalog order: a kind is read after the one it leans on");
    let (status, resources) = match read_below(reading, kind, above).await {
        Ok((of_kind, resources)) => (if is_whole(&above.status) { of_kind } else { above.status.clone() }, resources),
        Err(Error::Read { source, .. }) if source.is_scope() => (Status::Forbidden(source.to_string()), Vec::new()),
        Err(Error::Read { source, .. }) if source.is_refusal() => {
            let reason = if source.is_unentitled() {
                Absence::Entitlement
            } else if source.is_not_served() {
                Absence::Gone
            } else {
                Absence::Refused
            };
            (status_of(&reason(source.to_string())), Vec::new())
        }
        Err(error) => return Err(error),
    };
    tell(reading, kind, &status, resources.len());
    Ok(Read { kind, status, resources })
}

async fn read_below(reading: Reading<'_>, kind: &'static Kind, above: &Read) -> Result<(Status, Vec<Resource>), Error> {
    let Reading { tenant, .. } = reading;
    if let Shape::Keyed { names: KeyNames::PerElement { names, list, .. } } = kind.shape {
        let answers = tenant.read_named(kind, &ids_with(names, list, above)).await.map_err(|source| unread(kind, tenant, source))?;
        return gathered(tenant, answers.into_iter().map(|shown| seen(reading, kind, shown)));
    }
    let parents: Vec<&Resource> =
        above.resources.iter().filter(|parent| parent.excluded.is_none() && kind.applies_to_parent(&parent.body)).collect();
    // By index: a closure over borrowed parents would make a future that is not `Send`.
    let read = |place: usize| {
        let parent = parents[place];
        async move { (parent, read_under(reading, kind, parent).await) }
    };
    let mut lists = stream::iter((0..parents.len()).map(read)).buffered(PARENTS_AT_ONCE);
    let (mut resources, mut unseen, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((parent, list)) = lists.next().await {
        match list {
            Ok(list) => resources.extend(list),
            Err(Error::Read { source, .. }) if source.is_refusal() => {
                match unshown(kind, parent, &source) {
                    Seen::Resource(resource) => resources.push(*resource),
                    Seen::Unseen(one) => unseen.push(one),
                    Seen::Nothing => {}
                }
                refused.push(source);
            }
            Err(error) => return Err(error),
        }
    }
    let is_any_shown = refused.len() < parents.len();
    // An error about a single parent is better reported with its name.
    let is_of_kind = |source: &management_api::Error| source.is_unentitled() || parents.len() > 1;
    match refused.into_iter().find(|source| !source.is_not_found() && is_of_kind(source)) {
        Some(source) if !is_any_shown => Err(unread(kind, tenant, source)),
        _ => Ok((complete_but_for(unseen), resources)),
    }
}

/// Returns the placeholder for resources that a tenant does not return below one parent.
///
/// The parent was deleted since it was listed, this version of it has no such list, or the tenant refuses. A list or
/// part that exists once per parent is excluded by its name, so that a mapping rule can accept that; of other kinds not
/// even the names are known.
fn unshown(kind: &'static Kind, parent: &Resource, source: &management_api::Error) -> Seen {
    let is_refused = !source.is_not_served() && !source.is_unentitled();
    let unseen = match kind.shape {
        Shape::Child { .. } if is_refused => Some(Resource::read_child(kind, &parent.id, Vec::new())),
        Shape::Part { .. } if is_refused => kind.parent_field().map(|field| {
            let name = Body::from_iter([(field.to_owned(), Value::String(parent.id.as_str().to_owned()))]);
            Resource::new(Key::new(kind, &name_of(kind, &name)), parent.id.clone(), name)
        }),
        _ => None,
    };
    let reason = source.to_string();
    let Some(unseen) = unseen else {
        return Seen::Unseen(Unseen { id: parent.id.clone(), name: parent.key.name().to_owned(), reason, is_refused });
    };
    Some(Resource { excluded: Some(reason), is_unseen: true, ..unseen }).into()
}

/// Combines each of these names with each element of a list that was read: `login/en`.
fn ids_with(names: &[&str], list: &str, above: &Read) -> Vec<String> {
    let mut ids = Vec::new();
    for one in &above.resources {
        for (_, each) in one.body.pick(&[list]).find(&format!("{list}[]")) {
            ids.extend(each.as_str().into_iter().flat_map(|each| names.iter().map(move |name| format!("{name}/{each}"))));
        }
    }
    ids
}

async fn read_under(reading: Reading<'_>, kind: &'static Kind, parent: &Resource) -> Result<Vec<Resource>, Error> {
    let Reading { tenant, .. } = reading;
    if let Shape::Child { .. } = kind.shape {
        let elements = tenant.list_elements(kind, &parent.id).await.map_err(|source| unread(kind, tenant, source))?;
        reading.recorder.inspect(|recorder| recorder.record_elements(kind, &parent.id, &elements));
        return Ok(vec![Resource::read_child(kind, &parent.id, elements)]);
    }
    let answers = tenant.list_children(kind, &parent.id).await.map_err(|source| unread(kind, tenant, source))?;
    let understood = answers.into_iter().filter_map(|answer| understood(reading, kind, answer).transpose()).collect::<Result<_, _>>();
    understood.map_err(|source| Error::Unreadable { tenant: tenant.name().to_owned(), source })
}
