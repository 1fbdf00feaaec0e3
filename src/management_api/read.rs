//! What a tenant has of a kind, whatever shape the API serves it in.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Error, UnexpectedAnswer};
use super::listing::{Absence, Listing};
use super::pagination::{Identified, PagedList, with_query};
use super::tenant::Tenant;
use super::transport::Request;
use crate::catalog::{KeyNames, Kind, Shape};
use crate::json::Body;
use crate::model::event::Event;
use crate::model::resource::Id;

impl Tenant {
    /// Reads everything a tenant has of a kind, in the tenant's order.
    ///
    /// A singleton is a list of one; of named objects those that were never written are left out.
    ///
    /// # Errors
    ///
    /// When the list cannot be read to its end. A refusal of the whole kind is no error but an absence.
    ///
    /// # Panics
    ///
    /// When the kind hangs under others ([`list_children`](Self::list_children)) or another kind tells its names
    /// ([`read_named`](Self::read_named)).
    pub async fn list(&self, kind: &'static Kind) -> Result<Listing, Error> {
        Ok(match self.list_map(kind, &ReadOutcome::into_whole).await? {
            Listing::Complete(shown) => Listing::Complete(shown.into_iter().flatten().collect()),
            Listing::Absent { status, reason } => Listing::Absent { status, reason },
        })
    }

    /// Reads what [`list`](Self::list) reads, and makes of each answer what is wanted as soon as its page is there.
    ///
    /// What is not wanted (the keys of ten thousand clients) is gone before the next page comes.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    ///
    /// # Panics
    ///
    /// As [`list`](Self::list).
    pub async fn list_map<T: PartialEq>(&self, kind: &'static Kind, make: &(dyn Fn(ReadOutcome) -> T + Sync)) -> Result<Listing<T>, Error> {
        self.list_or_error(kind, make).await.map(Listing::Complete).or_else(|error| to_absence(kind, error))
    }

    /// Reads what [`list_map`](Self::list_map) reads, for whom a kind that the tenant will not show is not one of which there is none.
    ///
    /// # Errors
    ///
    /// When the list cannot be read to its end, or is refused.
    ///
    /// # Panics
    ///
    /// As [`list`](Self::list).
    pub async fn list_or_error<T: PartialEq>(
        &self,
        kind: &'static Kind,
        make: &(dyn Fn(ReadOutcome) -> T + Sync),
    ) -> Result<Vec<T>, Error> {
        match kind.shape {
            Shape::Collection | Shape::Keyed { names: KeyNames::Listed } => self.list_whole(kind, make).await,
            Shape::Singleton => self.get(kind, kind.paths.list).await.map(|body| vec![make(ReadOutcome::Whole(body))]),
            Shape::Keyed { names: KeyNames::Fixed(names) } => {
                let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
                self.read_named(kind, &names).await.map(|shown| shown.into_iter().map(make).collect())
            }
            Shape::Keyed { names: KeyNames::PerElement { .. } } => unreachable!("its names are told by another kind"),
            Shape::Child { .. } | Shape::Nested { .. } | Shape::Part { .. } => unreachable!("it is read under each of its parents"),
        }
    }

    /// Reads the named objects of these ids; those that were never written are left out.
    ///
    /// A refusal costs one object, as long as the tenant does not refuse them all. The names are the API's and not the tenant's own: one that a
    /// tenant does not know, such as a newer prompt, is answered 400, which may say something else as well.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or all are refused.
    pub async fn read_named(&self, kind: &'static Kind, ids: &[String]) -> Result<Vec<ReadOutcome>, Error> {
        // By place, not by id: a closure over borrowed ids makes a future that no other thread may run.
        let read = |place: usize| async move { self.read_one_named(kind, &Id::new(ids[place].as_str())).await };
        let mut bodies = stream::iter(0..ids.len()).map(read).buffered(self.concurrency);
        let (mut found, mut asked) = (IndividualReads::default(), 0);
        while let Some(body) = bodies.next().await {
            let mut name = Body::from_iter([(kind.identity.id.to_owned(), Value::String(ids[asked].clone()))]);
            if kind.path_parameters().iter().any(|place| place == kind.identity.id) {
                name = Body::new();
                kind.fill_path_fields(&mut name, &ids[asked]);
            }
            match body {
                Err(unknown) if unknown.status() == Some(400) => found.add_unknown(name, unknown),
                body => found.add(name, body)?,
            }
            asked += 1;
            let tenant = self.transport.connection.name.clone();
            self.transport.connection.observer.notify(&Event::Listing { tenant, kind: kind.name, read: asked, total: Some(ids.len()) });
        }
        found.finish()
    }

