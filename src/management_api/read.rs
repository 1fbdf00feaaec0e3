//! Reads the resources of a kind, whatever the shape of its API.

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
    /// Reads all resources of a kind, in the tenant's order.
    ///
    /// A singleton is a list with one element; named objects that were never written are left out.
    ///
    /// # Errors
    ///
    /// If the list cannot be read completely. If the tenant refuses the whole kind, that is an absence, not an error.
    ///
    /// # Panics
    ///
    /// If the kind is nested below others ([`list_children`](Self::list_children)) or another kind lists its names
    /// ([`read_named`](Self::read_named)).
    pub async fn list(&self, kind: &'static Kind) -> Result<Listing, Error> {
        Ok(match self.list_map(kind, &ReadOutcome::into_whole).await? {
            Listing::Complete(shown) => Listing::Complete(shown.into_iter().flatten().collect()),
            Listing::Absent { status, reason } => Listing::Absent { status, reason },
        })
    }

    /// Reads what [`list`](Self::list) reads, and converts each response with `make` as soon as its page arrives.
    ///
    /// Unneeded data (the keys of ten thousand clients) is freed before the next page arrives.
    ///
    /// # Errors
    ///
    /// If the tenant cannot be read, or a response cannot be understood.
    pub async fn list_map<T: PartialEq>(&self, kind: &'static Kind, make: &(dyn Fn(ReadOutcome) -> T + Sync)) -> Result<Listing<T>, Error> {
        self.list_or_error(kind, make).await.map(Listing::Complete).or_else(|error| to_absence(kind, error))
    }

    /// Reads what [`list_map`](Self::list_map) reads, but returns an error if the tenant refuses the kind, for callers
    /// to whom that is not an empty list.
    ///
    /// # Errors
    ///
    /// If the list cannot be read completely, or is refused.
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

    /// Reads the named objects with these ids; those that were never written are left out.
    ///
    /// A refusal affects one object, unless the tenant refuses all of them. The names are the API's, not the tenant's:
    /// a name that a tenant does not know, such as a newer prompt, is answered with 400, which may also have other
    /// reasons.
    ///
    /// # Errors
    ///
    /// If one cannot be read, or all are refused.
    pub async fn read_named(&self, kind: &'static Kind, ids: &[String]) -> Result<Vec<ReadOutcome>, Error> {
        // By index: a closure over borrowed ids would make a future that is not `Send`.
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

    /// Reads a child's list below one parent.
    ///
    /// # Errors
    ///
    /// If the list cannot be read completely.
    pub async fn list_elements(&self, kind: &'static Kind, parent: &Id) -> Result<Vec<Value>, Error> {
        self.paged_list(kind, kind.path_under(parent.as_str()), &|element| element).read_all().await
    }

    /// Reads the resources of a nested kind or a part below one parent; each contains its parent's id.
    ///
    /// # Errors
    ///
    /// If the list cannot be read completely.
    ///
    /// # Panics
    ///
    /// If the kind is neither nested nor a part.
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

    /// Reads one resource; `None` if the tenant has none with this id, or cannot have one. For a child, reads its
    /// elements below this parent.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
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

    /// Finds one resource in the list, for kinds that cannot be read one by one.
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

    /// Reads a named object; `None` if it was never written, or this tenant does not know the name.
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

    /// Reads a list completely, and each resource separately if the list contains only summaries.
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
            // A resource that was deleted since it was listed is left out.
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

    /// Reads one object. Only a singleton is read with the kind's query, which otherwise belongs to lists.
    async fn get(&self, kind: &Kind, path: &str) -> Result<Body, Error> {
        let target = if kind.shape == Shape::Singleton { with_query(kind, path) } else { path.to_owned() };
        let request = Request::new(Method::GET, target);
        let answer: Value = self.transport.send(&request).await?.json(&request.name())?;
        into_object(kind, answer)
            .ok_or_else(|| Error::Unreadable { request: request.name(), source: UnexpectedAnswer("it is not an object".to_owned()).into() })
    }
}

/// The result of reading one resource.
#[derive(Debug, PartialEq)]
pub enum ReadOutcome {
    /// The complete resource.
    Whole(Body),
    /// The resource exists, or may exist under this name, but reading it is refused.
    Refused {
        /// The fields that identify it.
        name: Body,
        /// The tenant's message.
        reason: String,
        /// Whether the subscription lacks it, so that it has no content.
        is_unentitled: bool,
    },
    /// The tenant does not know the name, or says so: whether the resource exists is not known.
    Unknown {
        /// The fields that identify it.
        name: Body,
        /// The tenant's message.
        reason: String,
    },
}

impl ReadOutcome {
    /// Returns what is known of an existing resource: everything, or the fields that identify it.
    pub(crate) fn into_known(self) -> Option<Body> {
        match self {
            Self::Whole(body) | Self::Refused { name: body, .. } => Some(body),
            Self::Unknown { .. } => None,
        }
    }

    /// Returns the complete resource, if it was returned.
    fn into_whole(self) -> Option<Body> {
        match self {
            Self::Whole(body) => Some(body),
            Self::Refused { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// Collects resources that are read one by one.
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

    /// Returns the outcomes, or an error if every resource was refused.
    fn finish(self) -> Result<Vec<ReadOutcome>, Error> {
        match self.refusal {
            Some(refusal) if !self.is_any_known => Err(refusal),
            _ => Ok(self.shown),
        }
    }
}

/// Converts a response to an object: a bare array is placed into the field that the kind defines for it.
pub(super) fn into_object(kind: &Kind, answer: Value) -> Option<Body> {
    match answer {
        Value::Array(_) if !kind.quirks.list_field.is_empty() => Some(Body::from_iter([(kind.quirks.list_field.to_owned(), answer)])),
        other => Body::from_value(other).ok(),
    }
}

/// Converts a refusal of a list into the absence of the kind, so that it affects no other kind.
fn to_absence<T>(kind: &Kind, error: Error) -> Result<Listing<T>, Error> {
    let reason = match &error {
        // Nobody was signed in, so nothing is known about the kind: the domain may be another one.
        refused if refused.is_about_sign_in() => return Err(error),
        Error::Scope { .. } => Absence::Scope(error.to_string()),
        Error::Refused { status: 402 | 403, message, .. } => Absence::Entitlement(message.clone()),
        // Something that was never set up but can be is an empty list.
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