    /// Reads a child's list under one parent.
    ///
    /// # Errors
    ///
    /// When the list cannot be read to its end.
    pub async fn list_elements(&self, kind: &'static Kind, parent: &Id) -> Result<Vec<Value>, Error> {
        self.paged_list(kind, kind.path_under(parent.as_str()), &|element| element).read_all().await
    }

    /// Reads what one parent has of a nested kind or a part; each names its parent.
    ///
    /// # Errors
    ///
    /// When the list cannot be read to its end.
    ///
    /// # Panics
    ///
    /// When the kind is neither.
    pub async fn list_children(&self, kind: &'static Kind, parent: &Id) -> Result<Vec<Body>, Error> {
        let field = kind.parent_field().expect("only nested kinds and parts name their parent");
        let path = kind.path_under(parent.as_str());
        let mut found: Vec<Body> = match kind.shape {
            Shape::Part { .. } => match self.get(kind, &path).await {
                Err(error) if error.is_not_found() => Vec::new(),
                other => vec![other?],
            },
            _ => self.paged_list(kind, path, &|body| body).read_all().await?,
        };
        for body in &mut found {
            body.0.insert(field.to_owned(), Value::String(parent.as_str().to_owned()));
        }
        Ok(found)
    }

    /// Reads one resource, or nothing where the tenant has none of this id, or can have none; a child is its elements under this parent.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn read(&self, kind: &'static Kind, id: &Id) -> Result<Option<Body>, Error> {
        if let Shape::Child { .. } = kind.shape {
            return match self.list_elements(kind, id).await {
                Err(error) if error.is_unknown_id() => Ok(None),
                other => other.map(|elements| Some(Body::from_iter([(kind.elements().to_owned(), Value::Array(elements))]))),
            };
        }
        if kind.paths.is_list_only {
            return self.read_listed(kind, id).await;
        }
        match self.get(kind, &kind.read_path_of(id.as_str())).await {
            Err(error) if error.is_unknown_id() => Ok(None),
            other => other.map(|mut body| {
                kind.fill_path_fields(&mut body, id.as_str());
                Some(body)
            }),
        }
    }

    /// Finds one resource in the list, of a kind of which no request reads one.
    async fn read_listed(&self, kind: &'static Kind, id: &Id) -> Result<Option<Body>, Error> {
        let listed = match (kind.parent_field(), id.as_str().split_once('/')) {
            (None, _) => self.paged_list(kind, kind.paths.list.to_owned(), &|body: Body| body).read_all().await,
            (Some(_), Some((parent, _))) => self.list_children(kind, &Id::new(parent)).await,
            (Some(_), None) => return Ok(None),
        };
        match listed {
            Err(error) if error.is_unknown_id() => Ok(None),
            listed => Ok(listed?.into_iter().find(|body| kind.id_of(body).as_deref() == Some(id.as_str()))),
        }
    }

    /// Reads a named object; nothing where it was never written, or this tenant knows no such name.
    async fn read_one_named(&self, kind: &'static Kind, id: &Id) -> Result<Option<Body>, Error> {
        match self.get(kind, &kind.path_of(id.as_str())).await {
            Ok(body) if body.is_empty() => Ok(None),
            Ok(mut body) => {
                kind.fill_path_fields(&mut body, id.as_str());
                Ok(Some(body))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a list to its end, and each resource by itself where the list is only a summary.
    async fn list_whole<T: PartialEq>(&self, kind: &'static Kind, make: &(dyn Fn(ReadOutcome) -> T + Sync)) -> Result<Vec<T>, Error> {
        let path = kind.paths.list.to_owned();
        if !kind.paths.list_is_summary {
            let wanted = |body: Body| (!kind.quirks.has_presets || kind.id_of(&body).is_some()).then(|| make(ReadOutcome::Whole(body)));
            let list = self.paged_list(kind, path, &wanted).read_all().await?;
            return Ok(list.into_iter().flatten().collect());
        }
        let named = |mut body: Body| {
            let id = kind.id_of(&body).map(Id::new)?;
            body.0.retain(|field, _| field == kind.identity.id || kind.identity.key.contains(&field.as_str()));
            Some((id, body))
        };
        let listed = self.paged_list(kind, path, &named).read_all().await?;
        let listed: &Vec<(Id, Body)> = &listed.into_iter().flatten().collect();
        let read = |place: usize| async move { self.read(kind, &listed[place].0).await };
        let mut bodies = stream::iter(0..listed.len()).map(read).buffered(self.concurrency).enumerate();
        let mut found = IndividualReads::default();
        while let Some((place, body)) = bodies.next().await {
            // What is gone since it was listed is not there.
            found.add(listed[place].1.clone(), body)?;
        }
        Ok(found.finish()?.into_iter().map(make).collect())
    }

    fn paged_list<'list, A: DeserializeOwned + Identified, T>(
        &'list self,
        kind: &'static Kind,
        path: String,
        make: &'list (dyn Fn(A) -> T + Sync),
    ) -> PagedList<'list, A, T> {
        PagedList::new(&self.transport, kind, path, self.concurrency, make)
    }

    /// Reads one object; only a singleton is asked for with the kind's query, which belongs to lists otherwise.
    async fn get(&self, kind: &Kind, path: &str) -> Result<Body, Error> {
        let target = if kind.shape == Shape::Singleton { with_query(kind, path) } else { path.to_owned() };
        let request = Request::new(Method::GET, target);
        let answer: Value = self.transport.send(&request).await?.json(&request.name())?;
        into_object(kind, answer)
            .ok_or_else(|| Error::Unreadable { request: request.name(), source: UnexpectedAnswer("it is not an object".to_owned()).into() })
    }
}

/// What a tenant shows of one resource.
#[derive(Debug, PartialEq)]
pub enum ReadOutcome {
    /// All of it.
    Whole(Body),
    /// That it is there, or that there may be one of this name: a look at it is refused.
    Refused {
        /// The fields that name it.
        name: Body,
        /// The tenant's own words.
        reason: String,
        /// Whether its subscription lacks it, so that there is nothing to see.
        is_unentitled: bool,
    },
    /// That the tenant knows no such name, or says so: nobody knows whether it is there.
    Unknown {
        /// The fields that name it.
        name: Body,
        /// The tenant's own words.
        reason: String,
    },
}

impl ReadOutcome {
    /// Returns what is known of it, where it is there: all of it, or the names by which the list tells it.
    pub(crate) fn into_known(self) -> Option<Body> {
        match self {
            Self::Whole(body) | Self::Refused { name: body, .. } => Some(body),
            Self::Unknown { .. } => None,
        }
    }

    /// Returns the resource, where it is shown.
    fn into_whole(self) -> Option<Body> {
        match self {
            Self::Whole(body) => Some(body),
            Self::Refused { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// Resources that are read one by one.
#[derive(Default)]
struct IndividualReads {
    shown: Vec<ReadOutcome>,
    is_any_known: bool,
    refusal: Option<Error>,
}

impl IndividualReads {
    fn add(&mut self, name: Body, read: Result<Option<Body>, Error>) -> Result<(), Error> {
        match read {
            Err(refusal) if refusal.is_refusal() => {
                self.shown.push(ReadOutcome::Refused { name, reason: refusal.to_string(), is_unentitled: refusal.is_unentitled() });
                self.refusal.get_or_insert(refusal);
            }
            read => {
                self.shown.extend(read?.map(ReadOutcome::Whole));
                self.is_any_known = true;
            }
        }
        Ok(())
    }

    fn add_unknown(&mut self, name: Body, refusal: Error) {
        self.shown.push(ReadOutcome::Unknown { name, reason: refusal.to_string() });
        self.refusal.get_or_insert(refusal);
    }

    /// Returns what is shown; where every one is refused, the kind is.
    fn finish(self) -> Result<Vec<ReadOutcome>, Error> {
        match self.refusal {
            Some(refusal) if !self.is_any_known => Err(refusal),
            _ => Ok(self.shown),
        }
    }
}

/// Returns an answer as an object: a bare array stands in the field that the kind keeps it in.
pub(super) fn into_object(kind: &Kind, answer: Value) -> Option<Body> {
    match answer {
        Value::Array(_) if !kind.quirks.list_field.is_empty() => Some(Body::from_iter([(kind.quirks.list_field.to_owned(), answer)])),
        other => Body::from_value(other).ok(),
    }
}

/// Tells what an answer to a list says about the kind from what went wrong: a tenant that refuses to show it does not have it, and that
/// must cost no other kind.
fn to_absence<T>(kind: &Kind, error: Error) -> Result<Listing<T>, Error> {
    let reason = match &error {
        Error::Scope { .. } => Absence::Scope(error.to_string()),
        Error::Refused { status: 402 | 403, message, .. } => Absence::Entitlement(message.clone()),
        // What was never set up can be: it is a list of none.
        Error::Refused { status: 404, .. }
            if kind.shape == Shape::Singleton && (kind.creation().is_some() || kind.identity.is_optional) =>
        {
            return Ok(Listing::Complete(Vec::new()));
        }
        Error::Refused { status: 404, .. } if kind.shape == Shape::Singleton => Absence::NotConfigured,
        Error::Refused { status: 404 | 410 | 501, message, .. } => Absence::Gone(message.clone()),
        refused if refused.is_refusal() => Absence::Refused(refused.to_string()),
        _ => return Err(error),
    };
    Ok(Listing::Absent { status: error.status().unwrap_or_default(), reason })
}
